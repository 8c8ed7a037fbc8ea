// One RTCPeerConnection with the fixed m-lines of a profile. Everything that
// changes after the first answer is done by replaceTrack and by `view`; the only
// later offers are ICE restarts.
import { Emitter } from '../base/emitter';
import type { MediaKind, Profile, SlotCounts } from '../proto';
import { trimCodecs } from './codecs';

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
          sendEncodings: [{ maxBitrate: 32_000, priority: 'high', networkPriority: 'high' }],
        },
      };
    case 'camera':
      return { kind: 'video', init: { direction: 'sendonly', sendEncodings: CAMERA_ENCODINGS.map((e) => ({ ...e })) } };
    case 'screen':
      return {
        kind: 'video',
        init: { direction: 'sendonly', sendEncodings: [{ maxBitrate: 2_500_000, maxFramerate: 15 }] },
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

  constructor(profile: Profile, slots: SlotCounts) {
    super();
    this.profile = profile;
    this.slots = slots;
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
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
    if (kind === 'screen' && track) this.#keepSharp(transceiver.sender);
  }

  /** Text must stay readable: give up frames before pixels. */
  #keepSharp(sender: RTCRtpSender): void {
    this.#paramQueue = this.#paramQueue.then(async () => {
      const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
      parameters.degradationPreference = 'maintain-resolution';
      await sender.setParameters(parameters).catch(() => undefined);
    });
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
