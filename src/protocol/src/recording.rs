//! Recordings: what is told of them to all, and to those who look after them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::RecordingId;

/// What makes a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RecordedBy {
    /// Something outside of the room: a camera in the hall, a program on somebody's
    /// machine. It is announced here and made elsewhere.
    #[default]
    External,
    /// The server.
    Server,
}

/// Whom a recording of the server takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RecordWhom {
    /// Whoever speaks, those who teach and lead and those promoted in the picture.
    #[default]
    All,
    /// Only those who teach and lead, and what they show.
    Presenters,
}

/// What makes a recording of the server lawful. In order of strictness.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "camelCase")]
pub enum RecordConsent {
    /// People are told: a public conference.
    #[default]
    Notice,
    /// Nobody is taken who did not accept; who refuses attends unrecorded.
    Consent,
}

/// Where a recording is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RecordState {
    /// Announced; nothing is taken yet.
    Starting,
    /// Goes on.
    #[default]
    On,
    /// Nothing is taken.
    Paused,
    /// The recorder is gone and is being brought back; nothing is taken meanwhile.
    Failed,
}

/// A recording that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// What makes it.
    pub by: RecordedBy,
    /// Who records and answers for it, in words.
    pub who: String,
    /// What for; may be empty.
    pub why: String,
    /// How long it is kept, who may see it, how to object; may be empty.
    pub keep: String,
    /// Since when, ms since the epoch.
    pub since: u64,
    /// Of the server: its id. Not called `id`, which is the request id of a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recording: Option<RecordingId>,
    /// Where it is; absent = it goes on.
    #[serde(default, skip_serializing_if = "is_on")]
    #[ts(optional, as = "Option<RecordState>")]
    pub state: RecordState,
    /// Whom it takes; absent = whoever speaks.
    #[serde(default, skip_serializing_if = "is_all")]
    #[ts(optional, as = "Option<RecordWhom>")]
    pub whom: RecordWhom,
    /// Whether people are asked; absent = they are told.
    #[serde(default, skip_serializing_if = "is_notice")]
    #[ts(optional, as = "Option<RecordConsent>")]
    pub ask: RecordConsent,
    /// Of the server: number of these words, for `recordReply`. Other words have
    /// another number, and what was accepted of the former does not hold for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<u64>")]
    pub notice: u64,
    /// Of the server: learners who are here watch what is recorded so far.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub from_start: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_on(state: &RecordState) -> bool {
    *state == RecordState::On
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_all(whom: &RecordWhom) -> bool {
    *whom == RecordWhom::All
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_notice(ask: &RecordConsent) -> bool {
    *ask == RecordConsent::Notice
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What is wrong with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RecordTrouble {
    /// There is no recorder: what should be recorded by its setting is not.
    NoRecorder,
    /// The recorder is gone and is being brought back.
    Failed,
    /// Something is missing from the recording.
    Gap,
    /// Little room is left on the disk.
    DiskLow,
    /// The disk does not keep up: what is recorded waits in memory, and a gap follows
    /// when there is no more room for it.
    DiskSlow,
    /// The disk is full or failed: the recording has ended.
    DiskFull,
    /// The recording has ended before it was stopped.
    Ended,
}

/// Something that went wrong with a recording, for those who look after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordAlarm {
    /// When it was noticed, ms since the epoch.
    pub at: u64,
    /// What.
    pub what: RecordTrouble,
    /// Of a gap: from when, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<u64>,
    /// Of a gap: until when, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<u64>,
    /// Of a disk: bytes left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub left: Option<u64>,
}

/// What a class or session set about being recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RecordPlan {
    /// What makes it.
    pub by: RecordedBy,
    /// Who records and answers for it, in words.
    pub who: String,
    /// What for; may be empty.
    pub why: String,
    /// How long it is kept, who may see it, how to object; may be empty.
    pub keep: String,
    /// It begins with the lesson.
    pub auto: bool,
    /// Whom it takes.
    #[serde(default)]
    pub whom: RecordWhom,
    /// Whether people are asked.
    #[serde(default)]
    pub ask: RecordConsent,
}
