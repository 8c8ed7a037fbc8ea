//! Token bucket.

use crate::bounds::Rate;

/// Counts in millionths of a token: thousandths per second times milliseconds,
/// so that slow rates lose nothing to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    rate: Rate,
    micro: u64,
    at_ms: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(rate: Rate, now_ms: u64) -> Self {
        Self {
            rate,
            micro: u64::from(rate.burst) * 1_000_000,
            at_ms: now_ms,
        }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now_ms: u64) -> bool {
        let passed = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        let gained = passed.saturating_mul(self.rate.per_second_milli);
        let most = u64::from(self.rate.burst) * 1_000_000;
        self.micro = self.micro.saturating_add(gained).min(most);
        if self.micro < 1_000_000 {
            return false;
        }
        self.micro -= 1_000_000;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        per_second_milli: 500,
    };

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut bucket = Bucket::full(RATE, 1_000);
        assert!((0..3).all(|_| bucket.take(1_000)));
        assert!(!bucket.take(1_000));
        assert!(!bucket.take(2_999));
        assert!(bucket.take(3_000));
        assert!(!bucket.take(3_000));
    }

    #[test]
    fn many_small_steps_gain_as_much_as_one_long_wait() {
        let mut bucket = Bucket::full(RATE, 0);
        let passed = (0..=100_000)
            .step_by(10)
            .filter(|&now| bucket.take(now))
            .count();
        assert_eq!(passed, 3 + 50);
    }

    #[test]
    fn a_clock_that_steps_back_gains_nothing() {
        let mut bucket = Bucket::full(RATE, 10_000);
        assert!((0..3).all(|_| bucket.take(10_000)));
        assert!(!bucket.take(0));
        assert!(!bucket.take(10_000));
    }
}
