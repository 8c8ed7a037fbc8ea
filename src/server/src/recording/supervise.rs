//! The recorder process: started, listened to, replaced within seconds when it dies
//! or falls silent.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lophoc_recording::control::{self, FromRecorder, MAX_LINE, ToRecorder};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

/// Lines that may wait for the process. Overflow: it hangs, and is replaced.
const LINES: usize = 4_096;
/// A process that says nothing for so long is replaced; it speaks every second.
const SILENCE: Duration = Duration::from_secs(6);
/// Wait before the first start after a death; doubled each time up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Longest wait before a start.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A process that ran so long died by chance: the waits begin anew.
const STABLE: Duration = Duration::from_secs(20);
/// Time to finish files once the input ends.
const FAREWELL: Duration = Duration::from_secs(10);

/// What the supervisor tells the hub.
#[derive(Debug)]
pub(super) enum Process {
    /// A process is there; lines for it go here.
    Up(mpsc::Sender<ToRecorder>),
    /// It says something.
    Said(Box<FromRecorder>),
    /// It is gone.
    Down,
}

/// The program that runs now, for one that knows the subcommand `recorder`, under
/// whatever name it is installed.
pub fn this_program() -> Option<PathBuf> {
    Some(under_its_name(std::env::current_exe().ok()?))
}

/// A program replaced while it runs (an upgrade) is found under its old name.
fn under_its_name(path: PathBuf) -> PathBuf {
    let name = path.as_os_str().as_bytes().strip_suffix(b" (deleted)");
    name.map(|name| PathBuf::from(OsStr::from_bytes(name)))
        .unwrap_or(path)
}

/// How the process is started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// What knows the subcommand.
    pub(super) path: PathBuf,
    /// Arguments after the subcommand.
    pub(super) arguments: Vec<String>,
}

impl Program {
    fn start(&self) -> std::io::Result<Child> {
        Command::new(&self.path)
            .arg("recorder")
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            // A Ctrl-C in the terminal is for the server, which tells it in time.
            .process_group(0)
            .spawn()
    }
}

/// How long to wait before the next start.
struct Waits(Duration);

impl Waits {
    /// After a process that ran this long.
    fn after(&mut self, ran: Duration) -> Duration {
        if ran > STABLE {
            self.0 = FIRST_WAIT;
        }
        let wait = self.0;
        self.0 = wait.saturating_mul(2).min(LONGEST_WAIT);
        wait
    }
}

/// Keeps a process running until the hub is gone.
pub(super) async fn supervise(program: Program, hub: mpsc::Sender<Process>) {
    let mut waits = Waits(FIRST_WAIT);
    while !hub.is_closed() {
        let began = Instant::now();
        match program.start() {
            Ok(child) => serve(child, &hub).await,
            Err(error) => tracing::error!(%error, "the recorder could not be started"),
        }
        if hub.send(Process::Down).await.is_err() {
            break;
        }
        tokio::time::sleep(waits.after(began.elapsed())).await;
    }
}

async fn serve(mut child: Child, hub: &mpsc::Sender<Process>) {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return;
    };
    let (to, mut lines) = mpsc::channel::<ToRecorder>(LINES);
    let writing = async move {
        while let Some(line) = lines.recv().await {
            let Ok(mut bytes) = serde_json::to_vec(&line) else {
                continue;
            };
            bytes.push(b'\n');
            let written = tokio::time::timeout(SILENCE, input.write_all(&bytes)).await;
            if !matches!(written, Ok(Ok(()))) {
                tracing::warn!("the recorder takes no orders");
                return false;
            }
        }
        // The hub let go: the end of the input is the order to finish.
        drop(input);
        true
    };
    let reading = listen(output, to, hub);
    tokio::pin!(writing, reading);
    let in_order = tokio::select! {
        finish = &mut writing => finish,
        () = &mut reading => false,
    };
    if in_order {
        let finished = tokio::time::timeout(FAREWELL, async {
            reading.await;
            child.wait().await
        });
        if matches!(finished.await, Ok(Ok(_))) {
            return;
        }
        tracing::warn!("the recorder did not finish in time");
    }
    // It may be gone already.
    let _ = child.start_kill();
    match child.wait().await {
        Ok(status) => tracing::warn!(%status, "the recorder is gone"),
        Err(error) => tracing::warn!(%error, "the recorder is gone"),
    }
}

/// Hands on what the process says until it says nothing more.
async fn listen(output: ChildStdout, to: mpsc::Sender<ToRecorder>, hub: &mpsc::Sender<Process>) {
    let mut output = BufReader::new(output);
    let mut to = Some(to);
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let mut limited = (&mut output).take(limit);
        let read = tokio::time::timeout(SILENCE, limited.read_until(b'\n', &mut line));
        match read.await {
            Ok(Ok(0)) => return,
            Ok(Ok(_)) if line.ends_with(b"\n") => {}
            Ok(Ok(_)) => return tracing::error!("the recorder talks at too great length"),
            Ok(Err(error)) => return tracing::error!(%error, "the recorder cannot be heard"),
            Err(_) => return tracing::error!("the recorder is silent"),
        }
        let said = match serde_json::from_slice::<FromRecorder>(&line) {
            Ok(said) => said,
            Err(error) => return tracing::error!(%error, "the recorder is not understood"),
        };
        if let FromRecorder::Ready { version } = said {
            if version != control::VERSION {
                return tracing::error!(version, "the recorder is of another version");
            }
            if let Some(to) = to.take()
                && hub.send(Process::Up(to)).await.is_err()
            {
                return;
            }
            continue;
        }
        if hub.send(Process::Said(Box::new(said))).await.is_err() {
            // The server stops; what is said now is heard by nobody, and read all
            // the same, or the process would wait for its output to be taken.
            continue;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that does what a script says.
    fn script(folder: &std::path::Path, text: &str) -> Program {
        let path = folder.join("lophoc");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Program {
            path,
            arguments: Vec::new(),
        }
    }

    async fn next(inbox: &mut mpsc::Receiver<Process>) -> Process {
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, inbox.recv())
            .await
            .unwrap()
            .unwrap()
    }

    #[tokio::test]
    async fn a_recorder_that_dies_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let ready =
            r#"echo '{"is":"ready","version":1}'; echo '{"is":"status","list":[]}'; read x"#;
        let (to, mut inbox) = mpsc::channel(16);
        let supervisor = tokio::spawn(supervise(script(folder.path(), ready), to));
        for _ in 0..3 {
            let Process::Up(orders) = next(&mut inbox).await else {
                panic!("no recorder");
            };
            assert!(matches!(next(&mut inbox).await, Process::Said(_)));
            // It reads one line and ends.
            let recording = lophoc_recording::RecordingId::new(&"0".repeat(26)).unwrap();
            orders.send(ToRecorder::Stop { recording }).await.unwrap();
            assert!(matches!(next(&mut inbox).await, Process::Down));
        }
        drop(inbox);
        supervisor.await.unwrap();
    }

    #[test]
    fn one_that_dies_again_and_again_is_waited_for_longer_up_to_a_bound() {
        let mut waits = Waits(FIRST_WAIT);
        let short = Duration::from_secs(1);
        let ms: Vec<u128> = (0..8).map(|_| waits.after(short).as_millis()).collect();
        assert_eq!(ms, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
        // One that ran for long died by chance.
        let long = STABLE + Duration::from_millis(1);
        assert_eq!(waits.after(long), FIRST_WAIT);
        assert_eq!(waits.after(short), FIRST_WAIT * 2);
    }

    #[tokio::test]
    async fn a_recorder_of_another_version_or_without_sense_is_not_used() {
        for said in [r#"{"is":"ready","version":0}"#, "good morning", ""] {
            let folder = tempfile::tempdir().unwrap();
            let program = script(folder.path(), &format!("echo '{said}'"));
            let (to, mut inbox) = mpsc::channel(16);
            let supervisor = tokio::spawn(supervise(program, to));
            assert!(matches!(next(&mut inbox).await, Process::Down), "{said}");
            drop(inbox);
            supervisor.await.unwrap();
        }
    }

    #[test]
    fn a_program_is_found_under_its_name_also_when_it_was_replaced() {
        for (told, name) in [
            ("/opt/lophoc", "/opt/lophoc"),
            ("/opt/lophoc-0.2 (deleted)", "/opt/lophoc-0.2"),
            ("/opt/lop hoc", "/opt/lop hoc"),
        ] {
            assert_eq!(under_its_name(PathBuf::from(told)), PathBuf::from(name));
        }
    }

    #[tokio::test]
    async fn the_end_of_the_orders_lets_it_finish() {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        let text = format!(
            "echo '{{\"is\":\"ready\",\"version\":1}}'; cat >/dev/null; sleep 0.3; touch {}",
            done.display()
        );
        let (to, mut inbox) = mpsc::channel(16);
        let supervisor = tokio::spawn(supervise(script(folder.path(), &text), to));
        let up = next(&mut inbox).await;
        assert!(matches!(up, Process::Up(_)));
        drop((up, inbox));
        supervisor.await.unwrap();
        assert!(done.exists());
    }
}
