//! The folder of recordings: `<data>/recordings/<id>`. What a journal says and
//! where clusters lie is kept in memory as long as the files stay as they are.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lophoc_ledger::PersonKey;
use lophoc_recording::journal::Line;
use lophoc_recording::scan::{Index, ReadAt, ScanError};
use lophoc_recording::{RecordingId, Timeline, limits};

/// The journal of a recording.
pub const JOURNAL: &str = "journal.jsonl";
/// The list of its files with their hashes.
pub const MANIFEST: &str = "manifest.json";
/// The mixed sound.
pub const SOUND: &str = "sound.webm";
/// Of whom there is nothing in the mixed sound though there are files: the mark.
const SOUND_WITHOUT: &str = "sound.without";
/// Where made things lie.
pub const OUT: &str = "out";
/// Where clusters of files lie that may be elsewhere.
const INDEX: &str = "index";
/// Journals and indexes kept in memory. Overflow: all are read anew.
const KEPT: usize = 2_000;
/// The end of a file that grows is read as a whole: it may be torn.
const DOUBTFUL: u64 = 4 * 1024 * 1024;

type Journals = HashMap<String, (u64, Journal)>;
type Indexes = HashMap<(String, String), (u64, Arc<Index>)>;

/// What a journal says.
#[derive(Debug, Clone)]
pub struct Journal {
    /// In order.
    pub timeline: Arc<Timeline>,
    /// Everybody of whom, at some time, nothing was to be stored.
    pub never: Arc<BTreeSet<PersonKey>>,
}

/// Folders and what is known of them.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    journals: Mutex<Journals>,
    indexes: Mutex<Indexes>,
}

/// A file with places.
#[derive(Debug)]
pub struct At(pub File);

impl ReadAt for At {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody whom a journal names as not to be stored.
fn never_in(journal: &[u8]) -> BTreeSet<PersonKey> {
    let mut never = BTreeSet::new();
    for text in journal.split(|byte| *byte == b'\n') {
        // Lines that name nobody are most of them.
        if !text.windows(7).any(|word| word == b"\"never\"") {
            continue;
        }
        if let Ok(Line::Began { policy, .. } | Line::Policy { policy, .. }) =
            serde_json::from_slice(text)
        {
            never.extend(policy.never);
        }
    }
    never
}

/// What an index could not be made of.
fn bad(error: ScanError) -> io::Error {
    match error {
        ScanError::Read(error) => error,
        ScanError::Head => io::Error::new(io::ErrorKind::InvalidData, "no head of a recording"),
    }
}

impl Files {
    /// In this data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("recordings"),
            journals: Mutex::default(),
            indexes: Mutex::default(),
        }
    }

    /// The folder of all.
    pub fn root(&self) -> &Path {
        &self.folder
    }

    /// The folder of one.
    pub fn of(&self, id: &RecordingId) -> PathBuf {
        self.folder.join(id.as_str())
    }

    /// What its journal says; `None`: nothing was recorded. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn timeline(&self, id: &RecordingId) -> io::Result<Option<Arc<Timeline>>> {
        Ok(self.journal(id)?.map(|journal| journal.timeline))
    }

    /// As [`Self::timeline`], with those of whom nothing was to be stored. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn journal(&self, id: &RecordingId) -> io::Result<Option<Journal>> {
        let file = match File::open(self.of(id).join(JOURNAL)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // It only grows: its length says whether it changed.
        let len = file.metadata()?.len();
        if let Some((known, journal)) = lock(&self.journals).get(id.as_str())
            && *known == len
        {
            return Ok(Some(journal.clone()));
        }
        let mut bytes = Vec::new();
        io::Read::read_to_end(
            &mut io::Read::take(file, len.min(limits::JOURNAL_BYTES)),
            &mut bytes,
        )?;
        let Some(timeline) = Timeline::read(&bytes).map(Arc::new) else {
            return Ok(None);
        };
        let journal = Journal {
            timeline,
            never: Arc::new(never_in(&bytes)),
        };
        let mut table = lock(&self.journals);
        if table.len() >= KEPT {
            table.clear();
        }
        table.insert(id.as_str().to_owned(), (len, journal.clone()));
        Ok(Some(journal))
    }

    /// Where the clusters of a file lie, `None` when there is no such file. Of one
    /// that is elsewhere: as it was written down. Blocks.
    ///
    /// # Errors
    /// Those of the disk; `InvalidData` when the file is none of a recording.
    pub fn index(&self, id: &RecordingId, name: &str) -> io::Result<Option<Arc<Index>>> {
        let key = (id.as_str().to_owned(), name.to_owned());
        let file = match File::open(self.of(id).join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.written_index(id, name);
            }
            Err(error) => return Err(error),
        };
        let len = file.metadata()?.len();
        let known = lock(&self.indexes).get(&key).cloned();
        if let Some((before, index)) = &known
            && *before == len
        {
            return Ok(Some(Arc::clone(index)));
        }
        let doubtful = len.saturating_sub(DOUBTFUL);
        let mut at = At(file);
        let index = match known {
            Some((before, index)) if before < len => {
                let mut index = Arc::unwrap_or_clone(index);
                index.go_on(&mut at, len, doubtful).map_err(bad)?;
                index
            }
            _ => match Index::read(&mut at, len, doubtful) {
                Ok(index) => index,
                // Begun a moment ago.
                Err(ScanError::Head) if len < 4_096 => return Ok(None),
                Err(error) => return Err(bad(error)),
            },
        };
        let index = Arc::new(index);
        let mut table = lock(&self.indexes);
        if table.len() >= KEPT {
            table.clear();
        }
        table.insert(key, (len, Arc::clone(&index)));
        Ok(Some(index))
    }

    /// As [`Self::index`]; a file that is none of a recording is as one that is not
    /// there: the others are served all the same. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn readable_index(&self, id: &RecordingId, name: &str) -> io::Result<Option<Arc<Index>>> {
        match self.index(id, name) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::warn!(recording = %id, file = name, "no file of a recording");
                Ok(None)
            }
            index => index,
        }
    }

    /// The mark of those whom the mixed sound that is there leaves out. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn sound_without(&self, id: &RecordingId) -> io::Result<String> {
        match std::fs::read_to_string(self.of(id).join(SOUND_WITHOUT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            text => text,
        }
    }

    /// The mixed sound is begun anew, without others than before. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn begin_sound(&self, id: &RecordingId, mark: &str) -> io::Result<()> {
        // Gone before the mark says that it is another: what was mixed before is
        // never served under a mark that is not its own.
        for path in [self.of(id).join(SOUND), self.index_path(id, SOUND)] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.forget(id);
        replace(&self.of(id).join(SOUND_WITHOUT), mark.as_bytes())
    }

    fn index_path(&self, id: &RecordingId, name: &str) -> PathBuf {
        self.of(id).join(INDEX).join(format!("{name}.json"))
    }

    fn written_index(&self, id: &RecordingId, name: &str) -> io::Result<Option<Arc<Index>>> {
        let key = (id.as_str().to_owned(), name.to_owned());
        if let Some((_, index)) = lock(&self.indexes).get(&key) {
            return Ok(Some(Arc::clone(index)));
        }
        let bytes = match std::fs::read(self.index_path(id, name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let index: Arc<Index> = serde_json::from_slice(&bytes)
            .map(Arc::new)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        lock(&self.indexes).insert(key, (index.bytes, Arc::clone(&index)));
        Ok(Some(index))
    }

    /// Writes down where the clusters of a file lie, so that it can be served when it
    /// is elsewhere. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write_index(&self, id: &RecordingId, name: &str) -> io::Result<()> {
        if let Some(index) = self.index(id, name)? {
            let bytes = serde_json::to_vec(&*index).map_err(io::Error::other)?;
            let path = self.index_path(id, name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            replace(&path, &bytes)?;
        }
        Ok(())
    }

    /// What is remembered of a recording is forgotten.
    pub fn forget(&self, id: &RecordingId) {
        lock(&self.journals).remove(id.as_str());
        lock(&self.indexes).retain(|(of, _), _| of != id.as_str());
    }
}

/// Opens a file to be read, and never what a link leads to.
///
/// # Errors
/// Those of the disk; `NotFound` when it is no file.
pub fn plain_file(path: &Path) -> io::Result<File> {
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Writes a file beside and puts it into its place: never half of it is there.
///
/// # Errors
/// Those of the disk.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// SHA-256 of the first `len` bytes of a file, hexadecimal; `None` when it is
/// shorter. `go` is asked between pieces with the bytes done; `false` ends it.
///
/// # Errors
/// Those of the disk; `Interrupted` when it was ended.
pub fn hash(path: &Path, len: u64, mut go: impl FnMut(u64) -> bool) -> io::Result<Option<String>> {
    use std::io::Read as _;
    let mut file = File::open(path)?.take(len);
    let mut running = lophoc_recording::manifest::Running::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        running.add(piece.get(..read).unwrap_or_default());
        if !go(running.bytes()) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    Ok((running.bytes() == len).then(|| running.sha256()))
}
