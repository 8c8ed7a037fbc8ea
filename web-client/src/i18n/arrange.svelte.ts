// Words of moderation, arrangement and breakout groups; they come with the room.
import type { arrangeVi } from './arrange/arrange-vi';
import { book } from './book.svelte';
import type { Shape } from './records-vi';

export type ArrangeCatalogue = Shape<typeof arrangeVi>;
export type ArrangeKey = keyof ArrangeCatalogue;

const words = book<ArrangeCatalogue>({
  vi: async () => (await import('./arrange/arrange-vi')).arrangeVi,
  en: async () => (await import('./arrange/arrange-en')).arrangeEn,
});

export const loadArrangeWords = words.load;

/** The message in the chosen language. */
export const a = words.t;
