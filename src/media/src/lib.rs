//! The sans-IO media plane: what is forwarded to whom, at which layer, under
//! which numbers.
//!
//! One [`core::ShardCore`] lives in each shard thread. It is fed with parsed
//! packets, views, estimates and messages of other shards, each with the time
//! as an argument, and yields per-receiver packets, keyframe requests, relay
//! messages and bindings. This crate never touches a socket, str0m, tokio, the
//! wall clock, or another thread; it knows neither rooms' people nor rights.

pub mod core;
pub mod relay;
pub mod types;
