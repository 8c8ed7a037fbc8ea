//! How much is sent again to one receiver.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is sent again: a burst of so many bytes at once,
const RESEND_BURST: u64 = 48_000;
/// and afterwards this part of the estimate.
const RESEND_SHARE: u64 = 5;
/// and never less than this, bytes per second.
const RESEND_LEAST: u64 = 4_000;
/// Packets remembered as just sent again.
const RECENT: usize = 64;

/// What was sent again lately, and how much may be.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    budget: u64,
    filled: Option<Instant>,
    recent: VecDeque<(u32, u16, Instant)>,
}

impl Resends {
    /// Whether a packet may be sent again now. Bounds what a forged or broken
    /// report can make us send.
    pub(crate) fn allow(
        &mut self,
        now: Instant,
        stream: u32,
        seq: u16,
        again: Duration,
        rate: u64,
    ) -> bool {
        let passed = self.filled.map_or(Duration::from_secs(3_600), |at| {
            now.saturating_duration_since(at)
        });
        let per_second = (rate / 8 / RESEND_SHARE).max(RESEND_LEAST);
        let earned = u128::from(per_second) * passed.as_micros() / 1_000_000;
        if earned > 0 {
            let earned = u64::try_from(earned).unwrap_or(RESEND_BURST);
            self.budget = self.budget.saturating_add(earned).min(RESEND_BURST);
            self.filled = Some(now);
        }
        let just = |(of, number, at): &(u32, u16, Instant)| {
            (*of, *number) == (stream, seq) && now.saturating_duration_since(*at) < again
        };
        const ABOUT: u64 = 1_200;
        if self.budget < ABOUT || self.recent.iter().any(just) {
            return false;
        }
        self.budget -= ABOUT;
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((stream, seq, now));
        true
    }
}
