//! Small pictures made by Debian's ffmpeg from the command lines.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Feed, decodes, probe, record};
use lophoc_recording::scan::Index;
use lophoc_recording::served::Piece;
use lophoc_recording::stills::{
    PER_STRIP, Still, keyframe, poster_arguments, strip_arguments, test_arguments,
};
use lophoc_recording::{Codec, VirtualFile};

/// As the server does it, with the memory it gives, on a machine of many processors.
fn run(arguments: &[String], folder: &Path) -> Output {
    let folder = folder.to_str().unwrap();
    let arguments = arguments
        .iter()
        .map(|one| one.replace("{in}", folder).replace("{out}", folder));
    Command::new("prlimit")
        .args(["--as=3221225472", "ffmpeg"])
        .args(arguments)
        .env("MALLOC_ARENA_MAX", "256")
        .output()
        .unwrap()
}

fn makes(arguments: &[String], folder: &Path) {
    let output = run(arguments, folder);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.trim().is_empty(),
        "{errors}"
    );
}

/// The picture of a file that stands alone before this time, as a file.
fn still(original: &[u8], at_ms: u64) -> Vec<u8> {
    let mut bytes = original;
    let index = Index::read(&mut bytes, original.len() as u64, u64::MAX).unwrap();
    let cluster = keyframe(&index, at_ms, &[]).unwrap();
    let one = VirtualFile::still(&index, &cluster).unwrap();
    let made: Vec<u8> = one
        .read(0, u64::MAX)
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Head(bytes) => bytes.to_vec(),
            Piece::File(range) => {
                original[range.offset as usize..(range.offset + range.len) as usize].to_vec()
            }
        })
        .collect();
    assert_eq!(made.len() as u64, one.total);
    assert!(made.len() < original.len() / 2, "one picture of many");
    made
}

/// Red, green and blue of a place of a picture so wide.
fn colour(picture: &Path, width: usize, (x, y): (usize, usize)) -> [u8; 3] {
    let name = picture.to_str().unwrap();
    let raw = common::ffmpeg(&["-i", name, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]);
    let at = (y * width + x) * 3;
    [raw[at], raw[at + 1], raw[at + 2]]
}

fn near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 30)
}

#[test]
fn a_full_strip_of_large_pictures_is_made_and_a_poster_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let disk = record(&[
        Feed::picture(
            Codec::Vp8,
            0,
            common::vp8_of("color=red:size=320x240:rate=25:duration=6"),
        ),
        Feed::picture(Codec::H264, 0, common::h264(6, "1920x1080")),
    ]);
    for (segment, name) in [(1, "vp8"), (2, "h264")] {
        std::fs::write(at(name), still(disk.bytes(segment), 5_000)).unwrap();
        decodes(&at(name));
        let frames = ["-count_frames", "-show_entries", "stream=nb_read_frames"];
        assert_eq!(probe(&at(name), &frames), ["1"], "{name}");
    }
    let page = at("page");
    let green = "color=0x00c000:size=1600x900";
    let drawn = ["-f", "lavfi", "-i", green, "-frames:v", "1", "-f", "webp"];
    common::ffmpeg(&[&drawn[..], &[page.to_str().unwrap()]].concat());
    std::fs::write(at("noise"), vec![7; 5_000]).unwrap();
    let of = |file: &str| Still {
        file: file.to_owned(),
        page: file == "page",
    };

    let mut stills = vec![Some(of("h264")); PER_STRIP];
    stills[0] = Some(of("vp8"));
    stills[6] = None;
    stills[24] = Some(of("page"));
    makes(&strip_arguments(&stills, "strip.webp"), folder.path());
    let strip = at("strip.webp");
    let size = ["-show_entries", "stream=width,height"];
    assert_eq!(probe(&strip, &size), ["800,450"]);
    let ground = [0x10, 0x15, 0x1c];
    // A picture of another shape has the ground beside it.
    assert!(near(colour(&strip, 800, (80, 45)), [254, 0, 0]));
    assert!(near(colour(&strip, 800, (5, 45)), ground));
    assert!(near(colour(&strip, 800, (240, 135)), ground));
    assert!(near(colour(&strip, 800, (720, 405)), [0, 192, 0]));
    assert!(!near(colour(&strip, 800, (260, 45)), ground));

    makes(&poster_arguments(&of("vp8"), "poster.webp"), folder.path());
    let poster = at("poster.webp");
    assert_eq!(probe(&poster, &size), ["640,360"]);
    assert!(near(colour(&poster, 640, (320, 180)), [254, 0, 0]));

    // One that cannot be read is found.
    stills[3] = Some(of("noise"));
    let torn = run(&strip_arguments(&stills, "torn.webp"), folder.path());
    assert!(!torn.status.success());
    for (name, reads) in [
        ("vp8", true),
        ("h264", true),
        ("page", true),
        ("noise", false),
    ] {
        let told = run(&test_arguments(&of(name)), folder.path());
        assert_eq!(told.status.success(), reads, "{name}");
    }
}
