//! Coming back: within the ring, by a fresh hello, on another device.

use lophoc_protocol::Role;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{World, hello};

fn resume(token: &str, session: &Value, key: &Value, last_seq: u64) -> Value {
    let mut message = hello(token);
    message["resume"] = json!({"session": session, "key": key, "lastSeq": last_seq});
    message
}

#[tokio::test]
async fn a_broken_link_goes_on_where_it_stopped() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let token = world.token(Role::Learner, "An").await;
    let learner = Client::enter(&world.host(), &token).await;
    let (session, key) = (
        learner.welcome["session"].clone(),
        learner.welcome["key"].clone(),
    );
    let last = learner
        .seen
        .iter()
        .filter_map(|message| message["seq"].as_u64())
        .max()
        .unwrap_or(0);
    drop(learner);
    for n in 0..3 {
        assert_eq!(
            trainer.chat(&format!("c{n}"), &format!("lời {n}")).await,
            "ok"
        );
    }
    let mut back = Client::raw(&world.host()).await;
    back.send(&resume(&token, &session, &key, last)).await;
    let resumed = back.read().await.unwrap();
    assert_eq!(resumed["t"], "resumed", "{resumed}");
    assert_ne!(resumed["key"], key);
    assert!(resumed["you"]["token"].is_string());
    let mut texts = Vec::new();
    let mut seq = last;
    while texts.len() < 3 {
        let message = back.read().await.unwrap();
        if let Some(next) = message["seq"].as_u64() {
            assert_eq!(next, seq + 1, "{message}");
            seq = next;
        }
        if message["t"] == "chat" {
            texts.push(message["m"]["text"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(texts, ["lời 0", "lời 1", "lời 2"]);
    // Whoever has a token but not the key begins anew and gets nothing replayed.
    let mut other = Client::raw(&world.host()).await;
    other
        .send(&resume(&token, &session, &json!("guessed"), last))
        .await;
    assert_eq!(other.read().await.unwrap()["t"], "welcome");
    world.server.stop().await;
}

#[tokio::test]
async fn the_same_person_on_another_device_takes_over() {
    let world = World::new().await;
    let personal = world
        .links
        .link(&world.room, Role::Learner, Some(("An", None)), 1)
        .unwrap();
    let join = async |device: &str| {
        let body = json!({"link": personal, "name": "", "device": device});
        let (_, answer) = crate::client::post(&world.host(), "/api/join", &body).await;
        let mut hello = hello(answer["token"].as_str().unwrap());
        hello["takeOver"] = json!(true);
        let mut client = Client::raw(&world.host()).await;
        client.send(&hello).await;
        client.greeted().await;
        client
    };
    let mut phone = join("the phone").await;
    let mut desk = join("the desk").await;
    assert_eq!(phone.person, desk.person);
    let bye = phone.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("stop"), &json!("taken_over"))
    );
    assert_eq!(desk.chat("c", "ở máy bàn").await, "ok");
    let state = &desk.seen[0];
    assert_eq!(state["counts"]["total"], 1);
    world.server.stop().await;
}

#[tokio::test]
async fn everybody_is_listed_and_counted() {
    let world = World::new().await;
    let mut first = world.enter(Role::Trainer, "Cô Bình").await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(world.enter(Role::Guest, &format!("Khách {n}")).await);
    }
    first
        .until_that(|message| message["t"] == "people" && message["counts"]["total"] == 6)
        .await;
    let page = first
        .ask(json!({"t": "peoplePage", "q": "khach", "from": 0, "n": 3}))
        .await;
    assert_eq!(
        (&page["t"], &page["total"]),
        (&json!("peoplePage"), &json!(5))
    );
    assert_eq!(page["list"].as_array().unwrap().len(), 3);
    world.server.stop().await;
}
