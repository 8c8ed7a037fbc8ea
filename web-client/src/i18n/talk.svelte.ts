// Words of polls, questions, reactions and what else is talked about in a room.
import { book } from './book.svelte';
import type { TalkCatalogue, TalkKey } from './talk-vi';

export type { TalkKey };

const words = book<TalkCatalogue>({
  vi: async () => (await import('./talk-vi')).talkVi,
  en: async () => (await import('./talk-en')).talkEn,
});

export const loadTalkWords = words.load;

/** The message in the chosen language. */
export const w = words.t;
