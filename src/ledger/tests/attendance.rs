//! Attendance rule by rule (domain-vn.md 3.2, 3.4), cases by hand.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use lophoc_ledger::{
    Change, EventKind, IntervalKind, PersonKey, Span, Status, WaitOutcome, permille,
};

fn span(from: u64, to: u64) -> Span {
    Span {
        from_ms: WALL + from,
        to_ms: WALL + to,
    }
}

// Rule 1: the union of intervals in the counted window.

#[test]
fn presence_counts_from_the_beginning_to_the_end_of_the_lesson() {
    let mut log = Log::new();
    log.expect(&["An"]).at(0, opened()).at(0, join("An"));
    log.at(20 * MIN, start()).at(80 * MIN, end());
    let report = log.report();
    assert_eq!(report.window.from_ms, Some(WALL + 20 * MIN));
    assert_eq!(report.window.to_ms, Some(WALL + 80 * MIN));
    assert_eq!(report.window.counted_ms, 60 * MIN);
    assert!(report.ended);
    let an = row(&report, "An");
    assert_eq!(an.auto.present_ms, 60 * MIN);
    assert_eq!(an.auto.permille, 1_000);
    assert_eq!(an.auto.status, Status::Online);
    assert_eq!((an.entries, an.gaps), (1, 0));
    assert_eq!(an.first_in_ms, Some(WALL), "as it was, in the rehearsal");
    assert!(!an.auto.late && !an.auto.early && an.auto.enough);
}

#[test]
fn rehearsal_alone_is_no_presence() {
    let mut log = Log::new();
    log.expect(&["An"]).at(0, opened()).at(0, join("An"));
    log.at(10 * MIN, leave("An"));
    let before = log.report_at(12 * MIN);
    assert_eq!(before.window.from_ms, None);
    assert_eq!(row(&before, "An").auto.status, Status::NotTaken);
    let closed = log.report();
    assert_eq!(closed.window, before.window, "nor when the room is closed");
    log.at(20 * MIN, start()).at(80 * MIN, end());
    let an = row(&log.report(), "An");
    assert_eq!(an.auto.status, Status::Absent);
    assert_eq!((an.auto.present_ms, an.entries), (0, 0));
    assert_eq!(an.intervals.len(), 1, "but it is shown");
}

#[test]
fn waiting_is_no_presence() {
    let mut log = Log::started(&["An"]);
    let waiting = EventKind::Waiting {
        person: PersonKey::from("An"),
        name: "Nguyễn Văn An".to_owned(),
        unit: None,
        role: "learner".to_owned(),
        device: "d1".to_owned(),
    };
    let over = EventKind::WaitOver {
        person: PersonKey::from("An"),
        outcome: WaitOutcome::Admitted,
        by: None,
    };
    log.at(0, waiting).at(5 * MIN, over).at(5 * MIN, join("An"));
    log.at(60 * MIN, end());
    let an = row(&log.report(), "An");
    assert_eq!(an.auto.present_ms, 55 * MIN);
    assert_eq!(an.first_in_ms, Some(WALL + 5 * MIN));
}

#[test]
fn a_break_is_neither_presence_nor_absence() {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(0, join("An")).at(0, join("Bình"));
    log.at(30 * MIN, pause(true)).at(30 * MIN, leave("Bình"));
    log.at(45 * MIN, pause(false)).at(45 * MIN, join("Bình"));
    log.at(60 * MIN, end());
    let report = log.report();
    assert_eq!(report.window.breaks, [span(30 * MIN, 45 * MIN)]);
    assert_eq!(
        report.window.counted,
        [span(0, 30 * MIN), span(45 * MIN, 60 * MIN)]
    );
    for who in ["An", "Bình"] {
        let row = row(&report, who);
        assert_eq!(row.auto.present_ms, 45 * MIN, "{who}");
        assert_eq!(row.gaps, 0, "{who}: a gap that spans a break is none");
    }
    assert_eq!(row(&report, "Bình").entries, 2);
}

#[test]
fn somebody_only_there_in_a_break_was_not_present() {
    let mut log = Log::started(&["An"]);
    log.at(30 * MIN, pause(true)).at(31 * MIN, join("An"));
    assert_eq!(
        row(&log.report_at(32 * MIN), "An").auto.status,
        Status::Online,
        "he is here"
    );
    log.at(40 * MIN, leave("An")).at(45 * MIN, pause(false));
    log.at(60 * MIN, end());
    assert_eq!(row(&log.report(), "An").auto.status, Status::Absent);
}

#[test]
fn a_second_device_and_a_new_name_count_once_and_are_no_entries() {
    let mut log = Log::started(&[]);
    log.at(0, join("An"))
        .at(10 * MIN, join_as("An", "learner", "phone"));
    let renamed = EventKind::Join {
        person: PersonKey::from("An"),
        name: "Trần Thị An".to_owned(),
        unit: Some("Trường B".to_owned()),
        role: "learner".to_owned(),
        device: "phone".to_owned(),
    };
    log.at(20 * MIN, renamed).at(60 * MIN, end());
    let report = log.report();
    assert_eq!(report.rows.len(), 1, "nobody is split");
    let an = row(&report, "An");
    assert_eq!(an.auto.present_ms, 60 * MIN);
    assert_eq!((an.entries, an.gaps, an.intervals.len()), (1, 0, 3));
    assert_eq!(an.name, "Trần Thị An");
    assert_eq!(an.unit.as_deref(), Some("Trường B"));
    assert_eq!(an.intervals[0].end.as_deref(), Some("takenOver"));
    assert_eq!(an.intervals[1].device.as_deref(), Some("phone"));
}

#[test]
fn the_rosters_name_and_unit_stand_whatever_was_typed() {
    let mut log = Log::started(&["An"]);
    let typed = EventKind::Join {
        person: PersonKey::from("An"),
        name: "boss".to_owned(),
        unit: None,
        role: "learner".to_owned(),
        device: "d".to_owned(),
    };
    log.at(0, typed).at(60 * MIN, end());
    let an = row(&log.report(), "An");
    assert_eq!(an.name, "Nguyễn Văn An");
    assert_eq!(an.unit.as_deref(), Some("Trường A"));
}

// Rule 2: grace.

#[test]
fn a_gap_shorter_than_the_grace_is_bridged_and_counted_as_a_gap() {
    for (gap, grace, bridged) in [
        (59_999, 60_000, true),
        (60_000, 60_000, false),
        (1, 0, false),
        (59_999, 0, false),
    ] {
        let mut log = Log::started(&["An"]);
        log.rules.grace_ms = grace;
        log.at(0, join("An"));
        let heard = log.stamp(10 * MIN);
        log.at(10 * MIN + gap.min(20_000), lapse("An", heard))
            .at(10 * MIN + gap, back("An"))
            .at(60 * MIN, end());
        let an = row(&log.report(), "An");
        let missing = if bridged { 0 } else { gap };
        assert_eq!(an.auto.present_ms, 60 * MIN - missing, "{gap} {grace}");
        assert_eq!((an.gaps, an.entries), (1, 2), "{gap} {grace}");
    }
}

#[test]
fn coming_late_and_leaving_early_are_no_gaps_and_never_bridged() {
    let mut log = Log::started(&["An"]);
    log.at(30 * SEC, join("An"))
        .at(60 * MIN - 30 * SEC, leave("An"))
        .at(60 * MIN, end());
    let an = row(&log.report(), "An");
    assert_eq!(an.auto.present_ms, 59 * MIN);
    assert_eq!(an.gaps, 0);
}

#[test]
fn leaving_and_joining_in_the_same_millisecond_is_no_gap() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An"))
        .at(MIN, leave("An"))
        .at(MIN, join("An"))
        .at(60 * MIN, end());
    let an = row(&log.report(), "An");
    assert_eq!((an.auto.present_ms, an.gaps, an.entries), (60 * MIN, 0, 1));
}

// Rule 3: late and early.

#[test]
fn late_is_later_than_ten_minutes_and_early_earlier_than_ten() {
    for (inn, out, late, early) in [
        (10 * MIN, 50 * MIN, false, false),
        (10 * MIN + 1, 50 * MIN - 1, true, true),
    ] {
        let mut log = Log::started(&["An"]);
        log.at(inn, join("An"))
            .at(out, leave("An"))
            .at(60 * MIN, end());
        let report = log.report();
        let an = row(&report, "An");
        assert_eq!((an.auto.late, an.auto.early), (late, early));
        assert_eq!(an.first_in_ms, Some(WALL + inn));
        assert_eq!(an.last_out_ms, Some(WALL + out));
        assert_eq!(report.totals.late, u32::from(late));
        assert_eq!(report.totals.early, u32::from(early));
    }
}

#[test]
fn nobody_leaves_early_while_the_lesson_goes_on() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An")).at(MIN, leave("An"));
    assert!(!row(&log.report_at(59 * MIN), "An").auto.early);
}

#[test]
fn an_outage_makes_nobody_late_or_early() {
    let mut log = Log::started(&["An"]);
    log.at(MIN, chat("Thầy", "c1"));
    log.restart(WALL + 20 * MIN)
        .at(0, EventKind::Reopened {})
        .at(30 * SEC, join("An"))
        .at(40 * MIN, end());
    assert!(!row(&log.report(), "An").auto.late);
    log.rules.count_outages = true;
    assert!(row(&log.report(), "An").auto.late);
}

// Rules 4 and 5: shares and the threshold.

#[test]
fn shares_are_rounded_half_up_to_a_tenth_of_a_percent() {
    assert_eq!(permille(9_324, 10_000), 932);
    assert_eq!(permille(9_325, 10_000), 933);
    assert_eq!(permille(1, 3), 333);
    assert_eq!(permille(2, 3), 667);
    assert_eq!(permille(1, 2_000), 1);
    assert_eq!(permille(1, 2_001), 0);
    assert_eq!(permille(5, 0), 0);
    assert_eq!(permille(u64::MAX, u64::MAX), 1_000);
    assert_eq!(permille(7, 5), 1_000);
}

#[test]
fn the_share_as_shown_reaches_the_threshold_or_not() {
    for (present, enough) in [(799_499, false), (799_500, true), (800_000, true)] {
        let mut log = Log::started(&["An"]);
        log.at(0, join("An"))
            .at(present, leave("An"))
            .at(1_000_000, end());
        let an = row(&log.report(), "An");
        assert_eq!(an.auto.enough, enough, "{}", an.auto.permille);
    }
}

// Rule 6: corrections.

#[test]
fn a_correction_stands_beside_the_automatic_value() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An"))
        .at(30 * MIN, leave("An"))
        .at(60 * MIN, end());
    log.adjust("An", Change::Present { to_ms: 54 * MIN });
    let an = row(&log.report(), "An");
    assert_eq!((an.auto.present_ms, an.auto.permille), (30 * MIN, 500));
    assert!(!an.auto.enough && an.auto.early);
    assert_eq!((an.stands.present_ms, an.stands.permille), (54 * MIN, 900));
    assert!(an.stands.enough && an.stands.early);
    assert_eq!(an.adjusted, [1]);
}

#[test]
fn later_corrections_win_and_clear_takes_all_back() {
    let mut log = Log::started(&["An"]);
    log.at(60 * MIN, end());
    let to = |to| Change::Status { to };
    log.adjust("An", to(Status::Excused))
        .adjust("An", Change::Late { to: true })
        .adjust("An", to(Status::InPerson));
    let report = log.report();
    let an = row(&report, "An");
    assert_eq!(an.auto.status, Status::Absent);
    assert_eq!(an.stands.status, Status::InPerson);
    assert!(an.stands.late && !an.auto.late);
    assert_eq!(an.adjusted, [2, 3]);
    assert_eq!((report.totals.in_person, report.totals.absent), (1, 0));

    log.adjust("An", Change::Clear);
    assert_eq!(row(&log.report(), "An").stands, an.auto);
    assert!(row(&log.report(), "An").adjusted.is_empty());
    log.adjust("An", to(Status::Excused));
    assert_eq!(row(&log.report(), "An").adjusted, [5]);
    log.adjustments.reverse();
    assert_eq!(row(&log.report(), "An").stands.status, Status::Excused);
}

#[test]
fn somebody_set_absent_is_neither_late_nor_enough_and_minutes_have_a_bound() {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(20 * MIN, join("An"))
        .at(0, join("Bình"))
        .at(60 * MIN, end());
    log.adjust("An", Change::Status { to: Status::Absent });
    log.adjust("Bình", Change::Present { to_ms: 600 * MIN });
    let report = log.report();
    let an = row(&report, "An");
    assert!(an.auto.late && !an.stands.late && !an.stands.enough);
    assert_eq!(an.stands.present_ms, 40 * MIN, "minutes stay as they are");
    assert_eq!(row(&report, "Bình").stands.present_ms, 60 * MIN);
    assert_eq!(report.totals.mean_permille, 500, "the absent count as 0");
}

#[test]
fn a_correction_of_somebody_unknown_is_not_lost() {
    let mut log = Log::started(&[]);
    log.at(60 * MIN, end());
    let to = Status::InPerson;
    log.adjust("Lan", Change::Status { to });
    let report = log.report();
    assert_eq!(row(&report, "Lan").stands.status, Status::InPerson);
    assert_eq!(report.totals.guests, 1);
}

// Rule 7: presence checks.

#[test]
fn checks_are_answered_of_those_asked_while_in() {
    let ask = |id: &str| EventKind::CheckAsked {
        id: id.to_owned(),
        until_ms: 0,
    };
    let answer = |who: &str, id: &str| EventKind::CheckAnswered {
        person: PersonKey::from(who),
        id: id.to_owned(),
    };
    let mut log = Log::started(&["An", "Bình"]);
    log.at(0, join("An")).at(5 * MIN, ask("k1"));
    log.at(5 * MIN + SEC, answer("An", "k1"))
        .at(5 * MIN + SEC, answer("An", "k1"))
        .at(6 * MIN, join("Bình"))
        .at(10 * MIN, ask("k2"))
        .at(10 * MIN + SEC, answer("An", "k9"));
    let heard = log.stamp(10 * MIN + 5 * SEC);
    log.at(11 * MIN, lapse("An", heard)).at(12 * MIN, ask("k3"));
    log.at(13 * MIN, back("An"))
        .at(13 * MIN, answer("An", "k3"))
        .at(60 * MIN, end());
    let report = log.report();
    assert_eq!(
        row(&report, "An").checks,
        (2, 3),
        "caught up with the third"
    );
    assert_eq!(row(&report, "Bình").checks, (0, 2));
}

// Rules 8 and 9: clocks and crashes.

#[test]
fn a_clock_set_back_in_the_lesson_changes_no_minutes() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An"));
    log.wall_ms -= 60 * MIN;
    log.at(30 * MIN, leave("An")).at(60 * MIN, end());
    let report = log.report();
    assert_eq!(report.window.counted_ms, 60 * MIN);
    assert_eq!(row(&report, "An").auto.present_ms, 30 * MIN);
}

#[test]
fn a_lesson_over_midnight_is_one_lesson() {
    let midnight = 59_400_000;
    let mut log = Log::new();
    log.at(midnight - MIN, start())
        .at(midnight - MIN, join("An"))
        .at(midnight + MIN, end());
    let report = log.report();
    assert_eq!(report.window.counted_ms, 2 * MIN);
    assert_eq!(row(&report, "An").auto.present_ms, 2 * MIN);
}

/// 30 minutes, the server dies, is back after 10, 20 more minutes.
fn crashed() -> Log {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(0, join("An")).at(0, join("Bình"));
    log.seen(30 * MIN, "An").seen(30 * MIN - 7 * SEC, "Bình");
    let seen = [log.presence[0].at, log.presence[1].at];
    log.restart(WALL + 40 * MIN);
    log.at(0, EventKind::Reopened {})
        .at(0, lapse("An", seen[0]))
        .at(0, lapse("Bình", seen[1]))
        .at(0, back("An"))
        .at(5 * SEC, back("Bình"))
        .at(20 * MIN, end());
    log
}

#[test]
fn an_outage_leaves_the_counted_window_and_costs_nobody_anything() {
    let mut log = crashed();
    let report = log.report();
    assert_eq!(report.window.outages, [span(30 * MIN, 40 * MIN)]);
    assert_eq!(report.window.counted_ms, 50 * MIN);
    let an = row(&report, "An");
    assert_eq!((an.auto.present_ms, an.gaps), (50 * MIN, 0));
    // The counted part of the gap is 7 + 5 seconds.
    let binh = row(&report, "Bình");
    assert_eq!((binh.auto.present_ms, binh.gaps), (50 * MIN, 1));
    log.rules.grace_ms = 0;
    let binh = row(&log.report(), "Bình");
    assert_eq!(binh.auto.present_ms, 50 * MIN - 12 * SEC);
}

#[test]
fn outages_count_when_the_rules_say_so() {
    let mut log = crashed();
    log.rules.count_outages = true;
    let report = log.report();
    assert_eq!(report.window.counted_ms, 60 * MIN);
    assert_eq!(report.window.outages.len(), 1, "shown all the same");
    let an = row(&report, "An");
    assert_eq!((an.auto.present_ms, an.gaps), (50 * MIN, 1));
}

#[test]
fn a_room_that_is_gone_without_an_end_counts_to_the_last_sign_of_life() {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(0, join("An")).seen(30 * MIN, "An");
    let report = log.report();
    assert!(!report.ended);
    assert_eq!(report.window.to_ms, Some(WALL + 30 * MIN));
    assert_eq!(report.window.counted_ms, 30 * MIN);
    assert_eq!(row(&report, "An").auto.present_ms, 30 * MIN);
    assert_eq!(row(&report, "Bình").auto.status, Status::NotTaken);
}

// Windows.

#[test]
fn while_it_goes_on_the_window_lasts_to_now() {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(10 * MIN, join("An"));
    let report = log.report_at(40 * MIN);
    assert_eq!(report.window.to_ms, None);
    assert_eq!(report.window.counted_ms, 40 * MIN);
    let an = row(&report, "An");
    assert!(an.here && an.intervals[0].open);
    assert_eq!((an.auto.present_ms, an.last_out_ms), (30 * MIN, None));
    assert_eq!(row(&report, "Bình").auto.status, Status::NotTaken);
    assert_eq!((report.totals.present, report.totals.not_taken), (1, 1));
}

#[test]
fn a_reopened_session_has_two_windows_and_no_gap_between_them() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An")).at(30 * MIN, end());
    log.at(50 * MIN, start());
    assert!(!log.report_at(51 * MIN).ended);
    log.at(50 * MIN, join("An")).at(60 * MIN, end());
    let report = log.report();
    assert_eq!(
        report.window.counted,
        [span(0, 30 * MIN), span(50 * MIN, 60 * MIN)]
    );
    assert_eq!(report.window.to_ms, Some(WALL + 60 * MIN));
    let an = row(&report, "An");
    assert_eq!((an.auto.present_ms, an.gaps, an.entries), (40 * MIN, 0, 2));
    assert!(report.ended);
}

#[test]
fn a_log_of_a_version_without_beginnings_counts_from_the_opening() {
    let mut log = Log::new();
    log.at(0, opened())
        .at(10 * MIN, join("An"))
        .at(60 * MIN, end());
    let report = log.report();
    assert_eq!(report.window.counted_ms, 60 * MIN);
    assert_eq!(row(&report, "An").auto.present_ms, 50 * MIN);
}

#[test]
fn an_empty_log_is_a_report_of_nothing() {
    let mut log = Log::new();
    log.expect(&["An"]);
    let report = log.report();
    assert_eq!(report.window, lophoc_ledger::Window::default());
    assert_eq!(row(&report, "An").auto.status, Status::NotTaken);
    assert_eq!((report.totals.expected, report.totals.not_taken), (1, 1));
}

// Halls (3.4).

#[test]
fn minutes_at_a_site_are_those_of_its_connection_unless_ticked_out() {
    let mut log = Log::started(&["An", "Bình", "Chi", "Dung"]);
    log.expected[3].is_site = true;
    let heard = log.stamp(30 * MIN);
    log.at(5 * MIN, join("Dung"))
        .at(30 * MIN + 20 * SEC, lapse("Dung", heard))
        .at(35 * MIN, back("Dung"))
        .at(60 * MIN, end());
    log.mark("An", Some("Dung"), true, None);
    log.mark("Bình", Some("Dung"), true, Some(20 * MIN));
    log.mark("Bình", Some("Dung"), false, Some(50 * MIN));
    log.mark("Chi", Some("Dung"), true, None);
    log.mark("Chi", Some("Dung"), false, None);
    let report = log.report();
    let an = row(&report, "An");
    assert_eq!(an.auto.status, Status::AtSite);
    assert_eq!((an.auto.present_ms, an.gaps), (50 * MIN, 1));
    assert_eq!(an.site, Some(PersonKey::from("Dung")));
    assert_eq!(an.intervals[0].kind, IntervalKind::Hall);
    assert_eq!(an.intervals[0].end.as_deref(), Some("lapse"));
    let binh = row(&report, "Bình");
    assert_eq!(binh.auto.present_ms, 25 * MIN);
    assert!(!binh.auto.early && binh.auto.late);
    assert_eq!(binh.intervals[1].end.as_deref(), Some("left"));
    let chi = row(&report, "Chi");
    assert_eq!(chi.auto.status, Status::Absent, "the tick was a mistake");
    assert!(row(&report, "Dung").is_site);
    let totals = report.totals;
    assert_eq!((totals.expected, totals.at_site, totals.absent), (3, 2, 1));
    assert_eq!((totals.online, totals.guests), (0, 0), "a site is nobody");
}

#[test]
fn a_site_that_is_not_on_the_roster_is_no_guest() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("cầu")).at(60 * MIN, end());
    log.mark("An", Some("cầu"), true, None);
    let report = log.report();
    assert_eq!(report.totals.guests, 0);
    assert!(row(&report, "cầu").is_site);
    log.hall.clear();
    assert_eq!(log.report().totals.guests, 1);
    let site = EventKind::Site {
        person: PersonKey::from("cầu"),
        name: "Điểm cầu Nguyễn Du".to_owned(),
    };
    log.at(60 * MIN, site);
    assert_eq!(log.report().totals.guests, 0);
}

#[test]
fn a_tick_before_the_site_connects_counts_from_the_connection() {
    let mut log = Log::started(&["An"]);
    log.mark("An", Some("cầu"), true, None);
    assert_eq!(row(&log.report_at(MIN), "An").auto.status, Status::NotTaken);
    log.at(10 * MIN, join("cầu"));
    let an = row(&log.report_at(20 * MIN), "An");
    assert!(an.here);
    assert_eq!(an.auto.present_ms, 10 * MIN);
    assert_eq!(an.first_in_ms, Some(WALL + 10 * MIN));
}

#[test]
fn in_the_trainers_hall_the_time_is_the_sessions() {
    let mut log = Log::started(&["An", "Bình", "Chi", "Dung", "Em"]);
    for at in [0, 2, 3] {
        log.expected[at].in_person = true;
    }
    log.expected[3].excused = Some("ốm".to_owned());
    log.at(60 * MIN, end());
    log.mark("Bình", None, true, Some(15 * MIN));
    log.mark("Chi", None, false, Some(40 * MIN));
    let report = log.report();
    let told = |who: &str| {
        let row = row(&report, who);
        (row.auto.status, row.auto.present_ms / MIN)
    };
    assert_eq!(told("An"), (Status::InPerson, 60));
    assert_eq!(told("Bình"), (Status::InPerson, 45));
    assert_eq!(told("Chi"), (Status::InPerson, 40));
    assert_eq!(told("Dung"), (Status::Excused, 0));
    assert_eq!(told("Em"), (Status::Absent, 0));
    assert!(row(&report, "Bình").auto.late && row(&report, "Chi").auto.early);

    log.mark("An", None, false, None);
    assert_eq!(row(&log.report(), "An").auto.status, Status::Absent);
    log.mark("Chi", None, true, Some(45 * MIN));
    assert_eq!(row(&log.report(), "Chi").auto.present_ms, 55 * MIN);
}

#[test]
fn an_own_connection_and_a_tick_count_once_and_the_longer_one_names_the_status() {
    let mut log = Log::started(&["An", "Bình"]);
    log.at(0, join("cầu"))
        .at(0, join("An"))
        .at(20 * MIN, join("Bình"))
        .at(25 * MIN, leave("Bình"))
        .at(60 * MIN, end());
    log.mark("An", Some("cầu"), true, None);
    log.mark("Bình", Some("cầu"), true, None);
    let report = log.report();
    let (an, binh) = (row(&report, "An"), row(&report, "Bình"));
    assert_eq!(
        (an.auto.status, an.auto.present_ms),
        (Status::Online, 60 * MIN)
    );
    assert_eq!(
        (binh.auto.status, binh.auto.present_ms, binh.gaps),
        (Status::AtSite, 60 * MIN, 0)
    );
}

// Who counts, and in which order.

#[test]
fn presence_beats_an_excuse_and_an_excuse_shows_once_it_is_over() {
    let mut log = Log::started(&["An", "Bình"]);
    for expected in &mut log.expected {
        expected.excused = Some("họp trường".to_owned());
    }
    log.at(0, join("An"));
    let during = row(&log.report_at(MIN), "Bình");
    assert_eq!(during.auto.status, Status::NotTaken);
    assert_eq!(during.excused.as_deref(), Some("họp trường"));
    log.at(60 * MIN, end());
    let report = log.report();
    assert_eq!(row(&report, "An").auto.status, Status::Online);
    assert_eq!(row(&report, "Bình").auto.status, Status::Excused);
}

#[test]
fn staff_are_in_the_rows_and_in_no_sum_and_other_roles_are_guests() {
    let mut log = Log::started(&["An"]);
    log.at(0, join("An"));
    for role in [
        "organiser",
        "chair",
        "trainer",
        "adviser",
        "technician",
        "secretary",
        "inspector",
        "observer",
        "contentAuthor",
    ] {
        log.at(0, join_as(role, role, "d"));
    }
    for role in ["guest", "learner", "recorder", ""] {
        log.at(0, join_as(&format!("g-{role}"), role, "d"));
    }
    log.at(60 * MIN, end());
    let report = log.report();
    assert_eq!(report.rows.len(), 14);
    assert_eq!(report.totals.expected, 1);
    assert_eq!(report.totals.guests, 4);
}

#[test]
fn the_expected_come_first_each_part_in_order_of_names() {
    let mut log = Log::started(&["Yến", "Ánh", "An"]);
    log.expected[0].sort = Some("Bảo".to_owned());
    log.at(0, join("Ân")).at(0, join("Đạt")).at(0, join("Dũng"));
    log.at(60 * MIN, end());
    let report = log.report();
    let order: Vec<&str> = report.rows.iter().map(|row| &*row.person.0).collect();
    assert_eq!(order, ["An", "Ánh", "Yến", "Ân", "Dũng", "Đạt"]);
}

#[test]
fn the_foot_of_the_sheet_adds_up() {
    let mut log = Log::started(&["An", "Bình", "Chi", "Dung"]);
    log.expected[1].excused = Some("ốm".to_owned());
    log.expected[3].in_person = true;
    log.at(0, join("An"));
    let removed = EventKind::Removed {
        person: PersonKey::from("An"),
        by: PersonKey::from("Thầy"),
        barred: true,
    };
    log.at(30 * MIN, removed).at(60 * MIN, end());
    let report = log.report();
    let totals = report.totals;
    assert_eq!((totals.expected, totals.present), (4, 2));
    assert_eq!((totals.online, totals.in_person), (1, 1));
    assert_eq!((totals.excused, totals.absent), (1, 1));
    // 500 + 0 + 0 + 1000 of four.
    assert_eq!(totals.mean_permille, 375);
    assert_eq!(totals.present_permille(), 500);
    let an = row(&report, "An");
    assert_eq!(an.intervals[0].end.as_deref(), Some("removed"));
}

#[test]
fn a_report_comes_back_from_its_json() {
    let mut log = crashed();
    log.mark("An", None, true, None);
    log.adjust("An", Change::Late { to: true });
    let report = log.report();
    let json = serde_json::to_string(&report).unwrap();
    let read: lophoc_ledger::Report = serde_json::from_str(&json).unwrap();
    assert_eq!(read, report);
}
