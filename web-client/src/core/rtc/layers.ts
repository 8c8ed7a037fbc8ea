// What each simulcast layer of the own pictures is sent with: what this device is
// willing to send, less what nobody watches.
import type { Rid } from '../proto';

export const CAMERA_ENCODINGS: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 120_000, maxFramerate: 15 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400_000, maxFramerate: 30 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_200_000, maxFramerate: 30 },
];
/** A screen in two layers: who lacks the bandwidth for the whole one reads a small one instead of nothing. */
export const SCREEN_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 2, maxBitrate: 250_000, maxFramerate: 5 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 2_500_000, maxFramerate: 15 },
];
export const SCREEN_SINGLE: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000, maxFramerate: 15 }];

/** Below this many pixels Chromium encodes two layers at most, the first two by index. */
const THREE_LAYERS_FROM = 960 * 540;
/** Pictures a second of a layer that goes on although nobody watches it. */
const IDLE_FRAMERATE = 5;

export interface LayerParameters {
  active: boolean;
  scaleResolutionDownBy: number;
  maxBitrate: number;
  maxFramerate: number;
}

/** Rids of the layers of a picture, from small to large. */
export const CAMERA_RIDS: readonly Rid[] = ['q', 'h', 'f'];
export const SCREEN_RIDS: readonly Rid[] = ['q', 'f'];

/**
 * Parameters of q, h, f for a camera of this size. A small camera uses q and h only,
 * so that its whole picture is sent instead of half of it. `thrifty`: the smallest alone.
 */
export function cameraLayers(
  width: number | undefined,
  height: number | undefined,
  thrifty = false,
): LayerParameters[] {
  const small = width !== undefined && height !== undefined && width * height < THREE_LAYERS_FROM;
  const layers = small
    ? [
        { active: true, scaleResolutionDownBy: 2, maxBitrate: 150_000, maxFramerate: 15 },
        { active: true, scaleResolutionDownBy: 1, maxBitrate: 600_000, maxFramerate: 30 },
        { active: false, scaleResolutionDownBy: 1, maxBitrate: 600_000, maxFramerate: 30 },
      ]
    : [
        { active: true, scaleResolutionDownBy: 4, maxBitrate: 120_000, maxFramerate: 15 },
        { active: true, scaleResolutionDownBy: 2, maxBitrate: 400_000, maxFramerate: 30 },
        { active: true, scaleResolutionDownBy: 1, maxBitrate: 1_200_000, maxFramerate: 30 },
      ];
  return layers.map((layer, index) => (thrifty && index > 0 ? { ...layer, active: false } : layer));
}

/** Parameters of the two layers of a screen. */
export function screenLayers(): LayerParameters[] {
  return [
    { active: true, scaleResolutionDownBy: 2, maxBitrate: 250_000, maxFramerate: 5 },
    { active: true, scaleResolutionDownBy: 1, maxBitrate: 2_500_000, maxFramerate: 15 },
  ];
}

/**
 * Pauses the layers nobody watches; `watched` absent = all of them are.
 *
 * A watched layer that this device does not send is stood for by the next smaller one.
 * The smallest always goes on, slowly if nobody watches it: so whoever turns to the
 * picture has something at once, and the server knows that the camera is on.
 */
export function pauseUnwatched(
  own: readonly LayerParameters[],
  rids: readonly Rid[],
  watched?: readonly Rid[],
): LayerParameters[] {
  if (!watched) return own.map((layer) => ({ ...layer }));
  const smallest = own.findIndex((layer) => layer.active);
  const wanted = new Set<number>();
  for (const rid of watched) {
    // Of a screen in two layers the middle one is the small one.
    const at = rids.filter((other) => CAMERA_RIDS.indexOf(other) <= CAMERA_RIDS.indexOf(rid)).length - 1;
    let stands = at;
    while (stands > smallest && !own[stands]?.active) stands -= 1;
    wanted.add(Math.max(stands, smallest));
  }
  return own.map((layer, index) => {
    if (wanted.has(index)) return { ...layer };
    if (index !== smallest) return { ...layer, active: false };
    return {
      ...layer,
      maxFramerate: Math.min(layer.maxFramerate, IDLE_FRAMERATE),
      maxBitrate: layer.maxBitrate / 2,
    };
  });
}
