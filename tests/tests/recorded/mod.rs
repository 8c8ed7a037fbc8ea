//! Looking at recordings with Debian's ffmpeg and ffprobe.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lophoc_recording::timeline::Segment;
use lophoc_recording::{Timeline, TrackKind};
use serde_json::Value;

/// Longest wait for something that takes seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Random enough for a test; the seed is printed and can be given (`RECORDING_SEED`).
pub struct Dice(u64);

impl Dice {
    pub fn new() -> Self {
        let seed = std::env::var("RECORDING_SEED")
            .map_or_else(|_| wall_ms(), |text| text.parse().unwrap());
        eprintln!("RECORDING_SEED={seed}");
        Self(seed)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

pub fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64
}

pub fn kill(pid: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

pub async fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("no sign of {what}"))
}

/// Folder of the recording begun last that has not ended.
pub fn newest(data: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(data.join("recordings")).ok()?;
    let folders = entries.flatten().map(|entry| entry.path());
    folders
        .filter(|path| timeline(path).is_some_and(|timeline| timeline.ended.is_none()))
        .max()
}

pub fn timeline(folder: &Path) -> Option<Timeline> {
    Timeline::read(&std::fs::read(folder.join("journal.jsonl")).ok()?)
}

/// Segments of the present run that are being written.
pub fn open_tracks(folder: &Path) -> usize {
    let timeline = timeline(folder);
    timeline.map_or(0, |timeline| {
        let open = |segment: &&Segment| segment.end.is_none();
        timeline.segments.values().filter(open).count()
    })
}

pub fn segments(folder: &Path) -> usize {
    timeline(folder).map_or(0, |timeline| timeline.segments.len())
}

fn output(program: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Frames of a file: time in it, ms, and what the filter measured.
fn measured(source: &str, tag: &str) -> Vec<(u64, f64)> {
    let (well, out, complaints) = output(
        "ffprobe",
        &[
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            source,
            "-show_frames",
            "-of",
            "json",
        ],
    );
    assert!(well, "{source}: {complaints}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let frames = json["frames"].as_array().cloned().unwrap_or_default();
    frames
        .iter()
        .filter_map(|frame| {
            let time: f64 = frame["pts_time"].as_str()?.parse().ok()?;
            let value = frame["tags"][tag]
                .as_str()?
                .parse()
                .unwrap_or(f64::NEG_INFINITY);
            Some(((time * 1_000.0).round() as u64, value))
        })
        .collect()
}

/// Recording times at which something rises above a bound, ms.
fn rises(frames: &[(u64, f64)], bound: f64, start_ms: u64) -> Vec<u64> {
    frames
        .windows(2)
        .filter(|pair| pair[0].1 < bound && pair[1].1 >= bound)
        .map(|pair| start_ms + pair[1].0)
        .collect()
}

/// Every file decodes without a word, its hash is that of the journal, and where
/// both were taken each flash has its beep.
pub fn check_files(folder: &Path, timeline: &Timeline) {
    let (mut flashes, mut beeps) = (Vec::new(), Vec::new());
    for segment in timeline.segments.values() {
        let opened = &segment.opened;
        let path = folder.join(&opened.file);
        let name = path.display().to_string();
        let synced = segment.synced.as_ref().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, synced.bytes, "{name}");
        assert_eq!(
            lophoc_recording::manifest::sha256(&bytes),
            synced.sha256,
            "{name}"
        );
        if segment.span().is_empty() {
            // Begun in the moment of the kill: a head alone, or not even that.
            continue;
        }
        // By the times of the file: ffmpeg's own ticks are as long as a picture is
        // thought to stand, and two that stand a little shorter fall into one.
        let (well, _, complaints) = output(
            "ffmpeg",
            &[
                "-nostdin",
                "-v",
                "error",
                "-xerror",
                "-i",
                &name,
                "-fps_mode",
                "passthrough",
                "-enc_time_base:v",
                "-1",
                "-f",
                "null",
                "-",
            ],
        );
        assert!(well && complaints.is_empty(), "{name}: {complaints}");
        match opened.track {
            TrackKind::Camera | TrackKind::Screen => {
                let source = format!("movie={name},signalstats");
                let frames = measured(&source, "lavfi.signalstats.YAVG");
                flashes.push((
                    segment.span(),
                    opened.person.clone(),
                    rises(&frames, 128.0, opened.start_ms),
                ));
            }
            TrackKind::Voice | TrackKind::ScreenSound => {
                // 5 ms at a time: by whole packets a beep would count as up to 20 ms early.
                let source = format!("amovie={name},asetnsamples=n=240,astats=metadata=1:reset=1");
                let frames = measured(&source, "lavfi.astats.Overall.RMS_level");
                beeps.push((
                    segment.span(),
                    opened.person.clone(),
                    rises(&frames, -30.0, opened.start_ms),
                ));
            }
        }
    }
    let (mut pairs, mut worst) = (0_u32, 0_u64);
    for (span, person, times) in &flashes {
        for at in times {
            // The first and the last moment of a file may hold half of a pair.
            let whole =
                |of: &lophoc_recording::Span| of.from_ms + 200 < *at && *at + 200 < of.to_ms;
            let beside = beeps
                .iter()
                .find(|(of, whose, _)| whose == person && whole(of));
            let Some((_, _, beeps)) = beside.filter(|_| whole(span)) else {
                continue;
            };
            let off = beeps
                .iter()
                .map(|beep| beep.abs_diff(*at))
                .min()
                .unwrap_or(u64::MAX);
            assert!(
                off <= 40,
                "flash at {at} ms, nearest beep {off} ms away: {beeps:?}"
            );
            (pairs, worst) = (pairs + 1, worst.max(off));
        }
    }
    eprintln!(
        "{} files, {pairs} flashes with their beep, at most {worst} ms apart",
        timeline.segments.len()
    );
    assert!(pairs >= 5, "too little was recorded to judge: {pairs}");
}

/// A small disk in place of a folder.
pub fn mount_small(folder: &Path, megabytes: u32) -> bool {
    std::fs::create_dir_all(folder).unwrap();
    let size = format!("size={megabytes}m");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
        .arg(folder)
        .stderr(Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}

pub fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("-l").arg(folder).status();
}

/// Writes until the disk is full.
pub fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    let block = vec![0_u8; 64 << 10];
    while file.write_all(&block).is_ok() {}
}
