//! The ledger after `kill -9` at random moments: everything acknowledged is
//! there, in order, without holes.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lophoc_ledger::EventKind;
use lophoc_records::{NewClass, NewSession, SessionMode, Store};

const ROUNDS: u64 = 14;
const SESSIONS: usize = 3;
const SEED: u64 = 0x10f0_0c5e_ed00_0001;

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
            starts_ms: Some(number as u64),
            ends_ms: None,
        };
        store.create_session(session).await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn after_kill_nine_at_random_moments_every_acknowledged_event_is_there_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    create(&path).await;
    let mut random = SEED;
    let mut acknowledged: HashMap<String, u64> = HashMap::new();
    let mut killed_while_writing = 0;
    for round in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut child = Command::new(writer())
            .arg(&path)
            .arg(SESSIONS.to_string())
            .arg((SEED ^ round).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let lines = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        // From before it opened the database to well into its writing.
        tokio::time::sleep(Duration::from_millis(5 + random % 400)).await;
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let text = lines.join().unwrap();
        killed_while_writing += u32::from(!text.is_empty());
        for line in text.lines() {
            let (session, seq) = line.split_once(' ').unwrap();
            let seq: u64 = seq.parse().unwrap();
            let last = acknowledged.entry(session.to_owned()).or_default();
            assert!(seq > *last, "acknowledged in order");
            *last = seq;
        }

        let store = Store::open(&path).await.unwrap();
        let class = store.classes().await.unwrap().remove(0);
        for session in store.sessions_of_class(&class.id).await.unwrap() {
            let events = store.events(&session.id).await.unwrap();
            for (index, event) in events.iter().enumerate() {
                let seq = index as u64 + 1;
                assert_eq!(event.seq, seq, "round {round}: no hole");
                assert_eq!(event.at.mono_ms, seq);
                match &event.kind {
                    EventKind::Chat { cid, .. } => assert_eq!(*cid, format!("u{seq}")),
                    other => panic!("round {round}: {other:?}"),
                }
            }
            let last = acknowledged.get(session.id.as_str()).copied().unwrap_or(0);
            assert!(
                events.len() as u64 >= last,
                "round {round}: acknowledged {last}, on disk {}",
                events.len()
            );
        }
        store.close().await;
    }
    let total: u64 = acknowledged.values().sum();
    println!(
        "{ROUNDS} kills, {killed_while_writing} of them while writing; {total} events acknowledged"
    );
    assert!(killed_while_writing > 0 && acknowledged.len() == SESSIONS);
}
