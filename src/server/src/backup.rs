//! `lophoc backup DIR` and `lophoc restore DIR`: a copy of everything that is kept
//! (database, materials, recordings, generated certificate, configuration), made
//! while the server runs, and the way back onto an empty data folder. The list of
//! files with their hashes is written last: without it a copy is none.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use lophoc_recording::manifest::Running;
use lophoc_records::{StoreError, check_database, copy_database};
use serde::{Deserialize, Serialize};

use crate::cli::{Backup, Restore};
use crate::clock::wall_ms;
use crate::recording::files::{JOURNAL, replace};
use crate::run::{CommandError, configuration, tell};
use crate::serve::DATABASE;

/// The list of files of a copy.
const LIST: &str = "backup.json";
/// The configuration in a copy.
const SETTINGS: &str = "lophoc.toml";
/// Where recordings lie in the data folder, a folder each.
const RECORDINGS: &str = "recordings";
/// What of the data folder lies in the copy.
const DATA: &str = "data";
/// Version of the list.
const VERSION: u32 = 1;

/// A copy cannot be made or brought back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The target holds something.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// There is no list of files, or one of another version.
    #[error("{0} is no finished backup of this version")]
    NoBackup(String),
    /// A file is not as it was copied.
    #[error("{0} is missing or not as it was copied")]
    Damaged(String),
}

/// A file of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Path inside the copy, parts separated by `/`.
    path: String,
    bytes: u64,
    sha256: String,
}

/// The list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    version: u32,
    made_ms: u64,
    program: String,
    files: Vec<Entry>,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError + '_ {
    |source| BackupError::File {
        path: path.display().to_string(),
        source,
    }
}

/// Nothing is in it, or it is not there.
fn need_empty(folder: &Path) -> Result<(), BackupError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(folder.display().to_string())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(folder)(error)),
    }
}

/// A folder nobody else reads: there are names, keys and voices in it.
fn make_folder(folder: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(at(folder))
}

/// Copies the bytes there are when it begins (files of a recording that goes on only
/// grow) and gives their hash.
fn copy(from: &Path, to: &Path) -> Result<(u64, String), BackupError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let source = File::open(from).map_err(at(from))?;
    let len = source.metadata().map_err(at(from))?.len();
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let mut out = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(at(to))?;
    let mut running = Running::new();
    let mut piece = vec![0; 1 << 20];
    let mut source = source.take(len);
    loop {
        let read = source.read(&mut piece).map_err(at(from))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        running.add(bytes);
        out.write_all(bytes).map_err(at(to))?;
    }
    out.sync_all().map_err(at(to))?;
    Ok((running.bytes(), running.sha256()))
}

/// What the database wrote itself is on the disk before the list says so.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Gives each file that is to be copied to `each`. Of a recording, which may go on,
/// the journal goes before its files are even looked for: what the journal in the copy
/// tells of is in the copy then.
fn each_file(
    data: &Path,
    mut each: impl FnMut(&Path) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let recordings = data.join(RECORDINGS);
    let mut others = Vec::new();
    files_of(data, &recordings, &mut others)?;
    for path in others {
        each(&path)?;
    }
    let mut folders: Vec<PathBuf> = match fs::read_dir(&recordings) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(at(&recordings)(error)),
    };
    folders.sort();
    // What lies beside them is room kept free.
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let journal = folder.join(JOURNAL);
        if journal.is_file() {
            each(&journal)?;
        }
        let mut files = Vec::new();
        files_of(folder, &journal, &mut files)?;
        for path in files {
            each(&path)?;
        }
    }
    Ok(())
}

/// Files of a folder and those below it but for one; no links, no sockets.
fn files_of(folder: &Path, without: &Path, found: &mut Vec<PathBuf>) -> Result<(), BackupError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Taken away while the copy was made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut here = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        let kind = entry.file_type().map_err(at(folder))?;
        here.push((entry.path(), kind));
    }
    here.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (path, kind) in here.into_iter().filter(|(path, _)| path != without) {
        if kind.is_dir() {
            files_of(&path, without, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// What is not copied: the database is copied its own way, what is on its way is of
/// no use.
fn is_left_out(inside: &Path) -> bool {
    let text = inside.to_string_lossy();
    text.starts_with(DATABASE)
        || text.starts_with("materials/tmp")
        || text.ends_with(".new")
        || text.starts_with("materials/") && text.contains("/work/")
}

/// Makes a copy; tells how many files and bytes it has.
async fn back_up(
    data: &Path,
    settings: Option<&Path>,
    target: &Path,
) -> Result<(usize, u64), BackupError> {
    need_empty(target)?;
    make_folder(&target.join(DATA))?;
    // The database first: a file it names is there by then, and what comes later is
    // named by nothing in the copy.
    let database = target.join(DATA).join(DATABASE);
    copy_database(&data.join(DATABASE), &database).await?;
    sync(&database).map_err(at(&database))?;
    let (data, target) = (data.to_owned(), target.to_owned());
    let settings = settings.map(Path::to_owned);
    let task = move || -> Result<(usize, u64), BackupError> {
        let mut files = Vec::new();
        let (bytes, sha256) = hash_of(&database)?;
        files.push(Entry {
            path: format!("{DATA}/{DATABASE}"),
            bytes,
            sha256,
        });
        if let Some(settings) = settings {
            let (bytes, sha256) = copy(&settings, &target.join(SETTINGS))?;
            files.push(Entry {
                path: SETTINGS.to_owned(),
                bytes,
                sha256,
            });
        }
        each_file(&data, |path| {
            let Ok(inside) = path.strip_prefix(&data) else {
                return Ok(());
            };
            if is_left_out(inside) {
                return Ok(());
            }
            let name = format!("{DATA}/{}", inside.to_string_lossy());
            match copy(path, &target.join(&name)) {
                Ok((bytes, sha256)) => files.push(Entry {
                    path: name,
                    bytes,
                    sha256,
                }),
                // Taken away while the copy was made.
                Err(BackupError::File { source, path: of })
                    if source.kind() == io::ErrorKind::NotFound
                        && of == path.display().to_string() => {}
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        let told = (files.len(), files.iter().map(|file| file.bytes).sum());
        let list = List {
            version: VERSION,
            made_ms: wall_ms(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            files,
        };
        let text = serde_json::to_vec_pretty(&list)
            .map_err(|error| at(&target)(io::Error::other(error)))?;
        let path = target.join(LIST);
        replace(&path, &text).map_err(at(&path))?;
        Ok(told)
    };
    tokio::task::spawn_blocking(task)
        .await
        .map_err(|error| at(Path::new(LIST))(io::Error::other(error)))?
}

fn hash_of(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut running = Running::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).map_err(at(path))?;
        match piece.get(..read) {
            Some(bytes) if !bytes.is_empty() => running.add(bytes),
            _ => return Ok((running.bytes(), running.sha256())),
        }
    }
}

/// A path that leads nowhere but below.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// Brings a copy back into an empty data folder: every file is compared with the list
/// before anything is written.
async fn bring_back(source: &Path, data: &Path) -> Result<(usize, u64), BackupError> {
    let no_backup = || BackupError::NoBackup(source.display().to_string());
    let text = fs::read(source.join(LIST)).map_err(|_| no_backup())?;
    let list: List = serde_json::from_slice(&text).map_err(|_| no_backup())?;
    if list.version != VERSION || !list.files.iter().all(|file| is_inside(&file.path)) {
        return Err(no_backup());
    }
    need_empty(data)?;
    let (from, to) = (source.to_owned(), data.to_owned());
    let task = move || -> Result<(usize, u64), BackupError> {
        for file in &list.files {
            let same = hash_of(&from.join(&file.path))
                .is_ok_and(|(bytes, sha256)| bytes == file.bytes && sha256 == file.sha256);
            if !same {
                return Err(BackupError::Damaged(file.path.clone()));
            }
        }
        make_folder(&to)?;
        let (mut count, mut bytes) = (0, 0);
        for file in &list.files {
            let Ok(inside) = Path::new(&file.path).strip_prefix(DATA) else {
                continue;
            };
            let (len, sha256) = copy(&from.join(&file.path), &to.join(inside))?;
            if sha256 != file.sha256 {
                return Err(BackupError::Damaged(file.path.clone()));
            }
            count += 1;
            bytes += len;
        }
        Ok((count, bytes))
    };
    let told = tokio::task::spawn_blocking(task)
        .await
        .map_err(|error| at(Path::new(LIST))(io::Error::other(error)))??;
    check_database(&data.join(DATABASE)).await?;
    Ok(told)
}

/// `lophoc backup`.
///
/// # Errors
/// The configuration's, [`BackupError`].
pub async fn backup(args: Backup) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    let settings = args.config.config.as_deref();
    let (files, bytes) = back_up(&config.data.folder, settings, &args.folder).await?;
    tell(&format!("backup {} files {bytes} bytes", files))
}

/// `lophoc restore`.
///
/// # Errors
/// The configuration's, [`BackupError`].
pub async fn restore(args: Restore) -> Result<(), CommandError> {
    let config = configuration(&args.config)?;
    let (files, bytes) = bring_back(&args.folder, &config.data.folder).await?;
    tell(&format!("restored {} files {bytes} bytes", files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_copied_comes_back_and_nothing_damaged_does() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let data = at("data");
        let store = lophoc_records::Store::open(&data.join(DATABASE))
            .await
            .unwrap();
        let secret = store.secret().await.unwrap();
        fs::create_dir_all(data.join("recordings/01AB")).unwrap();
        fs::write(data.join("recordings/01AB/0001.webm"), vec![7; 3_000_000]).unwrap();
        fs::create_dir_all(data.join("materials/tmp")).unwrap();
        fs::write(data.join("materials/tmp/half"), "half").unwrap();
        fs::write(at("lophoc.toml"), "[log]\nlevel = \"warn\"\n").unwrap();

        // While the database is open, as that of a running server is.
        let made = back_up(&data, Some(&at("lophoc.toml")), &at("copy")).await;
        assert_eq!(made.unwrap().0, 3);
        assert!(matches!(
            back_up(&data, None, &at("copy")).await,
            Err(BackupError::NotEmpty(_))
        ));
        assert!(matches!(
            bring_back(&at("copy"), &data).await,
            Err(BackupError::NotEmpty(_))
        ));
        store.close().await;

        bring_back(&at("copy"), &at("new")).await.unwrap();
        assert!(!at("new").join("materials/tmp/half").exists());
        assert_eq!(
            fs::read(at("new").join("recordings/01AB/0001.webm")).unwrap(),
            vec![7; 3_000_000]
        );
        let store = lophoc_records::Store::open(&at("new").join(DATABASE))
            .await
            .unwrap();
        assert_eq!(store.secret().await.unwrap(), secret);
        store.close().await;

        let file = at("copy").join("data/recordings/01AB/0001.webm");
        let mut bytes = fs::read(&file).unwrap();
        bytes[1_234_567] ^= 1;
        fs::write(&file, bytes).unwrap();
        match bring_back(&at("copy"), &at("other")).await {
            Err(BackupError::Damaged(path)) => assert!(path.ends_with("0001.webm")),
            other => panic!("{other:?}"),
        }
        assert!(!at("other").exists());
        fs::remove_file(at("copy").join(LIST)).unwrap();
        assert!(matches!(
            bring_back(&at("copy"), &at("other")).await,
            Err(BackupError::NoBackup(_))
        ));
    }

    #[test]
    fn a_journal_is_copied_before_the_files_it_tells_of_are_looked_for() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("recordings/01AB");
        fs::create_dir_all(folder.join("out")).unwrap();
        for name in ["0001.webm", "out/film.mp4", JOURNAL] {
            fs::write(folder.join(name), "a").unwrap();
        }
        fs::write(data.path().join("recordings/ballast"), "room").unwrap();
        fs::write(data.path().join("key"), "b").unwrap();
        let mut names = Vec::new();
        each_file(data.path(), |path| {
            if path.ends_with(JOURNAL) {
                // It goes on while the copy is made.
                fs::write(folder.join("0002.webm"), "c").unwrap();
            }
            names.push(path.strip_prefix(data.path()).unwrap().to_owned());
            Ok(())
        })
        .unwrap();
        let of = |name: &str| Path::new("recordings/01AB").join(name);
        let wanted = [
            PathBuf::from("key"),
            of(JOURNAL),
            of("0001.webm"),
            of("0002.webm"),
            of("out/film.mp4"),
        ];
        assert_eq!(names, wanted);
    }

    #[test]
    fn a_list_cannot_lead_out_of_its_folder() {
        assert!(is_inside("data/recordings/a.webm"));
        for outside in ["", "/etc/passwd", "../x", "data/../../x", "./x/../.."] {
            assert!(!is_inside(outside), "{outside}");
        }
    }
}
