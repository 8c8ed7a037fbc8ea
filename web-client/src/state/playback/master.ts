// The clock of a play: an element that plays, or a plain clock where nothing is heard.

export interface Master {
  /** Recording time, ms. */
  now(): number;
  /** Goes to a recording time. */
  seek(t: number): void;
  play(): Promise<void>;
  pause(): void;
  setRate(rate: number): void;
  /** It is playing and has what it needs. */
  readonly running: boolean;
  /** It came to its own end. */
  readonly over: boolean;
}

/** Sound or picture that leads; `toT` and `fromT` map its own time, ms. */
export class ElementMaster implements Master {
  readonly element: HTMLMediaElement;
  readonly #toT: (own: number) => number;
  readonly #fromT: (t: number) => number;

  constructor(
    element: HTMLMediaElement,
    toT: (own: number) => number = (own) => own,
    fromT: (t: number) => number = (t) => t,
  ) {
    this.element = element;
    this.#toT = toT;
    this.#fromT = fromT;
  }

  now(): number {
    return this.#toT(this.element.currentTime * 1000);
  }

  seek(t: number): void {
    this.element.currentTime = this.#fromT(t) / 1000;
  }

  play(): Promise<void> {
    return this.element.play();
  }

  pause(): void {
    this.element.pause();
  }

  setRate(rate: number): void {
    this.element.defaultPlaybackRate = rate;
    this.element.playbackRate = rate;
  }

  get running(): boolean {
    return !this.element.paused && !this.element.seeking && this.element.readyState >= 3;
  }

  get over(): boolean {
    return this.element.ended;
  }
}

/** Runs by the machine's clock: for recordings without sound. */
export class PlainMaster implements Master {
  #at = 0;
  #since: number | null = null;
  #rate = 1;
  readonly #clock: () => number;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  now(): number {
    return this.#since === null ? this.#at : this.#at + (this.#clock() - this.#since) * this.#rate;
  }

  seek(t: number): void {
    this.#at = t;
    if (this.#since !== null) this.#since = this.#clock();
  }

  async play(): Promise<void> {
    this.#since ??= this.#clock();
  }

  pause(): void {
    this.#at = this.now();
    this.#since = null;
  }

  setRate(rate: number): void {
    this.seek(this.now());
    this.#rate = rate;
  }

  get running(): boolean {
    return this.#since !== null;
  }

  get over(): boolean {
    return false;
  }
}
