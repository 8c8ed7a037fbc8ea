//! What moderators do reaches the others.

use lophoc_protocol::{Role, RoomMode};
use serde_json::json;

use crate::client::{Client, post};
use crate::world::{World, hello};

#[tokio::test]
async fn a_muted_learner_is_told_and_everybody_sees_it() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let mut learner = world.enter(Role::Learner, "An").await;
    assert_eq!(
        learner
            .outcome(json!({"t": "pub", "kind": "mic", "st": "live"}))
            .await,
        "ok"
    );
    let mute = json!({"t": "modMute", "who": learner.person, "kind": "mic"});
    assert_eq!(trainer.outcome(mute).await, "ok");
    let muted = learner.until("muted").await;
    assert_eq!(
        (&muted["kind"], &muted["by"]),
        (&json!("mic"), &json!("Cô Bình"))
    );
    let page = trainer
        .ask(json!({"t": "peoplePage", "q": "An", "from": 0, "n": 9}))
        .await;
    let tracks = page["list"][0]["tracks"].as_array().unwrap();
    assert!(tracks.iter().all(|track| track["st"] != "live"), "{page}");
    world.server.stop().await;
}

#[tokio::test]
async fn the_floor_lets_a_learner_speak_in_training_until_it_is_withdrawn() {
    let world = World::with(RoomMode::Training, |_| {}).await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let mut learner = world.enter(Role::Learner, "An").await;
    let speak = json!({"t": "pub", "kind": "mic", "st": "live"});
    assert_eq!(learner.outcome(speak.clone()).await, "forbidden");
    assert_eq!(
        learner.outcome(json!({"t": "hand", "up": true})).await,
        "ok"
    );
    trainer
        .until_that(|message| message["t"] == "hands" && message["list"][0]["name"] == "An")
        .await;
    let floor = |give| json!({"t": "modFloor", "who": learner.person, "give": give});
    let (give, withdraw) = (floor(true), floor(false));
    assert_eq!(trainer.outcome(give).await, "ok");
    learner
        .until_that(|message| message["t"] == "you" && message["floor"] == true)
        .await;
    assert_eq!(learner.outcome(speak.clone()).await, "ok");
    assert_eq!(trainer.outcome(withdraw).await, "ok");
    learner
        .until_that(|message| message["t"] == "you" && message["floor"] == false)
        .await;
    assert_eq!(learner.outcome(speak).await, "forbidden");
    world.server.stop().await;
}

#[tokio::test]
async fn a_barred_person_stays_out_and_a_locked_room_takes_nobody_new() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let token = world.token(Role::Learner, "An").await;
    let mut learner = Client::enter(&world.host(), &token).await;
    let remove = json!({"t": "modRemove", "who": learner.person, "bar": true});
    assert_eq!(trainer.outcome(remove).await, "ok");
    let bye = learner.until("bye").await;
    assert_eq!(bye["action"], "stop");
    while learner.read().await.is_some() {}
    let mut again = Client::raw(&world.host()).await;
    again.send(&hello(&token)).await;
    let refusal = again.until("bye").await;
    assert_eq!(
        (&refusal["action"], &refusal["code"]),
        (&json!("stop"), &json!("banned"))
    );

    assert_eq!(
        trainer
            .outcome(json!({"t": "modLock", "locked": true}))
            .await,
        "ok"
    );
    let told = post(
        &world.host(),
        "/api/link",
        &json!({"link": world.link(Role::Learner)}),
    )
    .await
    .1;
    assert_eq!(told["state"], "locked");
    let mut newcomer = Client::raw(&world.host()).await;
    newcomer
        .send(&hello(&world.token(Role::Learner, "Mới").await))
        .await;
    assert_eq!(newcomer.until("bye").await["code"], "locked");
    world.server.stop().await;
}

#[tokio::test]
async fn the_end_is_told_to_all_and_the_link_leads_nowhere_afterwards() {
    let world = World::new().await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let mut learner = world.enter(Role::Learner, "An").await;
    assert_eq!(trainer.outcome(json!({"t": "modEnd"})).await, "ok");
    let bye = learner.until("bye").await;
    assert_eq!(
        (&bye["action"], &bye["code"]),
        (&json!("stop"), &json!("ended"))
    );
    while learner.read().await.is_some() {}
    while trainer.read().await.is_some() {}
    let link = json!({"link": world.link(Role::Learner), "name": "An", "device": "d-12345678"});
    let told = post(&world.host(), "/api/link", &link).await.1;
    assert_eq!(told["state"], "ended");
    assert_eq!(
        post(&world.host(), "/api/join", &link).await,
        (410, json!({"code": "ended"}))
    );
    world.server.stop().await;
}
