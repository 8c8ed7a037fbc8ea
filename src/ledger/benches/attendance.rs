//! Attendance of a session as large as it may get, and of smaller ones to see
//! how the time grows.
//!
//! `cargo bench -p lophoc-ledger`
#![allow(missing_docs)]

use divan::{Bencher, black_box};
use lophoc_ledger::{
    Event, EventKind, Expected, Input, LastSeen, LeaveReason, PersonKey, Rules, SessionKey, Stamp,
    attendance, stays,
};

const WALL_MS: u64 = 1_788_654_600_000;
const EVENTS_EACH: u64 = 200;

struct Session {
    events: Vec<Event>,
    presence: Vec<LastSeen>,
    expected: Vec<Expected>,
    rules: Rules,
}

fn stamp(mono_ms: u64) -> Stamp {
    Stamp {
        wall_ms: WALL_MS + mono_ms,
        mono_ms,
        boot: 1,
    }
}

/// Every person comes and goes all the time: of 200 events a quarter each are
/// joins, messages, lapses or leaves, and returns or hands.
fn session(people: u64) -> Session {
    let mut events = vec![(0, EventKind::Started { by: None })];
    let mut presence = Vec::new();
    let mut expected = Vec::new();
    for index in 0..people {
        let person = PersonKey(format!("p{index:012}"));
        let given = match index % 4 {
            0 => "Hằng",
            1 => "Dũng",
            2 => "Ánh",
            _ => "Đạt",
        };
        let name = format!("Nguyễn Thị {given}");
        for round in 0..EVENTS_EACH / 4 {
            let at = round * 200_000 + index % 1_000;
            let kinds = [
                EventKind::Join {
                    person: person.clone(),
                    name: name.clone(),
                    unit: Some(format!("Trường {}", index % 100)),
                    role: "learner".to_owned(),
                    device: format!("d{}", round % 2),
                },
                EventKind::Chat {
                    person: person.clone(),
                    id: format!("c{round}"),
                    cid: format!("u{round}"),
                    text: "em chào thầy".to_owned(),
                    to: None,
                },
                EventKind::Lapse {
                    person: person.clone(),
                    last_heard: stamp(at + 90_000),
                },
                EventKind::Return {
                    person: person.clone(),
                },
            ];
            for (step, kind) in kinds.into_iter().enumerate() {
                events.push((at + step as u64 * 50_000, kind));
            }
        }
        events.push((
            EVENTS_EACH / 4 * 200_000,
            EventKind::Leave {
                person: person.clone(),
                reason: LeaveReason::Left,
            },
        ));
        presence.push(LastSeen {
            person: person.clone(),
            at: stamp(EVENTS_EACH / 4 * 200_000),
        });
        expected.push(Expected {
            person,
            name,
            sort: None,
            unit: Some(format!("Trường {}", index % 100)),
            excused: None,
            in_person: false,
            is_site: false,
        });
    }
    events.push((11_000_000, EventKind::Ended { by: None }));
    events.sort_by_key(|(at, _)| *at);
    let events = events
        .into_iter()
        .zip(1..)
        .map(|((at, kind), seq)| Event {
            session: SessionKey::from("b1"),
            seq,
            at: stamp(at),
            kind,
        })
        .collect();
    Session {
        events,
        presence,
        expected,
        rules: Rules::default(),
    }
}

#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5)]
fn attendance_of_people_with_200_events(bencher: Bencher<'_, '_>, people: u64) {
    let session = session(people);
    bencher.bench_local(|| {
        attendance(black_box(&Input {
            events: &session.events,
            presence: &session.presence,
            now: None,
            hall: &[],
            expected: &session.expected,
            adjustments: &[],
            rules: &session.rules,
        }))
    });
}

#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5)]
fn stays_of_people_with_200_events(bencher: Bencher<'_, '_>, people: u64) {
    let session = session(people);
    bencher.bench_local(|| stays(black_box(&session.events), &session.presence, None));
}

fn main() {
    divan::main();
}
