//! Breakout groups over the wire.

use std::time::{Duration, Instant};

use lophoc_protocol::{Role, RoomMode};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn people_go_into_groups_and_all_are_told_within_two_seconds_that_they_are_back() {
    let world = World::with(RoomMode::Training, |_| {}).await;
    let mut trainer = world.enter(Role::Trainer, "Cô Bình").await;
    let mut learners = Vec::new();
    for n in 1..=4 {
        learners.push(world.enter(Role::Learner, &format!("Học viên {n}")).await);
    }
    let make = json!({"t": "groupsMake", "names": ["Nhóm 1", "Nhóm 2"], "by": "random"});
    assert_eq!(learners[0].outcome(make.clone()).await, "forbidden");
    assert_eq!(trainer.outcome(make).await, "ok");
    let open = json!({"t": "groupsOpen", "minutes": 10});
    assert_eq!(trainer.outcome(open).await, "ok");
    let mut groups = Vec::new();
    for learner in &mut learners {
        let you = learner
            .until_that(|message| message["t"] == "you" && !message["group"].is_null())
            .await;
        groups.push(you["group"].as_u64().unwrap());
    }
    groups.sort_unstable();
    assert_eq!(groups, [1, 1, 2, 2]);
    // In a group one talks, though it is a lesson.
    let speak = json!({"t": "pub", "kind": "mic", "st": "live"});
    assert_eq!(learners[0].outcome(speak.clone()).await, "ok");
    let say = json!({"t": "groupsSay", "text": "Còn 2 phút nữa"});
    assert_eq!(trainer.outcome(say).await, "ok");
    for learner in &mut learners {
        let said = learner.until("groupsSaid").await;
        assert_eq!(
            (&said["text"], &said["by"]),
            (&json!("Còn 2 phút nữa"), &json!("Cô Bình"))
        );
    }

    let start = Instant::now();
    assert_eq!(trainer.outcome(json!({"t": "groupsClose"})).await, "ok");
    for learner in &mut learners {
        learner
            .until_that(|message| message["t"] == "you" && message["group"].is_null())
            .await;
    }
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(learners[0].outcome(speak).await, "forbidden");
    for learner in &mut learners {
        // The link has lived through all of it.
        assert_eq!(
            learner.outcome(json!({"t": "hand", "up": true})).await,
            "ok"
        );
        assert!(learner.seen.iter().all(|message| message["t"] != "bye"));
    }
    world.server.stop().await;
}
