//! What a recorder that died left: each open file up to its last whole cluster.

use std::io;

use sha2::{Digest, Sha256};

use crate::journal::{Line, RecordingEnd, SegmentEnd, Synced};
use crate::limits;
use crate::manifest::hex;
use crate::media::SegmentId;
use crate::scan::{Index, ReadAt, ScanError};
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

/// A file that was not closed, as far as it is known without reading all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub segment: SegmentId,
    /// Where its last whole cluster ends; it is to be cut there when it is longer.
    pub bytes: u64,
    /// It is longer.
    pub cut: bool,
    /// Recording time it reaches.
    pub to_ms: u64,
    /// What was known to be on the disk.
    synced: Option<Synced>,
    /// That is not there any more as it was: the file stays as it is, and what was
    /// known of it is what it is measured by.
    damaged: bool,
}

/// Looks at the files a dead recorder did not close, without reading them whole.
/// `open` gives their bytes; `None`: there is no such file. Nothing that was synced is
/// ever cut away, whatever is read.
///
/// # Errors
/// Those of `open` and of reading: nothing may be concluded from what cannot be read.
pub fn look<R: ReadAt>(
    timeline: &Timeline,
    mut open: impl FnMut(SegmentId) -> io::Result<Option<R>>,
) -> io::Result<Vec<Left>> {
    let mut found = Vec::new();
    for (id, segment) in &timeline.segments {
        if segment.end.is_some() {
            continue;
        }
        let synced = segment.on_disk().cloned();
        let safe = synced.as_ref().map_or(0, |synced| synced.bytes);
        let (mut bytes, mut to_ms, mut cut) = (0, segment.opened.start_ms, false);
        if let Some(mut file) = open(*id)? {
            let len = length(&mut file)?;
            match Index::read(&mut file, len, safe) {
                Ok(index) => {
                    let lasts = index.end_ms.min(limits::RECORDING_MS);
                    (bytes, cut) = (index.bytes, index.bytes < len);
                    to_ms = to_ms.saturating_add(lasts);
                }
                Err(ScanError::Read(error)) => return Err(error),
                // Without a head nothing of it is of use.
                Err(ScanError::Head) => {}
            }
        }
        let damaged = bytes < safe;
        if let Some(synced) = synced.as_ref().filter(|_| damaged) {
            (bytes, to_ms, cut) = (synced.bytes, synced.to_ms, false);
        }
        found.push(Left {
            segment: *id,
            bytes,
            // What is no file of ours is left alone.
            cut: cut && bytes > 0,
            to_ms,
            synced,
            damaged,
        });
    }
    Ok(found)
}

/// Reads such a file whole: the line that closes it, and whether the disk damaged it.
/// Then the line says what was known before, so that whoever checks it finds that.
/// `None`: it was ended by `go`, which is asked now and then.
///
/// # Errors
/// Those of reading.
pub fn close(
    left: &Left,
    file: Option<impl ReadAt>,
    go: impl FnMut() -> bool,
) -> io::Result<Option<(Line, bool)>> {
    let mut damaged = left.damaged;
    let mut synced = Synced {
        segment: left.segment,
        bytes: left.bytes,
        sha256: String::new(),
        to_ms: left.to_ms,
    };
    if let Some(mut file) = file.filter(|_| !damaged) {
        let safe = left.synced.as_ref().map_or(0, |synced| synced.bytes);
        let Some((whole, prefix)) = hashes(&mut file, left.bytes, safe, go)? else {
            return Ok(None);
        };
        synced.sha256 = whole;
        damaged = (left.synced.as_ref()).is_some_and(|known| prefix != known.sha256);
    }
    if let Some(known) = left.synced.as_ref().filter(|_| damaged) {
        synced = known.clone();
    }
    let why = SegmentEnd::Died;
    Ok(Some((Line::Closed { synced, why }, damaged)))
}

/// Both for all files.
///
/// # Errors
/// Those of `open` and of reading; then nothing is to be done, and it is tried again.
pub fn repair<R: ReadAt>(
    timeline: &Timeline,
    mut open: impl FnMut(SegmentId) -> io::Result<Option<R>>,
) -> io::Result<Repair> {
    let mut repair = Repair::default();
    for left in look(timeline, &mut open)? {
        if left.cut {
            repair.truncate.push((left.segment, left.bytes));
        }
        let closed = close(&left, open(left.segment)?, || true)?;
        if let Some((line, damaged)) = closed {
            repair.lines.push(line);
            if damaged {
                repair.damaged.push(left.segment);
            }
        }
    }
    Ok(repair)
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
fn length(file: &mut impl ReadAt) -> io::Result<u64> {
    let mut is_there = |at: u64| {
        let mut byte = [0];
        file.read_at(at, &mut byte).map(|got| got == 1)
    };
    if !is_there(0)? {
        return Ok(0);
    }
    // No file is longer than half of what a place can be.
    let (mut there, mut beyond) = (0_u64, 1_u64);
    while beyond < 1 << 62 && is_there(beyond)? {
        there = beyond;
        beyond *= 2;
    }
    while beyond - there > 1 {
        let middle = there + (beyond - there) / 2;
        if is_there(middle)? {
            there = middle;
        } else {
            beyond = middle;
        }
    }
    Ok(beyond)
}

/// SHA-256 of the first `bytes`, and of the first `prefix` of them.
fn hashes(
    file: &mut impl ReadAt,
    bytes: u64,
    prefix: u64,
    mut go: impl FnMut() -> bool,
) -> io::Result<Option<(String, String)>> {
    let mut hash = Sha256::new();
    let mut of_prefix = hex(&hash.clone().finalize());
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0_u64;
    while at < bytes {
        if !go() {
            return Ok(None);
        }
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
        let got = file.read_at(at, part)?;
        if got == 0 {
            break;
        }
        hash.update(part.get(..got).unwrap_or_default());
        at += got as u64;
        if at == prefix {
            of_prefix = hex(&hash.clone().finalize());
        }
    }
    Ok(Some((hex(&hash.finalize()), of_prefix)))
}
