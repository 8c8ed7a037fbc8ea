//! Where the films of recordings lie: written down with their hash, in the object
//! storage where there is one, and gone from everywhere as soon as something is cut
//! or somebody left out, small pictures ([`super::stills`]) with them.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use lophoc_classes::RecordingFilm;
use lophoc_recording::RecordingId;
use lophoc_records::{RecordingStage, StoredObject};

use super::files::{OUT, hash};
use super::keep::KeepError;
use super::pace::Pace;
use super::show::{Whole, whole};
use super::stills;
use super::storage::Upload;
use crate::app::App;
use crate::clock::wall_ms;

/// Name of a film in the folder of its recording, and in the storage.
pub fn object(film: &str) -> String {
    format!("{OUT}/{film}")
}

/// Whether this is the name of a film in the storage.
pub fn is_object(name: &str) -> bool {
    name.strip_prefix(OUT)
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(is_film)
}

fn is_film(name: &str) -> bool {
    name.starts_with("film-") && name.ends_with(".mp4")
}

/// The folder of what a film is made of.
pub fn work(film: &str) -> String {
    format!("work-{film}")
}

/// The film of what is shown now, when it is there: here, or whole in the storage.
///
/// # Errors
/// The disk's, the store's.
pub async fn there(app: &App, whole: &Whole) -> Result<Option<RecordingFilm>, KeepError> {
    let Some(id) = RecordingId::new(&whole.recording.id) else {
        return Ok(None);
    };
    let name = whole.film();
    let Some(film) = app.store.recording_film(id.as_str(), &name).await? else {
        return Ok(None);
    };
    let here = app.keep.files.of(&id).join(OUT).join(&name);
    if tokio::fs::try_exists(here).await? || stored(app, &id, &film).await? {
        return Ok(Some(film));
    }
    Ok(None)
}

/// Whether the film of what is shown now is there to be sent.
///
/// # Errors
/// The disk's, the store's.
pub async fn is_there(app: &App, whole: &Whole) -> Result<bool, KeepError> {
    let Some(id) = RecordingId::new(&whole.recording.id) else {
        return Ok(false);
    };
    let here = app.keep.files.of(&id).join(OUT).join(whole.film());
    Ok(tokio::fs::try_exists(here).await? || there(app, whole).await?.is_some())
}

/// Whether it lies in the storage, read back and the same.
async fn stored(app: &App, id: &RecordingId, film: &RecordingFilm) -> Result<bool, KeepError> {
    if app.keep.remote.is_none() {
        return Ok(false);
    }
    let name = object(&film.file);
    let objects = app.store.recording_objects(id.as_str()).await?;
    Ok(objects.iter().any(|object| {
        object.file == name && object.verified_ms.is_some() && object.bytes == film.bytes
    }))
}

/// A film was made: it is written down and taken to the storage.
///
/// # Errors
/// The disk's, the store's, the storage's; [`KeepError::CutOff`] when it is no longer
/// the film of what is shown: then it is gone again.
pub async fn made(
    app: &Arc<App>,
    id: &RecordingId,
    name: &str,
    pace: &Arc<Pace>,
) -> Result<(), KeepError> {
    let path = app.keep.files.of(id).join(OUT).join(name);
    let ends = Arc::clone(pace);
    let hashed = tokio::task::spawn_blocking(move || -> io::Result<Option<(u64, String)>> {
        let bytes = std::fs::metadata(&path)?.len();
        Ok(hash(&path, bytes, |_| !ends.ends())?.map(|sha256| (bytes, sha256)))
    })
    .await?;
    let (bytes, sha256) = match hashed {
        Ok(Some(hashed)) => hashed,
        // It is in the storage alone, from before; unless whoever cut and took that
        // back was quicker to remove it.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match app.store.recording(id.as_str()).await? {
                Some(recording) => match there(app, &whole(app, recording).await?).await? {
                    Some(_) => Ok(()),
                    None => Err(KeepError::CutOff),
                },
                None => Ok(()),
            };
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(KeepError::CutOff),
        Ok(None) => return Err(KeepError::Bad("a film became shorter".to_owned())),
        Err(error) => return Err(error.into()),
    };
    let film = RecordingFilm {
        file: name.to_owned(),
        bytes,
        sha256,
        made_ms: wall_ms(),
    };
    let known = app.store.recording_film(id.as_str(), name).await?;
    if known.is_none_or(|known| known.sha256 != film.sha256) {
        app.store.set_recording_film(id.as_str(), &film).await?;
    }
    // From here on whoever cuts finds it; whoever cut before is found here.
    need_shown(app, id, name).await?;
    let Some(remote) = &app.keep.remote else {
        return Ok(());
    };
    let file = object(name);
    let objects = app.store.recording_objects(id.as_str()).await?;
    let before = objects.into_iter().find(|object| object.file == file);
    let upload = Upload {
        name: &file,
        len: film.bytes,
        whole: true,
        sha256: &film.sha256,
    };
    let taken = remote
        .take(app, id, &upload, before.unwrap_or_default(), || {
            !pace.ends()
        })
        .await;
    need_shown(app, id, name).await?;
    match taken? {
        true => Ok(()),
        false => Err(KeepError::CutOff),
    }
}

/// What is shown is still what this film shows; otherwise it goes.
async fn need_shown(app: &Arc<App>, id: &RecordingId, name: &str) -> Result<(), KeepError> {
    if let Some(recording) = app.store.recording(id.as_str()).await? {
        let now = whole(app, recording).await?;
        if now.film() == name {
            return Ok(());
        }
        forget_others(app, &now).await?;
    }
    Err(KeepError::CutOff)
}

/// Films and small pictures, and what they are made of, that show something else than
/// what is shown now go: from the disk first, then from the storage.
///
/// # Errors
/// The disk's, the store's, the storage's; what is still there is tried again.
pub async fn forget_others(app: &App, whole: &Whole) -> Result<(), KeepError> {
    let Some(id) = RecordingId::new(&whole.recording.id) else {
        return Ok(());
    };
    let name = whole.film();
    remove_here(app, &id, whole).await?;
    let objects = app.store.recording_objects(id.as_str()).await?;
    let shown = object(&name);
    let mut removed = false;
    for stored in &objects {
        if !is_object(&stored.file) || stored.file == shown {
            continue;
        }
        match &app.keep.remote {
            Some(remote) => {
                // First it counts as not there: cut off in between, or shown again
                // meanwhile, it is never told of though it is gone.
                let over = StoredObject {
                    verified_ms: None,
                    bytes: 0,
                    ..stored.clone()
                };
                app.store.set_recording_object(id.as_str(), &over).await?;
                remote.remove_one(&id, stored).await?;
            }
            None => {
                tracing::warn!(recording = %id, "a film is in an object storage that is not set up");
                continue;
            }
        }
        let film = stored.file.get(OUT.len() + 1..).unwrap_or_default();
        app.store
            .recording_film_gone(id.as_str(), film, &stored.file)
            .await?;
        removed = true;
    }
    if removed {
        // If the cut was taken back meanwhile, this film is wanted again.
        app.store
            .redo_recording_jobs(id.as_str(), &[RecordingStage::Render], wall_ms())
            .await?;
        app.keep.wake.notify_waiters();
    }
    for film in app.store.recording_films(id.as_str()).await? {
        if film == name {
            app.store.recording_film_stays(id.as_str(), &film).await?;
        } else if !objects.iter().any(|stored| stored.file == object(&film)) {
            app.store
                .recording_film_gone(id.as_str(), &film, &object(&film))
                .await?;
        }
    }
    Ok(())
}

/// As [`forget_others`], on the disk alone.
///
/// # Errors
/// The disk's.
pub async fn remove_here(app: &App, id: &RecordingId, whole: &Whole) -> Result<(), KeepError> {
    let (keep, mark) = (whole.film(), whole.mark());
    let out = app.keep.files.of(id).join(OUT);
    Ok(tokio::task::spawn_blocking(move || remove_others(&out, &keep, &mark)).await??)
}

fn remove_others(out: &Path, keep: &str, mark: &str) -> io::Result<()> {
    let entries = match std::fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let other = entry.file_name().to_string_lossy().into_owned();
        let removed = if is_film(&other) && other != keep {
            std::fs::remove_file(entry.path())
        } else if other.starts_with("work-") && other != work(keep) {
            std::fs::remove_dir_all(entry.path())
        } else if stills::is_of_another(mark, &other) {
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path()),
                false => std::fs::remove_file(entry.path()),
            }
        } else {
            Ok(())
        };
        match removed {
            // Whoever makes it was quicker, or another who cut.
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// As [`forget_others`], where what cannot go now goes later: a mark in the records
/// says so ([`work_off`]).
pub async fn forget_now(app: &App, whole: &Whole) {
    if let Err(error) = forget_others(app, whole).await {
        let recording = &whole.recording.id;
        tracing::warn!(%error, recording, "a film or small pictures of before are still there, it is tried again");
    }
}

/// Bytes of old films that could not go when something was cut.
///
/// # Errors
/// The store's.
pub async fn work_off(app: &Arc<App>) -> Result<(), KeepError> {
    for id in app.store.recordings_with_old_films().await? {
        if let Some(recording) = app.store.recording(&id).await? {
            match whole(app, recording).await {
                Ok(whole) => forget_now(app, &whole).await,
                Err(error) => tracing::warn!(%error, recording = id, "an old film is still there"),
            }
        }
    }
    Ok(())
}

/// The film against its hash, where it lies. What is not as it was made is put right
/// from the other place, or the film is made anew.
///
/// # Errors
/// The disk's, the store's, the storage's.
pub async fn verify(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<(), KeepError> {
    let Some(recording) = app.store.recording(id.as_str()).await? else {
        return Ok(());
    };
    let whole = whole(app, recording).await?;
    let Some(film) = there(app, &whole).await? else {
        return Ok(());
    };
    let path = app.keep.files.of(id).join(OUT).join(&film.file);
    let (ends, bytes) = (Arc::clone(pace), film.bytes);
    let local = tokio::task::spawn_blocking({
        let path = path.clone();
        move || match std::fs::metadata(&path)?.len() == bytes {
            true => hash(&path, bytes, |_| {
                std::thread::sleep(super::jobs::BREATH);
                !ends.ends()
            }),
            false => Ok(None),
        }
    })
    .await?;
    let remote = app.keep.remote.as_ref();
    let here = match local {
        Ok(sha256) => Some(sha256.as_ref() == Some(&film.sha256)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let stored = match remote {
        Some(remote) if stored(app, id, &film).await? => {
            match remote.hash(id, &object(&film.file)).await {
                Ok(told) => Some(told == (film.sha256.clone(), film.bytes)),
                Err(KeepError::Remote(object_store::Error::NotFound { .. })) => Some(false),
                Err(error) => return Err(error),
            }
        }
        _ => None,
    };
    if here != Some(false) && stored != Some(false) {
        return Ok(());
    }
    tracing::error!(recording = %id, film = film.file, ?here, ?stored, "a film is not as it was made");
    let name = object(&film.file);
    if here == Some(false) {
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    if stored == Some(true) {
        if let Some(remote) = remote.filter(|remote| remote.keep_local) {
            remote.bring(app, id, &name, &film.sha256).await?;
        }
        return Ok(());
    }
    for object in app.store.recording_objects(id.as_str()).await? {
        if let (Some(remote), true) = (remote, object.file == name) {
            let over = StoredObject {
                verified_ms: None,
                bytes: 0,
                ..object.clone()
            };
            app.store.set_recording_object(id.as_str(), &over).await?;
            remote.remove_one(id, &object).await?;
            // Of a good one that is here the next try sends it from the beginning.
            let fresh = StoredObject {
                file: object.file,
                ..StoredObject::default()
            };
            app.store.set_recording_object(id.as_str(), &fresh).await?;
        }
    }
    if here != Some(true) {
        app.store
            .recording_film_gone(id.as_str(), &film.file, &name)
            .await?;
    }
    app.store
        .redo_recording_jobs(id.as_str(), &[RecordingStage::Render], wall_ms())
        .await?;
    app.keep.wake.notify_waiters();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_something_else_goes_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for film in ["film-a.mp4", "film-b.mp4"] {
            std::fs::write(at(film), film).unwrap();
            std::fs::create_dir_all(at(&work(film)).join("in")).unwrap();
        }
        std::fs::write(at("poster.webp"), "picture").unwrap();
        for small in [
            "poster-a.webp",
            "strip-a-0.webp",
            "pictures-a.json",
            "pictures-a.json.new",
            "poster-b.webp",
            "strip-b-0.webp",
            "pictures-b.json",
        ] {
            std::fs::write(at(small), "small").unwrap();
        }
        for work in ["stills-a", "stills-b"] {
            std::fs::create_dir_all(at(work).join("in")).unwrap();
        }
        remove_others(folder.path(), "film-b.mp4", "b").unwrap();
        for (name, there) in [
            ("film-a.mp4", false),
            ("work-film-a.mp4", false),
            ("film-b.mp4", true),
            ("work-film-b.mp4", true),
            ("poster.webp", true),
            ("poster-a.webp", false),
            ("strip-a-0.webp", false),
            ("pictures-a.json", false),
            ("pictures-a.json.new", false),
            ("stills-a", false),
            ("poster-b.webp", true),
            ("strip-b-0.webp", true),
            ("pictures-b.json", true),
            ("stills-b", true),
        ] {
            assert_eq!(at(name).exists(), there, "{name}");
        }
        remove_others(&at("none"), "film-b.mp4", "b").unwrap();
        assert!(is_object("out/film-b.mp4") && !is_object("0001.webm") && !is_object("film-b.mp4"));
    }
}
