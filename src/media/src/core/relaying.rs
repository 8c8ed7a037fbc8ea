//! What shards tell each other: who is where, which tracks there are, which
//! layers are wanted, and the packets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::tables::{Origin, bit, layers_of};
use super::{DropReason, Output, RelayMsg, ShardCore};
use crate::relay::{Layers, RelayPacket};
use crate::types::{Layer, MAX_LAYERS, Part, PeerId, ShardId, SourcePacket, Stint, TrackKey};

/// Bits of all layers.
const ALL_LAYERS: u8 = (1 << MAX_LAYERS) - 1;
/// Tracks looked through for one to append a packet to.
const NEAR: usize = 8;

/// Packets on their way to one other shard, in batches by track.
#[derive(Debug, Default)]
pub(super) struct RelayQueue {
    batches: VecDeque<Batch>,
    packets: usize,
}

#[derive(Debug)]
struct Batch {
    track: TrackKey,
    stint: Stint,
    packets: Vec<RelayPacket>,
}

impl RelayQueue {
    pub(super) fn len(&self) -> usize {
        self.packets
    }

    fn push(&mut self, track: TrackKey, stint: Stint, packet: RelayPacket) {
        self.packets += 1;
        let near = self.batches.iter_mut().rev().take(NEAR);
        for batch in near {
            if batch.track == track && batch.stint == stint {
                batch.packets.push(packet);
                return;
            }
        }
        self.batches.push_back(Batch {
            track,
            stint,
            packets: vec![packet],
        });
    }

    fn pop(&mut self) -> Option<RelayMsg> {
        let Batch {
            track,
            stint,
            packets,
        } = self.batches.pop_front()?;
        self.packets = self.packets.saturating_sub(packets.len());
        Some(RelayMsg::Packets {
            track,
            stint,
            packets,
        })
    }
}

impl ShardCore {
    /// A message of another shard.
    pub fn relay_in(&mut self, now: Instant, from: ShardId, msg: RelayMsg) {
        let count = match &msg {
            RelayMsg::Packets { packets, .. } => packets.len() as u64,
            _ => 1,
        };
        if let Err(reason) = self.on_message(now, from, msg) {
            self.stats.drop_many(reason, count);
        }
        self.settle(now);
    }

    fn on_message(&mut self, now: Instant, from: ShardId, msg: RelayMsg) -> Result<(), DropReason> {
        match msg {
            RelayMsg::Presence { part, receivers } => self.on_presence(from, part, receivers),
            RelayMsg::TrackUp { part, tracks } => {
                for (track, stint, layers) in tracks {
                    if let Err(reason) = self.on_track_up(now, from, part, track, stint, layers) {
                        self.stats.drop_one(reason);
                    }
                }
            }
            RelayMsg::TrackDown { tracks, stint } => {
                for track in tracks {
                    match self.known(track, stint, Origin::Remote(from)) {
                        Ok(index) => {
                            self.drop_track(index);
                        }
                        Err(reason) => self.stats.drop_one(reason),
                    }
                }
            }
            RelayMsg::Demand {
                track,
                stint,
                layers,
            } => {
                let index = self.known(track, stint, Origin::Local)?;
                self.on_demand(now, from, index, layers);
            }
            RelayMsg::KeyframeRequest {
                track,
                stint,
                layer,
            } => {
                let index = self.known(track, stint, Origin::Local)?;
                self.ask(index, layer);
            }
            RelayMsg::Cached {
                track,
                stint,
                layer,
                whole,
                age,
                packets,
            } => {
                let index = self.known(track, stint, Origin::Remote(from))?;
                self.on_cached(now, index, layer, whole, age, packets)?;
            }
            RelayMsg::Packets {
                track,
                stint,
                packets,
            } => {
                let index = self.known(track, stint, Origin::Remote(from))?;
                self.stats.relay_packets_in += packets.len() as u64;
                for packet in packets {
                    self.feed_relayed(now, index, packet.into_packet());
                }
            }
            RelayMsg::Scores {
                part,
                moment,
                scores,
            } => {
                let room = self.room_index.get(&part).copied();
                if let Some(room) = room.and_then(|room| self.rooms.get_mut(room)) {
                    room.heard.retain(|(shard, _, _)| *shard != from);
                    room.heard.push((from, moment, scores));
                }
            }
            RelayMsg::Speakers {
                part,
                ranked,
                recent,
            } => {
                if let Some(index) = self.room_index.get(&part).copied() {
                    self.on_speakers(index, ranked, recent);
                }
            }
        }
        Ok(())
    }

    fn on_speakers(&mut self, index: usize, ranked: Vec<TrackKey>, recent: Vec<PeerId>) {
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        room.ranking.adopt(ranked, recent);
        let ranked = room.ranking.ranked().to_vec();
        // Each shard announces its own tracks; slots are filled once, in the
        // order of the ranking, when all are here.
        let complete = ranked
            .iter()
            .all(|key| self.track_in(index, *key).is_some());
        if let Some(room) = self.rooms.get_mut(index) {
            room.incomplete = !complete;
        }
        if complete {
            self.apply_ranking(index);
        }
        self.flag_speaker_wishes(index);
    }

    /// The track of this name, if it is of this connection and owner.
    fn known(&self, key: TrackKey, stint: Stint, origin: Origin) -> Result<usize, DropReason> {
        let index = self.track_index.get(&key).copied();
        let found = index.and_then(|index| Some((index, self.tracks.get(index)?)));
        match found {
            Some((index, track)) if track.stint == stint && track.origin == origin => Ok(index),
            Some(_) => Err(DropReason::StaleEpoch),
            None => Err(DropReason::UnknownTrack),
        }
    }

    fn on_presence(&mut self, from: ShardId, key: Part, receivers: bool) {
        if from == self.config.shard || from.0 >= self.config.shards {
            return;
        }
        if receivers {
            if let Some(index) = self.room_entry(key) {
                self.welcome(from, index);
            }
        } else if let Some(index) = self.room_index.get(&key).copied() {
            self.farewell(from, index);
        }
    }

    /// Tells a shard that has receivers in the room what is published here.
    fn welcome(&mut self, from: ShardId, index: usize) {
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        let new = !room.present.contains(&from);
        if new {
            room.present.push(from);
        }
        let key = room.key;
        let tracks: Vec<_> = room
            .tracks
            .iter()
            .filter_map(|track| self.tracks.get(*track))
            .filter(|track| track.origin == Origin::Local)
            .map(|track| (track.key, track.stint, track.info))
            .collect();
        let past = RelayMsg::Speakers {
            part: key,
            ranked: room.ranking.ranked().to_vec(),
            recent: room.ranking.recent().to_vec(),
        };
        let scores = RelayMsg::Scores {
            part: key,
            moment: self.next_moment.saturating_sub(1),
            scores: room.own.clone(),
        };
        let has_members = !room.members.is_empty();
        if !tracks.is_empty() {
            self.relay(from, RelayMsg::TrackUp { part: key, tracks });
        }
        if new && has_members {
            self.relay(from, past);
            // It may come between telling and ranking.
            self.relay(from, scores);
            // It may have come after our own word was sent.
            self.relay(
                from,
                RelayMsg::Presence {
                    part: key,
                    receivers: true,
                },
            );
        }
    }

    fn farewell(&mut self, from: ShardId, index: usize) {
        let Some(room) = self.rooms.get_mut(index) else {
            return;
        };
        room.present.retain(|shard| *shard != from);
        room.heard.retain(|(shard, _, _)| *shard != from);
        for track_index in room.tracks.clone() {
            let Some(track) = self.tracks.get_mut(track_index) else {
                continue;
            };
            if track.origin == Origin::Remote(from) {
                self.drop_track(track_index);
            } else {
                track.remote_want.retain(|(shard, _)| *shard != from);
                self.flag_demand(track_index);
            }
        }
        self.drop_room_if_unused(index);
    }

    /// Tells all other shards whether this one has peers in the room.
    pub(super) fn tell_presence(&mut self, part: Part, receivers: bool) {
        for shard in (0..self.config.shards).map(ShardId) {
            if shard != self.config.shard {
                self.relay(shard, RelayMsg::Presence { part, receivers });
            }
        }
    }

    fn on_track_up(
        &mut self,
        now: Instant,
        from: ShardId,
        part: Part,
        key: TrackKey,
        stint: Stint,
        layers: Layers,
    ) -> Result<(), DropReason> {
        let room_index = self.room_index.get(&part).copied();
        let has_members = |index: &usize| {
            self.rooms
                .get(*index)
                .is_some_and(|room| !room.members.is_empty())
        };
        let Some(room) = room_index.filter(has_members) else {
            return Ok(()); // nobody here needs it
        };
        let mut index = self.track_index.get(&key).copied();
        if let Some(known) = index
            && let Some(track) = self.tracks.get(known)
        {
            if track.stint > stint {
                return Err(DropReason::StaleEpoch);
            }
            if track.origin == Origin::Local {
                // The person came back on another shard.
                self.drop_tracks(std::iter::once(known));
                index = None;
            } else if track.origin != Origin::Remote(from)
                || track.stint < stint
                || track.room != room
            {
                self.drop_track(known);
                index = None;
            }
        }
        let made = index.or_else(|| self.make_track(now, key, room, stint, Origin::Remote(from)));
        if let Some(index) = made
            && let Some(track) = self.tracks.get_mut(index)
        {
            track.confirmed = now;
            if track.info != layers {
                // The packet that brought a layer to life is on its way and may
                // be the keyframe itself: no request before it.
                for (at, throttle) in track.throttles.iter_mut().enumerate() {
                    let was = track.info.get(at).is_some_and(|layer| layer.live);
                    let is = layers.get(at).is_some_and(|layer| layer.live);
                    if is && !was && track.told_want >> at & 1 == 1 {
                        track.due |= 1 << at;
                        throttle.hold(now);
                    }
                }
                let before = std::mem::replace(&mut track.info, layers);
                self.layers_changed(index, &before);
            }
        }
        Ok(())
    }

    /// Another shard wants these layers, whole. For each new one it gets the cache.
    fn on_demand(&mut self, now: Instant, from: ShardId, index: usize, layers: u8) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let before = track
            .remote_want
            .iter()
            .find_map(|(shard, layers)| (*shard == from).then_some(*layers))
            .unwrap_or(0);
        track.remote_want.retain(|(shard, _)| *shard != from);
        if layers != 0 {
            track.remote_want.push((from, layers));
        }
        if !track.key.kind.is_audio() {
            for layer in layers_of(layers & !before) {
                self.send_cache(now, from, index, layer);
            }
        }
        self.flag_demand(index);
    }

    fn send_cache(&mut self, now: Instant, to: ShardId, index: usize, layer: Layer) {
        let Some(track) = self.tracks.get(index) else {
            return;
        };
        let Some(cache) = track.cache(layer) else {
            return;
        };
        let whole: Option<Vec<_>> = cache
            .whole()
            .map(|packets| packets.map(RelayPacket::copy_of).collect());
        let is_whole = whole.is_some();
        let still = || {
            let packets = cache.still()?;
            Some(packets.map(RelayPacket::copy_of).collect())
        };
        let packets: Vec<RelayPacket> = whole.or_else(still).unwrap_or_default();
        self.stats.relay_packets_out += packets.len() as u64;
        let msg = RelayMsg::Cached {
            track: track.key,
            stint: track.stint,
            layer,
            whole: is_whole,
            age: cache
                .keyframe_at()
                .map_or(Duration::ZERO, |at| now.saturating_duration_since(at)),
            packets,
        };
        self.relay(to, msg);
    }

    fn on_cached(
        &mut self,
        now: Instant,
        index: usize,
        layer: Layer,
        whole: bool,
        age: Duration,
        packets: Vec<RelayPacket>,
    ) -> Result<(), DropReason> {
        let Some(track) = self.tracks.get_mut(index) else {
            return Ok(());
        };
        if track.told_want & bit(layer) == 0 {
            return Ok(()); // no longer wanted
        }
        self.stats.relay_packets_in += packets.len() as u64;
        let packets: Vec<SourcePacket> =
            packets.into_iter().map(RelayPacket::into_packet).collect();
        if packets.iter().any(|packet| packet.layer != layer) {
            return Err(DropReason::BadLayer);
        }
        if let Some(cache) = track.cache_mut(layer) {
            cache.install(now.checked_sub(age).unwrap_or(now), &packets, whole);
        }
        for sub in track.subs.clone() {
            let waits = self
                .peers
                .get(sub.peer)
                .and_then(|peer| peer.bound(sub.slot))
                .is_some_and(|bound| bound.slot.waits_for() == Some(layer));
            if waits {
                self.join(now, sub.peer, sub.slot);
            }
        }
        self.arrived(index, layer);
        Ok(())
    }

    /// Tells a source what is wanted of it. More acts at once; less, towards a
    /// publisher, after a while (see [`Self::lower_wants`]).
    pub(super) fn update_demand(&mut self, now: Instant, index: usize) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        track.demand_dirty = false;
        match track.origin {
            Origin::Local => {
                let wanted = track.wanted();
                let more = wanted & !track.told_want;
                if track.key.kind.is_audio() {
                    return;
                }
                track.fewer_since =
                    (track.told_want & !wanted != 0).then(|| track.fewer_since.unwrap_or(now));
                if more != 0 {
                    let layers = track.told_want | wanted;
                    self.tell_wanted(index, layers);
                }
            }
            Origin::Remote(to) => self.tell_demand(now, index, to),
        }
    }

    pub(super) fn tell_wanted(&mut self, index: usize, layers: u8) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        track.told_want = layers;
        let (peer, kind) = (track.key.peer, track.key.kind);
        self.emit(Output::LayersWanted { peer, kind, layers });
    }

    /// A publisher begins with all layers, and is told so: it may still remember
    /// what was wanted of an earlier track. What nobody watches it is asked to
    /// pause after the usual while.
    pub(super) fn begin_wants(&mut self, now: Instant, index: usize) {
        if let Some(track) = self.tracks.get_mut(index)
            && !track.key.kind.is_audio()
        {
            track.fewer_since = Some(now);
            self.tell_wanted(index, ALL_LAYERS);
        }
    }

    fn tell_demand(&mut self, now: Instant, index: usize, to: ShardId) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let wanted = track.local_want();
        if wanted == track.told_want {
            return;
        }
        let (new, gone) = (wanted & !track.told_want, track.told_want & !wanted);
        track.told_want = wanted;
        track.due = (track.due | new) & !gone;
        for layer in layers_of(new | gone) {
            let at = usize::from(layer.0);
            if let Some(cache) = track.caches.get_mut(at) {
                cache.clear();
            }
            if let Some(health) = track.health.get_mut(at) {
                health.forget_numbers();
            }
            // The cache comes before any request: it may be all that is needed.
            if new & bit(layer) != 0
                && let Some(throttle) = track.throttles.get_mut(at)
            {
                throttle.hold(now);
            }
        }
        let msg = RelayMsg::Demand {
            track: track.key,
            stint: track.stint,
            layers: wanted,
        };
        self.relay(to, msg);
    }

    /// Says again what other shards may have missed, and forgets tracks their
    /// shard has not confirmed for long.
    pub(super) fn refresh(&mut self, now: Instant) {
        let parts: Vec<Part> = self
            .rooms
            .iter()
            .filter(|(_, room)| !room.members.is_empty())
            .map(|(_, room)| room.key)
            .collect();
        for part in parts {
            self.tell_presence(part, true);
        }
        let old = self.config.refresh.saturating_mul(4);
        let mut demands = Vec::new();
        let mut gone = Vec::new();
        for (index, track) in self.tracks.iter() {
            let Origin::Remote(to) = track.origin else {
                continue;
            };
            if now.saturating_duration_since(track.confirmed) > old {
                gone.push(index);
            } else if track.told_want != 0 {
                demands.push((
                    to,
                    RelayMsg::Demand {
                        track: track.key,
                        stint: track.stint,
                        layers: track.told_want,
                    },
                ));
            }
        }
        for (to, msg) in demands {
            self.relay(to, msg);
        }
        for index in gone {
            self.drop_track(index);
        }
    }

    /// Copies a packet of a local track for the shards that need it.
    pub(super) fn relay_packet(&mut self, index: usize, packet: &SourcePacket) {
        let Some(track) = self.tracks.get(index) else {
            return;
        };
        if track.origin != Origin::Local {
            return;
        }
        let Some(room) = self.rooms.get(track.room) else {
            return;
        };
        for to in &room.present {
            if !track.goes_to(*to, packet) {
                continue;
            }
            let Some(queue) = self.relays.get_mut(usize::from(to.0)) else {
                continue;
            };
            if queue.len() >= self.config.max_relay_pending {
                self.stats.drop_one(DropReason::RelayFull);
                continue;
            }
            queue.push(track.key, track.stint, RelayPacket::copy_of(packet));
            self.stats.relay_packets_out += 1;
        }
        if let Some(track) = self.tracks.get_mut(index) {
            track.begun = true;
        }
    }

    pub(super) fn next_relay(&mut self) -> Option<Output> {
        for (to, queue) in (0u16..).map(ShardId).zip(&mut self.relays) {
            if let Some(msg) = queue.pop() {
                return Some(Output::Relay { to, msg });
            }
        }
        None
    }
}
