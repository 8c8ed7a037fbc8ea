//! The clients of one run, whoever serves them, and what is counted of them and
//! of the server in a stretch of time.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::error::Result;
use crate::http::Origin;
use crate::learner::{Depth, Received};
use crate::pattern::StampClock;
use crate::publisher::Sent;
use crate::reactor::{Client, Reactor, Role};
use crate::server::{CpuTime, Metrics, machine_busy, resident_mib};
use crate::threads::{ThreadCpu, ThreadTimes};
use crate::webrtc_client::WebrtcLearner;

/// The learners' counters are read this long after the publishers', so that
/// what was on the way is counted with its sending.
const IN_FLIGHT: Duration = Duration::from_millis(150);
/// Name of the thread of the learners that read clear headers.
pub const LIGHT_THREAD: &str = "light";
/// Name of the thread of the learners that decrypt.
const FULL_THREAD: &str = "full";
/// Name of the thread of the publishers.
const PUBLISHER_THREAD: &str = "publishers";

/// Clients on three threads: what the many cost must not delay what is timed at
/// the few.
pub struct Crowd {
    /// Clock of all stamps.
    pub clock: StampClock,
    /// Address the clients send from.
    pub ip: IpAddr,
    /// Places for those who join at the same time.
    pub joining: Semaphore,
    /// Clients of the `webrtc` crate, with their rooms.
    pub webrtc: Mutex<Vec<(usize, WebrtcLearner)>>,
    publishers: Reactor,
    light: Reactor,
    full: Reactor,
    stop: watch::Sender<bool>,
}

/// Counters of one room's clients.
#[derive(Debug, Clone, Default)]
pub struct RoomCount {
    /// Sent by its publishers.
    pub sent: Sent,
    /// Received by its learners.
    pub received: Received,
    /// Learners connected.
    pub connected: usize,
}

/// The server a crowd is measured against.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Process, when it is on this machine.
    pub pid: Option<u32>,
    /// Where `/metrics` is read, when it has one.
    pub metrics: Option<Origin>,
    /// Token for it.
    pub token: Option<&'static str>,
}

/// What a stretch of time brought.
#[derive(Debug, Clone)]
pub struct Window {
    /// How long it was, seconds.
    pub seconds: f64,
    /// Of each room.
    pub rooms: Vec<RoomCount>,
    /// RTCP packets the learners sent.
    pub reports: u64,
    /// Processor time of the server by ticks and by the scheduler's clock.
    pub cpu: Option<CpuTime>,
    /// The same by thread.
    pub threads: Option<ThreadCpu>,
    /// Its memory at the end, MiB.
    pub rss: Option<f64>,
    /// Processor time of this generator.
    pub generator: CpuTime,
    /// The same by thread.
    pub generator_threads: ThreadCpu,
    /// Processor time of everything else on the machine.
    pub others: f64,
    /// Server's numbers before.
    pub before: Metrics,
    /// Server's numbers after.
    pub after: Metrics,
}

/// What the kernel and the server say at one moment.
struct Moment {
    at: Instant,
    cpu: Option<CpuTime>,
    threads: Option<ThreadTimes>,
    generator: CpuTime,
    generator_threads: ThreadTimes,
    busy: f64,
    metrics: Metrics,
}

impl Moment {
    async fn now(server: &Measured) -> Result<Self> {
        let metrics = match &server.metrics {
            // A server elsewhere may keep its metrics to itself.
            Some(origin) => Metrics::fetch_as(origin, server.token)
                .await
                .unwrap_or_default(),
            None => Metrics::default(),
        };
        let own = std::process::id();
        Ok(Self {
            at: Instant::now(),
            cpu: server.pid.map(CpuTime::of).transpose()?,
            threads: server.pid.map(ThreadTimes::of).transpose()?,
            generator: CpuTime::of(own)?,
            generator_threads: ThreadTimes::of(own)?,
            busy: machine_busy()?,
            metrics,
        })
    }
}

impl Crowd {
    /// Starts the threads. `joining` clients join at the same time.
    pub fn start(ip: IpAddr, joining: usize) -> Result<Self> {
        let clock = StampClock::default();
        Ok(Self {
            clock,
            ip,
            joining: Semaphore::new(joining.max(1)),
            webrtc: Mutex::default(),
            publishers: Reactor::start(PUBLISHER_THREAD, clock.origin())?,
            light: Reactor::start(LIGHT_THREAD, clock.origin())?,
            full: Reactor::start(FULL_THREAD, clock.origin())?,
            stop: watch::channel(false).0,
        })
    }

    /// Hands a client to its thread.
    pub fn add(&self, client: Client) -> Result<()> {
        match &client.role {
            Role::Publisher(_) => self.publishers.add(client),
            Role::Learner(learner) if learner.depth == Depth::Light => self.light.add(client),
            Role::Learner(_) => self.full.add(client),
        }
    }

    /// Cipher the first of the light learners agreed on with the server.
    pub async fn cipher(&self) -> Result<Option<String>> {
        self.light
            .visit(|clients| {
                clients.iter().find_map(|client| match &client.role {
                    Role::Learner(learner) => learner.feedback.as_ref().map(|f| f.cipher()),
                    Role::Publisher(_) => None,
                })
            })
            .await
    }

    /// Resolves when the run ends.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Ends the run for all that wait for [`Self::stopped`].
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// What the publishers sent so far, by room.
    async fn sent(&self) -> Result<Vec<Sent>> {
        self.publishers
            .visit(|clients| {
                let mut rooms = Vec::new();
                for client in clients {
                    if let Role::Publisher(publisher) = &client.role {
                        of_room(&mut rooms, client.room, |sent: &mut Sent| {
                            sent.add(&publisher.sent);
                        });
                    }
                }
                rooms
            })
            .await
    }

    /// Counters of all learners since the last call, by room, and how many RTCP
    /// packets they have sent since the start.
    async fn received(&self) -> Result<(Vec<RoomCount>, u64)> {
        let mut rooms = Vec::new();
        let mut reports = 0;
        for reactor in [&self.light, &self.full] {
            let part = reactor
                .visit(|clients| {
                    let mut rooms = Vec::new();
                    let mut reports = 0;
                    for client in clients {
                        reports += client.reports_sent();
                        let connected = usize::from(client.connected);
                        if let Role::Learner(learner) = &mut client.role {
                            of_room(&mut rooms, client.room, |count: &mut RoomCount| {
                                count.received.merge(&learner.take());
                                count.connected += connected;
                            });
                        }
                    }
                    (rooms, reports)
                })
                .await?;
            reports += part.1;
            for (room, part) in part.0.into_iter().enumerate() {
                of_room(&mut rooms, room, |count: &mut RoomCount| {
                    count.received.merge(&part.received);
                    count.connected += part.connected;
                });
            }
        }
        let webrtc = self
            .webrtc
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for (room, client) in webrtc.iter() {
            of_room(&mut rooms, *room, |count: &mut RoomCount| {
                count.received.merge(&client.take());
                count.connected += usize::from(client.is_connected());
            });
        }
        Ok((rooms, reports))
    }

    /// Measures for `length`, which is at least a second.
    pub async fn measure(&self, server: &Measured, length: Duration) -> Result<Window> {
        let before = Moment::now(server).await?;
        let sent_before = self.sent().await?;
        tokio::time::sleep(IN_FLIGHT).await;
        let (_, reports_before) = self.received().await?;
        tokio::time::sleep(length.saturating_sub(IN_FLIGHT)).await;
        let sent = self.sent().await?;
        let after = Moment::now(server).await?;
        tokio::time::sleep(IN_FLIGHT).await;
        let (mut rooms, reports) = self.received().await?;
        for (room, sent) in sent.into_iter().enumerate() {
            let before = sent_before.get(room).copied().unwrap_or_default();
            of_room(&mut rooms, room, |count: &mut RoomCount| {
                count.sent = sent.since(&before);
            });
        }
        let cpu = after.cpu.zip(before.cpu);
        let cpu = cpu.map(|(after, before)| after.since(&before));
        let generator = after.generator.since(&before.generator);
        let of_run = generator.total + cpu.map_or(0.0, |cpu| cpu.total);
        Ok(Window {
            seconds: (after.at - before.at).as_secs_f64(),
            rooms,
            reports: reports.saturating_sub(reports_before),
            cpu,
            threads: after
                .threads
                .zip(before.threads)
                .map(|(after, before)| after.since(&before)),
            rss: server.pid.map(resident_mib).transpose()?,
            generator,
            generator_threads: after.generator_threads.since(&before.generator_threads),
            others: (after.busy - before.busy - of_run).max(0.0),
            before: before.metrics,
            after: after.metrics,
        })
    }
}

/// Changes the entry of a room, making those before it as well.
fn of_room<T: Default>(rooms: &mut Vec<T>, room: usize, change: impl FnOnce(&mut T)) {
    while rooms.len() <= room {
        rooms.push(T::default());
    }
    if let Some(entry) = rooms.get_mut(room) {
        change(entry);
    }
}

impl Window {
    /// All rooms together.
    pub fn received(&self) -> Received {
        let mut sum = Received::default();
        for room in &self.rooms {
            sum.merge(&room.received);
        }
        sum
    }

    /// Learners connected.
    pub fn connected(&self) -> usize {
        self.rooms.iter().map(|room| room.connected).sum()
    }

    /// What all publishers sent.
    pub fn published(&self) -> Sent {
        let mut sum = Sent::default();
        for room in &self.rooms {
            sum.add(&room.sent);
        }
        sum
    }

    /// Video and audio packets that reached the learners.
    pub fn forwarded(&self) -> u64 {
        let received = self.received();
        received.video + received.audio
    }

    /// Those / (packets published × learners connected in their room).
    pub fn delivered(&self) -> f64 {
        let expected: u64 = self
            .rooms
            .iter()
            .map(|room| (room.sent.video + room.sent.audio) * room.connected as u64)
            .sum();
        self.forwarded() as f64 / (expected as f64).max(1.0)
    }

    /// Forwarded packets per second of the server's processor time.
    pub fn per_cpu_second(&self) -> Option<f64> {
        let cpu = self.cpu.filter(|cpu| cpu.total > 0.0)?;
        Some(self.forwarded() as f64 / cpu.total)
    }

    /// Share of the time the busiest media thread ran, 0 to 1.
    pub fn shard_load(&self) -> Option<f64> {
        Some(self.threads.as_ref()?.busiest_shard() / self.seconds)
    }

    /// What a packet cost the thread of the light learners, feedback included, ns;
    /// `full` learners of `all` are not on that thread.
    pub fn light_cost(&self, full: usize, all: usize) -> Option<f64> {
        let light = all.checked_sub(full).filter(|light| *light > 0)?;
        let packets = self.forwarded() as f64 * light as f64 / all as f64;
        let spent = self.generator_threads.of(LIGHT_THREAD);
        (packets > 0.0).then_some(spent / packets * 1e9)
    }
}
