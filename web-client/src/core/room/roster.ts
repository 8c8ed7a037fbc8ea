// The people of a room: kept by id, listed staff first, then by given name, which in
// Vietnamese stands last.
import type { Counts, Person, PersonId, Role } from '../proto';

const RANK: Record<Role, number> = {
  chair: 0,
  organiser: 1,
  trainer: 2,
  adviser: 3,
  technician: 4,
  secretary: 5,
  inspector: 6,
  learner: 7,
  guest: 8,
};

export function isStaff(role: Role): boolean {
  return role !== 'learner' && role !== 'guest';
}

/** Place of a role in lists; a role this version does not know comes last. */
export function rankOf(role: Role): number {
  return RANK[role] ?? 9;
}

const collator = new Intl.Collator('vi');

interface Entry {
  person: Person;
  given: string;
  rest: string;
  /** Order of arrival, as far as we saw it. */
  arrived: number;
}

function words(name: string): { given: string; rest: string } {
  const parts = name.normalize('NFC').trim().split(/\s+/u);
  const given = parts.pop() ?? '';
  return { given, rest: parts.join(' ') };
}

function compare(a: Entry, b: Entry): number {
  const staff = Number(isStaff(b.person.role)) - Number(isStaff(a.person.role));
  if (staff !== 0) return staff;
  if (isStaff(a.person.role) && a.person.role !== b.person.role) return rankOf(a.person.role) - rankOf(b.person.role);
  return collator.compare(a.given, b.given) || collator.compare(a.rest, b.rest) || (a.person.id < b.person.id ? -1 : 1);
}

export const NO_COUNTS: Counts = { total: 0, people: 0, staff: 0, learners: 0, guests: 0, hands: 0 };

export class Roster {
  #entries = new Map<PersonId, Entry>();
  #arrivals = 0;
  #sorted: Person[] | null = null;

  #put(person: Person): void {
    const known = this.#entries.get(person.id);
    const named = known?.person.name === person.name ? known : words(person.name);
    this.#entries.set(person.id, {
      person,
      given: named.given,
      rest: named.rest,
      arrived: known?.arrived ?? (this.#arrivals += 1),
    });
    this.#sorted = null;
  }

  /** The whole list, for example after `state`. */
  replace(people: readonly Person[]): void {
    const old = this.#entries;
    this.#entries = new Map();
    for (const person of people) {
      const known = old.get(person.id);
      if (known) this.#entries.set(person.id, known);
      this.#put(person);
    }
    this.#sorted = null;
  }

  change(add: readonly Person[], chg: readonly Person[], del: readonly PersonId[]): void {
    for (const id of del) if (this.#entries.delete(id)) this.#sorted = null;
    for (const person of add) this.#put(person);
    for (const person of chg) this.#put(person);
  }

  get(id: PersonId): Person | undefined {
    return this.#entries.get(id)?.person;
  }

  arrived(id: PersonId): number {
    return this.#entries.get(id)?.arrived ?? Number.MAX_SAFE_INTEGER;
  }

  get size(): number {
    return this.#entries.size;
  }

  get list(): Person[] {
    this.#sorted ??= [...this.#entries.values()].sort(compare).map((entry) => entry.person);
    return this.#sorted;
  }
}
