// Who may answer a poll, as far as one's own page can tell; the server decides.
import type { Poll } from '../../../core/proto';
import type { RoomModel } from '../../../state/contract';

/** A vote by site is for those who stand for one and for those who preside; an inspector only watches. */
export function mayAnswer(room: RoomModel, poll: Poll): boolean {
  const { role, person } = room.me;
  if (role === 'inspector') return false;
  if (!poll.draft.bySite || role === 'organiser' || role === 'chair') return true;
  const me = room.people.find((p) => p.id === person);
  return me === undefined || me.site !== undefined;
}

/** Whether a poll asks this person: who holds polls is asked in votes only. */
export function isAsked(room: RoomModel, poll: Poll): boolean {
  return mayAnswer(room, poll) && (!room.me.perms.has('poll') || poll.draft.kind === 'vote');
}
