//! Runs what the store puts together from pieces, each way at least once.

use lophoc_classes::import::Wanted;
use lophoc_classes::{
    Actor, ClassState, Grant, IdentifierKind, RecordingState, RosterState, UnitRole,
};
use lophoc_classes::{ClassId, UnitId};
use lophoc_ledger::{LastSeen, PersonKey, Stamp};
use lophoc_records::{
    ClassFilter, NewRecording, PersonQuery, RecordingAuthor, RecordingFilter, RecordingStage,
    UnitQuery,
};

use crate::world::{DAY, HOUR, NOW, World};

/// Every statement that stands nowhere whole.
pub async fn run(world: &World) {
    let person = world.person("Nguyễn Văn Nào", Some("truong")).await;
    let class = world.class("Bồi dưỡng").await.id;
    world
        .enrol(&class, std::slice::from_ref(&person), RosterState::Official)
        .await;
    let session = world.session(&class, NOW + HOUR).await.id;
    world.begin(&session, NOW).await;
    let at = Stamp {
        wall_ms: NOW,
        mono_ms: NOW,
        boot: 1,
    };
    let seen = LastSeen {
        person: person.clone(),
        at,
    };
    world
        .store
        .ledger()
        .sweep(&session, vec![seen])
        .await
        .unwrap();

    units_and_people(world).await;
    for actor in actors(&person) {
        lists(world, &actor, &class).await;
    }
    for grant in grants(&person) {
        roster(world, &class, &grant, &person).await;
    }
    rooms(world, &class, &person).await;
    recordings(world, &class).await;
    world.store.close().await;
}

fn actors(person: &PersonKey) -> [Actor; 3] {
    let actor = |admin, units| Actor {
        person: person.clone(),
        admin,
        units,
    };
    let unit = UnitId::from("so1");
    [
        actor(true, Vec::new()),
        actor(false, Vec::new()),
        actor(false, vec![UnitRole::Inspector { unit }]),
    ]
}

fn grants(person: &PersonKey) -> [Grant; 3] {
    [
        Grant {
            all: true,
            ..Grant::default()
        },
        Grant::default(),
        Grant {
            all: false,
            units: [UnitId::from("so1")].into(),
            people: [person.clone()].into(),
        },
    ]
}

async fn units_and_people(world: &World) {
    let store = &world.store;
    let so1 = || UnitId::from("so1");
    store.units(&UnitQuery::default(), 0, 10).await.unwrap();
    store.units_below(&so1(), None).await.unwrap();
    store.unit_lines(&[so1()].into()).await.unwrap();
    store.unit(&so1()).await.unwrap();
    for under in [
        None,
        Some(Vec::new()),
        Some(vec![so1(), UnitId::from("xa")]),
    ] {
        store.accounts("a", under.as_deref(), 0, 10).await.unwrap();
        for within in [None, Some(so1())] {
            let query = PersonQuery {
                text: "a".to_owned(),
                under: under.clone(),
                within,
            };
            store.people(&query, 0, 10).await.unwrap();
        }
    }
    store.account_of_login("a").await.unwrap();
    store.account(&world.by).await.unwrap();
}

async fn lists(world: &World, actor: &Actor, class: &ClassId) {
    let store = &world.store;
    for (state, q) in [(None, ""), (Some(ClassState::Draft), "bồi")] {
        let filter = ClassFilter {
            state,
            q: q.to_owned(),
            from: 0,
            n: 10,
        };
        store.class_lines(actor, &filter, NOW).await.unwrap();
    }
    store.calendar(actor, NOW, NOW + DAY).await.unwrap();
    let all = RecordingFilter {
        class: None,
        session: None,
        q: String::new(),
        line: Vec::new(),
    };
    let one = RecordingFilter {
        class: Some(class.clone()),
        session: Some("s".into()),
        q: String::new(),
        line: vec![UnitId::from("so1")],
    };
    for filter in [all, one] {
        store.recordings(actor, &filter).await.unwrap();
    }
}

async fn roster(world: &World, class: &ClassId, grant: &Grant, person: &PersonKey) {
    let store = &world.store;
    for q in ["", "nguyễn"] {
        store.roster_page(class, grant, q, 0, 10).await.unwrap();
    }
    let others = [PersonKey::from("p0"), person.clone()];
    store.reaches(grant, &others).await.unwrap();
    store.reached(grant, class).await.unwrap();
    let units = &grant.units;
    store.units_take_part(class, units).await.unwrap();
    let born = "1980-02-03".parse().unwrap();
    let wanted = Wanted {
        identifiers: [(IdentifierKind::Sector, "0123456789".to_owned())].into(),
        names: [("nguyen van nao".to_owned(), born)].into(),
        units: ["don vi so1".to_owned()].into(),
    };
    let facts = store.import_facts(class, &wanted, grant, "2026-09-06");
    facts.await.unwrap();
}

async fn rooms(world: &World, class: &ClassId, person: &PersonKey) {
    let store = &world.store;
    let session = &store.sessions_of_class(class).await.unwrap()[0];
    store.session(&session.id).await.unwrap();
    store.session_of_room(&session.room).await.unwrap();
    store.open_sessions().await.unwrap();
    store.lessons(class).await.unwrap();
    store.lesson(&session.id).await.unwrap();
    store.places_in(&session.id).await.unwrap();
    store.place_in(&session.id, person).await.unwrap();
    store.listed(class).await.unwrap();
    store.staff(class).await.unwrap();
    store.classes_hosted(&"so1".into(), 10).await.unwrap();
    store.exports_of_session(&session.id).await.unwrap();
    store.exports_of_class(class).await.unwrap();
    store.exports_of_unit(&"so1".into()).await.unwrap();
    for of in ["export_of_file", "export_of_data", "export"] {
        match of {
            "export" => store.export("x").await.unwrap(),
            "export_of_file" => store.export_of_file("x").await.unwrap(),
            _ => store.export_of_data("x").await.unwrap(),
        };
    }
    store.consent_events(&session.id).await.unwrap();
}

async fn recordings(world: &World, class: &ClassId) {
    let store = &world.store;
    let session = store.sessions_of_class(class).await.unwrap()[0].id.clone();
    let new = NewRecording {
        id: "r".to_owned(),
        session,
        by: None,
        started_ms: NOW,
    };
    store.begin_recording(&new).await.unwrap();
    let states = [RecordingState::Review];
    store.recordings_in(&states).await.unwrap();
    store.recordings_to_verify(NOW, NOW, 10).await.unwrap();
    store.recording_not_verified("r", NOW).await.unwrap();
    let stages = [RecordingStage::Finalise, RecordingStage::Mix];
    let job = store.take_recording_job("w", &stages, NOW, HOUR);
    assert!(job.await.unwrap().is_none());
    let author = RecordingAuthor {
        by: None,
        name: String::new(),
        at_ms: NOW,
    };
    store
        .ask_disposal("r", "Hết hạn", &world.by, &author)
        .await
        .unwrap();
    assert!(store.withdraw_disposal("r", &author).await.unwrap());
    store
        .leave_out("r", "", "p", "sound.webm", NOW)
        .await
        .unwrap();
}
