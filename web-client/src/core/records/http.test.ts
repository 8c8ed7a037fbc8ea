import { describe, expect, it, vi } from 'vitest';
import { errorOf, fileName, Http, withQuery } from './http';

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

function client(answers: (Response | Error)[], over: object = {}) {
  const calls: { url: string; init: RequestInit }[] = [];
  const fetch = vi.fn(async (url: unknown, init: unknown) => {
    calls.push({ url: String(url), init: init as RequestInit });
    const next = answers.shift();
    if (next === undefined || next instanceof Error) throw next ?? new TypeError('no answer');
    return next;
  });
  const http = new Http({ fetch: fetch as unknown as typeof globalThis.fetch, pause: async () => undefined, ...over });
  return { http, calls };
}

describe('calls of the API', () => {
  it('send changes with the header that proves the own origin, and reads without', async () => {
    const { http, calls } = client([json(200, {}), json(200, {})]);
    await http.send('POST', '/people', { name: 'An' });
    await http.get('/people');
    expect(new Headers(calls[0]?.init.headers).get('x-lophoc')).toBe('1');
    expect(calls[0]?.init.credentials).toBe('same-origin');
    expect(calls[0]?.init.body).toBe('{"name":"An"}');
    expect(new Headers(calls[1]?.init.headers).get('x-lophoc')).toBeNull();
  });

  it('read again when the network failed, and never change twice', async () => {
    const reading = client([new TypeError('x'), json(503, null), json(200, { items: [] })]);
    expect(await reading.http.get('/people')).toEqual({ ok: true, value: { items: [] } });
    expect(reading.calls).toHaveLength(3);
    const writing = client([new TypeError('x'), json(200, {})]);
    expect(await writing.http.send('POST', '/people', {})).toEqual({
      ok: false,
      error: { code: 'network', status: 0 },
    });
    expect(writing.calls).toHaveLength(1);
  });

  it('give up after three reads', async () => {
    const { http, calls } = client([new TypeError('x'), new TypeError('x'), new TypeError('x'), json(200, {})]);
    expect((await http.get('/people')).ok).toBe(false);
    expect(calls).toHaveLength(3);
  });

  it('do not read again what was refused', async () => {
    const { http, calls } = client([json(403, { error: { code: 'forbidden' } })]);
    expect(await http.get('/accounts')).toEqual({ ok: false, error: { code: 'forbidden', status: 403 } });
    expect(calls).toHaveLength(1);
  });

  it('tell who must sign in, and who must change the password', async () => {
    const onSignIn = vi.fn();
    const onMustChange = vi.fn();
    const { http } = client(
      [
        json(401, { error: { code: 'signIn' } }),
        json(403, { error: { code: 'mustChange' } }),
        json(401, { error: { code: 'wrongPassword' } }),
      ],
      { onSignIn, onMustChange },
    );
    await http.get('/classes');
    await http.get('/classes');
    await http.send('POST', '/sign-in', {});
    expect(onSignIn).toHaveBeenCalledTimes(1);
    expect(onMustChange).toHaveBeenCalledTimes(1);
  });

  it('keep everything an error says', () => {
    const body = { error: { code: 'refused', step: 'noTrainer', fields: { title: 'required' }, afterMs: 5 } };
    expect(errorOf(409, body)).toEqual({ ...body.error, status: 409 });
  });

  it('name errors of proxies by their status', () => {
    expect(errorOf(413, '<html>').code).toBe('tooLarge');
    expect(errorOf(502, null).code).toBe('network');
    expect(errorOf(500, { error: 'x' }).code).toBe('internal');
  });

  it('take an answer that was cut off as none', async () => {
    const { http } = client([new Response('{"items":[', { status: 200 })]);
    expect(await http.send('POST', '/x')).toEqual({ ok: false, error: { code: 'network', status: 0 } });
  });

  it('end when no answer comes in time', async () => {
    const hang = ((_: string, init: RequestInit) =>
      new Promise((_resolve, reject) => {
        init.signal?.addEventListener('abort', () => reject(new DOMException('x', 'AbortError')));
      })) as unknown as typeof fetch;
    const http = new Http({ fetch: hang, timeoutMs: 5, pause: async () => undefined });
    expect(await http.send('POST', '/x')).toEqual({ ok: false, error: { code: 'timeout', status: 0 } });
  });

  it('send a file and tell how much went out', async () => {
    const seen: number[] = [];
    const http = new Http({
      upload: async (path, file, progress) => {
        progress(0.5);
        return { status: 200, text: JSON.stringify({ path, size: file.size }) };
      },
    });
    const result = await http.upload('/classes/c1/imports', { file: 'danh sách.xlsx' }, new Blob(['abc']), (n) =>
      seen.push(n),
    );
    expect(result).toEqual({
      ok: true,
      value: { path: '/api/v1/classes/c1/imports?file=danh+s%C3%A1ch.xlsx', size: 3 },
    });
    expect(seen).toEqual([0.5]);
  });
});

describe('addresses and names of files', () => {
  it('leave empty parts of a query out', () => {
    expect(withQuery('/people', { q: '', unit: null, from: 0, x: undefined })).toBe('/people?from=0');
    expect(withQuery('/people', { q: 'Ái & Ệ' })).toBe('/people?q=%C3%81i+%26+%E1%BB%86');
  });

  it('are read from the header, marks included', () => {
    expect(fileName(`attachment; filename="a.xlsx"; filename*=UTF-8''%C4%90i%E1%BB%83m%20danh.xlsx`)).toBe(
      'Điểm danh.xlsx',
    );
    expect(fileName('attachment; filename="diem-danh.pdf"')).toBe('diem-danh.pdf');
    expect(fileName(`attachment; filename*=UTF-8''%zz; filename=a.csv`)).toBe('a.csv');
    expect(fileName(null)).toBe('tep');
  });
});
