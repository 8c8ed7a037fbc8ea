// Who stands in which column of the board of groups.
import type { Group, GroupNo, Person } from '../../../core/proto';
import { isStaff } from '../../../core/room/roster';

export interface Column {
  /** null = in no group. */
  group: Group | null;
  people: Person[];
  hands: number;
}

/** A column for those in no group, then one for each group; learners before staff. */
export function columns(groups: readonly Group[], people: readonly Person[]): Column[] {
  const by = new Map<GroupNo | null, Person[]>([[null, []], ...groups.map((g): [GroupNo, Person[]] => [g.n, []])]);
  for (const person of people) (by.get(person.group ?? null) ?? by.get(null))?.push(person);
  return [null, ...groups].map((group) => {
    const list = by.get(group?.n ?? null) ?? [];
    list.sort((x, y) => Number(isStaff(x.role)) - Number(isStaff(y.role)));
    return { group, people: list, hands: list.filter((p) => p.hand !== undefined).length };
  });
}
