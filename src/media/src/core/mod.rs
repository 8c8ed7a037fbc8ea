//! [`ShardCore`]: the state machine a shard thread (or a test) drives.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

pub mod stats;

pub use crate::relay::RelayMsg;
pub use stats::{CoreStats, DropReason};

use crate::types::{
    Allow, Binding, Epoch, Forward, Kind, Layer, PeerId, RoomKey, ShardId, SlotRef, Slots,
    SourcePacket, ViewSpec,
};

/// Bounds and numbers of a core. What happens at a bound is named in [`DropReason`].
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// This shard.
    pub shard: ShardId,
    /// How many there are.
    pub shards: u16,
    /// Local peers.
    pub max_peers: usize,
    /// Rooms.
    pub max_rooms: usize,
    /// Tracks, local and of other shards.
    pub max_tracks: usize,
    /// Video packets pending for one receiver.
    pub max_pending_video: usize,
    /// Audio packets pending for one receiver.
    pub max_pending_audio: usize,
    /// Packets pending for one other shard.
    pub max_relay_pending: usize,
    /// Outputs waiting for the shard thread.
    pub max_outputs: usize,
    /// Estimate of a receiver before the first [`ShardCore::set_estimate`], bit/s.
    pub initial_estimate: u64,
    /// How long a video frame may be gathered.
    pub gather: Duration,
    /// How often shards repeat what they told each other.
    pub refresh: Duration,
}

impl CoreConfig {
    /// Defaults for `shard` of `shards`.
    pub fn new(shard: ShardId, shards: u16) -> Self {
        Self {
            shard,
            shards,
            max_peers: 8_192,
            max_rooms: 4_096,
            max_tracks: 32_768,
            max_pending_video: 1_024,
            max_pending_audio: 64,
            max_relay_pending: 4_096,
            max_outputs: 65_536,
            initial_estimate: 2_000_000,
            gather: Duration::from_millis(2),
            refresh: Duration::from_secs(5),
        }
    }
}

/// A local peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerSpec {
    /// Room.
    pub room: RoomKey,
    /// Peer.
    pub peer: PeerId,
    /// Connection.
    pub epoch: Epoch,
    /// Receiving slots.
    pub slots: Slots,
    /// What it may send.
    pub allow: Allow,
}

/// What the core wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Ask a local publisher's encoder for a keyframe (already throttled).
    RequestKeyframe {
        /// Publisher.
        peer: PeerId,
        /// Track.
        kind: Kind,
        /// Layer.
        layer: Layer,
    },
    /// To another shard.
    Relay {
        /// Which.
        to: ShardId,
        /// What.
        msg: RelayMsg,
    },
    /// What is in the slots of a local receiver, whole.
    Binding {
        /// Receiver.
        peer: PeerId,
        /// Slots.
        binding: Binding,
    },
    /// Loudness of the local publishers of a room, at most five times a second.
    /// Silent ones are left out; one empty list follows the last sound.
    Levels {
        /// Room.
        room: RoomKey,
        /// Publisher and −dBov.
        levels: Vec<(PeerId, u8)>,
    },
    /// A local publisher's track began or stopped to send.
    TrackLive {
        /// Publisher.
        peer: PeerId,
        /// Track.
        kind: Kind,
        /// It sends.
        live: bool,
    },
    /// Layers of a local publisher's track that somebody watches, on any shard.
    LayersWanted {
        /// Publisher.
        peer: PeerId,
        /// Track.
        kind: Kind,
        /// Bit n = layer n.
        layers: u8,
    },
}

#[derive(Debug)]
struct Peer {
    spec: PeerSpec,
    view: ViewSpec,
    estimate: u64,
    pending: Vec<Forward>,
}

/// The media plane of one shard.
#[derive(Debug)]
pub struct ShardCore {
    config: CoreConfig,
    deadline: Instant,
    peers: HashMap<PeerId, Peer>,
    dirty: VecDeque<PeerId>,
    flush_at: Option<Instant>,
    outputs: VecDeque<Output>,
    stats: CoreStats,
}

impl ShardCore {
    /// A core without peers. All shards of a process get the same `start`: it
    /// is the zero of the grid on which they rank speakers together.
    pub fn new(config: CoreConfig, start: Instant) -> Self {
        Self {
            deadline: start,
            config,
            peers: HashMap::new(),
            dirty: VecDeque::new(),
            flush_at: None,
            outputs: VecDeque::new(),
            stats: CoreStats::default(),
        }
    }

    /// A connection came to this shard. Replaces an older one of the same peer.
    pub fn add_peer(&mut self, _now: Instant, spec: PeerSpec) {
        if self.peers.len() >= self.config.max_peers {
            self.stats.drop_one(DropReason::PeersFull);
            return;
        }
        let peer = Peer {
            spec,
            view: ViewSpec::default(),
            estimate: self.config.initial_estimate,
            pending: Vec::new(),
        };
        self.peers.insert(spec.peer, peer);
    }

    /// A connection is gone; ignored when `epoch` is not the present one.
    pub fn remove_peer(&mut self, _now: Instant, peer: PeerId, epoch: Epoch) {
        if self.peers.get(&peer).is_some_and(|p| p.spec.epoch == epoch) {
            self.peers.remove(&peer);
        }
    }

    /// What the peer may send from now on. A kind taken away ends at once.
    pub fn set_allow(&mut self, _now: Instant, peer: PeerId, allow: Allow) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.spec.allow = allow;
        }
    }

    /// The receiver's whole wish.
    pub fn set_view(&mut self, _now: Instant, peer: PeerId, view: ViewSpec) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.view = view;
        }
    }

    /// Estimated bandwidth towards the receiver.
    pub fn set_estimate(&mut self, _now: Instant, peer: PeerId, bits_per_second: u64) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.estimate = bits_per_second;
        }
    }

    /// A packet of a local publisher.
    pub fn ingest(&mut self, _now: Instant, peer: PeerId, kind: Kind, packet: SourcePacket) {
        let Some(publisher) = self.peers.get(&peer) else {
            self.stats.drop_one(DropReason::UnknownPeer);
            return;
        };
        if !publisher.spec.allow.allows(kind) {
            self.stats.drop_one(DropReason::NotAllowed);
            return;
        }
        self.stats.packets_in += 1;
        self.stats.bytes_in += packet.payload.len() as u64;
    }

    /// A local receiver's decoder needs a keyframe on a slot.
    pub fn keyframe_request(&mut self, _now: Instant, _peer: PeerId, _slot: SlotRef) {
        self.stats.keyframes_asked += 1;
    }

    /// A message of another shard.
    pub fn relay_in(&mut self, _now: Instant, _from: ShardId, msg: RelayMsg) {
        if msg.is_media() {
            self.stats.drop_one(DropReason::UnknownTrack);
        }
    }

    /// Does what has become due; call at [`Self::next_deadline`] or later.
    pub fn tick(&mut self, now: Instant) {
        self.deadline = now + Duration::from_millis(100);
    }

    /// When [`Self::tick`] is due.
    pub fn next_deadline(&self) -> Instant {
        self.deadline
    }

    /// What is to be done, in order. Call until `None` after each input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The latest moment the pending packets may wait: now when audio or the
    /// end of a frame is among them, else [`CoreConfig::gather`] after the
    /// oldest came. `None` when nothing is pending.
    pub fn flush_by(&self) -> Option<Instant> {
        self.flush_at
    }

    /// A receiver with pending packets, each once.
    pub fn next_dirty(&mut self) -> Option<PeerId> {
        let next = self.dirty.pop_front();
        if next.is_none() {
            self.flush_at = None;
        }
        next
    }

    /// Moves everything pending for a receiver to the end of `out`: audio
    /// first, then video by slot, each slot in order of sequence numbers.
    pub fn drain_pending(&mut self, peer: PeerId, out: &mut Vec<Forward>) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            out.append(&mut peer.pending);
        }
    }

    /// Counters and table sizes.
    pub fn stats(&self) -> CoreStats {
        CoreStats {
            peers: self.peers.len(),
            outputs: self.outputs.len(),
            ..self.stats
        }
    }
}
