//! After a crash.

use super::*;

fn mark(person: &str, boot: u64, wall_ms: u64, mono_ms: u64) -> LastSeen {
    LastSeen {
        person: PersonKey::from(person),
        at: Stamp {
            wall_ms,
            mono_ms,
            boot,
        },
    }
}

#[test]
fn a_room_rebuilt_from_its_ledger_is_the_same_room() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.join("p3", Role::Learner);
    let barred = play.join("p4", Role::Guest);
    play.ok(learner, M::Hand { up: true });
    play.ok(learner, chat("a", "một"));
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Conference,
        },
    );
    play.ok(
        trainer,
        M::ModFloor {
            who: id("p3"),
            give: true,
        },
    );
    play.ok(trainer, M::ModLock { locked: true });
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p4"),
            bar: true,
        },
    );
    assert!(play.client(barred).closed);
    play.wait(30_000);
    let seen = play.room.last_seen();
    assert_eq!(seen.len(), 3);
    let swept = play.now.wall_ms;
    play.wait(3_000);

    let mut after = play.restart(20_000, &seen);
    assert_eq!(after.room.counts(), play.room.counts());
    after.apply(Command::Tick);
    let new = play.ledger.len();
    assert_eq!(after.kinds(new), ["reopened", "lapse", "lapse", "lapse"]);
    assert_eq!(after.room.info(), play.room.info());
    assert!(after.person("p3").unwrap().floor && after.person("p2").unwrap().hand.is_some());

    let back = after.join("p2", Role::Learner);
    assert_eq!(after.ledger.last().unwrap().kind.name(), "return");
    assert_eq!(after.client(back).chat, play.client(learner).chat);
    assert_eq!(after.client(back).hands.len(), 1);
    // What was sent before the crash is not sent twice.
    after.ok(back, chat("a", "một"));
    assert_eq!(after.client(back).chat.len(), 1);
    after.ok(back, chat("b", "hai"));
    let ids: Vec<_> = after
        .client(back)
        .chat
        .iter()
        .map(|c| c.id.clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
    let again = after.join("p4", Role::Guest);
    assert_eq!(after.client(again).bye.unwrap().1, Some(ErrorCode::Banned));
    let stranger = after.join("p9", Role::Learner);
    assert_eq!(
        after.client(stranger).bye.unwrap().1,
        Some(ErrorCode::Locked)
    );

    let all = stays(&after.ledger, &seen, None);
    let first = all
        .iter()
        .find(|stay| stay.person.as_str() == "p3")
        .unwrap();
    assert!(
        swept - first.to_ms.unwrap() <= 4_000,
        "to the last sign of life: {first:?}"
    );
}

#[test]
fn staff_asked_to_speak_before_all_were_muted_may_speak_after_a_crash() {
    let mut play = Play::new(RoomMode::Conference);
    let trainer = play.join("p1", Role::Trainer);
    let adviser = play.join("p2", Role::Adviser);
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MIC,
        },
    );
    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: false,
            except: vec![],
        },
    );
    play.ok(adviser, publish(MIC, LIVE));
    let mut after = play.restart(5_000, &[]);
    let back = after.join("p2", Role::Adviser);
    after.ok(back, publish(MIC, LIVE));
}

#[test]
fn nobody_resumes_by_an_empty_key_after_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    play.join("p1", Role::Learner);
    let mut after = play.restart(5_000, &[]);
    let resume = lophoc_protocol::client::Resume {
        session: "".into(),
        key: String::new(),
        last_seq: 0,
    };
    let name = after.person("p1").unwrap().name;
    let back = after.hello("p1", &name, Role::Learner, "máy", Some(resume));
    assert!(matches!(after.news(back)[0], ServerMessage::Welcome(_)));
}

#[test]
fn who_does_not_come_back_after_a_crash_leaves_after_the_window() {
    let mut play = Play::new(RoomMode::Training);
    play.join("p1", Role::Trainer);
    play.join("p2", Role::Learner);
    let seen = [mark("p2", 1, START.wall_ms + 9_000, START.mono_ms + 9_000)];
    let mut after = play.restart(60_000, &seen);
    after.join("p1", Role::Trainer);
    after.wait(RESUME_MS + 2_000);
    assert!(after.person("p2").is_none());
    let all = stays(&after.ledger, &seen, None);
    let stay = all
        .iter()
        .find(|stay| stay.person.as_str() == "p2")
        .unwrap();
    assert_eq!(stay.to_ms, Some(START.wall_ms + 9_000));
}

#[test]
fn a_rebuilt_room_whose_session_ended_stays_ended() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.ok(trainer, M::ModEnd);
    let mut after = play.restart(1_000, &[]);
    after.apply(Command::Tick);
    assert_eq!(after.ledger.len(), play.ledger.len());
    let late = after.join("p1", Role::Trainer);
    assert_eq!(after.client(late).bye.unwrap().1, Some(ErrorCode::Ended));
}

#[test]
fn asking_and_closing_microphones_outlive_a_crash() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    play.join("p2", Role::Learner);
    play.join("p3", Role::Learner);
    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: false,
            except: vec![],
        },
    );
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MIC,
        },
    );
    let mut after = play.restart(1_000, &[]);
    let asked = after.join("p2", Role::Learner);
    let other = after.join("p3", Role::Learner);
    after.ok(asked, publish(MIC, LIVE));
    assert_eq!(
        after.refused(other, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
}

#[test]
fn a_hand_shown_to_a_newcomer_and_lowered_before_the_tick_does_not_stay_up() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.wait(200);
    play.ok(trainer, M::Hand { up: true });
    let late = play.join("p2", Role::Learner);
    assert_eq!(play.client(late).hands.len(), 1);
    play.ok(trainer, M::Hand { up: false });
    play.wait(300);
    assert!(play.client(late).hands.is_empty());
}
