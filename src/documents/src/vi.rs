//! Vietnamese forms of days, times and numbers in administrative documents
//! (Nghị định 30/2020/NĐ-CP, Phụ lục I).

use lophoc_classes::Day;

/// Asia/Ho_Chi_Minh: UTC+7 all year, minutes.
pub const VIETNAM_MIN: i32 = 7 * 60;

/// `ngày 06 tháng 9 năm 2026`: days under 10 and the months 1 and 2 take a zero
/// in front.
pub fn long_day(day: Day) -> String {
    let month = if day.month() <= 2 {
        format!("{:02}", day.month())
    } else {
        day.month().to_string()
    };
    format!("ngày {:02} tháng {month} năm {}", day.day(), day.year())
}

/// `ngày 06/9/2026`, the short form inside a sentence.
pub fn short_day(day: Day) -> String {
    let month = if day.month() <= 2 {
        format!("{:02}", day.month())
    } else {
        day.month().to_string()
    };
    format!("ngày {:02}/{month}/{}", day.day(), day.year())
}

/// The day of a moment; `None` outside the years a [`Day`] can hold.
pub fn day_of(ms: u64, offset_min: i32) -> Option<Day> {
    Day::of_ms(ms, offset_min).ok()
}

/// Hour, minute and second of the day of a moment.
pub fn clock(ms: u64, offset_min: i32) -> (u32, u32, u32) {
    let local = i64::try_from(ms / 1_000).unwrap_or(0) + i64::from(offset_min) * 60;
    let second = u32::try_from(local.rem_euclid(86_400)).unwrap_or(0);
    (second / 3_600, second / 60 % 60, second % 60)
}

/// `07:30`.
pub fn hour_minute(ms: u64, offset_min: i32) -> String {
    let (hour, minute, _) = clock(ms, offset_min);
    format!("{hour:02}:{minute:02}")
}

/// `07 giờ 30`.
pub fn spoken_time(ms: u64, offset_min: i32) -> String {
    let (hour, minute, _) = clock(ms, offset_min);
    format!("{hour:02} giờ {minute:02}")
}

/// `06/09/2026 07:30:05`.
pub fn full_time(ms: u64, offset_min: i32) -> String {
    let (hour, minute, second) = clock(ms, offset_min);
    let day = day_of(ms, offset_min).map(Day::slashed).unwrap_or_default();
    format!("{day} {hour:02}:{minute:02}:{second:02}")
}

/// `2026-09-06T07:30:05+07:00`, for machines.
pub fn iso_time(ms: u64, offset_min: i32) -> String {
    let (hour, minute, second) = clock(ms, offset_min);
    let day = day_of(ms, offset_min)
        .map(|day| day.to_string())
        .unwrap_or_default();
    let sign = if offset_min < 0 { '-' } else { '+' };
    let offset = offset_min.unsigned_abs();
    format!(
        "{day}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
        offset / 60,
        offset % 60
    )
}

/// Name of a zone: `UTC+7`.
pub fn zone(offset_min: i32) -> String {
    let sign = if offset_min < 0 { '-' } else { '+' };
    let offset = offset_min.unsigned_abs();
    if offset.is_multiple_of(60) {
        format!("UTC{sign}{}", offset / 60)
    } else {
        format!("UTC{sign}{}:{:02}", offset / 60, offset % 60)
    }
}

/// `93,2%` of 932 per mille.
pub fn percent(permille: u32) -> String {
    format!("{},{}%", permille / 10, permille % 10)
}

/// `1.234.567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out
}

/// A count inside a sentence: `08`, `110`, `1.234`; none is `0`.
pub fn counted(number: u64) -> String {
    match number {
        1..10 => format!("{number:02}"),
        _ => grouped(number),
    }
}

/// Whole minutes, half a minute and more counts up.
pub fn minutes(ms: u64) -> u64 {
    ms / 60_000 + u64::from(ms % 60_000 >= 30_000)
}

/// Tenths of an hour, rounded half up.
pub fn tenths_of_hour(ms: u64) -> u64 {
    ms / 360_000 + u64::from(ms % 360_000 >= 180_000)
}

/// Per mille of a whole, rounded half up, never above 1000; 0 of nothing.
pub fn permille(part: u64, whole: u64) -> u32 {
    if whole == 0 {
        return 0;
    }
    let share = (u128::from(part) * 2_000 + u128::from(whole)) / (u128::from(whole) * 2);
    u32::try_from(share.min(1_000)).unwrap_or(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_numbers_read_as_the_decree_writes_them() {
        let day = Day::new(2026, 9, 6).unwrap();
        assert_eq!(long_day(day), "ngày 06 tháng 9 năm 2026");
        assert_eq!(short_day(day), "ngày 06/9/2026");
        let day = Day::new(2026, 2, 15).unwrap();
        assert_eq!(long_day(day), "ngày 15 tháng 02 năm 2026");
        // 00:30:05 UTC.
        let ms = 1_788_741_005_000;
        assert_eq!(full_time(ms, VIETNAM_MIN), "07/09/2026 07:30:05");
        assert_eq!(spoken_time(ms, VIETNAM_MIN), "07 giờ 30");
        assert_eq!(iso_time(ms, VIETNAM_MIN), "2026-09-07T07:30:05+07:00");
        assert_eq!(iso_time(ms, -210), "2026-09-06T21:00:05-03:30");
        assert_eq!(
            (zone(420).as_str(), zone(-210).as_str()),
            ("UTC+7", "UTC-3:30")
        );
        assert_eq!(percent(932), "93,2%");
        assert_eq!(percent(1_000), "100,0%");
        assert_eq!(
            [0, 8, 110, 1_234, 1_234_567].map(counted),
            ["0", "08", "110", "1.234", "1.234.567"]
        );
        assert_eq!([29_999, 30_000, 89_999, 90_000].map(minutes), [0, 1, 1, 2]);
        assert_eq!(tenths_of_hour(12_600_000), 35);
        assert_eq!(
            [permille(1, 3), permille(2, 3), permille(5, 0)],
            [333, 667, 0]
        );
        assert_eq!(permille(u64::MAX, 1), 1_000);
    }
}
