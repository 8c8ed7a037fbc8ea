//! How the room is arranged: what learners may do, who is shown to all, slow
//! mode, the timer, roles handed over.

use std::collections::BTreeMap;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_LABEL, MAX_SLOW_SEC, MAX_SPOTLIGHT, MAX_TIMER_SEC};
use lophoc_protocol::people::Permits;
use lophoc_protocol::server::Timer;
use lophoc_protocol::{Action, ClientMessage, ErrorCode, PersonId, Role, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::SPECIALS;
use crate::join::role_name;
use crate::lesson::Until;
use crate::rebuild::role_of;
use crate::rights::{allowed, may_act_on};
use crate::room::{Room, key_of};
use crate::talk::code_of;
use crate::text::{BadText, clean_label, clean_name};

/// What this session made of somebody, for as long as it lasts: he keeps it
/// when he leaves and comes back, whatever his token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Special {
    /// Role handed over to him.
    role: Option<Role>,
    /// For whom he stands in, by name.
    stands_for: Option<String>,
    /// Has the captioner's task.
    captions: bool,
}

/// The arrangement.
#[derive(Debug, Default)]
pub(crate) struct Arrangement {
    pub permits: Permits,
    pub spotlight: Vec<PersonId>,
    pub slow_sec: u16,
    timer: Option<(Timer, Until)>,
    /// Bounded by [`SPECIALS`].
    specials: BTreeMap<PersonId, Special>,
}

impl Arrangement {
    /// Whether learners and guests are left this right. `floor`: who has the
    /// floor; `called`: or was asked to unmute.
    pub(crate) fn permits_to(&self, action: Action, floor: bool, called: bool) -> bool {
        let permits = &self.permits;
        match action {
            Action::Speak => permits.mic || called,
            Action::ShowCamera => permits.camera || floor,
            Action::ShareScreen => permits.screen,
            Action::Chat => permits.chat,
            Action::ChatPrivate => permits.private,
            Action::Question => permits.question,
            Action::React => permits.react,
            Action::RaiseHand => permits.hand,
            Action::Browse => permits.browse,
            Action::HandIn => permits.hand_in,
            Action::Draw => permits.draw || floor,
            Action::Notes => permits.notes,
            Action::LowerHands
            | Action::Mute
            | Action::AskUnmute
            | Action::GiveFloor
            | Action::Remove
            | Action::Lock
            | Action::SetMode
            | Action::Start
            | Action::Break
            | Action::Admit
            | Action::Check
            | Action::End
            | Action::Export
            | Action::Moderate
            | Action::Poll
            | Action::Slides
            | Action::HandOut
            | Action::Arrange
            | Action::SetRole
            | Action::Groups
            | Action::Caption
            | Action::Record => true,
        }
    }

    /// The timer everybody sees.
    pub(crate) fn timer(&self) -> Option<Timer> {
        self.timer.as_ref().map(|(timer, _)| timer.clone())
    }

    /// For whom a person stands in.
    pub(crate) fn stands_for(&self, person: &PersonId) -> Option<String> {
        self.specials.get(person)?.stands_for.clone()
    }

    /// Forgets what the session made of somebody.
    pub(crate) fn forget(&mut self, person: &PersonId) {
        self.specials.remove(person);
    }

    /// Whether the captioner's task was handed over to somebody.
    pub(crate) fn captions(&self, person: &PersonId) -> bool {
        self.specials
            .get(person)
            .is_some_and(|special| special.captions)
    }

    /// Hands the captioner's task over, or takes it back.
    pub(crate) fn set_captions(&mut self, person: &PersonId, on: bool) {
        self.special(person).captions = on;
    }

    pub(crate) fn has_place(&self, person: &PersonId) -> bool {
        self.specials.len() < SPECIALS || self.specials.contains_key(person)
    }

    fn special(&mut self, person: &PersonId) -> &mut Special {
        self.specials.entry(person.clone()).or_default()
    }
}

/// Who may change what organisers and chairs are.
fn leads(role: Role) -> bool {
    matches!(role, Role::Organiser | Role::Chair)
}

impl Room {
    /// `modPermits`, `modSpot`, `modSlow`, `modTimer`, `modRole`, `modSubstitute`.
    pub(crate) fn arrange_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        match msg {
            ClientMessage::ModPermits { permits } => self.mod_permits(me, permits),
            ClientMessage::ModSpot { who } => self.mod_spot(me, who),
            ClientMessage::ModSlow { secs } => self.mod_slow(me, secs),
            ClientMessage::ModTimer { secs, label } => self.mod_timer(me, secs, &label),
            ClientMessage::ModRole { who, role } => self.mod_role(me, &who, role),
            ClientMessage::ModSubstitute { who, instead } => {
                self.mod_substitute(me, &who, &instead)
            }
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn mod_permits(&mut self, me: &PersonId, permits: Permits) -> Outcome {
        self.need(me, Action::Arrange)?;
        if self.arrangement.permits != permits {
            self.arrangement.permits = permits;
            self.record(EventKind::Permits {
                permits: serde_json::to_value(permits).unwrap_or_default(),
                by: key_of(me),
            });
            self.tell_room();
            let by = self.name_of(me);
            self.settle_all(&by);
        }
        Ok(Done::Ok)
    }

    fn mod_spot(&mut self, me: &PersonId, who: Vec<PersonId>) -> Outcome {
        self.need(me, Action::Arrange)?;
        if who.len() > MAX_SPOTLIGHT {
            return Err(ErrorCode::BadRequest);
        }
        let mut people: Vec<PersonId> = Vec::new();
        for id in who {
            self.roster.present(&id).ok_or(ErrorCode::NotFound)?;
            if !people.contains(&id) {
                people.push(id);
            }
        }
        if self.arrangement.spotlight != people {
            self.record(EventKind::Spotlight {
                people: people.iter().map(key_of).collect(),
                by: key_of(me),
            });
            self.set_spotlight(people);
            self.tell_room();
        }
        Ok(Done::Ok)
    }

    fn set_spotlight(&mut self, people: Vec<PersonId>) {
        let before = std::mem::replace(&mut self.arrangement.spotlight, people);
        let now = self.arrangement.spotlight.clone();
        for id in before.iter().chain(&now) {
            if let Some(member) = self.roster.get_mut(id) {
                member.spot = now.contains(id);
                self.roster.touch(id);
            }
        }
    }

    /// Who is out for good is shown to nobody.
    pub(crate) fn leave_spotlight(&mut self, person: &PersonId) {
        if self.arrangement.spotlight.contains(person) {
            let mut rest = self.arrangement.spotlight.clone();
            rest.retain(|id| id != person);
            self.set_spotlight(rest);
        }
    }

    fn mod_slow(&mut self, me: &PersonId, secs: u16) -> Outcome {
        self.need(me, Action::Moderate)?;
        if secs > MAX_SLOW_SEC {
            return Err(ErrorCode::BadRequest);
        }
        if self.arrangement.slow_sec != secs {
            self.arrangement.slow_sec = secs;
            self.record(EventKind::SlowMode {
                secs,
                by: key_of(me),
            });
            self.tell_room();
        }
        Ok(Done::Ok)
    }

    fn mod_timer(&mut self, me: &PersonId, secs: u32, label: &str) -> Outcome {
        self.need(me, Action::Arrange)?;
        if secs > MAX_TIMER_SEC {
            return Err(ErrorCode::BadRequest);
        }
        let label = match clean_label(label, MAX_LABEL) {
            Ok(label) => label,
            Err(BadText::Empty) => String::new(),
            Err(why) => return Err(code_of(why)),
        };
        if secs == 0 && self.arrangement.timer.is_none() {
            return Ok(Done::Ok);
        }
        let until = (secs > 0).then(|| Until::after(self.now, u64::from(secs) * 1_000));
        let label = if secs > 0 { label } else { String::new() };
        self.record(EventKind::Timer {
            until_ms: until.map(|until| until.wall_ms),
            label: label.clone(),
            by: key_of(me),
        });
        self.set_timer(self.now.wall_ms, until, label);
        self.tell_room();
        Ok(Done::Ok)
    }

    fn set_timer(&mut self, at: u64, until: Option<Until>, label: String) {
        self.arrangement.timer = until.map(|until| {
            let timer = Timer {
                at,
                until: until.wall_ms,
                label,
            };
            (timer, until)
        });
    }

    /// Takes away a timer that ran out.
    pub(crate) fn tick_arrangement(&mut self) {
        let now_ms = self.now.mono_ms;
        if self
            .arrangement
            .timer
            .as_ref()
            .is_some_and(|(_, until)| now_ms >= until.mono_ms)
        {
            self.arrangement.timer = None;
            self.tell_room();
        }
    }

    /// The role somebody has here: what was handed over to him, or what he came
    /// as.
    pub(crate) fn role_here(&self, person: &PersonId, came_as: Role) -> Role {
        self.arrangement
            .specials
            .get(person)
            .and_then(|special| special.role)
            .unwrap_or(came_as)
    }

    fn mod_role(&mut self, me: &PersonId, who: &PersonId, role: Role) -> Outcome {
        self.need(me, Action::SetRole)?;
        let mine = self.roster.present(me).ok_or(ErrorCode::NotFound)?.role;
        let theirs = self.roster.present(who).ok_or(ErrorCode::NotFound)?.role;
        // Nobody hands over more than he has, nor takes it from those above.
        if !may_act_on(mine, theirs)
            || (role == Role::Organiser && mine != Role::Organiser)
            || (role == Role::Chair && !leads(mine))
        {
            return Err(ErrorCode::Forbidden);
        }
        if theirs == role {
            return Ok(Done::Ok);
        }
        let gives = |role| allowed(role, self.mode, false, Action::SetRole);
        // Whoever is the last to hand roles over cannot lay his own down: nobody
        // could give it back.
        if me == who
            && !gives(role)
            && !self
                .roster
                .iter()
                .take_while(|member| member.role.is_staff())
                .any(|member| member.id != *me && gives(member.role))
        {
            return Err(ErrorCode::Conflict);
        }
        if !self.arrangement.has_place(who) {
            return Err(ErrorCode::Full);
        }
        self.record(EventKind::RoleGiven {
            person: key_of(who),
            role: role_name(role).to_owned(),
            by: key_of(me),
        });
        self.give_role(who, role);
        let by = self.name_of(me);
        if let Some(member) = self.roster.get_mut(who) {
            member.told = None;
            member.anew = member.link().is_none();
        }
        self.settle(who, &by);
        self.show_talk(who);
        let mut files = self.files_mine(who);
        if files.is_empty() {
            files.push(ServerMessage::FilesMine {
                list: Vec::new(),
                add: false,
            });
        }
        let notes = self.notes_anew(who);
        for msg in files.into_iter().chain(notes) {
            self.tell(who, msg);
        }
        if let Some(link) = self.roster.get(who).and_then(crate::person::Member::link) {
            self.show_lobby(who, link);
            self.show_check(who, link);
            self.show_recording(who, link);
        }
        Ok(Done::Ok)
    }

    /// Used alike for a command and for the ledger.
    fn give_role(&mut self, who: &PersonId, role: Role) {
        self.arrangement.special(who).role = Some(role);
        self.roster.set_role(who, role);
    }

    fn mod_substitute(&mut self, me: &PersonId, who: &PersonId, instead: &str) -> Outcome {
        self.need(me, Action::SetRole)?;
        let member = self.roster.present(who).ok_or(ErrorCode::NotFound)?;
        let instead = match instead.trim() {
            "" => None,
            name => Some(clean_name(name).map_err(code_of)?),
        };
        if member.stands_for == instead {
            return Ok(Done::Ok);
        }
        if !self.arrangement.has_place(who) {
            return Err(ErrorCode::Full);
        }
        self.record(EventKind::Substitute {
            person: key_of(who),
            instead: instead.clone().unwrap_or_default(),
            by: key_of(me),
        });
        self.set_substitute(who, instead);
        Ok(Done::Ok)
    }

    fn set_substitute(&mut self, who: &PersonId, instead: Option<String>) {
        self.arrangement
            .special(who)
            .stands_for
            .clone_from(&instead);
        if let Some(member) = self.roster.get_mut(who) {
            member.stands_for = instead;
            self.roster.touch(who);
        }
    }

    /// Takes up an event of the arrangement from the ledger.
    pub(crate) fn replay_arrangement(&mut self, event: &Event) {
        let id_of = |key: &lophoc_ledger::PersonKey| PersonId(key.0.clone());
        match &event.kind {
            EventKind::Permits { permits, .. } => {
                if let Ok(permits) = serde_json::from_value(permits.clone()) {
                    self.arrangement.permits = permits;
                }
            }
            EventKind::SlowMode { secs, .. } => self.arrangement.slow_sec = *secs,
            EventKind::Spotlight { people, .. } => {
                let people = people.iter().take(MAX_SPOTLIGHT).map(id_of).collect();
                self.set_spotlight(people);
            }
            EventKind::RoleGiven { person, role, .. } => {
                let who = id_of(person);
                if self.arrangement.has_place(&who) {
                    self.give_role(&who, role_of(role));
                }
            }
            EventKind::Substitute {
                person, instead, ..
            } => {
                let who = id_of(person);
                if self.arrangement.has_place(&who) {
                    let instead = (!instead.is_empty()).then(|| instead.clone());
                    self.set_substitute(&who, instead);
                }
            }
            EventKind::Timer {
                until_ms, label, ..
            } => {
                // One that ran out in the meantime is not shown again.
                let until = until_ms
                    .filter(|until_ms| *until_ms > self.now.wall_ms)
                    .map(|until_ms| Until::wall(self.now, until_ms));
                self.set_timer(event.at.wall_ms, until, label.clone());
            }
            _ => {}
        }
    }
}
