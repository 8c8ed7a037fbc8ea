import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerFrame } from '../proto';
import { retryDelay } from './backoff';
import { ServerClock } from './clock';
import { chat, FakeSocket, state, welcome, you } from './fake-socket';
import { packJson, unpackJson } from './gzip';
import { Link, type LinkDeps } from './link';
import { intervalTicker } from './ticker';

const HELLO = {
  client: { app: 'test', ver: '0', browser: 'test/1', class: 'desk' as const, caps: [] },
  lang: 'vi',
  profile: 'seat' as const,
  slots: { a: 5, v: 9, s: 1 },
};

function make(more: Partial<LinkDeps> = {}) {
  const frames: ServerFrame[] = [];
  const overs: (string | undefined)[] = [];
  const statuses: string[] = [];
  const link = new Link('token1', {
    connect: () => new FakeSocket(),
    hello: () => Promise.resolve(HELLO),
    ticker: intervalTicker,
    now: () => Date.now(),
    random: () => 0,
    gzip: false,
    ...more,
  });
  link.on('frame', (frame) => frames.push(frame));
  link.on('over', ({ code }) => overs.push(code));
  link.on('status', (status) => statuses.push(status));
  return { link, frames, overs, statuses };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

async function connected(more: Partial<LinkDeps> = {}) {
  const made = make(more);
  made.link.start();
  FakeSocket.last.open();
  await settle();
  FakeSocket.last.give(welcome());
  FakeSocket.last.give(state(10));
  return made;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.all = [];
});
afterEach(() => {
  vi.useRealTimers();
});

describe('connecting', () => {
  it('says hello with its token and no resume', async () => {
    await connected();
    const [hello] = FakeSocket.last.of('hello');
    expect(hello).toMatchObject({ proto: [1], token: 'token1', profile: 'seat' });
    expect(hello).not.toHaveProperty('resume');
  });

  it('hands on state and broadcasts in order', async () => {
    const { frames, statuses } = await connected();
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.give(chat(12, 'c2'));
    expect(frames.map((f) => f.t)).toEqual(['state', 'chat', 'chat']);
    expect(statuses.at(-1)).toBe('ok');
  });

  it('tries again when nobody answers the hello', async () => {
    const { link } = make();
    link.start();
    FakeSocket.last.open();
    await vi.advanceTimersByTimeAsync(12_001);
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.all[0]?.closed).toBe(true);
  });
});

describe('the waiting room', () => {
  function waiting(): Record<string, unknown> {
    const { proto, you: me, room, ping, now } = welcome();
    return { t: 'waiting', proto, you: me, room, ping, now, since: 900 };
  }

  async function made(more: Partial<LinkDeps> = {}) {
    const it = make(more);
    const waits: number[] = [];
    it.link.on('waiting', ({ since }) => waits.push(since));
    it.link.start();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give(waiting());
    return { ...it, waits };
  }

  it('keeps the link alive, sends nothing else, and is welcomed on it', async () => {
    const { link, waits, statuses } = await made();
    expect(waits).toEqual([900]);
    expect(statuses.at(-1)).toBe('connecting');
    await vi.advanceTimersByTimeAsync(13_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(FakeSocket.last.of('ping').length).toBeGreaterThan(2);
    expect(link.send({ t: 'hand', up: true })).toBe(false);
    FakeSocket.last.give(welcome());
    expect(statuses.at(-1)).toBe('ok');
    expect(link.send({ t: 'hand', up: true })).toBe(true);
  });

  it('waits again after a broken link, with a plain hello', async () => {
    const { waits } = await made();
    FakeSocket.last.break();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]).not.toHaveProperty('resume');
    FakeSocket.last.give(waiting());
    expect(waits).toEqual([900, 900]);
  });

  it('ends when sent away, and leaves by itself', async () => {
    const denied = await made();
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'denied' });
    expect(denied.overs).toEqual(['denied']);
    const gone = await made();
    await gone.link.leave();
    expect(FakeSocket.last.of('leave')).toHaveLength(1);
  });
});

describe('another device', () => {
  it('is asked about, and taken over from once only', async () => {
    const refused = make();
    refused.link.start();
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]).not.toHaveProperty('takeOver');
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'elsewhere' });
    expect(refused.overs).toEqual(['elsewhere']);

    await connected({ takeOver: true });
    expect(FakeSocket.last.of('hello')[0]).toHaveProperty('takeOver', true);
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]).not.toHaveProperty('takeOver');
  });
});

describe('a link that breaks', () => {
  it('asks to resume with the last sequence number and the current key', async () => {
    await connected();
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.resume).toEqual({ session: 's1', key: 'key1', lastSeq: 11 });
  });

  it('takes the replay once and uses the rotated key next time', async () => {
    const { frames } = await connected();
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'resumed', key: 'key2', from: 12, you: you() });
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.give(chat(12, 'c2'));
    expect(frames.filter((f) => f.t === 'chat')).toHaveLength(2);
    FakeSocket.last.break();
    await vi.advanceTimersByTimeAsync(300);
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.resume).toEqual({ session: 's1', key: 'key2', lastSeq: 12 });
  });

  it('starts over when the server no longer knows the session', async () => {
    const { link, frames } = await connected();
    const again: boolean[] = [];
    link.on('welcome', (w) => again.push(w.again));
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give(welcome({ session: 's2', key: 'k2' }));
    FakeSocket.last.give(state(3));
    FakeSocket.last.give(chat(4, 'c9'));
    expect(again).toEqual([true]);
    expect(frames.at(-1)?.t).toBe('chat');
  });

  it('retries after 0, 0.3, 1.2, 2.7, 4.8 and then every 7 seconds', async () => {
    await connected();
    const at: number[] = [];
    const start = Date.now();
    let known = FakeSocket.all.length;
    FakeSocket.last.break();
    for (let ms = 0; ms < 31_000; ms += 100) {
      await vi.advanceTimersByTimeAsync(ms === 0 ? 0 : 100);
      if (FakeSocket.all.length > known) {
        known = FakeSocket.all.length;
        at.push(Date.now() - start);
        FakeSocket.last.break();
      }
    }
    expect(at).toEqual([0, 300, 1_500, 4_200, 9_000, 16_000, 23_000, 30_000]);
  });

  it('is still trying after an hour', async () => {
    const { statuses } = await connected();
    FakeSocket.last.break();
    for (let i = 0; i < 700; i += 1) {
      await vi.advanceTimersByTimeAsync(6_000);
      if (!FakeSocket.last.closed && FakeSocket.last.readyState === 0) FakeSocket.last.break();
    }
    expect(statuses.at(-1)).toBe('reconnecting');
    const before = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(FakeSocket.all.length).toBeGreaterThan(before);
  });

  it('tries at once when asked to', async () => {
    const { link } = await connected();
    FakeSocket.last.break();
    for (let i = 0; i < 4; i += 1) {
      await vi.advanceTimersByTimeAsync(5_000);
      FakeSocket.last.break();
    }
    const before = FakeSocket.all.length;
    expect(link.retryAt).not.toBeNull();
    link.retryNow();
    expect(FakeSocket.all.length).toBe(before + 1);
  });

  it('is given up without any frame for the time the server named', async () => {
    const { statuses } = await connected();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(statuses.at(-1)).toBe('ok');
    await vi.advanceTimersByTimeAsync(8_000);
    expect(statuses.at(-1)).toBe('reconnecting');
  });

  it('stays while pongs come', async () => {
    const { statuses } = await connected();
    for (let i = 0; i < 20; i += 1) {
      await vi.advanceTimersByTimeAsync(4_000);
      FakeSocket.last.give({ t: 'pong', c: 1, now: Date.now() });
    }
    expect(statuses.at(-1)).toBe('ok');
    expect(FakeSocket.last.of('ping').length).toBeGreaterThan(15);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('is dropped soon when a probe after waking up finds no answer', async () => {
    const { link, statuses } = await connected();
    link.retryNow();
    await vi.advanceTimersByTimeAsync(4_100);
    expect(statuses).toContain('reconnecting');
  });
});

describe('sequence numbers', () => {
  it('a gap leads to a resume from before the gap', async () => {
    const { frames } = await connected();
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.give(chat(13, 'c3'));
    expect(frames.filter((f) => f.t === 'chat')).toHaveLength(1);
    await settle();
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.resume?.lastSeq).toBe(11);
  });

  it('a damaged broadcast counts but is not handed on', async () => {
    const { frames } = await connected();
    FakeSocket.last.give({ t: 'chat', seq: 11, m: { nothing: true } });
    FakeSocket.last.give(chat(12, 'c2'));
    expect(frames.filter((f) => f.t === 'chat')).toHaveLength(1);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('personal messages carry none and always pass', async () => {
    const { frames } = await connected();
    FakeSocket.last.give({ t: 'asked', kind: 'mic', by: 'Cô Hà' });
    expect(frames.at(-1)).toMatchObject({ t: 'asked', by: 'Cô Hà' });
  });

  it('text that is not JSON is passed over', async () => {
    const { frames } = await connected();
    FakeSocket.last.giveRaw('}{');
    FakeSocket.last.give(chat(11, 'c1'));
    expect(frames.at(-1)?.t).toBe('chat');
  });
});

describe('requests', () => {
  it('resolve with the reply of the same id', async () => {
    const { link } = await connected();
    const one = link.request({ t: 'hand', up: true });
    const two = link.request({ t: 'modEnd' });
    const ids = FakeSocket.last.sent.slice(-2).map((f) => f.id);
    FakeSocket.last.give({ t: 'err', id: ids[1], code: 'forbidden' });
    FakeSocket.last.give({ t: 'ok', id: ids[0] });
    expect(await one).toMatchObject({ ok: true });
    expect(await two).toEqual({ ok: false, code: 'forbidden' });
  });

  it('fail when the link breaks, and at once when it is down', async () => {
    const { link } = await connected();
    const pending = link.request({ t: 'hand', up: true });
    FakeSocket.last.break();
    expect(await pending).toEqual({ ok: false, code: 'network' });
    expect(await link.request({ t: 'hand', up: true })).toEqual({ ok: false, code: 'network' });
  });

  it('fail when no reply comes', async () => {
    const { link } = await connected();
    const pending = link.request({ t: 'hand', up: true });
    for (let i = 0; i < 4; i += 1) {
      await vi.advanceTimersByTimeAsync(4_000);
      FakeSocket.last.give({ t: 'pong', c: 1, now: 1 });
    }
    expect(await pending).toEqual({ ok: false, code: 'network' });
  });
});

describe('what the server decides', () => {
  it('bye resume comes back after the named time with the session', async () => {
    await connected();
    FakeSocket.last.give({ t: 'bye', action: 'resume', after: 2_000 });
    await vi.advanceTimersByTimeAsync(1_900);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.resume?.session).toBe('s1');
  });

  it('bye rejoin comes back without the session', async () => {
    await connected();
    FakeSocket.last.give({ t: 'bye', action: 'rejoin' });
    await settle();
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]).not.toHaveProperty('resume');
  });

  it('bye stop ends it for good', async () => {
    const { overs } = await connected();
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'taken_over' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(overs).toEqual(['taken_over']);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('a refused hello with a closed reason ends it', async () => {
    const { link, overs } = make();
    link.start();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'err', code: 'locked' });
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'locked' });
    expect(overs).toEqual(['locked']);
  });

  it('a busy server is tried again', async () => {
    const { link, overs } = make();
    link.start();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'err', code: 'busy' });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(overs).toEqual([]);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('an expired token is renewed once, then the link goes on', async () => {
    const refreshToken = vi.fn().mockResolvedValue({ token: 'token2' });
    const { overs } = await connected({ refreshToken });
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'err', code: 'expired' });
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'expired' });
    await vi.advanceTimersByTimeAsync(400);
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.token).toBe('token2');
    expect(refreshToken).toHaveBeenCalledTimes(1);
    expect(overs).toEqual([]);
  });

  it('an expired token that cannot be renewed yet does not end the stay', async () => {
    const refreshToken = vi
      .fn()
      .mockResolvedValueOnce({ code: 'network' })
      .mockResolvedValueOnce({ code: 'internal' })
      .mockResolvedValue({ token: 'token2' });
    const { overs } = await connected({ refreshToken });
    FakeSocket.last.break();
    await settle();
    for (let n = 0; n < 3; n += 1) {
      FakeSocket.last.open();
      await settle();
      FakeSocket.last.give({ t: 'err', code: 'expired' });
      await vi.advanceTimersByTimeAsync(9_000);
    }
    FakeSocket.last.open();
    await settle();
    expect(FakeSocket.last.of('hello')[0]?.token).toBe('token2');
    expect(refreshToken).toHaveBeenCalledTimes(3);
    expect(overs).toEqual([]);
  });

  it('a token renewed in `you` is used from then on', async () => {
    const { link } = await connected();
    FakeSocket.last.give({ t: 'you', ...you({ token: 'token9' }) });
    expect(link.token).toBe('token9');
  });
});

describe('leaving', () => {
  it('tells the server, closes and never comes back', async () => {
    const { link, statuses } = await connected();
    const socket = FakeSocket.last;
    await link.leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket.of('leave')).toHaveLength(1);
    expect(socket.closed).toBe(true);
    expect(statuses.at(-1)).toBe('ended');
    expect(FakeSocket.all).toHaveLength(1);
  });
});

describe('retry delay', () => {
  it('adds at most a second and at most half the step of jitter', () => {
    expect(retryDelay(0, 0, 0.99)).toBe(0);
    expect(retryDelay(1, 0, 0.99)).toBeLessThanOrEqual(450);
    expect(retryDelay(20, 0, 0.99)).toBeLessThanOrEqual(8_000);
  });
});

describe('server clock', () => {
  it('believes the sample with the shortest round trip', () => {
    const clock = new ServerClock();
    clock.guess(0, 5_000);
    clock.sample(0, 2_000, 7_000);
    clock.sample(10_000, 10_020, 15_010);
    clock.sample(20_000, 21_000, 28_000);
    expect(clock.offset).toBe(5_000);
    expect(clock.toServer(100)).toBe(5_100);
  });
});

describe('gzip frames', () => {
  it('come back as they went', async () => {
    vi.useRealTimers();
    const text = JSON.stringify({ t: 'chat', text: 'Nguyễn Thị Hằng '.repeat(500) });
    const packed = await packJson(text);
    expect(packed[0]).toBe(0);
    expect(packed.byteLength).toBeLessThan(500);
    expect(await unpackJson(packed.buffer)).toBe(text);
  });

  it('of another channel are left alone, and damaged ones throw', async () => {
    vi.useRealTimers();
    expect(await unpackJson(new Uint8Array([1, 2, 3]).buffer)).toBeNull();
    await expect(unpackJson(new Uint8Array([0, 9, 9, 9, 9]).buffer)).rejects.toThrow();
  });

  it('keep their order among plain frames, both ways', async () => {
    vi.useRealTimers();
    const { link, frames } = make({ gzip: true });
    link.start();
    const socket = FakeSocket.last;
    const order: string[] = [];
    socket.send = (data) =>
      void order.push(typeof data === 'string' ? (JSON.parse(data) as { t: string }).t : 'packed');
    socket.open();
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.give(welcome());
    const big = await packJson(JSON.stringify(state(10, { people: [] })));
    socket.giveRaw(big.buffer);
    socket.give(chat(11, 'c1'));
    link.send({ t: 'offer', sdp: 'x'.repeat(5_000), restart: false });
    link.send({ t: 'hand', up: true });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(frames.map((f) => f.t)).toEqual(['state', 'chat']);
    expect(order).toEqual(['hello', 'ping', 'packed', 'hand']);
    await link.leave();
  });
});
