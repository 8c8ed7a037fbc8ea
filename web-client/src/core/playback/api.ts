// The endpoints of recordings. One function per endpoint, nothing else.
import { part, type Http, type Result } from '../records/http';
import type {
  AudienceForm,
  Captions,
  Playback,
  RecordingDetail,
  RecordingList,
  RecordingSettings,
  RecordingState,
  Span,
  WatchedForm,
  WatcherList,
} from './shapes';

type Answer<T> = Promise<Result<T>>;

export interface RecordingsQuery {
  class?: string | undefined;
  session?: string | undefined;
  q?: string | undefined;
}

export class RecordingsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  list = (query: RecordingsQuery = {}, signal?: AbortSignal): Answer<RecordingList> =>
    this.#http.get('/recordings', { ...query }, signal);
  one = (id: string): Answer<RecordingDetail> => this.#http.get(`/recordings/${part(id)}`);
  state = (id: string, to: RecordingState, note: string): Answer<unknown> =>
    this.#http.send('POST', `/recordings/${part(id)}/state`, { to, ...(note === '' ? {} : { note }) });
  cuts = (id: string, cuts: readonly Span[]): Answer<unknown> =>
    this.#http.send('PUT', `/recordings/${part(id)}/cuts`, { cuts });
  settings = (id: string, form: RecordingSettings): Answer<unknown> =>
    this.#http.send('PUT', `/recordings/${part(id)}/settings`, form);
  audience = (id: string, form: AudienceForm): Answer<{ link?: string }> =>
    this.#http.send('PUT', `/recordings/${part(id)}/audience`, form);
  /** Captions in a language; the name they are chosen by may have marks. */
  setCaptions = (id: string, lang: string, vtt: string, label: string): Answer<Captions[]> =>
    this.#http.text(`/recordings/${part(id)}/captions/${part(lang)}`, vtt, {
      'content-type': 'text/vtt',
      'x-label': encodeURIComponent(label),
    });
  removeCaptions = (id: string, lang: string): Answer<unknown> =>
    this.#http.send('DELETE', `/recordings/${part(id)}/captions/${part(lang)}`);
  watchers = (id: string): Answer<WatcherList> => this.#http.get(`/recordings/${part(id)}/watchers`);
  /** Take back that I am recorded. */
  withdraw = (id: string): Answer<unknown> => this.#http.send('POST', `/recordings/${part(id)}/withdraw`, {});
  askDisposal = (id: string, reason: string): Answer<unknown> =>
    this.#http.send('POST', `/recordings/${part(id)}/disposal`, { reason });
  approveDisposal = (id: string): Answer<unknown> =>
    this.#http.send('POST', `/recordings/${part(id)}/disposal/approve`);

  /** Whether I, who am in the room, may watch what is recorded so far. */
  fromStart = (id: string): Answer<{ may: boolean }> => this.#http.get(`/recordings/${part(id)}/from-start`);
  playback = (id: string): Answer<Playback> => this.#http.get(`/recordings/${part(id)}/playback`);
  /** What was watched; the last report goes out while the page is left. */
  watched = (id: string, report: WatchedForm, leaving = false): Answer<unknown> =>
    this.#http.send('POST', `/recordings/${part(id)}/watched`, report, { leaving });

  /** The same for who has a link and no account. */
  playbackByLink = (token: string): Answer<Playback> => this.#http.get(`/recording-links/${part(token)}/playback`);
  watchedByLink = (token: string, report: WatchedForm, leaving = false): Answer<unknown> =>
    this.#http.send('POST', `/recording-links/${part(token)}/watched`, report, { leaving });
}
