//! A meeting of the Ministry with the thirty-four Sở, end to end: the real
//! binary on an empty folder, `/api/v1`, websockets and phones, from the first
//! sign-in to the record bundle. Nothing is put into the records by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in tests a failing unwrap is a failing test"
)]

#[path = "../wire/client.rs"]
#[allow(dead_code)]
mod client;
mod hold;
mod live;
mod numbers;
mod papers;
mod prepare;
mod reading;
mod rights;
mod roster;
mod server;
#[path = "../wire/world.rs"]
#[allow(dead_code)]
mod world;

use crate::server::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ministry_meets_thirty_four_departments() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path()).await;
    let meeting = prepare::prepare(&server).await;
    let truth = hold::hold(&server, &meeting).await;
    numbers::check(&meeting, &truth).await;
    rights::check(&server, &meeting).await;
    papers::check(&server, &meeting).await;
    rights::check_log_and_protection(&meeting).await;
}
