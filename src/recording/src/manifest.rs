//! Hashes: while a file grows, and of all files of a finished recording.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::{Gap, Opened, RecordingEnd, SegmentEnd};
use crate::media::RecordingId;
use crate::time::{Anchor, Span};
use crate::timeline::Timeline;

/// Hash of everything appended so far.
#[derive(Debug, Clone, Default)]
pub struct Running {
    hash: Sha256,
    bytes: u64,
}

impl Running {
    /// Of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// These were appended.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// How many there are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Their SHA-256, hexadecimal; more may follow.
    pub fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `manifest.json`: what a finished recording is made of. Its own hash goes into
/// the record of the class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 1.
    pub version: u32,
    /// Which recording.
    pub recording: RecordingId,
    /// Recording time 0.
    pub began: Anchor,
    /// Its length, milliseconds.
    pub length_ms: u64,
    /// Why it ended.
    pub ended: RecordingEnd,
    /// When nothing was taken.
    pub pauses: Vec<Span>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// The segments in order.
    pub segments: Vec<ManifestSegment>,
    /// The other files: journal, mixed sound.
    pub files: Vec<ManifestFile>,
}

/// A segment in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSegment {
    /// How it began.
    #[serde(flatten)]
    pub opened: Opened,
    /// Recording time it reaches.
    pub end_ms: u64,
    /// Why it ended.
    pub end: SegmentEnd,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them, hexadecimal.
    pub sha256: String,
}

/// Another file in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// Name inside the folder.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them, hexadecimal.
    pub sha256: String,
}

/// Why there is no manifest yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The recording runs, or needs [`crate::repair`].
    #[error("the recording is not finished")]
    Unfinished,
}

impl Manifest {
    /// Of a finished recording. `files`: the others. A segment that was never closed
    /// counts as far as it was synced; one of which nothing is on the disk is none.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn new(timeline: &Timeline, files: Vec<ManifestFile>) -> Result<Self, ManifestError> {
        let ended = timeline.ended.ok_or(ManifestError::Unfinished)?;
        let mut segments = Vec::with_capacity(timeline.segments.len());
        for segment in timeline.segments.values() {
            let Some(synced) = segment.on_disk() else {
                continue;
            };
            segments.push(ManifestSegment {
                opened: segment.opened.clone(),
                end_ms: synced.to_ms,
                end: segment.end.unwrap_or(SegmentEnd::Died),
                bytes: synced.bytes,
                sha256: synced.sha256.clone(),
            });
        }
        Ok(Self {
            version: 1,
            recording: timeline.recording.clone(),
            began: timeline.began.clone(),
            length_ms: timeline.length_ms,
            ended,
            pauses: timeline.pauses().collect(),
            gaps: timeline.gaps.clone(),
            segments,
            files,
        })
    }

    /// As it is stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
