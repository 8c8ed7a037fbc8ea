//! The queue of raised hands.

use std::collections::BTreeMap;

use lophoc_protocol::PersonId;
use lophoc_protocol::limits::HANDS_SHOWN;
use lophoc_protocol::server::RaisedHand;

/// In order of raising. Bounded by the number of people: one hand each.
#[derive(Debug, Default)]
pub(crate) struct HandQueue {
    queue: BTreeMap<u64, PersonId>,
    next: u64,
    told: Vec<RaisedHand>,
    changed: bool,
    /// A newcomer was shown another head than was told.
    early: bool,
}

impl HandQueue {
    /// A place behind all others.
    pub(crate) fn next_order(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn insert(&mut self, order: u64, who: PersonId) {
        self.next = self.next.max(order);
        self.queue.insert(order, who);
        self.changed = true;
    }

    pub(crate) fn remove(&mut self, order: u64) {
        self.changed |= self.queue.remove(&order).is_some();
    }

    /// Everybody, first the first.
    pub(crate) fn all(&self) -> Vec<PersonId> {
        self.queue.values().cloned().collect()
    }

    /// The head of the queue, for a newcomer.
    pub(crate) fn show(
        &mut self,
        entry: impl FnMut(&PersonId) -> Option<RaisedHand>,
    ) -> Vec<RaisedHand> {
        let head = self.head(entry);
        self.early |= head != self.told;
        head
    }

    fn head(&self, mut entry: impl FnMut(&PersonId) -> Option<RaisedHand>) -> Vec<RaisedHand> {
        self.queue
            .values()
            .take(HANDS_SHOWN)
            .filter_map(&mut entry)
            .collect()
    }

    /// The head, when it is another than was told last.
    pub(crate) fn news(
        &mut self,
        entry: impl FnMut(&PersonId) -> Option<RaisedHand>,
    ) -> Option<Vec<RaisedHand>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let head = self.head(entry);
        if head == self.told && !std::mem::take(&mut self.early) {
            return None;
        }
        self.early = false;
        self.told.clone_from(&head);
        Some(head)
    }
}
