//! Reactions: gathered between two ticks, shown, forgotten.

use lophoc_protocol::talk::Reaction;
use lophoc_protocol::{ErrorCode, PersonId};

use crate::act::Outcome;
use crate::room::Room;

/// Reactions since the last tick.
#[derive(Debug, Default)]
pub(crate) struct Reactions {}

impl Room {
    pub(crate) fn react(&mut self, _me: &PersonId, _e: Reaction) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    pub(crate) fn tick_reactions(&mut self) {}
}
