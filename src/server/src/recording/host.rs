//! The hub: brings recorder and media plane to what rooms want, and tells rooms what
//! comes of it. One task for all recordings; nothing here computes or waits for a
//! disk, and a recorder that dies costs the recordings seconds and nobody else
//! anything.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_ledger::PersonKey;
use lophoc_media::core::Listed;
use lophoc_media::types::{Allow, Epoch, PeerId, RoomKey};
use lophoc_protocol::recording::RecordTrouble;
use lophoc_protocol::{RecordingId, RoomId};
use lophoc_recording::control::{Begin, FromRecorder, ToRecorder};
use lophoc_recording::journal::{DiskLevel, RecordingEnd};
use lophoc_recording::{Policy, RecordingId as FileId};
use lophoc_room::{RecordWho, RecorderReport};
use lophoc_transport::{ConnectError, ConnectSpec, Connected};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::control::{Wanted, listed, new_id};
use super::marker::{self, Marker};
use super::supervise::Process;
use super::view::{COUNTS, SLOTS, sources_of, view_of};
use super::{rows, space};
use crate::app::App;

/// How often the hub looks around.
const LOOK: Duration = Duration::from_millis(500);
/// How often the disk is looked at.
const LOOK_AT_DISK: Duration = Duration::from_secs(5);
/// A recording whose room went, or whose server died, is finished when nobody goes
/// on with it for so long.
const RESUME_WITHIN: Duration = Duration::from_secs(120);
/// A room that was loaded says within this whether it goes on with its recording.
const CLAIM_WITHIN: Duration = Duration::from_secs(10);
/// Wait before something that failed is tried again; doubled with each further time.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest such wait.
const LONGEST_AGAIN: Duration = Duration::from_secs(5 * 60);
/// What went well for so long failed by chance: the waits begin anew.
const STABLE: Duration = Duration::from_secs(10 * 60);
/// Rows of recordings nobody records are looked for this often.
const SETTLE_EVERY: Duration = Duration::from_secs(60 * 60);
/// A gap of one track shorter than this is in the journal and no alarm, ms.
const GAP_ALARM_MS: u64 = 2_000;
/// People whose key is kept for one recording. Overflow: those who are no longer in
/// are forgotten.
const PEOPLE: usize = 20_000;

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// What the room did is being made durable, the folder made.
    Preparing,
    /// To be begun as soon as a recorder is there, not before this time.
    Waiting(Instant),
    /// The recorder has it.
    Begun,
    /// It was told to end it.
    Ending,
    /// It was told to lay it aside; made whole and ended then, unless its room comes
    /// back.
    Aside(Instant),
}

/// A recording.
struct Live {
    room: RoomId,
    run: u64,
    key: RoomKey,
    peer: PeerId,
    stage: Stage,
    paused: bool,
    who: RecordWho,
    people: HashMap<u64, PersonKey>,
    /// Number of the connection that is up or coming.
    attempt: u32,
    connected: bool,
    /// Its number in the media plane.
    epoch: Option<Epoch>,
    /// A new offer is asked for then.
    retry: Option<Instant>,
    rev: u32,
    /// Binding told last, by its time.
    told: u64,
    /// Who changed since.
    retell: bool,
}

/// Something done beside the hub.
enum Job {
    Prepared(RecordingId, bool),
    Connected(RecordingId, u32, Result<Connected, ConnectError>),
    Finished,
    Disk(Option<u64>),
    /// Recordings that go on by their rows, and whether there is anything of them.
    Rows(Vec<(RecordingId, bool)>),
}

/// The task.
pub(super) struct Hub {
    app: Arc<App>,
    folder: PathBuf,
    local: (std::net::IpAddr, SocketAddr),
    inbox: mpsc::Receiver<Process>,
    process: Option<mpsc::Sender<ToRecorder>>,
    live: HashMap<RecordingId, Live>,
    /// Found unfinished at the start: finished then unless a room goes on with it.
    orphans: HashMap<RecordingId, Instant>,
    /// How often what was tried with a recording failed, and when it was last.
    failures: HashMap<RecordingId, (u32, Instant)>,
    /// When rows are looked at.
    settle_at: Instant,
    jobs: JoinSet<Job>,
    disk_full: bool,
    disk_at: Option<Instant>,
    /// It was asked and has not answered.
    disk_asked: bool,
}

impl Hub {
    pub(super) fn new(
        app: Arc<App>,
        folder: PathBuf,
        local: (std::net::IpAddr, SocketAddr),
        inbox: mpsc::Receiver<Process>,
        orphans: Vec<RecordingId>,
    ) -> Self {
        let until = Instant::now() + RESUME_WITHIN;
        Self {
            app,
            folder,
            local,
            inbox,
            process: None,
            live: HashMap::new(),
            orphans: orphans.into_iter().map(|id| (id, until)).collect(),
            failures: HashMap::new(),
            settle_at: until,
            jobs: JoinSet::new(),
            disk_full: false,
            disk_at: None,
            disk_asked: false,
        }
    }

    /// Runs until the server stops.
    pub(super) async fn run(mut self) {
        let app = Arc::clone(&self.app);
        let recorders = &app.routes.recorders;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !recorders.is_stopped() {
            tokio::select! {
                said = self.inbox.recv() => match said {
                    Some(Process::Up(to)) => self.up(to),
                    Some(Process::Said(said)) => self.said(*said).await,
                    Some(Process::Down) => self.down().await,
                    None => break,
                },
                Some(Ok(job)) = self.jobs.join_next() => self.done(job).await,
                () = recorders.changed.notified() => {}
                _ = look.tick() => {
                    self.look_at_disk();
                    self.look_at_rows();
                }
            }
            self.reconcile().await;
        }
        for live in self.live.values() {
            app.media.disconnect(live.peer);
        }
    }

    fn send(&mut self, line: ToRecorder) {
        let Some(to) = &self.process else { return };
        if to.try_send(line).is_err() {
            // It hangs; the supervisor sees its silence, and nobody waits for it.
            tracing::warn!("the recorder does not keep up with its orders");
            self.process = None;
        }
    }

    fn up(&mut self, to: mpsc::Sender<ToRecorder>) {
        self.app.metrics.recording.up.set(1);
        self.process = Some(to);
        for live in self.live.values_mut() {
            if matches!(live.stage, Stage::Begun) {
                live.stage = Stage::Waiting(Instant::now());
            }
        }
    }

    async fn down(&mut self) {
        let metrics = &self.app.metrics.recording;
        metrics.up.set(0);
        metrics.restarts.inc();
        self.process = None;
        let now = Instant::now();
        let mut failed = Vec::new();
        for (id, live) in &mut self.live {
            live.connected = false;
            match live.stage {
                Stage::Begun => {
                    live.stage = Stage::Waiting(now);
                    failed.push((live.room.clone(), id.clone()));
                }
                // What it did not finish is made whole by the next one.
                Stage::Ending => live.stage = Stage::Aside(now),
                _ => {}
            }
        }
        for (room, id) in failed {
            self.report(&room, RecorderReport::Failed { id }).await;
        }
    }

    async fn report(&self, room: &RoomId, report: RecorderReport) {
        self.app.routes.recorders.report(room, report).await;
    }

    /// Rooms are told what they can count on, recordings brought to what is wanted.
    async fn reconcile(&mut self) {
        self.tell_rooms().await;
        let wanted: Vec<Wanted> = {
            let state = self.app.routes.recorders.state();
            state.wanted.values().cloned().collect()
        };
        for wanted in wanted {
            self.follow(wanted).await;
        }
        let ids: Vec<RecordingId> = self.live.keys().cloned().collect();
        for id in ids {
            self.drive(&id);
        }
        let now = Instant::now();
        for (id, woken) in self.app.routes.recorders.take_verdicts() {
            if let Some(until) = self.orphans.get_mut(&id) {
                *until = if woken { now + CLAIM_WITHIN } else { now };
            }
        }
        let due: Vec<RecordingId> = (self.orphans.iter())
            .filter(|(_, until)| **until <= now)
            .map(|(id, _)| id.clone())
            .collect();
        if self.process.is_some() {
            for id in due {
                self.orphans.remove(&id);
                self.repair(id);
            }
        }
    }

    /// Gives rooms an id for their next recording, or says why there is none.
    async fn tell_rooms(&mut self) {
        let trouble = match (&self.process, self.disk_full) {
            (None, _) => Some(RecordTrouble::NoRecorder),
            (_, true) => Some(RecordTrouble::DiskFull),
            _ => None,
        };
        let mut tell = Vec::new();
        {
            let mut state = self.app.routes.recorders.state();
            let changed = std::mem::replace(&mut state.trouble, trouble) != trouble;
            for (room, known) in &mut state.rooms {
                let report = match trouble {
                    Some(why) if changed || known.fresh => {
                        known.next = None;
                        RecorderReport::Unavailable { why }
                    }
                    None if known.next.is_none() => {
                        let Some(id) = new_id() else { continue };
                        known.next = Some(id.clone());
                        RecorderReport::Ready { id }
                    }
                    _ => continue,
                };
                known.fresh = false;
                tell.push((room.clone(), report));
            }
        }
        for (room, report) in tell {
            self.report(&room, report).await;
        }
    }

    /// One recording as its room wants it.
    async fn follow(&mut self, wanted: Wanted) {
        let id = wanted.start.id.clone();
        let Some(live) = self.live.get_mut(&id) else {
            return self.begin(id, wanted).await;
        };
        if wanted.stopped {
            // What is still being made is ended once it is made: its row and folder
            // would come after its end otherwise, and stay.
            if !matches!(live.stage, Stage::Ending | Stage::Preparing) {
                self.end(&id);
            }
            return;
        }
        if wanted.left {
            if !matches!(live.stage, Stage::Aside(_)) {
                self.lay_aside(&id);
            }
            return;
        }
        if (live.run, live.key) != (wanted.run, wanted.key) {
            // The room was loaded anew: another place in the media plane.
            self.app.media.disconnect(live.peer);
            live.connected = false;
            (live.run, live.key) = (wanted.run, wanted.key);
            match live.stage {
                Stage::Aside(_) => live.stage = Stage::Waiting(Instant::now()),
                _ => live.retry = Some(Instant::now()),
            }
        }
        if live.who != wanted.start.who {
            live.who = wanted.start.who;
            live.learn();
            live.retell = true;
            let (peer, who) = (live.peer, listed(&live.who, live.paused));
            live.rev = live.rev.wrapping_add(1);
            let view = view_of(&live.who, live.rev);
            if live.connected {
                self.app.media.set_listed(peer, &who);
                self.app.media.set_view(peer, view);
            }
        }
        if live.paused != wanted.start.paused {
            live.paused = wanted.start.paused;
            let begun = live.stage == Stage::Begun;
            let paused = live.paused;
            if live.connected {
                // While nothing is taken nothing comes near the recorder either.
                self.app
                    .media
                    .set_listed(live.peer, &listed(&live.who, paused));
            }
            if let Some(recording) = file_id(&id).filter(|_| begun) {
                self.send(if paused {
                    ToRecorder::Pause { recording }
                } else {
                    ToRecorder::Resume { recording }
                });
            }
        }
    }

    /// A recording nobody heard of yet.
    async fn begin(&mut self, id: RecordingId, wanted: Wanted) {
        let left = marker::exists(&self.folder, &id);
        let over = wanted.stopped || wanted.left;
        if over && left {
            // Ended before this hub had heard that it goes on again.
            self.orphans.insert(id.clone(), Instant::now());
        }
        if over || file_id(&id).is_none() || (wanted.start.again && !left) {
            // It was finished while the room was away.
            if !over {
                let why = RecordTrouble::Ended;
                let id = id.clone();
                self.report(&wanted.room, RecorderReport::Ended { id, why })
                    .await;
            }
            // Its row may not know that yet.
            self.settle_at = Instant::now();
            self.forget(&id);
            return;
        }
        self.orphans.remove(&id);
        let peer = PeerId(self.app.next_peer());
        let mut live = Live {
            room: wanted.room.clone(),
            run: wanted.run,
            key: wanted.key,
            peer,
            stage: Stage::Preparing,
            paused: wanted.start.paused,
            who: wanted.start.who.clone(),
            people: HashMap::new(),
            attempt: 0,
            connected: false,
            epoch: None,
            retry: None,
            rev: 1,
            told: 0,
            retell: false,
        };
        live.learn();
        self.app.routes.recorders.bindings.insert(peer, None);
        self.live.insert(id.clone(), live);
        let (app, folder) = (Arc::clone(&self.app), self.folder.clone());
        self.jobs.spawn(async move {
            // An append of nothing answers after all before it.
            let kept = app.store.ledger().append_waiting(Vec::new()).await.await;
            let mut ready = matches!(kept, Ok(Ok(())));
            let marker = Marker {
                room: wanted.room,
                session: wanted.session.clone(),
            };
            ready = ready && rows::begun(&app, &wanted.session, &wanted.start).await;
            ready = ready && marker::make(&folder, &id, &marker).await;
            Job::Prepared(id, ready)
        });
    }

    async fn done(&mut self, job: Job) {
        match job {
            Job::Prepared(id, ready) => {
                let Some(live) = self.live.get_mut(&id) else {
                    return;
                };
                if ready {
                    // It may have been ended meanwhile.
                    if live.stage == Stage::Preparing {
                        live.stage = Stage::Waiting(Instant::now());
                    }
                } else {
                    tracing::error!(recording = %id, "a recording could not be begun");
                    let room = live.room.clone();
                    let why = RecordTrouble::Ended;
                    let report = RecorderReport::Ended {
                        id: id.clone(),
                        why,
                    };
                    self.report(&room, report).await;
                    self.settle_at = Instant::now();
                    self.forget(&id);
                }
            }
            Job::Finished => {}
            Job::Disk(free) => {
                self.disk_asked = false;
                self.disk(free);
            }
            Job::Rows(rows) => self.settle(rows),
            Job::Connected(id, attempt, result) => self.connected(&id, attempt, result),
        }
    }

    /// What time brings.
    fn drive(&mut self, id: &RecordingId) {
        let now = Instant::now();
        let Some(recording) = file_id(id) else { return };
        let Some(live) = self.live.get_mut(id) else {
            return;
        };
        match live.stage {
            Stage::Waiting(from) if from <= now && self.process.is_some() => {
                live.stage = Stage::Begun;
                live.told = 0;
                let begin = Begin {
                    recording,
                    folder: marker::folder(&self.folder, id),
                    paused: live.paused,
                    // Whom it takes is decided before anything reaches it.
                    policy: Policy::default(),
                    slots: COUNTS,
                    local: self.local.0,
                    media: self.local.1,
                    min_free: u64::from(self.app.config.recording.min_free_mb) << 20,
                };
                self.send(ToRecorder::Begin(Box::new(begin)));
            }
            Stage::Aside(until) if until <= now && self.process.is_some() => {
                live.stage = Stage::Ending;
                self.repair(id.clone());
            }
            Stage::Begun => {
                // The end of a connection before this one says nothing.
                let ended = self.app.routes.recorders.ended.remove(&live.peer);
                if ended.is_some_and(|(_, epoch)| live.epoch == Some(epoch)) {
                    live.connected = false;
                    live.retry = Some(now);
                }
                if live.retry.is_some_and(|at| at <= now) {
                    live.retry = None;
                    let attempt = live.attempt;
                    return self.send(ToRecorder::Lost { recording, attempt });
                }
                self.tell_bound(id, recording);
            }
            _ => {}
        }
    }

    /// Tells the recorder who is in the slots if that changed.
    fn tell_bound(&mut self, id: &RecordingId, recording: FileId) {
        let Some(live) = self.live.get_mut(id) else {
            return;
        };
        let newest = {
            let entry = self.app.routes.recorders.bindings.get(&live.peer);
            entry.as_deref().cloned().flatten()
        };
        let Some((at_ns, binding)) = newest else {
            return;
        };
        if !live.connected || (live.told == at_ns && !live.retell) {
            return;
        }
        let at = if live.told == at_ns {
            space::boot_ns()
        } else {
            at_ns
        };
        (live.told, live.retell) = (at_ns, false);
        let line = ToRecorder::Bound {
            recording,
            attempt: live.attempt,
            at_ns: at,
            slots: sources_of(&binding, &live.people, &live.who),
        };
        self.send(line);
    }

    fn end(&mut self, id: &RecordingId) {
        let (Some(recording), Some(live)) = (file_id(id), self.live.get_mut(id)) else {
            return;
        };
        self.app.media.disconnect(live.peer);
        live.connected = false;
        match std::mem::replace(&mut live.stage, Stage::Ending) {
            Stage::Begun => self.send(ToRecorder::Stop { recording }),
            // Nothing of this run is there: what an earlier one left is made whole.
            _ if self.process.is_some() => self.repair(id.clone()),
            _ => live.stage = Stage::Aside(Instant::now()),
        }
    }

    fn lay_aside(&mut self, id: &RecordingId) {
        let until = Instant::now() + RESUME_WITHIN;
        let (Some(recording), Some(live)) = (file_id(id), self.live.get_mut(id)) else {
            return;
        };
        self.app.media.disconnect(live.peer);
        live.connected = false;
        if std::mem::replace(&mut live.stage, Stage::Aside(until)) == Stage::Begun {
            self.send(ToRecorder::Suspend { recording });
        }
    }

    fn repair(&mut self, id: RecordingId) {
        if let Some(recording) = file_id(&id) {
            let folder = marker::folder(&self.folder, &id);
            self.send(ToRecorder::Repair { recording, folder });
        }
    }

    async fn said(&mut self, said: FromRecorder) {
        match said {
            FromRecorder::Offer {
                recording,
                attempt,
                sdp,
            } => self.offered(&room_id(&recording), attempt, sdp),
            FromRecorder::Capturing { recording } => {
                let id = room_id(&recording);
                if let Some(live) = self.live.get(&id) {
                    let room = live.room.clone();
                    self.report(&room, RecorderReport::Capturing { id }).await;
                }
            }
            FromRecorder::Gap {
                recording,
                span,
                wall_ms,
                why,
                all,
            } => {
                tracing::warn!(%recording, from_ms = span.from_ms, to_ms = span.to_ms, ?why, "gap");
                self.app.metrics.recording.gaps.inc();
                let id = room_id(&recording);
                if (all || span.len_ms() >= GAP_ALARM_MS)
                    && let Some(live) = self.live.get(&id)
                {
                    let report = RecorderReport::Gap {
                        id,
                        from_ms: wall_ms,
                        to_ms: wall_ms.saturating_add(span.len_ms()),
                    };
                    let room = live.room.clone();
                    self.report(&room, report).await;
                }
            }
            FromRecorder::Slow { recording, for_ms } => {
                tracing::error!(%recording, for_ms, "the disk of recordings does not answer");
                let id = room_id(&recording);
                if let Some(live) = self.live.get(&id) {
                    let room = live.room.clone();
                    self.report(&room, RecorderReport::DiskSlow { id }).await;
                }
            }
            FromRecorder::Disk {
                recording,
                level,
                free,
            } => {
                tracing::warn!(%recording, ?level, free, "disk of recordings");
                let id = room_id(&recording);
                if level != DiskLevel::Good
                    && let Some(live) = self.live.get(&id)
                {
                    let room = live.room.clone();
                    let report = RecorderReport::DiskLow { id, left: free };
                    self.report(&room, report).await;
                }
            }
            FromRecorder::SegmentClosed { recording, file } => {
                tracing::debug!(%recording, file, "segment closed");
            }
            FromRecorder::Ended {
                recording,
                why,
                at_ms,
                clean,
            } => {
                tracing::info!(%recording, ?why, at_ms, clean, "recording ended");
                self.ended(&room_id(&recording), why, clean).await;
            }
            FromRecorder::Suspended { recording } => {
                tracing::info!(%recording, "recording laid aside");
                let id = room_id(&recording);
                // Nobody asked for it: it takes nothing, and the room believes it does.
                if (self.live.get(&id)).is_some_and(|live| live.stage == Stage::Begun) {
                    self.failed(id).await;
                }
            }
            FromRecorder::Failed { recording, why } => {
                tracing::error!(%recording, why, "a recording failed and is begun again");
                self.failed(room_id(&recording)).await;
            }
            FromRecorder::Status { list } => self.app.metrics.recording.take(&list),
            FromRecorder::Ready { .. } => {}
        }
    }

    /// It goes wrong: tried again after a while, longer each time. The room is told
    /// when it had media, and of the first time.
    async fn failed(&mut self, id: RecordingId) {
        let now = Instant::now();
        let (again, first) = self.again(&id, now);
        if let Some(live) = self.live.get_mut(&id) {
            let first = std::mem::take(&mut live.connected) || first;
            match live.stage {
                Stage::Begun => live.stage = Stage::Waiting(again),
                Stage::Ending => live.stage = Stage::Aside(again),
                _ => {}
            }
            let room = live.room.clone();
            if first {
                self.report(&room, RecorderReport::Failed { id }).await;
            }
        } else {
            self.orphans.insert(id, again);
        }
    }

    /// When it is tried again, and whether it went well before.
    fn again(&mut self, id: &RecordingId, now: Instant) -> (Instant, bool) {
        self.failures
            .retain(|_, (_, last)| now.saturating_duration_since(*last) < STABLE);
        let (times, last) = self.failures.entry(id.clone()).or_insert((0, now));
        let wait = AGAIN.saturating_mul(2_u32.saturating_pow((*times).min(16)));
        (*times, *last) = (times.saturating_add(1), now);
        (now + wait.min(LONGEST_AGAIN), *times == 1)
    }

    fn offered(&mut self, id: &RecordingId, attempt: u32, sdp: String) {
        let Some(live) = self
            .live
            .get_mut(id)
            .filter(|live| live.stage == Stage::Begun)
        else {
            return;
        };
        live.attempt = attempt;
        live.connected = false;
        live.told = 0;
        // Of this connection nothing was told yet.
        self.app.routes.recorders.bindings.insert(live.peer, None);
        let (media, key, peer) = (self.app.media.clone(), live.key, live.peer);
        let who: Listed = listed(&live.who, live.paused);
        let id = id.clone();
        self.jobs.spawn_blocking(move || {
            let spec = ConnectSpec {
                room: key,
                group: 0,
                peer,
                sends: Vec::new(),
                slots: SLOTS,
                allow: Allow::default(),
                offer: &sdp,
            };
            Job::Connected(id, attempt, media.connect_listed(spec, who))
        });
    }

    fn connected(&mut self, id: &RecordingId, attempt: u32, made: Result<Connected, ConnectError>) {
        let current = |live: &&mut Live| live.attempt == attempt && live.stage == Stage::Begun;
        let Some(live) = self.live.get_mut(id).filter(current) else {
            return;
        };
        let (Ok(made), Some(recording)) = (&made, file_id(id)) else {
            tracing::warn!(recording = %id, ?made, "the media plane refused a recording");
            live.retry = Some(Instant::now() + AGAIN);
            return;
        };
        live.connected = true;
        // What an earlier connection said meanwhile is not of this one.
        self.app.routes.recorders.bindings.insert(live.peer, None);
        live.epoch = Some(made.epoch);
        // Who is taken may have changed while the answer was made.
        self.app
            .media
            .set_listed(live.peer, &listed(&live.who, live.paused));
        self.app
            .media
            .set_view(live.peer, view_of(&live.who, live.rev));
        let sdp = made.answer_sdp.clone();
        self.send(ToRecorder::Answer {
            recording,
            attempt,
            sdp,
        });
    }

    /// `clean`: nothing is left to be made whole.
    async fn ended(&mut self, id: &RecordingId, why: RecordingEnd, clean: bool) {
        let wanted = {
            let state = self.app.routes.recorders.state();
            state.wanted.get(id).cloned()
        };
        if let Some(wanted) = wanted.filter(|wanted| !wanted.stopped && !wanted.left) {
            let why = match why {
                RecordingEnd::Disk => RecordTrouble::DiskFull,
                _ => RecordTrouble::Ended,
            };
            let id = id.clone();
            self.report(&wanted.room, RecorderReport::Ended { id, why })
                .await;
        }
        self.forget(id);
        self.orphans.remove(id);
        if !clean {
            let (again, _) = self.again(id, Instant::now());
            self.orphans.insert(id.clone(), again);
            return;
        }
        self.failures.remove(id);
        let (app, folder, id) = (Arc::clone(&self.app), self.folder.clone(), id.clone());
        // The disk of the database may be slow: nobody waits for it here.
        self.jobs.spawn(async move {
            if rows::finished(&app, &id).await {
                marker::remove(&folder, &id).await;
            }
            Job::Finished
        });
    }

    fn forget(&mut self, id: &RecordingId) {
        if let Some(live) = self.live.remove(id) {
            self.app.media.disconnect(live.peer);
            self.app.routes.recorders.bindings.remove(&live.peer);
            self.app.routes.recorders.ended.remove(&live.peer);
        }
        self.app.routes.recorders.state().wanted.remove(id);
    }

    fn look_at_disk(&mut self) {
        let now = Instant::now();
        if self.disk_asked || self.disk_at.is_some_and(|at| now - at < LOOK_AT_DISK) {
            return;
        }
        self.disk_at = Some(now);
        // A disk that hangs holds up nobody here, and one thread at most.
        self.disk_asked = true;
        let folder = self.folder.clone();
        self.jobs
            .spawn_blocking(move || Job::Disk(space::free(&folder)));
    }

    /// Rows of recordings that go on are compared with what is recorded: one whose
    /// end was never written down, or whose marker was lost, would go on for ever.
    fn look_at_rows(&mut self) {
        let now = Instant::now();
        if now < self.settle_at {
            return;
        }
        self.settle_at = now + SETTLE_EVERY;
        let (app, folder) = (Arc::clone(&self.app), self.folder.clone());
        self.jobs
            .spawn(async move { Job::Rows(rows::going_on(&app, &folder).await) });
    }

    fn settle(&mut self, rows: Vec<(RecordingId, bool)>) {
        for (id, has_files) in rows {
            let wanted = self.app.routes.recorders.state().wanted.contains_key(&id);
            if wanted || self.live.contains_key(&id) || self.orphans.contains_key(&id) {
                continue;
            }
            tracing::warn!(recording = %id, "a recording nobody records any more is ended");
            if has_files {
                // Made whole first; its end is told then.
                self.orphans.insert(id, Instant::now());
            } else {
                let app = Arc::clone(&self.app);
                self.jobs.spawn(async move {
                    rows::finished(&app, &id).await;
                    Job::Finished
                });
            }
        }
    }

    fn disk(&mut self, free: Option<u64>) {
        let needed = u64::from(self.app.config.recording.min_free_mb) << 20;
        // What cannot be asked is found out by writing.
        self.disk_full = free.is_some_and(|free| free < needed);
        if let Some(free) = free {
            let free = i64::try_from(free).unwrap_or(i64::MAX);
            self.app.metrics.recording.disk_free.set(free);
        }
    }
}

impl Live {
    /// Remembers whose media is whose: what comes late is still of somebody.
    fn learn(&mut self) {
        if self.people.len() >= PEOPLE {
            self.people.clear();
        }
        let known = self
            .who
            .may
            .iter()
            .map(|taken| (taken.peer, taken.person.clone()));
        self.people.extend(known);
    }
}

fn file_id(id: &RecordingId) -> Option<FileId> {
    FileId::new(&id.0)
}

fn room_id(id: &FileId) -> RecordingId {
    RecordingId(id.as_str().to_owned())
}
