import { describe, expect, it } from 'vitest';
import { bestGrid, fit169, galleryPageSize } from './grid';
import { commandFor, focusKind, type Keystroke } from './keyboard';
import { linkify } from './linkify';

const key = (over: Partial<Keystroke>): Keystroke => ({
  key: 'a',
  ctrl: false,
  alt: false,
  meta: false,
  shift: false,
  composing: false,
  focus: 'free',
  ...over,
});

describe('the keyboard', () => {
  it('switches microphone and camera with Ctrl+D and Ctrl+E everywhere, also while writing', () => {
    expect(commandFor(key({ key: 'd', ctrl: true, focus: 'text' }), false)).toBe('mic');
    expect(commandFor(key({ key: 'E', ctrl: true }), false)).toBe('camera');
  });

  it('takes letters only outside of text and only when they are switched on', () => {
    expect(commandFor(key({ key: 'm' }), true)).toBe('mic');
    expect(commandFor(key({ key: 'H' }), true)).toBe('hand');
    expect(commandFor(key({ key: 'm', focus: 'text' }), true)).toBeNull();
    expect(commandFor(key({ key: 'm' }), false)).toBeNull();
  });

  it('leaves letters with Ctrl, Alt or Meta to the browser', () => {
    for (const mod of ['ctrl', 'alt', 'meta'] as const) {
      expect(commandFor(key({ key: 'p', [mod]: true }), true)).toBeNull();
    }
  });

  it('does nothing while an input method composes a letter', () => {
    expect(commandFor(key({ key: 'm', composing: true }), true)).toBeNull();
    expect(commandFor(key({ key: 'd', ctrl: true, composing: true }), true)).toBeNull();
  });

  it('holds space to talk, but lets space press a focused button', () => {
    expect(commandFor(key({ key: ' ' }), true)).toBe('talk');
    expect(commandFor(key({ key: ' ', focus: 'control' }), true)).toBeNull();
    expect(commandFor(key({ key: ' ', focus: 'text' }), true)).toBeNull();
  });

  it('moves between regions with F6 in both directions', () => {
    expect(commandFor(key({ key: 'F6', focus: 'text' }), true)).toBe('nextRegion');
    expect(commandFor(key({ key: 'F6', shift: true }), true)).toBe('prevRegion');
  });

  it('knows where the focus is', () => {
    document.body.innerHTML =
      '<textarea id="a"></textarea><input id="b" type="checkbox"><button id="c"><b id="d"></b></button><p id="e"></p>';
    const at = (id: string) => focusKind(document.getElementById(id));
    expect(['a', 'b', 'c', 'd', 'e'].map(at)).toEqual(['text', 'control', 'control', 'control', 'free']);
    expect(focusKind(null)).toBe('free');
  });
});

describe('the grid of tiles', () => {
  it('puts nine tiles three by three on a wide screen and four two by two on a phone', () => {
    expect(bestGrid(9, 1256, 604, 8)).toMatchObject({ cols: 3, rows: 3 });
    expect(bestGrid(4, 382, 732, 8, 0.62)).toMatchObject({ cols: 2, rows: 2 });
    expect(bestGrid(2, 1256, 604, 8)).toMatchObject({ cols: 2, rows: 1 });
  });

  it('never exceeds the place, whatever the number of tiles', () => {
    for (let n = 1; n <= 25; n++) {
      for (const [w, h] of [
        [1256, 604],
        [382, 700],
        [820, 300],
      ] as const) {
        const fit = bestGrid(n, w, h, 8);
        expect(fit.cols * fit.rows).toBeGreaterThanOrEqual(n);
        expect(fit.cols * fit.width + (fit.cols - 1) * 8).toBeLessThanOrEqual(w);
        expect(fit.rows * fit.height + (fit.rows - 1) * 8).toBeLessThanOrEqual(h);
      }
    }
  });

  it('shows four at a time on phones and nine on desktops', () => {
    expect(galleryPageSize(382, 700)).toBe(4);
    expect(galleryPageSize(1256, 604)).toBe(9);
  });

  it('fits the stage as 16:9', () => {
    expect(fit169(1600, 450)).toEqual({ width: 800, height: 450 });
    expect(fit169(320, 900)).toEqual({ width: 320, height: 180 });
  });
});

describe('links in chat', () => {
  it('are found without the punctuation of the sentence', () => {
    expect(linkify('Xem https://a.vn/b?c=1, nhé.')).toEqual([
      { text: 'Xem ' },
      { text: 'https://a.vn/b?c=1', href: 'https://a.vn/b?c=1' },
      { text: ', nhé.' },
    ]);
  });

  it('keep a bracket that belongs to the address and leave one that does not', () => {
    const href = (text: string) => linkify(text).find((piece) => piece.href !== undefined)?.text;
    expect(href('https://vi.wikipedia.org/wiki/Sử_(môn).')).toBe('https://vi.wikipedia.org/wiki/Sử_(môn)');
    expect(href('(xem https://a.vn/b)')).toBe('https://a.vn/b');
    expect(href('(xem https://a.vn/b_(c)).')).toBe('https://a.vn/b_(c)');
  });

  it('are http and https only', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'www.a.vn', 'http://', 'https://[']) {
      expect(linkify(text).some((piece) => piece.href !== undefined)).toBe(false);
    }
  });

  it('keep every character of the message', () => {
    for (const text of ['', 'a', 'https://a.vn', 'x https://a.vn/. y https://b.vn/(c) z', '<b>https://a.vn/"</b>']) {
      expect(
        linkify(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
    }
  });
});
