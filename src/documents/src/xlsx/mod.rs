//! XLSX, the format clerks work with.

mod cells;
mod measure;
mod page;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use crate::model::{Place, Sealed, Table};
use cells::{column_no, serial, table};
use measure::{ACROSS, widths};
use page::Page;

/// Name of the custom property that holds the export's id.
pub const ID_PROPERTY: &str = "LophocExportId";
/// Name of the custom property that holds the SHA-256 of the data.
pub const SHA_PROPERTY: &str = "LophocDataSha256";
/// Name of the custom property that holds the version.
pub const VERSION_PROPERTY: &str = "LophocVersion";

/// ISO A4 in the numbering of the format.
const A4: u8 = 9;

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
