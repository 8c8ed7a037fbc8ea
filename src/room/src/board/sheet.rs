//! One board: its figures, and what each author can take back.

use std::collections::{BTreeMap, VecDeque};

use lophoc_protocol::board::{Figure, Shape};
use lophoc_protocol::limits::MAX_SHAPES;
use lophoc_protocol::{ErrorCode, PersonId};

use crate::bounds::{BOARD_AUTHORS, BOARD_BYTES, BOARD_DEEDS, BOARD_GONE};
use crate::slides::json_len;

/// A figure, seen or taken away.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    shape: Shape,
    bytes: usize,
    seen: bool,
}

/// Something an author did. Figures of it may have been forgotten since.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    Drew(u32),
    Erased(Vec<u32>),
}

/// What an author can take back and do again.
#[derive(Debug, Default, PartialEq, Eq)]
struct Author {
    done: VecDeque<Deed>,
    undone: VecDeque<Deed>,
    /// When he did something last, in turns of the board.
    turn: u64,
}

/// What changed on a board: numbers of figures.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// There again.
    pub set: Vec<u32>,
    /// Gone.
    pub del: Vec<u32>,
}

/// A board. A function of what was done on it, in order: replayed from the
/// ledger it becomes the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// Those taken away too, as long as somebody may bring them back.
    shapes: BTreeMap<u32, Kept>,
    /// Numbers of those taken away, in that order.
    gone: VecDeque<u32>,
    bytes: usize,
    last: u32,
    authors: BTreeMap<PersonId, Author>,
    turns: u64,
}

impl Sheet {
    /// The figures to be seen, by number.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Shape> {
        self.after(0)
    }

    /// Those with a higher number.
    pub(crate) fn after(&self, n: u32) -> impl Iterator<Item = &Shape> {
        self.shapes
            .range(n.saturating_add(1)..)
            .map(|(_, kept)| kept)
            .filter(|kept| kept.seen)
            .map(|kept| &kept.shape)
    }

    pub(crate) fn get(&self, n: u32) -> Option<&Shape> {
        self.shapes
            .get(&n)
            .filter(|kept| kept.seen)
            .map(|kept| &kept.shape)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn count(&self) -> usize {
        self.shapes.len() - self.gone.len()
    }

    /// Whether this author drew a figure of this id, also one taken away since.
    pub(crate) fn knows(&self, by: &PersonId, cid: &str) -> bool {
        self.shapes
            .values()
            .any(|kept| kept.shape.cid == cid && kept.shape.by == *by)
    }

    /// The next figure, not yet on the board.
    pub(crate) fn shape(&self, by: &PersonId, cid: &str, fig: Figure) -> Result<Shape, ErrorCode> {
        let n = self.last.checked_add(1).ok_or(ErrorCode::Full)?;
        let shape = Shape {
            n,
            by: by.clone(),
            cid: cid.to_owned(),
            fig,
        };
        let gone: usize = self
            .gone
            .iter()
            .filter_map(|n| self.shapes.get(n))
            .map(|kept| kept.bytes)
            .sum();
        let bytes = (self.bytes - gone).saturating_add(json_len(&shape));
        if self.count() >= MAX_SHAPES || bytes > BOARD_BYTES {
            return Err(ErrorCode::Full);
        }
        Ok(shape)
    }

    /// Draws a figure.
    pub(crate) fn draw(&mut self, shape: Shape) {
        let (n, by) = (shape.n, shape.by.clone());
        if self.shapes.contains_key(&n) {
            return;
        }
        let bytes = json_len(&shape);
        self.last = self.last.max(n);
        self.bytes += bytes;
        let kept = Kept {
            shape,
            bytes,
            seen: true,
        };
        self.shapes.insert(n, kept);
        self.forget_gone();
        self.did(&by, Deed::Drew(n));
    }

    /// Takes away those of these figures that are to be seen; which they were.
    pub(crate) fn erase(&mut self, by: &PersonId, which: &[u32]) -> Vec<u32> {
        let del = self.hide(which);
        if !del.is_empty() {
            self.did(by, Deed::Erased(del.clone()));
        }
        del
    }

    /// Takes back what this author did last, or does again what he took back
    /// last; what had no effect any more is passed over.
    ///
    /// # Errors
    /// `Conflict` when there is nothing, `Full` when the board has no place for
    /// what would come back.
    pub(crate) fn turn_back(&mut self, by: &PersonId, redo: bool) -> Result<Change, ErrorCode> {
        let author = self.authors.get(by).ok_or(ErrorCode::Conflict)?;
        let pile = if redo { &author.undone } else { &author.done };
        // A refusal is in no ledger, so it must leave everything as it was.
        let (at, deed, which, shows) = pile
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, deed)| {
                let (all, shows) = match deed {
                    Deed::Drew(n) => (std::slice::from_ref(n), redo),
                    Deed::Erased(all) => (all.as_slice(), !redo),
                };
                let which = self.those(all, !shows);
                (!which.is_empty()).then(|| (at, deed.clone(), which, shows))
            })
            .ok_or(ErrorCode::Conflict)?;
        if shows && self.count() + which.len() > MAX_SHAPES {
            return Err(ErrorCode::Full);
        }
        if let Some(author) = self.authors.get_mut(by) {
            let pile = if redo {
                &mut author.undone
            } else {
                &mut author.done
            };
            pile.truncate(at);
        }
        self.stack(by, redo, deed);
        Ok(if shows {
            self.show(&which);
            Change {
                set: which,
                del: vec![],
            }
        } else {
            let del = self.hide(&which);
            Change { set: vec![], del }
        })
    }

    /// Puts a deed on the pile of what is done (or of what was taken back).
    fn stack(&mut self, by: &PersonId, done: bool, deed: Deed) {
        if let Some(author) = self.authors.get_mut(by) {
            let pile = if done {
                &mut author.done
            } else {
                &mut author.undone
            };
            pile.push_back(deed);
            if pile.len() > BOARD_DEEDS {
                pile.pop_front();
            }
        }
    }

    fn did(&mut self, by: &PersonId, deed: Deed) {
        self.turns += 1;
        if self.authors.len() >= BOARD_AUTHORS && !self.authors.contains_key(by) {
            let idle = self.authors.iter().min_by_key(|(_, author)| author.turn);
            if let Some(idle) = idle.map(|(id, _)| id.clone()) {
                self.authors.remove(&idle);
            }
        }
        let author = self.authors.entry(by.clone()).or_default();
        author.turn = self.turns;
        author.undone.clear();
        self.stack(by, true, deed);
    }

    /// Those of them that are to be seen, or are taken away and not forgotten.
    fn those(&self, which: &[u32], seen: bool) -> Vec<u32> {
        let wanted = |n: &&u32| self.shapes.get(n).is_some_and(|kept| kept.seen == seen);
        which.iter().filter(wanted).copied().collect()
    }

    fn show(&mut self, which: &[u32]) {
        for n in which {
            if let Some(kept) = self.shapes.get_mut(n) {
                kept.seen = true;
            }
        }
        self.gone.retain(|n| !which.contains(n));
    }

    fn hide(&mut self, which: &[u32]) -> Vec<u32> {
        let mut del = Vec::new();
        for n in which {
            if let Some(kept) = self.shapes.get_mut(n).filter(|kept| kept.seen) {
                kept.seen = false;
                self.gone.push_back(*n);
                del.push(*n);
            }
        }
        self.forget_gone();
        del
    }

    /// Forgets what was taken away first, where there is too much of it.
    fn forget_gone(&mut self) {
        while self.gone.len() > BOARD_GONE || self.bytes > BOARD_BYTES {
            let Some(n) = self.gone.pop_front() else {
                return;
            };
            if let Some(kept) = self.shapes.remove(&n) {
                self.bytes = self.bytes.saturating_sub(kept.bytes);
            }
        }
    }
}
