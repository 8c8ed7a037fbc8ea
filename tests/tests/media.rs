//! Media through the real server, to and from clients of another implementation.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loadtests::bots::Bots;
use loadtests::lecture::{LEARNER_SLOTS, Lecture, need_answer, publish, watch_track};
use loadtests::pattern::{BrowserPattern, StampClock, audio_packet};
use loadtests::publisher::{FrameSource, Pace, Vp8Numbers};
use loadtests::report::ClientKind;
use loadtests::server::{Build, OwnServer};
use loadtests::signal::{Guest, Link, join};
use loadtests::webrtc_client::{WebrtcClient, mids_by_ssrc};
use lophoc_protocol::media::BindState;
use lophoc_protocol::server::{Answer, Welcome};
use lophoc_protocol::{ClientMessage, MediaKind, Profile, ServerMessage, SlotCounts, TrackId};
use tokio::task::JoinHandle;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longest wait for something that takes well under a second.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server() -> OwnServer {
    OwnServer::start(Build::own().binary().await.unwrap())
        .await
        .unwrap()
}

/// A client of the `webrtc` crate that joined.
struct Person {
    client: Arc<WebrtcClient>,
    link: Link,
    welcome: Box<Welcome>,
    answer: Answer,
}

async fn enter(server: &OwnServer, link: &str, name: &str, profile: Profile) -> Person {
    let guest = Guest {
        link: link.to_owned(),
        name: name.to_owned(),
        device: format!("test-{name}"),
    };
    let joined = join(&server.origin, &guest).await.unwrap();
    let slots = match profile {
        Profile::Viewer => LEARNER_SLOTS,
        _ => SlotCounts { a: 5, v: 9, s: 1 },
    };
    let clock = StampClock::default();
    let (client, offer) = WebrtcClient::offer_as(LOOPBACK, profile, slots, clock)
        .await
        .unwrap();
    let (link, mut welcome) = Link::open(&server.origin, joined.token, profile, slots, offer)
        .await
        .unwrap();
    let answer = need_answer(welcome.answer.take()).unwrap();
    client.answer(&answer.sdp).await.unwrap();
    client.connected().await.unwrap();
    Person {
        client: Arc::new(client),
        link,
        welcome,
        answer,
    }
}

/// Sends picture and sound until the task is ended.
fn stream(client: Arc<WebrtcClient>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut pattern = BrowserPattern::default();
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let (mut seq, mut frames) = (0u16, 0u64);
        for n in 0..u16::MAX {
            tick.tick().await;
            let sound = audio_packet().payload;
            let ts = u32::from(n) * 960;
            client
                .send(MediaKind::Mic, n, ts, true, Some(20), sound)
                .await
                .unwrap();
            if n % 2 == 1 {
                continue;
            }
            // No event tells of keyframe requests here: one every second.
            let frame = pattern.frame(frames.is_multiple_of(25), Vp8Numbers::new(frames));
            frames += 1;
            let last = frame.packets.len() - 1;
            for (index, packet) in frame.packets.into_iter().enumerate() {
                seq = seq.wrapping_add(1);
                let ts = frames as u32 * 3_600;
                let marker = index == last;
                client
                    .send(MediaKind::Camera, seq, ts, marker, None, packet.payload)
                    .await
                    .unwrap();
            }
        }
    })
}

/// Wishes for a track and waits until its slot is live.
async fn watch(person: &mut Person, track: TrackId) {
    let view = watch_track(&person.answer, track, 720).unwrap();
    let wanted = person.answer.mids.v.first().unwrap().clone();
    person.link.send(ClientMessage::View(view)).await.unwrap();
    person
        .link
        .wait_for("a live slot", |frame| match frame.msg {
            ServerMessage::Bind {
                v: Some(slots),
                rev,
                ..
            } => slots
                .iter()
                .any(|slot| {
                    rev == 1
                        && slot.mid == wanted
                        && slot.k == Some(track)
                        && slot.st == BindState::Live
                })
                .then_some(()),
            _ => None,
        })
        .await
        .unwrap();
}

/// Packets so far by mid.
fn packets_by_mid(person: &Person) -> BTreeMap<String, u64> {
    let mids = mids_by_ssrc(&person.answer.sdp);
    let mut sums = BTreeMap::new();
    for (ssrc, packets) in person.client.packets_by_ssrc() {
        let mid = mids
            .get(&ssrc)
            .cloned()
            .unwrap_or_else(|| format!("ssrc {ssrc}"));
        *sums.entry(mid).or_default() += packets;
    }
    sums
}

/// Waits until the slot has brought that many packets.
async fn await_packets(person: &Person, mids: &[&str], wanted: u64) {
    let arrived = async {
        loop {
            let by_mid = packets_by_mid(person);
            if mids.iter().filter_map(|mid| by_mid.get(*mid)).sum::<u64>() >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let result = tokio::time::timeout(PATIENCE, arrived).await;
    assert!(
        result.is_ok(),
        "{mids:?} brought too little: {:?}",
        packets_by_mid(person)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webrtc_clients_publish_receive_on_the_right_slot_and_leave() {
    let server = server().await;
    let room = server
        .new_class("Independent clients", "discussion")
        .await
        .unwrap();
    let trainer_link = server.link(&room, "trainer").await.unwrap();
    let learner_link = server.link(&room, "learner").await.unwrap();

    let mut trainer = enter(&server, &trainer_link, "Trainer", Profile::Seat).await;
    publish(&mut trainer.link).await.unwrap();
    let streaming = stream(Arc::clone(&trainer.client));

    let mut learner = enter(&server, &learner_link, "Learner", Profile::Viewer).await;
    let track = learner.link.find_track(MediaKind::Camera).await.unwrap();
    watch(&mut learner, track).await;

    let video = learner.answer.mids.v.first().unwrap().as_str().to_owned();
    let audio: Vec<String> = learner
        .answer
        .mids
        .a
        .iter()
        .map(|mid| mid.as_str().to_owned())
        .collect();
    await_packets(&learner, &[&video], 300).await;
    await_packets(
        &learner,
        &audio.iter().map(String::as_str).collect::<Vec<_>>(),
        50,
    )
    .await;
    for (mid, packets) in packets_by_mid(&learner) {
        assert!(
            mid == video || audio.contains(&mid),
            "{packets} packets came on {mid}"
        );
    }
    assert_eq!(learner.client.take().lost, 0);

    // The learner leaves: everybody is told, and nothing breaks.
    let gone = learner.welcome.you.person.clone();
    learner.link.leave().await.unwrap();
    learner.client.close().await;
    let left = trainer
        .link
        .wait_for("the learner to be gone", |frame| match frame.msg {
            ServerMessage::People { counts, del, .. } if del.contains(&gone) => Some(counts.total),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(left, 1);

    streaming.abort();
    trainer.link.leave().await.unwrap();
    trainer.client.close().await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_lecture_reaches_every_learner() {
    let lecture = Lecture {
        learners: 5,
        seconds: 3,
        warmup: 1,
        client: ClientKind::Str0m,
        full: Some(2),
        pace: Pace::Browser,
        joining: 5,
        ..Lecture::default()
    };
    let report = lecture.run().await.unwrap();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(report.connected, 5);
    assert_eq!(report.join_ms.count, 5);
    assert_eq!(report.lost_packets, 0, "{report}");
    assert_eq!(
        (report.corrupt_packets, report.repeated_packets),
        (0, 0),
        "{report}"
    );
    assert!((0.97..1.03).contains(&report.delivered_ratio), "{report}");
    assert!(
        report.latency_ms.count > 0 && report.audio_latency_ms.count > 0,
        "{report}"
    );
    assert!(
        report.server_cpu_s.unwrap().total > 0.0 && report.gso_mean_run.is_some(),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_of_a_bot_is_seen_by_another_client() {
    let server = server().await;
    let room = server.new_class("Bots", "discussion").await.unwrap();
    let link = server.link(&room, "learner").await.unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bots = Bots {
        origin: server.origin.clone(),
        link: link.clone(),
        count: 2,
        seconds: 30,
        videos: vec![fixtures.join("bot-01.ivf"), fixtures.join("bot-02.ivf")],
        audio: Some(fixtures.join("tone.opus")),
        names: Vec::new(),
    };
    let playing = tokio::spawn(async move { bots.run(|| {}).await });
    let mut viewer = enter(&server, &link, "Viewer", Profile::Viewer).await;
    let track = viewer.link.find_track(MediaKind::Camera).await.unwrap();
    watch(&mut viewer, track).await;
    let video = viewer.answer.mids.v.first().unwrap().as_str().to_owned();
    await_packets(&viewer, &[&video], 30).await;
    playing.abort();
    viewer.link.leave().await.unwrap();
    viewer.client.close().await;
    server.stop().await.unwrap();
}
