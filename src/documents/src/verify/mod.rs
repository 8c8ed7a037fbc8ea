//! Whether a file is an export of ours, and whether its data still stands.
//!
//! A file comes from anybody: sizes are bounded before anything is unpacked,
//! and nothing in it can make the check panic. The check is pure: the stored
//! record of the export is an argument.

mod pdf;
mod tables;
mod workbook;

use serde::{Deserialize, Serialize};

use crate::model::{Data, Place, sha256_hex};
use crate::{html, json, parts};
pub use tables::Grid;

/// Largest file looked at, bytes.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// Most bytes a packed file may unpack to.
pub const MAX_UNPACKED: u64 = 192 * 1024 * 1024;
/// Most differences named.
pub const MAX_DIFFERENCES: usize = 20;

/// Form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Excel.
    Xlsx,
    /// CSV.
    Csv,
    /// PDF.
    Pdf,
    /// Page to print.
    Html,
    /// Data.
    Json,
}

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its form, by its first bytes.
    pub format: Format,
    /// Id of the export it claims to be; only a claim until [`judge`] has
    /// looked. None: look the export up by the hash of the file.
    pub export_id: Option<String>,
    /// SHA-256 of the file, hex.
    pub file_sha256: String,
}

/// What the server keeps of an export to judge files by.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Id.
    pub id: &'a str,
    /// SHA-256 of the file as exported, hex.
    pub file_sha256: &'a str,
    /// Its length, bytes.
    pub file_len: u64,
    /// SHA-256 of the data, hex.
    pub data_sha256: &'a str,
    /// The data, canonical ([`crate::Sealed::canonical`]).
    pub canonical: &'a str,
}

/// Outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The very file that was exported.
    GenuineUnchanged,
    /// The exported PDF with a signature added behind it that leaves the pages
    /// as they were. Whether the signature itself is valid, and what its
    /// picture shows, is not looked at.
    GenuineSigned,
    /// Saved again by another program, data unchanged.
    SameDataResaved {
        /// Rows stand in another order.
        reordered: bool,
    },
    /// Claims to be the export, but differs.
    Altered {
        /// Where, in Vietnamese, at most [`MAX_DIFFERENCES`].
        differences: Vec<String>,
    },
    /// Not this export.
    Unknown,
}

/// A file that is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Larger than [`MAX_FILE`], or would unpack to more than [`MAX_UNPACKED`].
    #[error("the file is too large")]
    TooLarge,
    /// No form of file that is exported, or broken.
    #[error("the file cannot be read")]
    Unreadable,
}

/// What form a file has, by its first bytes.
pub fn format_of(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(Format::Xlsx);
    }
    if bytes.starts_with(b"%PDF-") {
        return Some(Format::Pdf);
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    let start = text.trim_start();
    let head: String = start.chars().take(15).collect::<String>().to_lowercase();
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return Some(Format::Html);
    }
    if start.starts_with('{') {
        return Some(Format::Json);
    }
    (!start.is_empty()).then_some(Format::Csv)
}

/// Reads a file's form and the id it claims.
///
/// # Errors
/// [`Refused`]
pub fn inspect(bytes: &[u8]) -> Result<Found, Refused> {
    if bytes.len() > MAX_FILE {
        return Err(Refused::TooLarge);
    }
    let format = format_of(bytes).ok_or(Refused::Unreadable)?;
    let export_id = match format {
        Format::Xlsx => workbook::export_id(bytes)?,
        Format::Pdf => pdf::export_id(bytes),
        Format::Html => html_id(bytes),
        Format::Json => read_json(bytes)?.map(|file| file.export.id),
        Format::Csv => after(bytes, parts::FILE_ID),
    };
    Ok(Found {
        format,
        export_id: export_id.filter(|id| is_id(id)),
        file_sha256: sha256_hex(bytes),
    })
}

/// Judges a file against the record of the export it claims to be.
///
/// # Errors
/// [`Refused`]
pub fn judge(bytes: &[u8], record: &Record<'_>) -> Result<Verdict, Refused> {
    if bytes.len() > MAX_FILE {
        return Err(Refused::TooLarge);
    }
    if sha256_hex(bytes) == record.file_sha256 {
        return Ok(Verdict::GenuineUnchanged);
    }
    let found = inspect(bytes)?;
    if found.format == Format::Pdf
        && let Some(verdict) = pdf::signed(bytes, record)
    {
        return Ok(verdict);
    }
    if found.export_id.as_deref() != Some(record.id) {
        return Ok(Verdict::Unknown);
    }
    // A record that does not match its own hash proves nothing.
    if sha256_hex(record.canonical.as_bytes()) != record.data_sha256 {
        return Ok(altered("Bản lưu trên máy chủ không khớp mã băm của nó"));
    }
    let Ok(kept) = serde_json::from_str::<Data>(record.canonical) else {
        return Ok(altered("Không đọc được bản lưu trên máy chủ"));
    };
    match found.format {
        Format::Pdf | Format::Html => Ok(altered(
            "Tệp không còn đúng từng byte như khi xuất; định dạng này không so sánh từng ô được, \
             hãy đối chiếu với bản xuất lại",
        )),
        Format::Json => {
            let Some(file) = read_json(bytes)? else {
                return Ok(altered("Tệp JSON không đúng lược đồ"));
            };
            Ok(by_json(&file.data, &kept, record))
        }
        Format::Xlsx => {
            let sheets = workbook::read(bytes)?;
            Ok(tables::by_sheets(&sheets, &kept))
        }
        Format::Csv => Ok(tables::by_csv(bytes, &kept)),
    }
}

fn altered(difference: impl Into<String>) -> Verdict {
    Verdict::Altered {
        differences: vec![difference.into()],
    }
}

fn is_id(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The id that follows a mark in a text.
fn after(bytes: &[u8], mark: &str) -> Option<String> {
    let mark = mark.as_bytes();
    let at = bytes
        .windows(mark.len())
        .rposition(|window| window == mark)?;
    let id: String = bytes
        .get(at + mark.len()..)?
        .iter()
        .skip_while(|b| **b == b' ')
        .take(65)
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
        .map(|b| char::from(*b))
        .collect();
    is_id(&id).then_some(id)
}

fn html_id(bytes: &[u8]) -> Option<String> {
    after(bytes, &format!("name=\"{}\" content=\"", html::ID_META))
        .or_else(|| after(bytes, parts::FILE_ID))
}

/// The file, when it has our schema.
fn read_json(bytes: &[u8]) -> Result<Option<json::File>, Refused> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The parser itself bounds how deep values nest.
    let value: json::File = match serde_json::from_slice(text) {
        Ok(file) => file,
        Err(error) if error.is_data() => return Ok(None),
        Err(_) => return Err(Refused::Unreadable),
    };
    Ok((value.schema == json::SCHEMA).then_some(value))
}

fn by_json(data: &Data, kept: &Data, record: &Record<'_>) -> Verdict {
    if sha256_hex(data.canonical().as_bytes()) == record.data_sha256 {
        return Verdict::SameDataResaved { reordered: false };
    }
    let mut differences = Vec::new();
    let note = |differences: &mut Vec<String>, text: String| {
        if differences.len() < MAX_DIFFERENCES {
            differences.push(text);
        }
    };
    for (name, left, right) in [
        ("tên đơn vị", &data.unit, &kept.unit),
        ("tiêu đề", &data.title, &kept.title),
    ] {
        if left != right {
            note(
                &mut differences,
                format!("Khác {name}: “{left}”, bản gốc “{right}”"),
            );
        }
    }
    for (name, left, right) in [
        ("phần mở đầu", &data.subtitle, &kept.subtitle),
        ("câu tổng hợp", &data.foot, &kept.foot),
        ("quy tắc tính", &data.rules, &kept.rules),
    ] {
        if left != right {
            note(&mut differences, format!("Khác {name}"));
        }
    }
    if data.tables.len() != kept.tables.len() {
        note(&mut differences, "Số bảng khác bản gốc".to_owned());
    }
    for (found, table) in data.tables.iter().zip(&kept.tables) {
        let cells: Vec<Vec<String>> = found
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| crate::in_file(cell, data.offset_min))
                    .collect()
            })
            .collect();
        if found.columns != table.columns || found.place != table.place || found.name != table.name
        {
            note(
                &mut differences,
                format!("Khác cột hoặc tên của bảng “{}”", table.name),
            );
        }
        tables::compare(
            &cells,
            table,
            kept.offset_min,
            tables::Where::Row,
            &mut differences,
        );
    }
    if differences.is_empty() {
        differences.push("Dữ liệu khác bản gốc".to_owned());
    }
    Verdict::Altered { differences }
}

/// Whether a table is part of the first worksheet.
fn on_first(place: Place) -> bool {
    matches!(place, Place::Main | Place::Annex)
}
