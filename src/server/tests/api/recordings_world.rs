//! Recordings written by a script: the folder a recorder would have left, and the
//! row of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use lophoc_ledger::{EventKind, PersonKey};
use lophoc_recording::journal::{Line, Opened, RecordingEnd, SegmentEnd, Synced};
use lophoc_recording::manifest::Running;
use lophoc_recording::mkv::{Cluster, TrackHead};
use lophoc_recording::{Anchor, Codec, Policy, RecordingId, SegmentId, TrackKind};
use lophoc_records::NewRecording;
use serde_json::Value;

use crate::attendance_world::{Answer, Class, now_ms};

pub const ID: &str = "01JD0000000000000000000001";
/// A picture begins anew this often, ms.
const KEYFRAME_MS: u64 = 10_000;

pub fn id() -> RecordingId {
    RecordingId::new(ID).unwrap()
}

/// The room announced, at its beginning, that it is recorded with the consent of each;
/// the number of the words.
pub async fn announced(class: &mut Class) -> u64 {
    let words = EventKind::RecordingNotice {
        who: "Sở".to_owned(),
        why: String::new(),
        keep: String::new(),
        whom: "all".to_owned(),
        ask: "consent".to_owned(),
    };
    class.event(0, words).await;
    let notice = class.store().last_event(&class.session).await.unwrap();
    let begun = EventKind::Recording {
        on: true,
        source: "server".to_owned(),
        who: "Sở".to_owned(),
        why: String::new(),
        keep: String::new(),
        id: ID.to_owned(),
        notice,
        by: None,
    };
    class.event(0, begun).await;
    notice
}

/// What is to be recorded.
pub struct Made<'a> {
    pub trainer: &'a PersonKey,
    pub learner: &'a PersonKey,
    /// Of whom nothing is recorded.
    pub never: &'a [PersonKey],
    /// Wall clock of the beginning.
    pub began_ms: u64,
    pub length_ms: u64,
    /// Least size of a picture's frame.
    pub size: usize,
    /// Paused from there to there.
    pub pause: Option<(u64, u64)>,
    /// What the learner says is noise; otherwise all are silent.
    pub loud: bool,
}

/// A frame of a picture that says at which time it was: its bytes can be searched for.
pub fn mark(t_ms: u64) -> Vec<u8> {
    format!("picture at {t_ms:012}|").into_bytes()
}

fn frame(t_ms: u64, keyframe: bool, size: usize) -> Vec<u8> {
    let mut bytes = if keyframe {
        vec![0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 48, 0]
    } else {
        vec![0x11, 0, 0]
    };
    bytes.extend(mark(t_ms));
    bytes.resize(bytes.len().max(size), 0);
    bytes
}

struct Writer<'a> {
    folder: &'a Path,
    journal: Vec<u8>,
    number: u32,
    size: usize,
    loud: Option<PersonKey>,
}

/// Some noise as Opus, another at each time.
fn noise(t_ms: u64) -> Vec<u8> {
    let mut state = t_ms | 1;
    let mut packet = vec![0xF8];
    packet.extend((0..80).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    }));
    packet
}

impl Writer<'_> {
    fn segment(
        &mut self,
        track: TrackKind,
        person: &PersonKey,
        presenter: bool,
        from: u64,
        to: u64,
    ) {
        self.number += 1;
        let segment = SegmentId(self.number);
        let picture = track.is_picture();
        let codec = if picture { Codec::Vp8 } else { Codec::Opus };
        let head = if picture {
            TrackHead::vp8(64, 48)
        } else {
            TrackHead::opus()
        };
        let file = segment.file(codec);
        self.journal.extend(
            Line::Opened(Opened {
                segment,
                file: file.clone(),
                track,
                person: person.clone(),
                publication: 1,
                presenter,
                codec,
                start_ms: from,
                width: if picture { 64 } else { 0 },
                height: if picture { 48 } else { 0 },
            })
            .encode(),
        );
        let mut out =
            std::io::BufWriter::new(std::fs::File::create(self.folder.join(&file)).unwrap());
        let mut running = Running::new();
        let mut put = |bytes: &[u8]| {
            running.add(bytes);
            out.write_all(bytes).unwrap();
        };
        put(&head.file_head());
        let step = if picture { 40 } else { 20 };
        let mut t = 0;
        while from + t < to {
            let mut cluster = Cluster::new(t);
            let begin = t;
            while from + t < to && t < begin + 1_000 {
                let keyframe = !picture || t.is_multiple_of(KEYFRAME_MS);
                if picture {
                    cluster.push(t, keyframe, &frame(from + t, keyframe, self.size));
                } else if self.loud.as_ref() == Some(person) {
                    cluster.push(t, true, &noise(from + t));
                } else {
                    cluster.push(t, true, &[0xF8, 0xFF, 0xFE]);
                }
                t += step;
            }
            put(&cluster.finish());
        }
        out.flush().unwrap();
        self.journal.extend(
            Line::Closed {
                synced: Synced {
                    segment,
                    bytes: running.bytes(),
                    sha256: running.sha256(),
                    to_ms: to,
                },
                why: SegmentEnd::Source,
            }
            .encode(),
        );
    }
}

/// The folder: the trainer's camera and voice, a learner's voice.
pub fn write(folder: &Path, made: &Made<'_>) {
    std::fs::create_dir_all(folder).unwrap();
    let mut writer = Writer {
        folder,
        journal: Vec::new(),
        number: 0,
        size: made.size,
        loud: made.loud.then(|| made.learner.clone()),
    };
    writer.journal.extend(
        Line::Began {
            version: 1,
            recording: id(),
            anchor: Anchor {
                wall_ms: made.began_ms,
                boot_ns: 1,
                boot_id: "b".to_owned(),
                t_ms: 0,
            },
            policy: Policy {
                never: made.never.iter().cloned().collect(),
                ..Policy::default()
            },
        }
        .encode(),
    );
    let spans: Vec<(u64, u64)> = match made.pause {
        None => vec![(0, made.length_ms)],
        Some((from, to)) => vec![(0, from), (to, made.length_ms)],
    };
    for (number, (from, to)) in spans.iter().enumerate() {
        for begin in (*from..*to).step_by(30 * 60_000) {
            let end = (begin + 30 * 60_000).min(*to);
            writer.segment(TrackKind::Camera, made.trainer, true, begin, end);
        }
        for begin in (*from..*to).step_by(5 * 60_000) {
            let end = (begin + 5 * 60_000).min(*to);
            writer.segment(TrackKind::Voice, made.trainer, true, begin, end);
            writer.segment(TrackKind::Voice, made.learner, false, begin, end);
        }
        if let (0, Some((from, to))) = (number, made.pause) {
            writer.journal.extend(
                Line::Paused {
                    at_ms: from,
                    by: None,
                }
                .encode(),
            );
            writer.journal.extend(
                Line::Resumed {
                    at_ms: to,
                    by: None,
                }
                .encode(),
            );
        }
    }
    std::fs::write(folder.join("journal.jsonl"), &writer.journal).unwrap();
}

/// The last line of its journal.
pub fn close(folder: &Path, length_ms: u64) {
    let line = Line::Ended {
        at_ms: length_ms,
        why: RecordingEnd::Stopped,
    };
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.join("journal.jsonl"))
        .unwrap();
    file.write_all(&line.encode()).unwrap();
}

/// A recording of a minute that has begun in a lesson, its files whole.
pub async fn recorded(class: &Class, length_ms: u64, pause: Option<(u64, u64)>) {
    recorded_at(class, class.began + 60_000, length_ms, pause).await;
}

pub async fn recorded_at(class: &Class, began_ms: u64, length_ms: u64, pause: Option<(u64, u64)>) {
    let made = Made {
        trainer: &class.trainer,
        learner: &class.learners[0],
        never: &class.learners[1..2],
        began_ms,
        length_ms,
        size: 0,
        pause,
        loud: false,
    };
    recorded_as(class, &made).await;
}

pub async fn recorded_as(class: &Class, made: &Made<'_>) {
    let store = class.store();
    let new = NewRecording {
        id: ID.to_owned(),
        session: class.session.clone(),
        by: None,
        started_ms: made.began_ms,
    };
    let folder = class.folder().join("recordings").join(ID);
    write(&folder, made);
    close(&folder, made.length_ms);
    store.begin_recording(&new).await.unwrap();
    store.begin_recording(&new).await.unwrap();
}

/// A class whose recording `record` put into its folder, and has ended; the folder.
pub async fn ended_as(class: &mut Class, record: impl FnOnce(&Path)) -> PathBuf {
    class.begin().await;
    let new = NewRecording {
        id: ID.to_owned(),
        session: class.session.clone(),
        by: None,
        started_ms: class.began,
    };
    class.store().begin_recording(&new).await.unwrap();
    let folder = class.folder().join("recordings").join(ID);
    record(&folder);
    lophoc::recording::jobs::finished(&class.server.app, &id()).await;
    folder
}

/// It has ended; the work on it is waited for.
pub async fn worked(class: &Class) {
    lophoc::recording::jobs::finished(&class.server.app, &id()).await;
    for _ in 0..600 {
        // The film takes its time, and nobody waits for it.
        let stages = class.store().recording_stages(ID).await.unwrap();
        let over = |state: &str| matches!(state, "done" | "skipped");
        if stages
            .iter()
            .all(|(stage, state, _)| stage.as_str() == "render" || over(state))
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{:?}", class.store().recording_stages(ID).await);
}

pub fn path(rest: &str) -> String {
    format!("/api/v1/recordings/{ID}{rest}")
}

/// A call with a JSON body.
pub async fn send(
    class: &Class,
    who: &PersonKey,
    method: &str,
    rest: &str,
    body: &Value,
) -> Answer {
    let head = "content-type: application/json\r\n";
    class
        .call(
            Some(who),
            method,
            &path(rest),
            head,
            body.to_string().as_bytes(),
        )
        .await
}

pub fn later(ms: u64) -> u64 {
    now_ms() + ms
}

/// Whether a part is somewhere in it.
pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The address of the first track of a kind.
pub fn url_of<'a>(playback: &'a Value, kind: &str) -> &'a str {
    let tracks = playback["tracks"].as_array().unwrap();
    let track = tracks.iter().find(|track| track["kind"] == kind).unwrap();
    track["url"].as_str().unwrap()
}
