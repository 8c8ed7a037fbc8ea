//! Personal links into the room of a session, and their QR codes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use lophoc_classes::{Class, ClassId, GuestPolicy, JoinLink, Right, Session, SessionPhase};
use lophoc_ledger::{PersonKey, SessionKey, name_key};
use lophoc_protocol::{PersonId, Role, RoomId};
use lophoc_records::Place;
use lophoc_room::text::{clean_name, clean_unit};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::super::check_in::base_url;
use super::super::error::{ApiFault, Refusal};
use super::super::extract::{Ask, At};
use super::super::{Routes, Signed};
use super::Here;
use crate::app::App;
use crate::auth::{LinkClaims, NamedPerson};
use crate::clock::wall_ms;

const HOUR_MS: u64 = 60 * 60 * 1000;
/// A link is good for so long after the planned end: sessions run late.
const AFTER_MS: u64 = 12 * HOUR_MS;
/// A link is good for so long at least.
const LEAST_MS: u64 = 24 * HOUR_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Stands for the person in the address of the guests' code.
const GUEST: &str = "guest";
/// The role of those on the roster.
pub const LEARNER: &str = "learner";

pub fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(picture))
}

/// Until when links of a session are good, ms. Whole days: a link stays the same
/// while it is printed and sent.
pub fn good_until(session: &Session) -> u64 {
    let now = wall_ms();
    let over = session.form.ends_ms.or(session.form.starts_ms);
    over.unwrap_or(now)
        .saturating_add(AFTER_MS)
        .max(now.saturating_add(LEAST_MS))
        .div_ceil(DAY_MS)
        .saturating_mul(DAY_MS)
}

/// Makes the links of one session.
pub struct Maker<'a> {
    app: &'a App,
    session: &'a Session,
    base: String,
    exp: u64,
}

impl<'a> Maker<'a> {
    /// For a session. `base` is the address people reach the server by.
    pub fn new(app: &'a App, session: &'a Session, base: String) -> Self {
        let exp = good_until(session);
        Self {
            app,
            session,
            base,
            exp,
        }
    }

    /// The link of a person of the staff or roster. `None`: his name cannot be
    /// shown in a room.
    ///
    /// # Errors
    /// Sealing failed.
    pub fn personal(
        &self,
        person: &PersonKey,
        place: &Place,
    ) -> Result<Option<JoinLink>, ApiFault> {
        let Some(role) = role_of(place.role) else {
            return Ok(None);
        };
        let Ok(name) = clean_name(&place.name) else {
            tracing::warn!(%person, "a name cannot be shown in a room");
            return Ok(None);
        };
        // A unit too long to be shown is left out of the link, not of the records.
        let unit = clean_unit(place.unit.as_deref().unwrap_or_default()).unwrap_or_default();
        let named = NamedPerson {
            person: PersonId(person.0.clone()),
            name: name.clone(),
            unit: unit.clone(),
        };
        let url = self.sealed(role, person.as_str(), Some(named), place.site.clone())?;
        Ok(Some(JoinLink {
            person: Some(person.clone()),
            name,
            unit: place.unit.clone().unwrap_or_default(),
            role: place.role.to_owned(),
            url,
        }))
    }

    /// The open link for guests.
    ///
    /// # Errors
    /// Sealing failed.
    pub fn guest(&self) -> Result<JoinLink, ApiFault> {
        Ok(JoinLink {
            person: None,
            name: String::new(),
            unit: String::new(),
            role: GUEST.to_owned(),
            url: self.sealed(Role::Guest, GUEST, None, None)?,
        })
    }

    fn sealed(
        &self,
        role: Role,
        whose: &str,
        named: Option<NamedPerson>,
        site: Option<String>,
    ) -> Result<String, ApiFault> {
        let claims = LinkClaims {
            room: RoomId(self.session.room.clone()),
            role,
            exp: self.exp,
            // The same link every time it is asked for, one per person.
            lid: format!("{}.{whose}", self.session.id),
            site,
            named,
        };
        let sealed = claims.seal(&self.app.keys).map_err(|error| {
            tracing::error!(%error, "a link was not made");
            ApiFault::internal()
        })?;
        Ok(format!("{}/j/{sealed}", self.base))
    }
}

fn role_of(name: &str) -> Option<Role> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Session; absent: the one that runs or comes next.
    session: Option<String>,
}

/// Links of staff and roster into the room of a session, by given name, those
/// of the staff first; and one for guests when the plan lets them come. Whoever
/// cares for some people of the roster only gets the links of these, and those
/// of the staff go to whoever names it.
#[utoipa::path(get, path = "/classes/{id}/links", tag = "links", params(("id" = String, Path), Which),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Vec<JoinLink>), (status = 403, body = Refusal),
        (status = 404, body = Refusal, description = "also when there is no session to come"),
        (status = 409, body = Refusal, description = "refused: the session is over")))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<ClassId>,
    Ask(which): Ask<Which>,
) -> Result<Json<Vec<JoinLink>>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    let mine = here.need_people(&app, Right::ManageRoster).await?;
    let sessions = app.store.lessons(&id).await?;
    let session = match which.session.filter(|session| !session.is_empty()) {
        Some(wanted) => sessions.iter().find(|one| one.id.as_str() == wanted),
        None => lophoc_records::next_session(&sessions, wall_ms()),
    };
    let session = session.ok_or_else(ApiFault::not_found)?;
    need_coming(session)?;
    let maker = Maker::new(&app, session, base_url(&app, &headers));
    let mut places: Vec<(PersonKey, Place)> = app
        .store
        .places_in(&session.id)
        .await?
        .into_iter()
        .collect();
    // Whoever names no staff gets no key to its rights either.
    if !here.grant(Right::ManageStaff).all {
        places.retain(|(_, place)| place.role == LEARNER);
    }
    if !mine.all {
        let reached = app.store.reached(&mine, &id).await?;
        places.retain(|(person, _)| reached.contains(person));
    }
    places.sort_by_cached_key(|(person, place)| {
        (place.role == LEARNER, name_key(&place.name), person.clone())
    });
    let mut links = Vec::with_capacity(places.len() + 1);
    for (person, place) in &places {
        links.extend(maker.personal(person, place)?);
    }
    if mine.all && guests_come(&here.class) {
        links.push(maker.guest()?);
    }
    Ok(Json(links))
}

/// Whether the plan lets guests in.
pub fn guests_come(class: &Class) -> bool {
    class.plan.guests != GuestPolicy::Nobody
}

pub fn need_coming(session: &Session) -> Result<(), ApiFault> {
    if session.phase.is_held() || session.phase == SessionPhase::Cancelled {
        return Err(ApiFault::refused(None));
    }
    Ok(())
}

/// The QR code of a personal link, as SVG; `guest` for that of the guests.
/// Everybody may have his own.
#[utoipa::path(get, path = "/sessions/{id}/links/{person}/qr.svg", tag = "links", params(("id" = String, Path), ("person" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 403, body = Refusal),
        (status = 404, body = Refusal), (status = 409, body = Refusal, description = "refused: the session is over")))]
async fn picture(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At((id, person)): At<(SessionKey, String)>,
) -> Result<impl IntoResponse, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    let person = PersonKey(person);
    let own = person == *here.signed.person();
    if !own {
        let mine = here.need_people(&app, Right::ManageRoster).await?;
        let reached = person.as_str() != GUEST
            && app
                .store
                .reaches(&mine, std::slice::from_ref(&person))
                .await?;
        if !mine.all && !reached {
            return Err(ApiFault::forbidden());
        }
    }
    need_coming(&session)?;
    let maker = Maker::new(&app, &session, base_url(&app, &headers));
    let link = if person.as_str() == GUEST {
        guests_come(&here.class)
            .then(|| maker.guest())
            .transpose()?
    } else {
        match app.store.place_in(&id, &person).await? {
            Some(place) if !own && place.role != LEARNER => {
                here.need_all(Right::ManageStaff)?;
                maker.personal(&person, &place)?
            }
            Some(place) => maker.personal(&person, &place)?,
            None => None,
        }
    };
    let link = link.ok_or_else(ApiFault::not_found)?;
    let svg = drawn(&link.url)?;
    Ok((
        [
            (CONTENT_TYPE, "image/svg+xml"),
            // A link is a key: no proxy or shared browser keeps it.
            (CACHE_CONTROL, "no-store"),
        ],
        svg,
    ))
}

/// Links are long; the lowest level of correction keeps the squares large.
fn drawn(text: &str) -> Result<String, ApiFault> {
    let code = qrcode::QrCode::with_error_correction_level(text.as_bytes(), qrcode::EcLevel::L)
        .map_err(|error| {
            tracing::error!(%error, "a code was not drawn");
            ApiFault::internal()
        })?;
    Ok(code
        .render::<qrcode::render::svg::Color<'_>>()
        .min_dimensions(320, 320)
        .quiet_zone(true)
        .build())
}
