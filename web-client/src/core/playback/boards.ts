// Boards as they were drawn: which blank board is shown to all, and what stands on a board or
// on a page at a moment.
import type { Figure, Shape } from '../proto';
import { INKS } from '../board/draw';
import type { BoardEvent } from './shapes';
import { lastAt } from './timeline';

const KINDS = new Set<string>(['pen', 'marker', 'line', 'arrow', 'rect', 'ellipse', 'text']);

function asFigure(value: unknown): Figure | null {
  if (typeof value !== 'object' || value === null) return null;
  const fig = value as Partial<Figure>;
  const whole =
    KINDS.has(fig.kind ?? '') &&
    (fig.ink ?? '') in INKS &&
    typeof fig.w === 'number' &&
    Array.isArray(fig.p) &&
    fig.p.every((one) => typeof one === 'number') &&
    (fig.text === undefined || fig.text === null || typeof fig.text === 'string');
  return whole ? (fig as Figure) : null;
}

/** A shape of the protocol, or nothing for what a newer server may draw. */
function asShape(value: unknown): Shape | null {
  if (typeof value !== 'object' || value === null) return null;
  const { n, fig } = value as Partial<Shape>;
  return typeof n === 'number' && asFigure(fig) ? (value as Shape) : null;
}

/** Layer over a page of slides. */
export const layerOf = (deck: string, page: number): string => `${deck}-${page}`;

interface Step {
  atMs: number;
  shape: Shape | null;
  hide: readonly number[];
  show: readonly number[];
}

export class BoardTape {
  readonly #shown: { atMs: number; board: string }[] = [];
  readonly #steps = new Map<string, Step[]>();
  #last: { board: string; step: number; shapes: readonly Shape[] } = { board: '', step: -1, shapes: [] };

  constructor(events: readonly BoardEvent[]) {
    for (const one of [...events].sort((a, b) => a.atMs - b.atMs)) {
      if (one.shown) this.#shown.push({ atMs: one.atMs, board: one.board });
      const shape = asShape(one.shape);
      if (!shape && !one.hide?.length && !one.show?.length) continue;
      const steps = this.#steps.get(one.board) ?? [];
      steps.push({ atMs: one.atMs, shape, hide: one.hide ?? [], show: one.show ?? [] });
      this.#steps.set(one.board, steps);
    }
  }

  /** The blank board in place of slides, and since when; none: empty. */
  shownAt(t: number): { board: string; atMs: number } {
    return this.#shown[lastAt(this.#shown, t)] ?? { board: '', atMs: -1 };
  }

  /** What is seen on a board, the lowest first. The same list as long as nothing changes. */
  shapesAt(board: string, t: number): readonly Shape[] {
    const steps = this.#steps.get(board) ?? [];
    const step = lastAt(steps, t);
    if (this.#last.board === board && this.#last.step === step) return this.#last.shapes;
    const all = new Map<number, Shape>();
    const hidden = new Set<number>();
    for (const one of steps.slice(0, step + 1)) {
      if (one.shape) all.set(one.shape.n, one.shape);
      for (const n of one.hide) hidden.add(n);
      for (const n of one.show) hidden.delete(n);
    }
    const shapes = [...all.values()].filter((one) => !hidden.has(one.n)).sort((a, b) => a.n - b.n);
    this.#last = { board, step, shapes };
    return shapes;
  }
}
