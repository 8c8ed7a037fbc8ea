//! Health of one layer of a source: whether packets come, how many bits, how
//! high its pictures are, and whether its numbers began anew.

use std::time::{Duration, Instant};

use crate::relay::LayerInfo;

/// A step of the sequence numbers this large, in either direction, is not loss
/// or reordering but another stream (a changed SSRC).
const JUMP: u64 = 5_000;
/// Shortest time over which a bit rate is measured.
const MEASURE: Duration = Duration::from_millis(500);

/// State of one layer.
#[derive(Debug, Clone, Default)]
pub struct LayerHealth {
    live: bool,
    last: Option<Instant>,
    highest: Option<u64>,
    height: u16,
    since: Option<Instant>,
    bytes: u64,
    bits_per_second: u32,
}

/// What a packet changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The layer was silent before.
    pub became_live: bool,
    /// Its numbers have nothing to do with the ones before.
    pub restarted: bool,
    /// A keyframe told another height.
    pub resized: bool,
}

impl LayerHealth {
    /// Takes note of a packet. `bytes`: its payload.
    pub fn on_packet(&mut self, now: Instant, seq: u64, bytes: usize, height: Option<u16>) -> Seen {
        let seen = Seen {
            became_live: !self.live,
            restarted: self.is_jump(seq),
            resized: height.is_some_and(|height| height != self.height),
        };
        self.highest = match self.highest {
            Some(highest) if !seen.restarted => Some(highest.max(seq)),
            _ => Some(seq),
        };
        self.live = true;
        self.last = Some(now);
        self.height = height.unwrap_or(self.height);
        self.since.get_or_insert(now);
        self.bytes += bytes as u64;
        seen
    }

    fn is_jump(&self, seq: u64) -> bool {
        self.highest
            .is_some_and(|highest| highest.abs_diff(seq) > JUMP)
    }

    /// Ends a layer that was silent for `silence`. True when it was live before.
    pub fn expire(&mut self, now: Instant, silence: Duration) -> bool {
        let silent = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= silence);
        let died = self.live && silent;
        if died {
            self.live = false;
            self.since = None;
            self.bytes = 0;
        }
        died
    }

    /// Updates the bit rate, when enough time has passed since the last update.
    pub fn measure(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let passed = now.saturating_duration_since(since);
        if passed < MEASURE {
            return;
        }
        let bits = u128::from(self.bytes) * 8 * 1_000_000 / passed.as_micros().max(1);
        self.bits_per_second = u32::try_from(bits).unwrap_or(u32::MAX);
        self.since = Some(now);
        self.bytes = 0;
    }

    /// Forgets where the numbers were; the next packet is no jump.
    pub fn forget_numbers(&mut self) {
        self.highest = None;
    }

    /// Packets come.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// When the last packet came.
    pub fn last(&self) -> Option<Instant> {
        self.last
    }

    /// For other shards and the allocation.
    pub fn info(&self) -> LayerInfo {
        LayerInfo {
            live: self.live,
            height: self.height,
            bits_per_second: self.bits_per_second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_lives_with_its_packets_and_dies_of_silence() {
        let start = Instant::now();
        let mut layer = LayerHealth::default();
        assert!(layer.on_packet(start, 1, 100, Some(360)).became_live);
        assert!(!layer.on_packet(start, 2, 100, None).became_live);
        assert!(!layer.expire(start + Duration::from_millis(900), Duration::from_secs(1)));
        assert!(layer.expire(start + Duration::from_secs(1), Duration::from_secs(1)));
        assert!(!layer.is_live());
        assert_eq!(layer.info().height, 360);
    }

    #[test]
    fn the_bit_rate_is_that_of_the_time_measured() {
        let start = Instant::now();
        let mut layer = LayerHealth::default();
        for i in 0..100 {
            layer.on_packet(start + Duration::from_millis(i * 10), i, 1_250, None);
        }
        layer.measure(start + Duration::from_secs(1));
        assert_eq!(layer.info().bits_per_second, 1_000_000);
    }

    #[test]
    fn loss_is_no_restart_but_a_leap_is() {
        let now = Instant::now();
        let mut layer = LayerHealth::default();
        layer.on_packet(now, 10_000, 1, None);
        assert!(!layer.on_packet(now, 10_400, 1, None).restarted);
        assert!(!layer.on_packet(now, 9_990, 1, None).restarted);
        assert!(layer.on_packet(now, 17, 1, None).restarted);
        assert!(!layer.on_packet(now, 18, 1, None).restarted);
    }
}
