//! The receiving side: which source a slot takes, which layer, and the lists
//! that lead from a track to its slots.

use std::time::Instant;

use super::tables::{Link, Sub, bit};
use super::{DropReason, Output, ShardCore};
use crate::allocate::{self, Demand};
use crate::ladder;
use crate::overload::{self, Stage};
use crate::relay::Layers;
use crate::slot::{Pause, Replayed};
use crate::types::{
    Kind, Layer, Mode, PeerId, Rung, SlotRef, SlotState, TrackKey, Wish, WishSource,
};

/// Pinned tracks that count.
const MAX_PINS: usize = 2;
/// Screen sounds heard at once.
const MAX_SCREEN_SOUNDS: usize = 2;

impl ShardCore {
    /// Does the work the last input left: sources, layers, demands, keyframes.
    pub(super) fn settle(&mut self, now: Instant) {
        self.settle_slots(now);
        self.settle_asks(now);
    }

    pub(super) fn settle_slots(&mut self, now: Instant) {
        while let Some(index) = self.resolve_queue.pop() {
            self.resolve(index);
        }
        while let Some(index) = self.allocate_queue.pop() {
            self.allocate(now, index);
        }
        while let Some(index) = self.demand_queue.pop() {
            self.update_demand(now, index);
        }
    }

    /// Gives each slot of a peer the source its wish names now.
    fn resolve(&mut self, index: usize) {
        let Some(peer) = self.peers.get_mut(index).filter(|peer| peer.resolve) else {
            return;
        };
        peer.resolve = false;
        let (id, room, arriving) = (peer.spec.peer, peer.room, peer.arriving);
        let slots: Vec<SlotRef> = peer.slot_refs().collect();
        let wishes = peer.view.wishes.clone();
        for slot in slots {
            let wish = wishes.iter().find(|wish| wish.slot == slot).copied();
            let speaker = |wish: &Wish| matches!(wish.source, Some(WishSource::Speaker(_)));
            let wish = wish.filter(|wish| !(arriving && speaker(wish)));
            self.point(index, id, room, slot, wish);
        }
        self.bind_audio(index);
        self.flag_allocate(index);
    }

    fn point(&mut self, index: usize, id: PeerId, room: usize, slot: SlotRef, wish: Option<Wish>) {
        let source = wish
            .and_then(|wish| wish.source)
            .and_then(|source| match source {
                WishSource::Track(key) => Some(key).filter(|key| !key.kind.is_audio()),
                WishSource::Speaker(nth) => self.speaker(room, index, id, usize::from(nth)),
            })
            .filter(|key| self.may_have(index, key.peer));
        let track = source.and_then(|key| self.track_in(room, key));
        let Some(bound) = self
            .peers
            .get_mut(index)
            .and_then(|peer| peer.bound_mut(slot))
        else {
            return;
        };
        bound.height = wish.map_or(0, |wish| wish.height);
        bound.priority = wish.map_or(0, |wish| wish.priority);
        let changed = bound.slot.source() != source;
        if !changed && bound.link.map(|link| link.track) == track {
            return;
        }
        self.detach(index, slot);
        if changed
            && let Some(bound) = self
                .peers
                .get_mut(index)
                .and_then(|peer| peer.bound_mut(slot))
        {
            bound.slot.assign(source);
        }
        if let Some(track) = track {
            self.attach(index, slot, track);
        }
        self.flag_rebind(index);
    }

    /// The track of this name, if it is in this room.
    pub(super) fn track_in(&self, room: usize, key: TrackKey) -> Option<usize> {
        let index = *self.track_index.get(&key)?;
        (self.tracks.get(index)?.room == room).then_some(index)
    }

    /// Camera of the n-th most recent speaker; after those who spoke come the
    /// others in a fixed order, so that a class shows faces before anybody speaks.
    fn speaker(&self, room: usize, index: usize, except: PeerId, nth: usize) -> Option<TrackKey> {
        let entry = self.rooms.get(room)?;
        let mut cameras: Vec<TrackKey> = entry
            .tracks
            .iter()
            .filter_map(|index| self.tracks.get(*index))
            .filter(|track| track.key.kind == Kind::Camera && track.live)
            .filter(|track| track.key.peer != except && self.may_have(index, track.key.peer))
            .map(|track| track.key)
            .collect();
        let recent = entry.ranking.recent();
        cameras.sort_unstable_by_key(|key| {
            let spoke = recent.iter().position(|peer| *peer == key.peer);
            (spoke.unwrap_or(usize::MAX), *key)
        });
        cameras.get(nth).copied()
    }

    /// Fills the audio slots: screen sound, pins, then the loudest; never
    /// oneself. On the lowest rung one slot. Who keeps being heard keeps the slot.
    pub(super) fn bind_audio(&mut self, index: usize) {
        let Some(wanted) = self.audible(index) else {
            return;
        };
        let Some(peer) = self.peers.get(index) else {
            return;
        };
        let mut newcomers: Vec<TrackKey> = wanted.clone();
        let mut free = Vec::new();
        for (at, slot) in (0u8..).zip(&peer.audio) {
            match slot.source.filter(|key| wanted.contains(key)) {
                Some(key) if slot.link.is_some() => newcomers.retain(|other| *other != key),
                _ => free.push((slot.source.is_some(), SlotRef::Audio(at))),
            }
        }
        // Slots that were empty are filled first.
        free.sort_unstable();
        let mut newcomers = newcomers.into_iter();
        for (was_used, slot) in free {
            let next = newcomers.next();
            if next.is_none() && !was_used {
                continue;
            }
            self.point_audio(index, slot, next);
        }
    }

    fn audible(&self, index: usize) -> Option<Vec<TrackKey>> {
        let peer = self.peers.get(index).filter(|peer| !peer.arriving)?;
        let room = self.rooms.get(peer.room).filter(|room| !room.incomplete)?;
        let mut screens: Vec<TrackKey> = room
            .tracks
            .iter()
            .filter_map(|track| self.tracks.get(*track))
            .map(|track| track.key)
            .filter(|key| key.kind == Kind::ScreenAudio && peer.listed.has(key.peer))
            .collect();
        screens.sort_unstable();
        screens.truncate(MAX_SCREEN_SOUNDS);
        let pins = peer
            .view
            .pins
            .iter()
            .filter(|key| key.kind.is_audio())
            .take(MAX_PINS);
        // On the lowest rung one voice fits: a pinned one or the loudest. The sound
        // of a screen that is not seen is heard where nobody could speak.
        let lowest = peer.rung.0 == Rung::Sound;
        let most = peer.audio.len().min(if lowest { 1 } else { usize::MAX });
        let (before, after) = if lowest {
            ([].as_slice(), screens.as_slice())
        } else {
            (screens.as_slice(), [].as_slice())
        };
        let voices = pins.chain(room.ranking.ranked());
        let mut wanted = Vec::with_capacity(most);
        for key in before.iter().chain(voices).chain(after) {
            if wanted.len() == most {
                break;
            }
            let known = self.track_in(peer.room, *key).is_some();
            let may = peer.listed.has(key.peer) && key.peer != peer.spec.peer;
            if known && may && !wanted.contains(key) {
                wanted.push(*key);
            }
        }
        Some(wanted)
    }

    fn point_audio(&mut self, index: usize, slot: SlotRef, source: Option<TrackKey>) {
        self.detach(index, slot);
        let Some(room) = self.peers.get(index).map(|peer| peer.room) else {
            return;
        };
        let track = source.and_then(|key| self.track_in(room, key));
        if let SlotRef::Audio(at) = slot
            && let Some(audio) = self
                .peers
                .get_mut(index)
                .and_then(|peer| peer.audio.get_mut(usize::from(at)))
        {
            audio.source = source;
            audio.fresh = true;
        }
        if let Some(track) = track {
            self.attach(index, slot, track);
        }
        self.flag_rebind(index);
    }

    fn attach(&mut self, peer: usize, slot: SlotRef, index: usize) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        // Whoever chose the source has looked already; here is where packets pass.
        let may = self.peers.get(peer);
        if !may.is_some_and(|peer| peer.listed.has(track.key.peer)) {
            return;
        }
        let at = track.subs.len();
        track.subs.push(Sub { peer, slot });
        if let SlotRef::Audio(_) = slot {
            count(&mut track.want, Layer(0), true);
            self.flag_demand(index);
        }
        if let Some(link) = self
            .peers
            .get_mut(peer)
            .and_then(|peer| peer.link_mut(slot))
        {
            *link = Some(Link { track: index, at });
        }
    }

    pub(super) fn detach(&mut self, peer: usize, slot: SlotRef) {
        let Some(Link { track: index, at }) = self
            .peers
            .get_mut(peer)
            .and_then(|peer| peer.link_mut(slot))
            .and_then(Option::take)
        else {
            return;
        };
        self.uncount(peer, slot, index);
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        if at < track.subs.len() {
            track.subs.swap_remove(at);
        }
        let moved = track.subs.get(at).copied();
        if let Some(moved) = moved
            && let Some(Some(link)) = self
                .peers
                .get_mut(moved.peer)
                .and_then(|peer| peer.link_mut(moved.slot))
        {
            link.at = at;
        }
    }

    fn uncount(&mut self, peer: usize, slot: SlotRef, index: usize) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        if let SlotRef::Audio(_) = slot {
            count(&mut track.want, Layer(0), false);
        } else if let Some(bound) = self
            .peers
            .get_mut(peer)
            .and_then(|peer| peer.bound_mut(slot))
        {
            for layer in super::tables::layers_of(bound.counted) {
                count(&mut track.want, layer, false);
            }
            if let Some(layer) = bound.counted_wait.take() {
                count(&mut track.waiting, layer, false);
            }
            bound.counted = 0;
            bound.wake = None;
        }
        self.flag_demand(index);
    }

    /// The track of a slot is gone.
    pub(super) fn lose_source(&mut self, sub: Sub) {
        let Some(peer) = self.peers.get_mut(sub.peer) else {
            return;
        };
        match sub.slot {
            SlotRef::Audio(at) => {
                if let Some(audio) = peer.audio.get_mut(usize::from(at)) {
                    audio.link = None;
                    audio.source = None;
                }
            }
            slot => {
                if let Some(bound) = peer.bound_mut(slot) {
                    bound.link = None;
                    bound.wake = None;
                    bound.counted = 0;
                    bound.counted_wait = None;
                    bound.slot.stop(Pause::Muted);
                }
            }
        }
        self.flag_rebind(sub.peer);
        self.flag_resolve(sub.peer);
    }

    /// Plans the layers of all slots of a peer and aims them.
    fn allocate(&mut self, now: Instant, index: usize) {
        let Some(peer) = self.peers.get_mut(index).filter(|peer| peer.allocate) else {
            return;
        };
        peer.allocate = false;
        let mode = peer.view.mode;
        let (rung, trying) = (peer.ladder.rung(mode.ceiling()), peer.ladder.is_trying());
        let slots: Vec<SlotRef> = peer.slot_refs().collect();
        let used_audio = peer
            .audio
            .iter()
            .filter(|slot| slot.source.is_some())
            .count();
        let mut demands = std::mem::take(&mut self.demands);
        demands.clear();
        for slot in &slots {
            if let SlotRef::Video(_) | SlotRef::Screen(_) = slot {
                demands.push(self.demand_of(now, index, *slot, mode));
            }
        }
        // What the ladder takes away is still looked for, unless it is the receiver
        // who wants no more, or the link is so weak that looking would harm.
        let wanted = match (mode.ceiling(), rung) {
            (Rung::Sound, _) => 0,
            (_, Rung::Sound) if !trying => 0,
            _ => allocate::wanted(&demands),
        };
        ladder::restrict(rung, &mut demands);
        let mut grants = std::mem::take(&mut self.grants);
        if let Some(peer) = self.peers.get_mut(index) {
            let daring = peer.trial.dares(now, peer.estimate);
            let cost = allocate::allocate(peer.estimate, used_audio, daring, &demands, &mut grants);
            peer.planned = cost + allocate::AUDIO_RESERVE * used_audio as u64;
            peer.limited = grants.iter().any(|grant| grant.limited);
            let tried = grants.iter().any(|grant| grant.tried);
            peer.trial.planned(now, peer.estimate, tried);
        }
        overload::restrain(self.overload, &mut demands, &mut grants);
        let wanted = match self.overload {
            Stage::None => wanted,
            // Looking for more than is given would be work for nothing.
            _ => wanted.min(allocate::cost(&demands, &grants)),
        };
        self.tell_wanted_rate(index, wanted, trying);
        // What a receiver that wants everything is not given, the link took.
        let by_link = mode == Mode::Normal && rung != Rung::Full;
        let video = slots
            .iter()
            .filter(|slot| !matches!(slot, SlotRef::Audio(_)));
        for ((slot, demand), grant) in video.zip(&demands).zip(&grants) {
            self.apply(now, index, *slot, demand, grant, by_link);
        }
        self.demands = demands;
        self.grants = grants;
    }

    /// What the shard gives up from now on because it has too much to do. Sound is
    /// never touched.
    pub fn set_overload(&mut self, now: Instant, stage: Stage) {
        if self.overload == stage {
            return;
        }
        self.overload = stage;
        let mut peers = Vec::new();
        self.peers.indices_into(&mut peers);
        for index in peers {
            self.flag_allocate(index);
        }
        self.settle(now);
    }

    /// Small changes are not worth telling.
    fn tell_wanted_rate(&mut self, index: usize, bits_per_second: u64, gently: bool) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let (told, how) = peer.wanted;
        let crosses_zero = (told == 0) != (bits_per_second == 0);
        if crosses_zero || how != gently || told.abs_diff(bits_per_second) > told / 10 {
            peer.wanted = (bits_per_second, gently);
            if bits_per_second == 0 {
                peer.ladder.on_rest();
            }
            let peer = peer.spec.peer;
            self.emit(Output::Wanted {
                peer,
                bits_per_second,
                gently,
            });
        }
    }

    /// Where the receiver stands on the ladder now; what follows from it follows.
    pub(super) fn look_at_ladder(&mut self, now: Instant, index: usize) {
        let Some(peer) = self.peers.get(index) else {
            return;
        };
        let wants = peer.view.mode == Mode::Normal
            && peer.video.iter().chain(&peer.screen).any(|bound| {
                let sends = |link: Link| {
                    let track = self.tracks.get(link.track);
                    track.is_some_and(|track| track.info.iter().any(|layer| layer.live))
                };
                bound.height > 0 && bound.link.is_some_and(sends)
            });
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let (before, tried) = (peer.ladder.rung(Rung::Full), peer.ladder.is_trying());
        if peer.wanted.0 == 0 {
            peer.ladder.on_rest();
        }
        peer.ladder.look(now, wants);
        let moved = peer.ladder.rung(Rung::Full) != before || peer.ladder.is_trying() != tried;
        if moved {
            self.flag_allocate(index);
        }
        self.tell_rung(index);
    }

    /// Tells a rung that is not the one told last. From and to the lowest, other
    /// voices are heard.
    pub(super) fn tell_rung(&mut self, index: usize) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let step = peer.step();
        if step == peer.rung {
            return;
        }
        peer.rung = step;
        let (peer, (rung, reason)) = (peer.spec.peer, step);
        self.emit(Output::Rung { peer, rung, reason });
        self.bind_audio(index);
        self.flag_allocate(index);
    }

    fn demand_of(&self, now: Instant, index: usize, slot: SlotRef, mode: Mode) -> Demand {
        let bound = self.peers.get(index).and_then(|peer| peer.bound(slot));
        let layers = bound
            .and_then(|bound| bound.link)
            .and_then(|link| self.tracks.get(link.track))
            .map_or(Layers::default(), |track| track.info);
        let height = bound.map_or(0, |bound| bound.height);
        Demand {
            screen: matches!(slot, SlotRef::Screen(_)),
            height: match mode {
                Mode::Normal => height,
                Mode::Save | Mode::AudioOnly => 0,
            },
            priority: bound.map_or(0, |bound| bound.priority),
            layers,
            held: bound.and_then(|bound| bound.slot.target()),
            may_rise: bound.is_none_or(|bound| bound.slot.may_rise(now)),
        }
    }

    fn apply(
        &mut self,
        now: Instant,
        index: usize,
        slot: SlotRef,
        demand: &Demand,
        grant: &allocate::Grant,
        by_link: bool,
    ) {
        let Some(bound) = self
            .peers
            .get_mut(index)
            .and_then(|peer| peer.bound_mut(slot))
        else {
            return;
        };
        if bound.slot.source().is_none() {
            return;
        }
        let before = bound.slot.state();
        let barred = by_link && bound.height > 0;
        let sends = demand.layers.iter().any(|layer| layer.live);
        bound.wake = grant.wake.filter(|_| bound.link.is_some());
        match grant.layer {
            Some(layer) => {
                if bound.slot.target() != Some(layer) {
                    bound.slot.aim(now, layer);
                }
            }
            None if !sends && (demand.height > 0 || barred) => bound.slot.stop(Pause::Muted),
            None if barred && demand.height == 0 => bound.slot.stop(Pause::Bandwidth),
            None if demand.height == 0 => bound.slot.stop(Pause::Limit),
            None => bound.slot.starve(now),
        }
        let after = bound.slot.state();
        self.join(now, index, slot);
        if before != after {
            self.flag_rebind(index);
        }
    }

    /// A slot that waits takes what the cache holds.
    pub(super) fn join(&mut self, now: Instant, index: usize, slot: SlotRef) {
        let mut forwards = std::mem::take(&mut self.forwards);
        if let Some(replayed) = self.replay(now, index, slot, &mut forwards) {
            match replayed {
                Replayed::Whole => self.stats.replays_whole += 1,
                Replayed::Still => self.stats.replays_still += 1,
            }
            self.stats.switches += 1;
            if let Some(peer) = self.peers.get_mut(index) {
                for forward in forwards.drain(..) {
                    peer.push_video(forward, self.config.max_pending_video, &mut self.stats);
                }
            }
            self.mark_dirty(index, now);
            self.flag_rebind(index);
        }
        forwards.clear();
        self.forwards = forwards;
        self.recount(index, slot);
    }

    fn replay(
        &mut self,
        now: Instant,
        index: usize,
        slot: SlotRef,
        out: &mut Vec<crate::types::Forward>,
    ) -> Option<Replayed> {
        let bound = self.peers.get_mut(index)?.bound_mut(slot)?;
        let target = bound.slot.waits_for()?;
        let cache = self.tracks.get(bound.link?.track)?.cache(target)?;
        bound.slot.replay(now, cache, out)
    }

    /// Brings the counters of the track up to what the slot needs now.
    pub(super) fn recount(&mut self, index: usize, slot: SlotRef) {
        let Some(bound) = self
            .peers
            .get_mut(index)
            .and_then(|peer| peer.bound_mut(slot))
        else {
            return;
        };
        let Some(link) = bound.link else { return };
        let Some(track) = self.tracks.get_mut(link.track) else {
            return;
        };
        let layers = bound.slot.layers() | bound.wake.map_or(0, bit);
        let wait = bound.slot.waits_for();
        let before = track.local_want();
        for layer in super::tables::layers_of(layers & !bound.counted) {
            count(&mut track.want, layer, true);
        }
        for layer in super::tables::layers_of(bound.counted & !layers) {
            count(&mut track.want, layer, false);
        }
        bound.counted = layers;
        let mut asks = None;
        if wait != bound.counted_wait {
            if let Some(layer) = bound.counted_wait {
                count(&mut track.waiting, layer, false);
            }
            if let Some(layer) = wait {
                count(&mut track.waiting, layer, true);
                asks = Some(layer);
            }
            bound.counted_wait = wait;
        }
        if track.local_want() != before {
            self.flag_demand(link.track);
        }
        if asks.is_some() {
            self.stats.keyframes_asked += 1;
            self.watch(link.track);
        }
    }

    pub(super) fn mark_dirty(&mut self, index: usize, deadline: Instant) {
        if let Some(peer) = self.peers.get_mut(index)
            && !peer.dirty
        {
            peer.dirty = true;
            self.dirty.push_back(index);
        }
        self.flush_at = Some(self.flush_at.map_or(deadline, |at| at.min(deadline)));
    }

    /// A local receiver's decoder needs a keyframe on a slot.
    pub fn keyframe_request(&mut self, now: Instant, peer: PeerId, slot: SlotRef) {
        let Some((index, _)) = self.find_peer(peer) else {
            self.stats.drop_one(DropReason::UnknownPeer);
            return;
        };
        let live = self
            .peers
            .get(index)
            .and_then(|peer| peer.bound(slot))
            .and_then(|bound| match bound.slot.state() {
                SlotState::Live { layer, .. } => Some((bound.link?.track, layer)),
                _ => None,
            });
        // A slot that waits has asked already.
        if let Some((track, layer)) = live {
            self.ask(track, layer);
            self.settle_asks(now);
        }
    }
}

fn count(counts: &mut [u32], layer: Layer, up: bool) {
    if let Some(count) = counts.get_mut(usize::from(layer.0)) {
        *count = if up {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
    }
}
