// A short sentence after something was done: shown at the lower edge and read out.
import { announce } from './announce.svelte';

export const flashed = $state<{ text: string; bad: boolean; n: number }>({ text: '', bad: false, n: 0 });

let timer: ReturnType<typeof setTimeout> | undefined;

/** Says that something was done, or could not be done. */
export function flash(text: string, bad = false): void {
  flashed.text = text;
  flashed.bad = bad;
  flashed.n++;
  announce(text);
  clearTimeout(timer);
  timer = setTimeout(() => (flashed.text = ''), bad ? 8000 : 4000);
}

export function endFlash(): void {
  clearTimeout(timer);
  flashed.text = '';
}
