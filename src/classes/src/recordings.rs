//! Recordings (bản ghi) after the room: their life, who may see them, the shapes
//! of their calls. Times in a recording are ms of *recording time*: since it began,
//! pauses and cuts included.

use lophoc_ledger::{PersonKey, SessionKey};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::class::ClassState;
use crate::day::Day;
use crate::lifecycle::open_until;
use crate::recording_made::{PlaybackPictures, RecordingFilm};
use crate::{ClassId, UnitId};

/// Cuts somebody may make in one recording. Overflow: refused.
pub const MAX_CUTS: usize = 200;
/// Longest licence and title, characters.
pub const MAX_LICENCE: usize = 200;
/// Longest reason of a disposal and note of a step, characters.
pub const MAX_REASON: usize = 1_000;
/// People who must agree to a disposal beside the one who asks for it.
pub const APPROVALS: usize = 2;
/// Spans of one report of what was watched. Overflow: refused.
pub const MAX_WATCHED: usize = 500;

/// Where a recording is in its life (domain: 2.2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecordingLife)]
pub enum RecordingState {
    /// Đang ghi.
    Recording,
    /// Đang xử lý.
    Processing,
    /// Chờ duyệt.
    Review,
    /// Đã công bố.
    Published,
    /// Ẩn.
    Hidden,
    /// Lưu trữ.
    Archived,
    /// Đã xóa; what it was stays on record.
    Deleted,
}

/// Why a step of a recording is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordingRefused {
    /// No such step from this state.
    Order,
    /// Must stay open, up to this day where it is known (TT21 Điều 10.8).
    Protected(Option<Day>),
    /// While it must stay open it is hidden for a reason only.
    Reason,
}

impl RecordingState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Recording,
        Self::Processing,
        Self::Review,
        Self::Published,
        Self::Hidden,
        Self::Archived,
        Self::Deleted,
    ];

    /// Name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Processing => "processing",
            Self::Review => "review",
            Self::Published => "published",
            Self::Hidden => "hidden",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Somebody with the right to review takes it to `to`. `protected`: the day up
    /// to which it must stay open; `None`: it need not any more. `noted`: a reason
    /// was given.
    ///
    /// # Errors
    /// [`RecordingRefused`].
    pub fn step(
        self,
        to: Self,
        protected: Option<Option<Day>>,
        noted: bool,
    ) -> Result<Self, RecordingRefused> {
        let known = match (self, to) {
            // What is still worked on can be looked at and released already.
            (Self::Processing | Self::Review | Self::Hidden, Self::Published)
            | (Self::Processing | Self::Review | Self::Published | Self::Archived, Self::Hidden)
            | (Self::Published | Self::Hidden, Self::Review)
            | (Self::Review | Self::Published | Self::Hidden, Self::Archived) => true,
            _ => false,
        };
        if !known {
            return Err(RecordingRefused::Order);
        }
        match (to, protected) {
            (Self::Archived, Some(until)) => Err(RecordingRefused::Protected(until)),
            (Self::Hidden, Some(_)) if self == Self::Published && !noted => {
                Err(RecordingRefused::Reason)
            }
            _ => Ok(to),
        }
    }

    /// The audience may watch it.
    pub fn is_open(self) -> bool {
        self == Self::Published
    }

    /// Its bytes are there for those who review it.
    pub fn is_there(self) -> bool {
        self != Self::Deleted
    }
}

/// Up to which day a recording must stay open: six months after the class was
/// closed, and never less than six months after its own end. `None` while the
/// class goes on: the day is not known yet, it is protected.
pub fn recording_open_until(state: ClassState, class: Option<Day>, ended: Day) -> Option<Day> {
    if state.before_end() || state == ClassState::Postponed {
        return None;
    }
    let own = open_until(ended);
    Some(class.map_or(own, |class| class.max(own)))
}

/// Who may watch a published recording beside the staff of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AudienceKind {
    /// Người học của lớp.
    Enrolled,
    /// People of a unit and of the units below it, and those enrolled.
    Unit,
    /// Whoever has the link, until it expires, and those enrolled.
    Link,
    /// Everybody.
    Public,
}

/// The audience of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audience {
    /// Kind.
    pub kind: AudienceKind,
    /// The unit, of `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<UnitId>,
    /// The link expires then, ms; of `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until_ms: Option<u64>,
    /// The address to hand out, of `link` and `public`; for those alone who may
    /// set the audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub link: Option<String>,
}

/// A new audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AudienceForm {
    /// Kind.
    pub kind: AudienceKind,
    /// The unit, needed for `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<UnitId>,
    /// The link expires then, ms; needed for `link`, a year ahead at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until_ms: Option<u64>,
}

/// How far the work on a recording is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingProgress {
    /// `finalise`, `quick`, `mix`, `pictures`, `verify`, `render`, `upload`, `publish`.
    pub stage: String,
    /// Of this stage, 0 to 100.
    pub percent: u8,
    /// It failed for this reason and is not tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failed: Option<String>,
}

/// A recording in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingItem {
    /// Id.
    pub id: String,
    /// Session.
    pub session: SessionKey,
    /// Class.
    pub class: ClassId,
    /// Title of the class.
    pub class_title: String,
    /// Title of the recording, else of the session.
    pub session_title: String,
    /// Began, ms since the epoch.
    pub started_ms: u64,
    /// Length without cuts, ms.
    pub duration_ms: u64,
    /// State.
    pub state: RecordingState,
    /// The asker may watch it before its release, release and hide it, set audience
    /// and settings.
    pub can_review: bool,
    /// The asker may trim it and cut spans out.
    pub can_edit: bool,
    /// The asker may watch it now.
    pub can_watch: bool,
    /// The asker may ask for its disposal and agree to one.
    pub can_dispose: bool,
    /// There is sound or picture of the asker in it, which he did not take back.
    pub can_withdraw: bool,
    /// The audience may take the files.
    pub downloads: bool,
    /// Licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub licence: Option<String>,
    /// Must stay open until the end of that day, ms; absent while it is not known
    /// (the class goes on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub open_until_ms: Option<u64>,
    /// Work under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub progress: Option<RecordingProgress>,
    /// Bytes kept.
    pub bytes: u64,
    /// It is not whole, for this reason: `disk`, `recorder`, `damaged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub partial: Option<String>,
    /// Address of a picture of it, 640×360, for who may watch it; good for some hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub poster: Option<String>,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingList {
    /// Latest first.
    pub items: Vec<RecordingItem>,
}

/// A span of recording time in which something is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingGap {
    /// From, ms.
    pub from_ms: u64,
    /// To, ms.
    pub to_ms: u64,
    /// `recorder`, `server`, `disk`, `overload`, or a word of a newer version.
    pub why: String,
}

/// Why a span is shown to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CutWhy {
    /// The recording was paused: there is nothing.
    Pause,
    /// Before the new beginning or after the new end.
    Trim,
    /// Cut out.
    Cut,
}

/// A span of recording time that is shown to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingCut {
    /// From, ms.
    pub from_ms: u64,
    /// To, ms.
    pub to_ms: u64,
    /// Why.
    pub why: CutWhy,
}

/// A span of recording time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeSpan {
    /// From, ms.
    pub from_ms: u64,
    /// To, ms.
    pub to_ms: u64,
}

/// New cuts in place of those before; pauses stay. What begins at 0 or reaches the
/// end is a trim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CutsForm {
    /// Spans; at most 200.
    pub cuts: Vec<TimeSpan>,
}

/// One file of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingSegment {
    /// Id.
    pub id: String,
    /// `camera`, `screen`, `voice`, `screenSound`.
    pub kind: String,
    /// Whose.
    pub person: PersonKey,
    /// From, ms.
    pub from_ms: u64,
    /// To, ms.
    pub to_ms: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal; empty while it is written.
    pub sha256: String,
    /// It was found changed, then, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub damaged_ms: Option<u64>,
}

/// An agreement to a disposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisposalApproval {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// When, ms.
    pub at_ms: u64,
}

/// The disposal (tiêu hủy) of a recording: asked for, or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disposal {
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub by: PersonKey,
    /// Name.
    pub by_name: String,
    /// When, ms.
    pub at_ms: u64,
    /// Who agreed; two are needed, none of them who asked.
    pub approvals: Vec<DisposalApproval>,
    /// The asker of this call may agree.
    pub can_approve: bool,
    /// Done, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub done_ms: Option<u64>,
    /// Bytes that were there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bytes: Option<u64>,
    /// SHA-256 of the manifest of what was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub manifest_sha256: Option<String>,
}

/// Something that happened to a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingLogLine {
    /// When, ms.
    pub at_ms: u64,
    /// Who; empty = the server.
    pub by_name: String,
    /// `state`, `cuts`, `settings`, `audience`, `captions`, `disposal`, `verify`, …
    pub what: String,
    /// In short.
    pub text: String,
}

/// A recording with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingDetail {
    /// As in the list.
    #[serde(flatten)]
    pub item: RecordingItem,
    /// Length with cuts, ms.
    pub length_ms: u64,
    /// Where something is missing.
    pub gaps: Vec<RecordingGap>,
    /// Who may watch it.
    pub audience: Audience,
    /// How many watched.
    pub watchers: u32,
    /// Files; for those who review.
    pub segments: Vec<RecordingSegment>,
    /// What is shown to nobody.
    pub cuts: Vec<RecordingCut>,
    /// Checksums were last looked at, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub verified_ms: Option<u64>,
    /// Asked for or done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub disposal: Option<Disposal>,
    /// The film of what is shown now, when it is made; for those who review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub film: Option<RecordingFilm>,
    /// Caption files.
    pub captions: Vec<PlaybackCaptions>,
    /// What happened to it, latest first; for those who review.
    pub log: Vec<RecordingLogLine>,
}

/// A step of its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordingStepForm {
    /// `published`, `hidden`, `review`, `archived`.
    pub to: RecordingState,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordingSettings {
    /// The audience may take the files.
    pub downloads: bool,
    /// Licence; empty or absent = none said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub licence: Option<String>,
    /// Title; absent = that of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
}

/// Why it is to be disposed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisposalForm {
    /// Reason.
    pub reason: String,
}

/// Who takes back that he is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawalForm {
    /// Somebody else, on his behalf; absent = the asker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub person: Option<PersonKey>,
}

/// Somebody who watched a recording. No attendance comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Watcher {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Different ms watched, cuts left out.
    pub watched_ms: u64,
    /// Of the length without cuts.
    pub percent: u8,
    /// Last, ms since the epoch.
    pub last_ms: u64,
}

/// Who watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatcherList {
    /// By name.
    pub items: Vec<Watcher>,
}

/// What was watched since the last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedForm {
    /// Spans of recording time, ms; at most 500.
    pub spans: Vec<(u64, u64)>,
    /// Where to go on, recording time, ms.
    pub resume_ms: u64,
}

/// A picture of somebody or a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackTrack {
    /// Id of the segment.
    pub id: String,
    /// `camera`, `screen`.
    pub kind: String,
    /// Whose.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// From, recording time, ms. Time 0 of the file is this moment.
    pub from_ms: u64,
    /// To, recording time, ms.
    pub to_ms: u64,
    /// Address, good until `urlsExpireMs`.
    pub url: String,
    /// Type with codecs, as `video/webm;codecs="vp8"`.
    pub mime: String,
    /// Size, pixels; 0 = not known.
    pub width: u32,
    /// Size, pixels; 0 = not known.
    pub height: u32,
    /// Of whoever led the session: shown large.
    pub presenter: bool,
}

/// A page that was shown to all; of a page number 0 the slides went away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackSlide {
    /// From then on, ms.
    pub at_ms: u64,
    /// Deck; empty = none.
    pub deck: String,
    /// Page, from 1; 0 = none.
    pub page: u16,
    /// The page, large.
    pub url: String,
    /// The page, small.
    pub small_url: String,
    /// Name of the deck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// Words on the page, to search in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
}

/// Something on a board. Ids of boards are the protocol's: `w1`, or
/// `<deck>-<page>` for the layer over a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackBoard {
    /// From then on, ms.
    pub at_ms: u64,
    /// Board; empty with `shown` = no blank board any more.
    pub board: String,
    /// This blank board is shown to all in place of slides from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub shown: bool,
    /// A figure that was drawn: the protocol's `Shape`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    #[schema(value_type = Option<Object>)]
    pub shape: Option<serde_json::Value>,
    /// Numbers of figures that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<u32>>")]
    pub hide: Vec<u32>,
    /// Numbers of figures that are there again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<u32>>")]
    pub show: Vec<u32>,
}

/// A message to all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackChat {
    /// When, ms.
    pub at_ms: u64,
    /// Id.
    pub id: String,
    /// Name of who wrote it.
    pub name: String,
    /// Text.
    pub text: String,
}

/// An option of a poll with its votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackOption {
    /// Words; empty where the kind has words of its own (`yesNo`, `vote`).
    pub text: String,
    /// Votes; absent when the results were not shown to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub votes: Option<u32>,
}

/// A question of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackPoll {
    /// Opened, ms.
    pub at_ms: u64,
    /// Closed, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end_ms: Option<u64>,
    /// `yesNo`, `letters`, `poll`, `quiz`, `vote`.
    pub kind: String,
    /// The question, else the title.
    pub question: String,
    /// Options; none of a question answered in words.
    pub options: Vec<PlaybackOption>,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackChapter {
    /// Begins, ms.
    pub at_ms: u64,
    /// Title: first words of the page, else deck and page.
    pub title: String,
}

/// A caption file (WebVTT), times in recording time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackCaptions {
    /// Language tag.
    pub lang: String,
    /// Name to choose it by.
    pub label: String,
    /// Address; empty in the detail of a recording.
    pub url: String,
}

/// Files to take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackDownloads {
    /// MP4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub video: Option<String>,
    /// Sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sound: Option<String>,
}

/// What the asker watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackMine {
    /// Of the length without cuts.
    pub watched_percent: u8,
    /// There is sound or picture of the asker in it that he may take back.
    pub can_withdraw: bool,
}

/// All a player needs. Every time is recording time, ms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Playback {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Title of the class.
    pub class_title: String,
    /// Licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub licence: Option<String>,
    /// Began, ms since the epoch.
    pub started_ms: u64,
    /// Length with cuts.
    pub duration_ms: u64,
    /// To be skipped, in order, never touching each other.
    pub cuts: Vec<TimeSpan>,
    /// Mixed sound; its time is recording time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sound: Option<String>,
    /// The one film (MP4), for browsers that cannot play the tracks. Its time is
    /// recording time without cuts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub film: Option<String>,
    /// Small pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pictures: Option<PlaybackPictures>,
    /// It goes on; ask again.
    pub live: bool,
    /// Pictures.
    pub tracks: Vec<PlaybackTrack>,
    /// Pages.
    pub slides: Vec<PlaybackSlide>,
    /// Boards.
    pub boards: Vec<PlaybackBoard>,
    /// Chat to all.
    pub chat: Vec<PlaybackChat>,
    /// Polls.
    pub polls: Vec<PlaybackPoll>,
    /// Chapters.
    pub chapters: Vec<PlaybackChapter>,
    /// Captions.
    pub captions: Vec<PlaybackCaptions>,
    /// Files to take, when that is allowed.
    pub downloads: PlaybackDownloads,
    /// Where the asker was, recording time.
    pub resume_ms: u64,
    /// Addresses are good until then, ms since the epoch; ask again before.
    pub urls_expire_ms: u64,
    /// What the asker watched.
    pub mine: PlaybackMine,
}

/// Whether somebody may watch what is recorded so far, while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FromStart {
    /// He may, now.
    pub may: bool,
}

/// How much a unit keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingQuota {
    /// Bytes its classes keep.
    pub used: u64,
    /// Most bytes; absent = no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bytes: Option<u64>,
    /// More than nine tenths are used.
    pub warning: bool,
}

/// A bound for a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaForm {
    /// Most bytes; absent = no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bytes: Option<u64>,
}

/// Somebody to be told by HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Id.
    pub id: String,
    /// Where.
    pub url: String,
    /// Of classes of this unit and those below it; absent = of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<UnitId>,
    /// The secret (`whsec_…`), told once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secret: Option<String>,
    /// Made, ms.
    pub made_ms: u64,
    /// Last delivered, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub delivered_ms: Option<u64>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failed: Option<String>,
    /// Messages that wait.
    pub waiting: u32,
}

/// A new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookForm {
    /// Where: `https://…`.
    pub url: String,
    /// Of classes of this unit and those below it; absent = of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<UnitId>,
}

#[cfg(test)]
mod tests {
    use super::RecordingState as S;
    use super::*;

    fn day(text: &str) -> Day {
        Day::try_from(text.to_owned()).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn it_is_released_hidden_and_archived_and_nothing_leads_back_from_its_end() {
        for (from, to) in [
            (S::Review, S::Published),
            (S::Published, S::Hidden),
            (S::Hidden, S::Published),
            (S::Published, S::Archived),
            (S::Archived, S::Hidden),
        ] {
            assert_eq!(from.step(to, None, false), Ok(to));
        }
        for (from, to) in [
            (S::Recording, S::Published),
            (S::Review, S::Deleted),
            (S::Deleted, S::Published),
            (S::Archived, S::Published),
            (S::Published, S::Processing),
        ] {
            assert_eq!(from.step(to, None, true), Err(RecordingRefused::Order));
        }
    }

    #[test]
    fn while_it_must_stay_open_it_is_not_archived_and_hidden_for_a_reason_only() {
        let until = Some(Some(day("2027-05-30")));
        assert_eq!(
            S::Published.step(S::Archived, until, true),
            Err(RecordingRefused::Protected(Some(day("2027-05-30"))))
        );
        assert_eq!(
            S::Published.step(S::Hidden, until, false),
            Err(RecordingRefused::Reason)
        );
        assert_eq!(S::Published.step(S::Hidden, until, true), Ok(S::Hidden));
        // Nobody saw it yet.
        assert_eq!(S::Review.step(S::Hidden, until, false), Ok(S::Hidden));
    }

    #[test]
    fn the_last_of_class_and_recording_counts_and_a_class_that_goes_on_protects() {
        let ended = day("2026-11-22");
        let own = day("2027-05-22");
        let until = |state, class| recording_open_until(state, class, ended);
        assert_eq!(until(ClassState::Running, None), None);
        assert_eq!(until(ClassState::Postponed, None), None);
        assert_eq!(until(ClassState::Cancelled, None), Some(own));
        let later = day("2027-06-30");
        assert_eq!(until(ClassState::Published, Some(later)), Some(later));
        let sooner = day("2027-01-01");
        assert_eq!(until(ClassState::Archived, Some(sooner)), Some(own));
    }
}
