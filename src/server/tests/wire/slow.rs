//! A client that never reads is given up; the others notice nothing.

use lophoc_protocol::{Role, RoomMode};
use serde_json::json;

use crate::client::get;
use crate::world::World;

#[tokio::test]
async fn a_client_that_never_reads_is_shed_while_another_keeps_receiving() {
    let world = World::with(RoomMode::Discussion, |config| {
        config.limits.outbox_messages = 64;
        config.limits.frames_burst = 100_000;
        config.limits.frames_per_second = 100_000;
    })
    .await;
    let sleeper = world.enter(Role::Learner, "Ngủ").await;
    let mut reader = world.enter(Role::Learner, "Đọc").await;
    let mut writers = Vec::new();
    for n in 0..8 {
        writers.push(world.enter(Role::Trainer, &format!("Nói {n}")).await);
    }
    // Large messages fill the sleeper's socket, then its queue.
    let text = "x".repeat(4_900);
    let mut sent = 0;
    let mut shed = false;
    while !shed && sent < 4_000 {
        for writer in &mut writers {
            let outcome = writer.chat(&format!("c{sent}"), &text).await;
            if outcome == "ok" {
                let cid = format!("c{sent}");
                reader
                    .until_that(|message| {
                        message["t"] == "chat" && message["m"]["cid"] == cid.as_str()
                    })
                    .await;
                reader.seen.clear();
            }
            writer.seen.clear();
            sent += 1;
        }
        let metrics = get(&world.host(), "/metrics", None).await.1;
        shed = metrics.contains("lophoc_ws_closed_total{reason=\"slow\"} 1");
    }
    assert!(shed, "the sleeper was never given up");
    reader
        .until_that(|message| {
            message["t"] == "people"
                && message["chg"]
                    .as_array()
                    .is_some_and(|changed| changed.iter().any(|one| one["link"] == "lost"))
        })
        .await;
    assert_eq!(reader.outcome(json!({"t": "hand", "up": true})).await, "ok");
    drop(sleeper);
    world.server.stop().await;
}
