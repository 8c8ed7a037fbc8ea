//! Questions and answers.

use lophoc_ledger::Event;
use lophoc_protocol::talk::Question;
use lophoc_protocol::{ClientMessage, ErrorCode, PersonId, ServerMessage};

use crate::act::Outcome;
use crate::room::Room;

/// The questions of a room.
#[derive(Debug, Default)]
pub(crate) struct Questions {}

impl Room {
    /// `question`, `questionUp`, `questionSet`.
    pub(crate) fn question_act(&mut self, _me: &PersonId, _msg: ClientMessage) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// The questions everybody sees, for `state`.
    pub(crate) fn questions_shown(&self) -> Vec<Question> {
        Vec::new()
    }

    /// What only this person is told of questions and chat, after `state` and
    /// `resumed`.
    pub(crate) fn talk_mine(&self, _to: &PersonId) -> Vec<ServerMessage> {
        Vec::new()
    }

    /// Tells what was gathered: votes for questions.
    pub(crate) fn tick_questions(&mut self) {}

    /// Takes up an event of a question from the ledger.
    pub(crate) fn replay_question(&mut self, _event: &Event) {}
}
