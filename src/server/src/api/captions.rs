//! Captions of a session as a WebVTT file: for whoever is in its room, and
//! afterwards by right.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lophoc_classes::Right;
use lophoc_ledger::{CaptionLine, Event, EventKind, PersonKey, SessionKey, captions, webvtt};
use lophoc_protocol::captions::CaptionLang;
use serde::Deserialize;
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::error::{ApiFault, Refusal};
use super::exports::disposition;
use super::extract::{Ask, At};
use super::{How, Routes, SignedInRoom};
use crate::app::App;
use crate::http::api::sent_away;

/// The routes.
pub fn routes() -> Routes {
    Routes::new().routes(routes!(file))
}

/// Which captions.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Which {
    lang: CaptionLang,
}

/// Captions of one language, as far as they are typed.
#[utoipa::path(get, path = "/sessions/{id}/captions.vtt", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session"),
        ("lang" = String, Query, description = "vi or en")),
    responses((status = 200, content_type = "text/vtt", description = "The file"),
        (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 429, body = Refusal)))]
async fn file(
    State(app): State<Arc<App>>,
    SignedInRoom(signed): SignedInRoom,
    At(id): At<SessionKey>,
    Ask(Which { lang }): Ask<Which>,
) -> Result<Response, ApiFault> {
    let in_room = matches!(signed.how, How::Room { .. });
    let person = signed.person().clone();
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    // What everybody could read in the room is no secret to who is in it.
    if !in_room {
        asked.need(Right::Export)?;
    }
    let events = app.store.events(&id).await?;
    // A token is had before one is let in: who waits, or never came, hears nothing.
    if in_room && (sent_away(&events, &person).is_some() || !came_in(&events, &person)) {
        return Err(ApiFault::forbidden());
    }
    let class = app.store.class(&session.class).await?;
    let title = class.map(|class| class.plan.title).unwrap_or_default();
    let title = format!("{title} - Buổi {}", session.no);
    let text = of(&captions(&events), lang, &title);
    let name = format!("Phụ đề - {title} - {}", lang.tag());
    Ok((
        [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/vtt; charset=utf-8"),
            ),
            (CONTENT_DISPOSITION, disposition("attachment", &name, "vtt")),
        ],
        text,
    )
        .into_response())
}

/// Whether somebody was in the room.
fn came_in(events: &[Event], person: &PersonKey) -> bool {
    events
        .iter()
        .any(|event| matches!(&event.kind, EventKind::Join { person: who, .. } if who == person))
}

/// The lines of one language as a file.
pub fn of(lines: &[CaptionLine], lang: CaptionLang, title: &str) -> String {
    let lines: Vec<CaptionLine> = lines
        .iter()
        .filter(|line| line.lang == lang.tag())
        .cloned()
        .collect();
    webvtt(&lines, title)
}
