//! Preflight links of the sites of a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use lophoc_classes::{PreflightLink, Right};
use lophoc_ledger::{SessionKey, name_key};
use utoipa_axum::routes;

use super::super::check_in::base_url;
use super::super::error::{ApiFault, Refusal};
use super::super::extract::At;
use super::super::{Routes, Signed};
use super::Here;
use super::links::{good_until, need_coming};
use crate::app::App;
use crate::auth::PreflightClaims;

pub fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// Preflight links of the sites (điểm cầu) of a session, by name. Nobody comes
/// into the room with one. Whoever cares for some units gets those of their
/// sites.
#[utoipa::path(get, path = "/sessions/{id}/preflight", tag = "links", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Vec<PreflightLink>), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: the session is over")))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<SessionKey>,
) -> Result<Json<Vec<PreflightLink>>, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    let mine = here.need_people(&app, Right::ManageRoster).await?;
    need_coming(&session)?;
    let mut places = app.store.places_in(&id).await?;
    places.retain(|_, place| place.site.is_some());
    if !mine.all {
        let reached = app.store.reached(&mine, &session.class).await?;
        places.retain(|person, _| reached.contains(person));
    }
    let base = base_url(&app, &headers);
    let exp = good_until(&session);
    let mut links = Vec::with_capacity(places.len());
    for (site, place) in places {
        let claims = PreflightClaims {
            session: id.clone(),
            site: site.clone(),
            exp,
        };
        let sealed = claims.seal(&app.keys).map_err(|error| {
            tracing::error!(%error, "a preflight link was not made");
            ApiFault::internal()
        })?;
        links.push(PreflightLink {
            site,
            name: place.name,
            unit: place.unit.unwrap_or_default(),
            url: format!("{base}/preflight/{sealed}"),
            until_ms: exp,
        });
    }
    links.sort_by_cached_key(|link| (name_key(&link.name), link.site.clone()));
    Ok(Json(links))
}
