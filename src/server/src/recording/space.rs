//! Room on the disk, and the clock recorder and server share.

use std::path::Path;

/// Free bytes where `folder` is; `None` when it cannot be asked.
pub(super) fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// `CLOCK_BOOTTIME`, nanoseconds.
pub(crate) fn boot_ns() -> u64 {
    lophoc_recorder::boot_ns()
}
