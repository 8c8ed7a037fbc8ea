//! The disposal (tiêu hủy) of recordings: asked for with a reason, agreed to by two
//! others, refused while the law keeps them open.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lophoc_classes::{DisposalForm, MAX_REASON, RecordingDetail, RecordingState};
use lophoc_records::StoreError;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed};
use super::{DONE, Here, text};
use crate::app::App;
use crate::clock::wall_ms;
use crate::recording::access::protection;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(ask, withdraw))
        .routes(routes!(approve))
}

/// Nothing is disposed of that goes on, is gone, or must stay open.
fn need_free(here: &Here) -> Result<(), ApiFault> {
    match here.recording.state {
        RecordingState::Recording | RecordingState::Processing | RecordingState::Deleted => {
            return Err(ApiFault::refused(None));
        }
        _ => {}
    }
    match protection(&here.recording, &here.class, wall_ms()) {
        Some(until) => Err(ApiFault::protected(until)),
        None => Ok(()),
    }
}

/// Ask for the disposal of a recording. Two others must agree.
#[utoipa::path(post, path = "/recordings/{id}/disposal", tag = "recordings", params(("id" = String, Path)), request_body = DisposalForm,
    security(("cookie" = [])),
    responses((status = 200, body = RecordingDetail), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 400, body = Refusal, description = "field reason: required, tooLong"),
        (status = 409, body = Refusal, description = "protected: it must stay open (TT21 Điều 10.8), up to the day in `until`, without one while the class goes on; refused: it goes on or is gone; field reason: taken, somebody asked already")))]
async fn ask(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
    Body(form): Body<DisposalForm>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.dispose)?;
    let reason = text("reason", &form.reason, MAX_REASON)?;
    if reason.is_empty() {
        return Err(ApiFault::field("reason", "required"));
    }
    need_free(&here)?;
    let by = here.signed.person().clone();
    app.store
        .ask_disposal(&id, &reason, &by, &here.author())
        .await?;
    here.told(&app, &headers).await
}

/// Take the wish back.
#[utoipa::path(delete, path = "/recordings/{id}/disposal", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn withdraw(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<StatusCode, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.dispose)?;
    match app.store.withdraw_disposal(&id, &here.author()).await? {
        true => Ok(DONE),
        false => Err(ApiFault::not_found()),
    }
}

/// Agree to the disposal. With the second agreement the recording is gone; a record
/// of what it was, who asked, who agreed and why stays.
#[utoipa::path(post, path = "/recordings/{id}/disposal/approve", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = [])),
    responses((status = 200, body = RecordingDetail), (status = 403, body = Refusal, description = "also who asked for it, and who agreed already"),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "protected; refused: nobody asked for it, or it is done")))]
async fn approve(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.dispose)?;
    need_free(&here)?;
    let by = here.signed.person().clone();
    match app.store.approve_disposal(&id, &by, &here.author()).await {
        Ok(done) => {
            if done {
                app.keep.wake.notify_waiters();
            }
        }
        Err(StoreError::Taken(_)) => return Err(ApiFault::forbidden()),
        Err(StoreError::Unknown(_)) => return Err(ApiFault::refused(None)),
        Err(error) => return Err(error.into()),
    }
    here.told(&app, &headers).await
}
