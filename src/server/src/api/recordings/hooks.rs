//! Quota of units, and who is told of finished recordings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{QuotaForm, RecordingQuota, Right, UnitId, Webhook, WebhookForm, grant};
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed, need_admin};
use super::DONE;
use crate::app::App;
use crate::clock::wall_ms;
use crate::recording::hooks::{BadUrl, checked, secret};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(quota, set_quota))
        .routes(routes!(list, add))
        .routes(routes!(remove))
}

/// How much recordings of classes a unit hosts keep, and its bound. For
/// administrators and organisers of the unit.
#[utoipa::path(get, path = "/recording-quotas/{unit}", tag = "recordings", params(("unit" = String, Path)),
    security(("cookie" = [])),
    responses((status = 200, body = RecordingQuota), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn quota(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(unit): At<UnitId>,
) -> Result<Json<RecordingQuota>, ApiFault> {
    if app.store.unit(&unit).await?.is_none() {
        return Err(ApiFault::not_found());
    }
    let standing = app.store.standing_to_host(&unit).await?;
    if !grant(&signed.actor, &standing, Right::DisposeRecordings).all {
        return Err(ApiFault::forbidden());
    }
    Ok(Json(app.store.recording_quota(&unit).await?))
}

/// Set the bound of a unit. What is there stays; above nine tenths there is a
/// warning, above the bound a recording does not begin.
#[utoipa::path(put, path = "/recording-quotas/{unit}", tag = "recordings", params(("unit" = String, Path)), request_body = QuotaForm,
    security(("cookie" = [])),
    responses((status = 200, body = RecordingQuota), (status = 400, body = Refusal), (status = 403, body = Refusal)))]
async fn set_quota(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(unit): At<UnitId>,
    Body(form): Body<QuotaForm>,
) -> Result<Json<RecordingQuota>, ApiFault> {
    need_admin(&signed)?;
    if form
        .bytes
        .is_some_and(|bytes| bytes == 0 || i64::try_from(bytes).is_err())
    {
        return Err(ApiFault::field("bytes", "badValue"));
    }
    app.store
        .set_recording_quota(&unit, form.bytes, signed.person(), wall_ms())
        .await?;
    Ok(Json(app.store.recording_quota(&unit).await?))
}

/// Webhooks, without their secrets.
#[utoipa::path(get, path = "/webhooks", tag = "recordings", security(("cookie" = [])),
    responses((status = 200, body = Vec<Webhook>), (status = 403, body = Refusal)))]
async fn list(State(app): State<Arc<App>>, signed: Signed) -> Result<Json<Vec<Webhook>>, ApiFault> {
    need_admin(&signed)?;
    Ok(Json(app.store.webhooks().await?))
}

/// A new webhook. Its secret is told here and never again.
#[utoipa::path(post, path = "/webhooks", tag = "recordings", request_body = WebhookForm, security(("cookie" = [])),
    responses((status = 201, body = Webhook), (status = 403, body = Refusal),
        (status = 400, body = Refusal, description = "field url: badValue (no https), refused (leads into a private network), tooLong (too many); unit: unknown")))]
async fn add(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(form): Body<WebhookForm>,
) -> Result<(StatusCode, Json<Webhook>), ApiFault> {
    need_admin(&signed)?;
    let url = checked(form.url.trim(), &app.config.webhooks.private_hosts).map_err(|bad| {
        let code = match bad {
            BadUrl::Form | BadUrl::Nowhere => "badValue",
            BadUrl::Private => "refused",
        };
        ApiFault::field("url", code)
    })?;
    let made = app
        .store
        .add_webhook(
            url.as_str(),
            form.unit.as_ref(),
            &secret()?,
            signed.person(),
            wall_ms(),
        )
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Take a webhook away with what waits for it.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "recordings", params(("id" = String, Path)), security(("cookie" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn remove(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<StatusCode, ApiFault> {
    need_admin(&signed)?;
    match app.store.remove_webhook(&id).await? {
        true => Ok(DONE),
        false => Err(ApiFault::not_found()),
    }
}
