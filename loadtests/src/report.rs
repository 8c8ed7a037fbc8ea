//! What a run says at its end.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::histogram::Percentiles;
use crate::publisher::{Pace, Sent};
use crate::server::CpuTime;

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

/// How the run was set up.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// Always `lecture`.
    pub scenario: &'static str,
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
    /// Video, from the write of the publisher to the decrypted packet.
    pub latency_ms: Percentiles,
    /// The same of audio.
    pub audio_latency_ms: Percentiles,
    /// Processor time of the server; none when the server is not on this machine.
    pub server_cpu_s: Option<CpuTime>,
    /// Its resident memory at the end, MiB.
    pub server_rss_mib: Option<f64>,
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
    /// Processor time of this generator.
    pub generator_cpu_s: CpuTime,
    /// Processor time of everything else on the machine: what disturbed the run.
    pub others_cpu_s: f64,
    /// Clients that could not join or lost their link, with the first reasons.
    pub failures: Vec<String>,
    /// Settings.
    pub settings: Settings,
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
            "lecture, {} learners ({} decrypt all), {} s after {} s, client {:?}, pace {:?}, {} CPUs{}",
            self.learners,
            s.full,
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
            "forwarded              {} packets, ratio {:.4}, lost {}, other {}",
            self.forwarded_packets, self.delivered_ratio, self.lost_packets, self.other_packets
        )?;
        if let Some(cpu) = self.server_cpu_s {
            writeln!(
                f,
                "server CPU             {:.2} s (user {:.2}, system {:.2}), {:.1} MiB",
                cpu.total,
                cpu.user,
                cpu.sys,
                self.server_rss_mib.unwrap_or_default()
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
            "generator CPU          {:.2} s, others {:.2} s",
            self.generator_cpu_s.total, self.others_cpu_s
        )?;
        for failure in &self.failures {
            writeln!(f, "failure: {failure}")?;
        }
        Ok(())
    }
}
