//! What a recorder that died left in a folder: made whole, and ended where nobody
//! goes on with it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use lophoc_recording::control::FromRecorder;
use lophoc_recording::journal::RecordingEnd;
use lophoc_recording::repair::{Left, close, finish as last_line, look};
use lophoc_recording::scan::ReadAt;
use lophoc_recording::{Line, RecordingId, SegmentId, Timeline, limits};

use crate::files::JOURNAL;
use crate::recording::{Fault, lock};

/// A file with places.
struct Bytes(File);

impl ReadAt for Bytes {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

/// What is there of a recording, each file of it cut where its last whole cluster
/// ends.
pub struct Found {
    /// What the journal says, as far as the files reach.
    pub timeline: Timeline,
    /// What is to be read whole and closed.
    pub left: Vec<Left>,
    folder: PathBuf,
}

/// Looks at a folder, which is locked; `None` when nothing was recorded yet. Reads no
/// file whole, so that a recorder goes on at once.
pub fn find(folder: &Path) -> Result<Option<Found>, Fault> {
    let path = folder.join(JOURNAL);
    let mut bytes = Vec::new();
    let len = match File::open(&path) {
        Ok(mut file) => {
            let len = file.metadata()?.len();
            if len > limits::JOURNAL_BYTES {
                return Err(Fault::Damaged("its journal is longer than any"));
            }
            file.read_to_end(&mut bytes)?;
            len
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(mut timeline) = Timeline::read(&bytes) else {
        if bytes.contains(&b'\n') {
            // It says something, if not this: nothing of it is thrown away.
            return Err(Fault::Damaged("its journal has no beginning"));
        }
        // Its first line was never whole: no file was begun either.
        cut(&path, len, 0)?;
        return Ok(None);
    };
    // A line that was torn, and nothing else.
    cut(&path, len, timeline.bytes)?;
    let left = look(&timeline, |segment| open(folder, &timeline, segment))?;
    for one in &left {
        timeline.reach(one.to_ms);
        if one.cut
            && let Some(path) = name(folder, &timeline, one.segment)
        {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(one.bytes)?;
            file.sync_data()?;
        }
    }
    Ok(Some(Found {
        timeline,
        left,
        folder: folder.to_owned(),
    }))
}

fn cut(path: &Path, len: u64, to: u64) -> io::Result<()> {
    if to < len {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(to)?;
        file.sync_data()?;
    }
    Ok(())
}

fn name(folder: &Path, timeline: &Timeline, segment: SegmentId) -> Option<PathBuf> {
    let segment = timeline.segments.get(&segment)?;
    let name = Path::new(&segment.opened.file);
    // A name out of the folder is none of ours.
    (name.components().count() == 1).then(|| folder.join(name))
}

/// `None`: there is no such file, which is not the same as one that cannot be opened.
fn open(folder: &Path, timeline: &Timeline, segment: SegmentId) -> io::Result<Option<Bytes>> {
    let Some(path) = name(folder, timeline, segment) else {
        return Ok(None);
    };
    match File::open(path) {
        Ok(file) => Ok(Some(Bytes(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Found {
    /// Reads what was left whole and gives the lines that close it, until `stop`.
    /// Tells whether all of it is closed.
    pub fn mend(&self, stop: &AtomicBool, each: &mut dyn FnMut(Line)) -> io::Result<bool> {
        for one in &self.left {
            let file = open(&self.folder, &self.timeline, one.segment)?;
            let Some((line, damaged)) = close(one, file, || !stop.load(Ordering::Relaxed))? else {
                return Ok(false);
            };
            if damaged {
                let (folder, segment) = (self.folder.display(), one.segment);
                tracing::error!(%folder, ?segment, "a file is damaged by the disk");
            }
            each(line);
        }
        Ok(true)
    }

    /// Closes what was left and ends it, if it has not ended: how and when.
    pub fn finish(&mut self) -> Result<(RecordingEnd, u64), Fault> {
        let mut lines = Vec::new();
        self.mend(&AtomicBool::new(false), &mut |line| lines.push(line))?;
        let mut journal = OpenOptions::new()
            .append(true)
            .open(self.folder.join(JOURNAL))?;
        for line in lines {
            self.timeline.add(line.clone());
            journal.write_all(&line.encode())?;
        }
        self.left.clear();
        if self.timeline.ended.is_none() {
            let line = last_line(&self.timeline);
            self.timeline.add(line.clone());
            journal.write_all(&line.encode())?;
        }
        journal.sync_data()?;
        let why = self.timeline.ended.unwrap_or(RecordingEnd::Repaired);
        Ok((why, self.timeline.length_ms))
    }
}

/// Makes whole what is there and ends it.
pub async fn finish(recording: RecordingId, folder: PathBuf) -> FromRecorder {
    let failed = |fault: Fault| FromRecorder::Failed {
        recording: recording.clone(),
        why: fault.to_string(),
    };
    let lock = match lock(&folder).await {
        Ok(lock) => lock,
        Err(fault) => return failed(fault),
    };
    let work = tokio::task::spawn_blocking(move || {
        let found = find(&folder)?;
        let ended = found.map(|mut found| found.finish()).transpose();
        drop(lock);
        ended
    });
    match work.await {
        Ok(Ok(ended)) => {
            let (why, at_ms) = ended.unwrap_or((RecordingEnd::Repaired, 0));
            FromRecorder::Ended {
                recording,
                why,
                at_ms,
                clean: true,
            }
        }
        Ok(Err(fault)) => failed(fault),
        Err(_) => failed(Fault::Damaged("what is there could not be read")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use lophoc_recording::journal::{Opened, SegmentEnd};
    use lophoc_recording::{Anchor, Codec, Policy, TrackKind};

    use super::*;

    const ID: &str = "01HZX3N8K7W2V5T4R6Q9P0M1J3";

    /// The first line of a journal.
    pub(crate) fn begun() -> Line {
        Line::Began {
            version: 1,
            recording: RecordingId::new(ID).unwrap(),
            anchor: Anchor {
                wall_ms: 1_800_000_000_000,
                boot_ns: 5,
                boot_id: "boot".to_owned(),
                t_ms: 0,
            },
            policy: Policy::default(),
        }
    }

    /// The line that begins a file.
    pub(crate) fn opened(number: u32) -> Line {
        Line::Opened(Opened {
            segment: SegmentId(number),
            file: format!("{number:04}.webm"),
            track: TrackKind::Voice,
            person: "co".into(),
            publication: 1,
            presenter: true,
            codec: Codec::Opus,
            start_ms: 0,
            width: 0,
            height: 0,
        })
    }

    fn journal(folder: &Path, lines: &[Line], torn: &[u8]) {
        let mut bytes: Vec<u8> = lines.iter().flat_map(Line::encode).collect();
        bytes.extend_from_slice(torn);
        std::fs::write(folder.join(JOURNAL), bytes).unwrap();
    }

    #[test]
    fn a_journal_loses_its_torn_line_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let lines = [begun(), opened(1), opened(2)];
        journal(folder.path(), &lines, b"{\"kind\":");
        let found = find(folder.path()).unwrap().unwrap();
        assert_eq!(found.timeline.segments.len(), 2);
        let whole: Vec<u8> = lines.iter().flat_map(Line::encode).collect();
        assert_eq!(std::fs::read(folder.path().join(JOURNAL)).unwrap(), whole);

        // Without its first line nothing is concluded, and nothing taken away.
        let mut bytes = whole.clone();
        bytes[3] ^= 0xFF;
        std::fs::write(folder.path().join(JOURNAL), &bytes).unwrap();
        assert!(matches!(find(folder.path()), Err(Fault::Damaged(_))));
        assert_eq!(std::fs::read(folder.path().join(JOURNAL)).unwrap(), bytes);

        // It was never whole: the recording begins.
        journal(folder.path(), &[], b"{\"kind\":\"began");
        assert!(find(folder.path()).unwrap().is_none());
        assert_eq!(std::fs::read(folder.path().join(JOURNAL)).unwrap(), b"");
    }

    #[test]
    fn files_that_cannot_be_opened_are_not_closed_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        journal(folder.path(), &[begun(), opened(1)], b"");
        // A link to itself: there, and not to be opened.
        let file = folder.path().join("0001.webm");
        std::os::unix::fs::symlink("0001.webm", &file).unwrap();
        assert!(matches!(find(folder.path()), Err(Fault::Io(_))));
        std::fs::remove_file(&file).unwrap();
        // Journaled and never created: it is over, with nothing in it.
        let mut found = find(folder.path()).unwrap().unwrap();
        found.finish().unwrap();
        let segment = &found.timeline.segments[&SegmentId(1)];
        assert_eq!(segment.end, Some(SegmentEnd::Died));
        assert!(segment.on_disk().is_none());
        let again = find(folder.path()).unwrap().unwrap();
        assert_eq!(again.timeline.segments, found.timeline.segments);
        assert_eq!(again.timeline.ended, Some(RecordingEnd::Repaired));
    }

    #[test]
    fn what_was_not_closed_is_closed_after_the_end_too() {
        let folder = tempfile::tempdir().unwrap();
        let ended = Line::Ended {
            at_ms: 700,
            why: RecordingEnd::Stopped,
        };
        journal(folder.path(), &[begun(), opened(1), ended], b"");
        let mut found = find(folder.path()).unwrap().unwrap();
        assert_eq!(found.finish().unwrap(), (RecordingEnd::Stopped, 700));
        let again = find(folder.path()).unwrap().unwrap();
        assert!(again.left.is_empty());
    }
}
