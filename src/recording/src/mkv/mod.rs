//! Matroska, as much of it as a recording needs: one track a file, clusters of
//! known size, nothing that would have to be changed later.

pub mod ebml;
pub mod h264;
pub mod vp8;
mod writer;

pub use writer::{Cluster, OPUS_DELAY_MS, TrackHead, opus_head};
