// Parts of the room that are fetched when they are needed first, with their words.
import { loadLiveWords } from '../../i18n/live.svelte';
import { loadPlaybackWords } from '../../i18n/playback.svelte';
import { loadSharingWords } from '../../i18n/sharing.svelte';
import { prefs } from '../../ui/prefs.svelte';
import type * as Board from './board';
import type * as Captions from './captions';
import type * as Early from './early';
import type * as Notes from './notes';
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

let captions: Promise<typeof Captions> | null = null;

/** Captions: over the stage and in their panel. After a failure the next call tries again. */
export function loadCaptions(): Promise<typeof Captions> {
  captions ??= Promise.all([import('./captions'), loadLiveWords(prefs.lang)]).then(
    ([parts]) => parts,
    (error: unknown) => {
      captions = null;
      throw error;
    },
  );
  return captions;
}

let notes: Promise<typeof Notes> | null = null;

/** The panel of shared notes. After a failure the next call tries again. */
export function loadNotes(): Promise<typeof Notes> {
  notes ??= Promise.all([import('./notes'), loadLiveWords(prefs.lang)]).then(
    ([parts]) => parts,
    (error: unknown) => {
      notes = null;
      throw error;
    },
  );
  return notes;
}

let early: Promise<typeof Early> | null = null;

/** What is recorded so far, in place of the stage. After a failure the next call tries again. */
export function loadEarly(): Promise<typeof Early> {
  early ??= Promise.all([import('./early'), loadPlaybackWords(prefs.lang)]).then(
    ([parts]) => {
      parts.installPlaybackIcons();
      return parts;
    },
    (error: unknown) => {
      early = null;
      throw error;
    },
  );
  return early;
}
