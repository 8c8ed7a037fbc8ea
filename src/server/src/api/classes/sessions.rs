//! Sessions of a class: planned, changed, cancelled, ended, as a calendar file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use lophoc_classes::{
    CancelRequest, ClassId, Right, Session, SessionForm, SessionPhase, SessionStep,
};
use lophoc_ledger::SessionKey;
use lophoc_protocol::ErrorCode;
use utoipa_axum::routes;

use super::super::check_in::base_url;
use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed};
use super::{Here, forms, ics};
use crate::app::App;
use crate::clock::wall_ms;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(add))
        .routes(routes!(one, change, delete))
        .routes(routes!(cancel))
        .routes(routes!(end))
        .routes(routes!(calendar_file))
}

/// Add a session to a class.
#[utoipa::path(post, path = "/classes/{id}/sessions", tag = "sessions", params(("id" = String, Path)), request_body = SessionForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 201, body = Session), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: the class has come to its end")))]
async fn add(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(mut form): Body<SessionForm>,
) -> Result<(StatusCode, Json<Session>), ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    forms::session(&mut form)?;
    let by = here.signed.person();
    let session = app.store.add_session(&id, &form, by, wall_ms()).await?;
    Ok((StatusCode::CREATED, Json(session)))
}

/// A session.
#[utoipa::path(get, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Session), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Json<Session>, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    Ok(Json(session))
}

/// Change what is planned of a session. What was held keeps its planned times.
#[utoipa::path(put, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)), request_body = SessionForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Session), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: that may not change any more")))]
async fn change(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut form): Body<SessionForm>,
) -> Result<Json<Session>, ApiFault> {
    let (here, _) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    forms::session(&mut form)?;
    let by = here.signed.person();
    let session = app.store.change_session(&id, &form, by, wall_ms()).await;
    Ok(Json(session?))
}

/// Delete a session that was never opened.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: it was opened (cancel it); protected with the day in `until`")))]
async fn delete(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<StatusCode, ApiFault> {
    let (here, _) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    app.store.delete_session(&id, wall_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancel a session that has not begun, with the reason.
#[utoipa::path(post, path = "/sessions/{id}/cancel", tag = "sessions", params(("id" = String, Path)), request_body = CancelRequest,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Session), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: it has begun")))]
async fn cancel(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(mut request): Body<CancelRequest>,
) -> Result<Json<Session>, ApiFault> {
    let (here, was) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    forms::reason(&mut request.reason)?;
    let session = app
        .store
        .cancel_session(&id, &request.reason, wall_ms())
        .await?;
    // Whoever came for the rehearsal is told at once.
    if was.phase == SessionPhase::Rehearsal {
        app.rooms.end(&app, &was.room).await.map_err(refused)?;
    }
    Ok(Json(session))
}

/// End a session that runs, for everybody.
#[utoipa::path(post, path = "/sessions/{id}/end", tag = "sessions", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Session), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: it does not run")))]
async fn end(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Json<Session>, ApiFault> {
    let (here, was) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    was.phase
        .step(SessionStep::End)
        .map_err(|why| ApiFault::refused(Some(why)))?;
    app.rooms.end(&app, &was.room).await.map_err(refused)?;
    let session = app
        .store
        .lesson(&id)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    Ok(Json(session))
}

fn refused(code: ErrorCode) -> ApiFault {
    match code {
        ErrorCode::NotFound => ApiFault::not_found(),
        ErrorCode::Ended => ApiFault::refused(None),
        ErrorCode::Busy => ApiFault::busy(),
        _ => ApiFault::internal(),
    }
}

/// A session as an iCalendar file, for calendars of phones and mail programs.
/// It holds no personal link.
#[utoipa::path(get, path = "/sessions/{id}/calendar.ics", tag = "sessions", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, content_type = "text/calendar", body = String), (status = 403, body = Refusal),
        (status = 404, body = Refusal, description = "also a session without a planned beginning")))]
async fn calendar_file(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<SessionKey>,
) -> Result<impl IntoResponse, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    let host = base_url(&app, &headers);
    let text = ics::calendar(&here.class, &session, &host, wall_ms(), None)
        .ok_or_else(ApiFault::not_found)?;
    let name = format!("attachment; filename=\"buoi-{}.ics\"", session.no);
    Ok((
        [
            (CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        text,
    ))
}
