//! Capture: frames and orders go in, writes and lines of the journal come out.
//!
//! [`Capture`] decides, the process does: it carries the [`Output`]s out in order
//! on one writing thread, with a bounded queue before it.

mod machine;
#[cfg(test)]
mod tests;
mod track;

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};

pub use machine::{Capture, Status};

use crate::journal::{DiskLevel, Line, SegmentEnd};
use crate::media::{Frame, Policy, SegmentId, Slot, Source};

/// What a capture is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Whom a slot carries from now on; `None`: nobody.
    Bind {
        /// The slot.
        slot: Slot,
        /// Whom.
        source: Option<Source>,
    },
    /// A frame of a slot. Frames of slots that carry nobody are dropped.
    Frame {
        /// The slot.
        slot: Slot,
        /// The frame.
        frame: Frame,
    },
    /// What may be taken from now on.
    Policy(Policy),
    /// Take nothing.
    Pause {
        /// Who wants it, if a person.
        by: Option<PersonKey>,
    },
    /// Take again.
    Resume {
        /// Who wants it, if a person.
        by: Option<PersonKey>,
    },
    /// Free bytes of the disk; every 5 s.
    Space {
        /// Free bytes.
        free: u64,
    },
    /// The queue to the writer was full: this write, never the first of a file, was
    /// dropped as a whole.
    Dropped {
        /// Which file.
        segment: SegmentId,
        /// How much.
        bytes: u64,
    },
    /// A write or sync failed; the file stays as far as it was written.
    Failed {
        /// Which file; `None`: the journal.
        segment: Option<SegmentId>,
        /// The disk is full.
        full: bool,
    },
    /// The connection the media come by is up.
    Connected,
    /// It was lost; until it is up again nothing can be taken.
    Lost,
    /// Nothing in particular; at least every 250 ms.
    Tick,
    /// Close every file without ending: a recorder after this one may go on.
    Suspend,
    /// The end.
    Stop,
}

/// What is to be done, in order. File names are inside the recording's folder.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Create this file, which must not exist, and append these bytes.
    Open {
        /// Which segment.
        segment: SegmentId,
        /// Its name.
        file: String,
        /// Name of its side file ([`Output::Clock`]).
        clock_file: String,
        /// Its head.
        bytes: Vec<u8>,
    },
    /// Append a whole cluster with one write. May be dropped when the queue is full,
    /// and is then reported ([`Input::Dropped`]).
    Write {
        /// Which segment.
        segment: SegmentId,
        /// The cluster.
        bytes: Vec<u8>,
        /// Recording time the file then reaches, milliseconds.
        to_ms: u64,
    },
    /// Append to the side file; may be dropped without a word.
    Clock {
        /// Which segment.
        segment: SegmentId,
        /// Whole lines.
        bytes: Vec<u8>,
    },
    /// `fdatasync` this file; then append [`Line::Synced`] with what was written and
    /// its running hash ([`crate::manifest::Running`]).
    Sync {
        /// Which segment.
        segment: SegmentId,
    },
    /// The same with [`Line::Closed`]; the file is closed.
    Close {
        /// Which segment.
        segment: SegmentId,
        /// Why it ends.
        why: SegmentEnd,
    },
    /// Append this to the journal.
    Journal(Line),
    /// `fdatasync` the journal.
    SyncJournal,
    /// Ask whoever is in the slot for a keyframe.
    AskKeyframe {
        /// The slot.
        slot: Slot,
    },
    /// Tell the server.
    Alarm(Alarm),
    /// Everything is closed; the last output there is.
    Done,
}

/// What those in charge are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Alarm {
    /// Room on the disk.
    Disk {
        /// How bad.
        level: DiskLevel,
        /// Free bytes.
        free: u64,
    },
    /// A write failed.
    Failed {
        /// The disk is full.
        full: bool,
    },
    /// The writer cannot follow; this much was dropped.
    Queue {
        /// Bytes.
        bytes: u64,
        /// From the first of it on, recording time, milliseconds.
        from_ms: u64,
        /// To the last of it, milliseconds.
        to_ms: u64,
    },
    /// A picture does not come.
    NoPicture {
        /// Whose.
        source: Source,
    },
    /// Something is missing, from when to when in recording time.
    Gap {
        /// From, milliseconds.
        from_ms: u64,
        /// To, milliseconds.
        to_ms: u64,
    },
    /// More segments than a recording may have.
    TooMany,
}
