//! Media terms shared by both directions: kinds, profiles, slots, view and bind.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{SlotId, TrackId};

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum MediaKind {
    /// Microphone.
    Mic,
    /// Camera.
    Camera,
    /// Shared screen or window.
    Screen,
    /// Sound of the shared screen.
    ScreenAudio,
}

impl MediaKind {
    /// True for microphone and screen sound.
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Mic | Self::ScreenAudio)
    }
}

/// The fixed set of m-lines a client declares once (DESIGN 4.2). Order of
/// m-lines in the offer, always: the sending ones of the profile, then the
/// receiving audio, video and screen slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// Webinar audience. Sends mic, camera; receives 3 audio, 2 video, 1 screen.
    Viewer,
    /// Class member. Sends mic, camera (rids q, h, f), screen, screen sound;
    /// receives 5 audio, 9 video (4 on phones), 1 screen.
    Seat,
    /// Hall or organiser's desk. Sends as a seat; receives 5 audio, 25 video, 1 screen.
    Wall,
}

impl Profile {
    /// The sending m-lines, in order.
    pub fn sends(self) -> &'static [MediaKind] {
        match self {
            Self::Viewer => &[MediaKind::Mic, MediaKind::Camera],
            Self::Seat | Self::Wall => &[
                MediaKind::Mic,
                MediaKind::Camera,
                MediaKind::Screen,
                MediaKind::ScreenAudio,
            ],
        }
    }

    /// The most slots this profile may ask for.
    pub fn max_slots(self) -> SlotCounts {
        match self {
            Self::Viewer => SlotCounts { a: 3, v: 2, s: 1 },
            Self::Seat => SlotCounts { a: 5, v: 9, s: 1 },
            Self::Wall => SlotCounts { a: 5, v: 25, s: 1 },
        }
    }
}

/// A server that helps through closed networks, as `RTCIceServer` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// Addresses, `turn:` or `turns:`.
    pub urls: Vec<String>,
    /// User name; names the second it runs out, and nobody.
    pub username: String,
    /// Password that belongs to it.
    pub credential: String,
}

/// How many receiving slots of each sort the offer declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct SlotCounts {
    /// Audio slots.
    pub a: u8,
    /// Video slots.
    pub v: u8,
    /// Screen slots.
    pub s: u8,
}

/// What the publisher says of a track of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TrackState {
    /// Sending.
    Live,
    /// Held, nothing is sent, the device may stay open (microphone only).
    Muted,
    /// Not published.
    Off,
}

/// Where a video slot takes its picture from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SlotSource {
    /// This track.
    K(TrackId),
    /// The n-th most recent speaker with a camera (0 = now), never oneself.
    Speaker(u8),
}

/// The wish for one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SlotWish {
    /// The slot.
    pub mid: SlotId,
    /// What to show; absent means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub src: Option<SlotSource>,
    /// Wanted height in device pixels; the server rounds up to a layer. 0 pauses.
    pub h: u16,
    /// Importance, 0 to 255; the larger is served first under a short bandwidth.
    #[serde(default)]
    pub prio: u8,
}

/// Wishes for the audio slots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AudioWish {
    /// Tracks to hear always while they send, before the loudest are chosen. At most 2 count.
    #[serde(default)]
    pub pin: Vec<TrackId>,
}

/// How much the client wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ViewMode {
    /// Everything wished for.
    #[default]
    Normal,
    /// The lowest rung of the ladder, by one's own choice: one voice at a time,
    /// no picture; slides are pages. Wishes for pictures stay as they are.
    Save,
    /// Sound only.
    Audio,
    /// The page is hidden: sound only.
    Hidden,
}

/// The whole wish of a client (`view`): replaces the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Grows with each view; echoed in `bind`.
    pub rev: u32,
    /// Wishes for video and screen slots. A slot not named is empty.
    #[serde(default)]
    pub slots: Vec<SlotWish>,
    /// Wishes for audio.
    #[serde(default)]
    pub audio: AudioWish,
    /// How much.
    #[serde(default)]
    pub mode: ViewMode,
}

/// State of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum BindState {
    /// Packets flow.
    Live,
    /// Bound, the first picture is awaited.
    Wait,
    /// Bound, held back; see `why`.
    Paused,
    /// Nothing in this slot.
    Off,
}

/// Why a slot is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum BindReason {
    /// The receiver's bandwidth is too small.
    Bw,
    /// The publisher does not send.
    Muted,
    /// The server is overloaded.
    Limit,
}

/// What is in a video or screen slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoBind {
    /// The slot.
    pub mid: SlotId,
    /// The track, absent when the slot is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub k: Option<TrackId>,
    /// State.
    pub st: BindState,
    /// Why it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub why: Option<BindReason>,
    /// Simulcast layer, 0 the smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lay: Option<u8>,
    /// RTP timestamp, as the receiver sees it, of the first frame of this
    /// source: hide the tile until it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rtp_ts: Option<u32>,
}

/// What is in an audio slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AudioBind {
    /// The slot.
    pub mid: SlotId,
    /// The track, absent when silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub k: Option<TrackId>,
}

/// The m-lines of an answer by use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Mids {
    /// Microphone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub mic: Option<SlotId>,
    /// Camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub camera: Option<SlotId>,
    /// Screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen: Option<SlotId>,
    /// Screen sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub screen_audio: Option<SlotId>,
    /// Audio slots.
    pub a: Vec<SlotId>,
    /// Video slots.
    pub v: Vec<SlotId>,
    /// Screen slots.
    pub s: Vec<SlotId>,
}

/// What a server with too much to do gives up; each takes in those before it.
/// Sound is never given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Overload {
    /// Thumbnails of cameras.
    Thumbnails,
    /// Large cameras.
    Layers,
    /// Frames of shared screens, and all cameras but one.
    Screen,
    /// All cameras.
    Video,
}

/// A simulcast layer of a camera or a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Rid {
    /// The smallest.
    Q,
    /// The middle one.
    H,
    /// The largest.
    F,
}

/// A rung of the ladder for weak links: how much somebody is sent at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Rung {
    /// Âm thanh và trang trình chiếu: one voice at a time, slides as pages.
    Sound,
    /// And one small camera.
    Camera,
    /// And the shared screen.
    Screen,
}

/// Why somebody is on a lower rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RungReason {
    /// By own choice: data saving.
    Chosen,
    /// The link bears no more.
    Link,
}

/// A rung below the highest, on which everything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OnRung {
    /// Which.
    pub at: Rung,
    /// Why.
    pub why: RungReason,
}
