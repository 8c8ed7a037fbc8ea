// Pages of slides as pictures: which of the two widths is needed, and pictures fetched ahead.
import type { Deck } from '../proto';

/** `s` is readable on a phone and cheap, `l` is for large and sharp screens. */
export type Variant = 's' | 'l';

/** Width of the small pictures, pixels. */
export const SMALL_WIDTH = 640;
/** A small picture is shown this much larger than it is before the large one is fetched. */
const STRETCH = 1.15;
/** The large picture is not worth waiting for on a link this bad (see `netLevel`). */
const WEAK_LEVEL = 1;

export interface Need {
  /** Width the page has on the screen, CSS pixels. */
  width: number;
  /** Device pixels in a CSS pixel. */
  ratio: number;
  /** How much it is enlarged by zooming. */
  zoom: number;
  /** Data saving is on. */
  saver: boolean;
  /** Level of the link, 4 excellent … 0 lost. */
  level: number;
}

/** The picture worth fetching. Who zooms in wants to read: then data saving gives way. */
export function variantFor({ width, ratio, zoom, saver, level }: Need): Variant {
  if (zoom > 1.5) return 'l';
  if (saver || level <= WEAK_LEVEL) return 's';
  return width * Math.min(Math.max(ratio, 1), 2) * zoom > SMALL_WIDTH * STRETCH ? 'l' : 's';
}

/** Pace of a page where the link bears speech and little more, kbit/s: both fit into 64. */
const GENTLE_KBPS = 22;

/** Whether pages should leave room for speech: sent at once they fill every queue on the way. */
export function gently(rung: { at: string; why: string } | null, level: number): boolean {
  return rung?.at === 'sound' && (rung.why === 'link' || level <= WEAK_LEVEL + 1);
}

export function pageUrl(deck: Pick<Deck, 'url'>, page: number, variant: Variant, gentle = false): string {
  const url = `${deck.url}/${page}/${variant}.webp`;
  return gentle && variant === 's' ? `${url}?kbps=${GENTLE_KBPS}` : url;
}

export function textUrl(deck: Pick<Deck, 'url'>, page: number): string {
  return `${deck.url}/${page}/text.json`;
}

/** A page number inside the deck. */
export function clampPage(page: number, pages: number): number {
  return Math.min(Math.max(1, Math.trunc(page) || 1), Math.max(1, pages));
}

/** Decoded pictures kept: the page shown, the one before, the one after, in both widths. */
const KEEP = 6;

type Load = (url: string) => Promise<HTMLImageElement>;

/** Fetches and decodes one picture. */
export async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.decoding = 'async';
  image.src = url;
  await image.decode();
  return image;
}

/** Pictures by address; those used last are kept decoded, so that leafing back and forth needs no waiting. */
export class PageCache {
  readonly #load: Load;
  readonly #kept = new Map<string, Promise<HTMLImageElement>>();
  readonly #ready = new Set<string>();

  constructor(load: Load = loadImage) {
    this.#load = load;
  }

  /** Whether the picture can be shown at once. */
  has(url: string): boolean {
    return this.#ready.has(url);
  }

  /** The decoded picture. One that failed is asked for again at the next call. */
  get(url: string): Promise<HTMLImageElement> {
    const known = this.#kept.get(url);
    if (known) {
      this.#kept.delete(url);
      this.#kept.set(url, known);
      return known;
    }
    const loading = this.#load(url).then(
      (image) => {
        if (this.#kept.get(url) === loading) this.#ready.add(url);
        return image;
      },
      (error: unknown) => {
        if (this.#kept.get(url) === loading) this.#kept.delete(url);
        throw error;
      },
    );
    this.#kept.set(url, loading);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEEP) break;
      this.#kept.delete(oldest);
      this.#ready.delete(oldest);
    }
    return loading;
  }

  /** Fetches ahead; a failure is no matter, it is tried again when needed. */
  ahead(url: string): void {
    this.get(url).catch(() => undefined);
  }
}
