//! A disk that hangs under a recording.

use std::sync::{Arc, Condvar, Mutex};

use lophoc_recording::control::SlotCounts;
use lophoc_recording::manifest::sha256;
use lophoc_recording::{Codec, Now, Policy, RecordingId, SegmentId, Timeline, TrackKind};

use super::*;
use crate::files::{Disk, QUEUE_BYTES, System};

/// Whether the disk does nothing.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn hang(&self, hang: bool) {
        *self.0.0.lock().unwrap() = hang;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let held = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(held, |hangs| *hangs).unwrap());
    }
}

/// A disk behind such a gate.
struct Behind(Gate);

impl Disk for Behind {
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
        self.0.pass();
        System.write(file, bytes)
    }

    fn sync(&mut self, file: &File) -> std::io::Result<()> {
        self.0.pass();
        System.sync(file)
    }
}

/// A camera of 8 Mbit/s that is recorded, without a connection.
struct Play {
    folder: tempfile::TempDir,
    gate: Gate,
    began: Now,
    running: Running,
    told: mpsc::Receiver<Told>,
    _heard: mpsc::Receiver<FromRecorder>,
}

const SLOT: Slot = Slot(0);

impl Play {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        // The clock of the machine stands still beside that of the play.
        let mut began = clock::now();
        began.boot_ns += 3_600_000_000_000;
        let id = RecordingId::new(&"0".repeat(26)).unwrap();
        let begin = Begin {
            recording: id.clone(),
            folder: path.clone(),
            paused: false,
            policy: Policy::default(),
            slots: SlotCounts {
                audio: 0,
                video: 1,
                screen: 0,
            },
            local: [127, 0, 0, 1].into(),
            media: ([127, 0, 0, 1], 9).into(),
            min_free: 0,
        };
        let (capture, outputs) = Capture::begin(id, began, "boot", Policy::default());
        let lock = File::create(path.join(LOCK)).unwrap();
        let journal = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path.join(JOURNAL))
            .unwrap();
        let gate = Gate::default();
        let disk = Box::new(Behind(gate.clone()));
        let left = Mending::start(|_, _| Ok(true)).unwrap();
        let (to, told) = mpsc::channel(64);
        let files = Files::start_on(disk, path, lock, journal, None, left, to).unwrap();
        let socket = Socket::bind(begin.local).unwrap();
        let (tell, heard) = mpsc::channel(64);
        let statuses = Statuses::default();
        let mut running = Running::new(begin, capture, files, socket, tell, statuses);
        running.carry(outputs);
        let mut play = Self {
            folder,
            gate,
            began,
            running,
            told,
            _heard: heard,
        };
        let source = Source {
            person: "trainer".into(),
            kind: TrackKind::Camera,
            publication: 1,
            presenter: true,
        };
        let bound = Input::Bind {
            slot: SLOT,
            source: Some(source),
        };
        play.tell(0, bound);
        play
    }

    fn at(&self, ms: u64) -> Now {
        Now {
            boot_ns: self.began.boot_ns + ms * 1_000_000,
            wall_ms: self.began.wall_ms + ms,
        }
    }

    fn tell(&mut self, ms: u64, input: Input) {
        let outputs = self.running.capture.handle(self.at(ms), input);
        self.running.carry(outputs);
    }

    /// Frames of 40 KB, 25 in a second, a keyframe every two seconds.
    fn play(&mut self, from: u64, to: u64) {
        for ms in (from..to).step_by(20) {
            if ms % 40 == 0 {
                let keyframe = ms % 2_000 == 0;
                let mut bytes = match keyframe {
                    true => vec![0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0],
                    false => vec![0x11, 0, 0],
                };
                bytes.resize(40_000, 7);
                let frame = Frame {
                    codec: Codec::Vp8,
                    rtp: 1_000 + ms * 90,
                    arrival_ns: self.at(ms).boot_ns,
                    keyframe,
                    contiguous: true,
                    talkspurt: false,
                    bytes,
                };
                self.tell(ms, Input::Frame { slot: SLOT, frame });
            }
            if ms % 100 == 0 {
                self.tell(ms, Input::Tick);
            }
        }
    }

    /// Until everything that waits is on the disk.
    fn settle(&self) {
        while self.running.files.queued() > 0 || self.running.files.at_work_ms(u64::MAX) > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Until the thread of the files is at something.
    fn caught(&self) {
        while self.running.files.at_work_ms(u64::MAX) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What the disk cost, by the reports to the server: those it tells people of, or
    /// the others.
    fn lost(&self, people: bool) -> Vec<Span> {
        let of = |report: &FromRecorder| match report {
            FromRecorder::Gap { span, why, all, .. } if *all == people && *why == GapWhy::Queue => {
                Some(*span)
            }
            _ => None,
        };
        self.running.news.iter().filter_map(of).collect()
    }

    /// How often it was told that the disk does not answer, after a look at this time.
    fn slow(&mut self, now: Instant, now_ns: u64) -> usize {
        self.running.look_at_files(now, now_ns);
        let is = |news: &&FromRecorder| matches!(news, FromRecorder::Slow { .. });
        self.running.news.iter().filter(is).count()
    }

    fn end(mut self, at_ms: u64) -> (Timeline, tempfile::TempDir) {
        self.tell(at_ms, Input::Stop);
        while let Some(told) = self.told.blocking_recv() {
            if let Told::Done { clean } = told {
                assert!(clean);
                break;
            }
        }
        self.running.files.join();
        let journal = std::fs::read(self.folder.path().join(JOURNAL)).unwrap();
        (Timeline::read(&journal).unwrap(), self.folder)
    }
}

/// Sockets want a runtime, the play waits for threads.
fn with_runtime(play: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    play();
}

#[test]
fn a_disk_that_hangs_costs_what_does_not_fit_into_memory_and_that_is_told() {
    with_runtime(|| {
        let mut play = Play::new();
        play.play(0, 5_000);
        play.settle();
        assert_eq!(play.lost(false), []);
        play.gate.hang(true);
        // Twenty seconds in which nothing comes back, and nobody waits for it.
        play.play(5_000, 25_000);
        assert!(play.running.files.queued() <= QUEUE_BYTES);
        assert!(play.running.status.dropped > 0);
        assert!(!play.lost(true).is_empty(), "told while it hangs");
        assert!(play.running.fault.is_none());
        play.gate.hang(false);
        play.settle();
        // The real disk is slower than the play.
        for from in [25_000, 30_000, 35_000] {
            play.play(from, from + 5_000);
            play.settle();
        }
        let (single, told) = (play.lost(false), play.lost(true));
        assert!(single.len() > 5, "{single:?}");
        assert!(told.len() < 6, "{told:?}");
        for gap in &single {
            let within = |span: &&Span| span.from_ms <= gap.from_ms && gap.to_ms <= span.to_ms;
            assert!(told.iter().any(|one| within(&one)), "{gap:?} {told:?}");
            // What there was room for is not missing, nor what came after.
            assert!(gap.from_ms >= 10_000 && gap.to_ms <= 25_700, "{gap:?}");
        }
        let (timeline, folder) = play.end(40_000);
        let logged: Vec<Span> = (timeline.gaps.iter())
            .filter(|gap| gap.why == GapWhy::Queue)
            .map(|gap| gap.span)
            .collect();
        assert_eq!(logged, single, "all of it is in the journal");
        let segment = &timeline.segments[&SegmentId(1)];
        assert!(segment.span().to_ms >= 39_000, "{segment:?}");
        let file = std::fs::read(folder.path().join(&segment.opened.file)).unwrap();
        let synced = segment.synced.as_ref().unwrap();
        assert_eq!(file.len() as u64, synced.bytes);
        assert_eq!(sha256(&file), synced.sha256);
        // A megabyte a second before and after, and between them what fitted.
        let least = 19_000_000 + QUEUE_BYTES - 1_000_000;
        assert!(synced.bytes > least, "{} of {least}", synced.bytes);
    });
}

#[test]
fn a_disk_that_does_not_answer_is_told_before_anything_is_missing() {
    with_runtime(|| {
        let mut play = Play::new();
        let later = || clock::boot_ns() + SLOW_MS * 1_000_000;
        let now = Instant::now();
        play.play(0, 1_000);
        play.settle();
        assert_eq!(play.slow(now, later()), 0, "it waits for work");
        play.gate.hang(true);
        play.play(1_000, 2_000);
        play.caught();
        assert_eq!(play.slow(now, 0), 0, "not at once");
        assert_eq!(play.slow(now, later()), 1);
        assert_eq!(play.slow(now, later() * 2), 1, "once");
        assert_eq!(play.running.status.dropped, 0);
        play.gate.hang(false);
        play.settle();
        assert_eq!(play.slow(now, later()), 1);
        // Again a minute later at the earliest.
        play.gate.hang(true);
        play.play(2_000, 3_000);
        play.caught();
        assert_eq!(play.slow(now + SLOW_EVERY / 2, later()), 1);
        assert_eq!(play.slow(now + SLOW_EVERY, 0), 1);
        assert_eq!(play.slow(now + SLOW_EVERY, later()), 2);
        play.gate.hang(false);
        play.end(3_000);
    });
}
