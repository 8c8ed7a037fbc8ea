// Words of captions.
import { book } from './book.svelte';
import type { liveVi } from './live/live-vi';
import type { Shape } from './records-vi';

export type LiveCatalogue = Shape<typeof liveVi>;

const words = book<LiveCatalogue>({
  vi: async () => (await import('./live/live-vi')).liveVi,
  en: async () => (await import('./live/live-en')).liveEn,
});

export const loadLiveWords = words.load;

/** The message in the chosen language. */
export const l = words.t;
