//! Acknowledged means on the disk: the order of write, fsync and acknowledgement
//! as the kernel saw it, and copies of the files as a power cut leaves them.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lophoc_ledger::EventKind;
use lophoc_records::{NewClass, NewSession, SessionMode, Store};

const SESSIONS: usize = 3;

/// Examples of this package are built beside its tests.
fn writer() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push("examples/ledger_writer");
    assert!(path.exists(), "{} is built with the tests", path.display());
    path
}

async fn create(path: &Path) {
    let store = Store::open(path).await.unwrap();
    let class = NewClass {
        title: "Lớp".to_owned(),
        host_unit: "Sở".to_owned(),
    };
    let class = store.create_class(class).await.unwrap();
    for number in 0..SESSIONS {
        let session = NewSession {
            class: class.id.clone(),
            title: format!("Buổi {number}"),
            mode: SessionMode::Training,
            starts_ms: None,
            ends_ms: None,
        };
        store.create_session(session).await.unwrap();
    }
    close(store, path).await;
}

/// Opens a database and gives the number of events per session, after a look at
/// each: in order, without holes, whole.
async fn events(path: &Path) -> HashMap<String, u64> {
    let store = Store::open(path).await.unwrap();
    let class = store.classes().await.unwrap().remove(0);
    let mut counts = HashMap::new();
    for session in store.sessions_of_class(&class.id).await.unwrap() {
        let events = store.events(&session.id).await.unwrap();
        for (seq, event) in (1..).zip(&events) {
            assert_eq!((event.seq, event.at.mono_ms), (seq, seq), "no hole");
            match &event.kind {
                EventKind::Chat { cid, text, .. } => {
                    assert_eq!(*cid, format!("u{seq}"));
                    assert_eq!(text.matches("Chào").count() as u64, seq % 7);
                }
                other => panic!("{other:?}"),
            }
        }
        counts.insert(session.id.0, events.len() as u64);
    }
    close(store, path).await;
    counts
}

/// Closes the store: the log is taken over and removed then, though the handle
/// is still there.
async fn close(store: Store, path: &Path) {
    store.close().await;
    assert!(!wal_of(path).exists(), "the log stays");
}

fn wal_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// What the kernel did with one run of the writer: places are lines of the trace.
#[derive(Debug, Default)]
struct Trace {
    /// Number of an event → where the write of it to the log was finished first.
    written: BTreeMap<u64, usize>,
    /// Syncs of the log that succeeded: where they began and were finished.
    synced: Vec<(usize, usize)>,
    /// Acknowledgements: number of the event, where printing it began.
    acknowledged: Vec<(u64, usize)>,
}

fn read_trace(text: &str) -> Trace {
    let mut pending: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut trace = Trace::default();
    for (place, line) in text.lines().enumerate() {
        let Some((pid, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            pending.insert(pid, (place, head));
            continue;
        }
        let (began, head) = if rest.starts_with("<...") {
            match pending.remove(pid) {
                Some(began) => began,
                None => continue,
            }
        } else {
            (place, rest)
        };
        // Only what succeeded counts.
        let result = rest.rsplit_once(" = ").map_or("-", |(_, result)| result);
        if result.starts_with('-') || result.starts_with('?') {
            continue;
        }
        if head.starts_with("write(1<") {
            let number = head.split_once(' ').and_then(|(_, line)| {
                let line = line.split_once("\\n")?.0;
                line.rsplit_once(' ')?.1.parse().ok()
            });
            trace.acknowledged.push((number.unwrap(), began));
        } else if head.contains("-wal>") && head.starts_with("pwrite64(") {
            for after in head.split("\\\"cid\\\":\\\"u").skip(1) {
                let digits = after
                    .split('\\')
                    .next()
                    .and_then(|number| number.parse().ok());
                if let Some(number) = digits {
                    trace.written.entry(number).or_insert(place);
                }
            }
        } else if head.contains("-wal>") {
            trace.synced.push((began, place));
        }
    }
    trace
}

#[tokio::test]
async fn every_acknowledgement_follows_a_sync_that_follows_the_write_of_its_event() {
    let there = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if there.is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "strace is among the packages for tests"
        );
        println!("skipped: strace is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    create(&path).await;
    let file = folder.path().join("trace");
    // One session: the number of an event says which one it is.
    let mut child = Command::new("strace")
        .args(["-f", "-y", "-s", "5000", "-o"])
        .arg(&file)
        .args(["-e", "trace=write,pwrite64,fsync,fdatasync", "--"])
        .arg(writer())
        .arg(&path)
        .args(["1", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = 0;
    let begun = Instant::now();
    while printed < 200 && begun.elapsed() < Duration::from_secs(120) {
        match lines.next() {
            Some(line) => line.map(|_| printed += 1).unwrap(),
            None => break,
        }
    }
    // The writer ends at its next print: nobody reads any more.
    drop(lines);
    child.wait().unwrap();
    let trace = read_trace(&std::fs::read_to_string(&file).unwrap());
    assert!(
        printed >= 100 && trace.acknowledged.len() >= printed,
        "{printed}"
    );
    for (number, printing) in &trace.acknowledged {
        let written = trace.written.get(number);
        let written = *written.unwrap_or_else(|| panic!("event {number} was never in the log"));
        assert!(
            trace
                .synced
                .iter()
                .any(|(began, done)| written < *began && done < printing),
            "event {number}: written in line {written}, acknowledged in line {printing}"
        );
    }
    println!(
        "{} acknowledgements, each after one of {} syncs of the log",
        trace.acknowledged.len(),
        trace.synced.len()
    );
}

/// What was acknowledged when the files had these lengths.
struct Moment {
    acknowledged: BTreeMap<String, u64>,
    wal: u64,
}

/// Runs the writer until it acknowledged enough, noting moments, and kills it.
fn run_and_kill(path: &Path, seed: u64, enough: usize) -> Vec<Moment> {
    let mut child = Command::new(writer())
        .arg(path)
        .args([SESSIONS.to_string(), seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut moments = Vec::new();
    for count in 0..enough {
        let line = lines.next().unwrap().unwrap();
        let (session, seq) = line.split_once(' ').unwrap();
        acknowledged.insert(session.to_owned(), seq.parse().unwrap());
        if count % 5 == 0 {
            // The length after the acknowledgement: at least what it rests on.
            let wal = std::fs::metadata(wal_of(path)).unwrap().len();
            moments.push(Moment {
                acknowledged: acknowledged.clone(),
                wal,
            });
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    moments
}

/// A copy of the files as a power cut leaves them: the log cut off, and behind
/// the cut possibly rubbish that never was written whole.
fn cut(path: &Path, to: &Path, length: u64, rubbish: &[u8]) {
    std::fs::copy(path, to).unwrap();
    let mut wal = std::fs::read(wal_of(path)).unwrap();
    wal.truncate(usize::try_from(length).unwrap());
    wal.extend_from_slice(rubbish);
    std::fs::write(wal_of(to), wal).unwrap();
}

async fn check(path: &Path, moment: &Moment, length: u64) {
    let found = events(path).await;
    for (session, seq) in &moment.acknowledged {
        let have = found.get(session).copied().unwrap_or(0);
        assert!(
            have >= *seq,
            "cut at {length} of at least {}: acknowledged {seq}, found {have}",
            moment.wal
        );
    }
}

#[tokio::test]
async fn copies_cut_at_any_byte_after_an_acknowledgement_have_every_acknowledged_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let mut random = Xorshift(0x10f0_0c5e_ed00_0002);
    let mut copies = 0;
    for round in 0..2 {
        create_once(&path).await;
        // Few enough that the log was not taken over into the database yet: its
        // length only grows, so that a length stands for a moment.
        let moments = run_and_kill(&path, 31 + round, 120);
        let end = std::fs::metadata(wal_of(&path)).unwrap().len();
        let grows = moments.windows(2).all(|pair| match pair {
            [a, b] => a.wal <= b.wal,
            _ => true,
        });
        assert!(
            grows && moments.last().unwrap().wal <= end,
            "the log only grew"
        );
        for (number, moment) in moments.iter().enumerate() {
            let span = end - moment.wal;
            for turn in 0..4_u64 {
                let length = match turn {
                    // At the very byte the acknowledgement rests on.
                    0 => moment.wal,
                    1 => moment.wal + random.below(span.min(64) + 1),
                    _ => moment.wal + random.below(span + 1),
                };
                let rubbish: Vec<u8> = (0..random.below(5_000) * (turn % 2))
                    .map(|_| u8::try_from(random.below(256)).unwrap())
                    .collect();
                let copy = folder
                    .path()
                    .join(format!("copy-{round}-{number}-{turn}.db"));
                cut(&path, &copy, length, &rubbish);
                check(&copy, moment, length).await;
                for end in ["db", "db-wal", "db-shm"] {
                    let _ = std::fs::remove_file(copy.with_extension(end));
                }
                copies += 1;
            }
        }
        // Every byte of the last frames.
        let last = moments.last().unwrap();
        let from = last.wal;
        for length in (from..end.min(from + 4_200)).step_by(97) {
            let copy = folder.path().join(format!("every-{round}-{length}.db"));
            cut(&path, &copy, length, &[]);
            check(&copy, last, length).await;
            copies += 1;
        }
        // The next round goes on with what is there.
        events(&path).await;
    }
    println!("{copies} copies opened");
}

async fn create_once(path: &Path) {
    if !path.exists() {
        create(path).await;
    }
}

/// Connections that are on their way back to the pool while it closes.
#[tokio::test]
async fn a_closed_store_is_one_file_though_it_was_asked_until_the_last_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    for round in 1..=100 {
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.next_boot().await.unwrap(), round);
        let askers: Vec<_> = (0..3)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { while store.check().await.is_ok() {} })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(round % 5)).await;
        close(store, &path).await;
        for asker in askers {
            asker.await.unwrap();
        }
    }
}
