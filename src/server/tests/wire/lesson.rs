//! The lesson over the wire: waiting room, beginning, breaks, another device,
//! what a desk sees, and all of it after kill -9.

use std::time::Duration;

use lophoc_ledger::{EventKind, PersonKey, SessionKey};
use lophoc_protocol::Role;
use serde_json::{Value, json};

use crate::client::{Client, get, post};
use crate::crash::{command, start, token};
use crate::world::{World, hello};

async fn knock(world: &World, role: Role, name: &str) -> (Client, Value) {
    let token = world.token(role, name).await;
    knock_with(&world.host(), &hello(&token)).await
}

/// Says hello; the first answer.
async fn knock_with(host: &str, hello: &Value) -> (Client, Value) {
    let mut client = Client::raw(host).await;
    client.send(hello).await;
    let first = client.read().await.expect("an answer");
    (client, first)
}

async fn kinds(world: &World) -> Vec<String> {
    let session = SessionKey(world.session.clone());
    let events = world.server.app.store.events(&session).await.unwrap();
    events
        .iter()
        .map(|event| event.kind.name().to_owned())
        .collect()
}

#[tokio::test]
async fn people_wait_until_they_are_let_in_on_the_same_link() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Trần Bình").await;
    let on = json!({"t": "modWaiting", "on": true});
    assert_eq!(trainer.outcome(on).await, "ok");
    let token = world.token(Role::Learner, "Nguyễn An").await;
    let (mut learner, first) = knock_with(&world.host(), &hello(&token)).await;
    assert_eq!((&first["t"], &first["id"]), (&json!("waiting"), &json!(1)));
    assert_eq!(first["room"]["title"], "Lớp thử");
    assert!(first["you"]["token"].is_string());
    assert!(first.get("people").is_none());
    // It lives, and may say nothing.
    learner.send(&json!({"t": "ping", "c": 7})).await;
    assert_eq!(learner.until("pong").await["c"], 7);
    assert_eq!(learner.chat("c1", "ở ngoài").await, "forbidden");
    let offer = json!({"t": "offer", "sdp": "v=0"});
    assert_eq!(learner.outcome(offer).await, "forbidden");
    // Nor does he read what is said inside.
    let captions = format!("/api/v1/sessions/{}/captions.vtt?lang=vi", world.session);
    assert_eq!(get(&world.host(), &captions, Some(&token)).await.0, 403);
    let lobby = trainer
        .until_that(|message| message["t"] == "lobby" && message["total"] == 1)
        .await;
    assert_eq!(lobby["list"][0]["name"], "Nguyễn An");
    let who = &lobby["list"][0]["who"];
    // A reload goes on waiting.
    let (mut learner, first) = {
        drop(learner);
        knock_with(&world.host(), &hello(&token)).await
    };
    assert_eq!(first["t"], "waiting");
    let admit = json!({"t": "modAdmit", "who": who});
    assert_eq!(trainer.outcome(admit).await, "ok");
    let welcome = learner.until("welcome").await;
    assert_eq!(&welcome["you"]["person"], who);
    assert!(welcome.get("answer").is_none());
    assert_eq!(learner.until("state").await["counts"]["total"], 2);
    assert_eq!(learner.chat("c2", "ở trong").await, "ok");
    assert_eq!(get(&world.host(), &captions, Some(&token)).await.0, 200);
    let (mut denied, first) = knock(&world, Role::Guest, "Khách").await;
    let deny = json!({"t": "modDeny", "who": first["you"]["person"]});
    assert_eq!(trainer.outcome(deny).await, "ok");
    assert_eq!(denied.until("bye").await["code"], "denied");
    let kinds = kinds(&world).await;
    let waits: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|kind| kind.starts_with("wait") || *kind == "join")
        .collect();
    assert_eq!(
        waits,
        [
            "join",
            "waitingRoom",
            "waiting",
            "waitOver",
            "join",
            "waiting",
            "waitOver"
        ]
    );
    world.server.stop().await;
}

#[tokio::test]
async fn the_lesson_begins_with_a_trainer_and_rests_in_breaks() {
    let world = World::new().await;
    let mut learner = world.enter(Role::Learner, "Nguyễn An").await;
    assert_eq!(learner.welcome["room"]["phase"], "rehearsal");
    let mut adviser = world.enter(Role::Adviser, "Cố vấn").await;
    let room = learner.until("room").await;
    assert_eq!(room["phase"], "live");
    assert!(room["lessonAt"].is_u64());
    assert_eq!(adviser.welcome["room"]["phase"], "live");
    let pause = json!({"t": "modBreak", "on": true, "minutes": 15});
    assert_eq!(learner.outcome(pause.clone()).await, "forbidden");
    assert_eq!(adviser.outcome(pause).await, "ok");
    let room = learner.until("room").await;
    assert_eq!(room["phase"], "break");
    let until = room["breakUntil"].as_u64().unwrap();
    assert_eq!(
        adviser.outcome(json!({"t": "modBreak", "on": false})).await,
        "ok"
    );
    assert_eq!(learner.until("room").await["phase"], "live");
    assert!(until > room["lessonAt"].as_u64().unwrap() + 14 * 60_000);
    // A presence check goes round.
    let check = json!({"t": "modCheck", "windowSec": 60});
    assert_eq!(adviser.outcome(check).await, "ok");
    let asked = learner.until("check").await;
    let reply = json!({"t": "checkReply", "check": asked["check"]});
    assert_eq!(learner.outcome(reply.clone()).await, "ok");
    assert_eq!(learner.outcome(reply).await, "not_found");
    let result = adviser
        .until_that(|message| message["t"] == "checkResult" && message["answered"] == 1)
        .await;
    assert_eq!(result["asked"], 1);
    world.server.stop().await;
}

async fn token_on(world: &World, link: &str, device: &str) -> String {
    let body = json!({"link": link, "name": "Tên khác", "device": device});
    let (status, answer) = post(&world.host(), "/api/join", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["name"], "Lê Văn An", "nobody renames himself");
    answer["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_second_device_is_asked_and_takes_the_place_of_the_first() {
    let world = World::new().await;
    let mut other = world.enter(Role::Trainer, "Trần Bình").await;
    // A personal link: one person, whatever the device.
    let link = world
        .links
        .link(&world.room, Role::Learner, Some(("Lê Văn An", None)), 1)
        .unwrap();
    let phone = token_on(&world, &link, "a phone of Mr An").await;
    let laptop = token_on(&world, &link, "a laptop of Mr An").await;
    let mut first = Client::enter(&world.host(), &phone).await;
    let camera = json!({"t": "pub", "kind": "camera", "st": "live"});
    assert_eq!(first.outcome(camera.clone()).await, "ok");
    let track = |message: &Value, person: &str| {
        let all = ["add", "chg"].map(|field| message[field].as_array().cloned());
        let entry = all
            .into_iter()
            .flatten()
            .flatten()
            .find(|one| one["id"] == person && !one["tracks"].as_array().unwrap().is_empty())?;
        entry["tracks"][0]["k"].as_str().map(str::to_owned)
    };
    let person = first.person.clone();
    let seen = other
        .until_that(|message| track(message, &person).is_some())
        .await;
    let before = track(&seen, &person).unwrap();
    let (mut refused, answer) = knock_with(&world.host(), &hello(&laptop)).await;
    assert_eq!(
        (&answer["t"], &answer["action"], &answer["code"]),
        (&json!("bye"), &json!("stop"), &json!("elsewhere"))
    );
    assert!(refused.read().await.is_none());
    assert_eq!(
        first.chat("c1", "vẫn ở đây").await,
        "ok",
        "nothing changed for the first"
    );
    let mut taking = hello(&laptop);
    taking["takeOver"] = json!(true);
    let mut second = Client::raw(&world.host()).await;
    second.send(&taking).await;
    second.greeted().await;
    assert_eq!(second.person, person);
    assert_eq!(first.until("bye").await["code"], "taken_over");
    assert_eq!(second.outcome(camera).await, "ok");
    let after = loop {
        let message = other.until("people").await;
        if let Some(now) = track(&message, &person)
            && now != before
        {
            break now;
        }
    };
    assert_ne!(before, after, "another device is another media peer");
    let kinds = kinds(&world).await;
    assert!(kinds.contains(&"otherDevice".to_owned()), "{kinds:?}");
    // The same device asks nothing.
    let again = Client::enter(&world.host(), &laptop).await;
    assert_eq!(again.person, person);
    world.server.stop().await;
}

#[tokio::test]
async fn a_desk_sees_the_room_and_the_operator_ends_it() {
    let world = World::new().await;
    let app = &world.server.app;
    assert!(
        app.rooms.snapshot(&world.room).await.is_none(),
        "not in memory"
    );
    let mut trainer = world.enter(Role::Trainer, "Trần Bình").await;
    let desk = app.rooms.snapshot(&world.room).await.unwrap();
    assert_eq!(desk.people().count(), 1);
    let again = app.rooms.snapshot(&world.room).await.unwrap();
    assert_eq!(desk.at_ms, again.at_ms, "taken once a second");
    let key = PersonKey::from(trainer.person.as_str());
    app.rooms.set_hall(&world.room, &key, 7).await;
    app.rooms.set_hall("no such room", &key, 7).await;
    app.rooms.end(app, &world.room).await.unwrap();
    assert_eq!(trainer.until("bye").await["code"], "ended");
    let session = SessionKey(world.session.clone());
    let events = app.store.events(&session).await.unwrap();
    assert!(matches!(
        events.last().unwrap().kind,
        EventKind::Ended { by: None }
    ));
    // Again, and with the room gone: no error and no second end.
    app.rooms.end(app, &world.room).await.unwrap();
    assert_eq!(
        app.store.events(&session).await.unwrap().len(),
        events.len()
    );
    assert!(app.rooms.end(app, "no such room").await.is_err());
    world.server.stop().await;
}

#[tokio::test]
async fn wait_and_break_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = command(&data)
        .args(["class", "new", "--title", "Lớp", "--host", "Sở", "--json"])
        .output()
        .unwrap();
    let class: Value = serde_json::from_slice(&made.stdout).unwrap();
    let link = |role: &str| class["links"][role].as_str().unwrap().to_owned();
    let mut running = start(&data).await;
    let host = running.host.clone();
    let staff = token(&host, &link("trainer"), "Người dạy").await.unwrap();
    let learner = token(&host, &link("learner"), "Nguyễn An").await.unwrap();
    let mut trainer = Client::enter(&host, &staff).await;
    for message in [
        json!({"t": "modWaiting", "on": true}),
        json!({"t": "modBreak", "on": true, "minutes": 30}),
    ] {
        assert_eq!(trainer.outcome(message).await, "ok");
    }
    let (_waits, first) = knock_with(&host, &hello(&learner)).await;
    assert_eq!(first["t"], "waiting");
    running.child.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let mut running = start(&data).await;
    let host = running.host.clone();
    let mut trainer = Client::enter(&host, &staff).await;
    let room = &trainer.welcome["room"];
    assert_eq!(
        (&room["phase"], &room["waiting"]),
        (&json!("break"), &json!(true))
    );
    assert_eq!(room["breakUntil"], first["room"]["breakUntil"]);
    let lobby = trainer.until("lobby").await;
    assert_eq!(lobby["total"], 1, "he is awaited");
    let (mut waits, again) = knock_with(&host, &hello(&learner)).await;
    assert_eq!(
        (&again["t"], &again["since"]),
        (&json!("waiting"), &first["since"])
    );
    assert_eq!(trainer.outcome(json!({"t": "modAdmit"})).await, "ok");
    waits.until("welcome").await;
    running.child.kill().await.unwrap();
}

#[tokio::test]
async fn a_recording_begun_in_the_room_is_told_to_all_and_accepted_by_late_comers() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Trần Bình").await;
    let mut learner = world.enter(Role::Learner, "Nguyễn An").await;
    let on = json!({"t": "modRecord", "on": true, "who": "Sở GDĐT", "why": "Lưu hồ sơ"});
    assert_eq!(learner.outcome(on.clone()).await, "forbidden");
    assert_eq!(trainer.outcome(on).await, "ok");
    let recorded = |message: &Value| message["t"] == "room" && message["recording"].is_object();
    let told = learner.until_that(recorded).await;
    assert_eq!(told["recording"]["by"], "external");
    assert_eq!(told["recording"]["who"], "Sở GDĐT");

    // Who comes now is told before.
    let link = world.link(Role::Learner);
    let (_, read) = post(&world.host(), "/api/link", &json!({ "link": link })).await;
    assert_eq!(read["recording"]["who"], "Sở GDĐT");
    let mut ask = json!({"link": link, "name": "Lê Muộn", "device": "device-of-who-is-late"});
    assert_eq!(post(&world.host(), "/api/join", &ask).await.0, 409);
    ask["recording"] = read["recording"]["words"].clone();
    let (status, answer) = post(&world.host(), "/api/join", &ask).await;
    assert_eq!(status, 200);
    let token = answer["token"].as_str().unwrap();
    let (mut late, first) = knock_with(&world.host(), &hello(token)).await;
    assert_eq!(first["room"]["recording"]["who"], "Sở GDĐT");
    let off = json!({"t": "modRecord", "on": false});
    assert_eq!(trainer.outcome(off).await, "ok");
    late.until_that(|message| message["t"] == "room" && message.get("recording").is_none())
        .await;
    let (_, read) = post(&world.host(), "/api/link", &json!({ "link": link })).await;
    assert!(read.get("recording").is_none());
    let kinds = kinds(&world).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "recording").count(), 2);
    // Noted is who came in with the token.
    let session = SessionKey(world.session.clone());
    let store = &world.server.app.store;
    let class = store.session(&session).await.unwrap().unwrap().class;
    let mut accepted = store.recording_accepted(&class).await.unwrap();
    for _ in 0..200 {
        if !accepted.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        accepted = store.recording_accepted(&class).await.unwrap();
    }
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].person.0, answer["person"].as_str().unwrap());
}
