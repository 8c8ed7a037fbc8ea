//! The worker: takes what waits, sessions in turn, makes it into pages at low
//! priority, and tells the room. What a stop or a death of the server cut off begins anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lophoc_protocol::slides::{DeckFault, DeckState};
use lophoc_records::{Material, MaterialState, StoreError};
use lophoc_room::Command;
use lophoc_slides::{Fault, Job, Made, Progress, convert, sniff};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::serve::is_key;
use super::{deck_of, fault_of, lock, name_of};
use crate::app::App;

/// Looked for work also without being woken: what could not be written down is
/// tried again.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// A folder that is in no record is removed when it did not change for so long.
const UNKNOWN_FOR: Duration = Duration::from_secs(60 * 60);

/// Puts back what was under way and starts the workers. They end soon after
/// [`Materials::stop`](super::Materials::stop).
pub async fn start(app: &Arc<App>) -> Result<JoinSet<()>, StoreError> {
    let tmp = app.materials.tmp();
    // What was on its way when the server ended was acknowledged to nobody.
    if let Err(error) = tokio::fs::remove_dir_all(&tmp).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "the folder of unfinished files cannot be cleared");
    }
    app.store
        .resume_materials(&name_of(DeckFault::TooHard))
        .await?;
    let mut workers = JoinSet::new();
    workers.spawn(clear(Arc::clone(app)));
    for _ in 0..app.config.uploads.workers {
        workers.spawn(work(Arc::clone(app)));
    }
    Ok(workers)
}

/// Removes the folders nobody wrote down: the server died between putting a file
/// into its place and noting it, and acknowledged it to nobody.
async fn clear(app: Arc<App>) {
    // There is none before the first file.
    let Ok(mut folders) = tokio::fs::read_dir(&app.materials.folder).await else {
        return;
    };
    while let Ok(Some(entry)) = folders.next_entry().await {
        if app.materials.stops() {
            return;
        }
        let name = entry.file_name();
        let Some(key) = name.to_str().filter(|name| is_key(name)) else {
            continue;
        };
        // One that is being brought has no row for a moment either.
        let age = entry.metadata().await.ok().and_then(|data| {
            let changed = data.modified().ok()?;
            changed.elapsed().ok()
        });
        if age.is_none_or(|age| age < UNKNOWN_FOR) {
            continue;
        }
        match app.store.material_of_key(key).await {
            Ok(None) => {
                tracing::info!("a folder without a file in the records is removed");
                if let Err(error) = tokio::fs::remove_dir_all(entry.path()).await {
                    tracing::warn!(%error, "a folder without a file in the records stays");
                }
            }
            Ok(Some(_)) => {}
            Err(error) => {
                tracing::warn!(%error, "folders without a file in the records stay");
                return;
            }
        }
    }
}

async fn work(app: Arc<App>) {
    while !app.materials.stops() {
        let last = lock(&app.materials.last).clone();
        match app.store.next_material(last.as_ref()).await {
            Ok(Some(material)) => {
                *lock(&app.materials.last) = Some(material.session.clone());
                let id = material.id.clone();
                make(&app, material).await;
                app.materials.ended(&id);
            }
            Ok(None) => {
                // Neither a wake nor its absence changes what is looked for next.
                let _ = tokio::time::timeout(LOOK_EVERY, app.materials.wake.notified()).await;
            }
            Err(error) => {
                tracing::warn!(%error, "files that wait cannot be read");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn make(app: &Arc<App>, mut material: Material) {
    let (tell, mut told) = watch::channel(Progress::default());
    let stop = app.materials.begin(&material.id);
    // Taken out of the room before it could be stopped.
    if let Ok(Some(now)) = app.store.material_of_key(&material.key).await
        && now.dropped_ms.is_some()
    {
        stop.store(true, Ordering::Relaxed);
    }
    let task = {
        let (app, folder) = (Arc::clone(app), app.materials.of_key(&material.key));
        tokio::task::spawn_blocking(move || {
            pages_of(&app, &folder, &stop, &mut |progress| {
                tell.send_replace(progress);
            })
        })
    };
    let room = room_of(app, &material).await;
    say(app, room.as_deref(), &material, None).await;
    // Ends when the conversion drops its side.
    while told.changed().await.is_ok() {
        let progress = *told.borrow_and_update();
        say(app, room.as_deref(), &material, Some(progress)).await;
    }
    let made = task.await.unwrap_or(Err(Fault::Internal));
    if made == Err(Fault::Stopped) {
        // What was taken out of its room waits, and its turn never comes.
        if let Err(error) = app.store.put_back_material(&material.id).await {
            tracing::warn!(%error, "a conversion that was stopped counts as tried");
        }
        return;
    }
    settle(&mut material, made);
    if let MaterialState::Failed(why) = &material.state {
        tracing::info!(material = %material.id, why, "a file did not become slides");
        // It never was class material.
        let _ = tokio::fs::remove_dir_all(app.materials.of_key(&material.key)).await;
    }
    let size = [material.pages, material.width, material.height];
    let mut wait = Duration::from_millis(200);
    while let Err(error) = app
        .store
        .finish_material(&material.id, &material.state, size)
        .await
    {
        if app.materials.stops() {
            return;
        }
        tracing::warn!(%error, "the end of a conversion cannot be written down");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LOOK_EVERY);
    }
    say(app, room.as_deref(), &material, None).await;
}

fn settle(material: &mut Material, made: Result<Made, Fault>) {
    match made {
        Ok(made) => {
            material.state = MaterialState::Ready;
            material.pages = made.pages;
            material.width = points(made.width);
            material.height = points(made.height);
        }
        Err(fault) => material.state = MaterialState::Failed(name_of(fault_of(fault))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "bounded on both sides before"
)]
fn points(length: f32) -> u16 {
    length.round().clamp(1.0, 65_535.0) as u16
}

fn pages_of(
    app: &App,
    folder: &Path,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Fault> {
    let path = folder.join("file");
    let mut file = std::fs::File::open(&path).map_err(|_| Fault::Internal)?;
    let bytes = file.metadata().map_err(|_| Fault::Internal)?.len();
    let kind = sniff(&mut file, bytes)?;
    let job = Job {
        file: &path,
        kind,
        work: &folder.join("work"),
        pages: &folder.join("pages"),
        stop,
    };
    convert(&app.materials.tools(), &job, tell)
}

async fn room_of(app: &App, material: &Material) -> Option<String> {
    match app.store.session(&material.session).await {
        Ok(session) => session.map(|session| session.room),
        Err(error) => {
            tracing::warn!(%error, "the room of a file is not known");
            None
        }
    }
}

/// Tells the room when it is in memory; one that is loaded later asks by itself.
async fn say(app: &App, room: Option<&str>, material: &Material, progress: Option<Progress>) {
    let Some(room) = room else { return };
    let mut deck = deck_of(material);
    if let Some(Progress { done, total }) = progress {
        deck.st = DeckState::Converting { done, total };
        deck.pages = total;
    }
    app.rooms.news(room, Command::Deck(Box::new(deck))).await;
}
