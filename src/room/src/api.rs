//! What goes into a room and what comes out.

use std::sync::Arc;

use lophoc_ledger::{Event, SessionKey};
use lophoc_protocol::client::Resume;
use lophoc_protocol::media::{OnRung, Overload};
use lophoc_protocol::recording::{RecordConsent, RecordWhom, RecordedBy};
use lophoc_protocol::slides::{Deck, FileItem};
use lophoc_protocol::{ClientMessage, PersonId, Role, RoomId, RoomMode, ServerFrame, SessionId};

use crate::recorder::{RecordCommand, RecorderReport};

/// The clocks of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch, UTC.
    pub wall_ms: u64,
    /// Milliseconds since the process began; never goes back.
    pub mono_ms: u64,
}

/// One websocket; the server numbers them and never uses a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// Who a valid token says the person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id.
    pub person: PersonId,
    /// Full name.
    pub name: String,
    /// Unit, when known or declared.
    pub unit: Option<String>,
    /// Role.
    pub role: Role,
    /// Name of the site (điểm cầu) when the connection stands for a hall.
    pub site: Option<String>,
}

/// What is told about a recording. Cleaned and within the bounds of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingWords {
    /// Who records and answers for it.
    pub who: String,
    /// What for; may be empty.
    pub why: String,
    /// How long it is kept, who may see it, how to object; may be empty.
    pub keep: String,
}

/// That a session is recorded, by the setting of its class or its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingPlan {
    /// What makes it.
    pub by: RecordedBy,
    /// What is told about it.
    pub words: RecordingWords,
    /// It begins with the lesson. One from outside always does.
    pub auto: bool,
    /// Of the server: whom it takes.
    pub whom: RecordWhom,
    /// Of the server: whether people are asked.
    pub ask: RecordConsent,
    /// Of the server: learners who are here watch what is recorded so far.
    pub from_start: bool,
}

/// What somebody answered to the words of a recording before he came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingAnswer {
    /// The words.
    pub words: RecordingWords,
    /// Whom the recording takes.
    pub whom: RecordWhom,
    /// Accepted.
    pub accepted: bool,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

/// What a room is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomConfig {
    /// Id of the room.
    pub room: RoomId,
    /// The class session it holds.
    pub session: SessionKey,
    /// Title of the session.
    pub title: String,
    /// Host unit.
    pub host: String,
    /// Mode it begins in.
    pub mode: RoomMode,
    /// Which run of the server this is.
    pub boot: u64,
    /// Planned beginning of the lesson, ms since the epoch. Absent: the lesson
    /// begins when the room opens.
    pub starts_ms: Option<u64>,
    /// Planned end, ms since the epoch; told, and closes nothing.
    pub ends_ms: Option<u64>,
    /// The session is recorded by a setting.
    pub recording: Option<RecordingPlan>,
    /// Least that a recording of the server asks for, by the sort of class.
    pub record_ask: RecordConsent,
    /// Newcomers wait until staff let them in; the ledger's later word counts.
    pub waiting: bool,
    /// Lots are drawn from it: when scheduled presence checks come.
    pub seed: u64,
    /// Places. Staff find a few more ([`bounds::STAFF_RESERVE`](crate::bounds::STAFF_RESERVE)).
    pub max_people: usize,
}

/// A link with a valid token that said hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The link.
    pub link: LinkId,
    /// Who.
    pub identity: Identity,
    /// Key or description of the device, for the ledger; never an address.
    pub device: String,
    /// Media peer of the person, the same for the life of the process.
    pub peer: u64,
    /// A fresh random session id.
    pub session: SessionId,
    /// A fresh random resume key.
    pub key: String,
    /// What the client asks to resume.
    pub resume: Option<Resume>,
    /// Comes in even when the person is in on another device.
    pub take_over: bool,
    /// A guest whom staff must let in, whether others wait or not.
    pub waits: bool,
    /// What he answered to the words of a recording that asks, before he came in.
    pub recording: Option<RecordingAnswer>,
    /// The server can carry nobody more: newcomers who are not staff are refused.
    pub crowded: bool,
}

/// Input of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A link said hello. Answered by `welcome` and `state`, by `resumed` and
    /// the missed broadcasts, by `waiting`, or by `bye`.
    Hello(Box<Arrival>),
    /// A message of a link that was welcomed. `hello`, `offer`, `ice`, `view`
    /// and `ping` are the server's own; here they are refused.
    Frame {
        /// The link.
        link: LinkId,
        /// Request id.
        id: Option<u32>,
        /// The message.
        msg: ClientMessage,
    },
    /// Any sign of life of a link that is not a `Frame`.
    Heard {
        /// The link.
        link: LinkId,
    },
    /// The socket is gone. `clean` = the other side closed it by a close frame.
    LinkClosed {
        /// The link.
        link: LinkId,
        /// By a close frame.
        clean: bool,
    },
    /// Who is loud now: media peer and level in −dBov.
    MediaLevels {
        /// Loud peers.
        levels: Vec<(u64, u8)>,
    },
    /// On which rung of the ladder for weak links these media peers are now; those
    /// that get everything without one.
    Rungs {
        /// Peers that changed.
        list: Vec<(u64, Option<OnRung>)>,
    },
    /// The recorder says something.
    Recorder(RecorderReport),
    /// What the server gives up for want of computing time; absent = nothing.
    Overload {
        /// It.
        overload: Option<Overload>,
    },
    /// The setting that the session is recorded has changed. While the lesson goes
    /// on, the recording begins, goes on with these words, or ends.
    RecordingSet {
        /// It; absent = the session is not recorded.
        plan: Option<RecordingPlan>,
        /// Least that a recording of the server demands today, by the sort of class.
        least: RecordConsent,
        /// Who changed it.
        by: PersonId,
    },
    /// How many people are ticked in at a site, whenever that changes; at the
    /// loading of a room it is [`Room::set_halls`](crate::Room::set_halls).
    Hall {
        /// The connection of the site.
        site: PersonId,
        /// People.
        people: u32,
    },
    /// A deck from the server: new, further on its way, ready or failed. Of a
    /// deck that is known only state, pages and size are taken; one more than
    /// [`Room::may_bring_deck`](crate::Room::may_bring_deck) allows is left out.
    Deck(Box<Deck>),
    /// A file that was handed out or in and is on disk.
    File(Box<FileItem>),
    /// Every 100 ms.
    Tick,
    /// The session's time ran out or the operator ends it.
    End,
    /// The server is stopping: everybody is asked to resume, stays lapse.
    Drain,
}

/// What a person may send now: the right to it, and said to be live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Allow4 {
    /// Microphone.
    pub mic: bool,
    /// Camera.
    pub camera: bool,
    /// Screen.
    pub screen: bool,
    /// Sound of the screen.
    pub screen_audio: bool,
}

/// Output of a room, to be carried out in order.
///
/// A link belongs to the room from the `Send` of its `welcome` or `resumed`
/// until its `Close` or `LinkClosed`; a `waiting` does not make it belong, but
/// its frames come in as commands from there on. Broadcasts go to the links that belong to
/// the room at that moment. What is sent to one link keeps its order: a frame
/// that waits for the ledger holds back the later ones to that link.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Append to the ledger.
    Ledger(Event),
    /// To every link of the room. Carries the room's `seq`; never dropped while
    /// the link lives.
    Broadcast(Arc<ServerFrame>),
    /// To every link of the room, without `seq`, first to be dropped.
    BroadcastLossy(Arc<ServerFrame>),
    /// To these links, without `seq`, first to be dropped.
    LossyTo {
        /// The links.
        links: Vec<LinkId>,
        /// The frame.
        frame: Arc<ServerFrame>,
    },
    /// To these links, without `seq`; never dropped while the link lives.
    SendTo {
        /// The links.
        links: Vec<LinkId>,
        /// The frame.
        frame: Arc<ServerFrame>,
    },
    /// To one link. The server adds `answer` to a `welcome` and `token` to `you`.
    Send {
        /// The link.
        link: LinkId,
        /// The frame.
        frame: ServerFrame,
        /// Not before every earlier [`Effect::Ledger`] of this room is durable.
        after_commit: bool,
    },
    /// Earlier broadcasts to one link, in order, after its `resumed`.
    Replay {
        /// The link.
        link: LinkId,
        /// The very frames that were broadcast.
        frames: Vec<Arc<ServerFrame>>,
    },
    /// Close the link after what was sent to it.
    Close {
        /// The link.
        link: LinkId,
    },
    /// What a peer may send from now on; the media plane drops the rest.
    Allow {
        /// The peer.
        peer: u64,
        /// What.
        allow: Allow4,
    },
    /// Whom a peer hears and sees from now on, also by a later connection: the
    /// people of a breakout group, or, without one, those who are in none. A
    /// new peer is in none.
    Group {
        /// The peer.
        peer: u64,
        /// Number of the group, from 1.
        group: Option<u8>,
    },
    /// To the recorder. The events before it must be durable before it acts.
    Record(RecordCommand),
    /// The peer's person is no longer in the room.
    MediaGone {
        /// The peer.
        peer: u64,
    },
    /// The session ended; the room can be dropped once the rest is carried out.
    Ended,
}
