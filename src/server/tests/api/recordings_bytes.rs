//! Bytes of recordings on their way: how many calls an address has, what becomes of a
//! stream when it is withdrawn, of a class that is destroyed, and who trims.

use lophoc::recording::{Viewer, may_watch};
use lophoc_classes::{NewStaff, StaffRole, StepRequest};
use lophoc_records::StoreError;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::attendance_world::{Class, MINUTE, now_ms};
use crate::recordings_world::{ID, Made, path, recorded, recorded_as, send, worked};

async fn released(class: &Class) {
    let to = json!({"to": "published"});
    let answer = send(class, &class.organiser, "POST", "/state", &to).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn camera(class: &Class, who: &lophoc_ledger::PersonKey) -> String {
    let told = class.get(who, &path("/playback")).await.json();
    told["tracks"][0]["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_address_has_so_many_calls_for_bytes_and_no_more() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let url = camera(&class, &class.organiser).await;
    assert_eq!(class.get(&class.organiser, &url).await.status, 200);
    // Whatever it has left is used up, for the next minute as well.
    let app = &class.server.app;
    let soon = app.clock.now().mono_ms + MINUTE;
    let mut taken = 0;
    while app.keep.rate.take("127.0.0.1".parse().unwrap(), soon) {
        taken += 1;
    }
    assert!(taken >= 1_900, "a class behind one address: {taken}");
    let limited = || app.metrics.limited.get();
    let before = limited();
    assert_eq!(class.get(&class.organiser, &url).await.status, 429);
    assert_eq!(limited(), before + 1);
    // What is no call for bytes goes on.
    assert_eq!(class.get(&class.organiser, &path("")).await.status, 200);
    class.server.stop().await;
}

#[tokio::test]
async fn a_stream_under_way_ends_when_it_is_withdrawn() {
    let mut class = Class::new().await;
    class.begin().await;
    let made = Made {
        trainer: &class.trainer,
        learner: &class.learners[0],
        never: &[],
        began_ms: class.began,
        length_ms: MINUTE,
        size: 40_000,
        pause: None,
        loud: false,
    };
    recorded_as(&class, &made).await;
    worked(&class).await;
    let url = camera(&class, &class.organiser).await;
    let whole = class.get(&class.organiser, &url).await.body.len();
    assert!(whole > 50_000_000, "{whole}");

    // A reader that takes little at a time: most of it is not sent yet.
    let address = class.server.addresses()[0];
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let cookie = format!("secret-of-{}", class.organiser);
    let call = format!(
        "GET {url} HTTP/1.1\r\nhost: {address}\r\ncookie: lophoc={cookie}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut first = vec![0; 100_000];
    stream.read_exact(&mut first).await.unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"));
    let cut = json!({"cuts": [{"fromMs": 0, "toMs": 5_000}]});
    let edited = send(&class, &class.organiser, "PUT", "/cuts", &cut).await;
    assert_eq!(edited.status, 200, "{}", edited.text());
    let mut rest = Vec::new();
    // Ended with an error or without: it is not whole.
    let _ = stream.read_to_end(&mut rest).await;
    let got = first.len() + rest.len();
    // What was looked at before, and what lay in sockets.
    assert!(got < whole / 2, "{got} of {whole}");
    class.server.stop().await;
}

#[tokio::test]
async fn the_recordings_of_a_destroyed_class_are_gone_with_it() {
    let class = Class::held().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    released(&class).await;
    let url = camera(&class, &class.organiser).await;
    assert_eq!(class.get(&class.organiser, &url).await.status, 200);
    let frozen = class
        .post(&class.organiser, &class.at("freeze"), &json!({}))
        .await;
    assert_eq!(frozen.status, 200, "{}", frozen.text());
    let years = 3 * 366 * 24 * 60 * MINUTE;
    let step = async |name: &str, at: u64| {
        let request: StepRequest =
            serde_json::from_value(json!({"step": name, "document": "12/QĐ-SGDĐT"})).unwrap();
        let store = class.store();
        store
            .step_class(&class.class, &request, &class.organiser, at)
            .await
    };
    for name in ["submit", "approve", "prepare", "open", "announce"] {
        // As far as it is already.
        match step(name, now_ms()).await {
            Ok(_) | Err(StoreError::Refused(_)) => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
    for name in ["finish", "grade", "publish", "openMaterials"] {
        step(name, now_ms()).await.unwrap();
    }
    step("archive", now_ms() + years).await.unwrap();
    assert_eq!(class.get(&class.organiser, &url).await.status, 200);
    let before = class.store().recording(ID).await.unwrap().unwrap();
    let organiser = Viewer::Person(class.organiser.clone());
    let app = &class.server.app;
    assert!(may_watch(app, &organiser, &before, now_ms()).await.unwrap());
    step("destroy", now_ms() + years).await.unwrap();
    // Of a class destroyed when recordings did not go with it nothing is shown either.
    assert!(!may_watch(app, &organiser, &before, now_ms()).await.unwrap());

    assert_eq!(class.get(&class.organiser, &url).await.status, 403);
    let told = class.get(&class.organiser, &path("")).await.json();
    assert_eq!(
        (&told["state"], &told["canWatch"]),
        (&json!("deleted"), &json!(false)),
        "{told}"
    );
    assert_eq!(told["disposal"]["reason"], "12/QĐ-SGDĐT");
    assert_eq!(
        class.get(&class.organiser, &path("/playback")).await.status,
        403
    );
    let folder = class.folder().join("recordings").join(ID);
    let week = 8 * 24 * 60 * MINUTE;
    lophoc::recording::retention::purge(&class.server.app, now_ms() + years + week)
        .await
        .unwrap();
    assert!(!folder.exists());
    class.server.stop().await;
}

#[tokio::test]
async fn a_content_author_trims_and_sees_nobody() {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    worked(&class).await;
    let author = class.stranger.clone();
    let new = NewStaff {
        person: author.clone(),
        role: StaffRole::ContentAuthor,
        session: None,
        instead_of: None,
        learners: Vec::new(),
    };
    class
        .store()
        .add_staff(&class.class, &new, &class.organiser, now_ms())
        .await
        .unwrap();
    let standing = class
        .store()
        .standing_in(&author, &class.session)
        .await
        .unwrap();
    assert_eq!(standing.staff, [StaffRole::ContentAuthor]);
    let told = class.get(&author, &path("")).await.json();
    assert_eq!(
        (&told["canEdit"], &told["canReview"], &told["canWatch"]),
        (&json!(true), &json!(false), &json!(true)),
        "{told}"
    );
    let cut = json!({"cuts": [{"fromMs": 0, "toMs": 5_000}]});
    let edited = send(&class, &author, "PUT", "/cuts", &cut).await;
    assert_eq!(edited.status, 200, "{}", edited.text());
    let to = json!({"to": "published"});
    assert_eq!(
        send(&class, &author, "POST", "/state", &to).await.status,
        403
    );
    assert_eq!(class.get(&author, &path("/watchers")).await.status, 403);
    let of_people = |told: &Value| {
        let count = |name: &str| told[name].as_array().unwrap().len();
        (count("log") > 0, count("segments") > 0)
    };
    let told = class.get(&author, &path("")).await.json();
    assert_eq!(of_people(&told), (false, false), "{told}");
    let told = class.get(&class.trainer, &path("")).await.json();
    assert_eq!(of_people(&told), (true, true), "{told}");
    assert_eq!(
        class.get(&class.trainer, &path("/watchers")).await.status,
        200
    );
    let attendance = class.get(&author, &class.at("attendance")).await;
    assert_eq!(attendance.status, 403);
    released(&class).await;
    assert_eq!(
        send(&class, &author, "PUT", "/cuts", &cut).await.status,
        403
    );
    class.server.stop().await;
}
