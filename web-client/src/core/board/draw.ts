// Figures of a board as lines and words to be drawn: pure arithmetic. A board is 1600 units wide, as high as its shape.
import { POINT_MAX, type Figure, type Ink } from '../proto';

export const WIDE = 1600;

export interface At {
  x: number;
  y: number;
}

/** All can be told from white paper (contrast 4.5 : 1 and more). */
export const INKS: Record<Ink, string> = {
  black: '#1a1a1a',
  red: '#c62828',
  blue: '#1558b0',
  green: '#1b7a3d',
  orange: '#b45309',
  purple: '#7b1fa2',
};
const LINE = [3, 6, 12] as const;
const SIZE = [28, 44, 72] as const;
const of = (list: readonly [number, number, number], w: number) => list[w - 1] ?? list[0];
/** Height of a line of text, times its size. */
export const LEADING = 1.3;
/** Width of a letter on average, times its size. */
const LETTER = 0.54;

export const textSize = (fig: Pick<Figure, 'w'>) => of(SIZE, fig.w);
export const lineWidth = (fig: Pick<Figure, 'kind' | 'w'>) => of(LINE, fig.w) * (fig.kind === 'marker' ? 5 : 1);
export const opacityOf = (fig: Pick<Figure, 'kind'>) => (fig.kind === 'marker' ? 0.35 : 1);

/** The points of a figure in units of a board this high. */
export function pointsOf(fig: Pick<Figure, 'p'>, high: number): At[] {
  const out: At[] = [];
  for (let n = 0; n + 1 < fig.p.length; n += 2)
    out.push({ x: ((fig.p[n] ?? 0) / POINT_MAX) * WIDE, y: ((fig.p[n + 1] ?? 0) / POINT_MAX) * high });
  return out;
}

/** Whole coordinates of points, kept on the board. */
export function wire(points: readonly At[], high: number): number[] {
  const place = (value: number, most: number) =>
    Math.round(Math.min(Math.max(0, value / Math.max(1, most)), 1) * POINT_MAX);
  return points.flatMap(({ x, y }) => [place(x, WIDE), place(y, high)]);
}

/** To a tenth of a unit. */
export const n1 = (value: number) => Math.round(value * 10) / 10;
const xy = (at: At) => `${n1(at.x)} ${n1(at.y)}`;

function strokePath(points: readonly At[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  if (rest.length === 0) return `M${xy(first)}l.1 0`;
  if (rest.length === 1 && rest[0]) return `M${xy(first)}L${xy(rest[0])}`;
  let path = `M${xy(first)}`;
  for (let n = 1; n < points.length - 1; n++) {
    const at = points[n] as At;
    const next = points[n + 1] as At;
    const end = n === points.length - 2 ? next : { x: (at.x + next.x) / 2, y: (at.y + next.y) / 2 };
    path += `Q${xy(at)} ${xy(end)}`;
  }
  return path;
}

/** The outline of a figure; empty for text and for what has no points yet. */
export function pathOf(fig: Figure, high: number): string {
  const points = pointsOf(fig, high);
  const [a, b] = points;
  if (!a || fig.kind === 'text') return '';
  if (fig.kind === 'pen' || fig.kind === 'marker') return strokePath(points);
  if (!b) return '';
  switch (fig.kind) {
    case 'line':
      return `M${xy(a)}L${xy(b)}`;
    case 'arrow': {
      const turn = Math.atan2(b.y - a.y, b.x - a.x);
      const long = 12 + lineWidth(fig) * 3;
      const side = (by: number) => ({ x: b.x - long * Math.cos(turn + by), y: b.y - long * Math.sin(turn + by) });
      return `M${xy(a)}L${xy(b)}M${xy(side(0.45))}L${xy(b)}L${xy(side(-0.45))}`;
    }
    case 'rect':
      return `M${xy(a)}H${n1(b.x)}V${n1(b.y)}H${n1(a.x)}Z`;
    case 'ellipse': {
      const rx = n1(Math.abs(b.x - a.x) / 2);
      const ry = n1(Math.abs(b.y - a.y) / 2);
      const y = n1((a.y + b.y) / 2);
      const left = n1(Math.min(a.x, b.x));
      return `M${left} ${y}a${rx} ${ry} 0 1 0 ${n1(rx * 2)} 0a${rx} ${ry} 0 1 0 ${n1(-rx * 2)} 0Z`;
    }
  }
}

/** The lines of a text, broken where the board ends. */
export function linesOf(fig: Figure): string[] {
  const x = ((fig.p[0] ?? 0) / POINT_MAX) * WIDE;
  const most = Math.max(6, Math.floor((WIDE - x) / (textSize(fig) * LETTER)));
  return (fig.text ?? '').split('\n').flatMap((line) => {
    const out: string[] = [];
    let now = '';
    for (const word of line.split(' ')) {
      let rest = word;
      if (now !== '' && now.length + 1 + rest.length <= most) {
        now += ` ${rest}`;
        continue;
      }
      if (now !== '') out.push(now);
      for (; rest.length > most; rest = rest.slice(most)) out.push(rest.slice(0, most));
      now = rest;
    }
    return [...out, now];
  });
}

/** Without the points that change nothing one could see (Douglas and Peucker). */
export function simplify(points: readonly At[], tolerance = 0.8): At[] {
  if (points.length < 3) return [...points];
  const keep = new Set<number>([0, points.length - 1]);
  const spans: [number, number][] = [[0, points.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span;
    let far = tolerance;
    let at = -1;
    for (let n = from + 1; n < to; n++) {
      const away = distance(points[n] as At, points[from] as At, points[to] as At);
      if (away > far) [far, at] = [away, n];
    }
    if (at < 0) continue;
    keep.add(at);
    spans.push([from, at], [at, to]);
  }
  return points.filter((_, n) => keep.has(n));
}

/** From a point to a piece of a line. */
export function distance(p: At, a: At, b: At): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const long = dx * dx + dy * dy;
  const t = long === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / long));
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/** How near the rubber must come, units. */
const RUBBER = 12;

/** Whether the rubber at a point touches the figure. */
export function touches(fig: Figure, high: number, at: At): boolean {
  const points = pointsOf(fig, high);
  const [a, b] = points;
  if (!a) return false;
  if (fig.kind === 'text') {
    const lines = linesOf(fig);
    const size = textSize(fig);
    const wide = Math.max(...lines.map((line) => line.length)) * size * LETTER;
    return (
      at.x >= a.x - RUBBER &&
      at.x <= a.x + wide + RUBBER &&
      at.y >= a.y - RUBBER &&
      at.y <= a.y + lines.length * size * LEADING + RUBBER
    );
  }
  let outline = points;
  if (b && fig.kind === 'rect') outline = [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }, a];
  if (b && fig.kind === 'ellipse')
    outline = Array.from({ length: 33 }, (_, n) => ({
      x: (a.x + b.x) / 2 + (Math.cos((n / 16) * Math.PI) * (b.x - a.x)) / 2,
      y: (a.y + b.y) / 2 + (Math.sin((n / 16) * Math.PI) * (b.y - a.y)) / 2,
    }));
  const near = RUBBER + lineWidth(fig) / 2;
  return outline.some((p, n) => distance(at, outline[Math.max(0, n - 1)] as At, p) <= near);
}
