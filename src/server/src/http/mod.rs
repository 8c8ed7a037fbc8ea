//! Pages, calls, health and the way to the websocket.

mod address;
pub(crate) mod api;
pub mod assets;
pub mod error;
mod headers;
mod health;
mod join;
pub mod limit;
mod paced;
mod shed;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, map_request};
use axum::routing::{any, get, post};
use tower_http::compression::CompressionLayer;

pub use address::{client_address, origin_allowed};
pub(crate) use shed::ShedAcceptor;

pub(crate) use join::{plan_hash, plan_told, words_hash};

use crate::api as v1;
use crate::app::App;
use crate::materials;
use crate::recording;
use crate::ws;

/// Largest body of a call, bytes. Links, names and tokens are short.
const MAX_BODY: usize = 16 * 1024;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let calls = Router::new()
        .route("/api/link", post(join::link))
        .route("/api/join", post(join::join))
        .route("/api/sessions/{id}/stays.csv", get(api::stays_file))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CompressionLayer::new());
    let records = v1::router(&app).layer(CompressionLayer::new());
    Router::new()
        .merge(calls)
        .merge(records)
        .merge(materials::router())
        .merge(recording::router())
        .route("/rtc/v1", any(ws::upgrade))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(get(assets::serve))
        .layer(map_request(paced::hold))
        .layer(from_fn(headers::secure))
        .with_state(app)
}
