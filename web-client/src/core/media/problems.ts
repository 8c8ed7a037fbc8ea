// What went wrong with a device, as something a person can act on.

export type MediaProblem = 'denied' | 'notFound' | 'busy' | 'overconstrained' | 'insecure' | 'unsupported';

/** Maps what getUserMedia and getDisplayMedia throw, old names included. */
export function problemOf(error: unknown): MediaProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'PermissionDismissedError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      return 'notFound';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
    case 'SourceUnavailableError':
      return 'busy';
    case 'OverconstrainedError':
    case 'ConstraintNotSatisfiedError':
      return 'overconstrained';
    case 'SecurityError':
      return 'insecure';
    default:
      return 'unsupported';
  }
}

/** What is known before asking: an insecure page or a webview without capture. */
export function captureProblem(): MediaProblem | null {
  if (typeof navigator.mediaDevices?.getUserMedia === 'function') return null;
  return globalThis.isSecureContext === false ? 'insecure' : 'unsupported';
}
