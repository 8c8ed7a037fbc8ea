//! What was sent under which transport-wide number: a ring that grows with what is
//! under way and never beyond [`MOST`] packets.

use super::Sent;

/// Packets remembered at most, 8 bytes each; the oldest is overwritten. At 300
/// packets a second that is seven seconds.
const MOST: usize = 2_048;
/// Packets remembered at first.
const FIRST: usize = 64;
/// A packet younger than this is not overwritten while the ring may grow, µs.
const KEPT: u32 = 3_000_000;

const RECEIVED: u8 = 0x80;
const LOST: u8 = 0x40;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// µs since the controller began, modulo 2³².
    at: u32,
    bytes: u16,
    /// What became of it and what it is.
    state: u8,
    /// Probe it counts for, 0 = none.
    probe: u8,
}

/// A packet that feedback speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// µs since the controller began, modulo 2³².
    pub at: u32,
    pub bytes: u16,
    /// Probe it counts for, 0 = none.
    pub probe: u8,
    /// It was told as lost before.
    pub was_lost: bool,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    /// A power of two of them once there is any.
    slots: Vec<Slot>,
    /// Number of the next packet.
    next: u16,
    /// Packets remembered, at most as many as slots.
    filled: usize,
}

impl History {
    pub fn new() -> Self {
        Self {
            slots: Vec::new(),
            next: 0,
            filled: 0,
        }
    }

    /// See [`super::Controller::warm`].
    pub fn warm(&self) -> u64 {
        let mask = self.slots.len().saturating_sub(1);
        let next = self.slots.get(usize::from(self.next) & mask);
        u64::from(next.map_or(0, |slot| slot.at))
    }

    fn slot(&mut self, seq: u16) -> Option<&mut Slot> {
        let mask = self.slots.len().checked_sub(1)?;
        self.slots.get_mut(usize::from(seq) & mask)
    }

    /// Remembers a packet; its number.
    pub fn push(&mut self, at: u32, bytes: usize, what: Sent, probe: u8) -> u16 {
        let seq = self.next;
        if self.filled == self.slots.len() && self.slots.len() < MOST {
            let young = self
                .slot(seq)
                .is_none_or(|oldest| at.wrapping_sub(oldest.at) < KEPT);
            if young {
                self.grow();
            }
        }
        let state = match what {
            Sent::Audio => 0,
            Sent::Video => 1,
            Sent::Resend => 2,
            Sent::Padding => 3,
        };
        if let Some(slot) = self.slot(seq) {
            *slot = Slot {
                at,
                bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
                state,
                probe,
            };
        }
        self.filled = (self.filled + 1).min(self.slots.len());
        self.next = seq.wrapping_add(1);
        seq
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(FIRST);
        let mut larger = vec![Slot::default(); size];
        for back in 1..=self.filled {
            let seq = self
                .next
                .wrapping_sub(u16::try_from(back).unwrap_or_default());
            if let (Some(from), Some(to)) = (
                self.slot(seq).copied(),
                larger.get_mut(usize::from(seq) & (size - 1)),
            ) {
                *to = from;
            }
        }
        self.slots = larger;
    }

    fn known(&mut self, seq: u16) -> Option<&mut Slot> {
        let back = usize::from(self.next.wrapping_sub(seq));
        if back == 0 || back > self.filled {
            return None;
        }
        self.slot(seq)
    }

    /// A packet arrived. `None` when it is not known, or told before.
    pub fn received(&mut self, seq: u16) -> Option<Known> {
        let slot = self.known(seq).filter(|slot| slot.state & RECEIVED == 0)?;
        let was_lost = slot.state & LOST != 0;
        slot.state |= RECEIVED;
        Some(Known {
            at: slot.at,
            bytes: slot.bytes,
            probe: slot.probe,
            was_lost,
        })
    }

    /// A packet did not arrive. `None` when it is not known, or told before.
    pub fn lost(&mut self, seq: u16) -> Option<Known> {
        let slot = self
            .known(seq)
            .filter(|slot| slot.state & (RECEIVED | LOST) == 0)?;
        slot.state |= LOST;
        Some(Known {
            at: slot.at,
            bytes: slot.bytes,
            probe: slot.probe,
            was_lost: false,
        })
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_follow_each_other_around_the_end() {
        let mut history = History::new();
        for n in 0..70_000u32 {
            assert_eq!(history.push(n, 100, Sent::Audio, 0), n as u16);
        }
        let last = 69_999u32;
        assert_eq!(history.received(last as u16).unwrap().at, last);
        assert_eq!(history.received(last as u16), None, "told before");
        assert_eq!(history.received((last + 1) as u16), None, "not sent yet");
        assert!(history.received((last - 2_047) as u16).is_some());
        assert_eq!(history.received((last - 2_048) as u16), None, "forgotten");
    }

    #[test]
    fn an_idle_receiver_costs_little_and_a_busy_one_no_more_than_16_kib() {
        let mut idle = History::new();
        assert_eq!(idle.memory(), 0);
        for n in 0..10_000u32 {
            idle.push(n * 20_000, 100, Sent::Audio, 0);
        }
        assert!(idle.memory() <= 2_048, "{}", idle.memory());
        let mut busy = History::new();
        for n in 0..100_000u32 {
            busy.push(n * 100, 100, Sent::Video, 0);
        }
        assert_eq!(busy.memory(), 16 * 1_024);
    }

    #[test]
    fn what_was_lost_may_arrive_later_but_not_the_other_way_round() {
        let mut history = History::new();
        let seq = history.push(5, 100, Sent::Resend, 3);
        assert!(history.lost(seq).is_some());
        assert_eq!(history.lost(seq), None);
        let known = history.received(seq).unwrap();
        assert_eq!((known.was_lost, known.probe, known.bytes), (true, 3, 100));
        assert_eq!(history.lost(seq), None);
    }

    proptest! {
        #[test]
        fn growth_loses_nothing(gaps in proptest::collection::vec(0u32..50_000, 1..2_000)) {
            let (mut history, mut at, mut sent) = (History::new(), 0, Vec::new());
            for gap in gaps {
                at += gap;
                sent.push((history.push(at, 10, Sent::Video, 0), at));
            }
            for (seq, at) in sent.iter().filter(|(_, then)| at - then < KEPT) {
                prop_assert_eq!(history.received(*seq).map(|known| known.at), Some(*at));
            }
        }
    }
}
