// Editing what is shown: the start and the end are trimmed, spans inside are cut. Pauses stay
// as they are. The originals are never touched; everything here can be taken back.
import type { Cut, Span } from './shapes';
import { tidy } from './timeline';

/** A shorter cut is a slip of the hand. */
export const SHORTEST_CUT_MS = 500;
/** At least so much has to be left. */
export const LEAST_LEFT_MS = 1_000;
/** Cuts of one recording. */
export const MOST_CUTS = 200;

export type CutProblem = 'order' | 'short' | 'outside' | 'nothingLeft' | 'many';

/** The cuts somebody made, without pauses, tidy. */
export function ownCuts(cuts: readonly Cut[], durationMs: number): Span[] {
  return tidy(
    cuts.filter((one) => one.why !== 'pause'),
    durationMs,
  );
}

/** Why a span cannot be cut, or nothing. */
export function cutProblem(
  cuts: readonly Span[],
  pauses: readonly Span[],
  span: Span,
  durationMs: number,
): CutProblem | null {
  if (!(span.toMs > span.fromMs)) return 'order';
  if (span.fromMs < 0 || span.toMs > durationMs) return 'outside';
  if (span.toMs - span.fromMs < SHORTEST_CUT_MS) return 'short';
  const all = tidy([...cuts, span], durationMs);
  if (all.length > MOST_CUTS) return 'many';
  const gone = tidy([...all, ...pauses], durationMs).reduce((sum, one) => sum + one.toMs - one.fromMs, 0);
  return durationMs - gone < LEAST_LEFT_MS ? 'nothingLeft' : null;
}

export function withCut(cuts: readonly Span[], span: Span, durationMs: number): Span[] {
  return tidy([...cuts, span], durationMs);
}

export function withoutCut(cuts: readonly Span[], n: number): Span[] {
  return cuts.filter((_, at) => at !== n);
}

/** Where what is shown begins and ends by trimming: ends of a first cut at 0 and of a last one at the end. */
export function trimsOf(cuts: readonly Span[], durationMs: number): Span {
  const first = cuts[0];
  const last = cuts.at(-1);
  return {
    fromMs: first && first.fromMs <= 0 ? first.toMs : 0,
    toMs: last && last.toMs >= durationMs ? last.fromMs : durationMs,
  };
}

/** What a cut is: of the start, of the end, or of the middle. */
export function placeOf(cut: Span, durationMs: number): 'start' | 'end' | 'middle' {
  if (cut.fromMs <= 0) return 'start';
  return cut.toMs >= durationMs ? 'end' : 'middle';
}

/** `1:02:03,5`, `2:03` or seconds as ms; `null` when it is no time. */
export function readClock(text: string): number | null {
  const found = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3}))?$/u.exec(text.trim());
  if (!found) return null;
  const [, h = '0', m = '0', s = '0', part = '0'] = found;
  if ((found[2] !== undefined && Number(s) > 59) || (found[1] !== undefined && Number(m) > 59)) return null;
  return ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(part.padEnd(3, '0'));
}

/** Ms as `1:02:03`, with tenths when there are some. */
export function clockText(ms: number): string {
  const tenths = Math.round(Math.max(0, ms) / 100);
  const s = Math.floor(tenths / 10);
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const rest = h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  return tenths % 10 === 0 ? rest : `${rest},${tenths % 10}`;
}
