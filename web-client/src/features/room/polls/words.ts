// Polls in words: what an option is called, what is asked, how an answer reads.
import type { Poll, PollChoice, PollDraft, PollItem } from '../../../core/proto';
import { w } from '../../../i18n/talk.svelte';

/** Options of an item as people read them. */
export function optionsOf(draft: PollDraft, item: PollItem): string[] {
  switch (draft.kind) {
    case 'yesNo':
      return [w('poll.yes'), w('poll.no')];
    case 'vote':
      return [w('poll.for'), w('poll.against'), w('poll.other')];
    case 'letters':
      return item.options.map((_, n) => letter(n));
    default:
      return item.options;
  }
}

export function letter(n: number): string {
  return String.fromCharCode(65 + n);
}

export function kindOf(draft: PollDraft): string {
  switch (draft.kind) {
    case 'vote':
      return w('poll.kind.vote');
    case 'quiz':
      return w('poll.kind.quiz');
    case 'poll':
      return w('poll.kind.poll');
    default:
      return w('poll.kind.quick');
  }
}

/** What is asked in one line. */
export function headline(draft: PollDraft): string {
  const text = draft.title || draft.items[0]?.text;
  if (text) return text;
  return draft.kind === 'yesNo' ? w('poll.askYesNo') : draft.kind === 'letters' ? w('poll.askLetters') : kindOf(draft);
}

/** The answer to one item in words. */
export function answerText(draft: PollDraft, item: PollItem, choice: PollChoice | undefined): string {
  if (choice?.text) return choice.text;
  const options = optionsOf(draft, item);
  return (choice?.chosen ?? []).map((n) => options[n] ?? '').join(', ');
}

/** Share of the whole in per cent, whole numbers. */
export function percent(n: number, of: number): number {
  return of === 0 ? 0 : Math.round((100 * n) / of);
}

/** Whether one press is the whole answer. */
export function quick(draft: PollDraft): boolean {
  return (draft.kind === 'yesNo' || draft.kind === 'letters') && !draft.anonymous;
}

/** Whether the answer is complete enough to be sent. */
export function complete(draft: PollDraft, answer: readonly PollChoice[]): boolean {
  return draft.items.every((item, n) => {
    const one = answer[n];
    return item.choose === 'text' ? (one?.text ?? '').trim() !== '' : (one?.chosen?.length ?? 0) > 0;
  });
}

/** Seconds left of a poll that closes by itself; null without an end. */
export function leftOf(poll: Poll, now: number): number | null {
  return poll.st === 'open' && poll.until !== undefined ? Math.max(0, poll.until - now) : null;
}
