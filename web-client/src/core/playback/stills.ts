// Small pictures of what is shown: which of them belongs to a moment, and where it stands.
import type { Stills } from './shapes';
import type { Timeline } from './timeline';

export interface Still {
  url: string;
  /** Where it begins in its strip, pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * The picture nearest to a moment of net time; none where none is as near as they stand
 * apart: a stretch without anything to be seen has none.
 */
export function stillAt(pictures: Stills | undefined, net: number, line: Timeline): Still | null {
  if (!pictures) return null;
  const { tiles, across, width, height, everyMs, strips } = pictures;
  let place = -1;
  let least = everyMs;
  for (const [t, number] of tiles) {
    // The editor may cut what it is of.
    if (line.cutAt(t)) continue;
    // In net time, as they were spread: beside a cut the next one is not further away.
    const away = Math.abs(line.toNet(t) - net);
    if (away > least || (place >= 0 && away === least)) continue;
    least = away;
    place = number;
  }
  const each = across * across;
  const url = strips[Math.floor(place / each)];
  const cell = place % each;
  if (place < 0 || url === undefined || across < 1) return null;
  return { url, x: (cell % across) * width, y: Math.floor(cell / across) * height, width, height };
}
