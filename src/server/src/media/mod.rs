//! Between signalling and the media plane: track ids, m-lines and slots on the
//! one side, peers and slot indices on the other.

mod convert;
mod probes;
mod routes;

pub use convert::{MidTable, allow_of, bound_view, overload_of, sends_of, slots_of};
pub use probes::{PROBE_LIFE, ProbeSpec};
pub use routes::{Levels, Routes};
