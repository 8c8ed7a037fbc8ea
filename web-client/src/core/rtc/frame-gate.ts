// A slot's picture changes under the same video element. Until the first frame of
// the new source is really shown, the old face must not stand over the new name.

/** Without frame information a new picture is trusted after this long, ms. */
export const BLIND_DELAY = 250;
/** With frame information but no frame that matches, it is trusted after this long, ms. */
const PATIENCE = 2_000;

interface FrameInfo {
  rtpTimestamp?: number;
}

type WithFrameCallback = HTMLVideoElement & {
  requestVideoFrameCallback?(callback: (now: number, info: FrameInfo) => void): number;
  cancelVideoFrameCallback?(handle: number): void;
};

/** Whether RTP timestamp `a` is at or after `b`, in 32-bit arithmetic. */
export function rtpAtOrAfter(a: number, b: number): boolean {
  return (a - b) >>> 0 < 0x8000_0000;
}

/**
 * Calls `open` once the element shows a frame at or after `rtpTs`. Where the
 * browser or the server gives no timestamp, after a short wait.
 */
export function whenFrameShown(
  video: HTMLVideoElement | null,
  rtpTs: number | undefined,
  open: () => void,
): () => void {
  const element = video as WithFrameCallback | null;
  let done = false;
  let handle = 0;
  const finish = () => {
    if (done) return;
    cancel();
    open();
  };
  const watching = rtpTs !== undefined && typeof element?.requestVideoFrameCallback === 'function';
  const timer = setTimeout(finish, watching ? PATIENCE : BLIND_DELAY);
  function cancel(): void {
    done = true;
    clearTimeout(timer);
    if (watching) element?.cancelVideoFrameCallback?.(handle);
  }
  function watch(): void {
    handle =
      element?.requestVideoFrameCallback?.((_now, info) => {
        if (done) return;
        if (info.rtpTimestamp === undefined) {
          // This engine tells frames but not their timestamps: fall back to waiting.
          clearTimeout(timer);
          setTimeout(finish, BLIND_DELAY);
        } else if (rtpTs === undefined || rtpAtOrAfter(info.rtpTimestamp, rtpTs)) {
          finish();
        } else {
          watch();
        }
      }) ?? 0;
  }
  if (watching) watch();
  return cancel;
}
