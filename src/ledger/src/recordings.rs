//! Recordings of a session, as they were announced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::event::{Event, EventKind, LastSeen, PersonKey};
use crate::timeline::{TimeLine, ordered};

/// A recording that was announced to all. Times are ms since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingSpan {
    /// From.
    pub from_ms: u64,
    /// Until; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to_ms: Option<u64>,
    /// What makes it: `external`, `server`.
    pub source: String,
    /// Of the server: its id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub id: String,
    /// Of the server: whom it took, `all` or `presenters`, as announced last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub whom: String,
    /// Of the server: whether people were told or asked, `notice` or `consent`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub ask: String,
    /// Who records and answers for it, as announced last.
    pub who: String,
    /// What for.
    pub why: String,
    /// How long it is kept, who may see it, how to object.
    pub keep: String,
    /// Who announced it; absent = by the setting of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<PersonKey>,
    /// Who announced its end; absent = it ended with the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_by: Option<PersonKey>,
}

/// The recordings in order. Other words for one that goes on are no other one.
pub fn recordings(events: &[Event], presence: &[LastSeen]) -> Vec<RecordingSpan> {
    let ordered = ordered(events);
    let line = TimeLine::new(&ordered, presence, None);
    let mut spans: Vec<RecordingSpan> = Vec::new();
    let mut words: BTreeMap<u64, (&str, &str)> = BTreeMap::new();
    for event in ordered {
        let at = line.time(event.at);
        let open = spans.last_mut().filter(|span| span.to_ms.is_none());
        match &event.kind {
            EventKind::Recording {
                on: true,
                source,
                who,
                why,
                keep,
                id,
                notice,
                by,
            } => {
                let (whom, ask) = words.get(notice).copied().unwrap_or_default();
                match open {
                    Some(span) => {
                        whom.clone_into(&mut span.whom);
                        ask.clone_into(&mut span.ask);
                        span.who.clone_from(who);
                        span.why.clone_from(why);
                        span.keep.clone_from(keep);
                    }
                    None => spans.push(RecordingSpan {
                        from_ms: at,
                        to_ms: None,
                        source: source.clone(),
                        id: id.clone(),
                        whom: whom.to_owned(),
                        ask: ask.to_owned(),
                        who: who.clone(),
                        why: why.clone(),
                        keep: keep.clone(),
                        by: by.clone(),
                        ended_by: None,
                    }),
                }
            }
            EventKind::RecordingNotice { whom, ask, .. } => {
                words.insert(event.seq, (whom, ask));
            }
            EventKind::Recording { on: false, by, .. } => {
                if let Some(span) = open {
                    span.to_ms = Some(at);
                    span.ended_by.clone_from(by);
                }
            }
            EventKind::Ended { .. } => {
                if let Some(span) = open {
                    span.to_ms = Some(at);
                }
            }
            _ => {}
        }
    }
    spans
}
