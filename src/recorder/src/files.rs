//! The files of one recording: a thread that appends and syncs, fed through a
//! bounded queue, so that a slow disk holds up nothing but itself.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use lophoc_recording::journal::{Line, SegmentEnd, Synced};
use lophoc_recording::manifest::{Running, sha256};
use lophoc_recording::{Output, SegmentId};
use tokio::sync::mpsc;

use crate::clock;

/// Name of the journal.
pub const JOURNAL: &str = "journal.jsonl";
/// Bytes that may wait for the disk. Overflow: that cluster is dropped, counted and
/// logged as a gap; the media plane is never held up.
pub const QUEUE_BYTES: u64 = 8 << 20;
/// Orders that may wait. Overflow, which takes a disk that hangs for minutes: the
/// recording fails and is begun again.
const QUEUE: usize = 16_384;

/// What a disk does with bytes. There is one; tests have another that hangs.
pub trait Disk: Send {
    /// Appends all of them.
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Returns once they would outlive a power cut.
    fn sync(&mut self, file: &File) -> io::Result<()>;
}

/// The disk of the machine.
pub struct System;

impl Disk for System {
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// What the thread has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// A write or sync failed; `None`: of the journal.
    Failed {
        /// Which file.
        segment: Option<SegmentId>,
        /// The disk is full.
        full: bool,
    },
    /// A file is whole.
    Closed {
        /// Its name.
        file: String,
    },
    /// Everything that was to be done is done.
    Done {
        /// And the journal has all of it.
        clean: bool,
    },
}

/// The queue to the thread.
pub struct Files {
    to: SyncSender<Output>,
    queued: Arc<AtomicU64>,
    /// Since when the thread is at what it does, ns of `CLOCK_BOOTTIME`; 0: it waits.
    since: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// There is no room in the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// This cluster was dropped.
    Dropped {
        /// Which file.
        segment: SegmentId,
        /// How much.
        bytes: u64,
    },
    /// The thread hangs or is gone.
    Stuck,
}

impl Files {
    /// Starts the thread. `lock` holds the folder until its last byte is written;
    /// `journal` is open for appending; `ballast` is given up when the disk is full;
    /// `left` is what a recorder before left.
    pub fn start(
        folder: PathBuf,
        lock: File,
        journal: File,
        ballast: Option<PathBuf>,
        left: Mending,
        tell: mpsc::Sender<Told>,
    ) -> io::Result<Self> {
        Self::start_on(Box::new(System), folder, lock, journal, ballast, left, tell)
    }

    /// As [`Self::start`], on this disk.
    pub fn start_on(
        disk: Box<dyn Disk>,
        folder: PathBuf,
        lock: File,
        journal: File,
        ballast: Option<PathBuf>,
        left: Mending,
        tell: mpsc::Sender<Told>,
    ) -> io::Result<Self> {
        let (to, orders) = sync_channel(QUEUE);
        let (queued, since) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (counted, at_work) = (Arc::clone(&queued), Arc::clone(&since));
        let thread = std::thread::Builder::new()
            .name("files".to_owned())
            .spawn(move || {
                let mut writer = Writer {
                    disk,
                    folder,
                    journal,
                    ballast,
                    left,
                    open: HashMap::new(),
                    clean: true,
                    ended: false,
                    tell,
                };
                writer.run(&orders, &counted, &at_work);
                drop(lock);
            })?;
        Ok(Self {
            to,
            queued,
            since,
            thread: Some(thread),
        })
    }

    /// Hands an output on, in order.
    pub fn push(&self, output: Output) -> Result<(), Refused> {
        let bytes = match &output {
            Output::Write { segment, bytes, .. } => {
                let len = bytes.len() as u64;
                if self.queued.load(Ordering::Relaxed).saturating_add(len) > QUEUE_BYTES {
                    return Err(Refused::Dropped {
                        segment: *segment,
                        bytes: len,
                    });
                }
                len
            }
            Output::Open { bytes, .. } | Output::Clock { bytes, .. } => bytes.len() as u64,
            _ => 0,
        };
        self.queued.fetch_add(bytes, Ordering::Relaxed);
        self.to.try_send(output).map_err(|error| {
            self.queued.fetch_sub(bytes, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => Refused::Stuck,
            }
        })
    }

    /// Bytes that wait.
    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// How long the thread has been at one thing, ms; 0 when it waits for orders.
    pub fn at_work_ms(&self, now_ns: u64) -> u64 {
        match self.since.load(Ordering::Relaxed) {
            0 => 0,
            since => now_ns.saturating_sub(since) / 1_000_000,
        }
    }

    /// Waits until everything handed on is done.
    pub fn join(mut self) {
        let thread = self.thread.take();
        drop(self);
        if let Some(thread) = thread {
            // A thread that broke has told its queue so.
            let _ = thread.join();
        }
    }
}

/// What a recorder before this one left unclosed, read whole beside what is written
/// now: the lines that close it come one by one.
pub struct Mending {
    lines: std::sync::mpsc::Receiver<Line>,
    stop: Arc<AtomicBool>,
    whole: Arc<AtomicBool>,
}

impl Mending {
    /// `work` gives its lines and is asked to end by its first argument; it tells
    /// whether it did all.
    pub fn start<F>(work: F) -> io::Result<Self>
    where
        F: FnOnce(&AtomicBool, &mut dyn FnMut(Line)) -> io::Result<bool> + Send + 'static,
    {
        let (to, lines) = std::sync::mpsc::channel();
        let (stop, whole) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (stopped, done) = (Arc::clone(&stop), Arc::clone(&whole));
        std::thread::Builder::new()
            .name("mending".to_owned())
            .spawn(move || {
                // Nobody takes lines of one that was stopped.
                let mut each = |line| drop(to.send(line));
                let all = work(&stopped, &mut each);
                if let Err(error) = &all {
                    tracing::error!(%error, "files of an earlier recorder cannot be read");
                }
                done.store(all.unwrap_or(false), Ordering::Release);
                // The end of the lines is the word that it is over.
                drop(to);
            })?;
        Ok(Self { lines, stop, whole })
    }

    fn next(&self) -> Option<Line> {
        self.lines.try_recv().ok()
    }

    /// Waits for those that are still to come.
    fn rest(&self) -> Vec<Line> {
        self.lines.iter().collect()
    }

    /// Whether all was done. After [`Self::rest`].
    fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A file that grows.
struct Growing {
    name: String,
    file: File,
    clock_name: String,
    clock: Option<File>,
    running: Running,
    to_ms: u64,
    /// What the last sync that went well left on the disk.
    synced: Option<Synced>,
    /// A write failed: nothing more goes in.
    failed: bool,
    /// A sync failed: the system may have thrown away what it could not write, and
    /// says so once. Nothing after the sync before counts.
    lost: bool,
}

/// The thread's side.
struct Writer {
    disk: Box<dyn Disk>,
    folder: PathBuf,
    journal: File,
    ballast: Option<PathBuf>,
    left: Mending,
    open: HashMap<SegmentId, Growing>,
    /// The journal has every line.
    clean: bool,
    /// The recording is over, and not only laid aside.
    ended: bool,
    tell: mpsc::Sender<Told>,
}

impl Writer {
    fn run(&mut self, orders: &Receiver<Output>, queued: &AtomicU64, since: &AtomicU64) {
        while let Ok(output) = orders.recv() {
            let bytes = match &output {
                Output::Write { bytes, .. }
                | Output::Open { bytes, .. }
                | Output::Clock { bytes, .. } => bytes.len() as u64,
                _ => 0,
            };
            let is_last = output == Output::Done;
            since.store(clock::boot_ns(), Ordering::Relaxed);
            self.carry(output);
            queued.fetch_sub(bytes, Ordering::Relaxed);
            while let Some(line) = self.left.next() {
                self.line(&line);
            }
            since.store(0, Ordering::Relaxed);
            if is_last {
                break;
            }
        }
        if self.ended {
            // The end counts when every file is closed.
            for line in self.left.rest() {
                self.line(&line);
            }
            self.clean &= self.left.is_whole();
            self.sync_journal();
        }
        self.left.stop();
        let clean = self.clean;
        // The side that asked may be gone.
        let _ = self.tell.blocking_send(Told::Done { clean });
    }

    fn carry(&mut self, output: Output) {
        match output {
            Output::Open {
                segment,
                file,
                clock_file,
                bytes,
            } => self.open(segment, file, clock_file, &bytes),
            Output::Write {
                segment,
                bytes,
                to_ms,
            } => self.write(segment, &bytes, to_ms),
            Output::Clock { segment, bytes } => {
                if let Some(growing) = self.open.get_mut(&segment) {
                    growing.write_clock(self.disk.as_mut(), &self.folder, &bytes);
                }
            }
            Output::Sync { segment } => {
                if let Some(synced) = self.sync(segment) {
                    self.line(&Line::Synced(synced));
                }
            }
            Output::Close { segment, why } => self.close(segment, why),
            Output::Journal(line) => {
                self.ended |= matches!(line, Line::Ended { .. });
                self.line(&line);
            }
            Output::SyncJournal => self.sync_journal(),
            Output::AskKeyframe { .. } | Output::Alarm(_) | Output::Done => {}
        }
    }

    fn open(&mut self, segment: SegmentId, name: String, clock_name: String, bytes: &[u8]) {
        let path = self.folder.join(&name);
        let opened = OpenOptions::new().append(true).create_new(true).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            // One that is there already is somebody's: it is left alone.
            Err(error) => return self.failed(Some(segment), &error),
        };
        if let Err(error) = self.disk.write(&mut file, bytes) {
            // Half a head is of no use to anybody.
            let _ = std::fs::remove_file(&path);
            return self.failed(Some(segment), &error);
        }
        let mut running = Running::new();
        running.add(bytes);
        let growing = Growing {
            name,
            file,
            clock_name,
            clock: None,
            running,
            to_ms: 0,
            synced: None,
            failed: false,
            lost: false,
        };
        self.open.insert(segment, growing);
    }

    fn write(&mut self, segment: SegmentId, bytes: &[u8], to_ms: u64) {
        let Some(growing) = self.open.get_mut(&segment).filter(|file| !file.failed) else {
            return;
        };
        match self.disk.write(&mut growing.file, bytes) {
            Ok(()) => {
                growing.running.add(bytes);
                growing.to_ms = to_ms;
            }
            Err(error) => {
                growing.failed = true;
                // What came of the cluster goes again: the file ends with a whole one.
                let _ = growing.file.set_len(growing.running.bytes());
                self.failed(Some(segment), &error);
            }
        }
    }

    /// Syncs a file; what is on the disk then.
    fn sync(&mut self, segment: SegmentId) -> Option<Synced> {
        let growing = self.open.get_mut(&segment).filter(|file| !file.lost)?;
        if let Err(error) = self.disk.sync(&growing.file) {
            (growing.failed, growing.lost) = (true, true);
            self.failed(Some(segment), &error);
            return None;
        }
        growing.synced = Some(Synced {
            segment,
            bytes: growing.running.bytes(),
            sha256: growing.running.sha256(),
            to_ms: growing.to_ms,
        });
        growing.synced.clone()
    }

    fn close(&mut self, segment: SegmentId, why: SegmentEnd) {
        self.sync(segment);
        let growing = self.open.remove(&segment);
        let (name, known) = growing.map_or((None, None), |file| (Some(file.name), file.synced));
        // What is known to be on the disk, if only that it is nothing: a segment
        // that is in the journal is closed there.
        let synced = known.unwrap_or_else(|| Synced {
            segment,
            bytes: 0,
            sha256: sha256(&[]),
            to_ms: 0,
        });
        self.line(&Line::Closed { synced, why });
        if let Some(file) = name {
            // The side that asked may be gone.
            let _ = self.tell.blocking_send(Told::Closed { file });
        }
    }

    fn sync_journal(&mut self) {
        if let Err(error) = self.disk.sync(&self.journal) {
            self.clean = false;
            self.failed(None, &error);
        }
    }

    fn line(&mut self, line: &Line) {
        let bytes = line.encode();
        let Err(mut error) = self.disk.write(&mut self.journal, &bytes) else {
            return;
        };
        if is_full(&error) {
            // Another recording may have given the room back already.
            self.free_ballast();
            // The line may be there in part: one that begins anew is not mistaken.
            let again: Vec<u8> = [b"\n", bytes.as_slice()].concat();
            match self.disk.write(&mut self.journal, &again) {
                Ok(()) => return,
                Err(second) => error = second,
            }
        }
        self.clean = false;
        self.failed(None, &error);
    }

    /// Gives the disk back what is kept for closing files.
    fn free_ballast(&mut self) {
        if let Some(path) = self.ballast.take() {
            // All recordings share it.
            let _ = std::fs::remove_file(path);
        }
    }

    fn failed(&mut self, segment: Option<SegmentId>, error: &io::Error) {
        let full = is_full(error);
        tracing::error!(?segment, %error, "a file of a recording could not be written");
        if full {
            self.free_ballast();
        }
        // The side that asked may be gone.
        let _ = self.tell.blocking_send(Told::Failed { segment, full });
    }
}

impl Growing {
    /// The side file only helps; what goes wrong with it is not told.
    fn write_clock(&mut self, disk: &mut dyn Disk, folder: &Path, bytes: &[u8]) {
        if self.clock.is_none() {
            let path = folder.join(&self.clock_name);
            self.clock = OpenOptions::new().append(true).create(true).open(path).ok();
        }
        if let Some(clock) = &mut self.clock {
            let _ = disk.write(clock, bytes);
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use lophoc_recording::Timeline;
    use lophoc_recording::journal::RecordingEnd;

    use super::*;
    use crate::repair::tests::{begun, opened};

    struct Thread {
        folder: tempfile::TempDir,
        files: Files,
        told: mpsc::Receiver<Told>,
    }

    impl Thread {
        fn start(room: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let lock = File::create(folder.path().join("lock")).unwrap();
            let journal = OpenOptions::new()
                .append(true)
                .create(true)
                .open(folder.path().join(JOURNAL))
                .unwrap();
            let (to, told) = mpsc::channel(room);
            let left = Mending::start(|_, _| Ok(true)).unwrap();
            let at = folder.path().to_owned();
            let files = Files::start(at, lock, journal, None, left, to).unwrap();
            files.push(Output::Journal(begun())).unwrap();
            Self {
                folder,
                files,
                told,
            }
        }

        fn open(&self, number: u32) {
            let segment = SegmentId(number);
            self.files.push(Output::Journal(opened(number))).unwrap();
            let order = Output::Open {
                segment,
                file: format!("{number:04}.webm"),
                clock_file: format!("{number:04}.clock"),
                bytes: b"head".to_vec(),
            };
            self.files.push(order).unwrap();
        }

        /// Ends it; what was told, and what the journal says then.
        fn end(mut self) -> (Vec<Told>, Timeline, tempfile::TempDir) {
            let (at_ms, why) = (9, RecordingEnd::Stopped);
            self.files
                .push(Output::Journal(Line::Ended { at_ms, why }))
                .unwrap();
            self.files.push(Output::Done).unwrap();
            self.files.join();
            let mut told = Vec::new();
            while let Some(one) = self.told.blocking_recv() {
                told.push(one);
            }
            let journal = std::fs::read(self.folder.path().join(JOURNAL)).unwrap();
            (told, Timeline::read(&journal).unwrap(), self.folder)
        }
    }

    #[test]
    fn a_file_that_is_there_already_is_left_alone_and_its_segment_closed() {
        let thread = Thread::start(64);
        let path = thread.folder.path().join("0001.webm");
        std::fs::write(&path, "somebody's voice").unwrap();
        thread.open(1);
        let close = Output::Close {
            segment: SegmentId(1),
            why: SegmentEnd::Disk,
        };
        thread.files.push(close).unwrap();
        let (told, timeline, _folder) = thread.end();
        assert!(told.contains(&Told::Failed {
            segment: Some(SegmentId(1)),
            full: false
        }));
        assert_eq!(told.last(), Some(&Told::Done { clean: true }));
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody's voice");
        let segment = &timeline.segments[&SegmentId(1)];
        assert_eq!(segment.end, Some(SegmentEnd::Disk));
        assert!(segment.on_disk().is_none());
        // It can be finished.
        let manifest = lophoc_recording::Manifest::new(&timeline, Vec::new()).unwrap();
        assert!(manifest.segments.is_empty());
    }

    #[test]
    fn after_a_failed_sync_nothing_counts_that_came_after_the_one_before() {
        let thread = Thread::start(64);
        thread.open(1);
        let (tell, _told) = mpsc::channel(64);
        let folder = thread.folder.path().to_owned();
        let (told, _, _kept) = thread.end();
        assert_eq!(told.last(), Some(&Told::Done { clean: true }));
        let journal = OpenOptions::new()
            .append(true)
            .open(folder.join(JOURNAL))
            .unwrap();
        let mut writer = Writer {
            disk: Box::new(System),
            folder: folder.clone(),
            journal,
            ballast: None,
            left: Mending::start(|_, _| Ok(true)).unwrap(),
            open: HashMap::new(),
            clean: true,
            ended: false,
            tell,
        };
        let segment = SegmentId(2);
        writer.open(segment, "0002.webm".to_owned(), String::new(), b"head");
        writer.write(segment, b"one", 600);
        let known = writer.sync(segment).unwrap();
        writer.write(segment, b"two", 1_200);
        // A pipe takes bytes and cannot be synced, as a disk that fails; then it is
        // as if nothing had been.
        let (_reader, pipe) = std::io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(pipe));
        let growing = writer.open.get_mut(&segment).unwrap();
        let file = std::mem::replace(&mut growing.file, pipe);
        assert_eq!(writer.sync(segment), None);
        writer.open.get_mut(&segment).unwrap().file = file;
        writer.line(&opened(2));
        writer.close(segment, SegmentEnd::Disk);
        let journal = std::fs::read(folder.join(JOURNAL)).unwrap();
        let timeline = Timeline::read(&journal).unwrap();
        assert_eq!(timeline.segments[&segment].synced, Some(known));
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_not_clean() {
        for broken in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = match broken {
                true => PathBuf::from("/dev/full"),
                false => folder.path().join(JOURNAL),
            };
            let journal = OpenOptions::new().append(true).create(true).open(path);
            let lock = File::create(folder.path().join("lock")).unwrap();
            let (to, mut told) = mpsc::channel(64);
            let left = Mending::start(|_, _| Ok(true)).unwrap();
            let at = folder.path().to_owned();
            let files = Files::start(at, lock, journal.unwrap(), None, left, to).unwrap();
            files.push(Output::Journal(begun())).unwrap();
            files.push(Output::Done).unwrap();
            files.join();
            let mut last = None;
            while let Some(one) = told.blocking_recv() {
                last = Some(one);
            }
            assert_eq!(last, Some(Told::Done { clean: !broken }));
        }
    }

    #[test]
    fn the_folder_is_held_until_the_last_byte_is_written() {
        use rustix::fs::{FlockOperation, flock};
        let thread = Thread::start(64);
        let path = thread.folder.path().join("lock");
        let again = File::open(&path).unwrap();
        let lock = File::open(&path).unwrap();
        flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        let journal = OpenOptions::new()
            .append(true)
            .open(thread.folder.path().join(JOURNAL))
            .unwrap();
        // Nobody listens: one report fills the queue, and the thread waits.
        let (to, told) = mpsc::channel(1);
        let left = Mending::start(|_, _| Ok(true)).unwrap();
        let at = thread.folder.path().to_owned();
        let files = Files::start(at, lock, journal, None, left, to).unwrap();
        for number in 7..10 {
            let close = Output::Close {
                segment: SegmentId(number),
                why: SegmentEnd::Ended,
            };
            files
                .push(Output::Open {
                    segment: SegmentId(number),
                    file: format!("{number:04}.webm"),
                    clock_file: String::new(),
                    bytes: b"head".to_vec(),
                })
                .unwrap();
            files.push(close).unwrap();
        }
        // The task broke: it lets go of the queue, and the thread still writes.
        let thread_of = files.thread;
        drop(files.to);
        assert!(flock(&again, FlockOperation::NonBlockingLockExclusive).is_err());
        drop(told);
        thread_of.unwrap().join().unwrap();
        flock(&again, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(thread.folder.path().join("0009.webm").exists());
    }

    #[test]
    fn what_was_left_is_closed_before_the_end_counts() {
        for whole in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let open = || {
                OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(folder.path().join(JOURNAL))
                    .unwrap()
            };
            // What the recorder before wrote.
            let lines = [begun(), opened(1)].map(|line| line.encode()).concat();
            open().write_all(&lines).unwrap();
            let lock = File::create(folder.path().join("lock")).unwrap();
            let (to, mut told) = mpsc::channel(64);
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let left = Mending::start(move |_, each| {
                // As long as a large file takes.
                let _ = wait.recv();
                each(Line::Closed {
                    synced: Synced {
                        segment: SegmentId(1),
                        bytes: 4,
                        sha256: "aa".to_owned(),
                        to_ms: 5,
                    },
                    why: SegmentEnd::Died,
                });
                match whole {
                    true => Ok(true),
                    false => Err(io::Error::other("EIO")),
                }
            });
            let at = folder.path().to_owned();
            let files = Files::start(at, lock, open(), None, left.unwrap(), to).unwrap();
            let (at_ms, why) = (9, RecordingEnd::Stopped);
            files
                .push(Output::Journal(Line::Ended { at_ms, why }))
                .unwrap();
            files.push(Output::Done).unwrap();
            assert!(told.try_recv().is_err(), "it waits");
            go.send(()).unwrap();
            files.join();
            let clean = Told::Done { clean: whole };
            assert_eq!(told.blocking_recv(), Some(clean));
            let journal = std::fs::read(folder.path().join(JOURNAL)).unwrap();
            let timeline = Timeline::read(&journal).unwrap();
            assert_eq!(timeline.segments[&SegmentId(1)].end, Some(SegmentEnd::Died));
        }
    }
}
