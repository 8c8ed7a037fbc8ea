//! CSV that opens in a spreadsheet: the sheet itself, nothing around it.

use crate::model::{Cell, Sealed, Table};
use crate::{parts, text};

/// How to write the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    /// Between cells.
    pub delimiter: Delimiter,
    /// Identifiers as `="001…"`, which Excel keeps as text; without it they are
    /// written bare, for programs that read them.
    pub identifiers_as_text: bool,
    /// A last row with the id of the export, by which the file can be checked.
    pub with_id: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Comma,
            identifiers_as_text: true,
            with_id: true,
        }
    }
}

/// Between cells: the list separator of the computer that will open the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// Tab.
    Tab,
}

impl Delimiter {
    /// All, in the order they are tried when reading.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write CSV: {0}")]
pub struct WriteError(String);

/// The sheet as CSV: UTF-8 with a byte order mark, lines end with CR LF,
/// quoting after RFC 4180, no cell a spreadsheet could take for a formula.
/// Columns under a group are headed `group – heading`.
///
/// # Errors
/// [`WriteError`]; not met for a sealed document.
pub fn write(sheet: &Sealed, options: CsvOptions) -> Result<Vec<u8>, WriteError> {
    let mut writer = ::csv::WriterBuilder::new()
        .delimiter(options.delimiter.byte())
        .terminator(::csv::Terminator::CRLF)
        .from_writer(vec![0xef, 0xbb, 0xbf]);
    let failed = |error: ::csv::Error| WriteError(error.to_string());
    if let Some(table) = sheet.data().main() {
        writer.write_record(headings(table)).map_err(failed)?;
        for row in &table.rows {
            let cells = row
                .iter()
                .map(|cell| field(cell, sheet.data().offset_min, options));
            writer.write_record(cells).map_err(failed)?;
        }
        if options.with_id {
            let mut last = vec![String::new(); table.columns.len()];
            if let Some(first) = last.first_mut() {
                *first = format!("{} {}", parts::FILE_ID, sheet.document().export.id);
            }
            writer.write_record(last).map_err(failed)?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| WriteError(error.to_string()))
}

/// Headings of the columns, in one row.
pub fn headings(table: &Table) -> Vec<String> {
    table
        .columns
        .iter()
        .map(|column| {
            guarded(&match &column.group {
                Some(group) if column.heading.is_empty() => group.clone(),
                Some(group) => format!("{group} – {}", column.heading),
                None => column.heading.clone(),
            })
        })
        .collect()
}

fn field(cell: &Cell, offset_min: i32, options: CsvOptions) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        Cell::Identifier(text) if options.identifiers_as_text => identifier(text),
        Cell::Identifier(text) => guarded(text),
        cell => text::in_file(cell, offset_min),
    }
}

/// A text from outside: a leading apostrophe where a spreadsheet would take it
/// for a formula.
pub fn guarded(text: &str) -> String {
    // Some spreadsheets read the wide forms of the signs as the signs.
    const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    // An own apostrophe before a sign gets another one, to be told from a guard.
    if text.trim_start_matches('\'').starts_with(SIGNS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// An identifier that a spreadsheet would read as a number or a date (leading
/// zeros lost, 12 digits shortened) as a text formula; it then consists of
/// harmless characters only.
pub fn identifier(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | ':'));
    if plain && text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        format!("=\"{text}\"")
    } else {
        guarded(text)
    }
}

/// What [`field`] wrote, undone: the text of a cell without guard.
pub(crate) fn unguarded(field: &str) -> &str {
    if let Some(text) = field
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
    {
        return text;
    }
    match field.strip_prefix('\'') {
        Some(text) if guarded(text) == field => text,
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_told_from_an_apostrophe_of_the_text() {
        for text in ["=1", "'=", "''=1", "'abc", "'", "", "'＝"] {
            assert_eq!(unguarded(&guarded(text)), text);
            assert!(!guarded(text).starts_with('='));
        }
        assert_eq!(guarded("'abc"), "'abc");
    }
}
