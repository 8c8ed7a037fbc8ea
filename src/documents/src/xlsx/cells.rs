//! One cell, one table, spans of cells.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Note, Worksheet, XlsxError};

use super::measure::{height_of, lines_in};
use crate::model::{Cell, ColumnKind, Table};
use crate::vi;

const FONT: &str = "Times New Roman";
/// Days from 30 December 1899, where the format counts from, to 1970.
const EPOCH_DAYS: i64 = 25_569;

/// Days since the format's beginning, local time, whole seconds.
pub(super) fn serial(ms: u64, offset_min: i32) -> f64 {
    let seconds = i64::try_from(ms / 1_000).unwrap_or(0) + i64::from(offset_min) * 60;
    // Exact: far below 2^53.
    #[expect(clippy::cast_precision_loss)]
    let days = seconds as f64 / 86_400.0;
    #[expect(clippy::cast_precision_loss)]
    let shift = EPOCH_DAYS as f64;
    days + shift
}

pub(super) fn day_serial(day: lophoc_classes::Day) -> f64 {
    // Days since 0000-03-01, as the years are counted from March.
    let year = i64::from(day.year()) - i64::from(day.month() <= 2);
    let month = (i64::from(day.month()) + 9) % 12;
    let days = 365 * year + year / 4 - year / 100
        + year / 400
        + (153 * month + 2) / 5
        + i64::from(day.day())
        - 1
        - 719_468;
    #[expect(clippy::cast_precision_loss)]
    let serial = (days + EPOCH_DAYS) as f64;
    serial
}

pub(super) fn base(size: f64) -> Format {
    Format::new().set_font_name(FONT).set_font_size(size)
}

pub(super) fn centred(size: f64) -> Format {
    base(size)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
}

pub(super) fn heading_format(size: f64) -> Format {
    centred(size).set_bold().set_border(FormatBorder::Thin)
}

pub(super) fn cell_format(kind: ColumnKind, size: f64, strong: bool, marked: bool) -> Format {
    let format = base(size)
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::VerticalCenter);
    let format = match kind {
        ColumnKind::Text | ColumnKind::Sign => format.set_text_wrap(),
        ColumnKind::Code => format.set_text_wrap().set_align(FormatAlign::Center),
        ColumnKind::Identifier => format.set_num_format("@"),
        ColumnKind::Date => format
            .set_num_format("dd/mm/yyyy")
            .set_align(FormatAlign::Center),
        ColumnKind::Time => format
            .set_num_format("hh:mm")
            .set_align(FormatAlign::Center),
        ColumnKind::DateTime => format
            .set_num_format("dd/mm/yyyy hh:mm:ss")
            .set_align(FormatAlign::Center),
        ColumnKind::Minutes => format.set_num_format("0"),
        ColumnKind::Hours => format.set_num_format("[$-42A]0.0"),
        ColumnKind::Percent => format.set_num_format("[$-42A]0.0%"),
        ColumnKind::Count => format
            .set_num_format("[$-42A]#,##0")
            .set_align(FormatAlign::Center),
    };
    let format = if strong { format.set_bold() } else { format };
    if marked {
        format.set_italic().set_bold()
    } else {
        format
    }
}

/// Formats of one column: plain, of a sum, marked.
pub(super) struct Formats(Vec<[Format; 3]>);

impl Formats {
    fn of(table: &Table, size: f64) -> Self {
        Self(
            table
                .columns
                .iter()
                .map(|column| {
                    [(false, false), (true, false), (false, true)]
                        .map(|(strong, marked)| cell_format(column.kind, size, strong, marked))
                })
                .collect(),
        )
    }

    fn get(&self, column: usize, strong: bool, marked: bool) -> Option<&Format> {
        let [plain, sum, mark] = self.0.get(column)?;
        Some(if marked {
            mark
        } else if strong {
            sum
        } else {
            plain
        })
    }
}

pub(super) fn put(
    worksheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    kind: ColumnKind,
    format: &Format,
    offset_min: i32,
) -> Result<(), XlsxError> {
    // A cell of another kind than its column keeps its own number format.
    let own = |code: &str| format.clone().set_num_format(code);
    match cell {
        Cell::Empty => worksheet.write_blank(row, column, format)?,
        Cell::Text(text) => worksheet.write_string_with_format(row, column, text, format)?,
        Cell::Identifier(text) => {
            worksheet.write_string_with_format(row, column, text, &own("@"))?
        }
        Cell::Day(day) if kind == ColumnKind::Date => {
            worksheet.write_number_with_format(row, column, day_serial(*day), format)?
        }
        Cell::Day(day) => {
            let format = own("dd/mm/yyyy");
            worksheet.write_number_with_format(row, column, day_serial(*day), &format)?
        }
        Cell::Time(ms) | Cell::DateTime(ms) => {
            worksheet.write_number_with_format(row, column, serial(*ms, offset_min), format)?
        }
        Cell::Minutes(ms) => {
            worksheet.write_number_with_format(row, column, whole(vi::minutes(*ms)), format)?
        }
        Cell::Hours(ms) => {
            let hours = whole(vi::tenths_of_hour(*ms)) / 10.0;
            worksheet.write_number_with_format(row, column, hours, format)?
        }
        Cell::Permille(share) => {
            let share = f64::from(*share) / 1_000.0;
            worksheet.write_number_with_format(row, column, share, format)?
        }
        Cell::Count(number) => {
            worksheet.write_number_with_format(row, column, whole(*number), format)?
        }
    };
    Ok(())
}

pub(super) fn whole(number: u64) -> f64 {
    // Counts and minutes are far below 2^53.
    #[expect(clippy::cast_precision_loss)]
    let number = number as f64;
    number
}

pub(super) fn column_no(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

pub(super) fn row_no(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Heading and rows of a table from `top`; gives the row behind it.
pub(super) fn table(
    worksheet: &mut Worksheet,
    table: &Table,
    top: u32,
    (widths, size): (&[f64], f64),
    offset_min: i32,
) -> Result<u32, XlsxError> {
    let heading = heading_format(size);
    heading_heights(worksheet, table, top, (widths, size))?;
    let mut row = top;
    if table.has_groups() {
        for (first, len, group) in table.groups() {
            let column = column_no(first);
            match group {
                Some(group) => {
                    span(
                        worksheet,
                        (row, column),
                        (row, column_no(first + len - 1)),
                        group,
                        &heading,
                    )?;
                    for (index, column) in table.columns.iter().enumerate().skip(first).take(len) {
                        worksheet.write_string_with_format(
                            row + 1,
                            column_no(index),
                            &column.heading,
                            &heading,
                        )?;
                    }
                }
                None => {
                    let text = table.columns.get(first).map_or("", |c| c.heading.as_str());
                    span(worksheet, (row, column), (row + 1, column), text, &heading)?;
                }
            }
        }
        row += 2;
    } else {
        for (index, column) in table.columns.iter().enumerate() {
            worksheet.write_string_with_format(row, column_no(index), &column.heading, &heading)?;
        }
        row += 1;
    }
    let formats = Formats::of(table, size);
    let marked = table.marked();
    for (at, cells) in table.rows.iter().enumerate() {
        let strong = table.strong.contains(&row_no(at));
        let mut lines = 1.0_f64;
        for (index, (cell, column)) in cells.iter().zip(&table.columns).enumerate() {
            let marked = marked.contains(&(row_no(at), row_no(index)));
            if let Some(format) = formats.get(index, strong, marked) {
                put(
                    worksheet,
                    (row, column_no(index)),
                    cell,
                    column.kind,
                    format,
                    offset_min,
                )?;
            }
            if let (Cell::Text(text), Some(width)) = (cell, widths.get(index)) {
                lines = lines.max(lines_in(text, *width, size));
            }
        }
        let signed = table.columns.iter().any(|c| c.kind == ColumnKind::Sign);
        let least = if signed { 21.0 } else { 0.0 };
        worksheet.set_row_height(row, height_of(lines, size).max(least))?;
        row += 1;
    }
    for mark in &table.marks {
        let note = Note::new(mark.note.as_str())
            .set_author("Lophoc")
            .add_author_prefix(false);
        let first = top + if table.has_groups() { 2 } else { 1 };
        worksheet.insert_note(
            first + mark.row,
            u16::try_from(mark.column).unwrap_or(0),
            &note,
        )?;
    }
    Ok(row)
}

/// Heights of the rows of a heading.
pub(super) fn heading_heights(
    worksheet: &mut Worksheet,
    table: &Table,
    top: u32,
    (widths, size): (&[f64], f64),
) -> Result<(), XlsxError> {
    let wide = |first: usize, len: usize| -> f64 { widths.iter().skip(first).take(len).sum() };
    // Bold letters are wider.
    let lines = |text: &str, width: f64| lines_in(text, width / 1.08, size);
    let (mut upper, mut lower, mut both) = (1.0_f64, 1.0_f64, 1.0_f64);
    for (first, len, group) in table.groups() {
        if let Some(group) = group {
            upper = upper.max(lines(group, wide(first, len)));
        }
    }
    for (index, column) in table.columns.iter().enumerate() {
        let needed = lines(&column.heading, wide(index, 1));
        if column.group.is_some() {
            lower = lower.max(needed);
        } else {
            both = both.max(needed);
        }
    }
    if table.has_groups() {
        lower = lower.max(both - upper);
        worksheet.set_row_height(top, height_of(upper, size))?;
        worksheet.set_row_height(top + 1, height_of(lower, size))?;
    } else {
        worksheet.set_row_height(top, height_of(both, size))?;
    }
    Ok(())
}

/// Text over one or many cells.
pub(super) fn span(
    worksheet: &mut Worksheet,
    (row, column): (u32, u16),
    (last_row, last_column): (u32, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if (row, column) == (last_row, last_column) {
        worksheet.write_string_with_format(row, column, text, format)?;
    } else {
        worksheet.merge_range(row, column, last_row, last_column, text, format)?;
    }
    Ok(())
}
