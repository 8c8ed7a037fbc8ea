//! Breakout groups.

use lophoc_ledger::Event;
use lophoc_protocol::groups::Groups;
use lophoc_protocol::{ClientMessage, ErrorCode, PersonId};

use crate::act::Outcome;
use crate::room::Room;

/// The groups of a room.
#[derive(Debug, Default)]
pub(crate) struct Breakout {}

impl Room {
    /// `groupsMake` and what follows it, `groupPick`.
    pub(crate) fn group_act(&mut self, _me: &PersonId, _msg: ClientMessage) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// The groups, for `state`.
    pub(crate) fn groups(&self) -> Option<Groups> {
        None
    }

    /// Brings people back when the time is over.
    pub(crate) fn tick_groups(&mut self) {}

    /// Takes up an event of groups from the ledger.
    pub(crate) fn replay_group(&mut self, _event: &Event) {}
}
