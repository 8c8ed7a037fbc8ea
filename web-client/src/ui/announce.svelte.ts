// What screen readers are told. One polite region for everything, one assertive region
// for three things only: you were muted, the link is lost, you are asked to speak.

type Urgency = 'polite' | 'assertive';

export const spoken = $state<Record<Urgency, string>>({ polite: '', assertive: '' });

let flip = false;

/** Says a sentence. The same sentence twice is said twice. */
export function announce(text: string, urgency: Urgency = 'polite'): void {
  flip = !flip;
  spoken[urgency] = text + (flip ? '' : '\u00a0');
}

let waiting: { one: string; many: (n: number) => string; n: number } | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Gathers frequent events of one sort for two seconds and says how many there were. */
export function announceMany(one: string, many: (n: number) => string): void {
  waiting = { one, many, n: (waiting?.n ?? 0) + 1 };
  timer ??= setTimeout(() => {
    timer = undefined;
    const w = waiting;
    waiting = null;
    if (w) announce(w.n === 1 ? w.one : w.many(w.n));
  }, 2000);
}
