// What became of an upload, in a sentence.
import type { Deck } from '../../../core/proto';
import { s } from '../../../i18n/sharing.svelte';
import { FAULT } from './words';

export function deckNews(deck: Deck): { text: string; tone: 'good' | 'bad' } | null {
  if (deck.st.is === 'ready') return { text: s('docs.ready', deck.name), tone: 'good' };
  if (deck.st.is === 'failed') return { text: `${deck.name}: ${s(FAULT[deck.st.why])}`, tone: 'bad' };
  return null;
}
