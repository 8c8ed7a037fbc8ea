//! One person as the room knows him, present or gone.

use lophoc_ledger::{NameKey, name_key};
use lophoc_protocol::client::Resume;
use lophoc_protocol::media::OnRung;
use lophoc_protocol::people::{LinkState, PersonTrack};
use lophoc_protocol::{
    Action, GroupNo, MediaKind, Person, PersonId, Role, SessionId, TrackId, TrackState,
};

use crate::api::{Allow4, LinkId, Now};
use crate::bounds::{
    ANSWERS, CAPTIONS, CHATS, EVERYTHING, FLOOD, HANDS, HELLOS, HOLD_MS, MODERATION, NOTES, PAGES,
    POINTS, REACTIONS, STROKES, TRACKS,
};
use crate::bucket::Bucket;
use crate::notes::{LeftNotes, TextNo};
use crate::polls::PollsSeen;
use crate::spans::{Talk, Written};
use crate::text::{fold, json_len};

/// Whether somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// In, connected by this link.
    Linked(LinkId),
    /// In, the link broke; `since_ms` on the monotonic clock. `clean` = the
    /// browser closed it properly.
    Lost { since_ms: u64, clean: bool },
    /// Out; `since_ms` on the wall clock, which outlives the process.
    Gone { since_ms: u64 },
}

/// A raised hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hand {
    /// Place in the queue: smaller is earlier.
    pub order: u64,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

/// A question of a moderator that has not been answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub by: PersonId,
    pub name: String,
}

/// A track that others stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Name of who did it.
    pub by: String,
    /// The person's present link said hello after it.
    pub before_return: bool,
}

/// One thing per sort of track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerKind<T> {
    pub mic: T,
    pub camera: T,
    pub screen: T,
    pub screen_audio: T,
}

impl<T> PerKind<T> {
    pub(crate) fn get(&self, kind: MediaKind) -> &T {
        match kind {
            MediaKind::Mic => &self.mic,
            MediaKind::Camera => &self.camera,
            MediaKind::Screen => &self.screen,
            MediaKind::ScreenAudio => &self.screen_audio,
        }
    }

    pub(crate) fn get_mut(&mut self, kind: MediaKind) -> &mut T {
        match kind {
            MediaKind::Mic => &mut self.mic,
            MediaKind::Camera => &mut self.camera,
            MediaKind::Screen => &mut self.screen,
            MediaKind::ScreenAudio => &mut self.screen_audio,
        }
    }
}

/// All sorts of track.
pub(crate) const KINDS: [MediaKind; 4] = [
    MediaKind::Mic,
    MediaKind::Camera,
    MediaKind::Screen,
    MediaKind::ScreenAudio,
];

/// The right a track needs.
pub(crate) fn right_of(kind: MediaKind) -> Action {
    match kind {
        MediaKind::Mic => Action::Speak,
        MediaKind::Camera => Action::ShowCamera,
        MediaKind::Screen | MediaKind::ScreenAudio => Action::ShareScreen,
    }
}

/// Name of a kind in the ledger; the same as on the wire.
pub(crate) fn kind_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Mic => "mic",
        MediaKind::Camera => "camera",
        MediaKind::Screen => "screen",
        MediaKind::ScreenAudio => "screenAudio",
    }
}

/// How often a person may do what.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub everything: Bucket,
    pub chats: Bucket,
    pub hands: Bucket,
    pub moderation: Bucket,
    pub pages: Bucket,
    pub hellos: Bucket,
    pub flood: Bucket,
    pub tracks: Bucket,
    pub answers: Bucket,
    pub reactions: Bucket,
    pub points: Bucket,
    pub picks: Bucket,
    pub strokes: Bucket,
    pub captions: Bucket,
    pub notes: Bucket,
}

impl Buckets {
    fn full(now_ms: u64) -> Self {
        Self {
            everything: Bucket::full(EVERYTHING, now_ms),
            chats: Bucket::full(CHATS, now_ms),
            hands: Bucket::full(HANDS, now_ms),
            moderation: Bucket::full(MODERATION, now_ms),
            pages: Bucket::full(PAGES, now_ms),
            hellos: Bucket::full(HELLOS, now_ms),
            flood: Bucket::full(FLOOD, now_ms),
            tracks: Bucket::full(TRACKS, now_ms),
            answers: Bucket::full(ANSWERS, now_ms),
            reactions: Bucket::full(REACTIONS, now_ms),
            points: Bucket::full(POINTS, now_ms),
            picks: Bucket::full(HANDS, now_ms),
            strokes: Bucket::full(STROKES, now_ms),
            captions: Bucket::full(CAPTIONS, now_ms),
            notes: Bucket::full(NOTES, now_ms),
        }
    }
}

/// Rights, floor, and the group one is in.
pub(crate) type Told = (Vec<Action>, bool, Option<GroupNo>);

/// Order of the roster: staff first, then by Vietnamese order of names.
pub(crate) type SortKey = (bool, NameKey);

/// A person.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub id: PersonId,
    pub name: String,
    pub unit: Option<String>,
    /// Role here.
    pub role: Role,
    /// Role by the token; another than `role` when one was handed over.
    pub came_as: Role,
    pub device: String,
    /// Name of the site the connection stands for.
    pub site: Option<String>,
    /// People ticked in there.
    pub hall: u32,
    /// Breakout group the person is assigned to.
    pub group: Option<GroupNo>,
    /// Group the media plane has the person in.
    pub placed: Option<GroupNo>,
    /// The notes of a group he asked for last, whose edits he is told.
    pub reads: Option<TextNo>,
    /// The notes of the group he left last.
    pub left_notes: Option<LeftNotes>,
    /// For whom the person stands in, by name.
    pub stands_for: Option<String>,
    /// Has the captioner's task.
    pub captions: bool,
    /// Gets less than everything.
    pub rung: Option<OnRung>,
    /// Is shown large to all.
    pub spot: bool,
    /// When he wrote to all last, ms since the epoch.
    pub wrote_ms: Option<u64>,
    /// When the present visit began, ms since the epoch.
    pub since_ms: u64,
    /// Since when the link is as it is, ms since the epoch.
    pub link_since_ms: u64,
    /// Loudness last heard, −dBov, and when, monotonic ms.
    pub loud: Option<(u8, u64)>,
    /// Name and unit without marks, for search.
    pub search: String,
    pub sort: SortKey,
    /// Media peer; absent until the first hello in this process.
    pub peer: Option<u64>,
    pub session: SessionId,
    pub key: String,
    /// The key before: a `resumed` may be lost on its way, and then the client
    /// knows no newer one.
    pub key_before: Option<String>,
    pub presence: Presence,
    /// Last sign of life.
    pub heard: Now,
    /// When the present link said hello, on the monotonic clock.
    pub returned_ms: u64,
    pub floor: bool,
    pub hand: Option<Hand>,
    /// Was asked to unmute: may speak until a moderator takes it back.
    pub opened: bool,
    pub tracks: PerKind<TrackState>,
    /// Who stopped the track, until it is live again.
    pub stopped: PerKind<Option<Stop>>,
    pub asked_mic: Option<Asked>,
    pub asked_camera: Option<Asked>,
    /// Sees something else than when the link broke: a resume is answered by
    /// the whole state.
    pub anew: bool,
    /// What of [`You`](lophoc_protocol::server::You) changes, as last told.
    pub told: Option<Told>,
    /// What the media plane was told.
    pub allow: Allow4,
    /// What the ledger was told of the tracks.
    pub written: PerKind<Written>,
    /// A speech that goes on.
    pub talk: Option<Talk>,
    pub polls: PollsSeen,
    pub buckets: Buckets,
}

impl Default for PerKind<TrackState> {
    fn default() -> Self {
        Self {
            mic: TrackState::Off,
            camera: TrackState::Off,
            screen: TrackState::Off,
            screen_audio: TrackState::Off,
        }
    }
}

impl Default for PerKind<Written> {
    fn default() -> Self {
        Self {
            mic: Written::default(),
            camera: Written::default(),
            screen: Written::default(),
            screen_audio: Written::default(),
        }
    }
}

impl Default for PerKind<Option<Stop>> {
    fn default() -> Self {
        Self {
            mic: None,
            camera: None,
            screen: None,
            screen_audio: None,
        }
    }
}

impl Member {
    /// Somebody who never was here.
    pub(crate) fn new(
        id: PersonId,
        name: String,
        unit: Option<String>,
        role: Role,
        now: Now,
    ) -> Self {
        let mut member = Self {
            id,
            name: String::new(),
            unit: None,
            role,
            came_as: role,
            device: String::new(),
            site: None,
            hall: 0,
            group: None,
            placed: None,
            reads: None,
            left_notes: None,
            stands_for: None,
            captions: false,
            rung: None,
            spot: false,
            wrote_ms: None,
            since_ms: now.wall_ms,
            link_since_ms: now.wall_ms,
            loud: None,
            search: String::new(),
            sort: (true, name_key("")),
            peer: None,
            session: SessionId(String::new()),
            key: String::new(),
            key_before: None,
            presence: Presence::Gone {
                since_ms: now.wall_ms,
            },
            heard: now,
            returned_ms: 0,
            floor: false,
            hand: None,
            opened: false,
            tracks: PerKind::default(),
            stopped: PerKind::default(),
            asked_mic: None,
            asked_camera: None,
            anew: false,
            told: None,
            allow: Allow4::default(),
            written: PerKind::default(),
            talk: None,
            polls: PollsSeen::default(),
            buckets: Buckets::full(now.mono_ms),
        };
        member.rename(name, unit, role);
        member
    }

    /// Sets the identity and what is derived from it.
    pub(crate) fn rename(&mut self, name: String, unit: Option<String>, role: Role) {
        self.search = match &unit {
            Some(unit) => fold(&format!("{name} {unit}")),
            None => fold(&name),
        };
        self.sort = (!role.is_staff(), name_key(&name));
        self.name = name;
        self.unit = unit;
        self.role = role;
    }

    /// The present link has said hello.
    pub(crate) fn returned(&mut self, now: Now) {
        self.heard = now;
        self.returned_ms = now.mono_ms;
        for kind in KINDS {
            if let Some(stop) = self.stopped.get_mut(kind) {
                stop.before_return = true;
            }
        }
    }

    /// Whether a stop from before the return still holds.
    pub(crate) fn is_held(&self, kind: MediaKind, now_ms: u64) -> bool {
        self.stopped
            .get(kind)
            .as_ref()
            .is_some_and(|stop| stop.before_return)
            && now_ms.saturating_sub(self.returned_ms) < HOLD_MS
    }

    /// Whether this is the key of the session, or the one before. Somebody known
    /// from the ledger alone has none.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        !key.is_empty() && (self.key == key || self.key_before.as_deref() == Some(key))
    }

    /// Whether the page goes on with the session it had.
    pub(crate) fn resumes(&self, resume: Option<&Resume>) -> bool {
        resume.is_some_and(|resume| resume.session == self.session && self.has_key(&resume.key))
    }

    pub(crate) fn link(&self) -> Option<LinkId> {
        match self.presence {
            Presence::Linked(link) => Some(link),
            Presence::Lost { .. } | Presence::Gone { .. } => None,
        }
    }

    pub(crate) fn is_present(&self) -> bool {
        !matches!(self.presence, Presence::Gone { .. })
    }

    /// Whether the person stands out, and so is listed to everybody even where
    /// the roster is a sample.
    pub(crate) fn stands_out(&self) -> bool {
        self.role.is_staff()
            || self.floor
            || self.spot
            || self.captions
            || self.hand.is_some()
            || KINDS
                .iter()
                .any(|kind| *self.tracks.get(*kind) == TrackState::Live)
    }

    pub(crate) fn asked_mut(&mut self, kind: MediaKind) -> Option<&mut Option<Asked>> {
        match kind {
            MediaKind::Mic => Some(&mut self.asked_mic),
            MediaKind::Camera => Some(&mut self.asked_camera),
            MediaKind::Screen | MediaKind::ScreenAudio => None,
        }
    }

    /// The entry in the roster.
    pub(crate) fn entry(&self) -> Person {
        let tracks = self.peer.map_or_else(Vec::new, |peer| {
            KINDS
                .iter()
                .filter(|kind| *self.tracks.get(**kind) != TrackState::Off)
                .map(|&kind| PersonTrack {
                    k: TrackId { peer, kind },
                    kind,
                    st: *self.tracks.get(kind),
                })
                .collect()
        });
        Person {
            id: self.id.clone(),
            name: self.name.clone(),
            unit: self.unit.clone(),
            role: self.role,
            link: match self.presence {
                Presence::Linked(_) => LinkState::Ok,
                Presence::Lost { .. } | Presence::Gone { .. } => LinkState::Lost,
            },
            floor: self.floor,
            hand: self.hand.map(|hand| hand.at_ms),
            tracks,
            site: self.site.clone(),
            hall: self.hall,
            group: self.group,
            stands_for: self.stands_for.clone(),
            captions: self.captions,
            rung: self.rung,
        }
    }

    /// People behind the connection.
    pub(crate) fn heads(&self) -> u32 {
        if self.site.is_some() { self.hall } else { 1 }
    }

    /// Upper bound of the length of the entry in JSON, bytes.
    pub(crate) fn entry_bytes(&self) -> usize {
        // 220 for the fixed fields, 75 for a track.
        let tracks = KINDS
            .iter()
            .filter(|kind| *self.tracks.get(**kind) != TrackState::Off)
            .count();
        220 + 75 * tracks
            + json_len(self.id.as_str())
            + json_len(&self.name)
            + self.unit.as_deref().map_or(0, json_len)
            + self.site.as_deref().map_or(0, json_len)
            + self.stands_for.as_deref().map_or(0, json_len)
            + self.rung.map_or(0, |_| 45)
            + if self.captions { 16 } else { 0 }
    }
}
