//! What people did in a session: the activity of those who teach (TT 21/2017
//! Điều 5.1.c) and the participation of learners, and who had the floor when.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::hall::{Lap, laps};
use super::interval;
use super::plan::signed;
use super::rows::is_staff;
use super::spans::union;
use super::types::{Input, Interval, Span};
use super::window::Counted;
use crate::collation::{NameOrder, name_key_in};
use crate::event::{Event, EventKind, PersonKey, WaitOutcome};
use crate::stays::{Identity, members};
use crate::timeline::{TimeLine, ordered};

/// Activity of one person. Lengths are inside the counted time, counts inside
/// the lesson with its breaks, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonActivity {
    /// Who.
    pub person: PersonKey,
    /// Name: the roster's, else as at the last join.
    pub name: String,
    /// Unit: the roster's, else as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Role at the last join.
    pub role: String,
    /// One of those who run the session.
    pub staff: bool,
    /// Role handed over in the session, when it is another than `role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub role_given: Option<String>,
    /// Stood in for this person (thay người dạy, TT 21/2017 Điều 8.5), by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stood_in_for: Option<String>,
    /// Whole time in the room on own connections, rehearsal and breaks included, ms.
    pub room_ms: u64,
    /// … of it counted time: the hours taught.
    pub lesson_ms: u64,
    /// Beginning of the first presence that touches the lesson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub first_in_ms: Option<u64>,
    /// End of the last one; absent while in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_out_ms: Option<u64>,
    /// First arrival minus planned beginning, ms; below 0 is before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub arrival_ms: Option<i64>,
    /// Time spoken, ms.
    pub talk_ms: u64,
    /// Times spoken.
    pub talks: u32,
    /// Microphone open, ms.
    pub mic_ms: u64,
    /// Camera on, ms.
    pub camera_ms: u64,
    /// Screen shared, ms.
    pub screen_ms: u64,
    /// Messages to the room.
    pub chat: u32,
    /// Questions asked in the Q&A.
    #[serde(default)]
    pub questions: u32,
    /// Questions of others answered, aloud or in writing (Điều 5.1.c).
    #[serde(default)]
    pub questions_answered: u32,
    /// Hands raised.
    pub hands: u32,
    /// … that somebody attended to: gave the floor, asked to speak, or lowered.
    pub hands_answered: u32,
    /// Times had the floor.
    pub floors: u32,
    /// Had the floor, ms.
    pub floor_ms: u64,
    /// Gave the floor to others.
    pub floors_given: u32,
    /// Hands of others attended to.
    pub answers: u32,
    /// Asked others to speak or to show the camera.
    pub asked: u32,
    /// Muted others, one or all at once.
    pub mutes: u32,
    /// Polls, quizzes and votes opened.
    #[serde(default)]
    pub polls: u32,
    /// Let in from the waiting room, at any time.
    pub admitted: u32,
    /// Asked out of the room, at any time.
    pub removed: u32,
}

/// Somebody had the floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FloorTurn {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// From.
    pub from_ms: u64,
    /// Until; while it goes on, now.
    pub to_ms: u64,
    /// By whom it was given.
    pub by: PersonKey,
}

/// Activity of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Planned beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub planned_ms: Option<u64>,
    /// Actual beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from_ms: Option<u64>,
    /// Actual end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to_ms: Option<u64>,
    /// Actual minus planned beginning, ms; below 0 is before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub start_ms: Option<i64>,
    /// Counted time, ms.
    pub counted_ms: u64,
    /// Everybody who was in, staff first, each part in Vietnamese order of names.
    pub people: Vec<PersonActivity>,
    /// Who had the floor, in order, rehearsal included.
    pub floor: Vec<FloorTurn>,
}

/// Something that is on or off: camera, microphone, floor.
#[derive(Default)]
struct Switch {
    since_ms: Option<u64>,
    spans: Vec<Span>,
}

impl Switch {
    fn set(&mut self, on: bool, time_ms: u64) {
        if let Some(from_ms) = self.since_ms.take() {
            self.spans.push(Span {
                from_ms,
                to_ms: time_ms,
            });
        }
        self.since_ms = on.then_some(time_ms);
    }

    /// The spans; nothing lasts longer than the presence it began in.
    fn spans(mut self, laps: &[Lap]) -> Vec<Span> {
        self.set(false, u64::MAX);
        within(self.spans, laps)
    }
}

/// Each span cut where the lap it began in ends; what began in none is left out.
fn within(spans: Vec<Span>, laps: &[Lap]) -> Vec<Span> {
    let cut = |span: Span| {
        let begun = laps.partition_point(|lap| lap.from_ms <= span.from_ms);
        let lap = laps.get(begun.checked_sub(1)?)?;
        (span.from_ms <= lap.to_ms).then_some(Span {
            from_ms: span.from_ms,
            to_ms: span.to_ms.min(lap.to_ms),
        })
    };
    spans.into_iter().filter_map(cut).collect()
}

#[derive(Default)]
struct Doing<'a> {
    joined: Option<Identity<'a>>,
    own: Vec<Interval>,
    talk: Vec<Span>,
    mic: Switch,
    camera: Switch,
    screen: Switch,
    floor: Vec<(Span, &'a PersonKey)>,
    has_floor: Option<(u64, &'a PersonKey)>,
    hand_up: bool,
    role_given: Option<&'a str>,
    stood_in_for: Option<&'a str>,
    chat: u32,
    questions: u32,
    questions_answered: u32,
    hands: u32,
    hands_answered: u32,
    floors: u32,
    floors_given: u32,
    answers: u32,
    asked: u32,
    mutes: u32,
    polls: u32,
    admitted: u32,
    removed: u32,
}

impl Doing<'_> {
    fn end_floor(&mut self, to_ms: u64) {
        if let Some((from_ms, by)) = self.has_floor.take() {
            self.floor.push((Span { from_ms, to_ms }, by));
        }
    }
}

struct Walk<'a, 'b> {
    line: &'b TimeLine,
    counted: &'b Counted,
    people: HashMap<&'a PersonKey, Doing<'a>>,
    /// Questions nobody else has answered yet, and who asked.
    unanswered: HashMap<&'a str, &'a PersonKey>,
}

impl<'a> Walk<'a, '_> {
    fn of(&mut self, person: &'a PersonKey) -> &mut Doing<'a> {
        self.people.entry(person).or_default()
    }

    /// Adds one where it counts, in the lesson.
    fn count(
        &mut self,
        person: &'a PersonKey,
        time_ms: u64,
        what: impl for<'c> FnOnce(&'c mut Doing<'a>) -> &'c mut u32,
    ) {
        if self.counted.in_lesson(time_ms) {
            let count = what(self.of(person));
            *count = count.saturating_add(1);
        }
    }

    /// Somebody attended to the raised hand of another.
    fn answer(&mut self, person: &'a PersonKey, by: &'a PersonKey, time_ms: u64) {
        if by != person && std::mem::take(&mut self.of(person).hand_up) {
            self.count(person, time_ms, |doing| &mut doing.hands_answered);
            self.count(by, time_ms, |doing| &mut doing.answers);
        }
    }

    /// Counts once, and not for who answers himself.
    fn question_answered(&mut self, id: &'a str, by: &'a PersonKey, time_ms: u64) {
        if self.unanswered.get(id).is_some_and(|author| *author != by) {
            self.unanswered.remove(id);
            self.count(by, time_ms, |doing| &mut doing.questions_answered);
        }
    }

    fn hand(&mut self, person: &'a PersonKey, up: bool, by: Option<&'a PersonKey>, time_ms: u64) {
        if up {
            if !std::mem::replace(&mut self.of(person).hand_up, true) {
                self.count(person, time_ms, |doing| &mut doing.hands);
            }
            return;
        }
        if let Some(by) = by {
            self.answer(person, by, time_ms);
        }
        self.of(person).hand_up = false;
    }

    fn event(&mut self, event: &'a Event) {
        let time_ms = self.line.time(event.at);
        match &event.kind {
            // What goes to one person or to a few is theirs.
            EventKind::Chat {
                person, to: None, ..
            } => {
                self.count(person, time_ms, |doing| &mut doing.chat);
            }
            EventKind::Question { person, id, .. } => {
                self.unanswered.insert(id, person);
                self.count(person, time_ms, |doing| &mut doing.questions);
            }
            EventKind::QuestionSet { id, state, by, .. } if state == "answered" => {
                self.question_answered(id, by, time_ms);
            }
            EventKind::RoleGiven { person, role, .. } => {
                self.of(person).role_given = Some(role);
            }
            // Whoever stood in for somebody did, also when it ended.
            EventKind::Substitute {
                person, instead, ..
            } if !instead.is_empty() => self.of(person).stood_in_for = Some(instead),
            EventKind::Talk { person, from, to } => {
                let span = Span {
                    from_ms: self.line.time(*from),
                    to_ms: self.line.time(*to),
                };
                self.of(person).talk.push(span);
            }
            EventKind::Track { person, kind, on } => {
                let doing = self.of(person);
                match kind.as_str() {
                    "mic" => doing.mic.set(*on, time_ms),
                    "camera" => doing.camera.set(*on, time_ms),
                    "screen" => doing.screen.set(*on, time_ms),
                    _ => {}
                }
            }
            EventKind::Share { person, on } => self.of(person).screen.set(*on, time_ms),
            EventKind::Hand { person, up, by } => {
                self.hand(person, *up, by.as_ref(), time_ms);
            }
            EventKind::Floor { person, given, by } => {
                if !given {
                    self.of(person).end_floor(time_ms);
                    return;
                }
                if by != person {
                    self.count(by, time_ms, |doing| &mut doing.floors_given);
                }
                self.answer(person, by, time_ms);
                if self.of(person).has_floor.is_none() {
                    self.of(person).has_floor = Some((time_ms, by));
                    self.count(person, time_ms, |doing| &mut doing.floors);
                }
            }
            EventKind::Asked { person, by, .. } => {
                self.count(by, time_ms, |doing| &mut doing.asked);
                self.answer(person, by, time_ms);
            }
            EventKind::Mute { by, .. } => self.count(by, time_ms, |doing| &mut doing.mutes),
            EventKind::PollOpened { by, .. } => {
                self.count(by, time_ms, |doing| &mut doing.polls);
            }
            EventKind::WaitOver {
                outcome: WaitOutcome::Admitted,
                by: Some(by),
                ..
            } => self.of(by).admitted += 1,
            EventKind::Removed { person, by, .. } => {
                self.of(by).removed += 1;
                self.left(person, time_ms);
            }
            EventKind::Leave { person, .. } => self.left(person, time_ms),
            EventKind::Ended { .. } => {
                for doing in self.people.values_mut() {
                    doing.hand_up = false;
                    doing.end_floor(time_ms);
                }
            }
            _ => {}
        }
    }

    fn left(&mut self, person: &'a PersonKey, time_ms: u64) {
        let doing = self.of(person);
        doing.hand_up = false;
        doing.end_floor(time_ms);
    }
}

/// What everybody did in a session. `planned_ms` is its planned beginning.
/// Nothing lasts longer than the presence in the room it began in, whatever the
/// log leaves open.
pub fn activity(input: &Input<'_>, planned_ms: Option<u64>) -> Activity {
    let ordered = ordered(input.events);
    let line = TimeLine::new(&ordered, input.presence, input.now);
    let counted = Counted::read(&ordered, &line, input.now, input.rules);
    let mut walk = Walk {
        line: &line,
        counted: &counted,
        people: HashMap::new(),
        unanswered: HashMap::new(),
    };
    for &event in &ordered {
        walk.event(event);
    }
    let mut people = walk.people;
    for member in members(&line, &ordered, input.presence, input.now) {
        if !member.stays.is_empty() {
            let doing = people.entry(member.person).or_default();
            doing.joined = member.joined;
            doing.own = member.stays.iter().map(interval).collect();
        }
    }
    let expected: HashMap<&PersonKey, _> = input
        .expected
        .iter()
        .map(|expected| (&expected.person, expected))
        .collect();
    let mut floor = Vec::new();
    let mut rows = Vec::new();
    for (person, doing) in people {
        let (joined, expected) = (doing.joined, expected.get(person));
        let name = match (expected, joined) {
            (Some(expected), _) => expected.name.clone(),
            (None, Some(joined)) => joined.name.to_owned(),
            (None, None) => continue,
        };
        let unit = expected
            .and_then(|expected| expected.unit.clone())
            .or_else(|| joined.and_then(|joined| joined.unit.map(str::to_owned)));
        let sort = expected.and_then(|expected| expected.sort.as_deref());
        let row = done(
            person,
            doing,
            (name, unit),
            &counted,
            planned_ms,
            &mut floor,
        );
        rows.push((name_key_in(NameOrder::default(), &row.name, sort), row));
    }
    rows.sort_by(|(a_key, a), (b_key, b)| {
        (!a.staff, a_key, &a.person).cmp(&(!b.staff, b_key, &b.person))
    });
    floor.sort_by(|a: &FloorTurn, b| {
        (a.from_ms, a.to_ms, &a.person).cmp(&(b.from_ms, b.to_ms, &b.person))
    });
    let window = &counted.window;
    Activity {
        planned_ms,
        from_ms: window.from_ms,
        to_ms: window.to_ms,
        start_ms: window
            .from_ms
            .zip(planned_ms)
            .map(|(from_ms, planned_ms)| signed(from_ms, planned_ms)),
        counted_ms: window.counted_ms,
        people: rows.into_iter().map(|(_, row)| row).collect(),
        floor,
    }
}

fn done(
    person: &PersonKey,
    doing: Doing<'_>,
    (name, unit): (String, Option<String>),
    counted: &Counted,
    planned_ms: Option<u64>,
    floor: &mut Vec<FloorTurn>,
) -> PersonActivity {
    let mut doing = doing;
    doing.end_floor(u64::MAX);
    let laps = laps(&doing.own);
    let counted_ms = |spans: Vec<Span>| -> u64 {
        union(spans)
            .iter()
            .map(|span| counted.axis.between(span.from_ms, span.to_ms))
            .sum()
    };
    let touching = |lap: &&Lap| {
        counted.lesson_axis.between(lap.from_ms, lap.to_ms) > 0 || (lap.open && counted.running)
    };
    let here = laps.iter().any(|lap| lap.open);
    let first_in_ms = laps.iter().find(touching).map(|lap| lap.from_ms);
    let last_out_ms = laps.iter().rfind(touching).map(|lap| lap.to_ms);
    let mut had = Vec::new();
    for (span, by) in doing.floor {
        for span in within(vec![span], &laps) {
            had.push(span);
            floor.push(FloorTurn {
                person: person.clone(),
                name: name.clone(),
                unit: unit.clone(),
                from_ms: span.from_ms,
                to_ms: span.to_ms,
                by: by.clone(),
            });
        }
    }
    // A long speech is written in pieces that touch.
    let talk = union(within(doing.talk, &laps));
    let talks = talk
        .iter()
        .filter(|span| counted.in_lesson(span.from_ms))
        .count();
    let role = doing
        .joined
        .map_or("learner", |joined| joined.role)
        .to_owned();
    PersonActivity {
        person: person.clone(),
        staff: is_staff(&role),
        role_given: doing
            .role_given
            .filter(|given| *given != role)
            .map(str::to_owned),
        stood_in_for: doing.stood_in_for.map(str::to_owned),
        role,
        name,
        unit,
        room_ms: laps
            .iter()
            .map(|lap| lap.to_ms.saturating_sub(lap.from_ms))
            .sum(),
        lesson_ms: laps
            .iter()
            .map(|lap| counted.axis.between(lap.from_ms, lap.to_ms))
            .sum(),
        first_in_ms,
        last_out_ms: last_out_ms.filter(|_| !here),
        arrival_ms: first_in_ms
            .zip(planned_ms)
            .map(|(first_in_ms, planned_ms)| signed(first_in_ms, planned_ms)),
        talk_ms: counted_ms(talk),
        talks: u32::try_from(talks).unwrap_or(u32::MAX),
        mic_ms: counted_ms(doing.mic.spans(&laps)),
        camera_ms: counted_ms(doing.camera.spans(&laps)),
        screen_ms: counted_ms(doing.screen.spans(&laps)),
        chat: doing.chat,
        questions: doing.questions,
        questions_answered: doing.questions_answered,
        hands: doing.hands,
        hands_answered: doing.hands_answered,
        floors: doing.floors,
        floor_ms: counted_ms(had),
        floors_given: doing.floors_given,
        answers: doing.answers,
        asked: doing.asked,
        mutes: doing.mutes,
        polls: doing.polls,
        admitted: doing.admitted,
        removed: doing.removed,
    }
}
