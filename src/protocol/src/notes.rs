//! Shared notes (ghi chú chung): one text of the whole room and one of each breakout
//! group, edited by several at a time.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::groups::GroupNo;
use crate::ids::{NotesId, PersonId};

impl NotesId {
    /// The notes of a group: `g2-1`.
    pub fn of(round: u32, group: GroupNo) -> Self {
        Self(format!("g{round}-{}", group.0))
    }

    /// How often groups had been opened, and which one it is; `None` when it is no
    /// id of notes. Each text has one id.
    pub fn parts(&self) -> Option<(u32, GroupNo)> {
        let (round, group) = self.0.strip_prefix('g')?.split_once('-')?;
        let (round, group) = (round.parse().ok()?, GroupNo(group.parse().ok()?));
        (Self::of(round, group) == *self).then_some((round, group))
    }
}

/// A text of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GroupNotes {
    /// Which.
    pub of: NotesId,
    /// Name of the group.
    pub name: String,
    /// When the group was opened, ms since the epoch.
    pub at: u64,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_a_group_has_one_id() {
        let id = NotesId::of(2, GroupNo(50));
        assert_eq!((id.as_str(), id.parts()), ("g2-50", Some((2, GroupNo(50)))));
        for wrong in [
            "", "g", "g2", "2-1", "g-1", "g02-1", "g2-+1", "g2-256", "g2-1-1",
        ] {
            assert_eq!(NotesId::from(wrong).parts(), None, "{wrong}");
        }
    }
}
