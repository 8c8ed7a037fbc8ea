//! The waiting room.

use super::*;
use lophoc_ledger::WaitOutcome;
use lophoc_protocol::people::Waiter;

fn room() -> Play {
    Play::with(RoomConfig {
        waiting: true,
        ..config(RoomMode::Training)
    })
}

fn lobby(play: &mut Play, link: LinkId) -> Option<(u32, Vec<Waiter>)> {
    play.news(link).into_iter().rev().find_map(|msg| match msg {
        ServerMessage::Lobby { total, list } => Some((total, list)),
        _ => None,
    })
}

fn outcomes(play: &Play) -> Vec<(String, WaitOutcome)> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::WaitOver {
                person, outcome, ..
            } => Some((person.0.clone(), *outcome)),
            _ => None,
        })
        .collect()
}

fn admit(who: &str) -> M {
    M::ModAdmit { who: Some(id(who)) }
}

#[test]
fn learners_and_guests_wait_and_staff_pass() {
    let mut play = room();
    for role in Role::ALL {
        let name = format!("{role:?}");
        let link = play.join(&name, role);
        let waits = matches!(role, Role::Learner | Role::Guest);
        assert_eq!(play.room.is_waiting(link), waits, "{role:?}");
        assert_eq!(play.person(&name).is_none(), waits);
        assert_eq!(play.client(link).welcomed, !waits);
    }
    assert_eq!(play.room.counts().total, 7);
    assert_eq!(play.room.waiting().len(), 2);
    assert!(play.room.info().waiting);
}

#[test]
fn whoever_waits_sees_the_room_and_nobody_in_it() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    let learner = play.join("p1", Role::Learner);
    play.ok(chair, chat("a", "chỉ cho người trong phòng"));
    play.wait(2_000);
    let told = play.news(learner);
    assert_eq!(told.len(), 1, "{told:?}");
    let ServerMessage::Waiting(waiting) = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(waiting.room.title, "Tập huấn, buổi 1");
    assert!(waiting.you.perms.is_empty());
    // What changes the room is told, without a number.
    play.ok(chair, M::ModLock { locked: true });
    assert!(matches!(&play.news(learner)[..], [ServerMessage::Room(info)] if info.locked));
    for msg in [
        chat("b", "ở ngoài"),
        M::Hand { up: true },
        M::Pub {
            kind: MIC,
            st: LIVE,
        },
        M::ModAdmit { who: None },
        M::PeoplePage {
            q: String::new(),
            from: 0,
            n: 10,
        },
    ] {
        assert_eq!(play.refused(learner, msg), ErrorCode::Forbidden);
    }
    assert!(play.allow.is_empty() || play.allowed("p1") == Default::default());
}

#[test]
fn staff_see_who_waits_and_let_in_on_the_same_link() {
    let mut play = room();
    let secretary = play.join("ps", Role::Secretary);
    let inspector = play.join("pi", Role::Inspector);
    let first = play.join("p1", Role::Learner);
    play.join("p2", Role::Guest);
    play.wait(600);
    let (total, list) = lobby(&mut play, secretary).unwrap();
    let who: Vec<&str> = list.iter().map(|w| w.who.as_str()).collect();
    assert_eq!((total, who), (2, vec!["p1", "p2"]));
    assert!(
        lobby(&mut play, inspector).is_none(),
        "that is not his to know"
    );
    assert_eq!(play.refused(inspector, admit("p1")), ErrorCode::Forbidden);
    play.ok(secretary, admit("p1"));
    let client = play.client(first).clone();
    assert!(client.welcomed && !client.people.is_empty());
    assert_eq!(
        play.kinds(play.ledger.len() - 2),
        ["waitOver", "join"],
        "an admission is followed by the join"
    );
    play.wait(600);
    assert_eq!(lobby(&mut play, secretary).unwrap().0, 1);
    assert_eq!(play.refused(secretary, admit("p1")), ErrorCode::NotFound);
    // Who was let in is no stranger any more.
    play.drop_link(first, false);
    play.wait(RESUME_MS + 2_000);
    let again = play.join("p1", Role::Learner);
    assert!(play.client(again).welcomed);
}

#[test]
fn all_are_let_in_at_once_or_when_nobody_has_to_wait_any_more() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    for n in 0..30 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    play.ok(chair, M::ModAdmit { who: None });
    assert_eq!(play.room.counts().total, 31);
    play.ok(chair, M::ModAdmit { who: None });
    for n in 30..40 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    play.ok(chair, M::ModWaiting { on: false });
    assert_eq!(
        (play.room.counts().total, play.room.waiting().len()),
        (41, 0)
    );
    let late = play.join("late", Role::Guest);
    assert!(play.client(late).welcomed && !play.client(late).room.clone().unwrap().waiting);
    play.ok(chair, M::ModWaiting { on: true });
    let later = play.join("later", Role::Guest);
    assert!(play.room.is_waiting(later));
}

#[test]
fn who_is_denied_may_ask_again_and_who_is_barred_may_not() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    let guest = play.join("p1", Role::Guest);
    play.ok(chair, M::ModDeny { who: id("p1") });
    let bye = play.client(guest).bye.unwrap();
    assert_eq!(bye, (ByeAction::Stop, Some(ErrorCode::Denied), None));
    let guest = play.join("p1", Role::Guest);
    assert!(play.room.is_waiting(guest));
    play.ok(
        chair,
        M::ModRemove {
            who: id("p1"),
            bar: true,
        },
    );
    assert_eq!(play.client(guest).bye.unwrap().1, Some(ErrorCode::Banned));
    let guest = play.join("p1", Role::Guest);
    assert_eq!(play.client(guest).bye.unwrap().1, Some(ErrorCode::Banned));
    let denied = ("p1".to_owned(), WaitOutcome::Denied);
    assert_eq!(outcomes(&play), [denied.clone(), denied]);
}

#[test]
fn a_wait_survives_a_reload_and_a_cut_but_not_for_ever() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    let first = play.join("p1", Role::Learner);
    play.join("p2", Role::Learner);
    let since = play.room.waiting()[0].since;
    play.wait(5_000);
    let again = play.join("p1", Role::Learner);
    assert_eq!(
        play.client(first).bye.unwrap().1,
        Some(ErrorCode::TakenOver)
    );
    assert!(play.room.is_waiting(again));
    let queue = play.room.waiting();
    assert_eq!((queue[0].who.as_str(), queue[0].since), ("p1", since));
    assert_eq!(
        play.ledger
            .iter()
            .filter(|e| e.kind.name() == "waiting")
            .count(),
        2,
        "one wait each"
    );
    play.drop_link(again, false);
    play.wait(60_000);
    assert_eq!(play.room.waiting()[0].link, LinkState::Lost);
    let back = play.join("p1", Role::Learner);
    assert_eq!(play.room.waiting()[0].link, LinkState::Ok);
    play.drop_link(back, false);
    play.wait(RESUME_MS + 2_000);
    assert_eq!(outcomes(&play), [("p1".to_owned(), WaitOutcome::Left)]);
    // A silent link is lost, then gone.
    play.wait_hearing(LINK_TIMEOUT_MS + RESUME_MS + 4_000, &[chair]);
    assert!(play.room.waiting().is_empty());
}

#[test]
fn whoever_waits_may_leave() {
    let mut play = room();
    let learner = play.join("p1", Role::Learner);
    assert_eq!(play.ask(learner, M::Leave), ServerMessage::Ok);
    assert!(play.client(learner).closed);
    assert_eq!(outcomes(&play), [("p1".to_owned(), WaitOutcome::Left)]);
}

#[test]
fn somebody_let_in_while_his_link_is_lost_comes_in_when_he_is_back() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    let learner = play.join("p1", Role::Learner);
    play.drop_link(learner, false);
    play.ok(chair, admit("p1"));
    assert_eq!(play.room.counts().total, 1);
    let mut killed = play.restart(1_000, &[]);
    for play in [&mut play, &mut killed] {
        let back = play.join("p1", Role::Learner);
        assert!(play.client(back).welcomed);
    }
}

#[test]
fn the_waiting_room_comes_back_after_a_crash() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    for n in 0..3 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    play.ok(chair, admit("p1"));
    let mut after = play.restart(2_000, &[]);
    let who = |play: &Play| -> Vec<(String, u64)> {
        play.room
            .waiting()
            .into_iter()
            .map(|w| (w.who.0, w.since))
            .collect()
    };
    assert_eq!(who(&after), who(&play));
    let first = after.join("p0", Role::Learner);
    let in_before = after.join("p1", Role::Learner);
    assert!(after.room.is_waiting(first) && after.client(in_before).welcomed);
    after.wait(RESUME_MS + 2_000);
    assert_eq!(who(&after).len(), 1, "p2 did not come back");
    // Turned off by hand it stays off, whatever the plan says.
    let chair = after.join("pc", Role::Chair);
    after.ok(chair, M::ModWaiting { on: false });
    let again = after.restart(1_000, &[]);
    assert!(!again.room.is_waiting_on());
    // Killed between turning it off and letting them in.
    let mut cut = play.restart(0, &[]);
    cut.ledger = play.ledger.clone();
    let seq = cut.ledger.len() as u64 + 1;
    let by = PersonKey::from("pc");
    cut.ledger.push(Event {
        session: cut.config.session.clone(),
        seq,
        at: cut.ledger.last().unwrap().at,
        kind: EventKind::WaitingRoom { on: false, by },
    });
    let mut after = cut.restart(1_000, &[]);
    after.apply(Command::Tick);
    assert!(after.room.waiting().is_empty());
    let first = after.join("p0", Role::Learner);
    assert!(after.client(first).welcomed);
}

#[test]
fn the_number_of_those_who_wait_is_bounded_and_admission_keeps_the_places() {
    let mut play = Play::with(RoomConfig {
        waiting: true,
        max_people: 3,
        ..config(RoomMode::Training)
    });
    let chair = play.join("pc", Role::Chair);
    for n in 0..3 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    let late = play.join("p3", Role::Learner);
    assert_eq!(play.client(late).bye.unwrap().1, Some(ErrorCode::Full));
    play.ok(chair, M::ModAdmit { who: None });
    assert_eq!(
        (play.room.counts().total, play.room.waiting().len()),
        (3, 1)
    );
    assert_eq!(play.refused(chair, admit("p2")), ErrorCode::Full);
    assert_eq!(
        play.refused(chair, M::ModAdmit { who: None }),
        ErrorCode::Full
    );
}

#[test]
fn a_long_queue_is_shown_from_its_head_and_searched_to_its_end() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    for n in 0..150 {
        let name = if n == 140 {
            "Lò Thị Ngọc"
        } else {
            "Nguyễn Văn Nam"
        };
        play.hello(&format!("p{n}"), name, Role::Learner, "máy", None);
    }
    play.wait(600);
    let (total, list) = lobby(&mut play, chair).unwrap();
    assert_eq!((total, list.len()), (150, 100));
    let page = M::LobbyPage {
        q: "ngoc lo".into(),
        from: 0,
        n: 10,
    };
    match play.ask(chair, page) {
        ServerMessage::LobbyPage { total: 1, list } => assert_eq!(list[0].who, id("p140")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_waits_when_the_session_ends_or_the_server_stops_is_told() {
    let mut play = room();
    let chair = play.join("pc", Role::Chair);
    let learner = play.join("p1", Role::Learner);
    let mut stopping = room();
    let other = stopping.join("p1", Role::Learner);
    stopping.apply(Command::Drain);
    assert_eq!(stopping.client(other).bye.unwrap().0, ByeAction::Resume);
    play.ok(chair, M::ModEnd);
    assert_eq!(play.client(learner).bye.unwrap().1, Some(ErrorCode::Ended));
    assert_eq!(outcomes(&play), [("p1".to_owned(), WaitOutcome::Left)]);
}

#[test]
fn waiting_is_no_presence() {
    let mut play = room();
    play.join("p1", Role::Learner);
    play.wait(60_000);
    assert!(stays(&play.ledger, &[], Some(play.room.stamp_now())).is_empty());
    assert!(play.room.last_seen().is_empty());
}

#[test]
fn who_floods_while_waiting_is_sent_away_for_a_while() {
    let mut play = room();
    let learner = play.join("p1", Role::Learner);
    for _ in 0..400 {
        if play.client(learner).closed {
            break;
        }
        play.apply(Command::Frame {
            link: learner,
            id: Some(1),
            msg: M::Hand { up: true },
        });
    }
    let bye = play.client(learner).bye.unwrap();
    assert_eq!(
        (bye.0, bye.1),
        (ByeAction::Rejoin, Some(ErrorCode::RateLimited))
    );
}

#[test]
fn a_guest_waits_by_the_rule_of_the_class_though_others_do_not() {
    let mut play = Play::with(config(RoomMode::Training));
    let chair = play.join("pc", Role::Chair);
    play.waits = true;
    let guest = play.join("pg", Role::Guest);
    let learner = play.join("p1", Role::Learner);
    assert!(play.room.is_waiting(guest) && !play.room.is_waiting(learner));
    play.waits = true;
    let staff = play.join("pt", Role::Trainer);
    assert!(!play.room.is_waiting(staff), "staff never wait");

    let mut later = play.restart(1_000, &[]);
    later.waits = true;
    let again = later.join("pg", Role::Guest);
    assert!(later.room.is_waiting(again), "a restart lets no guest in");

    play.ok(chair, admit("pg"));
    assert!(play.client(guest).welcomed);
    play.drop_link(guest, false);
    play.waits = true;
    let back = play.join("pg", Role::Guest);
    assert!(play.client(back).welcomed, "who was let in is no stranger");
}
