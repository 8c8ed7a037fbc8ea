// What this browser is and can do. Abilities are tested, names are only used for help texts.

export type Family = 'chrome' | 'firefox' | 'safariIos';

/** Which permission help fits. Every browser on iPhones follows Safari's ways. */
export function family(agent: string, touchPoints = 0): Family {
  if (/iPhone|iPad|iPod/u.test(agent) || (/Macintosh/u.test(agent) && touchPoints > 1)) return 'safariIos';
  return /Firefox\//u.test(agent) ? 'firefox' : 'chrome';
}

export type Ability = 'full' | 'insecure' | 'webview' | 'listenOnly' | 'none';

export interface Probe {
  secure: boolean;
  webrtc: boolean;
  capture: boolean;
  agent: string;
}

/** What can be done here: the missing API decides, the agent only tells an app from an old browser. */
export function ability(p: Probe): Ability {
  const inApp = /Zalo|FBAN|FBAV|FB_IAB|Instagram|Line\/|; wv\)/u.test(p.agent);
  if (!p.webrtc) return inApp ? 'webview' : 'none';
  if (!p.secure) return 'insecure';
  if (!p.capture) return inApp ? 'webview' : 'listenOnly';
  return 'full';
}

/** Looks at the running browser. */
export function probe(): Probe {
  return {
    secure: window.isSecureContext,
    webrtc: typeof window.RTCPeerConnection === 'function',
    capture: typeof navigator.mediaDevices?.getUserMedia === 'function',
    agent: navigator.userAgent,
  };
}

/** Opens an address in Chrome on Android from inside another app. */
export function androidIntent(href: string): string {
  const url = new URL(href);
  return `intent://${url.host}${url.pathname}${url.search}#Intent;scheme=${url.protocol.slice(0, -1)};action=android.intent.action.VIEW;end`;
}

/** Microphone and camera are already allowed, so that opening them asks nothing. */
export async function allowedBefore(): Promise<boolean> {
  try {
    const names = ['microphone', 'camera'] as unknown as PermissionName[];
    const states = await Promise.all(names.map((name) => navigator.permissions.query({ name })));
    return states.every((status) => status.state === 'granted');
  } catch {
    return false; // older Firefox and Safari do not tell
  }
}
