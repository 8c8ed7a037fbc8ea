//! Notices of a session by e-mail (TT 21/2017 Điều 9.4): shapes.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// Mời: the session, its time, the own link.
    Invite,
    /// Thay đổi: another time, place or title.
    Update,
    /// Hủy.
    Cancel,
}

/// A notice with what became of its mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticeLine {
    /// Number, as in the calendar file (`SEQUENCE`).
    pub sequence: u32,
    /// What.
    pub what: NoticeKind,
    /// Who sent it.
    pub by: String,
    /// When, ms.
    pub made_ms: u64,
    /// Mails that wait.
    pub queued: u32,
    /// Mails the mail server took.
    pub sent: u32,
    /// Mails that were given up.
    pub failed: u32,
}

/// A mail that did not arrive, or not yet after a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undelivered {
    /// Whose.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Address it was sent to.
    pub address: String,
    /// `refused 550`, `unreachable`, `tls`, `signIn`, `timeout`, `address`,
    /// `noPlace` (not on the roster any more), `superseded` (a later notice took
    /// its place), `over` (the session has begun or ended), `failed`.
    pub reason: String,
    /// Is tried again.
    pub again: bool,
    /// Tries so far.
    pub tries: u32,
}

/// `GET /api/v1/sessions/{id}/notices`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticePage {
    /// A mail server is configured.
    pub enabled: bool,
    /// What would be told now; absent when there is nothing to tell: the session
    /// is over, or nobody was told of a cancelled one.
    pub what: Option<NoticeKind>,
    /// Its words for everybody, to be copied into a message: with the link for
    /// guests where they may come, else with the page of one's own classes. Empty
    /// when there is nothing to tell.
    pub text: String,
    /// People it would be sent to now.
    pub fresh: u32,
    /// People of the roster with an address.
    pub with: u32,
    /// People of the roster without one.
    pub without: u32,
    /// Names of these, the first 100.
    pub without_names: Vec<String>,
    /// Notices so far, latest first.
    pub notices: Vec<NoticeLine>,
    /// Mails of the latest one that did not arrive.
    pub undelivered: Vec<Undelivered>,
}
