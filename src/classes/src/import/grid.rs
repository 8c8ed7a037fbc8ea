//! A table of cells from a spreadsheet, with bounds against files made to
//! exhaust memory.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};

use super::{MAX_BYTES, MAX_CELL, MAX_COLUMNS, MAX_ROWS, Refused};
use crate::day::Day;

/// Bytes of a workbook unpacked, at most.
const MAX_UNPACKED: u64 = 96 * 1024 * 1024;
/// Parts of a workbook, at most.
const MAX_PARTS: usize = 2_000;
/// Sheets looked at.
const MAX_SHEETS: usize = 8;
/// Day 0 of Excel's serial numbers, 1899-12-30, in days since 1970.
const EXCEL_ZERO: i64 = -25_569;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Empty,
    Text(String),
    Number(f64),
    Day(Day),
    /// `#REF!`, a formula without a result.
    Fault,
    TooLong,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub value: Value,
    pub formula: bool,
}

impl Cell {
    pub const EMPTY: Self = Self {
        value: Value::Empty,
        formula: false,
    };

    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Empty => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The cell as text, numbers without a fraction as digits.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(plain(*number)),
            Value::Day(day) => Some(day.slashed()),
            Value::Empty | Value::Fault | Value::TooLong => None,
        }
    }
}

/// A number as people write it.
pub(super) fn plain(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number:.0}")
    } else {
        format!("{number}")
    }
}

/// Rows that have anything, with their numbers in the file from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub encoding: String,
    pub rows: Vec<(u32, Vec<Cell>)>,
}

/// The tables of a file: the sheets of a workbook, or the one of a text.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Grid>, Refused> {
    if bytes.len() > MAX_BYTES {
        return Err(Refused::TooLarge);
    }
    match bytes {
        [] => Err(Refused::Empty),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(Refused::OldExcel),
        [b'%', b'P', b'D', b'F', ..] => Err(Refused::NotATable),
        [b'P', b'K', ..] => {
            check_zip(bytes)?;
            // A fault of the reader refuses the file and nothing else.
            std::panic::catch_unwind(|| workbook(bytes)).unwrap_or(Err(Refused::Broken))
        }
        _ => super::text::read(bytes).map(|grid| vec![grid]),
    }
}

/// Unpacks everything once and counts: what the directory of a ZIP file says of
/// sizes need not be true.
fn check_zip(bytes: &[u8]) -> Result<(), Refused> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refused::Broken)?;
    if zip.len() > MAX_PARTS {
        return Err(Refused::TooLarge);
    }
    let mut left = MAX_UNPACKED;
    let mut workbook = false;
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(|_| Refused::Broken)?;
        workbook |= part
            .name()
            .is_ok_and(|name| name.eq_ignore_ascii_case("xl/workbook.xml"));
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|_| Refused::Broken)?;
        left = left.checked_sub(read).ok_or(Refused::TooLarge)?;
    }
    if workbook {
        Ok(())
    } else {
        Err(Refused::NotXlsx)
    }
}

fn workbook(bytes: &[u8]) -> Result<Vec<Grid>, Refused> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| Refused::Broken)?;
    let zero = if book.has_1904_epoch() {
        EXCEL_ZERO + 1_462
    } else {
        EXCEL_ZERO
    };
    let names: Vec<String> = book.sheet_names().into_iter().take(MAX_SHEETS).collect();
    let mut grids = Vec::new();
    let mut problem = None;
    for name in names {
        match sheet(&mut book, &name, zero) {
            Ok(grid) => grids.push(grid),
            // A chart has no cells; a sheet too large may not be the one meant.
            Err(refused) => problem = problem.or(Some(refused)),
        }
    }
    match problem {
        Some(refused) if grids.iter().all(|grid| grid.rows.is_empty()) => Err(refused),
        _ => Ok(grids),
    }
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, zero: i64) -> Result<Grid, Refused> {
    let mut reader = book
        .worksheet_cells_reader(name)
        .map_err(|_| Refused::Broken)?;
    let mut rows: std::collections::BTreeMap<u32, Vec<Cell>> = std::collections::BTreeMap::new();
    while let Some(cell) = reader
        .next_cell_with_formula()
        .map_err(|_| Refused::Broken)?
    {
        let formula = cell.formula.is_some();
        let value = value(&cell.value, zero);
        let value = match value {
            Value::Empty if formula => Value::Fault,
            value => value,
        };
        let found = Cell { value, formula };
        if found.is_empty() {
            continue;
        }
        let (row, column) = cell.pos;
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= MAX_COLUMNS {
            return Err(Refused::TooManyColumns);
        }
        if !rows.contains_key(&row) && rows.len() >= MAX_ROWS {
            return Err(Refused::TooManyRows);
        }
        let cells = rows.entry(row).or_default();
        if cells.len() <= column {
            cells.resize(column + 1, Cell::EMPTY);
        }
        if let Some(place) = cells.get_mut(column) {
            *place = found;
        }
    }
    Ok(Grid {
        encoding: "xlsx".to_owned(),
        rows: rows
            .into_iter()
            .map(|(row, cells)| (row.saturating_add(1), cells))
            .collect(),
    })
}

fn value(data: &DataRef<'_>, zero: i64) -> Value {
    let text = |text: &str| {
        if text.trim().is_empty() {
            Value::Empty
        } else if text.chars().nth(MAX_CELL).is_some() {
            Value::TooLong
        } else {
            Value::Text(text.to_owned())
        }
    };
    match data {
        DataRef::Empty => Value::Empty,
        DataRef::Int(number) => Value::Number(*number as f64),
        DataRef::Float(number) => Value::Number(*number),
        DataRef::String(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(yes) => Value::Text(if *yes { "x" } else { "" }.to_owned()),
        DataRef::DateTime(when) => serial(when.as_f64(), zero).map_or(Value::Fault, Value::Day),
        DataRef::DateTimeIso(iso) => iso
            .get(..10)
            .and_then(|day| day.parse().ok())
            .map_or(Value::Fault, Value::Day),
        DataRef::DurationIso(_) | DataRef::Error(_) => Value::Fault,
    }
}

/// The day of a serial number.
fn serial(number: f64, zero: i64) -> Option<Day> {
    if !(1.0..=2_958_465.0).contains(&number) {
        return None;
    }
    Day::of_epoch_days(number.floor() as i64 + zero).ok()
}

/// The day of a serial number of the usual epoch.
pub(super) fn serial_day(number: f64) -> Option<Day> {
    serial(number, EXCEL_ZERO)
}
