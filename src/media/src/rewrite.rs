//! The numbers a receiver sees. A slot is one RTP stream for life, whatever
//! flows through it: sequence numbers go on without a hole at every switch of
//! source or layer, and holes of the source stay holes, so that the receiver
//! asks for what is missing.
//!
//! Timestamps keep the source's distances. At a switch the first one is the
//! last sent plus the time that passed by the arrival clock, at least one
//! frame: the clocks of two sources or layers have nothing to do with each other.

use std::time::Instant;

use crate::meta::{Meta, Picture};
use crate::types::{SourcePacket, Vp8Numbers};

/// How far back a late packet may come, packets.
const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;
const PICTURE_IDS: i64 = 1 << 15;

/// Numbers of one packet for one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Extended sequence number of the slot.
    pub seq: u64,
    /// Timestamp of the slot.
    pub ts: u32,
    /// Picture numbers of the slot, when the source has some.
    pub vp8: Option<Vp8Numbers>,
}

/// State of one slot's numbers.
#[derive(Debug, Clone)]
pub struct Rewriter {
    frame: u64,
    clock_rate: u64,
    from: Option<From>,
    highest: u64,
    last_ts: u32,
    last_at: Option<Instant>,
    pictures: Pictures,
    sent: [u64; WORDS],
}

/// Where the present source began.
#[derive(Debug, Clone, Copy)]
struct From {
    source_seq: u64,
    seq: u64,
    ts_offset: u32,
}

/// How the numbers of one source became those of the slot, from its first packet
/// to the next switch: enough to send one of its packets again under the same.
#[derive(Debug, Clone)]
pub struct Segment {
    from: From,
    pictures: Pictures,
}

impl Segment {
    /// Number of the source behind a number of the slot; `None` when it was sent
    /// before the segment began.
    pub fn source_seq(&self, seq: u64) -> Option<u64> {
        let after = seq.checked_sub(self.from.seq)?;
        self.from.source_seq.checked_add(after)
    }

    /// The numbers the packet was sent under as `seq`.
    pub fn numbers(&self, seq: u64, packet: &SourcePacket, meta: &Meta) -> Numbers {
        Numbers {
            seq,
            ts: packet.ts.wrapping_add(self.from.ts_offset),
            vp8: meta.picture.map(|picture| self.pictures.again(picture)),
        }
    }
}

impl Rewriter {
    /// Reads what numbering reads, so that it is in the processor's cache; the sum
    /// means nothing.
    pub fn warm(&self) -> u64 {
        u64::from(self.from.is_some()) ^ self.highest ^ u64::from(self.last_ts) ^ self.sent[0]
    }

    /// A stream whose first packet gets `first_seq`. `clock_rate` in ticks per
    /// second, `frame` the shortest step at a switch, ticks.
    pub fn new(first_seq: u16, clock_rate: u32, frame: u32) -> Self {
        Self {
            frame: u64::from(frame),
            clock_rate: u64::from(clock_rate),
            from: None,
            highest: u64::from(first_seq.max(1)) - 1,
            last_ts: 0,
            last_at: None,
            pictures: Pictures::default(),
            sent: [0; WORDS],
        }
    }

    /// The packet is the first of another source or layer. `behind`: how many
    /// ticks older than now it is (a replay out of a cache), else 0.
    pub fn switch(&mut self, now: Instant, packet: &SourcePacket, meta: &Meta, behind: u32) {
        let ts = match self.last_at {
            None => packet.ts,
            Some(at) => {
                let passed = self.ticks(now.saturating_duration_since(at).as_micros());
                let step = passed.saturating_sub(u64::from(behind)).max(self.frame);
                // Timestamps wrap; only the low 32 bits of the step count.
                self.last_ts.wrapping_add((step & 0xFFFF_FFFF) as u32)
            }
        };
        self.from = Some(From {
            source_seq: packet.seq,
            seq: self.highest + 1,
            ts_offset: ts.wrapping_sub(packet.ts),
        });
        self.pictures.switch(meta.picture);
    }

    /// The source's packets come under other sequence numbers from this one on; its
    /// timestamps go on as they were.
    pub fn renumber(&mut self, packet: &SourcePacket) {
        if let Some(from) = &mut self.from {
            from.source_seq = packet.seq;
            from.seq = self.highest + 1;
        }
    }

    /// Numbers for a packet of the present source. `None` when it is older than
    /// the switch, was already sent, or comes too late: no number is ever used twice.
    pub fn forward(&mut self, now: Instant, packet: &SourcePacket, meta: &Meta) -> Option<Numbers> {
        let from = self.from?;
        let seq = packet
            .seq
            .checked_sub(from.source_seq)?
            .checked_add(from.seq)?;
        if !self.mark(seq) {
            return None;
        }
        let ts = packet.ts.wrapping_add(from.ts_offset);
        if seq == self.highest {
            self.last_ts = ts;
            self.last_at = Some(now);
        }
        Some(Numbers {
            seq,
            ts,
            vp8: meta.picture.map(|picture| self.pictures.forward(picture)),
        })
    }

    /// The present segment, to be kept when it ends.
    pub fn segment(&self) -> Option<Segment> {
        Some(Segment {
            from: self.from?,
            pictures: self.pictures.clone(),
        })
    }

    /// The whole number of a short one that was sent lately; `None` for others.
    pub fn sent_as(&self, short: u16) -> Option<u64> {
        let behind = (self.highest as u16).wrapping_sub(short);
        let seq = self.highest.checked_sub(u64::from(behind))?;
        (u64::from(behind) < WINDOW && self.get(seq)).then_some(seq)
    }

    /// The packet with these numbers holds several frames; the last one is so many
    /// ticks after the first, and a switch goes on from there.
    pub fn reaches(&mut self, numbers: &Numbers, ticks: u32) {
        if numbers.seq == self.highest {
            self.last_ts = numbers.ts.wrapping_add(ticks);
        }
    }

    fn ticks(&self, micros: u128) -> u64 {
        let ticks = micros.saturating_mul(u128::from(self.clock_rate)) / 1_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Whether `seq` is used for the first time.
    fn mark(&mut self, seq: u64) -> bool {
        if seq > self.highest {
            let skipped = (seq - self.highest).min(WINDOW);
            for back in 0..skipped {
                self.set(seq - back, false);
            }
            self.highest = seq;
        } else if self.highest - seq >= WINDOW {
            return false;
        }
        let fresh = !self.get(seq);
        self.set(seq, true);
        fresh
    }

    fn get(&self, seq: u64) -> bool {
        let word = self.sent.get(word_of(seq)).copied().unwrap_or(u64::MAX);
        word >> (seq % 64) & 1 == 1
    }

    fn set(&mut self, seq: u64, value: bool) {
        if let Some(word) = self.sent.get_mut(word_of(seq)) {
            let bit = 1 << (seq % 64);
            *word = if value { *word | bit } else { *word & !bit };
        }
    }
}

fn word_of(seq: u64) -> usize {
    ((seq % WINDOW) / 64) as usize
}

/// Continuity of VP8 picture ids and TL0PICIDX.
#[derive(Debug, Clone, Default)]
struct Pictures {
    /// Unwrapped id of the source, newest.
    source: i64,
    /// What to add to get the slot's.
    offset: i64,
    /// Newest of the slot, unwrapped.
    last: Option<i64>,
    tl0_offset: u8,
    tl0_last: u8,
    fresh: bool,
}

impl Pictures {
    fn switch(&mut self, first: Option<Picture>) {
        self.fresh = true;
        if let Some(picture) = first {
            self.begin(picture);
        }
    }

    fn begin(&mut self, picture: Picture) {
        self.fresh = false;
        self.source = i64::from(picture.id);
        if let Some(last) = self.last {
            self.offset = last + 1 - self.source;
            self.tl0_offset = self.tl0_last.wrapping_add(1).wrapping_sub(picture.tl0);
        }
    }

    /// The numbers a picture of the present source has had.
    fn again(&self, picture: Picture) -> Vp8Numbers {
        let id = unwrap_near(self.source, picture) + self.offset;
        Vp8Numbers {
            picture_id: u16::try_from(id.rem_euclid(PICTURE_IDS)).unwrap_or(0),
            tl0: picture.tl0.wrapping_add(self.tl0_offset),
        }
    }

    fn forward(&mut self, picture: Picture) -> Vp8Numbers {
        if self.fresh {
            self.begin(picture);
        }
        let source = unwrap_near(self.source, picture);
        self.source = self.source.max(source);
        let id = source + self.offset;
        let tl0 = picture.tl0.wrapping_add(self.tl0_offset);
        if self.last.is_none_or(|last| id >= last) {
            self.last = Some(id);
            self.tl0_last = tl0;
        }
        Vp8Numbers {
            picture_id: u16::try_from(id.rem_euclid(PICTURE_IDS)).unwrap_or(0),
            tl0,
        }
    }
}

/// The number nearest to `near` whose low bits are those of the picture id.
fn unwrap_near(near: i64, picture: Picture) -> i64 {
    let range = 1i64 << picture.bits.min(15);
    let ahead = (i64::from(picture.id) - near).rem_euclid(range);
    near + if ahead > range / 2 {
        ahead - range
    } else {
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Codec, Layer};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn packet(seq: u64, ts: u32) -> SourcePacket {
        SourcePacket {
            codec: Codec::Vp8,
            layer: Layer(0),
            seq,
            ts,
            marker: false,
            level: None,
            capture_ntp: None,
            payload: Arc::from(&b"bytes"[..]),
        }
    }

    fn meta(id: u16, bits: u32, tl0: u8) -> Meta {
        Meta {
            picture: Some(Picture { id, bits, tl0 }),
            ..Meta::default()
        }
    }

    fn rewriter() -> Rewriter {
        Rewriter::new(700, 90_000, 3_000)
    }

    #[test]
    fn a_switch_goes_on_without_a_hole_and_by_the_arrival_clock() {
        let start = Instant::now();
        let none = Meta::default();
        let mut slot = rewriter();
        slot.switch(start, &packet(50_000, 1_000), &none, 0);
        let first = slot.forward(start, &packet(50_000, 1_000), &none).unwrap();
        assert_eq!(first.seq, 700);
        let later = start + Duration::from_millis(500);
        let other = packet(9, 4_000_000_000);
        slot.switch(later, &other, &none, 0);
        let second = slot.forward(later, &other, &none).unwrap();
        assert_eq!(second.seq, 701);
        assert_eq!(second.ts, first.ts.wrapping_add(45_000));
    }

    #[test]
    fn a_switch_at_once_steps_by_one_frame_and_a_replay_never_steps_back() {
        let now = Instant::now();
        let none = Meta::default();
        let mut slot = rewriter();
        slot.switch(now, &packet(1, 100), &none, 0);
        let first = slot.forward(now, &packet(1, 100), &none).unwrap();
        slot.switch(now, &packet(1, 100), &none, 90_000);
        let second = slot.forward(now, &packet(1, 100), &none).unwrap();
        assert_eq!(second.ts, first.ts.wrapping_add(3_000));
    }

    #[test]
    fn a_replay_puts_its_newest_frame_at_now() {
        let start = Instant::now();
        let none = Meta::default();
        let mut slot = rewriter();
        slot.switch(start, &packet(1, 0), &none, 0);
        slot.forward(start, &packet(1, 0), &none).unwrap();
        let now = start + Duration::from_secs(3);
        slot.switch(now, &packet(100, 10_000), &none, 90_000);
        slot.forward(now, &packet(100, 10_000), &none).unwrap();
        let newest = slot.forward(now, &packet(101, 100_000), &none).unwrap();
        assert_eq!(newest.ts, 270_000);
    }

    #[test]
    fn a_late_packet_gets_its_own_number_once() {
        let now = Instant::now();
        let none = Meta::default();
        let mut slot = rewriter();
        slot.switch(now, &packet(10, 0), &none, 0);
        let seqs: Vec<_> = [10, 13, 11, 11, 12, 9, 10]
            .map(|seq| slot.forward(now, &packet(seq, 0), &none).map(|n| n.seq))
            .to_vec();
        assert_eq!(
            seqs,
            [Some(700), Some(703), Some(701), None, Some(702), None, None]
        );
    }

    #[test]
    fn picture_ids_of_seven_bits_grow_on_in_fifteen() {
        let now = Instant::now();
        let mut slot = rewriter();
        slot.switch(now, &packet(1, 0), &meta(126, 7, 0), 0);
        let ids: Vec<_> = [126, 127, 0, 1]
            .iter()
            .zip(1..)
            .map(|(id, seq)| {
                slot.forward(now, &packet(seq, 0), &meta(*id, 7, 0))
                    .unwrap()
            })
            .map(|n| n.vp8.unwrap().picture_id)
            .collect();
        assert_eq!(ids, [126, 127, 128, 129]);
    }

    #[test]
    fn picture_numbers_go_on_over_a_switch_and_their_wraparound() {
        let now = Instant::now();
        let mut slot = rewriter();
        slot.switch(now, &packet(1, 0), &meta(0x7FFF, 15, 255), 0);
        slot.forward(now, &packet(1, 0), &meta(0x7FFF, 15, 255))
            .unwrap();
        slot.switch(now, &packet(77, 0), &meta(300, 15, 9), 0);
        let next = slot
            .forward(now, &packet(77, 0), &meta(300, 15, 9))
            .unwrap();
        assert_eq!(
            next.vp8,
            Some(Vp8Numbers {
                picture_id: 0,
                tl0: 0
            })
        );
        let next = slot
            .forward(now, &packet(78, 0), &meta(302, 15, 10))
            .unwrap();
        assert_eq!(
            next.vp8,
            Some(Vp8Numbers {
                picture_id: 2,
                tl0: 1
            })
        );
    }

    /// A source for a while: its first sequence number, timestamp and picture
    /// id, and what is lost of it.
    fn segments() -> impl Strategy<Value = Vec<(u64, u32, u16, Vec<bool>)>> {
        let segment = (
            0u64..1 << 40,
            any::<u32>(),
            0u16..1 << 15,
            proptest::collection::vec(proptest::bool::weighted(0.9), 1..60),
        );
        proptest::collection::vec(segment, 1..6)
    }

    proptest! {
        #[test]
        fn in_order_input_without_loss_gives_numbers_without_holes(segments in segments(), first in 1u16..) {
            let mut now = Instant::now();
            let mut slot = Rewriter::new(first, 90_000, 3_000);
            let mut expected = u64::from(first);
            let mut last_picture: Option<u16> = None;
            for (seq, ts, picture, packets) in segments {
                let facts = |i: u64| meta(picture.wrapping_add(i as u16) & 0x7FFF, 15, 0);
                slot.switch(now, &packet(seq, ts), &facts(0), 0);
                for i in 0..packets.len() as u64 {
                    let source = packet(seq + i, ts.wrapping_add(i as u32 * 3_000));
                    let before = source.payload.to_vec();
                    let numbers = slot.forward(now, &source, &facts(i)).unwrap();
                    prop_assert_eq!(numbers.seq, expected);
                    prop_assert_eq!(&before[..], &*source.payload);
                    let id = numbers.vp8.unwrap().picture_id;
                    prop_assert!(last_picture.is_none_or(|last| id == (last + 1) & 0x7FFF));
                    last_picture = Some(id);
                    expected += 1;
                    now += Duration::from_millis(33);
                }
            }
        }

        #[test]
        fn holes_of_the_source_stay_holes(segments in segments()) {
            let now = Instant::now();
            let mut slot = rewriter();
            let mut highest = 699;
            for (seq, ts, _, kept) in segments {
                let none = Meta::default();
                slot.switch(now, &packet(seq, ts), &none, 0);
                let base = highest + 1;
                for (i, _) in kept.iter().enumerate().filter(|(i, kept)| *i == 0 || **kept) {
                    let numbers = slot.forward(now, &packet(seq + i as u64, ts), &none).unwrap();
                    prop_assert_eq!(numbers.seq, base + i as u64);
                    highest = numbers.seq;
                }
            }
        }

        #[test]
        fn no_number_is_used_twice_whatever_the_order(
            order in proptest::collection::vec((0u64..3_000, any::<bool>()), 1..300),
        ) {
            let now = Instant::now();
            let none = Meta::default();
            let mut slot = rewriter();
            let mut used = std::collections::HashSet::new();
            slot.switch(now, &packet(0, 0), &none, 0);
            for (seq, switch) in order {
                if switch {
                    slot.switch(now, &packet(seq, 0), &none, 0);
                }
                if let Some(numbers) = slot.forward(now, &packet(seq, 0), &none) {
                    prop_assert!(used.insert(numbers.seq));
                }
            }
        }

        #[test]
        fn timestamps_only_grow_over_switches(gaps in proptest::collection::vec((0u64..100_000, any::<u32>(), 0u32..200_000), 1..20)) {
            let mut now = Instant::now();
            let none = Meta::default();
            let mut slot = rewriter();
            let mut last: Option<u32> = None;
            for (gap, ts, behind) in gaps {
                now += Duration::from_millis(gap);
                slot.switch(now, &packet(5, ts), &none, behind);
                let numbers = slot.forward(now, &packet(5, ts), &none).unwrap();
                if let Some(last) = last {
                    prop_assert!(numbers.ts.wrapping_sub(last) as i32 > 0);
                }
                last = Some(numbers.ts);
            }
        }
    }
}
