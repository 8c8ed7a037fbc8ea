//! What rooms want recorded, and how they hear of it. Rooms say what they want and
//! never wait; the hub ([`super::host`]) brings the recorder there.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use lophoc_ledger::SessionKey;
use lophoc_media::core::Listed;
use lophoc_media::types::{Binding, Epoch, PeerId, RoomKey};
use lophoc_protocol::recording::RecordTrouble;
use lophoc_protocol::{RecordingId, RoomId};
use lophoc_room::{Command, RecordCommand, RecordStart, RecordWho, RecorderReport};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::host::Hub;
use super::supervise::{Program, supervise};
use super::{local, marker};
use crate::app::App;
use crate::clock::wall_ms;
use crate::random;

/// Reports on their way to rooms. Overflow: the hub waits, media goes on.
const REPORTS: usize = 1_024;
/// Words of the recorder that wait for the hub. Overflow: the recorder waits.
const MESSAGES: usize = 1_024;
/// Folder of recordings in the data folder.
const FOLDER: &str = "recordings";
/// Longest wait for one room to take a report.
const LOOK: Duration = Duration::from_millis(500);

/// A room in memory.
#[derive(Debug, Clone)]
pub(super) struct InRoom {
    /// Which run of its task.
    pub(super) run: u64,
    /// In the media plane.
    pub(super) key: RoomKey,
    /// What is held in it.
    pub(super) session: SessionKey,
    /// The id it was given for its next recording.
    pub(super) next: Option<RecordingId>,
    /// It was told nothing yet.
    pub(super) fresh: bool,
}

/// What a room wants with a recording.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Whose.
    pub(super) room: RoomId,
    /// By which run of its task.
    pub(super) run: u64,
    /// In the media plane.
    pub(super) key: RoomKey,
    /// What is held in the room.
    pub(super) session: SessionKey,
    /// As it was begun; `who` and `paused` are of now.
    pub(super) start: RecordStart,
    /// It is over.
    pub(super) stopped: bool,
    /// The room went without ending it.
    pub(super) left: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Rooms in memory: as many as [`crate::room::Rooms`] holds.
    pub(super) rooms: HashMap<RoomId, InRoom>,
    /// Recordings: one for each room that records, until the hub has ended it.
    pub(super) wanted: HashMap<RecordingId, Wanted>,
    /// Why nothing can begin.
    pub(super) trouble: Option<RecordTrouble>,
}

/// Where a connection of a recording and its server side meet: what is in its slots
/// now, and since when.
pub(super) type Bound = (u64, Binding);

/// The recordings of this server.
#[derive(Debug)]
pub struct Recorders {
    state: Mutex<State>,
    pub(super) changed: Notify,
    /// Newest bindings of connections of recordings: an entry each.
    pub(super) bindings: DashMap<PeerId, Option<Bound>>,
    /// Connections that ended, until the hub has looked.
    pub(super) ended: DashMap<PeerId, Epoch>,
    reports: mpsc::Sender<(RoomId, Command)>,
    outbox: Mutex<Option<mpsc::Receiver<(RoomId, Command)>>>,
    stopped: AtomicBool,
    /// Unfinished recordings whose room was looked for, and whether it was found: an
    /// entry each at the start.
    verdicts: Mutex<Vec<(RecordingId, bool)>>,
}

impl Default for Recorders {
    fn default() -> Self {
        let (reports, outbox) = mpsc::channel(REPORTS);
        let state = State {
            // Until a recorder has come up.
            trouble: Some(RecordTrouble::NoRecorder),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            bindings: DashMap::new(),
            ended: DashMap::new(),
            reports,
            outbox: Mutex::new(Some(outbox)),
            stopped: AtomicBool::new(false),
            verdicts: Mutex::default(),
        }
    }
}

impl Recorders {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server stops: files are closed, what is recorded goes on after the start.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn take_verdicts(&self) -> Vec<(RecordingId, bool)> {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *verdicts)
    }

    fn judge(&self, id: RecordingId, woken: bool) {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.push((id, woken));
        drop(verdicts);
        self.changed.notify_one();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn take_outbox(&self) -> Option<mpsc::Receiver<(RoomId, Command)>> {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.take()
    }

    /// A room was loaded: it is told whether it can be recorded.
    pub fn room_open(&self, room: &RoomId, run: u64, key: RoomKey, session: &SessionKey) {
        let entry = InRoom {
            run,
            key,
            session: session.clone(),
            next: None,
            fresh: true,
        };
        self.state().rooms.insert(room.clone(), entry);
        // The hub tells it.
        self.changed.notify_one();
    }

    /// A room went. What it records goes on when it is loaded again soon.
    pub fn room_gone(&self, room: &RoomId, run: u64) {
        let mut state = self.state();
        if state.rooms.get(room).is_some_and(|known| known.run == run) {
            state.rooms.remove(room);
        }
        for wanted in state.wanted.values_mut() {
            wanted.left |= wanted.room == *room && wanted.run == run;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What the room wants from now on. Never waits.
    pub fn carry(&self, room: &RoomId, run: u64, command: RecordCommand) {
        let mut state = self.state();
        match command {
            RecordCommand::Start(start) => {
                let Some(known) = state.rooms.get_mut(room).filter(|known| known.run == run) else {
                    return;
                };
                if known.next.as_ref() == Some(&start.id) {
                    // The hub gives it another one.
                    known.next = None;
                }
                let wanted = Wanted {
                    room: room.clone(),
                    run,
                    key: known.key,
                    session: known.session.clone(),
                    start: *start,
                    stopped: false,
                    left: false,
                };
                state.wanted.insert(wanted.start.id.clone(), wanted);
            }
            RecordCommand::Pause { id } => state.of(&id, run, |wanted| wanted.start.paused = true),
            RecordCommand::Resume { id } => {
                state.of(&id, run, |wanted| wanted.start.paused = false);
            }
            RecordCommand::Stop { id } => state.of(&id, run, |wanted| wanted.stopped = true),
            RecordCommand::Who { id, who } => {
                state.of(&id, run, |wanted| wanted.start.who = who);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What is in the slots of a connection. Called on threads of the media plane:
    /// `true` when it is one of a recording.
    pub fn on_binding(&self, peer: PeerId, at_ns: impl FnOnce() -> u64, binding: &Binding) -> bool {
        let Some(mut entry) = self.bindings.get_mut(&peer) else {
            return false;
        };
        *entry = Some((at_ns(), binding.clone()));
        drop(entry);
        self.changed.notify_one();
        true
    }

    /// A connection ended by itself.
    pub fn on_lost(&self, peer: PeerId, epoch: Epoch) {
        if self.bindings.contains_key(&peer) {
            self.ended.insert(peer, epoch);
            self.changed.notify_one();
        }
    }

    pub(super) async fn report(&self, room: &RoomId, report: RecorderReport) {
        let told = self.reports.send((room.clone(), Command::Recorder(report)));
        // The server stops.
        let _ = told.await;
    }
}

impl State {
    fn of(&mut self, id: &RecordingId, run: u64, change: impl FnOnce(&mut Wanted)) {
        if let Some(wanted) = self.wanted.get_mut(id).filter(|wanted| wanted.run == run) {
            change(wanted);
        }
    }
}

/// An id for a recording: sorts by time, cannot be guessed.
pub(super) fn new_id() -> Option<RecordingId> {
    random::ulid(wall_ms()).ok().map(RecordingId)
}

/// Whose media may come near the recorder: nobody's while nothing is taken.
pub(super) fn listed(who: &RecordWho, paused: bool) -> Listed {
    let peers = who.may.iter().map(|taken| PeerId(taken.peer));
    Listed::Only(peers.filter(|_| !paused).collect())
}

/// Starts the recorder process and everything around it. Ends when
/// [`Recorders::stop`] was called and files are closed. Without a `program` that knows
/// the subcommand there is no recorder.
///
/// # Errors
/// The folder of recordings cannot be made or read.
pub async fn start(app: &Arc<App>, program: Option<PathBuf>) -> io::Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    let recorders = Arc::clone(&app.routes.recorders);
    let Some(mut outbox) = recorders.take_outbox() else {
        return Ok(tasks);
    };
    let config = &app.config;
    let folder = config.data.folder.join(FOLDER);
    tokio::fs::create_dir_all(&folder).await?;
    let left = marker::left(&folder).await?;
    let arguments = vec!["--level".to_owned(), config.log.level.as_str().to_owned()];
    let arguments = arguments
        .into_iter()
        .chain(config.log.json.then(|| "--json".to_owned()))
        .collect();
    let (to_hub, inbox) = mpsc::channel(MESSAGES);
    let program = program
        .filter(|_| config.recording.enabled)
        .map(|path| Program { path, arguments });
    let local = local::ways(&config.media, app.media.port());
    match (program, local) {
        (Some(program), Some(_)) => {
            tasks.spawn(supervise(program, to_hub));
        }
        _ => {
            // The hub stays, so that rooms hear that there is none.
            tasks.spawn(async move { to_hub.closed().await });
        }
    }
    let local = local.unwrap_or(local::LOOPBACK);
    let orphans = left.iter().map(|(id, _)| id.clone()).collect();
    let hub = Hub::new(Arc::clone(app), folder, local, inbox, orphans);
    let reporting = Arc::clone(app);
    let reporter = tasks.spawn(async move {
        while let Some((room, command)) = outbox.recv().await {
            // One room that hangs keeps the others waiting no longer than this.
            let told = reporting.rooms.news(room.as_str(), command);
            let _ = tokio::time::timeout(LOOK, told).await;
        }
    });
    let waking = Arc::clone(app);
    let waker = tasks.spawn(async move {
        // A room that still records goes on when it is loaded; nobody has to come.
        for (id, marker) in left {
            let woken = waking.rooms.wake(&waking, &marker.room).await;
            tracing::info!(recording = %id, woken, "an unfinished recording was found");
            waking.routes.recorders.judge(id, woken);
        }
    });
    tasks.spawn(async move {
        hub.run().await;
        // Nobody is told anything any more.
        reporter.abort();
        waker.abort();
    });
    Ok(tasks)
}
