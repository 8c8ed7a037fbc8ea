// Weeks as people here count them: Monday first.
import type { CalendarEntry } from '../../core/records/api';
import { addDays, dayOf, weekday } from '../../ui/formats';

export const DAYS = ['day.0', 'day.1', 'day.2', 'day.3', 'day.4', 'day.5', 'day.6'] as const;

/** Monday of the week of a day. */
export const mondayOf = (day: string): string => addDays(day, -weekday(day));

export interface DayOf<T> {
  day: string;
  entries: T[];
}

/** The seven days from a Monday, each with its sessions in order of time. */
export function weekOf(monday: string, entries: readonly CalendarEntry[]): DayOf<CalendarEntry>[] {
  return Array.from({ length: 7 }, (_, n) => {
    const day = addDays(monday, n);
    return {
      day,
      entries: entries
        .filter((one) => one.session.startsMs !== null && dayOf(one.session.startsMs) === day)
        .sort((a, b) => (a.session.startsMs ?? 0) - (b.session.startsMs ?? 0)),
    };
  });
}
