//! Messages from a client to the server.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{ChatId, PersonId, SessionId};
use crate::media::{MediaKind, Profile, SlotCounts, TrackState, View};
use crate::people::RoomMode;

/// A frame from a client: a message, with an `id` when a reply (`ok`, `err` or
/// the named answer) is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ClientFrame {
    /// Request id, chosen by the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<u32>,
    /// The message.
    #[serde(flatten)]
    pub msg: ClientMessage,
}

/// Sort of device, decides the number of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeviceClass {
    /// Phone.
    Phone,
    /// Tablet or weak laptop.
    Tablet,
    /// Desktop or laptop.
    Desk,
}

/// What is known of the client program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    /// Program name, for example `lophoc-web`.
    pub app: String,
    /// Its version.
    pub ver: String,
    /// Browser family and major version, for example `chromium/156`.
    #[serde(default)]
    pub browser: String,
    /// Device class.
    pub class: DeviceClass,
    /// Capabilities: `gz` = may receive and send gzip frames.
    #[serde(default)]
    pub caps: Vec<String>,
}

/// A wish to go on where a broken link stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// Its current key; each welcome and each resume gives a new one.
    pub key: String,
    /// Last `seq` seen.
    pub last_seq: u64,
}

/// First frame of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// Versions the client speaks.
    pub proto: Vec<u32>,
    /// The program.
    pub client: ClientInfo,
    /// Short-lived session token from `POST /api/join`.
    pub token: String,
    /// Go on with an earlier session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub resume: Option<Resume>,
    /// Language of the surface, `vi` or `en`.
    #[serde(default)]
    pub lang: String,
    /// Profile of m-lines.
    pub profile: Profile,
    /// Receiving slots in the offer.
    pub slots: SlotCounts,
    /// SDP offer; may follow later as `offer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub offer: Option<String>,
    /// Come in although the person is in on another device, which is closed
    /// then. Without it such a hello is refused as `elsewhere`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub take_over: bool,
}

/// A message from a client. Unknown messages and fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "t", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientMessage {
    /// First frame.
    Hello(Box<Hello>),
    /// A new offer. `restart` = same peer connection with new ICE credentials;
    /// otherwise it is a new peer connection. Answered by `answer`.
    Offer {
        /// SDP.
        sdp: String,
        /// ICE restart of the running peer connection.
        #[serde(default)]
        restart: bool,
        /// Profile, when it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        profile: Option<Profile>,
        /// Slots, when they changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        slots: Option<SlotCounts>,
    },
    /// A trickled candidate; absent `cand` = end of candidates.
    Ice {
        /// Candidate line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        cand: Option<String>,
    },
    /// What to receive.
    View(View),
    /// State of an own track. Nothing of a track is forwarded before `live`.
    /// `muted` exists for the microphone only.
    Pub {
        /// Which.
        kind: MediaKind,
        /// State.
        st: TrackState,
    },
    /// Sign of life, every 4 s, from a worker.
    Ping {
        /// Client clock, ms, echoed.
        c: u64,
    },
    /// Leaving for good.
    Leave,
    /// Raise or lower one's hand.
    Hand {
        /// Up.
        up: bool,
    },
    /// A chat message to all. Repeats of the same `cid` are ignored.
    Chat {
        /// Client's id of the message (uuid).
        cid: String,
        /// Text, NFC.
        text: String,
    },
    /// Older chat messages; answered by `chatPage`.
    ChatPage {
        /// Messages before this one.
        before: ChatId,
    },
    /// A page of the roster; answered by `peoplePage`.
    PeoplePage {
        /// Search text, marks ignored.
        #[serde(default)]
        q: String,
        /// Offset.
        #[serde(default)]
        from: u32,
        /// At most this many, up to 100.
        n: u32,
    },
    /// Mute one person's microphone, or stop camera or screen.
    ModMute {
        /// Who.
        who: PersonId,
        /// What; `screen` also stops the screen's sound.
        kind: MediaKind,
    },
    /// Mute everybody else but staff.
    ModMuteAll {
        /// Whether they may unmute themselves again.
        may_unmute: bool,
    },
    /// Ask to unmute or to show the camera. Asking for the microphone also
    /// gives the right to speak until a moderator takes it back.
    ModAsk {
        /// Who.
        who: PersonId,
        /// `mic` or `camera`.
        kind: MediaKind,
    },
    /// Reply to `asked`. Accepting is told to the asker; the `pub` follows.
    AskReply {
        /// Which.
        kind: MediaKind,
        /// Accepted.
        accept: bool,
    },
    /// Give or withdraw the floor. Giving lowers the hand and asks to unmute;
    /// withdrawing mutes.
    ModFloor {
        /// Who.
        who: PersonId,
        /// Give.
        give: bool,
    },
    /// Lower one hand, or all when `who` is absent.
    ModHand {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        who: Option<PersonId>,
    },
    /// Remove a person; `bar` keeps him out of this session.
    ModRemove {
        /// Who.
        who: PersonId,
        /// Keep out.
        bar: bool,
    },
    /// Lock or unlock the room for newcomers.
    ModLock {
        /// Locked.
        locked: bool,
    },
    /// Change the mode of the room.
    ModMode {
        /// Mode.
        mode: RoomMode,
    },
    /// Begin the lesson: the rehearsal is over, attendance counts from here.
    ModStart,
    /// Begin or end an announced break, which leaves the counted time.
    ModBreak {
        /// Begin.
        on: bool,
        /// How long, at most [`MAX_BREAK_MIN`](crate::limits::MAX_BREAK_MIN);
        /// the break ends by itself then. Absent: until somebody ends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        minutes: Option<u16>,
    },
    /// Turn the waiting room on or off. Turned off, whoever waits comes in.
    ModWaiting {
        /// On.
        on: bool,
    },
    /// Let one person in from the waiting room, or all when `who` is absent.
    ModAdmit {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        who: Option<PersonId>,
    },
    /// Send a person away from the waiting room, who may come back and wait.
    ModDeny {
        /// Who.
        who: PersonId,
    },
    /// A page of the waiting room; answered by `lobbyPage`.
    LobbyPage {
        /// Search text, marks ignored.
        #[serde(default)]
        q: String,
        /// Offset.
        #[serde(default)]
        from: u32,
        /// At most this many, up to 100.
        n: u32,
    },
    /// Ask everybody but staff to confirm being there (kiểm tra sự có mặt), now.
    ModCheck {
        /// Time to answer, seconds, within
        /// [`CHECK_SECS`](crate::limits::CHECK_SECS).
        window_sec: u32,
    },
    /// Presence checks at intervals while the lesson goes on; off by default.
    ModChecks {
        /// Minutes between two on average; 0 turns them off.
        every_min: u16,
        /// Each comes up to this many minutes sooner or later, drawn by lot;
        /// less than `every_min`.
        #[serde(default)]
        jitter_min: u16,
        /// Time to answer, seconds, as in `modCheck`.
        window_sec: u32,
    },
    /// Answer to `check`: I am here.
    CheckReply {
        /// Which check.
        check: String,
    },
    /// End the session for everybody.
    ModEnd,
    /// Not known to this version.
    #[serde(other)]
    #[ts(skip)]
    Unknown,
}
