//! Bad input: a clear error, a closed link, never a hurt room.

use futures_util::SinkExt;
use lophoc_protocol::Role;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::client::Client;
use crate::world::{World, hello};

#[tokio::test]
async fn malformed_frames_are_answered_and_then_the_link_is_closed() {
    let world = World::new().await;
    let mut other = world.enter(Role::Learner, "Khác").await;
    let mut client = world.enter(Role::Learner, "An").await;
    for text in ["", "{", "[]", r#"{"t":"hand","id":77,"up":"x"}"#] {
        client.send_text(text.to_owned()).await;
        let refusal = client.until("err").await;
        assert_eq!(refusal["code"], "bad_request", "{text}");
        if text.contains("77") {
            assert_eq!(refusal["id"], 77);
        }
    }
    client
        .send_text(format!("{{\"t\":{}", "[".repeat(100_000)))
        .await;
    let bye = client.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("stop"), &json!("bad_request"))
    );
    assert!(client.read().await.is_none());
    assert_eq!(other.chat("c", "vẫn ổn").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn unknown_messages_and_fields_are_no_error() {
    let world = World::new().await;
    let mut client = world.enter(Role::Learner, "An").await;
    for n in 0..20 {
        client.send(&json!({"t": "futureMessage", "n": n})).await;
    }
    assert_eq!(
        client
            .outcome(json!({"t": "hand", "up": true, "future": {"a": [1]}}))
            .await,
        "ok"
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_giant_frame_closes_its_link_alone() {
    let world = World::new().await;
    let mut other = world.enter(Role::Learner, "Khác").await;
    let mut client = world.enter(Role::Learner, "An").await;
    let giant = json!({"t": "chat", "cid": "c", "text": "x".repeat(300 * 1024)}).to_string();
    // The server may close while it still arrives.
    let _ = client.socket.send(Message::text(giant)).await;
    let mut code = None;
    while let Some(message) = client.read().await {
        if message["t"] == "bye" {
            code = Some(message["code"].clone());
        }
    }
    if let Some(code) = code {
        assert_eq!(code, "too_large");
    }
    assert_eq!(other.chat("c", "vẫn ổn").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn strange_binary_frames_are_refused() {
    let world = World::new().await;
    let mut client = world.enter(Role::Learner, "An").await;
    for bytes in [vec![], vec![9, 1, 2], vec![0, 0x1f, 0x8b, 1]] {
        client.socket.send(Message::binary(bytes)).await.unwrap();
        assert_eq!(client.until("err").await["code"], "bad_request");
    }
    assert_eq!(client.chat("c", "vẫn ổn").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_is_refused() {
    let world = World::new().await;
    for first in [
        r#"{"t":"leave"}"#.to_owned(),
        "nonsense".to_owned(),
        json!({"t": "hello"}).to_string(),
    ] {
        let mut client = Client::raw(&world.host()).await;
        client.send_text(first).await;
        assert_eq!(client.read().await.unwrap()["code"], "bad_request");
        assert_eq!(client.read().await.unwrap()["t"], "bye");
        assert!(client.read().await.is_none());
    }
    let mut client = Client::raw(&world.host()).await;
    let mut wrong = hello(&world.token(Role::Learner, "An").await);
    wrong["proto"] = json!([99]);
    client.send(&wrong).await;
    assert_eq!(client.read().await.unwrap()["code"], "bad_request");
    world.server.stop().await;
}

#[tokio::test]
async fn a_bad_offer_is_refused_and_the_person_is_in_all_the_same() {
    let world = World::new().await;
    let mut client = Client::raw(&world.host()).await;
    let mut greeting = hello(&world.token(Role::Learner, "An").await);
    greeting["offer"] = json!("v=0\r\nnonsense");
    client.send(&greeting).await;
    client.greeted().await;
    assert!(client.welcome.get("answer").is_none());
    assert_eq!(client.until("err").await["id"], 1);
    let more_slots = json!({"t": "offer", "sdp": "v=0", "slots": {"a": 5, "v": 200, "s": 1}});
    assert_eq!(client.outcome(more_slots).await, "bad_request");
    let long =
        json!({"t": "offer", "sdp": "x".repeat(220 * 1024), "slots": {"a": 5, "v": 9, "s": 1}});
    assert_eq!(client.outcome(long).await, "too_large");
    assert_eq!(
        client
            .outcome(json!({"t": "ice", "cand": "candidate:nonsense"}))
            .await,
        "ok"
    );
    let view =
        json!({"t": "view", "rev": 1, "slots": [{"mid": "none", "src": {"k": "k99c"}, "h": 720}]});
    assert_eq!(client.outcome(view).await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn too_many_frames_are_refused_and_a_flood_closes_the_link() {
    let world = World::new().await;
    let mut other = world.enter(Role::Learner, "Khác").await;
    let mut client = world.enter(Role::Learner, "An").await;
    for n in 0..600u32 {
        if client
            .socket
            .send(Message::text(
                json!({"t": "hand", "up": n % 2 == 0}).to_string(),
            ))
            .await
            .is_err()
        {
            break;
        }
    }
    let bye = client.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("rejoin"), &json!("rate_limited"))
    );
    assert!(
        client
            .seen
            .iter()
            .any(|message| message["code"] == "rate_limited")
    );
    assert_eq!(other.chat("c", "vẫn ổn").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn a_flood_of_websocket_pings_closes_its_link_alone() {
    let world = World::new().await;
    let mut other = world.enter(Role::Learner, "Khác").await;
    let mut client = world.enter(Role::Learner, "An").await;
    for _ in 0..2_000 {
        // The server may close while they still arrive.
        if client
            .socket
            .send(Message::Ping(Vec::new().into()))
            .await
            .is_err()
        {
            break;
        }
    }
    let bye = client.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("rejoin"), &json!("rate_limited"))
    );
    assert_eq!(other.chat("c", "vẫn ổn").await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn offers_without_end_are_refused_for_their_rate() {
    let world = World::new().await;
    let mut client = world.enter(Role::Learner, "An").await;
    let mut limited = false;
    for _ in 0..20 {
        let outcome = client.outcome(json!({"t": "offer", "sdp": "v=0"})).await;
        limited |= outcome == "rate_limited";
        assert!(
            outcome == "rate_limited" || outcome == "bad_request",
            "{outcome}"
        );
    }
    assert!(limited);
    world.server.stop().await;
}
