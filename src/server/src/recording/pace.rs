//! How far work on a recording is, and that it ends when the server does: what runs on
//! a thread of its own, or as a program of its own, is reached by nothing else.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How far a stage is, and whether it is to end.
#[derive(Debug, Default)]
pub struct Pace {
    percent: AtomicU8,
    ends: AtomicBool,
}

impl Pace {
    /// So much is done.
    pub fn done(&self, part: u64, whole: u64) {
        let percent = match whole {
            0 => 0,
            whole => part.saturating_mul(100) / whole,
        };
        let percent = u8::try_from(percent.min(100)).unwrap_or(100);
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// How much is done, 0 to 100.
    pub fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }

    /// It is to end.
    pub fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Set when it is to end.
    pub fn ends_flag(&self) -> &AtomicBool {
        &self.ends
    }

    /// It is to end.
    pub fn ends(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }
}

/// All work that is under way.
#[derive(Debug, Default)]
pub struct Paces {
    stops: AtomicBool,
    under_way: Mutex<Vec<Weak<Pace>>>,
}

impl Paces {
    /// Work begins. After [`Self::stop`] it is to end before it began.
    pub fn begin(&self) -> Arc<Pace> {
        let pace = Arc::new(Pace::default());
        let mut all = (self.under_way.lock()).unwrap_or_else(PoisonError::into_inner);
        all.retain(|pace| pace.strong_count() > 0);
        all.push(Arc::downgrade(&pace));
        // Whoever stops sets this first and asks for the lock then: one of both sees it.
        if self.stops() {
            pace.end();
        }
        pace
    }

    /// Ends all of it.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::SeqCst);
        let all = (self.under_way.lock()).unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter_map(Weak::upgrade)
            .for_each(|pace| pace.end());
    }

    /// It is ending.
    pub fn stops(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_what_is_under_way_and_what_begins_afterwards() {
        let paces = Paces::default();
        let (one, over) = (paces.begin(), paces.begin());
        drop(over);
        assert!(!one.ends());
        paces.stop();
        assert!(one.ends() && paces.begin().ends());
    }
}
