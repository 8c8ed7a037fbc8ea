//! Whiteboards (bảng trắng): blank ones, and the layer over each page of slides.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{BoardId, DeckId, PersonId};
use crate::limits::{MAX_PAGES, MAX_WHITEBOARDS};

/// What a board is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surface {
    /// A blank board, numbered from 1.
    White(u8),
    /// What is drawn over a page of slides.
    Page {
        /// The deck.
        deck: DeckId,
        /// The page, from 1.
        page: u16,
    },
}

impl BoardId {
    /// The blank board of this number: `w1`.
    pub fn white(number: u8) -> Self {
        Self(format!("w{number}"))
    }

    /// The layer over a page: `d1-3`.
    pub fn page(deck: &DeckId, page: u16) -> Self {
        Self(format!("{deck}-{page}"))
    }

    /// What it is; `None` when it is no id of a board. Each board has one id.
    pub fn surface(&self) -> Option<Surface> {
        if let Some((deck, page)) = self.0.rsplit_once('-') {
            let deck = DeckId(deck.to_owned());
            let page = page.parse().ok().filter(|n| (1..=MAX_PAGES).contains(n))?;
            let same = Self::page(&deck, page) == *self;
            return (same && deck.0.starts_with('d')).then_some(Surface::Page { deck, page });
        }
        let number = self.0.strip_prefix('w')?.parse().ok()?;
        let known = (1..=MAX_WHITEBOARDS).contains(&number) && Self::white(number) == *self;
        known.then_some(Surface::White(number))
    }
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FigureKind {
    /// A stroke of the pen.
    Pen,
    /// A broad stroke one sees through.
    Marker,
    /// A straight line.
    Line,
    /// A line with a head at its end.
    Arrow,
    /// A rectangle, by two corners.
    Rect,
    /// An ellipse, by two corners of what is around it.
    Ellipse,
    /// Text, by the upper left corner of its first line.
    Text,
}

/// Colour of a figure. All can be told from white paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Ink {
    /// Đen.
    Black,
    /// Đỏ.
    Red,
    /// Xanh dương.
    Blue,
    /// Xanh lá.
    Green,
    /// Cam.
    Orange,
    /// Tím.
    Purple,
}

/// A figure as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What.
    pub kind: FigureKind,
    /// Colour.
    pub ink: Ink,
    /// Width of the line, or size of the text: 1, 2 or 3.
    pub w: u8,
    /// Points, x and y in turn, each from 0 to [`POINT_MAX`](crate::limits::POINT_MAX).
    pub p: Vec<u16>,
    /// The text of a `text`; newlines are kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub text: String,
}

/// A figure on a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// Its number on the board; what has a higher one lies above.
    pub n: u32,
    /// Who drew it.
    pub by: PersonId,
    /// The author's own id of it.
    pub cid: String,
    /// What it looks like.
    pub fig: Figure,
}

/// Which boards there are. What is on them is asked for by `boardGet`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Boards {
    /// Blank boards: `w1` to this.
    pub white: u8,
    /// The blank board everybody sees, in place of slides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub shown: Option<BoardId>,
    /// Pages that were drawn on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<BoardId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_board_has_one_id() {
        let page = Surface::Page {
            deck: DeckId::from("d7f-a"),
            page: 12,
        };
        assert_eq!(BoardId::from("w3").surface(), Some(Surface::White(3)));
        assert_eq!(BoardId::from("d7f-a-12").surface(), Some(page));
        for no in [
            "", "w", "w0", "w03", "w+3", "w255", "w999", "d1", "d1-", "d1-0", "d1-01", "d1-+1",
            "d1-70000", "w1-2", "-1", "x1-1", "d1-501",
        ] {
            assert_eq!(BoardId::from(no).surface(), None, "{no}");
        }
    }
}
