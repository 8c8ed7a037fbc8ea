//! A room from the store: its session, its ledger, where everybody was last seen.

use std::sync::Arc;

use lophoc_ledger::SessionKey;
use lophoc_protocol::{ErrorCode, PersonId, RoomId};
use lophoc_records::{SessionState, StoreError};
use lophoc_room::{Command, Room, RoomConfig};

use super::mode_of;
use crate::api::{least_ask, plan_of};
use crate::app::App;
use crate::materials::news_of;
use crate::random;

/// A room ready to run.
pub(super) struct Loaded {
    pub(super) session: SessionKey,
    pub(super) room: Room,
    /// What became of its files while it was not in memory.
    pub(super) news: Vec<Command>,
    pub(super) has_materials: bool,
}

/// Loads the room as its ledger has it.
pub(super) async fn load(app: &Arc<App>, room: &RoomId) -> Result<Loaded, ErrorCode> {
    let session = app
        .store
        .session_of_room(room.as_str())
        .await
        .map_err(failed)?
        .ok_or(ErrorCode::NotFound)?;
    if session.state == SessionState::Ended {
        return Err(ErrorCode::Ended);
    }
    let class = app
        .store
        .class(&session.class)
        .await
        .map_err(failed)?
        .ok_or(ErrorCode::NotFound)?;
    // A run of this room that broke may have left events with the writer: an
    // append of nothing answers when all before it are done.
    let settled = app.store.ledger().append_waiting(Vec::new()).await;
    settled
        .await
        .unwrap_or(Err(StoreError::Stopped))
        .map_err(failed)?;
    let events = app.store.events(&session.id).await.map_err(failed)?;
    let presence = app.store.presence(&session.id).await.map_err(failed)?;
    let plan = app
        .store
        .recording_plan(&class.id, &session.id)
        .await
        .map_err(failed)?;
    let config = RoomConfig {
        room: room.clone(),
        session: session.id.clone(),
        title: session.title,
        host: class.host_name,
        mode: mode_of(session.mode),
        boot: app.boot,
        starts_ms: session.starts_ms,
        ends_ms: session.ends_ms,
        recording: plan.map(plan_of),
        record_ask: least_ask(class.plan.kind),
        waiting: session.waiting,
        seed: random::seed().map_err(|_| ErrorCode::Internal)?,
        max_people: usize::try_from(app.config.rooms.max_people).unwrap_or(usize::MAX),
    };
    let now = app.clock.now();
    // Who is ticked in at the sites is a record of its own.
    let halls = app.store.hall_counts(&session.id).await.map_err(failed)?;
    let mut room = if events.is_empty() {
        Room::new(config, now)
    } else {
        Room::rebuild(config, &events, &presence, now)
    };
    if room.is_ended() {
        // The server stopped between the end and the note of it.
        app.store
            .set_session_state(&session.id, SessionState::Ended)
            .await
            .map_err(failed)?;
        return Err(ErrorCode::Ended);
    }
    if session.state == SessionState::Scheduled {
        app.store
            .set_session_state(&session.id, SessionState::Open)
            .await
            .map_err(failed)?;
    }
    let sites = halls
        .into_iter()
        .filter_map(|(site, people)| Some((PersonId(site?.0), people)));
    room.set_halls(sites);
    let materials = app.store.materials(&session.id).await.map_err(failed)?;
    Ok(Loaded {
        session: session.id,
        room,
        news: news_of(&materials),
        has_materials: !materials.is_empty(),
    })
}

fn failed(error: StoreError) -> ErrorCode {
    tracing::error!(%error, "a room cannot be loaded");
    match error {
        StoreError::SessionEnded(_) => ErrorCode::Ended,
        StoreError::Busy | StoreError::Full => ErrorCode::Busy,
        _ => ErrorCode::Internal,
    }
}
