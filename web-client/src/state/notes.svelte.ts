// Shared notes: the text as it stands here, one's own edits on their way, and those of others carried past them.
import { MAX_NOTES, MAX_NOTES_EDIT, MAX_NOTES_STEPS } from '../core/proto';
import type { ClientFrame, ErrorCode, NoteAuthor, NoteEdit, PersonId, ServerFrame } from '../core/proto';
import { randomKey } from '../core/base/storage';
import { added, after, apply, before, compose, diff, length, limited, type Op } from '../core/notes/op';

/** Edits of this screen are gathered for so long, ms. */
const GATHER = 1_000;
/** Others' edits wait until no key was pressed for this long, ms: an input tool may be in the middle of a letter. */
const QUIET = 120;
/** What could not be sent or had is tried again after this, ms. */
const AGAIN = 1_000;
/** Characters nobody sees, halves of characters, line ends of other systems, and those that turn the direction. */
const UNSEEN = /[^\P{Cc}\n\t]|\p{Cs}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export type Page = { rev: number; text?: string; ops?: NoteEdit[]; by?: NoteAuthor[]; mine?: string };

export interface NotesDeps {
  request(msg: Extract<ClientFrame, { t: 'notesEdit' }>): Promise<ErrorCode | null>;
  /** The notes, or the edits after a version; null when they could not be had, `gone` when they no longer can. */
  fetch(after: number | null): Promise<Page | 'gone' | null>;
  /** May write. */
  may(): boolean;
  self(): PersonId;
  refused(code: ErrorCode): void;
}

/** An edit on its way. */
interface Flight {
  cid: string;
  /** Carried to the version that is known; empty once the room has told it. */
  op: Op;
  /** The room has it for good. */
  kept: boolean;
  /** The version it became, and the text before. */
  told?: { rev: number; from: string };
}

export class Notes {
  /** The text as it stands here, own edits included. */
  text = $state('');
  /** All of it is there. */
  loaded = $state(false);
  /** Those who edited, the last first. */
  authors = $state.raw<readonly NoteAuthor[]>([]);
  /** All that was written here is kept. */
  saved = $state(true);
  /** The last version there is, known here or not; 0 = nothing was written. */
  latest = $state(0);
  readonly #deps: NotesDeps;
  /** Version of the server that is known, and its text. */
  #rev = 0;
  #server = '';
  /** When that version was made, by the server's clock: what tells it from another of the same number. */
  #at: number | null = null;
  /** The edit on its way, carried to `#rev`. */
  #flight: Flight | null = null;
  /** The text with it. */
  #base = '';
  /** What was edited since, to `#base`. */
  #buffer: Op = [];
  #looked = false;
  #fetching = false;
  /** How often a whole state came: a page from before the last one says nothing. */
  #era = 0;
  #queue: NoteEdit[] = [];
  #composing = false;
  #quietAt = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #send: ReturnType<typeof setTimeout> | undefined;
  #asks: ReturnType<typeof setTimeout> | undefined;
  #moved: ((op: Op, before: string) => void) | null = null;
  #leaving = false;
  #stopped = false;

  constructor(deps: NotesDeps) {
    this.#deps = deps;
  }

  get may(): boolean {
    return this.#deps.may();
  }
  get stopped(): boolean {
    return this.#stopped;
  }
  get left(): number {
    return MAX_NOTES - length(this.text);
  }

  /** The notes are looked at: they are fetched once and followed from then on. */
  look(): void {
    this.#looked = true;
    if (!this.loaded) void this.#fetch(null);
  }

  /** They may have been edited unheard: what is missing is fetched. */
  again(): void {
    this.#era += 1;
    // What was told before may be gone, when the server died before it was kept.
    this.#queue = [];
    if (this.loaded || this.#looked) void this.#fetch(this.loaded ? this.#rev : null);
  }

  /** They are read no more: what was written here still goes out, then all ends. */
  leave(): void {
    this.#leaving = true;
    this.pause();
    this.#plan();
  }

  /** Is told of each edit of others, so that the place of writing can follow. */
  onmove(moved: (op: Op, before: string) => void): () => void {
    this.#moved = moved;
    return () => (this.#moved = null);
  }

  // ---- what comes from the server

  take(frame: ServerFrame): void {
    if (frame.t === 'state') {
      this.latest = frame.notes ?? 0;
      if (!this.loaded || this.latest > 0 || this.#rev > 0) this.again();
    } else if (frame.t === 'notes') {
      this.latest = Math.max(this.latest, frame.edit.rev);
      if (!this.loaded) return;
      this.#queue.push(frame.edit);
      this.#drain();
    }
  }

  /** Applies what waits, unless a letter is being made just now. */
  #drain(): void {
    clearTimeout(this.#quiet);
    if (this.#composing || this.#stopped || this.#fetching) return;
    const wait = this.#quietAt - Date.now();
    if (wait > 0 && this.#queue.some((edit) => !this.#isOwn(edit))) {
      this.#quiet = setTimeout(() => this.#drain(), wait);
      return;
    }
    const queue = this.#queue;
    this.#queue = [];
    for (const edit of queue) {
      if (edit.rev <= this.#rev) continue;
      if (edit.rev > this.#rev + 1) {
        void this.#fetch(this.#rev);
        break;
      }
      this.#edited(edit);
    }
    this.#plan();
  }

  #isOwn(edit: NoteEdit): boolean {
    return this.#flight?.cid === edit.cid && edit.who === this.#deps.self();
  }

  #edited(edit: NoteEdit): void {
    const from = this.#server;
    this.#server = apply(edit.op, from);
    this.#rev = edit.rev;
    this.#at = edit.at;
    this.#credit({ who: edit.who, name: edit.name, at: edit.at });
    if (this.#isOwn(edit)) {
      if (this.#flight?.kept) this.#flight = null;
      else if (this.#flight) this.#flight = { ...this.#flight, op: [], told: { rev: edit.rev, from } };
      return;
    }
    let op: Op = edit.op;
    if (this.#flight) {
      const mine = this.#flight.op;
      this.#flight = { ...this.#flight, op: after(mine, op) };
      op = before(op, mine);
    }
    this.#base = apply(op, this.#base);
    const shown = before(op, this.#buffer);
    this.#buffer = after(this.#buffer, op);
    this.#show(shown);
  }

  #show(op: Op): void {
    if (op.length === 0) return;
    const was = this.text;
    this.text = apply(op, was);
    this.#moved?.(op, was);
  }

  #credit(author: NoteAuthor): void {
    this.authors = [author, ...this.authors.filter((one) => one.who !== author.who)];
  }

  /**
   * The notes, or the edits after the version that is known here, where the server knows it too: after it died, the
   * number may be that of another edit.
   */
  async #page(from: number | null): Promise<Page | 'gone' | null> {
    if (from === null || from === 0) return this.#deps.fetch(from);
    const page = await this.#deps.fetch(from - 1);
    if (!page || page === 'gone' || page.text !== undefined) return page;
    const [known, ...ops] = page.ops ?? [];
    return known?.rev === from && known.at === this.#at ? { ...page, ops } : this.#deps.fetch(null);
  }

  async #fetch(from: number | null): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    let page: Page | 'gone' | null = null;
    while (!page && !this.#stopped) {
      const era = this.#era;
      page = await this.#page(from);
      if (!page) await new Promise((done) => setTimeout(done, AGAIN));
      while (this.#composing && !this.#stopped) await new Promise((done) => setTimeout(done, QUIET));
      if (era !== this.#era) page = null;
    }
    this.#fetching = false;
    if (!page || this.#stopped) return;
    if (page === 'gone') {
      if (!this.saved && !(this.#flight?.kept && this.#buffer.length === 0)) this.#giveUp('forbidden');
      return this.stop();
    }
    this.latest = Math.max(this.latest, page.rev);
    if (page.text !== undefined) {
      this.#replace(page.text, page.rev, page.mine);
      this.#at = page.by?.[0]?.at ?? null;
    } else this.#queue = [...(page.ops ?? []), ...this.#queue];
    if (page.by) this.authors = page.by;
    this.loaded = true;
    this.#drain();
    if (this.latest > this.#rev && this.#queue.length === 0) void this.#fetch(this.#rev);
  }

  /** The whole text anew; what was written here and is not in it is carried over as one change. */
  #replace(text: string, rev: number, mine: string | undefined): void {
    const flight = this.#flight;
    const flew = flight !== null && mine === flight.cid;
    // What was told and is gone was not kept yet when the server died: it is written once more.
    const gone = flight?.told && !flew && flight.told.rev === this.#rev ? flight.told.from : this.#server;
    const from = flew ? this.#base : gone;
    const own = flew ? this.#buffer : diff(from, this.text);
    const change = diff(from, text);
    const shown = before(change, own);
    this.#flight = null;
    this.#server = text;
    this.#base = text;
    this.#rev = rev;
    this.#buffer = after(own, change);
    this.#show(shown);
  }

  // ---- writing

  /** The text was changed on this screen; what of it can be kept. */
  write(text: string): string {
    const clean = text.replace(/\r\n?/gu, '\n').replace(UNSEEN, '');
    this.#quietAt = Date.now() + QUIET;
    this.#buffer = compose(this.#buffer, diff(this.text, clean));
    this.text = clean;
    this.#plan();
    return clean;
  }

  /** An input method makes a letter: others' edits wait until it is done. */
  compose(on: boolean): void {
    this.#composing = on;
    if (!on) this.#drain();
  }

  /** The person turns to something else: what was gathered goes out at once. */
  pause(): void {
    this.compose(false);
    if (this.#send === undefined) return;
    clearTimeout(this.#send);
    this.#send = undefined;
    void this.#fly();
  }

  #plan(): void {
    this.saved = this.#flight === null && this.#buffer.length === 0;
    if (this.#leaving && this.saved) return this.stop();
    if (this.#flight || this.#buffer.length === 0 || this.#send !== undefined || this.#stopped) return;
    this.#send = setTimeout(() => {
      this.#send = undefined;
      void this.#fly();
    }, GATHER);
  }

  async #fly(): Promise<void> {
    if (this.#flight || this.#stopped || !this.loaded) return;
    if (this.#composing) return this.#plan();
    let op = this.#buffer;
    if (op.length > MAX_NOTES_STEPS) op = diff(this.#base, this.text);
    if (added(op) > MAX_NOTES_EDIT) op = limited(op, MAX_NOTES_EDIT);
    if (op.length === 0) return;
    const cid = randomKey(8);
    this.#flight = { cid, op, kept: false };
    this.#base = apply(op, this.#base);
    this.#buffer = op === this.#buffer ? [] : diff(this.#base, this.text);
    // While it waits, the whole text may come anew and take it along.
    for (let now: Flight | null = this.#flight; now?.cid === cid; now = this.#flight) {
      if (this.#fetching) {
        // Which version this is made to is just being found out.
        await new Promise((done) => setTimeout(done, QUIET));
        if (this.#stopped) return;
        continue;
      }
      const code = await this.#deps.request({ t: 'notesEdit', cid, rev: this.#rev, op: [...now.op] });
      if (this.#stopped || this.#flight?.cid !== cid) break;
      if (code === 'busy' || code === 'rate_limited') {
        await new Promise((done) => setTimeout(done, AGAIN));
        continue;
      }
      if (code === null) {
        // Told already, or it will be; who left is told nothing and asks.
        this.#flight = this.#flight.told ? null : { ...this.#flight, kept: true };
        if (this.#leaving && this.#flight) void this.#fetch(this.#rev);
        else if (this.#flight) this.#ask(cid);
      } else if (code === 'conflict') {
        await this.#fetch(null);
        if (this.#stopped || this.#flight?.cid !== cid) break;
        // Another page was on its way: once more with what it brought.
        await new Promise((done) => setTimeout(done, AGAIN));
        continue;
      } else {
        this.#giveUp(code);
      }
      break;
    }
    this.#plan();
  }

  /** The room took an edit and should tell it at once; where it does not, it is asked. */
  #ask(cid: string): void {
    clearTimeout(this.#asks);
    this.#asks = setTimeout(() => {
      if (this.#flight?.cid === cid && !this.#stopped) void this.#fetch(this.#rev);
    }, 2 * AGAIN);
  }

  /** The room does not take it: the text goes back to what the room has. */
  #giveUp(code: ErrorCode): void {
    const shown = diff(this.text, this.#server);
    this.#flight = null;
    this.#base = this.#server;
    this.#buffer = [];
    this.#show(shown);
    this.#deps.refused(code);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#send);
    clearTimeout(this.#asks);
  }
}
