//! Rosters from files, end to end: bytes to preview to what is written.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::import::{
    Coding, ImportWrite, KnownPeople, OnRoster, Prepared, Refused, Sheet, TemplateRow, decide,
    fill, mask, preview, read_roster, roster_file, template_file,
};
use lophoc_classes::{
    Day, Gender, Identifier, IdentifierKind, ImportAction, ImportApply, Person, PersonForm,
    RosterState, UnitId,
};
use lophoc_ledger::{PersonKey, match_name};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

fn today() -> Day {
    "2026-11-22".parse().unwrap()
}

fn read(bytes: &[u8]) -> Result<Sheet, Refused> {
    read_roster(bytes, "danh-sach", today(), &mut |_, _, _| true)
}

fn compare(sheet: &Sheet, known: &KnownPeople) -> Prepared {
    preview(sheet, known, &mut |_, _, _| true).unwrap()
}

fn csv(rows: &[&str]) -> Sheet {
    read(rows.join("\n").as_bytes()).unwrap()
}

fn id(kind: IdentifierKind, value: &str) -> Identifier {
    Identifier {
        kind,
        issuer: String::new(),
        value: value.to_owned(),
    }
}

fn person(key: &str, name: &str, born: &str, unit: &str, ids: Vec<Identifier>) -> Person {
    Person {
        id: PersonKey::from(key),
        form: PersonForm {
            name: name.to_owned(),
            born: born.parse().ok(),
            unit_text: unit.to_owned(),
            identifiers: ids,
            ..PersonForm::default()
        },
        unit_name: unit.to_owned(),
    }
}

fn known(people: Vec<Person>, on_roster: &[&str]) -> KnownPeople {
    let row = OnRoster {
        state: RosterState::Official,
        site: false,
        note: String::new(),
    };
    KnownPeople {
        people,
        roster: on_roster
            .iter()
            .map(|key| (PersonKey::from(*key), row.clone()))
            .collect(),
        ..KnownPeople::default()
    }
}

fn actions(prepared: &Prepared) -> Vec<ImportAction> {
    let rows = prepared.preview.rows.iter();
    rows.map(|row| row.action).collect()
}

const HEAD: &str =
    "STT,Mã định danh,Số định danh cá nhân,Mã giáo viên,Họ và tên,Ngày sinh,Đơn vị công tác";

#[test]
fn the_template_has_all_columns_and_its_example_is_no_person() {
    let bytes = template_file().unwrap();
    assert_eq!(read(&bytes), Err(Refused::NoRows));
    assert_eq!(bytes, template_file().unwrap(), "the same bytes again");
}

#[test]
fn a_workbook_as_offices_send_it() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Bìa").unwrap();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "SỞ GIÁO DỤC VÀ ĐÀO TẠO").unwrap();
    sheet.write_string(2, 2, "DANH SÁCH HỌC VIÊN").unwrap();
    let headings = [
        "TT",
        "Họ và tên",
        "",
        "Ngày, tháng, năm sinh",
        "Số CCCD",
        "Trường",
        "SĐT",
    ];
    for (column, text) in (0..).zip(headings) {
        sheet.write_string(4, column, text).unwrap();
        sheet
            .write_string(5, column, format!("({})", column + 1))
            .unwrap();
    }
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let born = ExcelDateTime::from_ymd(1985, 9, 6).unwrap();
    for (row, rest, given) in [
        (6, "Nguyễn Thị", "Hằng"),
        (7, "TRẦN ĐÌNH", "ĐỨC"),
        (8, "Y Moan", "Êban"),
    ] {
        sheet.write_number(row, 0, row - 5).unwrap();
        sheet.write_string(row, 1, rest).unwrap();
        sheet.write_string(row, 2, given).unwrap();
        sheet
            .write_datetime_with_format(row, 3, &born, &date)
            .unwrap();
        sheet
            .write_number(row, 4, 1_085_000_000.0 + f64::from(row))
            .unwrap();
        sheet
            .write_formula(
                row,
                5,
                Formula::new("\"Trường \"&\"A\"").set_result("Trường A"),
            )
            .unwrap();
        sheet
            .write_number(row, 6, 912_000_000.0 + f64::from(row))
            .unwrap();
    }
    sheet
        .write_string(9, 1, "Danh sách này có 03 người./.")
        .unwrap();
    sheet
        .write_string(11, 5, "Hà Nội, ngày 06 tháng 9 năm 2026")
        .unwrap();
    sheet.write_string(12, 5, "GIÁM ĐỐC").unwrap();
    let sheet = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(sheet.encoding, "xlsx");
    let names: Vec<&str> = sheet
        .entries
        .iter()
        .map(|entry| entry.form.name.as_str())
        .collect();
    assert_eq!(names, ["Nguyễn Thị Hằng", "Trần Đình Đức", "Y Moan Êban"]);
    let first = &sheet.entries[0];
    assert_eq!(
        (first.line, first.form.born),
        (7, "1985-09-06".parse().ok())
    );
    assert_eq!(
        first.form.identifiers,
        [id(IdentifierKind::Personal, "001085000006")]
    );
    assert_eq!(first.form.unit_text, "Trường A");
    assert_eq!(first.form.phone, "0912000006");
    assert!(first.errors.is_empty());
    assert_eq!(
        first.warnings[0].0, "Số CCCD",
        "the zeros were lost and are back"
    );
    assert_eq!(
        sheet.columns[1..3],
        [
            ("Họ và tên".to_owned(), "rest".to_owned()),
            ("Họ và tên".to_owned(), "given".to_owned())
        ]
    );
}

#[test]
fn letters_of_old_fonts_inside_a_workbook_become_unicode() {
    let rows = [
        ("Hä vµ tªn", "§¬n vÞ c«ng t¸c", "Ngµy sinh"),
        (
            "NguyÔn ThÞ H»ng",
            "Tr\u{ad}êng THCS NguyÔn Du",
            "06/09/1985",
        ),
        ("TrÇn §×nh §øc", "Tr\u{ad}êng THCS Lª Lîi", "07/09/1985"),
    ];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, (name, unit, born)) in (0..).zip(rows) {
        for (column, text) in (0..).zip([name, unit, born]) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    let sheet = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(sheet.encoding, "tcvn3");
    assert_eq!(sheet.entries[0].form.name, "Nguyễn Thị Hằng");
    assert_eq!(sheet.entries[1].form.unit_text, "Trường THCS Lê Lợi");

    let text = "Hoï vaø teân;Ngaøy sinh\nNguyeãn Thò Haèng;06/09/1985\nTraàn Ñình Ñöùc;1/2/1990\n";
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let sheet = read(&bytes).unwrap();
    assert_eq!(
        (sheet.encoding.as_str(), sheet.entries[1].form.name.as_str()),
        ("vni", "Trần Đình Đức")
    );
    let bytes: Vec<u8> = "Hä vµ tªn;Ngµy sinh\nNguyÔn ThÞ H»ng;06/09/1985\n"
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    assert_eq!(read(&bytes).unwrap().encoding, "tcvn3");
}

#[test]
fn files_that_are_no_rosters_are_refused_in_vietnamese() {
    let bomb = {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("xl/workbook.xml", options).unwrap();
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..200 {
            std::io::Write::write_all(&mut zip, &zeros).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    assert!(bomb.len() < 1 << 20);
    let mut docx = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    docx.start_file(
        "word/document.xml",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    let docx = docx.finish().unwrap().into_inner();
    let template = template_file().unwrap();
    let rows = "An\n".repeat(20_001);
    for (bytes, refused) in [
        (&b""[..], Refused::Empty),
        (&[0xd0, 0xcf, 0x11, 0xe0, 0xa1], Refused::OldExcel),
        (b"%PDF-1.7", Refused::NotATable),
        (b"<html><body>", Refused::Html),
        (b"Ho va ten\n", Refused::NoHeading),
        (b"STT,Ho va ten\n", Refused::NoRows),
        (b"a,b,c\n1,2,3\n", Refused::NoHeading),
        (&bomb, Refused::TooLarge),
        (&docx, Refused::NotXlsx),
        (&template[..template.len() / 2], Refused::Broken),
        (&vec![b'a'; 9 << 20], Refused::TooLarge),
        (rows.as_bytes(), Refused::TooManyRows),
        (
            b"Ho va ten;Ngay sinh\n\xbf\xbf\xd7\xf7 \xa7\xa7\xae \xb6\xb6\xb6 \xff\xff;1\n",
            Refused::Letters,
        ),
    ] {
        let got = read(bytes).unwrap_err();
        assert_eq!(got, refused);
        assert!(got.to_string().ends_with('.'), "{got}");
    }
}

#[test]
fn a_cell_far_away_costs_nothing() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "Họ và tên").unwrap();
    sheet.write_string(0, 1, "Ngày sinh").unwrap();
    sheet.write_string(1_048_575, 0, "Nguyễn Văn An").unwrap();
    sheet.write_string(1_048_575, 1, "06/09/1985").unwrap();
    let entries = read(&book.save_to_buffer().unwrap()).unwrap().entries;
    assert_eq!((entries.len(), entries[0].line), (1, 1_048_576));
    let mut book = Workbook::new();
    book.add_worksheet().write_string(0, 16_383, "x").unwrap();
    assert_eq!(
        read(&book.save_to_buffer().unwrap()),
        Err(Refused::TooManyColumns)
    );
}

#[test]
fn errors_name_the_column_and_say_what_is_wrong() {
    let sheet = csv(&[
        HEAD,
        "1,,,,,06/09/1985,THCS A",
        "2,1.23E+11,,,Nguyễn Văn An,31/02/1985,THCS A",
        "3,,12345,,Trần Văn Bình,,THCS A",
        &format!("4,X1,,,Lê Văn Cường,,{}", "x".repeat(2_000)),
        "5,X2,,,Phạm Văn Dũng,06/09/1985,THCS A",
    ]);
    let errors: Vec<Vec<&str>> = sheet
        .entries
        .iter()
        .map(|entry| {
            entry
                .errors
                .iter()
                .map(|(heading, _)| heading.as_str())
                .collect()
        })
        .collect();
    assert_eq!(
        errors,
        [
            vec!["Họ và tên"],
            vec!["Ngày sinh", "Mã định danh"],
            vec!["Số định danh cá nhân"],
            vec!["Đơn vị công tác"],
            vec![]
        ]
    );
    let prepared = compare(&sheet, &KnownPeople::default());
    assert_eq!(
        (prepared.preview.counts.bad, prepared.preview.counts.new),
        (4, 1)
    );
    assert_eq!(decide(&prepared, &ImportApply::default()), None);
    let writes = decide(
        &prepared,
        &ImportApply {
            skip_bad: true,
            ..ImportApply::default()
        },
    )
    .unwrap();
    assert_eq!(writes.len(), 1);
}

#[test]
fn people_twice_in_a_file_are_refused_on_every_line() {
    let sheet = csv(&[
        HEAD,
        "1,X1,,,Nguyễn Văn An,06/09/1985,THCS A",
        "2,X1,,,Trần Văn Bình,,THCS A",
        "3,,,,Lê Thị Hoà,06/09/1985,THCS B",
        "4,,,,Lê Thị Hòa,06/09/1985,THCS B",
        "5,X5,,,Phạm Văn Dũng,06/09/1985,THCS C",
        "6,X6,,,Phạm Văn Dũng,06/09/1985,THCS C",
    ]);
    let count = |entry: usize| {
        (
            sheet.entries[entry].errors.len(),
            sheet.entries[entry].warnings.len(),
        )
    };
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(count),
        [(1, 0), (1, 0), (1, 0), (1, 0), (0, 1), (0, 1)]
    );
    assert_eq!(sheet.entries[0].errors[0].1, "Trùng với dòng 3.");
}

#[test]
fn matching_goes_by_sector_then_personal_then_local_identifier() {
    use IdentifierKind::{Local, Personal, Sector};
    let people = vec![
        person(
            "p1",
            "Nguyễn Văn An",
            "1985-09-06",
            "THCS A",
            vec![id(Sector, "X1"), id(Personal, "001085000001")],
        ),
        person(
            "p2",
            "Trần Văn Bình",
            "1986-09-06",
            "THCS A",
            vec![id(Personal, "001086000002")],
        ),
        person("p3", "Lê Văn Cường", "", "THCS A", vec![id(Local, "GV3")]),
    ];
    let known = known(people, &["p1"]);
    let sheet = csv(&[
        HEAD,
        "1,X1,,,Nguyễn Văn An,,THCS B",
        "2,X9,001086000002,,Trần Văn Bình,,",
        "3,,,GV3,LÊ VĂN CƯỜNG,,",
        "4,X10,,,Hoàng Hà,,",
    ]);
    let prepared = compare(&sheet, &known);
    use ImportAction::{Add, Change, New};
    assert_eq!(actions(&prepared), [Change, Add, Add, New]);
    let rows = &prepared.preview.rows;
    let by: Vec<&str> = rows.iter().map(|row| row.by.as_str()).collect();
    assert_eq!(by, ["sector", "personal", "local", ""]);
    assert_eq!(
        rows[0].diff,
        [("unit".to_owned(), "THCS A".to_owned(), "THCS B".to_owned())]
    );
    assert_eq!(
        rows[1].diff,
        [("sector".to_owned(), String::new(), "X9".to_owned())]
    );
    let writes = decide(&prepared, &ImportApply::default()).unwrap();
    let mut form = known.people[1].form.clone();
    let ImportWrite::Known {
        person, form: said, ..
    } = &writes[1]
    else {
        panic!("{writes:?}");
    };
    assert_eq!(person, &PersonKey::from("p2"));
    fill(&mut form, said);
    assert_eq!(
        form.identifiers,
        [id(Personal, "001086000002"), id(Sector, "X9")]
    );
    assert_eq!(
        form.born, known.people[1].form.born,
        "an empty cell deletes nothing"
    );
}

#[test]
fn identifiers_of_two_people_in_one_row_are_an_error() {
    use IdentifierKind::{Local, Personal, Sector};
    let people = vec![
        person(
            "p1",
            "Nguyễn Văn An",
            "",
            "",
            vec![id(Sector, "X1"), id(Personal, "001085000001")],
        ),
        person(
            "p2",
            "Nguyễn Văn An",
            "",
            "",
            vec![id(Personal, "001085000002"), id(Local, "GV2")],
        ),
    ];
    let known = known(people, &[]);
    for row in [
        "1,X1,001085000002,,Nguyễn Văn An,,",
        "1,X1,001085999999,,Nguyễn Văn An,,",
        "1,X1,,GV2,Nguyễn Văn An,,",
        "1,,,GV2,Trần Thị Bích,,",
    ] {
        let prepared = compare(&csv(&[HEAD, row]), &known);
        assert_eq!(actions(&prepared), [ImportAction::Bad], "{row}");
        assert!(
            prepared.preview.rows[0].errors[0].0.starts_with(['S', 'M']),
            "{row}"
        );
    }
    // One person by two rows.
    let sheet = csv(&[
        HEAD,
        "1,X1,,,Nguyễn Văn An,,A",
        "2,,001085000001,,Nguyễn Văn An,,B",
    ]);
    assert_eq!(actions(&compare(&sheet, &known)), [ImportAction::Bad; 2]);
}

#[test]
fn a_name_never_matches_by_itself() {
    let people = vec![
        person("p1", "Lê Thị Hòa", "1985-09-06", "Trường THCS A", vec![]),
        person(
            "p2",
            "Lê Thị Mai",
            "1985-09-06",
            "Trường THCS A",
            vec![id(IdentifierKind::Sector, "X2")],
        ),
        person("p3", "Lê Thị Lan", "", "", vec![]),
    ];
    let known = known(people, &["p3"]);
    let sheet = csv(&[
        HEAD,
        "1,,,,Lê Thị Hoà,06/09/1985,TRƯỜNG THCS A",
        "2,,,,Lê Thị Hòa,07/09/1985,Trường THCS A",
        "3,,,,Lê Thị Hòa,,",
        "4,X9,,,Lê Thị Mai,06/09/1985,Trường THCS A",
        "5,,,,Lê Thị Lan,,",
    ]);
    let prepared = compare(&sheet, &known);
    use ImportAction::{Ask, New};
    // Another sector identifier is another person; on the roster one asks.
    assert_eq!(actions(&prepared), [Ask, New, New, New, Ask]);
    assert_eq!(prepared.preview.rows[0].person, Some(PersonKey::from("p1")));
    assert!(prepared.preview.missing.is_empty());
    let writes = |same: &[(u32, bool)]| {
        let answers = ImportApply {
            same: same.iter().copied().collect(),
            ..ImportApply::default()
        };
        let writes = decide(&prepared, &answers).unwrap();
        let known = writes
            .iter()
            .filter(|write| matches!(write, ImportWrite::Known { .. }));
        (writes.len(), known.count())
    };
    assert_eq!(writes(&[]), (3, 0));
    assert_eq!(writes(&[(2, true)]), (4, 1));
    assert_eq!(writes(&[(2, false), (6, true)]), (5, 1));
}

#[test]
fn people_missing_in_the_file_are_withdrawn_only_when_asked_for() {
    use IdentifierKind::Sector;
    let people = vec![
        person("p1", "Nguyễn Văn An", "", "", vec![id(Sector, "X1")]),
        person("p2", "Trần Văn Bình", "", "", vec![id(Sector, "X2")]),
        person("p3", "Điểm cầu A", "", "", vec![]),
        person("p4", "Lê Văn Cường", "", "", vec![id(Sector, "X4")]),
    ];
    let mut known = known(people, &["p1", "p2", "p3", "p4"]);
    known.roster.get_mut(&PersonKey::from("p3")).unwrap().site = true;
    known.roster.get_mut(&PersonKey::from("p4")).unwrap().state = RosterState::Withdrawn;
    let sheet = csv(&[HEAD, "1,X1,,,Nguyễn Văn An,,", "2,X4,,,Lê Văn Cường,,"]);
    let prepared = compare(&sheet, &known);
    assert_eq!(
        actions(&prepared),
        [ImportAction::Same, ImportAction::Change]
    );
    assert_eq!(
        prepared.preview.missing,
        [(PersonKey::from("p2"), "Trần Văn Bình".to_owned())]
    );
    let count = |withdraw_missing: bool| {
        let answers = ImportApply {
            withdraw_missing,
            ..ImportApply::default()
        };
        decide(&prepared, &answers).unwrap().len()
    };
    assert_eq!((count(false), count(true)), (1, 2));
}

#[test]
fn an_importer_with_own_units_touches_nobody_elsewhere() {
    let mut people = vec![
        person(
            "p1",
            "Nguyễn Văn An",
            "",
            "THCS A",
            vec![id(IdentifierKind::Sector, "X1")],
        ),
        person(
            "p2",
            "Trần Văn Bình",
            "",
            "THCS B",
            vec![id(IdentifierKind::Sector, "X2")],
        ),
    ];
    people[0].form.unit = Some(UnitId::from("a"));
    people[1].form.unit = Some(UnitId::from("b"));
    let units =
        [("THCS A", "a"), ("THCS B", "b")].map(|(name, id)| (match_name(name), UnitId::from(id)));
    let known = KnownPeople {
        units: BTreeMap::from(units),
        only_units: Some(BTreeSet::from([UnitId::from("a")])),
        ..known(people, &["p1", "p2"])
    };
    let sheet = csv(&[
        HEAD,
        "1,X1,,,Nguyễn Văn An,,THCS A",
        "2,X2,,,Trần Văn Kha,,THCS A",
        "3,X3,,,Lê Văn Cường,,THCS B",
        "4,X4,,,Lê Văn Dũng,,",
        "5,X5,,,Lê Văn Em,,THCS A",
    ]);
    use ImportAction::{Bad, New, Same};
    let prepared = compare(&sheet, &known);
    assert_eq!(actions(&prepared), [Same, Bad, Bad, Bad, New]);
    assert_eq!(prepared.preview.rows[1].person, None);
    // A number brings out nobody's name.
    let shown = serde_json::to_string(&prepared.preview).unwrap();
    assert!(!shown.contains("Trần Văn Bình"));
    assert!(prepared.preview.missing.is_empty());
}

#[test]
fn five_thousand_rows_report_progress_and_can_be_stopped() {
    let rows: String = (0..5_000)
        .map(|no| format!("{no},M{no},,,Nguyễn Văn An,06/09/1985,Trường {no}\n"))
        .collect();
    let bytes = format!("{HEAD}\n{rows}");
    let mut seen = Vec::new();
    let sheet = read_roster(bytes.as_bytes(), "f", today(), &mut |_, done, total| {
        seen.push((done, total));
        true
    })
    .unwrap();
    assert_eq!(sheet.entries.len(), 5_000);
    assert_eq!(seen.last(), Some(&(5_000, 5_000)));
    assert!(seen.len() >= 50 && seen.is_sorted());
    let stopped = read_roster(bytes.as_bytes(), "f", today(), &mut |_, done, _| done < 300);
    assert_eq!(stopped, Err(Refused::Stopped));
    let stopped = preview(&sheet, &KnownPeople::default(), &mut |_, done, _| {
        done < 300
    });
    assert_eq!(stopped, Err(Refused::Stopped));
}

#[test]
fn personal_numbers_are_masked_wherever_they_are_shown() {
    assert_eq!(mask("001099012345"), "0010******45");
    assert_eq!(mask("12"), "**");
    let sheet = csv(&[HEAD, "1,,001085000001,,Nguyễn Văn An,,"]);
    let people = vec![person(
        "p1",
        "Nguyễn Văn Anh",
        "",
        "",
        vec![id(IdentifierKind::Personal, "001085000001")],
    )];
    for known in [KnownPeople::default(), known(people, &["p1"])] {
        let shown = serde_json::to_string(&compare(&sheet, &known).preview).unwrap();
        assert!(!shown.contains("001085000001"), "{shown}");
    }
}

#[test]
fn old_codes_are_for_others_too() {
    let name = lophoc_classes::import::convert("NguyÔn", Coding::Tcvn3);
    assert_eq!(name, "Nguyễn");
}

/// A roster of people with identifiers.
fn rosters() -> impl Strategy<Value = Vec<TemplateRow>> {
    let names = prop::sample::select(vec![
        "Đặng Thị Ái",
        "Nguyễn Văn An",
        "Phạm Đức Anh",
        "Y Moan Êban",
        "H'Hen Niê",
        "Hoàng Hà",
        "Lê Thị Hoà",
    ]);
    let units = prop::sample::select(vec![
        "Trường THCS Nguyễn Du",
        "Trường TH, THCS \"A\"; B",
        "",
    ]);
    let row = (
        names,
        units,
        any::<(bool, bool, bool)>(),
        0_i32..15_000,
        "[ -~]{0,12}",
    );
    let rows = prop::collection::vec(row, 1..40);
    rows.prop_map(|rows| {
        (1..)
            .zip(rows)
            .map(|(no, (name, unit, (sector, female, phone), day, note))| {
                let born = Day::new(1960, 1, 1).unwrap().plus_days(day);
                let number = format!("001{}{:02}{no:06}", u8::from(female), born.year() % 100);
                let identifier = if sector {
                    id(IdentifierKind::Sector, &format!("{no:010}"))
                } else {
                    // Twelve digits that end with the row, so that no two are the same.
                    let number = if born.year() >= 2000 {
                        let sex = 2 + u8::from(female);
                        format!("001{sex}{:02}{no:06}", born.year() % 100)
                    } else {
                        number
                    };
                    id(IdentifierKind::Personal, &number)
                };
                TemplateRow {
                    form: PersonForm {
                        name: name.to_owned(),
                        born: Some(born),
                        gender: Some(if female { Gender::Female } else { Gender::Male }),
                        position: "Giáo viên".to_owned(),
                        unit_text: unit.to_owned(),
                        phone: if phone {
                            "0912345678".to_owned()
                        } else {
                            String::new()
                        },
                        identifiers: vec![identifier],
                        ..PersonForm::default()
                    },
                    unit_name: unit.to_owned(),
                    note: note.split_whitespace().collect::<Vec<_>>().join(" "),
                }
            })
            .collect()
    })
}

fn as_known(rows: &[TemplateRow]) -> KnownPeople {
    let mut known = KnownPeople::default();
    for (no, row) in (1..).zip(rows) {
        let key = PersonKey(format!("p{no}"));
        known.people.push(Person {
            id: key.clone(),
            form: row.form.clone(),
            unit_name: row.unit_name.clone(),
        });
        let on_roster = OnRoster {
            state: RosterState::Official,
            site: false,
            note: row.note.clone(),
        };
        known.roster.insert(key, on_roster);
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_roster_written_and_read_again_changes_nothing(rows in rosters()) {
        let sheet = read(&roster_file(&rows).unwrap()).unwrap();
        let prepared = compare(&sheet, &as_known(&rows));
        for row in &prepared.preview.rows {
            prop_assert_eq!(row.action, ImportAction::Same, "{:?}", row);
        }
        prop_assert_eq!(prepared.preview.rows.len(), rows.len());
        prop_assert!(prepared.preview.missing.is_empty());
        prop_assert_eq!(decide(&prepared, &ImportApply { withdraw_missing: true, ..ImportApply::default() }), Some(vec![]));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in rosters(), seed in any::<u64>(), cut in 0_usize..10) {
        let mut other = rows.clone();
        let mut state = seed | 1;
        for place in (1..other.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            other.swap(place, (state >> 33) as usize % (place + 1));
        }
        let mut known = as_known(&rows);
        // Some are not on the roster, some are unknown.
        known.roster = known.roster.into_iter().skip(cut / 2).collect();
        known.people = known.people.into_iter().skip(cut).collect();
        let outcome = |rows: &[TemplateRow]| {
            let prepared = compare(&read(&roster_file(rows).unwrap()).unwrap(), &known);
            let rows = prepared.preview.rows.into_iter();
            let mut rows: Vec<String> = rows
                .map(|row| format!("{:?}", (row.identifier, row.action, row.person, row.by, row.diff)))
                .collect();
            rows.sort();
            (rows, prepared.preview.missing, prepared.preview.counts)
        };
        prop_assert_eq!(outcome(&rows), outcome(&other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_text_makes_it_fall_over(text in "(Họ và tên|Ngày sinh|Mã định danh|STT|[;,\t\n\"'=./]|[0-9]{1,13}|\\PC){0,60}") {
        if let Ok(sheet) = read(format!("STT;Họ và tên;Ngày sinh;Số CCCD;Email\n{text}").as_bytes()) {
            let _ = compare(&sheet, &KnownPeople::default());
        }
    }

    #[test]
    fn no_damage_to_a_workbook_makes_it_fall_over(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let row = TemplateRow {
            form: PersonForm { name: "An".to_owned(), ..PersonForm::default() },
            unit_name: String::new(),
            note: String::new(),
        };
        let mut bytes = roster_file(&[row]).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = read(&bytes);
    }
}
