//! Lists are cut to what the asker may see, exactly as the table of rights says.

use std::collections::BTreeSet;

use lophoc_classes::{
    Actor, ClassId, ClassState, ClassStep, CourseForm, NewStaff, Right, RosterState, StaffRole,
    UnitId, UnitRole, grant,
};
use lophoc_ledger::PersonKey;
use lophoc_records::ClassFilter;

use crate::world::{DAY, HOUR, NOW, World};

fn actor(person: &PersonKey, units: Vec<UnitRole>) -> Actor {
    Actor {
        person: person.clone(),
        admin: false,
        units,
    }
}

fn filter(q: &str) -> ClassFilter {
    ClassFilter {
        q: q.to_owned(),
        n: 50,
        ..ClassFilter::default()
    }
}

async fn listed(world: &World, actor: &Actor, filter: &ClassFilter) -> BTreeSet<ClassId> {
    let page = world.store.class_lines(actor, filter, NOW).await.unwrap();
    let ids: BTreeSet<ClassId> = page.items.into_iter().map(|line| line.class.id).collect();
    assert_eq!(page.total as usize, ids.len());
    ids
}

#[tokio::test]
async fn the_list_has_what_the_table_of_rights_lets_be_seen() {
    let world = World::new().await;
    let stranger = world.person("Người Lạ", None).await;
    let learner = world.person("Học Viên", Some("truong")).await;
    let session_staff = world.person("Dạy Thay", None).await;
    let class_staff = world.person("Báo Cáo Viên", None).await;
    let mut classes = Vec::new();
    for host in ["bo", "so1", "so2", "xa", "truong"] {
        let mut plan = world.plan(&format!("Lớp của {host}"));
        plan.host = Some(UnitId::from(host));
        let class = world
            .store
            .create_planned(plan, &world.by, NOW)
            .await
            .unwrap();
        classes.push(class.id);
    }
    // The school's learner is in the class of the other Sở.
    let away = classes[2].clone();
    world
        .enrol(&away, std::slice::from_ref(&learner), RosterState::Planned)
        .await;
    let session = world.session(&classes[3], NOW).await.id;
    for (class, person, session) in [
        (&classes[3], &session_staff, Some(session)),
        (&classes[4], &class_staff, None),
    ] {
        let new = NewStaff {
            person: person.clone(),
            role: StaffRole::Trainer,
            session,
            instead_of: None,
            learners: Vec::new(),
        };
        world
            .store
            .add_staff(class, &new, &world.by, NOW)
            .await
            .unwrap();
    }

    let mut actors: Vec<Actor> = [&stranger, &learner, &session_staff, &class_staff]
        .into_iter()
        .map(|person| actor(person, Vec::new()))
        .collect();
    for unit in ["bo", "so1", "so2", "xa", "truong"].map(UnitId::from) {
        for role in [
            UnitRole::Organiser { unit: unit.clone() },
            UnitRole::Contact { unit: unit.clone() },
            UnitRole::Inspector { unit: unit.clone() },
        ] {
            actors.push(actor(&stranger, vec![role]));
        }
    }
    actors.push(Actor {
        admin: true,
        ..actor(&stranger, Vec::new())
    });
    for actor in &actors {
        let mut expected = BTreeSet::new();
        for class in &classes {
            let standing = world.store.standing(&actor.person, class).await.unwrap();
            let sight = grant(actor, &standing, Right::SeeClass);
            let people = world
                .store
                .units_take_part(class, &sight.units)
                .await
                .unwrap();
            if sight.all || people {
                expected.insert(class.clone());
            }
        }
        assert_eq!(
            listed(&world, actor, &filter("")).await,
            expected,
            "{actor:?}"
        );
    }
    // A few by hand, so that not only the two ways agree.
    let of = |role: UnitRole| actor(&stranger, vec![role]);
    let unit = |id: &str| UnitId::from(id);
    let by_hand = [
        (
            of(UnitRole::Organiser { unit: unit("bo") }),
            vec![0, 1, 2, 4],
        ),
        (of(UnitRole::Organiser { unit: unit("xa") }), vec![3, 4]),
        (
            of(UnitRole::Contact {
                unit: unit("truong"),
            }),
            vec![2, 4],
        ),
        (of(UnitRole::Inspector { unit: unit("xa") }), vec![2, 3, 4]),
        (actor(&learner, Vec::new()), vec![2]),
        (actor(&session_staff, Vec::new()), vec![3]),
        (actor(&stranger, Vec::new()), vec![]),
    ];
    for (actor, places) in by_hand {
        let expected: BTreeSet<ClassId> = places
            .into_iter()
            .map(|at: usize| classes[at].clone())
            .collect();
        assert_eq!(
            listed(&world, &actor, &filter("")).await,
            expected,
            "{actor:?}"
        );
    }
}

#[tokio::test]
async fn classes_are_found_without_marks_by_state_and_page_by_page() {
    let world = World::new().await;
    let admin = Actor {
        admin: true,
        ..actor(&world.by, Vec::new())
    };
    let mut plan = world.plan("Bồi dưỡng hè: Chương trình GDPT 2018");
    plan.code = "BD-01".to_owned();
    let summer = world
        .store
        .create_planned(plan, &world.by, NOW)
        .await
        .unwrap()
        .id;
    let other = world.class("Họp giao ban 100%_\\").await.id;
    let both = BTreeSet::from([summer.clone(), other.clone()]);
    for (q, expected) in [
        ("boi duong HE", BTreeSet::from([summer.clone()])),
        ("bd-01", BTreeSet::from([summer.clone()])),
        ("đơn vị so1", both.clone()),
        ("100%_\\", BTreeSet::from([other.clone()])),
        ("%", BTreeSet::from([other.clone()])),
        ("  ", both.clone()),
        ("' OR 1=1 --", BTreeSet::new()),
    ] {
        assert_eq!(listed(&world, &admin, &filter(q)).await, expected, "{q}");
    }
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&summer, &steps).await;
    let session = world.session(&summer, NOW).await.id;
    world.begin(&session, NOW).await;
    for (state, expected) in [
        (ClassState::Running, BTreeSet::from([summer.clone()])),
        (ClassState::Open, BTreeSet::new()),
        (ClassState::Draft, BTreeSet::from([other.clone()])),
    ] {
        let by_state = ClassFilter {
            state: Some(state),
            ..filter("")
        };
        assert_eq!(
            listed(&world, &admin, &by_state).await,
            expected,
            "{state:?}"
        );
    }
    let mut seen = BTreeSet::new();
    for from in 0..2 {
        let one = ClassFilter {
            from,
            n: 1,
            ..ClassFilter::default()
        };
        let page = world.store.class_lines(&admin, &one, NOW).await.unwrap();
        assert_eq!((page.total, page.items.len()), (2, 1));
        seen.insert(page.items[0].class.id.clone());
    }
    assert_eq!(seen, both);
    // The session that runs is the one to show.
    let page = world
        .store
        .class_lines(&admin, &filter("bd-01"), NOW + DAY)
        .await
        .unwrap();
    let line = &page.items[0];
    assert_eq!(line.sessions, 1);
    assert_eq!(line.next.as_ref().map(|next| &next.id), Some(&session));
}

#[tokio::test]
async fn the_calendar_and_own_classes_show_nothing_of_others() {
    let world = World::new().await;
    let learner = world.person("Học Viên", None).await;
    let class = world.class("Lớp").await.id;
    let hidden = world.class("Lớp khác").await.id;
    let first = world.session(&class, NOW).await.id;
    let second = world.session(&class, NOW + DAY).await.id;
    world.session(&hidden, NOW).await;
    world
        .enrol(&class, std::slice::from_ref(&learner), RosterState::Planned)
        .await;
    let asker = actor(&learner, Vec::new());
    let ids = async |from, to| -> Vec<_> {
        let found = world.store.calendar(&asker, from, to).await.unwrap();
        found
            .into_iter()
            .map(|(_, _, session)| session.id)
            .collect()
    };
    assert_eq!(
        ids(NOW, NOW + 2 * DAY).await,
        [first.clone(), second.clone()]
    );
    assert_eq!(
        ids(NOW + HOUR, NOW + DAY).await,
        Vec::<lophoc_ledger::SessionKey>::new()
    );
    assert_eq!(
        ids(NOW + HOUR, NOW + DAY + 1).await,
        std::slice::from_ref(&second)
    );

    // A learner's class shows from its opening on; staff sees it before.
    assert!(world.store.own_classes(&learner).await.unwrap().is_empty());
    let trainer = NewStaff {
        person: learner.clone(),
        role: StaffRole::Trainer,
        session: Some(second),
        instead_of: None,
        learners: Vec::new(),
    };
    let entry = world
        .store
        .add_staff(&class, &trainer, &world.by, NOW)
        .await
        .unwrap();
    let own = world.store.own_classes(&learner).await.unwrap();
    assert_eq!(own[0].roles, ["learner", "trainer"]);
    world
        .store
        .end_staff(&class, entry.id, &world.by, NOW)
        .await
        .unwrap();
    let steps = [
        ClassStep::Submit,
        ClassStep::Approve,
        ClassStep::Prepare,
        ClassStep::Open,
    ];
    world.steps(&class, &steps).await;
    let own = world.store.own_classes(&learner).await.unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].roles.len(), own[0].sessions.len()), (1, 2));
}

#[tokio::test]
async fn courses_are_found_without_marks() {
    let world = World::new().await;
    for title in ["Bồi dưỡng thường xuyên", "Tập huấn CNTT"] {
        let form = CourseForm {
            title: title.to_owned(),
            ..CourseForm::default()
        };
        world
            .store
            .create_course(form, &world.by, NOW)
            .await
            .unwrap();
    }
    let found = world.store.courses("thuong xuyen", 0, 10).await.unwrap();
    assert_eq!((found.total, found.items.len()), (1, 1));
    assert_eq!(world.store.courses("", 1, 1).await.unwrap().items.len(), 1);
    let mut plan = world.plan("Lớp");
    plan.course = Some(found.items[0].id.clone());
    let class = world
        .store
        .create_planned(plan, &world.by, NOW)
        .await
        .unwrap();
    let known = world.store.class(&class.id).await.unwrap().unwrap();
    assert_eq!(known.plan.course.as_ref(), Some(&found.items[0].id));
}
