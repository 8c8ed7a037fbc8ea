//! Stopping: everybody is told to come back, and the next run knows them.

use lophoc::Server;
use lophoc_protocol::Role;
use serde_json::json;

use crate::client::{Client, get};
use crate::world::{World, config, hello};

#[tokio::test]
async fn a_stopping_server_asks_everybody_to_resume_and_the_next_one_knows_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(config(folder.path())).await.unwrap();
    let session = lophoc::create(
        &server.app.store,
        "Lớp",
        "Sở",
        lophoc_protocol::RoomMode::Discussion,
        1,
    )
    .await
    .unwrap();
    let links = lophoc::LinkMaker::new(&server.app.store, String::new())
        .await
        .unwrap();
    let link = links.link(&session.room, Role::Organiser, None, 1).unwrap();
    let host = server.addresses()[0].to_string();
    let join = json!({"link": link, "name": "An", "device": "d-12345678"});
    let token = crate::client::post(&host, "/api/join", &join).await.1["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut client = Client::enter(&host, &token).await;
    assert_eq!(client.chat("c1", "trước khi dừng").await, "ok");

    let stopping = tokio::spawn(server.stop());
    let bye = client.until("bye").await;
    assert_eq!(bye["action"], "resume");
    assert!(client.read().await.is_none());
    stopping.await.unwrap();

    let server = Server::start(config(folder.path())).await.unwrap();
    let host = server.addresses()[0].to_string();
    let mut client = Client::enter(&host, &token).await;
    let state = client.seen.remove(0);
    assert_eq!(state["chat"][0]["text"], "trước khi dừng");
    client.leave().await;
    let csv = get(
        &host,
        &format!("/api/sessions/{}/stays.csv", session.id),
        Some(&token),
    )
    .await
    .1;
    // One stay in each run of the server.
    assert_eq!(csv.matches("An").count(), 2, "{csv}");
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_is_not_ready_and_takes_nobody() {
    let world = World::new().await;
    assert_eq!(get(&world.host(), "/readyz", None).await.0, 200);
    world.server.app.start_draining();
    assert_eq!(get(&world.host(), "/readyz", None).await.0, 503);
    assert_eq!(get(&world.host(), "/healthz", None).await.0, 200);
    let body = json!({"link": world.link(Role::Learner), "name": "An", "device": "d-12345678"});
    assert_eq!(
        crate::client::post(&world.host(), "/api/join", &body).await,
        (503, json!({"code": "busy"}))
    );
    assert_eq!(
        crate::client::open(&world.host(), None).await.err(),
        Some(503)
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_socket_opened_before_the_stop_loads_no_room_after_it() {
    let world = World::new().await;
    let token = world.token(Role::Learner, "An").await;
    let mut client = Client::raw(&world.host()).await;
    world.server.app.start_draining();
    client.send(&hello(&token)).await;
    let bye = client.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("rejoin"), &json!("busy"))
    );
    world.server.stop().await;
}
