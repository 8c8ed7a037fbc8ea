// Loudness of the own microphone, ten times a second, outside any reactivity.
import { isWebKit } from '../rtc/compat';

const EVERY_MS = 100;
/** Quietest level shown, dBFS. */
const FLOOR = -60;

/** Root mean square of samples in [-1, 1] as dBFS. */
export function dbfs(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return rms > 0 ? 20 * Math.log10(rms) : -Infinity;
}

/** 0 = silence, 1 = as loud as speech gets. */
export function levelOf(db: number): number {
  return Math.min(1, Math.max(0, (db - FLOOR) / (FLOOR * -1 - 10)));
}

/** One AudioContext for the page: browsers allow few of them. */
let shared: AudioContext | null = null;

export function audioContext(): AudioContext | null {
  if (typeof AudioContext !== 'function') return null;
  shared ??= new AudioContext({ latencyHint: 'interactive' });
  if (shared.state === 'suspended') void shared.resume().catch(() => undefined);
  return shared;
}

export class MicMeter {
  readonly #onLevel: (db: number) => void;
  #source: MediaStreamAudioSourceNode | null = null;
  #clone: MediaStreamTrack | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(onLevel: (db: number) => void) {
    this.#onLevel = onLevel;
  }

  /** Listens to a track, or with null to nothing. */
  listen(track: MediaStreamTrack | null): void {
    this.#stop();
    const context = track && audioContext();
    if (!track || !context) return;
    // A muted track is silent for the meter too; a clone still hears who talks while
    // muted. WebKit does not like two captures of one microphone.
    const heard = isWebKit() ? track : track.clone();
    if (heard !== track) {
      heard.enabled = true;
      this.#clone = heard;
    }
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    this.#source = context.createMediaStreamSource(new MediaStream([heard]));
    this.#source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      if (typeof document !== 'undefined' && document.visibilityState === 'hidden') return;
      analyser.getFloatTimeDomainData(samples);
      this.#onLevel(dbfs(samples));
    }, EVERY_MS);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = null;
    this.#clone?.stop();
    this.#clone = null;
  }

  /** Gives the sound hardware back; the next use of the context wakes it. */
  close(): void {
    this.#stop();
    if (shared?.state === 'running') void shared.suspend().catch(() => undefined);
  }
}

/** Louder than this counts as talking, dBFS. */
const TALKING = -50;
/** Talking this long while muted is worth a hint, ms; a pause this long ends it. */
const HINT_AFTER = 4_000;
const PAUSE = 1_500;

/** Notices somebody who talks while muted. Time is an argument. */
export class MutedTalker {
  #since: number | null = null;
  #lastLoud = -Infinity;

  /** Returns whether the hint should be shown now. */
  hear(db: number, muted: boolean, nowMs: number): boolean {
    if (!muted) {
      this.#since = null;
      return false;
    }
    if (db > TALKING) {
      this.#since ??= nowMs;
      this.#lastLoud = nowMs;
    } else if (nowMs - this.#lastLoud > PAUSE) {
      this.#since = null;
    }
    return this.#since !== null && nowMs - this.#since >= HINT_AFTER;
  }
}
