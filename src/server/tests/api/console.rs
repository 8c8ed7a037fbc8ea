//! The technicians' console: duty, sites, incident log, and what leaves with the
//! record of the session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_ledger::{EventKind, PersonKey};
use lophoc_protocol::recording::RecordTrouble;
use lophoc_protocol::{RecordingId, RoomId};
use lophoc_room::{Command, RecorderReport};
use serde_json::{Value, json};

use crate::attendance_world::{Answer, Class, now_ms};
use crate::recordings_world::ID;

/// Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(40);

async fn put(class: &Class, who: &PersonKey, path: &str, body: &Value) -> Answer {
    let head = "content-type: application/json\r\n";
    class
        .call(Some(who), "PUT", path, head, body.to_string().as_bytes())
        .await
}

async fn console(class: &Class) -> Value {
    let shown = class.get(&class.technician, &class.at("console")).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    shown.json()
}

fn incident(text: &str) -> Value {
    json!({"kind": "sound", "severity": "high", "subject": " Điểm cầu  A ", "text": text})
}

#[tokio::test]
async fn technicians_and_who_leads_keep_duty_and_incidents_and_nobody_else() {
    let mut class = Class::new().await;
    class.begin().await;
    let path = class.at("console");
    for who in [
        &class.trainer,
        &class.adviser,
        &class.stranger,
        &class.learners[0],
    ] {
        assert_eq!(class.get(who, &path).await.status, 403);
        let refused = class
            .post(who, &class.at("incidents"), &incident("x"))
            .await;
        assert_eq!(refused.status, 403);
        let duty = json!({"version": 0, "list": []});
        let refused = put(&class, who, &class.at("duty"), &duty).await;
        assert_eq!(refused.status, 403);
    }
    assert_eq!(class.get(&class.organiser, &path).await.status, 200);

    // The site of the roster is there, in the room or not.
    let page = console(&class).await;
    assert_eq!(page["sites"][0]["site"], json!(class.site));
    assert_eq!(page["sites"][0]["link"], "away");
    assert_eq!(page["inRoom"], false);
    let act = json!({"site": class.site, "act": "mute"});
    let refused = class
        .post(&class.technician, &class.at("console/acts"), &act)
        .await;
    assert_eq!(
        refused.status, 403,
        "who is not in the room acts upon nobody"
    );

    // The duty roster: whole, by version.
    let at = class.at("duty");
    let bad = json!({"version": 0, "list": [{"name": " ", "fromMs": 5, "toMs": 5}]});
    let refused = put(&class, &class.technician, &at, &bad).await;
    assert_eq!(
        refused.json()["error"]["fields"],
        json!({"0.name": "required", "0.toMs": "badValue"})
    );
    let list = json!([{"name": "Vũ  Văn Trực", "phone": "0912 345 678", "fromMs": 1, "toMs": 2}]);
    let written = put(
        &class,
        &class.technician,
        &at,
        &json!({"version": 0, "list": list}),
    )
    .await;
    assert_eq!(written.json()["version"], 1);
    let stale = put(
        &class,
        &class.organiser,
        &at,
        &json!({"version": 0, "list": []}),
    )
    .await;
    assert_eq!((stale.status, stale.code()), (409, "conflict".to_owned()));
    let page = console(&class).await;
    assert_eq!(page["duty"][0]["name"], "Vũ Văn Trực");
    assert_eq!(page["dutyVersion"], 1);

    // An incident goes its way; what was written stays.
    let refused = class
        .post(&class.technician, &class.at("incidents"), &incident("  "))
        .await;
    assert_eq!(
        refused.json()["error"]["fields"],
        json!({"text": "required"})
    );
    let made = class
        .post(
            &class.technician,
            &class.at("incidents"),
            &incident("Loa rè"),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["no"], &made["state"], &made["subject"]),
        (&json!(1), &json!("open"), &json!("Điểm cầu A"))
    );
    let step = async |body: Value| {
        let path = class.at("incidents/1/entries");
        class.post(&class.technician, &path, &body).await
    };
    assert_eq!(step(json!({"state": "handling"})).await.status, 201);
    assert_eq!(step(json!({"state": "solved"})).await.status, 400);
    assert_eq!(step(json!({})).await.status, 400);
    let note = step(json!({"text": "Đã gọi điểm cầu"})).await.json();
    assert_eq!(note["state"], "handling");
    let solved = step(json!({"state": "solved", "text": "Thay dây loa"}))
        .await
        .json();
    assert_eq!(solved["state"], "solved");
    assert_eq!(solved["entries"].as_array().unwrap().len(), 4);
    assert_eq!(solved["entries"][0]["text"], "Loa rè");
    let missing = class
        .post(
            &class.technician,
            &class.at("incidents/9/entries"),
            &json!({"text": "x"}),
        )
        .await;
    assert_eq!(missing.status, 404);

    // It leaves with the record of the session.
    let sheet = class
        .get(&class.organiser, &class.at("exports/incidents.csv"))
        .await;
    assert_eq!(sheet.status, 200, "{}", sheet.text());
    for words in ["Loa rè", "Thay dây loa", "Điểm cầu A", "Nặng"] {
        assert!(sheet.text().contains(words), "{words}: {}", sheet.text());
    }
    let sheet = class
        .get(&class.organiser, &class.at("exports/incidents.xlsx"))
        .await;
    assert_eq!(sheet.status, 200);
    let refused = class
        .get(&class.technician, &class.at("exports/incidents.csv"))
        .await;
    assert_eq!(refused.status, 403);
    let bundle = class.get(&class.organiser, &class.at("bundle.zip")).await;
    assert_eq!(bundle.status, 200);
    let names = String::from_utf8_lossy(&bundle.body).into_owned();
    assert!(names.contains("incidents.json") && names.contains("incidents.xlsx"));
}

#[tokio::test]
async fn a_lost_site_is_written_down_once_and_solved_when_it_is_back() {
    let class = Class::new().await;
    let (store, session, site) = (class.store(), &class.session, &class.site);
    let at = now_ms();
    store.note_site_back(session, site, "về", at).await.unwrap();
    assert_eq!(store.incidents(session).await.unwrap(), []);
    for _ in 0..2 {
        store
            .note_site_lost(session, site, "Điểm cầu A", "mất", at)
            .await
            .unwrap();
    }
    let page = console(&class).await;
    assert_eq!(page["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(page["incidents"][0]["entries"][0]["byName"], "");
    assert_eq!(page["incidents"][0]["site"], json!(site));
    store
        .note_site_back(session, site, "về", at + 5)
        .await
        .unwrap();
    let list = store.incidents(session).await.unwrap();
    assert_eq!(
        serde_json::to_value(list[0].state).unwrap(),
        json!("solved")
    );
    // Lost again is another incident.
    store
        .note_site_lost(session, site, "Điểm cầu A", "mất", at + 9)
        .await
        .unwrap();
    assert_eq!(store.incidents(session).await.unwrap().len(), 2);
}

/// Asks until the recorder is so: the room is seen at most a second late.
async fn recorder_becomes(class: &Class, so: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let now = console(class).await["recorder"].take();
        if so(&now) {
            return now;
        }
        assert!(since.elapsed() < PATIENCE, "{now}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn technicians_see_the_recorder_and_what_went_wrong_with_it() {
    let mut class = Class::new().await;
    class.begin().await;
    let nothing = json!({"state": "off", "sinceMs": null, "unable": null, "alarms": []});
    assert_eq!(console(&class).await["recorder"], nothing);

    // Nobody is in the room: what went wrong before stands in the ledger.
    let news = |what: &str, span: Option<(u64, u64)>| EventKind::RecordingNews {
        id: ID.to_owned(),
        what: what.to_owned(),
        from_ms: span.map(|span| span.0),
        to_ms: span.map(|span| span.1),
        left: None,
    };
    class.event(1_000, news("capturing", None)).await;
    class.event(2_000, news("gap", Some((5, 9)))).await;
    let gap = json!({"at": class.began + 2_000, "what": "gap", "from": 5, "to": 9});
    let before = console(&class).await["recorder"].take();
    assert_eq!(before["alarms"], json!([gap]));
    assert_eq!(before["state"], "off");

    // It is to be recorded by the server, which has no recorder.
    let form = json!({"on": true, "own": true, "who": "Sở", "by": "server", "auto": true});
    let path = format!("/api/v1/sessions/{}/recording", class.session.0);
    let set = put(&class, &class.organiser, &path, &form).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let app = Arc::clone(&class.server.app);
    assert!(
        app.rooms
            .wake(&app, &RoomId::from(class.room.as_str()))
            .await
    );
    let unable = recorder_becomes(&class, |now| {
        now["alarms"][1]["what"] == "noRecorder" && now["unable"] == "noRecorder"
    })
    .await;
    assert_eq!(unable["alarms"][0], gap);
    assert_eq!(unable["state"], "off");

    // A recorder comes, fails, and ends for want of room.
    let id = RecordingId(ID.to_owned());
    let say = async |report| {
        let said = Command::Recorder(report);
        app.rooms.news(&class.room, said).await;
    };
    say(RecorderReport::Ready { id: id.clone() }).await;
    let starting = recorder_becomes(&class, |now| now["state"] == "starting").await;
    assert!(starting["sinceMs"].is_u64());
    assert_eq!(starting["unable"], Value::Null);
    say(RecorderReport::Capturing { id: id.clone() }).await;
    recorder_becomes(&class, |now| now["state"] == "on").await;
    say(RecorderReport::DiskLow {
        id: id.clone(),
        left: 7,
    })
    .await;
    say(RecorderReport::Failed { id: id.clone() }).await;
    let failed = recorder_becomes(&class, |now| now["state"] == "failed").await;
    assert_eq!(failed["alarms"][2]["what"], "diskLow");
    assert_eq!(failed["alarms"][2]["left"], 7);
    assert_eq!(failed["alarms"][3]["what"], "failed");
    let why = RecordTrouble::DiskFull;
    say(RecorderReport::Ended { id, why }).await;
    let ended = recorder_becomes(&class, |now| now["state"] == "off").await;
    assert_eq!(ended["alarms"][4]["what"], "diskFull");
    // Who has no business with it sees nothing of it.
    let refused = class.get(&class.trainer, &class.at("console")).await;
    assert_eq!(refused.status, 403);
    assert!(!refused.text().contains("diskFull"));
}
