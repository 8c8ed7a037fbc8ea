//! One outgoing stream: a slot of the receiver with its SSRCs, payload types and
//! counters.

use std::time::{Duration, Instant};

use lophoc_media::types::Codec;

use super::header::{self, ExtensionIds, Tag};
use crate::srtp::{Index, Indices};

/// A payload type and the one its packets are sent again under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayloadType {
    pub(crate) plain: u8,
    /// RFC 4588.
    pub(crate) resend: Option<u8>,
}

/// What an m-line agreed on, and what was sent on it.
#[derive(Debug, Default)]
pub(crate) struct OutStream {
    pub(crate) ssrc: u32,
    pub(crate) resend_ssrc: Option<u32>,
    pub(crate) tag: Tag,
    pub(crate) ids: ExtensionIds,
    /// Length of a header: without level and capture time, with the level, with the
    /// capture time, with both.
    pub(crate) headers: [usize; 4],
    pub(crate) opus: Option<PayloadType>,
    /// RFC 2198 around Opus.
    pub(crate) red: Option<PayloadType>,
    pub(crate) vp8: Option<PayloadType>,
    pub(crate) h264: Option<PayloadType>,
    pub(crate) indices: Indices,
    /// How far the core's numbers are ahead of those that are sent: what it counted
    /// and nobody sent must not become a leap no receiver can follow.
    pub(crate) shift: u64,
    pub(crate) resend_indices: Indices,
    /// RTP packets and payload bytes, as sender reports count them (both wrap).
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// Timestamp sent last and when, so that a report can tell the present one.
    pub(crate) last: Option<(u32, Instant)>,
    /// Ticks per second of what was sent last.
    pub(crate) clock_rate: u32,
    /// Payload type to pad with: that of the last resendable codec.
    pub(crate) pad_type: Option<u8>,
    /// Something was sent since the last report.
    pub(crate) unreported: bool,
}

/// A receiver follows leaps shorter than half of what a header can count.
const LEAP: u64 = 0x7000;

impl OutStream {
    /// Reads what sending reads; the sum means nothing.
    pub(crate) fn warm(&self) -> u64 {
        u64::from(self.ssrc)
            ^ self.indices.next()
            ^ self.shift
            ^ u64::from(self.packets)
            ^ u64::from(self.unreported)
            ^ self.headers.iter().sum::<usize>() as u64
    }

    /// The number to send a packet of the core under.
    pub(crate) fn index(&mut self, seq: u64) -> Option<Index> {
        let next = self.indices.next();
        let sent = seq.checked_sub(self.shift)?;
        let too_far = if next == 0 {
            sent > 0xffff
        } else {
            sent >= next + LEAP
        };
        if too_far {
            self.shift = seq.checked_sub(next.max(1))?;
            return self.indices.give(next.max(1));
        }
        self.indices.give(sent)
    }

    /// The number a packet of the core was sent under, as the header has it.
    pub(crate) fn sent_as(&self, seq: u64) -> Option<u16> {
        let sent = seq.checked_sub(self.shift)?;
        Some((sent & 0xffff) as u16)
    }

    /// The core's number of a packet by the one it was sent under.
    pub(crate) fn number_of(&self, sent: u16) -> u16 {
        sent.wrapping_add((self.shift & 0xffff) as u16)
    }

    /// Length of the header of a packet.
    pub(crate) fn header(&self, level: bool, capture: bool) -> usize {
        let at = usize::from(level) | usize::from(capture) << 1;
        self.headers.get(at).copied().unwrap_or_default()
    }

    /// Takes the lengths of headers from ids and tag.
    pub(crate) fn measure(mut self) -> Self {
        let transport = self.ids.transport.is_some();
        let len = |level, capture| header::len(&self.ids, &self.tag, transport, level, capture);
        self.headers = [
            len(false, false),
            len(true, false),
            len(false, true),
            len(true, true),
        ];
        self
    }

    /// The payload type of a codec.
    pub(crate) fn payload_type(&self, codec: Codec, red: bool) -> Option<PayloadType> {
        match codec {
            Codec::Opus if red => self.red,
            Codec::Opus => self.opus,
            Codec::Vp8 => self.vp8,
            Codec::H264 => self.h264,
        }
    }

    /// Takes over what an offer made anew agreed on, without its counters.
    pub(crate) fn renegotiated(&mut self, fresh: Self) {
        // An SSRC that changed would begin a new stream; it never does.
        debug_assert_eq!(self.ssrc, fresh.ssrc);
        let old = std::mem::replace(self, fresh);
        self.indices = old.indices;
        self.shift = old.shift;
        self.resend_indices = old.resend_indices;
        self.packets = old.packets;
        self.octets = old.octets;
        self.last = old.last;
        self.clock_rate = old.clock_rate;
        self.unreported = old.unreported;
    }

    /// Counts a packet of the main stream.
    pub(crate) fn sent(&mut self, now: Instant, codec: Codec, ts: u32, payload: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self
            .octets
            .wrapping_add(u32::try_from(payload).unwrap_or(0));
        self.last = Some((ts, now));
        self.clock_rate = codec.clock_rate();
        self.unreported = true;
    }

    /// The timestamp that would be sent now.
    pub(crate) fn timestamp(&self, now: Instant) -> Option<u32> {
        let (ts, at) = self.last?;
        let since: Duration = now.saturating_duration_since(at);
        let ticks = since.as_micros() * u128::from(self.clock_rate) / 1_000_000;
        // Timestamps wrap.
        Some(ts.wrapping_add((ticks & 0xffff_ffff) as u32))
    }
}
