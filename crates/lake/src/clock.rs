//! The time of day, in the units that are stored.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the milliseconds since 1970.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Returns the day that a time lies in, counted from 1970-01-01; absent outside the years 1 to 9999.
pub(crate) fn day_of(unix_ms: i64) -> Option<i32> {
    let day = i32::try_from(unix_ms.div_euclid(DAY_MS)).ok()?;
    // 0001-01-01 and 9999-12-31: what `YYYY-MM-DD` can say.
    (-719_162..=2_932_896).contains(&day).then_some(day)
}

/// Writes a day as `YYYY-MM-DD`.
pub(crate) fn day_text(day: i32) -> String {
    // Days to civil, by eras of 400 years that begin on the first of March.
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// Reads a day that [`day_text`] wrote.
pub(crate) fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, of_month) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&of_month) || !(1..=9999).contains(&year) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + of_month - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i32::try_from(era * 146_097 + days - 719_468).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_read_back() {
        for (day, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (20_780, "2026-11-23"),
            (-719_162, "0001-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(day_text(day), text);
            assert_eq!(parse_day(text), Some(day));
        }
        for day in (-719_162..=2_932_896).step_by(97) {
            assert_eq!(parse_day(&day_text(day)), Some(day));
        }
    }

    #[test]
    fn what_no_calendar_holds_has_no_day() {
        assert_eq!(day_of(i64::MAX), None);
        assert_eq!(day_of(i64::MIN), None);
        assert_eq!(day_of(-1), Some(-1));
        for text in ["", "2026", "2026-13-01", "x-1-1", "2026-00-10"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
