//! Tokens of the API: made and ended by the person they act for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lophoc_classes::{ApiToken, NewApiToken};
use utoipa_axum::routes;

use super::error::{ApiFault, Refusal};
use super::extract::{At, Body};
use super::text::Fields;
use super::{Routes, Signed};
use crate::app::App;
use crate::auth::{api_secret, hash_of};
use crate::clock::wall_ms;
use crate::random;

/// Tokens of one person.
const MOST: usize = 50;
const LABEL: usize = 80;
/// Days a token may last.
const DAYS: std::ops::RangeInclusive<u16> = 1..=365;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(end))
}

/// The own tokens, without secrets.
#[utoipa::path(get, path = "/tokens", tag = "sign-in", security(("cookie" = [])), responses((status = 200, body = Vec<ApiToken>)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
) -> Result<Json<Vec<ApiToken>>, ApiFault> {
    Ok(Json(app.store.api_tokens(signed.person()).await?))
}

/// A new token. Its secret is in this answer only.
#[utoipa::path(post, path = "/tokens", tag = "sign-in", request_body = NewApiToken, security(("cookie" = [])), responses(
    (status = 201, body = ApiToken), (status = 400, body = Refusal)))]
async fn create(
    State(app): State<Arc<App>>,
    signed: Signed,
    Body(mut new): Body<NewApiToken>,
) -> Result<(StatusCode, Json<ApiToken>), ApiFault> {
    let mut fields = Fields::default();
    fields.required("label", &mut new.label, LABEL);
    if !DAYS.contains(&new.days) {
        fields.wrong("days", "badValue");
    }
    if new.scopes.is_empty() {
        fields.wrong("scopes", "required");
    }
    fields.done()?;
    let mut scopes = Vec::new();
    for scope in new.scopes {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    let person = signed.person();
    if app.store.api_tokens(person).await?.len() >= MOST {
        return Err(ApiFault::refused(None));
    }
    let now = wall_ms();
    let secret = api_secret()?;
    let hash = hash_of(&secret).ok_or_else(ApiFault::internal)?;
    let token = ApiToken {
        id: random::id("t")?,
        label: new.label,
        scopes,
        expires_ms: now.saturating_add(u64::from(new.days).saturating_mul(DAY_MS)),
        used_ms: None,
        secret: Some(secret),
    };
    app.store.add_api_token(person, &token, &hash, now).await?;
    app.store
        .log_change(person, "token", &token.id, now)
        .await?;
    tracing::info!(person = %person, token = token.id, "API token made");
    Ok((StatusCode::CREATED, Json(token)))
}

/// End a token at once.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "sign-in", params(("id" = String, Path)), security(("cookie" = [])), responses(
    (status = 204), (status = 404, body = Refusal)))]
async fn end(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<StatusCode, ApiFault> {
    let (person, now) = (signed.person(), wall_ms());
    if !app.store.end_api_token(person, &id, now).await? {
        return Err(ApiFault::not_found());
    }
    app.store.log_change(person, "tokenEnded", &id, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
