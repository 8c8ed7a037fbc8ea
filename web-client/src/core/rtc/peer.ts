// One RTCPeerConnection with the fixed m-lines of a profile. Everything that
// changes after the first answer is done by replaceTrack and by `view`; the only
// later offers are ICE restarts.
import { Emitter } from '../base/emitter';
import type { IceServer, MediaKind, Profile, SlotCounts } from '../proto';
import { trimCodecs } from './codecs';
import { sendsScreenLayers } from './compat';

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

const CAMERA_ENCODINGS: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 120_000, maxFramerate: 15 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400_000, maxFramerate: 30 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_200_000, maxFramerate: 30 },
];
/** A screen in two layers: who lacks the bandwidth for the whole one reads a small one instead of nothing. */
const SCREEN_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 2, maxBitrate: 250_000, maxFramerate: 5 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 2_500_000, maxFramerate: 15 },
];
const SCREEN_SINGLE: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000, maxFramerate: 15 }];
/** Below this many pixels Chromium encodes two layers at most, the first two by index. */
const THREE_LAYERS_FROM = 960 * 540;

interface LayerParameters {
  active: boolean;
  scaleResolutionDownBy: number;
  maxBitrate: number;
}

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
        { active: true, scaleResolutionDownBy: 2, maxBitrate: 150_000 },
        { active: true, scaleResolutionDownBy: 1, maxBitrate: 600_000 },
        { active: false, scaleResolutionDownBy: 1, maxBitrate: 600_000 },
      ]
    : [
        { active: true, scaleResolutionDownBy: 4, maxBitrate: 120_000 },
        { active: true, scaleResolutionDownBy: 2, maxBitrate: 400_000 },
        { active: true, scaleResolutionDownBy: 1, maxBitrate: 1_200_000 },
      ];
  return layers.map((layer, index) => (thrifty && index > 0 ? { ...layer, active: false } : layer));
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
    if (kind === 'screen' && track) {
      // Text must stay readable: give up frames before pixels.
      this.#change(transceiver.sender, (parameters) => (parameters.degradationPreference = 'maintain-resolution'));
    }
    if (kind === 'camera' && track) {
      this.#layCamera(transceiver.sender, track);
    }
  }

  #layCamera(sender: RTCRtpSender, track: MediaStreamTrack): void {
    const { width, height } = track.getSettings();
    const layers = cameraLayers(width, height, this.#thrift.smallCamera);
    this.#change(sender, (parameters) => {
      parameters.encodings.forEach((encoding, index) => Object.assign(encoding, layers[index]));
    });
  }

  /** Sends less, or as usual again; needs no negotiation. */
  setThrift(thrift: Thrift): void {
    const before = this.#thrift;
    this.#thrift = thrift;
    const camera = this.#senders.get('camera')?.sender;
    if (before.smallCamera !== thrift.smallCamera && camera?.track) this.#layCamera(camera, camera.track);
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
