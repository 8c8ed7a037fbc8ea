//! The state machine.

use std::collections::BTreeMap;

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};

use super::track::{File, Track};
use super::{Alarm, Input, Output};
use crate::clock::{Place, TrackClock};
use crate::journal::{DiskLevel, Gap, GapWhy, Line, Opened, RecordingEnd, SegmentEnd, VERSION};
use crate::limits;
use crate::media::{Codec, Frame, Policy, RecordingId, SegmentId, Slot, Source, TrackKind};
use crate::mkv::{Cluster, TrackHead, h264, vp8};
use crate::time::{Anchor, Now, Span};
use crate::timeline::Timeline;

/// Captures one recording.
#[derive(Debug)]
pub struct Capture {
    anchor: Anchor,
    policy: Policy,
    level: DiskLevel,
    paused: bool,
    done: bool,
    next: u32,
    slots: BTreeMap<Slot, Track>,
    synced_ms: u64,
    /// Nothing made before this is taken: the beginning, or the end of a pause.
    from_ms: u64,
    /// A recorder or a connection before this one reached so far; until the first frame.
    hole_from_ms: Option<u64>,
    /// Since when media can come again after such a hole.
    connected_ms: Option<u64>,
    /// There was media before, and cannot be now.
    down: bool,
    /// What the disk did not follow with and was not told yet, and how many bytes.
    queue_hole: Option<(Span, u64)>,
    /// When that was told last, and how long to wait before it is told again.
    queue_told: Option<(u64, u64)>,
    /// Since when files were wanted that may not be.
    too_many_ms: Option<u64>,
    now_ms: u64,
    frames: u64,
    bytes: u64,
    out: Vec<Output>,
}

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Recording time, milliseconds.
    pub t_ms: u64,
    /// Nothing is taken.
    pub paused: bool,
    /// It ended.
    pub done: bool,
    /// Files that are being written.
    pub files: usize,
    /// Frames taken.
    pub frames: u64,
    /// Bytes of clusters written.
    pub bytes: u64,
    /// How much room the disk has.
    pub level: DiskLevel,
}

impl Capture {
    /// A recording begins.
    pub fn begin(
        recording: RecordingId,
        now: Now,
        boot_id: &str,
        policy: Policy,
    ) -> (Self, Vec<Output>) {
        let anchor = Anchor::begin(now, boot_id);
        let mut capture = Self::new(anchor.clone(), policy.clone());
        capture.journal_now(Line::Began {
            version: VERSION,
            recording,
            anchor,
            policy,
        });
        let out = std::mem::take(&mut capture.out);
        (capture, out)
    }

    /// A recorder goes on where one before it died. `timeline`: its journal, with
    /// what [`crate::repair`] added.
    pub fn go_on(timeline: &Timeline, now: Now, boot_id: &str) -> (Self, Vec<Output>) {
        let anchor = timeline.anchor.go_on(now, boot_id, timeline.length_ms);
        let mut capture = Self::new(anchor.clone(), timeline.policy.clone());
        capture.paused = timeline.paused();
        capture.next = timeline.next_segment().0;
        capture.now_ms = capture.anchor.at(now);
        capture.synced_ms = capture.now_ms;
        capture.from_ms = timeline.length_ms;
        capture.down = true;
        capture.hole_from_ms = (!capture.paused).then_some(timeline.length_ms);
        capture.journal_now(Line::WentOn {
            run: timeline.runs,
            anchor,
        });
        let out = std::mem::take(&mut capture.out);
        (capture, out)
    }

    fn new(anchor: Anchor, policy: Policy) -> Self {
        Self {
            anchor,
            policy,
            level: DiskLevel::Good,
            paused: false,
            done: false,
            next: 1,
            slots: BTreeMap::new(),
            synced_ms: 0,
            from_ms: 0,
            hole_from_ms: None,
            connected_ms: None,
            down: false,
            queue_hole: None,
            queue_told: None,
            too_many_ms: None,
            now_ms: 0,
            frames: 0,
            bytes: 0,
            out: Vec::new(),
        }
    }

    /// How it goes.
    pub fn status(&self) -> Status {
        Status {
            t_ms: self.now_ms,
            paused: self.paused,
            done: self.done,
            files: self
                .slots
                .values()
                .filter(|track| track.file.is_some())
                .count(),
            frames: self.frames,
            bytes: self.bytes,
            level: self.level,
        }
    }

    /// Which slots carry something that is taken now.
    pub fn taken(&self) -> impl Iterator<Item = (Slot, &Source)> {
        self.slots
            .iter()
            .filter(|(_, track)| !self.paused && self.takes(&track.source))
            .map(|(slot, track)| (*slot, &track.source))
    }

    /// What follows from an input, to be carried out in order. After
    /// [`Output::Done`] nothing more.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        if self.done {
            return Vec::new();
        }
        // A clock that goes back would make files go back.
        self.now_ms = self.now_ms.max(self.anchor.at(now));
        match input {
            Input::Bind { slot, source } => self.bind(slot, source),
            Input::Frame { slot, frame } => self.frame(slot, frame),
            Input::Policy(policy) => self.set_policy(policy),
            Input::Pause { by } => self.pause(by),
            Input::Resume { by } => self.resume(by),
            Input::Space { free } => self.space(free),
            Input::Dropped { segment, bytes } => self.dropped(segment, bytes),
            Input::Failed { full, .. } => {
                self.out.push(Output::Alarm(Alarm::Failed { full }));
                self.end_for_disk();
            }
            Input::Connected => {
                self.connected_ms = Some(self.now_ms);
                self.down = false;
            }
            Input::Lost => self.lose(),
            Input::Tick => self.tick(),
            Input::Suspend => self.suspend(),
            Input::Stop => self.end(SegmentEnd::Ended, RecordingEnd::Stopped),
        }
        std::mem::take(&mut self.out)
    }

    fn journal_now(&mut self, line: Line) {
        self.out.push(Output::Journal(line));
        self.out.push(Output::SyncJournal);
    }

    /// By rule and by room on the disk.
    fn takes(&self, source: &Source) -> bool {
        let room = match self.level {
            DiskLevel::Good | DiskLevel::Warn => true,
            DiskLevel::Lean => source.presenter || source.kind != TrackKind::Camera,
            DiskLevel::Spare => source.kind != TrackKind::Camera,
            DiskLevel::Full => false,
        };
        room && self.policy.takes(source)
    }

    fn bind(&mut self, slot: Slot, source: Option<Source>) {
        let t_ms = self.now_ms;
        if let Some(track) = self.slots.get_mut(&slot)
            && let Some(source) = &source
            && (
                &track.source.person,
                track.source.kind,
                track.source.publication,
            ) == (&source.person, source.kind, source.publication)
        {
            track.source.presenter = source.presenter;
            self.close_untaken(SegmentEnd::Policy);
            return;
        }
        self.close(slot, SegmentEnd::Source);
        self.slots.remove(&slot);
        let Some(source) = source else { return };
        if self.slots.len() >= limits::MAX_SLOTS {
            return;
        }
        let mut track = Track::new(source);
        track.want(t_ms);
        self.slots.insert(slot, track);
        self.ask();
    }

    fn set_policy(&mut self, policy: Policy) {
        if policy == self.policy {
            return;
        }
        self.policy = policy.clone();
        self.close_untaken(SegmentEnd::Policy);
        self.journal_now(Line::Policy {
            at_ms: self.now_ms,
            policy,
        });
        self.ask();
    }

    fn pause(&mut self, by: Option<PersonKey>) {
        if self.paused {
            return;
        }
        self.close_all(SegmentEnd::Paused);
        self.end_hole(self.now_ms);
        self.paused = true;
        self.journal_now(Line::Paused {
            at_ms: self.now_ms,
            by,
        });
    }

    fn resume(&mut self, by: Option<PersonKey>) {
        if !self.paused {
            return;
        }
        self.paused = false;
        self.from_ms = self.now_ms;
        if self.down {
            self.hole_from_ms = Some(self.now_ms);
        }
        self.journal_now(Line::Resumed {
            at_ms: self.now_ms,
            by,
        });
        self.ask();
    }

    fn space(&mut self, free: u64) {
        let level = [
            (limits::DISK_END, DiskLevel::Full),
            (limits::DISK_SPARE, DiskLevel::Spare),
            (limits::DISK_LEAN, DiskLevel::Lean),
            (limits::DISK_WARN, DiskLevel::Warn),
        ]
        .into_iter()
        .find(|(below, _)| free < *below)
        .map_or(DiskLevel::Good, |(_, level)| level);
        if level == self.level {
            return;
        }
        self.level = level;
        self.out.push(Output::Journal(Line::Disk {
            at_ms: self.now_ms,
            level,
            free,
        }));
        self.out.push(Output::Alarm(Alarm::Disk { level, free }));
        if level == DiskLevel::Full {
            self.end_for_disk();
        } else {
            self.close_untaken(SegmentEnd::Disk);
            self.ask();
        }
    }

    fn dropped(&mut self, segment: SegmentId, bytes: u64) {
        let t_ms = self.now_ms;
        if let Some(track) = self.slots.values_mut().find(|track| {
            track
                .file
                .as_ref()
                .is_some_and(|file| file.segment == segment)
        }) {
            track.want(t_ms);
        }
        let span = Span::new(t_ms.saturating_sub(limits::CLUSTER_MS), t_ms);
        self.out.push(Output::Journal(Line::Gap(Gap {
            segment: Some(segment),
            span,
            why: GapWhy::Queue,
        })));
        let (hole, sum) = self.queue_hole.get_or_insert((span, 0));
        hole.to_ms = hole.to_ms.max(span.to_ms);
        *sum = sum.saturating_add(bytes);
        self.tell_queue();
    }

    /// Tells what the disk did not follow with: the first of it at once, the rest
    /// together and ever more rarely while it goes on.
    fn tell_queue(&mut self) {
        let t_ms = self.now_ms;
        let wait_ms = match self.queue_told {
            Some((told_ms, wait_ms)) if t_ms < told_ms.saturating_add(wait_ms) => return,
            Some((_, wait_ms)) => wait_ms.saturating_mul(2),
            None => 0,
        };
        // Nothing more meanwhile: the next time is a first one again.
        self.queue_told = self.queue_hole.take().map(|(span, bytes)| {
            self.out.push(Output::Alarm(Alarm::Queue {
                bytes,
                from_ms: span.from_ms,
                to_ms: span.to_ms,
            }));
            (t_ms, wait_ms.clamp(limits::SYNC_MS, limits::QUEUE_ALARM_MS))
        });
    }

    fn tick(&mut self) {
        let t_ms = self.now_ms;
        if t_ms >= limits::RECORDING_MS {
            self.end(SegmentEnd::Ended, RecordingEnd::Length);
            return;
        }
        let old: Vec<Slot> = self
            .slots
            .iter()
            .filter(|(_, track)| {
                track.file.as_ref().is_some_and(|file| {
                    file.cluster.is_some() && t_ms >= file.cluster_since_ms + limits::CLUSTER_MS
                })
            })
            .map(|(slot, _)| *slot)
            .collect();
        for slot in old {
            self.write_cluster(slot);
        }
        self.ask();
        self.tell_queue();
        if t_ms >= self.synced_ms + limits::SYNC_MS {
            self.synced_ms = t_ms;
            self.sync();
        }
    }

    fn sync(&mut self) {
        for track in self.slots.values_mut() {
            let Some(file) = &mut track.file else {
                continue;
            };
            file.tell_gap(&mut self.out);
            if std::mem::take(&mut file.dirty) {
                self.out.push(Output::Sync {
                    segment: file.segment,
                });
            }
        }
        self.out.push(Output::SyncJournal);
    }

    /// Asks for the keyframes that are due.
    fn ask(&mut self) {
        if self.paused {
            return;
        }
        let t_ms = self.now_ms;
        let slots: Vec<Slot> = self.taken().map(|(slot, _)| slot).collect();
        for slot in slots {
            let Some(track) = self.slots.get_mut(&slot) else {
                continue;
            };
            if track.file.is_none() {
                track.want(t_ms);
            }
            if track.asks(t_ms) {
                self.out.push(Output::AskKeyframe { slot });
            }
            if let Some(want) = &mut track.want
                && want.frames
                && !want.alarmed
                && t_ms >= want.since_ms + limits::KEYFRAME_ALARM_MS
            {
                want.alarmed = true;
                self.out.push(Output::Alarm(Alarm::NoPicture {
                    source: track.source.clone(),
                }));
            }
        }
    }

    fn frame(&mut self, slot: Slot, frame: Frame) {
        let arrived_ns = self.anchor.at_boot_ns(frame.arrival_ns);
        let Some(track) = self.slots.get_mut(&slot) else {
            return;
        };
        if (frame.codec != Codec::Opus) != track.source.kind.is_picture() {
            return;
        }
        if track
            .clock
            .as_ref()
            .is_none_or(|(codec, _)| *codec != frame.codec)
        {
            track.clock = Some((frame.codec, TrackClock::new(frame.codec)));
            track.astray = false;
        }
        let Some((_, clock)) = &mut track.clock else {
            return;
        };
        let place = clock.place(frame.rtp, arrived_ns);
        let at_ms = u64::try_from(place.ns() / 1_000_000).unwrap_or(0);
        let source = track.source.clone();
        if self.paused || !self.takes(&source) || at_ms < self.from_ms {
            return;
        }
        // A source that jumps all the time is placed by arrival in the file it has.
        if matches!(place, Place::Jumped(_)) && self.may_go_on_anew(slot) {
            self.close(slot, SegmentEnd::Clock);
        }
        // What is far ahead of the clock was damaged.
        let at_ms = at_ms.min(self.now_ms + 1_000);
        if frame.bytes.is_empty() || frame.bytes.len() > limits::FRAME_BYTES {
            self.lost(slot, at_ms, GapWhy::Damaged);
            return;
        }
        match frame.codec {
            Codec::Opus => self.sound(slot, &frame, at_ms),
            Codec::Vp8 | Codec::H264 => self.picture(slot, frame, at_ms),
        }
    }

    fn sound(&mut self, slot: Slot, frame: &Frame, at_ms: u64) {
        let file = self.slots.get(&slot).and_then(|track| track.file.as_ref());
        // Redundancy for what never was fills in what lay before it.
        let twice = |last: u64| {
            (last.checked_sub(frame.rtp)).is_some_and(|back| back < limits::SOUND_AGAIN_TICKS)
        };
        if file.is_some_and(|file| file.last_rtp.is_some_and(twice)) {
            return;
        }
        let hole = file.is_some_and(|file| at_ms > file.last_ms + limits::SOUND_HOLE_MS);
        if !frame.contiguous && hole && !frame.talkspurt {
            self.lost(slot, at_ms, GapWhy::Loss);
        }
        self.append(slot, &TrackHead::opus(), frame, &frame.bytes, true, at_ms);
    }

    fn picture(&mut self, slot: Slot, frame: Frame, at_ms: u64) {
        if !frame.contiguous {
            self.lost(slot, at_ms, GapWhy::Loss);
        }
        let Some(track) = self.slots.get_mut(&slot) else {
            return;
        };
        let old = track.file.as_ref().map(|file| file.head.clone());
        let left_out = track.astray && frame.codec == Codec::H264;
        let (head, bytes, keyframe) = match frame.codec {
            Codec::H264 => {
                let Some(access) = h264::access(&frame.bytes) else {
                    return;
                };
                let usable = match (access.idr, access.config.is_some()) {
                    (true, told) => track.begins(told),
                    (false, _) => track.goes_on(frame.contiguous),
                };
                if !usable {
                    track.left_ms = at_ms;
                    return self.unusable(slot);
                }
                let head = match (access.config, access.size) {
                    (Some(config), Some((width, height))) => {
                        Some(TrackHead::h264(width, height, config))
                    }
                    // Parameter sets hold until others come.
                    _ => old.clone().filter(|head| head.codec == Codec::H264),
                };
                (head, access.frame, access.idr)
            }
            _ => {
                // The size may change inside of a file.
                let same = old.clone().filter(|head| head.codec == Codec::Vp8);
                let size = vp8::size(&frame.bytes);
                let head = same.or_else(|| size.map(|(w, h)| TrackHead::vp8(w, h)));
                (head, frame.bytes.clone(), size.is_some())
            }
        };
        let fits = old.is_some() && old == head;
        let Some(head) = head.filter(|_| keyframe || fits) else {
            return self.unusable(slot);
        };
        if keyframe {
            track.want = None;
            track.key_ms = self.now_ms;
        }
        if left_out && let Some(file) = &mut track.file {
            file.lacks(&mut self.out, at_ms, GapWhy::Loss);
        }
        self.append(slot, &head, &frame, &bytes, keyframe, at_ms);
    }

    /// A picture came that cannot be used without a keyframe.
    fn unusable(&mut self, slot: Slot) {
        let t_ms = self.now_ms;
        if let Some(track) = self.slots.get_mut(&slot) {
            track.want(t_ms);
            if let Some(want) = &mut track.want {
                want.frames = true;
            }
        }
        self.ask();
    }

    /// Appends a frame, in a new file where one is due.
    fn append(
        &mut self,
        slot: Slot,
        head: &TrackHead,
        frame: &Frame,
        bytes: &[u8],
        keyframe: bool,
        at_ms: u64,
    ) {
        let end = self
            .slots
            .get(&slot)
            .and_then(|track| track.file.as_ref())
            .and_then(|file| {
                if file.head != *head {
                    Some(SegmentEnd::Format)
                } else if keyframe && file.is_long(at_ms) {
                    Some(SegmentEnd::Length)
                } else {
                    None
                }
            });
        if let Some(why) = end {
            if why == SegmentEnd::Format && !self.may_go_on_anew(slot) {
                self.lost(slot, at_ms, GapWhy::Damaged);
                if let Some(track) = self.slots.get_mut(&slot) {
                    track.astray = true;
                }
                return;
            }
            self.close(slot, why);
        }
        if !self.open(slot, head, at_ms) {
            return;
        }
        let ends = self
            .slots
            .get(&slot)
            .and_then(|track| track.file.as_ref())
            .is_some_and(|file| file.cluster_ends(at_ms.max(file.last_ms), keyframe, bytes.len()));
        if ends {
            self.write_cluster(slot);
        }
        let Some(file) = self
            .slots
            .get_mut(&slot)
            .and_then(|track| track.file.as_mut())
        else {
            return;
        };
        // Never back, whatever the clock of the source does.
        let at_ms = at_ms.max(file.last_ms);
        let in_file = at_ms - file.start_ms;
        let since = &mut file.cluster_since_ms;
        let cluster = file.cluster.get_or_insert_with(|| {
            *since = self.now_ms;
            Cluster::new(in_file)
        });
        if cluster.push(in_file, keyframe, bytes) {
            file.last_ms = at_ms;
            file.last_rtp = Some(frame.rtp);
            self.frames += 1;
        }
        if at_ms >= file.next_sample_ms {
            file.next_sample_ms = at_ms + limits::CLOCK_EVERY_MS;
            let sample = Sample {
                rtp: frame.rtp,
                arrival_ns: frame.arrival_ns,
                t_ms: at_ms,
            };
            file.samples
                .extend(serde_json::to_vec(&sample).unwrap_or_default());
            file.samples.push(b'\n');
        }
    }

    /// Whether a file is open for the slot afterwards.
    fn open(&mut self, slot: Slot, head: &TrackHead, at_ms: u64) -> bool {
        let next = self.next;
        let Some(track) = self.slots.get_mut(&slot) else {
            return false;
        };
        if track.file.is_some() {
            return true;
        }
        if next as usize > limits::MAX_SEGMENTS {
            if self.too_many_ms.is_none() {
                self.too_many_ms = Some(self.now_ms);
                self.out.push(Output::Alarm(Alarm::TooMany));
            }
            return false;
        }
        self.next += 1;
        let segment = SegmentId(next);
        track.file = Some(File::new(segment, head.clone(), at_ms));
        let opened = Opened {
            segment,
            file: segment.file(head.codec),
            track: track.source.kind,
            person: track.source.person.clone(),
            publication: track.source.publication,
            presenter: track.source.presenter,
            codec: head.codec,
            start_ms: at_ms,
            width: head.width,
            height: head.height,
        };
        self.end_hole(at_ms);
        let file = opened.file.clone();
        // The journal first: a file nobody knows of would be lost.
        self.out.push(Output::Journal(Line::Opened(opened)));
        self.out.push(Output::SyncJournal);
        self.out.push(Output::Open {
            segment,
            file,
            clock_file: segment.clock_file(),
            bytes: head.file_head(),
        });
        true
    }

    fn may_go_on_anew(&mut self, slot: Slot) -> bool {
        let t_ms = self.now_ms;
        let track = self.slots.get_mut(&slot);
        track.is_some_and(|track| track.anew(t_ms))
    }

    /// The connection was lost.
    fn lose(&mut self) {
        self.connected_ms = None;
        self.down = true;
        if !self.paused {
            self.hole_from_ms.get_or_insert(self.now_ms);
        }
    }

    /// Nothing is missing any more from here on, or nobody would take it.
    fn end_hole(&mut self, at_ms: u64) {
        let Some(from_ms) = self.hole_from_ms.take() else {
            return;
        };
        // Who says nothing for long after the connection came up is not missing.
        let up = (self.connected_ms).filter(|up| at_ms > up + limits::KEYFRAME_ALARM_MS);
        let span = Span::new(from_ms, up.unwrap_or(at_ms).max(from_ms));
        self.out.push(Output::Journal(Line::Gap(Gap {
            segment: None,
            span,
            why: GapWhy::Recorder,
        })));
        self.out.push(Output::Alarm(Alarm::Gap {
            from_ms: span.from_ms,
            to_ms: span.to_ms,
        }));
    }

    /// What is missing to the end is written down.
    fn end_holes(&mut self) {
        self.end_hole(self.now_ms);
        if let Some(from_ms) = self.too_many_ms.take() {
            self.out.push(Output::Journal(Line::Gap(Gap {
                segment: None,
                span: Span::new(from_ms, self.now_ms),
                why: GapWhy::Queue,
            })));
        }
    }

    /// Something is missing before `at_ms`.
    fn lost(&mut self, slot: Slot, at_ms: u64, why: GapWhy) {
        let t_ms = self.now_ms;
        let Some(track) = self.slots.get_mut(&slot) else {
            return;
        };
        track.want(t_ms);
        if let Some(file) = &mut track.file {
            file.lacks(&mut self.out, at_ms, why);
        }
        self.ask();
    }

    fn write_cluster(&mut self, slot: Slot) {
        let Some(file) = self
            .slots
            .get_mut(&slot)
            .and_then(|track| track.file.as_mut())
        else {
            return;
        };
        let Some(cluster) = file.cluster.take() else {
            return;
        };
        let bytes = cluster.finish();
        self.bytes += bytes.len() as u64;
        file.dirty = true;
        self.out.push(Output::Write {
            segment: file.segment,
            bytes,
            to_ms: file.last_ms,
        });
        if !file.samples.is_empty() {
            self.out.push(Output::Clock {
                segment: file.segment,
                bytes: std::mem::take(&mut file.samples),
            });
        }
    }

    fn close(&mut self, slot: Slot, why: SegmentEnd) {
        self.write_cluster(slot);
        let Some(track) = self.slots.get_mut(&slot) else {
            return;
        };
        let Some(mut file) = track.file.take() else {
            return;
        };
        if track.astray {
            // Up to the last that came: whoever sends nothing more loses nothing.
            file.lacks(&mut self.out, track.left_ms.max(file.last_ms), GapWhy::Loss);
        }
        file.tell_gap(&mut self.out);
        self.out.push(Output::Close {
            segment: file.segment,
            why,
        });
        let t_ms = self.now_ms;
        track.want(t_ms);
    }

    fn close_all(&mut self, why: SegmentEnd) {
        let slots: Vec<Slot> = self.slots.keys().copied().collect();
        for slot in slots {
            self.close(slot, why);
        }
    }

    /// Files of what is no longer taken.
    fn close_untaken(&mut self, why: SegmentEnd) {
        let slots: Vec<Slot> = self
            .slots
            .iter()
            .filter(|(_, track)| !self.takes(&track.source))
            .map(|(slot, _)| *slot)
            .collect();
        for slot in slots {
            self.close(slot, why);
        }
    }

    fn end_for_disk(&mut self) {
        let t_ms = self.now_ms;
        self.close_all(SegmentEnd::Disk);
        self.out.push(Output::Journal(Line::Gap(Gap {
            segment: None,
            span: Span::new(t_ms, t_ms),
            why: GapWhy::Disk,
        })));
        self.end(SegmentEnd::Disk, RecordingEnd::Disk);
    }

    fn suspend(&mut self) {
        self.close_all(SegmentEnd::Suspended);
        self.end_holes();
        self.out.push(Output::SyncJournal);
        self.out.push(Output::Done);
        self.done = true;
    }

    fn end(&mut self, files: SegmentEnd, why: RecordingEnd) {
        self.close_all(files);
        self.end_holes();
        self.journal_now(Line::Ended {
            at_ms: self.now_ms,
            why,
        });
        self.out.push(Output::Done);
        self.done = true;
    }
}

/// A line of the side file: what was measured when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    rtp: u64,
    arrival_ns: u64,
    t_ms: u64,
}
