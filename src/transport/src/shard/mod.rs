//! One shard: its sockets, connections, timers and forwarding core. A turn goes
//! commands → other shards → datagrams → sources → core → visits → flush; nothing
//! in it waits for another thread.

mod demux;
mod neighbours;
mod pressure;
mod rescue;
mod sessions;
mod streams;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lophoc_media::core::{CoreConfig, Output, ShardCore, TOGETHER};
use lophoc_media::idmap::IdMap;
use lophoc_media::types::{Epoch, Forward, PeerId, ShardId};
use str0m::net::Protocol;

pub(crate) use pressure::Pressure;
use pressure::Scale;

use crate::api::{ConnectError, Connected, DisconnectReason, MediaEvent};
use crate::batch::SendBatch;
use crate::egress::direct::Path;
use crate::egress::{AnyEgress, Egress};
use crate::load::LoadMeter;
use crate::mailbox::{Commands, Inbox, Mailbox, ShardMessage};
use crate::registry::Registry;
use crate::session::{Session, SessionEvent, Sink, Way};
use crate::stats::ShardStats;
use crate::sys::{self, RECV_MESSAGES, RECV_SLOT, RecvMeta};
use crate::tcp::links::Links;
use crate::timer::Timers;
use crate::udp::{LocalAddresses, Sockets};

/// Receivers visited per turn; the rest stays dirty.
const VISITS_PER_TURN: usize = 1_024;
/// Timers fired per turn.
const TIMERS_PER_TURN: usize = 1_024;
/// An address of another shard is forgotten after this long without a proof.
const FOREIGN_LIFETIME: Duration = Duration::from_secs(60);
/// Longest packet written for a TCP connection; longer ones are refused on arrival.
const MAX_PACKET: usize = 1_600;
/// Interval of the sweep: silence, statistics.
const SWEEP: Duration = Duration::from_secs(1);
/// The quality of connections is told once in so many sweeps.
const QUALITY_SWEEPS: u32 = 5;

/// What all shards and the handle share.
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) on_event: Box<dyn Fn(MediaEvent) + Send + Sync>,
    pub(crate) local: LocalAddresses,
    pub(crate) stats: Vec<Mutex<ShardStats>>,
    pub(crate) pressure: Vec<Pressure>,
    pub(crate) silence_limit: Duration,
    /// Share of its time from which a shard is overloaded, per mille.
    pub(crate) overload_at: u16,
}

/// A handshake datagram above the budget of its turn.
struct Deferred {
    way: Way,
    peer: PeerId,
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Box<[u8]>,
}

/// A datagram of a known peer, waiting for its session's turn.
struct Feed {
    way: Way,
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
    /// What a core is made of, and the start all shards share.
    core_config: CoreConfig,
    start: Instant,
    egress: AnyEgress,
    timers: Timers,
    sessions: IdMap<PeerId, Box<Session>>,
    ufrags: HashMap<String, PeerId>,
    addresses: HashMap<SocketAddr, PeerId>,
    foreign: HashMap<SocketAddr, (ShardId, Instant)>,
    links: Links,
    stream_buffer: Vec<u8>,
    deferred: VecDeque<Deferred>,
    handshakes: usize,
    buffer: Vec<u8>,
    metas: Vec<RecvMeta>,
    feeds: Vec<Feed>,
    pending: Vec<Forward>,
    events: Vec<SessionEvent>,
    load: LoadMeter,
    stats: ShardStats,
    scale: Scale,
    sweeps: u32,
    next_sweep: Instant,
}

/// Collects what a session puts out during one call.
struct Outlet<'a> {
    now: Instant,
    links: &'a mut Links,
    batch: &'a mut SendBatch,
    local: &'a LocalAddresses,
    events: &'a mut Vec<SessionEvent>,
}

impl Sink for Outlet<'_> {
    fn transmit(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        let from = self.local.source_for(source.ip());
        self.batch.push(destination, from, bytes);
    }

    fn packet(
        &mut self,
        path: &Path,
        len: usize,
        vital: bool,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        if path.protocol == Protocol::Udp {
            let from = self.local.source_for(path.source.ip());
            return self.batch.push_with(path.destination, from, len, fill);
        }
        let mut space = [0; MAX_PACKET];
        let Some(bytes) = space.get_mut(..len) else {
            return false;
        };
        let filled = fill(bytes);
        if filled {
            self.stream(path.source, path.destination, vital, bytes);
        }
        filled
    }

    fn stream(&mut self, source: SocketAddr, destination: SocketAddr, vital: bool, bytes: &[u8]) {
        self.links
            .queue(self.now, destination, source, vital, bytes);
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
            core: ShardCore::new(core.clone(), start),
            core_config: core,
            start,
            egress: AnyEgress,
            timers: Timers::default(),
            sessions: IdMap::default(),
            ufrags: HashMap::new(),
            addresses: HashMap::new(),
            foreign: HashMap::new(),
            links: Links::default(),
            stream_buffer: Vec::new(),
            deferred: VecDeque::new(),
            handshakes: 0,
            buffer: vec![0; RECV_MESSAGES * RECV_SLOT],
            metas: Vec::with_capacity(RECV_MESSAGES),
            feeds: Vec::new(),
            pending: Vec::new(),
            events: Vec::new(),
            load: LoadMeter::new(start),
            stats: ShardStats::default(),
            scale: Scale::new(shared.overload_at),
            sweeps: 0,
            next_sweep: start + SWEEP,
            shared,
        }
    }

    /// Least time from turn to turn.
    pub(crate) fn rest(&self) -> Duration {
        self.load.rest()
    }

    /// A turn is done.
    pub(crate) fn worked(&mut self, now: Instant) {
        self.load.turn(now, sys::thread_time);
        self.core.set_gather(self.load.gather());
    }

    /// The shard's sockets, for its poller.
    pub(crate) fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// The shard's TCP connections, for its poller.
    pub(crate) fn links(&mut self) -> &mut Links {
        &mut self.links
    }

    /// Letter box of this shard.
    pub(crate) fn mailbox(&self) -> Option<&Mailbox> {
        self.shared.mailboxes.get(usize::from(self.id.0))
    }

    /// When the next turn is due at the latest. `None`: at once.
    pub(crate) fn next_turn(&self) -> Option<Instant> {
        if !self.deferred.is_empty() || self.links.has_ready() {
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
        self.read_streams(now);
        self.fire_timers(now);
        if self.core.next_deadline() <= now {
            self.core.tick(now);
        }
        self.take_outputs(now);
        self.visit_receivers(now);
        // Visits bring estimates and ends of sessions, to which the core reacts.
        self.take_outputs(now);
        self.batch.flush(&self.sockets);
        self.flush_streams(now);
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
            #[cfg(test)]
            assert_ne!(candidate, "panic in the shard", "provoked by a test");
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
        // Before the view: nothing of it may come from those taken away.
        if let Some(listed) = &command.listed {
            session.listed.clone_from(listed);
            if session.connected {
                self.core.set_listed(now, peer, listed.clone());
            }
        }
        if let Some(group) = command.group {
            session.group = group;
            if session.connected {
                self.core.set_group(now, peer, group);
            }
        }
        if let Some(view) = &command.view {
            session.view.clone_from(view);
            if session.connected {
                self.core.set_view(now, peer, view.clone());
            }
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
                Output::Wanted {
                    peer,
                    bits_per_second,
                    gently,
                } => self.on_session(now, peer, |session, sink| {
                    session.set_wanted(bits_per_second, gently);
                    session.timeout(now, sink)
                }),
                Output::Rung { peer, rung, reason } => {
                    self.emit(MediaEvent::Rung { peer, rung, reason });
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
        for _ in 0..VISITS_PER_TURN / TOGETHER {
            let group: [_; TOGETHER] = std::array::from_fn(|_| self.core.next_dirty());
            self.warm(group.into_iter().flatten());
            for peer in group.into_iter().flatten() {
                self.core.drain_pending(peer, &mut pending);
                self.on_session(now, peer, |session, sink| {
                    egress.visit(now, session, &mut pending, sink)
                });
                pending.clear();
                if self.batch.wants_flush() {
                    self.batch.flush(&self.sockets);
                }
            }
            if group.last().is_none_or(Option::is_none) {
                break;
            }
        }
        self.egress = egress;
        self.pending = pending;
    }

    /// Brings what belongs to some sessions into the processor's cache, for all of
    /// them at once: with hundreds of receivers it is in none when a visit begins, and
    /// one after the other each would wait for memory a dozen times.
    pub(super) fn warm(&self, peers: impl Iterator<Item = PeerId>) {
        let mut found: [Option<&Session>; TOGETHER] = [None; TOGETHER];
        for (place, peer) in found.iter_mut().zip(peers) {
            *place = self.sessions.get(&peer).map(|session| &**session);
        }
        let sum = (0..3)
            .flat_map(|depth| found.iter().flatten().map(move |s| s.warm(depth)))
            .fold(0, |sum, one| sum ^ one);
        std::hint::black_box(sum);
    }

    // --- once a second

    fn sweep(&mut self, now: Instant) {
        let silent: Vec<PeerId> = self
            .sessions
            .values()
            .filter(|s| now.saturating_duration_since(s.last_heard) > self.shared.silence_limit)
            .map(|s| s.peer)
            .collect();
        for peer in silent {
            self.end(now, peer, DisconnectReason::TimedOut);
        }
        self.sweep_streams(now);
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
        self.weigh(now);
        self.batch.flush(&self.sockets);
        self.publish_stats();
        self.publish_quality();
    }

    /// Every few sweeps: a desk wants no more.
    fn publish_quality(&mut self) {
        self.sweeps = self.sweeps.wrapping_add(1);
        if self.sweeps.is_multiple_of(QUALITY_SWEEPS) && !self.sessions.is_empty() {
            let list = self
                .sessions
                .values()
                .map(|session| (session.peer, session.report.quality()))
                .collect();
            self.emit(MediaEvent::Quality { list });
        }
    }

    fn publish_stats(&mut self) {
        let mut stats = self.stats.clone();
        stats.add_live(self.sessions.values().map(|s| (&s.counters, &s.report)));
        stats.add_core(&self.core.stats());
        stats.add_sent(&self.batch.counters, self.batch.gso());
        stats.add_links(&self.links.counters);
        stats.load = f64::from(self.load.load());
        if let Some(mailbox) = self.mailbox() {
            stats.queue_depth = mailbox.depth() as u64;
            stats.command_depth = mailbox.command_depth() as u64;
        }
        if let Some(place) = self.shared.stats.get(usize::from(self.id.0)) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        }
    }
}
