// Order of tiles. Who should be seen moves forward, but what is on the screen stays
// where it is: a tile changes its place only when somebody has to make room.
import type { Person, PersonId } from '../proto';
import { isStaff, rankOf } from './roster';

/** Somebody who spoke within this time counts as a recent speaker, ms. */
const RECENT = 60_000;

export interface OrderFacts {
  self: PersonId;
  nowMs: number;
  lastSpoke(id: PersonId): number;
  arrived(id: PersonId): number;
}

export function hasCamera(person: Person): boolean {
  return person.tracks.some((track) => track.kind === 'camera' && track.st === 'live');
}

/** The best order, without regard to what is on the screen. */
export function rankPeople(people: readonly Person[], facts: OrderFacts): PersonId[] {
  const keyed = people.map((person) => {
    const spoke = facts.lastSpoke(person.id);
    return {
      id: person.id,
      self: person.id === facts.self ? 0 : 1,
      staff: isStaff(person.role) ? rankOf(person.role) : 9,
      floor: person.floor ? 0 : 1,
      lost: person.link === 'lost' ? 1 : 0,
      recent: facts.nowMs - spoke < RECENT ? 0 : 1,
      camera: hasCamera(person) ? 0 : 1,
      arrived: facts.arrived(person.id),
    };
  });
  keyed.sort(
    (a, b) =>
      a.self - b.self ||
      a.lost - b.lost ||
      a.staff - b.staff ||
      a.floor - b.floor ||
      a.recent - b.recent ||
      a.camera - b.camera ||
      a.arrived - b.arrived,
  );
  return keyed.map((entry) => entry.id);
}

/**
 * The next order: each page holds the people the ranking gives it, and those who
 * were on that page already keep their places.
 */
export function stableOrder(previous: readonly PersonId[], ranked: readonly PersonId[], pageSize: number): PersonId[] {
  const size = Math.max(1, pageSize);
  const out: PersonId[] = [];
  for (let start = 0; start < ranked.length; start += size) {
    const members = ranked.slice(start, start + size);
    const wanted = new Set(members);
    const before = previous.slice(start, start + size);
    const stayed = new Set(before.filter((id) => wanted.has(id)));
    const newcomers = members.filter((id) => !stayed.has(id));
    const page: PersonId[] = [];
    for (const id of before) {
      if (page.length >= members.length) break;
      if (stayed.has(id)) page.push(id);
      else {
        const next = newcomers.shift();
        if (next !== undefined) page.push(next);
      }
    }
    page.push(...newcomers);
    // A page that became shorter may have cut somebody off at its end.
    for (const id of stayed) if (!page.includes(id)) page.push(id);
    out.push(...page);
  }
  return out;
}
