//! The live desk: attendance while it happens.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{AttendancePage, BadLink, Right};
use lophoc_ledger::{IntervalKind, PersonKey, Report, Row, SessionKey};
use lophoc_records::last_marks;
use utoipa_axum::routes;

use super::attendance::build;
use super::attendance_access::Asked;
use super::attendance_facts::{Facts, Gathered};
use super::error::{ApiFault, Refusal};
use super::extract::At;
use super::{Routes, SignedInRoom};
use crate::app::App;

/// From so many gaps on a link is bad.
const MANY_GAPS: u32 = 3;
/// Whoever lost the link longer ago is no longer waited for, ms.
const LOST_FOR_MS: u64 = 30 * 60 * 1000;
/// Most bad links of an answer.
const MOST_LINKS: usize = 500;

/// The routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(desk))
}

/// The live desk of a session: as the attendance, a second old at most. Who may
/// see numbers only gets numbers only.
#[utoipa::path(get, path = "/sessions/{id}/desk", tag = "attendance",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = AttendancePage), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 429, body = Refusal)))]
async fn desk(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
) -> Result<Json<AttendancePage>, ApiFault> {
    let mono = app.clock.now().mono_ms;
    if !app
        .attendance
        .desk_rate
        .count(signed.person().clone(), mono)
    {
        return Err(ApiFault::rate_limited(None));
    }
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    let grant = asked.grant(Right::SeeAttendance);
    if !grant.any() {
        asked.need_all(Right::SeeCounts)?;
    }
    let gathered = app.gathered(&id).await?;
    asked.not_sent_away(&gathered)?;
    if grant.any() && app.attendance.note_desk(&id, asked.signed.person(), mono) {
        asked.log(&app, "desk", &grant).await?;
    }
    Ok(Json(build(&app, &asked, &gathered, &grant).await?))
}

/// People whose links are in trouble, among the rows shown: `lost` now, or
/// came back several times. Nothing once the session is over.
pub(super) fn bad_links(gathered: &Gathered, shown: &Report, now_ms: u64) -> Vec<BadLink> {
    if gathered.facts.report.ended {
        return Vec::new();
    }
    let mut links: Vec<BadLink> = shown
        .rows
        .iter()
        .filter_map(|row| {
            let (what, value) = match lost_since(row, now_ms) {
                Some(since) => ("lost", since),
                None if row.here && row.gaps >= MANY_GAPS => ("gaps", u64::from(row.gaps)),
                None => return None,
            };
            Some(BadLink {
                person: row.person.clone(),
                name: row.name.clone(),
                unit: row.unit.clone().unwrap_or_default(),
                what: what.to_owned(),
                value,
            })
        })
        .collect();
    // The lost ones first; the many-gapped ones by their number.
    links.sort_by_key(|link| (link.what != "lost", u64::MAX - link.value));
    links.truncate(MOST_LINKS);
    links
}

/// Since when the link is broken: the last presence ended with it.
fn lost_since(row: &Row, now_ms: u64) -> Option<u64> {
    let own = row
        .intervals
        .iter()
        .filter(|interval| interval.kind == IntervalKind::Online);
    let last = own.max_by_key(|interval| (interval.open, interval.to_ms))?;
    let broken = !last.open && matches!(last.end.as_deref(), Some("lapse" | "network"));
    (broken && now_ms.saturating_sub(last.to_ms) <= LOST_FOR_MS).then_some(last.to_ms)
}

/// Connections in the room now.
pub(super) fn connections(report: &Report) -> u32 {
    let open = report
        .rows
        .iter()
        .flat_map(|row| &row.intervals)
        .filter(|interval| interval.open && interval.kind == IntervalKind::Online)
        .count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// People in the room now: those on own connections, and those who sit in halls
/// instead of the connections that stand for these.
pub(super) fn people_now(facts: &Facts) -> u32 {
    if facts.report.ended {
        return 0;
    }
    let rows = &facts.report.rows;
    let mut people: HashSet<&PersonKey> = rows
        .iter()
        .filter(|row| {
            !row.is_site
                && row
                    .intervals
                    .iter()
                    .any(|interval| interval.open && interval.kind == IntervalKind::Online)
        })
        .map(|row| &row.person)
        .collect();
    let connected: HashSet<&PersonKey> = rows
        .iter()
        .filter(|row| row.here)
        .map(|row| &row.person)
        .collect();
    // Whoever sits in a hall with an own connection counts once.
    people.extend(
        last_marks(&facts.hall)
            .into_values()
            .filter(|mark| mark.on)
            .filter(|mark| {
                mark.site
                    .as_ref()
                    .is_none_or(|site| connected.contains(site))
            })
            .map(|mark| &mark.person),
    );
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}
