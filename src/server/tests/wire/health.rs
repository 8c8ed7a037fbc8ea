//! Health and metrics.

use lophoc_protocol::{Role, RoomMode};

use crate::client::{call, get};
use crate::world::World;

#[tokio::test]
async fn metrics_count_what_happens_and_name_nobody() {
    let world = World::new().await;
    let mut client = world.enter(Role::Learner, "Nguyễn Thị Kín").await;
    assert_eq!(client.chat("c", "lời riêng").await, "ok");
    let (status, text) = get(&world.host(), "/metrics", None).await;
    assert_eq!(status, 200);
    for line in [
        "lophoc_rooms 1",
        "lophoc_links 1",
        "lophoc_joins_total{result=\"ok\"} 1",
        "lophoc_ws_frames_total{dir=\"in\"}",
        "lophoc_ledger_commit_seconds_count",
        "lophoc_build_info{",
        "lophoc_media_shards 1",
        "lophoc_media_rtp_packets_total{dir=\"out\"}",
        "lophoc_media_bytes_total{dir=\"in\"}",
        "lophoc_media_loss_ratio",
        "lophoc_media_rtt_mean_seconds",
        "lophoc_media_gso_mean_run",
        "lophoc_media_queue_depth{queue=\"shards\"}",
        "lophoc_media_drops_total{reason=\"unknown_ufrag\"}",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    for secret in ["Kín", "riêng", &world.room, &client.person] {
        assert!(!text.contains(secret), "{secret} stands in the metrics");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_the_holder_of_the_token() {
    let world = World::with(RoomMode::Discussion, |config| {
        config.metrics.token = "a long enough token".to_owned();
    })
    .await;
    let through_proxy = async |more: &str| {
        let head = format!("x-forwarded-for: 203.0.113.7\r\n{more}");
        call(&world.host(), "GET", "/metrics", &head, "").await.0
    };
    assert_eq!(through_proxy("").await, 403);
    assert_eq!(through_proxy("authorization: Bearer wrong\r\n").await, 403);
    assert_eq!(
        through_proxy("authorization: Bearer a long enough token\r\n").await,
        200
    );
    assert_eq!(get(&world.host(), "/metrics", None).await.0, 200);
    world.server.stop().await;
}
