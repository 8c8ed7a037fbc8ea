//! The files of one recording: a thread that appends and syncs, fed through a
//! bounded queue, so that a slow disk holds up nothing but itself.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use lophoc_recording::journal::{Line, SegmentEnd, Synced};
use lophoc_recording::manifest::Running;
use lophoc_recording::{Output, SegmentId};
use tokio::sync::mpsc;

/// Name of the journal.
pub const JOURNAL: &str = "journal.jsonl";
/// Bytes that may wait for the disk. Overflow: that cluster is dropped, counted and
/// logged as a gap; the media plane is never held up.
pub const QUEUE_BYTES: u64 = 8 << 20;
/// Orders that may wait. Overflow, which takes a disk that hangs for minutes: the
/// recording fails and is begun again.
const QUEUE: usize = 16_384;

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
    Done,
}

/// The queue to the thread.
pub struct Files {
    to: SyncSender<Output>,
    queued: Arc<AtomicU64>,
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
    /// Starts the thread. `journal` is open for appending; `ballast` is given up
    /// when the disk is full.
    pub fn start(
        folder: PathBuf,
        journal: File,
        ballast: Option<PathBuf>,
        tell: mpsc::Sender<Told>,
    ) -> io::Result<Self> {
        let (to, orders) = sync_channel(QUEUE);
        let queued = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&queued);
        let thread = std::thread::Builder::new()
            .name("files".to_owned())
            .spawn(move || {
                let mut writer = Writer {
                    folder,
                    journal,
                    ballast,
                    open: HashMap::new(),
                    tell,
                };
                writer.run(&orders, &counted);
            })?;
        Ok(Self {
            to,
            queued,
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

/// A file that grows.
struct Growing {
    name: String,
    file: File,
    clock_name: String,
    clock: Option<File>,
    running: Running,
    to_ms: u64,
    /// A write failed: nothing more goes in.
    failed: bool,
}

/// The thread's side.
struct Writer {
    folder: PathBuf,
    journal: File,
    ballast: Option<PathBuf>,
    open: HashMap<SegmentId, Growing>,
    tell: mpsc::Sender<Told>,
}

impl Writer {
    fn run(&mut self, orders: &Receiver<Output>, queued: &AtomicU64) {
        while let Ok(output) = orders.recv() {
            let bytes = match &output {
                Output::Write { bytes, .. }
                | Output::Open { bytes, .. }
                | Output::Clock { bytes, .. } => bytes.len() as u64,
                _ => 0,
            };
            let is_last = output == Output::Done;
            self.carry(output);
            queued.fetch_sub(bytes, Ordering::Relaxed);
            if is_last {
                break;
            }
        }
        // The side that asked may be gone.
        let _ = self.tell.blocking_send(Told::Done);
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
                    growing.write_clock(&self.folder, &bytes);
                }
            }
            Output::Sync { segment } => {
                if let Some(synced) = self.sync(segment) {
                    self.line(&Line::Synced(synced));
                }
            }
            Output::Close { segment, why } => self.close(segment, why),
            Output::Journal(line) => self.line(&line),
            Output::SyncJournal => {
                if let Err(error) = self.journal.sync_data() {
                    self.failed(None, &error);
                }
            }
            Output::AskKeyframe { .. } | Output::Alarm(_) | Output::Done => {}
        }
    }

    fn open(&mut self, segment: SegmentId, name: String, clock_name: String, bytes: &[u8]) {
        let path = self.folder.join(&name);
        let opened = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = match opened.and_then(|mut file| file.write_all(bytes).map(|()| file)) {
            Ok(file) => file,
            Err(error) => {
                // Half a head is of no use to anybody.
                let _ = std::fs::remove_file(&path);
                return self.failed(Some(segment), &error);
            }
        };
        let mut running = Running::new();
        running.add(bytes);
        let growing = Growing {
            name,
            file,
            clock_name,
            clock: None,
            running,
            to_ms: 0,
            failed: false,
        };
        self.open.insert(segment, growing);
    }

    fn write(&mut self, segment: SegmentId, bytes: &[u8], to_ms: u64) {
        let Some(growing) = self.open.get_mut(&segment).filter(|file| !file.failed) else {
            return;
        };
        match growing.file.write_all(bytes) {
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
        let growing = self.open.get_mut(&segment)?;
        if let Err(error) = growing.file.sync_data() {
            growing.failed = true;
            self.failed(Some(segment), &error);
            return None;
        }
        Some(Synced {
            segment,
            bytes: growing.running.bytes(),
            sha256: growing.running.sha256(),
            to_ms: growing.to_ms,
        })
    }

    fn close(&mut self, segment: SegmentId, why: SegmentEnd) {
        let synced = self.sync(segment);
        let Some(growing) = self.open.remove(&segment) else {
            return;
        };
        if let Some(synced) = synced {
            self.line(&Line::Closed { synced, why });
            // The side that asked may be gone.
            let file = growing.name;
            let _ = self.tell.blocking_send(Told::Closed { file });
        }
    }

    fn line(&mut self, line: &Line) {
        let bytes = line.encode();
        let Err(mut error) = self.journal.write_all(&bytes) else {
            return;
        };
        if is_full(&error) && self.free_ballast() {
            // The line may be there in part: one that begins anew is not mistaken.
            let again: Vec<u8> = [b"\n", bytes.as_slice()].concat();
            match self.journal.write_all(&again) {
                Ok(()) => return,
                Err(second) => error = second,
            }
        }
        self.failed(None, &error);
    }

    /// Gives the disk back what is kept for closing files.
    fn free_ballast(&mut self) -> bool {
        let ballast = self.ballast.take();
        ballast.is_some_and(|path| std::fs::remove_file(path).is_ok())
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
    fn write_clock(&mut self, folder: &Path, bytes: &[u8]) {
        if self.clock.is_none() {
            let path = folder.join(&self.clock_name);
            self.clock = OpenOptions::new().append(true).create(true).open(path).ok();
        }
        if let Some(clock) = &mut self.clock {
            let _ = clock.write_all(bytes);
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
