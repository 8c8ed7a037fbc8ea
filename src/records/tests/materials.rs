//! Slides and files in the records.
#![allow(clippy::unwrap_used)]

use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_records::{
    Material, MaterialKind, MaterialLabels, MaterialState, NewClass, NewSession, SessionMode, Store,
};

async fn store_and_session() -> (tempfile::TempDir, Store, SessionKey) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
    let new = NewClass {
        title: "Bồi dưỡng".to_owned(),
        host_unit: "Sở GDĐT".to_owned(),
    };
    let class = store.create_class(new).await.unwrap();
    let session = NewSession {
        class: class.id,
        title: "Buổi 1".to_owned(),
        mode: SessionMode::Training,
        starts_ms: None,
        ends_ms: None,
    };
    let session = store.create_session(session).await.unwrap();
    (folder, store, session.id)
}

fn deck(session: &SessionKey, id: &str, made_ms: u64) -> Material {
    Material {
        id: id.to_owned(),
        session: session.clone(),
        kind: MaterialKind::Deck,
        name: "Bài 1.pptx".to_owned(),
        bytes: 1_000,
        sha256: format!("hash of {id}"),
        key: format!("key of {id}"),
        state: MaterialState::Queued,
        pages: 0,
        width: 0,
        height: 0,
        labels: MaterialLabels {
            review: "draft".to_owned(),
            licence: None,
            owner: Some("Sở".to_owned()),
        },
        by: PersonKey::from("p1"),
        by_name: "Dạy".to_owned(),
        made_ms,
        dropped_ms: None,
    }
}

#[tokio::test]
async fn what_waits_longest_is_taken_first_and_what_was_cut_off_waits_again() {
    let (_folder, store, session) = store_and_session().await;
    for (id, at) in [("d2", 20), ("d1", 10)] {
        store.add_material(&deck(&session, id, at)).await.unwrap();
    }
    assert_eq!(store.materials_waiting(&session).await.unwrap().all, 2);
    assert_eq!(store.next_material(None).await.unwrap().unwrap().id, "d1");
    // A stop does not count as a try.
    for _ in 0..5 {
        store.put_back_material("d1").await.unwrap();
        assert_eq!(store.next_material(None).await.unwrap().unwrap().id, "d1");
    }
    let size = [12, 960, 540];
    store
        .finish_material("d1", &MaterialState::Ready, size)
        .await
        .unwrap();
    // Three deaths of the server over the same file are enough.
    for death in 1..=3 {
        assert_eq!(store.next_material(None).await.unwrap().unwrap().id, "d2");
        store.resume_materials("tooHard").await.unwrap();
        let waits = store.materials_waiting(&session).await.unwrap().all;
        assert_eq!(waits, u64::from(death < 3));
    }
    assert_eq!(store.next_material(None).await.unwrap(), None);
    let list = store.materials(&session).await.unwrap();
    assert_eq!((list[0].id.as_str(), list[0].pages), ("d1", 12));
    assert_eq!(list[1].state, MaterialState::Failed("tooHard".to_owned()));
    assert_eq!(store.material_bytes(&session).await.unwrap(), 1_000);
}

#[tokio::test]
async fn a_material_is_found_by_its_key_and_known_when_it_comes_twice() {
    let (_folder, store, session) = store_and_session().await;
    let one = deck(&session, "d1", 10);
    store.add_material(&one).await.unwrap();
    let again = Material {
        id: "d9".to_owned(),
        key: "another".to_owned(),
        ..one.clone()
    };
    assert_eq!(
        store.same_material(&again).await.unwrap(),
        Some(one.clone())
    );
    let other = Material {
        by: PersonKey::from("p2"),
        ..again.clone()
    };
    assert_eq!(store.same_material(&other).await.unwrap(), None);
    assert_eq!(
        store.material_of_key("key of d1").await.unwrap(),
        Some(one.clone())
    );
    assert_eq!(store.material_of_key("' OR 1=1 --").await.unwrap(), None);
    let labels = MaterialLabels {
        review: "reviewed".to_owned(),
        licence: Some("CC BY".to_owned()),
        owner: None,
    };
    store.label_material("d1", &labels).await.unwrap();
    store.drop_material("d1", 50).await.unwrap();
    store.drop_material("d1", 60).await.unwrap();
    let kept = store.materials(&session).await.unwrap();
    assert_eq!((kept[0].dropped_ms, &kept[0].labels), (Some(50), &labels));
    // It was taken away: brought again it is a new one.
    assert_eq!(store.same_material(&again).await.unwrap(), None);
    store.remove_material("d1").await.unwrap();
    assert!(store.materials(&session).await.unwrap().is_empty());
}

#[tokio::test]
async fn sessions_take_turns_and_what_was_taken_out_is_not_converted() {
    let (_folder, store, one) = store_and_session().await;
    let class = store.session(&one).await.unwrap().unwrap().class;
    let new = NewSession {
        class,
        title: "Buổi 2".to_owned(),
        mode: SessionMode::Training,
        starts_ms: None,
        ends_ms: None,
    };
    let other = store.create_session(new).await.unwrap().id;
    for at in 0..3 {
        let deck = deck(&one, &format!("a{at}"), at);
        store.add_material(&deck).await.unwrap();
    }
    for (id, at) in [("b1", 100), ("b2", 200)] {
        store.add_material(&deck(&other, id, at)).await.unwrap();
    }
    store.drop_material("a1", 50).await.unwrap();
    store.drop_material("b1", 150).await.unwrap();
    let waits = store.materials_waiting(&one).await.unwrap();
    assert_eq!((waits.all, waits.own), (3, 2));
    let mut taken = vec![];
    let mut last = Some(other.clone());
    while let Some(next) = store.next_material(last.as_ref()).await.unwrap() {
        taken.push(next.id);
        last = Some(next.session);
    }
    // Whichever session comes first: theirs comes second at the latest.
    assert_eq!(taken, ["a0", "b2", "a2"]);
}

#[tokio::test]
async fn what_was_handed_in_and_taken_back_still_takes_its_place() {
    let (_folder, store, session) = store_and_session().await;
    let handed = |id: &str, by: &str, bytes| Material {
        kind: MaterialKind::In,
        state: MaterialState::Ready,
        by: PersonKey::from(by),
        bytes,
        ..deck(&session, id, 10)
    };
    for one in [
        deck(&session, "d1", 1),
        handed("f1", "p1", 20),
        handed("f2", "p1", 300),
        handed("f3", "p2", 4_000),
    ] {
        store.add_material(&one).await.unwrap();
    }
    store.drop_material("f2", 50).await.unwrap();
    for (by, own) in [("p1", 320), ("p2", 4_000), ("p3", 0)] {
        let bytes = store.hand_in_bytes(&session, &by.into()).await.unwrap();
        assert_eq!((bytes.all, bytes.own), (4_320, own), "{by}");
    }
    assert_eq!(store.material_bytes(&session).await.unwrap(), 5_320);
}
