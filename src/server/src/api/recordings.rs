//! Recordings (bản ghi): the list, what is known of each, what is set and done, what
//! a player needs, who watched. Disposal, quota and webhooks are in the files below.

mod dispose;
mod hooks;
mod watch;
mod withdraw;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use lophoc_classes::{
    Audience, AudienceForm, AudienceKind, Class, ClassId, CutsForm, MAX_CUTS, MAX_LICENCE,
    MAX_REASON, RecordingDetail, RecordingItem, RecordingList, RecordingRefused, RecordingSettings,
    RecordingState, RecordingStepForm, Standing,
};
use lophoc_ledger::SessionKey;
use lophoc_recording::{Cuts, Span};
use lophoc_records::{Recording, RecordingAuthor, RecordingFilter};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::check_in::base_url;
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::{How, Routes, Signed, SignedInRoom};
use crate::app::App;
use crate::auth::Viewer;
use crate::clock::wall_ms;
use crate::recording::access::{line_of, live_of, protection};
use crate::recording::show::{audience_of, item, whole};
use crate::recording::{Access, KeepError, access_of, detail, films};

/// Longest search text, characters.
const SEARCH: usize = 200;
/// Longest life of a link, ms: a year and a day.
const LINK_MS: u64 = 367 * 24 * 60 * 60 * 1_000;
/// Largest file of captions, bytes.
const CAPTIONS: usize = 2 * 1024 * 1024;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(step))
        .routes(routes!(cuts))
        .routes(routes!(settings))
        .routes(routes!(audience))
        .merge(dispose::routes())
        .merge(watch::routes())
        .merge(withdraw::routes())
        .merge(
            Routes::new()
                .merge(watch::captions())
                .layer(DefaultBodyLimit::max(CAPTIONS)),
        )
        .merge(hooks::routes())
}

impl From<KeepError> for ApiFault {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Store(error) => error.into(),
            error => {
                tracing::warn!(%error, "a recording cannot be read");
                Self::busy()
            }
        }
    }
}

/// A recording with what the asker may do with it.
pub(super) struct Here {
    recording: Recording,
    class: Class,
    access: Access,
    signed: Signed,
}

impl Here {
    /// # Errors
    /// `notFound`, also for who may do nothing with it: nobody learns what there is.
    async fn of(app: &App, signed: Signed, id: &str) -> Result<Self, ApiFault> {
        let recording = app
            .store
            .recording(id)
            .await?
            .ok_or_else(ApiFault::not_found)?;
        let class = app
            .store
            .class(&recording.class)
            .await?
            .ok_or_else(ApiFault::not_found)?;
        let access = access_of(app, &signed.actor, &recording).await?;
        if !access.any() {
            return Err(ApiFault::not_found());
        }
        Ok(Self {
            recording,
            class,
            access,
            signed,
        })
    }

    /// As [`Self::of`]; the token of a room gives what is recorded in it now, and
    /// nothing else.
    ///
    /// # Errors
    /// `notFound`.
    async fn watching(
        app: &App,
        SignedInRoom(mut signed): SignedInRoom,
        id: &str,
    ) -> Result<Self, ApiFault> {
        let How::Room { session, .. } = &signed.how else {
            return Self::of(app, signed, id).await;
        };
        let session = session.clone();
        // As for the addresses he is given.
        signed.actor.units.clear();
        let here = Self::of(app, signed, id).await?;
        let goes = here.recording.state == RecordingState::Recording;
        if here.recording.session != session || !goes || !here.access.watch {
            return Err(ApiFault::not_found());
        }
        let access = Access {
            watch: true,
            ..Access::default()
        };
        Ok(Self { access, ..here })
    }

    /// # Errors
    /// `forbidden`.
    fn need(&self, may: impl FnOnce(Access) -> bool) -> Result<(), ApiFault> {
        match may(self.access) {
            true => Ok(()),
            false => Err(ApiFault::forbidden()),
        }
    }

    fn author(&self) -> RecordingAuthor {
        RecordingAuthor {
            by: Some(self.signed.person().clone()),
            name: self.signed.name(),
            at_ms: wall_ms(),
        }
    }

    /// As it is now.
    async fn told(
        self,
        app: &Arc<App>,
        headers: &HeaderMap,
    ) -> Result<Json<RecordingDetail>, ApiFault> {
        let here = Self::of(app, self.signed, &self.recording.id).await?;
        let base = base_url(app, headers);
        let person = here.signed.person().clone();
        let told = detail(
            app,
            here.recording,
            &here.class,
            here.access,
            &person,
            &base,
        )
        .await?;
        Ok(Json(told))
    }
}

/// A text of a form: trimmed, within its length, without control characters.
///
/// # Errors
/// `tooLong`, `badValue`.
fn text(field: &str, text: &str, most: usize) -> Result<String, ApiFault> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(ApiFault::field(field, "tooLong"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(ApiFault::field(field, "badValue"));
    }
    Ok(text.to_owned())
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Only of this class.
    class: Option<String>,
    /// Only of this session.
    session: Option<String>,
    /// In titles; marks do not matter.
    q: String,
}

/// Recordings the asker may do something with, latest first, 500 at most: learners
/// see what was released, those who review see all of their classes, and everybody
/// those with his own sound and picture in them.
#[utoipa::path(get, path = "/recordings", tag = "recordings", params(Search),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingList), (status = 400, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(search): Ask<Search>,
) -> Result<Json<RecordingList>, ApiFault> {
    // Bytes ask for a scope of their own of a program.
    let viewer = match &signed.how {
        How::Cookie { .. } => Some(Viewer::Person(signed.person().clone())),
        How::Token { .. } | How::Room { .. } => None,
    };
    let filter = RecordingFilter {
        class: search.class.filter(|id| !id.is_empty()).map(ClassId),
        session: search.session.filter(|id| !id.is_empty()).map(SessionKey),
        q: text("q", &search.q, SEARCH)?,
        line: line_of(&app, signed.person()).await?,
    };
    let found = app.store.recordings(&signed.actor, &filter).await?;
    let holding = app.store.recordings_holding(signed.person()).await?;
    let mut classes: HashMap<ClassId, Class> = HashMap::new();
    let mut standings: HashMap<SessionKey, Standing> = HashMap::new();
    let mut items: Vec<RecordingItem> = Vec::new();
    for recording in found {
        if !standings.contains_key(&recording.session) {
            let standing = app
                .store
                .standing_in(signed.person(), &recording.session)
                .await?;
            standings.insert(recording.session.clone(), standing);
        }
        let Some(standing) = standings.get(&recording.session) else {
            continue;
        };
        let live = live_of(&app, signed.person(), &recording).await?;
        let access = Access::of(&signed.actor, standing, &recording, live, |unit| {
            filter.line.contains(unit)
        });
        let holds = holding.contains(&recording.id) && recording.state.is_there();
        if !access.any() && !holds {
            continue;
        }
        if !classes.contains_key(&recording.class)
            && let Some(class) = app.store.class(&recording.class).await?
        {
            classes.insert(recording.class.clone(), class);
        }
        if let Some(class) = classes.get(&recording.class) {
            let item = item(&app, &recording, class, access, None, viewer.as_ref()).await?;
            items.push(RecordingItem {
                can_withdraw: holds,
                ..item
            });
        }
    }
    Ok(Json(RecordingList { items }))
}

/// All that is known of a recording. Files, log and disposal are told to those who
/// review, edit or dispose.
#[utoipa::path(get, path = "/recordings/{id}", tag = "recordings", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = RecordingDetail), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    Here::of(&app, signed, &id)
        .await?
        .told(&app, &headers)
        .await
}

/// Release, hide, take back to review, archive. Hiding and archiving end every
/// address that was given out.
#[utoipa::path(post, path = "/recordings/{id}/state", tag = "recordings", params(("id" = String, Path)), request_body = RecordingStepForm,
    security(("cookie" = [])),
    responses((status = 200, body = RecordingDetail), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 400, body = Refusal, description = "field note: required, while it must stay open"),
        (status = 409, body = Refusal, description = "refused: no such step; protected with the day in `until`, without one while the class goes on; conflict")))]
async fn step(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
    Body(form): Body<RecordingStepForm>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.review)?;
    let note = text("note", form.note.as_deref().unwrap_or_default(), MAX_REASON)?;
    let protected = protection(&here.recording, &here.class, wall_ms());
    let from = here.recording.state;
    let to = from
        .step(form.to, protected, !note.is_empty())
        .map_err(|refused| match refused {
            RecordingRefused::Order => ApiFault::refused(None),
            RecordingRefused::Protected(until) => ApiFault::protected(until),
            RecordingRefused::Reason => ApiFault::field("note", "required"),
        })?;
    app.store
        .step_recording(&id, from, to, &note, &here.author())
        .await?;
    here.told(&app, &headers).await
}

/// Cut spans out, trim beginning and end; the originals stay as they are. Addresses
/// given out before end: what is cut is served to nobody any more. What was released
/// is cut by those alone who may release it.
#[utoipa::path(put, path = "/recordings/{id}/cuts", tag = "recordings", params(("id" = String, Path)), request_body = CutsForm,
    security(("cookie" = [])),
    responses((status = 200, body = RecordingDetail), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 400, body = Refusal, description = "field cuts: tooLong, badValue"),
        (status = 409, body = Refusal, description = "refused: it goes on")))]
async fn cuts(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
    Body(form): Body<CutsForm>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.edit)?;
    if form.cuts.len() > MAX_CUTS {
        return Err(ApiFault::field("cuts", "tooLong"));
    }
    if here.recording.state == RecordingState::Recording {
        return Err(ApiFault::refused(None));
    }
    let now = whole(&app, here.recording.clone()).await?;
    let length = now.cuts.length_ms();
    let pauses: Vec<Span> = now
        .timeline
        .iter()
        .flat_map(|timeline| timeline.pauses())
        .collect();
    let edits: Vec<Span> = form
        .cuts
        .iter()
        .map(|cut| Span::new(cut.from_ms, cut.to_ms))
        .collect();
    Cuts::check(length, pauses, &edits).map_err(|_| ApiFault::field("cuts", "badValue"))?;
    let merged: Vec<lophoc_classes::TimeSpan> = lophoc_recording::edit::merged(edits, length)
        .into_iter()
        .map(|span| lophoc_classes::TimeSpan {
            from_ms: span.from_ms,
            to_ms: span.to_ms,
        })
        .collect();
    app.store
        .set_recording_cuts(&id, &merged, length, &here.author())
        .await?;
    // Film and small pictures without them are others, and those of before go at once.
    films::forget_now(&app, &whole(&app, here.recording.clone()).await?).await;
    app.keep.wake.notify_waiters();
    here.told(&app, &headers).await
}

/// Downloads, licence, title.
#[utoipa::path(put, path = "/recordings/{id}/settings", tag = "recordings", params(("id" = String, Path)), request_body = RecordingSettings,
    security(("cookie" = [])),
    responses((status = 200, body = RecordingDetail), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn settings(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
    Body(form): Body<RecordingSettings>,
) -> Result<Json<RecordingDetail>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.review)?;
    let clean = |field: &str, value: &Option<String>| -> Result<Option<String>, ApiFault> {
        let value = text(field, value.as_deref().unwrap_or_default(), MAX_LICENCE)?;
        Ok((!value.is_empty()).then_some(value))
    };
    let settings = RecordingSettings {
        downloads: form.downloads,
        licence: clean("licence", &form.licence)?,
        title: clean("title", &form.title)?,
    };
    app.store
        .set_recording_settings(&id, &settings, &here.author())
        .await?;
    here.told(&app, &headers).await
}

/// Who may watch it when it is released. Addresses given out before end; a link is
/// good until its day, or until the audience is another.
#[utoipa::path(put, path = "/recordings/{id}/audience", tag = "recordings", params(("id" = String, Path)), request_body = AudienceForm,
    security(("cookie" = [])),
    responses((status = 200, body = Audience), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 400, body = Refusal, description = "field unit: required, unknown; untilMs: required, badValue")))]
async fn audience(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<String>,
    Body(form): Body<AudienceForm>,
) -> Result<Json<Audience>, ApiFault> {
    let here = Here::of(&app, signed, &id).await?;
    here.need(|access| access.review)?;
    let now = wall_ms();
    let form = match form.kind {
        AudienceKind::Unit => {
            let unit = form
                .unit
                .ok_or_else(|| ApiFault::field("unit", "required"))?;
            if app.store.unit(&unit).await?.is_none() {
                return Err(ApiFault::field("unit", "unknown"));
            }
            AudienceForm {
                unit: Some(unit),
                until_ms: None,
                kind: form.kind,
            }
        }
        AudienceKind::Link => {
            let until = form
                .until_ms
                .ok_or_else(|| ApiFault::field("untilMs", "required"))?;
            if until <= now || until > now.saturating_add(LINK_MS) {
                return Err(ApiFault::field("untilMs", "badValue"));
            }
            AudienceForm {
                unit: None,
                until_ms: Some(until),
                kind: form.kind,
            }
        }
        AudienceKind::Enrolled | AudienceKind::Public => AudienceForm {
            unit: None,
            until_ms: None,
            kind: form.kind,
        },
    };
    app.store
        .set_recording_audience(&id, &form, &here.author())
        .await?;
    let here = Here::of(&app, here.signed, &id).await?;
    let base = base_url(&app, &headers);
    Ok(Json(audience_of(&app, &here.recording, &base, here.access)))
}

/// Nothing to tell.
const DONE: StatusCode = StatusCode::NO_CONTENT;
