//! Widths of columns and heights of rows, estimated.

use crate::model::{ColumnKind, Table};
use crate::text;

/// Characters of the widest sheet that prints across A4 without being shrunk
/// much; of one that prints upright.
pub(super) const ACROSS: f64 = 148.0;
pub(super) const UPRIGHT: f64 = 92.0;

/// How wide each column should be, in characters, so that all fit `total`
/// where words can be broken to that end.
pub(super) fn widths(table: &Table, size: f64, total: f64, offset_min: i32) -> Vec<f64> {
    // The unit of columns is a digit of the format's own font, 11 points.
    let unit = size / 11.0;
    let mut all: Vec<(f64, f64)> = Vec::with_capacity(table.columns.len());
    for (index, column) in table.columns.iter().enumerate() {
        let (mut longest, mut word) = (0, 0);
        let mut see = |text: &str, whole: bool| {
            if whole {
                longest = longest.max(text.chars().count());
            }
            for part in text.split(' ') {
                word = word.max(part.chars().count());
            }
        };
        see(&column.heading, false);
        for cell in table.rows.iter().filter_map(|row| row.get(index)) {
            see(&text::on_paper(cell, offset_min), true);
        }
        let breaks = matches!(column.kind, ColumnKind::Text);
        let (least, most) = match column.kind {
            ColumnKind::Text => (5, 40),
            ColumnKind::Code => (3, 12),
            ColumnKind::Identifier => (7, 22),
            ColumnKind::Date => (10, 11),
            ColumnKind::Time => (5, 8),
            ColumnKind::DateTime => (19, 20),
            ColumnKind::Minutes | ColumnKind::Hours | ColumnKind::Percent => (6, 10),
            ColumnKind::Count => (3, 10),
            ColumnKind::Sign => (15, 15),
        };
        let most = count(longest.max(word).clamp(least, most)) * unit + 1.6;
        let least = if breaks {
            count(word.clamp(least, 16)) * unit + 1.6
        } else {
            most
        };
        all.push((least.min(most), most));
    }
    let least: f64 = all.iter().map(|(least, _)| least).sum();
    let most: f64 = all.iter().map(|(_, most)| most).sum();
    if most <= total {
        return all.into_iter().map(|(_, most)| most).collect();
    }
    let part = ((total - least) / (most - least).max(0.1)).clamp(0.0, 1.0);
    all.into_iter()
        .map(|(least, most)| least + (most - least) * part)
        .collect()
}

pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Lines a text takes in a column of a width: words are broken by the program
/// that opens the file, so this counts as it does.
pub(super) fn lines_in(text: &str, width: f64, size: f64) -> f64 {
    // Letters of the usual words are narrower than a digit.
    let fits = ((width - 1.0) * 11.0 / size * 1.12).max(1.0);
    let mut lines = 1.0;
    let mut used = 0.0;
    for word in text.split(' ') {
        let wide = count(word.chars().count());
        if used > 0.0 && used + 1.0 + wide <= fits {
            used += 1.0 + wide;
            continue;
        }
        if used > 0.0 {
            lines += 1.0;
        }
        let more = (wide / fits).ceil().max(1.0) - 1.0;
        lines += more;
        used = wide - more * fits;
    }
    lines
}

/// Height of that many lines, points; the format allows no more than 409.
pub(super) fn height_of(lines: f64, size: f64) -> f64 {
    (lines * size * 1.22 + 3.0).min(400.0)
}
