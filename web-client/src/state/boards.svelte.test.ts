// The store of boards, with the test as the server.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Action, ClientFrame, ErrorCode, Figure, ServerFrame, Shape } from '../core/proto';
import { Boards } from './boards.svelte';

const PEN: Figure = { kind: 'pen', ink: 'red', w: 2, p: [1, 2, 3, 4] };
const shape = (n: number, by = 'p2', cid = `c${n}`): Shape => ({ n, by, cid, fig: PEN });

interface Asked {
  msg: ClientFrame;
  answer(code: ErrorCode | null): void;
}
let asked: Asked[];
let fetched: { board: string; after: number; answer(page: { list: Shape[]; more: boolean } | null): void }[];
let sent: ClientFrame[];
let perms: Set<Action>;
let refused: ErrorCode[];
let boards: Boards;

const give = (frame: object) => boards.take(frame as ServerFrame);
const settle = () => vi.advanceTimersByTimeAsync(0);
const seen = (board = 'w1') => boards.of(board).map((one) => one.n);
const set = (...list: Shape[]) => give({ t: 'board', board: 'w1', set: list });
const del = (...n: number[]) => give({ t: 'board', board: 'w1', del: n });

beforeEach(() => {
  vi.useFakeTimers();
  [asked, fetched, sent, refused] = [[], [], [], []];
  perms = new Set<Action>(['draw', 'slides']);
  boards = new Boards({
    request: (msg) => new Promise((answer) => asked.push({ msg, answer })),
    fetch: (board, after) => new Promise((answer) => fetched.push({ board, after, answer })),
    send: (msg) => sent.push(msg) > 0,
    perms: () => perms,
    self: () => 'p1',
    nameOf: (who) => `Người ${who}`,
    refused: (code) => refused.push(code),
    changed: () => undefined,
  });
  give({ t: 'state', boards: { white: 2, shown: 'w1', pages: ['d1-2'] } });
});
afterEach(() => {
  boards.stop();
  vi.useRealTimers();
});

describe('what is on a board', () => {
  it('is fetched page by page when it is looked at, and followed from then on', async () => {
    set(shape(1));
    expect(fetched).toEqual([]);
    boards.look('w1');
    boards.look('w1');
    fetched[0]?.answer({ list: [shape(1), shape(2)], more: true });
    await settle();
    expect(fetched[1]?.after).toBe(2);
    fetched[1]?.answer({ list: [shape(5)], more: false });
    await settle();
    expect(seen()).toEqual([1, 2, 5]);
    set(shape(6));
    del(2);
    expect(seen()).toEqual([1, 5, 6]);
    // Back again, it lies where it lay.
    set(shape(2));
    expect(seen()).toEqual([1, 2, 5, 6]);
    expect(fetched).toHaveLength(2);
  });
  it('that goes while it is fetched does not come back with the answer', async () => {
    boards.look('w1');
    del(1, 2);
    set(shape(2));
    fetched[0]?.answer({ list: [shape(1), shape(2), shape(3)], more: false });
    await settle();
    expect(seen()).toEqual([2, 3]);
  });
  it('is asked for again when the link failed, and anew after a long cut', async () => {
    boards.look('w1');
    fetched[0]?.answer(null);
    await vi.advanceTimersByTimeAsync(1_000);
    fetched[1]?.answer({ list: [shape(1)], more: false });
    await settle();
    expect(seen()).toEqual([1]);
    give({ t: 'state', boards: { white: 2, shown: 'w1' } });
    expect(seen()).toEqual([]);
    fetched[2]?.answer({ list: [shape(9)], more: false });
    await settle();
    expect(seen()).toEqual([9]);
  });
  it('of a page nobody drew on is not asked for', () => {
    boards.look('d1-1');
    expect(fetched).toEqual([]);
    boards.look('d1-2');
    expect(fetched).toHaveLength(1);
    give({ t: 'board', board: 'd1-1', set: [shape(1)] });
    expect(seen('d1-1')).toEqual([1]);
    expect(boards.hasMarks('d1-1')).toBe(true);
    give({ t: 'deckGone', deck: 'd1' });
    expect(boards.hasMarks('d1-1')).toBe(false);
  });
});

describe('drawing', () => {
  it('shows the own figure at once and until the room has told of it', async () => {
    boards.draw('w1', PEN, 'mine');
    expect(boards.waiting).toHaveLength(1);
    expect(asked[0]?.msg).toEqual({ t: 'boardDraw', board: 'w1', cid: 'mine', fig: PEN });
    set(shape(1, 'p2', 'mine'));
    expect(boards.waiting).toHaveLength(1);
    set(shape(2, 'p1', 'mine'));
    expect(boards.waiting).toEqual([]);
  });
  it('is tried again where that may help, under the same id', async () => {
    boards.draw('w1', PEN, 'mine');
    asked[0]?.answer('rate_limited');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked[1]?.msg).toEqual(asked[0]?.msg);
    asked[1]?.answer('busy');
    await vi.advanceTimersByTimeAsync(1_000);
    asked[2]?.answer('full');
    await settle();
    expect([refused, boards.waiting]).toEqual([['full'], []]);
  });
  it('tells a stroke in pieces, twelve times a second at most', () => {
    const p = Array.from({ length: 600 }, (_, n) => n);
    boards.sketch('w1', 'c', { ...PEN, p: p.slice(0, 2) });
    for (let n = 4; n <= 600; n += 2) boards.sketch('w1', 'c', { ...PEN, p: p.slice(0, n) });
    vi.advanceTimersByTime(1_000);
    const pieces = sent.map((msg) => (msg.t === 'boardLive' ? [msg.from, msg.fig.p.length] : []));
    expect(pieces.slice(0, 3)).toEqual([
      [0, 2],
      [2, 128],
      [130, 128],
    ]);
    expect(pieces.reduce((sum, [, n]) => sum + (n ?? 0), 0)).toBe(600);
    boards.giveUp();
    expect(sent.at(-1)).toMatchObject({ t: 'boardLive', from: 0, fig: { p: [] } });
  });
  it('of others is put together from its pieces, and goes when it is finished or given up', () => {
    const live = (from: number, p: number[]) =>
      give({ t: 'boardLive', board: 'w1', who: 'p2', cid: 'c3', from, fig: { ...PEN, p } });
    live(0, [1, 2]);
    live(2, [3, 4]);
    live(2, [5, 6]);
    expect(boards.live[0]?.fig.p).toEqual([1, 2, 5, 6]);
    set(shape(3));
    expect(boards.live).toEqual([]);
    live(0, [1, 2]);
    live(0, []);
    expect(boards.live).toEqual([]);
    live(0, [1, 2]);
    vi.advanceTimersByTime(5_000);
    expect(boards.live).toEqual([]);
  });
});

describe('rights and pointers', () => {
  it('lets presenters erase all, others their own figures', () => {
    expect(boards.mayErase(shape(1))).toBe(true);
    perms = new Set<Action>(['draw']);
    expect([boards.mayErase(shape(1)), boards.mayErase(shape(1, 'p1')), boards.canLead]).toEqual([false, true, false]);
  });
  it('shows where others point, for a while', () => {
    give({ t: 'boardPoint', board: 'w1', who: 'p2', x: 1, y: 2 });
    give({ t: 'boardPoint', board: 'w1', who: 'p1', x: 1, y: 2 });
    expect(boards.pointers).toEqual([{ who: 'p2', name: 'Người p2', board: 'w1', x: 1, y: 2 }]);
    vi.advanceTimersByTime(3_000);
    expect(boards.pointers).toEqual([]);
    boards.point({ x: -5, y: 20_000 });
    expect(sent).toEqual([{ t: 'boardPoint', board: 'w1', x: 0, y: 10_000 }]);
  });
});
