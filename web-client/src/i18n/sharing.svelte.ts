// Words of slides and files.
import { book } from './book.svelte';
import type { SharingCatalogue } from './sharing/sharing-vi';

const words = book<SharingCatalogue>({
  vi: async () => (await import('./sharing/sharing-vi')).sharingVi,
  en: async () => (await import('./sharing/sharing-en')).sharingEn,
});

export const loadSharingWords = words.load;

/** The message in the chosen language. */
export const s = words.t;
