//! The one place of the recorder that reads clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lophoc_recording::Now;
use rustix::time::{ClockId, clock_gettime};

/// Where the kernel tells one start of the machine from the next.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// `CLOCK_BOOTTIME`, nanoseconds: the same for every process of the machine.
pub fn boot_ns() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Both clocks.
pub fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Now {
        boot_ns: boot_ns(),
        wall_ms: since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        }),
    }
}

/// Name of this start of the machine; empty where the kernel does not tell, so that
/// it differs from none and the monotonic clock is believed.
pub fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID)
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// `CLOCK_BOOTTIME` of a moment of the monotonic clock, seen from `now`.
pub fn boot_ns_at(moment: Instant, now: Instant, now_ns: u64) -> u64 {
    let ago = now.saturating_duration_since(moment).as_nanos();
    now_ns.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
}
