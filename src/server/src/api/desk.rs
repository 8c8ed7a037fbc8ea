//! The live desk: attendance while it happens.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{AttendancePage, BadLink, Right};
use lophoc_ledger::{IntervalKind, PersonKey, Report, Row, SessionKey};
use lophoc_protocol::media::RungReason;
use lophoc_records::last_marks;
use lophoc_transport::PeerQuality;
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
/// An estimate below this is a weak link, kbit/s.
const WEAK_KBPS: u32 = 150;
/// Loss from which on a link is weak, per mille.
const WEAK_LOSS_PERMILLE: u16 = 80;
/// Round-trip time from which on a link is weak, ms.
const WEAK_RTT_MS: u32 = 800;
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

/// Too little for sound and a small camera, with something to spare.
fn is_weak(quality: PeerQuality) -> bool {
    quality.kbps < WEAK_KBPS
        || quality
            .loss_permille
            .is_some_and(|loss| loss >= WEAK_LOSS_PERMILLE)
        || quality.rtt_ms.is_some_and(|rtt| rtt >= WEAK_RTT_MS)
}

/// Who has a weak connection now, with its estimate, kbit/s. A room that is not
/// in memory has nobody in it.
pub(super) async fn weak_links(app: &App, room: &str) -> HashMap<PersonKey, u32> {
    let Some(desk) = app.rooms.snapshot(room).await else {
        return HashMap::new();
    };
    desk.people()
        .filter_map(|(person, quality)| {
            let held_back = person.rung.is_some_and(|on| on.why == RungReason::Link);
            let quality = quality.filter(|quality| held_back || is_weak(*quality))?;
            Some((PersonKey(person.person.0.clone()), quality.kbps))
        })
        .collect()
}

/// People whose links are in trouble, among the rows shown: `lost` now, or
/// came back several times, or `weak`. Nothing once the session is over.
pub(super) fn bad_links(
    gathered: &Gathered,
    shown: &Report,
    weak: &HashMap<PersonKey, u32>,
    now_ms: u64,
) -> Vec<BadLink> {
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
                None if row.here => ("weak", u64::from(*weak.get(&row.person)?)),
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
    // The lost ones first, the newest of them on top; then the many-gapped ones by
    // their number; then the weak ones, the weakest first.
    links.sort_by_key(|link| match link.what.as_str() {
        "lost" => (0, u64::MAX - link.value),
        "gaps" => (1, u64::MAX - link.value),
        _ => (2, link.value),
    });
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
