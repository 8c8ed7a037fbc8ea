// Reporting periods of the sector: from 16 June to 30/9, 30/01 or 15/6.
import type { ReportPreset, ReportQuery } from '../../core/records/gen';

export const PRESETS = ['yearBegin', 'midYear', 'yearEnd'] as const satisfies readonly ReportPreset[];

/** First year of the school year a day is in; it begins on 16 June. */
export function schoolYear(day: string): number {
  const year = Number(day.slice(0, 4));
  return day.slice(5) >= '06-16' ? year : year - 1;
}

/** The report that is due next on a day. */
export function nextPreset(day: string): ReportPreset {
  const rest = day.slice(5);
  if (rest >= '06-16' && rest <= '09-30') return 'yearBegin';
  return rest > '09-30' || rest <= '01-30' ? 'midYear' : 'yearEnd';
}

export type Chosen = Pick<ReportQuery, 'preset' | 'year' | 'from' | 'to'>;

const DAY = /^\d{4}-\d{2}-\d{2}$/u;

/** What an address asks for; the report due next when it names nothing. */
export function chosenIn(query: URLSearchParams, today: string): Chosen {
  const [from, to] = [query.get('from') ?? '', query.get('to') ?? ''];
  if (DAY.test(from) && DAY.test(to)) return { preset: null, year: null, from, to };
  const preset = PRESETS.find((one) => one === query.get('preset')) ?? nextPreset(today);
  const year = Number(query.get('year'));
  const sound = Number.isInteger(year) && year >= 2000 && year < 2100;
  return { preset, year: sound ? year : schoolYear(today), from: null, to: null };
}
