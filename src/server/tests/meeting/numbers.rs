//! The attendance, number by number, against what the test did.

use serde_json::{Value, json};

use crate::hold::{EXCUSE, SUBSTITUTE, Truth};
use crate::live::Moment;
use crate::prepare::{Meeting, STAFF};
use crate::roster::Line;

/// A clean end is known to the second.
const EXACT_MS: u64 = 1_000;

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

fn near(what: &str, is: u64, least: u64, most: u64) {
    assert!(
        is + EXACT_MS >= least && is <= most + EXACT_MS,
        "{what}: {is}, not {least} to {most}"
    );
}

/// From one to the other, at least and at most.
fn between(from: Moment, to: Moment) -> (u64, u64) {
    (to.0 - from.1, to.1 - from.0)
}

fn at(what: &str, is: &Value, moment: Moment) {
    near(what, number(is), moment.0, moment.1);
}

/// Length of a presence.
fn lasts(what: &str, row: &Value, (least, most): (u64, u64)) {
    near(what, number(&row["auto"]["presentMs"]), least, most);
}

fn minus(whole: (u64, u64), part: (u64, u64)) -> (u64, u64) {
    (whole.0 - part.1, whole.1 - part.0)
}

pub struct Rows<'a>(&'a [Value]);

impl<'a> Rows<'a> {
    pub fn of(page: &'a Value) -> Self {
        Self(page["report"]["rows"].as_array().unwrap())
    }

    pub fn named(&self, name: &str) -> &'a Value {
        let found: Vec<&Value> = self.0.iter().filter(|row| row["name"] == name).collect();
        assert_eq!(found.len(), 1, "rows of {name}");
        found[0]
    }

    fn hall(&self, lines: &[Line]) -> Vec<&'a Value> {
        lines.iter().map(|line| self.named(&line.name)).collect()
    }
}

fn status(row: &Value, status: &str) {
    assert_eq!(row["auto"]["status"], status, "{row}");
    assert_eq!(row["stands"], row["auto"]);
}

pub async fn check(meeting: &Meeting, truth: &Truth) {
    // Pages show what was computed a second ago at most.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let page = meeting.organiser.get_ok(&meeting.at("attendance")).await;
    let report = &page["report"];
    assert_eq!(report["ended"], true);
    let window = &report["window"];
    at("beginning", &window["fromMs"], truth.started);
    at("end", &window["toMs"], truth.ended);
    assert_eq!(window["breaks"].as_array().unwrap().len(), 1);
    at("break", &window["breaks"][0]["fromMs"], truth.pause[0]);
    at(
        "end of the break",
        &window["breaks"][0]["toMs"],
        truth.pause[1],
    );
    assert_eq!(window["outages"], json!([]));
    let pause = between(truth.pause[0], truth.pause[1]);
    let whole = minus(between(truth.started, truth.ended), pause);
    near("counted", number(&window["countedMs"]), whole.0, whole.1);

    let rows = Rows::of(&page);
    sites(meeting, truth, &rows, whole);
    halls(meeting, truth, &rows, whole);
    singles(meeting, &rows, whole);
    for (_, name) in STAFF {
        let row = rows.named(name);
        assert_eq!(
            (&row["expected"], &row["isSite"]),
            (&json!(false), &json!(false))
        );
    }
    // Nobody else: not the stranger, and nobody twice.
    assert_eq!(report["rows"].as_array().unwrap().len(), 34 + 33 + 4);
    let totals = &report["totals"];
    for (field, number) in [
        ("expected", 33),
        ("present", 31),
        ("online", 1),
        ("atSite", 29),
        ("inPerson", 1),
        ("excused", 1),
        ("absent", 1),
        ("notTaken", 0),
        ("late", 1),
        ("early", 6),
        ("guests", 0),
    ] {
        assert_eq!(totals[field], number, "{field} of {totals}");
    }
    let delegate = &page["delegates"][0];
    assert_eq!(delegate["name"], SUBSTITUTE);
    assert_eq!(
        delegate["invited"],
        meeting.key(&meeting.invited.lao_cai[0].name)
    );
    assert_eq!(
        (&page["connections"], &page["peopleNow"]),
        (&json!(0), &json!(0))
    );
}

fn sites(meeting: &Meeting, truth: &Truth, rows: &Rows<'_>, whole: (u64, u64)) {
    for (no, department) in meeting.departments.iter().enumerate() {
        let name = &department.site;
        let row = rows.named(name);
        assert_eq!(row["isSite"], true, "{name}");
        let gap = between(truth.broken[0], truth.broken[1]);
        let (present, gaps, entries, early) = match no {
            1 => (minus(whole, gap), 1, 2, false),
            2 => (minus(whole, between(truth.left, truth.ended)), 0, 1, true),
            _ => (whole, 0, 1, false),
        };
        lasts(name, row, present);
        assert_eq!(
            (&row["gaps"], &row["entries"]),
            (&json!(gaps), &json!(entries)),
            "{name}"
        );
        assert_eq!(
            (&row["auto"]["late"], &row["auto"]["early"]),
            (&json!(false), &json!(early))
        );
        // All of them rehearsed, and none is paid for it.
        let from = number(&row["intervals"][0]["fromMs"]);
        assert!(
            from <= truth.rehearsed + EXACT_MS && from + 3_000 < truth.started.1,
            "{name}"
        );
    }
    let left = rows.named(&meeting.departments[2].site);
    at("Đà Nẵng left", &left["lastOutMs"], truth.left);
    assert_eq!(left["intervals"][0]["end"], "left");
}

fn halls(meeting: &Meeting, truth: &Truth, rows: &Rows<'_>, whole: (u64, u64)) {
    let invited = &meeting.invited;
    let gap = between(truth.broken[0], truth.broken[1]);
    for row in rows.hall(&invited.ha_noi[..11]) {
        status(row, "atSite");
        lasts("Hà Nội", row, whole);
        assert_eq!(row["site"], meeting.key(&meeting.departments[0].site));
        assert_eq!(
            (&row["auto"]["late"], &row["auto"]["enough"]),
            (&json!(false), &json!(true))
        );
    }
    status(rows.named(&invited.ha_noi[11].name), "absent");
    // The director by his substitute, and who scanned in time.
    for row in rows.hall(&invited.lao_cai[..11]) {
        status(row, "atSite");
        lasts("Lào Cai", row, minus(whole, gap));
        assert_eq!(
            (&row["auto"]["late"], &row["gaps"]),
            (&json!(false), &json!(1))
        );
    }
    let late = rows.named(&invited.lao_cai[11].name);
    status(late, "atSite");
    at("the late one came", &late["firstInMs"], truth.late);
    lasts("the late one", late, between(truth.late, truth.ended));
    assert_eq!(late["auto"]["late"], true);
    for row in rows.hall(&invited.da_nang) {
        status(row, "atSite");
        lasts(
            "Đà Nẵng",
            row,
            minus(whole, between(truth.left, truth.ended)),
        );
        assert_eq!(
            (&row["auto"]["late"], &row["auto"]["early"]),
            (&json!(false), &json!(true))
        );
    }
}

fn singles(meeting: &Meeting, rows: &Rows<'_>, whole: (u64, u64)) {
    let [online, excused, here] = &meeting.invited.single[..] else {
        panic!("three of them");
    };
    let row = rows.named(&online.name);
    status(row, "online");
    lasts("online", row, whole);
    let row = rows.named(&excused.name);
    status(row, "excused");
    assert_eq!(
        (&row["excused"], &row["auto"]["presentMs"]),
        (&json!(EXCUSE), &json!(0))
    );
    let row = rows.named(&here.name);
    status(row, "inPerson");
    lasts("in the hall of the chair", row, whole);
}
