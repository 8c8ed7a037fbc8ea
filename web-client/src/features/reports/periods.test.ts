import { describe, expect, test } from 'vitest';
import { chosenIn, nextPreset, schoolYear } from './periods';

describe('reporting periods', () => {
  test('a school year begins on 16 June', () => {
    expect(schoolYear('2026-06-15')).toBe(2025);
    expect(schoolYear('2026-06-16')).toBe(2026);
    expect(schoolYear('2027-01-30')).toBe(2026);
  });

  test('the report due next', () => {
    expect(nextPreset('2026-06-16')).toBe('yearBegin');
    expect(nextPreset('2026-09-30')).toBe('yearBegin');
    expect(nextPreset('2026-10-01')).toBe('midYear');
    expect(nextPreset('2027-01-30')).toBe('midYear');
    expect(nextPreset('2027-01-31')).toBe('yearEnd');
    expect(nextPreset('2027-06-15')).toBe('yearEnd');
  });

  test('an address names a preset or two days, and wrong words count as none', () => {
    const of = (text: string) => chosenIn(new URLSearchParams(text), '2026-11-22');
    expect(of('')).toEqual({ preset: 'midYear', year: 2026, from: null, to: null });
    expect(of('preset=yearEnd&year=2025')).toMatchObject({ preset: 'yearEnd', year: 2025 });
    expect(of('preset=x&year=1')).toMatchObject({ preset: 'midYear', year: 2026 });
    expect(of('from=2026-01-01&to=2026-02-01')).toMatchObject({ preset: null, from: '2026-01-01' });
  });
});
