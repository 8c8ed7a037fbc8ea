//! Hands, chat, roster.

use super::*;

#[test]
fn the_hand_queue_keeps_its_order_over_a_broken_link() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p0", Role::Trainer);
    let links: Vec<_> = (1..=3)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    for link in &links {
        play.ok(*link, M::Hand { up: true });
        play.wait(100);
    }
    play.drop_link(links[0], false);
    play.wait(RESUME_MS + 5_000);
    let order = |play: &Play| -> Vec<String> {
        play.client(trainer)
            .hands
            .iter()
            .map(|hand| hand.who.0.clone())
            .collect()
    };
    assert_eq!(order(&play), ["p2", "p3"]);
    play.join("p1", Role::Learner);
    play.wait(200);
    assert_eq!(order(&play), ["p1", "p2", "p3"], "the first is first again");

    play.ok(
        trainer,
        M::ModHand {
            who: Some(id("p2")),
        },
    );
    play.wait(200);
    assert_eq!(order(&play), ["p1", "p3"]);
    play.ok(trainer, M::ModHand { who: None });
    play.wait(200);
    assert!(order(&play).is_empty());
    assert_eq!(play.room.counts().hands, 0);
}

#[test]
fn raising_twice_is_raising_once() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p1", Role::Learner);
    let events = play.ledger.len();
    play.ok(learner, M::Hand { up: true });
    play.ok(learner, M::Hand { up: true });
    play.ok(learner, M::Hand { up: false });
    play.ok(learner, M::Hand { up: false });
    assert_eq!(play.kinds(events), ["hand", "hand"]);
}

// ---- chat ----

#[test]
fn a_chat_message_sent_twice_is_one_message() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, chat("x1", "Em cha\u{300}o tha\u{302}\u{300}y"));
    play.ok(learner, chat("x1", "Em chào thầy"));
    play.ok(trainer, chat("x1", "chào em"));
    let texts: Vec<_> = play
        .client(trainer)
        .chat
        .iter()
        .map(|entry| entry.text.clone())
        .collect();
    assert_eq!(
        texts,
        ["Em chào thầy", "chào em"],
        "NFC, and a cid is the author's own"
    );
    assert_eq!(
        play.ledger
            .iter()
            .filter(|e| e.kind.name() == "chat")
            .count(),
        2
    );
}

#[test]
fn bad_chat_is_refused_with_the_reason() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(
        play.refused(learner, chat("", "chào")),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(learner, chat("a b", "chào")),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(learner, chat("1", " \n ")),
        ErrorCode::BadRequest
    );
    assert_eq!(
        play.refused(learner, chat("1", &"x".repeat(5_001))),
        ErrorCode::TooLarge
    );
    assert_eq!(
        play.ledger
            .iter()
            .filter(|e| e.kind.name() == "chat")
            .count(),
        0
    );
}

#[test]
fn a_newcomer_sees_the_tail_of_the_chat_and_pages_back() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    for n in 0..130 {
        play.ok(trainer, chat(&n.to_string(), &format!("câu {n}")));
        play.wait(1_000);
    }
    let late = play.join("p2", Role::Learner);
    let tail = play.client(late).chat.clone();
    assert_eq!((tail.len(), tail[0].text.as_str()), (100, "câu 30"));
    let reply = play.ask(
        late,
        M::ChatPage {
            before: tail[0].id.clone(),
        },
    );
    let ServerMessage::ChatPage { list, more } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (list.len(), list[0].text.as_str(), more),
        (30, "câu 0", false)
    );
    let nowhere = M::ChatPage {
        before: "c99999".into(),
    };
    assert_eq!(play.refused(late, nowhere), ErrorCode::NotFound);
}

// ---- roster ----

#[test]
fn people_are_found_without_marks_and_in_vietnamese_order() {
    let mut play = Play::new(RoomMode::Training);
    let names = [
        "Nguyễn Văn Dũng",
        "Nguyễn Thị Hằng",
        "Trần Đình Đức",
        "Lê Thị Ân",
        "Hồ Thị Hả",
    ];
    for (n, name) in names.iter().enumerate() {
        play.hello(&format!("p{n}"), name, Role::Learner, "", None);
    }
    let trainer = play.hello("p9", "Vũ Thị Yến", Role::Trainer, "", None);
    let mut search = |q: &str, from, n| -> (u32, Vec<String>) {
        let reply = play.ask(
            trainer,
            M::PeoplePage {
                q: q.into(),
                from,
                n,
            },
        );
        let ServerMessage::PeoplePage { total, list } = reply else {
            panic!("{reply:?}")
        };
        (total, list.into_iter().map(|p| p.name).collect())
    };
    assert_eq!(
        search("nguyen thi hang", 0, 10),
        (1, vec!["Nguyễn Thị Hằng".into()])
    );
    assert_eq!(search("dinh DUC", 0, 10), (1, vec!["Trần Đình Đức".into()]));
    assert_eq!(
        search("thi", 1, 1),
        (4, vec!["Lê Thị Ân".into()]),
        "staff come first"
    );
    let all = search("", 0, 100).1;
    assert_eq!(
        all,
        [
            "Vũ Thị Yến",
            "Lê Thị Ân",
            "Nguyễn Văn Dũng",
            "Trần Đình Đức",
            "Hồ Thị Hả",
            "Nguyễn Thị Hằng"
        ]
    );
    assert_eq!(search("", 0, u32::MAX).1.len(), 6);
    assert_eq!(search("", u32::MAX, 5), (6, vec![]));
}

#[test]
fn many_changes_between_two_ticks_are_one_broadcast() {
    let mut play = Play::new(RoomMode::Discussion);
    let links: Vec<_> = (0..30)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    play.wait(200);
    let before = play.seq;
    for link in &links {
        play.ok(*link, publish(MIC, LIVE));
        play.ok(*link, publish(MediaKind::Camera, LIVE));
    }
    play.wait(100);
    assert_eq!(play.seq, before + 1);
}

#[test]
fn who_joined_and_left_between_two_ticks_haunts_nobody() {
    let mut play = Play::new(RoomMode::Training);
    let first = play.join("p1", Role::Trainer);
    play.wait(200);
    let passing = play.join("p2", Role::Learner);
    let late = play.join("p3", Role::Learner);
    assert_eq!(play.client(late).people.len(), 3);
    play.ok(passing, M::Leave);
    play.wait(300);
    for link in [first, late] {
        assert_eq!(play.client(link).people.len(), 2);
    }
}

#[test]
fn a_large_room_lists_those_who_stand_out_and_counts_everybody() {
    let mut play = Play::with(RoomConfig {
        max_people: 5_000,
        ..config(RoomMode::Training)
    });
    let trainer = play.join("pt", Role::Trainer);
    let links: Vec<_> = (0..700)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    play.wait(2_000);
    let seen = play.client(trainer);
    assert_eq!(seen.counts.total, 701);
    assert_eq!(seen.people.len(), 1, "only the trainer stands out");

    let late = play.join("late", Role::Learner);
    let client = play.client(late);
    assert!(client.sampled);
    assert_eq!(client.counts.total, 702);
    assert_eq!(client.people.len(), 2, "oneself and the trainer");

    play.ok(links[5], M::Hand { up: true });
    play.ok(links[6], publish(MediaKind::Camera, LIVE));
    play.wait(500);
    assert!(play.client(trainer).people.contains_key(&id("p5")));
    assert!(play.client(trainer).people.contains_key(&id("p6")));
    assert_eq!(play.client(trainer).hands.len(), 1);
    play.ok(links[5], M::Hand { up: false });
    play.wait(500);
    assert!(!play.client(trainer).people.contains_key(&id("p5")));
    let reply = play.ask(
        trainer,
        M::PeoplePage {
            q: "p5".into(),
            from: 0,
            n: 1,
        },
    );
    let ServerMessage::PeoplePage { total, .. } = reply else {
        panic!()
    };
    assert_eq!(total, 111, "nobody is hidden: p5, p50 to p59, p500 to p599");

    for link in &links[..400] {
        play.ok(*link, M::Leave);
    }
    play.wait(2_000);
    let seen = play.client(trainer);
    assert_eq!(
        (seen.counts.total, seen.people.len()),
        (302, 302),
        "small again, all again"
    );
}

#[test]
fn the_longest_names_fit_every_frame() {
    let mut play = Play::new(RoomMode::Training);
    let mut last = None;
    for n in 0..480 {
        let name = format!("{}{n:03}", "\"\\".repeat(38));
        last = Some(play.hello(&format!("p{n}"), &name, Role::Learner, "", None));
    }
    // The stage checks the size of every frame.
    play.wait(3_000);
    let client = play.client(last.unwrap());
    assert_eq!(client.counts.total, 480);
    let wide = "𐍈".repeat(80);
    for n in 0..480 {
        play.hello(&format!("w{n}"), &wide, Role::Learner, "", None);
    }
    play.wait(3_000);
}

#[test]
fn levels_name_people_and_silence_is_told_once() {
    let mut play = Play::new(RoomMode::Discussion);
    let a = play.join("p1", Role::Trainer);
    let b = play.join("p2", Role::Learner);
    play.ok(a, publish(MIC, LIVE));
    play.wait(200);
    play.news(b);
    let (pa, pb) = (play.peer("p1"), play.peer("p2"));
    play.apply(Command::MediaLevels {
        levels: vec![(pa, 40), (pb, 5), (9_999, 1)],
    });
    play.apply(Command::MediaLevels {
        levels: vec![(pa, 30)],
    });
    play.wait(900);
    let news = play.news(b);
    let levels: Vec<_> = news
        .iter()
        .filter(|m| matches!(m, ServerMessage::Levels { .. }))
        .cloned()
        .collect();
    assert_eq!(
        levels,
        [
            ServerMessage::Levels {
                l: vec![(id("p1"), 30)]
            },
            ServerMessage::Levels { l: vec![] }
        ],
        "the loudest since the tick, and nobody who is not live"
    );
}
