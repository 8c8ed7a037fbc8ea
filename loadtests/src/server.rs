//! A server of the run's own, and what the kernel and `/metrics` say of it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::error::{LoadError, Result};
use crate::http::Origin;

/// Longest wait for a started server.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a clean end before the process is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Opens the metrics of a server of the run's own, which is up for minutes.
pub const METRICS_TOKEN: &str = "metrics-of-a-load-run";
/// Ticks per second in `/proc/<pid>/stat`, fixed by the kernel's interface.
const USER_HZ: f64 = 100.0;

/// Which build of the server to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// `cargo build --release`.
    Release,
    /// `cargo build`.
    Debug,
}

impl Build {
    /// The build this program itself was made by.
    pub fn own() -> Self {
        if cfg!(debug_assertions) {
            Self::Debug
        } else {
            Self::Release
        }
    }

    /// The server's program. `LOADTESTS_SERVER` names it; else it lies beside this
    /// program (a test lies in `deps`, one folder below the programs); else it is
    /// built.
    pub async fn binary(self) -> Result<PathBuf> {
        if let Some(path) = std::env::var_os("LOADTESTS_SERVER") {
            return Ok(path.into());
        }
        let own = std::env::current_exe().map_err(LoadError::io("own path"))?;
        let beside = own
            .ancestors()
            .skip(1)
            .take(2)
            .map(|folder| folder.join("lophoc"))
            .find(|path| path.is_file());
        if let Some(beside) = beside {
            return Ok(beside);
        }
        self.make().await
    }

    /// Builds the server's program (nothing is done when it is up to date).
    pub async fn make(self) -> Result<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| LoadError::Server("no workspace around this crate".to_owned()))?;
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--package", "lophoc", "--message-format", "json"]);
        // What a test runner sets would count as a change and build everything anew.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_of_runner) {
                cargo.env_remove(name);
            }
        }
        cargo
            .current_dir(root)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        if self == Self::Release {
            cargo.arg("--release");
        }
        let output = cargo
            .output()
            .await
            .map_err(LoadError::io("cargo build --package lophoc"))?;
        if !output.status.success() {
            return Err(LoadError::Server(
                "cargo build --package lophoc failed".to_owned(),
            ));
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        lines
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| {
                message
                    .pointer("/target/name")
                    .is_some_and(|n| n == "lophoc")
            })
            .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
            .ok_or_else(|| LoadError::Server("cargo named no program".to_owned()))
    }
}

/// Whether a variable was set by cargo or a test runner for this process.
fn is_of_runner(name: &str) -> bool {
    const OF_USER: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_",
        "CARGO_NET_",
        "CARGO_INCREMENTAL",
    ];
    let set_by_runner = [
        "CARGO",
        "NEXTEST",
        "LD_LIBRARY_PATH",
        "OUT_DIR",
        "TS_RS_",
        "__",
    ];
    set_by_runner.iter().any(|start| name.starts_with(start))
        && !OF_USER.iter().any(|start| name.starts_with(start))
}

/// How a server of the run's own is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address it listens on.
    pub ip: Ipv4Addr,
    /// Media threads; none = as the server thinks best.
    pub shards: Option<u16>,
    /// Further variables of its environment.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST,
            shards: None,
            settings: Vec::new(),
        }
    }
}

/// A running server on free loopback ports with a temporary data folder.
pub struct OwnServer {
    child: Child,
    /// Where it listens.
    pub origin: Origin,
    binary: PathBuf,
    settings: Vec<(String, String)>,
    data: TempDir,
}

/// A server's process.
fn spawn(binary: &Path, settings: &[(String, String)]) -> Result<Child> {
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .envs(settings.iter().map(|(key, value)| (key, value)));
    // The run's own output is JSON on stdout.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command.kill_on_drop(true);
    command
        .spawn()
        .map_err(LoadError::io(format!("starting {}", binary.display())))
}

/// A TCP port nobody listens on.
pub fn free_port(ip: Ipv4Addr) -> Result<u16> {
    let listener = TcpListener::bind((ip, 0)).map_err(LoadError::io("a free port"))?;
    Ok(listener
        .local_addr()
        .map_err(LoadError::io("a free port"))?
        .port())
}

impl OwnServer {
    /// Starts `binary` and waits until it is ready.
    pub async fn start(binary: PathBuf) -> Result<Self> {
        Self::start_with(binary, &Options::default()).await
    }

    /// The same, otherwise than by default.
    pub async fn start_with(binary: PathBuf, options: &Options) -> Result<Self> {
        let data = TempDir::new().map_err(LoadError::io("temporary folder"))?;
        let ip = options.ip;
        let port = free_port(ip)?;
        let fixed = [
            ("LOPHOC_SERVER_LISTEN", format!("{ip}:{port}")),
            ("LOPHOC_DATA_FOLDER", data.path().display().to_string()),
            ("LOPHOC_MEDIA_PORT", "0".to_owned()),
            ("LOPHOC_MEDIA_LISTEN", ip.to_string()),
            ("LOPHOC_MEDIA_ANNOUNCE", ip.to_string()),
            // All clients of a run share one address.
            ("LOPHOC_LIMITS_API_PER_MINUTE", "1000000".to_owned()),
            ("LOPHOC_LIMITS_API_BURST", "100000".to_owned()),
            ("LOPHOC_LIMITS_LINKS_PER_ADDRESS", "8000".to_owned()),
            ("LOPHOC_METRICS_TOKEN", METRICS_TOKEN.to_owned()),
            ("LOPHOC_LOG_LEVEL", "warn".to_owned()),
        ];
        let mut settings: Vec<(String, String)> = fixed
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        if let Some(shards) = options.shards {
            settings.push(("LOPHOC_MEDIA_SHARDS".to_owned(), shards.to_string()));
        }
        settings.extend(options.settings.iter().cloned());
        let child = spawn(&binary, &settings)?;
        let origin = Origin {
            host: ip.to_string(),
            port,
        };
        let mut server = Self {
            child,
            origin,
            binary,
            settings,
            data,
        };
        tokio::time::timeout(START_TIMEOUT, server.ready())
            .await
            .map_err(|_| LoadError::Timeout("the server to be ready"))??;
        Ok(server)
    }

    async fn ready(&mut self) -> Result<()> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(LoadError::Server(format!("ended at once: {status}")));
            }
            if self.origin.get("/readyz").await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Kills it as a power cut would (SIGKILL), and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.map_err(LoadError::io("kill"))
    }

    /// Starts it again after [`Self::kill`], on the same data and port.
    pub async fn again(&mut self) -> Result<()> {
        self.child = spawn(&self.binary, &self.settings)?;
        tokio::time::timeout(START_TIMEOUT, self.ready())
            .await
            .map_err(|_| LoadError::Timeout("the server to be ready again"))?
    }

    /// Process id of its recorder, if there is one now.
    pub fn recorder_pid(&self) -> Option<u32> {
        let pid = self.child.id()?;
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|list| {
                let pids = list.split_whitespace().map(str::parse::<u32>);
                pids.filter_map(std::result::Result::ok).collect::<Vec<_>>()
            })
            .find(|child| {
                let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
                line.split(|byte| *byte == 0).nth(1) == Some(b"recorder")
            })
    }

    /// Process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Runs a command of the server's program on the same data.
    async fn command(&self, args: &[&str]) -> Result<String> {
        let output = Command::new(&self.binary)
            .args(args)
            .envs(self.settings.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(LoadError::io("the server's command line"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(LoadError::Server(format!(
                "{}: {}",
                args.join(" "),
                why.trim()
            )));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Creates a class and returns its room.
    pub async fn new_class(&self, title: &str, mode: &str) -> Result<String> {
        let args = [
            "class",
            "new",
            "--title",
            title,
            "--host",
            "Load test",
            "--mode",
            mode,
            "--json",
        ];
        let text = self.command(&args).await?;
        let json: serde_json::Value = serde_json::from_str(&text)
            .map_err(|why| LoadError::Server(format!("class new: {why}: {text}")))?;
        json.get("room")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| LoadError::Server(format!("class new named no room: {text}")))
    }

    /// A join link for a role.
    pub async fn link(&self, room: &str, role: &str) -> Result<String> {
        self.command(&["link", "--room", room, "--role", role])
            .await
    }

    /// Ends the server as an operator would and waits for it.
    pub async fn stop(mut self) -> Result<()> {
        let Some(pid) = self.child.id() else {
            return Ok(());
        };
        Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await
            .map_err(LoadError::io("kill"))?;
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            self.child.kill().await.map_err(LoadError::io("kill"))?;
            return Err(LoadError::Timeout("the server to end"));
        }
        Ok(())
    }
}

/// Processor time of a process, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CpuTime {
    /// In the program, by the kernel's ticks.
    pub user: f64,
    /// In the kernel, by the kernel's ticks.
    pub sys: f64,
    /// Both. The kernel makes the two add up to its scheduler's clock; threads that
    /// ended are in it. A sum over the threads that live would lose what those did.
    pub total: f64,
}

impl CpuTime {
    /// Time of all threads of a process.
    pub fn of(pid: u32) -> Result<Self> {
        let read =
            |path: String| std::fs::read_to_string(&path).map_err(LoadError::io(path.clone()));
        let stat = read(format!("/proc/{pid}/stat"))?;
        // Behind the program's name, which may hold blanks: field 3 onwards.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks = |index: usize| -> f64 {
            fields
                .get(index)
                .and_then(|field| field.parse().ok())
                .unwrap_or(0.0)
        };
        Ok(Self {
            user: ticks(11) / USER_HZ,
            sys: ticks(12) / USER_HZ,
            total: (ticks(11) + ticks(12)) / USER_HZ,
        })
    }

    /// Time since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let round = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        Self {
            user: round(self.user - before.user),
            sys: round(self.sys - before.sys),
            total: round(self.total - before.total),
        }
    }
}

/// Processor time of the whole machine so far, seconds: all that is not idle.
pub fn machine_busy() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat").map_err(LoadError::io("/proc/stat"))?;
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first
        .split_whitespace()
        .skip(1)
        .take(8)
        .map(|n| n.parse().unwrap_or(0.0))
        .collect();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    Ok((ticks.iter().sum::<f64>() - idle) / USER_HZ)
}

/// Resident memory of a process, MiB.
pub fn resident_mib(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).map_err(LoadError::io(path.clone()))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0.0);
    Ok((kib / 102.4).round() / 10.0)
}

/// The numbers of `/metrics` by name and labels.
#[derive(Debug, Clone, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Fetches them.
    pub async fn fetch(origin: &Origin) -> Result<Self> {
        Self::fetch_as(origin, None).await
    }

    /// The same from another address than loopback, which takes a token.
    pub async fn fetch_as(origin: &Origin, token: Option<&str>) -> Result<Self> {
        Ok(Self::parse(&origin.get_as("/metrics", token).await?))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let (name, value) = line.rsplit_once(' ')?;
                    Some((name.to_owned(), value.parse().ok()?))
                })
                .collect(),
        )
    }

    /// One number.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// How much a number grew.
    pub fn growth(&self, before: &Self, name: &str) -> Option<f64> {
        Some(self.get(name)? - before.get(name).unwrap_or(0.0))
    }

    /// Datagrams per message handed to the kernel since `before`.
    pub fn mean_run(&self, before: &Self) -> Option<f64> {
        let datagrams = self.growth(before, "lophoc_media_datagrams_total{dir=\"out\"}")?;
        let sends = self.growth(before, "lophoc_media_sends_total{sort=\"all\"}")?;
        (sends > 0.0).then(|| (datagrams / sends * 100.0).round() / 100.0)
    }

    /// Reasons of drops that grew, with how much.
    pub fn drops(&self, before: &Self) -> BTreeMap<String, u64> {
        self.0
            .keys()
            .filter(|name| name.starts_with("lophoc_media_drops_total{"))
            .filter_map(|name| {
                let reason = name.split('"').nth(1)?.to_owned();
                let growth = self.growth(before, name)?;
                (growth > 0.0).then_some((reason, growth as u64))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_and_compared() {
        let text = |out: u32, sends: u32, drops: u32| {
            Metrics::parse(&format!(
                "# HELP x y\nlophoc_media_datagrams_total{{dir=\"out\"}} {out}\n\
                 lophoc_media_sends_total{{sort=\"all\"}} {sends}\n\
                 lophoc_media_drops_total{{reason=\"would_block\"}} {drops}\n"
            ))
        };
        let (before, after) = (text(100, 50, 3), text(800, 150, 3));
        assert_eq!(after.mean_run(&before), Some(7.0));
        assert!(after.drops(&before).is_empty());
        assert_eq!(text(0, 0, 9).drops(&before).get("would_block"), Some(&6));
        assert_eq!(before.mean_run(&before), None);
    }

    #[test]
    fn the_time_of_this_process_grows() {
        let pid = std::process::id();
        let before = CpuTime::of(pid).unwrap();
        let mut sum = 0u64;
        while CpuTime::of(pid).unwrap().since(&before).total <= 0.0 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_mib(pid).unwrap() > 0.0);
    }
    #[test]
    fn what_a_thread_did_stays_when_it_ends() {
        let pid = std::process::id();
        let first = CpuTime::of(pid).unwrap();
        let (worked, has_worked) = std::sync::mpsc::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut sum = 0u64;
            while CpuTime::of(pid).unwrap().since(&first).total < 0.1 {
                sum = std::hint::black_box(sum.wrapping_add(1));
            }
            worked.send(()).unwrap();
            may_end.recv()
        });
        has_worked.recv().unwrap();
        let before = CpuTime::of(pid).unwrap();
        end.send(()).unwrap();
        thread.join().unwrap().unwrap();
        assert!(CpuTime::of(pid).unwrap().since(&before).total >= 0.0);
    }
}
