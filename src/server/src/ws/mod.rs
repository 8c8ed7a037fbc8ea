//! Websockets: one task per socket between the wire and the room.

pub mod codec;
pub mod outbox;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use lophoc_protocol::limits::MAX_FRAME;
use lophoc_protocol::{ErrorCode, SUBPROTOCOL};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::{client_address, origin_allowed};

/// Buffer of a socket before writing waits, bytes.
const WRITE_BUFFER: usize = 16 * 1024;

/// Most bytes of one read from a socket. Each link holds a buffer of this size and
/// fills it with zeros before every read, so it is no larger than an ordinary
/// message; a longer one takes several reads.
const READ_BUFFER: usize = 4 * 1024;

/// `GET /rtc/v1`
pub async fn upgrade(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !origin_allowed(
        &headers,
        &app.config.server.public_url,
        &app.config.server.origins,
    ) {
        return ApiError(ErrorCode::Forbidden).into_response();
    }
    if app.is_draining() {
        return ApiError(ErrorCode::Busy).into_response();
    }
    if !upgrade
        .requested_protocols()
        .any(|name| name.as_bytes() == SUBPROTOCOL.as_bytes())
    {
        return (StatusCode::BAD_REQUEST, "subprotocol lophoc.v1 expected\n").into_response();
    }
    let address = client_address(socket, &headers, &app.config.server.trusted_proxies);
    let Some(place) = app.link_places.take(address) else {
        app.metrics.limited.inc();
        return ApiError(ErrorCode::RateLimited).into_response();
    };
    upgrade
        .protocols([SUBPROTOCOL])
        .max_frame_size(MAX_FRAME)
        .max_message_size(MAX_FRAME)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| async move {
            app.metrics.links.inc();
            session::run(&app, socket).await;
            app.metrics.links.dec();
            drop(place);
        })
}
