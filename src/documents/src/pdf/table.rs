//! A table over pages: heading repeated, no row split.

use super::face::{Face, Faces};
use super::fit::{self, Fit, PAD_X, PAD_Y};
use super::page::{LEFT, NodeId, Pages, Piece, Role};
use crate::model::{Cell, ColumnKind, Table};
use crate::text;

/// Distance of base lines, parts of the size.
pub const LEADING: f32 = 1.17;
/// Height of letters above the base line, parts of the size.
pub const ASCENT: f32 = 0.89;

/// How a text stands between the sides of its cell.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Centre,
    Right,
}

/// A cell in lines.
struct Lines {
    lines: Vec<String>,
    face: Face,
    side: Side,
}

/// A row in lines.
struct Row {
    cells: Vec<Lines>,
    height: f32,
}

/// One box of the heading: place and size in columns and rows.
struct HeadBox {
    first: usize,
    columns: usize,
    /// Upper row: 0, lower: 1.
    row: usize,
    rows: usize,
    lines: Vec<String>,
}

/// A table, measured.
pub struct Laid {
    fit: Fit,
    edges: Vec<f32>,
    head: Vec<HeadBox>,
    head_heights: [f32; 2],
    rows: Vec<Row>,
}

impl Laid {
    /// Fits and breaks all cells of a table into a width, with letters of at most
    /// `largest` points; no row is higher than
    /// `limit`: what would not fit a page is cut with an ellipsis.
    pub fn new(
        faces: &Faces,
        table: &Table,
        (width, limit): (f32, f32),
        largest: f32,
        offset_min: i32,
    ) -> Self {
        let fit = fit::fit(faces, table, width, largest, offset_min);
        let mut edges = vec![LEFT];
        let mut x = LEFT;
        for width in &fit.widths {
            x += width;
            edges.push(x);
        }
        let (head, head_heights) = heading(faces, table, &fit);
        let limit = (limit - head_heights.iter().sum::<f32>()).max(40.0);
        let most = lines_within(limit, fit.size);
        let marked = table.marked();
        let mut rows = Vec::with_capacity(table.rows.len());
        for (at, cells) in (0_u32..).zip(&table.rows) {
            let strong = table.strong.contains(&at);
            let mut height = 0.0_f32;
            let mut laid = Vec::with_capacity(cells.len());
            for ((index, cell), (column, width)) in (0_u32..)
                .zip(cells)
                .zip(table.columns.iter().zip(&fit.widths))
            {
                let mark = marked.contains(&(at, index));
                let face = match (strong, mark) {
                    (_, true) => Face::BoldItalic,
                    (true, false) => Face::Bold,
                    (false, false) => Face::Regular,
                };
                let mut shown = text::on_paper(cell, offset_min);
                if mark {
                    shown.push('*');
                }
                let inner = (width - 2.0 * PAD_X) / fit.size;
                let mut lines = faces.wrap(face, &shown, inner);
                if lines.len() > most {
                    lines.truncate(most);
                    if let Some(last) = lines.last_mut() {
                        last.push('…');
                    }
                }
                height = height.max(height_of(lines.len(), fit.size));
                if column.kind == ColumnKind::Sign {
                    height = height.max(fit::SIGN_HEIGHT);
                }
                laid.push(Lines {
                    lines,
                    face,
                    side: side(column.kind, cell),
                });
            }
            rows.push(Row {
                cells: laid,
                height,
            });
        }
        Self {
            fit,
            edges,
            head,
            head_heights,
            rows,
        }
    }

    /// Size of its letters, points.
    pub fn size(&self) -> f32 {
        self.fit.size
    }

    fn head_height(&self) -> f32 {
        self.head_heights.iter().sum()
    }

    /// Height without which the table should not begin on a page: heading and a
    /// row, or all with the tail when there are no more than two rows.
    pub fn start(&self, page: f32, tail: f32) -> f32 {
        let rows: f32 = self.rows.iter().take(2).map(|row| row.height).sum();
        let all = self.head_height() + rows + tail;
        if self.rows.len() <= 2 && all <= page {
            return all;
        }
        self.head_height() + self.rows.first().map_or(0.0, |row| row.height)
    }

    /// Draws the table from where the pages are. The last two rows stay on one
    /// page with the `tail` points that follow, where a page holds them.
    pub fn draw(&self, pages: &mut Pages, faces: &Faces, tail: f32) {
        pages.need(self.start(pages.height(), tail));
        let table = pages.node(Role::Table, None);
        self.draw_head(pages, faces, Some(table));
        let count = self.rows.len();
        let mut top = pages.y;
        for (index, row) in self.rows.iter().enumerate() {
            let mut wanted = row.height;
            if index + 2 == count {
                let last: f32 = self.rows.iter().skip(index).map(|row| row.height).sum();
                let together = last + tail;
                if together + self.head_height() <= pages.height() {
                    wanted = together;
                }
            }
            // A heading alone on a page would help nobody.
            if pages.room() < wanted && index > 0 {
                self.close(pages, top);
                pages.turn();
                self.draw_head(pages, faces, None);
                top = pages.y;
            }
            self.draw_row(pages, faces, row, table);
        }
        self.close(pages, top);
    }

    /// The rules between columns, from `top` to here.
    fn close(&self, pages: &mut Pages, top: f32) {
        let bottom = pages.y;
        if bottom > top {
            for x in &self.edges {
                pages.rule((*x, top), (*x, bottom));
            }
        }
    }

    fn draw_head(&self, pages: &mut Pages, faces: &Faces, table: Option<NodeId>) {
        let top = pages.y;
        let [upper, lower] = self.head_heights;
        let row_nodes = table.map(|table| {
            let first = pages.node(Role::Row, Some(table));
            let second = (lower > 0.0).then(|| pages.node(Role::Row, Some(table)));
            [Some(first), second]
        });
        for part in &self.head {
            let (Some(left), Some(right)) = (
                self.edges.get(part.first),
                self.edges.get(part.first + part.columns),
            ) else {
                continue;
            };
            let y = if part.row == 0 { top } else { top + upper };
            let height = match (part.row, part.rows) {
                (0, 1) => upper,
                (0, _) => upper + lower,
                _ => lower,
            };
            for (from, to) in [
                ((*left, y), (*right, y)),
                ((*left, y + height), (*right, y + height)),
                ((*left, y), (*left, y + height)),
                ((*right, y), (*right, y + height)),
            ] {
                pages.rule(from, to);
            }
            let node = row_nodes
                .and_then(|nodes| nodes.get(part.row).copied().flatten())
                .map(|row| pages.node(Role::HeadCell, Some(row)));
            let text_height = part_height(part.lines.len(), self.fit.size);
            let mut base = y + (height - text_height) / 2.0 + ASCENT * self.fit.size;
            for line in &part.lines {
                let wide = faces.width(Face::Bold, line) * self.fit.size;
                pages.put(Piece {
                    x: (left + right - wide) / 2.0,
                    y: base,
                    face: Face::Bold,
                    size: self.fit.size,
                    text: line.clone(),
                    node,
                });
                base += LEADING * self.fit.size;
            }
        }
        pages.y = top + upper + lower;
    }

    fn draw_row(&self, pages: &mut Pages, faces: &Faces, row: &Row, table: NodeId) {
        let node = pages.node(Role::Row, Some(table));
        let size = self.fit.size;
        for (index, cell) in row.cells.iter().enumerate() {
            let (Some(left), Some(right)) = (self.edges.get(index), self.edges.get(index + 1))
            else {
                continue;
            };
            let cell_node = pages.node(Role::Cell, Some(node));
            let text_height = part_height(cell.lines.len(), size);
            let mut base = pages.y + (row.height - text_height) / 2.0 + ASCENT * size;
            for line in &cell.lines {
                let wide = faces.width(cell.face, line) * size;
                let x = match cell.side {
                    Side::Left => left + PAD_X,
                    Side::Centre => (left + right - wide) / 2.0,
                    Side::Right => right - PAD_X - wide,
                };
                pages.put(Piece {
                    x,
                    y: base,
                    face: cell.face,
                    size,
                    text: line.clone(),
                    node: Some(cell_node),
                });
                base += LEADING * size;
            }
        }
        pages.y += row.height;
        let y = pages.y;
        if let (Some(left), Some(right)) = (self.edges.first(), self.edges.last()) {
            pages.rule((*left, y), (*right, y));
        }
    }
}

fn lines_f(lines: usize) -> f32 {
    f32::from(u16::try_from(lines).unwrap_or(u16::MAX))
}

fn part_height(lines: usize, size: f32) -> f32 {
    lines_f(lines) * LEADING * size
}

fn height_of(lines: usize, size: f32) -> f32 {
    part_height(lines, size) + 2.0 * PAD_Y
}

fn lines_within(height: f32, size: f32) -> usize {
    let mut lines = 1;
    while height_of(lines + 1, size) <= height {
        lines += 1;
    }
    lines
}

fn side(kind: ColumnKind, cell: &Cell) -> Side {
    match kind {
        ColumnKind::Text if matches!(cell, Cell::Empty | Cell::Text(_)) => Side::Left,
        ColumnKind::Minutes | ColumnKind::Hours | ColumnKind::Percent
            if !matches!(cell, Cell::Text(_)) =>
        {
            Side::Right
        }
        _ => Side::Centre,
    }
}

fn heading(faces: &Faces, table: &Table, fit: &Fit) -> (Vec<HeadBox>, [f32; 2]) {
    let wrap = |text: &str, first: usize, columns: usize| {
        let width: f32 = fit.widths.iter().skip(first).take(columns).sum();
        faces.wrap(Face::Bold, text, (width - 2.0 * PAD_X) / fit.size)
    };
    let mut boxes = Vec::new();
    let grouped = table.has_groups();
    for (first, columns, group) in table.groups() {
        match group {
            Some(group) => boxes.push(HeadBox {
                first,
                columns,
                row: 0,
                rows: 1,
                lines: wrap(group, first, columns),
            }),
            None => {
                let text = table.columns.get(first).map_or("", |c| c.heading.as_str());
                boxes.push(HeadBox {
                    first,
                    columns: 1,
                    row: 0,
                    rows: if grouped { 2 } else { 1 },
                    lines: wrap(text, first, 1),
                });
            }
        }
    }
    for (index, column) in table.columns.iter().enumerate() {
        if column.group.is_some() {
            boxes.push(HeadBox {
                first: index,
                columns: 1,
                row: 1,
                rows: 1,
                lines: wrap(&column.heading, index, 1),
            });
        }
    }
    let highest = |row: usize, rows: usize| {
        boxes
            .iter()
            .filter(|part| part.row == row && part.rows == rows)
            .map(|part| height_of(part.lines.len(), fit.size))
            .fold(0.0, f32::max)
    };
    let (mut upper, mut lower) = (highest(0, 1), highest(1, 1));
    if grouped {
        // What spans both rows may need more than the two together.
        let missing = highest(0, 2) - upper - lower;
        if missing > 0.0 {
            lower += missing;
        }
    } else {
        lower = 0.0;
    }
    upper = upper.max(8.0);
    (boxes, [upper, lower])
}
