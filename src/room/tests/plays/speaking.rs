//! Speaking, showing, the floor.

use super::*;

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
    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: true,
            except: vec![],
        },
    );
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
    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: false,
            except: vec![],
        },
    );
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

    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: true,
            except: vec![],
        },
    );
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
