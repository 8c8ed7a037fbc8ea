// Which of the pictures of a room is shown, and who stands large.
import { MAX_SPOTLIGHT, type Person, type PersonId, type RoomMode, type TrackId } from '../proto';
import { hasCamera } from './gallery';
import { rankOf } from './roster';

export type Layout = 'auto' | 'gallery' | 'speaker' | 'screen' | 'wall';
export type Effective = 'gallery' | 'speaker' | 'screen' | 'wall';

export interface LayoutFacts {
  wished: Layout;
  mode: RoomMode;
  people: number;
  /** Somebody else shares a screen. */
  shared: boolean;
  pinned: 'camera' | 'screen' | null;
  /** Somebody else is shown to all. */
  spotlit: boolean;
  /** Sites that are connected, other than one's own. */
  sites: number;
}

/** From this many sites on a conference is shown as a wall of them. */
const WALL_FROM = 2;

/** From this many people on a discussion is shown as a gallery. */
const GALLERY_FROM = 3;

export function effectiveLayout(facts: LayoutFacts): Effective {
  if (facts.pinned === 'screen') return 'screen';
  if (facts.pinned === 'camera') return 'speaker';
  switch (facts.wished) {
    case 'gallery':
      // Who is shown to all is shown large; the gallery comes back by itself.
      return facts.spotlit ? 'speaker' : 'gallery';
    case 'speaker':
    case 'wall':
      return facts.wished;
    case 'screen':
      return facts.shared ? 'screen' : 'speaker';
    case 'auto':
      if (facts.shared) return 'screen';
      if (facts.mode === 'conference' && facts.sites >= WALL_FROM) return 'wall';
      if (facts.spotlit) return 'speaker';
      return facts.mode === 'discussion' && facts.people >= GALLERY_FROM ? 'gallery' : 'speaker';
  }
}

export interface Shared {
  person: Person;
  track: TrackId;
}

/** Screens that are shared, others' before one's own. */
export function sharedScreens(people: readonly Person[], self: PersonId): Shared[] {
  const out: Shared[] = [];
  for (const person of people) {
    const track = person.tracks.find((t) => t.kind === 'screen' && t.st === 'live');
    if (track) out.push({ person, track: track.k });
  }
  return out.sort((a, b) => Number(a.person.id === self) - Number(b.person.id === self));
}

/**
 * Who stands large when nobody is pinned, those whose link is lost last: who speaks, else who holds the floor, else
 * the highest staff with a camera, else anybody with a camera, else the highest staff.
 * Oneself only when alone.
 */
export function onStage(people: readonly Person[], self: PersonId, active: PersonId | null): Person | null {
  const others = people.filter((person) => person.id !== self);
  if (others.length === 0) return people[0] ?? null;
  const speaking = others.find((person) => person.id === active);
  if (speaking) return speaking;
  const best = [...others].sort(
    (a, b) =>
      Number(a.link === 'lost') - Number(b.link === 'lost') ||
      Number(b.floor === true) - Number(a.floor === true) ||
      Number(hasCamera(b)) - Number(hasCamera(a)) ||
      rankOf(a.role) - rankOf(b.role),
  );
  return best[0] ?? null;
}

/** Pictures that stand large at the same time, at most. */
export const LARGE_AT_MOST = MAX_SPOTLIGHT;

/** Who is shown to all and is here, in the order staff chose. */
export function spotlitOf(people: readonly Person[], spotlight: readonly PersonId[]): Person[] {
  const byId = new Map(people.map((person) => [person.id, person]));
  return spotlight.flatMap((id) => byId.get(id) ?? []).slice(0, LARGE_AT_MOST);
}

/** Who leads a conference: the chair, else the highest of the organisers and trainers. */
export function chairOf(people: readonly Person[]): Person | null {
  const leading = people.filter((p) => p.role === 'chair' || p.role === 'organiser' || p.role === 'trainer');
  leading.sort((a, b) => Number(a.link === 'lost') - Number(b.link === 'lost') || rankOf(a.role) - rankOf(b.role));
  return leading[0] ?? null;
}

/**
 * Who stands fixed beside the wall of sites, never paged away: the chair, who has the floor, who is shown to
 * all. The chair sees who has the floor or speaks.
 */
export function besideWall(
  people: readonly Person[],
  self: PersonId,
  active: PersonId | null,
  spotlight: readonly PersonId[],
): Person[] {
  const chair = chairOf(people);
  const floor = people.filter((person) => person.floor === true);
  const out: Person[] = [];
  if (chair && chair.id !== self) out.push(chair);
  out.push(...floor.filter((person) => person.id !== self), ...spotlitOf(people, spotlight));
  const list = [...new Set(out)].slice(0, LARGE_AT_MOST);
  if (list.length > 0) return list;
  const speaking = people.find((person) => person.id === active && person.id !== self) ?? chair;
  return speaking ? [speaking] : [];
}

const bySite = new Intl.Collator('vi', { numeric: true });

/** The order of the wall: sites by name, so that each keeps its place; then everybody else as ranked. */
export function wallOrder(people: readonly Person[], ranked: readonly PersonId[]): PersonId[] {
  const sites = people.filter((person) => person.site !== undefined);
  sites.sort((a, b) => bySite.compare(a.site ?? '', b.site ?? '') || (a.id < b.id ? -1 : 1));
  const first = new Set(sites.map((person) => person.id));
  return [...first, ...ranked.filter((id) => !first.has(id))];
}

/** What a page of `size` tiles shows, and how many pages there are; `page` is put in range. */
export function pageOf<T>(all: readonly T[], page: number, size: number): { page: number; pages: number; items: T[] } {
  const per = Math.max(1, size);
  const pages = Math.max(1, Math.ceil(all.length / per));
  const at = Math.min(Math.max(0, page), pages - 1);
  return { page: at, pages, items: all.slice(at * per, at * per + per) };
}
