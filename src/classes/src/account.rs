//! Accounts, sign-in, tokens of the API.

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::rights::UnitRole;
use crate::unit::UnitId;

/// Life of an account; identifiers are never deleted or used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AccountState {
    /// Chưa kích hoạt: the first password must be changed at the first sign-in.
    New,
    /// Hoạt động.
    Active,
    /// Khóa, by somebody.
    Locked,
    /// Ngừng.
    Retired,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Whose.
    pub person: PersonKey,
    /// Full name.
    pub name: String,
    /// Unit to show.
    pub unit: String,
    /// Name to sign in with, lower case.
    pub login: String,
    /// State.
    pub state: AccountState,
    /// Quản trị hệ thống.
    pub admin: bool,
    /// Roles in units.
    pub units: Vec<UnitRole>,
    /// Too many wrong passwords: until then, ms.
    #[serde(default)]
    pub locked_until_ms: Option<u64>,
    /// Last sign-in, ms.
    #[serde(default)]
    pub last_ms: Option<u64>,
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// For whom.
    pub person: PersonKey,
    /// Login; absent: made from the sector identifier, else from the name.
    #[serde(default)]
    pub login: Option<String>,
    /// Quản trị hệ thống; only an administrator may give it.
    #[serde(default)]
    pub admin: bool,
    /// Roles in units.
    #[serde(default)]
    pub units: Vec<UnitRole>,
}

/// A line of the printable list: shown once, never stored in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Printed {
    /// Whose.
    pub person: PersonKey,
    /// Full name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Login.
    pub login: String,
    /// First password.
    pub password: String,
}

/// `POST /api/v1/sign-in`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// Login.
    pub login: String,
    /// Password.
    pub password: String,
}

/// Who is signed in. The secret is in an `HttpOnly` cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// The password must be changed before anything else.
    pub must_change: bool,
    /// May see the organiser's pages at all (admin, a unit role, or staff of a class).
    pub organises: bool,
    /// Units whose classes may be created here.
    pub hosts: Vec<UnitId>,
    /// Name of this installation's time zone, `Asia/Ho_Chi_Minh`.
    pub zone: String,
}

/// What an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Read classes, sessions, rosters.
    ClassesRead,
    /// Change them.
    ClassesWrite,
    /// Read people and units.
    PeopleRead,
    /// Change them.
    PeopleWrite,
    /// Read attendance and exports.
    AttendanceRead,
    /// Correct and freeze attendance.
    AttendanceWrite,
    /// Watch recordings: sound, pictures, chat.
    RecordingsRead,
}

/// A token to be made; its rights are its maker's, narrowed by the scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewApiToken {
    /// What it is for.
    pub label: String,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Days until it ends, 1–365.
    pub days: u16,
}

/// A token of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// Id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// End, ms.
    pub expires_ms: u64,
    /// Last use, ms.
    #[serde(default)]
    pub used_ms: Option<u64>,
    /// The secret; in the answer to its making only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secret: Option<String>,
}
