//! Errors as a closed set of codes. The words people read come from the client's
//! catalogue, in their language.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a request was refused or a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The message is not understood or breaks a rule of the protocol.
    BadRequest,
    /// The role has no right to do this, or the token is not valid.
    Forbidden,
    /// The room, person or track does not exist.
    NotFound,
    /// No place left in the room or on the server.
    Full,
    /// The server can carry nobody more. Those who are in, and staff, come in.
    ServerFull,
    /// The room is locked.
    Locked,
    /// A moderator removed the person, who may come back by the link.
    Removed,
    /// The person was removed and barred from the room.
    Banned,
    /// The link or token is too old.
    Expired,
    /// The class session has ended.
    Ended,
    /// The class session has not been opened yet.
    TooEarly,
    /// The person joined from another place, which took over.
    TakenOver,
    /// The person is in from another device; `takeOver` comes in instead of it.
    Elsewhere,
    /// A moderator did not let the person in from the waiting room.
    Denied,
    /// It is too late or too early for this: the poll is closed, the group is
    /// full, the deck is not ready.
    Conflict,
    /// There is no recorder: nothing can be recorded now.
    NoRecorder,
    /// There is too little room on the disk to record.
    NoSpace,
    /// Slow mode: the next message may come a little later.
    SlowMode,
    /// Too many messages in too short a time.
    RateLimited,
    /// The message is larger than allowed.
    TooLarge,
    /// The server is overloaded or shutting down; try again.
    Busy,
    /// A fault of the server; it is logged there.
    Internal,
}
