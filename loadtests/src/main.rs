//! Command line of the load generator.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use loadtests::bars::{Bars, LOAD};
use loadtests::bots::Bots;
use loadtests::compare::{Compare, inside_namespace, make_devices};
use loadtests::error::{LoadError, Result};
use loadtests::flash::Flash;
use loadtests::http::Origin;
use loadtests::impair::{Badness, Impaired};
use loadtests::janus::Janus;
use loadtests::lecture::{Lecture, Remote};
use loadtests::publisher::Pace;
use loadtests::recording::Rooms;
use loadtests::report::{ClientKind, LearnerProfile};
use loadtests::server::{Build, Options, OwnServer};
use loadtests::sizing::Sizing;
use loadtests::socket::raise_descriptor_limit;
use loadtests::weak::Weak;
use tokio::net::{TcpListener, UdpSocket};

/// Real ICE, DTLS and SRTP clients against a lophoc server.
#[derive(Debug, Parser)]
#[command(name = "loadtests", version)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// One trainer publishes, many learners watch and listen.
    Lecture(LectureArgs),
    /// What the server must reach, as a table of bars; fails when one is missed.
    Bars(BarsArgs),
    /// The same lecture on Janus, by turns (needs the package `janus`, and root).
    Compare(CompareArgs),
    /// The sizing table of docs/CAPACITY.md.
    Sizing(SizingArgs),
    /// Publishing bots for a gallery.
    Bots(BotsArgs),
    /// One learner on a weak link: rungs, page times, sound.
    Weak(WeakArgs),
    /// Rooms that are recorded: what recording costs.
    Recording(RecordingArgs),
    /// A bad network between clients and a server, for UDP and TCP.
    Impair(ImpairArgs),
}

/// `loadtests recording`
#[derive(Debug, Args)]
struct RecordingArgs {
    /// Rooms.
    #[arg(long, default_value_t = 10)]
    rooms: usize,
    /// People with camera and microphone in each.
    #[arg(long, default_value_t = 2)]
    speakers: usize,
    /// Length of each of the two phases, seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// How bad the link is.
#[derive(Debug, Args)]
struct LinkArgs {
    /// Rate from the server, kbit/s; 0 = without limit.
    #[arg(long, default_value_t = 64)]
    down_kbit: u32,
    /// Rate to the server, kbit/s; 0 = without limit.
    #[arg(long, default_value_t = 128)]
    up_kbit: u32,
    /// Lost packets each way, percent.
    #[arg(long, default_value_t = 5.0)]
    loss: f64,
    /// Packets lost in a row on average.
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// Round-trip time, ms.
    #[arg(long, default_value_t = 300)]
    rtt: u64,
    /// Up to this much more each way, ms.
    #[arg(long, default_value_t = 10)]
    jitter: u64,
    /// Longest wait in the queue of each way, ms.
    #[arg(long, default_value_t = 600)]
    queue: u64,
    /// Dice: the same seed loses the same packets.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl LinkArgs {
    fn badness(&self, kbit: u32) -> Badness {
        Badness {
            kbit,
            loss: self.loss,
            burst: self.burst,
            delay: Duration::from_millis(self.rtt / 2),
            jitter: Duration::from_millis(self.jitter),
            queue: Duration::from_millis(self.queue),
        }
    }
}

#[derive(Debug, Args)]
struct WeakArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// Seconds of lesson.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(10..))]
    seconds: u64,
    /// The learner saves data from the beginning.
    #[arg(long)]
    saver: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ImpairArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// Address to listen on for datagrams.
    #[arg(long, requires = "to")]
    listen: Option<SocketAddr>,
    /// Where datagrams go.
    #[arg(long, requires = "listen")]
    to: Option<SocketAddr>,
    /// Address to listen on for connections.
    #[arg(long, requires = "tcp_to")]
    tcp_listen: Option<SocketAddr>,
    /// Where connections go.
    #[arg(long, requires = "tcp_listen")]
    tcp_to: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct LectureArgs {
    /// Learners of each room.
    #[arg(long, default_value_t = 50)]
    learners: usize,
    /// Rooms at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    rooms: u16,
    /// Cameras of each room; every learner watches all.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    cameras: u16,
    /// What the learners offer.
    #[arg(long, value_enum, default_value_t)]
    profile: LearnerProfile,
    /// Media threads of the run's own server; without it the server's default.
    #[arg(long)]
    shards: Option<u16>,
    /// Seconds measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seconds between the last join and the measurement.
    #[arg(long, default_value_t = 3)]
    warmup: u64,
    /// Implementation of the learners.
    #[arg(long, value_enum, default_value_t)]
    client: ClientKind,
    /// Only this many learners decrypt; the others read clear headers and send
    /// their own feedback. Without it all decrypt.
    #[arg(long)]
    full: Option<usize>,
    /// How the publisher puts a frame on the wire.
    #[arg(long, value_enum, default_value_t)]
    pace: Pace,
    /// Joins at the same time.
    #[arg(long, default_value_t = 16)]
    joining: usize,
    /// A running server (http://host:port) instead of one of the run's own.
    #[arg(long, requires_all = ["link", "trainer_link"])]
    server: Option<String>,
    /// Open link of learners on that server.
    #[arg(long, requires = "server")]
    link: Option<String>,
    /// Link of the trainer on that server.
    #[arg(long, requires = "server")]
    trainer_link: Option<String>,
    /// Process id of that server, to measure it, when it runs on this machine.
    #[arg(long, requires = "server")]
    pid: Option<u32>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct BarsArgs {
    /// Runs of each kind; the median counts.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Seconds of a run.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seconds between the last join and the measurement.
    #[arg(long, default_value_t = 4)]
    warmup: u64,
    /// Learners of the lecture.
    #[arg(long, default_value_t = 200)]
    learners: usize,
    /// The smaller of the two sizes compared.
    #[arg(long, default_value_t = 50)]
    few: usize,
    /// The larger of the two sizes compared.
    #[arg(long, default_value_t = 500)]
    many: usize,
    /// Learners of each room that decrypt.
    #[arg(long, default_value_t = 10)]
    full: usize,
    /// How busy the busiest media thread is to be under load, 0 to 1.
    #[arg(long, default_value_t = LOAD)]
    load: f64,
    /// What the learners offer.
    #[arg(long, value_enum, default_value_t)]
    profile: LearnerProfile,
    /// Media threads of the servers; without it the server's default.
    #[arg(long)]
    shards: Option<u16>,
    /// Output of the bench `egress` (or `bare`) with `--n 50,500 --json`.
    #[arg(long)]
    bare: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CompareArgs {
    /// Learners.
    #[arg(long, default_value_t = 200)]
    learners: usize,
    /// Of them, those that decrypt.
    #[arg(long, default_value_t = 10)]
    full: usize,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Seconds of a run.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seconds between the last join and the measurement.
    #[arg(long, default_value_t = 4)]
    warmup: u64,
    /// How the publisher puts a frame on the wire.
    #[arg(long, value_enum, default_value_t = Pace::Burst)]
    pace: Pace,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// The namespace is made already: this process is inside.
    #[arg(long, hide = true)]
    inside: bool,
}

#[derive(Debug, Args)]
struct SizingArgs {
    /// Forwarded packets per CPU second under load, as `bars` measured them.
    #[arg(long)]
    per_cpu_second: Option<f64>,
    /// Memory of a learner, KiB, as `bars` measured it.
    #[arg(long)]
    learner_kib: Option<f64>,
}

#[derive(Debug, Args)]
struct BotsArgs {
    /// The server, http://host:port.
    #[arg(long)]
    server: String,
    /// Open join link.
    #[arg(long)]
    link: String,
    /// How many.
    #[arg(long, default_value_t = 12)]
    count: usize,
    /// How long they stay, seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// VP8 in IVF; may be given several times: bot n plays file n. Without it
    /// the clips and the tone of `tests/fixtures` are played.
    #[arg(long)]
    video: Vec<PathBuf>,
    /// Opus packets, each behind its length in two bytes.
    #[arg(long)]
    audio: Option<PathBuf>,
    /// Names of the bots, separated by commas; the others are called "Bot n".
    #[arg(long, value_delimiter = ',')]
    names: Vec<String>,
}

async fn lecture(args: LectureArgs) -> Result<()> {
    let remote = match (args.server, args.trainer_link, args.link) {
        (Some(server), Some(trainer_link), Some(learner_link)) => Some(Remote {
            origin: Origin::parse(&server)?,
            trainer_link,
            learner_link,
            pid: args.pid,
        }),
        _ => None,
    };
    let lecture = Lecture {
        learners: args.learners,
        rooms: args.rooms.into(),
        cameras: args.cameras.into(),
        profile: args.profile,
        seconds: args.seconds,
        warmup: args.warmup,
        client: args.client,
        full: args.full,
        pace: args.pace,
        joining: args.joining,
        remote,
        build: Build::own(),
        options: Options {
            shards: args.shards,
            ..Options::default()
        },
    };
    tell(&lecture.run().await?, args.json)
}

/// Prints a report.
fn tell(report: &(impl serde::Serialize + std::fmt::Display), json: bool) -> Result<()> {
    if json {
        let json = serde_json::to_string(report)
            .map_err(|why| LoadError::Server(format!("report: {why}")))?;
        println!("{json}");
    } else {
        print!("{report}");
    }
    Ok(())
}

async fn bars(args: BarsArgs) -> Result<()> {
    let bars = Bars {
        learners: args.learners,
        sizes: [args.few, args.many],
        full: args.full,
        repeats: args.repeats.max(1),
        seconds: args.seconds,
        warmup: args.warmup,
        profile: args.profile,
        load: args.load,
        bare: args.bare,
        build: Build::own(),
        options: Options {
            shards: args.shards,
            ..Options::default()
        },
    };
    let report = bars.run().await?;
    tell(&report, args.json)?;
    if report.passed() {
        Ok(())
    } else {
        Err(LoadError::Server("not every bar is passed".to_owned()))
    }
}

async fn compare(args: CompareArgs) -> Result<()> {
    if !args.inside {
        Janus::version().await?;
        let mut again: Vec<String> = std::env::args().skip(1).collect();
        again.push("--inside".to_owned());
        return match inside_namespace(&again)? {
            0 => Ok(()),
            code => Err(LoadError::Server(format!(
                "the comparison ended with code {code}"
            ))),
        };
    }
    make_devices()?;
    let compare = Compare {
        learners: args.learners,
        full: args.full,
        repeats: args.repeats,
        seconds: args.seconds,
        warmup: args.warmup,
        pace: args.pace,
        build: Build::own(),
    };
    let report = compare.run().await?;
    tell(&report, args.json)?;
    match report.pass {
        Some(true) => Ok(()),
        _ => Err(LoadError::Server("the bar is not passed".to_owned())),
    }
}

/// The committed clips in the order of their names, and the tone.
fn fixtures(audio: Option<PathBuf>) -> Result<(Vec<PathBuf>, Option<PathBuf>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let name = folder.display().to_string();
    let entries = std::fs::read_dir(&folder).map_err(LoadError::io(name))?;
    let mut videos: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ivf"))
        .collect();
    videos.sort();
    Ok((videos, audio.or_else(|| Some(folder.join("tone.opus")))))
}

async fn bots(args: BotsArgs) -> Result<()> {
    let (videos, audio) = if args.video.is_empty() {
        fixtures(args.audio)?
    } else {
        (args.video, args.audio)
    };
    let bots = Bots {
        origin: Origin::parse(&args.server)?,
        link: args.link,
        count: args.count,
        seconds: args.seconds,
        videos,
        audio,
        names: args.names,
    };
    let broken = bots.run(|| println!("{} bots publish", args.count)).await?;
    for error in &broken {
        eprintln!("{error}");
    }
    Ok(())
}

/// Prints what recording costs, as JSON.
async fn recording(args: RecordingArgs) -> Result<()> {
    let folder = tempfile::tempdir().map_err(LoadError::io("temporary folder"))?;
    // As a browser sends it: 360p, a keyframe every ten seconds or when asked.
    let flash = Flash::make(folder.path(), (640, 360), 250)?;
    // A machine for tests has a small disk.
    let free = ("LOPHOC_RECORDING_MIN_FREE_MB".to_owned(), "256".to_owned());
    let options = Options {
        settings: vec![free],
        ..Options::default()
    };
    let server = OwnServer::start_with(Build::own().binary().await?, &options).await?;
    let rooms = Rooms {
        rooms: args.rooms,
        speakers: args.speakers,
        seconds: args.seconds,
    };
    let cost = rooms.run(server, &flash).await?;
    let json =
        serde_json::to_string_pretty(&cost).map_err(|why| LoadError::Server(why.to_string()))?;
    println!("{json}");
    Ok(())
}

async fn weak(args: WeakArgs) -> Result<()> {
    let weak = Weak {
        down: args.link.badness(args.link.down_kbit),
        up: args.link.badness(args.link.up_kbit),
        seed: args.link.seed,
        seconds: args.seconds,
        saver: args.saver,
        build: Build::own(),
    };
    tell(&weak.run().await?, args.json)
}

/// A line that changes the link while it is used: the same options.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct LinkLine {
    #[command(flatten)]
    link: LinkArgs,
}

/// Reads from the standard input how the link is from then on. For a thread of its
/// own: a read that waits would hold up the end of the runtime.
fn change(link: &Impaired) {
    for line in std::io::stdin().lines().map_while(std::io::Result::ok) {
        match LinkLine::try_parse_from(line.split_whitespace()) {
            Ok(LinkLine { link: bad }) => {
                link.become_so(bad.badness(bad.up_kbit), bad.badness(bad.down_kbit));
                println!("changed");
            }
            Err(why) => eprintln!("{why}"),
        }
    }
}

/// Relays until it is interrupted, then tells what passed. Lines with the same
/// options change the link.
async fn impair(args: ImpairArgs) -> Result<()> {
    let bad = &args.link;
    let (up, down) = (bad.badness(bad.up_kbit), bad.badness(bad.down_kbit));
    let link = Impaired::new(up, down, bad.seed);
    let mut relays = tokio::task::JoinSet::new();
    if let Some((listen, to)) = args.listen.zip(args.to) {
        let socket = UdpSocket::bind(listen)
            .await
            .map_err(LoadError::io(listen.to_string()))?;
        let link = link.clone();
        relays.spawn(async move { link.relay_udp(socket, to).await });
    }
    if let Some((listen, to)) = args.tcp_listen.zip(args.tcp_to) {
        let listener = TcpListener::bind(listen)
            .await
            .map_err(LoadError::io(listen.to_string()))?;
        let link = link.clone();
        relays.spawn(async move { link.relay_tcp(listener, to).await });
    }
    if relays.is_empty() {
        return Err(LoadError::Server(
            "nothing to relay: give --listen and --to, or --tcp-listen and --tcp-to".to_owned(),
        ));
    }
    println!("relaying");
    let changed = link.clone();
    std::thread::spawn(move || change(&changed));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        Some(ended) = relays.join_next() => {
            ended.map_err(|why| LoadError::Server(why.to_string()))??;
        }
    }
    let (up, down) = link.passed();
    println!("up   {up:?}\ndown {down:?}");
    Ok(())
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    if let Err(error) = raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(LoadError::io("runtime"));
    let result = runtime.and_then(|runtime| {
        runtime.block_on(async {
            match cli.scenario {
                Scenario::Lecture(args) => lecture(args).await,
                Scenario::Bars(args) => bars(args).await,
                Scenario::Compare(args) => compare(args).await,
                Scenario::Sizing(args) => {
                    let sizing = Sizing {
                        per_cpu_second: args.per_cpu_second,
                        learner_kib: args.learner_kib,
                    };
                    print!("{sizing}");
                    Ok(())
                }
                Scenario::Bots(args) => bots(args).await,
                Scenario::Weak(args) => weak(args).await,
                Scenario::Recording(args) => recording(args).await,
                Scenario::Impair(args) => impair(args).await,
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtests: {error}");
            ExitCode::FAILURE
        }
    }
}
