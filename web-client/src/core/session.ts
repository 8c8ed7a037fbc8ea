// One stay in a room: the control link and the peer connection, kept alive and in
// step with each other. Knows nothing of what is on the screen.
import { documentPip, isFloating } from './media/floating';
import { Emitter } from './base/emitter';
import { Link, type LinkDeps, type LinkStatus, type Reply, type TokenResult } from './net/link';
import type {
  ClientFrame,
  ClientInfo,
  ErrorCode,
  IceServer,
  MediaKind,
  Profile,
  ServerFrame,
  SlotCounts,
  TrackState,
  Waiting,
  Welcome,
  You,
} from './proto';
import type { AudioOut } from './rtc/audio-out';
import { Peer, type PeerState, type Thrift } from './rtc/peer';
import { AudioWatchdog, NO_SAMPLE, packetsByMid, StatsSampler, type NetSample } from './rtc/stats';
import { ViewScheduler } from './rtc/view-scheduler';

/** A connection that is interrupted this long gets an ICE restart, ms. */
const RESTART_AFTER = 3_000;
/** Without media this long the peer connection is made anew, ms; doubles up to the longest. */
const RENEW_AFTER = 15_000;
const RENEW_AT_MOST = 60_000;
const STATS_EVERY = 5_000;
const WATCH_EVERY = 1_000;
/** The watch stood still this long: the machine slept or the page was frozen, ms. */
const SLEPT = 10_000;
/** A new network is given this long to settle before the way of the media is asked for anew, ms. */
const SETTLE = 300;

/** Kind of network, where the browser tells it (Android). */
interface Connection extends EventTarget {
  type?: string;
}

export interface SessionEvents {
  status: LinkStatus;
  waiting: Waiting;
  welcome: { welcome: Welcome; again: boolean };
  resumed: { you: You };
  frame: ServerFrame;
  over: { code?: ErrorCode };
  token: string;
  /** A new peer connection took the place of the old one. */
  peer: Peer;
  media: PeerState;
  stats: NetSample;
  rtt: number;
}

export interface SessionOptions {
  token: string;
  profile: Profile;
  slots: SlotCounts;
  /** Relays for the first peer connection; `welcome` brings newer ones. */
  ice?: readonly IceServer[];
  /** The first offer goes after `welcome` (Firefox), not inside `hello`. */
  offerAfterWelcome: boolean;
  audio: AudioOut;
  link: Pick<LinkDeps, 'connect' | 'ticker' | 'now' | 'random' | 'refreshToken' | 'takeOver'>;
  hello: { client: ClientInfo; lang: string };
  makePeer?(profile: Profile, slots: SlotCounts, ice: readonly IceServer[]): Peer;
}

interface Published {
  track: MediaStreamTrack | null;
  st: TrackState;
}

export type { TokenResult };

export class RoomSession extends Emitter<SessionEvents> {
  readonly link: Link;
  readonly views: ViewScheduler;
  readonly #options: SessionOptions;
  #peer: Peer;
  #ice: readonly IceServer[];
  #profile: Profile;
  #slots: SlotCounts;
  #published = new Map<MediaKind, Published>();
  #thrift: Thrift = { smallCamera: false };
  #offered = false;
  #candidates: (string | null)[] = [];
  #negotiation: Promise<unknown> = Promise.resolve();
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #renewTimer: ReturnType<typeof setTimeout> | undefined;
  #renewDelay = RENEW_AFTER;
  #statsTimer: ReturnType<typeof setInterval> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  #sampler = new StatsSampler();
  #watchdog = new AudioWatchdog();
  #stopped = false;
  /** The network is another one: the way of the media must be found anew, whatever the connection says. */
  #moved = false;
  #movedTimer: ReturnType<typeof setTimeout> | undefined;
  #lastWatch = Date.now();
  #cleanup: (() => void)[] = [];
  /** Audio slots that are bound to somebody who speaks right now. */
  speakingSlots: () => readonly string[] = () => [];

  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.#ice = options.ice ?? [];
    this.#profile = options.profile;
    this.#slots = options.slots;
    this.views = new ViewScheduler((view) => void this.link.send({ t: 'view', ...view }));
    this.link = new Link(options.token, {
      ...options.link,
      hello: (resuming) => this.#hello(resuming),
    });
    this.#peer = this.#makePeer();
    this.link.on('status', (status) => this.emit('status', status));
    this.link.on('token', (token) => this.emit('token', token));
    this.link.on('rtt', (rtt) => this.emit('rtt', rtt));
    this.link.on('over', (over) => {
      this.emit('over', over);
      this.stop();
    });
    this.link.on('waiting', (waiting) => this.emit('waiting', waiting));
    this.link.on('welcome', ({ welcome, again }) => {
      this.emit('welcome', { welcome, again });
      this.#onWelcome(welcome, again);
    });
    this.link.on('resumed', (resumed) => {
      this.emit('resumed', resumed);
      this.#republish();
      this.views.resend();
      this.#checkMedia();
    });
    this.link.on('frame', (frame) => {
      if (frame.t === 'renegotiate') this.#renew();
      if (frame.t === 'layers') this.#peer.setWatched({ camera: frame.camera, screen: frame.screen });
      this.emit('frame', frame);
    });
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** Receiving slots of the peer connection. */
  get slots(): SlotCounts {
    return this.#slots;
  }

  /** Other slots: a new peer connection takes the place of the old one; devices go on. */
  setProfile(profile: Profile, slots: SlotCounts): void {
    if (this.#stopped) return;
    this.#profile = profile;
    this.#slots = slots;
    // Without a link the return brings a connection of the new profile.
    if (this.link.status === 'ok') this.#renew();
    else this.#replacePeer();
  }

  start(): void {
    this.link.start();
    this.#statsTimer = setInterval(() => void this.#sample(), STATS_EVERY);
    this.#watchTimer = setInterval(() => void this.#watch(), WATCH_EVERY);
    this.#lastWatch = Date.now();
    if (typeof window === 'undefined') return;
    const listen = (target: EventTarget, event: string, handler: () => void) => {
      target.addEventListener(event, handler);
      this.#cleanup.push(() => target.removeEventListener(event, handler));
    };
    listen(window, 'online', () => this.#onMoved());
    listen(window, 'offline', () => {
      this.#moved = true;
      this.link.suspect();
    });
    // Wi-Fi to 4G, without a moment offline in between.
    const connection = (navigator as { connection?: Connection }).connection;
    if (typeof connection?.addEventListener === 'function') {
      let type = connection.type;
      listen(connection, 'change', () => {
        if (connection.type === type) return;
        type = connection.type;
        if (type !== 'none') this.#onMoved();
      });
    }
    // Back from the freezer or the page cache of the browser.
    listen(document, 'resume', () => this.#wake());
    listen(window, 'pageshow', () => this.#wake());
    if (typeof navigator.mediaDevices?.addEventListener === 'function') {
      // Headphones that go pause the sound in some browsers.
      listen(navigator.mediaDevices, 'devicechange', () => void this.#options.audio.resume());
    }
    const look = () => {
      const hidden = document.visibilityState === 'hidden' && !isFloating();
      this.views.setPageHidden(hidden);
      if (hidden) return;
      this.#wake();
      void this.#options.audio.play();
    };
    listen(document, 'visibilitychange', look);
    // A small window beside a hidden page goes on showing pictures until it is closed.
    listen(document, 'enterpictureinpicture', look);
    listen(document, 'leavepictureinpicture', look);
    const floating = documentPip();
    if (floating) {
      listen(floating, 'enter', () => {
        look();
        // While it closes it still counts as open.
        floating.window?.addEventListener('pagehide', () => setTimeout(look), { once: true });
      });
    }
  }

  /** Somebody looks again, or time has passed unnoticed: is everything still there? */
  #wake(): void {
    if (this.#stopped) return;
    this.link.retryNow();
    this.#checkMedia();
    void this.#options.audio.resume();
  }

  #onMoved(): void {
    this.#moved = true;
    this.link.retryNow();
    // With the link still up the restart goes at once; otherwise with its return.
    clearTimeout(this.#movedTimer);
    this.#movedTimer = setTimeout(() => this.#checkMedia(), SETTLE);
  }

  send(msg: ClientFrame): boolean {
    return this.link.send(msg);
  }

  request<T extends ServerFrame['t'] = 'ok'>(msg: ClientFrame): Promise<Reply<T>> {
    return this.link.request<T>(msg);
  }

  /**
   * Publishes a track, or with null and `off` takes it back. Resolves to an error
   * code when the server refuses the state.
   */
  async publish(kind: MediaKind, track: MediaStreamTrack | null, st: TrackState): Promise<ErrorCode | null> {
    this.#published.set(kind, { track, st });
    await this.#peer.send(kind, track);
    const reply = await this.request({ t: 'pub', kind, st });
    // While the link is down the state is told after the return.
    return reply.ok || reply.code === 'network' ? null : reply.code;
  }

  /** Notes a state that the server already knows, for example after a remote mute. */
  async note(kind: MediaKind, track: MediaStreamTrack | null, st: TrackState): Promise<void> {
    this.#published.set(kind, { track, st });
    await this.#peer.send(kind, track);
  }

  /** Sends less than usual, on this peer connection and on those that follow. */
  setThrift(thrift: Thrift): void {
    this.#thrift = thrift;
    this.#peer.setThrift(thrift);
  }

  async leave(): Promise<void> {
    await this.link.leave();
    this.stop();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#renewTimer);
    clearTimeout(this.#movedTimer);
    clearInterval(this.#statsTimer);
    clearInterval(this.#watchTimer);
    for (const undo of this.#cleanup) undo();
    this.#cleanup = [];
    this.views.stop();
    this.#peer.close();
    this.#options.audio.stop();
  }

  // ---- hello and peers

  async #hello(resuming: boolean): Promise<Awaited<ReturnType<LinkDeps['hello']>>> {
    const { hello, offerAfterWelcome } = this.#options;
    const [profile, slots] = [this.#profile, this.#slots];
    const parts = { client: hello.client, lang: hello.lang, profile, slots };
    if (resuming || offerAfterWelcome) return parts;
    // An answered peer connection cannot be offered to another session.
    if (this.#peer.pc.remoteDescription) this.#replacePeer();
    const offer = await this.#peer.offer();
    this.#offered = true;
    return { ...parts, offer };
  }

  #makePeer(): Peer {
    const { makePeer } = this.#options;
    const [profile, slots] = [this.#profile, this.#slots];
    const peer = makePeer ? makePeer(profile, slots, this.#ice) : new Peer(profile, slots, this.#ice);
    this.#offered = false;
    this.#candidates = [];
    this.#sampler.reset();
    peer.setThrift(this.#thrift);
    peer.on('state', (state) => {
      if (peer === this.#peer) this.#onMedia(state);
    });
    peer.on('candidate', (candidate) => {
      if (peer !== this.#peer) return;
      this.#candidates.push(candidate);
      this.#flushCandidates();
    });
    return peer;
  }

  #replacePeer(): void {
    const old = this.#peer;
    this.#moved = false;
    this.#peer = this.#makePeer();
    for (const [kind, { track }] of this.#published) {
      if (track) void this.#peer.send(kind, track).catch(() => undefined);
    }
    old.close();
  }

  /** The slots get their names with the first local description. */
  #slotsKnown(): void {
    this.#options.audio.bind(this.#peer.audioSlots);
    this.views.setSlots(
      this.#peer.videoSlots.map((s) => s.mid),
      this.#peer.screenSlots.map((s) => s.mid),
    );
    this.emit('peer', this.#peer);
  }

  #flushCandidates(): void {
    if (!this.#offered || this.link.status !== 'ok') return;
    for (const candidate of this.#candidates.splice(0)) {
      this.link.send(candidate === null ? { t: 'ice' } : { t: 'ice', cand: candidate });
    }
  }

  #onWelcome(welcome: Welcome, again: boolean): void {
    // Credentials run out: an ICE restart or a new connection hours later needs these.
    this.#ice = welcome.ice ?? [];
    if (this.#ice.length > 0) this.#peer.setIce(this.#ice);
    if (again) this.#republish();
    if (welcome.answer && this.#offered) {
      const { sdp } = welcome.answer;
      const peer = this.#peer;
      this.#slotsKnown();
      this.#flushCandidates();
      this.#armRenew();
      this.#negotiate(() => peer.accept(sdp));
      return;
    }
    if (this.#peer.pc.remoteDescription) this.#replacePeer();
    this.#offerNow(false);
  }

  #republish(): void {
    for (const [kind, { st }] of this.#published) {
      if (st !== 'off') this.link.send({ t: 'pub', kind, st });
    }
  }

  /** Offers follow one another. */
  #negotiate(task: () => Promise<void>): void {
    this.#negotiation = this.#negotiation.then(task).catch(() => {
      // What failed shows as a peer connection without media, which is made anew.
      this.#armRenew();
    });
  }

  #offerNow(restart: boolean): void {
    const peer = this.#peer;
    this.#armRenew();
    this.#negotiate(async () => {
      if (peer !== this.#peer || this.#stopped) return;
      const sdp = await peer.offer(restart);
      const [profile, slots] = [this.#profile, this.#slots];
      const answer = this.request<'answer'>({ t: 'offer', sdp, restart, ...(!restart && { profile, slots }) });
      this.#offered = true;
      if (!restart) this.#slotsKnown();
      this.#flushCandidates();
      const reply = await answer;
      if (reply.ok && peer === this.#peer) await peer.accept(reply.frame.sdp);
      else if (!reply.ok && reply.code !== 'network' && restart) this.#renew();
    });
  }

  // ---- keeping media alive

  #onMedia(state: PeerState): void {
    this.emit('media', state);
    switch (state) {
      case 'connected':
        clearTimeout(this.#restartTimer);
        clearTimeout(this.#renewTimer);
        this.#restartTimer = this.#renewTimer = undefined;
        this.#renewDelay = RENEW_AFTER;
        break;
      case 'disconnected':
        this.#armRestart(RESTART_AFTER);
        this.#armRenew();
        break;
      case 'failed':
        this.#armRestart(0);
        this.#armRenew();
        break;
      default:
    }
  }

  #armRestart(delay: number): void {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      if (this.#peer.state !== 'connected' && this.link.status === 'ok') this.#offerNow(true);
    }, delay);
  }

  #armRenew(): void {
    if (this.#renewTimer !== undefined || this.#stopped) return;
    this.#renewTimer = setTimeout(() => {
      this.#renewTimer = undefined;
      if (this.#peer.state === 'connected' || this.#stopped) return;
      if (this.link.status === 'ok') {
        this.#renewDelay = Math.min(this.#renewDelay * 2, RENEW_AT_MOST);
        this.#renew();
      } else {
        this.#armRenew();
      }
    }, this.#renewDelay);
  }

  /** The link is back or the page is shown: look after the media at once. */
  #checkMedia(): void {
    if (this.link.status !== 'ok' || this.#stopped) return;
    if (!this.#peer.pc.remoteDescription) {
      this.#offerNow(false);
      return;
    }
    const { state } = this.#peer;
    if (state === 'disconnected' || state === 'failed') {
      this.#armRestart(0);
      this.#armRenew();
    } else if (this.#moved && state === 'connected') {
      // It still believes in the old way; waiting for its doubts would cost seconds of silence.
      this.#offerNow(true);
    }
    this.#moved = false;
  }

  /** A new peer connection with the same slots. */
  #renew(): void {
    if (this.#stopped) return;
    this.#replacePeer();
    this.#offerNow(false);
  }

  // ---- watching

  async #sample(): Promise<void> {
    if (this.#peer.state !== 'connected') {
      this.emit('stats', NO_SAMPLE);
      return;
    }
    const peer = this.#peer;
    const report = await peer.pc.getStats().catch(() => null);
    if (report && peer === this.#peer) this.emit('stats', this.#sampler.sample(report, performance.now()));
  }

  async #watch(): Promise<void> {
    const now = Date.now();
    const slept = now - this.#lastWatch > SLEPT;
    this.#lastWatch = now;
    if (slept) this.#wake();
    const speaking = this.speakingSlots();
    if (speaking.length === 0 || this.#peer.state !== 'connected') return;
    const report = await this.#peer.pc.getStats().catch(() => null);
    if (report && this.#watchdog.check(speaking, packetsByMid(report))) this.#renew();
  }
}
