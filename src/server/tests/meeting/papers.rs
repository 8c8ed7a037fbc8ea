//! Freezing, the sheets in all formats, their verification, a correction, the
//! record bundle.

use lophoc_documents::sha256_hex;
use serde_json::{Value, json};

use crate::hold::{EXCUSE, SUBSTITUTE};
use crate::numbers::Rows;
use crate::prepare::{MINISTRY, Meeting};
use crate::reading;
use crate::server::Running;

const FORMATS: [&str; 5] = ["xlsx", "csv", "pdf", "html", "json"];

async fn export(meeting: &Meeting, file: &str, version: u32) -> Vec<u8> {
    let path = meeting.at(&format!("exports/{file}?version={version}"));
    let answer = meeting.organiser.get(&path).await;
    assert_eq!(answer.status, 200, "{path} {}", answer.text());
    answer.body
}

/// What the public page says of a file.
async fn verdict(server: &Running, file: &[u8]) -> Value {
    let answer = server
        .nobody()
        .call("POST", "/api/v1/verify", "application/octet-stream", file)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("Nguyễn"), "no personal data");
    answer.json()
}

fn says(file: &str, text: &str, wanted: &str) {
    assert!(
        text.contains(&reading::squeezed(wanted)),
        "{file} does not say {wanted}"
    );
}

pub async fn check(server: &Running, meeting: &Meeting) {
    let path = meeting.at("freeze");
    let frozen = meeting.organiser.post_ok(&path, &json!({}), 200).await;
    assert_eq!(frozen["no"], 1);
    sheets(server, meeting).await;
    let path = format!("/sessions/{}", meeting.session);
    assert_eq!(meeting.organiser.get_ok(&path).await["phase"], "exported");
    correction(server, meeting).await;
    bundle(meeting).await;
}

/// Per sheet: what every format says, and what those say that hold more than
/// the one table.
fn contents(meeting: &Meeting, kind: &str) -> (Vec<String>, Vec<String>) {
    let invited = &meeting.invited;
    let names = |all: bool| {
        let lines = invited
            .all()
            .filter(|line| all || !line.unit.contains("Bộ"));
        lines.map(|line| line.name.clone()).collect::<Vec<_>>()
    };
    match kind {
        "session" => {
            let mut main = names(true);
            main.extend(invited.all().map(|line| line.code.clone()));
            main.push(EXCUSE.to_owned());
            let foot = "Danh sách này có 33 người; có mặt 31 (trực tuyến 01, tại điểm cầu 29, \
                        trực tiếp 01), vắng 02 (có phép 01, không phép 01)";
            (
                main,
                vec![
                    foot.to_owned(),
                    MINISTRY.to_owned(),
                    "1111/KH-BGDĐT".to_owned(),
                ],
            )
        }
        "delegates" => {
            let mut main = names(true);
            main.extend([SUBSTITUTE, "Phó Giám đốc Sở", "Cử người dự thay"].map(str::to_owned));
            main.extend(["Giấy cử số 25/GC-SGDĐT", EXCUSE, "Vắng có lý do"].map(str::to_owned));
            let foot = "Mời 33 đại biểu; có mặt 31 (trong đó dự thay 01), vắng có lý do 01, \
                        vắng không lý do 01.";
            (main, vec![foot.to_owned()])
        }
        "sites" => {
            let absent = &invited.ha_noi[11].name;
            let mut main = names(false);
            main.retain(|name| name != absent);
            main.extend(["Quét mã QR", "Đầu mối"].map(str::to_owned));
            let foot = "Có 34 điểm cầu với 29 người tham dự tại điểm cầu; tham dự trực tuyến 01, \
                        trực tiếp 01.";
            let mut whole = vec![foot.to_owned()];
            whole.extend(meeting.departments.iter().map(|one| one.site.clone()));
            (main, whole)
        }
        _ => {
            let units = invited.all().map(|line| line.unit.clone());
            (units.collect(), Vec::new())
        }
    }
}

async fn sheets(server: &Running, meeting: &Meeting) {
    for kind in ["session", "delegates", "sites", "unitSummary"] {
        let (main, whole) = contents(meeting, kind);
        for format in FORMATS {
            let file = format!("{kind}.{format}");
            let bytes = export(meeting, &file, 1).await;
            match reading::text(format, &bytes) {
                None => eprintln!("{file} was not read: no pdftotext here"),
                Some(text) => {
                    for wanted in &main {
                        says(&file, &text, wanted);
                    }
                    for wanted in whole.iter().filter(|_| format != "csv") {
                        says(&file, &text, wanted);
                    }
                }
            }
            if kind == "session" || format == "xlsx" {
                let verdict = verdict(server, &bytes).await;
                assert_eq!(verdict["kind"], "genuine", "{file} {verdict}");
                assert_eq!(verdict["current"], true, "{file} {verdict}");
                assert_eq!(
                    (&verdict["version"], &verdict["latest"]),
                    (&json!(1), &json!(1))
                );
                assert_eq!(verdict["host"], MINISTRY);
            }
        }
    }
    tables(meeting).await;
}

/// The tables cell by cell.
async fn tables(meeting: &Meeting) {
    let invited = &meeting.invited;
    let book = reading::workbook(&export(meeting, "delegates.xlsx", 1).await);
    let director = &invited.lao_cai[0];
    let row = book["Đại biểu"]
        .iter()
        .find(|row| row.contains(&director.name))
        .unwrap();
    assert_eq!(
        row[1..6].join("|"),
        [
            director.name.as_str(),
            director.position,
            director.unit.as_str(),
            SUBSTITUTE,
            "Phó Giám đốc Sở",
        ]
        .join("|")
    );
    let counted = book["Đại biểu"]
        .iter()
        .filter(|row| row[0].parse::<f64>().is_ok());
    assert_eq!(counted.count(), 33);

    let book = reading::workbook(&export(meeting, "sites.xlsx", 1).await);
    let sheet = &book["Theo điểm cầu"];
    // The sites stand below the people; the last two of a line are its counts.
    let of = |site: &str| -> Vec<f64> {
        let lines = sheet
            .iter()
            .filter(|row| row.iter().any(|cell| cell == site));
        let mut counts = lines.filter_map(|row| {
            let mut filled = row.iter().rev().filter(|cell| !cell.is_empty());
            let present = filled.next()?.parse().ok()?;
            Some(vec![filled.next()?.parse().ok()?, present])
        });
        counts.next().unwrap_or_else(|| panic!("no line of {site}"))
    };
    for (no, department) in meeting.departments.iter().enumerate() {
        let counts = match no {
            0 => [12.0, 11.0],
            1 => [12.0, 12.0],
            2 => [6.0, 6.0],
            _ => [0.0, 0.0],
        };
        assert_eq!(of(&department.site), counts, "{}", department.site);
    }
    let people = sheet
        .iter()
        .filter(|row| row[0].parse::<f64>().is_ok() && row.iter().any(|cell| cell == "Quét mã QR"));
    assert_eq!(people.count(), 22);

    // A spreadsheet keeps the zeros of the identifiers.
    let book = reading::workbook(&export(meeting, "session.xlsx", 1).await);
    let first = &invited.ha_noi[0];
    let row = book["Điểm danh"]
        .iter()
        .find(|row| row.contains(&first.name))
        .unwrap();
    assert_eq!(row[1], first.code);
    let csv = String::from_utf8(export(meeting, "session.csv", 1).await).unwrap();
    // The guard of the identifier, quoted: ,"=""0001…""",
    let guarded = format!("\"=\"\"{}\"\"\"", first.code);
    assert!(csv.lines().any(|line| line.contains(&guarded)), "{guarded}");
}

/// Somebody was there after all: the sheet stays genuine and is no longer
/// current; the frozen version says what it said.
async fn correction(server: &Running, meeting: &Meeting) {
    let organiser = &meeting.organiser;
    let before = export(meeting, "session.xlsx", 1).await;
    let absent = &meeting.invited.ha_noi[11];
    let body = json!({
        "people": [meeting.key(&absent.name)], "change": {"field": "status", "to": "atSite"},
        "reason": "Có ký danh sách giấy tại điểm cầu", "evidence": "Ảnh danh sách",
    });
    organiser
        .post_ok(&meeting.at("adjustments"), &body, 204)
        .await;
    let verdict_now = verdict(server, &before).await;
    assert_eq!(verdict_now["kind"], "genuine");
    assert_eq!(verdict_now["current"], false, "{verdict_now}");

    let page = organiser.get_ok(&meeting.at("attendance")).await;
    let row = Rows::of(&page).named(&absent.name);
    assert_eq!(row["auto"]["status"], "absent", "what was computed stays");
    assert_eq!(row["stands"]["status"], "atSite");
    assert_eq!(page["changedSince"], true);
    let noted = &page["adjustments"][0];
    assert_eq!(
        (&noted["no"], &noted["was"]),
        (&json!(1), &json!("Vắng không phép"))
    );
    assert_eq!(noted["byName"], "Mai Ban Tổ Chức");
    let old = reading::workbook(&export(meeting, "session.xlsx", 1).await);
    let old = old["Điểm danh"]
        .iter()
        .find(|row| row.contains(&absent.name))
        .unwrap();
    assert!(old.iter().any(|cell| cell.contains("Vắng")), "{old:?}");

    let freeze = meeting.at("freeze");
    let refused = organiser.post(&freeze, &json!({})).await;
    assert_eq!(refused.json()["error"]["fields"]["reason"], "required");
    let frozen = organiser
        .post_ok(
            &freeze,
            &json!({"reason": "Bổ sung theo danh sách giấy"}),
            200,
        )
        .await;
    assert_eq!(frozen["no"], 2);
    let second = export(meeting, "session.pdf", 2).await;
    let verdict = verdict(server, &second).await;
    assert_eq!(
        (&verdict["current"], &verdict["latest"]),
        (&json!(true), &json!(2))
    );
    if let Some(text) = reading::text("pdf", &second) {
        says(
            "session.pdf",
            &text,
            "có mặt 32 (trực tuyến 01, tại điểm cầu 30",
        );
        says("session.pdf", &text, "Có ký danh sách giấy tại điểm cầu");
    }
}

async fn bundle(meeting: &Meeting) {
    let answer = meeting.organiser.get(&meeting.at("bundle.zip")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let files = reading::unpacked(&answer.body);
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["session"], meeting.session.as_str());
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(
        listed.len() + 1,
        files.len(),
        "every file but the manifest itself"
    );
    for entry in listed {
        let bytes = &files[entry["name"].as_str().unwrap()];
        assert_eq!(entry["sha256"], sha256_hex(bytes), "{entry}");
        assert_eq!(entry["bytes"], bytes.len(), "{entry}");
    }
    let json = |name: &str| -> Value { serde_json::from_slice(&files[name]).unwrap() };
    assert_eq!(json("roster.json").as_object().unwrap().len(), 67);
    assert_eq!(
        json("hall-marks.json").as_array().unwrap().len(),
        30,
        "29 and the chair's hall"
    );
    let refused = json("refused-check-ins.json");
    let absent = meeting.key(&meeting.invited.ha_noi[11].name);
    assert_eq!(refused[0][0], absent, "one phone for two");
    let versions = json("versions.json");
    assert_eq!(versions.as_array().unwrap().len(), 2);
    for version in versions.as_array().unwrap() {
        let body = version[1].as_str().unwrap();
        assert_eq!(version[0]["sha256"], sha256_hex(body.as_bytes()));
    }
    let floor = &json("attendance.json")["activity"]["floor"];
    let speaker = meeting.key(&meeting.departments[0].site);
    assert_eq!(floor.as_array().unwrap().len(), 1, "{floor}");
    assert_eq!(floor[0]["person"], speaker);
    let log = String::from_utf8(files["events.jsonl"].clone()).unwrap();
    assert_eq!(
        log.lines()
            .filter(|line| line.contains("\"waiting\""))
            .count(),
        36
    );
}
