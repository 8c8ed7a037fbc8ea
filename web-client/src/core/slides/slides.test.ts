import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sendFile } from '../files/upload';
import { Pace } from './pace';
import { clampPage, gently, PageCache, pageUrl, variantFor, type Need } from './pages';
import { linesOf, PageTexts, readText } from './text';

describe('the width of a page', () => {
  const need = (more: Partial<Need>): Need => ({ width: 380, ratio: 1, zoom: 1, saver: false, level: 4, ...more });

  it('is the small one on a phone and the large one where it would be blurred', () => {
    expect(variantFor(need({}))).toBe('s');
    expect(variantFor(need({ ratio: 2 }))).toBe('l');
    expect(variantFor(need({ width: 900 }))).toBe('l');
  });

  it('is the small one with data saving and on a weak link, until somebody zooms in to read', () => {
    expect(variantFor(need({ width: 900, saver: true }))).toBe('s');
    expect(variantFor(need({ width: 900, level: 1 }))).toBe('s');
    expect(variantFor(need({ width: 900, saver: true, zoom: 2 }))).toBe('l');
  });

  it('is in the address the server gave', () => {
    expect(pageUrl({ url: '/s/abc' }, 3, 's')).toBe('/s/abc/3/s.webp');
  });

  it('comes slowly where the link bears speech and little more', () => {
    expect(gently(null, 1)).toBe(false);
    expect(gently({ at: 'camera', why: 'link' }, 1)).toBe(false);
    expect(gently({ at: 'sound', why: 'link' }, 4)).toBe(true);
    expect(gently({ at: 'sound', why: 'chosen' }, 4)).toBe(false);
    expect(gently({ at: 'sound', why: 'chosen' }, 2)).toBe(true);
    expect(pageUrl({ url: '/s/abc' }, 3, 's', true)).toBe('/s/abc/3/s.webp?kbps=22');
    expect(pageUrl({ url: '/s/abc' }, 3, 'l', true)).toBe('/s/abc/3/l.webp');
  });
});

it('a page number is always one of the deck', () => {
  expect([0, 1, 24, 25, 2.7, NaN].map((n) => clampPage(n, 24))).toEqual([1, 1, 24, 24, 2, 1]);
  expect(clampPage(5, 0)).toBe(1);
});

describe('pictures', () => {
  const loader = () => {
    const asked: string[] = [];
    const bad = new Set<string>();
    const cache = new PageCache((url) => {
      asked.push(url);
      return bad.has(url) ? Promise.reject(new Error('gone')) : Promise.resolve({} as HTMLImageElement);
    });
    return { asked, bad, cache };
  };

  it('are fetched once, also ahead of time', async () => {
    const { asked, cache } = loader();
    cache.ahead('/2');
    await cache.get('/2');
    await cache.get('/2');
    expect(asked).toEqual(['/2']);
    expect(cache.has('/2')).toBe(true);
  });

  it('that failed are asked for again', async () => {
    const { asked, bad, cache } = loader();
    bad.add('/2');
    await expect(cache.get('/2')).rejects.toThrow();
    bad.clear();
    await cache.get('/2');
    expect(asked).toEqual(['/2', '/2']);
  });

  it('are let go in the order of their last use', async () => {
    const { asked, cache } = loader();
    for (const url of ['/1', '/2', '/3', '/4', '/5', '/6']) await cache.get(url);
    await cache.get('/1');
    await cache.get('/7');
    expect(cache.has('/2')).toBe(false);
    expect(cache.has('/1')).toBe(true);
    await cache.get('/1');
    expect(asked.filter((url) => url === '/1')).toHaveLength(1);
  });
});

describe('a pace', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets twelve values through in a second and never loses the last', () => {
    const sent: number[] = [];
    const pace = new Pace<number>(84, (n) => sent.push(n));
    for (let n = 0; n < 100; n++) {
      pace.push(n);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(200);
    expect(sent.length).toBeLessThanOrEqual(13);
    expect(sent.at(-1)).toBe(99);
  });
});

describe('the words of a page', () => {
  const layer = {
    w: 960,
    h: 540,
    words: [
      ['Xin', 10, 20, 40, 40],
      ['cha\u0300o', 45, 20, 90, 40],
      ['lớp', 10, 60, 40, 80],
      ['broken', 1],
    ],
  };

  it('are read as lines, composed, without what is damaged', () => {
    const text = readText(layer);
    expect(text && linesOf(text)).toBe('Xin chào\nlớp');
  });

  it('may be anything without harm', () => {
    for (const value of [null, 3, 'x', [], {}, { w: 1, h: 1 }, { w: 1, h: 1, words: 'x' }])
      expect(readText(value)).toBeNull();
  });

  it('are asked for again after the network failed', async () => {
    const fetched = vi
      .fn()
      .mockRejectedValueOnce(new Error('net'))
      .mockResolvedValue({ ok: true, json: async () => layer });
    vi.stubGlobal('fetch', fetched);
    const texts = new PageTexts();
    expect(await texts.get({ url: '/s/a' }, 1)).toBeNull();
    expect((await texts.get({ url: '/s/a' }, 1))?.words).toHaveLength(3);
    await texts.get({ url: '/s/a' }, 1);
    expect(fetched).toHaveBeenCalledTimes(2);
    vi.unstubAllGlobals();
  });
});

describe('sending a file', () => {
  class FakeRequest {
    static last: FakeRequest;
    headers: Record<string, string> = {};
    upload: { onprogress?: (event: { loaded: number }) => void } = {};
    status = 0;
    responseText = '';
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    url = '';
    constructor() {
      FakeRequest.last = this;
    }
    open(_method: string, url: string) {
      this.url = url;
    }
    setRequestHeader(name: string, value: string) {
      this.headers[name] = value;
    }
    send() {}
    abort() {
      this.onabort?.();
    }
    answer(status: number, body: unknown) {
      this.status = status;
      this.responseText = typeof body === 'string' ? body : JSON.stringify(body);
      this.onload?.();
    }
  }
  const start = (signal = new AbortController().signal) => {
    vi.stubGlobal('XMLHttpRequest', FakeRequest);
    const sent: number[] = [];
    const url = '/api/decks?name=a.pdf';
    const done = sendFile({ url, file: new Blob(['abc']), token: 'secret', onsent: (n) => sent.push(n), signal });
    return { done, sent, request: FakeRequest.last };
  };
  afterEach(() => void vi.unstubAllGlobals());

  it('tells how far it is and what came back; the token is in no address', async () => {
    const { done, sent, request } = start();
    request.upload.onprogress?.({ loaded: 2 });
    request.answer(201, { deck: { deck: 'd1' } });
    expect(await done).toEqual({ ok: true, value: { deck: { deck: 'd1' } } });
    expect(sent).toEqual([2]);
    expect(request.headers.authorization).toBe('Bearer secret');
    expect(request.url).not.toContain('secret');
  });

  it.each([
    [415, { code: 'bad_request', why: 'encrypted' }, { ok: false, code: 'bad_request', why: 'encrypted' }],
    [413, '<html>too large</html>', { ok: false, code: 'too_large' }],
    [502, '<html>bad gateway</html>', { ok: false, code: 'network' }],
    [403, { code: 'forbidden' }, { ok: false, code: 'forbidden' }],
  ])('tells why it was refused: %s', async (status, body, wanted) => {
    const { done, request } = start();
    request.answer(status, body);
    expect(await done).toEqual(wanted);
  });

  it('is called off', async () => {
    const abort = new AbortController();
    const { done } = start(abort.signal);
    abort.abort();
    expect(await done).toEqual({ ok: false, code: 'aborted' });
  });
});
