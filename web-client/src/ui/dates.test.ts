import { describe, expect, it } from 'vitest';
import { clock, date, dateTime, exactTime, time } from './dates';

describe('dates', () => {
  const moment = Date.UTC(2026, 10, 21, 17, 5);

  it('are written day first with a full year, in the time of Việt Nam wherever the machine stands', () => {
    expect(date(moment)).toBe('22/11/2026');
    expect(time(moment)).toBe('00:05');
    expect(exactTime(moment + 7_000)).toBe('00:05:07');
    expect(dateTime(moment)).toBe('22/11/2026 00:05');
  });

  it('follow another zone when one is named', () => {
    expect(dateTime(moment, 'UTC')).toBe('21/11/2026 17:05');
  });

  it('count a running clock', () => {
    expect(clock(-5)).toBe('0:00');
    expect(clock(247_900)).toBe('4:07');
    expect(clock(3_753_000)).toBe('1:02:33');
  });
});
