//! What a light client does with media: reads clear RTP headers, counts, and
//! writes the receiver reports and transport-wide feedback a browser would.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::keys::RtcpSealer;

/// Chromium's interval of transport-wide feedback at 1.7 Mbit/s (5 % of the
/// bandwidth, bounded to 50–250 ms; here the lower bound holds).
const TWCC_EVERY: Duration = Duration::from_millis(50);
/// Chromium's interval of video receiver reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Most statuses in one feedback packet; older ones are left out.
const MAX_STATUSES: usize = 800;
/// Most streams of one client that are reported on (31 fit in one report).
const MAX_STREAMS: usize = 31;

/// What a clear RTP header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpView {
    /// Payload type.
    pub pt: u8,
    /// Sequence number.
    pub seq: u16,
    /// Stream.
    pub ssrc: u32,
    /// Transport-wide sequence number.
    pub transport_seq: Option<u16>,
}

impl RtpView {
    /// Reads a header, RFC 3550 and RFC 8285 (one- and two-byte forms).
    pub fn parse(packet: &[u8], transport_id: Option<u8>) -> Option<Self> {
        let header: &[u8; 12] = packet.first_chunk()?;
        let [first, second, s1, s2, _, _, _, _, a, b, c, d] = *header;
        if first >> 6 != 2 {
            return None;
        }
        let mut view = Self {
            pt: second & 0x7f,
            seq: u16::from_be_bytes([s1, s2]),
            ssrc: u32::from_be_bytes([a, b, c, d]),
            transport_seq: None,
        };
        if first & 0x10 != 0 {
            let at = 12 + 4 * usize::from(first & 0x0f);
            let &[p1, p2, l1, l2] = packet.get(at..)?.first_chunk::<4>()?;
            let length = 4 * usize::from(u16::from_be_bytes([l1, l2]));
            let bytes = packet.get(at + 4..at + 4 + length)?;
            let two_bytes = match u16::from_be_bytes([p1, p2]) {
                0xbede => false,
                profile if profile & 0xfff0 == 0x1000 => true,
                _ => return Some(view),
            };
            if let Some(id) = transport_id {
                view.transport_seq = find_extension(bytes, id, two_bytes);
            }
        }
        Some(view)
    }
}

fn find_extension(mut bytes: &[u8], wanted: u8, two_bytes: bool) -> Option<u16> {
    loop {
        let (&first, rest) = bytes.split_first()?;
        if first == 0 {
            bytes = rest;
            continue;
        }
        let (id, length, rest) = if two_bytes {
            let (&length, rest) = rest.split_first()?;
            (first, usize::from(length), rest)
        } else {
            (first >> 4, usize::from(first & 0x0f) + 1, rest)
        };
        let (value, rest) = rest.split_at_checked(length)?;
        if id == wanted {
            return Some(u16::from_be_bytes(*value.first_chunk()?));
        }
        bytes = rest;
    }
}

/// Reception of one stream, RFC 3550 appendix A.1 without probation.
#[derive(Debug, Clone)]
pub struct Reception {
    first: u64,
    highest: u64,
    /// Packets received, repeats included.
    pub received: u64,
    reported_expected: u64,
    reported_received: u64,
}

impl Reception {
    /// Starts with the first packet.
    pub fn new(seq: u16) -> Self {
        // One cycle ahead, so that an earlier packet does not go below zero.
        let first = 0x1_0000 | u64::from(seq);
        Self {
            first,
            highest: first,
            received: 1,
            reported_expected: 0,
            reported_received: 0,
        }
    }

    /// Counts a packet.
    pub fn note(&mut self, seq: u16) {
        self.received += 1;
        let forward = seq.wrapping_sub(self.highest as u16);
        if forward < 0x8000 {
            self.highest += u64::from(forward);
        } else {
            // Late packet: it may lie before the first one seen.
            let back = u64::from((self.highest as u16).wrapping_sub(seq));
            self.first = self.first.min(self.highest.saturating_sub(back));
        }
    }

    /// Packets missing so far.
    pub fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }

    /// Writes the report block, RFC 3550 section 6.4.1. Sender reports are not
    /// decrypted, so LSR and DLSR are zero.
    fn block(&mut self, ssrc: u32, out: &mut Vec<u8>) {
        let expected = self.highest - self.first + 1;
        let expected_now = expected - self.reported_expected;
        let received_now = self.received - self.reported_received;
        self.reported_expected = expected;
        self.reported_received = self.received;
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now << 8)
            .checked_div(expected_now)
            .unwrap_or(0)
            .min(255) as u32;
        let lost = self.lost().min(0x7f_ffff) as u32;
        let highest = (self.highest - 0x1_0000) as u32;
        for word in [ssrc, fraction << 24 | lost, highest, 0, 0, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

/// Arrival times since the last feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Debug, Default)]
pub struct TransportLog {
    highest: Option<u64>,
    arrivals: BTreeMap<u64, Instant>,
    count: u8,
}

impl TransportLog {
    /// Notes a packet.
    pub fn note(&mut self, seq: u16, at: Instant) {
        let highest = self.highest.unwrap_or(0x1_0000 | u64::from(seq));
        let forward = seq.wrapping_sub(highest as u16);
        let extended = if forward < 0x8000 {
            highest + u64::from(forward)
        } else {
            highest.saturating_sub(u64::from((highest as u16).wrapping_sub(seq)))
        };
        self.highest = Some(highest.max(extended));
        self.arrivals.insert(extended, at);
        while self.arrivals.len() > MAX_STATUSES {
            self.arrivals.pop_first();
        }
    }

    /// Writes a feedback packet on what came since the last one.
    pub fn write(&mut self, sender: u32, media: u32, origin: Instant, out: &mut Vec<u8>) {
        let arrivals = std::mem::take(&mut self.arrivals);
        let Some((&first, &first_at)) = arrivals.first_key_value() else {
            return;
        };
        let Some((&last, _)) = arrivals.last_key_value() else {
            return;
        };
        // A jump would fill the packet with "not received".
        let last = last.min(first + MAX_STATUSES as u64 - 1);
        let ticks = |at: Instant| at.saturating_duration_since(origin).as_micros() as i64 / 250;
        let reference = ticks(first_at) / 256;
        let mut before = reference * 256;
        let mut symbols = Vec::new();
        let mut deltas = Vec::new();
        for seq in first..=last {
            let Some(at) = arrivals.get(&seq) else {
                symbols.push(0u16);
                continue;
            };
            let delta = ticks(*at) - before;
            before += delta;
            if let Ok(small) = u8::try_from(delta) {
                symbols.push(1);
                deltas.push(small);
            } else {
                symbols.push(2);
                let large = delta.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16;
                deltas.extend_from_slice(&large.to_be_bytes());
            }
        }
        let mut body = Vec::with_capacity(16 + symbols.len());
        body.extend_from_slice(&sender.to_be_bytes());
        body.extend_from_slice(&media.to_be_bytes());
        body.extend_from_slice(&(first as u16).to_be_bytes());
        body.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
        let reference = ((reference as u32) << 8) | u32::from(self.count);
        body.extend_from_slice(&reference.to_be_bytes());
        self.count = self.count.wrapping_add(1);
        for seven in symbols.chunks(7) {
            // Vector chunk of two-bit symbols, the first in the highest bits.
            let mut chunk = 0b11 << 14;
            for (index, symbol) in seven.iter().enumerate() {
                chunk |= symbol << (12 - 2 * index);
            }
            body.extend_from_slice(&chunk.to_be_bytes());
        }
        body.extend_from_slice(&deltas);
        while !body.len().is_multiple_of(4) {
            body.push(0);
        }
        rtcp_header(15, 205, body.len(), out);
        out.extend_from_slice(&body);
    }
}

fn rtcp_header(count: u8, kind: u8, body: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80 | count, kind]);
    out.extend_from_slice(&((body / 4) as u16).to_be_bytes());
}

/// The feedback side of a light client.
pub struct LightFeedback {
    sealer: RtcpSealer,
    /// Sender SSRC of the feedback, used by nothing else on the connection.
    ssrc: u32,
    transport: TransportLog,
    origin: Instant,
    next_twcc: Instant,
    next_report: Instant,
}

impl LightFeedback {
    /// Starts at `now`.
    pub fn new(sealer: RtcpSealer, ssrc: u32, origin: Instant, now: Instant) -> Self {
        Self {
            sealer,
            ssrc,
            transport: TransportLog::default(),
            origin,
            next_twcc: now + TWCC_EVERY,
            next_report: now + REPORT_EVERY,
        }
    }

    /// Notes an arrival.
    pub fn note(&mut self, view: &RtpView, at: Instant) {
        if let Some(seq) = view.transport_seq {
            self.transport.note(seq, at);
        }
    }

    /// When [`Self::due`] wants to be called.
    pub fn next(&self) -> Instant {
        self.next_twcc.min(self.next_report)
    }

    /// The packet to send now, if any.
    pub fn due(&mut self, now: Instant, streams: &mut [(u32, &mut Reception)]) -> Option<Vec<u8>> {
        if now < self.next() {
            return None;
        }
        let mut plain = Vec::with_capacity(256);
        let reported = if now >= self.next_report {
            self.next_report = now + REPORT_EVERY;
            streams.len().min(MAX_STREAMS)
        } else {
            0
        };
        rtcp_header(reported as u8, 201, 4 + 24 * reported, &mut plain);
        plain.extend_from_slice(&self.ssrc.to_be_bytes());
        let media = streams.first().map_or(0, |(ssrc, _)| *ssrc);
        for (ssrc, reception) in streams.iter_mut().take(reported) {
            reception.block(*ssrc, &mut plain);
        }
        if now >= self.next_twcc {
            self.next_twcc = now + TWCC_EVERY;
            self.transport
                .write(self.ssrc, media, self.origin, &mut plain);
        }
        if plain.len() == 8 {
            return None;
        }
        self.sealer.seal(self.ssrc, &plain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;

    use super::*;

    /// Reads the feedback packets of a compound packet with another implementation.
    fn parse(bytes: &[u8]) -> Vec<TransportLayerCc> {
        let packets = rtc::rtcp::packet::unmarshal(&mut &bytes[..]).unwrap();
        packets
            .iter()
            .filter_map(|p| p.as_any().downcast_ref().cloned())
            .collect()
    }

    #[test]
    fn the_transport_sequence_number_is_found_behind_other_extensions() {
        let mut packet = vec![0x90, 96, 0, 7, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 2];
        packet.extend_from_slice(&[0x40, b'3', 0, 0x31, 0x12, 0x34, 0, 0]);
        packet.extend_from_slice(b"payload");
        let view = RtpView::parse(&packet, Some(3)).unwrap();
        assert_eq!(
            view,
            RtpView {
                pt: 96,
                seq: 7,
                ssrc: 9,
                transport_seq: Some(0x1234)
            }
        );
        assert_eq!(
            RtpView::parse(&packet, Some(5)).unwrap().transport_seq,
            None
        );
        assert_eq!(RtpView::parse(&packet, None).unwrap().transport_seq, None);
    }

    #[test]
    fn losses_repeats_and_wraps_are_counted() {
        let mut r = Reception::new(65_534);
        for seq in [65_535, 1, 2, 0, 5] {
            r.note(seq);
        }
        assert_eq!((r.received, r.lost()), (6, 2));
        let mut r = Reception::new(10);
        r.note(9);
        assert_eq!((r.received, r.lost()), (2, 0));
    }

    #[test]
    fn feedback_is_understood_by_an_independent_parser() {
        let origin = Instant::now();
        let mut log = TransportLog::default();
        let at = |ms: u64| origin + Duration::from_millis(ms);
        for (seq, ms) in [
            (65_533, 1_000),
            (65_534, 1_001),
            (0, 1_100),
            (3, 1_099),
            (4, 1_110),
        ] {
            log.note(seq, at(ms));
        }
        let mut out = Vec::new();
        rtcp_header(0, 201, 4, &mut out);
        out.extend_from_slice(&77u32.to_be_bytes());
        log.write(77, 9, origin, &mut out);
        let packets = parse(&out);
        let [twcc] = packets.as_slice() else {
            panic!("{packets:?}")
        };
        assert_eq!(
            (twcc.base_sequence_number, twcc.packet_status_count),
            (65_533, 8)
        );
        assert_eq!(twcc.recv_deltas.len(), 5);
        assert_eq!(twcc.reference_time, 1_000 / 64);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), id in 0u8..16) {
            let _ = RtpView::parse(&bytes, Some(id));
        }

        #[test]
        fn any_arrivals_make_a_packet_others_can_read(arrivals in proptest::collection::vec((any::<u16>(), 0u64..20_000), 1..200)) {
            let origin = Instant::now();
            let mut log = TransportLog::default();
            for (seq, ms) in arrivals {
                log.note(seq, origin + Duration::from_millis(ms));
            }
            let mut out = Vec::new();
            log.write(1, 2, origin, &mut out);
            prop_assert_eq!(out.len() % 4, 0);
            prop_assert_eq!(parse(&out).len(), 1);
        }
    }
}
