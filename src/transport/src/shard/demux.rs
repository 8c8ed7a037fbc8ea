//! From a received datagram to the session it belongs to.

use std::net::SocketAddr;
use std::time::Instant;

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::core::TOGETHER;
use lophoc_media::types::{PeerId, ShardId};

use super::{Deferred, Feed, Shard};
use crate::mailbox::ShardMessage;
use crate::registry::Found;
use crate::session::Way;
use crate::stun::BindingRequest;
use crate::sys::{self, RECV_MESSAGES, RECV_SLOT, RecvMeta};

/// Receive calls per socket and turn; what is left waits in the kernel.
const RECV_ROUNDS: usize = 4;
/// Handshake datagrams per turn; each may cost a millisecond of cryptography.
const HANDSHAKES_PER_TURN: usize = 4;
/// Handshake datagrams kept for the next turns; more are dropped, clients repeat.
const MAX_DEFERRED: usize = 512;
/// Addresses of one client; the oldest is forgotten.
const MAX_ADDRESSES: usize = 8;

impl Shard {
    pub(super) fn receive(&mut self, now: Instant, readable: &mut [bool; 2]) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut metas = std::mem::take(&mut self.metas);
        for (v6, flag) in [false, true].into_iter().zip(readable) {
            for _ in 0..RECV_ROUNDS {
                if !*flag {
                    break;
                }
                let Some(socket) = self.sockets.family(v6) else {
                    *flag = false;
                    break;
                };
                match sys::receive(socket, &mut buffer, &mut metas) {
                    Ok(count) => {
                        // Fewer than asked for: the kernel has no more now, and will
                        // tell when it does.
                        *flag = count >= RECV_MESSAGES;
                        self.take_batch(now, &buffer, &metas);
                    }
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => *flag = false, // empty, or an error the socket has now reported
                }
            }
        }
        self.buffer = buffer;
        self.metas = metas;
    }

    /// Sorts a batch by peer, then feeds: a connection's state is touched once.
    pub(super) fn take_batch(&mut self, now: Instant, buffer: &[u8], metas: &[RecvMeta]) {
        for (slot, meta) in buffer.chunks_exact(RECV_SLOT).enumerate().zip(metas) {
            let (index, slot) = slot;
            let Some(contents) = slot.get(..meta.len) else {
                continue;
            };
            let mut at = index * RECV_SLOT;
            for datagram in contents.chunks(meta.segment.max(1)) {
                self.stats.datagrams_in += 1;
                self.stats.bytes_in += datagram.len() as u64;
                self.demux(now, meta, datagram, at);
                at += datagram.len();
            }
        }
        let mut feeds = std::mem::take(&mut self.feeds);
        feeds.sort_by_key(|feed| feed.peer);
        for group in feeds.chunks(TOGETHER) {
            self.warm(group.iter().map(|feed| feed.peer));
            for feed in group {
                if let Some(bytes) = buffer.get(feed.at..feed.at + feed.len) {
                    self.feed(
                        now,
                        feed.way,
                        feed.peer,
                        feed.source,
                        feed.destination,
                        bytes,
                    );
                }
            }
        }
        feeds.clear();
        self.feeds = feeds;
    }

    pub(super) fn demux(&mut self, now: Instant, meta: &RecvMeta, bytes: &[u8], at: usize) {
        let class = classify(bytes);
        if class == Datagram::Unknown {
            self.stats.drops.unknown_datagram += 1;
            return;
        }
        let source = meta.source;
        let Some(destination) = meta
            .local
            .and_then(|local| self.shared.local.announced_for(local))
        else {
            self.stats.drops.unannounced += 1;
            return;
        };
        let request = (class == Datagram::Stun)
            .then(|| BindingRequest::peek(bytes))
            .flatten();
        let owner = match request {
            Some(request) => self.owner_of(now, meta, &request, bytes),
            None => self.addresses.get(&source).copied(),
        };
        let Some(peer) = owner else {
            if request.is_none() {
                self.pass_on(meta, bytes);
            }
            return;
        };
        let feed = Feed {
            way: Way::Udp,
            peer,
            source,
            destination,
            at,
            len: bytes.len(),
        };
        if class == Datagram::Dtls && self.over_budget(&feed, bytes) {
            return;
        }
        self.feeds.push(feed);
    }

    /// Finds whom a STUN request is for and whether it is authentic; adopts a
    /// pending peer, hands over a request for a peer of another shard.
    pub(super) fn owner_of(
        &mut self,
        now: Instant,
        meta: &RecvMeta,
        request: &BindingRequest<'_>,
        bytes: &[u8],
    ) -> Option<PeerId> {
        if let Some(peer) = self.ufrags.get(request.local_ufrag).copied() {
            return self.prove(now, peer, meta.source, request).then_some(peer);
        }
        match self.shared.registry.find(self.id, request) {
            Found::Adopted(session) => {
                let peer = self.adopt(now, session);
                self.prove(now, peer, meta.source, request).then_some(peer)
            }
            Found::Elsewhere(shard) => {
                self.hand_over(shard, meta, bytes);
                None
            }
            Found::BadIntegrity => {
                self.stats.drops.bad_integrity += 1;
                None
            }
            Found::Unknown => {
                self.stats.drops.unknown_ufrag += 1;
                None
            }
        }
    }

    /// Checks a request's integrity and takes its source as the peer's address.
    pub(super) fn prove(
        &mut self,
        now: Instant,
        peer: PeerId,
        source: SocketAddr,
        request: &BindingRequest<'_>,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return false;
        };
        if !session.verifies(request) {
            self.stats.drops.bad_integrity += 1;
            return false;
        }
        session.last_heard = now;
        if !session.addresses.contains(&source) {
            if session.addresses.len() >= MAX_ADDRESSES {
                let oldest = session.addresses.remove(0);
                self.addresses.remove(&oldest);
            }
            session.addresses.push(source);
        }
        self.addresses.insert(source, peer);
        self.foreign.remove(&source);
        true
    }

    pub(super) fn pass_on(&mut self, meta: &RecvMeta, bytes: &[u8]) {
        match self.foreign.get(&meta.source).map(|(shard, _)| *shard) {
            Some(shard) => self.hand_over(shard, meta, bytes),
            None => self.stats.drops.unknown_address += 1,
        }
    }

    pub(super) fn hand_over(&mut self, to: ShardId, meta: &RecvMeta, bytes: &[u8]) {
        if let Some(local) = meta.local
            && to != self.id
        {
            let datagram = ShardMessage::Datagram {
                source: meta.source,
                local,
                bytes: bytes.into(),
            };
            self.tell(to, datagram);
        }
    }

    /// Whether a handshake datagram must wait for another turn (it is kept, or
    /// dropped when too many wait).
    pub(super) fn over_budget(&mut self, feed: &Feed, bytes: &[u8]) -> bool {
        if self.sessions.get(&feed.peer).is_none_or(|s| s.connected) {
            return false;
        }
        self.handshakes += 1;
        if self.handshakes <= HANDSHAKES_PER_TURN && self.deferred.is_empty() {
            return false;
        }
        if self.deferred.len() >= MAX_DEFERRED {
            self.stats.drops.handshake_budget += 1;
        } else {
            self.deferred.push_back(Deferred {
                way: feed.way,
                peer: feed.peer,
                source: feed.source,
                destination: feed.destination,
                bytes: bytes.into(),
            });
        }
        true
    }

    pub(super) fn feed_deferred(&mut self, now: Instant) {
        for _ in 0..HANDSHAKES_PER_TURN {
            let Some(d) = self.deferred.pop_front() else {
                return;
            };
            self.handshakes += 1;
            self.feed(now, d.way, d.peer, d.source, d.destination, &d.bytes);
        }
    }

    pub(super) fn feed(
        &mut self,
        now: Instant,
        way: Way,
        peer: PeerId,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        self.on_session(now, peer, |session, sink| {
            session.receive(now, way, source, destination, bytes, sink)
        });
    }
}
