// Parts of the room that are fetched when they are needed first, with their words.
import { loadSharingWords } from '../../i18n/sharing.svelte';
import { prefs } from '../../ui/prefs.svelte';
import type * as Board from './board';
import type * as Slides from './slides';

type SlidesParts = typeof Slides;
let slides: Promise<SlidesParts> | null = null;

/** Slides and files. After a failure the next call tries again. */
export function loadSlides(): Promise<SlidesParts> {
  slides ??= Promise.all([import('./slides'), loadSharingWords(prefs.lang)]).then(
    ([parts]) => parts,
    (error: unknown) => {
      slides = null;
      throw error;
    },
  );
  return slides;
}

let board: Promise<typeof Board> | null = null;

/** Whiteboards and drawing. After a failure the next call tries again. */
export function loadBoard(): Promise<typeof Board> {
  board ??= Promise.all([import('./board'), loadSlides()]).then(
    ([parts]) => parts,
    (error: unknown) => {
      board = null;
      throw error;
    },
  );
  return board;
}
