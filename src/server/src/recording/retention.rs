//! What happens to recordings in the course of time: bytes of what was disposed of
//! go, checksums are looked at on schedule, ended recordings whose end was not
//! written down are found.

use std::sync::Arc;
use std::time::Duration;

use lophoc_recording::RecordingId;

use super::jobs::{Pace, damaged};
use super::keep::KeepError;
use crate::app::App;
use crate::clock::wall_ms;

/// Looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// Recordings whose checksums are looked at in one turn: rooms go before.
const VERIFIED_AT_ONCE: u32 = 4;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The worker.
pub(super) async fn work(app: Arc<App>) {
    while !app.keep.stops() {
        if let Err(error) = purge(&app).await {
            tracing::warn!(%error, "bytes of a disposed recording are still there");
        }
        if let Err(error) = look(&app, wall_ms()).await {
            tracing::warn!(%error, "checksums of recordings cannot be looked at");
        }
        let _ = tokio::time::timeout(LOOK_EVERY, app.keep.wake.notified()).await;
    }
}

/// Bytes of what was disposed of go, here and in the object storage.
///
/// # Errors
/// The disk's, the store's, the storage's: tried again later.
pub async fn purge(app: &Arc<App>) -> Result<(), KeepError> {
    for id in app.store.recordings_to_purge().await? {
        let Some(id) = RecordingId::new(&id) else {
            continue;
        };
        if let Some(remote) = &app.keep.remote {
            let objects = app.store.recording_objects(id.as_str()).await?;
            remote.remove(&id, &objects).await?;
        }
        match tokio::fs::remove_dir_all(app.keep.files.of(&id)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        app.keep.files.forget(&id);
        app.store.recording_purged(id.as_str(), wall_ms()).await?;
        tracing::info!(recording = %id, "bytes of a disposed recording are gone");
    }
    Ok(())
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
        .recordings_to_verify(before, VERIFIED_AT_ONCE)
        .await?;
    for id in due {
        if app.keep.stops() {
            return Ok(());
        }
        let Some(id) = RecordingId::new(&id) else {
            continue;
        };
        let found = damaged(app, &id, &Arc::new(Pace::default())).await?;
        app.store
            .recording_verified(id.as_str(), &found, now_ms)
            .await?;
        if !found.is_empty() {
            tracing::error!(recording = %id, segments = ?found, "files of a recording are not as they were written");
        }
    }
    Ok(())
}
