//! Which files are ours, and what was done to them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod common;

use std::io::{Cursor, Read as _, Write as _};

use lophoc_documents::csv::{CsvOptions, Delimiter};
use lophoc_documents::sheets::SessionOptions;
use lophoc_documents::verify::{Format, MAX_FILE, Record, Refused, Verdict, inspect, judge};
use lophoc_documents::{Cell, Document, Sealed, csv, html, json, pdf, sha256_hex, xlsx};
use proptest::prelude::*;

struct Kept {
    id: String,
    file_sha256: String,
    file_len: u64,
    data_sha256: String,
    canonical: String,
}

impl Kept {
    fn of(sheet: &Sealed, file: &[u8]) -> Self {
        Self {
            id: sheet.document().export.id.clone(),
            file_sha256: sha256_hex(file),
            file_len: file.len() as u64,
            data_sha256: sheet.data_sha256().to_owned(),
            canonical: sheet.canonical().to_owned(),
        }
    }

    fn record(&self) -> Record<'_> {
        Record {
            id: &self.id,
            file_sha256: &self.file_sha256,
            file_len: self.file_len,
            data_sha256: &self.data_sha256,
            canonical: &self.canonical,
        }
    }
}

fn document(count: usize) -> Document {
    common::session_document(count, SessionOptions::default())
}

fn every_format(sheet: &Sealed) -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Xlsx, xlsx::write(sheet).unwrap()),
        (
            Format::Csv,
            csv::write(sheet, CsvOptions::default()).unwrap(),
        ),
        (Format::Pdf, pdf::write(sheet).unwrap()),
        (Format::Html, html::write(sheet).into_bytes()),
        (Format::Json, json::write(sheet, None).unwrap()),
    ]
}

/// The document with another day of export: other bytes, the same data. What a
/// program that opens and saves the file would leave.
fn resaved(mut document: Document) -> Sealed {
    document.export.made_ms += 3_600_000;
    document.seal().unwrap()
}

#[test]
fn a_file_as_exported_is_genuine_and_names_its_export() {
    for (_, document) in common::all() {
        let sheet = document.seal().unwrap();
        for (format, file) in every_format(&sheet) {
            let found = inspect(&file).unwrap();
            assert_eq!(found.format, format);
            assert_eq!(
                found.export_id.as_deref(),
                Some(sheet.document().export.id.as_str())
            );
            let kept = Kept::of(&sheet, &file);
            assert_eq!(found.file_sha256, kept.file_sha256);
            assert_eq!(judge(&file, &kept.record()), Ok(Verdict::GenuineUnchanged));
        }
    }
}

#[test]
fn every_sheet_saved_again_keeps_its_data() {
    for (name, document) in common::all() {
        let sheet = document.clone().seal().unwrap();
        let again = resaved(document);
        for (format, file) in every_format(&again) {
            if matches!(format, Format::Pdf | Format::Html) {
                continue;
            }
            let kept = Kept::of(&sheet, b"the first file");
            assert_eq!(
                judge(&file, &kept.record()),
                Ok(Verdict::SameDataResaved { reordered: false }),
                "{name} {format:?}"
            );
        }
        for delimiter in Delimiter::ALL {
            let options = CsvOptions {
                delimiter,
                identifiers_as_text: false,
                with_id: true,
            };
            let file = csv::write(&again, options).unwrap();
            let kept = Kept::of(&sheet, b"the first file");
            assert!(matches!(
                judge(&file, &kept.record()),
                Ok(Verdict::SameDataResaved { .. })
            ));
        }
    }
}

#[test]
fn a_changed_cell_is_named_by_its_place() {
    let sheet = document(30).seal().unwrap();
    let mut changed = document(30);
    let row = &mut changed.data.tables[0].rows[4];
    let result = row.len() - 3;
    row[result] = Cell::text("Có mặt, đã sửa");
    row[13] = Cell::Minutes(1_000 * 60_000);
    let forged = changed.seal().unwrap();
    for (format, file) in every_format(&forged) {
        let kept = Kept::of(&sheet, b"the first file");
        let Ok(Verdict::Altered { differences }) = judge(&file, &kept.record()) else {
            panic!("{format:?}");
        };
        let all = differences.join("\n");
        match format {
            Format::Xlsx | Format::Csv => {
                assert!(all.contains("Ô P") && all.contains("Ô N"), "{all}");
                assert!(
                    all.contains("(Kết quả): “Có mặt, đã sửa”, bản gốc “"),
                    "{all}"
                );
                assert!(all.contains("“1000”, bản gốc “"), "{all}");
            }
            Format::Json => assert!(all.contains("Dòng 5 của bảng"), "{all}"),
            Format::Pdf | Format::Html => assert!(all.contains("từng byte"), "{all}"),
        }
    }
}

#[test]
fn changed_words_and_rows_are_found() {
    let sheet = document(30).seal().unwrap();
    let kept = Kept::of(&sheet, b"the first file");
    let differs = |change: &dyn Fn(&mut Document), wanted: &str| {
        let mut changed = document(30);
        change(&mut changed);
        let file = xlsx::write(&changed.seal().unwrap()).unwrap();
        let verdict = judge(&file, &kept.record()).unwrap();
        let Verdict::Altered { differences } = verdict else {
            panic!("{wanted}: {verdict:?}");
        };
        assert!(differences.join("\n").contains(wanted), "{differences:?}");
        assert!(differences.len() <= 20);
    };
    differs(
        &|d| d.data.foot[0] = "Danh sách này có 30 người; có mặt 30".to_owned(),
        "Thiếu hoặc đã sửa dòng",
    );
    differs(
        &|d| d.data.title = "DANH SÁCH KHÁC".to_owned(),
        "DANH SÁCH ĐIỂM DANH",
    );
    differs(
        &|d| {
            d.data.tables[0].rows.pop();
        },
        "bản gốc",
    );
    differs(
        &|d| {
            let row = d.data.tables[0].rows[0].clone();
            d.data.tables[0].rows.push(row);
        },
        "31 dòng, bản gốc có 30 dòng",
    );
    differs(
        &|d| {
            d.data.tables[3].columns[2].heading = "Tên khác".to_owned();
        },
        "Không tìm thấy bảng “Khoảng thời gian”",
    );
    // Raw intervals on the second sheet count as well.
    differs(
        &|d| {
            let raw = d
                .data
                .tables
                .iter_mut()
                .find(|t| t.name == "Khoảng thời gian")
                .unwrap();
            raw.rows[0][4] = Cell::DateTime(common::START);
        },
        "Trang tính “Khoảng thời gian”",
    );
}

#[test]
fn a_sorted_sheet_holds_the_same_data() {
    let sheet = document(30).seal().unwrap();
    let mut sorted = document(30);
    sorted.data.tables[0].rows.reverse();
    sorted.data.tables[0].marks.clear();
    let sorted = sorted.seal().unwrap();
    for file in [
        xlsx::write(&sorted).unwrap(),
        csv::write(&sorted, CsvOptions::default()).unwrap(),
    ] {
        let kept = Kept::of(&sheet, b"the first file");
        assert_eq!(
            judge(&file, &kept.record()),
            Ok(Verdict::SameDataResaved { reordered: true })
        );
    }
}

#[test]
fn another_export_is_unknown() {
    let sheet = document(3).seal().unwrap();
    let mut other = document(3);
    other.export.id = "SOMETHING-ELSE".to_owned();
    let other = other.seal().unwrap();
    for (_, file) in every_format(&other) {
        let kept = Kept::of(&sheet, b"the first file");
        assert_eq!(judge(&file, &kept.record()), Ok(Verdict::Unknown));
    }
    let kept = Kept::of(&sheet, b"the first file");
    assert_eq!(
        judge(b"a,b\r\n1,2\r\n", &kept.record()),
        Ok(Verdict::Unknown)
    );
    assert_eq!(judge(b"{\"a\":1}", &kept.record()), Ok(Verdict::Unknown));
}

/// What a program that signs adds: the catalogue with a form, the page with an
/// annotation, the signature.
fn update(file: &[u8], body: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(file);
    let at = text.rfind("/Root ").unwrap();
    let root = text[at + 6..].split('R').next().unwrap();
    let mut signed = file.to_vec();
    signed.extend_from_slice(body.as_bytes());
    let end = format!("xref\n0 1\ntrailer\n<< /Root {root}R >>\nstartxref\n0\n%%EOF\n");
    signed.extend_from_slice(end.as_bytes());
    signed
}

fn object_with(file: &[u8], what: &str) -> (String, String) {
    let text = String::from_utf8_lossy(file).into_owned();
    for (at, _) in text.match_indices(" 0 obj") {
        let body = &text[at..];
        let body = &body[..body.find("endobj").unwrap_or(body.len())];
        let flat = body.split_whitespace().collect::<Vec<_>>().join(" ");
        if flat.contains(what) {
            let number = text[..at]
                .rsplit(|c: char| !c.is_ascii_digit())
                .next()
                .unwrap();
            return (number.to_owned(), body[" 0 obj".len()..].to_owned());
        }
    }
    panic!("no {what}");
}

#[test]
fn a_signature_behind_a_pdf_leaves_it_genuine_and_other_additions_do_not() {
    let sheet = document(5).seal().unwrap();
    let file = pdf::write(&sheet).unwrap();
    let kept = Kept::of(&sheet, &file);
    let signature = "9000 0 obj\n<< /Type /Sig /ByteRange [0 10 20 30] /Contents <00> >>\nendobj\n";
    assert_eq!(
        judge(&update(&file, signature), &kept.record()),
        Ok(Verdict::GenuineSigned)
    );
    let (number, page) = object_with(&file, "/Type/Page/");
    let annotated = page.replacen("/Contents", "/Annots [9000 0 R] /Contents", 1);
    let body = format!("{signature}{number} 0 obj{annotated}endobj\n");
    assert_eq!(
        judge(&update(&file, &body), &kept.record()),
        Ok(Verdict::GenuineSigned)
    );
    let other = page.replacen("/Contents ", "/Contents 9", 1);
    let twice = page.replacen("/Contents ", "/X<</Contents 1 0 R>>/Contents ", 1);
    let twice = format!("{signature}{number} 0 obj{twice}endobj\n");
    let coded = page.replacen("/Contents ", "/Cont#65nts ", 1);
    let coded = format!("{signature}{number} 0 obj{coded}endobj\n");
    let odd = format!("{signature}{number}\n0 % x\nobj<<>>endobj\n");
    let root = format!("{signature}trailer << /Root 9009 0 R >>\n");
    let swapped = format!("{signature}{number} 0 obj{other}endobj\n");
    let stream = {
        let at = page.find("/Contents ").unwrap() + "/Contents ".len();
        page[at..].split(' ').next().unwrap().to_owned()
    };
    let replaced =
        format!("{signature}{stream} 0 obj\n<< /Length 0 >>\nstream\nendstream\nendobj\n");
    let packed = format!("{signature}9001 0 obj\n<< /Type /ObjStm >>\nendobj\n");
    for (body, wanted) in [
        (swapped.as_str(), "đã thay nội dung các trang"),
        (replaced.as_str(), "đã thay nội dung các trang"),
        (packed.as_str(), "ở dạng nén"),
        (twice.as_str(), "đã thay nội dung các trang"),
        (root.as_str(), "đã thay nội dung các trang"),
        (coded.as_str(), "không kiểm tra được"),
        (odd.as_str(), "không kiểm tra được"),
        ("% a comment\n", "không phải là chữ ký số"),
    ] {
        let Ok(Verdict::Altered { differences }) = judge(&update(&file, body), &kept.record())
        else {
            panic!("{wanted}");
        };
        assert!(differences[0].contains(wanted), "{differences:?}");
    }
    // Cut off, it is no longer the file.
    assert!(matches!(
        judge(&file[..file.len() - 1], &kept.record()),
        Ok(Verdict::Altered { .. } | Verdict::Unknown)
    ));
}

fn rezip(file: &[u8], change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let mut part = old.by_index(i).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if let Some(bytes) = change(&name, bytes) {
            new.start_file(&name, zip::write::SimpleFileOptions::default())
                .unwrap();
            new.write_all(&bytes).unwrap();
        }
    }
    new.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_without_properties_is_found_by_its_small_print() {
    let sheet = document(4).seal().unwrap();
    let file = xlsx::write(&sheet).unwrap();
    let bare = rezip(&file, |name, bytes| {
        (name != "docProps/custom.xml").then_some(bytes)
    });
    let found = inspect(&bare).unwrap();
    assert_eq!(found.export_id.as_deref(), Some("LH-BUOI3-0001"));
    let kept = Kept::of(&sheet, &file);
    assert_eq!(
        judge(&bare, &kept.record()),
        Ok(Verdict::SameDataResaved { reordered: false })
    );
}

#[test]
fn files_that_would_swell_are_refused() {
    let sheet = document(4).seal().unwrap();
    let file = xlsx::write(&sheet).unwrap();
    let zeros = vec![b' '; 300 * 1024 * 1024];
    let bomb = rezip(&file, |name, bytes| {
        Some(if name == "xl/theme/theme1.xml" {
            zeros.clone()
        } else {
            bytes
        })
    });
    assert!(bomb.len() < 2 * 1024 * 1024);
    assert_eq!(inspect(&bomb), Err(Refused::TooLarge));
    assert_eq!(inspect(&vec![b'a'; MAX_FILE + 1]), Err(Refused::TooLarge));
    // A cell at the far corner claims a sheet no memory holds.
    let corner = rezip(&file, |name, bytes| {
        Some(if name == "xl/worksheets/sheet2.xml" {
            String::from_utf8(bytes)
                .unwrap()
                .replace(
                    "<sheetData>",
                    "<sheetData><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
                )
                .into_bytes()
        } else {
            bytes
        })
    });
    let kept = Kept::of(&sheet, &file);
    let _ = judge(&corner, &kept.record());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_check_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), start in 0..6_usize) {
        let starts: [&[u8]; 6] = [b"", b"PK\x03\x04", b"%PDF-1.7 ", b"{", b"<!DOCTYPE html>", b"STT,"];
        let mut file = starts[start].to_vec();
        file.extend_from_slice(&bytes);
        let sheet = document(1).seal().unwrap();
        let kept = Kept::of(&sheet, b"x");
        let _ = inspect(&file);
        let _ = judge(&file, &kept.record());
    }

    #[test]
    fn no_damage_passes_for_the_file(format in 0..5_usize, at in 0.0..1.0_f64, byte in any::<u8>(), cut in any::<bool>()) {
        let sheet = document(6).seal().unwrap();
        let (_, file) = every_format(&sheet).swap_remove(format);
        let kept = Kept::of(&sheet, &file);
        let place = (file.len() as f64 * at) as usize;
        let mut damaged = file.clone();
        if cut {
            damaged.truncate(place);
        } else {
            damaged[place.min(file.len() - 1)] = byte;
        }
        let verdict = judge(&damaged, &kept.record());
        if damaged == file {
            prop_assert_eq!(verdict, Ok(Verdict::GenuineUnchanged));
        } else {
            prop_assert!(!matches!(verdict, Ok(Verdict::GenuineUnchanged | Verdict::GenuineSigned)));
        }
    }

    #[test]
    fn any_text_goes_through_every_format(texts in prop::collection::vec(any::<String>(), 0..6), long in 0..3_000_usize) {
        let mut document = document(2);
        for text in texts.iter().cloned().chain([format!("{}Ễ", "Ễ".repeat(long))]) {
            let table = &mut document.data.tables[0];
            let mut row = vec![Cell::Text(text.clone()); table.columns.len()];
            row[1] = Cell::Identifier(text.clone());
            table.rows.push(row);
            document.data.foot.push(text.clone());
            document.data.unit = text;
        }
        let sheet = document.clone().seal().unwrap();
        let again = resaved(document);
        for (format, file) in every_format(&again) {
            let kept = Kept::of(&sheet, b"the first file");
            let verdict = judge(&file, &kept.record()).unwrap();
            if !matches!(format, Format::Pdf | Format::Html) {
                prop_assert!(matches!(verdict, Verdict::SameDataResaved { .. }), "{:?} {:?}", format, verdict);
            }
        }
    }
}
