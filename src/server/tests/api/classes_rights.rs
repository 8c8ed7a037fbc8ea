//! Role × call over classes, sessions, staff, rosters and links. Who may is
//! written out here by hand and not taken from the table it tests.

use lophoc_classes::{NewStaff, RosterChange, RosterState, StaffRole, UnitId, UnitRole};
use lophoc_ledger::PersonKey;
use lophoc_records::{RosterAuthor, RosterHow};
use serde_json::{Value, json};

use crate::client::{Browser, World};

const HOST: &str = "u-moet-vp";
const OTHER: &str = "u-moet-mn";
const ABOVE: &str = "u-moet";

/// Names of the askers; a space between the words of each list below.
const ALL: &str = "admin hostOrganiser otherOrganiser contact otherContact inspector organiser \
                   trainer adviser technician author secretary observer learner stranger";
const SEE: &str = "admin hostOrganiser contact inspector organiser trainer adviser technician \
                   author secretary observer learner";
const MANAGE: &str = "admin hostOrganiser contact organiser";
const STAFF: &str = "admin hostOrganiser organiser";
const CREATE: &str = "admin hostOrganiser contact";
const COURSES: &str = "admin hostOrganiser otherOrganiser contact otherContact organiser";
const SEE_ROSTER: &str = "admin hostOrganiser contact inspector organiser trainer adviser \
                          technician secretary observer";
const MANAGE_ROSTER: &str = "admin hostOrganiser contact organiser adviser technician";

struct Case {
    method: &'static str,
    path: String,
    body: Value,
    may: &'static str,
}

fn cases(class: &str, session: &str, learner: &PersonKey) -> Vec<Case> {
    let case = |method, path: &str, body: Value, may| Case {
        method,
        path: path
            .replace("CLASS", class)
            .replace("SESSION", session)
            .replace("LEARNER", learner.as_str()),
        body,
        may,
    };
    // Bodies that are refused for what is in them, after the right was looked at,
    // so that one asker leaves the next the same class.
    vec![
        case("GET", "/classes", Value::Null, ALL),
        case("GET", "/calendar", Value::Null, ALL),
        case("GET", "/my", Value::Null, ALL),
        case(
            "POST",
            "/classes",
            json!({"title": "Lớp mới", "host": HOST}),
            CREATE,
        ),
        case("GET", "/courses", Value::Null, COURSES),
        case("POST", "/courses", json!({}), COURSES),
        case("GET", "/classes/CLASS", Value::Null, SEE),
        case(
            "PUT",
            "/classes/CLASS",
            json!({"plan": {}, "rev": 1}),
            MANAGE,
        ),
        case(
            "POST",
            "/classes/CLASS/steps",
            json!({"step": "destroy"}),
            MANAGE,
        ),
        case("DELETE", "/classes/CLASS", Value::Null, MANAGE),
        case(
            "POST",
            "/classes/CLASS/sessions",
            json!({"title": "", "mode": "x"}),
            MANAGE,
        ),
        case("GET", "/sessions/SESSION", Value::Null, SEE),
        case("GET", "/sessions/SESSION/calendar.ics", Value::Null, SEE),
        case(
            "PUT",
            "/sessions/SESSION",
            json!({"title": "", "mode": "x"}),
            MANAGE,
        ),
        case(
            "POST",
            "/sessions/SESSION/cancel",
            json!({"reason": " "}),
            MANAGE,
        ),
        case("POST", "/sessions/SESSION/end", Value::Null, MANAGE),
        case("DELETE", "/sessions/SESSION", Value::Null, MANAGE),
        case("GET", "/classes/CLASS/staff", Value::Null, SEE),
        case(
            "POST",
            "/classes/CLASS/staff",
            json!({"person": "p0", "role": "chair"}),
            STAFF,
        ),
        case("DELETE", "/classes/CLASS/staff/999999", Value::Null, STAFF),
        case("GET", "/classes/CLASS/roster", Value::Null, SEE_ROSTER),
        case(
            "GET",
            "/classes/CLASS/roster/versions",
            Value::Null,
            SEE_ROSTER,
        ),
        case("POST", "/classes/CLASS/roster", json!([]), MANAGE_ROSTER),
        case("GET", "/classes/CLASS/links", Value::Null, MANAGE_ROSTER),
        case(
            "GET",
            "/sessions/SESSION/links/LEARNER/qr.svg",
            Value::Null,
            "admin hostOrganiser contact organiser adviser technician learner",
        ),
    ]
}

#[tokio::test]
async fn every_asker_gets_what_is_his_and_nothing_else() {
    let world = World::with(|config| {
        config.limits.api_per_minute = 100_000;
        config.limits.api_burst = 100_000;
    })
    .await;
    let store = world.store();
    let role = |name: &str, unit: &str| {
        let unit = UnitId::from(unit);
        vec![match name {
            "organiser" => UnitRole::Organiser { unit },
            "contact" => UnitRole::Contact { unit },
            _ => UnitRole::Inspector { unit },
        }]
    };
    let admin = world.admin().await;
    let by = admin.person.clone();
    let mut askers: Vec<(&str, PersonKey, Browser)> = vec![("admin", by.clone(), admin.browser)];
    for (name, roles) in [
        ("hostOrganiser", role("organiser", HOST)),
        ("otherOrganiser", role("organiser", OTHER)),
        ("contact", role("contact", HOST)),
        ("otherContact", role("contact", OTHER)),
        ("inspector", role("inspector", ABOVE)),
        ("organiser", Vec::new()),
        ("trainer", Vec::new()),
        ("adviser", Vec::new()),
        ("technician", Vec::new()),
        ("author", Vec::new()),
        ("secretary", Vec::new()),
        ("observer", Vec::new()),
        ("learner", Vec::new()),
        ("stranger", Vec::new()),
    ] {
        let unit = (name == "learner").then_some(HOST);
        let login = name.to_lowercase();
        let member = world.member(&login, unit, &roles).await;
        askers.push((name, member.person, member.browser));
    }
    let person = |name: &str| {
        let found = askers.iter().find(|(known, _, _)| *known == name);
        found.unwrap().1.clone()
    };
    let learner = person("learner");

    // The class runs: nothing of it can be thrown away any more.
    let boss = &askers[1].2;
    let plan = json!({"title": "Lớp", "host": HOST, "planNo": "1/KH", "planDay": "2026-08-01"});
    let (status, class) = boss.post("/classes", &plan).await;
    assert_eq!(status, 201, "{class}");
    let id = class["id"].as_str().unwrap().to_owned();
    let class_id = lophoc_classes::ClassId(id.clone());
    let starts = now() + 3_600_000;
    let form = json!({"title": "Buổi 1", "mode": "training", "startsMs": starts, "endsMs": starts + 3_600_000});
    let (status, session) = boss.post(&format!("/classes/{id}/sessions"), &form).await;
    assert_eq!(status, 201, "{session}");
    let session_id = session["id"].as_str().unwrap().to_owned();
    let change = RosterChange {
        person: learner.clone(),
        state: RosterState::Planned,
        site: false,
        note: String::new(),
    };
    let author = RosterAuthor {
        by: &by,
        how: RosterHow::Manual,
        now_ms: 1,
    };
    store
        .change_roster(&class_id, &[change], author)
        .await
        .unwrap();
    for (name, role) in [
        ("organiser", StaffRole::Organiser),
        ("trainer", StaffRole::Trainer),
        ("adviser", StaffRole::Adviser),
        ("technician", StaffRole::Technician),
        ("author", StaffRole::ContentAuthor),
        ("secretary", StaffRole::Secretary),
        ("observer", StaffRole::Observer),
    ] {
        let learners = (role == StaffRole::Adviser).then(|| learner.clone());
        let new = NewStaff {
            person: person(name),
            role,
            session: None,
            instead_of: None,
            learners: learners.into_iter().collect(),
        };
        store.add_staff(&class_id, &new, &by, 1).await.unwrap();
    }
    // Opened before: no longer to be deleted.
    store
        .set_session_state(
            &session_id.as_str().into(),
            lophoc_records::SessionState::Open,
        )
        .await
        .unwrap();

    let before = state_of(&world, &class_id).await;
    for case in cases(&id, &session_id, &learner) {
        let body = match &case.body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        for (name, _, browser) in &askers {
            let (status, told) = browser.ask(case.method, &case.path, &body).await;
            let may = case.may.split_whitespace().any(|known| known == *name);
            assert_eq!(
                status != 403,
                may,
                "{name}: {} {} gave {status} {told}",
                case.method,
                case.path
            );
            assert!(status < 500, "{name}: {} {} {told}", case.method, case.path);
        }
        let nobody = world.browser();
        let (status, _) = nobody.ask(case.method, &case.path, &body).await;
        assert!(
            status == 401 || status == 403 && case.method != "GET",
            "nobody: {} {} gave {status}",
            case.method,
            case.path
        );
    }
    assert_eq!(state_of(&world, &class_id).await, before);

    // What is shown is cut as well.
    let browser = |name: &str| {
        &askers
            .iter()
            .find(|(known, _, _)| *known == name)
            .unwrap()
            .2
    };
    let page = format!("/classes/{id}");
    let (_, seen) = browser("learner").get(&page).await;
    assert_eq!(
        (&seen["steps"], &seen["readiness"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        seen["rights"],
        json!(["seeClass", "seeAttendance", "watchRecordings"])
    );
    let (_, staff) = browser("learner").get(&format!("{page}/staff")).await;
    assert!(
        staff
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["learners"] == json!([]))
    );
    // Keys to the rights of staff go to those who name it.
    let roles = async |name: &str| -> Vec<String> {
        let (_, links) = browser(name).get(&format!("{page}/links")).await;
        let links = links.as_array().unwrap().clone();
        links
            .iter()
            .map(|link| link["role"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(roles("technician").await, ["learner", "guest"]);
    assert_eq!(roles("adviser").await, ["learner"]);
    assert_eq!(roles("hostOrganiser").await.len(), 9);
    let trainer = person("trainer");
    let picture = format!("/sessions/{session_id}/links/{trainer}/qr.svg");
    assert_eq!(browser("technician").get(&picture).await.0, 403);
    assert_eq!(browser("trainer").get(&picture).await.0, 200);
    // Somebody else's people are none of an adviser's.
    let foreign = json!([{"person": trainer, "state": "planned"}]);
    let (status, _) = browser("adviser")
        .post(&format!("{page}/roster"), &foreign)
        .await;
    assert_eq!(status, 403);
    world.server.stop().await;
}

async fn state_of(world: &World, class: &lophoc_classes::ClassId) -> (Value, Value, Value) {
    let store = world.store();
    (
        serde_json::to_value(store.class(class).await.unwrap()).unwrap(),
        serde_json::to_value(store.lessons(class).await.unwrap()).unwrap(),
        serde_json::to_value(store.staff(class).await.unwrap()).unwrap(),
    )
}

pub fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
