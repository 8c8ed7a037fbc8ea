import { describe, expect, it } from 'vitest';
import { POINT_MAX, type Figure } from '../proto';
import { distance, linesOf, pathOf, pointsOf, simplify, touches, WIDE, wire } from './draw';
import { pdfOf } from './pdf';

const fig = (kind: Figure['kind'], p: number[], text?: string): Figure => ({
  kind,
  ink: 'red',
  w: 2,
  p,
  ...(text !== undefined && { text }),
});
const HIGH = 900;

describe('places', () => {
  it('go over the wire as whole numbers on the board and come back', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 800, y: 450 },
      { x: WIDE, y: HIGH },
    ];
    expect(wire(points, HIGH)).toEqual([0, 0, 5000, 5000, POINT_MAX, POINT_MAX]);
    expect(pointsOf({ p: wire(points, HIGH) }, HIGH)).toEqual(points);
    expect(wire([{ x: -5, y: 9_999 }], HIGH)).toEqual([0, POINT_MAX]);
    // A number without a second one is no point.
    expect(pointsOf({ p: [1, 2, 3] }, HIGH)).toHaveLength(1);
  });
});

describe('strokes', () => {
  it('lose only points nobody would miss', () => {
    const straight = Array.from({ length: 50 }, (_, n) => ({ x: n * 4, y: n * 2 }));
    expect(simplify(straight)).toEqual([straight[0], straight[49]]);
    const corner = [...straight, { x: 196, y: 300 }];
    expect(simplify(corner)).toEqual([straight[0], straight[49], corner[50]]);
    const wave = Array.from({ length: 200 }, (_, n) => ({ x: n * 5, y: 100 + 60 * Math.sin(n / 9) }));
    const kept = simplify(wave);
    expect(kept.length).toBeLessThan(wave.length / 2);
    for (const p of wave) {
      const near = kept.slice(1).map((b, n) => distance(p, kept[n] ?? b, b));
      expect(Math.min(...near)).toBeLessThan(1);
    }
    expect(simplify([])).toEqual([]);
  });
  it('of one point are a dot, and every kind has an outline', () => {
    expect(pathOf(fig('pen', [5000, 5000]), HIGH)).toBe('M800 450l.1 0');
    expect(pathOf(fig('pen', [0, 0, 5000, 5000, 10_000, 0]), HIGH)).toBe('M0 0Q800 450 1600 0');
    for (const kind of ['line', 'arrow', 'rect', 'ellipse'] as const) {
      expect(pathOf(fig(kind, [1000, 1000, 2000, 3000]), HIGH)).toMatch(/^M[\d.]/);
      expect(pathOf(fig(kind, [1000, 1000]), HIGH)).toBe('');
    }
    expect(pathOf(fig('pen', []), HIGH)).toBe('');
  });
});

describe('the rubber', () => {
  it('takes what it touches, by the outline', () => {
    const line = fig('line', [0, 0, 10_000, 10_000]);
    expect(touches(line, HIGH, { x: 810, y: 450 })).toBe(true);
    expect(touches(line, HIGH, { x: 900, y: 300 })).toBe(false);
    const rect = fig('rect', [1000, 1000, 5000, 5000]);
    expect(touches(rect, HIGH, { x: 160, y: 300 })).toBe(true);
    expect(touches(rect, HIGH, { x: 480, y: 270 })).toBe(false);
    const oval = fig('ellipse', [1000, 1000, 5000, 5000]);
    expect(touches(oval, HIGH, { x: 480, y: 92 })).toBe(true);
    expect(touches(oval, HIGH, { x: 165, y: 95 })).toBe(false);
    const text = fig('text', [1000, 1000], 'Chào lớp');
    expect(touches(text, HIGH, { x: 200, y: 110 })).toBe(true);
    expect(touches(text, HIGH, { x: 200, y: 300 })).toBe(false);
    expect(touches(fig('pen', []), HIGH, { x: 0, y: 0 })).toBe(false);
  });
});

describe('text', () => {
  it('keeps its lines and breaks where the board ends', () => {
    expect(linesOf(fig('text', [0, 0], 'một\nhai'))).toEqual(['một', 'hai']);
    const lines = linesOf(fig('text', [8000, 0], 'Thời gian mở học liệu sau lớp'));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join(' ')).toBe('Thời gian mở học liệu sau lớp');
    const long = linesOf(fig('text', [9900, 0], 'x'.repeat(20)));
    expect(long.join('')).toBe('x'.repeat(20));
    expect(Math.max(...long.map((line) => line.length))).toBe(6);
  });
});

describe('a PDF', () => {
  it('has a page for each picture, and its table leads to every object', () => {
    const jpeg = new Uint8Array([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]);
    const bytes = pdfOf([
      { jpeg, width: 200, height: 100 },
      { jpeg, width: 100, height: 100 },
    ]);
    const text = new TextDecoder('latin1').decode(bytes);
    expect(text.startsWith('%PDF-1.4')).toBe(true);
    expect(text.match(/\/Type \/Page /g)).toHaveLength(2);
    expect(text).toContain('/MediaBox [0 0 960 480]');
    const start = Number(/startxref\n(\d+)/.exec(text)?.[1]);
    const places = text.slice(start).match(/^\d{10} 00000 n/gm) ?? [];
    expect(places).toHaveLength(8);
    places.forEach((place, n) => {
      expect(text.slice(Number(place.slice(0, 10)))).toMatch(new RegExp(`^${n + 1} 0 obj`));
    });
  });
});
