//! A token bucket. Time is an argument.

/// Allows `per_second` events on average and `burst` at once.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: f64,
    burst: f64,
    left: f64,
    at_ms: u64,
}

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: f64, burst: u32, now_ms: u64) -> Self {
        let burst = f64::from(burst);
        Self {
            per_second,
            burst,
            left: burst,
            at_ms: now_ms,
        }
    }

    /// Takes one event; false when there is none left.
    pub fn take(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }

    /// Full again: nothing would be lost by forgetting it.
    pub fn is_full(&mut self, now_ms: u64) -> bool {
        self.fill(now_ms);
        self.left >= self.burst
    }

    fn fill(&mut self, now_ms: u64) {
        let passed = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        // Precise enough: a bucket never lives for 2^52 ms.
        #[allow(clippy::cast_precision_loss)]
        let seconds = passed as f64 / 1000.0;
        self.left = (self.left + seconds * self.per_second).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_rules() {
        let mut bucket = Bucket::new(10.0, 3, 0);
        assert_eq!((0..5).filter(|_| bucket.take(0)).count(), 3);
        assert!(!bucket.take(99));
        assert!(bucket.take(100));
        assert!(!bucket.is_full(200));
        assert!(bucket.is_full(1_000));
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let mut bucket = Bucket::new(10.0, 1, 1_000);
        assert!(bucket.take(1_000));
        assert!(!bucket.take(0));
        assert!(!bucket.take(1_050));
    }
}
