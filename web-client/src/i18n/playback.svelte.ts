// Words of recordings: the library and the player.
import { book } from './book.svelte';
import type { playbackVi } from './playback/playback-vi';
import type { Shape } from './records-vi';

export type PlaybackCatalogue = Shape<typeof playbackVi>;
export type PlaybackKey = keyof PlaybackCatalogue;

const words = book<PlaybackCatalogue>({
  vi: async () => (await import('./playback/playback-vi')).playbackVi,
  en: async () => (await import('./playback/playback-en')).playbackEn,
});

export const loadPlaybackWords = words.load;

/** The message in the chosen language. */
export const p = words.t;
