//! Organisation units: the tree, and its care by administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{DataCheck, Day, Page, Unit, UnitId, UnitKind, UnitPath};
use lophoc_records::UnitQuery;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body};
use super::text::Fields;
use super::{PAGE, Routes, Signed, need_admin};
use crate::app::App;
use crate::clock::wall_ms;
use crate::random;

const NAME: usize = 200;
const SHORT: usize = 60;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(one, change))
        .routes(routes!(path))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Search {
    /// In the name, in any spelling; or a code.
    q: String,
    /// Below this unit, by either parent.
    parent: Option<String>,
    /// Sort.
    #[param(inline)]
    kind: Option<UnitKind>,
    /// Valid on this day, `YYYY-MM-DD`.
    #[param(value_type = Option<String>)]
    on: Option<Day>,
    /// First entry, from 0.
    from: u32,
}

/// Units by name.
#[utoipa::path(get, path = "/units", tag = "units", params(Search), security(("cookie" = []), ("token" = [])), responses((status = 200, body = Page<Unit>)))]
async fn list(
    State(app): State<Arc<App>>,
    _signed: Signed,
    Ask(search): Ask<Search>,
) -> Result<Json<Page<Unit>>, ApiFault> {
    let query = UnitQuery {
        text: search.q,
        parent: search.parent.map(UnitId),
        kind: search.kind,
        on: search.on,
    };
    let (items, total) = app.store.units(&query, search.from, PAGE).await?;
    Ok(Json(Page { items, total }))
}

/// A new unit; its id is made here.
#[utoipa::path(post, path = "/units", tag = "units", request_body = Unit, security(("cookie" = []), ("token" = [])), responses(
    (status = 201, body = Unit), (status = 400, body = Refusal), (status = 403, body = Refusal)))]
async fn create(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(mut unit): Body<Unit>,
) -> Result<(StatusCode, Json<Unit>), ApiFault> {
    need_admin(&signed)?;
    unit.id = UnitId(random::id("u")?);
    (unit.name_check, unit.code_check) = (DataCheck::Own, DataCheck::Own);
    check(&mut unit)?;
    save(&app, &signed, &unit).await?;
    Ok((StatusCode::CREATED, Json(unit)))
}

/// A unit.
#[utoipa::path(get, path = "/units/{id}", tag = "units", params(("id" = String, Path)), security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Unit), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    _signed: Signed,
    At(id): At<String>,
) -> Result<Json<Unit>, ApiFault> {
    let unit = app.store.unit(&UnitId(id)).await?;
    unit.map(Json).ok_or_else(ApiFault::not_found)
}

/// Change a unit.
#[utoipa::path(put, path = "/units/{id}", tag = "units", params(("id" = String, Path)), request_body = Unit, security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Unit), (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn change(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
    Body(mut unit): Body<Unit>,
) -> Result<Json<Unit>, ApiFault> {
    need_admin(&signed)?;
    unit.id = UnitId(id);
    let was = app
        .store
        .unit(&unit.id)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    check(&mut unit)?;
    // Whoever changes a name or code answers for it from then on.
    unit.name_check = if unit.name == was.name {
        was.name_check
    } else {
        DataCheck::Own
    };
    let same = (&unit.sector_code, &unit.area_code) == (&was.sector_code, &was.area_code);
    unit.code_check = if same { was.code_check } else { DataCheck::Own };
    save(&app, &signed, &unit).await?;
    Ok(Json(unit))
}

/// Names from the root to the unit.
#[utoipa::path(get, path = "/units/{id}/path", tag = "units", params(("id" = String, Path)), security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = UnitPath), (status = 404, body = Refusal)))]
async fn path(
    State(app): State<Arc<App>>,
    _signed: Signed,
    At(id): At<String>,
) -> Result<Json<UnitPath>, ApiFault> {
    let id = UnitId(id);
    let names = app.store.unit_path(&id).await?;
    if names.is_empty() {
        return Err(ApiFault::not_found());
    }
    Ok(Json(UnitPath { id, names }))
}

async fn save(app: &App, signed: &Signed, unit: &Unit) -> Result<(), ApiFault> {
    app.store.save_unit(unit).await?;
    let by = signed.person();
    Ok(app
        .store
        .log_change(by, "unit", unit.id.as_str(), wall_ms())
        .await?)
}

fn check(unit: &mut Unit) -> Result<(), ApiFault> {
    let mut fields = Fields::default();
    fields.required("name", &mut unit.name, NAME);
    fields.text("short", &mut unit.short, SHORT);
    fields.text("place", &mut unit.place, SHORT);
    fields.text("leader", &mut unit.leader, NAME);
    fields.text("contact", &mut unit.contact, NAME);
    for (field, code) in [
        ("sectorCode", &mut unit.sector_code),
        ("areaCode", &mut unit.area_code),
    ] {
        if let Some(text) = code {
            fields.text(field, text, SHORT);
        }
        if code.as_deref() == Some("") {
            *code = None;
        }
    }
    let digits =
        |code: &String| matches!(code.len(), 2 | 5) && code.bytes().all(|b| b.is_ascii_digit());
    if unit.area_code.as_ref().is_some_and(|code| !digits(code)) {
        fields.wrong("areaCode", "badValue");
    }
    if let (Some(from), Some(to)) = (unit.valid_from, unit.valid_to)
        && to < from
    {
        fields.wrong("validTo", "badValue");
    }
    fields.done()
}
