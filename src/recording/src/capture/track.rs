//! One slot: whom it carries, and the file that is being written of it.

use std::collections::VecDeque;

use crate::clock::TrackClock;
use crate::journal::GapWhy;
use crate::limits;
use crate::media::{Codec, SegmentId, Source};
use crate::mkv::{Cluster, TrackHead};
use crate::time::Span;

/// A file that is being written.
#[derive(Debug)]
pub(super) struct File {
    pub segment: SegmentId,
    pub head: TrackHead,
    pub start_ms: u64,
    pub cluster: Option<Cluster>,
    /// When the first frame of the cluster came, recording time.
    pub cluster_since_ms: u64,
    /// Time of the latest frame, recording time.
    pub last_ms: u64,
    /// Written since the last sync.
    pub dirty: bool,
    /// Not yet in the journal.
    pub gap: Option<(Span, GapWhy)>,
    pub samples: Vec<u8>,
    pub next_sample_ms: u64,
}

impl File {
    pub fn new(segment: SegmentId, head: TrackHead, start_ms: u64) -> Self {
        Self {
            segment,
            head,
            start_ms,
            cluster: None,
            cluster_since_ms: start_ms,
            last_ms: start_ms,
            dirty: true,
            gap: None,
            samples: Vec::new(),
            next_sample_ms: start_ms,
        }
    }

    /// Whether it is long enough.
    pub fn is_long(&self, t_ms: u64) -> bool {
        let most = match self.head.codec {
            Codec::Opus => limits::SOUND_SEGMENT_MS,
            Codec::Vp8 | Codec::H264 => limits::PICTURE_SEGMENT_MS,
        };
        t_ms.saturating_sub(self.start_ms) >= most
    }

    /// Whether the cluster must be closed before this frame.
    pub fn cluster_ends(&self, t_ms: u64, keyframe: bool, len: usize) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| {
            let at = t_ms.saturating_sub(self.start_ms);
            (keyframe && self.head.codec != Codec::Opus)
                || at.saturating_sub(cluster.time_ms()) >= limits::CLUSTER_MS
                || cluster.len() + len > limits::CLUSTER_BYTES
                || !cluster.takes(at)
        })
    }
}

/// A keyframe is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    pub since_ms: u64,
    pub asked_ms: Option<u64>,
    /// Frames came meanwhile that could not be used.
    pub frames: bool,
    pub alarmed: bool,
}

/// A slot.
#[derive(Debug)]
pub(super) struct Track {
    pub source: Source,
    pub clock: Option<(Codec, TrackClock)>,
    pub file: Option<File>,
    pub want: Option<Want>,
    pub key_ms: u64,
    /// When it went on in a new file because its source said so, of late.
    anew: VecDeque<u64>,
}

impl Track {
    pub fn new(source: Source) -> Self {
        Self {
            source,
            clock: None,
            file: None,
            want: None,
            key_ms: 0,
            anew: VecDeque::new(),
        }
    }

    /// Whether it may go on in a new file because its source says so: whoever sends
    /// decides, and files are few.
    pub fn anew(&mut self, t_ms: u64) -> bool {
        while (self.anew.front()).is_some_and(|at| t_ms.saturating_sub(*at) >= 60_000) {
            self.anew.pop_front();
        }
        if self.anew.len() >= limits::ANEW_A_MINUTE {
            return false;
        }
        self.anew.push_back(t_ms);
        true
    }

    /// A keyframe is wanted from now on, if this is a picture.
    pub fn want(&mut self, t_ms: u64) {
        if self.source.kind.is_picture() && self.want.is_none() {
            self.want = Some(Want {
                since_ms: t_ms,
                asked_ms: None,
                frames: false,
                alarmed: false,
            });
        }
    }

    /// Whether to ask for a keyframe now.
    pub fn asks(&mut self, t_ms: u64) -> bool {
        if !self.source.kind.is_picture() {
            return false;
        }
        if let Some(want) = &mut self.want {
            // Nobody answers who sends nothing: seldom.
            let young = t_ms.saturating_sub(want.since_ms) < limits::KEYFRAME_ALARM_MS;
            let every = if young || want.frames {
                limits::KEYFRAME_AGAIN_MS
            } else {
                limits::KEYFRAME_EVERY_MS
            };
            let due = want.asked_ms.is_none_or(|asked| t_ms >= asked + every);
            if due {
                want.asked_ms = Some(t_ms);
            }
            return due;
        }
        let due = self.file.is_some() && t_ms >= self.key_ms + limits::KEYFRAME_EVERY_MS;
        if due {
            self.key_ms = t_ms;
        }
        due
    }
}
