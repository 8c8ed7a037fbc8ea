// Recording time and net time. Recording time runs from the first moment of the recording,
// cuts included; net time is what a viewer sees pass, without them.
import type { Span } from './shapes';

/** Sorted spans inside 0…duration that neither touch nor overlap; nonsense is dropped. */
export function tidy(spans: readonly Span[], durationMs: number): Span[] {
  const inside = spans
    .map(({ fromMs, toMs }) => ({ fromMs: Math.max(0, fromMs), toMs: Math.min(durationMs, toMs) }))
    .filter(({ fromMs, toMs }) => Number.isFinite(fromMs) && Number.isFinite(toMs) && toMs > fromMs)
    .sort((a, b) => a.fromMs - b.fromMs);
  const out: Span[] = [];
  for (const one of inside) {
    const last = out.at(-1);
    if (last && one.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, one.toMs);
    else out.push({ ...one });
  }
  return out;
}

export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

export class Timeline {
  readonly durationMs: number;
  readonly cuts: readonly Span[];
  /** Length of what is shown. */
  readonly netMs: number;

  constructor(durationMs: number, cuts: readonly Span[]) {
    this.durationMs = Math.max(0, durationMs);
    this.cuts = tidy(cuts, this.durationMs);
    this.netMs = this.durationMs - lengthOf(this.cuts);
  }

  /** The moment itself, kept inside the recording. */
  clamp(t: number): number {
    return Number.isFinite(t) ? Math.min(this.durationMs, Math.max(0, t)) : 0;
  }

  /** The cut a moment lies in; its end belongs to what is shown. */
  cutAt(t: number): Span | null {
    return this.cuts.find(({ fromMs, toMs }) => t >= fromMs && t < toMs) ?? null;
  }

  /** The first shown moment at or after `t`; the end when nothing more is shown. */
  shownFrom(t: number): number {
    const at = this.clamp(t);
    return this.cutAt(at)?.toMs ?? at;
  }

  /** First moment of the next cut at or after `t`, or the end. */
  nextStop(t: number): number {
    return this.cuts.find(({ fromMs }) => fromMs >= t)?.fromMs ?? this.durationMs;
  }

  /** Whether nothing is shown from `t` on. */
  isOver(t: number): boolean {
    return this.shownFrom(t) >= this.durationMs;
  }

  toNet(t: number): number {
    const at = this.clamp(t);
    let net = at;
    for (const { fromMs, toMs } of this.cuts) {
      if (fromMs >= at) break;
      net -= Math.min(at, toMs) - fromMs;
    }
    return net;
  }

  /** The recording time at which `net` is shown; just after a cut rather than before it. */
  toRecording(net: number): number {
    let t = Math.min(this.netMs, Math.max(0, Number.isFinite(net) ? net : 0));
    for (const { fromMs, toMs } of this.cuts) {
      if (fromMs > t) break;
      t += toMs - fromMs;
    }
    return this.clamp(t);
  }

  /** What of a span is shown, as spans of net time. */
  shownOf(span: Span): Span[] {
    const fromMs = this.toNet(span.fromMs);
    const toMs = this.toNet(span.toMs);
    return toMs > fromMs ? [{ fromMs, toMs }] : [];
  }
}

/** Index of the last entry at or before `t` in a list sorted by `atMs`; -1 before the first. */
export function lastAt(list: readonly { atMs: number }[], t: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.atMs ?? Infinity) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
