//! Numbers as Python reads and writes them, since the collections' readers grew up on Python's.

use std::fmt::Write as _;

/// Where each run of ten decimal digits begins (Unicode 14, general category Nd), beyond ASCII.
const DIGIT_ZEROS: [u32; 65] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0,
    0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50,
    0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140,
    0x1E2F0, 0x1E950, 0x1FBF0,
];

/// Reports whether Python's `str.isspace` holds of a character.
pub(crate) fn is_python_space(character: char) -> bool {
    matches!(character, '\x1C'..='\x1F') || character.is_whitespace()
}

/// Reports whether Python's `str.strip` would leave nothing of a text in UTF-8.
pub(crate) fn is_blank(text: &[u8]) -> bool {
    for (place, &byte) in text.iter().enumerate() {
        match byte {
            b' ' | b'\t'..=b'\r' | 0x1C..=0x1F => {}
            0x80.. => {
                let rest = text.get(place..).unwrap_or_default();
                return std::str::from_utf8(rest).is_ok_and(|rest| rest.chars().all(is_python_space));
            }
            _ => return false,
        }
    }
    true
}

/// Reads a number as Python's `float` does; `None` for what it refuses and for what is not finite.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let &first = text.first()?;
    // most values are words: out at the first byte
    if !(first.is_ascii_digit()
        || matches!(first, b'+' | b'-' | b'.' | b'\t'..=b'\r' | b' ' | 0x1C..=0x1F | 0x80..))
    {
        return None;
    }
    if text.is_ascii() {
        let is_space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
        let start = text.iter().position(|byte| !is_space(byte))?;
        let end = text.iter().rposition(|byte| !is_space(byte))?;
        return parse_ascii(text.get(start..=end)?);
    }
    let text = std::str::from_utf8(text).ok()?;
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        ascii.push(match character {
            '\0'..='\x7E' if !is_python_space(character) => character,
            _ if is_python_space(character) => ' ',
            _ => digit(character)?,
        });
    }
    parse_ascii(ascii.trim_matches(' ').as_bytes())
}

/// Returns the ASCII digit of a decimal digit beyond ASCII.
fn digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let run = DIGIT_ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?;
    char::from_digit(code - DIGIT_ZEROS.get(run)?, 10)
}

fn parse_ascii(text: &[u8]) -> Option<f64> {
    if let Some((mantissa, decimals)) = parse_short_decimal(text) {
        return Some(short_value(mantissa, decimals));
    }
    let text = std::str::from_utf8(text).ok()?;
    let number: f64 =
        if text.contains('_') { without_separators(text)?.parse() } else { text.parse() }.ok()?;
    number.is_finite().then_some(number)
}

/// Drops `_` where it stands between digits; `None` where one stands elsewhere.
fn without_separators(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    for character in text.chars() {
        if character == '_' {
            if !previous.is_ascii_digit() {
                return None;
            }
        } else {
            if previous == '_' && !character.is_ascii_digit() {
                return None;
            }
            out.push(character);
        }
        previous = character;
    }
    (previous != '_').then_some(out)
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads `12`, `12.`, `.5`, `12.5` of at most 15 digits: (all digits as a number, how many stand after the point).
#[inline]
fn parse_short_decimal(text: &[u8]) -> Option<(u64, usize)> {
    // 15 digits and a point
    if text.len() > 16 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut digits = 0_usize;
    let mut point = None;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    if digits == 0 || digits > 15 {
        return None;
    }
    Some((mantissa, point.map_or(0, |before| digits - before)))
}

/// Exact: both are integers below 2^53, and a division of two exact doubles is rounded once.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "below 10^15, which a double holds exactly")]
fn short_value(mantissa: u64, decimals: usize) -> f64 {
    mantissa as f64 / POWERS.get(decimals).copied().unwrap_or(1.0)
}

/// Adds a number as Python's `repr` writes it: the shortest digits that read back as the same double.
pub(crate) fn write_float(number: f64, into: &mut Vec<u8>) {
    let shortest = Short::of(format_args!("{number:e}"));
    let text = shortest.text();
    let mark = text.iter().rposition(|&byte| byte == b'e').unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at_checked(mark).unwrap_or_default();
    let exponent: i32 = exponent
        .get(1..)
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .unwrap_or_default();
    let mantissa = match mantissa.strip_prefix(b"-") {
        Some(rest) => {
            into.push(b'-');
            rest
        }
        None => mantissa,
    };
    let (first, rest) = mantissa.split_at_checked(1).unwrap_or_default();
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    if (-4..16).contains(&exponent) {
        write_positional(first, rest, exponent, into);
    } else {
        into.extend_from_slice(mantissa);
        into.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let exponent = exponent.unsigned_abs();
        if exponent < 10 {
            into.push(b'0');
        }
        into.extend_from_slice(exponent.to_string().as_bytes());
    }
}

/// Adds the digits `first` and `rest`, the first of which stands for 10^`exponent`, with a point and at least one digit on each
/// side.
fn write_positional(first: &[u8], rest: &[u8], exponent: i32, into: &mut Vec<u8>) {
    let Ok(whole) = usize::try_from(exponent) else {
        into.extend_from_slice(b"0.");
        let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
        into.extend(std::iter::repeat_n(b'0', zeros));
        into.extend_from_slice(first);
        into.extend_from_slice(rest);
        return;
    };
    into.extend_from_slice(first);
    let (before, after) = rest.split_at(whole.min(rest.len()));
    into.extend_from_slice(before);
    into.extend(std::iter::repeat_n(b'0', whole - before.len()));
    into.push(b'.');
    into.extend_from_slice(if after.is_empty() { b"0" } else { after });
}

/// A short text without an allocation: a number's, which has at most 20 digits, a sign, a point and an exponent.
#[derive(Debug, Default)]
struct Short {
    bytes: [u8; 32],
    length: usize,
}

impl Short {
    fn of(text: std::fmt::Arguments<'_>) -> Self {
        let mut short = Self::default();
        let is_whole = short.write_fmt(text).is_ok();
        debug_assert!(is_whole, "a number is longer than any can be");
        short
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Adds a count.
pub(crate) fn write_count(count: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(Short::of(format_args!("{count}")).text());
}

/// Adds `text` as a number where [`parse_float`] reads one, and returns the number.
///
/// A short decimal is written from its own digits: up to 15 of them are the shortest that read back as its double.
#[inline]
pub(crate) fn write_if_float(text: &[u8], into: &mut Vec<u8>) -> Option<f64> {
    if let Some((mantissa, decimals)) = parse_short_decimal(text) {
        let number = short_value(mantissa, decimals);
        if mantissa == 0 {
            into.extend_from_slice(b"0.0");
        } else if number >= 1e-4 {
            write_short(text, into);
        } else {
            write_float(number, into);
        }
        return Some(number);
    }
    let number = parse_float(text)?;
    write_float(number, into);
    Some(number)
}

/// Adds a short decimal without the zeros around it that mean nothing.
#[inline]
fn write_short(text: &[u8], into: &mut Vec<u8>) {
    let point = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point).unwrap_or((text, &[]));
    let fraction = fraction.get(1..).unwrap_or_default();
    let zeros = whole.iter().take_while(|&&byte| byte == b'0').count();
    match whole.get(zeros..) {
        Some(digits) if !digits.is_empty() => into.extend_from_slice(digits),
        _ => into.push(b'0'),
    }
    into.push(b'.');
    let kept = fraction.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
    match fraction.get(..kept) {
        Some(digits) if !digits.is_empty() => into.extend_from_slice(digits),
        _ => into.push(b'0'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn repr(number: f64) -> String {
        let mut out = Vec::new();
        write_float(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_written_as_python_does() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (10.0, "10.0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (12_345_678_901_234_567.0, "1.2345678901234568e+16"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (123.456, "123.456"),
            (-1234.5, "-1234.5"),
        ] {
            assert_eq!(repr(number), text);
        }
    }

    #[test]
    fn what_python_reads_is_read() {
        for (text, number) in [
            ("10", 10.0),
            (" 12\n", 12.0),
            ("1_000", 1000.0),
            ("1_0.5_0", 10.5),
            ("+5", 5.0),
            ("1e5", 1e5),
            (".5", 0.5),
            ("5.", 5.0),
            ("١٢", 12.0),
            ("１２.5", 12.5),
            ("\u{A0}5\u{2028}", 5.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(number), "{text:?}");
        }
        for text in [
            "",
            " ",
            "1__0",
            "_1",
            "1_",
            "1_.5",
            "0x10",
            "nan",
            "inf",
            "-Infinity",
            "1e400",
            ".",
            "1,5",
            "1.2.3",
            "1e",
            "½",
            "1 2",
        ] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_writes_what_the_long_way_does(whole in "[0-9]{0,8}", point in "\\.?", fraction in "[0-9]{0,8}") {
            let text = format!("{whole}{point}{fraction}");
            let mut short = Vec::new();
            let number = write_if_float(text.as_bytes(), &mut short);
            prop_assert_eq!(number, text.parse::<f64>().ok());
            if let Some(number) = number {
                prop_assert_eq!(String::from_utf8(short).unwrap(), repr(number));
            }
        }

        #[test]
        fn what_is_written_reads_back(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(repr(number).parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
