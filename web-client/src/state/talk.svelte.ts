// Questions and reactions of the room, and what those who lead set about talking.
import { randomKey } from '../core/base/storage';
import type { ErrorCode, PersonId, Question, QuestionId, QuestionState, Reaction, ServerFrame } from '../core/proto';
import { MAX_QUESTION } from '../core/proto';
import type { RoomSession } from '../core/session';
import { Persist } from './persist';
import type { QuestionItem, ShownReaction, TalkModel } from './talk-contract';

/** How long a reaction stays on the screen, ms. */
const SHOWN_FOR = 4_000;
/** Wishes for another pace count this long, ms. */
const PACE_FOR = 60_000;
/** Different reactions on the screen at once, at most; the oldest give way. */
const SHOWN_AT_ONCE = 12;
const NO_PACE: TalkModel['pace'] = { faster: 0, slower: 0 };

export class Talk implements TalkModel {
  newQuestions = $state(0);
  reactions = $state.raw<readonly ShownReaction[]>([]);
  pace = $state.raw(NO_PACE);
  #known = $state.raw<readonly Question[]>([]);
  #asked = $state.raw<ReadonlySet<QuestionId>>(new Set());
  #wanted = $state.raw<ReadonlySet<QuestionId>>(new Set());
  /** What a press changed before the room has counted it. */
  #uncounted = $state.raw<ReadonlyMap<QuestionId, number>>(new Map());
  readonly #persist: Persist;
  readonly #self: () => PersonId;
  #items = $derived.by((): readonly QuestionItem[] =>
    this.#known.map((question) => ({
      ...question,
      up: Math.max(0, question.up + (this.#uncounted.get(question.q) ?? 0)),
      mine: this.#asked.has(question.q) || question.from === this.#self(),
      voted: this.#wanted.has(question.q),
    })),
  );
  #open = false;
  #seen = new Set<QuestionId>();
  #haveState = false;
  #nextReaction = 1;
  #paces: { at: number; e: 'faster' | 'slower'; n: number }[] = [];
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(session: Pick<RoomSession, 'request'>, self: () => PersonId) {
    this.#persist = new Persist(session);
    this.#self = self;
  }

  get questions(): readonly QuestionItem[] {
    return this.#items;
  }

  setQuestionsOpen(open: boolean): void {
    this.#open = open;
    if (open) this.newQuestions = 0;
  }

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'state': {
        const list = frame.questions ?? [];
        this.#known = list;
        this.#uncounted = new Map();
        // At the first look nothing is news; after a return what came meanwhile is.
        if (this.#haveState) this.#count(list);
        for (const { q } of list) this.#seen.add(q);
        this.#haveState = true;
        break;
      }
      case 'questions': {
        const set = frame.set ?? [];
        const gone = new Set([...(frame.del ?? []), ...set.map((x) => x.q)]);
        // A changed question keeps its place, so that nothing jumps under the finger.
        const changed = new Map(set.map((x) => [x.q, x]));
        const kept = this.#known.flatMap((x) => changed.get(x.q) ?? (gone.has(x.q) ? [] : [x]));
        const have = new Set(kept.map((x) => x.q));
        this.#known = [...kept, ...set.filter((x) => !have.has(x.q))];
        if ([...this.#uncounted.keys()].some((q) => gone.has(q))) {
          this.#uncounted = new Map([...this.#uncounted].filter(([q]) => !gone.has(q)));
        }
        this.#count(set);
        break;
      }
      case 'questionsMine':
        this.#asked = new Set(frame.asked);
        this.#wanted = new Set(frame.up);
        break;
      case 'reactions':
        for (const [e, n] of frame.counts) {
          if (e === 'faster' || e === 'slower') this.#addPace(e, n);
          else this.#showReaction(e, n);
        }
        break;
      default:
    }
  }

  #count(set: readonly Question[]): void {
    let fresh = 0;
    for (const { q, from, st } of set) {
      if (this.#seen.has(q)) continue;
      this.#seen.add(q);
      const own = from === this.#self() || this.#asked.has(q);
      if (!own && (st === 'open' || st === 'held')) fresh += 1;
    }
    if (!this.#open) this.newQuestions += fresh;
  }

  // ---- reactions

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  #showReaction(e: Reaction, n: number): void {
    const id = this.#nextReaction;
    this.#nextReaction += 1;
    this.reactions = [...this.reactions.slice(1 - SHOWN_AT_ONCE), { id, e, n }];
    this.#later(SHOWN_FOR, () => (this.reactions = this.reactions.filter((shown) => shown.id !== id)));
  }

  #addPace(e: 'faster' | 'slower', n: number): void {
    this.#paces.push({ at: Date.now(), e, n });
    this.#sumPace();
    this.#later(PACE_FOR, () => this.#sumPace());
  }

  #sumPace(): void {
    const since = Date.now() - PACE_FOR;
    this.#paces = this.#paces.filter((wish) => wish.at > since);
    const sum = { faster: 0, slower: 0 };
    for (const { e, n } of this.#paces) sum[e] += n;
    this.pace = sum.faster + sum.slower === 0 ? NO_PACE : sum;
  }

  // ---- what one does

  /** After a return of the link. */
  resend(): void {
    this.#persist.returned();
  }

  ask(text: string, anonymous: boolean): Promise<ErrorCode | null> {
    const clean = [...text.normalize('NFC').trim()].slice(0, MAX_QUESTION).join('');
    if (clean === '') return Promise.resolve('bad_request');
    return this.#persist.send({ t: 'question', cid: randomKey(), text: clean, anonymous });
  }

  async want(q: QuestionId, on: boolean): Promise<ErrorCode | null> {
    if (this.#wanted.has(q) === on) return null;
    const step = on ? 1 : -1;
    this.#mark(q, on, step);
    const code = await this.#persist.once({ t: 'questionUp', q, on });
    if (code !== null && this.#wanted.has(q) === on) this.#mark(q, !on, -step);
    return code;
  }

  #mark(q: QuestionId, on: boolean, step: number): void {
    const wanted = new Set(this.#wanted);
    if (on) wanted.add(q);
    else wanted.delete(q);
    this.#wanted = wanted;
    this.#uncounted = new Map(this.#uncounted).set(q, (this.#uncounted.get(q) ?? 0) + step);
  }

  setQuestion(q: QuestionId, st: QuestionState, answer?: string): Promise<ErrorCode | null> {
    return this.#persist.once({
      t: 'questionSet',
      q,
      st,
      ...(answer !== undefined && { answer: answer.normalize('NFC') }),
    });
  }
  react(e: Reaction): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'react', e });
  }
  setSlow(secs: number): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'modSlow', secs });
  }
  setTimer(secs: number, label: string): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'modTimer', secs, label: label.normalize('NFC').trim() });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
