//! Every bound of a room, and what happens at it.

use lophoc_protocol::limits::{CAPTIONS_SHOWN, POLLS_SHOWN};

/// Entries of the chat kept in memory. Overflow: the oldest leaves memory; the
/// ledger keeps it.
pub const CHAT_KEPT: usize = 2_000;
/// Text of the chat kept in memory, bytes. Overflow: as [`CHAT_KEPT`].
pub const CHAT_KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Text of the chat in one frame (`state`, `chatPage`), bytes of JSON.
/// Overflow: fewer entries, and `more` says so.
pub const CHAT_FRAME_BYTES: usize = 64 * 1024;
/// Messages that do not go to all, kept in memory. Overflow: as [`CHAT_KEPT`].
pub const DIRECT_KEPT: usize = 20_000;
/// The same of one author, so that nobody pushes out what others wrote.
/// Overflow: his oldest leaves memory.
pub const DIRECT_EACH: usize = 300;
/// A message to more people than these is one to many: where messages to many
/// fill half of [`DIRECT_KEPT_BYTES`], they make way before the others.
pub const DIRECT_MANY: usize = 50;
/// The same in bytes: texts, and [`DIRECT_RECEIVER_BYTES`] a receiver. Overflow:
/// as [`CHAT_KEPT`].
pub const DIRECT_KEPT_BYTES: usize = 16 * 1024 * 1024;
/// What a receiver of a message costs, bytes.
pub const DIRECT_RECEIVER_BYTES: usize = 64;
/// Questions kept in memory. Overflow: the oldest that is answered or set aside
/// leaves memory and the screens; where there is none, `question` is refused as
/// `full`.
pub const QUESTIONS_KEPT: usize = 500;
/// Their texts and answers, bytes of JSON; moderators get them at each return.
/// Overflow: as [`QUESTIONS_KEPT`].
pub const QUESTIONS_KEPT_BYTES: usize = 256 * 1024;
/// Questions of one person that wait for an answer. Overflow: `question` is
/// refused as `full`.
pub const QUESTIONS_EACH: usize = 20;
/// Votes for questions. Overflow: `questionUp` is refused as `full`.
pub const QUESTION_VOTES: usize = 200_000;
/// Questions in `state`, bytes of JSON. Overflow: the rest follows in
/// `questions`.
pub const QUESTIONS_STATE_BYTES: usize = 24 * 1024;
/// Questions in one `questions`, bytes of JSON. Overflow: the rest follows in
/// another.
pub const QUESTIONS_FRAME_BYTES: usize = 64 * 1024;
/// Between two `questions` that tell of votes and of new questions, milliseconds.
pub const QUESTIONS_EVERY_MS: u64 = 1_000;
/// People named in one `reactions`. Overflow: counted only.
pub const REACTIONS_NAMED: usize = 20;
/// People whom a role was handed over to or who stand in for somebody.
/// Overflow: `modRole` and `modSubstitute` are refused as `full`.
pub const SPECIALS: usize = 1_000;
/// Roster entries in one frame, bytes of JSON. Overflow: `state` becomes a
/// sample, `people` leaves the rest to the next tick.
pub const PEOPLE_FRAME_BYTES: usize = 120 * 1024;
/// Entries in one `people`. Overflow: the rest comes with the next tick.
pub const PEOPLE_FRAME: usize = 200;
/// People of a sampled roster. Overflow: whoever comes later is not listed but
/// found by `peoplePage`; counts stay exact.
pub const SAMPLE: usize = 400;
/// A sampled room lists everybody again when no more than this many are left.
pub const FULL_AGAIN: usize = 400;
/// People known to the room, present or gone, as a multiple of its places.
/// Overflow: of the gone, who left longest ago is forgotten and comes back as a
/// newcomer; present and barred people never are.
pub const KNOWN_FACTOR: usize = 4;
/// Barred people. Overflow: `modRemove` with `bar` is refused as `full`.
pub const BARRED: usize = 10_000;
/// Places above the room's number that only staff may take, so that a full
/// class is never without its teacher.
pub const STAFF_RESERVE: usize = 16;
/// Voices in one `levels`. Overflow: the loudest are told.
pub const LEVELS: usize = 8;
/// Most broadcasts replayed to a link that resumes. Overflow: `welcome` and
/// `state` in place of `resumed`, which is shorter then.
pub const REPLAY: usize = 256;
/// The same in bytes of JSON: well below what may wait for one link, or the
/// replay itself would shed it. Overflow: as [`REPLAY`].
pub const REPLAY_BYTES: usize = 1024 * 1024;
/// What a person held (hand, floor) is given back when a broken link returns
/// within this time, milliseconds.
pub const KEEP_MS: u64 = 10 * 60_000;
/// After a return, a track that others stopped stays stopped for this long,
/// milliseconds: a client that publishes again what it last knew has not heard
/// of the stop yet.
pub const HOLD_MS: u64 = 3_000;
/// A silence longer than this is written to the ledger as a lapse even when the
/// link is replaced before anybody noticed, milliseconds: a sound link pings
/// every four seconds, and a second for the way.
pub const LAPSE_MS: u64 = 5_000;
/// A link heard within this time is alive, milliseconds: another device of the
/// same person is asked before it takes over.
pub const SILENCE_MS: u64 = 10_000;
/// A draining server spreads the return of its clients over this time,
/// milliseconds.
pub const DRAIN_SPREAD_MS: u64 = 3_000;
/// Between two `people` of a room of up to 500, milliseconds; a larger room
/// waits longer in proportion.
pub const PEOPLE_EVERY_MS: u64 = 100;
/// Between two looks for dead links and ended waits, milliseconds.
pub const SWEEP_EVERY_MS: u64 = 1_000;
/// How many of something a person may do: `burst` at once, `per_second` on
/// average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// On average, thousandths per second.
    pub per_second_milli: u64,
}

/// All frames. Overflow: refused as `rate_limited`.
pub const EVERYTHING: Rate = Rate {
    burst: 60,
    per_second_milli: 20_000,
};
/// Chat messages.
pub const CHATS: Rate = Rate {
    burst: 10,
    per_second_milli: 1_000,
};
/// Answers to polls, questions and votes for questions.
pub const ANSWERS: Rate = Rate {
    burst: 20,
    per_second_milli: 1_000,
};
/// Reactions. Overflow: refused, and shown to nobody.
pub const REACTIONS: Rate = Rate {
    burst: 5,
    per_second_milli: 1_000,
};
/// What is done on boards.
pub const STROKES: Rate = Rate {
    burst: 40,
    per_second_milli: 6_000,
};
/// Finished lines of captions.
pub const CAPTIONS: Rate = Rate {
    burst: 8,
    per_second_milli: 1_000,
};
/// Edits of the shared notes.
pub const NOTES: Rate = Rate {
    burst: 6,
    per_second_milli: 2_000,
};
/// Movements of the pointer, of a pen that draws, and pieces of captions.
pub const POINTS: Rate = Rate {
    burst: 20,
    per_second_milli: 12_000,
};
/// Hands up and down.
pub const HANDS: Rate = Rate {
    burst: 6,
    per_second_milli: 500,
};
/// Acts of moderation.
pub const MODERATION: Rate = Rate {
    burst: 30,
    per_second_milli: 5_000,
};
/// Pages of roster and chat.
pub const PAGES: Rate = Rate {
    burst: 20,
    per_second_milli: 4_000,
};
/// Hellos of one person. Overflow: `bye` with `rejoin` and a wait.
pub const HELLOS: Rate = Rate {
    burst: 12,
    per_second_milli: 500,
};
/// Refused frames before the link is closed. Overflow: `bye` with `rejoin`.
pub const FLOOD: Rate = Rate {
    burst: 200,
    per_second_milli: 5_000,
};
/// How long a person waits who said hello or sent frames too often, milliseconds.
pub const FLOOD_WAIT_MS: u64 = 10_000;
/// People in one `groupsMove`. Overflow: refused as `too_large`.
pub const GROUP_MOVES: usize = 500;
/// Between two `lobby`, milliseconds.
pub const LOBBY_EVERY_MS: u64 = 500;
/// Between two `checkResult` while answers come in, milliseconds.
pub const CHECK_RESULT_EVERY_MS: u64 = 1_000;
/// Nobody answers a presence check later than this after its end, however often
/// his link dropped, milliseconds.
pub const CHECK_STRETCH_MS: u64 = 10 * 60_000;
/// A track that changes back within this time is not written to the ledger,
/// milliseconds.
pub const TRACK_FLAP_MS: u64 = 1_000;
/// Changes of tracks written of one person. Overflow: written later, as they
/// stand then.
pub const TRACKS: Rate = Rate {
    burst: 20,
    per_second_milli: 200,
};
/// From here on it is speech, −dBov; the same as in the media plane.
pub const TALK_LEVEL: u8 = 50;
/// A pause shorter than this is part of the speech, milliseconds.
pub const TALK_PAUSE_MS: u64 = 2_000;
/// A speech shorter than this is a cough, milliseconds.
pub const TALK_LEAST_MS: u64 = 1_000;
/// A longer speech is written in pieces, so that a killed server loses no more,
/// milliseconds.
pub const TALK_PIECE_MS: u64 = 60_000;
/// People whose speech is followed at a time. Overflow: whoever begins later is
/// not.
pub const TALKERS: usize = 100;
/// Sites whose number of people is known. Overflow: further ones are not noted.
pub const SITES: usize = 10_000;
/// Decks a session ever had, those taken out of the room counted. Overflow: a new
/// one is refused as `full`.
pub const DECKS_EVER: usize = 500;
/// All decks of `state`, bytes of JSON. Overflow: a new one, or a longer licence
/// or owner, is refused as `full`.
pub const DECKS_BYTES: usize = 24 * 1024;
/// Between two `deck` that tell the progress of one, milliseconds.
pub const PROGRESS_EVERY_MS: u64 = 500;
/// Between two `groups` that tell how many are in each, milliseconds; what else
/// changes of them is told at once.
pub const GROUPS_EVERY_MS: u64 = 1_000;
/// Boards that were drawn on. Overflow: a figure on one more is refused as
/// `full`.
pub const BOARDS: usize = 200;
/// What is on them, and can be brought back, bytes of JSON. Overflow: a figure
/// is refused as `full`.
pub const BOARDS_BYTES: usize = 16 * 1024 * 1024;
/// The same of one board. Overflow: what was taken away first can not be brought
/// back any more; where there is nothing, a figure is refused as `full`.
pub const BOARD_BYTES: usize = 1024 * 1024;
/// Figures that were taken away from a board and can be brought back. Overflow:
/// as [`BOARD_BYTES`].
pub const BOARD_GONE: usize = 1_000;
/// What a person can take back on a board, and do again. Overflow: what he did
/// first stays as it is.
pub const BOARD_DEEDS: usize = 50;
/// People who can take back what they did on a board. Overflow: who did nothing
/// there for longest no longer can.
pub const BOARD_AUTHORS: usize = 200;
/// Figures in one `board` and `boardPage`, bytes of JSON. Overflow: the rest
/// follows in another, or is asked for.
pub const BOARD_FRAME_BYTES: usize = 64 * 1024;
/// Points in one `boardLive`. Overflow: refused as `bad_request`.
pub const BOARD_LIVE_POINTS: usize = 64;
/// Lines of captions kept in memory. Overflow: the oldest leaves memory; the
/// ledger keeps it.
pub const CAPTIONS_KEPT: usize = 4_000;
/// Their text, bytes. Overflow: as [`CAPTIONS_KEPT`].
pub const CAPTIONS_BYTES: usize = 1024 * 1024;
/// Lines of captions a session ever has. Overflow: `captionLine` is refused as
/// `full`.
pub const CAPTIONS_EVER: u32 = 50_000;
/// What captions add to `state`, bytes of JSON.
pub const CAPTIONS_STATE_BYTES: usize = CAPTIONS_SHOWN * 1_600;
/// Edits of the shared notes kept in memory. Overflow: the oldest leaves memory,
/// and an edit made to a version before it is refused as `conflict`.
pub const NOTES_KEPT: usize = 2_000;
/// The same, bytes of JSON. Overflow: as [`NOTES_KEPT`].
pub const NOTES_KEPT_BYTES: usize = 1024 * 1024;
/// Edits of the shared notes a session ever has. Overflow: refused as `full`.
pub const NOTES_EVER: u32 = 100_000;
/// Their JSON, bytes: they stay in the ledger, and a room is made out of all of them.
/// Overflow: as [`NOTES_EVER`].
pub const NOTES_EVER_BYTES: usize = 32 * 1024 * 1024;
/// Steps of an edit while it is carried over others. Overflow: refused as `conflict`.
pub const NOTES_STEPS_CARRIED: usize = 400;
/// People who ever edit the shared notes. Overflow: refused as `full`.
pub const NOTES_AUTHORS: usize = 200;
/// The same of each text of a group as [`NOTES_KEPT`] says of that of the whole room.
pub const GROUP_NOTES_KEPT: usize = 500;
/// As [`NOTES_KEPT_BYTES`].
pub const GROUP_NOTES_KEPT_BYTES: usize = 128 * 1024;
/// As [`NOTES_EVER`].
pub const GROUP_NOTES_EVER: u32 = 20_000;
/// As [`NOTES_EVER_BYTES`]: no group can use up what the others need.
pub const GROUP_NOTES_EVER_BYTES: usize = 4 * 1024 * 1024;
/// The same of the texts of all groups together. Overflow: as [`NOTES_EVER`].
pub const GROUPS_NOTES_BYTES: usize = 64 * 1024 * 1024;
/// Texts of groups that were ever written. Overflow: an edit that begins one more is
/// refused as `full`.
pub const GROUPS_NOTES: usize = 200;
/// Whoever leaves a group may hand in for so long what he had written in its notes,
/// milliseconds; where his link was lost, from his return on.
pub const GROUP_NOTES_LATE_MS: u64 = 15_000;
/// Edits in one `notesPage`, bytes of JSON. Overflow: the whole text instead.
pub const NOTES_FRAME_BYTES: usize = 96 * 1024;
/// Files a session ever had, those taken back counted. Overflow: as
/// [`DECKS_EVER`].
pub const FILES_EVER: usize = 10_000;
/// All files handed out, bytes of JSON; they ride in `state`. Overflow: as
/// [`DECKS_EVER`].
pub const HAND_OUTS_BYTES: usize = 24 * 1024;
/// All files handed in, bytes of JSON; staff get them at each return. Overflow:
/// as [`DECKS_EVER`].
pub const FILES_BYTES: usize = 384 * 1024;
/// Files one person ever hands in, those taken back counted. Overflow: as [`DECKS_EVER`].
pub const HAND_INS_EACH: usize = 30;
/// Files in one `filesMine`, bytes of JSON. Overflow: the rest follows in the
/// next frame.
pub const FILES_FRAME_BYTES: usize = 64 * 1024;
/// Polls open at a time. Overflow: `pollOpen` is refused as `conflict`.
pub const POLLS_OPEN: usize = 8;
/// Polls of a session. Overflow: `pollOpen` is refused as `full`.
pub const POLLS_EVER: usize = 500;
/// A poll as it is made, bytes of JSON. Overflow: refused as `too_large`.
pub const POLL_DRAFT_BYTES: usize = 16 * 1024;
/// Cameras a recording takes small beside the presenter's.
pub const RECORD_PROMOTED: usize = 2;
/// Different words of recordings of one session. Overflow: other words are refused
/// as `full`.
pub const RECORD_NOTICES: usize = 64;
/// People whose answer to the words of a recording is kept. Overflow: a further
/// answer is refused as `full`, and that person is not recorded.
pub const RECORD_CHOICES: usize = 20_000;
/// What becomes of recordings, written down. Overflow: it is shown and not
/// written, and repeats of the same alarm are not told.
pub const RECORD_NEWS: Rate = Rate {
    burst: 60,
    per_second_milli: 200,
};
/// A recording of the server ends by itself when nobody has been in for this long, ms.
pub const RECORD_ALONE_MS: u64 = 10 * 60_000;
/// After the lesson began, a recorder is waited for this long before those who look
/// after it are told that the lesson is not recorded, ms.
pub const RECORDER_WAIT_MS: u64 = 5_000;
/// Shortest time after which a poll closes by itself, seconds.
pub const POLL_LEAST_SEC: u32 = 5;
/// People who answer one poll. Overflow: refused as `full`.
pub const POLL_ANSWERS: usize = 20_000;
/// Answers kept in memory for the polls on the screens, bytes. Overflow:
/// answers are refused as `full` until a poll is dropped.
pub const POLL_ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// Between two `poll` while answers come in, milliseconds.
pub const POLL_EVERY_MS: u64 = 1_000;
/// Bytes of `poll` a second to all links together; what is more is told less
/// often.
pub const POLL_TELL_BYTES: usize = 8 * 1024 * 1024;
/// However much there is to tell, it is told this often, milliseconds.
pub const POLL_EVERY_MOST_MS: u64 = 10_000;
/// Polls in one `state`, bytes of JSON. Overflow: the older ones follow as
/// frames of their own.
pub const POLLS_FRAME_BYTES: usize = 8 * 1024;
/// Free texts in the results of one poll, bytes of JSON, in equal parts for its
/// items. Overflow: fewer of them, the newest.
pub const POLL_TEXTS_BYTES: usize = 16 * 1024;
/// What somebody is sent at once when he comes, at most, bytes of JSON: `state`
/// with what rides in it, and after it the questions, files and polls of those
/// who hold them, and the messages to him alone. A link's queue must hold it.
pub const CATCH_UP_BYTES: usize = 256 * 1024
    + DECKS_BYTES
    + HAND_OUTS_BYTES
    + QUESTIONS_STATE_BYTES
    + QUESTIONS_KEPT_BYTES
    + 160 * QUESTIONS_KEPT
    + FILES_BYTES
    + POLLS_SHOWN * (POLL_DRAFT_BYTES + POLL_TEXTS_BYTES + 512)
    + CAPTIONS_STATE_BYTES
    + CHAT_FRAME_BYTES;
/// Rows of one `pollPage`, bytes of JSON. Overflow: a shorter page.
pub const POLL_PAGE_BYTES: usize = 96 * 1024;
/// Between two writings of the ballots of an anonymous poll, milliseconds.
pub const BALLOTS_EVERY_MS: u64 = 2_000;
/// Ballots of an anonymous poll that are written together, at least, while it is
/// open; as many wait for its close, so that these are not few either.
pub const BALLOTS_LEAST: usize = 5;
/// Ballots written at once while a poll is open. Overflow: the rest comes with
/// the next writing.
pub const BALLOTS_MOST: usize = 4_000;
/// Ballots in one event. Overflow: another event.
pub const BALLOTS_EVENT: usize = 500;
/// Rate of speech while somebody listens on the lowest rung of the ladder, kbit/s.
pub const SPEECH_KBPS: u16 = 16;
/// Nobody must have needed it for this long before speech grows again, ms.
pub const SPEECH_HOLD_MS: u64 = 10_000;
