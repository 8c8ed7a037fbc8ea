//! What crosses from one shard to another: values with bytes of their own.
//!
//! Media messages may be lost; the receiving shard then asks for a keyframe.
//! The others carry whole states, so that the newest replaces the older, and
//! are repeated every [`crate::core::CoreConfig::refresh`]: a lost one heals by itself.

use std::sync::Arc;
use std::time::Duration;

use crate::types::{Layer, MAX_LAYERS, Part, PeerId, SourcePacket, Stint, TrackKey};

/// A packet on its way to another shard. Its payload is a fresh copy: the
/// counter of an [`Arc`] inside never has a second holder in the sending shard.
#[derive(Debug, Clone)]
pub struct RelayPacket {
    packet: SourcePacket,
}

impl RelayPacket {
    /// Copies the bytes.
    pub fn copy_of(packet: &SourcePacket) -> Self {
        Self {
            packet: SourcePacket {
                payload: Arc::from(&*packet.payload),
                ..packet.clone()
            },
        }
    }

    /// The packet, now belonging to the receiving shard.
    pub fn into_packet(self) -> SourcePacket {
        self.packet
    }

    /// Length of the payload, bytes.
    pub fn payload_len(&self) -> usize {
        self.packet.payload.len()
    }
}

/// What the publisher's shard knows about one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerInfo {
    /// Packets are coming.
    pub live: bool,
    /// Height told by the last keyframe, pixels; 0 when unknown.
    pub height: u16,
    /// Bit rate, bits per second; the last known one of a layer that pauses, 0
    /// when it was never measured.
    pub bits_per_second: u32,
}

/// Layers of a track.
pub type Layers = [LayerInfo; MAX_LAYERS];

/// Loudness of a microphone at one moment of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Microphone.
    pub track: TrackKey,
    /// Smoothed loudness, 1/256 dB above −127 dBov.
    pub loudness: u16,
}

/// A message between shards.
#[derive(Debug, Clone)]
pub enum RelayMsg {
    /// Whether the sending shard has peers in the part. Answered with what the
    /// other shard publishes there.
    Presence {
        /// Part of a room.
        part: Part,
        /// It has.
        receivers: bool,
    },
    /// Tracks of the sending shard exist, or their layers changed. Those of one
    /// message came at the same time.
    TrackUp {
        /// Part of a room.
        part: Part,
        /// Track, connection of the publisher and its time in the part, all layers.
        tracks: Vec<(TrackKey, Stint, Layers)>,
    },
    /// Tracks of one connection are gone, all at the same time.
    TrackDown {
        /// Tracks.
        tracks: Vec<TrackKey>,
        /// What they belonged to; ignored when a newer one is known.
        stint: Stint,
    },
    /// Layers the sending shard wants of a track, whole.
    Demand {
        /// Track.
        track: TrackKey,
        /// Connection of the publisher, and its time in the part.
        stint: Stint,
        /// Bit n = layer n.
        layers: u8,
    },
    /// A receiver of the sending shard needs a keyframe.
    KeyframeRequest {
        /// Track.
        track: TrackKey,
        /// Connection of the publisher, and its time in the part.
        stint: Stint,
        /// Layer.
        layer: Layer,
    },
    /// Answer to the first demand of a layer: the keyframe cache.
    Cached {
        /// Track.
        track: TrackKey,
        /// Connection of the publisher, and its time in the part.
        stint: Stint,
        /// Layer.
        layer: Layer,
        /// Keyframe and everything since; otherwise only the keyframe's frame,
        /// or nothing at all.
        whole: bool,
        /// How old the keyframe is.
        age: Duration,
        /// In order of sequence numbers.
        packets: Vec<RelayPacket>,
    },
    /// Media.
    Packets {
        /// Track.
        track: TrackKey,
        /// Connection of the publisher, and its time in the part.
        stint: Stint,
        /// In order of arrival.
        packets: Vec<RelayPacket>,
    },
    /// Loudest microphones of the sending shard. Every shard ranks the union of
    /// what all said about the same moment, so all come to the same list.
    Scores {
        /// Part of a room.
        part: Part,
        /// Number of the moment since the start of the media plane.
        moment: u64,
        /// Loudest first.
        scores: Vec<Score>,
    },
    /// Past of the ranking, for a shard that comes into the room late.
    Speakers {
        /// Part of a room.
        part: Part,
        /// Microphones in the order of the last ranking.
        ranked: Vec<TrackKey>,
        /// Most recent speakers first.
        recent: Vec<PeerId>,
    },
}

impl RelayMsg {
    /// Media may be dropped when a queue is full; the rest is small and should not be.
    pub fn is_media(&self) -> bool {
        matches!(self, Self::Packets { .. } | Self::Cached { .. })
    }
}
