// Sizes of tiles: pure arithmetic, so that it can be tested without a browser.

export interface Fit {
  cols: number;
  rows: number;
  width: number;
  height: number;
}

/** The arrangement of `count` tiles that makes them largest; wider than 16:9 or narrower than `narrow` a tile never gets. */
export function bestGrid(count: number, width: number, height: number, gap: number, narrow = 4 / 3): Fit {
  let best: Fit = { cols: 1, rows: 1, width: 0, height: 0 };
  for (let cols = 1; cols <= Math.max(1, count); cols++) {
    const rows = Math.ceil(count / cols);
    let w = (width - gap * (cols - 1)) / cols;
    let h = (height - gap * (rows - 1)) / rows;
    if (w <= 0 || h <= 0) continue;
    w = Math.min(w, (h * 16) / 9);
    h = Math.min(h, w / narrow);
    // On an upright screen a second column is worth a little size: faces are narrow.
    const worth = narrow < 1 && cols === 2 ? 1.1 : 1;
    if (w * h * worth > best.width * best.height) best = { cols, rows, width: Math.floor(w), height: Math.floor(h) };
  }
  return best;
}

/** Tiles on a page of the gallery. */
export function galleryPageSize(width: number, height: number): number {
  if (width < 560 || height < 360) return 4;
  return width < 760 ? 6 : 9;
}

/** The largest 16:9 rectangle inside. */
export function fit169(width: number, height: number): { width: number; height: number } {
  const w = Math.min(width, (height * 16) / 9);
  return { width: Math.floor(w), height: Math.floor((w * 9) / 16) };
}

/** Sites on a page of the wall: as many as are still seen well. */
export function wallPageSize(width: number, height: number): number {
  const per = (side: number, least: number) => Math.max(1, Math.floor(side / least));
  const cols = per(width, width < 560 ? 150 : 196);
  const rows = per(height, width < 560 ? 110 : 132);
  return Math.min(24, Math.max(2, cols * rows));
}
