//! One run of a tool, in its sandbox, with bounded memory, time and output.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::limits::{MAX_PROCESSES, MAX_SAID};
use crate::tools::{CLOSED, Sandbox, bubblewrap};

/// A tool is looked after this often.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What is on disk is counted this often, in looks.
const COUNT_EVERY: u32 = 25;
/// See [`Call::time`].
pub const PATIENCE: u32 = 3;
/// How long after its time a tool is ended from outside.
const GRACE: Duration = Duration::from_secs(3);

/// A tool and what it may use.
#[derive(Debug)]
pub struct Call<'a> {
    /// Program with its whole path.
    pub program: &'a str,
    /// Arguments; `{in}` and `{out}` stand for the file and the folder.
    pub arguments: &'a [String],
    /// The file it reads.
    pub input: &'a Path,
    /// Ending the file is given, for programs that look at it.
    pub ending: &'a str,
    /// The folder it writes into.
    pub output: &'a Path,
    /// Address space, bytes.
    pub memory: u64,
    /// Time of the processor; by the clock it has [`PATIENCE`] times as much, for
    /// a class in the same machine goes first.
    pub time: Duration,
    /// Largest file it may write, bytes.
    pub written: u64,
    /// All it may have in `output` at a time, bytes.
    pub work: u64,
}

/// How it ended.
#[derive(Debug)]
pub enum Exit {
    /// With a zero.
    Well,
    /// With another number or by a signal of its own making.
    Badly,
    /// Ended because of its time or what it wrote.
    TooMuch,
    /// Not there.
    Missing,
    /// The server stops.
    Stopped,
    /// The machine failed.
    Failed(io::Error),
}

/// Where a tool leaves what it says: beside the folder it writes into, out of
/// its reach.
#[derive(Debug)]
pub struct Said {
    /// Standard output.
    pub out: PathBuf,
    /// Standard error.
    pub err: PathBuf,
}

/// Runs a tool to its end.
pub fn run(sandbox: Sandbox, call: &Call<'_>, said: &Said, stop: &AtomicBool) -> Exit {
    match start(sandbox, call, said) {
        Ok(child) => watch(child, call, said, stop),
        Err(error) if error.kind() == ErrorKind::NotFound => Exit::Missing,
        Err(error) => Exit::Failed(error),
    }
}

fn start(sandbox: Sandbox, call: &Call<'_>, said: &Said) -> io::Result<Child> {
    let seconds = call.time.as_secs().max(1);
    let inside = match sandbox {
        Sandbox::Bubblewrap => (format!("/in/file{}", call.ending), "/out".to_owned()),
        Sandbox::Off => (text_of(call.input)?, text_of(call.output)?),
    };
    let mut command = match sandbox {
        Sandbox::Bubblewrap => {
            let mut command = bubblewrap().ok_or(ErrorKind::NotFound)?;
            command
                .arg("--ro-bind")
                .arg(call.input)
                .arg(&inside.0)
                .arg("--bind")
                .arg(call.output)
                .arg("/out")
                .args(CLOSED);
            for (name, value) in environment("/tmp") {
                command.args(["--setenv", name, &value]);
            }
            command.arg("/usr/bin/nice");
            command
        }
        Sandbox::Off => {
            let mut command = Command::new("/usr/bin/nice");
            command.env_clear().envs(environment(&inside.1));
            command
        }
    };
    command
        .args(["-n", "10", "/usr/bin/timeout", "-s", "KILL"])
        .arg(seconds.saturating_mul(PATIENCE.into()).to_string())
        .arg("/usr/bin/prlimit")
        .arg(format!("--cpu={seconds}"))
        .arg(format!("--as={}", call.memory))
        .arg(format!("--fsize={}", call.written))
        .arg(format!("--nproc={MAX_PROCESSES}"))
        .args(["--core=0", "--nofile=512"])
        .arg(call.program);
    for argument in call.arguments {
        command.arg(
            argument
                .replace("{in}", &inside.0)
                .replace("{out}", &inside.1),
        );
    }
    command
        .stdin(Stdio::null())
        .stdout(File::create(&said.out)?)
        .stderr(File::create(&said.err)?)
        .spawn()
}

fn environment(home: &str) -> [(&'static str, String); 5] {
    [
        ("PATH", "/usr/bin".to_owned()),
        ("HOME", home.to_owned()),
        ("TMPDIR", home.to_owned()),
        ("XDG_CACHE_HOME", format!("{home}/cache")),
        ("LANG", "C.UTF-8".to_owned()),
    ]
}

fn text_of(path: &Path) -> io::Result<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| ErrorKind::InvalidFilename.into())
}

fn watch(mut child: Child, call: &Call<'_>, said: &Said, stop: &AtomicBool) -> Exit {
    let began = Instant::now();
    let mut looks = 0u32;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return verdict(status),
            Ok(None) => {}
            Err(error) => return Exit::Failed(error),
        }
        looks = looks.wrapping_add(1);
        let late = began.elapsed() > call.time * PATIENCE + GRACE;
        let exit = if stop.load(Ordering::Relaxed) {
            Some(Exit::Stopped)
        } else if late || (looks.is_multiple_of(COUNT_EVERY) && written(call, said) > call.work) {
            Some(Exit::TooMuch)
        } else {
            None
        };
        if let Some(exit) = exit {
            // An error: it ended by itself just now. The sandbox goes with it.
            let _ = child.kill();
            let _ = child.wait();
            return exit;
        }
        sleep(LOOK_EVERY);
    }
}

fn written(call: &Call<'_>, said: &Said) -> u64 {
    let of = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    folder_bytes(call.output, 4) + of(&said.out) + of(&said.err)
}

/// Bytes of a folder, `deep` levels down.
fn folder_bytes(folder: &Path, deep: u32) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() && deep > 0 => folder_bytes(&entry.path(), deep - 1),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}

fn verdict(status: ExitStatus) -> Exit {
    // Signals come by themselves, or as a number from the program that saw them:
    // KILL by `timeout` or the limit of processor time, XCPU, XFSZ.
    let signal = status
        .signal()
        .or_else(|| status.code().and_then(|code| code.checked_sub(128)));
    match (status.success(), signal, status.code()) {
        (true, ..) => Exit::Well,
        (_, Some(9 | 24 | 25), _) | (.., Some(124)) => Exit::TooMuch,
        // `prlimit` and `timeout` say that a program is not there.
        (.., Some(126 | 127)) => Exit::Missing,
        _ => Exit::Badly,
    }
}

/// The first [`MAX_SAID`] bytes of what a tool said.
pub fn read_said(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SAID).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
