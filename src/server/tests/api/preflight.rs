//! The check of a site before a session: its link, its result, the live desk;
//! and the connections of checks.

use lophoc::{Keys, LinkClaims, PreflightClaims};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_protocol::{Role, RoomId};
use lophoc_records::PREFLIGHTS_KEPT;
use serde_json::{Value, json};

use crate::attendance_world::{Answer, Class, MINUTE, now_ms};

const CHECK: &str = "/api/v1/check";
const MEDIA: &str = "/api/v1/check/media";
const RESULT: &str = "/api/v1/preflight";

async fn keys(class: &Class) -> Keys {
    Keys::new(&class.store().secret().await.unwrap())
}

/// The preflight links somebody gets.
async fn links(class: &Class, who: &PersonKey) -> Answer {
    class.get(who, &class.at("preflight")).await
}

/// The key of the one site.
async fn key(class: &Class) -> String {
    let listed = links(class, &class.organiser).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let url = listed.json()[0]["url"].as_str().unwrap().to_owned();
    url.rsplit_once("/preflight/").unwrap().1.to_owned()
}

fn way(state: &str) -> Value {
    json!({"state": state, "rttMs": 12})
}

fn report() -> Value {
    json!({"browser": true, "camera": "good", "microphone": "good", "speaker": "good",
        "websocket": way("good"), "udp": way("good"), "tcp": way("absent"), "turn": way("absent")})
}

fn result(key: &str, report: &Value) -> Value {
    json!({"key": key, "report": report, "contact": " Lê Văn  Kỹ ", "note": "0900 000 000"})
}

/// What the desk of somebody shows of the sites.
async fn desk(class: &Class, who: &PersonKey) -> Value {
    let shown = class.get(who, &class.at("desk")).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    shown.json()["preflight"].clone()
}

/// An offer with one line for sound, as browsers write it.
fn offer() -> String {
    let mut sdp = String::from(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 ",
    );
    sdp += &["AB"; 32].join(":");
    sdp += "\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n";
    sdp
}

async fn open_checks(class: &Class) -> i64 {
    let metrics = class.raw("GET", "/metrics", "", b"").await.text();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("lophoc_check_connections "));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap_or_else(|| panic!("no such gauge in: {metrics}"))
}

#[tokio::test]
async fn the_result_of_a_site_stands_at_the_live_desk_and_outlives_the_server() {
    let class = Class::new().await;
    let key = key(&class).await;
    let offered = class.phone(CHECK, &json!({"key": key})).await;
    assert_eq!(offered.status, 200, "{}", offered.text());
    let offered = offered.json();
    assert_eq!(offered["site"], "Điểm cầu THCS Nguyễn Du");
    assert_eq!(offered["title"], "Chuyển đổi số");
    assert_eq!(offered["ice"], json!([]));
    assert_eq!(
        desk(&class, &class.organiser).await,
        json!([{"site": class.site, "name": "Điểm cầu THCS Nguyễn Du", "last": null}])
    );

    let mut found = report();
    found["udp"] = way("failed");
    found["tcp"] = json!({"state": "good", "rttMs": 4_000_000_000u64});
    let before = now_ms();
    let sent = class.phone(RESULT, &result(&key, &found)).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let at = sent.json()["at"].as_u64().unwrap();
    assert!((before..=now_ms()).contains(&at));
    let shown = desk(&class, &class.organiser).await;
    let last = &shown[0]["last"];
    assert_eq!(last["verdict"], "passedTcp");
    assert_eq!(last["faults"], json!([]));
    assert_eq!(last["atMs"], at);
    assert_eq!(last["contact"], "Lê Văn Kỹ");
    assert_eq!(last["note"], "0900 000 000");
    assert_eq!(last["report"]["tcp"]["rttMs"], 60_000);
    assert_eq!(last["report"]["udp"]["rttMs"], Value::Null);

    // The newest counts.
    found["tcp"] = way("failed");
    found["microphone"] = json!("silent");
    let sent = class.phone(RESULT, &result(&key, &found)).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let last = desk(&class, &class.organiser).await[0]["last"].clone();
    assert_eq!(last["verdict"], "fault");
    assert_eq!(last["faults"], json!(["network", "microphone"]));

    // What was acknowledged is on the disk: another process reads the same.
    let folder = class.folder().to_owned();
    let store = lophoc::open_store(&{
        let mut config = lophoc::config::Config::default();
        config.data.folder = folder;
        config
    })
    .await
    .unwrap();
    let kept = store.preflights(&class.session).await.unwrap();
    assert_eq!(kept[&class.site].faults.len(), 2);
}

#[tokio::test]
async fn links_go_to_whoever_cares_for_the_roster_and_results_to_who_sees_the_desk() {
    let class = Class::new().await;
    for (who, status, count) in [
        (&class.organiser, 200, 1),
        (&class.technician, 200, 1),
        (&class.contact_a, 200, 1),
        (&class.trainer, 403, 0),
        (&class.learners[0], 403, 0),
        (&class.stranger, 403, 0),
    ] {
        let listed = links(&class, who).await;
        assert_eq!(listed.status, status, "{who} {}", listed.text());
        if status == 200 {
            assert_eq!(listed.json().as_array().unwrap().len(), count, "{who}");
        }
    }
    let key = key(&class).await;
    let sent = class.phone(RESULT, &result(&key, &report())).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    for (who, contact) in [
        (&class.organiser, "Lê Văn Kỹ"),
        // Numbers only, and the roster: he calls the sites.
        (&class.technician, "Lê Văn Kỹ"),
        (&class.contact_a, "Lê Văn Kỹ"),
        (&class.trainer, "Lê Văn Kỹ"),
    ] {
        let shown = desk(&class, who).await;
        assert_eq!(shown[0]["last"]["verdict"], "passed", "{who}");
        assert_eq!(shown[0]["last"]["contact"], contact, "{who}");
    }
    // A learner sees the own row; the site is none of his.
    let own = desk(&class, &class.learners[0]).await;
    assert_eq!(own, json!([]));
    let refused = class.get(&class.stranger, &class.at("desk")).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn links_that_are_old_foreign_or_of_another_kind_do_nothing() {
    let mut class = Class::new().await;
    let keys = keys(&class).await;
    let claims = |site: &PersonKey, session: &SessionKey, exp: u64| PreflightClaims {
        session: session.clone(),
        site: site.clone(),
        exp,
    };
    let soon = now_ms() + 10 * MINUTE;
    let class_link = |exp: u64| LinkClaims {
        room: RoomId::from(class.room.as_str()),
        role: Role::Guest,
        exp,
        lid: "i1".to_owned(),
        named: None,
        site: None,
    };
    let seal = |claims: PreflightClaims| claims.seal(&keys).unwrap();
    let strange = Keys::new(&[7; 32]);
    let foreign = claims(&class.site, &class.session, soon);
    let none = SessionKey::from("s-none");
    for (text, check, send) in [
        (
            seal(claims(&class.site, &class.session, now_ms() - 1)),
            410,
            410,
        ),
        (foreign.seal(&strange).unwrap(), 403, 403),
        (
            seal(claims(&class.learners[0], &class.session, soon)),
            404,
            404,
        ),
        (
            seal(claims(&PersonKey::from("p-none"), &class.session, soon)),
            404,
            404,
        ),
        (seal(claims(&class.site, &none, soon)), 404, 404),
        (class_link(now_ms() - 1).seal(&keys).unwrap(), 410, 410),
        // A class link checks, and speaks for no site.
        (class_link(soon).seal(&keys).unwrap(), 200, 403),
        ("nonsense".to_owned(), 403, 403),
        (String::new(), 403, 403),
        ("x".repeat(5_000), 400, 400),
    ] {
        let begun = class.phone(CHECK, &json!({"key": text})).await;
        assert_eq!(begun.status, check, "{text} {}", begun.text());
        let sent = class.phone(RESULT, &result(&text, &report())).await;
        assert_eq!(sent.status, send, "{text} {}", sent.text());
    }
    // Nobody comes in with a preflight link.
    let key = key(&class).await;
    let body = json!({"link": key, "name": "Lê Văn Kỹ", "device": "device-one"});
    for path in ["/api/link", "/api/join"] {
        assert_eq!(class.phone(path, &body).await.status, 403, "{path}");
    }
    assert!(
        class
            .store()
            .preflights(&class.session)
            .await
            .unwrap()
            .is_empty()
    );

    class.begin().await;
    class.end().await;
    for path in [CHECK, RESULT, MEDIA] {
        let body = match path {
            CHECK => json!({"key": key}),
            RESULT => result(&key, &report()),
            _ => json!({"key": key, "via": "udp", "sdp": offer()}),
        };
        let late = class.phone(path, &body).await;
        assert_eq!((late.status, late.code().as_str()), (409, "refused"));
    }
    assert_eq!(links(&class, &class.organiser).await.status, 409);
}

#[tokio::test]
async fn hostile_results_are_refused_and_what_is_kept_stays_bounded() {
    let class = Class::new().await;
    let key = key(&class).await;
    let with = |field: &str, value: Value| {
        let mut body = result(&key, &report());
        body[field] = value;
        body
    };
    let in_report = |field: &str, value: Value| {
        let mut found = report();
        found[field] = value;
        result(&key, &found)
    };
    for body in [
        json!({}),
        json!({"key": key}),
        with("contact", json!("x".repeat(101))),
        with("note", json!("ă".repeat(501))),
        with("note", json!(7)),
        with("address", json!("192.0.2.1")),
        in_report("camera", json!("Logitech C920")),
        in_report("udp", json!("good")),
        in_report("udp", json!({"state": "good", "rttMs": -1})),
        in_report("udp", json!({"state": "good", "rttMs": 1e300})),
        in_report("udp", json!({"state": "good", "address": "192.0.2.1"})),
        in_report("device", json!("x")),
        in_report("browser", json!(null)),
    ] {
        let refused = class.phone(RESULT, &body).await;
        assert_eq!(refused.status, 400, "{body} {}", refused.text());
    }
    let long = json!({"key": key, "note": "x".repeat(64 * 1024)});
    assert_eq!(class.phone(RESULT, &long).await.status, 413);
    assert!(
        class
            .store()
            .preflights(&class.session)
            .await
            .unwrap()
            .is_empty()
    );

    // Tricks of writing go, the words stay.
    let body = with("note", json!("a\u{202e}b <script>\n"));
    assert_eq!(class.phone(RESULT, &body).await.status, 200);
    let shown = desk(&class, &class.organiser).await;
    assert_eq!(shown[0]["last"]["note"], "ab <script>");

    // A site that sends and sends is stopped.
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(class.phone(RESULT, &result(&key, &report())).await.status);
    }
    assert_eq!(statuses.last(), Some(&429));
    // And nothing grows without end.
    let kept = serde_json::from_value(report()).unwrap();
    for at in 0..u64::from(PREFLIGHTS_KEPT) + 7 {
        let new = lophoc_records::NewPreflight {
            session: class.session.clone(),
            site: class.site.clone(),
            report: kept,
            contact: at.to_string(),
            note: String::new(),
        };
        class.store().add_preflight(&new, at).await.unwrap();
    }
    let count = class
        .store()
        .preflight_count(&class.session, &class.site)
        .await;
    assert_eq!(count.unwrap(), u64::from(PREFLIGHTS_KEPT));
    let newest = class.store().preflights(&class.session).await.unwrap();
    assert_eq!(
        newest[&class.site].contact,
        (PREFLIGHTS_KEPT + 6).to_string()
    );
}

#[tokio::test]
async fn the_connection_of_a_check_needs_a_link_and_ends_unused() {
    let class = Class::new().await;
    let key = key(&class).await;
    let ask = |via: &str, sdp: &str| json!({"key": key, "via": via, "sdp": sdp});
    let udp = class.phone(MEDIA, &ask("udp", &offer())).await;
    assert_eq!(udp.status, 200, "{}", udp.text());
    let udp = udp.json();
    let sdp = udp["sdp"].as_str().unwrap();
    assert!(sdp.contains(" udp ") && sdp.contains("m=audio"), "{sdp}");
    assert!(!sdp.contains(" tcp "), "{sdp}");
    let address = udp["addresses"][0].as_str().unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert_eq!(open_checks(&class).await, 1);
    // No relay is configured: nothing is made.
    let turn = class.phone(MEDIA, &ask("turn", &offer())).await.json();
    assert_eq!(turn["sdp"], Value::Null);
    assert_eq!(open_checks(&class).await, 1);

    let video = offer().replace("m=audio", "m=video");
    let sends = offer().replace("a=recvonly", "a=sendrecv");
    let twice = offer() + &offer()[offer().find("m=audio").unwrap()..].replace("mid:0", "mid:1");
    for (body, status) in [
        (ask("udp", ""), 400),
        (ask("udp", "nonsense"), 400),
        (ask("udp", &video), 400),
        (ask("udp", &sends), 400),
        (ask("udp", &twice), 400),
        (ask("udp", &"a=x\r\n".repeat(3_400)), 400),
        (ask("udp", &"a=x\r\n".repeat(10_000)), 413),
        (ask("quic", &offer()), 400),
        (
            json!({"key": "nonsense", "via": "udp", "sdp": offer()}),
            403,
        ),
    ] {
        let refused = class.phone(MEDIA, &body).await;
        assert_eq!(refused.status, status, "{}", refused.text());
    }
    assert_eq!(open_checks(&class).await, 1);
    // Nobody is in the room, and the connection that nobody used goes.
    let patience = std::time::Instant::now();
    while open_checks(&class).await > 0 {
        assert!(patience.elapsed().as_secs() < 60, "the check does not end");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    let metrics = class.raw("GET", "/metrics", "", b"").await.text();
    assert!(metrics.contains("lophoc_rooms 0"), "{metrics}");
}

#[tokio::test]
async fn one_address_has_a_bounded_number_of_checks_open() {
    let class = Class::new().await;
    let key = key(&class).await;
    let body = json!({"key": key, "via": "udp", "sdp": offer()});
    let mut last = 200;
    let mut made = 0;
    for _ in 0..90 {
        last = class.phone(MEDIA, &body).await.status;
        if last != 200 {
            break;
        }
        made += 1;
    }
    assert!(last == 503 || last == 429, "{last} after {made}");
    assert!((1..=48).contains(&made), "{made}");
}
