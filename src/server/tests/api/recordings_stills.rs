//! Small pictures of a recording: a poster and those of the time line, for those who
//! may watch it, of nothing that is cut and of nobody who is left out.

use std::path::Path;
use std::time::{Duration, Instant};

use lophoc::Server;
use lophoc_records::RecordingStage;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::attendance_world::{Class, MINUTE};
use crate::film::media;
use crate::moto::Moto;
use crate::recordings_world::{ID, ended_as, path, send};

/// Fifteen seconds of red, then fifteen of blue.
fn record(folder: &Path) {
    let source = |colour: &str| format!("color={colour}:size=320x180:rate=25:duration=15");
    let ivf = media::ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        &source("red"),
        "-f",
        "lavfi",
        "-i",
        &source("blue"),
        "-filter_complex",
        "[0][1]concat=n=2",
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "50",
        "-f",
        "ivf",
        "-",
    ]);
    let disk = media::record(&[media::Feed::picture(
        lophoc_recording::Codec::Vp8,
        0,
        media::ivf_frames(&ivf),
    )]);
    std::fs::create_dir_all(folder).unwrap();
    for (bytes, _, _, name) in disk.files.values() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    std::fs::write(folder.join("journal.jsonl"), &disk.journal).unwrap();
}

/// Waits until the small pictures are made; how it ended.
async fn made(class: &Class) -> (String, Option<String>) {
    ended(class, RecordingStage::Pictures).await
}

/// Waits until a stage is over; how it ended.
async fn ended(class: &Class, which: RecordingStage) -> (String, Option<String>) {
    let began = Instant::now();
    loop {
        let stages = class.store().recording_stages(ID).await.unwrap();
        let stage = stages.iter().find(|(stage, ..)| *stage == which);
        let end = stage.map(|(_, state, why)| (state.as_str(), why.clone()));
        if let Some((state @ ("done" | "skipped" | "failed"), why)) = end {
            return (state.to_owned(), why);
        }
        assert!(began.elapsed() < Duration::from_secs(240), "{stages:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn done(class: &Class) {
    let end = made(class).await;
    assert_eq!(end.0, "done", "{:?}", end.1);
}

async fn playback(class: &Class) -> Value {
    let answer = class.get(&class.trainer, &path("/playback")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The colours in the middle of the first three places of a strip.
fn colours(folder: &Path, strip: &[u8]) -> Vec<&'static str> {
    let file = folder.join("strip.webp");
    std::fs::write(&file, strip).unwrap();
    let raw = media::ffmpeg(&[
        "-i",
        file.to_str().unwrap(),
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "-",
    ]);
    std::fs::remove_file(file).unwrap();
    (0..3)
        .map(|cell| {
            let at = (45 * 800 + cell * 160 + 80) * 3;
            match &raw[at..at + 3] {
                [r, g, b] if *r > 150 && *g < 100 && *b < 100 => "red",
                [r, g, b] if *b > 150 && *r < 100 && *g < 100 => "blue",
                [r, g, b] if *r < 60 && *g < 60 && *b < 60 => "none",
                _ => "another",
            }
        })
        .collect()
}

/// Names of files of small pictures.
fn files(out: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(out)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

async fn cut(class: &Class, cuts: Value) {
    let body = json!({ "cuts": cuts });
    let told = send(class, &class.trainer, "PUT", "/cuts", &body).await;
    assert_eq!(told.status, 200, "{}", told.text());
}

#[tokio::test]
async fn small_pictures_are_of_what_is_shown_and_for_those_who_may_watch_it() {
    let mut class = Class::with_config(|_| {}, |config| config.recording.pictures = true).await;
    let folder = ended_as(&mut class, record).await;
    done(&class).await;

    let told = playback(&class).await;
    let pictures = &told["pictures"];
    assert_eq!(
        pictures["tiles"],
        json!([[5_000, 0], [15_000, 1], [25_000, 2]])
    );
    assert_eq!(pictures["everyMs"], 10_000);
    let poster = pictures["poster"].as_str().unwrap().to_owned();
    let strip = pictures["strips"][0].as_str().unwrap().to_owned();
    assert_eq!(pictures["strips"].as_array().unwrap().len(), 1);
    let answer = class.get(&class.trainer, &poster).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("image/webp"), "{}", answer.head);
    let bytes = class.get(&class.trainer, &strip).await.body;
    let seen = colours(class.folder(), &bytes);
    assert_eq!((seen[0], seen[2]), ("red", "blue"));

    // In the list for who may watch it, and for nobody else at any address.
    let list = class.get(&class.trainer, "/api/v1/recordings").await.json();
    let listed = list["items"][0]["poster"].as_str().unwrap().to_owned();
    assert_eq!(class.get(&class.trainer, &listed).await.status, 200);
    // A list read anew names the same address, and it is not sent again.
    let list = class.get(&class.trainer, "/api/v1/recordings").await.json();
    let path_of = |url: &str| url.split('?').next().unwrap().to_owned();
    let again = list["items"][0]["poster"].as_str().unwrap();
    assert_eq!(path_of(again), path_of(&listed));
    let hours = |url: &str| {
        let end = url.split("e=").nth(1).unwrap().split('&').next().unwrap();
        end.parse::<u64>().unwrap() % (60 * MINUTE)
    };
    assert_eq!((hours(again), hours(&listed)), (0, 0));
    let tag = again.rsplit("s=").next().unwrap();
    let known = format!("if-none-match: \"{tag}\"\r\n");
    let not_again = class
        .call(Some(&class.trainer), "GET", again, &known, b"")
        .await;
    assert_eq!((not_again.status, not_again.body.len()), (304, 0));
    let another = class
        .call(
            Some(&class.trainer),
            "GET",
            again,
            "if-none-match: \"x\"\r\n",
            b"",
        )
        .await;
    assert_eq!(another.status, 200);
    let learner = class.learners[0].clone();
    let list = class.get(&learner, "/api/v1/recordings").await.json();
    assert_eq!(list["items"], json!([]));
    for url in [&poster, &strip, &listed] {
        assert_eq!(class.get(&learner, url).await.status, 403);
        assert_eq!(class.raw("GET", url, "", b"").await.status, 403);
        let other = url
            .replace("poster-", "pictures-")
            .replace("strip-", "film-");
        assert_eq!(class.get(&class.trainer, &other).await.status, 403);
    }

    // They count as kept.
    let out = folder.join("out");
    let sizes = files(&out)
        .iter()
        .map(|name| std::fs::metadata(out.join(name)).unwrap().len())
        .sum::<u64>();
    let media = std::fs::metadata(folder.join("0001.webm")).unwrap().len();
    let bytes = class.store().recording(ID).await.unwrap().unwrap().bytes;
    assert!(bytes >= sizes + media, "{bytes} of {sizes} and {media}");

    // All of the blue is cut out: it is on none of them any more.
    let before = files(&out);
    assert_eq!(before.len(), 3, "{before:?}");
    cut(&class, json!([{"fromMs": 13_000, "toMs": 30_000}])).await;
    // Nobody waits for the next ones: those of before are gone.
    let left = files(&out);
    assert!(!before.iter().any(|name| left.contains(name)), "{left:?}");
    for url in [&poster, &strip, &listed] {
        assert_eq!(class.get(&class.trainer, url).await.status, 403);
    }
    done(&class).await;
    let after = files(&out);
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(after.iter().all(|name| !before.contains(name)));
    let told = playback(&class).await;
    assert_eq!(told["pictures"]["tiles"], json!([[5_000, 0], [11_500, 1]]));
    let strip = told["pictures"]["strips"][0].as_str().unwrap().to_owned();
    let bytes = class.get(&class.trainer, &strip).await.body;
    assert_eq!(colours(class.folder(), &bytes), ["red", "red", "none"]);

    // A strip that was whole when the server stopped is not made again: it is told by
    // what is on it.
    let mark = before[0]
        .strip_prefix("pictures-")
        .and_then(|rest| rest.strip_suffix(".json"))
        .unwrap()
        .to_owned();
    let work = out.join(format!("stills-{mark}"));
    std::fs::create_dir_all(&work).unwrap();
    let name = format!("strip-{mark}-0.webp");
    std::fs::write(work.join(&name), &bytes).unwrap();
    std::fs::write(work.join(format!("{name}.json")), b"[true,true,true]").unwrap();
    cut(&class, json!([])).await;
    done(&class).await;
    let told = playback(&class).await;
    let strip = told["pictures"]["strips"][0].as_str().unwrap().to_owned();
    let again = class.get(&class.trainer, &strip).await.body;
    assert_eq!(again, bytes);
    assert!(!work.exists());

    // Whose picture it is takes it back: there is none of him.
    let person = json!({"person": "co"});
    let answer = send(&class, &class.organiser, "POST", "/withdraw", &person).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let gone = files(&out);
    assert!(!gone.iter().any(|name| name.ends_with(".webp")), "{gone:?}");
    assert_eq!(class.get(&class.trainer, &strip).await.status, 403);
    let list = class.get(&class.trainer, "/api/v1/recordings").await.json();
    assert_eq!(list["items"][0]["poster"], Value::Null);
    let end = made(&class).await;
    assert_eq!(end, ("skipped".to_owned(), Some("empty".to_owned())));
    assert_eq!(playback(&class).await["pictures"], Value::Null);
    assert_eq!(files(&out), [] as [String; 0]);
    class.server.stop().await;
}

#[tokio::test]
async fn small_pictures_are_made_of_files_that_are_in_the_storage_alone_and_stay_here() {
    let Some(moto) = Moto::start().await else {
        return;
    };
    let set = |config: &mut lophoc::config::Config| {
        config.recording.pictures = true;
        moto.set(config);
    };
    let mut class = Class::with_config(|_| {}, set).await;
    let folder = ended_as(&mut class, record).await;
    let out = folder.join("out");
    ended(&class, RecordingStage::Render).await;
    assert!(!folder.join("0001.webm").exists(), "it is there alone");
    let before = files(&out);
    assert_eq!(before.len(), 3, "{before:?}");

    cut(&class, json!([{"fromMs": 13_000, "toMs": 30_000}])).await;
    done(&class).await;
    let told = playback(&class).await;
    let strip = told["pictures"]["strips"][0].as_str().unwrap();
    let bytes = class.get(&class.trainer, strip).await.body;
    assert_eq!(colours(class.folder(), &bytes), ["red", "red", "none"]);
    let after = files(&out);
    assert!(after.iter().all(|name| !before.contains(name)), "{after:?}");
    ended(&class, RecordingStage::Render).await;
    assert!(!folder.join("0001.webm").exists(), "and is not brought");
    assert_eq!(files(&out), after);
    let names = moto.names().await;
    assert!(
        !names.contains("strip-") && !names.contains("poster-"),
        "{names}"
    );
    class.server.stop().await;
}

#[tokio::test]
async fn a_cut_while_small_pictures_are_made_leaves_none_of_before() {
    let mut class = Class::with_config(|_| {}, |config| config.recording.pictures = true).await;
    let folder = ended_as(&mut class, record).await;
    // However far each of them came: the last counts.
    for wait in [0, 40, 150, 400, 900] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        cut(&class, json!([{"fromMs": 13_000 + wait, "toMs": 30_000}])).await;
    }
    done(&class).await;
    let told = playback(&class).await;
    let poster = told["pictures"]["poster"].as_str().unwrap();
    let name = poster
        .split(['/', '?'])
        .find(|part| part.starts_with("poster-"));
    let mark = name
        .unwrap()
        .trim_start_matches("poster-")
        .trim_end_matches(".webp");
    let all = files(&folder.join("out"));
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().all(|name| name.contains(mark)), "{all:?}");
    let list = class.get(&class.trainer, "/api/v1/recordings").await.json();
    assert!(list["items"][0]["poster"].as_str().unwrap().contains(mark));
    class.server.stop().await;
}

/// The first column of all rows.
async fn column(database: &mut SqliteConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(database).await.unwrap()
}

/// Makes a database what it was before the migration that brought small pictures: the
/// schema by all migrations before it, with the rows that are there.
async fn before_pictures(database: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../records/migrations/sqlite");
    let steps = folder.path().join("migrations");
    std::fs::create_dir(&steps).unwrap();
    for entry in std::fs::read_dir(sources).unwrap() {
        let (path, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name().into_string().unwrap())
        };
        if name.as_str() < "0024" {
            std::fs::copy(path, steps.join(name)).unwrap();
        }
    }
    let old = folder.path().join("old.db");
    let options = SqliteConnectOptions::new()
        .filename(&old)
        .create_if_missing(true)
        .foreign_keys(false);
    let mut made = options.connect().await.unwrap();
    let steps = Migrator::new(steps.as_path()).await.unwrap();
    steps.run(&mut made).await.unwrap();
    sqlx::query("ATTACH $1 AS now")
        .bind(database.to_str().unwrap())
        .execute(&mut made)
        .await
        .unwrap();
    let tables = "SELECT name FROM main.sqlite_master WHERE type = 'table'
         AND name NOT LIKE 'sqlite%' AND substr(name, 1, 5) <> '_sqlx'";
    for table in column(&mut made, tables).await {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = column(&mut made, &sql).await;
        let of = |name: &String| {
            match (table.as_str(), name.as_str()) {
                ("recording_job", "step") => "CASE WHEN step > 3 THEN step - 1 ELSE step END",
                (_, name) => name,
            }
            .to_owned()
        };
        let read: Vec<String> = columns.iter().map(of).collect();
        let rest = match table.as_str() {
            "recording_job" => "WHERE stage <> 'pictures'",
            _ => "",
        };
        let sql = format!(
            "INSERT OR REPLACE INTO main.{table} ({}) SELECT {} FROM now.{table} {rest}",
            columns.join(", "),
            read.join(", ")
        );
        sqlx::query(&sql).execute(&mut made).await.unwrap();
    }
    let sql = "SELECT name FROM pragma_table_info('recording') WHERE name = 'pictures'";
    assert_eq!(column(&mut made, sql).await, [] as [String; 0]);
    let sql = "SELECT stage FROM recording_job WHERE recording = 'ID' ORDER BY step";
    let stages = column(&mut made, &sql.replace("ID", ID)).await;
    assert!(stages.len() > 4 && !stages.contains(&"pictures".to_owned()));
    made.close().await.unwrap();
    for end in ["-wal", "-shm"] {
        // Where the last one who closed it took them along.
        let _ = std::fs::remove_file(format!("{}{end}", database.display()));
    }
    std::fs::copy(old, database).unwrap();
}

#[tokio::test]
async fn recordings_of_before_there_were_small_pictures_get_theirs_after_an_upgrade() {
    let mut class = Class::with_config(|_| {}, |config| config.recording.pictures = true).await;
    let folder = ended_as(&mut class, record).await;
    ended(&class, RecordingStage::Render).await;
    done(&class).await;
    let of = async |class: &Class| {
        let stages = class.store().recording_stages(ID).await.unwrap();
        let told = |(stage, state, _): (RecordingStage, String, _)| (stage.as_str(), state);
        let list: Vec<(&str, String)> = stages.into_iter().map(told).collect();
        list
    };
    let before = of(&class).await;
    let config = class.server.app.config.clone();
    let database = class.folder().join("lophoc.db");
    class.server.stop().await;
    let out = folder.join("out");
    let small = |name: &String| {
        let kinds = ["poster-", "strip-", "pictures-"];
        kinds.iter().any(|kind| name.starts_with(kind))
    };
    for name in files(&out).iter().filter(|name| small(name)) {
        std::fs::remove_file(out.join(name)).unwrap();
    }
    before_pictures(&database).await;

    class.server = Server::start(config).await.unwrap();
    done(&class).await;
    let told = playback(&class).await;
    assert_eq!(told["pictures"]["tiles"].as_array().unwrap().len(), 3);
    let strip = told["pictures"]["strips"][0].as_str().unwrap();
    let bytes = class.get(&class.trainer, strip).await.body;
    let seen = colours(class.folder(), &bytes);
    assert_eq!((seen[0], seen[2]), ("red", "blue"));
    let list = class.get(&class.trainer, "/api/v1/recordings").await.json();
    let poster = list["items"][0]["poster"].as_str().unwrap();
    assert_eq!(class.get(&class.trainer, poster).await.status, 200);
    // The other work on it stays as it was, in its order, and is not done again.
    assert_eq!(of(&class).await, before);
    class.server.stop().await;
}
