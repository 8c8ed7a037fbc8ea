// Captions: what was typed and is being typed, whether and how this screen shows them, and typing them oneself.
import { MAX_CAPTION, MAX_CAPTION_MS } from '../core/proto';
import type { Action, Caption, CaptionLang, ClientFrame, ErrorCode, PersonId, ServerFrame } from '../core/proto';
import { randomKey, stored } from '../core/base/storage';
import { Pace } from '../core/slides/pace';
import { prefs } from '../ui/prefs.svelte';

/** What is being typed is told this often at most, ms. */
const PIECE_EVERY = 500;
/** A line on its way of which nothing more was heard goes after this, ms. */
const DRAFT_FADES = 10_000;
/** Finished lines leave the stage when nothing follows for so long, ms. */
const LINES_FADE = 20_000;
/** What could not be sent is tried again after this, ms. */
const AGAIN = 1_000;
/** Rows over the stage. */
const ROWS = 2;

export const CAPTION_SIZES = [1, 2, 3] as const;
export type CaptionSize = (typeof CAPTION_SIZES)[number];

interface Look {
  on: boolean;
  lang: CaptionLang | null;
  size: CaptionSize;
  /** At the upper edge of the stage. */
  top: boolean;
  /** Finished lines are read out by screen readers. */
  say: boolean;
}

function parse(value: unknown): Look {
  const v = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return {
    on: v.on === true,
    lang: v.lang === 'vi' || v.lang === 'en' ? v.lang : null,
    size: CAPTION_SIZES.find((size) => size === v.size) ?? 2,
    top: v.top === true,
    say: v.say === true,
  };
}

const kept = stored(() => localStorage, 'lophoc.captions', parse);

export interface CaptionsDeps {
  request(msg: ClientFrame): Promise<ErrorCode | null>;
  /** Older lines; null when they could not be had. */
  fetch(before: number): Promise<{ list: Caption[]; more: boolean } | null>;
  send(msg: ClientFrame): boolean;
  perms(): ReadonlySet<Action>;
  self(): PersonId;
  refused(code: ErrorCode): void;
  /** Saves the captions of a language as a file. */
  save(lang: CaptionLang): Promise<ErrorCode | null>;
  now(): number;
}

interface Draft {
  who: PersonId;
  lang: CaptionLang;
  text: string;
}
/** A finished line the server has not taken yet. */
export interface WaitingLine {
  cid: string;
  lang: CaptionLang;
  text: string;
  took: number;
}
export interface CaptionRow {
  key: string;
  text: string;
  draft: boolean;
}

export class Captions {
  /** All lines known, in order. */
  lines = $state.raw<readonly Caption[]>([]);
  drafts = $state.raw<readonly Draft[]>([]);
  /** Own lines on their way. */
  waiting = $state.raw<readonly WaitingLine[]>([]);
  /** There are older lines than the first known. */
  more = $state(false);
  #look = $state.raw<Look>(kept.read());
  #fresh = $state(false);
  readonly #deps: CaptionsDeps;
  readonly #pace: Pace<ClientFrame>;
  readonly #fades = new Map<string, ReturnType<typeof setTimeout>>();
  #stale: ReturnType<typeof setTimeout> | undefined;
  #begun: number | null = null;
  #sending = false;
  #stopped = false;

  constructor(deps: CaptionsDeps) {
    this.#deps = deps;
    this.#pace = new Pace(PIECE_EVERY, (frame) => deps.send(frame));
  }

  /** Has the captioner's task. */
  get may(): boolean {
    return this.#deps.perms().has('caption');
  }
  get on(): boolean {
    return this.#look.on;
  }
  get size(): CaptionSize {
    return this.#look.size;
  }
  get top(): boolean {
    return this.#look.top;
  }
  get say(): boolean {
    return this.#look.say;
  }
  change(look: Partial<Look>): void {
    this.#look = { ...this.#look, ...look };
    kept.write(this.#look);
  }

  /** Languages there are captions in. */
  get langs(): readonly CaptionLang[] {
    const has = (lang: CaptionLang) =>
      this.lines.some((line) => line.lang === lang) || this.drafts.some((draft) => draft.lang === lang);
    return (['vi', 'en'] as const).filter(has);
  }
  /** The language shown: the chosen one, or the one there is. */
  get lang(): CaptionLang {
    const wanted = this.#look.lang ?? prefs.lang;
    return this.langs.includes(wanted) ? wanted : (this.langs[0] ?? wanted);
  }
  get transcript(): readonly Caption[] {
    return this.lines.filter((line) => line.lang === this.lang);
  }
  /** What stands over the stage. */
  get rows(): readonly CaptionRow[] {
    const { lang } = this;
    const done = this.#fresh
      ? this.transcript.slice(-ROWS).map((line) => ({ key: `${line.n}`, text: line.text, draft: false }))
      : [];
    const live = this.drafts
      .filter((draft) => draft.lang === lang)
      .map((draft) => ({ key: `draft ${draft.who}`, text: draft.text, draft: true }));
    return [...done, ...live].slice(-ROWS);
  }
  /** Something stands over the stage on this screen. */
  get visible(): boolean {
    return this.on && this.rows.length > 0;
  }

  // ---- what comes from the server

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'state': {
        const list = frame.captions ?? [];
        const first = list[0]?.n ?? 0;
        const last = this.lines.at(-1)?.n ?? 0;
        // What is known is kept where the new lines follow it without a gap.
        const known = first <= last + 1 ? this.lines.filter((line) => line.n < first) : [];
        const changed = list.at(-1)?.n !== last;
        this.lines = [...known, ...list];
        this.more = (this.lines[0]?.n ?? 1) > 1;
        this.drafts = [];
        if (changed && list.length > 0) this.#freshen();
        break;
      }
      case 'caption': {
        const { c } = frame;
        this.#undraft(c.who, c.lang);
        this.waiting = this.waiting.filter((one) => c.who !== this.#deps.self() || one.cid !== c.cid);
        if (c.n > (this.lines.at(-1)?.n ?? 0)) this.lines = [...this.lines, c];
        this.#freshen();
        break;
      }
      case 'captionLive':
        if (frame.who !== this.#deps.self()) this.#onLive(frame);
        break;
      default:
    }
  }

  #freshen(): void {
    this.#fresh = true;
    clearTimeout(this.#stale);
    this.#stale = setTimeout(() => (this.#fresh = false), LINES_FADE);
  }

  #onLive({ who, lang, text }: Draft): void {
    this.#undraft(who, lang);
    if (text === '') return;
    this.drafts = [...this.drafts, { who, lang, text }];
    const key = `${who} ${lang}`;
    this.#fades.set(
      key,
      setTimeout(() => this.#undraft(who, lang), DRAFT_FADES),
    );
  }

  #undraft(who: PersonId, lang: CaptionLang): void {
    const key = `${who} ${lang}`;
    clearTimeout(this.#fades.get(key));
    this.#fades.delete(key);
    if (this.drafts.some((one) => one.who === who && one.lang === lang))
      this.drafts = this.drafts.filter((one) => one.who !== who || one.lang !== lang);
  }

  /** Fetches older lines. */
  async older(): Promise<void> {
    const first = this.lines[0]?.n;
    if (first === undefined || !this.more) return;
    const page = await this.#deps.fetch(first);
    if (!page || this.lines[0]?.n !== first) return;
    this.lines = [...page.list.filter((line) => line.n < first), ...this.lines];
    this.more = page.more;
  }

  // ---- handing the task over, and typing

  hand(who: PersonId, on: boolean): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'modCaptioner', who, on });
  }

  /** The line being typed changed. */
  typing(lang: CaptionLang, text: string): void {
    if (text.trim() === '') this.#begun = null;
    else this.#begun ??= this.#deps.now();
    const whole = [...text.normalize('NFC')].slice(0, MAX_CAPTION).join('');
    this.#pace.push({ t: 'captionLive', lang, text: whole });
  }

  /** The line is finished; false when there is nothing in it or too much. */
  finish(lang: CaptionLang, text: string): boolean {
    const line = text.normalize('NFC').trim().replace(/\s+/gu, ' ');
    if (line === '' || [...line].length > MAX_CAPTION) return false;
    const took = this.#begun === null ? 0 : Math.max(0, Math.round(this.#deps.now() - this.#begun));
    this.#begun = null;
    // No piece of it may come after the line itself.
    this.#pace.drop();
    this.waiting = [...this.waiting, { cid: randomKey(8), lang, text: line, took: Math.min(took, MAX_CAPTION_MS) }];
    void this.#flush();
    return true;
  }

  /** Lines go out one after another, in order; each until the room has it. */
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let line = this.waiting[0]; line && !this.#stopped; line = this.waiting[0]) {
      const { cid } = line;
      const code = await this.#deps.request({ t: 'captionLine', ...line });
      if (code === 'rate_limited' || code === 'busy') {
        await new Promise((done) => setTimeout(done, AGAIN));
        continue;
      }
      if (code !== null) this.#deps.refused(code);
      this.waiting = this.waiting.filter((one) => one.cid !== cid);
    }
    this.#sending = false;
  }

  save(): Promise<ErrorCode | null> {
    return this.#deps.save(this.lang);
  }

  stop(): void {
    this.#stopped = true;
    this.#pace.stop();
    clearTimeout(this.#stale);
    for (const timer of this.#fades.values()) clearTimeout(timer);
    this.#fades.clear();
  }
}
