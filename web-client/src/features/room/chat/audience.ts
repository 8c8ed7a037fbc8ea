// To whom a message goes, in words.
import type { Action, Audience, ChatEntry, PersonId } from '../../../core/proto';
import { w } from '../../../i18n/talk.svelte';

export type ChatFilter = 'every' | 'open' | 'direct';

export const isAll = (to: Audience | undefined): boolean => to === undefined || to === 'all';

/** Whether one may write to them now; `staff` tells whether a person is one of those who lead. */
export function mayWrite(to: Audience, perms: ReadonlySet<Action>, staff: (who: PersonId) => boolean): boolean {
  if (to === 'all') return perms.has('chat');
  // The lines to those who organise, help and lead stay open, and so does the own group.
  return typeof to !== 'object' || perms.has('chatPrivate') || staff(to.person);
}

/** A name for them; `name` tells the name of a person. */
export function audienceText(to: Audience, name: (who: PersonId) => string): string {
  if (typeof to === 'object') return name(to.person);
  switch (to) {
    case 'organisers':
      return w('chat.organisers');
    case 'support':
      return w('chat.support');
    case 'group':
      return w('chat.group');
    default:
      return w('chat.all');
  }
}

/** Whom one writes to when replying to a message. */
export function replyTo(m: ChatEntry, self: PersonId): Audience {
  if (m.to === 'group') return 'group';
  if (m.from !== self) return { person: m.from };
  return m.to ?? 'all';
}

export function sameAudience(a: Audience, b: Audience): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a.person === b.person : a === b;
}

export function matchesFilter(m: { to?: Audience }, filter: ChatFilter): boolean {
  return filter === 'every' || (filter === 'open') === isAll(m.to);
}

/** The last message that passes the test. */
export function lastOf(list: readonly ChatEntry[], test: (m: ChatEntry) => boolean): ChatEntry | undefined {
  for (let n = list.length - 1; n >= 0; n -= 1) {
    const m = list[n];
    if (m && test(m)) return m;
  }
  return undefined;
}
