import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { View } from '../proto';
import { emptyPlan, planView, wishedHeight, type Plan, type Wanted } from './view-planner';
import { HIDE_DELAY, PAGE_HIDDEN_DELAY, SHOW_DELAY, ViewScheduler } from './view-scheduler';

const camera = (n: number, prio = 100, height = 180): Wanted => ({ track: `k${n}c`, kind: 'camera', height, prio });
const screen = (n: number): Wanted => ({ track: `k${n}s`, kind: 'screen', height: 1080, prio: 255 });
const where = (plan: Plan) => Object.fromEntries(plan.video.filter((h) => h.track).map((h) => [h.mid, h.track]));

describe('wished heights', () => {
  it('are rounded up to a step, with the pixel ratio counted up to 2', () => {
    expect(wishedHeight(0, 2)).toBe(0);
    expect(wishedHeight(80, 1)).toBe(90);
    expect(wishedHeight(92, 1)).toBe(180);
    expect(wishedHeight(180, 1)).toBe(180);
    expect(wishedHeight(180, 2)).toBe(360);
    expect(wishedHeight(180, 3)).toBe(360);
    expect(wishedHeight(700, 1)).toBe(720);
    expect(wishedHeight(5_000, 2)).toBe(2160);
  });
});

describe('the planner', () => {
  it('fills empty slots in order of importance', () => {
    const { wishes } = planView(emptyPlan(['9', '10'], ['18']), [camera(1, 10), camera(2, 200), camera(3, 100)]);
    expect(wishes.map((w) => w.src)).toEqual([{ k: 'k2c' }, { k: 'k3c' }]);
  });

  it('keeps every picture in its slot while it is shown', () => {
    let { plan } = planView(emptyPlan(['9', '10', '11'], []), [camera(1), camera(2), camera(3)]);
    const before = where(plan);
    ({ plan } = planView(plan, [camera(3, 200), camera(1), camera(4)]));
    const after = where(plan);
    for (const track of ['k1c', 'k3c']) {
      const mid = Object.keys(before).find((m) => before[m] === track);
      expect(mid && after[mid]).toBe(track);
    }
    expect(Object.values(after)).toContain('k4c');
  });

  it('turns a page within the slots it has', () => {
    let { plan, wishes } = planView(emptyPlan(['9', '10'], []), [camera(1), camera(2)]);
    ({ plan, wishes } = planView(plan, [camera(3), camera(4)]));
    expect(new Set(wishes.map((w) => (w.src as { k: string }).k))).toEqual(new Set(['k3c', 'k4c']));
  });

  it('prefers a slot that was never used, so that a picture that comes back finds its own', () => {
    let { plan, wishes } = planView(emptyPlan(['9', '10', '11'], []), [camera(1), camera(2)]);
    ({ plan } = planView(plan, [camera(2), camera(3)]));
    ({ plan, wishes } = planView(plan, [camera(1), camera(2), camera(3)]));
    expect(wishes.find((w) => (w.src as { k: string }).k === 'k1c')?.mid).toBe('9');
  });

  it('puts screens into screen slots only, and shows a track once', () => {
    const { wishes } = planView(emptyPlan(['9'], ['18']), [screen(1), camera(2), camera(2, 50)]);
    expect(wishes).toEqual([
      { mid: '9', src: { k: 'k2c' }, h: 180, prio: 50 },
      { mid: '18', src: { k: 'k1s' }, h: 1080, prio: 255 },
    ]);
  });

  it('wishes nothing for what is not visible', () => {
    expect(planView(emptyPlan(['9'], []), [camera(1, 1, 0)]).wishes).toEqual([]);
  });
});

describe('the scheduler', () => {
  let sent: View[];
  let scheduler: ViewScheduler;
  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    scheduler = new ViewScheduler((view) => sent.push(view));
    scheduler.setSlots(['9', '10'], ['18']);
    sent = [];
  });
  afterEach(() => {
    scheduler.stop();
    vi.useRealTimers();
  });
  const tracks = () => sent.at(-1)?.slots.map((s) => (s.src && 'k' in s.src ? s.src.k : null));

  it('sends one view for many changes, and none when nothing changed', () => {
    scheduler.setWanted([camera(1)]);
    scheduler.setWanted([camera(1), camera(2)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    expect(sent).toHaveLength(1);
    scheduler.setWanted([camera(2), camera(1)]);
    vi.advanceTimersByTime(1_000);
    expect(sent).toHaveLength(1);
  });

  it('keeps a picture that left for a moment, then gives it up', () => {
    scheduler.setWanted([camera(1), camera(2)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    scheduler.setWanted([camera(2)]);
    vi.advanceTimersByTime(HIDE_DELAY - 50);
    expect(tracks()).toContain('k1c');
    vi.advanceTimersByTime(200);
    expect(tracks()).toEqual(['k2c']);
  });

  it('gives the slots of a page that left to the page that came', () => {
    scheduler.setWanted([camera(1), camera(2)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    scheduler.setWanted([camera(3), camera(4)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    expect(new Set(tracks())).toEqual(new Set(['k3c', 'k4c']));
  });

  it('goes to hidden five seconds after the page, and comes back at once', () => {
    scheduler.setWanted([camera(1)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    scheduler.setPageHidden(true);
    vi.advanceTimersByTime(PAGE_HIDDEN_DELAY - 100);
    expect(sent.at(-1)?.mode).toBe('normal');
    vi.advanceTimersByTime(200);
    expect(sent.at(-1)?.mode).toBe('hidden');
    scheduler.setPageHidden(false);
    expect(sent.at(-1)?.mode).toBe('normal');
  });

  it('numbers its views upwards and repeats itself for a new session', () => {
    scheduler.setSaver(true);
    vi.advanceTimersByTime(SHOW_DELAY);
    scheduler.resend();
    expect(sent.map((v) => v.mode)).toEqual(['save', 'save']);
    expect(sent[1]!.rev).toBeGreaterThan(sent[0]!.rev);
  });

  it('starts afresh with the slots of a new peer connection', () => {
    scheduler.setWanted([camera(1)]);
    vi.advanceTimersByTime(SHOW_DELAY);
    scheduler.setSlots(['a', 'b'], ['c']);
    expect(sent.at(-1)?.slots).toEqual([{ mid: 'a', src: { k: 'k1c' }, h: 180, prio: 100 }]);
  });
});
