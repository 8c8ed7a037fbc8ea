// Codecs of lophoc.v1: VP8 with RTX first, constrained-baseline H.264 second; Opus
// first, RED second. Everything else is left out of the offer, which keeps it small.

type Codec = RTCRtpCodec;

function isConstrainedBaseline(codec: Codec): boolean {
  const fmtp = codec.sdpFmtpLine ?? '';
  return /profile-level-id=42e0/i.test(fmtp) && /packetization-mode=1/.test(fmtp);
}

/** The video codecs of ours among `all`, in our order. */
export function pickVideoCodecs<C extends Codec>(all: readonly C[]): C[] {
  const type = (c: C) => c.mimeType.toLowerCase();
  const vp8 = all.filter((c) => type(c) === 'video/vp8');
  const h264 = all.filter((c) => type(c) === 'video/h264' && isConstrainedBaseline(c)).slice(0, 1);
  const rtx = all.filter((c) => type(c) === 'video/rtx').slice(0, 1);
  const first = [...vp8, ...h264];
  return first.length > 0 ? [...first, ...rtx] : [];
}

/** The audio codecs of ours among `all`, in our order. */
export function pickAudioCodecs<C extends Codec>(all: readonly C[]): C[] {
  const type = (c: C) => c.mimeType.toLowerCase();
  const opus = all.filter((c) => type(c) === 'audio/opus');
  return opus.length > 0 ? [...opus, ...all.filter((c) => type(c) === 'audio/red')] : [];
}

/** Trims one m-line; does nothing where the browser cannot (Firefox before 128). */
export function trimCodecs(
  transceiver: RTCRtpTransceiver,
  kind: 'audio' | 'video',
  direction: 'send' | 'receive',
): void {
  if (typeof transceiver.setCodecPreferences !== 'function') return;
  const side = direction === 'send' ? RTCRtpSender : RTCRtpReceiver;
  // Preferences are matched against what can be received, also for a sending m-line.
  const able = (RTCRtpReceiver.getCapabilities?.(kind) ?? side.getCapabilities?.(kind))?.codecs ?? [];
  const wanted = kind === 'video' ? pickVideoCodecs(able) : pickAudioCodecs(able);
  if (wanted.length === 0) return;
  try {
    transceiver.setCodecPreferences(wanted);
  } catch {
    // An engine that refuses the list offers everything; the server picks.
  }
}
