//! A histogram of durations of bounded size: 32 steps per doubling, so a
//! percentile is at most about 3 % off.

use std::time::Duration;

use serde::Serialize;

/// Steps per doubling.
const STEPS: u64 = 32;
/// Doublings covered above the linear start: up to about 2^36 µs.
const OCTAVES: usize = 32;

/// Counts by duration, microseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; STEPS as usize * (OCTAVES + 1)],
            total: 0,
            max: 0,
        }
    }
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 95 of 100 are below.
    pub p95: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// Largest.
    pub max: f64,
    /// How many were measured.
    pub count: u64,
}

fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let octave = u64::from(us.ilog2()) - u64::from(STEPS.ilog2());
    let step = (us >> octave) - STEPS;
    (STEPS + octave * STEPS + step) as usize
}

/// Middle of a bucket, microseconds.
fn value(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket as f64;
    }
    let octave = (bucket - STEPS) / STEPS;
    let step = (bucket - STEPS) % STEPS;
    let low = ((STEPS + step) << octave) as f64;
    low + (1u64 << octave) as f64 / 2.0
}

impl Histogram {
    /// Counts one duration. Longer ones than about 19 hours count as that.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        if let Some(count) = self.counts.get_mut(bucket(us).min(last)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(us);
    }

    /// Adds the counts of another one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The value below which `share` (0 to 1) of the durations lie, ms.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return value(index).min(self.max as f64) / 1000.0;
            }
        }
        0.0
    }

    /// The usual percentiles.
    pub fn percentiles(&self) -> Percentiles {
        let round = |ms: f64| (ms * 1000.0).round() / 1000.0;
        Percentiles {
            p50: round(self.quantile_ms(0.50)),
            p95: round(self.quantile_ms(0.95)),
            p99: round(self.quantile_ms(0.99)),
            max: round(self.max as f64 / 1000.0),
            count: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_step_of_the_truth() {
        let mut h = Histogram::default();
        for us in 1..=100_000u64 {
            h.record(Duration::from_micros(us));
        }
        for (share, truth) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let got = h.quantile_ms(share);
            assert!(
                (got - truth).abs() / truth < 0.035,
                "{share}: {got} instead of {truth}"
            );
        }
        assert_eq!(h.percentiles().count, 100_000);
    }

    #[test]
    fn an_empty_histogram_gives_zeros_and_a_huge_value_does_not_overflow() {
        let mut h = Histogram::default();
        assert_eq!(h.percentiles(), Percentiles::default());
        h.record(Duration::MAX);
        assert_eq!(h.percentiles().count, 1);
    }

    #[test]
    fn merging_adds_up() {
        let mut a = Histogram::default();
        let mut b = Histogram::default();
        a.record(Duration::from_millis(1));
        b.record(Duration::from_millis(9));
        a.merge(&b);
        assert_eq!(a.percentiles().count, 2);
        assert!(a.percentiles().max >= 9.0);
    }
}
