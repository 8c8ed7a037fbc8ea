// The words of a page with their places: for those who hear the page, select or search in it.
import type { Deck } from '../proto';
import { textUrl } from './pages';

/** A word and its left, top, right, bottom in the units of the page. */
export type Word = readonly [text: string, left: number, top: number, right: number, bottom: number];

export interface PageText {
  w: number;
  h: number;
  words: readonly Word[];
}

/** Texts kept. */
const KEEP = 60;
/** More words than this are not laid over a page. */
const MOST_WORDS = 4_000;

const isWord = (value: unknown): value is Word =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  value.length >= 5 &&
  value.slice(1, 5).every((n) => typeof n === 'number' && Number.isFinite(n));

/** Reads a text layer; null when it is none. */
export function readText(value: unknown): PageText | null {
  const v = value as { w?: unknown; h?: unknown; words?: unknown } | null;
  if (typeof v?.w !== 'number' || typeof v.h !== 'number' || !Array.isArray(v.words)) return null;
  const words = v.words.filter(isWord).slice(0, MOST_WORDS);
  return { w: v.w, h: v.h, words: words.map(([text, ...box]) => [text.normalize('NFC'), ...box] as const) };
}

/** The words as lines: a word that stands lower than the one before begins a new line. */
export function linesOf(text: PageText): string {
  let out = '';
  let before: Word | null = null;
  for (const word of text.words) {
    if (before) out += word[2] >= before[4] - (before[4] - before[2]) * 0.3 ? '\n' : ' ';
    out += word[0];
    before = word;
  }
  return out;
}

export class PageTexts {
  readonly #kept = new Map<string, Promise<PageText | null>>();

  /** The words of a page; null when they cannot be had now. */
  get(deck: Pick<Deck, 'url'>, page: number): Promise<PageText | null> {
    const url = textUrl(deck, page);
    const known = this.#kept.get(url);
    if (known) return known;
    const loading = fetch(url, { credentials: 'omit' })
      .then((response) => (response.ok ? response.json() : null))
      .then(readText)
      .catch(() => {
        this.#kept.delete(url);
        return null;
      });
    this.#kept.set(url, loading);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEEP) break;
      this.#kept.delete(oldest);
    }
    return loading;
  }
}
