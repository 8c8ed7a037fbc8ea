//! Bounds of the protocol, enforced by the server and told to the client in `welcome`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Largest websocket frame either side may send, bytes.
pub const MAX_FRAME: usize = 256 * 1024;
/// Largest frame after decompression, bytes.
pub const MAX_INFLATED: usize = 512 * 1024;
/// Largest SDP, bytes.
pub const MAX_SDP: usize = 200 * 1024;
/// Longest chat message, Unicode scalar values.
pub const MAX_CHAT: usize = 5_000;
/// Longest `cid` of a chat message, bytes of printable ASCII.
pub const MAX_CID: usize = 64;
/// Chat messages in `state` and in one `chatPage`, at most.
pub const CHAT_PAGE: usize = 100;
/// People in one `peoplePage`, at most.
pub const PEOPLE_PAGE: u32 = 100;
/// Hands listed in `hands` and `state`, at most; `counts.hands` is exact.
pub const HANDS_SHOWN: usize = 100;
/// People listed in `lobby`, at most; its `total` is exact.
pub const LOBBY_SHOWN: usize = 100;
/// Longest announced break, minutes.
pub const MAX_BREAK_MIN: u16 = 240;
/// Shortest and longest time to answer a presence check, seconds.
pub const CHECK_SECS: (u32, u32) = (30, 900);
/// Longest interval of scheduled presence checks, minutes.
pub const MAX_CHECK_EVERY_MIN: u16 = 240;
/// After a drop there is at least this long to answer a presence check, ms.
pub const CHECK_CATCH_UP_MS: u64 = 30_000;
/// Longest question and written answer, Unicode scalar values.
pub const MAX_QUESTION: usize = 1_000;
/// Questions in `state`, at most; the rest has been dismissed or answered long ago.
pub const QUESTIONS_SHOWN: usize = 200;
/// Longest slow mode, seconds between two messages of one person.
pub const MAX_SLOW_SEC: u16 = 600;
/// Longest timer, seconds.
pub const MAX_TIMER_SEC: u32 = 6 * 3_600;
/// Longest label of a timer, name of a group, licence, owner; Unicode scalar values.
pub const MAX_LABEL: usize = 120;
/// Longest purpose and longest words on keeping of a recording notice, Unicode scalar values.
pub const MAX_RECORD_TEXT: usize = 500;
/// Alarms of recordings that are told, at most: the newest.
pub const RECORD_ALARMS: usize = 20;
/// People who attend unrecorded listed to staff, at most.
pub const UNRECORDED_SHOWN: usize = 500;
/// People shown to all at once, at most.
pub const MAX_SPOTLIGHT: usize = 4;
/// Items of a quiz, at most.
pub const MAX_POLL_ITEMS: usize = 20;
/// Options of an item, at most.
pub const MAX_POLL_OPTIONS: usize = 12;
/// Longest text of a poll: title, item, option, free answer; Unicode scalar values.
pub const MAX_POLL_TEXT: usize = 500;
/// Free texts in the results of an item, at most; the record has all of them.
pub const POLL_TEXTS: usize = 50;
/// Longest a poll stays open by itself, seconds.
pub const MAX_POLL_SEC: u32 = 4 * 3_600;
/// Polls in `state`, at most: the newest.
pub const POLLS_SHOWN: usize = 20;
/// Rows in one `pollPage`, at most.
pub const POLL_PAGE: u32 = 100;
/// Decks of a session, at most.
pub const MAX_DECKS: usize = 50;
/// Pages of a deck, at most.
pub const MAX_PAGES: u16 = 500;
/// Files handed out and in of a session, at most.
pub const MAX_FILES: usize = 2_000;
/// Coordinates of the pointer on a page go from 0 to this.
pub const POINT_MAX: u16 = 10_000;
/// Blank boards of a session, at most.
pub const MAX_WHITEBOARDS: u8 = 20;
/// Points of a stroke, at most; a longer one is drawn as several.
pub const MAX_STROKE: usize = 400;
/// Longest text on a board, Unicode scalar values.
pub const MAX_BOARD_TEXT: usize = 500;
/// Figures to be seen on a board, at most.
pub const MAX_SHAPES: usize = 1_000;
/// Figures in one `boardErase`, at most.
pub const MAX_ERASE: usize = 100;
/// People with the captioner's task at a time, at most.
pub const MAX_CAPTIONERS: usize = 4;
/// Longest line of captions, Unicode scalar values.
pub const MAX_CAPTION: usize = 200;
/// A line of captions counts as typed no longer than this, ms.
pub const MAX_CAPTION_MS: u32 = 60_000;
/// Lines of captions in `state`, at most.
pub const CAPTIONS_SHOWN: usize = 20;
/// Lines of captions in one `captionPage`, at most.
pub const CAPTION_PAGE: usize = 100;
/// Longest shared notes, Unicode scalar values.
pub const MAX_NOTES: usize = 20_000;
/// Most that one edit of them puts in, Unicode scalar values.
pub const MAX_NOTES_EDIT: usize = 5_000;
/// Steps of one edit, at most.
pub const MAX_NOTES_STEPS: usize = 200;
/// Breakout groups, at most.
pub const MAX_GROUPS: u8 = 50;
/// Longest time in groups, minutes.
pub const MAX_GROUP_MIN: u16 = 240;
/// JSON longer than this is worth compressing when the peer has cap `gz`, bytes.
pub const GZIP_OVER: usize = 1_024;
/// Longest display name, Unicode scalar values.
pub const MAX_NAME: usize = 80;
/// Longest declared unit, Unicode scalar values.
pub const MAX_UNIT: usize = 120;
/// Most video slots in a profile.
pub const MAX_VIDEO_SLOTS: u8 = 25;
/// Most audio slots in a profile.
pub const MAX_AUDIO_SLOTS: u8 = 5;
/// Most screen slots in a profile.
pub const MAX_SCREEN_SLOTS: u8 = 2;
/// Rooms up to this many people send everybody the full roster.
pub const FULL_ROSTER: usize = 500;
/// A broken link may be resumed for this long, milliseconds.
pub const RESUME_MS: u64 = 90_000;
/// State-bearing events kept for replay, per room.
pub const RING: usize = 1_024;
/// The client's worker pings this often, milliseconds. Two and a half seconds,
/// because a silent cut and two deaths of the server together must not cost
/// anybody five seconds of attendance.
pub const PING_EVERY_MS: u64 = 2_500;
/// Without any frame for this long a link is dead, milliseconds.
pub const LINK_TIMEOUT_MS: u64 = 25_000;

/// The bounds a client needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest frame, bytes.
    pub frame: usize,
    /// Longest chat message, characters.
    pub chat: usize,
    /// How long a broken link may be resumed, milliseconds.
    pub resume_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: MAX_FRAME,
            chat: MAX_CHAT,
            resume_ms: RESUME_MS,
        }
    }
}
