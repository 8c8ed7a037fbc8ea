//! The waiting room (phòng chờ): people who are not let in yet. They have a
//! link and nothing else: no roster, no chat, no media. Waiting is written to
//! the ledger and is not presence.

use lophoc_ledger::{EventKind, WaitOutcome};
use lophoc_protocol::limits::{
    LINK_TIMEOUT_MS, LOBBY_SHOWN, PEOPLE_PAGE, PING_EVERY_MS, RESUME_MS,
};
use lophoc_protocol::people::Waiter;
use lophoc_protocol::server::{ByeAction, PingRule, Waiting, You};
use lophoc_protocol::{
    Action, ClientMessage, ErrorCode, PROTO, PersonId, Role, ServerFrame, ServerMessage,
};

use crate::act::{Done, Outcome};
use crate::api::{Arrival, Effect, Identity, LinkId};
use crate::bounds::{FLOOD_WAIT_MS, LOBBY_EVERY_MS};
use crate::join::role_name;
use crate::person::Member;
use crate::room::{Room, key_of};
use crate::waiters::{Guest, Seat};

impl Room {
    /// Whether the waiting room is on.
    pub fn is_waiting_on(&self) -> bool {
        self.lobby.on
    }

    /// Those who wait, in order of coming.
    pub fn waiting(&self) -> Vec<Waiter> {
        self.lobby.queue().collect()
    }

    /// Whether the link is of somebody who waits.
    pub fn is_waiting(&self, link: LinkId) -> bool {
        self.lobby.person_of(link).is_some()
    }

    /// Whether somebody has to wait: learners and guests who were never in.
    pub(crate) fn must_wait(&self, arrival: &Arrival) -> bool {
        let identity = &arrival.identity;
        (self.lobby.on || arrival.waits)
            && matches!(
                self.role_here(&identity.person, identity.role),
                Role::Learner | Role::Guest
            )
            && self.roster.get(&identity.person).is_none()
    }

    /// Somebody waits, comes back to it, or comes to it with another device.
    pub(crate) fn wait(
        &mut self,
        arrival: Arrival,
    ) -> Result<(), (ByeAction, ErrorCode, Option<u64>)> {
        let now = self.now;
        let id = arrival.identity.person.clone();
        let places = self.config.max_people.saturating_sub(self.lobby.len());
        let known = match self.lobby.guests.get_mut(&id) {
            Some(guest) => {
                if !guest.hellos.take(now.mono_ms) {
                    let code = ErrorCode::RateLimited;
                    return Err((ByeAction::Rejoin, code, Some(FLOOD_WAIT_MS)));
                }
                let same = guest.identity == arrival.identity && guest.device == arrival.device;
                Some((same, guest.link()))
            }
            None if places == 0 => return Err((ByeAction::Stop, ErrorCode::Full, None)),
            None => None,
        };
        if let Some((_, Some(old))) = known {
            self.lobby.links.remove(&old);
            self.say_bye(old, ErrorCode::TakenOver);
        }
        if known.is_none_or(|(same, _)| !same) {
            self.lobby
                .put(arrival.identity.clone(), &arrival.device, now);
            let Identity {
                person,
                name,
                unit,
                role,
                site: _,
            } = arrival.identity;
            self.record(EventKind::Waiting {
                person: key_of(&person),
                name,
                unit,
                role: role_name(role).to_owned(),
                device: arrival.device,
            });
        }
        let link = arrival.link;
        self.lobby.links.insert(link, id.clone());
        self.lobby.changed = true;
        let Some(guest) = self.lobby.guests.get_mut(&id) else {
            return Ok(());
        };
        guest.heard_ms = now.mono_ms;
        guest.seat = Some(Seat {
            link,
            peer: arrival.peer,
            session: arrival.session,
            key: arrival.key,
        });
        let waiting = Waiting {
            proto: PROTO,
            you: You {
                person: id,
                name: guest.identity.name.clone(),
                role: guest.identity.role,
                perms: Vec::new(),
                floor: false,
                group: None,
                notes: None,
                token: None,
            },
            since: guest.since_ms,
            room: self.info(),
            ping: PingRule {
                every: PING_EVERY_MS,
                timeout: LINK_TIMEOUT_MS,
            },
            now: now.wall_ms,
        };
        self.out.push(Effect::Send {
            link,
            frame: ServerFrame {
                seq: None,
                id: None,
                msg: ServerMessage::Waiting(Box::new(waiting)),
            },
            after_commit: true,
        });
        Ok(())
    }

    /// `bye` `stop` and the close.
    pub(crate) fn say_bye(&mut self, link: LinkId, code: ErrorCode) {
        self.send(
            link,
            ServerMessage::Bye {
                action: ByeAction::Stop,
                code: Some(code),
                after: None,
            },
        );
        self.out.push(Effect::Close { link });
    }

    /// A message of somebody who waits. True when the link is such a one.
    pub(crate) fn lobby_frame(
        &mut self,
        link: LinkId,
        id: Option<u32>,
        msg: &ClientMessage,
    ) -> bool {
        let Some(person) = self.lobby.person_of(link).cloned() else {
            return false;
        };
        let now_ms = self.now.mono_ms;
        let Some(guest) = self.lobby.guests.get_mut(&person) else {
            return true;
        };
        guest.heard_ms = now_ms;
        let in_rate = guest.everything.take(now_ms);
        if !in_rate && !guest.flood.take(now_ms) {
            self.send(
                link,
                ServerMessage::Bye {
                    action: ByeAction::Rejoin,
                    code: Some(ErrorCode::RateLimited),
                    after: Some(FLOOD_WAIT_MS),
                },
            );
            self.lobby_link_gone(link);
            self.out.push(Effect::Close { link });
        } else if !in_rate {
            if id.is_some() {
                self.refuse(link, id, ErrorCode::RateLimited);
            }
        } else if *msg == ClientMessage::Leave {
            self.wait_over(&person, WaitOutcome::Left, None);
            self.say_ok(link, id);
            self.out.push(Effect::Close { link });
        } else {
            self.refuse(link, id, ErrorCode::Forbidden);
        }
        true
    }

    pub(crate) fn lobby_heard(&mut self, link: LinkId) {
        let now_ms = self.now.mono_ms;
        if let Some(guest) = self
            .lobby
            .links
            .get(&link)
            .and_then(|id| self.lobby.guests.get_mut(id))
        {
            guest.heard_ms = now_ms;
        }
    }

    /// The link of somebody who waits broke; he keeps his place for a while.
    pub(crate) fn lobby_link_gone(&mut self, link: LinkId) {
        let now_ms = self.now.mono_ms;
        if let Some(guest) = self
            .lobby
            .links
            .remove(&link)
            .and_then(|id| self.lobby.guests.get_mut(&id))
        {
            guest.seat = None;
            guest.heard_ms = now_ms;
            self.lobby.changed = true;
        }
    }

    fn wait_over(
        &mut self,
        id: &PersonId,
        outcome: WaitOutcome,
        by: Option<&PersonId>,
    ) -> Option<Guest> {
        let guest = self.lobby.take(id)?;
        self.record(EventKind::WaitOver {
            person: key_of(id),
            outcome,
            by: by.map(key_of),
        });
        Some(guest)
    }

    /// Lets somebody in: at once when his link lives, else as soon as he comes.
    pub(crate) fn let_in(&mut self, id: &PersonId, by: Option<&PersonId>) {
        let Some(guest) = self.wait_over(id, WaitOutcome::Admitted, by) else {
            return;
        };
        self.know(&guest.identity);
        let Some(seat) = guest.seat else { return };
        self.join(
            id,
            Arrival {
                crowded: false,
                link: seat.link,
                identity: guest.identity,
                device: guest.device,
                peer: seat.peer,
                session: seat.session,
                key: seat.key,
                resume: None,
                take_over: false,
                waits: false,
                recording: None,
            },
        );
    }

    /// Somebody who waits comes in by himself: as staff, or since nobody has to
    /// wait any more.
    pub(crate) fn stop_waiting(&mut self, id: &PersonId) {
        if let Some(link) = self
            .wait_over(id, WaitOutcome::Admitted, None)
            .and_then(|guest| guest.link())
        {
            self.say_bye(link, ErrorCode::TakenOver);
        }
    }

    /// The person was let in: he is no stranger any more.
    pub(crate) fn know(&mut self, identity: &Identity) {
        let Identity {
            person,
            name,
            unit,
            role,
            site: _,
        } = identity.clone();
        if self.roster.get(&person).is_none() {
            self.make_room_for_one();
            let member = Member::new(person, name, unit, role, self.now);
            self.roster.remember(member);
        }
    }

    pub(crate) fn mod_waiting(&mut self, me: &PersonId, on: bool) -> Outcome {
        self.need(me, Action::Admit)?;
        if self.lobby.on == on {
            return Ok(Done::Ok);
        }
        self.lobby.on = on;
        self.lobby.changed = true;
        self.record(EventKind::WaitingRoom { on, by: key_of(me) });
        self.tell_room();
        if !on {
            self.empty_lobby(Some(me));
        }
        Ok(Done::Ok)
    }

    /// Nobody waits any more; for whom there is no place is told so.
    pub(crate) fn empty_lobby(&mut self, by: Option<&PersonId>) {
        self.empty_lobby_of(by, |_| true);
    }

    /// As [`empty_lobby`](Self::empty_lobby), for some roles.
    pub(crate) fn empty_lobby_of(&mut self, by: Option<&PersonId>, which: impl Fn(Role) -> bool) {
        for id in self.lobby.ids() {
            let role = self.lobby.guests.get(&id).map(|guest| guest.identity.role);
            if !role.is_some_and(&which) {
                continue;
            }
            if role.is_some_and(|role| self.is_full(role)) {
                if let Some(link) = self
                    .wait_over(&id, WaitOutcome::Left, None)
                    .and_then(|guest| guest.link())
                {
                    self.say_bye(link, ErrorCode::Full);
                }
            } else {
                self.let_in(&id, by);
            }
        }
    }

    pub(crate) fn mod_admit(&mut self, me: &PersonId, who: Option<&PersonId>) -> Outcome {
        self.need(me, Action::Admit)?;
        let people = match who {
            Some(who) if self.lobby.has(who) => vec![who.clone()],
            Some(_) => return Err(ErrorCode::NotFound),
            None => self.lobby.ids(),
        };
        let mut any = people.is_empty();
        for id in people {
            // As many as there are places; the others go on waiting.
            if self.is_full(Role::Learner) {
                break;
            }
            self.let_in(&id, Some(me));
            any = true;
        }
        if any {
            Ok(Done::Ok)
        } else {
            Err(ErrorCode::Full)
        }
    }

    pub(crate) fn mod_deny(&mut self, me: &PersonId, who: &PersonId) -> Outcome {
        self.need(me, Action::Admit)?;
        let guest = self
            .wait_over(who, WaitOutcome::Denied, Some(me))
            .ok_or(ErrorCode::NotFound)?;
        if let Some(link) = guest.link() {
            self.say_bye(link, ErrorCode::Denied);
        }
        Ok(Done::Ok)
    }

    /// Sends somebody away who waits, and keeps him out of the session.
    pub(crate) fn bar_guest(&mut self, me: &PersonId, who: &PersonId) {
        self.record(EventKind::Removed {
            person: key_of(who),
            by: key_of(me),
            barred: true,
        });
        self.barred.insert(who.clone());
        if let Some(link) = self
            .wait_over(who, WaitOutcome::Denied, Some(me))
            .and_then(|guest| guest.link())
        {
            self.say_bye(link, ErrorCode::Banned);
        }
    }

    pub(crate) fn lobby_page(&self, me: &PersonId, q: &str, from: u32, n: u32) -> Outcome {
        self.need(me, Action::Admit)?;
        let q: String = q.chars().take(lophoc_protocol::limits::MAX_NAME).collect();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let n = usize::try_from(n.min(PEOPLE_PAGE)).unwrap_or(0);
        let (total, list) = self.lobby.page(&q, from, n);
        Ok(Done::Reply(ServerMessage::LobbyPage { total, list }))
    }

    /// Links that fell silent are lost; whoever did not come back is gone.
    pub(crate) fn sweep_lobby(&mut self) {
        let now_ms = self.now.mono_ms;
        let (mut silent, mut out) = (Vec::new(), Vec::new());
        for (id, guest) in &self.lobby.guests {
            let quiet_ms = now_ms.saturating_sub(guest.heard_ms);
            match guest.link() {
                Some(link) if quiet_ms > LINK_TIMEOUT_MS => silent.push(link),
                None if quiet_ms > RESUME_MS => out.push((guest.order, id.clone())),
                _ => {}
            }
        }
        for link in silent {
            self.lobby_link_gone(link);
            self.out.push(Effect::Close { link });
        }
        out.sort();
        for (_, id) in out {
            self.wait_over(&id, WaitOutcome::Left, None);
        }
    }

    /// Everybody who waits is sent away: the session ends.
    pub(crate) fn close_lobby(&mut self) -> Vec<LinkId> {
        let mut links = Vec::new();
        for id in self.lobby.ids() {
            let guest = self.wait_over(&id, WaitOutcome::Left, None);
            links.extend(guest.and_then(|guest| guest.link()));
        }
        links
    }

    fn lobby_message(&self) -> ServerMessage {
        ServerMessage::Lobby {
            total: self.lobby.total(),
            list: self.lobby.queue().take(LOBBY_SHOWN).collect(),
        }
    }

    /// Tells those who may let in who waits, when that changed and it is time.
    pub(crate) fn tell_lobby(&mut self) {
        let now_ms = self.now.mono_ms;
        if !self.lobby.changed || now_ms < self.lobby.told_ms.saturating_add(LOBBY_EVERY_MS) {
            return;
        }
        self.lobby.changed = false;
        self.lobby.told_ms = now_ms;
        let links: Vec<LinkId> = self
            .roster
            .iter()
            .take_while(|member| member.role.is_staff())
            .filter(|member| self.member_may(member, Action::Admit))
            .filter_map(Member::link)
            .collect();
        if links.is_empty() {
            return;
        }
        let msg = self.lobby_message();
        for link in links {
            self.send(link, msg.clone());
        }
    }

    /// Tells one person who waits, if that is his to know.
    pub(crate) fn show_lobby(&mut self, id: &PersonId, link: LinkId) {
        let may = self
            .roster
            .present(id)
            .is_some_and(|member| self.member_may(member, Action::Admit));
        if may && (self.lobby.on || self.lobby.len() > 0) {
            let msg = self.lobby_message();
            self.send(link, msg);
        }
    }
}
