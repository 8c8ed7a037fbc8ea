//! The task of a room: takes what sockets, media plane, ledger and clock bring,
//! one after the other, and carries out what the room decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_media::types::{PeerId, RoomKey};
use lophoc_protocol::{
    ClientMessage, ErrorCode, LessonPhase, Role, RoomId, ServerMessage, SessionId,
};
use lophoc_records::StoreError;
use lophoc_room::{Allow4, Arrival, Command, Identity, LinkId, Room};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::commits::Commits;
use super::links::{Link, Links};
use super::load::Loaded;
use super::negotiate::{self, Answered, Maker, OFFERS, Offer};
use super::record::answer_of;
use super::watch::Watch;
use super::{Desk, Joining, QUEUE, RoomHandle, Status, ToRoom};
use crate::app::App;
use crate::bucket::Bucket;
use crate::media::{Levels, overload_of};
use crate::random;

/// The room's own clock.
const TICK: Duration = Duration::from_millis(100);
/// The marks of those who were heard since are kept this often: with a ping every
/// four seconds, what a killed server forgets is less than five.
const SWEEP: Duration = Duration::from_secs(1);
/// An empty room is forgotten after this many sweeps: longer than a broken link
/// may be resumed.
const IDLE_SWEEPS: u32 = 120;
/// A snapshot serves everybody who asks within this time, ms.
const DESK_EVERY_MS: u64 = 1_000;
/// Level reports waiting for a room: one of each shard and breakout group comes
/// five times a second. Overflow: dropped.
const LEVELS_QUEUE: usize = 512;

/// Why a room's task ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody is there.
    Empty,
    /// The server stops.
    Drained,
    /// The ledger refused what happened: memory and log no longer agree.
    Ledger(lophoc_records::StoreError),
}

/// What a room has added to the gauges all rooms share.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    /// Staff, learners, guests.
    pub(super) people: [i64; 3],
    /// Commands that wait for the room.
    pub(super) queued: i64,
    /// Messages that wait for websockets.
    pub(super) waiting: i64,
}

/// A room and everything around it.
pub(super) struct Actor {
    pub(super) app: Arc<App>,
    pub(super) id: RoomId,
    pub(super) run: u64,
    pub(super) key: RoomKey,
    pub(super) session: SessionKey,
    pub(super) room: Room,
    pub(super) links: Links,
    pub(super) allows: HashMap<PeerId, Allow4>,
    /// Breakout groups of those who are in one.
    pub(super) groups: HashMap<PeerId, u8>,
    pub(super) commits: Commits,
    pub(super) jobs: JoinSet<Answered>,
    pub(super) sweeps: JoinSet<()>,
    /// Signs of life up to then were handed to the store, monotonic, ms.
    pub(super) swept_ms: Option<u64>,
    pub(super) draining: Vec<oneshot::Sender<()>>,
    pub(super) counted: Counted,
    /// What became of files while the room was not in memory.
    news: Vec<Command>,
    /// Decks or files changed since the records followed.
    pub(super) materials_changed: bool,
    /// The records follow.
    pub(super) following: Option<JoinHandle<()>>,
    /// Sites that were lost or came back.
    pub(super) watch: Watch,
    /// Those that could not be written down.
    pub(super) unwritten: JoinSet<Option<PersonKey>>,
    /// The last snapshot and when it was taken, monotonic ms.
    desk: Option<(u64, Arc<Desk>)>,
    idle: u32,
}

impl Actor {
    /// Starts the task and watches over it.
    pub(super) fn start(app: &Arc<App>, id: RoomId, run: u64, loaded: Loaded) -> RoomHandle {
        let (to, inbox) = mpsc::channel(QUEUE);
        let (levels_to, levels) = mpsc::channel(LEVELS_QUEUE);
        let key = RoomKey(app.next_room_key());
        app.routes.add_room(key, levels_to);
        app.routes
            .recorders
            .room_open(&id, run, key, &loaded.session);
        let actor = Self {
            app: Arc::clone(app),
            id: id.clone(),
            run,
            key,
            session: loaded.session,
            room: loaded.room,
            links: Links::default(),
            allows: HashMap::new(),
            groups: HashMap::new(),
            commits: Commits::default(),
            jobs: JoinSet::new(),
            sweeps: JoinSet::new(),
            swept_ms: None,
            draining: Vec::new(),
            counted: Counted::default(),
            news: loaded.news,
            // What a killed server left undone.
            materials_changed: loaded.has_materials,
            following: None,
            watch: Watch::default(),
            unwritten: JoinSet::new(),
            desk: None,
            idle: 0,
        };
        app.metrics.rooms.inc();
        tracing::info!(room = %id, run, "room loaded");
        let app = Arc::clone(app);
        let task = tokio::spawn(actor.run(inbox, levels));
        tokio::spawn(async move {
            match task.await {
                Ok(Stop::Empty) => tracing::info!(room = %id, run, "room is empty"),
                Ok(Stop::Drained) => tracing::info!(room = %id, run, "room drained"),
                Ok(Stop::Ledger(error)) => {
                    app.metrics.room_faults.inc();
                    tracing::error!(room = %id, run, %error, "room stopped, its ledger takes no more");
                }
                Err(fault) => {
                    app.metrics.room_faults.inc();
                    tracing::error!(room = %id, run, %fault, "room broke and will be rebuilt");
                }
            }
            // Links find their room gone, are asked to resume, and load it anew.
            app.rooms.forget(&id, run);
            app.routes.recorders.room_gone(&id, run);
            app.routes.remove_room(key);
            app.metrics.rooms.dec();
        });
        RoomHandle { run, to }
    }

    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<ToRoom>,
        mut levels: mpsc::Receiver<Levels>,
    ) -> Stop {
        let mut tick = interval(TICK);
        let mut sweep = interval(SWEEP);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What a rebuilt room has to say before anybody comes.
        self.apply(Command::Tick).await;
        for news in std::mem::take(&mut self.news) {
            self.apply(news).await;
        }
        let stop = loop {
            tokio::select! {
                Some(message) = inbox.recv() => self.take(message).await,
                settled = self.commits.next() => {
                    if let Err(stop) = self.settle(settled) {
                        break stop;
                    }
                }
                Some(Ok(answered)) = self.jobs.join_next() => self.answered(answered),
                Some(levels) = levels.recv() => self.apply(Command::MediaLevels { levels }).await,
                _ = tick.tick() => self.apply(Command::Tick).await,
                _ = sweep.tick() => {
                    self.sweep(inbox.len());
                    self.watch_sites();
                    let list = self.changed_rungs();
                    if !list.is_empty() {
                        self.apply(Command::Rungs { list }).await;
                    }
                    let overload = overload_of(self.app.media.overload());
                    if overload != self.room.known_overload() {
                        self.apply(Command::Overload { overload }).await;
                    }
                    if self.is_idle() && inbox.is_empty() {
                        break Stop::Empty;
                    }
                }
            }
            if self.commits.is_empty() && !self.draining.is_empty() {
                break Stop::Drained;
            }
        };
        // From here on nobody is answered: senders find the room gone.
        inbox.close();
        self.app.rooms.forget(&self.id, self.run);
        stop
    }

    async fn take(&mut self, message: ToRoom) {
        match message {
            ToRoom::Join(joining, taken) => {
                // Told first: whoever waits for it only reads and writes the socket.
                if taken.send(()).is_ok() {
                    self.join(joining).await;
                }
            }
            ToRoom::Frame { link, id, msg } => self.frame(link, id, msg).await,
            ToRoom::Heard(link) => self.apply(Command::Heard { link }).await,
            ToRoom::Closed { link, clean } => self.closed(link, clean).await,
            ToRoom::Status(answer) => {
                // Who asked may have gone.
                let _ = answer.send(self.status());
            }
            ToRoom::Snapshot(answer) => {
                let _ = answer.send(self.desk());
            }
            ToRoom::Holds(person, answer) => {
                let _ = answer.send(self.room.holds(&person));
            }
            ToRoom::Hall { site, people } => self.apply(Command::Hall { site, people }).await,
            ToRoom::MayBring {
                person,
                bring,
                answer,
            } => {
                let _ = answer.send(bring.allowed(&self.room, &person));
            }
            ToRoom::Bring {
                person,
                bring,
                command,
                answer,
            } => {
                if let Err(code) = bring.allowed(&self.room, &person) {
                    let _ = answer.send(Err(code));
                    return;
                }
                self.apply(command).await;
                // An append of nothing answers after all before it.
                let kept = self.app.store.ledger().append_waiting(Vec::new()).await;
                self.sweeps.spawn(async move {
                    let kept = matches!(kept.await, Ok(Ok(())));
                    let _ = answer.send(if kept { Ok(()) } else { Err(ErrorCode::Busy) });
                });
            }
            ToRoom::Act {
                me,
                who,
                act,
                answer,
            } => {
                let now = self.app.clock.now();
                let (effects, done) = self.room.act_outside(now, &me, &who, act);
                self.carry(effects, None).await;
                let _ = answer.send(done);
            }
            ToRoom::News(command) => self.apply(command).await,
            ToRoom::End(answer) => {
                self.apply(Command::End).await;
                // An append of nothing answers after all before it.
                let kept = self.app.store.ledger().append_waiting(Vec::new()).await;
                self.sweeps.spawn(async move {
                    let _ = answer.send(kept.await.unwrap_or(Err(StoreError::Stopped)));
                });
            }
            #[cfg(test)]
            ToRoom::Break => panic!("asked to by a test"),
            ToRoom::Drain(done) => {
                self.apply(Command::Drain).await;
                self.draining.push(done);
            }
        }
    }

    async fn join(&mut self, joining: Joining) {
        let Joining {
            link,
            id,
            claims,
            hello,
            outbox,
        } = joining;
        let (Ok(session), Ok(key)) = (random::id("s"), random::key()) else {
            tracing::error!("the system gives no random numbers");
            outbox.release(None);
            outbox.close();
            return;
        };
        let app = Arc::clone(&self.app);
        // Another device is another source and another receiver: what the old
        // one still gets ends with its number.
        let person = claims.person.clone();
        let before = self.links.known_peer(&person).filter(|_| {
            let resume = hello.resume.as_ref();
            self.room
                .is_on_other_device(&person, &claims.device, resume)
        });
        if before.is_some() {
            self.links.set_peer(&person, PeerId(app.next_peer()));
        }
        let peer = self.links.peer_of(&person, || PeerId(app.next_peer()));
        let now = self.app.clock.now();
        let hello = *hello;
        let waits = claims.waits;
        let recording = answer_of(&claims);
        let identity = Identity {
            person: claims.person.clone(),
            name: claims.name.clone(),
            unit: claims.unit.clone(),
            role: claims.role,
            site: claims.site.clone(),
        };
        let arrival = Arrival {
            link,
            identity,
            device: claims.device.clone(),
            peer: peer.0,
            session: SessionId(session),
            key,
            resume: hello.resume,
            take_over: hello.take_over,
            waits,
            recording,
            crowded: self.is_crowded(),
        };
        self.links.insert(
            link,
            Link {
                outbox,
                claims,
                peer,
                member: false,
                waiting: false,
                greeting: None,
                you: None,
                renew_at: now.mono_ms,
                profile: hello.profile,
                slots: hello.slots,
                negotiating: false,
                offers: Bucket::new(OFFERS.0, OFFERS.1, now.mono_ms),
            },
        );
        self.apply_for(Command::Hello(Box::new(arrival)), id).await;
        match self.links.get(link) {
            Some(entered) if entered.member => match hello.offer {
                Some(sdp) => self.offer(Offer {
                    link,
                    id,
                    sdp,
                    restart: false,
                }),
                None => self.greet(link, None),
            },
            // Without media until he is let in.
            Some(waits) if waits.waiting => {}
            // Refused: the room said why.
            Some(refused) => {
                refused.outbox.release(None);
                if let Some(before) = before {
                    self.links.set_peer(&person, before);
                } else if !self.room.has_peer(peer.0) {
                    // Refused newcomers leave no number behind.
                    self.links.forget_peer(peer);
                }
            }
            None => {}
        }
    }

    async fn frame(&mut self, link: LinkId, id: Option<u32>, msg: ClientMessage) {
        let Some(entry) = self
            .links
            .get_mut(link)
            .filter(|entry| entry.member || entry.waiting)
        else {
            return;
        };
        if entry.waiting {
            // The room knows what those may say who wait: to leave.
            self.apply(Command::Frame { link, id, msg }).await;
            return;
        }
        let peer = entry.peer;
        match msg {
            ClientMessage::Offer {
                sdp,
                restart,
                profile,
                slots,
            } => {
                entry.profile = profile.unwrap_or(entry.profile);
                entry.slots = slots.unwrap_or(entry.slots);
                self.apply(Command::Heard { link }).await;
                self.offer(Offer {
                    link,
                    id,
                    sdp,
                    restart,
                });
            }
            ClientMessage::Ice { cand } => {
                if let Some(candidate) = cand {
                    self.app.media.add_candidate(peer, candidate);
                }
                self.done(link, id);
                self.apply(Command::Heard { link }).await;
            }
            ClientMessage::View(view) => {
                if let Some(spec) = self.app.routes.view(peer, view) {
                    self.app.media.set_view(peer, spec);
                }
                self.done(link, id);
                self.apply(Command::Heard { link }).await;
            }
            ClientMessage::Hello(_) => {
                self.reply(
                    link,
                    id,
                    ServerMessage::Err {
                        code: ErrorCode::BadRequest,
                        retry: false,
                    },
                );
            }
            msg => self.apply(Command::Frame { link, id, msg }).await,
        }
    }

    /// The request has no effect that could be lost.
    fn done(&self, link: LinkId, id: Option<u32>) {
        if id.is_some() {
            self.reply(link, id, ServerMessage::Ok);
        }
    }

    async fn closed(&mut self, link: LinkId, clean: bool) {
        self.apply(Command::LinkClosed { link, clean }).await;
        if let Some(gone) = self.links.remove(link) {
            self.app.routes.detach(gone.peer, &gone.outbox);
            let (_, dropped) = gone.outbox.depth();
            self.app.metrics.dropped_levels.inc_by(dropped);
        }
    }

    fn offer(&mut self, offer: Offer) {
        let Some(link) = self.links.get_mut(offer.link) else {
            return;
        };
        match negotiate::check(link, &offer.sdp, self.app.clock.now().mono_ms) {
            Ok(slots) => {
                link.negotiating = true;
                let allow = self.allows.get(&link.peer).copied().unwrap_or_default();
                let app = &self.app;
                let maker = Maker {
                    jobs: &mut self.jobs,
                    media: &app.media,
                    turns: &app.offers,
                    room: self.key,
                    group: self.groups.get(&link.peer).copied().unwrap_or(0),
                };
                maker.start(link, slots, allow, offer);
            }
            Err(code) => {
                self.greet(offer.link, None);
                let retry = code == ErrorCode::RateLimited;
                self.reply(offer.link, offer.id, ServerMessage::Err { code, retry });
            }
        }
    }

    /// The media plane can carry nobody more.
    fn is_crowded(&self) -> bool {
        let crowded = self.app.config.media.admission && self.app.media.is_full();
        if crowded {
            tracing::warn!(room = %self.id, "the server is full: newcomers are refused");
        }
        crowded
    }

    fn status(&self) -> Status {
        Status {
            locked: self.room.is_locked(),
            full: self.room.is_full(Role::Learner),
            ended: self.room.is_ended(),
            begun: self.room.lesson_phase() != LessonPhase::Rehearsal,
            recording: self.room.info().recording,
        }
    }

    /// Taken at most once a second, however many desks look.
    fn desk(&mut self) -> Arc<Desk> {
        let now = self.app.clock.now();
        if let Some((at_ms, desk)) = &self.desk
            && now.mono_ms.saturating_sub(*at_ms) < DESK_EVERY_MS
        {
            return Arc::clone(desk);
        }
        let room = self.room.snapshot();
        let routes = &self.app.routes;
        let quality = room
            .people
            .iter()
            .map(|person| person.peer.and_then(|peer| routes.quality(PeerId(peer))))
            .collect();
        let desk = Arc::new(Desk {
            room,
            quality,
            at_ms: now.wall_ms,
        });
        self.desk = Some((now.mono_ms, Arc::clone(&desk)));
        desk
    }

    fn is_idle(&mut self) -> bool {
        let idle = self.links.is_empty()
            && self.commits.is_empty()
            && self.jobs.is_empty()
            && !self.room.is_recorded_here();
        self.idle = if idle { self.idle + 1 } else { 0 };
        self.idle >= IDLE_SWEEPS || (idle && self.room.is_ended())
    }
}
