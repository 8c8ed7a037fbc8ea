// State of the connection, as the badge and the banner show it.
import type { LinkStatus } from '../core/net/link';
import type { PeerState } from '../core/rtc/peer';
import { netLevel, NO_SAMPLE, type NetSample } from '../core/rtc/stats';
import type { OnRung } from '../core/proto';
import type { RoomSession } from '../core/session';
import type { Conn, NetLevel, NetModel } from './contract';

const EVERY = 500;
/** Media that is interrupted this long counts as lost, ms. */
const MEDIA_GRACE = 3_000;

export class Net implements NetModel {
  conn = $state<Conn>('connecting');
  level = $state<NetLevel>(4);
  since = $state<number | null>(null);
  retryInMs = $state<number | null>(null);
  stats = $state.raw<NetSample>(NO_SAMPLE);
  rung = $state.raw<OnRung | null>(null);
  readonly #session: RoomSession;
  #timer: ReturnType<typeof setInterval>;
  #mediaLostAt: number | null = null;

  constructor(session: RoomSession) {
    this.#session = session;
    this.conn = session.link.status;
    session.on('status', (status) => this.#onStatus(status));
    // A new connection begins on the highest rung.
    session.on('peer', () => (this.rung = null));
    session.on('media', (state) => this.#onMedia(state));
    session.on('stats', (sample) => {
      this.stats = { ...sample, rttMs: sample.rttMs ?? session.link.clock.rtt };
      this.#refresh();
    });
    this.#timer = setInterval(() => this.#refresh(), EVERY);
  }

  #onStatus(status: LinkStatus): void {
    this.conn = status;
    this.#refresh();
  }

  #onMedia(state: PeerState): void {
    if (state === 'connected') this.#mediaLostAt = null;
    else if (state === 'disconnected' || state === 'failed') this.#mediaLostAt ??= Date.now();
    this.#refresh();
  }

  #refresh(): void {
    const { link } = this.#session;
    const mediaLost = this.#mediaLostAt !== null && Date.now() - this.#mediaLostAt > MEDIA_GRACE;
    this.since = link.lostAt;
    this.retryInMs = link.retryAt === null ? null : Math.max(0, link.retryAt - Date.now());
    this.level = netLevel(this.stats, link.status === 'ok' && !mediaLost, link.silentForMs);
  }

  retryNow(): void {
    this.#session.link.retryNow();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.conn = 'ended';
    this.retryInMs = null;
  }
}
