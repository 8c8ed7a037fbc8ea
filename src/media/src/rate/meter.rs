//! How many bits a second pass, over the last half second.

/// Length of a bucket, µs.
const BUCKET: i64 = 100_000;
/// Whole buckets a rate is taken over: usually, and of a short while.
pub(super) const USUAL: i64 = 5;
pub(super) const SHORT: i64 = 3;
/// Whole buckets needed for a rate at all.
const LEAST: i64 = 3;

/// Bytes by time, in buckets of 100 ms: so many of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter<const BUCKETS: usize> {
    bytes: [u32; BUCKETS],
    /// Number of the newest bucket.
    newest: i64,
    /// Number of the bucket everything began in.
    first: Option<i64>,
}

impl<const BUCKETS: usize> Meter<BUCKETS> {
    pub fn new() -> Self {
        Self {
            bytes: [0; BUCKETS],
            newest: 0,
            first: None,
        }
    }

    /// See [`super::Controller::warm`].
    pub fn warm(&self) -> u64 {
        let index = usize::try_from(self.newest.rem_euclid(BUCKETS as i64)).unwrap_or(0);
        u64::from(self.bytes.get(index).copied().unwrap_or(0))
    }

    fn bucket(&mut self, number: i64) -> Option<&mut u32> {
        let index = usize::try_from(number.rem_euclid(BUCKETS as i64)).ok()?;
        self.bytes.get_mut(index)
    }

    /// So many bytes passed at a time in µs. What is older than the buckets is
    /// left out.
    pub fn add(&mut self, at: i64, bytes: u32) {
        let number = at.div_euclid(BUCKET);
        self.turn(number);
        if self.newest - number < BUCKETS as i64
            && let Some(bucket) = self.bucket(number)
        {
            *bucket = bucket.saturating_add(bytes);
        }
    }

    fn turn(&mut self, to: i64) {
        if self.first.is_none() {
            self.first = Some(to);
            self.newest = to;
        }
        let steps = (to - self.newest).min(BUCKETS as i64);
        for step in 0..steps.max(0) {
            if let Some(bucket) = self.bucket(to - step) {
                *bucket = 0;
            }
        }
        self.newest = self.newest.max(to);
    }

    /// Bit/s over so many whole buckets before a time in µs; `None` too early, or
    /// too long ago.
    pub fn rate(&mut self, at: i64, buckets: i64) -> Option<u64> {
        let first = self.first?;
        let end = at.div_euclid(BUCKET);
        self.turn(end);
        let counted = (end - first).min(buckets);
        if counted < LEAST || self.newest - end + counted >= BUCKETS as i64 {
            return None;
        }
        let sum: u64 = (1..=counted)
            .filter_map(|back| self.bucket(end - back).map(|bytes| u64::from(*bytes)))
            .sum();
        let span = u64::try_from(counted * BUCKET).ok()?;
        Some(sum.saturating_mul(8_000_000) / span)
    }

    /// Forgets everything: times begin anew.
    pub fn reset(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate_and_a_gap_takes_it_down() {
        let mut meter = Meter::<32>::new();
        assert_eq!(meter.rate(0, USUAL), None);
        for n in 0..100 {
            meter.add(n * 20_000, 125);
        }
        assert_eq!(meter.rate(1_999_999, USUAL), Some(50_000));
        assert_eq!(meter.rate(2_250_000, USUAL), Some(30_000));
        assert_eq!(meter.rate(60_000_000, USUAL), Some(0));
    }

    #[test]
    fn the_rate_of_a_while_ago_is_known_for_some_time() {
        let mut meter = Meter::<32>::new();
        for n in 0..250 {
            meter.add(n * 20_000, if n < 150 { 125 } else { 250 });
        }
        assert_eq!(meter.rate(3_000_000, USUAL), Some(50_000));
        assert_eq!(meter.rate(5_000_000, USUAL), Some(100_000));
        assert_eq!(meter.rate(1_000_000, USUAL), None);
    }

    #[test]
    fn what_is_late_counts_where_it_belongs_or_not_at_all() {
        let mut meter = Meter::<32>::new();
        meter.add(0, 1_000);
        meter.add(900_000, 1_000);
        meter.add(700_000, 500);
        meter.add(-5_000_000, 9_999);
        assert_eq!(meter.rate(1_000_000, USUAL), Some(24_000));
    }
}
