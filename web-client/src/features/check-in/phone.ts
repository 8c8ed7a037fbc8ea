// The key a phone keeps, so that one phone ticks in one person only. It tells nothing of
// the phone and stays on it.
import { randomKey, stored } from '../../core/base/storage';

const kept = stored<string | null>(
  () => localStorage,
  'lophoc.phone',
  (value) => (typeof value === 'string' && /^[0-9a-f]{32}$/u.test(value) ? value : null),
);

/** The key of this phone; made when there is none. */
export function phoneKey(): string {
  const old = kept.read();
  if (old !== null) return old;
  const made = randomKey();
  kept.write(made);
  return made;
}
