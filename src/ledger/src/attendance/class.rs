//! Reports of sessions → the summary of a class (bảng tổng hợp chuyên cần).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::rows::permille;
use super::totals::{ByUnit, Tally};
use super::types::{ClassBy, Outcome, Report, Row, Rules, Status, Totals};
use crate::collation::{NameOrder, name_key_in};
use crate::event::{PersonKey, SessionKey};

/// One session of a class.
#[derive(Debug, Clone, Copy)]
pub struct ClassPart<'a> {
    /// Which.
    pub session: &'a SessionKey,
    /// Counts for the attendance of the class.
    pub counts: bool,
    /// Its attendance.
    pub report: &'a Report,
}

/// What a cell of the summary says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// Present, in time, to the end.
    Present,
    /// Present, came late.
    Late,
    /// Present, left early.
    Early,
    /// Present, came late and left early.
    LateEarly,
    /// Absent, excused.
    Excused,
    /// Absent, not excused.
    Absent,
    /// Not taken yet.
    NotTaken,
    /// Was not expected in this session.
    #[default]
    Outside,
}

impl Mark {
    /// The letter of the sheet: `x`, `M`, `S`, `MS`, `P`, `K` or nothing.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Present => "x",
            Self::Late => "M",
            Self::Early => "S",
            Self::LateEarly => "MS",
            Self::Excused => "P",
            Self::Absent => "K",
            Self::NotTaken | Self::Outside => "",
        }
    }

    /// The mark of what stands.
    pub fn of(stands: &Outcome) -> Self {
        match (stands.status, stands.late, stands.early) {
            (Status::Excused, ..) => Self::Excused,
            (Status::Absent, ..) => Self::Absent,
            (Status::NotTaken, ..) => Self::NotTaken,
            (_, false, false) => Self::Present,
            (_, true, false) => Self::Late,
            (_, false, true) => Self::Early,
            (_, true, true) => Self::LateEarly,
        }
    }
}

/// One person in one session.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct ClassCell {
    /// Mark.
    pub mark: Mark,
    /// Time present, ms; 0 when absent.
    pub present_ms: u64,
    /// Share of the session, per mille.
    pub permille: u16,
    /// Reaches the session's threshold.
    pub enough: bool,
    /// Was corrected by hand.
    pub adjusted: bool,
}

/// One person in the class. Sums are over the sessions that count, are over, and
/// in which the person was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassRow {
    /// Who.
    pub person: PersonKey,
    /// Name in the latest roster.
    pub name: String,
    /// Explicit key to sort by in place of the given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sort: Option<String>,
    /// Unit in the latest roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Per session, in the order they were handed in.
    pub cells: Vec<ClassCell>,
    /// Sessions in the sums.
    pub sessions: u32,
    /// … in which the person was present.
    pub present: u32,
    /// … that count as attended (the share reaches the session's threshold).
    pub attended: u32,
    /// … with an excused absence.
    pub excused: u32,
    /// … with an absence that is not excused.
    pub absent: u32,
    /// … come to late.
    pub late: u32,
    /// … left early.
    pub early: u32,
    /// Time present, ms.
    pub present_ms: u64,
    /// Time that counted, ms.
    pub counted_ms: u64,
    /// Sessions attended of sessions, per mille. An excused absence is an absence.
    pub sessions_permille: u16,
    /// Time present of the time that counted, per mille.
    pub minutes_permille: u16,
    /// Đủ điều kiện: the share the rules name reaches the class's threshold; not
    /// before there is a session.
    pub eligible: bool,
}

/// One session in the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassSession {
    /// Which.
    pub session: SessionKey,
    /// Is in the sums: counts, and is over.
    pub counted: bool,
    /// Length of its counted time, ms.
    pub counted_ms: u64,
    /// Its own sums.
    pub totals: Totals,
}

/// A unit in the summary: what a Sở asks for first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassUnit {
    /// Unit; absent: of no unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// People of it on the roster.
    pub people: u32,
    /// … who are eligible.
    pub eligible: u32,
    /// Sums over people and sessions (lượt): triệu tập, có mặt, vắng.
    pub turns: Totals,
}

/// Attendance of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassSummary {
    /// The rules used.
    pub rules: Rules,
    /// Sessions, as handed in.
    pub sessions: Vec<ClassSession>,
    /// Everybody who was on a roster, in Vietnamese order of names.
    pub rows: Vec<ClassRow>,
    /// By unit, in Vietnamese order.
    pub units: Vec<ClassUnit>,
    /// Sums over people and sessions (lượt).
    pub turns: Totals,
    /// People who are eligible.
    pub eligible: u32,
}

/// The summary of a class over its sessions, in the order they are to be shown.
/// Names and units are those of the last session in which the person was
/// expected. Staff, guests and sites have no row.
pub fn class_summary(parts: &[ClassPart<'_>], rules: &Rules, order: NameOrder) -> ClassSummary {
    let mut rows: Vec<ClassRow> = Vec::new();
    let mut place: HashMap<&PersonKey, usize> = HashMap::new();
    let mut tallies: Vec<Tally> = Vec::new();
    let mut turns = Tally::default();
    for (index, part) in parts.iter().enumerate() {
        let counted = is_counted(part);
        for row in part.report.rows.iter().filter(|row| row.is_learner()) {
            let at = *place.entry(&row.person).or_insert_with(|| {
                rows.push(ClassRow::new(row, parts.len()));
                tallies.push(Tally::default());
                rows.len() - 1
            });
            let (Some(class_row), Some(tally)) = (rows.get_mut(at), tallies.get_mut(at)) else {
                continue;
            };
            class_row.add(row, index, counted.then_some(part.report.window.counted_ms));
            if counted {
                tally.expected(&row.stands);
                turns.expected(&row.stands);
            }
        }
    }
    let mut units: ByUnit<(u32, u32, Tally)> = ByUnit::new();
    for (row, tally) in rows.iter_mut().zip(&tallies) {
        row.finish(rules);
        let unit = units.entry(row.unit.as_deref());
        unit.0 += 1;
        unit.1 += u32::from(row.eligible);
        unit.2.add(tally);
    }
    rows.sort_by_cached_key(|row| {
        let key = name_key_in(order, &row.name, row.sort.as_deref());
        (key, row.person.clone())
    });
    let eligible = rows.iter().map(|row| u32::from(row.eligible)).sum();
    ClassSummary {
        rules: *rules,
        sessions: parts
            .iter()
            .map(|part| ClassSession {
                session: part.session.clone(),
                counted: is_counted(part),
                counted_ms: part.report.window.counted_ms,
                totals: part.report.totals,
            })
            .collect(),
        rows,
        units: units
            .into_entries()
            .map(|(unit, (people, eligible, turns))| ClassUnit {
                unit,
                people,
                eligible,
                turns: turns.totals(),
            })
            .collect(),
        turns: turns.totals(),
        eligible,
    }
}

/// A session that counts is in the sums as soon as it is over.
fn is_counted(part: &ClassPart<'_>) -> bool {
    part.counts && part.report.ended
}

impl ClassRow {
    fn new(row: &Row, sessions: usize) -> Self {
        Self {
            person: row.person.clone(),
            name: String::new(),
            sort: None,
            unit: None,
            cells: vec![ClassCell::default(); sessions],
            sessions: 0,
            present: 0,
            attended: 0,
            excused: 0,
            absent: 0,
            late: 0,
            early: 0,
            present_ms: 0,
            counted_ms: 0,
            sessions_permille: 0,
            minutes_permille: 0,
            eligible: false,
        }
    }

    /// Adds session number `index`; `counted_ms` when it is in the sums.
    fn add(&mut self, row: &Row, index: usize, counted_ms: Option<u64>) {
        let stands = &row.stands;
        let is_present = stands.status.is_present();
        let present_ms = if is_present { stands.present_ms } else { 0 };
        self.name.clone_from(&row.name);
        self.sort.clone_from(&row.sort);
        self.unit.clone_from(&row.unit);
        if let Some(cell) = self.cells.get_mut(index) {
            *cell = ClassCell {
                mark: Mark::of(stands),
                present_ms,
                permille: if is_present { stands.permille } else { 0 },
                enough: stands.enough,
                adjusted: !row.adjusted.is_empty(),
            };
        }
        let Some(counted_ms) = counted_ms else {
            return;
        };
        self.sessions += 1;
        self.present += u32::from(is_present);
        self.attended += u32::from(stands.enough);
        self.excused += u32::from(stands.status == Status::Excused);
        self.absent += u32::from(stands.status == Status::Absent);
        self.late += u32::from(stands.late);
        self.early += u32::from(stands.early);
        self.present_ms = self.present_ms.saturating_add(present_ms);
        self.counted_ms = self.counted_ms.saturating_add(counted_ms);
    }

    fn finish(&mut self, rules: &Rules) {
        self.sessions_permille = permille(u64::from(self.attended), u64::from(self.sessions));
        self.minutes_permille = permille(self.present_ms, self.counted_ms);
        let share = match rules.class_by {
            ClassBy::Minutes => self.minutes_permille,
            ClassBy::Sessions => self.sessions_permille,
        };
        self.eligible = self.sessions > 0 && share >= rules.class_permille;
    }
}
