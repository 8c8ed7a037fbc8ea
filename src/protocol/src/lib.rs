//! The signalling protocol `lophoc.v1`: every message between a client and the
//! server, the ids they carry and the closed set of error codes.
//!
//! This crate is pure data. It never opens a socket, reads a clock, decides a
//! right or keeps state. The TypeScript types of the web client are generated
//! from it (`cargo test -p lophoc-protocol`), and golden JSON files under
//! `golden/` are parsed by both sides. `docs/PROTOCOL.md` is the prose.

pub mod client;
pub mod error;
pub mod ids;
pub mod limits;
pub mod media;
pub mod people;
pub mod server;

pub use client::{ClientFrame, ClientMessage, Hello};
pub use error::ErrorCode;
pub use ids::{ChatId, PersonId, RoomId, SessionId, SlotId, TrackId};
pub use media::{MediaKind, Profile, SlotCounts, TrackState};
pub use people::{Action, Person, Role, RoomMode};
pub use server::{ServerFrame, ServerMessage, Welcome};

/// Name of the websocket subprotocol.
pub const SUBPROTOCOL: &str = "lophoc.v1";
/// Version number carried in `hello` and `welcome`.
pub const PROTO: u32 = 1;
