//! What a session's ledger gives a recording: pages, boards, chat, polls, captions,
//! on recording time. What lies in a cut is not told, only what was left of it when
//! it ended; what people wrote who are not recorded is not told at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lophoc_classes::{
    PlaybackBoard, PlaybackChapter, PlaybackChat, PlaybackOption, PlaybackPoll, PlaybackSlide,
};
use lophoc_ledger::{CaptionLine, Event, EventKind, PersonKey, Stamp, polls};
use lophoc_recording::{Anchor, Cuts, Span};

use super::consent::Consents;

/// Entries of one list. Overflow: later ones are left out.
const MOST: usize = 50_000;
/// Longest title of a chapter, characters.
const TITLE: usize = 80;

/// A deck as the materials know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeckFacts {
    /// Name.
    pub name: String,
    /// Words of its pages, from page 1.
    pub words: BTreeMap<u16, String>,
}

/// What it is told from.
pub struct Told<'a> {
    /// Recording time 0.
    pub began: &'a Anchor,
    /// What nobody is shown.
    pub cuts: &'a Cuts,
    /// The session's log, in order.
    pub events: &'a [Event],
    /// Decks by their id.
    pub decks: &'a BTreeMap<String, DeckFacts>,
    /// Id of the recording.
    pub recording: &'a str,
    /// People of whom nothing is shown.
    pub unrecorded: &'a BTreeSet<PersonKey>,
}

impl Told<'_> {
    /// Whether what somebody wrote is told: he is not left out, and the words in
    /// force when he wrote it took him.
    fn tells(&self, consents: &Consents<'_>, person: &PersonKey) -> bool {
        !self.unrecorded.contains(person) && consents.takes(person)
    }
}

/// What is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// Pages; addresses are empty.
    pub slides: Vec<PlaybackSlide>,
    /// Boards.
    pub boards: Vec<PlaybackBoard>,
    /// Chat.
    pub chat: Vec<PlaybackChat>,
    /// Polls.
    pub polls: Vec<PlaybackPoll>,
    /// Chapters.
    pub chapters: Vec<PlaybackChapter>,
}

/// Where stamps of the ledger lie on recording time, ms; negative before it began.
/// Inside a run of the server its monotonic clock counts, so that a wall clock that
/// is set meanwhile moves nothing.
pub struct Places {
    began_ms: u64,
    runs: HashMap<u64, (u64, u64)>,
}

impl Places {
    /// Of a session's events and a recording that began then.
    pub fn new(began: &Anchor, events: &[Event]) -> Self {
        let mut runs: HashMap<u64, (u64, u64)> = HashMap::new();
        for event in events {
            let Stamp {
                wall_ms,
                mono_ms,
                boot,
            } = event.at;
            let near = runs.entry(boot).or_insert((wall_ms, mono_ms));
            if wall_ms.abs_diff(began.wall_ms) < near.0.abs_diff(began.wall_ms) {
                *near = (wall_ms, mono_ms);
            }
        }
        Self {
            began_ms: began.wall_ms,
            runs,
        }
    }

    /// Where a stamp lies.
    pub fn at(&self, stamp: Stamp) -> i64 {
        let wall = match self.runs.get(&stamp.boot) {
            Some((wall, mono)) if stamp.mono_ms >= *mono => {
                wall.saturating_add(stamp.mono_ms - mono)
            }
            Some((wall, mono)) => wall.saturating_sub(mono - stamp.mono_ms),
            None => stamp.wall_ms,
        };
        self.of_wall(wall)
    }

    /// Where a moment of the wall clock lies.
    pub fn of_wall(&self, wall_ms: u64) -> i64 {
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        signed(wall_ms).saturating_sub(signed(self.began_ms))
    }
}

/// What of recording time is shown.
struct Shown<'a> {
    cuts: &'a Cuts,
    spans: Vec<Span>,
}

impl<'a> Shown<'a> {
    fn new(cuts: &'a Cuts) -> Self {
        Self {
            cuts,
            spans: cuts.spans(),
        }
    }

    /// The moment itself when it is shown.
    fn exactly(&self, at: i64) -> Option<u64> {
        let at = u64::try_from(at).ok()?;
        (at <= self.cuts.length_ms() && !self.cuts.hides(at)).then_some(at)
    }

    /// The moment, or the next that is shown.
    fn from(&self, at: i64) -> Option<u64> {
        let at = u64::try_from(at).unwrap_or(0);
        let after = self
            .spans
            .iter()
            .find(|span| span.from_ms <= at && at < span.to_ms)
            .map_or(at, |span| span.to_ms);
        (after < self.cuts.length_ms() || (after == at && at == self.cuts.length_ms()))
            .then_some(after)
    }
}

/// Names of people as at their last coming in.
pub fn names(events: &[Event]) -> HashMap<PersonKey, String> {
    let mut names = HashMap::new();
    for event in events {
        if let EventKind::Join { person, name, .. } = &event.kind {
            names.insert(person.clone(), name.clone());
        }
    }
    names
}

/// All of it.
pub fn script(told: &Told<'_>) -> Script {
    let places = Places::new(told.began, told.events);
    let shown = Shown::new(told.cuts);
    let slides = slides(told, &places, &shown);
    Script {
        chapters: chapters(told, &slides),
        slides,
        boards: boards(told, &places, &shown),
        chat: chat(told, &places, &shown),
        polls: poll_list(told, &places, &shown),
    }
}

fn slides(told: &Told<'_>, places: &Places, shown: &Shown<'_>) -> Vec<PlaybackSlide> {
    let mut list: Vec<PlaybackSlide> = Vec::new();
    for event in told.events {
        let EventKind::Slide { deck, page, .. } = &event.kind else {
            continue;
        };
        let Some(at_ms) = shown.from(places.at(event.at)) else {
            continue;
        };
        let deck = deck.clone().unwrap_or_default();
        let facts = told.decks.get(&deck);
        let page = if deck.is_empty() { 0 } else { *page };
        let next = PlaybackSlide {
            at_ms,
            title: facts.map(|facts| facts.name.clone()),
            text: facts
                .and_then(|facts| facts.words.get(&page))
                .filter(|words| !words.is_empty())
                .cloned(),
            deck,
            page,
            url: String::new(),
            small_url: String::new(),
        };
        // Of what changed while nothing was shown the last is left.
        if list.last().is_some_and(|last| last.at_ms == at_ms) {
            list.pop();
        }
        let same = list.last().map_or(next.page == 0, |last| {
            last.deck == next.deck && last.page == next.page
        });
        if !same && list.len() < MOST {
            list.push(next);
        }
    }
    list
}

fn chapters(told: &Told<'_>, slides: &[PlaybackSlide]) -> Vec<PlaybackChapter> {
    slides
        .iter()
        .filter(|slide| slide.page > 0)
        .map(|slide| {
            let words = told
                .decks
                .get(&slide.deck)
                .and_then(|deck| deck.words.get(&slide.page))
                .and_then(|words| words.lines().map(str::trim).find(|line| !line.is_empty()));
            let title = match (words, &slide.title) {
                (Some(words), _) => short(words),
                (None, Some(name)) => format!("{} · {}", short(name), slide.page),
                (None, None) => slide.page.to_string(),
            };
            PlaybackChapter {
                at_ms: slide.at_ms,
                title,
            }
        })
        .collect()
}

fn short(text: &str) -> String {
    if text.chars().count() <= TITLE {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(TITLE - 1).collect();
    cut.push('…');
    cut
}

/// A board while it is read.
#[derive(Default)]
struct Sheet {
    /// Figures that were drawn, and whether they are there now.
    figures: BTreeMap<u32, (serde_json::Value, bool)>,
    /// What the audience sees of them.
    seen: BTreeMap<u32, bool>,
}

/// Makes the audience see what is there.
fn show(board: &str, sheet: &mut Sheet, at_ms: u64, list: &mut Vec<PlaybackBoard>) {
    let (mut hide, mut again) = (Vec::new(), Vec::new());
    let plain = |at_ms| PlaybackBoard {
        at_ms,
        board: board.to_owned(),
        shown: false,
        shape: None,
        hide: Vec::new(),
        show: Vec::new(),
    };
    for (number, (shape, there)) in &sheet.figures {
        match (sheet.seen.get(number), there) {
            (None, true) => {
                sheet.seen.insert(*number, true);
                list.push(PlaybackBoard {
                    shape: Some(shape.clone()),
                    ..plain(at_ms)
                });
            }
            (Some(true), false) => {
                sheet.seen.insert(*number, false);
                hide.push(*number);
            }
            (Some(false), true) => {
                sheet.seen.insert(*number, true);
                again.push(*number);
            }
            (None, false) | (Some(true), true) | (Some(false), false) => {}
        }
    }
    if !hide.is_empty() || !again.is_empty() {
        list.push(PlaybackBoard {
            hide,
            show: again,
            ..plain(at_ms)
        });
    }
}

/// Boards while they are read.
#[derive(Default)]
struct Boards {
    sheets: BTreeMap<String, Sheet>,
    /// Those that changed while nothing was shown.
    late: BTreeSet<String>,
    /// The blank one that was turned to meanwhile.
    late_blank: Option<String>,
    /// When something is shown again.
    due: Option<u64>,
    /// The blank one in sight.
    blank: String,
    list: Vec<PlaybackBoard>,
}

impl Boards {
    /// What happened is told: now, or when something is shown again.
    fn happened(&mut self, at_ms: u64, now: bool) {
        if now {
            self.settle(at_ms);
        } else {
            self.due = Some(at_ms);
        }
    }

    fn set(&mut self, board: &str, numbers: &[u32], there: bool) {
        if let Some(sheet) = self.sheets.get_mut(board) {
            for number in numbers {
                if let Some((_, is)) = sheet.figures.get_mut(number) {
                    *is = there;
                }
            }
        }
    }

    fn settle(&mut self, at_ms: u64) {
        for board in std::mem::take(&mut self.late) {
            if let Some(sheet) = self.sheets.get_mut(&board) {
                show(&board, sheet, at_ms, &mut self.list);
            }
        }
        if let Some(now) = self.late_blank.take()
            && now != self.blank
        {
            self.list.push(PlaybackBoard {
                at_ms,
                board: now.clone(),
                shown: true,
                shape: None,
                hide: Vec::new(),
                show: Vec::new(),
            });
            self.blank = now;
        }
    }
}

fn boards(told: &Told<'_>, places: &Places, shown: &Shown<'_>) -> Vec<PlaybackBoard> {
    let mut all = Boards::default();
    let mut consents = Consents::new(told.recording);
    for event in told.events {
        consents.take(event);
        let place = places.at(event.at);
        let Some(at_ms) = shown.from(place) else {
            continue;
        };
        let now = shown.exactly(place).is_some();
        if let Some(before) = all.due.filter(|before| *before <= at_ms && now) {
            all.settle(before);
            all.due = None;
        }
        let changed = match &event.kind {
            EventKind::BoardDrawn { board, shape } => {
                let number = shape.get("n").and_then(serde_json::Value::as_u64);
                let by = shape.get("by").and_then(serde_json::Value::as_str);
                let by = by.map(PersonKey::from);
                let outside = by.is_some_and(|by| !told.tells(&consents, &by));
                let Some(number) = number.and_then(|n| u32::try_from(n).ok()) else {
                    continue;
                };
                if outside || all.list.len() >= MOST {
                    continue;
                }
                let sheet = all.sheets.entry(board.clone()).or_default();
                sheet.figures.insert(number, (shape.clone(), true));
                board
            }
            EventKind::BoardErased { board, n, .. } => {
                all.set(board, n, false);
                board
            }
            EventKind::BoardUndone {
                board,
                set: back,
                del,
                ..
            } => {
                all.set(board, back, true);
                all.set(board, del, false);
                board
            }
            EventKind::BoardShown { board, .. } => {
                all.late_blank = Some(board.clone().unwrap_or_default());
                all.happened(at_ms, now);
                continue;
            }
            _ => continue,
        };
        all.late.insert(changed.clone());
        all.happened(at_ms, now);
    }
    if let Some(before) = all.due {
        all.settle(before);
    }
    all.list
}

fn chat(told: &Told<'_>, places: &Places, shown: &Shown<'_>) -> Vec<PlaybackChat> {
    let deleted: BTreeSet<&str> = told
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::ChatDeleted { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let mut names: HashMap<&PersonKey, &str> = HashMap::new();
    let mut list = Vec::new();
    let mut consents = Consents::new(told.recording);
    for event in told.events {
        consents.take(event);
        match &event.kind {
            EventKind::Join { person, name, .. } => {
                names.insert(person, name);
            }
            EventKind::Chat {
                person,
                id,
                text,
                to: None,
                ..
            } if !deleted.contains(id.as_str())
                && told.tells(&consents, person)
                && list.len() < MOST =>
            {
                if let Some(at_ms) = shown.exactly(places.at(event.at)) {
                    list.push(PlaybackChat {
                        at_ms,
                        id: id.clone(),
                        name: names.get(person).copied().unwrap_or_default().to_owned(),
                        text: text.clone(),
                    });
                }
            }
            _ => {}
        }
    }
    list
}

fn poll_list(told: &Told<'_>, places: &Places, shown: &Shown<'_>) -> Vec<PlaybackPoll> {
    let dropped: BTreeSet<&str> = told
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::PollDropped { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    // When each was opened and closed, by the same clock as everything else.
    let mut times: HashMap<&str, (i64, Option<i64>)> = HashMap::new();
    for event in told.events {
        match &event.kind {
            EventKind::PollOpened { id, .. } => {
                times.insert(id, (places.at(event.at), None));
            }
            EventKind::PollClosed { id, .. } => {
                if let Some((_, closed)) = times.get_mut(id.as_str()) {
                    *closed = Some(places.at(event.at));
                }
            }
            _ => {}
        }
    }
    let mut list = Vec::new();
    for poll in polls(told.events) {
        let Some((opened, closed)) = times.get(poll.id.as_str()) else {
            continue;
        };
        let Some(at_ms) = shown.from(*opened) else {
            continue;
        };
        // Over before the audience sees anything again.
        let end_ms = closed.map(|closed| u64::try_from(closed).unwrap_or(0));
        let unseen = shown.exactly(*opened).is_none() && end_ms.is_some_and(|end| end <= at_ms);
        if dropped.contains(poll.id.as_str()) || unseen {
            continue;
        }
        for (item, sums) in poll.items.iter().zip(&poll.sums) {
            let count = if item.choose == "text" {
                0
            } else {
                sums.counts.len()
            };
            let options = (0..count)
                .map(|number| PlaybackOption {
                    text: item.options.get(number).cloned().unwrap_or_default(),
                    votes: poll
                        .shown
                        .then(|| sums.counts.get(number).copied().unwrap_or(0)),
                })
                .collect();
            let question = match item.text.trim() {
                "" => poll.title.clone(),
                text => text.to_owned(),
            };
            if list.len() < MOST {
                list.push(PlaybackPoll {
                    at_ms,
                    end_ms: end_ms.map(|end| end.min(told.cuts.length_ms())),
                    kind: poll.kind.clone(),
                    question,
                    options,
                });
            }
        }
    }
    list
}

/// Captions typed in the room, by language, on recording time.
pub fn captions(told: &Told<'_>) -> BTreeMap<String, Vec<CaptionLine>> {
    let places = Places::new(told.began, told.events);
    let shown = Shown::new(told.cuts);
    let mut lines: BTreeMap<String, Vec<CaptionLine>> = BTreeMap::new();
    let mut consents = Consents::new(told.recording);
    for event in told.events {
        consents.take(event);
        if let EventKind::Caption {
            person,
            lang,
            text,
            took_ms,
            ..
        } = &event.kind
            && told.tells(&consents, person)
            && let Some(to_ms) = shown.exactly(places.at(event.at))
        {
            let from_ms = to_ms.saturating_sub(u64::from(*took_ms));
            // Typed while nothing was shown.
            if told.cuts.hides(from_ms) {
                continue;
            }
            lines.entry(lang.clone()).or_default().push(CaptionLine {
                person: person.clone(),
                name: String::new(),
                lang: lang.clone(),
                text: text.clone(),
                from_ms,
                to_ms,
            });
        }
    }
    lines
}
