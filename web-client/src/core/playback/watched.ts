// What somebody has watched, in spans of recording time, and what of it was told to the server.
import type { Span } from './shapes';
import { lengthOf, tidy, type Timeline } from './timeline';

/** Between two looks at the clock nothing was jumped when no more than this went by, ms. */
const STRIDE = 3_000;
/** Spans of one report; the rest goes with the next. */
export const MOST_SPANS = 200;

export class Watched {
  #spans: Span[] = [];
  #unsent: Span[] = [];
  #last: number | null = null;

  /** The clock stood at `t` while it was playing. */
  at(t: number): void {
    const last = this.#last;
    this.#last = t;
    if (last === null || t <= last || t - last > STRIDE) return;
    const span = { fromMs: last, toMs: t };
    this.#spans = tidy([...this.#spans, span], Infinity);
    this.#unsent = tidy([...this.#unsent, span], Infinity);
  }

  /** The play stopped or jumped: what comes next is another span. */
  rest(): void {
    this.#last = null;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Spans to report now, whole ms. They count as sent until `failed` gives them back. */
  take(): [number, number][] {
    const batch = this.#unsent.slice(0, MOST_SPANS);
    this.#unsent = this.#unsent.slice(MOST_SPANS);
    return batch.map(({ fromMs, toMs }) => [Math.floor(fromMs), Math.ceil(toMs)]);
  }

  /** A report did not arrive: its spans go with the next. */
  failed(spans: readonly (readonly [number, number])[]): void {
    this.#unsent = tidy([...this.#unsent, ...spans.map(([fromMs, toMs]) => ({ fromMs, toMs }))], Infinity);
  }

  /** Share of what is shown, 0–100. */
  percent(line: Timeline): number {
    const shown = this.#spans.flatMap((one) => line.shownOf(one));
    return line.netMs === 0 ? 0 : Math.min(100, Math.round((lengthOf(tidy(shown, line.netMs)) / line.netMs) * 100));
  }
}

/** Who stopped in the first seconds begins anew, and so does who had come to the end. */
const FIRST_MS = 10_000;
const LAST_MS = 15_000;

/** Where to begin: the place of last time, unless it is hardly worth it. */
export function resumeAt(line: Timeline, resumeMs: number): number {
  const at = line.shownFrom(resumeMs);
  const net = line.toNet(at);
  if (net < FIRST_MS || net > line.netMs - LAST_MS) return line.shownFrom(0);
  return at;
}
