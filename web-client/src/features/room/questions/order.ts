// The order questions are listed in.
import type { QuestionItem } from '../../../state/talk-contract';

export type QuestionSort = 'votes' | 'newest';

const byTime = (a: QuestionItem, b: QuestionItem) => b.at - a.at;
const byVotes = (a: QuestionItem, b: QuestionItem) => b.up - a.up || a.at - b.at;

export interface Sections {
  live: QuestionItem[];
  held: QuestionItem[];
  open: QuestionItem[];
  answered: QuestionItem[];
  dismissed: QuestionItem[];
}

export function sections(list: readonly QuestionItem[], sort: QuestionSort): Sections {
  const of = (st: QuestionItem['st']) => list.filter((q) => q.st === st);
  return {
    live: of('live'),
    // First come, first reviewed.
    held: of('held').sort((a, b) => a.at - b.at),
    open: of('open').sort(sort === 'votes' ? byVotes : byTime),
    answered: of('answered').sort(byTime),
    dismissed: of('dismissed').sort(byTime),
  };
}
