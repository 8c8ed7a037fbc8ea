//! What happens to recordings in the course of time: bytes of what was disposed of
//! go, checksums are looked at on schedule, uploads that failed are tried again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_recording::RecordingId;

use super::access::protection;
use super::films;
use super::jobs::damaged;
use super::keep::KeepError;
use crate::app::App;
use crate::clock::wall_ms;

/// Looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// Recordings whose checksums are looked at in one turn: rooms go before.
const VERIFIED_AT_ONCE: u32 = 4;
/// Bytes of what was disposed of stay so long: whoever finds it was a mistake can
/// still be helped by a technician.
const SOFT_MS: u64 = 7 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The worker.
pub(super) async fn work(app: Arc<App>) {
    let mut looked: Option<Instant> = None;
    while !app.keep.stops() {
        if let Err(error) = purge(&app, wall_ms()).await {
            tracing::warn!(%error, "bytes of a disposed recording are still there");
        }
        // What could not be taken to the storage is tried again every day.
        let before = wall_ms().saturating_sub(DAY_MS);
        match app.store.redo_failed_uploads(before, wall_ms()).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(count, "uploads that failed are tried again");
                app.keep.wake.notify_waiters();
            }
            Err(error) => tracing::warn!(%error, "uploads that failed cannot be read"),
        }
        if let Err(error) = films::work_off(&app).await {
            tracing::warn!(%error, "old films cannot be read");
        }
        // Not at each end of a piece of work elsewhere: rooms go before.
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            looked = Some(Instant::now());
            if let Err(error) = look(&app, wall_ms()).await {
                tracing::warn!(%error, "checksums of recordings cannot be looked at");
            }
        }
        let _ = tokio::time::timeout(LOOK_EVERY, app.keep.wake.notified()).await;
    }
}

/// Bytes of what was disposed of a week ago go, here and in the object storage. One
/// that cannot go holds up no other.
///
/// # Errors
/// The store's.
pub async fn purge(app: &Arc<App>, now_ms: u64) -> Result<(), KeepError> {
    let before = now_ms.saturating_sub(SOFT_MS);
    for id in app.store.recordings_to_purge(before).await? {
        let Some(id) = RecordingId::new(&id) else {
            continue;
        };
        match purge_one(app, &id, now_ms).await {
            Ok(true) => {
                tracing::info!(recording = %id, "bytes of a disposed recording are gone");
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, recording = %id, "bytes of a disposed recording are still there");
            }
        }
    }
    Ok(())
}

/// Whether its bytes are gone; not those of what must stay open after all.
async fn purge_one(app: &Arc<App>, id: &RecordingId, now_ms: u64) -> Result<bool, KeepError> {
    if let Some(recording) = app.store.recording(id.as_str()).await?
        && let Some(class) = app.store.class(&recording.class).await?
        && protection(&recording, &class, now_ms).is_some()
    {
        tracing::warn!(recording = %id, "a disposed recording must stay open: its bytes stay");
        return Ok(false);
    }
    let objects = app.store.recording_objects(id.as_str()).await?;
    match &app.keep.remote {
        Some(remote) => remote.remove(id, &objects).await?,
        None if objects.is_empty() => {}
        // Written down as gone they would lie there for ever.
        None => {
            tracing::warn!(recording = %id, "files are in an object storage that is not set up");
            return Ok(false);
        }
    }
    match tokio::fs::remove_dir_all(app.keep.files.of(id)).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    app.keep.files.forget(id);
    app.store.recording_purged(id.as_str(), now_ms).await?;
    Ok(true)
}

/// Looks at the checksums that were not looked at for as long as the settings say.
///
/// # Errors
/// The disk's, the store's, the storage's.
pub async fn look(app: &Arc<App>, now_ms: u64) -> Result<(), KeepError> {
    let every = u64::from(app.config.storage.verify_days).saturating_mul(DAY_MS);
    if every == 0 {
        return Ok(());
    }
    let before = now_ms.saturating_sub(every);
    let due = app
        .store
        .recordings_to_verify(before, now_ms, VERIFIED_AT_ONCE)
        .await?;
    for id in due {
        if app.keep.stops() {
            return Ok(());
        }
        let Some(id) = RecordingId::new(&id) else {
            continue;
        };
        if let Err(error) = look_at(app, &id, now_ms).await {
            if app.keep.stops() {
                return Ok(());
            }
            tracing::error!(%error, recording = %id, "checksums of a recording cannot be looked at");
            app.store
                .recording_not_verified(id.as_str(), now_ms.saturating_add(DAY_MS))
                .await?;
        }
    }
    Ok(())
}

async fn look_at(app: &Arc<App>, id: &RecordingId, now_ms: u64) -> Result<(), KeepError> {
    let pace = app.keep.paces.begin();
    let found = damaged(app, id, &pace).await?;
    let film = films::verify(app, id, &pace).await;
    // What was found is told in any case; what was not looked at is looked at again.
    if film.is_ok() || !found.is_empty() {
        app.store
            .recording_verified(id.as_str(), &found, now_ms)
            .await?;
    }
    if !found.is_empty() {
        tracing::error!(recording = %id, segments = ?found, "files of a recording are not as they were written");
    }
    film
}
