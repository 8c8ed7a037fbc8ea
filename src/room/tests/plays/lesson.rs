//! Rehearsal, beginning, breaks, end.

use super::*;

const HOUR: u64 = 3_600_000;

fn planned(in_ms: u64) -> Play {
    Play::with(RoomConfig {
        starts_ms: Some(START.wall_ms + in_ms),
        ends_ms: Some(START.wall_ms + in_ms + HOUR),
        ..config(RoomMode::Training)
    })
}

fn count(play: &Play, kind: &str) -> usize {
    play.ledger.iter().filter(|e| e.kind.name() == kind).count()
}

#[test]
fn without_a_plan_the_lesson_begins_when_the_room_opens() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p1", Role::Learner);
    assert_eq!(play.kinds(0), ["opened", "started", "join"]);
    let room = play.client(learner).room.clone().unwrap();
    assert_eq!(room.phase, LessonPhase::Live);
    assert_eq!(room.lesson_at, Some(START.wall_ms));
}

#[test]
fn a_planned_lesson_begins_by_itself_once_somebody_who_leads_is_there() {
    let mut play = planned(60_000);
    let learner = play.join("p1", Role::Learner);
    let room = play.client(learner).room.clone().unwrap();
    assert_eq!(room.phase, LessonPhase::Rehearsal);
    assert_eq!(
        (room.lesson_at, room.starts_at),
        (None, Some(START.wall_ms + 60_000))
    );
    // Its time comes, and nobody teaches; those who help or watch begin nothing.
    for (who, role) in [
        ("p2", Role::Technician),
        ("p3", Role::Secretary),
        ("p4", Role::Inspector),
    ] {
        play.join(who, role);
    }
    play.wait(90_000);
    assert_eq!(count(&play, "started"), 0);
    let trainer = play.join("p5", Role::Trainer);
    let kinds = play.kinds(0);
    assert_eq!(kinds[kinds.len() - 2..], ["join", "started"]);
    let begun = play.now.wall_ms;
    for link in [learner, trainer] {
        let room = play.client(link).room.clone().unwrap();
        assert_eq!(
            (room.phase, room.lesson_at),
            (LessonPhase::Live, Some(begun))
        );
    }
    play.wait(2 * HOUR);
    assert!(!play.room.is_ended(), "the planned end closes nothing");
    assert_eq!(count(&play, "started"), 1);
}

#[test]
fn an_adviser_waits_for_the_time_and_a_lost_link_begins_nothing() {
    let mut play = planned(60_000);
    let adviser = play.join("p1", Role::Adviser);
    play.wait(30_000);
    assert_eq!(count(&play, "started"), 0);
    play.drop_link(adviser, false);
    play.wait(40_000);
    assert_eq!(count(&play, "started"), 0, "nobody is connected");
    let adviser = play.resume(adviser);
    play.wait(100);
    assert_eq!(count(&play, "started"), 1);
    assert_eq!(
        play.client(adviser).room.clone().unwrap().phase,
        LessonPhase::Live
    );
}

#[test]
fn a_command_begins_it_before_its_time_and_only_once() {
    let mut play = planned(HOUR);
    let chair = play.join("p1", Role::Chair);
    let technician = play.join("p2", Role::Technician);
    assert_eq!(play.refused(technician, M::ModStart), ErrorCode::Forbidden);
    play.ok(chair, M::ModStart);
    play.ok(chair, M::ModStart);
    assert_eq!(count(&play, "started"), 1);
    let by = play.ledger.iter().find_map(|e| match &e.kind {
        EventKind::Started { by } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(by, Some(Some(PersonKey::from("p1"))));
}

fn pause(on: bool, minutes: Option<u16>) -> M {
    M::ModBreak { on, minutes }
}

#[test]
fn a_break_ends_by_itself_or_by_a_command() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(
        play.refused(learner, pause(true, Some(5))),
        ErrorCode::Forbidden
    );
    for wrong in [0, 241] {
        let code = play.refused(trainer, pause(true, Some(wrong)));
        assert_eq!(code, ErrorCode::BadRequest);
    }
    play.ok(trainer, pause(false, None));
    assert_eq!(count(&play, "break"), 0, "there was none to end");
    play.ok(trainer, pause(true, Some(5)));
    let room = play.client(learner).room.clone().unwrap();
    let until = play.now.wall_ms + 5 * 60_000;
    assert_eq!(
        (room.phase, room.break_until),
        (LessonPhase::Break, Some(until))
    );
    // It is made longer while it runs.
    play.wait(60_000);
    play.ok(trainer, pause(true, Some(10)));
    play.wait(9 * 60_000);
    assert_eq!(play.room.lesson_phase(), LessonPhase::Break);
    play.wait(61_000);
    let room = play.client(learner).room.clone().unwrap();
    assert_eq!((room.phase, room.break_until), (LessonPhase::Live, None));
    play.ok(trainer, pause(true, None));
    play.wait(HOUR);
    assert_eq!(play.room.lesson_phase(), LessonPhase::Break);
    play.ok(trainer, pause(false, None));
    assert_eq!(play.room.lesson_phase(), LessonPhase::Live);
    assert_eq!(count(&play, "break"), 5);
}

#[test]
fn a_rehearsal_has_no_breaks() {
    let mut play = planned(HOUR);
    let trainer = play.join("p1", Role::Trainer);
    assert_eq!(
        play.refused(trainer, pause(true, None)),
        ErrorCode::BadRequest
    );
}

#[test]
fn lesson_and_break_come_back_after_a_crash() {
    let mut play = planned(HOUR);
    let trainer = play.join("p1", Role::Trainer);
    assert_eq!(
        play.restart(1_000, &[]).room.lesson_phase(),
        LessonPhase::Rehearsal
    );
    play.ok(trainer, M::ModStart);
    let after = play.restart(1_000, &[]);
    assert_eq!(after.room.info(), play.room.info());
    play.ok(trainer, pause(true, Some(10)));
    let mut after = play.restart(60_000, &[]);
    assert_eq!(after.room.info(), play.room.info());
    after.wait(8 * 60_000);
    assert_eq!(after.room.lesson_phase(), LessonPhase::Break);
    after.wait(60_000);
    assert_eq!(after.room.lesson_phase(), LessonPhase::Live);
    // The server was down when the break's time ran out.
    let mut late = play.restart(HOUR, &[]);
    late.wait(200);
    assert_eq!(late.room.lesson_phase(), LessonPhase::Live);
}

#[test]
fn a_clock_that_is_set_back_makes_no_break_longer() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.ok(trainer, pause(true, Some(5)));
    play.now.wall_ms -= HOUR;
    play.wait(5 * 60_000 + 200);
    assert_eq!(play.room.lesson_phase(), LessonPhase::Live);
}

#[test]
fn the_end_is_an_end() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.ok(trainer, M::ModEnd);
    assert_eq!(play.room.lesson_phase(), LessonPhase::Ended);
    assert_eq!(play.room.info().phase, LessonPhase::Ended);
}

fn reasons(play: &Play) -> Vec<(String, StayEnd)> {
    stays(&play.ledger, &[], None)
        .into_iter()
        .map(|stay| (stay.person.0.clone(), stay.end.unwrap()))
        .collect()
}

#[test]
fn every_reason_to_leave_is_told_as_it_was() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    let left = play.join("left", Role::Learner);
    let closed = play.join("closed", Role::Learner);
    let network = play.join("network", Role::Learner);
    play.join("removed", Role::Learner);
    let stays_in = play.join("ended", Role::Learner);
    play.wait(10_000);
    play.apply(Command::Frame {
        link: left,
        id: None,
        msg: M::Leave,
    });
    play.ok(
        trainer,
        M::ModRemove {
            who: id("removed"),
            bar: false,
        },
    );
    play.drop_link(closed, true);
    play.drop_link(network, false);
    play.wait_hearing(RESUME_MS + 2_000, &[trainer, stays_in]);
    let leaves: Vec<(String, LeaveReason)> = play
        .ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Leave { person, reason } => Some((person.0.clone(), *reason)),
            _ => None,
        })
        .collect();
    let mut leaves = leaves;
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        leaves,
        [
            ("closed".into(), LeaveReason::Left),
            ("left".into(), LeaveReason::Left),
            ("network".into(), LeaveReason::Network),
        ]
    );
    play.ok(trainer, M::ModEnd);
    let mut ends = reasons(&play);
    ends.sort_by(|a, b| a.0.cmp(&b.0));
    let ended = StayEnd::Leave(LeaveReason::Ended);
    assert_eq!(
        ends,
        [
            ("closed".into(), StayEnd::Lapse),
            ("ended".into(), ended),
            ("left".into(), StayEnd::Leave(LeaveReason::Left)),
            ("network".into(), StayEnd::Lapse),
            ("pt".into(), ended),
            ("removed".into(), StayEnd::Leave(LeaveReason::Removed)),
        ]
    );
}

#[test]
fn a_stopped_server_is_the_reason_and_who_returns_begins_anew() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p1", Role::Learner);
    let silent = play.join("p2", Role::Learner);
    play.wait_hearing(20_000, &[learner]);
    play.apply(Command::Drain);
    let mut after = play.restart(5_000, &[]);
    assert_eq!(after.room.counts().total, 2, "both are awaited");
    after.join("p1", Role::Learner);
    after.wait(RESUME_MS + 2_000);
    let kinds = after.kinds(play.ledger.len());
    assert_eq!(kinds, ["reopened", "return", "leave"]);
    let told = stays(&after.ledger, &[], Some(after.room.stamp_now()));
    let ends: Vec<_> = told.iter().map(|s| (s.person.as_str(), s.end)).collect();
    let stopped = StayEnd::Leave(LeaveReason::ServerStopped);
    assert_eq!(
        ends,
        [
            ("p2", Some(StayEnd::Lapse)),
            ("p1", Some(stopped)),
            ("p1", None)
        ]
    );
    let _ = silent;
}
