// The few HTTP calls of a client: what a join link means, joining, the attendance file.
import type { ErrorCode, IceServer, RecordConsent, RecordWhom, RecordedBy, Role, RoomMode } from '../proto';

export interface LinkInfo {
  room: string;
  /** Id of the class session, for its attendance file. */
  session?: string;
  title: string;
  host: string;
  mode: RoomMode;
  role: Role;
  name?: string;
  unit?: string;
  startsAt?: number;
  endsAt?: number;
  state: 'open' | 'early' | 'ended' | 'locked' | 'full';
  /** House rules (nội quy) to be accepted before joining. */
  rules?: HouseRules;
  /** The session is recorded: to be accepted before joining. */
  recording?: RecordingNotice;
}

/** What is told about a recording. */
export interface RecordingNotice {
  /** Told back when it is accepted. */
  words: string;
  who: string;
  why: string;
  keep: string;
  /** What makes it, whom it takes, and whether one may attend unrecorded instead. */
  by?: RecordedBy;
  whom?: RecordWhom;
  ask?: RecordConsent;
}

export interface HouseRules {
  /** Told back when they are accepted. */
  version: string | number;
  text: string;
}

export interface JoinGrant {
  token: string;
  person: string;
  name: string;
  role: Role;
  /** Relays for the first peer connection. */
  ice?: IceServer[];
}

export type ApiCode = ErrorCode | 'network';
export type ApiResult<T> = { ok: true; value: T } | { ok: false; code: ApiCode };

const TIMEOUT = 15_000;

/** The code in an answer that is no success. */
export function codeOf(body: unknown, status: number): ApiCode {
  const code = (body as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code as ErrorCode;
  if (status === 404) return 'not_found';
  // A proxy speaks for a server that it cannot reach.
  if (status >= 502 && status <= 504) return 'network';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'internal' : 'bad_request';
}

async function post<T>(path: string, body: object): Promise<ApiResult<T>> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: abort.signal,
      credentials: 'omit',
    });
    const value: unknown = await response.json().catch(() => null);
    if (response.ok && value !== null) return { ok: true, value: value as T };
    return { ok: false, code: codeOf(value, response.status) };
  } catch {
    return { ok: false, code: 'network' };
  } finally {
    clearTimeout(timer);
  }
}

export function readLink(link: string): Promise<ApiResult<LinkInfo>> {
  return post('/api/link', { link });
}

export function joinLink(o: {
  link: string;
  name: string;
  unit?: string;
  device: string;
  /** Version of the house rules that were accepted. */
  rules?: string | number;
  /** Words of the recording notice that was accepted. */
  recording?: string;
  /** Attends unrecorded, where the recording asks. */
  unrecorded?: boolean;
}): Promise<ApiResult<JoinGrant>> {
  return post('/api/join', o);
}

/** The attendance file of a session; the token goes in a header, never in a URL. */
export function fetchStays(session: string, token: string): Promise<ApiResult<Blob>> {
  return fetchFile(`/api/sessions/${encodeURIComponent(session)}/stays.csv`, token);
}

async function fetchFile(address: string, token: string): Promise<ApiResult<Blob>> {
  try {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${token}` },
      credentials: 'omit',
    });
    if (response.ok) return { ok: true, value: await response.blob() };
    return { ok: false, code: codeOf(await response.json().catch(() => null), response.status) };
  } catch {
    return { ok: false, code: 'network' };
  }
}

/** Captions of a language as a WebVTT file. */
export function fetchCaptions(session: string, lang: string, token: string): Promise<ApiResult<Blob>> {
  return fetchFile(`/api/v1/sessions/${encodeURIComponent(session)}/captions.vtt?lang=${lang}`, token);
}

/** Address of the websocket on the page's own origin. */
export function socketUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/rtc/v1`;
}
