//! How the room is arranged: what learners may do, who is shown to all, slow
//! mode, the timer, roles handed over.

use lophoc_ledger::Event;
use lophoc_protocol::people::Permits;
use lophoc_protocol::server::Timer;
use lophoc_protocol::{ClientMessage, ErrorCode, PersonId};

use crate::act::Outcome;
use crate::room::Room;

/// The arrangement.
#[derive(Debug, Default)]
pub(crate) struct Arrangement {
    pub permits: Permits,
    pub spotlight: Vec<PersonId>,
    pub slow_sec: u16,
    pub timer: Option<Timer>,
}

impl Room {
    /// `modPermits`, `modSpot`, `modSlow`, `modTimer`, `modRole`, `modSubstitute`.
    pub(crate) fn arrange_act(&mut self, _me: &PersonId, _msg: ClientMessage) -> Outcome {
        Err(ErrorCode::Forbidden)
    }

    /// Takes away a timer that ran out.
    pub(crate) fn tick_arrangement(&mut self) {}

    /// Takes up an event of the arrangement from the ledger.
    pub(crate) fn replay_arrangement(&mut self, _event: &Event) {}
}
