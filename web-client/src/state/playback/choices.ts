// How somebody likes to watch, kept in this browser.
import { stored } from '../../core/base/storage';
import { SPEEDS } from './player.svelte';

export interface Choices {
  rate: number;
  soundOnly: boolean;
  volume: number;
  /** Language of captions; empty: none. */
  captions: string;
}

interface Saver {
  connection?: { saveData?: boolean };
}

const kept = stored<Choices>(
  () => localStorage,
  'lophoc.playback',
  (value) => {
    const one = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof Choices, unknown>>;
    return {
      rate: SPEEDS.find((speed) => speed === one.rate) ?? 1,
      // Who saves data everywhere saves it here.
      soundOnly:
        typeof one.soundOnly === 'boolean' ? one.soundOnly : ((navigator as Saver).connection?.saveData ?? false),
      volume: typeof one.volume === 'number' && one.volume >= 0 && one.volume <= 1 ? one.volume : 1,
      captions: typeof one.captions === 'string' ? one.captions : '',
    };
  },
);

export const readChoices = (): Choices => kept.read();

export function keepChoices(change: Partial<Choices>): void {
  kept.write({ ...kept.read(), ...change });
}
