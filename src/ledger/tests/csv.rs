//! The CSV of stays as a clerk's spreadsheet sees it.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used)]

use lophoc_ledger::{
    CsvOptions, INDOCHINA_OFFSET_MIN, LeaveReason, PersonKey, Stay, StayEnd, name_key, stays_csv,
};
use proptest::prelude::*;

/// 6 September 2026, 07:30:00 in Hà Nội.
const START: u64 = 1_788_654_600_000;

fn stay(name: &str, from_ms: u64, to_ms: Option<u64>) -> Stay {
    Stay {
        person: PersonKey(format!("p-{name}")),
        name: name.to_owned(),
        unit: None,
        role: "learner".to_owned(),
        device: "d".to_owned(),
        from_ms,
        to_ms,
        proven_ms: to_ms.unwrap_or(from_ms + 90_000),
        end: to_ms.map(|_| StayEnd::Leave(LeaveReason::Left)),
    }
}

fn csv(stays: &[Stay]) -> String {
    stays_csv(stays, CsvOptions::default())
}

/// A reader after RFC 4180, written independently of the writer.
fn read(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut chars = text.strip_prefix('\u{feff}').unwrap().chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        let cell = rows.last_mut().unwrap().last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                rows.push(vec![String::new()]);
            }
            c if c == delimiter && !quoted => rows.last_mut().unwrap().push(String::new()),
            c => cell.push(c),
        }
    }
    assert_eq!(
        rows.pop(),
        Some(vec![String::new()]),
        "the last line ends with CR LF"
    );
    rows
}

#[test]
fn the_file_begins_with_a_byte_order_mark_and_vietnamese_headings() {
    assert_eq!(
        csv(&[]),
        "\u{feff}TT,Họ và tên,Đơn vị,Vai trò,Mã,Vào lúc,Ra lúc,Thời lượng (phút),Lý do ra\r\n"
    );
}

#[test]
fn a_row_shows_local_time_whole_minutes_role_and_reason() {
    let mut one = stay("Trần Thị Hoa", START, Some(START + 45 * 60_000 + 29_999));
    one.unit = Some("Trường THCS Lê Lợi, Đà Nẵng".to_owned());
    one.role = "trainer".to_owned();
    one.end = Some(StayEnd::Lapse);
    assert_eq!(
        csv(&[one]).lines().nth(1),
        Some(
            "1,Trần Thị Hoa,\"Trường THCS Lê Lợi, Đà Nẵng\",Người dạy,p-Trần Thị Hoa,\
             06/09/2026 07:30:00,06/09/2026 08:15:29,45,Mất kết nối"
        )
    );
}

#[test]
fn somebody_who_is_in_has_no_time_out() {
    let rows = read(&csv(&[stay("An", START, None)]), ',');
    assert_eq!(rows[1][6..], ["", "2", "Đang trong phòng"]);
}

#[test]
fn a_stay_over_midnight_shows_both_days_and_new_year_turns() {
    // 31 December 2027, 23:30 local.
    let from = 1_830_270_600_000;
    let rows = read(&csv(&[stay("An", from, Some(from + 3_600_000))]), ',');
    assert_eq!(
        rows[1][5..8],
        ["31/12/2027 23:30:00", "01/01/2028 00:30:00", "60"]
    );
}

#[test]
fn the_leap_day_is_a_day() {
    // 28 February 2028, 20:00 UTC.
    let from = 1_835_380_800_000;
    let rows = read(&csv(&[stay("An", from, Some(from))]), ',');
    assert_eq!(rows[1][5], "29/02/2028 03:00:00");
}

#[test]
fn cells_that_would_be_formulas_are_guarded() {
    for evil in [
        "=1+1", "+84", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋84", "－5", "＠A1",
    ] {
        let mut one = stay(evil, START, Some(START));
        one.person = PersonKey::from(evil);
        one.unit = Some(evil.to_owned());
        one.role = evil.to_owned();
        let rows = read(&csv(&[one]), ',');
        for column in [1, 2, 3, 4] {
            assert_eq!(rows[1][column], format!("'{evil}"));
        }
    }
}

#[test]
fn identifiers_that_look_like_numbers_or_dates_stay_text() {
    for id in ["001203004567", "123456789012", "1E5", "12-3", "3/4", "0"] {
        let mut one = stay("An", START, Some(START));
        one.person = PersonKey::from(id);
        assert_eq!(read(&csv(&[one]), ',')[1][4], format!("=\"{id}\""));
    }
    // No formula can be smuggled in that way.
    let mut one = stay("An", START, Some(START));
    one.person = PersonKey::from("0\"&HYPERLINK(A1)");
    assert_eq!(read(&csv(&[one]), ',')[1][4], "0\"&HYPERLINK(A1)");
}

#[test]
fn names_sort_by_given_name_in_vietnamese_order() {
    // Key 1 the given name, key 2 the words before it.
    let sorted = [
        "Đặng Thị Ái",
        "Nguyễn Văn An",
        "Dương Văn Anh",
        "Phạm Đức Anh",
        "Bùi Thị Ngọc Ánh",
        "Nguyễn Thị Ánh",
        "Trần Thị Ánh",
        "Đỗ Văn Ân",
        "Lê Thị Ân",
        "Nguyễn Thị Dung",
        "Nguyễn Văn Dũng",
        "Nguyễn Đức Đạt",
        "Trần Đình Đức",
        "Hoàng Hà",
        "Vũ Thị Hà",
        "Hồ Thị Hả",
        "Lý Hạ",
        "Đinh Thị Hải",
        "Ngô Thị Hằng",
        "Ngô Thị Hân",
        "Nguyễn Thị Ý",
        "Nguyễn Thị Yến",
    ];
    let mut stays: Vec<Stay> = sorted
        .iter()
        .map(|name| stay(name, START, Some(START)))
        .collect();
    stays.reverse();
    stays.swap(3, 11);
    let rows = read(&csv(&stays), ',');
    let names: Vec<&str> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(names, sorted);
    let numbers: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(numbers[0], "1");
    assert_eq!(numbers[21], "22");
}

#[test]
fn tones_come_in_the_order_of_the_locale_data() {
    let sorted = [
        "ma", "mà", "mả", "mã", "má", "mạ", "mă", "mằ", "mâ", "mấ", "mậ",
    ];
    for pair in sorted.windows(2) {
        assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
    }
}

#[test]
fn decomposed_names_sort_with_composed_ones() {
    // "Hằng" from a system that sends marks as characters of their own, in
    // both orders of the marks.
    for decomposed in ["Ngô Thị Ha\u{306}\u{300}ng", "Ngô Thị Ha\u{300}\u{306}ng"] {
        assert!(name_key("Đinh Thị Hải") < name_key(decomposed));
        assert!(name_key(decomposed) < name_key("Ngô Thị Hân"));
    }
}

#[test]
fn stays_of_one_person_come_in_order_of_time_and_namesakes_do_not_mix() {
    let mut other = stay("Lê An", START + 10, Some(START + 20));
    other.person = PersonKey::from("p-a");
    let stays = [
        stay("Lê An", START + 60_000, Some(START + 120_000)),
        other,
        stay("Lê An", START, Some(START + 30_000)),
    ];
    let rows = read(&csv(&stays), ',');
    let who: Vec<&str> = rows[1..].iter().map(|row| row[4].as_str()).collect();
    assert_eq!(who, ["p-Lê An", "p-Lê An", "p-a"]);
    assert!(rows[1][5] < rows[2][5]);
}

proptest! {
    #[test]
    fn any_text_reads_back_cell_by_cell(
        names in prop::collection::vec("[\\PC\"',;\t\r\n=+@ -]{0,12}", 1..5),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t')],
    ) {
        let stays: Vec<Stay> =
            names.iter().map(|name| stay(name, START, Some(START + 1))).collect();
        let options = CsvOptions { offset_min: INDOCHINA_OFFSET_MIN, delimiter };
        let rows = read(&stays_csv(&stays, options), delimiter);
        prop_assert_eq!(rows.len(), names.len() + 1);
        let mut read: Vec<String> = Vec::new();
        for row in &rows[1..] {
            prop_assert_eq!(row.len(), 9);
            prop_assert!(!row[1].starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            let bare = row[1].strip_prefix('\'').filter(|rest| {
                rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
            });
            read.push(bare.unwrap_or(&row[1]).to_owned());
        }
        let mut names: Vec<String> = names
            .iter()
            .map(|name| {
                let bare = name.strip_prefix('\'').filter(|rest| {
                    rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
                });
                bare.unwrap_or(name).to_owned()
            })
            .collect();
        read.sort();
        names.sort();
        prop_assert_eq!(read, names);
    }

    #[test]
    fn every_time_and_offset_gives_a_full_date(
        from_ms: u64,
        offset_min in -14 * 60..=14 * 60i32,
    ) {
        let options = CsvOptions { offset_min, delimiter: ',' };
        let text = stays_csv(&[stay("An", from_ms, Some(from_ms))], options);
        prop_assert_eq!(read(&text, ',').len(), 2);
    }
}
