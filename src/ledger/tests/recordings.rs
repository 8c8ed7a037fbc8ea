//! Recordings as the record keeps them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use common::{Log, WALL};
use lophoc_ledger::{Consent, EventKind, PersonKey, recording_consents, recordings};

fn said(on: bool, who: &str, by: Option<&str>) -> EventKind {
    EventKind::Recording {
        on,
        source: if on { "external" } else { "" }.to_owned(),
        who: who.to_owned(),
        why: String::new(),
        keep: String::new(),
        id: String::new(),
        notice: 0,
        by: by.map(PersonKey::from),
    }
}

#[test]
fn from_the_beginning_to_the_end_with_the_words_that_were_said_last() {
    let mut log = Log::started(&[]);
    log.at(1_000, said(true, "Sở", None))
        .at(2_000, said(true, "Trường", Some("t")))
        .at(5_000, said(false, "", Some("t")))
        .at(6_000, said(false, "", Some("t")))
        .at(7_000, said(true, "Sở", Some("o")));
    let spans = recordings(&log.events, &[]);
    assert_eq!(spans.len(), 2);
    assert_eq!(
        (spans[0].from_ms, spans[0].to_ms, spans[0].who.as_str()),
        (WALL + 1_000, Some(WALL + 5_000), "Trường")
    );
    assert_eq!(
        (&spans[0].by, &spans[0].ended_by),
        (&None, &Some("t".into()))
    );
    assert_eq!((spans[1].from_ms, spans[1].to_ms), (WALL + 7_000, None));
    log.at(9_000, EventKind::Ended { by: None });
    let spans = recordings(&log.events, &[]);
    assert_eq!(spans[1].to_ms, Some(WALL + 9_000));
}

#[test]
fn who_was_told_accepted_or_refused_which_words_and_when() {
    let mut log = Log::started(&[]);
    let join = |who: &str| EventKind::Join {
        person: who.into(),
        name: format!("Tên {who}"),
        unit: None,
        role: "learner".into(),
        device: "d".into(),
    };
    log.at(1_000, join("a")).at(
        2_000,
        EventKind::RecordingNotice {
            who: "Sở".into(),
            why: "Lưu".into(),
            keep: String::new(),
            whom: "all".into(),
            ask: "consent".into(),
        },
    );
    let notice = log.events.last().unwrap().seq;
    let begins = match said(true, "Sở", None) {
        EventKind::Recording { who, .. } => EventKind::Recording {
            on: true,
            source: "server".into(),
            who,
            why: "Lưu".into(),
            keep: String::new(),
            id: "r1".into(),
            notice,
            by: None,
        },
        other => other,
    };
    let choice = |who: &str, accepted| EventKind::RecordingChoice {
        person: who.into(),
        notice,
        accepted,
    };
    log.at(2_000, begins)
        .at(3_000, choice("a", true))
        .at(4_000, choice("b", false))
        .at(4_500, join("b"))
        .at(6_000, choice("a", false))
        .at(8_000, said(false, "", None))
        .at(9_000, join("c"))
        .at(9_500, EventKind::Ended { by: None });
    let lines: Vec<_> = recording_consents(&log.events, &[])
        .into_iter()
        .map(|one| (one.at_ms - WALL, one.name, one.what, one.who, one.whom))
        .collect();
    let line = |at, name: &str, what| (at, name.to_owned(), what, "Sở".into(), "all".into());
    assert_eq!(
        lines,
        [
            line(2_000, "Tên a", Consent::Told),
            line(3_000, "Tên a", Consent::Accepted),
            line(4_000, "Tên b", Consent::Refused),
            line(4_500, "Tên b", Consent::Told),
            line(6_000, "Tên a", Consent::Refused),
        ]
    );
}
