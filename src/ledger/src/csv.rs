//! Stays as a plain CSV file that opens in a spreadsheet.

use std::fmt::Write as _;

use crate::collation::name_key;
use crate::event::LeaveReason;
use crate::stays::{Stay, StayEnd};

/// Asia/Ho_Chi_Minh is UTC+7 all year, minutes.
pub const INDOCHINA_OFFSET_MIN: i32 = 7 * 60;

/// How to write the file.
#[derive(Debug, Clone, Copy)]
pub struct CsvOptions {
    /// Offset of the times shown from UTC, minutes.
    pub offset_min: i32,
    /// Between cells: `,`, or `;` or a tab where a computer's list separator
    /// is that.
    pub delimiter: char,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            offset_min: INDOCHINA_OFFSET_MIN,
            delimiter: ',',
        }
    }
}

const HEADER: [&str; 9] = [
    "TT",
    "Họ và tên",
    "Đơn vị",
    "Vai trò",
    "Mã",
    "Vào lúc",
    "Ra lúc",
    "Thời lượng (phút)",
    "Lý do ra",
];

/// The stays as CSV: UTF-8 with a byte order mark, lines end with CR LF,
/// quoting after RFC 4180, one row per stay, sorted by given name and then by
/// time. No cell that came from outside can be taken for a formula.
pub fn stays_csv(stays: &[Stay], options: CsvOptions) -> String {
    let mut rows: Vec<&Stay> = stays.iter().collect();
    rows.sort_by_cached_key(|stay| {
        (
            name_key(&stay.name),
            stay.person.clone(),
            stay.from_ms,
            stay.proven_ms,
        )
    });
    let mut out = String::from('\u{feff}');
    line(&mut out, options.delimiter, HEADER.map(str::to_owned));
    for (index, stay) in rows.into_iter().enumerate() {
        let cells = [
            (index + 1).to_string(),
            guarded(&stay.name),
            guarded(stay.unit.as_deref().unwrap_or_default()),
            guarded(role_name(&stay.role)),
            identifier(stay.person.as_str()),
            local_time(stay.from_ms, options.offset_min),
            stay.to_ms
                .map(|to| local_time(to, options.offset_min))
                .unwrap_or_default(),
            minutes(stay.duration_ms()).to_string(),
            end_name(stay.end).to_owned(),
        ];
        line(&mut out, options.delimiter, cells);
    }
    out
}

fn line<const N: usize>(out: &mut String, delimiter: char, cells: [String; N]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let quote = cell.contains(['"', '\r', '\n', ',', ';', '\t'])
            || cell.contains(delimiter)
            || cell.starts_with(' ')
            || cell.ends_with(' ');
        if quote {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

/// A cell from outside: a leading apostrophe where a spreadsheet would take it
/// for a formula.
fn guarded(text: &str) -> String {
    // Some spreadsheets read the wide forms of the signs as the signs.
    const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(SIGNS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// An identifier that a spreadsheet would read as a number or a date (leading
/// zeros lost, 12 digits shortened) is written as a text formula; it then
/// consists of harmless characters only.
fn identifier(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | ':'));
    if plain && text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        format!("=\"{text}\"")
    } else {
        guarded(text)
    }
}

/// Whole minutes, half a minute and more counts up.
fn minutes(ms: u64) -> u64 {
    ms / 60_000 + u64::from(ms % 60_000 >= 30_000)
}

fn role_name(role: &str) -> &str {
    match role {
        "organiser" => "Ban tổ chức",
        "chair" => "Chủ trì",
        "trainer" => "Người dạy",
        "adviser" => "Cố vấn học tập",
        "technician" => "Cán bộ kỹ thuật",
        "secretary" => "Thư ký",
        "inspector" | "observer" => "Thanh tra, giám sát",
        "contentAuthor" => "Cán bộ xây dựng học liệu số",
        "learner" => "Người học",
        "guest" => "Khách mời",
        other => other,
    }
}

fn end_name(end: Option<StayEnd>) -> &'static str {
    match end {
        None => "Đang trong phòng",
        Some(StayEnd::Lapse | StayEnd::Leave(LeaveReason::Network)) => "Mất kết nối",
        Some(StayEnd::Leave(LeaveReason::Left)) => "Rời phòng",
        Some(StayEnd::Leave(LeaveReason::Removed)) => "Được mời ra khỏi phòng",
        Some(StayEnd::Leave(LeaveReason::Ended)) => "Kết thúc buổi học",
        Some(StayEnd::Leave(LeaveReason::ServerStopped)) => "Máy chủ dừng",
        Some(StayEnd::Leave(LeaveReason::Other)) => "Lý do khác",
        Some(StayEnd::Leave(LeaveReason::TakenOver)) => "Tham gia trên thiết bị khác",
    }
}

/// `dd/MM/yyyy HH:mm:ss` at the given offset from UTC; parts of a second are
/// dropped.
fn local_time(ms: u64, offset_min: i32) -> String {
    let seconds = i64::try_from(ms / 1_000).unwrap_or(i64::MAX / 2) + i64::from(offset_min) * 60;
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let mut text = String::with_capacity(19);
    let _ = write!(
        text,
        "{day:02}/{month:02}/{year:04} {:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    );
    text
}

/// Days since 1 January 1970 → year, month, day of the Gregorian calendar.
/// Counts from 1 March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_400_YEARS: i64 = 146_097;
    let since_march_0000 = days + 719_468;
    let era = since_march_0000.div_euclid(DAYS_400_YEARS);
    let day_of_era = since_march_0000.rem_euclid(DAYS_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
