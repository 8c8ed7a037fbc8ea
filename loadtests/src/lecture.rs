//! The lecture: one trainer publishes, N learners watch and listen; in one room or
//! in several at once.

use std::sync::Arc;
use std::time::Duration;

use lophoc_protocol::media::{SlotSource, SlotWish, View};
use lophoc_protocol::server::Answer;
use lophoc_protocol::{ClientMessage, MediaKind, SlotCounts, TrackId, TrackState};
use str0m::media::Mid;
use tokio::sync::{oneshot, watch};

use crate::classroom::{Joins, Room};
use crate::crowd::{Crowd, Measured, Window};
use crate::error::{LoadError, Result};
use crate::http::Origin;
use crate::learner::CONNECT_TIMEOUT;
use crate::peer::{Peer, local_ip};
use crate::publisher::Pace;
use crate::report::{ClientKind, LearnerProfile, LectureReport, Settings};
use crate::server::{Build, METRICS_TOKEN, Options, OwnServer, resident_mib};
use crate::signal::Link;

/// Reasons of failures kept for the report.
const MAX_FAILURES: usize = 5;
/// Slots of a learner in the audience.
pub const LEARNER_SLOTS: SlotCounts = LearnerProfile::Viewer.slots();

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
    /// Learners of each room.
    pub learners: usize,
    /// Rooms.
    pub rooms: usize,
    /// Cameras of each room, all watched.
    pub cameras: usize,
    /// What the learners offer.
    pub profile: LearnerProfile,
    /// Seconds measured.
    pub seconds: u64,
    /// Seconds between the last join and the measurement.
    pub warmup: u64,
    /// Implementation of the learners.
    pub client: ClientKind,
    /// Learners of each room that decrypt everything; none = all.
    pub full: Option<usize>,
    /// Pacing of the publishers.
    pub pace: Pace,
    /// Joins at the same time.
    pub joining: usize,
    /// A running server; none = one of the run's own.
    pub remote: Option<Remote>,
    /// Build of the run's own server.
    pub build: Build,
    /// How the run's own server is started.
    pub options: Options,
}

impl Default for Lecture {
    fn default() -> Self {
        Self {
            learners: 50,
            rooms: 1,
            cameras: 1,
            profile: LearnerProfile::Viewer,
            seconds: 10,
            warmup: 3,
            client: ClientKind::Str0m,
            full: None,
            pace: Pace::Browser,
            joining: 16,
            remote: None,
            build: Build::own(),
            options: Options::default(),
        }
    }
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
    watch_tracks(answer, &[track], height)
}

/// The view of a learner: tracks in the first video slots.
pub fn watch_tracks(answer: &Answer, tracks: &[TrackId], height: u16) -> Result<View> {
    if answer.mids.v.len() < tracks.len() {
        let why = format!(
            "the answer has {} video slots for {} cameras",
            answer.mids.v.len(),
            tracks.len()
        );
        return Err(LoadError::Signal(why));
    }
    let wishes = answer
        .mids
        .v
        .iter()
        .zip(tracks)
        .map(|(mid, track)| SlotWish {
            mid: mid.clone(),
            src: Some(SlotSource::K(*track)),
            h: height,
            prio: 200,
        });
    Ok(View {
        rev: 1,
        slots: wishes.collect(),
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

/// A lecture whose learners are in.
pub struct Running {
    crowd: Arc<Crowd>,
    server: Option<OwnServer>,
    /// What is measured.
    pub measured: Measured,
    /// How they came in.
    pub joins: Joins,
    /// Memory of the server before anybody was in, MiB.
    pub rss_start: Option<f64>,
    settings: Lecture,
    rooms: usize,
}

impl Running {
    /// Adds a room like the others.
    pub async fn add_room(&mut self) -> Result<()> {
        let number = self.rooms;
        let s = &self.settings;
        let (origin, trainer_link, learner_link) = match (&s.remote, &self.server) {
            (Some(remote), _) => (
                remote.origin.clone(),
                remote.trainer_link.clone(),
                remote.learner_link.clone(),
            ),
            (None, Some(server)) => {
                let title = format!("Load test lecture {}", number + 1);
                let room = server.new_class(&title, "training").await?;
                (
                    server.origin.clone(),
                    server.link(&room, "trainer").await?,
                    server.link(&room, "learner").await?,
                )
            }
            (None, None) => return Err(LoadError::Server("there is no server".to_owned())),
        };
        let room = Room {
            origin,
            trainer_link,
            learner_link,
            number,
            cameras: s.cameras,
            pace: s.pace,
            learners: s.learners,
            full: s.full_of_room(),
            profile: s.profile,
            client: s.client,
        };
        self.rooms += 1;
        let joins = room.fill(&self.crowd).await?;
        self.joins.merge(joins);
        Ok(())
    }

    /// Rooms that run.
    pub fn rooms(&self) -> usize {
        self.rooms
    }

    /// Cipher of the learners' media.
    pub(crate) async fn cipher(&self) -> Result<Option<String>> {
        self.crowd.cipher().await
    }

    /// Measures for some seconds.
    pub async fn measure(&self, length: Duration) -> Result<Window> {
        self.crowd.measure(&self.measured, length).await
    }

    /// Ends everything. Returns what failed.
    pub async fn end(self) -> Vec<String> {
        self.crowd.stop();
        let mut failures = self.joins.ended().await;
        let webrtc = std::mem::take(
            &mut *self
                .crowd
                .webrtc
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for (_, client) in &webrtc {
            client.close().await;
        }
        if let Some(server) = self.server
            && let Err(error) = server.stop().await
        {
            failures.push(error.to_string());
        }
        let failed = failures.len();
        failures.truncate(MAX_FAILURES);
        if failed > MAX_FAILURES {
            failures.push(format!("and {} more", failed - MAX_FAILURES));
        }
        failures
    }
}

impl Lecture {
    /// Learners of a room that decrypt.
    fn full_of_room(&self) -> usize {
        match self.client {
            ClientKind::Webrtc => self.learners,
            ClientKind::Str0m => self.full.unwrap_or(self.learners).min(self.learners),
        }
    }

    /// What a report says of the settings.
    pub(crate) fn settings(&self, rooms: usize) -> Settings {
        Settings {
            scenario: "lecture",
            rooms,
            cameras: self.cameras,
            profile: self.profile,
            seconds: self.seconds,
            warmup: self.warmup,
            client: self.client,
            full: self.full_of_room() * rooms,
            pace: self.pace,
            joining: self.joining,
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            release: self.remote.is_some() || self.build == Build::Release,
        }
    }

    /// Starts the server, if it is the run's own, and fills the rooms.
    pub async fn start(&self) -> Result<Running> {
        if self.remote.is_some() && self.rooms > 1 {
            let why = "a server elsewhere has the one room of its links".to_owned();
            return Err(LoadError::Server(why));
        }
        let (server, origin, pid) = match &self.remote {
            Some(remote) => (None, remote.origin.clone(), remote.pid),
            None => {
                let binary = self.build.binary().await?;
                let server = OwnServer::start_with(binary, &self.options).await?;
                let (origin, pid) = (server.origin.clone(), server.pid());
                (Some(server), origin, pid)
            }
        };
        let ip = local_ip(&origin).await?;
        let mut running = Running {
            crowd: Arc::new(Crowd::start(ip, self.joining)?),
            server,
            measured: Measured {
                pid,
                metrics: Some(origin),
                token: self.remote.is_none().then_some(METRICS_TOKEN),
            },
            joins: Joins::default(),
            rss_start: pid.map(resident_mib).transpose()?,
            settings: self.clone(),
            rooms: 0,
        };
        for _ in 0..self.rooms.max(1) {
            running.add_room().await?;
        }
        Ok(running)
    }

    /// Runs it.
    pub async fn run(&self) -> Result<LectureReport> {
        let running = self.start().await?;
        self.finish(running).await
    }

    /// Measures what [`Self::start`] began, and ends it.
    pub(crate) async fn finish(&self, running: Running) -> Result<LectureReport> {
        tokio::time::sleep(Duration::from_secs(self.warmup)).await;
        let window = running.measure(Duration::from_secs(self.seconds)).await?;
        let join_ms = running.joins.connected.percentiles();
        let first_video_ms = running.joins.first_video.percentiles();
        let rss_start = running.rss_start;
        let rooms = running.rooms();
        let failures = running.end().await;
        let settings = self.settings(rooms);
        let mut report = LectureReport::of(self.learners * rooms, &window, settings);
        report.join_ms = join_ms;
        report.first_video_ms = first_video_ms;
        report.server_rss_start_mib = rss_start;
        report.failures = failures;
        Ok(report)
    }
}
