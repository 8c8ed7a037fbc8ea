// Whether a machine keeps up with an effect on its pictures. Times are arguments.

/** A frame may take this long, ms. */
export const FRAME_LIMIT = 30;
/** The first frames do not count: models and shaders are being made ready. */
const WARM_UP = 3;
/** So much slowness ends the effect: three seconds of frames that are all a little too slow. */
const ENOUGH = 60;
/** A very slow frame counts as so many at most: a machine that stands still is not kept waiting. */
const WORST = 20;

export class FrameBudget {
  #seen = 0;
  #slow = 0;

  /** Tells of a frame that took so long; true when the machine does not keep up. */
  spend(ms: number): boolean {
    this.#seen += 1;
    if (this.#seen <= WARM_UP) return false;
    if (ms > FRAME_LIMIT) this.#slow += Math.min(WORST, Math.floor(ms / FRAME_LIMIT));
    else this.#slow = Math.max(0, this.#slow - 1);
    return this.#slow >= ENOUGH;
  }
}
