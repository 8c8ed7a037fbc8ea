// Small pictures of what is shown: which of them belongs to a moment, and where it stands.
import type { Stills } from './shapes';

export interface Still {
  url: string;
  /** Where it begins in its strip, pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * The picture nearest to a recording time; none where none is near: a stretch without anything
 * to be seen has none.
 */
export function stillAt(pictures: Stills | undefined, t: number): Still | null {
  if (!pictures) return null;
  const { tiles, across, width, height, strips } = pictures;
  let apart = Infinity;
  let best: readonly [number, number] | null = null;
  for (const [n, tile] of tiles.entries()) {
    const before = tiles[n - 1];
    if (before) apart = Math.min(apart, tile[0] - before[0]);
    if (best === null || Math.abs(tile[0] - t) < Math.abs(best[0] - t)) best = tile;
  }
  // Each stands in the middle of its part; beside a cut the middle is further away.
  if (best === null || (tiles.length > 1 && Math.abs(best[0] - t) > apart)) return null;
  const each = across * across;
  const url = strips[Math.floor(best[1] / each)];
  const place = best[1] % each;
  if (url === undefined || across < 1) return null;
  return { url, x: (place % across) * width, y: Math.floor(place / across) * height, width, height };
}
