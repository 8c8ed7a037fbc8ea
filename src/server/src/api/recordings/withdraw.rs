//! What somebody accepted in the room he may take back afterwards: he is left out of
//! everything that is made of the recording, for good.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::WithdrawalForm;
use lophoc_ledger::{EventKind, PersonKey};
use lophoc_records::RecordingAuthor;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed};
use super::DONE;
use crate::app::App;
use crate::clock::wall_ms;
use crate::recording::access_of;
use crate::recording::show::{Whole, whole};

pub fn routes() -> Routes {
    Routes::new().routes(routes!(withdraw))
}

/// Whether there may be something of somebody in it: his files, or he was there.
async fn has_part(app: &App, whole: &Whole, person: &PersonKey) -> Result<bool, ApiFault> {
    let mut segments = whole
        .timeline
        .iter()
        .flat_map(|timeline| timeline.segments.values());
    if segments.any(|segment| segment.opened.person == *person) {
        return Ok(true);
    }
    let events = app.store.consent_events(&whole.recording.session).await?;
    Ok(events
        .iter()
        .any(|event| matches!(&event.kind, EventKind::Join { person: came, .. } if came == person)))
}

/// Take back that one is recorded; `person`: somebody else, on his behalf, by those
/// who review. Sound and film are made anew without him, and until then there are
/// none; what he wrote is not shown either. For good; a repeat changes nothing.
#[utoipa::path(post, path = "/recordings/{id}/withdraw", tag = "recordings", params(("id" = String, Path)), request_body = WithdrawalForm,
    security(("cookie" = [])),
    responses((status = 204), (status = 400, body = Refusal, description = "field person: unknown, he was not there"),
        (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: nobody was asked, it was an event people are told about; ask those who review")))]
async fn withdraw(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
    Body(form): Body<WithdrawalForm>,
) -> Result<StatusCode, ApiFault> {
    let recording = app
        .store
        .recording(&id)
        .await?
        .filter(|recording| recording.state.is_there())
        .ok_or_else(ApiFault::not_found)?;
    let me = signed.person();
    let person = form.person.unwrap_or_else(|| me.clone());
    let own = person == *me;
    let access = access_of(&app, &signed.actor, &recording).await?;
    if !own && !access.any() {
        return Err(ApiFault::not_found());
    }
    if !own && !access.review {
        return Err(ApiFault::forbidden());
    }
    let now = whole(&app, recording).await?;
    if !has_part(&app, &now, &person).await? {
        return Err(match own {
            true => ApiFault::not_found(),
            false => ApiFault::field("person", "unknown"),
        });
    }
    if !access.review && !now.left.asks {
        return Err(ApiFault::refused(None));
    }
    let known = app.store.person(&person).await?;
    let name = known.map_or_else(|| person.0.clone(), |known| known.form.name);
    let author = RecordingAuthor {
        by: Some(me.clone()),
        name: signed.name(),
        at_ms: wall_ms(),
    };
    app.store
        .withdraw_from_recording(&id, &person, &name, &author)
        .await?;
    // What follows from it is begun at once.
    if let Some(recording) = app.store.recording(&id).await? {
        whole(&app, recording).await?;
    }
    Ok(DONE)
}
