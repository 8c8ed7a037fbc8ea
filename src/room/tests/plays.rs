//! Small plays: people come, speak, break off and come back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Play, START, config, id};
use lophoc_ledger::{EventKind, LastSeen, LeaveReason, PersonKey, Stamp, StayEnd, stays};
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, RESUME_MS, RING};
use lophoc_protocol::people::LinkState;
use lophoc_protocol::server::ByeAction;
use lophoc_protocol::{
    Action, ClientMessage as M, ErrorCode, MediaKind, Role, RoomMode, ServerMessage, TrackState,
};
use lophoc_room::{Command, RoomConfig};

const LIVE: TrackState = TrackState::Live;
const MIC: MediaKind = MediaKind::Mic;

fn publish(kind: MediaKind, st: TrackState) -> M {
    M::Pub { kind, st }
}

fn chat(cid: &str, text: &str) -> M {
    M::Chat {
        cid: cid.into(),
        text: text.into(),
    }
}

fn muted(by: &str) -> ServerMessage {
    ServerMessage::Muted {
        kind: MIC,
        by: by.into(),
    }
}

// ---- coming and going ----

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
    assert_eq!(play.kinds(0), ["opened", "join", "join"]);
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
        },
        device: String::new(),
        peer: 1,
        session: "s1".into(),
        key: "k".into(),
        resume: None,
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
    play.wait_hearing(3_000, &[trainer]);
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
    play.wait_hearing(2_000, &[trainer]);
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

// ---- lock, removal, end ----

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
fn a_draining_server_asks_everybody_to_resume_and_ends_no_stay_but_by_a_lapse() {
    let mut play = Play::new(RoomMode::Training);
    let links: Vec<_> = (0..50)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    let events = play.ledger.len();
    play.apply(Command::Drain);
    assert!(play.kinds(events).iter().all(|kind| *kind == "lapse"));
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

// ---- speaking ----

#[test]
fn nothing_flows_before_live_and_nothing_after_muted() {
    let mut play = Play::new(RoomMode::Discussion);
    let learner = play.join("p2", Role::Learner);
    assert!(!play.allowed("p2").mic);
    play.ok(learner, publish(MIC, LIVE));
    assert!(play.allowed("p2").mic);
    play.ok(learner, publish(MIC, TrackState::Muted));
    assert!(!play.allowed("p2").mic);
    assert_eq!(play.person("p2").unwrap().tracks[0].st, TrackState::Muted);
    play.ok(learner, publish(MIC, TrackState::Off));
    assert!(play.person("p2").unwrap().tracks.is_empty());
    let held = publish(MediaKind::Camera, TrackState::Muted);
    assert_eq!(play.refused(learner, held), ErrorCode::BadRequest);
}

#[test]
fn a_remote_mute_holds_against_a_client_that_ignores_it_and_yields_to_a_wish() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, publish(MIC, LIVE));
    play.news(learner);
    play.ok(
        trainer,
        M::ModMute {
            who: id("p2"),
            kind: MIC,
        },
    );
    assert!(!play.allowed("p2").mic, "the media plane drops it");
    assert!(play.news(learner).contains(&muted("Nguyễn Văn p1")));
    play.ok(learner, publish(MIC, LIVE));
    assert!(
        play.allowed("p2").mic,
        "in a discussion everybody may speak again"
    );
}

#[test]
fn a_mute_during_a_cut_is_told_on_the_return() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, publish(MIC, LIVE));
    play.drop_link(learner, false);
    play.ok(
        trainer,
        M::ModMute {
            who: id("p2"),
            kind: MIC,
        },
    );
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MediaKind::Camera,
        },
    );
    let back = play.resume(learner);
    let news = play.news(back);
    assert!(news.contains(&muted("Nguyễn Văn p1")), "{news:?}");
    let by = "Nguyễn Văn p1".to_owned();
    assert!(
        news.contains(&ServerMessage::Asked {
            kind: MediaKind::Camera,
            by
        }),
        "{news:?}"
    );
    assert!(!play.allowed("p2").mic);
}

#[test]
fn neither_a_reload_nor_a_long_cut_is_a_way_around_a_mute() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, publish(MIC, LIVE));
    play.ok(
        trainer,
        M::ModMute {
            who: id("p2"),
            kind: MIC,
        },
    );
    let again = play.join("p2", Role::Learner);
    assert!(play.news(again).contains(&muted("Nguyễn Văn p1")));
    assert_eq!(
        play.refused(again, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );

    play.drop_link(again, false);
    play.ok(trainer, M::ModMuteAll { may_unmute: true });
    play.wait(RESUME_MS + 2_000);
    let back = play.join("p2", Role::Learner);
    assert_eq!(play.refused(back, publish(MIC, LIVE)), ErrorCode::Forbidden);
    // Asked by the trainer, nothing is in the way.
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MIC,
        },
    );
    play.ok(back, publish(MIC, LIVE));
}

#[test]
fn mute_all_without_unmuting_yields_to_the_floor_and_to_being_asked() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let adviser = play.join("p2", Role::Adviser);
    let (a, b, c) = (
        play.join("pa", Role::Learner),
        play.join("pb", Role::Learner),
        play.join("pc", Role::Guest),
    );
    for link in [trainer, adviser, a, b, c] {
        play.ok(link, publish(MIC, LIVE));
    }
    play.ok(trainer, M::ModMuteAll { may_unmute: false });
    assert!(
        play.allowed("p1").mic && play.allowed("p2").mic,
        "staff go on"
    );
    for person in ["pa", "pb", "pc"] {
        assert!(!play.allowed(person).mic);
    }
    assert_eq!(play.refused(a, publish(MIC, LIVE)), ErrorCode::Forbidden);
    assert!(
        !play
            .client(a)
            .you
            .as_ref()
            .unwrap()
            .perms
            .contains(&Action::Speak)
    );
    let late = play.join("pd", Role::Learner);
    assert_eq!(play.refused(late, publish(MIC, LIVE)), ErrorCode::Forbidden);

    play.ok(
        trainer,
        M::ModAsk {
            who: id("pa"),
            kind: MIC,
        },
    );
    assert!(
        play.client(a)
            .you
            .as_ref()
            .unwrap()
            .perms
            .contains(&Action::Speak)
    );
    play.ok(a, publish(MIC, LIVE));
    play.ok(
        trainer,
        M::ModFloor {
            who: id("pb"),
            give: true,
        },
    );
    play.ok(b, publish(MIC, LIVE));
    assert_eq!(play.refused(c, publish(MIC, LIVE)), ErrorCode::Forbidden);

    play.ok(trainer, M::ModMuteAll { may_unmute: true });
    for link in [a, b, c, late] {
        play.ok(link, publish(MIC, LIVE));
    }
}

#[test]
fn asking_and_accepting_lets_a_learner_speak_in_training_until_muted() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(
        play.refused(learner, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
    play.news(learner);
    play.ok(
        trainer,
        M::ModAsk {
            who: id("p2"),
            kind: MIC,
        },
    );
    let news = play.news(learner);
    assert!(
        matches!(news[0], ServerMessage::You(_)),
        "the right comes before the question"
    );
    assert!(matches!(news[1], ServerMessage::Asked { .. }));
    play.news(trainer);
    play.ok(
        learner,
        M::AskReply {
            kind: MIC,
            accept: true,
        },
    );
    let told = ServerMessage::AskReply {
        who: id("p2"),
        kind: MIC,
        accept: true,
    };
    assert!(play.news(trainer).contains(&told));
    let again = M::AskReply {
        kind: MIC,
        accept: true,
    };
    assert_eq!(play.refused(learner, again), ErrorCode::NotFound);
    play.ok(learner, publish(MIC, LIVE));
    assert!(play.allowed("p2").mic);
    play.ok(
        trainer,
        M::ModMute {
            who: id("p2"),
            kind: MIC,
        },
    );
    assert_eq!(
        play.refused(learner, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
}

#[test]
fn asking_knows_microphone_and_camera_only() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let screen = M::ModAsk {
        who: id("p2"),
        kind: MediaKind::Screen,
    };
    assert_eq!(play.refused(trainer, screen), ErrorCode::BadRequest);
    let reply = M::AskReply {
        kind: MediaKind::Screen,
        accept: true,
    };
    assert_eq!(play.refused(learner, reply), ErrorCode::BadRequest);
    let nobody = M::ModAsk {
        who: id("p9"),
        kind: MIC,
    };
    assert_eq!(play.refused(trainer, nobody), ErrorCode::NotFound);
}

#[test]
fn the_floor_lowers_the_hand_and_asks_and_its_withdrawal_mutes() {
    let mut play = Play::new(RoomMode::Conference);
    let chair = play.join("p1", Role::Chair);
    let learner = play.join("p2", Role::Learner);
    play.ok(learner, M::Hand { up: true });
    play.wait(200);
    assert_eq!(play.client(chair).hands.len(), 1);
    let events = play.ledger.len();
    play.news(learner);
    play.ok(
        chair,
        M::ModFloor {
            who: id("p2"),
            give: true,
        },
    );
    assert_eq!(play.kinds(events), ["floor", "hand"]);
    play.wait(200);
    assert!(play.client(chair).hands.is_empty());
    assert!(play.client(chair).people[&id("p2")].floor);
    let news = play.news(learner);
    assert!(
        news.iter()
            .any(|m| matches!(m, ServerMessage::Asked { kind: MIC, .. })),
        "{news:?}"
    );
    play.ok(learner, publish(MIC, LIVE));
    play.ok(learner, publish(MediaKind::Screen, LIVE));
    play.ok(learner, publish(MediaKind::ScreenAudio, LIVE));
    assert!(play.allowed("p2").screen && play.allowed("p2").screen_audio);

    play.news(learner);
    play.ok(
        chair,
        M::ModFloor {
            who: id("p2"),
            give: false,
        },
    );
    let allow = play.allowed("p2");
    assert!(!allow.mic && !allow.screen && !allow.screen_audio);
    let news = play.news(learner);
    for kind in [MIC, MediaKind::Screen] {
        let by = "Nguyễn Văn p1".to_owned();
        assert!(
            news.contains(&ServerMessage::Muted { kind, by }),
            "{news:?}"
        );
    }
    assert_eq!(
        play.refused(learner, publish(MIC, LIVE)),
        ErrorCode::Forbidden
    );
}

#[test]
fn the_floor_can_be_handed_back_by_its_holder() {
    let mut play = Play::new(RoomMode::Conference);
    let chair = play.join("p1", Role::Chair);
    let learner = play.join("p2", Role::Learner);
    play.ok(
        chair,
        M::ModFloor {
            who: id("p2"),
            give: true,
        },
    );
    play.ok(
        learner,
        M::ModFloor {
            who: id("p2"),
            give: false,
        },
    );
    assert!(!play.person("p2").unwrap().floor);
    let take = M::ModFloor {
        who: id("p2"),
        give: true,
    };
    assert_eq!(play.refused(learner, take), ErrorCode::Forbidden);
}

#[test]
fn a_change_of_mode_recomputes_the_rights_of_everybody() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let technician = play.join("p2", Role::Technician);
    let learner = play.join("p3", Role::Learner);
    for link in [trainer, technician, learner] {
        play.ok(link, publish(MIC, LIVE));
        play.ok(link, publish(MediaKind::Camera, LIVE));
    }
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Training,
        },
    );
    assert!(play.allowed("p2").mic && !play.allowed("p3").mic);
    assert_eq!(
        play.client(learner).room.as_ref().unwrap().mode,
        RoomMode::Training
    );
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Conference,
        },
    );
    assert!(play.allowed("p1").mic && !play.allowed("p2").mic);
    assert!(play.allowed("p3").camera, "cameras stay free");
    play.ok(
        trainer,
        M::ModMode {
            mode: RoomMode::Discussion,
        },
    );
    assert!(!play.allowed("p3").mic, "nobody is unmuted by others");
    play.ok(learner, publish(MIC, LIVE));
}

#[test]
fn a_second_screen_takes_over_from_the_first() {
    let mut play = Play::new(RoomMode::Training);
    let a = play.join("p1", Role::Trainer);
    let b = play.join("p2", Role::Chair);
    play.ok(a, publish(MediaKind::Screen, LIVE));
    play.ok(a, publish(MediaKind::ScreenAudio, LIVE));
    play.news(a);
    play.ok(b, publish(MediaKind::Screen, LIVE));
    let by = "Nguyễn Văn p2".to_owned();
    assert!(play.news(a).contains(&ServerMessage::Muted {
        kind: MediaKind::Screen,
        by
    }));
    assert!(!play.allowed("p1").screen && !play.allowed("p1").screen_audio);
    assert!(play.allowed("p2").screen);
    play.ok(b, publish(MediaKind::Screen, TrackState::Off));
    assert_eq!(
        play.ledger
            .iter()
            .filter(|e| e.kind.name() == "share")
            .count(),
        4,
        "each beginning and end is written"
    );
    let alone = publish(MediaKind::ScreenAudio, LIVE);
    assert_eq!(play.refused(b, alone), ErrorCode::BadRequest);
}

// ---- hands ----

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
    play.wait(300);
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

// ---- rates ----

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

// ---- after a crash ----

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
    play.ok(trainer, M::ModMuteAll { may_unmute: false });
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
    play.ok(trainer, M::ModMuteAll { may_unmute: false });
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
