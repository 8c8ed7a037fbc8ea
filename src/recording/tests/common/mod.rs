//! Encoded pictures and sound made by Debian's ffmpeg, and a recorder's disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    dead_code
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lophoc_recording::manifest::Running;
use lophoc_recording::media::RecordingId;
use lophoc_recording::{
    Capture, Codec, Frame, Input, Line, Now, Output, Policy, SegmentId, Slot, Source, Timeline,
    TrackKind,
};

pub const FPS: u64 = 25;

pub fn at(ms: u64) -> Now {
    Now {
        boot_ns: 9_000_000_000_000 + ms * 1_000_000,
        wall_ms: 1_800_000_000_000 + ms,
    }
}

pub fn ffmpeg(args: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args)
        .output()
        .expect("ffmpeg is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    assert!(errors.trim().is_empty(), "{args:?}: {errors}");
    output.stdout
}

/// Frames of VP8, a keyframe every two seconds, no two alike.
pub fn vp8(seconds: u64, size: &str) -> Vec<(bool, Vec<u8>)> {
    vp8_of(&format!(
        "testsrc=size={size}:rate={FPS}:duration={seconds},noise=alls=8:allf=t"
    ))
}

/// Frames of VP8 of a source of ffmpeg.
pub fn vp8_of(source: &str) -> Vec<(bool, Vec<u8>)> {
    let gop = (FPS * 2).to_string();
    let ivf = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        source,
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-b:v",
        "300k",
        "-g",
        &gop,
        "-keyint_min",
        &gop,
        "-f",
        "ivf",
        "-",
    ]);
    ivf_frames(&ivf)
}

/// Frames of VP8 in an IVF file.
pub fn ivf_frames(ivf: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let (mut frames, mut rest) = (Vec::new(), &ivf[32..]);
    while rest.len() > 12 {
        let len = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
        let bytes = rest[12..12 + len].to_vec();
        frames.push((bytes[0] & 1 == 0, bytes));
        rest = &rest[12 + len..];
    }
    frames
}

/// Frames of H.264 in Annex B form, a keyframe every two seconds.
pub fn h264(seconds: u64, size: &str) -> Vec<(bool, Vec<u8>)> {
    let source = format!("testsrc=size={size}:rate={FPS}:duration={seconds},noise=alls=8:allf=t");
    let gop = (FPS * 2).to_string();
    let stream = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        &source,
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-profile:v",
        "baseline",
        "-bf",
        "0",
        "-g",
        &gop,
        "-x264-params",
        "aud=1:scenecut=0",
        "-f",
        "h264",
        "-",
    ]);
    let starts: Vec<usize> = (0..stream.len() - 5)
        .filter(|at| stream[*at..*at + 5] == [0, 0, 0, 1, 9])
        .collect();
    let ends = starts.iter().copied().skip(1).chain([stream.len()]);
    let frames = starts.iter().zip(ends).map(|(begin, end)| {
        let bytes = stream[*begin..end].to_vec();
        let idr = bytes
            .windows(4)
            .any(|four| four[..3] == [0, 0, 1] && four[3] & 0x1F == 5);
        (idr, bytes)
    });
    frames.collect()
}

/// What a recorder wrote, in a folder.
#[derive(Default)]
pub struct Disk {
    pub files: BTreeMap<SegmentId, (Vec<u8>, Running, u64, String)>,
    pub journal: Vec<u8>,
}

impl Disk {
    pub fn run(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Open {
                    segment,
                    file,
                    bytes,
                    ..
                } => {
                    let mut running = Running::new();
                    running.add(&bytes);
                    self.files.insert(segment, (bytes, running, 0, file));
                }
                Output::Write {
                    segment,
                    bytes,
                    to_ms,
                } => {
                    let file = self.files.get_mut(&segment).unwrap();
                    file.0.extend_from_slice(&bytes);
                    file.1.add(&bytes);
                    file.2 = to_ms;
                }
                Output::Sync { segment } => self.line(&Line::Synced(self.synced(segment))),
                Output::Close { segment, why } => {
                    let synced = self.synced(segment);
                    self.line(&Line::Closed { synced, why });
                }
                Output::Journal(line) => self.line(&line),
                _ => {}
            }
        }
    }

    fn line(&mut self, line: &Line) {
        self.journal.extend(line.encode());
    }

    fn synced(&self, segment: SegmentId) -> lophoc_recording::journal::Synced {
        let (_, running, to_ms, _) = &self.files[&segment];
        lophoc_recording::journal::Synced {
            segment,
            bytes: running.bytes(),
            sha256: running.sha256(),
            to_ms: *to_ms,
        }
    }

    pub fn timeline(&self) -> Timeline {
        Timeline::read(&self.journal).unwrap()
    }

    pub fn bytes(&self, segment: u32) -> &[u8] {
        &self.files[&SegmentId(segment)].0
    }
}

pub struct Feed {
    pub kind: TrackKind,
    pub codec: Codec,
    pub from_ms: u64,
    pub every_ms: u64,
    pub frames: Vec<(bool, Vec<u8>)>,
    /// Something is missing before these of them.
    pub after_loss: Vec<usize>,
}

impl Feed {
    pub fn picture(codec: Codec, from_ms: u64, frames: Vec<(bool, Vec<u8>)>) -> Self {
        let kind = TrackKind::Camera;
        Self {
            kind,
            codec,
            from_ms,
            every_ms: 1_000 / FPS,
            frames,
            after_loss: Vec::new(),
        }
    }

    pub fn sound(from_ms: u64, packets: Vec<Vec<u8>>) -> Self {
        Self {
            kind: TrackKind::Voice,
            codec: Codec::Opus,
            from_ms,
            every_ms: 20,
            frames: packets.into_iter().map(|packet| (true, packet)).collect(),
            after_loss: Vec::new(),
        }
    }
}

/// Records these, one slot each, and stops.
pub fn record(feeds: &[Feed]) -> Disk {
    let id = RecordingId::new("01HZX3N8K7W2V5T4R6Q9P0M1J3").unwrap();
    let (mut capture, out) = Capture::begin(id, at(0), "boot", Policy::default());
    let mut disk = Disk::default();
    disk.run(out);
    let mut all: Vec<(u64, usize, usize)> = Vec::new();
    for (slot, feed) in feeds.iter().enumerate() {
        let source = Source {
            person: "co".into(),
            kind: feed.kind,
            publication: slot as u64,
            presenter: true,
        };
        let input = Input::Bind {
            slot: Slot(slot as u32),
            source: Some(source),
        };
        disk.run(capture.handle(at(0), input));
        all.extend(
            (0..feed.frames.len())
                .map(|number| (feed.from_ms + number as u64 * feed.every_ms, slot, number)),
        );
    }
    all.sort_unstable();
    let mut ends = 0;
    for (ms, slot, number) in all {
        let feed = &feeds[slot];
        let (keyframe, bytes) = feed.frames[number].clone();
        let frame = Frame {
            codec: feed.codec,
            rtp: 4_000_000_000 + ms * u64::from(feed.codec.clock_rate()) / 1_000,
            arrival_ns: at(ms).boot_ns,
            keyframe,
            contiguous: !feed.after_loss.contains(&number),
            talkspurt: false,
            bytes,
        };
        let input = Input::Frame {
            slot: Slot(slot as u32),
            frame,
        };
        disk.run(capture.handle(at(ms), input));
        disk.run(capture.handle(at(ms), Input::Tick));
        ends = ms;
    }
    disk.run(capture.handle(at(ends + 40), Input::Stop));
    disk
}

/// Decodes a file as a whole: no complaint may come.
pub fn decodes(path: &Path) {
    ffmpeg(&["-xerror", "-i", path.to_str().unwrap(), "-f", "null", "-"]);
}

/// What ffprobe says, as text of one column.
pub fn probe(path: &Path, args: &[&str]) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0"])
        .args(args)
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.trim().is_empty(),
        "{errors}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Times of the packets, seconds.
pub fn times(path: &Path) -> Vec<f64> {
    let all = probe(path, &["-show_entries", "packet=pts_time"]);
    all.iter().map(|time| time.parse().unwrap()).collect()
}

/// Duration by the container, seconds; `None`: unknown.
pub fn duration(path: &Path) -> Option<f64> {
    probe(path, &["-show_entries", "format=duration"])
        .first()?
        .parse()
        .ok()
}
