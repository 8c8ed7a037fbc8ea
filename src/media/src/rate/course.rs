//! How the estimate moves: what makes it fall, how far, and when it grows.

use super::delay::Usage;
use super::loss::Verdict;
use super::{Controller, FALL_GAP, FILLING};

/// Less than this part of the estimate is sent: it says nothing of the way, percent.
const IDLE: u64 = 65;
/// The estimate falls to this part of what arrives, percent.
const DECREASE: u64 = 85;
/// What is sent arrives, when it does at this part of its rate, percent.
const ARRIVES: u64 = 90;
/// Growth in a second while nothing is known of a limit, per mille.
const GROWTH: u64 = 80;
/// Growth in a second near a limit: a packet in each time it takes to learn of it.
const PACKET_BITS: u64 = 9_600;
/// Range around a limit found before in which growth is slow, percent.
const NEAR: (u64, u64) = (70, 120);
/// The estimate grows to no more than this of what arrives, percent, and a little, bit/s.
const AHEAD: (u64, u64) = (150, 10_000);
/// A queue that grows counts from here on, µs: less is the trembling of the way.
const GROWING: i64 = 20_000;
/// What an estimate falls to of a known limit while a queue stands, so that it
/// drains, percent.
const DRAIN: u64 = 60;
/// Delay in queues that is too much even when it does not grow, µs.
const STANDING: i64 = 250_000;
/// A standing queue that stays although less is sent is the way's own after this, µs.
const STANDS: i64 = 4_000_000;
/// What arrives is not of before a fall any more after this, µs.
const SETTLED: i64 = 1_500_000;
/// A fall so soon after a burst raised the estimate is the burst's fault, µs.
const OWN_FAULT: i64 = 8_000_000;

/// Enough was given way when less than this part of what was sent is sent, percent.
const YIELDED: u64 = 75;
/// After so long without a queue giving way begins anew, µs.
const CLEAR: i64 = 2_000_000;

/// A queue that stands and does not grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    since: i64,
    queue: i64,
}

/// Bit/s of late, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// As sent, of what arrived since.
    pub sent: Option<u64>,
    pub arrived: Option<u64>,
    /// As arrived, in about the time a queue must stand to be one.
    pub lately: Option<u64>,
}

impl Rates {
    /// What is sent arrives, beside what the way loses anyway.
    fn arrives(&self, floor: f32) -> bool {
        let (Some(sent), Some(arrived)) = (self.sent, self.arrived) else {
            return false;
        };
        let carried = arrived as f64 / f64::from(1.0 - floor.min(0.5));
        carried * 100.0 >= sent as f64 * ARRIVES as f64
    }
}

impl Controller {
    /// Falls, holds or grows by what is known now.
    pub(super) fn weigh(&mut self, at: i64, rates: &Rates) {
        let (sent, arrived) = (rates.sent.unwrap_or(0), rates.arrived.unwrap_or(0));
        let least = self.estimate <= self.config.least || self.estimate <= arrived;
        match self.loss.look(at, sent, least) {
            Some(Verdict::Congested(excess)) => {
                self.doubtful = true;
                self.fall_by_loss(at, excess, arrived);
            }
            Some(Verdict::Learned) => {
                self.doubtful = false;
                self.probe.begin(at, self.estimate, Some(2));
            }
            Some(verdict) => self.doubtful = verdict == Verdict::Doubt,
            None => {}
        }
        let queue = self.delay.queue();
        let stands = self.queue_stands(at);
        if queue >= GROWING {
            self.clear = None;
        } else if at - *self.clear.get_or_insert(at) > CLEAR {
            self.yielded = None;
        }
        // A queue that is short and full loses before it grows for long.
        let over = self.delay.usage() == Usage::Over || self.doubtful;
        if stands || (over && queue >= GROWING) {
            self.fall_by_delay(at, rates, stands);
        } else if queue < GROWING
            && let Some(limit) = self.draining.take()
        {
            self.set((limit * DECREASE / 100).max(self.estimate));
        } else if !self.doubtful && self.delay.usage() == Usage::Normal && queue < FILLING {
            self.grow(at, rates);
        }
        self.grown = at;
    }

    /// A queue that is long and does not grow: it was filled before, or by
    /// somebody else.
    fn queue_stands(&mut self, at: i64) -> bool {
        let queue = self.delay.queue();
        if queue < STANDING {
            self.standing = None;
            return false;
        }
        let standing = *self.standing.get_or_insert(Standing { since: at, queue });
        if at - standing.since < STANDS {
            return true;
        }
        self.standing = None;
        // It became no shorter although less was sent: the way itself is longer.
        if queue > standing.queue * 3 / 4 {
            self.delay.forget_shortest();
            self.draining = None;
            return false;
        }
        true
    }

    fn may_fall(&self, at: i64) -> bool {
        let gap = (self.rtt_us() + 50_000).clamp(FALL_GAP.0, FALL_GAP.1);
        self.fell.is_none_or(|fell| at - fell >= gap)
    }

    fn fall_by_delay(&mut self, at: i64, rates: &Rates, stands: bool) {
        if !self.may_fall(at) {
            return;
        }
        // What is left of what was sent arrives, and the queue stays: others fill it,
        // and take whatever is left to them.
        let sent = rates.sent.unwrap_or(0);
        let first = *self.yielded.get_or_insert(sent);
        if sent < first * YIELDED / 100 && rates.arrives(self.loss.floor()) {
            return;
        }
        let idle = rates
            .sent
            .is_some_and(|sent| sent < self.estimate * IDLE / 100);
        let to = match (rates.lately, self.draining) {
            // The queue is going already.
            (_, Some(limit)) if stands => limit * DRAIN / 100,
            // The little that is sent arrives as it is sent: the estimate may be too
            // high, but what is sent says nothing of how much.
            _ if idle && rates.arrives(self.loss.floor()) => self.estimate * DECREASE / 100,
            (Some(lately), _) => {
                let limit = match self.limit {
                    Some(limit) if near(lately, limit) => (limit * 3 + lately) / 4,
                    _ => lately,
                };
                self.limit = Some(limit);
                if stands {
                    self.draining = Some(limit);
                    limit * DRAIN / 100
                } else {
                    lately * DECREASE / 100
                }
            }
            (None, _) => self.estimate * DECREASE / 100,
        };
        if to < self.estimate {
            self.fall(at, to);
        }
    }

    pub(super) fn fall_by_loss(&mut self, at: i64, excess: f32, arrived: u64) {
        let kept = self.estimate as f64 * f64::from(1.0 - 0.5 * excess.clamp(0.0, 1.0));
        let to = (kept as u64).max((arrived * 9 / 10).min(self.estimate));
        if to < self.estimate {
            self.fall(at, to);
        }
    }

    pub(super) fn fall(&mut self, at: i64, to: u64) {
        let own = self.raised.is_some_and(|raised| at - raised < OWN_FAULT);
        self.raised = None;
        self.fell = Some(at);
        self.probe.on_fall(at, own);
        self.set(to);
    }

    fn grow(&mut self, at: i64, rates: &Rates) {
        let (Some(sent), Some(arrived)) = (rates.sent, rates.arrived) else {
            return;
        };
        let passed = u64::try_from((at - self.grown).clamp(0, 1_000_000)).unwrap_or(0);
        // What arrives is carried.
        if self.fell.is_none_or(|fell| at - fell > SETTLED) {
            self.set(self.estimate.max(arrived * 9 / 10));
        }
        // What is sent proves nothing of more.
        if sent < self.estimate * IDLE / 100 {
            return;
        }
        let fast = self.estimate * GROWTH / 1_000;
        let step = match self.limit {
            Some(limit) if near(arrived, limit) => {
                let answer = u64::try_from(self.rtt_us() + 100_000).unwrap_or(200_000);
                fast.min(PACKET_BITS * 1_000_000 / answer.max(1)).max(1_000)
            }
            Some(limit) if arrived > limit => {
                self.limit = None;
                fast
            }
            _ => fast.max(1_000),
        };
        let most = arrived * AHEAD.0 / 100 + AHEAD.1;
        let to = self.estimate + step * passed / 1_000_000;
        if to > self.estimate {
            self.set(to.min(most).max(self.estimate));
        }
    }

    pub(super) fn look_at_probe(&mut self, at: i64) {
        let Some(found) = self.probe.found(at, self.estimate, self.loss.floor()) else {
            return;
        };
        if let Some(rate) = found.rate
            && rate > self.estimate
        {
            self.raised = Some(at);
            // A limit lower than what came through is none.
            self.limit = self.limit.filter(|limit| rate < limit * 12 / 10);
            self.set(rate);
        }
    }
}

fn near(rate: u64, limit: u64) -> bool {
    (limit * NEAR.0 / 100..=limit * NEAR.1 / 100).contains(&rate)
}
