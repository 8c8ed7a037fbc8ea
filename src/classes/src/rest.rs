//! Shapes of `/api/v1` that are no domain types: lists, requests, answers.
//! Errors are `{"error": ErrorBody}` with a fitting status.

use std::collections::BTreeMap;

use lophoc_ledger::{
    Adjustment, Change, PersonKey, RecordingSpan, Report, SessionKey, Status, Window,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::class::{Class, ClassStep, Plan, Readiness, Session, StepRefused};
use crate::day::Day;
use crate::export::{ExportFormat, ExportKind, ExportRecord, Frozen};
use crate::hall::Site;
use crate::preflight::SitePreflight;
use crate::rights::Right;
use crate::roster::{Delegate, RosterState};
use crate::staff::StaffRole;
use crate::{ClassId, UnitId};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// `badRequest`, `signIn`, `wrongPassword`, `accountLocked`, `mustChange`,
    /// `forbidden`, `notFound`, `conflict` (somebody else changed it: load
    /// anew), `refused` (see `step`), `protected`, `tooLarge`, `rateLimited`,
    /// `busy`, `internal`.
    pub code: String,
    /// Field → code (`required`, `tooLong`, `badValue`, `taken`, `unknown`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Why a step of a life cycle is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub step: Option<StepRefused>,
    /// Protected until (with `protected`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    #[ts(optional, type = "string")]
    pub until: Option<Day>,
    /// Wait so long, ms (with `rateLimited` and `accountLocked`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub after_ms: Option<u64>,
}

/// One line of the list of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassLine {
    /// The class.
    #[serde(flatten)]
    pub class: Class,
    /// People on the roster.
    pub people: u32,
    /// Sessions.
    pub sessions: u32,
    /// The session that runs now or comes next.
    #[serde(default)]
    pub next: Option<Session>,
}

/// `GET /api/v1/classes/{id}`: the class page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassPage {
    /// The class.
    pub class: Class,
    /// Sessions in order.
    pub sessions: Vec<Session>,
    /// People on the roster that stand.
    pub people: u32,
    /// Sites among them.
    pub sites: u32,
    /// Steps that the state allows and the asker may take.
    pub steps: Vec<ClassStep>,
    /// The asker's rights here.
    pub rights: Vec<Right>,
    /// Readiness check.
    pub readiness: Vec<Readiness>,
}

/// `PUT /api/v1/classes/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanChange {
    /// The plan from now on, all of it.
    pub plan: Plan,
    /// Revision it was edited from; another one since: `conflict`.
    pub rev: u64,
}

/// `POST /api/v1/sessions/{id}/cancel`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CancelRequest {
    /// Why; required.
    pub reason: String,
}

/// The class of an entry of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarClass {
    /// Id.
    pub id: ClassId,
    /// Title.
    pub title: String,
}

/// One entry of `GET /api/v1/calendar?from&to` (both ms).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarEntry {
    /// Its class.
    pub class: CalendarClass,
    /// The session.
    pub session: Session,
}

/// `POST /api/v1/classes/{id}/steps`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepRequest {
    /// Step.
    pub step: ClassStep,
    /// Number of a document: of the approval, of the destruction.
    #[serde(default)]
    pub document: String,
    /// Reason, for postponing and cancelling.
    #[serde(default)]
    pub reason: String,
}

/// `POST /api/v1/classes/{id}/staff`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewStaff {
    /// Who.
    pub person: PersonKey,
    /// As what.
    pub role: StaffRole,
    /// For one session only.
    #[serde(default)]
    pub session: Option<SessionKey>,
    /// Instead of whom.
    #[serde(default)]
    pub instead_of: Option<PersonKey>,
    /// Learners of an adviser.
    #[serde(default)]
    pub learners: Vec<PersonKey>,
}

/// `POST /api/v1/classes/{id}/roster`: add or change rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RosterChange {
    /// Who.
    pub person: PersonKey,
    /// State.
    pub state: RosterState,
    /// Is a site.
    #[serde(default)]
    pub site: bool,
    /// Note.
    #[serde(default)]
    pub note: String,
}

/// State of an import (a job): polled until `ready` or `failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportJob {
    /// Id.
    pub id: String,
    /// Phase.
    pub phase: ImportPhase,
    /// Rows done.
    pub done: u32,
    /// Rows in all.
    pub total: u32,
    /// Why the file as a whole was refused, in Vietnamese.
    #[serde(default)]
    pub failure: Option<String>,
    /// The preview, once ready.
    #[serde(default)]
    pub preview: Option<ImportPreview>,
}

/// Phase of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImportPhase {
    /// The file is read.
    Reading,
    /// People are matched.
    Matching,
    /// The preview waits for a decision.
    Ready,
    /// Is written.
    Applying,
    /// Done.
    Applied,
    /// The file was refused; nothing was changed.
    Failed,
    /// Given up or too old.
    Dropped,
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportPreview {
    /// File name.
    pub file: String,
    /// Encoding or format found (`xlsx`, `utf8`, `utf16`, `tcvn3`, `vni`, …).
    pub encoding: String,
    /// Heading found → field it was taken for; fields: `sector`, `personal`,
    /// `local`, `name`, `rest`+`given`, `born`, `gender`, `position`, `unit`,
    /// `phone`, `email`, `note`; `""` = not used.
    pub columns: Vec<(String, String)>,
    /// Rows, in file order.
    pub rows: Vec<ImportRow>,
    /// People on the roster that the file does not have; withdrawn when the
    /// import is applied with `withdraw_missing`.
    pub missing: Vec<(PersonKey, String)>,
    /// Counts: new, changed, same, bad rows.
    pub counts: ImportCounts,
}

/// Counts of a preview.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportCounts {
    /// New people.
    pub new: u32,
    /// Known people who are new on the roster.
    pub added: u32,
    /// On the roster, something changes.
    pub changed: u32,
    /// Nothing changes.
    pub same: u32,
    /// To be decided by a person.
    pub ask: u32,
    /// With errors; not imported.
    pub bad: u32,
}

/// What happens with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImportAction {
    /// A new person.
    New,
    /// A known person, new on this roster.
    Add,
    /// On the roster, changed.
    Change,
    /// On the roster, the same.
    Same,
    /// Name, day of birth and unit fit somebody: a person must confirm.
    Ask,
    /// Has errors.
    Bad,
}

/// One row of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRow {
    /// Number of the row in the file, from 1, headings included.
    pub line: u32,
    /// What happens.
    pub action: ImportAction,
    /// Name as read.
    pub name: String,
    /// Key identifier as read, personal numbers masked.
    pub identifier: String,
    /// Unit as read.
    pub unit: String,
    /// Person matched, or proposed with `ask`.
    #[serde(default)]
    pub person: Option<PersonKey>,
    /// Matched by: `sector`, `personal`, `local`, `nameBornUnit`.
    #[serde(default)]
    pub by: String,
    /// Changes: field, old, new.
    #[serde(default)]
    pub diff: Vec<(String, String, String)>,
    /// Errors in Vietnamese: column heading, message.
    #[serde(default)]
    pub errors: Vec<(String, String)>,
    /// Warnings in Vietnamese: column heading, message.
    #[serde(default)]
    pub warnings: Vec<(String, String)>,
}

/// `POST /api/v1/imports/{id}/apply`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportApply {
    /// Answers to rows with `ask`: line → the proposed person (`true`) or
    /// somebody new (`false`). Unanswered rows are left out.
    pub same: BTreeMap<u32, bool>,
    /// Withdraw who is missing in the file.
    pub withdraw_missing: bool,
    /// Go on though some rows are bad; without it bad rows refuse the import.
    pub skip_bad: bool,
    /// Rows are sites.
    pub sites: bool,
    /// Make accounts for people without one (`Printed` list in the answer).
    pub accounts: bool,
}

/// A personal link, for lists, e-mails and QR codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinLink {
    /// Whose; absent: open link for guests.
    #[serde(default)]
    pub person: Option<PersonKey>,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Role in the room.
    pub role: String,
    /// Absolute address.
    pub url: String,
}

/// Present people a list shows in the live desk as having trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BadLink {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// `lost` (link broken now), `gaps` (came back several times), `weak`
    /// (little bandwidth or much loss).
    pub what: String,
    /// Since when, ms; or the number of gaps; or the estimated kbit/s.
    pub value: u64,
}

/// One unit of the live desk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnitLine {
    /// Unit, or `""`.
    pub unit: String,
    /// Triệu tập.
    pub expected: u32,
    /// Có mặt.
    pub present: u32,
    /// Đi muộn.
    pub late: u32,
    /// Vắng (excused included), not yet there.
    pub absent: u32,
    /// Mean share, per mille.
    pub permille: u16,
}

/// `GET /api/v1/sessions/{id}/attendance` and `/desk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttendancePage {
    /// Class.
    pub class: Class,
    /// Session.
    pub session: Session,
    /// The report, cut to the people the asker may see.
    #[schema(value_type = Object)]
    pub report: Report,
    /// Per person of the report: what the sheet shows beside it.
    pub people: BTreeMap<String, PersonNote>,
    /// By unit.
    pub units: Vec<UnitLine>,
    /// Sites.
    pub sites: Vec<Site>,
    /// Sites with what their check before the session found, of those the asker
    /// may see.
    pub preflight: Vec<SitePreflight>,
    /// Corrections, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub adjustments: Vec<Adjustment>,
    /// Frozen versions, oldest first.
    pub versions: Vec<Frozen>,
    /// What stands differs from the latest frozen version.
    pub changed_since: bool,
    /// Substitutes.
    pub delegates: Vec<Delegate>,
    /// Recordings of the session as they were announced to all.
    #[schema(value_type = Vec<Object>)]
    pub recordings: Vec<RecordingSpan>,
    /// Trouble with links now; empty when the room does not run.
    pub links: Vec<BadLink>,
    /// Connections in the room now.
    pub connections: u32,
    /// People in the room now, halls counted.
    pub people_now: u32,
    /// The asker's rights here.
    pub rights: Vec<Right>,
    /// Server clock, ms.
    pub now_ms: u64,
}

/// Beside a row of the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonNote {
    /// Key identifier.
    pub identifier: String,
    /// Position.
    pub position: String,
    /// Phone, for calling absentees; only with the right to see the roster.
    pub phone: String,
    /// Substitute's name.
    pub substitute: String,
    /// Is a site.
    pub site: bool,
}

/// `POST /api/v1/sessions/{id}/adjustments`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAdjustment {
    /// Whose rows, at most 500.
    pub people: Vec<PersonKey>,
    /// What.
    #[schema(value_type = Object)]
    pub change: Change,
    /// Why.
    pub reason: String,
    /// Proof.
    #[serde(default)]
    pub evidence: Option<String>,
}

/// `POST /api/v1/sessions/{id}/freeze`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FreezeRequest {
    /// Why, from the second version on.
    pub reason: String,
}

/// Query of `GET …/exports/{kind}.{format}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportQuery {
    /// Frozen version; absent: what stands now.
    pub version: Option<u32>,
    /// CSV: `comma`, `semicolon`, `tab`.
    pub delimiter: Option<String>,
    /// CSV: identifiers as `="…"`.
    pub as_text: Option<bool>,
    /// Two columns for the name.
    pub split_name: Option<bool>,
    /// Language of the file: only `vi` so far.
    pub lang: Option<String>,
}

/// List of exports of a session or class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportList {
    /// Latest first.
    pub exports: Vec<ExportRecord>,
    /// What the asker may export.
    pub offers: Vec<(ExportKind, Vec<ExportFormat>)>,
}

/// Class summary for the page: a row per learner, a column per session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryPage {
    /// Class.
    pub class: Class,
    /// Sessions that count, in order.
    pub sessions: Vec<Session>,
    /// Rows.
    pub rows: Vec<SummaryLine>,
    /// By unit.
    pub units: Vec<UnitLine>,
}

/// A row of the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryLine {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Per session: `x`, `P`, `K`, `M`, `S`, `MS`, or empty when it was not held.
    pub marks: Vec<String>,
    /// Minutes per session.
    pub minutes: Vec<u32>,
    /// Sessions attended.
    pub attended: u32,
    /// Share of sessions, per mille.
    pub sessions_permille: u16,
    /// Share of minutes, per mille.
    pub minutes_permille: u16,
    /// Đủ điều kiện.
    pub eligible: bool,
}

/// `GET /api/v1/my`: Lớp của tôi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyPage {
    /// Own classes, those with a session soonest first.
    pub classes: Vec<MyClass>,
}

/// One of my classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyClass {
    /// Id.
    pub id: ClassId,
    /// Title.
    pub title: String,
    /// Host unit.
    pub host: String,
    /// Own roles: `learner` or staff roles.
    pub roles: Vec<String>,
    /// Open until.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub open_until: Option<Day>,
    /// Sessions with own times.
    pub sessions: Vec<MySession>,
    /// Own totals, per mille of sessions and minutes so far.
    pub sessions_permille: u16,
    /// Of minutes.
    pub minutes_permille: u16,
}

/// One session of mine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MySession {
    /// The session.
    pub session: Session,
    /// Own link into the room while one can come in.
    #[serde(default)]
    pub url: Option<String>,
    /// Own row, with intervals; absent before it began.
    #[serde(default)]
    pub mine: Option<MyRow>,
}

/// Own times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyRow {
    /// What stands.
    pub status: Status,
    /// Minutes present, ms.
    pub present_ms: u64,
    /// Share.
    pub permille: u16,
    /// Intervals: from, to.
    pub intervals: Vec<(u64, u64)>,
    /// The window.
    pub window: Window,
    /// Corrected by staff.
    pub adjusted: bool,
}

/// The asker's way to the units: `GET /api/v1/units?q=&parent=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnitPath {
    /// Id.
    pub id: UnitId,
    /// Names from the root on.
    pub names: Vec<String>,
}

/// A page of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// Entries.
    pub items: Vec<T>,
    /// In all.
    pub total: u32,
}

/// One line of the log of access to attendance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessLine {
    /// When, ms.
    pub at_ms: u64,
    /// Who.
    pub by: String,
    /// `view`, `desk`, `export`, `report` (numbers alone), `bundle`, `boards`, `adjust`,
    /// `freeze`, `api`.
    pub what: String,
    /// How much: `all`, `unit`, `learners`, `own`.
    pub extent: String,
    /// Class.
    pub class: ClassId,
    /// Session.
    #[serde(default)]
    pub session: Option<SessionKey>,
}
