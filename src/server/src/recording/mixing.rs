//! The mixed sound, made beside the class: what is on the disk for good is mixed and
//! appended, so that after the end only the last seconds are left to do. A piece made
//! again after a crash is the same.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::Arc;

use lophoc_ledger::PersonKey;
use lophoc_recording::mix::{GRID_MS, MixError, Packet, SETTLE_MS, Voice, file_head, piece};
use lophoc_recording::scan::{cluster_bytes, frames};
use lophoc_recording::timeline::Segment;
use lophoc_recording::{RecordingId, Timeline, TrackKind};

use super::consent::mark_of;
use super::files::{At, SOUND};
use super::keep::KeepError;
use crate::app::App;

/// What is this much older than the last line of the journal is on the disk: files
/// are synced every 5 s, and what came late is not later than that.
const SETTLED_MS: u64 = 15_000;
/// Length of a piece: some 25 MB of samples.
const PIECE_MS: u64 = 60_000;
/// While it goes on sound is there to a multiple of this, ms: whoever watches from the
/// start hears it.
const STEP_MS: u64 = 10_000;
/// Packets after the end of a piece that may still sound in it, ms.
const AFTER_MS: u64 = 40;

fn codec(error: MixError) -> KeepError {
    KeepError::Bad(format!("the sound cannot be mixed: {error}"))
}

/// Mixes what can be mixed and is not yet, without those who are left out; when the
/// sound that is there holds others than it should, it is begun anew. Blocks. `go` is asked after each piece with
/// how far it is and how far it will be; `false` ends it. Tells whether it came to its
/// end.
///
/// # Errors
/// The disk's; `Bad` when the codec fails.
pub fn go_on(
    app: &Arc<App>,
    id: &RecordingId,
    timeline: &Timeline,
    left: &BTreeSet<PersonKey>,
    mut go: impl FnMut(u64, u64) -> bool,
) -> Result<bool, KeepError> {
    let to_ms = match timeline.ended {
        Some(_) => timeline.length_ms.next_multiple_of(GRID_MS),
        None => timeline.length_ms.saturating_sub(SETTLED_MS) / STEP_MS * STEP_MS,
    };
    let path = app.keep.files.of(id).join(SOUND);
    let mark = mark_of(left, Some(timeline));
    if app.keep.files.sound_without(id)? != mark {
        app.keep.files.begin_sound(id, &mark)?;
    }
    let (mut from_ms, whole) = match app.keep.files.index(id, SOUND)? {
        Some(index) => (index.end_ms.next_multiple_of(GRID_MS), index.bytes),
        None => (0, 0),
    };
    if from_ms >= to_ms {
        return Ok(true);
    }
    let mut out = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    // A piece that was cut off is made again.
    out.set_len(whole)?;
    io::Seek::seek(&mut out, io::SeekFrom::Start(whole))?;
    if whole == 0 {
        out.write_all(&file_head())?;
    }
    let sounds: Vec<&Segment> = timeline
        .segments
        .values()
        .filter(|one| matches!(one.opened.track, TrackKind::Voice | TrackKind::ScreenSound))
        .filter(|one| !left.contains(&one.opened.person))
        .collect();
    while from_ms < to_ms {
        let end_ms = to_ms.min(from_ms.saturating_add(PIECE_MS));
        let mut voices = Vec::new();
        for segment in &sounds {
            let packets = packets(app, id, segment, from_ms, end_ms)?;
            if !packets.is_empty() {
                voices.push(Voice { packets });
            }
        }
        let bytes = piece(from_ms, end_ms, &voices).map_err(codec)?;
        out.write_all(&bytes)?;
        out.sync_data()?;
        from_ms = end_ms;
        if !go(from_ms, to_ms) {
            return Ok(from_ms >= to_ms);
        }
    }
    Ok(true)
}

/// The packets of a segment that sound between these times, and a little before.
fn packets(
    app: &App,
    id: &RecordingId,
    segment: &Segment,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Packet>, KeepError> {
    let start = segment.opened.start_ms;
    let (begin, end) = (
        from_ms.saturating_sub(SETTLE_MS),
        to_ms.saturating_add(AFTER_MS),
    );
    // One that was closed before needs not be opened.
    let over = segment.end.is_some() && segment.span().to_ms.saturating_add(AFTER_MS) < begin;
    if start >= end || over {
        return Ok(Vec::new());
    }
    let file = &segment.opened.file;
    // Of one damaged file the others must not fall silent.
    let Some(index) = app.keep.files.readable_index(id, file)? else {
        return Ok(Vec::new());
    };
    let mut at = match File::open(app.keep.files.of(id).join(file)) {
        Ok(file) => At(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut list = Vec::new();
    for (number, cluster) in index.clusters.iter().enumerate() {
        let Some(span) = index.cluster_span(number) else {
            break;
        };
        if start.saturating_add(span.from_ms) >= end {
            break;
        }
        if start.saturating_add(span.to_ms) < begin {
            continue;
        }
        let bytes = cluster_bytes(&mut at, cluster)?;
        for frame in frames(&bytes).unwrap_or_default() {
            let t_ms = start.saturating_add(frame.time_ms);
            let place = frame.offset..frame.offset.saturating_add(frame.len);
            if let Some(packet) = bytes.get(place)
                && t_ms >= begin
                && t_ms < end
            {
                list.push(Packet {
                    t_ms,
                    bytes: packet.to_vec(),
                });
            }
        }
    }
    Ok(list)
}
