//! The roster (danh sách người học) with versions and row states.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::person::Person;

/// State of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RosterState {
    /// Dự kiến.
    Planned,
    /// Chính thức.
    Official,
    /// Bổ sung: came after the class was opened.
    Added,
    /// Rút.
    Withdrawn,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RosterRow {
    /// Who.
    pub person: Person,
    /// State.
    pub state: RosterState,
    /// This entry is a site (điểm cầu): its connection stands for a hall.
    pub site: bool,
    /// Has an account.
    pub account: bool,
    /// Free note.
    pub note: String,
}

/// One version of the roster: each import or change makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RosterVersion {
    /// Number, from 1.
    pub no: u32,
    /// When, ms.
    pub made_ms: u64,
    /// Who.
    pub by: String,
    /// `import`, `manual`, `state`.
    pub how: String,
    /// People added, changed, withdrawn.
    pub added: u32,
    /// Changed.
    pub changed: u32,
    /// Withdrawn.
    pub withdrawn: u32,
}

/// An excused absence of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Excuse {
    /// Who.
    pub person: PersonKey,
    /// Why; empty takes the excuse back.
    pub reason: String,
}

/// A substitute (dự thay): the invited post is represented by another person.
/// Both names are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delegate {
    /// The invited one, a row of the roster.
    pub invited: PersonKey,
    /// Who comes; empty takes the substitution back.
    pub name: String,
    /// His post.
    #[serde(default)]
    pub position: String,
    /// Reference (giấy cử, công văn).
    #[serde(default)]
    pub reference: String,
}
