// Slides: the decks of the room, the page everybody sees, the page seen here, pointers.
import { Pace } from '../core/slides/pace';
import { clampPage } from '../core/slides/pages';
import type {
  Action,
  ClientFrame,
  Deck,
  DeckId,
  ErrorCode,
  PersonId,
  Review,
  ServerFrame,
  Stage as Shown,
} from '../core/proto';
import { POINT_MAX } from '../core/proto';
import type { Pointer, SlidesModel, Upload } from './contract';
import type { UploadKind, Uploads } from './uploads.svelte';

/** Twelve places of the pointer in a second, ms between two. */
const POINT_EVERY = 84;
/** A pointer that rests is told again this often, so that it does not fade, ms. */
const POINT_AGAIN = 1_000;
/** A pointer of which nothing more was heard goes after this, ms. */
const POINT_FADES = 3_000;
/** The page asked for stays on the screen this long after the answer, until the room follows, ms. */
const SETTLES = 1_500;

export interface SlidesDeps {
  request(msg: ClientFrame): Promise<ErrorCode | null>;
  send(msg: ClientFrame): boolean;
  perms(): ReadonlySet<Action>;
  self(): PersonId;
  nameOf(who: PersonId): string;
  uploads: Uploads;
  /** Largest deck, bytes. */
  most: number;
  /** A page that was asked for could not be shown. */
  refused(code: ErrorCode): void;
  /** Whether something is shown here changed. */
  changed(): void;
}

const same = (a: Shown | null, b: Shown | null) => a?.deck === b?.deck && a?.page === b?.page;

export class Slides implements SlidesModel {
  decks = $state.raw<readonly Deck[]>([]);
  stage = $state.raw<Shown | null>(null);
  pointers = $state.raw<readonly Pointer[]>([]);
  /** The page seen here alone. */
  #own = $state.raw<Shown | null>(null);
  /** The page this presenter asked for last, until the room has followed. */
  #wish = $state.raw<Shown | null>(null);
  readonly #deps: SlidesDeps;
  readonly #kind: UploadKind;
  readonly #pace: Pace<ClientFrame>;
  #asking = false;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setInterval> | undefined;
  #pointing = false;
  #fades = new Map<PersonId, ReturnType<typeof setTimeout>>();

  constructor(deps: SlidesDeps) {
    this.#deps = deps;
    this.#pace = new Pace(POINT_EVERY, (frame) => deps.send(frame));
    this.#kind = {
      way: 'deck',
      url: (file) => `/api/decks?name=${encodeURIComponent(file.name.normalize('NFC'))}`,
      most: deps.most,
    };
  }

  get canPresent(): boolean {
    return this.#deps.perms().has('slides');
  }
  get canBrowse(): boolean {
    return this.#deps.perms().has('browse');
  }
  /** One's own decks, and all with the right to moderate. */
  mayChange(deck: Deck): boolean {
    const perms = this.#deps.perms();
    return perms.has('slides') && (deck.by === this.#deps.self() || perms.has('moderate'));
  }
  get mayReview(): boolean {
    return this.#deps.perms().has('moderate');
  }
  get maxBytes(): number {
    return this.#deps.most;
  }

  deck(id: DeckId | undefined): Deck | null {
    return this.decks.find((one) => one.deck === id) ?? null;
  }

  get alone(): boolean {
    return this.#own !== null;
  }
  /** The page of all, as this presenter has just asked for it. */
  get onStage(): Shown | null {
    return this.#wish ?? this.stage;
  }
  get shown(): { deck: Deck; page: number } | null {
    const at = this.#own ?? this.#wish ?? this.stage;
    const deck = this.deck(at?.deck);
    return at && deck ? { deck, page: clampPage(at.page, deck.pages) } : null;
  }
  get uploads(): readonly Upload[] {
    return this.#deps.uploads.list.filter((one) => one.way === 'deck');
  }

  // ---- what comes from the server

  /** Takes a frame; false when it is about something else. */
  take(frame: ServerFrame): boolean {
    switch (frame.t) {
      case 'state':
        this.decks = frame.decks ?? [];
        this.#onStage(frame.stage ?? null);
        break;
      case 'deck':
        this.#put(frame.deck);
        break;
      case 'deckGone':
        this.decks = this.decks.filter((one) => one.deck !== frame.deck);
        if (this.stage?.deck === frame.deck) this.stage = null;
        break;
      case 'stage':
        this.#onStage(frame.stage ?? null);
        break;
      case 'slidePoint':
        this.#onPoint(frame);
        return true;
      default:
        return false;
    }
    if (this.#own && !this.deck(this.#own.deck)) this.#own = null;
    this.#deps.changed();
    return true;
  }

  #put(deck: Deck): void {
    const known = this.decks.some((one) => one.deck === deck.deck);
    this.decks = known ? this.decks.map((one) => (one.deck === deck.deck ? deck : one)) : [...this.decks, deck];
  }

  /** A deck came back from its upload; the room may have told of it before. */
  arrived(value: unknown): void {
    const deck = (value as { deck?: Deck } | null)?.deck;
    if (typeof deck?.deck === 'string' && typeof deck.st === 'object' && !this.deck(deck.deck)) this.#put(deck);
  }

  #onStage(stage: Shown | null): void {
    if (!same(stage, this.stage)) this.#clearPointers();
    this.stage = stage;
    if (same(stage, this.#wish)) this.#settled();
    // Leafed alone to the very page that everybody sees now: together again.
    if (this.#own && same(this.#own, stage)) this.#own = null;
  }

  // ---- pointers

  #onPoint({ who, page, x, y }: Extract<ServerFrame, { t: 'slidePoint' }>): void {
    clearTimeout(this.#fades.get(who));
    this.#fades.delete(who);
    const others = this.pointers.filter((one) => one.who !== who);
    if (x === undefined || y === undefined || who === this.#deps.self()) {
      if (others.length < this.pointers.length) this.pointers = others;
      return;
    }
    this.pointers = [...others, { who, name: this.#deps.nameOf(who), page, x, y }];
    this.#fades.set(
      who,
      setTimeout(() => {
        this.#fades.delete(who);
        this.pointers = this.pointers.filter((one) => one.who !== who);
      }, POINT_FADES),
    );
  }

  #clearPointers(): void {
    for (const timer of this.#fades.values()) clearTimeout(timer);
    this.#fades.clear();
    if (this.pointers.length > 0) this.pointers = [];
  }

  point(at: { x: number; y: number } | null): void {
    const page = this.onStage?.page;
    clearInterval(this.#again);
    if (!this.canPresent || page === undefined) return;
    if (at === null) {
      if (this.#pointing) this.#pace.push({ t: 'slidePoint', page });
      this.#pointing = false;
      return;
    }
    const place = (value: number) => Math.round(Math.min(Math.max(0, value), POINT_MAX));
    const frame: ClientFrame = { t: 'slidePoint', page, x: place(at.x), y: place(at.y) };
    this.#pointing = true;
    this.#pace.push(frame);
    this.#again = setInterval(() => this.#pace.push(frame), POINT_AGAIN);
  }

  // ---- showing to all

  async present(deck: DeckId, page = 1): Promise<ErrorCode | null> {
    const found = this.deck(deck);
    if (!found) return 'not_found';
    this.#own = null;
    this.#wish = { deck, page: clampPage(page, found.pages) };
    this.point(null);
    clearTimeout(this.#settle);
    this.#deps.changed();
    return this.#ask();
  }

  /** Asks for the page wished last; presses in between are left out. */
  async #ask(): Promise<ErrorCode | null> {
    if (this.#asking) return null;
    this.#asking = true;
    let code: ErrorCode | null = null;
    for (;;) {
      const wish = this.#wish;
      if (!wish) break;
      code = await this.#deps.request({ t: 'slideShow', deck: wish.deck, page: wish.page });
      if (same(wish, this.#wish) || this.#wish === null) break;
    }
    this.#asking = false;
    if (code !== null) this.#settled();
    else if (this.#wish) this.#settle = setTimeout(() => this.#settled(), SETTLES);
    return code;
  }

  #settled(): void {
    clearTimeout(this.#settle);
    if (!this.#wish) return;
    this.#wish = null;
    this.#deps.changed();
  }

  async hide(): Promise<ErrorCode | null> {
    this.point(null);
    const code = await this.#deps.request({ t: 'slideHide' });
    if (code === null) this.#settled();
    return code;
  }

  // ---- leafing

  go(page: number): void {
    const at = this.shown;
    if (!at) return;
    const to = clampPage(page, at.deck.pages);
    if (to === at.page) return;
    if (!this.alone && this.canPresent) {
      void this.present(at.deck.deck, to).then((code) => {
        if (code !== null) this.#deps.refused(code);
      });
    } else {
      this.open(at.deck.deck, to);
    }
  }

  step(by: number): void {
    const at = this.shown;
    if (at) this.go(at.page + by);
  }

  open(deck: DeckId, page = 1): void {
    const found = this.deck(deck);
    if (!found || !(this.canBrowse || this.canPresent)) return;
    const own = { deck, page: clampPage(page, found.pages) };
    this.#own = same(own, this.stage) ? null : own;
    this.#deps.changed();
  }

  follow(): void {
    if (!this.#own) return;
    this.#own = null;
    this.#deps.changed();
  }

  /** The right to leaf alone may be taken away. */
  check(): void {
    if (!this.canBrowse && !this.canPresent) this.follow();
    if (!this.canPresent) this.#clearWish();
  }

  #clearWish(): void {
    if (this.#wish) this.#settled();
  }

  // ---- decks

  change(deck: DeckId, change: { review?: Review; licence?: string; owner?: string }): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'deckSet', deck, ...change });
  }

  drop(deck: DeckId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'deckDrop', deck });
  }

  upload(files: readonly File[]): void {
    if (this.canPresent) this.#deps.uploads.add(this.#kind, files);
  }
  cancelUpload(id: number): void {
    this.#deps.uploads.cancel(id);
  }
  retryUpload(id: number): void {
    this.#deps.uploads.retry(id);
  }
  canRetry(id: number): boolean {
    return this.#deps.uploads.canRetry(id);
  }

  stop(): void {
    this.#pace.stop();
    this.#clearPointers();
    clearInterval(this.#again);
    clearTimeout(this.#settle);
  }
}
