//! Carrying out what the room decides.

use std::sync::Arc;

use lophoc_ledger::{Event, EventKind, PersonKey, SessionKey};
use lophoc_media::types::PeerId;
use lophoc_protocol::media::OnRung;
use lophoc_protocol::server::{Answer, You};
use lophoc_protocol::{ErrorCode, PersonId, ServerFrame, ServerMessage};
use lophoc_records::{RecordingNotice, SessionState, StoreError};
use lophoc_room::{Command, Effect, LinkId};
use lophoc_transport::ConnectError;

use super::actor::{Actor, Counted, Stop};
use super::commits::Settled;
use super::links::Greeting;
use super::negotiate::{Answered, code_of};
use super::watch::News;
use crate::app::App;
use crate::auth::{NoticeClaims, ice_servers};
use crate::clock::wall_ms;
use crate::http::words_hash;
use crate::materials::sync;
use crate::media::{MidTable, allow_of};
use crate::ws::codec::Encoded;
use crate::ws::outbox::{After, CommitId, Lane, Outbox};

/// A token is renewed after this much of its life, ms.
const RENEW_AFTER_MS: u64 = 4 * 60 * 1000;

impl Actor {
    /// Puts a command to the room and carries out what follows.
    pub(super) async fn apply(&mut self, command: Command) {
        self.apply_for(command, None).await;
    }

    /// As [`Self::apply`]; a greeting among the effects answers the request `id`.
    pub(super) async fn apply_for(&mut self, command: Command, id: Option<u32>) {
        let effects = self.room.apply(self.app.clock.now(), command);
        self.carry(effects, id).await;
    }

    /// Carries out what the room wants, in order.
    pub(super) async fn carry(&mut self, effects: Vec<Effect>, id: Option<u32>) {
        let mut events = Vec::new();
        // A request sent again after its append failed changes nothing in the
        // room, and still must not be acknowledged before it is on disk.
        let waits = |effect: &Effect| {
            matches!(
                effect,
                Effect::Send {
                    after_commit: true,
                    ..
                }
            )
        };
        if self.commits.is_behind() && effects.iter().any(waits) {
            self.hand_over(Vec::new()).await;
        }
        for effect in effects {
            // Events that follow each other are one append; what comes after
            // them may wait for them, so they are handed over first.
            match effect {
                Effect::Ledger(event) => events.push(event),
                other => {
                    self.append(&mut events).await;
                    self.carry_out(other, id);
                }
            }
        }
        self.append(&mut events).await;
    }

    async fn append(&mut self, events: &mut Vec<Event>) {
        if events.is_empty() {
            return;
        }
        self.app
            .metrics
            .events
            .inc_by(u64::try_from(events.len()).unwrap_or(0));
        self.materials_changed |= events.iter().any(|event| {
            matches!(
                event.kind,
                EventKind::Deck { .. }
                    | EventKind::DeckDropped { .. }
                    | EventKind::FileDropped { .. }
            )
        });
        self.note_choices(events);
        self.hand_over(std::mem::take(events)).await;
    }

    /// Waits while the writer's queue is full: the room reads slower then.
    async fn hand_over(&mut self, events: Vec<Event>) {
        let durable = self.app.store.ledger().append_waiting(events).await;
        self.commits.push(durable);
    }

    fn carry_out(&mut self, effect: Effect, id: Option<u32>) {
        match effect {
            Effect::Ledger(_) => {}
            Effect::Broadcast(frame) => self.broadcast(Lane::Ordered, &frame),
            Effect::BroadcastLossy(frame) => self.broadcast(lossy(&frame.msg), &frame),
            Effect::LossyTo { links, frame } => self.send_to(lossy(&frame.msg), &links, &frame),
            Effect::SendTo { links, frame } => self.send_to(Lane::Ordered, &links, &frame),
            Effect::Send {
                link,
                frame,
                after_commit,
            } => self.send(link, frame, after_commit, id),
            Effect::Replay { link, frames } => self.replay(link, &frames),
            Effect::Close { link } => {
                if let Some(entry) = self.links.get_mut(link) {
                    entry.member = false;
                    entry.waiting = false;
                    entry.outbox.close();
                }
            }
            Effect::Allow { peer, allow } => {
                self.allows.insert(PeerId(peer), allow);
                self.app.media.set_allow(PeerId(peer), allow_of(allow));
            }
            Effect::Group { peer, group } => {
                match group {
                    Some(group) => self.groups.insert(PeerId(peer), group),
                    None => self.groups.remove(&PeerId(peer)),
                };
                self.app.media.set_group(PeerId(peer), group.unwrap_or(0));
            }
            Effect::MediaGone { peer } => self.media_gone(PeerId(peer)),
            Effect::Record(command) => self.record(command),
            Effect::Ended => self.end(),
        }
    }

    /// Encoded once, shared by all.
    fn broadcast(&self, lane: Lane, frame: &ServerFrame) {
        let Some(encoded) = encode(frame) else { return };
        for link in self.links.members() {
            link.outbox.push(lane, Arc::clone(&encoded));
        }
    }

    /// Encoded once, shared by these.
    fn send_to(&self, lane: Lane, links: &[LinkId], frame: &ServerFrame) {
        let Some(encoded) = encode(frame) else { return };
        for link in links.iter().filter_map(|link| self.links.get(*link)) {
            link.outbox.push(lane, Arc::clone(&encoded));
        }
    }

    fn replay(&self, link: LinkId, frames: &[Arc<ServerFrame>]) {
        let Some(entry) = self.links.get(link) else {
            return;
        };
        for encoded in frames.iter().filter_map(|frame| encode(frame)) {
            entry.outbox.push(Lane::Ordered, encoded);
        }
    }

    fn send(&mut self, to: LinkId, mut frame: ServerFrame, after_commit: bool, id: Option<u32>) {
        let now = self.app.clock.now();
        let commit = if after_commit {
            self.commits.wait(to)
        } else {
            CommitId(0)
        };
        let Some(link) = self.links.get_mut(to) else {
            return;
        };
        if matches!(
            frame.msg,
            ServerMessage::Welcome(_) | ServerMessage::Resumed { .. }
        ) {
            if let Some(version) = link.claims.rules.take() {
                note_rules(&self.app, &self.session, &link.claims.person, version);
            }
            if let Some(notice) = link.claims.recording.take() {
                note_recording(&self.app, &self.session, &link.claims.person, notice);
            }
        }
        match &mut frame.msg {
            ServerMessage::Welcome(welcome) => {
                let mut welcome = welcome.clone();
                self.app.metrics.joins.with_label_values(&["ok"]).inc();
                let waited = std::mem::take(&mut link.waiting);
                link.member = true;
                link.renew_at = now.mono_ms.saturating_add(RENEW_AFTER_MS);
                welcome.you.token = link.claims.renewed(now.wall_ms).seal(&self.app.keys).ok();
                link.you = Some(welcome.you.clone());
                if waited {
                    // The offer comes now that he is let in.
                    frame.msg = ServerMessage::Welcome(welcome);
                    if let Some(encoded) = encode(&frame) {
                        let after = After {
                            commit,
                            otherwise: None,
                        };
                        link.outbox.push_after(Lane::Ordered, encoded, after);
                    }
                    self.app.routes.attach(link.peer, &link.outbox, false);
                    return;
                }
                // Kept until the answer can be put into it.
                link.greeting = Some(Greeting {
                    welcome,
                    id: frame.id.or(id),
                    commit,
                });
                self.app.routes.attach(link.peer, &link.outbox, false);
                return;
            }
            ServerMessage::Resumed { you, .. } => {
                self.app.metrics.resumes.inc();
                link.member = true;
                link.renew_at = now.mono_ms.saturating_add(RENEW_AFTER_MS);
                you.token = link.claims.renewed(now.wall_ms).seal(&self.app.keys).ok();
                link.you = Some(you.clone());
                frame.id = frame.id.or(id);
            }
            ServerMessage::Waiting(waiting) => {
                let label = &["waiting"];
                self.app.metrics.joins.with_label_values(label).inc();
                link.waiting = true;
                link.renew_at = now.mono_ms.saturating_add(RENEW_AFTER_MS);
                waiting.you.token = link.claims.renewed(now.wall_ms).seal(&self.app.keys).ok();
                link.you = Some(waiting.you.clone());
                frame.id = frame.id.or(id);
                link.outbox.release(None);
            }
            ServerMessage::You(you) => link.you = Some(you.clone()),
            ServerMessage::Bye { code, .. } if !link.member => {
                let label = code.and_then(|code| serde_json::to_value(code).ok());
                let label = label
                    .as_ref()
                    .and_then(|label| label.as_str())
                    .unwrap_or("refused");
                self.app.metrics.joins.with_label_values(&[label]).inc();
            }
            _ => {}
        }
        let resumed = matches!(frame.msg, ServerMessage::Resumed { .. });
        let otherwise = frame.id.and_then(|id| {
            let msg = ServerMessage::Err {
                code: ErrorCode::Busy,
                retry: true,
            };
            encode(&ServerFrame {
                seq: None,
                id: Some(id),
                msg,
            })
        });
        // A greeting that is not kept has no other form: the link is closed.
        let otherwise = otherwise.filter(|_| matches!(frame.msg, ServerMessage::Ok));
        if let Some(encoded) = encode(&frame) {
            link.outbox
                .push_after(Lane::Ordered, encoded, After { commit, otherwise });
        }
        if resumed {
            link.outbox.release(None);
            self.app.routes.attach(link.peer, &link.outbox, true);
        }
    }

    /// Lets the greeting go, with the answer to the offer that came in the hello.
    pub(super) fn greet(&mut self, link: LinkId, answer: Option<Answer>) {
        let Some(entry) = self.links.get_mut(link) else {
            return;
        };
        let Some(Greeting {
            mut welcome,
            id,
            commit,
        }) = entry.greeting.take()
        else {
            return;
        };
        welcome.answer = answer;
        welcome.ice = ice_servers(&self.app.config.turn, wall_ms());
        let frame = ServerFrame {
            seq: None,
            id,
            msg: ServerMessage::Welcome(welcome),
        };
        entry
            .outbox
            .release(encode(&frame).map(|encoded| (encoded, commit)));
    }

    pub(super) fn reply(&self, link: LinkId, id: Option<u32>, msg: ServerMessage) {
        if let (Some(entry), Some(encoded)) = (
            self.links.get(link),
            encode(&ServerFrame { seq: None, id, msg }),
        ) {
            entry.outbox.push(Lane::Ordered, encoded);
        }
    }

    /// The media plane has answered an offer.
    pub(super) fn answered(&mut self, answered: Answered) {
        let Answered {
            link,
            id,
            peer,
            restart,
            result,
        } = answered;
        if let Some(entry) = self.links.get_mut(link) {
            entry.negotiating = false;
        }
        if !self.links.has_peer(peer) {
            // The person left while the answer was made.
            self.app.media.disconnect(peer);
            return;
        }
        match result {
            Ok(connected) => {
                // Rights may have changed meanwhile.
                if let Some(allow) = self.allows.get(&peer) {
                    self.app.media.set_allow(peer, allow_of(*allow));
                }
                let group = self.groups.get(&peer).copied().unwrap_or(0);
                self.app.media.set_group(peer, group);
                let mids = MidTable::new(connected.mids);
                let answer = Answer {
                    sdp: connected.answer_sdp,
                    mids: mids.mids(),
                };
                if let Some(view) = self.app.routes.connected(peer, connected.epoch, mids) {
                    self.app.media.set_view(peer, view);
                }
                if self
                    .links
                    .get(link)
                    .is_some_and(|entry| entry.greeting.is_some())
                {
                    self.greet(link, Some(answer));
                } else {
                    self.reply(link, id, ServerMessage::Answer(answer));
                }
            }
            Err(error) => {
                let code = code_of(&error);
                tracing::info!(link = link.0, peer = peer.0, ?code, "offer refused");
                // The engine's words may repeat the offer's: addresses, line ends.
                tracing::debug!(link = link.0, ?error, "offer refused");
                self.greet(link, None);
                self.reply(
                    link,
                    id,
                    ServerMessage::Err {
                        code,
                        retry: code == ErrorCode::Full,
                    },
                );
                if restart && error == ConnectError::UnknownPeer {
                    self.reply(link, None, ServerMessage::Renegotiate);
                }
            }
        }
    }

    /// An append ended.
    pub(super) fn settle(&mut self, settled: Settled) -> Result<(), Stop> {
        let Settled {
            id,
            since,
            links,
            result,
        } = settled;
        self.app
            .metrics
            .commit
            .observe(since.elapsed().as_secs_f64());
        let kept = result.is_ok();
        for link in links {
            if let Some(entry) = self.links.get(link) {
                entry.outbox.settle(id, kept);
            }
        }
        let Err(error) = result else { return Ok(()) };
        self.app.metrics.commit_failures.inc();
        tracing::error!(room = %self.id, %error, "the ledger could not be written");
        match error {
            // The writer keeps these and writes them when it can: the class goes
            // on, only nothing is acknowledged meanwhile.
            StoreError::Full | StoreError::Io(_) | StoreError::Database(_) => Ok(()),
            error => Err(Stop::Ledger(error)),
        }
    }

    fn media_gone(&mut self, peer: PeerId) {
        self.app.media.disconnect(peer);
        self.app.routes.remove(peer);
        self.allows.remove(&peer);
        self.groups.remove(&peer);
        self.links.forget_peer(peer);
    }

    fn end(&mut self) {
        let (app, session) = (Arc::clone(&self.app), self.session.clone());
        self.sweeps.spawn(async move {
            let store = &app.store;
            // The ledger first: an append of nothing answers after all before it.
            // Whether they failed is for the room to see.
            let _ = store.ledger().append_waiting(Vec::new()).await.await;
            if let Err(error) = store.set_session_state(&session, SessionState::Ended).await {
                tracing::error!(%session, %error, "the end of a session could not be noted");
            }
            // Pages and sheets show the end at once.
            app.attendance.forget(&session).await;
        });
    }

    /// Every second: marks of those heard since, new tokens, counts.
    pub(super) fn sweep(&mut self, queued: usize) {
        while self.sweeps.try_join_next().is_some() {}
        // One at a time: while the disk is slow the next sweep brings newer marks.
        // A sweep that fails is made good by the next ping of each.
        let mut seen = Vec::new();
        if self.sweeps.is_empty() {
            seen = self.room.last_seen();
            let newest = seen.iter().map(|mark| mark.at.mono_ms).max();
            if let Some(swept_ms) = self.swept_ms {
                seen.retain(|mark| mark.at.mono_ms > swept_ms);
            }
            self.swept_ms = newest.max(self.swept_ms);
        }
        if !seen.is_empty() {
            let (ledger, session) = (self.app.store.ledger(), self.session.clone());
            self.sweeps.spawn(async move {
                if let Err(error) = ledger.sweep(&session, seen).await {
                    tracing::warn!(%session, %error, "last-seen marks could not be stored");
                }
            });
        }
        self.follow_materials();
        self.renew_tokens();
        self.count(queued);
    }

    /// Writes sites that are lost, and those that are back, into the incident log.
    pub(super) fn watch_sites(&mut self) {
        while let Some(written) = self.unwritten.try_join_next() {
            if let Ok(Some(site)) = written {
                self.watch.forget(&site);
            }
        }
        // One after the other: what is lost must be written before it is back.
        if !self.unwritten.is_empty() || self.room.is_ended() {
            return;
        }
        let sites = self.room.sites();
        let news = self.watch.look(&sites, self.app.clock.now().wall_ms);
        if news.is_empty() {
            return;
        }
        let (app, session) = (Arc::clone(&self.app), self.session.clone());
        for one in news {
            let (app, session) = (Arc::clone(&app), session.clone());
            self.unwritten.spawn(async move {
                let store = &app.store;
                let (site, done) = match one {
                    News::Lost {
                        site,
                        name,
                        since_ms,
                    } => {
                        let text = "Mất kết nối với điểm cầu.";
                        let done = store
                            .note_site_lost(&session, &site, &name, text, since_ms)
                            .await;
                        (site, done)
                    }
                    News::Back { site, since_ms } => {
                        let text = "Điểm cầu đã kết nối lại.";
                        let done = store.note_site_back(&session, &site, text, since_ms).await;
                        (site, done)
                    }
                };
                match done {
                    Ok(()) => {
                        app.attendance.forget(&session).await;
                        None
                    }
                    Err(error) => {
                        tracing::warn!(%session, %error, "a site was not written into the incident log");
                        Some(site)
                    }
                }
            });
        }
    }

    /// Rungs of the ladder that are others than the room knows. Looked up, not
    /// waited for: so none can be lost in a queue.
    pub(super) fn changed_rungs(&self) -> Vec<(u64, Option<OnRung>)> {
        let now = |peer: u64| self.app.routes.rung(PeerId(peer));
        self.room
            .known_rungs()
            .map(|(peer, known)| (peer, known, now(peer)))
            .filter(|(_, known, now)| known != now)
            .map(|(peer, _, now)| (peer, now))
            .collect()
    }

    /// Lets the records follow what the room knows of decks and files. Goes on by
    /// itself when the room goes; what a killed server leaves undone is done when
    /// the room is loaded.
    fn follow_materials(&mut self) {
        let busy = self
            .following
            .as_ref()
            .is_some_and(|task| !task.is_finished());
        if busy || !std::mem::take(&mut self.materials_changed) {
            return;
        }
        let (app, session) = (Arc::clone(&self.app), self.session.clone());
        let (decks, gone) = (self.room.decks(), self.room.taken_out());
        self.following = Some(tokio::spawn(async move {
            if let Err(error) = sync(&app, &session, &decks, &gone).await {
                tracing::warn!(%session, %error, "the records of files are behind their room");
            }
        }));
    }

    fn renew_tokens(&mut self) {
        let now = self.app.clock.now();
        for (_, link) in self
            .links
            .iter_mut()
            .filter(|(_, link)| link.member || link.waiting)
        {
            if link.renew_at > now.mono_ms {
                continue;
            }
            let Some(you) = &link.you else { continue };
            link.renew_at = now.mono_ms.saturating_add(RENEW_AFTER_MS);
            let token = link.claims.renewed(now.wall_ms).seal(&self.app.keys).ok();
            let msg = ServerMessage::You(You {
                token,
                ..you.clone()
            });
            if let Some(encoded) = encode(&ServerFrame {
                seq: None,
                id: None,
                msg,
            }) {
                link.outbox.push(Lane::Ordered, encoded);
            }
        }
    }

    /// What this room adds to the gauges all rooms share.
    fn count(&mut self, queued: usize) {
        let people = self.room.counts();
        let waiting: usize = self.links.members().map(|link| link.outbox.depth().0).sum();
        let now = Counted {
            people: [people.staff, people.learners, people.guests].map(i64::from),
            queued: i64::try_from(queued).unwrap_or(i64::MAX),
            waiting: i64::try_from(waiting).unwrap_or(i64::MAX),
        };
        self.tell_count(now);
    }

    /// Adds what changed since the last count.
    fn tell_count(&mut self, now: Counted) {
        let before = std::mem::replace(&mut self.counted, now);
        let metrics = &self.app.metrics;
        for (at, sort) in ["staff", "learner", "guest"].into_iter().enumerate() {
            let of = |counted: &Counted| counted.people.get(at).copied().unwrap_or(0);
            metrics
                .people
                .with_label_values(&[sort])
                .add(of(&now) - of(&before));
        }
        metrics.room_queue.add(now.queued - before.queued);
        metrics.ws_queue.add(now.waiting - before.waiting);
    }

    /// The last things of a room that goes, in order or by a fault: nobody stays
    /// in the media plane without a room that lists him.
    fn stop(&mut self) {
        self.tell_count(Counted::default());
        let peers: Vec<PeerId> = self.links.peers().collect();
        for peer in peers {
            self.app.routes.remove(peer);
            if !self.app.is_draining() {
                self.app.media.disconnect(peer);
            }
        }
        for (_, link) in self.links.iter_mut() {
            close(&link.outbox);
        }
        for done in self.draining.drain(..) {
            // Who asked may have given up waiting.
            let _ = done.send(());
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Notes that somebody who is in now accepted the house rules on the way. When it
/// cannot be noted he is asked again the next time.
fn note_rules(app: &Arc<App>, session: &SessionKey, person: &PersonId, version: u32) {
    let (app, session) = (Arc::clone(app), session.clone());
    let person = PersonKey(person.0.clone());
    tokio::spawn(async move {
        let noted = match app.store.session(&session).await {
            Ok(Some(known)) => {
                let store = &app.store;
                store
                    .accept_rules(&known.class, version, &person, wall_ms())
                    .await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::warn!(%session, %error, "accepted house rules could not be noted");
        }
    });
}

/// Notes likewise that he accepted the notice of a recording.
fn note_recording(app: &Arc<App>, session: &SessionKey, person: &PersonId, notice: NoticeClaims) {
    let (app, session) = (Arc::clone(app), session.clone());
    let person = PersonKey(person.0.clone());
    let NoticeClaims {
        who,
        why,
        keep,
        answer,
    } = notice;
    if answer.is_some() {
        // The room wrote it down.
        return;
    }
    let notice = RecordingNotice { who, why, keep };
    let words = words_hash(&notice);
    tokio::spawn(async move {
        let store = &app.store;
        let noted = match store.session(&session).await {
            Ok(Some(known)) => {
                store
                    .accept_recording(&known.class, &words, &notice, &person, wall_ms())
                    .await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::warn!(%session, %error, "an accepted notice of a recording could not be noted");
        }
    });
}

/// Where a message that may be lost waits: only the newest of a sort matters.
fn lossy(msg: &ServerMessage) -> Lane {
    match msg {
        ServerMessage::SlidePoint { .. } | ServerMessage::BoardPoint { .. } => Lane::Point,
        ServerMessage::BoardLive { .. } => Lane::Stroke,
        ServerMessage::CaptionLive { .. } => Lane::Caption,
        ServerMessage::Reactions { .. } => Lane::Reactions,
        _ => Lane::Levels,
    }
}

fn close(outbox: &Outbox) {
    outbox.release(None);
    outbox.close();
}

fn encode(frame: &ServerFrame) -> Option<Arc<Encoded>> {
    match Encoded::new(frame) {
        Ok(encoded) => Some(Arc::new(encoded)),
        Err(error) => {
            tracing::error!(%error, "a message cannot be serialized");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_do_not_wait_in_the_place_of_levels() {
        let reactions = ServerMessage::Reactions {
            list: vec![],
            counts: vec![],
        };
        assert_eq!(lossy(&reactions), Lane::Reactions);
    }
}
