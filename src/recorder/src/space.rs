//! Room on the disk.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use lophoc_recording::limits;
use rustix::fs::{FallocateFlags, fallocate};

/// Name of what is kept to be given up when the disk is full, beside the folders of
/// recordings.
const BALLAST: &str = "ballast";

/// Free bytes where `folder` is; `None` when it cannot be asked.
pub fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// As free bytes count against the bounds of the core, whose first is
/// [`limits::DISK_START`], when this server's is `least`.
pub fn scaled(free: u64, least: u64) -> u64 {
    let scaled = u128::from(free) * u128::from(limits::DISK_START) / u128::from(least.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The other way.
pub fn unscaled(free: u64, least: u64) -> u64 {
    let real = u128::from(free) * u128::from(least) / u128::from(limits::DISK_START);
    u64::try_from(real).unwrap_or(u64::MAX)
}

/// The ballast of the folder all recordings are in, made anew where there is ample
/// room.
pub fn ballast(folder: &Path, least: u64) -> Option<PathBuf> {
    let path = folder.parent()?.join(BALLAST);
    if path.exists() {
        return Some(path);
    }
    let size = limits::BALLAST.min(least / 8);
    let ample = size.saturating_mul(2).saturating_add(least);
    free(folder).filter(|free| *free > ample)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .ok()?;
    match fallocate(&file, FallocateFlags::empty(), 0, size) {
        Ok(()) => Some(path),
        Err(error) => {
            tracing::debug!(%error, "no ballast on this file system");
            let _ = std::fs::remove_file(&path);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_move_with_the_least_free_space() {
        let least = 64 << 20;
        assert_eq!(scaled(least, least), limits::DISK_START);
        assert!(scaled(least / 20, least) < limits::DISK_END);
        assert!(scaled(least * 3, least) > limits::DISK_WARN);
        assert_eq!(unscaled(scaled(12_345 << 10, least), least), 12_345 << 10);
    }
}
