//! Polls, quizzes and votes (thăm dò, câu hỏi nhanh, biểu quyết). Answers are
//! added up on the server; nobody's browser sees more than the sums, unless the
//! poll is a named one and the person may see who answered what.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{PersonId, PollId};

/// What sort of question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PollKind {
    /// Có / Không: two options whose words the client knows.
    YesNo,
    /// A–D: as many letters as there are options; the question was asked aloud.
    Letters,
    /// Options of which one or several may be chosen, or free text.
    Poll,
    /// Trắc nghiệm: as `poll`, with right answers and a score.
    Quiz,
    /// Biểu quyết: tán thành, không tán thành, ý kiến khác; the words are the
    /// client's.
    Vote,
}

/// How an item is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Choose {
    /// Exactly one option.
    One,
    /// One option or more.
    Many,
    /// Free text.
    Text,
}

/// One question of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PollItem {
    /// The question; may be empty where it is asked aloud.
    #[serde(default)]
    pub text: String,
    /// How it is answered.
    pub choose: Choose,
    /// Options; empty for free text, and for kinds whose words the client knows
    /// (`yesNo` two, `vote` three); for `letters` empty texts that are counted.
    #[serde(default)]
    pub options: Vec<String>,
    /// Right options of a quiz, indexes from 0; a point for exactly these. To
    /// people who answer only after the results are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correct: Vec<u8>,
}

/// A poll as it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PollDraft {
    /// What sort.
    pub kind: PollKind,
    /// Title; for a vote what is voted on.
    #[serde(default)]
    pub title: String,
    /// Questions; one for everything but a quiz.
    pub items: Vec<PollItem>,
    /// Nobody can tell who answered what, neither now nor from the record. An
    /// answer cannot be changed then.
    #[serde(default)]
    pub anonymous: bool,
    /// Everybody sees the sums while answers come in.
    #[serde(default)]
    pub live: bool,
    /// Closes by itself after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secs: Option<u32>,
    /// A vote is valid when at least so many voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quorum: Option<u32>,
    /// One voice a site (điểm cầu): only connections that stand for a site and
    /// the staff who lead vote.
    #[serde(default)]
    pub by_site: bool,
}

/// Where a poll is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PollState {
    /// Answers are taken.
    Open,
    /// No more answers; the results are with those who hold polls.
    Closed,
    /// No more answers; everybody sees the results.
    Shown,
}

/// Sums of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ItemResult {
    /// How many chose each option.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u32>,
    /// Texts, the newest [`POLL_TEXTS`](crate::limits::POLL_TEXTS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
}

/// What is told of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Which. Not called `id`, which is the request id of a frame.
    pub poll: PollId,
    /// What was asked; `correct` is empty until the results are shown, except
    /// towards those who hold polls.
    pub draft: PollDraft,
    /// When it was opened, ms since the epoch.
    pub at: u64,
    /// Closes by itself then, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<u64>,
    /// State.
    pub st: PollState,
    /// Name of who opened it.
    pub by: String,
    /// How many answered.
    pub answered: u32,
    /// How many may answer: those present who may, and those who answered.
    pub eligible: u32,
    /// The sums, an entry an item, where the receiver may see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub results: Option<Vec<ItemResult>>,
}

/// The answer to one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PollChoice {
    /// Chosen options, indexes from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<u8>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
}

/// Who answered what in a named poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PollRow {
    /// Who.
    pub who: PersonId,
    /// Name.
    pub name: String,
    /// Unit or site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// An entry an item.
    pub answer: Vec<PollChoice>,
    /// Points, for a quiz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub score: Option<u16>,
    /// When, ms since the epoch.
    pub at: u64,
}
