//! A film made by Debian's ffmpeg from the command lines.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;
mod sound;

use std::path::Path;
use std::process::Command;

use common::{Feed, decodes, duration, probe, record};
use lophoc_recording::compose::{
    Input, Title, chunk_arguments, chunks, join_arguments, list, part, pictures,
};
use lophoc_recording::layout::{Picture, Slide, stretches};
use lophoc_recording::scan::Index;
use lophoc_recording::served::Piece;
use lophoc_recording::{Codec, Cuts, Span, TrackKind, VirtualFile, mix};

fn run(arguments: &[String], folder: &Path) {
    let folder = folder.to_str().unwrap();
    let arguments = arguments
        .iter()
        .map(|one| one.replace("{in}", folder).replace("{out}", folder));
    let output = Command::new("ffmpeg").args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.trim().is_empty(),
        "{errors}"
    );
}

fn bytes_of(file: &VirtualFile, original: &[u8]) -> Vec<u8> {
    let pieces = file.read(0, u64::MAX).into_iter();
    let bytes = pieces.flat_map(|piece| match piece {
        Piece::Head(bytes) => bytes.to_vec(),
        Piece::File(range) => {
            original[range.offset as usize..(range.offset + range.len) as usize].to_vec()
        }
    });
    bytes.collect()
}

#[test]
fn a_film_is_as_long_as_what_is_shown_and_its_sound_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut screen = Feed::picture(Codec::H264, 5_000, common::h264(4, "640x360"));
    screen.kind = TrackKind::Screen;
    // A picture that stands still after its first second.
    screen.frames.truncate(26);
    let disk = record(&[
        Feed::picture(Codec::Vp8, 1_000, common::vp8(12, "320x240")),
        screen,
        Feed::sound(0, sound::opus(14)),
    ]);
    let timeline = disk.timeline();
    let mut all: Vec<Picture> = timeline
        .segments
        .values()
        .filter(|one| one.opened.track.is_picture())
        .map(|one| Picture {
            segment: one.opened.segment,
            kind: one.opened.track,
            presenter: one.opened.presenter,
            span: one.span(),
        })
        .collect();
    all.iter_mut()
        .filter(|one| one.kind == TrackKind::Screen)
        .for_each(|one| one.span.to_ms = 9_000);
    let slides = [
        Slide {
            at_ms: 3_000,
            page: Some("page.webp"),
        },
        Slide {
            at_ms: 10_000,
            page: None,
        },
    ];
    let cuts = Cuts::new(
        14_013,
        [],
        [Span::new(2_111, 2_503), Span::new(6_417, 7_031)],
    );
    let plan = chunks(&stretches(&all, &slides, &cuts));
    assert!(plan.len() >= 6, "{plan:?}");
    common::ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=red:size=400x300",
        "-frames:v",
        "1",
        folder.path().join("page.webp").to_str().unwrap(),
    ]);
    std::fs::write(folder.path().join("title.txt"), "Phép nhân: 7 × 8 = 56%").unwrap();
    let title = Title {
        file: "title.txt".to_owned(),
        font: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf".to_owned(),
    };
    let title = Path::new(&title.font).is_file().then_some(title);
    for chunk in &plan {
        let (main, small) = pictures(chunk);
        let put = |segment, name: &str| {
            let (bytes, ..) = &disk.files[&segment];
            let index = Index::read(&mut bytes.as_slice(), bytes.len() as u64, u64::MAX).unwrap();
            let opened = &timeline.segments[&segment].opened;
            let part = part(&index, opened.start_ms, chunk.stretch.span).unwrap();
            std::fs::write(folder.path().join(name), bytes_of(&part, bytes)).unwrap();
            Input {
                file: name.to_owned(),
                at_ms: Some(chunk.stretch.span.from_ms.saturating_sub(opened.start_ms)),
            }
        };
        let large = match (&chunk.stretch.main, main) {
            (_, Some(segment)) => Some(put(segment, "main")),
            (lophoc_recording::layout::Main::Slide(page), _) => Some(Input {
                file: (*page).to_owned(),
                at_ms: None,
            }),
            _ => None,
        };
        let small = small.map(|segment| put(segment, "small"));
        let file = chunk.file();
        let arguments = chunk_arguments(
            chunk.frames,
            large.as_ref(),
            small.as_ref(),
            title.as_ref(),
            &file,
        );
        run(&arguments, folder.path());
        let path = folder.path().join(&file);
        let args = [
            "-count_packets",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=nb_read_packets,width,height",
        ];
        assert_eq!(
            probe(&path, &args),
            [format!("1280,720,{}", chunk.frames)],
            "{chunk:?}"
        );
    }
    let packets = sound::opus(14).into_iter().enumerate();
    let packets = packets.map(|(number, bytes)| mix::Packet {
        t_ms: number as u64 * 20,
        bytes,
    });
    let voice = mix::Voice {
        packets: packets.collect(),
    };
    let mut mixed = mix::file_head();
    mixed.extend(mix::piece(0, 14_020, &[voice]).unwrap());
    std::fs::write(folder.path().join("sound.webm"), mixed).unwrap();
    std::fs::write(folder.path().join("list"), list(&plan)).unwrap();
    run(&join_arguments(&cuts, true, "film.mp4"), folder.path());
    let film = folder.path().join("film.mp4");
    decodes(&film);
    let net = cuts.net_ms() as f64 / 1_000.0;
    assert!((duration(&film).unwrap() - net).abs() < 0.1);
    for (stream, codec) in [("v", "h264"), ("a", "aac")] {
        let args = [
            "-select_streams",
            stream,
            "-show_entries",
            "stream=codec_name,duration",
        ];
        let told = &probe(&film, &args)[0];
        let (name, length) = told.split_once(',').unwrap();
        assert_eq!(name, codec);
        let off = length.parse::<f64>().unwrap() - net;
        assert!(off.abs() < 0.05, "{stream}: {off}");
    }
    // Places come first: a browser plays it while it loads.
    let bytes = std::fs::read(&film).unwrap();
    let at = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
    assert!(at(b"moov") < at(b"mdat"));
}
