// The texts of notes: that of the whole room and those of breakout groups, and which of them is looked at.
import type { ErrorCode, ClientFrame, GroupNotes, NotesId, PersonId, Role, ServerFrame } from '../core/proto';
import { Notes, type Page } from './notes.svelte';

export interface ShelfDeps {
  request(msg: ClientFrame): Promise<ErrorCode | null>;
  fetch(msg: Extract<ClientFrame, { t: 'notesGet' }>): Promise<Page | 'gone' | null>;
  /** May write in the text of the whole room. */
  may(): boolean;
  /** Reads and writes in those of all groups. */
  staff(): boolean;
  role(): Role;
  self(): PersonId;
  /** Name of the own group. */
  group(): string;
  refused(code: ErrorCode): void;
}

/** A text that can be chosen. */
export interface NotesChoice {
  /** null = that of the whole room. */
  of: NotesId | null;
  /** Name of the group. */
  name: string;
  /** When the groups were opened, where it was not the last time. */
  at: number | null;
}

export class NotesShelf {
  readonly whole: Notes;
  /** Those of the own group. */
  #own = $state<NotesId | null>(null);
  /** Those of all groups, for staff. */
  #list = $state.raw<readonly GroupNotes[]>([]);
  /** Chosen by hand; undefined = where one is. */
  #chosen = $state<NotesId | null | undefined>(undefined);
  readonly #groups = new Map<NotesId, Notes>();
  /** Left, with something still on its way. */
  #left: Notes[] = [];
  /** The one the server tells edits of: that which was asked for last. */
  #followed: NotesId | null = null;
  readonly #deps: ShelfDeps;

  constructor(deps: ShelfDeps, own: NotesId | undefined) {
    this.#deps = deps;
    this.#own = own ?? null;
    this.whole = this.#make(null);
  }

  #make(of: NotesId | null): Notes {
    const { request, fetch, may, staff, role, self, refused } = this.#deps;
    const which = of !== null && { of };
    return new Notes({
      request: (msg) => request({ ...msg, ...which }),
      fetch: async (after) => {
        const page = await fetch({ t: 'notesGet', ...which, ...(after !== null && { after }) });
        // A text that is no longer looked at was asked for last: that which is looked at is told of no more.
        if (of !== null && page !== null && of !== this.#followed) queueMicrotask(() => this.again());
        return page;
      },
      may: of === null ? may : () => staff() || (this.#own === of && role() !== 'inspector'),
      self,
      refused,
    });
  }

  #has(of: NotesId): boolean {
    return of === this.#own || this.#list.some((one) => one.of === of);
  }

  /** Which text is looked at; null = that of the whole room. */
  get of(): NotesId | null {
    const chosen = this.#chosen;
    return chosen === null || (chosen !== undefined && this.#has(chosen)) ? chosen : this.#own;
  }

  /** That text. */
  get open(): Notes {
    const of = this.of;
    if (of === null) return this.whole;
    const notes = this.#groups.get(of) ?? this.#make(of);
    this.#groups.set(of, notes);
    return notes;
  }

  /** The texts there are: the whole room, the own group, those of the last opening, those of before. */
  get choices(): NotesChoice[] {
    const last = Math.max(...this.#list.map((one) => one.at));
    const own = this.#own;
    const groups = this.#list.map((one) => ({ of: one.of, name: one.name, at: one.at < last ? one.at : null }));
    groups.sort((a, b) => Number(b.of === own) - Number(a.of === own) || (b.at ?? Infinity) - (a.at ?? Infinity) || 0);
    if (own !== null && groups[0]?.of !== own) groups.unshift({ of: own, name: this.#deps.group(), at: null });
    return [{ of: null, name: '', at: null }, ...groups];
  }

  choose(of: NotesId | null): void {
    this.#chosen = of;
  }

  /** The text is looked at. The server tells edits of one text of a group: the last it was asked for. */
  look(): void {
    const { of, open } = this;
    open.look();
    if (of === null || of === this.#followed) return;
    this.#followed = of;
    if (open.loaded) open.again();
  }

  // ---- what comes from the server

  /** The notes of the own group, with `you`: one enters a group, or leaves it. */
  setOwn(of: NotesId | undefined): void {
    if (this.#own === (of ?? null)) return;
    this.#own = of ?? null;
    this.#chosen = undefined;
    this.#tidy();
  }

  take(frame: ServerFrame): void {
    if (frame.t === 'notesList') {
      this.#list = frame.list;
      this.#tidy();
    } else if (frame.t === 'notes' && frame.of !== undefined) {
      this.#groups.get(frame.of)?.take(frame);
    } else {
      this.whole.take(frame);
      if (frame.t === 'state') this.again();
    }
  }

  /** The link was cut: edits of groups are not told afterwards. */
  again(): void {
    if (this.#followed !== null) this.#groups.get(this.#followed)?.again();
  }

  /** Lets go of what is read no more. */
  #tidy(): void {
    for (const [of, notes] of this.#groups) {
      if (this.#has(of)) continue;
      this.#groups.delete(of);
      if (this.#followed === of) this.#followed = null;
      this.#left = [...this.#left.filter((one) => !one.stopped), notes];
      notes.leave();
    }
  }

  stop(): void {
    for (const notes of [this.whole, ...this.#groups.values(), ...this.#left]) notes.stop();
  }
}
