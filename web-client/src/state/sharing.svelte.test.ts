// The stores of slides and files, with the test as the server.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sending, Sent } from '../core/files/upload';
import type { Action, ClientFrame, Deck, ErrorCode, FileItem, ServerFrame } from '../core/proto';
import { Files } from './files.svelte';
import { Slides } from './slides.svelte';
import { Uploads } from './uploads.svelte';

const deck = (id: string, more: Partial<Deck> = {}): Deck => ({
  deck: id,
  name: `${id}.pdf`,
  st: { is: 'ready' },
  pages: 24,
  w: 960,
  h: 540,
  url: `/s/${id}`,
  review: 'draft',
  by: 'p1',
  byName: 'Người p1',
  at: 1,
  ...more,
});
const file = (id: string, more: Partial<FileItem> = {}): FileItem => ({
  file: id,
  way: 'out',
  name: `${id}.docx`,
  bytes: 10,
  by: 'p1',
  byName: 'Người p1',
  at: 1,
  url: `/f/${id}`,
  ...more,
});

interface Asked {
  msg: ClientFrame;
  answer(code: ErrorCode | null): void;
}
let asked: Asked[];
let sent: ClientFrame[];
let perms: Set<Action>;
let posts: (Sending & { finish(result: Sent<unknown>): void })[];
let uploads: Uploads;
let slides: Slides;
let files: Files;
let refused: ErrorCode[];
let online: (() => void)[];

const give = (frame: object) => {
  slides.take(frame as ServerFrame);
  files.take(frame as ServerFrame);
};
const state = (more: object = {}) => give({ t: 'state', decks: [deck('d1'), deck('d2')], ...more });
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  sent = [];
  posts = [];
  refused = [];
  online = [];
  perms = new Set<Action>(['slides', 'browse', 'handOut', 'handIn', 'moderate']);
  uploads = new Uploads({
    token: () => 'token',
    send: (o) => new Promise((finish) => posts.push({ ...o, finish: finish as (r: Sent<unknown>) => void })),
    arrived: (way, value) => (way === 'deck' ? slides : files).arrived(value),
    online: () => new Promise((resolve) => online.push(resolve)),
  });
  const shared = {
    request: (msg: ClientFrame) => new Promise<ErrorCode | null>((answer) => asked.push({ msg, answer })),
    perms: () => perms,
    self: () => 'p1',
    uploads,
  };
  slides = new Slides({
    ...shared,
    send: (msg) => sent.push(msg) > 0,
    nameOf: (who) => `Người ${who}`,
    most: 1000,
    refused: (code) => refused.push(code),
    changed: () => undefined,
  });
  files = new Files({ ...shared, most: { out: 1000, in: 100 } });
});
afterEach(() => {
  slides.stop();
  uploads.stop();
  vi.useRealTimers();
});

describe('what everybody sees', () => {
  it('comes with the state and follows the presenter', () => {
    perms = new Set(['browse']);
    state({ stage: { deck: 'd1', page: 3 } });
    expect(slides.shown).toMatchObject({ page: 3, deck: { deck: 'd1' } });
    give({ t: 'stage', stage: { deck: 'd2', page: 1 } });
    expect(slides.shown).toMatchObject({ page: 1, deck: { deck: 'd2' } });
    give({ t: 'stage' });
    expect(slides.shown).toBeNull();
  });

  it('is the page of the new state after a return of the link', () => {
    perms = new Set(['browse']);
    state({ stage: { deck: 'd1', page: 3 } });
    state({ stage: { deck: 'd1', page: 7 } });
    expect(slides.shown?.page).toBe(7);
    expect(slides.alone).toBe(false);
  });

  it('ends when its deck is taken away', () => {
    state({ stage: { deck: 'd1', page: 3 } });
    give({ t: 'deckGone', deck: 'd1' });
    expect(slides.shown).toBeNull();
    expect(slides.decks.map((one) => one.deck)).toEqual(['d2']);
  });

  it('keeps up with a deck on its way to pages', () => {
    state();
    give({ t: 'deck', deck: deck('d3', { st: { is: 'converting', done: 1, total: 4 } }) });
    give({ t: 'deck', deck: deck('d3', { st: { is: 'failed', why: 'broken' } }) });
    expect(slides.decks).toHaveLength(3);
    expect(slides.decks[2]?.st).toEqual({ is: 'failed', why: 'broken' });
  });
});

describe('presenting', () => {
  it('shows the page here at once and asks the server', () => {
    state({ stage: { deck: 'd1', page: 3 } });
    slides.step(1);
    expect(slides.shown?.page).toBe(4);
    expect(asked.map((one) => one.msg)).toEqual([{ t: 'slideShow', deck: 'd1', page: 4 }]);
  });

  it('leaves out the pages in between when keys are pressed fast', async () => {
    state({ stage: { deck: 'd1', page: 3 } });
    for (let n = 0; n < 5; n++) slides.step(1);
    expect(slides.shown?.page).toBe(8);
    give({ t: 'stage', stage: { deck: 'd1', page: 4 } });
    // An answer to an earlier press turns no page back.
    expect(slides.shown?.page).toBe(8);
    asked[0]?.answer(null);
    await settle();
    expect(asked.map((one) => (one.msg as { page: number }).page)).toEqual([4, 8]);
    asked[1]?.answer(null);
    give({ t: 'stage', stage: { deck: 'd1', page: 8 } });
    give({ t: 'stage', stage: { deck: 'd1', page: 2 } });
    expect(slides.shown?.page).toBe(2);
  });

  it('goes back and says so when it was refused', async () => {
    state({ stage: { deck: 'd1', page: 3 } });
    slides.step(1);
    asked[0]?.answer('forbidden');
    await settle();
    expect(slides.shown?.page).toBe(3);
    expect(refused).toEqual(['forbidden']);
  });

  it('follows the room when its own wish never came true', async () => {
    state({ stage: { deck: 'd1', page: 3 } });
    slides.step(1);
    asked[0]?.answer(null);
    await vi.advanceTimersByTimeAsync(2000);
    expect(slides.shown?.page).toBe(3);
  });

  it('never leaves the deck', () => {
    state({ stage: { deck: 'd1', page: 24 } });
    slides.step(1);
    expect(asked).toHaveLength(0);
  });
});

describe('leafing alone', () => {
  beforeEach(() => {
    perms = new Set(['browse']);
    state({ stage: { deck: 'd1', page: 3 } });
  });

  it('asks the server nothing and stays while the presenter goes on', () => {
    slides.step(2);
    expect(slides.alone).toBe(true);
    expect(slides.shown?.page).toBe(5);
    expect(asked).toHaveLength(0);
    give({ t: 'stage', stage: { deck: 'd1', page: 4 } });
    expect(slides.shown?.page).toBe(5);
    slides.follow();
    expect(slides.shown?.page).toBe(4);
  });

  it('ends by itself when the presenter comes to the same page', () => {
    slides.step(1);
    give({ t: 'stage', stage: { deck: 'd1', page: 4 } });
    expect(slides.alone).toBe(false);
  });

  it('ends when the right is taken or the deck is gone', () => {
    slides.step(1);
    perms = new Set();
    slides.check();
    expect(slides.alone).toBe(false);
    slides.step(1);
    expect(slides.shown?.page).toBe(3);
    perms = new Set(['browse']);
    slides.open('d2', 9);
    expect(slides.alone).toBe(true);
    give({ t: 'deckGone', deck: 'd2' });
    expect(slides.alone).toBe(false);
    expect(slides.shown?.page).toBe(3);
  });
});

describe('pointers', () => {
  it('of others are seen with their names and fade when nothing more is heard', async () => {
    state({ stage: { deck: 'd1', page: 3 } });
    give({ t: 'slidePoint', who: 'p2', page: 3, x: 5000, y: 100 });
    expect(slides.pointers).toEqual([{ who: 'p2', name: 'Người p2', page: 3, x: 5000, y: 100 }]);
    await vi.advanceTimersByTimeAsync(2000);
    give({ t: 'slidePoint', who: 'p2', page: 3, x: 5100, y: 100 });
    await vi.advanceTimersByTimeAsync(2000);
    expect(slides.pointers).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1100);
    expect(slides.pointers).toHaveLength(0);
  });

  it('go with the page and when they are taken away', () => {
    state({ stage: { deck: 'd1', page: 3 } });
    give({ t: 'slidePoint', who: 'p2', page: 3, x: 1, y: 1 });
    give({ t: 'slidePoint', who: 'p2', page: 3 });
    expect(slides.pointers).toHaveLength(0);
    give({ t: 'slidePoint', who: 'p2', page: 3, x: 1, y: 1 });
    give({ t: 'stage', stage: { deck: 'd1', page: 4 } });
    expect(slides.pointers).toHaveLength(0);
  });

  it('of one’s own go out at most twelve times a second, whole and in range, again while resting', async () => {
    state({ stage: { deck: 'd1', page: 3 } });
    for (let n = 0; n < 100; n++) {
      slides.point({ x: n * 200.4, y: -5 });
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(sent.length).toBeGreaterThan(8);
    expect(sent.length).toBeLessThanOrEqual(13);
    await vi.advanceTimersByTimeAsync(200);
    expect(sent.at(-1)).toEqual({ t: 'slidePoint', page: 3, x: 10_000, y: 0 });
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent.length).toBe(before + 2);
    slides.point(null);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent.at(-1)).toEqual({ t: 'slidePoint', page: 3 });
    expect(sent.length).toBe(before + 3);
  });

  it('of a learner go nowhere', () => {
    perms = new Set(['browse']);
    state({ stage: { deck: 'd1', page: 3 } });
    slides.point({ x: 1, y: 1 });
    expect(sent).toHaveLength(0);
  });
});

describe('uploads', () => {
  const make = (name: string, bytes = 100) => new File([new Uint8Array(bytes)], name);

  it('go one after the other with progress and become decks', async () => {
    slides.upload([make('Bài 1.pdf'), make('Bài 2.pdf')]);
    expect(posts).toHaveLength(1);
    expect(posts[0]?.url).toBe(`/api/decks?name=${encodeURIComponent('Bài 1.pdf')}`);
    posts[0]?.onsent(40);
    expect(slides.uploads.map((one) => [one.st, one.sent])).toEqual([
      ['sending', 40],
      ['waiting', 0],
    ]);
    posts[0]?.finish({ ok: true, value: { deck: deck('d9', { st: { is: 'queued' } }) } });
    await settle();
    expect(slides.decks.map((one) => one.deck)).toEqual(['d9']);
    expect(posts).toHaveLength(2);
    expect(slides.uploads).toHaveLength(1);
  });

  it('never take the place of what the room told already', async () => {
    slides.upload([make('a.pdf')]);
    give({ t: 'deck', deck: deck('d9') });
    posts[0]?.finish({ ok: true, value: { deck: deck('d9', { st: { is: 'queued' } }) } });
    await settle();
    expect(slides.decks.map((one) => one.st.is)).toEqual(['ready']);
  });

  it('are called off', async () => {
    slides.upload([make('a.pdf'), make('b.pdf')]);
    slides.cancelUpload(slides.uploads[0]?.id ?? 0);
    expect(posts[0]?.signal.aborted).toBe(true);
    posts[0]?.finish({ ok: false, code: 'aborted' });
    await settle();
    expect(slides.uploads.map((one) => one.name)).toEqual(['b.pdf']);
    expect(posts).toHaveLength(2);
  });

  it('too large or empty are not sent at all', () => {
    slides.upload([make('a.pdf', 1001), make('b.pdf', 0)]);
    expect(posts).toHaveLength(0);
    expect(slides.uploads.map((one) => one.code)).toEqual(['too_large', 'bad_request']);
    expect(slides.canRetry(slides.uploads[0]?.id ?? 0)).toBe(false);
  });

  it('whose way was cut are sent again once the link is back', async () => {
    slides.upload([make('a.pdf')]);
    posts[0]?.finish({ ok: false, code: 'network' });
    await settle();
    expect(slides.uploads[0]?.st).toBe('waiting');
    online[0]?.();
    await settle();
    expect(posts).toHaveLength(2);
    posts[1]?.finish({ ok: true, value: { deck: deck('d9') } });
    await settle();
    expect(slides.uploads).toHaveLength(0);
  });

  it('that were refused say why and can be tried again unless the file is the reason', async () => {
    slides.upload([make('a.pdf'), make('b.pdf')]);
    posts[0]?.finish({ ok: false, code: 'bad_request', why: 'encrypted' });
    await settle();
    posts[1]?.finish({ ok: false, code: 'full' });
    await settle();
    const [a, b] = slides.uploads;
    expect([a?.why, b?.code]).toEqual(['encrypted', 'full']);
    expect([slides.canRetry(a?.id ?? 0), slides.canRetry(b?.id ?? 0)]).toEqual([false, true]);
    slides.retryUpload(b?.id ?? 0);
    expect(posts).toHaveLength(3);
  });

  it('of people without the right do not begin', () => {
    perms = new Set(['browse']);
    slides.upload([make('a.pdf')]);
    files.upload([make('a.pdf')], 'out');
    files.upload([make('a.pdf')], 'in');
    expect(posts).toHaveLength(0);
  });
});

describe('files', () => {
  it('handed out come with the state, handed in with a list of their own, in several frames', () => {
    give({ t: 'state', files: [file('f1'), file('f2', { at: 5 })] });
    give({ t: 'filesMine', list: [file('f3', { way: 'in' })] });
    give({ t: 'filesMine', list: [file('f4', { way: 'in' })], add: true });
    expect(files.handedOut.map((one) => one.file)).toEqual(['f2', 'f1']);
    expect(files.handedIn.map((one) => one.file)).toEqual(['f3', 'f4']);
    // After a return both are told anew.
    give({ t: 'state', files: [file('f2')] });
    give({ t: 'filesMine', list: [file('f4', { way: 'in' })] });
    expect(files.handedOut.map((one) => one.file)).toEqual(['f2']);
    expect(files.handedIn.map((one) => one.file)).toEqual(['f4']);
  });

  it('come and go one by one', () => {
    give({ t: 'file', file: file('f1') });
    give({ t: 'file', file: file('f1') });
    expect(files.handedOut).toHaveLength(1);
    give({ t: 'fileGone', file: 'f1' });
    expect(files.handedOut).toHaveLength(0);
  });

  it('may be taken back by who gave them and by those who hand out', () => {
    perms = new Set(['handIn']);
    expect(files.mayDrop(file('f1'))).toBe(true);
    expect(files.mayDrop(file('f1', { by: 'p2' }))).toBe(false);
    perms = new Set(['handOut']);
    expect(files.mayDrop(file('f1', { by: 'p2' }))).toBe(true);
  });

  it('handed in have a smaller limit than those handed out', () => {
    const big = new File([new Uint8Array(200)], 'a.zip');
    files.upload([big], 'in');
    files.upload([big], 'out');
    expect(files.uploads.map((one) => [one.way, one.code])).toEqual([
      ['in', 'too_large'],
      ['out', null],
    ]);
    expect(posts[0]?.url).toContain('way=out');
  });
});
