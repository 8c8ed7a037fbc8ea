//! What a light client does with media: reads clear RTP headers, counts, and
//! writes the receiver reports and transport-wide feedback a browser would.
//! Nothing here allocates per packet.

use std::time::{Duration, Instant};

use crate::srtcp::{RtcpOpener, RtcpSealer};

/// Chromium's interval of transport-wide feedback at 1.7 Mbit/s (5 % of the
/// bandwidth, bounded to 50–250 ms; here the lower bound holds).
const TWCC_EVERY: Duration = Duration::from_millis(50);
/// Chromium's interval of video receiver reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Most statuses in one feedback packet; older ones are left out.
const MAX_STATUSES: u64 = 800;
/// Arrivals remembered; a power of two above [`MAX_STATUSES`].
const ARRIVALS: usize = 1_024;
/// Ticks of the arrival clock per second (250 µs each).
const TICKS: u128 = 4_000;
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
    /// Which of the last 128 numbers came, the highest in bit 0.
    came: u128,
    /// Packets received, repeats included.
    pub received: u64,
    /// Packets that came again.
    pub repeated: u64,
    /// Packets that came behind a higher number.
    pub late: u64,
    reported_expected: u64,
    reported_received: u64,
    /// Middle of the time in the last sender report, and when it came.
    report: Option<(u32, Instant)>,
}

impl Reception {
    /// Starts with the first packet.
    pub fn new(seq: u16) -> Self {
        // One cycle ahead, so that an earlier packet does not go below zero.
        let first = 0x1_0000 | u64::from(seq);
        Self {
            first,
            highest: first,
            came: 1,
            received: 1,
            repeated: 0,
            late: 0,
            reported_expected: 0,
            reported_received: 0,
            report: None,
        }
    }

    /// Counts a packet.
    pub fn note(&mut self, seq: u16) {
        self.received += 1;
        let forward = seq.wrapping_sub(self.highest as u16);
        if forward < 0x8000 && forward > 0 {
            self.highest += u64::from(forward);
            self.came = self.came.checked_shl(forward.into()).unwrap_or(0) | 1;
            return;
        }
        // Late packet: it may lie before the first one seen.
        let back = (self.highest as u16).wrapping_sub(seq);
        self.first = self.first.min(self.highest.saturating_sub(back.into()));
        let bit = 1u128.checked_shl(back.into()).unwrap_or(0);
        if self.came & bit == 0 {
            self.came |= bit;
            self.late += 1;
        } else {
            self.repeated += 1;
        }
    }

    /// Packets missing so far.
    pub fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received - self.repeated)
    }

    /// Notes a sender report; `ntp` is the middle of its time.
    pub fn sender_report(&mut self, ntp: u32, at: Instant) {
        self.report = Some((ntp, at));
    }

    /// Writes the report block, RFC 3550 section 6.4.1.
    fn block(&mut self, ssrc: u32, now: Instant, out: &mut Vec<u8>) {
        let expected = self.highest - self.first + 1;
        let expected_now = expected.saturating_sub(self.reported_expected);
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
        let (last, delay) = self.report.map_or((0, 0), |(ntp, at)| {
            let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (ntp, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        for word in [ssrc, fraction << 24 | lost, highest, 0, last, delay] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

/// One stream of a client.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its SSRC.
    pub ssrc: u32,
    /// What came of it.
    pub reception: Reception,
}

/// Arrival times of the last packets (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Debug)]
pub struct TransportLog {
    /// Number the next feedback begins with; none before the first packet.
    base: Option<u64>,
    highest: u64,
    /// Arrival of the packets up to `highest`, by number modulo [`ARRIVALS`]:
    /// ticks since the origin, one more; 0 = did not come.
    arrivals: Vec<u32>,
    count: u8,
}

impl Default for TransportLog {
    fn default() -> Self {
        Self {
            base: None,
            highest: 0,
            arrivals: vec![0; ARRIVALS],
            count: 0,
        }
    }
}

impl TransportLog {
    fn place(&mut self, seq: u64) -> Option<&mut u32> {
        self.arrivals.get_mut(seq as usize % ARRIVALS)
    }

    fn arrival(&self, seq: u64) -> Option<i64> {
        let tick = *self.arrivals.get(seq as usize % ARRIVALS)?;
        Some(i64::from(tick.checked_sub(1)?))
    }

    /// Notes a packet that came `since` the origin.
    pub fn note(&mut self, seq: u16, since: Duration) {
        let tick = (since.as_micros() * TICKS / 1_000_000) as u32 + 1;
        let Some(base) = self.base else {
            self.highest = 0x1_0000 | u64::from(seq);
            self.base = Some(self.highest);
            if let Some(place) = self.place(self.highest) {
                *place = tick;
            }
            return;
        };
        let forward = seq.wrapping_sub(self.highest as u16);
        let number = if forward < 0x8000 {
            let number = self.highest + u64::from(forward);
            // What a jump passes over has not come.
            let from = (self.highest + 1).max(number.saturating_sub(ARRIVALS as u64 - 1));
            for skipped in from..number {
                if let Some(place) = self.place(skipped) {
                    *place = 0;
                }
            }
            self.highest = number;
            number
        } else {
            let number = self.highest - u64::from((self.highest as u16).wrapping_sub(seq));
            if self.highest - number >= MAX_STATUSES {
                return;
            }
            // A packet told as missing is told again, with those behind it.
            self.base = Some(base.min(number));
            number
        };
        if let Some(place) = self.place(number) {
            *place = tick;
        }
    }

    /// Writes a feedback packet on what came since the last one. False when
    /// nothing did.
    pub fn write(&mut self, sender: u32, media: u32, out: &mut Vec<u8>) -> bool {
        let Some(base) = self.base.filter(|base| *base <= self.highest) else {
            return false;
        };
        let first = base.max((self.highest + 1).saturating_sub(MAX_STATUSES));
        let last = self.highest;
        self.base = Some(last + 1);
        let Some(first_at) = (first..=last).find_map(|seq| self.arrival(seq)) else {
            return false;
        };
        let reference = first_at / 256;
        let begin = out.len();
        rtcp_header(15, 205, 0, out);
        out.extend_from_slice(&sender.to_be_bytes());
        out.extend_from_slice(&media.to_be_bytes());
        out.extend_from_slice(&(first as u16).to_be_bytes());
        out.extend_from_slice(&((last - first + 1) as u16).to_be_bytes());
        let stamp = ((reference as u32) << 8) | u32::from(self.count);
        out.extend_from_slice(&stamp.to_be_bytes());
        self.count = self.count.wrapping_add(1);
        // Vector chunks of seven two-bit symbols, the first in the highest bits.
        let mut before = reference * 256;
        let (mut chunk, mut held) = (0b11u16 << 14, 0);
        for seq in first..=last {
            let symbol = self.arrival(seq).map_or(0, |at| {
                let delta = at - before;
                before = at;
                if (0..256).contains(&delta) { 1 } else { 2 }
            });
            chunk |= symbol << (12 - 2 * held);
            held += 1;
            if held == 7 || seq == last {
                out.extend_from_slice(&chunk.to_be_bytes());
                (chunk, held) = (0b11 << 14, 0);
            }
        }
        let mut before = reference * 256;
        for at in (first..=last).filter_map(|seq| self.arrival(seq)) {
            let delta = at - before;
            before = at;
            if let Ok(small) = u8::try_from(delta) {
                out.push(small);
            } else {
                let large = delta.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16;
                out.extend_from_slice(&large.to_be_bytes());
            }
        }
        while !(out.len() - begin).is_multiple_of(4) {
            out.push(0);
        }
        let words = ((out.len() - begin) / 4 - 1) as u16;
        if let Some(length) = out.get_mut(begin + 2..begin + 4) {
            length.copy_from_slice(&words.to_be_bytes());
        }
        true
    }
}

fn rtcp_header(count: u8, kind: u8, body: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80 | count, kind]);
    out.extend_from_slice(&((body / 4) as u16).to_be_bytes());
}

/// The sender reports of a compound packet: SSRC and middle of the time.
fn sender_reports(mut bytes: &[u8], mut tell: impl FnMut(u32, u32)) {
    while let Some(&[_, kind, high, low]) = bytes.first_chunk::<4>() {
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let Some((packet, rest)) = bytes.split_at_checked(length) else {
            return;
        };
        bytes = rest;
        let number = |at: usize| {
            let four = packet.get(at..)?.first_chunk()?;
            Some(u32::from_be_bytes(*four))
        };
        // The middle of the 64-bit time: 16 bits of seconds, 16 of fraction.
        if kind == 200
            && let (Some(ssrc), Some(middle)) = (number(4), number(10))
        {
            tell(ssrc, middle);
        }
    }
}

/// Buffers of a thread for the packets it writes.
#[derive(Debug, Default)]
pub struct Scratch {
    plain: Vec<u8>,
    /// The packet to send.
    pub sealed: Vec<u8>,
}

/// The feedback side of a light client.
pub struct LightFeedback {
    sealer: RtcpSealer,
    opener: RtcpOpener,
    /// Sender SSRC of the feedback, used by nothing else on the connection.
    ssrc: u32,
    transport: TransportLog,
    origin: Instant,
    next_twcc: Instant,
    next_report: Instant,
    /// Packets of transport-wide feedback written.
    pub written: u64,
}

impl LightFeedback {
    /// Starts at `now`; so the clients send at different times, as they came.
    pub fn new(
        (sealer, opener): (RtcpSealer, RtcpOpener),
        ssrc: u32,
        origin: Instant,
        now: Instant,
    ) -> Self {
        Self {
            sealer,
            opener,
            ssrc,
            transport: TransportLog::default(),
            origin,
            next_twcc: now + TWCC_EVERY,
            next_report: now + REPORT_EVERY,
            written: 0,
        }
    }

    /// Cipher of the connection.
    pub fn cipher(&self) -> String {
        self.sealer.profile().to_string()
    }

    /// Notes an arrival.
    pub fn note(&mut self, view: &RtpView, at: Instant) {
        if let Some(seq) = view.transport_seq {
            let since = at.saturating_duration_since(self.origin);
            self.transport.note(seq, since);
        }
    }

    /// Reads what the server reports on its streams.
    pub fn reports(
        &mut self,
        sealed: &[u8],
        now: Instant,
        streams: &mut [Stream],
        scratch: &mut Scratch,
    ) {
        if self.opener.open(sealed, &mut scratch.plain).is_none() {
            return;
        }
        sender_reports(&scratch.plain, |ssrc, ntp| {
            if let Some(stream) = streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
                stream.reception.sender_report(ntp, now);
            }
        });
    }

    /// When [`Self::due`] wants to be called.
    pub fn next(&self) -> Instant {
        self.next_twcc.min(self.next_report)
    }

    /// Writes into `scratch.sealed` the packet to send now. False when there is none.
    pub fn due(&mut self, now: Instant, streams: &mut [Stream], scratch: &mut Scratch) -> bool {
        if now < self.next() {
            return false;
        }
        let plain = &mut scratch.plain;
        plain.clear();
        let reported = if now >= self.next_report {
            self.next_report = later(self.next_report, REPORT_EVERY, now);
            streams.len().min(MAX_STREAMS)
        } else {
            0
        };
        rtcp_header(reported as u8, 201, 4 + 24 * reported, plain);
        plain.extend_from_slice(&self.ssrc.to_be_bytes());
        let media = streams.first().map_or(0, |stream| stream.ssrc);
        for stream in streams.iter_mut().take(reported) {
            stream.reception.block(stream.ssrc, now, plain);
        }
        if now >= self.next_twcc {
            self.next_twcc = later(self.next_twcc, TWCC_EVERY, now);
            self.written += u64::from(self.transport.write(self.ssrc, media, plain));
        }
        plain.len() > 8
            && self
                .sealer
                .seal(self.ssrc, plain, &mut scratch.sealed)
                .is_some()
    }
}

/// The next time of something regular; what was missed is not made up for.
fn later(due: Instant, every: Duration, now: Instant) -> Instant {
    let next = due + every;
    if next > now { next } else { now + every }
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
        assert_eq!((r.late, r.repeated), (1, 0));
        let mut r = Reception::new(10);
        r.note(9);
        assert_eq!((r.received, r.lost()), (2, 0));
        // What comes twice does not hide what is missing.
        for seq in [12, 12, 9] {
            r.note(seq);
        }
        assert_eq!((r.received, r.lost(), r.repeated), (5, 1, 2));
        r.note(500);
        assert_eq!(r.lost(), 488);
    }

    #[test]
    fn feedback_is_understood_by_an_independent_parser() {
        let mut log = TransportLog::default();
        let at = Duration::from_millis;
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
        assert!(log.write(77, 9, &mut out));
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
        assert!(!log.write(77, 9, &mut out), "nothing new came");
        // The next one goes on where this one ended: what is missing is told.
        log.note(7, at(1_200));
        let mut out = Vec::new();
        assert!(log.write(77, 9, &mut out));
        let packets = parse(&out);
        let next = (
            packets[0].base_sequence_number,
            packets[0].packet_status_count,
        );
        assert_eq!((next, packets[0].recv_deltas.len()), ((5, 3), 1));
        // A late one is told with those that followed it.
        log.note(6, at(1_250));
        let mut out = Vec::new();
        assert!(log.write(77, 9, &mut out));
        let packets = parse(&out);
        let next = (
            packets[0].base_sequence_number,
            packets[0].packet_status_count,
        );
        assert_eq!((next, packets[0].recv_deltas.len()), ((6, 2), 2));
    }

    #[test]
    fn a_report_names_the_senders_report_and_the_time_since() {
        let start = Instant::now();
        let mut report = vec![0x80, 200, 0, 6];
        for word in [9u32, 0x1111_2222, 0x3333_4444, 0, 0, 0] {
            report.extend_from_slice(&word.to_be_bytes());
        }
        let mut seen = Vec::new();
        sender_reports(&report, |ssrc, ntp| seen.push((ssrc, ntp)));
        assert_eq!(seen, [(9, 0x2222_3333)]);
        let mut reception = Reception::new(1);
        reception.sender_report(0x2222_3333, start);
        let mut out = Vec::new();
        reception.block(9, start + Duration::from_millis(500), &mut out);
        assert_eq!(out[16..20], 0x2222_3333u32.to_be_bytes());
        assert_eq!(out[20..24], 32_768u32.to_be_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), id in 0u8..16) {
            let _ = RtpView::parse(&bytes, Some(id));
            sender_reports(&bytes, |_, _| {});
        }

        #[test]
        fn any_arrivals_make_a_packet_others_can_read(arrivals in proptest::collection::vec((any::<u16>(), 0u64..20_000), 1..200)) {
            let mut log = TransportLog::default();
            for (seq, ms) in arrivals {
                log.note(seq, Duration::from_millis(ms));
            }
            let mut out = Vec::new();
            prop_assert!(log.write(1, 2, &mut out));
            prop_assert_eq!(out.len() % 4, 0);
            prop_assert_eq!(parse(&out).len(), 1);
        }
    }
}
