// Polls, quizzes and votes: what is asked, how it stands, what oneself answered.
import { randomKey } from '../core/base/storage';
import type { ErrorCode, Poll, PollChoice, PollDraft, PollId, ServerFrame } from '../core/proto';
import type { RoomSession } from '../core/session';
import { Persist } from './persist';
import type { OwnAnswer, PollsModel } from './talk-contract';

/** Rows of one page of answers. */
export const POLL_PAGE = 100;
/** Polls kept in the page; the room tells at most its newest. */
const KEEP = 50;

/** The number in an id such as `v12`, for ties of time. */
function number(id: PollId): number {
  return Number(/\d+$/u.exec(id)?.[0] ?? 0);
}

function newestFirst(polls: Iterable<Poll>): Poll[] {
  return [...polls].sort((a, b) => b.at - a.at || number(b.poll) - number(a.poll)).slice(0, KEEP);
}

export class Polls implements PollsModel {
  list = $state.raw<readonly Poll[]>([]);
  mine = $state.raw<ReadonlyMap<PollId, OwnAnswer>>(new Map());
  readonly #session: Pick<RoomSession, 'request'>;
  readonly #holds: () => boolean;
  readonly #persist: Persist;
  /** Answers that could not be sent for want of a link. */
  #unsent = new Map<PollId, PollChoice[]>();
  /** Answers as they were written here: of a secret one nobody else knows. */
  #written = new Map<PollId, PollChoice[]>();
  /** Polls of which the server said that it has the answer, since it was last sent. */
  #received = new Set<PollId>();

  constructor(session: Pick<RoomSession, 'request'>, holds: () => boolean) {
    this.#session = session;
    this.#holds = holds;
    this.#persist = new Persist(session);
  }

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'state': {
        const polls = frame.polls ?? [];
        this.list = newestFirst(polls.map((poll) => this.#merged(poll)));
        // What the server remembers of the own answers follows; what it does not is asked again.
        this.mine = new Map([...this.mine].filter(([id]) => this.#unsent.has(id)));
        this.#received.clear();
        break;
      }
      case 'poll': {
        const { poll } = frame;
        this.list = newestFirst([this.#merged(poll), ...this.list.filter((p) => p.poll !== poll.poll)]);
        break;
      }
      case 'pollGone':
        this.list = this.list.filter((p) => p.poll !== frame.poll);
        this.#own(frame.poll, null);
        this.#unsent.delete(frame.poll);
        this.#written.delete(frame.poll);
        this.#received.delete(frame.poll);
        break;
      case 'pollMine': {
        const { poll, answer, score } = frame;
        this.#received.add(poll);
        if (answer.length === 0) {
          // Of a secret answer the server says only that there is one.
          this.#unsent.delete(poll);
          this.#own(poll, { answer: this.#written.get(poll) ?? [], waiting: false });
        } else if (!this.#unsent.has(poll)) {
          // An answer written while the link was down is newer than what the server remembers.
          this.#own(poll, { answer, waiting: false, ...(score !== undefined && { score }) });
        }
        break;
      }
      default:
    }
  }

  /** Who holds polls is told the sums apart: a telling to all does not take them away again. */
  #merged(poll: Poll): Poll {
    const before = this.list.find((p) => p.poll === poll.poll);
    if (!before || !this.#holds()) return poll;
    const results = poll.results ?? before.results;
    const items = poll.draft.items.map((item, n) => {
      const correct = item.correct ?? before.draft.items[n]?.correct;
      return correct === undefined ? item : { ...item, correct };
    });
    return { ...poll, draft: { ...poll.draft, items }, ...(results && { results }) };
  }

  #own(poll: PollId, answer: OwnAnswer | null): void {
    const next = new Map(this.mine);
    if (answer) next.set(poll, answer);
    else next.delete(poll);
    this.mine = next;
  }

  /** After a return: answers given meanwhile go out; saying the same again is harmless. */
  resend(): void {
    this.#persist.returned();
    for (const [poll, answer] of this.#unsent) void this.answer(poll, answer);
  }

  open(draft: PollDraft): Promise<ErrorCode | null> {
    return this.#persist.send({ t: 'pollOpen', cid: randomKey(), draft });
  }

  async answer(poll: PollId, answer: PollChoice[]): Promise<ErrorCode | null> {
    const before = this.mine.get(poll) ?? null;
    this.#written.set(poll, answer);
    this.#received.delete(poll);
    this.#own(poll, { answer, waiting: true });
    const reply = await this.#session.request({ t: 'pollAnswer', poll, answer });
    if (reply.ok) {
      this.#unsent.delete(poll);
      this.#own(poll, { answer, waiting: false });
      return null;
    }
    if (reply.code === 'network') {
      // Secret answers are acknowledged late, with others. What did not arrive goes out after the return.
      if (!this.#received.has(poll)) this.#unsent.set(poll, answer);
      return null;
    }
    const again = this.#unsent.delete(poll);
    const asked = this.list.find((p) => p.poll === poll);
    // Of an anonymous answer the first one counts; here it had arrived, only its receipt was lost.
    if (again && reply.code === 'conflict' && asked?.draft.anonymous && asked.st === 'open') {
      this.#own(poll, { answer, waiting: false });
      return null;
    }
    this.#own(poll, again || before?.waiting ? null : before);
    return reply.code;
  }

  close(poll: PollId): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'pollClose', poll });
  }
  show(poll: PollId, on: boolean): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'pollShow', poll, on });
  }
  drop(poll: PollId): Promise<ErrorCode | null> {
    return this.#persist.once({ t: 'pollDrop', poll });
  }

  async rows(poll: PollId, from: number) {
    const reply = await this.#session.request<'pollPage'>({ t: 'pollPage', poll, from, n: POLL_PAGE });
    return reply.ok ? { total: reply.frame.total, list: reply.frame.list } : null;
  }
}
