//! The report of a unit on its online training (báo cáo công tác tập huấn qua
//! mạng, TT 21/2017 Điều 12.2): shapes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::day::Day;
use crate::export::ExportRecord;
use crate::unit::UnitId;

/// Reporting periods of the sector: from 16 June to one of three days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReportPreset {
    /// Đầu năm học, to 30/9.
    YearBegin,
    /// Giữa năm học, to 30/01.
    MidYear,
    /// Cuối năm học, to 15/6.
    YearEnd,
}

/// Query of `GET /api/v1/units/{id}/report` and of its exports: a preset with
/// its school year, or two days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportQuery {
    /// Preset.
    pub preset: Option<ReportPreset>,
    /// First year of the school year, with a preset: `2026` for 2026–2027.
    pub year: Option<u16>,
    /// First day, without a preset.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub from: Option<Day>,
    /// Last day, without a preset.
    #[schema(value_type = Option<String>)]
    #[ts(type = "string | null")]
    pub to: Option<Day>,
    /// CSV: `comma`, `semicolon`, `tab`.
    pub delimiter: Option<String>,
    /// CSV: identifiers as `="…"`.
    pub as_text: Option<bool>,
}

/// What one unit held, with everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportLine {
    /// The unit; absent in the sum.
    pub id: Option<UnitId>,
    /// Name.
    pub unit: String,
    /// Its code.
    pub code: Option<String>,
    /// Cấp học, of a school.
    pub level: Option<String>,
    /// Classes.
    pub classes: u32,
    /// Sessions held.
    pub sessions: u32,
    /// Their counted time, ms.
    pub held_ms: u64,
    /// Learners invited: once per class.
    pub invited: u32,
    /// … who took part.
    pub attended: u32,
    /// … who completed.
    pub completed: u32,
}

/// Learners of one sort.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportPeople {
    /// Unit or level.
    pub name: String,
    /// Learners invited: once per class.
    pub invited: u32,
    /// … who took part.
    pub attended: u32,
    /// … who completed.
    pub completed: u32,
}

/// `GET /api/v1/units/{id}/report`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportPage {
    /// Reporting unit.
    pub unit: UnitId,
    /// Its name.
    pub name: String,
    /// First day.
    #[schema(value_type = String)]
    #[ts(type = "string")]
    pub from: Day,
    /// Last day.
    #[schema(value_type = String)]
    #[ts(type = "string")]
    pub to: Day,
    /// By unit that held the classes, each the sum of what lies below it.
    pub lines: Vec<ReportLine>,
    /// All of them.
    pub sum: ReportLine,
    /// Learners by the unit they are of.
    pub homes: Vec<ReportPeople>,
    /// Learners by the level of the school they are of.
    pub levels: Vec<ReportPeople>,
    /// What was exported of this unit, latest first; all that others made too.
    pub exports: Vec<ExportRecord>,
}
