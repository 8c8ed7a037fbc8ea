//! Boards: blank ones, and what is drawn over pages of slides. As slides they
//! belong to the whole room, also while breakout groups are open.

use std::collections::BTreeMap;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::board::{Boards, Figure, FigureKind, Shape, Surface};
use lophoc_protocol::limits::{MAX_BOARD_TEXT, MAX_ERASE, MAX_STROKE, POINT_MAX};
use lophoc_protocol::slides::DeckState;
use lophoc_protocol::{Action, BoardId, ClientMessage, DeckId, ErrorCode, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{BOARD_FRAME_BYTES, BOARD_LIVE_POINTS, BOARDS, BOARDS_BYTES};
use crate::chat::is_cid;
use crate::room::{Room, key_of};
use crate::slides::json_len;
use crate::talk::code_of;
use crate::text::clean_text;

mod kept;
mod sheet;

pub use kept::{BoardKept, BoardsKept, boards_of};
use sheet::{Change, Sheet};

/// The boards of a room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Easel {
    /// Blank boards made so far.
    white: u8,
    shown: Option<BoardId>,
    /// Boards that were drawn on. Bounded by [`BOARDS`] and [`BOARDS_BYTES`].
    sheets: BTreeMap<BoardId, Sheet>,
}

impl Easel {
    fn sheet(&self, board: &BoardId) -> Option<&Sheet> {
        self.sheets.get(board)
    }

    /// The board of the ledger, made when it is new.
    fn known(&mut self, board: &str) -> Option<&mut Sheet> {
        let board = BoardId::from(board);
        let place = self.sheets.len() < BOARDS || self.sheets.contains_key(&board);
        if !place || board.surface().is_none() {
            return None;
        }
        Some(self.sheets.entry(board).or_default())
    }

    fn show(&mut self, board: Option<BoardId>) {
        if let Some(Surface::White(n)) = board.as_ref().and_then(BoardId::surface) {
            self.white = self.white.max(n);
        }
        self.shown = board;
    }

    /// The layers over a deck go with it: they are handed out.
    pub(crate) fn forget_deck(&mut self, deck: &DeckId) -> BTreeMap<BoardId, Sheet> {
        let (gone, kept) = std::mem::take(&mut self.sheets)
            .into_iter()
            .partition(|(board, _)| {
                matches!(board.surface(), Some(Surface::Page { deck: of, .. }) if of == *deck)
            });
        self.sheets = kept;
        gone
    }

    /// Takes up an event of the boards from the ledger.
    fn replay(&mut self, kind: &EventKind) {
        match kind {
            EventKind::BoardShown { board, .. } => {
                self.show(board.as_deref().map(BoardId::from));
            }
            EventKind::BoardDrawn { board, shape } => {
                if let Ok(shape) = serde_json::from_value(shape.clone())
                    && let Some(sheet) = self.known(board)
                {
                    sheet.draw(shape);
                }
            }
            EventKind::BoardErased { board, n, by } => {
                if let Some(sheet) = self.known(board) {
                    sheet.erase(&PersonId(by.0.clone()), n);
                }
            }
            EventKind::BoardUndone {
                board, redo, by, ..
            } => {
                if let Some(sheet) = self.known(board) {
                    // What it answered then was recorded with it.
                    let _same = sheet.turn_back(&PersonId(by.0.clone()), *redo);
                }
            }
            _ => {}
        }
    }

    fn overview(&self) -> Boards {
        let is_page = |board: &&BoardId| matches!(board.surface(), Some(Surface::Page { .. }));
        Boards {
            white: self.white,
            shown: self.shown.clone(),
            pages: self.sheets.keys().filter(is_page).cloned().collect(),
        }
    }
}

/// A figure as it is kept: bounded, and its text clean.
fn clean(mut fig: Figure) -> Result<Figure, ErrorCode> {
    if fig.p.len() > MAX_STROKE * 2 {
        return Err(ErrorCode::TooLarge);
    }
    let points = fig.p.len() / 2;
    let counted = match fig.kind {
        FigureKind::Pen | FigureKind::Marker => points >= 1,
        FigureKind::Line | FigureKind::Arrow | FigureKind::Rect | FigureKind::Ellipse => {
            points == 2
        }
        FigureKind::Text => points == 1,
    };
    if !counted || !is_drawable(&fig) {
        return Err(ErrorCode::BadRequest);
    }
    if fig.kind == FigureKind::Text {
        fig.text = clean_text(&fig.text, MAX_BOARD_TEXT).map_err(code_of)?;
    } else if !fig.text.is_empty() {
        return Err(ErrorCode::BadRequest);
    }
    Ok(fig)
}

/// Whole points on the board, and a width there is.
fn is_drawable(fig: &Figure) -> bool {
    fig.p.len().is_multiple_of(2)
        && fig.p.iter().all(|place| *place <= POINT_MAX)
        && (1..=3).contains(&fig.w)
}

/// Takes figures from the front as long as they fit into a frame; at least one.
fn fitting<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Vec<Shape> {
    let mut bytes = 0;
    shapes
        .take_while(|shape| {
            let first = bytes == 0;
            bytes += json_len(shape);
            first || bytes <= BOARD_FRAME_BYTES
        })
        .cloned()
        .collect()
}

impl Room {
    /// `board…`.
    pub(crate) fn board_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        use ClientMessage as M;
        match msg {
            M::BoardGet { board, after } => return self.board_get(&board, after),
            M::BoardShow { board } => return self.board_show(me, board),
            M::BoardHide => {
                self.need(me, Action::Slides)?;
                self.hide_board(me);
                return Ok(Done::Ok);
            }
            _ => {}
        }
        self.need(me, Action::Draw)?;
        match msg {
            M::BoardDraw { board, cid, fig } => self.board_draw(me, board, &cid, fig),
            M::BoardLive {
                board,
                cid,
                from,
                fig,
            } => self.board_live(me, board, cid, from, fig),
            M::BoardPoint { board, x, y } => self.board_point(me, board, x, y),
            M::BoardErase { board, n } => self.board_erase(me, &board, &n),
            M::BoardClear { board } => self.board_clear(me, &board),
            M::BoardUndo { board } => self.board_undo(me, &board, false),
            M::BoardRedo { board } => self.board_undo(me, &board, true),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    /// Whether there is such a board: a blank one that was made, or a page of a
    /// deck that can be shown.
    fn is_board(&self, board: &BoardId) -> bool {
        match board.surface() {
            Some(Surface::White(n)) => n <= self.easel.white,
            Some(Surface::Page { deck, page }) => self
                .deck_pages(&deck)
                .is_some_and(|(st, pages)| st == DeckState::Ready && page <= pages),
            None => false,
        }
    }

    /// Whether everybody sees this board now.
    fn is_board_seen(&self, board: &BoardId) -> bool {
        match &self.easel.shown {
            Some(shown) => shown == board,
            None => self
                .stage()
                .is_some_and(|stage| BoardId::page(&stage.deck, stage.page) == *board),
        }
    }

    fn board_show(&mut self, me: &PersonId, board: BoardId) -> Outcome {
        self.need(me, Action::Slides)?;
        let Some(Surface::White(n)) = board.surface() else {
            return Err(ErrorCode::BadRequest);
        };
        if n > self.easel.white.saturating_add(1) {
            return Err(ErrorCode::NotFound);
        }
        if self.easel.shown.as_ref() != Some(&board) {
            self.set_board(me, Some(board));
        }
        Ok(Done::Ok)
    }

    /// Shows no blank board any more.
    pub(crate) fn hide_board(&mut self, me: &PersonId) {
        if self.easel.shown.is_some() {
            self.set_board(me, None);
        }
    }

    fn set_board(&mut self, me: &PersonId, board: Option<BoardId>) {
        self.record(EventKind::BoardShown {
            board: board.as_ref().map(|board| board.0.clone()),
            by: key_of(me),
        });
        self.easel.show(board);
        self.broadcast(ServerMessage::Boards {
            boards: self.easel.overview(),
        });
    }

    fn board_get(&self, board: &BoardId, after: u32) -> Outcome {
        if !self.is_board(board) {
            return Err(ErrorCode::NotFound);
        }
        let sheet = self.easel.sheet(board);
        let list = sheet
            .map(|sheet| fitting(sheet.after(after)))
            .unwrap_or_default();
        let more = list
            .last()
            .zip(sheet)
            .is_some_and(|(last, sheet)| sheet.after(last.n).next().is_some());
        Ok(Done::Reply(ServerMessage::BoardPage {
            board: board.clone(),
            list,
            more,
        }))
    }

    fn board_draw(&mut self, me: &PersonId, board: BoardId, cid: &str, fig: Figure) -> Outcome {
        if !is_cid(cid) {
            return Err(ErrorCode::BadRequest);
        }
        if !self.is_board(&board) {
            return Err(ErrorCode::NotFound);
        }
        let fig = clean(fig)?;
        let fresh = Sheet::default();
        let sheet = self.easel.sheet(&board);
        if sheet.is_some_and(|sheet| sheet.knows(me, cid)) {
            return Ok(Done::Ok);
        }
        if sheet.is_none() && self.easel.sheets.len() >= BOARDS {
            return Err(ErrorCode::Full);
        }
        let shape = sheet.unwrap_or(&fresh).shape(me, cid, fig)?;
        let taken: usize = self.easel.sheets.values().map(Sheet::bytes).sum();
        if taken.saturating_add(json_len(&shape)) > BOARDS_BYTES {
            return Err(ErrorCode::Full);
        }
        self.record(EventKind::BoardDrawn {
            board: board.0.clone(),
            shape: serde_json::to_value(&shape).unwrap_or_default(),
        });
        let sheet = self.easel.sheets.entry(board.clone()).or_default();
        sheet.draw(shape.clone());
        self.broadcast(ServerMessage::Board {
            board,
            set: vec![shape],
            del: vec![],
        });
        Ok(Done::Ok)
    }

    /// What is drawn somewhere else than where everybody looks is not told: the
    /// page was turned meanwhile.
    fn board_live(
        &mut self,
        me: &PersonId,
        board: BoardId,
        cid: String,
        from: u16,
        fig: Figure,
    ) -> Outcome {
        let piece = fig.p.len() <= BOARD_LIVE_POINTS * 2 && usize::from(from) <= MAX_STROKE * 2;
        if !is_cid(&cid) || !piece || !is_drawable(&fig) || !fig.text.is_empty() {
            return Err(ErrorCode::BadRequest);
        }
        if self.is_board_seen(&board) {
            self.broadcast_lossy(ServerMessage::BoardLive {
                board,
                who: me.clone(),
                cid,
                from,
                fig,
            });
        }
        Ok(Done::Ok)
    }

    fn board_point(
        &mut self,
        me: &PersonId,
        board: BoardId,
        x: Option<u16>,
        y: Option<u16>,
    ) -> Outcome {
        if x.is_some() != y.is_some() || x.max(y).is_some_and(|most| most > POINT_MAX) {
            return Err(ErrorCode::BadRequest);
        }
        if self.easel.shown.as_ref() == Some(&board) {
            self.broadcast_lossy(ServerMessage::BoardPoint {
                board,
                who: me.clone(),
                x,
                y,
            });
        }
        Ok(Done::Ok)
    }

    fn board_erase(&mut self, me: &PersonId, board: &BoardId, which: &[u32]) -> Outcome {
        if which.len() > MAX_ERASE {
            return Err(ErrorCode::TooLarge);
        }
        if !self.is_board(board) {
            return Err(ErrorCode::NotFound);
        }
        let all = self.need(me, Action::Slides).is_ok();
        let Some(sheet) = self.easel.sheets.get_mut(board) else {
            return Ok(Done::Ok);
        };
        let others = |n: &u32| sheet.get(*n).is_some_and(|shape| shape.by != *me);
        if !all && which.iter().any(others) {
            return Err(ErrorCode::Forbidden);
        }
        let del = sheet.erase(me, which);
        self.tell_erased(me, board, del);
        Ok(Done::Ok)
    }

    fn board_clear(&mut self, me: &PersonId, board: &BoardId) -> Outcome {
        self.need(me, Action::Slides)?;
        if !self.is_board(board) {
            return Err(ErrorCode::NotFound);
        }
        let Some(sheet) = self.easel.sheets.get_mut(board) else {
            return Ok(Done::Ok);
        };
        let all: Vec<u32> = sheet.seen().map(|shape| shape.n).collect();
        let del = sheet.erase(me, &all);
        self.tell_erased(me, board, del);
        Ok(Done::Ok)
    }

    fn tell_erased(&mut self, me: &PersonId, board: &BoardId, del: Vec<u32>) {
        if del.is_empty() {
            return;
        }
        self.record(EventKind::BoardErased {
            board: board.0.clone(),
            n: del.clone(),
            by: key_of(me),
        });
        self.broadcast(ServerMessage::Board {
            board: board.clone(),
            set: vec![],
            del,
        });
    }

    fn board_undo(&mut self, me: &PersonId, board: &BoardId, redo: bool) -> Outcome {
        if !self.is_board(board) {
            return Err(ErrorCode::NotFound);
        }
        let sheet = self
            .easel
            .sheets
            .get_mut(board)
            .ok_or(ErrorCode::Conflict)?;
        let Change { set, del } = sheet.turn_back(me, redo)?;
        self.record(EventKind::BoardUndone {
            board: board.0.clone(),
            redo,
            set: set.clone(),
            del: del.clone(),
            by: key_of(me),
        });
        if !del.is_empty() {
            self.broadcast(ServerMessage::Board {
                board: board.clone(),
                set: vec![],
                del,
            });
        }
        let mut rest = set.as_slice();
        while !rest.is_empty() {
            let shapes = match self.easel.sheet(board) {
                Some(sheet) => fitting(rest.iter().filter_map(|n| sheet.get(*n))),
                None => vec![],
            };
            if shapes.is_empty() {
                break;
            }
            rest = rest.get(shapes.len()..).unwrap_or_default();
            self.broadcast(ServerMessage::Board {
                board: board.clone(),
                set: shapes,
                del: vec![],
            });
        }
        Ok(Done::Ok)
    }

    /// Which boards there are, for `state`.
    pub fn boards(&self) -> Option<Boards> {
        let boards = self.easel.overview();
        (boards != Boards::default()).then_some(boards)
    }

    /// What is on a board, by number; empty when there is no such board.
    pub fn board(&self, board: &BoardId) -> Vec<Shape> {
        let sheet = self.easel.sheet(board);
        sheet
            .map(|sheet| sheet.seen().cloned().collect())
            .unwrap_or_default()
    }

    /// Takes up an event of the boards from the ledger.
    pub(crate) fn replay_board(&mut self, event: &Event) {
        self.easel.replay(&event.kind);
    }
}
