// Boards: which there are, what is on those looked at, what others are drawing now, and what one draws oneself.
import { POINT_MAX } from '../core/proto';
import type { Action, BoardId, Boards as Known, ClientFrame, ErrorCode, Figure, PersonId } from '../core/proto';
import type { ServerFrame, Shape } from '../core/proto';
import { randomKey } from '../core/base/storage';
import { Pace } from '../core/slides/pace';

/** Pieces of a stroke on its way, ms between two: twelve in a second. */
const PIECE_EVERY = 84;
const PIECE_NUMBERS = 128;
/** A pointer that rests is told again this often, ms. */
const POINT_AGAIN = 1_000;
/** A pointer, or a stroke on its way, of which nothing more was heard goes after this, ms. */
const POINT_FADES = 3_000;
const LIVE_FADES = 5_000;
/** What could not be sent is tried again after this, ms. */
const AGAIN = 1_000;
/** An acknowledged figure is told of by now, ms. */
const SETTLES = 1_500;

type Page = { list: Shape[]; more: boolean };

export interface BoardsDeps {
  request(msg: ClientFrame): Promise<ErrorCode | null>;
  /** A part of what is on a board; null when it could not be had. */
  fetch(board: BoardId, after: number): Promise<Page | null>;
  send(msg: ClientFrame): boolean;
  perms(): ReadonlySet<Action>;
  self(): PersonId;
  nameOf(who: PersonId): string;
  refused(code: ErrorCode): void;
  /** Which board is shown changed. */
  changed(): void;
}

/** A figure that is no part of the board yet. */
export interface Wet {
  board: BoardId;
  cid: string;
  fig: Figure;
}
export interface Spot {
  who: PersonId;
  name: string;
  board: BoardId;
  x: number;
  y: number;
}
interface Sheet {
  shapes: Map<number, Shape>;
  /** Numbers that went while the board was being fetched; null when it is all there. */
  gone: Set<number> | null;
}

export class Boards {
  known = $state.raw<Known>({ white: 0 });
  /** What is on each board looked at, by number. */
  #seen = $state.raw<ReadonlyMap<BoardId, readonly Shape[]>>(new Map());
  /** What others are drawing. */
  live = $state.raw<readonly (Wet & { who: PersonId })[]>([]);
  /** One's own figures that were not told back yet. */
  waiting = $state.raw<readonly Wet[]>([]);
  pointers = $state.raw<readonly Spot[]>([]);
  readonly #deps: BoardsDeps;
  readonly #sheets = new Map<BoardId, Sheet>();
  readonly #fades = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #pace: Pace<ClientFrame>;
  #again: ReturnType<typeof setInterval> | undefined;
  #pieces: ReturnType<typeof setTimeout> | undefined;
  #drawing: (Wet & { sent: number }) | null = null;
  #stopped = false;

  constructor(deps: BoardsDeps) {
    this.#deps = deps;
    this.#pace = new Pace(PIECE_EVERY, (frame) => deps.send(frame));
  }

  get canDraw(): boolean {
    return this.#deps.perms().has('draw');
  }
  /** May open boards, and erase what others drew. */
  get canLead(): boolean {
    return this.canDraw && this.#deps.perms().has('slides');
  }
  /** The blank board everybody sees. */
  get shown(): BoardId | null {
    return this.known.shown ?? null;
  }
  mayErase(shape: Shape): boolean {
    return this.canLead || shape.by === this.#deps.self();
  }
  of(board: BoardId): readonly Shape[] {
    return this.#seen.get(board) ?? [];
  }
  hasMarks(board: BoardId): boolean {
    return this.known.pages?.includes(board) ?? false;
  }

  // ---- what comes from the server

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'state': {
        this.#know(frame.boards ?? { white: 0 });
        const looked = [...this.#sheets.keys()];
        this.#sheets.clear();
        this.#seen = new Map();
        for (const board of looked) this.look(board);
        break;
      }
      case 'boards':
        this.#know(frame.boards);
        break;
      case 'board':
        this.#change(frame.board, frame.set ?? [], frame.del ?? []);
        break;
      case 'boardLive':
        if (frame.who !== this.#deps.self()) this.#onLive(frame);
        break;
      case 'boardPoint':
        this.#onPoint(frame);
        break;
      case 'deckGone': {
        const own = (board: BoardId) => board.startsWith(`${frame.deck}-`);
        this.known = { ...this.known, pages: (this.known.pages ?? []).filter((board) => !own(board)) };
        for (const board of [...this.#sheets.keys()].filter(own)) this.#sheets.delete(board);
        break;
      }
      default:
    }
  }

  #know(boards: Known): void {
    const before = this.known.shown;
    this.known = boards;
    if (before !== boards.shown) {
      this.pointers = [];
      this.#deps.changed();
    }
  }

  #change(board: BoardId, set: readonly Shape[], del: readonly number[]): void {
    if (set.length > 0 && !board.startsWith('w') && !this.hasMarks(board))
      this.known = { ...this.known, pages: [...(this.known.pages ?? []), board] };
    const cids = new Set(set.map((shape) => `${shape.by} ${shape.cid}`));
    const self = this.#deps.self();
    this.waiting = this.waiting.filter((wet) => !cids.has(`${self} ${wet.cid}`));
    this.live = this.live.filter((wet) => !cids.has(`${wet.who} ${wet.cid}`));
    const sheet = this.#sheets.get(board);
    if (!sheet) return;
    for (const shape of set) {
      sheet.shapes.set(shape.n, shape);
      sheet.gone?.delete(shape.n);
    }
    for (const n of del) {
      sheet.shapes.delete(n);
      sheet.gone?.add(n);
    }
    this.#show(board, sheet);
  }

  #show(board: BoardId, sheet: Sheet): void {
    const list = [...sheet.shapes.values()].sort((a, b) => a.n - b.n);
    this.#seen = new Map(this.#seen).set(board, list);
  }

  /** A board is looked at: what is on it is fetched once, and followed from then on. */
  look(board: BoardId): void {
    if (this.#sheets.has(board)) return;
    const fresh = !board.startsWith('w') && !this.hasMarks(board);
    const sheet: Sheet = { shapes: new Map(), gone: fresh ? null : new Set() };
    this.#sheets.set(board, sheet);
    if (!fresh) void this.#fetch(board, sheet);
  }

  /** Resolves when all of a board is there. */
  async whole(board: BoardId): Promise<readonly Shape[]> {
    this.look(board);
    for (let n = 0; n < 100 && this.#sheets.get(board)?.gone; n++) await new Promise((done) => setTimeout(done, 100));
    return this.of(board);
  }

  async #fetch(board: BoardId, sheet: Sheet): Promise<void> {
    let after = 0;
    for (;;) {
      const page = await this.#deps.fetch(board, after);
      if (this.#stopped || this.#sheets.get(board) !== sheet) return;
      if (!page) {
        await new Promise((done) => setTimeout(done, AGAIN));
        continue;
      }
      for (const shape of page.list) {
        if (!sheet.gone?.has(shape.n)) sheet.shapes.set(shape.n, shape);
        after = Math.max(after, shape.n);
      }
      if (page.more && page.list.length > 0) continue;
      sheet.gone = null;
      this.#show(board, sheet);
      return;
    }
  }

  #onLive({ board, who, cid, from, fig }: Extract<ServerFrame, { t: 'boardLive' }>): void {
    const is = (wet: Wet & { who: PersonId }) => wet.who === who && wet.cid === cid;
    const before = this.live.find(is);
    const others = this.live.filter((wet) => !is(wet));
    const p = from === 0 ? fig.p : [...(before?.fig.p.slice(0, from) ?? []), ...fig.p];
    this.live = fig.p.length === 0 && from === 0 ? others : [...others, { board, who, cid, fig: { ...fig, p } }];
    this.#fade(`${who} ${cid}`, LIVE_FADES, () => (this.live = this.live.filter((wet) => !is(wet))));
  }

  #onPoint({ board, who, x, y }: Extract<ServerFrame, { t: 'boardPoint' }>): void {
    const others = this.pointers.filter((one) => one.who !== who);
    if (who === this.#deps.self()) return;
    if (x === undefined || y === undefined) this.pointers = others;
    else this.pointers = [...others, { who, name: this.#deps.nameOf(who), board, x, y }];
    this.#fade(`${who}`, POINT_FADES, () => (this.pointers = this.pointers.filter((one) => one.who !== who)));
  }

  #fade(key: string, ms: number, then: () => void): void {
    clearTimeout(this.#fades.get(key));
    const timer = setTimeout(() => {
      this.#fades.delete(key);
      then();
    }, ms);
    this.#fades.set(key, timer);
  }

  // ---- drawing

  /** A figure is finished: it is shown here at once, and told until the room has it. */
  draw(board: BoardId, fig: Figure, cid = randomKey(8)): void {
    if (this.#drawing?.cid === cid) this.#endPieces();
    const wet = { board, cid, fig };
    this.waiting = [...this.waiting, wet];
    void this.#tell(wet);
  }

  async #tell(wet: Wet): Promise<void> {
    while (!this.#stopped && this.waiting.includes(wet)) {
      const code = await this.#deps.request({ t: 'boardDraw', board: wet.board, cid: wet.cid, fig: wet.fig });
      const again = code === 'rate_limited' || code === 'busy';
      if (again) {
        await new Promise((done) => setTimeout(done, AGAIN));
        continue;
      }
      const drop = () => (this.waiting = this.waiting.filter((one) => one !== wet));
      if (code === null) {
        setTimeout(drop, SETTLES);
      } else {
        drop();
        this.#deps.refused(code);
      }
      return;
    }
  }

  /** A figure is being drawn. */
  sketch(board: BoardId, cid: string, fig: Figure): void {
    const sent = this.#drawing?.cid === cid ? this.#drawing.sent : 0;
    this.#drawing = { board, cid, fig, sent };
    if (this.#pieces === undefined) this.#piece();
  }

  #piece(): void {
    this.#pieces = undefined;
    const now = this.#drawing;
    if (!now) return;
    const grows = now.fig.kind === 'pen' || now.fig.kind === 'marker';
    const from = grows ? now.sent : 0;
    const p = now.fig.p.slice(from, from + PIECE_NUMBERS);
    if (p.length > 0) {
      this.#deps.send({ t: 'boardLive', board: now.board, cid: now.cid, from, fig: { ...now.fig, p } });
      now.sent = from + p.length;
    }
    this.#pieces = setTimeout(() => this.#piece(), PIECE_EVERY);
    if (p.length === 0) this.#stopPieces();
  }

  #stopPieces(): void {
    clearTimeout(this.#pieces);
    this.#pieces = undefined;
  }

  #endPieces(): void {
    this.#stopPieces();
    this.#drawing = null;
  }

  /** The figure being drawn is given up. */
  giveUp(): void {
    const now = this.#drawing;
    this.#endPieces();
    if (now && now.sent > 0)
      this.#deps.send({ t: 'boardLive', board: now.board, cid: now.cid, from: 0, fig: { ...now.fig, p: [] } });
  }

  erase(board: BoardId, n: number[]): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardErase', board, n });
  }
  clear(board: BoardId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardClear', board });
  }
  undo(board: BoardId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardUndo', board });
  }
  redo(board: BoardId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardRedo', board });
  }
  show(board: BoardId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardShow', board });
  }
  hide(): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'boardHide' });
  }

  /** Points on the blank board everybody sees; null takes the pointer away. */
  point(at: { x: number; y: number } | null): void {
    clearInterval(this.#again);
    const board = this.shown;
    if (!board || !this.canDraw) return;
    const place = (value: number) => Math.round(Math.min(Math.max(0, value), POINT_MAX));
    const frame: ClientFrame = { t: 'boardPoint', board, ...(at && { x: place(at.x), y: place(at.y) }) };
    this.#pace.push(frame);
    if (at) this.#again = setInterval(() => this.#pace.push(frame), POINT_AGAIN);
  }

  stop(): void {
    this.#stopped = true;
    this.#endPieces();
    this.#pace.stop();
    clearInterval(this.#again);
    for (const timer of this.#fades.values()) clearTimeout(timer);
    this.#fades.clear();
  }
}
