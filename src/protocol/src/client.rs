//! Messages from a client to the server.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::board::Figure;
use crate::captions::CaptionLang;
use crate::groups::{GroupBy, GroupNo};
use crate::ids::{
    BoardId, ChatId, DeckId, FileId, NotesId, PersonId, PollId, QuestionId, SessionId,
};
use crate::media::{MediaKind, Profile, SlotCounts, TrackState, View};
use crate::notes::NoteStep;
use crate::people::{Permits, Role, RoomMode};
use crate::poll::{PollChoice, PollDraft};
use crate::recording::{RecordConsent, RecordWhom, RecordedBy};
use crate::slides::Review;
use crate::talk::{Audience, QuestionState, Reaction};

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
    /// A chat message. Repeats of the same `cid` are ignored.
    Chat {
        /// Client's id of the message (uuid).
        cid: String,
        /// Text, NFC.
        text: String,
        /// To whom.
        #[serde(default, skip_serializing_if = "Audience::is_all")]
        #[ts(optional, as = "Option<Audience>")]
        to: Audience,
    },
    /// Delete a message: one's own, or any as a moderator. The record keeps it.
    ChatDelete {
        /// Which.
        chat: ChatId,
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
        /// Whom to leave out: the presenter.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        except: Vec<PersonId>,
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
    /// Ask in the Q&A. Repeats of the same `cid` are ignored.
    Question {
        /// Client's id of the question (uuid).
        cid: String,
        /// Text, NFC.
        text: String,
        /// Without the name; moderators do not see it either, the record does.
        #[serde(default)]
        anonymous: bool,
    },
    /// Want a question answered, or no longer.
    QuestionUp {
        /// Which.
        q: QuestionId,
        /// Want.
        on: bool,
    },
    /// Change a question: review, answer, set aside; the author may set his own
    /// aside.
    QuestionSet {
        /// Which.
        q: QuestionId,
        /// State.
        st: QuestionState,
        /// Answer in writing; with `answered` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        answer: Option<String>,
    },
    /// React.
    React {
        /// How.
        e: Reaction,
    },
    /// Begin a recording of the server, or announce one by something outside of
    /// the room; or end it. While one goes on, other words replace those
    /// announced.
    ModRecord {
        /// Is being recorded.
        on: bool,
        /// Who records and answers for it; needed with `on`.
        #[serde(default)]
        who: String,
        /// What for.
        #[serde(default)]
        why: String,
        /// How long it is kept, who may see it, how to object.
        #[serde(default)]
        keep: String,
        /// What makes it.
        #[serde(default)]
        #[ts(optional, as = "Option<RecordedBy>")]
        by: RecordedBy,
        /// Of the server: whom it takes.
        #[serde(default)]
        #[ts(optional, as = "Option<RecordWhom>")]
        whom: RecordWhom,
        /// Of the server: whether people are asked. Refused with `forbidden` where
        /// the session asks for more.
        #[serde(default)]
        #[ts(optional, as = "Option<RecordConsent>")]
        ask: RecordConsent,
    },
    /// Pause the recording of the server, or go on with it.
    ModRecordPause {
        /// Pause.
        on: bool,
    },
    /// Answer to the words of a recording that asks, or another answer than
    /// before.
    RecordReply {
        /// Number of the words.
        notice: u64,
        /// Accept being recorded; otherwise one attends unrecorded.
        accept: bool,
    },
    /// Seconds between two chat messages of one learner; 0 = no slow mode.
    ModSlow {
        /// Seconds.
        secs: u16,
    },
    /// A timer everybody sees; 0 takes it away.
    ModTimer {
        /// Seconds from now.
        secs: u32,
        /// What it is for.
        #[serde(default)]
        label: String,
    },
    /// What learners and guests may do.
    ModPermits {
        /// All of it.
        permits: Permits,
    },
    /// Whom everybody sees large, in order; empty = nobody.
    ModSpot {
        /// Who.
        who: Vec<PersonId>,
    },
    /// Hand a role over, for this session.
    ModRole {
        /// Who.
        who: PersonId,
        /// Role.
        role: Role,
    },
    /// Somebody stands in for a trainer or chair who is not there. Goes to the
    /// record; give the role with `modRole`.
    ModSubstitute {
        /// Who stands in.
        who: PersonId,
        /// For whom, by name; empty = no longer.
        instead: String,
    },
    /// Open a poll. Answered by `pollOpened`. Repeats of the same `cid` are ignored.
    PollOpen {
        /// Client's id of it (uuid).
        cid: String,
        /// The poll.
        draft: PollDraft,
    },
    /// Answer a poll, or answer it anew while it is open. `pollMine` says that
    /// the answer is taken, `ok` that it is kept. An answer to an anonymous poll
    /// cannot be changed, and is kept together with those of others, so that
    /// nobody can tell whose it was: its `ok` may come as late as the close of
    /// the poll.
    PollAnswer {
        /// Which.
        poll: PollId,
        /// An entry an item.
        answer: Vec<PollChoice>,
    },
    /// Take no more answers.
    PollClose {
        /// Which.
        poll: PollId,
    },
    /// Show the results of a closed poll to everybody, or no longer.
    PollShow {
        /// Which.
        poll: PollId,
        /// Show.
        on: bool,
    },
    /// Take a closed poll from the screens; the record keeps it.
    PollDrop {
        /// Which.
        poll: PollId,
    },
    /// Who answered what in a named poll; answered by `pollPage`.
    PollPage {
        /// Which.
        poll: PollId,
        /// Offset.
        #[serde(default)]
        from: u32,
        /// At most this many, up to 100.
        n: u32,
    },
    /// Show a page to all.
    SlideShow {
        /// Deck.
        deck: DeckId,
        /// Page, from 1.
        page: u16,
    },
    /// Show no slides.
    SlideHide,
    /// Point on the page shown. Never logged.
    SlidePoint {
        /// The page pointed on.
        page: u16,
        /// From the left, 0 to 10,000; absent together with `y` = pointer away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        x: Option<u16>,
        /// From the top, 0 to 10,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        y: Option<u16>,
    },
    /// Change what is known of a deck; what is absent stays.
    DeckSet {
        /// Which.
        deck: DeckId,
        /// Review state.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        review: Option<Review>,
        /// Licence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        licence: Option<String>,
        /// Owner of the rights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        owner: Option<String>,
    },
    /// Take a deck out of the room. Its pages stay with the record.
    DeckDrop {
        /// Which.
        deck: DeckId,
    },
    /// Take back a file: one's own, or any with the right to hand out.
    FileDrop {
        /// Which.
        file: FileId,
    },
    /// Show a blank board to all, in place of slides. The one after the last
    /// makes a new one.
    BoardShow {
        /// Which; only blank ones.
        board: BoardId,
    },
    /// Show the blank board no longer; the slides below come back.
    BoardHide,
    /// What is on a board; answered by `boardPage`.
    BoardGet {
        /// Which.
        board: BoardId,
        /// Figures with a higher number than this.
        #[serde(default)]
        after: u32,
    },
    /// Draw a figure. Repeats of the same `cid` are ignored.
    BoardDraw {
        /// Where.
        board: BoardId,
        /// Client's id of it.
        cid: String,
        /// It.
        fig: Figure,
    },
    /// A figure that is being drawn. Never logged, never replayed.
    BoardLive {
        /// Where.
        board: BoardId,
        /// The id it will have.
        cid: String,
        /// How many numbers of `fig.p` came before; these follow. 0 begins anew,
        /// and without points the figure is given up.
        #[serde(default)]
        from: u16,
        /// It, or the next piece of it.
        fig: Figure,
    },
    /// Point on a blank board. Never logged.
    BoardPoint {
        /// The board everybody sees.
        board: BoardId,
        /// From the left, 0 to 10,000; absent together with `y` = pointer away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        x: Option<u16>,
        /// From the top.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        y: Option<u16>,
    },
    /// Erase whole figures: one's own, or any with the right to slides.
    BoardErase {
        /// Where.
        board: BoardId,
        /// Their numbers; those that are gone already are left out.
        n: Vec<u32>,
    },
    /// Erase everything on a board.
    BoardClear {
        /// Which.
        board: BoardId,
    },
    /// Take back what one did last on a board.
    BoardUndo {
        /// Which.
        board: BoardId,
    },
    /// Do again what one took back last.
    BoardRedo {
        /// Which.
        board: BoardId,
    },
    /// Form groups. Replaces groups that are not open.
    GroupsMake {
        /// Names; one a group.
        names: Vec<String>,
        /// How people come in.
        by: GroupBy,
    },
    /// Assign or move people; absent = back to the whole room.
    GroupsMove {
        /// Who goes where.
        moves: Vec<(PersonId, Option<GroupNo>)>,
    },
    /// Send everybody into the groups.
    GroupsOpen {
        /// Bring them back after so many minutes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        minutes: Option<u16>,
    },
    /// Bring everybody back and end the groups.
    GroupsClose,
    /// Say something to all groups.
    GroupsSay {
        /// Text.
        text: String,
    },
    /// Go to a group by oneself: learners where everybody chooses, and whoever
    /// has the right to groups; absent = the whole room.
    GroupPick {
        /// Which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        group: Option<GroupNo>,
    },
    /// Hand the task of the captioner over, or take it back; several may have it.
    ModCaptioner {
        /// Who.
        who: PersonId,
        /// Hand over.
        on: bool,
    },
    /// A line of captions that is being typed, whole. Never logged, never
    /// replayed; empty = given up.
    CaptionLive {
        /// Language.
        lang: CaptionLang,
        /// So far.
        text: String,
    },
    /// A line of captions is finished. Repeats of the same `cid` are ignored.
    CaptionLine {
        /// Client's id of it.
        cid: String,
        /// Language.
        lang: CaptionLang,
        /// The line, NFC.
        text: String,
        /// How long it took from its first letter, ms; at most
        /// [`MAX_CAPTION_MS`](crate::limits::MAX_CAPTION_MS) count.
        took: u32,
    },
    /// Older lines of captions, of all languages; answered by `captionPage`.
    CaptionPage {
        /// Lines before this number.
        before: u32,
    },
    /// The shared notes; answered by `notesPage`.
    NotesGet {
        /// Those of a group. Absent: those of the whole room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        of: Option<NotesId>,
        /// The version known: the edits since, if they are still kept. Absent:
        /// the whole text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<u32>,
    },
    /// Edit the shared notes. A repeat of one's last `cid` is ignored.
    NotesEdit {
        /// Those of a group. Absent: those of the whole room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        of: Option<NotesId>,
        /// Client's id of it.
        cid: String,
        /// The version it was made to.
        rev: u32,
        /// The steps; what comes after the last is kept.
        op: Vec<NoteStep>,
    },
    /// Not known to this version.
    #[serde(other)]
    #[ts(skip)]
    Unknown,
}
