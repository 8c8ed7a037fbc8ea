//! The roster of a class.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{ClassId, Page, Right, RosterChange, RosterRow, RosterVersion};
use lophoc_ledger::PersonKey;
use lophoc_records::{RosterAuthor, RosterHow};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::{Ask, At, Body};
use super::super::text::Fields;
use super::super::{PAGE, Routes, Signed, mask};
use super::{Here, forms};
use crate::app::App;
use crate::clock::wall_ms;

/// Changes in one call.
const CHANGES: usize = 5_000;
/// Longest note, characters.
const NOTE: usize = 500;
/// Most rows of one page.
const MOST: u32 = 500;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, change))
        .routes(routes!(versions))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// In the name, marks do not matter; or a whole identifier that is no
    /// personal number.
    q: String,
    /// First row, from 0.
    from: u32,
    /// Rows, 50 when absent, at most 500.
    n: Option<u32>,
}

/// Rows of the roster by given name, as far as the asker may see them.
#[utoipa::path(get, path = "/classes/{id}/roster", tag = "roster", params(("id" = String, Path), Search),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Page<RosterRow>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Ask(search): Ask<Search>,
) -> Result<Json<Page<RosterRow>>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    let seen = here.need_people(&app, Right::SeeRoster).await?;
    let q = forms::search(&search.q)?;
    let n = search.n.unwrap_or(PAGE).min(MOST);
    let mut page = app
        .store
        .roster_page(&id, &seen, &q, search.from, n)
        .await?;
    for row in &mut page.items {
        mask(&mut row.person);
    }
    Ok(Json(page))
}

/// Add and change rows: all of them in one version, or none. Whoever comes
/// after the class was opened is an addition. The answer is `null` when nothing
/// changed.
#[utoipa::path(post, path = "/classes/{id}/roster", tag = "roster", params(("id" = String, Path)), request_body = Vec<RosterChange>,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Option<RosterVersion>), (status = 400, body = Refusal, description = "field person: unknown"),
        (status = 403, body = Refusal, description = "also when one of them is none of the asker's people"), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused; protected with the day in `until`")))]
async fn change(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(mut changes): Body<Vec<RosterChange>>,
) -> Result<Json<Option<RosterVersion>>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    let mine = here.need_people(&app, Right::ManageRoster).await?;
    if changes.len() > CHANGES {
        return Err(ApiFault::too_large());
    }
    let mut fields = Fields::default();
    for (no, change) in changes.iter_mut().enumerate() {
        fields.text(&format!("[{no}].note"), &mut change.note, NOTE);
    }
    fields.done()?;
    let people: Vec<PersonKey> = changes.iter().map(|one| one.person.clone()).collect();
    if !app.store.reaches(&mine, &people).await? {
        return Err(ApiFault::forbidden());
    }
    let author = RosterAuthor {
        by: here.signed.person(),
        how: RosterHow::Manual,
        now_ms: wall_ms(),
    };
    let made = app.store.change_roster(&id, &changes, author).await?;
    Ok(Json(made))
}

/// The versions of the roster, oldest first.
#[utoipa::path(get, path = "/classes/{id}/roster/versions", tag = "roster", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Vec<RosterVersion>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn versions(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<Vec<RosterVersion>>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_people(&app, Right::SeeRoster).await?;
    Ok(Json(app.store.roster_versions(&id).await?))
}
