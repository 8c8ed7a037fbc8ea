//! One recording: its connection, the state machine that decides, its files.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use lophoc_recording::control::{Begin, FromRecorder, Status};
use lophoc_recording::journal::{GapWhy, Line, RecordingEnd};
use lophoc_recording::{Alarm, Capture, Frame, Input, Output, Slot, Source, Span};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::files::{Files, JOURNAL, Mending, Refused, Told};
use crate::peer::{Peer, PeerEvent, REORDER_SOUND};
use crate::socket::Socket;
use crate::{Statuses, clock, repair, space};

/// Frames wait so long, from when they arrived, for the word who is in their slot: it
/// comes another way than they do. No less than sound waits for what is before it, or
/// a frame would come out after the word of who followed.
const HOLD: Duration = REORDER_SOUND;
/// Frames that may wait. Overflow: the oldest goes on with the word known.
const HELD: usize = 4_096;
/// Words about slots that may wait for frames to come by. Overflow: the oldest
/// counts at once.
const BOUND: usize = 256;
/// The state machine hears of the time this often.
const TICK: Duration = Duration::from_millis(100);
/// The disk is looked at this often.
const LOOK_AT_DISK: Duration = Duration::from_secs(5);
/// A disk that has been at one thing for so long is slow: told, though nothing is
/// missing yet.
const SLOW_MS: u64 = 5_000;
/// That is told this often at most.
const SLOW_EVERY: Duration = Duration::from_secs(60);
/// A connection that has not come up by then is tried anew.
const CONNECT_WITHIN: Duration = Duration::from_secs(8);
/// Batches of datagrams taken in one visit.
const BATCHES: usize = 16;
/// Name of the file that says that a process writes here.
const LOCK: &str = "lock";
/// Wait for another process to let go of the folder: one whose server died and that
/// still closes its files.
const LOCK_WITHIN: Duration = Duration::from_secs(10);

/// What the server wants.
#[derive(Debug)]
pub enum Order {
    /// Of the offer of this number.
    Answer { attempt: u32, sdp: String },
    /// Offer again.
    Lost { attempt: u32 },
    /// Who is in the slots.
    Bound {
        attempt: u32,
        at_ns: u64,
        slots: Vec<(Slot, Source)>,
    },
    /// Take nothing.
    Pause,
    /// Take again.
    Resume,
    /// The end.
    Stop,
    /// Lay it aside.
    Suspend,
}

/// Why a recording cannot go on in this process.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Its folder.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Another process writes there.
    #[error("another process writes to its folder")]
    Locked,
    /// The thread of its files.
    #[error("its files take nothing more")]
    Stuck,
    /// What is there makes no sense.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Takes the folder for this process alone, for as long as the file lives. A disk that
/// hangs holds up nobody else.
pub async fn lock(folder: &Path) -> Result<File, Fault> {
    let path = folder.join(LOCK);
    let task = move || {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let until = Instant::now() + LOCK_WITHIN;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() > until {
                return Err(Fault::Locked);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(file)
    };
    tokio::task::spawn_blocking(task)
        .await
        .map_err(|_| Fault::Damaged("its folder could not be locked"))?
}

/// A recording before it runs.
pub struct Task {
    begin: Begin,
    orders: mpsc::Receiver<Order>,
    tell: mpsc::Sender<FromRecorder>,
    statuses: Statuses,
}

impl Task {
    /// Nothing happens before [`Self::run`].
    pub fn new(
        begin: Begin,
        orders: mpsc::Receiver<Order>,
        tell: mpsc::Sender<FromRecorder>,
        statuses: Statuses,
    ) -> Self {
        Self {
            begin,
            orders,
            tell,
            statuses,
        }
    }

    /// Records until it is told to end or cannot go on; gives how it ended.
    pub async fn run(self) -> FromRecorder {
        let recording = self.begin.recording.clone();
        match self.work().await {
            Ok(report) => report,
            Err(fault) => FromRecorder::Failed {
                recording,
                why: fault.to_string(),
            },
        }
    }

    async fn work(self) -> Result<FromRecorder, Fault> {
        let Self {
            begin,
            mut orders,
            tell,
            statuses,
        } = self;
        let folder = begin.folder.clone();
        // Handed on to the thread that writes: the folder is free when it is done.
        let lock = lock(&folder).await?;
        let found = {
            let folder = folder.clone();
            let work = tokio::task::spawn_blocking(move || repair::find(&folder));
            work.await
                .map_err(|_| Fault::Damaged("its folder could not be read"))??
        };
        let now = clock::now();
        let boot_id = clock::boot_id();
        let (capture, outputs, left) = match found {
            Some(mut found) => {
                if found.timeline.ended.is_some() || found.timeline.is_over(now, &boot_id) {
                    let work = tokio::task::spawn_blocking(move || (found.finish(), lock));
                    let (ended, lock) =
                        (work.await).map_err(|_| Fault::Damaged("its files could not be read"))?;
                    drop(lock);
                    let (why, at_ms) = ended?;
                    return Ok(FromRecorder::Ended {
                        recording: begin.recording,
                        why,
                        at_ms,
                        clean: true,
                    });
                }
                let (capture, outputs) = Capture::go_on(&found.timeline, now, &boot_id);
                (capture, outputs, Some(found))
            }
            None => {
                let id = begin.recording.clone();
                let (capture, outputs) = Capture::begin(id, now, &boot_id, begin.policy.clone());
                (capture, outputs, None)
            }
        };
        let (path, least) = (folder.clone(), begin.min_free);
        let opened = tokio::task::spawn_blocking(move || {
            let journal = OpenOptions::new()
                .append(true)
                .create(true)
                .open(path.join(JOURNAL));
            (journal, space::ballast(&path, least), space::free(&path))
        });
        let (journal, ballast, free) =
            (opened.await).map_err(|_| Fault::Damaged("its journal could not be opened"))?;
        let journal = journal?;
        let (to, mut told) = mpsc::channel(64);
        let socket = Socket::bind(begin.local)?;
        // Read whole beside what is taken from now on.
        let left = Mending::start(move |stop, each| {
            left.map_or(Ok(true), |found| found.mend(stop, each))
        })?;
        let files = Files::start(folder, lock, journal, ballast, left, to)?;
        let mut running = Running::new(begin, capture, files, socket, tell, statuses);
        running.carry(outputs);
        running.prepare(free).await;
        while !running.ending() {
            let wake = running.wake();
            tokio::select! {
                order = orders.recv() => running.order(order.unwrap_or(Order::Suspend)).await,
                Some(told) = told.recv() => running.told(told).await,
                come = running.socket.readable() => {
                    come?;
                    running.receive()?;
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            running.pump().await;
            if let Some(fault) = running.fault.take() {
                // The disk may hang for long: it is told now, not when all is written.
                running.tell_stuck(&fault);
                running.speak().await;
                // Nobody else may write there before the last byte is written.
                let files = running.files;
                // Nobody hears any more what it has to say, nor holds it up.
                drop(told);
                let _ = tokio::task::spawn_blocking(move || files.join()).await;
                return Err(fault);
            }
        }
        running.say_goodbye();
        // The queue is bounded and the disk may be slow: what was taken is written.
        let mut clean = false;
        while let Some(news) = told.recv().await {
            if let Told::Done { clean: all } = news {
                clean = all;
                break;
            }
            running.told(news).await;
        }
        drop(told);
        Ok(running.farewell(clean))
    }
}

/// A recording that runs.
struct Running {
    begin: Begin,
    capture: Capture,
    files: Files,
    socket: Socket,
    peer: Option<Peer>,
    attempt: u32,
    /// When this connection must be up, until it is.
    connect_by: Option<Instant>,
    held: VecDeque<(Slot, Frame)>,
    bounds: VecDeque<(u64, Vec<(Slot, Source)>)>,
    bound: BTreeMap<Slot, Source>,
    tell: mpsc::Sender<FromRecorder>,
    /// To be told after the present work.
    news: Vec<FromRecorder>,
    statuses: Statuses,
    status: Status,
    next_tick: Instant,
    next_look: Instant,
    /// The disk was asked, and has not answered yet.
    looking: Option<JoinHandle<Option<u64>>>,
    status_at: Instant,
    /// The disk is at one thing for long.
    slow: bool,
    /// When that was told last.
    slow_told: Option<Instant>,
    ended: Option<(RecordingEnd, u64)>,
    suspended: bool,
    fault: Option<Fault>,
}

impl Running {
    fn new(
        begin: Begin,
        capture: Capture,
        files: Files,
        socket: Socket,
        tell: mpsc::Sender<FromRecorder>,
        statuses: Statuses,
    ) -> Self {
        let now = Instant::now();
        let status = Status {
            recording: begin.recording.clone(),
            tracks: 0,
            bytes: 0,
            frames: 0,
            queued: 0,
            dropped: 0,
            track_ms: 0,
        };
        Self {
            begin,
            capture,
            files,
            socket,
            peer: None,
            attempt: 0,
            connect_by: None,
            held: VecDeque::new(),
            bounds: VecDeque::new(),
            bound: BTreeMap::new(),
            tell,
            news: Vec::new(),
            statuses,
            status,
            next_tick: now,
            next_look: now,
            looking: None,
            status_at: now,
            slow: false,
            slow_told: None,
            ended: None,
            suspended: false,
            fault: None,
        }
    }

    fn ending(&self) -> bool {
        self.ended.is_some() || self.suspended
    }

    /// The first input: paused or not, how much room there is, and an offer.
    async fn prepare(&mut self, free: Option<u64>) {
        let wants = if self.begin.paused {
            Input::Pause { by: None }
        } else {
            Input::Resume { by: None }
        };
        self.input(wants);
        self.next_look = Instant::now() + LOOK_AT_DISK;
        self.found_free(free);
        self.offer();
        self.speak().await;
    }

    fn input(&mut self, input: Input) {
        let outputs = self.capture.handle(clock::now(), input);
        self.carry(outputs);
    }

    /// Carries out what the state machine wants, in order.
    fn carry(&mut self, outputs: Vec<Output>) {
        let mut queue: VecDeque<Output> = outputs.into();
        while let Some(mut output) = queue.pop_front() {
            match &mut output {
                Output::AskKeyframe { slot } => {
                    if let Some(peer) = &mut self.peer {
                        peer.ask_keyframe(Instant::now(), *slot);
                    }
                    continue;
                }
                Output::Alarm(alarm) => {
                    self.alarm(alarm.clone());
                    continue;
                }
                Output::Journal(Line::Disk { free, .. }) => {
                    *free = space::unscaled(*free, self.begin.min_free);
                }
                Output::Journal(Line::Gap(gap)) if gap.segment.is_some() => {
                    self.gap(gap.span, gap.why, false);
                }
                Output::Journal(Line::Ended { at_ms, why }) => self.ended = Some((*why, *at_ms)),
                _ => {}
            }
            match self.files.push(output) {
                Ok(()) => {}
                Err(Refused::Dropped { segment, bytes }) => {
                    self.status.dropped = self.status.dropped.saturating_add(bytes);
                    let dropped = Input::Dropped { segment, bytes };
                    queue.extend(self.capture.handle(clock::now(), dropped));
                }
                Err(Refused::Stuck) => {
                    self.fault = Some(Fault::Stuck);
                    return;
                }
            }
        }
    }

    fn gap(&mut self, span: Span, why: GapWhy, all: bool) {
        let now = clock::now();
        let ago = self.capture.status().t_ms.saturating_sub(span.from_ms);
        self.news.push(FromRecorder::Gap {
            recording: self.begin.recording.clone(),
            span,
            wall_ms: now.wall_ms.saturating_sub(ago),
            why,
            all,
        });
    }

    fn alarm(&mut self, alarm: Alarm) {
        let recording = self.begin.recording.clone();
        match alarm {
            Alarm::Gap { from_ms, to_ms } => {
                self.gap(Span::new(from_ms, to_ms), GapWhy::Recorder, true);
            }
            Alarm::Disk { level, free } => {
                let free = space::unscaled(free, self.begin.min_free);
                self.news.push(FromRecorder::Disk {
                    recording,
                    level,
                    free,
                });
            }
            // The end of the recording follows, and says so.
            Alarm::Failed { full } => tracing::error!(%recording, full, "a write failed"),
            Alarm::Queue {
                bytes,
                from_ms,
                to_ms,
            } => {
                tracing::error!(%recording, bytes, "the disk is too slow, clusters were dropped");
                self.gap(Span::new(from_ms, to_ms), GapWhy::Queue, true);
            }
            Alarm::NoPicture { source } => {
                tracing::warn!(%recording, kind = ?source.kind, "a picture does not come");
            }
            Alarm::TooMany => {
                tracing::error!(%recording, "it has as many files as it may have");
                let now = self.capture.status().t_ms;
                self.gap(Span::new(now, now), GapWhy::Queue, true);
            }
        }
    }

    /// Begins a connection; who was in the slots of the one before is in none.
    fn offer(&mut self) {
        let now = Instant::now();
        self.release(true);
        if self.peer.is_some() && self.connect_by.is_none() {
            self.input(Input::Lost);
        }
        self.bounds.clear();
        self.bind(&[]);
        if let Some(mut old) = self.peer.take() {
            old.close(now, clock::boot_ns(), |to, bytes| {
                self.socket.send(to, &bytes)
            });
        }
        self.attempt = self.attempt.wrapping_add(1);
        // A new port: what is still under way to the old one is nothing to this one.
        let socket = Socket::bind(self.begin.local);
        let made = socket
            .map_err(|error| error.to_string())
            .and_then(|socket| {
                self.socket = socket;
                let offered = Peer::offer(now, self.socket.local, self.begin.slots);
                offered.map_err(|error| error.to_string())
            });
        self.connect_by = Some(now + CONNECT_WITHIN);
        match made {
            Ok((peer, sdp)) => {
                self.peer = Some(peer);
                self.news.push(FromRecorder::Offer {
                    recording: self.begin.recording.clone(),
                    attempt: self.attempt,
                    sdp,
                });
            }
            Err(error) => tracing::error!(error, "no connection could be prepared"),
        }
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Answer { attempt, sdp } if attempt == self.attempt => {
                let (now, media) = (Instant::now(), self.begin.media);
                self.connect_by = Some(now + CONNECT_WITHIN);
                if let Some(Err(error)) =
                    self.peer.as_mut().map(|peer| peer.answer(now, &sdp, media))
                {
                    tracing::error!(%error, "the answer of the media plane is refused");
                    // The time for the connection runs out, then it is tried anew.
                }
            }
            Order::Lost { attempt } if attempt == self.attempt => self.offer(),
            Order::Bound {
                attempt,
                at_ns,
                slots,
            } if attempt == self.attempt => {
                if self.bounds.len() >= BOUND
                    && let Some((_, slots)) = self.bounds.pop_front()
                {
                    self.bind(&slots);
                }
                self.bounds.push_back((at_ns, slots));
            }
            // Of a connection that is no more.
            Order::Answer { .. } | Order::Lost { .. } | Order::Bound { .. } => {}
            Order::Pause => {
                self.release(true);
                self.input(Input::Pause { by: None });
            }
            Order::Resume => self.input(Input::Resume { by: None }),
            Order::Stop => {
                self.release(true);
                self.input(Input::Stop);
            }
            Order::Suspend => {
                self.release(true);
                self.input(Input::Suspend);
                self.suspended = self.ended.is_none();
            }
        }
        self.speak().await;
    }

    async fn told(&mut self, told: Told) {
        match told {
            Told::Failed { segment, full } => self.input(Input::Failed { segment, full }),
            Told::Closed { file } => self.news.push(FromRecorder::SegmentClosed {
                recording: self.begin.recording.clone(),
                file,
            }),
            Told::Done { .. } => self.fault = Some(Fault::Stuck),
        }
        self.speak().await;
    }

    /// When something is to be done without anything coming.
    fn wake(&self) -> Instant {
        let peer = self.peer.as_ref().map(|peer| peer.deadline);
        peer.into_iter().fold(self.next_tick, Instant::min)
    }

    fn receive(&mut self) -> Result<(), Fault> {
        let now = Instant::now();
        let Some(peer) = &mut self.peer else {
            return Ok(());
        };
        let mut broken = None;
        for _ in 0..BATCHES {
            let more = self.socket.receive(|from, bytes| {
                if let Err(error) = peer.receive(now, from, bytes) {
                    broken = Some(error);
                }
            })?;
            if !more {
                break;
            }
        }
        peer.deadline = now;
        if let Some(error) = broken {
            // One bad packet; the engine says when it cannot go on.
            tracing::debug!(%error, "a packet was refused");
        }
        Ok(())
    }

    /// Does what time and packets bring.
    async fn pump(&mut self) {
        let now = Instant::now();
        let now_ns = clock::boot_ns();
        let mut lost = self.connect_by.is_some_and(|by| now >= by);
        let mut connected = false;
        if let Some(peer) = &mut self.peer
            && peer.deadline <= now
        {
            let (socket, held, news) = (&self.socket, &mut self.held, &mut self.news);
            let (recording, connect_by) = (&self.begin.recording, &mut self.connect_by);
            let polled = peer.poll(now, now_ns, |event| match event {
                PeerEvent::Send(to, bytes) => socket.send(to, &bytes),
                PeerEvent::Connected => {
                    (*connect_by, connected) = (None, true);
                    news.push(FromRecorder::Capturing {
                        recording: recording.clone(),
                    });
                }
                PeerEvent::Lost => lost = true,
                PeerEvent::Frame(slot, frame) => held.push_back((slot, frame)),
            });
            if let Err(error) = polled {
                tracing::warn!(%error, "the connection broke");
                lost = true;
            }
            lost |= !peer.is_alive();
        }
        if connected {
            self.input(Input::Connected);
        }
        self.release(false);
        if lost {
            tracing::warn!(recording = %self.begin.recording, "no media, a new connection is made");
            self.offer();
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            self.input(Input::Tick);
            if self.next_look <= now {
                self.look_at_disk();
            }
            if let Some(looked) = self.looking.take_if(|look| look.is_finished()) {
                // One that broke says nothing; the next is asked in time.
                self.found_free(looked.await.ok().flatten());
            }
            self.look_at_files(now, now_ns);
            self.note(now);
        }
        self.speak().await;
    }

    /// A disk that does not answer is told before anything is missing.
    fn look_at_files(&mut self, now: Instant, now_ns: u64) {
        let for_ms = self.files.at_work_ms(now_ns);
        self.slow = for_ms >= SLOW_MS;
        let lately = (self.slow_told).is_some_and(|told| now < told + SLOW_EVERY);
        if self.slow && !lately {
            self.slow_told = Some(now);
            self.news.push(FromRecorder::Slow {
                recording: self.begin.recording.clone(),
                for_ms,
            });
        }
    }

    /// From now on nothing is taken until the server begins it again.
    fn tell_stuck(&mut self, fault: &Fault) {
        if matches!(fault, Fault::Stuck) {
            let now_ms = self.capture.status().t_ms;
            self.gap(Span::new(now_ms, now_ms), GapWhy::Queue, true);
        }
    }

    /// Hands on the frames whose wait is over, each with the word of its time.
    fn release(&mut self, all: bool) {
        let now_ns = clock::boot_ns();
        let hold = u64::try_from(HOLD.as_nanos()).unwrap_or(0);
        let due = if all {
            u64::MAX
        } else {
            now_ns.saturating_sub(hold)
        };
        while let Some((slot, frame)) = self.held.pop_front() {
            if frame.arrival_ns > due && self.held.len() < HELD {
                self.held.push_front((slot, frame));
                break;
            }
            self.bind_until(frame.arrival_ns);
            self.input(Input::Frame { slot, frame });
        }
        // Words nobody waits for any more.
        let until = self
            .held
            .front()
            .map_or(due, |(_, frame)| frame.arrival_ns.min(due));
        self.bind_until(until);
    }

    fn bind_until(&mut self, at_ns: u64) {
        while self
            .bounds
            .front()
            .is_some_and(|(since, _)| *since <= at_ns)
        {
            if let Some((_, slots)) = self.bounds.pop_front() {
                self.bind(&slots);
            }
        }
    }

    /// Exactly these are in the slots now.
    fn bind(&mut self, slots: &[(Slot, Source)]) {
        let new: BTreeMap<Slot, Source> = slots.iter().cloned().collect();
        for slot in (0..self.begin.slots.total()).map(Slot) {
            if self.bound.get(&slot) != new.get(&slot) {
                let source = new.get(&slot).cloned();
                self.input(Input::Bind { slot, source });
            }
        }
        self.bound = new;
    }

    /// Asks how much room there is, beside everything else; one question at a time.
    fn look_at_disk(&mut self) {
        self.next_look = Instant::now() + LOOK_AT_DISK;
        if self.looking.is_none() {
            let folder = self.begin.folder.clone();
            self.looking = Some(tokio::task::spawn_blocking(move || space::free(&folder)));
        }
    }

    fn found_free(&mut self, free: Option<u64>) {
        if let Some(free) = free {
            let free = space::scaled(free, self.begin.min_free);
            self.input(Input::Space { free });
        }
    }

    /// Notes how it goes, for the server.
    fn note(&mut self, now: Instant) {
        let of = self.capture.status();
        let since = now.saturating_duration_since(self.status_at).as_millis();
        self.status_at = now;
        let tracks = u64::try_from(of.files).unwrap_or(0);
        let spent = u64::try_from(since).unwrap_or(0).saturating_mul(tracks);
        self.status.track_ms = self.status.track_ms.saturating_add(spent);
        self.status.tracks = u32::try_from(of.files).unwrap_or(u32::MAX);
        self.status.bytes = of.bytes;
        self.status.frames = of.frames;
        self.status.queued = self.files.queued();
        let mut all = self
            .statuses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        all.insert(self.begin.recording.clone(), self.status.clone());
    }

    async fn speak(&mut self) {
        for report in std::mem::take(&mut self.news) {
            // The process ends: nobody listens any more.
            let _ = self.tell.send(report).await;
        }
    }

    fn say_goodbye(&mut self) {
        if let Some(mut peer) = self.peer.take() {
            let socket = &self.socket;
            peer.close(Instant::now(), clock::boot_ns(), |to, bytes| {
                socket.send(to, &bytes)
            });
        }
    }

    /// What is told at the end; every file is closed.
    fn farewell(self, clean: bool) -> FromRecorder {
        self.files.join();
        let recording = self.begin.recording;
        match self.ended {
            Some((why, at_ms)) => FromRecorder::Ended {
                recording,
                why,
                at_ms,
                clean,
            },
            None => FromRecorder::Suspended { recording },
        }
    }
}

#[cfg(test)]
mod tests;
