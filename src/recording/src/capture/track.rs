//! One slot: whom it carries, and the file that is being written of it.

use std::collections::VecDeque;

use super::Output;
use crate::clock::TrackClock;
use crate::journal::{Gap, GapWhy, Line};
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
    /// Time of the latest frame as its source counts.
    pub last_rtp: Option<u64>,
    /// Written since the last sync.
    pub dirty: bool,
    /// Not yet in the journal.
    pub gap: Option<(Span, GapWhy)>,
    /// Up to when gaps of it are in the journal, recording time.
    told_ms: u64,
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
            last_rtp: None,
            dirty: true,
            gap: None,
            told_ms: 0,
            samples: Vec::new(),
            next_sample_ms: start_ms,
        }
    }

    /// Nothing of it is there from its latest frame up to this recording time.
    pub fn lacks(&mut self, out: &mut Vec<Output>, at_ms: u64, why: GapWhy) {
        let span = Span::new(self.last_ms.max(self.told_ms).min(at_ms), at_ms);
        match &mut self.gap {
            Some((gap, of)) if span.from_ms <= gap.to_ms + limits::PICTURE_HOLE_MS => {
                gap.to_ms = gap.to_ms.max(span.to_ms);
                if why != GapWhy::Loss {
                    *of = why;
                }
            }
            _ => {
                self.tell_gap(out);
                self.gap = Some((span, why));
            }
        }
    }

    /// Writes what is missing down.
    pub fn tell_gap(&mut self, out: &mut Vec<Output>) {
        if let Some((span, why)) = self.gap.take() {
            self.told_ms = span.to_ms;
            out.push(Output::Journal(Line::Gap(Gap {
                segment: Some(self.segment),
                span,
                why,
            })));
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
    /// H.264: what comes up to the next keyframe is of no file: something before it is
    /// missing, or it may be of another size.
    pub astray: bool,
    /// The last of these, recording time.
    pub left_ms: u64,
    /// H.264: keyframes in a row that did not tell their parameter sets.
    untold: u32,
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
            astray: false,
            left_ms: 0,
            untold: 0,
            anew: VecDeque::new(),
        }
    }

    /// Whether a keyframe of H.264 can be used. `told`: it has its parameter sets. One
    /// without them may be of another layer whose sets were lost on the way; only who
    /// never tells them is taken at his word.
    pub fn begins(&mut self, told: bool) -> bool {
        self.untold = if told {
            0
        } else {
            self.untold.saturating_add(1)
        };
        self.astray = self.untold != 0 && self.untold < limits::UNTOLD_KEYFRAMES;
        !self.astray
    }

    /// Whether another picture of H.264 can be used: decoders do not conceal what is
    /// missing before it without complaint.
    pub fn goes_on(&mut self, contiguous: bool) -> bool {
        self.astray |= !contiguous;
        !self.astray
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
