//! Watching from the start while the class goes on: by people who are in the room,
//! where the setting says so, at every byte.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use lophoc::TokenClaims;
use lophoc_ledger::PersonKey;
use lophoc_protocol::{PersonId, Role, RoomId};
use lophoc_recording::scan::Index;
use lophoc_records::NewRecording;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::attendance_world::{Answer, Class, MINUTE, now_ms};
use crate::recordings_world::{ID, Made, holds, mark, path, recorded, send, url_of, worked, write};

/// Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(40);

/// Somebody in the room.
struct InRoom {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    token: String,
}

impl InRoom {
    async fn enter(class: &Class, person: &PersonKey, role: Role) -> Self {
        let claims = TokenClaims {
            room: RoomId::from(class.room.as_str()),
            session: class.session.clone(),
            person: PersonId(person.0.clone()),
            name: "Ai đó".to_owned(),
            unit: None,
            role,
            device: "d".to_owned(),
            exp: now_ms() + 60 * MINUTE,
            site: None,
            waits: false,
            rules: None,
            recording: None,
        };
        let token = claims.seal(&class.server.app.keys).unwrap();
        let mut request = format!("ws://{}/rtc/v1", class.server.addresses()[0])
            .into_client_request()
            .unwrap();
        let protocol = "lophoc.v1".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = connect_async(request).await.unwrap();
        let hello = json!({
            "t": "hello", "id": 1, "proto": [1], "token": token, "lang": "vi",
            "client": {"app": "test", "ver": "1", "browser": "", "class": "desk", "caps": []},
            "profile": "seat", "slots": {"a": 5, "v": 9, "s": 1},
        });
        socket.send(Message::text(hello.to_string())).await.unwrap();
        let mut one = Self { socket, token };
        one.until("state").await;
        one
    }

    async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let frame = frame.expect("the room says nothing").unwrap().unwrap();
            if let Message::Text(text) = frame {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["t"] == kind {
                    return message;
                }
            }
        }
    }

    async fn leave(mut self) {
        let bye = json!({"t": "leave", "id": 9});
        self.socket
            .send(Message::text(bye.to_string()))
            .await
            .unwrap();
        while let Ok(Some(Ok(_))) = tokio::time::timeout(PATIENCE, self.socket.next()).await {}
    }

    fn head(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token)
    }

    async fn get(&self, class: &Class, rest: &str) -> Answer {
        class.raw("GET", &path(rest), &self.head(), b"").await
    }

    async fn may(&self, class: &Class) -> bool {
        let answer = self.get(class, "/from-start").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["may"].as_bool().unwrap()
    }
}

/// Sets whether those who are in the room watch from the start.
async fn set(class: &Class, early: bool) {
    let form = json!({"on": true, "own": true, "who": "Sở", "by": "server", "auto": false,
        "fromStart": early});
    let path = format!("/api/v1/sessions/{}/recording", class.session.0);
    let head = "content-type: application/json\r\n";
    let body = form.to_string();
    let refused = class
        .call(
            Some(&class.learners[3]),
            "PUT",
            &path,
            head,
            body.as_bytes(),
        )
        .await;
    assert_eq!(refused.status, 403);
    let answer = class
        .call(Some(&class.organiser), "PUT", &path, head, body.as_bytes())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["fromStart"], early);
}

/// What he was given: the playback, and the cookie of its addresses.
async fn playback(class: &Class, one: &InRoom) -> (Value, String) {
    let answer = one.get(class, "/playback").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .expect("a cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/media/recordings/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    (answer.json(), format!("cookie: {value}\r\n"))
}

/// Asks until the answer has this status: what was found a moment ago counts for a
/// few seconds.
async fn becomes(class: &Class, url: &str, head: &str, status: u16) {
    let since = Instant::now();
    loop {
        let now = class.raw("GET", url, head, b"").await.status;
        if now == status {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{now} and not {status}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn running() -> Class {
    let mut class = Class::new().await;
    class.begin().await;
    recorded(&class, MINUTE, None).await;
    class
}

#[tokio::test]
async fn who_is_in_the_room_watches_from_the_start_where_it_is_set_and_nobody_else() {
    let class = running().await;
    let late = class.learners[2].clone();
    set(&class, false).await;
    let learner = InRoom::enter(&class, &late, Role::Learner).await;
    let guest = InRoom::enter(&class, &PersonKey::from("g-1"), Role::Guest).await;
    let trainer = InRoom::enter(&class, &class.trainer, Role::Trainer).await;
    // As ever: staff who are in the room, learners not.
    assert!(trainer.may(&class).await && !learner.may(&class).await);
    assert_eq!(learner.get(&class, "/playback").await.status, 404);

    set(&class, true).await;
    assert!(learner.may(&class).await && trainer.may(&class).await);
    assert!(!guest.may(&class).await);
    // Who has come a moment ago is there.
    let next = InRoom::enter(&class, &class.learners[4], Role::Learner).await;
    assert!(next.may(&class).await);
    assert_eq!(guest.get(&class, "/playback").await.status, 404);
    // Enrolled, with an account, and not there.
    let outside = class.get(&class.learners[3], &path("/playback")).await;
    assert_eq!(outside.status, 404);
    let outside = class.get(&class.organiser, &path("/playback")).await;
    assert_eq!(outside.status, 403);

    let (told, cookie) = playback(&class, &learner).await;
    assert_eq!(told["live"], true);
    assert_eq!(told["downloads"], json!({}));
    let url = url_of(&told, "camera").to_owned();
    let whole = class.raw("GET", &url, &cookie, b"").await;
    assert_eq!(whole.status, 200);
    assert!(holds(&whole.body, &mark(0)) && holds(&whole.body, &mark(59_960)));
    // An address that went to somebody else, in the room or not, opens nothing.
    assert_eq!(class.raw("GET", &url, "", b"").await.status, 403);
    assert_eq!(class.get(&class.learners[3], &url).await.status, 403);
    let (others, other) = playback(&class, &trainer).await;
    assert_eq!(class.raw("GET", &url, &other, b"").await.status, 403);
    let theirs = url_of(&others, "camera");
    assert_eq!(class.raw("GET", theirs, &cookie, b"").await.status, 403);
    let changed = cookie.replacen("lophoc-watch=", "lophoc-watch=A", 1);
    assert_eq!(class.raw("GET", &url, &changed, b"").await.status, 403);
    let kept = format!("{url}&download=true");
    assert_eq!(class.raw("GET", &kept, &cookie, b"").await.status, 403);
    // The token of a room gives nothing else of recordings.
    for rest in ["", "/watchers"] {
        assert_eq!(trainer.get(&class, rest).await.status, 401, "{rest}");
    }

    // What he watched is kept, and none of his attendance comes of it.
    let report = json!({"spans": [[0, 9_000]], "resumeMs": 9_000}).to_string();
    let head = format!("{}content-type: application/json\r\n", learner.head());
    let answer = class
        .raw("POST", &path("/watched"), &head, report.as_bytes())
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let watchers = class.get(&class.organiser, &path("/watchers")).await.json();
    assert_eq!(watchers["items"][0]["person"], late.0.as_str());
    assert_eq!(watchers["items"][0]["watchedMs"], 9_000);
    assert_eq!(playback(&class, &learner).await.0["resumeMs"], 9_000);

    // The setting is turned off while he watches, and on again.
    set(&class, false).await;
    becomes(&class, &url, &cookie, 403).await;
    assert!(!learner.may(&class).await);
    set(&class, true).await;
    becomes(&class, &url, &cookie, 200).await;

    // He leaves: address and cookie are good for nothing, and his token neither.
    let head = learner.head();
    learner.leave().await;
    becomes(&class, &url, &cookie, 403).await;
    let after = class.raw("GET", &path("/playback"), &head, b"").await;
    assert_eq!(after.status, 404, "{}", after.text());
    let after = class
        .raw(
            "POST",
            &path("/watched"),
            &head_json(&head),
            report.as_bytes(),
        )
        .await;
    assert_eq!(after.status, 404);

    // He comes back, and the recording ends: it waits for its release.
    let learner = InRoom::enter(&class, &late, Role::Learner).await;
    becomes(&class, &url, &cookie, 200).await;
    worked(&class).await;
    becomes(&class, &url, &cookie, 403).await;
    assert!(!learner.may(&class).await);
    assert_eq!(learner.get(&class, "/playback").await.status, 404);
    assert_eq!(trainer.get(&class, "/playback").await.status, 404);
    let released = send(
        &class,
        &class.organiser,
        "POST",
        "/state",
        &json!({"to": "published"}),
    )
    .await;
    assert_eq!(released.status, 200);
    // By his account, as everybody; the token of the room is for what goes on there.
    assert_eq!(learner.get(&class, "/playback").await.status, 404);
    let account = class.get(&class.learners[3], &path("/playback")).await;
    assert_eq!(account.status, 200);
    class.server.stop().await;
}

fn head_json(head: &str) -> String {
    format!("{head}content-type: application/json\r\n")
}

#[tokio::test]
async fn a_connection_that_is_lost_for_a_moment_leaves_him_his_place() {
    let class = running().await;
    let late = class.learners[2].clone();
    set(&class, true).await;
    let learner = InRoom::enter(&class, &late, Role::Learner).await;
    let (told, cookie) = playback(&class, &learner).await;
    let url = url_of(&told, "camera").to_owned();
    // The socket breaks without a word: all see that he is reconnecting.
    drop(learner);
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(class.raw("GET", &url, &cookie, b"").await.status, 200);
    class.server.stop().await;
}

#[tokio::test]
async fn its_sound_is_there_up_to_half_a_minute_ago() {
    let mut class = Class::new().await;
    class.begin().await;
    let began_ms = class.began + MINUTE;
    let folder = class.folder().join("recordings").join(ID);
    let made = Made {
        trainer: &class.trainer,
        learner: &class.learners[0],
        never: &[],
        began_ms,
        length_ms: 48_000,
        size: 0,
        pause: None,
        loud: false,
    };
    write(&folder, &made);
    let new = NewRecording {
        id: ID.to_owned(),
        session: class.session.clone(),
        by: None,
        started_ms: began_ms,
    };
    class.store().begin_recording(&new).await.unwrap();
    set(&class, true).await;
    let late = class.learners[2].clone();
    let learner = InRoom::enter(&class, &late, Role::Learner).await;
    let since = Instant::now();
    let (sound, cookie) = loop {
        let (told, cookie) = playback(&class, &learner).await;
        if let Some(sound) = told["sound"].as_str() {
            break (sound.to_owned(), cookie);
        }
        assert!(since.elapsed() < PATIENCE, "{told}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let sound = class.raw("GET", &sound, &cookie, b"").await;
    assert_eq!(sound.status, 200);
    let index = Index::read(&mut sound.body.as_slice(), sound.body.len() as u64, 0).unwrap();
    assert_eq!(index.end_ms, 30_000);
    class.server.stop().await;
}

#[tokio::test]
async fn who_refused_to_be_recorded_is_in_nothing_that_is_watched_from_the_start() {
    let class = running().await;
    set(&class, true).await;
    let learner = InRoom::enter(&class, &class.learners[2], Role::Learner).await;
    let (told, cookie) = playback(&class, &learner).await;
    let url = url_of(&told, "camera").to_owned();
    assert_eq!(class.raw("GET", &url, &cookie, b"").await.status, 200);
    let answer = send(
        &class,
        &class.organiser,
        "POST",
        "/withdraw",
        &json!({"person": class.trainer}),
    )
    .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(class.raw("GET", &url, &cookie, b"").await.status, 403);
    let (told, cookie) = playback(&class, &learner).await;
    assert_eq!(told["tracks"], json!([]));
    // Neither by a name that was good before.
    let other = url.replace("0001.webm", "0002.webm");
    assert_eq!(class.raw("GET", &other, &cookie, b"").await.status, 403);
    class.server.stop().await;
}
