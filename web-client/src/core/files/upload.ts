// Sending one file with its progress. XMLHttpRequest, because fetch tells nothing about what has gone out.
import { codeOf, type ApiResult } from '../net/api';
import type { DeckFault, ErrorCode } from '../proto';

export interface Sending {
  url: string;
  file: Blob;
  /** Session token; goes in a header, never in an address. */
  token: string;
  /** Bytes gone out so far. */
  onsent(bytes: number): void;
  signal: AbortSignal;
}

/** How an upload ended; `aborted` is what the person wanted, `why` tells more of a file that was refused. */
export type Sent<T> =
  Extract<ApiResult<T>, { ok: true }> | { ok: false; code: ErrorCode | 'network' | 'aborted'; why?: DeckFault };

export function sendFile<T>({ url, file, token, onsent, signal }: Sending): Promise<Sent<T>> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ ok: false, code: 'aborted' });
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const done = (result: Sent<T>) => {
      signal.removeEventListener('abort', abort);
      resolve(result);
    };
    signal.addEventListener('abort', abort);
    request.open('POST', url);
    request.setRequestHeader('authorization', `Bearer ${token}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onsent(event.loaded);
    request.onload = () => {
      let body: unknown = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // A proxy may answer with a page of its own.
      }
      if (request.status >= 200 && request.status < 300) done({ ok: true, value: body as T });
      else {
        const why = (body as { why?: DeckFault } | null)?.why;
        const code = request.status === 413 ? 'too_large' : codeOf(body, request.status);
        done({ ok: false, code, ...(why !== undefined && { why }) });
      }
    };
    request.onerror = () => done({ ok: false, code: 'network' });
    request.ontimeout = () => done({ ok: false, code: 'network' });
    request.onabort = () => done({ ok: false, code: 'aborted' });
    request.send(file);
  });
}
