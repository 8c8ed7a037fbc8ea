import { describe, expect, it } from 'vitest';
// The server's record bundle draws boards by the same rules.
import vectors from '../../../../../src/server/tests/board-vectors.json';
import type { Figure, Shape } from '../../../core/proto';
import { svgOf } from './export';

describe('a board as SVG', () => {
  it('is as the server draws it', () => {
    expect(vectors.length).toBeGreaterThan(0);
    for (const { high, figs, svg } of vectors) {
      const shapes = (figs as Figure[]).map((fig, n): Shape => ({ n: n + 1, by: 'p1', cid: 'a', fig }));
      expect(svgOf(shapes, high, null)).toBe(svg);
    }
  });
});
