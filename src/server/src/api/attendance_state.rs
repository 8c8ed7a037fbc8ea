//! What the attendance slice keeps in memory: the desks computed a moment ago,
//! who looked at them, and rates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use lophoc_ledger::{PersonKey, SessionKey};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

use super::attendance_facts::{Gathered, gather};
use super::error::ApiFault;
use crate::app::App;
use crate::http::limit::{AddressRate, Rate};

/// A desk is computed at most this often, ms.
const DESK_LIFE_MS: u64 = 1_000;
/// What stands after a session is shown to its people without computing it anew
/// for so long, ms; corrections show at once.
const HELD_LIFE_MS: u64 = 60 * 1_000;
/// Desks kept: one of 5,000 people takes some megabytes. Beyond it those nobody
/// asked for lately go.
const MAX_DESKS: usize = 128;
/// Somebody at a desk is written down this often, ms.
const SEEN_EVERY_MS: u64 = 10 * 60 * 1000;
/// People at desks remembered; beyond it the old ones go.
const MAX_SEEN: usize = 10_000;
/// Sheets on their way to be judged at a time. Overflow: refused as busy.
const SHEETS: usize = 16;
/// Sheets, summaries and bundles made at a time.
const HEAVY: usize = 2;
/// How long a heavy call waits for its turn.
const HEAVY_WAIT: std::time::Duration = std::time::Duration::from_secs(20);

type Desk = Arc<AsyncMutex<Option<(u64, Arc<Gathered>)>>>;

/// State of the attendance slice.
pub struct AttendanceState {
    desks: DashMap<SessionKey, Desk>,
    seen: Mutex<HashMap<(SessionKey, PersonKey), u64>>,
    heavy: Semaphore,
    sheets: Semaphore,
    /// Polls of desks, per person.
    pub desk_rate: Rate<PersonKey>,
    /// Exports and bundles, per person.
    pub export_rate: Rate<PersonKey>,
    /// Scans, per address: a whole school shares one.
    pub scan_address: AddressRate,
    /// Scans that named nobody, per address.
    pub scan_wrong: AddressRate,
    /// Scans, per phone.
    pub scan_device: Rate<String>,
    /// Files to be verified, per address.
    pub verify_rate: AddressRate,
}

impl Default for AttendanceState {
    fn default() -> Self {
        Self {
            desks: DashMap::new(),
            seen: Mutex::default(),
            heavy: Semaphore::new(HEAVY),
            sheets: Semaphore::new(SHEETS),
            desk_rate: Rate::new(120, 30),
            export_rate: Rate::new(60, 60),
            scan_address: AddressRate::new(600, 600),
            scan_wrong: AddressRate::new(60, 120),
            scan_device: Rate::new(12, 8),
            verify_rate: AddressRate::new(20, 20),
        }
    }
}

impl AttendanceState {
    /// A place among those who make something large.
    ///
    /// # Errors
    /// `busy` when none comes free in time.
    pub async fn heavy(&self) -> Result<SemaphorePermit<'_>, ApiFault> {
        match tokio::time::timeout(HEAVY_WAIT, self.heavy.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiFault::busy()),
        }
    }

    /// A place for a sheet of whoever it is that is on its way to be judged: each is
    /// held whole.
    ///
    /// # Errors
    /// `busy` when there is none.
    pub fn sheet(&self) -> Result<SemaphorePermit<'_>, ApiFault> {
        self.sheets.try_acquire().map_err(|_| ApiFault::busy())
    }

    /// Whether somebody at a desk is to be written down: once in ten minutes.
    pub fn note_desk(&self, session: &SessionKey, person: &PersonKey, mono_ms: u64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SEEN {
            seen.retain(|_, at| mono_ms.saturating_sub(*at) < SEEN_EVERY_MS);
            if seen.len() >= MAX_SEEN {
                // Rather written down twice than not at all.
                seen.clear();
            }
        }
        let key = (session.clone(), person.clone());
        match seen.get(&key) {
            Some(at) if mono_ms.saturating_sub(*at) < SEEN_EVERY_MS => false,
            _ => {
                seen.insert(key, mono_ms);
                true
            }
        }
    }

    fn desk(&self, session: &SessionKey, mono_ms: u64) -> Desk {
        if self.desks.len() >= MAX_DESKS {
            self.desks.retain(|_, desk| {
                // One that is locked is being computed.
                desk.try_lock().map_or(true, |kept| {
                    kept.as_ref()
                        .is_some_and(|(at, _)| mono_ms.saturating_sub(*at) < DESK_LIFE_MS)
                })
            });
        }
        Arc::clone(self.desks.entry(session.clone()).or_default().value())
    }

    /// What was computed for a session is no longer true.
    pub async fn forget(&self, session: &SessionKey) {
        let desk = self.desks.get(session).map(|desk| Arc::clone(desk.value()));
        if let Some(desk) = desk {
            *desk.lock().await = None;
        }
    }
}

impl App {
    /// The attendance of a session, computed a second ago at most. Whoever asks
    /// meanwhile waits for the same computation.
    ///
    /// # Errors
    /// `notFound`, the store's.
    pub async fn gathered(&self, session: &SessionKey) -> Result<Arc<Gathered>, ApiFault> {
        self.gathered_within(session, DESK_LIFE_MS).await
    }

    /// As [`gathered`](Self::gathered), for own pages, which thousands open:
    /// sessions that are over are a minute old at most.
    ///
    /// # Errors
    /// `notFound`, the store's.
    pub async fn gathered_lately(&self, session: &SessionKey) -> Result<Arc<Gathered>, ApiFault> {
        self.gathered_within(session, HELD_LIFE_MS).await
    }

    async fn gathered_within(
        &self,
        session: &SessionKey,
        held_ms: u64,
    ) -> Result<Arc<Gathered>, ApiFault> {
        let mono = self.clock.now().mono_ms;
        let desk = self.attendance.desk(session, mono);
        let mut kept = desk.lock().await;
        let now = self.clock.now().mono_ms;
        let life = |gathered: &Gathered| match gathered.session.phase.is_held() {
            true => held_ms,
            false => DESK_LIFE_MS,
        };
        if let Some((at, gathered)) = kept.as_ref()
            && now.saturating_sub(*at) < life(gathered)
        {
            return Ok(Arc::clone(gathered));
        }
        let gathered = Arc::new(gather(&self.store, session, Some(self.stamp())).await?);
        *kept = Some((self.clock.now().mono_ms, Arc::clone(&gathered)));
        Ok(gathered)
    }

    /// The attendance of a session, computed now.
    ///
    /// # Errors
    /// `notFound`, the store's.
    pub async fn gathered_now(&self, session: &SessionKey) -> Result<Arc<Gathered>, ApiFault> {
        self.attendance.forget(session).await;
        self.gathered(session).await
    }
}
