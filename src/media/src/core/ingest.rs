//! The path of one packet: from its source into the pending lists.

use std::time::{Duration, Instant};

use super::tables::{Bundles, Origin, Sub, bit, kind_index};
use super::{DropReason, Output, RelayMsg, ShardCore, TOGETHER};
use crate::meta::Meta;
use crate::opus::{OpusView, Packed};
use crate::red::RedPacker;
use crate::relay::{LayerInfo, Layers};
use crate::slot::Offered;
use crate::types::{
    Forward, Kind, Layer, MAX_LAYERS, PeerId, Rung, SlotRef, SourcePacket, TrackKey,
};

/// Longest wait of a bundle for its last packet.
const BUNDLE_WAIT: Duration = Duration::from_millis(80);

impl ShardCore {
    /// A packet of a local publisher.
    pub fn ingest(&mut self, now: Instant, peer: PeerId, kind: Kind, mut packet: SourcePacket) {
        if kind.is_audio() {
            packet.layer = Layer(0);
        }
        let Some(index) = self.admit(now, peer, kind, &packet) else {
            return;
        };
        self.stats.packets_in += 1;
        self.stats.bytes_in += packet.payload.len() as u64;
        let meta = Meta::of(&packet);
        self.note(now, index, &packet, &meta);
        // A layer that has just come to life may be aimed at before its first
        // packet, which often is the keyframe, passes.
        self.settle_slots(now);
        self.feed(now, index, &packet, &meta);
        self.settle(now);
    }

    /// The track the packet belongs to, made on its first packet.
    fn admit(
        &mut self,
        now: Instant,
        peer: PeerId,
        kind: Kind,
        packet: &SourcePacket,
    ) -> Option<usize> {
        let publisher = self.peer_index.get(&peer).and_then(|p| self.peers.get(*p));
        let Some(publisher) = publisher else {
            self.stats.drop_one(DropReason::UnknownPeer);
            return None;
        };
        if !publisher.spec.allow.allows(kind) {
            self.stats.drop_one(DropReason::NotAllowed);
            return None;
        }
        if usize::from(packet.layer.0) >= MAX_LAYERS {
            self.stats.drop_one(DropReason::BadLayer);
            return None;
        }
        if let Some(Some(track)) = publisher.sends.get(kind_index(kind)) {
            return Some(*track);
        }
        let (room, stint) = (publisher.room, publisher.stint());
        let key = TrackKey { peer, kind };
        if let Some(known) = self.track_index.get(&key).copied() {
            // Another shard's, of an older or a newer connection of this peer.
            if self
                .tracks
                .get(known)
                .is_some_and(|track| track.stint >= stint)
            {
                self.stats.drop_one(DropReason::StaleEpoch);
                return None;
            }
            self.drop_track(known);
        }
        let index = self.make_track(now, key, room, stint, Origin::Local)?;
        if let Some(publisher) = self.peer_of(peer)
            && let Some(place) = publisher.sends.get_mut(kind_index(kind))
        {
            *place = Some(index);
        }
        self.begin_wants(now, index);
        Some(index)
    }

    /// Health and levels of a local track.
    fn note(&mut self, now: Instant, index: usize, packet: &SourcePacket, meta: &Meta) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        track.confirmed = now;
        if track.key.kind == Kind::Mic {
            track.loudness.on_packet(now, packet.level);
        }
        let Some(health) = track.health.get_mut(usize::from(packet.layer.0)) else {
            return;
        };
        let seen = health.on_packet(now, packet.seq, packet.payload.len(), meta.height);
        if seen.restarted {
            self.restart(index, packet.layer);
        }
        if seen.became_live || seen.resized {
            self.publish_layers(index);
        }
    }

    /// Takes the health of a local track over into what allocation and other
    /// shards see.
    pub(super) fn publish_layers(&mut self, index: usize) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let before = track.info;
        for (info, health) in track.info.iter_mut().zip(&track.health) {
            *info = health.info();
        }
        self.layers_changed(index, &before);
        if let Some(room) = self.tracks.get(index).map(|track| track.room) {
            self.announce(room, &[index]);
        }
    }

    /// Tells the shards with receivers in the room that these tracks are there,
    /// and their layers.
    pub(super) fn announce(&mut self, room: usize, tracks: &[usize]) {
        let Some(room) = self.rooms.get(room) else {
            return;
        };
        let msg = RelayMsg::TrackUp {
            part: room.key,
            tracks: tracks
                .iter()
                .filter_map(|index| self.tracks.get(*index))
                .map(|track| (track.key, track.stint, track.info))
                .collect(),
        };
        for to in room.present.clone() {
            self.relay(to, msg.clone());
        }
    }

    /// The layers of a track changed from `before`. A layer that came to life or
    /// another height is acted on at once; silence and bit rates only when all
    /// shards have told theirs, so that each plans once, with the same figures.
    pub(super) fn layers_changed(&mut self, index: usize, before: &Layers) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let kept = track.caches.iter_mut().zip(&mut track.rings);
        for (info, (cache, ring)) in track.info.iter().zip(kept) {
            if !info.live {
                cache.clear();
                ring.clear();
            }
        }
        let urgent = |(new, old): (&LayerInfo, &LayerInfo)| {
            (new.live && !old.live) || new.height != old.height
        };
        let at_once = track.info.iter().zip(before).any(urgent);
        let live = track.info.iter().any(|layer| layer.live);
        let turned = live != track.live;
        track.live = live;
        track.turned |= turned;
        let (key, local) = (track.key, track.origin == Origin::Local);
        if turned && local {
            self.emit(Output::TrackLive {
                peer: key.peer,
                kind: key.kind,
                live,
            });
        }
        if at_once {
            self.replan(index);
        } else if let Some(track) = self.tracks.get_mut(index).filter(|track| !track.replan) {
            track.replan = true;
            self.replan_later.push(index);
        }
    }

    /// Receivers of a track plan their layers anew.
    pub(super) fn replan(&mut self, index: usize) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let turned = std::mem::take(&mut track.turned);
        track.replan = false;
        let (kind, room) = (track.key.kind, track.room);
        if kind.is_audio() {
            return;
        }
        let peers: Vec<usize> = track.subs.iter().map(|sub| sub.peer).collect();
        for peer in peers {
            self.flag_allocate(peer);
        }
        if turned && kind == Kind::Camera {
            self.flag_speaker_wishes(room);
        }
    }

    /// The numbers of a layer began anew: slots on it wait for a keyframe.
    fn restart(&mut self, index: usize, layer: Layer) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        if let Some(cache) = track.cache_mut(layer) {
            cache.clear();
        }
        if let Some(ring) = track.rings.get_mut(usize::from(layer.0)) {
            ring.clear();
        }
        if let Some(packer) = &mut track.packer {
            packer.restart();
        }
        track.redundancy.restart();
        for sub in track.subs.clone() {
            let Some(peer) = self.peers.get_mut(sub.peer) else {
                continue;
            };
            match sub.slot {
                SlotRef::Audio(at) => {
                    if let Some(audio) = peer.audio.get_mut(usize::from(at)) {
                        audio.fresh = true;
                    }
                }
                slot => {
                    if let Some(bound) = peer.bound_mut(slot)
                        && bound.slot.target() == Some(layer)
                    {
                        bound.slot.restart();
                        self.recount(sub.peer, slot);
                        self.flag_rebind(sub.peer);
                    }
                }
            }
        }
    }

    /// A packet of another shard's track.
    pub(super) fn feed_relayed(&mut self, now: Instant, index: usize, packet: SourcePacket) {
        let meta = Meta::of(&packet);
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        track.confirmed = now;
        let audio = track.key.kind.is_audio();
        if !audio && track.told_want & bit(packet.layer) == 0 {
            return; // no longer wanted; was on its way
        }
        let Some(health) = track.health.get_mut(usize::from(packet.layer.0)) else {
            self.stats.drop_one(DropReason::BadLayer);
            return;
        };
        let seen = health.on_packet(now, packet.seq, packet.payload.len(), None);
        if seen.restarted {
            self.restart(index, packet.layer);
        }
        self.feed(now, index, &packet, &meta);
        self.arrived(index, packet.layer);
    }

    /// What was on its way has come: whoever still waits may ask.
    pub(super) fn arrived(&mut self, index: usize, layer: Layer) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        if track.due & bit(layer) != 0 {
            track.due &= !bit(layer);
            if let Some(throttle) = track.throttles.get_mut(usize::from(layer.0)) {
                throttle.release();
            }
            self.watch(index);
        }
    }

    /// Cache, local receivers, other shards.
    fn feed(&mut self, now: Instant, index: usize, packet: &SourcePacket, meta: &Meta) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let audio = track.key.kind.is_audio();
        if !audio {
            if let Some(cache) = track.cache_mut(packet.layer) {
                cache.push(now, packet, meta.begins_keyframe);
            }
            // Also while nobody here watches: who comes is sent from the cache first.
            if let Some(ring) = track.rings.get_mut(usize::from(packet.layer.0)) {
                ring.push(now, packet);
            }
            if meta.begins_keyframe {
                track.asked &= !bit(packet.layer);
                if let Some(throttle) = track.throttles.get_mut(usize::from(packet.layer.0)) {
                    throttle.on_keyframe();
                }
            }
        }
        // Nothing below attaches or detaches a slot, so the list can be out of
        // the table meanwhile.
        let subs = std::mem::take(&mut track.subs);
        if audio {
            let mut packer = track.packer.take();
            let mut redundancy = std::mem::take(&mut track.redundancy);
            redundancy.push(packet);
            let packed = packer.as_mut().map(|packer| packer.push(now, packet));
            let mut bundles = false;
            for group in subs.chunks(TOGETHER) {
                self.warm(group);
                for sub in group {
                    bundles |= self.hear(now, *sub, packet, packed.as_ref(), &mut redundancy);
                }
            }
            if let Some(track) = self.tracks.get_mut(index) {
                track.packer = bundles.then(|| packer.unwrap_or_default());
                track.redundancy = redundancy;
            }
        } else {
            for group in subs.chunks(TOGETHER) {
                self.warm(group);
                for sub in group {
                    self.forward_video(now, index, *sub, packet, meta);
                }
            }
        }
        if let Some(track) = self.tracks.get_mut(index) {
            track.subs = subs;
        }
        self.relay_packet(index, packet);
    }

    /// Brings what belongs to some receivers into the processor's cache, for all of
    /// them at once: of hundreds little is in it, and one after the other each would
    /// wait for memory several times.
    fn warm(&self, subs: &[Sub]) {
        let peers = |sub: &Sub| self.peers.get(sub.peer);
        let near = subs.iter().filter_map(peers).map(|peer| {
            (peer.audio.len() ^ peer.video.len() ^ peer.pending_video.len()) as u64
                ^ peer.pending_audio.len() as u64
                ^ u64::from(peer.dirty)
                ^ u64::from(peer.rung.0 == Rung::Sound)
        });
        let slots = subs.iter().filter_map(|sub| {
            let peer = self.peers.get(sub.peer)?;
            match sub.slot {
                SlotRef::Audio(at) => {
                    let audio = peer.audio.get(usize::from(at))?;
                    Some(audio.since ^ audio.rewriter.warm())
                }
                SlotRef::Video(_) | SlotRef::Screen(_) => Some(peer.bound(sub.slot)?.slot.warm()),
            }
        });
        std::hint::black_box(near.fold(0, |sum, one| sum ^ one));
        std::hint::black_box(slots.fold(0, |sum, one| sum ^ one));
    }

    /// A packet of sound for one slot: as it came, or in a bundle. Says whether the
    /// slot needs bundles.
    fn hear(
        &mut self,
        now: Instant,
        sub: Sub,
        packet: &SourcePacket,
        packed: Option<&Packed>,
        redundancy: &mut RedPacker,
    ) -> bool {
        let SlotRef::Audio(at) = sub.slot else {
            return false;
        };
        let Some(peer) = self.peers.get_mut(sub.peer) else {
            return false;
        };
        let weak = peer.rung.0 == Rung::Sound;
        let Some(audio) = peer.audio.get_mut(usize::from(at)) else {
            return false;
        };
        if audio.fresh {
            audio.bundles = Bundles::default();
        }
        // What was true at the packet before decides, so that it does not matter
        // whether somebody else on this shard had bundles already.
        let wanted = std::mem::replace(&mut audio.bundles.wanted, weak);
        let was_sent = audio.bundles.sent;
        if let Some(last) = packed.and_then(|packed| packed.before.as_ref())
            && was_sent
        {
            self.forward_audio(now, sub, last, None);
        }
        let audio = self
            .peers
            .get_mut(sub.peer)
            .and_then(|peer| peer.audio.get_mut(usize::from(at)));
        let Some(audio) = audio else { return false };
        if packed.is_some_and(|packed| packed.begins) && was_sent != wanted {
            audio.bundles.sent = wanted;
            audio.bundles.turned = true;
        }
        let sent = audio.bundles.sent;
        match packed {
            Some(packed) if sent => {
                if let Some(whole) = &packed.after {
                    self.forward_audio(now, sub, whole, None);
                }
            }
            _ => self.forward_audio(now, sub, packet, Some(redundancy).filter(|_| !weak)),
        }
        weak || sent
    }

    /// Bundles that wait for a packet which may never come.
    pub(super) fn close_bundles(&mut self, now: Instant) {
        let mut tracks = Vec::new();
        self.tracks.indices_into(&mut tracks);
        for index in tracks {
            let Some(track) = self.tracks.get_mut(index) else {
                continue;
            };
            let Some(packer) = track.packer.as_mut().filter(|packer| {
                let waits = packer.since().map(|at| now.saturating_duration_since(at));
                waits.is_some_and(|waits| waits >= BUNDLE_WAIT)
            }) else {
                continue;
            };
            let Some(bundle) = packer.close() else {
                continue;
            };
            let subs = std::mem::take(&mut track.subs);
            for sub in &subs {
                let SlotRef::Audio(at) = sub.slot else {
                    continue;
                };
                let audio = self
                    .peers
                    .get(sub.peer)
                    .and_then(|peer| peer.audio.get(usize::from(at)));
                if audio.is_some_and(|audio| audio.bundles.sent && !audio.fresh) {
                    self.forward_audio(now, *sub, &bundle, None);
                }
            }
            if let Some(track) = self.tracks.get_mut(index) {
                track.subs = subs;
            }
        }
    }

    /// `redundancy`: where the packet may be had with the frames before it.
    fn forward_audio(
        &mut self,
        now: Instant,
        sub: Sub,
        packet: &SourcePacket,
        redundancy: Option<&mut RedPacker>,
    ) {
        let SlotRef::Audio(at) = sub.slot else { return };
        let Some(peer) = self.peers.get_mut(sub.peer) else {
            return;
        };
        let Some(audio) = peer.audio.get_mut(usize::from(at)) else {
            return;
        };
        let meta = Meta::default();
        if std::mem::take(&mut audio.fresh) {
            audio.rewriter.switch(now, packet, &meta, 0);
            audio.since = packet.seq;
            self.stats.switches += 1;
        } else if std::mem::take(&mut audio.bundles.turned) {
            audio.rewriter.renumber(packet);
            audio.since = packet.seq;
        }
        let Some(numbers) = audio.rewriter.forward(now, packet, &meta) else {
            self.stats.drop_one(DropReason::Late);
            return;
        };
        if audio.bundles.sent
            && let Some(view) = OpusView::parse(&packet.payload)
        {
            // The next source must not begin within the sound of a bundle.
            let after = view.ticks().saturating_sub(view.frame_ticks);
            audio.rewriter.reaches(&numbers, after);
        }
        // Nothing of who was heard in this slot before.
        let red = redundancy
            .filter(|_| peer.need.is_on() && peer.spec.red)
            .and_then(|packer| packer.payload(audio.since));
        let forward = Forward {
            slot: sub.slot,
            codec: packet.codec,
            seq: numbers.seq,
            ts: numbers.ts,
            marker: packet.marker,
            level: packet.level,
            capture_ntp: packet.capture_ntp,
            vp8: None,
            resend: false,
            red: red.is_some(),
            payload: red.unwrap_or_else(|| packet.payload.clone()),
        };
        peer.push_audio(forward, self.config.max_pending_audio, &mut self.stats);
        self.mark_dirty(sub.peer, now);
    }

    fn forward_video(
        &mut self,
        now: Instant,
        index: usize,
        sub: Sub,
        packet: &SourcePacket,
        meta: &Meta,
    ) {
        let Some(peer) = self.peers.get_mut(sub.peer) else {
            return;
        };
        let Some(bound) = peer.bound_mut(sub.slot) else {
            return;
        };
        let (forward, switched) = match bound.slot.offer(now, packet, meta) {
            Offered::Ignored => return,
            Offered::Late => {
                self.stats.drop_one(DropReason::Late);
                return;
            }
            Offered::Forward { forward, switched } => (forward, switched),
        };
        let bound_to = self.config.max_pending_video;
        peer.push_video(forward, bound_to, &mut self.stats);
        if switched {
            self.stats.switches += 1;
            self.catch_up(now, index, sub, packet);
            self.recount(sub.peer, sub.slot);
            self.flag_rebind(sub.peer);
        }
        let deadline = if packet.marker {
            now
        } else {
            now + self.config.gather
        };
        self.mark_dirty(sub.peer, deadline);
    }

    /// A receiver misses a packet of a video or screen slot, by the number it would
    /// have had. What is no longer here is not sent, and nothing is said about it.
    pub fn resend(&mut self, now: Instant, peer: PeerId, slot: SlotRef, seq: u16) {
        let Some(index) = self.peer_index.get(&peer).copied() else {
            return;
        };
        let sent = self
            .peers
            .get(index)
            .and_then(|peer| peer.bound(slot)?.slot.sent(seq))
            .filter(|sent| self.may_have(index, sent.track.peer));
        let again = sent.and_then(|sent| {
            let track = self.tracks.get(*self.track_index.get(&sent.track)?)?;
            let ring = track.rings.get(usize::from(sent.layer.0))?;
            Some(sent.again(ring.get(now, sent.source_seq)?))
        });
        let (Some(again), Some(peer)) = (again, self.peers.get_mut(index)) else {
            self.stats.drop_one(DropReason::NotKept);
            return;
        };
        peer.push_video(again, self.config.max_pending_video, &mut self.stats);
        self.stats.resends += 1;
        self.mark_dirty(index, now);
    }

    /// After a switch: packets of the new source that overtook its first one.
    fn catch_up(&mut self, now: Instant, index: usize, sub: Sub, first: &SourcePacket) {
        let Some(cache) = self.tracks.get(index).and_then(|t| t.cache(first.layer)) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(sub.peer) else {
            return;
        };
        for packet in cache.after(first.seq) {
            let Some(bound) = peer.bound_mut(sub.slot) else {
                return;
            };
            let offered = bound.slot.offer(now, packet, &Meta::of(packet));
            if let Offered::Forward { forward, .. } = offered {
                peer.push_video(forward, self.config.max_pending_video, &mut self.stats);
            }
        }
    }
}
