// Days, numbers and shares as people here write them, and what they type read back.
import { prefs } from './prefs.svelte';
import { date, time, ZONE } from './dates';

/** `2026-11-22` as `22/11/2026`; anything else as it is. */
export function dayText(day: string | null | undefined): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/u.exec(day ?? '');
  return found ? `${found[3]}/${found[2]}/${found[1]}` : (day ?? '');
}

function realDay(y: number, m: number, d: number): string | null {
  const made = new Date(Date.UTC(y, m - 1, d));
  if (y < 1900 || y > 2200 || made.getUTCMonth() !== m - 1 || made.getUTCDate() !== d) return null;
  return made.toISOString().slice(0, 10);
}

/** What was typed as a day: `22/11/2026`, `22-11-26`, `22112026`; `null` when it is none. */
export function readDay(text: string): string | null {
  const t = text.trim();
  const found = /^(\d{1,2})[\s/.-](\d{1,2})[\s/.-](\d{4}|\d{2})$/u.exec(t) ?? /^(\d{2})(\d{2})(\d{4})$/u.exec(t);
  if (!found) return null;
  const year = Number(found[3]);
  return realDay(found[3]?.length === 2 ? 2000 + year : year, Number(found[2]), Number(found[1]));
}

/** What was typed as a time: `8:05`, `8h05`, `8h`, `0805`; minutes of the day or `null`. */
export function readTime(text: string): number | null {
  const t = text.trim().toLowerCase();
  const found = /^(\d{1,2})\s*[:.hg]\s*(\d{1,2})?$/u.exec(t) ?? /^(\d{1,2})(\d{2})$/u.exec(t) ?? /^(\d{1,2})$/u.exec(t);
  if (!found) return null;
  const hours = Number(found[1]);
  const minutes = Number(found[2] ?? 0);
  return hours > 23 || minutes > 59 ? null : hours * 60 + minutes;
}

/** Minutes of the day as `08:05`. */
export function timeText(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** The day of a moment in the zone classes are planned in, `2026-11-22`. */
export function dayOf(ms: number): string {
  const [d, m, y] = date(ms).split('/');
  return `${y}-${m}-${d}`;
}

/** Minutes since midnight of a moment. */
export function minutesOf(ms: number): number {
  return readTime(time(ms)) ?? 0;
}

/** Offset of the zone from UTC at a moment, ms. */
function offset(ms: number, zone: string): number {
  const wall = `${dayIn(ms, zone)}T${time(ms, zone)}:00Z`;
  return Date.parse(wall) - Math.floor(ms / 60_000) * 60_000;
}

function dayIn(ms: number, zone: string): string {
  const [d, m, y] = date(ms, zone).split('/');
  return `${y}-${m}-${d}`;
}

/** A day and minutes of the day in the zone as a moment, ms. */
export function momentOf(day: string, minutes: number, zone = ZONE): number {
  const wall = Date.parse(`${day}T00:00:00Z`) + minutes * 60_000;
  const guess = wall - offset(wall, zone);
  return wall - offset(guess, zone);
}

/** A day so many days later. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Day of the week, 0 = Monday … 6 = Sunday. */
export function weekday(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
}

/** A number with the marks of the language: `1.234,5`. */
export function decimal(n: number, digits = 0): string {
  return new Intl.NumberFormat(prefs.lang === 'en' ? 'en-GB' : 'vi-VN', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(n);
}

/** 932 per mille as `93,2%`. */
export function permille(n: number): string {
  return `${decimal(n / 10, 1)}%`;
}

/** What was typed as a number: a comma or a point before the fraction; `null` when it is none. */
export function readNumber(text: string): number | null {
  const t = text.trim().replace(',', '.');
  return /^\d+(\.\d+)?$/u.test(t) ? Number(t) : null;
}

/** From–to on one day as `22/11/2026, 08:00–11:30`. */
export function spanText(from: number | null, to: number | null): string {
  if (from === null) return '';
  if (to === null) return `${date(from)}, ${time(from)}`;
  return date(from) === date(to)
    ? `${date(from)}, ${time(from)}–${time(to)}`
    : `${date(from)} ${time(from)} – ${date(to)} ${time(to)}`;
}
