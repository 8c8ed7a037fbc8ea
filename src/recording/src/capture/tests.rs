//! Whatever comes, in whatever order: the rules hold.

mod harm;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::journal::{GapWhy, RecordingEnd};
use crate::limits;
use crate::manifest::Running;
use crate::media::{Codec, RecordingId, TrackKind};
use crate::scan::Index;
use crate::time::Now;
use crate::timeline::Timeline;

const BOOT: &str = "boot";

fn id() -> RecordingId {
    RecordingId::new("01HZX3N8K7W2V5T4R6Q9P0M1J3").unwrap()
}

fn at(ms: u64) -> Now {
    Now {
        boot_ns: 5_000_000_000_000 + ms * 1_000_000,
        wall_ms: 1_800_000_000_000 + ms,
    }
}

fn source(person: &str, kind: TrackKind, presenter: bool) -> Source {
    Source {
        person: person.into(),
        kind,
        publication: 1,
        presenter,
    }
}

/// The head of a VP8 keyframe of 64×48, or an interframe.
fn vp8(keyframe: bool, len: usize) -> Vec<u8> {
    let mut bytes = if keyframe {
        vec![0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0]
    } else {
        vec![0x11, 0, 0]
    };
    bytes.resize(bytes.len() + len, 7);
    bytes
}

fn frame(codec: Codec, ms: u64, keyframe: bool) -> Frame {
    Frame {
        codec,
        rtp: 1_000 + ms * u64::from(codec.clock_rate()) / 1_000,
        arrival_ns: at(ms).boot_ns,
        keyframe,
        contiguous: true,
        talkspurt: false,
        bytes: if codec == Codec::Opus {
            vec![0xF8, 0xFF, 0xFE]
        } else {
            vp8(keyframe, 900)
        },
    }
}

/// Carries outputs out in memory as a process would.
#[derive(Default)]
struct Disk {
    files: BTreeMap<SegmentId, (Vec<u8>, Running, u64)>,
    names: Vec<String>,
    journal: Vec<u8>,
    asked: Vec<(u64, Slot)>,
    alarms: Vec<Alarm>,
    done: bool,
}

impl Disk {
    fn line(&mut self, line: &Line) {
        self.journal.extend(line.encode());
    }

    fn synced(&self, segment: SegmentId) -> crate::journal::Synced {
        let (_, running, to_ms) = &self.files[&segment];
        crate::journal::Synced {
            segment,
            bytes: running.bytes(),
            sha256: running.sha256(),
            to_ms: *to_ms,
        }
    }

    fn run(&mut self, t_ms: u64, outputs: Vec<Output>) {
        for output in outputs {
            assert!(!self.done, "nothing after the end");
            match output {
                Output::Open {
                    segment,
                    file,
                    bytes,
                    ..
                } => {
                    assert!(!self.names.contains(&file), "a name is used once");
                    self.names.push(file);
                    let mut running = Running::new();
                    running.add(&bytes);
                    let old = self.files.insert(segment, (bytes, running, t_ms));
                    assert!(old.is_none());
                }
                Output::Write {
                    segment,
                    bytes,
                    to_ms,
                } => {
                    let (file, running, to) = self.files.get_mut(&segment).unwrap();
                    file.extend_from_slice(&bytes);
                    running.add(&bytes);
                    *to = to_ms;
                }
                Output::Sync { segment } => {
                    let synced = self.synced(segment);
                    self.line(&Line::Synced(synced));
                }
                Output::Close { segment, why } => {
                    let synced = self.synced(segment);
                    self.line(&Line::Closed { synced, why });
                }
                Output::Journal(line) => self.line(&line),
                Output::AskKeyframe { slot } => self.asked.push((t_ms, slot)),
                Output::Alarm(alarm) => self.alarms.push(alarm),
                Output::Done => self.done = true,
                Output::SyncJournal | Output::Clock { .. } => {}
            }
        }
    }

    fn timeline(&self) -> Timeline {
        Timeline::read(&self.journal).unwrap()
    }

    fn index(&self, segment: SegmentId) -> Index {
        let (bytes, ..) = &self.files[&segment];
        Index::read(&mut bytes.as_slice(), bytes.len() as u64, 0).unwrap()
    }
}

fn begun() -> (Capture, Disk) {
    let mut disk = Disk::default();
    let (capture, out) = Capture::begin(id(), at(0), BOOT, Policy::default());
    disk.run(0, out);
    (capture, disk)
}

struct Run {
    capture: Capture,
    disk: Disk,
}

impl Run {
    fn new() -> Self {
        let (capture, disk) = begun();
        Self { capture, disk }
    }

    fn tell(&mut self, ms: u64, input: Input) {
        let out = self.capture.handle(at(ms), input);
        self.disk.run(ms, out);
    }

    fn bind(&mut self, ms: u64, slot: u32, source: Source) {
        let slot = Slot(slot);
        self.tell(
            ms,
            Input::Bind {
                slot,
                source: Some(source),
            },
        );
    }

    /// 20 ms of sound in slot 1, a picture in slot 2 every 40 ms, a tick every 100.
    fn play(&mut self, from: u64, to: u64) {
        for ms in (from..to).step_by(20) {
            let frame_of = |codec, key| frame(codec, ms, key);
            let sound = frame_of(Codec::Opus, false);
            self.tell(
                ms,
                Input::Frame {
                    slot: Slot(1),
                    frame: sound,
                },
            );
            if ms % 40 == 0 {
                // Keyframes come when they were asked for.
                let asked = self
                    .disk
                    .asked
                    .iter()
                    .any(|(at, slot)| *slot == Slot(2) && ms <= at + 40 && *at < ms);
                let picture = frame_of(Codec::Vp8, asked);
                self.tell(
                    ms,
                    Input::Frame {
                        slot: Slot(2),
                        frame: picture,
                    },
                );
            }
            if ms % 100 == 0 {
                self.tell(ms, Input::Tick);
            }
        }
    }
}

#[test]
fn a_class_is_written_in_segments() {
    let mut run = Run::new();
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    run.bind(0, 2, source("co", TrackKind::Camera, true));
    run.play(20, 11 * 60_000);
    run.tell(11 * 60_000, Input::Stop);
    let timeline = run.disk.timeline();
    assert_eq!(timeline.ended, Some(RecordingEnd::Stopped));
    let of = |kind| {
        let all = timeline.segments.values();
        all.filter(|segment| segment.opened.track == kind).count()
    };
    assert_eq!((of(TrackKind::Voice), of(TrackKind::Camera)), (3, 1));
    assert!(timeline.gaps.is_empty(), "{:?}", timeline.gaps);
    for (id, segment) in &timeline.segments {
        let index = run.disk.index(*id);
        let (bytes, ..) = &run.disk.files[id];
        assert_eq!(index.bytes, bytes.len() as u64, "nothing of no use in it");
        let synced = segment.synced.as_ref().unwrap();
        assert_eq!(synced.sha256, crate::manifest::sha256(bytes));
        assert!(segment.end.is_some());
        // Keyframes are near everywhere.
        let keys: Vec<u64> = index
            .clusters
            .iter()
            .filter(|one| one.keyframe)
            .map(|one| one.time_ms)
            .collect();
        assert!(
            keys.windows(2)
                .all(|pair| pair[1] - pair[0] <= limits::KEYFRAME_EVERY_MS + 1_000)
        );
        assert!(
            index
                .clusters
                .windows(2)
                .all(|pair| pair[1].time_ms - pair[0].time_ms <= 1_000)
        );
    }
    assert!(crate::Manifest::new(&timeline, Vec::new()).is_ok());
}

#[test]
fn nothing_is_taken_while_paused_and_of_those_who_do_not_want_it() {
    let mut run = Run::new();
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    run.bind(0, 2, source("an", TrackKind::Camera, false));
    run.play(20, 5_000);
    run.tell(
        5_000,
        Input::Pause {
            by: Some("co".into()),
        },
    );
    let before = run.capture.status();
    run.play(5_000, 60_000);
    assert_eq!(run.capture.status().frames, before.frames);
    run.tell(60_000, Input::Resume { by: None });
    run.play(60_000, 65_000);
    let never = ["an".into()].into();
    run.tell(
        65_000,
        Input::Policy(Policy {
            never,
            ..Policy::default()
        }),
    );
    run.play(65_000, 70_000);
    run.tell(70_000, Input::Stop);
    let timeline = run.disk.timeline();
    let pauses: Vec<_> = timeline.pauses().collect();
    assert_eq!(pauses, [crate::Span::new(5_000, 60_000)]);
    for segment in timeline.segments.values() {
        let span = segment.span();
        assert!(!span.meets(pauses[0]), "{span:?}");
        let most = if segment.opened.person.as_str() == "an" {
            65_000
        } else {
            70_000
        };
        assert!(span.to_ms <= most);
    }
    assert_eq!(timeline.segments.len(), 4);
}

#[test]
fn a_killed_recorder_is_followed_by_another_that_says_what_is_missing() {
    let mut run = Run::new();
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    run.bind(0, 2, source("co", TrackKind::Screen, true));
    run.play(20, 12_340);
    // Killed: what was written is there.
    let mut disk = run.disk;
    let timeline = disk.timeline();
    assert!(timeline.ended.is_none());
    let files = timeline.segments.keys().map(|id| {
        let (bytes, ..) = &disk.files[id];
        (*id, bytes.clone())
    });
    let files: BTreeMap<_, _> = files.collect();
    for line in crate::repair::repair(&timeline, |id| {
        Ok(files.get(&id).map(|bytes| bytes.as_slice()))
    })
    .unwrap()
    .lines
    {
        disk.line(&line);
    }
    let timeline = disk.timeline();
    assert!(
        timeline.length_ms + 1_000 >= 12_340,
        "{}",
        timeline.length_ms
    );
    disk.asked.clear();
    let (capture, out) = Capture::go_on(&timeline, at(14_000), BOOT);
    disk.run(14_000, out);
    let mut run = Run { capture, disk };
    run.bind(14_500, 1, source("co", TrackKind::Voice, true));
    run.bind(14_500, 2, source("co", TrackKind::Screen, true));
    run.play(14_520, 20_000);
    run.tell(20_000, Input::Stop);
    let timeline = run.disk.timeline();
    assert_eq!((timeline.runs, timeline.segments.len()), (2, 4));
    let [gap] = timeline.gaps.as_slice() else {
        panic!("{:?}", timeline.gaps)
    };
    assert_eq!(gap.why, GapWhy::Recorder);
    assert!(gap.span.from_ms >= 11_340 && gap.span.from_ms <= 12_340);
    assert_eq!(gap.span.to_ms, 14_520);
    assert!(
        run.disk
            .alarms
            .iter()
            .any(|alarm| matches!(alarm, Alarm::Gap { .. }))
    );
    assert!(crate::Manifest::new(&timeline, Vec::new()).is_ok());
}

#[test]
fn a_full_disk_sheds_then_ends() {
    let mut run = Run::new();
    run.bind(0, 1, source("an", TrackKind::Voice, false));
    run.bind(0, 2, source("an", TrackKind::Camera, false));
    run.play(20, 3_000);
    run.tell(3_000, Input::Space { free: 4 << 30 });
    assert_eq!(run.capture.status().files, 1, "the learner's picture goes");
    run.play(3_000, 6_000);
    run.tell(6_000, Input::Space { free: 400 << 20 });
    assert!(run.disk.done);
    let timeline = run.disk.timeline();
    assert_eq!(timeline.ended, Some(RecordingEnd::Disk));
    assert!(timeline.gaps.iter().any(|gap| gap.why == GapWhy::Disk));
    assert!(
        timeline
            .segments
            .values()
            .all(|segment| segment.end.is_some())
    );
    let levels = run
        .disk
        .alarms
        .iter()
        .filter(|alarm| matches!(alarm, Alarm::Disk { .. }));
    assert_eq!(levels.count(), 2);
}

/// Redundancy comes for what was lost between recorder and media plane; what the media
/// plane never had is filled with what lay before it, at its own time.
#[test]
fn what_a_slow_disk_costs_is_told_at_once_and_in_full_but_not_all_the_time() {
    let mut run = Run::new();
    run.bind(0, 2, source("trainer", TrackKind::Camera, true));
    run.play(0, 2_000);
    let (&segment, _) = run.disk.files.iter().next().unwrap();
    let told = |run: &Run| -> Vec<(u64, u64, u64)> {
        let of = |alarm: &Alarm| match alarm {
            Alarm::Queue {
                bytes,
                from_ms,
                to_ms,
            } => Some((*from_ms, *to_ms, *bytes)),
            _ => None,
        };
        run.disk.alarms.iter().filter_map(of).collect()
    };
    let mut drops = 0;
    let mut slow = |run: &mut Run, from: u64, to: u64| {
        for ms in (from..to).step_by(100) {
            if ms % 600 == 0 {
                run.tell(ms, Input::Dropped { segment, bytes: 10 });
                drops += 1;
            }
            run.tell(ms, Input::Tick);
        }
    };
    slow(&mut run, 2_400, 2_600);
    assert_eq!(told(&run), [(1_800, 2_400, 10)], "at once");
    slow(&mut run, 3_000, 602_000);
    let long = told(&run).len();
    assert!(long < 20, "{long} in ten minutes");
    for ms in (602_000..800_000).step_by(100) {
        run.tell(ms, Input::Tick);
    }
    // The last of it is told too, and a second time begins at once again.
    let before = told(&run).len();
    slow(&mut run, 800_400, 800_500);
    assert_eq!(told(&run).len(), before + 1);
    let alarms = told(&run);
    assert_eq!(
        alarms.iter().map(|(.., bytes)| bytes).sum::<u64>(),
        drops * 10
    );
    let mut gaps = run.disk.timeline().gaps;
    gaps.retain(|gap| gap.why == GapWhy::Queue);
    assert_eq!(gaps.len() as u64, drops);
    for gap in gaps {
        let within =
            |(from, to, _): &&(u64, u64, u64)| *from <= gap.span.from_ms && gap.span.to_ms <= *to;
        assert!(alarms.iter().any(|one| within(&one)), "{gap:?} {alarms:?}");
    }
}

#[test]
fn sound_that_comes_twice_is_written_once() {
    let mut run = Run::new();
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    for ms in [20, 40, 60, 40, 60, 120, 140] {
        let mut sound = frame(Codec::Opus, ms, false);
        sound.arrival_ns = at(ms.max(60)).boot_ns;
        run.tell(
            ms.max(60),
            Input::Frame {
                slot: Slot(1),
                frame: sound,
            },
        );
    }
    assert_eq!(run.capture.status().frames, 5);
    run.tell(200, Input::Stop);
    let timeline = run.disk.timeline();
    assert_eq!(timeline.segments.len(), 1, "{timeline:?}");
}

#[test]
fn loss_is_logged_once_and_answered_with_a_keyframe() {
    let mut run = Run::new();
    run.bind(0, 2, source("co", TrackKind::Camera, true));
    let key = |ms, key, whole| {
        let mut frame = frame(Codec::Vp8, ms, key);
        frame.contiguous = whole;
        Input::Frame {
            slot: Slot(2),
            frame,
        }
    };
    run.tell(20, key(20, true, true));
    run.disk.asked.clear();
    for ms in (40..2_000).step_by(40) {
        run.tell(ms, key(ms, false, ms < 1_000));
    }
    assert!(
        (2..=3).contains(&run.disk.asked.len()),
        "{:?}",
        run.disk.asked
    );
    run.tell(2_000, key(2_000, true, true));
    run.disk.asked.clear();
    for ms in (2_040..9_000).step_by(40) {
        run.tell(ms, key(ms, false, true));
        run.tell(ms, Input::Tick);
    }
    assert!(run.disk.asked.is_empty());
    run.tell(9_000, Input::Stop);
    let gaps = run.disk.timeline().gaps;
    let [gap] = gaps.as_slice() else {
        panic!("{gaps:?}")
    };
    assert_eq!((gap.span.from_ms, gap.span.to_ms), (960, 1_960));
}

#[derive(Debug, Clone)]
enum Step {
    Bind(u32, Option<(u8, TrackKind, u64, bool)>),
    Frames(u32, Codec, u8, bool, bool),
    Pause,
    Resume,
    Never(u8),
    Space(u64),
    Wait(u64),
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        Just(TrackKind::Camera),
        Just(TrackKind::Screen),
        Just(TrackKind::Voice),
        Just(TrackKind::ScreenSound)
    ];
    let who = proptest::option::of((0_u8..4, kind, 0_u64..3, any::<bool>()));
    let codec = prop_oneof![Just(Codec::Vp8), Just(Codec::Opus), Just(Codec::H264)];
    let step = prop_oneof![
        3 => (0_u32..4, who).prop_map(|(slot, who)| Step::Bind(slot, who)),
        12 => (0_u32..4, codec, 1_u8..90, any::<bool>(), any::<bool>())
            .prop_map(|(slot, codec, count, key, whole)| Step::Frames(slot, codec, count, key, whole)),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => (0_u8..4).prop_map(Step::Never),
        1 => (600_u64 << 20..20 << 30).prop_map(Step::Space),
        2 => (1_u64..9_000).prop_map(Step::Wait),
        1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..60)
}

fn person(number: u8) -> String {
    format!("p{number}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Journal, files and hashes agree; nothing is in a pause; nothing of people who
    /// are excluded; at a kill at most a second is missing.
    #[test]
    fn the_rules_hold(steps in steps()) {
        let mut run = Run::new();
        let mut ms = 1_u64;
        let mut never: BTreeMap<String, u64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Bind(slot, who) => {
                    let source = who.map(|(who, kind, publication, presenter)| Source {
                        person: person(who).as_str().into(), kind, publication, presenter,
                    });
                    run.tell(ms, Input::Bind { slot: Slot(slot), source });
                }
                Step::Frames(slot, codec, count, key, whole) => {
                    for number in 0..count {
                        ms += 20;
                        let mut frame = frame(codec, ms, key && number == 0);
                        frame.contiguous = whole || number > 0;
                        if codec == Codec::H264 {
                            frame.bytes = [&[0, 0, 1, 0x65][..], &[9; 50]].concat();
                        }
                        run.tell(ms, Input::Frame { slot: Slot(slot), frame });
                        run.tell(ms, Input::Tick);
                    }
                }
                Step::Pause => run.tell(ms, Input::Pause { by: None }),
                Step::Resume => run.tell(ms, Input::Resume { by: None }),
                Step::Never(who) => {
                    never.entry(person(who)).or_insert(ms);
                    let never = never.keys().map(|name| name.as_str().into()).collect();
                    run.tell(ms, Input::Policy(Policy { never, ..Policy::default() }));
                }
                Step::Space(free) => run.tell(ms, Input::Space { free }),
                Step::Wait(long) => {
                    for _ in 0..long / 250 {
                        ms += 250;
                        run.tell(ms, Input::Tick);
                    }
                }
                Step::Kill => {
                    let mut disk = run.disk;
                    let files: BTreeMap<_, _> = disk.files.iter().map(|(id, (bytes, ..))| (*id, bytes.clone())).collect();
                    let repaired = crate::repair::repair(&disk.timeline(), |id| Ok(files.get(&id).map(|bytes| bytes.as_slice()))).unwrap();
                    prop_assert!(repaired.truncate.is_empty(), "whole writes leave nothing to cut");
                    for line in repaired.lines {
                        disk.line(&line);
                    }
                    ms += 1_500;
                    let (capture, out) = Capture::go_on(&disk.timeline(), at(ms), BOOT);
                    disk.run(ms, out);
                    run = Run { capture, disk };
                }
            }
        }
        run.tell(ms, Input::Stop);
        let timeline = run.disk.timeline();
        prop_assert_eq!(timeline.damaged, 0);
        prop_assert!(run.disk.done && timeline.ended.is_some());
        let pauses: Vec<_> = timeline.pauses().collect();
        prop_assert_eq!(timeline.segments.len(), run.disk.files.len());
        for (id, segment) in &timeline.segments {
            let (bytes, ..) = &run.disk.files[id];
            let index = run.disk.index(*id);
            prop_assert_eq!(index.bytes, bytes.len() as u64);
            // Only one that was killed before its first second has none.
            match index.clusters.first() {
                Some(first) => prop_assert!(first.keyframe),
                None => prop_assert_eq!(segment.end, Some(SegmentEnd::Died)),
            }
            let synced = segment.synced.as_ref().unwrap();
            prop_assert_eq!(&synced.sha256, &crate::manifest::sha256(bytes));
            let span = segment.span();
            for pause in &pauses {
                // The last frame before a pause has the time of its beginning at most.
                prop_assert!(!span.meets(*pause), "{:?} {:?}", span, pause);
            }
            if let Some(since) = never.get(segment.opened.person.as_str()) {
                prop_assert!(span.to_ms <= *since);
            }
        }
    }
}
