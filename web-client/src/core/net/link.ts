// One logical connection to the server over one websocket after another: hello,
// welcome, resume with replay, retries, liveness, requests with replies.
import { Emitter } from '../base/emitter';
import type {
  ByeAction,
  ClientFrame,
  ClientInfo,
  ErrorCode,
  Profile,
  ServerFrame,
  SlotCounts,
  Waiting,
  Welcome,
  You,
} from '../proto';
import { GZIP_OVER, PROTO } from '../proto';
import { checkFrame } from '../proto/guards';
import { retryDelay } from './backoff';
import { ServerClock } from './clock';
import { canGzip, packJson, unpackJson } from './gzip';
import type { Ticker } from './ticker';

/** A socket that neither opened nor welcomed us after this long is given up, ms. */
const CONNECT_TIMEOUT = 12_000;
/** A request without a reply after this long has failed, ms. */
const REQUEST_TIMEOUT = 15_000;
/** A probe after waking up must be answered within this, ms. */
const PROBE_TIMEOUT = 4_000;
/** A link that held this long starts the waiting times afresh when it breaks, ms. */
const HELD = 5_000;
/** Close code for "going away for good". */
const NORMAL = 1000;

/** The part of the browser's WebSocket that we use. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** What the rest of the client contributes to `hello`. */
export interface HelloParts {
  client: ClientInfo;
  lang: string;
  profile: Profile;
  slots: SlotCounts;
  offer?: string;
}

export type TokenResult = { token: string } | { code: ErrorCode | 'network' };

export interface LinkDeps {
  connect(): SocketLike;
  /** `resuming` is true when an earlier session is asked back; then no offer is needed. */
  hello(resuming: boolean): Promise<HelloParts>;
  /** A new token in place of one that the server refused. */
  refreshToken?(): Promise<TokenResult>;
  /** The first hello takes the place of another device of the same person. */
  takeOver?: boolean;
  ticker: Ticker;
  /** Wall clock, ms. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  gzip?: boolean;
}

export type LinkStatus = 'connecting' | 'ok' | 'reconnecting' | 'ended';

export interface LinkEvents {
  status: LinkStatus;
  /** A new session. `again` is true when an earlier one of this page was lost. */
  welcome: { welcome: Welcome; again: boolean };
  /** In the waiting room, until `welcome` or `over`; told again after each return. */
  waiting: Waiting;
  /** The earlier session goes on. */
  resumed: { you: You };
  /** Every other message, in order, each `seq` once. */
  frame: ServerFrame;
  /** The server told us not to come back, or refused us for good. */
  over: { code?: ErrorCode };
  token: string;
  rtt: number;
}

export type Reply<T extends ServerFrame['t'] = ServerFrame['t']> =
  { ok: true; frame: Extract<ServerFrame, { t: T }> } | { ok: false; code: ErrorCode | 'network' };

interface Pending {
  resolve(reply: Reply): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Refusals after which another try with the same token may work. */
const TRANSIENT: ReadonlySet<string> = new Set<ErrorCode>(['busy', 'rate_limited', 'internal']);
/** Refusals which a new token may cure. */
const STALE_TOKEN: ReadonlySet<string> = new Set<ErrorCode>(['expired', 'forbidden']);

export class Link extends Emitter<LinkEvents> {
  readonly clock = new ServerClock();
  #deps: LinkDeps;
  #token: string;
  #gzip: boolean;
  #status: LinkStatus = 'connecting';
  #socket: SocketLike | null = null;
  #welcomed = false;
  /** In the waiting room: nothing may be sent but signs of life. */
  #waits = false;
  #attempt = 0;
  #upAt: number | null = null;
  #lostAt: number | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | null = null;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #stopTicker: (() => void) | null = null;
  #lastHeard = 0;
  #pingSent: number | null = null;
  #ping = { every: 4_000, timeout: 25_000 };
  #resume: { session: string; key: string } | null = null;
  #lastSeq: number | null = null;
  #everWelcomed = false;
  #refreshed = false;
  #nextId = 1;
  #pending = new Map<number, Pending>();
  #incoming: Promise<void> | null = null;
  #outgoing: Promise<void> | null = null;

  constructor(token: string, deps: LinkDeps) {
    super();
    this.#token = token;
    this.#deps = deps;
    this.#gzip = deps.gzip ?? canGzip();
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /** When the link was lost, by our clock; null while it is up. */
  get lostAt(): number | null {
    return this.#lostAt;
  }

  /** When the next attempt starts, by our clock; null when one is under way or none is needed. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  /** How long the present ping has been without an answer, ms. */
  get silentForMs(): number {
    return this.#pingSent === null ? 0 : this.#deps.now() - this.#pingSent;
  }

  get token(): string {
    return this.#token;
  }

  start(): void {
    this.#open();
  }

  /** Tries at once when the link is down; asks for a sign of life when it is up. */
  retryNow(): void {
    if (this.#status === 'ended') return;
    if (this.#status === 'ok') {
      this.#probe();
    } else if (this.#retryTimer !== undefined) {
      this.#clearRetry();
      this.#open();
    }
  }

  /** The network is known to be gone: do not wait for the time-out. */
  suspect(): void {
    if (this.#status === 'ok') this.#lost();
  }

  /** Sends without wanting a reply. False when the link is down. */
  send(msg: ClientFrame): boolean {
    if (!this.#welcomed || !this.#socket) return false;
    this.#write(this.#socket, msg);
    return true;
  }

  /** Sends and waits for the reply with the same id. */
  request<T extends ServerFrame['t'] = 'ok'>(msg: ClientFrame): Promise<Reply<T>> {
    if (!this.#welcomed || !this.#socket) return Promise.resolve({ ok: false, code: 'network' });
    const id = this.#nextId;
    this.#nextId = (this.#nextId % 0x7fff_ffff) + 1;
    const socket = this.#socket;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        resolve({ ok: false, code: 'network' });
      }, REQUEST_TIMEOUT);
      this.#pending.set(id, { resolve: resolve as (reply: Reply) => void, timer });
      this.#write(socket, { ...msg, id });
    });
  }

  /** Leaves for good; the server is told when the link is up. */
  async leave(): Promise<void> {
    if (this.#status === 'ended') return;
    if ((this.#welcomed || this.#waits) && this.#socket) {
      this.#write(this.#socket, { t: 'leave' });
      await this.#outgoing;
    }
    this.#end();
  }

  // ---- connecting

  #open(): void {
    if (this.#status === 'ended') return;
    this.#retryAt = null;
    let socket: SocketLike;
    try {
      socket = this.#deps.connect();
    } catch {
      this.#schedule();
      return;
    }
    this.#socket = socket;
    this.#welcomed = false;
    this.#incoming = null;
    this.#outgoing = null;
    socket.binaryType = 'arraybuffer';
    const resume = this.#resume !== null && this.#lastSeq !== null ? { ...this.#resume, lastSeq: this.#lastSeq } : null;
    const parts = this.#deps.hello(resume !== null);
    parts.catch(() => undefined);
    this.#connectTimer = setTimeout(() => {
      if (socket === this.#socket) this.#lost();
    }, CONNECT_TIMEOUT);
    socket.onopen = () => {
      parts.then(
        (p) => {
          if (socket !== this.#socket) return;
          this.#write(socket, {
            t: 'hello',
            proto: [PROTO],
            token: this.#token,
            ...p,
            ...(resume && { resume }),
            // Asked of the person once: a device that was itself replaced must not fight back.
            ...(this.#deps.takeOver === true && !this.#everWelcomed && { takeOver: true }),
          });
        },
        () => socket === this.#socket && this.#lost(),
      );
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket === this.#socket) this.#receive(socket, event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
    socket.onerror = null;
    this.#setStatus(this.#everWelcomed ? 'reconnecting' : 'connecting');
  }

  #setStatus(status: LinkStatus): void {
    this.#status = status;
    this.emit('status', status);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    this.#waits = false;
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#stopTicker?.();
    this.#stopTicker = null;
    this.#pingSent = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      try {
        socket.close(NORMAL);
      } catch {
        // It was never open.
      }
    }
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of pending) {
      clearTimeout(p.timer);
      p.resolve({ ok: false, code: 'network' });
    }
  }

  /** The socket is gone: try again after `after` ms at the earliest. */
  #lost(after = 0): void {
    if (this.#status === 'ended') return;
    // A server that welcomes and breaks at once must not be stormed.
    if (this.#upAt !== null && this.#deps.now() - this.#upAt >= HELD) this.#attempt = 0;
    this.#upAt = null;
    this.#drop();
    this.#lostAt ??= this.#deps.now();
    this.#schedule(after);
  }

  #schedule(after = 0): void {
    const lostFor = this.#lostAt === null ? 0 : this.#deps.now() - this.#lostAt;
    const spread = after > 0 ? after + this.#deps.random() * after : 0;
    const delay = Math.max(spread, retryDelay(this.#attempt, lostFor, this.#deps.random()));
    this.#attempt += 1;
    this.#clearRetry();
    this.#retryAt = this.#deps.now() + delay;
    this.#retryTimer = setTimeout(() => {
      this.#clearRetry();
      this.#open();
    }, delay);
    this.#setStatus(this.#everWelcomed ? 'reconnecting' : 'connecting');
  }

  #clearRetry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#retryAt = null;
  }

  #end(): void {
    this.#clearRetry();
    this.#drop();
    this.#setStatus('ended');
  }

  #refused(code: ErrorCode | undefined): void {
    if (code !== undefined && TRANSIENT.has(code)) {
      this.#lost(1_000);
      return;
    }
    const refresh = this.#deps.refreshToken;
    if (code !== undefined && STALE_TOKEN.has(code) && refresh && !this.#refreshed) {
      this.#refreshed = true;
      this.#drop();
      this.#lostAt ??= this.#deps.now();
      void refresh().then((result) => {
        if (this.#status === 'ended') return;
        if ('token' in result) this.#setToken(result.token);
        if ('token' in result) {
          this.#schedule();
        } else if (result.code === 'network' || TRANSIENT.has(result.code)) {
          // No new token could be had yet: the next refusal asks for one again.
          this.#refreshed = false;
          this.#schedule();
        } else {
          this.#over(result.code);
        }
      });
      return;
    }
    this.#over(code);
  }

  #over(code: ErrorCode | undefined): void {
    this.#end();
    this.emit('over', code === undefined ? {} : { code });
  }

  #setToken(token: string): void {
    this.#token = token;
    this.emit('token', token);
  }

  // ---- frames out

  #write(socket: SocketLike, msg: ClientFrame): void {
    const text = JSON.stringify(msg);
    const put = (data: string | Uint8Array<ArrayBuffer>) => {
      if (socket === this.#socket && socket.readyState === 1) socket.send(data);
    };
    const packed = this.#gzip && text.length >= GZIP_OVER ? packJson(text) : null;
    if (!packed && !this.#outgoing) {
      put(text);
      return;
    }
    // Order is kept: what follows a frame that is still being packed waits for it.
    const before = this.#outgoing ?? Promise.resolve();
    const mine = before.then(async () => put(packed ? await packed.catch(() => text) : text));
    this.#outgoing = mine;
    void mine.then(() => {
      if (this.#outgoing === mine) this.#outgoing = null;
    });
  }

  // ---- frames in

  #receive(socket: SocketLike, data: string | ArrayBuffer): void {
    this.#lastHeard = this.#deps.now();
    if (typeof data === 'string' && !this.#incoming) {
      this.#handleText(data);
      return;
    }
    const before = this.#incoming ?? Promise.resolve();
    const mine = before.then(async () => {
      let text: string | null;
      try {
        text = typeof data === 'string' ? data : await unpackJson(data);
      } catch {
        text = null;
      }
      if (text !== null && socket === this.#socket) this.#handleText(text);
    });
    this.#incoming = mine;
    void mine.then(() => {
      if (this.#incoming === mine) this.#incoming = null;
    });
  }

  #handleText(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const checked = checkFrame(value);
    const { seq, id } = checked.ok ? checked.frame : checked;
    const frame = checked.ok ? (checked.frame as unknown as ServerFrame) : null;
    if (frame?.t === 'state') {
      this.#lastSeq = seq ?? 0;
      this.emit('frame', frame);
      return;
    }
    if (seq !== undefined && !this.#accept(seq)) return;
    if (frame && id !== undefined && this.#settle(id, frame) && frame.seq === undefined) return;
    if (frame) this.#handle(frame);
  }

  /** Whether a broadcast is the next one. A repeat is skipped; a gap leads to a resume. */
  #accept(seq: number): boolean {
    if (this.#lastSeq === null) return false;
    if (seq <= this.#lastSeq) return false;
    if (seq > this.#lastSeq + 1) {
      this.#lost();
      return false;
    }
    this.#lastSeq = seq;
    return true;
  }

  #settle(id: number, frame: ServerFrame): boolean {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.resolve(frame.t === 'err' ? { ok: false, code: frame.code } : { ok: true, frame });
    return true;
  }

  #handle(frame: ServerFrame): void {
    switch (frame.t) {
      case 'welcome':
        this.#onWelcome(frame);
        break;
      case 'waiting':
        this.#onWaiting(frame);
        break;
      case 'resumed':
        this.#resume = this.#resume && { ...this.#resume, key: frame.key };
        this.#up();
        if (frame.you.token) this.#setToken(frame.you.token);
        this.emit('resumed', { you: frame.you });
        break;
      case 'pong':
        if (this.#pingSent !== null) {
          const now = this.#deps.now();
          this.clock.sample(this.#pingSent, now, frame.now);
          this.#pingSent = null;
          clearTimeout(this.#probeTimer);
          this.#probeTimer = undefined;
          if (this.clock.rtt !== null) this.emit('rtt', this.clock.rtt);
        }
        break;
      case 'bye':
        this.#onBye(frame.action, frame.code, frame.after);
        break;
      case 'err':
        if (!this.#welcomed && !this.#waits) {
          if (frame.retry) this.#lost(1_000);
          else this.#refused(frame.code);
        } else {
          this.emit('frame', frame);
        }
        break;
      case 'you':
        if (frame.token) this.#setToken(frame.token);
        this.emit('frame', frame);
        break;
      default:
        this.emit('frame', frame);
    }
  }

  #onWelcome(welcome: Welcome): void {
    const again = this.#everWelcomed;
    this.#resume = { session: welcome.session, key: welcome.key };
    this.#lastSeq = null;
    this.#setRule(welcome.ping);
    this.clock.guess(this.#deps.now(), welcome.now);
    this.#everWelcomed = true;
    this.#up();
    if (welcome.you.token) this.#setToken(welcome.you.token);
    this.emit('welcome', { welcome, again });
  }

  #onWaiting(waiting: Waiting): void {
    this.#resume = null;
    this.#lastSeq = null;
    this.#setRule(waiting.ping);
    this.clock.guess(this.#deps.now(), waiting.now);
    this.#waits = true;
    this.#alive();
    this.#sendPing();
    if (waiting.you.token) this.#setToken(waiting.you.token);
    this.emit('waiting', waiting);
  }

  #setRule(ping: Welcome['ping']): void {
    this.#ping = { every: Math.max(1_000, ping.every), timeout: Math.max(5_000, ping.timeout) };
  }

  /** The server has taken us, into the room or the waiting room. */
  #alive(): void {
    clearTimeout(this.#connectTimer);
    this.#upAt = this.#deps.now();
    this.#refreshed = false;
    this.#lostAt = null;
    this.#retryAt = null;
    this.#lastHeard = this.#deps.now();
    this.#stopTicker?.();
    this.#stopTicker = this.#deps.ticker(this.#ping.every, () => this.#tick());
  }

  #up(): void {
    this.#welcomed = true;
    this.#waits = false;
    this.#alive();
    this.#setStatus('ok');
    this.#sendPing();
  }

  #onBye(action: ByeAction, code: ErrorCode | undefined, after: number | undefined): void {
    switch (action) {
      case 'resume':
        this.#lost(after ?? 0);
        break;
      case 'rejoin':
        this.#resume = null;
        this.#lastSeq = null;
        this.#lost(after ?? 0);
        break;
      case 'stop':
        if (this.#welcomed || this.#waits) this.#over(code);
        else this.#refused(code);
        break;
    }
  }

  // ---- liveness

  #tick(): void {
    if (this.#deps.now() - this.#lastHeard >= this.#ping.timeout) {
      this.#lost();
      return;
    }
    this.#sendPing();
  }

  #sendPing(): void {
    const now = this.#deps.now();
    // A ping still under way keeps its time, so that silence is measured from its start.
    this.#pingSent ??= now;
    if (this.#socket && (this.#welcomed || this.#waits)) {
      this.#write(this.#socket, { t: 'ping', c: Math.round(this.#pingSent) });
    }
  }

  #probe(): void {
    if (this.#probeTimer !== undefined) return;
    this.#sendPing();
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = undefined;
      if (this.#pingSent !== null) this.#lost();
    }, PROBE_TIMEOUT);
  }
}
