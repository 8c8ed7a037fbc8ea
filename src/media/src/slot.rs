//! A receiving video or screen slot: takes exactly one layer of one source,
//! begins and switches only on a keyframe, and keeps its numbers continuous.

use std::time::{Duration, Instant};

use crate::cache::KeyframeCache;
use crate::meta::Meta;
use crate::rewrite::{Numbers, Rewriter, Segment};
use crate::types::{Forward, Layer, SlotRef, SlotState, SourcePacket, TrackKey};

/// After a layer was taken away for bandwidth, no higher one for this long.
const RISE_HOLD: Duration = Duration::from_secs(3);
/// A camera's keyframe older than this is no picture worth showing.
const STILL_AGE: Duration = Duration::from_secs(10);
/// A slot that already shows another layer takes a cached keyframe no older
/// than this, instead of asking for one: the picture steps back by less.
const SWITCH_AGE: Duration = Duration::from_millis(200);
/// Shortest step of the timestamp at a switch: one frame at 30/s, 90 kHz.
const FRAME_TICKS: u32 = 3_000;

/// Sources and layers before the present one whose packets can be sent again.
const PAST: usize = 3;

/// What a slot was sent, and from whom.
#[derive(Debug, Clone)]
struct Past {
    track: TrackKey,
    layer: Layer,
    segment: Segment,
}

/// A packet a receiver asks for again.
#[derive(Debug)]
pub struct Sent {
    /// Its track.
    pub track: TrackKey,
    /// Its layer.
    pub layer: Layer,
    /// Its number at the source.
    pub source_seq: u64,
    seq: u64,
    slot: SlotRef,
    segment: Segment,
}

impl Sent {
    /// The packet under the numbers it had.
    pub fn again(&self, packet: &SourcePacket) -> Forward {
        let numbers = self.segment.numbers(self.seq, packet, &Meta::of(packet));
        under(self.slot, packet, &numbers, true)
    }
}

/// A packet for a slot, under these numbers.
fn under(slot: SlotRef, packet: &SourcePacket, numbers: &Numbers, resend: bool) -> Forward {
    Forward {
        slot,
        codec: packet.codec,
        seq: numbers.seq,
        ts: numbers.ts,
        marker: packet.marker,
        level: packet.level,
        capture_ntp: packet.capture_ntp,
        vp8: numbers.vp8,
        resend,
        red: false,
        payload: packet.payload.clone(),
    }
}

/// Why nothing flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pause {
    /// The publisher does not send.
    #[default]
    Muted,
    /// Not enough bandwidth.
    Bandwidth,
    /// The receiver's own wish or mode.
    Limit,
}

/// What the slot did with a packet.
#[derive(Debug)]
pub enum Offered {
    /// Of another layer, or before the first keyframe.
    Ignored,
    /// Of the present layer, but its number has passed.
    Late,
    /// Goes to the receiver. `switched`: it is the first of a source or layer.
    Forward {
        /// What to send.
        forward: Forward,
        /// First of its source or layer.
        switched: bool,
    },
}

/// State of a slot.
#[derive(Debug)]
pub struct VideoSlot {
    slot: SlotRef,
    rewriter: Rewriter,
    /// Track and layer of the present numbers.
    numbered: Option<(TrackKey, Layer)>,
    /// What was sent before, the newest first.
    past: Vec<Past>,
    source: Option<TrackKey>,
    target: Option<Layer>,
    current: Option<Layer>,
    still: Option<Layer>,
    pause: Pause,
    first_ts: Option<u32>,
    rise_at: Option<Instant>,
}

impl VideoSlot {
    /// An empty slot whose first packet gets `first_seq`.
    pub fn new(slot: SlotRef, first_seq: u16) -> Self {
        Self {
            slot,
            rewriter: Rewriter::new(first_seq, 90_000, FRAME_TICKS),
            numbered: None,
            past: Vec::new(),
            source: None,
            target: None,
            current: None,
            still: None,
            pause: Pause::Muted,
            first_ts: None,
            rise_at: None,
        }
    }

    /// Reads what [`Self::offer`] reads, so that it is in the processor's cache; the
    /// sum means nothing.
    pub fn warm(&self) -> u64 {
        u64::from(self.current.is_some())
            ^ u64::from(self.first_ts.is_some())
            ^ self.rewriter.warm()
    }

    /// Which slot.
    pub fn slot(&self) -> SlotRef {
        self.slot
    }

    /// Its source.
    pub fn source(&self) -> Option<TrackKey> {
        self.source
    }

    /// Takes another source. Nothing flows until [`Self::aim`].
    pub fn assign(&mut self, source: Option<TrackKey>) {
        self.source = source;
        self.rise_at = None;
        self.stop(Pause::Muted);
    }

    /// The source begins anew: what is there cannot be decoded further.
    pub fn restart(&mut self) {
        self.current = None;
        self.still = None;
        self.first_ts = None;
    }

    /// Nothing flows, for this reason.
    pub fn stop(&mut self, pause: Pause) {
        self.restart();
        self.target = None;
        self.pause = pause;
    }

    /// The layer that is to flow, from its next keyframe on.
    pub fn aim(&mut self, now: Instant, layer: Layer) {
        if self.target.is_some_and(|target| layer < target) {
            self.rise_at = Some(now + RISE_HOLD);
        }
        self.target = Some(layer);
    }

    /// Bandwidth took the picture away.
    pub fn starve(&mut self, now: Instant) {
        if self.target.is_some() {
            self.rise_at = Some(now + RISE_HOLD);
        }
        self.stop(Pause::Bandwidth);
    }

    /// Whether a higher layer may come.
    pub fn may_rise(&self, now: Instant) -> bool {
        self.rise_at.is_none_or(|at| now >= at)
    }

    /// Layer that is to flow.
    pub fn target(&self) -> Option<Layer> {
        self.target
    }

    /// Layer that needs a keyframe before it can flow.
    pub fn waits_for(&self) -> Option<Layer> {
        self.target.filter(|target| self.current != Some(*target))
    }

    /// Nothing was shown of this source yet.
    pub fn is_blank(&self) -> bool {
        self.current.is_none() && self.still.is_none()
    }

    /// Layers it needs from the source: the one flowing and the one to come.
    pub fn layers(&self) -> u8 {
        let bit = |layer: Option<Layer>| layer.map_or(0, |layer| 1u8 << layer.0.min(7));
        bit(self.target) | bit(self.current)
    }

    /// For the receiver's binding.
    pub fn state(&self) -> SlotState {
        let shown = self.current.or(self.still).zip(self.first_ts);
        match (self.source, self.target, shown) {
            (None, _, _) => SlotState::Off,
            (_, None, _) => match self.pause {
                Pause::Muted => SlotState::PausedMuted,
                Pause::Bandwidth => SlotState::PausedBandwidth,
                Pause::Limit => SlotState::PausedLimit,
            },
            (_, Some(_), Some((layer, rtp_ts))) => SlotState::Live { layer, rtp_ts },
            (_, Some(_), None) => SlotState::Wait,
        }
    }

    /// A packet of the source.
    pub fn offer(&mut self, now: Instant, packet: &SourcePacket, meta: &Meta) -> Offered {
        if self.current == Some(packet.layer) {
            return match self.number(now, packet, meta) {
                Some(forward) => Offered::Forward {
                    forward,
                    switched: false,
                },
                None => Offered::Late,
            };
        }
        if self.target != Some(packet.layer) || !meta.begins_keyframe {
            return Offered::Ignored;
        }
        self.switch(now, packet, meta, 0);
        self.current = self.target;
        self.still = None;
        match self.number(now, packet, meta) {
            Some(forward) => Offered::Forward {
                forward,
                switched: true,
            },
            None => Offered::Late,
        }
    }

    /// The packet is the first of another source or layer, or of the same anew.
    fn switch(&mut self, now: Instant, packet: &SourcePacket, meta: &Meta, behind: u32) {
        if let (Some((track, layer)), Some(segment)) = (self.numbered, self.rewriter.segment()) {
            self.past.truncate(PAST - 1);
            let past = Past {
                track,
                layer,
                segment,
            };
            self.past.insert(0, past);
        }
        self.numbered = self.source.map(|source| (source, packet.layer));
        self.rewriter.switch(now, packet, meta, behind);
    }

    /// What the receiver got under a number it asks for again.
    pub fn sent(&self, short: u16) -> Option<Sent> {
        let seq = self.rewriter.sent_as(short)?;
        let present = self.numbered.zip(self.rewriter.segment());
        let present = present.map(|((track, layer), segment)| Past {
            track,
            layer,
            segment,
        });
        let of = |past: &Past| {
            let source_seq = past.segment.source_seq(seq)?;
            Some(Sent {
                track: past.track,
                layer: past.layer,
                source_seq,
                seq,
                slot: self.slot,
                segment: past.segment.clone(),
            })
        };
        present.iter().chain(&self.past).find_map(of)
    }

    fn number(&mut self, now: Instant, packet: &SourcePacket, meta: &Meta) -> Option<Forward> {
        let numbers = self.rewriter.forward(now, packet, meta)?;
        self.first_ts.get_or_insert(numbers.ts);
        Some(under(self.slot, packet, &numbers, false))
    }

    /// A slot that waits takes what the cache of its layer holds: keyframe and
    /// everything since, and is live; else, when nothing is shown yet, the
    /// keyframe as a still picture. One that shows another layer takes only
    /// what has just come.
    pub fn replay(
        &mut self,
        now: Instant,
        cache: &KeyframeCache,
        out: &mut Vec<Forward>,
    ) -> Option<Replayed> {
        let layer = self.waits_for()?;
        let age = now.saturating_duration_since(cache.keyframe_at()?);
        if let Some(packets) = cache.whole()
            && (self.current.is_none() || age <= SWITCH_AGE)
        {
            self.put(now, packets, cache.span(), out);
            self.current = Some(layer);
            self.still = None;
            return Some(Replayed::Whole);
        }
        let lasting = matches!(self.slot, SlotRef::Screen(_));
        let helps = self.is_blank() && (age <= STILL_AGE || lasting);
        let packets = cache.still().filter(|_| helps)?;
        self.put(now, packets, 0, out);
        self.still = Some(layer);
        Some(Replayed::Still)
    }

    fn put<'a>(
        &mut self,
        now: Instant,
        packets: impl Iterator<Item = &'a SourcePacket>,
        behind: u32,
        out: &mut Vec<Forward>,
    ) {
        for (index, packet) in packets.enumerate() {
            let meta = Meta::of(packet);
            if index == 0 {
                self.switch(now, packet, &meta, behind);
            }
            out.extend(self.number(now, packet, &meta));
        }
    }
}

/// What a cache gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// Everything; the slot is live.
    Whole,
    /// A still picture; the slot waits for the next keyframe.
    Still,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Codec, Kind, PeerId};
    use std::sync::Arc;

    const CAMERA: TrackKey = TrackKey {
        peer: PeerId(1),
        kind: Kind::Camera,
    };

    fn packet(layer: u8, seq: u64, frame: u32) -> SourcePacket {
        SourcePacket {
            codec: Codec::Vp8,
            layer: Layer(layer),
            seq,
            ts: frame * 3_000,
            marker: true,
            level: None,
            capture_ntp: None,
            payload: Arc::from(&b"x"[..]),
        }
    }

    fn meta(key: bool) -> Meta {
        Meta {
            begins_keyframe: key,
            ..Meta::default()
        }
    }

    fn slot() -> VideoSlot {
        let mut slot = VideoSlot::new(SlotRef::Video(0), 10);
        slot.assign(Some(CAMERA));
        slot
    }

    fn sent(offered: Offered) -> Option<(u64, bool)> {
        match offered {
            Offered::Forward { forward, switched } => Some((forward.seq, switched)),
            _ => None,
        }
    }

    #[test]
    fn nothing_flows_before_a_keyframe_of_the_target_layer() {
        let now = Instant::now();
        let mut slot = slot();
        slot.aim(now, Layer(1));
        assert_eq!(slot.state(), SlotState::Wait);
        assert_eq!(sent(slot.offer(now, &packet(1, 5, 0), &meta(false))), None);
        assert_eq!(sent(slot.offer(now, &packet(0, 5, 0), &meta(true))), None);
        assert_eq!(
            sent(slot.offer(now, &packet(1, 6, 1), &meta(true))),
            Some((10, true))
        );
        assert_eq!(
            slot.state(),
            SlotState::Live {
                layer: Layer(1),
                rtp_ts: 3_000
            }
        );
    }

    #[test]
    fn the_old_layer_flows_until_the_keyframe_of_the_new_one_and_never_after() {
        let now = Instant::now();
        let mut slot = slot();
        slot.aim(now, Layer(0));
        slot.offer(now, &packet(0, 1, 0), &meta(true));
        slot.aim(now, Layer(2));
        assert_eq!(slot.layers(), 0b101);
        assert_eq!(
            sent(slot.offer(now, &packet(0, 2, 1), &meta(false))),
            Some((11, false))
        );
        assert_eq!(
            sent(slot.offer(now, &packet(2, 90, 7), &meta(true))),
            Some((12, true))
        );
        assert_eq!(sent(slot.offer(now, &packet(0, 3, 2), &meta(true))), None);
        assert_eq!(slot.layers(), 0b100);
    }

    #[test]
    fn after_a_fall_no_rise_for_a_while() {
        let now = Instant::now();
        let mut slot = slot();
        slot.aim(now, Layer(2));
        slot.aim(now, Layer(0));
        assert!(!slot.may_rise(now + RISE_HOLD - Duration::from_millis(1)));
        assert!(slot.may_rise(now + RISE_HOLD));
    }

    #[test]
    fn a_pause_tells_its_reason_and_the_picture_comes_back_with_a_keyframe() {
        let now = Instant::now();
        let mut slot = slot();
        slot.aim(now, Layer(0));
        slot.offer(now, &packet(0, 1, 0), &meta(true));
        slot.stop(Pause::Muted);
        assert_eq!(slot.state(), SlotState::PausedMuted);
        assert_eq!(sent(slot.offer(now, &packet(0, 2, 1), &meta(false))), None);
        slot.aim(now, Layer(0));
        assert_eq!(sent(slot.offer(now, &packet(0, 3, 2), &meta(false))), None);
        assert_eq!(
            sent(slot.offer(now, &packet(0, 4, 3), &meta(true))),
            Some((11, true))
        );
    }

    #[test]
    fn a_replay_makes_a_blank_slot_live_under_continuous_numbers() {
        let now = Instant::now();
        let mut cache = KeyframeCache::default();
        for seq in 0..3 {
            cache.push(now, &packet(0, seq, seq as u32), seq == 0);
        }
        let mut slot = slot();
        slot.aim(now, Layer(0));
        let mut out = Vec::new();
        assert_eq!(slot.replay(now, &cache, &mut out), Some(Replayed::Whole));
        assert_eq!(out.iter().map(|f| f.seq).collect::<Vec<_>>(), [10, 11, 12]);
        assert_eq!(
            sent(slot.offer(now, &packet(0, 3, 3), &meta(false))),
            Some((13, false))
        );
        assert_eq!(slot.replay(now, &cache, &mut out), None);
    }
}
