//! Deadlines of connections. Each has at most one live entry; an entry that was
//! overtaken by an earlier one is skipped when it comes up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use lophoc_media::types::{Epoch, PeerId};

/// The heap is rebuilt when it holds more entries per connection than this,
const STALE_PER_LIVE: usize = 8;
/// and this many besides.
const SLACK: usize = 1_024;

/// Entry of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm {
    pub(crate) at: Instant,
    pub(crate) peer: PeerId,
    pub(crate) epoch: Epoch,
}

/// Heap of deadlines, the soonest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Alarm>>,
}

impl Timers {
    /// Makes sure that the peer is woken at `deadline` or before. `armed` is the
    /// peer's own note of its live entry.
    pub(crate) fn arm(
        &mut self,
        peer: PeerId,
        epoch: Epoch,
        deadline: Instant,
        armed: &mut Option<Instant>,
    ) {
        // An entry that fires early finds the true deadline and re-arms.
        if armed.is_some_and(|at| at <= deadline) {
            return;
        }
        *armed = Some(deadline);
        self.heap.push(Reverse(Alarm {
            at: deadline,
            peer,
            epoch,
        }));
    }

    /// The next entry that is due, live or not.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Alarm> {
        if self.heap.peek()?.0.at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(alarm)| alarm)
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(alarm)| alarm.at)
    }

    /// Drops stale entries when they outnumber the live ones by far.
    pub(crate) fn compact<I: Iterator<Item = (Instant, PeerId, Epoch)>>(
        &mut self,
        live: usize,
        alarms: impl FnOnce() -> I,
    ) {
        if self.heap.len() > live * STALE_PER_LIVE + SLACK {
            self.heap = alarms()
                .map(|(at, peer, epoch)| Reverse(Alarm { at, peer, epoch }))
                .collect();
        }
    }

    /// Entries, stale ones included.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_later_deadline_adds_no_entry_and_an_earlier_one_overtakes() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let (peer, epoch) = (PeerId(1), Epoch(1));
        let mut timers = Timers::default();
        let mut armed = None;
        timers.arm(peer, epoch, at(50), &mut armed);
        timers.arm(peer, epoch, at(80), &mut armed);
        assert_eq!(timers.len(), 1);
        timers.arm(peer, epoch, at(20), &mut armed);
        assert_eq!(armed, Some(at(20)));
        assert_eq!(timers.next(), Some(at(20)));
        assert!(timers.pop_due(at(10)).is_none());
        assert_eq!(timers.pop_due(at(20)).unwrap().at, at(20));
        // The overtaken entry is still there; its time tells that it is stale.
        assert_eq!(timers.pop_due(at(60)).unwrap().at, at(50));
        assert!(timers.pop_due(at(90)).is_none());
    }

    #[test]
    fn stale_entries_do_not_pile_up() {
        let start = Instant::now();
        let mut timers = Timers::default();
        let mut armed = None;
        for ms in (0..20_000).rev() {
            let at = start + Duration::from_millis(ms);
            timers.arm(PeerId(1), Epoch(1), at, &mut armed);
            let live = armed.map(|at| (at, PeerId(1), Epoch(1)));
            timers.compact(1, || live.into_iter());
            assert!(timers.len() <= STALE_PER_LIVE + SLACK + 1);
        }
        assert_eq!(timers.next(), Some(start));
    }
}
