//! What is kept of recordings: disposal, checksums, quota, webhooks, backup, the
//! object storage, and the scenario of three hours.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lophoc::Server;
use lophoc_classes::{RecordingState, StepRequest};
use lophoc_recording::Timeline;
use lophoc_records::NewRecording;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::attendance_world::{Class, MINUTE, now_ms};
use crate::moto::Moto;
use crate::recordings_world::{ID, close, id, path, recorded, recorded_at, send, worked};

/// A year ago.
fn long_ago() -> u64 {
    now_ms() - 400 * 24 * 60 * MINUTE
}

async fn second_organiser(class: &Class, name: &str) -> crate::client::Browser {
    let store = class.store();
    let printed = lophoc::create_account(store, name, "Người khác", true)
        .await
        .unwrap();
    let mut browser = crate::client::Browser {
        host: class.server.addresses()[0].to_string(),
        cookie: None,
        bearer: None,
    };
    let body = json!({"login": printed.login, "password": printed.password}).to_string();
    let answer = browser
        .call("POST", "/api/v1/sign-in", &browser.headers(), body)
        .await;
    browser.cookie = Some(answer.cookie().unwrap());
    let change = json!({"old": printed.password, "new": crate::client::PASSWORD});
    assert_eq!(browser.post("/me/password", &change).await.0, 200);
    browser
}

#[tokio::test]
async fn two_others_agree_to_a_disposal_and_its_record_stays() {
    let class = Class::new().await;
    recorded_at(&class, long_ago(), MINUTE, None).await;
    class
        .store()
        .end_recording(ID, long_ago() + MINUTE)
        .await
        .unwrap();
    worked(&class).await;
    let ask = json!({"reason": "Hết thời hạn lưu"});
    let refused = send(&class, &class.organiser, "POST", "/disposal", &ask).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "protected".to_owned())
    );
    let cancel: StepRequest =
        serde_json::from_value(json!({"step": "cancel", "reason": "không mở"})).unwrap();
    class
        .store()
        .step_class(&class.class, &cancel, &class.organiser, now_ms())
        .await
        .unwrap();

    let approve = "/disposal/approve";
    assert_eq!(
        send(&class, &class.organiser, "POST", approve, &json!({}))
            .await
            .status,
        409
    );
    assert_eq!(
        send(&class, &class.trainer, "POST", "/disposal", &ask)
            .await
            .status,
        403
    );
    let empty = send(
        &class,
        &class.organiser,
        "POST",
        "/disposal",
        &json!({"reason": " "}),
    )
    .await;
    assert_eq!(empty.status, 400);
    let asked = send(&class, &class.organiser, "POST", "/disposal", &ask).await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert_eq!(asked.json()["disposal"]["canApprove"], false);
    assert_eq!(
        send(&class, &class.organiser, "POST", approve, &json!({}))
            .await
            .status,
        403
    );
    assert_eq!(
        send(&class, &class.admin, "POST", approve, &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        send(&class, &class.admin, "POST", approve, &json!({}))
            .await
            .status,
        403
    );
    let folder = class.folder().join("recordings").join(ID);
    assert!(folder.is_dir());
    let other = second_organiser(&class, "duyet.hai").await;
    let (status, done) = other
        .post(&format!("/recordings/{ID}{approve}"), &json!({}))
        .await;
    assert_eq!((status, &done["state"]), (200, &json!("deleted")), "{done}");
    assert_eq!(done["disposal"]["approvals"].as_array().unwrap().len(), 2);
    assert!(done["disposal"]["manifestSha256"].as_str().unwrap().len() == 64);
    assert_eq!(
        class.get(&class.organiser, &path("/playback")).await.status,
        403
    );
    let purge = async |days: u64| {
        let at = now_ms() + days * 24 * 60 * MINUTE;
        lophoc::recording::retention::purge(&class.server.app, at)
            .await
            .unwrap();
    };
    // A week is left to whoever finds that it was a mistake.
    purge(6).await;
    assert!(folder.exists());
    purge(8).await;
    assert!(!folder.exists());
    let kept = class.get(&class.organiser, &path("")).await.json();
    assert_eq!(kept["disposal"]["reason"], "Hết thời hạn lưu");
    assert!(kept["disposal"]["bytes"].as_u64().unwrap() > 0);
    assert!(
        kept["log"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["text"] == "purged")
    );
    class.server.stop().await;
}

#[tokio::test]
async fn one_changed_byte_is_found_and_exactly_its_segment_named() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let month = 31 * 24 * 60 * MINUTE;
    let app = &class.server.app;
    let damaged = async || -> Vec<String> {
        let all = class.store().recording_segments(ID).await.unwrap();
        all.into_iter()
            .filter(|(segment, _)| segment.damaged_ms.is_some())
            .map(|(segment, _)| segment.id)
            .collect()
    };
    lophoc::recording::retention::look(app, now_ms() + month)
        .await
        .unwrap();
    assert!(damaged().await.is_empty());
    let file = class.folder().join("recordings").join(ID).join("0002.webm");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&file, bytes).unwrap();
    // Not due yet.
    lophoc::recording::retention::look(app, now_ms() + month + MINUTE)
        .await
        .unwrap();
    assert!(damaged().await.is_empty());
    lophoc::recording::retention::look(app, now_ms() + 2 * month + MINUTE)
        .await
        .unwrap();
    assert_eq!(damaged().await, ["0002"]);
    let told = class.get(&class.organiser, &path("")).await.json();
    let log = told["log"].as_array().unwrap();
    assert!(
        log.iter().any(|line| line["text"] == "damaged: 0002"),
        "{log:?}"
    );
    class.server.stop().await;
}

#[tokio::test]
async fn one_that_cannot_be_read_holds_up_no_other() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let app = &class.server.app;
    let file = class.folder().join("recordings").join(ID).join("0002.webm");
    // What is read of a folder is an error of the disk.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (day, at) = (24 * 60 * MINUTE, now_ms() + 31 * 24 * 60 * MINUTE);
    lophoc::recording::retention::look(app, at).await.unwrap();
    let due = async |now| {
        class
            .store()
            .recordings_to_verify(at, now, 9)
            .await
            .unwrap()
    };
    assert!(due(at + MINUTE).await.is_empty(), "others have their turn");
    assert_eq!(due(at + day).await, [ID]);
    class.server.stop().await;
}

#[tokio::test]
async fn a_unit_is_warned_and_keeps_no_more_than_it_may() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let quota = "/api/v1/recording-quotas/u-so-x";
    let used = class.get(&class.organiser, quota).await.json()["used"]
        .as_u64()
        .unwrap();
    assert!(used > 10_000, "{used}");
    assert_eq!(class.get(&class.stranger, quota).await.status, 403);
    let head = "content-type: application/json\r\n";
    let set = async |who, bytes: u64| {
        let body = json!({"bytes": bytes}).to_string();
        class
            .call(Some(who), "PUT", quota, head, body.as_bytes())
            .await
    };
    assert_eq!(set(&class.organiser, 5).await.status, 403);
    assert_eq!(set(&class.admin, used * 2).await.json()["warning"], false);
    assert_eq!(set(&class.admin, used + 1).await.json()["warning"], true);
    let new = |id: &str| NewRecording {
        id: id.to_owned(),
        session: class.session.clone(),
        by: None,
        started_ms: now_ms(),
    };
    class
        .store()
        .begin_recording(&new("01JD0000000000000000000005"))
        .await
        .unwrap();
    assert_eq!(set(&class.admin, used).await.status, 200);
    assert!(
        class
            .store()
            .begin_recording(&new("01JD0000000000000000000006"))
            .await
            .is_err()
    );
    // One that began goes on.
    class
        .store()
        .begin_recording(&new("01JD0000000000000000000005"))
        .await
        .unwrap();
    class.server.stop().await;
}

/// Takes one call and answers it.
async fn one_call(listener: &tokio::net::TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut got = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        got.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")
                    .map(str::to_owned)
            });
            if length.and_then(|length| length.parse::<usize>().ok()) == Some(body.len()) {
                break;
            }
        }
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(got).unwrap()
}

#[tokio::test]
async fn who_asked_is_told_once_signed_and_again_after_a_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut class = Class::with_config(
        |_| {},
        |config| config.webhooks.private_hosts = vec!["127.0.0.1".to_owned()],
    )
    .await;
    class.begin().await;
    let hooks = "/api/v1/webhooks";
    let form = |url: &str| json!({"url": url, "unit": "u-so-x"});
    assert_eq!(
        class
            .post(&class.organiser, hooks, &form("https://lms.vn/"))
            .await
            .status,
        403
    );
    let refused = class
        .post(&class.admin, hooks, &form("https://10.0.0.1/"))
        .await;
    assert_eq!(refused.json()["error"]["fields"]["url"], "refused");
    let elsewhere = json!({"url": format!("http://127.0.0.1:{port}/other"), "unit": "u-so-y"});
    assert_eq!(
        class.post(&class.admin, hooks, &elsewhere).await.status,
        201
    );
    let made = class
        .post(
            &class.admin,
            hooks,
            &form(&format!("http://127.0.0.1:{port}/hook")),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();

    recorded(&class, MINUTE, None).await;
    let (first, ()) = tokio::join!(one_call(&listener, "503 Busy"), worked(&class));
    assert!(first.starts_with("POST /hook "), "{first}");
    let second = one_call(&listener, "204 No Content").await;
    let head = |text: &str, name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name} in {text}"))
    };
    assert_eq!(head(&first, "webhook-id"), head(&second, "webhook-id"));
    let body = second.split_once("\r\n\r\n").unwrap().1;
    let signed = format!(
        "{}.{}.{body}",
        head(&second, "webhook-id"),
        head(&second, "webhook-timestamp")
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    assert_eq!(
        head(&second, "webhook-signature"),
        format!("v1,{}", STANDARD.encode(tag))
    );
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&told["type"], &told["data"]["recording"]),
        (&json!("recording.ready"), &json!(ID))
    );
    for _ in 0..100 {
        let list = class.get(&class.admin, hooks).await.json();
        if list[1]["deliveredMs"].is_u64() {
            assert_eq!(
                (&list[1]["waiting"], &list[1]["secret"]),
                (&json!(0), &Value::Null)
            );
            class.server.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never written down as delivered");
}

pub fn config_file(folder: &Path, data: &Path) -> std::path::PathBuf {
    let path = folder.join(format!(
        "{}.toml",
        data.file_name().unwrap().to_str().unwrap()
    ));
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[data]\nfolder = {:?}\n[media]\nport = 0\nshards = 1\nlisten = [\"127.0.0.1\"]\nannounce = [\"127.0.0.1\"]\n",
        data.to_str().unwrap()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_backup_of_a_running_server_comes_back_on_an_empty_machine() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str], config: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_lophoc"))
            .args(words)
            .arg("--config")
            .arg(config)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let copy = folder.path().join("copy");
    let copy = copy.to_str().unwrap();
    let settings = config_file(folder.path(), class.folder());
    assert_eq!(run(&["backup", copy], &settings), (true, String::new()));
    assert!(
        !run(&["backup", copy], &settings).0,
        "into a folder that is not empty"
    );
    class.server.stop().await;

    let data = folder.path().join("new");
    let settings = config_file(folder.path(), &data);
    assert_eq!(run(&["restore", copy], &settings), (true, String::new()));
    assert!(!run(&["restore", copy], &settings).0, "onto what is there");
    let text = std::fs::read_to_string(&settings).unwrap();
    let config = lophoc::config::load_text(&text, "f", &[]).unwrap().config;
    let server = Server::start(config).await.unwrap();
    // The cookie of before is good, and what was recorded plays.
    class.server = server;
    let told = class.get(&class.organiser, &path("/playback")).await.json();
    let sound = class
        .get(&class.organiser, told["sound"].as_str().unwrap())
        .await;
    assert_eq!(sound.status, 200);
    let damaged =
        lophoc::recording::jobs::damaged(&class.server.app, &id(), &std::sync::Arc::default())
            .await;
    assert_eq!(damaged.unwrap(), Vec::<String>::new());
    class.server.stop().await;
}

#[tokio::test]
async fn files_go_to_the_object_storage_in_parts_and_are_served_from_there() {
    let Some(moto) = Moto::start().await else {
        return;
    };
    let mut class = Class::with_config(|_| {}, |config| moto.set(config)).await;
    class.begin().await;
    // Long enough that the camera's file has several parts.
    let folder = class.folder().join("recordings").join(ID);
    let made = crate::recordings_world::Made {
        trainer: &class.trainer,
        learner: &class.learners[0],
        never: &[],
        began_ms: class.began,
        length_ms: 12 * MINUTE,
        size: 600,
        pause: None,
        loud: false,
    };
    crate::recordings_world::recorded_as(&class, &made).await;
    let first = std::fs::metadata(folder.join("0001.webm")).unwrap().len();
    assert!(first > 10 * 1024 * 1024, "{first}");
    // What is there goes while the class still runs.
    for _ in 0..1_800 {
        let objects = class.store().recording_objects(ID).await.unwrap();
        if objects
            .iter()
            .any(|object| object.file == "0001.webm" && object.verified_ms.is_some())
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let objects = class.store().recording_objects(ID).await.unwrap();
    let sent = objects
        .iter()
        .find(|object| object.file == "0001.webm")
        .unwrap();
    assert!(
        sent.verified_ms.is_some() && sent.bytes == first,
        "{sent:?}"
    );
    assert_eq!(
        class.store().recording(ID).await.unwrap().unwrap().state,
        RecordingState::Recording
    );

    worked(&class).await;
    let stages = class.store().recording_stages(ID).await.unwrap();
    let uploaded = stages
        .iter()
        .find(|(stage, _, _)| stage.as_str() == "upload");
    assert_eq!(uploaded.unwrap().1, "done", "{stages:?}");
    assert!(!folder.join("0001.webm").exists() && !folder.join("sound.webm").exists());
    assert!(folder.join("journal.jsonl").exists() && folder.join("manifest.json").exists());
    let told = class.get(&class.organiser, &path("/playback")).await.json();
    let tracks = told["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 1);
    let url = tracks[0]["url"].as_str().unwrap();
    let part = class
        .call(
            Some(&class.organiser),
            "GET",
            url,
            "range: bytes=9000000-9000999\r\n",
            b"",
        )
        .await;
    assert_eq!((part.status, part.body.len()), (206, 1_000));
    let damaged =
        lophoc::recording::jobs::damaged(&class.server.app, &id(), &std::sync::Arc::default())
            .await;
    assert_eq!(damaged.unwrap(), Vec::<String>::new());
    // The storage was told to encrypt it, in parts and whole.
    for name in ["0001.webm", "manifest.json"] {
        let head = moto
            .ask("HEAD", &format!("/bucket/recordings/{ID}/{name}"))
            .await;
        let head = head.to_lowercase();
        assert!(
            head.contains("x-amz-server-side-encryption: aes256"),
            "{head}"
        );
    }
    class.server.stop().await;
}

/// The figures of the issue: a class of three hours ends; how long until it can be
/// played with all its sound, and how long a jump takes. For a person to look at:
/// `LOPHOC_LONG=1 cargo test --workspace --test api -- three_hours --nocapture`.
#[tokio::test]
async fn three_hours_end_and_play() {
    if std::env::var_os("LOPHOC_LONG").is_none() {
        println!("SKIPPED: a scenario with figures; LOPHOC_LONG=1 plays it");
        return;
    }
    let mut class = Class::new().await;
    class.begin().await;
    let length = 180 * MINUTE;
    let folder = class.folder().join("recordings").join(ID);
    recorded(&class, length, None).await;
    // Not ended yet: what was recorded is mixed beside the class.
    let journal = std::fs::read(folder.join("journal.jsonl")).unwrap();
    let last = journal[..journal.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    std::fs::write(folder.join("journal.jsonl"), &journal[..=last]).unwrap();
    let timeline = Timeline::read(&journal[..=last]).unwrap();
    assert!(timeline.ended.is_none());
    let begun = Instant::now();
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let len = std::fs::metadata(folder.join("sound.webm")).map_or(0, |meta| meta.len());
        if len > 0 && len == before {
            break;
        }
        before = len;
        assert!(
            begun.elapsed() < Duration::from_secs(900),
            "the mix does not come to its end"
        );
    }
    println!(
        "mixed beside the class: {:.1} s for 3 h",
        begun.elapsed().as_secs_f64()
    );
    let end = Instant::now();
    close(&folder, length);
    lophoc::recording::jobs::finished(&class.server.app, &id()).await;
    let told = loop {
        let told = class.get(&class.organiser, &path("/playback")).await.json();
        let done = class.store().recording_stages(ID).await.unwrap();
        let mixed = done
            .iter()
            .any(|(stage, state, _)| stage.as_str() == "mix" && state == "done");
        if mixed && told["sound"].is_string() {
            break class.get(&class.organiser, &path("/playback")).await.json();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    println!(
        "end → playback with all sound: {:.2} s",
        end.elapsed().as_secs_f64()
    );
    let url = told["sound"].as_str().unwrap();
    for at in [0, 5_000_000, 20_000_000] {
        let seek = Instant::now();
        let head = format!("range: bytes={at}-{}\r\n", at + 65_535);
        let part = class
            .call(Some(&class.organiser), "GET", url, &head, b"")
            .await;
        println!(
            "range at {at}: {} in {:.1} ms",
            part.status,
            seek.elapsed().as_secs_f64() * 1_000.0
        );
    }
    class.server.stop().await;
}
