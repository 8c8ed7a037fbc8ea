//! The report of a unit on its training: numbers, periods, rights, exports.

use lophoc_classes::{Day, UnitId};
use serde_json::{Value, json};

use crate::attendance_world::{Class, MINUTE};

/// A class whose session is frozen, with its day in Indochina.
async fn frozen() -> (Class, String) {
    let class = Class::held().await;
    let answer = class
        .post(&class.organiser, &class.at("freeze"), &json!({}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let day = Day::of_ms(class.began, 420).unwrap().to_string();
    (class, day)
}

fn of(unit: &str, rest: &str) -> String {
    format!("/api/v1/units/{unit}/{rest}")
}

async fn preview(class: &Class, unit: &str, from: &str, to: &str) -> Value {
    let path = of(unit, &format!("report?from={from}&to={to}"));
    let answer = class.get(&class.organiser, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_report_counts_what_was_held_in_its_period() {
    let (class, day) = frozen().await;
    let page = preview(&class, "u-so-x", &day, &day).await;
    assert_eq!(page["name"], "Sở GDĐT X");
    let sum = &page["sum"];
    for (field, wanted) in [
        ("classes", 1),
        ("sessions", 1),
        ("heldMs", 100 * MINUTE),
        ("invited", 6),
        ("attended", 2),
        // The class goes on: nobody completed it yet.
        ("completed", 0),
    ] {
        assert_eq!(sum[field], json!(wanted), "{field} in {page}");
    }
    assert_eq!(page["lines"].as_array().unwrap().len(), 1);
    assert_eq!(page["lines"][0]["id"], "u-so-x");
    // Learners under the units next below, and by the level of their schools.
    let homes = json!([
        {"name": "THCS Lê Lợi", "invited": 3, "attended": 0, "completed": 0},
        {"name": "THCS Nguyễn Du", "invited": 3, "attended": 2, "completed": 0},
    ]);
    assert_eq!(page["homes"], homes);
    assert_eq!(page["levels"][0]["name"], "THCS");
    assert_eq!(page["levels"][0]["invited"], 6);
    // Another day: nothing.
    let page = preview(&class, "u-so-x", "2020-01-01", "2020-12-31").await;
    assert_eq!(page["sum"]["classes"], 0);
    assert_eq!(page["lines"], json!([]));
    // A correction after the freeze does not count before the next freeze.
    let body = json!({
        "people": [class.learners[3]], "change": {"field": "status", "to": "inPerson"},
        "reason": "Ký giấy tại hội trường",
    });
    let answer = class
        .post(&class.organiser, &class.at("adjustments"), &body)
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(
        preview(&class, "u-so-x", &day, &day).await["sum"]["attended"],
        2
    );
    let again = json!({"reason": "Bổ sung"});
    class
        .post(&class.organiser, &class.at("freeze"), &again)
        .await;
    assert_eq!(
        preview(&class, "u-so-x", &day, &day).await["sum"]["attended"],
        3
    );
    // Once the class is over, who reached its threshold completed it.
    for step in ["submit", "approve", "prepare", "open", "run", "finish"] {
        let body = json!({"step": step, "document": "05/KH-SGDĐT"});
        let answer = class
            .post(&class.organiser, &class.of_class("steps"), &body)
            .await;
        let done = answer.status == 200 || step == "run" && answer.status == 409;
        assert!(done, "{step} {}", answer.text());
    }
    let page = preview(&class, "u-so-x", &day, &day).await;
    assert!(page["sum"]["completed"].as_u64().unwrap() >= 1, "{page}");
}

#[tokio::test]
async fn presets_end_where_the_sector_reports() {
    let (class, _) = frozen().await;
    for (preset, from, to) in [
        ("yearBegin", "2026-06-16", "2026-09-30"),
        ("midYear", "2026-06-16", "2027-01-30"),
        ("yearEnd", "2026-06-16", "2027-06-15"),
    ] {
        let path = of("u-so-x", &format!("report?preset={preset}&year=2026"));
        let page = class.get(&class.organiser, &path).await.json();
        assert_eq!((&page["from"], &page["to"]), (&json!(from), &json!(to)));
    }
    for wrong in [
        "report",
        "report?preset=yearEnd",
        "report?preset=never&year=2026",
        "report?from=2026-02-30&to=2026-03-01",
        "report?from=2026-03-02&to=2026-03-01",
        "report?from=1990-01-01&to=2026-03-01",
        "exports/aggregate.xlsx",
        "exports/aggregate.pdf?preset=yearEnd&year=2026&delimiter=x",
    ] {
        let answer = class.get(&class.organiser, &of("u-so-x", wrong)).await;
        assert_eq!(answer.status, 400, "{wrong} {}", answer.text());
    }
    for missing in ["exports/session.xlsx", "exports/aggregate.exe"] {
        let path = of("u-so-x", &format!("{missing}?preset=yearEnd&year=2026"));
        let answer = class.get(&class.organiser, &path).await;
        assert_eq!(answer.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn a_report_is_for_who_may_export_all_of_the_unit() {
    let (class, day) = frozen().await;
    let path = |unit: &str| of(unit, &format!("report?from={day}&to={day}"));
    let file = |unit: &str| of(unit, &format!("exports/aggregate.json?from={day}&to={day}"));
    for (who, unit, status) in [
        (&class.organiser, "u-so-x", 200),
        // Units below are his too, the neighbour's are not.
        (&class.organiser, "u-a", 200),
        (&class.organiser, "u-so-y", 403),
        (&class.organiser, "nowhere", 404),
        (&class.stranger, "u-so-x", 403),
        (&class.contact_a, "u-a", 403),
        (&class.trainer, "u-so-x", 403),
        (&class.learners[0], "u-a", 403),
        (&class.admin, "u-so-x", 403),
    ] {
        for path in [path(unit), file(unit)] {
            let answer = class.get(who, &path).await;
            assert_eq!(answer.status, status, "{who} {path} {}", answer.text());
        }
    }
    let nobody = class.raw("GET", &path("u-so-x"), "", b"").await;
    assert_eq!(nobody.status, 401);
    // Below the host of the class there is nothing to count.
    let page = class.get(&class.organiser, &path("u-a")).await.json();
    assert_eq!(page["sum"]["classes"], 0);
    // Each look stands in the log of the class whose numbers went in.
    let log = class
        .get(&class.organiser, &class.of_class("access"))
        .await
        .json();
    let reports = log
        .as_array()
        .or_else(|| log["items"].as_array())
        .unwrap()
        .iter()
        .filter(|line| line["what"] == "report")
        .count();
    assert_eq!(reports, 2, "{log}");
}

#[tokio::test]
async fn a_report_is_exported_in_every_format_and_known_again() {
    let (class, day) = frozen().await;
    let verify = async |body: &[u8]| class.raw("POST", "/api/v1/verify", "", body).await.json();
    let mut hashes = Vec::new();
    let mut sheet = Vec::new();
    for (format, start) in [
        ("xlsx", b"PK\x03\x04".as_slice()),
        ("csv", b"\xef\xbb\xbf"),
        ("pdf", b"%PDF-"),
        ("html", b"<!"),
        ("json", b"{"),
    ] {
        let path = of(
            "u-so-x",
            &format!("exports/aggregate.{format}?from={day}&to={day}"),
        );
        let answer = class.get(&class.organiser, &path).await;
        assert_eq!(answer.status, 200, "{format} {}", answer.text());
        assert!(answer.body.starts_with(start), "{format}");
        let verdict = verify(&answer.body).await;
        assert_eq!(verdict["kind"], "genuine", "{format} {verdict}");
        assert_eq!(verdict["current"], true, "{format}");
        assert_eq!(verdict["host"], "Sở GDĐT X");
        assert_eq!(verdict["title"], "Báo cáo công tác tập huấn qua mạng");
        if format == "csv" {
            sheet = answer.body;
        }
    }
    let page = preview(&class, "u-so-x", &day, &day).await;
    for one in page["exports"].as_array().unwrap() {
        assert_eq!(one["unit"], "u-so-x");
        assert_eq!(one["class"], Value::Null);
        hashes.push(one["dataSha256"].as_str().unwrap().to_owned());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1, "the same data however it is drawn");
    let text = String::from_utf8(sheet.clone()).unwrap();
    assert!(text.contains("BÁO CÁO CÔNG TÁC TẬP HUẤN QUA MẠNG") || text.contains("Sở GDĐT X"));
    let altered = text.replace("Sở GDĐT X", "Sở GDĐT Z");
    assert_eq!(verify(altered.as_bytes()).await["kind"], "altered");
    // A later freeze with other numbers: genuine, no longer current.
    let body = json!({
        "people": [class.learners[3]], "change": {"field": "status", "to": "inPerson"},
        "reason": "Ký giấy tại hội trường",
    });
    class
        .post(&class.organiser, &class.at("adjustments"), &body)
        .await;
    class
        .post(
            &class.organiser,
            &class.at("freeze"),
            &json!({"reason": "Bổ sung"}),
        )
        .await;
    let verdict = verify(&sheet).await;
    assert_eq!(verdict["kind"], "genuine");
    assert_eq!(verdict["current"], false);
    // A unit that was merged counts as below the one that took over.
    let mut unit = class
        .store()
        .unit(&UnitId::from("u-so-x"))
        .await
        .unwrap()
        .unwrap();
    unit.merged_into = Some(UnitId::from("u-so-y"));
    class.store().save_unit(&unit).await.unwrap();
    let path = of("u-so-y", &format!("report?from={day}&to={day}"));
    let page = class.get(&class.stranger, &path).await.json();
    assert_eq!(page["sum"]["classes"], 1, "{page}");
}

#[tokio::test]
async fn own_fields_of_a_class_stand_on_its_sheets_when_they_are_chosen() {
    let mut class = Class::with(|plan| {
        plan.custom = vec![
            ("Nguồn kinh phí".to_owned(), "=1+1 ngân sách".to_owned()),
            ("Ghi chú nội bộ".to_owned(), "không in".to_owned()),
            ("Chương trình".to_owned(), "Bồi dưỡng".to_owned()),
            ("Để trống".to_owned(), String::new()),
        ];
        plan.on_sheets = vec![
            "Chương trình".to_owned(),
            "Nguồn kinh phí".to_owned(),
            "Để trống".to_owned(),
        ];
    })
    .await;
    class.begin().await;
    class.end().await;
    let paths = [
        class.at("exports/session"),
        class.at("exports/delegates"),
        class.of_class("exports/classSummary"),
    ];
    for path in paths {
        let file = async |format: &str| {
            let answer = class
                .get(&class.organiser, &format!("{path}.{format}"))
                .await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text());
            answer
        };
        for format in ["html", "json"] {
            let text = file(format).await.text();
            let first = text.find("Nguồn kinh phí: =1+1 ngân sách").unwrap();
            let second = text.find("Chương trình: Bồi dưỡng").unwrap();
            assert!(first < second, "in the order of the plan");
            assert!(!text.contains("không in") && !text.contains("Để trống"));
        }
        // In a spreadsheet it is a text, never a formula.
        let mut book: calamine::Xlsx<_> =
            calamine::Reader::new(std::io::Cursor::new(file("xlsx").await.body)).unwrap();
        let name = calamine::Reader::sheet_names(&book)[0].clone();
        let formulas = calamine::Reader::worksheet_formula(&mut book, &name).unwrap();
        assert!(formulas.used_cells().next().is_none());
        let cells = calamine::Reader::worksheet_range(&mut book, &name).unwrap();
        let told = cells
            .used_cells()
            .any(|(_, _, cell)| *cell == "Nguồn kinh phí: =1+1 ngân sách");
        assert!(told);
        let verdict = class
            .raw("POST", "/api/v1/verify", "", &file("pdf").await.body)
            .await;
        assert_eq!(verdict.json()["kind"], "genuine");
        // CSV is the table alone.
        assert!(!file("csv").await.text().contains("kinh phí"));
    }
}
