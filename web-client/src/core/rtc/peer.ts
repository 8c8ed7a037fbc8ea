// One RTCPeerConnection with the fixed m-lines of a profile. Everything that
// changes after the first answer is done by replaceTrack and by `view`; the only
// later offers are ICE restarts.
import { Emitter } from '../base/emitter';
import type { IceServer, MediaKind, Profile, Rid, SlotCounts } from '../proto';
import { trimCodecs } from './codecs';
import { sendsScreenLayers } from './compat';
import {
  CAMERA_ENCODINGS,
  CAMERA_RIDS,
  SCREEN_LAYERS,
  SCREEN_RIDS,
  SCREEN_SINGLE,
  cameraLayers,
  pauseUnwatched,
  screenLayers,
  type LayerParameters,
} from './layers';

export type PeerState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface PeerEvents {
  state: PeerState;
  /** A candidate of ours worth sending; null = no more. */
  candidate: string | null;
}

/** A receiving slot: its stream is the same for life. */
export interface Slot {
  mid: string;
  stream: MediaStream;
  receiver: RTCRtpReceiver;
}

/** What the microphone is sent with where nobody asks for less, bit/s. */
const SPEECH = 32_000;

/** What is sent smaller than usual. */
export interface Thrift {
  /** Rate of the microphone, kbit/s. */
  speechKbps?: number;
  /** Of the camera only the smallest layer. */
  smallCamera: boolean;
}

/** Layers of the own pictures that somebody watches; absent = all. */
export interface Watched {
  camera?: readonly Rid[] | undefined;
  screen?: readonly Rid[] | undefined;
}

type SendParameters = RTCRtpSendParameters & { degradationPreference?: string };

interface Line {
  kind: 'audio' | 'video';
  init: RTCRtpTransceiverInit;
}

function sendLine(kind: MediaKind): Line {
  switch (kind) {
    case 'mic':
      return {
        kind: 'audio',
        init: {
          direction: 'sendonly',
          sendEncodings: [{ maxBitrate: SPEECH, priority: 'high', networkPriority: 'high' }],
        },
      };
    case 'camera':
      return { kind: 'video', init: { direction: 'sendonly', sendEncodings: CAMERA_ENCODINGS.map((e) => ({ ...e })) } };
    case 'screen':
      return {
        kind: 'video',
        init: {
          direction: 'sendonly',
          sendEncodings: (sendsScreenLayers() ? SCREEN_LAYERS : SCREEN_SINGLE).map((e) => ({ ...e })),
        },
      };
    case 'screenAudio':
      return { kind: 'audio', init: { direction: 'sendonly', sendEncodings: [{ maxBitrate: 96_000 }] } };
  }
}

/** The sending m-lines of a profile, in the order the protocol fixes. */
export function sendsOf(profile: Profile): readonly MediaKind[] {
  return profile === 'viewer' ? ['mic', 'camera'] : ['mic', 'camera', 'screen', 'screenAudio'];
}

export class Peer extends Emitter<PeerEvents> {
  readonly pc: RTCPeerConnection;
  readonly profile: Profile;
  readonly slots: SlotCounts;
  readonly #senders = new Map<MediaKind, RTCRtpTransceiver>();
  readonly #audio: RTCRtpTransceiver[] = [];
  readonly #video: RTCRtpTransceiver[] = [];
  readonly #screen: RTCRtpTransceiver[] = [];
  readonly #streams = new Map<RTCRtpTransceiver, MediaStream>();
  #closed = false;
  #paramQueue: Promise<unknown> = Promise.resolve();
  #thrift: Thrift = { smallCamera: false };
  #watched: Watched = {};

  constructor(profile: Profile, slots: SlotCounts, ice: readonly IceServer[] = []) {
    super();
    this.profile = profile;
    this.slots = slots;
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceServers: [...ice] });
    for (const kind of sendsOf(profile)) {
      const line = sendLine(kind);
      const transceiver = this.pc.addTransceiver(line.kind, line.init);
      trimCodecs(transceiver, line.kind, 'send');
      this.#senders.set(kind, transceiver);
    }
    const receive = (kind: 'audio' | 'video', count: number, into: RTCRtpTransceiver[]) => {
      for (let i = 0; i < count; i += 1) {
        const transceiver = this.pc.addTransceiver(kind, { direction: 'recvonly' });
        trimCodecs(transceiver, kind, 'receive');
        this.#streams.set(transceiver, new MediaStream([transceiver.receiver.track]));
        into.push(transceiver);
      }
    };
    receive('audio', slots.a, this.#audio);
    receive('video', slots.v, this.#video);
    receive('video', slots.s, this.#screen);
    this.pc.onconnectionstatechange = () => this.emit('state', this.state);
    this.pc.onicecandidate = (event) => {
      if (!event.candidate) {
        this.emit('candidate', null);
        return;
      }
      const { candidate } = event.candidate;
      // Names that only this network resolves and TCP candidates help the server nothing.
      if (!candidate || /\.local\b/.test(candidate) || / tcp /i.test(candidate)) return;
      this.emit('candidate', candidate);
    };
  }

  get state(): PeerState {
    return this.#closed ? 'closed' : this.pc.connectionState;
  }

  /** A first offer, or with `restart` one with new ICE credentials. */
  async offer(restart = false): Promise<string> {
    if (restart) this.pc.restartIce();
    // An ICE restart whose answer was lost with the link leaves an open offer behind.
    if (this.pc.signalingState === 'have-local-offer' && !restart) {
      return this.pc.localDescription?.sdp ?? '';
    }
    const offer = await this.pc.createOffer();
    await this.pc.setLocalDescription(offer);
    return this.pc.localDescription?.sdp ?? offer.sdp ?? '';
  }

  async accept(sdp: string): Promise<void> {
    if (this.pc.signalingState !== 'have-local-offer') return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  #slotsOf(list: RTCRtpTransceiver[]): Slot[] {
    const out: Slot[] = [];
    for (const transceiver of list) {
      const stream = this.#streams.get(transceiver);
      if (transceiver.mid !== null && stream)
        out.push({ mid: transceiver.mid, stream, receiver: transceiver.receiver });
    }
    return out;
  }

  /** Slots, known after the first `offer`. */
  get audioSlots(): Slot[] {
    return this.#slotsOf(this.#audio);
  }

  get videoSlots(): Slot[] {
    return this.#slotsOf(this.#video);
  }

  get screenSlots(): Slot[] {
    return this.#slotsOf(this.#screen);
  }

  slot(mid: string): Slot | undefined {
    return [...this.videoSlots, ...this.screenSlots, ...this.audioSlots].find((s) => s.mid === mid);
  }

  /** Puts a track behind a sending m-line, or takes it away; needs no negotiation. */
  async send(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    const transceiver = this.#senders.get(kind);
    if (!transceiver || this.#closed) return;
    if (transceiver.sender.track === track) return;
    await transceiver.sender.replaceTrack(track);
    if (!track) return;
    if (kind === 'screen') {
      // Text must stay readable: give up frames before pixels.
      this.#change(transceiver.sender, (parameters) => (parameters.degradationPreference = 'maintain-resolution'));
      this.#layScreen();
    }
    if (kind === 'camera') this.#layCamera();
  }

  /** What the camera is sent with: as large as it is, as small as one wishes, and as somebody watches. */
  #layCamera(): void {
    const sender = this.#senders.get('camera')?.sender;
    const track = sender?.track;
    if (!sender || !track) return;
    const { width, height } = track.getSettings();
    const own = cameraLayers(width, height, this.#thrift.smallCamera);
    this.#lay(sender, pauseUnwatched(own, CAMERA_RIDS, this.#watched.camera));
  }

  #layScreen(): void {
    const sender = this.#senders.get('screen')?.sender;
    if (!sender?.track || !sendsScreenLayers()) return;
    this.#lay(sender, pauseUnwatched(screenLayers(), SCREEN_RIDS, this.#watched.screen));
  }

  #lay(sender: RTCRtpSender, layers: readonly LayerParameters[]): void {
    this.#change(sender, (parameters) => {
      parameters.encodings.forEach((encoding, index) => Object.assign(encoding, layers[index]));
    });
  }

  /** Somebody watches these layers: the others rest; needs no negotiation. */
  setWatched(watched: Watched): void {
    const before = this.#watched;
    this.#watched = watched;
    if (String(before.camera) !== String(watched.camera)) this.#layCamera();
    if (String(before.screen) !== String(watched.screen)) this.#layScreen();
  }

  /** Sends less, or as usual again; needs no negotiation. */
  setThrift(thrift: Thrift): void {
    const before = this.#thrift;
    this.#thrift = thrift;
    if (before.smallCamera !== thrift.smallCamera) this.#layCamera();
    const mic = this.#senders.get('mic')?.sender;
    if (before.speechKbps === thrift.speechKbps || !mic) return;
    const maxBitrate = Math.min(SPEECH, (thrift.speechKbps ?? Infinity) * 1_000);
    this.#change(mic, (parameters) =>
      parameters.encodings.forEach((encoding) => Object.assign(encoding, { maxBitrate })),
    );
  }

  /** Changes follow one another: get, modify and set belong together. */
  #change(sender: RTCRtpSender, modify: (parameters: SendParameters) => void): void {
    this.#paramQueue = this.#paramQueue.then(async () => {
      if (this.#closed) return;
      const parameters = sender.getParameters() as SendParameters;
      modify(parameters);
      await sender.setParameters(parameters).catch(() => undefined);
    });
  }

  /** Relays for the next ICE restart. */
  setIce(ice: readonly IceServer[]): void {
    if (this.#closed) return;
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: [...ice] });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.pc.onconnectionstatechange = null;
    this.pc.onicecandidate = null;
    this.pc.close();
    this.clear();
  }
}
