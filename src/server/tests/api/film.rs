//! The film of a recording: made by the workers after its end, made anew when
//! something is cut.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lophoc_recording::manifest::sha256;
use lophoc_records::{RecordingStage, Store};
use serde_json::{Value, json};

use crate::attendance_world::{Class, MINUTE, now_ms};
use crate::moto::Moto;
use crate::recordings_keep::config_file;
use crate::recordings_world::{ID, ended_as, path, send};

#[path = "../../../recording/tests/common/mod.rs"]
pub mod media;

/// Puts what a recorder wrote into a folder.
fn record(folder: &Path) {
    let disk = media::record(&[media::Feed::picture(
        lophoc_recording::Codec::Vp8,
        500,
        media::vp8(8, "320x180"),
    )]);
    std::fs::create_dir_all(folder).unwrap();
    for (bytes, _, _, name) in disk.files.values() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    std::fs::write(folder.join("journal.jsonl"), &disk.journal).unwrap();
}

/// Waits until the film is made.
async fn rendered(class: &Class) {
    let began = Instant::now();
    loop {
        let stages = class.store().recording_stages(ID).await.unwrap();
        let render = stages
            .iter()
            .find(|(stage, ..)| *stage == RecordingStage::Render);
        match render.map(|(_, state, why)| (state.as_str(), why)) {
            Some(("done", _)) => break,
            Some(("failed" | "skipped", why)) => panic!("{why:?}"),
            _ => {}
        }
        assert!(began.elapsed() < Duration::from_secs(240), "{stages:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the film is made; where it is.
async fn film(class: &Class, out: &Path) -> PathBuf {
    rendered(class).await;
    let entries: Vec<PathBuf> = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [only] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    only.clone()
}

/// Pictures in a film.
fn frames(film: &Path) -> u32 {
    let told = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-count_packets"])
        .args(["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"])
        .arg(film)
        .output()
        .unwrap();
    String::from_utf8(told.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

async fn cut(class: &Class, cuts: Value) {
    let told = send(
        class,
        &class.trainer,
        "PUT",
        "/cuts",
        &json!({"cuts": cuts}),
    )
    .await;
    assert_eq!(told.status, 200, "{}", told.text());
}

#[tokio::test]
async fn a_film_is_made_and_made_anew_without_what_is_cut_and_goes_on_where_it_was() {
    let mut class = Class::with_config(|_| {}, |config| config.recording.film = true).await;
    let folder = ended_as(&mut class, record).await;
    let out = folder.join("out");
    let first = film(&class, &out).await;
    media::decodes(&first);
    let length = media::duration(&first).unwrap();
    assert!((8.3..8.7).contains(&length), "{length}");
    let whole = frames(&first);
    assert!((208..=217).contains(&whole), "{whole}");
    // The film counts as kept, too.
    let kept = std::fs::metadata(&first).unwrap().len();
    for left in (0..100).rev() {
        let bytes = class.store().recording(ID).await.unwrap().unwrap().bytes;
        if bytes > kept {
            break;
        }
        assert!(left > 0, "{bytes} with a film of {kept}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }

    cut(&class, json!([{"fromMs": 2_000, "toMs": 5_000}])).await;
    let second = film(&class, &out).await;
    assert_ne!(first, second, "the first is gone");
    let length = media::duration(&second).unwrap();
    assert!((5.3..5.7).contains(&length), "{length}");
    let told = class.get(&class.trainer, &path("/playback")).await.json();
    let address = told["film"].as_str().unwrap();
    assert!(address.contains(second.file_name().unwrap().to_str().unwrap()));

    // A chunk that was whole when the server stopped is not made again: it is told by
    // its pictures, which are more than it would have.
    let name = first.file_name().unwrap().to_str().unwrap();
    let work = out.join(format!("work-{name}"));
    std::fs::create_dir_all(&work).unwrap();
    std::fs::copy(&second, work.join("chunk-00000.mp4")).unwrap();
    cut(&class, json!([])).await;
    let third = film(&class, &out).await;
    assert_eq!(third, first);
    assert!(frames(&third) > whole, "{whole}");

    // It is told with its hash, and is in a copy of everything.
    let told = class.get(&class.organiser, &path("")).await.json();
    let bytes = std::fs::read(&third).unwrap();
    assert_eq!(told["film"]["file"], name);
    assert_eq!(told["film"]["bytes"], bytes.len());
    assert_eq!(told["film"]["sha256"], sha256(&bytes));
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let settings = config_file(folder.path(), class.folder());
    let made = Command::new(env!("CARGO_BIN_EXE_lophoc"))
        .args(["backup", copy.to_str().unwrap(), "--config"])
        .arg(&settings)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let copied = copy.join("data/recordings").join(ID).join("out").join(name);
    assert!(std::fs::read(copied).unwrap() == bytes);

    // A stop waits for no film: what was begun is put back, and counts as no try.
    cut(&class, json!([{"fromMs": 1_000, "toMs": 2_000}])).await;
    let began = Instant::now();
    let runs = |work: &Path| {
        let name = work.file_name()?.to_str()?;
        (name.starts_with("work-") && work.join("said").exists()).then_some(())
    };
    while !std::fs::read_dir(&out)
        .unwrap()
        .any(|entry| runs(&entry.unwrap().path()).is_some())
    {
        assert!(began.elapsed() < Duration::from_secs(60), "no film begins");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let database = class.folder().join("lophoc.db");
    class.server.stop().await;
    let store = Store::open(&database).await.unwrap();
    let stages = store.recording_stages(ID).await.unwrap();
    let of_film = stages
        .iter()
        .find(|(stage, ..)| *stage == RecordingStage::Render)
        .unwrap();
    assert_eq!(of_film.1, "waiting", "{stages:?}");
}

#[tokio::test]
async fn a_film_lies_in_the_storage_and_goes_from_there_when_something_is_cut() {
    let Some(moto) = Moto::start().await else {
        return;
    };
    let set = |config: &mut lophoc::config::Config| {
        config.recording.film = true;
        moto.set(config);
    };
    let mut class = Class::with_config(|_| {}, set).await;
    let folder = ended_as(&mut class, record).await;
    let out = folder.join("out");
    let told = async || {
        let detail = class.get(&class.organiser, &path("")).await.json();
        let film = |name: &str| detail["film"][name].as_str().unwrap().to_owned();
        (film("file"), film("sha256"))
    };
    let sent = async || {
        let told = class.get(&class.organiser, &path("/playback")).await.json();
        let url = told["film"].as_str().unwrap().to_owned();
        let head = "range: bytes=4-7\r\n";
        let part = class
            .call(Some(&class.organiser), "GET", &url, head, b"")
            .await;
        assert_eq!((part.status, part.body.as_slice()), (206, &b"ftyp"[..]));
        class.get(&class.organiser, &url).await.body
    };
    rendered(&class).await;
    let (first, hash) = told().await;
    assert!(!out.join(&first).exists(), "it is in the storage alone");
    assert!(moto.names().await.contains(&first));
    assert_eq!(sha256(&sent().await), hash);
    let kept = class.store().recording(ID).await.unwrap().unwrap().bytes;
    assert!(kept > sent().await.len() as u64, "{kept}");

    // One that was changed there is made anew.
    let listed = moto.names().await;
    let key = listed
        .split("<Key>")
        .filter_map(|rest| rest.split_once("</Key>"))
        .find(|(key, _)| key.ends_with(&first))
        .unwrap()
        .0;
    moto.send("PUT", &format!("/bucket/{key}"), b"another")
        .await;
    let month = 31 * 24 * 60 * MINUTE;
    lophoc::recording::retention::look(&class.server.app, now_ms() + month)
        .await
        .unwrap();
    rendered(&class).await;
    assert_eq!(told().await.0, first);
    assert_eq!(sha256(&sent().await), told().await.1);

    // Nobody waits for the next one: that of before is gone from everywhere.
    let gone = async |film: &str| {
        assert!(!moto.names().await.contains(film), "in the storage");
        assert!(!out.join(film).exists() && !out.join(format!("work-{film}")).exists());
        let objects = class.store().recording_objects(ID).await.unwrap();
        assert!(objects.iter().all(|object| !object.file.contains(film)));
    };
    cut(&class, json!([{"fromMs": 2_000, "toMs": 5_000}])).await;
    gone(&first).await;
    rendered(&class).await;
    let (second, _) = told().await;
    assert_ne!(first, second);
    let form = json!({"person": "co"});
    let taken = send(&class, &class.organiser, "POST", "/withdraw", &form).await;
    assert_eq!(taken.status, 204, "{}", taken.text());
    gone(&second).await;
    rendered(&class).await;
    assert!(moto.names().await.contains(&told().await.0));
    class.server.stop().await;
}

#[tokio::test]
async fn a_film_damaged_in_one_place_is_put_right_from_the_other() {
    let Some(moto) = Moto::start().await else {
        return;
    };
    let set = |config: &mut lophoc::config::Config| {
        config.recording.film = true;
        moto.set(config);
        config.storage.keep_local = true;
    };
    let mut class = Class::with_config(|_| {}, set).await;
    let out = ended_as(&mut class, record).await.join("out");
    let here = film(&class, &out).await;
    let whole = std::fs::read(&here).unwrap();
    let app = &class.server.app;
    let month = 31 * 24 * 60 * MINUTE;
    let look = async |at| lophoc::recording::retention::look(app, at).await.unwrap();

    std::fs::write(&here, b"another").unwrap();
    look(now_ms() + month).await;
    assert!(std::fs::read(&here).unwrap() == whole, "from the storage");

    let listed = moto.names().await;
    let name = here.file_name().unwrap().to_str().unwrap();
    let key = listed
        .split("<Key>")
        .filter_map(|rest| rest.split_once("</Key>"))
        .find(|(key, _)| key.ends_with(name))
        .unwrap()
        .0;
    moto.send("PUT", &format!("/bucket/{key}"), b"another")
        .await;
    let made = std::fs::metadata(&here).unwrap().modified().unwrap();
    look(now_ms() + 2 * month).await;
    rendered(&class).await;
    assert_eq!(
        std::fs::metadata(&here).unwrap().modified().unwrap(),
        made,
        "sent again, not made again"
    );
    std::fs::remove_file(&here).unwrap();
    let told = class.get(&class.organiser, &path("/playback")).await.json();
    let url = told["film"].as_str().unwrap();
    let sent = class.get(&class.organiser, url).await.body;
    assert!(sent == whole, "the storage has it whole");
    class.server.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_storage_that_does_not_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
            let _ = asked.send(());
        }
    });
    let set = |config: &mut lophoc::config::Config| {
        config.recording.film = false;
        config.storage.kind = lophoc::config::StorageKind::S3;
        config.storage.endpoint = format!("http://127.0.0.1:{port}");
        config.storage.bucket = "bucket".to_owned();
        config.storage.access_key = "key".to_owned();
        config.storage.secret_key = "secret".to_owned();
    };
    let mut class = Class::with_config(|_| {}, set).await;
    ended_as(&mut class, record).await;
    was_asked.recv().await.unwrap();
    let upload = async |store: &Store| {
        let stages = store.recording_stages(ID).await.unwrap();
        let of = stages.into_iter();
        of.filter(|(stage, ..)| *stage == RecordingStage::Upload)
            .map(|(_, state, _)| state)
            .next()
            .unwrap()
    };
    let began = Instant::now();
    while upload(class.store()).await != "running" {
        assert!(began.elapsed() < Duration::from_secs(60), "no upload");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let database = class.folder().join("lophoc.db");
    class.server.stop().await;
    let store = Store::open(&database).await.unwrap();
    assert_eq!(upload(&store).await, "waiting", "put back, not cut off");
}
