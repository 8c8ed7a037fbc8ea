//! Polls as the record keeps them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use common::{Log, WALL};
use lophoc_ledger::{EventKind, Input, PersonKey, activity, polls};
use serde_json::{Value, json};

fn key(person: &str) -> PersonKey {
    PersonKey::from(person)
}

fn join(person: &str, role: &str) -> EventKind {
    EventKind::Join {
        person: key(person),
        name: format!("Nguyễn Văn {person}"),
        unit: (role == "learner").then(|| "THPT số 1".to_owned()),
        role: role.to_owned(),
        device: String::new(),
    }
}

fn opened(id: &str, draft: Value) -> EventKind {
    EventKind::PollOpened {
        id: id.to_owned(),
        cid: id.to_owned(),
        by: key("t"),
        draft,
        until_ms: None,
    }
}

fn answered(id: &str, person: &str, answer: Option<Value>) -> EventKind {
    EventKind::PollAnswered {
        person: key(person),
        id: id.to_owned(),
        answer,
        voice: None,
    }
}

fn log() -> Log {
    let mut log = Log::started(&[]);
    log.at(10, join("t", "trainer"))
        .at(11, join("a", "learner"))
        .at(12, join("b", "learner"))
        .at(
            20,
            opened(
                "v1",
                json!({"kind":"quiz","title":"Kiểm tra","items":[
                    {"text":"Câu 1","choose":"one","options":["x","y"],"correct":[1]},
                    {"text":"Câu 2","choose":"many","options":["x","y","z"],"correct":[0,2]},
                    {"text":"Câu 3","choose":"text"}]}),
            ),
        )
        .at(
            30,
            answered(
                "v1",
                "a",
                Some(json!([{"chosen":[0]},{"chosen":[0,2]},{"text":"tốt"}])),
            ),
        )
        .at(
            31,
            answered(
                "v1",
                "b",
                Some(json!([{"chosen":[1]},{"chosen":[0]},{"text":"khó"}])),
            ),
        )
        .at(
            32,
            answered(
                "v1",
                "a",
                Some(json!([{"chosen":[1]},{"chosen":[0,2]},{"text":"hay"}])),
            ),
        )
        .at(
            40,
            EventKind::PollClosed {
                id: "v1".into(),
                by: Some(key("t")),
                eligible: 3,
                unnamed: 0,
            },
        )
        .at(
            50,
            opened(
                "v2",
                json!({"kind":"vote","title":"Thông qua","anonymous":true,"bySite":true,"quorum":3,
                    "items":[{"choose":"one"}]}),
            ),
        )
        .at(60, answered("v2", "a", None))
        .at(60, answered("v2", "b", None))
        .at(
            60,
            EventKind::PollBallots {
                id: "v2".into(),
                ballots: vec![json!([{"chosen":[0]}]), json!([{"chosen":[2]}])],
            },
        );
    log
}

#[test]
fn a_quiz_has_sums_names_and_points_of_the_last_answers() {
    let all = polls(&log().events);
    let quiz = &all[0];
    assert_eq!((quiz.answered, quiz.eligible), (2, Some(3)));
    assert_eq!(quiz.closed_ms, Some(WALL + 40));
    assert_eq!(quiz.by_name, "Nguyễn Văn t");
    assert_eq!(quiz.sums[0].counts, [0, 2]);
    assert_eq!(quiz.sums[1].counts, [2, 0, 1]);
    assert_eq!(quiz.sums[2].texts, ["hay", "khó"]);
    let rows: Vec<_> = quiz
        .answers
        .iter()
        .map(|row| {
            (
                row.name.as_str(),
                row.unit.as_deref(),
                row.score,
                row.at_ms - WALL,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("Nguyễn Văn a", Some("THPT số 1"), Some(2), 32),
            ("Nguyễn Văn b", Some("THPT số 1"), Some(1), 31)
        ]
    );
}

#[test]
fn a_secret_vote_has_sums_and_no_names() {
    let all = polls(&log().events);
    let vote = &all[1];
    assert_eq!(vote.sums[0].counts, [1, 0, 1]);
    assert_eq!(
        (vote.answered, vote.eligible, vote.closed_ms),
        (2, None, None)
    );
    assert!(vote.answers.is_empty());
    assert_eq!(vote.is_valid(), Some(false));
    let said = serde_json::to_string(vote).unwrap();
    assert!(!said.contains("Nguyễn Văn a"), "{said}");
}

#[test]
fn the_same_events_give_the_same_in_whatever_order() {
    let log = log();
    let mut events = log.events.clone();
    events.reverse();
    events.push(log.events[4].clone());
    assert_eq!(polls(&events), polls(&log.events));
}

#[test]
fn polls_count_for_who_opened_them() {
    let log = log();
    let input = Input {
        events: &log.events,
        presence: &log.presence,
        hall: &log.hall,
        expected: &log.expected,
        adjustments: &log.adjustments,
        rules: &log.rules,
        now: None,
    };
    let all = activity(&input, None);
    let of = |who: &str| all.people.iter().find(|one| one.person.as_str() == who);
    assert_eq!(of("t").unwrap().polls, 2);
    assert_eq!(of("a").unwrap().polls, 0);
}
