/** Calls `tick` every `everyMs` until the returned function is called. */
export type Ticker = (everyMs: number, tick: () => void) => () => void;

/** A plain interval: for tests and where workers are missing. */
export const intervalTicker: Ticker = (everyMs, tick) => {
  const timer = setInterval(tick, everyMs);
  return () => clearInterval(timer);
};

/** An interval in a worker, which keeps its pace while the page is in the background. */
export const workerTicker: Ticker = (everyMs, tick) => {
  if (typeof Worker !== 'function') return intervalTicker(everyMs, tick);
  let worker: Worker;
  try {
    worker = new Worker(new URL('./ticker.worker.ts', import.meta.url), { type: 'module' });
  } catch {
    return intervalTicker(everyMs, tick);
  }
  let stop = () => worker.terminate();
  worker.onmessage = () => tick();
  worker.onerror = () => {
    worker.terminate();
    stop = intervalTicker(everyMs, tick);
  };
  worker.postMessage(everyMs);
  return () => stop();
};
