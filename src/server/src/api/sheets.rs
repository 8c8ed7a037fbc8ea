//! Facts of sessions and classes put into the sheets of `lophoc_documents`.

use std::collections::BTreeMap;

use lophoc_classes::{Class, ClassForm, ExportKind, ExportQuery, Session, SessionPhase, StaffRole};
use lophoc_documents::sheets::{
    ClassSummary, Context, Delegate, DelegateSheet, IncidentSheet, LearnerLine, PersonInfo,
    PlanLine, PlanSheet, PollSheet, SessionColumn, SessionInfo, SessionMark, SessionOptions,
    SessionSheet, SiteInfo, SiteSheet, TrainerLine, TrainerSheet, UnitLine, UnitSummary,
};
use lophoc_documents::{Document, Export, vi};
use lophoc_ledger::{
    ClassRow, INDOCHINA_OFFSET_MIN, Mark, PersonKey, PlanRules, PlanState, Planned, Report, Row,
    SessionKey, UnitTotals, by_unit, plan_versus_actual,
};
use lophoc_records::PlannedTime;

use super::attendance_class::summarise;
use super::attendance_facts::{ClassFacts, Facts, PersonFacts};

/// A class with all its sessions, cut to what the asker may see.
pub struct ClassSource {
    /// Class.
    pub class: Class,
    /// As sheets name it.
    pub facts: ClassFacts,
    /// Sessions in order, cancelled ones too, with every time that was planned.
    pub sessions: Vec<(Session, Facts, Vec<PlannedTime>)>,
    /// The clock, ms.
    pub now_ms: u64,
}

/// The document of a session. `None`: this kind is none of a session.
pub fn of_session(
    facts: &Facts,
    kind: ExportKind,
    query: &ExportQuery,
    export: Export,
) -> Option<Document> {
    let context = context(&facts.class, export);
    let session = session_info(facts);
    let people = people_info(facts);
    Some(match kind {
        ExportKind::Session => SessionSheet {
            context: &context,
            session: &session,
            report: &facts.report,
            people: &people,
            sites: &site_names(facts),
            adjustments: &facts.adjustments,
            options: SessionOptions {
                split_names: query.split_name.unwrap_or(false),
                without_signatures: false,
            },
        }
        .build(),
        ExportKind::UnitSummary => UnitSummary {
            context: &context,
            session: Some(&headline(facts)),
            units: &by_unit(&facts.report.rows)
                .iter()
                .map(unit_line)
                .collect::<Vec<_>>(),
            rules: &facts.report.rules,
        }
        .build(),
        ExportKind::Sites => SiteSheet {
            context: &context,
            session: &session,
            report: &facts.report,
            people: &people,
            sites: &site_infos(facts),
            hall: &facts.hall,
        }
        .build(),
        ExportKind::Delegates => DelegateSheet {
            context: &context,
            session: &session,
            began_ms: facts.report.window.from_ms,
            delegates: &delegates(facts),
        }
        .build(),
        ExportKind::TrainerActivity => TrainerSheet {
            context: &context,
            scope: &headline(facts),
            lines: &trainer_lines(std::iter::once(facts)),
        }
        .build(),
        ExportKind::Polls => PollSheet {
            context: &context,
            session: &session,
            began_ms: facts.report.window.from_ms,
            polls: &facts.polls,
        }
        .build(),
        ExportKind::Incidents => IncidentSheet {
            context: &context,
            session: &session,
            began_ms: facts.report.window.from_ms,
            incidents: &facts.incidents,
            duty: &facts.duty,
        }
        .build(),
        ExportKind::ClassSummary | ExportKind::PlanActual | ExportKind::Aggregate => return None,
    })
}

/// The document of a class. `None`: this kind is none of a class.
pub fn of_class(source: &ClassSource, kind: ExportKind, export: Export) -> Option<Document> {
    let context = context(&source.facts, export);
    let held = || {
        source
            .sessions
            .iter()
            .filter(|(session, ..)| session.phase != SessionPhase::Cancelled)
    };
    let reports = || -> Vec<(SessionKey, bool, Report)> {
        held()
            .map(|(session, facts, _)| {
                (
                    session.id.clone(),
                    session.form.counts,
                    facts.report.clone(),
                )
            })
            .collect()
    };
    let rules = &source.class.plan.rules;
    Some(match kind {
        ExportKind::ClassSummary => {
            let summary = summarise(&source.class, &reports());
            let columns: Vec<SessionColumn> = held()
                .zip(&summary.sessions)
                .map(|((session, facts, _), sums)| SessionColumn {
                    no: session.no,
                    day: facts
                        .report
                        .window
                        .from_ms
                        .or(session.form.starts_ms)
                        .and_then(|ms| vi::day_of(ms, INDOCHINA_OFFSET_MIN)),
                    title: session.form.title.clone(),
                    counted_ms: sums.counted_ms,
                    counted: sums.counted,
                })
                .collect();
            let mut people: BTreeMap<&PersonKey, &PersonFacts> = BTreeMap::new();
            for (_, facts, _) in held() {
                people.extend(&facts.people);
            }
            let learners: Vec<LearnerLine> = summary
                .rows
                .iter()
                .map(|row| {
                    learner(
                        row,
                        people.get(&row.person).copied(),
                        &reports_of(held(), row),
                    )
                })
                .collect();
            ClassSummary {
                context: &context,
                sessions: &columns,
                learners: &learners,
                rules,
                in_minutes: false,
            }
            .build()
        }
        ExportKind::UnitSummary => {
            let summary = summarise(&source.class, &reports());
            let lines: Vec<UnitLine> = summary
                .units
                .iter()
                .map(|unit| {
                    unit_line(&UnitTotals {
                        unit: unit.unit.clone(),
                        totals: unit.turns,
                    })
                })
                .collect();
            UnitSummary {
                context: &context,
                session: None,
                units: &lines,
                rules,
            }
            .build()
        }
        ExportKind::PlanActual => PlanSheet {
            context: &context,
            lines: &plan_lines(source),
        }
        .build(),
        ExportKind::TrainerActivity => {
            let scope = format!("Toàn lớp: {} buổi", vi::counted(held().count() as u64));
            TrainerSheet {
                context: &context,
                scope: &scope,
                lines: &trainer_lines(held().map(|(_, facts, _)| facts)),
            }
            .build()
        }
        ExportKind::Session
        | ExportKind::Sites
        | ExportKind::Delegates
        | ExportKind::Polls
        | ExportKind::Incidents
        | ExportKind::Aggregate => return None,
    })
}

fn context(class: &ClassFacts, export: Export) -> Context {
    let plan = (!class.plan_no.is_empty()).then(|| {
        let day = class
            .plan_day
            .map(|day| format!(" ngày {}", vi::short_day(day)))
            .unwrap_or_default();
        let of = if class.host.is_empty() {
            String::new()
        } else {
            format!(" của {}", class.host)
        };
        format!("Kế hoạch số {}{day}{of}", class.plan_no)
    });
    Context {
        parent_unit: class.parent_unit.clone(),
        unit: class.host.clone(),
        place: class.place.clone(),
        day: None,
        number: None,
        recipients: Vec::new(),
        class_title: class.title.clone(),
        class_code: class.code.clone(),
        class_fields: class.fields.clone(),
        people_fields: class.people_fields.clone(),
        plan,
        signatures: Vec::new(),
        export,
        offset_min: INDOCHINA_OFFSET_MIN,
    }
}

/// `Buổi 3: …`
pub fn headline(facts: &Facts) -> String {
    format!("Buổi {}: {}", facts.session.no, facts.session.title)
}

fn session_info(facts: &Facts) -> SessionInfo {
    let names = |role: StaffRole| -> Vec<String> {
        facts
            .staff
            .iter()
            .filter(|one| one.role == role)
            .map(|one| one.name.clone())
            .collect()
    };
    SessionInfo {
        stand_ins: stand_ins(facts),
        recordings: facts
            .recordings
            .iter()
            .map(|one| (one.from_ms, one.to_ms, one.who.clone()))
            .collect(),
        no: facts.session.no,
        content: facts.session.title.clone(),
        planned: facts.session.starts_ms.zip(facts.session.ends_ms),
        form: match facts.class.form {
            ClassForm::Online => "trực tuyến",
            ClassForm::InPerson => "trực tiếp",
            ClassForm::Hybrid => "kết hợp trực tuyến và trực tiếp",
        }
        .to_owned(),
        room: Some(if facts.session.place.is_empty() {
            facts.session.room.clone()
        } else {
            facts.session.place.clone()
        }),
        trainers: names(StaffRole::Trainer),
        advisers: names(StaffRole::Adviser),
        technicians: names(StaffRole::Technician),
        fields: facts.session.fields.clone(),
    }
}

/// Who stood in for whom: as the staff list of the session says, and as was
/// said in the room of those it does not name.
fn stand_ins(facts: &Facts) -> Vec<(String, String)> {
    let mut all: BTreeMap<&PersonKey, (String, String)> = BTreeMap::new();
    for one in &facts.activity.people {
        if let Some(other) = &one.stood_in_for {
            all.insert(&one.person, (one.name.clone(), other.clone()));
        }
    }
    for one in &facts.staff {
        let other = one
            .instead_of
            .as_ref()
            .and_then(|other| facts.staff.iter().find(|staff| staff.person == *other));
        if let Some(other) = other {
            all.insert(&one.person, (one.name.clone(), other.name.clone()));
        }
    }
    all.into_values().collect()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn people_info(facts: &Facts) -> BTreeMap<PersonKey, PersonInfo> {
    facts
        .people
        .iter()
        .map(|(person, one)| {
            let info = PersonInfo {
                code: some(&one.identifier),
                sort: one.sort.clone(),
                born: one.born,
                position: some(&one.position),
                unit: some(&one.unit_name),
                stands_in_for: None,
                fields: one.fields.clone(),
            };
            (person.clone(), info)
        })
        .collect()
}

fn site_names(facts: &Facts) -> BTreeMap<PersonKey, String> {
    facts
        .people
        .iter()
        .filter(|(_, one)| one.site)
        .map(|(person, one)| (person.clone(), one.name.clone()))
        .collect()
}

fn site_infos(facts: &Facts) -> BTreeMap<PersonKey, SiteInfo> {
    facts
        .people
        .iter()
        .filter(|(_, one)| one.site)
        .map(|(person, one)| {
            let info = SiteInfo {
                name: one.name.clone(),
                contact: contact(facts, person),
                place: some(&one.unit_name),
                expected: one.expected,
            };
            (person.clone(), info)
        })
        .collect()
}

/// Who confirmed the people of a site last, when it was a person with a name.
fn contact(facts: &Facts, site: &PersonKey) -> Option<String> {
    let mark = facts
        .hall
        .iter()
        .rev()
        .find(|mark| mark.site.as_ref() == Some(site) && mark.by != mark.person)?;
    let staff = facts.staff.iter().find(|one| one.person == mark.by);
    match staff {
        Some(staff) => Some(staff.name.clone()),
        None => facts
            .report
            .rows
            .iter()
            .find(|row| row.person == mark.by)
            .map(|row| row.name.clone()),
    }
}

fn delegates(facts: &Facts) -> Vec<Delegate> {
    let sites = site_names(facts);
    facts
        .report
        .rows
        .iter()
        .filter(|row| row.is_learner())
        .map(|row| {
            let one = facts.people.get(&row.person);
            let substitute = facts
                .delegates
                .iter()
                .find(|delegate| delegate.invited == row.person);
            let reference = substitute.and_then(|delegate| some(&delegate.reference));
            Delegate {
                name: row.name.clone(),
                position: one.and_then(|one| some(&one.position)),
                unit: row.unit.clone(),
                substitute: substitute
                    .map(|delegate| (delegate.name.clone(), some(&delegate.position))),
                status: row.stands.status,
                site: row.site.as_ref().and_then(|site| sites.get(site)).cloned(),
                first_in_ms: row.first_in_ms,
                last_out_ms: row.last_out_ms,
                note: row.excused.clone().or(reference),
            }
        })
        .collect()
}

fn unit_line(unit: &UnitTotals) -> UnitLine {
    let totals = unit.totals;
    UnitLine {
        unit: unit.unit.clone().unwrap_or_default(),
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

fn reports_of<'a>(
    sessions: impl Iterator<Item = &'a (Session, Facts, Vec<PlannedTime>)>,
    row: &ClassRow,
) -> Vec<Option<&'a Row>> {
    sessions
        .map(|(_, facts, _)| {
            facts
                .report
                .rows
                .iter()
                .find(|one| one.person == row.person)
        })
        .collect()
}

fn learner(row: &ClassRow, person: Option<&PersonFacts>, rows: &[Option<&Row>]) -> LearnerLine {
    LearnerLine {
        code: person.and_then(|one| some(&one.identifier)),
        name: row.name.clone(),
        sort: row.sort.clone(),
        born: person.and_then(|one| one.born),
        unit: row.unit.clone(),
        fields: person.map(|one| one.fields.clone()).unwrap_or_default(),
        marks: row
            .cells
            .iter()
            .zip(rows)
            .map(|(cell, one)| match (cell.mark, one) {
                (Mark::Outside, _) | (_, None) => None,
                (_, Some(one)) => Some(SessionMark {
                    status: one.stands.status,
                    late: one.stands.late,
                    early: one.stands.early,
                    present_ms: cell.present_ms,
                    adjusted: cell.adjusted,
                }),
            })
            .collect(),
        sessions: row.sessions,
        attended: row.attended,
        present_ms: row.present_ms,
        sessions_permille: row.sessions_permille,
        minutes_permille: row.minutes_permille,
        eligible: row.eligible,
    }
}

fn plan_lines(source: &ClassSource) -> Vec<PlanLine> {
    let planned: Vec<(Planned, Option<&lophoc_ledger::Window>)> = source
        .sessions
        .iter()
        .map(|(session, facts, times)| {
            let first = times.iter().find(|time| time.starts_ms.is_some());
            let now = session.form.starts_ms;
            let from_ms = first.map_or(now, |time| time.starts_ms);
            let plan = Planned {
                session: session.id.clone(),
                from_ms,
                to_ms: first.map_or(session.form.ends_ms, |time| time.ends_ms),
                moved_to_ms: now.filter(|_| now != from_ms),
                cancelled: session.phase == SessionPhase::Cancelled,
            };
            let window = Some(&facts.report.window).filter(|window| window.from_ms.is_some());
            (plan, window)
        })
        .collect();
    let report = plan_versus_actual(&planned, &PlanRules::default(), source.now_ms);
    source
        .sessions
        .iter()
        .zip(report.rows)
        .map(|((session, facts, _), row)| {
            let moved = row
                .planned
                .moved_to_ms
                .map(|to| format!("Dời đến {}", vi::full_time(to, INDOCHINA_OFFSET_MIN)));
            PlanLine {
                no: session.no,
                content: session.form.title.clone(),
                planned: row.planned.from_ms.zip(row.planned.to_ms),
                planned_trainers: planned_trainers(facts, source),
                held: row
                    .from_ms
                    .map(|from| (from, row.to_ms.unwrap_or(source.now_ms))),
                trainers: facts
                    .activity
                    .people
                    .iter()
                    .filter(|one| one.role == "trainer" && one.lesson_ms > 0)
                    .map(|one| one.name.clone())
                    .collect(),
                judgement: judgement(row.state).to_owned(),
                reason: moved,
            }
        })
        .collect()
}

/// Who was to teach: whoever was replaced, in place of who replaces him.
fn planned_trainers(facts: &Facts, source: &ClassSource) -> Vec<String> {
    let name_of = |person: &PersonKey| {
        source
            .sessions
            .iter()
            .flat_map(|(_, facts, _)| &facts.staff)
            .find(|one| one.person == *person)
            .map(|one| one.name.clone())
    };
    facts
        .staff
        .iter()
        .filter(|one| one.role == StaffRole::Trainer)
        .map(|one| {
            one.instead_of
                .as_ref()
                .and_then(name_of)
                .unwrap_or_else(|| one.name.clone())
        })
        .collect()
}

fn judgement(state: PlanState) -> &'static str {
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

/// What trainers and advisers did over sessions.
fn trainer_lines<'a>(sessions: impl Iterator<Item = &'a Facts>) -> Vec<TrainerLine> {
    let mut lines: BTreeMap<(PersonKey, bool), TrainerLine> = BTreeMap::new();
    let role_name = |trainer: bool| {
        if trainer {
            "Người dạy"
        } else {
            "Cố vấn học tập"
        }
    };
    for facts in sessions {
        for one in &facts.staff {
            let trainer = match one.role {
                StaffRole::Trainer => true,
                StaffRole::Adviser => false,
                _ => continue,
            };
            let line = lines.entry((one.person.clone(), trainer)).or_default();
            line.name.clone_from(&one.name);
            role_name(trainer).clone_into(&mut line.role);
            line.unit = some(&one.unit);
            line.assigned += 1;
            if let Some(other) = &one.instead_of {
                let name = facts
                    .staff
                    .iter()
                    .find(|one| one.person == *other)
                    .map(|one| one.name.clone());
                line.note = Some(match name {
                    Some(name) => format!("Thay {name}, buổi {}", facts.session.no),
                    None => format!("Dạy thay buổi {}", facts.session.no),
                });
            }
        }
        for one in &facts.activity.people {
            let role = one.role_given.as_deref().unwrap_or(&one.role);
            let trainer = match role {
                "trainer" => true,
                "adviser" => false,
                _ => continue,
            };
            let line = lines.entry((one.person.clone(), trainer)).or_default();
            if line.name.is_empty() {
                // Came by a link for this role and is on no staff list.
                line.name.clone_from(&one.name);
                role_name(trainer).clone_into(&mut line.role);
                line.unit.clone_from(&one.unit);
            }
            let in_time = match (one.arrival_ms, one.first_in_ms, facts.activity.from_ms) {
                (Some(arrival), ..) => arrival <= 0,
                (None, Some(first), Some(from)) => first <= from,
                _ => false,
            };
            line.taught += u32::from(one.lesson_ms > 0);
            line.punctual += u32::from(one.lesson_ms > 0 && in_time);
            line.live_ms += one.lesson_ms;
            line.talk_ms += one.talk_ms;
            line.screen_ms += one.screen_ms;
            line.invited += one.floors_given + one.asked;
            line.hands += one.answers;
            line.messages += one.chat;
            if one.polls > 0 {
                *line.polls.get_or_insert(0) += one.polls;
            }
            if one.questions_answered > 0 {
                line.questions = Some(line.questions.unwrap_or(0) + one.questions_answered);
            }
            if line.note.is_none()
                && let Some(name) = &one.stood_in_for
            {
                line.note = Some(format!("Thay {name}, buổi {}", facts.session.no));
            }
        }
    }
    lines.into_values().collect()
}
