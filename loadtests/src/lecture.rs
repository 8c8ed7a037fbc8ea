//! The lecture: one trainer publishes, N learners watch and listen.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_protocol::media::{SlotSource, SlotWish, View};
use lophoc_protocol::server::Answer;
use lophoc_protocol::{ClientMessage, MediaKind, Profile, SlotCounts, TrackId, TrackState};
use str0m::format::Codec;
use str0m::media::Mid;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::error::{LoadError, Result};
use crate::histogram::Histogram;
use crate::http::Origin;
use crate::learner::{CONNECT_TIMEOUT, Depth, Learner, PayloadTypes, Received};
use crate::pattern::{BrowserPattern, StampClock, audio_packet};
use crate::peer::{Offered, Peer, local_ip, payload_type};
use crate::publisher::{AudioSource, Outlet, Pace, Packet, Publisher, Sent};
use crate::reactor::{Client, Reactor, Role};
use crate::report::{ClientKind, LectureReport, Settings};
use crate::server::{Build, CpuTime, Metrics, OwnServer, machine_busy, resident_mib};
use crate::signal::{Guest, Link, join};
use crate::webrtc_client::WebrtcLearner;

/// Height the learners wish for.
const HEIGHT: u16 = 720;
/// Level of the trainer's voice, −dBov.
const VOICE: u8 = 20;
/// The learners' counters are read this long after the publisher's, so that
/// what was on the way is counted with its sending.
const IN_FLIGHT: Duration = Duration::from_millis(150);
/// Reasons of failures kept for the report.
const MAX_FAILURES: usize = 5;

/// A server that runs already.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where.
    pub origin: Origin,
    /// Link of the trainer.
    pub trainer_link: String,
    /// Open link of the learners.
    pub learner_link: String,
    /// Process to measure, when it is on this machine.
    pub pid: Option<u32>,
}

/// Settings of a lecture.
#[derive(Debug, Clone)]
pub struct Lecture {
    /// Learners.
    pub learners: usize,
    /// Seconds measured.
    pub seconds: u64,
    /// Seconds between the last join and the measurement.
    pub warmup: u64,
    /// Implementation of the learners.
    pub client: ClientKind,
    /// Learners that decrypt everything; none = all.
    pub full: Option<usize>,
    /// Pacing of the publisher.
    pub pace: Pace,
    /// Joins at the same time.
    pub joining: usize,
    /// A running server; none = one of the run's own.
    pub remote: Option<Remote>,
    /// Build of the run's own server.
    pub build: Build,
}

/// The trainer's voice: packets with a steady level.
struct Voice;

impl AudioSource for Voice {
    fn packet(&mut self) -> (Packet, u8) {
        (audio_packet(), VOICE)
    }
}

/// What all learners of a run share.
struct Run {
    origin: Origin,
    ip: IpAddr,
    learner_link: String,
    clock: StampClock,
    learners: Reactor,
    stop: watch::Receiver<bool>,
    joining: Semaphore,
}

/// A learner that joined.
struct JoinTimes {
    connected: Duration,
    first_video: Duration,
    link: JoinHandle<Result<u64>>,
    webrtc: Option<WebrtcLearner>,
}

/// Waits until the run ends.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // A dropped sender means the end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The m-line that sends a kind.
pub fn line(peer: &Peer, kind: MediaKind) -> Result<Mid> {
    let found = peer.sends.iter().find(|(sent, _)| *sent == kind);
    found
        .map(|(_, mid)| *mid)
        .ok_or_else(|| LoadError::Media(format!("no m-line for {kind:?}")))
}

/// The answer that came with the welcome.
pub fn need_answer(answer: Option<Answer>) -> Result<Answer> {
    answer.ok_or_else(|| LoadError::Signal("the welcome carries no answer".to_owned()))
}

/// Waits for something a client thread tells.
pub async fn told<T>(what: &'static str, from: oneshot::Receiver<T>) -> Result<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, from)
        .await
        .map_err(|_| LoadError::Timeout(what))?
        .map_err(|_| LoadError::Media(format!("the client is gone; waited for {what}")))
}

/// The view of a learner: one track in the first video slot.
pub fn watch_track(answer: &Answer, track: TrackId, height: u16) -> Result<View> {
    let mid = answer.mids.v.first().cloned();
    let mid = mid.ok_or_else(|| LoadError::Signal("the answer has no video slot".to_owned()))?;
    let wish = SlotWish {
        mid,
        src: Some(SlotSource::K(track)),
        h: height,
        prio: 200,
    };
    Ok(View {
        rev: 1,
        slots: vec![wish],
        ..View::default()
    })
}

/// Tells the room that microphone and camera are live.
pub async fn publish(link: &mut Link) -> Result<()> {
    for kind in [MediaKind::Mic, MediaKind::Camera] {
        link.send(ClientMessage::Pub {
            kind,
            st: TrackState::Live,
        })
        .await?;
    }
    Ok(())
}

/// Joins the trainer and starts to publish.
async fn trainer(
    run: &Run,
    reactor: &Reactor,
    link: &str,
    pace: Pace,
) -> Result<JoinHandle<Result<u64>>> {
    let guest = Guest {
        link: link.to_owned(),
        name: "Trainer".to_owned(),
        device: "loadtests-trainer".to_owned(),
    };
    let joined = join(&run.origin, &guest).await?;
    let slots = SlotCounts { a: 5, v: 9, s: 1 };
    let offered = Offered::new(run.ip, Profile::Seat, slots)?;
    let (mut link, welcome) = Link::open(
        &run.origin,
        joined.token,
        Profile::Seat,
        slots,
        offered.sdp.clone(),
    )
    .await?;
    let mut peer = offered.answer(&need_answer(welcome.answer)?.sdp)?;
    let video = Outlet::new(
        line(&peer, MediaKind::Camera)?,
        payload_type(&mut peer.rtc, Codec::Vp8)?,
    );
    let audio = Outlet::new(
        line(&peer, MediaKind::Mic)?,
        payload_type(&mut peer.rtc, Codec::Opus)?,
    );
    let publisher = Publisher::new(run.clock, pace)
        .with_video(video, Box::new(BrowserPattern::default()))
        .with_audio(audio, Box::new(Voice));
    let (tell, connected) = oneshot::channel();
    reactor.add(Client::new(
        peer,
        Role::Publisher(Box::new(publisher)),
        tell,
    ))?;
    publish(&mut link).await?;
    told("the trainer's media connection", connected).await?;
    Ok(tokio::spawn(link.keep(stopped(run.stop.clone()))))
}

fn learner_guest(run: &Run, index: usize) -> Guest {
    Guest {
        link: run.learner_link.clone(),
        name: format!("Learner {:04}", index + 1),
        device: format!("loadtests-learner-{index}"),
    }
}

/// Slots of the learners.
pub const LEARNER_SLOTS: SlotCounts = SlotCounts { a: 3, v: 2, s: 1 };

async fn learner(run: Arc<Run>, index: usize, depth: Depth) -> Result<JoinTimes> {
    let place = run.joining.acquire().await;
    let began = Instant::now();
    let joined = join(&run.origin, &learner_guest(&run, index)).await?;
    let offered = Offered::new(run.ip, Profile::Viewer, LEARNER_SLOTS)?;
    let (mut link, welcome) = Link::open(
        &run.origin,
        joined.token,
        Profile::Viewer,
        LEARNER_SLOTS,
        offered.sdp.clone(),
    )
    .await?;
    let answer = need_answer(welcome.answer)?;
    let mut peer = offered.answer(&answer.sdp)?;
    let types = PayloadTypes {
        video: payload_type(&mut peer.rtc, Codec::Vp8)?,
        audio: payload_type(&mut peer.rtc, Codec::Opus)?,
    };
    let (tell_connected, connected) = oneshot::channel();
    let (tell_video, first_video) = oneshot::channel();
    let learner = Learner::new(depth, types, run.clock, peer.transport_id, tell_video);
    run.learners.add(Client::new(
        peer,
        Role::Learner(Box::new(learner)),
        tell_connected,
    ))?;
    let track = link.find_track(MediaKind::Camera).await?;
    link.send(ClientMessage::View(watch_track(&answer, track, HEIGHT)?))
        .await?;
    let link = tokio::spawn(link.keep(stopped(run.stop.clone())));
    let connected = told("a learner's media connection", connected).await? - began;
    drop(place);
    let first_video = told("a learner's first video packet", first_video).await? - began;
    Ok(JoinTimes {
        connected,
        first_video,
        link,
        webrtc: None,
    })
}

async fn webrtc_learner(run: Arc<Run>, index: usize) -> Result<JoinTimes> {
    let place = run.joining.acquire().await;
    let began = Instant::now();
    let joined = join(&run.origin, &learner_guest(&run, index)).await?;
    let (client, offer) = WebrtcLearner::offer(run.ip, LEARNER_SLOTS, run.clock).await?;
    let (mut link, welcome) = Link::open(
        &run.origin,
        joined.token,
        Profile::Viewer,
        LEARNER_SLOTS,
        offer,
    )
    .await?;
    let answer = need_answer(welcome.answer)?;
    client.answer(&answer.sdp).await?;
    let track = link.find_track(MediaKind::Camera).await?;
    link.send(ClientMessage::View(watch_track(&answer, track, HEIGHT)?))
        .await?;
    let link = tokio::spawn(link.keep(stopped(run.stop.clone())));
    let connected = client.connected().await? - began;
    drop(place);
    let first_video = client.first_video().await? - began;
    Ok(JoinTimes {
        connected,
        first_video,
        link,
        webrtc: Some(client),
    })
}

/// Whether the learner is one of `full` spread evenly over `all`.
fn is_full(index: usize, full: usize, all: usize) -> bool {
    index * full / all.max(1) != (index + 1) * full / all.max(1)
}

/// Counters of all learners since the last call, and how many are connected.
async fn take_received(run: &Run, webrtc: &[WebrtcLearner]) -> Result<(Received, usize)> {
    let (mut sum, mut connected) = run
        .learners
        .visit(|clients| {
            let mut sum = Received::default();
            let mut connected = 0;
            for client in clients.values_mut() {
                connected += usize::from(client.connected);
                if let Role::Learner(learner) = &mut client.role {
                    sum.merge(&learner.take());
                }
            }
            (sum, connected)
        })
        .await?;
    for client in webrtc {
        sum.merge(&client.take());
        connected += usize::from(client.is_connected());
    }
    Ok((sum, connected))
}

async fn take_sent(reactor: &Reactor) -> Result<Sent> {
    reactor
        .visit(|clients| {
            let publishers = clients.values().filter_map(|client| match &client.role {
                Role::Publisher(publisher) => Some(publisher.sent),
                Role::Learner(_) => None,
            });
            publishers.last().unwrap_or_default()
        })
        .await
}

/// What the server is at one moment.
struct Moment {
    cpu: Option<CpuTime>,
    metrics: Metrics,
}

impl Moment {
    async fn now(origin: &Origin, pid: Option<u32>) -> Result<Self> {
        let cpu = pid.map(CpuTime::of).transpose()?;
        // A server elsewhere may keep its metrics to itself.
        let metrics = Metrics::fetch(origin).await.unwrap_or_default();
        Ok(Self { cpu, metrics })
    }
}

impl Lecture {
    /// Runs it.
    pub async fn run(&self) -> Result<LectureReport> {
        match &self.remote {
            Some(remote) => self.drive(remote.clone()).await,
            None => {
                let server = OwnServer::start(self.build.binary().await?).await?;
                let room = server.new_class("Load test lecture", "training").await?;
                let remote = Remote {
                    origin: server.origin.clone(),
                    trainer_link: server.link(&room, "trainer").await?,
                    learner_link: server.link(&room, "learner").await?,
                    pid: server.pid(),
                };
                let report = self.drive(remote).await;
                let ended = server.stop().await;
                let mut report = report?;
                if let Err(error) = ended {
                    report.failures.push(error.to_string());
                }
                Ok(report)
            }
        }
    }

    async fn drive(&self, remote: Remote) -> Result<LectureReport> {
        let clock = StampClock::default();
        let (tell_stop, stop) = watch::channel(false);
        let publisher = Reactor::start("publisher", clock.origin())?;
        let run = Arc::new(Run {
            ip: local_ip(&remote.origin).await?,
            origin: remote.origin,
            learner_link: remote.learner_link,
            clock,
            learners: Reactor::start("learners", clock.origin())?,
            stop,
            joining: Semaphore::new(self.joining.max(1)),
        });
        let trainer_link = trainer(&run, &publisher, &remote.trainer_link, self.pace).await?;
        let full = self.full.unwrap_or(self.learners).min(self.learners);
        let mut joins = JoinSet::new();
        for index in 0..self.learners {
            let run = Arc::clone(&run);
            match self.client {
                ClientKind::Str0m => {
                    let depth = if is_full(index, full, self.learners) {
                        Depth::Full
                    } else {
                        Depth::Light
                    };
                    joins.spawn(learner(run, index, depth));
                }
                ClientKind::Webrtc => {
                    joins.spawn(webrtc_learner(run, index));
                }
            }
        }
        let mut join_times = Histogram::default();
        let mut video_times = Histogram::default();
        let mut failures = Vec::new();
        let mut links = vec![trainer_link];
        let mut webrtc = Vec::new();
        while let Some(joined) = joins.join_next().await {
            match joined
                .map_err(|why| LoadError::Media(why.to_string()))
                .flatten()
            {
                Ok(times) => {
                    join_times.record(times.connected);
                    video_times.record(times.first_video);
                    links.push(times.link);
                    webrtc.extend(times.webrtc);
                }
                Err(error) => failures.push(error.to_string()),
            }
        }
        tokio::time::sleep(Duration::from_secs(self.warmup)).await;

        let own = std::process::id();
        let generator = CpuTime::of(own)?;
        let busy = machine_busy()?;
        let before = Moment::now(&run.origin, remote.pid).await?;
        let sent_before = take_sent(&publisher).await?;
        tokio::time::sleep(IN_FLIGHT).await;
        take_received(&run, &webrtc).await?;
        tokio::time::sleep(Duration::from_secs(self.seconds).saturating_sub(IN_FLIGHT)).await;
        let sent = take_sent(&publisher).await?;
        let after = Moment::now(&run.origin, remote.pid).await?;
        let generator = CpuTime::of(own)?.since(&generator);
        let busy = machine_busy()? - busy;
        tokio::time::sleep(IN_FLIGHT).await;
        let (received, connected) = take_received(&run, &webrtc).await?;
        let rss = remote.pid.map(resident_mib).transpose()?;

        let _ = tell_stop.send(true);
        for link in links {
            if let Err(error) = link
                .await
                .map_err(|why| LoadError::Media(why.to_string()))
                .flatten()
            {
                failures.push(error.to_string());
            }
        }
        for client in &webrtc {
            client.close().await;
        }
        let published = Sent {
            video: sent.video - sent_before.video,
            audio: sent.audio - sent_before.audio,
            frames: sent.frames - sent_before.frames,
            keyframes: sent.keyframes - sent_before.keyframes,
        };
        let cpu = after
            .cpu
            .zip(before.cpu)
            .map(|(after, before)| after.since(&before));
        let forwarded = received.video + received.audio;
        let expected = (published.video + published.audio) * connected as u64;
        let failed = failures.len();
        failures.truncate(MAX_FAILURES);
        if failed > MAX_FAILURES {
            failures.push(format!("and {} more", failed - MAX_FAILURES));
        }
        Ok(LectureReport {
            learners: self.learners,
            connected,
            join_ms: join_times.percentiles(),
            first_video_ms: video_times.percentiles(),
            delivered_ratio: if expected == 0 {
                0.0
            } else {
                (forwarded as f64 / expected as f64 * 10_000.0).round() / 10_000.0
            },
            lost_packets: received.lost,
            latency_ms: received.video_latency.percentiles(),
            audio_latency_ms: received.audio_latency.percentiles(),
            server_cpu_s: cpu,
            server_rss_mib: rss,
            forwarded_packets: forwarded,
            other_packets: received.other,
            packets_per_cpu_s: cpu
                .filter(|cpu| cpu.total > 0.0)
                .map(|cpu| (forwarded as f64 / cpu.total).round()),
            gso_mean_run: after.metrics.mean_run(&before.metrics),
            server_drops: after.metrics.drops(&before.metrics),
            published,
            generator_cpu_s: generator,
            others_cpu_s: {
                let of_run = generator.total + cpu.map_or(0.0, |cpu| cpu.total);
                ((busy - of_run).max(0.0) * 100.0).round() / 100.0
            },
            failures,
            settings: Settings {
                scenario: "lecture",
                seconds: self.seconds,
                warmup: self.warmup,
                client: self.client,
                full: if self.client == ClientKind::Webrtc {
                    self.learners
                } else {
                    full
                },
                pace: self.pace,
                joining: self.joining,
                cpus: std::thread::available_parallelism().map_or(0, usize::from),
                release: self.remote.is_some() || self.build == Build::Release,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_learners_are_spread_evenly_and_counted_exactly() {
        for (full, all) in [(0, 10), (1, 10), (3, 10), (10, 10), (10, 200)] {
            let chosen: Vec<usize> = (0..all).filter(|i| is_full(*i, full, all)).collect();
            assert_eq!(chosen.len(), full, "{chosen:?}");
        }
    }
}
