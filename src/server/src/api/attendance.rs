//! Attendance of a session: the page, corrections, excuses, substitutes,
//! freezing; own times.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use lophoc_classes::{
    AttendancePage, Delegate, Excuse, FreezeRequest, Frozen, Grant, MyRow, NewAdjustment,
    PersonNote, Right, SessionPhase, Site, StepRefused, UnitLine,
};
use lophoc_documents::{sha256_hex, vi};
use lophoc_ledger::{Change, Outcome, PersonKey, Report, SessionKey, Status, UnitTotals, by_unit};
use lophoc_records::{NewCorrection, NewVersion};
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::attendance_facts::{Facts, Gathered};
use super::error::{ApiFault, Refusal};
use super::extract::{At, Body};
use super::text::{Fields, clean};
use super::{Routes, Signed, SignedInRoom, attendance_class, check, desk, hall};
use crate::app::App;
use crate::clock::wall_ms;

/// Most people of one correction, entries of one list of excuses or substitutes.
const MOST: usize = 500;
/// Shortest reason, characters.
const REASON_MIN: usize = 3;
/// Longest reason, characters.
const REASON: usize = 500;
/// Longest name or post of a substitute, characters.
const NAME: usize = 200;
/// Largest body: 500 entries of the longest texts.
const BODY: usize = 1024 * 1024;

/// The routes.
pub fn routes() -> Routes {
    let lists = Routes::new()
        .routes(routes!(adjust))
        .routes(routes!(excuse))
        .routes(routes!(delegate))
        .layer(DefaultBodyLimit::max(BODY));
    Routes::new()
        .routes(routes!(page))
        .routes(routes!(freeze))
        .merge(lists)
        .merge(desk::routes())
        .merge(hall::routes())
        .merge(attendance_class::routes())
}

/// Attendance of a session, of the people the asker may see.
#[utoipa::path(get, path = "/sessions/{id}/attendance", tag = "attendance",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = AttendancePage), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn page(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
) -> Result<Json<AttendancePage>, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need(Right::SeeAttendance)?;
    let gathered = app.gathered(&id).await?;
    asked.not_sent_away(&gathered)?;
    asked.log(&app, "view", &grant).await?;
    Ok(Json(build(&app, &asked, &gathered, &grant).await?))
}

/// The page for somebody whose right to see names is `grant`; empty: numbers only.
pub(super) async fn build(
    app: &App,
    asked: &Asked,
    gathered: &Gathered,
    grant: &Grant,
) -> Result<AttendancePage, ApiFault> {
    let id = &gathered.session.id;
    let Facts {
        mut report,
        adjustments,
        delegates,
        people,
        ..
    } = gathered.cut(grant);
    let mut units = lines(&by_unit(&report.rows));
    if !grant.any() && asked.grant(Right::SeeCounts).all {
        report.totals = gathered.facts.report.totals;
        units = lines(&by_unit(&gathered.facts.report.rows));
    }
    let versions = app.store.versions(id).await?;
    let changed_since = match versions.last() {
        None => false,
        Some(last) => app
            .store
            .version(id, last.no)
            .await?
            .is_none_or(|version| version.stands != gathered.stands),
    };
    let phones = asked.grant(Right::SeeRoster);
    let substitutes: BTreeMap<&PersonKey, &str> = delegates
        .iter()
        .map(|delegate| (&delegate.invited, delegate.name.as_str()))
        .collect();
    let notes = people
        .iter()
        .map(|(person, facts)| {
            let phone = gathered
                .phones
                .get(person)
                .filter(|_| gathered.reaches(&phones, person));
            let note = PersonNote {
                identifier: facts.identifier.clone(),
                position: facts.position.clone(),
                phone: phone.cloned().unwrap_or_default(),
                substitute: substitutes
                    .get(person)
                    .map(|name| (*name).to_owned())
                    .unwrap_or_default(),
                site: facts.site,
            };
            (person.0.clone(), note)
        })
        .collect();
    let shown: HashSet<&PersonKey> = report.rows.iter().map(|row| &row.person).collect();
    let sites: Vec<Site> = hall::sites(gathered)
        .into_iter()
        .filter(|site| grant.all || site.site.as_ref().is_some_and(|site| shown.contains(site)))
        .collect();
    let weak = match gathered.facts.report.ended {
        true => HashMap::new(),
        false => desk::weak_links(app, &gathered.session.room).await,
    };
    let links = desk::bad_links(gathered, &report, &weak, app.stamp().wall_ms);
    let preflight = check::of_sites(app, asked, gathered).await?;
    Ok(AttendancePage {
        class: gathered.class.clone(),
        session: gathered.session.clone(),
        people: notes,
        units,
        sites,
        preflight,
        adjustments,
        versions,
        changed_since,
        delegates,
        recordings: gathered.facts.recordings.clone(),
        links,
        connections: desk::connections(&gathered.facts.report),
        people_now: desk::people_now(&gathered.facts),
        rights: asked.rights(),
        now_ms: wall_ms(),
        report,
    })
}

/// Sums by unit, as the pages show them.
pub(super) fn lines(units: &[UnitTotals]) -> Vec<UnitLine> {
    units
        .iter()
        .map(|unit| UnitLine {
            unit: unit.unit.clone().unwrap_or_default(),
            expected: unit.totals.expected,
            present: unit.totals.present,
            late: unit.totals.late,
            absent: unit.totals.excused + unit.totals.absent + unit.totals.not_taken,
            permille: unit.totals.mean_permille,
        })
        .collect()
}

/// Correct rows of the sheet. Automatic values stay beside what is set.
#[utoipa::path(post, path = "/sessions/{id}/adjustments", tag = "attendance",
    security(("cookie" = []), ("token" = [])), request_body = NewAdjustment,
    params(("id" = String, Path, description = "Session")),
    responses((status = 204), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 409, body = Refusal, description = "refused: the session has not begun")))]
async fn adjust(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut new): Body<NewAdjustment>,
) -> Result<StatusCode, ApiFault> {
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need(Right::CorrectAttendance)?;
    let mut fields = Fields::default();
    reason(&mut fields, &mut new.reason);
    if let Some(evidence) = &mut new.evidence {
        fields.text("evidence", evidence, REASON);
    }
    let people: BTreeSet<PersonKey> = new.people.iter().cloned().collect();
    if people.is_empty() {
        fields.wrong("people", "required");
    }
    if new.people.len() > MOST {
        fields.wrong("people", "tooLong");
    }
    if matches!(
        new.change,
        Change::Status {
            to: Status::NotTaken
        }
    ) {
        fields.wrong("change", "badValue");
    }
    fields.done()?;
    let due = session.form.starts_ms.is_none_or(|at| at <= wall_ms());
    if session.phase == SessionPhase::Cancelled || (session.began_ms.is_none() && !due) {
        return Err(ApiFault::refused(None));
    }
    let gathered = app.gathered_now(&id).await?;
    let report = &gathered.facts.report;
    if let Change::Present { to_ms } = new.change
        && to_ms > report.window.counted_ms
    {
        return Err(ApiFault::field("change", "badValue"));
    }
    let mut corrections = Vec::with_capacity(people.len());
    for person in people {
        let row = report
            .rows
            .iter()
            .find(|row| row.person == person && !row.is_site)
            .ok_or_else(|| ApiFault::field("people", "unknown"))?;
        if !gathered.reaches(&grant, &person) {
            return Err(ApiFault::forbidden());
        }
        corrections.push(NewCorrection {
            was: was(&new.change, &row.stands),
            person,
        });
    }
    let evidence = new.evidence.as_deref().filter(|text| !text.is_empty());
    // Written down first: a correction nobody knows the hand of must not be.
    asked.log(&app, "adjust", &grant).await?;
    app.store
        .add_adjustments(
            &id,
            &new.change,
            &corrections,
            &new.reason,
            evidence,
            &asked.author(),
        )
        .await?;
    app.attendance.forget(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What a correction changes, in the words of the sheet.
fn was(change: &Change, stands: &Outcome) -> String {
    let minutes = || format!("{} phút", vi::minutes(stands.present_ms));
    match change {
        Change::Status { .. } => status_name(stands.status).to_owned(),
        Change::Present { .. } => minutes(),
        Change::Late { .. } if stands.late => "Đi muộn".to_owned(),
        Change::Late { .. } => "Không đi muộn".to_owned(),
        Change::Early { .. } if stands.early => "Về sớm".to_owned(),
        Change::Early { .. } => "Không về sớm".to_owned(),
        Change::Clear => {
            let mut all = format!("{}, {}", status_name(stands.status), minutes());
            if stands.late {
                all.push_str(", đi muộn");
            }
            if stands.early {
                all.push_str(", về sớm");
            }
            all
        }
    }
}

/// A status as the sheet names it.
pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::NotTaken => "Chưa điểm danh",
        Status::Online => "Có mặt trực tuyến",
        Status::AtSite => "Có mặt tại điểm cầu",
        Status::InPerson => "Có mặt trực tiếp",
        Status::Excused => "Vắng có phép",
        Status::Absent => "Vắng không phép",
    }
}

fn reason(fields: &mut Fields, text: &mut String) {
    fields.required("reason", text, REASON);
    if text.chars().count() < REASON_MIN {
        fields.wrong("reason", "required");
    }
}

/// Excuse absences (vắng có phép), before the session or after; an empty reason
/// takes an excuse back.
#[utoipa::path(post, path = "/sessions/{id}/excuses", tag = "attendance",
    security(("cookie" = []), ("token" = [])), request_body = Vec<Excuse>,
    params(("id" = String, Path, description = "Session")),
    responses((status = 204), (status = 400, body = Refusal), (status = 403, body = Refusal)))]
async fn excuse(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut excuses): Body<Vec<Excuse>>,
) -> Result<StatusCode, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need(Right::CorrectAttendance)?;
    let mut fields = Fields::default();
    if excuses.is_empty() {
        fields.wrong("excuses", "required");
    }
    if excuses.len() > MOST {
        fields.wrong("excuses", "tooLong");
    }
    for (at, excuse) in excuses.iter_mut().take(MOST).enumerate() {
        let field = format!("{at}.reason");
        fields.text(&field, &mut excuse.reason, REASON);
        if (1..REASON_MIN).contains(&excuse.reason.chars().count()) {
            fields.wrong(&field, "badValue");
        }
    }
    fields.done()?;
    let gathered = app.gathered(&id).await?;
    let people = excuses.iter().map(|excuse| &excuse.person);
    on_roster(&gathered, &grant, people)?;
    asked.log(&app, "excuse", &grant).await?;
    app.store
        .add_excuses(&id, &excuses, &asked.author())
        .await?;
    app.attendance.forget(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Name substitutes (dự thay): both names are kept. An empty name takes a
/// substitution back.
#[utoipa::path(post, path = "/sessions/{id}/delegates", tag = "attendance",
    security(("cookie" = []), ("token" = [])), request_body = Vec<Delegate>,
    params(("id" = String, Path, description = "Session")),
    responses((status = 204), (status = 400, body = Refusal), (status = 403, body = Refusal)))]
async fn delegate(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut delegates): Body<Vec<Delegate>>,
) -> Result<StatusCode, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need(Right::CorrectAttendance)?;
    let mut fields = Fields::default();
    if delegates.is_empty() {
        fields.wrong("delegates", "required");
    }
    if delegates.len() > MOST {
        fields.wrong("delegates", "tooLong");
    }
    for (at, one) in delegates.iter_mut().take(MOST).enumerate() {
        fields.text(&format!("{at}.name"), &mut one.name, NAME);
        fields.text(&format!("{at}.position"), &mut one.position, NAME);
        fields.text(&format!("{at}.reference"), &mut one.reference, NAME);
    }
    fields.done()?;
    let gathered = app.gathered(&id).await?;
    let people = delegates.iter().map(|one| &one.invited);
    on_roster(&gathered, &grant, people)?;
    asked.log(&app, "delegate", &grant).await?;
    app.store
        .add_delegates(&id, &delegates, &asked.author())
        .await?;
    app.attendance.forget(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// All of them are on the roster and within the grant.
fn on_roster<'a>(
    gathered: &Gathered,
    grant: &Grant,
    people: impl Iterator<Item = &'a PersonKey>,
) -> Result<(), ApiFault> {
    for (at, person) in people.enumerate() {
        let known = gathered.facts.people.get(person);
        if known.is_none_or(|known| known.site) {
            return Err(ApiFault::field(format!("{at}.person"), "unknown"));
        }
        if !gathered.reaches(grant, person) {
            return Err(ApiFault::forbidden());
        }
    }
    Ok(())
}

/// Freeze a numbered version (chốt điểm danh). The session must be over; from
/// the second version on a reason is needed.
#[utoipa::path(post, path = "/sessions/{id}/freeze", tag = "attendance",
    security(("cookie" = []), ("token" = [])), request_body = FreezeRequest,
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = Frozen), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 409, body = Refusal, description = "refused: the session is not over; conflict: another version came meanwhile")))]
async fn freeze(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut request): Body<FreezeRequest>,
) -> Result<Json<Frozen>, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let grant = asked.need_all(Right::Freeze)?;
    let (last, _) = app.store.latest_version(&id).await?;
    let mut fields = Fields::default();
    if last > 0 {
        reason(&mut fields, &mut request.reason);
    } else {
        fields.text("reason", &mut request.reason, REASON);
    }
    fields.done()?;
    let gathered = app.gathered_now(&id).await?;
    let over = matches!(
        gathered.session.phase,
        SessionPhase::Ended | SessionPhase::Frozen | SessionPhase::Exported
    );
    if !over || !gathered.facts.report.ended {
        return Err(ApiFault::refused(Some(StepRefused::SessionOpen)));
    }
    let copy = Arc::clone(&gathered);
    let (body, sha256) = tokio::task::spawn_blocking(move || {
        let body = serde_json::to_string(&copy.facts)?;
        let sha256 = sha256_hex(body.as_bytes());
        Ok::<_, serde_json::Error>((body, sha256))
    })
    .await
    .ok()
    .and_then(Result::ok)
    .ok_or_else(ApiFault::internal)?;
    asked.log(&app, "freeze", &grant).await?;
    let version = NewVersion {
        body,
        stands: gathered.stands.clone(),
        sha256,
        reason: request.reason,
    };
    let frozen = app
        .store
        .add_version(&id, last, &version, &asked.author())
        .await?
        .ok_or_else(ApiFault::conflict)?;
    tracing::info!(session = %id, version = frozen.no, "attendance frozen");
    app.attendance.forget(&id).await;
    Ok(Json(frozen))
}

/// A person's own times in a session, for *Lớp của tôi*. `None`: the session
/// has not begun, or he is neither on the roster nor was in. Everybody may see
/// his own record.
///
/// # Errors
/// `notFound`, the store's.
pub async fn own_row(
    app: &App,
    session: &SessionKey,
    person: &PersonKey,
) -> Result<Option<MyRow>, ApiFault> {
    let gathered = app.gathered_lately(session).await?;
    let report: &Report = &gathered.facts.report;
    if report.window.from_ms.is_none() {
        return Ok(None);
    }
    Ok(report
        .rows
        .iter()
        .find(|row| row.person == *person)
        .map(|row| MyRow {
            status: row.stands.status,
            present_ms: row.stands.present_ms,
            permille: row.stands.permille,
            intervals: row
                .intervals
                .iter()
                .map(|interval| (interval.from_ms, interval.to_ms))
                .collect(),
            window: report.window.clone(),
            adjusted: !row.adjusted.is_empty(),
        }))
}

/// Brings a search text into the form names are compared in.
pub(super) fn folded(text: &str) -> String {
    lophoc_ledger::fold_name(&clean(text))
}
