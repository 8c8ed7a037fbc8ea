// The one place that asks for microphone and camera. Requests follow one another,
// and the old track is stopped before a new one is asked for: WebKit mutes the first
// track of a kind when a second is requested.
import { Emitter } from '../base/emitter';
import { captureProblem, problemOf, type MediaProblem } from './problems';

export type InputKind = 'mic' | 'camera';

export interface DeviceInfo {
  id: string;
  label: string;
}

export interface DeviceLists {
  mics: DeviceInfo[];
  cameras: DeviceInfo[];
  speakers: DeviceInfo[];
}

export interface CaptureEvents {
  /** A kind went away by itself, or came back. */
  lost: { kind: InputKind; lost: boolean };
  /** A track appeared, changed or went away. */
  track: InputKind;
  problem: { kind: InputKind; problem: MediaProblem | null };
  devices: DeviceLists;
}

export interface CaptureOptions {
  /** Longer side of the camera picture, 1280 or 960 on weak machines. */
  width: number;
  media?: MediaDevices;
}

/** An iPhone mutes the camera for a moment when it starts; only later mutes count, ms. */
const SPURIOUS_MUTE = 1_500;
/** While a device that went away by itself is not back, it is asked for again this often, ms, and so many times. */
const REGAIN_EVERY = 5_000;
const REGAIN_TRIES = 24;

/** A track that stays muted this long after the page is shown is captured anew, ms. */
const STAYS_MUTED = 3_000;

/** For speech the browser takes echo and noise away; music it would spoil. */
function micConstraints(id: string | null, music: boolean): MediaTrackConstraints {
  return {
    ...(id !== null && { deviceId: { exact: id } }),
    echoCancellation: !music,
    noiseSuppression: !music,
    autoGainControl: !music,
    channelCount: { ideal: 1 },
  };
}

function cameraConstraints(id: string | null, width: number): MediaTrackConstraints {
  return {
    ...(id !== null && { deviceId: { exact: id } }),
    width: { ideal: width },
    height: { ideal: Math.round((width * 9) / 16) },
    frameRate: { ideal: 30, max: 30 },
  };
}

export class Capture extends Emitter<CaptureEvents> {
  readonly #options: CaptureOptions;
  #tracks: Record<InputKind, MediaStreamTrack | null> = { mic: null, camera: null };
  #ids: Record<InputKind, string | null> = { mic: null, camera: null };
  #problems: Record<InputKind, MediaProblem | null> = { mic: null, camera: null };
  #music = false;
  #queue: Promise<unknown> = Promise.resolve();
  #watching: (() => void) | null = null;
  #muteTimers = new Map<MediaStreamTrack, ReturnType<typeof setTimeout>>();
  #openedAt = new Map<MediaStreamTrack, number>();
  /** Went away by itself and could not be had again: enabled or muted, as it was. */
  #lost = new Map<InputKind, { enabled: boolean; tries: number }>();
  #regainTimer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the stops: what was asked for before one must not light up after it. */
  #stops = 0;

  constructor(options: CaptureOptions) {
    super();
    this.#options = options;
  }

  get #media(): MediaDevices | null {
    return this.#options.media ?? navigator.mediaDevices ?? null;
  }

  track(kind: InputKind): MediaStreamTrack | null {
    return this.#tracks[kind];
  }

  deviceId(kind: InputKind): string | null {
    return this.#ids[kind];
  }

  problem(kind: InputKind): MediaProblem | null {
    return this.#problems[kind];
  }

  /** The remembered device; used at the next opening. */
  prefer(kind: InputKind, id: string | null): void {
    this.#ids[kind] = id;
  }

  /** Leaves the sound as it is; used at the next opening. */
  setMusic(on: boolean): void {
    this.#music = on;
  }

  #serial<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(task, task);
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Opens the kinds that are not open, with one permission question where possible. */
  open(kinds: readonly InputKind[]): Promise<void> {
    const stops = this.#stops;
    return this.#serial(async () => {
      if (stops !== this.#stops) return;
      const wanted = kinds.filter((kind) => this.#tracks[kind]?.readyState !== 'live');
      if (wanted.length === 2) {
        const stream = await this.#ask(wanted).catch(() => null);
        if (stream) {
          for (const kind of wanted) this.#adopt(kind, stream);
          await this.#refresh();
          return;
        }
      }
      // One refusal must not cost the other device; and each gets its own reason.
      for (const kind of wanted) if (stops === this.#stops) await this.#openOne(kind);
      if (wanted.length > 0) await this.#refresh();
    });
  }

  /** Uses another device of a kind; opens it when the kind is open already. */
  pick(kind: InputKind, id: string): Promise<void> {
    return this.#serial(async () => {
      if (this.#ids[kind] === id && this.#tracks[kind]?.readyState === 'live') return;
      this.#ids[kind] = id;
      if (!this.#tracks[kind]) return;
      const { enabled } = this.#tracks[kind];
      this.#release(kind);
      await this.#openOne(kind, enabled);
      await this.#refresh();
    });
  }

  close(kind: InputKind): Promise<void> {
    this.#setLost(kind, null);
    return this.#serial(async () => {
      if (!this.#tracks[kind]) return;
      this.#release(kind);
      this.emit('track', kind);
    });
  }

  /** Captures a kind anew, for example after the system took the device away. */
  reopen(kind: InputKind): Promise<void> {
    return this.#serial(async () => {
      const old = this.#tracks[kind];
      if (!old) return;
      const { enabled } = old;
      this.#release(kind);
      const stops = this.#stops;
      await this.#openOne(kind, enabled);
      if (!this.#tracks[kind] && stops === this.#stops) this.#setLost(kind, { enabled, tries: 0 });
    });
  }

  // ---- what went away by itself

  lost(kind: InputKind): boolean {
    return this.#lost.has(kind);
  }

  #setLost(kind: InputKind, state: { enabled: boolean; tries: number } | null): void {
    const was = this.#lost.has(kind);
    if (state) this.#lost.set(kind, state);
    else this.#lost.delete(kind);
    if (was !== (state !== null)) this.emit('lost', { kind, lost: state !== null });
    if (this.#lost.size > 0) this.#armRegain();
    else clearTimeout(this.#regainTimer);
  }

  #armRegain(): void {
    clearTimeout(this.#regainTimer);
    this.#regainTimer = setTimeout(() => {
      const visible = typeof document === 'undefined' || document.visibilityState === 'visible';
      if (visible) void this.regain();
      else this.#armRegain();
    }, REGAIN_EVERY);
  }

  /** Something happened that may give a device back: patience begins anew. */
  #regainAnew(): void {
    if (this.#lost.size === 0) return;
    for (const state of this.#lost.values()) state.tries = 0;
    void this.regain();
  }

  /** Asks again for what went away by itself: a call that is over gives the microphone back. */
  regain(byHand = false): Promise<void> {
    return this.#serial(async () => {
      for (const [kind, state] of [...this.#lost]) {
        // A refusal is a decision of the person: asking again would only open questions.
        if (!byHand && (state.tries >= REGAIN_TRIES || this.#problems[kind] === 'denied')) continue;
        const stops = this.#stops;
        await this.#openOne(kind, state.enabled);
        if (stops !== this.#stops) return;
        if (!this.#tracks[kind]) this.#setLost(kind, { ...state, tries: state.tries + 1 });
      }
    });
  }

  #ask(kinds: readonly InputKind[], plain = false): Promise<MediaStream> {
    const media = this.#media;
    const missing = this.#options.media ? null : captureProblem();
    if (!media || missing) {
      return Promise.reject(new DOMException('', missing === 'insecure' ? 'SecurityError' : 'NotSupportedError'));
    }
    const stops = this.#stops;
    return media
      .getUserMedia({
        audio: kinds.includes('mic') && (plain ? true : micConstraints(this.#ids.mic, this.#music)),
        video: kinds.includes('camera') && (plain ? true : cameraConstraints(this.#ids.camera, this.#options.width)),
      })
      .then((stream) => {
        if (stops === this.#stops) return stream;
        // The permission came when nobody waited for it any more.
        for (const track of [...stream.getAudioTracks(), ...stream.getVideoTracks()]) track.stop();
        throw new DOMException('', 'AbortError');
      });
  }

  async #openOne(kind: InputKind, enabled = true): Promise<void> {
    const stops = this.#stops;
    let problem: MediaProblem;
    try {
      this.#adopt(kind, await this.#ask([kind]), enabled);
      return;
    } catch (error) {
      if (stops !== this.#stops) return;
      problem = problemOf(error);
    }
    // The remembered device may be gone, or its wished size impossible: take any.
    if (problem === 'overconstrained' || problem === 'notFound' || problem === 'busy') {
      if (this.#ids[kind] !== null || kind === 'camera') {
        try {
          this.#ids[kind] = null;
          this.#adopt(kind, await this.#ask([kind], true), enabled);
          return;
        } catch (error) {
          if (stops !== this.#stops) return;
          problem = problemOf(error);
        }
      }
    }
    this.#setProblem(kind, problem);
    this.emit('track', kind);
  }

  #setProblem(kind: InputKind, problem: MediaProblem | null): void {
    this.#problems[kind] = problem;
    this.emit('problem', { kind, problem });
  }

  #adopt(kind: InputKind, stream: MediaStream, enabled = true): void {
    const track = kind === 'mic' ? stream.getAudioTracks()[0] : stream.getVideoTracks()[0];
    if (!track) {
      this.#setProblem(kind, 'notFound');
      return;
    }
    // Muted it was, muted it comes back: nobody is put on the air by a device.
    if (!enabled) track.enabled = false;
    this.#tracks[kind] = track;
    this.#setLost(kind, null);
    this.#ids[kind] = track.getSettings().deviceId ?? this.#ids[kind];
    this.#openedAt.set(track, Date.now());
    if (kind === 'camera' && 'contentHint' in track) track.contentHint = 'motion';
    track.onended = () => {
      if (this.#tracks[kind] !== track) return;
      // Unplugged or taken away: go over to another device of the kind, if there is one.
      this.#ids[kind] = null;
      void this.reopen(kind);
    };
    track.onmute = () => this.#watchMute(kind, track);
    track.onunmute = () => this.#forgetMute(track);
    this.#setProblem(kind, null);
    this.emit('track', kind);
  }

  #watchMute(kind: InputKind, track: MediaStreamTrack): void {
    if (Date.now() - (this.#openedAt.get(track) ?? 0) < SPURIOUS_MUTE) return;
    this.#forgetMute(track);
    this.#muteTimers.set(
      track,
      setTimeout(() => {
        const visible = typeof document === 'undefined' || document.visibilityState === 'visible';
        if (visible && track.muted && this.#tracks[kind] === track) void this.reopen(kind);
      }, STAYS_MUTED),
    );
  }

  #forgetMute(track: MediaStreamTrack): void {
    clearTimeout(this.#muteTimers.get(track));
    this.#muteTimers.delete(track);
  }

  #release(kind: InputKind): void {
    const track = this.#tracks[kind];
    if (!track) return;
    track.onended = track.onmute = track.onunmute = null;
    this.#forgetMute(track);
    this.#openedAt.delete(track);
    track.stop();
    this.#tracks[kind] = null;
  }

  // ---- device lists

  async list(): Promise<DeviceLists> {
    const all = (await this.#media?.enumerateDevices().catch(() => [])) ?? [];
    const of = (kind: MediaDeviceKind): DeviceInfo[] =>
      all.filter((d) => d.kind === kind && d.deviceId !== '').map((d) => ({ id: d.deviceId, label: d.label }));
    return { mics: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
  }

  async #refresh(): Promise<void> {
    this.emit('devices', await this.list());
  }

  /** Keeps the lists up to date while devices come and go. */
  watch(): void {
    if (this.#watching) return;
    const media = this.#media;
    const onChange = () => void this.#onDeviceChange();
    const onVisible = () => {
      if (document.visibilityState !== 'visible') return;
      for (const kind of ['mic', 'camera'] as const) {
        const track = this.#tracks[kind];
        if (track && track.readyState === 'ended') void this.reopen(kind);
        else if (track?.muted) this.#watchMute(kind, track);
      }
      this.#regainAnew();
    };
    media?.addEventListener?.('devicechange', onChange);
    if (typeof document !== 'undefined') {
      document.addEventListener('visibilitychange', onVisible);
      // Out of the freezer of the browser, out of its cache of pages.
      document.addEventListener('resume', onVisible);
      window.addEventListener('pageshow', onVisible);
    }
    this.#watching = () => {
      media?.removeEventListener?.('devicechange', onChange);
      if (typeof document === 'undefined') return;
      document.removeEventListener('visibilitychange', onVisible);
      document.removeEventListener('resume', onVisible);
      window.removeEventListener('pageshow', onVisible);
    };
    void this.#refresh();
  }

  async #onDeviceChange(): Promise<void> {
    const lists = await this.list();
    this.emit('devices', lists);
    for (const kind of ['mic', 'camera'] as const) {
      const track = this.#tracks[kind];
      const id = this.#ids[kind];
      const known = kind === 'mic' ? lists.mics : lists.cameras;
      // Some systems do not end the track of headphones that were taken away.
      if (track && id !== null && known.length > 0 && !known.some((d) => d.id === id)) {
        this.#ids[kind] = null;
        void this.reopen(kind);
      }
    }
    this.#regainAnew();
  }

  /** Between the first opening and the stop. */
  get watching(): boolean {
    return this.#watching !== null;
  }

  stop(): void {
    this.#stops += 1;
    this.#watching?.();
    this.#watching = null;
    clearTimeout(this.#regainTimer);
    this.#lost.clear();
    this.#release('mic');
    this.#release('camera');
    this.emit('track', 'mic');
    this.emit('track', 'camera');
  }
}
