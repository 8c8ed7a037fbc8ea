//! Messages from the server to a client.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::board::{Boards, Figure, Shape};
use crate::captions::{Caption, CaptionLang};
use crate::error::ErrorCode;
use crate::groups::{GroupNo, Groups};
use crate::ids::{
    BoardId, ChatId, DeckId, FileId, NotesId, PersonId, PollId, QuestionId, RoomId, SessionId,
};
use crate::limits::Limits;
use crate::media::{AudioBind, IceServer, MediaKind, Mids, OnRung, Overload, Rid, VideoBind};
use crate::notes::{GroupNotes, NoteAuthor, NoteEdit};
use crate::people::{Action, Counts, Permits, Person, Role, RoomMode, Waiter};
use crate::poll::{Poll, PollChoice, PollRow};
use crate::recording::{RecordAlarm, RecordConsent, RecordPlan, RecordTrouble};
pub use crate::recording::{RecordedBy, Recording};
use crate::slides::{Deck, FileItem, Stage};
use crate::talk::{Audience, Question, Reaction};

/// A frame from the server. `seq` is present on state-bearing broadcasts of the
/// room and grows by one from each to the next; personal messages carry none
/// and are sent anew after a resume. `id` answers a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ServerFrame {
    /// Sequence number of the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seq: Option<u64>,
    /// The request this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<u32>,
    /// The message.
    #[serde(flatten)]
    pub msg: ServerMessage,
}

/// The client itself, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct You {
    /// Own person id.
    pub person: PersonId,
    /// Own name.
    pub name: String,
    /// Own role.
    pub role: Role,
    /// Actions allowed now (role × mode × floor).
    pub perms: Vec<Action>,
    /// Holds the floor.
    pub floor: bool,
    /// Breakout group one is in; absent = the whole room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub group: Option<GroupNo>,
    /// The notes of that group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub notes: Option<NotesId>,
    /// Renewed session token, for a return after a long cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
}

/// Where the lesson is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LessonPhase {
    /// Kết nối thử: the room is open, attendance does not count yet.
    Rehearsal,
    /// Đang diễn ra.
    Live,
    /// Tạm nghỉ: an announced break.
    Break,
    /// Kết thúc.
    Ended,
}

/// The room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RoomInfo {
    /// Id. Not called `id`, which is the request id of a frame.
    pub room: RoomId,
    /// Class and session title.
    pub title: String,
    /// Host unit (đơn vị chủ trì).
    pub host: String,
    /// Mode.
    pub mode: RoomMode,
    /// Locked for newcomers.
    pub locked: bool,
    /// Is being recorded. Announced to all, late joiners too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recording: Option<Recording>,
    /// When the room was opened, ms since the epoch.
    pub started_at: u64,
    /// Where the lesson is.
    pub phase: LessonPhase,
    /// Actual beginning of the lesson, ms since the epoch; absent before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lesson_at: Option<u64>,
    /// Announced end of the break, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub break_until: Option<u64>,
    /// Planned beginning, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub starts_at: Option<u64>,
    /// Planned end, ms since the epoch. It does not close the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends_at: Option<u64>,
    /// Newcomers wait until staff let them in.
    pub waiting: bool,
    /// What learners and guests may do.
    #[serde(default)]
    pub permits: Permits,
    /// Whom everybody sees large, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spotlight: Vec<PersonId>,
    /// Seconds between two chat messages of one learner; 0 = no slow mode.
    #[serde(default)]
    pub slow_sec: u16,
    /// A timer everybody sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub timer: Option<Timer>,
    /// Send the microphone with at most so many kbit/s: somebody with a weak link
    /// listens. Absent = as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub speech_kbps: Option<u16>,
    /// The server has more to do than it can, and gives up pictures. Absent = it
    /// does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub overload: Option<Overload>,
}

/// A timer everybody sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Timer {
    /// When it was set, ms since the epoch.
    pub at: u64,
    /// When it runs out, ms since the epoch.
    pub until: u64,
    /// What it is for; may be empty.
    pub label: String,
}

/// Liveness rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PingRule {
    /// Ping this often, ms.
    pub every: u64,
    /// Dead after this long without a frame, ms.
    pub timeout: u64,
}

/// Answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// SDP.
    pub sdp: String,
    /// m-lines by use.
    pub mids: Mids,
}

/// Answer to `hello`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// Version spoken from here on.
    pub proto: u32,
    /// Session id.
    pub session: SessionId,
    /// Resume key.
    pub key: String,
    /// Oneself.
    pub you: You,
    /// The room.
    pub room: RoomInfo,
    /// Bounds.
    pub limits: Limits,
    /// Liveness.
    pub ping: PingRule,
    /// Server clock, ms since the epoch.
    pub now: u64,
    /// Answer, when the offer came in `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answer: Option<Answer>,
    /// Relays for the next peer connection or ICE restart, with credentials
    /// that run out; those for the first one came with the session token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<IceServer>>")]
    pub ice: Vec<IceServer>,
}

/// Answer to `hello` of somebody who has to wait until staff let him in: no
/// roster, no chat, no media. `welcome` and `state` follow on the same link when
/// he is let in, `bye` when he is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Version spoken from here on.
    pub proto: u32,
    /// Oneself, without any right.
    pub you: You,
    /// The room.
    pub room: RoomInfo,
    /// Since when, ms since the epoch.
    pub since: u64,
    /// Liveness.
    pub ping: PingRule,
    /// Server clock, ms since the epoch.
    pub now: u64,
}

/// A chat message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChatEntry {
    /// Id.
    pub id: ChatId,
    /// Author.
    pub from: PersonId,
    /// Author's name at the time.
    pub name: String,
    /// Author's role at the time.
    pub role: Role,
    /// Text.
    pub text: String,
    /// When, ms since the epoch.
    pub at: u64,
    /// The author's own id of it.
    pub cid: String,
    /// To whom.
    #[serde(default, skip_serializing_if = "Audience::is_all")]
    #[ts(optional, as = "Option<Audience>")]
    pub to: Audience,
    /// Name of the person it goes to, when it goes to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to_name: Option<String>,
}

/// One raised hand; the list is ordered by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RaisedHand {
    /// Who.
    pub who: PersonId,
    /// Name, so that a queue can be shown where the roster is a sample.
    pub name: String,
    /// Since when, ms since the epoch.
    pub at: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What a draining server asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ByeAction {
    /// Connect again and resume.
    Resume,
    /// Connect again with a fresh `hello`.
    Rejoin,
    /// Do not come back by yourself.
    Stop,
}

/// A message from the server. Unknown messages and fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "t", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// Answer to `hello`.
    Welcome(Box<Welcome>),
    /// Answer to `hello` of somebody who has to wait.
    Waiting(Box<Waiting>),
    /// The whole state of the room, with the `seq` it stands at. Follows `welcome`.
    State {
        /// Exact counts.
        counts: Counts,
        /// The roster, full or a sample.
        people: Vec<Person>,
        /// True when the roster is a sample.
        sampled: bool,
        /// The hand queue, its first [`HANDS_SHOWN`](crate::limits::HANDS_SHOWN).
        hands: Vec<RaisedHand>,
        /// The last chat messages.
        chat: Vec<ChatEntry>,
        /// Older ones exist.
        more_chat: bool,
        /// Polls on the screens.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        polls: Vec<Poll>,
        /// Questions everybody sees.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        questions: Vec<Question>,
        /// Decks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        decks: Vec<Deck>,
        /// The page shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        stage: Option<Stage>,
        /// Files handed out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<FileItem>,
        /// Breakout groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        groups: Option<Groups>,
        /// Boards; absent while there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        boards: Option<Box<Boards>>,
        /// The last lines of captions, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        captions: Vec<Caption>,
        /// Version of the shared notes; absent = nothing was written.
        #[serde(default, skip_serializing_if = "is_zero")]
        #[ts(optional, as = "Option<u32>")]
        notes: u32,
    },
    /// Resume accepted: the missed broadcasts follow.
    Resumed {
        /// Next resume key.
        key: String,
        /// First sequence number that follows.
        from: u64,
        /// Oneself.
        you: You,
    },
    /// Request done; what it caused is durable.
    Ok,
    /// Request refused.
    Err {
        /// Code.
        code: ErrorCode,
        /// Trying again may help.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        retry: bool,
    },
    /// Answer to `ping`.
    Pong {
        /// Echo.
        c: u64,
        /// Server clock, ms since the epoch.
        now: u64,
    },
    /// The server closes the link.
    Bye {
        /// What to do.
        action: ByeAction,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        code: Option<ErrorCode>,
        /// Wait this long first, ms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<u64>,
    },
    /// Answer to `offer`.
    Answer(Answer),
    /// The server needs a new offer for a new peer connection.
    Renegotiate,
    /// What is in the slots; each group is complete when present.
    Bind {
        /// The view this follows from.
        rev: u32,
        /// Video and screen slots.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        v: Option<Vec<VideoBind>>,
        /// Audio slots.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        a: Option<Vec<AudioBind>>,
    },
    /// On which rung of the ladder for weak links one is. Full until told.
    Rung {
        /// Absent = everything is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        on: Option<OnRung>,
    },
    /// Layers of one's own pictures that somebody watches, whole. Everything is to
    /// be sent until told; a new peer connection begins there.
    Layers {
        /// Of the camera, from small to large; absent = all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        camera: Option<Vec<Rid>>,
        /// Of the screen; absent = all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        screen: Option<Vec<Rid>>,
    },
    /// Loudness of who speaks now; silent people are left out.
    Levels {
        /// Pairs of person and level in −dBov, 0 loudest, 127 silence.
        l: Vec<(PersonId, u8)>,
    },
    /// Change of the roster. Each entry is whole and replaces what the client
    /// has of that person, in `add` and in `chg` alike.
    People {
        /// Exact counts.
        counts: Counts,
        /// Newcomers, or newly in the sample.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<Person>,
        /// Changed people, whole.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        chg: Vec<Person>,
        /// Gone; where the roster is a sample, gone or no longer in the sample.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        del: Vec<PersonId>,
    },
    /// A page of the roster.
    PeoplePage {
        /// Matches in all.
        total: u32,
        /// The page.
        list: Vec<Person>,
    },
    /// The hand queue, its first [`HANDS_SHOWN`](crate::limits::HANDS_SHOWN);
    /// replaces the one before.
    Hands {
        /// In order.
        list: Vec<RaisedHand>,
    },
    /// A new chat message.
    Chat {
        /// It.
        m: ChatEntry,
    },
    /// Older chat messages, oldest first.
    ChatPage {
        /// Messages.
        list: Vec<ChatEntry>,
        /// Still older ones exist.
        more: bool,
    },
    /// Own role, rights or floor changed.
    You(You),
    /// An own track was stopped by somebody else: stop sending it. `pub` with
    /// `live` starts it again where the right to do so is left.
    Muted {
        /// Which.
        kind: MediaKind,
        /// Name of who did it.
        by: String,
    },
    /// A moderator asks to unmute or to show the camera.
    Asked {
        /// `mic` or `camera`.
        kind: MediaKind,
        /// Name of who asks.
        by: String,
    },
    /// Reply of the one who was asked.
    AskReply {
        /// Who.
        who: PersonId,
        /// Which.
        kind: MediaKind,
        /// Accepted.
        accept: bool,
    },
    /// How it stands with recording, to those who may record or moderate. Replaces
    /// the one before.
    RecordDesk {
        /// Why the server cannot record now; absent = it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        unable: Option<RecordTrouble>,
        /// The setting of the session; absent = it is not recorded by a setting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        plan: Option<Box<RecordPlan>>,
        /// Least that a recording of the server asks for here.
        ask: RecordConsent,
        /// What went wrong in this session: the last
        /// [`RECORD_ALARMS`](crate::limits::RECORD_ALARMS), oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<Vec<RecordAlarm>>")]
        alarms: Vec<RecordAlarm>,
    },
    /// What one answered to the words of a recording, on coming in and after a
    /// change. Where a recording asks and there is no answer to its words, one is
    /// not recorded.
    RecordMine {
        /// Number of the words.
        notice: u64,
        /// Accepted, or attends unrecorded.
        accept: bool,
    },
    /// Who attends unrecorded, to staff: of a recording that asks, those who
    /// refused it. Replaces the list before.
    Unrecorded {
        /// They, the first [`UNRECORDED_SHOWN`](crate::limits::UNRECORDED_SHOWN).
        list: Vec<PersonId>,
    },
    /// The room changed. To people who wait as well, without `seq`.
    Room(RoomInfo),
    /// Who waits to be let in, to those who may let in: the first
    /// [`LOBBY_SHOWN`](crate::limits::LOBBY_SHOWN) in order of coming; replaces
    /// the one before.
    Lobby {
        /// Exact number of people who wait.
        total: u32,
        /// In order.
        list: Vec<Waiter>,
    },
    /// A page of the waiting room.
    LobbyPage {
        /// Matches in all.
        total: u32,
        /// The page.
        list: Vec<Waiter>,
    },
    /// A presence check: answer with `checkReply` in time.
    Check {
        /// Which. Not called `id`, which is the request id of a frame.
        check: String,
        /// Answers count up to then, ms since the epoch; after a drop it is
        /// later than for the others.
        until: u64,
    },
    /// How a presence check goes, to those who may hold one.
    CheckResult {
        /// Which.
        check: String,
        /// When it was asked, ms since the epoch.
        at: u64,
        /// Answers count up to then, ms since the epoch.
        until: u64,
        /// People asked.
        asked: u32,
        /// People who answered in time.
        answered: u32,
        /// Over: nobody can answer any more.
        over: bool,
    },
    /// A message that does not go to all, to those it concerns. Its own kind,
    /// because it carries no `seq`.
    ChatDirect {
        /// It.
        m: ChatEntry,
    },
    /// The messages that did not go to all and concern the receiver, the last
    /// [`CHAT_PAGE`](crate::limits::CHAT_PAGE), oldest first: after `state` and
    /// after `resumed`. Replaces what the client has of them.
    ChatMine {
        /// Messages.
        list: Vec<ChatEntry>,
    },
    /// A message was deleted.
    ChatGone {
        /// Which.
        chat: ChatId,
    },
    /// Questions that are new or changed, whole, and those no longer to be seen.
    /// To all with `seq`; to those who see more than all, without.
    Questions {
        /// New or changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set: Vec<Question>,
        /// Gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        del: Vec<QuestionId>,
    },
    /// One's own part in the questions: after `state`, after `resumed`, and when
    /// it changes.
    QuestionsMine {
        /// Asked by oneself, without the name too.
        asked: Vec<QuestionId>,
        /// Wanted answered.
        up: Vec<QuestionId>,
    },
    /// Reactions since the last of these. Never replayed.
    Reactions {
        /// Who reacted how, the first of them.
        list: Vec<(PersonId, Reaction)>,
        /// How many of each.
        counts: Vec<(Reaction, u32)>,
    },
    /// Answer to `pollOpen`.
    PollOpened {
        /// Which.
        poll: PollId,
    },
    /// A poll is new or changed, whole. To all with `seq` (answers are added up
    /// and told once a second at most); to those who hold polls also without,
    /// with what only they may see.
    Poll {
        /// It.
        poll: Box<Poll>,
    },
    /// A poll was taken from the screens.
    PollGone {
        /// Which.
        poll: PollId,
    },
    /// One's own answer: after it was given, after `state` and after `resumed`.
    PollMine {
        /// Which.
        poll: PollId,
        /// An entry an item; empty where the poll is anonymous: that one has
        /// answered is known, and nothing else.
        answer: Vec<PollChoice>,
        /// Points, once the results of a quiz are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        score: Option<u16>,
    },
    /// Who answered what.
    PollPage {
        /// Answers in all.
        total: u32,
        /// The page, in order of answering.
        list: Vec<PollRow>,
    },
    /// A deck is new or changed, whole.
    Deck {
        /// It.
        deck: Box<Deck>,
    },
    /// A deck was taken out of the room.
    DeckGone {
        /// Which.
        deck: DeckId,
    },
    /// What is shown to all now; absent = no slides.
    Stage {
        /// It.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        stage: Option<Stage>,
    },
    /// Where somebody points. Never replayed.
    SlidePoint {
        /// Who.
        who: PersonId,
        /// The page pointed on.
        page: u16,
        /// From the left, 0 to 10,000; absent together with `y` = pointer away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        x: Option<u16>,
        /// From the top.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        y: Option<u16>,
    },
    /// A file was handed out (to all, with `seq`) or in (to its author and
    /// staff, without).
    File {
        /// It.
        file: Box<FileItem>,
    },
    /// The files handed in that concern the receiver: after `state` and after
    /// `resumed`. Replaces what the client has of them.
    FilesMine {
        /// Files.
        list: Vec<FileItem>,
        /// Goes on with the `filesMine` before it in place of replacing it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[ts(optional, as = "Option<bool>")]
        add: bool,
    },
    /// A file was taken back.
    FileGone {
        /// Which.
        file: FileId,
    },
    /// Which boards there are changed, or which everybody sees.
    Boards {
        /// They.
        boards: Boards,
    },
    /// What is on a board changed.
    Board {
        /// Which.
        board: BoardId,
        /// New, or there again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set: Vec<Shape>,
        /// Gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        del: Vec<u32>,
    },
    /// Answer to `boardGet`: a part of what is on a board now, by number.
    BoardPage {
        /// Which.
        board: BoardId,
        /// The figures.
        list: Vec<Shape>,
        /// There is more after the last of these.
        more: bool,
    },
    /// Somebody is drawing. Never replayed.
    BoardLive {
        /// Where.
        board: BoardId,
        /// Who.
        who: PersonId,
        /// The id the figure will have.
        cid: String,
        /// How many numbers of `fig.p` came before.
        from: u16,
        /// It, or the next piece of it; without points it is given up.
        fig: Figure,
    },
    /// Where somebody points on a blank board. Never replayed.
    BoardPoint {
        /// Where.
        board: BoardId,
        /// Who.
        who: PersonId,
        /// From the left, 0 to 10,000; absent together with `y` = pointer away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        x: Option<u16>,
        /// From the top.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        y: Option<u16>,
    },
    /// A line of captions is finished.
    Caption {
        /// It.
        c: Caption,
    },
    /// A line of captions is being typed. Never replayed.
    CaptionLive {
        /// Who.
        who: PersonId,
        /// Language.
        lang: CaptionLang,
        /// So far; empty = given up.
        text: String,
    },
    /// Older lines of captions, oldest first.
    CaptionPage {
        /// Lines.
        list: Vec<Caption>,
        /// Still older ones can be asked for.
        more: bool,
    },
    /// The shared notes were edited. Those of a group are told to who asked for them
    /// last, and are not replayed.
    Notes {
        /// Those of a group. Absent: those of the whole room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        of: Option<NotesId>,
        /// How.
        edit: NoteEdit,
    },
    /// Answer to `notesGet`.
    NotesPage {
        /// Those of a group. Absent: those of the whole room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        of: Option<NotesId>,
        /// Their version.
        rev: u32,
        /// All of them; absent where `ops` lead there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        text: Option<String>,
        /// The edits since the version that was named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ops: Vec<NoteEdit>,
        /// Who edited, the last first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<NoteAuthor>,
        /// `cid` of the last edit of one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        mine: Option<String>,
    },
    /// For staff: the notes of groups there are, in order of opening and number. Comes
    /// when groups are opened, and after `state` and `resumed`.
    NotesList {
        /// They.
        list: Vec<GroupNotes>,
    },
    /// The groups are new or changed; absent = there are none.
    Groups {
        /// They.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        groups: Option<Groups>,
    },
    /// Said to all groups.
    GroupsSaid {
        /// Text.
        text: String,
        /// Name of who said it.
        by: String,
    },
    /// Something to tell the person.
    Warn {
        /// Code.
        code: ErrorCode,
    },
    /// Not known to this version.
    #[serde(other)]
    #[ts(skip)]
    Unknown,
}
