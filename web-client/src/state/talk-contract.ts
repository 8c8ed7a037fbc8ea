// What the surface knows of talking: chat to some, questions, reactions, polls.
import type {
  Audience,
  ErrorCode,
  Poll,
  PollChoice,
  PollDraft,
  PollId,
  PollRow,
  Question,
  QuestionId,
  QuestionState,
  Reaction,
} from '../core/proto';

/** A message that has not come back from the server yet. */
export interface PendingChat {
  cid: string;
  text: string;
  to: Audience;
  failed: boolean;
  /** Why it was refused. */
  code?: ErrorCode;
}

/** A question with what is one's own about it. */
export interface QuestionItem extends Question {
  /** Asked by oneself, without the name too. */
  mine: boolean;
  /** Wanted answered by oneself. */
  voted: boolean;
}

/** A reaction shown for some seconds: how many there were since it appeared. */
export interface ShownReaction {
  id: number;
  e: Reaction;
  n: number;
}

export interface TalkModel {
  readonly questions: readonly QuestionItem[];
  /** Questions of others that came while the panel was closed. */
  readonly newQuestions: number;
  setQuestionsOpen(open: boolean): void;
  ask(text: string, anonymous: boolean): Promise<ErrorCode | null>;
  want(q: QuestionId, on: boolean): Promise<ErrorCode | null>;
  setQuestion(q: QuestionId, st: QuestionState, answer?: string): Promise<ErrorCode | null>;
  /** Reactions of the moment, without those on the pace. */
  readonly reactions: readonly ShownReaction[];
  /** How many asked for another pace within the last minute. */
  readonly pace: { faster: number; slower: number };
  react(e: Reaction): Promise<ErrorCode | null>;
  setSlow(secs: number): Promise<ErrorCode | null>;
  /** A timer everybody sees; 0 takes it away. */
  setTimer(secs: number, label: string): Promise<ErrorCode | null>;
}

export interface OwnAnswer {
  answer: PollChoice[];
  score?: number;
  /** On its way: the link is down. */
  waiting: boolean;
}

export interface PollsModel {
  /** Newest first. */
  readonly list: readonly Poll[];
  readonly mine: ReadonlyMap<PollId, OwnAnswer>;
  open(draft: PollDraft): Promise<ErrorCode | null>;
  answer(poll: PollId, answer: PollChoice[]): Promise<ErrorCode | null>;
  close(poll: PollId): Promise<ErrorCode | null>;
  show(poll: PollId, on: boolean): Promise<ErrorCode | null>;
  drop(poll: PollId): Promise<ErrorCode | null>;
  /** Who answered what; null where it cannot be had. */
  rows(poll: PollId, from: number): Promise<{ total: number; list: PollRow[] } | null>;
}
