//! Which rooms are in memory. A room is loaded at the first hello and goes when
//! it is empty.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use lophoc_ledger::PersonKey;
use lophoc_protocol::{ErrorCode, PersonId, RoomId};
use lophoc_room::{Command, OutsideAct};
use tokio::sync::{OnceCell, oneshot};

use super::actor::Actor;
use super::load::load;
use super::{Bring, Desk, Joining, RoomHandle, Status, ToRoom};
use crate::app::App;

/// A room may stop between finding it and speaking to it; then it is loaded anew.
const ATTEMPTS: u32 = 3;

type Slot = Arc<OnceCell<RoomHandle>>;

/// The rooms in memory. As many as there are sessions with people in them;
/// `limits.links` bounds that.
#[derive(Debug, Default)]
pub struct Rooms {
    slots: DashMap<RoomId, Slot>,
    runs: AtomicU64,
}

impl Rooms {
    /// Hands a link to its room, loading it when it is not in memory.
    pub(crate) async fn join(
        &self,
        app: &Arc<App>,
        joining: Joining,
    ) -> Result<RoomHandle, ErrorCode> {
        let room = joining.claims.room.clone();
        let mut joining = joining;
        for _ in 0..ATTEMPTS {
            let handle = self.find(app, &room).await?;
            let (taken, took) = oneshot::channel();
            match handle.to.send(ToRoom::Join(joining, taken)).await {
                Ok(()) if took.await.is_ok() => return Ok(handle),
                // The room stopped with our message in its queue. What the link
                // said is gone with it, the client comes again.
                Ok(()) => return Err(ErrorCode::Busy),
                Err(refused) => match refused.0 {
                    ToRoom::Join(back, _) => joining = back,
                    _ => return Err(ErrorCode::Busy),
                },
            }
            self.forget(&room, handle.run);
        }
        Err(ErrorCode::Busy)
    }

    /// The room as seen from outside; `None` when it is not in memory.
    pub async fn status(&self, room: &str) -> Option<Status> {
        let slot = Arc::clone(self.slots.get(&RoomId::from(room))?.value());
        let (ask, answer) = oneshot::channel();
        slot.get()?.to.send(ToRoom::Status(ask)).await.ok()?;
        answer.await.ok()
    }

    /// The room as a live desk shows it, at most a second old; `None` when it
    /// is not in memory, so nobody is in.
    pub async fn snapshot(&self, room: &str) -> Option<Arc<Desk>> {
        let slot = Arc::clone(self.slots.get(&RoomId::from(room))?.value());
        let (ask, answer) = oneshot::channel();
        slot.get()?.to.send(ToRoom::Snapshot(ask)).await.ok()?;
        answer.await.ok()
    }

    /// Whether somebody is in a room at this moment, seen by all.
    pub async fn holds(&self, room: &str, person: &PersonKey) -> bool {
        let Some(slot) = self
            .slots
            .get(&RoomId::from(room))
            .map(|slot| Arc::clone(slot.value()))
        else {
            return false;
        };
        let Some(handle) = slot.get() else {
            return false;
        };
        let (ask, answer) = oneshot::channel();
        let wanted = ToRoom::Holds(PersonId(person.0.clone()), ask);
        handle.to.send(wanted).await.is_ok() && answer.await.unwrap_or(false)
    }

    /// Tells the room how many people are ticked in at a site now: `site` is the
    /// connection, `people` the whole number. Does nothing when the room is not
    /// in memory: it counts the ticks when it is loaded.
    pub async fn set_hall(&self, room: &str, site: &PersonKey, people: u32) {
        let Some(slot) = self
            .slots
            .get(&RoomId::from(room))
            .map(|slot| Arc::clone(slot.value()))
        else {
            return;
        };
        if let Some(handle) = slot.get() {
            let site = PersonId(site.0.clone());
            // A room that is gone counts again when it is loaded.
            let _ = handle.to.send(ToRoom::Hall { site, people }).await;
        }
    }

    /// Whether somebody who is in a room may bring something into it.
    ///
    /// # Errors
    /// Why not; [`ErrorCode::Forbidden`] when the room is not in memory, so nobody
    /// is in.
    pub async fn may_bring(
        &self,
        room: &str,
        person: PersonId,
        bring: Bring,
    ) -> Result<(), ErrorCode> {
        self.ask(room, |answer| ToRoom::MayBring {
            person,
            bring,
            answer,
        })
        .await
    }

    /// Puts something that is on disk into a room and answers when its ledger has
    /// it.
    ///
    /// # Errors
    /// As [`Self::may_bring`]; [`ErrorCode::Busy`] when it could not be kept.
    pub async fn bring(
        &self,
        room: &str,
        person: PersonId,
        bring: Bring,
        command: Command,
    ) -> Result<(), ErrorCode> {
        self.ask(room, |answer| ToRoom::Bring {
            person,
            bring,
            command,
            answer,
        })
        .await
    }

    /// Does something to somebody in a room, as somebody who is there.
    ///
    /// # Errors
    /// As in the room; [`ErrorCode::Forbidden`] when the room is not in memory, so
    /// nobody is in.
    pub async fn act(
        &self,
        room: &str,
        me: PersonId,
        who: PersonId,
        act: OutsideAct,
    ) -> Result<(), ErrorCode> {
        self.ask(room, |answer| ToRoom::Act {
            me,
            who,
            act,
            answer,
        })
        .await
    }

    async fn ask(
        &self,
        room: &str,
        question: impl FnOnce(oneshot::Sender<Result<(), ErrorCode>>) -> ToRoom,
    ) -> Result<(), ErrorCode> {
        let slot = self
            .slots
            .get(&RoomId::from(room))
            .map(|slot| Arc::clone(slot.value()))
            .ok_or(ErrorCode::Forbidden)?;
        let handle = slot.get().ok_or(ErrorCode::Forbidden)?;
        let (ask, answer) = oneshot::channel();
        let sent = handle.to.send(question(ask)).await;
        sent.map_err(|_| ErrorCode::Busy)?;
        answer.await.unwrap_or(Err(ErrorCode::Busy))
    }

    /// Loads a room nobody asked for, so that it goes on with what it does; `false`
    /// when it cannot be loaded: its session has ended, or the server stops.
    pub async fn wake(&self, app: &Arc<App>, room: &RoomId) -> bool {
        self.find(app, room).await.is_ok()
    }

    /// Tells a room what became of something. One that is being loaded is waited
    /// for: it may have read the records before; one that is not in memory asks
    /// when it is loaded.
    pub async fn news(&self, room: &str, command: Command) {
        let Some(slot) = self
            .slots
            .get(&RoomId::from(room))
            .map(|slot| Arc::clone(slot.value()))
        else {
            return;
        };
        let handle = slot
            .get_or_try_init(|| async { Err::<RoomHandle, ()>(()) })
            .await;
        if let Ok(handle) = handle {
            // A room that is gone asks when it is loaded.
            let _ = handle.to.send(ToRoom::News(command)).await;
        }
    }

    /// Ends the session of a room for everybody, in memory or not, and answers
    /// when that is on disk. Ending one that has ended is no error. A session
    /// that never was opened gets a beginning and an end by this: close it in
    /// the records instead.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for a room nobody knows, [`ErrorCode::Busy`] when
    /// the end could not be kept: try again.
    pub async fn end(&self, app: &Arc<App>, room: &str) -> Result<(), ErrorCode> {
        let room = RoomId::from(room);
        for _ in 0..ATTEMPTS {
            let handle = match self.find(app, &room).await {
                Ok(handle) => handle,
                Err(ErrorCode::Ended) => return Ok(()),
                Err(code) => return Err(code),
            };
            let (ask, answer) = oneshot::channel();
            if handle.to.send(ToRoom::End(ask)).await.is_ok() {
                match answer.await {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(_)) => return Err(ErrorCode::Busy),
                    // The room stopped with the request in its queue.
                    Err(_) => {}
                }
            }
            self.forget(&room, handle.run);
        }
        Err(ErrorCode::Busy)
    }

    /// Tells every room to say goodbye and waits until all that is to be kept is
    /// durable. From [`App::start_draining`] on no room is loaded any more.
    pub async fn drain(&self) {
        let slots: Vec<Slot> = self
            .slots
            .iter()
            .map(|entry| Arc::clone(entry.value()))
            .collect();
        let mut waiting = Vec::with_capacity(slots.len());
        for slot in slots {
            let (done, drained) = oneshot::channel();
            // Waits for a room that is being loaded, and loads none itself.
            let handle = slot
                .get_or_try_init(|| async { Err::<RoomHandle, ()>(()) })
                .await;
            if let Ok(handle) = handle
                && handle.to.send(ToRoom::Drain(done)).await.is_ok()
            {
                waiting.push(drained);
            }
        }
        for drained in waiting {
            // An error: the room stopped by itself.
            let _ = drained.await;
        }
    }

    /// The run of this number is gone.
    pub(super) fn forget(&self, room: &RoomId, run: u64) {
        self.slots.remove_if(room, |_, slot| {
            slot.get().is_some_and(|handle| handle.run == run)
        });
    }

    async fn find(&self, app: &Arc<App>, room: &RoomId) -> Result<RoomHandle, ErrorCode> {
        let slot = Arc::clone(self.slots.entry(room.clone()).or_default().value());
        let found = slot
            .get_or_try_init(|| async {
                if app.is_draining() {
                    return Err(ErrorCode::Busy);
                }
                let run = self.runs.fetch_add(1, Ordering::Relaxed);
                let loaded = load(app, room).await?;
                Ok(Actor::start(app, room.clone(), run, loaded))
            })
            .await
            .cloned();
        if found.is_err() {
            self.slots.remove_if(room, |_, slot| slot.get().is_none());
        }
        found
    }
}
