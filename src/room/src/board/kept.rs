//! Boards as a session's ledger leaves them, for its record.

use std::collections::{BTreeMap, HashMap, VecDeque};

use lophoc_ledger::{Event, EventKind, PersonKey};
use lophoc_protocol::board::{Shape, Surface};
use lophoc_protocol::slides::Deck;
use lophoc_protocol::{BoardId, DeckId};

use super::Easel;
use super::sheet::Sheet;
use crate::bounds::{BOARDS, BOARDS_BYTES};

/// A board with something on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardKept {
    /// Which.
    pub board: BoardId,
    /// The deck below it as it was told last, and the page; absent: a blank board,
    /// or a deck nobody told of.
    pub below: Option<(Deck, u16)>,
    /// The deck was taken out of the room; this is what was on the page then.
    pub dropped: bool,
    /// What is on it, by number, each with the name its author had while drawing.
    pub shapes: Vec<(Shape, String)>,
}

/// All boards of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardsKept {
    /// Blank ones by number, then pages by their deck.
    pub boards: Vec<BoardKept>,
    /// Pages of decks taken out of the room for which there was no place.
    pub left_out: usize,
}

/// Pages of decks that were taken out of the room. Bounded as boards are; overflow:
/// the oldest are left out and counted.
#[derive(Default)]
struct Dropped {
    sheets: VecDeque<(BoardId, Sheet)>,
    bytes: usize,
    left_out: usize,
}

impl Dropped {
    fn take(&mut self, board: BoardId, sheet: Sheet) {
        // What was erased before counts for nothing in a record.
        if sheet.seen().next().is_none() {
            return;
        }
        self.bytes = self.bytes.saturating_add(sheet.bytes());
        self.sheets.push_back((board, sheet));
        while self.sheets.len() > BOARDS || self.bytes > BOARDS_BYTES {
            let Some((_, oldest)) = self.sheets.pop_front() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.left_out += 1;
        }
    }
}

/// What is on the boards of a session after these events: what the room shows, and
/// what was drawn over a deck until it was taken out of the room.
pub fn boards_of(events: &[Event]) -> BoardsKept {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| event.seq);
    ordered.dedup_by_key(|event| event.seq);
    let mut easel = Easel::default();
    let mut dropped = Dropped::default();
    let mut decks: BTreeMap<DeckId, Deck> = BTreeMap::new();
    let mut names: HashMap<&PersonKey, &str> = HashMap::new();
    let mut authors: HashMap<(&str, u32), &str> = HashMap::new();
    for event in ordered {
        match &event.kind {
            EventKind::Join { person, name, .. } => {
                names.insert(person, name);
            }
            EventKind::Deck { deck, .. } => {
                if let Ok(deck) = serde_json::from_value::<Deck>(deck.clone()) {
                    decks.insert(deck.deck.clone(), deck);
                }
            }
            EventKind::DeckDropped { id, .. } => {
                for (board, sheet) in easel.forget_deck(&DeckId(id.clone())) {
                    dropped.take(board, sheet);
                }
            }
            EventKind::BoardDrawn { board, shape } => {
                let by = shape.get("by").and_then(serde_json::Value::as_str);
                let number = shape.get("n").and_then(serde_json::Value::as_u64);
                if let (Some(by), Some(Ok(number))) = (by, number.map(u32::try_from))
                    && let Some(name) = names.get(&PersonKey::from(by))
                {
                    authors.entry((board, number)).or_insert(name);
                }
                easel.replay(&event.kind);
            }
            kind => easel.replay(kind),
        }
    }
    let left_out = dropped.left_out;
    let now = easel.sheets.into_iter().map(|one| (one, false));
    let before = dropped.sheets.into_iter().map(|one| (one, true));
    let mut boards: Vec<BoardKept> = now
        .chain(before)
        .filter_map(|((board, sheet), dropped)| {
            let shapes: Vec<(Shape, String)> = sheet
                .seen()
                .map(|shape| {
                    let name = authors.get(&(board.0.as_str(), shape.n));
                    (shape.clone(), name.copied().unwrap_or_default().to_owned())
                })
                .collect();
            let below = match board.surface()? {
                Surface::White(_) => None,
                Surface::Page { deck, page } => decks.get(&deck).map(|deck| (deck.clone(), page)),
            };
            (!shapes.is_empty()).then_some(BoardKept {
                board,
                below,
                dropped,
                shapes,
            })
        })
        .collect();
    boards.sort_by_cached_key(|kept| match kept.board.surface() {
        Some(Surface::White(number)) => (None, u16::from(number)),
        Some(Surface::Page { deck, page }) => (Some(deck), page),
        None => (None, u16::MAX),
    });
    BoardsKept { boards, left_out }
}
