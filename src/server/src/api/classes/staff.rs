//! The staff list of a class and of its sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{ClassId, NewStaff, Right, StaffMember};
use lophoc_records::StoreError;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed};
use super::Here;
use crate::app::App;
use crate::clock::wall_ms;

/// Learners of one adviser.
const LEARNERS: usize = 5_000;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, add))
        .routes(routes!(end))
}

/// The staff list, ended entries too. Learners of an adviser are shown as far
/// as the asker may see the roster.
#[utoipa::path(get, path = "/classes/{id}/staff", tag = "staff", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Vec<StaffMember>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<Vec<StaffMember>>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    let seen = here.grant(Right::SeeRoster);
    let mut staff = app.store.staff(&id).await?;
    if !seen.all {
        for entry in &mut staff {
            entry
                .learners
                .retain(|learner| seen.people.contains(learner));
        }
    }
    Ok(Json(staff))
}

/// Name somebody; with `insteadOf` a substitution, which leaves both names.
#[utoipa::path(post, path = "/classes/{id}/staff", tag = "staff", params(("id" = String, Path)), request_body = NewStaff,
    security(("cookie" = []), ("token" = [])),
    responses((status = 201, body = StaffMember), (status = 400, body = Refusal, description = "fields person, session, insteadOf, learners: unknown"),
        (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal, description = "field person: taken; refused")))]
async fn add(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(new): Body<NewStaff>,
) -> Result<(StatusCode, Json<StaffMember>), ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageStaff)?;
    if new.learners.len() > LEARNERS {
        return Err(ApiFault::field("learners", "tooLong"));
    }
    let by = here.signed.person();
    let made = app.store.add_staff(&id, &new, by, wall_ms()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// End an entry of the staff list.
#[utoipa::path(delete, path = "/classes/{id}/staff/{entry}", tag = "staff", params(("id" = String, Path), ("entry" = u64, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
async fn end(
    State(app): State<Arc<App>>,
    signed: Signed,
    At((id, entry)): At<(ClassId, u64)>,
) -> Result<StatusCode, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageStaff)?;
    let by = here.signed.person();
    match app.store.end_staff(&id, entry, by, wall_ms()).await {
        Err(StoreError::Unknown(_)) => Err(ApiFault::not_found()),
        done => Ok(done.map(|()| StatusCode::NO_CONTENT)?),
    }
}
