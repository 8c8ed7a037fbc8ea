//! A calendar day without a time zone.

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, 1900–2199. JSON: `"2026-09-06"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// Not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day")]
pub struct BadDay;

impl Day {
    /// The first day there is.
    pub const FIRST: Self = Self {
        year: 1900,
        month: 1,
        day: 1,
    };
    /// The last day there is.
    pub const LAST: Self = Self {
        year: 2199,
        month: 12,
        day: 31,
    };

    /// # Errors
    /// [`BadDay`] when the calendar has no such day or the year is out of range.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, BadDay> {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return Err(BadDay),
        };
        if !(1900..2200).contains(&year) || day == 0 || day > days {
            return Err(BadDay);
        }
        Ok(Self { year, month, day })
    }

    /// The day in which a moment lies, `offset_min` minutes east of UTC.
    ///
    /// # Errors
    /// [`BadDay`] outside the years of a day.
    pub fn of_ms(wall_ms: u64, offset_min: i32) -> Result<Self, BadDay> {
        let local = i64::try_from(wall_ms).map_err(|_| BadDay)? + i64::from(offset_min) * 60_000;
        Self::of_epoch_days(local.div_euclid(86_400_000))
    }

    /// The day so many days after 1970-01-01, before it when negative.
    ///
    /// # Errors
    /// [`BadDay`] outside the years of a day.
    pub fn of_epoch_days(number: i64) -> Result<Self, BadDay> {
        // Days since 0000-03-01, a year that ends with its leap day.
        let days = number.checked_add(719_468).ok_or(BadDay)?;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(
            u16::try_from(year).map_err(|_| BadDay)?,
            u8::try_from(month).map_err(|_| BadDay)?,
            u8::try_from(day).map_err(|_| BadDay)?,
        )
    }

    /// Days since 1970-01-01, negative before.
    pub fn epoch_days(self) -> i64 {
        // Years that begin in March end with their leap day.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }

    /// So many days later, earlier when negative; stays within the years of a
    /// day.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        let end = if days < 0 { Self::FIRST } else { Self::LAST };
        Self::of_epoch_days(self.epoch_days() + i64::from(days)).unwrap_or(end)
    }

    /// So many calendar months later; the 31st becomes the last day of a shorter
    /// month. Stays within the years of a day.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let count = u64::from(self.year) * 12 + u64::from(self.month) - 1 + u64::from(months);
        let year = u16::try_from(count / 12).unwrap_or(u16::MAX);
        let month = u8::try_from(count % 12 + 1).unwrap_or(12);
        // A month has the day, or ends at most three days before it.
        (0..4)
            .find_map(|less| Self::new(year, month, self.day.saturating_sub(less)).ok())
            .unwrap_or(Self::LAST)
    }

    /// Year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// Month, 1–12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }

    /// `06/09/2026`.
    pub fn slashed(self) -> String {
        format!("{:02}/{:02}/{:04}", self.day, self.month, self.year)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = BadDay;

    fn try_from(text: String) -> Result<Self, BadDay> {
        text.parse()
    }
}

impl std::str::FromStr for Day {
    type Err = BadDay;

    /// `2026-09-06`, as in JSON.
    fn from_str(text: &str) -> Result<Self, BadDay> {
        let mut parts = text.split('-');
        let mut next = |len: usize| {
            let part = parts.next().filter(|part| part.len() == len)?;
            part.parse::<u16>().ok()
        };
        let (year, month, day) = (next(4), next(2), next(2));
        match (year, month, day, parts.next()) {
            (Some(year), Some(month), Some(day), None) => Self::new(
                year,
                u8::try_from(month).map_err(|_| BadDay)?,
                u8::try_from(day).map_err(|_| BadDay)?,
            ),
            _ => Err(BadDay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_written_and_found_from_moments() {
        let day: Day = "2026-09-06".parse().unwrap();
        assert_eq!(
            (day.to_string().as_str(), day.slashed().as_str()),
            ("2026-09-06", "06/09/2026")
        );
        for bad in [
            "2026-02-29",
            "2026-9-6",
            "2026-09-06-1",
            "",
            "1899-01-01",
            "2026-13-01",
        ] {
            assert_eq!(bad.parse::<Day>(), Err(BadDay), "{bad}");
        }
        assert!("2024-02-29".parse::<Day>().is_ok());
        assert_eq!(Day::of_ms(0, 0), Day::new(1970, 1, 1));
        // 17:30 UTC is half past midnight of the next day in Vietnam.
        assert_eq!(Day::of_ms(1_788_715_800_000, 420), Day::new(2026, 9, 7));
        assert_eq!(Day::of_ms(951_782_400_000, 0), Day::new(2000, 2, 29));
    }

    #[test]
    fn days_and_months_are_added_within_the_calendar() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(day("2026-01-31").plus_months(1), day("2026-02-28"));
        assert_eq!(day("2024-01-31").plus_months(1), day("2024-02-29"));
        assert_eq!(day("2026-11-30").plus_months(15), day("2028-02-29"));
        assert_eq!(day("2199-12-01").plus_months(1), Day::LAST);
        assert_eq!(day("2026-01-01").plus_months(u32::MAX), Day::LAST);
        assert_eq!(day("2026-02-28").plus_days(1), day("2026-03-01"));
        assert_eq!(day("2026-03-01").plus_days(-1), day("2026-02-28"));
        assert_eq!(day("1970-01-01").plus_days(-1), day("1969-12-31"));
        assert_eq!(Day::FIRST.plus_days(-1), Day::FIRST);
        assert_eq!(Day::LAST.plus_days(i32::MAX), Day::LAST);
    }

    #[test]
    fn every_day_has_its_number() {
        let mut day = Day::FIRST;
        let mut number = day.epoch_days();
        assert_eq!(number, -25_567);
        while day < Day::LAST {
            assert_eq!(Day::of_epoch_days(number), Ok(day));
            day = day.plus_days(1);
            number += 1;
            assert_eq!(day.epoch_days(), number);
        }
        assert_eq!(Day::of_epoch_days(number + 1), Err(BadDay));
        assert_eq!(Day::of_epoch_days(i64::MAX), Err(BadDay));
    }
}
