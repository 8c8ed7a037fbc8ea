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
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Identity<'a> {
    pub(crate) name: &'a str,
    pub(crate) unit: Option<&'a str>,
    pub(crate) role: &'a str,
    pub(crate) device: &'a str,
}

/// A stay that still borrows from the log.
#[derive(Clone, Copy)]
pub(crate) struct RawStay<'a> {
    pub(crate) identity: Identity<'a>,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: Option<u64>,
    pub(crate) proven_ms: u64,
    pub(crate) end: Option<StayEnd>,
}

impl RawStay<'_> {
    fn of(self, person: &PersonKey) -> Stay {
        Stay {
            person: person.clone(),
            name: self.identity.name.to_owned(),
            unit: self.identity.unit.map(str::to_owned),
            role: self.identity.role.to_owned(),
            device: self.identity.device.to_owned(),
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            proven_ms: self.proven_ms,
            end: self.end,
        }
    }
}

/// A client with a sound link gives a sign of life every four seconds; a second
/// for its way and for the mark to be stored. Whoever was heard so shortly
/// before the server died was there when it died.
const SIGN_OF_LIFE_MS: u64 = 5_000;

/// A stay that has not ended.
#[derive(Clone, Copy)]
struct Open<'a> {
    identity: Identity<'a>,
    from_ms: u64,
    /// Latest event of this person in the stay: he was there then.
    known_ms: u64,
    boot: u64,
}

/// One person of the log.
pub(crate) struct Member<'a> {
    pub(crate) person: &'a PersonKey,
    /// As at the last join.
    pub(crate) joined: Option<Identity<'a>>,
    /// Stays, in the order of the log.
    pub(crate) stays: Vec<RawStay<'a>>,
    open: Option<Open<'a>>,
    /// Last seen, by run.
    seen: Vec<(u64, u64)>,
}

impl<'a> Member<'a> {
    fn new(person: &'a PersonKey) -> Self {
        Self {
            person,
            joined: None,
            stays: Vec::new(),
            open: None,
            seen: Vec::new(),
        }
    }

    fn see(&mut self, boot: u64, time_ms: u64) {
        match self.seen.iter_mut().find(|(of, _)| *of == boot) {
            Some((_, latest)) => *latest = time_ms.max(*latest),
            None => self.seen.push((boot, time_ms)),
        }
    }

    fn begin(&mut self, boot: u64, from_ms: u64) {
        let unknown = Identity {
            name: self.person.as_str(),
            unit: None,
            role: "",
            device: "",
        };
        self.open = Some(Open {
            identity: self.joined.unwrap_or(unknown),
            from_ms,
            known_ms: from_ms,
            boot,
        });
    }

    /// Ends the open stay at `to_ms`, never before it is known to have lasted.
    fn end(&mut self, to_ms: u64, end: StayEnd) {
        if let Some(open) = self.open.take() {
            let to_ms = to_ms.max(open.from_ms);
            self.stays.push(RawStay {
                identity: open.identity,
                from_ms: open.from_ms,
                to_ms: Some(to_ms),
                proven_ms: to_ms,
                end: Some(end),
            });
        }
    }

    /// Ends a stay that a run of the server took with it: at the person's last
    /// sign of life in that run, or at the run's own when that came before the
    /// person's next one was due.
    fn end_with_run(&mut self, line: &TimeLine, heard_ms: Option<u64>) {
        if let Some(open) = self.open {
            let seen = self.seen.iter().find(|(boot, _)| *boot == open.boot);
            let to_ms = open
                .known_ms
                .max(seen.map_or(0, |(_, seen_ms)| *seen_ms))
                .max(heard_ms.unwrap_or(0));
            let run_ms = line.run_last_ms(open.boot).unwrap_or(0);
            let to_ms = if run_ms.saturating_sub(to_ms) <= SIGN_OF_LIFE_MS {
                to_ms.max(run_ms)
            } else {
                to_ms
            };
            self.end(to_ms, StayEnd::Leave(LeaveReason::ServerStopped));
        }
    }

    fn is_of_earlier_run(&self, boot: u64) -> bool {
        self.open.is_some_and(|open| open.boot != boot)
    }

    fn leave(&mut self, line: &TimeLine, boot: u64, time_ms: u64, reason: LeaveReason) {
        if self.is_of_earlier_run(boot) {
            self.end_with_run(line, None);
        } else {
            self.end(time_ms, StayEnd::Leave(reason));
        }
    }
}

/// Everybody met so far, each with one look-up per event.
#[derive(Default)]
struct Members<'a> {
    places: HashMap<&'a PersonKey, usize>,
    all: Vec<Member<'a>>,
}

impl<'a> Members<'a> {
    fn of(&mut self, person: &'a PersonKey) -> Option<&mut Member<'a>> {
        let at = *self.places.entry(person).or_insert_with(|| {
            self.all.push(Member::new(person));
            self.all.len() - 1
        });
        self.all.get_mut(at)
    }
}

struct Walk<'a, 'b> {
    line: &'b TimeLine,
    members: Members<'a>,
}

impl<'a> Walk<'a, '_> {
    fn event(&mut self, event: &'a Event) {
        let boot = event.at.boot;
        let person = match &event.kind {
            EventKind::Ended { .. } => {
                let time = self.line.time(event.at);
                for member in &mut self.members.all {
                    member.leave(self.line, boot, time, LeaveReason::Ended);
                }
                return;
            }
            EventKind::Join { person, .. }
            | EventKind::Return { person }
            | EventKind::Leave { person, .. }
            | EventKind::Removed { person, .. }
            | EventKind::Lapse { person, .. }
            | EventKind::Chat { person, .. }
            | EventKind::Caption { person, .. }
            | EventKind::NotesEdited { person, .. }
            | EventKind::GroupNotesEdited { person, .. }
            | EventKind::Share { person, on: true }
            | EventKind::Track {
                person, on: true, ..
            }
            | EventKind::CheckAnswered { person, .. }
            | EventKind::Question { person, .. }
            | EventKind::QuestionUp { person, .. }
            | EventKind::PollAnswered {
                person,
                answer: Some(_),
                ..
            } => person,
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
            | EventKind::ChatDeleted { .. }
            | EventKind::Captioner { .. }
            | EventKind::QuestionSet { .. }
            | EventKind::PollOpened { .. }
            // Written together with others, a while after it was given.
            | EventKind::PollAnswered { answer: None, .. }
            | EventKind::PollBallots { .. }
            | EventKind::PollClosed { .. }
            | EventKind::PollShown { .. }
            | EventKind::PollDropped { .. }
            | EventKind::Permits { .. }
            | EventKind::SlowMode { .. }
            | EventKind::Spotlight { .. }
            | EventKind::RoleGiven { .. }
            | EventKind::Substitute { .. }
            | EventKind::Recording { .. }
            | EventKind::RecordingNotice { .. }
            // Given before the join as well.
            | EventKind::RecordingChoice { .. }
            | EventKind::RecordingPaused { .. }
            | EventKind::RecordingNews { .. }
            | EventKind::Timer { .. }
            | EventKind::Deck { .. }
            | EventKind::DeckDropped { .. }
            | EventKind::Slide { .. }
            | EventKind::BoardShown { .. }
            | EventKind::BoardDrawn { .. }
            | EventKind::BoardErased { .. }
            | EventKind::BoardUndone { .. }
            | EventKind::File { .. }
            | EventKind::FileDropped { .. }
            | EventKind::GroupsMade { .. }
            | EventKind::Grouped { .. }
            | EventKind::GroupsOpen { .. }
            | EventKind::GroupsSaid { .. }
            | EventKind::Unknown(_) => return,
        };
        let time = self.line.time(event.at);
        let Some(member) = self.members.of(person) else {
            return;
        };
        match &event.kind {
            EventKind::Join {
                name,
                unit,
                role,
                device,
                ..
            } => {
                if member.is_of_earlier_run(boot) {
                    member.end_with_run(self.line, None);
                }
                let identity = Identity {
                    name,
                    unit: unit.as_deref(),
                    role,
                    device,
                };
                member.joined = Some(identity);
                match &mut member.open {
                    Some(open) if open.identity == identity => open.known_ms = time,
                    Some(_) => {
                        member.end(time, StayEnd::Leave(LeaveReason::TakenOver));
                        member.begin(boot, time);
                    }
                    None => member.begin(boot, time),
                }
            }
            EventKind::Return { .. } => {
                if member.is_of_earlier_run(boot) {
                    member.end_with_run(self.line, None);
                }
                match &mut member.open {
                    Some(open) => open.known_ms = open.known_ms.max(time),
                    None => member.begin(boot, time),
                }
            }
            EventKind::Leave { reason, .. } => member.leave(self.line, boot, time, *reason),
            EventKind::Removed { .. } => member.leave(self.line, boot, time, LeaveReason::Removed),
            EventKind::Lapse { last_heard, .. } => {
                let heard_ms = self.line.time(*last_heard);
                if member.is_of_earlier_run(boot) {
                    member.end_with_run(self.line, Some(heard_ms));
                } else {
                    let known_ms = member.open.map_or(0, |open| open.known_ms);
                    let to_ms = heard_ms.max(known_ms).min(time);
                    member.end(to_ms, StayEnd::Lapse);
                }
            }
            // Whatever else a person does, he was there.
            _ => {
                if let Some(open) = &mut member.open
                    && open.boot == boot
                {
                    open.known_ms = open.known_ms.max(time);
                }
            }
        }
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
/// last frame heard when the link lapsed; when the server died, at the last sign
/// of life, of the person or, where the person's next one was not yet due, of
/// the server. A person's stays never overlap, however the clock was set.
pub fn stays(events: &[Event], presence: &[LastSeen], now: Option<Stamp>) -> Vec<Stay> {
    let ordered = ordered(events);
    let line = TimeLine::new(&ordered, presence, now);
    let mut stays: Vec<Stay> = Vec::new();
    for member in members(&line, &ordered, presence, now) {
        let of = |stay: &RawStay<'_>| stay.of(member.person);
        stays.extend(member.stays.iter().map(of));
    }
    stays.sort_by(|a, b| {
        (a.from_ms, a.proven_ms, &a.person).cmp(&(b.from_ms, b.proven_ms, &b.person))
    });
    stays
}

/// Everybody of a log with his stays, on a time line that is there already;
/// `ordered` as it was made of.
pub(crate) fn members<'a>(
    line: &TimeLine,
    ordered: &[&'a Event],
    presence: &'a [LastSeen],
    now: Option<Stamp>,
) -> Vec<Member<'a>> {
    let mut walk = Walk {
        line,
        members: Members::default(),
    };
    for mark in presence {
        let time = line.time(mark.at);
        if let Some(member) = walk.members.of(&mark.person) {
            member.see(mark.at.boot, time);
        }
    }
    for &event in ordered {
        walk.event(event);
    }
    let mut members = walk.members.all;
    for member in &mut members {
        match (now, member.open) {
            (Some(now), Some(open)) if open.boot == now.boot => member.stays.push(RawStay {
                identity: open.identity,
                from_ms: open.from_ms,
                to_ms: None,
                proven_ms: line.time(now).max(open.known_ms),
                end: None,
            }),
            _ => member.end_with_run(line, None),
        }
        member
            .stays
            .sort_by_key(|stay| (stay.from_ms, stay.proven_ms));
    }
    members
}
