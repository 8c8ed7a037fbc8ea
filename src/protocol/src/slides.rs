//! Slides as pages, and files handed out and in. Bytes travel over HTTP; the
//! link carries what is there and what is shown.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{DeckId, FileId, PersonId};

/// Why a file did not become slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeckFault {
    /// No format that can be shown.
    Unsupported,
    /// Larger than allowed.
    TooLarge,
    /// More pages than allowed.
    TooManyPages,
    /// Damaged, or not what its name says.
    Broken,
    /// Asks for a password.
    Encrypted,
    /// Took too long or too much memory.
    TooHard,
    /// The server has no program for this format; an administrator can install it.
    NoConverter,
    /// No room left on the disk.
    Full,
    /// A fault of the server.
    Internal,
}

/// How far a file is on its way to slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DeckState {
    /// Waits its turn.
    Queued,
    /// Pages are being made.
    Converting {
        /// Pages done.
        done: u16,
        /// Pages in all; 0 while not known.
        total: u16,
    },
    /// Can be shown.
    Ready,
    /// Can not be shown.
    Failed {
        /// Why.
        why: DeckFault,
    },
}

/// Review of a material before it is used (thẩm định, TT 21/2017 Điều 7.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Review {
    /// Nháp.
    #[default]
    Draft,
    /// Chờ thẩm định.
    Pending,
    /// Đã thẩm định.
    Reviewed,
}

/// A deck of slides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Deck {
    /// Which.
    pub deck: DeckId,
    /// File name as given.
    pub name: String,
    /// How far it is.
    pub st: DeckState,
    /// Pages; 0 until known.
    pub pages: u16,
    /// Width of the first page, points.
    pub w: u16,
    /// Height of the first page, points.
    pub h: u16,
    /// Path in front of `/<page>/<s|l>.webp` and `/<page>/text.json`; pages from 1.
    /// Whoever has it may read the pages.
    pub url: String,
    /// Review state.
    pub review: Review,
    /// Licence, as stated by who uploaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub licence: Option<String>,
    /// Owner of the rights (TT 21/2017 Điều 7.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owner: Option<String>,
    /// Who uploaded it.
    pub by: PersonId,
    /// Name of who uploaded it.
    pub by_name: String,
    /// When, ms since the epoch.
    pub at: u64,
}

/// What is shown to all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// The deck.
    pub deck: DeckId,
    /// The page, from 1.
    pub page: u16,
}

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FileWay {
    /// Phát tài liệu: everybody may load it.
    Out,
    /// Nộp bài: its author and staff may load it.
    In,
}

/// A file handed out or in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileItem {
    /// Which.
    pub file: FileId,
    /// Which way.
    pub way: FileWay,
    /// File name as given.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// Who gave it.
    pub by: PersonId,
    /// Name of who gave it.
    pub by_name: String,
    /// When, ms since the epoch.
    pub at: u64,
    /// Path to load it from. Whoever has it may load the file.
    pub url: String,
}
