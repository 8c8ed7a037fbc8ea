//! Breakout groups: parts of the room. Link, media connection and stay of a
//! person go on; what changes is whom he hears and sees, and that one talks
//! freely in a group, whatever the mode of the room.
//!
//! A person is *assigned* to a group, and is *in* it while the groups are open.
//! Whoever changes place stops sharing his screen: what was meant for one place
//! is not shown in another.

use std::collections::BTreeMap;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::groups::{Group, GroupBy, Groups};
use lophoc_protocol::limits::{MAX_GROUP_MIN, MAX_GROUPS, MAX_LABEL};
use lophoc_protocol::{Action, ClientMessage, ErrorCode, GroupNo, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{GROUP_MOVES, GROUPS_EVERY_MS};
use crate::checks::draw;
use crate::person::Member;
use crate::rights::may_act_on;
use crate::room::{Room, key_of};
use crate::text::{BadText, clean_chat, clean_label};

/// The groups of a room.
#[derive(Debug, Default)]
pub(crate) struct Breakout {
    /// They, when there are any.
    formed: Option<Formed>,
    /// As last told to all; absent when a newcomer was told otherwise.
    told: Option<Option<Groups>>,
    /// When, monotonic.
    told_ms: u64,
}

#[derive(Debug)]
struct Formed {
    /// In order of number from 1.
    names: Vec<String>,
    by: GroupBy,
    open: bool,
    /// Everybody is brought back then, wall clock.
    until_ms: Option<u64>,
    /// Who opened them, by name.
    opener: String,
}

impl Formed {
    fn has(&self, group: GroupNo) -> bool {
        (1..=self.names.len()).contains(&usize::from(group.0))
    }

    /// The groups with their numbers.
    fn numbers(&self) -> impl Iterator<Item = (GroupNo, &String)> {
        (1..=u8::MAX).map(GroupNo).zip(&self.names)
    }
}

impl Breakout {
    pub(crate) fn is_open(&self) -> bool {
        self.formed.as_ref().is_some_and(|formed| formed.open)
    }
}

impl Room {
    /// `groupsMake` and what follows it, `groupPick`.
    pub(crate) fn group_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        use ClientMessage as M;
        if let M::GroupPick { group } = msg {
            return self.group_pick(me, group);
        }
        self.need(me, Action::Groups)?;
        match msg {
            M::GroupsMake { names, by } => self.groups_make(me, &names, by),
            M::GroupsMove { moves } => self.groups_move(me, &moves),
            M::GroupsOpen { minutes } => self.groups_open(me, minutes),
            M::GroupsClose => {
                if self.breakout.formed.is_some() {
                    self.groups_end(Some(me));
                }
                Ok(Done::Ok)
            }
            M::GroupsSay { text } => self.groups_say(me, &text),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    /// The group the person is in now; absent = the whole room.
    pub(crate) fn place_of(&self, member: &Member) -> Option<GroupNo> {
        member.group.filter(|_| self.breakout.is_open())
    }

    fn groups_make(&mut self, me: &PersonId, names: &[String], by: GroupBy) -> Outcome {
        if names.len() > usize::from(MAX_GROUPS) {
            return Err(ErrorCode::TooLarge);
        }
        if self.breakout.is_open() {
            return Err(ErrorCode::Conflict);
        }
        let names: Vec<String> = names
            .iter()
            .map(|name| clean_label(name, MAX_LABEL).map_err(refusal))
            .collect::<Result<_, _>>()?;
        let mut apart: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        apart.sort_unstable();
        apart.dedup();
        if names.is_empty() || apart.len() < names.len() {
            return Err(ErrorCode::BadRequest);
        }
        let lot = self.record(EventKind::GroupsMade {
            names: names.clone(),
            way: way_name(by).to_owned(),
            by: key_of(me),
        });
        self.form(names, by);
        let places = match by {
            GroupBy::Random => self.by_lot(lot),
            GroupBy::Unit => self.by_unit(),
            GroupBy::Manual | GroupBy::Choose => Vec::new(),
        };
        for (person, group) in places {
            self.assign(&person, Some(group), None);
        }
        self.tell_groups();
        Ok(Done::Ok)
    }

    /// New groups with nobody in them.
    fn form(&mut self, names: Vec<String>, by: GroupBy) {
        self.roster.ungroup();
        self.breakout.formed = Some(Formed {
            names,
            by,
            open: false,
            until_ms: None,
            opener: String::new(),
        });
    }

    /// Those who are sent into groups: staff go where they are needed.
    fn to_be_grouped(&self) -> impl Iterator<Item = &Member> {
        self.roster.iter().filter(|member| !member.role.is_staff())
    }

    /// Equally many each, as the seed of the room and the number of the lot say.
    fn by_lot(&self, lot: u64) -> Vec<(PersonId, GroupNo)> {
        let seed = draw(self.config.seed, lot);
        let mut people: Vec<(u64, PersonId)> = (0..)
            .zip(self.to_be_grouped())
            .map(|(n, member)| (draw(seed, n), member.id.clone()))
            .collect();
        people.sort_unstable();
        let numbers = self.breakout.formed.iter().flat_map(Formed::numbers);
        let numbers: Vec<GroupNo> = numbers.map(|(n, _)| n).collect();
        people
            .into_iter()
            .map(|(_, id)| id)
            .zip(numbers.into_iter().cycle())
            .collect()
    }

    /// Units stay together: in the group that bears their name, or, the largest
    /// first, in the smallest. Who is of no unit is put where people are few.
    fn by_unit(&self) -> Vec<(PersonId, GroupNo)> {
        let mut units: BTreeMap<String, Vec<PersonId>> = BTreeMap::new();
        let mut alone = Vec::new();
        for member in self.to_be_grouped() {
            match &member.unit {
                Some(unit) => units
                    .entry(unit.to_lowercase())
                    .or_default()
                    .push(member.id.clone()),
                None => alone.push(vec![member.id.clone()]),
            }
        }
        let Some(formed) = &self.breakout.formed else {
            return Vec::new();
        };
        let named: BTreeMap<String, GroupNo> = formed
            .numbers()
            .map(|(n, name)| (name.to_lowercase(), n))
            .collect();
        let mut sizes: BTreeMap<GroupNo, usize> = formed.numbers().map(|(n, _)| (n, 0)).collect();
        let mut blocks: Vec<(Option<GroupNo>, Vec<PersonId>)> = units
            .into_iter()
            .map(|(unit, people)| (named.get(&unit).copied(), people))
            .collect();
        blocks.sort_by_key(|(group, people)| (group.is_none(), usize::MAX - people.len()));
        let blocks = blocks
            .into_iter()
            .chain(alone.into_iter().map(|people| (None, people)));
        let mut places = Vec::new();
        for (group, people) in blocks {
            let smallest = || sizes.iter().min_by_key(|(n, size)| (**size, **n));
            let Some(group) = group.or_else(|| smallest().map(|(n, _)| *n)) else {
                continue;
            };
            if let Some(size) = sizes.get_mut(&group) {
                *size += people.len();
            }
            places.extend(people.into_iter().map(|person| (person, group)));
        }
        places
    }

    /// Writes who goes where. Whoever is there already is passed over.
    fn assign(&mut self, person: &PersonId, group: Option<GroupNo>, by: Option<&PersonId>) {
        let Some(member) = self.roster.get_mut(person) else {
            return;
        };
        if member.group == group {
            return;
        }
        let left = std::mem::replace(&mut member.group, group);
        let at_ms = self.now.wall_ms;
        self.leave_notes(person, left, at_ms);
        self.roster.touch(person);
        self.record(EventKind::Grouped {
            person: key_of(person),
            group: group.map(|group| group.0),
            by: by.map(key_of),
        });
    }

    /// People who left in the meantime are passed over; the others are moved
    /// all, or none.
    fn groups_move(&mut self, me: &PersonId, moves: &[(PersonId, Option<GroupNo>)]) -> Outcome {
        if moves.len() > GROUP_MOVES {
            return Err(ErrorCode::TooLarge);
        }
        let formed = self.breakout.formed.as_ref().ok_or(ErrorCode::Conflict)?;
        let mine = self.roster.present(me).ok_or(ErrorCode::NotFound)?.role;
        for (who, group) in moves {
            if group.is_some_and(|group| !formed.has(group)) {
                return Err(ErrorCode::NotFound);
            }
            let theirs = self.roster.present(who).map(|member| member.role);
            if who != me && theirs.is_some_and(|theirs| !may_act_on(mine, theirs)) {
                return Err(ErrorCode::Forbidden);
            }
        }
        let name = self.name_of(me);
        for (who, group) in moves {
            if self.roster.present(who).is_some() {
                self.assign(who, *group, Some(me));
                self.settle(who, &name);
            }
        }
        self.tell_groups();
        Ok(Done::Ok)
    }

    /// Opens them, or changes the time they have left.
    fn groups_open(&mut self, me: &PersonId, minutes: Option<u16>) -> Outcome {
        if minutes.is_some_and(|minutes| minutes == 0 || minutes > MAX_GROUP_MIN) {
            return Err(ErrorCode::BadRequest);
        }
        let until_ms = minutes.map(|minutes| self.now.wall_ms + u64::from(minutes) * 60_000);
        let name = self.name_of(me);
        let formed = self.breakout.formed.as_mut().ok_or(ErrorCode::Conflict)?;
        if formed.open && formed.until_ms == until_ms {
            return Ok(Done::Ok);
        }
        let names = (!formed.open).then(|| formed.names.clone());
        formed.open = true;
        formed.until_ms = until_ms;
        formed.opener.clone_from(&name);
        self.record(EventKind::GroupsOpen {
            on: true,
            until_ms,
            by: Some(key_of(me)),
        });
        if let Some(names) = names {
            self.group_notes.open(&names, self.now.wall_ms);
            self.tell_notes();
        }
        self.tell_groups();
        self.settle_all(&name);
        Ok(Done::Ok)
    }

    /// Brings everybody back. `by`: who does; absent when the time ran out.
    fn groups_end(&mut self, by: Option<&PersonId>) {
        self.leave_all_notes(self.now.wall_ms);
        let Some(formed) = self.breakout.formed.take() else {
            return;
        };
        self.record(EventKind::GroupsOpen {
            on: false,
            until_ms: None,
            by: by.map(key_of),
        });
        self.roster.ungroup();
        let name = by.map_or(formed.opener, |by| self.name_of(by));
        self.tell_groups();
        self.settle_all(&name);
    }

    fn groups_say(&mut self, me: &PersonId, text: &str) -> Outcome {
        if !self.breakout.is_open() {
            return Err(ErrorCode::Conflict);
        }
        let text = clean_chat(text).map_err(refusal)?;
        self.record(EventKind::GroupsSaid {
            text: text.clone(),
            by: key_of(me),
        });
        let by = self.name_of(me);
        self.broadcast(ServerMessage::GroupsSaid { text, by });
        Ok(Done::Ok)
    }

    fn group_pick(&mut self, me: &PersonId, group: Option<GroupNo>) -> Outcome {
        let staff = self.need(me, Action::Groups).is_ok();
        let Some(formed) = &self.breakout.formed else {
            return Err(ErrorCode::Conflict);
        };
        if !staff && formed.by != GroupBy::Choose {
            return Err(ErrorCode::Forbidden);
        }
        if group.is_some_and(|group| !formed.has(group)) {
            return Err(ErrorCode::NotFound);
        }
        self.assign(me, group, None);
        self.settle(me, "");
        Ok(Done::Ok)
    }

    /// The groups now.
    fn groups(&self) -> Option<Groups> {
        let formed = self.breakout.formed.as_ref()?;
        let mut people: BTreeMap<GroupNo, u32> = BTreeMap::new();
        for group in self.roster.iter().filter_map(|member| member.group) {
            *people.entry(group).or_default() += 1;
        }
        let list = formed.numbers().map(|(n, name)| Group {
            n,
            name: name.clone(),
            people: people.get(&n).copied().unwrap_or(0),
        });
        Some(Groups {
            open: formed.open,
            by: formed.by,
            until: formed.until_ms,
            list: list.collect(),
        })
    }

    /// The groups, for `state`.
    pub(crate) fn groups_shown(&mut self) -> Option<Groups> {
        let now = self.groups();
        if self.breakout.told.as_ref() != Some(&now) {
            self.breakout.told = None;
        }
        now
    }

    /// Tells all what the groups are, when that changed.
    fn tell_groups(&mut self) {
        self.breakout.told_ms = self.now.mono_ms;
        let groups = self.groups();
        if self.breakout.told.as_ref() == Some(&groups) {
            return;
        }
        self.breakout.told = Some(groups.clone());
        self.broadcast(ServerMessage::Groups { groups });
    }

    /// Brings people back when the time is over; tells how many are in each group.
    pub(crate) fn tick_groups(&mut self) {
        let until_ms = self.breakout.formed.as_ref().and_then(|f| f.until_ms);
        if until_ms.is_some_and(|until_ms| self.now.wall_ms >= until_ms) {
            self.groups_end(None);
        }
        // Where people choose, the numbers change with each of them.
        let every_ms = self.roster.every_ms().max(GROUPS_EVERY_MS);
        let due_ms = self.breakout.told_ms.saturating_add(every_ms);
        if self.breakout.formed.is_some() && self.now.mono_ms >= due_ms {
            self.tell_groups();
        }
    }

    /// Takes up an event of groups from the ledger.
    pub(crate) fn replay_group(&mut self, event: &Event) {
        match &event.kind {
            EventKind::GroupsMade { names, way, .. } => {
                self.form(names.clone(), way_of(way));
            }
            EventKind::Grouped { person, group, .. } => {
                let id = PersonId(person.0.clone());
                if let Some(member) = self.roster.get_mut(&id) {
                    let left = std::mem::replace(&mut member.group, group.map(GroupNo));
                    self.roster.touch(&id);
                    self.leave_notes(&id, left, event.at.wall_ms);
                }
            }
            EventKind::GroupsOpen {
                on: true,
                until_ms,
                by,
            } => {
                let opener = by
                    .as_ref()
                    .map_or_else(String::new, |by| self.name_of(&PersonId(by.0.clone())));
                if let Some(formed) = &mut self.breakout.formed {
                    if !formed.open {
                        self.group_notes.open(&formed.names, event.at.wall_ms);
                    }
                    formed.open = true;
                    formed.until_ms = *until_ms;
                    formed.opener = opener;
                }
            }
            EventKind::GroupsOpen { on: false, .. } => {
                self.leave_all_notes(event.at.wall_ms);
                self.breakout.formed = None;
                self.roster.ungroup();
            }
            _ => {}
        }
    }
}

fn refusal(why: BadText) -> ErrorCode {
    match why {
        BadText::TooLong => ErrorCode::TooLarge,
        BadText::Empty | BadText::Control => ErrorCode::BadRequest,
    }
}

/// Name of a way in the ledger; the same as on the wire.
fn way_name(by: GroupBy) -> &'static str {
    match by {
        GroupBy::Random => "random",
        GroupBy::Unit => "unit",
        GroupBy::Manual => "manual",
        GroupBy::Choose => "choose",
    }
}

/// A way this version does not know lets nobody choose.
fn way_of(name: &str) -> GroupBy {
    [GroupBy::Random, GroupBy::Unit, GroupBy::Choose]
        .into_iter()
        .find(|by| way_name(*by) == name)
        .unwrap_or(GroupBy::Manual)
}
