import { describe, expect, it, vi } from 'vitest';
import type { AttendancePage, Interval, Row, Window } from '../../core/records/gen';
import type { Result } from '../../core/records/http';
import {
  chosenRows,
  filterCounts,
  inFilter,
  isGuest,
  isLearner,
  joined,
  markOf,
  minutesOf,
  rowNumbers,
} from './attendance';
import { Desk, EVERY, HIDDEN, waitOf } from './attendance-desk.svelte';
import { barsOf, edgesOf, pieceOf, scaleOf, shadesOf, ticksOf } from './attendance-time';

const T = Date.parse('2026-11-22T08:00:00+07:00');
const MIN = 60_000;
const window = (over: Partial<Window> = {}): Window => ({
  fromMs: T,
  toMs: T + 100 * MIN,
  counted: [{ fromMs: T, toMs: T + 100 * MIN }],
  breaks: [],
  outages: [],
  countedMs: 100 * MIN,
  ...over,
});
const online = (from: number, to: number): Interval => ({ fromMs: T + from * MIN, toMs: T + to * MIN, kind: 'online' });
const plan = { startsMs: T, endsMs: T + 100 * MIN };

let n = 0;
function row(over: Partial<Row> = {}): Row {
  const stands = {
    status: 'online',
    presentMs: 60 * MIN,
    permille: 600,
    late: false,
    early: false,
    enough: false,
  } as const;
  return {
    person: `p${++n}`,
    name: 'Nguyễn Thị Hằng',
    role: 'learner',
    expected: true,
    isSite: false,
    intervals: [online(0, 60)],
    entries: 1,
    gaps: 0,
    here: false,
    checks: [0, 0],
    auto: stands,
    stands,
    adjusted: [],
    ...over,
  };
}
const absent = { status: 'absent', presentMs: 0, permille: 0, late: false, early: false, enough: false } as const;

describe('the line of a session', () => {
  it('reaches a little over both ends', () => {
    const scale = scaleOf(window(), plan, T)!;
    expect(scale.fromMs).toBe(T - 4 * MIN);
    expect(scale.toMs).toBe(T + 104 * MIN);
  });

  it('reaches to the planned end while the session goes on, and further when it runs over', () => {
    const open = window({ toMs: 0 });
    delete (open as Partial<Window>).toMs;
    expect(scaleOf(open, plan, T + 10 * MIN)!.toMs).toBe(T + 104 * MIN);
    expect(scaleOf(open, plan, T + 200 * MIN)!.toMs).toBe(T + 208 * MIN);
  });

  it('goes by the intervals when nothing was planned, and is missing without any', () => {
    const none: Window = { counted: [], breaks: [], outages: [], countedMs: 0 };
    const free = { startsMs: null, endsMs: null };
    expect(scaleOf(none, free, T)).toBeNull();
    const scale = scaleOf(none, free, T, [row({ intervals: [online(10, 60)] })])!;
    expect(scale.fromMs).toBeLessThan(T + 10 * MIN);
    expect(scale.toMs).toBeGreaterThan(T + 60 * MIN);
  });

  it('never makes a moment as long as a lesson', () => {
    const scale = scaleOf(window({ toMs: T + 1000 }), plan, T)!;
    expect(scale.toMs - scale.fromMs).toBeGreaterThanOrEqual(10 * MIN);
  });

  it('places intervals to scale, cuts them at its ends and leaves out the rest', () => {
    const scale = { fromMs: T, toMs: T + 100 * MIN };
    expect(barsOf([online(25, 75)], scale)).toMatchObject([{ left: 25, width: 50, cut: false }]);
    expect(barsOf([online(-50, 10), online(90, 150)], scale)).toMatchObject([
      { left: 0, width: 10, cut: true },
      { left: 90, width: 10, cut: true },
    ]);
    expect(barsOf([online(-20, -10), online(101, 120)], scale)).toEqual([]);
  });

  it('shows a second too, and inside the line', () => {
    const scale = { fromMs: T, toMs: T + 100 * MIN };
    const [bar] = barsOf([{ ...online(100, 100), fromMs: T + 100 * MIN - 1000 }], scale);
    expect(bar!.width).toBe(0.5);
    expect(bar!.left + bar!.width).toBeLessThanOrEqual(100);
  });

  it('takes nothing for a piece whose end is before its beginning', () => {
    expect(pieceOf(T + MIN, T, { fromMs: T, toMs: T + 100 * MIN })).toBeNull();
  });

  it('shades what does not count, a break only as a break', () => {
    const scale = scaleOf(window(), plan, T)!;
    const shades = shadesOf(
      window({
        counted: [
          { fromMs: T, toMs: T + 40 * MIN },
          { fromMs: T + 50 * MIN, toMs: T + 70 * MIN },
          { fromMs: T + 75 * MIN, toMs: T + 100 * MIN },
        ],
        breaks: [{ fromMs: T + 40 * MIN, toMs: T + 50 * MIN }],
        outages: [{ fromMs: T + 70 * MIN, toMs: T + 75 * MIN }],
      }),
      scale,
    );
    expect(shades.map((one) => one.kind)).toEqual(['outside', 'outside', 'break', 'outage']);
  });

  it('shades the time between the two windows of a session opened again', () => {
    const shades = shadesOf(
      window({
        counted: [
          { fromMs: T, toMs: T + 40 * MIN },
          { fromMs: T + 60 * MIN, toMs: T + 100 * MIN },
        ],
      }),
      scaleOf(window(), plan, T)!,
    );
    expect(shades.filter((one) => one.kind === 'outside')).toHaveLength(3);
  });

  it('marks beginning and end, or now while it goes on', () => {
    const scale = scaleOf(window(), plan, T)!;
    expect(edgesOf(window(), scale, T).map((one) => one.kind)).toEqual(['start', 'end']);
    const open = window();
    delete open.toMs;
    expect(edgesOf(open, scale, T + 30 * MIN).map((one) => one.kind)).toEqual(['start', 'now']);
  });

  it('has round times of the clock here, not too many', () => {
    const ticks = ticksOf({ fromMs: T - 8 * MIN, toMs: T + 218 * MIN });
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks[0]).toMatchObject({ ms: T });
    expect(ticks[1]!.ms - ticks[0]!.ms).toBe(60 * MIN);
    const long = ticksOf({ fromMs: T, toMs: T + 20 * 60 * MIN }, 6);
    expect(new Date(long[0]!.ms + 7 * 3_600_000).getUTCMinutes()).toBe(0);
  });
});

describe('rows of a sheet', () => {
  const rows = [
    row({ name: 'Đặng Thị Ái', unit: 'Trường THCS Nguyễn Du' }),
    row({ name: 'Nguyễn Thị Hằng', unit: 'Trường Mầm non Hoa Sen', stands: { ...row().stands, late: true } }),
    row({ name: 'Lê Hạ', unit: 'Trường Mầm non Hoa Sen', stands: { ...absent, status: 'excused' }, intervals: [] }),
    row({ name: 'Khách', expected: false, role: 'guest' }),
    row({ name: 'Người dạy', expected: false, role: 'trainer' }),
    row({ name: 'Điểm cầu Tả Gia Khâu', isSite: true }),
    row({ name: 'Chỉ ở phòng chờ', expected: false, role: 'guest', intervals: [], stands: absent }),
  ];

  it('count staff and sites nowhere, and guests only when they were there', () => {
    expect(rows.filter(isLearner)).toHaveLength(3);
    expect(rows.filter(isGuest)).toHaveLength(1);
    expect(filterCounts(rows)).toEqual({ all: 4, present: 2, late: 1, early: 0, absent: 1, guests: 1, staff: 1 });
    expect(inFilter(rows[5]!, 'all')).toBe(false);
  });

  it('are found without marks, by name, unit and identifier', () => {
    const all = { filter: 'all', q: '', order: 'name', unit: null } as const;
    const notes = {
      [rows[0]!.person]: { identifier: '1500000042', position: '', phone: '', substitute: '', site: false },
    };
    const names = (q: string) => chosenRows(rows, notes, { ...all, q }).map((one) => one.name);
    expect(names('nguyen thi hang')).toEqual(['Nguyễn Thị Hằng']);
    expect(names('dang ai')).toEqual(['Đặng Thị Ái']);
    expect(names('mam non')).toEqual(['Nguyễn Thị Hằng', 'Lê Hạ']);
    expect(names('0042')).toEqual(['Đặng Thị Ái']);
    expect(names('không có')).toEqual([]);
  });

  it('stand by unit with the order of names inside', () => {
    const found = chosenRows(rows, {}, { filter: 'all', q: '', order: 'unit', unit: null });
    expect(found.map((one) => one.name)).toEqual(['Khách', 'Nguyễn Thị Hằng', 'Lê Hạ', 'Đặng Thị Ái']);
    const one = chosenRows(rows, {}, { filter: 'all', q: '', order: 'name', unit: 'Trường THCS Nguyễn Du' });
    expect(one.map((r) => r.name)).toEqual(['Đặng Thị Ái']);
  });

  it('are numbered as on the sheet: guests begin at one again', () => {
    const numbers = rowNumbers(rows);
    expect(rows.map((one) => numbers.get(one.person))).toEqual([1, 2, 3, 1, 2, undefined, 3]);
  });

  it('have minutes rounded half up', () => {
    expect([0, 29_999, 30_000, 89_999, 90_000].map(minutesOf)).toEqual([0, 0, 1, 1, 2]);
  });

  it('have the marks of the printed sheet', () => {
    const mark = (status: Row['stands']['status'], late = false, early = false) => markOf({ status, late, early });
    expect([
      mark('online'),
      mark('atSite', true),
      mark('inPerson', false, true),
      mark('online', true, true),
      mark('excused'),
      mark('absent'),
      mark('notTaken'),
    ]).toEqual(['x', 'M', 'S', 'MS', 'P', 'K', '']);
  });

  it('join intervals of two devices', () => {
    expect(joined([online(0, 10), online(5, 20), online(30, 40)])).toHaveLength(2);
  });
});

describe('the live desk', () => {
  it('asks every two seconds, seldom while hidden, more seldom without an answer', () => {
    expect(waitOf(0, false)).toBe(EVERY);
    expect(waitOf(0, true)).toBe(HIDDEN);
    expect(waitOf(1, false)).toBe(2 * EVERY);
    expect(waitOf(9, false)).toBe(30_000);
    expect(waitOf(1, false, 60_000)).toBe(60_000);
  });

  it('keeps the last answer beside an error, and stops asking for what is not there', async () => {
    vi.useFakeTimers();
    const answers: Result<AttendancePage>[] = [
      { ok: true, value: { connections: 3 } as AttendancePage },
      { ok: false, error: { code: 'network', status: 0 } },
      { ok: false, error: { code: 'forbidden', status: 403 } },
    ];
    let asked = 0;
    const desk = new Desk({ ask: async () => answers[asked++]!, hidden: () => false });
    const stop = desk.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.page?.connections).toBe(3);
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(desk.error?.code).toBe('network');
    expect(desk.page?.connections).toBe(3);
    await vi.advanceTimersByTimeAsync(2 * EVERY);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(asked).toBe(3);
    stop();
    vi.useRealTimers();
  });

  it('asks no more once it is left', async () => {
    vi.useFakeTimers();
    let asked = 0;
    const desk = new Desk({
      ask: async () => {
        asked++;
        return { ok: true, value: {} as AttendancePage };
      },
      hidden: () => false,
    });
    const stop = desk.start();
    await vi.advanceTimersByTimeAsync(0);
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    vi.useRealTimers();
  });
});
