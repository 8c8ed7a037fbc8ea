//! The recorder process: `lophoc recorder`, a child of the server. It receives what
//! is recorded as a listed peer of the media plane and writes it to files by the
//! rules of `lophoc-recording`. Orders come on standard input, reports leave on
//! standard output (`lophoc_recording::control`), the log goes to standard error.
//! The end of the input means: close every file and exit. A fault in one recording
//! ends that recording's task alone; a fault of the process is the server's to see.

mod clock;
mod files;
mod peer;
mod recording;
mod repair;
mod socket;
mod space;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lophoc_recording::RecordingId;
use lophoc_recording::control::{FromRecorder, MAX_LINE, Status, ToRecorder, VERSION};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

pub use clock::boot_ns;
use recording::{Order, Task};

/// Threads for all recordings of the process; files have threads of their own.
const THREADS: usize = 2;
/// Reports that may wait for the server. Overflow: the recording waits, which loses
/// nothing until its socket is full.
const REPORTS: usize = 1_024;
/// Orders that may wait for one recording. Overflow, which takes one that hangs: it
/// is given up and begun again by the server.
const ORDERS: usize = 256;
/// The server hears of the process this often.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Time for files to be closed once the input has ended.
const FAREWELL: Duration = Duration::from_secs(9);

/// How recordings go: an entry each.
type Statuses = Arc<Mutex<HashMap<RecordingId, Status>>>;

/// Runs until the input ends.
///
/// # Errors
/// No runtime, or no standard input or output.
pub fn run() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    let done = runtime.block_on(serve());
    // What still reads the input holds nothing up.
    runtime.shutdown_timeout(Duration::from_millis(100));
    done
}

async fn serve() -> io::Result<()> {
    // The end of the input is the order to stop, whatever a terminal or an init
    // system sends to all processes of the server.
    let mut signals = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let (tell, mut reports) = mpsc::channel::<FromRecorder>(REPORTS);
    let speaking = tokio::spawn(async move {
        let mut output = tokio::io::stdout();
        while let Some(report) = reports.recv().await {
            let Ok(mut line) = serde_json::to_vec(&report) else {
                continue;
            };
            line.push(b'\n');
            // A server that is gone hears nothing; files are closed all the same.
            let _ = output.write_all(&line).await;
            let _ = output.flush().await;
        }
    });
    let mut process = Process {
        tell,
        statuses: Statuses::default(),
        orders: HashMap::new(),
        number: 0,
        tasks: JoinSet::new(),
    };
    process.tell(FromRecorder::Ready { version: VERSION }).await;
    let (hear, mut heard) = mpsc::channel(ORDERS);
    tokio::spawn(listen(hear));
    let mut status = interval(STATUS_EVERY);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            line = heard.recv() => match line {
                Some(line) => process.take(line).await,
                None => break,
            },
            Some(ended) = process.tasks.join_next() => process.ended(ended).await,
            _ = status.tick() => process.tell_status().await,
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
        }
    }
    tracing::info!("the server is gone or stops: files are closed");
    process.orders.clear();
    let closed = async {
        while let Some(ended) = process.tasks.join_next().await {
            process.ended(ended).await;
        }
    };
    if timeout(FAREWELL, closed).await.is_err() {
        tracing::error!("some files could not be closed in time");
    }
    drop(process);
    // What is left to say is said, if anybody listens.
    let _ = timeout(Duration::from_secs(1), speaking).await;
    Ok(())
}

/// Reads orders until the input ends or makes no sense.
async fn listen(hear: mpsc::Sender<ToRecorder>) {
    let mut input = BufReader::new(tokio::io::stdin());
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let mut limited = (&mut input).take(limit);
        match limited.read_until(b'\n', &mut line).await {
            Ok(_) if line.ends_with(b"\n") => {}
            Ok(0) => return,
            _ => return tracing::error!("an order was cut off"),
        }
        match serde_json::from_slice(&line) {
            Ok(order) => {
                if hear.send(order).await.is_err() {
                    return;
                }
            }
            Err(error) => return tracing::error!(%error, "an order is not understood"),
        }
    }
}

struct Process {
    tell: mpsc::Sender<FromRecorder>,
    statuses: Statuses,
    /// One for each recording that goes on, with the number of its task.
    orders: HashMap<RecordingId, (u64, mpsc::Sender<Order>)>,
    /// Number of the latest task.
    number: u64,
    /// Their tasks, which give back what there is to tell.
    tasks: JoinSet<End>,
}

/// The end of a task.
struct End {
    recording: RecordingId,
    number: u64,
    report: FromRecorder,
}

impl Process {
    async fn tell(&self, report: FromRecorder) {
        // The one who speaks ends last.
        let _ = self.tell.send(report).await;
    }

    async fn take(&mut self, line: ToRecorder) {
        match line {
            ToRecorder::Begin(begin) => {
                let id = begin.recording.clone();
                let (to, orders) = mpsc::channel(ORDERS);
                let task = Task::new(*begin, orders, self.tell.clone(), self.statuses.clone());
                let number = self.spawn(id.clone(), task.run());
                // One before it that is still there hears no more orders, which is its
                // word to close its files; this one waits for the folder.
                self.orders.insert(id, (number, to));
            }
            ToRecorder::Repair { recording, folder } => {
                self.spawn(recording.clone(), repair::finish(recording, folder));
            }
            ToRecorder::Answer {
                recording,
                attempt,
                sdp,
            } => self.order(recording, Order::Answer { attempt, sdp }).await,
            ToRecorder::Lost { recording, attempt } => {
                self.order(recording, Order::Lost { attempt }).await;
            }
            ToRecorder::Bound {
                recording,
                attempt,
                at_ns,
                slots,
            } => {
                let order = Order::Bound {
                    attempt,
                    at_ns,
                    slots,
                };
                self.order(recording, order).await;
            }
            ToRecorder::Pause { recording } => self.order(recording, Order::Pause).await,
            ToRecorder::Resume { recording } => self.order(recording, Order::Resume).await,
            ToRecorder::Stop { recording } => self.order(recording, Order::Stop).await,
            ToRecorder::Suspend { recording } => self.order(recording, Order::Suspend).await,
        }
    }

    fn spawn(
        &mut self,
        recording: RecordingId,
        work: impl Future<Output = FromRecorder> + Send + 'static,
    ) -> u64 {
        self.number += 1;
        let number = self.number;
        self.tasks.spawn(async move {
            // In a task of its own: a fault is told and takes nobody along.
            let report = tokio::spawn(work)
                .await
                .unwrap_or_else(|fault| FromRecorder::Failed {
                    recording: recording.clone(),
                    why: format!("it broke: {fault}"),
                });
            End {
                recording,
                number,
                report,
            }
        });
        number
    }

    async fn order(&mut self, recording: RecordingId, order: Order) {
        let Some((_, to)) = self.orders.get(&recording) else {
            // It ended meanwhile; that was told.
            return;
        };
        if to.try_send(order).is_err() {
            self.orders.remove(&recording);
            let why = "it takes no orders".to_owned();
            self.tell(FromRecorder::Failed { recording, why }).await;
        }
    }

    async fn ended(&mut self, ended: Result<End, tokio::task::JoinError>) {
        let Ok(end) = ended else { return };
        match self.orders.get(&end.recording) {
            // Another one goes on with it and has its own word about it.
            Some((number, _)) if *number != end.number => return,
            _ => {}
        }
        self.orders.remove(&end.recording);
        self.lock().remove(&end.recording);
        self.tell(end.report).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RecordingId, Status>> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell_status(&self) {
        let list = self.lock().values().cloned().collect();
        self.tell(FromRecorder::Status { list }).await;
    }
}
