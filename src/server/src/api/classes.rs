//! Courses and classes: plans, steps of their life, the class page. Sessions,
//! staff, rosters, join links, the calendar and *Lớp của tôi* are in the files
//! below.

mod calendar;
mod forms;
pub(crate) mod ics;
mod links;
mod my;
mod notices;
mod preflight;
mod recording;
mod roster;
mod rules;
mod sessions;
mod staff;

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use lophoc_classes::{
    Class, ClassId, ClassLine, ClassPage, ClassState, Course, CourseForm, Grant, Page, Plan,
    PlanChange, Right, Standing, StepRequest, UnitId, UnitRole, grant,
};
use lophoc_ledger::SessionKey;
use lophoc_records::ClassFilter;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub use links::{LEARNER, Maker};

use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::{PAGE, Routes, Signed};
use crate::app::App;
use crate::clock::wall_ms;

/// Largest body of a plan or a session, bytes: every text at its longest.
const FORM_BODY: usize = 512 * 1024;
/// Largest body of a change of a roster or of a list of learners, bytes.
const LIST_BODY: usize = 4 * 1024 * 1024;
/// Longest search text, characters.
const SEARCH: usize = 200;

/// The routes.
pub fn routes() -> Routes {
    let forms = Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(one, change, delete))
        .routes(routes!(step))
        .routes(routes!(courses, create_course))
        .merge(sessions::routes())
        .merge(rules::routes())
        .merge(recording::routes())
        .layer(DefaultBodyLimit::max(FORM_BODY));
    let lists = Routes::new()
        .merge(staff::routes())
        .merge(roster::routes())
        .layer(DefaultBodyLimit::max(LIST_BODY));
    Routes::new()
        .merge(forms)
        .merge(lists)
        .merge(links::routes())
        .merge(notices::routes())
        .merge(preflight::routes())
        .merge(calendar::routes())
        .merge(my::routes())
}

pub(super) use links::need_coming;
pub(crate) use recording::{least_ask, plan_of};

/// A class with what the asker is to it.
pub(super) struct Here {
    class: Class,
    standing: Standing,
    signed: Signed,
}

impl Here {
    /// A class somebody asks for.
    ///
    /// # Errors
    /// `notFound`, the store's.
    async fn class(app: &App, signed: Signed, id: &ClassId) -> Result<Self, ApiFault> {
        let class = app.store.class(id).await?.ok_or_else(ApiFault::not_found)?;
        let standing = app.store.standing(signed.person(), id).await?;
        Ok(Self {
            class,
            standing,
            signed,
        })
    }

    /// The class of a session somebody asks for, with what he is to it there.
    ///
    /// # Errors
    /// `notFound`, the store's.
    async fn session(
        app: &App,
        signed: Signed,
        id: &SessionKey,
    ) -> Result<(Self, lophoc_classes::Session), ApiFault> {
        let session = app
            .store
            .lesson(id)
            .await?
            .ok_or_else(ApiFault::not_found)?;
        let class = app
            .store
            .class(&session.class)
            .await?
            .ok_or_else(ApiFault::not_found)?;
        let standing = app.store.standing_in(signed.person(), id).await?;
        let here = Self {
            class,
            standing,
            signed,
        };
        Ok((here, session))
    }

    fn grant(&self, right: Right) -> Grant {
        grant(&self.signed.actor, &self.standing, right)
    }

    /// How far a right goes here.
    ///
    /// # Errors
    /// `forbidden` when there is nothing of it.
    fn need(&self, right: Right) -> Result<Grant, ApiFault> {
        let grant = self.grant(right);
        if grant.any() {
            Ok(grant)
        } else {
            Err(ApiFault::forbidden())
        }
    }

    /// A right over everybody of the class.
    ///
    /// # Errors
    /// `forbidden`.
    fn need_all(&self, right: Right) -> Result<(), ApiFault> {
        if self.grant(right).all {
            Ok(())
        } else {
            Err(ApiFault::forbidden())
        }
    }

    /// May see the class: by right, or because people of his units take part.
    ///
    /// # Errors
    /// `forbidden`, the store's.
    async fn need_sight(&self, app: &App) -> Result<(), ApiFault> {
        let sight = self.need(Right::SeeClass)?;
        if sight.all
            || app
                .store
                .units_take_part(&self.class.id, &sight.units)
                .await?
        {
            Ok(())
        } else {
            Err(ApiFault::forbidden())
        }
    }

    /// How far a right over people goes. Who has it for units only must see the
    /// class, or be of a unit below its host: a school enters its people into
    /// the class of its Sở, and into nobody else's.
    ///
    /// # Errors
    /// `forbidden`, the store's.
    async fn need_people(&self, app: &App, right: Right) -> Result<Grant, ApiFault> {
        let grant = self.need(right)?;
        if grant.all || !grant.people.is_empty() {
            return Ok(grant);
        }
        let id = &self.class.id;
        if app.store.units_take_part(id, &grant.units).await? {
            return Ok(grant);
        }
        if let Some(host) = &self.class.plan.host {
            for unit in &grant.units {
                if app.store.line_above(unit).await?.contains(host) {
                    return Ok(grant);
                }
            }
        }
        Err(ApiFault::forbidden())
    }

    fn rights(&self) -> Vec<Right> {
        let all = Right::ALL.into_iter();
        all.filter(|right| self.grant(*right).any()).collect()
    }
}

/// How far somebody may change the roster of a class.
///
/// # Errors
/// `notFound`, `forbidden`, the store's.
pub(super) async fn need_roster(
    app: &App,
    signed: Signed,
    class: &ClassId,
) -> Result<Grant, ApiFault> {
    let here = Here::class(app, signed, class).await?;
    here.need_people(app, Right::ManageRoster).await
}

/// May create a class hosted by this unit.
///
/// # Errors
/// `forbidden`, the store's.
async fn need_host(app: &App, signed: &Signed, host: Option<&UnitId>) -> Result<(), ApiFault> {
    let standing = match host {
        Some(host) => app.store.standing_to_host(host).await?,
        None => Standing::default(),
    };
    if grant(&signed.actor, &standing, Right::ManageClass).all {
        Ok(())
    } else {
        Err(ApiFault::forbidden())
    }
}

/// May have a class to care for, so the list of courses concerns him.
async fn need_organiser(app: &App, signed: &Signed) -> Result<(), ApiFault> {
    let organises =
        |role: &UnitRole| matches!(role, UnitRole::Organiser { .. } | UnitRole::Contact { .. });
    if signed.actor.admin
        || signed.actor.units.iter().any(organises)
        || app.store.is_organiser(signed.person()).await?
    {
        Ok(())
    } else {
        Err(ApiFault::forbidden())
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Only classes in this state.
    state: Option<String>,
    /// In title, code or host; marks do not matter.
    q: String,
    /// First entry, from 0.
    from: u32,
}

/// Classes the asker may see: of his units and those below, where he is on the
/// staff or the roster, or where people of his units take part.
#[utoipa::path(get, path = "/classes", tag = "classes", params(Search),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Page<ClassLine>), (status = 400, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(search): Ask<Search>,
) -> Result<Json<Page<ClassLine>>, ApiFault> {
    let state = search
        .state
        .filter(|state| !state.is_empty())
        .map(|state| {
            ClassState::from_name(&state).ok_or_else(|| ApiFault::field("state", "badValue"))
        })
        .transpose()?;
    let filter = ClassFilter {
        state,
        q: forms::search(&search.q)?,
        from: search.from,
        n: PAGE,
    };
    let page = app.store.class_lines(&signed.actor, &filter, wall_ms());
    Ok(Json(page.await?))
}

/// A new class, a draft. The asker organises for its host unit, or is the
/// contact of it.
#[utoipa::path(post, path = "/classes", tag = "classes", request_body = Plan,
    security(("cookie" = []), ("token" = [])),
    responses((status = 201, body = Class), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 409, body = Refusal, description = "field code: taken")))]
async fn create(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(mut plan): Body<Plan>,
) -> Result<(StatusCode, Json<Class>), ApiFault> {
    forms::plan(&mut plan, "")?;
    need_host(&app, &signed, plan.host.as_ref()).await?;
    let class = app
        .store
        .create_planned(plan, signed.person(), wall_ms())
        .await?;
    Ok((StatusCode::CREATED, Json(class)))
}

/// The class page.
#[utoipa::path(get, path = "/classes/{id}", tag = "classes", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = ClassPage), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<ClassPage>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    let details = app.store.class_details(&here.class, wall_ms()).await?;
    let manages = here.grant(Right::ManageClass).all;
    // The check names people; it is for those who may see them all.
    let checks = here.grant(Right::SeeRoster).all;
    Ok(Json(ClassPage {
        sessions: details.sessions,
        people: details.people,
        sites: details.sites,
        steps: if manages { details.steps } else { Vec::new() },
        rights: here.rights(),
        readiness: if checks {
            details.readiness
        } else {
            Vec::new()
        },
        class: here.class,
    }))
}

/// Change the plan of a class.
#[utoipa::path(put, path = "/classes/{id}", tag = "classes", params(("id" = String, Path)), request_body = PlanChange,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Class), (status = 400, body = Refusal), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "conflict: changed in the meantime; refused; field code: taken")))]
async fn change(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(PlanChange { mut plan, rev }): Body<PlanChange>,
) -> Result<Json<Class>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    forms::plan(&mut plan, "plan.")?;
    // Nobody hands a class to a unit he has no part in.
    if plan.host != here.class.plan.host {
        need_host(&app, &here.signed, plan.host.as_ref()).await?;
    }
    let by = here.signed.person();
    let kind = here.class.plan.kind;
    let class = app.store.change_plan(&id, plan, rev, by, wall_ms()).await?;
    if class.plan.kind != kind {
        // What a recording asks for is another: rooms that are open follow.
        let sessions = app.store.lessons(&id).await?;
        recording::tell_rooms(&app, &class, by, sessions).await?;
    }
    Ok(Json(class))
}

/// Take a step in the life of a class.
#[utoipa::path(post, path = "/classes/{id}/steps", tag = "classes", params(("id" = String, Path)), request_body = StepRequest,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Class), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused with the reason in `step`, or protected with the day in `until`")))]
async fn step(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(mut request): Body<StepRequest>,
) -> Result<Json<Class>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    forms::step(&mut request)?;
    let by = here.signed.person();
    let class = app.store.step_class(&id, &request, by, wall_ms()).await;
    Ok(Json(class?))
}

/// Throw a draft away.
#[utoipa::path(delete, path = "/classes/{id}", tag = "classes", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: no draft, or something of it has a log; protected with the day in `until`")))]
async fn delete(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<StatusCode, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let by = here.signed.person();
    app.store.delete_class(&id, by, wall_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct CourseSearch {
    /// In title or programme; marks do not matter.
    q: String,
    /// First entry, from 0.
    from: u32,
}

/// Courses, latest first.
#[utoipa::path(get, path = "/courses", tag = "classes", params(CourseSearch),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Page<Course>), (status = 403, body = Refusal)))]
async fn courses(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(search): Ask<CourseSearch>,
) -> Result<Json<Page<Course>>, ApiFault> {
    need_organiser(&app, &signed).await?;
    let q = forms::search(&search.q)?;
    Ok(Json(app.store.courses(&q, search.from, PAGE).await?))
}

/// A new course.
#[utoipa::path(post, path = "/courses", tag = "classes", request_body = CourseForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 201, body = Course), (status = 400, body = Refusal), (status = 403, body = Refusal)))]
async fn create_course(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(mut form): Body<CourseForm>,
) -> Result<(StatusCode, Json<Course>), ApiFault> {
    need_organiser(&app, &signed).await?;
    forms::course(&mut form)?;
    let course = app
        .store
        .create_course(form, signed.person(), wall_ms())
        .await?;
    Ok((StatusCode::CREATED, Json(course)))
}
