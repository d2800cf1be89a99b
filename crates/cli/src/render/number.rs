//! Numbers as people read them.

use std::time::Duration;

/// Writes a number with a comma between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Writes a number and its noun, which takes an `s` where it is not one.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Writes a number of bytes with three figures or so.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if number < 1000 {
        return format!("{number} B");
    }
    // Tenths of the unit, in whole numbers, so that no rounding of doubles shows.
    let mut tenths = number / 100;
    for unit in UNITS {
        if tenths < 10_000 || unit == "TB" {
            return if tenths < 100 {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            } else {
                format!("{} {unit}", count(tenths / 10))
            };
        }
        tenths /= 1000;
    }
    String::new()
}

/// Writes seconds of testing as hours, minutes and seconds.
pub(crate) fn seconds(number: f64) -> String {
    let Ok(duration) = Duration::try_from_secs_f64(number) else { return format!("{number:e} s") };
    if duration < Duration::from_mins(1) {
        return format!("{number:.1} s");
    }
    let whole = duration.as_secs();
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours == 0 { format!("{minutes} min {rest} s") } else { format!("{} h {minutes} min", count(hours)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "case"), "1 case");
        assert_eq!(counted(0, "case"), "0 cases");
    }

    #[test]
    fn bytes_have_a_unit() {
        let shown = [0, 999, 1000, 1949, 99_999, 999_999, 1_000_000, 23_400_000_000, u64::MAX].map(bytes);
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "1.9 kB", "99 kB", "999 kB", "1.0 MB", "23 GB", "18,446,744 TB"]
        );
    }

    #[test]
    fn seconds_become_hours() {
        assert_eq!(
            [0.0, 59.94, 60.0, 3599.9, 3600.0, 1e7].map(seconds),
            ["0.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "2,777 h 46 min"]
        );
        assert_eq!(seconds(1e300), "1e300 s");
        assert_eq!(seconds(-1.0), "-1e0 s");
    }
}
