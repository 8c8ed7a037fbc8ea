//! The life of a session inside its shard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use lophoc_media::core::PeerSpec;
use lophoc_media::types::PeerId;

use super::{Outlet, Shard};
use crate::api::{DisconnectReason, MediaEvent};
use crate::session::{Session, SessionError, SessionEvent};

impl Shard {
    pub(super) fn adopt(&mut self, now: Instant, session: Box<Session>) -> PeerId {
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
    pub(super) fn on_session(
        &mut self,
        now: Instant,
        peer: PeerId,
        work: impl FnOnce(&mut Session, &mut Outlet<'_>) -> Result<(), SessionError>,
    ) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        let mut sink = Outlet {
            now,
            links: &mut self.links,
            batch: &mut self.batch,
            local: &self.shared.local,
            events: &mut self.events,
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(session, &mut sink)));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(peer = peer.0, %error, "media session failed");
                self.events.push(SessionEvent::Failed);
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

    pub(super) fn handle_events(&mut self, now: Instant, peer: PeerId) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                SessionEvent::Rtp { kind, packet } => self.core.ingest(now, peer, kind, packet),
                SessionEvent::KeyframeWanted(slot) => {
                    self.stats.keyframe_requests_heard += 1;
                    self.core.keyframe_request(now, peer, slot);
                }
                SessionEvent::Missed { slot, seq } => self.core.resend(now, peer, slot, seq),
                SessionEvent::Estimate(bits) => self.core.set_estimate(now, peer, bits),
                SessionEvent::Loss(permille) => self.core.set_loss(now, peer, permille),
                SessionEvent::Connected => self.connected(now, peer),
                SessionEvent::Closed => self.end(now, peer, DisconnectReason::ClosedByPeer),
                SessionEvent::Failed => self.end(now, peer, DisconnectReason::Failed),
            }
        }
        // Ending a session may have queued events of its own; none matter any more.
        self.events = events;
    }

    pub(super) fn connected(&mut self, now: Instant, peer: PeerId) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        let view = session.view.clone();
        // Until the core finds something to show.
        session.set_wanted(0, false);
        let (epoch, listed) = (session.epoch, session.listed.clone());
        self.core.add_listed_peer(
            now,
            PeerSpec {
                room: session.room,
                group: session.group,
                peer,
                epoch,
                slots: session.slots,
                allow: session.allow,
                red: session.takes_red(),
            },
            listed,
        );
        self.core.set_estimate(now, peer, session.report.estimate);
        self.core.set_view(now, peer, view);
        self.emit(MediaEvent::Connected { peer, epoch });
    }

    /// Ends a connection with a goodbye.
    pub(super) fn end(&mut self, now: Instant, peer: PeerId, reason: DisconnectReason) {
        if let Some(session) = self.sessions.get_mut(&peer) {
            let mut ignored = Vec::new();
            let mut sink = Outlet {
                now,
                links: &mut self.links,
                batch: &mut self.batch,
                local: &self.shared.local,
                events: &mut ignored,
            };
            let closed = catch_unwind(AssertUnwindSafe(|| session.close(now, &mut sink)));
            self.stats.panics += u64::from(closed.is_err());
            self.drop_session(now, peer, reason);
        }
    }

    pub(super) fn drop_session(&mut self, now: Instant, peer: PeerId, reason: DisconnectReason) {
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
        for link in &session.streams {
            self.links.finish(now, *link);
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
}
