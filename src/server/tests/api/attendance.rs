//! Attendance: who sees what, corrections, excuses, substitutes, freezing.

use std::collections::BTreeSet;

use lophoc_ledger::PersonKey;
use serde_json::json;

use crate::attendance_world::{Class, MINUTE, people, row};

fn set<'a>(people: impl IntoIterator<Item = &'a PersonKey>) -> BTreeSet<String> {
    people.into_iter().map(|who| who.0.clone()).collect()
}

#[tokio::test]
async fn everybody_sees_the_people_his_right_reaches_and_it_is_written_down() {
    let class = Class::held().await;
    let page = class.at("attendance");
    let all = class.get(&class.organiser, &page).await.json();
    let staff = [&class.trainer, &class.site];
    assert_eq!(people(&all), set(class.learners.iter().chain(staff)));
    assert_eq!(all["report"]["totals"]["expected"], 6);
    assert_eq!(all["report"]["totals"]["present"], 2);
    assert_eq!(row(&all, &class.learners[0])["stands"]["permille"], 1000);
    assert_eq!(row(&all, &class.learners[1])["stands"]["late"], true);
    assert_eq!(row(&all, &class.learners[1])["stands"]["permille"], 800);
    assert_eq!(row(&all, &class.learners[3])["stands"]["status"], "absent");
    let note = &all["people"][class.learners[0].as_str()];
    assert_eq!(note["identifier"], "0001234560");
    assert_eq!(note["phone"], "0900000000");

    let own = class.get(&class.contact_a, &page).await.json();
    assert_eq!(
        people(&own),
        set(class.learners[..3].iter().chain([&class.site]))
    );
    assert_eq!(own["report"]["totals"]["expected"], 3);
    let adviser = class.get(&class.adviser, &page).await.json();
    assert_eq!(people(&adviser), set([&class.learners[1]]));
    assert_eq!(
        people(&class.get(&class.trainer, &page).await.json()),
        people(&all)
    );
    let learner = class.get(&class.learners[3], &page).await.json();
    assert_eq!(people(&learner), set([&class.learners[3]]));
    assert_eq!(learner["people"].as_object().unwrap().len(), 1);
    assert_eq!(learner["people"][class.learners[3].as_str()]["phone"], "");

    for who in [&class.technician, &class.stranger, &class.admin] {
        let answer = class.get(who, &page).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    }
    assert_eq!(class.call(None, "GET", &page, "", b"").await.status, 401);

    let log = class.of_class("access");
    let lines = class.get(&class.organiser, &log).await.json();
    let extents: Vec<&str> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["extent"].as_str().unwrap())
        .collect();
    assert_eq!(extents, ["own", "all", "learners", "unit", "all"]);
    assert!(
        lines
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["what"] == "view")
    );
    assert_eq!(lines[0]["by"], "Trần Thị Ánh");
    assert_eq!(class.get(&class.contact_a, &log).await.status, 403);
}

#[tokio::test]
async fn the_desk_shows_numbers_to_a_technician_and_is_logged_once() {
    let mut class = Class::new().await;
    class.begin().await;
    let desk = class.at("desk");
    let numbers = class.get(&class.technician, &desk).await.json();
    assert!(people(&numbers).is_empty());
    assert!(numbers["people"].as_object().unwrap().is_empty());
    assert_eq!(numbers["report"]["totals"]["expected"], 6);
    assert_eq!(numbers["units"].as_array().unwrap().len(), 2);
    for _ in 0..3 {
        assert_eq!(class.get(&class.organiser, &desk).await.status, 200);
    }
    let lines = class
        .get(&class.organiser, &class.of_class("access"))
        .await
        .json();
    assert_eq!(lines.as_array().unwrap().len(), 1);
    assert_eq!(lines[0]["what"], "desk");
    assert_eq!(class.get(&class.stranger, &desk).await.status, 403);
}

#[tokio::test]
async fn the_desk_names_who_lost_the_link() {
    let mut class = Class::new().await;
    // So that the break of the link is not long ago.
    class.began += 80 * MINUTE;
    class.begin().await;
    let who = class.learners[0].clone();
    let leave = lophoc_ledger::EventKind::Leave {
        person: who.clone(),
        reason: lophoc_ledger::LeaveReason::Network,
    };
    class.event(25 * MINUTE as i64, leave).await;
    let desk = class.get(&class.organiser, &class.at("desk")).await.json();
    let links = desk["links"].as_array().unwrap();
    let lost = links.iter().find(|link| link["person"] == who.as_str());
    assert_eq!(lost.unwrap()["what"], "lost", "{links:?}");
}

#[tokio::test]
async fn a_correction_marks_the_row_and_the_automatic_value_stays() {
    let class = Class::held().await;
    let (page, path) = (class.at("attendance"), class.at("adjustments"));
    let who = &class.learners[4];
    let body = json!({
        "people": [who], "change": {"field": "status", "to": "inPerson"},
        "reason": "Có mặt tại hội trường, xác nhận bằng giấy", "evidence": "BB 12",
    });
    assert_eq!(class.post(&class.organiser, &path, &body).await.status, 204);
    let body = json!({
        "people": [who], "change": {"field": "present", "toMs": 90 * MINUTE}, "reason": "Như trên",
    });
    assert_eq!(class.post(&class.organiser, &path, &body).await.status, 204);
    let shown = class.get(&class.organiser, &page).await.json();
    let line = row(&shown, who);
    assert_eq!(line["auto"]["status"], "absent");
    assert_eq!(line["stands"]["status"], "inPerson");
    assert_eq!(line["stands"]["permille"], 900);
    assert_eq!(line["adjusted"], json!([1, 2]));
    let first = &shown["adjustments"][0];
    assert_eq!(first["was"], "Vắng không phép");
    assert_eq!(first["byName"], "Lê Ban Tổ Chức");
    assert_eq!(shown["adjustments"][1]["was"], "0 phút");
    // Hidden from whom the row is hidden.
    let other = class.get(&class.contact_a, &page).await.json();
    assert!(other["adjustments"].as_array().unwrap().is_empty());

    let body = json!({"people": [who], "change": {"field": "clear"}, "reason": "Nhầm người"});
    assert_eq!(class.post(&class.organiser, &path, &body).await.status, 204);
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(row(&shown, who)["stands"]["status"], "absent");
    assert_eq!(shown["adjustments"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn corrections_that_make_no_sense_change_nothing() {
    let class = Class::held().await;
    let path = class.at("adjustments");
    let status = json!({"field": "status", "to": "excused"});
    let person = &class.learners[0];
    let many: Vec<String> = (0..501).map(|at| format!("p{at}")).collect();
    for (body, field) in [
        (
            json!({"people": [person], "change": status, "reason": " a "}),
            "reason",
        ),
        (
            json!({"people": [person], "change": status, "reason": "x".repeat(501)}),
            "reason",
        ),
        (
            json!({"people": [], "change": status, "reason": "lý do"}),
            "people",
        ),
        (
            json!({"people": many, "change": status, "reason": "lý do"}),
            "people",
        ),
        (
            json!({"people": ["p-nobody"], "change": status, "reason": "lý do"}),
            "people",
        ),
        (
            json!({"people": [class.site], "change": status, "reason": "lý do"}),
            "people",
        ),
        (
            json!({"people": [person, "p-nobody"], "change": status, "reason": "lý do"}),
            "people",
        ),
        (
            json!({"people": [person], "change": {"field": "status", "to": "notTaken"}, "reason": "lý do"}),
            "change",
        ),
        (
            json!({"people": [person], "change": {"field": "present", "toMs": 101 * MINUTE}, "reason": "lý do"}),
            "change",
        ),
    ] {
        let answer = class.post(&class.organiser, &path, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let fault = answer.json();
        assert!(
            fault["error"]["fields"][field].is_string(),
            "{body} {fault}"
        );
    }
    let body = json!({"people": [person], "change": status, "reason": "lý do"});
    for who in [
        &class.trainer,
        &class.contact_a,
        &class.adviser,
        person,
        &class.admin,
    ] {
        assert_eq!(class.post(who, &path, &body).await.status, 403);
    }
    let nobody = class.phone(&path, &body).await;
    assert!([401, 403].contains(&nobody.status), "{}", nobody.status);
    let shown = class
        .get(&class.organiser, &class.at("attendance"))
        .await
        .json();
    assert!(shown["adjustments"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn excuses_and_substitutes_are_kept_and_taken_back() {
    let class = Class::held().await;
    let who = &class.learners[3];
    let page = class.at("attendance");
    let excuse = json!([{"person": who, "reason": "Ốm, có giấy"}]);
    let path = class.at("excuses");
    assert_eq!(
        class.post(&class.organiser, &path, &excuse).await.status,
        204
    );
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(row(&shown, who)["stands"]["status"], "excused");
    assert_eq!(row(&shown, who)["excused"], "Ốm, có giấy");
    let back = json!([{"person": who, "reason": ""}]);
    assert_eq!(class.post(&class.organiser, &path, &back).await.status, 204);
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(row(&shown, who)["stands"]["status"], "absent");
    let unknown = json!([{"person": "p-nobody", "reason": "Ốm nặng"}]);
    let answer = class.post(&class.organiser, &path, &unknown).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        class.post(&class.contact_a, &path, &excuse).await.status,
        403
    );

    let path = class.at("delegates");
    let named = json!([{"invited": who, "name": "Phan Văn Thay", "position": "Phó Hiệu trưởng"}]);
    assert_eq!(
        class.post(&class.organiser, &path, &named).await.status,
        204
    );
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(shown["delegates"][0]["name"], "Phan Văn Thay");
    assert_eq!(shown["people"][who.as_str()]["substitute"], "Phan Văn Thay");
    let sheet = class.at("exports/delegates.csv");
    let sheet = class.get(&class.organiser, &sheet).await.text();
    assert!(
        sheet.contains("Phan Văn Thay") && sheet.contains("Trần Thị Ánh"),
        "{sheet}"
    );
    let back = json!([{"invited": who, "name": ""}]);
    assert_eq!(class.post(&class.organiser, &path, &back).await.status, 204);
    let shown = class.get(&class.organiser, &page).await.json();
    assert!(shown["delegates"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn freezing_needs_the_end_then_a_reason_and_tells_what_changed_since() {
    let mut class = Class::new().await;
    class.begin().await;
    let path = class.at("freeze");
    let early = class.post(&class.organiser, &path, &json!({})).await;
    assert_eq!((early.status, early.code().as_str()), (409, "refused"));
    assert_eq!(early.json()["error"]["step"], "sessionOpen");
    class.end().await;
    for who in [&class.trainer, &class.contact_a, &class.learners[0]] {
        assert_eq!(class.post(who, &path, &json!({})).await.status, 403);
    }
    let first = class.post(&class.organiser, &path, &json!({})).await.json();
    assert_eq!(first["no"], 1);
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);
    let page = class.at("attendance");
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(shown["changedSince"], false);
    assert_eq!(shown["session"]["phase"], "frozen");
    assert_eq!(shown["session"]["frozen"], 1);
    let again = class.post(&class.organiser, &path, &json!({})).await;
    assert_eq!(again.json()["error"]["fields"]["reason"], "required");
    let body = json!({
        "people": [class.learners[2]], "change": {"field": "status", "to": "excused"},
        "reason": "Đơn nộp muộn",
    });
    let adjust = class.at("adjustments");
    assert_eq!(
        class.post(&class.organiser, &adjust, &body).await.status,
        204
    );
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(shown["changedSince"], true);
    let second = json!({"reason": "Bổ sung đơn nghỉ"});
    let second = class.post(&class.organiser, &path, &second).await.json();
    assert_eq!(second["no"], 2);
    assert_ne!(second["sha256"], first["sha256"]);
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(shown["changedSince"], false);
    assert_eq!(shown["versions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_summary_of_a_class_is_cut_like_the_sheet() {
    let class = Class::held().await;
    let path = class.of_class("summary");
    let all = class.get(&class.organiser, &path).await.json();
    assert_eq!(all["rows"].as_array().unwrap().len(), 6);
    let line = |who: &PersonKey| {
        let rows = all["rows"].as_array().unwrap();
        rows.iter()
            .find(|row| row["person"] == who.as_str())
            .unwrap()
            .clone()
    };
    assert_eq!(line(&class.learners[0])["marks"], json!(["x"]));
    assert_eq!(line(&class.learners[0])["minutes"], json!([100]));
    assert_eq!(line(&class.learners[0])["eligible"], true);
    assert_eq!(line(&class.learners[1])["marks"], json!(["M"]));
    assert_eq!(line(&class.learners[5])["marks"], json!(["K"]));
    assert_eq!(line(&class.learners[5])["eligible"], false);
    let own = class.get(&class.contact_a, &path).await.json();
    assert_eq!(own["rows"].as_array().unwrap().len(), 3);
    assert_eq!(class.get(&class.stranger, &path).await.status, 403);
    assert_eq!(class.get(&class.technician, &path).await.status, 403);
}

#[tokio::test]
async fn ids_nobody_has_and_broken_bodies_are_refused_in_the_same_shape() {
    let class = Class::held().await;
    let long = "x".repeat(5_000);
    for id in [
        "b-none",
        "%00",
        "..%2f..%2fetc",
        "%F0%9F%98%80",
        long.as_str(),
    ] {
        for rest in ["attendance", "desk", "sites", "exports", "bundle.zip"] {
            let path = format!("/api/v1/sessions/{id}/{rest}");
            let answer = class.get(&class.organiser, &path).await;
            assert!(
                [404, 414, 431].contains(&answer.status),
                "{path} {}",
                answer.status
            );
        }
    }
    let head = "content-type: application/json\r\n";
    let deep = "[".repeat(50_000);
    for rest in [
        "adjustments",
        "excuses",
        "delegates",
        "freeze",
        "sites/here/ticks",
    ] {
        for body in [
            "",
            "{",
            "null",
            "[[]]",
            deep.as_str(),
            "{\"reason\":\"\\u0000\"}",
        ] {
            let path = class.at(rest);
            let answer = class
                .call(Some(&class.organiser), "POST", &path, head, body.as_bytes())
                .await;
            assert!(
                (400..500).contains(&answer.status),
                "{rest} {}",
                answer.status
            );
            assert!(answer.json()["error"]["code"].is_string());
        }
    }
}
