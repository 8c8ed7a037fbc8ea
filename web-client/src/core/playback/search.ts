// Search in a recording: chapters, words of slides, chat, polls, captions. What lies in a cut
// is not found.
import type { Cue } from './vtt';
import type { ChapterLine } from './chapters';
import { findAll, fold, pieces, wordsOf, type Folded, type Piece } from './fold';
import type { Playback } from './shapes';
import type { Timeline } from './timeline';

export type FoundKind = 'chapter' | 'slide' | 'chat' | 'poll' | 'caption';

interface Entry {
  kind: FoundKind;
  atMs: number;
  /** Who said it, where somebody did. */
  who: string;
  text: string;
  folded: Folded;
}

export interface Found {
  kind: FoundKind;
  atMs: number;
  netMs: number;
  who: string;
  pieces: Piece[];
}

export class SearchIndex {
  readonly #entries: Entry[];
  readonly #line: Timeline;

  constructor(
    playback: Pick<Playback, 'slides' | 'chat' | 'polls'>,
    chapters: readonly ChapterLine[],
    cues: readonly Cue[],
    line: Timeline,
  ) {
    this.#line = line;
    const entry = (kind: FoundKind, atMs: number, text: string, who = ''): Entry[] => {
      const clean = text.normalize('NFC').replace(/\s+/gu, ' ').trim();
      return clean === '' || line.cutAt(atMs)
        ? []
        : [{ kind, atMs, who, text: clean, folded: fold(`${who} ${clean}`) }];
    };
    this.#entries = [
      ...chapters.flatMap((one) => entry('chapter', one.atMs, one.title)),
      // A slide that began inside a cut is seen after it.
      ...playback.slides.flatMap((one) => entry('slide', line.shownFrom(one.atMs), one.text ?? '')),
      ...playback.chat.flatMap((one) => entry('chat', one.atMs, one.text, one.name)),
      ...playback.polls.flatMap((one) =>
        entry('poll', one.atMs, [one.question, ...one.options.map((option) => option.text)].join(' · ')),
      ),
      ...cues.flatMap((one) => entry('caption', one.fromMs, one.text)),
    ].sort((a, b) => a.atMs - b.atMs);
  }

  /** What has every word of the query, in the order of time. */
  find(query: string, most = 100): Found[] {
    const words = wordsOf(query);
    if (words.length === 0) return [];
    const found: Found[] = [];
    for (const one of this.#entries) {
      const marks = findAll(one.folded, words);
      if (marks === null) continue;
      // The name stands before the text in what is searched.
      const skip = one.who.length + 1;
      const inText = marks
        .map(([from, to]) => [Math.max(0, from - skip), to - skip] as const)
        .filter(([from, to]) => to > from);
      found.push({
        kind: one.kind,
        atMs: one.atMs,
        netMs: this.#line.toNet(one.atMs),
        who: one.who,
        pieces: pieces(one.text, inText),
      });
      if (found.length === most) break;
    }
    return found;
  }
}
