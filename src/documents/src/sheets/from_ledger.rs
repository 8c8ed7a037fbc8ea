//! What the ledger computed, as lines of the sheets.

use std::collections::BTreeMap;

use lophoc_classes::Day;
use lophoc_ledger::{
    Activity, ClassCell, ClassSummary, Mark, PersonActivity, PersonKey, PlanReport, PlanState,
    SessionKey, Status, Totals,
};

use super::{LearnerLine, PersonInfo, PlanLine, SessionColumn, SessionMark, TrainerLine, UnitLine};

/// A session as lists name it.
#[derive(Debug, Clone, Default)]
pub struct SessionName {
    /// Number in the class, from 1.
    pub no: u32,
    /// Day it was held on, or is planned for.
    pub day: Option<Day>,
    /// What it is about.
    pub title: String,
    /// Trainers of the plan.
    pub planned_trainers: Vec<String>,
    /// Trainers who were in.
    pub trainers: Vec<String>,
    /// Why it differs from the plan.
    pub reason: Option<String>,
}

/// Sessions of a class as columns.
pub fn session_columns(
    summary: &ClassSummary,
    names: &BTreeMap<SessionKey, SessionName>,
) -> Vec<SessionColumn> {
    (1_u32..)
        .zip(&summary.sessions)
        .map(|(place, session)| {
            let name = names.get(&session.session);
            SessionColumn {
                no: name.map_or(place, |name| name.no),
                day: name.and_then(|name| name.day),
                title: name.map(|name| name.title.clone()).unwrap_or_default(),
                counted_ms: session.counted_ms,
                counted: session.counted,
            }
        })
        .collect()
}

/// Learners of a class as lines.
pub fn learner_lines(
    summary: &ClassSummary,
    people: &BTreeMap<PersonKey, PersonInfo>,
) -> Vec<LearnerLine> {
    summary
        .rows
        .iter()
        .map(|row| {
            let info = people.get(&row.person);
            LearnerLine {
                code: info.and_then(|info| info.code.clone()),
                name: row.name.clone(),
                sort: row
                    .sort
                    .clone()
                    .or_else(|| info.and_then(|info| info.sort.clone())),
                born: info.and_then(|info| info.born),
                unit: info
                    .and_then(|info| info.unit.clone())
                    .or_else(|| row.unit.clone()),
                fields: info.map(|info| info.fields.clone()).unwrap_or_default(),
                marks: row.cells.iter().map(session_mark).collect(),
                sessions: row.sessions,
                attended: row.attended,
                present_ms: row.present_ms,
                sessions_permille: row.sessions_permille,
                minutes_permille: row.minutes_permille,
                eligible: row.eligible,
            }
        })
        .collect()
}

/// A cell; none where the person was not expected. The sheet of a class does not
/// tell where somebody was present.
fn session_mark(cell: &ClassCell) -> Option<SessionMark> {
    let (status, late, early) = match cell.mark {
        Mark::Outside => return None,
        Mark::NotTaken => (Status::NotTaken, false, false),
        Mark::Excused => (Status::Excused, false, false),
        Mark::Absent => (Status::Absent, false, false),
        Mark::Present => (Status::Online, false, false),
        Mark::Late => (Status::Online, true, false),
        Mark::Early => (Status::Online, false, true),
        Mark::LateEarly => (Status::Online, true, true),
    };
    Some(SessionMark {
        status,
        late,
        early,
        present_ms: cell.present_ms,
        adjusted: cell.adjusted,
    })
}

impl UnitLine {
    /// The sums of a unit; an absent name is kept empty.
    pub fn of(unit: Option<&str>, totals: &Totals) -> Self {
        Self {
            unit: unit.unwrap_or_default().to_owned(),
            expected: totals.expected,
            online: totals.online,
            at_site: totals.at_site,
            in_person: totals.in_person,
            excused: totals.excused,
            absent: totals.absent,
            not_taken: totals.not_taken,
            late: totals.late,
            early: totals.early,
            mean_permille: totals.mean_permille,
        }
    }
}

/// Units of a class (turns) as lines.
pub fn class_unit_lines(summary: &ClassSummary) -> Vec<UnitLine> {
    summary
        .units
        .iter()
        .map(|unit| UnitLine::of(unit.unit.as_deref(), &unit.turns))
        .collect()
}

/// Planned and held sessions as lines.
pub fn plan_lines(report: &PlanReport, names: &BTreeMap<SessionKey, SessionName>) -> Vec<PlanLine> {
    (1_u32..)
        .zip(&report.rows)
        .map(|(place, row)| {
            let name = names.get(&row.planned.session).cloned().unwrap_or_default();
            PlanLine {
                no: if name.no == 0 { place } else { name.no },
                content: name.title,
                planned: row.planned.from_ms.zip(row.planned.to_ms),
                planned_trainers: name.planned_trainers,
                held: row.from_ms.zip(row.to_ms),
                trainers: name.trainers,
                judgement: state_name(row.state).to_owned(),
                reason: name.reason,
            }
        })
        .collect()
}

/// What became of a planned session, in words.
fn state_name(state: PlanState) -> &'static str {
    match state {
        PlanState::Upcoming => "Chưa đến giờ",
        PlanState::Running => "Đang diễn ra",
        PlanState::Held => "Đúng kế hoạch",
        PlanState::CutShort => "Rút ngắn",
        PlanState::Moved => "Dời lịch",
        PlanState::MovedCutShort => "Dời lịch và rút ngắn",
        PlanState::Unplanned => "Ngoài kế hoạch",
        PlanState::NotHeld => "Không tổ chức",
        PlanState::Cancelled => "Hủy",
    }
}

/// The staff of one or many sessions as lines, one per person; somebody counts
/// as in time when in the room `grace_ms` after the planned beginning at latest.
/// Sessions assigned are filled in by who knows the staff lists.
pub fn trainer_lines(
    sessions: &[Activity],
    people: &BTreeMap<PersonKey, PersonInfo>,
    grace_ms: u64,
) -> Vec<TrainerLine> {
    let mut lines: BTreeMap<PersonKey, TrainerLine> = BTreeMap::new();
    let grace = i64::try_from(grace_ms).unwrap_or(i64::MAX);
    for session in sessions {
        for person in session.people.iter().filter(|person| teaches(person)) {
            let info = people.get(&person.person);
            let line = lines.entry(person.person.clone()).or_default();
            line.code = info.and_then(|info| info.code.clone());
            line.sort = info.and_then(|info| info.sort.clone());
            line.name.clone_from(&person.name);
            line.unit = info
                .and_then(|info| info.unit.clone())
                .or_else(|| person.unit.clone());
            line.role = role_name(taught_as(person)).to_owned();
            if person.lesson_ms > 0 {
                line.taught += 1;
                line.punctual += u32::from(person.arrival_ms.is_none_or(|late| late <= grace));
            }
            line.live_ms = line.live_ms.saturating_add(person.lesson_ms);
            line.talk_ms = line.talk_ms.saturating_add(person.talk_ms);
            line.screen_ms = line.screen_ms.saturating_add(person.screen_ms);
            line.invited = line
                .invited
                .saturating_add(person.floors_given)
                .saturating_add(person.asked);
            line.hands = line.hands.saturating_add(person.answers);
            line.messages = line.messages.saturating_add(person.chat);
            if person.polls > 0 {
                let polls = line.polls.get_or_insert(0);
                *polls = polls.saturating_add(person.polls);
            }
            if person.questions_answered > 0 {
                let before = line.questions.unwrap_or(0);
                line.questions = Some(before.saturating_add(person.questions_answered));
            }
            if let Some(name) = &person.stood_in_for {
                line.note = Some(format!("Thay {name}"));
            }
        }
    }
    lines.into_values().collect()
}

/// People whose activity the sheet is about: those who teach or advise.
fn teaches(person: &PersonActivity) -> bool {
    matches!(taught_as(person), "trainer" | "adviser" | "chair")
}

/// The role whose work the person did: the one handed over, else his own.
fn taught_as(person: &PersonActivity) -> &str {
    person.role_given.as_deref().unwrap_or(&person.role)
}

fn role_name(role: &str) -> &str {
    match role {
        "trainer" => "Người dạy",
        "adviser" => "Cố vấn học tập",
        "chair" => "Chủ trì",
        other => other,
    }
}
