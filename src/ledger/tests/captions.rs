//! Captions: on the session's clock, and as a file every player reads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lophoc_ledger::{
    CaptionLine, Event, EventKind, PersonKey, SessionKey, Stamp, captions, webvtt,
};
use proptest::prelude::*;

fn event(seq: u64, wall_ms: u64, mono_ms: u64, boot: u64, kind: EventKind) -> Event {
    Event {
        session: SessionKey::from("s1"),
        seq,
        at: Stamp {
            wall_ms,
            mono_ms,
            boot,
        },
        kind,
    }
}

fn opened() -> EventKind {
    EventKind::Opened {
        room: "r1".into(),
        title: "Buổi 1".into(),
        host: "Sở".into(),
    }
}

fn said(text: &str, lang: &str, took_ms: u32) -> EventKind {
    EventKind::Caption {
        person: PersonKey::from("p1"),
        cid: text.to_owned(),
        lang: lang.to_owned(),
        text: text.to_owned(),
        took_ms,
    }
}

fn line(text: &str, from_ms: u64, to_ms: u64) -> CaptionLine {
    CaptionLine {
        person: PersonKey::from("p1"),
        name: "An".into(),
        lang: "vi".into(),
        text: text.into(),
        from_ms,
        to_ms,
    }
}

#[test]
fn lines_stand_on_the_clock_of_the_session_whatever_the_wall_clock_does() {
    let join = EventKind::Join {
        person: PersonKey::from("p1"),
        name: "Lê Thị Thư".into(),
        unit: None,
        role: "guest".into(),
        device: "d".into(),
    };
    let list = captions(&[
        event(4, 3_000, 61_000, 1, said("hai", "vi", 5_000)),
        event(1, 1_000_000, 0, 1, opened()),
        event(2, 1_000_100, 100, 1, join),
        event(3, 1_010_000, 10_000, 1, said("một", "vi", 2_500)),
        event(5, 1_100_000, 7, 2, said("three", "en", 0)),
    ]);
    let spans: Vec<_> = list
        .iter()
        .map(|l| (l.text.as_str(), l.lang.as_str(), l.from_ms, l.to_ms))
        .collect();
    assert_eq!(
        spans,
        [
            ("một", "vi", 7_500, 10_000),
            ("hai", "vi", 56_000, 61_000),
            ("three", "en", 100_000, 100_000),
        ]
    );
    assert!(list.iter().all(|l| l.name == "Lê Thị Thư"));
    assert_eq!(captions(&[]), []);
}

#[test]
fn a_file_is_what_the_format_says() {
    let lines = [
        line("sau cùng", 3_723_004, 3_723_004),
        line("a < b && c > d", 0, 2_000),
        line(" \n ", 5, 6),
        line("mũi tên --> và\n\nhai dòng <b>", 1_000, 2_500),
    ];
    assert_eq!(
        webvtt(&lines, "Lớp 10A --> buổi 1"),
        "WEBVTT\n\
         \n\
         NOTE Lớp 10A --&gt; buổi 1\n\
         \n\
         1\n\
         00:00:00.000 --> 00:00:02.000\n\
         a &lt; b &amp;&amp; c &gt; d\n\
         \n\
         2\n\
         00:00:01.000 --> 00:00:02.500\n\
         mũi tên --&gt; và hai dòng &lt;b&gt;\n\
         \n\
         3\n\
         01:02:03.004 --> 01:02:04.004\n\
         sau cùng\n"
    );
    assert_eq!(webvtt(&[], ""), "WEBVTT\n");
}

/// A reader of its own, strict where players are.
fn read(file: &str) -> Vec<(u64, u64, String)> {
    let ms = |text: &str| -> u64 {
        let (clock, rest) = text.split_once('.').unwrap();
        assert_eq!(rest.len(), 3);
        let parts: Vec<u64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
        assert!(parts.len() == 3 && parts[1] < 60 && parts[2] < 60, "{text}");
        (parts[0] * 3_600 + parts[1] * 60 + parts[2]) * 1_000 + rest.parse::<u64>().unwrap()
    };
    let mut blocks = file.split("\n\n");
    assert_eq!(blocks.next().unwrap().trim_end(), "WEBVTT");
    blocks
        .filter(|block| !block.starts_with("NOTE "))
        .map(|block| {
            let rows: Vec<&str> = block.trim_end_matches('\n').split('\n').collect();
            assert_eq!(rows.len(), 3, "{block:?}");
            rows[0].parse::<u32>().unwrap();
            let (from, to) = rows[1].split_once(" --> ").unwrap();
            assert!(!rows[2].contains("-->") && !rows[2].contains(['<', '>']));
            let text = rows[2]
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
            (ms(from), ms(to), text)
        })
        .collect()
}

proptest! {
    #[test]
    fn whatever_was_typed_comes_back_in_order(
        lines in prop::collection::vec(
            ("[-><&a \n\r\u{2028}ệ]{0,12}|\\PC{0,20}|.{0,20}", any::<u64>(), any::<u64>()),
            0..12,
        ),
        title in ".{0,20}",
    ) {
        let lines: Vec<CaptionLine> =
            lines.into_iter().map(|(text, from, to)| line(&text, from % 10_000_000, to % 10_000_000)).collect();
        let file = webvtt(&lines, &title);
        let cues = read(&file);
        let mut wanted: Vec<String> = lines
            .iter()
            .map(|l| {
                let words: Vec<&str> = l.text.split(|c: char| c.is_whitespace() || c.is_control())
                    .filter(|word| !word.is_empty()).collect();
                words.join(" ")
            })
            .filter(|text| !text.is_empty())
            .collect();
        let mut found: Vec<String> = cues.iter().map(|(_, _, text)| text.clone()).collect();
        wanted.sort();
        found.sort();
        prop_assert_eq!(found, wanted);
        prop_assert!(cues.iter().all(|(from, to, _)| to > from));
        prop_assert!(cues.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn no_clock_breaks_the_file(from in any::<u64>(), to in any::<u64>()) {
        let cues = read(&webvtt(&[line("a", from, to)], ""));
        prop_assert!(cues.len() == 1 && cues[0].1 > cues[0].0);
    }
}
