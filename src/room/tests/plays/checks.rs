//! Presence checks.

use super::*;

fn check_of(play: &mut Play, link: LinkId) -> Option<(String, u64)> {
    play.news(link).into_iter().rev().find_map(|msg| match msg {
        ServerMessage::Check { check, until } => Some((check, until)),
        _ => None,
    })
}

fn result(play: &mut Play, link: LinkId) -> Option<(u32, u32, bool)> {
    play.news(link).into_iter().rev().find_map(|msg| match msg {
        ServerMessage::CheckResult {
            asked,
            answered,
            over,
            ..
        } => Some((asked, answered, over)),
        _ => None,
    })
}

fn reply(check: &str) -> M {
    M::CheckReply {
        check: check.into(),
    }
}

fn every(every_min: u16, jitter_min: u16) -> M {
    M::ModChecks {
        every_min,
        jitter_min,
        window_sec: 60,
    }
}

#[test]
fn everybody_but_staff_is_asked_and_staff_see_the_sums() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    let secretary = play.join("ps", Role::Secretary);
    let links: Vec<_> = (0..5)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    for wrong in [0, 29, 901] {
        let code = play.refused(trainer, M::ModCheck { window_sec: wrong });
        assert_eq!(code, ErrorCode::BadRequest);
    }
    assert_eq!(
        play.refused(links[0], M::ModCheck { window_sec: 60 }),
        ErrorCode::Forbidden
    );
    play.ok(trainer, M::ModCheck { window_sec: 60 });
    assert_eq!(
        play.refused(trainer, M::ModCheck { window_sec: 60 }),
        ErrorCode::Busy,
        "one at a time"
    );
    let late = play.join("late", Role::Learner);
    let (check, until) = check_of(&mut play, links[0]).unwrap();
    assert_eq!(until, play.now.wall_ms + 60_000);
    assert!(check_of(&mut play, late).is_none(), "came after it");
    assert_eq!(play.refused(trainer, reply(&check)), ErrorCode::NotFound);
    assert_eq!(play.refused(links[0], reply("k0")), ErrorCode::NotFound);
    for link in &links[..3] {
        play.ok(*link, reply(&check));
    }
    assert_eq!(play.refused(links[0], reply(&check)), ErrorCode::NotFound);
    play.wait(1_500);
    assert_eq!(result(&mut play, trainer), Some((5, 3, false)));
    assert_eq!(result(&mut play, secretary), None);
    play.wait(60_000);
    assert_eq!(result(&mut play, trainer), Some((5, 3, true)));
    assert_eq!(play.refused(links[4], reply(&check)), ErrorCode::NotFound);
    let answers = play
        .ledger
        .iter()
        .filter(|e| e.kind.name() == "checkAnswered");
    assert_eq!(answers.count(), 3);
}

#[test]
fn a_drop_during_the_window_is_made_up_for() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    let away = play.join("p1", Role::Learner);
    let shortly = play.join("p2", Role::Learner);
    play.ok(trainer, M::ModCheck { window_sec: 60 });
    play.wait(20_000);
    play.drop_link(away, false);
    play.wait(35_000);
    play.drop_link(shortly, false);
    play.wait(15_000);
    // The window is over; both lost the link while they could have answered.
    let away = play.resume(away);
    let (check, until) = check_of(&mut play, away).unwrap();
    assert_eq!(until, play.now.wall_ms + 40_000, "as much as was left");
    let shortly = play.resume(shortly);
    let (_, until) = check_of(&mut play, shortly).unwrap();
    assert_eq!(until, play.now.wall_ms + 30_000, "at least half a minute");
    play.wait(25_000);
    play.ok(away, reply(&check));
    play.ok(shortly, reply(&check));
    play.wait(1_500);
    let last = result(&mut play, trainer).unwrap();
    assert_eq!((last.0, last.1), (2, 2));
    play.wait(1_000);
    assert_eq!(
        play.refused(away, reply(&check)),
        ErrorCode::NotFound,
        "over since everybody answered"
    );
}

#[test]
fn whoever_drops_again_and_again_does_not_hold_a_check_open() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    let mut link = play.join("p1", Role::Learner);
    play.ok(trainer, M::ModCheck { window_sec: 60 });
    for _ in 0..40 {
        play.wait(20_000);
        play.drop_link(link, false);
        play.wait(1_000);
        link = play.resume(link);
    }
    assert!(result(&mut play, trainer).unwrap().2);
}

#[test]
fn a_check_and_its_answers_survive_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    let links: Vec<_> = (0..3)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    play.ok(trainer, M::ModCheck { window_sec: 120 });
    let (check, _) = check_of(&mut play, links[0]).unwrap();
    play.wait(10_000);
    play.ok(links[0], reply(&check));
    let seen = play.room.last_seen();
    let mut after = play.restart(60_000, &seen);
    let trainer = after.join("pt", Role::Trainer);
    assert_eq!(result(&mut after, trainer), Some((3, 1, false)));
    let first = after.join("p0", Role::Learner);
    assert!(check_of(&mut after, first).is_none(), "has answered");
    let second = after.join("p1", Role::Learner);
    let (same, until) = check_of(&mut after, second).unwrap();
    assert_eq!(same, check);
    let left = until - after.now.wall_ms;
    assert!((108_000..=116_000).contains(&left), "{left}");
    after.ok(second, reply(&check));
    // A long outage: nobody can answer any more.
    let mut late = play.restart(3_600_000, &[]);
    late.wait(RESUME_MS + 2_000);
    let trainer = late.join("pt", Role::Trainer);
    assert_eq!(result(&mut late, trainer), None);
}

#[test]
fn scheduled_checks_come_while_the_lesson_goes_on() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("pt", Role::Trainer);
    play.join("p1", Role::Learner);
    let asked = |play: &Play| -> Vec<u64> {
        play.ledger
            .iter()
            .filter(|e| e.kind.name() == "checkAsked")
            .map(|e| e.at.mono_ms)
            .collect()
    };
    for wrong in [every(10, 10), every(241, 0)] {
        assert_eq!(play.refused(trainer, wrong), ErrorCode::BadRequest);
    }
    play.wait(3_600_000);
    assert!(asked(&play).is_empty(), "off by default");
    play.ok(trainer, every(10, 3));
    play.wait(3_600_000);
    let times = asked(&play);
    assert!((4..=8).contains(&times.len()), "{times:?}");
    for two in times.windows(2) {
        let gap = two[1] - two[0];
        assert!((7 * 60_000..=13 * 60_000 + 200).contains(&gap), "{gap}");
    }
    // It goes on after a crash, and rests in a break.
    let mut after = play.restart(1_000, &[]);
    let trainer = after.join("pt", Role::Trainer);
    let before = asked(&after).len();
    after.ok(
        trainer,
        M::ModBreak {
            on: true,
            minutes: None,
        },
    );
    after.wait(3_600_000);
    assert_eq!(asked(&after).len(), before);
    after.ok(
        trainer,
        M::ModBreak {
            on: false,
            minutes: None,
        },
    );
    after.wait(30 * 60_000);
    assert!(asked(&after).len() > before);
    after.ok(trainer, every(0, 0));
    let last = asked(&after).len();
    after.wait(3_600_000);
    assert_eq!(asked(&after).len(), last);
}
