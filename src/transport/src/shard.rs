//! One shard: its sockets, connections, timers and forwarding core. A turn goes
//! commands → other shards → datagrams → sources → core → visits → flush; nothing
//! in it waits for another thread.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::core::{CoreConfig, Output, PeerSpec, ShardCore};
use lophoc_media::types::{Epoch, Forward, PeerId, ShardId};

use crate::api::{ConnectError, Connected, DisconnectReason, MediaEvent};
use crate::batch::SendBatch;
use crate::egress::{Egress, EngineEgress};
use crate::mailbox::{Commands, Inbox, Lost, Mailbox, ShardMessage};
use crate::registry::{Found, Registry};
use crate::session::{Session, SessionError, SessionEvent, Sink};
use crate::stats::ShardStats;
use crate::stun::BindingRequest;
use crate::sys::{self, RECV_MESSAGES, RECV_SLOT, RecvMeta};
use crate::timer::Timers;
use crate::udp::{LocalAddresses, Sockets};

/// Receive calls per socket and turn; what is left waits in the kernel.
const RECV_ROUNDS: usize = 4;
/// Handshake datagrams per turn; each may cost a millisecond of cryptography.
const HANDSHAKES_PER_TURN: usize = 8;
/// Handshake datagrams kept for the next turns; more are dropped, clients repeat.
const MAX_DEFERRED: usize = 512;
/// Messages of other shards per turn.
const MESSAGES_PER_TURN: usize = 2_048;
/// Receivers visited per turn; the rest stays dirty.
const VISITS_PER_TURN: usize = 1_024;
/// Timers fired per turn.
const TIMERS_PER_TURN: usize = 1_024;
/// Addresses of one client; the oldest is forgotten.
const MAX_ADDRESSES: usize = 8;
/// Addresses known to belong to other shards; more are not remembered.
const MAX_FOREIGN: usize = 16_384;
/// An address of another shard is forgotten after this long without a proof.
const FOREIGN_LIFETIME: Duration = Duration::from_secs(60);
/// Interval of the sweep: silence, statistics.
const SWEEP: Duration = Duration::from_secs(1);

/// What all shards and the handle share.
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) on_event: Box<dyn Fn(MediaEvent) + Send + Sync>,
    pub(crate) local: LocalAddresses,
    pub(crate) stats: Vec<Mutex<ShardStats>>,
}

/// A handshake datagram above the budget of its turn.
struct Deferred {
    peer: PeerId,
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Box<[u8]>,
}

/// A datagram of a known peer, waiting for its session's turn.
struct Feed {
    peer: PeerId,
    source: SocketAddr,
    destination: SocketAddr,
    at: usize,
    len: usize,
}

/// One shard.
pub(crate) struct Shard {
    id: ShardId,
    shared: Arc<Shared>,
    inbox: Inbox,
    sockets: Sockets,
    batch: SendBatch,
    core: ShardCore,
    egress: EngineEgress,
    timers: Timers,
    sessions: HashMap<PeerId, Box<Session>>,
    ufrags: HashMap<String, PeerId>,
    addresses: HashMap<SocketAddr, PeerId>,
    foreign: HashMap<SocketAddr, (ShardId, Instant)>,
    deferred: VecDeque<Deferred>,
    handshakes: usize,
    buffer: Vec<u8>,
    metas: Vec<RecvMeta>,
    feeds: Vec<Feed>,
    pending: Vec<Forward>,
    events: Vec<SessionEvent>,
    stats: ShardStats,
    next_sweep: Instant,
}

/// Collects what a session puts out during one call.
struct Outlet<'a> {
    batch: &'a mut SendBatch,
    local: &'a LocalAddresses,
    events: &'a mut Vec<SessionEvent>,
}

impl Sink for Outlet<'_> {
    fn transmit(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        let from = self.local.source_for(source.ip());
        self.batch.push(destination, from, bytes);
    }

    fn event(&mut self, event: SessionEvent) {
        self.events.push(event);
    }
}

impl Shard {
    pub(crate) fn new(
        id: ShardId,
        shared: Arc<Shared>,
        inbox: Inbox,
        sockets: Sockets,
        gso: bool,
        core: CoreConfig,
        start: Instant,
    ) -> Self {
        Self {
            id,
            inbox,
            batch: SendBatch::new(gso && sockets.gso),
            sockets,
            core: ShardCore::new(core, start),
            egress: EngineEgress,
            timers: Timers::default(),
            sessions: HashMap::new(),
            ufrags: HashMap::new(),
            addresses: HashMap::new(),
            foreign: HashMap::new(),
            deferred: VecDeque::new(),
            handshakes: 0,
            buffer: vec![0; RECV_MESSAGES * RECV_SLOT],
            metas: Vec::with_capacity(RECV_MESSAGES),
            feeds: Vec::new(),
            pending: Vec::new(),
            events: Vec::new(),
            stats: ShardStats::default(),
            next_sweep: start + SWEEP,
            shared,
        }
    }

    /// The shard's sockets, for its poller.
    pub(crate) fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// Letter box of this shard.
    pub(crate) fn mailbox(&self) -> Option<&Mailbox> {
        self.shared.mailboxes.get(usize::from(self.id.0))
    }

    /// When the next turn is due at the latest. `None`: at once.
    pub(crate) fn next_turn(&self) -> Option<Instant> {
        if !self.deferred.is_empty() {
            return None;
        }
        let mut next = self.next_sweep.min(self.core.next_deadline());
        for at in [self.timers.next(), self.core.flush_by()]
            .into_iter()
            .flatten()
        {
            next = next.min(at);
        }
        Some(next)
    }

    /// One turn. `readable` tells which sockets (IPv4, IPv6) may hold datagrams;
    /// a flag stays set when some were left.
    pub(crate) fn turn(&mut self, now: Instant, readable: &mut [bool; 2]) {
        self.handshakes = 0;
        self.apply_commands(now);
        self.feed_deferred(now);
        self.take_messages(now);
        self.receive(now, readable);
        self.fire_timers(now);
        if self.core.next_deadline() <= now {
            self.core.tick(now);
        }
        self.take_outputs(now);
        self.visit_receivers(now);
        self.batch.flush(&self.sockets);
        if self.next_sweep <= now {
            self.next_sweep = now + SWEEP;
            self.sweep(now);
        }
    }

    /// Ends all connections.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        let peers: Vec<PeerId> = self.sessions.keys().copied().collect();
        for peer in peers {
            self.end(now, peer, DisconnectReason::Shutdown);
            if self.batch.wants_flush() {
                self.batch.flush(&self.sockets);
            }
        }
        self.batch.flush(&self.sockets);
        self.publish_stats();
    }

    fn emit(&self, event: MediaEvent) {
        (self.shared.on_event)(event);
    }

    // --- commands

    fn apply_commands(&mut self, now: Instant) {
        let Some(commands) = self.mailbox().and_then(Mailbox::take_commands) else {
            return;
        };
        for ((peer, epoch), command) in commands {
            self.apply(now, peer, epoch, command);
        }
    }

    fn apply(&mut self, now: Instant, peer: PeerId, epoch: Epoch, command: Commands) {
        let current = self.sessions.get(&peer).is_some_and(|s| s.epoch == epoch);
        if !current {
            if let Some((_, reply)) = command.restart {
                reply(Err(ConnectError::UnknownPeer));
            }
            return;
        }
        if let Some(reason) = command.disconnect {
            if let Some((_, reply)) = command.restart {
                reply(Err(ConnectError::UnknownPeer));
            }
            self.end(now, peer, reason);
            return;
        }
        self.set_wishes(now, peer, &command);
        for candidate in &command.candidates {
            self.on_session(now, peer, |session, sink| {
                session.add_candidate(candidate);
                session.timeout(now, sink)
            });
        }
        if let Some((offer, reply)) = command.restart {
            reply(self.restart(now, peer, &offer));
        }
    }

    fn set_wishes(&mut self, now: Instant, peer: PeerId, command: &Commands) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        if let Some(allow) = command.allow {
            session.allow = allow;
            if session.connected {
                self.core.set_allow(now, peer, allow);
            }
        }
        if let Some(view) = &command.view {
            session.set_desired(view);
            session.view.clone_from(view);
            if session.connected {
                self.core.set_view(now, peer, view.clone());
            }
            let (epoch, deadline) = (session.epoch, session.deadline);
            self.timers.arm(peer, epoch, deadline, &mut session.armed);
        }
    }

    fn restart(
        &mut self,
        now: Instant,
        peer: PeerId,
        offer: &str,
    ) -> Result<Connected, ConnectError> {
        let session = self
            .sessions
            .get_mut(&peer)
            .ok_or(ConnectError::UnknownPeer)?;
        let old = session.ufrag.clone();
        let result = session.restart(offer);
        let connected = result.map(|answer_sdp| Connected {
            answer_sdp,
            epoch: session.epoch,
            mids: session.mids().clone(),
        });
        match &connected {
            Ok(_) if session.ufrag != old => {
                let (epoch, ufrag) = (session.epoch, session.ufrag.clone());
                self.shared.registry.rename(peer, epoch, &ufrag);
                self.ufrags.remove(&old);
                self.ufrags.insert(ufrag, peer);
            }
            Err(ConnectError::Internal) => self.end(now, peer, DisconnectReason::Failed),
            _ => {}
        }
        self.on_session(now, peer, |session, sink| session.timeout(now, sink));
        connected
    }

    // --- other shards

    fn take_messages(&mut self, now: Instant) {
        for _ in 0..MESSAGES_PER_TURN {
            let next = self
                .shared
                .mailboxes
                .get(usize::from(self.id.0))
                .and_then(|mailbox| mailbox.receive(&self.inbox));
            match next {
                Some((from, ShardMessage::Relay(msg))) => self.core.relay_in(now, from, msg),
                Some((from, ShardMessage::Owned(address))) => {
                    self.learn_foreign(now, from, address)
                }
                Some((
                    from,
                    ShardMessage::Datagram {
                        source,
                        local,
                        bytes,
                    },
                )) => self.handed_over(now, from, source, local, &bytes),
                None => return,
            }
        }
        // More is waiting: come back at once.
        if let Some(mailbox) = self.mailbox() {
            mailbox.wake();
        }
    }

    fn learn_foreign(&mut self, now: Instant, from: ShardId, address: SocketAddr) {
        if self.foreign.len() >= MAX_FOREIGN && !self.foreign.contains_key(&address) {
            return;
        }
        self.addresses.remove(&address);
        self.foreign.insert(address, (from, now));
    }

    /// A datagram that reached another shard's socket but is for a peer of ours.
    fn handed_over(
        &mut self,
        now: Instant,
        from: ShardId,
        source: SocketAddr,
        local: IpAddr,
        bytes: &[u8],
    ) {
        let Some(destination) = self.shared.local.announced_for(local) else {
            return;
        };
        if let Some(request) = BindingRequest::peek(bytes) {
            let Some(peer) = self.ufrags.get(request.local_ufrag).copied() else {
                self.stats.drops.unknown_ufrag += 1;
                return;
            };
            if !self.prove(now, peer, source, &request) {
                return;
            }
            self.tell(from, ShardMessage::Owned(source));
            self.feed(now, peer, source, destination, bytes);
        } else if let Some(peer) = self.addresses.get(&source).copied() {
            self.feed(now, peer, source, destination, bytes);
        } else {
            self.stats.drops.unknown_address += 1;
        }
    }

    fn tell(&mut self, to: ShardId, message: ShardMessage) {
        let datagram = matches!(message, ShardMessage::Datagram { .. });
        let Some(mailbox) = self.shared.mailboxes.get(usize::from(to.0)) else {
            return;
        };
        match mailbox.send(self.id, message) {
            Ok(()) if datagram => self.stats.handed_over += 1,
            Ok(()) => self.stats.relayed += 1,
            Err(Lost::Media) if datagram => self.stats.drops.handover_full += 1,
            Err(Lost::Media) => self.stats.drops.relay_full += 1,
            Err(Lost::Control) => self.stats.drops.relay_control_lost += 1,
        }
    }

    // --- datagrams

    fn receive(&mut self, now: Instant, readable: &mut [bool; 2]) {
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
                    Ok(_) => self.take_batch(now, &buffer, &metas),
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => *flag = false, // empty, or an error the socket has now reported
                }
            }
        }
        self.buffer = buffer;
        self.metas = metas;
    }

    /// Sorts a batch by peer, then feeds: a connection's state is touched once.
    fn take_batch(&mut self, now: Instant, buffer: &[u8], metas: &[RecvMeta]) {
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
        for feed in feeds.drain(..) {
            if let Some(bytes) = buffer.get(feed.at..feed.at + feed.len) {
                self.feed(now, feed.peer, feed.source, feed.destination, bytes);
            }
        }
        self.feeds = feeds;
    }

    fn demux(&mut self, now: Instant, meta: &RecvMeta, bytes: &[u8], at: usize) {
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
    fn owner_of(
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
    fn prove(
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

    fn pass_on(&mut self, meta: &RecvMeta, bytes: &[u8]) {
        match self.foreign.get(&meta.source).map(|(shard, _)| *shard) {
            Some(shard) => self.hand_over(shard, meta, bytes),
            None => self.stats.drops.unknown_address += 1,
        }
    }

    fn hand_over(&mut self, to: ShardId, meta: &RecvMeta, bytes: &[u8]) {
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
    fn over_budget(&mut self, feed: &Feed, bytes: &[u8]) -> bool {
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
                peer: feed.peer,
                source: feed.source,
                destination: feed.destination,
                bytes: bytes.into(),
            });
        }
        true
    }

    fn feed_deferred(&mut self, now: Instant) {
        for _ in 0..HANDSHAKES_PER_TURN {
            let Some(d) = self.deferred.pop_front() else {
                return;
            };
            self.handshakes += 1;
            self.feed(now, d.peer, d.source, d.destination, &d.bytes);
        }
    }

    fn feed(
        &mut self,
        now: Instant,
        peer: PeerId,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        self.on_session(now, peer, |session, sink| {
            session.receive(now, source, destination, bytes, sink)
        });
    }

    // --- sessions

    fn adopt(&mut self, now: Instant, session: Box<Session>) -> PeerId {
        let peer = session.peer;
        if self.sessions.contains_key(&peer) {
            self.end(now, peer, DisconnectReason::Replaced);
        }
        self.ufrags.insert(session.ufrag.clone(), peer);
        self.sessions.insert(peer, session);
        peer
    }

    /// Runs engine code of one session, then acts on its events and re-arms its
    /// timer. An error or a panic ends this session and no other.
    fn on_session(
        &mut self,
        now: Instant,
        peer: PeerId,
        work: impl FnOnce(&mut Session, &mut Outlet<'_>) -> Result<(), SessionError>,
    ) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        let mut sink = Outlet {
            batch: &mut self.batch,
            local: &self.shared.local,
            events: &mut self.events,
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(session, &mut sink)));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(peer = peer.0, %error, "media session failed");
                self.events.push(SessionEvent::Closed);
            }
            Err(_) => {
                self.stats.panics += 1;
                tracing::error!(peer = peer.0, "a media session panicked and was dropped");
                self.events.clear();
                self.drop_session(now, peer, DisconnectReason::Failed);
                return;
            }
        }
        if !self.events.is_empty() {
            self.handle_events(now, peer);
        }
        if let Some(session) = self.sessions.get_mut(&peer) {
            let (epoch, deadline) = (session.epoch, session.deadline);
            self.timers.arm(peer, epoch, deadline, &mut session.armed);
        }
    }

    fn handle_events(&mut self, now: Instant, peer: PeerId) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                SessionEvent::Rtp { kind, packet } => self.core.ingest(now, peer, kind, packet),
                SessionEvent::KeyframeWanted(slot) => {
                    self.stats.keyframe_requests_heard += 1;
                    self.core.keyframe_request(now, peer, slot);
                }
                SessionEvent::Estimate(bits) => self.core.set_estimate(now, peer, bits),
                SessionEvent::Connected => self.connected(now, peer),
                SessionEvent::Closed => self.end(now, peer, DisconnectReason::ClosedByPeer),
            }
        }
        // Ending a session may have queued events of its own; none matter any more.
        self.events = events;
    }

    fn connected(&mut self, now: Instant, peer: PeerId) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        let view = session.view.clone();
        session.set_desired(&view);
        let epoch = session.epoch;
        self.core.add_peer(
            now,
            PeerSpec {
                room: session.room,
                peer,
                epoch,
                slots: session.slots,
                allow: session.allow,
            },
        );
        self.core.set_estimate(now, peer, session.report.estimate);
        self.core.set_view(now, peer, view);
        self.emit(MediaEvent::Connected { peer, epoch });
    }

    /// Ends a connection with a goodbye.
    fn end(&mut self, now: Instant, peer: PeerId, reason: DisconnectReason) {
        if let Some(session) = self.sessions.get_mut(&peer) {
            let mut ignored = Vec::new();
            let mut sink = Outlet {
                batch: &mut self.batch,
                local: &self.shared.local,
                events: &mut ignored,
            };
            let closed = catch_unwind(AssertUnwindSafe(|| session.close(now, &mut sink)));
            self.stats.panics += u64::from(closed.is_err());
            self.drop_session(now, peer, reason);
        }
    }

    fn drop_session(&mut self, now: Instant, peer: PeerId, reason: DisconnectReason) {
        let Some(session) = self.sessions.remove(&peer) else {
            return;
        };
        self.stats.add_session(&session.counters);
        self.ufrags.remove(&session.ufrag);
        for address in &session.addresses {
            if self.addresses.get(address) == Some(&peer) {
                self.addresses.remove(address);
            }
        }
        let epoch = session.epoch;
        self.core.remove_peer(now, peer, epoch);
        self.shared.registry.remove(peer, epoch);
        // Engine state may be in disorder after a panic; so may its destructor be.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(session)));
        self.stats.panics += u64::from(dropped.is_err());
        self.emit(MediaEvent::Disconnected {
            peer,
            epoch,
            reason,
        });
    }

    // --- time

    fn fire_timers(&mut self, now: Instant) {
        for _ in 0..TIMERS_PER_TURN {
            let Some(alarm) = self.timers.pop_due(now) else {
                return;
            };
            let Some(session) = self.sessions.get_mut(&alarm.peer) else {
                continue;
            };
            if session.epoch != alarm.epoch || session.armed != Some(alarm.at) {
                continue;
            }
            session.armed = None;
            if session.deadline <= now {
                self.on_session(now, alarm.peer, |session, sink| session.timeout(now, sink));
            } else {
                let deadline = session.deadline;
                self.timers
                    .arm(alarm.peer, alarm.epoch, deadline, &mut session.armed);
            }
            if self.batch.wants_flush() {
                self.batch.flush(&self.sockets);
            }
        }
    }

    // --- core

    fn take_outputs(&mut self, now: Instant) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::RequestKeyframe { peer, kind, layer } => {
                    self.stats.keyframe_requests_sent += 1;
                    self.on_session(now, peer, |session, sink| {
                        session.request_keyframe(kind, layer);
                        session.timeout(now, sink)
                    });
                }
                Output::Relay { to, msg } => self.tell(to, ShardMessage::Relay(msg)),
                Output::Binding { peer, binding } => {
                    self.emit(MediaEvent::Binding { peer, binding });
                }
                Output::Levels { room, levels } => self.emit(MediaEvent::Levels { room, levels }),
                Output::TrackLive { peer, kind, live } => {
                    self.emit(MediaEvent::TrackLive { peer, kind, live });
                }
                Output::LayersWanted { peer, kind, layers } => {
                    self.emit(MediaEvent::LayersWanted { peer, kind, layers });
                }
            }
        }
    }

    /// Visits each receiver with pending packets once, unless all that is pending
    /// is the beginning of a frame whose end may come in time.
    fn visit_receivers(&mut self, now: Instant) {
        if self.core.flush_by().is_none_or(|at| at > now) {
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        let mut egress = std::mem::take(&mut self.egress);
        for _ in 0..VISITS_PER_TURN {
            let Some(peer) = self.core.next_dirty() else {
                break;
            };
            self.core.drain_pending(peer, &mut pending);
            self.on_session(now, peer, |session, sink| {
                egress.visit(now, session, &mut pending, sink)
            });
            pending.clear();
            if self.batch.wants_flush() {
                self.batch.flush(&self.sockets);
            }
        }
        self.egress = egress;
        self.pending = pending;
    }

    // --- once a second

    fn sweep(&mut self, now: Instant) {
        let silent: Vec<PeerId> = self
            .sessions
            .values()
            .filter(|s| now.saturating_duration_since(s.last_heard) > crate::SILENCE_LIMIT)
            .map(|s| s.peer)
            .collect();
        for peer in silent {
            self.end(now, peer, DisconnectReason::TimedOut);
        }
        self.foreign
            .retain(|_, (_, seen)| now.saturating_duration_since(*seen) < FOREIGN_LIFETIME);
        self.timers.compact(self.sessions.len(), || {
            self.sessions
                .values()
                .filter_map(|s| Some((s.armed?, s.peer, s.epoch)))
        });
        if self.id == ShardId(0) {
            for (peer, epoch) in self.shared.registry.expire(now, false) {
                self.emit(MediaEvent::Disconnected {
                    peer,
                    epoch,
                    reason: DisconnectReason::NeverConnected,
                });
            }
        }
        self.batch.flush(&self.sockets);
        self.publish_stats();
    }

    fn publish_stats(&mut self) {
        let mut stats = self.stats.clone();
        stats.add_live(self.sessions.values().map(|s| (&s.counters, &s.report)));
        stats.add_core(&self.core.stats());
        stats.add_sent(&self.batch.counters, self.batch.gso());
        if let Some(mailbox) = self.mailbox() {
            stats.queue_depth = mailbox.depth() as u64;
            stats.command_depth = mailbox.command_depth() as u64;
        }
        if let Some(place) = self.shared.stats.get(usize::from(self.id.0)) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        }
    }
}
