//! A client that never reads is given up; the others notice nothing.

use std::time::Duration;

use lophoc_protocol::{Role, RoomMode};
use serde_json::{Value, json};

use crate::client::{Client, get, open_narrow};
use crate::world::{World, hello};

/// Each may write ten messages at once.
const WRITERS: usize = 50;
const ROUNDS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_shed_while_another_keeps_receiving() {
    let world = World::with(RoomMode::Discussion, |config| {
        config.limits.outbox_bytes = 1024 * 1024
    })
    .await;
    let mut sleeper = Client::over(open_narrow(&world.host()).await);
    let token = world.token(Role::Learner, "Ngủ").await;
    sleeper.send(&hello(&token)).await;
    sleeper.greeted().await;
    let mut reader = world.enter(Role::Learner, "Đọc").await;
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        writers.push(world.enter(Role::Trainer, &format!("Nói {n}")).await);
    }
    // Seven megabytes of chat: more than the buffers of a socket and a queue hold.
    let text = "ế".repeat(4_900);
    let mut noticed = false;
    for round in 0..ROUNDS {
        let cid = format!("c{round}");
        let chats = writers.iter_mut().map(async |writer| {
            assert_eq!(writer.chat(&cid, &text).await, "ok");
            writer.seen.clear();
        });
        let heard = async {
            let mut heard = 0;
            while heard < WRITERS {
                let message = reader.read().await.expect("the reader is not shed");
                heard += usize::from(message["t"] == "chat");
                noticed |= tells_of_a_lost_link(&message);
            }
        };
        futures_util::join!(futures_util::future::join_all(chats), heard);
    }
    let shed = async || {
        let metrics = get(&world.host(), "/metrics", None).await.1;
        metrics.contains("lophoc_ws_closed_total{reason=\"slow\"} 1")
    };
    while !shed().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if !noticed {
        reader.until_that(tells_of_a_lost_link).await;
    }
    assert_eq!(reader.outcome(json!({"t": "hand", "up": true})).await, "ok");
    drop(sleeper);
    world.server.stop().await;
}

fn tells_of_a_lost_link(message: &Value) -> bool {
    let changed = message["chg"].as_array();
    changed.is_some_and(|changed| changed.iter().any(|one| one["link"] == "lost"))
}
