//! Through str0m: write everything, give the clock once, drain. Touching a cold
//! connection costs more than its packets, so one visit carries them all.

use std::time::Instant;

use lophoc_media::types::Forward;

use super::Egress;
use crate::session::{Session, SessionError, Sink};

/// The reference.
#[derive(Debug, Default)]
pub(crate) struct EngineEgress;

impl Egress for EngineEgress {
    fn visit(
        &mut self,
        now: Instant,
        session: &mut Session,
        pending: &mut Vec<Forward>,
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        for forward in pending.drain(..) {
            // The engine resends by itself.
            if !forward.resend {
                session.enqueue(forward);
            }
        }
        session.timeout(now, sink)
    }
}
