//! What the server must reach, measured and held against its bars.
//!
//! Every figure is the median of several runs, each with a server of its own, but
//! for those under load: there one server gets room after room of the same size
//! until its busiest media thread has enough to do, and several stretches are
//! measured. A bar is passed or not; nothing is rounded in its favour.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crowd::Window;
use crate::error::{LoadError, Result};
use crate::lecture::{Lecture, Running};
use crate::publisher::Pace;
use crate::report::{LearnerProfile, LectureReport};
use crate::server::{Build, Options};

/// Packets per CPU second, frames at once.
const BURST: f64 = 350_000.0;
/// Packets per CPU second under load, paced as browsers do.
const LOADED: f64 = 300_000.0;
/// How busy the busiest media thread is to be for that.
pub const LOAD: f64 = 0.70;
/// Cost per packet / bare loop, few and many learners.
const BARE: [f64; 2] = [1.6, 2.0];
/// Growth of the cost per packet from few to many learners.
const GROWTH: f64 = 1.3;
/// Memory of a learner, KiB.
const MEMORY: f64 = 200.0;
/// Latency that 99 of 100 packets stay below, ms: at ease and under load.
const LATENCY: [f64; 2] = [10.0, 30.0];
/// A figure counts only when so much of what was published arrived.
const DELIVERED: f64 = 0.99;
/// Most learners of a room that decrypt, under load.
const FULL_UNDER_LOAD: usize = 2;
/// Most rooms under load.
const MAX_ROOMS: usize = 16;
/// A generator thread this busy can drive no further.
const GENERATOR_FULL: f64 = 0.90;
/// How long the load is looked at between two rooms.
const LOOK: Duration = Duration::from_secs(2);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Bars {
    /// Learners of the lecture.
    pub learners: usize,
    /// The two sizes whose costs and memory are compared.
    pub sizes: [usize; 2],
    /// Learners of each room that decrypt.
    pub full: usize,
    /// Runs of each kind.
    pub repeats: usize,
    /// Seconds of a run.
    pub seconds: u64,
    /// Seconds between the last join and the measurement.
    pub warmup: u64,
    /// What the learners offer.
    pub profile: LearnerProfile,
    /// How busy the busiest media thread is to be.
    pub load: f64,
    /// What `cargo bench` printed of `egress` (or `bare`) with `--json`.
    pub bare: Option<PathBuf>,
    /// Build of the servers.
    pub build: Build,
    /// How the servers are started.
    pub options: Options,
}

/// Median of something.
fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// A bar and what was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What is measured.
    pub what: String,
    /// The bar.
    pub bar: String,
    /// The figure; none when it could not be had.
    pub measured: Option<f64>,
    /// Its unit.
    pub unit: &'static str,
    /// Whether the bar is passed; none when there is no figure.
    pub pass: Option<bool>,
    /// What else there is to know.
    pub note: String,
}

enum Bound {
    Least(f64),
    Most(f64),
}

fn row(
    what: impl Into<String>,
    bound: Bound,
    unit: &'static str,
    measured: Option<f64>,
    valid: bool,
    note: String,
) -> Row {
    let (bar, good) = match bound {
        Bound::Least(bar) => (format!("≥ {}", number(bar)), measured.map(|m| m >= bar)),
        Bound::Most(bar) => (format!("≤ {}", number(bar)), measured.map(|m| m <= bar)),
    };
    Row {
        what: what.into(),
        bar,
        measured,
        unit,
        pass: good.map(|good| good && valid),
        note,
    }
}

fn number(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// What came of all runs.
#[derive(Debug, Clone, Serialize)]
pub struct BarsReport {
    /// Processors of the machine, shared by server and clients.
    pub cpus: usize,
    /// Whether the servers were built with optimisation.
    pub release: bool,
    /// Runs of each kind.
    pub repeats: usize,
    /// Seconds of a run.
    pub seconds: u64,
    /// What the learners offered.
    pub profile: LearnerProfile,
    /// The bars.
    pub rows: Vec<Row>,
    /// All runs, by what they are for.
    pub runs: BTreeMap<String, Vec<LectureReport>>,
}

impl BarsReport {
    /// Whether every bar is passed.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.pass == Some(true))
    }
}

impl fmt::Display for BarsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} CPUs shared by server and clients, {} build, median of {} runs of {} s, {:?} learners",
            self.cpus,
            if self.release {
                "release"
            } else {
                "UNOPTIMISED"
            },
            self.repeats,
            self.seconds,
            self.profile
        )?;
        writeln!(
            f,
            "\n| what | bar | measured | | |\n| --- | --- | --- | --- | --- |"
        )?;
        for row in &self.rows {
            let measured = row.measured.map_or("not measured".to_owned(), |m| {
                format!("{} {}", number(m), row.unit)
            });
            let verdict = match row.pass {
                Some(true) => "pass",
                Some(false) => "FAIL",
                None => "–",
            };
            writeln!(
                f,
                "| {} | {} | {} | {verdict} | {} |",
                row.what, row.bar, measured, row.note
            )?;
        }
        writeln!(f)?;
        for (name, runs) in &self.runs {
            for run in runs {
                writeln!(
                    f,
                    "{name:<10} {:>4} learners, {} rooms: {:>7.0} per CPU s, run {:.2}, delivered {:.4}, \
                     lost {}, load {:.0} %, video p99 {:.1} ms, audio p99 {:.1} ms, {:.0} MiB, \
                     feedback {:.0}/s, light {:.0} ns, others {:.1} CPU s{}",
                    run.connected,
                    run.settings.rooms,
                    run.packets_per_cpu_s.unwrap_or_default(),
                    run.gso_mean_run.unwrap_or_default(),
                    run.delivered_ratio,
                    run.lost_packets,
                    run.shard_load.unwrap_or_default() * 100.0,
                    run.latency_ms.p99,
                    run.audio_latency_ms.p99,
                    run.server_rss_mib.unwrap_or_default(),
                    run.twcc_per_s,
                    run.light_ns_per_packet.unwrap_or_default(),
                    run.others_cpu_s,
                    if run.failures.is_empty() {
                        ""
                    } else {
                        ", with failures"
                    },
                )?;
            }
        }
        for failure in self.runs.values().flatten().flat_map(|run| &run.failures) {
            writeln!(f, "failure: {failure}")?;
        }
        Ok(())
    }
}

/// A set of runs of one kind.
struct Runs<'a>(&'a [LectureReport]);

impl Runs<'_> {
    fn median(&self, of: impl Fn(&LectureReport) -> Option<f64>) -> Option<f64> {
        median(self.0.iter().filter_map(of))
    }

    fn per_cpu(&self) -> Option<f64> {
        self.median(|run| run.packets_per_cpu_s)
    }

    /// Processor time per packet, ns.
    fn cost(&self) -> Option<f64> {
        self.per_cpu().map(|rate| 1e9 / rate)
    }

    /// The worse of sound and picture, 99 of 100, ms.
    fn latency(&self) -> Option<f64> {
        self.median(|run| {
            let (video, sound) = (run.latency_ms, run.audio_latency_ms);
            (video.count > 0 && sound.count > 0).then(|| video.p99.max(sound.p99))
        })
    }

    /// Whether what was measured is the lecture: everybody in, everything arrived.
    fn valid(&self) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|run| run.connected == run.learners)
            && self.median(|run| Some(run.delivered_ratio)) >= Some(DELIVERED)
    }

    fn note(&self) -> String {
        let of = |value: Option<f64>| value.unwrap_or_default();
        let mut note = format!(
            "{} learners; delivered {:.3}, run {:.2}",
            self.0.first().map_or(0, |run| run.learners),
            of(self.median(|run| Some(run.delivered_ratio))),
            of(self.median(|run| run.gso_mean_run)),
        );
        if !self.valid() {
            note.push_str("; NOT VALID: not everybody was in, or not everything arrived");
        }
        note
    }
}

/// A row of the bench's JSON.
#[derive(Deserialize)]
struct BenchRow {
    ns: f64,
}

/// Rows of the benches by number of receivers: ns per packet.
pub type Bench = BTreeMap<usize, BTreeMap<String, f64>>;

/// Reads what a bench printed with `--json`.
pub fn read_bench(file: &Path) -> Result<Bench> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(LoadError::io(name.clone()))?;
    // Cargo's own lines may stand around it.
    let line = text.lines().rev().find(|line| line.starts_with('{'));
    let bad = |why: String| LoadError::BadFile {
        file: name.clone(),
        why,
    };
    let line = line.ok_or_else(|| bad("there is no JSON object in it".to_owned()))?;
    let sets: BTreeMap<usize, BTreeMap<String, BenchRow>> =
        serde_json::from_str(line).map_err(|why| bad(why.to_string()))?;
    let costs = |rows: BTreeMap<String, BenchRow>| {
        let costs = rows.into_iter().map(|(name, row)| (name, row.ns));
        costs.collect()
    };
    Ok(sets
        .into_iter()
        .map(|(receivers, rows)| (receivers, costs(rows)))
        .collect())
}

/// A row of a bench.
fn bench_cost(bench: Option<&Bench>, receivers: usize, row: &str) -> Option<f64> {
    bench?.get(&receivers)?.get(row).copied()
}

impl Bars {
    fn lecture(&self, learners: usize, pace: Pace) -> Lecture {
        Lecture {
            learners,
            profile: self.profile,
            seconds: self.seconds,
            warmup: self.warmup,
            full: Some(self.full),
            pace,
            build: self.build,
            options: self.options.clone(),
            ..Lecture::default()
        }
    }

    async fn one(&self, name: &str, learners: usize, pace: Pace) -> Result<LectureReport> {
        eprintln!("{name}: {learners} learners, {pace:?}");
        self.lecture(learners, pace).run().await
    }

    /// One server, rooms until its busiest media thread has enough to do.
    async fn loaded(&self) -> Result<(Vec<LectureReport>, String)> {
        let lecture = Lecture {
            // Of many rooms a few that decrypt are enough, and they cost.
            full: Some(self.full.min(FULL_UNDER_LOAD)),
            ..self.lecture(self.learners, Pace::Browser)
        };
        let mut running = lecture.start().await?;
        let why = self.drive(&mut running).await?;
        eprintln!("under load: {} rooms, {why}", running.rooms());
        tokio::time::sleep(Duration::from_secs(self.warmup)).await;
        let mut reports = Vec::new();
        for _ in 0..self.repeats {
            let window = running.measure(Duration::from_secs(self.seconds)).await?;
            let rooms = running.rooms();
            let settings = lecture.settings(rooms);
            let mut report = LectureReport::of(self.learners * rooms, &window, settings);
            report.join_ms = running.joins.connected.percentiles();
            report.first_video_ms = running.joins.first_video.percentiles();
            report.server_rss_start_mib = running.rss_start;
            reports.push(report);
        }
        let failures = running.end().await;
        if let Some(last) = reports.last_mut() {
            last.failures = failures;
        }
        Ok((reports, why))
    }

    /// Adds rooms; says why it stopped.
    async fn drive(&self, running: &mut Running) -> Result<String> {
        loop {
            tokio::time::sleep(LOOK).await;
            let window = running.measure(LOOK).await?;
            let load = window.shard_load().unwrap_or(0.0);
            let generator = busiest(&window);
            eprintln!(
                "under load: {} rooms, busiest media thread {:.0} %, generator thread {:.0} %",
                running.rooms(),
                load * 100.0,
                generator * 100.0
            );
            if load >= self.load {
                return Ok(format!("{:.0} % wished for", self.load * 100.0));
            }
            if generator >= GENERATOR_FULL {
                return Ok(format!(
                    "the generator's own thread was busy to {:.0} %",
                    generator * 100.0
                ));
            }
            if !running.joins.failures.is_empty() {
                return Ok("learners could not join any more".to_owned());
            }
            if running.rooms() >= MAX_ROOMS {
                return Ok(format!("{MAX_ROOMS} rooms are the most it makes"));
            }
            running.add_room().await?;
        }
    }

    /// Runs everything.
    pub async fn run(&self) -> Result<BarsReport> {
        let bench = self.bare.as_deref().map(read_bench).transpose()?;
        let mut runs: BTreeMap<String, Vec<LectureReport>> = BTreeMap::new();
        let [few, many] = self.sizes;
        for _ in 0..self.repeats.max(1) {
            // Everything takes its turn, so that what disturbs disturbs all.
            for (name, learners, pace) in [
                ("burst", self.learners, Pace::Burst),
                ("at ease", self.learners, Pace::Browser),
                ("few", few, Pace::Burst),
                ("many", many, Pace::Burst),
            ] {
                let report = self.one(name, learners, pace).await?;
                runs.entry(name.to_owned()).or_default().push(report);
            }
        }
        let (loaded, why) = self.loaded().await?;
        runs.insert("under load".to_owned(), loaded);
        Ok(BarsReport {
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            release: self.build == Build::Release,
            repeats: self.repeats,
            seconds: self.seconds,
            profile: self.profile,
            rows: self.rows(&runs, bench.as_ref(), &why),
            runs,
        })
    }

    fn rows(
        &self,
        runs: &BTreeMap<String, Vec<LectureReport>>,
        bench: Option<&Bench>,
        why: &str,
    ) -> Vec<Row> {
        let of = |name: &str| Runs(runs.get(name).map_or(&[], Vec::as_slice));
        let (burst, ease, loaded) = (of("burst"), of("at ease"), of("under load"));
        let [few, many] = [of("few"), of("many")];
        let load = loaded.median(|run| run.shard_load);
        let enough = load >= Some(self.load);
        let loaded_note = format!(
            "busiest media thread {:.0} % in {} rooms ({why}); {}",
            load.unwrap_or_default() * 100.0,
            loaded.0.last().map_or(0, |run| run.settings.rooms),
            loaded.note()
        );
        let both = few.valid() && many.valid();
        let mut rows = vec![
            row(
                "packets per CPU second, frames at once",
                Bound::Least(BURST),
                "",
                burst.per_cpu(),
                burst.valid(),
                burst.note(),
            ),
            row(
                format!(
                    "packets per CPU second, browser's pace, load ≥ {:.0} %",
                    self.load * 100.0
                ),
                Bound::Least(LOADED),
                "",
                loaded.per_cpu(),
                loaded.valid() && enough,
                loaded_note.clone(),
            ),
        ];
        for ((runs, size), bar) in [&few, &many].into_iter().zip(self.sizes).zip(BARE) {
            let floor = bench_cost(bench, size, "bare");
            let note = floor.map_or("needs --bare".to_owned(), |floor| {
                format!(
                    "{floor:.0} ns the bare loop, {:.0} ns the whole server; {}",
                    runs.cost().unwrap_or_default(),
                    runs.note()
                )
            });
            rows.push(row(
                format!("cost per packet / bare loop, {size} learners"),
                Bound::Most(bar),
                "",
                runs.cost().zip(floor).map(|(cost, floor)| cost / floor),
                runs.valid(),
                note,
            ));
        }
        for (size, bar) in self.sizes.into_iter().zip(BARE) {
            let floor = bench_cost(bench, size, "bare");
            let direct = bench_cost(bench, size, "direct");
            if let Some((direct, floor)) = direct.zip(floor) {
                rows.push(row(
                    format!("the send path alone / bare loop, {size} receivers"),
                    Bound::Most(bar),
                    "",
                    Some(direct / floor),
                    true,
                    format!("{direct:.0} ns over {floor:.0} ns, by the bench"),
                ));
            }
        }
        let growth = many.cost().zip(few.cost()).map(|(many, few)| many / few);
        rows.push(row(
            format!(
                "cost per packet, {} learners over {}",
                self.sizes[1], self.sizes[0]
            ),
            Bound::Most(GROWTH),
            "",
            growth,
            both,
            format!(
                "{:.0} ns over {:.0} ns",
                many.cost().unwrap_or_default(),
                few.cost().unwrap_or_default()
            ),
        ));
        let memory = |runs: &Runs<'_>| runs.median(|run| run.server_rss_mib);
        let more = self.sizes[1].saturating_sub(self.sizes[0]) as f64;
        let viewer = memory(&many).zip(memory(&few));
        rows.push(row(
            "memory of a learner",
            Bound::Most(MEMORY),
            "KiB",
            viewer.map(|(many, few)| (many - few) * 1_024.0 / more),
            both,
            format!(
                "{:.1} MiB with {}, {:.1} MiB with {}",
                memory(&many).unwrap_or_default(),
                self.sizes[1],
                memory(&few).unwrap_or_default(),
                self.sizes[0]
            ),
        ));
        rows.push(row(
            "latency p99 at ease",
            Bound::Most(LATENCY[0]),
            "ms",
            ease.latency(),
            ease.valid(),
            ease.note(),
        ));
        rows.push(row(
            format!("latency p99, load ≥ {:.0} %", self.load * 100.0),
            Bound::Most(LATENCY[1]),
            "ms",
            loaded.latency(),
            loaded.valid() && enough,
            loaded_note,
        ));
        rows
    }
}

/// Share of the time the busiest thread of this generator ran.
fn busiest(window: &Window) -> f64 {
    let named = &window.generator_threads.named;
    let most = named.values().copied().fold(0.0, f64::max);
    most / window.seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_bar_is_passed_only_by_a_valid_figure_on_the_right_side() {
        let pass =
            |bound, measured, valid| row("x", bound, "", measured, valid, String::new()).pass;
        assert_eq!(pass(Bound::Least(350.0), Some(350.0), true), Some(true));
        assert_eq!(pass(Bound::Least(350.0), Some(349.9), true), Some(false));
        assert_eq!(pass(Bound::Least(350.0), Some(400.0), false), Some(false));
        assert_eq!(pass(Bound::Most(10.0), Some(10.1), true), Some(false));
        assert_eq!(pass(Bound::Most(10.0), None, true), None);
    }

    #[test]
    fn the_bench_is_read_between_other_lines() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("bare.json");
        let json =
            r#"{"50":{"bare":{"ns":1280.5,"min":1},"other":{"ns":9}},"500":{"bare":{"ns":1400}}}"#;
        std::fs::write(&file, format!("Running benches/bare.rs\n{json}\n")).unwrap();
        let bench = read_bench(&file).unwrap();
        let cost = |receivers, row| bench_cost(Some(&bench), receivers, row);
        assert_eq!(cost(50, "bare"), Some(1280.5));
        assert_eq!(cost(50, "other"), Some(9.0));
        assert_eq!(cost(500, "bare"), Some(1400.0));
        assert_eq!((cost(500, "other"), cost(200, "bare")), (None, None));
        std::fs::write(&file, "nothing").unwrap();
        assert!(read_bench(&file).is_err());
    }
}
