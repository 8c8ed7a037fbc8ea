//! The links of one room and what the server keeps of each.

use std::collections::HashMap;
use std::sync::Arc;

use lophoc_media::types::PeerId;
use lophoc_protocol::server::{Welcome, You};
use lophoc_protocol::{PersonId, Profile, SlotCounts};
use lophoc_room::LinkId;

use crate::auth::TokenClaims;
use crate::bucket::Bucket;
use crate::ws::outbox::{CommitId, Outbox};

/// A greeting that waits for the answer to the offer in the hello.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) welcome: Box<Welcome>,
    pub(super) id: Option<u32>,
    pub(super) commit: CommitId,
}

/// One link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) outbox: Arc<Outbox>,
    pub(super) claims: TokenClaims,
    pub(super) peer: PeerId,
    /// The room let it in.
    pub(super) member: bool,
    /// It waits to be let in.
    pub(super) waiting: bool,
    pub(super) greeting: Option<Greeting>,
    pub(super) you: Option<You>,
    /// The token given last is renewed after this, monotonic ms.
    pub(super) renew_at: u64,
    pub(super) profile: Profile,
    pub(super) slots: SlotCounts,
    /// An answer is being made.
    pub(super) negotiating: bool,
    /// How often the link may offer.
    pub(super) offers: Bucket,
}

/// All of them. Bounded by the places of the room and of the server.
#[derive(Debug, Default)]
pub(super) struct Links {
    by_id: HashMap<LinkId, Link>,
    peers: HashMap<PersonId, PeerId>,
}

impl Links {
    pub(super) fn insert(&mut self, id: LinkId, link: Link) {
        self.by_id.insert(id, link);
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        self.by_id.remove(&id)
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (LinkId, &mut Link)> {
        self.by_id.iter_mut().map(|(id, link)| (*id, link))
    }

    /// Those the room let in.
    pub(super) fn members(&self) -> impl Iterator<Item = &Link> {
        self.by_id.values().filter(|link| link.member)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The person's number in the media plane, the same as long as he is in the
    /// room.
    pub(super) fn peer_of(&mut self, person: &PersonId, fresh: impl FnOnce() -> PeerId) -> PeerId {
        *self.peers.entry(person.clone()).or_insert_with(fresh)
    }

    /// The number the person has.
    pub(super) fn known_peer(&self, person: &PersonId) -> Option<PeerId> {
        self.peers.get(person).copied()
    }

    /// Gives the person another number: another device's media.
    pub(super) fn set_peer(&mut self, person: &PersonId, peer: PeerId) {
        self.peers.insert(person.clone(), peer);
    }

    /// The person left: the number is not used again.
    pub(super) fn forget_peer(&mut self, peer: PeerId) {
        self.peers.retain(|_, of| *of != peer);
    }

    /// Whether somebody in the room has this number.
    pub(super) fn has_peer(&self, peer: PeerId) -> bool {
        self.peers.values().any(|of| *of == peer)
    }

    /// All numbers in use.
    pub(super) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.peers.values().copied()
    }
}
