// The chat: what was said to all and to some, what is on its way, what is unread.
import { randomKey, stored } from '../core/base/storage';
import type { Audience, ChatEntry, ChatId, PersonId } from '../core/proto';
import { MAX_CHAT } from '../core/proto';
import type { RoomSession } from '../core/session';
import type { PendingChat } from './talk-contract';

/** Messages kept in the page; older ones can be fetched again. */
const KEEP = 5_000;
/** Unsent messages kept over a reload. */
const KEEP_UNSENT = 20;
/** A message that was acknowledged comes back within this, ms. */
const TOLD_WITHIN = 10_000;

/** Whether a message went to fewer than all. */
export function isDirect(entry: Pick<ChatEntry, 'to'>): boolean {
  return entry.to !== undefined && entry.to !== 'all';
}

function readUnsent(value: unknown): PendingChat[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, KEEP_UNSENT).flatMap((one: unknown) => {
    const { cid, text, to } = (typeof one === 'object' && one !== null ? one : {}) as Partial<PendingChat>;
    return typeof cid === 'string' && typeof text === 'string' ? [{ cid, text, to: to ?? 'all', failed: false }] : [];
  });
}

/** The number in an id such as `c12`: ids grow in the order of the room. */
function number(id: ChatId): number {
  return Number(/\d+$/u.exec(id)?.[0] ?? 0);
}

function merged(open: readonly ChatEntry[], direct: readonly ChatEntry[]): ChatEntry[] {
  if (direct.length === 0) return [...open];
  return [...open, ...direct].sort((a, b) => a.at - b.at || number(a.id) - number(b.id));
}

export class Chat {
  list = $state.raw<ChatEntry[]>([]);
  more = $state(false);
  unread = $state(0);
  /** Of the unread ones, those to fewer than all. */
  unreadDirect = $state(0);
  pending = $state.raw<PendingChat[]>([]);
  /** When one wrote to all last, server clock, ms; also when it was deleted since. */
  wroteAt = $state<number | null>(null);
  /** Called for each new message of somebody else. */
  onMessage: (entry: ChatEntry) => void = () => undefined;
  readonly #session: Pick<RoomSession, 'request'>;
  readonly #self: () => PersonId;
  readonly #kept;
  #open = false;
  #toAll: ChatEntry[] = [];
  #direct: ChatEntry[] = [];
  #known = new Set<ChatId>();
  #haveState = false;
  #haveMine = false;
  #loading = false;
  #sending = new Set<string>();

  /** `room` names the place in the browser's storage where unsent messages outlive a reload. */
  constructor(session: Pick<RoomSession, 'request'>, self: () => PersonId, room = '') {
    this.#session = session;
    this.#self = self;
    this.#kept = stored(() => sessionStorage, `lophoc.unsent.${room}.${self()}`, readUnsent);
    this.pending = this.#kept.read();
  }

  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.unread = this.unreadDirect = 0;
  }

  /** The tail of the chat after a (new) welcome. What was loaded before it stays. */
  replace(tail: readonly ChatEntry[], more: boolean, again: boolean): void {
    const fresh = tail.filter((entry) => !this.#known.has(entry.id));
    if (again && fresh.length < tail.length) {
      this.#toAll = this.#without(this.#toAll, tail).concat(fresh);
    } else {
      this.#toAll = [...tail];
      this.more = more;
    }
    this.#changed();
    if (again) this.#count(fresh);
    this.#settle(tail);
    if (!this.#haveState) {
      this.#haveState = true;
      // What a reload interrupted goes out now; the server knows repeats by their `cid`.
      this.resend();
    }
  }

  /** What was taken away while one was gone: it is missing where the tail has all. */
  #without(list: readonly ChatEntry[], tail: readonly ChatEntry[]): ChatEntry[] {
    const first = tail[0];
    if (!first) return [...list];
    const there = new Set(tail.map((entry) => entry.id));
    return list.filter((entry) => number(entry.id) < number(first.id) || there.has(entry.id));
  }

  /** The last messages to fewer than all that concern oneself. */
  mine(list: readonly ChatEntry[]): void {
    const fresh = list.filter((entry) => !this.#known.has(entry.id));
    this.#direct = this.#without(this.#direct, list).concat(fresh);
    this.#changed();
    if (this.#haveMine) this.#count(fresh);
    this.#haveMine = true;
    this.#settle(list);
  }

  add(entries: readonly ChatEntry[]): void {
    const fresh = entries.filter((entry) => !this.#known.has(entry.id));
    if (fresh.length === 0) return;
    for (const entry of fresh) (isDirect(entry) ? this.#direct : this.#toAll).push(entry);
    if (this.#toAll.length > KEEP) {
      this.#toAll = this.#toAll.slice(-KEEP);
      this.more = true;
    }
    if (this.#direct.length > KEEP) this.#direct = this.#direct.slice(-KEEP);
    this.#changed();
    this.#count(fresh);
    this.#settle(fresh);
  }

  /** A message was taken from all screens. */
  gone(id: ChatId): void {
    if (!this.#known.has(id)) return;
    this.#toAll = this.#toAll.filter((entry) => entry.id !== id);
    this.#direct = this.#direct.filter((entry) => entry.id !== id);
    this.#changed();
  }

  #changed(): void {
    this.list = merged(this.#toAll, this.#direct);
    const self = this.#self();
    for (let n = this.#toAll.length - 1; n >= 0; n -= 1) {
      const entry = this.#toAll[n];
      if (entry?.from !== self) continue;
      this.wroteAt = Math.max(this.wroteAt ?? 0, entry.at);
      break;
    }
    this.#known = new Set(this.list.map((entry) => entry.id));
  }

  #count(fresh: readonly ChatEntry[]): void {
    const others = fresh.filter((entry) => entry.from !== this.#self());
    if (!this.#open) {
      this.unread += others.length;
      this.unreadDirect += others.filter(isDirect).length;
    }
    for (const entry of others) this.onMessage(entry);
  }

  #setPending(pending: PendingChat[]): void {
    this.pending = pending;
    if (pending.length === 0) this.#kept.clear();
    else this.#kept.write(pending.slice(-KEEP_UNSENT));
  }

  /** What came back from the server is no longer on its way. */
  #settle(entries: readonly ChatEntry[]): void {
    if (this.pending.length === 0) return;
    const done = new Set(entries.filter((e) => e.from === this.#self()).map((e) => e.cid));
    if (this.pending.some((p) => done.has(p.cid))) this.#setPending(this.pending.filter((p) => !done.has(p.cid)));
  }

  send(text: string, to: Audience = 'all'): void {
    const clean = text.normalize('NFC').trim();
    if (clean === '') return;
    const cid = randomKey();
    this.#setPending([...this.pending, { cid, text: [...clean].slice(0, MAX_CHAT).join(''), to, failed: false }]);
    void this.#deliver(cid);
  }

  retry(cid: string): void {
    this.#setPending(this.pending.map(({ code: _, ...p }) => (p.cid === cid ? { ...p, failed: false } : p)));
    void this.#deliver(cid);
  }

  #drop(cid: string): void {
    if (this.pending.some((p) => p.cid === cid)) this.#setPending(this.pending.filter((p) => p.cid !== cid));
  }

  /** Gives up a message that was refused; its text, for the field. */
  discard(cid: string): string {
    const found = this.pending.find((p) => p.cid === cid);
    this.#drop(cid);
    return found?.text ?? '';
  }

  /** After a return: what has not come back is sent again; the server knows repeats by their `cid`. */
  resend(): void {
    this.#sending.clear();
    for (const waiting of this.pending) if (!waiting.failed) void this.#deliver(waiting.cid);
  }

  async #deliver(cid: string): Promise<void> {
    const waiting = this.pending.find((p) => p.cid === cid);
    if (!waiting || this.#sending.has(cid)) return;
    this.#sending.add(cid);
    const { text, to } = waiting;
    const reply = await this.#session.request({ t: 'chat', cid, text, ...(to !== 'all' && { to }) });
    this.#sending.delete(cid);
    if (reply.ok) {
      // A repeat of what had arrived before is not told again.
      setTimeout(() => this.#drop(cid), TOLD_WITHIN);
      return;
    }
    // Without a link it stays in the queue and goes out after the return.
    if (reply.code === 'network') return;
    const { code } = reply;
    this.#setPending(this.pending.map((p) => (p.cid === cid ? { ...p, failed: true, code } : p)));
  }

  async older(): Promise<void> {
    const first = this.#toAll[0];
    if (!first || !this.more || this.#loading) return;
    this.#loading = true;
    const reply = await this.#session.request<'chatPage'>({ t: 'chatPage', before: first.id });
    this.#loading = false;
    if (!reply.ok) return;
    const fresh = reply.frame.list.filter((entry) => !this.#known.has(entry.id));
    this.#toAll = [...fresh, ...this.#toAll];
    this.more = reply.frame.more;
    this.#changed();
  }
}
