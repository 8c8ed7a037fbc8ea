//! From one part of a room to another: connection, SSRCs and slots stay, whom
//! one hears and sees changes.

use std::time::Instant;

use super::ShardCore;
use super::tables::{Origin, Sub, Track, kind_index};
use crate::types::{Kind, Part, PeerId, SlotRef};

impl ShardCore {
    /// The peer goes to a breakout group; 0 = to those who are in none. From here
    /// on it gets nothing of those it left, and they get nothing of it. Packets
    /// pending already were heard before and still go.
    pub fn set_group(&mut self, now: Instant, peer: PeerId, group: u8) {
        let Some((index, _)) = self.find_peer(peer) else {
            return;
        };
        let Some(peer) = self.peers.get(index) else {
            return;
        };
        if peer.spec.group == group {
            return;
        }
        let room = peer.spec.room;
        match self.room_entry(Part { room, group }) {
            Some(to) => self.change_room(now, index, to, group),
            // Better to hear nobody than those one has left.
            None => self.drop_peer(index),
        }
        self.settle(now);
    }

    fn change_room(&mut self, now: Instant, index: usize, to: usize, group: u8) {
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        let (from, sends, stint) = (peer.room, peer.sends, peer.stint());
        let slots: Vec<SlotRef> = peer.slot_refs().collect();
        for slot in slots {
            self.detach(index, slot);
            self.lose_source(Sub { peer: index, slot });
        }
        if let Some(room) = self.rooms.get_mut(from) {
            room.members.retain(|member| *member != index);
        }
        let mut own = Vec::new();
        for track in sends.into_iter().flatten() {
            own.extend(self.take_track(track));
        }
        let gone: Vec<_> = own.iter().map(|track| track.key).collect();
        if !gone.is_empty() {
            self.tell_gone(from, &gone, stint);
        }
        self.after_leaving(from);

        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        peer.room = to;
        peer.spec.group = group;
        peer.moves = peer.moves.saturating_add(1);
        let again = std::mem::replace(&mut peer.arriving, true);
        let part = peer.spec.part();
        if let Some(room) = self.rooms.get_mut(to) {
            room.members.push(index);
            if room.members.len() == 1 {
                self.tell_presence(part, true);
            }
        }
        let mut brought = Vec::new();
        for track in own {
            brought.extend(self.bring(now, index, to, track));
        }
        if !brought.is_empty() {
            self.announce(to, &brought);
        }
        if !again {
            self.arrived.push(index);
        }
        self.flag_resolve(index);
    }

    /// A track of a peer that has come to the room: known to send, heard by
    /// nobody yet. Its pictures so far were meant for others.
    fn bring(&mut self, now: Instant, index: usize, room: usize, old: Track) -> Option<usize> {
        let stint = self.peers.get(index)?.stint();
        let key = old.key;
        let made = self.make_track(now, key, room, stint, Origin::Local)?;
        if let Some(track) = self.tracks.get_mut(made) {
            track.health = old.health;
            track.info = old.info;
            track.live = old.live;
            track.told_want = old.told_want;
            track.fewer_since = old.fewer_since;
            track.loudness = old.loudness;
        }
        if let Some(place) = self
            .peers
            .get_mut(index)
            .and_then(|peer| peer.sends.get_mut(kind_index(key.kind)))
        {
            *place = Some(made);
        }
        self.flag_demand(made);
        if key.kind == Kind::Camera && old.live {
            self.flag_speaker_wishes(room);
        }
        Some(made)
    }

    /// Whoever arrived since the last ranking finds his voices and speakers: by
    /// now every shard has told what it publishes.
    pub(super) fn seat_arrived(&mut self) {
        for index in std::mem::take(&mut self.arrived) {
            if let Some(peer) = self.peers.get_mut(index) {
                peer.arriving = false;
                self.flag_resolve(index);
            }
        }
    }
}
