//! What text may enter a document, and how cells read.

use unicode_normalization::UnicodeNormalization as _;

use crate::model::Cell;
use crate::vi;

/// Longest text of a cell, characters.
pub const MAX_CELL: usize = 500;
/// Longest line outside tables, characters.
pub const MAX_LINE: usize = 2_000;

/// Text as it enters a document: composed (NFC), on one line, without control
/// characters, marks of direction or invisible characters that would let two
/// different names look alike, at most `limit` characters.
pub fn clean(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    let mut left = limit;
    let mut blank = true;
    let seen = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        c => (!dropped(c)).then_some(c),
    });
    for c in seen.nfc() {
        // A line break inside a sentence leaves one blank, not two.
        if c == ' ' && blank {
            continue;
        }
        blank = c == ' ';
        if left == 0 {
            out.pop();
            out.push('…');
            return out;
        }
        left -= 1;
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

fn dropped(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
        || (u32::from(c) & 0xfffe) == 0xfffe
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
}

/// How a cell reads on paper.
pub fn on_paper(cell: &Cell, offset_min: i32) -> String {
    match cell {
        Cell::Count(number) => vi::grouped(*number),
        Cell::Minutes(ms) => vi::grouped(vi::minutes(*ms)),
        Cell::Hours(ms) => {
            let tenths = vi::tenths_of_hour(*ms);
            format!("{},{}", vi::grouped(tenths / 10), tenths % 10)
        }
        cell => in_file(cell, offset_min),
    }
}

/// How a cell reads where a machine may read it: as on paper, without the dots
/// between thousands.
pub fn in_file(cell: &Cell, offset_min: i32) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) | Cell::Identifier(text) => text.clone(),
        Cell::Day(day) => day.slashed(),
        Cell::Time(ms) => vi::hour_minute(*ms, offset_min),
        Cell::DateTime(ms) => vi::full_time(*ms, offset_min),
        Cell::Minutes(ms) => vi::minutes(*ms).to_string(),
        Cell::Hours(ms) => {
            let tenths = vi::tenths_of_hour(*ms);
            format!("{},{}", tenths / 10, tenths % 10)
        }
        Cell::Permille(share) => vi::percent(*share),
        Cell::Count(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_enters_composed_on_one_line_and_without_tricks() {
        assert_eq!(
            clean("Nguye\u{302}\u{303}n  Văn\r\nAn ", 99),
            "Nguyễn Văn An"
        );
        assert_eq!(clean("a\u{0}\u{202e}b\u{feff}c\u{ffff}", 99), "abc");
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
        assert_eq!(clean(" \n ", 9), "");
        assert_eq!(
            clean("Y Moan Êban, H'Hen Niê", 99),
            "Y Moan Êban, H'Hen Niê"
        );
    }

    #[test]
    fn cells_read_in_the_vietnamese_way() {
        let show = |cell| on_paper(&cell, vi::VIETNAM_MIN);
        assert_eq!(show(Cell::Permille(5)), "0,5%");
        assert_eq!(show(Cell::Minutes(5_310_000)), "89");
        assert_eq!(show(Cell::Count(12_345)), "12.345");
        assert_eq!(in_file(&Cell::Count(12_345), 420), "12345");
        assert_eq!(show(Cell::Hours(12_600_000)), "3,5");
        assert_eq!(show(Cell::Time(1_788_741_005_000)), "07:30");
    }
}
