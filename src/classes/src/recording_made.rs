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
