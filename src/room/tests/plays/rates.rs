//! Rates and sizes.

use super::*;

#[test]
fn every_sort_of_message_has_its_rate() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let refused_of = |play: &mut Play, many: usize, msg: &dyn Fn(usize) -> M| {
        (0..many)
            .filter(|n| {
                matches!(
                    play.ask(trainer, msg(*n)),
                    ServerMessage::Err {
                        code: ErrorCode::RateLimited,
                        retry: true
                    }
                )
            })
            .count()
    };
    assert_eq!(refused_of(&mut play, 15, &|n| chat(&n.to_string(), "x")), 5);
    play.wait(20_000);
    assert_eq!(
        refused_of(&mut play, 10, &|n| M::Hand { up: n % 2 == 0 }),
        4
    );
    play.wait(20_000);
    assert_eq!(
        refused_of(&mut play, 40, &|n| M::ModLock { locked: n % 2 == 0 }),
        10
    );
    play.wait(20_000);
    assert_eq!(refused_of(&mut play, 100, &|_| publish(MIC, LIVE)), 40);
    play.wait(20_000);
    play.ok(trainer, chat("later", "x"));
}

#[test]
fn a_client_that_floods_regardless_is_sent_away_for_a_while() {
    let mut play = Play::new(RoomMode::Training);
    let link = play.join("p1", Role::Learner);
    for _ in 0..400 {
        play.apply(Command::Frame {
            link,
            id: None,
            msg: M::Unknown,
        });
    }
    let client = play.client(link);
    assert!(client.closed);
    assert_eq!(client.bye.unwrap().0, ByeAction::Rejoin);
    assert!(client.inbox.len() < 100, "refusals are not an amplifier");
    assert_eq!(play.ledger.last().unwrap().kind.name(), "lapse");
}

#[test]
fn messages_of_the_server_and_of_the_future_are_bad_requests() {
    let mut play = Play::new(RoomMode::Training);
    let link = play.join("p1", Role::Learner);
    for msg in [M::Unknown, M::Ping { c: 1 }, M::Ice { cand: None }] {
        assert_eq!(play.refused(link, msg), ErrorCode::BadRequest);
    }
    // Frames of links the room does not know are nobody's.
    play.apply(Command::Frame {
        link: lophoc_room::LinkId(999),
        id: Some(1),
        msg: M::ModEnd,
    });
    assert!(!play.room.is_ended());
}

#[test]
fn what_is_too_large_to_be_replayed_comes_as_the_whole_state() {
    let mut play = Play::new(RoomMode::Training);
    let writers: Vec<_> = (0..25)
        .map(|n| play.join(&format!("w{n}"), Role::Trainer))
        .collect();
    let lost = play.join("p1", Role::Learner);
    play.wait(200);
    play.drop_link(lost, false);
    let seq = play.seq;
    let text = "ế".repeat(4_900);
    for n in 0..4 {
        for link in &writers {
            play.ok(*link, chat(&format!("{n}"), &text));
        }
    }
    assert!(play.seq - seq < lophoc_room::bounds::REPLAY as u64);
    let back = play.resume(lost);
    assert!(matches!(play.news(back)[0], ServerMessage::Welcome(_)));
    let session = &play.client(lost).session;
    assert_eq!(
        play.client(back).session,
        *session,
        "the tracks still stand"
    );
}
