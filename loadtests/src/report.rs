//! What a run says at its end.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use lophoc_protocol::{Profile, SlotCounts};

use crate::crowd::Window;
use crate::histogram::Percentiles;
use crate::publisher::{Pace, Sent};
use crate::server::CpuTime;
use crate::threads::ThreadCpu;

/// Which implementation the learners are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// str0m, many clients on one thread.
    #[default]
    Str0m,
    /// The `webrtc` crate, one driver task per client.
    Webrtc,
}

/// What the learners offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearnerProfile {
    /// The audience: 3 audio, 2 video, 1 screen.
    #[default]
    Viewer,
    /// A member of the class on a phone: 5 audio, 4 video, 1 screen.
    SeatPhone,
}

impl LearnerProfile {
    /// The profile it says hello with.
    pub fn profile(self) -> Profile {
        match self {
            Self::Viewer => Profile::Viewer,
            Self::SeatPhone => Profile::Seat,
        }
    }

    /// The slots it asks for.
    pub const fn slots(self) -> SlotCounts {
        match self {
            Self::Viewer => SlotCounts { a: 3, v: 2, s: 1 },
            Self::SeatPhone => SlotCounts { a: 5, v: 4, s: 1 },
        }
    }
}

/// How the run was set up.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// Always `lecture`.
    pub scenario: &'static str,
    /// Rooms at once.
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
    /// Learners that decrypt everything.
    pub full: usize,
    /// Pacing of the publisher.
    pub pace: Pace,
    /// Joins at the same time.
    pub joining: usize,
    /// Processors of the machine, shared by server and clients.
    pub cpus: usize,
    /// True when the server was built with optimisation.
    pub release: bool,
}

/// Result of a lecture.
#[derive(Debug, Clone, Serialize)]
pub struct LectureReport {
    /// Learners wished for.
    pub learners: usize,
    /// Learners connected at the end of the measurement.
    pub connected: usize,
    /// `POST /api/join` until ICE and DTLS are up.
    pub join_ms: Percentiles,
    /// `POST /api/join` until the first video packet.
    pub first_video_ms: Percentiles,
    /// Packets received / (packets published × connected learners).
    pub delivered_ratio: f64,
    /// Sequence numbers that never came, all learners.
    pub lost_packets: u64,
    /// Packets that came again under their number, all learners.
    pub repeated_packets: u64,
    /// Packets whose contents were not as published, learners that decrypt.
    pub corrupt_packets: u64,
    /// Video, from the write of the publisher to the decrypted packet.
    pub latency_ms: Percentiles,
    /// The same of audio.
    pub audio_latency_ms: Percentiles,
    /// Processor time of the server; none when the server is not on this machine.
    pub server_cpu_s: Option<CpuTime>,
    /// The part of its media threads.
    pub media_cpu_s: Option<f64>,
    /// The part of its other threads.
    pub control_cpu_s: Option<f64>,
    /// Share of the time its busiest media thread ran, 0 to 1.
    pub shard_load: Option<f64>,
    /// Its processor time by thread name.
    pub server_threads_s: Option<ThreadCpu>,
    /// Its resident memory at the end, MiB.
    pub server_rss_mib: Option<f64>,
    /// The same before anybody had joined, MiB.
    pub server_rss_start_mib: Option<f64>,
    /// Video and audio packets that reached the learners.
    pub forwarded_packets: u64,
    /// Retransmissions and padding that reached them besides.
    pub other_packets: u64,
    /// Forwarded packets per second of the server's processor time.
    pub packets_per_cpu_s: Option<f64>,
    /// Datagrams per message the server handed to the kernel.
    pub gso_mean_run: Option<f64>,
    /// Packets the server dropped, by reason.
    pub server_drops: BTreeMap<String, u64>,
    /// What the publisher sent in the measured time.
    pub published: Sent,
    /// Packets of transport-wide feedback the light learners sent per second, all
    /// together.
    pub twcc_per_s: f64,
    /// RTCP packets the learners sent per second, all together.
    pub rtcp_per_s: f64,
    /// Processor time of this generator.
    pub generator_cpu_s: CpuTime,
    /// Processor time per packet of the light learners, feedback included, ns.
    pub light_ns_per_packet: Option<f64>,
    /// Processor time of everything else on the machine: what disturbed the run.
    pub others_cpu_s: f64,
    /// Clients that could not join or lost their link, with the first reasons.
    pub failures: Vec<String>,
    /// Settings.
    pub settings: Settings,
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

impl LectureReport {
    /// The figures of a window; what is known of the joins is to be entered.
    pub fn of(learners: usize, window: &Window, settings: Settings) -> Self {
        let received = window.received();
        let threads = window.threads.as_ref();
        Self {
            learners,
            connected: window.connected(),
            join_ms: Percentiles::default(),
            first_video_ms: Percentiles::default(),
            delivered_ratio: rounded(window.delivered(), 10_000.0),
            lost_packets: received.lost,
            repeated_packets: received.repeated,
            corrupt_packets: received.corrupt,
            latency_ms: received.video_latency.percentiles(),
            audio_latency_ms: received.audio_latency.percentiles(),
            server_cpu_s: window.cpu,
            media_cpu_s: threads.map(|t| rounded(t.media(), 1_000.0)),
            control_cpu_s: threads.map(|t| rounded(t.total() - t.media(), 1_000.0)),
            shard_load: window.shard_load().map(|load| rounded(load, 1_000.0)),
            server_threads_s: threads.cloned(),
            server_rss_mib: window.rss,
            server_rss_start_mib: None,
            forwarded_packets: received.video + received.audio,
            other_packets: received.other,
            packets_per_cpu_s: window.per_cpu_second().map(f64::round),
            gso_mean_run: window.after.mean_run(&window.before),
            server_drops: window.after.drops(&window.before),
            published: window.published(),
            twcc_per_s: rounded(received.feedback as f64 / window.seconds, 10.0),
            rtcp_per_s: rounded(window.reports as f64 / window.seconds, 10.0),
            generator_cpu_s: window.generator,
            light_ns_per_packet: window.light_cost(settings.full, learners).map(f64::round),
            others_cpu_s: rounded(window.others, 100.0),
            failures: Vec::new(),
            settings,
        }
    }
}

impl fmt::Display for LectureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = &self.settings;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, p: &Percentiles| {
            writeln!(
                f,
                "{name:<22} p50 {:>8.2}  p95 {:>8.2}  p99 {:>8.2}  max {:>8.2}  ({})",
                p.p50, p.p95, p.p99, p.max, p.count
            )
        };
        writeln!(
            f,
            "lecture, {} learners ({} decrypt all, {:?}) in {} rooms with {} cameras each, {} s after {} s, client {:?}, pace {:?}, {} CPUs{}",
            self.learners,
            s.full,
            s.profile,
            s.rooms,
            s.cameras,
            s.seconds,
            s.warmup,
            s.client,
            s.pace,
            s.cpus,
            if s.release {
                ""
            } else {
                ", UNOPTIMISED server"
            },
        )?;
        writeln!(
            f,
            "connected              {} of {}",
            self.connected, self.learners
        )?;
        line(f, "join, ms", &self.join_ms)?;
        line(f, "first video, ms", &self.first_video_ms)?;
        line(f, "video latency, ms", &self.latency_ms)?;
        line(f, "audio latency, ms", &self.audio_latency_ms)?;
        writeln!(f, "published              {:?}", self.published)?;
        writeln!(
            f,
            "forwarded              {} packets, ratio {:.4}, lost {}, repeated {}, corrupt {}, other {}",
            self.forwarded_packets,
            self.delivered_ratio,
            self.lost_packets,
            self.repeated_packets,
            self.corrupt_packets,
            self.other_packets
        )?;
        if let Some(cpu) = self.server_cpu_s {
            writeln!(
                f,
                "server CPU             {:.2} s (user {:.2}, system {:.2}; media threads {:.2}, others {:.2})",
                cpu.total,
                cpu.user,
                cpu.sys,
                self.media_cpu_s.unwrap_or_default(),
                self.control_cpu_s.unwrap_or_default()
            )?;
            writeln!(
                f,
                "busiest media thread   {:.1} % of the time",
                self.shard_load.unwrap_or_default() * 100.0
            )?;
            writeln!(
                f,
                "server memory          {:.1} MiB, before the first join {:.1}",
                self.server_rss_mib.unwrap_or_default(),
                self.server_rss_start_mib.unwrap_or_default()
            )?;
        }
        if let Some(rate) = self.packets_per_cpu_s {
            writeln!(
                f,
                "packets per CPU second {rate:.0} ({:.2} µs each)",
                1e6 / rate
            )?;
        }
        if let Some(run) = self.gso_mean_run {
            writeln!(f, "datagrams per send     {run:.2}")?;
        }
        writeln!(f, "server drops           {:?}", self.server_drops)?;
        writeln!(
            f,
            "feedback               {:.1} transport-wide per second (light learners), {:.1} RTCP packets (all)",
            self.twcc_per_s, self.rtcp_per_s
        )?;
        write!(
            f,
            "generator CPU          {:.2} s, others {:.2} s",
            self.generator_cpu_s.total, self.others_cpu_s
        )?;
        match self.light_ns_per_packet {
            Some(cost) => writeln!(f, "; {cost:.0} ns per packet of a light learner")?,
            None => writeln!(f)?,
        }
        for failure in &self.failures {
            writeln!(f, "failure: {failure}")?;
        }
        Ok(())
    }
}
