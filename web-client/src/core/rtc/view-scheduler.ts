// Turns what the surface shows into `view` messages: debounced, whole, and only when something changed.
import type { TrackId, View, ViewMode } from '../proto';
import { emptyPlan, planView, type Plan, type Wanted } from './view-planner';

/** A change is sent after this long without another, ms. */
export const SHOW_DELAY = 100;
/** A picture that left the screen is kept this long, in case it comes back, ms. */
export const HIDE_DELAY = 500;
/** A hidden page gives up its pictures after this long, ms. */
export const PAGE_HIDDEN_DELAY = 5_000;

export class ViewScheduler {
  readonly #send: (view: View) => void;
  #plan: Plan = emptyPlan([], []);
  #wanted = new Map<TrackId, Wanted>();
  #leaving = new Map<TrackId, ReturnType<typeof setTimeout>>();
  #pin: TrackId[] = [];
  #saver = false;
  #hidden = false;
  #rev = 0;
  #last = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (view: View) => void) {
    this.#send = send;
  }

  /** The slots of a (new) peer connection. */
  setSlots(video: readonly string[], screen: readonly string[]): void {
    this.#plan = emptyPlan(video, screen);
    this.resend();
  }

  /** The pictures that are on the screen now. */
  setWanted(wanted: readonly Wanted[]): void {
    const now = new Map(wanted.filter((w) => w.height > 0).map((w) => [w.track, w]));
    for (const [track, wish] of now) {
      clearTimeout(this.#leaving.get(track));
      this.#leaving.delete(track);
      this.#wanted.set(track, wish);
    }
    for (const track of this.#wanted.keys()) {
      if (now.has(track) || this.#leaving.has(track)) continue;
      const timer = setTimeout(() => {
        this.#leaving.delete(track);
        this.#wanted.delete(track);
        this.#touch();
      }, HIDE_DELAY);
      this.#leaving.set(track, timer);
      // What is on its way out gives way to everything that is shown.
      const wish = this.#wanted.get(track);
      if (wish) this.#wanted.set(track, { ...wish, prio: 0 });
    }
    this.#touch();
  }

  /** Tracks to hear always while they send. */
  setAudioPins(pin: readonly TrackId[]): void {
    this.#pin = pin.slice(0, 2);
    this.#touch();
  }

  setSaver(on: boolean): void {
    this.#saver = on;
    this.#touch();
  }

  setPageHidden(hidden: boolean): void {
    clearTimeout(this.#hiddenTimer);
    if (hidden) {
      this.#hiddenTimer = setTimeout(() => {
        this.#hidden = true;
        this.flush();
      }, PAGE_HIDDEN_DELAY);
    } else if (this.#hidden) {
      this.#hidden = false;
      this.flush();
    }
  }

  /** The server lost our wish (new session): send it again even if nothing changed. */
  resend(): void {
    this.#last = '';
    this.flush();
  }

  #touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), SHOW_DELAY);
  }

  flush(): void {
    clearTimeout(this.#timer);
    const { plan, wishes } = planView(this.#plan, [...this.#wanted.values()]);
    this.#plan = plan;
    const mode: ViewMode = this.#hidden ? 'hidden' : this.#saver ? 'save' : 'normal';
    const body = { slots: wishes, audio: { pin: this.#pin }, mode };
    const text = JSON.stringify(body);
    if (text === this.#last) return;
    this.#last = text;
    this.#rev += 1;
    this.#send({ rev: this.#rev, ...body });
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#hiddenTimer);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }
}
