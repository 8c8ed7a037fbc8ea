// The calls of a check: no account, the link is the key.
import type { IceServer } from '../proto';
import { Http, type Result } from '../records/http';
import type { CheckReport } from '../records/gen';

export interface CheckOffer {
  title: string;
  host: string;
  startsAt?: number;
  /** Name of the site, with a preflight link. */
  site?: string;
  ice: IceServer[];
}

export type Via = 'udp' | 'tcp' | 'turn';

export interface MediaAnswer {
  /** Absent: the server offers no such way. */
  sdp?: string;
  /** Addresses of the server on this way, `address:port`; of a relay as it is configured. */
  addresses: string[];
  endsMs: number;
}

export interface CheckApi {
  begin(key: string): Promise<Result<CheckOffer>>;
  media(key: string, via: Via, sdp: string): Promise<Result<MediaAnswer>>;
  send(form: { key: string; report: CheckReport; contact: string; note: string }): Promise<Result<{ at: number }>>;
}

export function checkApi(http = new Http()): CheckApi {
  return {
    begin: (key) => http.send('POST', '/check', { key }),
    media: (key, via, sdp) => http.send('POST', '/check/media', { key, via, sdp }),
    send: (form) => http.send('POST', '/preflight', form),
  };
}
