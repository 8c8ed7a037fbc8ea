//! The journal of a recording: one JSON object a line, appended by the recorder
//! alone, never changed. With the files beside it, it is all that is needed to
//! know what was recorded of whom and when.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};

use crate::media::{Codec, Policy, RecordingId, SegmentId, TrackKind};
use crate::time::{Anchor, Span};

/// Version of the lines.
pub const VERSION: u32 = 1;

/// A line. Times are recording time, milliseconds. Kinds and fields, once
/// released, keep name and meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Line {
    /// The first line.
    Began {
        /// [`VERSION`].
        version: u32,
        /// Whose journal.
        recording: RecordingId,
        /// Recording time 0.
        anchor: Anchor,
        /// What may be taken.
        policy: Policy,
    },
    /// A recorder that was started again went on.
    WentOn {
        /// How many recorders there were before.
        run: u32,
        /// From here on; differs after a restart of the machine.
        anchor: Anchor,
    },
    /// What may be taken changed.
    Policy {
        /// When.
        at_ms: u64,
        /// From then on.
        policy: Policy,
    },
    /// Nothing is taken from here.
    Paused {
        /// When.
        at_ms: u64,
        /// Who did it, if a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// It is taken again.
    Resumed {
        /// When.
        at_ms: u64,
        /// Who did it, if a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// A file was begun.
    Opened(Opened),
    /// A file is on the disk up to here.
    Synced(Synced),
    /// A file is whole.
    Closed {
        /// What is on the disk.
        #[serde(flatten)]
        synced: Synced,
        /// Why it ends.
        why: SegmentEnd,
    },
    /// Something is missing.
    Gap(Gap),
    /// Free space fell or rose past a bound.
    Disk {
        /// When.
        at_ms: u64,
        /// Since then.
        level: DiskLevel,
        /// Free bytes.
        free: u64,
    },
    /// The last line of a recording that ended in order.
    Ended {
        /// Its length.
        at_ms: u64,
        /// Why.
        why: RecordingEnd,
    },
    /// A kind of a newer version.
    #[serde(other)]
    Unknown,
}

/// A file was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// Which.
    pub segment: SegmentId,
    /// Name inside the folder of the recording.
    pub file: String,
    /// What it shows or sounds.
    pub track: TrackKind,
    /// Whose.
    pub person: PersonKey,
    /// Which publication of this person.
    pub publication: u64,
    /// Taught or chaired at that time.
    pub presenter: bool,
    /// How it is encoded.
    pub codec: Codec,
    /// Recording time of the file's time 0.
    pub start_ms: u64,
    /// Width of the first picture, pixels; sound: 0.
    #[serde(default)]
    pub width: u32,
    /// Height of the first picture, pixels; sound: 0.
    #[serde(default)]
    pub height: u32,
}

/// How much of a file is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// Which.
    pub segment: SegmentId,
    /// Bytes from the beginning.
    pub bytes: u64,
    /// SHA-256 of them, hexadecimal.
    pub sha256: String,
    /// Recording time the file reaches.
    pub to_ms: u64,
}

/// Why a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SegmentEnd {
    /// Nobody, somebody else or another publication is in the slot.
    Source,
    /// It became long enough.
    Length,
    /// Codec or its parameters changed.
    Format,
    /// The recording was paused.
    Paused,
    /// The recording ended.
    Ended,
    /// It may no longer be taken.
    Policy,
    /// The disk is full or fails.
    Disk,
    /// The recorder stopped in order, and may go on.
    Suspended,
    /// The recorder died; found at the next start.
    Died,
    /// Time of the source jumped.
    Clock,
}

/// Something is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// In which file; absent: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
    /// Why.
    pub why: GapWhy,
}

/// Why something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GapWhy {
    /// Packets did not arrive.
    Loss,
    /// No recorder ran, or it had no media.
    Recorder,
    /// The writer could not follow, or the recording may have no more files.
    Queue,
    /// The disk is full or fails.
    Disk,
    /// A frame was too large or no frame, or its source changed too often.
    Damaged,
}

/// How much room the disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DiskLevel {
    /// Enough.
    Good,
    /// Those in charge are told.
    Warn,
    /// Pictures of learners are not taken.
    Lean,
    /// Sound and screens alone.
    Spare,
    /// The recording ends.
    Full,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordingEnd {
    /// It was stopped.
    Stopped,
    /// The disk is full or fails: what is there is part of it.
    Disk,
    /// Longer than a recording may be.
    Length,
    /// Found unfinished at a start of the server, and finished as it was.
    Repaired,
}

impl Line {
    /// As it is appended, the line end included.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
