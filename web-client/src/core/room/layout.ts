// Which of the three pictures of a room is shown, and who stands large.
import type { Person, PersonId, RoomMode, TrackId } from '../proto';
import { hasCamera } from './gallery';
import { rankOf } from './roster';

export type Layout = 'auto' | 'gallery' | 'speaker' | 'screen';
export type Effective = 'gallery' | 'speaker' | 'screen';

export interface LayoutFacts {
  wished: Layout;
  mode: RoomMode;
  people: number;
  /** Somebody else shares a screen. */
  shared: boolean;
  pinned: 'camera' | 'screen' | null;
}

/** From this many people on a discussion is shown as a gallery. */
const GALLERY_FROM = 3;

export function effectiveLayout(facts: LayoutFacts): Effective {
  if (facts.pinned === 'screen') return 'screen';
  if (facts.pinned === 'camera') return 'speaker';
  switch (facts.wished) {
    case 'gallery':
    case 'speaker':
      return facts.wished;
    case 'screen':
      return facts.shared ? 'screen' : 'speaker';
    case 'auto':
      if (facts.shared) return 'screen';
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

/** What a page of `size` tiles shows, and how many pages there are; `page` is put in range. */
export function pageOf<T>(all: readonly T[], page: number, size: number): { page: number; pages: number; items: T[] } {
  const per = Math.max(1, size);
  const pages = Math.max(1, Math.ceil(all.length / per));
  const at = Math.min(Math.max(0, page), pages - 1);
  return { page: at, pages, items: all.slice(at * per, at * per + per) };
}
