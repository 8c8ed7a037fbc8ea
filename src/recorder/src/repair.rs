//! What a recorder that died left in a folder: made whole, and ended where nobody
//! goes on with it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use lophoc_recording::control::FromRecorder;
use lophoc_recording::repair::{finish as last_line, repair};
use lophoc_recording::scan::ReadAt;
use lophoc_recording::{Line, RecordingId, SegmentId, Timeline};

use crate::files::JOURNAL;
use crate::recording::{Fault, lock};

/// Largest journal that is read, bytes: a day of a large class has some megabytes.
const MAX_JOURNAL: u64 = 512 << 20;

/// A file with places.
struct Bytes(File);

impl ReadAt for Bytes {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

/// The journal in a folder, with every file of it whole; `None` when nothing was
/// recorded yet. The folder is locked.
pub fn find(folder: &Path) -> Result<Option<Timeline>, Fault> {
    let path = folder.join(JOURNAL);
    let mut bytes = Vec::new();
    match File::open(&path) {
        Ok(file) => file.take(MAX_JOURNAL).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut journal = OpenOptions::new().append(true).open(&path)?;
    let Some(mut timeline) = Timeline::read(&bytes) else {
        // Its first line was never whole: no file was begun either.
        journal.set_len(0)?;
        return Ok(None);
    };
    journal.set_len(timeline.bytes)?;
    if timeline.ended.is_some() {
        return Ok(Some(timeline));
    }
    let name = |timeline: &Timeline, segment: SegmentId| {
        let segment = timeline.segments.get(&segment)?;
        let name = Path::new(&segment.opened.file);
        // A name out of the folder is none of ours.
        (name.components().count() == 1).then(|| folder.join(name))
    };
    let found = repair(&timeline, |segment| {
        File::open(name(&timeline, segment)?).ok().map(Bytes)
    });
    for (segment, bytes) in &found.truncate {
        if let Some(path) = name(&timeline, *segment) {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(*bytes)?;
            file.sync_data()?;
        }
    }
    for segment in &found.damaged {
        tracing::error!(folder = %folder.display(), ?segment, "a file is damaged by the disk");
    }
    append(&mut journal, &mut timeline, found.lines)?;
    Ok(Some(timeline))
}

fn append(journal: &mut File, timeline: &mut Timeline, lines: Vec<Line>) -> Result<(), Fault> {
    for line in lines {
        journal.write_all(&line.encode())?;
        timeline.add(line);
    }
    journal.sync_data()?;
    Ok(())
}

/// Makes whole what is there and ends it.
pub async fn finish(recording: RecordingId, folder: PathBuf) -> FromRecorder {
    let failed = |fault: Fault| FromRecorder::Failed {
        recording: recording.clone(),
        why: fault.to_string(),
    };
    let _lock = match lock(&folder).await {
        Ok(lock) => lock,
        Err(fault) => return failed(fault),
    };
    let work = tokio::task::spawn_blocking(move || {
        let Some(mut timeline) = find(&folder)? else {
            return Ok(None);
        };
        if timeline.ended.is_none() {
            let mut journal = OpenOptions::new().append(true).open(folder.join(JOURNAL))?;
            let line = last_line(&timeline);
            append(&mut journal, &mut timeline, vec![line])?;
        }
        Ok(Some(timeline))
    });
    match work.await {
        Ok(Ok(timeline)) => {
            let ended = timeline.and_then(|timeline| Some((timeline.ended?, timeline.length_ms)));
            let nothing = (lophoc_recording::journal::RecordingEnd::Repaired, 0);
            let (why, at_ms) = ended.unwrap_or(nothing);
            FromRecorder::Ended {
                recording,
                why,
                at_ms,
            }
        }
        Ok(Err(fault)) => failed(fault),
        Err(_) => failed(Fault::Damaged("what is there could not be read")),
    }
}
