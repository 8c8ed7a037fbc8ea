//! Rooms that are recorded: people who publish a known pattern, and what recording
//! costs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use lophoc_protocol::recording::{RecordConsent, RecordState, RecordWhom, RecordedBy, Recording};
use lophoc_protocol::{ClientMessage, MediaKind, Profile, ServerMessage, SlotCounts};
use serde::Serialize;
use str0m::format::Codec;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::error::{LoadError, Result};
use crate::flash::Flash;
use crate::http::Origin;
use crate::ivf::{Clip, ClipLoop};
use crate::lecture::{need_answer, publish, stopped, told};
use crate::pattern::StampClock;
use crate::peer::{Offered, local_ip, payload_type};
use crate::publisher::{AudioSource, Outlet, Pace, Packet, Publisher};
use crate::reactor::{Client, Reactor, Role};
use crate::server::{CpuTime, METRICS_TOKEN, Metrics, OwnServer};
use crate::signal::{Guest, Link, join_recorded};

/// Receiving slots of somebody who publishes and looks at nothing.
const SLOTS: SlotCounts = SlotCounts { a: 1, v: 1, s: 0 };
/// Level of somebody who speaks, −dBov.
const LOUD: u8 = 25;
/// Longest wait for a recording to take something.
const CAPTURE_TIMEOUT: Duration = Duration::from_secs(30);

/// Sound in a loop.
struct Sound {
    packets: Arc<Vec<Vec<u8>>>,
    next: usize,
}

impl AudioSource for Sound {
    fn packet(&mut self) -> (Packet, u8) {
        let payload = self.packets.get(self.next % self.packets.len().max(1));
        self.next += 1;
        let packet = Packet {
            payload: payload.cloned().unwrap_or_default(),
            stamp_at: None,
        };
        (packet, LOUD)
    }
}

/// Where people of a run publish from.
pub struct Stage {
    origin: Origin,
    ip: IpAddr,
    reactor: Reactor,
    clock: StampClock,
}

impl Stage {
    /// For the server at this address.
    pub async fn new(origin: &Origin) -> Result<Self> {
        let clock = StampClock::default();
        Ok(Self {
            origin: origin.clone(),
            ip: local_ip(origin).await?,
            reactor: Reactor::start("speakers", clock.origin())?,
            clock,
        })
    }

    /// Somebody comes in and publishes camera and microphone.
    pub async fn enter(
        &self,
        link: &str,
        name: &str,
        clip: &Arc<Clip>,
        sound: &Arc<Vec<Vec<u8>>>,
    ) -> Result<Link> {
        let guest = Guest {
            link: link.to_owned(),
            name: name.to_owned(),
            device: format!("loadtests-{name}"),
        };
        let joined = join_recorded(&self.origin, &guest).await?;
        let offered = Offered::new(self.ip, Profile::Viewer, SLOTS)?;
        let sdp = offered.sdp.clone();
        let (mut link, welcome) =
            Link::open(&self.origin, joined.token, Profile::Viewer, SLOTS, sdp).await?;
        let mut peer = offered.answer(&need_answer(welcome.answer)?.sdp)?;
        let video = payload_type(&mut peer.rtc, Codec::Vp8)?;
        let audio = payload_type(&mut peer.rtc, Codec::Opus)?;
        let mut publisher = Publisher::new(self.clock, Pace::Browser);
        for (kind, mid) in peer.sends.clone() {
            match kind {
                MediaKind::Camera => {
                    let source = Box::new(ClipLoop::new(Arc::clone(clip)));
                    publisher = publisher.with_video(Outlet::new(mid, video), source);
                }
                MediaKind::Mic => {
                    let packets = Arc::clone(sound);
                    let source = Box::new(Sound { packets, next: 0 });
                    publisher = publisher.with_audio(Outlet::new(mid, audio), source);
                }
                MediaKind::Screen | MediaKind::ScreenAudio => {}
            }
        }
        let (tell, connected) = oneshot::channel();
        let role = Role::Publisher(Box::new(publisher));
        self.reactor.add(Client::new(peer, role, tell))?;
        publish(&mut link).await?;
        told("a speaker's media connection", connected).await?;
        Ok(link)
    }
}

/// Begins a recording by the server, once there is a recorder, and waits until
/// something is taken. Whoever begins it accepts it.
pub async fn begin(link: &mut Link) -> Result<()> {
    let begun = async {
        let mut again = tokio::time::interval(Duration::from_secs(1));
        let mut answered = 0;
        loop {
            tokio::select! {
                // Refused until the recorder has come up.
                _ = again.tick() => link.send(record(true)).await?,
                frame = link.next() => {
                    let frame = frame?;
                    accept(link, &frame.msg, &mut answered).await?;
                    if recording_of(&frame.msg).is_some_and(|of| of.state == RecordState::On) {
                        return Ok(());
                    }
                }
            }
        }
    };
    tokio::time::timeout(CAPTURE_TIMEOUT, begun)
        .await
        .map_err(|_| LoadError::Timeout("a recording to begin"))?
}

/// Ends the recording.
pub async fn end(link: &mut Link) -> Result<()> {
    link.send(record(false)).await
}

fn record(on: bool) -> ClientMessage {
    ClientMessage::ModRecord {
        on,
        who: "Load test".to_owned(),
        why: String::new(),
        keep: String::new(),
        by: RecordedBy::Server,
        whom: RecordWhom::All,
        // Strict enough for every room.
        ask: RecordConsent::Consent,
    }
}

/// The recording by the server a frame tells of.
fn recording_of(msg: &ServerMessage) -> Option<&Recording> {
    let info = match msg {
        ServerMessage::Welcome(welcome) => &welcome.room,
        ServerMessage::Room(room) => room,
        _ => return None,
    };
    let recording = info.recording.as_ref();
    recording.filter(|recording| recording.by == RecordedBy::Server)
}

/// Accepts the words of a recording, each once; `answered`: the last ones.
async fn accept(link: &mut Link, msg: &ServerMessage, answered: &mut u64) -> Result<()> {
    let Some(notice) = recording_of(msg).map(|recording| recording.notice) else {
        return Ok(());
    };
    if notice == 0 || notice == *answered {
        return Ok(());
    }
    *answered = notice;
    let accept = true;
    link.send(ClientMessage::RecordReply { notice, accept })
        .await
}

/// Stays until `stop` resolves, accepting to be recorded whenever asked, then leaves.
pub async fn stay(mut link: Link, stop: impl Future<Output = ()>) -> Result<()> {
    let every = Duration::from_millis(lophoc_protocol::limits::PING_EVERY_MS);
    let mut ping = tokio::time::interval(every);
    let mut answered = 0;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = ping.tick() => link.send(ClientMessage::Ping { c: 0 }).await?,
            frame = link.next() => {
                let frame = frame?;
                accept(&mut link, &frame.msg, &mut answered).await?;
            }
        }
    }
    link.leave().await
}

/// Stays, begins the recording when `go` resolves, says so when something is taken,
/// and stays until `stop` resolves.
async fn lead(
    mut link: Link,
    go: impl Future<Output = ()>,
    taken: oneshot::Sender<()>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let every = Duration::from_millis(lophoc_protocol::limits::PING_EVERY_MS);
    let mut ping = tokio::time::interval(every);
    tokio::pin!(go);
    loop {
        tokio::select! {
            () = &mut go => break,
            _ = ping.tick() => link.send(ClientMessage::Ping { c: 0 }).await?,
            frame = link.next() => drop(frame?),
        }
    }
    begin(&mut link).await?;
    // Who waits for it may have given up.
    let _ = taken.send(());
    stay(link, stop).await
}

/// Settings of `loadtests recording`.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// How many rooms.
    pub rooms: usize,
    /// People with camera and microphone in each: a trainer and learners.
    pub speakers: usize,
    /// Length of each of the two phases, seconds.
    pub seconds: u64,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Rooms.
    pub rooms: usize,
    /// Tracks recorded at the end.
    pub tracks: f64,
    /// Hours recorded, summed over tracks.
    pub track_hours: f64,
    /// Processor time of the recorder, seconds.
    pub recorder_cpu: f64,
    /// The same for each recorded hour of a track, seconds.
    pub recorder_cpu_per_track_hour: f64,
    /// Share of a core the recorder takes.
    pub recorder_cores: f64,
    /// Share of a core the server takes without recording.
    pub server_cores_without: f64,
    /// The same with all rooms recorded.
    pub server_cores_with: f64,
    /// Bytes written.
    pub bytes: f64,
    /// Bytes dropped because the disk did not follow.
    pub dropped_bytes: f64,
    /// Gaps.
    pub gaps: f64,
}

async fn metrics(origin: &Origin) -> Result<Metrics> {
    Metrics::fetch_as(origin, Some(METRICS_TOKEN)).await
}

impl Rooms {
    /// Fills the rooms, measures them without and then with recording.
    pub async fn run(&self, server: OwnServer, flash: &Flash) -> Result<Cost> {
        let stage = Stage::new(&server.origin).await?;
        let (tell_stop, stop) = watch::channel(false);
        let mut kept: Vec<JoinHandle<Result<()>>> = Vec::new();
        let (tell_go, go) = watch::channel(false);
        let mut hosts = Vec::new();
        for room in 0..self.rooms {
            let room = server
                .new_class(&format!("Recorded {room}"), "conference")
                .await?;
            let link = server.link(&room, "trainer").await?;
            for index in 0..self.speakers {
                let name = format!("speaker-{index}");
                let link = stage.enter(&link, &name, &flash.clip, &flash.sound).await?;
                if index == 0 {
                    let (taken, takes) = oneshot::channel();
                    let (go, stop) = (stopped(go.clone()), stopped(stop.clone()));
                    kept.push(tokio::spawn(lead(link, go, taken, stop)));
                    hosts.push(takes);
                } else {
                    kept.push(tokio::spawn(stay(link, stopped(stop.clone()))));
                }
            }
        }
        let pid = server.pid().ok_or(LoadError::Timeout("the server"))?;
        let recorder = server
            .recorder_pid()
            .ok_or_else(|| LoadError::Server("the server has no recorder".to_owned()))?;
        let seconds = self.seconds as f64;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = CpuTime::of(pid)?;
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let without = CpuTime::of(pid)?.since(&before);
        // They listen until they are told.
        let _ = tell_go.send(true);
        for takes in hosts {
            told("a recording", takes).await?;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let (at_first, counted) = (
            (CpuTime::of(pid)?, CpuTime::of(recorder)?),
            metrics(&server.origin).await?,
        );
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let with = CpuTime::of(pid)?.since(&at_first.0);
        let recorder_cpu = CpuTime::of(recorder)?.since(&at_first.1);
        let now = metrics(&server.origin).await?;
        let grown = |name: &str| now.growth(&counted, name).unwrap_or(0.0);
        let track_hours = grown("lophoc_recording_track_seconds_total") / 3_600.0;
        let cost = Cost {
            rooms: self.rooms,
            tracks: now.get("lophoc_recording_tracks").unwrap_or(0.0),
            track_hours,
            recorder_cpu: recorder_cpu.total,
            recorder_cpu_per_track_hour: recorder_cpu.total / track_hours.max(f64::MIN_POSITIVE),
            recorder_cores: recorder_cpu.total / seconds,
            server_cores_without: without.total / seconds,
            server_cores_with: with.total / seconds,
            bytes: grown("lophoc_recording_bytes_total"),
            dropped_bytes: grown("lophoc_recording_dropped_bytes_total"),
            gaps: grown("lophoc_recording_gaps_total"),
        };
        let _ = tell_stop.send(true);
        for link in kept {
            link.await
                .map_err(|why| LoadError::Media(why.to_string()))??;
        }
        server.stop().await?;
        Ok(cost)
    }
}
