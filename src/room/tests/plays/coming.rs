//! Coming and going.

use super::*;
use lophoc_room::bounds::LAPSE_MS;

#[test]
fn a_newcomer_is_welcomed_with_the_state_and_everybody_hears_of_him() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.wait(200);
    let learner = play.join("p2", Role::Learner);
    let news = play.news(learner);
    assert!(matches!(news[0], ServerMessage::Welcome(_)), "{news:?}");
    let ServerMessage::State {
        counts,
        people,
        sampled,
        ..
    } = &news[1]
    else {
        panic!()
    };
    assert_eq!((counts.total, people.len(), *sampled), (2, 2, false));
    assert_eq!(people[0].id, id("p2"), "oneself comes first");
    play.wait(200);
    assert_eq!(play.client(trainer).people.len(), 2);
    assert_eq!(play.kinds(0), ["opened", "started", "join", "join"]);
}

#[test]
fn greetings_and_replies_wait_for_the_ledger() {
    use lophoc_room::{Arrival, Effect, Identity, LinkId, Room};
    let mut room = Room::new(config(RoomMode::Training), START);
    let arrival = Arrival {
        link: LinkId(1),
        identity: Identity {
            person: id("p1"),
            name: "An".into(),
            unit: None,
            role: Role::Learner,
            site: None,
        },
        device: String::new(),
        peer: 1,
        session: "s1".into(),
        key: "k".into(),
        resume: None,
        take_over: false,
        waits: false,
        recording: None,
        crowded: false,
    };
    let effects = room.apply(START, Command::Hello(Box::new(arrival)));
    let ledger = effects
        .iter()
        .rposition(|e| matches!(e, Effect::Ledger(_)))
        .unwrap();
    for (at, effect) in effects.iter().enumerate() {
        if let Effect::Send { after_commit, .. } = effect {
            assert!(at > ledger && *after_commit);
        }
    }
    let effects = room.apply(
        START,
        Command::Frame {
            link: LinkId(1),
            id: Some(1),
            msg: chat("1", "chào"),
        },
    );
    assert!(matches!(effects[0], Effect::Ledger(_)));
    assert!(
        matches!(effects[1], Effect::Broadcast(_)),
        "others see it at once"
    );
    assert!(matches!(
        effects[2],
        Effect::Send {
            after_commit: true,
            ..
        }
    ));
}

#[test]
fn a_broken_link_lapses_at_the_last_frame_and_returns_as_the_same_person() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait(9_000);
    let heard = play.now;
    play.apply(Command::Heard { link: learner });
    play.wait_hearing(LAPSE_MS + 1_000, &[trainer]);
    play.drop_link(learner, false);
    play.wait(200);
    assert_eq!(play.client(trainer).people[&id("p2")].link, LinkState::Lost);
    let EventKind::Lapse { last_heard, .. } = &play.ledger.last().unwrap().kind else {
        panic!()
    };
    assert_eq!(last_heard.mono_ms, heard.mono_ms);

    play.wait(60_000);
    let back = play.resume(learner);
    let news = play.news(back);
    assert!(matches!(news[0], ServerMessage::Resumed { .. }), "{news:?}");
    assert_eq!(play.ledger.last().unwrap().kind.name(), "return");
    play.wait(200);
    assert_eq!(play.client(trainer).people[&id("p2")].link, LinkState::Ok);
    assert_eq!(play.client(back).people, play.client(trainer).people);
}

#[test]
fn a_reset_before_the_next_ping_was_due_is_the_end_of_the_stay() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p2", Role::Learner);
    play.wait(9_000);
    play.apply(Command::Heard { link: learner });
    play.wait_hearing(LAPSE_MS - 1_000, &[]);
    let reset = play.now;
    play.drop_link(learner, false);
    let EventKind::Lapse { last_heard, .. } = &play.ledger.last().unwrap().kind else {
        panic!()
    };
    assert_eq!(last_heard.mono_ms, reset.mono_ms);
}

#[test]
fn a_resume_replays_what_was_missed_and_turns_the_key() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait(200);
    play.drop_link(learner, false);
    for n in 0..5 {
        play.ok(trainer, chat(&n.to_string(), &format!("câu {n}")));
    }
    play.wait(300);
    let key = play.client(learner).key.clone();
    let back = play.resume(learner);
    assert_ne!(play.client(back).key, key);
    assert_eq!(play.client(back).session, play.client(learner).session);
    assert_eq!(play.client(back).chat, play.client(trainer).chat);
    assert_eq!(play.client(back).seq, play.seq);

    // `resumed` may get lost on its way: the key before it still opens.
    play.drop_link(back, false);
    let again = play.resume(learner);
    assert!(matches!(play.news(again)[0], ServerMessage::Resumed { .. }));
    // Two resumes later it is worth nothing: that is a fresh start.
    play.drop_link(again, false);
    let again = play.resume(again);
    play.drop_link(again, false);
    let stale = play.resume(learner);
    assert!(matches!(play.news(stale)[0], ServerMessage::Welcome(_)));
}

#[test]
fn a_long_gap_gets_the_state_because_it_is_shorter_than_the_replay() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait(200);
    play.drop_link(learner, false);
    let seq = play.seq;
    while play.seq <= seq + lophoc_room::bounds::REPLAY as u64 {
        for locked in [true, false] {
            play.ok(trainer, M::ModLock { locked });
        }
        play.wait(400);
    }
    let back = play.resume(learner);
    assert!(matches!(play.news(back)[0], ServerMessage::Welcome(_)));
    assert_eq!(play.client(back).session, play.client(learner).session);
}

#[test]
fn a_gap_longer_than_the_ring_gets_the_whole_state_on_the_same_session() {
    let mut play = Play::new(RoomMode::Training);
    let chairs: Vec<_> = (0..20)
        .map(|n| play.join(&format!("c{n}"), Role::Chair))
        .collect();
    let learner = play.join("p2", Role::Learner);
    play.wait(200);
    let seq = play.seq;
    play.drop_link(learner, false);
    // Many hands, so that no one exceeds the rate of moderation.
    let mut locked = false;
    while play.seq <= seq + RING as u64 {
        for link in &chairs {
            locked = !locked;
            play.ok(*link, M::ModLock { locked });
        }
        play.wait_hearing(200, &chairs);
    }
    let back = play.resume(learner);
    let news = play.news(back);
    assert!(
        matches!(news[0], ServerMessage::Welcome(_)),
        "{:?}",
        news[0]
    );
    assert!(matches!(news[1], ServerMessage::State { .. }));
    assert_eq!(play.client(back).session, play.client(learner).session);
    assert_eq!(play.ledger.last().unwrap().kind.name(), "return");
    play.wait(200);
    assert_eq!(play.client(back).room, play.client(chairs[0]).room);
}

#[test]
fn who_stays_away_longer_than_the_window_left_by_the_network_and_joins_again() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, M::Hand { up: true });
    play.ok(trainer, publish(MIC, LIVE));
    play.wait(200);
    play.drop_link(learner, false);
    play.wait(RESUME_MS + 2_000);
    assert!(play.person("p2").is_none());
    assert_eq!(play.client(trainer).people.len(), 1);
    assert!(play.client(trainer).hands.is_empty());
    let EventKind::Leave { reason, .. } = &play.ledger.last().unwrap().kind else {
        panic!()
    };
    assert_eq!(*reason, LeaveReason::Network);
    assert_eq!(play.gone.len(), 1);

    let back = play.resume(learner);
    assert!(matches!(play.news(back)[0], ServerMessage::Welcome(_)));
    assert_eq!(play.ledger.last().unwrap().kind.name(), "join");
    assert!(
        play.person("p2").unwrap().hand.is_some(),
        "the hand belongs to the person"
    );
}

#[test]
fn a_page_that_was_closed_left_and_lost_its_hand() {
    let mut play = Play::new(RoomMode::Training);
    play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, M::Hand { up: true });
    play.drop_link(learner, true);
    play.wait(RESUME_MS + 2_000);
    let EventKind::Leave { reason, .. } = &play.ledger.last().unwrap().kind else {
        panic!()
    };
    assert_eq!(*reason, LeaveReason::Left);
    play.join("p2", Role::Learner);
    assert!(play.person("p2").unwrap().hand.is_none());
}

#[test]
fn a_silent_link_is_closed_by_the_room() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait_hearing(LINK_TIMEOUT_MS + 2_000, &[trainer]);
    assert!(play.client(learner).closed);
    assert_eq!(play.ledger.last().unwrap().kind.name(), "lapse");
    // The socket's own end comes later and changes nothing.
    let events = play.ledger.len();
    play.apply(Command::LinkClosed {
        link: learner,
        clean: false,
    });
    assert_eq!(play.ledger.len(), events);
}

#[test]
fn the_stays_tell_the_truth_of_a_play() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait(20_000);
    play.apply(Command::Heard { link: learner });
    let heard = play.now.wall_ms;
    play.wait_hearing(LAPSE_MS + 1_000, &[trainer]);
    play.drop_link(learner, false);
    play.wait(30_000);
    let back = play.resume(learner);
    let returned = play.now.wall_ms;
    play.wait(5_000);
    play.ok(back, M::Leave);
    let left = play.now.wall_ms;
    let all = stays(&play.ledger, &[], None);
    let mine: Vec<_> = all
        .iter()
        .filter(|stay| stay.person.as_str() == "p2")
        .collect();
    assert_eq!(mine.len(), 2);
    assert_eq!(
        (mine[0].from_ms, mine[0].to_ms),
        (START.wall_ms, Some(heard))
    );
    assert_eq!(mine[0].end, Some(StayEnd::Lapse));
    assert_eq!((mine[1].from_ms, mine[1].to_ms), (returned, Some(left)));
    assert_eq!(mine[1].end, Some(StayEnd::Leave(LeaveReason::Left)));
}

#[test]
fn a_second_hello_of_the_same_person_takes_over_and_the_stay_goes_on() {
    let mut play = Play::new(RoomMode::Discussion);
    play.join("p1", Role::Trainer);
    let first = play.join("p2", Role::Learner);
    play.ok(first, publish(MIC, LIVE));
    let events = play.ledger.len();
    let second = play.join("p2", Role::Learner);
    let old = play.client(first);
    assert_eq!(
        old.bye,
        Some((ByeAction::Stop, Some(ErrorCode::TakenOver), None))
    );
    assert!(old.closed);
    assert!(play.client(second).welcomed);
    assert_eq!(play.ledger.len(), events, "the stay goes on");
    assert!(
        play.person("p2").unwrap().tracks.is_empty(),
        "a fresh page sends nothing yet"
    );
    assert!(!play.allowed("p2").mic);
}

#[test]
fn another_name_or_device_under_the_same_id_is_written_down() {
    let mut play = Play::new(RoomMode::Training);
    play.hello("p2", "Lê An", Role::Learner, "máy 1", None);
    play.wait(1_000);
    play.hello("p2", "Lê Bình", Role::Learner, "máy 1", None);
    assert_eq!(play.ledger.last().unwrap().kind.name(), "join");
    assert_eq!(play.person("p2").unwrap().name, "Lê Bình");
    let names: Vec<_> = stays(&play.ledger, &[], None)
        .into_iter()
        .map(|stay| stay.name)
        .collect();
    assert_eq!(names, ["Lê An", "Lê Bình"]);
    play.take_over = true;
    play.hello("p2", "Lê Bình", Role::Learner, "máy 2", None);
    assert_eq!(play.ledger.last().unwrap().kind.name(), "join");
    assert_eq!(play.room.counts().total, 1);
}

#[test]
fn a_long_silence_is_a_lapse_even_when_the_link_is_replaced_in_time() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait_hearing(15_000, &[trainer]);
    let events = play.ledger.len();
    play.resume(learner);
    assert_eq!(play.kinds(events), ["lapse", "return"]);
    assert!(play.client(learner).closed, "the dead socket is closed");
}

#[test]
fn a_name_nobody_can_read_is_turned_away() {
    let mut play = Play::new(RoomMode::Training);
    for name in ["", " \u{200b}", "a\u{0}b", &"x".repeat(81)] {
        let link = play.hello("p9", name, Role::Learner, "", None);
        let bye = play.client(link).bye;
        assert_eq!(
            bye,
            Some((ByeAction::Stop, Some(ErrorCode::BadRequest), None)),
            "{name:?}"
        );
    }
    assert_eq!(play.room.counts().total, 0);
}

#[test]
fn a_crowded_server_takes_nobody_new_but_staff_and_loses_nobody() {
    let mut play = Play::new(RoomMode::Training);
    let inside = play.join("p1", Role::Learner);
    play.join("p2", Role::Learner);
    play.waits = true;
    let waiting = play.join("p5", Role::Guest);
    assert!(play.room.is_waiting(waiting));
    play.crowded = true;
    for (person, role) in [("p3", Role::Learner), ("p4", Role::Guest)] {
        let link = play.join(person, role);
        let bye = play.client(link).bye;
        let expected = (ByeAction::Stop, Some(ErrorCode::ServerFull), None);
        assert_eq!(bye, Some(expected), "{person}");
        assert!(!play.client(link).welcomed);
    }
    for (person, role) in [
        ("p10", Role::Trainer),
        ("p11", Role::Chair),
        ("p12", Role::Organiser),
        ("p13", Role::Technician),
        ("p14", Role::Adviser),
    ] {
        let link = play.join(person, role);
        assert!(play.client(link).welcomed, "{person}");
    }
    // Who is in comes back: by resume, with a new page, on another device.
    play.drop_link(inside, false);
    let back = play.resume(inside);
    assert_eq!(play.client(back).bye, None);
    let anew = play.join("p1", Role::Learner);
    assert!(play.client(anew).welcomed);
    play.take_over = true;
    let device = play.hello("p2", "Nguyễn Văn p2", Role::Learner, "máy khác", None);
    assert!(play.client(device).welcomed);
    // So does who was thrown out by the network long ago.
    play.drop_link(device, false);
    play.wait(200_000);
    let late = play.join("p2", Role::Learner);
    assert!(play.client(late).welcomed);
    // And who waits goes on waiting.
    play.drop_link(waiting, false);
    play.waits = true;
    let waiting = play.join("p5", Role::Guest);
    assert!(play.room.is_waiting(waiting));
    play.crowded = false;
    let link = play.join("p3", Role::Learner);
    assert!(play.client(link).welcomed);
}

#[test]
fn what_the_server_gives_up_is_told_to_all_and_to_late_comers() {
    use lophoc_protocol::media::Overload;
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let told = |play: &Play, link| play.client(link).room.clone().unwrap().overload;
    for overload in [Some(Overload::Thumbnails), Some(Overload::Video), None] {
        play.apply(Command::Overload { overload });
        play.wait(200);
        assert_eq!(told(&play, trainer), overload);
        assert_eq!(play.room.known_overload(), overload);
        let late = play.join("p2", Role::Learner);
        assert_eq!(told(&play, late), overload);
    }
}

#[test]
fn a_full_room_has_places_left_for_staff_only() {
    let mut play = Play::with(RoomConfig {
        max_people: 2,
        ..config(RoomMode::Training)
    });
    let first = play.join("p1", Role::Learner);
    play.join("p2", Role::Learner);
    let third = play.join("p3", Role::Learner);
    let bye = play.client(third).bye;
    assert_eq!(bye, Some((ByeAction::Stop, Some(ErrorCode::Full), None)));
    assert!(play.room.is_full(Role::Guest) && !play.room.is_full(Role::Trainer));
    let trainer = play.join("p4", Role::Trainer);
    assert!(play.client(trainer).welcomed);
    // Who is in comes back whatever the number.
    play.drop_link(first, false);
    let back = play.resume(first);
    assert!(play.client(back).welcomed);
}

#[test]
fn strangers_are_forgotten_before_memory_grows() {
    let mut play = Play::with(RoomConfig {
        max_people: 1,
        ..config(RoomMode::Training)
    });
    for n in 0..500 {
        let link = play.join(&format!("p{n}"), Role::Learner);
        assert!(play.client(link).welcomed, "{n}");
        play.ok(link, M::Leave);
    }
    assert_eq!(play.room.counts().total, 0);
}

#[test]
fn a_page_that_reloads_without_end_is_told_to_wait() {
    let mut play = Play::new(RoomMode::Training);
    let mut last = play.join("p1", Role::Learner);
    for _ in 0..20 {
        last = play.join("p1", Role::Learner);
    }
    let (action, code, after) = play.client(last).bye.unwrap();
    assert_eq!(
        (action, code),
        (ByeAction::Rejoin, Some(ErrorCode::RateLimited))
    );
    assert!(after.is_some());
    play.wait(10_000);
    let link = play.join("p1", Role::Learner);
    assert!(play.client(link).welcomed);
}
