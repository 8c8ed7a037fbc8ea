// Times drawn to scale: where an interval stands on the line of a session. Positions and
// widths are shares of the whole line, in percent.
import type { Interval, Row, Session, Span, Window } from '../../core/records/gen';

/** What a line shows, from its left end to its right end, ms. */
export interface Scale {
  fromMs: number;
  toMs: number;
}

export interface Piece {
  left: number;
  width: number;
}

export interface Bar extends Piece {
  interval: Interval;
  /** Goes on beyond the end of the line. */
  cut: boolean;
}

export interface Shade extends Piece {
  kind: 'outside' | 'break' | 'outage';
  fromMs: number;
  toMs: number;
}

export interface Tick {
  left: number;
  ms: number;
}

const MINUTE = 60_000;
/** A shorter line would make seconds look like hours. */
const LEAST = 10 * MINUTE;
/** Nothing that was there is drawn thinner, percent. */
const THIN = 0.5;
/** What is shown before the beginning and after the end, share of the session. */
const MARGIN = 0.04;
/** Steps of the marks on a line, minutes. */
const STEPS = [5, 10, 15, 30, 60, 120, 240, 480, 720];
/** Marks stand on round hours of the zone of classes, 7 hours ahead. */
const ZONE_AHEAD = 7 * 60 * MINUTE;

const round = (n: number): number => Math.round(n * 1000) / 1000;
const at = (ms: number, scale: Scale): number => ((ms - scale.fromMs) / (scale.toMs - scale.fromMs)) * 100;

/**
 * The line of a session: from its beginning to its end, while it goes on to the planned end
 * or now, with a little on both sides. `null` while there is nothing to go by.
 */
export function scaleOf(
  window: Window,
  session: Pick<Session, 'startsMs' | 'endsMs'>,
  nowMs: number,
  rows: readonly Pick<Row, 'intervals'>[] = [],
): Scale | null {
  let from = window.fromMs ?? session.startsMs;
  let to = window.toMs ?? (window.fromMs === undefined ? session.endsMs : Math.max(nowMs, session.endsMs ?? 0));
  if (from === null || to === null) {
    for (const { intervals } of rows) {
      for (const one of intervals) {
        from = Math.min(from ?? one.fromMs, one.fromMs);
        to = Math.max(to ?? one.toMs, one.toMs);
      }
    }
  }
  if (from === null || to === null) return null;
  const length = Math.max(to - from, LEAST);
  return { fromMs: from - length * MARGIN, toMs: from + length * (1 + MARGIN) };
}

/** A stretch of time on the line; `null` when it lies outside. */
export function pieceOf(fromMs: number, toMs: number, scale: Scale): Piece | null {
  if (toMs < scale.fromMs || fromMs > scale.toMs || toMs < fromMs) return null;
  const left = Math.max(0, at(fromMs, scale));
  const right = Math.min(100, at(toMs, scale));
  return { left: round(left), width: round(right - left) };
}

/** Intervals of presence on the line, none thinner than can be seen. */
export function barsOf(intervals: readonly Interval[], scale: Scale): Bar[] {
  const bars: Bar[] = [];
  for (const interval of intervals) {
    const piece = pieceOf(interval.fromMs, interval.toMs, scale);
    if (!piece) continue;
    const width = Math.max(piece.width, THIN);
    bars.push({
      left: Math.min(piece.left, 100 - width),
      width,
      interval,
      cut: interval.fromMs < scale.fromMs || interval.toMs > scale.toMs,
    });
  }
  return bars;
}

/** What does not count: before and after, breaks, times in which the server was down. */
export function shadesOf(window: Window, scale: Scale): Shade[] {
  const shades: Shade[] = [];
  const add = (kind: Shade['kind'], fromMs: number, toMs: number) => {
    const piece = toMs > fromMs ? pieceOf(fromMs, toMs, scale) : null;
    if (piece && piece.width > 0) shades.push({ ...piece, kind, fromMs, toMs });
  };
  if (window.fromMs === undefined) add('outside', scale.fromMs, scale.toMs);
  else add('outside', scale.fromMs, window.fromMs);
  if (window.toMs !== undefined) add('outside', window.toMs, scale.toMs);
  // A session that was opened again: what lies between its windows.
  for (const [n, span] of window.counted.entries()) {
    const next = window.counted[n + 1];
    if (next && !explained(span.toMs, next.fromMs, window)) add('outside', span.toMs, next.fromMs);
  }
  for (const span of window.breaks) add('break', span.fromMs, span.toMs);
  for (const span of window.outages) add('outage', span.fromMs, span.toMs);
  return shades;
}

/** Whether breaks and outages cover a stretch between two counted ones. */
function explained(fromMs: number, toMs: number, window: Window): boolean {
  const spans: Span[] = [...window.breaks, ...window.outages].sort((a, b) => a.fromMs - b.fromMs);
  let reached = fromMs;
  for (const span of spans) if (span.fromMs <= reached) reached = Math.max(reached, span.toMs);
  return reached >= toMs;
}

/** Beginning, end and now as marks. */
export function edgesOf(
  window: Window,
  scale: Scale,
  nowMs: number,
): { left: number; kind: 'start' | 'end' | 'now' }[] {
  const edges: { left: number; kind: 'start' | 'end' | 'now' }[] = [];
  const inside = (ms: number) => ms >= scale.fromMs && ms <= scale.toMs;
  if (window.fromMs !== undefined && inside(window.fromMs)) {
    edges.push({ left: round(at(window.fromMs, scale)), kind: 'start' });
  }
  if (window.toMs !== undefined) {
    if (inside(window.toMs)) edges.push({ left: round(at(window.toMs, scale)), kind: 'end' });
  } else if (window.fromMs !== undefined && inside(nowMs)) edges.push({ left: round(at(nowMs, scale)), kind: 'now' });
  return edges;
}

/** Round times along the line, `most` at most. */
export function ticksOf(scale: Scale, most = 6): Tick[] {
  const length = scale.toMs - scale.fromMs;
  const step = (STEPS.find((one) => length / (one * MINUTE) <= most) ?? 1440) * MINUTE;
  const ticks: Tick[] = [];
  const first = Math.ceil((scale.fromMs + ZONE_AHEAD) / step) * step - ZONE_AHEAD;
  for (let ms = first; ms <= scale.toMs; ms += step) ticks.push({ left: round(at(ms, scale)), ms });
  return ticks;
}
