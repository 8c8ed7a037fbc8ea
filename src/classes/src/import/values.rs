//! What the cells of a row mean: names, days, identifiers. Messages are
//! Vietnamese and stand beside the heading of their column.

use unicode_normalization::UnicodeNormalization;

use super::grid::{Cell, Value, plain, serial_day};
use crate::day::Day;
use crate::person::Gender;

/// Letters of a name, at most.
const MAX_NAME: usize = 120;
/// Letters of a position, unit, note.
pub(super) const MAX_TEXT: usize = 300;
/// Letters of an identifier.
const MAX_ID: usize = 32;

/// Collects what is wrong with a cell.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
}

impl Notes {
    fn error<T>(&mut self, text: impl Into<String>) -> Option<T> {
        self.errors.push(text.into());
        None
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

/// The text of a cell: composed, single spaces, no invisible characters.
pub(super) fn text(cell: &Cell, max: usize, notes: &mut Notes) -> Option<String> {
    match &cell.value {
        Value::Empty => return None,
        Value::Fault if cell.formula => {
            return notes.error("Ô có công thức nhưng không có kết quả; hãy dán giá trị.");
        }
        Value::Fault => return notes.error("Ô báo lỗi (#N/A, #REF!, …)."),
        Value::TooLong => return notes.error(too_long(max)),
        Value::Text(_) | Value::Number(_) | Value::Day(_) => {}
    }
    let raw = cell.text()?;
    let composed: String = raw.nfc().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = composed.split_whitespace().collect();
    let clean = words.join(" ");
    if clean.is_empty() {
        return None;
    }
    if clean.chars().any(char::is_control) {
        return notes.error("Có ký tự điều khiển không đọc được.");
    }
    if clean.chars().nth(max).is_some() {
        return notes.error(too_long(max));
    }
    Some(clean)
}

fn too_long(max: usize) -> String {
    format!("Quá dài (nhiều nhất {max} ký tự).")
}

/// Marks of direction and joining that nobody sees and no search finds.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

pub(super) fn name(cell: &Cell, notes: &mut Notes) -> Option<String> {
    let name = text(cell, MAX_NAME, notes)?;
    if !name.chars().any(char::is_alphabetic) {
        return notes.error("Không phải là họ tên.");
    }
    if name.chars().any(|c| c.is_ascii_digit()) {
        return notes.error("Họ tên có chữ số.");
    }
    let strange = |c: char| {
        let named = c.is_alphabetic() && !matches!(c, 'ª' | 'µ' | 'º');
        let joined = matches!(c, ' ' | '\'' | '’' | 'ʼ' | '-' | '.' | '(' | ')' | ',');
        !(named || joined || unicode_normalization::char::is_combining_mark(c))
    };
    if name.contains(strange) {
        return notes.error(
            "Họ tên có ký tự lạ, có thể do phông chữ cũ (TCVN3, VNI); hãy chuyển sang Unicode.",
        );
    }
    let shout = name.chars().filter(|c| c.is_alphabetic()).count() > 1
        && !name.chars().any(char::is_lowercase);
    Some(if shout { title_case(&name) } else { name })
}

/// `NGUYỄN VĂN AN` as it is spelt in papers: every word and what follows an
/// apostrophe or hyphen begins with a capital.
fn title_case(name: &str) -> String {
    let mut begins = true;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if begins {
            out.push(c);
        } else {
            out.extend(c.to_lowercase());
        }
        if !unicode_normalization::char::is_combining_mark(c) {
            begins = !c.is_alphabetic();
        }
    }
    out
}

/// A day of birth; two-digit years and years alone are pointed out.
pub(super) fn born(cell: &Cell, today: Day, notes: &mut Notes) -> Option<Day> {
    let day = match &cell.value {
        Value::Day(day) => *day,
        Value::Number(number) if (1_900.0..2_100.0).contains(number) && number.fract() == 0.0 => {
            notes.warn(format!(
                "Chỉ có năm sinh ({}); để trống ngày sinh.",
                plain(*number)
            ));
            return None;
        }
        Value::Number(number) => match serial_day(*number) {
            Some(day) if number.fract() == 0.0 => day,
            _ => return notes.error(NOT_A_DAY),
        },
        _ => day_of(&text(cell, 60, notes)?, today, notes)?,
    };
    if day > today {
        return notes.error(format!("Ngày sinh {} ở tương lai.", day.slashed()));
    }
    if day.plus_months(3 * 12) > today || day.plus_months(110 * 12) < today {
        notes.warn(format!("Ngày sinh {} có đúng không?", day.slashed()));
    }
    Some(day)
}

const NOT_A_DAY: &str = "Ngày không hợp lệ; hãy viết ngày/tháng/năm, ví dụ 06/09/1985.";

fn day_of(text: &str, today: Day, notes: &mut Notes) -> Option<Day> {
    // Times behind a day, as some programs write them.
    let day = text.split([' ', 'T']).next().unwrap_or(text);
    let parts: Vec<&str> = day.split(['/', '-', '.']).map(str::trim).collect();
    let number = |text: &str| -> Option<u16> {
        let digits =
            !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let numbers: Option<Vec<u16>> = parts.iter().map(|part| number(part)).collect();
    let Some(numbers) = numbers else {
        return notes.error(NOT_A_DAY);
    };
    let (year, month, day, short) = match (numbers.as_slice(), parts.as_slice()) {
        ([year], [text]) if text.len() == 4 && (1_900..2_100).contains(year) => {
            notes.warn(format!("Chỉ có năm sinh ({year}); để trống ngày sinh."));
            return None;
        }
        ([year, month, day], [text, _, _]) if text.len() == 4 => (*year, *month, *day, false),
        ([day, month, year], [_, _, text]) if text.len() == 4 => (*year, *month, *day, false),
        ([day, month, year], [_, _, text]) if text.len() == 2 => {
            let this = today.year() % 100;
            let century = today.year() - this;
            let year = if *year > this {
                century - 100 + year
            } else {
                century + year
            };
            (year, *month, *day, true)
        }
        _ => return notes.error(NOT_A_DAY),
    };
    let narrow = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    let found = Day::new(year, narrow(month), narrow(day)).ok();
    if found.is_none() && Day::new(year, narrow(day), narrow(month)).is_ok() {
        return notes.error("Ngày và tháng có thể bị đảo; hãy viết ngày/tháng/năm.");
    }
    let Some(found) = found else {
        return notes.error(NOT_A_DAY);
    };
    if short {
        notes.warn(format!("Năm sinh hai chữ số, hiểu là {}.", found.slashed()));
    }
    Some(found)
}

pub(super) fn gender(cell: &Cell, notes: &mut Notes) -> Option<Gender> {
    let text = text(cell, 60, notes)?;
    match lophoc_ledger::fold_name(&text).as_str() {
        "nam" | "male" | "m" => Some(Gender::Male),
        "nu" | "female" | "f" => Some(Gender::Female),
        "khac" | "other" => Some(Gender::Other),
        _ => {
            notes.warn("Giới tính không rõ (Nam, Nữ); bỏ qua.");
            None
        }
    }
}

const ROUNDED: &str =
    "Số đã bị Excel làm tròn (1,23E+11); hãy định dạng cột là Văn bản và nhập lại.";

/// A number typed as a number or as text in scientific notation has lost digits.
fn is_rounded(cell: &Cell, clean: &str) -> bool {
    match &cell.value {
        Value::Number(number) => {
            number.fract() != 0.0 || *number < 0.0 || *number >= 1e15 || {
                // 1,23E+11 saved and opened again.
                *number >= 1e11 && number % 1e6 == 0.0
            }
        }
        _ => {
            let folded = clean.replace(',', ".").to_ascii_lowercase();
            folded.split_once("e+").is_some_and(|(front, back)| {
                front.parse::<f64>().is_ok() && back.parse::<u16>().is_ok()
            })
        }
    }
}

/// Mã định danh, mã giáo viên: text, leading zeros kept.
pub(super) fn identifier(cell: &Cell, notes: &mut Notes) -> Option<String> {
    let clean = text(cell, 200, notes)?;
    if is_rounded(cell, &clean) {
        return notes.error(ROUNDED);
    }
    let bare = clean.trim_start_matches(['\'', '’']);
    if bare.chars().nth(MAX_ID).is_some() {
        return notes.error(too_long(MAX_ID));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if bare.is_empty() || !bare.chars().all(fits) {
        return notes.error("Mã chỉ gồm chữ cái không dấu, chữ số và . - _ /");
    }
    if matches!(cell.value, Value::Number(_)) {
        notes.warn("Ô kiểu số có thể đã mất số 0 ở đầu; nên định dạng cột là Văn bản.");
    }
    Some(bare.to_owned())
}

/// Số định danh cá nhân: 12 digits, the first of them always 0.
pub(super) fn personal(cell: &Cell, notes: &mut Notes) -> Option<String> {
    let clean = text(cell, 200, notes)?;
    if is_rounded(cell, &clean) {
        return notes.error(ROUNDED);
    }
    let digits: String = clean
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '\'' | '’'))
        .collect();
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (all_digits, digits.len()) {
        (true, 12) => Some(digits),
        (true, 10 | 11) => {
            notes.warn("Thiếu số 0 ở đầu (ô kiểu số); đã thêm lại, hãy kiểm tra.");
            Some(format!("{digits:0>12}"))
        }
        (true, 9) if !matches!(cell.value, Value::Number(_)) => {
            notes.warn("Số chứng minh nhân dân 9 số không dùng nữa; bỏ qua.");
            None
        }
        _ => notes.error("Số định danh cá nhân phải có đúng 12 chữ số."),
    }
}

/// What a personal number says of its owner against what the row says.
pub(super) fn personal_fits(number: &str, born: Option<Day>, gender: Option<Gender>) -> bool {
    let digit = |place: usize| {
        number
            .as_bytes()
            .get(place)
            .map(|byte| u16::from(byte - b'0'))
    };
    let (Some(century), Some(tens), Some(ones)) = (digit(3), digit(4), digit(5)) else {
        return false;
    };
    let year = 1_900 + century / 2 * 100 + tens * 10 + ones;
    let sex = match gender {
        Some(Gender::Male) => century % 2 == 0,
        Some(Gender::Female) => century % 2 == 1,
        Some(Gender::Other) | None => true,
    };
    sex && born.is_none_or(|born| born.year() == year)
}

pub(super) fn phone(cell: &Cell, notes: &mut Notes) -> Option<String> {
    let clean = text(cell, 200, notes)?;
    let bare = clean.trim_start_matches('\'');
    let fits = |c: char| {
        c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '(' | ')' | '/' | ';' | ',')
    };
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    if !bare.chars().all(fits) || !(6..=26).contains(&digits) || bare.len() > 40 {
        notes.warn("Số điện thoại không hợp lệ; bỏ qua.");
        return None;
    }
    if matches!(cell.value, Value::Number(_)) && digits == 9 {
        return Some(format!("0{bare}"));
    }
    Some(bare.to_owned())
}

pub(super) fn email(cell: &Cell, notes: &mut Notes) -> Option<String> {
    let clean = text(cell, MAX_TEXT, notes)?;
    let good = clean.len() <= 254
        && clean.split_once('@').is_some_and(|(who, host)| {
            let host_fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            !who.is_empty()
                && who.len() <= 64
                && !host.starts_with('.')
                && !host.ends_with('.')
                && host.contains('.')
                && host.chars().all(host_fits)
                && who
                    .chars()
                    .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | ',' | ';'))
        });
    if good {
        Some(clean)
    } else {
        notes.warn("Địa chỉ email không hợp lệ; bỏ qua.");
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Value) -> Cell {
        Cell {
            value,
            formula: false,
        }
    }

    fn written(text: &str) -> Cell {
        of(Value::Text(text.to_owned()))
    }

    fn with<T>(
        read: impl Fn(&Cell, &mut Notes) -> Option<T>,
        cell: &Cell,
    ) -> (Option<T>, usize, usize) {
        let mut notes = Notes::default();
        let got = read(cell, &mut notes);
        (got, notes.errors.len(), notes.warnings.len())
    }

    #[test]
    fn days_in_all_the_ways_they_are_written() {
        let today: Day = "2026-11-22".parse().unwrap();
        let read = |cell: &Cell| with(|cell, notes| born(cell, today, notes), cell);
        let day = |text: &str| text.parse::<Day>().ok();
        for text in [
            "06/09/1985",
            "6/9/1985",
            "6-9-1985",
            "06.09.1985",
            "1985-09-06",
            "06/09/1985 00:00:00",
        ] {
            assert_eq!(read(&written(text)), (day("1985-09-06"), 0, 0), "{text}");
        }
        assert_eq!(
            read(&of(Value::Number(31_296.0))),
            (day("1985-09-06"), 0, 0)
        );
        assert_eq!(read(&written("6/9/85")), (day("1985-09-06"), 0, 1));
        assert_eq!(read(&written("6/9/05")), (day("2005-09-06"), 0, 1));
        assert_eq!(read(&written("1985")), (None, 0, 1));
        assert_eq!(read(&of(Value::Number(1_985.0))), (None, 0, 1));
        for text in [
            "31/02/1985",
            "abc",
            "6/9",
            "1/1/1",
            "09/25/1985",
            "01/01/2030",
            "0/0/1990",
            "-",
            "1/2/3/4",
        ] {
            assert_eq!(read(&written(text)), (None, 1, 0), "{text}");
        }
        assert_eq!(read(&of(Value::Number(31_296.5))), (None, 1, 0));
        assert_eq!(read(&of(Value::Number(f64::NAN))), (None, 1, 0));
        assert_eq!(read(&written("01/01/2025")).2, 1);
    }

    #[test]
    fn personal_numbers_keep_or_regain_their_zeros_and_rounded_ones_are_refused() {
        let read = |cell: &Cell| with(personal, cell);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read(&written("001099012345")), (some("001099012345"), 0, 0));
        assert_eq!(
            read(&written("001 099 012 345")),
            (some("001099012345"), 0, 0)
        );
        assert_eq!(
            read(&of(Value::Number(1_099_012_345.0))),
            (some("001099012345"), 0, 1)
        );
        assert_eq!(
            read(&of(Value::Number(79_199_012_345.0))),
            (some("079199012345"), 0, 1)
        );
        assert_eq!(read(&written("012345678")), (None, 0, 1));
        for text in [
            "1.23E+11",
            "1,23E+11",
            "12345",
            "0010990123456",
            "00109901234x",
        ] {
            assert_eq!(read(&written(text)), (None, 1, 0), "{text}");
        }
        assert_eq!(read(&of(Value::Number(123_000_000_000.0))), (None, 1, 0));
        assert_eq!(read(&of(Value::Number(1e300))), (None, 1, 0));
        let day = |text: &str| text.parse::<Day>().ok();
        assert!(personal_fits(
            "001085012345",
            day("1985-09-06"),
            Some(Gender::Male)
        ));
        assert!(personal_fits(
            "001185012345",
            day("1985-09-06"),
            Some(Gender::Female)
        ));
        assert!(personal_fits("001203012345", day("2003-09-06"), None));
        assert!(!personal_fits("001085012345", day("1986-09-06"), None));
        assert!(!personal_fits("001085012345", None, Some(Gender::Female)));
    }

    #[test]
    fn identifiers_are_text_and_numbers_are_warned_about() {
        let read = |cell: &Cell| with(identifier, cell);
        assert_eq!(
            read(&written("'0012345")),
            (Some("0012345".to_owned()), 0, 0)
        );
        assert_eq!(
            read(&of(Value::Number(12_345.0))),
            (Some("12345".to_owned()), 0, 1)
        );
        for cell in [
            written("1.23E+11"),
            written("mã số"),
            written(&"1".repeat(33)),
            of(Value::Number(1.5)),
        ] {
            assert_eq!(read(&cell), (None, 1, 0), "{cell:?}");
        }
    }

    #[test]
    fn names_are_composed_and_strange_ones_refused() {
        let read = |text: &str| with(name, &written(text));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("  Nguye\u{302}\u{303}n \u{a0} Văn\nAn "),
            (some("Nguyễn Văn An"), 0, 0)
        );
        assert_eq!(read("NGUYỄN VĂN AN"), (some("Nguyễn Văn An"), 0, 0));
        assert_eq!(read("H'HEN NIÊ"), (some("H'Hen Niê"), 0, 0));
        assert_eq!(read("Y Moan Êban").0, some("Y Moan Êban"));
        assert_eq!(read("Nguyễn\u{200b} An\u{202e}").0, some("Nguyễn An"));
        for bad in [
            "Nguyễn Văn A1",
            "§Æng ThÞ ¸i",
            "???",
            "12",
            "An\u{7}",
            &"a".repeat(121),
        ] {
            assert_eq!(read(bad), (None, 1, 0), "{bad}");
        }
        assert_eq!(read("   "), (None, 0, 0));
        let fault = Cell {
            value: Value::Fault,
            formula: true,
        };
        assert_eq!(with(name, &fault), (None, 1, 0));
    }

    #[test]
    fn phones_and_addresses_that_are_none_are_left_out_with_a_warning() {
        assert_eq!(
            with(phone, &of(Value::Number(912_345_678.0))).0.as_deref(),
            Some("0912345678")
        );
        assert_eq!(
            with(phone, &written("0912 345 678")).0.as_deref(),
            Some("0912 345 678")
        );
        assert_eq!(with(phone, &written("không có")), (None, 0, 1));
        assert_eq!(with(email, &written("an.nguyen@example.edu.vn")).1, 0);
        for bad in ["an", "@x.vn", "a@b", "a b@x.vn", "a@x..", "<a>@x.vn"] {
            assert_eq!(with(email, &written(bad)), (None, 0, 1), "{bad}");
        }
        assert_eq!(with(gender, &written("NỮ")).0, Some(Gender::Female));
        assert_eq!(with(gender, &written("?")), (None, 0, 1));
    }
}
