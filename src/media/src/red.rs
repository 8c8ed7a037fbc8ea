//! Redundant audio (RFC 2198): finds the primary block behind the older copies, and
//! makes packets that carry the frames before theirs, for receivers that lose some.
//!
//! A lost packet of sound is not asked for again; what it held comes with the next
//! two. Speech of 32 kbit/s becomes 96, so only who loses packets gets it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bytes::Reader;
use crate::types::SourcePacket;

/// More redundant blocks than any sender uses; a packet with more is refused.
const MAX_BLOCKS: usize = 16;

/// Most older frames in a packet made here.
pub const DEPTH: usize = 2;
/// Largest payload made here, bytes; older frames are left out for it.
const MAX_PAYLOAD: usize = 1_100;
/// Header of an older frame, bytes.
const OLDER_HEAD: usize = 4;
/// Farthest back an older frame may lie, ticks (14 bits).
const MAX_BACK: u32 = (1 << 14) - 1;
/// Longest older frame, bytes (10 bits).
const MAX_OLDER: usize = (1 << 10) - 1;
/// Stands where the receiver's number of Opus is to be written.
const ANY_TYPE: u8 = 0;

/// A receiver that loses this much gets redundancy, per mille.
const LOSSY: u16 = 20;
/// One that loses less than this for [`CLEAN_AFTER`] needs none, per mille.
const CLEAN: u16 = 5;
/// How long the loss stays low before redundancy ends.
const CLEAN_AFTER: Duration = Duration::from_secs(30);

/// Whether a receiver loses so much that it gets redundancy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Need {
    on: bool,
    clean_since: Option<Instant>,
}

impl Need {
    /// Loss towards the receiver as it reports it, per mille.
    pub fn on_loss(&mut self, now: Instant, permille: u16) {
        if permille >= LOSSY {
            self.on = true;
        }
        if permille >= CLEAN {
            self.clean_since = None;
            return;
        }
        let since = *self.clean_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= CLEAN_AFTER {
            self.on = false;
        }
    }

    /// It gets redundancy.
    pub fn is_on(self) -> bool {
        self.on
    }
}

#[derive(Debug)]
struct Frame {
    seq: u64,
    ts: u32,
    payload: Arc<[u8]>,
}

/// Makes packets with redundancy of one source, each once for all its receivers.
#[derive(Debug, Default)]
pub struct RedPacker {
    /// The newest last; at most [`DEPTH`] + 1.
    frames: VecDeque<Frame>,
    /// What was made of the newest packet, by the number of older frames less one.
    made: [Option<Arc<[u8]>>; DEPTH],
    /// The last packet given is the newest.
    newest: bool,
}

impl RedPacker {
    /// The numbers of the source began anew.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// A packet of the source.
    pub fn push(&mut self, packet: &SourcePacket) {
        self.newest = self.frames.back().is_none_or(|last| packet.seq > last.seq);
        if !self.newest {
            return;
        }
        self.made = Default::default();
        if self.frames.len() > DEPTH {
            self.frames.pop_front();
        }
        self.frames.push_back(Frame {
            seq: packet.seq,
            ts: packet.ts,
            payload: packet.payload.clone(),
        });
    }

    /// The last packet with the frames before it, from the source's number `from`
    /// on. `None` when there are none, or it came late: then it goes as it is. The
    /// numbers of the codec are left open, see [`set_type`].
    pub fn payload(&mut self, from: u64) -> Option<Arc<[u8]>> {
        let last = self.frames.back().filter(|_| self.newest)?;
        let mut room = MAX_PAYLOAD.checked_sub(1 + last.payload.len())?;
        // Behind what is left out nothing is taken, so that no two receivers need
        // more than one of the same depth.
        let fits = |frame: &&Frame| {
            let back = last.ts.wrapping_sub(frame.ts);
            let taken = OLDER_HEAD + frame.payload.len();
            let fits = frame.seq >= from
                && (1..=MAX_BACK).contains(&back)
                && frame.payload.len() <= MAX_OLDER
                && taken <= room;
            if fits {
                room -= taken;
            }
            fits
        };
        let depth = self
            .frames
            .iter()
            .rev()
            .skip(1)
            .take(DEPTH)
            .take_while(fits)
            .count();
        let place = self.made.get_mut(depth.checked_sub(1)?)?;
        if place.is_none() {
            let older = || self.frames.iter().rev().skip(1).take(depth).rev();
            let mut out = Vec::with_capacity(MAX_PAYLOAD - room);
            for frame in older() {
                let back = last.ts.wrapping_sub(frame.ts);
                let length = u32::try_from(frame.payload.len()).ok()?;
                let [_, high, middle, low] = (back << 10 | length).to_be_bytes();
                out.extend([0x80 | ANY_TYPE, high, middle, low]);
            }
            out.push(ANY_TYPE);
            for frame in older() {
                out.extend_from_slice(&frame.payload);
            }
            out.extend_from_slice(&last.payload);
            *place = Some(out.into());
        }
        place.clone()
    }
}

/// Writes the receiver's number of the codec into each header of a payload.
pub fn set_type(payload: &mut [u8], payload_type: u8) {
    let mut rest = payload;
    for _ in 0..=MAX_BLOCKS {
        let Some(head) = rest.first_mut() else { return };
        let older = *head & 0x80;
        *head = older | (payload_type & 0x7F);
        if older == 0 {
            return;
        }
        let Some(next) = rest.get_mut(OLDER_HEAD..) else {
            return;
        };
        rest = next;
    }
}

/// The primary block of a RED payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Primary<'a> {
    /// Its payload type.
    pub payload_type: u8,
    /// Its bytes; empty when the sender had nothing new.
    pub payload: &'a [u8],
    /// How many redundant blocks came before it.
    pub redundant: usize,
}

/// `None` when headers or blocks are cut off.
pub fn primary(payload: &[u8]) -> Option<Primary<'_>> {
    let mut reader = Reader::new(payload);
    let mut skip = 0usize;
    for redundant in 0..=MAX_BLOCKS {
        let head = reader.u8()?;
        let payload_type = head & 0x7F;
        if head & 0x80 == 0 {
            reader.take(skip)?;
            return Some(Primary {
                payload_type,
                payload: reader.rest(),
                redundant,
            });
        }
        let [_, low, length] = reader.array::<3>()?;
        skip += usize::from(low & 0x03) << 8 | usize::from(length);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_primary_block_is_what_remains_after_the_copies() {
        // One copy of two bytes, 960 ticks old, then the primary.
        let payload = [0x80 | 111, 0x0F, 0x00, 2, 111, 9, 9, 1, 2, 3];
        let found = primary(&payload).unwrap();
        assert_eq!(found.payload_type, 111);
        assert_eq!(found.payload, [1, 2, 3]);
        assert_eq!(found.redundant, 1);
    }

    #[test]
    fn a_payload_without_copies_is_all_primary() {
        assert_eq!(primary(&[111, 5]).unwrap().payload, [5]);
    }

    #[test]
    fn cut_headers_and_blocks_are_refused() {
        assert_eq!(primary(&[]), None);
        assert_eq!(primary(&[0x80 | 111, 0, 0]), None);
        assert_eq!(primary(&[0x80 | 111, 0, 0, 9, 111, 1]), None);
        assert_eq!(primary(&[0x80; 200]), None);
    }

    use crate::types::{Codec, Layer};

    fn packet(seq: u64, ts: u32, payload: &[u8]) -> SourcePacket {
        SourcePacket {
            codec: Codec::Opus,
            layer: Layer(0),
            seq,
            ts,
            marker: false,
            level: None,
            capture_ntp: None,
            payload: payload.into(),
        }
    }

    /// Every frame of a payload: how many ticks before the packet, and its bytes.
    fn frames(payload: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut reader = Reader::new(payload);
        let mut heads = Vec::new();
        while let Some(head) = reader.u8() {
            if head & 0x80 == 0 {
                break;
            }
            let [a, b, c] = reader.array::<3>().unwrap();
            let both = u32::from_be_bytes([0, a, b, c]);
            heads.push((both >> 10, (both & 0x3FF) as usize));
        }
        let mut out = Vec::new();
        for (back, length) in heads {
            out.push((back, reader.take(length).unwrap().to_vec()));
        }
        out.push((0, reader.rest().to_vec()));
        out
    }

    fn speech(n: u64) -> SourcePacket {
        let ts = u32::MAX.wrapping_add(n as u32 * 960);
        packet(100 + n, ts, &[n as u8; 80])
    }

    #[test]
    fn a_packet_carries_the_two_before_it() {
        let mut packer = RedPacker::default();
        let mut carried = Vec::new();
        for n in 0..4 {
            packer.push(&speech(n));
            let made = packer.payload(0);
            carried.push(made.map_or(0, |payload| frames(&payload).len() - 1));
        }
        assert_eq!(carried, [0, 1, 2, 2]);
        let payload = packer.payload(0).unwrap();
        let expected: Vec<(u32, Vec<u8>)> = [(1_920, 1u8), (960, 2), (0, 3)]
            .map(|(back, n)| (back, vec![n; 80]))
            .into();
        assert_eq!(frames(&payload), expected);
    }

    #[test]
    fn it_is_made_once_for_all_receivers() {
        let mut packer = RedPacker::default();
        for n in 0..3 {
            packer.push(&speech(n));
        }
        let (first, second) = (packer.payload(0).unwrap(), packer.payload(5).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn nothing_from_before_the_receiver_turned_to_the_source_is_carried() {
        let mut packer = RedPacker::default();
        for n in 0..3 {
            packer.push(&speech(n));
        }
        assert!(packer.payload(102).is_none(), "the packet it began with");
        assert_eq!(frames(&packer.payload(101).unwrap()).len(), 2);
        assert_eq!(frames(&packer.payload(100).unwrap()).len(), 3);
    }

    #[test]
    fn a_late_packet_goes_as_it_is_and_disturbs_nothing() {
        let mut packer = RedPacker::default();
        for n in [0, 1, 3] {
            packer.push(&speech(n));
        }
        packer.push(&speech(2));
        assert!(packer.payload(0).is_none());
        packer.push(&speech(4));
        let backs: Vec<u32> = frames(&packer.payload(0).unwrap())
            .iter()
            .map(|(back, _)| *back)
            .collect();
        assert_eq!(backs, [2_880, 960, 0]);
    }

    #[test]
    fn what_lies_too_far_back_or_is_too_long_is_left_out() {
        let mut packer = RedPacker::default();
        packer.push(&packet(1, 0, &[1; 50]));
        packer.push(&packet(2, 20_000, &[2; 50]));
        assert!(packer.payload(0).is_none(), "a pause");
        packer.push(&packet(3, 20_960, &[3; 1_030]));
        assert!(packer.payload(0).is_some());
        packer.push(&packet(4, 21_920, &[4; 50]));
        assert!(packer.payload(0).is_none(), "the one before is too long");
        packer.push(&packet(5, 22_880, &[5; 2_000]));
        assert!(packer.payload(0).is_none());
        packer.restart();
        packer.push(&packet(6, 23_840, &[6; 50]));
        assert!(packer.payload(0).is_none());
    }

    #[test]
    fn redundancy_begins_at_two_per_cent_and_ends_when_it_was_clean_for_long() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut need = Need::default();
        need.on_loss(at(0), 19);
        assert!(!need.is_on());
        need.on_loss(at(1), 20);
        assert!(need.is_on());
        for second in 2..31 {
            need.on_loss(at(second), 0);
            assert!(need.is_on());
        }
        need.on_loss(at(31), 8);
        need.on_loss(at(32), 0);
        need.on_loss(at(61), 4);
        assert!(need.is_on(), "it was not clean at 31");
        need.on_loss(at(62), 4);
        assert!(!need.is_on());
    }

    /// Part of the frames that come neither by themselves nor with a later packet,
    /// per mille, where each packet is lost with this probability, independently.
    fn missing(loss_permille: u64, red: bool) -> u64 {
        const PACKETS: u64 = 50_000;
        let mut packer = RedPacker::default();
        let mut seed = 7u64;
        let mut heard = vec![false; PACKETS as usize];
        for n in 0..PACKETS {
            let sent = packet(n, (n as u32).wrapping_mul(960), &n.to_be_bytes());
            packer.push(&sent);
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if (seed >> 33) % 1_000 < loss_permille {
                continue;
            }
            match packer.payload(0).filter(|_| red) {
                Some(payload) => {
                    for (_, frame) in frames(&payload) {
                        let name = u64::from_be_bytes(frame.try_into().unwrap());
                        heard[name as usize] = true;
                    }
                }
                None => heard[n as usize] = true,
            }
        }
        let lost = heard.iter().filter(|heard| !**heard).count() as u64;
        lost * 1_000 / PACKETS
    }

    #[test]
    fn of_a_tenth_lost_less_than_a_hundredth_is_missing() {
        assert!(missing(100, false) >= 90);
        assert!(missing(100, true) < 10, "{}", missing(100, true));
        assert!(missing(200, true) < 20, "{}", missing(200, true));
    }

    proptest! {
        #[test]
        fn packets_made_are_bounded_and_read_back(
            sent in proptest::collection::vec(
                (0u64..4, 0u32..3_000, 0usize..1_200), 1..40),
            from in 0u64..60,
            payload_type in 0u8..128,
        ) {
            let mut packer = RedPacker::default();
            let (mut seq, mut ts) = (10u64, 0u32);
            let mut known: Vec<SourcePacket> = Vec::new();
            for (step, ticks, length) in sent {
                seq += step;
                ts = ts.wrapping_add(ticks);
                let packet = packet(seq, ts, &vec![seq as u8; length]);
                packer.push(&packet);
                known.push(packet.clone());
                let Some(made) = packer.payload(from) else { continue };
                prop_assert!(made.len() <= MAX_PAYLOAD);
                let mut own = made.to_vec();
                set_type(&mut own, payload_type);
                let found = primary(&own).unwrap();
                prop_assert_eq!(found.payload_type, payload_type);
                prop_assert_eq!(found.payload, &packet.payload[..]);
                prop_assert!((1..=DEPTH).contains(&found.redundant));
                for (back, bytes) in frames(&own) {
                    let of = known.iter().any(|other| {
                        other.ts == ts.wrapping_sub(back)
                            && other.payload[..] == bytes[..]
                            && (other.seq >= from || back == 0)
                    });
                    prop_assert!(of, "a frame nobody sent");
                }
            }
        }

        #[test]
        fn writing_the_type_touches_headers_only_and_never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            payload_type in any::<u8>(),
        ) {
            let mut written = bytes.clone();
            set_type(&mut written, payload_type);
            let before = primary(&bytes).map(|found| found.payload.to_vec());
            prop_assert_eq!(primary(&written).map(|found| found.payload.to_vec()), before);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = primary(&bytes);
        }

        #[test]
        fn what_was_packed_comes_out(copies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4), last in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut payload = Vec::new();
            for copy in &copies {
                payload.extend([0x80 | 111, 0, 0, copy.len() as u8]);
            }
            payload.push(111);
            payload.extend(copies.iter().flatten());
            payload.extend(&last);
            prop_assert_eq!(primary(&payload).unwrap().payload, &last[..]);
        }
    }
}
