// Breakout groups. Whoever changes the group keeps link, connection and devices: what
// changes is whom one hears and sees, and that is what these stores tell the stage.
import type { ClientFrame, ErrorCode, Group, GroupBy, GroupNo, Groups, Person, PersonId } from '../core/proto';
import type { GroupsModel } from './groups-model';
import type { Notices } from './notices.svelte';

export interface GroupsDeps {
  act(msg: ClientFrame): Promise<ErrorCode | null>;
  notices: Notices;
  self(): PersonId;
}

export class GroupStore implements GroupsModel {
  now = $state.raw<Groups | null>(null);
  said = $state.raw<GroupsModel['said']>(null);
  #mine = $state<GroupNo | null>(null);
  readonly #deps: GroupsDeps;
  /** Nothing is told about what was so before one came in. */
  #settled = false;
  /** One was in a group when something was told last. */
  #was = false;
  /** The next change of the own group was one's own wish. */
  #picked = false;

  constructor(deps: GroupsDeps, mine: GroupNo | undefined) {
    this.#deps = deps;
    this.#mine = mine ?? null;
  }

  get mine(): Group | null {
    return this.now?.list.find((group) => group.n === this.#mine) ?? null;
  }

  nameOf(group: GroupNo): string {
    return this.now?.list.find((g) => g.n === group)?.name ?? '';
  }

  sees(person: Person): boolean {
    if (!this.now?.open || person.id === this.#deps.self()) return true;
    return (person.group ?? null) === this.#mine;
  }

  // ---- what comes from the server

  /** Own group, with `you`. True when other people are seen now. */
  setMine(group: GroupNo | undefined): boolean {
    const next = group ?? null;
    if (next === this.#mine) return false;
    this.#mine = next;
    this.#tellMine();
    return this.now?.open === true;
  }

  /** The groups, with `state` and `groups`. */
  set(groups: Groups | undefined): void {
    const before = this.now;
    this.now = groups ?? null;
    const first = !this.#settled;
    this.#settled = true;
    if (first) {
      this.#tellMine();
      return;
    }
    if (groups?.open && !before?.open) this.#tellMine();
    if (before?.open && !groups?.open) {
      this.said = null;
      this.#was = false;
      this.#deps.notices.add('groupsOver');
    }
  }

  #tellMine(): void {
    if (!this.#settled || !this.now?.open) return;
    const { mine } = this;
    if (mine) this.#deps.notices.add(this.#picked ? 'groupEntered' : 'grouped', { text: mine.name });
    else if (this.#mine === null && this.#was) this.#deps.notices.add('ungrouped');
    this.#was = mine !== null;
    this.#picked = false;
  }

  heard(said: { text: string; by: string }): void {
    this.said = said;
  }

  hush(): void {
    this.said = null;
  }

  // ---- what people do

  make(names: readonly string[], by: GroupBy): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'groupsMake', names: [...names], by });
  }
  move(moves: readonly [PersonId, GroupNo | null][]): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'groupsMove', moves: [...moves] });
  }
  open(minutes: number | null): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'groupsOpen', ...(minutes !== null && { minutes }) });
  }
  close(): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'groupsClose' });
  }
  say(text: string): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'groupsSay', text });
  }
  async pick(group: GroupNo | null): Promise<ErrorCode | null> {
    this.#picked = true;
    const code = await this.#deps.act({ t: 'groupPick', ...(group !== null && { group }) });
    if (code !== null) this.#picked = false;
    return code;
  }
}
