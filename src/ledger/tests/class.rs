//! Class summary, sums by unit, activity, plan versus actual.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use lophoc_ledger::{
    Change, ClassBy, ClassPart, ClassSummary, EventKind, Mark, NameOrder, PersonActivity,
    PersonKey, PlanRules, PlanState, Planned, Report, Rules, SessionKey, Status, WaitOutcome,
    Window, activity, by_unit, class_summary, plan_versus_actual,
};

fn key(who: &str) -> PersonKey {
    PersonKey::from(who)
}

/// Three sessions of an hour for An, Bình and Chi.
fn sessions() -> Vec<Log> {
    let session = |spans: &[(&str, u64, u64)]| {
        let mut log = Log::started(&["An", "Bình", "Chi"]);
        log.expected[2].unit = Some("Trường Á".to_owned());
        let mut events: Vec<(u64, EventKind)> = Vec::new();
        for (who, from, to) in spans {
            events.push((*from, join(who)));
            events.push((*to, leave(who)));
        }
        events.sort_by_key(|(at, _)| *at);
        for (at, kind) in events {
            log.at(at * MIN, kind);
        }
        log.at(60 * MIN, end());
        log
    };
    let mut logs = vec![
        session(&[("An", 0, 60), ("Bình", 20, 60), ("Chi", 0, 60)]),
        session(&[("An", 0, 60), ("Bình", 20, 40)]),
        session(&[("An", 0, 30), ("Chi", 0, 60)]),
    ];
    logs[1].expected[2].excused = Some("ốm".to_owned());
    logs
}

fn summary(logs: &[Log], rules: &Rules) -> ClassSummary {
    let reports: Vec<Report> = logs.iter().map(Log::report).collect();
    let keys: Vec<SessionKey> = (0..logs.len())
        .map(|index| SessionKey(format!("b{index}")))
        .collect();
    let parts: Vec<ClassPart<'_>> = reports
        .iter()
        .zip(&keys)
        .map(|(report, session)| ClassPart {
            session,
            counts: true,
            report,
        })
        .collect();
    class_summary(&parts, rules, NameOrder::default())
}

fn letters(summary: &ClassSummary, who: &str) -> Vec<&'static str> {
    let row = summary.rows.iter().find(|row| row.person.0 == who).unwrap();
    row.cells.iter().map(|cell| cell.mark.letter()).collect()
}

#[test]
fn the_summary_has_a_letter_per_person_and_session() {
    let summary = summary(&sessions(), &Rules::default());
    assert_eq!(letters(&summary, "An"), ["x", "x", "S"]);
    assert_eq!(letters(&summary, "Bình"), ["M", "MS", "K"]);
    assert_eq!(letters(&summary, "Chi"), ["x", "P", "x"]);
    let order: Vec<&str> = summary.rows.iter().map(|row| &*row.person.0).collect();
    assert_eq!(order, ["An", "Bình", "Chi"]);
}

#[test]
fn shares_are_of_the_sessions_that_count_and_the_rules_say_who_is_eligible() {
    let by = |class_by, class_permille| Rules {
        class_by,
        class_permille,
        ..Rules::default()
    };
    let minutes = summary(&sessions(), &by(ClassBy::Minutes, 800));
    let an = &minutes.rows[0];
    assert_eq!((an.sessions, an.present, an.attended), (3, 3, 2));
    assert_eq!((an.present_ms, an.counted_ms), (150 * MIN, 180 * MIN));
    assert_eq!((an.sessions_permille, an.minutes_permille), (667, 833));
    assert!(an.eligible);
    let chi = &minutes.rows[2];
    assert_eq!((chi.excused, chi.absent), (1, 0));
    assert_eq!((chi.sessions_permille, chi.minutes_permille), (667, 667));
    assert!(!chi.eligible, "an excused absence is no presence");
    assert_eq!(minutes.eligible, 1);

    let sessions_by = summary(&sessions(), &by(ClassBy::Sessions, 667));
    let eligible: Vec<bool> = sessions_by.rows.iter().map(|row| row.eligible).collect();
    assert_eq!(eligible, [true, false, true]);
}

#[test]
fn a_session_that_goes_on_or_does_not_count_is_shown_and_not_summed() {
    let logs = sessions();
    let mut going = Log::started(&["An", "Dung"]);
    going.at(0, join("An"));
    let reports = [logs[0].report(), logs[1].report(), going.report_at(MIN)];
    let session = SessionKey::from("b");
    let part = |index: usize, counts| ClassPart {
        session: &session,
        counts,
        report: &reports[index],
    };
    let parts = [part(0, true), part(1, false), part(2, true)];
    let summary = class_summary(&parts, &Rules::default(), NameOrder::default());
    let counted: Vec<bool> = summary.sessions.iter().map(|s| s.counted).collect();
    assert_eq!(counted, [true, false, false]);
    let an = &summary.rows[0];
    assert_eq!((an.sessions, an.counted_ms), (1, 60 * MIN));
    assert_eq!(letters(&summary, "An"), ["x", "x", "x"]);
    assert_eq!(letters(&summary, "Dung"), ["", "", ""]);
    let dung = &summary.rows[3];
    assert_eq!((dung.sessions, dung.eligible), (0, false));
    assert_eq!(dung.cells[0].mark, Mark::Outside);
    assert_eq!(dung.cells[2].mark, Mark::NotTaken);
}

#[test]
fn corrections_go_into_the_summary_and_are_marked() {
    let mut logs = sessions();
    logs[2].adjust(
        "Bình",
        Change::Status {
            to: Status::InPerson,
        },
    );
    logs[2].adjust("Bình", Change::Present { to_ms: 60 * MIN });
    let summary = summary(&logs, &Rules::default());
    assert_eq!(letters(&summary, "Bình"), ["M", "MS", "x"]);
    let binh = &summary.rows[1];
    assert!(binh.cells[2].adjusted && !binh.cells[1].adjusted);
    assert_eq!(binh.present_ms, 120 * MIN);
}

#[test]
fn units_are_summed_over_people_and_sessions_in_vietnamese_order() {
    let summary = summary(&sessions(), &Rules::default());
    let names: Vec<Option<&str>> = summary.units.iter().map(|u| u.unit.as_deref()).collect();
    assert_eq!(names, [Some("Trường A"), Some("Trường Á")]);
    let a = &summary.units[0];
    assert_eq!((a.people, a.eligible), (2, 1));
    assert_eq!(
        (a.turns.expected, a.turns.present, a.turns.absent),
        (6, 5, 1)
    );
    assert_eq!(a.turns.present_permille(), 833);
    let b = &summary.units[1];
    assert_eq!(
        (b.turns.expected, b.turns.present, b.turns.excused),
        (3, 2, 1)
    );
    assert_eq!(summary.turns.expected, 9);
    assert_eq!(summary.turns.present, 7);
}

#[test]
fn a_session_by_unit_counts_guests_of_no_unit_last() {
    let mut log = Log::started(&["An", "Bình"]);
    log.expected[1].unit = None;
    log.at(0, join("An")).at(0, join_as("Thầy", "trainer", "d"));
    let guest = EventKind::Join {
        person: key("k"),
        name: "Khách".to_owned(),
        unit: Some("Báo Đ".to_owned()),
        role: "guest".to_owned(),
        device: "d".to_owned(),
    };
    log.at(0, guest).at(60 * MIN, end());
    let units = by_unit(&log.report().rows);
    let told: Vec<(Option<&str>, u32, u32, u32)> = units
        .iter()
        .map(|unit| {
            let totals = unit.totals;
            (
                unit.unit.as_deref(),
                totals.expected,
                totals.present,
                totals.guests,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("Báo Đ"), 0, 0, 1),
            (Some("Trường A"), 1, 1, 0),
            (None, 1, 0, 0)
        ]
    );
}

// Activity (TT 21/2017 Điều 5.1.c).

fn did(log: &Log, who: &str) -> PersonActivity {
    let activity = activity(&log.input(None), Some(WALL + 5 * MIN));
    let found = activity.people.into_iter().find(|row| row.person.0 == who);
    found.unwrap()
}

fn track(who: &str, kind: &str, on: bool) -> EventKind {
    EventKind::Track {
        person: key(who),
        kind: kind.to_owned(),
        on,
    }
}

#[test]
fn a_trainers_time_camera_and_speech_are_of_the_counted_time() {
    let mut log = Log::new();
    log.at(0, opened()).at(0, join_as("Thầy", "trainer", "d"));
    log.at(MIN, track("Thầy", "camera", true))
        .at(10 * MIN, start())
        .at(20 * MIN, track("Thầy", "camera", false))
        .at(20 * MIN, track("Thầy", "screen", true))
        .at(30 * MIN, pause(true))
        .at(40 * MIN, pause(false));
    let talk = |log: &Log, from: u64, to: u64| EventKind::Talk {
        person: key("Thầy"),
        from: log.stamp(from),
        to: log.stamp(to),
    };
    for (from, to) in [(8, 12), (12, 13), (28, 32)] {
        let kind = talk(&log, from * MIN, to * MIN);
        log.at((40 + from) * MIN, kind);
    }
    // The screen is left on when he leaves and when it ends.
    log.at(75 * MIN, leave("Thầy")).at(80 * MIN, end());
    let thay = did(&log, "Thầy");
    assert!(thay.staff);
    assert_eq!(thay.room_ms, 75 * MIN);
    assert_eq!(thay.lesson_ms, 55 * MIN);
    assert_eq!(thay.camera_ms, 10 * MIN);
    assert_eq!(thay.screen_ms, 45 * MIN);
    assert_eq!((thay.talk_ms, thay.talks), (2 * MIN + MIN + 2 * MIN, 1));
    assert_eq!(thay.arrival_ms, Some(-(5 * MIN as i64)));
    let all = activity(&log.input(None), Some(WALL + 5 * MIN));
    assert_eq!(all.start_ms, Some(5 * MIN as i64));
    assert_eq!(all.counted_ms, 60 * MIN);
}

#[test]
fn participation_and_moderation_are_counted_in_the_lesson() {
    let mut log = Log::new();
    let hand = |up, by: Option<&str>| EventKind::Hand {
        person: key("An"),
        up,
        by: by.map(key),
    };
    let floor = |given, by| EventKind::Floor {
        person: key("An"),
        given,
        by: key(by),
    };
    log.at(0, opened())
        .at(0, join_as("Thầy", "trainer", "d"))
        .at(0, join("An"))
        .at(MIN, chat("An", "c0"))
        .at(2 * MIN, start())
        .at(3 * MIN, chat("An", "c1"))
        .at(3 * MIN, hand(true, None))
        .at(3 * MIN, hand(true, None))
        .at(4 * MIN, floor(true, "Thầy"))
        .at(4 * MIN, hand(false, Some("Thầy")))
        .at(6 * MIN, floor(false, "An"))
        .at(7 * MIN, hand(true, None))
        .at(8 * MIN, hand(false, None))
        .at(9 * MIN, hand(true, None))
        .at(9 * MIN, hand(false, Some("Thầy")));
    let mute = EventKind::Mute {
        person: None,
        kind: "mic".to_owned(),
        by: key("Thầy"),
        may_unmute: true,
        except: vec![],
    };
    let asked = EventKind::Asked {
        person: key("An"),
        kind: "mic".to_owned(),
        by: key("Thầy"),
    };
    let admitted = EventKind::WaitOver {
        person: key("An"),
        outcome: WaitOutcome::Admitted,
        by: Some(key("Thầy")),
    };
    log.at(10 * MIN, mute)
        .at(10 * MIN, asked)
        .at(10 * MIN, admitted)
        .at(11 * MIN, floor(true, "Thầy"))
        .at(20 * MIN, leave("An"))
        .at(60 * MIN, end());
    let an = did(&log, "An");
    assert_eq!((an.chat, an.hands, an.hands_answered), (1, 3, 2));
    assert_eq!((an.floors, an.floor_ms), (2, 11 * MIN));
    let thay = did(&log, "Thầy");
    assert_eq!((thay.floors_given, thay.answers), (2, 2));
    assert_eq!((thay.mutes, thay.asked, thay.admitted), (1, 1, 1));

    let all = activity(&log.input(None), None);
    let order: Vec<&str> = all.people.iter().map(|row| &*row.person.0).collect();
    assert_eq!(order, ["Thầy", "An"], "staff first");
    let turns: Vec<(u64, u64, &str)> = all
        .floor
        .iter()
        .map(|turn| {
            let at = |ms: u64| (ms - WALL) / MIN;
            (at(turn.from_ms), at(turn.to_ms), turn.by.as_str())
        })
        .collect();
    assert_eq!(turns, [(4, 6, "Thầy"), (11, 20, "Thầy")]);
}

#[test]
fn a_crash_ends_camera_and_floor_with_the_last_sign_of_life() {
    let mut log = Log::started(&[]);
    log.at(0, join_as("Thầy", "trainer", "d"))
        .at(0, track("Thầy", "camera", true))
        .at(
            0,
            EventKind::Floor {
                person: key("Thầy"),
                given: true,
                by: key("Thầy"),
            },
        )
        .seen(10 * MIN, "Thầy");
    let seen = log.presence[0].at;
    log.restart(WALL + 20 * MIN)
        .at(0, EventKind::Reopened {})
        .at(0, lapse("Thầy", seen))
        .at(5 * MIN, back("Thầy"))
        .at(10 * MIN, end());
    let thay = did(&log, "Thầy");
    assert_eq!((thay.camera_ms, thay.floor_ms), (10 * MIN, 10 * MIN));
    assert_eq!((thay.lesson_ms, thay.floors_given), (15 * MIN, 0));
}

// Plan versus actual (TT 21/2017 Điều 3.1).

const HOUR: u64 = 60 * MIN;

fn planned(from: Option<u64>, to: Option<u64>) -> Planned {
    Planned {
        session: SessionKey::from("b"),
        from_ms: from,
        to_ms: to,
        moved_to_ms: None,
        cancelled: false,
    }
}

fn window(from_ms: u64, to_ms: Option<u64>) -> Window {
    Window {
        from_ms: Some(from_ms),
        to_ms,
        ..Window::default()
    }
}

#[test]
fn each_session_is_held_cut_short_moved_or_not_held() {
    let plan = planned(Some(10 * HOUR), Some(12 * HOUR));
    let moved = Planned {
        moved_to_ms: Some(40 * HOUR),
        ..plan.clone()
    };
    let cancelled = Planned {
        cancelled: true,
        ..plan.clone()
    };
    let cases = [
        (
            &plan,
            Some(window(10 * HOUR, Some(12 * HOUR))),
            PlanState::Held,
        ),
        (
            &plan,
            Some(window(10 * HOUR, Some(11 * HOUR + 50 * MIN))),
            PlanState::Held,
        ),
        (
            &plan,
            Some(window(10 * HOUR, Some(11 * HOUR + 49 * MIN))),
            PlanState::CutShort,
        ),
        (
            &plan,
            Some(window(34 * HOUR, Some(36 * HOUR))),
            PlanState::Moved,
        ),
        (
            &plan,
            Some(window(34 * HOUR, Some(35 * HOUR))),
            PlanState::MovedCutShort,
        ),
        (&plan, Some(window(12 * HOUR, None)), PlanState::Running),
        (&plan, Some(Window::default()), PlanState::NotHeld),
        (&plan, None, PlanState::NotHeld),
        (&moved, None, PlanState::Upcoming),
        (
            &moved,
            Some(window(40 * HOUR, Some(42 * HOUR))),
            PlanState::Moved,
        ),
        (&cancelled, None, PlanState::Cancelled),
        (
            &planned(None, None),
            Some(window(HOUR, Some(2 * HOUR))),
            PlanState::Unplanned,
        ),
        (&planned(Some(30 * HOUR), None), None, PlanState::Upcoming),
    ];
    for (planned, window, state) in cases {
        let sessions = [(planned.clone(), window.as_ref())];
        let report = plan_versus_actual(&sessions, &PlanRules::default(), 13 * HOUR);
        assert_eq!(report.rows[0].state, state, "{planned:?} {window:?}");
    }
}

#[test]
fn differences_have_a_sign_and_sums_add_up() {
    let held = window(10 * HOUR + 5 * MIN, Some(11 * HOUR + 35 * MIN));
    let sessions = [
        (planned(Some(10 * HOUR), Some(12 * HOUR)), Some(&held)),
        (planned(Some(20 * HOUR), Some(22 * HOUR)), None),
    ];
    let report = plan_versus_actual(&sessions, &PlanRules::default(), 100 * HOUR);
    let row = &report.rows[0];
    assert_eq!(row.start_ms, Some(5 * MIN as i64));
    assert_eq!(row.difference_ms, Some(-(30 * MIN as i64)));
    let totals = report.totals;
    assert_eq!(
        (
            totals.planned,
            totals.held,
            totals.cut_short,
            totals.not_held
        ),
        (2, 1, 1, 1)
    );
    assert_eq!(totals.planned_ms, 4 * HOUR);
    assert_eq!(totals.difference_ms, -(150 * MIN as i64));
}

#[test]
fn questions_answered_and_standing_in_are_the_work_of_those_who_teach() {
    let mut log = Log::new();
    let ask = |who: &str, id: &str| EventKind::Question {
        person: key(who),
        id: id.to_owned(),
        cid: id.to_owned(),
        text: "?".to_owned(),
        anonymous: false,
        held: false,
    };
    let set = |id: &str, state: &str, by: &str| EventKind::QuestionSet {
        id: id.to_owned(),
        state: state.to_owned(),
        answer: None,
        by: key(by),
    };
    let private = EventKind::Chat {
        person: key("An"),
        id: "c1".to_owned(),
        cid: "c1".to_owned(),
        text: "riêng".to_owned(),
        to: Some("person:Bình".to_owned()),
    };
    log.at(0, opened())
        .at(0, join_as("Thầy", "trainer", "d"))
        .at(0, join("An"))
        .at(0, join("Bình"))
        .at(MIN, start())
        .at(2 * MIN, ask("An", "q1"))
        .at(2 * MIN, ask("Thầy", "q2"))
        .at(3 * MIN, set("q1", "live", "Thầy"))
        .at(4 * MIN, set("q1", "answered", "Thầy"))
        .at(5 * MIN, set("q1", "open", "Thầy"))
        .at(6 * MIN, set("q1", "answered", "Thầy"))
        .at(7 * MIN, set("q2", "answered", "Thầy"))
        .at(8 * MIN, private)
        .at(
            9 * MIN,
            EventKind::RoleGiven {
                person: key("Bình"),
                role: "trainer".to_owned(),
                by: key("Thầy"),
            },
        )
        .at(
            9 * MIN,
            EventKind::Substitute {
                person: key("Bình"),
                instead: "Cô Hà".to_owned(),
                by: key("Thầy"),
            },
        )
        .at(60 * MIN, end());
    let thay = did(&log, "Thầy");
    assert_eq!(
        (thay.questions, thay.questions_answered),
        (1, 1),
        "once each, and not one's own"
    );
    let an = did(&log, "An");
    assert_eq!(
        (an.questions, an.chat),
        (1, 0),
        "what is private is not counted"
    );
    let binh = did(&log, "Bình");
    assert_eq!(
        binh.role, "learner",
        "attendance goes by the role he came with"
    );
    assert_eq!(binh.role_given.as_deref(), Some("trainer"));
    assert_eq!(binh.stood_in_for.as_deref(), Some("Cô Hà"));
    assert_eq!(thay.stood_in_for, None);
}
