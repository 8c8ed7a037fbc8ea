//! What the records are told of a recording by those who make it.

use std::path::Path;
use std::time::Duration;

use lophoc_classes::RecordingState;
use lophoc_ledger::SessionKey;
use lophoc_protocol::RecordingId;
use lophoc_records::NewRecording;
use lophoc_room::RecordStart;

use super::marker;
use crate::app::App;
use crate::clock::wall_ms;

/// How often the records are told of an end before it is left to the next start.
const TRIES: u32 = 8;
/// Pause after the first time; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A recording begins: its row is on disk before anything is taken. `false` when it
/// could not be written.
pub(super) async fn begun(app: &App, session: &SessionKey, start: &RecordStart) -> bool {
    let new = NewRecording {
        id: start.id.0.clone(),
        session: session.clone(),
        started_ms: start.since_ms,
        by: start.by.clone(),
    };
    let begun = app.store.begin_recording(&new).await;
    if let Err(error) = &begun {
        tracing::error!(recording = %start.id, %error, "the row of a recording could not be made");
    }
    begun.is_ok()
}

/// Recordings that go on by their rows, and whether there is a folder of each. Empty
/// when the records cannot be asked: they are asked again.
pub(super) async fn going_on(app: &App, folder: &Path) -> Vec<(RecordingId, bool)> {
    let rows = match app.store.recordings_in(&[RecordingState::Recording]).await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%error, "recordings that go on cannot be read");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for row in rows {
        let id = RecordingId(row.id);
        let there = tokio::fs::try_exists(marker::folder(folder, &id)).await;
        // What cannot be looked at is looked at again.
        if let Ok(there) = there {
            found.push((id, there));
        }
    }
    found
}

/// A recording has ended, and its files are closed. `false` when the records could
/// not be told: the next start tells them.
pub(super) async fn finished(app: &App, id: &RecordingId) -> bool {
    let mut pause = FIRST_PAUSE;
    for _ in 0..TRIES {
        match app.store.end_recording(&id.0, wall_ms()).await {
            Ok(_) => {
                app.keep.wake.notify_waiters();
                return true;
            }
            Err(error) => {
                tracing::warn!(recording = %id, %error, "the end of a recording cannot be written down");
            }
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
    false
}
