//! What the server makes of recordings that go wrong, with a recorder that answers as
//! a test wants it to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lophoc::Server;
use lophoc_classes::RecordingState;
use lophoc_media::types::RoomKey;
use lophoc_protocol::recording::{RecordConsent, RecordWhom};
use lophoc_protocol::{RecordingId, RoomId};
use lophoc_records::NewRecording;
use lophoc_room::{RecordCommand, RecordStart, RecordWho, RecordingWords};

use crate::attendance_world::{Class, now_ms};
use crate::recordings_world::{ID, recorded};

/// Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(40);
const OTHER: &str = "01JD0000000000000000000002";
const GONE: &str = "01JD0000000000000000000003";

/// A recorder that writes down its orders, ends what it is to make whole or to stop,
/// and does `begun` when it is to begin something: `$n` counts that, `$id` is which.
fn recorder(folder: &Path, begun: &str) -> (PathBuf, PathBuf) {
    let (program, orders) = (folder.join("recorder"), folder.join("orders"));
    let text = format!(
        r#"#!/bin/sh
echo '{{"is":"ready","version":1}}'
(while echo '{{"is":"status","list":[]}}'; do sleep 1; done) &
beat=$!
trap 'kill $beat' EXIT
n=0
while read -r line; do
  printf '%s\n' "$line" >> '{orders}'
  id=$(printf '%s' "$line" | sed 's/.*"recording":"\([^"]*\)".*/\1/')
  case "$line" in
    *'"do":"repair"'*|*'"do":"stop"'*)
      echo '{{"is":"ended","recording":"'"$id"'","why":"repaired","atMs":60000,"clean":true}}' ;;
    *'"do":"begin"'*)
      n=$((n + 1))
      {begun} ;;
  esac
done
"#,
        orders = orders.display(),
    );
    // Another test that starts a program at this moment must not hold it open.
    let draft = folder.join("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy(&draft, &program).unwrap();
    std::fs::write(&orders, "").unwrap();
    (program, orders)
}

/// The class on a server that was started anew with this recorder, and where that
/// writes its orders.
async fn with_recorder(mut class: Class, begun: &str) -> (Class, PathBuf) {
    let config = class.server.app.config.clone();
    let (program, orders) = recorder(class.folder(), begun);
    class.server.stop().await;
    let fresh = Server::start_with(config, Some(program));
    class.server = fresh.await.unwrap();
    (class, orders)
}

/// As a room that is in memory says it.
fn room(class: &Class) -> RoomId {
    let room = RoomId::from("r-of-a-test");
    let recorders = &class.server.app.routes.recorders;
    recorders.room_open(&room, 1, RoomKey(77_001), &class.session);
    room
}

fn start(class: &Class, room: &RoomId, id: &str, again: bool) {
    let start = RecordStart {
        id: RecordingId(id.to_owned()),
        since_ms: now_ms(),
        again,
        paused: false,
        words: RecordingWords {
            who: "Sở".to_owned(),
            why: String::new(),
            keep: String::new(),
        },
        whom: RecordWhom::All,
        ask: RecordConsent::Notice,
        by: None,
        who: RecordWho::default(),
    };
    let recorders = &class.server.app.routes.recorders;
    recorders.carry(room, 1, RecordCommand::Start(Box::new(start)));
}

fn stop(class: &Class, room: &RoomId, id: &str) {
    let id = RecordingId(id.to_owned());
    let recorders = &class.server.app.routes.recorders;
    recorders.carry(room, 1, RecordCommand::Stop { id });
}

async fn row(class: &Class, id: &str) {
    let new = NewRecording {
        id: id.to_owned(),
        session: class.session.clone(),
        by: None,
        started_ms: class.began,
    };
    class.store().begin_recording(&new).await.unwrap();
}

async fn goes_on(class: &Class, id: &str) -> bool {
    let row = class.store().recording(id).await.unwrap();
    row.is_some_and(|row| row.state == RecordingState::Recording)
}

async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let since = Instant::now();
    while !so().await {
        assert!(since.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn told(orders: &Path, what: &str, id: &str) -> usize {
    let orders = std::fs::read_to_string(orders).unwrap();
    let is = |line: &&str| line.contains(&format!(r#""do":"{what}""#)) && line.contains(id);
    orders.lines().filter(is).count()
}

#[tokio::test]
async fn rows_nobody_records_are_ended_and_what_has_files_is_made_whole_first() {
    let mut class = Class::new().await;
    class.begin().await;
    // Of one there are files, of the other nothing at all; neither has a marker.
    recorded(&class, 60_000, None).await;
    row(&class, OTHER).await;
    assert!(goes_on(&class, ID).await && goes_on(&class, OTHER).await);
    let (class, orders) = with_recorder(class, ":").await;
    // A room goes on with a recording that was finished meanwhile: it is told, and
    // the rows are looked at.
    let room = room(&class);
    start(&class, &room, GONE, true);
    until("both are ended", async || {
        !goes_on(&class, ID).await && !goes_on(&class, OTHER).await
    })
    .await;
    assert_eq!(told(&orders, "repair", ID), 1);
    assert_eq!(told(&orders, "repair", OTHER), 0);
    assert_eq!(told(&orders, "begin", ""), 0);
    assert!(class.store().recording(GONE).await.unwrap().is_none());
    class.server.stop().await;
}

#[tokio::test]
async fn what_is_stopped_while_it_is_being_begun_ends_and_leaves_nothing_that_goes_on() {
    let mut class = Class::new().await;
    class.begin().await;
    let (class, _) = with_recorder(class, ":").await;
    let room = room(&class);
    let folder = class.folder().join("recordings");
    let ids: Vec<String> = (0..12)
        .map(|n| format!("01JD00000000000000000001{n:02}"))
        .collect();
    for (id, n) in ids.iter().zip(0_u32..) {
        start(&class, &room, id, false);
        // The hub hears of both at once, or of the end while it makes the folder.
        for _ in 0..n {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        stop(&class, &room, id);
    }
    // One that is begun after them and runs: the hub is through with the others.
    start(&class, &room, OTHER, false);
    until("the last one is there", async || {
        goes_on(&class, OTHER).await
    })
    .await;
    until("none of the others goes on", async || {
        for id in &ids {
            if goes_on(&class, id).await || folder.join(id).join("room.json").exists() {
                return false;
            }
        }
        true
    })
    .await;
    // And it stays so, whatever was under way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for id in &ids {
        assert!(!goes_on(&class, id).await, "{id}");
        assert!(!folder.join(id).join("room.json").exists(), "{id}");
    }
    class.server.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_in_the_recorder_is_begun_again() {
    let mut class = Class::new().await;
    class.begin().await;
    // It fails, then lays it aside though nobody asked, then dies, then goes on.
    let began = class.folder().join("began");
    let begun = format!(
        r#"printf x >> '{0}'
      case $(wc -c < '{0}') in
        1) echo '{{"is":"failed","recording":"'"$id"'","why":"a test"}}' ;;
        2) echo '{{"is":"suspended","recording":"'"$id"'"}}' ;;
        3) exit 1 ;;
        *) echo '{{"is":"capturing","recording":"'"$id"'"}}' ;;
      esac"#,
        began.display()
    );
    let (class, orders) = with_recorder(class, &begun).await;
    let room = room(&class);
    start(&class, &room, OTHER, false);
    until("it is begun a fourth time", async || {
        told(&orders, "begin", OTHER) == 4
    })
    .await;
    assert!(goes_on(&class, OTHER).await);
    // And ended once it is over.
    stop(&class, &room, OTHER);
    until("it is ended", async || !goes_on(&class, OTHER).await).await;
    assert_eq!(told(&orders, "stop", OTHER), 1);
    assert_eq!(told(&orders, "begin", OTHER), 4);
    class.server.stop().await;
}
