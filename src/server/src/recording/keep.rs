//! What calls, jobs and addresses share.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lophoc_records::StoreError;
use tokio::sync::{Notify, Semaphore};

use super::consent::Left;
use super::files::Files;
use super::pace::Paces;
use super::show::Scene;
use super::storage::Remote;
use crate::auth::Viewer;
use crate::http::limit::AddressRate;

/// How long it is remembered that a viewer may have bytes of a recording, ms: after
/// a right was taken nothing is served any more than this later.
pub const TRUSTED_MS: u64 = 5_000;
/// Viewers that are remembered. Overflow: all are looked up anew.
const TRUSTED: usize = 10_000;
/// Recordings of which it is remembered who is left out. Overflow: all are read anew.
const LEFT: usize = 2_000;
/// Recordings of which the script is remembered: some megabytes each at most.
/// Overflow: all are told anew.
const SCENES: usize = 32;
/// Sessions whose log is read for a script at a time; others wait.
const REPLAYS: usize = 2;
/// Calls for bytes by one address, per minute: a school that watches behind one
/// address stays below it.
const CALLS_PER_MINUTE: u32 = 6_000;
/// The same, at once.
const CALLS_BURST: u32 = 2_000;

/// Why something of a recording cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The disk.
    #[error("recording files: {0}")]
    Io(#[from] io::Error),
    /// The records.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object storage.
    #[error("object storage: {0}")]
    Remote(#[from] object_store::Error),
    /// A task ended before its time.
    #[error("the work was cut off")]
    CutOff,
    /// It is not as it should be.
    #[error("{0}")]
    Bad(String),
}

impl KeepError {
    /// A word for people outside: what it says stands in the log alone.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "disk",
            Self::Store(_) => "records",
            Self::Remote(_) => "storage",
            Self::CutOff => "cutOff",
            Self::Bad(_) => "damaged",
        }
    }
}

impl From<tokio::task::JoinError> for KeepError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::CutOff
    }
}

/// What was made out of a recording, as long as nothing it was made of changes.
#[derive(Debug)]
pub struct Known<K, V> {
    most: usize,
    table: Mutex<HashMap<String, (K, Arc<V>)>>,
}

impl<K: PartialEq, V> Known<K, V> {
    fn new(most: usize) -> Self {
        Self {
            most,
            table: Mutex::default(),
        }
    }

    /// What is known of a recording with this key.
    pub fn get(&self, id: &str, key: &K) -> Option<Arc<V>> {
        let table = lock(&self.table);
        let (of, value) = table.get(id)?;
        (of == key).then(|| Arc::clone(value))
    }

    /// From now on this is known; what was known of it with another key is not.
    pub fn put(&self, id: &str, key: K, value: Arc<V>) {
        let mut table = lock(&self.table);
        if table.len() >= self.most && !table.contains_key(id) {
            table.clear();
        }
        table.insert(id.to_owned(), (key, value));
    }
}

/// Addresses withdrawn so often, last event of the session, people the journal names.
pub type LeftKey = (u32, u64, usize);
/// Addresses withdrawn so often, last event of the session, length.
pub type SceneKey = (u32, u64, u64);

/// Recordings as the rest of the server sees them.
#[derive(Debug)]
pub struct Keep {
    /// Folders.
    pub files: Files,
    /// The object storage, when there is one.
    pub remote: Option<Remote>,
    /// Something is to be done.
    pub wake: Notify,
    /// A message waits for a webhook.
    pub hooks: Notify,
    /// Whoever mixes sound: one at a time.
    pub mixing: tokio::sync::Mutex<()>,
    /// Who is left out.
    pub left: Known<LeftKey, Left>,
    /// What their sessions give them.
    pub scenes: Known<SceneKey, Scene>,
    /// Whoever reads the log of a whole session.
    pub replays: Semaphore,
    /// Calls for bytes.
    pub rate: AddressRate,
    /// What is under way.
    pub paces: Paces,
    trusted: Mutex<HashMap<(String, Viewer, u32), u64>>,
}

impl Keep {
    /// In this data folder.
    pub fn new(data: &Path, remote: Option<Remote>) -> Self {
        Self {
            files: Files::new(data),
            remote,
            wake: Notify::new(),
            hooks: Notify::new(),
            mixing: tokio::sync::Mutex::default(),
            left: Known::new(LEFT),
            scenes: Known::new(SCENES),
            replays: Semaphore::new(REPLAYS),
            rate: AddressRate::new(CALLS_PER_MINUTE, CALLS_BURST),
            paces: Paces::default(),
            trusted: Mutex::default(),
        }
    }

    /// Ends the work; what is under way begins anew at the next start.
    pub fn stop(&self) {
        self.paces.stop();
        self.wake.notify_waiters();
        self.wake.notify_one();
        self.hooks.notify_waiters();
        self.hooks.notify_one();
    }

    /// It is ending.
    pub fn stops(&self) -> bool {
        self.paces.stops()
    }

    /// Whether this viewer was found to have the right a moment ago.
    pub fn is_trusted(&self, id: &str, viewer: &Viewer, withdrawn: u32, mono_ms: u64) -> bool {
        let key = (id.to_owned(), viewer.clone(), withdrawn);
        lock(&self.trusted)
            .get(&key)
            .is_some_and(|until| mono_ms < *until)
    }

    /// This viewer has the right now.
    pub fn trust(&self, id: &str, viewer: &Viewer, withdrawn: u32, mono_ms: u64) {
        let mut table = lock(&self.trusted);
        if table.len() >= TRUSTED {
            table.clear();
        }
        let key = (id.to_owned(), viewer.clone(), withdrawn);
        table.insert(key, mono_ms.saturating_add(TRUSTED_MS));
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_good_for_its_key_alone_and_there_is_never_more_than_may_be() {
        let known = Known::new(2);
        known.put("a", 1, Arc::new("one"));
        assert_eq!(known.get("a", &1).as_deref(), Some(&"one"));
        assert_eq!(known.get("a", &2), None);
        known.put("a", 2, Arc::new("two"));
        assert_eq!(known.get("a", &1), None);
        known.put("b", 1, Arc::new("b"));
        known.put("c", 1, Arc::new("c"));
        assert_eq!(known.table.lock().unwrap().len(), 1);
        assert_eq!(known.get("c", &1).as_deref(), Some(&"c"));
    }
}
