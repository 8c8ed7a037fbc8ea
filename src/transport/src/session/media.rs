//! RTP in and out of a session: what str0m parsed becomes a source packet, what
//! the core decided becomes a write.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lophoc_media::types::{Codec, Forward, Kind, Layer, SlotRef, SourcePacket};
use str0m::media::{Mid, Pt, Rid};
use str0m::rtp::{AbsCaptureTime, ExtensionValues, RtpPacket, RtpWrite, Ssrc, Vp8Descriptor};

use super::{Carries, OutSlot, Session, SessionEvent, Sink};

/// Largest RTP payload forwarded, bytes. With header, extensions, tag and IPv6 it
/// still fits an Ethernet frame; browsers stay below 1,200.
const MAX_PAYLOAD: usize = 1_350;
/// Streams a client may send at once; the table starts anew when full.
const MAX_STREAMS_IN: usize = 32;
/// Seconds from 1900 (NTP) to 1970.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

impl Session {
    pub(super) fn slot_of(&self, mid: Mid) -> Option<SlotRef> {
        let find = |list: &[OutSlot]| {
            let index = list.iter().position(|s| s.mid == mid)?;
            u8::try_from(index).ok()
        };
        find(&self.video)
            .map(SlotRef::Video)
            .or_else(|| find(&self.screen).map(SlotRef::Screen))
            .or_else(|| find(&self.audio).map(SlotRef::Audio))
    }

    pub(super) fn on_rtp(&mut self, packet: RtpPacket, sink: &mut impl Sink) {
        self.last_heard = self.clock;
        let Some((kind, layer)) = self.stream_in(packet.header.ssrc) else {
            self.counters.unknown_ssrc += 1;
            return;
        };
        let carries = self
            .payload_types
            .iter()
            .find(|(pt, _)| *pt == packet.header.payload_type)
            .map(|(_, carries)| *carries);
        let (codec, payload) = match carries {
            Some(Carries::Plain(codec)) => (codec, packet.payload),
            Some(Carries::Red) => match lophoc_media::red::primary(&packet.payload) {
                Some(primary) => (Codec::Opus, Arc::from(primary.payload)),
                None => return self.counters.refused += 1,
            },
            None => return self.counters.unknown_ssrc += 1,
        };
        if (codec == Codec::Opus) != kind.is_audio() {
            self.counters.unknown_ssrc += 1;
            return;
        }
        if payload.len() > MAX_PAYLOAD {
            self.counters.oversize += 1;
            return;
        }
        if payload.is_empty() {
            return; // padding of a bandwidth probe
        }
        self.counters.rtp_in += 1;
        let extensions = &packet.header.ext_vals;
        let packet = SourcePacket {
            codec,
            layer,
            seq: *packet.seq_no,
            ts: packet.header.timestamp,
            marker: packet.header.marker,
            level: extensions.audio_level.map(|v| v.unsigned_abs().min(127)),
            capture_ntp: extensions
                .abs_capture_time
                .and_then(|t| to_ntp(t.capture_time)),
            payload,
        };
        sink.event(SessionEvent::Rtp { kind, packet });
    }

    /// What a stream of the client carries, remembered per SSRC.
    fn stream_in(&mut self, ssrc: Ssrc) -> Option<(Kind, Layer)> {
        if let Some((_, of)) = self.streams_in.iter().find(|(known, _)| *known == ssrc) {
            return *of;
        }
        let (mid, rid) = {
            let mut api = self.rtc.direct_api();
            let stream = api.stream_rx(&ssrc)?;
            (stream.mid(), stream.rid())
        };
        let kind = self.sends.iter().find(|(m, _)| *m == mid).map(|(_, k)| *k);
        let of = kind.zip(layer_of(rid));
        if self.streams_in.len() >= MAX_STREAMS_IN {
            self.streams_in.clear();
        }
        self.streams_in.push((ssrc, of));
        of
    }
}

/// Simulcast rids are q, h, f from small to large; a stream without is single.
fn layer_of(rid: Option<Rid>) -> Option<Layer> {
    match rid.as_deref() {
        None | Some("q") => Some(Layer(0)),
        Some("h") => Some(Layer(1)),
        Some("f") => Some(Layer(2)),
        Some(_) => None,
    }
}

/// NTP 32.32 of a point in time.
fn to_ntp(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let seconds = since.as_secs().checked_add(NTP_UNIX_OFFSET)? & 0xffff_ffff;
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    Some(seconds << 32 | fraction)
}

/// The point in time of NTP 32.32, in the era that began in 1900.
fn from_ntp(ntp: u64) -> Option<SystemTime> {
    let seconds = (ntp >> 32).checked_sub(NTP_UNIX_OFFSET)?;
    let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000).div_ceil(1 << 32);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
}

impl Session {
    /// The slot's place, if it exists.
    fn place(&self, slot: SlotRef) -> Option<&OutSlot> {
        match slot {
            SlotRef::Audio(i) => self.audio.get(usize::from(i)),
            SlotRef::Video(i) => self.video.get(usize::from(i)),
            SlotRef::Screen(i) => self.screen.get(usize::from(i)),
        }
    }

    /// Whether media may be sent now.
    pub(crate) fn can_send(&self) -> bool {
        self.connected && self.reachable && (self.direct.is_none() || self.path.is_some())
    }

    /// Puts one packet into str0m's queue of its slot; it leaves with the next
    /// clock input.
    pub(crate) fn enqueue(&mut self, forward: Forward) {
        let Some(slot) = self.place(forward.slot) else {
            self.counters.no_codec += 1;
            return;
        };
        let pt = match forward.codec {
            Codec::Opus => slot.opus,
            Codec::Vp8 => slot.vp8,
            Codec::H264 => slot.h264,
        };
        let (Some(pt), mid, ssrc) = (pt, slot.mid, slot.ssrc) else {
            self.counters.no_codec += 1;
            return;
        };
        let clock = self.clock;
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx(&ssrc) else {
            self.counters.no_codec += 1;
            return;
        };
        stream.write_rtp(to_write(forward, pt, mid, clock));
        self.counters.rtp_out += 1;
    }
}

fn to_write(forward: Forward, pt: Pt, mid: Mid, clock: Instant) -> RtpWrite {
    let mut extensions = ExtensionValues {
        // Stamped on every packet: a browser that lost its binding of SSRC to
        // m-line (Chromium 148 and later) finds it again. Retransmissions
        // inherit it.
        mid: Some(mid),
        ..ExtensionValues::default()
    };
    if let Some(level) = forward.level {
        extensions.audio_level = i8::try_from(level).ok().map(|v| -v);
        extensions.voice_activity = Some(level < 127);
    }
    if let Some(capture_time) = forward.capture_ntp.and_then(from_ntp) {
        extensions.abs_capture_time = Some(AbsCaptureTime {
            capture_time,
            clock_offset: None,
        });
    }
    let patch = forward.vp8.and_then(|numbers| {
        let descriptor = Vp8Descriptor::parse(&forward.payload).ok()?;
        let both = descriptor
            .patch()
            .picture_id(numbers.picture_id)
            .tl0_pic_idx(numbers.tl0)
            .build();
        both.or_else(|_| descriptor.patch().picture_id(numbers.picture_id).build())
            .ok()
    });
    let write = RtpWrite::new(pt, forward.seq.into(), forward.ts, clock, forward.payload)
        .marker(forward.marker)
        .ext_vals(extensions)
        .nackable(forward.codec != Codec::Opus);
    match patch {
        Some(patch) => write.vp8_patch(patch),
        None => write,
    }
}
