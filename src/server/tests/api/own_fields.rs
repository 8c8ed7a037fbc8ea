//! Own fields of sessions and of people: entered, kept, on the sheets.

use lophoc_classes::{UnitId, UnitRole};
use serde_json::{Value, json};

use crate::attendance_world::{Class, now_ms};
use crate::client::{Browser, World};

const HOST: &str = "u-moet-vp";
const OTHER: &str = "u-moet-mn";

fn many(count: usize) -> Value {
    let own: Vec<[String; 2]> = (0..count)
        .map(|no| [format!("Mục {no}"), String::new()])
        .collect();
    json!(own)
}

/// What is refused of own fields of anything, and what the refusal names.
fn bad() -> [(Value, &'static str, &'static str); 5] {
    [
        (json!([["", "có"]]), "custom[0][0]", "required"),
        (json!([["a", "b"], ["  ", ""]]), "custom[1][0]", "required"),
        (json!([["x".repeat(101), ""]]), "custom[0][0]", "tooLong"),
        (json!([["a", "ê".repeat(1_001)]]), "custom[0][1]", "tooLong"),
        (many(31), "custom", "tooLong"),
    ]
}

/// Puts each bad field into a good form: every one is refused, and what was
/// there stays.
async fn refused(browser: &Browser, path: &str, good: &Value, read: &str) {
    let (_, before) = browser.get(read).await;
    for (custom, field, code) in bad() {
        let mut form = good.clone();
        form["title"] = json!("Tên khác");
        form["name"] = json!("Tên khác");
        form["custom"] = custom;
        for (method, path) in [("POST", path), ("PUT", read)] {
            let (status, told) = browser.ask(method, path, &form.to_string()).await;
            assert_eq!(status, 400, "{method} {path} {told}");
            assert_eq!(told["error"]["fields"], json!({field: code}), "{told}");
        }
    }
    let (status, after) = browser.get(read).await;
    assert_eq!((status, after), (200, before), "nothing half written");
}

#[tokio::test]
async fn own_fields_of_a_session_are_checked_kept_and_read_back() {
    let world = World::new().await;
    let unit = UnitId::from(HOST);
    let roles = [UnitRole::Organiser { unit }];
    let browser = world.member("ban.tc", Some(HOST), &roles).await.browser;
    let plan = json!({"title": "Lớp", "host": HOST});
    let (_, class) = browser.post("/classes", &plan).await;
    let sessions = format!("/classes/{}/sessions", class["id"].as_str().unwrap());
    let good = json!({"title": "Buổi 1", "mode": "training",
        "startsMs": 1_900_000_000_000_u64, "endsMs": 1_900_003_600_000_u64,
        "custom": [["  Ba\u{301}o cáo   viên ", " TS.\u{200e} Lụa "], ["Nội bộ", "x"], ["Trống", ""]],
        "onSheets": ["Nội bộ", "không có", "Báo cáo viên", "Nội bộ"]});
    let (status, made) = browser.post(&sessions, &good).await;
    assert_eq!(status, 201, "{made}");
    let custom = json!([["Báo cáo viên", "TS. Lụa"], ["Nội bộ", "x"], ["Trống", ""]]);
    assert_eq!(made["custom"], custom);
    assert_eq!(made["onSheets"], json!(["Báo cáo viên", "Nội bộ"]));
    let own = format!("/sessions/{}", made["id"].as_str().unwrap());
    assert_eq!(browser.get(&own).await.1["custom"], custom);
    refused(&browser, &sessions, &good, &own).await;

    // Nine at once do not fit on a sheet; eight do.
    let mut form = good.clone();
    form["custom"] = many(9);
    form["onSheets"] = (0..9).map(|no| format!("Mục {no}")).collect();
    let (status, told) = browser.put(&own, &form).await;
    assert_eq!(
        (status, &told["error"]["fields"]),
        (400, &json!({"onSheets": "tooLong"}))
    );
    form["onSheets"].as_array_mut().unwrap().pop();
    let (status, told) = browser.put(&own, &form).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["onSheets"].as_array().unwrap().len(), 8);
    // A session without own fields, as programs made them before.
    let old = json!({"title": "Buổi 2", "mode": "training"});
    let (status, made) = browser.post(&sessions, &old).await;
    assert_eq!((status, &made["custom"]), (201, &json!([])), "{made}");
    world.server.stop().await;
}

#[tokio::test]
async fn own_fields_of_people_are_checked_kept_and_seen_by_those_who_care_for_them() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    let good = json!({"name": "Nguyễn Thị Đào", "unit": HOST,
        "custom": [["Cỡ áo", " M "], ["Hạng", "=II"]]});
    let (status, made) = admin.post("/people", &good).await;
    assert_eq!(status, 201, "{made}");
    let custom = json!([["Cỡ áo", "M"], ["Hạng", "=II"]]);
    assert_eq!(made["custom"], custom);
    let own = format!("/people/{}", made["id"].as_str().unwrap());
    refused(&admin, "/people", &good, &own).await;
    let mut form = made.clone();
    form["custom"] = json!([["Hạng", "III"]]);
    let (status, changed) = admin.put(&own, &form).await;
    assert_eq!(
        (status, &changed["custom"]),
        (200, &json!([["Hạng", "III"]]))
    );
    for (login, unit, seen) in [("dau.moi.vp", HOST, true), ("dau.moi.mn", OTHER, false)] {
        let roles = [UnitRole::Contact {
            unit: UnitId::from(unit),
        }];
        let contact = world.member(login, Some(unit), &roles).await.browser;
        let (status, told) = contact.get(&own).await;
        assert_eq!(status, if seen { 200 } else { 403 });
        assert_eq!(told.to_string().contains("Hạng"), seen, "{told}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_plan_names_at_most_three_columns_of_people() {
    let world = World::new().await;
    let unit = UnitId::from(HOST);
    let roles = [UnitRole::Organiser { unit }];
    let browser = world.member("ban.tc", Some(HOST), &roles).await.browser;
    let plan = |names: Value| json!({"title": "Lớp", "host": HOST, "peopleOnSheets": names});
    let (status, class) = browser
        .post("/classes", &plan(json!([" Cỡ  áo ", "", "Hạng"])))
        .await;
    assert_eq!(status, 201, "{class}");
    assert_eq!(class["peopleOnSheets"], json!(["Cỡ áo", "Hạng"]));
    for (names, code) in [
        (json!(["a", "b", "c", "d"]), "tooLong"),
        (json!(["x".repeat(101)]), "tooLong"),
    ] {
        let (status, told) = browser.post("/classes", &plan(names)).await;
        assert_eq!(status, 400);
        assert_eq!(told["error"]["fields"], json!({"peopleOnSheets": code}));
    }
    let (_, page) = browser.get("/classes").await;
    assert_eq!(page["total"], 1, "what was refused made no class");
    world.server.stop().await;
}

/// A session with own fields, and learners with some, over.
async fn held() -> Class {
    let mut class = Class::with(|plan| {
        plan.people_on_sheets = vec!["Hạng".to_owned(), "=Cỡ áo".to_owned()];
    })
    .await;
    let store = class.store();
    let session = store.lesson(&class.session).await.unwrap().unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut form = session.form;
    form.custom = vec![
        pair("Chủ tọa", "=2+2 bà Lụa"),
        pair("Nội bộ", "không in"),
        pair("Tài trợ", "Không"),
    ];
    form.on_sheets = vec!["Chủ tọa".to_owned(), "Tài trợ".to_owned()];
    store
        .change_session(&class.session, &form, &class.organiser, now_ms())
        .await
        .unwrap();
    for (at, rank) in [(0, "=1+1 hạng II"), (1, "hạng III"), (3, "hạng I")] {
        let who = &class.learners[at];
        let mut form = store.person(who).await.unwrap().unwrap().form;
        form.custom = vec![
            pair("Hạng", rank),
            pair("Hạng", "thứ hai"),
            pair("Lương", "bí mật"),
        ];
        store.update_person(who, &form).await.unwrap();
    }
    class.begin().await;
    class.end().await;
    class
}

#[tokio::test]
async fn own_fields_of_sessions_and_people_stand_on_the_sheets_as_chosen() {
    let class = held().await;
    for (path, heads, columns) in [
        (class.at("exports/session"), true, true),
        (class.at("exports/delegates"), true, false),
        (class.at("exports/sites"), true, false),
        (class.at("exports/polls"), true, false),
        (class.at("exports/incidents"), true, false),
        (class.of_class("exports/classSummary"), false, true),
    ] {
        let file = async |format: &str| {
            let answer = class
                .get(&class.organiser, &format!("{path}.{format}"))
                .await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text());
            answer
        };
        for format in ["html", "json", "csv"] {
            let text = file(format).await.text();
            // CSV is the table alone.
            let told = heads && format != "csv";
            assert_eq!(text.contains("Chủ tọa: =2+2 bà Lụa"), told, "{path}");
            assert_eq!(text.contains("Tài trợ: Không"), told, "{path}");
            for own in ["Hạng", "=Cỡ áo", "=1+1 hạng II", "hạng III", "hạng I"] {
                assert_eq!(text.contains(own), columns, "{path}.{format} {own}");
            }
            for hidden in ["không in", "Nội bộ", "bí mật", "Lương", "thứ hai"] {
                assert!(!text.contains(hidden), "{path}.{format} {hidden}");
            }
        }
        if columns {
            // A spreadsheet that opens the CSV takes none of them for a formula.
            let csv = file("csv").await.text();
            for own in ["=1+1 hạng II", "=Cỡ áo"] {
                assert!(csv.contains(&format!("'{own}")), "{csv}");
            }
        }
        let mut book: calamine::Xlsx<_> =
            calamine::Reader::new(std::io::Cursor::new(file("xlsx").await.body)).unwrap();
        let name = calamine::Reader::sheet_names(&book)[0].clone();
        let formulas = calamine::Reader::worksheet_formula(&mut book, &name).unwrap();
        assert!(formulas.used_cells().next().is_none());
        let cells = calamine::Reader::worksheet_range(&mut book, &name).unwrap();
        let is = |text: &str| {
            cells
                .used_cells()
                .any(|(_, _, cell)| matches!(cell, calamine::Data::String(is) if is == text))
        };
        assert_eq!(is("Chủ tọa: =2+2 bà Lụa"), heads, "{path}");
        assert_eq!(is("=1+1 hạng II") && is("=Cỡ áo"), columns, "{path}");
        let verdict = class
            .raw("POST", "/api/v1/verify", "", &file("pdf").await.body)
            .await;
        assert_eq!(verdict.json()["kind"], "genuine", "{path}");
    }
}

#[tokio::test]
async fn own_fields_of_people_are_told_to_those_alone_who_may_see_the_person() {
    let class = held().await;
    let path = class.at("exports/session.json");
    let own = class.get(&class.contact_a, &path).await.text();
    assert!(own.contains("=1+1 hạng II") && own.contains("hạng III"));
    assert!(!own.contains("hạng I\""), "learner 3 is of another school");
    assert_eq!(class.get(&class.stranger, &path).await.status, 403);
    // The page of the attendance needs none of them.
    let page = class.get(&class.organiser, &class.at("attendance")).await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("hạng II"), "{}", page.text());
}

#[tokio::test]
async fn a_frozen_version_keeps_own_fields_as_they_were() {
    let class = held().await;
    let frozen = class
        .post(
            &class.organiser,
            &class.at("freeze"),
            &json!({"reason": ""}),
        )
        .await;
    assert!(frozen.status < 300, "{}", frozen.text());
    let who = &class.learners[1];
    let mut form = class.store().person(who).await.unwrap().unwrap().form;
    form.custom = vec![("Hạng".to_owned(), "hạng mới".to_owned())];
    class.store().update_person(who, &form).await.unwrap();
    let path = class.at("exports/session.csv?version=1");
    let told = class.get(&class.organiser, &path).await;
    assert_eq!(told.status, 200, "{}", told.text());
    assert!(told.text().contains("hạng III") && !told.text().contains("hạng mới"));
}
