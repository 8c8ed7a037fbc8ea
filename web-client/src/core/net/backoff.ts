/** Waiting times before the n-th attempt to connect again, ms; the last one repeats. */
const STEPS = [0, 300, 1_200, 2_700, 4_800, 7_000] as const;
const LAST = 7_000;
/** After this long without a link the attempts become rarer, ms. */
const PATIENCE = 10 * 60_000;
const RARE = 30_000;
const JITTER = 1_000;

/**
 * Delay before attempt `attempt` (0 = first). Jitter is at most a second and at
 * most half the step, so that the first attempts stay quick; `random` is in [0, 1).
 */
export function retryDelay(attempt: number, lostForMs: number, random: number): number {
  const step = lostForMs > PATIENCE ? RARE : (STEPS[attempt] ?? LAST);
  return step + Math.round(random * Math.min(JITTER, step / 2));
}
