//! That sessions are recorded, by something outside of the room or by the server: the
//! setting of a class or session, told before joining and in the room.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{Class, ClassId, ClassKind, Right, SessionPhase};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_protocol::PersonId;
use lophoc_protocol::recording::{RecordConsent, RecordWhom, RecordedBy};
use lophoc_records::{RecordingNotice, RecordingPlan, RecordingSetting};
use lophoc_room::text::BadText;
use lophoc_room::{Command, RecordingWords};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{At, Body};
use super::super::{Routes, Signed};
use super::Here;
use crate::app::App;
use crate::clock::wall_ms;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(of_class, set_class))
        .routes(routes!(of_session, set_session))
}

/// Whether sessions are recorded, and what is told about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingState {
    /// Is recorded.
    on: bool,
    /// Of a session: set for it alone.
    own: bool,
    /// Who records and answers for it.
    who: String,
    /// What for.
    why: String,
    /// How long it is kept, who may see it, how to object.
    keep: String,
    /// What makes it: `external`, `server`.
    #[schema(value_type = String)]
    by: RecordedBy,
    /// Of the server: begins with the lesson.
    auto: bool,
    /// Of the server: whom it takes, `all` or `presenters`.
    #[schema(value_type = String)]
    whom: RecordWhom,
    /// Of the server: whether people are told or asked, `notice` or `consent`.
    #[schema(value_type = String)]
    ask: RecordConsent,
    /// Of the server: while the class goes on, learners who are in the room watch what
    /// is recorded so far, before anybody has reviewed it.
    from_start: bool,
}

/// The setting.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordingForm {
    /// Is recorded.
    on: bool,
    /// Of a session: for it alone; `false` = as its class says.
    #[serde(default = "yes")]
    own: bool,
    /// Who records and answers for it, at most 120 characters; needed with `on`.
    #[serde(default)]
    who: String,
    /// What for, at most 500 characters.
    #[serde(default)]
    why: String,
    /// How long it is kept, who may see it, how to object; at most 500 characters.
    #[serde(default)]
    keep: String,
    /// What makes it: `external` (as without it), `server`.
    #[serde(default)]
    #[schema(value_type = String)]
    by: RecordedBy,
    /// Of the server: begins with the lesson. One from outside always does.
    #[serde(default = "yes")]
    auto: bool,
    /// Of the server: whom it takes, `all` (as without it) or `presenters`.
    #[serde(default)]
    #[schema(value_type = String)]
    whom: RecordWhom,
    /// Of the server: whether people are told (`notice`) or asked (`consent`, as
    /// without it).
    #[serde(default = "asked")]
    #[schema(value_type = String)]
    ask: RecordConsent,
    /// Of the server: learners who are in the room watch what is recorded so far; as
    /// without it they do not.
    #[serde(default)]
    from_start: bool,
}

fn asked() -> RecordConsent {
    RecordConsent::Consent
}

fn yes() -> bool {
    true
}

fn told(own: bool, plan: Option<RecordingPlan>) -> Json<RecordingState> {
    let on = plan.is_some();
    let plan = plan_of(plan.unwrap_or_default());
    let RecordingWords { who, why, keep } = plan.words;
    Json(RecordingState {
        on,
        own,
        who,
        why,
        keep,
        by: plan.by,
        auto: plan.auto,
        whom: plan.whom,
        ask: plan.ask,
        from_start: plan.from_start,
    })
}

fn plan_in(setting: RecordingSetting) -> Option<RecordingPlan> {
    match setting {
        RecordingSetting::On(plan) => Some(plan),
        RecordingSetting::Off | RecordingSetting::AsClass => None,
    }
}

fn setting_of(form: &RecordingForm, kind: ClassKind) -> Result<RecordingSetting, ApiFault> {
    if !form.on {
        return Ok(RecordingSetting::Off);
    }
    let words = RecordingWords::clean(&form.who, &form.why, &form.keep).map_err(
        |(field, bad)| match bad {
            BadText::TooLong => ApiFault::field(field, "tooLong"),
            BadText::Empty => ApiFault::field(field, "required"),
            BadText::Control => ApiFault::field(field, "badValue"),
        },
    )?;
    let RecordingWords { who, why, keep } = words;
    let server = form.by == RecordedBy::Server;
    if server && form.ask < least_ask(kind) {
        return Err(ApiFault::field("ask", "badValue"));
    }
    Ok(RecordingSetting::On(RecordingPlan {
        notice: RecordingNotice { who, why, keep },
        server,
        auto: form.auto || !server,
        presenters: server && form.whom == RecordWhom::Presenters,
        asks: server && form.ask == RecordConsent::Consent,
        from_start: server && form.from_start,
    }))
}

/// Least that a recording of the server asks for in a class of this sort: of a public
/// event people are told, in a class or an internal meeting they are asked.
pub(crate) fn least_ask(kind: ClassKind) -> RecordConsent {
    match kind {
        ClassKind::Public => RecordConsent::Notice,
        ClassKind::Training | ClassKind::Pupils | ClassKind::Meeting => RecordConsent::Consent,
    }
}

/// A setting as the room takes it.
pub(crate) fn plan_of(plan: RecordingPlan) -> lophoc_room::RecordingPlan {
    let RecordingNotice { who, why, keep } = plan.notice;
    lophoc_room::RecordingPlan {
        by: if plan.server {
            RecordedBy::Server
        } else {
            RecordedBy::External
        },
        words: RecordingWords { who, why, keep },
        auto: plan.auto || !plan.server,
        whom: if plan.presenters {
            RecordWhom::Presenters
        } else {
            RecordWhom::All
        },
        ask: if plan.asks {
            RecordConsent::Consent
        } else {
            RecordConsent::Notice
        },
        from_start: plan.from_start,
    }
}

/// The rooms of these sessions follow the setting, and the sort of class.
pub(super) async fn tell_rooms(
    app: &App,
    class: &Class,
    by: &PersonKey,
    sessions: Vec<lophoc_classes::Session>,
) -> Result<(), ApiFault> {
    for session in sessions {
        let over = matches!(
            session.phase,
            SessionPhase::Ended
                | SessionPhase::Frozen
                | SessionPhase::Exported
                | SessionPhase::Cancelled
        );
        if over {
            continue;
        }
        let plan = app.store.recording_plan(&class.id, &session.id).await?;
        let command = Command::RecordingSet {
            plan: plan.map(plan_of),
            least: least_ask(class.plan.kind),
            by: PersonId(by.0.clone()),
        };
        app.rooms.news(&session.room, command).await;
    }
    Ok(())
}

/// Whether the sessions of a class are recorded, where they do not say otherwise.
#[utoipa::path(get, path = "/classes/{id}/recording", tag = "classes", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingState), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn of_class(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<RecordingState>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    let setting = app.store.recording_setting(&id, None).await?;
    Ok(told(false, plan_in(setting)))
}

/// Set whether the sessions of a class are recorded, and by what. Told and accepted before joining; in the room the recording begins with
/// the lesson. Rooms that are open follow at once.
#[utoipa::path(put, path = "/classes/{id}/recording", tag = "classes", params(("id" = String, Path)), request_body = RecordingForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingState),
        (status = 400, body = Refusal, description = "fields who, why, keep: required, tooLong, badValue; ask: badValue where the sort of class asks for consent"),
        (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn set_class(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(form): Body<RecordingForm>,
) -> Result<Json<RecordingState>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let setting = setting_of(&form, here.class.plan.kind)?;
    let by = here.signed.person();
    app.store
        .set_recording(&id, None, &setting, by, wall_ms())
        .await?;
    let sessions = app.store.lessons(&id).await?;
    tell_rooms(&app, &here.class, by, sessions).await?;
    Ok(told(false, plan_in(setting)))
}

/// Whether a session is recorded.
#[utoipa::path(get, path = "/sessions/{id}/recording", tag = "classes", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingState), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn of_session(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Json<RecordingState>, ApiFault> {
    let (here, _) = Here::session(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    state_of(&app, &here, &id).await
}

async fn state_of(
    app: &App,
    here: &Here,
    id: &SessionKey,
) -> Result<Json<RecordingState>, ApiFault> {
    let class = &here.class.id;
    let setting = app.store.recording_setting(class, Some(id)).await?;
    let own = setting != RecordingSetting::AsClass;
    let plan = app.store.recording_plan(class, id).await?;
    Ok(told(own, plan))
}

/// Set whether a session is recorded, or that it is as its class says.
#[utoipa::path(put, path = "/sessions/{id}/recording", tag = "classes", params(("id" = String, Path)), request_body = RecordingForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingState),
        (status = 400, body = Refusal, description = "fields who, why, keep: required, tooLong, badValue; ask: badValue where the sort of class asks for consent"),
        (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn set_session(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
    Body(form): Body<RecordingForm>,
) -> Result<Json<RecordingState>, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let setting = if form.own {
        setting_of(&form, here.class.plan.kind)?
    } else {
        RecordingSetting::AsClass
    };
    let by = here.signed.person();
    app.store
        .set_recording(&here.class.id, Some(&id), &setting, by, wall_ms())
        .await?;
    tell_rooms(&app, &here.class, by, vec![session]).await?;
    state_of(&app, &here, &id).await
}
