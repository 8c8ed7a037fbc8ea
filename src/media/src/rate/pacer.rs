//! When what may wait leaves: a leaky bucket.
//!
//! It drains faster than the estimate, so that it holds back bursts and not the
//! stream. At ease it lets a whole frame pass at once, which is what makes sending
//! cheap; on a weak link a burst is what the link carries in a tenth of a second,
//! since speech waits behind it. Sound never asks, but what it takes is missing
//! for pictures.

/// The bucket drains at so many percent of the estimate.
const DRAIN: u64 = 250;
/// It drains at least like this, bit/s: whatever the estimate, something moves.
const LEAST_DRAIN: u64 = 40_000;
/// Burst at ease, bytes: about a frame.
const FRAME: u64 = 15_000;
/// Smallest burst, bytes: two packets.
const LEAST_BURST: u64 = 2_400;
/// Longest debt that what does not ask leaves behind, ms of draining.
const LONGEST_DEBT: u64 = 500;

#[derive(Debug, Clone, Copy)]
pub(super) struct Pacer {
    /// What the bucket holds, in bits × 10⁶ (so that µs × bit/s are exact).
    level: u64,
    /// When it was looked at, µs.
    at: i64,
    /// Bit/s.
    drain: u64,
    /// Bytes.
    burst: u64,
    /// Size of what was refused last, bytes.
    refused: u64,
}

const SCALE: u64 = 8_000_000;

impl Pacer {
    pub fn new(estimate: u64) -> Self {
        let mut pacer = Self {
            level: 0,
            at: 0,
            drain: 0,
            burst: 0,
            refused: 0,
        };
        pacer.set(estimate);
        pacer
    }

    /// Goes by a new estimate, bit/s.
    pub fn set(&mut self, estimate: u64) {
        self.drain = (estimate.saturating_mul(DRAIN) / 100).max(LEAST_DRAIN);
        // 40 ms of the estimate, a frame where that is less; 100 ms where a frame
        // is more than that.
        let tenth = estimate / 80;
        self.burst = tenth.min(FRAME.max(estimate / 200)).max(LEAST_BURST);
    }

    /// See [`super::Controller::warm`].
    pub fn warm(&self) -> u64 {
        self.level ^ self.burst
    }

    fn pass(&mut self, now: i64) {
        let passed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        self.level = self.level.saturating_sub(passed.saturating_mul(self.drain));
        self.at = self.at.max(now);
    }

    /// Whether so many bytes may leave; books them when they may.
    pub fn may_send(&mut self, now: i64, bytes: usize) -> bool {
        self.pass(now);
        let bytes = bytes as u64;
        let after = self.level.saturating_add(bytes.saturating_mul(SCALE));
        // What is larger than the burst goes out of an empty bucket.
        if self.level > 0 && after > self.burst.saturating_mul(SCALE) {
            self.refused = bytes;
            return false;
        }
        self.level = after;
        true
    }

    /// Books what did not ask.
    pub fn book(&mut self, now: i64, bytes: usize) {
        self.pass(now);
        let most = self
            .burst
            .saturating_mul(SCALE)
            .saturating_add(self.drain.saturating_mul(LONGEST_DEBT * 1_000));
        self.level = self
            .level
            .saturating_add((bytes as u64).saturating_mul(SCALE))
            .min(most.max(self.level));
    }

    /// µs until what was refused last may leave.
    pub fn wait(&self, now: i64) -> u64 {
        let passed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        let level = self.level.saturating_sub(passed.saturating_mul(self.drain));
        let room = self
            .burst
            .saturating_sub(self.refused)
            .saturating_mul(SCALE);
        level.saturating_sub(room).div_ceil(self.drain.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn at_ease_a_frame_leaves_at_once_and_the_next_one_after_it_drained() {
        let mut pacer = Pacer::new(2_000_000);
        let sent = (0..20).filter(|_| pacer.may_send(0, 1_200)).count();
        assert_eq!(sent, 12);
        assert!(!pacer.may_send(0, 1_200));
        let wait = pacer.wait(0);
        assert!((1..=1_920).contains(&wait), "{wait}");
        assert!(!pacer.may_send(wait as i64 - 1, 1_200));
        assert!(pacer.may_send(wait as i64, 1_200));
    }

    #[test]
    fn on_a_weak_link_a_burst_is_two_packets() {
        let mut pacer = Pacer::new(64_000);
        assert_eq!((0..20).filter(|_| pacer.may_send(0, 1_200)).count(), 2);
    }

    #[test]
    fn pictures_give_way_to_sound() {
        let mut pacer = Pacer::new(64_000);
        pacer.book(0, 2_400);
        assert!(!pacer.may_send(0, 100));
        pacer.book(0, 1_000_000);
        assert!(pacer.wait(0) <= 1_000_000, "debts are forgiven in time");
    }

    proptest! {
        #[test]
        fn no_more_leaves_than_drains_and_a_no_is_followed_by_a_yes(
            estimate in 0u64..20_000_000,
            steps in proptest::collection::vec((0i64..50_000, 1usize..1_500), 1..300),
        ) {
            let (mut pacer, mut now, mut sent) = (Pacer::new(estimate), 0i64, 0u64);
            for (passed, bytes) in steps {
                now += passed;
                if pacer.may_send(now, bytes) {
                    sent += bytes as u64;
                } else {
                    now += pacer.wait(now) as i64;
                    prop_assert!(pacer.may_send(now, bytes));
                    sent += bytes as u64;
                }
                let most = pacer.burst.max(1_500) + pacer.drain * now as u64 / SCALE + 1_500;
                prop_assert!(sent <= most);
            }
        }
    }
}
