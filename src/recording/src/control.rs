//! What the server says to the recorder process and hears from it: one JSON object
//! a line, on the process's standard input and output. The end of the input means:
//! finish everything as it is and exit.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::journal::{GapWhy, RecordingEnd};
use crate::media::{Policy, RecordingId, Slot, Source};
use crate::time::Span;

/// Version of these lines; a recorder of another version is not used.
pub const VERSION: u32 = 1;
/// Longest line, bytes. A longer one ends the connection between both.
pub const MAX_LINE: usize = 1 << 20;

/// From the server to the recorder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToRecorder {
    /// Begin a recording, or go on with one whose journal is in the folder.
    /// Answered by [`FromRecorder::Offer`], or [`FromRecorder::Ended`].
    Begin(Box<Begin>),
    /// The media plane's answer to the offer of this number.
    Answer {
        /// Recording.
        recording: RecordingId,
        /// Number of the offer.
        attempt: u32,
        /// SDP.
        sdp: String,
    },
    /// The media plane lost or refused the connection of this number: offer again.
    Lost {
        /// Recording.
        recording: RecordingId,
        /// Number of the offer.
        attempt: u32,
    },
    /// Who is in the slots, the whole of it: slots not named are empty.
    Bound {
        /// Recording.
        recording: RecordingId,
        /// Number of the connection.
        attempt: u32,
        /// Since when, `CLOCK_BOOTTIME`, nanoseconds.
        at_ns: u64,
        /// Slots with somebody in them.
        slots: Vec<(Slot, Source)>,
    },
    /// Take nothing until told.
    Pause {
        /// Recording.
        recording: RecordingId,
    },
    /// Go on.
    Resume {
        /// Recording.
        recording: RecordingId,
    },
    /// It is over. Answered by [`FromRecorder::Ended`].
    Stop {
        /// Recording.
        recording: RecordingId,
    },
    /// Close its files without ending it: it may go on later. Answered by
    /// [`FromRecorder::Suspended`].
    Suspend {
        /// Recording.
        recording: RecordingId,
    },
    /// Nobody goes on with it: make what is there whole and end it. Answered by
    /// [`FromRecorder::Ended`].
    Repair {
        /// Recording.
        recording: RecordingId,
        /// Its folder.
        folder: PathBuf,
    },
}

/// A recording to begin or to go on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begin {
    /// Its id.
    pub recording: RecordingId,
    /// Its folder, which exists.
    pub folder: PathBuf,
    /// Nothing is taken yet.
    pub paused: bool,
    /// What may be taken of what comes.
    pub policy: Policy,
    /// Slots of the connection.
    pub slots: SlotCounts,
    /// Address to receive on.
    pub local: IpAddr,
    /// Where the media plane is reached from there.
    pub media: SocketAddr,
    /// Free space the first bound is taken from, bytes: see
    /// [`crate::limits::DISK_START`]; the others are as far from it as there.
    pub min_free: u64,
}

/// Slots of the connection of a recording, numbered in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCounts {
    /// Sound.
    pub audio: u8,
    /// Cameras.
    pub video: u8,
    /// Screens.
    pub screen: u8,
}

impl SlotCounts {
    /// How many there are.
    pub fn total(self) -> u32 {
        u32::from(self.audio) + u32::from(self.video) + u32::from(self.screen)
    }
}

/// From the recorder to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromRecorder {
    /// The first line.
    Ready {
        /// [`VERSION`].
        version: u32,
    },
    /// It wants a connection to the media plane.
    Offer {
        /// Recording.
        recording: RecordingId,
        /// Number, growing with each offer of this process.
        attempt: u32,
        /// SDP.
        sdp: String,
    },
    /// Media can come: ICE and DTLS are done.
    Capturing {
        /// Recording.
        recording: RecordingId,
    },
    /// Something is missing.
    Gap {
        /// Recording.
        recording: RecordingId,
        /// From when to when, recording time.
        span: Span,
        /// The same, wall clock of its beginning, ms since the epoch.
        wall_ms: u64,
        /// Why.
        why: GapWhy,
        /// In all tracks, or because the disk did not follow: to be told to those in
        /// charge however short it is.
        all: bool,
    },
    /// The disk has not answered for a while. What is recorded waits in memory, as
    /// far as there is room for it.
    Slow {
        /// Recording.
        recording: RecordingId,
        /// For how long, ms.
        for_ms: u64,
    },
    /// Free space fell or rose past a bound.
    Disk {
        /// Recording.
        recording: RecordingId,
        /// Since then.
        level: crate::journal::DiskLevel,
        /// Free bytes.
        free: u64,
    },
    /// A file is whole.
    SegmentClosed {
        /// Recording.
        recording: RecordingId,
        /// Its name.
        file: String,
    },
    /// It ended; nothing more is written to its folder by this process.
    Ended {
        /// Recording.
        recording: RecordingId,
        /// Why.
        why: RecordingEnd,
        /// Its length, ms.
        at_ms: u64,
        /// The journal has all of it. Otherwise it needs [`ToRecorder::Repair`]
        /// before it is done with.
        clean: bool,
    },
    /// Its files are closed, it has not ended.
    Suspended {
        /// Recording.
        recording: RecordingId,
    },
    /// It cannot go on in this process, for a reason of this process: a folder that
    /// cannot be locked or written, a fault. To be begun again after a while.
    Failed {
        /// Recording.
        recording: RecordingId,
        /// Why, for the log.
        why: String,
    },
    /// Once a second: a process that is silent is replaced.
    Status {
        /// Recordings that go on.
        list: Vec<Status>,
    },
}

/// How a recording goes. Counters count from the beginning of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Recording.
    pub recording: RecordingId,
    /// Tracks being written.
    pub tracks: u32,
    /// Bytes handed to files.
    pub bytes: u64,
    /// Frames taken.
    pub frames: u64,
    /// Bytes that wait for the disk.
    pub queued: u64,
    /// Bytes dropped because the disk did not follow.
    pub dropped: u64,
    /// Milliseconds of tracks written, summed over tracks.
    pub track_ms: u64,
}
