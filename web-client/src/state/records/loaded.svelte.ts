// Something a page fetches: value, waiting and error in one place. While it is fetched
// anew the old value stays, so that nothing jumps; of two answers the later question wins.
import type { ApiError, Result } from '../../core/records/http';

export class Loaded<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  #turn = 0;

  async load(ask: () => Promise<Result<T>>): Promise<T | null> {
    const turn = ++this.#turn;
    this.loading = true;
    const result = await ask();
    if (turn !== this.#turn) return null;
    this.loading = false;
    if (result.ok) {
      this.value = result.value;
      this.error = null;
      return result.value;
    }
    this.error = result.error;
    return null;
  }

  /** Takes a value that came another way, e.g. as the answer to a change. */
  set(value: T): void {
    this.#turn++;
    this.loading = false;
    this.error = null;
    this.value = value;
  }

  /** Forgets everything: the page shows something else. */
  clear(): void {
    this.#turn++;
    this.loading = false;
    this.error = null;
    this.value = null;
  }
}
