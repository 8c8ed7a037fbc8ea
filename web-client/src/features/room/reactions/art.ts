// The reactions in words and in the order of the palette.
import type { Reaction } from '../../../core/proto';
import type { TalkKey } from '../../../i18n/talk.svelte';

export const REACTION = {
  clap: 'react.clap',
  like: 'react.like',
  heart: 'react.heart',
  laugh: 'react.laugh',
  wow: 'react.wow',
  yes: 'react.yes',
  no: 'react.no',
  faster: 'react.faster',
  slower: 'react.slower',
} as const satisfies Record<Reaction, TalkKey>;

export const FEELINGS: readonly Reaction[] = ['clap', 'like', 'heart', 'laugh', 'wow', 'yes', 'no'];
export const PACES: readonly Reaction[] = ['slower', 'faster'];
