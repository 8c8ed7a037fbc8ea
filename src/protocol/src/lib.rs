//! The signalling protocol `lophoc.v1`: every message between a client and the
//! server, the ids they carry and the closed set of error codes.
//!
//! This crate is pure data. It never opens a socket, reads a clock, decides a
//! right or keeps state. The TypeScript types of the web client are generated
//! from it, and golden JSON files under `golden/` are parsed by both sides:
//! `cargo test -p lophoc-protocol` fails when either is stale, and
//! `UPDATE_GOLDEN=1 cargo test -p lophoc-protocol` rewrites them.
//! `docs/PROTOCOL.md` is the prose.

pub mod board;
pub mod captions;
pub mod client;
pub mod error;
pub mod groups;
pub mod ids;
pub mod limits;
pub mod media;
pub mod notes;
pub mod people;
pub mod poll;
pub mod recording;
pub mod server;
pub mod slides;
pub mod talk;
pub mod wire;

pub use client::{ClientFrame, ClientMessage, Hello};
pub use error::ErrorCode;
pub use groups::GroupNo;
pub use ids::{
    BoardId, ChatId, DeckId, FileId, NotesId, PersonId, PollId, QuestionId, RecordingId, RoomId,
    SessionId, SlotId, TrackId,
};
pub use media::{MediaKind, Profile, SlotCounts, TrackState};
pub use people::{Action, Person, Role, RoomMode};
pub use server::{LessonPhase, ServerFrame, ServerMessage, Welcome};

pub use wire::{BadFrame, parse_client, parse_server};

/// Name of the websocket subprotocol.
pub const SUBPROTOCOL: &str = "lophoc.v1";
/// Version number carried in `hello` and `welcome`.
pub const PROTO: u32 = 1;
