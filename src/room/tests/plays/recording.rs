//! That the session is recorded: told to all, kept, begun by a setting.

use super::*;
use lophoc_protocol::limits::{MAX_LABEL, MAX_RECORD_TEXT};
use lophoc_protocol::recording::{RecordConsent, RecordWhom};
use lophoc_protocol::server::{RecordedBy, Recording};
use lophoc_room::{RecordingPlan, RecordingWords};

fn record(on: bool, who: &str, why: &str) -> M {
    M::ModRecord {
        on,
        who: who.into(),
        why: why.into(),
        keep: String::new(),
        by: RecordedBy::External,
        whom: RecordWhom::All,
        ask: RecordConsent::Notice,
    }
}

fn told(play: &Play, link: LinkId) -> Option<Recording> {
    play.client(link).room.clone().unwrap().recording
}

fn words(who: &str) -> RecordingPlan {
    RecordingPlan {
        by: RecordedBy::External,
        words: RecordingWords {
            who: who.into(),
            why: "Lưu hồ sơ".into(),
            keep: String::new(),
        },
        auto: true,
        whom: RecordWhom::All,
        ask: RecordConsent::Notice,
        from_start: false,
    }
}

fn recorded(play: &Play) -> Vec<(bool, String, Option<String>)> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Recording { on, who, by, .. } => {
                Some((*on, who.clone(), by.clone().map(|by| by.0)))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_recording_is_told_to_all_and_to_late_comers_and_outlives_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(
        play.refused(learner, record(true, "Em", "")),
        ErrorCode::Forbidden
    );
    assert_eq!(
        play.refused(trainer, record(true, " \u{200b}", "")),
        ErrorCode::BadRequest
    );
    let long = "x".repeat(MAX_LABEL + 1);
    assert_eq!(
        play.refused(trainer, record(true, &long, "")),
        ErrorCode::TooLarge
    );
    let long = "x".repeat(MAX_RECORD_TEXT + 1);
    assert_eq!(
        play.refused(trainer, record(true, "Sở", &long)),
        ErrorCode::TooLarge
    );
    assert_eq!(told(&play, learner), None);

    play.ok(trainer, record(true, "  Ban\n tổ chức ", "Lưu hồ sơ"));
    let now = told(&play, learner).unwrap();
    assert_eq!(
        (now.who.as_str(), now.why.as_str()),
        ("Ban tổ chức", "Lưu hồ sơ")
    );
    let late = play.join("p3", Role::Guest);
    assert_eq!(told(&play, late), Some(now.clone()));

    // Said again nothing happens; other words replace these, the beginning stays.
    play.ok(trainer, record(true, "Ban tổ chức", "Lưu hồ sơ"));
    play.wait(5_000);
    play.ok(trainer, record(true, "Ban tổ chức", "Xem lại"));
    let now = told(&play, late).unwrap();
    assert_eq!(now.why, "Xem lại");
    let mut after = play.restart(20_000, &[]);
    let back = after.join("p2", Role::Learner);
    assert_eq!(told(&after, back), Some(now));

    play.ok(trainer, record(false, "", ""));
    play.ok(trainer, record(false, "", ""));
    assert_eq!((told(&play, learner), told(&play, late)), (None, None));
    let by = Some("p1".to_owned());
    assert_eq!(
        recorded(&play),
        [
            (true, "Ban tổ chức".into(), by.clone()),
            (true, "Ban tổ chức".into(), by.clone()),
            (false, String::new(), by),
        ]
    );
    assert_eq!(play.restart(1_000, &[]).room.info().recording, None);
}

#[test]
fn by_the_setting_a_recording_begins_with_the_lesson_and_the_room_has_the_last_word() {
    let mut play = Play::with(RoomConfig {
        starts_ms: Some(START.wall_ms + 600_000),
        recording: Some(words("Trường")),
        ..config(RoomMode::Training)
    });
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(told(&play, learner), None);
    play.ok(trainer, M::ModStart);
    assert_eq!(told(&play, learner).unwrap().who, "Trường");
    assert_eq!(recorded(&play), [(true, "Trường".into(), None)]);

    // What was decided in the room goes before the setting, after a crash too.
    play.ok(trainer, record(false, "", ""));
    let after = play.restart(1_000, &[]);
    assert_eq!(after.room.info().recording, None);

    // A setting that changes is followed at once.
    let set = |words| Command::RecordingSet {
        plan: words,
        least: RecordConsent::Consent,
        by: id("o1"),
    };
    play.apply(set(Some(words("Trường"))));
    assert_eq!(told(&play, learner), None);
    play.apply(set(Some(words("Sở"))));
    assert_eq!(told(&play, learner).unwrap().who, "Sở");
    play.apply(set(None));
    assert_eq!(told(&play, learner), None);
    play.apply(set(Some(words("Sở"))));
    assert_eq!(told(&play, learner).unwrap().who, "Sở");

    // It ends with the session at the latest.
    play.ok(trainer, M::ModEnd);
    let last = recorded(&play).pop().unwrap();
    assert_eq!(last, (false, String::new(), Some("p1".into())));
    assert_eq!(play.room.info().recording, None);
}
