// Sharing a screen, a window or a tab, with sound where the browser has it.
import { problemOf, type MediaProblem } from './problems';

interface DisplayOptions extends DisplayMediaStreamOptions {
  selfBrowserSurface?: 'include' | 'exclude';
  surfaceSwitching?: 'include' | 'exclude';
  systemAudio?: 'include' | 'exclude';
  monitorTypeSurfaces?: 'include' | 'exclude';
  controller?: unknown;
}

interface FocusController {
  setFocusBehavior?(behavior: string): void;
}

export interface ScreenCapture {
  video: MediaStreamTrack;
  audio: MediaStreamTrack | null;
}

/** Whether this browser can share a screen at all (phones mostly cannot). */
export function canShareScreen(): boolean {
  return typeof navigator !== 'undefined' && typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

export async function captureScreen(): Promise<
  { ok: true; screen: ScreenCapture } | { ok: false; problem: MediaProblem }
> {
  if (!canShareScreen()) return { ok: false, problem: 'unsupported' };
  const options: DisplayOptions = {
    video: {
      width: { max: 1920 },
      height: { max: 1080 },
      frameRate: { ideal: 15, max: 30 },
    },
    audio: {
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
      suppressLocalAudioPlayback: false,
      restrictOwnAudio: true,
    } as MediaTrackConstraints,
    // No hall of mirrors.
    selfBrowserSurface: 'exclude',
    surfaceSwitching: 'include',
    systemAudio: 'include',
    monitorTypeSurfaces: 'include',
  };
  const Controller = (globalThis as { CaptureController?: new () => FocusController }).CaptureController;
  if (Controller) {
    const controller = new Controller();
    try {
      controller.setFocusBehavior?.('no-focus-change');
    } catch {
      // Only allowed for tabs and windows in some versions.
    }
    options.controller = controller;
  }
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(options);
    const video = stream.getVideoTracks()[0];
    if (!video) return { ok: false, problem: 'notFound' };
    if ('contentHint' in video) video.contentHint = 'detail';
    const audio = stream.getAudioTracks()[0] ?? null;
    if (audio && 'contentHint' in audio) audio.contentHint = 'music';
    return { ok: true, screen: { video, audio } };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}
