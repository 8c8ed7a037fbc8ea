//! Looking for room: short bursts of padding above the estimate, and what became
//! of them.
//!
//! The first bursts follow each other, each further than the last as long as the
//! way carries them; later ones come seconds apart, and more rarely where nothing
//! was found. All of them together take a twentieth of the time at most.

/// Length of a burst, µs.
const BURST: u64 = 15_000;
/// Least size of a burst, bytes: five packets of padding.
const LEAST_BYTES: u64 = 1_200;
/// Padding is given out in portions of this, µs.
const STEP: i64 = 5_000;
/// Smallest portion, bytes.
const LEAST_PORTION: u64 = 200;
/// A burst that takes longer than so many times what it should is over.
const PATIENCE: i64 = 3;
/// A burst of which nothing is heard for this long, µs, found nothing.
const UNHEARD: i64 = 1_500_000;
/// Part of the time that bursts may take, 1/.., and the most that may be saved up, µs.
const SHARE: i64 = 20;
const SAVED: i64 = 400_000;
/// Times the estimate: the first burst, the one after a success, a later one.
const FIRST: u64 = 3;
const NEXT: u64 = 2;
/// A burst goes beyond what is looked for by this factor: where the clocks of a busy
/// machine blur its arrival, half of it still proves enough.
const BEYOND: u64 = 2;
/// Slowest burst, bit/s.
const SLOWEST: u64 = 64_000;
/// Between bursts, µs: at first, and at most after some that found nothing.
const GAP: i64 = 5_000_000;
const LONGEST_GAP: i64 = 10_000_000;
/// After the first bursts, while nothing is known of the way, µs.
const FIRST_GAP: i64 = 1_000_000;
/// Longest gap to where nobody answers.
const UNANSWERED_GAP: i64 = 60_000_000;
/// A burst that came through at this part of its rate calls for a further one, percent.
const FURTHER: u64 = 70;
/// It was held up when it arrived at less than this part of its rate, percent.
const HELD_UP: u64 = 90;
/// A burst that left at less than this part of its rate proves nothing: whoever
/// sends was late, not the way. It is tried again after this, µs, so often in a row.
const LEFT: u64 = 75;
const AGAIN: i64 = 250_000;
const TRIES: u32 = 6;
/// What is taken of the rate of one that was held up, percent.
const TAKEN: u64 = 95;
/// Part of a burst that must arrive, percent.
const ARRIVED: u64 = 50;

/// What was asked for, what left and what arrived.
#[derive(Debug, Clone, Copy)]
struct Burst {
    id: u8,
    /// Bit/s.
    rate: u64,
    began: i64,
    goal: u64,
    /// How long it takes, µs.
    length: i64,
    sent: u64,
    first_sent: Option<i64>,
    last_sent: i64,
    last_bytes: u64,
    first_arrival: Option<i64>,
    last_arrival: i64,
    first_bytes: u64,
    received: u64,
    lost: u64,
    /// When it was all sent.
    ended: Option<i64>,
    /// When padding was asked for last.
    asked: i64,
}

impl Burst {
    /// When the next portion should leave.
    fn due(&self) -> i64 {
        let portion = LEAST_PORTION.min(self.goal.saturating_sub(self.sent));
        let bits = self.sent.saturating_add(portion).saturating_mul(8_000_000);
        let after = i64::try_from(bits.div_ceil(self.rate.max(1))).unwrap_or(i64::MAX / 2);
        (self.began + after - STEP).max(self.asked + STEP)
    }

    /// When it is over although not all of it left.
    fn given_up(&self) -> i64 {
        self.began + self.length.saturating_mul(PATIENCE)
    }
}

/// What a burst found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The way carries that, bit/s; `None` when too little of it arrived.
    pub rate: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Probe {
    burst: Option<Burst>,
    last_id: u8,
    /// Bit/s looked for at most; 0 = none.
    most: u64,
    /// A burst may be so many times that.
    beyond: u64,
    /// When the next burst may begin; `None` while nothing is looked for.
    next: Option<i64>,
    gap: i64,
    /// Rate of the next burst when it follows one that came through, or the first.
    further: Option<u64>,
    /// Saved time, µs, and when that was counted.
    saved: i64,
    counted: i64,
    unanswered: u32,
    /// Bursts in a row that left too slowly.
    late: u32,
}

impl Probe {
    pub fn new() -> Self {
        Self {
            burst: None,
            last_id: 0,
            most: 0,
            beyond: 1,
            next: None,
            gap: GAP,
            further: None,
            saved: SAVED,
            counted: 0,
            unanswered: 0,
            late: 0,
        }
    }

    /// What is looked for at most, bit/s; with 0 nothing is.
    /// `carefully`: no burst goes beyond that.
    pub fn set_most(&mut self, now: i64, most: u64, carefully: bool) {
        self.most = most;
        self.beyond = if carefully { 1 } else { BEYOND };
        if most == 0 {
            self.burst = None;
            self.next = None;
            self.further = None;
        } else if self.next.is_none() {
            self.next = Some(now);
        }
    }

    /// Begins anew with bursts that follow each other.
    pub fn begin(&mut self, now: i64, estimate: u64, times: Option<u64>) {
        if self.most == 0 {
            return;
        }
        // Carefully from below, or from what was known: seldom.
        self.gap = if self.beyond > 1 && times.is_none() {
            FIRST_GAP
        } else {
            GAP
        };
        self.next = Some(now);
        self.further = Some(estimate.saturating_mul(times.unwrap_or(FIRST)));
    }

    /// The estimate fell: what follows waits, and longer when it was a burst that
    /// had raised it.
    pub fn on_fall(&mut self, now: i64, by_own_fault: bool) {
        self.burst = None;
        self.further = None;
        if by_own_fault {
            self.gap = (self.gap * 2).min(LONGEST_GAP);
        }
        if let Some(next) = &mut self.next {
            *next = (*next).max(now + self.gap.min(GAP));
            if by_own_fault {
                *next = (*next).max(now + self.gap);
            }
        }
    }

    fn pass(&mut self, now: i64) {
        let passed = (now - self.counted).max(0);
        self.saved = (self.saved + passed / SHARE).min(SAVED);
        // What the division leaves over is counted the next time.
        self.counted += passed - passed % SHARE;
    }

    /// Whether there is room to be looked for above an estimate.
    fn wants(&self, estimate: u64) -> bool {
        self.most > 0 && estimate < self.most.saturating_mul(95) / 100
    }

    /// Number of the burst that packets sent now count for; 0 = none.
    pub fn id(&self) -> u8 {
        self.burst
            .filter(|burst| burst.ended.is_none())
            .map_or(0, |burst| burst.id)
    }

    /// Bytes of padding that should leave now. `calm` as in [`Self::due`].
    pub fn padding(&mut self, now: i64, estimate: u64, calm: Option<i64>) -> u64 {
        self.pass(now);
        if self.burst.is_none()
            && calm.is_some_and(|calm| calm <= now)
            && self.wants(estimate)
            && self.next.is_some_and(|next| next <= now)
        {
            self.open(now, estimate);
        }
        let Some(burst) = &mut self.burst else {
            return 0;
        };
        if burst.ended.is_some() {
            return 0;
        }
        if now >= burst.given_up() {
            burst.ended = Some(now);
            return 0;
        }
        if now < burst.due() {
            return 0;
        }
        burst.asked = now;
        let passed = u64::try_from(now - burst.began + STEP).unwrap_or(0);
        let due = passed.saturating_mul(burst.rate) / 8_000_000;
        due.min(burst.goal)
            .saturating_sub(burst.sent)
            .max(LEAST_PORTION)
    }

    fn next_rate(&self, estimate: u64) -> u64 {
        self.further
            .unwrap_or_else(|| estimate.saturating_mul(NEXT))
            .min(self.most.saturating_mul(self.beyond))
            .max(SLOWEST)
    }

    fn open(&mut self, now: i64, estimate: u64) {
        let rate = self.next_rate(estimate);
        let (goal, length) = Self::size(rate);
        if length > self.saved {
            return;
        }
        self.saved -= length;
        self.further = None;
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let burst = Burst {
            id: self.last_id,
            rate,
            began: now,
            goal,
            length,
            sent: 0,
            first_sent: None,
            last_sent: now,
            last_bytes: 0,
            first_arrival: None,
            last_arrival: 0,
            first_bytes: 0,
            received: 0,
            lost: 0,
            ended: None,
            asked: now - STEP,
        };
        self.burst = Some(burst);
    }

    /// A packet left while a burst was on.
    pub fn on_sent(&mut self, now: i64, bytes: usize) {
        if let Some(burst) = self.burst.as_mut().filter(|burst| burst.ended.is_none()) {
            burst.first_sent.get_or_insert(now);
            burst.last_sent = now;
            burst.last_bytes = bytes as u64;
            burst.sent = burst.sent.saturating_add(bytes as u64);
            if burst.sent >= burst.goal {
                burst.ended = Some(now);
            }
        }
    }

    /// A packet of a burst arrived, or (`None`) did not.
    pub fn on_told(&mut self, id: u8, arrival: Option<i64>, bytes: u16) {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.id == id) else {
            return;
        };
        let bytes = u64::from(bytes);
        let Some(arrival) = arrival else {
            burst.lost += bytes;
            return;
        };
        if burst.first_arrival.is_none() {
            burst.first_bytes = bytes;
            burst.last_arrival = arrival;
        }
        let first = burst.first_arrival.get_or_insert(arrival);
        if arrival < *first {
            *first = arrival;
            burst.first_bytes = bytes;
        }
        burst.last_arrival = burst.last_arrival.max(arrival);
        burst.received += bytes;
    }

    /// What the burst found, once all of it is known of or nothing more is heard.
    /// `floor`: part the way loses whatever is sent.
    pub fn found(&mut self, now: i64, estimate: u64, floor: f32) -> Option<Found> {
        let burst = self.burst?;
        let ended = burst.ended?;
        let told = burst.received + burst.lost >= burst.sent;
        if !told && now - ended < UNHEARD {
            return None;
        }
        self.burst = None;
        if burst.received + burst.lost == 0 {
            self.unanswered = self.unanswered.saturating_add(1);
            self.gap = (self.gap * 2).min(UNANSWERED_GAP);
            self.next = Some(now + self.gap);
            return Some(Found { rate: None });
        }
        self.unanswered = 0;
        let rate = measured(&burst, floor);
        let raised = rate.is_some_and(|rate| rate > estimate.saturating_mul(105) / 100);
        if raised {
            self.gap = GAP;
        }
        let late = !raised && left_late(&burst);
        self.late = if late { self.late + 1 } else { 0 };
        match rate {
            Some(rate) if raised && rate >= burst.rate * FURTHER / 100 && rate < self.most => {
                self.further = Some(rate.saturating_mul(NEXT));
                self.next = Some(now);
            }
            _ if late && self.late <= TRIES => {
                self.further = Some(burst.rate);
                self.next = Some(now + AGAIN);
            }
            _ => {
                self.next = Some(now + self.gap);
                if !raised {
                    self.gap = (self.gap * 3 / 2).min(LONGEST_GAP);
                }
            }
        }
        let rate = rate.map(|rate| rate.min(self.most.max(estimate)));
        Some(Found { rate })
    }

    /// When [`Self::padding`] or [`Self::found`] have something to do next. `calm`:
    /// from when on a burst may begin; `None` while that needs feedback.
    pub fn due(&self, estimate: u64, calm: Option<i64>) -> Option<i64> {
        if let Some(burst) = &self.burst {
            return Some(match burst.ended {
                Some(ended) => ended + UNHEARD,
                None => burst.due().min(burst.given_up()),
            });
        }
        if !self.wants(estimate) {
            return None;
        }
        let needed = Self::size(self.next_rate(estimate)).1;
        // Time that is not saved yet.
        let missing = (needed - self.saved).max(0).saturating_mul(SHARE);
        Some(self.next?.max(calm?).max(self.counted + missing))
    }

    /// Bytes of a burst of a rate, and how long it takes, µs.
    fn size(rate: u64) -> (u64, i64) {
        let goal = (rate.saturating_mul(BURST) / 8_000_000).max(LEAST_BYTES);
        let length = goal.saturating_mul(8_000_000) / rate.max(1);
        (
            goal,
            i64::try_from(length).unwrap_or(i64::MAX / 8).max(STEP),
        )
    }
}

/// Whether the burst left so slowly that it proves nothing above what it found.
fn left_late(burst: &Burst) -> bool {
    let Some(first) = burst.first_sent else {
        return true;
    };
    let span = u64::try_from(burst.last_sent - first).unwrap_or(0);
    let bits = burst.sent.saturating_sub(burst.last_bytes) * 8_000_000;
    burst.sent < burst.goal || bits < span.saturating_mul(burst.rate / 100 * LEFT)
}

fn measured(burst: &Burst, floor: f32) -> Option<u64> {
    if burst.received * 100 < burst.sent * ARRIVED {
        return None;
    }
    let rate = |bytes: u64, span: i64| {
        let span = u64::try_from(span).ok().filter(|span| *span > 0)?;
        Some(bytes.saturating_mul(8_000_000) / span)
    };
    let sent = burst
        .first_sent
        .and_then(|first| {
            rate(
                burst.sent - burst.last_bytes.min(burst.sent),
                burst.last_sent - first,
            )
        })
        .unwrap_or(burst.rate);
    let arrived = burst.first_arrival.and_then(|first| {
        rate(
            burst.received - burst.first_bytes,
            burst.last_arrival - first,
        )
    });
    // All at once: nothing held it up.
    let Some(arrived) = arrived else {
        return Some(burst.rate);
    };
    // What is lost anyway took its time on the way all the same.
    let arrived = (arrived as f64 / f64::from(1.0 - floor.min(0.5))) as u64;
    Some(if arrived < sent.saturating_mul(HELD_UP) / 100 {
        arrived.saturating_mul(TAKEN) / 100
    } else {
        arrived.min(sent).min(burst.rate)
    })
}
