//! How a receiver's packets leave. Two ways, of which a connection has one from its
//! beginning to its end, so that no stream is ever sealed by both: [`direct`] writes
//! headers, seals, resends, reports and paces by itself; [`engine`] gives everything
//! to str0m, and is what the first is held against.

pub(crate) mod direct;
pub(crate) mod engine;
mod header;
mod reports;
mod resends;
mod stream;

use std::time::Instant;

use lophoc_media::types::Forward;

use crate::session::{Session, SessionError, Sink};

pub(crate) use direct::Direct;
pub(crate) use direct::WallClock;
pub(crate) use header::{ExtensionIds, Tag};
pub(crate) use reports::NOBODY;
pub(crate) use stream::{OutStream, PayloadType};

/// Which way a connection's packets leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EgressKind {
    /// Headers, sealing, resending and rate control of our own.
    #[default]
    Direct,
    /// Through the WebRTC engine, the reference.
    Engine,
}

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

/// Sends by the way the connection was made with.
#[derive(Debug, Default)]
pub(crate) struct AnyEgress;

impl Egress for AnyEgress {
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
        if session.is_direct() {
            direct::DirectEgress.visit(now, session, pending, sink)
        } else {
            engine::EngineEgress.visit(now, session, pending, sink)
        }
    }
}
