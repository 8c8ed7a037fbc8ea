//! One time line for all runs of the server.

use std::collections::BTreeMap;

use crate::event::{Event, EventKind, LastSeen, Stamp};

/// The log in order of `seq`, repeats left out.
pub(crate) fn ordered(events: &[Event]) -> Vec<&Event> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| event.seq);
    ordered.dedup_by_key(|event| event.seq);
    ordered
}

/// One time line for all runs of the server: inside a run the monotonic clock
/// counts from the wall clock of the run's first event; a run never begins
/// before the run before it ended, so a clock that was set back moves nothing
/// into the past.
pub(crate) struct TimeLine {
    runs: BTreeMap<u64, Run>,
}

#[derive(Clone, Copy)]
struct Run {
    anchor: Anchor,
    /// First and last stamp of the run that is known, on the time line.
    first_ms: u64,
    last_ms: u64,
}

#[derive(Clone, Copy)]
struct Anchor {
    wall_ms: u64,
    mono_ms: u64,
}

impl Anchor {
    fn time(self, mono_ms: u64) -> u64 {
        if mono_ms >= self.mono_ms {
            self.wall_ms.saturating_add(mono_ms - self.mono_ms)
        } else {
            self.wall_ms.saturating_sub(self.mono_ms - mono_ms)
        }
    }
}

impl TimeLine {
    /// `events` in order of `seq`.
    pub(crate) fn new(events: &[&Event], presence: &[LastSeen], now: Option<Stamp>) -> Self {
        // Of each run: the first stamp met, and the span of its monotonic clock.
        let mut spans: BTreeMap<u64, (Anchor, u64, u64)> = BTreeMap::new();
        let heard = events.iter().filter_map(|event| match &event.kind {
            EventKind::Lapse { last_heard, .. } => Some(*last_heard),
            _ => None,
        });
        let stamps = events.iter().map(|event| event.at);
        // In an order of their own: they may be handed in in any.
        let mut seen: Vec<Stamp> = presence.iter().map(|seen| seen.at).collect();
        seen.sort_unstable_by_key(|at| (at.boot, at.mono_ms, at.wall_ms));
        for at in stamps.chain(heard).chain(seen).chain(now) {
            let first = Anchor {
                wall_ms: at.wall_ms,
                mono_ms: at.mono_ms,
            };
            let span = spans
                .entry(at.boot)
                .or_insert((first, at.mono_ms, at.mono_ms));
            span.1 = span.1.min(at.mono_ms);
            span.2 = span.2.max(at.mono_ms);
        }
        let mut runs = BTreeMap::new();
        let mut floor = 0u64;
        for (boot, (mut anchor, least, most)) in spans {
            let late = floor.saturating_sub(anchor.time(least));
            anchor.wall_ms = anchor.wall_ms.saturating_add(late);
            let run = Run {
                anchor,
                first_ms: anchor.time(least),
                last_ms: anchor.time(most),
            };
            floor = run.last_ms;
            runs.insert(boot, run);
        }
        Self { runs }
    }

    /// Where a stamp lies, ms since the epoch.
    pub(crate) fn time(&self, at: Stamp) -> u64 {
        self.runs
            .get(&at.boot)
            .map_or(at.wall_ms, |run| run.anchor.time(at.mono_ms))
    }

    /// The last sign of life of anybody, the server included.
    pub(crate) fn last_ms(&self) -> Option<u64> {
        self.runs.last_key_value().map(|(_, run)| run.last_ms)
    }

    /// The last sign of life in one run of the server, of anybody.
    pub(crate) fn run_last_ms(&self, boot: u64) -> Option<u64> {
        self.runs.get(&boot).map(|run| run.last_ms)
    }

    /// From the last stamp of each run to the first of the next: the server was
    /// down, or the room was not in it.
    pub(crate) fn between_runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.runs
            .values()
            .zip(self.runs.values().skip(1))
            .map(|(before, after)| (before.last_ms, after.first_ms))
    }
}
