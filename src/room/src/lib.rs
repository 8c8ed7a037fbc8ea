//! The room: a state machine that knows who is in, who may do what, and what
//! everybody is told.
//!
//! `Room::apply(now, command)` is the only way to change it; it answers with
//! [`Effect`]s in the order in which they take place. It holds the rights table,
//! the roster with its coalesced changes, the hand queue, the floor, the chat,
//! questions, the arrangement, the ring of broadcasts for resuming links, and it writes the
//! [ledger](lophoc_ledger) from which [`Room::rebuild`] makes it again.
//!
//! This crate never opens a socket, reads a clock, draws a random number, waits
//! or knows what a packet is: time, keys and ids are arguments. Every table has
//! a bound, named in [`bounds`].

mod act;
mod api;
mod arrange;
mod board;
pub mod bounds;
mod bucket;
mod captions;
mod chat;
mod checks;
mod direct;
mod files;
mod groups;
mod hands;
mod join;
mod leave;
mod lesson;
mod levels;
mod lobby;
mod moderate;
mod notes;
mod person;
mod polls;
mod questions;
mod reactions;
mod rebuild;
mod recorder;
mod recording;
pub mod rights;
mod ring;
mod room;
mod roster;
mod site_act;
mod slides;
mod snapshot;
mod spans;
mod talk;
pub mod text;
mod thrift;
mod tick;
mod waiters;

pub use api::{
    Allow4, Arrival, Command, Effect, Identity, LinkId, Now, RecordingAnswer, RecordingPlan,
    RecordingWords, RoomConfig,
};
pub use board::{BoardKept, BoardsKept, boards_of};
pub use notes::{GroupText, Op, Step, group_notes_of, notes_of};
pub use recorder::{RecordCommand, RecordStart, RecordWho, RecorderReport, Taken};
pub use room::Room;
pub use site_act::{OutsideAct, SiteNow};
pub use snapshot::{PersonNow, Snapshot};
