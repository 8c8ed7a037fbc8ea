//! The technicians' console of a session: who is on duty, the sites as they are,
//! what is done to them, and the incident log (TT 21/2017 Điều 10.3).

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{
    ConsolePage, DutyEntry, Incident, IncidentState, MAX_DUTY, NewIncident, NewIncidentEntry,
    RecorderAlarm, RecorderLine, RecorderState, RecorderTrouble, Right, SiteAct, SiteActForm,
    SiteLine, SiteLinkState, StaffRole,
};
use lophoc_ledger::{Event, EventKind, NameOrder, PersonKey, SessionKey, name_key_in};
use lophoc_protocol::limits::RECORD_ALARMS;
use lophoc_protocol::people::LinkState;
use lophoc_protocol::recording::{RecordState, RecordTrouble, RecordedBy};
use lophoc_protocol::{ErrorCode, MediaKind, PersonId};
use lophoc_room::OutsideAct;
use lophoc_room::text::{BadText, clean_text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::attendance_facts::staff_in;
use super::error::{ApiFault, Refusal};
use super::extract::{At, Body};
use super::text::Fields;
use super::{Routes, SignedInRoom};
use crate::app::App;
use crate::clock::wall_ms;
use crate::room::Desk;

/// Longest name of a site or person, characters.
const SUBJECT: usize = 120;
/// Longest words of an entry, characters.
const WORDS: usize = 1_000;
/// News of recordings that are read for their alarms.
const NEWS: u32 = 200;
/// Longest name, phone and note of somebody on duty, characters.
const DUTY: (usize, usize, usize) = (80, 40, 200);

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(console))
        .routes(routes!(set_duty))
        .routes(routes!(add))
        .routes(routes!(add_entry))
        .routes(routes!(act))
}

/// A duty roster to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DutyForm {
    /// Version as last seen.
    version: u32,
    /// Who is on duty, at most 30.
    list: Vec<DutyEntry>,
}

/// A duty roster that was written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DutyWritten {
    /// Its version.
    version: u32,
}

/// The console of a session, as it is now.
#[utoipa::path(get, path = "/sessions/{id}/console", tag = "console",
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = ConsolePage), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 429, body = Refusal)))]
async fn console(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
) -> Result<Json<ConsolePage>, ApiFault> {
    let mono = app.clock.now().mono_ms;
    if !app
        .attendance
        .desk_rate
        .count(signed.person().clone(), mono)
    {
        return Err(ApiFault::rate_limited(None));
    }
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    asked.need_all(Right::KeepIncidents)?;
    let class = app
        .store
        .class(&session.class)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    let staff = staff_in(&app.store.staff(&class.id).await?, &id);
    let technicians = staff
        .into_iter()
        .filter(|one| one.role == StaffRole::Technician)
        .map(|one| one.name)
        .collect();
    let (duty_version, duty) = app.store.duty(&id).await?;
    let mut incidents = app.store.incidents(&id).await?;
    incidents.reverse();
    let me = asked.signed.person();
    let desk = app.rooms.snapshot(&session.room).await;
    let in_room = desk.as_ref().is_some_and(|desk| {
        desk.people()
            .any(|(one, _)| one.person.0 == me.0 && one.link == LinkState::Ok)
    });
    Ok(Json(ConsolePage {
        class_title: class.plan.title,
        duty,
        duty_version,
        technicians,
        sites: sites(&app, &session).await?,
        incidents,
        overload: app.media.overload().number(),
        recorder: recorder(&app, &id, desk.as_deref()).await?,
        in_room,
        rights: asked.rights(),
        now_ms: wall_ms(),
        session,
    }))
}

/// The recorder as the room has it. Of a room that is not in memory nothing is
/// recorded; what went wrong before is in its ledger.
async fn recorder(
    app: &App,
    session: &SessionKey,
    desk: Option<&Desk>,
) -> Result<RecorderLine, ApiFault> {
    let Some(desk) = desk else {
        let news = app.store.recording_news(session, NEWS).await?;
        let mut alarms: Vec<RecorderAlarm> = news.iter().filter_map(alarm_of).collect();
        alarms.drain(..alarms.len().saturating_sub(RECORD_ALARMS));
        return Ok(RecorderLine {
            state: RecorderState::Off,
            since_ms: None,
            unable: None,
            alarms,
        });
    };
    let now = desk.room.info.recording.as_ref();
    let alarms = desk.room.alarms.iter().map(|alarm| RecorderAlarm {
        at: alarm.at,
        what: trouble_of(alarm.what),
        from: alarm.from,
        to: alarm.to,
        left: alarm.left,
    });
    Ok(RecorderLine {
        state: now.map_or(RecorderState::Off, |now| match (now.by, now.state) {
            (RecordedBy::External, _) => RecorderState::External,
            (RecordedBy::Server, RecordState::Starting) => RecorderState::Starting,
            (RecordedBy::Server, RecordState::On) => RecorderState::On,
            (RecordedBy::Server, RecordState::Paused) => RecorderState::Paused,
            (RecordedBy::Server, RecordState::Failed) => RecorderState::Failed,
        }),
        since_ms: now.map(|now| now.since),
        unable: desk.room.unable.map(trouble_of),
        alarms: alarms.collect(),
    })
}

fn trouble_of(what: RecordTrouble) -> RecorderTrouble {
    match what {
        RecordTrouble::NoRecorder => RecorderTrouble::NoRecorder,
        RecordTrouble::Failed => RecorderTrouble::Failed,
        RecordTrouble::Gap => RecorderTrouble::Gap,
        RecordTrouble::DiskLow => RecorderTrouble::DiskLow,
        RecordTrouble::DiskSlow => RecorderTrouble::DiskSlow,
        RecordTrouble::DiskFull => RecorderTrouble::DiskFull,
        RecordTrouble::Ended => RecorderTrouble::Ended,
    }
}

/// An alarm of the ledger; other news is none.
fn alarm_of(event: &Event) -> Option<RecorderAlarm> {
    let EventKind::RecordingNews {
        what,
        from_ms,
        to_ms,
        left,
        ..
    } = &event.kind
    else {
        return None;
    };
    Some(RecorderAlarm {
        at: event.at.wall_ms,
        // The names are those of the wire, in both.
        what: serde_json::from_value(what.as_str().into()).ok()?,
        from: *from_ms,
        to: *to_ms,
        left: *left,
    })
}

/// The sites of the roster and those that came without standing there, by name.
async fn sites(app: &App, session: &lophoc_classes::Session) -> Result<Vec<SiteLine>, ApiFault> {
    let mut lines: HashMap<PersonKey, SiteLine> = HashMap::new();
    let mut checks = app.store.preflights(&session.id).await?;
    let blank = |site: PersonKey, name: String, unit: String| SiteLine {
        site,
        name,
        unit,
        link: SiteLinkState::Away,
        since_ms: None,
        heard_ms: None,
        mic: false,
        camera: false,
        level: None,
        rung: None,
        loss_permille: None,
        rtt_ms: None,
        kbps: None,
        hall: 0,
        preflight: None,
    };
    for (person, place) in app.store.places_in(&session.id).await? {
        if let Some(site) = place.site {
            let mut line = blank(person.clone(), site, place.unit.unwrap_or_default());
            line.preflight = checks.remove(&person);
            lines.insert(person, line);
        }
    }
    if let Some(desk) = app.rooms.snapshot(&session.room).await {
        for (person, quality) in desk.people() {
            let Some(site) = &person.site else { continue };
            let key = PersonKey(person.person.0.clone());
            let line = lines.entry(key.clone()).or_insert_with(|| {
                let unit = person.unit.clone().unwrap_or_default();
                blank(key, site.clone(), unit)
            });
            line.link = match person.link {
                LinkState::Ok => SiteLinkState::Here,
                LinkState::Lost => SiteLinkState::Lost,
            };
            line.since_ms = Some(person.link_since_ms);
            line.heard_ms = Some(person.heard_ms);
            line.mic = person.mic;
            line.camera = person.camera;
            line.level = person.level;
            line.rung = person.rung.and_then(|on| {
                let name = serde_json::to_value(on.at).ok()?;
                name.as_str().map(str::to_owned)
            });
            line.hall = person.hall;
            if let Some(quality) = quality.filter(|_| line.link == SiteLinkState::Here) {
                line.loss_permille = quality.loss_permille;
                line.rtt_ms = quality.rtt_ms;
                line.kbps = Some(quality.kbps);
            }
        }
    }
    let mut lines: Vec<SiteLine> = lines.into_values().collect();
    lines.sort_by_cached_key(|line| {
        let name = name_key_in(NameOrder::default(), &line.name, None);
        (name, line.site.clone())
    });
    Ok(lines)
}

/// Write the duty roster anew. Earlier ones stay in the records.
#[utoipa::path(put, path = "/sessions/{id}/duty", tag = "console", request_body = DutyForm,
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = DutyWritten),
        (status = 400, body = Refusal, description = "fields list: tooLong; 0.name: required, tooLong; 0.phone, 0.note: tooLong; 0.toMs: badValue"),
        (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "conflict: somebody else wrote in the meantime")))]
async fn set_duty(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
    Body(mut form): Body<DutyForm>,
) -> Result<Json<DutyWritten>, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    asked.need_all(Right::KeepIncidents)?;
    let mut fields = Fields::default();
    if form.list.len() > MAX_DUTY {
        fields.wrong("list", "tooLong");
    }
    for (at, one) in form.list.iter_mut().take(MAX_DUTY).enumerate() {
        fields.required(&format!("{at}.name"), &mut one.name, DUTY.0);
        fields.text(&format!("{at}.phone"), &mut one.phone, DUTY.1);
        fields.text(&format!("{at}.note"), &mut one.note, DUTY.2);
        if one
            .from_ms
            .zip(one.to_ms)
            .is_some_and(|(from, to)| to <= from)
        {
            fields.wrong(&format!("{at}.toMs"), "badValue");
        }
    }
    fields.done()?;
    let version = app
        .store
        .set_duty(&id, form.version, &form.list, &asked.author())
        .await?;
    app.attendance.forget(&id).await;
    Ok(Json(DutyWritten { version }))
}

/// Words of several lines, within their bound.
fn words(fields: &mut Fields, text: &str) -> String {
    match clean_text(text, WORDS) {
        Ok(text) => text,
        Err(BadText::Empty | BadText::Control) => String::new(),
        Err(BadText::TooLong) => {
            fields.wrong("text", "tooLong");
            String::new()
        }
    }
}

async fn found(app: &App, id: &SessionKey, no: u32) -> Result<Json<Incident>, ApiFault> {
    let list = app.store.incidents(id).await?;
    list.into_iter()
        .find(|one| one.no == no)
        .map(Json)
        .ok_or_else(ApiFault::not_found)
}

/// Write an incident down.
#[utoipa::path(post, path = "/sessions/{id}/incidents", tag = "console", request_body = NewIncident,
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 201, body = Incident),
        (status = 400, body = Refusal, description = "fields text: required, tooLong; subject: tooLong; site: badValue; incidents: tooLong (the log is full)"),
        (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn add(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
    Body(mut new): Body<NewIncident>,
) -> Result<(StatusCode, Json<Incident>), ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    asked.need_all(Right::KeepIncidents)?;
    let mut fields = Fields::default();
    fields.text("subject", &mut new.subject, SUBJECT);
    if new.site.as_ref().is_some_and(|site| site.0.len() > SUBJECT) {
        fields.wrong("site", "badValue");
    }
    new.text = words(&mut fields, &new.text);
    if new.text.is_empty() {
        fields.wrong("text", "required");
    }
    fields.done()?;
    let no = app.store.add_incident(&id, &new, &asked.author()).await?;
    app.attendance.forget(&id).await;
    Ok((StatusCode::CREATED, found(&app, &id, no).await?))
}

/// Add to an incident: its new state, or a note. Nothing written is changed.
#[utoipa::path(post, path = "/sessions/{id}/incidents/{no}/entries", tag = "console", request_body = NewIncidentEntry,
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session"), ("no" = u32, Path, description = "Number of the incident")),
    responses((status = 201, body = Incident),
        (status = 400, body = Refusal, description = "fields text: required, tooLong; entries: tooLong (the incident is full)"),
        (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn add_entry(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At((id, no)): At<(SessionKey, u32)>,
    Body(mut new): Body<NewIncidentEntry>,
) -> Result<(StatusCode, Json<Incident>), ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    asked.need_all(Right::KeepIncidents)?;
    let mut fields = Fields::default();
    new.text = words(&mut fields, &new.text);
    // How it was solved is what the next one wants to know.
    if new.text.is_empty() && matches!(new.state, None | Some(IncidentState::Solved)) {
        fields.wrong("text", "required");
    }
    fields.done()?;
    let Json(_) = found(&app, &id, no).await?;
    app.store
        .add_incident_entry(&id, no, &new, &asked.author())
        .await?;
    app.attendance.forget(&id).await;
    Ok((StatusCode::CREATED, found(&app, &id, no).await?))
}

/// Do something to a site in the room, as somebody who is there himself: the
/// rights are those of the room.
#[utoipa::path(post, path = "/sessions/{id}/console/acts", tag = "console", request_body = SiteActForm,
    security(("cookie" = []), ("token" = []), ("room" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 204), (status = 400, body = Refusal, description = "field text: required, tooLong"),
        (status = 403, body = Refusal, description = "not in the room, or without the right there"),
        (status = 404, body = Refusal), (status = 429, body = Refusal)))]
async fn act(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
    Body(form): Body<SiteActForm>,
) -> Result<StatusCode, ApiFault> {
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    asked.need_all(Right::KeepIncidents)?;
    let act = match form.act {
        SiteAct::AskMic => OutsideAct::Ask(MediaKind::Mic),
        SiteAct::AskCamera => OutsideAct::Ask(MediaKind::Camera),
        SiteAct::Mute => OutsideAct::Mute,
        SiteAct::Restart => OutsideAct::Restart,
        SiteAct::Say => {
            let mut fields = Fields::default();
            let text = words(&mut fields, &form.text);
            if text.is_empty() {
                fields.wrong("text", "required");
            }
            fields.done()?;
            OutsideAct::Say {
                cid: form.cid,
                text,
            }
        }
    };
    let me = PersonId(asked.signed.person().0.clone());
    let site = PersonId(form.site.0);
    let done = app.rooms.act(&session.room, me, site, act).await;
    done.map(|()| StatusCode::NO_CONTENT)
        .map_err(|code| match code {
            ErrorCode::NotFound => ApiFault::not_found(),
            ErrorCode::RateLimited => ApiFault::rate_limited(None),
            ErrorCode::TooLarge => ApiFault::field("text", "tooLong"),
            ErrorCode::BadRequest => ApiFault::field("text", "badValue"),
            ErrorCode::Busy | ErrorCode::Internal => ApiFault::busy(),
            _ => ApiFault::forbidden(),
        })
}
