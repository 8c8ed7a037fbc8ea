//! Sending a screen that the estimate does not allow, and when to stop.
//!
//! An estimate is proven only where something was sent. A screen that begins
//! beside one small camera would wait for probes; it is sent at once instead
//! (see [`crate::allocate`]), as long as the path bears it: when the estimate
//! falls, or does not grow in time, the trial has failed and the next one waits,
//! longer each time.

use std::time::{Duration, Instant};

/// First part of a trial.
const FIRST: Duration = Duration::from_secs(4);
/// A trial goes on for this long when the estimate grew since the last look.
const FURTHER: Duration = Duration::from_secs(2);
/// Rest after a fall of the estimate, and after the first trial that failed.
const REST: Duration = Duration::from_secs(5);
/// Longest rest.
const MAX_REST: Duration = Duration::from_secs(60);
/// An estimate under this part of its highest value fell, percent.
const FALL: u64 = 80;

/// Whether a receiver's screen may be tried.
#[derive(Debug, Clone)]
pub struct Trial {
    state: State,
    rest: Duration,
    highest: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Ready,
    Running { until: Instant, mark: u64 },
    Resting { until: Instant },
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            state: State::Ready,
            rest: REST,
            highest: 0,
        }
    }
}

impl Trial {
    /// A new estimate, bit/s. One that falls is proof of a limit.
    pub fn on_estimate(&mut self, now: Instant, estimate: u64) {
        self.highest = self.highest.max(estimate);
        if estimate >= self.highest / 100 * FALL {
            return;
        }
        self.highest = estimate;
        match self.state {
            State::Running { .. } => self.fail(now),
            State::Ready => self.state = State::Resting { until: now + REST },
            State::Resting { .. } => {}
        }
    }

    /// Whether more than fits may be sent now.
    pub fn dares(&mut self, now: Instant, estimate: u64) -> bool {
        match self.state {
            State::Ready => {}
            State::Running { until, .. } if now < until => {}
            State::Running { mark, .. } if estimate > mark + mark / 20 => {
                self.state = State::Running {
                    until: now + FURTHER,
                    mark: estimate,
                };
            }
            State::Running { .. } => self.fail(now),
            State::Resting { until } if now < until => {}
            State::Resting { .. } => {
                self.state = State::Ready;
                self.highest = estimate;
            }
        }
        !matches!(self.state, State::Resting { .. })
    }

    /// What came of it: `tried` when something is sent that does not fit.
    pub fn planned(&mut self, now: Instant, estimate: u64, tried: bool) {
        match (self.state, tried) {
            (State::Ready, true) => {
                self.highest = estimate;
                self.state = State::Running {
                    until: now + FIRST,
                    mark: estimate,
                };
            }
            // The estimate caught up, or the screen is gone.
            (State::Running { .. }, false) => {
                self.state = State::Ready;
                self.rest = REST;
            }
            _ => {}
        }
    }

    fn fail(&mut self, now: Instant) {
        self.state = State::Resting {
            until: now + self.rest,
        };
        self.rest = (self.rest * 2).min(MAX_REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_trial_ends_when_the_estimate_falls_and_the_next_one_waits_longer() {
        let mut now = Instant::now();
        let mut trial = Trial::default();
        for wait in [5, 10, 20, 40, 60, 60] {
            assert!(trial.dares(now, 1_000_000));
            trial.planned(now, 1_000_000, true);
            assert!(trial.dares(now + SECOND, 1_000_000));
            trial.on_estimate(now + SECOND, 700_000);
            assert!(!trial.dares(now + SECOND * wait, 700_000));
            now += SECOND * (wait + 1);
        }
    }

    #[test]
    fn a_trial_goes_on_while_the_estimate_grows() {
        let now = Instant::now();
        let mut trial = Trial::default();
        assert!(trial.dares(now, 1_000_000));
        trial.planned(now, 1_000_000, true);
        assert!(trial.dares(now + SECOND * 4, 1_200_000));
        assert!(trial.dares(now + SECOND * 6, 1_500_000));
        assert!(!trial.dares(now + SECOND * 8, 1_500_000));
    }

    #[test]
    fn a_fresh_fall_forbids_a_trial_and_success_forgets_failures() {
        let now = Instant::now();
        let mut trial = Trial::default();
        trial.on_estimate(now, 2_000_000);
        trial.on_estimate(now, 1_700_000);
        assert!(trial.dares(now, 1_700_000), "trembling is no fall");
        trial.on_estimate(now, 1_000_000);
        assert!(!trial.dares(now + SECOND * 4, 1_000_000));
        let later = now + SECOND * 5;
        assert!(trial.dares(later, 1_000_000));
        trial.planned(later, 1_000_000, true);
        trial.planned(later + SECOND, 3_000_000, false);
        assert!(trial.dares(later + SECOND * 60, 3_000_000));
    }
}
