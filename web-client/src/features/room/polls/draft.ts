// A poll while it is written: kept per room, checked before it is opened.
import { stored } from '../../../core/base/storage';
import type { Choose, PollDraft, PollItem } from '../../../core/proto';

export type MakerKind = 'poll' | 'quiz' | 'vote';

/** One question being written. */
export interface MakerItem {
  text: string;
  choose: Choose;
  options: string[];
  correct: boolean[];
}

/** All that is being written, for the three kinds. */
export interface Maker {
  title: string;
  items: MakerItem[];
  anonymous: boolean;
  live: boolean;
  secs: number;
  quorum: string;
  bySite: boolean;
}

export type MakerFault =
  { what: 'title' } | { what: 'text' | 'options' | 'correct' | 'correctOne'; item: number } | { what: 'quorum' };

/** Times offered for a poll that closes by itself, seconds; 0 = until it is closed. */
export const POLL_TIMES: readonly number[] = [0, 30, 60, 120, 180, 300, 600, 900];

export function newItem(): MakerItem {
  return { text: '', choose: 'one', options: ['', ''], correct: [false, false] };
}

export function newMaker(): Maker {
  return { title: '', items: [newItem()], anonymous: false, live: false, secs: 0, quorum: '', bySite: false };
}

const clean = (text: string) => text.normalize('NFC').trim();

/** The first thing that is wrong, or null. */
export function fault(kind: MakerKind, maker: Maker): MakerFault | null {
  if (kind === 'vote') {
    if (clean(maker.title) === '') return { what: 'title' };
    if (clean(maker.quorum) !== '' && !/^[1-9]\d{0,4}$/u.test(clean(maker.quorum))) return { what: 'quorum' };
    return null;
  }
  for (const [n, item] of maker.items.entries()) {
    if (clean(item.text) === '') return { what: 'text', item: n };
    if (item.choose === 'text' && kind === 'poll') continue;
    const filled = item.options.filter((text) => clean(text) !== '');
    if (filled.length < 2) return { what: 'options', item: n };
    if (kind === 'quiz') {
      const right = item.options.filter((text, i) => clean(text) !== '' && item.correct[i]).length;
      if (right === 0) return { what: 'correct', item: n };
      if (item.choose === 'one' && right > 1) return { what: 'correctOne', item: n };
    }
  }
  return null;
}

/** What is sent: empty options fall away, the right ones keep their options. */
export function draftOf(kind: MakerKind, maker: Maker): PollDraft {
  const common = {
    kind,
    anonymous: maker.anonymous,
    live: kind === 'quiz' ? false : maker.live,
    ...(maker.secs > 0 && { secs: maker.secs }),
    bySite: kind === 'vote' && maker.bySite,
  };
  if (kind === 'vote') {
    const quorum = Number(clean(maker.quorum));
    return {
      ...common,
      title: clean(maker.title),
      items: [{ text: '', choose: 'one', options: [] }],
      ...(quorum > 0 && { quorum }),
    };
  }
  const items = (kind === 'poll' ? maker.items.slice(0, 1) : maker.items).map((item): PollItem => {
    if (item.choose === 'text') return { text: clean(item.text), choose: 'text', options: [] };
    const kept = item.options
      .map((text, n) => ({ text: clean(text), right: item.correct[n] === true }))
      .filter(({ text }) => text !== '');
    return {
      text: clean(item.text),
      choose: item.choose,
      options: kept.map(({ text }) => text),
      ...(kind === 'quiz' && { correct: kept.flatMap(({ right }, n) => (right ? [n] : [])) }),
    };
  });
  return { ...common, title: kind === 'quiz' ? clean(maker.title) : '', items };
}

/** A quick poll: opened with one press. */
export function quickDraft(letters: number | null, anonymous: boolean, live: boolean): PollDraft {
  return {
    kind: letters === null ? 'yesNo' : 'letters',
    title: '',
    items: [{ text: '', choose: 'one', options: letters === null ? [] : Array.from({ length: letters }, () => '') }],
    anonymous,
    live,
    bySite: false,
  };
}

function readMaker(value: unknown): Maker {
  const fresh = newMaker();
  if (typeof value !== 'object' || value === null) return fresh;
  const found = value as Partial<Record<keyof Maker, unknown>>;
  const flag = (key: 'anonymous' | 'live' | 'bySite') => found[key] === true;
  const text = (key: 'title' | 'quorum') => (typeof found[key] === 'string' ? found[key] : '');
  const items = (Array.isArray(found.items) ? found.items : []).flatMap((one: unknown): MakerItem[] => {
    const item = (typeof one === 'object' && one !== null ? one : {}) as Partial<MakerItem>;
    if (typeof item.text !== 'string' || !Array.isArray(item.options)) return [];
    const options = item.options.map(String);
    const choose = item.choose === 'many' || item.choose === 'text' ? item.choose : 'one';
    return [{ text: item.text, choose, options, correct: options.map((_, n) => item.correct?.[n] === true) }];
  });
  return {
    title: text('title'),
    items: items.length > 0 ? items : fresh.items,
    anonymous: flag('anonymous'),
    live: flag('live'),
    secs: typeof found.secs === 'number' && POLL_TIMES.includes(found.secs) ? found.secs : 0,
    quorum: text('quorum'),
    bySite: flag('bySite'),
  };
}

/** Where what is being written outlives the panel and a reload. */
export function keptMaker(room: string, kind: MakerKind) {
  return stored(() => sessionStorage, `lophoc.poll.${room}.${kind}`, readMaker);
}
