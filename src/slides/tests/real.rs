//! With the real tools in their real sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use lophoc_slides::image::webp;
use lophoc_slides::limits::{LARGE_BYTES, MAX_PAGES, MAX_WORK, MAX_WRITTEN, SMALL_BYTES};
use lophoc_slides::run::{Call, Exit, Said, read_said, run};
use lophoc_slides::tools::Sandbox;
use lophoc_slides::{Fault, Job, Made, Progress, Tools, convert, sniff};
use tempfile::TempDir;

fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let tools = Tools::find(false);
        assert!(
            tools.sandbox.is_some() && tools.pages && tools.moving,
            "`scripts/packages.sh test` installs what is missing: {tools:?}"
        );
        tools
    })
}

struct Place {
    folder: TempDir,
    told: Vec<Progress>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            told: vec![],
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn convert(&mut self, bytes: &[u8]) -> Result<Made, Fault> {
        let file = self.path("file");
        fs::write(&file, bytes).unwrap();
        let kind = sniff(&mut File::open(&file).unwrap(), bytes.len() as u64)?;
        let stop = AtomicBool::new(false);
        let (work, pages) = (self.path("work"), self.path("pages"));
        let job = Job {
            file: &file,
            kind,
            work: &work,
            pages: &pages,
            stop: &stop,
        };
        convert(tools(), &job, &mut |progress| self.told.push(progress))
    }

    /// Refused, and nothing is left but the file.
    fn refused(bytes: &[u8]) -> Fault {
        let mut place = Self::new();
        let fault = place.convert(bytes).unwrap_err();
        let left: Vec<_> = fs::read_dir(place.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["file"], "something is left behind by {fault}");
        fault
    }

    fn size(&self, page: u16, variant: &str) -> (u32, u32, u64) {
        let bytes = fs::read(self.path(&format!("pages/{page}/{variant}.webp"))).unwrap();
        let picture = webp(&bytes).unwrap();
        (picture.width, picture.height, bytes.len() as u64)
    }

    fn words(&self, page: u16) -> Vec<String> {
        let text = fs::read(self.path(&format!("pages/{page}/text.json"))).unwrap();
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
        text["words"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word[0].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_pdf_becomes_pages_of_two_widths_with_their_words() {
    let mut place = Place::new();
    let mut pages: Vec<_> = (1..=13).map(common::full_page).collect();
    pages[4] = (540, 960, vec!["dung".into()]);
    pages[5] = (20, 4_000, vec!["hep".into()]);
    let made = place.convert(&common::pdf(&pages)).unwrap();
    assert_eq!((made.pages, made.width, made.height), (13, 960.0, 540.0));
    for page in 1..=13 {
        let (small, large) = (place.size(page, "s"), place.size(page, "l"));
        println!("page {page}: {small:?} {large:?}");
        assert!(small.2 <= SMALL_BYTES && large.2 <= LARGE_BYTES);
        match page {
            5 => assert_eq!((small.0, large.0, large.1), (640, 1_600, 2_844)),
            // So narrow that it would be a tower: narrower than the others.
            6 => assert_eq!((small.0, large.0, large.1), (24, 24, 4_800)),
            _ => assert_eq!((small.0, small.1, large.0, large.1), (640, 360, 1_600, 900)),
        }
    }
    assert_eq!(place.words(1)[..3], ["Trang", "1", "dong"]);
    assert_eq!(place.words(5), ["dung"]);
    assert_eq!(place.words(13)[1], "13");
    let done: Vec<u16> = place.told.iter().map(|told| told.done).collect();
    assert!(done.is_sorted() && done.last() == Some(&13));
    assert!(!place.path("work").exists());
}

#[test]
fn pictures_become_decks_of_one_page() {
    let mut place = Place::new();
    let made = place.convert(&common::png(800, 400, (800, 400))).unwrap();
    assert_eq!((made.pages, made.width), (1, 800.0));
    assert_eq!(place.size(1, "l").0, 800, "not made larger than it is");
    assert_eq!((place.size(1, "s").0, place.size(1, "s").1), (640, 320));
    assert!(place.words(1).is_empty());
    // What it became is a WebP picture, and becomes one again.
    let bytes = fs::read(place.path("pages/1/l.webp")).unwrap();
    assert_eq!(Place::new().convert(&bytes).unwrap().pages, 1);
    let mut place = Place::new();
    place.convert(&common::gif()).unwrap();
    assert_eq!(place.size(1, "l").0, 1);
}

/// A JPEG made by poppler of a page that is dark at its top only.
fn jpeg(turn: Option<u8>) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let lines = vec!["MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM".to_owned(); 4];
    fs::write(
        folder.path().join("a.pdf"),
        common::pdf(&[(600, 400, lines)]),
    )
    .unwrap();
    let done = std::process::Command::new("pdftoppm")
        .args(["-jpeg", "-r", "72", "-singlefile", "a.pdf", "a"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(done.success());
    let bytes = fs::read(folder.path().join("a.jpg")).unwrap();
    let Some(turn) = turn else { return bytes };
    let mut turned = bytes[..2].to_vec();
    turned.extend(b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
    turned.extend([turn, 0, 0, 0, 0, 0, 0, 0]);
    turned.extend(&bytes[2..]);
    turned
}

#[test]
fn a_photo_is_turned_the_right_way_up() {
    for (turn, seen) in [
        (None, (600, 400)),
        (Some(3), (600, 400)),
        (Some(6), (400, 600)),
    ] {
        let mut place = Place::new();
        let made = place.convert(&jpeg(turn)).unwrap();
        assert_eq!(
            (made.pages, made.width, made.height),
            (1, seen.0 as f32, seen.1 as f32)
        );
        // Where the dark lines are now, by poppler's own eyes: the page is made
        // into pixels and halves are compared.
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("a.ppm");
        let done = std::process::Command::new("dwebp")
            .arg(place.path("pages/1/s.webp"))
            .args(["-quiet", "-ppm", "-o"])
            .arg(&out)
            .status()
            .unwrap();
        assert!(done.success());
        let decoded = fs::read(&out).unwrap();
        let (width, height, pixels) = ppm(&decoded);
        let light = |xs: std::ops::Range<usize>, ys: std::ops::Range<usize>| {
            let mut sum = 0u64;
            let area = (xs.len() * ys.len()) as u64;
            for y in ys {
                for x in xs.clone() {
                    sum += u64::from(pixels[(y * width + x) * 3]);
                }
            }
            sum / area
        };
        let top = light(0..width, 0..height / 2);
        let bottom = light(0..width, height / 2..height);
        let (left, right) = (
            light(0..width / 2, 0..height),
            light(width / 2..width, 0..height),
        );
        match turn {
            None => assert!(top + 10 < bottom, "{top} {bottom}"),
            Some(3) => assert!(bottom + 10 < top, "{top} {bottom}"),
            // What was above is at the right.
            _ => assert!(right + 10 < left, "{left} {right}"),
        }
    }
}

fn ppm(bytes: &[u8]) -> (usize, usize, &[u8]) {
    let mut at = 0;
    let mut words = vec![];
    while words.len() < 4 {
        let end = at
            + bytes[at..]
                .iter()
                .position(u8::is_ascii_whitespace)
                .unwrap();
        words.push(std::str::from_utf8(&bytes[at..end]).unwrap());
        at = end + 1;
    }
    (
        words[1].parse().unwrap(),
        words[2].parse().unwrap(),
        &bytes[at..],
    )
}

#[test]
fn a_presentation_becomes_pages_with_vietnamese_words_and_calls_nobody() {
    if !tools().impress {
        eprintln!("LibreOffice Impress is not installed: not tested");
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("http://{}/x.png", listener.local_addr().unwrap());
    let file = common::pptx(
        &["Chào mừng thầy cô Nguyễn Thị Hằng", "Bài 2: ôn tập"],
        &target,
    );
    let mut place = Place::new();
    let began = Instant::now();
    let made = place.convert(&file).unwrap();
    println!("two slides in {:?}", began.elapsed());
    assert_eq!(made.pages, 2);
    let words = place.words(1);
    assert!(
        ["Chào", "mừng", "Nguyễn", "Hằng"]
            .iter()
            .all(|word| words.iter().any(|found| found == word)),
        "{words:?}"
    );
    assert!(place.size(1, "s").2 <= SMALL_BYTES && place.size(2, "l").0 == 1_600);
    assert!(
        listener.accept().is_err(),
        "the file made its reader call out"
    );
}

#[test]
fn hostile_and_broken_files_are_refused_and_leave_nothing() {
    let good = common::pdf(&[common::full_page(1)]);
    let html = b"<!DOCTYPE html><script>alert(1)</script>".as_slice();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    let many: Vec<_> = (0..=MAX_PAGES).map(|_| (10, 60, vec![])).collect();
    let began = Instant::now();
    let mut locked = good.clone();
    let at = locked.windows(7).position(|w| w == b"trailer").unwrap();
    locked.truncate(at);
    locked.extend(
        b"trailer\n<< /Size 6 /Root 1 0 R /ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 \
        /O <0000000000000000000000000000000000000000000000000000000000000000> \
        /U <0000000000000000000000000000000000000000000000000000000000000000> >> >>\nstartxref\n0\n%%EOF\n",
    );
    let mut ole = vec![0u8; 2_048];
    ole[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    ole[30] = 9;
    for (at, unit) in "EncryptedPackage".encode_utf16().enumerate() {
        ole[512 + at * 2..514 + at * 2].copy_from_slice(&unit.to_le_bytes());
    }
    ole[512 + 64] = 34;
    for (what, bytes, fault) in [
        ("empty", vec![], Fault::Unsupported),
        ("web page", html.to_vec(), Fault::Unsupported),
        ("drawing with a script", svg.to_vec(), Fault::Unsupported),
        (
            "program",
            b"\x7fELF\x02\x01\x01".to_vec(),
            Fault::Unsupported,
        ),
        ("head only", b"%PDF-1.7\n".to_vec(), Fault::Broken),
        ("cut", good[..good.len() / 4].to_vec(), Fault::Broken),
        ("password", locked, Fault::Encrypted),
        ("password of an office", ole, Fault::Encrypted),
        ("too many pages", common::pdf(&many), Fault::TooManyPages),
        (
            "bomb of pixels",
            common::png(8, 8, (15_000, 15_000)),
            Fault::TooLarge,
        ),
        (
            "lies of its size",
            common::png(8, 8, (4_000, 4_000)),
            Fault::Broken,
        ),
        (
            "archive",
            common::archive(&[("a.txt", b"a")]),
            Fault::Unsupported,
        ),
        (
            "half an archive",
            b"PK\x03\x04 and no more".to_vec(),
            Fault::Broken,
        ),
    ] {
        assert_eq!(Place::refused(&bytes), fault, "{what}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn an_office_file_that_is_none_is_refused() {
    if !tools().impress {
        eprintln!("LibreOffice Impress is not installed: not tested");
        return;
    }
    let types = b"<Types".as_slice();
    let hollow = common::archive(&[
        ("[Content_Types].xml", types),
        ("ppt/presentation.xml", b"\0\x01 no presentation"),
    ]);
    assert_eq!(Place::refused(&hollow), Fault::Broken);
}

#[test]
fn a_bomb_of_an_archive_is_refused_by_its_directory() {
    let mut bomb = common::archive(&[
        ("[Content_Types].xml", b"a"),
        ("ppt/presentation.xml", b"a"),
    ]);
    let at = bomb.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bomb[at + 24..at + 28].copy_from_slice(&0xf000_0000u32.to_le_bytes());
    assert_eq!(Place::refused(&bomb), Fault::TooHard);
}

#[test]
fn an_archive_with_more_entries_than_it_tells_is_refused() {
    let mut liar = common::archive(&[
        ("[Content_Types].xml", b"a"),
        ("ppt/presentation.xml", b"a"),
        ("ppt/bomb.xml", b"a"),
    ]);
    let at = liar.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    // On this disk, and in all.
    for at in [at + 8, at + 10] {
        liar[at..at + 2].copy_from_slice(&2u16.to_le_bytes());
    }
    assert_eq!(Place::refused(&liar), Fault::Broken);
}

/// A program that is told to do what it must not, in the sandbox.
fn in_sandbox(script: &str, time: Duration) -> (Exit, String, TempDir) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(folder.path().join("in"), "x").unwrap();
    let said = Said {
        out: folder.path().join("said"),
        err: folder.path().join("complaint"),
    };
    let arguments = ["-c".to_owned(), script.to_owned()];
    let exit = run(
        Sandbox::Bubblewrap,
        &Call {
            program: "/usr/bin/sh",
            arguments: &arguments,
            input: &folder.path().join("in"),
            ending: "",
            output: &out,
            memory: 256 * 1024 * 1024,
            time,
            written: MAX_WRITTEN,
            work: MAX_WORK,
        },
        &said,
        &AtomicBool::new(false),
    );
    let text = read_said(&said.out).unwrap() + &read_said(&said.err).unwrap();
    (exit, text, folder)
}

#[test]
fn the_sandbox_holds() {
    tools();
    let short = Duration::from_secs(2);
    let (exit, text, _kept) = in_sandbox("ls / /tmp /etc /out; cat /in/file; env; id -u", short);
    assert!(matches!(exit, Exit::Well), "{exit:?} {text}");
    assert!(
        !text.contains("root\n") && !text.contains("home") && !text.contains("CARGO"),
        "{text}"
    );
    for forbidden in [
        "echo x > /in/file",
        "echo x > /usr/x",
        "cat /etc/passwd",
        "exec 3<>/dev/tcp/127.0.0.1/1 || timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/1'",
        "mount -t tmpfs x /out",
    ] {
        let (exit, text, _kept) = in_sandbox(forbidden, short);
        assert!(
            matches!(exit, Exit::Badly | Exit::Missing),
            "{forbidden}: {exit:?} {text}"
        );
    }
    let (exit, text, _kept) = in_sandbox("ls /sys/class/net 2>/dev/null; cat /proc/net/dev", short);
    assert!(
        matches!(exit, Exit::Well) && !text.contains("eth") && !text.contains("ens"),
        "{text}"
    );

    let began = Instant::now();
    let (exit, ..) = in_sandbox("sleep 100", short);
    assert!(matches!(exit, Exit::TooMuch), "{exit:?}");
    let (exit, ..) = in_sandbox("while :; do :; done", short);
    assert!(matches!(exit, Exit::TooMuch), "{exit:?}");
    assert!(began.elapsed() < Duration::from_secs(25));
    let (exit, text, _kept) = in_sandbox("head -c 300M /dev/zero | tail -c 290M | wc -c", short);
    assert!(
        !text.contains("304087040"),
        "memory is not bounded: {exit:?} {text}"
    );
    let (exit, text, folder) =
        in_sandbox("head -c 400M /dev/zero > /out/big", Duration::from_secs(20));
    assert!(matches!(exit, Exit::TooMuch), "{exit:?} {text}");
    assert!(fs::metadata(folder.path().join("out/big")).unwrap().len() <= 200 * 1024 * 1024);
}

/// Everything a tool can write to that is memory has a bound or is closed.
#[test]
fn the_sandbox_keeps_the_memory_of_the_machine() {
    tools();
    let fill =
        "for n in 1 2 3 4 5; do head -c 150M /dev/zero > /tmp/$n || exit 0; done; echo filled";
    let (exit, text, _kept) = in_sandbox(fill, Duration::from_secs(20));
    assert!(
        matches!(exit, Exit::Well) && !text.contains("filled"),
        "{exit:?} {text}"
    );
    let (exit, text, _kept) = in_sandbox(
        "head -c 100M /dev/zero > /dev/shm/x",
        Duration::from_secs(20),
    );
    assert!(matches!(exit, Exit::Badly), "{exit:?} {text}");
    for closed in ["/x", "/dev/x", "/in/x", "/etc/x"] {
        let (exit, text, _kept) = in_sandbox(&format!("echo x > {closed}"), Duration::from_secs(2));
        assert!(matches!(exit, Exit::Badly), "{closed}: {exit:?} {text}");
    }
    let (exit, text, _kept) = in_sandbox(
        "echo x > /tmp/x && echo y > /out/y && echo z > /dev/null",
        Duration::from_secs(2),
    );
    assert!(matches!(exit, Exit::Well), "{exit:?} {text}");
}

#[test]
fn what_the_server_stops_is_ended_at_once() {
    tools();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    let pages: Vec<_> = (1..=60).map(common::full_page).collect();
    fs::write(&file, common::pdf(&pages)).unwrap();
    let kind = sniff(
        &mut File::open(&file).unwrap(),
        fs::metadata(&file).unwrap().len(),
    )
    .unwrap();
    let stop = AtomicBool::new(false);
    let job = Job {
        file: &file,
        kind,
        work: &folder.path().join("work"),
        pages: &folder.path().join("pages"),
        stop: &stop,
    };
    let stopped = convert(tools(), &job, &mut |progress| {
        if progress.done == 2 {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    assert_eq!(stopped, Err(Fault::Stopped));
    assert!(!job.work.exists() && !job.pages.exists());
    assert!(Path::new(job.file).exists());
}
