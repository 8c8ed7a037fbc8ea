//! Classes, sessions, rosters and links over the interface.

use lophoc_classes::{UnitId, UnitRole};
use lophoc_ledger::{Event, EventKind, SessionKey, Stamp};
use lophoc_records::SessionState;
use serde_json::{Value, json};

use crate::classes_rights::now;
use crate::client::{Browser, World, code};

const HOST: &str = "u-moet-vp";
const HOUR: u64 = 3_600_000;

async fn organiser(world: &World) -> Browser {
    let unit = UnitId::from(HOST);
    let roles = [UnitRole::Organiser { unit }];
    world.member("ban.tc", Some(HOST), &roles).await.browser
}

async fn class(browser: &Browser) -> String {
    let plan = json!({"title": "Lớp", "host": HOST, "planNo": "1/KH", "planDay": "2026-08-01"});
    let (status, made) = browser.post("/classes", &plan).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn session(browser: &Browser, class: &str, starts: u64) -> Value {
    let form =
        json!({"title": "Buổi 1", "mode": "training", "startsMs": starts, "endsMs": starts + HOUR});
    let (status, made) = browser
        .post(&format!("/classes/{class}/sessions"), &form)
        .await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn step(browser: &Browser, class: &str, step: &str) -> (u16, Value) {
    let path = format!("/classes/{class}/steps");
    browser.post(&path, &json!({"step": step})).await
}

async fn hold(world: &World, session: &SessionKey, kinds: Vec<EventKind>) {
    let events = kinds.into_iter().zip(1..).map(|(kind, seq)| Event {
        session: session.clone(),
        seq,
        at: Stamp {
            wall_ms: now(),
            mono_ms: seq,
            boot: 1,
        },
        kind,
    });
    let answer = world.store().ledger().append(events.collect());
    answer.await.unwrap().unwrap();
    world
        .store()
        .set_session_state(session, SessionState::Open)
        .await
        .unwrap();
}

fn opened() -> EventKind {
    EventKind::Opened {
        room: "r".to_owned(),
        title: "Buổi 1".to_owned(),
        host: "Sở".to_owned(),
    }
}

#[tokio::test]
async fn a_plan_is_entered_field_by_field_changed_by_revision_and_walked_through_its_life() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let bad = json!({
        "title": "", "code": "x".repeat(65), "from": "2026-09-02", "to": "2026-09-01",
        "custom": (0..31).map(|no| [no.to_string(), String::new()]).collect::<Vec<_>>(),
        "guide": "ă".repeat(4_001), "rules": {"sessionPermille": 1_001},
    });
    let (status, told) = boss.post("/classes", &bad).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (
            400,
            &json!({
                "title": "required", "code": "tooLong", "host": "required", "to": "badValue",
                "custom": "tooLong", "guide": "tooLong", "rules.sessionPermille": "badValue",
            })
        ),
        "{told}"
    );
    let (_, told) = boss.post("/classes", &json!({"title": 1})).await;
    assert_eq!(told["error"]["fields"], json!({"title": "badValue"}));
    let (_, told) = boss
        .post("/classes", &json!({"title": "A", "from": "2026-02-30"}))
        .await;
    assert_eq!(told["error"]["fields"], json!({"from": "badValue"}));

    let id = class(&boss).await;
    let path = format!("/classes/{id}");
    let (_, page) = boss.get(&path).await;
    assert_eq!(page["class"]["hostName"], "Văn phòng Bộ");
    assert_eq!(page["steps"], json!(["submit", "postpone", "cancel"]));
    assert!(
        page["readiness"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["item"] == "trainer" && line["ok"] == false)
    );
    let plan = json!({"title": "Lớp hè", "code": "BD-1", "host": HOST, "planNo": "1/KH", "planDay": "2026-08-01"});
    let change = json!({"plan": plan, "rev": 1});
    let (status, changed) = boss.put(&path, &change).await;
    assert_eq!((status, &changed["rev"]), (200, &json!(2)), "{changed}");
    assert_eq!(code(&boss.put(&path, &change).await), (409, "conflict"));
    let twin = json!({"title": "B", "code": "bd-1", "host": HOST});
    let (status, told) = boss.post("/classes", &twin).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (409, &json!({"code": "taken"}))
    );
    let away = json!({"plan": {"title": "A", "host": "u-moet-mn"}, "rev": 2});
    assert_eq!(
        boss.put(&path, &away).await.0,
        403,
        "nobody hands a class to others"
    );

    let (status, told) = step(&boss, &id, "open").await;
    assert_eq!(
        (status, &told["error"]["code"], &told["error"]["step"]),
        (409, &json!("refused"), &json!("wrongState"))
    );
    for one in ["submit", "approve", "prepare", "open"] {
        assert_eq!(step(&boss, &id, one).await.0, 200, "{one}");
    }
    let (_, told) = step(&boss, &id, "announce").await;
    assert_eq!(told["error"]["step"], "noSession");
    let made = session(&boss, &id, now()).await;
    let key = SessionKey::from(made["id"].as_str().unwrap());
    let kinds = vec![
        opened(),
        EventKind::Started { by: None },
        EventKind::Ended { by: None },
    ];
    hold(&world, &key, kinds).await;
    let (_, page) = boss.get(&path).await;
    assert_eq!(
        (&page["class"]["state"], &page["sessions"][0]["phase"]),
        (&json!("running"), &json!("ended"))
    );
    let (status, done) = step(&boss, &id, "finish").await;
    assert_eq!(status, 200, "{done}");
    let until = done["openUntil"].clone();
    assert!(until.is_string());
    for path in [path.clone(), format!("/sessions/{key}")] {
        let (status, told) = boss.delete(&path).await;
        assert_eq!(
            (status, &told["error"]["code"], &told["error"]["until"]),
            (409, &json!("protected"), &until),
            "{path}"
        );
    }
    assert_eq!(code(&boss.get("/classes/l0").await), (404, "notFound"));
    let (_, list) = boss.get("/classes?q=lop%20HE&state=finished").await;
    assert_eq!(
        (&list["total"], &list["items"][0]["id"]),
        (&json!(1), &json!(id))
    );
    assert_eq!(code(&boss.get("/classes?state=none").await).0, 400);
    world.server.stop().await;
}

#[tokio::test]
async fn sessions_are_planned_moved_cancelled_with_a_reason_and_ended() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let id = class(&boss).await;
    let at = now() + HOUR;
    let bad =
        json!({"title": "", "mode": "party", "startsMs": at, "endsMs": at, "rehearsalMin": 241});
    let (status, told) = boss.post(&format!("/classes/{id}/sessions"), &bad).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (
            400,
            &json!({"title": "required", "mode": "badValue", "endsMs": "badValue", "rehearsalMin": "badValue"})
        )
    );
    let made = session(&boss, &id, at).await;
    assert_eq!(
        (&made["no"], &made["phase"], &made["counts"]),
        (&json!(1), &json!("scheduled"), &json!(true))
    );
    let path = format!("/sessions/{}", made["id"].as_str().unwrap());
    let moved = json!({"title": "Buổi 1", "mode": "training", "startsMs": at + HOUR, "endsMs": at + 2 * HOUR});
    assert_eq!(boss.put(&path, &moved).await.0, 200);
    let (_, calendar) = boss
        .get(&format!("/calendar?from={at}&to={}", at + 3 * HOUR))
        .await;
    assert_eq!(calendar[0]["session"]["startsMs"], json!(at + HOUR));
    assert_eq!(calendar[0]["class"]["title"], "Lớp");
    for span in [
        "from=5&to=5",
        "from=0&to=99999999999999",
        "from=-1",
        "from=x",
    ] {
        assert_eq!(
            boss.get(&format!("/calendar?{span}")).await.0,
            400,
            "{span}"
        );
    }
    let file = boss
        .call(
            "GET",
            &format!("/api/v1{path}/calendar.ics"),
            &boss.headers(),
            "",
        )
        .await;
    assert!(
        file.head
            .to_lowercase()
            .contains("content-type: text/calendar")
    );
    assert!(
        file.body.starts_with("BEGIN:VCALENDAR\r\n") && file.body.ends_with("END:VCALENDAR\r\n")
    );

    assert_eq!(
        code(&boss.post(&format!("{path}/end"), &json!({})).await),
        (409, "refused")
    );
    let (status, told) = boss.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (400, &json!({"reason": "required"}))
    );
    let (status, gone) = boss
        .post(&format!("{path}/cancel"), &json!({"reason": "Bão"}))
        .await;
    assert_eq!((status, &gone["phase"]), (200, &json!("cancelled")));
    assert_eq!(code(&boss.delete(&path).await), (409, "refused"));

    // One that runs is ended for everybody, though nobody is in the room now.
    let runs = session(&boss, &id, now()).await;
    let key = SessionKey::from(runs["id"].as_str().unwrap());
    hold(
        &world,
        &key,
        vec![opened(), EventKind::Started { by: None }],
    )
    .await;
    let path = format!("/sessions/{key}");
    assert_eq!(boss.get(&path).await.1["phase"], "running");
    assert_eq!(
        code(
            &boss
                .post(&format!("{path}/cancel"), &json!({"reason": "Bão"}))
                .await
        ),
        (409, "refused")
    );
    let (status, over) = boss.post(&format!("{path}/end"), &json!({})).await;
    assert_eq!((status, &over["phase"]), (200, &json!("ended")), "{over}");
    assert!(over["endedMs"].is_u64());
    let unused = session(&boss, &id, at).await;
    let path = format!("/sessions/{}", unused["id"].as_str().unwrap());
    assert_eq!(boss.delete(&path).await.0, 204);
    assert_eq!(boss.get(&path).await.0, 404);
    world.server.stop().await;
}

#[tokio::test]
async fn the_roster_makes_links_that_lead_into_the_room_and_my_page_shows_own_things() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let learner = world.member("hoc.vien", Some(HOST), &[]).await;
    let trainer = world.person("Nguyễn Thị Hằng", Some(HOST)).await;
    let site = world.person("Điểm cầu Trường A", None).await;
    let id = class(&boss).await;
    let made = session(&boss, &id, now()).await;
    let roster = format!("/classes/{id}/roster");
    let rows = json!([
        {"person": learner.person, "state": "planned", "note": " ghi  chú "},
        {"person": site, "state": "planned", "site": true},
    ]);
    let (status, version) = boss.post(&roster, &rows).await;
    assert_eq!(
        (status, &version["no"], &version["added"]),
        (200, &json!(1), &json!(2)),
        "{version}"
    );
    assert_eq!(
        boss.post(
            &roster,
            &json!([{"person": learner.person, "state": "planned", "note": "ghi chú"}])
        )
        .await
        .1,
        Value::Null
    );
    let (_, page) = boss.get(&format!("{roster}?q=le%20van")).await;
    assert_eq!(
        (
            &page["total"],
            &page["items"][0]["account"],
            &page["items"][0]["note"]
        ),
        (&json!(1), &json!(true), &json!("ghi chú"))
    );
    let staff = json!({"person": trainer, "role": "trainer"});
    assert_eq!(
        boss.post(&format!("/classes/{id}/staff"), &staff).await.0,
        201
    );
    let (status, told) = boss.post(&format!("/classes/{id}/staff"), &staff).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (409, &json!({"person": "taken"}))
    );

    let (status, links) = boss.get(&format!("/classes/{id}/links")).await;
    assert_eq!(status, 200, "{links}");
    let links = links.as_array().unwrap();
    let told: Vec<(&str, &str)> = links
        .iter()
        .map(|link| {
            (
                link["role"].as_str().unwrap(),
                link["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("trainer", "Nguyễn Thị Hằng"),
            ("learner", "Điểm cầu Trường A"),
            ("learner", "Lê Văn An"),
            ("guest", "")
        ]
    );
    for link in links {
        let url = link["url"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("http://{}/j/", world.host())),
            "{url}"
        );
        let body = json!({"link": url}).to_string();
        let answer = world
            .browser()
            .call("POST", "/api/link", &world.browser().headers(), &body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["session"], made["id"]);
    }
    // The same link every time: what was printed stays good.
    let (_, again) = boss
        .get(&format!(
            "/classes/{id}/links?session={}",
            made["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(again, json!(links));
    assert_eq!(
        boss.get(&format!("/classes/{id}/links?session=b0")).await.0,
        404
    );
    let path = format!(
        "/api/v1/sessions/{}/links/{}/qr.svg",
        made["id"].as_str().unwrap(),
        learner.person
    );
    let picture = learner
        .browser
        .call("GET", &path, &learner.browser.headers(), "")
        .await;
    assert!(
        picture.body.contains("<svg") && picture.head.contains("no-store"),
        "{picture:?}"
    );

    // Before the class opens a learner's page is empty.
    let (_, mine) = learner.browser.get("/my").await;
    assert_eq!(mine["classes"], json!([]));
    for one in ["submit", "approve", "prepare", "open"] {
        assert_eq!(step(&boss, &id, one).await.0, 200, "{one}");
    }
    let (_, mine) = learner.browser.get("/my").await;
    let own = &mine["classes"][0];
    assert_eq!(
        (&own["roles"], &own["host"]),
        (&json!(["learner"]), &json!("Văn phòng Bộ"))
    );
    assert!(own["sessions"][0]["url"].as_str().unwrap().contains("/j/"));
    assert_eq!(own["sessions"][0]["mine"], Value::Null);
    let key = SessionKey::from(made["id"].as_str().unwrap());
    let kinds = vec![
        opened(),
        EventKind::Started { by: None },
        EventKind::Ended { by: None },
    ];
    hold(&world, &key, kinds).await;
    let (_, mine) = learner.browser.get("/my").await;
    let over = &mine["classes"][0]["sessions"][0];
    assert_eq!(
        (&over["url"], &over["mine"]["status"]),
        (&Value::Null, &json!("absent")),
        "{over}"
    );
    world.server.stop().await;
}

#[tokio::test]
async fn hostile_calls_are_refused_and_change_nothing() {
    let world = World::with(|config| {
        config.limits.api_per_minute = 100_000;
        config.limits.api_burst = 100_000;
    })
    .await;
    let boss = organiser(&world).await;
    let id = class(&boss).await;
    let before = boss.get(&format!("/classes/{id}")).await;
    let long = "x".repeat(3_000);
    for odd in [
        "'%20OR%201=1--",
        "%00",
        "..%2f..",
        "%ff%fe",
        "%F0%9F%98%80",
        &long,
    ] {
        for path in [
            format!("/classes/{odd}"),
            format!("/classes/{odd}/roster"),
            format!("/classes/{odd}/links"),
            format!("/sessions/{odd}"),
            format!("/sessions/{odd}/calendar.ics"),
            format!("/sessions/{odd}/links/{odd}/qr.svg"),
        ] {
            let (status, told) = boss.get(&path).await;
            assert!((400..500).contains(&status), "{path}: {status} {told}");
        }
    }
    for query in ["from=-1", "from=99999999999", "from=x", "n=-1"] {
        assert_eq!(
            boss.get(&format!("/classes/{id}/roster?{query}")).await.0,
            400,
            "{query}"
        );
    }
    assert_eq!(boss.get(&format!("/classes?q={long}")).await.0, 400);
    let many: Vec<Value> = (0..5_001)
        .map(|no| json!({"person": format!("p{no}"), "state": "planned"}))
        .collect();
    let forms: [(&str, String, &[u8]); 16] = [
        (
            "POST",
            format!("/classes/{id}/roster"),
            json!(many).to_string().leak().as_bytes(),
        ),
        (
            "POST",
            format!("/classes/{id}/roster"),
            b"[{\"person\":\"p0\",\"state\":\"planned\"}]",
        ),
        (
            "POST",
            format!("/classes/{id}/roster"),
            b"[{\"person\":\"p0\",\"state\":\"king\"}]",
        ),
        ("POST", format!("/classes/{id}/roster"), b"{}"),
        ("POST", format!("/classes/{id}/roster"), b"[[[[[["),
        (
            "POST",
            format!("/classes/{id}/staff"),
            b"{\"person\":\"p0\",\"role\":\"king\"}",
        ),
        (
            "POST",
            format!("/classes/{id}/staff"),
            b"{\"person\":null,\"role\":\"chair\"}",
        ),
        ("DELETE", format!("/classes/{id}/staff/-1"), b""),
        (
            "DELETE",
            format!("/classes/{id}/staff/18446744073709551615"),
            b"",
        ),
        ("PUT", format!("/classes/{id}"), b"{\"rev\":-1,\"plan\":{}}"),
        ("PUT", format!("/classes/{id}"), b"{\"rev\":1}"),
        ("PUT", format!("/classes/{id}"), b"\xff\xfe"),
        (
            "POST",
            format!("/classes/{id}/steps"),
            b"{\"step\":\"fly\"}",
        ),
        (
            "POST",
            format!("/classes/{id}/sessions"),
            b"{\"title\":\"a\",\"mode\":\"training\",\"startsMs\":1e400}",
        ),
        (
            "POST",
            format!("/classes/{id}/sessions"),
            b"{\"title\":\"a\",\"mode\":\"training\",\"startsMs\":18446744073709551615}",
        ),
        (
            "POST",
            "/classes".to_owned(),
            b"{\"title\":\"a\",\"host\":\"u-none\"}",
        ),
    ];
    for (method, path, body) in forms {
        let full = format!("/api/v1{path}");
        let answer = boss.call(method, &full, &boss.headers(), body).await;
        assert!(
            (400..500).contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
    }
    assert_eq!(boss.get(&format!("/classes/{id}")).await, before);
    let (_, roster) = boss.get(&format!("/classes/{id}/roster")).await;
    assert_eq!(roster["total"], 0);
    // Without the mark of our own pages a cookie changes nothing.
    let bare = [
        ("content-type", "application/json".to_owned()),
        ("cookie", format!("lophoc={}", boss.cookie.clone().unwrap())),
    ];
    let answer = boss
        .call("DELETE", &format!("/api/v1/classes/{id}"), &bare, "")
        .await;
    assert_eq!(answer.status, 403);
    world.server.stop().await;
}
