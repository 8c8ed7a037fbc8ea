//! Watching: all a player needs, what was watched, by whom, captions; for people who
//! are signed in and for those who have a link.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{
    AudienceKind, FromStart, MAX_WATCHED, Playback, PlaybackCaptions, RecordingState, WatchedForm,
    WatcherList,
};
use lophoc_ledger::PersonKey;
use lophoc_records::{Recording, Watched};
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body, raw};
use super::super::sign_in::secure;
use super::super::{How, Routes, Signed, SignedInRoom};
use super::{DONE, Here, text};
use crate::app::App;
use crate::auth::{ROOM_WATCH, RecordingClaims, RoomWatchClaims, Viewer};
use crate::clock::wall_ms;
use crate::recording::access::may_watch;
use crate::recording::playback;
use crate::recording::show::{ADDRESS_MS, shown_ms, whole};

/// Longest name of captions, characters.
const LABEL: usize = 60;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(play))
        .routes(routes!(from_start))
        .routes(routes!(watched))
        .routes(routes!(watchers))
        .routes(routes!(play_by_link))
        .routes(routes!(watched_by_link))
}

/// Routes with a larger body.
pub fn captions() -> Routes {
    Routes::new().routes(routes!(set_captions, remove_captions))
}

/// All a player needs: tracks, sound, pages, boards, chat, polls, cuts; with signed
/// addresses that end. With the token of a room: of what is recorded there now, for who
/// may watch it from the start; the answer sets a cookie its addresses are good with.
#[utoipa::path(get, path = "/recordings/{id}/playback", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Playback), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn play(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    signed: SignedInRoom,
    At(id): At<String>,
) -> Result<Response, ApiFault> {
    let here = Here::watching(&app, signed, &id).await?;
    here.need(|access| access.watch)?;
    let person = here.signed.person().clone();
    let now = wall_ms();
    let mut cookie = None;
    let viewer = match &here.signed.how {
        How::Token { id, .. } => Viewer::Program {
            person,
            token: id.clone(),
        },
        How::Cookie { .. } => Viewer::Person(person),
        How::Room { .. } => {
            let claims = RoomWatchClaims {
                recording: here.recording.id.clone(),
                person: person.clone(),
                until_ms: now.saturating_add(ADDRESS_MS),
            };
            cookie = Some(room_cookie(
                &claims.seal(&app.keys)?,
                &here.recording.id,
                secure(&app, socket, &headers),
            )?);
            Viewer::Room(person)
        }
    };
    let mut answer = Json(playback(&app, here.recording, &viewer, now).await?).into_response();
    if let Some(cookie) = cookie {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(answer)
}

fn room_cookie(value: &str, recording: &str, secure: bool) -> Result<HeaderValue, ApiFault> {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = ADDRESS_MS / 1_000;
    let text = format!(
        "{ROOM_WATCH}={value}; Path=/media/recordings/{recording}; Max-Age={seconds}; \
         HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::try_from(text).map_err(|_| ApiFault::internal())
}

/// Whether the asker, who is in the room, may watch now what is recorded there so far.
#[utoipa::path(get, path = "/recordings/{id}/from-start", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = FromStart)))]
async fn from_start(
    State(app): State<Arc<App>>,
    signed: SignedInRoom,
    At(id): At<String>,
) -> Result<Json<FromStart>, ApiFault> {
    let may = match Here::watching(&app, signed, &id).await {
        Ok(here) => here.access.watch && here.recording.state == RecordingState::Recording,
        Err(fault) if fault.status() == StatusCode::NOT_FOUND => false,
        Err(fault) => return Err(fault),
    };
    Ok(Json(FromStart { may }))
}

/// Spans within the recording; more than a report may hold is refused.
fn spans_of(form: WatchedForm, length_ms: u64) -> Result<Watched, ApiFault> {
    if form.spans.len() > MAX_WATCHED {
        return Err(ApiFault::field("spans", "tooLong"));
    }
    Ok(Watched {
        spans: form
            .spans
            .into_iter()
            .map(|(from, to)| (from.min(length_ms), to.min(length_ms)))
            .filter(|(from, to)| from < to)
            .collect(),
        resume_ms: form.resume_ms.min(length_ms),
    })
}

/// What the asker watched since the last report, and where he is. It is kept apart
/// from attendance.
#[utoipa::path(post, path = "/recordings/{id}/watched", tag = "recordings", params(("id" = String, Path)), request_body = WatchedForm,
    security(("cookie" = [])),
    responses((status = 204), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn watched(
    State(app): State<Arc<App>>,
    signed: SignedInRoom,
    At(id): At<String>,
    Body(form): Body<WatchedForm>,
) -> Result<StatusCode, ApiFault> {
    let here = Here::watching(&app, signed, &id).await?;
    here.need(|access| access.watch)?;
    let person = here.signed.person().clone();
    keep(&app, here.recording, &person, form).await
}

async fn keep(
    app: &Arc<App>,
    recording: Recording,
    person: &PersonKey,
    form: WatchedForm,
) -> Result<StatusCode, ApiFault> {
    let now = whole(app, recording).await?;
    let watched = spans_of(form, now.cuts.length_ms())?;
    app.store
        .add_watched(&now.recording.id, person, &watched, wall_ms())
        .await?;
    Ok(DONE)
}

/// Who watched how much, by name.
#[utoipa::path(get, path = "/recordings/{id}/watchers", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = WatcherList), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn watchers(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<Json<WatcherList>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.watchers)?;
    let now = whole(&app, here.recording).await?;
    let items = app
        .store
        .watchers(&id, |spans| shown_ms(&now.cuts, spans), now.cuts.net_ms())
        .await?;
    Ok(Json(WatcherList { items }))
}

/// The recording a link leads to, for whom.
async fn linked(app: &App, token: &str) -> Result<(Recording, Viewer), ApiFault> {
    let now = wall_ms();
    let claims = RecordingClaims::open(&app.keys, token, now).map_err(|_| ApiFault::not_found())?;
    let recording = app
        .store
        .recording(&claims.recording)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    if claims.turn != recording.audience_turn {
        return Err(ApiFault::not_found());
    }
    let viewer = match (recording.audience, claims.until_ms) {
        (AudienceKind::Public, _) => Viewer::Public,
        (_, Some(until)) => Viewer::Link(until),
        (_, None) => return Err(ApiFault::not_found()),
    };
    match may_watch(app, &viewer, &recording, now).await? {
        true => Ok((recording, viewer)),
        false => Err(ApiFault::not_found()),
    }
}

/// As `/recordings/{id}/playback`, for whoever has the link to it.
#[utoipa::path(get, path = "/recording-links/{token}/playback", tag = "recordings", params(("token" = String, Path)),
    responses((status = 200, body = Playback), (status = 404, body = Refusal, description = "no such link, its time is over, or the recording is open to it no more")))]
async fn play_by_link(
    State(app): State<Arc<App>>,
    At(token): At<String>,
) -> Result<Json<Playback>, ApiFault> {
    let (recording, viewer) = linked(&app, &token).await?;
    Ok(Json(playback(&app, recording, &viewer, wall_ms()).await?))
}

/// What was watched by way of a link: taken, and of who is not known nothing is kept.
#[utoipa::path(post, path = "/recording-links/{token}/watched", tag = "recordings", params(("token" = String, Path)), request_body = WatchedForm,
    responses((status = 204), (status = 404, body = Refusal)))]
async fn watched_by_link(
    State(app): State<Arc<App>>,
    At(token): At<String>,
    Body(form): Body<WatchedForm>,
) -> Result<StatusCode, ApiFault> {
    let (recording, _) = linked(&app, &token).await?;
    spans_of(form, recording.length_ms)?;
    Ok(DONE)
}

/// A language as it may stand in an address.
fn lang(text: &str) -> Result<&str, ApiFault> {
    let plain = (2..=20).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match plain {
        true => Ok(text),
        false => Err(ApiFault::field("lang", "badValue")),
    }
}

/// Set captions in a language: a WebVTT file as the body, its times in recording
/// time. Its name to choose it by may stand in `x-label`, percent-encoded as UTF-8.
#[utoipa::path(put, path = "/recordings/{id}/captions/{lang}", tag = "recordings",
    params(("id" = String, Path), ("lang" = String, Path)), request_body(content = String, content_type = "text/vtt"),
    security(("cookie" = [])),
    responses((status = 200, body = Vec<PlaybackCaptions>), (status = 400, body = Refusal, description = "no WebVTT; field lang: badValue, tooLong"),
        (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 413, body = Refusal)))]
async fn set_captions(
    State(app): State<Arc<App>>,
    signed: Signed,
    At((id, tag)): At<(String, String)>,
    request: Request,
) -> Result<Json<Vec<PlaybackCaptions>>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.edit || access.review)?;
    let tag = lang(&tag)?;
    let label = request
        .headers()
        .get("x-label")
        .and_then(|value| value.to_str().ok())
        .map(decoded)
        .unwrap_or_default();
    let label = match text("label", &label, LABEL)? {
        label if label.is_empty() => tag.to_owned(),
        label => label,
    };
    let bytes = raw(request, &app).await?;
    let body = std::str::from_utf8(&bytes).map_err(|_| ApiFault::bad())?;
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let first = body.lines().next().unwrap_or_default();
    let is_vtt = first == "WEBVTT" || first.starts_with("WEBVTT ") || first.starts_with("WEBVTT\t");
    if !is_vtt || body.contains('\0') {
        return Err(ApiFault::bad());
    }
    app.store
        .set_recording_captions(&id, [tag, &label, body], &here.author())
        .await?;
    Ok(Json(app.store.recording_captions(&id).await?))
}

/// `%C3%A1` → `á`; what is no text stays away.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair = || -> Option<u8> {
            let mut look = rest.clone();
            let pair = [look.next()?, look.next()?];
            u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()
        };
        match (byte, pair()) {
            (b'%', Some(code)) => {
                bytes.push(code);
                let _ = rest.nth(1);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Take captions away.
#[utoipa::path(delete, path = "/recordings/{id}/captions/{lang}", tag = "recordings",
    params(("id" = String, Path), ("lang" = String, Path)), security(("cookie" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn remove_captions(
    State(app): State<Arc<App>>,
    signed: Signed,
    At((id, tag)): At<(String, String)>,
) -> Result<StatusCode, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.edit || access.review)?;
    let gone = app
        .store
        .remove_recording_captions(&id, &tag, &here.author())
        .await?;
    match gone {
        true => Ok(DONE),
        false => Err(ApiFault::not_found()),
    }
}
