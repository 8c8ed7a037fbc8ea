import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EffectLine, type EffectFault, type Maker, type Processor } from './effect-line';
import { FrameBudget } from './frame-budget';

class Track {
  enabled = true;
  constructor(readonly name: string) {}
}
const track = (name: string) => new Track(name) as unknown as MediaStreamTrack;

interface Job {
  raw: MediaStreamTrack;
  lost: (why: EffectFault | 'lapsed') => void;
  stand(): Promise<void>;
  fail(): Promise<void>;
  stopped: boolean;
  made: MediaStreamTrack;
}

let jobs: Job[];
const make: Maker = (raw, lost) =>
  new Promise<Processor>((resolve, reject) => {
    const made = track(`effect of ${(raw as unknown as Track).name}`);
    const settle = async (done: () => void) => {
      done();
      await Promise.resolve();
      await Promise.resolve();
    };
    const job: Job = {
      raw,
      lost,
      made,
      stopped: false,
      stand: () => settle(() => resolve({ track: made, stop: () => (job.stopped = true) })),
      fail: () => settle(() => reject(new Error('broken'))),
    };
    jobs.push(job);
  });

function line(hold: boolean) {
  const made = new EffectLine({ make, hold, patience: 1000 });
  const faults: EffectFault[] = [];
  made.on('fault', (why) => faults.push(why));
  return { made, faults };
}

beforeEach(() => {
  jobs = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a track with an effect', () => {
  it('goes out as it is until the effect stands', async () => {
    const { made } = line(false);
    const raw = track('mic');
    made.setRaw(raw);
    made.setWanted(true);
    expect(made.out).toBe(raw);
    await jobs[0]!.stand();
    expect(made.out).toBe(jobs[0]!.made);
    made.setWanted(false);
    expect(made.out).toBe(raw);
    expect(jobs[0]!.stopped).toBe(true);
  });

  it('of a camera that is to be blurred does not go out before', async () => {
    const { made } = line(true);
    made.setWanted(true);
    made.setRaw(track('camera'));
    expect(made.out).toBeNull();
    await jobs[0]!.stand();
    expect(made.out).toBe(jobs[0]!.made);
  });

  it('that was seen already is not held back when the blur is switched on', () => {
    const { made } = line(true);
    const raw = track('camera');
    made.setRaw(raw);
    made.setWanted(true);
    expect(made.out).toBe(raw);
  });

  it('falls back at once when the effect breaks, and says so', async () => {
    const { made, faults } = line(false);
    const raw = track('mic');
    made.setRaw(raw);
    made.setWanted(true);
    await jobs[0]!.stand();
    const out: unknown[] = [];
    made.on('out', () => out.push(made.out));
    jobs[0]!.lost('broken');
    expect(out).toEqual([raw]);
    expect([made.wanted, jobs[0]!.stopped, faults]).toEqual([false, true, ['broken']]);
    jobs[0]!.lost('slow');
    expect(faults).toEqual(['broken']);
  });

  it('goes out although the effect cannot be had, or does not come', async () => {
    const first = line(true);
    const raw = track('camera');
    first.made.setWanted(true);
    first.made.setRaw(raw);
    await jobs[0]!.fail();
    expect([first.made.out, first.faults]).toEqual([raw, ['broken']]);
    const second = line(true);
    second.made.setWanted(true);
    second.made.setRaw(raw);
    vi.advanceTimersByTime(1500);
    expect([second.made.out, second.faults]).toEqual([raw, ['broken']]);
    await jobs[1]!.stand();
    expect([second.made.out, jobs[1]!.stopped]).toEqual([raw, true]);
  });

  it('has the effect on another device too, and the old one is put away', async () => {
    const { made } = line(false);
    made.setWanted(true);
    made.setRaw(track('one'));
    await jobs[0]!.stand();
    const other = track('two');
    made.setRaw(other);
    expect([made.out, jobs[0]!.stopped]).toEqual([other, true]);
    await jobs[1]!.stand();
    expect(made.out).toBe(jobs[1]!.made);
    made.setRaw(null);
    expect([made.out, jobs[1]!.stopped]).toEqual([null, true]);
  });

  it('puts away what comes after it is no longer wanted', async () => {
    const { made } = line(false);
    const raw = track('mic');
    made.setRaw(raw);
    made.setWanted(true);
    made.setWanted(false);
    await jobs[0]!.stand();
    expect([made.out, jobs[0]!.stopped]).toEqual([raw, true]);
  });

  it('is muted before and behind the effect, and muted it stays', async () => {
    const { made } = line(false);
    const raw = track('mic');
    made.setRaw(raw);
    made.setWanted(true);
    made.setEnabled(false);
    await jobs[0]!.stand();
    expect([raw.enabled, made.out?.enabled]).toEqual([false, false]);
    made.setEnabled(true);
    expect([raw.enabled, made.out?.enabled]).toEqual([true, true]);
  });

  it('tries again what a phone call took away', async () => {
    const { made, faults } = line(false);
    const raw = track('mic');
    made.setRaw(raw);
    made.setWanted(true);
    await jobs[0]!.stand();
    jobs[0]!.lost('lapsed');
    expect([made.out, made.wanted, faults]).toEqual([raw, true, []]);
    made.retry();
    await jobs[1]!.stand();
    expect(made.out).toBe(jobs[1]!.made);
    made.retry();
    expect(jobs).toHaveLength(2);
  });
});

describe('frames of an effect', () => {
  const until = (ms: number, most = 500) => {
    const budget = new FrameBudget();
    for (let n = 1; n <= most; n += 1) if (budget.spend(ms)) return n;
    return null;
  };
  it('may take up to 30 ms for ever', () => {
    expect(until(30)).toBeNull();
  });
  it('end it after some seconds when all are too slow', () => {
    expect(until(35)).toBe(63);
  });
  it('end it soon when the machine stands still', () => {
    expect(until(900)).toBeLessThan(8);
  });
  it('may be slow now and then', () => {
    const budget = new FrameBudget();
    for (let n = 0; n < 2000; n += 1) expect(budget.spend(n % 3 === 0 ? 50 : 12)).toBe(false);
  });
});
