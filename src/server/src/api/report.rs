//! The report of a unit on its online training (TT 21/2017 Điều 12.2): numbers
//! of the classes that the unit and the units below it host, in a period.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lophoc_classes::{
    Class, ClassId, ClassState, Day, ExportKind, ExportRecord, Grant, ReportLine, ReportPage,
    ReportPeople, ReportPreset, ReportQuery, Session, Unit, UnitId, level_of, may_report,
};
use lophoc_documents::sheets::{AggregateLine, AggregatePeople, AggregateReport, Context, Period};
use lophoc_documents::{Document, Export, vi};
use lophoc_ledger::{INDOCHINA_OFFSET_MIN, PersonKey, Report, SessionKey, fold_name};
use lophoc_records::{Store, StoredExport, UnitQuery};
use utoipa_axum::routes;

use super::attendance_class::summarise;
use super::attendance_facts::{Facts, gather};
use super::error::{ApiFault, Refusal};
use super::exports::{Source, csv_options, drawn, file_response, frozen, new_export, parse};
use super::extract::{Ask, At};
use super::{Routes, Signed};
use crate::app::App;
use crate::clock::wall_ms;

/// What the report is called where it is named without its period.
pub const TITLE: &str = "Báo cáo công tác tập huấn qua mạng";
/// Most classes of one report. Overflow: `tooLarge`.
const MAX_CLASSES: u32 = 5_000;
/// Most sessions of one report. Overflow: `tooLarge`.
const MAX_SESSIONS: usize = 20_000;
/// Longest period, days.
const MAX_DAYS: i64 = 1_830;
/// Units below that are read at once.
const CHUNK: u32 = 500;
/// Learners whose level or unit is not told.
const ELSE: &str = "Khác";

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(preview))
        .routes(routes!(export))
}

/// A period, and the preset it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Day,
    to: Day,
    period: Option<Period>,
}

impl Span {
    fn of(query: &ReportQuery) -> Result<Self, ApiFault> {
        if let Some(preset) = query.preset {
            let period = match preset {
                ReportPreset::YearBegin => Period::YearBegin,
                ReportPreset::MidYear => Period::MidYear,
                ReportPreset::YearEnd => Period::YearEnd,
            };
            if query.from.is_some() || query.to.is_some() {
                return Err(ApiFault::field("preset", "badValue"));
            }
            let year = query
                .year
                .ok_or_else(|| ApiFault::field("year", "required"))?;
            let (from, to) = period
                .days(year)
                .ok_or_else(|| ApiFault::field("year", "badValue"))?;
            return Ok(Self {
                from,
                to,
                period: Some(period),
            });
        }
        let from = query
            .from
            .ok_or_else(|| ApiFault::field("from", "required"))?;
        let to = query.to.ok_or_else(|| ApiFault::field("to", "required"))?;
        let days = to.epoch_days() - from.epoch_days();
        if !(0..=MAX_DAYS).contains(&days) {
            return Err(ApiFault::field("to", "badValue"));
        }
        Ok(Self {
            from,
            to,
            period: None,
        })
    }

    fn holds(&self, day: Day) -> bool {
        self.from <= day && day <= self.to
    }
}

/// Learners of one sort.
#[derive(Debug, Clone, Copy, Default)]
struct Turns {
    invited: u32,
    attended: u32,
    completed: u32,
}

impl Turns {
    fn add(&mut self, other: Self) {
        self.invited = self.invited.saturating_add(other.invited);
        self.attended = self.attended.saturating_add(other.attended);
        self.completed = self.completed.saturating_add(other.completed);
    }

    fn named(self, name: String) -> ReportPeople {
        ReportPeople {
            name,
            invited: self.invited,
            attended: self.attended,
            completed: self.completed,
        }
    }
}

/// Everything the report says.
struct Figures {
    lines: Vec<ReportLine>,
    homes: Vec<ReportPeople>,
    levels: Vec<ReportPeople>,
    classes: Vec<ClassId>,
}

impl Figures {
    fn sum(&self) -> ReportLine {
        let mut sum = ReportLine::default();
        for line in &self.lines {
            sum.classes = sum.classes.saturating_add(line.classes);
            sum.sessions = sum.sessions.saturating_add(line.sessions);
            sum.held_ms = sum.held_ms.saturating_add(line.held_ms);
            sum.invited = sum.invited.saturating_add(line.invited);
            sum.attended = sum.attended.saturating_add(line.attended);
            sum.completed = sum.completed.saturating_add(line.completed);
        }
        sum
    }
}

/// The unit that reports, with those next below it.
struct Tree {
    unit: Unit,
    below: HashMap<UnitId, Unit>,
    /// Units asked for, with the line they are shown in.
    shown: HashMap<UnitId, Option<Unit>>,
}

impl Tree {
    async fn of(store: &Store, unit: Unit) -> Result<Self, ApiFault> {
        let query = UnitQuery {
            parent: Some(unit.id.clone()),
            ..UnitQuery::default()
        };
        let mut below = HashMap::new();
        let mut from = 0;
        loop {
            let (units, total) = store.units(&query, from, CHUNK).await?;
            from = from.saturating_add(CHUNK);
            below.extend(units.into_iter().map(|unit| (unit.id.clone(), unit)));
            if from >= total {
                break;
            }
        }
        Ok(Self {
            unit,
            below,
            shown: HashMap::new(),
        })
    }

    /// The unit next below the reporting one that stands for another; the
    /// reporting unit for itself; `None` for what is not below it.
    async fn line_of(&mut self, store: &Store, unit: &UnitId) -> Result<Option<Unit>, ApiFault> {
        if let Some(known) = self.shown.get(unit) {
            return Ok(known.clone());
        }
        let line = store.line_above(unit).await?;
        let found = if *unit == self.unit.id {
            Some(self.unit.clone())
        } else if let Some(own) = self.below.get(unit) {
            Some(own.clone())
        } else {
            let mut next: Vec<&Unit> = line.iter().filter_map(|id| self.below.get(id)).collect();
            // By either parent: a school is shown under its Sở, not its commune.
            next.sort_by_key(|unit| (unit.kind != lophoc_classes::UnitKind::Department, &unit.id));
            match next.first() {
                Some(unit) => Some((*unit).clone()),
                // Merged into the reporting unit itself.
                None if line.contains(&self.unit.id) => Some(self.unit.clone()),
                None => None,
            }
        };
        self.shown.insert(unit.clone(), found.clone());
        Ok(found)
    }
}

/// A held session of a class with what it says.
struct Held {
    id: SessionKey,
    in_period: bool,
    facts: Facts,
}

/// Attendance of a session: of its latest frozen version, else what stands.
async fn facts_of(store: &Store, session: &Session) -> Result<Facts, ApiFault> {
    let everybody = Grant {
        all: true,
        ..Grant::default()
    };
    match store.latest_version(&session.id).await?.0 {
        0 => Ok(gather(store, &session.id, None).await?.facts),
        no => frozen(store, &session.id, no, &everybody).await,
    }
}

fn day_of(session: &Session) -> Option<Day> {
    let ms = session.began_ms.or(session.form.starts_ms)?;
    vi::day_of(ms, INDOCHINA_OFFSET_MIN)
}

/// Nothing more is taught in the class.
fn is_over(class: &Class) -> bool {
    matches!(
        class.state,
        ClassState::Finished
            | ClassState::Grading
            | ClassState::Published
            | ClassState::MaterialsOpen
            | ClassState::Archived
            | ClassState::Destroyed
    )
}

/// What a class adds: its learners with the unit they are of.
struct OfClass {
    sessions: u32,
    held_ms: u64,
    learners: Vec<(Option<UnitId>, String, Turns)>,
}

fn of_class(class: &Class, held: &[Held], complete: bool) -> OfClass {
    let reports = |some: &dyn Fn(&Held) -> bool| -> Vec<(SessionKey, bool, Report)> {
        held.iter()
            .filter(|one| some(one))
            .map(|one| (one.id.clone(), true, one.facts.report.clone()))
            .collect()
    };
    let inside = reports(&|one| one.in_period);
    let eligible: HashSet<PersonKey> = if complete {
        summarise(class, &reports(&|_| true))
            .rows
            .into_iter()
            .filter(|row| row.eligible)
            .map(|row| row.person)
            .collect()
    } else {
        HashSet::new()
    };
    let mut homes: HashMap<&PersonKey, (Option<UnitId>, &str)> = HashMap::new();
    for one in held {
        for (person, facts) in &one.facts.people {
            homes.insert(person, (facts.unit.clone(), &facts.unit_name));
        }
    }
    let learners = summarise(class, &inside)
        .rows
        .into_iter()
        .map(|row| {
            let (unit, name) = match homes.get(&row.person) {
                Some((unit, name)) => (unit.clone(), (*name).to_owned()),
                None => (None, row.unit.clone().unwrap_or_default()),
            };
            let turns = Turns {
                invited: 1,
                attended: u32::from(row.present > 0),
                completed: u32::from(eligible.contains(&row.person)),
            };
            (unit, name, turns)
        })
        .collect();
    OfClass {
        sessions: u32::try_from(inside.len()).unwrap_or(u32::MAX),
        held_ms: inside
            .iter()
            .map(|(_, _, report)| report.window.counted_ms)
            .sum(),
        learners,
    }
}

/// Gathers the numbers. They depend on the records and the period alone.
async fn figures(store: &Store, unit: &Unit, span: Span) -> Result<Figures, ApiFault> {
    let classes = store.classes_hosted(&unit.id, MAX_CLASSES + 1).await?;
    if classes.len() > MAX_CLASSES as usize {
        return Err(ApiFault::too_large());
    }
    let mut tree = Tree::of(store, unit.clone()).await?;
    let mut lines: BTreeMap<UnitId, ReportLine> = BTreeMap::new();
    let mut homes: HashMap<String, Turns> = HashMap::new();
    let mut levels: HashMap<String, Turns> = HashMap::new();
    let mut level_of_unit: HashMap<UnitId, Option<String>> = HashMap::new();
    let mut counted = Vec::new();
    let mut read = 0_usize;
    for class in classes {
        let mut sessions: Vec<(Session, Day)> = store
            .lessons(&class.id)
            .await?
            .into_iter()
            .filter(|session| session.phase.is_held() && session.form.counts)
            .filter_map(|session| day_of(&session).map(|day| (session, day)))
            .collect();
        let last = sessions.iter().map(|(_, day)| *day).max();
        sessions.retain(|(_, day)| *day <= span.to);
        if !sessions.iter().any(|(_, day)| span.holds(*day)) {
            continue;
        }
        read = read.saturating_add(sessions.len());
        if read > MAX_SESSIONS {
            return Err(ApiFault::too_large());
        }
        let mut held = Vec::with_capacity(sessions.len());
        for (session, day) in sessions {
            held.push(Held {
                in_period: span.holds(day),
                facts: facts_of(store, &session).await?,
                id: session.id,
            });
        }
        let complete = is_over(&class) && last.is_some_and(|day| span.holds(day));
        let id = class.id.clone();
        let host = class.plan.host.clone().unwrap_or_else(|| unit.id.clone());
        let one = tokio::task::spawn_blocking(move || of_class(&class, &held, complete))
            .await
            .map_err(|_| ApiFault::internal())?;
        counted.push(id);
        let shown = tree
            .line_of(store, &host)
            .await?
            .unwrap_or_else(|| unit.clone());
        let line = lines.entry(shown.id.clone()).or_insert_with(|| ReportLine {
            id: Some(shown.id.clone()),
            level: shown.level(),
            code: shown.sector_code.clone().or(shown.area_code.clone()),
            unit: shown.name.clone(),
            ..ReportLine::default()
        });
        line.classes = line.classes.saturating_add(1);
        line.sessions = line.sessions.saturating_add(one.sessions);
        line.held_ms = line.held_ms.saturating_add(one.held_ms);
        for (home, name, turns) in one.learners {
            line.invited = line.invited.saturating_add(turns.invited);
            line.attended = line.attended.saturating_add(turns.attended);
            line.completed = line.completed.saturating_add(turns.completed);
            let (of, level) = match home {
                Some(home) => {
                    let level = match level_of_unit.get(&home) {
                        Some(level) => level.clone(),
                        None => {
                            let level = store.unit(&home).await?.and_then(|unit| unit.level());
                            level_of_unit.insert(home.clone(), level.clone());
                            level
                        }
                    };
                    let of = tree.line_of(store, &home).await?;
                    (of.map(|unit| unit.name), level)
                }
                None => (None, level_of(&name)),
            };
            let of = of.unwrap_or_else(|| ELSE.to_owned());
            homes.entry(of).or_default().add(turns);
            let level = level.unwrap_or_else(|| ELSE.to_owned());
            levels.entry(level).or_default().add(turns);
        }
    }
    let mut lines: Vec<ReportLine> = lines.into_values().collect();
    lines.sort_by_cached_key(|line| {
        let own = line.id.as_ref() == Some(&unit.id);
        (!own, fold_name(&line.unit), line.unit.clone())
    });
    Ok(Figures {
        lines,
        homes: in_order(homes),
        levels: in_order(levels),
        classes: counted,
    })
}

/// By name; what is not told comes last.
fn in_order(all: HashMap<String, Turns>) -> Vec<ReportPeople> {
    let mut all: Vec<ReportPeople> = all
        .into_iter()
        .map(|(name, turns)| turns.named(name))
        .collect();
    all.sort_by_cached_key(|one| (one.name == ELSE, fold_name(&one.name), one.name.clone()));
    all
}

async fn document(
    store: &Store,
    unit: &Unit,
    span: Span,
    export: Export,
) -> Result<(Document, Vec<ClassId>), ApiFault> {
    let figures = figures(store, unit, span).await?;
    let (parent_unit, place) = store.letterhead(&unit.id).await?;
    let context = Context {
        parent_unit,
        unit: unit.name.clone(),
        place,
        day: None,
        number: None,
        recipients: Vec::new(),
        class_title: String::new(),
        class_code: String::new(),
        class_fields: Vec::new(),
        people_fields: Vec::new(),
        plan: None,
        signatures: Vec::new(),
        export,
        offset_min: INDOCHINA_OFFSET_MIN,
    };
    let lines: Vec<AggregateLine> = figures
        .lines
        .iter()
        .map(|line| AggregateLine {
            unit: line.unit.clone(),
            code: line.code.clone(),
            level: line.level.clone(),
            classes: line.classes,
            sessions: line.sessions,
            held_ms: line.held_ms,
            invited: line.invited,
            attended: line.attended,
            completed: line.completed,
        })
        .collect();
    let people = |some: &[ReportPeople]| -> Vec<AggregatePeople> {
        some.iter()
            .map(|one| AggregatePeople {
                name: one.name.clone(),
                invited: one.invited,
                attended: one.attended,
                completed: one.completed,
            })
            .collect()
    };
    let document = AggregateReport {
        context: &context,
        from: span.from,
        to: span.to,
        period: span.period,
        lines: &lines,
        homes: &people(&figures.homes),
        levels: &people(&figures.levels),
    }
    .build();
    Ok((document, figures.classes))
}

/// Whether a report that was made would say the same now.
///
/// # Errors
/// The store's.
pub async fn is_current(source: Source<'_>, stored: &StoredExport) -> Result<bool, ApiFault> {
    let store = source.store();
    let query: ReportQuery =
        serde_json::from_str(&stored.query).map_err(|_| ApiFault::internal())?;
    let id = UnitId(stored.record.unit.clone().unwrap_or_default());
    let unit = store.unit(&id).await?.ok_or_else(ApiFault::internal)?;
    let export = Export {
        id: stored.record.id.clone(),
        made_ms: stored.record.made_ms,
        version: None,
        check_at: None,
    };
    let (document, _) = document(store, &unit, Span::of(&query)?, export).await?;
    let sealed = tokio::task::spawn_blocking(move || document.seal())
        .await
        .map_err(|_| ApiFault::internal())?
        .map_err(|_| ApiFault::internal())?;
    Ok(sealed.data_sha256() == stored.record.data_sha256)
}

/// The unit, when the asker may report on it.
async fn allowed(app: &App, signed: &Signed, id: &UnitId) -> Result<Unit, ApiFault> {
    let line: BTreeSet<UnitId> = app.store.line_above(id).await?;
    let unit = app.store.unit(id).await?.ok_or_else(ApiFault::not_found)?;
    if !may_report(&signed.actor, &line) {
        return Err(ApiFault::forbidden());
    }
    let mono = app.clock.now().mono_ms;
    if !app
        .attendance
        .export_rate
        .count(signed.person().clone(), mono)
    {
        return Err(ApiFault::rate_limited(None));
    }
    Ok(unit)
}

async fn log(app: &App, signed: &Signed, classes: &[ClassId]) -> Result<(), ApiFault> {
    app.store
        .log_report(wall_ms(), signed.person(), &signed.name(), classes)
        .await?;
    Ok(())
}

/// The numbers of a unit's report, and the reports that were taken out.
#[utoipa::path(get, path = "/units/{id}/report", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Unit"),
        ("preset" = Option<String>, Query, description = "yearBegin (to 30/9), midYear (to 30/01), yearEnd (to 15/6), from 16 June on"),
        ("year" = Option<u16>, Query, description = "First year of the school year, with a preset"),
        ("from" = Option<String>, Query, description = "First day, without a preset"),
        ("to" = Option<String>, Query, description = "Last day, without a preset")),
    responses((status = 200, body = ReportPage), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn preview(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<UnitId>,
    Ask(query): Ask<ReportQuery>,
) -> Result<Json<ReportPage>, ApiFault> {
    let span = Span::of(&query)?;
    let unit = allowed(&app, &signed, &id).await?;
    let _place = app.attendance.heavy().await?;
    let figures = figures(&app.store, &unit, span).await?;
    log(&app, &signed, &figures.classes).await?;
    let exports = app.store.exports_of_unit(&id).await?;
    Ok(Json(ReportPage {
        sum: figures.sum(),
        unit: unit.id,
        name: unit.name,
        from: span.from,
        to: span.to,
        lines: figures.lines,
        homes: figures.homes,
        levels: figures.levels,
        exports: exports.into_iter().map(|one| one.record).collect(),
    }))
}

/// Take the report of a unit out as a file: `aggregate.xlsx`, `aggregate.pdf`, …
#[utoipa::path(get, path = "/units/{id}/exports/{file}", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Unit"),
        ("file" = String, Path, description = "aggregate.{format}"),
        ("preset" = Option<String>, Query, description = "yearBegin (to 30/9), midYear (to 30/01), yearEnd (to 15/6), from 16 June on"),
        ("year" = Option<u16>, Query, description = "First year of the school year, with a preset"),
        ("from" = Option<String>, Query, description = "First day, without a preset"),
        ("to" = Option<String>, Query, description = "Last day, without a preset"),
        ("delimiter" = Option<String>, Query, description = "CSV: comma, semicolon, tab"),
        ("asText" = Option<bool>, Query, description = "CSV: identifiers as =\"…\"")),
    responses((status = 200, content_type = "application/octet-stream", description = "The file"),
        (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn export(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    signed: Signed,
    At((id, file)): At<(UnitId, String)>,
    Ask(query): Ask<ReportQuery>,
) -> Result<Response, ApiFault> {
    let (kind, format) = parse(&file, &[ExportKind::Aggregate])?;
    let span = Span::of(&query)?;
    let options = csv_options(query.delimiter.as_deref(), query.as_text)?;
    let unit = allowed(&app, &signed, &id).await?;
    let _place = app.attendance.heavy().await?;
    let made = new_export(&app, &headers, 0)?;
    let (made_id, made_ms) = (made.id.clone(), made.made_ms);
    let (document, classes) = document(&app.store, &unit, span, made).await?;
    let (sealed, bytes, file_sha256) = drawn(document, format, options).await?;
    let stored = StoredExport {
        record: ExportRecord {
            id: made_id,
            kind,
            format,
            class: None,
            unit: Some(unit.id.0.clone()),
            session: None,
            version: 0,
            data_sha256: sealed.data_sha256().to_owned(),
            file_sha256,
            file_len: bytes.len() as u64,
            by: signed.name(),
            made_ms,
        },
        by: signed.person().clone(),
        query: serde_json::to_string(&query).map_err(|_| ApiFault::internal())?,
        extent: "{}".to_owned(),
    };
    // Before a byte leaves: an export nobody can verify must not exist.
    app.store.add_export(&stored, sealed.canonical()).await?;
    log(&app, &signed, &classes).await?;
    let name = format!("{TITLE} - {} - {} - {}", unit.name, span.from, span.to);
    Ok(file_response(bytes, format, &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_preset_with_its_year_or_two_days() {
        let day = |text: &str| Some(text.parse::<Day>().unwrap());
        let preset = |preset, year| ReportQuery {
            preset: Some(preset),
            year,
            ..ReportQuery::default()
        };
        let days = |from, to| ReportQuery {
            from,
            to,
            ..ReportQuery::default()
        };
        for (query, from, to) in [
            (
                preset(ReportPreset::YearBegin, Some(2026)),
                "2026-06-16",
                "2026-09-30",
            ),
            (
                preset(ReportPreset::MidYear, Some(2026)),
                "2026-06-16",
                "2027-01-30",
            ),
            (
                preset(ReportPreset::YearEnd, Some(2026)),
                "2026-06-16",
                "2027-06-15",
            ),
            (
                days(day("2026-01-01"), day("2026-01-01")),
                "2026-01-01",
                "2026-01-01",
            ),
        ] {
            let span = Span::of(&query).unwrap();
            assert_eq!((Some(span.from), Some(span.to)), (day(from), day(to)));
        }
        for query in [
            ReportQuery::default(),
            preset(ReportPreset::YearEnd, None),
            preset(ReportPreset::YearEnd, Some(u16::MAX)),
            days(day("2026-01-02"), day("2026-01-01")),
            days(day("2020-01-01"), day("2026-01-01")),
            ReportQuery {
                from: day("2026-01-01"),
                ..preset(ReportPreset::YearEnd, Some(2026))
            },
        ] {
            assert!(Span::of(&query).is_err(), "{query:?}");
        }
    }
}
