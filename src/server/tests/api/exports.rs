//! Exports, their verification, the record bundle.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use lophoc_classes::{NewStaff, StaffRole};
use lophoc_documents::sha256_hex;
use serde_json::{Value, json};

use crate::attendance_world::{Answer, Class};

async fn verify(class: &Class, file: &[u8]) -> Value {
    let answer = class.raw("POST", "/api/v1/verify", "", file).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

pub async fn export(class: &Class, rest: &str) -> Answer {
    let answer = class.get(&class.organiser, rest).await;
    assert_eq!(answer.status, 200, "{rest} {}", answer.text());
    answer
}

#[tokio::test]
async fn every_sheet_comes_in_every_format_and_is_known_again() {
    let class = Class::held().await;
    let of_session = [
        "session",
        "unitSummary",
        "sites",
        "delegates",
        "trainerActivity",
        "polls",
    ];
    let of_class = [
        "classSummary",
        "unitSummary",
        "planActual",
        "trainerActivity",
    ];
    let session = of_session.map(|kind| class.at(&format!("exports/{kind}")));
    let whole = of_class.map(|kind| class.of_class(&format!("exports/{kind}")));
    for path in session.iter().chain(&whole) {
        for (format, start) in [
            ("xlsx", b"PK\x03\x04".as_slice()),
            ("csv", b"\xef\xbb\xbf"),
            ("pdf", b"%PDF-"),
            ("html", b"<!"),
            ("json", b"{"),
        ] {
            // The formats differ, not the sheets: two are enough of those of the class.
            if format != "xlsx" && format != "csv" && !path.contains("/sessions/") {
                continue;
            }
            let path = format!("{path}.{format}");
            let answer = class.get(&class.organiser, &path).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text());
            assert!(answer.body.starts_with(start), "{path}");
            let head = answer.head.to_lowercase();
            assert!(head.contains("content-disposition: "), "{head}");
            assert!(head.contains("filename*=utf-8''"), "{head}");
        }
    }
    for format in ["xlsx", "csv", "pdf", "html", "json"] {
        let path = class.at(&format!("exports/session.{format}"));
        let file = export(&class, &path).await.body;
        let verdict = verify(&class, &file).await;
        assert_eq!(verdict["kind"], "genuine", "{format} {verdict}");
        assert_eq!(verdict["current"], true, "{format}");
        assert_eq!(verdict["version"], 0);
        assert!(
            verdict["title"]
                .as_str()
                .unwrap()
                .contains("Buổi 1: Chuyển đổi số")
        );
        let id = verdict["id"].as_str().unwrap();
        let again = class
            .raw("GET", &format!("/api/v1/verify/{id}"), "", b"")
            .await;
        assert_eq!(again.json()["current"], true);
    }
    let path = class.of_class("exports/classSummary.xlsx");
    let file = export(&class, &path).await.body;
    assert_eq!(verify(&class, &file).await["kind"], "genuine");
    let list = export(&class, &class.at("exports")).await.json();
    assert!(list["exports"].as_array().unwrap().len() >= 10);
    assert_eq!(list["offers"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_frozen_version_is_exported_as_it_was_and_tells_when_it_no_longer_stands() {
    let class = Class::held().await;
    let freeze = class.at("freeze");
    let draft = export(&class, &class.at("exports/session.csv")).await.body;
    class.post(&class.organiser, &freeze, &json!({})).await;
    let path = class.at("exports/session.csv?version=1");
    let before = export(&class, &path).await.body;
    assert_eq!(verify(&class, &before).await["current"], true);
    // A sheet that says it is not frozen is not current once a version is.
    assert_eq!(verify(&class, &draft).await["current"], false);
    let body = json!({
        "people": [class.learners[2]], "change": {"field": "status", "to": "inPerson"},
        "reason": "Ký giấy tại hội trường",
    });
    let adjust = class.at("adjustments");
    assert_eq!(
        class.post(&class.organiser, &adjust, &body).await.status,
        204
    );
    let after = export(&class, &path).await.body;
    let verdict = verify(&class, &before).await;
    assert_eq!(verdict["kind"], "genuine");
    assert_eq!(verdict["current"], false);
    assert_eq!(
        (&verdict["version"], &verdict["latest"]),
        (&json!(1), &json!(1))
    );
    let list = export(&class, &class.at("exports")).await.json();
    let hashes: Vec<&str> = list["exports"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["version"] == 1)
        .map(|one| one["dataSha256"].as_str().unwrap())
        .collect();
    assert_eq!(hashes.len(), 2);
    assert_eq!(hashes[0], hashes[1]);
    let text = String::from_utf8(after).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("Phạm Đức Anh"))
        .unwrap();
    assert!(line.contains("Vắng K"), "{line}");
    let now = export(&class, &class.at("exports/session.csv"))
        .await
        .text();
    let line = now
        .lines()
        .find(|line| line.contains("Phạm Đức Anh"))
        .unwrap();
    assert!(!line.contains("Vắng K"), "{line}");
    let second = json!({"reason": "Bổ sung"});
    class.post(&class.organiser, &freeze, &second).await;
    let verdict = verify(&class, &before).await;
    assert_eq!(
        (&verdict["current"], &verdict["latest"]),
        (&json!(false), &json!(2))
    );
    let path = class.at("exports/session.csv?version=2");
    let file = export(&class, &path).await.body;
    assert_eq!(verify(&class, &file).await["current"], true);
}

/// The workbook with one text put in the place of another.
fn forged(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace(from, to);
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[tokio::test]
async fn altered_files_are_told_and_others_are_unknown() {
    let class = Class::held().await;
    let file = export(&class, &class.at("exports/session.csv"))
        .await
        .text();
    let changed = file.replacen("Vắng K", "Có mặt", 1);
    assert_ne!(changed, file);
    let verdict = verify(&class, changed.as_bytes()).await;
    assert_eq!(verdict["kind"], "altered", "{verdict}");
    assert_eq!(verdict["current"], false);
    assert!(!verdict["differences"].as_array().unwrap().is_empty());
    // An id is printed on every sheet: it does not bring out what stands there.
    let told = verdict["differences"].to_string();
    assert!(!told.contains("bản gốc “"), "{told}");

    let file = export(&class, &class.at("exports/session.xlsx")).await.body;
    let verdict = verify(&class, &forged(&file, "Nguyễn Văn An", "Nguyễn Văn Em")).await;
    assert_eq!(verdict["kind"], "altered", "{verdict}");
    // Packed anew, nothing else.
    let verdict = verify(&class, &forged(&file, "\u{1}", "")).await;
    assert_eq!(verdict["kind"], "resaved", "{verdict}");
    assert_eq!(verdict["current"], true);

    for other in [
        b"".as_slice(),
        b"PK\x03\x04 broken",
        b"%PDF-1.7 broken",
        b"<html>",
        b"{\"schema\":1}",
        b"a,b\r\n1,2\r\n",
        &[0xff; 3_000],
    ] {
        let verdict = verify(&class, other).await;
        assert_eq!(verdict["kind"], "unknown");
        assert_eq!(verdict["title"], "");
    }
    let id = class
        .raw("GET", "/api/v1/verify/nothing-like-it", "", b"")
        .await;
    assert_eq!(id.json()["kind"], "unknown");
    let huge = vec![b'a'; 16 * 1024 * 1024 + 1];
    let answer = class.raw("POST", "/api/v1/verify", "", &huge).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn exports_hold_the_rows_the_right_reaches_and_wrong_addresses_are_refused() {
    let class = Class::held().await;
    let path = class.at("exports/session.csv");
    let own = class.get(&class.contact_a, &path).await;
    assert_eq!(own.status, 200);
    assert!(own.text().contains("Đặng Thị Ái") && !own.text().contains("Nguyễn Thị Yến"));
    let list = class
        .get(&class.contact_a, &class.at("exports"))
        .await
        .json();
    assert_eq!(list["exports"].as_array().unwrap().len(), 1);
    assert_eq!(
        list["offers"].as_array().unwrap().len(),
        4,
        "no activity of trainers"
    );
    for whole in ["exports/trainerActivity.csv", "exports/polls.csv"] {
        let answer = class.get(&class.contact_a, &class.at(whole)).await;
        assert_eq!(answer.status, 403, "{whole}");
    }
    for who in [
        &class.trainer,
        &class.adviser,
        &class.learners[0],
        &class.stranger,
        &class.admin,
    ] {
        assert_eq!(class.get(who, &path).await.status, 403);
        assert_eq!(class.get(who, &class.at("bundle.zip")).await.status, 403);
    }
    for (rest, status) in [
        ("exports/session.exe", 404),
        ("exports/session", 404),
        ("exports/classSummary.csv", 404),
        ("exports/..%2f..%2fsecret.csv", 404),
        ("exports/session.csv?version=9", 404),
        ("exports/session.csv?version=-1", 400),
        ("exports/session.csv?delimiter=x", 400),
        ("exports/session.csv?lang=en", 400),
        ("exports/session.csv?asText=maybe", 400),
    ] {
        let answer = class.get(&class.organiser, &class.at(rest)).await;
        assert_eq!(answer.status, status, "{rest}");
    }
    let path = class.of_class("exports/classSummary.csv?version=1");
    assert_eq!(class.get(&class.organiser, &path).await.status, 400);
    let lines = export(&class, &class.of_class("access")).await.json();
    let exports = lines.as_array().unwrap();
    let exports: Vec<_> = exports
        .iter()
        .filter(|line| line["what"] == "export")
        .collect();
    assert_eq!(exports.len(), 1);
    assert_eq!(exports[0]["extent"], "unit");
}

pub fn unpack(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

#[tokio::test]
async fn the_bundle_holds_what_its_manifest_says_and_chat_for_organisers_alone() {
    let class = Class::held().await;
    class
        .post(&class.organiser, &class.at("freeze"), &json!({}))
        .await;
    let path = class.at("bundle.zip");
    let files = unpack(&export(&class, &path).await.body);
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len());
    for entry in listed {
        let bytes = &files[entry["name"].as_str().unwrap()];
        assert_eq!(entry["sha256"], sha256_hex(bytes), "{entry}");
        assert_eq!(entry["bytes"], bytes.len());
    }
    let log = String::from_utf8(files["events.jsonl"].clone()).unwrap();
    let events: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let stored = class.store().events(&class.session).await.unwrap();
    assert_eq!(events.len(), stored.len());
    assert!(log.contains("bí mật"));
    let chat = String::from_utf8(files["chat.csv"].clone()).unwrap();
    assert!(
        chat.starts_with('\u{feff}') && chat.contains("'=1+1 bí mật"),
        "{chat}"
    );
    let captions = String::from_utf8(files["captions-vi.vtt"].clone()).unwrap();
    assert!(
        captions.starts_with("WEBVTT\n") && captions.contains("Chào &lt;các&gt; em"),
        "{captions}"
    );
    let notes = String::from_utf8_lossy(&files["notes.md"]);
    assert_eq!(notes, "# Ghi chú buổi 1\n- việc cần làm");
    let group = String::from_utf8_lossy(&files["notes-g1-2.md"]);
    assert!(group.starts_with("# Tổ Toán (") && group.ends_with(")\n\n- việc của tổ"));
    assert!(!files.contains_key("notes-g1-1.md"), "nobody wrote there");
    assert!(String::from_utf8_lossy(&files["captions-en.vtt"]).contains("Hello, class"));
    let polls: Value = serde_json::from_slice(&files["polls.json"]).unwrap();
    assert_eq!(polls[0]["answers"][0]["score"], 1);
    assert_eq!(polls[1]["sums"][0]["counts"], json!([1, 0, 1]));
    assert_eq!(
        polls[1]["answers"],
        json!([]),
        "nobody stands beside a ballot"
    );
    let sheet = String::from_utf8(files["polls.csv"].clone()).unwrap();
    for wanted in [
        "Biểu quyết kín",
        "Không tán thành",
        "Kiểm tra nhanh",
        "B. 6",
    ] {
        assert!(sheet.contains(wanted), "{sheet}");
    }
    assert!(files["polls.xlsx"].starts_with(b"PK"));
    let activity = export(&class, &class.at("exports/trainerActivity.csv")).await;
    assert!(activity.text().contains("Thăm dò"), "{}", activity.text());
    assert!(chat.contains("Đã xóa trong phòng"), "{chat}");
    assert!(
        files
            .values()
            .all(|bytes| !String::from_utf8_lossy(bytes).contains("chuyện riêng")),
        "what went to one person leaves with nobody"
    );
    assert!(
        log.contains(r#""to":"person""#),
        "that there was one is on record"
    );
    let versions: Value = serde_json::from_slice(&files["versions.json"]).unwrap();
    let body = versions[0][1].as_str().unwrap();
    assert_eq!(versions[0][0]["sha256"], sha256_hex(body.as_bytes()));
    assert!(String::from_utf8_lossy(&files["README.txt"]).contains("HỒ SƠ BUỔI HỌC"));

    let observer = NewStaff {
        person: class.stranger.clone(),
        role: StaffRole::Observer,
        session: None,
        instead_of: None,
        learners: Vec::new(),
    };
    let by = &class.organiser;
    let now = crate::attendance_world::now_ms();
    class
        .store()
        .add_staff(&class.class, &observer, by, now)
        .await
        .unwrap();
    let answer = class.get(&class.stranger, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let files = unpack(&answer.body);
    assert!(!files.contains_key("chat.csv"));
    assert!(
        files
            .values()
            .all(|bytes| !String::from_utf8_lossy(bytes).contains("bí mật"))
    );
    assert_eq!(class.get(&class.contact_a, &path).await.status, 403);
}

#[tokio::test]
async fn captions_are_a_file_of_one_language_for_who_may_export() {
    let class = Class::held().await;
    let path = class.at("captions.vtt?lang=vi");
    let answer = export(&class, &path).await;
    let head = answer.head.to_lowercase();
    assert!(head.contains("content-type: text/vtt"), "{head}");
    let text = answer.text();
    assert!(
        text.starts_with("WEBVTT\n\nNOTE ") && text.contains(" --> "),
        "{text}"
    );
    assert!(text.contains("Chào &lt;các&gt; em") && !text.contains("Hello"));
    let english = export(&class, &class.at("captions.vtt?lang=en")).await;
    assert!(english.text().contains("Hello, class"));
    for wrong in ["captions.vtt", "captions.vtt?lang=fr"] {
        let answer = class.get(&class.organiser, &class.at(wrong)).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(class.get(&class.stranger, &path).await.status, 403);
}

#[tokio::test]
async fn the_command_tells_genuine_from_altered() {
    let class = Class::held().await;
    let file = export(&class, &class.at("exports/session.csv")).await.body;
    let config = class.folder().join("check.toml");
    let text = format!("[data]\nfolder = {:?}\n", class.folder());
    std::fs::write(&config, text).unwrap();
    let run = |name: &str, bytes: &[u8]| {
        let path = class.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_lophoc"))
            .args(["verify-export", "--json", "--config"])
            .args([&config, &path])
            .output()
            .unwrap();
        let verdict: Value = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
        (out.status.code(), verdict)
    };
    let (code, verdict) = run("genuine.csv", &file);
    assert_eq!(code, Some(0));
    assert_eq!(
        (&verdict["kind"], &verdict["current"]),
        (&json!("genuine"), &json!(true))
    );
    let changed = String::from_utf8(file)
        .unwrap()
        .replacen("Vắng K", "Có mặt", 1);
    let (code, verdict) = run("altered.csv", changed.as_bytes());
    assert_eq!((code, &verdict["kind"]), (Some(1), &json!("altered")));
    let (code, verdict) = run("other.csv", b"a,b\r\n");
    assert_eq!((code, &verdict["kind"]), (Some(1), &json!("unknown")));
}
