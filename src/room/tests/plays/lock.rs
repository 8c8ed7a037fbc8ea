//! Lock, removal, end.

use super::*;

#[test]
fn a_lock_keeps_newcomers_out_but_not_those_the_network_threw_out_nor_staff() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.drop_link(learner, false);
    play.wait(RESUME_MS + 2_000);
    play.ok(trainer, M::ModLock { locked: true });
    assert!(play.client(trainer).room.as_ref().unwrap().locked);

    let stranger = play.join("p3", Role::Learner);
    let bye = play.client(stranger).bye;
    assert_eq!(bye, Some((ByeAction::Stop, Some(ErrorCode::Locked), None)));
    let back = play.join("p2", Role::Learner);
    assert!(play.client(back).welcomed);
    let technician = play.join("p4", Role::Technician);
    assert!(play.client(technician).welcomed);
    play.ok(trainer, M::ModLock { locked: false });
    let stranger = play.join("p3", Role::Learner);
    assert!(play.client(stranger).welcomed);
}

#[test]
fn a_removed_person_may_come_back_by_the_link_unless_barred_or_locked_out() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let events = play.ledger.len();
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p2"),
            bar: false,
        },
    );
    assert_eq!(play.kinds(events), ["removed"]);
    let old = play.client(learner);
    assert_eq!(
        old.bye,
        Some((ByeAction::Stop, Some(ErrorCode::Removed), None))
    );
    assert!(old.closed);
    play.wait(200);
    assert_eq!(play.client(trainer).people.len(), 1);
    let learner = play.join("p2", Role::Learner);
    assert!(play.client(learner).welcomed);

    play.ok(
        trainer,
        M::ModRemove {
            who: id("p2"),
            bar: true,
        },
    );
    assert_eq!(play.client(learner).bye.unwrap().1, Some(ErrorCode::Banned));
    let again = play.join("p2", Role::Learner);
    let bye = play.client(again).bye;
    assert_eq!(bye, Some((ByeAction::Stop, Some(ErrorCode::Banned), None)));

    let other = play.join("p3", Role::Learner);
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p3"),
            bar: false,
        },
    );
    assert!(play.client(other).closed);
    play.ok(trainer, M::ModLock { locked: true });
    let other = play.join("p3", Role::Learner);
    assert_eq!(play.client(other).bye.unwrap().1, Some(ErrorCode::Locked));
}

#[test]
fn who_left_can_still_be_barred_and_nobody_removes_himself() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, M::Leave);
    let gone = M::ModRemove {
        who: id("p2"),
        bar: false,
    };
    assert_eq!(play.refused(trainer, gone), ErrorCode::NotFound);
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p2"),
            bar: true,
        },
    );
    let again = play.join("p2", Role::Learner);
    assert_eq!(play.client(again).bye.unwrap().1, Some(ErrorCode::Banned));
    let own = M::ModRemove {
        who: id("p1"),
        bar: true,
    };
    assert_eq!(play.refused(trainer, own), ErrorCode::BadRequest);
    let stranger = M::ModRemove {
        who: id("p99"),
        bar: true,
    };
    assert_eq!(play.refused(trainer, stranger), ErrorCode::NotFound);
}

#[test]
fn the_end_is_the_end_for_everybody() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(trainer, M::ModEnd);
    for link in [trainer, learner] {
        let client = play.client(link);
        assert_eq!(
            client.bye,
            Some((ByeAction::Stop, Some(ErrorCode::Ended), None))
        );
        assert!(client.closed);
    }
    assert!(play.ended && play.room.is_ended());
    assert_eq!(play.gone.len(), 2);
    let late = play.join("p3", Role::Organiser);
    assert_eq!(play.client(late).bye.unwrap().1, Some(ErrorCode::Ended));
    let events = play.ledger.len();
    play.wait(2_000);
    play.apply(Command::End);
    assert_eq!(play.ledger.len(), events);
}

#[test]
fn a_draining_server_asks_everybody_to_resume_and_says_why_the_stays_ended() {
    let mut play = Play::new(RoomMode::Training);
    let links: Vec<_> = (0..50)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    let events = play.ledger.len();
    play.apply(Command::Drain);
    let stopped = |event: &Event| {
        let reason = LeaveReason::ServerStopped;
        matches!(&event.kind, EventKind::Leave { reason: r, .. } if *r == reason)
    };
    assert!(play.ledger[events..].iter().all(stopped));
    assert_eq!(play.room.counts().total, 50, "they are awaited");
    let mut waits = vec![];
    for link in &links {
        let (action, code, after) = play.client(*link).bye.unwrap();
        assert_eq!((action, code), (ByeAction::Resume, Some(ErrorCode::Busy)));
        waits.push(after.unwrap());
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 25, "the return is spread");
    let late = play.join("p9", Role::Learner);
    assert_eq!(play.client(late).bye.unwrap().0, ByeAction::Resume);
}
