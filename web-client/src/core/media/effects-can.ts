// Which effects this machine and browser can carry, found by features.
import { isWeak } from '../rtc/compat';

/** The smallest WebAssembly module that uses 128-bit vectors: they give three times the speed. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Browsers of the last years; older ones take part without effects. */
function isRecent(): boolean {
  return typeof HTMLElement !== 'undefined' && 'popover' in HTMLElement.prototype && typeof WebAssembly === 'object';
}

export function canFilterNoise(): boolean {
  return isRecent() && typeof AudioWorkletNode === 'function';
}

/** Names of programs that draw in place of a graphics chip. */
const PROGRAMS = /swiftshader|llvmpipe|softpipe|basic render/i;

/** Graphics drawn by a program: there the model takes seconds a picture, and the whole page waits for it. */
function drawsSlowly(): boolean {
  const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!context) return true;
  const named = context.getExtension('WEBGL_debug_renderer_info');
  const name = named ? String(context.getParameter(named.UNMASKED_RENDERER_WEBGL)) : '';
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return PROGRAMS.test(name);
}

/** Blur made by our own code; what the platform offers is asked of the camera's track. */
export function canBlurHere(): boolean {
  if (!isRecent() || isWeak()) return false;
  if (!('captureStream' in HTMLCanvasElement.prototype) || typeof WebGL2RenderingContext !== 'function') return false;
  if (drawsSlowly()) return false;
  try {
    return WebAssembly.validate(new Uint8Array(SIMD));
  } catch {
    return false;
  }
}

/** The camera or the system blurs by itself and lets us switch it. */
export function platformBlurs(track: MediaStreamTrack): boolean {
  const can = track.getCapabilities?.() as { backgroundBlur?: readonly boolean[] } | undefined;
  return can?.backgroundBlur?.includes(true) === true && can.backgroundBlur.includes(false);
}
