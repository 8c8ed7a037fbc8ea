// Zooming and moving a page inside its place: pure arithmetic.

export interface Zoom {
  /** 1 = the whole page is seen. */
  z: number;
  /** How far the middle of the page stands from the middle of its place, pixels. */
  x: number;
  y: number;
}

export const FITTED: Zoom = { z: 1, x: 0, y: 0 };
export const MOST_ZOOM = 5;

interface Size {
  width: number;
  height: number;
}

/** The largest rectangle of the page's shape inside. */
export function fitPage(box: Size, page: Size): Size {
  if (box.width <= 0 || box.height <= 0 || page.width <= 0 || page.height <= 0) return { width: 0, height: 0 };
  const scale = Math.min(box.width / page.width, box.height / page.height);
  return { width: Math.floor(page.width * scale), height: Math.floor(page.height * scale) };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(value, -most), most) || 0;
}

/** Moved so far; an edge of the page never comes further in than needed. */
export function pan(zoom: Zoom, dx: number, dy: number, paper: Size, box: Size): Zoom {
  const mostX = Math.max(0, (paper.width * zoom.z - box.width) / 2);
  const mostY = Math.max(0, (paper.height * zoom.z - box.height) / 2);
  return { z: zoom.z, x: within(zoom.x + dx, mostX), y: within(zoom.y + dy, mostY) };
}

/** Zoomed so that what is at a point (from the middle of the place) stays there. */
export function zoomAt(zoom: Zoom, to: number, at: { x: number; y: number }, paper: Size, box: Size): Zoom {
  const z = Math.min(Math.max(1, to), MOST_ZOOM);
  if (z <= 1.01) return FITTED;
  const by = z / zoom.z;
  return pan({ z, x: at.x - (at.x - zoom.x) * by, y: at.y - (at.y - zoom.y) * by }, 0, 0, paper, box);
}
