//! Filling rooms of a lophoc server: publishers first, then the learners.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_protocol::{ClientMessage, MediaKind, Profile, SlotCounts};
use str0m::format::Codec;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::crowd::Crowd;
use crate::error::{LoadError, Result};
use crate::histogram::Histogram;
use crate::http::Origin;
use crate::learner::{Depth, Learner, PayloadTypes};
use crate::lecture::{line, need_answer, publish, stopped, told, watch_tracks};
use crate::pattern::{BrowserPattern, audio_packet};
use crate::peer::{Offered, payload_type};
use crate::publisher::{AudioSource, Outlet, Pace, Packet, Publisher};
use crate::reactor::{Client, Role};
use crate::report::{ClientKind, LearnerProfile};
use crate::signal::{Guest, Link, join};
use crate::webrtc_client::WebrtcLearner;

/// Height the learners wish for.
const HEIGHT: u16 = 720;
/// Level of the trainer's voice, −dBov.
const VOICE: u8 = 20;
/// Slots of the publishers.
const PUBLISHER_SLOTS: SlotCounts = SlotCounts { a: 5, v: 9, s: 1 };

/// A room and who is to be in it.
#[derive(Debug, Clone)]
pub struct Room {
    /// The server.
    pub origin: Origin,
    /// Link of the publishers.
    pub trainer_link: String,
    /// Open link of the learners.
    pub learner_link: String,
    /// Its number within the run.
    pub number: usize,
    /// Cameras; every learner watches all of them. The first publisher speaks.
    pub cameras: usize,
    /// How the publishers put a frame on the wire.
    pub pace: Pace,
    /// Learners.
    pub learners: usize,
    /// Of them, those that decrypt.
    pub full: usize,
    /// What the learners offer.
    pub profile: LearnerProfile,
    /// Their implementation.
    pub client: ClientKind,
}

/// What came of joining.
#[derive(Default)]
pub struct Joins {
    /// `POST /api/join` until ICE and DTLS are up.
    pub connected: Histogram,
    /// `POST /api/join` until the first video packet.
    pub first_video: Histogram,
    /// Reasons of those that could not join.
    pub failures: Vec<String>,
    pub(crate) links: Vec<JoinHandle<Result<u64>>>,
}

impl Joins {
    /// Adds another room's.
    pub fn merge(&mut self, other: Self) {
        self.connected.merge(&other.connected);
        self.first_video.merge(&other.first_video);
        self.failures.extend(other.failures);
        self.links.extend(other.links);
    }

    /// Waits until all links have ended, which they do once the crowd stops, and
    /// returns the failures with those of links that broke.
    pub async fn ended(self) -> Vec<String> {
        let mut failures = self.failures;
        for link in self.links {
            let ended = link.await.map_err(|why| LoadError::Media(why.to_string()));
            if let Err(error) = ended.flatten() {
                failures.push(error.to_string());
            }
        }
        failures
    }
}

/// The trainer's voice: packets with a steady level.
pub struct Voice;

impl AudioSource for Voice {
    fn packet(&mut self) -> (Packet, u8) {
        (audio_packet(), VOICE)
    }
}

struct JoinTimes {
    connected: Duration,
    first_video: Duration,
    link: JoinHandle<Result<u64>>,
}

/// Whether the learner is one of `full` spread evenly over `all`.
pub(crate) fn is_full(index: usize, full: usize, all: usize) -> bool {
    index * full / all.max(1) != (index + 1) * full / all.max(1)
}

impl Room {
    /// Brings in the publishers, then the learners, and waits until each learner
    /// has seen video or failed to.
    pub async fn fill(self, crowd: &Arc<Crowd>) -> Result<Joins> {
        let room = Arc::new(self);
        let mut joins = Joins::default();
        for index in 0..room.cameras.max(1) {
            joins.links.push(room.publisher(crowd, index).await?);
        }
        let mut tasks = JoinSet::new();
        for index in 0..room.learners {
            let (room, crowd) = (Arc::clone(&room), Arc::clone(crowd));
            match room.client {
                ClientKind::Str0m => tasks.spawn(async move { room.learner(&crowd, index).await }),
                ClientKind::Webrtc => {
                    tasks.spawn(async move { room.webrtc_learner(&crowd, index).await })
                }
            };
        }
        while let Some(joined) = tasks.join_next().await {
            match joined
                .map_err(|why| LoadError::Media(why.to_string()))
                .flatten()
            {
                Ok(times) => {
                    joins.connected.record(times.connected);
                    joins.first_video.record(times.first_video);
                    joins.links.push(times.link);
                }
                Err(error) => joins.failures.push(error.to_string()),
            }
        }
        Ok(joins)
    }

    /// Joins a publisher, who starts to send.
    async fn publisher(&self, crowd: &Crowd, index: usize) -> Result<JoinHandle<Result<u64>>> {
        let guest = Guest {
            link: self.trainer_link.clone(),
            name: format!("Trainer {}", index + 1),
            device: format!("loadtests-trainer-{}-{index}", self.number),
        };
        let joined = join(&self.origin, &guest).await?;
        let offered = Offered::new(crowd.ip, Profile::Seat, PUBLISHER_SLOTS)?;
        let (mut link, welcome) = Link::open(
            &self.origin,
            joined.token,
            Profile::Seat,
            PUBLISHER_SLOTS,
            offered.sdp.clone(),
        )
        .await?;
        let mut peer = offered.answer(&need_answer(welcome.answer)?.sdp)?;
        let video = Outlet::new(
            line(&peer, MediaKind::Camera)?,
            payload_type(&mut peer.rtc, Codec::Vp8)?,
        );
        let mut publisher = Publisher::new(crowd.clock, self.pace)
            .with_video(video, Box::new(BrowserPattern::default()));
        if index == 0 {
            let audio = Outlet::new(
                line(&peer, MediaKind::Mic)?,
                payload_type(&mut peer.rtc, Codec::Opus)?,
            );
            publisher = publisher.with_audio(audio, Box::new(Voice));
        }
        let (tell, connected) = oneshot::channel();
        let role = Role::Publisher(Box::new(publisher));
        crowd.add(Client::new(peer, role, tell).of_room(self.number))?;
        publish(&mut link).await?;
        told("the trainer's media connection", connected).await?;
        Ok(tokio::spawn(link.keep(stopped(crowd.stopped()))))
    }

    fn guest(&self, index: usize) -> Guest {
        Guest {
            link: self.learner_link.clone(),
            name: format!("Learner {:04}", index + 1),
            device: format!("loadtests-learner-{}-{index}", self.number),
        }
    }

    async fn learner(&self, crowd: &Crowd, index: usize) -> Result<JoinTimes> {
        let place = crowd.joining.acquire().await;
        let began = Instant::now();
        let joined = join(&self.origin, &self.guest(index)).await?;
        let (profile, slots) = (self.profile.profile(), self.profile.slots());
        let offered = Offered::new(crowd.ip, profile, slots)?;
        let offer = offered.sdp.clone();
        let (mut link, welcome) =
            Link::open(&self.origin, joined.token, profile, slots, offer).await?;
        let answer = need_answer(welcome.answer)?;
        let mut peer = offered.answer(&answer.sdp)?;
        let types = PayloadTypes {
            video: payload_type(&mut peer.rtc, Codec::Vp8)?,
            audio: payload_type(&mut peer.rtc, Codec::Opus)?,
        };
        let (tell_connected, connected) = oneshot::channel();
        let (tell_video, first_video) = oneshot::channel();
        let depth = if is_full(index, self.full, self.learners) {
            Depth::Full
        } else {
            Depth::Light
        };
        let learner = Learner::new(depth, types, crowd.clock, peer.transport_id, tell_video);
        let role = Role::Learner(Box::new(learner));
        crowd.add(Client::new(peer, role, tell_connected).of_room(self.number))?;
        let tracks = link.find_tracks(MediaKind::Camera, self.cameras).await?;
        link.send(ClientMessage::View(watch_tracks(&answer, &tracks, HEIGHT)?))
            .await?;
        let link = tokio::spawn(link.keep(stopped(crowd.stopped())));
        let connected = told("a learner's media connection", connected).await? - began;
        drop(place);
        let first_video = told("a learner's first video packet", first_video).await? - began;
        Ok(JoinTimes {
            connected,
            first_video,
            link,
        })
    }

    async fn webrtc_learner(&self, crowd: &Crowd, index: usize) -> Result<JoinTimes> {
        let place = crowd.joining.acquire().await;
        let began = Instant::now();
        let joined = join(&self.origin, &self.guest(index)).await?;
        let (profile, slots) = (self.profile.profile(), self.profile.slots());
        let (client, offer) = WebrtcLearner::offer(crowd.ip, slots, crowd.clock).await?;
        let (mut link, welcome) =
            Link::open(&self.origin, joined.token, profile, slots, offer).await?;
        let answer = need_answer(welcome.answer)?;
        client.answer(&answer.sdp).await?;
        let tracks = link.find_tracks(MediaKind::Camera, self.cameras).await?;
        link.send(ClientMessage::View(watch_tracks(&answer, &tracks, HEIGHT)?))
            .await?;
        let link = tokio::spawn(link.keep(stopped(crowd.stopped())));
        let connected = client.connected().await? - began;
        drop(place);
        let first_video = client.first_video().await? - began;
        crowd
            .webrtc
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push((self.number, client));
        Ok(JoinTimes {
            connected,
            first_video,
            link,
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
