//! One poll: who answered what, the ballots that wait, the sums.

use std::collections::{HashMap, HashSet};

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
    /// By site: whose voice each is.
    voices: HashMap<String, PersonId>,
    /// Sums of the ballots that were written.
    sums: Vec<ItemResult>,
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

fn add(sums: &mut [ItemResult], answer: &[PollChoice]) {
    for (sum, choice) in sums.iter_mut().zip(answer) {
        for index in &choice.chosen {
            if let Some(count) = sum.counts.get_mut(usize::from(*index)) {
                *count = count.saturating_add(1);
            }
        }
        if let Some(text) = &choice.text {
            sum.texts.push(text.clone());
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
            voices: HashMap::new(),
            sums,
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
        u32::try_from(self.rows.len() + self.voted.len()).unwrap_or(u32::MAX)
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
        match self.rows.insert(who.clone(), row) {
            Some(old) => self.bytes = self.bytes.saturating_sub(size_of(&old.answer)),
            None => self.order.push(who.clone()),
        }
        self.changed = true;
    }

    /// Notes that somebody answered an anonymous poll.
    pub(super) fn mark(&mut self, who: &PersonId, voice: Option<String>) {
        if let Some(voice) = voice {
            self.voices.insert(voice, who.clone());
        }
        self.voted.insert(who.clone());
    }

    /// Takes a ballot of an anonymous poll.
    pub(super) fn cast(&mut self, voice: Option<String>, ballot: Ballot) {
        self.mark(&ballot.who.clone(), voice);
        self.bytes = self.bytes.saturating_add(size_of(&ballot.answer));
        self.ballots.push(ballot);
        self.changed = true;
    }

    /// Takes up a ballot that is written.
    pub(super) fn count(&mut self, answer: &[PollChoice]) {
        add(&mut self.sums, answer);
        // No more texts than are ever told.
        for sum in &mut self.sums {
            let over = sum.texts.len().saturating_sub(POLL_TEXTS);
            sum.texts.drain(..over);
        }
        self.changed = true;
    }

    /// The sums, with the newest texts that fit a frame.
    pub(super) fn results(&self) -> Vec<ItemResult> {
        let mut sums = self.sums.clone();
        for row in self.order.iter().filter_map(|who| self.rows.get(who)) {
            add(&mut sums, &row.answer);
        }
        for ballot in &self.ballots {
            add(&mut sums, &ballot.answer);
        }
        let share = POLL_TEXTS_BYTES / sums.len().max(1);
        for sum in &mut sums {
            let mut left = share;
            let fit = sum
                .texts
                .iter()
                .rev()
                .take(POLL_TEXTS)
                .take_while(|text| {
                    let bytes = json_len(text) + 3;
                    let fits = bytes <= left;
                    left = left.saturating_sub(bytes);
                    fits
                })
                .count();
            let over = sum.texts.len().saturating_sub(fit);
            sum.texts.drain(..over);
        }
        sums
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
            results: (holds || self.is_public()).then(|| self.results()),
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
