//! What people write to each other besides the plain chat: to whom a message
//! goes, questions with votes, reactions.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{PersonId, QuestionId};

/// To whom a chat message goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// Everybody in the room.
    #[default]
    All,
    /// Ban tổ chức: a learner's line to the organisers, apart from the trainer.
    /// They answer with `person`.
    Organisers,
    /// Hỗ trợ kỹ thuật: the line to the technicians.
    Support,
    /// One's own breakout group.
    Group,
    /// One person.
    Person(PersonId),
}

impl Audience {
    /// Whether it is everybody.
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }
}

/// Where a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum QuestionState {
    /// Waits for review; seen by its author and those who handle questions.
    Held,
    /// Open.
    Open,
    /// Is being answered aloud now; at most one.
    Live,
    /// Answered, aloud or in writing.
    Answered,
    /// Set aside; seen by its author and those who handle questions.
    Dismissed,
}

/// A question of the Q&A (hỏi đáp).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Which.
    pub q: QuestionId,
    /// Author; absent when asked without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<PersonId>,
    /// Author's name at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Text.
    pub text: String,
    /// When, ms since the epoch.
    pub at: u64,
    /// How many want it answered, the author not counted.
    pub up: u32,
    /// Where it is.
    pub st: QuestionState,
    /// Answer in writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answer: Option<String>,
    /// Name of who answered it or set it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<String>,
}

/// A short reaction, shown for a few seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Reaction {
    /// Vỗ tay.
    Clap,
    /// Thích.
    Like,
    /// Yêu thích.
    Heart,
    /// Cười.
    Laugh,
    /// Ngạc nhiên.
    Wow,
    /// Đồng ý.
    Yes,
    /// Không đồng ý.
    No,
    /// Nhanh hơn.
    Faster,
    /// Chậm lại.
    Slower,
}
