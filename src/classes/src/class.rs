//! Courses, classes, sessions: plan fields and life cycles (domain: 2.2).

use lophoc_ledger::{PersonKey, Rules, SessionKey};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::day::Day;
use crate::unit::UnitId;
use crate::{ClassId, CourseId};

/// Where a class is in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ClassState {
    /// Dự thảo.
    Draft,
    /// Chờ duyệt.
    Submitted,
    /// Đã duyệt kế hoạch.
    Approved,
    /// Chuẩn bị.
    Preparing,
    /// Mở lớp.
    Open,
    /// Đã thông báo.
    Announced,
    /// Đang diễn ra.
    Running,
    /// Kết thúc.
    Finished,
    /// Xét kết quả.
    Grading,
    /// Đã công bố kết quả.
    Published,
    /// Mở học liệu: at least 6 months (TT21 Điều 10.8).
    MaterialsOpen,
    /// Lưu trữ.
    Archived,
    /// Tiêu hủy theo quy định.
    Destroyed,
    /// Hoãn.
    Postponed,
    /// Hủy.
    Cancelled,
}

/// A step in the life of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClassStep {
    /// Draft → submitted.
    Submit,
    /// Submitted → draft.
    Return,
    /// Submitted → approved; needs number and day of the plan.
    Approve,
    /// Approved → preparing.
    Prepare,
    /// Preparing → open.
    Open,
    /// Open → announced.
    Announce,
    /// Open or announced → running; also done by the first session that begins.
    Run,
    /// Running → finished; sets `open_until`.
    Finish,
    /// Finished → grading.
    Grade,
    /// Grading → published; all sessions that count must be frozen.
    Publish,
    /// Published → materials open.
    OpenMaterials,
    /// Materials open → archived; not before `open_until`.
    Archive,
    /// Archived → destroyed; with the number of the approval; leaves a record.
    Destroy,
    /// Any state before finished → postponed.
    Postpone,
    /// Postponed → preparing.
    Resume,
    /// Any state before finished → cancelled.
    Cancel,
}

/// A step that is not allowed, as a code the client words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema, thiserror::Error,
)]
#[serde(rename_all = "camelCase")]
pub enum StepRefused {
    /// The state has no such step.
    #[error("not possible from this state")]
    WrongState,
    /// Number and day of the approved plan are missing.
    #[error("the approved plan has no number or day")]
    NoPlan,
    /// Nobody teaches.
    #[error("no trainer is named")]
    NoTrainer,
    /// There is no session.
    #[error("there is no session")]
    NoSession,
    /// Nobody is on the roster.
    #[error("the roster is empty")]
    NoRoster,
    /// A session has not ended.
    #[error("a session has not ended")]
    SessionOpen,
    /// Attendance of a session that counts is not frozen.
    #[error("attendance is not frozen")]
    NotFrozen,
    /// Protected until `open_until` (TT21 Điều 10.8).
    #[error("protected by the six-month rule")]
    Protected,
    /// Destruction needs the number of its approval.
    #[error("no approval of the destruction")]
    NoApproval,
}

/// What can be entered of a course (khóa).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CourseForm {
    /// Tên khóa.
    pub title: String,
    /// Chương trình.
    pub programme: String,
    /// Số tiết.
    pub periods: u16,
    /// Căn cứ: the documents it rests on.
    pub basis: String,
    /// Năm học, `2026-2027`.
    pub school_year: String,
}

/// A course: several classes with the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// Id.
    pub id: CourseId,
    /// Fields.
    #[serde(flatten)]
    pub form: CourseForm,
}

/// Sort of class; decides which rules of law switch on.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ClassKind {
    /// Lớp tập huấn, bồi dưỡng.
    #[default]
    Training,
    /// Lớp học sinh: child rules.
    Pupils,
    /// Cuộc họp, hội nghị.
    Meeting,
    /// Hội thảo công khai.
    Public,
}

/// How a class is held.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ClassForm {
    /// Qua mạng.
    #[default]
    Online,
    /// Tập trung.
    InPerson,
    /// Kết hợp.
    Hybrid,
}

/// Who may come without being on the roster.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum GuestPolicy {
    /// Nobody.
    Nobody,
    /// Whoever has the guest link and gives name and unit, through the waiting room.
    #[default]
    Wait,
    /// Whoever has the guest link and gives name and unit.
    Free,
}

/// Most own fields of a class on its sheets: the heading has to leave room for
/// the rows.
pub const MAX_SHEET_FIELDS: usize = 8;

/// Most own fields of people that are columns of the sheets: a page is only so
/// wide.
pub const MAX_PERSON_COLUMNS: usize = 3;

/// Own fields that stand on the sheets: name and value, in order.
fn chosen_fields(custom: &[(String, String)], on_sheets: &[String]) -> Vec<(String, String)> {
    custom
        .iter()
        .filter(|(name, value)| !value.is_empty() && on_sheets.contains(name))
        .take(MAX_SHEET_FIELDS)
        .cloned()
        .collect()
}

impl Plan {
    /// Own fields that stand on the sheets of class and sessions: name and value,
    /// in order.
    pub fn sheet_fields(&self) -> Vec<(String, String)> {
        chosen_fields(&self.custom, &self.on_sheets)
    }
}

impl SessionForm {
    /// Own fields that stand on the sheets of the session: name and value, in
    /// order.
    pub fn sheet_fields(&self) -> Vec<(String, String)> {
        chosen_fields(&self.custom, &self.on_sheets)
    }
}

/// Plan fields (TT21 Điều 9.1) and the decision behind them (Điều 2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Plan {
    /// Tên lớp.
    pub title: String,
    /// Mã lớp, unique in the installation when not empty.
    pub code: String,
    /// Khóa.
    pub course: Option<CourseId>,
    /// Sort.
    pub kind: ClassKind,
    /// Đơn vị chủ trì; required.
    pub host: Option<UnitId>,
    /// Decision that gave it to the host: số, ký hiệu.
    pub decision_no: String,
    /// … day.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub decision_day: Option<Day>,
    /// … issuer.
    pub decision_by: String,
    /// Kế hoạch: số, ký hiệu.
    pub plan_no: String,
    /// … day.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub plan_day: Option<Day>,
    /// Hình thức.
    pub form: ClassForm,
    /// Từ ngày.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub from: Option<Day>,
    /// Đến ngày.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub to: Option<Day>,
    /// Số tiết.
    pub periods: u16,
    /// Hệ thống thông tin used.
    pub systems: String,
    /// Hướng dẫn cách thức tham gia.
    pub guide: String,
    /// Hình thức kiểm tra: qua mạng hay tập trung.
    pub exam: String,
    /// Quy tắc hoàn thành in words.
    pub completion: String,
    /// Counting rules.
    #[schema(value_type = Object)]
    pub rules: Rules,
    /// Guests.
    pub guests: GuestPolicy,
    /// Own fields of the host (TT21 Điều 5.1.đ): name and value, in order.
    pub custom: Vec<(String, String)>,
    /// Names of own fields that stand on the sheets, at most
    /// [`MAX_SHEET_FIELDS`]; in the order of `custom`.
    pub on_sheets: Vec<String>,
    /// Names of own fields of people that are columns of the sheets, at most
    /// [`MAX_PERSON_COLUMNS`].
    pub people_on_sheets: Vec<String>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Class {
    /// Id.
    pub id: ClassId,
    /// Plan fields.
    #[serde(flatten)]
    pub plan: Plan,
    /// Name of the host unit, as it was when set.
    pub host_name: String,
    /// State.
    pub state: ClassState,
    /// Materials and records stay open to learners until then; deleting before
    /// is refused (TT21 Điều 10.8).
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub open_until: Option<Day>,
    /// Created, ms.
    pub created_ms: u64,
    /// Grows with each change; a write names the one it saw.
    pub rev: u64,
}

/// What can be entered of a session (buổi học, phiên).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionForm {
    /// Nội dung.
    pub title: String,
    /// Planned beginning, ms.
    #[serde(default)]
    pub starts_ms: Option<u64>,
    /// Planned end, ms.
    #[serde(default)]
    pub ends_ms: Option<u64>,
    /// Mode of the room: `discussion`, `training`, `conference`.
    pub mode: String,
    /// Thời gian kết nối thử: the room opens so many minutes before. At most 240.
    #[serde(default)]
    pub rehearsal_min: u16,
    /// Learners and guests wait until they are let in.
    #[serde(default)]
    pub waiting: bool,
    /// Counts for attendance of the class.
    #[serde(default = "yes")]
    pub counts: bool,
    /// Place where people meet in person.
    #[serde(default)]
    pub place: String,
    /// Own fields of the session: name and value, in order.
    #[serde(default)]
    pub custom: Vec<(String, String)>,
    /// Names of own fields that stand on the sheets of the session, as in a
    /// [`Plan`].
    #[serde(default)]
    pub on_sheets: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SessionPhase {
    /// Lên lịch.
    Scheduled,
    /// Kết nối thử: the room is open, the lesson has not begun.
    Rehearsal,
    /// Đang diễn ra.
    Running,
    /// Tạm nghỉ.
    Break,
    /// Kết thúc.
    Ended,
    /// Chốt điểm danh.
    Frozen,
    /// Đã xuất danh sách from the frozen version.
    Exported,
    /// Hủy.
    Cancelled,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Id.
    pub id: SessionKey,
    /// Class.
    pub class: ClassId,
    /// Room, unique in the installation.
    pub room: String,
    /// Number in the class by planned beginning, from 1.
    pub no: u32,
    /// Fields.
    #[serde(flatten)]
    pub form: SessionForm,
    /// Phase.
    pub phase: SessionPhase,
    /// Actual beginning, ms.
    pub began_ms: Option<u64>,
    /// Actual end, ms.
    pub ended_ms: Option<u64>,
    /// Latest frozen version of the attendance, 0 = none.
    pub frozen: u32,
    /// Trainers of this session (own staff, else the class's), for lists.
    pub trainers: Vec<String>,
}

/// One line of the readiness check (Kiểm tra điều kiện tổ chức, TT21 Điều 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// `plan`, `host`, `sessions`, `trainer`, `technician`, `adviser`, `roster`,
    /// `identifiers`, `announcement`.
    pub item: String,
    /// Fulfilled.
    pub ok: bool,
    /// Who is concerned, when it is people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonKey>,
}
