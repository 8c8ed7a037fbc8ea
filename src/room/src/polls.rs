//! Polls, quizzes and votes.

use lophoc_ledger::Event;
use lophoc_protocol::poll::Poll;
use lophoc_protocol::{ClientMessage, ErrorCode, PersonId, ServerMessage};

use crate::act::Outcome;
use crate::room::Room;

/// The polls of a room.
#[derive(Debug, Default)]
pub(crate) struct Polls {}

impl Room {
    /// `pollOpen` and what follows it.
    pub(crate) fn poll_act(&mut self, _me: &PersonId, _msg: ClientMessage) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// The polls on the screens, for `state`.
    pub(crate) fn polls_shown(&self, _to: &PersonId) -> Vec<Poll> {
        Vec::new()
    }

    /// What only this person is told of polls, after `state` and `resumed`.
    pub(crate) fn polls_mine(&self, _to: &PersonId) -> Vec<ServerMessage> {
        Vec::new()
    }

    /// Tells what was gathered, closes what is over.
    pub(crate) fn tick_polls(&mut self) {}

    /// Takes up an event of a poll from the ledger.
    pub(crate) fn replay_poll(&mut self, _event: &Event) {}
}
