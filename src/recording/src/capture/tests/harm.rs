//! What dying recorders, bad disks and bad senders may not do.

use std::io;

use super::*;
use crate::media::TrackKind;
use crate::repair::repair;
use crate::scan::ReadAt;

/// A class of voice and camera, killed after 12 s.
fn killed() -> Disk {
    let mut run = Run::new();
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    run.bind(0, 2, source("co", TrackKind::Camera, true));
    run.play(20, 12_340);
    run.disk
}

/// A disk that does not always read.
struct Broken<'a>(&'a [u8], bool);

impl ReadAt for Broken<'_> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1 {
            return Err(io::Error::other("EIO"));
        }
        self.0.read_at(offset, buffer)
    }
}

fn repaired(disk: &Disk) -> crate::repair::Repair {
    repair(&disk.timeline(), |id| {
        Ok(disk.files.get(&id).map(|(bytes, ..)| bytes.as_slice()))
    })
    .unwrap()
}

#[test]
fn what_cannot_be_read_is_not_taken_for_nothing() {
    let disk = killed();
    let timeline = disk.timeline();
    let read = repair(&timeline, |id| Ok(Some(Broken(&disk.files[&id].0, true))));
    assert!(read.is_err());
    let opened = repair(&timeline, |_| -> io::Result<Option<Broken<'_>>> {
        Err(io::Error::from_raw_os_error(24))
    });
    assert!(opened.is_err());
    // Readable again: everything is there.
    let read = repair(&timeline, |id| Ok(Some(Broken(&disk.files[&id].0, false)))).unwrap();
    assert!(read.damaged.is_empty() && read.truncate.is_empty());
    assert_eq!(read.lines.len(), timeline.segments.len());
}

#[test]
fn what_was_synced_is_never_cut_away() {
    let whole = killed();
    let timeline = whole.timeline();
    for id in timeline.segments.keys() {
        let known = timeline.segments[id].synced.clone().unwrap();
        // A byte of the head, one of a cluster's beginning, and one inside of a frame.
        let index = whole.index(*id);
        let of = |number: usize| index.clusters[number].offset as usize;
        for at in [0, of(0), of(1), of(1) + 30] {
            let mut disk = killed();
            disk.files.get_mut(id).unwrap().0[at] ^= 0xFF;
            let repaired = repaired(&disk);
            assert_eq!(repaired.damaged, [*id], "byte {at}");
            let cut = repaired.truncate.iter().find(|(of, _)| of == id);
            assert!(cut.is_none_or(|(_, to)| *to >= known.bytes), "{cut:?}");
            let closed = repaired.lines.iter().find_map(|line| match line {
                Line::Closed { synced, .. } if synced.segment == *id => Some(synced),
                _ => None,
            });
            // Whoever checks it finds that it is not as it was.
            assert_eq!(closed, Some(&known));
        }
    }
    // Shorter than it was, or gone.
    let id = *timeline.segments.keys().next().unwrap();
    let known = timeline.segments[&id].synced.clone().unwrap();
    let mut short = killed();
    short.files.get_mut(&id).unwrap().0.truncate(500);
    let mut gone = killed();
    gone.files.remove(&id);
    for disk in [short, gone] {
        let repaired = repaired(&disk);
        assert_eq!(repaired.damaged, [id]);
        assert!(repaired.truncate.is_empty());
        assert!(
            repaired
                .lines
                .iter()
                .any(|line| matches!(line, Line::Closed { synced, .. } if *synced == known))
        );
    }
}

#[test]
fn a_long_journal_is_read_to_its_end() {
    let mut disk = killed();
    let gap = Line::Gap(crate::journal::Gap {
        segment: None,
        span: crate::Span::new(1, 2),
        why: GapWhy::Damaged,
    });
    let line = gap.encode();
    for _ in 0..210_000 {
        disk.journal.extend_from_slice(&line);
    }
    disk.line(&Line::Ended {
        at_ms: 20_000,
        why: RecordingEnd::Stopped,
    });
    let whole = disk.journal.len() as u64;
    disk.journal.extend_from_slice(b"{\"kind\":\"torn");
    let timeline = disk.timeline();
    assert_eq!(timeline.bytes, whole, "only the torn line goes");
    assert_eq!(timeline.ended, Some(RecordingEnd::Stopped));
}

#[test]
fn frames_that_are_none_are_few_lines() {
    let mut run = Run::new();
    run.bind(0, 1, source("an", TrackKind::Voice, false));
    for ms in (20..60_000).step_by(20) {
        let mut frame = frame(Codec::Opus, ms, false);
        if ms > 20 {
            frame.bytes.clear();
        }
        let slot = Slot(1);
        run.tell(ms, Input::Frame { slot, frame });
        if ms % 100 == 0 {
            run.tell(ms, Input::Tick);
        }
    }
    run.tell(60_000, Input::Stop);
    let gaps = run.disk.timeline().gaps;
    assert!(gaps.iter().all(|gap| gap.why == GapWhy::Damaged));
    assert!((1..=20).contains(&gaps.len()), "{}", gaps.len());
    assert_eq!(gaps.last().unwrap().span.to_ms, 59_980);
}

#[test]
fn a_file_that_was_never_closed_does_not_hold_up_the_end() {
    let mut disk = killed();
    disk.line(&Line::Ended {
        at_ms: 12_400,
        why: RecordingEnd::Disk,
    });
    let timeline = disk.timeline();
    let manifest = crate::Manifest::new(&timeline, Vec::new()).unwrap();
    assert_eq!(manifest.segments.len(), 2);
    for segment in &manifest.segments {
        assert_eq!(segment.end, SegmentEnd::Died);
        let (bytes, ..) = &disk.files[&segment.opened.segment];
        let known = &bytes[..segment.bytes as usize];
        assert_eq!(segment.sha256, crate::manifest::sha256(known));
    }
    // One of which nothing is there is none.
    let (mut capture, out) = Capture::begin(id(), at(0), BOOT, Policy::default());
    let mut journal = Disk::default();
    journal.run(0, out);
    for input in [
        Input::Bind {
            slot: Slot(1),
            source: Some(source("co", TrackKind::Voice, true)),
        },
        Input::Frame {
            slot: Slot(1),
            frame: frame(Codec::Opus, 40, false),
        },
    ] {
        for output in capture.handle(at(40), input) {
            if let Output::Journal(line) = output {
                journal.line(&line);
            }
        }
    }
    let repaired = repaired(&journal);
    for line in &repaired.lines {
        journal.line(line);
    }
    journal.line(&crate::repair::finish(&journal.timeline()));
    let timeline = journal.timeline();
    assert_eq!(timeline.segments.len(), 1);
    let manifest = crate::Manifest::new(&timeline, Vec::new()).unwrap();
    assert!(manifest.segments.is_empty());
}

#[test]
fn a_sender_does_not_use_up_the_files() {
    // Its clock is a second ahead again with every packet.
    let mut run = Run::new();
    run.bind(0, 1, source("an", TrackKind::Voice, false));
    let mut written = 0_u64;
    for ms in (20..180_000).step_by(20) {
        let mut frame = frame(Codec::Opus, ms, false);
        frame.rtp += ms / 20 * 48_000;
        let slot = Slot(1);
        run.tell(ms, Input::Frame { slot, frame });
        written += 1;
    }
    assert_eq!(run.capture.status().frames, written, "all of it is taken");
    run.tell(180_000, Input::Stop);
    assert!(run.disk.files.len() <= 40, "{}", run.disk.files.len());
    assert!(crate::Manifest::new(&run.disk.timeline(), Vec::new()).is_ok());

    // Every picture has parameters of its own.
    let mut run = Run::new();
    run.bind(0, 2, source("an", TrackKind::Camera, false));
    for ms in (40..120_000).step_by(40) {
        let sps = [0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x11, 0xE4];
        let pps = [0, 0, 1, 0x68, 0xCE, 1 + (ms / 40 % 2) as u8];
        let idr = [0, 0, 1, 0x65, 9, 9, 9];
        let mut frame = frame(Codec::H264, ms, true);
        frame.bytes = [&sps[..], &pps, &idr].concat();
        let slot = Slot(2);
        run.tell(ms, Input::Frame { slot, frame });
        run.tell(ms, Input::Tick);
    }
    run.tell(120_000, Input::Stop);
    let files = run.disk.files.len();
    assert!((2..=30).contains(&files), "{files}");
    let gaps = run.disk.timeline().gaps;
    assert!(gaps.iter().any(|gap| gap.why == GapWhy::Damaged));
}

#[test]
fn more_files_than_there_may_be_are_told() {
    let mut disk = killed();
    for line in repaired(&disk).lines {
        disk.line(&line);
    }
    // As many as there may be.
    let mut last = disk.timeline().segments[&SegmentId(1)].opened.clone();
    last.segment = SegmentId(limits::MAX_SEGMENTS as u32);
    disk.line(&Line::Opened(last));
    let reached = disk.timeline().length_ms;
    let (capture, out) = Capture::go_on(&disk.timeline(), at(14_000), BOOT);
    disk.run(14_000, out);
    let mut run = Run { capture, disk };
    run.tell(14_000, Input::Connected);
    run.bind(14_000, 1, source("an", TrackKind::Voice, false));
    run.play(14_020, 15_000);
    run.tell(15_000, Input::Stop);
    assert!(run.disk.alarms.contains(&Alarm::TooMany));
    assert_eq!(holes(&run.disk), [(reached, 15_000), (14_020, 15_000)]);
}

/// What is missing in all files.
fn holes(disk: &Disk) -> Vec<(u64, u64)> {
    let gaps = disk.timeline().gaps.into_iter();
    gaps.filter(|gap| gap.segment.is_none())
        .map(|gap| (gap.span.from_ms, gap.span.to_ms))
        .collect()
}

#[test]
fn a_lost_connection_is_a_hole() {
    let mut run = Run::new();
    run.tell(0, Input::Connected);
    run.bind(0, 1, source("co", TrackKind::Voice, true));
    run.bind(0, 2, source("co", TrackKind::Camera, true));
    run.play(20, 4_000);
    run.tell(4_000, Input::Lost);
    for slot in [1, 2] {
        let slot = Slot(slot);
        run.tell(4_000, Input::Bind { slot, source: None });
    }
    run.tell(6_000, Input::Connected);
    run.bind(6_100, 1, source("co", TrackKind::Voice, true));
    run.play(6_200, 8_000);
    assert_eq!(holes(&run.disk), [(4_000, 6_200)]);
    assert!(run.disk.alarms.contains(&Alarm::Gap {
        from_ms: 4_000,
        to_ms: 6_200
    }));
    // The next one is never mended: it ends with the recording, or with a pause.
    run.tell(8_000, Input::Lost);
    run.tell(
        9_000,
        Input::Bind {
            slot: Slot(1),
            source: None,
        },
    );
    run.tell(9_500, Input::Pause { by: None });
    run.tell(9_700, Input::Lost);
    run.tell(9_900, Input::Resume { by: None });
    run.tell(12_000, Input::Suspend);
    assert_eq!(
        holes(&run.disk),
        [(4_000, 6_200), (8_000, 9_500), (9_900, 12_000)]
    );
}

#[test]
fn a_recorder_that_goes_on_with_nobody_to_take_says_what_is_missing() {
    for last in [Input::Stop, Input::Suspend] {
        let mut disk = killed();
        for line in repaired(&disk).lines {
            disk.line(&line);
        }
        let reached = disk.timeline().length_ms;
        let (capture, out) = Capture::go_on(&disk.timeline(), at(14_000), BOOT);
        disk.run(14_000, out);
        let mut run = Run { capture, disk };
        run.tell(15_000, Input::Connected);
        run.tell(90_000, last);
        // Connected it would have taken whoever had said something.
        assert_eq!(holes(&run.disk), [(reached, 15_000)]);
    }
}

#[test]
fn hours_of_nothing_are_no_part_of_a_recording() {
    let timeline = killed().timeline();
    let reached = timeline.length_ms;
    assert!(!timeline.is_over(at(reached + 20 * 60_000), BOOT));
    assert!(timeline.is_over(at(reached + 40 * 60_000), BOOT));
    // The machine was off, by its wall clock.
    let mut later = at(reached + 13 * 3_600_000);
    later.boot_ns = 5;
    assert!(timeline.is_over(later, "another"));
    later.wall_ms = 0;
    assert!(
        !timeline.is_over(later, "another"),
        "a clock that was set back"
    );
}
