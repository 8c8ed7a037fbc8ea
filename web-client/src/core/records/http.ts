// Calls of /api/v1: cookie sign-in, the header that proves the page's own origin, errors as
// values with a code, a limit in time, and a second try for reads only.
import type { ErrorBody } from './gen';

/** A refused or failed call. `network`: no answer; `timeout`: none in time. */
export interface ApiError extends ErrorBody {
  /** Status of the answer, 0 without one. */
  status: number;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: ApiError };

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface HttpOptions {
  fetch?: typeof fetch;
  /** Sends a file and tells how much went out, 0–1. */
  upload?: (path: string, file: Blob, onProgress: (part: number) => void) => Promise<{ status: number; text: string }>;
  /** Somebody has to sign in before anything else works. */
  onSignIn?: () => void;
  /** The password must be changed before anything else works. */
  onMustChange?: () => void;
  base?: string;
  timeoutMs?: number;
  /** Waits before the second try of a read. */
  pause?: (ms: number) => Promise<void>;
}

const TIMEOUT = 20_000;
/** Files are made while one waits, or are large. */
const FILE_TIMEOUT = 300_000;
const TRIES = 3;
const HEADER = 'x-lophoc';

/** Code for an answer whose body says nothing: from a proxy, or cut off. */
function codeOf(status: number): string {
  if (status === 401) return 'signIn';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'notFound';
  if (status === 409) return 'conflict';
  if (status === 413) return 'tooLarge';
  if (status === 429) return 'rateLimited';
  // A proxy speaks for a server that it cannot reach.
  if (status >= 502 && status <= 504) return 'network';
  return status >= 500 ? 'internal' : 'badRequest';
}

/** The error in a body, or one made from the status. */
export function errorOf(status: number, body: unknown): ApiError {
  const inside = (body as { error?: unknown } | null)?.error;
  if (typeof inside === 'object' && inside !== null && typeof (inside as ErrorBody).code === 'string') {
    return { ...(inside as ErrorBody), status };
  }
  return { code: codeOf(status), status };
}

/** Path with its query; empty values are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '' || value === false) continue;
    params.set(key, String(value));
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** A part of a path, from anywhere. */
export const part = (text: string): string => encodeURIComponent(text);

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sendFile(
  path: string,
  file: Blob,
  onProgress: (part: number) => void,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.timeout = FILE_TIMEOUT;
    request.setRequestHeader(HEADER, '1');
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new Error('network'));
    request.ontimeout = () => reject(new Error('timeout'));
    request.send(file);
  });
}

export class Http {
  readonly #o: Required<Pick<HttpOptions, 'base' | 'timeoutMs' | 'pause' | 'upload'>> & HttpOptions;

  constructor(o: HttpOptions = {}) {
    this.#o = {
      ...o,
      base: o.base ?? '/api/v1',
      timeoutMs: o.timeoutMs ?? TIMEOUT,
      upload: o.upload ?? sendFile,
      pause: o.pause ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
    };
  }

  /** Address of an endpoint, for links to files. */
  url(path: string, query?: Query): string {
    return this.#o.base + withQuery(path, query);
  }

  /** A read; tried again when the network failed. */
  async get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<Result<T>> {
    for (let n = 1; ; n++) {
      const result = await this.#call<T>('GET', withQuery(path, query), undefined, signal);
      const passing = !result.ok && ['network', 'timeout', 'busy'].includes(result.error.code);
      if (!passing || n === TRIES || signal?.aborted) return result;
      await this.#o.pause(300 * 3 ** (n - 1));
    }
  }

  /** A change; never sent twice. `leaving`: it arrives even when the page is left meanwhile. */
  send<T>(
    method: Exclude<Method, 'GET'>,
    path: string,
    body?: unknown,
    { leaving = false }: { leaving?: boolean } = {},
  ): Promise<Result<T>> {
    return this.#call<T>(method, path, body, undefined, leaving);
  }

  /** Puts a text as it is; headers say what it is. */
  async text<T>(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Result<T>> {
    return this.#call<T>('PUT', path, body, undefined, false, headers);
  }

  /** Sends a file as it is. */
  async upload<T>(path: string, query: Query, file: Blob, onProgress: (part: number) => void): Promise<Result<T>> {
    try {
      const { status, text } = await this.#o.upload(this.url(path, query), file, onProgress);
      return this.#result<T>(status, parsed(text));
    } catch (problem) {
      const code = problem instanceof Error && problem.message === 'timeout' ? 'timeout' : 'network';
      return { ok: false, error: { code, status: 0 } };
    }
  }

  /** A file; its name as the server calls it. */
  async file(path: string, query?: Query): Promise<Result<{ blob: Blob; name: string }>> {
    const answer = await this.#fetch('GET', withQuery(path, query), undefined, undefined, FILE_TIMEOUT);
    if (!('response' in answer)) return { ok: false, error: answer };
    const { response, done } = answer;
    try {
      if (!response.ok) return this.#result(response.status, parsed(await response.text()));
      const blob = await response.blob();
      return { ok: true, value: { blob, name: fileName(response.headers.get('content-disposition')) } };
    } catch {
      return { ok: false, error: { code: 'network', status: 0 } };
    } finally {
      done();
    }
  }

  async #call<T>(
    method: Method,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    leaving = false,
    raw?: Readonly<Record<string, string>>,
  ): Promise<Result<T>> {
    const answer = await this.#fetch(method, path, body, signal, raw && FILE_TIMEOUT, leaving, raw);
    if (!('response' in answer)) return { ok: false, error: answer };
    const { response, done } = answer;
    try {
      return this.#result<T>(response.status, parsed(await response.text()));
    } catch {
      return { ok: false, error: { code: 'network', status: 0 } };
    } finally {
      done();
    }
  }

  async #fetch(
    method: Method,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    timeoutMs = this.#o.timeoutMs,
    leaving = false,
    raw?: Readonly<Record<string, string>>,
  ): Promise<ApiError | { response: Response; done: () => void }> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const headers: Record<string, string> = { accept: 'application/json' };
    if (method !== 'GET') headers[HEADER] = '1';
    if (raw) Object.assign(headers, raw);
    else if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      const response = await (this.#o.fetch ?? fetch)(this.#o.base + path, {
        method,
        headers,
        body: body === undefined ? undefined : raw ? String(body) : JSON.stringify(body),
        signal: abort.signal,
        credentials: 'same-origin',
        ...(leaving ? { keepalive: true } : {}),
      });
      return { response, done };
    } catch {
      done();
      return { code: late ? 'timeout' : 'network', status: 0 };
    }
  }

  #result<T>(status: number, body: unknown): Result<T> {
    if (status >= 200 && status < 300) {
      // An answer that was cut off is no answer.
      if (body === undefined) return { ok: false, error: { code: 'network', status: 0 } };
      return { ok: true, value: body as T };
    }
    const error = errorOf(status, body);
    if (error.code === 'signIn') this.#o.onSignIn?.();
    if (error.code === 'mustChange') this.#o.onMustChange?.();
    return { ok: false, error };
  }
}

/** File name of a `content-disposition`, RFC 6266: the one with marks when there is one. */
export function fileName(header: string | null): string {
  const wide = /filename\*\s*=\s*UTF-8''([^;]+)/iu.exec(header ?? '')?.[1];
  if (wide !== undefined) {
    try {
      return decodeURIComponent(wide.trim());
    } catch {
      // Not what it says: the plain one.
    }
  }
  return /filename\s*=\s*"?([^";]+)"?/iu.exec(header ?? '')?.[1]?.trim() ?? 'tep';
}
