//! What the room asks of the recorder, and what the recorder tells it.

use lophoc_ledger::PersonKey;
use lophoc_protocol::RecordingId;
use lophoc_protocol::recording::{RecordConsent, RecordTrouble, RecordWhom};

use crate::api::RecordingWords;

/// Somebody whose sound may be taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// Media peer.
    pub peer: u64,
    /// Key of the ledger.
    pub person: PersonKey,
}

/// Who is taken, and what is looked at. A peer that is not in `may` must not reach
/// the recorder, with no kind of track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordWho {
    /// Whoever may be taken, in order of peers. People in breakout groups are not
    /// among them.
    pub may: Vec<Taken>,
    /// Peer whose camera is taken large.
    pub presenter: Option<u64>,
    /// Peers whose cameras are taken small, at most
    /// [`RECORD_PROMOTED`](crate::bounds::RECORD_PROMOTED), without the presenter.
    pub promoted: Vec<u64>,
    /// Peer whose screen is taken, with its sound.
    pub screen: Option<u64>,
}

/// A recording to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStart {
    /// Its id: one that came in [`RecorderReport::Ready`], or, after a restart of
    /// the room, that of the recording that goes on.
    pub id: RecordingId,
    /// When it began, ms since the epoch. Of one that goes on: then, not now.
    pub since_ms: u64,
    /// It was under way when the room was loaded: goes on under its id.
    pub again: bool,
    /// Nothing is to be taken yet.
    pub paused: bool,
    /// What is told about it.
    pub words: RecordingWords,
    /// Whom it takes.
    pub whom: RecordWhom,
    /// Whether people are asked.
    pub ask: RecordConsent,
    /// Who began it; absent = the setting of the session.
    pub by: Option<PersonKey>,
    /// Who is taken.
    pub who: RecordWho,
}

/// From the room to the recorder, in order. At most one recording goes on at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordCommand {
    /// Begin. Answered by [`RecorderReport::Capturing`],
    /// [`RecorderReport::Failed`] or [`RecorderReport::Ended`].
    Start(Box<RecordStart>),
    /// Take nothing until told.
    Pause {
        /// Which.
        id: RecordingId,
    },
    /// Go on.
    Resume {
        /// Which.
        id: RecordingId,
    },
    /// It is over: finish it. Nothing more is expected of it.
    Stop {
        /// Which.
        id: RecordingId,
    },
    /// Who is taken from now on.
    Who {
        /// Which.
        id: RecordingId,
        /// Who.
        who: RecordWho,
    },
}

/// From the recorder to the room. What concerns a recording that does not go on is
/// left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecorderReport {
    /// A recorder can be had. The id is for the next recording, fresh and random;
    /// after each [`RecordCommand::Start`] with it there must be another one.
    Ready {
        /// For the next recording.
        id: RecordingId,
    },
    /// No recorder can be had: nothing can begin.
    Unavailable {
        /// [`RecordTrouble::NoRecorder`], or [`RecordTrouble::DiskFull`] where there
        /// is too little room on the disk.
        why: RecordTrouble,
    },
    /// It takes what it should: after a start, after a restart of the recorder.
    Capturing {
        /// Which.
        id: RecordingId,
    },
    /// The recorder is gone; it is being brought back and goes on by itself.
    Failed {
        /// Which.
        id: RecordingId,
    },
    /// Something is missing.
    Gap {
        /// Which.
        id: RecordingId,
        /// From, ms since the epoch.
        from_ms: u64,
        /// Until, ms since the epoch.
        to_ms: u64,
    },
    /// Little room is left on the disk.
    DiskLow {
        /// Which.
        id: RecordingId,
        /// Bytes.
        left: u64,
    },
    /// The disk does not answer; what is recorded waits in memory.
    DiskSlow {
        /// Which.
        id: RecordingId,
    },
    /// It ended without a [`RecordCommand::Stop`] and cannot go on.
    Ended {
        /// Which.
        id: RecordingId,
        /// [`RecordTrouble::DiskFull`] or [`RecordTrouble::Ended`].
        why: RecordTrouble,
    },
}
