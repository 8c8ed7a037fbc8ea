//! Reads what the server exports, by other programs than those that wrote it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::process::{Command, Stdio};

use calamine::{Data, Reader as _, Xlsx};

/// The cells of all sheets of a workbook, as text.
pub fn workbook(file: &[u8]) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
    let names = book.sheet_names();
    let text = |cell: &Data| cell.to_string();
    names
        .into_iter()
        .map(|name| {
            let range = book.worksheet_range(&name).unwrap();
            let rows = range.rows().map(|row| row.iter().map(text).collect());
            (name, rows.collect())
        })
        .collect()
}

/// The text of a PDF as `pdftotext` finds it; `None` where there is no such
/// program.
fn pdf(file: &[u8]) -> Option<String> {
    let mut program = Command::new("pdftotext")
        .args(["-raw", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = program.stdin.take().unwrap();
    let bytes = file.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let out = program.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(out.status.success());
    Some(String::from_utf8(out.stdout).unwrap())
}

/// Everything a file says, without blanks: lines are broken where the paper
/// ends. `None`: there is nothing here to read it with.
pub fn text(format: &str, file: &[u8]) -> Option<String> {
    let text = match format {
        "xlsx" => workbook(file).into_values().flatten().flatten().collect(),
        "pdf" => pdf(file)?,
        "csv" => {
            let text = std::str::from_utf8(file).unwrap();
            text.strip_prefix('\u{feff}').unwrap().to_owned()
        }
        _ => String::from_utf8(file.to_vec()).unwrap(),
    };
    Some(squeezed(&text))
}

pub fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The files of an archive.
pub fn unpacked(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}
