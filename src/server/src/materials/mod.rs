//! Slides and files of rooms: brought over HTTP, kept in the data folder, made
//! into pages by a worker beside the classes, and served to whoever has the key.
//!
//! In the folder: `materials/<key>/file` as it was brought, `materials/<key>/pages`
//! when it became slides, `materials/tmp` for what is on its way.

mod bring;
mod serve;
mod sync;
mod under_way;
mod work;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use lophoc_ledger::SessionKey;
use lophoc_protocol::slides::{Deck, DeckFault, DeckState, FileItem, FileWay, Review};
use lophoc_protocol::{DeckId, FileId, PersonId};
use lophoc_records::{Material, MaterialKind, MaterialState, Store, StoreError};
use lophoc_slides::{Fault, Tools};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;

pub(crate) use serve::attachment;
pub(crate) use sync::{news_of, sync};
use under_way::UnderWay;
pub use work::start;

use crate::app::App;
use crate::config::UploadsConfig;
use crate::http::limit::Rate;

/// Files of one person per minute, and at once.
const PER_MINUTE: (u32, u32) = (20, 40);
/// Files that wait to be converted. Overflow: refused as busy.
const WAITING: u64 = 200;
/// The same of one session. Overflow: refused as busy.
const WAITING_EACH: u64 = 8;

/// Decks whose standing is remembered. Overflow: all are looked up anew.
const SHOWN: usize = 4_096;
/// How long it is remembered, ms.
const SHOWN_MS: u64 = 30_000;

/// What the calls and the worker share.
#[derive(Debug)]
pub struct Materials {
    folder: PathBuf,
    tools: OnceLock<Tools>,
    may_go_without: bool,
    under_way: Arc<UnderWay>,
    rate: Rate<PersonId>,
    /// Something waits to be converted.
    wake: Notify,
    stop: AtomicBool,
    /// What is being converted, by its id, and what stops it.
    jobs: Mutex<HashMap<String, Arc<AtomicBool>>>,
    /// Decks whose pages were asked for: whether they may be shown, and until when
    /// that is not looked up again, monotonic ms.
    shown: Mutex<HashMap<String, (bool, u64)>>,
    /// Whose turn it was.
    last: Mutex<Option<SessionKey>>,
}

impl Materials {
    /// In this data folder.
    pub fn new(data: &Path, config: &UploadsConfig) -> Self {
        Self {
            folder: data.join("materials"),
            tools: OnceLock::new(),
            may_go_without: config.without_sandbox,
            under_way: Arc::default(),
            rate: Rate::new(PER_MINUTE.0, PER_MINUTE.1),
            wake: Notify::new(),
            stop: AtomicBool::new(false),
            jobs: Mutex::default(),
            shown: Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// The tools of this machine; looks for them at the first call, which takes a
    /// moment.
    pub(crate) fn tools(&self) -> Tools {
        *self.tools.get_or_init(|| Tools::find(self.may_go_without))
    }

    /// Ends the conversions under way; they begin anew at the next start.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        for stop in lock(&self.jobs).values() {
            stop.store(true, Ordering::Relaxed);
        }
        self.wake.notify_waiters();
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// This conversion begins; what stops it.
    fn begin(&self, id: &str) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        lock(&self.jobs).insert(id.to_owned(), Arc::clone(&stop));
        // Looked at after it can be found: a stop is not missed in between.
        if self.stops() {
            stop.store(true, Ordering::Relaxed);
        }
        stop
    }

    /// Something was taken out of its room: it is not made into pages any more, and
    /// its pages are not shown.
    fn withdrawn(&self, material: &Material) {
        if let Some(stop) = lock(&self.jobs).get(&material.id) {
            stop.store(true, Ordering::Relaxed);
        }
        lock(&self.shown).remove(&material.key);
    }

    /// Whether the pages of this deck may be shown. Asked for each page each person
    /// sees, so it is looked up in the records now and then only.
    async fn shows(&self, store: &Store, key: &str, mono_ms: u64) -> Result<bool, StoreError> {
        if let Some((shows, until)) = lock(&self.shown).get(key)
            && mono_ms < *until
        {
            return Ok(*shows);
        }
        let shows = store
            .material_of_key(key)
            .await?
            .is_some_and(|one| one.kind == MaterialKind::Deck && one.dropped_ms.is_none());
        let mut table = lock(&self.shown);
        if table.len() >= SHOWN {
            table.clear();
        }
        table.insert(key.to_owned(), (shows, mono_ms.saturating_add(SHOWN_MS)));
        Ok(shows)
    }

    fn ended(&self, id: &str) {
        lock(&self.jobs).remove(id);
    }

    /// Words of a page in their order, for searching; `None` when it has none. Blocks.
    pub(crate) fn words_of(&self, key: &str, page: u16) -> Option<String> {
        let path = self.of_key(key).join("pages").join(page.to_string());
        let bytes = std::fs::read(path.join("text.json")).ok()?;
        let text: Value = serde_json::from_slice(&bytes).ok()?;
        let words: Vec<&str> = text
            .get("words")?
            .as_array()?
            .iter()
            .filter_map(|word| word.get(0)?.as_str())
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// A picture of a page, small or large.
    pub(crate) fn page_of(&self, key: &str, page: u16, small: bool) -> PathBuf {
        let name = if small { "s.webp" } else { "l.webp" };
        self.of_key(key)
            .join("pages")
            .join(page.to_string())
            .join(name)
    }

    fn of_key(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    fn tmp(&self) -> PathBuf {
        self.folder.join("tmp")
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calls and the pages.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/decks", post(bring::deck))
        .route("/api/files", post(bring::file))
        // The bodies are counted as they come.
        .layer(DefaultBodyLimit::disable())
        .route("/s/{key}/{page}/{name}", get(serve::page))
        .route("/f/{key}", get(serve::file))
}

/// A name of the protocol, from the records.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

/// The protocol's name of a value without fields.
fn name_of(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A deck as its room knows it.
fn deck_of(material: &Material) -> Deck {
    Deck {
        deck: DeckId(material.id.clone()),
        name: material.name.clone(),
        st: match &material.state {
            MaterialState::Queued => DeckState::Queued,
            MaterialState::Converting => DeckState::Converting { done: 0, total: 0 },
            MaterialState::Ready => DeckState::Ready,
            MaterialState::Failed(why) => DeckState::Failed {
                why: word(why).unwrap_or(DeckFault::Internal),
            },
        },
        pages: material.pages,
        w: material.width,
        h: material.height,
        url: format!("/s/{}", material.key),
        review: word(&material.labels.review).unwrap_or(Review::Draft),
        licence: material.labels.licence.clone(),
        owner: material.labels.owner.clone(),
        by: PersonId(material.by.0.clone()),
        by_name: material.by_name.clone(),
        at: material.made_ms,
    }
}

/// A file as its room knows it; a deck is none.
fn file_of(material: &Material) -> Option<FileItem> {
    Some(FileItem {
        file: FileId(material.id.clone()),
        way: match material.kind {
            MaterialKind::Deck => return None,
            MaterialKind::Out => FileWay::Out,
            MaterialKind::In => FileWay::In,
        },
        name: material.name.clone(),
        bytes: material.bytes,
        by: PersonId(material.by.0.clone()),
        by_name: material.by_name.clone(),
        at: material.made_ms,
        url: format!("/f/{}", material.key),
    })
}

fn fault_of(fault: Fault) -> DeckFault {
    match fault {
        Fault::Unsupported => DeckFault::Unsupported,
        Fault::TooLarge => DeckFault::TooLarge,
        Fault::TooManyPages => DeckFault::TooManyPages,
        Fault::Broken => DeckFault::Broken,
        Fault::Encrypted => DeckFault::Encrypted,
        Fault::TooHard => DeckFault::TooHard,
        Fault::NoConverter => DeckFault::NoConverter,
        Fault::Full => DeckFault::Full,
        Fault::Internal | Fault::Stopped => DeckFault::Internal,
    }
}
