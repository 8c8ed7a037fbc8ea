//! Signs of life and their end: links that break, people who go, the end of the
//! session and of the server.

use lophoc_ledger::{EventKind, LeaveReason};
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::{ErrorCode, PersonId, ServerMessage};

use crate::api::{Allow4, Effect, LinkId, Now};
use crate::bounds::{DRAIN_SPREAD_MS, LAPSE_MS};
use crate::person::{Member, PerKind, Presence};
use crate::room::{Phase, Room, key_of};

impl Room {
    pub(crate) fn heard(&mut self, link: LinkId) {
        let now = self.now;
        if let Some(member) = self.links.get(&link).and_then(|id| self.roster.get_mut(id)) {
            member.heard = now;
        } else {
            self.lobby_heard(link);
        }
    }

    pub(crate) fn link_closed(&mut self, link: LinkId, clean: bool) {
        let silent_ms = self
            .links
            .get(&link)
            .and_then(|person| self.roster.get(person))
            .map_or(0, |member| {
                self.now.mono_ms.saturating_sub(member.heard.mono_ms)
            });
        // A close frame is a sign of life; so is a reset that comes before the
        // next ping was due. After a longer silence nobody knows since when the
        // line was dead, and the last frame stands.
        if clean || silent_ms <= LAPSE_MS {
            self.heard(link);
        }
        if let Some(person) = self.links.get(&link).cloned() {
            self.lapse(&person, clean);
        } else {
            self.lobby_link_gone(link);
        }
    }

    /// The link of a present person is gone; the person stays listed and is
    /// awaited.
    pub(crate) fn lapse(&mut self, person: &PersonId, clean: bool) {
        let Some(heard) = self.lose_link(person, clean) else {
            return;
        };
        self.record(EventKind::Lapse {
            person: key_of(person),
            last_heard: self.stamp(heard),
        });
    }

    /// As [`Self::lapse`], but for the ledger; when he was heard last.
    fn lose_link(&mut self, person: &PersonId, clean: bool) -> Option<Now> {
        let now = self.now;
        let member = self.roster.get_mut(person)?;
        let link = member.link()?;
        member.presence = Presence::Lost {
            since_ms: now.mono_ms,
            clean,
        };
        member.link_since_ms = now.wall_ms;
        let heard = member.heard;
        self.links.remove(&link);
        self.roster.touch(person);
        self.end_talk(person);
        self.check_away(person);
        Some(heard)
    }

    /// The person is out.
    pub(crate) fn leave(&mut self, person: &PersonId, reason: LeaveReason) {
        if self.roster.present(person).is_none() {
            return;
        }
        self.end_spans(person);
        if reason != LeaveReason::Removed {
            self.record(EventKind::Leave {
                person: key_of(person),
                reason,
            });
        }
        let keeps = reason == LeaveReason::Network;
        let spot = self.arrangement.spotlight.len();
        let peer = self.exit_quietly(person, keeps, self.now.wall_ms);
        if self.arrangement.spotlight.len() != spot {
            self.tell_room();
        }
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
        self.levels.forget(person);
        self.talkers.remove(person);
        self.check_gone(person);
        self.leave_spotlight(person);
        let member = self.roster.get_mut(person)?;
        member.tracks = PerKind::default();
        member.written = PerKind::default();
        member.talk = None;
        member.allow = Allow4::default();
        member.placed = None;
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
        let waiting = self.close_lobby();
        for person in self.roster.ids() {
            self.end_spans(&person);
        }
        self.close_polls();
        self.end_recording(by);
        self.record(EventKind::Ended { by: by.map(key_of) });
        self.phase = Phase::Ended;
        self.say_ballots_kept();
        if let Some((link, id)) = asked {
            self.say_ok(link, id);
        }
        for link in waiting {
            self.say_bye(link, ErrorCode::Ended);
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
        self.keep_ballots();
        let linked: Vec<(PersonId, LinkId)> = self
            .roster
            .iter()
            .filter_map(|member| Some((member.id.clone(), member.link()?)))
            .collect();
        let many = linked.len().max(1) as u64;
        for ((person, link), n) in linked.into_iter().zip(0u64..) {
            // Small rooms need no spread.
            let after = DRAIN_SPREAD_MS.min(many * 10) * n / many;
            self.stop_stay(&person);
            let msg = ServerMessage::Bye {
                action: ByeAction::Resume,
                code: Some(ErrorCode::Busy),
                after: Some(after),
            };
            self.send(link, msg);
            self.out.push(Effect::Close { link });
        }
        for link in self.lobby.links() {
            self.lobby_link_gone(link);
            self.send(
                link,
                ServerMessage::Bye {
                    action: ByeAction::Resume,
                    code: Some(ErrorCode::Busy),
                    after: Some(DRAIN_SPREAD_MS),
                },
            );
            self.out.push(Effect::Close { link });
        }
    }

    /// The server stops while the person is in: the stay ends for that reason.
    /// Somebody who was silent for a while was perhaps gone before.
    fn stop_stay(&mut self, person: &PersonId) {
        let Some(heard) = self.lose_link(person, false) else {
            return;
        };
        let kind = if self.now.mono_ms.saturating_sub(heard.mono_ms) > LAPSE_MS {
            EventKind::Lapse {
                person: key_of(person),
                last_heard: self.stamp(heard),
            }
        } else {
            EventKind::Leave {
                person: key_of(person),
                reason: LeaveReason::ServerStopped,
            }
        };
        self.record(kind);
    }
}
