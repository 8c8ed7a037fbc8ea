//! Comparing cells read from a file with those that were exported.

use std::collections::{BTreeMap, HashMap};

use super::{MAX_DIFFERENCES, Verdict, on_first};
use crate::csv::{Delimiter, headings, unguarded};
use crate::model::{Cell, Data, Place, Table};
use crate::text::{clean, in_file};
use crate::{parts, vi};

/// A value of a cell in a workbook.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Number; days too.
    Number(f64),
}

/// Cells of a worksheet by row and column, from 0.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Name of the worksheet.
    pub name: String,
    /// Cells that hold something.
    pub cells: BTreeMap<(u32, u32), Value>,
}

impl Grid {
    /// All texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.cells.values().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Number(_) => None,
        })
    }

    fn text(&self, row: u32, column: u32) -> &str {
        match self.cells.get(&(row, column)) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
}

/// How a difference names its place.
#[derive(Debug, Clone, Copy)]
pub enum Where {
    /// Cells of a worksheet: `H14`. Row of the first cell, from 0.
    Sheet(u32),
    /// Row of the table, from 1.
    Row,
}

/// Name of a column in a spreadsheet: A, B, …, AA.
fn letters(column: usize) -> String {
    let mut out = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        out.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    out.iter().rev().collect()
}

/// Names up to [`MAX_DIFFERENCES`] differences between cells as text and a
/// table.
pub fn compare(
    found: &[Vec<String>],
    table: &Table,
    offset_min: i32,
    at: Where,
    differences: &mut Vec<String>,
) {
    let mut note = |text: String| {
        if differences.len() < MAX_DIFFERENCES {
            differences.push(text);
        }
    };
    if found.len() != table.rows.len() {
        note(format!(
            "Bảng “{}” có {} dòng, bản gốc có {} dòng",
            table.name,
            found.len(),
            table.rows.len()
        ));
    }
    for (row, (left, right)) in found.iter().zip(&table.rows).enumerate() {
        for (column, cell) in right.iter().enumerate() {
            let wanted = in_file(cell, offset_min);
            let shown = left.get(column).map_or("", String::as_str);
            if shown == wanted {
                continue;
            }
            let heading = table.columns.get(column).map_or("", |c| c.heading.as_str());
            let place = match at {
                Where::Sheet(top) => {
                    let row = usize::try_from(top).unwrap_or(0) + row + 1;
                    format!("Ô {}{row}", letters(column))
                }
                Where::Row => format!("Dòng {} của bảng “{}”", row + 1, table.name),
            };
            note(format!(
                "{place} ({heading}): “{}”, bản gốc “{}”",
                clean(shown, 80),
                clean(&wanted, 80)
            ));
        }
    }
}

/// Whether the same rows stand in another order; sums stay at the end.
fn reordered(found: &[Vec<String>], table: &Table, offset_min: i32) -> bool {
    if found.len() != table.rows.len() {
        return false;
    }
    let mut counts: HashMap<Vec<String>, i64> = HashMap::new();
    for row in &table.rows {
        let row = row.iter().map(|cell| in_file(cell, offset_min)).collect();
        *counts.entry(row).or_default() += 1;
    }
    for row in found {
        match counts.get_mut(row) {
            Some(count) if *count > 0 => *count -= 1,
            _ => return false,
        }
    }
    true
}

/// Judges the tables of a workbook.
pub fn by_sheets(grids: &[Grid], kept: &Data) -> Verdict {
    let mut differences = Vec::new();
    let mut other_order = false;
    let first = grids.first();
    let mut below = 0_u32;
    for table in &kept.tables {
        let missing = format!("Không tìm thấy bảng “{}”", table.name);
        // Tables of the first worksheet stand one under another.
        let place = if on_first(table.place) {
            first.and_then(|grid| Some((grid, heading(grid, table, below)?)))
        } else {
            grids
                .iter()
                .skip(1)
                .find_map(|grid| Some((grid, heading(grid, table, 0)?)))
        };
        let Some((grid, top)) = place else {
            push(&mut differences, missing);
            continue;
        };
        let found = rows(grid, table, top, kept.offset_min);
        if on_first(table.place) {
            below = top + u32::try_from(found.len()).unwrap_or(0);
        }
        let mut here = Vec::new();
        compare(&found, table, kept.offset_min, Where::Sheet(top), &mut here);
        if here.is_empty() {
            continue;
        }
        if reordered(&found, table, kept.offset_min) {
            other_order = true;
            continue;
        }
        let other_sheet = !on_first(table.place);
        for text in here {
            push(
                &mut differences,
                if other_sheet {
                    format!("Trang tính “{}”: {text}", grid.name)
                } else {
                    text
                },
            );
        }
    }
    if let Some(grid) = first {
        words(grid, kept, &mut differences);
    }
    if differences.is_empty() {
        Verdict::SameDataResaved {
            reordered: other_order,
        }
    } else {
        Verdict::Altered { differences }
    }
}

fn push(differences: &mut Vec<String>, text: String) {
    if differences.len() < MAX_DIFFERENCES {
        differences.push(text);
    }
}

/// The words around the table: title, lines, sentences.
fn words(grid: &Grid, kept: &Data, differences: &mut Vec<String>) {
    let texts: std::collections::HashSet<&str> = grid.texts().collect();
    let unit = kept.unit.to_uppercase();
    let rules = format!("{} {}", parts::RULES, kept.rules.join(" "));
    let mut wanted: Vec<&str> = vec![&unit, &kept.title];
    wanted.extend(kept.subtitle.iter().map(String::as_str));
    wanted.extend(kept.foot.iter().map(String::as_str));
    if !kept.rules.is_empty() {
        wanted.push(&rules);
    }
    for text in wanted {
        if !text.is_empty() && !texts.contains(text) {
            push(
                differences,
                format!("Thiếu hoặc đã sửa dòng: “{}”", clean(text, 120)),
            );
        }
    }
}

/// Row of the first cell under the heading of a table, at or below a row.
fn heading(grid: &Grid, table: &Table, from: u32) -> Option<u32> {
    let grouped = table.has_groups();
    let mut wanted: Vec<(u32, u32, &str)> = Vec::new();
    for (first, len, group) in table.groups() {
        let column = u32::try_from(first).ok()?;
        if let Some(group) = group {
            wanted.push((0, column, group));
            for (index, under) in (column..).zip(table.columns.iter().skip(first).take(len)) {
                wanted.push((1, index, &under.heading));
            }
        } else {
            wanted.push((0, column, table.columns.get(first)?.heading.as_str()));
        }
    }
    let mut row = from;
    while let Some((&(next, _), _)) = grid.cells.range((row, 0)..).next() {
        if wanted.iter().all(|(down, column, text)| {
            next.checked_add(*down)
                .is_some_and(|row| grid.text(row, *column) == *text)
        }) {
            return next.checked_add(if grouped { 2 } else { 1 });
        }
        row = next.checked_add(1)?;
    }
    None
}

/// The rows under a heading as text, in the form of the kept cells: up to the
/// number kept, and beyond it as long as rows are filled like rows.
fn rows(grid: &Grid, table: &Table, top: u32, offset_min: i32) -> Vec<Vec<String>> {
    let width = u32::try_from(table.columns.len()).unwrap_or(0);
    // Where nothing is kept, a value reads like the others of its column.
    let usual: Vec<&Cell> = (0..table.columns.len())
        .map(|column| {
            let mut cells = table.rows.iter().filter_map(|row| row.get(column));
            cells
                .find(|cell| **cell != Cell::Empty)
                .unwrap_or(&Cell::Empty)
        })
        .collect();
    let read = |row: u32, kept: Option<&Vec<Cell>>| -> Vec<String> {
        (0..width)
            .zip(&usual)
            .map(|(column, usual)| {
                let cell = kept.and_then(|cells| cells.get(usize::try_from(column).ok()?));
                let like = cell.filter(|cell| **cell != Cell::Empty).unwrap_or(usual);
                grid.cells
                    .get(&(row, column))
                    .map(|value| shown(value, like, offset_min))
                    .unwrap_or_default()
            })
            .collect()
    };
    let mut found = Vec::new();
    let mut row = top;
    for kept in &table.rows {
        found.push(read(row, Some(kept)));
        let Some(next) = row.checked_add(1) else {
            break;
        };
        row = next;
    }
    // Rows added behind: a merged line of words has only its first cell.
    let like = table.rows.last();
    while found.len() < table.rows.len() + 1_000 {
        let filled = (0..width)
            .filter(|column| grid.cells.contains_key(&(row, *column)))
            .count();
        if filled < 3 || (table.place != Place::Main && filled * 2 < table.columns.len()) {
            break;
        }
        found.push(read(row, like));
        let Some(next) = row.checked_add(1) else {
            break;
        };
        row = next;
    }
    found
}

/// A value as the text of a cell of the same kind as `like`.
fn shown(value: &Value, like: &Cell, offset_min: i32) -> String {
    let number = match value {
        Value::Text(text) => return text.clone(),
        Value::Number(number) => *number,
    };
    if !number.is_finite() || number.abs() > 1e15 {
        return number.to_string();
    }
    // Within ±1e15 all of these are exact enough and fit.
    #[expect(clippy::cast_possible_truncation)]
    let rounded = |number: f64| number.round() as i64;
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(u64::MAX);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.abs().max(1.0);
    #[expect(clippy::cast_precision_loss)]
    let is_whole = |number: f64| near(number, rounded(number) as f64);
    match like {
        Cell::Permille(_) if number >= 0.0 => {
            let share = rounded(number * 1_000.0);
            #[expect(clippy::cast_precision_loss)]
            let exact = near(number, share as f64 / 1_000.0);
            match u32::try_from(share) {
                Ok(share) if exact => vi::percent(share),
                _ => format!("{number}"),
            }
        }
        Cell::Hours(_) if number >= 0.0 => {
            let tenths = rounded(number * 10.0);
            #[expect(clippy::cast_precision_loss)]
            let exact = near(number, tenths as f64 / 10.0);
            if exact {
                format!("{},{}", tenths / 10, tenths % 10)
            } else {
                format!("{number}")
            }
        }
        Cell::Day(_) | Cell::Time(_) | Cell::DateTime(_) if (0.0..1e6).contains(&number) => {
            let seconds = rounded((number - 25_569.0) * 86_400.0);
            let utc = seconds.saturating_sub(i64::from(offset_min) * 60);
            let local = unsigned(seconds.max(0)) * 1_000;
            match like {
                Cell::Day(_) => {
                    // Whole days before 1970 as well.
                    let days = rounded(number) - 25_569;
                    day(days).unwrap_or_else(|| format!("{number}"))
                }
                Cell::Time(kept) => {
                    // The sheet shows hour and minute, the day must agree too.
                    let kept_day = vi::day_of(*kept, offset_min);
                    let time = vi::hour_minute(local, 0);
                    if number < 1.0 || vi::day_of(local, 0) == kept_day {
                        time
                    } else {
                        format!(
                            "{} {time}",
                            vi::day_of(local, 0)
                                .map(|d| d.slashed())
                                .unwrap_or_default()
                        )
                    }
                }
                _ => in_file(&Cell::DateTime(unsigned(utc.max(0)) * 1_000), offset_min),
            }
        }
        _ if is_whole(number) => rounded(number).to_string(),
        _ => format!("{number}"),
    }
}

/// A day by its distance from 1 January 1970, also before it.
fn day(days: i64) -> Option<String> {
    // Days as an offset, since moments do not go below the epoch.
    let minutes = i32::try_from(days.checked_mul(24 * 60)?).ok()?;
    Some(vi::day_of(0, minutes)?.slashed())
}

/// Judges a CSV file.
pub fn by_csv(bytes: &[u8], kept: &Data) -> Verdict {
    let Some(table) = kept.main() else {
        return Verdict::Unknown;
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wanted = headings(table);
    for delimiter in Delimiter::ALL {
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(delimiter.byte())
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut records = reader.records();
        match records.next() {
            Some(Ok(first)) if first.iter().eq(wanted.iter().map(String::as_str)) => {}
            _ => continue,
        }
        let mut found: Vec<Vec<String>> = Vec::new();
        for record in records.take(table.rows.len() + 1_000) {
            let Ok(record) = record else { break };
            if record
                .get(0)
                .is_some_and(|cell| cell.starts_with(parts::FILE_ID))
            {
                continue;
            }
            found.push(
                record
                    .iter()
                    .map(|cell| unguarded(cell).to_owned())
                    .collect(),
            );
        }
        // Some programs leave empty rows at the end.
        while found.len() > table.rows.len()
            && found
                .last()
                .is_some_and(|row| row.iter().all(String::is_empty))
        {
            found.pop();
        }
        normalise(&mut found, table, kept.offset_min);
        let mut differences = Vec::new();
        compare(
            &found,
            table,
            kept.offset_min,
            Where::Sheet(1),
            &mut differences,
        );
        return if differences.is_empty() {
            Verdict::SameDataResaved { reordered: false }
        } else if reordered(&found, table, kept.offset_min) {
            Verdict::SameDataResaved { reordered: true }
        } else {
            Verdict::Altered { differences }
        };
    }
    super::altered("Không tìm thấy dòng tiêu đề của bảng")
}

/// A spreadsheet saves shares, hours, times and days in the form of its own
/// country; what means the same is taken for the same.
fn normalise(found: &mut [Vec<String>], table: &Table, offset_min: i32) {
    for (row, kept) in found.iter_mut().zip(&table.rows) {
        for (text, cell) in row.iter_mut().zip(kept) {
            let other = match cell {
                Cell::Permille(_) | Cell::Hours(_) => text.replacen('.', ",", 1),
                Cell::Time(_) => match plain_time(text) {
                    Some(time) => time,
                    None => continue,
                },
                Cell::Day(_) => match text.parse::<lophoc_classes::Day>() {
                    Ok(day) => day.slashed(),
                    Err(_) => continue,
                },
                _ => continue,
            };
            if other == in_file(cell, offset_min) {
                *text = other;
            }
        }
    }
}

/// `07:30` of `7:30`, `07:30:00`, `7:30:00 AM`; nothing when there are seconds,
/// which the sheet never shows.
fn plain_time(text: &str) -> Option<String> {
    let (clock, half) = match text.split_once(' ') {
        Some((clock, half)) => (clock, half.trim().to_uppercase()),
        None => (text, String::new()),
    };
    let mut parts = clock.split(':');
    let mut next = |most: u32| -> Option<u32> {
        let part = parts.next()?;
        let number = part.parse().ok()?;
        (part.len() <= 2 && number <= most).then_some(number)
    };
    let (hour, minute) = (next(23)?, next(59)?);
    let rest: Vec<&str> = parts.collect();
    if !matches!(rest.as_slice(), [] | ["00"]) {
        return None;
    }
    let hour = match half.as_str() {
        "" => hour,
        "AM" | "SA" if (1..=12).contains(&hour) => hour % 12,
        "PM" | "CH" if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    Some(format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let names: Vec<_> = [0, 25, 26, 701, 702].into_iter().map(letters).collect();
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA"]);
    }

    #[test]
    fn times_of_other_programs_are_read() {
        for (text, time) in [
            ("07:30", Some("07:30")),
            ("7:30:00 AM", Some("07:30")),
            ("12:05:00 AM", Some("00:05")),
            ("1:05 CH", Some("13:05")),
            ("12:05 PM", Some("12:05")),
            ("07:30:01", None),
            ("24:00", None),
            ("13:00 PM", None),
            ("7", None),
            ("", None),
            ("7:30 x", None),
        ] {
            assert_eq!(plain_time(text).as_deref(), time, "{text}");
        }
    }

    #[test]
    fn days_before_1970_are_found() {
        assert_eq!(day(0).as_deref(), Some("01/01/1970"));
        assert_eq!(day(-1).as_deref(), Some("31/12/1969"));
        assert_eq!(day(-25_567).as_deref(), Some("01/01/1900"));
        assert_eq!(day(-3_653).as_deref(), Some("01/01/1960"));
        assert_eq!(day(-25_568), None);
        assert_eq!(day(i64::MIN / 2), None);
    }
}
