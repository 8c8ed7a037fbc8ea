//! Folders of recordings, and the file in each that says whose it is for as long as
//! it is not done with.

use std::io;
use std::path::{Path, PathBuf};

use lophoc_ledger::SessionKey;
use lophoc_protocol::{RecordingId, RoomId};
use serde::{Deserialize, Serialize};
use tokio::fs;

/// Its name.
const NAME: &str = "room.json";

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Room it is recorded in.
    pub(super) room: RoomId,
    /// What is held there.
    pub(super) session: SessionKey,
}

/// Folder of a recording.
pub(super) fn folder(all: &Path, id: &RecordingId) -> PathBuf {
    all.join(&id.0)
}

/// Whether the recording is not done with.
pub(super) fn exists(all: &Path, id: &RecordingId) -> bool {
    folder(all, id).join(NAME).exists()
}

/// Makes the folder, durably.
pub(super) async fn make(all: &Path, id: &RecordingId, marker: &Marker) -> bool {
    let made = write(all, id, marker).await;
    if let Err(error) = &made {
        tracing::error!(recording = %id, %error, "the folder of a recording could not be made");
    }
    made.is_ok()
}

async fn write(all: &Path, id: &RecordingId, marker: &Marker) -> io::Result<()> {
    let folder = folder(all, id);
    fs::create_dir_all(&folder).await?;
    let (path, draft) = (folder.join(NAME), folder.join("room.json.new"));
    fs::write(&draft, serde_json::to_vec(marker)?).await?;
    fs::File::open(&draft).await?.sync_all().await?;
    fs::rename(&draft, &path).await?;
    fs::File::open(&folder).await?.sync_all().await?;
    fs::File::open(all).await?.sync_all().await
}

/// The recording is done with.
pub(super) async fn remove(all: &Path, id: &RecordingId) {
    let removed = fs::remove_file(folder(all, id).join(NAME)).await;
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(recording = %id, %error, "a recording is looked at again after the next start");
    }
}

/// Recordings that are not done with, in no order.
pub(super) async fn left(all: &Path) -> io::Result<Vec<(RecordingId, Marker)>> {
    let mut found = Vec::new();
    let mut entries = match fs::read_dir(all).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if lophoc_recording::RecordingId::new(&name).is_none() {
            continue;
        }
        let Ok(bytes) = fs::read(entry.path().join(NAME)).await else {
            continue;
        };
        match serde_json::from_slice(&bytes) {
            Ok(marker) => found.push((RecordingId(name), marker)),
            Err(error) => tracing::error!(name, %error, "a recording says not whose it is"),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_done_with_is_found_again() {
        let all = tempfile::tempdir().unwrap();
        let id = RecordingId("01HF7YAT00ABCDEFGHJKMNPQRS".to_owned());
        let marker = Marker {
            room: RoomId::from("r1"),
            session: SessionKey("s1".to_owned()),
        };
        assert!(left(&all.path().join("none")).await.unwrap().is_empty());
        assert!(make(all.path(), &id, &marker).await);
        assert!(exists(all.path(), &id));
        std::fs::create_dir(all.path().join("lost+found")).unwrap();
        assert_eq!(left(all.path()).await.unwrap(), [(id.clone(), marker)]);
        remove(all.path(), &id).await;
        assert!(left(all.path()).await.unwrap().is_empty());
        assert!(folder(all.path(), &id).exists());
    }
}
