//! Recording time: milliseconds since the recording began, pauses included.

use serde::{Deserialize, Serialize};

/// What the clocks of the machine show; handed in with every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Now {
    /// `CLOCK_BOOTTIME`, nanoseconds: common to every process of the machine.
    pub boot_ns: u64,
    /// Wall clock, milliseconds since the Unix epoch, UTC.
    pub wall_ms: u64,
}

/// Ties recording time to the clocks of one start of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Anchor {
    /// Wall clock at `t_ms`, milliseconds since the Unix epoch, UTC.
    pub wall_ms: u64,
    /// `CLOCK_BOOTTIME` at `t_ms`, nanoseconds.
    pub boot_ns: u64,
    /// `/proc/sys/kernel/random/boot_id`: says whether `boot_ns` still counts.
    pub boot_id: String,
    /// Recording time of this anchor, milliseconds; 0 for the first.
    #[serde(default)]
    pub t_ms: u64,
}

impl Anchor {
    /// The anchor of a recording that begins now.
    pub fn begin(now: Now, boot_id: &str) -> Self {
        Self {
            wall_ms: now.wall_ms,
            boot_ns: now.boot_ns,
            boot_id: boot_id.to_owned(),
            t_ms: 0,
        }
    }

    /// The anchor a recorder goes on with: this one while the machine runs, after
    /// a restart of the machine one by the wall clock, and never before `reached`
    /// (the latest recording time known), should the wall clock have been set back.
    #[must_use]
    pub fn go_on(&self, now: Now, boot_id: &str, reached: u64) -> Self {
        if self.boot_id == boot_id && self.at_boot(now.boot_ns) >= reached {
            return self.clone();
        }
        Self {
            wall_ms: now.wall_ms,
            boot_ns: now.boot_ns,
            boot_id: boot_id.to_owned(),
            t_ms: self.at_wall(now.wall_ms).max(reached),
        }
    }

    /// Recording time, milliseconds.
    pub fn at(&self, now: Now) -> u64 {
        self.at_boot(now.boot_ns)
    }

    /// Recording time at a `CLOCK_BOOTTIME`, milliseconds; 0 before the beginning.
    pub fn at_boot(&self, boot_ns: u64) -> u64 {
        if boot_ns >= self.boot_ns {
            self.t_ms
                .saturating_add((boot_ns - self.boot_ns) / 1_000_000)
        } else {
            self.t_ms
                .saturating_sub((self.boot_ns - boot_ns) / 1_000_000)
        }
    }

    /// The same, nanoseconds, and signed: what happened before the beginning too.
    pub fn at_boot_ns(&self, boot_ns: u64) -> i64 {
        let at = i128::from(boot_ns) - i128::from(self.boot_ns) + i128::from(self.t_ms) * 1_000_000;
        i64::try_from(at).unwrap_or(if at < 0 { i64::MIN } else { i64::MAX })
    }

    /// Recording time at a wall clock time, for what carries no other (the events
    /// of the ledger); 0 before the beginning.
    pub fn at_wall(&self, wall_ms: u64) -> u64 {
        self.t_ms
            .saturating_add(wall_ms)
            .saturating_sub(self.wall_ms)
    }
}

/// A stretch of recording time, `from_ms` inclusive to `to_ms` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// First millisecond.
    pub from_ms: u64,
    /// The millisecond after the last.
    pub to_ms: u64,
}

impl Span {
    /// A stretch; empty when `to_ms` is not later.
    pub const fn new(from_ms: u64, to_ms: u64) -> Self {
        Self { from_ms, to_ms }
    }

    /// Length, milliseconds.
    pub const fn len_ms(self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }

    /// Whether nothing lies in it.
    pub const fn is_empty(self) -> bool {
        self.to_ms <= self.from_ms
    }

    /// Whether both share a moment.
    pub const fn meets(self, other: Self) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && self.from_ms < other.to_ms
            && other.from_ms < self.to_ms
    }
}
