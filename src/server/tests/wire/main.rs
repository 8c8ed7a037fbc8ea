//! The server over the wire: a real server on free loopback ports, real
//! websockets, and for the crash tests the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in tests a failing unwrap is a failing test"
)]

mod client;
mod crash;
mod groups;
mod health;
mod hostile;
mod lesson;
mod links;
mod moderation;
mod pages;
mod program;
mod resume;
mod rights;
mod shutdown;
mod slides;
mod slow;
mod world;
