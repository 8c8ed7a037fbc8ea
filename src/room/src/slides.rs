//! Slides: which decks there are, and the page everybody sees.

use lophoc_ledger::Event;
use lophoc_protocol::slides::{Deck, Stage};
use lophoc_protocol::{ClientMessage, ErrorCode, PersonId};

use crate::act::Outcome;
use crate::room::Room;

/// The decks of a room.
#[derive(Debug, Default)]
pub(crate) struct Slides {}

impl Room {
    /// `slideShow`, `slideHide`, `slidePoint`, `deckSet`, `deckDrop`.
    pub(crate) fn slide_act(&mut self, _me: &PersonId, _msg: ClientMessage) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// The decks, for `state`.
    pub(crate) fn decks(&self) -> Vec<Deck> {
        Vec::new()
    }

    /// The page everybody sees.
    pub(crate) fn stage(&self) -> Option<Stage> {
        None
    }

    /// Takes up an event of slides from the ledger.
    pub(crate) fn replay_slide(&mut self, _event: &Event) {}
}
