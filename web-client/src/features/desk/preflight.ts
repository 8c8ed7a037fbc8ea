// What the checks of the sites say, for the live desk.
import type { CheckPart, SitePreflight } from '../../core/records/gen';
import { r, type RecordsKey } from '../../i18n/records.svelte';
import { dateTime, time } from '../../ui/dates';

export const PART = {
  browser: 'preflight.partBrowser',
  websocket: 'preflight.partWebsocket',
  network: 'preflight.partNetwork',
  camera: 'preflight.partCamera',
  microphone: 'preflight.partMicrophone',
  speaker: 'preflight.partSpeaker',
} as const satisfies Record<CheckPart, RecordsKey>;

export type SiteTone = 'grey' | 'green' | 'amber' | 'red';

/** The clock alone while it is the same day. */
export function moment(atMs: number, nowMs: number): string {
  const same = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  return same ? time(atMs) : dateTime(atMs);
}

/** The state of a site in words. */
export function siteState(one: SitePreflight, nowMs: number): { tone: SiteTone; text: string } {
  const { last } = one;
  if (last === null) return { tone: 'grey', text: r('preflight.notYet') };
  const at = moment(last.atMs, nowMs);
  switch (last.verdict) {
    case 'passed':
      return { tone: 'green', text: r('preflight.passed', at) };
    case 'passedTcp':
      return { tone: 'amber', text: r('preflight.passedTcp', at) };
    case 'passedTurn':
      return { tone: 'amber', text: r('preflight.passedTurn', at) };
    case 'fault': {
      const parts = last.faults.map((part) => r(PART[part]));
      return { tone: 'red', text: r('preflight.fault', parts.join(', '), at) };
    }
  }
}

const FIRST: Record<SiteTone, number> = { red: 0, grey: 1, amber: 2, green: 3 };

/** What needs somebody first on top; the order of names stays within. */
export function inOrder(list: readonly SitePreflight[], nowMs: number): SitePreflight[] {
  return [...list].sort((a, b) => FIRST[siteState(a, nowMs).tone] - FIRST[siteState(b, nowMs).tone]);
}
