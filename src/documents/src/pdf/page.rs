//! Pages before they are drawn: texts and rules in their places, and the
//! structure a reading program follows.

use super::face::Face;

/// A4, points.
pub const A4: (f32, f32) = (595.28, 841.89);
/// Margins by Nghị định 30/2020/NĐ-CP: left 30 mm, right 15 mm, top and bottom
/// 20 mm; points.
pub const LEFT: f32 = 85.04;
/// Right margin.
pub const RIGHT: f32 = 42.52;
/// Top margin.
pub const TOP: f32 = 56.69;
/// Bottom margin.
pub const BOTTOM: f32 = 56.69;

/// A node of the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Title of the document.
    Title,
    /// Heading of an annex.
    Heading,
    /// Paragraph.
    Paragraph,
    /// Table.
    Table,
    /// Row.
    Row,
    /// Heading of a column.
    HeadCell,
    /// Cell.
    Cell,
}

/// Number of a node.
pub type NodeId = usize;

/// A text in its place.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Left end of the line.
    pub x: f32,
    /// Base line.
    pub y: f32,
    /// Face.
    pub face: Face,
    /// Size, points.
    pub size: f32,
    /// What.
    pub text: String,
    /// Node it belongs to; none for what repeats on every page.
    pub node: Option<NodeId>,
}

/// A straight rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// From.
    pub from: (f32, f32),
    /// To.
    pub to: (f32, f32),
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// Texts, in the order they are read.
    pub pieces: Vec<Piece>,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// All pages and the structure over them.
#[derive(Debug)]
pub struct Pages {
    /// Width and height.
    pub size: (f32, f32),
    /// Pages.
    pub pages: Vec<Page>,
    /// Nodes: role and parent, parents first.
    pub nodes: Vec<(Role, Option<NodeId>)>,
    /// Where the next block begins, from the top.
    pub y: f32,
}

impl Pages {
    /// One empty page.
    pub fn new(landscape: bool) -> Self {
        let (width, height) = A4;
        Self {
            size: if landscape {
                (height, width)
            } else {
                (width, height)
            },
            pages: vec![Page::default()],
            nodes: Vec::new(),
            y: TOP,
        }
    }

    /// Width between the margins.
    pub fn width(&self) -> f32 {
        self.size.0 - LEFT - RIGHT
    }

    /// Height between the margins.
    pub fn height(&self) -> f32 {
        self.size.1 - TOP - BOTTOM
    }

    /// Room left on the page.
    pub fn room(&self) -> f32 {
        self.size.1 - BOTTOM - self.y
    }

    /// Whether nothing stands on the page yet.
    pub fn fresh(&self) -> bool {
        self.y <= TOP + 0.01
    }

    /// Begins a page.
    pub fn turn(&mut self) {
        self.pages.push(Page::default());
        self.y = TOP;
    }

    /// Turns unless `height` fits.
    pub fn need(&mut self, height: f32) {
        if self.room() < height && !self.fresh() {
            self.turn();
        }
    }

    /// A new node.
    pub fn node(&mut self, role: Role, parent: Option<NodeId>) -> NodeId {
        self.nodes.push((role, parent));
        self.nodes.len() - 1
    }

    /// A text on the page.
    pub fn put(&mut self, piece: Piece) {
        if !piece.text.is_empty()
            && let Some(page) = self.pages.last_mut()
        {
            page.pieces.push(piece);
        }
    }

    /// A rule on the page.
    pub fn rule(&mut self, from: (f32, f32), to: (f32, f32)) {
        if let Some(page) = self.pages.last_mut() {
            page.rules.push(Rule { from, to });
        }
    }
}
