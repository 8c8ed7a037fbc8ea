//! Captions as a list on the session's clock and as a WebVTT file.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::event::{Event, EventKind, PersonKey};
use crate::timeline::{TimeLine, ordered};

/// A line is shown at least this long, ms.
const LEAST_MS: u64 = 1_000;
/// Longest time a file can tell, ms: 999 hours.
const MOST_MS: u64 = 999 * 3_600_000;

/// A finished line of captions. Times are ms since the room of the session
/// opened for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionLine {
    /// Who typed it.
    pub person: PersonKey,
    /// His name at the time.
    pub name: String,
    /// Language tag, `vi` or `en`.
    pub lang: String,
    /// The line.
    pub text: String,
    /// When it was begun.
    pub from_ms: u64,
    /// When it was finished.
    pub to_ms: u64,
}

/// The captions of a session in order of their being finished.
pub fn captions(events: &[Event]) -> Vec<CaptionLine> {
    let events = ordered(events);
    let line = TimeLine::new(&events, &[], None);
    let opened = events.first().map_or(0, |event| line.time(event.at));
    let mut names: HashMap<&PersonKey, &str> = HashMap::new();
    let mut list = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Join { person, name, .. } => {
                names.insert(person, name);
            }
            EventKind::Caption {
                person,
                lang,
                text,
                took_ms,
                ..
            } => {
                let to_ms = line.time(event.at).saturating_sub(opened);
                list.push(CaptionLine {
                    person: person.clone(),
                    name: names.get(person).copied().unwrap_or_default().to_owned(),
                    lang: lang.clone(),
                    text: text.clone(),
                    from_ms: to_ms.saturating_sub(u64::from(*took_ms)),
                    to_ms,
                });
            }
            _ => {}
        }
    }
    list
}

/// A WebVTT file of these lines: in order of their beginning, none of no length,
/// `title` as a note. What is written in a line can not end it, nor be taken for
/// a tag.
pub fn webvtt(lines: &[CaptionLine], title: &str) -> String {
    let mut sorted: Vec<&CaptionLine> = lines.iter().collect();
    sorted.sort_by_key(|line| (line.from_ms, line.to_ms));
    let mut out = String::from("WEBVTT\n");
    let title = one_line(title);
    if !title.is_empty() {
        out.push_str("\nNOTE ");
        out.push_str(&title);
        out.push('\n');
    }
    let mut number = 0u32;
    for line in sorted {
        let text = one_line(&line.text);
        if text.is_empty() {
            continue;
        }
        number += 1;
        let from = line.from_ms.min(MOST_MS);
        let to = line.to_ms.min(MOST_MS).max(from + LEAST_MS);
        let _ = writeln!(out, "\n{number}");
        time(&mut out, from);
        out.push_str(" --> ");
        time(&mut out, to);
        out.push('\n');
        out.push_str(&text);
        out.push('\n');
    }
    out
}

/// The text on one line, with what means something in the format escaped. An
/// arrow can not be in it: its head is escaped.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                other => out.push(other),
            }
        }
    }
    out
}

fn time(out: &mut String, ms: u64) {
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}.{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000
    );
}
