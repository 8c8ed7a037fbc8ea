//! `/api`: what a link leads to, coming in, the list of stays.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lophoc_ledger::{CsvOptions, Event, EventKind, PersonKey, SessionKey, stays, stays_csv};
use lophoc_protocol::{Action, ErrorCode, PersonId, Role, RoomMode};
use lophoc_records::{Session, SessionState, StoreError};
use lophoc_room::text::{clean_name, clean_unit};
use serde::{Deserialize, Serialize};

use super::address::client_address;
use super::error::ApiError;
use crate::app::App;
use crate::auth::{LinkClaims, TOKEN_LIFE_MS, TokenClaims, person_of_device};
use crate::clock::wall_ms;
use crate::room::mode_of;

/// Key a browser keeps, characters.
const DEVICE_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// People may come in this long before the planned beginning, ms.
const EARLY_MS: u64 = 60 * 60 * 1000;

/// `POST /api/link`
#[derive(Debug, Deserialize)]
pub struct LinkRequest {
    link: String,
}

/// Where a link leads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkAnswer {
    room: String,
    session: SessionKey,
    title: String,
    host: String,
    mode: RoomMode,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<u64>,
    state: Gate,
}

/// Whether one can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Gate {
    Open,
    Early,
    Ended,
    Locked,
    Full,
}

/// What a link leads to, before anybody gives a name.
pub async fn link(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<LinkRequest>, JsonRejection>,
) -> Result<Json<LinkAnswer>, ApiError> {
    limit(&app, socket, &headers)?;
    let Json(request) = body?;
    let claims = LinkClaims::open(&app.keys, token_of(&request.link), wall_ms())?;
    let session = session_of(&app, claims.room.as_str()).await?;
    let class = app
        .store
        .class(&session.class)
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))?;
    let state = gate(&app, &session).await;
    let (name, unit) = claims
        .named
        .map_or((None, None), |named| (Some(named.name), named.unit));
    Ok(Json(LinkAnswer {
        room: session.room,
        session: session.id,
        title: session.title,
        host: class.host_name,
        mode: mode_of(session.mode),
        role: claims.role,
        name,
        unit,
        starts_at: session.starts_ms,
        ends_at: session.ends_ms,
        state,
    }))
}

/// `POST /api/join`
#[derive(Debug, Deserialize)]
pub struct JoinRequest {
    link: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: Option<String>,
    device: String,
}

/// What the browser shows at the websocket.
#[derive(Debug, Serialize)]
pub struct JoinAnswer {
    token: String,
    person: PersonId,
    name: String,
    role: Role,
}

/// Gives a session token for a link and a name.
pub async fn join(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<JoinRequest>, JsonRejection>,
) -> Result<Json<JoinAnswer>, ApiError> {
    limit(&app, socket, &headers)?;
    let Json(request) = body?;
    if app.is_draining() {
        return Err(ApiError(ErrorCode::Busy));
    }
    let now = wall_ms();
    let claims = LinkClaims::open(&app.keys, token_of(&request.link), now)?;
    let session = session_of(&app, claims.room.as_str()).await?;
    match gate(&app, &session).await {
        Gate::Early => return Err(ApiError(ErrorCode::TooEarly)),
        Gate::Ended => return Err(ApiError(ErrorCode::Ended)),
        // A person who is in already may come back to a locked or full room:
        // the room decides when he is at the websocket.
        Gate::Open | Gate::Locked | Gate::Full => {}
    }
    if !DEVICE_LENGTH.contains(&request.device.len()) {
        return Err(ApiError(ErrorCode::BadRequest));
    }
    let (person, device) = person_of_device(&app.keys, &claims.lid, &request.device);
    let (person, name, unit) = match claims.named {
        Some(named) => (named.person, named.name, named.unit),
        None => {
            let name = clean_name(&request.name).map_err(|_| ApiError(ErrorCode::BadRequest))?;
            let unit = clean_unit(request.unit.as_deref().unwrap_or_default())
                .map_err(|_| ApiError(ErrorCode::BadRequest))?;
            (person, name, unit)
        }
    };
    let role = claims.role;
    let exp = now.saturating_add(TOKEN_LIFE_MS);
    let token = TokenClaims {
        room: claims.room,
        session: session.id,
        person,
        name,
        unit,
        role,
        device,
        exp,
    };
    let text = token.seal(&app.keys)?;
    Ok(Json(JoinAnswer {
        token: text,
        person: token.person,
        name: token.name,
        role,
    }))
}

/// The stays of a session as CSV, for those with the right to export.
pub async fn stays_file(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    limit(&app, socket, &headers)?;
    let claims = bearer(&app, &headers)?;
    let session = SessionKey(id);
    if claims.session != session {
        return Err(ApiError(ErrorCode::Forbidden));
    }
    let known = app
        .store
        .session(&session)
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))?;
    // The right to export is the same in every mode and with or without the floor.
    if !lophoc_room::rights::allowed(claims.role, mode_of(known.mode), false, Action::Export) {
        return Err(ApiError(ErrorCode::Forbidden));
    }
    let events = app.store.events(&session).await.map_err(stored)?;
    if let Some(code) = sent_away(&events, &PersonKey(claims.person.0)) {
        return Err(ApiError(code));
    }
    let csv = app
        .stays_csv(&session, &events, CsvOptions::default())
        .await
        .map_err(stored)?;
    let name = format!("attachment; filename=\"stays-{}.csv\"", session.as_str());
    Ok((
        [
            (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        csv,
    )
        .into_response())
}

impl App {
    /// The stays as CSV, up to now. `events` are those of the session.
    async fn stays_csv(
        &self,
        session: &SessionKey,
        events: &[Event],
        options: CsvOptions,
    ) -> Result<String, StoreError> {
        let presence = self.store.presence(session).await?;
        Ok(stays_csv(
            &stays(events, &presence, Some(self.stamp())),
            options,
        ))
    }
}

/// Whether the person was removed and not let in since: a token given before
/// is good for nothing then.
fn sent_away(events: &[Event], person: &PersonKey) -> Option<ErrorCode> {
    events.iter().fold(None, |code, event| match &event.kind {
        EventKind::Removed {
            person: who,
            barred,
            ..
        } if who == person => Some(if *barred {
            ErrorCode::Banned
        } else {
            ErrorCode::Removed
        }),
        EventKind::Join { person: who, .. } if who == person => None,
        _ => code,
    })
}

fn bearer(app: &App, headers: &HeaderMap) -> Result<TokenClaims, ApiError> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(ApiError(ErrorCode::Forbidden))?;
    Ok(TokenClaims::open(&app.keys, token, wall_ms())?)
}

fn limit(app: &App, socket: SocketAddr, headers: &HeaderMap) -> Result<(), ApiError> {
    let address = client_address(socket, headers, &app.config.server.trusted_proxies);
    // By the clock that is never set: a step back must not lock anybody out.
    if app.api_rate.take(address, app.clock.now().mono_ms) {
        return Ok(());
    }
    app.metrics.limited.inc();
    Err(ApiError(ErrorCode::RateLimited))
}

/// People paste the whole address as well.
fn token_of(link: &str) -> &str {
    link.rsplit_once("/j/")
        .map_or(link, |(_, token)| token)
        .trim()
}

async fn session_of(app: &App, room: &str) -> Result<Session, ApiError> {
    app.store
        .session_of_room(room)
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))
}

async fn gate(app: &App, session: &Session) -> Gate {
    if session.state == SessionState::Ended {
        return Gate::Ended;
    }
    if session
        .starts_ms
        .is_some_and(|starts| wall_ms().saturating_add(EARLY_MS) < starts)
    {
        return Gate::Early;
    }
    match app.rooms.status(session.room.as_str()).await {
        Some(status) if status.ended => Gate::Ended,
        Some(status) if status.locked => Gate::Locked,
        Some(status) if status.full => Gate::Full,
        _ => Gate::Open,
    }
}

fn stored(error: StoreError) -> ApiError {
    tracing::error!(%error, "the store failed a call");
    match error {
        StoreError::Busy | StoreError::Full => ApiError(ErrorCode::Busy),
        _ => ApiError(ErrorCode::Internal),
    }
}
