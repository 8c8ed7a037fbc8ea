//! The one place of the control plane that reads the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lophoc_room::Now;

/// Wall and monotonic time since the process started.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Now, for the room.
    pub fn now(&self) -> Now {
        Now {
            wall_ms: wall_ms(),
            mono_ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Milliseconds since the epoch, UTC.
pub fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
