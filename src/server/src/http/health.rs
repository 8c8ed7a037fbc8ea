//! Alive, ready, metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::address::is_local;
use crate::app::App;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Ready {
    database: bool,
    media: bool,
    draining: bool,
}

/// People can be let in: the database takes writes, the media threads run, and
/// the server is not stopping.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let ready = Ready {
        database: app.database_writable().await,
        media: app.media_alive(),
        draining: app.is_draining(),
    };
    let status = if ready.database && ready.media && !ready.draining {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(ready)).into_response()
}

/// For Prometheus: from this machine, or with the configured token.
pub async fn metrics(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !is_local(socket, &headers) && !has_token(&headers, &app.config.metrics.token) {
        return StatusCode::FORBIDDEN.into_response();
    }
    app.metrics.media.update(&app.media.stats());
    match app.metrics.render() {
        Ok(text) => (
            [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    !token.is_empty()
        && given.is_some_and(|given| {
            aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), token.as_bytes())
                .is_ok()
        })
}
