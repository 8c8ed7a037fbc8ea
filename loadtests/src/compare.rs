//! The same lecture on this server and on Janus, by turns, in a network of their
//! own.
//!
//! Janus takes no address of a loopback device, so both run in a network namespace
//! with a pair of virtual Ethernet devices; traffic between an address and itself
//! goes the way of loopback there as well, for both alike.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::crowd::{Crowd, Measured};
use crate::error::{LoadError, Result};
use crate::janus::{Janus, JanusLecture};
use crate::lecture::Lecture;
use crate::publisher::Pace;
use crate::report::LectureReport;
use crate::server::{Build, Options, resident_mib};

/// Address of server and clients inside the namespace.
const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
/// This times as many packets per CPU second as Janus.
const BAR: f64 = 7.0;
/// A run counts only when so much of what was published arrived.
const DELIVERED: f64 = 0.99;

/// Settings of the comparison.
#[derive(Debug, Clone)]
pub struct Compare {
    /// Learners.
    pub learners: usize,
    /// Of them, those that decrypt.
    pub full: usize,
    /// Runs of each.
    pub repeats: usize,
    /// Seconds of a run.
    pub seconds: u64,
    /// Seconds between the last join and the measurement.
    pub warmup: u64,
    /// How the publisher puts a frame on the wire.
    pub pace: Pace,
    /// Build of the server.
    pub build: Build,
}

/// Runs of one server.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Who.
    pub name: String,
    /// Cipher of the media.
    pub cipher: Option<String>,
    /// Forwarded packets per CPU second, the median.
    pub packets_per_cpu_s: Option<f64>,
    /// Its runs.
    pub runs: Vec<LectureReport>,
}

/// Result.
#[derive(Debug, Clone, Serialize)]
pub struct CompareReport {
    /// This server, then Janus.
    pub sides: [Side; 2],
    /// Packets per CPU second of the first over those of the second.
    pub ratio: Option<f64>,
    /// The ratio wished for.
    pub bar: f64,
    /// Whether it is reached by runs in which everything arrived at this server's
    /// learners.
    pub pass: Option<bool>,
    /// Whether the server was built with optimisation.
    pub release: bool,
}

impl fmt::Display for CompareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.release {
            writeln!(f, "UNOPTIMISED server: the ratio says nothing")?;
        }
        writeln!(
            f,
            "| who | packets per CPU s | µs each | CPU % | delivered | lost | MiB | run | video p50 / p99 ms | sound p99 ms | feedback /s | others' CPU s |"
        )?;
        writeln!(f, "|{}", " --- |".repeat(12))?;
        for side in &self.sides {
            for run in &side.runs {
                let rate = run.packets_per_cpu_s.unwrap_or_default();
                let cpu = run.server_cpu_s.map_or(0.0, |cpu| cpu.total);
                writeln!(
                    f,
                    "| {} | {rate:.0} | {:.2} | {:.0} | {:.4} | {} | {:.0} | {} | {:.1} / {:.1} | {:.1} | {:.0} | {:.1} |",
                    side.name,
                    1e6 / rate,
                    cpu / run.settings.seconds as f64 * 100.0,
                    run.delivered_ratio,
                    run.lost_packets,
                    run.server_rss_mib.unwrap_or_default(),
                    run.gso_mean_run
                        .map_or("–".to_owned(), |run| format!("{run:.2}")),
                    run.latency_ms.p50,
                    run.latency_ms.p99,
                    run.audio_latency_ms.p99,
                    run.twcc_per_s,
                    run.others_cpu_s,
                )?;
            }
        }
        for side in &self.sides {
            writeln!(
                f,
                "{}: median {:.0} packets per CPU second, cipher {}",
                side.name,
                side.packets_per_cpu_s.unwrap_or_default(),
                side.cipher.as_deref().unwrap_or("unknown")
            )?;
        }
        if self.pass == Some(false) && self.ratio >= Some(self.bar) {
            writeln!(f, "not everything arrived at this server's learners")?;
        }
        let verdict = match self.pass {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "not measured",
        };
        writeln!(
            f,
            "ratio {:.2}, bar ≥ {}: {verdict}",
            self.ratio.unwrap_or_default(),
            self.bar
        )?;
        let runs = self.sides.iter().flat_map(|side| &side.runs);
        for failure in runs.flat_map(|run| &run.failures) {
            writeln!(f, "failure: {failure}")?;
        }
        Ok(())
    }
}

/// Runs this program again inside a network namespace with `args`; its exit code.
pub fn inside_namespace(args: &[String]) -> Result<i32> {
    let own = std::env::current_exe().map_err(LoadError::io("own path"))?;
    let mut command = Command::new("unshare");
    // As root a namespace of the network is enough; else one of users is needed.
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let status = command
        .args(["--net", "--"])
        .arg(own)
        .args(args)
        .status()
        .map_err(LoadError::io("unshare (package util-linux)"))?;
    status
        .code()
        .ok_or_else(|| LoadError::Server(format!("the comparison ended with {status}")))
}

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        line.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
    })
}

/// Makes the devices of the namespace this process is in.
pub fn make_devices() -> Result<()> {
    let ip = format!("{INSIDE}/24");
    for args in [
        &["link", "set", "lo", "up"][..],
        &[
            "link", "add", "load0", "type", "veth", "peer", "name", "load1",
        ],
        &["addr", "add", &ip, "dev", "load0"],
        &["link", "set", "load0", "up"],
        &["link", "set", "load1", "up"],
    ] {
        let output = Command::new("ip")
            .args(args)
            .stdin(Stdio::null())
            .output()
            .map_err(LoadError::io("ip (package iproute2)"))?;
        if !output.status.success() {
            return Err(LoadError::Server(format!(
                "ip {}: {}; the comparison needs a network namespace of its own: run it as \
                 root, or where users may make namespaces",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
    }
    Ok(())
}

fn median(runs: &[LectureReport]) -> Option<f64> {
    let mut rates: Vec<f64> = runs
        .iter()
        .filter_map(|run| run.packets_per_cpu_s)
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

impl Compare {
    fn lecture(&self) -> Lecture {
        Lecture {
            learners: self.learners,
            seconds: self.seconds,
            warmup: self.warmup,
            full: Some(self.full),
            pace: self.pace,
            build: self.build,
            options: Options {
                ip: INSIDE,
                ..Options::default()
            },
            ..Lecture::default()
        }
    }

    async fn ours(&self) -> Result<(LectureReport, Option<String>)> {
        let lecture = self.lecture();
        let running = lecture.start().await?;
        let cipher = running.cipher().await?;
        Ok((lecture.finish(running).await?, cipher))
    }

    async fn janus(&self) -> Result<(LectureReport, Option<String>)> {
        let janus = Janus::start(INSIDE).await?;
        let lecture = self.lecture();
        let measured = Measured {
            pid: janus.pid(),
            ..Measured::default()
        };
        let rss_start = measured.pid.map(resident_mib).transpose()?;
        let crowd = Arc::new(Crowd::start(IpAddr::V4(INSIDE), lecture.joining)?);
        let room = JanusLecture {
            learners: self.learners,
            full: self.full.min(self.learners),
            pace: self.pace,
        };
        let joins = room.fill(&janus, &crowd).await?;
        tokio::time::sleep(Duration::from_secs(self.warmup)).await;
        let length = Duration::from_secs(self.seconds);
        let window = crowd.measure(&measured, length).await?;
        let cipher = crowd.cipher().await?;
        crowd.stop();
        let mut report = LectureReport::of(self.learners, &window, lecture.settings(1));
        report.join_ms = joins.connected.percentiles();
        report.first_video_ms = joins.first_video.percentiles();
        report.server_rss_start_mib = rss_start;
        report.failures = joins.ended().await;
        janus.stop().await?;
        Ok((report, cipher))
    }

    /// Runs it, in the namespace this process is in.
    pub async fn run(&self) -> Result<CompareReport> {
        let mut sides = [
            Side {
                name: "lophoc".to_owned(),
                cipher: None,
                packets_per_cpu_s: None,
                runs: Vec::new(),
            },
            Side {
                name: Janus::version().await?,
                cipher: None,
                packets_per_cpu_s: None,
                runs: Vec::new(),
            },
        ];
        let [ours, theirs] = &mut sides;
        for turn in 0..self.repeats.max(1) {
            eprintln!("run {} of {}", turn + 1, self.repeats.max(1));
            let (report, cipher) = self.ours().await?;
            ours.runs.push(report);
            ours.cipher = cipher;
            let (report, cipher) = self.janus().await?;
            theirs.runs.push(report);
            theirs.cipher = cipher;
        }
        ours.packets_per_cpu_s = median(&ours.runs);
        theirs.packets_per_cpu_s = median(&theirs.runs);
        let ratio = ours
            .packets_per_cpu_s
            .zip(theirs.packets_per_cpu_s)
            .map(|(ours, theirs)| ours / theirs);
        let arrived = ours.runs.iter().all(|run| run.delivered_ratio >= DELIVERED);
        Ok(CompareReport {
            ratio,
            bar: BAR,
            pass: ratio.map(|ratio| ratio >= BAR && arrived),
            release: self.build == Build::Release,
            sides,
        })
    }
}
