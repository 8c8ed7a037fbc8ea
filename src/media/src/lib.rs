//! The sans-IO media plane: what is forwarded to whom, at which layer, under
//! which numbers.
//!
//! One [`core::ShardCore`] lives in each shard thread. It is fed with parsed
//! packets, views, estimates and messages of other shards, each with the time
//! as an argument, and yields per-receiver packets, keyframe requests, relay
//! messages and bindings. Beside it stand the parsers of everything that comes
//! from outside before it is known to be good. This crate never touches a
//! socket, str0m, tokio, the wall clock, or another thread; it never changes a
//! byte of a packet (for weak links it puts frames of sound together, [`opus`]), never panics on one, and knows neither rooms' people nor
//! rights.

pub mod allocate;
mod bytes;
pub mod cache;
pub mod classify;
pub mod core;
pub mod framing;
pub mod h264;
pub mod idmap;
pub mod keyframe;
pub mod ladder;
pub mod layers;
pub mod meta;
pub mod opus;
pub mod overload;
pub mod rate;
pub mod red;
pub mod relay;
pub mod resend;
pub mod rewrite;
pub mod rtcp;
pub mod rtp;
pub mod slot;
pub mod speakers;
pub mod stun;
pub mod trial;
pub mod types;
pub mod vp8;
