// The chat: what was said, what is on its way, what is unread.
import { randomKey } from '../core/base/storage';
import type { ChatEntry, PersonId } from '../core/proto';
import { MAX_CHAT } from '../core/proto';
import type { RoomSession } from '../core/session';

/** Messages kept in the page; older ones can be fetched again. */
const KEEP = 5_000;

interface Waiting {
  cid: string;
  text: string;
  failed: boolean;
}

export class Chat {
  list = $state.raw<ChatEntry[]>([]);
  more = $state(false);
  unread = $state(0);
  pending = $state.raw<Waiting[]>([]);
  /** Called for each new message of somebody else. */
  onMessage: (entry: ChatEntry) => void = () => undefined;
  readonly #session: RoomSession;
  readonly #self: () => PersonId;
  #open = false;
  #known = new Set<string>();
  #loading = false;
  #sending = new Set<string>();

  constructor(session: RoomSession, self: () => PersonId) {
    this.#session = session;
    this.#self = self;
  }

  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.unread = 0;
  }

  /** The tail of the chat after a (new) welcome. What was loaded before it stays. */
  replace(tail: readonly ChatEntry[], more: boolean, again: boolean): void {
    const fresh = tail.filter((entry) => !this.#known.has(entry.id));
    if (again && fresh.length < tail.length) {
      this.list = [...this.list, ...fresh];
    } else {
      this.list = [...tail];
      this.more = more;
      this.#known = new Set();
    }
    for (const entry of this.list) this.#known.add(entry.id);
    if (again) this.#count(fresh);
    this.#settle(tail);
  }

  add(entries: readonly ChatEntry[]): void {
    const fresh = entries.filter((entry) => !this.#known.has(entry.id));
    if (fresh.length === 0) return;
    for (const entry of fresh) this.#known.add(entry.id);
    const all = [...this.list, ...fresh];
    if (all.length > KEEP) {
      this.list = all.slice(-KEEP);
      this.more = true;
    } else {
      this.list = all;
    }
    this.#count(fresh);
    this.#settle(fresh);
  }

  #count(fresh: readonly ChatEntry[]): void {
    const others = fresh.filter((entry) => entry.from !== this.#self());
    if (!this.#open) this.unread += others.length;
    for (const entry of others) this.onMessage(entry);
  }

  /** What came back from the server is no longer on its way. */
  #settle(entries: readonly ChatEntry[]): void {
    if (this.pending.length === 0) return;
    const done = new Set(entries.filter((e) => e.from === this.#self()).map((e) => e.cid));
    if (this.pending.some((p) => done.has(p.cid))) this.pending = this.pending.filter((p) => !done.has(p.cid));
  }

  send(text: string): void {
    const clean = text.normalize('NFC').trim();
    if (clean === '') return;
    const cid = randomKey();
    this.pending = [...this.pending, { cid, text: [...clean].slice(0, MAX_CHAT).join(''), failed: false }];
    void this.#deliver(cid);
  }

  retry(cid: string): void {
    this.#mark(cid, false);
    void this.#deliver(cid);
  }

  /** After a return: what has not come back is sent again; the server knows repeats by their `cid`. */
  resend(): void {
    this.#sending.clear();
    for (const waiting of this.pending) if (!waiting.failed) void this.#deliver(waiting.cid);
  }

  #mark(cid: string, failed: boolean): void {
    this.pending = this.pending.map((p) => (p.cid === cid ? { ...p, failed } : p));
  }

  async #deliver(cid: string): Promise<void> {
    const waiting = this.pending.find((p) => p.cid === cid);
    if (!waiting || this.#sending.has(cid)) return;
    this.#sending.add(cid);
    const reply = await this.#session.request({ t: 'chat', cid, text: waiting.text });
    this.#sending.delete(cid);
    // Without a link it stays in the queue and goes out after the return.
    if (!reply.ok && reply.code !== 'network') this.#mark(cid, true);
  }

  async older(): Promise<void> {
    const first = this.list[0];
    if (!first || !this.more || this.#loading) return;
    this.#loading = true;
    const reply = await this.#session.request<'chatPage'>({ t: 'chatPage', before: first.id });
    this.#loading = false;
    if (!reply.ok) return;
    const fresh = reply.frame.list.filter((entry) => !this.#known.has(entry.id));
    for (const entry of fresh) this.#known.add(entry.id);
    this.list = [...fresh, ...this.list];
    this.more = reply.frame.more;
  }
}
