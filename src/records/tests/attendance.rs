//! What is decided about attendance is only ever added to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in tests a failing unwrap is a failing test"
)]

use lophoc_classes::{
    Delegate, Excuse, ExportFormat, ExportKind, ExportRecord, IncidentKind, IncidentSeverity,
    MAX_INCIDENTS, NewIncident,
};
use lophoc_ledger::{Change, HallHow, PersonKey, SessionKey, Status};
use lophoc_records::{
    Access, Author, CheckIn, NewClass, NewCorrection, NewHallMark, NewSession, NewVersion,
    SessionMode, Store, StoredExport,
};
use sqlx::{ConnectOptions as _, Connection as _};

struct World {
    store: Store,
    session: SessionKey,
    class: lophoc_records::ClassId,
    folder: tempfile::TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("records.db"))
        .await
        .unwrap();
    let class = store
        .create_class(NewClass {
            title: "Lớp".to_owned(),
            host_unit: "Sở".to_owned(),
        })
        .await
        .unwrap();
    let session = store
        .create_session(NewSession {
            class: class.id.clone(),
            title: "Buổi".to_owned(),
            mode: SessionMode::Training,
            starts_ms: None,
            ends_ms: None,
        })
        .await
        .unwrap();
    World {
        store,
        session: session.id,
        class: class.id,
        folder,
    }
}

fn author() -> Author {
    Author {
        by: PersonKey::from("p-author"),
        name: "Lê Thị Thư Ký".to_owned(),
        at_ms: 5_000,
    }
}

fn mark(person: &str, made_ms: u64) -> NewHallMark {
    NewHallMark {
        person: PersonKey::from(person),
        site: Some(PersonKey::from("p-site")),
        on: true,
        how: HallHow::Qr,
        by: PersonKey::from(person),
        at_ms: None,
        made_ms,
    }
}

async fn fill(world: &World) {
    let World { store, session, .. } = world;
    let correction = NewCorrection {
        person: PersonKey::from("p1"),
        was: "Vắng không phép".to_owned(),
    };
    let change = Change::Status {
        to: Status::InPerson,
    };
    for _ in 0..2 {
        store
            .add_adjustments(
                session,
                &change,
                std::slice::from_ref(&correction),
                "lý do",
                None,
                &author(),
            )
            .await
            .unwrap();
    }
    let excuse = |reason: &str| Excuse {
        person: PersonKey::from("p1"),
        reason: reason.to_owned(),
    };
    for reason in ["Ốm", "Công tác"] {
        store
            .add_excuses(session, &[excuse(reason)], &author())
            .await
            .unwrap();
    }
    let delegate = Delegate {
        invited: PersonKey::from("p1"),
        name: "Phan Văn Thay".to_owned(),
        position: String::new(),
        reference: String::new(),
    };
    store
        .add_delegates(session, &[delegate], &author())
        .await
        .unwrap();
    store.check_in(session, "d1", &mark("p1", 1)).await.unwrap();
    store.check_in(session, "d1", &mark("p2", 2)).await.unwrap();
    let version = NewVersion {
        body: "{}".to_owned(),
        stands: "s".to_owned(),
        sha256: "h".to_owned(),
        reason: String::new(),
    };
    store
        .add_version(session, 0, &version, &author())
        .await
        .unwrap()
        .unwrap();
    let record = ExportRecord {
        id: "e1234567".to_owned(),
        kind: ExportKind::Session,
        format: ExportFormat::Csv,
        class: Some(world.class.0.clone()),
        unit: None,
        session: Some(session.0.clone()),
        version: 1,
        data_sha256: "d".to_owned(),
        file_sha256: "f".to_owned(),
        file_len: 3,
        by: "Lê Thị Thư Ký".to_owned(),
        made_ms: 9,
    };
    let export = StoredExport {
        record,
        by: PersonKey::from("p-author"),
        query: "{}".to_owned(),
        extent: "{}".to_owned(),
    };
    store.add_export(&export, "data").await.unwrap();
    store
        .log_access(Access {
            at_ms: 1,
            by: &PersonKey::from("p1"),
            by_name: "A",
            what: "view",
            extent: "all",
            class: &world.class,
            session: Some(session),
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_decided_is_changed_or_deleted() {
    let world = world().await;
    fill(&world).await;
    let path = world.folder.path().join("records.db");
    let mut direct = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    for (table, column) in [
        ("hall_mark", "person"),
        ("check_in_device", "person"),
        ("check_in_refused", "person"),
        ("adjustment", "reason"),
        ("excuse", "reason"),
        ("delegate", "name"),
        ("attendance_version", "body"),
        ("export_data", "body"),
        ("export", "file_sha256"),
        ("access_log", "what"),
    ] {
        let rows = format!("SELECT count(*) FROM {table}");
        let count: i64 = sqlx::query_scalar(&rows)
            .fetch_one(&mut direct)
            .await
            .unwrap();
        assert!(count > 0, "{table} is empty");
        for text in [
            format!("UPDATE {table} SET {column} = 'x'"),
            format!("DELETE FROM {table}"),
        ] {
            let error = sqlx::query(&text).execute(&mut direct).await.unwrap_err();
            assert!(error.to_string().contains("append-only"), "{text}: {error}");
        }
        let after: i64 = sqlx::query_scalar(&rows)
            .fetch_one(&mut direct)
            .await
            .unwrap();
        assert_eq!(after, count);
    }
    direct.close().await.unwrap();
}

#[tokio::test]
async fn the_last_decision_stands_and_the_earlier_ones_stay() {
    let world = world().await;
    fill(&world).await;
    let World { store, session, .. } = &world;
    let all = store.adjustments(session).await.unwrap();
    assert_eq!(all.iter().map(|one| one.no).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(all[0].by_name, "Lê Thị Thư Ký");
    let excuses = store.excuses(session).await.unwrap();
    assert_eq!(excuses.len(), 1);
    assert_eq!(excuses[0].reason, "Công tác");
    let back = Excuse {
        person: PersonKey::from("p1"),
        reason: String::new(),
    };
    store
        .add_excuses(session, &[back], &author())
        .await
        .unwrap();
    assert!(store.excuses(session).await.unwrap().is_empty());
    assert_eq!(store.delegates(session).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_phone_ticks_in_one_person_and_the_counts_follow_the_last_tick() {
    let World { store, session, .. } = &world().await;
    let first = store.check_in(session, "d1", &mark("p1", 1)).await.unwrap();
    assert!(matches!(first, CheckIn::Marked(ref mark) if mark.seq == 1));
    let again = store.check_in(session, "d1", &mark("p1", 2)).await.unwrap();
    assert!(matches!(again, CheckIn::Already(ref mark) if mark.made_ms == 1));
    for made_ms in 3..6 {
        let other = store
            .check_in(session, "d1", &mark("p2", made_ms))
            .await
            .unwrap();
        assert_eq!(other, CheckIn::OtherPerson);
    }
    let refused = store.refused_check_ins(session).await.unwrap();
    assert_eq!(refused, [(PersonKey::from("p2"), 3)]);
    store.check_in(session, "d2", &mark("p2", 7)).await.unwrap();
    let site = Some(PersonKey::from("p-site"));
    assert_eq!(
        store.hall_counts(session).await.unwrap(),
        [(site.clone(), 2)]
    );
    let out = NewHallMark {
        on: false,
        ..mark("p1", 8)
    };
    store.add_hall_marks(session, &[out]).await.unwrap();
    assert_eq!(store.hall_counts(session).await.unwrap(), [(site, 1)]);
}

#[tokio::test]
async fn of_two_who_freeze_at_once_one_gets_the_number() {
    let World { store, session, .. } = &world().await;
    let version = NewVersion {
        body: "{}".to_owned(),
        stands: "s".to_owned(),
        sha256: "h".to_owned(),
        reason: String::new(),
    };
    let author = author();
    let (a, b) = tokio::join!(
        store.add_version(session, 0, &version, &author),
        store.add_version(session, 0, &version, &author),
    );
    let made = [a.unwrap(), b.unwrap()];
    assert_eq!(made.iter().flatten().count(), 1);
    assert_eq!(store.latest_version(session).await.unwrap().0, 1);
}

/// A link that comes and goes all day must not take the place of what people write.
#[tokio::test]
async fn what_the_server_writes_of_sites_leaves_room_for_people() {
    let world = world().await;
    let (store, session) = (&world.store, &world.session);
    let site = PersonKey::from("p-site");
    let most = u64::from(MAX_INCIDENTS);
    for at in 0..most / 2 + 20 {
        let lost = store.note_site_lost(session, &site, "Điểm cầu", "mất", at);
        lost.await.unwrap();
        store
            .note_site_back(session, &site, "về", at)
            .await
            .unwrap();
    }
    let list = store.incidents(session).await.unwrap();
    assert_eq!(list.len() as u64, most / 2);
    let new = NewIncident {
        kind: IncidentKind::Sound,
        severity: IncidentSeverity::High,
        site: Some(site),
        subject: String::new(),
        text: "Loa rè".to_owned(),
    };
    store.add_incident(session, &new, &author()).await.unwrap();
}
