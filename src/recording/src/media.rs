//! What is recorded: tracks, codecs, frames, and the rules about whose.

use std::collections::BTreeSet;

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};

/// A recording: a ULID as text; also the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordingId(String);

impl RecordingId {
    /// `None` unless these are 26 letters and digits: it becomes a path.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RecordingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A segment of a recording: counts up from 1, also across recorder restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentId(pub u32);

impl SegmentId {
    /// Its file: `0001.webm`, for H.264 `0001.mkv`.
    pub fn file(self, codec: Codec) -> String {
        format!("{:04}.{}", self.0, codec.ending())
    }

    /// Its side file with samples of the clock.
    pub fn clock_file(self) -> String {
        format!("clock-{:04}.jsonl", self.0)
    }
}

/// A slot (m-line) of the recorder's media peer; numbered by the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u32);

/// What a track shows or sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrackKind {
    /// A person's camera.
    Camera,
    /// A shared screen.
    Screen,
    /// A person's microphone.
    Voice,
    /// The sound of a shared screen.
    ScreenSound,
}

impl TrackKind {
    /// Whether it is a picture.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Camera | Self::Screen)
    }
}

/// How a track is encoded; it is stored as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Codec {
    /// VP8.
    Vp8,
    /// H.264.
    H264,
    /// Opus.
    Opus,
}

impl Codec {
    /// Ticks of RTP time in a second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Vp8 | Self::H264 => 90_000,
            Self::Opus => 48_000,
        }
    }

    /// Ending of a file's name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Vp8 | Self::Opus => "webm",
            Self::H264 => "mkv",
        }
    }

    /// Media type of what is served.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Vp8 => "video/webm; codecs=\"vp8\"",
            Self::Opus => "audio/webm; codecs=\"opus\"",
            Self::H264 => "video/x-matroska; codecs=\"avc1\"",
        }
    }
}

/// Whom a slot carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Whose media.
    pub person: PersonKey,
    /// What of it.
    pub kind: TrackKind,
    /// Tells one publication of the same person and kind from the next; a new one
    /// begins a new segment.
    pub publication: u64,
    /// Teaches or chairs: kept longest when the disk fills, shown large.
    pub presenter: bool,
}

/// What may be taken; what comes nevertheless is dropped before it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Only of those who present.
    pub presenters_only: bool,
    /// Cameras of others than presenters.
    pub learner_cameras: bool,
    /// People of whom nothing is stored: they have not consented.
    pub never: BTreeSet<PersonKey>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            presenters_only: false,
            learner_cameras: true,
            never: BTreeSet::new(),
        }
    }
}

impl Policy {
    /// Whether this may be stored, as far as people are concerned.
    pub fn takes(&self, source: &Source) -> bool {
        !self.never.contains(&source.person)
            && (source.presenter
                || (!self.presenters_only
                    && (source.kind != TrackKind::Camera || self.learner_cameras)))
    }
}

/// A whole frame as it came out of the depacketizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How it is encoded.
    pub codec: Codec,
    /// RTP time, unwrapped, in ticks of [`Codec::clock_rate`].
    pub rtp: u64,
    /// When its first packet arrived: `CLOCK_BOOTTIME`, nanoseconds.
    pub arrival_ns: u64,
    /// A picture that stands alone. Sound: ignored.
    pub keyframe: bool,
    /// Nothing is missing between the frame before and this one.
    pub contiguous: bool,
    /// Sound: the first of a talkspurt (the marker bit); a hole before it is silence.
    pub talkspurt: bool,
    /// The frame. H.264 in Annex B form.
    pub bytes: Vec<u8>,
}
