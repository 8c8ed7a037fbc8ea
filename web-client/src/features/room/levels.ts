// Loudness on tiles: written as a custom property on the elements, at most ten times a
// second, outside reactivity, and not at all while the page is hidden.
import type { PersonId } from '../../core/proto';

const elements = new Map<PersonId, Set<HTMLElement>>();

/** An attachment that lets an element follow a person's loudness. */
export function followLevel(person: PersonId): (el: HTMLElement) => () => void {
  return (el) => {
    const set = elements.get(person) ?? new Set();
    elements.set(person, set.add(el));
    return () => {
      set.delete(el);
      if (set.size === 0) elements.delete(person);
    };
  };
}

export function showLevels(levels: Map<PersonId, number>): void {
  if (document.hidden) return;
  for (const [person, set] of elements) {
    const level = (levels.get(person) ?? 0).toFixed(2);
    for (const el of set) {
      if (el.style.getPropertyValue('--lvl') !== level) el.style.setProperty('--lvl', level);
    }
  }
}
