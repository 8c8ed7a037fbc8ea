// Breakout groups of the room of made-up people: everything happens at once and in place.
import type { GroupBy, GroupNo, Groups, Person, PersonId } from '../core/proto';
import type { GroupsModel } from './groups-model';

export interface FixtureGroupsDeps {
  people(): Person[];
  assign(who: PersonId, group: GroupNo | null): void;
  self(): PersonId;
  now(): number;
}

export class FixtureGroups implements GroupsModel {
  #groups = $state.raw<Groups | null>(null);
  said = $state.raw<GroupsModel['said']>(null);
  readonly #deps: FixtureGroupsDeps;

  constructor(deps: FixtureGroupsDeps) {
    this.#deps = deps;
  }

  get now(): Groups | null {
    const groups = this.#groups;
    if (!groups) return null;
    const people = this.#deps.people();
    return {
      ...groups,
      list: groups.list.map((g) => ({ ...g, people: people.filter((p) => p.group === g.n).length })),
    };
  }
  get mine() {
    const mine = this.#deps.people().find((p) => p.id === this.#deps.self())?.group;
    return this.now?.list.find((g) => g.n === mine) ?? null;
  }
  nameOf(group: GroupNo): string {
    return this.#groups?.list.find((g) => g.n === group)?.name ?? '';
  }
  sees(person: Person): boolean {
    const self = this.#deps.self();
    const mine = this.#deps.people().find((p) => p.id === self)?.group;
    return !this.#groups?.open || person.id === self || person.group === mine;
  }
  hush(): void {
    this.said = null;
  }
  async make(names: readonly string[], by: GroupBy) {
    this.#groups = { open: false, by, list: names.map((name, i) => ({ n: i + 1, name, people: 0 })) };
    const learners = this.#deps.people().filter((p) => p.role === 'learner');
    learners.forEach((p, i) => {
      const even = 1 + (i % names.length);
      this.#deps.assign(p.id, by === 'random' || by === 'unit' ? even : null);
    });
    return null;
  }
  async move(moves: readonly [PersonId, GroupNo | null][]) {
    for (const [who, group] of moves) this.#deps.assign(who, group);
    return null;
  }
  async open(minutes: number | null) {
    if (this.#groups)
      this.#groups = {
        ...this.#groups,
        open: true,
        ...(minutes !== null && { until: this.#deps.now() + minutes * 60_000 }),
      };
    return null;
  }
  async close() {
    this.#groups = null;
    this.said = null;
    for (const p of this.#deps.people()) this.#deps.assign(p.id, null);
    return null;
  }
  async say(text: string) {
    this.said = { text, by: 'Nguyễn Thị Minh Hằng' };
    return null;
  }
  async pick(group: GroupNo | null) {
    this.#deps.assign(this.#deps.self(), group);
    return null;
  }
}
