//! What a journal says, put together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::journal::{Gap, Line, Opened, RecordingEnd, SegmentEnd, Synced};
use crate::limits;
use crate::media::{Policy, RecordingId, SegmentId};
use crate::time::{Anchor, Now, Span};

/// A segment as far as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// How it began.
    pub opened: Opened,
    /// The last sync, which is the end of a closed one.
    pub synced: Option<Synced>,
    /// Why it ended; `None`: it grows, or its recorder died.
    pub end: Option<SegmentEnd>,
}

impl Segment {
    /// What of it is known to be on the disk; `None`: nothing.
    pub fn on_disk(&self) -> Option<&Synced> {
        self.synced.as_ref().filter(|synced| synced.bytes > 0)
    }

    /// From its beginning to what is known to be on the disk.
    pub fn span(&self) -> Span {
        let to = self
            .synced
            .as_ref()
            .map_or(self.opened.start_ms, |synced| synced.to_ms);
        Span::new(self.opened.start_ms, to.max(self.opened.start_ms))
    }
}

/// A recording as its journal tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Which recording.
    pub recording: RecordingId,
    /// The first anchor: recording time 0.
    pub began: Anchor,
    /// The anchor in force.
    pub anchor: Anchor,
    /// Recorders started for it.
    pub runs: u32,
    /// What may be taken.
    pub policy: Policy,
    /// Its segments by number.
    pub segments: BTreeMap<SegmentId, Segment>,
    /// When nothing was taken; the last one is open (`to_ms == u64::MAX`) while paused.
    pub pauses: Vec<Span>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// Why it ended; `None`: it runs, or its recorder died.
    pub ended: Option<RecordingEnd>,
    /// Its length: the end, or the latest time of any line.
    pub length_ms: u64,
    /// Bytes of whole lines; what follows is a torn line.
    pub bytes: u64,
    /// Lines that were none.
    pub damaged: u32,
}

impl Timeline {
    /// Reads a journal. A line that is torn or damaged is left out and counted.
    /// `None` when the first line is not there: nothing was recorded.
    pub fn read(journal: &[u8]) -> Option<Self> {
        let mut timeline: Option<Self> = None;
        let mut at = 0_usize;
        let mut damaged = 0_u32;
        loop {
            let rest = journal.get(at..).unwrap_or_default();
            let Some(len) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            let text = rest.get(..len).unwrap_or_default();
            at += len + 1;
            let line = (text.len() <= limits::JOURNAL_LINE)
                .then(|| serde_json::from_slice::<Line>(text).ok())
                .flatten();
            match (line, &mut timeline) {
                (
                    Some(Line::Began {
                        recording,
                        anchor,
                        policy,
                        ..
                    }),
                    None,
                ) => {
                    timeline = Some(Self {
                        recording,
                        began: anchor.clone(),
                        anchor,
                        runs: 1,
                        policy,
                        segments: BTreeMap::new(),
                        pauses: Vec::new(),
                        gaps: Vec::new(),
                        ended: None,
                        length_ms: 0,
                        bytes: 0,
                        damaged: 0,
                    });
                }
                (Some(line), Some(timeline)) => timeline.add(line),
                (None, _) => damaged += 1,
                (Some(_), None) => {}
            }
        }
        let mut timeline = timeline?;
        timeline.bytes = at as u64;
        timeline.damaged = damaged;
        Some(timeline)
    }

    /// A further line.
    pub fn add(&mut self, line: Line) {
        match line {
            Line::Began { .. } | Line::Unknown => {}
            Line::WentOn { run, anchor } => {
                self.runs = self.runs.max(run.saturating_add(1));
                self.reach(anchor.t_ms);
                self.anchor = anchor;
                self.ended = None;
            }
            Line::Policy { at_ms, policy } => {
                self.reach(at_ms);
                self.policy = policy;
            }
            Line::Paused { at_ms, .. } => {
                self.reach(at_ms);
                if !self.paused() {
                    self.pauses.push(Span::new(at_ms, u64::MAX));
                }
            }
            Line::Resumed { at_ms, .. } => {
                self.reach(at_ms);
                self.end_pause(at_ms);
            }
            Line::Opened(opened) => {
                self.reach(opened.start_ms);
                if self.segments.len() < limits::MAX_SEGMENTS {
                    self.segments.entry(opened.segment).or_insert(Segment {
                        opened,
                        synced: None,
                        end: None,
                    });
                }
            }
            Line::Synced(synced) => self.synced(synced, None),
            Line::Closed { synced, why } => self.synced(synced, Some(why)),
            Line::Gap(gap) => {
                self.reach(gap.span.to_ms);
                if self.gaps.len() < limits::MAX_GAPS {
                    self.gaps.push(gap);
                }
            }
            Line::Disk { at_ms, .. } => self.reach(at_ms),
            Line::Ended { at_ms, why } => {
                self.reach(at_ms);
                self.end_pause(at_ms);
                self.ended = Some(why);
            }
        }
    }

    /// It is known to reach this time.
    pub fn reach(&mut self, at_ms: u64) {
        self.length_ms = self.length_ms.max(at_ms.min(limits::RECORDING_MS * 4));
    }

    fn end_pause(&mut self, at_ms: u64) {
        if let Some(last) = self.pauses.last_mut()
            && last.to_ms == u64::MAX
        {
            last.to_ms = at_ms.max(last.from_ms);
        }
    }

    fn synced(&mut self, synced: Synced, why: Option<SegmentEnd>) {
        self.reach(synced.to_ms);
        if let Some(segment) = self.segments.get_mut(&synced.segment) {
            segment.synced = Some(synced);
            segment.end = why.or(segment.end);
        }
    }

    /// Whether nobody went on with it for so long that it is over: what a recorder
    /// takes now is another class.
    pub fn is_over(&self, now: Now, boot_id: &str) -> bool {
        let now_ms = self.anchor.go_on(now, boot_id, self.length_ms).at(now);
        now_ms.saturating_sub(self.length_ms) > limits::OUTAGE_MS
    }

    /// Whether it is paused.
    pub fn paused(&self) -> bool {
        self.pauses
            .last()
            .is_some_and(|last| last.to_ms == u64::MAX)
    }

    /// The number of the next segment.
    pub fn next_segment(&self) -> SegmentId {
        let last = self.segments.keys().next_back().map_or(0, |id| id.0);
        SegmentId(last.saturating_add(1))
    }

    /// Pauses, an open one up to the end.
    pub fn pauses(&self) -> impl Iterator<Item = Span> + '_ {
        self.pauses
            .iter()
            .map(|span| Span::new(span.from_ms, span.to_ms.min(self.length_ms)))
            .filter(|span| !span.is_empty())
    }
}
