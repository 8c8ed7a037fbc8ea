// The own microphone, camera and screen: what is captured becomes what is published.
import type { InputKind } from '../core/media/capture';
import { MutedTalker } from '../core/media/meter';
import type { MediaProblem } from '../core/media/problems';
import { captureScreen } from '../core/media/screen';
import type { Action, ErrorCode, MediaKind, TrackState } from '../core/proto';
import type { RoomSession } from '../core/session';
import { keepChoices } from './choices';
import type { Devices } from './devices.svelte';

interface Sent {
  track: MediaStreamTrack | null;
  st: TrackState;
}

export interface OwnMediaDeps {
  session: RoomSession;
  devices: Devices;
  may(action: Action): boolean;
  /** The server refused something the person asked for. */
  refused(code: ErrorCode): void;
}

const RIGHT: Record<InputKind, Action> = { mic: 'speak', camera: 'showCamera' };

export class OwnMedia {
  mic = $state<'off' | 'muted' | 'live'>('off');
  camera = $state<'off' | 'live'>('off');
  screen = $state<'off' | 'live'>('off');
  talkingWhileMuted = $state(false);
  screenStream = $state.raw<MediaStream | null>(null);
  readonly #deps: OwnMediaDeps;
  #sent: Record<InputKind, Sent> = { mic: { track: null, st: 'off' }, camera: { track: null, st: 'off' } };
  /** Kinds somebody asked us for; the right to send them is on its way. */
  #granted = new Set<MediaKind>();
  #talker = new MutedTalker();
  #undo: (() => void)[] = [];
  #ready = false;

  constructor(deps: OwnMediaDeps) {
    this.#deps = deps;
    const { devices } = deps;
    this.#undo.push(
      devices.onOutgoing((kind) => void this.#sync(kind)),
      devices.onDb((db) => {
        this.talkingWhileMuted = this.#talker.hear(db, this.mic === 'muted', performance.now());
      }),
    );
  }

  /** The room let us in: publish what was switched on before. */
  begin(): void {
    this.#ready = true;
    for (const kind of ['mic', 'camera'] as const) {
      if (this.#deps.devices.outgoing(kind)) void this.#sync(kind, true);
    }
  }

  /** Brings what is published in step with what is captured, and what effects make of it. */
  async #sync(kind: InputKind, quiet = false): Promise<void> {
    const { session, devices, may, refused } = this.#deps;
    if (!this.#ready) return;
    const track = devices.outgoing(kind);
    let st: TrackState = !track ? 'off' : kind === 'mic' && !track.enabled ? 'muted' : 'live';
    if (st === 'live' && !may(RIGHT[kind]) && !this.#granted.has(kind)) {
      if (!quiet) refused('forbidden');
      if (kind === 'camera') {
        await devices.capture.close('camera');
        return;
      }
      devices.setMicEnabled(false);
      st = 'muted';
    }
    const last = this.#sent[kind];
    if (last.track === track && last.st === st) return;
    this.#sent[kind] = { track, st };
    this.#show(kind, st);
    const code = await session.publish(kind, track, st);
    if (code === null || st !== 'live') return;
    if (!quiet) refused(code);
    if (kind === 'camera') await devices.capture.close('camera');
    else this.#muteLocally();
  }

  #show(kind: InputKind, st: TrackState): void {
    if (kind === 'mic') {
      this.mic = st;
      if (st !== 'muted') this.talkingWhileMuted = false;
    } else {
      this.camera = st === 'live' ? 'live' : 'off';
    }
  }

  /** Muted because of the server: nothing has to be asked. */
  #muteLocally(): void {
    const { session, devices } = this.#deps;
    const track = devices.outgoing('mic');
    if (!track) return;
    devices.setMicEnabled(false);
    this.#sent.mic = { track, st: 'muted' };
    this.#show('mic', 'muted');
    void session.note('mic', track, 'muted');
  }

  async toggleMic(): Promise<void> {
    await this.setMic(this.mic !== 'live');
  }

  async setMic(on: boolean): Promise<void> {
    const { devices, may, refused } = this.#deps;
    if (on && !may('speak') && !this.#granted.has('mic')) {
      refused('forbidden');
      return;
    }
    keepChoices({ micOn: on });
    if (devices.capture.track('mic')?.readyState !== 'live') {
      // What failed stands in `devices.micProblem`.
      if (on) await devices.start({ mic: true, camera: false });
      return;
    }
    devices.setMicEnabled(on);
    await this.#sync('mic');
  }

  async toggleCamera(): Promise<void> {
    await this.setCamera(this.camera !== 'live');
  }

  async setCamera(on: boolean): Promise<void> {
    const { devices, may, refused } = this.#deps;
    if (on && !may('showCamera') && !this.#granted.has('camera')) {
      refused('forbidden');
      return;
    }
    await devices.setCamera(on);
  }

  /** An accepted request opens the right before the server tells us so. */
  async accept(kind: MediaKind): Promise<void> {
    this.#granted.add(kind);
    try {
      if (kind === 'mic') await this.setMic(true);
      if (kind === 'camera') await this.setCamera(true);
    } finally {
      this.#granted.delete(kind);
    }
  }

  /** A moderator stopped one of our tracks. */
  muted(kind: MediaKind): void {
    switch (kind) {
      case 'mic':
        this.#muteLocally();
        break;
      case 'camera':
        void this.#deps.devices.capture.close('camera');
        break;
      case 'screen':
      case 'screenAudio':
        void this.stopScreen();
        break;
    }
  }

  /** Rights changed: what is no longer allowed stops. */
  check(): void {
    const { may, devices } = this.#deps;
    if (this.mic === 'live' && !may('speak') && !this.#granted.has('mic')) this.#muteLocally();
    if (this.camera === 'live' && !may('showCamera')) void devices.capture.close('camera');
    if (this.screen === 'live' && !may('shareScreen')) void this.stopScreen();
  }

  async startScreen(): Promise<MediaProblem | null> {
    const { session, may, refused } = this.#deps;
    if (this.screen === 'live' || this.#choosing) return null;
    if (!may('shareScreen')) {
      refused('forbidden');
      return null;
    }
    this.#choosing = true;
    const result = await captureScreen();
    this.#choosing = false;
    if (!result.ok) return result.problem;
    const { video, audio } = result.screen;
    // The chooser can stay open for minutes: the room or the right may be gone meanwhile.
    if (!this.#ready || !may('shareScreen')) {
      video.stop();
      audio?.stop();
      if (this.#ready) refused('forbidden');
      return null;
    }
    this.screenStream = new MediaStream([video]);
    this.screen = 'live';
    // The browser's own "stop sharing" button.
    video.onended = () => void this.stopScreen();
    const code = await session.publish('screen', video, 'live');
    if (code !== null) {
      refused(code);
      await this.stopScreen();
      return null;
    }
    if (audio && video.readyState === 'live') await session.publish('screenAudio', audio, 'live');
    this.#audio = audio;
    return null;
  }

  #audio: MediaStreamTrack | null = null;
  /** The browser's chooser is open: a second press must not open another. */
  #choosing = false;

  async stopScreen(): Promise<void> {
    const { session } = this.#deps;
    const stream = this.screenStream;
    if (!stream) return;
    this.screenStream = null;
    this.screen = 'off';
    for (const track of stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    const audio = this.#audio;
    this.#audio = null;
    audio?.stop();
    await session.publish('screen', null, 'off');
    if (audio) await session.publish('screenAudio', null, 'off');
  }

  stop(): void {
    this.#ready = false;
    for (const undo of this.#undo) undo();
    for (const track of this.screenStream?.getTracks() ?? []) track.stop();
    this.#audio?.stop();
    this.screenStream = null;
    this.mic = this.camera = this.screen = 'off';
    this.talkingWhileMuted = false;
  }
}
