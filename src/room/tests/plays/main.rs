//! Small plays: people come, speak, break off and come back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../common/mod.rs"]
mod common;

mod arrange;
mod boards;
mod captions;
mod checks;
mod coming;
mod crash;
mod devices;
mod direct;
mod group_notes;
mod groups;
mod ladder;
mod lesson;
mod lock;
mod notes;
mod outside;
mod polls;
mod questions;
mod rates;
mod recorder;
mod recording;
mod slides;
mod spans;
mod speaking;
mod talk;
mod waiting;

use common::{Play, START, config, id};
use lophoc_ledger::{Event, EventKind, LastSeen, LeaveReason, PersonKey, Stamp, StayEnd, stays};
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, RESUME_MS, RING};
use lophoc_protocol::people::LinkState;
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::{
    Action, ClientMessage as M, ErrorCode, LessonPhase, MediaKind, Role, RoomMode, ServerMessage,
    TrackState,
};
use lophoc_room::{Command, LinkId, RoomConfig};

const LIVE: TrackState = TrackState::Live;
const MIC: MediaKind = MediaKind::Mic;

fn publish(kind: MediaKind, st: TrackState) -> M {
    M::Pub { kind, st }
}

fn chat(cid: &str, text: &str) -> M {
    M::Chat {
        cid: cid.into(),
        text: text.into(),
        to: lophoc_protocol::talk::Audience::All,
    }
}

fn muted(by: &str) -> ServerMessage {
    ServerMessage::Muted {
        kind: MIC,
        by: by.into(),
    }
}
