//! Shared notes (ghi chú chung): one text a room, edited by several at a time.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::PersonId;

/// A step of an edit, from the beginning of the text on. Lengths count Unicode
/// scalar values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum NoteStep {
    /// Keeps so many characters; takes so many away when it is less than 0.
    Count(i32),
    /// Puts this in.
    Put(String),
}

/// An edit as it became part of the notes: it leads from the version before to
/// its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NoteEdit {
    /// The version it makes.
    pub rev: u32,
    /// Who.
    pub who: PersonId,
    /// His name at the time.
    pub name: String,
    /// The author's own id of it.
    pub cid: String,
    /// When, ms since the epoch.
    pub at: u64,
    /// The steps; what comes after the last is kept.
    pub op: Vec<NoteStep>,
}

/// Somebody who edited the notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NoteAuthor {
    /// Who.
    pub who: PersonId,
    /// His name at the time.
    pub name: String,
    /// When last, ms since the epoch.
    pub at: u64,
}
