//! Slides: which decks there are, and the page everybody sees. The pages
//! themselves are made and served by the server.

use std::collections::BTreeSet;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_DECKS, MAX_LABEL, POINT_MAX};
use lophoc_protocol::slides::{Deck, DeckState, Review, Stage};
use lophoc_protocol::{Action, ClientMessage, DeckId, ErrorCode, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{DECKS_BYTES, DECKS_EVER, PROGRESS_EVERY_MS};
use crate::room::{Phase, Room, key_of};
use crate::text::{BadText, clean_label};

/// A deck and what was last said of it.
#[derive(Debug)]
struct Kept {
    deck: Deck,
    /// When its progress was told last, monotonic ms.
    told_ms: u64,
    /// It went on since.
    untold: bool,
    /// Length of its JSON.
    bytes: usize,
}

/// The decks of a room, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Slides {
    decks: Vec<Kept>,
    /// Taken out of the room: the server may still be at work on them.
    dropped: BTreeSet<DeckId>,
    stage: Option<Stage>,
}

impl Slides {
    fn find(&self, id: &DeckId) -> Option<&Kept> {
        self.decks.iter().find(|kept| kept.deck.deck == *id)
    }

    fn find_mut(&mut self, id: &DeckId) -> Option<&mut Kept> {
        self.decks.iter_mut().find(|kept| kept.deck.deck == *id)
    }

    fn is_full_for(&self, bytes: usize) -> bool {
        let taken: usize = self.decks.iter().map(|kept| kept.bytes).sum();
        taken.saturating_add(bytes) > DECKS_BYTES
    }

    /// Puts the deck in the place of the one of its id, or last.
    fn put(&mut self, deck: Deck, now_ms: u64) {
        let bytes = json_len(&deck);
        if let Some(kept) = self.find_mut(&deck.deck) {
            kept.deck = deck;
            kept.bytes = bytes;
            kept.told_ms = now_ms;
            kept.untold = false;
        } else if !self.dropped.contains(&deck.deck) {
            self.decks.push(Kept {
                deck,
                told_ms: now_ms,
                untold: false,
                bytes,
            });
        }
    }

    fn remove(&mut self, id: &DeckId) {
        self.decks.retain(|kept| kept.deck.deck != *id);
        if self.dropped.len() < DECKS_EVER {
            self.dropped.insert(id.clone());
        }
        if self.stage.as_ref().is_some_and(|stage| stage.deck == *id) {
            self.stage = None;
        }
    }
}

/// Length as JSON, bytes.
pub(crate) fn json_len(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// Whether nothing changes any more but by people.
fn is_settled(state: DeckState) -> bool {
    matches!(state, DeckState::Ready | DeckState::Failed { .. })
}

impl Room {
    /// Whether a person may bring a further deck now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_bring_deck(&self, person: &PersonId) -> Result<(), ErrorCode> {
        if self.phase != Phase::Open {
            return Err(ErrorCode::Ended);
        }
        self.need(person, Action::Slides)?;
        let slides = &self.slides;
        let ever = slides.decks.len().saturating_add(slides.dropped.len());
        if slides.decks.len() >= MAX_DECKS || ever >= DECKS_EVER || slides.is_full_for(2_200) {
            return Err(ErrorCode::Full);
        }
        Ok(())
    }

    /// A deck from the server: new, further on its way, ready or failed. Of one
    /// that is known only state and pages change; the rest is the room's own.
    pub(crate) fn deck(&mut self, news: Deck) {
        if self.phase != Phase::Open || self.slides.dropped.contains(&news.deck) {
            return;
        }
        let now_ms = self.now.mono_ms;
        let Some(kept) = self.slides.find_mut(&news.deck) else {
            let ever = self.slides.decks.len() + self.slides.dropped.len();
            if self.slides.decks.len() < MAX_DECKS && ever < DECKS_EVER {
                self.keep_deck(news, None);
            }
            return;
        };
        // What is settled stays: news may come twice and late.
        if is_settled(kept.deck.st) {
            return;
        }
        kept.deck.st = news.st;
        if news.pages > 0 {
            kept.deck.pages = news.pages;
        }
        if news.w > 0 && news.h > 0 {
            kept.deck.w = news.w;
            kept.deck.h = news.h;
        }
        if is_settled(news.st) {
            let deck = kept.deck.clone();
            self.keep_deck(deck, None);
        } else if now_ms.saturating_sub(kept.told_ms) >= PROGRESS_EVERY_MS {
            kept.told_ms = now_ms;
            kept.untold = false;
            let deck = Box::new(kept.deck.clone());
            self.broadcast(ServerMessage::Deck { deck });
        } else {
            kept.untold = true;
        }
    }

    /// Keeps a deck, writes it down when it is settled, and tells everybody.
    fn keep_deck(&mut self, deck: Deck, by: Option<&PersonId>) {
        self.slides.put(deck.clone(), self.now.mono_ms);
        if is_settled(deck.st)
            && let Ok(value) = serde_json::to_value(&deck)
        {
            self.record(EventKind::Deck {
                deck: value,
                by: by.map(key_of),
            });
        }
        self.broadcast(ServerMessage::Deck {
            deck: Box::new(deck),
        });
    }

    /// Tells progress that was held back.
    pub(crate) fn tick_slides(&mut self) {
        let now_ms = self.now.mono_ms;
        let mut news = Vec::new();
        for kept in &mut self.slides.decks {
            if kept.untold && now_ms.saturating_sub(kept.told_ms) >= PROGRESS_EVERY_MS {
                kept.untold = false;
                kept.told_ms = now_ms;
                news.push(kept.deck.clone());
            }
        }
        for deck in news {
            self.broadcast(ServerMessage::Deck {
                deck: Box::new(deck),
            });
        }
    }

    /// `slideShow`, `slideHide`, `slidePoint`, `deckSet`, `deckDrop`.
    pub(crate) fn slide_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        self.need(me, Action::Slides)?;
        match msg {
            ClientMessage::SlideShow { deck, page } => self.slide_show(me, deck, page),
            ClientMessage::SlideHide => {
                self.set_stage(me, None);
                Ok(Done::Ok)
            }
            ClientMessage::SlidePoint { page, x, y } => self.slide_point(me, page, x, y),
            ClientMessage::DeckSet {
                deck,
                review,
                licence,
                owner,
            } => self.deck_set(me, &deck, review, [licence, owner]),
            ClientMessage::DeckDrop { deck } => self.deck_drop(me, &deck),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn slide_show(&mut self, me: &PersonId, deck: DeckId, page: u16) -> Outcome {
        let kept = self.slides.find(&deck).ok_or(ErrorCode::NotFound)?;
        if kept.deck.st != DeckState::Ready {
            return Err(ErrorCode::Conflict);
        }
        if !(1..=kept.deck.pages).contains(&page) {
            return Err(ErrorCode::BadRequest);
        }
        self.set_stage(me, Some(Stage { deck, page }));
        self.hide_board(me);
        Ok(Done::Ok)
    }

    fn set_stage(&mut self, me: &PersonId, stage: Option<Stage>) {
        if self.slides.stage == stage {
            return;
        }
        self.slides.stage.clone_from(&stage);
        self.record(EventKind::Slide {
            deck: stage.as_ref().map(|stage| stage.deck.0.clone()),
            page: stage.as_ref().map_or(0, |stage| stage.page),
            by: key_of(me),
        });
        self.broadcast(ServerMessage::Stage { stage });
    }

    fn slide_point(&mut self, me: &PersonId, page: u16, x: Option<u16>, y: Option<u16>) -> Outcome {
        let stage = self.slides.stage.as_ref().ok_or(ErrorCode::Conflict)?;
        if x.is_some() != y.is_some() || x.max(y).is_some_and(|most| most > POINT_MAX) {
            return Err(ErrorCode::BadRequest);
        }
        if stage.page != page {
            return Err(ErrorCode::Conflict);
        }
        self.broadcast_lossy(ServerMessage::SlidePoint {
            who: me.clone(),
            page,
            x,
            y,
        });
        Ok(Done::Ok)
    }

    /// One's own deck, or any with the right to moderate.
    fn deck_of(&self, me: &PersonId, id: &DeckId) -> Result<Deck, ErrorCode> {
        let kept = self.slides.find(id).ok_or(ErrorCode::NotFound)?;
        if kept.deck.by != *me {
            self.need(me, Action::Moderate)?;
        }
        Ok(kept.deck.clone())
    }

    fn deck_set(
        &mut self,
        me: &PersonId,
        id: &DeckId,
        review: Option<Review>,
        [licence, owner]: [Option<String>; 2],
    ) -> Outcome {
        let before = self.deck_of(me, id)?;
        if !is_settled(before.st) {
            return Err(ErrorCode::Conflict);
        }
        let mut deck = before.clone();
        if let Some(review) = review.filter(|review| *review != before.review) {
            // Whoever presents by being given the floor does not say what was reviewed.
            self.need(me, Action::Moderate)?;
            deck.review = review;
        }
        for (text, of) in [(licence, &mut deck.licence), (owner, &mut deck.owner)] {
            if let Some(text) = text {
                *of = match clean_label(&text, MAX_LABEL) {
                    Ok(text) => Some(text),
                    Err(BadText::Empty) => None,
                    Err(BadText::TooLong) => return Err(ErrorCode::TooLarge),
                    Err(BadText::Control) => return Err(ErrorCode::BadRequest),
                };
            }
        }
        if deck == before {
            return Ok(Done::Ok);
        }
        let grown = json_len(&deck).saturating_sub(json_len(&before));
        if grown > 0 && self.slides.is_full_for(grown) {
            return Err(ErrorCode::Full);
        }
        self.keep_deck(deck, Some(me));
        Ok(Done::Ok)
    }

    fn deck_drop(&mut self, me: &PersonId, id: &DeckId) -> Outcome {
        if self.slides.dropped.contains(id) {
            return Ok(Done::Ok);
        }
        self.deck_of(me, id)?;
        if self.stage().is_some_and(|stage| stage.deck == *id) {
            self.set_stage(me, None);
        }
        self.slides.remove(id);
        self.easel.forget_deck(id);
        self.record(EventKind::DeckDropped {
            id: id.0.clone(),
            by: key_of(me),
        });
        self.broadcast(ServerMessage::DeckGone { deck: id.clone() });
        Ok(Done::Ok)
    }

    /// State and number of pages of a deck.
    pub(crate) fn deck_pages(&self, id: &DeckId) -> Option<(DeckState, u16)> {
        let deck = &self.slides.find(id)?.deck;
        Some((deck.st, deck.pages))
    }

    /// The decks, for `state`, oldest first.
    pub fn decks(&self) -> Vec<Deck> {
        self.slides
            .decks
            .iter()
            .map(|kept| kept.deck.clone())
            .collect()
    }

    /// Ids of the decks and files that were taken out of the room.
    pub fn taken_out(&self) -> BTreeSet<String> {
        let decks = self.slides.dropped.iter().map(|id| id.0.clone());
        decks.chain(self.files.taken_back()).collect()
    }

    /// The page everybody sees.
    pub fn stage(&self) -> Option<Stage> {
        self.slides.stage.clone()
    }

    /// Takes up an event of slides from the ledger.
    pub(crate) fn replay_slide(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Deck { deck, .. } => {
                if let Ok(deck) = serde_json::from_value(deck.clone()) {
                    self.slides.put(deck, self.now.mono_ms);
                }
            }
            EventKind::DeckDropped { id, .. } => {
                let id = DeckId(id.clone());
                self.slides.remove(&id);
                self.easel.forget_deck(&id);
            }
            EventKind::Slide { deck, page, .. } => {
                self.slides.stage = deck.as_ref().map(|deck| Stage {
                    deck: DeckId(deck.clone()),
                    page: *page,
                });
            }
            _ => {}
        }
    }
}
