//! Events → stays.

use std::collections::HashMap;

use crate::event::{Event, EventKind, LastSeen, LeaveReason, PersonKey, Stamp};
use crate::timeline::{TimeLine, ordered};

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StayEnd {
    /// A leave, with its reason.
    Leave(LeaveReason),
    /// The link broke; whether the person came back shows the next stay.
    Lapse,
}

/// One interval in which a person was in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Who.
    pub person: PersonKey,
    /// Full name at that join.
    pub name: String,
    /// Unit at that join.
    pub unit: Option<String>,
    /// Role at that join, the protocol's name.
    pub role: String,
    /// Device of that join.
    pub device: String,
    /// Beginning, milliseconds since the epoch, UTC.
    pub from_ms: u64,
    /// End, milliseconds since the epoch, UTC; absent while the person is in.
    pub to_ms: Option<u64>,
    /// Up to when presence is proven: the end, or for somebody who is in, now.
    pub proven_ms: u64,
    /// Why it ended; absent while the person is in.
    pub end: Option<StayEnd>,
}

impl Stay {
    /// Length as far as it is proven, milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.proven_ms.saturating_sub(self.from_ms)
    }
}

/// Identity given at a join.
#[derive(Clone, PartialEq)]
struct Identity {
    name: String,
    unit: Option<String>,
    role: String,
    device: String,
}

/// A stay that has not ended.
struct Open {
    identity: Identity,
    from_ms: u64,
    /// Latest event of this person in the stay: he was there then.
    known_ms: u64,
    boot: u64,
}

struct Walk<'a> {
    line: &'a TimeLine,
    seen: HashMap<(&'a PersonKey, u64), u64>,
    identities: HashMap<&'a PersonKey, Identity>,
    open: HashMap<&'a PersonKey, Open>,
    done: Vec<Stay>,
}

impl<'a> Walk<'a> {
    fn begin(&mut self, person: &'a PersonKey, at: Stamp) {
        let identity = self
            .identities
            .get(person)
            .cloned()
            .unwrap_or_else(|| Identity {
                name: person.0.clone(),
                unit: None,
                role: String::new(),
                device: String::new(),
            });
        let from_ms = self.line.time(at);
        self.open.insert(
            person,
            Open {
                identity,
                from_ms,
                known_ms: from_ms,
                boot: at.boot,
            },
        );
    }

    /// Ends the open stay of `person` at `to_ms`, never before it is known to
    /// have lasted.
    fn end(&mut self, person: &PersonKey, to_ms: u64, end: StayEnd) {
        if let Some((person, open)) = self.open.remove_entry(person) {
            let to_ms = to_ms.max(open.from_ms);
            self.done.push(closed(person, open, to_ms, end));
        }
    }

    /// Ends a stay that a run of the server took with it, at the last sign of
    /// life in that run.
    fn end_with_run(&mut self, person: &PersonKey, heard_ms: Option<u64>, end: StayEnd) {
        if let Some(open) = self.open.get(person) {
            let seen_ms = self.seen.get(&(person, open.boot)).copied();
            let to_ms = open
                .known_ms
                .max(seen_ms.unwrap_or(0))
                .max(heard_ms.unwrap_or(0));
            self.end(person, to_ms, end);
        }
    }

    fn is_of_earlier_run(&self, person: &PersonKey, at: Stamp) -> bool {
        self.open
            .get(person)
            .is_some_and(|open| open.boot != at.boot)
    }

    fn leave(&mut self, person: &PersonKey, at: Stamp, reason: LeaveReason) {
        if self.is_of_earlier_run(person, at) {
            self.end_with_run(person, None, StayEnd::Leave(LeaveReason::ServerStopped));
            return;
        }
        let time = self.line.time(at);
        self.end(person, time, StayEnd::Leave(reason));
    }

    fn event(&mut self, event: &'a Event) {
        let at = event.at;
        match &event.kind {
            EventKind::Join {
                person,
                name,
                unit,
                role,
                device,
            } => {
                if self.is_of_earlier_run(person, at) {
                    self.end_with_run(person, None, StayEnd::Leave(LeaveReason::ServerStopped));
                }
                let identity = Identity {
                    name: name.clone(),
                    unit: unit.clone(),
                    role: role.clone(),
                    device: device.clone(),
                };
                self.identities.insert(person, identity.clone());
                match self.open.get_mut(person) {
                    Some(open) if open.identity == identity => open.known_ms = self.line.time(at),
                    Some(_) => {
                        let time = self.line.time(at);
                        self.end(person, time, StayEnd::Leave(LeaveReason::TakenOver));
                        self.begin(person, at);
                    }
                    None => self.begin(person, at),
                }
            }
            EventKind::Return { person } => {
                if self.is_of_earlier_run(person, at) {
                    self.end_with_run(person, None, StayEnd::Leave(LeaveReason::ServerStopped));
                }
                if !self.open.contains_key(person) {
                    self.begin(person, at);
                }
            }
            EventKind::Leave { person, reason } => self.leave(person, at, *reason),
            EventKind::Removed { person, .. } => self.leave(person, at, LeaveReason::Removed),
            EventKind::Lapse { person, last_heard } => {
                let heard_ms = self.line.time(*last_heard);
                if self.is_of_earlier_run(person, at) {
                    let end = StayEnd::Leave(LeaveReason::ServerStopped);
                    self.end_with_run(person, Some(heard_ms), end);
                } else {
                    let known_ms = self.open.get(person).map_or(0, |open| open.known_ms);
                    let to_ms = heard_ms.max(known_ms).min(self.line.time(at));
                    self.end(person, to_ms, StayEnd::Lapse);
                }
            }
            EventKind::Ended { .. } => {
                let people: Vec<&PersonKey> = self.open.keys().copied().collect();
                for person in people {
                    self.leave(person, at, LeaveReason::Ended);
                }
            }
            EventKind::Chat { person, .. }
            | EventKind::Share { person, on: true }
            | EventKind::Track {
                person, on: true, ..
            }
            | EventKind::CheckAnswered { person, .. } => {
                let time = self.line.time(at);
                if let Some(open) = self.open.get_mut(person)
                    && open.boot == at.boot
                {
                    open.known_ms = open.known_ms.max(time);
                }
            }
            EventKind::Opened { .. }
            | EventKind::Reopened {}
            | EventKind::Locked { .. }
            | EventKind::Mode { .. }
            | EventKind::Floor { .. }
            | EventKind::Hand { .. }
            | EventKind::Mute { .. }
            | EventKind::Asked { .. }
            | EventKind::Waiting { .. }
            | EventKind::WaitOver { .. }
            | EventKind::Started { .. }
            | EventKind::Break { .. }
            | EventKind::OtherDevice { .. }
            | EventKind::Talk { .. }
            | EventKind::CheckAsked { .. }
            | EventKind::WaitingRoom { .. }
            | EventKind::Site { .. }
            | EventKind::Checks { .. }
            // Others may stop the track of somebody who is silent.
            | EventKind::Share { on: false, .. }
            | EventKind::Track { on: false, .. }
            | EventKind::Unknown(_) => {}
        }
    }
}

fn closed(person: &PersonKey, open: Open, to_ms: u64, end: StayEnd) -> Stay {
    Stay {
        to_ms: Some(to_ms),
        end: Some(end),
        ..still(person, open, to_ms)
    }
}

fn still(person: &PersonKey, open: Open, proven_ms: u64) -> Stay {
    Stay {
        person: person.clone(),
        name: open.identity.name,
        unit: open.identity.unit,
        role: open.identity.role,
        device: open.identity.device,
        from_ms: open.from_ms,
        to_ms: None,
        proven_ms,
        end: None,
    }
}

/// The stays of **one** session, ordered by beginning, then person.
///
/// - `events`: the session's log; order and repeats do not matter.
/// - `presence`: the last-seen marks, of every run of the server that has any.
/// - `now`: the clocks of the server when the room of this session is running
///   in it; then stays of its run that did not end are open. Absent: nobody is
///   in, and what did not end, ended at the last sign of life.
///
/// A stay ends exactly at a leave, a removal or the end of the session; at the
/// last frame heard when the link lapsed; at the last sign of life when the
/// server died. A person's stays never overlap, however the clock was set.
pub fn stays(events: &[Event], presence: &[LastSeen], now: Option<Stamp>) -> Vec<Stay> {
    let ordered = ordered(events);
    let line = TimeLine::new(&ordered, presence, now);
    stays_on(&line, &ordered, presence, now)
}

/// [`stays`] on a time line that is there already; `ordered` as it was made of.
pub(crate) fn stays_on(
    line: &TimeLine,
    ordered: &[&Event],
    presence: &[LastSeen],
    now: Option<Stamp>,
) -> Vec<Stay> {
    let mut seen: HashMap<(&PersonKey, u64), u64> = HashMap::new();
    for mark in presence {
        let time = line.time(mark.at);
        let latest = seen.entry((&mark.person, mark.at.boot)).or_insert(time);
        *latest = time.max(*latest);
    }
    let mut walk = Walk {
        line,
        seen,
        identities: HashMap::new(),
        open: HashMap::new(),
        done: Vec::new(),
    };
    for &event in ordered {
        walk.event(event);
    }
    let people: Vec<&PersonKey> = walk.open.keys().copied().collect();
    for person in people {
        let runs_on = now.filter(|now| !walk.is_of_earlier_run(person, *now));
        match runs_on {
            Some(now) => {
                if let Some(open) = walk.open.remove(person) {
                    let proven_ms = line.time(now).max(open.known_ms);
                    walk.done.push(still(person, open, proven_ms));
                }
            }
            None => {
                walk.end_with_run(person, None, StayEnd::Leave(LeaveReason::ServerStopped));
            }
        }
    }
    let mut stays = walk.done;
    stays.sort_by(|a, b| {
        (a.from_ms, a.proven_ms, &a.person).cmp(&(b.from_ms, b.proven_ms, &b.person))
    });
    stays
}
