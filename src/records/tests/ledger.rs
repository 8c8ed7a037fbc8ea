//! The ledger's writer: order, repeats, refusals, full storage.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use lophoc_ledger::{Event, EventKind, LastSeen, PersonKey, SessionKey, Stamp};
use lophoc_records::{
    NewClass, NewSession, QUEUE_JOBS, Session, SessionMode, Store, StoreError, StoreOptions,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};

async fn session(store: &Store) -> Session {
    let class = NewClass {
        title: "Lớp".to_owned(),
        host_unit: "Sở".to_owned(),
    };
    let class = store.create_class(class).await.unwrap();
    let session = NewSession {
        class: class.id,
        title: "Buổi 1".to_owned(),
        mode: SessionMode::Training,
        starts_ms: None,
        ends_ms: None,
    };
    store.create_session(session).await.unwrap()
}

fn event_with(session: &SessionKey, seq: u64, text: String) -> Event {
    Event {
        session: session.clone(),
        seq,
        at: Stamp {
            wall_ms: 1_000 + seq,
            mono_ms: seq,
            boot: 1,
        },
        kind: EventKind::Chat {
            person: PersonKey::from("p1"),
            id: format!("c{seq}"),
            cid: format!("u{seq}"),
            text,
            to: None,
        },
    }
}

fn event(session: &SessionKey, seq: u64) -> Event {
    event_with(session, seq, "chào".to_owned())
}

fn events(session: &SessionKey, seqs: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    seqs.map(|seq| event(session, seq)).collect()
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_is_read_back_as_it_was_by_another_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/lophoc.db");
    let store = Store::open(&path).await.unwrap();
    let session = session(&store).await.id;
    let mut written = events(&session, 1..=3);
    let newer = serde_json::json!({"e": "ofNextYear", "n": [1, 2]});
    written[1].kind = EventKind::Unknown(newer);
    store
        .ledger()
        .append(written.clone())
        .await
        .unwrap()
        .unwrap();
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.events(&session).await.unwrap(), written);
    assert_eq!(store.events(&SessionKey::from("b-none")).await.unwrap(), []);
}

#[tokio::test]
async fn appends_of_many_rooms_at_once_are_all_there_in_the_order_of_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(session(&store).await.id);
    }
    let ledger = store.ledger();
    let mut answers = Vec::new();
    for seq in 1..=100 {
        for session in &sessions {
            answers.push(ledger.append(vec![event(session, seq)]));
        }
    }
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    for session in &sessions {
        assert_eq!(
            store.events(session).await.unwrap(),
            events(session, 1..=100)
        );
    }
}

#[tokio::test]
async fn an_append_larger_than_a_statement_and_a_batch_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let session = session(&store).await.id;
    store
        .ledger()
        .append(events(&session, 1..=5_001))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.events(&session).await.unwrap().len(), 5_001);
}

#[tokio::test]
async fn a_repeat_is_accepted_and_written_once_also_when_it_overlaps_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let store = Store::open(&path).await.unwrap();
    let session = session(&store).await.id;
    let ledger = store.ledger();
    let answers = [
        ledger.append(events(&session, 1..=3)),
        ledger.append(events(&session, 2..=5)),
        ledger.append(events(&session, 1..=1)),
        ledger.append(Vec::new()),
    ];
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    store
        .ledger()
        .append(events(&session, 4..=6))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.events(&session).await.unwrap(),
        events(&session, 1..=6)
    );
}

#[tokio::test]
async fn an_append_that_would_leave_a_hole_or_contradict_the_log_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let mine = session(&store).await.id;
    let other = session(&store).await.id;
    let ledger = store.ledger();
    let mut changed = event(&mine, 1);
    changed.at.wall_ms += 1;
    let mut too_late = event(&mine, 3);
    too_late.at.wall_ms = u64::MAX;
    let good = ledger.append(events(&mine, 1..=2));
    let answers = [
        (
            ledger.append(events(&mine, 4..=4)),
            "ledger of session S: event 3 is next, got 4",
        ),
        (
            ledger.append(vec![event(&mine, 3), event(&mine, 5)]),
            "event 4 is next, got 5",
        ),
        (
            ledger.append(vec![event(&mine, 0)]),
            "event 1 is next, got 0",
        ),
        (
            ledger.append(vec![changed.clone()]),
            "another event has number 1",
        ),
        (
            ledger.append(vec![too_late]),
            "number 18446744073709551615 too large",
        ),
        (
            ledger.append(vec![event(&mine, 3), event(&other, 1)]),
            "several sessions",
        ),
        (
            ledger.append(events(&SessionKey::from("b-none"), 1..=1)),
            "unknown session b-none",
        ),
    ];
    let also_good = ledger.append(events(&other, 1..=2));
    good.await.unwrap().unwrap();
    also_good.await.unwrap().unwrap();
    for (answer, why) in answers {
        let error = answer.await.unwrap().unwrap_err().to_string();
        let error = error.replace(mine.as_str(), "S");
        assert!(error.contains(why), "{error}");
    }
    // The same when it is on disk already.
    let error = ledger.append(vec![changed]).await.unwrap().unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { seq: 1, .. }),
        "{error}"
    );
    ledger.append(events(&mine, 3..=3)).await.unwrap().unwrap();
    assert_eq!(store.events(&mine).await.unwrap(), events(&mine, 1..=3));
    assert_eq!(store.events(&other).await.unwrap(), events(&other, 1..=2));
}

#[tokio::test]
async fn an_event_can_be_neither_changed_nor_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let store = Store::open(&path).await.unwrap();
    let session = session(&store).await.id;
    store
        .ledger()
        .append(events(&session, 1..=2))
        .await
        .unwrap()
        .unwrap();
    let mut raw = raw(&path).await;
    for text in [
        "UPDATE event SET wall_ms = 0",
        "DELETE FROM event WHERE seq = 2",
    ] {
        let error = raw.execute(text).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
    assert_eq!(
        store.events(&session).await.unwrap(),
        events(&session, 1..=2)
    );
}

fn seen(person: &str, mono_ms: u64, boot: u64) -> LastSeen {
    let at = Stamp {
        wall_ms: 1_000_000 + mono_ms,
        mono_ms,
        boot,
    };
    LastSeen {
        person: PersonKey::from(person),
        at,
    }
}

#[tokio::test]
async fn a_mark_moves_forward_only_and_each_run_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let session = session(&store).await.id;
    let ledger = store.ledger();
    ledger
        .sweep(&session, vec![seen("a", 10, 1), seen("b", 10, 1)])
        .await
        .unwrap();
    ledger
        .sweep(&session, vec![seen("a", 20, 1), seen("b", 5, 1)])
        .await
        .unwrap();
    ledger.sweep(&session, vec![seen("a", 1, 2)]).await.unwrap();
    ledger.sweep(&session, Vec::new()).await.unwrap();
    assert_eq!(
        store.presence(&session).await.unwrap(),
        [seen("a", 20, 1), seen("b", 10, 1), seen("a", 1, 2)]
    );
    let error = ledger
        .sweep(&SessionKey::from("b-none"), vec![seen("a", 1, 1)])
        .await;
    assert!(
        matches!(error, Err(StoreError::UnknownSession(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn five_thousand_marks_are_one_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let session = session(&store).await.id;
    for mono_ms in [1, 2] {
        let marks = (0..5_000)
            .map(|n| seen(&format!("p{n}"), mono_ms, 1))
            .collect();
        store.ledger().sweep(&session, marks).await.unwrap();
    }
    let presence = store.presence(&session).await.unwrap();
    assert_eq!(presence.len(), 5_000);
    assert!(presence.iter().all(|seen| seen.at.mono_ms == 2));
}

#[tokio::test]
async fn with_storage_full_what_was_acknowledged_stays_and_with_room_again_the_log_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let options = StoreOptions {
        max_bytes: Some(2 * 1024 * 1024),
    };
    let store = Store::open_with(&path, options).await.unwrap();
    let mine = session(&store).await.id;
    let other = session(&store).await.id;
    // Half of the room is taken by something that can be thrown away.
    let mut raw = raw(&path).await;
    raw.execute("CREATE TABLE ballast (x BLOB)").await.unwrap();
    raw.execute("INSERT INTO ballast VALUES (zeroblob(1048576))")
        .await
        .unwrap();
    let ledger = store.ledger();
    let big = |seq| event_with(&mine, seq, "x".repeat(20_000));
    let mut acknowledged = 0;
    let error = loop {
        match ledger.append(vec![big(acknowledged + 1)]).await.unwrap() {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "never full");
    };
    assert!(matches!(error, StoreError::Full), "{error}");
    assert!(acknowledged > 10);
    // Still full: the rooms go on, each append is told so, order is kept.
    for seq in acknowledged + 2..=acknowledged + 4 {
        let error = ledger.append(vec![big(seq)]).await.unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Full), "{error}");
    }
    let sum = store.events(&mine).await.unwrap().len() as u64;
    assert_eq!(sum, acknowledged, "nothing lost, nothing half written");

    raw.execute("DROP TABLE ballast").await.unwrap();
    // A caller may ask again for an append it was refused, and go on.
    ledger
        .append(vec![big(acknowledged + 4)])
        .await
        .unwrap()
        .unwrap();
    ledger.append(events(&other, 1..=1)).await.unwrap().unwrap();
    ledger
        .append(vec![big(acknowledged + 5)])
        .await
        .unwrap()
        .unwrap();
    let all: Vec<Event> = (1..=acknowledged + 5).map(big).collect();
    assert_eq!(store.events(&mine).await.unwrap(), all);
    assert_eq!(store.events(&other).await.unwrap(), events(&other, 1..=1));
}

#[tokio::test]
async fn with_storage_working_again_the_log_catches_up_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let options = StoreOptions {
        max_bytes: Some(1024 * 1024),
    };
    let store = Store::open_with(&path, options).await.unwrap();
    let mine = session(&store).await.id;
    let mut raw = raw(&path).await;
    raw.execute("CREATE TABLE ballast (x BLOB)").await.unwrap();
    raw.execute("INSERT INTO ballast VALUES (zeroblob(786432))")
        .await
        .unwrap();
    let big = event_with(&mine, 1, "x".repeat(400_000));
    let error = store
        .ledger()
        .append(vec![big.clone()])
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    raw.execute("DROP TABLE ballast").await.unwrap();
    while store.events(&mine).await.unwrap() != [big.clone()] {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_or_waits_and_the_log_has_no_hole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let session = session(&store).await.id;
    let ledger = store.ledger();
    // No await between the calls, on a runtime of one thread: nobody reads.
    let mut answers = Vec::new();
    for seq in 1..=QUEUE_JOBS as u64 + 1 {
        answers.push(ledger.append(vec![event(&session, seq)]));
    }
    let refused = answers.pop().unwrap().await.unwrap().unwrap_err();
    assert!(matches!(refused, StoreError::Busy), "{refused}");
    for seq in QUEUE_JOBS as u64 + 1..=2 * QUEUE_JOBS as u64 {
        answers.push(ledger.append_waiting(vec![event(&session, seq)]).await);
    }
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    let written = store.events(&session).await.unwrap();
    assert_eq!(written, events(&session, 1..=2 * QUEUE_JOBS as u64));
}

#[tokio::test]
async fn closing_writes_what_was_appended_and_refuses_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let store = Store::open(&path).await.unwrap();
    let session = session(&store).await.id;
    let ledger = store.ledger();
    let answer = ledger.append(events(&session, 1..=3));
    store.close().await;
    answer.await.unwrap().unwrap();
    let late = ledger
        .append(events(&session, 4..=4))
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(late, StoreError::Stopped), "{late}");
    let late = ledger
        .sweep(&session, vec![seen("a", 1, 1)])
        .await
        .unwrap_err();
    assert!(matches!(late, StoreError::Stopped), "{late}");
    let store = Store::open(&path).await.unwrap();
    assert_eq!(
        store.events(&session).await.unwrap(),
        events(&session, 1..=3)
    );
}
