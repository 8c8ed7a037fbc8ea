//! The one throttle of a source layer's keyframe requests. Everybody who wants
//! a keyframe asks it: a receiver's decoder, a slot that switches, another
//! shard. The first request goes at once, the next not before an interval that
//! grows while requests go on; one that is held back is not forgotten but goes
//! when the interval ends, unless a keyframe came in between.

use std::time::{Duration, Instant};

/// Interval after the first request of a series.
pub const FIRST_INTERVAL: Duration = Duration::from_millis(500);
/// Longest interval.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(2);
/// A series ends when nothing was requested for this long.
pub const SERIES_END: Duration = Duration::from_secs(5);

/// State.
#[derive(Debug, Clone, Default)]
pub struct KeyframeThrottle {
    sent: Option<Instant>,
    interval: Duration,
    pending: bool,
    steady: bool,
}

impl KeyframeThrottle {
    /// Throttle of a source on this shard.
    pub fn new() -> Self {
        Self::default()
    }

    /// Throttle of a source on another shard: its interval does not grow, the
    /// publisher's shard has the throttle that counts.
    pub fn for_relay() -> Self {
        Self {
            steady: true,
            ..Self::default()
        }
    }

    /// Somebody wants a keyframe. True: request it now.
    pub fn ask(&mut self, now: Instant) -> bool {
        if self.earliest().is_some_and(|at| now < at) {
            self.pending = true;
            return false;
        }
        self.send(now);
        true
    }

    /// When a further request may go.
    pub fn earliest(&self) -> Option<Instant> {
        self.sent.map(|at| at + self.interval)
    }

    /// Whether a wish is held back.
    pub fn is_pending(&self) -> bool {
        self.pending
    }

    /// When the held back request is due.
    pub fn due(&self) -> Option<Instant> {
        self.earliest().filter(|_| self.pending)
    }

    /// A keyframe began: nobody needs another one at the moment.
    pub fn on_keyframe(&mut self) {
        self.pending = false;
    }

    /// Behaves as if a request had just gone, without one.
    pub fn hold(&mut self, now: Instant) {
        self.sent = Some(now);
        self.interval = FIRST_INTERVAL;
    }

    /// Ends a [`Self::hold`].
    pub fn release(&mut self) {
        self.sent = None;
    }

    fn send(&mut self, now: Instant) {
        let series = self
            .sent
            .is_some_and(|at| now.saturating_duration_since(at) < SERIES_END);
        self.interval = if series && !self.steady {
            (self.interval * 3 / 2).min(LONGEST_INTERVAL)
        } else {
            FIRST_INTERVAL
        };
        self.sent = Some(now);
        self.pending = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_request_goes_at_once_and_a_crowd_makes_no_second() {
        let now = Instant::now();
        let mut throttle = KeyframeThrottle::new();
        assert!(throttle.ask(now));
        for i in 0..500 {
            assert!(!throttle.ask(now + Duration::from_micros(i)));
        }
        assert_eq!(throttle.due(), Some(now + FIRST_INTERVAL));
    }

    #[test]
    fn a_request_held_back_goes_when_the_interval_ends() {
        let now = Instant::now();
        let mut throttle = KeyframeThrottle::new();
        throttle.ask(now);
        throttle.ask(now + Duration::from_millis(10));
        assert!(throttle.ask(throttle.due().unwrap()));
    }

    #[test]
    fn a_keyframe_satisfies_everybody_who_waited() {
        let now = Instant::now();
        let mut throttle = KeyframeThrottle::new();
        throttle.ask(now);
        throttle.ask(now);
        throttle.on_keyframe();
        assert_eq!(throttle.due(), None);
    }

    #[test]
    fn after_a_quiet_time_the_interval_is_short_again() {
        let mut now = Instant::now();
        let mut throttle = KeyframeThrottle::new();
        for _ in 0..10 {
            assert!(throttle.ask(now));
            now = throttle.earliest().unwrap();
        }
        assert!(throttle.ask(now));
        assert_eq!(throttle.earliest(), Some(now + LONGEST_INTERVAL));
        now += SERIES_END;
        assert!(throttle.ask(now));
        assert_eq!(throttle.earliest(), Some(now + FIRST_INTERVAL));
    }

    proptest! {
        #[test]
        fn no_two_requests_are_closer_than_the_first_interval(steps in proptest::collection::vec((0u64..400, any::<bool>()), 1..300)) {
            let mut now = Instant::now();
            let mut throttle = KeyframeThrottle::new();
            let mut last: Option<Instant> = None;
            for (step, keyframe) in steps {
                now += Duration::from_millis(step);
                if keyframe {
                    throttle.on_keyframe();
                }
                if throttle.ask(now) {
                    prop_assert!(last.is_none_or(|last| now - last >= FIRST_INTERVAL));
                    last = Some(now);
                }
            }
        }
    }
}
