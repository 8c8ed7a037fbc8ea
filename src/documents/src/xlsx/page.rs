//! The first worksheet: head of the document, sheet, annexes, places to sign,
//! small print.

use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::A4;
use super::cells::{base, centred, column_no, row_no, span, table};
use super::measure::{ACROSS, UPRIGHT, count, height_of, lines_in, widths};
use crate::model::{ColumnKind, Place, Sealed, Table};
use crate::parts;

/// Rows of room for a signature.
const SIGN_ROWS: u32 = 4;

/// The first worksheet, from top to bottom.
pub(super) struct Page<'a> {
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
    pub(super) fn new(worksheet: &'a mut Worksheet, sheet: &'a Sealed, main: &'a Table) -> Self {
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

    pub(super) fn write(mut self) -> Result<(), XlsxError> {
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
