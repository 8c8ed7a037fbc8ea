//! One poll: who answered what, the ballots that wait, the sums.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use lophoc_protocol::limits::{POLL_PAGE, POLL_TEXTS};
use lophoc_protocol::poll::{
    Choose, ItemResult, Poll, PollChoice, PollDraft, PollItem, PollRow, PollState,
};
use lophoc_protocol::{PersonId, PollId, Role};

use super::draft::{options_of, score};
use crate::api::LinkId;
use crate::bounds::{
    POLL_EVERY_MOST_MS, POLL_EVERY_MS, POLL_PAGE_BYTES, POLL_TELL_BYTES, POLL_TEXTS_BYTES,
};
use crate::lesson::Until;
use crate::person::Member;
use crate::text::{fold, json_len};

/// A named answer.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub name: String,
    pub unit: Option<String>,
    pub answer: Vec<PollChoice>,
    pub at_ms: u64,
}

/// A ballot of an anonymous poll that is not written yet, and who waits for it
/// to be. Nobody is told of its owner, and with the writing it is forgotten.
#[derive(Debug, Clone)]
pub(super) struct Ballot {
    pub who: PersonId,
    pub voice: Option<String>,
    pub answer: Vec<PollChoice>,
    pub link: LinkId,
    pub id: Option<u32>,
}

/// A poll on the screens.
#[derive(Debug)]
pub(super) struct Held {
    pub id: PollId,
    /// Name of who opened it.
    pub by: String,
    pub draft: PollDraft,
    /// The draft in JSON, bytes.
    pub draft_bytes: usize,
    pub at_ms: u64,
    pub until: Option<Until>,
    pub st: PollState,
    /// How many could answer; holds from the close on.
    pub eligible: u32,
    /// Named answers.
    rows: HashMap<PersonId, Row>,
    /// Whose they are, in the order of answering.
    order: Vec<PersonId>,
    /// Who answered anonymously.
    voted: HashSet<PersonId>,
    /// Ballots of a closed poll of which the ledger does not say whose they are.
    pub unnamed: u32,
    /// By site: whose voice each is.
    voices: HashMap<String, PersonId>,
    /// Counts of all answers; of the texts those of ballots that were written.
    sums: Vec<ItemResult>,
    /// Some ballots are written.
    pub has_written: bool,
    /// The sums as they are told, and their size in JSON, bytes; until the next
    /// answer.
    told_sums: OnceLock<(Vec<ItemResult>, usize)>,
    /// Ballots that wait, oldest first.
    pub ballots: Vec<Ballot>,
    /// When ballots were last written, monotonic.
    pub kept_ms: u64,
    /// Size of the answers, bytes.
    pub bytes: usize,
    /// Answered and eligible as last told.
    pub told: Option<(u32, u32)>,
    /// When, monotonic.
    pub told_ms: u64,
    /// Sums changed since.
    pub changed: bool,
}

/// Size of an answer in memory, bytes, roughly.
fn size_of(answer: &[PollChoice]) -> usize {
    answer.iter().fold(128, |sum, choice| {
        sum + 56 + choice.chosen.len() + choice.text.as_ref().map_or(0, String::len)
    })
}

fn text_of(answer: &[PollChoice], item: usize) -> Option<&str> {
    answer.get(item).and_then(|choice| choice.text.as_deref())
}

/// Adds an answer to the counts, or takes it out.
fn tally(sums: &mut [ItemResult], answer: &[PollChoice], more: bool) {
    for (sum, choice) in sums.iter_mut().zip(answer) {
        for index in &choice.chosen {
            if let Some(count) = sum.counts.get_mut(usize::from(*index)) {
                *count = if more {
                    count.saturating_add(1)
                } else {
                    count.saturating_sub(1)
                };
            }
        }
    }
}

impl Held {
    pub(super) fn new(
        id: PollId,
        by: String,
        draft: PollDraft,
        at_ms: u64,
        until: Option<Until>,
        now_ms: u64,
    ) -> Self {
        let sums = draft
            .items
            .iter()
            .map(|item| ItemResult {
                counts: match item.choose {
                    Choose::Text => Vec::new(),
                    Choose::One | Choose::Many => vec![0; options_of(draft.kind, item)],
                },
                texts: Vec::new(),
            })
            .collect();
        Self {
            id,
            by,
            draft_bytes: serde_json::to_string(&draft).map_or(0, |json| json.len()),
            draft,
            at_ms,
            until,
            st: PollState::Open,
            eligible: 0,
            rows: HashMap::new(),
            order: Vec::new(),
            voted: HashSet::new(),
            unnamed: 0,
            voices: HashMap::new(),
            sums,
            has_written: false,
            told_sums: OnceLock::new(),
            ballots: Vec::new(),
            kept_ms: now_ms,
            bytes: 0,
            told: None,
            told_ms: now_ms,
            changed: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.st == PollState::Open
    }

    /// Whether everybody sees the sums.
    fn is_public(&self) -> bool {
        self.draft.live || self.st == PollState::Shown
    }

    /// Whether those who hold polls see more of it than the others.
    pub(super) fn has_secrets(&self) -> bool {
        let right = self.draft.items.iter().any(|item| !item.correct.is_empty());
        !self.is_public() || (right && self.st != PollState::Shown)
    }

    pub(super) fn may_answer(&self, member: &Member) -> bool {
        let leads = matches!(member.role, Role::Organiser | Role::Chair);
        member.role != Role::Inspector && (!self.draft.by_site || member.site.is_some() || leads)
    }

    /// Whose voice an answer is: a site has one, however many connections.
    pub(super) fn voice_of(&self, member: &Member) -> Option<String> {
        self.draft.by_site.then(|| match &member.site {
            Some(site) => format!("s{}", fold(site)),
            None => format!("p{}", member.id.as_str()),
        })
    }

    /// Whether somebody else spoke with this voice.
    pub(super) fn is_spoken_for(&self, voice: Option<&String>, who: &PersonId) -> bool {
        voice
            .and_then(|voice| self.voices.get(voice))
            .is_some_and(|other| other != who)
    }

    pub(super) fn has_answered(&self, who: &PersonId) -> bool {
        self.rows.contains_key(who) || self.voted.contains(who)
    }

    /// Whether this is the person's named answer.
    pub(super) fn has_row(&self, who: &PersonId, answer: &[PollChoice]) -> bool {
        self.rows.get(who).is_some_and(|row| row.answer == answer)
    }

    pub(super) fn answered(&self) -> u32 {
        u32::try_from(self.rows.len() + self.voted.len())
            .unwrap_or(u32::MAX)
            .saturating_add(self.unnamed)
    }

    /// How many may answer: those present who may, and those who answered.
    pub(super) fn eligible_of<'a>(&self, present: impl Iterator<Item = &'a Member>) -> u32 {
        let may = present.filter(|member| self.may_answer(member));
        let more = if self.draft.by_site {
            let open: HashSet<String> = may.filter_map(|member| self.voice_of(member)).collect();
            open.iter()
                .filter(|voice| !self.voices.contains_key(*voice))
                .count()
        } else {
            may.filter(|member| !self.has_answered(&member.id)).count()
        };
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        self.answered().saturating_add(more)
    }

    /// Takes a named answer, in place of an earlier one.
    pub(super) fn put(&mut self, who: &PersonId, voice: Option<String>, row: Row) {
        if let Some(voice) = voice {
            self.voices.insert(voice, who.clone());
        }
        self.bytes = self.bytes.saturating_add(size_of(&row.answer));
        tally(&mut self.sums, &row.answer, true);
        match self.rows.insert(who.clone(), row) {
            Some(old) => {
                self.bytes = self.bytes.saturating_sub(size_of(&old.answer));
                tally(&mut self.sums, &old.answer, false);
            }
            None => self.order.push(who.clone()),
        }
        self.change();
    }

    /// Notes that somebody answered an anonymous poll.
    pub(super) fn mark(&mut self, who: &PersonId, voice: Option<String>) {
        if let Some(voice) = voice {
            self.voices.insert(voice, who.clone());
        }
        self.voted.insert(who.clone());
    }

    /// Takes a ballot of an anonymous poll.
    pub(super) fn cast(&mut self, ballot: Ballot) {
        self.mark(&ballot.who.clone(), ballot.voice.clone());
        self.bytes = self.bytes.saturating_add(size_of(&ballot.answer));
        tally(&mut self.sums, &ballot.answer, true);
        self.ballots.push(ballot);
        self.change();
    }

    /// A ballot that was cast is written: nobody's any more.
    pub(super) fn written(&mut self, answer: &[PollChoice]) {
        for (sum, choice) in self.sums.iter_mut().zip(answer) {
            sum.texts.extend(choice.text.clone());
            // No more texts than are ever told.
            let over = sum.texts.len().saturating_sub(POLL_TEXTS);
            sum.texts.drain(..over);
        }
        self.has_written = true;
        self.change();
    }

    /// Takes up a written ballot from the ledger.
    pub(super) fn count(&mut self, answer: &[PollChoice]) {
        tally(&mut self.sums, answer, true);
        self.written(answer);
    }

    fn change(&mut self) {
        self.changed = true;
        self.told_sums = OnceLock::new();
    }

    /// Texts that answer an item, the newest first.
    fn texts(&self, item: usize) -> impl Iterator<Item = &str> {
        let waiting = self.ballots.iter().rev();
        let rows = self.order.iter().rev().filter_map(|who| self.rows.get(who));
        let written = self.sums.get(item).map(|sum| sum.texts.iter().rev());
        waiting
            .filter_map(move |ballot| text_of(&ballot.answer, item))
            .chain(rows.filter_map(move |row| text_of(&row.answer, item)))
            .chain(written.into_iter().flatten().map(String::as_str))
    }

    /// The sums with the newest texts that fit a frame, and their size in JSON.
    fn results(&self) -> &(Vec<ItemResult>, usize) {
        self.told_sums.get_or_init(|| {
            let share = POLL_TEXTS_BYTES / self.sums.len().max(1);
            let mut sums = Vec::with_capacity(self.sums.len());
            for (no, (item, sum)) in self.draft.items.iter().zip(&self.sums).enumerate() {
                let mut texts = Vec::new();
                if item.choose == Choose::Text {
                    let mut left = share;
                    texts.extend(self.texts(no).take(POLL_TEXTS).map_while(|text| {
                        left = left.checked_sub(json_len(text) + 3)?;
                        Some(text.to_owned())
                    }));
                    texts.reverse();
                }
                let counts = sum.counts.clone();
                sums.push(ItemResult { counts, texts });
            }
            let bytes = serde_json::to_string(&sums).map_or(0, |json| json.len());
            (sums, bytes)
        })
    }

    /// What its view takes in JSON at most, bytes; 320 for the fixed fields.
    pub(super) fn view_bytes(&self, holds: bool) -> usize {
        let results = if holds || self.is_public() {
            self.results().1
        } else {
            0
        };
        self.draft_bytes + json_len(&self.by) + results + 320
    }

    /// The poll as those see it who hold polls, or as everybody does.
    pub(super) fn view(&self, holds: bool, eligible: u32) -> Poll {
        let mut draft = self.draft.clone();
        if !holds && self.st != PollState::Shown {
            let hide = |item: &mut PollItem| item.correct.clear();
            draft.items.iter_mut().for_each(hide);
        }
        Poll {
            poll: self.id.clone(),
            draft,
            at: self.at_ms,
            until: self.until.map(|until| until.wall_ms),
            st: self.st,
            by: self.by.clone(),
            answered: self.answered(),
            eligible,
            results: (holds || self.is_public()).then(|| self.results().0.clone()),
        }
    }

    /// What somebody answered, and his points where he may know them. Of an
    /// anonymous answer only that there is one.
    pub(super) fn mine(&self, who: &PersonId) -> Option<(Vec<PollChoice>, Option<u16>)> {
        if self.voted.contains(who) {
            return Some((Vec::new(), None));
        }
        let row = self.rows.get(who)?;
        let score = match self.st {
            PollState::Shown => score(&self.draft, &row.answer),
            PollState::Open | PollState::Closed => None,
        };
        Some((row.answer.clone(), score))
    }

    /// Who gave a named answer.
    pub(super) fn answerers(&self) -> &[PersonId] {
        &self.order
    }

    /// Named answers in the order of answering.
    pub(super) fn page(&self, from: u32, n: u32) -> (u32, Vec<PollRow>) {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let n = usize::try_from(n.min(POLL_PAGE)).unwrap_or(0);
        let mut left = POLL_PAGE_BYTES;
        let list = self
            .order
            .iter()
            .skip(from)
            .take(n)
            .filter_map(|who| {
                let row = self.rows.get(who)?;
                Some(PollRow {
                    who: who.clone(),
                    name: row.name.clone(),
                    unit: row.unit.clone(),
                    answer: row.answer.clone(),
                    score: score(&self.draft, &row.answer),
                    at: row.at_ms,
                })
            })
            .take_while(|row| {
                let bytes = serde_json::to_string(row).map_or(usize::MAX, |json| json.len() + 1);
                let fits = bytes <= left;
                left = left.saturating_sub(bytes);
                fits
            })
            .collect();
        (self.answered(), list)
    }

    /// Milliseconds between two tellings to so many links.
    pub(super) fn every_ms(&self, links: usize) -> u64 {
        let texts = self
            .draft
            .items
            .iter()
            .any(|item| item.choose == Choose::Text);
        let texts = if texts && self.is_public() {
            POLL_TEXTS_BYTES
        } else {
            0
        };
        let bytes = (self.draft_bytes + 256 + texts).saturating_mul(links);
        let times = u64::try_from(bytes.div_ceil(POLL_TELL_BYTES)).unwrap_or(u64::MAX);
        POLL_EVERY_MS
            .saturating_mul(times.max(1))
            .min(POLL_EVERY_MOST_MS)
    }
}
