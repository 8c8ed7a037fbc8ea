//! What a shard knows: rooms, local peers with their slots, tracks.

use std::time::Instant;

use super::{CoreStats, DropReason, Listed, PeerSpec};
use crate::cache::KeyframeCache;
use crate::keyframe::KeyframeThrottle;
use crate::ladder::Ladder;
use crate::layers::LayerHealth;
use crate::opus::Packer;
use crate::red::{Need, RedPacker};
use crate::relay::{Layers, Score};
use crate::resend::Ring;
use crate::rewrite::Rewriter;
use crate::slot::VideoSlot;
use crate::speakers::{Loudness, Ranking};
use crate::trial::Trial;
use crate::types::{
    Binding, Forward, Kind, Layer, MAX_LAYERS, Part, Rung, RungReason, ShardId, SlotRef, SlotState,
    SourcePacket, Stint, TrackKey, ViewSpec,
};

/// A part of a room with local peers, or with peers on other shards.
#[derive(Debug)]
pub(super) struct Room {
    pub key: Part,
    /// Local peers.
    pub members: Vec<usize>,
    /// Tracks, local and of other shards.
    pub tracks: Vec<usize>,
    /// Other shards with peers here; at most one entry per shard.
    pub present: Vec<ShardId>,
    pub ranking: Ranking,
    /// Local scores of the present moment.
    pub own: Vec<Score>,
    /// What other shards said last, at most one entry per shard.
    pub heard: Vec<(ShardId, u64, Vec<Score>)>,
    /// The ranking names tracks not announced yet; audio slots wait for them, at
    /// most until the next ranking.
    pub incomplete: bool,
    /// The last levels told were not empty.
    pub sounding: bool,
}

impl Room {
    pub(super) fn new(key: Part) -> Self {
        Self {
            key,
            members: Vec::new(),
            tracks: Vec::new(),
            present: Vec::new(),
            ranking: Ranking::default(),
            own: Vec::new(),
            heard: Vec::new(),
            incomplete: false,
            sounding: false,
        }
    }
}

/// Where a slot hangs in the list of its track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub track: usize,
    pub at: usize,
}

/// A slot of a receiver, as the list of a track names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sub {
    pub peer: usize,
    pub slot: SlotRef,
}

/// A video or screen slot and what the tables need about it.
#[derive(Debug)]
pub(super) struct BoundSlot {
    pub slot: VideoSlot,
    pub link: Option<Link>,
    pub height: u16,
    pub priority: u8,
    /// Sleeping layer it would like.
    pub wake: Option<Layer>,
    /// Layers counted in the track's `want`.
    pub counted: u8,
    /// Layer counted in the track's `waiting`.
    pub counted_wait: Option<Layer>,
}

/// An audio slot.
#[derive(Debug)]
pub(super) struct AudioSlot {
    pub source: Option<TrackKey>,
    pub link: Option<Link>,
    /// The next packet is the first of its source.
    pub fresh: bool,
    /// Where its source stands with bundles ([`crate::opus`]).
    pub bundles: Bundles,
    /// First number of the source that was sent in this slot.
    pub since: u64,
    pub rewriter: Rewriter,
}

/// Whether an audio slot is sent bundles instead of single packets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bundles {
    /// Its receiver was on the lowest rung at the last packet.
    pub wanted: bool,
    /// It is sent bundles.
    pub sent: bool,
    /// It has just turned: the next packet comes under other numbers.
    pub turned: bool,
}

/// A local peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub spec: PeerSpec,
    /// Where it is now: a part of its room.
    pub room: usize,
    /// How often it changed the part.
    pub moves: u32,
    /// Came from another part after the last ranking.
    pub arriving: bool,
    /// Whose tracks it may be sent.
    pub listed: Listed,
    pub view: ViewSpec,
    pub estimate: u64,
    /// What was planned for video at the last allocation, bit/s.
    pub planned: u64,
    /// Something wanted was not given at the last allocation.
    pub limited: bool,
    /// Whether a screen may be sent that does not fit the estimate.
    pub trial: Trial,
    /// How much may be sent at all.
    pub ladder: Ladder,
    /// Whether it loses so much that sound is sent with redundancy.
    pub need: Need,
    /// What [`super::Output::Rung`] told last.
    pub rung: (Rung, Option<RungReason>),
    /// What [`super::Output::Wanted`] told last, bit/s, and how.
    pub wanted: (u64, bool),
    pub audio: Vec<AudioSlot>,
    pub video: Vec<BoundSlot>,
    pub screen: Vec<BoundSlot>,
    /// Own tracks by kind.
    pub sends: [Option<usize>; 4],
    pub pending_audio: Vec<Forward>,
    pub pending_video: Vec<Forward>,
    pub dirty: bool,
    pub resolve: bool,
    pub allocate: bool,
    pub rebind: bool,
    pub told: Option<Binding>,
}

/// Index of a kind in [`Peer::sends`].
pub(super) fn kind_index(kind: Kind) -> usize {
    match kind {
        Kind::Mic => 0,
        Kind::Camera => 1,
        Kind::Screen => 2,
        Kind::ScreenAudio => 3,
    }
}

/// First sequence number of a slot, 1–32,767: spread, but the same for the same
/// connection, since randomness is not ours to draw.
fn first_seq(spec: &PeerSpec, slot: u64) -> u16 {
    let mixed = (spec.peer.0 ^ (u64::from(spec.epoch.0) << 40) ^ (slot << 20))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u16::try_from(mixed >> 50).unwrap_or(1).max(1)
}

impl Peer {
    pub(super) fn new(spec: PeerSpec, room: usize, estimate: u64) -> Self {
        let bound = |slot: SlotRef, salt: u64| BoundSlot {
            slot: VideoSlot::new(slot, first_seq(&spec, salt)),
            link: None,
            height: 0,
            priority: 0,
            wake: None,
            counted: 0,
            counted_wait: None,
        };
        let audio = |index: u8| AudioSlot {
            source: None,
            link: None,
            fresh: true,
            bundles: Bundles::default(),
            since: 0,
            // Opus frames of 20 ms.
            rewriter: Rewriter::new(first_seq(&spec, u64::from(index)), 48_000, 960),
        };
        let salt = |group: u64, index: u8| group << 8 | u64::from(index);
        Self {
            room,
            moves: 0,
            arriving: false,
            listed: Listed::All,
            view: ViewSpec::default(),
            estimate,
            planned: 0,
            limited: false,
            trial: Trial::default(),
            ladder: Ladder::default(),
            need: Need::default(),
            rung: (Rung::Full, None),
            wanted: (0, false),
            audio: (0..spec.slots.audio).map(audio).collect(),
            video: (0..spec.slots.video)
                .map(|i| bound(SlotRef::Video(i), salt(1, i)))
                .collect(),
            screen: (0..spec.slots.screen)
                .map(|i| bound(SlotRef::Screen(i), salt(2, i)))
                .collect(),
            sends: [None; 4],
            pending_audio: Vec::new(),
            pending_video: Vec::new(),
            dirty: false,
            resolve: false,
            allocate: false,
            rebind: true,
            told: None,
            spec,
        }
    }

    /// The rung and why it is not the highest.
    pub(super) fn step(&self) -> (Rung, Option<RungReason>) {
        let ceiling = self.view.mode.ceiling();
        (self.ladder.rung(ceiling), self.ladder.reason(ceiling))
    }

    pub(super) fn stint(&self) -> Stint {
        Stint {
            epoch: self.spec.epoch,
            moves: self.moves,
        }
    }

    pub(super) fn bound(&self, slot: SlotRef) -> Option<&BoundSlot> {
        match slot {
            SlotRef::Video(index) => self.video.get(usize::from(index)),
            SlotRef::Screen(index) => self.screen.get(usize::from(index)),
            SlotRef::Audio(_) => None,
        }
    }

    pub(super) fn bound_mut(&mut self, slot: SlotRef) -> Option<&mut BoundSlot> {
        match slot {
            SlotRef::Video(index) => self.video.get_mut(usize::from(index)),
            SlotRef::Screen(index) => self.screen.get_mut(usize::from(index)),
            SlotRef::Audio(_) => None,
        }
    }

    pub(super) fn link_mut(&mut self, slot: SlotRef) -> Option<&mut Option<Link>> {
        match slot {
            SlotRef::Audio(index) => Some(&mut self.audio.get_mut(usize::from(index))?.link),
            _ => Some(&mut self.bound_mut(slot)?.link),
        }
    }

    /// All slots, in the order audio, video, screen.
    pub(super) fn slot_refs(&self) -> impl Iterator<Item = SlotRef> + use<> {
        let slots = self.spec.slots;
        (0..slots.audio)
            .map(SlotRef::Audio)
            .chain((0..slots.video).map(SlotRef::Video))
            .chain((0..slots.screen).map(SlotRef::Screen))
    }

    /// Puts a video packet into the pending list, unless it is full.
    pub(super) fn push_video(&mut self, forward: Forward, bound: usize, stats: &mut CoreStats) {
        if self.pending_video.len() >= bound {
            stats.drop_one(DropReason::PendingVideoFull);
            return;
        }
        stats.packets_out += 1;
        stats.bytes_out += forward.payload.len() as u64;
        self.pending_video.push(forward);
    }

    /// Puts an audio packet into the pending list; the oldest makes room.
    pub(super) fn push_audio(&mut self, forward: Forward, bound: usize, stats: &mut CoreStats) {
        if self.pending_audio.len() >= bound {
            self.pending_audio.remove(0);
            stats.drop_one(DropReason::PendingAudioFull);
        }
        stats.packets_out += 1;
        stats.bytes_out += forward.payload.len() as u64;
        self.pending_audio.push(forward);
    }

    pub(super) fn binding(&self) -> Binding {
        let states = |slots: &[BoundSlot]| -> Vec<(Option<TrackKey>, SlotState)> {
            slots
                .iter()
                .map(|bound| (bound.slot.source(), bound.slot.state()))
                .collect()
        };
        Binding {
            rev: self.view.rev,
            audio: self.audio.iter().map(|slot| slot.source).collect(),
            video: states(&self.video),
            screen: states(&self.screen),
        }
    }
}

/// Who has the source's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A local peer.
    Local,
    /// Another shard.
    Remote(ShardId),
}

/// A source track, local or relayed.
#[derive(Debug)]
pub(super) struct Track {
    pub key: TrackKey,
    pub room: usize,
    pub stint: Stint,
    pub origin: Origin,
    pub health: [LayerHealth; MAX_LAYERS],
    /// What the allocation sees, the same on every shard.
    pub info: Layers,
    pub live: bool,
    /// `live` changed since its receivers last planned.
    pub turned: bool,
    /// In the list of tracks whose receivers plan anew soon.
    pub replan: bool,
    /// Keyframe caches, of video only.
    pub caches: Vec<KeyframeCache>,
    /// What can be sent again, of video only.
    pub rings: Vec<Ring>,
    pub throttles: [KeyframeThrottle; MAX_LAYERS],
    pub subs: Vec<Sub>,
    /// Local slots that want each layer.
    pub want: [u32; MAX_LAYERS],
    /// Local slots that wait for a keyframe of each layer.
    pub waiting: [u32; MAX_LAYERS],
    /// What other shards want, at most one entry per shard.
    pub remote_want: Vec<(ShardId, u8)>,
    /// Layers told to the publisher or its shard.
    pub told_want: u8,
    /// Since when fewer are wanted than were told.
    pub fewer_since: Option<Instant>,
    /// Layers of another shard's track of which the cache or a first packet is
    /// on its way; no keyframe is asked for before it came.
    pub due: u8,
    /// Layers somebody asked a keyframe of since the last look.
    pub asked: u8,
    /// In the list of tracks to be looked at again for keyframe requests.
    pub watched: bool,
    pub demand_dirty: bool,
    pub loudness: Loudness,
    /// Bundles of its sound, while a receiver is on the lowest rung.
    pub packer: Option<Packer>,
    /// Its last frames of sound, for receivers that lose some.
    pub redundancy: RedPacker,
    /// Among the microphones heard in the room.
    pub ranked: bool,
    /// The first packet has passed.
    pub begun: bool,
    /// Last word of the publisher's shard, or the last packet.
    pub confirmed: Instant,
}

impl Track {
    pub(super) fn new(
        now: Instant,
        key: TrackKey,
        room: usize,
        stint: Stint,
        origin: Origin,
    ) -> Self {
        let throttle = || match origin {
            Origin::Local => KeyframeThrottle::new(),
            Origin::Remote(_) => KeyframeThrottle::for_relay(),
        };
        let caches = if key.kind.is_audio() { 0 } else { MAX_LAYERS };
        Self {
            key,
            room,
            stint,
            origin,
            health: Default::default(),
            info: Layers::default(),
            live: false,
            turned: false,
            replan: false,
            caches: (0..caches).map(|_| KeyframeCache::default()).collect(),
            rings: (0..caches).map(|_| Ring::default()).collect(),
            throttles: [throttle(), throttle(), throttle()],
            subs: Vec::new(),
            want: [0; MAX_LAYERS],
            waiting: [0; MAX_LAYERS],
            remote_want: Vec::new(),
            told_want: 0,
            fewer_since: None,
            due: 0,
            asked: 0,
            watched: false,
            demand_dirty: false,
            loudness: Loudness::default(),
            packer: None,
            redundancy: RedPacker::default(),
            ranked: false,
            begun: false,
            confirmed: now,
        }
    }

    pub(super) fn local_want(&self) -> u8 {
        mask(&self.want)
    }

    pub(super) fn wanted(&self) -> u8 {
        self.remote_want
            .iter()
            .fold(self.local_want(), |all, (_, layers)| all | layers)
    }

    pub(super) fn cache_mut(&mut self, layer: Layer) -> Option<&mut KeyframeCache> {
        self.caches.get_mut(usize::from(layer.0))
    }

    pub(super) fn cache(&self, layer: Layer) -> Option<&KeyframeCache> {
        self.caches.get(usize::from(layer.0))
    }

    /// Layers some slot waits for.
    pub(super) fn waiting_layers(&self) -> u8 {
        mask(&self.waiting)
    }

    /// Whether a packet of the layer goes to `shard`.
    pub(super) fn goes_to(&self, shard: ShardId, packet: &SourcePacket) -> bool {
        // Nobody could ask in time for the first packet of a pinned microphone.
        let heard = self.ranked || !self.begun;
        if self.key.kind == Kind::ScreenAudio || (self.key.kind == Kind::Mic && heard) {
            return true;
        }
        self.remote_want
            .iter()
            .any(|(other, layers)| *other == shard && layers >> packet.layer.0 & 1 == 1)
    }
}

fn mask(counts: &[u32; MAX_LAYERS]) -> u8 {
    counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .fold(0, |mask, (layer, _)| mask | 1 << layer)
}

/// Layers whose bit is set.
pub(super) fn layers_of(mask: u8) -> impl Iterator<Item = Layer> {
    (0u8..3)
        .filter(move |layer| mask >> layer & 1 == 1)
        .map(Layer)
}

/// Bit of a layer.
pub(super) fn bit(layer: Layer) -> u8 {
    1u8.checked_shl(u32::from(layer.0)).unwrap_or(0)
}
