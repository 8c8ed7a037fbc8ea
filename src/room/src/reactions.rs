//! Reactions: gathered between two ticks, shown, forgotten.

use std::collections::BTreeMap;

use lophoc_protocol::talk::Reaction;
use lophoc_protocol::{Action, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::REACTIONS_NAMED;
use crate::room::Room;

/// Reactions since the last tick.
#[derive(Debug, Default)]
pub(crate) struct Reactions {
    first: Vec<(PersonId, Reaction)>,
    counts: BTreeMap<Reaction, u32>,
}

impl Room {
    pub(crate) fn react(&mut self, me: &PersonId, e: Reaction) -> Outcome {
        self.need(me, Action::React)?;
        let count = self.reactions.counts.entry(e).or_default();
        *count = count.saturating_add(1);
        if self.reactions.first.len() < REACTIONS_NAMED {
            self.reactions.first.push((me.clone(), e));
        }
        Ok(Done::Ok)
    }

    pub(crate) fn tick_reactions(&mut self) {
        if self.reactions.counts.is_empty() {
            return;
        }
        let Reactions { first, counts } = std::mem::take(&mut self.reactions);
        self.broadcast_lossy(ServerMessage::Reactions {
            list: first,
            counts: counts.into_iter().collect(),
        });
    }
}
