//! What calls, jobs and addresses share.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lophoc_records::StoreError;
use tokio::sync::Notify;

use super::files::Files;
use super::storage::Remote;
use crate::auth::Viewer;

/// How long it is remembered that a viewer may have bytes of a recording, ms: after
/// a right was taken nothing is served any more than this later.
pub const TRUSTED_MS: u64 = 5_000;
/// Viewers that are remembered. Overflow: all are looked up anew.
const TRUSTED: usize = 10_000;

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

impl From<tokio::task::JoinError> for KeepError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::CutOff
    }
}

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
    stops: AtomicBool,
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
            stops: AtomicBool::new(false),
            trusted: Mutex::default(),
        }
    }

    /// Ends the work; what is under way begins anew at the next start.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Release);
        self.wake.notify_waiters();
        self.wake.notify_one();
        self.hooks.notify_waiters();
        self.hooks.notify_one();
    }

    /// It is ending.
    pub fn stops(&self) -> bool {
        self.stops.load(Ordering::Acquire)
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
