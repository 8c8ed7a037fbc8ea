import { describe, expect, it } from 'vitest';
import {
  addDays,
  dayOf,
  dayText,
  decimal,
  momentOf,
  permille,
  readDay,
  readNumber,
  readTime,
  spanText,
  timeText,
  weekday,
} from './formats';

describe('days', () => {
  it('are written day first and read back however they were typed', () => {
    expect(dayText('2026-11-22')).toBe('22/11/2026');
    expect(dayText(null)).toBe('');
    for (const typed of ['22/11/2026', '22-11-26', ' 22.11.2026', '22112026', '22 11 2026']) {
      expect(readDay(typed), typed).toBe('2026-11-22');
    }
    expect(readDay('1/2/2026')).toBe('2026-02-01');
  });

  it('that do not exist are refused', () => {
    for (const typed of ['31/02/2026', '11/22/2026', '2026-11-22', 'hôm nay', '', '1/1/0001']) {
      expect(readDay(typed), typed).toBeNull();
    }
  });

  it('begin on Monday', () => {
    expect(weekday('2026-11-16')).toBe(0);
    expect(weekday('2026-11-22')).toBe(6);
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  });
});

describe('times', () => {
  it('have 24 hours and are read however they were typed', () => {
    expect(timeText(485)).toBe('08:05');
    for (const typed of ['8:05', '08:05', '8h05', '0805', '805', '8.05', '8 h 05']) {
      expect(readTime(typed), typed).toBe(485);
    }
    expect(readTime('8h')).toBe(480);
    expect(readTime('13')).toBe(780);
    for (const typed of ['24:00', '8:60', 'sáng', '']) expect(readTime(typed), typed).toBeNull();
  });

  it('are moments in the time of Việt Nam', () => {
    const moment = momentOf('2026-11-22', 485);
    expect(new Date(moment).toISOString()).toBe('2026-11-22T01:05:00.000Z');
    expect(dayOf(moment)).toBe('2026-11-22');
    expect(dayOf(momentOf('2026-11-22', 0))).toBe('2026-11-22');
  });

  it('of a session stand behind its day', () => {
    const from = momentOf('2026-11-22', 480);
    expect(spanText(from, from + 3.5 * 3_600_000)).toBe('22/11/2026, 08:00–11:30');
    expect(spanText(from, null)).toBe('22/11/2026, 08:00');
    expect(spanText(from, from + 86_400_000)).toBe('22/11/2026 08:00 – 23/11/2026 08:00');
  });

  it('of another zone follow its summer time', () => {
    expect(new Date(momentOf('2026-07-01', 480, 'Europe/Paris')).toISOString()).toBe('2026-07-01T06:00:00.000Z');
    expect(new Date(momentOf('2026-12-01', 480, 'Europe/Paris')).toISOString()).toBe('2026-12-01T07:00:00.000Z');
  });
});

describe('numbers', () => {
  it('have a comma before the fraction and points between thousands', () => {
    expect(decimal(12_345)).toBe('12.345');
    expect(permille(932)).toBe('93,2%');
    expect(readNumber('93,5')).toBe(93.5);
    expect(readNumber('1.5')).toBe(1.5);
    expect(readNumber('-1')).toBeNull();
    expect(readNumber('1,2,3')).toBeNull();
  });
});
