// The chapters of a recording: as the server names them, otherwise one per slide.
import type { Chapter, Playback } from './shapes';
import { lastAt, type Timeline } from './timeline';

/** A slide shown for less was only passed on the way to another. */
const SHORTEST_MS = 3_000;

export interface ChapterLine extends Chapter {
  /** Net time at which it begins. */
  netMs: number;
  /** Net length. */
  lengthMs: number;
  smallUrl: string | null;
}

/** Chapters of which something is shown, with their net times. `page` words a page of a deck. */
export function chaptersOf(
  playback: Pick<Playback, 'chapters' | 'slides'>,
  line: Timeline,
  page: (n: number, deck: string) => string,
): ChapterLine[] {
  const named = playback.chapters.length > 0;
  const several = new Set(playback.slides.filter((one) => one.page > 0).map((one) => one.deck)).size > 1;
  const raw = named
    ? playback.chapters
    : playback.slides
        .filter((one) => one.page > 0)
        .map((one) => ({ atMs: one.atMs, title: page(one.page, several ? (one.title ?? '') : '') }));
  const starts = raw
    .map((one) => ({ ...one, atMs: line.shownFrom(one.atMs), netMs: line.toNet(one.atMs) }))
    .filter((one) => one.atMs < line.durationMs)
    .sort((a, b) => a.atMs - b.atMs);
  // Of several that begin at once (inside one cut) the last is what is seen then.
  const kept = starts.filter((one, n) => {
    const next = starts[n + 1];
    const length = (next?.netMs ?? line.netMs) - one.netMs;
    return length > 0 && (named || length >= SHORTEST_MS || next === undefined);
  });
  const merged = kept.filter((one, n) => n === 0 || named || one.title !== kept[n - 1]?.title);
  return merged.map((one, n) => {
    const slide = playback.slides[lastAt(playback.slides, one.atMs)];
    return {
      ...one,
      lengthMs: (merged[n + 1]?.netMs ?? line.netMs) - one.netMs,
      smallUrl: slide && slide.page > 0 ? slide.smallUrl : null,
    };
  });
}

/** Index of the chapter at a moment; -1 before the first. */
export function chapterAt(chapters: readonly ChapterLine[], t: number): number {
  return lastAt(chapters, t);
}
