//! Slides and files: brought over HTTP, made into pages, shown, handed in, and
//! all of it again after the server was killed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lophoc_protocol::{Role, RoomMode};
use lophoc_records::MaterialState;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::crash;
use crate::world::{World, hello};

/// A PDF of pages full of text.
fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut kids = String::new();
    for number in 1..=pages {
        let mut drawing = "BT /F 15 Tf 17 TL 40 500 Td".to_owned();
        for line in 0..26 {
            write!(drawing, " (Trang {number} dong {line}: noi dung bai giang doc ro tren dien thoai nho, mang yeu) Tj T*").unwrap();
        }
        drawing.push_str(" ET");
        let page = objects.len() + 1;
        write!(kids, "{page} 0 R ").unwrap();
        objects.push(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] /Contents {} 0 R /Resources << /Font << /F 3 0 R >> >> >>", page + 1));
        objects.push(format!(
            "<< /Length {} >>\nstream\n{drawing}\nendstream",
            drawing.len()
        ));
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {pages} >>");
    let mut file = b"%PDF-1.4\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    file.extend(b"trailer\n<< /Size 9 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n");
    file
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn code(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

/// Sends a request with `len` as its length, and as much of the body as given.
async fn send(host: &str, line: &str, token: Option<&str>, body: &[u8], len: usize) -> Answer {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let bearer = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{bearer}content-length: {len}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a large body does not read it.
    let _ = stream.write_all(body).await;
    if body.len() < len {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let at = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("an answer");
    let head = String::from_utf8_lossy(&answer[..at]).to_lowercase();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: answer[at + 4..].to_vec(),
    }
}

async fn post(host: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    send(host, &format!("POST {path}"), Some(token), body, body.len()).await
}

async fn get(host: &str, path: &str) -> Answer {
    send(host, &format!("GET {path}"), None, b"", 0).await
}

/// Reads with the first of these people until a message is as wanted, while all of
/// them give signs of life as pages do: a conversion takes its time on a busy
/// machine.
async fn waits_for(people: &mut [&mut Client], wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    let mut pinged: Option<Instant> = None;
    loop {
        if pinged.is_none_or(|at| at.elapsed() > Duration::from_secs(2)) {
            for person in &mut *people {
                person.send(&json!({"t": "ping", "c": 1})).await;
            }
            pinged = Some(Instant::now());
        }
        assert!(
            began.elapsed() < Duration::from_secs(400),
            "nothing came: {:?}",
            people[0].seen
        );
        let reader = &mut people[0];
        let Ok(message) = tokio::time::timeout(Duration::from_secs(2), reader.read()).await else {
            continue;
        };
        let message = message.expect("an open link");
        if wanted(&message) {
            return message;
        }
        reader.seen.push(message);
    }
}

/// Waits until a deck is settled.
async fn settled(people: &mut [&mut Client]) -> Value {
    let told = waits_for(people, |message| {
        message["t"] == "deck"
            && ["ready", "failed"]
                .map(Value::from)
                .contains(&message["deck"]["st"]["is"])
    })
    .await;
    told["deck"].clone()
}

/// Names in the folder of files.
fn kept(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("materials"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "tmp")
        .collect();
    names.sort();
    let tmp = std::fs::read_dir(folder.join("materials/tmp")).unwrap();
    assert_eq!(tmp.count(), 0, "something is left on its way");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deck_is_brought_made_into_pages_and_shown() {
    let world = World::with(RoomMode::Training, |_| {}).await;
    let host = world.host();
    let token = world.token(Role::Trainer, "Trần Văn Dạy").await;
    let path = "/api/decks?name=B%C3%A0i%201.pdf&licence=CC%20BY&owner=S%E1%BB%9F";
    assert_eq!(
        post(&host, path, &token, &pdf(1)).await.code(),
        (403, "forbidden".into()),
        "not in the room"
    );
    let mut trainer = Client::enter(&host, &token).await;
    let mut learner = world.enter(Role::Learner, "An").await;
    let answer = post(&host, path, &token, &pdf(9)).await;
    assert_eq!(
        answer.status,
        201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let brought = answer.json()["deck"].clone();
    assert_eq!(
        (
            &brought["name"],
            &brought["licence"],
            &brought["owner"],
            &brought["review"]
        ),
        (
            &json!("Bài 1.pdf"),
            &json!("CC BY"),
            &json!("Sở"),
            &json!("draft")
        )
    );
    let first = learner.until("deck").await;
    assert_eq!(first["deck"]["st"]["is"], "queued");
    let deck = settled(&mut [&mut learner, &mut trainer]).await;
    assert_eq!(
        (&deck["st"]["is"], &deck["pages"], &deck["w"]),
        (&json!("ready"), &json!(9), &json!(960))
    );
    assert!(
        learner
            .seen
            .iter()
            .any(|m| m["deck"]["st"]["is"] == "converting"),
        "no progress was told"
    );
    // Sent again because the answer was lost.
    let again = post(&host, path, &token, &pdf(9)).await;
    assert_eq!(
        (again.status, &again.json()["deck"]["deck"]),
        (200, &deck["deck"])
    );

    let show = json!({"t": "slideShow", "deck": deck["deck"], "page": 9});
    assert_eq!(learner.outcome(show.clone()).await, "forbidden");
    assert_eq!(trainer.outcome(show).await, "ok");
    let stage = learner.until("stage").await;
    assert_eq!(stage["stage"]["page"], 9);
    let point = json!({"t": "slidePoint", "page": 9, "x": 10, "y": 20});
    assert_eq!(trainer.outcome(point).await, "ok");
    assert_eq!(learner.until("slidePoint").await["x"], 10);

    let url = deck["url"].as_str().unwrap();
    for page in 1..=9 {
        let small = get(&host, &format!("{url}/{page}/s.webp")).await;
        assert!(
            small.status == 200 && small.body.len() <= 40_000,
            "{} bytes",
            small.body.len()
        );
        println!("page {page}: {} bytes", small.body.len());
        assert_eq!(&small.body[8..12], b"WEBP");
        for wanted in [
            "content-type: image/webp",
            "cache-control: private, max-age=31536000, immutable",
            "x-content-type-options: nosniff",
            "content-security-policy: sandbox; default-src 'none'",
        ] {
            assert!(small.head.contains(wanted), "{}", small.head);
        }
    }
    let words = get(&host, &format!("{url}/9/text.json")).await.json();
    assert_eq!(
        (&words["words"][0][0], &words["words"][1][0]),
        (&json!("Trang"), &json!("9"))
    );
    for wrong in [
        format!("{url}/10/s.webp"),
        format!("{url}/0/s.webp"),
        format!("{url}/1/x.webp"),
        format!("{url}/1/..%2f..%2ffile"),
        format!("{url}/..%2f/s.webp"),
        "/s/..%2f..%2f..%2f..%2f..%2f../1/s.webp".to_owned(),
        "/s/AAAAAAAAAAAAAAAAAAAAAAAA/1/s.webp".to_owned(),
        format!("/f/{}", url.trim_start_matches("/s/")),
    ] {
        let status = get(&host, &wrong).await.status;
        assert!([400, 404].contains(&status), "{wrong}: {status}");
    }

    let set =
        json!({"t": "deckSet", "deck": deck["deck"], "review": "reviewed", "licence": "CC BY-SA"});
    assert_eq!(trainer.outcome(set).await, "ok");
    assert_eq!(
        trainer
            .outcome(json!({"t": "deckDrop", "deck": deck["deck"]}))
            .await,
        "ok"
    );
    assert_eq!(learner.until("deckGone").await["deck"], deck["deck"]);
    // The records follow, and the pages stay with them (TT 21/2017 Điều 10.8).
    let store = &world.server.app.store;
    let mut known = vec![];
    for _ in 0..100 {
        known = store
            .materials(&world.session.as_str().into())
            .await
            .unwrap();
        if known[0].dropped_ms.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(known[0].dropped_ms.is_some() && known[0].pages == 9);
    let kept = format!("materials/{}/pages/1/l.webp", known[0].key);
    assert!(world.folder().join(kept).is_file());
    // They are shown to nobody any more. The records were followed a moment ago.
    let page = format!("{url}/1/l.webp");
    let began = Instant::now();
    while get(&host, &page).await.status != 404 {
        assert!(began.elapsed() < Duration::from_secs(100), "still shown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_handed_out_and_in() {
    let world = World::with(RoomMode::Training, |config| {
        config.uploads.hand_in_mb = 1;
        config.uploads.session_mb = 3;
    })
    .await;
    let host = world.host();
    let mut tokens = vec![];
    let mut people = vec![];
    for (role, name) in [
        (Role::Trainer, "Dạy"),
        (Role::Learner, "An"),
        (Role::Learner, "Bình"),
    ] {
        let token = world.token(role, name).await;
        people.push(Client::enter(&host, &token).await);
        tokens.push(token);
    }
    let name = "name=Phi%E1%BA%BFu.html";
    let path = |way: &str| format!("/api/files?way={way}&{name}");
    let body = b"<script>alert(1)</script>";
    let refused = post(&host, &path("out"), &tokens[1], body).await;
    assert_eq!(refused.code(), (403, "forbidden".into()));
    let handed = post(&host, &path("out"), &tokens[0], body).await;
    assert_eq!(handed.status, 201);
    let told = people[2].until("file").await["file"].clone();
    assert_eq!(
        (&told["name"], &told["bytes"]),
        (&json!("Phiếu.html"), &json!(25))
    );
    let file = get(&host, told["url"].as_str().unwrap()).await;
    assert_eq!((file.status, file.body.as_slice()), (200, &body[..]));
    for wanted in [
        "content-type: application/octet-stream",
        "content-disposition: attachment; filename=\"phi_u.html\"; filename*=utf-8''phi%e1%ba%bfu.html",
        "nosniff",
        "content-security-policy: sandbox",
    ] {
        assert!(file.head.contains(wanted), "{}", file.head);
    }

    let handed = post(&host, &path("in"), &tokens[1], b"bai lam").await;
    assert_eq!(handed.status, 201);
    let work = handed.json()["file"].clone();
    assert_eq!(
        people[0].until_that(|m| m["file"]["way"] == "in").await["file"],
        work
    );
    assert_eq!(
        people[2].outcome(json!({"t": "hand", "up": true})).await,
        "ok"
    );
    assert!(
        !people[2].seen.iter().any(|m| m["file"]["way"] == "in"),
        "another learner heard of what was handed in"
    );
    let drop = json!({"t": "fileDrop", "file": work["file"]});
    assert_eq!(people[2].outcome(drop.clone()).await, "not_found");
    assert_eq!(people[1].outcome(drop).await, "ok");

    // Bounds.
    let large = vec![b'a'; 1_100_000];
    assert_eq!(
        post(&host, &path("in"), &tokens[1], &large).await.code(),
        (413, "too_large".into())
    );
    for n in 0..2 {
        let mut body = vec![b'b'; 1_000_000];
        body[0] = n;
        assert_eq!(
            post(&host, &path("in"), &tokens[1], &body).await.status,
            201
        );
    }
    // A quarter of what a session may have is not for files handed in.
    let more = vec![b'c'; 1_040_000];
    for token in &tokens[1..] {
        let full = post(&host, &path("in"), token, &more).await;
        assert_eq!(full.code(), (503, "full".into()));
    }
    assert_eq!(
        post(&host, &path("out"), &tokens[0], &more).await.status,
        201
    );
    let full = post(&host, &path("out"), &tokens[0], &[b'd'; 500_000]).await;
    assert_eq!(full.code(), (503, "full".into()));
    for (wrong, code) in [
        ("/api/files?way=up&name=a", 400),
        ("/api/files?way=out", 400),
        ("/api/files?way=out&name=%00", 400),
        ("/api/files?way=out&name=..%2f", 400),
    ] {
        assert_eq!(
            post(&host, wrong, &tokens[0], b"x").await.status,
            code,
            "{wrong}"
        );
    }
    assert_eq!(post(&host, &path("out"), &tokens[0], b"").await.status, 400);
    assert_eq!(
        post(&host, &path("out"), "nonsense", b"x").await.status,
        403
    );
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deck_that_is_taken_out_holds_up_nobody() {
    let world = World::with(RoomMode::Training, |_| {}).await;
    let host = world.host();
    let token = world.token(Role::Trainer, "Dạy").await;
    let mut trainer = Client::enter(&host, &token).await;
    let long = post(&host, "/api/decks?name=1.pdf", &token, &pdf(400)).await;
    let deck = long.json()["deck"]["deck"].clone();
    waits_for(&mut [&mut trainer], |m| {
        m["deck"]["st"]["is"] == "converting"
    })
    .await;
    let drop = json!({"t": "deckDrop", "deck": deck});
    assert_eq!(trainer.outcome(drop).await, "ok");
    let next = post(&host, "/api/decks?name=2.pdf", &token, &pdf(1)).await;
    let next = next.json()["deck"]["deck"].clone();
    let ready = settled(&mut [&mut trainer]).await;
    assert_eq!(
        (&ready["deck"], &ready["st"]["is"]),
        (&next, &json!("ready"))
    );
    let store = &world.server.app.store;
    let known = store.materials(&world.session.as_str().into()).await;
    let known = known.unwrap();
    let gone = known.iter().find(|one| one.id == deck).unwrap();
    assert_eq!(
        (gone.pages, gone.dropped_ms.is_some(), &gone.state),
        (0, true, &MaterialState::Queued)
    );
    // No session waits with more than a few.
    let mut statuses = vec![];
    for n in 0..12 {
        let mut body = pdf(60);
        body.extend(format!("% {n}").bytes());
        let path = format!("/api/decks?name=n{n}.pdf");
        statuses.push(post(&host, &path, &token, &body).await.status);
    }
    assert!(
        statuses.starts_with(&[201; 8]) && statuses.ends_with(&[503]),
        "{statuses:?}"
    );
    world.server.stop().await;
}

/// The room was busy, or the server died, between writing a file down and telling
/// of it: the author sends it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_down_reaches_its_room_when_it_is_sent_again() {
    let world = World::with(RoomMode::Training, |_| {}).await;
    let host = world.host();
    let token = world.token(Role::Trainer, "Dạy").await;
    let _trainer = Client::enter(&host, &token).await;
    let mut learner = world.enter(Role::Learner, "An").await;
    let first = post(&host, "/api/files?way=out&name=1.txt", &token, b"1").await;
    assert_eq!(first.status, 201);
    let store = &world.server.app.store;
    let session = world.session.as_str().into();
    let mut lost = store.materials(&session).await.unwrap()[0].clone();
    lost.id = "f-untold".to_owned();
    lost.key = "AZaz09-_AZaz09-_AZaz09-_".to_owned();
    lost.name = "2.txt".to_owned();
    lost.bytes = 3;
    lost.sha256 = lophoc_documents::sha256_hex(b"hai");
    store.add_material(&lost).await.unwrap();
    for _ in 0..2 {
        let again = post(&host, "/api/files?way=out&name=2.txt", &token, b"hai").await;
        assert_eq!(again.status, 200);
        assert_eq!(again.json()["file"]["file"], "f-untold");
    }
    let wanted = |m: &Value| m["file"]["file"] == "f-untold";
    waits_for(&mut [&mut learner], wanted).await;
    let chat = json!({"t": "hand", "up": true});
    assert_eq!(learner.outcome(chat).await, "ok");
    assert!(!learner.seen.iter().any(wanted), "told twice");
    world.server.stop().await;
}

/// The server was killed between putting a file to its place and noting it.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_nobody_wrote_down_are_cleared_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let materials = path.join("materials");
    let day = Duration::from_secs(24 * 60 * 60);
    let made = |key: &str, age: Duration| {
        let folder = materials.join(key);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("file"), b"x").unwrap();
        let then = std::time::SystemTime::now() - age;
        std::fs::File::open(&folder)
            .unwrap()
            .set_modified(then)
            .unwrap();
        folder
    };
    let lost = made("lost-AAAAAAAAAAAAAAAAAAA", day);
    let fresh = made("fresh-AAAAAAAAAAAAAAAAAA", Duration::ZERO);
    let foreign = made("backup of yesterday", day);
    let world = World::with(RoomMode::Training, |config| {
        config.data.folder.clone_from(&path);
    })
    .await;
    let began = Instant::now();
    while lost.exists() {
        assert!(began.elapsed() < Duration::from_secs(100), "still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(fresh.exists() && foreign.exists());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_and_broken_files_harm_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let world = World::with(RoomMode::Training, |config| {
        config.data.folder.clone_from(&path);
        config.uploads.deck_mb = 8;
    })
    .await;
    let host = world.host();
    let token = world.token(Role::Trainer, "Dạy").await;
    let mut trainer = Client::enter(&host, &token).await;
    let deck = "/api/decks?name=x.pdf";
    for (body, why) in [
        (
            &b"<!doctype html><script>alert(1)</script>"[..],
            "unsupported",
        ),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
        (b"PK\x03\x04 half an archive", "broken"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0",
            "tooLarge",
        ),
    ] {
        let answer = post(&host, deck, &token, body).await;
        assert_eq!((answer.status, &answer.json()["why"]), (415, &json!(why)));
    }
    let line = format!("POST {deck}");
    let told = send(&host, &line, Some(&token), b"%PDF-", 200_000_000).await;
    assert_eq!(told.code(), (413, "too_large".into()));
    // The body is cut, as by a phone that leaves its network.
    let mut cut = TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-length: 5000\r\n\r\n%PDF-1.4 and then"
    );
    cut.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(cut);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(kept(&path).is_empty());
    // It looks well and is not.
    let mut broken = pdf(3);
    broken.truncate(60);
    for (body, why) in [(broken, "broken"), (pdf(501), "tooManyPages")] {
        let answer = post(&host, deck, &token, &body).await;
        assert_eq!(
            answer.status,
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        assert_eq!(settled(&mut [&mut trainer]).await["st"]["why"], why);
        assert!(kept(&path).is_empty(), "something is left of a {why} file");
    }
    assert_eq!(trainer.chat("a", "Lớp vẫn chạy").await, "ok");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_with_what_was_on_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let made = crash::command(folder.path())
        .args(["class", "new", "--title", "Lớp", "--host", "Sở", "--json"])
        .output()
        .unwrap();
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let link = made["links"]["trainer"].as_str().unwrap();
    let mut running = crash::start(folder.path()).await;
    let token = crash::token(&running.host, link, "Dạy").await.unwrap();
    let mut trainer = Client::enter(&running.host, &token).await;
    for (name, body) in [("Bai%201.pdf", pdf(8)), ("Bai%202.pdf", pdf(2))] {
        let path = format!("/api/decks?name={name}");
        let answer = post(&running.host, &path, &token, &body).await;
        assert_eq!(answer.status, 201);
    }
    let handed = post(
        &running.host,
        "/api/files?way=out&name=a.txt",
        &token,
        b"xin chao",
    )
    .await;
    let file = handed.json()["file"].clone();
    waits_for(&mut [&mut trainer], |m| {
        m["deck"]["st"]["done"]
            .as_u64()
            .is_some_and(|done| done >= 1)
    })
    .await;
    running.child.kill().await.unwrap();

    let running = crash::start(folder.path()).await;
    let token = crash::token(&running.host, link, "Dạy").await.unwrap();
    let mut trainer = Client::raw(&running.host).await;
    trainer.send(&hello(&token)).await;
    trainer.greeted().await;
    let state = trainer.seen.pop().unwrap();
    assert_eq!(state["decks"].as_array().map(Vec::len), Some(2), "{state}");
    assert_eq!(state["files"][0], file);
    let mut ready = vec![];
    for deck in state["decks"].as_array().unwrap() {
        if deck["st"]["is"] == "ready" {
            ready.push(deck.clone());
        }
    }
    while ready.len() < 2 {
        let deck = settled(&mut [&mut trainer]).await;
        assert_eq!(deck["st"]["is"], "ready", "{deck}");
        ready.push(deck);
    }
    let pages: u64 = ready
        .iter()
        .map(|deck| deck["pages"].as_u64().unwrap())
        .sum();
    assert_eq!(pages, 10);
    for deck in &ready {
        let url = format!("{}/2/s.webp", deck["url"].as_str().unwrap());
        assert_eq!(get(&running.host, &url).await.status, 200);
    }
    let got = get(&running.host, file["url"].as_str().unwrap()).await;
    assert_eq!(got.body, b"xin chao");
    // No tool of the killed server is at work.
    let tools = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let tools = String::from_utf8_lossy(&tools.stdout).into_owned();
    let ours = folder.path().to_str().unwrap();
    assert!(
        !tools
            .lines()
            .any(|line| line.contains("bwrap") && line.contains(ours)),
        "{tools}"
    );
}
