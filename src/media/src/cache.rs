//! The keyframe cache of one source layer, for somebody who joins late.
//!
//! While the packets since the last keyframe are few and none is missing, a
//! joiner gets them all and goes on live. Later only the frame of the keyframe
//! is kept: a still picture until the next keyframe comes. Besides a short tail
//! is kept of packets that came before the first packet of their own keyframe.

use std::collections::VecDeque;
use std::time::Instant;

use crate::types::SourcePacket;

/// Most packets since a keyframe that are replayed.
pub const MAX_PACKETS: usize = 200;
/// Most payload bytes held.
pub const MAX_BYTES: usize = 400 * 1024;
/// Packets kept for reordering when there is nothing to replay.
const TAIL: usize = 64;

/// State of one layer's cache.
#[derive(Debug, Default)]
pub struct KeyframeCache {
    /// Timestamp of the keyframe and when it came.
    key: Option<(u32, Instant)>,
    /// Packets of the keyframe, in order.
    frame: Vec<SourcePacket>,
    /// Packets after it, in order.
    since: VecDeque<SourcePacket>,
    /// `since` is only a tail.
    cut: bool,
    bytes: usize,
}

impl KeyframeCache {
    /// Takes a packet of the layer.
    pub fn push(&mut self, now: Instant, packet: &SourcePacket, begins_keyframe: bool) {
        let begins_new = begins_keyframe
            && self.key.is_none_or(|(ts, _)| ts != packet.ts)
            && self
                .frame
                .first()
                .is_none_or(|first| first.seq < packet.seq);
        if begins_new {
            self.begin(now, packet);
        }
        self.insert(packet);
        self.trim();
    }

    fn begin(&mut self, now: Instant, packet: &SourcePacket) {
        self.key = Some((packet.ts, now));
        self.cut = false;
        self.frame.clear();
        self.since.retain(|early| early.seq > packet.seq);
        let early = std::mem::take(&mut self.since);
        self.bytes = 0;
        for packet in &early {
            self.insert(packet);
        }
    }

    fn insert(&mut self, packet: &SourcePacket) {
        let of_keyframe = self.key.is_some_and(|(ts, _)| ts == packet.ts);
        let inserted = if of_keyframe {
            let at = self.frame.partition_point(|other| other.seq < packet.seq);
            let fresh = self
                .frame
                .get(at)
                .is_none_or(|other| other.seq != packet.seq);
            if fresh {
                self.frame.insert(at, packet.clone());
            }
            fresh
        } else {
            let before = self
                .frame
                .first()
                .is_some_and(|first| packet.seq < first.seq);
            let at = self.since.partition_point(|other| other.seq < packet.seq);
            let fresh = self
                .since
                .get(at)
                .is_none_or(|other| other.seq != packet.seq);
            if fresh && !before {
                self.since.insert(at, packet.clone());
            }
            fresh && !before
        };
        if inserted {
            self.bytes += packet.payload.len();
        }
    }

    fn trim(&mut self) {
        let count = self.frame.len() + self.since.len();
        if count > MAX_PACKETS || self.bytes > MAX_BYTES {
            self.cut = true;
        }
        if self.frame.len() > MAX_PACKETS || self.frame_bytes_exceeded() {
            self.frame.clear();
            self.key = None;
        }
        if self.cut || self.key.is_none() {
            while self.since.len() > TAIL {
                self.since.pop_front();
            }
            self.bytes = self
                .frame
                .iter()
                .chain(&self.since)
                .map(|p| p.payload.len())
                .sum();
        }
    }

    fn frame_bytes_exceeded(&self) -> bool {
        self.bytes > MAX_BYTES
            && self.frame.iter().map(|p| p.payload.len()).sum::<usize>() > MAX_BYTES / 2
    }

    /// Keyframe and everything since, when nothing is missing.
    pub fn whole(&self) -> Option<impl Iterator<Item = &SourcePacket>> {
        let (first, last) = (
            self.frame.first()?,
            self.since.back().or(self.frame.last())?,
        );
        let count = (self.frame.len() + self.since.len()) as u64;
        let ordered = match (self.frame.last(), self.since.front()) {
            (Some(end), Some(next)) => end.seq < next.seq,
            _ => true,
        };
        let complete = !self.cut && ordered && last.seq.checked_sub(first.seq)? + 1 == count;
        complete.then(|| self.frame.iter().chain(&self.since))
    }

    /// The keyframe alone, when it is complete.
    pub fn still(&self) -> Option<impl Iterator<Item = &SourcePacket>> {
        let (first, last) = (self.frame.first()?, self.frame.last()?);
        let complete =
            last.marker && last.seq.checked_sub(first.seq)? + 1 == self.frame.len() as u64;
        complete.then(|| self.frame.iter())
    }

    /// Packets after `seq` that are here already, in order.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &SourcePacket> {
        self.frame
            .iter()
            .chain(&self.since)
            .filter(move |packet| packet.seq > seq)
    }

    /// Ticks between the keyframe and the newest packet.
    pub fn span(&self) -> u32 {
        match (self.frame.first(), self.since.back()) {
            (Some(first), Some(last)) => last.ts.wrapping_sub(first.ts),
            _ => 0,
        }
    }

    /// When the keyframe came.
    pub fn keyframe_at(&self) -> Option<Instant> {
        self.key.map(|(_, at)| at)
    }

    /// Takes over what another shard had: keyframe and everything since, or the
    /// frame of the keyframe alone.
    pub fn install(&mut self, keyframe_at: Instant, packets: &[SourcePacket], whole: bool) {
        self.clear();
        for (index, packet) in packets.iter().enumerate() {
            self.push(keyframe_at, packet, index == 0);
        }
        self.cut |= !whole;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Payload bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Codec, Layer};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn packet(seq: u64, frame: u32, marker: bool) -> SourcePacket {
        SourcePacket {
            codec: Codec::Vp8,
            layer: Layer(0),
            seq,
            ts: frame * 3_000,
            marker,
            level: None,
            capture_ntp: None,
            payload: Arc::from(vec![0; 1_000]),
        }
    }

    fn seqs<'a>(packets: Option<impl Iterator<Item = &'a SourcePacket>>) -> Option<Vec<u64>> {
        packets.map(|packets| packets.map(|packet| packet.seq).collect())
    }

    /// Pushes frames of two packets; frame 0 is the keyframe.
    fn filled(frames: u32) -> KeyframeCache {
        let mut cache = KeyframeCache::default();
        for frame in 0..frames {
            let seq = 100 + u64::from(frame) * 2;
            cache.push(Instant::now(), &packet(seq, frame, false), frame == 0);
            cache.push(Instant::now(), &packet(seq + 1, frame, true), false);
        }
        cache
    }

    #[test]
    fn a_short_group_of_pictures_is_replayed_whole() {
        let cache = filled(5);
        assert_eq!(seqs(cache.whole()), Some((100..110).collect()));
        assert_eq!(cache.span(), 12_000);
    }

    #[test]
    fn a_long_one_leaves_only_the_still_picture() {
        let cache = filled(150);
        assert_eq!(seqs(cache.whole()), None);
        assert_eq!(seqs(cache.still()), Some(vec![100, 101]));
    }

    #[test]
    fn a_hole_forbids_the_replay_until_it_is_filled() {
        let now = Instant::now();
        let mut cache = filled(3);
        cache.push(now, &packet(108, 4, false), false);
        assert_eq!(seqs(cache.whole()), None);
        cache.push(now, &packet(106, 3, false), false);
        cache.push(now, &packet(107, 3, true), false);
        assert_eq!(seqs(cache.whole()), Some((100..109).collect()));
    }

    #[test]
    fn packets_that_came_before_the_first_of_their_keyframe_are_kept() {
        let now = Instant::now();
        let mut cache = filled(150);
        cache.push(now, &packet(401, 200, false), false);
        cache.push(now, &packet(402, 200, true), false);
        cache.push(now, &packet(400, 200, false), true);
        assert_eq!(seqs(cache.whole()), Some(vec![400, 401, 402]));
    }

    #[test]
    fn a_keyframe_without_its_end_is_no_still_picture() {
        let mut cache = KeyframeCache::default();
        cache.push(Instant::now(), &packet(1, 0, false), true);
        assert_eq!(seqs(cache.still()), None);
        assert_eq!(seqs(cache.whole()), Some(vec![1]));
    }

    #[test]
    fn what_another_shard_sent_as_a_still_picture_is_never_whole() {
        let now = Instant::now();
        let mut cache = KeyframeCache::default();
        cache.install(now, &[packet(1, 0, false), packet(2, 0, true)], false);
        cache.push(now, &packet(3, 50, true), false);
        assert_eq!(seqs(cache.whole()), None);
        assert_eq!(seqs(cache.still()), Some(vec![1, 2]));
    }

    proptest! {
        #[test]
        fn any_order_of_packets_keeps_the_bounds_and_the_order(
            packets in proptest::collection::vec((0u64..400, 0u32..40, any::<bool>(), proptest::bool::weighted(0.1)), 0..600),
        ) {
            let mut cache = KeyframeCache::default();
            for (seq, frame, marker, key) in packets {
                cache.push(Instant::now(), &packet(seq, frame, marker), key);
                prop_assert!(cache.bytes() <= MAX_BYTES + 1_000);
                prop_assert!(cache.frame.len() + cache.since.len() <= MAX_PACKETS + TAIL);
                prop_assert_eq!((cache.frame.len() + cache.since.len()) * 1_000, cache.bytes());
                if let Some(seqs) = seqs(cache.whole()) {
                    let mut sorted = seqs.clone();
                    sorted.sort_unstable();
                    prop_assert_eq!(seqs, sorted);
                }
            }
        }
    }
}
