// Keeps the screen on during class; the lock is lost whenever the page is hidden.

interface Sentinel {
  release(): Promise<void>;
}
interface WakeLockLike {
  request(type: 'screen'): Promise<Sentinel>;
}

/** Holds a wake lock until the returned function is called. Does nothing where there is none. */
export function keepAwake(): () => void {
  const wakeLock = (navigator as { wakeLock?: WakeLockLike }).wakeLock;
  if (!wakeLock) return () => undefined;
  let sentinel: Sentinel | null = null;
  let stopped = false;
  const take = () => {
    if (stopped || document.visibilityState !== 'visible') return;
    wakeLock.request('screen').then(
      (held) => {
        if (stopped) void held.release();
        else sentinel = held;
      },
      () => undefined,
    );
  };
  take();
  document.addEventListener('visibilitychange', take);
  return () => {
    stopped = true;
    document.removeEventListener('visibilitychange', take);
    void sentinel?.release().catch(() => undefined);
  };
}
