//! Coming in, coming back, going away.

use std::sync::Arc;

use lophoc_ledger::EventKind;
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, Limits, PING_EVERY_MS};
use lophoc_protocol::server::{ByeAction, PingRule, Welcome};
use lophoc_protocol::{
    Action, ErrorCode, MediaKind, PROTO, PersonId, Role, RoomMode, ServerFrame, ServerMessage,
    TrackState,
};

use crate::api::{Allow4, Arrival, Effect, Identity, LinkId, Now};
use crate::bounds::{
    FLOOD_WAIT_MS, KEEP_MS, KNOWN_FACTOR, LAPSE_MS, REPLAY, REPLAY_BYTES, SILENCE_MS,
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
        let site = arrival.identity.site.as_deref().map(|site| {
            let clean = clean_unit(site).ok().flatten();
            clean.unwrap_or_else(|| name.clone())
        });
        let arrival = Arrival {
            identity: Identity {
                name,
                unit,
                site,
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
        let answer = arrival.recording.clone();
        if self.roster.present(&person).is_some() {
            if self.is_elsewhere(&person, &arrival) {
                self.record(EventKind::OtherDevice {
                    person: key_of(&person),
                    device: arrival.device,
                });
                return Err(stop(ErrorCode::Elsewhere));
            }
            self.answered_before(&person, answer.as_ref());
            self.come_back(&person, arrival);
            return Ok(());
        }
        let role = self.role_here(&person, arrival.identity.role);
        let known = self.roster.get(&person).is_some();
        // A lock keeps newcomers out, not those a bad network threw out, nor
        // those who could open it.
        if self.locked && !known && !allowed(role, self.mode, false, Action::Lock) {
            return Err(stop(ErrorCode::Locked));
        }
        let waits = self.lobby.guests.contains_key(&person);
        if arrival.crowded && !known && !waits && matches!(role, Role::Learner | Role::Guest) {
            return Err(stop(ErrorCode::ServerFull));
        }
        if self.must_wait(&arrival) {
            self.answered_before(&person, answer.as_ref());
            return self.wait(arrival);
        }
        if self.is_full(role) {
            return Err(stop(ErrorCode::Full));
        }
        self.stop_waiting(&person);
        self.answered_before(&person, answer.as_ref());
        self.join(&person, arrival);
        Ok(())
    }

    /// Whether the person is in on another device right now, and this hello
    /// does not say that it is to take over.
    fn is_elsewhere(&self, person: &PersonId, arrival: &Arrival) -> bool {
        let now_ms = self.now.mono_ms;
        !arrival.take_over
            && self.is_on_other_device(person, &arrival.device, arrival.resume.as_ref())
            && self.roster.present(person).is_some_and(|member| {
                member.link().is_some() && now_ms.saturating_sub(member.heard.mono_ms) <= SILENCE_MS
            })
    }

    /// A newcomer, or somebody who had left.
    pub(crate) fn join(&mut self, person: &PersonId, arrival: Arrival) {
        if self.roster.get(person).is_none() {
            self.make_room_for_one();
        }
        self.enter_quietly(&arrival.identity, &arrival.device, self.now);
        self.record_join(&arrival);
        self.seat(person, &arrival);
        self.begin_when_due();
        self.greet(person, arrival);
    }

    /// Forgets who left longest ago when too many are known.
    pub(crate) fn make_room_for_one(&mut self) {
        let most = self
            .config
            .max_people
            .saturating_mul(KNOWN_FACTOR)
            .saturating_add(64);
        while self.roster.known() >= most && self.roster.forget_oldest() {}
    }

    /// Makes the person present, with what he held if he was away for a short
    /// time only. Used alike for a hello and for an event of the ledger.
    pub(crate) fn enter_quietly(&mut self, identity: &Identity, device: &str, now: Now) {
        let Identity {
            person,
            name,
            unit,
            role: came_as,
            site,
        } = identity.clone();
        let role = self.role_here(&person, came_as);
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
            member.left_notes = None;
        }
        if !member.is_present() {
            member.since_ms = now.wall_ms;
        }
        member.rename(name, unit, role);
        member.came_as = came_as;
        member.stands_for = self.arrangement.stands_for(&member.id);
        member.captions = self.arrangement.captions(&member.id);
        member.hall = self.halls.get(&member.id).copied().unwrap_or(0);
        member.site = site;
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
            site,
        } = arrival.identity.clone();
        self.record(EventKind::Join {
            person: key_of(&person),
            name,
            unit,
            role: role_name(role).to_owned(),
            device: arrival.device.clone(),
        });
        if let Some(name) = site {
            let person = key_of(&arrival.identity.person);
            self.record(EventKind::Site { person, name });
        }
    }

    /// Somebody present said hello anew: a resume, a reload, another device.
    fn come_back(&mut self, person: &PersonId, arrival: Arrival) {
        let Some(member) = self.roster.present(person) else {
            return;
        };
        let resumes = member.resumes(arrival.resume.as_ref());
        let old_link = member.link();
        let identity = Identity {
            person: person.clone(),
            name: member.name.clone(),
            unit: member.unit.clone(),
            role: member.came_as,
            site: member.site.clone(),
        };
        let same = identity == arrival.identity && member.device == arrival.device;
        let silent =
            old_link.is_some() && self.now.mono_ms.saturating_sub(member.heard.mono_ms) > LAPSE_MS;
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
            self.end_talk(person);
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
            if member.peer.replace(arrival.peer) != Some(arrival.peer) {
                member.placed = None;
            }
            if member.link().is_none() {
                member.link_since_ms = now.wall_ms;
            }
            member.presence = Presence::Linked(arrival.link);
            member.returned(now);
            if let Some(left) = &mut member.left_notes {
                left.since_ms.get_or_insert(now.mono_ms);
            }
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
        member.anew = false;
        let session = member.session.clone();
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let welcome = Welcome {
            ice: Vec::new(),
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
        let groups = self.groups_shown();
        let state = ServerMessage::State {
            counts: self.roster.counts(),
            people,
            sampled,
            hands: self.roster.hands_head(),
            chat,
            more_chat,
            polls: self.polls_shown(person),
            questions: self.questions_shown(person),
            decks: self.decks(),
            stage: self.stage(),
            files: self.files_out(),
            groups,
            boards: self.boards().map(Box::new),
            captions: self.captions_shown(),
            notes: self.notes_rev(),
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
        let mut anew = false;
        if let Some(member) = self.roster.get_mut(person) {
            member.key_before = Some(std::mem::replace(&mut member.key, key.clone()));
            anew = member.anew;
        }
        let missed = self
            .ring
            .after(last_seq)
            .filter(|_| !anew)
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
        news.extend(self.talk_mine(person));
        news.extend(self.polls_mine(person));
        news.extend(self.files_mine(person));
        news.extend(self.notes_mine(person));
        for msg in news {
            self.send(link, msg);
        }
        if let Some(peer) = peer {
            self.out.push(Effect::Allow { peer, allow });
        }
        self.settle(person, "");
        self.show_lobby(person, link);
        self.show_check(person, link);
        self.show_recording(person, link);
    }

    /// The person was just told his rights.
    fn mark_told(&mut self, person: &PersonId) {
        let Some(member) = self.roster.get(person) else {
            return;
        };
        let told = self.told_of(member);
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

    pub(crate) fn send_durable(&mut self, link: LinkId, seq: Option<u64>, msg: ServerMessage) {
        let frame = ServerFrame { seq, id: None, msg };
        self.out.push(Effect::Send {
            link,
            frame,
            after_commit: true,
        });
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
