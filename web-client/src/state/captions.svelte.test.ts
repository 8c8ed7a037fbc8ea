// The store of captions, with the test as the server.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Action, Caption, CaptionLang, ClientFrame, ErrorCode, ServerFrame } from '../core/proto';
import { Captions } from './captions.svelte';

const line = (n: number, text = `dòng ${n}`, over: Partial<Caption> = {}): Caption => ({
  n,
  lang: 'vi',
  who: 'p2',
  name: 'Thư',
  text,
  from: 0,
  to: 1,
  cid: `c${n}`,
  ...over,
});

interface Asked {
  msg: ClientFrame;
  answer(code: ErrorCode | null): void;
}
let asked: Asked[];
let pages: { before: number; answer(page: { list: Caption[]; more: boolean } | null): void }[];
let sent: ClientFrame[];
let perms: Set<Action>;
let refused: ErrorCode[];
let saved: CaptionLang[];
let clock: number;
let captions: Captions;

const give = (frame: object) => captions.take(frame as ServerFrame);
const settle = () => vi.advanceTimersByTimeAsync(0);
const state = (...list: Caption[]) => give({ t: 'state', captions: list });
const known = () => captions.lines.map((one) => one.n);
const rows = () => captions.rows.map((row) => row.text);
const live = (text: string, who = 'p2', lang = 'vi') => give({ t: 'captionLive', who, lang, text });

function make(): Captions {
  return new Captions({
    request: (msg) => new Promise((answer) => asked.push({ msg, answer })),
    fetch: (before) => new Promise((answer) => pages.push({ before, answer })),
    send: (msg) => sent.push(msg) > 0,
    perms: () => perms,
    self: () => 'p1',
    refused: (code) => refused.push(code),
    save: async (lang) => {
      saved.push(lang);
      return null;
    },
    now: () => clock,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  [asked, pages, sent, refused, saved] = [[], [], [], [], []];
  perms = new Set<Action>(['caption']);
  clock = 1_000;
  captions = make();
});
afterEach(() => {
  captions.stop();
  vi.useRealTimers();
});

describe('what is shown', () => {
  it('is the last two lines, the one being typed among them', () => {
    state(line(1), line(2), line(3));
    expect(rows()).toEqual(['dòng 2', 'dòng 3']);
    live('đang');
    live('đang gõ');
    expect(rows()).toEqual(['dòng 3', 'đang gõ']);
    give({ t: 'caption', c: line(4, 'đang gõ xong') });
    expect(rows()).toEqual(['dòng 3', 'đang gõ xong']);
    expect(captions.drafts).toEqual([]);
  });

  it('leaves when nothing follows, and comes again with the next line', () => {
    state(line(1));
    live('bỏ dở');
    vi.advanceTimersByTime(10_000);
    expect(rows()).toEqual(['dòng 1']);
    vi.advanceTimersByTime(10_000);
    expect(rows()).toEqual([]);
    expect(captions.transcript).toHaveLength(1);
    give({ t: 'caption', c: line(2) });
    expect(rows()).toEqual(['dòng 1', 'dòng 2']);
  });

  it('is nothing of another language, unless there is no other', () => {
    state(line(1, 'Hello', { lang: 'en' }));
    expect([captions.lang, rows()]).toEqual(['en', ['Hello']]);
    give({ t: 'caption', c: line(2, 'Xin chào') });
    expect([captions.lang, rows()]).toEqual(['vi', ['Xin chào']]);
    live('typing', 'p3', 'en');
    expect(rows()).toEqual(['Xin chào']);
    captions.change({ lang: 'en' });
    expect(rows()).toEqual(['Hello', 'typing']);
    void captions.save();
    expect(saved).toEqual(['en']);
  });

  it('is off at first, and the choice is kept', () => {
    expect([captions.on, captions.size, captions.say]).toEqual([false, 2, false]);
    captions.change({ on: true, size: 3, top: true });
    const again = make();
    expect([again.on, again.size, again.top]).toEqual([true, 3, true]);
    localStorage.setItem('lophoc.captions', '{"on":"yes","size":9,"lang":"fr"}');
    expect([make().on, make().size]).toEqual([false, 2]);
  });

  it('does not show oneself what one is typing', () => {
    live('của mình', 'p1');
    expect(rows()).toEqual([]);
  });
});

describe('the transcript', () => {
  it('has each line once, also after a return', () => {
    state(line(5), line(6));
    give({ t: 'caption', c: line(7) });
    give({ t: 'caption', c: line(7) });
    state(line(6), line(7), line(8));
    expect(known()).toEqual([5, 6, 7, 8]);
    // Too much was missed: what is known would leave a gap.
    state(line(20), line(21));
    expect(known()).toEqual([20, 21]);
    expect(captions.more).toBe(true);
  });

  it('goes back page by page', async () => {
    state(line(5), line(6));
    void captions.older();
    pages[0]?.answer({ list: [line(3), line(4)], more: true });
    await settle();
    expect([pages[0]?.before, known(), captions.more]).toEqual([5, [3, 4, 5, 6], true]);
    void captions.older();
    pages[1]?.answer(null);
    await settle();
    expect(known()).toEqual([3, 4, 5, 6]);
    void captions.older();
    pages[2]?.answer({ list: [line(1), line(2)], more: false });
    await settle();
    expect([known()[0], captions.more]).toEqual([1, false]);
  });
});

describe('typing', () => {
  it('tells what is typed in pieces, and the line with its time', () => {
    captions.typing('vi', 'C');
    captions.typing('vi', 'Ch');
    captions.typing('vi', 'Cha\u0300o');
    vi.advanceTimersByTime(500);
    expect(sent.map((msg) => (msg.t === 'captionLive' ? msg.text : ''))).toEqual(['C', 'Chào']);
    captions.typing('vi', 'Chào c');
    clock += 2_500;
    expect(captions.finish('vi', '  Chào   cả lớp ')).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(sent).toHaveLength(2);
    expect(asked[0]?.msg).toMatchObject({ t: 'captionLine', lang: 'vi', text: 'Chào cả lớp', took: 2_500 });
  });

  it('sends lines in order, each until the room has it', async () => {
    captions.finish('vi', 'một');
    captions.finish('vi', 'hai');
    expect(asked).toHaveLength(1);
    asked[0]?.answer('busy');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked[1]?.msg).toEqual(asked[0]?.msg);
    asked[1]?.answer(null);
    await settle();
    expect(asked[2]?.msg).toMatchObject({ text: 'hai' });
    expect(captions.waiting).toHaveLength(1);
    asked[2]?.answer('forbidden');
    await settle();
    expect([captions.waiting.length, refused]).toEqual([0, ['forbidden']]);
    captions.finish('vi', 'ba');
    expect(asked[3]?.msg).toMatchObject({ text: 'ba' });
  });

  it('ends no empty line and none that is too long', () => {
    expect(captions.finish('vi', '  \n ')).toBe(false);
    expect(captions.finish('vi', 'ệ'.repeat(201))).toBe(false);
    expect(captions.finish('vi', 'ệ'.repeat(200))).toBe(true);
  });

  it('hands the task over and back', async () => {
    void captions.hand('p4', true);
    expect(asked[0]?.msg).toEqual({ t: 'modCaptioner', who: 'p4', on: true });
  });
});
