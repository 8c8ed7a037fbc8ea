//! Media sockets, str0m sessions, shards.
//!
//! The control plane holds a [`MediaPlane`]: it hands over SDP offers, rights
//! and views, and hears [`MediaEvent`]s. Behind it run shard threads, each with
//! its own UDP socket on the one port, its own connections, timers and
//! [`lophoc_media`] core. This is the only crate that names str0m, opens media
//! sockets or holds `unsafe` (all of it in `sys`); no type of str0m appears in
//! its public interface. It knows nothing of rooms' people, roles, signalling or
//! storage.
//!
//! The path of a packet: `udp` receives a batch, `shard` finds each datagram's
//! session by its address (which only an authenticated STUN request enters into
//! the table), `session` feeds str0m and hands the parsed packet to the core; the
//! core tells which receivers have something pending, `egress` visits each once,
//! `batch` joins what they emit to runs and sends them. Where no UDP gets through,
//! browsers come by `tcp` on the same port number.

#[cfg(test)]
mod allocations;
mod api;
mod batch;
mod egress;
mod load;
mod mailbox;
#[cfg(any(test, feature = "measure"))]
#[doc(hidden)]
pub mod measure;
mod offer;
mod plane;
mod registry;
mod session;
#[cfg(test)]
mod session_tests;
mod shard;
#[cfg(test)]
mod shard_tests;
mod srtp;
mod stats;
mod stun;
mod sys;
mod tcp;
#[cfg(test)]
mod tcp_tests;
#[cfg(any(test, feature = "measure"))]
#[path = "../tests/common/mod.rs"]
mod test_client;
mod timer;
mod udp;
mod worker;

use std::time::Duration;

pub use api::{
    ConnectError, ConnectSpec, Connected, DisconnectReason, EgressKind, MediaConfig, MediaEvent,
    MidMap, PeerQuality, StartError,
};
pub use plane::MediaPlane;
pub use stats::{Drops, MediaStats, RTT_BOUNDS_MS, TcpStats};

/// Largest SDP offer accepted, bytes.
pub const MAX_OFFER_BYTES: usize = 200 * 1024;

/// Default of [`MediaConfig::silence_limit`]: the life of a consent to send
/// (RFC 7675 §5.1).
pub const SILENCE_LIMIT: Duration = Duration::from_secs(30);
