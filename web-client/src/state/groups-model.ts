// Breakout groups as the surface sees them.
import type { ErrorCode, Group, GroupBy, GroupNo, Groups, Person, PersonId } from '../core/proto';

type Done = Promise<ErrorCode | null>;

export interface GroupsModel {
  /** The groups of the room; null = there are none. */
  readonly now: Groups | null;
  /** The group one is in; null = the whole room. */
  readonly mine: Group | null;
  /** What was said to all groups last, until it is put away. */
  readonly said: { text: string; by: string } | null;
  hush(): void;
  /** Whether the person is heard and seen here: everybody, or one's own group while groups are open. */
  sees(person: Person): boolean;
  /** Name of a group; empty for one that is no more. */
  nameOf(group: GroupNo): string;
  make(names: readonly string[], by: GroupBy): Done;
  move(moves: readonly [PersonId, GroupNo | null][]): Done;
  open(minutes: number | null): Done;
  close(): Done;
  say(text: string): Done;
  /** Goes to a group oneself; null = the whole room. */
  pick(group: GroupNo | null): Done;
}
