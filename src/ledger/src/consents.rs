//! Who was told of a recording, who accepted and who refused being recorded: the
//! proof a recording needs (Luật 91/2025/QH15, Điều 9 and 32).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, LastSeen, PersonKey};
use crate::recordings::recordings;
use crate::stays::stays;
use crate::timeline::{TimeLine, ordered};

/// What somebody did about the words of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Consent {
    /// Was in while it went on, and so was told.
    Told,
    /// Agreed to be recorded.
    Accepted,
    /// Attended unrecorded, or took the consent back.
    Refused,
}

/// One line of the ledger of consents. Times are ms since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingConsent {
    /// Who.
    pub person: PersonKey,
    /// By name, as the session knew it last; empty when he never came in.
    pub name: String,
    /// What.
    pub what: Consent,
    /// When.
    pub at_ms: u64,
    /// The words: who records.
    pub who: String,
    /// What for.
    pub why: String,
    /// How long it is kept.
    pub keep: String,
    /// Whom it takes; empty for one from outside of the room.
    pub whom: String,
}

/// All of them in order of time. One is told once of each recording, at its
/// beginning or on coming in.
pub fn recording_consents(events: &[Event], presence: &[LastSeen]) -> Vec<RecordingConsent> {
    let ordered = ordered(events);
    let line = TimeLine::new(&ordered, presence, None);
    let stays = stays(events, presence, None);
    let names: HashMap<&PersonKey, &str> = stays
        .iter()
        .map(|stay| (&stay.person, stay.name.as_str()))
        .collect();
    let mut found: Vec<RecordingConsent> = Vec::new();
    for span in recordings(events, presence) {
        let mut told: HashMap<&PersonKey, u64> = HashMap::new();
        for stay in &stays {
            let begins = stay.from_ms.max(span.from_ms);
            if begins < stay.proven_ms && span.to_ms.is_none_or(|to_ms| begins < to_ms) {
                let at = told.entry(&stay.person).or_insert(begins);
                *at = begins.min(*at);
            }
        }
        found.extend(told.into_iter().map(|(person, at_ms)| RecordingConsent {
            person: person.clone(),
            name: names.get(person).copied().unwrap_or_default().to_owned(),
            what: Consent::Told,
            at_ms,
            who: span.who.clone(),
            why: span.why.clone(),
            keep: span.keep.clone(),
            whom: span.whom.clone(),
        }));
    }
    let mut words: HashMap<u64, [&str; 4]> = HashMap::new();
    for event in ordered {
        match &event.kind {
            EventKind::RecordingNotice {
                who,
                why,
                keep,
                whom,
                ..
            } => {
                words.insert(event.seq, [who, why, keep, whom]);
            }
            EventKind::RecordingChoice {
                person,
                notice,
                accepted,
            } => {
                let [who, why, keep, whom] = words.get(notice).copied().unwrap_or_default();
                found.push(RecordingConsent {
                    person: person.clone(),
                    name: names.get(person).copied().unwrap_or_default().to_owned(),
                    what: if *accepted {
                        Consent::Accepted
                    } else {
                        Consent::Refused
                    },
                    at_ms: line.time(event.at),
                    who: who.to_owned(),
                    why: why.to_owned(),
                    keep: keep.to_owned(),
                    whom: whom.to_owned(),
                });
            }
            _ => {}
        }
    }
    found.sort_by(|a, b| (a.at_ms, &a.person.0).cmp(&(b.at_ms, &b.person.0)));
    found
}
