//! A film made by Debian's ffmpeg from the command lines.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;
mod sound;

use std::path::Path;
use std::process::Command;

use common::{FPS, Feed, decodes, duration, probe, record};
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

/// What the middle of a film looks like then: red, green, blue.
fn colour(film: &Path, second: &str) -> [u8; 3] {
    let bytes = common::ffmpeg(&[
        "-i",
        film.to_str().unwrap(),
        "-ss",
        second,
        "-frames:v",
        "1",
        "-vf",
        "crop=8:8,scale=1:1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]);
    bytes.try_into().unwrap()
}

#[test]
fn a_picture_that_changes_its_size_stays_in_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let plain = |colour: &str, size: &str, seconds: u64| {
        common::vp8_of(&format!(
            "color={colour}:size={size}:rate={FPS}:duration={seconds}"
        ))
    };
    let mut frames = plain("red", "320x180", 3);
    frames.extend(plain("blue", "640x480", 2));
    frames.extend(plain("lime", "320x180", 3));
    let disk = record(&[Feed::picture(Codec::Vp8, 0, frames)]);
    assert_eq!(disk.files.len(), 1, "one file with all sizes");
    let small = common::vp8_of("color=white:size=320x180:rate=25:duration=8");
    let other = record(&[Feed::picture(Codec::Vp8, 0, small)]);
    std::fs::write(folder.path().join("main"), disk.bytes(1)).unwrap();
    std::fs::write(folder.path().join("small"), other.bytes(1)).unwrap();
    let input = |name: &str| Input {
        file: name.to_owned(),
        at_ms: Some(0),
    };
    for small in [None, Some(input("small"))] {
        let main = input("main");
        let arguments = chunk_arguments(8 * FPS, Some(&main), small.as_ref(), None, "chunk.mp4");
        run(&arguments, folder.path());
        let film = folder.path().join("chunk.mp4");
        let counted = [
            "-count_packets",
            "-show_entries",
            "stream=nb_read_packets,width,height",
        ];
        assert_eq!(
            probe(&film, &counted),
            [format!("1280,720,{}", 8 * FPS)],
            "{small:?}"
        );
        for (second, [r, g, b]) in [
            ("0.5", [1, 0, 0]),
            ("2.7", [1, 0, 0]),
            ("3.3", [0, 0, 1]),
            ("4.7", [0, 0, 1]),
            ("5.3", [0, 1, 0]),
            ("7.7", [0, 1, 0]),
        ] {
            let seen = colour(&film, second).map(|value| u8::from(value > 128));
            assert_eq!(seen, [r, g, b], "at {second} with {small:?}");
        }
    }
}

/// Seconds of the wall clock and of processors that ffmpeg took.
fn cost(arguments: &[String], folder: &Path) -> (f64, f64) {
    let inside = folder.to_str().unwrap();
    let mut arguments: Vec<String> = arguments
        .iter()
        .map(|one| one.replace("{in}", inside).replace("{out}", inside))
        .collect();
    // It tells what it took among its informations.
    arguments[1] = "info".to_owned();
    arguments.insert(2, "-benchmark".to_owned());
    let output = Command::new("ffmpeg").args(&arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    let line = told
        .lines()
        .find(|line| line.contains("bench: utime="))
        .unwrap();
    let of = |name: &str| {
        let rest = line.split_once(name).unwrap().1;
        rest.split_once('s').unwrap().0.parse::<f64>().unwrap()
    };
    (of("rtime="), of("utime=") + of("stime="))
}

/// What the film of a class costs by what is seen, and where its time goes. For a
/// person to look at: `LOPHOC_LONG=1 cargo test --workspace --test compose -- speed
/// --nocapture`, on a machine that does nothing else.
#[test]
fn speed() {
    if std::env::var_os("LOPHOC_LONG").is_none() {
        println!("SKIPPED: figures; LOPHOC_LONG=1 prints them");
        return;
    }
    const SECONDS: u64 = 120;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // A camera that moves everywhere and is a little noisy, as browsers send it.
    let camera =
        format!("testsrc2=size=1280x720:rate=25:duration={SECONDS},noise=alls=6:allf=t,hue=H=t/5");
    // A text that is scrolled through, on a screen.
    let text: String = (0..400)
        .map(|line| format!("{line}: Bài giảng, phép nhân và những điều cần nhớ {line}\n"))
        .collect();
    std::fs::write(at("text"), text).unwrap();
    let screen = format!(
        "color=white:size=1920x1080:rate=15:duration={SECONDS},drawtext=textfile={}:fontsize=36:\
         fontfile=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:x=60:y=40-floor(t)*45",
        at("text")
    );
    let page = "testsrc2=size=1920x1080";
    let vp8 = |source: &str, rate: &str, name: &str| {
        let made = [
            "-f",
            "lavfi",
            "-i",
            source,
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libvpx",
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
            "-b:v",
            rate,
            "-g",
            "250",
            "-f",
            "webm",
        ];
        common::ffmpeg(&[&made[..], &[&at(name)]].concat());
    };
    vp8(&camera, "1200k", "camera");
    vp8(&screen, "1000k", "screen");
    let still = ["-f", "lavfi", "-i", page, "-frames:v", "1"];
    common::ffmpeg(&[&still[..], &[&at("page.webp")]].concat());
    let moving = |name: &str| Input {
        file: name.to_owned(),
        at_ms: Some(0),
    };
    let page = Input {
        file: "page.webp".to_owned(),
        at_ms: None,
    };
    let (camera, screen) = (moving("camera"), moving("screen"));
    let frames = SECONDS * lophoc_recording::compose::FPS;
    println!("{SECONDS} s of film, 1280×720; × = times real time, CPU in seconds a second of film");
    println!("layout               whole         decode      +filters     +x264");
    for (name, main, small) in [
        ("screen + presenter", &screen, Some(&camera)),
        ("slides + presenter", &page, Some(&camera)),
        ("presenter alone", &camera, None),
    ] {
        let whole = chunk_arguments(frames, Some(main), small, None, "chunk.mp4");
        let an = whole.iter().position(|one| one == "-an").unwrap();
        let nowhere = ["-f", "null", "-"].map(str::to_owned);
        let filtered = [&whole[..an], &nowhere].concat();
        let graph = whole
            .iter()
            .position(|one| one == "-filter_complex")
            .unwrap();
        let mut decoded = whole[..graph].to_vec();
        // A page is decoded once and has no end of its own.
        for input in 0..=usize::from(small.is_some()) {
            if input == 0 && main.at_ms.is_none() {
                continue;
            }
            decoded.extend(["-map".to_owned(), format!("{input}:v")]);
        }
        decoded.extend(["-t".to_owned(), SECONDS.to_string()]);
        decoded.extend(nowhere);
        let [decode, filter, all] =
            [&decoded, &filtered, &whole].map(|arguments| cost(arguments, folder.path()));
        let share = |cpu: f64| cpu.max(0.0) / SECONDS as f64;
        println!(
            "{name:<18} {:>6.2} × {:.3}   {:.3}       {:.3}        {:.3}   ({:.0} kbit/s)",
            SECONDS as f64 / all.0,
            share(all.1),
            share(decode.1),
            share(filter.1 - decode.1),
            share(all.1 - filter.1),
            std::fs::metadata(at("chunk.mp4")).unwrap().len() as f64 * 8.0
                / 1_000.0
                / SECONDS as f64,
        );
    }
    let wave = format!("sine=frequency=300:duration={SECONDS}");
    let opus = ["-f", "lavfi", "-i", &wave, "-c:a", "libopus", "-f", "webm"];
    common::ffmpeg(&[&opus[..], &[&at("sound.webm")]].concat());
    std::fs::write(
        at("list"),
        format!("ffconcat version 1.0\nfile 'chunk.mp4'\nduration {SECONDS}\n"),
    )
    .unwrap();
    let cuts = Cuts::new(SECONDS * 1_000, [], []);
    let joined = cost(&join_arguments(&cuts, true, "film.mp4"), folder.path());
    println!(
        "sound and joining  {:>6.0} × {:.3}",
        SECONDS as f64 / joined.0,
        joined.1 / SECONDS as f64
    );
}
