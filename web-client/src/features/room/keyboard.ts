// The keyboard of the room as a pure map from a key to a command.

export type Command =
  | 'mic'
  | 'camera'
  | 'chat'
  | 'people'
  | 'questions'
  | 'polls'
  | 'captions'
  | 'notes'
  | 'react'
  | 'share'
  | 'hand'
  | 'who'
  | 'help'
  | 'nextRegion'
  | 'prevRegion'
  | 'nextPage'
  | 'prevPage'
  | 'talk';

export interface Keystroke {
  key: string;
  ctrl: boolean;
  alt: boolean;
  meta: boolean;
  shift: boolean;
  /** An input method is composing a letter. */
  composing: boolean;
  /** Where the focus is: text is being written, a control would take the key, or neither. */
  focus: 'text' | 'control' | 'free';
}

const LETTERS: Record<string, Command> = {
  m: 'mic',
  v: 'camera',
  c: 'chat',
  p: 'people',
  q: 'questions',
  t: 'polls',
  l: 'captions',
  g: 'notes',
  b: 'react',
  s: 'share',
  h: 'hand',
  w: 'who',
};

/** What a key means; null leaves it to the browser. */
export function commandFor(k: Keystroke, letters: boolean): Command | null {
  if (k.composing) return null;
  if (k.key === 'F6' && !k.ctrl && !k.alt && !k.meta) return k.shift ? 'prevRegion' : 'nextRegion';
  if (k.ctrl && !k.alt && !k.meta && !k.shift) {
    if (k.key.toLowerCase() === 'd') return 'mic';
    if (k.key.toLowerCase() === 'e') return 'camera';
  }
  if (k.ctrl || k.alt || k.meta || k.focus === 'text') return null;
  if (k.key === '?') return letters ? 'help' : null;
  if (k.focus === 'free') {
    if (k.key === ' ') return 'talk';
    if (k.key === 'PageDown') return 'nextPage';
    if (k.key === 'PageUp') return 'prevPage';
  }
  if (!letters || k.shift) return null;
  return LETTERS[k.key.toLowerCase()] ?? null;
}

/** Where the focus is, for `commandFor`. */
export function focusKind(el: Element | null): Keystroke['focus'] {
  if (!(el instanceof HTMLElement) || el === document.body) return 'free';
  if (el.isContentEditable || el.closest('textarea, select, [role="menu"], dialog')) return 'text';
  if (el instanceof HTMLInputElement) return ['checkbox', 'radio', 'range'].includes(el.type) ? 'control' : 'text';
  return el.closest('button, a, summary, [role="button"], [role="menuitem"]') ? 'control' : 'free';
}
