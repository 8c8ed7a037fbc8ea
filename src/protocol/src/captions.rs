//! Captions (phụ đề) that people type while others speak.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::PersonId;

/// Language of captions. Each is a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CaptionLang {
    /// Tiếng Việt.
    Vi,
    /// English.
    En,
}

impl CaptionLang {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Vi, Self::En];

    /// The language tag, as in the ledger and in a file's name.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// The language of a tag.
    pub fn of(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }
}

/// A finished line of captions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Caption {
    /// Its number in the session, from 1.
    pub n: u32,
    /// Language.
    pub lang: CaptionLang,
    /// Who typed it.
    pub who: PersonId,
    /// His name at the time.
    pub name: String,
    /// The line.
    pub text: String,
    /// When it was begun, ms since the epoch.
    pub from: u64,
    /// When it was finished, ms since the epoch.
    pub to: u64,
    /// The author's own id of it.
    pub cid: String,
}
