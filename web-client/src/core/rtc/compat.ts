// What this browser is and can do, found by features; names only where a known
// fault of one engine has no feature to test for.
import type { DeviceClass, SlotCounts } from '../proto';

interface NavigatorHints {
  userAgent: string;
  hardwareConcurrency?: number;
  deviceMemory?: number;
  maxTouchPoints?: number;
}

const hints = (): NavigatorHints => navigator as unknown as NavigatorHints;

export function isFirefox(ua = hints().userAgent): boolean {
  return /Firefox\//.test(ua) && !/Seamonkey/i.test(ua);
}

/** Safari, and every browser on iOS, which is Safari inside. */
export function isWebKit(ua = hints().userAgent): boolean {
  return /AppleWebKit\//.test(ua) && !/Chrom(e|ium)\//.test(ua);
}

/** Chromium encodes a screen in layers as it does a camera; the others send one. */
export function sendsScreenLayers(ua = hints().userAgent): boolean {
  return !isFirefox(ua) && !isWebKit(ua);
}

/** Family and major version, for example `chromium/156`. */
export function browserName(ua = hints().userAgent): string {
  const families: [string, RegExp][] = [
    ['firefox', /Firefox\/(\d+)/],
    ['coccoc', /coc_coc_browser\/(\d+)/],
    ['edge', /Edg\/(\d+)/],
    ['samsung', /SamsungBrowser\/(\d+)/],
    ['chromium', /(?:HeadlessChrome|Chrom(?:e|ium))\/(\d+)/],
    ['safari', /Version\/(\d+).*Safari/],
    ['webkit', /AppleWebKit\/(\d+)/],
  ];
  for (const [name, pattern] of families) {
    const match = pattern.exec(ua);
    if (match) return `${name}/${match[1]}`;
  }
  return 'other/0';
}

export function deviceClass(
  h: NavigatorHints = hints(),
  shorterSide = Math.min(screen.width, screen.height),
): DeviceClass {
  const touch = (h.maxTouchPoints ?? 0) > 0;
  if (/Mobi|iPhone|iPod/.test(h.userAgent) || (touch && shorterSide < 600)) return 'phone';
  if (/iPad|Tablet/.test(h.userAgent) || (touch && shorterSide < 900)) return 'tablet';
  return 'desk';
}

/** Too weak for 720p from its own camera. */
export function isWeak(h: NavigatorHints = hints()): boolean {
  return (h.hardwareConcurrency ?? 4) <= 2 || (h.deviceMemory ?? 8) <= 2;
}

/** Receiving slots of the `seat` profile for this sort of device. */
export function seatSlots(kind: DeviceClass): SlotCounts {
  return { a: 5, v: kind === 'phone' ? 4 : 9, s: 1 };
}

/** Receiving slots of the `wall` profile; null where the screen is too small for a wall of sites. */
export function wallSlots(kind: DeviceClass): SlotCounts | null {
  return kind === 'desk' ? { a: 5, v: 25, s: 1 } : null;
}

/** WebRTC with everything we rely on. */
export function canConnect(): boolean {
  return (
    typeof RTCPeerConnection === 'function' &&
    'addTransceiver' in RTCPeerConnection.prototype &&
    typeof RTCRtpSender !== 'undefined' &&
    'replaceTrack' in RTCRtpSender.prototype
  );
}
