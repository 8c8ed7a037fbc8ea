//! Staff: substitution keeps both names; standing and role in the room follow.

use std::collections::BTreeSet;

use lophoc_classes::{ClassId, ClassStep, NewStaff, RosterState, StaffMember, StaffRole, UnitId};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_records::StoreError;

use crate::world::{DAY, NOW, World, change};

fn staff(person: &PersonKey, role: StaffRole) -> NewStaff {
    NewStaff {
        person: person.clone(),
        role,
        session: None,
        instead_of: None,
        learners: Vec::new(),
    }
}

impl World {
    async fn name(&self, class: &ClassId, new: &NewStaff) -> Result<StaffMember, StoreError> {
        self.store.add_staff(class, new, &self.by, NOW).await
    }

    async fn role(&self, session: &SessionKey, person: &PersonKey) -> Option<&'static str> {
        let place = self.store.place_in(session, person).await.unwrap();
        place.map(|place| place.role)
    }
}

#[tokio::test]
async fn who_stands_in_for_a_trainer_takes_his_place_there_and_both_names_stay() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let first = world.session(&class, NOW).await.id;
    let second = world.session(&class, NOW + DAY).await.id;
    let hang = world.person("Nguyễn Thị Hằng", Some("truong")).await;
    let minh = world.person("Lê Minh", None).await;
    world
        .name(&class, &staff(&hang, StaffRole::Trainer))
        .await
        .unwrap();
    let stands_in = NewStaff {
        session: Some(second.clone()),
        instead_of: Some(hang.clone()),
        ..staff(&minh, StaffRole::Trainer)
    };
    world.name(&class, &stands_in).await.unwrap();

    assert_eq!(world.role(&first, &hang).await, Some("trainer"));
    assert_eq!(world.role(&first, &minh).await, None);
    assert_eq!(world.role(&second, &hang).await, None);
    assert_eq!(world.role(&second, &minh).await, Some("trainer"));
    let lessons = world.store.lessons(&class).await.unwrap();
    assert_eq!(lessons[0].trainers, ["Nguyễn Thị Hằng"]);
    assert_eq!(lessons[1].trainers, ["Lê Minh"]);
    let standing = world.store.standing(&minh, &class).await.unwrap();
    assert!(standing.staff.is_empty() && standing.some_session);
    let there = world.store.standing_in(&minh, &second).await.unwrap();
    assert_eq!(there.staff, [StaffRole::Trainer]);
    let away = world.store.standing_in(&hang, &second).await.unwrap();
    assert!(away.staff.is_empty());

    // For the whole class: the other's entry ends, and stays in the list.
    let for_good = NewStaff {
        instead_of: Some(hang.clone()),
        ..staff(&minh, StaffRole::Trainer)
    };
    world.name(&class, &for_good).await.unwrap();
    let list = world.store.staff(&class).await.unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!((&list[0].person, list[0].ended_ms), (&hang, Some(NOW)));
    assert_eq!(list[0].unit, "Đơn vị truong");
    assert_eq!(list[2].instead_of, Some(hang.clone()));
    assert_eq!(world.role(&first, &hang).await, None);
    assert_eq!(world.role(&first, &minh).await, Some("trainer"));
}

#[tokio::test]
async fn staff_that_fits_nothing_is_refused_by_field() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let other = world.class("Lớp khác").await.id;
    let elsewhere = world.session(&other, NOW).await.id;
    let hang = world.person("Nguyễn Thị Hằng", None).await;
    let minh = world.person("Lê Minh", None).await;
    let trainer = staff(&hang, StaffRole::Trainer);
    let made = world.name(&class, &trainer).await.unwrap();
    let cases = [
        (staff(&PersonKey::from("p0"), StaffRole::Chair), "person"),
        (
            NewStaff {
                session: Some(elsewhere),
                ..staff(&minh, StaffRole::Trainer)
            },
            "session",
        ),
        (
            NewStaff {
                instead_of: Some(hang.clone()),
                ..staff(&minh, StaffRole::Chair)
            },
            "insteadOf",
        ),
        (
            NewStaff {
                learners: vec![hang.clone()],
                ..staff(&minh, StaffRole::Adviser)
            },
            "learners",
        ),
        (
            NewStaff {
                learners: vec![hang.clone()],
                ..staff(&minh, StaffRole::Trainer)
            },
            "learners",
        ),
    ];
    for (new, field) in cases {
        let refused = world.name(&class, &new).await;
        assert!(
            matches!(refused, Err(StoreError::Unknown(name)) if name == field),
            "{field}: {refused:?}"
        );
    }
    assert!(matches!(
        world.name(&class, &trainer).await,
        Err(StoreError::Taken("person"))
    ));
    let store = &world.store;
    assert!(matches!(
        store.end_staff(&other, made.id, &world.by, NOW).await,
        Err(StoreError::Unknown("entry"))
    ));
    store
        .end_staff(&class, made.id, &world.by, NOW)
        .await
        .unwrap();
    // Again: nothing happens, the first end stands.
    store
        .end_staff(&class, made.id, &world.by, NOW + 1)
        .await
        .unwrap();
    let list = store.staff(&class).await.unwrap();
    assert_eq!((list.len(), list[0].ended_ms), (1, Some(NOW)));
    // Nothing of the refused entries was kept, and who went may come again.
    world.name(&class, &trainer).await.unwrap();
}

#[tokio::test]
async fn the_role_in_the_room_is_the_strongest_and_staff_goes_before_the_roster() {
    let world = World::new().await;
    let class = world.class("Lớp").await.id;
    let session = world.session(&class, NOW).await.id;
    let person = world.person("Lê Minh", Some("truong")).await;
    let site = world.person("Điểm cầu Trường A", None).await;
    assert_eq!(world.role(&session, &person).await, None);
    let author = world.by.clone();
    for (role, name) in [
        (StaffRole::ContentAuthor, "guest"),
        (StaffRole::Observer, "inspector"),
        (StaffRole::Secretary, "secretary"),
        (StaffRole::Technician, "technician"),
        (StaffRole::Adviser, "adviser"),
        (StaffRole::Trainer, "trainer"),
        (StaffRole::Chair, "chair"),
        (StaffRole::Organiser, "organiser"),
    ] {
        world.name(&class, &staff(&person, role)).await.unwrap();
        assert_eq!(world.role(&session, &person).await, Some(name));
    }
    let mut hall = change(&site, RosterState::Planned);
    hall.site = true;
    let both = [change(&person, RosterState::Planned), hall];
    world
        .store
        .change_roster(&class, &both, world.author())
        .await
        .unwrap();
    assert_eq!(world.role(&session, &person).await, Some("organiser"));
    for entry in world.store.staff(&class).await.unwrap() {
        world
            .store
            .end_staff(&class, entry.id, &author, NOW)
            .await
            .unwrap();
    }
    assert_eq!(world.role(&session, &person).await, Some("learner"));
    let place = world
        .store
        .place_in(&session, &site)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (place.role, place.site.as_deref()),
        ("learner", Some("Điểm cầu Trường A"))
    );
    let places = world.store.places_in(&session).await.unwrap();
    assert_eq!(places.len(), 2);
    assert_eq!(places[&person].unit.as_deref(), Some("Đơn vị truong"));
    world
        .enrol(
            &class,
            std::slice::from_ref(&person),
            RosterState::Withdrawn,
        )
        .await;
    assert_eq!(world.role(&session, &person).await, None);
    // A class put off lets nobody in.
    world.steps(&class, &[ClassStep::Postpone]).await;
    assert_eq!(world.role(&session, &site).await, None);
    assert!(world.store.places_in(&session).await.unwrap().is_empty());
}

#[tokio::test]
async fn standing_tells_own_learners_enrolment_and_the_line_above_the_host() {
    let world = World::new().await;
    let mut plan = world.plan("Lớp trường");
    plan.host = Some(UnitId::from("truong"));
    let class = world
        .store
        .create_planned(plan, &world.by, NOW)
        .await
        .unwrap()
        .id;
    let adviser = world.person("Cố Vấn", None).await;
    let [a, b] = [
        world.person("Học viên A", None).await,
        world.person("Học viên B", None).await,
    ];
    world
        .enrol(&class, &[a.clone(), b.clone()], RosterState::Planned)
        .await;
    let own = NewStaff {
        learners: vec![a.clone(), a.clone()],
        ..staff(&adviser, StaffRole::Adviser)
    };
    world.name(&class, &own).await.unwrap();
    let standing = world.store.standing(&adviser, &class).await.unwrap();
    assert_eq!(standing.staff, [StaffRole::Adviser]);
    assert_eq!(standing.learners, BTreeSet::from([a.clone()]));
    assert!(!standing.enrolled);
    // By either parent, up to the root.
    let line: BTreeSet<UnitId> = ["truong", "xa", "so1", "bo"].map(UnitId::from).into();
    assert_eq!(standing.host_line, line);
    let learner = world.store.standing(&a, &class).await.unwrap();
    assert!(learner.enrolled && learner.staff.is_empty());
    world
        .enrol(&class, std::slice::from_ref(&a), RosterState::Withdrawn)
        .await;
    assert!(!world.store.standing(&a, &class).await.unwrap().enrolled);
    let nobody = world.store.standing(&a, &ClassId::from("l0")).await;
    assert!(matches!(nobody, Err(StoreError::UnknownClass(_))));
}
