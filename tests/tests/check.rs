//! The connection of a network check, made by an independent client: it comes
//! up, forwards nothing, is in no room, and ends by itself.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use loadtests::pattern::StampClock;
use loadtests::server::{Build, Metrics, OwnServer};
use loadtests::webrtc_client::WebrtcClient;
use lophoc_protocol::SlotCounts;
use serde_json::{Value, json};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A check lives for 15 s; a slow machine is given more.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open_checks(server: &OwnServer) -> f64 {
    let metrics = Metrics::fetch(&server.origin).await.unwrap();
    metrics.get("lophoc_check_connections").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_comes_up_without_a_room_and_dies_by_itself() {
    let server = OwnServer::start(Build::own().binary().await.unwrap())
        .await
        .unwrap();
    let room = server.new_class("Kiểm tra", "training").await.unwrap();
    let link = server.link(&room, "learner").await.unwrap();
    let key = link.rsplit('/').next().unwrap();
    let slots = SlotCounts { a: 1, v: 0, s: 0 };
    let clock = StampClock::default();
    let (client, offer) = WebrtcClient::offer_lines(LOOPBACK, &[], slots, clock)
        .await
        .unwrap();
    let body = json!({"key": key, "via": "udp", "sdp": offer});
    let answer: Value = server
        .origin
        .post_json("/api/v1/check/media", &body)
        .await
        .unwrap();
    client
        .answer(answer["sdp"].as_str().unwrap())
        .await
        .unwrap();
    client.connected().await.unwrap();
    let up = Instant::now();
    let metrics = Metrics::fetch(&server.origin).await.unwrap();
    assert_eq!(metrics.get("lophoc_check_connections"), Some(1.0));
    assert_eq!(metrics.get("lophoc_rooms"), Some(0.0), "it is in no room");

    // The client stays; the server ends it all the same, and counts it out.
    while open_checks(&server).await > 0.0 {
        assert!(up.elapsed() < PATIENCE, "the check does not end");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(client.take().audio, 0, "nothing was forwarded");
    server.stop().await.unwrap();
}
