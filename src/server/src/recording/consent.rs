//! Who is left out of what is made of a recording: by the ledger of its session, by
//! what people took back afterwards, and by what its recorder was told. Sound, film,
//! player and addresses all ask here.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lophoc_ledger::{Event, EventKind, PersonKey};
use lophoc_recording::manifest::sha256;
use lophoc_recording::{RecordingId, Timeline};
use lophoc_records::{Recording, StoreError};

use super::files::SOUND;
use super::keep::KeepError;
use crate::app::App;
use crate::clock::wall_ms;

/// How often it is looked again when somebody else was quicker.
const TRIES: u32 = 4;
/// Length of a mark, characters.
const MARK: usize = 12;

/// Who is left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// They.
    pub people: BTreeSet<PersonKey>,
    /// People were asked, so that each may take it back.
    pub asks: bool,
    /// Last event of the session this was told from.
    pub seq: u64,
}

/// What a recording says about being recorded, while a session's log is read in
/// order.
#[derive(Debug)]
pub struct Consents<'a> {
    recording: &'a str,
    /// Words: takes only those who lead; asks.
    words: HashMap<u64, (bool, bool)>,
    /// Words this recording was under.
    used: BTreeSet<u64>,
    /// Those it is under now.
    now: Option<u64>,
    roles: HashMap<&'a PersonKey, &'a str>,
    answers: HashMap<(&'a PersonKey, u64), bool>,
    /// The last answer to any words.
    last: HashMap<&'a PersonKey, bool>,
    /// Said no while nobody was asked.
    objected: BTreeSet<&'a PersonKey>,
}

fn leads(role: &str) -> bool {
    matches!(role, "trainer" | "chair" | "organiser" | "adviser")
}

impl<'a> Consents<'a> {
    /// Before the first event.
    pub fn new(recording: &'a str) -> Self {
        Self {
            recording,
            words: HashMap::new(),
            used: BTreeSet::new(),
            now: None,
            roles: HashMap::new(),
            answers: HashMap::new(),
            last: HashMap::new(),
            objected: BTreeSet::new(),
        }
    }

    /// The next event.
    pub fn take(&mut self, event: &'a Event) {
        match &event.kind {
            EventKind::RecordingNotice { whom, ask, .. } => {
                // Names of a newer version ask for more, not for less.
                self.words
                    .insert(event.seq, (whom != "all", ask != "notice"));
            }
            EventKind::Recording {
                on: true,
                id,
                notice,
                ..
            } if id == self.recording => {
                self.used.insert(*notice);
                self.now = Some(*notice);
                if !self.asks(*notice) {
                    let refused = self.last.iter().filter(|(_, accepted)| !**accepted);
                    self.objected.extend(refused.map(|(person, _)| *person));
                }
            }
            EventKind::Recording { .. } => self.now = None,
            EventKind::RecordingChoice {
                person,
                notice,
                accepted,
            } => {
                self.answers.insert((person, *notice), *accepted);
                self.last.insert(person, *accepted);
                if self.now.is_some_and(|now| !self.asks(now)) {
                    match accepted {
                        true => self.objected.remove(person),
                        false => self.objected.insert(person),
                    };
                }
            }
            EventKind::Join { person, role, .. } | EventKind::RoleGiven { person, role, .. } => {
                self.roles.insert(person, role);
            }
            _ => {}
        }
    }

    fn asks(&self, notice: u64) -> bool {
        self.words.get(&notice).is_some_and(|(_, asks)| *asks)
    }

    fn is_out(&self, person: &PersonKey, notice: u64) -> bool {
        let Some((leaders_only, asks)) = self.words.get(&notice) else {
            return false;
        };
        let refused = *asks && self.answers.get(&(person, notice)) != Some(&true);
        let role = self.roles.get(person).copied().unwrap_or_default();
        refused || (*leaders_only && !leads(role)) || self.objected.contains(person)
    }

    /// Whether what somebody writes at this point belongs to the recording. Before
    /// its words were told nobody is left out: that it lies in it, its time says.
    pub fn takes(&self, person: &PersonKey) -> bool {
        self.now.is_none_or(|now| !self.is_out(person, now))
    }

    /// People it does not take: who did not accept its words where they ask, and all
    /// but those who lead where it takes these alone. Somebody who refused later
    /// counts as if he had from the beginning.
    pub fn left_out(&self) -> BTreeSet<PersonKey> {
        let mut left: BTreeSet<PersonKey> = BTreeSet::new();
        for notice in &self.used {
            for person in self.roles.keys() {
                if self.is_out(person, *notice) {
                    left.insert((*person).clone());
                }
            }
        }
        left.extend(self.objected.iter().map(|person| (*person).clone()));
        left
    }

    /// Whether people were asked. Of words nobody knows it is taken so.
    pub fn asked(&self) -> bool {
        self.used.is_empty()
            || self
                .used
                .iter()
                .any(|notice| self.words.get(notice).is_none_or(|(_, asks)| *asks))
    }
}

/// Who is left out of a recording, by records and ledger as they stand.
///
/// # Errors
/// The store's.
pub async fn left_out(
    app: &App,
    recording: &Recording,
    never: &BTreeSet<PersonKey>,
) -> Result<Arc<Left>, StoreError> {
    let seq = app.store.last_event(&recording.session).await?;
    let key = (recording.withdrawn, seq, never.len());
    if let Some(known) = app.keep.left.get(&recording.id, &key) {
        return Ok(known);
    }
    let events = app.store.consent_events(&recording.session).await?;
    let mut consents = Consents::new(&recording.id);
    for event in &events {
        consents.take(event);
    }
    let mut people = consents.left_out();
    people.extend(app.store.recording_withdrawals(&recording.id).await?);
    people.extend(never.iter().cloned());
    let left = Arc::new(Left {
        people,
        asks: consents.asked(),
        seq,
    });
    app.keep.left.put(&recording.id, key, Arc::clone(&left));
    Ok(left)
}

/// A mark for those of whom there are files all the same: what is made of the files
/// is another when it changes. Empty: there are none.
pub fn mark_of(left: &BTreeSet<PersonKey>, timeline: Option<&Timeline>) -> String {
    let there: BTreeSet<&PersonKey> = timeline
        .iter()
        .flat_map(|timeline| timeline.segments.values())
        .map(|segment| &segment.opened.person)
        .filter(|person| left.contains(*person))
        .collect();
    if there.is_empty() {
        return String::new();
    }
    let text = serde_json::to_vec(&there).unwrap_or_default();
    sha256(&text).get(..MARK).unwrap_or_default().to_owned()
}

/// The recording with its mark as it is now. When it is another than before, all
/// addresses end and whatever was made of its files is made anew.
///
/// # Errors
/// The store's; `Bad` when it changes faster than it can be written down.
pub async fn settled(
    app: &App,
    mut recording: Recording,
    never: &BTreeSet<PersonKey>,
    timeline: Option<&Timeline>,
) -> Result<(Recording, Arc<Left>), KeepError> {
    for _ in 0..TRIES {
        let left = left_out(app, &recording, never).await?;
        let mark = mark_of(&left.people, timeline);
        if mark == recording.left_out || RecordingId::new(&recording.id).is_none() {
            return Ok((recording, left));
        }
        let changed = app
            .store
            .leave_out(&recording.id, &recording.left_out, &mark, SOUND, wall_ms())
            .await?;
        if changed {
            app.keep.wake.notify_waiters();
        }
        recording = app
            .store
            .recording(&recording.id)
            .await?
            .ok_or_else(|| KeepError::Bad("a recording is gone".to_owned()))?;
    }
    Err(KeepError::Bad(
        "who is left out changes all the time".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use lophoc_ledger::{SessionKey, Stamp};

    use super::*;

    fn events(kinds: Vec<EventKind>) -> Vec<Event> {
        kinds
            .into_iter()
            .zip(1..)
            .map(|(kind, seq)| Event {
                session: SessionKey("s".to_owned()),
                seq,
                at: Stamp {
                    wall_ms: seq,
                    mono_ms: seq,
                    boot: 1,
                },
                kind,
            })
            .collect()
    }

    fn join(person: &str, role: &str) -> EventKind {
        EventKind::Join {
            person: PersonKey::from(person),
            name: String::new(),
            unit: None,
            role: role.to_owned(),
            device: String::new(),
        }
    }

    fn words(ask: &str) -> EventKind {
        EventKind::RecordingNotice {
            who: String::new(),
            why: String::new(),
            keep: String::new(),
            whom: "all".to_owned(),
            ask: ask.to_owned(),
        }
    }

    fn begins(id: &str, notice: u64) -> EventKind {
        turned(id, notice, true)
    }

    fn turned(id: &str, notice: u64, on: bool) -> EventKind {
        EventKind::Recording {
            on,
            source: "server".to_owned(),
            who: String::new(),
            why: String::new(),
            keep: String::new(),
            id: id.to_owned(),
            notice,
            by: None,
        }
    }

    fn says(person: &str, notice: u64, accepted: bool) -> EventKind {
        EventKind::RecordingChoice {
            person: PersonKey::from(person),
            notice,
            accepted,
        }
    }

    fn left(events: &[Event], id: &str) -> Vec<String> {
        let mut consents = Consents::new(id);
        for event in events {
            consents.take(event);
        }
        consents.left_out().into_iter().map(|one| one.0).collect()
    }

    #[test]
    fn a_refusal_counts_from_the_beginning_and_for_every_recording_under_these_words() {
        let log = events(vec![
            words("consent"),
            join("a", "learner"),
            join("b", "learner"),
            begins("r1", 1),
            says("a", 1, true),
            says("b", 1, true),
            turned("r1", 0, false),
            begins("r2", 1),
            says("a", 1, false),
        ]);
        assert_eq!(left(&log[..8], "r1"), [] as [&str; 0]);
        assert_eq!(left(&log, "r1"), ["a"]);
        assert_eq!(left(&log, "r2"), ["a"]);
    }

    #[test]
    fn where_nobody_is_asked_a_no_counts_all_the_same() {
        let log = events(vec![
            words("consent"),
            words("notice"),
            join("a", "learner"),
            join("b", "learner"),
            says("a", 1, false),
            begins("r1", 2),
        ]);
        assert_eq!(left(&log, "r1"), ["a"]);
    }

    #[test]
    fn what_was_written_before_a_yes_and_after_a_no_is_not_taken() {
        let log = events(vec![
            words("consent"),
            join("a", "learner"),
            begins("r1", 1),
            says("a", 1, false),
            says("a", 1, true),
            says("a", 1, false),
        ]);
        let a = PersonKey::from("a");
        let mut consents = Consents::new("r1");
        let taken: Vec<bool> = log
            .iter()
            .map(|event| {
                consents.take(event);
                consents.takes(&a)
            })
            .collect();
        assert_eq!(taken, [true, true, false, false, true, false]);
    }
}
