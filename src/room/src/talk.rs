//! The chat: to all, to one person, to the organisers, to the technicians, to
//! one's own group.

use std::sync::Arc;

use lophoc_ledger::EventKind;
use lophoc_protocol::server::ChatEntry;
use lophoc_protocol::talk::Audience;
use lophoc_protocol::{
    Action, ChatId, ErrorCode, GroupNo, PersonId, Role, ServerFrame, ServerMessage,
};

use crate::act::{Done, Outcome};
use crate::api::Effect;
use crate::chat::is_cid;
use crate::direct::Reach;
use crate::person::Member;
use crate::room::{Room, key_of};
use crate::text::{BadText, clean_chat};

/// To whom, as the ledger writes it; nothing = to all.
fn audience_name(to: &Audience, group: Option<GroupNo>) -> Option<String> {
    match to {
        Audience::All => None,
        Audience::Organisers => Some("organisers".to_owned()),
        Audience::Support => Some("support".to_owned()),
        Audience::Group => Some(format!("group:{}", group.map_or(0, |group| group.0))),
        Audience::Person(who) => Some(format!("person:{who}")),
    }
}

/// The ledger's word for it. One this version does not know is nobody but the
/// author: never more people than were meant.
fn audience_of(name: Option<&str>) -> (Option<Audience>, Option<GroupNo>) {
    let Some(name) = name else {
        return (Some(Audience::All), None);
    };
    match name.split_once(':') {
        None if name == "organisers" => (Some(Audience::Organisers), None),
        None if name == "support" => (Some(Audience::Support), None),
        Some(("person", who)) => (Some(Audience::Person(PersonId::from(who))), None),
        Some(("group", n)) => match n.parse() {
            Ok(n) => (Some(Audience::Group), Some(GroupNo(n))),
            Err(_) => (None, None),
        },
        _ => (None, None),
    }
}

pub(crate) fn code_of(why: BadText) -> ErrorCode {
    match why {
        BadText::TooLong => ErrorCode::TooLarge,
        BadText::Empty | BadText::Control => ErrorCode::BadRequest,
    }
}

impl Room {
    pub(crate) fn chat(&mut self, me: &PersonId, cid: &str, text: &str, to: &Audience) -> Outcome {
        self.may_write(me, to)?;
        if !is_cid(cid) {
            return Err(ErrorCode::BadRequest);
        }
        if self.chat.knows(me, cid) || self.direct.knows(me, cid) {
            return Ok(Done::Ok);
        }
        let text = clean_chat(text).map_err(code_of)?;
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let (name, role, group) = (member.name.clone(), member.role, member.group);
        if matches!(to, Audience::All | Audience::Group) {
            self.slow_down(me)?;
        }
        let id = format!("c{}", self.next_event);
        self.record(EventKind::Chat {
            person: key_of(me),
            id: id.clone(),
            cid: cid.to_owned(),
            text: text.clone(),
            to: audience_name(to, group),
        });
        let entry = ChatEntry {
            id: ChatId(id),
            from: me.clone(),
            name,
            role,
            text,
            at: self.now.wall_ms,
            cid: cid.to_owned(),
            to: to.clone(),
            to_name: self.name_in(to),
        };
        if to.is_all() {
            self.chat.push(entry.clone());
            self.broadcast(ServerMessage::Chat { m: entry });
        } else {
            let reach = self.reach(me, to, group);
            self.direct.push(entry.clone(), reach.clone());
            self.tell_reach(&reach, me, &ServerMessage::ChatDirect { m: entry });
        }
        Ok(Done::Ok)
    }

    /// Whether the person may write to these. Lines to organisers and support
    /// are open to everybody who is in, whatever was taken from learners; so is
    /// an answer to staff.
    fn may_write(&self, me: &PersonId, to: &Audience) -> Result<(), ErrorCode> {
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        match to {
            Audience::All => self.need(me, Action::Chat),
            Audience::Organisers | Audience::Support => Ok(()),
            Audience::Group if member.group.is_none() => Err(ErrorCode::Conflict),
            Audience::Group => self.need(me, Action::Chat),
            Audience::Person(who) if who == me => Err(ErrorCode::BadRequest),
            Audience::Person(who) => {
                let other = self.roster.present(who).ok_or(ErrorCode::NotFound)?;
                if other.role.is_staff() {
                    Ok(())
                } else {
                    self.need(me, Action::ChatPrivate)
                }
            }
        }
    }

    /// In slow mode a learner or guest waits between two messages to all or to
    /// his group.
    fn slow_down(&mut self, me: &PersonId) -> Result<(), ErrorCode> {
        let wait_ms = u64::from(self.arrangement.slow_sec) * 1_000;
        let now_ms = self.now.wall_ms;
        let Some(member) = self.roster.get_mut(me) else {
            return Err(ErrorCode::NotFound);
        };
        // The wall clock outlives the process; where it was set back, nobody
        // waits for it.
        let too_soon = member
            .wrote_ms
            .and_then(|wrote_ms| now_ms.checked_sub(wrote_ms))
            .is_some_and(|since_ms| since_ms < wait_ms);
        if too_soon && !member.role.is_staff() {
            return Err(ErrorCode::SlowMode);
        }
        member.wrote_ms = Some(now_ms);
        Ok(())
    }

    fn name_in(&self, to: &Audience) -> Option<String> {
        match to {
            Audience::Person(who) => Some(self.name_of(who)),
            _ => None,
        }
    }

    /// Whom a message concerns. Without a technician in the room the organisers
    /// read the line to support; a group is who is assigned to it now.
    fn reach(&self, from: &PersonId, to: &Audience, group: Option<GroupNo>) -> Reach {
        let mut reach = Reach {
            people: vec![from.clone()],
            ..Reach::default()
        };
        match to {
            Audience::All => {}
            Audience::Organisers => reach.organisers = true,
            Audience::Support => {
                reach.support = true;
                reach.organisers = !self
                    .roster
                    .iter()
                    .take_while(|member| member.role.is_staff())
                    .any(|member| member.role == Role::Technician);
            }
            Audience::Group => reach.people.extend(
                self.roster
                    .iter()
                    .filter(|member| group.is_some() && member.group == group && member.id != *from)
                    .map(|member| member.id.clone()),
            ),
            Audience::Person(who) => reach.people.push(who.clone()),
        }
        reach
    }

    /// Tells those whom a message concerns; its author not before it is kept.
    fn tell_reach(&mut self, reach: &Reach, author: &PersonId, msg: &ServerMessage) {
        let links: Vec<_> = if reach.organisers || reach.support {
            self.roster
                .iter()
                .filter(|member| reach.concerns(&member.id, member.role))
                .map(|member| (member.id == *author, member.link()))
                .collect()
        } else {
            reach
                .people
                .iter()
                .filter_map(|id| self.roster.present(id))
                .map(|member| (member.id == *author, member.link()))
                .collect()
        };
        let mut others = Vec::with_capacity(links.len());
        for (own, link) in links {
            match link {
                Some(link) if own => self.send_durable(link, None, msg.clone()),
                Some(link) => others.push(link),
                None => {}
            }
        }
        if !others.is_empty() {
            self.out.push(Effect::SendTo {
                links: others,
                frame: Arc::new(ServerFrame {
                    seq: None,
                    id: None,
                    msg: msg.clone(),
                }),
            });
        }
    }

    /// Deletes a message: one's own, or as a moderator one that one sees.
    pub(crate) fn chat_delete(&mut self, me: &PersonId, chat: &ChatId) -> Outcome {
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let moderates = self.member_may(member, Action::Moderate);
        let role = member.role;
        let msg = ServerMessage::ChatGone { chat: chat.clone() };
        let event = EventKind::ChatDeleted {
            id: chat.0.clone(),
            by: key_of(me),
        };
        if let Some((from, gone)) = self.chat.find(chat) {
            if from != me && !moderates {
                return Err(ErrorCode::Forbidden);
            }
            if !gone {
                self.record(event);
                self.forget_chat(chat);
                self.broadcast(msg);
            }
            return Ok(Done::Ok);
        }
        let (from, reach, gone) = self.direct.find(chat).ok_or(ErrorCode::NotFound)?;
        // Whom it does not concern is not even told that there is one.
        if !reach.concerns(me, role) {
            return Err(ErrorCode::NotFound);
        }
        if from != me && !moderates {
            return Err(ErrorCode::Forbidden);
        }
        if !gone {
            let reach = reach.clone();
            self.record(event);
            self.forget_chat(chat);
            self.tell_reach(&reach, me, &msg);
        }
        Ok(Done::Ok)
    }

    fn forget_chat(&mut self, chat: &ChatId) {
        self.chat.delete(chat);
        self.direct.delete(chat);
        self.ring.redact(chat);
    }

    /// The messages that concern a person and did not go to all.
    pub(crate) fn chat_mine(&self, to: &Member) -> Option<ServerMessage> {
        let list = self.direct.mine(&to.id, to.role)?;
        Some(ServerMessage::ChatMine { list })
    }

    /// A message or its deletion, from the ledger.
    pub(crate) fn replay_chat(&mut self, kind: &EventKind, at_ms: u64) {
        match kind {
            EventKind::Chat {
                person,
                id,
                cid,
                text,
                to,
            } => {
                let from = PersonId(person.0.clone());
                let (audience, group) = audience_of(to.as_deref());
                let (name, role) = self
                    .roster
                    .get(&from)
                    .map_or((String::new(), Role::Guest), |m| (m.name.clone(), m.role));
                let known = audience.is_some();
                let to = audience.unwrap_or(Audience::Person(from.clone()));
                let entry = ChatEntry {
                    id: ChatId(id.clone()),
                    from: from.clone(),
                    name,
                    role,
                    text: text.clone(),
                    at: at_ms,
                    cid: cid.clone(),
                    to_name: self.name_in(&to),
                    to: to.clone(),
                };
                if matches!(to, Audience::All | Audience::Group)
                    && let Some(member) = self.roster.get_mut(&from)
                {
                    member.wrote_ms = Some(at_ms);
                }
                if to.is_all() {
                    self.chat.push(entry);
                } else {
                    let reach = if known {
                        self.reach(&from, &to, group)
                    } else {
                        Reach {
                            people: vec![from],
                            ..Reach::default()
                        }
                    };
                    self.direct.push(entry, reach);
                }
            }
            EventKind::ChatDeleted { id, .. } => self.forget_chat(&ChatId(id.clone())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_names_every_audience_and_is_read_back() {
        for (to, group) in [
            (Audience::All, None),
            (Audience::Organisers, None),
            (Audience::Support, None),
            (Audience::Group, Some(GroupNo(7))),
            (Audience::Person("p1:x".into()), None),
        ] {
            let name = audience_name(&to, group);
            assert_eq!(audience_of(name.as_deref()), (Some(to), group));
        }
        for odd in ["", "everybody", "group:", "group:900", "hall:1"] {
            assert_eq!(audience_of(Some(odd)), (None, None), "{odd}");
        }
    }
}
