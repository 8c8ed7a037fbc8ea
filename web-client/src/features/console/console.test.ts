// Words and order of the technicians' console.
import { describe, expect, it } from 'vitest';
import type { SiteLine } from '../../core/records/gen';
import { atMinutes, meter, minutesOf, needFirst } from './words';

const line = (name: string, more: Partial<SiteLine> = {}): SiteLine => ({
  site: name,
  name,
  unit: '',
  link: 'here',
  sinceMs: 1,
  heardMs: 1,
  mic: false,
  camera: false,
  level: null,
  rung: null,
  lossPermille: null,
  rttMs: null,
  kbps: null,
  hall: 0,
  preflight: null,
  ...more,
});

describe('sites', () => {
  it('that are lost stand first, then those with a weak link, the rest by name', () => {
    const list = [
      line('A'),
      line('B', { link: 'away' }),
      line('C', { rung: 'sound' }),
      line('D', { link: 'lost' }),
      line('E', { lossPermille: 90 }),
    ];
    expect(needFirst(list).map((one) => one.name)).toEqual(['D', 'C', 'E', 'A', 'B']);
  });

  it('are heard on a meter', () => {
    expect([null, 127, 60, 35, 10, 0].map(meter)).toEqual([0, 0, 0, 0.5, 1, 1]);
  });
});

describe('hours of duty', () => {
  it('are of the day of the session, in Vietnam', () => {
    // 23:30 of the 21st by UTC is 06:30 of the 22nd there.
    const near = Date.UTC(2026, 10, 21, 23, 30);
    const at = atMinutes(7 * 60 + 30, near);
    expect(at).toBe(Date.UTC(2026, 10, 22, 0, 30));
    expect(minutesOf(at)).toBe(7 * 60 + 30);
    expect([atMinutes(null, near), minutesOf(null)]).toEqual([null, null]);
  });
});
