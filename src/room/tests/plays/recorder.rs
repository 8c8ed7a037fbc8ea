//! Recordings of the server: begun, paused and ended by right or setting, with the
//! consent of those who are recorded; what the recorder is told and tells.

use super::*;
use lophoc_protocol::RecordingId;
use lophoc_protocol::recording::{
    RecordConsent, RecordState, RecordTrouble, RecordWhom, RecordedBy, Recording,
};
use lophoc_room::{
    RecordCommand, RecordStart, RecordWho, RecorderReport, RecordingAnswer, RecordingPlan,
    RecordingWords, Taken,
};

fn words() -> RecordingWords {
    RecordingWords {
        who: "Sở GDĐT".into(),
        why: "Lưu hồ sơ".into(),
        keep: String::new(),
    }
}

fn record(whom: RecordWhom, ask: RecordConsent) -> M {
    let RecordingWords { who, why, keep } = words();
    M::ModRecord {
        on: true,
        who,
        why,
        keep,
        by: RecordedBy::Server,
        whom,
        ask,
    }
}

fn stop() -> M {
    M::ModRecord {
        on: false,
        who: String::new(),
        why: String::new(),
        keep: String::new(),
        by: RecordedBy::External,
        whom: RecordWhom::All,
        ask: RecordConsent::Notice,
    }
}

fn ready(play: &mut Play, id: &str) {
    report(
        play,
        RecorderReport::Ready {
            id: RecordingId::from(id),
        },
    );
}

fn report(play: &mut Play, report: RecorderReport) {
    play.apply(Command::Recorder(report));
}

fn told(play: &Play, link: LinkId) -> Option<Recording> {
    play.client(link).room.clone().unwrap().recording
}

fn state(play: &Play, link: LinkId) -> Option<RecordState> {
    told(play, link).map(|now| now.state)
}

fn start_of(play: &mut Play) -> RecordStart {
    match play.recorder.drain(..).next() {
        Some(RecordCommand::Start(start)) => *start,
        other => panic!("no start: {other:?}"),
    }
}

/// Whom the recorder was told last to take.
fn who(play: &mut Play) -> RecordWho {
    play.wait(200);
    let last = play
        .recorder
        .drain(..)
        .rev()
        .find_map(|command| match command {
            RecordCommand::Who { who, .. } => Some(who),
            RecordCommand::Start(start) => Some(start.who),
            _ => None,
        });
    last.expect("the recorder was told nothing")
}

fn keys(who: &RecordWho) -> Vec<&str> {
    let mut keys: Vec<&str> = who.may.iter().map(|taken| taken.person.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn public() -> Play {
    Play::with(RoomConfig {
        record_ask: RecordConsent::Notice,
        ..config(RoomMode::Conference)
    })
}

fn live(play: &mut Play, link: LinkId, kind: MediaKind) {
    play.ok(
        link,
        M::Pub {
            kind,
            st: TrackState::Live,
        },
    );
}

fn news(play: &Play) -> Vec<String> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::RecordingNews { what, .. } => Some(what.clone()),
            _ => None,
        })
        .collect()
}

fn choices(play: &Play) -> Vec<(String, bool)> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::RecordingChoice {
                person, accepted, ..
            } => Some((person.0.clone(), *accepted)),
            _ => None,
        })
        .collect()
}

#[test]
fn without_a_recorder_or_room_on_the_disk_a_start_is_refused() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let all = || record(RecordWhom::All, RecordConsent::Notice);
    assert_eq!(play.refused(trainer, all()), ErrorCode::NoRecorder);
    report(
        &mut play,
        RecorderReport::Unavailable {
            why: RecordTrouble::DiskFull,
        },
    );
    assert_eq!(play.refused(trainer, all()), ErrorCode::NoSpace);
    ready(&mut play, "r1");
    assert_eq!(play.refused(learner, all()), ErrorCode::Forbidden);
    assert_eq!(play.recorder, []);
    play.ok(trainer, all());
    assert_eq!(start_of(&mut play).id.as_str(), "r1");
    // Each id is for one recording.
    play.ok(trainer, stop());
    assert_eq!(play.refused(trainer, all()), ErrorCode::NoRecorder);
}

#[test]
fn it_is_begun_paused_and_ended_and_everybody_sees_where_it_is() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    let start = start_of(&mut play);
    assert_eq!((start.again, start.paused), (false, false));
    assert_eq!(keys(&start.who), ["p1", "p2"]);
    assert_eq!(state(&play, learner), Some(RecordState::Starting));
    // Said again nothing happens.
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    assert_eq!(play.recorder, []);
    let id = RecordingId::from("r1");
    report(&mut play, RecorderReport::Capturing { id: id.clone() });
    assert_eq!(state(&play, learner), Some(RecordState::On));

    let pause = |on| M::ModRecordPause { on };
    assert_eq!(play.refused(learner, pause(true)), ErrorCode::Forbidden);
    play.ok(trainer, pause(true));
    play.ok(trainer, pause(true));
    assert_eq!(play.recorder, [RecordCommand::Pause { id: id.clone() }]);
    let late = play.join("p3", Role::Guest);
    assert_eq!(state(&play, late), Some(RecordState::Paused));
    play.ok(trainer, pause(false));
    assert_eq!(state(&play, late), Some(RecordState::On));
    // Whom it takes is told before it goes on.
    let Some(RecordCommand::Who { who, .. }) = play.recorder.get(1) else {
        panic!("{:?}", play.recorder);
    };
    assert_eq!(keys(who), ["p1", "p2", "p3"]);
    assert_eq!(
        play.recorder.last(),
        Some(&RecordCommand::Resume { id: id.clone() })
    );
    play.ok(trainer, stop());
    assert_eq!(told(&play, late), None);
    assert_eq!(play.recorder.last(), Some(&RecordCommand::Stop { id }));
    assert_eq!(play.refused(trainer, pause(true)), ErrorCode::NotFound);
    let paused: Vec<bool> = play
        .ledger
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::RecordingPaused { on, .. } => Some(on),
            _ => None,
        })
        .collect();
    assert_eq!(paused, [true, false]);
}

#[test]
fn after_a_crash_the_recording_goes_on_under_its_id() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    ready(&mut play, "r1");
    play.ok(
        trainer,
        record(RecordWhom::Presenters, RecordConsent::Notice),
    );
    let began = told(&play, trainer).unwrap();
    play.wait(3_000);
    let mut after = play.restart(5_000, &[]);
    after.apply(Command::Tick);
    let start = start_of(&mut after);
    assert_eq!(
        (start.id.as_str(), start.again, start.paused, start.since_ms),
        ("r1", true, false, began.since)
    );
    assert_eq!(start.whom, RecordWhom::Presenters);
    assert_eq!(start.who.may, []);
    let trainer = after.join("p1", Role::Trainer);
    assert_eq!(keys(&who(&mut after)), ["p1"]);
    assert_eq!(told(&after, trainer), Some(began));

    after.ok(trainer, M::ModRecordPause { on: true });
    let mut again = after.restart(5_000, &[]);
    again.apply(Command::Tick);
    assert!(start_of(&mut again).paused);
    // A stop of the server is no end of it.
    after.recorder.clear();
    after.apply(Command::Drain);
    assert_eq!(after.recorder, []);
    again.apply(Command::End);
    assert!(matches!(
        again.recorder.last(),
        Some(RecordCommand::Stop { .. })
    ));
}

#[test]
fn where_it_asks_nobody_is_taken_who_did_not_accept_and_minds_may_change() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    ready(&mut play, "r1");
    assert_eq!(
        play.refused(trainer, record(RecordWhom::All, RecordConsent::Notice)),
        ErrorCode::Forbidden
    );
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Consent));
    // Whoever begins it has accepted.
    assert_eq!(keys(&start_of(&mut play).who), ["p1"]);
    let notice = told(&play, learner).unwrap().notice;
    assert_eq!(play.client(trainer).record_mine, Some((notice, true)));
    let reply = |notice, accept| M::RecordReply { notice, accept };
    assert_eq!(
        play.refused(learner, reply(notice + 1, true)),
        ErrorCode::Conflict
    );
    play.ok(learner, reply(notice, true));
    play.ok(other, reply(notice, false));
    assert_eq!(keys(&who(&mut play)), ["p1", "p2"]);
    assert_eq!(play.client(trainer).unrecorded, ["p3"]);
    assert_eq!(play.client(learner).unrecorded, [] as [&str; 0]);

    play.ok(learner, reply(notice, false));
    // At once, not with the next tick.
    let Some(RecordCommand::Who { who: now, .. }) = play.recorder.last() else {
        panic!("{:?}", play.recorder);
    };
    assert_eq!(keys(now), ["p1"]);
    play.ok(other, reply(notice, true));
    play.ok(other, reply(notice, true));
    assert_eq!(keys(&who(&mut play)), ["p1", "p3"]);
    assert_eq!(play.client(trainer).unrecorded, ["p2"]);
    let said = [
        ("p1", true),
        ("p2", true),
        ("p3", false),
        ("p2", false),
        ("p3", true),
    ];
    assert_eq!(choices(&play), said.map(|(who, yes)| (who.to_owned(), yes)));

    // A crash forgets no answer.
    let mut after = play.restart(2_000, &[]);
    let back = after.join("p2", Role::Learner);
    after.join("p3", Role::Learner);
    after.join("p1", Role::Trainer);
    assert_eq!(keys(&who(&mut after)), ["p1", "p3"]);
    assert_eq!(after.client(back).record_mine, Some((notice, false)));

    // Other words, or others who are taken, are another question.
    play.ok(
        trainer,
        record(RecordWhom::Presenters, RecordConsent::Consent),
    );
    assert_eq!(keys(&who(&mut play)), ["p1"]);
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Consent));
    assert_eq!(told(&play, learner).unwrap().notice, notice);
    assert_eq!(keys(&who(&mut play)), ["p1", "p3"]);
}

#[test]
fn an_answer_before_coming_in_holds_and_a_later_one_goes_before_it() {
    let mut play = Play::with(RoomConfig {
        recording: Some(plan(RecordConsent::Consent)),
        ..config(RoomMode::Discussion)
    });
    ready(&mut play, "r1");
    play.apply(Command::Tick);
    let answer = |accepted, at_ms| RecordingAnswer {
        words: words(),
        whom: RecordWhom::All,
        accepted,
        at_ms,
    };
    let now_ms = play.now.wall_ms;
    play.answers.insert("p2".into(), answer(true, now_ms));
    play.answers.insert("p3".into(), answer(false, now_ms));
    let learner = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    let notice = told(&play, learner).unwrap().notice;
    assert_eq!(play.client(learner).record_mine, Some((notice, true)));
    assert_eq!(play.client(other).record_mine, Some((notice, false)));
    assert_eq!(keys(&who(&mut play)), ["p2"]);

    // His token is shown again on a return; what he said since stands.
    play.wait(1_000);
    play.ok(
        learner,
        M::RecordReply {
            notice,
            accept: false,
        },
    );
    play.drop_link(learner, false);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(play.client(learner).record_mine, Some((notice, false)));
    // Asked anew on joining, the newest answer counts.
    play.wait(1_000);
    let now_ms = play.now.wall_ms;
    play.answers.insert("p2".into(), answer(true, now_ms));
    let learner = play.join("p2", Role::Learner);
    assert_eq!(play.client(learner).record_mine, Some((notice, true)));
    assert_eq!(keys(&who(&mut play)), ["p2"]);
}

fn plan(ask: RecordConsent) -> RecordingPlan {
    RecordingPlan {
        by: RecordedBy::Server,
        words: words(),
        auto: true,
        whom: RecordWhom::All,
        ask,
        from_start: false,
    }
}

#[test]
fn that_latecomers_may_watch_from_the_start_is_told_to_all_as_soon_as_it_is_set() {
    let with = |from_start| RecordingPlan {
        from_start,
        ..plan(RecordConsent::Consent)
    };
    let mut play = Play::with(RoomConfig {
        recording: Some(with(false)),
        ..config(RoomMode::Training)
    });
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, M::ModStart);
    let early = |play: &Play| told(play, learner).map(|now| now.from_start);
    assert_eq!(early(&play), Some(false));
    let id = told(&play, learner).and_then(|now| now.recording);
    for now in [true, false] {
        play.apply(Command::RecordingSet {
            plan: Some(with(now)),
            least: RecordConsent::Consent,
            by: lophoc_protocol::PersonId("o1".to_owned()),
        });
        assert_eq!(early(&play), Some(now));
        // It is the same recording all the time.
        assert_eq!(told(&play, learner).and_then(|now| now.recording), id);
    }
    assert!(id.is_some());
}

#[test]
fn who_was_asked_and_refused_stays_out_and_no_words_of_a_lesser_sort_follow() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Consent));
    let notice = told(&play, learner).unwrap().notice;
    let accept = false;
    play.ok(learner, M::RecordReply { notice, accept });
    assert_eq!(keys(&who(&mut play)), ["p1"]);
    // Also a public event is told once only that people are asked.
    assert_eq!(
        play.refused(trainer, record(RecordWhom::All, RecordConsent::Notice)),
        ErrorCode::Forbidden
    );
    let set = |plan| Command::RecordingSet {
        plan,
        least: RecordConsent::Notice,
        by: lophoc_protocol::PersonId("p1".to_owned()),
    };
    let mut lesser = plan(RecordConsent::Notice);
    lesser.words.why = "Khác".to_owned();
    play.apply(set(Some(lesser)));
    assert_eq!(told(&play, learner).unwrap().ask, RecordConsent::Consent);
    play.apply(set(None));
    if told(&play, learner).is_some() {
        play.ok(trainer, stop());
    }

    // A next one that only tells takes whoever never said no.
    ready(&mut play, "r2");
    play.join("p3", Role::Learner);
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    assert_eq!(keys(&who(&mut play)), ["p1", "p3"]);
    assert_eq!(play.client(trainer).unrecorded, ["p2"]);
}

#[test]
fn whoever_refused_himself_does_not_accept_by_beginning_one() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Consent));
    let notice = told(&play, learner).unwrap().notice;
    let accept = false;
    play.ok(trainer, M::RecordReply { notice, accept });
    play.ok(
        trainer,
        record(RecordWhom::Presenters, RecordConsent::Consent),
    );
    assert_eq!(keys(&who(&mut play)), [] as [&str; 0]);
    let notice = told(&play, learner).unwrap().notice;
    let accept = true;
    play.ok(trainer, M::RecordReply { notice, accept });
    assert_eq!(keys(&who(&mut play)), ["p1"]);
}

#[test]
fn a_setting_older_than_the_sort_of_class_asks_as_the_class_does() {
    let mut play = Play::with(RoomConfig {
        recording: Some(plan(RecordConsent::Notice)),
        ..config(RoomMode::Discussion)
    });
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.apply(Command::Tick);
    assert_eq!(told(&play, learner).unwrap().ask, RecordConsent::Consent);
    assert_eq!(keys(&start_of(&mut play).who), [] as [&str; 0]);
}

#[test]
fn presenters_alone_are_taken_where_it_says_so() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let chair = play.join("p4", Role::Chair);
    let learner = play.join("p2", Role::Learner);
    play.join("t1", Role::Technician);
    ready(&mut play, "r1");
    play.ok(
        trainer,
        record(RecordWhom::Presenters, RecordConsent::Notice),
    );
    live(&mut play, trainer, MediaKind::Camera);
    live(&mut play, chair, MediaKind::Camera);
    play.ok(
        trainer,
        M::ModFloor {
            who: id("p2"),
            give: true,
        },
    );
    live(&mut play, learner, MediaKind::Camera);
    live(&mut play, learner, MediaKind::Screen);
    let now = who(&mut play);
    assert_eq!(keys(&now), ["p1", "p4"]);
    assert_eq!(now.presenter, play.room.peer_of(trainer));
    assert_eq!(now.promoted, [play.room.peer_of(chair).unwrap()]);
    assert_eq!(now.screen, None);
    // A role that was handed over counts at once.
    play.ok(
        chair,
        M::ModRole {
            who: id("p2"),
            role: Role::Trainer,
        },
    );
    let now = who(&mut play);
    assert_eq!(keys(&now), ["p1", "p2", "p4"]);
    assert_eq!(now.screen, play.room.peer_of(learner));
    // The one before stays the presenter.
    assert_eq!(now.presenter, play.room.peer_of(trainer));
}

#[test]
fn promoted_people_are_taken_small_and_people_in_groups_not_at_all() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    live(&mut play, trainer, MediaKind::Camera);
    live(&mut play, learner, MediaKind::Camera);
    let now = who(&mut play);
    assert_eq!(
        (now.presenter, now.promoted.len()),
        (play.room.peer_of(trainer), 0)
    );
    play.ok(
        trainer,
        M::ModSpot {
            who: vec![id("p2")],
        },
    );
    assert_eq!(
        who(&mut play).promoted,
        [play.room.peer_of(learner).unwrap()]
    );

    play.ok(
        trainer,
        M::GroupsMake {
            names: vec!["Nhóm 1".into()],
            by: lophoc_protocol::groups::GroupBy::Random,
        },
    );
    play.ok(trainer, M::GroupsOpen { minutes: None });
    assert_eq!(keys(&who(&mut play)), ["p1"]);
    play.ok(trainer, M::GroupsClose);
    play.wait(120_000);
    assert_eq!(keys(&who(&mut play)), ["p1", "p2"]);
}

#[test]
fn by_the_setting_it_begins_with_the_lesson_as_soon_as_there_is_a_recorder() {
    let mut play = Play::with(RoomConfig {
        recording: Some(plan(RecordConsent::Consent)),
        ..config(RoomMode::Training)
    });
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.wait(6_000);
    assert_eq!(news(&play), ["noRecorder"]);
    let desk = play.client(trainer).record_desk.clone().unwrap();
    assert_eq!(desk.unable, Some(RecordTrouble::NoRecorder));
    assert_eq!(desk.alarms, [RecordTrouble::NoRecorder]);
    assert_eq!(play.client(learner).record_desk, None);
    ready(&mut play, "r1");
    assert_eq!(start_of(&mut play).by, None);
    assert_eq!(state(&play, learner), Some(RecordState::Starting));
    assert_eq!(
        play.client(trainer).record_desk.clone().unwrap().unable,
        None
    );
    // What was decided in the room goes before the setting.
    play.ok(trainer, stop());
    ready(&mut play, "r2");
    play.wait(1_000);
    assert_eq!(told(&play, learner), None);

    // One that is begun by hand is not begun by the setting.
    let by_hand = RecordingPlan {
        auto: false,
        ..plan(RecordConsent::Consent)
    };
    let mut play = Play::with(RoomConfig {
        recording: Some(by_hand),
        ..config(RoomMode::Training)
    });
    let trainer = play.join("p1", Role::Trainer);
    ready(&mut play, "r1");
    play.wait(10_000);
    assert_eq!(told(&play, trainer), None);
    assert_eq!(news(&play), [] as [&str; 0]);
}

#[test]
fn trouble_is_told_to_those_who_look_after_it_and_to_nobody_else() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    let technician = play.join("t1", Role::Technician);
    let learner = play.join("p2", Role::Learner);
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    let id = RecordingId::from("r1");
    report(&mut play, RecorderReport::Capturing { id: id.clone() });
    report(&mut play, RecorderReport::Failed { id: id.clone() });
    assert_eq!(state(&play, learner), Some(RecordState::Failed));
    report(&mut play, RecorderReport::Capturing { id: id.clone() });
    assert_eq!(state(&play, learner), Some(RecordState::On));
    let at = play.now.wall_ms;
    report(
        &mut play,
        RecorderReport::Gap {
            id: id.clone(),
            from_ms: at - 2_000,
            to_ms: at,
        },
    );
    report(
        &mut play,
        RecorderReport::DiskLow {
            id: id.clone(),
            left: 9 << 30,
        },
    );
    report(&mut play, RecorderReport::DiskSlow { id: id.clone() });
    // Of a recording that does not go on nothing is told.
    report(
        &mut play,
        RecorderReport::Failed {
            id: RecordingId::from("r9"),
        },
    );
    use RecordTrouble as T;
    let desk = |play: &Play, link| play.client(link).record_desk.clone().unwrap().alarms;
    let so_far = [T::Failed, T::Gap, T::DiskLow, T::DiskSlow];
    assert_eq!(desk(&play, trainer), so_far);
    assert_eq!(desk(&play, technician), so_far);
    assert_eq!(play.client(learner).record_desk, None);
    let late = play.join("p5", Role::Adviser);
    assert_eq!(desk(&play, late), so_far);

    report(
        &mut play,
        RecorderReport::Ended {
            id: id.clone(),
            why: T::DiskFull,
        },
    );
    assert_eq!(told(&play, learner), None);
    assert_eq!(desk(&play, technician).last(), Some(&T::DiskFull));
    assert_eq!(
        news(&play),
        [
            "capturing",
            "failed",
            "capturing",
            "gap",
            "diskLow",
            "diskSlow",
            "diskFull"
        ]
    );
    let mut after = play.restart(1_000, &[]);
    let back = after.join("t1", Role::Technician);
    assert_eq!(
        after.client(back).record_desk.clone().unwrap().alarms.len(),
        5
    );

    // Alarms that never end are not written for ever.
    ready(&mut play, "r2");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    let before = news(&play).len();
    for _ in 0..500 {
        report(
            &mut play,
            RecorderReport::DiskLow {
                id: RecordingId::from("r2"),
                left: 1,
            },
        );
    }
    assert!(news(&play).len() - before <= 61);
}

#[test]
fn one_source_at_a_time_and_an_empty_room_is_not_recorded_for_ever() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    ready(&mut play, "r1");
    let outside = || M::ModRecord {
        on: true,
        who: "Ban tổ chức".into(),
        why: String::new(),
        keep: String::new(),
        by: RecordedBy::External,
        whom: RecordWhom::All,
        ask: RecordConsent::Notice,
    };
    let server = || record(RecordWhom::All, RecordConsent::Notice);
    play.ok(trainer, outside());
    assert_eq!(play.refused(trainer, server()), ErrorCode::Conflict);
    assert_eq!(
        play.refused(trainer, M::ModRecordPause { on: true }),
        ErrorCode::Conflict
    );
    play.ok(trainer, stop());
    play.ok(trainer, server());
    assert_eq!(play.refused(trainer, outside()), ErrorCode::Conflict);
    play.ok(trainer, M::Leave);
    play.wait(9 * 60_000);
    assert!(play.room.is_recorded_here());
    play.wait(2 * 60_000);
    assert!(!play.room.is_recorded_here());
    assert!(matches!(
        play.recorder.last(),
        Some(RecordCommand::Stop { .. })
    ));
}

#[test]
fn taken_people_are_in_the_order_of_their_peers() {
    let mut play = public();
    let trainer = play.join("p1", Role::Trainer);
    for n in 2..9 {
        play.join(&format!("p{n}"), Role::Learner);
    }
    ready(&mut play, "r1");
    play.ok(trainer, record(RecordWhom::All, RecordConsent::Notice));
    let may: Vec<Taken> = start_of(&mut play).who.may;
    assert_eq!(may.len(), 8);
    assert!(may.is_sorted_by(|a, b| a.peer < b.peer));
}
