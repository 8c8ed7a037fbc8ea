//! Sessions: phases from the ledger, what may still change, planned times.

use lophoc_classes::{ClassId, Session, SessionPhase};
use lophoc_ledger::{EventKind, SessionKey};
use lophoc_records::{NewClass, SessionState, StoreError};

use crate::world::{DAY, HOUR, NOW, World, form, started};

async fn phase(world: &World, id: &SessionKey) -> Session {
    world.store.lesson(id).await.unwrap().unwrap()
}

fn pause(on: bool) -> EventKind {
    EventKind::Break {
        on,
        by: None,
        until_ms: None,
    }
}

#[tokio::test]
async fn the_phase_follows_from_the_ledger_the_frozen_version_and_nothing_else() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let id = world.session(&class.id, NOW).await.id;
    assert_eq!(phase(&world, &id).await.phase, SessionPhase::Scheduled);
    world
        .store
        .set_session_state(&id, SessionState::Open)
        .await
        .unwrap();
    assert_eq!(phase(&world, &id).await.phase, SessionPhase::Rehearsal);
    world.log(&id, 1, vec![(NOW + 1, started())]).await;
    let running = phase(&world, &id).await;
    assert_eq!(
        (running.phase, running.began_ms, running.ended_ms),
        (SessionPhase::Running, Some(NOW + 1), None)
    );
    world.log(&id, 2, vec![(NOW + 2, pause(true))]).await;
    assert_eq!(phase(&world, &id).await.phase, SessionPhase::Break);
    world.log(&id, 3, vec![(NOW + 3, pause(false))]).await;
    assert_eq!(phase(&world, &id).await.phase, SessionPhase::Running);
    // Killed between the end and its note: ended all the same.
    let ended = EventKind::Ended { by: None };
    world.log(&id, 4, vec![(NOW + 4, ended.clone())]).await;
    let world = world.reopened().await;
    let over = phase(&world, &id).await;
    assert_eq!(
        (over.phase, over.ended_ms),
        (SessionPhase::Ended, Some(NOW + 4))
    );
    // Ended by mistake and begun again: the same session.
    world.log(&id, 5, vec![(NOW + 5, started())]).await;
    let again = phase(&world, &id).await;
    assert_eq!(
        (again.phase, again.began_ms, again.ended_ms),
        (SessionPhase::Running, Some(NOW + 1), None)
    );
    world.log(&id, 6, vec![(NOW + 6, ended)]).await;
    world
        .store
        .set_session_state(&id, SessionState::Ended)
        .await
        .unwrap();
    world.freeze(&id).await;
    let frozen = phase(&world, &id).await;
    assert_eq!((frozen.phase, frozen.frozen), (SessionPhase::Frozen, 1));
}

#[tokio::test]
async fn sessions_are_numbered_by_their_planned_beginning_and_moves_are_kept() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let second = world.session(&class.id, NOW + DAY).await;
    let first = world.session(&class.id, NOW).await;
    let order = |all: Vec<Session>| -> Vec<(u32, SessionKey)> {
        all.into_iter().map(|one| (one.no, one.id)).collect()
    };
    let all = world.store.lessons(&class.id).await.unwrap();
    assert_eq!(order(all), [(1, first.id.clone()), (2, second.id.clone())]);
    let moved = form("Buổi", Some(NOW + 2 * DAY));
    world
        .store
        .change_session(&first.id, &moved, &world.by, NOW)
        .await
        .unwrap();
    let all = world.store.lessons(&class.id).await.unwrap();
    assert_eq!(order(all), [(1, second.id), (2, first.id.clone())]);
    let times = world.store.planned_times(&first.id).await.unwrap();
    let starts: Vec<Option<u64>> = times.iter().map(|time| time.starts_ms).collect();
    assert_eq!(starts, [Some(NOW), Some(NOW + 2 * DAY)]);
}

#[tokio::test]
async fn what_was_held_keeps_its_planned_times_and_what_was_frozen_whether_it_counts() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let id = world.session(&class.id, NOW).await.id;
    let try_change = async |form: &lophoc_classes::SessionForm| {
        world
            .store
            .change_session(&id, form, &world.by, NOW)
            .await
            .map(|session| session.form)
    };
    world.begin(&id, NOW).await;
    let mut later_end = form("Buổi dài", Some(NOW));
    later_end.ends_ms = Some(NOW + 3 * HOUR);
    assert_eq!(try_change(&later_end).await.unwrap(), later_end);
    let mut other_mode = later_end.clone();
    other_mode.mode = "discussion".to_owned();
    assert!(matches!(
        try_change(&other_mode).await,
        Err(StoreError::Refused(_))
    ));
    let ended = vec![(NOW + HOUR, EventKind::Ended { by: None })];
    world.log(&id, 2, ended).await;
    let moved = form("Buổi dài", Some(NOW + DAY));
    assert!(matches!(
        try_change(&moved).await,
        Err(StoreError::Refused(_))
    ));
    let mut renamed = later_end.clone();
    renamed.title = "Buổi 1 (đã dạy)".to_owned();
    renamed.counts = false;
    assert!(try_change(&renamed).await.is_ok());
    world.freeze(&id).await;
    renamed.counts = true;
    assert!(matches!(
        try_change(&renamed).await,
        Err(StoreError::Refused(_))
    ));
}

#[tokio::test]
async fn a_session_is_cancelled_before_it_begins_and_deleted_only_when_never_opened() {
    let world = World::new().await;
    let class = world.class("Lớp").await;
    let id = world.session(&class.id, NOW).await.id;
    let gone = world
        .store
        .cancel_session(&id, "Bão số 9", NOW)
        .await
        .unwrap();
    assert_eq!(gone.phase, SessionPhase::Cancelled);
    // Nobody comes in any more.
    let room = world.store.session(&id).await.unwrap().unwrap();
    assert_eq!(room.state, SessionState::Ended);
    assert!(matches!(
        world.store.cancel_session(&id, "", NOW).await,
        Err(StoreError::Refused(_))
    ));
    assert!(matches!(
        world.store.delete_session(&id, NOW).await,
        Err(StoreError::Refused(_))
    ));

    let begun = world.session(&class.id, NOW + DAY).await.id;
    world.begin(&begun, NOW).await;
    assert!(matches!(
        world.store.cancel_session(&begun, "", NOW).await,
        Err(StoreError::Refused(_))
    ));
    assert!(matches!(
        world.store.delete_session(&begun, NOW).await,
        Err(StoreError::Refused(_))
    ));
    let unused = world.session(&class.id, NOW + 2 * DAY).await.id;
    world.store.delete_session(&unused, NOW).await.unwrap();
    assert_eq!(world.store.lesson(&unused).await.unwrap(), None);
    let unknown = SessionKey::from("' OR 1=1 --");
    assert!(matches!(
        world.store.delete_session(&unknown, NOW).await,
        Err(StoreError::UnknownSession(_))
    ));
}

#[tokio::test]
async fn a_class_of_the_command_line_is_open_and_its_plan_empty() {
    let world = World::new().await;
    let new = NewClass {
        title: "Lớp nhanh".to_owned(),
        host_unit: "Phòng họp".to_owned(),
    };
    let class = world.store.create_class(new).await.unwrap();
    assert_eq!(class.state, lophoc_classes::ClassState::Open);
    let known = world.store.class(&class.id).await.unwrap();
    assert_eq!(known, Some(class.clone()));
    assert_eq!(class.host_name, "Phòng họp");
    let none = ClassId::from("l0");
    let refused = world
        .store
        .add_session(&none, &form("Buổi", None), &world.by, NOW)
        .await;
    assert!(matches!(refused, Err(StoreError::UnknownClass(_))));
    let mut odd = form("Buổi", None);
    odd.mode = "party".to_owned();
    let refused = world
        .store
        .add_session(&class.id, &odd, &world.by, NOW)
        .await;
    assert!(matches!(refused, Err(StoreError::Unknown("mode"))));
}
