//! What can go wrong with storage.

use std::sync::Arc;

use lophoc_classes::{Day, StepRefused};
use lophoc_ledger::SessionKey;

/// An error of the store. Cheap to clone: one failed commit answers many.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the bound set for the database, is full. Not lost: see
    /// [`LedgerWriter::append`](crate::LedgerWriter::append).
    #[error("storage is full")]
    Full,
    /// Reading or writing the disk failed.
    #[error("storage input/output failed: {0}")]
    Io(String),
    /// Too much is waiting, or another process holds the database.
    #[error("storage is busy")]
    Busy,
    /// The store was closed.
    #[error("storage is closed")]
    Stopped,
    /// No such session.
    #[error("unknown session {0}")]
    UnknownSession(SessionKey),
    /// No such class.
    #[error("unknown class {0}")]
    UnknownClass(String),
    /// Events of several sessions in one append.
    #[error("one append holds events of several sessions")]
    MixedSessions,
    /// An event before this one is missing from the log.
    #[error("ledger of session {session}: event {expected} is next, got {got}")]
    Gap {
        /// Session.
        session: SessionKey,
        /// Number that must come next.
        expected: u64,
        /// Number that came.
        got: u64,
    },
    /// Another event has this number already.
    #[error("ledger of session {session}: another event has number {seq}")]
    Conflict {
        /// Session.
        session: SessionKey,
        /// Number.
        seq: u64,
    },
    /// An ended session can not be opened again.
    #[error("session {0} has ended")]
    SessionEnded(SessionKey),
    /// Somebody else has this value: the name of the field.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// A field refers to something that does not exist: the name of the field.
    #[error("{0} refers to nothing")]
    Unknown(&'static str),
    /// Somebody else changed it since it was read.
    #[error("changed by somebody else in the meantime")]
    Stale,
    /// The state of a class or session does not allow it.
    #[error("refused: {0}")]
    Refused(StepRefused),
    /// Kept open by law until that day, the day included (TT21 Điều 10.8).
    #[error("protected until {0}")]
    Protected(Day),
    /// More of these than one class may have: the name of the field.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// What is stored can not be read.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The operating system gave no random numbers.
    #[error("no randomness")]
    NoRandomness,
    /// The schema could not be brought up to date.
    #[error("schema: {0}")]
    Migration(String),
    /// Anything else from the database.
    #[error("database: {0}")]
    Database(Arc<sqlx::Error>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            sqlx::Error::Io(io) => Self::Io(io.to_string()),
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::PoolClosed => Self::Stopped,
            sqlx::Error::Database(inner) => {
                // SQLite result codes; the low byte is the primary code.
                let code = inner.code().and_then(|code| code.parse::<u32>().ok());
                match code.map(|code| code & 0xff) {
                    Some(5 | 6) => Self::Busy,
                    Some(10) => Self::Io(inner.message().to_owned()),
                    Some(11 | 26) => Self::Damaged(inner.message().to_owned()),
                    Some(13) => Self::Full,
                    _ => Self::Database(Arc::new(error)),
                }
            }
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error.to_string())
    }
}
