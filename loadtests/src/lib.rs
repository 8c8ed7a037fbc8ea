//! Load generator of lophoc: clients that join over `lophoc.v1` with real ICE,
//! DTLS and SRTP, publish and receive, and what they measure.
//!
//! It is a client only: it never reads the server's data, never links the
//! server's crates, and what it says of the server's cost comes from `/proc` and
//! `/metrics`.

pub mod bars;
pub mod bots;
pub mod classroom;
pub mod compare;
pub mod crowd;
pub mod error;
pub mod feedback;
pub mod flash;
pub mod histogram;
pub mod http;
pub mod impair;
pub mod ivf;
pub mod janus;
pub mod keys;
pub mod learner;
pub mod lecture;
pub mod pattern;
pub mod peer;
pub mod publisher;
pub mod reactor;
pub mod recording;
pub mod report;
pub mod server;
pub mod signal;
pub mod sizing;
pub mod socket;
pub mod srtcp;
pub mod threads;
pub mod weak;
pub mod webrtc_client;
