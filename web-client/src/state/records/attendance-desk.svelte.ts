// The live desk: asks every two seconds, seldom while nobody looks, more and more seldom
// while there is no answer. The last answer stays.
import type { AttendancePage } from '../../core/records/gen';
import type { ApiError, Result } from '../../core/records/http';

export const EVERY = 2000;
export const HIDDEN = 20_000;
const MOST = 30_000;

export interface DeskOptions<P = AttendancePage> {
  ask: (signal: AbortSignal) => Promise<Result<P>>;
  hidden?: () => boolean;
}

/** How long to wait before asking again, ms. */
export function waitOf(failed: number, hidden: boolean, afterMs = 0): number {
  const wait = failed === 0 ? EVERY : Math.min(MOST, EVERY * 2 ** failed);
  return Math.max(afterMs, wait, hidden ? HIDDEN : 0);
}

export class Desk<P = AttendancePage> {
  page = $state.raw<P | null>(null);
  error = $state.raw<ApiError | null>(null);
  readonly #o: Required<DeskOptions<P>>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #failed = 0;

  constructor(options: DeskOptions<P>) {
    this.#o = { hidden: () => document.visibilityState === 'hidden', ...options };
  }

  start(): () => void {
    const looked = () => {
      if (!this.#o.hidden()) void this.refresh();
    };
    document.addEventListener('visibilitychange', looked);
    void this.refresh();
    return () => {
      document.removeEventListener('visibilitychange', looked);
      clearTimeout(this.#timer);
      this.#abort?.abort();
    };
  }

  /** Asks now. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    const result = await this.#o.ask(abort.signal);
    if (abort.signal.aborted) return;
    if (result.ok) {
      this.page = result.value;
      this.error = null;
      this.#failed = 0;
    } else {
      this.error = result.error;
      this.#failed++;
      // What is not there or not allowed does not come by waiting.
      if (['notFound', 'forbidden', 'signIn'].includes(result.error.code)) return;
    }
    const wait = waitOf(this.#failed, this.#o.hidden(), result.ok ? 0 : (result.error.afterMs ?? 0));
    this.#timer = setTimeout(() => void this.refresh(), wait);
  }
}
