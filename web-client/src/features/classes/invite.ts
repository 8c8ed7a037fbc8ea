// The invitation to a session as text, for Zalo and e-mail.
import type { Class, JoinLink, Session } from '../../core/records/gen';
import { r } from '../../i18n/records.svelte';
import { spanText } from '../../ui/formats';

export function invitation(cls: Class, session: Session, guestLink: string | null): string {
  return [
    r('invite.hello'),
    `“${cls.title}”`,
    `${r('sessions.no', String(session.no))}: ${session.title}`,
    ...(session.startsMs === null ? [] : [r('invite.when', spanText(session.startsMs, session.endsMs))]),
    ...(session.rehearsalMin > 0 ? [r('invite.rehearse', String(session.rehearsalMin))] : []),
    ...(session.place ? [r('invite.place', session.place)] : []),
    r('invite.host', cls.hostName),
    guestLink === null ? r('invite.ownLink') : r('invite.link', guestLink),
  ].join('\n');
}

/** Personal links as a table that spreadsheets take when pasted. */
export function linkTable(links: readonly JoinLink[]): string {
  const cell = (text: string) => text.replaceAll(/[\t\n\r]+/gu, ' ');
  return links
    .filter((one) => one.person !== null)
    .map((one) => [one.name, one.unit, one.url].map(cell).join('\t'))
    .join('\n');
}
