// Edits of a text as lists of steps, as the server has them: a number above 0 keeps so many characters, one
// below takes so many away, a text is put in; what comes after the last step is kept. Lengths count Unicode
// scalar values, not the units of JavaScript's strings.

export type Step = number | string;
export type Op = readonly Step[];

export function length(text: string): number {
  let n = 0;
  for (const _ of text) n += 1;
  return n;
}

/** Builds an edit in its one shortest form. */
class Builder {
  readonly steps: Step[] = [];

  push(step: Step): void {
    if (step === 0 || step === '') return;
    const last = this.steps.at(-1);
    if (typeof step === 'string') {
      if (typeof last === 'string') this.steps[this.steps.length - 1] = last + step;
      else if (last !== undefined && last < 0) {
        // The same in either order; this is the one that is used.
        this.steps.pop();
        this.push(step);
        this.steps.push(last);
      } else this.steps.push(step);
    } else if (typeof last === 'number' && last > 0 === step > 0) this.steps[this.steps.length - 1] = last + step;
    else this.steps.push(step);
  }

  done(): Op {
    const last = this.steps.at(-1);
    return typeof last === 'number' && last > 0 ? this.steps.slice(0, -1) : this.steps;
  }
}

/** Steps taken piece by piece; after the last, everything is kept. */
class Reader {
  #at = 0;
  #taken = 0;
  readonly #op: readonly (number | string[])[];

  constructor(op: Op) {
    this.#op = op.filter((step) => step !== 0 && step !== '').map((s) => (typeof s === 'string' ? [...s] : s));
  }
  get step(): number | string[] | undefined {
    return this.#op[this.#at];
  }
  get done(): boolean {
    return this.step === undefined;
  }
  get puts(): boolean {
    return Array.isArray(this.step);
  }
  get drops(): boolean {
    return typeof this.step === 'number' && this.step < 0;
  }
  /** How many characters the present step still covers. */
  get left(): number {
    const { step } = this;
    if (step === undefined) return Infinity;
    return (Array.isArray(step) ? step.length : Math.abs(step)) - this.#taken;
  }
  /** Takes so many of the present step; the text of them where it puts one in. */
  take(n: number): string {
    const { step } = this;
    if (step === undefined) return '';
    const text = Array.isArray(step) ? step.slice(this.#taken, this.#taken + n).join('') : '';
    this.#taken += n;
    if (this.#taken >= (Array.isArray(step) ? step.length : Math.abs(step))) {
      this.#at += 1;
      this.#taken = 0;
    }
    return text;
  }
}

/** The edit in its shortest form. */
export function tidy(op: Op): Op {
  const out = new Builder();
  for (const step of op) out.push(step);
  return out.done();
}

/** The text after the edit. */
export function apply(op: Op, text: string): string {
  const chars = [...text];
  let at = 0;
  let out = '';
  for (const step of op) {
    if (typeof step === 'string') out += step;
    else if (step > 0) {
      out += chars.slice(at, at + step).join('');
      at += step;
    } else at -= step;
  }
  return out + chars.slice(at).join('');
}

function over(op: Op, other: Op, mineFirst: boolean): Op {
  const mine = new Reader(op);
  const theirs = new Reader(other);
  const out = new Builder();
  for (;;) {
    if (mineFirst && mine.puts) out.push(mine.take(Infinity));
    else if (theirs.puts) out.push(length(theirs.take(Infinity)));
    else if (mine.puts) out.push(mine.take(Infinity));
    else if (mine.done) return out.done();
    else {
      const n = Math.min(mine.left, theirs.left);
      const gone = theirs.drops;
      const drop = mine.drops;
      theirs.take(n);
      mine.take(n);
      if (!gone) out.push(drop ? -n : n);
    }
  }
}

/** `op` as it is after `first`, which was made to the same text and came first. */
export function after(op: Op, first: Op): Op {
  return over(op, first, false);
}

/** `op` as it is for somebody who made `then` already, which comes later. */
export function before(op: Op, then: Op): Op {
  return over(op, then, true);
}

/** One edit that does what the two do one after the other. */
export function compose(first: Op, then: Op): Op {
  const a = new Reader(first);
  const b = new Reader(then);
  const out = new Builder();
  for (;;) {
    if (a.drops) {
      out.push(-a.left);
      a.take(Infinity);
    } else if (b.puts) out.push(b.take(Infinity));
    else if (a.done && b.done) return out.done();
    else {
      const n = Math.min(a.left, b.left);
      const puts = a.puts;
      const drops = b.drops;
      const text = a.take(n);
      b.take(n);
      if (puts) out.push(drops ? '' : text);
      else out.push(drops ? -n : n);
    }
  }
}

/** The shortest single change that makes one text of the other. */
export function diff(from: string, to: string): Op {
  if (from === to) return [];
  const a = [...from];
  const b = [...to];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1;
  return tidy([head, b.slice(head, b.length - tail).join(''), head + tail - a.length]);
}

/** The edit with no more than so many characters put in; what is too much is left out. */
export function limited(op: Op, most: number): Op {
  let left = most;
  return tidy(
    op.map((step) => {
      if (typeof step !== 'string') return step;
      const kept = [...step].slice(0, left);
      left -= kept.length;
      return kept.join('');
    }),
  );
}

/** How many characters an edit puts in. */
export function added(op: Op): number {
  return op.reduce<number>((sum, step) => sum + (typeof step === 'string' ? length(step) : 0), 0);
}

/** Where a place of the text (in units of JavaScript's strings) is after the edit of others. */
export function place(op: Op, text: string, at: number): number {
  const chars = [...text];
  let n = 0;
  let old = 0;
  let fresh = 0;
  for (const step of op) {
    if (typeof step === 'string') {
      // What is put in just where one writes comes behind it.
      if (old >= at) return fresh;
      fresh += step.length;
      continue;
    }
    const end = n + Math.abs(step);
    for (; n < end && n < chars.length; n += 1) {
      if (old >= at) return fresh;
      const units = chars[n]?.length ?? 0;
      old += units;
      if (step > 0) fresh += units;
    }
  }
  return fresh + (at - old);
}
