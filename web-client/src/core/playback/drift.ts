// Keeping a picture beside the sound. The sound is the clock and never waits; a picture that
// is a little off is played a little faster or slower, one that is far off is moved.

export interface Drift {
  /** Where the picture should be, ms of its own file. */
  wantMs: number;
  /** Where it is. */
  haveMs: number;
  /** Speed of the sound. */
  rate: number;
  playing: boolean;
  /** It is being moved already. */
  seeking: boolean;
  /** Since it was moved last, ms. */
  sinceMs: number;
  /** How long the last move took until a frame was there, ms. */
  tookMs: number;
}

export type Correction = { do: 'keep' } | { do: 'seek'; toMs: number } | { do: 'rate'; rate: number };

/** Nobody sees less. */
export const CLOSE_MS = 30;
/** Lips and voice are seen apart from here on. */
export const FAR_MS = 150;
/** A paused picture shows the frame that was asked for. */
const PAUSED_MS = 45;
/** Moving again before would show nothing but moves on a slow machine. */
const REST_MS = 1_500;
/** At most so much faster or slower. */
const NUDGE = 0.08;
/** A move is aimed ahead by what the last one took, but not further. */
const MOST_LEAD_MS = 1_000;
/** Rates closer than this are the same to a browser. */
const STEP = 0.005;

export function correct(d: Drift, currentRate: number): Correction {
  if (d.seeking) return { do: 'keep' };
  const off = d.haveMs - d.wantMs;
  if (!d.playing) return Math.abs(off) > PAUSED_MS ? { do: 'seek', toMs: Math.max(0, d.wantMs) } : { do: 'keep' };
  if (Math.abs(off) > FAR_MS && d.sinceMs >= REST_MS) {
    const lead = Math.min(MOST_LEAD_MS, Math.max(0, d.tookMs)) * d.rate;
    return { do: 'seek', toMs: Math.max(0, d.wantMs + lead) };
  }
  // Within half a second the difference is gone, unless that needs more than the most.
  const nudged = currentRate !== d.rate;
  const share = Math.abs(off) <= (nudged ? CLOSE_MS / 2 : CLOSE_MS) ? 0 : -off / 500;
  const rate = d.rate * (1 + Math.min(NUDGE, Math.max(-NUDGE, share)));
  if (share === 0) return nudged ? { do: 'rate', rate: d.rate } : { do: 'keep' };
  return Math.abs(rate - currentRate) < STEP ? { do: 'keep' } : { do: 'rate', rate };
}
