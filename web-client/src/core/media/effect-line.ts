// From the captured track to the one that is sent: an effect stands between them or does
// not. Whatever happens to the effect, there is a track to send.
import { Emitter } from '../base/emitter';

/** Why an effect ended by itself. */
export type EffectFault = 'slow' | 'broken';

/** A running effect. */
export interface Processor {
  readonly track: MediaStreamTrack;
  stop(): void;
}

/**
 * Puts an effect behind a track. `lost` tells later that it can go on no longer; `lapsed`
 * means for the moment only, and the effect is tried again with the next occasion.
 */
export type Maker = (raw: MediaStreamTrack, lost: (why: EffectFault | 'lapsed') => void) => Promise<Processor>;

export interface EffectLineEvents {
  /** The track to be sent is another one, or was looked at anew. */
  out: void;
  /** The effect ended by itself; it is no longer wanted. */
  fault: EffectFault;
}

export interface EffectLineOptions {
  make: Maker;
  /** Of a new device nothing is sent until the effect stands: for effects that hide something. */
  hold: boolean;
  /** An effect that does not stand after this is given up, ms. */
  patience?: number;
}

const PATIENCE = 10_000;

export class EffectLine extends Emitter<EffectLineEvents> {
  readonly #options: EffectLineOptions;
  #raw: MediaStreamTrack | null = null;
  #wanted = false;
  #running: Processor | null = null;
  #starting = false;
  #holding = false;
  /** Counts the beginnings and ends: what an earlier one brings is put away. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: EffectLineOptions) {
    super();
    this.#options = options;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  /** The effect stands. */
  get running(): boolean {
    return this.#running !== null;
  }

  /** What is to be sent: the processed track, or the captured one. */
  get out(): MediaStreamTrack | null {
    if (this.#running) return this.#running.track;
    return this.#holding ? null : this.#raw;
  }

  /** Another captured track, or none. */
  setRaw(raw: MediaStreamTrack | null): void {
    if (raw !== this.#raw) {
      this.#end();
      this.#raw = raw;
      this.#begin(this.#options.hold);
    }
    this.emit('out', undefined);
  }

  setWanted(on: boolean): void {
    if (on === this.#wanted) return;
    this.#wanted = on;
    // What is seen already need not be held back.
    if (on) this.#begin(false);
    else this.#end();
    this.emit('out', undefined);
  }

  /** Mutes or unmutes: what is captured and what is sent, so that it holds whatever stands between. */
  setEnabled(on: boolean): void {
    if (this.#raw) this.#raw.enabled = on;
    if (this.#running) this.#running.track.enabled = on;
  }

  /** An occasion to try again what has lapsed. */
  retry(): void {
    if (!this.#wanted || this.#running || this.#starting || !this.#raw) return;
    this.#begin(false);
  }

  #begin(hold: boolean): void {
    const raw = this.#raw;
    if (!raw || !this.#wanted) return;
    const turn = ++this.#turn;
    this.#starting = true;
    this.#holding = hold;
    this.#timer = setTimeout(() => this.#lost(turn, 'broken'), this.#options.patience ?? PATIENCE);
    const made = async () => this.#options.make(raw, (why) => this.#lost(turn, why));
    made().then(
      (processor) => {
        if (turn !== this.#turn) {
          processor.stop();
          return;
        }
        clearTimeout(this.#timer);
        this.#starting = this.#holding = false;
        this.#running = processor;
        processor.track.enabled = raw.enabled;
        this.emit('out', undefined);
      },
      () => this.#lost(turn, 'broken'),
    );
  }

  #end(): void {
    this.#turn += 1;
    this.#starting = this.#holding = false;
    clearTimeout(this.#timer);
    const running = this.#running;
    this.#running = null;
    running?.stop();
  }

  #lost(turn: number, why: EffectFault | 'lapsed'): void {
    if (turn !== this.#turn) return;
    if (why !== 'lapsed') this.#wanted = false;
    // First the captured track is sent again, then the effect is put away.
    const running = this.#running;
    this.#running = null;
    this.#end();
    this.emit('out', undefined);
    running?.stop();
    if (why !== 'lapsed') this.emit('fault', why);
  }
}
