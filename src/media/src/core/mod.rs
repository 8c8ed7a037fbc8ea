//! [`ShardCore`]: the state machine a shard thread (or a test) drives.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

mod asks;
mod bind;
mod clock;
mod ingest;
mod listed;
mod moves;
mod relaying;
mod slab;
pub mod stats;
mod tables;

pub use crate::relay::RelayMsg;
pub use listed::Listed;
pub use stats::{CoreStats, DropReason};

use crate::allocate::{Demand, Grant};
use crate::idmap::IdMap;
use crate::overload::Stage;
use crate::speakers::Ranking;
use crate::types::{
    Allow, Binding, Epoch, Forward, Kind, Layer, Part, PeerId, RoomKey, Rung, RungReason, ShardId,
    SlotRef, Slots, Stint, TrackKey, ViewSpec, Wish, WishSource,
};
use relaying::RelayQueue;
use slab::Slab;
use tables::{Origin, Peer, Room, Track, kind_index};

/// Room kept for the pending packets of a receiver.
const USUAL_PENDING: usize = 64;

/// Receivers whose memory is asked for at once, before the first of them is served.
pub const TOGETHER: usize = 8;

/// Bounds and numbers of a core. What happens at a bound is named in [`DropReason`].
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// This shard.
    pub shard: ShardId,
    /// How many there are.
    pub shards: u16,
    /// Local peers.
    pub max_peers: usize,
    /// Parts of rooms.
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
            max_rooms: 16_384,
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
    /// Breakout group it is in, from 1; 0 = none.
    pub group: u8,
    /// Peer.
    pub peer: PeerId,
    /// Connection.
    pub epoch: Epoch,
    /// Receiving slots.
    pub slots: Slots,
    /// What it may send.
    pub allow: Allow,
    /// It takes redundant sound (RFC 2198).
    pub red: bool,
}

impl PeerSpec {
    fn part(&self) -> Part {
        Part {
            room: self.room,
            group: self.group,
        }
    }
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
    /// Loudness of the local publishers of a part of a room, at most five times a
    /// second.
    /// Silent ones are left out; one empty list follows the last sound.
    Levels {
        /// Room.
        room: RoomKey,
        /// Publisher and −dBov.
        levels: Vec<(PeerId, u8)>,
    },
    /// What a local receiver's video would take were its path without limit, when
    /// it changes: what the bandwidth estimator should look for. 0 when no source
    /// in its slots sends, or it wants no video.
    Wanted {
        /// Receiver.
        peer: PeerId,
        /// Bit/s.
        bits_per_second: u64,
        /// It is on the lowest rung and asks whether the link bears the next one:
        /// to be found out from below, and without harm to the sound.
        gently: bool,
    },
    /// A local receiver came to another rung of the ladder.
    Rung {
        /// Receiver.
        peer: PeerId,
        /// Where it is now.
        rung: Rung,
        /// Why not higher; absent on the highest.
        reason: Option<RungReason>,
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

/// The media plane of one shard.
///
/// Every input does its work at once and leaves the tables in order: first the
/// slots that must look for another source, then the layers that must be
/// allocated anew, then what is demanded of the sources, last the keyframe
/// requests. Lists of indices carry the work from one step to the next.
#[derive(Debug)]
pub struct ShardCore {
    config: CoreConfig,
    start: Instant,
    peers: Slab<Peer>,
    peer_index: IdMap<PeerId, usize>,
    rooms: Slab<Room>,
    room_index: HashMap<Part, usize>,
    tracks: Slab<Track>,
    track_index: HashMap<TrackKey, usize>,
    /// Peers whose slots must look for their sources.
    resolve_queue: Vec<usize>,
    /// Peers whose layers must be allocated.
    allocate_queue: Vec<usize>,
    /// Tracks whose demand changed.
    demand_queue: Vec<usize>,
    /// Tracks whose receivers plan anew after the exchange of this moment.
    replan_later: Vec<usize>,
    /// Peers that changed the part after the last ranking.
    arrived: Vec<usize>,
    /// Tracks some of whose layers need a keyframe.
    watched: Vec<usize>,
    asks_dirty: bool,
    /// Peers whose binding may have changed.
    rebind_queue: VecDeque<usize>,
    /// Peers with pending packets.
    dirty: VecDeque<usize>,
    flush_at: Option<Instant>,
    outputs: VecDeque<Output>,
    relays: Vec<RelayQueue>,
    next_moment: u64,
    rank_due: Option<u64>,
    demands: Vec<Demand>,
    grants: Vec<Grant>,
    forwards: Vec<Forward>,
    /// What is given up because the shard has too much to do.
    overload: Stage,
    stats: CoreStats,
}

impl ShardCore {
    /// A core without peers. All shards of a process get the same `start`: it
    /// is the zero of the grid on which they rank speakers together.
    pub fn new(config: CoreConfig, start: Instant) -> Self {
        Self {
            start,
            peers: Slab::new(),
            peer_index: IdMap::default(),
            rooms: Slab::new(),
            room_index: HashMap::new(),
            tracks: Slab::new(),
            track_index: HashMap::new(),
            resolve_queue: Vec::new(),
            allocate_queue: Vec::new(),
            demand_queue: Vec::new(),
            replan_later: Vec::new(),
            arrived: Vec::new(),
            watched: Vec::new(),
            asks_dirty: false,
            rebind_queue: VecDeque::new(),
            dirty: VecDeque::new(),
            flush_at: None,
            outputs: VecDeque::new(),
            relays: (0..config.shards).map(|_| RelayQueue::default()).collect(),
            next_moment: 0,
            rank_due: None,
            demands: Vec::new(),
            grants: Vec::new(),
            forwards: Vec::new(),
            overload: Stage::None,
            stats: CoreStats::default(),
            config,
        }
    }

    /// A connection came to this shard. Replaces an older one of the same peer.
    pub fn add_peer(&mut self, now: Instant, spec: PeerSpec) {
        self.add(now, spec, Listed::All);
    }

    fn add(&mut self, now: Instant, spec: PeerSpec, listed: Listed) {
        if let Some((index, epoch)) = self.find_peer(spec.peer) {
            if epoch > spec.epoch {
                self.stats.drop_one(DropReason::StaleEpoch);
                return;
            }
            self.drop_peer(index);
        }
        if self.peers.len() >= self.config.max_peers {
            self.stats.drop_one(DropReason::PeersFull);
            return;
        }
        let Some(room) = self.room_entry(spec.part()) else {
            return;
        };
        let mut peer = Peer::new(spec, room, self.config.initial_estimate);
        peer.listed = listed;
        let index = self.peers.insert(peer);
        self.peer_index.insert(spec.peer, index);
        if let Some(entry) = self.rooms.get_mut(room) {
            entry.members.push(index);
            if entry.members.len() == 1 {
                self.tell_presence(spec.part(), true);
            }
        }
        self.rebind_queue.push_back(index);
        self.flag_resolve(index);
        self.settle(now);
    }

    /// A connection is gone; ignored when `epoch` is not the present one.
    pub fn remove_peer(&mut self, now: Instant, peer: PeerId, epoch: Epoch) {
        match self.find_peer(peer) {
            Some((index, present)) if present == epoch => {
                self.drop_peer(index);
                self.settle(now);
            }
            Some(_) => self.stats.drop_one(DropReason::StaleEpoch),
            None => {}
        }
    }

    /// What the peer may send from now on. A kind taken away ends at once.
    pub fn set_allow(&mut self, now: Instant, peer: PeerId, allow: Allow) {
        let Some(peer) = self.peer_of(peer) else {
            return;
        };
        peer.spec.allow = allow;
        let sends = peer.sends;
        let ended = [Kind::Mic, Kind::Camera, Kind::Screen, Kind::ScreenAudio]
            .into_iter()
            .filter(|kind| !allow.allows(*kind))
            .filter_map(|kind| sends.get(kind_index(kind)).copied().flatten());
        self.drop_tracks(ended);
        self.settle(now);
    }

    /// The receiver's whole wish.
    pub fn set_view(&mut self, now: Instant, peer: PeerId, mut view: ViewSpec) {
        let Some(index) = self.peer_index.get(&peer).copied() else {
            return;
        };
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let before = view.wishes.len();
        view.wishes.retain(|wish| peer.bound(wish.slot).is_some());
        view.wishes.truncate(peer.video.len() + peer.screen.len());
        let bad = before - view.wishes.len();
        view.pins.truncate(2);
        peer.view = view;
        self.stats.drop_many(DropReason::BadWish, bad as u64);
        self.tell_rung(index);
        self.flag_rebind(index);
        self.flag_resolve(index);
        self.settle(now);
    }

    /// Estimated bandwidth towards the receiver. Less than what flows acts at
    /// once, more at the next moment of the grid.
    pub fn set_estimate(&mut self, now: Instant, peer: PeerId, bits_per_second: u64) {
        let Some(index) = self.peer_index.get(&peer).copied() else {
            return;
        };
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        peer.estimate = bits_per_second;
        peer.trial.on_estimate(now, bits_per_second);
        peer.ladder.on_estimate(now, bits_per_second);
        if bits_per_second < peer.planned {
            self.flag_allocate(index);
            self.settle(now);
        }
    }

    /// Loss towards the receiver, as its last report says, per mille.
    pub fn set_loss(&mut self, now: Instant, peer: PeerId, permille: u16) {
        if let Some(peer) = self.peer_of(peer) {
            peer.ladder.on_loss(now, permille);
            peer.need.on_loss(now, permille);
        }
    }

    /// What is to be done, in order. Call until `None` after each input.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.next_binding().or_else(|| self.next_relay())
    }

    /// How long a frame may be gathered from now on.
    pub fn set_gather(&mut self, gather: Duration) {
        self.config.gather = gather;
    }

    /// The latest moment the pending packets may wait: now when audio or the
    /// end of a frame is among them, else [`CoreConfig::gather`] after the
    /// oldest came. `None` when nothing is pending.
    pub fn flush_by(&self) -> Option<Instant> {
        self.flush_at
    }

    /// A receiver with pending packets, each once.
    pub fn next_dirty(&mut self) -> Option<PeerId> {
        while let Some(index) = self.dirty.pop_front() {
            if let Some(peer) = self.peers.get_mut(index).filter(|peer| peer.dirty) {
                peer.dirty = false;
                return Some(peer.spec.peer);
            }
        }
        self.flush_at = None;
        None
    }

    /// Moves everything pending for a receiver to the end of `out`: audio
    /// first, then video by slot, each slot in order of sequence numbers.
    pub fn drain_pending(&mut self, peer: PeerId, out: &mut Vec<Forward>) {
        let Some(peer) = self.peer_of(peer) else {
            return;
        };
        out.append(&mut peer.pending_audio);
        peer.pending_video
            .sort_unstable_by_key(|forward| (forward.slot, forward.seq));
        out.append(&mut peer.pending_video);
        // Who has just come was sent a second of pictures at once; a frame needs less.
        if peer.pending_video.capacity() > USUAL_PENDING {
            peer.pending_video.shrink_to(USUAL_PENDING / 2);
        }
    }

    /// Counters and table sizes. Walks the tables: for once a second.
    pub fn stats(&self) -> CoreStats {
        let pending = |peer: &Peer| peer.pending_audio.len() + peer.pending_video.len();
        let tracks = || self.tracks.iter().map(|(_, track)| track);
        CoreStats {
            peers: self.peers.len(),
            rooms: self.rooms.len(),
            tracks: self.tracks.len(),
            subscriptions: tracks().map(|track| track.subs.len()).sum(),
            pending: self.peers.iter().map(|(_, peer)| pending(peer)).sum(),
            relay_pending: self.relays.iter().map(RelayQueue::len).sum(),
            outputs: self.outputs.len(),
            cache_bytes: tracks()
                .flat_map(|t| &t.caches)
                .map(|cache| cache.bytes())
                .sum(),
            ..self.stats
        }
    }

    fn find_peer(&self, peer: PeerId) -> Option<(usize, Epoch)> {
        let index = *self.peer_index.get(&peer)?;
        Some((index, self.peers.get(index)?.spec.epoch))
    }

    fn peer_of(&mut self, peer: PeerId) -> Option<&mut Peer> {
        let index = *self.peer_index.get(&peer)?;
        self.peers.get_mut(index)
    }

    /// The room, made when there is none; `None` when the table is full.
    fn room_entry(&mut self, key: Part) -> Option<usize> {
        if let Some(index) = self.room_index.get(&key) {
            return Some(*index);
        }
        if self.rooms.len() >= self.config.max_rooms {
            self.stats.drop_one(DropReason::RoomsFull);
            return None;
        }
        let index = self.rooms.insert(Room::new(key));
        self.room_index.insert(key, index);
        Some(index)
    }

    fn drop_room_if_unused(&mut self, index: usize) {
        let unused = |room: &Room| room.members.is_empty() && room.present.is_empty();
        if self.rooms.get(index).is_some_and(unused)
            && let Some(room) = self.rooms.remove(index)
        {
            self.room_index.remove(&room.key);
        }
    }

    fn drop_peer(&mut self, index: usize) {
        let Some(peer) = self.peers.get(index) else {
            return;
        };
        let (id, room, sends) = (peer.spec.peer, peer.room, peer.sends);
        let slots: Vec<SlotRef> = peer.slot_refs().collect();
        for slot in slots {
            self.detach(index, slot);
        }
        // From here on nothing binds its slots again.
        if let Some(entry) = self.rooms.get_mut(room) {
            entry.members.retain(|member| *member != index);
        }
        self.drop_tracks(sends.into_iter().flatten());
        self.peers.remove(index);
        self.peer_index.remove(&id);
        self.after_leaving(room);
    }

    /// A local peer is no longer in the room.
    fn after_leaving(&mut self, room: usize) {
        let Some(entry) = self.rooms.get_mut(room) else {
            return;
        };
        if entry.members.is_empty() {
            // Nobody here needs what other shards told any more; who comes
            // later is told anew.
            entry.ranking = Ranking::default();
            entry.heard.clear();
            entry.own.clear();
            entry.incomplete = false;
            let key = entry.key;
            let foreign = entry.tracks.clone();
            for track in foreign {
                self.drop_track(track);
            }
            self.tell_presence(key, false);
            self.drop_room_if_unused(room);
        }
    }

    /// A new track; `None` when the table is full.
    fn make_track(
        &mut self,
        now: Instant,
        key: TrackKey,
        room: usize,
        stint: Stint,
        origin: Origin,
    ) -> Option<usize> {
        if self.tracks.len() >= self.config.max_tracks {
            self.stats.drop_one(DropReason::TracksFull);
            return None;
        }
        let index = self
            .tracks
            .insert(Track::new(now, key, room, stint, origin));
        self.track_index.insert(key, index);
        if let Some(entry) = self.rooms.get_mut(room) {
            entry.tracks.push(index);
        }
        self.flag_members(room, |peer| {
            let wished = |wish: &Wish| wish.source == Some(WishSource::Track(key));
            key.kind == Kind::ScreenAudio
                || peer.view.pins.contains(&key)
                || peer.view.wishes.iter().any(wished)
        });
        Some(index)
    }

    /// Ends tracks of one local peer together, here and on other shards: nobody
    /// turns to one that ends in the same moment.
    fn drop_tracks(&mut self, indices: impl Iterator<Item = usize>) {
        let mut gone = Vec::new();
        let mut of = None;
        for index in indices {
            if let Some(track) = self.drop_track(index) {
                gone.push(track.key);
                of = Some((track.room, track.stint));
            }
        }
        let Some((room, stint)) = of else { return };
        self.tell_gone(room, &gone, stint);
    }

    /// Tells the shards with receivers in the room.
    fn tell_gone(&mut self, room: usize, gone: &[TrackKey], stint: Stint) {
        let present = self.rooms.get(room).map(|room| room.present.clone());
        for to in present.unwrap_or_default() {
            let tracks = gone.to_vec();
            self.relay(to, RelayMsg::TrackDown { tracks, stint });
        }
    }

    /// A track has ended. Does not tell other shards.
    fn drop_track(&mut self, index: usize) -> Option<Track> {
        let track = self.take_track(index)?;
        if track.origin == Origin::Local && track.live {
            self.emit(Output::TrackLive {
                peer: track.key.peer,
                kind: track.key.kind,
                live: false,
            });
        }
        Some(track)
    }

    /// Takes a track out of the tables. Tells nobody.
    fn take_track(&mut self, index: usize) -> Option<Track> {
        let mut track = self.tracks.remove(index)?;
        self.track_index.remove(&track.key);
        for sub in std::mem::take(&mut track.subs) {
            self.lose_source(sub);
        }
        if let Some(room) = self.rooms.get_mut(track.room) {
            room.tracks.retain(|other| *other != index);
            room.ranking.forget(track.key);
        }
        if track.live && track.key.kind == Kind::Camera {
            self.flag_speaker_wishes(track.room);
        }
        if track.origin == Origin::Local
            && let Some(peer) = self.peer_of(track.key.peer)
            && let Some(place) = peer.sends.get_mut(kind_index(track.key.kind))
        {
            *place = None;
        }
        Some(track)
    }

    fn emit(&mut self, output: Output) {
        if self.outputs.len() >= self.config.max_outputs {
            self.stats.drop_one(DropReason::OutputsFull);
            return;
        }
        self.outputs.push_back(output);
    }

    fn relay(&mut self, to: ShardId, msg: RelayMsg) {
        self.emit(Output::Relay { to, msg });
    }

    fn next_binding(&mut self) -> Option<Output> {
        while let Some(index) = self.rebind_queue.pop_front() {
            let Some(peer) = self.peers.get_mut(index).filter(|peer| peer.rebind) else {
                continue;
            };
            peer.rebind = false;
            let binding = peer.binding();
            if peer.told.as_ref() != Some(&binding) {
                peer.told = Some(binding.clone());
                let peer = peer.spec.peer;
                return Some(Output::Binding { peer, binding });
            }
        }
        None
    }

    fn flag_resolve(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index).filter(|peer| !peer.resolve) {
            peer.resolve = true;
            self.resolve_queue.push(index);
        }
    }

    fn flag_allocate(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index).filter(|peer| !peer.allocate) {
            peer.allocate = true;
            self.allocate_queue.push(index);
        }
    }

    fn flag_rebind(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index).filter(|peer| !peer.rebind) {
            peer.rebind = true;
            self.rebind_queue.push_back(index);
        }
    }

    fn flag_demand(&mut self, index: usize) {
        if let Some(track) = self.tracks.get_mut(index).filter(|t| !t.demand_dirty) {
            track.demand_dirty = true;
            self.demand_queue.push(index);
        }
    }

    /// Members of a room whose slots may be concerned look for their sources.
    fn flag_members(&mut self, room: usize, concerned: impl Fn(&Peer) -> bool) {
        let Some(entry) = self.rooms.get(room) else {
            return;
        };
        for index in entry.members.clone() {
            if self.peers.get(index).is_some_and(&concerned) {
                self.flag_resolve(index);
            }
        }
    }

    fn flag_speaker_wishes(&mut self, room: usize) {
        self.flag_members(room, |peer| {
            let speaker = |wish: &Wish| matches!(wish.source, Some(WishSource::Speaker(_)));
            peer.view.wishes.iter().any(speaker)
        });
    }
}
