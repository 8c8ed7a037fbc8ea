//! TCP connections of this shard's peers: they come from the acceptor, are read
//! like sockets of their own, and end without ending the peer, who may come back
//! by another pair of addresses.

use std::net::SocketAddr;
use std::time::Instant;

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::types::{PeerId, ShardId};

use super::{Feed, Shard};
use crate::mailbox::ShardMessage;
use crate::registry::Found;
use crate::session::Way;
use crate::stun::BindingRequest;
use crate::tcp::links::{Closed, Heard, LinkId, READ_BYTES};
use crate::tcp::{Arrival, MAX_LINKS_OF_PEER};

impl Shard {
    /// Takes a connection whose first frame names a peer of ours, if that frame
    /// proves it; otherwise it is closed.
    pub(super) fn take_stream(&mut self, now: Instant, arrival: Box<Arrival>) {
        let Some(announced) = self.shared.local.announced_for(arrival.local) else {
            self.stats.drops.unannounced += 1;
            return;
        };
        let peer = match self.owner_of_stream(now, &arrival) {
            Ok(peer) => peer,
            Err(Some(shard)) if shard != self.id => {
                let mut arrival = arrival;
                arrival.permit.assign(usize::from(shard.0));
                self.tell(shard, ShardMessage::Stream(arrival));
                return;
            }
            Err(_) => return,
        };
        // The same ends again: the old connection is dead, whatever it thinks.
        if let Some(old) = self.links.between(arrival.remote, announced) {
            self.close_link(now, old);
        }
        let quietest = self
            .sessions
            .get(&peer)
            .filter(|session| session.streams.len() >= MAX_LINKS_OF_PEER)
            .and_then(|session| self.links.quietest(now, &session.streams));
        if let Some(quietest) = quietest {
            self.close_link(now, quietest);
        }
        let Arrival {
            stream,
            remote,
            first,
            rest,
            permit,
            ..
        } = *arrival;
        let ends = (remote, announced);
        let Ok(id) = self.links.add(now, peer, stream, ends, permit) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.streams.push(id);
        }
        self.take_frame(now, id, &first);
        self.cut(now, id, &rest);
    }

    /// The peer of ours a new connection proves to belong to, or the shard that
    /// may know it.
    fn owner_of_stream(
        &mut self,
        now: Instant,
        arrival: &Arrival,
    ) -> Result<PeerId, Option<ShardId>> {
        let request = BindingRequest::peek(&arrival.first).ok_or(None)?;
        let peer = match self.ufrags.get(request.local_ufrag).copied() {
            Some(peer) => peer,
            None => match self.shared.registry.find(self.id, &request) {
                Found::Adopted(session) => self.adopt(now, session),
                Found::Elsewhere(shard) => return Err(Some(shard)),
                Found::BadIntegrity => {
                    self.stats.drops.bad_integrity += 1;
                    return Err(None);
                }
                Found::Unknown => {
                    self.stats.drops.unknown_ufrag += 1;
                    return Err(None);
                }
            },
        };
        let known = self.sessions.get(&peer).map(|s| s.verifies(&request));
        if known != Some(true) {
            self.stats.drops.bad_integrity += 1;
            return Err(None);
        }
        Ok(peer)
    }

    /// Reads what the poller announced.
    pub(super) fn read_streams(&mut self, now: Instant) {
        if !self.links.has_ready() {
            return;
        }
        let mut buffer = std::mem::take(&mut self.stream_buffer);
        buffer.resize(READ_BYTES, 0);
        for id in self.links.take_ready() {
            let mut more = true;
            for _ in self.links.reads() {
                match self.links.read(now, id, &mut buffer) {
                    Heard::Bytes(count) => {
                        self.cut(now, id, buffer.get(..count).unwrap_or_default());
                    }
                    Heard::Nothing => more = false,
                    Heard::End => {
                        more = false;
                        self.close_link(now, id);
                    }
                }
                if !more {
                    break;
                }
            }
            if more {
                self.links.read_later(id);
            }
        }
        self.stream_buffer = buffer;
    }

    /// Cuts bytes of a connection into packets and acts on them.
    fn cut(&mut self, now: Instant, id: LinkId, bytes: &[u8]) {
        let Some(mut deframer) = self.links.lend_deframer(id) else {
            return;
        };
        let whole = deframer.push(bytes, |packet| self.take_frame(now, id, packet));
        self.links.give_back(id, deframer);
        if whole.is_err() {
            self.links.counters.too_long += 1;
            self.close_link(now, id);
        }
    }

    fn take_frame(&mut self, now: Instant, id: LinkId, bytes: &[u8]) {
        let Some((peer, source, destination)) = self.links.ends(id) else {
            return;
        };
        self.links.counters.packets_in += 1;
        let class = classify(bytes);
        if class == Datagram::Unknown {
            self.stats.drops.unknown_datagram += 1;
            return;
        }
        if class == Datagram::Stun
            && let Some(request) = BindingRequest::peek(bytes)
            && !self.is_of(now, peer, &request)
        {
            return;
        }
        let feed = Feed {
            way: Way::Tcp,
            peer,
            source,
            destination,
            at: 0,
            len: bytes.len(),
        };
        if class == Datagram::Dtls && self.over_budget(&feed, bytes) {
            return;
        }
        self.feed(now, Way::Tcp, peer, source, destination, bytes);
    }

    /// Whether a request on a connection is one of its peer.
    fn is_of(&mut self, now: Instant, peer: PeerId, request: &BindingRequest<'_>) -> bool {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return false;
        };
        if session.ufrag != request.local_ufrag {
            self.stats.drops.unknown_ufrag += 1;
            return false;
        }
        if !session.verifies(request) {
            self.stats.drops.bad_integrity += 1;
            return false;
        }
        session.last_heard = now;
        true
    }

    /// Closes a connection; its peer forgets the address.
    pub(super) fn close_link(&mut self, now: Instant, id: LinkId) {
        if let Some(closed) = self.links.close(id) {
            self.forget_link(now, &closed);
        }
    }

    fn forget_link(&mut self, now: Instant, closed: &Closed) {
        let Some(session) = self.sessions.get_mut(&closed.peer) else {
            return;
        };
        session.streams.retain(|id| *id != closed.id);
        let lost: SocketAddr = closed.remote;
        self.on_session(now, closed.peer, |session, sink| {
            session.lost_stream(lost);
            session.timeout(now, sink)
        });
    }

    /// Writes what this turn put out.
    pub(super) fn flush_streams(&mut self, now: Instant) {
        self.links.flush(now);
        while let Some(closed) = self.links.take_broken() {
            self.forget_link(now, &closed);
            // The end of one may be news for another.
            self.links.flush(now);
        }
    }

    /// Closes connections on which nothing comes or goes any more.
    pub(super) fn sweep_streams(&mut self, now: Instant) {
        for id in self.links.dead(now) {
            self.close_link(now, id);
        }
        self.flush_streams(now);
    }
}
