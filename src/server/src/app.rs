//! What all parts of the running server share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lophoc_ledger::{PersonKey, Stamp};
use lophoc_records::Store;
use lophoc_room::LinkId;
use lophoc_transport::MediaPlane;
use tokio::sync::Semaphore;

use crate::api::{AttendanceState, CheckState, Imports};
use crate::auth::{FREE_PER_ACCOUNT, FREE_PER_ADDRESS, Keys, Passwords, Waits};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::limit::{AddressCount, AddressRate, Rate};
use crate::mail::Mail;
use crate::materials::Materials;
use crate::media::Routes;
use crate::metrics::Metrics;
use crate::recording::Keep;
use crate::recording::storage::Remote;
use crate::room::Rooms;

/// Calls of `/api/v1` by one person, per minute: a live desk asks once a second.
const ACTOR_PER_MINUTE: u32 = 600;
/// The same, at once.
const ACTOR_BURST: u32 = 200;

/// The running server.
pub struct App {
    /// Settings.
    pub config: Config,
    /// Signing keys.
    pub keys: Keys,
    /// Records.
    pub store: Store,
    /// Number of this run of the server.
    pub boot: u64,
    /// Sound and picture.
    pub media: MediaPlane,
    /// Where its events go.
    pub routes: Arc<Routes>,
    /// Rooms in memory.
    pub rooms: Rooms,
    /// Counters.
    pub metrics: Metrics,
    /// Time.
    pub clock: Clock,
    /// Rate of calls per address.
    pub api_rate: AddressRate,
    /// Rate of calls of `/api/v1` per person.
    pub actor_rate: Rate<PersonKey>,
    /// Password computations.
    pub passwords: Passwords,
    /// Wrong passwords per address.
    pub address_waits: Waits<IpAddr>,
    /// Wrong passwords per login that nobody has; those of accounts are in the
    /// records.
    pub login_waits: Waits<String>,
    /// Desks, rates of the attendance slice.
    pub attendance: AttendanceState,
    /// Bounds of network checks and preflights.
    pub checks: CheckState,
    /// Slides and files.
    pub materials: Materials,
    /// Recordings.
    pub keep: Keep,
    /// Notices by e-mail.
    pub mail: Mail,
    /// Imports of rosters under way.
    pub imports: Imports,
    /// Websockets per address.
    pub link_places: Arc<AddressCount>,
    /// Answers made at a time: making one keeps a core busy.
    pub offers: Arc<Semaphore>,
    draining: AtomicBool,
    links: AtomicU64,
    peers: AtomicU64,
    room_keys: AtomicU64,
}

/// The parts an [`App`] is made of.
pub struct Parts {
    /// Settings.
    pub config: Config,
    /// Signing keys.
    pub keys: Keys,
    /// Records.
    pub store: Store,
    /// Number of this run of the server.
    pub boot: u64,
    /// Sound and picture.
    pub media: MediaPlane,
    /// Where its events go.
    pub routes: Arc<Routes>,
    /// Counters.
    pub metrics: Metrics,
    /// Time.
    pub clock: Clock,
    /// The object storage of recordings.
    pub remote: Option<Remote>,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let limits = &parts.config.limits;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Arc::new(Self {
            api_rate: AddressRate::new(limits.api_per_minute, limits.api_burst),
            actor_rate: Rate::new(ACTOR_PER_MINUTE, ACTOR_BURST),
            passwords: Passwords::new(cores / 2),
            address_waits: Waits::new(FREE_PER_ADDRESS),
            login_waits: Waits::new(FREE_PER_ACCOUNT),
            attendance: AttendanceState::default(),
            checks: CheckState::new(parts.config.media.max_peers),
            materials: Materials::new(&parts.config.data.folder, &parts.config.uploads),
            keep: Keep::new(&parts.config.data.folder, parts.remote),
            mail: Mail::default(),
            imports: Imports::default(),
            link_places: AddressCount::new(limits.links_per_address, limits.links),
            offers: Arc::new(Semaphore::new(cores)),
            config: parts.config,
            keys: parts.keys,
            store: parts.store,
            boot: parts.boot,
            media: parts.media,
            routes: parts.routes,
            rooms: Rooms::default(),
            metrics: parts.metrics,
            clock: parts.clock,
            draining: AtomicBool::new(false),
            links: AtomicU64::new(1),
            peers: AtomicU64::new(1),
            room_keys: AtomicU64::new(1),
        })
    }

    /// A number for a new websocket.
    pub fn next_link(&self) -> LinkId {
        LinkId(self.links.fetch_add(1, Ordering::Relaxed))
    }

    /// A number for a person in a room.
    pub fn next_peer(&self) -> u64 {
        self.peers.fetch_add(1, Ordering::Relaxed)
    }

    /// A number for a room in memory.
    pub fn next_room_key(&self) -> u64 {
        self.room_keys.fetch_add(1, Ordering::Relaxed)
    }

    /// Now, as the ledger writes it.
    pub fn stamp(&self) -> Stamp {
        let now = self.clock.now();
        Stamp {
            wall_ms: now.wall_ms,
            mono_ms: now.mono_ms,
            boot: self.boot,
        }
    }

    /// The server is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Lets nobody in any more.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the ledger takes writes: an append of nothing passes through its
    /// writer and fails when what came before it failed.
    pub async fn database_writable(&self) -> bool {
        let answer = self.store.ledger().append(Vec::new());
        let written = tokio::time::timeout(std::time::Duration::from_secs(2), answer).await;
        matches!(written, Ok(Ok(Ok(())))) && self.store.check().await.is_ok()
    }

    /// Whether the media threads run.
    pub fn media_alive(&self) -> bool {
        self.media.stats().shards > 0
    }
}
