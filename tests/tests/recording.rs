//! A recording of real publishers whose server and recorder are killed at random
//! moments: every file decodes, at most a second is missing before each kill, what is
//! missing after it is in the journal, and flash and beep stay together.
//!
//! `RECORDING_LOOPS` says how often (3 unless told; `make soak` runs 20).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod recorded;

use std::time::Duration;

use loadtests::flash::Flash;
use loadtests::recording::{Stage, begin, end, stay};
use loadtests::server::{Build, Options, OwnServer};
use loadtests::signal::Link;
use lophoc_protocol::ServerMessage;
use lophoc_protocol::recording::RecordTrouble;
use lophoc_recording::{Timeline, TrackKind};
use recorded::*;
use tokio::task::JoinHandle;

/// A disk for tests is small.
const SETTINGS: [(&str, &str); 1] = [("LOPHOC_RECORDING_MIN_FREE_MB", "16")];

fn options() -> Options {
    let settings = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Options {
        settings: settings.to_vec(),
        ..Options::default()
    }
}

/// Somebody who teaches, in until the link breaks.
struct Class {
    server: OwnServer,
    trainer: String,
    organiser: String,
    flash: Flash,
    _folder: tempfile::TempDir,
}

impl Class {
    async fn new(options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Keyframes only: one that is asked for takes nothing out of the clip.
        let flash = Flash::make(folder.path(), (160, 96), 1).unwrap();
        let binary = Build::own().binary().await.unwrap();
        let server = OwnServer::start_with(binary, options).await.unwrap();
        let room = server.new_class("Ghi hình", "conference").await.unwrap();
        Self {
            trainer: server.link(&room, "trainer").await.unwrap(),
            organiser: server.link(&room, "organiser").await.unwrap(),
            server,
            flash,
            _folder: folder,
        }
    }

    /// Trainer and a second person publish; the trainer's link is given back.
    async fn enter(&self) -> (Stage, Link, JoinHandle<()>) {
        let stage = Stage::new(&self.server.origin).await.unwrap();
        let Flash { clip, sound } = &self.flash;
        let trainer = stage
            .enter(&self.trainer, "trainer", clip, sound)
            .await
            .unwrap();
        let other = stage
            .enter(&self.organiser, "organiser", clip, sound)
            .await
            .unwrap();
        // Its end is the test's.
        let kept = tokio::spawn(async move {
            let _ = stay(other, std::future::pending()).await;
        });
        (stage, trainer, kept)
    }
}

fn keep(link: Link) -> JoinHandle<()> {
    tokio::spawn(async move {
        let _ = stay(link, std::future::pending()).await;
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_received_is_lost_when_server_and_recorder_are_killed() {
    let loops: u64 = std::env::var("RECORDING_LOOPS").map_or(3, |text| text.parse().unwrap());
    let mut dice = Dice::new();
    let mut class = Class::new(&options()).await;
    for round in 0..loops {
        let (mut stage, mut trainer, mut other) = class.enter().await;
        begin(&mut trainer).await.unwrap();
        let mut kept = keep(trainer);
        let folder = wait_for("a recording", || newest(class.server.data())).await;
        let mut kills = Vec::new();
        let victims = if round % 2 == 0 {
            [false, true]
        } else {
            [true, false]
        };
        for is_server in victims {
            wait_for("all tracks to be taken", || {
                (open_tracks(&folder) >= 4).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(2_500 + dice.below(3_000))).await;
            if is_server {
                kills.push(("server", wall_ms()));
                class.server.kill().await.unwrap();
                kept.abort();
                other.abort();
                class.server.again().await.unwrap();
                let (new_stage, new_trainer, new_other) = class.enter().await;
                (stage, kept, other) = (new_stage, keep(new_trainer), new_other);
            } else {
                let pid = class.server.recorder_pid().unwrap();
                kills.push(("recorder", wall_ms()));
                kill(pid);
            }
            let segments = segments(&folder);
            wait_for("the recording to go on", || {
                (open_tracks(&folder) >= 4 && self::segments(&folder) > segments).then_some(())
            })
            .await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        kept.abort();
        other.abort();
        drop(stage);
        let (stage, mut trainer, other) = class.enter().await;
        end(&mut trainer).await.unwrap();
        let kept = keep(trainer);
        let timeline = wait_for("the end of the recording", || {
            timeline(&folder).filter(|timeline| timeline.ended.is_some())
        })
        .await;
        kept.abort();
        other.abort();
        drop(stage);
        check_kills(&timeline, &kills);
        check_files(&folder, &timeline);
    }
    class.server.stop().await.unwrap();
}

/// Alarms of the recorder somebody in charge is told.
async fn alarms_until(
    link: &mut Link,
    what: &'static str,
    enough: impl Fn(&[RecordTrouble]) -> bool,
) -> Vec<RecordTrouble> {
    let told = link.wait_for(what, |frame| match frame.msg {
        ServerMessage::RecordDesk { alarms, .. } => {
            let alarms: Vec<_> = alarms.iter().map(|alarm| alarm.what).collect();
            enough(&alarms).then_some(alarms)
        }
        _ => None,
    });
    told.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorder_that_dies_again_and_again_is_brought_back_and_the_recording_goes_on() {
    let class = Class::new(&options()).await;
    let (_stage, mut trainer, _other) = class.enter().await;
    begin(&mut trainer).await.unwrap();
    let folder = wait_for("a recording", || newest(class.server.data())).await;
    let taken = || (open_tracks(&folder) >= 4).then_some(());
    wait_for("all tracks to be taken", taken).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    // Five times, as soon as there is another one: most have taken nothing yet.
    let mut pids = Vec::new();
    let mut kills = Vec::new();
    for _ in 0..5 {
        let pid = wait_for("another recorder", || {
            let pid = class.server.recorder_pid();
            pid.filter(|pid| !pids.contains(pid))
        })
        .await;
        kills.push(wall_ms());
        kill(pid);
        pids.push(pid);
    }
    let before = segments(&folder);
    wait_for("the recording to go on", || {
        (open_tracks(&folder) >= 4 && segments(&folder) >= before + 4).then_some(())
    })
    .await;
    // Those in charge hear that it is gone, and what is missing once it is back.
    let alarms = alarms_until(&mut trainer, "the alarms", |alarms| {
        alarms.contains(&RecordTrouble::Failed) && alarms.contains(&RecordTrouble::Gap)
    })
    .await;
    assert_eq!(alarms.first(), Some(&RecordTrouble::Failed), "{alarms:?}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    // It is still the same recording, and ends as one.
    end(&mut trainer).await.unwrap();
    let timeline = wait_for("the end of the recording", || {
        timeline(&folder).filter(|timeline| timeline.ended.is_some())
    })
    .await;
    // No kill falls into a time that counts as taken.
    for at in kills.iter().map(|at| at - timeline.began.wall_ms) {
        let holds = |span: lophoc_recording::Span| span.from_ms <= at + 50 && at <= span.to_ms;
        let missing = timeline
            .gaps
            .iter()
            .any(|gap| gap.segment.is_none() && holds(gap.span));
        assert!(missing, "no gap at {at}: {:?}", timeline.gaps);
    }
    check_files(&folder, &timeline);
    class.server.stop().await.unwrap();
}

/// Before each kill no more than a second is missing, after it the gap is written
/// down from where the files end to where they go on.
fn check_kills(timeline: &Timeline, kills: &[(&str, u64)]) {
    for (victim, wall_ms) in kills {
        let at = wall_ms - timeline.began.wall_ms;
        for kind in [TrackKind::Camera, TrackKind::Voice] {
            let of_kind = || {
                timeline
                    .segments
                    .values()
                    .filter(|one| one.opened.track == kind)
            };
            let reached = of_kind()
                .filter(|one| one.opened.start_ms < at)
                .map(|one| one.span().to_ms)
                .max()
                .unwrap();
            let again = of_kind()
                .map(|one| one.opened.start_ms)
                .filter(|start| *start > at)
                .min()
                .unwrap();
            let missing = at.saturating_sub(reached);
            eprintln!("{victim} killed at {at} ms: {kind:?} reaches {reached}, goes on at {again}");
            // What was on its way between publisher and recorder was not received.
            assert!(
                missing <= 1_000 + 150,
                "{kind:?}: {missing} ms before {victim}'s end"
            );
        }
        let gap = timeline.gaps.iter().find(|gap| {
            gap.segment.is_none() && gap.span.from_ms <= at + 50 && gap.span.to_ms >= at
        });
        let gap = gap.unwrap_or_else(|| panic!("no gap at {at}: {:?}", timeline.gaps));
        assert!(
            gap.span.from_ms + 1_200 >= at,
            "{gap:?} begins long before {at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_the_recording_and_not_the_class() {
    let class = Class::new(&options()).await;
    // A disk of 48 MB in a place of its own that only a new server sees.
    let folder = class.server.data().join("recordings");
    if !mount_small(&folder, 48) {
        eprintln!("skipped: this user may mount no tmpfs");
        return;
    }
    let (_stage, mut trainer, _other) = class.enter().await;
    begin(&mut trainer).await.unwrap();
    let found = wait_for("a recording", || newest(class.server.data())).await;
    wait_for("all tracks to be taken", || {
        (open_tracks(&found) >= 4).then_some(())
    })
    .await;
    // Enough to judge what is left of it.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let filling = folder.join("filling");
    fill(&filling);
    let ended = wait_for("the end of the recording", || {
        timeline(&found).and_then(|timeline| timeline.ended)
    })
    .await;
    assert_eq!(ended, lophoc_recording::journal::RecordingEnd::Disk);
    // Those who are in charge hear of it and the class goes on.
    let heard = trainer.wait_for("the alarm", |frame| match frame.msg {
        lophoc_protocol::ServerMessage::RecordDesk { .. } => Some(()),
        _ => None,
    });
    heard.await.unwrap();
    std::fs::remove_file(&filling).unwrap();
    let timeline = timeline(&found).unwrap();
    check_files(&found, &timeline);
    // It is finished as far as it goes, whatever could not be closed.
    wait_for("its list of files", || {
        found.join("manifest.json").exists().then_some(())
    })
    .await;
    // Once there is room again the next one can begin.
    begin(&mut trainer).await.unwrap();
    let next = wait_for("another recording", || newest(class.server.data())).await;
    assert_ne!(next, found);
    class.server.stop().await.unwrap();
    unmount(&folder);
}
