// How a room is arranged, as the surface sees it: what learners may do, who is shown to
// all, who has which role. What is so stands in `room.room` and in the people.
import type { ErrorCode, Permits, PersonId, Role } from '../core/proto';

type Done = Promise<ErrorCode | null>;

export interface ArrangeModel {
  permits(permits: Permits): Done;
  /** Shows a person large to everybody, or no longer; `full` when no place is left. */
  spotlight(who: PersonId, on: boolean): Done;
  clearSpotlight(): Done;
  role(who: PersonId, role: Role): Done;
  /** For whom somebody stands in, by name; empty = no longer. */
  substitute(who: PersonId, instead: string): Done;
}
