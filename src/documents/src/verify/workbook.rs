//! Reading an XLSX file of unknown origin.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};

use super::tables::{Grid, Value};
use super::{MAX_UNPACKED, Refused};
use crate::xlsx::ID_PROPERTY;

/// Most parts of a packed file.
const MAX_PARTS: usize = 2_000;
/// Most worksheets.
const MAX_SHEETS: usize = 40;
/// Most cells.
const MAX_CELLS: usize = 4_000_000;
/// Longest text of a cell that is kept, characters.
const MAX_TEXT: usize = 4_000;
/// Most text in all cells, bytes.
const MAX_TEXTS: usize = 256 * 1024 * 1024;
/// Most bytes read of the part with the properties.
const MAX_PROPERTIES: u64 = 1024 * 1024;

/// Unpacks every part once and throws it away: what passes is no bomb. The same
/// unpacker reads it afterwards.
fn check(bytes: &[u8]) -> Result<zip::ZipArchive<Cursor<&[u8]>>, Refused> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refused::Unreadable)?;
    if archive.len() > MAX_PARTS {
        return Err(Refused::TooLarge);
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| Refused::Unreadable)?;
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|_| Refused::Unreadable)?;
        left = left.checked_sub(read).ok_or(Refused::TooLarge)?;
    }
    Ok(archive)
}

/// The id among the custom properties, else in the small print.
pub fn export_id(bytes: &[u8]) -> Result<Option<String>, Refused> {
    let mut archive = check(bytes)?;
    let mut text = String::new();
    if let Ok(part) = archive.by_name("docProps/custom.xml") {
        let mut raw = Vec::new();
        part.take(MAX_PROPERTIES)
            .read_to_end(&mut raw)
            .map_err(|_| Refused::Unreadable)?;
        text = String::from_utf8_lossy(&raw).into_owned();
    }
    if let Some(id) = property(&text, ID_PROPERTY) {
        return Ok(Some(id));
    }
    // Some programs drop custom properties.
    let found = read_checked(bytes)?.iter().find_map(|grid| {
        grid.texts()
            .filter_map(|text| super::after(text.as_bytes(), crate::parts::FILE_ID))
            .last()
    });
    Ok(found)
}

/// Value of a custom property.
fn property(xml: &str, name: &str) -> Option<String> {
    let quoted = format!("name=\"{name}\"");
    let at = xml.find(&quoted)?;
    let rest = xml.get(at..)?;
    let end = rest
        .find("</property>")
        .or_else(|| rest.find("</op:property>"))?;
    let body = rest.get(..end)?;
    let start = body.find("lpwstr>")? + "lpwstr>".len();
    let value = body.get(start..)?;
    let stop = value.find('<')?;
    Some(value.get(..stop)?.trim().to_owned())
}

/// All cells of all worksheets.
pub fn read(bytes: &[u8]) -> Result<Vec<Grid>, Refused> {
    drop(check(bytes)?);
    read_checked(bytes)
}

/// Cell by cell: a whole range could claim a size no memory holds.
fn read_checked(bytes: &[u8]) -> Result<Vec<Grid>, Refused> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| Refused::Unreadable)?;
    let names = workbook.sheet_names();
    if names.len() > MAX_SHEETS {
        return Err(Refused::TooLarge);
    }
    let (mut cells, mut texts) = (0_usize, 0_usize);
    let mut grids = Vec::new();
    for name in names {
        let mut grid = BTreeMap::new();
        let Ok(mut reader) = workbook.worksheet_cells_reader(&name) else {
            continue; // a sheet of charts has no cells
        };
        while let Some(cell) = reader.next_cell().map_err(|_| Refused::Unreadable)? {
            cells += 1;
            if cells > MAX_CELLS {
                return Err(Refused::TooLarge);
            }
            let text = |text: &str| Value::Text(text.chars().take(MAX_TEXT).collect());
            let value = match cell.get_value() {
                DataRef::Empty => continue,
                DataRef::Int(number) => {
                    // Beyond 2^53 it is no value of ours anyway.
                    #[expect(clippy::cast_precision_loss)]
                    let number = *number as f64;
                    Value::Number(number)
                }
                DataRef::Float(number) => Value::Number(*number),
                DataRef::DateTime(moment) => Value::Number(moment.as_f64()),
                DataRef::String(content) => text(content),
                DataRef::SharedString(content) => text(content),
                DataRef::DateTimeIso(content) | DataRef::DurationIso(content) => text(content),
                DataRef::Bool(yes) => Value::Text(if *yes { "TRUE" } else { "FALSE" }.to_owned()),
                DataRef::Error(error) => Value::Text(format!("{error:?}")),
            };
            if let Value::Text(content) = &value {
                texts += content.len();
                if texts > MAX_TEXTS {
                    return Err(Refused::TooLarge);
                }
                if content.is_empty() {
                    continue;
                }
            }
            grid.insert(cell.get_position(), value);
        }
        grids.push(Grid { name, cells: grid });
    }
    Ok(grids)
}
