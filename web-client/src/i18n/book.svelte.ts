// A part of the catalogue with words of its own, fetched with the pages that need it, so
// that the way into a class does not carry the words of the organisers.
import type { Lang } from '../ui/prefs.svelte';

type Message = string | ((...args: never[]) => string);
type Args<M> = M extends (...args: infer A) => string ? A : [];

export interface Book<C> {
  /** Fetches the words of a language; the old ones stay until the new ones are there. */
  load(lang: Lang): Promise<void>;
  /** The message in the chosen language. */
  t<K extends keyof C>(key: K, ...args: Args<C[K]>): string;
}

/** Makes a book of catalogues of one shape. */
export function book<C extends Record<keyof C, Message>>(sources: Record<Lang, () => Promise<C>>): Book<C> {
  let words = $state.raw<C | null>(null);
  let wanted: Lang | null = null;
  return {
    async load(lang) {
      wanted = lang;
      const found = await sources[lang]();
      // The language may have been changed again while this one was fetched.
      if (wanted === lang) words = found;
    },
    t(key, ...args) {
      const message: Message | undefined = words?.[key];
      if (typeof message === 'function') return (message as (...a: readonly unknown[]) => string)(...args);
      return message ?? '';
    },
  };
}
