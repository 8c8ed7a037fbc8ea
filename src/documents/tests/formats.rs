//! What comes out of each format, read back by other eyes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)] // helpers of tests

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};

use calamine::{Data as Value, Reader as _, Xlsx};
use lophoc_documents::csv::{CsvOptions, Delimiter};
use lophoc_documents::sheets::SessionOptions;
use lophoc_documents::{
    Cell, Column, ColumnKind, Document, Orientation, Place, SealError, Sealed, Table, csv, html,
    json, pdf, xlsx,
};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

fn session(count: usize) -> Sealed {
    common::session_document(count, SessionOptions::default())
        .seal()
        .unwrap()
}

fn sheet(bytes: &[u8], index: usize) -> Vec<Vec<Value>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let name = book.sheet_names()[index].clone();
    let range = book.worksheet_range(&name).unwrap();
    range.rows().map(<[Value]>::to_vec).collect()
}

fn pdf_text(bytes: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("pdftotext of poppler-utils: scripts/packages.sh test installs it");
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn position(rows: &[Vec<Value>], text: &str) -> (usize, usize) {
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            if matches!(cell, Value::String(s) if s == text) {
                return (row, column);
            }
        }
    }
    panic!("{text} not found");
}

#[test]
fn a_workbook_keeps_types_zeros_and_order() {
    let sheet_of = session(118);
    let bytes = xlsx::write(&sheet_of).unwrap();
    let rows = sheet(&bytes, 0);
    let (head, first) = position(&rows, "STT");
    assert_eq!(first, 0);
    let headings: Vec<String> = rows[head].iter().map(ToString::to_string).collect();
    assert_eq!(
        headings,
        [
            "STT",
            "Mã định danh",
            "Họ và tên",
            "Ngày sinh",
            "Chức vụ",
            "Đơn vị công tác",
            "Chức danh nghề nghiệp",
            "=Cỡ áo",
            "Hình thức",
            "Điểm cầu",
            "Giờ vào",
            "Giờ ra",
            "Số lần vào/ra",
            "Tổng thời gian (phút)",
            "Tỷ lệ (%)",
            "Kết quả",
            "Ghi chú",
            "Chữ ký"
        ]
    );
    let row = &rows[head + 1];
    let column = |name: &str| headings.iter().position(|h| h == name).unwrap();
    let Value::String(code) = &row[column("Mã định danh")] else {
        panic!("an identifier must be text: {row:?}");
    };
    assert!(code.len() == 12 && code.starts_with('0'), "{code}");
    assert_eq!(row[column("STT")], Value::Float(1.0));
    let Value::DateTime(born) = &row[column("Ngày sinh")] else {
        panic!("a birthday must be a date: {row:?}");
    };
    assert_eq!(born.as_f64().fract(), 0.0);
    let Value::DateTime(entered) = &row[column("Giờ vào")] else {
        panic!("{row:?}");
    };
    // 07:30 and some seconds on 6 September 2026, local time.
    let expected = 46_271.0 + (7.0 * 60.0 + 30.0) / 1_440.0;
    assert!(
        (0.0..60.0 / 86_400.0).contains(&(entered.as_f64() - expected)),
        "{entered:?}"
    );
    let Value::Float(minutes) = row[column("Tổng thời gian (phút)")] else {
        panic!("{row:?}");
    };
    assert_eq!(minutes.fract(), 0.0);
    assert!(
        matches!(row[column("Tỷ lệ (%)")], Value::Float(share) if (0.0..=1.0).contains(&share))
    );
    // The sentence under the sheet, with zeros in front.
    let foot = rows
        .iter()
        .flatten()
        .map(ToString::to_string)
        .find(|text| text.starts_with("Danh sách này có 118 người; có mặt "))
        .unwrap();
    assert!(
        foot.contains("không phép 05)") && foot.contains("Tỷ lệ tham dự bình quân "),
        "{foot}"
    );
    // Corrections stand on the first sheet, old and new.
    let (at, _) = position(&rows, "Danh sách điều chỉnh");
    let listed: Vec<String> = rows[at + 2].iter().map(ToString::to_string).collect();
    assert!(listed.contains(&"Vắng K".to_owned()), "{listed:?}");
    assert!(
        listed.contains(&"Có mặt – trực tiếp".to_owned()),
        "{listed:?}"
    );
    assert!(listed.contains(&"Lê Thị Ân".to_owned()), "{listed:?}");
    // Raw intervals second, codes third.
    let book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(
        book.sheet_names(),
        [
            "Điểm danh",
            "Khoảng thời gian",
            "Ký hiệu",
            "Giá trị tự động"
        ]
    );
}

#[test]
fn a_workbook_has_head_view_and_paper_as_clerks_want_them() {
    let bytes = xlsx::write(&session(30)).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut part = |name: &str| std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
    let page = part("xl/worksheets/sheet1.xml");
    for wanted in [
        "state=\"frozen\"",
        "<autoFilter ",
        "paperSize=\"9\"",
        "orientation=\"landscape\"",
        "fitToHeight=\"0\"",
        "<oddHeader>",
        "<mergeCell ",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(!page.contains("<f>"), "no cell is a formula");
    let book = part("xl/workbook.xml");
    assert!(
        book.contains("_xlnm.Print_Titles") && book.contains("_xlnm.Print_Area"),
        "{book}"
    );
    assert!(part("xl/styles.xml").contains("Times New Roman"));
    let custom = part("docProps/custom.xml");
    for wanted in [
        "LophocExportId",
        "LH-BUOI3-0001",
        "LophocDataSha256",
        "LophocVersion",
    ] {
        assert!(custom.contains(wanted), "{wanted}");
    }
}

#[test]
fn names_may_stand_in_two_columns() {
    let options = SessionOptions {
        split_names: true,
        without_signatures: true,
    };
    let sealed = common::session_document(24, options).seal().unwrap();
    let table = sealed.data().main().unwrap();
    let headings: Vec<&str> = table.columns.iter().map(|c| c.heading.as_str()).collect();
    assert_eq!(&headings[2..4], ["Họ và tên đệm", "Tên"]);
    assert!(!headings.contains(&"Chữ ký"));
    let given: Vec<_> = table.rows.iter().map(|row| row[3].clone()).collect();
    assert!(given.contains(&Cell::Text("Niê".to_owned())));
    // The marks follow the columns.
    for mark in &table.marks {
        let heading = headings[mark.column as usize];
        assert!(["Hình thức", "Kết quả"].contains(&heading), "{heading}");
    }
}

#[test]
fn csv_is_what_a_spreadsheet_expects() {
    let sealed = session(20);
    for delimiter in Delimiter::ALL {
        for identifiers_as_text in [true, false] {
            let bytes = csv::write(
                &sealed,
                CsvOptions {
                    delimiter,
                    identifiers_as_text,
                    with_id: false,
                },
            )
            .unwrap();
            assert!(bytes.starts_with(&[0xef, 0xbb, 0xbf]));
            let text = std::str::from_utf8(&bytes[3..]).unwrap();
            assert!(!text.starts_with("sep="));
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
            assert_eq!(text.lines().count(), 21);
            let wanted = if identifiers_as_text {
                "\"=\"\"0480"
            } else {
                "0480"
            };
            assert!(text.contains(wanted), "{text}");
            let mut reader = ::csv::ReaderBuilder::new()
                .delimiter(delimiter.byte())
                .from_reader(text.as_bytes());
            let widths: Vec<usize> = reader.records().map(|r| r.unwrap().len()).collect();
            assert!(widths.iter().all(|w| *w == 18), "{widths:?}");
        }
    }
}

/// A sheet with one column of texts from outside.
pub fn texts(texts: &[&str]) -> Document {
    let mut document = common::session_document(0, SessionOptions::default());
    let mut table = Table::new(
        "Thử",
        Place::Main,
        vec![
            Column::new("Văn bản", ColumnKind::Text),
            Column::new("Mã", ColumnKind::Identifier),
        ],
    );
    for text in texts {
        table.rows.push(vec![
            Cell::Text((*text).to_owned()),
            Cell::Identifier((*text).to_owned()),
        ]);
    }
    document.data.tables = vec![table];
    document
}

#[test]
fn no_text_becomes_a_formula_or_an_element() {
    let hostile = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1",
        "'=1",
        "<script>alert(1)</script>",
        "\" onload=\"x",
        "a\u{0}b\u{202e}c",
        "001",
        "1E5",
    ];
    let sealed = texts(&hostile).seal().unwrap();
    let bytes = csv::write(&sealed, CsvOptions::default()).unwrap();
    let mut reader = ::csv::ReaderBuilder::new().from_reader(&bytes[3..]);
    for record in reader.records() {
        for cell in record.unwrap().iter() {
            let text_formula = cell.len() > 3
                && cell.starts_with("=\"")
                && cell[2..cell.len() - 1]
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric());
            assert!(
                text_formula || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
                "{cell:?}"
            );
        }
    }
    let page = html::write(&sealed);
    assert!(!page.contains("<script") && !page.contains("onload=\"x"));
    assert!(page.contains("&lt;script&gt;"));
    let rows = sheet(&xlsx::write(&sealed).unwrap(), 0);
    for text in ["=HYPERLINK(\"http://x\",\"y\")", "+1+1", "001", "abc"] {
        position(&rows, text);
    }
}

#[test]
fn a_page_to_print_needs_nothing_else() {
    let page = html::write(&session(12));
    for wanted in [
        "lang=\"vi\"",
        "@page { size: A4 landscape",
        "default-src 'none'",
        "min-width: 25mm",
        "table-header-group",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "ngày 06 tháng 9 năm 2026",
        "07 giờ 30 – 11 giờ 00, ngày 06/9/2026",
        "Số: …/DS-SGDĐT",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    for outside in ["src=", "href=", "url(", "@import", "http"] {
        let page = page.replace("http-equiv", "");
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn own_fields_stand_at_the_head_and_in_columns_of_every_format() {
    for document in [
        common::session_document(9, SessionOptions::default()),
        common::class_document(9, 12),
    ] {
        let of_session = document.data.kind == lophoc_documents::Kind::Session;
        let head = "Báo cáo viên mời: TS. Phan Thị Lụa";
        let sealed = document.seal().unwrap();
        let rows = sheet(&xlsx::write(&sealed).unwrap(), 0);
        let (heading, column) = position(&rows, "=Cỡ áo");
        assert_eq!(
            position(&rows, "Chức danh nghề nghiệp"),
            (heading, column - 1)
        );
        let filled = |cell: &str| {
            let of = |row: &&Vec<Value>| matches!(&row[column], Value::String(s) if s == cell);
            rows.iter().filter(of).count()
        };
        // Every third of the nine has none.
        assert_eq!(filled("=1+1"), 6);
        let is = |cell: &Value| matches!(cell, Value::String(s) if s == head);
        assert_eq!(rows.iter().flatten().any(is), of_session);
        let page = html::write(&sealed);
        assert_eq!(page.contains(head), of_session);
        assert!(page.contains("Giáo viên THCS hạng III"));
        let words: String = pdf_text(&pdf::write(&sealed).unwrap())
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(words.contains(head), of_session, "{words}");
        assert!(words.contains("=1+1"));
        let data = String::from_utf8(json::write(&sealed, None).unwrap()).unwrap();
        assert_eq!(data.contains(head), of_session);
        assert!(data.contains("Giáo viên THCS hạng II"));
        let bytes = csv::write(&sealed, CsvOptions::default()).unwrap();
        let text = std::str::from_utf8(&bytes[3..]).unwrap();
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut guarded = 0;
        for record in reader.records() {
            for cell in record.unwrap().iter() {
                assert!(!cell.starts_with("=1") && !cell.starts_with("=C"), "{cell}");
                guarded += usize::from(cell.ends_with("=1+1") || cell.ends_with("=Cỡ áo"));
            }
        }
        assert_eq!(guarded, 7);
    }
}

#[test]
fn the_longest_own_fields_fit_on_paper() {
    let mut document = common::class_document(3, 30);
    let table = &mut document.data.tables[0];
    let at = table
        .columns
        .iter()
        .position(|column| column.heading == "=Cỡ áo")
        .unwrap();
    table.columns[at].heading = "tên dài ".repeat(12);
    table.rows[0][at] = Cell::text("chữ ".repeat(75));
    // What would be longer than a page is cut, and shows it.
    table.rows[1][at] = Cell::text("dòng ".repeat(200));
    let text = pdf_text(&pdf::write(&document.seal().unwrap()).unwrap());
    assert_eq!(text.matches("chữ").count(), 75, "{text}");
    assert!(
        text.contains("dòng…") || text.matches("dòng").count() == 200,
        "{text}"
    );
    assert!(text.contains("NGƯỜI LẬP BIỂU"));
}

#[test]
fn a_pdf_holds_its_text_in_composed_form() {
    let sealed = session(118);
    let bytes = pdf::write(&sealed).unwrap();
    let text = pdf_text(&bytes);
    assert!(is_nfc(&text));
    let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "DANH SÁCH ĐIỂM DANH NGƯỜI HỌC",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Đà Nẵng, ngày 06 tháng 9 năm 2026",
        "Danh sách này có 118 người",
        "NGƯỜI LẬP BIỂU",
        "(Ký, ghi rõ họ tên)",
        "LH-BUOI3-0001",
        "bản chốt số 02",
    ] {
        assert!(words.contains(wanted), "{wanted}");
    }
    assert!(words.contains(sealed.data_sha256()));
    // Every word of the sheet is there.
    let found: std::collections::HashSet<&str> = words.split(' ').collect();
    for row in &sealed.data().main().unwrap().rows {
        for cell in row {
            for word in lophoc_documents::on_paper(cell, 420).split_whitespace() {
                let marked = format!("{word}*");
                assert!(
                    found.contains(word) || found.contains(marked.as_str()),
                    "{word}"
                );
            }
        }
    }
    // Pages are numbered from the second on, the heading is repeated.
    let pages: Vec<&str> = text
        .split('\u{c}')
        .filter(|p| !p.trim().is_empty())
        .collect();
    assert!(pages.len() > 5);
    assert_ne!(pages[0].trim_start().lines().next().unwrap().trim(), "1");
    for (index, page) in pages.iter().enumerate().skip(1) {
        let first = page.trim_start().lines().next().unwrap().trim();
        assert_eq!(first, (index + 1).to_string());
    }
    assert!(pages[1].contains("STT") && pages[2].contains("STT"));
}

#[test]
fn places_to_sign_stand_with_two_rows_at_least() {
    for count in 1..45 {
        let mut document = common::session_document(count, SessionOptions::default());
        document
            .data
            .tables
            .retain(|table| table.place != Place::Annex);
        let text = pdf_text(&pdf::write(&document.seal().unwrap()).unwrap());
        let page = text
            .split('\u{c}')
            .find(|page| page.contains("NGƯỜI LẬP BIỂU"))
            .unwrap();
        assert!(page.contains("THỦ TRƯỞNG ĐƠN VỊ"));
        let from = count.saturating_sub(1).max(1);
        for no in from..=count {
            let start = format!("{no} ");
            assert!(
                page.lines()
                    .any(|line| line.trim_start().starts_with(&start)),
                "{no} of {count} is not beside the signatures:\n{page}"
            );
        }
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    for (name, document) in common::all() {
        let (one, two) = (document.clone().seal().unwrap(), document.seal().unwrap());
        assert_eq!(one.data_sha256(), two.data_sha256());
        assert_eq!(
            xlsx::write(&one).unwrap(),
            xlsx::write(&two).unwrap(),
            "{name}"
        );
        assert_eq!(
            pdf::write(&one).unwrap(),
            pdf::write(&two).unwrap(),
            "{name}"
        );
        assert_eq!(html::write(&one), html::write(&two), "{name}");
    }
}

#[test]
fn the_hash_is_of_the_data_and_not_of_the_export() {
    let one = common::session_document(9, SessionOptions::default());
    let mut other = one.clone();
    other.export.id = "ANOTHER-EXPORT-1".to_owned();
    other.export.made_ms += 1_000_000;
    other.export.version = None;
    other.head.number = None;
    let mut changed = one.clone();
    changed.data.tables[0].rows[0][2] = Cell::text("Người Khác");
    let hash = |document: Document| document.seal().unwrap().data_sha256().to_owned();
    let own = hash(one);
    assert_eq!(own, hash(other));
    assert_ne!(own, hash(changed));
}

#[test]
fn empty_and_huge_sheets_are_written() {
    for orientation in [Orientation::Fitting, Orientation::Portrait] {
        let mut document = common::session_document(0, SessionOptions::default());
        document.orientation = orientation;
        let sealed = document.seal().unwrap();
        assert!(pdf_text(&pdf::write(&sealed).unwrap()).contains("Danh sách này có 0 người"));
        xlsx::write(&sealed).unwrap();
        csv::write(&sealed, CsvOptions::default()).unwrap();
    }
    let sealed = session(5_000);
    let pdf = pdf::write(&sealed).unwrap();
    assert!(pdf.len() < 24 * 1024 * 1024, "{}", pdf.len());
    let rows = sheet(&xlsx::write(&sealed).unwrap(), 0);
    assert!(rows.len() > 5_000);
    assert!(html::write(&sealed).len() < 8 * 1024 * 1024);
}

#[test]
fn a_document_out_of_bounds_is_refused() {
    let base = || common::session_document(1, SessionOptions::default());
    let mut document = base();
    document.export.id = "a b".to_owned();
    assert_eq!(document.seal().unwrap_err(), SealError::ExportId);
    let mut document = base();
    document.data.tables.remove(0);
    assert_eq!(document.seal().unwrap_err(), SealError::MainTable);
    let mut document = base();
    document.data.tables[0].columns = (0..151)
        .map(|i| Column::new(i.to_string(), ColumnKind::Text))
        .collect();
    assert!(matches!(
        document.seal(),
        Err(SealError::TooMany {
            what: "columns",
            ..
        })
    ));
    let mut document = base();
    document.signatures = vec![lophoc_documents::Signature::default(); 4];
    assert!(matches!(
        document.seal(),
        Err(SealError::TooMany {
            what: "signatures",
            ..
        })
    ));
}

#[test]
fn json_follows_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!(
        "../../../docs/exports/lophoc.export-1.schema.json"
    ))
    .unwrap();
    for (name, document) in common::all() {
        let sealed = document.seal().unwrap();
        let bytes = json::write(&sealed, Some(serde_json::json!({"any": [1]}))).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        fits(&value, &schema, &schema, name);
        let back: json::File = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back.data.canonical(), sealed.canonical());
    }
}

/// The part of JSON Schema that the file uses.
fn fits(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value, at: &str) {
    use serde_json::Value as V;
    if let Some(V::String(reference)) = schema.get("$ref") {
        let name = reference.strip_prefix("#/$defs/").unwrap();
        return fits(value, &root["$defs"][name], root, at);
    }
    if let Some(V::Array(options)) = schema.get("oneOf") {
        let good = options
            .iter()
            .filter(|option| std::panic::catch_unwind(|| fits(value, option, root, at)).is_ok())
            .count();
        assert_eq!(good, 1, "{at}: {value}");
        return;
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    if let Some(V::Array(allowed)) = schema.get("enum") {
        assert!(allowed.contains(value), "{at}: {value}");
    }
    match schema.get("type").and_then(V::as_str) {
        Some("object") => {
            let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            let properties = schema["properties"].as_object().unwrap();
            for key in schema
                .get("required")
                .and_then(V::as_array)
                .into_iter()
                .flatten()
            {
                assert!(object.contains_key(key.as_str().unwrap()), "{at}: {key}");
            }
            for (key, inner) in object {
                let known = properties
                    .get(key)
                    .unwrap_or_else(|| panic!("{at}: unknown {key}"));
                fits(inner, known, root, &format!("{at}.{key}"));
            }
        }
        Some("array") => {
            for inner in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")) {
                fits(inner, &schema["items"], root, at);
            }
        }
        Some("string") => assert!(value.is_string(), "{at}: {value}"),
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
        _ => {}
    }
}

#[test]
fn every_sheet_says_what_it_is_for() {
    let titles: BTreeMap<&str, String> = common::all()
        .into_iter()
        .map(|(name, document)| (name, document.data.title))
        .collect();
    assert_eq!(titles["chuyen-can"], "BẢNG TỔNG HỢP CHUYÊN CẦN");
    assert_eq!(titles["diem-cau"], "THÀNH PHẦN THAM DỰ THEO ĐIỂM CẦU");
    for (name, document) in common::all() {
        let sealed = document.seal().unwrap();
        let texts = sealed.canonical();
        assert_eq!(texts, texts.nfc().collect::<String>(), "{name}");
        assert!(!sealed.data().foot.is_empty(), "{name}");
    }
}
