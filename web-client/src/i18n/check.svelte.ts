// Words of the check of devices and network.
import { book } from './book.svelte';
import type { CheckCatalogue, CheckKey } from './check/check-vi';

export type { CheckKey };

const words = book<CheckCatalogue>({
  vi: async () => (await import('./check/check-vi')).checkVi,
  en: async () => (await import('./check/check-en')).checkEn,
});

export const loadCheckWords = words.load;

/** The message in the chosen language. */
export const k = words.t;
