//! The work on recordings: stages one after the other, each a row with a lease, so
//! that what a stop or a death of the server cut off begins anew and nothing is done
//! twice. What is needed to play something has a worker of its own, so that no film
//! and no slow upload stands before it.

use std::sync::Arc;
use std::time::Duration;

use lophoc_classes::RecordingState;
use lophoc_recording::journal::RecordingEnd;
use lophoc_recording::manifest::{ManifestFile, sha256};
use lophoc_recording::{Manifest, RecordingId, Timeline};
use lophoc_records::{JobEnd, RecordingFacts, RecordingJob, RecordingStage};
use tokio::task::JoinSet;

use super::files::{JOURNAL, MANIFEST, SOUND, hash, replace};
use super::keep::KeepError;
use super::pace::Pace;
use super::show::{segments_of, title_of, whole};
use super::storage::Upload;
use super::{compose, films, hooks, mixing, retention, stills};
use crate::app::App;
use crate::clock::wall_ms;

/// Looked for work also without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// A worker that is not heard of for so long is dead, ms.
const LEASE_MS: u64 = 120_000;
/// How often it is heard of.
const HEARD_EVERY: Duration = Duration::from_secs(20);
/// Tries of a stage. Overflow: it is given up, later stages go on.
const TRIES: u32 = 6;
/// First wait before a stage is tried again, ms; four times as long each time.
const RETRY_MS: u64 = 5_000;
/// Recordings that go on are looked at this often: sound is mixed, parts are sent.
const BESIDE_EVERY: Duration = Duration::from_secs(10);
/// A pause after each piece of a file that is hashed: rooms go before.
pub(super) const BREATH: Duration = Duration::from_millis(2);

/// How fast a stop is seen, and how long work then has to end by itself.
const STOP_SEEN: Duration = Duration::from_millis(150);

/// Stages that make it playable.
const FIRST: [RecordingStage; 4] = [
    RecordingStage::Finalise,
    RecordingStage::Quick,
    RecordingStage::Mix,
    RecordingStage::Publish,
];
/// Stages that may take long.
const LAST: [RecordingStage; 4] = [
    RecordingStage::Pictures,
    RecordingStage::Verify,
    RecordingStage::Upload,
    RecordingStage::Render,
];

/// A recording has ended, its journal is whole. Also called for what was repaired
/// after a crash; a repeat is harmless. When the database does not take it, the next
/// start of the server finds it again.
pub async fn finished(app: &Arc<App>, id: &RecordingId) {
    let mut pause = Duration::from_millis(100);
    for _ in 0..8 {
        match app.store.end_recording(id.as_str(), wall_ms()).await {
            Ok(_) => {
                app.keep.wake.notify_waiters();
                app.keep.wake.notify_one();
                return;
            }
            Err(error) => {
                tracing::warn!(%error, recording = %id, "the end of a recording cannot be written down")
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Starts the workers. They end soon after [`Keep::stop`](super::Keep::stop).
///
/// # Errors
/// The store's.
pub async fn start(app: &Arc<App>) -> Result<JoinSet<()>, KeepError> {
    app.store.free_recording_jobs().await?;
    let mut workers = JoinSet::new();
    workers.spawn(work(Arc::clone(app), "first", &FIRST));
    workers.spawn(work(Arc::clone(app), "last", &LAST));
    workers.spawn(beside(Arc::clone(app)));
    workers.spawn(retention::work(Arc::clone(app)));
    workers.spawn(hooks::work(Arc::clone(app)));
    Ok(workers)
}

async fn work(app: Arc<App>, worker: &'static str, stages: &'static [RecordingStage]) {
    let worker = format!("{worker} {}", app.boot);
    while !app.keep.stops() {
        match app
            .store
            .take_recording_job(&worker, stages, wall_ms(), LEASE_MS)
            .await
        {
            Ok(Some(job)) => one(&app, &worker, &job).await,
            Ok(None) => {
                let now = wall_ms();
                let next = app.store.next_recording_job_ms().await.ok().flatten();
                let until = next.map_or(LOOK_EVERY, |next| {
                    Duration::from_millis(next.saturating_sub(now).max(200))
                });
                // Neither a wake nor its absence changes what is looked for next.
                let _ = tokio::time::timeout(until.min(LOOK_EVERY), app.keep.wake.notified()).await;
            }
            Err(error) => {
                tracing::warn!(%error, "work on recordings cannot be read");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

async fn one(app: &Arc<App>, worker: &str, job: &RecordingJob) {
    if job.tries > TRIES {
        // Each of them was begun and none came to an end: whatever it is, it takes
        // the server along.
        let recording = &job.recording;
        tracing::error!(recording, stage = job.stage.as_str(), "a stage is given up");
        let end = JobEnd::Failed("it was cut off each time".to_owned());
        return write_end(app, worker, job, &end).await;
    }
    let pace = app.keep.paces.begin();
    let stage = stage_of(app, job, &pace);
    tokio::pin!(stage);
    let mut lost = false;
    let made = loop {
        tokio::select! {
            made = &mut stage => break made,
            // What waits for the storage looks at no pace.
            () = stopped(app) => break Err(KeepError::CutOff),
            () = tokio::time::sleep(HEARD_EVERY) => {
                let percent = pace.percent();
                let until = wall_ms().saturating_add(LEASE_MS);
                match app.store.go_on_recording_job(worker, job, percent, until).await {
                    // To be done again, or deleted: this time is for nothing.
                    Ok(false) => { lost = true; pace.end(); }
                    Ok(true) => {}
                    Err(error) => tracing::warn!(%error, "a stage cannot be renewed"),
                }
            }
        }
    };
    if lost {
        return;
    }
    let end = match made {
        Ok(end) => end,
        Err(_) if app.keep.stops() => {
            if let Err(error) = app.store.put_back_recording_job(worker, job).await {
                tracing::warn!(%error, "a stage that was stopped counts as tried");
            }
            return;
        }
        Err(error) => {
            tracing::warn!(%error, recording = job.recording, stage = job.stage.as_str(), "a stage failed");
            later(job, error.code().to_owned())
        }
    };
    write_end(app, worker, job, &end).await;
}

/// The server stops, and what looks at its pace had time to end by itself.
async fn stopped(app: &App) {
    while !app.keep.stops() {
        tokio::time::sleep(STOP_SEEN).await;
    }
    tokio::time::sleep(STOP_SEEN).await;
}

async fn write_end(app: &Arc<App>, worker: &str, job: &RecordingJob, end: &JobEnd) {
    let mut pause = Duration::from_millis(200);
    while let Err(error) = app.store.recording_job_done(worker, job, end).await {
        if app.keep.stops() {
            return;
        }
        tracing::warn!(%error, "the end of a stage cannot be written down");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_EVERY);
    }
    // The other worker may have waited for it.
    app.keep.wake.notify_waiters();
}

fn later(job: &RecordingJob, why: String) -> JobEnd {
    if job.tries >= TRIES {
        return JobEnd::Failed(why);
    }
    let wait = RETRY_MS.saturating_mul(4_u64.saturating_pow(job.tries.saturating_sub(1)));
    JobEnd::Again(wall_ms().saturating_add(wait), why)
}

async fn stage_of(
    app: &Arc<App>,
    job: &RecordingJob,
    pace: &Arc<Pace>,
) -> Result<JobEnd, KeepError> {
    let Some(id) = RecordingId::new(&job.recording) else {
        return Ok(JobEnd::Failed("id".to_owned()));
    };
    match job.stage {
        RecordingStage::Finalise => finalise(app, &id).await,
        RecordingStage::Pictures => pictures(app, &id, pace).await,
        RecordingStage::Verify => verify(app, &id, pace).await,
        RecordingStage::Quick => quick(app, &id).await,
        RecordingStage::Mix => mix(app, &id, pace).await,
        RecordingStage::Upload => upload(app, &id, pace).await,
        RecordingStage::Publish => publish(app, &id).await,
        RecordingStage::Render => render(app, &id, pace).await,
    }
}

/// The timeline, off the runtime's threads.
///
/// # Errors
/// The disk's.
pub async fn timeline(
    app: &Arc<App>,
    id: &RecordingId,
) -> Result<Option<Arc<Timeline>>, KeepError> {
    let (app, id) = (Arc::clone(app), id.clone());
    Ok(tokio::task::spawn_blocking(move || app.keep.files.timeline(&id)).await??)
}

/// The journal is read to its end; files with their hashes become rows.
async fn finalise(app: &Arc<App>, id: &RecordingId) -> Result<JobEnd, KeepError> {
    let Some(timeline) = timeline(app, id).await? else {
        // It was begun, and nothing ever came.
        app.store
            .set_recording_facts(
                id.as_str(),
                &RecordingFacts {
                    length_ms: 0,
                    bytes: 0,
                    partial: Some("recorder".to_owned()),
                    manifest_sha256: String::new(),
                    segments: Vec::new(),
                },
            )
            .await?;
        return Ok(JobEnd::Done);
    };
    if timeline.ended.is_none() {
        return Err(KeepError::Bad("the journal has no end yet".to_owned()));
    }
    write_down(app, id, timeline).await?;
    Ok(JobEnd::Done)
}

/// Writes the manifest and what the records know of the files.
async fn write_down(
    app: &Arc<App>,
    id: &RecordingId,
    timeline: Arc<Timeline>,
) -> Result<(), KeepError> {
    let task = {
        let (app, id, timeline) = (Arc::clone(app), id.clone(), Arc::clone(&timeline));
        move || -> Result<(String, u64), KeepError> {
            let folder = app.keep.files.of(&id);
            let mut files = Vec::new();
            for name in [JOURNAL, SOUND] {
                let path = folder.join(name);
                let Ok(meta) = std::fs::metadata(&path) else {
                    continue;
                };
                if let Some(sha256) = hash(&path, meta.len(), |_| true)? {
                    files.push(ManifestFile {
                        file: name.to_owned(),
                        bytes: meta.len(),
                        sha256,
                    });
                }
            }
            let manifest = Manifest::new(&timeline, files)
                .map_err(|error| KeepError::Bad(error.to_string()))?
                .encode();
            replace(&folder.join(MANIFEST), &manifest)?;
            Ok((sha256(&manifest), size_of(&folder)))
        }
    };
    let (manifest_sha256, bytes) = tokio::task::spawn_blocking(task).await??;
    let partial = match timeline.ended {
        Some(RecordingEnd::Disk) => Some("disk".to_owned()),
        Some(RecordingEnd::Length) => Some("length".to_owned()),
        _ => None,
    };
    app.store
        .set_recording_facts(
            id.as_str(),
            &RecordingFacts {
                length_ms: timeline.length_ms,
                bytes,
                partial,
                manifest_sha256,
                segments: segments_of(&timeline),
            },
        )
        .await?;
    Ok(())
}

/// What its files take now, here or in the storage, counts against the quota of the
/// unit.
async fn weigh(app: &Arc<App>, id: &RecordingId) -> Result<(), KeepError> {
    let folder = app.keep.files.of(id);
    let objects = app.store.recording_objects(id.as_str()).await?;
    let bytes = tokio::task::spawn_blocking(move || {
        let elsewhere = objects
            .iter()
            .filter(|object| object.verified_ms.is_some() && !folder.join(&object.file).exists())
            .map(|object| object.bytes);
        elsewhere.fold(size_of(&folder), u64::saturating_add)
    })
    .await?;
    app.store.set_recording_bytes(id.as_str(), bytes).await?;
    Ok(())
}

/// Bytes of all files of a folder. Blocks.
fn size_of(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_of(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Each file's SHA-256 against what was written down while it grew. Names the
/// segments that are not as they were written.
///
/// # Errors
/// The disk's, the storage's.
pub async fn damaged(
    app: &Arc<App>,
    id: &RecordingId,
    pace: &Arc<Pace>,
) -> Result<Vec<String>, KeepError> {
    let segments = app.store.recording_segments(id.as_str()).await?;
    let whole: u64 = segments.iter().map(|(segment, _)| segment.bytes).sum();
    let mut before = 0_u64;
    let mut found = Vec::new();
    for (segment, file) in segments {
        let path = app.keep.files.of(id).join(&file);
        let (pace_of, len) = (Arc::clone(pace), segment.bytes);
        let local = tokio::task::spawn_blocking(move || {
            hash(&path, len, |done| {
                std::thread::sleep(BREATH);
                pace_of.done(before.saturating_add(done), whole);
                !pace_of.ends()
            })
        })
        .await?;
        let same = match local {
            Ok(sha256) => sha256.as_ref() == Some(&segment.sha256),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match &app.keep.remote {
                Some(remote) => match remote.hash(id, &file).await {
                    Ok((sha256, bytes)) => sha256 == segment.sha256 && bytes == segment.bytes,
                    Err(KeepError::Remote(object_store::Error::NotFound { .. })) => false,
                    Err(error) => return Err(error),
                },
                None => false,
            },
            Err(error) => return Err(error.into()),
        };
        if !same {
            found.push(segment.id);
        }
        before = before.saturating_add(segment.bytes);
    }
    Ok(found)
}

async fn verify(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let found = damaged(app, id, pace).await?;
    app.store
        .recording_verified(id.as_str(), &found, wall_ms())
        .await?;
    films::verify(app, id, pace).await?;
    match found.is_empty() {
        true => Ok(JobEnd::Done),
        false => {
            tracing::error!(recording = %id, segments = ?found, "files of a recording are not as they were written");
            Ok(JobEnd::Failed(format!("damaged: {}", found.join(", "))))
        }
    }
}

/// Where clusters lie is known and written down: it can be played, and its files can
/// be elsewhere.
async fn quick(app: &Arc<App>, id: &RecordingId) -> Result<JobEnd, KeepError> {
    let Some(timeline) = timeline(app, id).await? else {
        return Ok(JobEnd::Skipped("nothing was recorded".to_owned()));
    };
    let (app, id) = (Arc::clone(app), id.clone());
    let task = move || -> Result<(), KeepError> {
        for segment in timeline.segments.values() {
            // A file of which nothing reached the disk is no reason to stop.
            if let Err(error) = app.keep.files.write_index(&id, &segment.opened.file) {
                tracing::warn!(%error, recording = %id, file = segment.opened.file, "a file cannot be indexed");
            }
        }
        Ok(())
    };
    tokio::task::spawn_blocking(task).await??;
    Ok(JobEnd::Done)
}

/// Sound is mixed to the end, and the list of files is written anew with it.
async fn mix(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let Some(timeline) = timeline(app, id).await? else {
        return Ok(JobEnd::Skipped("nothing was recorded".to_owned()));
    };
    // Mixed anew it may need what is in the storage alone.
    let anew = app.keep.files.of(id).join(MANIFEST).exists();
    if anew {
        bring_back(app, id).await?;
    }
    let mixed = mix_some(app, id, &timeline, pace).await;
    if anew {
        // The new sound is not in the storage yet.
        send_back(app, id, |name| name != SOUND).await?;
    }
    if !mixed? {
        return Err(KeepError::CutOff);
    }
    app_index(app, id, SOUND).await?;
    write_down(app, id, timeline).await?;
    Ok(JobEnd::Done)
}

/// Tells whether all that can be mixed is.
async fn mix_some(
    app: &Arc<App>,
    id: &RecordingId,
    timeline: &Arc<Timeline>,
    pace: &Arc<Pace>,
) -> Result<bool, KeepError> {
    // Beside the class and after its end never two at a time: they append.
    let _turn = app.keep.mixing.lock().await;
    let Some(recording) = app.store.recording(id.as_str()).await? else {
        return Ok(true);
    };
    let whole = whole(app, recording).await?;
    let timeline = whole.timeline.as_ref().unwrap_or(timeline);
    let (app, id) = (Arc::clone(app), id.clone());
    let (timeline, pace) = (Arc::clone(timeline), Arc::clone(pace));
    let task = move || {
        mixing::go_on(&app, &id, &timeline, whole.unrecorded(), |done, whole| {
            pace.done(done, whole);
            !pace.ends()
        })
    };
    tokio::task::spawn_blocking(task).await?
}

/// Files that are taken to the storage, those of media first.
async fn uploads(
    app: &Arc<App>,
    id: &RecordingId,
) -> Result<Vec<(String, u64, String)>, KeepError> {
    let mut list: Vec<(String, u64, String)> = app
        .store
        .recording_segments(id.as_str())
        .await?
        .into_iter()
        .map(|(segment, file)| (file, segment.bytes, segment.sha256))
        .collect();
    let folder = app.keep.files.of(id);
    let others = tokio::task::spawn_blocking(move || -> Result<_, KeepError> {
        let mut others = Vec::new();
        for name in [SOUND, JOURNAL, MANIFEST] {
            let path = folder.join(name);
            let Ok(meta) = std::fs::metadata(&path) else {
                continue;
            };
            if let Some(sha256) = hash(&path, meta.len(), |_| true)? {
                others.push((name.to_owned(), meta.len(), sha256));
            }
        }
        Ok(others)
    })
    .await??;
    list.extend(others);
    Ok(list)
}

async fn upload(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let Some(remote) = &app.keep.remote else {
        return Ok(JobEnd::Skipped("files stay in the data folder".to_owned()));
    };
    let list = uploads(app, id).await?;
    let whole: u64 = list.iter().map(|(_, len, _)| *len).sum();
    let mut before = 0_u64;
    let mut failed = None;
    for (name, len, sha256) in &list {
        let objects = app.store.recording_objects(id.as_str()).await?;
        let object = objects.into_iter().find(|object| object.file == *name);
        let file = Upload {
            name,
            len: *len,
            whole: true,
            sha256,
        };
        // One that is there alone needs no upload.
        if object
            .as_ref()
            .is_some_and(|object| object.is(*len, sha256))
            && !app.keep.files.of(id).join(name).exists()
        {
            continue;
        }
        let there = remote
            .take(app, id, &file, object.unwrap_or_default(), || !pace.ends())
            .await;
        before = before.saturating_add(*len);
        pace.done(before, whole);
        match there {
            Ok(true) => {}
            Ok(false) => return Err(KeepError::CutOff),
            // The others are taken there all the same.
            Err(error) => {
                tracing::warn!(%error, recording = %id, file = name, "a file was not taken to the storage");
                failed = failed.or(Some(error));
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if !remote.keep_local {
        // Journal and manifest stay: from them everything is known.
        for (name, len, sha256) in list
            .iter()
            .filter(|(name, _, _)| name != JOURNAL && name != MANIFEST)
        {
            if pace.ends() {
                return Err(KeepError::CutOff);
            }
            // The sound may be mixed anew meanwhile: what is here then is another file.
            let _turn = match name == SOUND {
                true => Some(app.keep.mixing.lock().await),
                false => None,
            };
            let objects = app.store.recording_objects(id.as_str()).await?;
            if !(objects.iter()).any(|object| object.file == *name && object.is(*len, sha256)) {
                return Err(KeepError::CutOff);
            }
            let path = app.keep.files.of(id).join(name);
            app_index(app, id, name).await?;
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
    }
    Ok(JobEnd::Done)
}

async fn app_index(app: &Arc<App>, id: &RecordingId, name: &str) -> Result<(), KeepError> {
    let (app, id, name) = (Arc::clone(app), id.clone(), name.to_owned());
    tokio::task::spawn_blocking(move || app.keep.files.write_index(&id, &name)).await??;
    Ok(())
}

/// The poster and the small pictures of the time line.
async fn pictures(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let end = stills::make(app, id, pace).await;
    weigh(app, id).await?;
    end
}

/// The film.
async fn render(app: &Arc<App>, id: &RecordingId, pace: &Arc<Pace>) -> Result<JobEnd, KeepError> {
    let end = compose::film(app, id, pace).await;
    weigh(app, id).await?;
    send_back(app, id, |_| true).await?;
    end
}

/// Files that are in the storage, whole, are not kept here as well unless the
/// settings say so: also those a server that died had brought here.
async fn send_back(
    app: &Arc<App>,
    id: &RecordingId,
    which: impl Fn(&str) -> bool,
) -> Result<(), KeepError> {
    if app
        .keep
        .remote
        .as_ref()
        .is_none_or(|remote| remote.keep_local)
    {
        return Ok(());
    }
    let folder = app.keep.files.of(id);
    for object in app.store.recording_objects(id.as_str()).await? {
        let name = &object.file;
        if object.verified_ms.is_none() || name == JOURNAL || name == MANIFEST || !which(name) {
            continue;
        }
        // Half of one that was on its way here.
        let half = tokio::fs::remove_file(folder.join(format!("{name}.new"))).await;
        let path = folder.join(name);
        let same = (tokio::fs::metadata(&path).await).map(|meta| meta.len() == object.bytes);
        let whole = match same {
            // Its index first, or nobody could play it; a film needs none.
            Ok(true) => {
                if !films::is_object(name) {
                    app_index(app, id, name).await?;
                }
                tokio::fs::remove_file(&path).await
            }
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        for removed in [half, whole] {
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Brings back what is in the storage alone, but for the film.
///
/// # Errors
/// The disk's, the store's, the storage's.
pub(super) async fn bring_back(app: &Arc<App>, id: &RecordingId) -> Result<(), KeepError> {
    let Some(remote) = app.keep.remote.as_ref().filter(|remote| !remote.keep_local) else {
        return Ok(());
    };
    let folder = app.keep.files.of(id);
    let mut list: Vec<(String, String)> = app
        .store
        .recording_segments(id.as_str())
        .await?
        .into_iter()
        .map(|(segment, file)| (file, segment.sha256))
        .collect();
    let manifest = tokio::fs::read(folder.join(MANIFEST)).await?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|error| KeepError::Bad(error.to_string()))?;
    // Sound that holds somebody who is left out now does not count as there: were it
    // brought back, it would be taken for the one that is to be mixed.
    let objects = app.store.recording_objects(id.as_str()).await?;
    let sound = manifest.files.into_iter().find(|file| {
        file.file == SOUND
            && objects
                .iter()
                .any(|object| object.file == SOUND && object.is(file.bytes, &file.sha256))
    });
    list.extend(sound.map(|file| (file.file, file.sha256)));
    for (file, sha256) in list {
        if !folder.join(&file).exists() {
            remote.bring(app, id, &file, &sha256).await?;
        }
    }
    Ok(())
}

/// It waits for its release, and those who asked for it are told.
async fn publish(app: &Arc<App>, id: &RecordingId) -> Result<JobEnd, KeepError> {
    let Some(recording) = app.store.recording(id.as_str()).await? else {
        return Ok(JobEnd::Skipped("there is no such recording".to_owned()));
    };
    let now = wall_ms();
    let body = hooks::ready(&recording, title_of(&recording), now);
    app.store.recording_ready(id.as_str(), &body, now).await?;
    app.keep.hooks.notify_one();
    Ok(JobEnd::Done)
}

/// Beside the class: sound of what is closed is mixed, parts of files are sent.
async fn beside(app: Arc<App>) {
    while !app.keep.stops() {
        match app.store.recordings_in(&[RecordingState::Recording]).await {
            Ok(list) => {
                for recording in list {
                    let Some(id) = RecordingId::new(&recording.id) else {
                        continue;
                    };
                    if let Err(error) = go_along(&app, &id).await {
                        tracing::warn!(%error, recording = %id, "work beside a recording failed; it is done after its end");
                    }
                    if app.keep.stops() {
                        return;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "recordings that go on cannot be read"),
        }
        let _ = tokio::time::timeout(BESIDE_EVERY, async {
            while !app.keep.stops() {
                app.keep.wake.notified().await;
            }
        })
        .await;
    }
}

async fn go_along(app: &Arc<App>, id: &RecordingId) -> Result<(), KeepError> {
    let Some(timeline) = timeline(app, id).await? else {
        return Ok(());
    };
    mix_some(app, id, &timeline, &app.keep.paces.begin()).await?;
    weigh(app, id).await?;
    let Some(remote) = &app.keep.remote else {
        return Ok(());
    };
    let mut objects = app.store.recording_objects(id.as_str()).await?;
    let mut failed = None;
    for segment in timeline.segments.values() {
        let Some(synced) = segment.on_disk() else {
            continue;
        };
        let name = &segment.opened.file;
        let at = objects.iter().position(|object| object.file == *name);
        let object = at.map(|at| objects.swap_remove(at)).unwrap_or_default();
        let file = Upload {
            name,
            len: synced.bytes,
            whole: segment.end.is_some(),
            sha256: &synced.sha256,
        };
        let taken = remote
            .take(app, id, &file, object, || !app.keep.stops())
            .await;
        if let Err(error) = taken {
            tracing::warn!(%error, recording = %id, file = name, "a file was not taken to the storage");
            failed = failed.or(Some(error));
        }
    }
    failed.map_or(Ok(()), Err)
}
