//! What a recorder that died left: each open file up to its last whole cluster.

use sha2::{Digest, Sha256};

use crate::journal::{Line, RecordingEnd, SegmentEnd, Synced};
use crate::limits;
use crate::manifest::hex;
use crate::media::SegmentId;
use crate::scan::{Index, ReadAt};
use crate::time::Span;
use crate::timeline::Timeline;

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// Files to be cut to this length, before the lines are appended.
    pub truncate: Vec<(SegmentId, u64)>,
    /// To be appended to the journal (whose torn last line was cut off before:
    /// [`Timeline::bytes`]).
    pub lines: Vec<Line>,
    /// Files whose synced beginning is not what the journal says: damaged by the disk.
    pub damaged: Vec<SegmentId>,
}

/// Looks at the files a dead recorder did not close. `open` gives their bytes;
/// `None`: there is no such file.
pub fn repair<R: ReadAt>(
    timeline: &Timeline,
    mut open: impl FnMut(SegmentId) -> Option<R>,
) -> Repair {
    let mut repair = Repair::default();
    for (id, segment) in &timeline.segments {
        if segment.end.is_some() {
            continue;
        }
        let mut file = open(*id);
        let start_ms = segment.opened.start_ms;
        let safe = segment.synced.as_ref().map_or(0, |synced| synced.bytes);
        let index = file.as_mut().and_then(|file| {
            let len = length(file)?;
            let index = Index::read(file, len, safe).ok()?;
            if index.bytes < len {
                repair.truncate.push((*id, index.bytes));
            }
            Some(index)
        });
        // Without a head there is nothing; the line says so.
        let (bytes, end_ms) = match (&index, &file) {
            (Some(index), _) => (index.bytes, index.end_ms),
            (None, Some(_)) => {
                repair.truncate.push((*id, 0));
                (0, 0)
            }
            (None, None) => (0, 0),
        };
        let (whole, prefix) = file
            .as_mut()
            .map_or((String::new(), None), |file| hashes(file, bytes, safe));
        if let Some(synced) = &segment.synced
            && prefix.as_ref() != Some(&synced.sha256)
        {
            repair.damaged.push(*id);
        }
        repair.lines.push(Line::Closed {
            synced: Synced {
                segment: *id,
                bytes,
                sha256: whole,
                to_ms: start_ms + end_ms.min(limits::RECORDING_MS),
            },
            why: SegmentEnd::Died,
        });
    }
    repair
}

/// The line that finishes a recording nobody goes on with. `timeline`: with the
/// lines of [`repair`] in it.
pub fn finish(timeline: &Timeline) -> Line {
    let paused = timeline.pauses.last().map_or(0, |last: &Span| last.from_ms);
    Line::Ended {
        at_ms: timeline.length_ms.max(paused),
        why: RecordingEnd::Repaired,
    }
}

/// Length of a source: by halves, as it can only be read.
fn length(file: &mut impl ReadAt) -> Option<u64> {
    let mut is_there = |at: u64| {
        let mut byte = [0];
        file.read_at(at, &mut byte).map(|got| got == 1).ok()
    };
    if !is_there(0)? {
        return Some(0);
    }
    let (mut there, mut beyond) = (0_u64, 1_u64);
    while is_there(beyond)? {
        there = beyond;
        beyond = beyond.checked_mul(2)?;
    }
    while beyond - there > 1 {
        let middle = there + (beyond - there) / 2;
        if is_there(middle)? {
            there = middle;
        } else {
            beyond = middle;
        }
    }
    Some(beyond)
}

/// SHA-256 of the first `bytes`, and of the first `prefix` where there are as many.
fn hashes(file: &mut impl ReadAt, bytes: u64, prefix: u64) -> (String, Option<String>) {
    let mut hash = Sha256::new();
    let mut of_prefix = (prefix == 0).then(|| hex(&hash.clone().finalize()));
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0_u64;
    while at < bytes {
        // A read never goes across the end of the prefix.
        let end = if at < prefix {
            bytes.min(prefix)
        } else {
            bytes
        };
        let want = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(part) = buffer.get_mut(..want) else {
            break;
        };
        let Ok(got) = file.read_at(at, part) else {
            break;
        };
        if got == 0 {
            break;
        }
        hash.update(part.get(..got).unwrap_or_default());
        at += got as u64;
        if at == prefix {
            of_prefix = Some(hex(&hash.clone().finalize()));
        }
    }
    (hex(&hash.finalize()), of_prefix)
}
