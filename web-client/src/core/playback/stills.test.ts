import { describe, expect, it } from 'vitest';
import { stillAt } from './stills';

const s = (n: number) => n * 1000;
const pictures = (tiles: [number, number][]) => ({
  poster: '/p',
  strips: ['/0', '/1'],
  across: 5,
  width: 160,
  height: 90,
  tiles,
});

describe('small pictures', () => {
  it('stand in rows of strips, and the nearest is that of a moment', () => {
    const all = pictures(Array.from({ length: 30 }, (_, n) => [s(5 + n * 10), n]));
    expect(stillAt(all, 0)).toEqual({ url: '/0', x: 0, y: 0, width: 160, height: 90 });
    expect(stillAt(all, s(19))).toMatchObject({ url: '/0', x: 160, y: 0 });
    expect(stillAt(all, s(66))).toMatchObject({ url: '/0', x: 160, y: 90 });
    expect(stillAt(all, s(299))).toMatchObject({ url: '/1', x: 640, y: 0 });
  });

  it('are none where nothing is near', () => {
    const holes = pictures([
      [s(5), 0],
      [s(15), 1],
      [s(95), 2],
    ]);
    expect(stillAt(holes, s(50))).toBeNull();
    expect(stillAt(holes, s(90))).toMatchObject({ x: 320 });
    expect(stillAt(undefined, 0)).toBeNull();
    expect(stillAt(pictures([]), 0)).toBeNull();
    // One for all of a short one.
    expect(stillAt(pictures([[s(4), 0]]), 0)).toMatchObject({ url: '/0' });
    expect(stillAt(pictures([[s(4), 99]]), 0)).toBeNull();
  });
});
