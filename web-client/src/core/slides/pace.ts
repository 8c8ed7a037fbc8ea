// At most one value in a while, the latest one; the last is never lost.

export class Pace<T> {
  readonly #every: number;
  readonly #send: (value: T) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: { value: T } | null = null;

  constructor(everyMs: number, send: (value: T) => void) {
    this.#every = everyMs;
    this.#send = send;
  }

  push(value: T): void {
    if (this.#timer !== undefined) {
      this.#waiting = { value };
      return;
    }
    this.#send(value);
    this.#timer = setTimeout(() => this.#next(), this.#every);
  }

  #next(): void {
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) this.push(waiting.value);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#waiting = null;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = null;
  }
}
