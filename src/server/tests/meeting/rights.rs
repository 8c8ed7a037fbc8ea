//! Who sees what of the meeting, that it is written down, and that it cannot
//! be deleted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::prepare::{Meeting, learner};
use crate::server::{Caller, Running};

async fn rows(caller: &Caller, meeting: &Meeting) -> BTreeSet<String> {
    let page = caller.get_ok(&meeting.at("attendance")).await;
    let rows = page["report"]["rows"].as_array().unwrap().iter();
    let rows: BTreeSet<String> = rows
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    // What stands beside the rows tells of nobody else.
    let notes = page["people"].as_object().unwrap();
    let known = |name: &String| notes.contains_key(meeting.key(name));
    assert!(rows.iter().all(known));
    assert!(
        notes.len() <= rows.len() + 1,
        "the rows and the site they sat at"
    );
    rows
}

pub async fn check(server: &Running, meeting: &Meeting) {
    let invited = &meeting.invited;
    let [ha_noi, _] = &meeting.contacts;
    // The contact of a Sở: the people of the Sở, of its school, and its site.
    let mut own: BTreeSet<String> = invited
        .ha_noi
        .iter()
        .map(|line| line.name.clone())
        .collect();
    own.insert(meeting.departments[0].site.clone());
    assert_eq!(rows(ha_noi, meeting).await, own);
    let sheet = ha_noi.get(&meeting.at("exports/session.csv")).await;
    assert_eq!(sheet.status, 200);
    assert!(sheet.text().contains(&invited.ha_noi[3].name));
    assert!(!sheet.text().contains(&invited.lao_cai[3].name));
    for path in ["bundle.zip", "exports/trainerActivity.xlsx"] {
        assert_eq!(ha_noi.get(&meeting.at(path)).await.status, 403, "{path}");
    }
    let correction = |name: &str| {
        json!({
            "people": [meeting.key(name)], "reason": "Xin sửa hộ",
            "change": {"field": "status", "to": "online"},
        })
    };
    let absent = correction(&invited.ha_noi[11].name);
    let adjustments = meeting.at("adjustments");
    assert_eq!(ha_noi.post(&adjustments, &absent).await.status, 403);
    assert_eq!(ha_noi.get(&meeting.of_class("access")).await.status, 403);

    // A learner: himself.
    let name = &invited.ha_noi[0].name;
    let learner = learner(server, meeting, name).await;
    assert_eq!(
        rows(&learner, meeting).await,
        BTreeSet::from([name.clone()])
    );
    let mine = learner.get_ok("/my").await;
    let session = &mine["classes"][0]["sessions"][0];
    assert_eq!(session["mine"]["status"], "atSite", "{mine}");
    for path in ["exports/session.csv", "exports", "bundle.zip"] {
        assert_eq!(learner.get(&meeting.at(path)).await.status, 403, "{path}");
    }
    assert_eq!(
        learner.post(&adjustments, &correction(name)).await.status,
        403
    );
    let freeze = learner.post(&meeting.at("freeze"), &json!({})).await;
    assert_eq!(freeze.status, 403);

    // The administrator runs the system; nobody at all sees nothing.
    for path in [
        "attendance",
        "desk",
        "exports/session.csv",
        "bundle.zip",
        "sites",
    ] {
        assert_eq!(
            meeting.admin.get(&meeting.at(path)).await.status,
            403,
            "{path}"
        );
        assert_eq!(
            server.nobody().get(&meeting.at(path)).await.status,
            401,
            "{path}"
        );
    }
    let summary = meeting.admin.get(&meeting.of_class("summary")).await;
    assert_eq!(summary.status, 403);
}

pub async fn check_log_and_protection(meeting: &Meeting) {
    let organiser = &meeting.organiser;
    let log = organiser.get_ok(&meeting.of_class("access")).await;
    let log = log.as_array().unwrap();
    let times = |by: &str, what: &str, extent: &str| {
        let fits =
            |line: &&Value| line["by"] == by && line["what"] == what && line["extent"] == extent;
        log.iter().filter(fits).count()
    };
    for (by, what, extent, least) in [
        ("Mai Ban Tổ Chức", "view", "all", 2),
        ("Mai Ban Tổ Chức", "delegate", "all", 1),
        ("Mai Ban Tổ Chức", "excuse", "all", 1),
        ("Mai Ban Tổ Chức", "adjust", "all", 1),
        ("Mai Ban Tổ Chức", "freeze", "all", 2),
        ("Mai Ban Tổ Chức", "export", "all", 20),
        ("Mai Ban Tổ Chức", "bundle", "all", 1),
        ("Hoàng Minh Chủ Tọa", "desk", "all", 1),
        ("Đỗ Thu Thư Ký", "tick", "all", 1),
        ("Hồ Đầu Mối", "tick", "unit", 1),
        ("Ngô Đầu Mối", "view", "unit", 1),
        ("Ngô Đầu Mối", "export", "unit", 1),
        (meeting.invited.ha_noi[0].name.as_str(), "view", "own", 1),
    ] {
        assert!(
            times(by, what, extent) >= least,
            "{by} {what} {extent} in {log:#?}"
        );
    }
    // Who was refused saw nothing.
    assert!(log.iter().all(|line| line["by"] != "Quản trị hệ thống"));

    // The meeting is over: for six months nobody deletes it.
    let page = organiser
        .get_ok(&format!("/classes/{}", meeting.class))
        .await;
    assert_eq!(
        page["class"]["state"], "running",
        "begun by its first session"
    );
    let session = organiser
        .delete(&format!("/sessions/{}", meeting.session))
        .await;
    assert_eq!(session.status, 409);
    let class = organiser
        .delete(&format!("/classes/{}", meeting.class))
        .await;
    assert_eq!(class.status, 409, "{}", class.text());
    let step = json!({"step": "finish"});
    let finished = organiser
        .post_ok(&meeting.of_class("steps"), &step, 200)
        .await;
    let until = finished["openUntil"].as_str().unwrap();
    for caller in [organiser, &meeting.admin] {
        for path in [
            format!("/classes/{}", meeting.class),
            format!("/sessions/{}", meeting.session),
        ] {
            let refused = caller.delete(&path).await;
            assert_eq!(
                (refused.status, refused.code()),
                (409, "protected".to_owned()),
                "{path}"
            );
            assert_eq!(refused.json()["error"]["until"], until);
        }
    }
}
