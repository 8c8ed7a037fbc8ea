//! Classes, sessions, secret, runs.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used)]

use lophoc_ledger::SessionKey;
use lophoc_records::{
    ClassId, NewClass, NewSession, Session, SessionMode, SessionState, Store, StoreError,
};

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("lophoc.db")).await.unwrap()
}

fn new_session(class: &ClassId, title: &str, starts_ms: u64) -> NewSession {
    NewSession {
        class: class.clone(),
        title: title.to_owned(),
        mode: SessionMode::Conference,
        starts_ms: Some(starts_ms),
        ends_ms: Some(starts_ms + 1),
    }
}

#[tokio::test]
async fn classes_and_sessions_are_found_again_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let new = NewClass {
        title: "Bồi dưỡng hè".to_owned(),
        host_unit: "Sở GDĐT".to_owned(),
    };
    let class = store.create_class(new).await.unwrap();
    let second = store
        .create_session(new_session(&class.id, "Buổi 2", 20))
        .await
        .unwrap();
    let first = store
        .create_session(new_session(&class.id, "Buổi 1", 10))
        .await
        .unwrap();
    assert_ne!(first.room, second.room);
    assert_eq!(first.state, SessionState::Scheduled);
    store.close().await;

    let store = open(&folder).await;
    assert_eq!(store.class(&class.id).await.unwrap(), Some(class.clone()));
    assert_eq!(store.classes().await.unwrap(), std::slice::from_ref(&class));
    assert_eq!(store.session(&first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(
        store.session_of_room(&second.room).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(
        store.sessions_of_class(&class.id).await.unwrap(),
        [first, second]
    );
    assert_eq!(store.session_of_room("' OR 1=1 --").await.unwrap(), None);
    assert_eq!(store.class(&ClassId("l0".to_owned())).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_needs_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let error = store
        .create_session(new_session(&ClassId("l0".to_owned()), "Buổi", 0))
        .await;
    assert!(
        matches!(error, Err(StoreError::UnknownClass(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn open_sessions_are_those_to_rebuild_and_an_end_is_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let new = NewClass {
        title: "Lớp".to_owned(),
        host_unit: "Sở".to_owned(),
    };
    let class = store.create_class(new).await.unwrap();
    let one = store
        .create_session(new_session(&class.id, "Buổi 1", 1))
        .await
        .unwrap();
    let two = store
        .create_session(new_session(&class.id, "Buổi 2", 2))
        .await
        .unwrap();
    store
        .set_session_state(&one.id, SessionState::Open)
        .await
        .unwrap();
    store
        .set_session_state(&one.id, SessionState::Open)
        .await
        .unwrap();
    store
        .set_session_state(&two.id, SessionState::Open)
        .await
        .unwrap();
    store
        .set_session_state(&two.id, SessionState::Ended)
        .await
        .unwrap();
    store
        .set_session_state(&two.id, SessionState::Ended)
        .await
        .unwrap();
    let back = store.set_session_state(&two.id, SessionState::Open).await;
    assert!(matches!(back, Err(StoreError::SessionEnded(_))), "{back:?}");
    let none = store
        .set_session_state(&SessionKey::from("b0"), SessionState::Open)
        .await;
    assert!(
        matches!(none, Err(StoreError::UnknownSession(_))),
        "{none:?}"
    );
    store.close().await;
    let store = open(&folder).await;
    let open = Session {
        state: SessionState::Open,
        ..one
    };
    assert_eq!(store.open_sessions().await.unwrap(), [open]);
}

#[tokio::test]
async fn the_demo_class_is_made_once_and_gets_a_new_session_when_its_last_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let demo = store.ensure_demo().await.unwrap();
    assert_eq!(
        demo.class.plan.title,
        "Bồi dưỡng giáo viên: Lớp học trực tuyến đầu tiên"
    );
    assert_eq!(demo.class.host_name, "Sở GDĐT (lớp mẫu)");
    store
        .set_session_state(&demo.session.id, SessionState::Open)
        .await
        .unwrap();
    store.close().await;
    let store = open(&folder).await;
    let again = store.ensure_demo().await.unwrap();
    assert_eq!(
        (&again.class, &again.session.room),
        (&demo.class, &demo.session.room)
    );
    store
        .set_session_state(&demo.session.id, SessionState::Ended)
        .await
        .unwrap();
    let fresh = store.ensure_demo().await.unwrap();
    assert_eq!(fresh.class, demo.class);
    assert_ne!(fresh.session.room, demo.session.room);
    assert_eq!(store.ensure_demo().await.unwrap(), fresh);
    assert_eq!(store.classes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_secret_is_made_once_and_differs_between_installations() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&one).await;
    let secret = store.secret().await.unwrap();
    assert_eq!(store.secret().await.unwrap(), secret);
    store.close().await;
    assert_eq!(open(&one).await.secret().await.unwrap(), secret);
    assert_ne!(open(&two).await.secret().await.unwrap(), secret);
}

#[tokio::test]
async fn every_run_has_a_number_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for boot in 1..=3 {
        let store = open(&folder).await;
        assert_eq!(store.next_boot().await.unwrap(), boot);
        store.close().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_can_read_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/lophoc.db");
    let store = Store::open(&path).await.unwrap();
    store.secret().await.unwrap();
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{entry:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lophoc.db");
    let text = "Danh sách điểm danh, not a database\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
