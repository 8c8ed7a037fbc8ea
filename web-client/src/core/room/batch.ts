// Frames of a storm (200 people joining) are taken together, once per animation frame.

const HIDDEN_DELAY = 250;

export class FrameBatch<T> {
  #queue: T[] = [];
  #scheduled = false;
  readonly #flush: (items: T[]) => void;

  constructor(flush: (items: T[]) => void) {
    this.#flush = flush;
  }

  push(item: T): void {
    this.#queue.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden page gets no animation frames.
    if (typeof requestAnimationFrame === 'function' && document.visibilityState === 'visible') {
      let done = false;
      const run = () => {
        if (done) return;
        done = true;
        this.flushNow();
      };
      requestAnimationFrame(run);
      // The page may be hidden between now and the frame.
      setTimeout(run, HIDDEN_DELAY);
    } else {
      setTimeout(() => this.flushNow(), HIDDEN_DELAY);
    }
  }

  flushNow(): void {
    this.#scheduled = false;
    const items = this.#queue;
    if (items.length === 0) return;
    this.#queue = [];
    this.#flush(items);
  }
}
