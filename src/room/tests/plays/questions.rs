//! Questions and reactions.

use super::*;
use lophoc_protocol::limits::{MAX_QUESTION, QUESTIONS_SHOWN};
use lophoc_protocol::people::Permits;
use lophoc_protocol::talk::{Question, QuestionState as S, Reaction};
use lophoc_protocol::{QuestionId, ServerFrame};
use lophoc_room::bounds::{QUESTIONS_EACH, QUESTIONS_KEPT, REACTIONS_NAMED};

fn ask(cid: &str, text: &str) -> M {
    M::Question {
        cid: cid.into(),
        text: text.into(),
        anonymous: false,
    }
}

fn set(q: &QuestionId, st: S) -> M {
    M::QuestionSet {
        q: q.clone(),
        st,
        answer: None,
    }
}

fn want(q: &QuestionId, on: bool) -> M {
    M::QuestionUp { q: q.clone(), on }
}

fn one(play: &Play, link: LinkId) -> Question {
    let questions = &play.client(link).questions;
    assert_eq!(questions.len(), 1, "{questions:?}");
    questions.values().next().unwrap().clone()
}

fn reviewed() -> M {
    M::ModPermits {
        permits: Permits {
            open_questions: false,
            ..Permits::default()
        },
    }
}

fn frames_of_questions(list: &[ServerFrame]) -> usize {
    list.iter()
        .filter(|frame| frame.seq.is_some())
        .filter(|frame| matches!(frame.msg, ServerMessage::Questions { .. }))
        .count()
}

#[test]
fn a_question_asked_twice_is_one_and_votes_are_one_a_person() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let author = play.join("p2", Role::Learner);
    let others: Vec<_> = (3..8)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    play.ok(author, ask("a", "Nộp trễ có được không?"));
    play.ok(author, ask("a", "Nộp trễ có được không?"));
    play.wait(1_100);
    let q = one(&play, trainer);
    assert_eq!((q.up, q.st, q.from), (0, S::Open, Some(id("p2"))));
    assert_eq!(play.client(author).part.0, std::slice::from_ref(&q.q));

    play.news(trainer);
    for link in &others {
        play.ok(*link, want(&q.q, true));
        play.ok(*link, want(&q.q, true));
    }
    play.ok(others[0], want(&q.q, false));
    assert_eq!(play.refused(author, want(&q.q, true)), ErrorCode::Forbidden);
    play.wait(3_000);
    assert_eq!(one(&play, trainer).up, 4);
    assert!(
        frames_of_questions(&play.client(trainer).inbox) <= 1,
        "once a second at most"
    );
    assert_eq!(play.client(others[1]).part.1, std::slice::from_ref(&q.q));
    assert!(play.client(others[0]).part.1.is_empty());
    let votes = play.kinds(0).iter().filter(|k| **k == "questionUp").count();
    assert_eq!(votes, 6, "what changes nothing is not written");
    assert_eq!(
        play.refused(trainer, want(&"q999".into(), true)),
        ErrorCode::NotFound
    );
}

#[test]
fn who_asked_without_the_name_is_told_to_nobody() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let organiser = play.join("p2", Role::Organiser);
    let author = play.join("pAn", Role::Learner);
    play.wait(500);
    for link in [trainer, organiser] {
        play.news(link);
    }
    let hidden = |cid: &str| M::Question {
        cid: cid.into(),
        text: "Em chưa hiểu".into(),
        anonymous: true,
    };
    play.ok(author, hidden("a"));
    play.wait(1_100);
    let q = one(&play, trainer);
    assert_eq!((q.from.clone(), q.name.clone()), (None, None));
    // Setting it aside oneself does not tell either.
    play.ok(author, set(&q.q, S::Dismissed));
    play.ok(trainer, reviewed());
    play.ok(author, hidden("b"));
    play.wait(1_100);
    let mut after = play.restart(1_000, &[]);
    let back = after.join("p2", Role::Organiser);
    let shown: Vec<_> = after.client(back).questions.values().cloned().collect();
    assert_eq!(shown.len(), 2, "held and dismissed ones as well");
    for text in [
        serde_json::to_string(&play.client(trainer).inbox).unwrap(),
        serde_json::to_string(&play.client(organiser).inbox).unwrap(),
        serde_json::to_string(&shown).unwrap(),
    ] {
        assert!(!text.contains("pAn"), "{text}");
    }
    assert!(
        play.ledger.iter().any(|event| matches!(&event.kind,
            EventKind::Question { person, anonymous: true, .. } if person.as_str() == "pAn")),
        "the record knows"
    );
}

#[test]
fn what_waits_for_review_is_seen_by_its_author_and_those_who_moderate() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let author = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    play.ok(trainer, reviewed());
    play.ok(author, ask("a", "Câu hỏi chờ duyệt"));
    play.ok(trainer, ask("b", "Thầy hỏi cả lớp"));
    play.wait(1_100);
    assert_eq!(play.client(author).questions.len(), 2);
    assert_eq!(play.client(trainer).questions.len(), 2);
    let theirs = one(&play, other);
    assert_eq!(theirs.st, S::Open, "staff need no review");
    let held = play.client(author).part.0[0].clone();
    assert_eq!(play.refused(other, want(&held, true)), ErrorCode::NotFound);
    assert_eq!(
        play.refused(trainer, want(&held, true)),
        ErrorCode::Conflict
    );
    assert_eq!(
        play.refused(other, set(&held, S::Open)),
        ErrorCode::NotFound
    );
    assert_eq!(
        play.refused(author, set(&held, S::Open)),
        ErrorCode::Forbidden
    );

    play.ok(trainer, set(&held, S::Open));
    assert_eq!(play.client(other).questions.len(), 2);
    play.ok(trainer, set(&held, S::Dismissed));
    assert_eq!(play.client(other).questions.len(), 1);
    for link in [trainer, author] {
        assert_eq!(play.client(link).questions[&held].st, S::Dismissed);
    }
    let late = play.join("p4", Role::Learner);
    assert_eq!(play.client(late).questions.len(), 1);
    let late = play.join("p5", Role::Adviser);
    assert_eq!(play.client(late).questions.len(), 2);
}

#[test]
fn a_question_goes_its_way_and_one_is_live_at_a_time() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let author = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    for cid in ["a", "b"] {
        play.ok(author, ask(cid, &format!("câu {cid}")));
    }
    play.wait(1_100);
    let ids = play.client(author).part.0.clone();
    assert_eq!(
        play.refused(other, set(&ids[0], S::Live)),
        ErrorCode::Forbidden
    );
    assert_eq!(
        play.refused(trainer, set(&ids[0], S::Held)),
        ErrorCode::Conflict
    );
    play.ok(trainer, set(&ids[0], S::Live));
    play.ok(trainer, set(&ids[0], S::Live));
    assert_eq!(
        play.refused(author, set(&ids[0], S::Dismissed)),
        ErrorCode::Conflict
    );
    play.ok(trainer, set(&ids[1], S::Live));
    let shown = |play: &Play, n: usize| play.client(other).questions[&ids[n]].clone();
    assert_eq!(shown(&play, 0).st, S::Answered, "went on to the next");
    assert_eq!(shown(&play, 0).by.as_deref(), Some("Nguyễn Văn p1"));

    let answer = |st, answer: &str| M::QuestionSet {
        q: ids[1].clone(),
        st,
        answer: Some(answer.into()),
    };
    assert_eq!(
        play.refused(trainer, answer(S::Open, "được")),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(trainer, answer(S::Answered, " ")),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(trainer, answer(S::Answered, &"x".repeat(MAX_QUESTION + 1))),
        ErrorCode::TooLarge
    );
    play.ok(trainer, answer(S::Answered, "Được, trong 24 giờ"));
    let events = play.ledger.len();
    play.ok(trainer, answer(S::Answered, "Được, trong 24 giờ"));
    assert_eq!(play.ledger.len(), events, "a repeat is none");
    assert_eq!(
        shown(&play, 1).answer.as_deref(),
        Some("Được, trong 24 giờ")
    );
    assert_eq!(
        play.refused(other, want(&ids[1], true)),
        ErrorCode::Conflict
    );

    let mut after = play.restart(1_000, &[]);
    let back = after.join("p3", Role::Learner);
    assert_eq!(after.client(back).questions, play.client(other).questions);
    let trainer = after.join("p1", Role::Trainer);
    after.ok(trainer, set(&ids[1], S::Open));
    let open = after.client(back).questions[&ids[1]].clone();
    assert_eq!((open.answer, open.by), (None, None), "open again");
    let author = after.join("p2", Role::Learner);
    after.ok(author, ask("a", "câu a"));
    assert_eq!(after.client(author).part.0, ids, "a repeat after the crash");
}

#[test]
fn questions_are_bounded_and_frames_with_them() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p0", Role::Trainer);
    let text = |n: usize| format!("{n:04}{}", "ệ".repeat(MAX_QUESTION - 4));
    assert_eq!(
        play.refused(trainer, ask("x", &"x".repeat(MAX_QUESTION + 1))),
        ErrorCode::TooLarge
    );
    for n in 0..QUESTIONS_EACH {
        play.ok(trainer, ask(&n.to_string(), &text(n)));
        play.wait(1_000);
    }
    assert_eq!(play.refused(trainer, ask("z", "thêm")), ErrorCode::Full);
    // Full of what waits: refused. Answered ones make room.
    let mut asked = QUESTIONS_EACH;
    let mut full = false;
    'all: for p in 1..60 {
        let link = play.join(&format!("p{p}"), Role::Learner);
        for _ in 0..QUESTIONS_EACH {
            match play.ask(link, ask(&asked.to_string(), &text(asked))) {
                ServerMessage::Ok => asked += 1,
                ServerMessage::Err { code, .. } => {
                    assert_eq!(code, ErrorCode::Full);
                    full = true;
                    break 'all;
                }
                other => panic!("{other:?}"),
            }
        }
        play.wait(1_000);
    }
    assert!(full && asked <= QUESTIONS_KEPT, "{asked}");
    play.wait(30_000);
    // Nothing is thrown away for a question that does not fit all the same.
    let small = play.join("small", Role::Learner);
    let before = play.client(trainer).questions.len();
    play.ok(small, ask("s", "?"));
    play.wait(2_000);
    let tiny = play
        .client(trainer)
        .questions
        .values()
        .find(|question| question.text == "?")
        .unwrap()
        .q
        .clone();
    play.ok(trainer, set(&tiny, S::Answered));
    assert_eq!(play.refused(small, ask("t", &text(1))), ErrorCode::Full);
    play.wait(2_000);
    assert_eq!(play.client(small).questions.len(), before + 1);
    play.ok(small, ask("s", "?"));
    let asked = asked + 1;
    // The stage checks the size of every frame.
    let late = play.join("late", Role::Learner);
    assert_eq!(play.client(late).questions.len(), asked);
    let first = play.client(trainer).part.0[0].clone();
    play.ok(trainer, set(&first, S::Answered));
    play.ok(late, ask("new", &text(9_999)));
    play.wait(2_000);
    for link in [trainer, late] {
        assert!(!play.client(link).questions.contains_key(&first));
        assert_eq!(play.client(link).questions.len(), asked);
    }
    let mut after = play.restart(1_000, &[]);
    let back = after.join("late", Role::Learner);
    assert_eq!(after.client(back).questions, play.client(late).questions);
    let shown = after
        .client(back)
        .inbox
        .iter()
        .find_map(|frame| match &frame.msg {
            ServerMessage::State { questions, .. } => Some(questions.len()),
            _ => None,
        });
    assert!(shown.unwrap() <= QUESTIONS_SHOWN);
}

#[test]
fn reactions_are_added_up_between_two_ticks_and_forgotten() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("pt", Role::Trainer);
    let links: Vec<_> = (0..30)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    play.wait(500);
    play.news(trainer);
    let (events, seq) = (play.ledger.len(), play.seq);
    for link in &links {
        play.ok(*link, M::React { e: Reaction::Clap });
    }
    play.ok(links[0], M::React { e: Reaction::Heart });
    play.wait(300);
    let told: Vec<_> = play
        .news(trainer)
        .into_iter()
        .filter_map(|msg| match msg {
            ServerMessage::Reactions { list, counts } => Some((list, counts)),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0.len(), REACTIONS_NAMED);
    assert_eq!(told[0].1, [(Reaction::Clap, 30), (Reaction::Heart, 1)]);
    assert_eq!(
        (play.ledger.len(), play.seq),
        (events, seq),
        "neither kept nor numbered"
    );

    play.ok(
        trainer,
        M::ModPermits {
            permits: Permits {
                react: false,
                ..Permits::default()
            },
        },
    );
    let react = M::React { e: Reaction::Wow };
    assert_eq!(play.refused(links[1], react.clone()), ErrorCode::Forbidden);
    play.ok(trainer, react);
}
