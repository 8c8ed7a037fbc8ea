//! Exports, frozen versions, verification: shapes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExportKind {
    /// Danh sách điểm danh of a session.
    Session,
    /// Bảng tổng hợp chuyên cần of a class.
    ClassSummary,
    /// Tổng hợp theo đơn vị; of a session or a class.
    UnitSummary,
    /// Thành phần tham dự theo điểm cầu.
    Sites,
    /// Danh sách đại biểu.
    Delegates,
    /// Kế hoạch – thực hiện.
    PlanActual,
    /// Hoạt động của người dạy.
    TrainerActivity,
    /// Kết quả thăm dò, trắc nghiệm, biểu quyết of a session.
    Polls,
    /// Nhật ký sự cố kỹ thuật of a session, with its duty roster (TT 21/2017 Điều 10.3).
    Incidents,
    /// Báo cáo công tác tập huấn qua mạng of a unit (TT 21/2017 Điều 12.2).
    Aggregate,
}

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// Excel.
    Xlsx,
    /// CSV.
    Csv,
    /// PDF by Nghị định 30.
    Pdf,
    /// A page to print.
    Html,
    /// Data.
    Json,
}

/// What the server keeps of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportRecord {
    /// Id, printed on the sheet.
    pub id: String,
    /// What.
    pub kind: ExportKind,
    /// Format.
    pub format: ExportFormat,
    /// Class, when of one.
    pub class: Option<String>,
    /// Unit, when it is a report on the classes of one.
    #[serde(default)]
    pub unit: Option<String>,
    /// Session, when of one.
    pub session: Option<String>,
    /// Frozen version it shows; 0: not frozen.
    pub version: u32,
    /// SHA-256 of the data, hex.
    pub data_sha256: String,
    /// SHA-256 of the file, hex.
    pub file_sha256: String,
    /// Length of the file, bytes.
    pub file_len: u64,
    /// Who.
    pub by: String,
    /// When, ms.
    pub made_ms: u64,
}

/// A frozen version of a session's attendance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Frozen {
    /// Number, from 1.
    pub no: u32,
    /// When, ms.
    pub made_ms: u64,
    /// Who.
    pub by: String,
    /// Why, from the second on.
    pub reason: String,
    /// SHA-256 of the frozen report, hex.
    pub sha256: String,
}

/// Outcome of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum VerdictKind {
    /// The very file that was exported.
    Genuine,
    /// The exported PDF with a signature added behind it.
    Signed,
    /// Saved again by another program, data unchanged.
    Resaved,
    /// Its data was changed.
    Altered,
    /// Not from here.
    Unknown,
}

/// What a verification tells. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Outcome.
    pub kind: VerdictKind,
    /// Shows what stands now: no later version or correction.
    pub current: bool,
    /// Exported when, ms.
    #[serde(default)]
    pub made_ms: Option<u64>,
    /// Title of class and session.
    #[serde(default)]
    pub title: String,
    /// Host unit.
    #[serde(default)]
    pub host: String,
    /// Version shown; 0: not frozen.
    #[serde(default)]
    pub version: u32,
    /// Latest frozen version now.
    #[serde(default)]
    pub latest: u32,
    /// Export id.
    #[serde(default)]
    pub id: String,
    /// Places that differ (cell positions), at most 20.
    #[serde(default)]
    pub differences: Vec<String>,
}
