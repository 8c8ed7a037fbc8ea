//! How a receiver's packets leave. A trait from the start, because the path
//! through str0m is to be joined by one that writes headers and seals by itself;
//! one stream is never sealed by both (AEAD nonces would repeat).

use std::time::Instant;

use lophoc_media::types::Forward;

use crate::session::{Session, SessionError, Sink};

/// Sends what is pending for one receiver.
pub(crate) trait Egress {
    /// One visit: takes all of `pending`, which is empty afterwards, and emits
    /// the datagrams that may leave now.
    ///
    /// # Errors
    /// The session is beyond repair.
    fn visit(
        &mut self,
        now: Instant,
        session: &mut Session,
        pending: &mut Vec<Forward>,
        sink: &mut impl Sink,
    ) -> Result<(), SessionError>;
}

/// Through str0m: write everything, give the clock once, drain. Touching a cold
/// connection costs more than its packets, so one visit carries them all.
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
        if !session.can_send() {
            session.counters.receiver_silent += pending.len() as u64;
            pending.clear();
            return Ok(());
        }
        for forward in pending.drain(..) {
            session.enqueue(forward);
        }
        session.timeout(now, sink)
    }
}
