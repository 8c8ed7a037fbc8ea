//! XLSX, the format clerks work with.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Note, Workbook, Worksheet,
    XlsxError,
};

use crate::model::{Cell, ColumnKind, Place, Sealed, Table};
use crate::{parts, text, vi};

/// Name of the custom property that holds the export's id.
pub const ID_PROPERTY: &str = "LophocExportId";
/// Name of the custom property that holds the SHA-256 of the data.
pub const SHA_PROPERTY: &str = "LophocDataSha256";
/// Name of the custom property that holds the version.
pub const VERSION_PROPERTY: &str = "LophocVersion";

const FONT: &str = "Times New Roman";
/// ISO A4 in the numbering of the format.
const A4: u8 = 9;
/// Rows of room for a signature.
const SIGN_ROWS: u32 = 4;
/// Days from 30 December 1899, where the format counts from, to 1970.
const EPOCH_DAYS: i64 = 25_569;

/// A workbook that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the workbook: {0}")]
pub struct WriteError(#[from] XlsxError);

/// The document as a workbook: the sheet with its annexes first, then a
/// worksheet per table of raw data and per table of codes. The same document
/// gives the same bytes.
///
/// # Errors
/// [`WriteError`] when the writer refuses something; not met within the bounds
/// of a sealed document.
pub fn write(sheet: &Sealed) -> Result<Vec<u8>, WriteError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(sheet)?);
    let mut names: Vec<String> = Vec::new();
    let mut tables = sheet.data().tables.iter();
    if let Some(main) = tables.next() {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(sheet_name(&main.name, &mut names))?;
        Page::new(worksheet, sheet, main).write()?;
    }
    for table in tables.filter(|t| matches!(t.place, Place::Raw | Place::Codes)) {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(sheet_name(&table.name, &mut names))?;
        plain(worksheet, table, sheet.data().offset_min)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn properties(sheet: &Sealed) -> Result<DocProperties, XlsxError> {
    let export = &sheet.document().export;
    let made = ExcelDateTime::from_serial_datetime(serial(export.made_ms, 0))?;
    let version = export
        .version
        .map_or_else(|| "chưa chốt".to_owned(), |no| no.to_string());
    Ok(DocProperties::new()
        .set_title(clip(&sheet.data().title, 250))
        .set_author(clip(&sheet.data().unit, 250))
        .set_company(clip(&sheet.data().unit, 250))
        .set_creation_datetime(&made)
        .set_custom_property(ID_PROPERTY, export.id.as_str())
        .set_custom_property(SHA_PROPERTY, sheet.data_sha256())
        .set_custom_property(VERSION_PROPERTY, version.as_str()))
}

fn clip(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// A name a worksheet may have: 31 characters, some signs not, none twice.
fn sheet_name(name: &str, taken: &mut Vec<String>) -> String {
    let plain: String = name
        .chars()
        .map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c })
        .collect();
    // The limit counts UTF-16 units.
    let mut units = 0;
    let base: String = plain
        .trim()
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= 27
        })
        .collect();
    let base = match base.trim() {
        "" => "Bảng".to_owned(),
        base if base.eq_ignore_ascii_case("history") => format!("{base}_"),
        base => base.to_owned(),
    };
    let mut name = base.clone();
    let mut no = 2;
    while taken
        .iter()
        .any(|t| t.to_lowercase() == name.to_lowercase())
    {
        name = format!("{base} {no}");
        no += 1;
    }
    taken.push(name.clone());
    name
}

/// Days since the format's beginning, local time, whole seconds.
fn serial(ms: u64, offset_min: i32) -> f64 {
    let seconds = i64::try_from(ms / 1_000).unwrap_or(0) + i64::from(offset_min) * 60;
    // Exact: far below 2^53.
    #[expect(clippy::cast_precision_loss)]
    let days = seconds as f64 / 86_400.0;
    #[expect(clippy::cast_precision_loss)]
    let shift = EPOCH_DAYS as f64;
    days + shift
}

fn day_serial(day: lophoc_classes::Day) -> f64 {
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

/// Characters of the widest sheet that prints across A4 without being shrunk
/// much; of one that prints upright.
const ACROSS: f64 = 148.0;
const UPRIGHT: f64 = 92.0;

/// How wide each column should be, in characters, so that all fit `total`
/// where words can be broken to that end.
fn widths(table: &Table, size: f64, total: f64, offset_min: i32) -> Vec<f64> {
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

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Lines a text takes in a column of a width: words are broken by the program
/// that opens the file, so this counts as it does.
fn lines_in(text: &str, width: f64, size: f64) -> f64 {
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
fn height_of(lines: f64, size: f64) -> f64 {
    (lines * size * 1.22 + 3.0).min(400.0)
}

fn base(size: f64) -> Format {
    Format::new().set_font_name(FONT).set_font_size(size)
}

fn centred(size: f64) -> Format {
    base(size)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
}

fn heading_format(size: f64) -> Format {
    centred(size).set_bold().set_border(FormatBorder::Thin)
}

fn cell_format(kind: ColumnKind, size: f64, strong: bool, marked: bool) -> Format {
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
struct Formats(Vec<[Format; 3]>);

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

fn put(
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

fn whole(number: u64) -> f64 {
    // Counts and minutes are far below 2^53.
    #[expect(clippy::cast_precision_loss)]
    let number = number as f64;
    number
}

fn column_no(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn row_no(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Heading and rows of a table from `top`; gives the row behind it.
fn table(
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
fn heading_heights(
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
fn span(
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

/// A worksheet with one table of data and nothing else.
fn plain(worksheet: &mut Worksheet, raw: &Table, offset_min: i32) -> Result<(), XlsxError> {
    let wide = widths(raw, 11.0, ACROSS, offset_min);
    for (index, width) in wide.iter().enumerate() {
        worksheet.set_column_width(column_no(index), *width)?;
    }
    let heads = if raw.has_groups() { 2 } else { 1 };
    let end = table(worksheet, raw, 0, (&wide, 11.0), offset_min)?;
    worksheet.set_freeze_panes(heads, 0)?;
    let last = column_no(raw.columns.len().saturating_sub(1));
    if end > heads {
        worksheet.autofilter(heads - 1, 0, end - 1, last)?;
    }
    worksheet.set_repeat_rows(0, heads - 1)?;
    worksheet.set_paper_size(A4).set_landscape();
    worksheet.set_print_fit_to_pages(1, 0);
    worksheet.set_header("&C&\"Times New Roman\"&13&P");
    Ok(())
}

/// The first worksheet, from top to bottom.
struct Page<'a> {
    worksheet: &'a mut Worksheet,
    sheet: &'a Sealed,
    main: &'a Table,
    widths: Vec<f64>,
    /// Size of text in tables.
    size: f64,
    /// Size of the head and the sentences.
    body: f64,
    row: u32,
    last: u16,
    /// Last column of the left half.
    middle: u16,
}

impl<'a> Page<'a> {
    fn new(worksheet: &'a mut Worksheet, sheet: &'a Sealed, main: &'a Table) -> Self {
        let offset = sheet.data().offset_min;
        let across = sheet.is_landscape();
        let (size, body) = if main.columns.len() > 8 {
            (11.0, 12.0)
        } else {
            (13.0, 13.0)
        };
        let paper = if across { ACROSS } else { UPRIGHT };
        let mut all = widths(main, size, paper, offset);
        // The head and the annexes need some room even over a narrow table.
        let least = sheet
            .data()
            .printed()
            .map(|table| table.columns.len())
            .max()
            .unwrap_or(1)
            .max(4);
        all.resize(least.max(all.len()), 12.0);
        let missing = paper * 0.92 - all.iter().sum::<f64>();
        if missing > 0.0 {
            let texts: Vec<usize> = main
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.kind == ColumnKind::Text)
                .map(|(index, _)| index)
                .collect();
            let share = missing / count(texts.len().max(1));
            for index in texts {
                if let Some(width) = all.get_mut(index) {
                    *width += share.min(30.0);
                }
            }
        }
        let total: f64 = all.iter().sum();
        let mut sum = 0.0;
        let middle = all
            .iter()
            .position(|width| {
                sum += width;
                sum >= total * 0.42
            })
            .unwrap_or(0)
            .clamp(0, all.len().saturating_sub(2));
        Self {
            worksheet,
            sheet,
            main,
            row: 0,
            last: column_no(all.len().saturating_sub(1)),
            middle: column_no(middle),
            widths: all,
            size,
            body,
        }
    }

    fn write(mut self) -> Result<(), XlsxError> {
        for (index, width) in self.widths.iter().enumerate() {
            self.worksheet.set_column_width(column_no(index), *width)?;
        }
        self.head()?;
        let top = self.row;
        let offset = self.sheet.data().offset_min;
        self.row = table(
            self.worksheet,
            self.main,
            top,
            (&self.widths, self.size),
            offset,
        )?;
        let heads = if self.main.has_groups() { 2 } else { 1 };
        self.view(top, heads)?;
        self.row += 1;
        for sentence in &self.sheet.data().foot {
            self.line(sentence, &base(self.body).set_text_wrap())?;
        }
        for annex in self
            .sheet
            .data()
            .tables
            .iter()
            .filter(|t| t.place == Place::Annex)
        {
            self.row += 1;
            self.line(&annex.name, &base(self.body).set_bold())?;
            self.row = table(
                self.worksheet,
                annex,
                self.row,
                (&self.widths, self.size),
                offset,
            )?;
        }
        self.signatures()?;
        self.end()?;
        self.worksheet
            .set_print_area(0, 0, self.row.saturating_sub(1), self.last)?;
        self.worksheet.set_paper_size(A4);
        if self.sheet.is_landscape() {
            self.worksheet.set_landscape();
        }
        self.worksheet.set_print_fit_to_pages(1, 0);
        // Inches: 30 mm left, 15 mm right, 20 mm top and bottom (NĐ 30/2020).
        self.worksheet.set_margins(1.18, 0.59, 0.79, 0.79, 0.4, 0.4);
        self.worksheet.set_header("&C&\"Times New Roman\"&13&P");
        Ok(())
    }

    /// Frozen panes, filter, repeated heading.
    fn view(&mut self, top: u32, heads: u32) -> Result<(), XlsxError> {
        let body = top + heads;
        let name = self
            .main
            .columns
            .iter()
            .rposition(|c| c.heading.starts_with("Họ và tên") || c.heading == "Tên")
            .map_or(0, |index| column_no(index + 1));
        self.worksheet.set_freeze_panes(body, name)?;
        self.worksheet.set_repeat_rows(top, body - 1)?;
        // Sums stand at the end and are no part of what is filtered.
        let sums = self.main.strong.len();
        let rows = row_no(self.main.rows.len().saturating_sub(sums));
        if rows > 0 {
            let last = column_no(self.main.columns.len().saturating_sub(1));
            self.worksheet
                .autofilter(body - 1, 0, body + rows - 1, last)?;
        }
        Ok(())
    }

    fn halves(&mut self, left: &str, right: &str, l: &Format, r: &Format) -> Result<(), XlsxError> {
        let row = self.row;
        span(self.worksheet, (row, 0), (row, self.middle), left, l)?;
        span(
            self.worksheet,
            (row, self.middle + 1),
            (row, self.last),
            right,
            r,
        )?;
        let size = self.body * 1.08;
        let lines = lines_in(left, self.width(0, self.middle), size).max(lines_in(
            right,
            self.width(self.middle + 1, self.last),
            size,
        ));
        self.height(lines)?;
        self.row += 1;
        Ok(())
    }

    fn width(&self, first: u16, last: u16) -> f64 {
        self.widths
            .iter()
            .skip(usize::from(first))
            .take(usize::from(last.saturating_sub(first)) + 1)
            .sum()
    }

    /// Merged cells do not grow by themselves.
    fn height(&mut self, lines: f64) -> Result<(), XlsxError> {
        self.worksheet
            .set_row_height(self.row, height_of(lines, self.body))?;
        Ok(())
    }

    fn head(&mut self) -> Result<(), XlsxError> {
        let regular = centred(self.body);
        let bold = centred(self.body).set_bold();
        let italic = centred(self.body).set_italic();
        let unit = self.sheet.data().unit.to_uppercase();
        let parent = self.sheet.document().head.parent_unit.as_deref();
        let rule = "────────";
        let motto_rule = "────────────────────";
        match parent.map(str::to_uppercase) {
            Some(parent) => {
                self.halves(&parent, parts::NATION, &regular, &bold)?;
                self.halves(&unit, parts::MOTTO, &bold, &bold)?;
            }
            None => {
                self.halves(&unit, parts::NATION, &bold, &bold)?;
                self.halves("", parts::MOTTO, &bold, &bold)?;
            }
        }
        self.halves(rule, motto_rule, &centred(8.0), &centred(8.0))?;
        let number = parts::number(self.sheet).unwrap_or_default();
        let day = parts::place_and_day(self.sheet);
        self.halves(&number, &day, &regular, &italic)?;
        self.row += 1;
        let title = self.sheet.data().title.clone();
        self.line(&title, &centred(14.0).set_bold())?;
        for (index, text) in self.sheet.data().subtitle.iter().enumerate() {
            let format = centred(self.body);
            let format = if index == 0 {
                format.set_bold()
            } else {
                format
            };
            self.line(text, &format)?;
        }
        self.row += 1;
        Ok(())
    }

    fn line(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        let row = self.row;
        span(self.worksheet, (row, 0), (row, self.last), text, format)?;
        self.height(lines_in(text, self.width(0, self.last), self.body * 1.05))?;
        self.row += 1;
        Ok(())
    }

    fn signatures(&mut self) -> Result<(), XlsxError> {
        let signatures = &self.sheet.document().signatures;
        if signatures.is_empty() {
            return Ok(());
        }
        self.row += 1;
        let total = self.width(0, self.last);
        let share = total / count(signatures.len());
        let mut first = 0_u16;
        for (index, signature) in signatures.iter().enumerate() {
            let target = share * count(index + 1);
            let mut last = first;
            while last < self.last && self.width(0, last + 1) <= target + 1.0 {
                last += 1;
            }
            if index + 1 == signatures.len() {
                last = self.last;
            }
            if first > self.last {
                break;
            }
            let row = self.row;
            let bold = centred(self.body).set_bold();
            let italic = centred(self.body).set_italic();
            span(
                self.worksheet,
                (row, first),
                (row, last),
                &signature.title,
                &bold,
            )?;
            span(
                self.worksheet,
                (row + 1, first),
                (row + 1, last),
                &signature.note,
                &italic,
            )?;
            if let Some(name) = &signature.name {
                let at = row + 2 + SIGN_ROWS;
                span(self.worksheet, (at, first), (at, last), name, &bold)?;
            }
            first = last + 1;
        }
        self.row += 3 + SIGN_ROWS;
        Ok(())
    }

    fn end(&mut self) -> Result<(), XlsxError> {
        let recipients = &self.sheet.document().recipients;
        if !recipients.is_empty() {
            self.line(parts::RECIPIENTS, &base(12.0).set_bold().set_italic())?;
            for text in recipients {
                self.line(text, &base(11.0).set_text_wrap())?;
            }
        }
        let small = base(9.0).set_text_wrap();
        if !self.sheet.data().rules.is_empty() {
            let rules = format!("{} {}", parts::RULES, self.sheet.data().rules.join(" "));
            self.line(&rules, &small)?;
        }
        for text in parts::small_print(self.sheet) {
            self.line(&text, &small)?;
        }
        Ok(())
    }
}
