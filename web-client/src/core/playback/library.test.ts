import { describe, expect, it } from 'vitest';
import { isMoving, keptAddresses, pathOf } from './library';

const HOUR = 3_600_000;
const poster = (id: string, e: number, s = 'x') => `/media/recordings/${id}/poster-ab12.webp?e=${e}&v=p1&s=${s}`;
const at = (id: string) => `/media/recordings/${id}/poster-ab12.webp`;

describe('what is looked at again', () => {
  it('is what is recorded or worked on, and not what failed', () => {
    const progress = { stage: 'pictures', percent: 40 };
    const failed = { ...progress, failed: 'ffmpeg' };
    expect(isMoving({ state: 'recording' })).toBe(true);
    expect(isMoving({ state: 'processing' })).toBe(true);
    expect(isMoving({ state: 'published', progress })).toBe(true);
    expect(isMoving({ state: 'published' })).toBe(false);
    expect(isMoving({ state: 'published', progress: failed })).toBe(false);
    expect(isMoving({ state: 'processing', progress: failed })).toBe(false);
  });
});

describe('addresses of posters', () => {
  it('stay while they are good, however often they are signed anew', () => {
    let kept = keptAddresses(new Map(), [poster('a', 4 * HOUR), poster('b', 4 * HOUR)], 0);
    kept = keptAddresses(kept, [poster('a', 5 * HOUR, 'y'), poster('c', 5 * HOUR)], HOUR);
    expect(kept.get(at('a'))).toBe(poster('a', 4 * HOUR));
    expect(kept.get(at('c'))).toBe(poster('c', 5 * HOUR));
    // What a filter hides is back with its address.
    expect(kept.get(at('b'))).toBe(poster('b', 4 * HOUR));
  });

  it('are another near their end, and what is not told any more goes with its own', () => {
    const kept = keptAddresses(new Map(), [poster('a', 4 * HOUR), poster('b', 4 * HOUR)], 0);
    const late = keptAddresses(kept, [poster('a', 8 * HOUR)], 4 * HOUR - 60_000);
    expect([...late]).toEqual([[at('a'), poster('a', 8 * HOUR)]]);
    const odd = keptAddresses(new Map([['/a', '/a?e=soon']]), ['/a?e=9e15'], 0);
    expect(odd.get('/a')).toBe('/a?e=9e15');
  });

  it('are told apart by what is behind them', () => {
    expect(pathOf(poster('a', 1))).toBe(at('a'));
    expect(pathOf('/s/1/l.webp')).toBe('/s/1/l.webp');
    const kept = keptAddresses(new Map(), ['/s/1/l.webp'], 0);
    expect(keptAddresses(kept, ['/s/1/l.webp'], 9 * HOUR).get('/s/1/l.webp')).toBe('/s/1/l.webp');
  });
});
