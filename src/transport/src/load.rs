//! How busy a shard is, and what follows from it for how long it gathers.
//!
//! Packets that leave together cost a fraction of what they cost alone, and a turn
//! costs something even when it finds one datagram. At ease neither matters and
//! nothing waits longer than it must; the busier a shard is, the more it gathers.

use std::time::{Duration, Instant};

/// The load follows from windows of this length.
const WINDOW: Duration = Duration::from_millis(100);
/// Weight of the newest window.
const NEWEST: f32 = 0.4;
/// Below the first share of its time a shard is at ease, above the second it gathers
/// as long as it may.
const GATHER_BY: (f32, f32) = (0.3, 0.7);
/// The same for the time between two turns.
const REST_BY: (f32, f32) = (0.02, 0.15);
/// How long a frame of video is gathered at ease, and at most: a receiver can
/// decode nothing before its last packet, and browsers take that long to send one.
const GATHER: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(12));
/// Least time from turn to turn while there is something to do.
const REST: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(2));

/// Share of its time a shard works, by the processor time of its thread. Time in which
/// it wanted to and got no processor does not count: that is the machine's lack, and
/// giving up pictures would not end it.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    since: Instant,
    /// Processor time of the thread then; none before the first look.
    used: Option<Duration>,
    load: f32,
}

impl LoadMeter {
    /// At ease from `now` on.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            used: None,
            load: 0.0,
        }
    }

    /// A turn is done. `used` tells the thread's processor time; it is asked once a
    /// window.
    pub(crate) fn turn(&mut self, now: Instant, used: impl FnOnce() -> Duration) {
        let passed = now.saturating_duration_since(self.since);
        if passed < WINDOW {
            return;
        }
        let used = used();
        if let Some(before) = self.used {
            let busy = used.saturating_sub(before).as_secs_f32();
            let share = (busy / passed.as_secs_f32()).min(1.0);
            self.load += (share - self.load) * NEWEST;
        }
        self.since = now;
        self.used = Some(used);
    }

    /// 0 to 1, of the last half second or so.
    pub(crate) fn load(&self) -> f32 {
        self.load
    }

    /// How long a frame may be gathered.
    pub(crate) fn gather(&self) -> Duration {
        between(GATHER, GATHER_BY, self.load)
    }

    /// Least time between the beginnings of two turns.
    pub(crate) fn rest(&self) -> Duration {
        between(REST, REST_BY, self.load)
    }
}

fn between((least, most): (Duration, Duration), (ease, busy): (f32, f32), load: f32) -> Duration {
    let share = ((load - ease) / (busy - ease)).clamp(0.0, 1.0);
    if share >= 1.0 {
        return most;
    }
    least + (most - least).mul_f32(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shard that works this share of its time, for two seconds.
    fn meter(share: f32) -> LoadMeter {
        let start = Instant::now();
        let mut meter = LoadMeter::new(start);
        for turn in 0..2_000 {
            let passed = Duration::from_millis(turn);
            meter.turn(start + passed, || passed.mul_f32(share));
        }
        meter
    }

    #[test]
    fn the_load_is_the_share_of_time_spent_in_turns() {
        for share in [0.0, 0.2, 0.5, 0.9, 1.0] {
            assert!((meter(share).load() - share).abs() < 0.02, "{share}");
        }
    }

    #[test]
    fn a_burst_is_forgotten_within_two_seconds() {
        let mut meter = meter(1.0);
        let (start, used) = (meter.since, meter.used.unwrap());
        for turn in 1..=200u32 {
            meter.turn(start + Duration::from_millis(10) * turn, || used);
        }
        assert!(meter.load() < 0.01);
    }

    #[test]
    fn gathering_grows_with_the_load_up_to_a_frame() {
        assert_eq!(meter(0.1).gather(), GATHER.0);
        assert_eq!(meter(0.9).gather(), GATHER.1);
        let middle = meter(0.5).gather();
        assert!(middle > GATHER.0 && middle < GATHER.1);
        assert!(meter(0.01).rest() < meter(0.1).rest());
        assert!(meter(0.9).rest() <= Duration::from_millis(2));
    }
}
