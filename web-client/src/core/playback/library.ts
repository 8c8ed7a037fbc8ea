// What a list of recordings keeps from one answer to the next.
import type { RecordingItem } from './shapes';

/** An address that ends sooner is not kept: what comes into view later is still to be fetched, ms. */
const SPARE = 5 * 60_000;

/** Whether it will be another soon. A stage that failed waits for a person. */
export function isMoving({ state, progress }: Pick<RecordingItem, 'state' | 'progress'>): boolean {
  return state === 'recording' || (progress ? !progress.failed : state === 'processing');
}

/** What is behind an address, however it is signed. */
export function pathOf(address: string): string {
  return address.split('?', 1)[0] ?? '';
}

/** When it ends, ms; one that says nothing of it is good for ever. */
function endOf(address: string): number {
  const end = new URLSearchParams(address.slice(pathOf(address).length)).get('e');
  return end === null ? Infinity : Number(end);
}

/**
 * Addresses by path. Each answer signs them anew, and what is shown would be fetched anew
 * with them; so those of before stay as long as they are good.
 */
export function keptAddresses(
  before: ReadonlyMap<string, string>,
  told: readonly string[],
  now: number,
): Map<string, string> {
  const kept = new Map([...before].filter(([, address]) => endOf(address) - now > SPARE));
  for (const address of told) if (!kept.has(pathOf(address))) kept.set(pathOf(address), address);
  return kept;
}

/** All but the address of this path. */
export function without(kept: ReadonlyMap<string, string>, path: string): Map<string, string> {
  return new Map([...kept].filter(([other]) => other !== path));
}
