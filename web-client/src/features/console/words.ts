// Values of the incident log in words.
import type { IncidentKind, IncidentSeverity, IncidentState, RecorderState, SiteLine } from '../../core/records/gen';
import type { Tone } from '../../i18n/records-terms';
import type { RecordsKey } from '../../i18n/records.svelte';

export const KIND = {
  link: 'incident.link',
  sound: 'incident.sound',
  picture: 'incident.picture',
  content: 'incident.content',
  account: 'incident.account',
  hall: 'incident.hall',
  other: 'incident.other',
} as const satisfies Record<IncidentKind, RecordsKey>;

export const SEVERITY = {
  low: 'incident.low',
  medium: 'incident.medium',
  high: 'incident.high',
} as const satisfies Record<IncidentSeverity, RecordsKey>;

export const STATE = {
  open: ['incident.open', 'red'],
  handling: ['incident.handling', 'amber'],
  solved: ['incident.solved', 'green'],
} as const satisfies Record<IncidentState, readonly [RecordsKey, Tone]>;

export const LINK = {
  here: ['console.here', 'green'],
  lost: ['console.lost', 'red'],
  away: ['console.away', 'grey'],
} as const satisfies Record<SiteLine['link'], readonly [RecordsKey, Tone]>;

export const RECORDER = {
  off: ['recorder.off', 'grey'],
  external: ['recorder.external', 'grey'],
  starting: ['recorder.starting', 'amber'],
  on: ['recorder.on', 'green'],
  paused: ['recorder.paused', 'amber'],
  failed: ['recorder.failed', 'red'],
} as const satisfies Record<RecorderState, readonly [RecordsKey, Tone]>;

/** −dBov as a part of a full meter: −10 and louder is full, −60 is nothing. */
export function meter(level: number | null): number {
  if (level === null) return 0;
  return Math.min(1, Math.max(0, (60 - level) / 50));
}

/** Sites that need somebody first; the order of names stays within. */
export function needFirst(list: readonly SiteLine[]): SiteLine[] {
  const rank = (one: SiteLine) => (one.link === 'lost' ? 0 : one.link === 'here' && weak(one) ? 1 : 2);
  return [...list].sort((a, b) => rank(a) - rank(b));
}

/** Gets less than everything because of its link, or loses much. */
export function weak(one: SiteLine): boolean {
  return one.rung !== null || (one.lossPermille ?? 0) >= 80 || (one.rttMs ?? 0) >= 800;
}

const DAY = 86_400_000;
const OFFSET = 7 * 3_600_000;

/** Minutes of the day, there, to a moment on the day of `near`, and back. */
export function atMinutes(minutes: number | null, near: number): number | null {
  if (minutes === null) return null;
  return Math.floor((near + OFFSET) / DAY) * DAY - OFFSET + minutes * 60_000;
}
export function minutesOf(ms: number | null): number | null {
  return ms === null ? null : Math.floor(((((ms + OFFSET) % DAY) + DAY) % DAY) / 60_000);
}
