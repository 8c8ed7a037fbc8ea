//! What is written and served, judged by Debian's ffmpeg and ffprobe.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;
mod sound;

use std::path::Path;

use common::{Feed, decodes, duration, record, times};
use lophoc_recording::scan::{Index, ScanError};
use lophoc_recording::served::{Piece, file_cuts};
use lophoc_recording::{Codec, Cuts, Span, VirtualFile, mix};
use proptest::prelude::*;

fn index(bytes: &[u8]) -> Index {
    Index::read(&mut &*bytes, bytes.len() as u64, u64::MAX).unwrap()
}

/// The bytes a request gets.
fn read(file: &VirtualFile, original: &[u8], from: u64, to: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in file.read(from, to) {
        match piece {
            Piece::Head(bytes) => out.extend_from_slice(bytes),
            Piece::File(range) => {
                let from = range.offset as usize;
                out.extend_from_slice(&original[from..from + range.len as usize]);
            }
        }
    }
    out
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_is_captured_decodes_whole() {
    let folder = tempfile::tempdir().unwrap();
    let disk = record(&[
        Feed::picture(Codec::Vp8, 100, common::vp8(6, "320x180")),
        Feed::picture(Codec::H264, 700, common::h264(6, "320x180")),
        Feed::sound(300, sound::opus(6)),
    ]);
    let timeline = disk.timeline();
    assert_eq!(timeline.segments.len(), 3);
    for (id, (bytes, _, _, name)) in &disk.files {
        let path = write(folder.path(), name, bytes);
        decodes(&path);
        let opened = &timeline.segments[id].opened;
        let (frames, start) = match opened.codec {
            Codec::Vp8 => (150, 100),
            Codec::H264 => (150, 700),
            Codec::Opus => (300, 300),
        };
        assert_eq!(times(&path).len(), frames, "{name}");
        assert_eq!(opened.start_ms, start, "{name}");
        if opened.codec != Codec::Opus {
            assert_eq!((opened.width, opened.height), (320, 180));
        }
        // The original knows no length; what is served does.
        assert_eq!(duration(&path), None);
        let served = VirtualFile::new(&index(bytes), &[]).unwrap();
        let path = write(
            folder.path(),
            &format!("v{name}"),
            &read(&served, bytes, 0, u64::MAX),
        );
        decodes(&path);
        assert!((duration(&path).unwrap() - 6.0).abs() < 0.05, "{name}");
        assert_eq!(times(&path).len(), frames);
    }
}

#[test]
fn a_size_that_changes_is_one_file_of_vp8_and_two_of_h264() {
    let folder = tempfile::tempdir().unwrap();
    let grown = |small: Vec<_>, large: Vec<_>| [small, large].concat();
    let disk = record(&[
        Feed::picture(
            Codec::Vp8,
            0,
            grown(common::vp8(2, "160x90"), common::vp8(2, "320x180")),
        ),
        Feed::picture(
            Codec::H264,
            0,
            grown(common::h264(2, "160x90"), common::h264(2, "320x180")),
        ),
    ]);
    let mut sizes: Vec<_> = disk
        .timeline()
        .segments
        .values()
        .map(|one| (one.opened.codec, one.opened.width))
        .collect();
    sizes.sort_unstable();
    assert_eq!(
        sizes,
        [(Codec::Vp8, 160), (Codec::H264, 160), (Codec::H264, 320)]
    );
    for (bytes, _, _, name) in disk.files.values() {
        decodes(&write(folder.path(), name, bytes));
    }
}

/// A frame without the units of these kinds.
fn without(frame: &[u8], kinds: &[u8]) -> Vec<u8> {
    lophoc_recording::mkv::h264::units(frame)
        .into_iter()
        .filter(|unit| !kinds.contains(&(unit[0] & 0x1F)))
        .flat_map(|unit| [&[0, 0, 0, 1][..], unit].concat())
        .collect()
}

/// Sizes of the files of pictures in order; each decodes without a word.
fn decoded(disk: &common::Disk) -> Vec<u32> {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, _, _, name) in disk.files.values() {
        decodes(&write(folder.path(), name, bytes));
    }
    let timeline = disk.timeline();
    let all = timeline.segments.values();
    all.map(|one| one.opened.width).collect()
}

/// From when to when something is missing; one piece follows the other.
fn lacking(disk: &common::Disk) -> (u64, u64) {
    let gaps: Vec<_> = disk.timeline().gaps.iter().map(|gap| gap.span).collect();
    assert!(
        gaps.windows(2).all(|pair| pair[0].to_ms == pair[1].from_ms),
        "{gaps:?}"
    );
    (gaps[0].from_ms, gaps[gaps.len() - 1].to_ms)
}

/// The media plane turns to another layer where its keyframe begins; what tells its
/// size may have been lost on the way there.
#[test]
fn a_layer_without_its_parameter_sets_is_in_no_file_of_another() {
    let mut large = common::h264(6, "640x360");
    for (_, bytes) in large.iter_mut().take(50) {
        *bytes = without(bytes, &[7, 8]);
    }
    let frames = [common::h264(2, "160x90"), large].concat();
    let disk = record(&[Feed::picture(Codec::H264, 0, frames)]);
    assert_eq!(decoded(&disk), [160, 640]);
    // From the next keyframe on it is there.
    let second = index(disk.bytes(2));
    assert_eq!(second.end_ms, 4_000);
    assert_eq!(lacking(&disk), (1_960, 4_000), "what was left out is told");
}

/// An encoder that tells its parameter sets once alone.
#[test]
fn keyframes_that_never_tell_their_size_are_taken_after_a_while() {
    let mut frames = common::h264(16, "160x90");
    for (_, bytes) in frames.iter_mut().skip(1) {
        *bytes = without(bytes, &[7, 8]);
    }
    let disk = record(&[Feed::picture(Codec::H264, 0, frames)]);
    assert_eq!(decoded(&disk), [160]);
    let times = common::times(&write(
        tempfile::tempdir().unwrap().path(),
        "a.mkv",
        disk.bytes(1),
    ));
    assert!(times.len() > 200, "{}", times.len());
}

#[test]
fn what_follows_a_lost_frame_of_h264_waits_for_a_keyframe() {
    let mut frames = common::h264(8, "320x180");
    frames.drain(60..63);
    let mut feed = Feed::picture(Codec::H264, 0, frames);
    feed.after_loss = vec![60];
    let disk = record(&[feed]);
    assert_eq!(decoded(&disk), [320]);
    // From the frame before the loss to the next keyframe; the feed has closed up.
    assert_eq!(lacking(&disk), (2_360, 3_880));
}

/// Whoever changes his size more often than he may have files.
#[test]
fn what_is_left_out_for_its_size_is_left_out_whole() {
    let (small, large) = (common::h264(2, "160x90"), common::h264(2, "320x180"));
    let frames = (0..10).flat_map(|_| [small.clone(), large.clone()].concat());
    let disk = record(&[Feed::picture(Codec::H264, 0, frames.collect())]);
    let sizes = decoded(&disk);
    assert!(sizes.len() > 10, "{sizes:?}");
}

#[test]
fn a_file_cut_anywhere_is_good_up_to_its_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let disk = record(&[
        Feed::picture(Codec::Vp8, 0, common::vp8(8, "320x180")),
        Feed::sound(0, sound::opus(8)),
    ]);
    let mut chance = 0x2545_F491_4F6C_DD1D_u64;
    for segment in [1, 2] {
        let bytes = disk.bytes(segment);
        let whole = index(bytes);
        for round in 0..30 {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let cut = (chance >> 33) as usize % bytes.len();
            let cut_file = &bytes[..cut];
            let read_cut = Index::read(&mut &*cut_file, cut as u64, 0);
            if (cut as u64) < whole.head {
                assert!(
                    matches!(read_cut, Err(ScanError::Head))
                        || read_cut.unwrap().clusters.is_empty()
                );
                continue;
            }
            let found = read_cut.unwrap();
            assert!(found.bytes <= cut as u64);
            let lost = whole.clusters[found.clusters.len()..].iter().take(1);
            assert!(
                lost.clone().all(|next| next.offset + next.len > cut as u64),
                "only what is not whole"
            );
            let Some(served) = VirtualFile::new(&found, &[]) else {
                assert!(found.clusters.is_empty());
                continue;
            };
            // Every fourth is decoded: each takes a while.
            if round % 4 == 0 {
                let virtual_bytes = read(&served, cut_file, 0, u64::MAX);
                decodes(&write(folder.path(), "cut.webm", &virtual_bytes));
                decodes(&write(
                    folder.path(),
                    "raw.webm",
                    &cut_file[..found.bytes as usize],
                ));
            }
        }
    }
}

#[test]
fn a_file_damaged_after_its_last_sync_ends_before_the_damage() {
    let disk = record(&[Feed::sound(0, sound::opus(6))]);
    let mut bytes = disk.bytes(1).to_vec();
    let whole = index(&bytes);
    let third = whole.clusters[3];
    // Pages that were never written.
    let from = third.offset as usize + 40;
    bytes[from..from + 300].fill(0);
    let found = Index::read(&mut bytes.as_slice(), bytes.len() as u64, third.offset).unwrap();
    assert_eq!((found.clusters.len(), found.bytes), (3, third.offset));
    // An index goes on as a file grows, and is the same as one made at once.
    let bytes = disk.bytes(1);
    let half = bytes.len() / 2;
    let mut growing = index(&bytes[..half]);
    growing.go_on(&mut &*bytes, bytes.len() as u64, 0).unwrap();
    assert_eq!(growing, whole);
}

#[test]
fn what_was_cut_is_in_no_byte_and_the_rest_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = record(&[
        Feed::picture(Codec::Vp8, 1_000, common::vp8(12, "320x180")),
        Feed::picture(Codec::H264, 1_000, common::h264(12, "320x180")),
        Feed::sound(1_000, sound::opus(12)),
    ]);
    // Recording time: the file's 0 is at one second.
    let cuts = Cuts::new(13_040, [], [Span::new(0, 3_500), Span::new(6_000, 8_200)]);
    for (id, (bytes, _, _, name)) in &disk.files {
        let opened = &disk.timeline().segments[id].opened;
        let index = index(bytes);
        let hidden = file_cuts(&cuts, opened.start_ms);
        let served = VirtualFile::new(&index, &hidden).unwrap();
        let out = read(&served, bytes, 0, u64::MAX);
        assert_eq!(out.len() as u64, served.total);
        for (number, cluster) in index.clusters.iter().enumerate() {
            let span = index.cluster_span(number).unwrap();
            if !hidden.iter().any(|cut| cut.meets(span)) {
                continue;
            }
            // Frames as a whole: encoders make parts of them alike.
            let whole = &bytes[cluster.offset as usize..(cluster.offset + cluster.len) as usize];
            for frame in lophoc_recording::scan::frames(whole)
                .unwrap()
                .iter()
                .take(4)
            {
                let frame = &whole[frame.offset..frame.offset + frame.len];
                let found = out.windows(frame.len()).any(|bytes| bytes == frame);
                assert!(!found, "{name}: {} bytes at {span:?}", frame.len());
            }
        }
        let path = write(folder.path(), name, &out);
        decodes(&path);
        let times = times(&path);
        // Times are those of the original: it begins at zero with what comes first.
        assert!(times[0].abs() < 0.01);
        assert!(times[1..].iter().all(|at| {
            let at = (at * 1_000.0).round() as u64 + 7;
            hidden.iter().all(|cut| at < cut.from_ms || at >= cut.to_ms)
        }));
        assert!(
            (served.begin_ms >= 2_500) && served.begin_ms <= 4_600,
            "{}",
            served.begin_ms
        );
        assert!((duration(&path).unwrap() - 12.0).abs() < 0.05);
    }
    let all = Cuts::new(13_040, [], [Span::new(0, 13_040)]);
    let nothing = VirtualFile::new(&index(disk.bytes(1)), &file_cuts(&all, 1_000));
    assert!(nothing.is_none());
}

#[test]
fn seeking_reads_no_more_than_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let disk = record(&[Feed::picture(Codec::Vp8, 0, common::vp8(20, "320x180"))]);
    let bytes = disk.bytes(1);
    let served = VirtualFile::new(&index(bytes), &[]).unwrap();
    let path = write(
        folder.path(),
        "seek.webm",
        &read(&served, bytes, 0, u64::MAX),
    );
    for second in [0_u32, 3, 7, 11, 15, 19, 4] {
        let place = format!("{second}%+#1");
        let args = [
            "-read_intervals",
            &place,
            "-show_entries",
            "packet=pts_time,pos",
        ];
        let first = common::probe(&path, &args)[0].clone();
        let (time, pos) = first.split_once(',').unwrap();
        let (time, pos): (f64, u64) = (time.parse().unwrap(), pos.parse().unwrap());
        // A keyframe every two seconds, and the list of places is right.
        assert!((f64::from(second) - time).abs() <= 2.0, "{second}: {time}");
        let near = bytes.len() as u64 * u64::from(second) / 20;
        assert!(
            pos + 2_000 + bytes.len() as u64 / 4 > near,
            "{second}: at {pos}"
        );
    }
}

#[test]
fn the_mixed_sound_is_a_file_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let packets = sound::opus(10).into_iter().enumerate();
    let packets = packets.map(|(number, bytes)| mix::Packet {
        t_ms: 2_000 + number as u64 * 20,
        bytes,
    });
    let voice = mix::Voice {
        packets: packets.collect(),
    };
    let mut file = mix::file_head();
    for from in [0, 5_000, 10_000] {
        file.extend(mix::piece(from, from + 5_000, std::slice::from_ref(&voice)).unwrap());
    }
    let served = VirtualFile::new(&index(&file), &[]).unwrap();
    let path = write(
        folder.path(),
        "sound.webm",
        &read(&served, &file, 0, u64::MAX),
    );
    decodes(&path);
    assert!((duration(&path).unwrap() - 15.0).abs() < 0.03);
    assert_eq!(times(&path).len(), 750);
}

#[test]
fn three_hours_of_sound_have_a_short_head() {
    let mut file = mix::file_head();
    for second in 0..3 * 3_600_u64 {
        let mut cluster = lophoc_recording::mkv::Cluster::new(second * 1_000);
        cluster.push(second * 1_000, true, &[0xF8, 0xFF, 0xFE]);
        file.extend(cluster.finish());
    }
    let index = index(&file);
    assert_eq!(index.clusters.len(), 10_800);
    let served = VirtualFile::new(&index, &[]).unwrap();
    assert!(served.head.len() < 64 << 10, "{}", served.head.len());
    assert_eq!(served.ranges.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any range of bytes is that part of the whole.
    #[test]
    fn ranges_are_parts_of_the_whole(
        cuts in proptest::collection::vec((0_u64..20_000, 1_u64..5_000), 0..4),
        ranges in proptest::collection::vec((0_u64..9_000, 0_u64..9_000), 1..20),
    ) {
        let mut file = mix::file_head();
        for second in 0..20_u64 {
            let mut cluster = lophoc_recording::mkv::Cluster::new(second * 1_000);
            cluster.push(second * 1_000, true, &[second as u8; 300]);
            file.extend(cluster.finish());
        }
        let cuts: Vec<Span> = cuts.into_iter().map(|(from, len)| Span::new(from, from + len)).collect();
        if let Some(served) = VirtualFile::new(&index(&file), &cuts) {
            let whole = read(&served, &file, 0, u64::MAX);
            prop_assert_eq!(whole.len() as u64, served.total);
            let again = index(&whole);
            prop_assert_eq!(again.bytes, served.total, "it is a file of the same kind");
            for (from, len) in ranges {
                let to = (from + len).min(served.total);
                let part = read(&served, &file, from, to);
                prop_assert_eq!(&part[..], whole.get(from as usize..to as usize).unwrap_or_default());
            }
        }
    }

    /// Any bytes, and any damage to a file, is read without harm.
    #[test]
    fn any_bytes_are_read(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
        damage in proptest::collection::vec((0_usize..4_000, any::<u8>()), 0..12),
        doubtful in 0_u64..4_000,
    ) {
        let _ = Index::read(&mut bytes.as_slice(), bytes.len() as u64, doubtful);
        let mut file = mix::file_head();
        for second in 0..8_u64 {
            let mut cluster = lophoc_recording::mkv::Cluster::new(second * 1_000);
            cluster.push(second * 1_000, true, &[second as u8; 300]);
            file.extend(cluster.finish());
        }
        for (at, byte) in damage {
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
        }
        if let Ok(index) = Index::read(&mut file.as_slice(), file.len() as u64, doubtful) {
            prop_assert!(index.bytes <= file.len() as u64);
            if let Some(served) = VirtualFile::new(&index, &[Span::new(2_000, 3_000)]) {
                prop_assert_eq!(read(&served, &file, 0, u64::MAX).len() as u64, served.total);
            }
        }
    }
}
