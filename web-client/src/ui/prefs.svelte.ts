// Choices of the person that are kept in this browser.

export type Lang = 'vi' | 'en';
export type Theme = 'dark' | 'light';

interface Kept {
  lang: Lang;
  theme: Theme;
  /** Single letters (M, V, C …) work as shortcuts. */
  letters: boolean;
  /** Screen readers hear of new messages. */
  sayChat: boolean;
  /** Screen readers hear of people who come and go. */
  sayPeople: boolean;
  /** A sound when time is up and when attendance is checked. */
  sounds: boolean;
}

const KEY = 'lophoc.prefs';
const defaults: Kept = { lang: 'vi', theme: 'dark', letters: true, sayChat: true, sayPeople: false, sounds: true };

/** Reads kept choices; anything that is not what we wrote falls back to the default. */
export function readPrefs(text: string | null): Kept {
  let found: Partial<Record<keyof Kept, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) found = parsed;
  } catch {
    // Not ours: defaults.
  }
  const flag = (key: 'letters' | 'sayChat' | 'sayPeople' | 'sounds') =>
    typeof found[key] === 'boolean' ? found[key] : defaults[key];
  return {
    lang: found.lang === 'en' ? 'en' : 'vi',
    theme: found.theme === 'light' ? 'light' : 'dark',
    letters: flag('letters'),
    sayChat: flag('sayChat'),
    sayPeople: flag('sayPeople'),
    sounds: flag('sounds'),
  };
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is forbidden in some webviews
  }
}

export const prefs = $state<Kept>(readPrefs(stored()));

/** Changes one choice and keeps it. */
export function setPref<K extends keyof Kept>(key: K, value: Kept[K]): void {
  prefs[key] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // It holds until the page is closed.
  }
}
