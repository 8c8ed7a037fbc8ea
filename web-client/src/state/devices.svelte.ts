// The own devices, as the join page and the room show them.
import { Capture, type InputKind } from '../core/media/capture';
import { levelOf, MicMeter } from '../core/media/meter';
import { captureProblem, type MediaProblem } from '../core/media/problems';
import { canShareScreen } from '../core/media/screen';
import { playRecordCue, playTestSound } from '../core/media/sound';
import { AudioOut } from '../core/rtc/audio-out';
import { isWeak } from '../core/rtc/compat';
import { keepChoices, readChoices } from './choices';
import type { DeviceInfo, DeviceKind, DevicesModel } from './contract';
import { Effects, MAKERS } from './effects.svelte';

export class Devices implements DevicesModel {
  readonly capture: Capture;
  readonly effects: Effects;
  readonly audio = new AudioOut();
  readonly #meter: MicMeter;
  #levelListeners = new Set<(level: number) => void>();
  #dbListeners = new Set<(db: number) => void>();

  mics = $state.raw<DeviceInfo[]>([]);
  cameras = $state.raw<DeviceInfo[]>([]);
  speakers = $state.raw<DeviceInfo[]>([]);
  micId = $state<string | null>(null);
  cameraId = $state<string | null>(null);
  speakerId = $state<string | null>(null);
  micOn = $state(false);
  cameraOn = $state(false);
  micProblem = $state<MediaProblem | null>(null);
  cameraProblem = $state<MediaProblem | null>(null);
  preview = $state.raw<MediaStream | null>(null);
  micLost = $state(false);
  cameraLost = $state(false);
  readonly canPickSpeaker = AudioOut.canPickSpeaker;
  readonly canShareScreen = canShareScreen();

  constructor(capture?: Capture, makers = MAKERS) {
    this.capture = capture ?? new Capture({ width: isWeak() ? 960 : 1280 });
    this.effects = new Effects(this.capture, makers);
    const choices = readChoices();
    this.capture.prefer('mic', choices.micId);
    this.capture.prefer('camera', choices.cameraId);
    this.micId = choices.micId;
    this.cameraId = choices.cameraId;
    this.speakerId = choices.speakerId;
    void this.audio.setSpeaker(choices.speakerId);
    this.#meter = new MicMeter((db) => {
      for (const listener of this.#dbListeners) listener(db);
      const level = this.micOn ? levelOf(db) : 0;
      for (const listener of this.#levelListeners) listener(level);
    });
    this.capture.on('devices', (lists) => {
      this.mics = lists.mics;
      this.cameras = lists.cameras;
      this.speakers = lists.speakers;
      if (
        this.speakerId !== null &&
        lists.speakers.length > 0 &&
        !lists.speakers.some((d) => d.id === this.speakerId)
      ) {
        this.speakerId = null;
        void this.audio.setSpeaker(null);
      }
    });
    this.capture.on('problem', ({ kind, problem }) => {
      if (kind === 'mic') this.micProblem = problem;
      else this.cameraProblem = problem;
    });
    this.capture.on('lost', ({ kind, lost }) => {
      if (kind === 'mic') this.micLost = lost;
      else this.cameraLost = lost;
    });
    this.capture.on('track', (kind) => {
      if (kind === 'mic') this.#meter.listen(this.capture.track('mic'));
      this.effects.setRaw(kind, this.capture.track(kind));
    });
    this.effects.on('out', (kind) => this.sync(kind));
  }

  /** Brings what is shown in step with the captured track. */
  sync(kind: InputKind): void {
    const track = this.capture.track(kind);
    const id = this.capture.deviceId(kind);
    if (kind === 'mic') {
      this.micOn = track !== null && track.enabled;
      this.micId = id;
      return;
    }
    this.cameraOn = track !== null;
    this.cameraId = id;
    const out = this.outgoing('camera');
    const shown = this.preview?.getVideoTracks()[0] ?? null;
    if (shown !== out) this.preview = out ? new MediaStream([out]) : null;
  }

  /** What is to be sent of a kind: the captured track, or what an effect makes of it. */
  outgoing(kind: InputKind): MediaStreamTrack | null {
    return this.effects.out(kind);
  }

  /** The outgoing track of a kind is another one, or was looked at anew. */
  onOutgoing(cb: (kind: InputKind) => void): () => void {
    return this.effects.on('out', cb);
  }

  async start(opts: { mic: boolean; camera: boolean }): Promise<void> {
    this.capture.watch();
    const kinds: InputKind[] = [];
    if (opts.mic) kinds.push('mic');
    if (opts.camera) kinds.push('camera');
    await this.capture.open(kinds);
    this.#watchPermissions();
  }

  async setMic(on: boolean): Promise<void> {
    keepChoices({ micOn: on });
    this.capture.watch();
    if (!on) {
      await this.capture.close('mic');
      return;
    }
    await this.capture.open(['mic']);
    this.setMicEnabled(true);
  }

  async setCamera(on: boolean): Promise<void> {
    keepChoices({ cameraOn: on });
    this.capture.watch();
    await (on ? this.capture.open(['camera']) : this.capture.close('camera'));
  }

  /** Mutes without giving the microphone back: at once, and at once again. */
  setMicEnabled(on: boolean): void {
    this.effects.setEnabled('mic', on);
    this.sync('mic');
  }

  async pick(kind: DeviceKind, id: string): Promise<void> {
    switch (kind) {
      case 'mic':
        this.micId = id;
        keepChoices({ micId: id });
        await this.capture.pick('mic', id);
        break;
      case 'camera':
        this.cameraId = id;
        keepChoices({ cameraId: id });
        await this.capture.pick('camera', id);
        break;
      case 'speaker':
        this.speakerId = id;
        keepChoices({ speakerId: id });
        await this.audio.setSpeaker(id);
        break;
    }
  }

  regain(): Promise<void> {
    return this.capture.regain(true);
  }

  onLevel(cb: (level01: number) => void): () => void {
    this.#levelListeners.add(cb);
    return () => this.#levelListeners.delete(cb);
  }

  /** Loudness in dBFS, also while muted. */
  onDb(cb: (db: number) => void): () => void {
    this.#dbListeners.add(cb);
    return () => this.#dbListeners.delete(cb);
  }

  testSpeaker(): Promise<void> {
    return playTestSound(this.speakerId);
  }

  recordCue(on: boolean): Promise<void> {
    return playRecordCue(on, this.speakerId);
  }

  stop(): void {
    this.micLost = this.cameraLost = false;
    this.capture.stop();
    this.#meter.close();
  }

  /** When the person lifts a refusal in the browser's settings, the message goes by itself. */
  #watchPermissions(): void {
    if (captureProblem() !== null || typeof navigator.permissions?.query !== 'function') return;
    const watch = (kind: InputKind, name: string) => {
      navigator.permissions.query({ name: name as PermissionName }).then(
        (status) => {
          status.onchange = () => {
            const denied = kind === 'mic' ? this.micProblem : this.cameraProblem;
            if (status.state === 'granted' && denied === 'denied' && this.capture.watching)
              void this.capture.open([kind]);
          };
        },
        // This engine cannot be asked about devices; the retry button remains.
        () => undefined,
      );
    };
    if (this.micProblem === 'denied') watch('mic', 'microphone');
    if (this.cameraProblem === 'denied') watch('camera', 'camera');
  }
}
