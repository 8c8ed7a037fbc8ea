//! The calendar: sessions of all classes the asker may see.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{CalendarClass, CalendarEntry};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::super::error::{ApiFault, Refusal};
use super::super::extract::Ask;
use super::super::{Routes, Signed};
use crate::app::App;
use crate::clock::wall_ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Longest time in one answer.
const SPAN_MS: u64 = 400 * DAY_MS;
/// Before and after now, when nothing is asked for.
const USUAL_MS: (u64, u64) = (7 * DAY_MS, 60 * DAY_MS);

pub fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Span {
    /// Sessions that begin from then on, ms since the epoch; absent: a week ago.
    from: Option<u64>,
    /// Sessions that begin before then, ms; absent: 67 days after `from`. At
    /// most 400 days after `from`.
    to: Option<u64>,
}

/// Sessions with a planned beginning, in order; cancelled ones too, so that
/// nobody waits for them.
#[utoipa::path(get, path = "/calendar", tag = "sessions", params(Span),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = Vec<CalendarEntry>), (status = 400, body = Refusal)))]
async fn list(
    State(app): State<Arc<App>>,
    signed: Signed,
    Ask(span): Ask<Span>,
) -> Result<Json<Vec<CalendarEntry>>, ApiFault> {
    let (before, after) = USUAL_MS;
    let from = span
        .from
        .unwrap_or_else(|| wall_ms().saturating_sub(before));
    let to = span
        .to
        .unwrap_or_else(|| from.saturating_add(before + after));
    if from > i64::MAX.unsigned_abs() {
        return Err(ApiFault::field("from", "badValue"));
    }
    if to <= from || to - from > SPAN_MS || to > i64::MAX.unsigned_abs() {
        return Err(ApiFault::field("to", "badValue"));
    }
    let found = app.store.calendar(&signed.actor, from, to).await?;
    let entries = found.into_iter().map(|(id, title, session)| CalendarEntry {
        class: CalendarClass { id, title },
        session,
    });
    Ok(Json(entries.collect()))
}
