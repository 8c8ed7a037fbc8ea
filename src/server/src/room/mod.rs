//! Rooms in memory: one task per room around the sans-IO room, and the registry
//! that finds or loads them.

mod actor;
mod commits;
mod effects;
mod links;
mod load;
mod negotiate;
mod record;
mod registry;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use lophoc_protocol::server::Recording;
use lophoc_protocol::slides::FileWay;
use lophoc_protocol::{ClientMessage, ErrorCode, Hello, PersonId, RoomMode};
use lophoc_records::{SessionMode, StoreError};
use lophoc_room::{Command, LinkId, OutsideAct, PersonNow, Room, Snapshot};
use lophoc_transport::PeerQuality;
use tokio::sync::{mpsc, oneshot};

pub use registry::Rooms;

use crate::auth::TokenClaims;
use crate::ws::outbox::Outbox;

/// Commands waiting for a room. Overflow: the sockets wait, and with them the
/// clients that sent too much.
const QUEUE: usize = 4_096;

/// A link that wants to come in.
#[derive(Debug)]
pub struct Joining {
    /// Its number.
    pub link: LinkId,
    /// Request id of the hello.
    pub id: Option<u32>,
    /// Who.
    pub claims: TokenClaims,
    /// What it said.
    pub hello: Box<Hello>,
    /// Where its messages go.
    pub outbox: Arc<Outbox>,
}

/// The room as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Nobody new may come in.
    pub locked: bool,
    /// No place left.
    pub full: bool,
    /// Over.
    pub ended: bool,
    /// The lesson has begun.
    pub begun: bool,
    /// Recording that goes on.
    pub recording: Option<Recording>,
}

/// The room as a live desk shows it: at most a second old.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The room and who waits.
    pub room: Snapshot,
    /// The last figures of the media plane for each of `room.people`, in their
    /// order; absent without a connection.
    pub quality: Vec<Option<PeerQuality>>,
    /// When it was taken, ms since the epoch.
    pub at_ms: u64,
}

impl Desk {
    /// Everybody present with the figures of the connection.
    pub fn people(&self) -> impl Iterator<Item = (&PersonNow, Option<PeerQuality>)> {
        self.room.people.iter().zip(self.quality.iter().copied())
    }
}

/// What somebody brings into a room over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bring {
    /// Slides.
    Deck,
    /// A file.
    File(FileWay),
}

impl Bring {
    /// Whether this person may, now.
    fn allowed(self, room: &Room, person: &PersonId) -> Result<(), ErrorCode> {
        match self {
            Self::Deck => room.may_bring_deck(person),
            Self::File(way) => room.may_bring_file(person, way),
        }
    }
}

/// The room's task is gone; it can be loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the room is gone")]
pub struct RoomGone;

#[derive(Debug)]
enum ToRoom {
    Join(Joining, oneshot::Sender<()>),
    Frame {
        link: LinkId,
        id: Option<u32>,
        msg: ClientMessage,
    },
    Heard(LinkId),
    Closed {
        link: LinkId,
        clean: bool,
    },
    Status(oneshot::Sender<Status>),
    Snapshot(oneshot::Sender<Arc<Desk>>),
    /// Whether somebody is here, at this moment.
    Holds(PersonId, oneshot::Sender<bool>),
    Hall {
        site: PersonId,
        people: u32,
    },
    /// Whether somebody may bring something.
    MayBring {
        person: PersonId,
        bring: Bring,
        answer: oneshot::Sender<Result<(), ErrorCode>>,
    },
    /// Somebody brought something that is on disk; answered when the room's
    /// ledger has it.
    Bring {
        person: PersonId,
        bring: Bring,
        command: Command,
        answer: oneshot::Sender<Result<(), ErrorCode>>,
    },
    /// Somebody who is in does something to somebody else, not from the page of the
    /// room.
    Act {
        me: PersonId,
        who: PersonId,
        act: OutsideAct,
        answer: oneshot::Sender<Result<(), ErrorCode>>,
    },
    /// What became of something that was brought.
    News(Command),
    /// The operator ends the session; answered when that is on disk.
    End(oneshot::Sender<Result<(), StoreError>>),
    Drain(oneshot::Sender<()>),
    /// A fault of the server, for the test of what follows.
    #[cfg(test)]
    Break,
}

/// The way into a room.
#[derive(Debug, Clone)]
pub struct RoomHandle {
    /// Which run of the room's task.
    run: u64,
    to: mpsc::Sender<ToRoom>,
}

impl RoomHandle {
    async fn send(&self, message: ToRoom) -> Result<(), RoomGone> {
        self.to.send(message).await.map_err(|_| RoomGone)
    }

    /// A message of a client.
    pub async fn frame(
        &self,
        link: LinkId,
        id: Option<u32>,
        msg: ClientMessage,
    ) -> Result<(), RoomGone> {
        self.send(ToRoom::Frame { link, id, msg }).await
    }

    /// The link gave a sign of life.
    pub async fn heard(&self, link: LinkId) -> Result<(), RoomGone> {
        self.send(ToRoom::Heard(link)).await
    }

    /// The socket is gone; `clean`: closed by the client.
    pub async fn closed(&self, link: LinkId, clean: bool) {
        // A room that is gone has written the lapse of everybody already.
        let _ = self.send(ToRoom::Closed { link, clean }).await;
    }
}

/// The stored mode in the words of the protocol.
pub fn mode_of(mode: SessionMode) -> RoomMode {
    match mode {
        SessionMode::Discussion => RoomMode::Discussion,
        SessionMode::Training => RoomMode::Training,
        SessionMode::Conference => RoomMode::Conference,
    }
}
