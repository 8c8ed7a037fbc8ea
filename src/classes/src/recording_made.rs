//! What the server makes of a recording beside its sound.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The film made of a recording: H.264 with AAC, for everybody who may watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingFilm {
    /// Name; another one when something else is cut or left out.
    pub file: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// When it was made, ms since the epoch.
    pub made_ms: u64,
}

/// Small pictures of what is shown, for the time line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackPictures {
    /// One of all, 640×360.
    pub poster: String,
    /// Pictures of many: `across` in a row, as many rows at most, one strip after the
    /// other.
    pub strips: Vec<String>,
    /// In a row.
    pub across: u32,
    /// Width of one, pixels.
    pub width: u32,
    /// Height of one, pixels.
    pub height: u32,
    /// How far apart they stand, ms of what is shown; further where there is nothing to
    /// be seen.
    pub every_ms: u64,
    /// Recording time, ms, and the number of its place, through all strips; in order.
    pub tiles: Vec<(u64, u32)>,
}
