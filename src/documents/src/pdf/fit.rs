//! How wide the columns of a table are, and how small its letters.

use super::face::{Face, Faces};
use crate::model::{ColumnKind, Table};
use crate::text;

/// Room on both sides of a cell's text, points.
pub const PAD_X: f32 = 2.4;
/// Room above and below, points.
pub const PAD_Y: f32 = 1.8;
/// 25 mm, the least width of a column for signatures, points.
const SIGN: f32 = 71.0;
/// Least height of a row that is signed in, points.
pub const SIGN_HEIGHT: f32 = 20.0;
/// Sizes tried, points.
const SIZES: [f32; 9] = [12.0, 11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0, 7.5];
/// A size is taken when rows have no more lines than this in the mean.
const LINES: f32 = 2.4;
/// Rows looked at for that.
const SAMPLE: usize = 300;

/// What was chosen.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Size of the letters, points.
    pub size: f32,
    /// Width of each column, points.
    pub widths: Vec<f32>,
}

/// Widths of a column's content, parts of the size.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    /// Longest word.
    least: f32,
    /// Cell on one line: the longest, or the usual one of a column of words.
    most: f32,
    /// Whether it is a column for signatures.
    sign: bool,
    /// Whether it is of use to have more room than is needed.
    grows: bool,
}

/// Fits a table into `width` points with letters of at most `largest`.
pub fn fit(faces: &Faces, table: &Table, width: f32, largest: f32, offset_min: i32) -> Fit {
    let (needs, sample) = measure(faces, table, offset_min);
    let mut chosen = None;
    for size in SIZES.into_iter().filter(|size| *size <= largest.max(7.5)) {
        let (widths, fits) = share(&needs, size, width);
        let good = fits && mean_lines(&sample, &widths, size) <= LINES;
        chosen = Some(Fit { size, widths });
        if good {
            break;
        }
    }
    chosen.unwrap_or(Fit {
        size: 7.5,
        widths: vec![width; needs.len()],
    })
}

fn measure(faces: &Faces, table: &Table, offset_min: i32) -> (Vec<Need>, Vec<Vec<f32>>) {
    let mut needs: Vec<Need> = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let words = column.heading.split(' ');
        let least = words
            .map(|word| faces.width(Face::Bold, word))
            .fold(0.0, f32::max);
        needs.push(Need {
            least,
            // A heading may take three lines.
            most: (faces.width(Face::Bold, &column.heading) / 3.0).max(least),
            sign: column.kind == ColumnKind::Sign,
            grows: column.kind == ColumnKind::Text,
        });
    }
    let mut sample: Vec<Vec<f32>> = Vec::new();
    for (row, cells) in table.rows.iter().enumerate() {
        let mut naturals = Vec::new();
        for ((cell, column), need) in cells.iter().zip(&table.columns).zip(&mut needs) {
            let shown = text::on_paper(cell, offset_min);
            let face = Face::Regular;
            let natural = faces.width(face, &shown) + 0.3;
            let least = match column.kind {
                // A very long word is rather broken than all else squeezed.
                ColumnKind::Text => shown
                    .split(' ')
                    .map(|word| faces.width(face, word))
                    .fold(0.0, f32::max)
                    .min(6.5),
                ColumnKind::DateTime => shown
                    .split(' ')
                    .map(|word| faces.width(face, word))
                    .fold(0.0, f32::max),
                _ => natural.min(12.0),
            };
            need.least = need.least.max(least);
            naturals.push(natural);
            if !need.grows {
                need.most = need.most.max(natural);
            }
        }
        if row < SAMPLE {
            sample.push(naturals);
        }
    }
    // Words are given what nine rows of ten need; the others take more lines.
    for (index, need) in needs.iter_mut().enumerate().filter(|(_, need)| need.grows) {
        let mut naturals: Vec<f32> = sample
            .iter()
            .filter_map(|row| row.get(index).copied())
            .collect();
        naturals.sort_by(f32::total_cmp);
        let typical = naturals
            .get(naturals.len() * 9 / 10)
            .copied()
            .unwrap_or(0.0);
        need.most = need.most.max(typical.min(40.0)).max(need.least);
    }
    (needs, sample)
}

/// Shares `width` among the columns; false when it is too little even for the
/// longest words.
fn share(needs: &[Need], size: f32, width: f32) -> (Vec<f32>, bool) {
    let pad = 2.0 * PAD_X;
    let fixed = |need: &Need, wide: f32| {
        let wide = wide * size + pad;
        if need.sign { wide.max(SIGN) } else { wide }
    };
    let least: Vec<f32> = needs.iter().map(|need| fixed(need, need.least)).collect();
    let most: Vec<f32> = needs.iter().map(|need| fixed(need, need.most)).collect();
    let (low, high): (f32, f32) = (least.iter().sum(), most.iter().sum());
    if low > width {
        return (least.iter().map(|w| w * width / low).collect(), false);
    }
    if high <= width {
        // Room to spare goes to the words in proportion, else to all.
        let all = !needs.iter().any(|need| need.grows);
        let grows = |need: &Need| all || need.grows;
        let part: f32 = needs
            .iter()
            .zip(&most)
            .filter(|(need, _)| grows(need))
            .map(|(_, wide)| wide)
            .sum();
        let spare = (width - high) / part.max(0.1);
        let widths = needs
            .iter()
            .zip(&most)
            .map(|(need, wide)| {
                if grows(need) {
                    wide * (1.0 + spare)
                } else {
                    *wide
                }
            })
            .collect();
        return (widths, true);
    }
    let part = (width - low) / (high - low).max(0.1);
    let widths = least
        .iter()
        .zip(&most)
        .map(|(low, high)| low + (high - low) * part)
        .collect();
    (widths, true)
}

fn mean_lines(sample: &[Vec<f32>], widths: &[f32], size: f32) -> f32 {
    if sample.is_empty() {
        return 1.0;
    }
    let mut rows = 0.0_f32;
    let mut lines = 0.0_f32;
    for naturals in sample {
        rows += 1.0;
        lines += naturals
            .iter()
            .zip(widths)
            .map(|(natural, width)| (natural * size / (width - 2.0 * PAD_X).max(1.0)).ceil())
            .fold(1.0, f32::max);
    }
    lines / rows
}
