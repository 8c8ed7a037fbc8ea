//! Whether the way fills up, told from how the gaps between packets grow on it
//! (draft-ietf-rmcat-gcc-02, with a line through the last delays in place of the
//! Kalman filter).

/// Packets sent within this are one group, µs.
const BURST: i64 = 5_000;
/// A group that arrives in one go ends after this, µs.
const LONGEST_BURST: i64 = 100_000;
/// Groups a line is drawn through.
const WINDOW: usize = 20;
/// What an old delay counts beside a new one.
const SMOOTHING: f64 = 0.9;
/// What the slope of the line is multiplied with to be compared.
const GAIN: f64 = 4.0;
/// Groups after which the slope counts in full.
const FULL: u32 = 60;
/// Steps of the threshold towards a slope beyond it and below it, each ms.
const RISE: f64 = 0.0087;
const FALL: f64 = 0.039;
const THRESHOLDS: (f64, f64) = (6.0, 600.0);
const FIRST_THRESHOLD: f64 = 12.5;
/// A slope so far beyond the threshold says nothing about it.
const BEYOND: f64 = 15.0;
/// A slope beyond the threshold is believed after this, ms.
const BELIEVED: f64 = 10.0;
/// Gaps that differ by more are another clock or another way, µs.
const JUMP: i64 = 3_000_000;
/// How long the shortest delay is remembered at least, µs; twice as long at most.
const REMEMBERED: i64 = 20_000_000;

/// What the way does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    #[default]
    Normal,
    Over,
    Under,
}

/// Packets sent together.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Delay {
    before: Option<Group>,
    group: Option<Group>,
    /// Time in ms and smoothed delay in ms, a ring.
    points: [(f64, f64); WINDOW],
    count: u32,
    began: i64,
    delay: f64,
    smoothed: f64,
    slope: f64,
    threshold: f64,
    threshold_at: Option<i64>,
    over_for: Option<f64>,
    over_groups: u32,
    usage: Usage,
    shortest: Shortest,
    queue: Queue,
}

/// What stands in queues: the least delay beyond the shortest of the last quarter
/// of a second. A frame that leaves in one go is delayed by itself; what is behind
/// it is not.
#[derive(Debug, Clone, Copy, Default)]
struct Queue {
    /// The part of time being looked at, and the least delay in it, µs.
    part: i64,
    now: Option<i64>,
    /// The least of the parts before it, µs.
    before: [i64; 2],
}

/// Length of a part, µs.
const PART: i64 = 100_000;

impl Queue {
    fn add(&mut self, at: i64, over: i64) {
        let part = at.div_euclid(PART);
        if part > self.part {
            let [newer, _] = self.before;
            // Without packets nothing is known to stand.
            self.before = match part - self.part {
                1 => [self.now.unwrap_or(0), newer],
                2 | 3 => [self.now.unwrap_or(0); 2],
                _ => [0; 2],
            };
            self.part = part;
            self.now = None;
        }
        self.now = Some(self.now.map_or(over, |now| now.min(over)));
    }

    fn stands(&self) -> i64 {
        let [newer, older] = self.before;
        newer.min(older).min(self.now.unwrap_or(i64::MAX))
    }
}

/// The shortest delay seen lately.
#[derive(Debug, Clone, Copy, Default)]
struct Shortest {
    now: Option<i64>,
    before: Option<i64>,
    since: i64,
}

impl Shortest {
    fn add(&mut self, at: i64, delay: i64) -> i64 {
        if at - self.since > REMEMBERED {
            self.before = self.now.take();
            self.since = at;
        }
        let now = self.now.map_or(delay, |now| now.min(delay));
        self.now = Some(now);
        self.before.map_or(now, |before| before.min(now))
    }
}

impl Delay {
    pub fn new() -> Self {
        Self {
            before: None,
            group: None,
            points: [(0.0, 0.0); WINDOW],
            count: 0,
            began: 0,
            delay: 0.0,
            smoothed: 0.0,
            slope: 0.0,
            threshold: FIRST_THRESHOLD,
            threshold_at: None,
            over_for: None,
            over_groups: 0,
            usage: Usage::Normal,
            shortest: Shortest::default(),
            queue: Queue::default(),
        }
    }

    /// What the way did by the packets so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What stands in queues, µs of delay.
    pub fn queue(&self) -> i64 {
        self.queue.stands()
    }

    /// The delay there is now is what the way takes; nothing stands in queues.
    pub fn forget_shortest(&mut self) {
        self.shortest = Shortest {
            since: self.shortest.since,
            ..Shortest::default()
        };
        self.queue = Queue::default();
    }

    /// Another clock, or another way: nothing of before counts.
    pub fn begin_anew(&mut self) {
        *self = Self {
            threshold: self.threshold,
            ..Self::new()
        };
    }

    /// A packet arrived; both times in µs, on clocks that need not agree.
    pub fn on_packet(&mut self, sent: i64, arrival: i64) {
        let delay = arrival.saturating_sub(sent);
        let over = delay - self.shortest.add(sent, delay);
        self.queue.add(arrival, over);

        let Some(group) = &mut self.group else {
            self.group = Some(Group {
                first_sent: sent,
                last_sent: sent,
                first_arrival: arrival,
                last_arrival: arrival,
            });
            return;
        };
        if sent < group.first_sent {
            // Sent before the group: told late.
            return;
        }
        let gap = arrival - group.last_arrival;
        let together = sent - group.first_sent <= BURST
            || (gap <= BURST
                && gap < sent - group.last_sent
                && arrival - group.first_arrival < LONGEST_BURST);
        if together {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrival = group.last_arrival.max(arrival);
            return;
        }
        let done = *group;
        self.group = Some(Group {
            first_sent: sent,
            last_sent: sent,
            first_arrival: arrival,
            last_arrival: arrival,
        });
        if let Some(before) = self.before.replace(done) {
            self.on_group(&before, &done);
        }
    }

    fn on_group(&mut self, before: &Group, done: &Group) {
        let sent = done.last_sent - before.last_sent;
        let arrived = done.last_arrival - before.last_arrival;
        if arrived < 0 {
            return;
        }
        if (arrived - sent).abs() > JUMP {
            self.begin_anew();
            return;
        }
        if self.count == 0 {
            self.began = done.last_arrival;
        }
        self.delay += (arrived - sent) as f64 / 1_000.0;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let at = (done.last_arrival - self.began) as f64 / 1_000.0;
        if let Some(point) = self.points.get_mut(self.count as usize % WINDOW) {
            *point = (at, self.smoothed);
        }
        // Wraps to a full window after four thousand million groups.
        self.count = self.count.checked_add(1).unwrap_or(WINDOW as u32 * 100);
        let before = self.slope;
        if self.count as usize >= WINDOW {
            self.slope = self.line().unwrap_or(self.slope);
        }
        self.detect(before, sent as f64 / 1_000.0, done.last_arrival);
    }

    /// Slope of the line through the points.
    fn line(&self) -> Option<f64> {
        let count = WINDOW as f64;
        let (sum_x, sum_y) = self
            .points
            .iter()
            .fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (above, below) = self.points.iter().fold((0.0, 0.0), |(a, b), (x, y)| {
            let dx = x - mean_x;
            (a + dx * (y - mean_y), b + dx * dx)
        });
        (below > 0.0).then_some(above / below)
    }

    fn detect(&mut self, before: f64, sent: f64, at: i64) {
        if (self.count as usize) < WINDOW {
            return;
        }
        let trend = f64::from(self.count.min(FULL)) * self.slope * GAIN;
        if trend > self.threshold {
            let over_for = self.over_for.map_or(sent / 2.0, |time| time + sent);
            self.over_for = Some(over_for);
            self.over_groups += 1;
            if over_for > BELIEVED && self.over_groups > 1 && self.slope >= before {
                self.over_for = Some(0.0);
                self.over_groups = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_for = None;
            self.over_groups = 0;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.adapt(trend.abs(), at);
    }

    fn adapt(&mut self, trend: f64, at: i64) {
        let passed = at - self.threshold_at.replace(at).unwrap_or(at);
        if trend > self.threshold + BEYOND {
            return;
        }
        let step = if trend < self.threshold { FALL } else { RISE };
        let passed = (passed as f64 / 1_000.0).clamp(0.0, 100.0);
        self.threshold += step * (trend - self.threshold) * passed;
        self.threshold = self.threshold.clamp(THRESHOLDS.0, THRESHOLDS.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets each 20 ms whose delay grows by `growth` µs each; what was seen.
    fn seen(delay: &mut Delay, from: i64, packets: i64, growth: impl Fn(i64) -> i64) -> Vec<Usage> {
        (0..packets)
            .map(|n| {
                let sent = from + n * 20_000;
                delay.on_packet(sent, sent + 777_000 + growth(n));
                delay.usage()
            })
            .collect()
    }

    #[test]
    fn a_steady_way_is_normal_whatever_its_delay() {
        let mut delay = Delay::new();
        let seen = seen(&mut delay, 0, 500, |n| n % 7 * 300);
        assert!(seen.iter().all(|usage| *usage == Usage::Normal));
        assert!(delay.queue() < 2_000);
    }

    #[test]
    fn a_queue_that_fills_is_seen_within_half_a_second_and_so_is_its_end() {
        let mut delay = Delay::new();
        seen(&mut delay, 0, 100, |_| 0);
        let filling = seen(&mut delay, 2_000_000, 40, |n| n * 10_000);
        let at = filling.iter().position(|usage| *usage == Usage::Over);
        assert!(at.is_some_and(|at| at < 25), "{at:?}");
        assert!(delay.queue() > 200_000);
        let draining = seen(&mut delay, 2_800_000, 40, |n| 400_000 - n * 10_000);
        assert!(draining.contains(&Usage::Under));
    }

    #[test]
    fn another_clock_is_no_queue() {
        let mut delay = Delay::new();
        seen(&mut delay, 0, 100, |_| 0);
        let after = seen(&mut delay, 2_000_000, 100, |_| 60_000_000);
        assert!(after.iter().all(|usage| *usage == Usage::Normal));
        assert!(delay.queue() < 1_000, "{}", delay.queue());
    }
}
