//! How much a shard has to do, and what it gives up when that is too much.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Instant;

use lophoc_media::overload::{Load, Overload, Stage};

use super::Shard;

/// What everybody may read of a shard's load, at most a second old.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    stage: AtomicU8,
    full: AtomicBool,
}

impl Pressure {
    /// What it gives up.
    pub(crate) fn stage(&self) -> Stage {
        Stage::from_number(self.stage.load(Ordering::Relaxed))
    }

    /// Newcomers had better be refused.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, stage: Stage, full: bool) {
        self.stage.store(stage.number(), Ordering::Relaxed);
        self.full.store(full, Ordering::Relaxed);
    }
}

/// Follows the load of one shard.
#[derive(Debug)]
pub(super) struct Scale {
    overload: Overload,
    /// Datagrams sent and refused when it was weighed last.
    sent: (u64, u64),
}

impl Scale {
    /// Overloaded from `high` on, per mille of the time.
    pub(super) fn new(high: u16) -> Self {
        Self {
            overload: Overload::new(high),
            sent: (0, 0),
        }
    }
}

impl Shard {
    /// Once a second: what was the load, and what follows from it?
    pub(super) fn weigh(&mut self, now: Instant) {
        let busy = per_mille(self.load.load());
        let (sent, refused) = (
            self.batch.counters.datagrams,
            self.batch.counters.would_block,
        );
        let (sent_before, refused_before) = self.scale.sent;
        self.scale.sent = (sent, refused);
        let refused = refused.saturating_sub(refused_before);
        let all = sent.saturating_sub(sent_before).saturating_add(refused);
        let blocked = refused
            .saturating_mul(1_000)
            .checked_div(all)
            .map_or(0, |part| u16::try_from(part).unwrap_or(u16::MAX));
        if let Some(stage) = self.scale.overload.on_load(now, Load { busy, blocked }) {
            let shard = self.id.0;
            tracing::warn!(shard, busy, blocked, ?stage, "overload of a media shard");
        }
        let (stage, full) = (
            self.scale.overload.stage(),
            self.scale.overload.is_full(now),
        );
        // Also after the core began anew.
        self.core.set_overload(now, stage);
        if let Some(pressure) = self.shared.pressure.get(usize::from(self.id.0)) {
            pressure.set(stage, full);
        }
    }
}

/// A share, per mille.
fn per_mille(share: f32) -> u16 {
    // Between 0 and 1,000, so nothing is lost but what is behind the point.
    (share.clamp(0.0, 1.0) * 1_000.0) as u16
}
