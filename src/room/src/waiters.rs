//! Who is in the waiting room.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lophoc_protocol::people::{LinkState, Waiter};
use lophoc_protocol::{PersonId, SessionId};

use crate::api::{Identity, LinkId, Now};
use crate::bounds::{EVERYTHING, FLOOD, HELLOS};
use crate::bucket::Bucket;
use crate::text::fold;

/// Somebody who waits.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub identity: Identity,
    pub device: String,
    /// Name and unit without marks, for search.
    search: String,
    /// Place in the queue: smaller is earlier.
    pub order: u64,
    /// Since when, ms since the epoch.
    pub since_ms: u64,
    pub seat: Option<Seat>,
    /// Last sign of life, or when the link broke, on the monotonic clock.
    pub heard_ms: u64,
    pub hellos: Bucket,
    pub everything: Bucket,
    pub flood: Bucket,
}

/// What a waiting link brought along for the moment of being let in.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub link: LinkId,
    pub peer: u64,
    pub session: SessionId,
    pub key: String,
}

impl Guest {
    pub(crate) fn link(&self) -> Option<LinkId> {
        self.seat.as_ref().map(|seat| seat.link)
    }

    fn entry(&self) -> Waiter {
        let Identity {
            person,
            name,
            unit,
            role,
            site,
        } = self.identity.clone();
        Waiter {
            who: person,
            name,
            unit,
            role,
            since: self.since_ms,
            link: match self.seat {
                Some(_) => LinkState::Ok,
                None => LinkState::Lost,
            },
            site,
        }
    }
}

/// Everybody who waits. Bounded by the places of the room. Overflow: refused as
/// `full`.
#[derive(Debug, Default)]
pub(crate) struct Lobby {
    pub on: bool,
    pub guests: HashMap<PersonId, Guest>,
    order: BTreeMap<u64, PersonId>,
    pub links: HashMap<LinkId, PersonId>,
    next: u64,
    pub changed: bool,
    pub told_ms: u64,
}

impl Lobby {
    /// Nobody waits.
    pub(crate) fn new(on: bool) -> Self {
        Self {
            on,
            ..Self::default()
        }
    }

    pub(crate) fn has(&self, id: &PersonId) -> bool {
        self.guests.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.guests.len()
    }

    /// Links of those who wait.
    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.links.keys().copied().collect()
    }

    pub(crate) fn person_of(&self, link: LinkId) -> Option<&PersonId> {
        self.links.get(&link)
    }

    pub(crate) fn has_peer(&self, peer: u64) -> bool {
        self.guests
            .values()
            .any(|guest| guest.seat.as_ref().is_some_and(|seat| seat.peer == peer))
    }

    /// Those who wait, in order of coming.
    pub(crate) fn queue(&self) -> impl Iterator<Item = Waiter> + '_ {
        self.order
            .values()
            .filter_map(|id| self.guests.get(id))
            .map(Guest::entry)
    }

    pub(crate) fn ids(&self) -> Vec<PersonId> {
        self.order.values().cloned().collect()
    }

    pub(crate) fn total(&self) -> u32 {
        u32::try_from(self.guests.len()).unwrap_or(u32::MAX)
    }

    /// Takes somebody into the queue, or replaces what is known of him.
    pub(crate) fn put(&mut self, identity: Identity, device: &str, now: Now) {
        let id = identity.person.clone();
        let search = match &identity.unit {
            Some(unit) => fold(&format!("{} {unit}", identity.name)),
            None => fold(&identity.name),
        };
        self.changed = true;
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.identity = identity;
            device.clone_into(&mut guest.device);
            guest.search = search;
            return;
        }
        self.next += 1;
        self.order.insert(self.next, id.clone());
        let guest = Guest {
            identity,
            device: device.to_owned(),
            search,
            order: self.next,
            since_ms: now.wall_ms,
            seat: None,
            heard_ms: now.mono_ms,
            hellos: Bucket::full(HELLOS, now.mono_ms),
            everything: Bucket::full(EVERYTHING, now.mono_ms),
            flood: Bucket::full(FLOOD, now.mono_ms),
        };
        self.guests.insert(id, guest);
    }

    /// The wait is over.
    pub(crate) fn take(&mut self, id: &PersonId) -> Option<Guest> {
        let guest = self.guests.remove(id)?;
        self.order.remove(&guest.order);
        if let Some(link) = guest.link() {
            self.links.remove(&link);
        }
        self.changed = true;
        Some(guest)
    }

    pub(crate) fn page(&self, q: &str, from: usize, n: usize) -> (u32, Vec<Waiter>) {
        let q = fold(q);
        let words: BTreeSet<&str> = q.split_whitespace().collect();
        let mut total = 0usize;
        let mut list = Vec::new();
        for guest in self.order.values().filter_map(|id| self.guests.get(id)) {
            if !words.iter().all(|word| guest.search.contains(word)) {
                continue;
            }
            if total >= from && list.len() < n {
                list.push(guest.entry());
            }
            total += 1;
        }
        (u32::try_from(total).unwrap_or(u32::MAX), list)
    }
}
