//! What is written to the log: one event, its stamp, its kinds.

mod told;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The key as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

key!(
    /// A class session (buổi học).
    SessionKey
);
key!(
    /// A person in a session; the same text as the protocol's person id.
    PersonKey
);

/// When something happened, as the server saw it. Two clocks, because a wall
/// clock may be set: inside one run of the server only `mono_ms` tells how much
/// time passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// Wall clock of the server, milliseconds since the Unix epoch, UTC.
    pub wall_ms: u64,
    /// Monotonic clock of the server, milliseconds since its process began.
    pub mono_ms: u64,
    /// Which run of the server: counts up by one at every start.
    pub boot: u64,
}

/// The latest proof of life of a person in one run of the server, persisted
/// every few seconds and overwritten, unlike events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastSeen {
    /// Who.
    pub person: PersonKey,
    /// When the last frame of this person arrived.
    pub at: Stamp,
}

/// Why somebody is no longer in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaveReason {
    /// Left by own will.
    Left,
    /// The link broke and did not come back in time.
    Network,
    /// Was asked out by staff.
    Removed,
    /// The session ended.
    Ended,
    /// The server stopped or died.
    ServerStopped,
    /// The same person came in on another device.
    TakenOver,
    /// A reason of a newer version; out all the same.
    #[serde(other)]
    Other,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaitOutcome {
    /// Let in.
    Admitted,
    /// Refused.
    Denied,
    /// Went away, or the session ended.
    Left,
    /// An outcome of a newer version.
    #[serde(other)]
    Other,
}

/// What is muted or shared: the protocol's media kinds as text (`mic`,
/// `camera`, `screen`, `screenAudio`), so that a new kind needs no new ledger.
pub type MediaName = String;

/// One event of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The session it belongs to.
    pub session: SessionKey,
    /// Position in the session's log: starts at 1, +1 each, no holes. Assigned
    /// by the room; makes a repeated append harmless.
    pub seq: u64,
    /// When.
    pub at: Stamp,
    /// What.
    pub kind: EventKind,
}

/// What happened. In JSON the kind is the field `e`; names are for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// The room of the session opened for the first time.
    Opened {
        /// Room id.
        room: String,
        /// Title of the session.
        title: String,
        /// Host unit (đơn vị chủ trì).
        host: String,
    },
    /// The session goes on in a new run of the server; the stamp's `boot`
    /// tells which. Everybody who was in is out since his last sign of life.
    Reopened {},
    /// The session ended for everybody.
    Ended {
        /// Who ended it; absent when its time ran out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// Somebody came in. While already in: came in on another device.
    Join {
        /// Who.
        person: PersonKey,
        /// Full name as shown.
        name: String,
        /// Unit, when known or declared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// Role, the protocol's name (`learner`, `trainer`, …).
        role: String,
        /// Key of the device, or what it said it is; never an address.
        device: String,
    },
    /// Somebody is out for good (until the next join).
    Leave {
        /// Who.
        person: PersonKey,
        /// Why.
        reason: LeaveReason,
    },
    /// The link broke. The stay ended when the last frame came in; a return
    /// may follow.
    Lapse {
        /// Who.
        person: PersonKey,
        /// When the last frame came in. After a restart: the last-seen mark of
        /// the earlier run, with that run's `boot`.
        last_heard: Stamp,
    },
    /// Came back after a lapse on the same session: a new stay begins.
    Return {
        /// Who.
        person: PersonKey,
    },
    /// Staff asked somebody out. Ends the stay like a leave.
    Removed {
        /// Who.
        person: PersonKey,
        /// By whom.
        by: PersonKey,
        /// May not come back to this session.
        barred: bool,
    },
    /// The room was locked or unlocked for newcomers.
    Locked {
        /// Locked.
        on: bool,
        /// By whom.
        by: PersonKey,
    },
    /// The mode of the room changed.
    Mode {
        /// The protocol's name: `discussion`, `training`, `conference`.
        mode: String,
        /// By whom.
        by: PersonKey,
    },
    /// The floor was given or withdrawn.
    Floor {
        /// Who has or had it.
        person: PersonKey,
        /// Given.
        given: bool,
        /// By whom; the person himself when he handed it back.
        by: PersonKey,
    },
    /// A hand went up or down.
    Hand {
        /// Whose.
        person: PersonKey,
        /// Up.
        up: bool,
        /// By whom, when it was not the person himself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// Staff muted one person or everybody.
    Mute {
        /// Whom; absent = everybody but staff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<PersonKey>,
        /// What.
        kind: MediaName,
        /// By whom.
        by: PersonKey,
        /// Whether the muted may unmute by themselves.
        #[serde(default = "yes")]
        may_unmute: bool,
        /// Who was left out and may go on speaking, when everybody was muted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        except: Vec<PersonKey>,
    },
    /// Staff asked somebody to unmute or to show the camera, which also lets
    /// him do so.
    Asked {
        /// Whom.
        person: PersonKey,
        /// What.
        kind: MediaName,
        /// By whom.
        by: PersonKey,
    },
    /// Somebody began or stopped to share a screen.
    Share {
        /// Who.
        person: PersonKey,
        /// Began.
        on: bool,
    },
    /// A message to the whole room.
    Chat {
        /// From whom.
        person: PersonKey,
        /// Id in the room.
        id: String,
        /// The client's id of the message; a repeat of it is the same message.
        cid: String,
        /// Text.
        text: String,
        /// To whom: absent = everybody, else `organisers`, `support`,
        /// `group:<number>`, `person:<key>`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// A message was taken from the screens.
    ChatDeleted {
        /// Id of the message.
        id: String,
        /// By whom; its author or a moderator.
        by: PersonKey,
    },
    /// A question of the Q&A.
    Question {
        /// Author, also of a question asked without the name.
        person: PersonKey,
        /// Id in the room.
        id: String,
        /// The client's id of it.
        cid: String,
        /// Text.
        text: String,
        /// Shown without the name.
        #[serde(default)]
        anonymous: bool,
        /// Waits for review.
        #[serde(default)]
        held: bool,
    },
    /// Somebody wants a question answered, or no longer.
    QuestionUp {
        /// Who.
        person: PersonKey,
        /// Which.
        id: String,
        /// Wants.
        on: bool,
    },
    /// A question was reviewed, answered or set aside.
    QuestionSet {
        /// Which.
        id: String,
        /// The protocol's name of the state.
        state: String,
        /// Answer in writing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
        /// By whom.
        by: PersonKey,
    },
    /// A poll, quiz or vote was opened.
    PollOpened {
        /// Id in the room.
        id: String,
        /// The client's id of it.
        cid: String,
        /// By whom.
        by: PersonKey,
        /// The protocol's `PollDraft`, right answers included.
        draft: serde_json::Value,
        /// Closes by itself then, wall clock, ms since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
    },
    /// Somebody answered a poll; a later answer replaces an earlier one. Of an
    /// anonymous poll only that he did.
    PollAnswered {
        /// Who.
        person: PersonKey,
        /// Which.
        id: String,
        /// The protocol's list of `PollChoice`; absent = anonymous.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<serde_json::Value>,
        /// Of an anonymous poll by site: for which voice, since who it was may
        /// be elsewhere when it is written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<String>,
    },
    /// Answers of an anonymous poll, in an order that says nothing of who gave
    /// which.
    PollBallots {
        /// Which.
        id: String,
        /// Lists of `PollChoice`.
        ballots: Vec<serde_json::Value>,
    },
    /// A poll takes no more answers.
    PollClosed {
        /// Which.
        id: String,
        /// By whom; absent when its time ran out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
        /// How many could have answered.
        #[serde(default)]
        eligible: u32,
        /// Ballots that were written without telling who answered: so few were
        /// left after a restart that each would have been somebody's.
        #[serde(default, skip_serializing_if = "is_zero")]
        unnamed: u32,
    },
    /// The results of a poll are shown to all, or no longer.
    PollShown {
        /// Which.
        id: String,
        /// Shown.
        on: bool,
        /// By whom.
        by: PersonKey,
    },
    /// A poll was taken from the screens.
    PollDropped {
        /// Which.
        id: String,
        /// By whom.
        by: PersonKey,
    },
    /// What learners and guests may do was set.
    Permits {
        /// The protocol's `Permits`.
        permits: serde_json::Value,
        /// By whom.
        by: PersonKey,
    },
    /// Slow mode was set.
    SlowMode {
        /// Seconds; 0 = off.
        secs: u16,
        /// By whom.
        by: PersonKey,
    },
    /// Who is shown large to all.
    Spotlight {
        /// In order; empty = nobody.
        people: Vec<PersonKey>,
        /// By whom.
        by: PersonKey,
    },
    /// A role was handed over for this session.
    RoleGiven {
        /// Who.
        person: PersonKey,
        /// The protocol's name.
        role: String,
        /// By whom.
        by: PersonKey,
    },
    /// Somebody stands in for a trainer or chair who is not there (thay người
    /// dạy, TT 21/2017 Điều 8.5).
    Substitute {
        /// Who stands in.
        person: PersonKey,
        /// For whom, by name; empty = no longer.
        instead: String,
        /// By whom.
        by: PersonKey,
    },
    /// A recording began, goes on with other words, or ended. It was announced to
    /// all.
    Recording {
        /// Goes on.
        on: bool,
        /// What makes it, the protocol's name; empty when it ended.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        source: String,
        /// Who records and answers for it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        who: String,
        /// What for.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// How long it is kept, who may see it, how to object.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        keep: String,
        /// Of the server: id of the recording, also when it ended.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        id: String,
        /// Of the server: number of the [`RecordingNotice`](Self::RecordingNotice)
        /// with its words; 0 = none.
        #[serde(default, skip_serializing_if = "is_none")]
        notice: u64,
        /// By whom; absent = by the setting of the session, or with its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// Words of a recording of the server, that people accept or refuse. The number
    /// of this event is the number of the words.
    RecordingNotice {
        /// Who records and answers for it.
        who: String,
        /// What for.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// How long it is kept, who may see it, how to object.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        keep: String,
        /// Whom it takes, the protocol's name: `all`, `presenters`.
        whom: String,
        /// Whether people are asked, the protocol's name: `notice`, `consent`.
        ask: String,
    },
    /// Somebody accepted or refused to be recorded under some words.
    RecordingChoice {
        /// Who.
        person: PersonKey,
        /// Number of the words.
        notice: u64,
        /// Accepted.
        accepted: bool,
    },
    /// A recording of the server was paused or goes on.
    RecordingPaused {
        /// Which.
        id: String,
        /// Paused.
        on: bool,
        /// By whom.
        by: PersonKey,
    },
    /// What became of a recording of the server, by its recorder.
    RecordingNews {
        /// Which; empty = none began.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        id: String,
        /// What: `capturing`, or the protocol's name of a trouble: `noRecorder`,
        /// `failed`, `gap`, `diskLow`, `diskFull`, `ended`.
        what: String,
        /// Of a gap: from when, ms since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<u64>,
        /// Of a gap: until when, ms since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_ms: Option<u64>,
        /// Of a disk: bytes left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<u64>,
    },
    /// A timer was set or taken away.
    Timer {
        /// Runs out then, wall clock, ms since the epoch; absent = taken away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
        /// What it is for.
        #[serde(default)]
        label: String,
        /// By whom.
        by: PersonKey,
    },
    /// A deck of slides is there, or what is known of it changed.
    Deck {
        /// The protocol's `Deck`, ready or failed.
        deck: serde_json::Value,
        /// Who changed review, licence or owner; absent = the server made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// A deck was taken out of the room.
    DeckDropped {
        /// Which.
        id: String,
        /// By whom.
        by: PersonKey,
    },
    /// A page is shown to all, or none any more.
    Slide {
        /// Deck; absent = no slides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deck: Option<String>,
        /// Page, from 1; 0 without a deck.
        page: u16,
        /// By whom.
        by: PersonKey,
    },
    /// A blank board is shown to all, or none any more.
    BoardShown {
        /// Board; absent = none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        board: Option<String>,
        /// By whom.
        by: PersonKey,
    },
    /// A figure was drawn on a board.
    BoardDrawn {
        /// Board.
        board: String,
        /// The protocol's `Shape`, with its author.
        shape: serde_json::Value,
    },
    /// Figures left a board: erased, or all of them cleared.
    BoardErased {
        /// Board.
        board: String,
        /// Their numbers.
        n: Vec<u32>,
        /// By whom.
        by: PersonKey,
    },
    /// Somebody took back what he did on a board, or did it again.
    BoardUndone {
        /// Board.
        board: String,
        /// Did it again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        redo: bool,
        /// Figures that are there again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set: Vec<u32>,
        /// Figures that are gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        del: Vec<u32>,
        /// By whom.
        by: PersonKey,
    },
    /// A file was handed out or in.
    File {
        /// The protocol's `FileItem`.
        file: serde_json::Value,
    },
    /// A file was taken back.
    FileDropped {
        /// Which.
        id: String,
        /// By whom.
        by: PersonKey,
    },
    /// Breakout groups were formed.
    GroupsMade {
        /// Their names, in order of number from 1.
        names: Vec<String>,
        /// The protocol's name of how.
        way: String,
        /// By whom.
        by: PersonKey,
    },
    /// Somebody was assigned to a group or went to another.
    Grouped {
        /// Who.
        person: PersonKey,
        /// Number; absent = the whole room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<u8>,
        /// By whom; absent = by himself or by lot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// People went into their groups, or were brought back.
    GroupsOpen {
        /// Open.
        on: bool,
        /// They are brought back then, wall clock, ms since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
        /// By whom; absent when the time ran out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// Said to all groups.
    GroupsSaid {
        /// Text.
        text: String,
        /// By whom.
        by: PersonKey,
    },
    /// Somebody came to the waiting room. Waiting is not presence.
    Waiting {
        /// Who.
        person: PersonKey,
        /// Full name as shown.
        name: String,
        /// Unit, when known or declared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// Role, the protocol's name.
        role: String,
        /// Key of the device.
        device: String,
    },
    /// The wait is over; an admission is followed by the `Join`.
    WaitOver {
        /// Who waited.
        person: PersonKey,
        /// How it ended.
        outcome: WaitOutcome,
        /// Who decided; absent when the person went away or the time did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// The lesson began: the rehearsal (kết nối thử) is over, the counted window
    /// begins. A second one, after an `Ended`, opens another window.
    Started {
        /// Who began it; absent when its time had come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
    },
    /// An announced break began or ended. It leaves the counted window.
    Break {
        /// Began.
        on: bool,
        /// Who said so; absent when its time ran out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonKey>,
        /// Announced end, wall clock, ms since the epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
    },
    /// Another device of somebody who is in asked to come in; nothing changes
    /// until it takes over, which is a `Join`.
    OtherDevice {
        /// Who.
        person: PersonKey,
        /// Key of the other device.
        device: String,
    },
    /// A track of somebody went live or stopped: camera and microphone spans.
    /// A leave and a new run of the server end them, too.
    Track {
        /// Whose.
        person: PersonKey,
        /// What.
        kind: MediaName,
        /// Went live.
        on: bool,
    },
    /// Somebody spoke, written when the speech is over: pauses shorter than two
    /// seconds are inside. A long speech is written in pieces that follow each
    /// other without a gap.
    Talk {
        /// Who.
        person: PersonKey,
        /// When it began, same run as the event's stamp.
        from: Stamp,
        /// When it ended.
        to: Stamp,
    },
    /// A presence check (kiểm tra sự có mặt) went out to everybody.
    CheckAsked {
        /// Id of the check in the session.
        id: String,
        /// Answers count up to then, wall clock, ms since the epoch.
        until_ms: u64,
    },
    /// Somebody answered a presence check in time.
    CheckAnswered {
        /// Who.
        person: PersonKey,
        /// Which check.
        id: String,
    },
    /// The waiting room was turned on or off.
    WaitingRoom {
        /// On.
        on: bool,
        /// By whom.
        by: PersonKey,
    },
    /// The connection that just joined stands for a hall (điểm cầu).
    Site {
        /// The connection.
        person: PersonKey,
        /// Name of the site.
        name: String,
    },
    /// Presence checks were scheduled, or no longer are.
    Checks {
        /// Time between two on average, ms; 0 = none.
        every_ms: u64,
        /// How much sooner or later each may come, ms.
        jitter_ms: u64,
        /// Time to answer, ms.
        window_ms: u64,
        /// By whom.
        by: PersonKey,
    },
    /// The captioner's task was handed over or taken back.
    Captioner {
        /// Who has or had it.
        person: PersonKey,
        /// Handed over.
        on: bool,
        /// By whom.
        by: PersonKey,
    },
    /// A line of captions was finished.
    Caption {
        /// Who typed it.
        person: PersonKey,
        /// The client's id of it.
        cid: String,
        /// Language tag.
        lang: String,
        /// The line.
        text: String,
        /// It was begun this long before, ms.
        took_ms: u32,
    },
    /// The shared notes were edited.
    NotesEdited {
        /// By whom.
        person: PersonKey,
        /// The client's id of it.
        cid: String,
        /// The protocol's list of `NoteStep`, to the text as it was then.
        op: serde_json::Value,
    },
    /// The notes of a group were edited. A kind of its own, so that nothing older takes
    /// it for an edit of those of the whole room.
    GroupNotesEdited {
        /// By whom.
        person: PersonKey,
        /// How often groups had been opened.
        round: u32,
        /// Number of the group.
        group: u8,
        /// The client's id of it.
        cid: String,
        /// As of [`Self::NotesEdited`].
        op: serde_json::Value,
    },
    /// A kind this version does not know, or one whose fields it can not read:
    /// the JSON as it stands in the log, kept and written back unchanged.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

fn yes() -> bool {
    true
}
