import { describe, expect, it } from 'vitest';
import { stillAt } from './stills';
import { Timeline } from './timeline';

const s = (n: number) => n * 1000;
const minutes = (n: number) => s(n * 60);
const pictures = (tiles: [number, number][], everyMs = s(10)) => ({
  poster: '/p',
  strips: ['/0', '/1'],
  across: 5,
  width: 160,
  height: 90,
  everyMs,
  tiles,
});
const hours = new Timeline(minutes(120), []);

describe('small pictures', () => {
  it('stand in rows of strips, and the nearest is that of a moment', () => {
    const all = pictures(Array.from({ length: 30 }, (_, n) => [s(5 + n * 10), n]));
    expect(stillAt(all, 0, hours)).toEqual({ url: '/0', x: 0, y: 0, width: 160, height: 90 });
    expect(stillAt(all, s(19), hours)).toMatchObject({ url: '/0', x: 160, y: 0 });
    expect(stillAt(all, s(66), hours)).toMatchObject({ url: '/0', x: 160, y: 90 });
    expect(stillAt(all, s(299), hours)).toMatchObject({ url: '/1', x: 640, y: 0 });
  });

  it('are none where nothing is near', () => {
    const holes = pictures([
      [s(5), 0],
      [s(15), 1],
      [s(95), 2],
    ]);
    expect(stillAt(holes, s(50), hours)).toBeNull();
    expect(stillAt(holes, s(90), hours)).toMatchObject({ x: 320 });
    expect(stillAt(undefined, 0, hours)).toBeNull();
    expect(stillAt(pictures([]), 0, hours)).toBeNull();
    // One for all of a short one.
    expect(stillAt(pictures([[s(4), 0]]), 0, hours)).toMatchObject({ url: '/0' });
    expect(stillAt(pictures([[s(4), 99]]), 0, hours)).toBeNull();
  });

  it('are as near as the server says they stand apart, however few there are', () => {
    const few = pictures(
      [
        [minutes(10), 0],
        [minutes(70), 1],
      ],
      s(48),
    );
    expect(stillAt(few, minutes(40), hours)).toBeNull();
    expect(stillAt(few, minutes(10) + s(48), hours)).toMatchObject({ x: 0 });
    expect(stillAt(few, minutes(10) + s(49), hours)).toBeNull();
    expect(stillAt(few, minutes(70) - s(48), hours)).toMatchObject({ x: 160 });
    const single = pictures([[minutes(10), 0]]);
    expect(stillAt(single, minutes(40), hours)).toBeNull();
    expect(stillAt(single, minutes(10), hours)).not.toBeNull();
  });

  it('are near each other across what was cut, and none is of what is cut', () => {
    const all = pictures([
      [minutes(10), 0],
      [minutes(40) + s(10), 1],
    ]);
    const cut = new Timeline(minutes(120), [{ fromMs: minutes(10) + s(5), toMs: minutes(40) + s(5) }]);
    // Just after the cut: five seconds of what is shown from either, the first of them.
    expect(stillAt(all, minutes(10) + s(5), cut)).toMatchObject({ x: 0 });
    expect(stillAt(all, minutes(10) + s(6), cut)).toMatchObject({ x: 160 });
    const more = new Timeline(minutes(120), [{ fromMs: minutes(5), toMs: minutes(41) }]);
    expect(stillAt(all, minutes(5), more)).toBeNull();
  });
});
