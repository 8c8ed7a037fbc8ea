//! `/api`: the list of stays; what its calls have in common.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lophoc_ledger::{CsvOptions, Event, EventKind, PersonKey, SessionKey, stays, stays_csv};
use lophoc_protocol::{Action, ErrorCode, Role};
use lophoc_records::StoreError;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as NameError, StrDeserializer};

use super::address::client_address;
use super::error::ApiError;
use crate::app::App;
use crate::auth::TokenClaims;
use crate::clock::wall_ms;
use crate::room::mode_of;

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
    let mode = mode_of(known.mode);
    let may = |role| lophoc_room::rights::allowed(role, mode, false, Action::Export);
    // Before the events are read, which is work: nobody without a chance.
    if !may(claims.role)
        && !present_role(&app, &known.room, &claims)
            .await
            .is_some_and(may)
    {
        return Err(ApiError(ErrorCode::Forbidden));
    }
    let events = app.store.events(&session).await.map_err(stored)?;
    let person = PersonKey(claims.person.0);
    if let Some(code) = sent_away(&events, &person) {
        return Err(ApiError(code));
    }
    if !may(role_given(&events, &person).unwrap_or(claims.role)) {
        return Err(ApiError(ErrorCode::Forbidden));
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

/// The role somebody who is in the room has there.
async fn present_role(app: &App, room: &str, claims: &TokenClaims) -> Option<Role> {
    let desk = app.rooms.snapshot(room).await?;
    desk.room
        .people
        .iter()
        .find(|one| one.person == claims.person)
        .map(|one| one.role)
}

/// The role the person was given in the room last: it counts, not that of a token
/// from before. A role nobody knows has no rights but a guest's.
fn role_given(events: &[Event], person: &PersonKey) -> Option<Role> {
    let role = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::RoleGiven {
            person: who, role, ..
        } if who == person => Some(role.as_str()),
        _ => None,
    })?;
    let name: StrDeserializer<'_, NameError> = role.into_deserializer();
    Some(Role::deserialize(name).unwrap_or(Role::Guest))
}

/// Whether the person was removed and not let in since: a token given before
/// is good for nothing then.
pub(crate) fn sent_away(events: &[Event], person: &PersonKey) -> Option<ErrorCode> {
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

/// Who the session token of a call belongs to.
pub(crate) fn bearer(app: &App, headers: &HeaderMap) -> Result<TokenClaims, ApiError> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(ApiError(ErrorCode::Forbidden))?;
    Ok(TokenClaims::open(&app.keys, token, wall_ms())?)
}

/// Counts the call of an address.
pub(crate) fn limit(app: &App, socket: SocketAddr, headers: &HeaderMap) -> Result<(), ApiError> {
    let address = client_address(socket, headers, &app.config.server.trusted_proxies);
    // By the clock that is never set: a step back must not lock anybody out.
    if app.api_rate.take(address, app.clock.now().mono_ms) {
        return Ok(());
    }
    app.metrics.limited.inc();
    Err(ApiError(ErrorCode::RateLimited))
}

/// What went wrong in the store, in the words of the protocol.
pub(crate) fn stored(error: StoreError) -> ApiError {
    tracing::error!(%error, "the store failed a call");
    match error {
        StoreError::Busy | StoreError::Full => ApiError(ErrorCode::Busy),
        _ => ApiError(ErrorCode::Internal),
    }
}
