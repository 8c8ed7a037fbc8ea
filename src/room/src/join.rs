//! Coming in, coming back, going away.

use std::sync::Arc;

use lophoc_ledger::{EventKind, LeaveReason};
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, Limits, PING_EVERY_MS};
use lophoc_protocol::server::{ByeAction, PingRule, Welcome};
use lophoc_protocol::{
    Action, ErrorCode, MediaKind, PROTO, PersonId, RoomMode, ServerFrame, ServerMessage, TrackState,
};

use crate::api::{Allow4, Arrival, Effect, Identity, LinkId, Now};
use crate::bounds::{
    DRAIN_SPREAD_MS, FLOOD_WAIT_MS, KEEP_MS, KNOWN_FACTOR, REPLAY, REPLAY_BYTES, SILENCE_MS,
};
use crate::person::{KINDS, Member, PerKind, Presence};
use crate::rights::allowed;
use crate::room::{Phase, Room, key_of};
use crate::text::{clean_name, clean_unit};

impl Room {
    pub(crate) fn hello(&mut self, arrival: Arrival) {
        let link = arrival.link;
        if self.links.contains_key(&link) {
            self.refuse(link, None, ErrorCode::BadRequest);
            return;
        }
        match self.admit(arrival) {
            Ok(()) => {}
            Err((action, code, after)) => {
                self.send(
                    link,
                    ServerMessage::Bye {
                        action,
                        code: Some(code),
                        after,
                    },
                );
                self.out.push(Effect::Close { link });
            }
        }
    }

    fn admit(&mut self, arrival: Arrival) -> Result<(), (ByeAction, ErrorCode, Option<u64>)> {
        let stop = |code| (ByeAction::Stop, code, None);
        match self.phase {
            Phase::Open => {}
            Phase::Draining => return Err((ByeAction::Resume, ErrorCode::Busy, Some(1_000))),
            Phase::Ended => return Err(stop(ErrorCode::Ended)),
        }
        let person = arrival.identity.person.clone();
        if self.barred.contains(&person) {
            return Err(stop(ErrorCode::Banned));
        }
        let name = clean_name(&arrival.identity.name).map_err(|_| stop(ErrorCode::BadRequest))?;
        let unit = match arrival.identity.unit.as_deref() {
            Some(unit) => clean_unit(unit).map_err(|_| stop(ErrorCode::BadRequest))?,
            None => None,
        };
        let arrival = Arrival {
            identity: Identity {
                name,
                unit,
                ..arrival.identity
            },
            ..arrival
        };
        let mono_ms = self.now.mono_ms;
        if let Some(member) = self.roster.get_mut(&person)
            && !member.buckets.hellos.take(mono_ms)
        {
            return Err((
                ByeAction::Rejoin,
                ErrorCode::RateLimited,
                Some(FLOOD_WAIT_MS),
            ));
        }
        if self.roster.present(&person).is_some() {
            self.come_back(&person, arrival);
            return Ok(());
        }
        let role = arrival.identity.role;
        let known = self.roster.get(&person).is_some();
        // A lock keeps newcomers out, not those a bad network threw out, nor
        // those who could open it.
        if self.locked && !known && !allowed(role, self.mode, false, Action::Lock) {
            return Err(stop(ErrorCode::Locked));
        }
        if self.is_full(role) {
            return Err(stop(ErrorCode::Full));
        }
        self.join(&person, arrival);
        Ok(())
    }

    /// A newcomer, or somebody who had left.
    fn join(&mut self, person: &PersonId, arrival: Arrival) {
        if self.roster.get(person).is_none() {
            let most = self
                .config
                .max_people
                .saturating_mul(KNOWN_FACTOR)
                .saturating_add(64);
            while self.roster.known() >= most && self.roster.forget_oldest() {}
        }
        self.enter_quietly(&arrival.identity, &arrival.device, self.now);
        self.record_join(&arrival);
        self.seat(person, &arrival);
        self.greet(person, arrival);
    }

    /// Makes the person present, with what he held if he was away for a short
    /// time only. Used alike for a hello and for an event of the ledger.
    pub(crate) fn enter_quietly(&mut self, identity: &Identity, device: &str, now: Now) {
        let Identity {
            person,
            name,
            unit,
            role,
        } = identity.clone();
        let mut member = match self.roster.get(&person) {
            Some(known) => known.clone(),
            None => Member::new(person, name.clone(), unit.clone(), role, now),
        };
        if let Presence::Gone { since_ms } = member.presence
            && now.wall_ms.saturating_sub(since_ms) > KEEP_MS
        {
            member.hand = None;
            member.floor = false;
            member.opened = false;
            member.stopped = PerKind::default();
        }
        member.rename(name, unit, role);
        device.clone_into(&mut member.device);
        member.heard = now;
        member.presence = Presence::Lost {
            since_ms: now.mono_ms,
            clean: false,
        };
        self.roster.enter(member);
    }

    fn record_join(&mut self, arrival: &Arrival) {
        let Identity {
            person,
            name,
            unit,
            role,
        } = arrival.identity.clone();
        self.record(EventKind::Join {
            person: key_of(&person),
            name,
            unit,
            role: role_name(role).to_owned(),
            device: arrival.device.clone(),
        });
    }

    /// Somebody present said hello anew: a resume, a reload, another device.
    fn come_back(&mut self, person: &PersonId, arrival: Arrival) {
        let Some(member) = self.roster.present(person) else {
            return;
        };
        let resumes = arrival
            .resume
            .as_ref()
            .is_some_and(|resume| resume.session == member.session && member.has_key(&resume.key));
        let old_link = member.link();
        let identity = Identity {
            person: person.clone(),
            name: member.name.clone(),
            unit: member.unit.clone(),
            role: member.role,
        };
        let same = identity == arrival.identity && member.device == arrival.device;
        let silent = old_link.is_some()
            && self.now.mono_ms.saturating_sub(member.heard.mono_ms) > SILENCE_MS;
        let heard = member.heard;

        if let Some(old) = old_link {
            self.links.remove(&old);
            if !resumes {
                let code = Some(ErrorCode::TakenOver);
                self.send(
                    old,
                    ServerMessage::Bye {
                        action: ByeAction::Stop,
                        code,
                        after: None,
                    },
                );
            }
            self.out.push(Effect::Close { link: old });
        }
        if silent {
            self.record(EventKind::Lapse {
                person: key_of(person),
                last_heard: self.stamp(heard),
            });
        }
        if !same {
            // The ledger ends the stay under the old name or device, if one is
            // open, and begins another.
            self.enter_quietly(&arrival.identity, &arrival.device, self.now);
            self.record_join(&arrival);
        } else if old_link.is_none() || silent {
            self.record(EventKind::Return {
                person: key_of(person),
            });
        }

        if resumes {
            self.resume(person, arrival);
        } else {
            self.reset_tracks(person);
            self.seat(person, &arrival);
            self.greet(person, arrival);
        }
    }

    /// Ties link and media peer to the person.
    fn seat(&mut self, person: &PersonId, arrival: &Arrival) {
        let now = self.now;
        let mut old_peer = None;
        if let Some(member) = self.roster.get_mut(person) {
            old_peer = member.peer.filter(|peer| *peer != arrival.peer);
            member.peer = Some(arrival.peer);
            member.presence = Presence::Linked(arrival.link);
            member.returned(now);
        }
        if let Some(peer) = old_peer {
            self.peers.remove(&peer);
            self.out.push(Effect::MediaGone { peer });
        }
        self.peers.insert(arrival.peer, person.clone());
        self.links.insert(arrival.link, person.clone());
        self.roster.touch(person);
    }

    /// A fresh start of the client: `welcome`, then `state`.
    fn greet(&mut self, person: &PersonId, arrival: Arrival) {
        if let Some(member) = self.roster.get_mut(person) {
            member.session = arrival.session;
            member.key_before = None;
            member.key = arrival.key.clone();
        }
        self.welcome(person, arrival.link, arrival.key);
    }

    fn welcome(&mut self, person: &PersonId, link: LinkId, key: String) {
        let Some(member) = self.roster.get_mut(person) else {
            return;
        };
        member.key.clone_from(&key);
        let session = member.session.clone();
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let welcome = Welcome {
            proto: PROTO,
            session,
            key,
            you: self.you(member),
            room: self.info(),
            limits: Limits::default(),
            ping: PingRule {
                every: PING_EVERY_MS,
                timeout: LINK_TIMEOUT_MS,
            },
            now: self.now.wall_ms,
            answer: None,
        };
        self.mark_told(person);
        self.send_durable(link, None, ServerMessage::Welcome(Box::new(welcome)));
        let (people, sampled) = self.roster.state(person);
        let (chat, more_chat) = self.chat.tail();
        let state = ServerMessage::State {
            counts: self.roster.counts(),
            people,
            sampled,
            hands: self.roster.hands_head(),
            chat,
            more_chat,
        };
        self.send_durable(link, Some(self.ring.last_seq()), state);
        self.after_return(person, link);
    }

    /// The client goes on where it stood: what it missed, or everything anew
    /// where that is no longer kept.
    fn resume(&mut self, person: &PersonId, arrival: Arrival) {
        self.seat(person, &arrival);
        let Arrival {
            link, key, resume, ..
        } = arrival;
        let last_seq = resume.map_or(0, |resume| resume.last_seq);
        if let Some(member) = self.roster.get_mut(person) {
            member.key_before = Some(std::mem::replace(&mut member.key, key.clone()));
        }
        let missed = self
            .ring
            .after(last_seq)
            .filter(|frames| frames.len() <= REPLAY && fits(frames, REPLAY_BYTES));
        let Some(frames) = missed else {
            self.welcome(person, link, key);
            return;
        };
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let you = self.you(member);
        self.mark_told(person);
        let from = last_seq.saturating_add(1);
        self.send_durable(link, None, ServerMessage::Resumed { key, from, you });
        if !frames.is_empty() {
            self.out.push(Effect::Replay { link, frames });
        }
        self.after_return(person, link);
    }

    /// What was said to the person alone and still holds; and the rights of his
    /// media peer, which may be a new one.
    fn after_return(&mut self, person: &PersonId, link: LinkId) {
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let mut news = Vec::new();
        for kind in KINDS {
            if let Some(stop) = member.stopped.get(kind) {
                news.push(ServerMessage::Muted {
                    kind,
                    by: stop.by.clone(),
                });
            }
        }
        for (kind, asked) in [
            (MediaKind::Mic, &member.asked_mic),
            (MediaKind::Camera, &member.asked_camera),
        ] {
            if let Some(asked) = asked {
                news.push(ServerMessage::Asked {
                    kind,
                    by: asked.name.clone(),
                });
            }
        }
        let (peer, allow) = (member.peer, member.allow);
        for msg in news {
            self.send(link, msg);
        }
        if let Some(peer) = peer {
            self.out.push(Effect::Allow { peer, allow });
        }
        self.settle(person, "");
    }

    /// The person was just told his rights.
    fn mark_told(&mut self, person: &PersonId) {
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let told = (self.perms(member), member.floor);
        if let Some(member) = self.roster.get_mut(person) {
            member.told = Some(told);
        }
    }

    /// A fresh page sends nothing yet. What others stopped stays stopped: a
    /// reload is no way around a mute.
    fn reset_tracks(&mut self, person: &PersonId) {
        for kind in KINDS {
            self.set_track(person, kind, TrackState::Off);
        }
        if let Some(member) = self.roster.get_mut(person) {
            member.allow = Allow4::default();
        }
    }

    fn send_durable(&mut self, link: LinkId, seq: Option<u64>, msg: ServerMessage) {
        let frame = ServerFrame { seq, id: None, msg };
        self.out.push(Effect::Send {
            link,
            frame,
            after_commit: true,
        });
    }

    pub(crate) fn heard(&mut self, link: LinkId) {
        let now = self.now;
        if let Some(member) = self.links.get(&link).and_then(|id| self.roster.get_mut(id)) {
            member.heard = now;
        }
    }

    pub(crate) fn link_closed(&mut self, link: LinkId, clean: bool) {
        if clean {
            // The close frame itself was a sign of life.
            self.heard(link);
        }
        if let Some(person) = self.links.get(&link).cloned() {
            self.lapse(&person, clean);
        }
    }

    /// The link of a present person is gone; the person stays listed and is
    /// awaited.
    pub(crate) fn lapse(&mut self, person: &PersonId, clean: bool) {
        let since_ms = self.now.mono_ms;
        let Some(member) = self.roster.get_mut(person) else {
            return;
        };
        let Some(link) = member.link() else { return };
        member.presence = Presence::Lost { since_ms, clean };
        let heard = member.heard;
        self.links.remove(&link);
        self.roster.touch(person);
        self.record(EventKind::Lapse {
            person: key_of(person),
            last_heard: self.stamp(heard),
        });
    }

    /// The person is out.
    pub(crate) fn leave(&mut self, person: &PersonId, reason: LeaveReason) {
        if self.roster.present(person).is_none() {
            return;
        }
        if reason != LeaveReason::Removed {
            self.record(EventKind::Leave {
                person: key_of(person),
                reason,
            });
        }
        let keeps = reason == LeaveReason::Network;
        let peer = self.exit_quietly(person, keeps, self.now.wall_ms);
        if let Some(peer) = peer {
            self.peers.remove(&peer);
            self.out.push(Effect::MediaGone { peer });
        }
    }

    /// Makes the person absent; the media peer he had. Used alike for a live
    /// leave and for an event of the ledger.
    pub(crate) fn exit_quietly(
        &mut self,
        person: &PersonId,
        keeps: bool,
        wall_ms: u64,
    ) -> Option<u64> {
        if self.sharer.as_ref() == Some(person) {
            self.sharer = None;
        }
        self.levels.remove(person);
        let member = self.roster.get_mut(person)?;
        member.tracks = PerKind::default();
        member.allow = Allow4::default();
        member.told = None;
        member.asked_mic = None;
        member.asked_camera = None;
        let peer = member.peer.take();
        if let Some(link) = member.link() {
            self.links.remove(&link);
        }
        self.roster.exit(person, wall_ms);
        if !keeps {
            self.roster.lower(person);
            if let Some(member) = self.roster.get_mut(person) {
                member.floor = false;
                member.opened = false;
                member.stopped = PerKind::default();
            }
        }
        peer
    }

    /// Ends the session for everybody. `asked`: the request to do so; its `ok`
    /// waits for the end to be kept and goes before the goodbye.
    pub(crate) fn end(&mut self, by: Option<&PersonId>, asked: Option<(LinkId, Option<u32>)>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.record(EventKind::Ended { by: by.map(key_of) });
        self.phase = Phase::Ended;
        if let Some((link, id)) = asked {
            self.say_ok(link, id);
        }
        for person in self.roster.ids() {
            let link = self.roster.get(&person).and_then(Member::link);
            if let Some(peer) = self.exit_quietly(&person, false, self.now.wall_ms) {
                self.peers.remove(&peer);
                self.out.push(Effect::MediaGone { peer });
            }
            if let Some(link) = link {
                let msg = ServerMessage::Bye {
                    action: ByeAction::Stop,
                    code: Some(ErrorCode::Ended),
                    after: None,
                };
                self.send_durable(link, None, msg);
                self.out.push(Effect::Close { link });
            }
        }
        self.out.push(Effect::Ended);
    }

    /// The server stops: everybody is asked to come back a little later, spread
    /// over [`DRAIN_SPREAD_MS`].
    pub(crate) fn drain(&mut self) {
        if self.phase != Phase::Open {
            return;
        }
        self.phase = Phase::Draining;
        let linked: Vec<(PersonId, LinkId)> = self
            .roster
            .iter()
            .filter_map(|member| Some((member.id.clone(), member.link()?)))
            .collect();
        let many = linked.len().max(1) as u64;
        for ((person, link), n) in linked.into_iter().zip(0u64..) {
            // Small rooms need no spread.
            let after = DRAIN_SPREAD_MS.min(many * 10) * n / many;
            self.lapse(&person, false);
            let msg = ServerMessage::Bye {
                action: ByeAction::Resume,
                code: Some(ErrorCode::Busy),
                after: Some(after),
            };
            self.send(link, msg);
            self.out.push(Effect::Close { link });
        }
    }
}

/// Whether the frames together are at most this many bytes of JSON. Looks no
/// further than that.
fn fits(frames: &[Arc<ServerFrame>], most: usize) -> bool {
    let mut left = most;
    frames.iter().all(|frame| {
        let bytes = serde_json::to_string(&**frame).map_or(usize::MAX, |json| json.len());
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    })
}

/// Name of a role in the ledger; the same as on the wire.
pub(crate) fn role_name(role: lophoc_protocol::Role) -> &'static str {
    use lophoc_protocol::Role;
    match role {
        Role::Organiser => "organiser",
        Role::Chair => "chair",
        Role::Trainer => "trainer",
        Role::Adviser => "adviser",
        Role::Technician => "technician",
        Role::Secretary => "secretary",
        Role::Inspector => "inspector",
        Role::Learner => "learner",
        Role::Guest => "guest",
    }
}

/// Name of a mode in the ledger; the same as on the wire.
pub(crate) fn mode_name(mode: RoomMode) -> &'static str {
    match mode {
        RoomMode::Discussion => "discussion",
        RoomMode::Training => "training",
        RoomMode::Conference => "conference",
    }
}
