// The chosen language. Only its catalogue is loaded.
import type { Catalogue, Key } from './vi';
import type { Lang } from '../ui/prefs.svelte';

let words = $state.raw<Catalogue | null>(null);

/** Loads a language and makes it the one of the page. */
export async function setLanguage(lang: Lang): Promise<void> {
  words = lang === 'en' ? (await import('./en')).en : (await import('./vi')).vi;
  document.documentElement.lang = lang;
  document.documentElement.dir = 'ltr';
}

type Args<K extends Key> = Catalogue[K] extends (...args: infer A) => string ? A : [];

/** The message in the chosen language. */
export function t<K extends Key>(key: K, ...args: Args<K>): string {
  const message = words?.[key];
  if (typeof message === 'function') return (message as (...a: readonly unknown[]) => string)(...args);
  return message ?? '';
}
