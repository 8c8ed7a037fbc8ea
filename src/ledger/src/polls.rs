//! Polls, quizzes and votes of a session, as the record keeps them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, PersonKey};
use crate::timeline::ordered;

/// A question of a poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollAsked {
    /// The question; may be empty.
    pub text: String,
    /// `one`, `many`, `text`.
    pub choose: String,
    /// Options; empty where the kind has words of its own.
    pub options: Vec<String>,
    /// Right options of a quiz, from 0.
    pub correct: Vec<u8>,
}

/// How a question was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollChosen {
    /// Chosen options, from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<u8>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Sums of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollSums {
    /// How many chose each option.
    pub counts: Vec<u32>,
    /// Free texts; of an anonymous poll in an order that says nothing.
    pub texts: Vec<String>,
}

/// A named answer: the last one given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollAnswer {
    /// Who.
    pub person: PersonKey,
    /// Name as at the last join before.
    pub name: String,
    /// Unit, else site.
    pub unit: Option<String>,
    /// An entry a question.
    pub answer: Vec<PollChosen>,
    /// Points; absent where nothing can be scored.
    pub score: Option<u16>,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

/// A poll with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollRecord {
    /// Id in the room.
    pub id: String,
    /// `yesNo`, `letters`, `poll`, `quiz`, `vote`.
    pub kind: String,
    /// Title; for a vote what was voted on.
    pub title: String,
    /// Questions.
    pub items: Vec<PollAsked>,
    /// Nobody can tell who answered what.
    pub anonymous: bool,
    /// One voice a site.
    pub by_site: bool,
    /// Valid when at least so many voted.
    pub quorum: Option<u32>,
    /// Who opened it.
    pub by: PersonKey,
    /// Name.
    pub by_name: String,
    /// Opened, ms since the epoch.
    pub at_ms: u64,
    /// Closed; absent while it is open, or when the server died before.
    pub closed_ms: Option<u64>,
    /// How many answered.
    pub answered: u32,
    /// How many could have; absent as long as it was not closed.
    pub eligible: Option<u32>,
    /// The results were shown to all.
    pub shown: bool,
    /// Sums, an entry a question.
    pub sums: Vec<PollSums>,
    /// Named answers in the order they were first given; none of an anonymous
    /// poll.
    pub answers: Vec<PollAnswer>,
}

impl PollRecord {
    /// Whether enough voted; absent where no number was set.
    pub fn is_valid(&self) -> Option<bool> {
        self.quorum.map(|quorum| self.answered >= quorum)
    }
}

/// The draft as the protocol writes it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Draft {
    kind: String,
    title: String,
    items: Vec<PollAsked>,
    anonymous: bool,
    by_site: bool,
    quorum: Option<u32>,
}

/// How many options a question has.
fn options_of(kind: &str, item: &PollAsked) -> usize {
    match (kind, item.choose.as_str()) {
        (_, "text") => 0,
        ("yesNo", _) => 2,
        ("vote", _) => 3,
        _ => item.options.len(),
    }
}

fn add(sums: &mut [PollSums], answer: &[PollChosen]) {
    for (sum, choice) in sums.iter_mut().zip(answer) {
        for index in &choice.chosen {
            if let Some(count) = sum.counts.get_mut(usize::from(*index)) {
                *count = count.saturating_add(1);
            }
        }
        sum.texts.extend(choice.text.clone());
    }
}

/// Points: one for each question whose right options are exactly those chosen.
fn score(items: &[PollAsked], answer: &[PollChosen]) -> Option<u16> {
    let right: Vec<bool> = items
        .iter()
        .zip(answer)
        .filter(|(item, _)| !item.correct.is_empty())
        .map(|(item, choice)| item.correct == choice.chosen)
        .collect();
    if right.is_empty() {
        return None;
    }
    u16::try_from(right.iter().filter(|right| **right).count()).ok()
}

#[derive(Default)]
struct Known<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    site: Option<&'a str>,
}

/// All polls of a session in the order they were opened. The same events give
/// the same, in whatever order they are handed in.
pub fn polls(events: &[Event]) -> Vec<PollRecord> {
    let mut people: HashMap<&PersonKey, Known<'_>> = HashMap::new();
    let mut list: Vec<PollRecord> = Vec::new();
    // Of each poll, where a person's answer stands.
    let mut places: HashMap<(usize, &PersonKey), usize> = HashMap::new();
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for event in ordered(events) {
        let at_ms = event.at.wall_ms;
        match &event.kind {
            EventKind::Join {
                person, name, unit, ..
            } => {
                let known = people.entry(person).or_default();
                known.name = name;
                known.unit = unit.as_deref();
            }
            EventKind::Site { person, name } => {
                people.entry(person).or_default().site = Some(name);
            }
            EventKind::PollOpened { id, by, draft, .. } => {
                let draft: Draft = serde_json::from_value(draft.clone()).unwrap_or_default();
                let sums = draft
                    .items
                    .iter()
                    .map(|item| PollSums {
                        counts: vec![0; options_of(&draft.kind, item)],
                        texts: Vec::new(),
                    })
                    .collect();
                by_id.insert(id, list.len());
                list.push(PollRecord {
                    id: id.clone(),
                    kind: draft.kind,
                    title: draft.title,
                    items: draft.items,
                    anonymous: draft.anonymous,
                    by_site: draft.by_site,
                    quorum: draft.quorum,
                    by: by.clone(),
                    by_name: people
                        .get(by)
                        .map(|known| known.name.to_owned())
                        .unwrap_or_default(),
                    at_ms,
                    closed_ms: None,
                    answered: 0,
                    eligible: None,
                    shown: false,
                    sums,
                    answers: Vec::new(),
                });
            }
            EventKind::PollAnswered {
                person, id, answer, ..
            } => {
                let Some((no, poll)) = by_id
                    .get(id.as_str())
                    .and_then(|no| Some((*no, list.get_mut(*no)?)))
                else {
                    continue;
                };
                let Some(answer) = answer else {
                    if places.insert((no, person), 0).is_none() {
                        poll.answered = poll.answered.saturating_add(1);
                    }
                    continue;
                };
                let Ok(answer) = serde_json::from_value::<Vec<PollChosen>>(answer.clone()) else {
                    continue;
                };
                let known = people.get(person);
                let row = PollAnswer {
                    person: person.clone(),
                    name: known.map(|known| known.name.to_owned()).unwrap_or_default(),
                    unit: known
                        .and_then(|known| known.unit.or(known.site))
                        .map(str::to_owned),
                    score: score(&poll.items, &answer),
                    answer,
                    at_ms,
                };
                let place = *places.entry((no, person)).or_insert(poll.answers.len());
                match poll.answers.get_mut(place) {
                    Some(old) => *old = row,
                    None => {
                        poll.answers.push(row);
                        poll.answered = poll.answered.saturating_add(1);
                    }
                }
            }
            EventKind::PollBallots { id, ballots } => {
                if let Some(poll) = by_id.get(id.as_str()).and_then(|no| list.get_mut(*no)) {
                    for ballot in ballots {
                        if let Ok(answer) =
                            serde_json::from_value::<Vec<PollChosen>>(ballot.clone())
                        {
                            add(&mut poll.sums, &answer);
                        }
                    }
                }
            }
            EventKind::PollClosed {
                id,
                eligible,
                unnamed,
                ..
            } => {
                if let Some(poll) = by_id.get(id.as_str()).and_then(|no| list.get_mut(*no)) {
                    poll.answered = poll.answered.saturating_add(*unnamed);
                    poll.closed_ms = Some(at_ms);
                    poll.eligible = Some(*eligible);
                }
            }
            EventKind::PollShown { id, on, .. } => {
                if let Some(poll) = by_id.get(id.as_str()).and_then(|no| list.get_mut(*no)) {
                    poll.shown |= *on;
                }
            }
            _ => {}
        }
    }
    for poll in &mut list {
        for row in &poll.answers {
            add(&mut poll.sums, &row.answer);
        }
        if poll.anonymous {
            for sum in &mut poll.sums {
                sum.texts.sort_unstable();
            }
        }
    }
    list
}
