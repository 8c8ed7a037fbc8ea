// Words of the organisers' pages.
import { book } from './book.svelte';
import type { RecordsCatalogue, RecordsKey } from './records-vi';

export type { RecordsKey };

const words = book<RecordsCatalogue>({
  vi: async () => (await import('./records-vi')).recordsVi,
  en: async () => (await import('./records-en')).recordsEn,
});

export const loadRecordsWords = words.load;

/** The message in the chosen language. */
export const r = words.t;
