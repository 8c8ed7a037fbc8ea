//! House rules (nội quy) of a class: shown and accepted at the first join.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{ClassId, Right};
use lophoc_records::HouseRules;
use lophoc_room::text::{BadText, clean_chat};
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
    Routes::new().routes(routes!(read, set))
}

/// House rules of a class.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassRules {
    /// Counts up with every change; 0 = there are none.
    version: u32,
    /// Text; empty where there are none.
    text: String,
}

/// New house rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassRulesForm {
    /// Text with its lines, at most 5,000 characters; empty takes the rules away.
    text: String,
}

fn told(rules: Option<HouseRules>) -> Json<ClassRules> {
    let (version, text) = rules.map_or((0, String::new()), |rules| (rules.version, rules.text));
    Json(ClassRules { version, text })
}

/// The house rules.
#[utoipa::path(get, path = "/classes/{id}/rules", tag = "classes", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = ClassRules), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn read(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<ClassRules>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_sight(&app).await?;
    Ok(told(app.store.house_rules(&id).await?))
}

/// Set the house rules. Other words are another version, which everybody
/// accepts anew at the next join.
#[utoipa::path(put, path = "/classes/{id}/rules", tag = "classes", params(("id" = String, Path)), request_body = ClassRulesForm,
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = ClassRules), (status = 400, body = Refusal, description = "field text: tooLong"),
        (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn set(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Body(form): Body<ClassRulesForm>,
) -> Result<Json<ClassRules>, ApiFault> {
    let here = Here::class(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let text = match clean_chat(&form.text) {
        Ok(text) => text,
        Err(BadText::Empty | BadText::Control) => String::new(),
        Err(BadText::TooLong) => return Err(ApiFault::field("text", "tooLong")),
    };
    let by = here.signed.person();
    let rules = app.store.set_house_rules(&id, &text, by, wall_ms()).await?;
    Ok(told(rules))
}
