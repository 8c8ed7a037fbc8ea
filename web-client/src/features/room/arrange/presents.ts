// Who is on stage now, for sparing him when all are muted.
import type { Person, PersonId } from '../../../core/proto';

/** Has the floor, shares a screen, or is shown to all. */
export function presents(person: Person, spotlight: readonly PersonId[]): boolean {
  return (
    person.floor === true ||
    spotlight.includes(person.id) ||
    person.tracks.some((track) => track.kind === 'screen' && track.st === 'live')
  );
}
