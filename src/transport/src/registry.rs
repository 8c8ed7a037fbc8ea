//! Who is where: peers by number and by ICE user name, pending ones with their
//! built session. Looked at on connect, on STUN from a new address and on
//! commands; never per media packet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use lophoc_media::types::{Epoch, PeerId, ShardId};

use crate::session::Session;
use crate::stun::BindingRequest;

/// A peer whose first packet does not come in this time is forgotten.
pub(crate) const PENDING_LIFETIME: Duration = Duration::from_secs(30);

/// One of the bounded number of connections; given back when dropped.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where a connection lives.
enum State {
    /// Built, waiting for its first packet on any shard.
    Pending {
        session: Box<Session>,
        since: Instant,
    },
    /// Adopted.
    Live(ShardId),
}

struct Record {
    epoch: Epoch,
    /// The user name that is valid now.
    ufrag: String,
    state: State,
}

/// Answer to a STUN request from an address no shard table knows.
pub(crate) enum Found {
    /// The asking shard owns it from now on.
    Adopted(Box<Session>),
    /// Another shard owns it.
    Elsewhere(ShardId),
    /// Wrong password.
    BadIntegrity,
    /// Nobody has this user name.
    Unknown,
}

/// Whose a STUN request on a connection without a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The peer is pending and the password right: any shard may adopt it.
    Anyone,
    /// This shard has the peer and will look at the password.
    Shard(ShardId),
    /// Nobody, or the password is wrong.
    Nobody,
}

/// Where a command for a peer goes.
pub(crate) enum Route {
    /// To this shard, for this connection.
    Shard(ShardId, Epoch),
    /// Handled: the connection is still pending.
    Done,
    /// No such peer.
    Unknown,
}

/// What became of the connection that a new one replaced.
pub(crate) enum Replaced {
    /// There was none.
    Nothing,
    /// It was pending and is gone.
    Pending(Epoch),
    /// Its shard must end it.
    Live(ShardId, Epoch),
}

/// Table of all peers, bounded by the number of places.
pub(crate) struct Registry {
    peers: DashMap<PeerId, Record>,
    by_ufrag: DashMap<String, PeerId>,
    used: Arc<AtomicUsize>,
    max: usize,
    next_epoch: AtomicU32,
}

impl Registry {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            peers: DashMap::new(),
            by_ufrag: DashMap::new(),
            used: Arc::new(AtomicUsize::new(0)),
            max,
            next_epoch: AtomicU32::new(1),
        }
    }

    /// Takes a place; `None` when all are taken.
    pub(crate) fn reserve(&self) -> Option<Place> {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                (used < self.max).then_some(used + 1)
            })
            .ok()
            .map(|_| Place(self.used.clone()))
    }

    /// Number for a new connection.
    pub(crate) fn next_epoch(&self) -> Epoch {
        Epoch(self.next_epoch.fetch_add(1, Ordering::Relaxed))
    }

    /// Registers a built session as pending, in place of an older connection of
    /// the same peer. A connection younger than this one stays.
    pub(crate) fn insert(&self, now: Instant, session: Box<Session>) -> Replaced {
        let (peer, ufrag) = (session.peer, session.ufrag.clone());
        let record = Record {
            epoch: session.epoch,
            ufrag: ufrag.clone(),
            state: State::Pending {
                session,
                since: now,
            },
        };
        let old = match self.peers.entry(peer) {
            Entry::Occupied(present) if present.get().epoch > record.epoch => Some(record),
            Entry::Occupied(mut present) => Some(present.insert(record)),
            Entry::Vacant(place) => {
                place.insert(record);
                None
            }
        };
        self.by_ufrag.insert(ufrag, peer);
        let Some(old) = old else {
            return Replaced::Nothing;
        };
        self.by_ufrag.remove(&old.ufrag);
        match old.state {
            State::Pending { .. } => Replaced::Pending(old.epoch),
            State::Live(shard) => Replaced::Live(shard, old.epoch),
        }
    }

    /// Finds whom a STUN request is for. A pending peer whose password the
    /// request proves is adopted by `shard`.
    pub(crate) fn find(&self, shard: ShardId, request: &BindingRequest<'_>) -> Found {
        let Some(peer) = self.by_ufrag.get(request.local_ufrag).map(|p| *p) else {
            return Found::Unknown;
        };
        let Some(mut record) = self.peers.get_mut(&peer) else {
            return Found::Unknown;
        };
        match &record.state {
            State::Live(owner) => Found::Elsewhere(*owner),
            State::Pending { session, .. } if !session.verifies(request) => Found::BadIntegrity,
            State::Pending { .. } => {
                match std::mem::replace(&mut record.state, State::Live(shard)) {
                    State::Pending { session, .. } => Found::Adopted(session),
                    State::Live(owner) => Found::Elsewhere(owner),
                }
            }
        }
    }

    /// Tells whose a request is; changes nothing.
    pub(crate) fn owner(&self, request: &BindingRequest<'_>) -> Owner {
        let Some(peer) = self.by_ufrag.get(request.local_ufrag).map(|p| *p) else {
            return Owner::Nobody;
        };
        match self.peers.get(&peer).as_deref().map(|r| &r.state) {
            Some(State::Live(shard)) => Owner::Shard(*shard),
            Some(State::Pending { session, .. }) if session.verifies(request) => Owner::Anyone,
            _ => Owner::Nobody,
        }
    }

    /// Tells where a command goes; runs `if_pending` on a session that is still
    /// pending.
    pub(crate) fn route(&self, peer: PeerId, if_pending: impl FnOnce(&mut Session)) -> Route {
        let Some(mut record) = self.peers.get_mut(&peer) else {
            return Route::Unknown;
        };
        let record = &mut *record;
        match &mut record.state {
            State::Live(shard) => Route::Shard(*shard, record.epoch),
            State::Pending { session, .. } => {
                if_pending(session);
                if session.ufrag != record.ufrag {
                    self.by_ufrag.remove(&record.ufrag);
                    record.ufrag.clone_from(&session.ufrag);
                    self.by_ufrag.insert(session.ufrag.clone(), peer);
                }
                Route::Done
            }
        }
    }

    /// Takes the new user name of a peer after an ICE restart.
    pub(crate) fn rename(&self, peer: PeerId, epoch: Epoch, ufrag: &str) {
        let Some(mut record) = self.peers.get_mut(&peer) else {
            return;
        };
        if record.epoch != epoch || record.ufrag == ufrag {
            return;
        }
        let old = std::mem::replace(&mut record.ufrag, ufrag.to_owned());
        self.by_ufrag.remove(&old);
        self.by_ufrag.insert(ufrag.to_owned(), peer);
    }

    /// Forgets a connection; ignored when the peer has a newer one.
    pub(crate) fn remove(&self, peer: PeerId, epoch: Epoch) {
        if let Some((_, record)) = self.peers.remove_if(&peer, |_, r| r.epoch == epoch) {
            self.by_ufrag.remove(&record.ufrag);
        }
    }

    /// Takes away a peer that is still pending, dropping its session.
    pub(crate) fn remove_pending(&self, peer: PeerId) -> Option<Epoch> {
        let (_, record) = self
            .peers
            .remove_if(&peer, |_, r| matches!(r.state, State::Pending { .. }))?;
        self.by_ufrag.remove(&record.ufrag);
        Some(record.epoch)
    }

    /// Forgets pending peers older than [`PENDING_LIFETIME`], or all of them.
    pub(crate) fn expire(&self, now: Instant, all: bool) -> Vec<(PeerId, Epoch)> {
        let old = |record: &Record| match &record.state {
            State::Pending { since, .. } => {
                all || now.saturating_duration_since(*since) > PENDING_LIFETIME
            }
            State::Live(_) => false,
        };
        let due: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|entry| old(entry.value()))
            .map(|entry| *entry.key())
            .collect();
        let mut gone = Vec::with_capacity(due.len());
        for peer in due {
            if let Some((_, record)) = self.peers.remove_if(&peer, |_, r| old(r)) {
                self.by_ufrag.remove(&record.ufrag);
                gone.push((peer, record.epoch));
            }
        }
        gone
    }

    /// Peers waiting for their first packet.
    pub(crate) fn pending(&self) -> usize {
        self.peers
            .iter()
            .filter(|entry| matches!(entry.state, State::Pending { .. }))
            .count()
    }
}
