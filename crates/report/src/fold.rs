//! Folds what a parameter holds by chance into a fixed word, so that a test keeps its id.
//!
//! Off by default: a number that looks like an address may be what a test is about. Rules apply to the file, suites, class
//! and name that an id is made of, never to what is shown.

use std::borrow::Cow;

/// A rule that folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldRule {
    /// A path below a folder for temporary files becomes `<path>`.
    TemporaryPaths,
    /// A UUID becomes `<uuid>`.
    Uuids,
    /// A date with a time of day, 14 digits of one, or seconds or milliseconds since 1970 become `<time>`.
    Timestamps,
    /// `0x` and 6 to 16 hexadecimal digits become `<address>`.
    Addresses,
}

impl FoldRule {
    /// Every rule. At one place the first that finds something folds.
    pub const ALL: [Self; 4] = [Self::TemporaryPaths, Self::Uuids, Self::Timestamps, Self::Addresses];

    /// Returns the word for it in settings and in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TemporaryPaths => "temporary-paths",
            Self::Uuids => "uuids",
            Self::Timestamps => "timestamps",
            Self::Addresses => "addresses",
        }
    }

    const fn shown(self) -> &'static str {
        match self {
            Self::TemporaryPaths => "<path>",
            Self::Uuids => "<uuid>",
            Self::Timestamps => "<time>",
            Self::Addresses => "<address>",
        }
    }

    /// Returns how many bytes it folds at the begin of a text.
    fn length(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::TemporaryPaths => temporary_path(text),
            Self::Uuids => uuid(text),
            Self::Timestamps => timestamp(text),
            Self::Addresses => address(text),
        }
    }
}

/// Which parts of names are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fold {
    rules: u8,
}

impl Fold {
    /// No rule.
    pub const NOTHING: Self = Self { rules: 0 };
    /// All rules.
    pub const EVERYTHING: Self = Self { rules: 0b1111 };

    /// Adds a rule.
    #[must_use]
    pub const fn with(self, rule: FoldRule) -> Self {
        Self { rules: self.rules | 1 << rule as u8 }
    }

    /// Reports whether a rule is among them.
    pub const fn has(self, rule: FoldRule) -> bool {
        self.rules & 1 << rule as u8 != 0
    }

    /// Folds what the rules find, from the left to the right.
    ///
    /// # Examples
    /// ```
    /// use testlake_report::fold::{Fold, FoldRule};
    ///
    /// let fold = Fold::NOTHING.with(FoldRule::Addresses);
    /// assert_eq!(fold.apply("test[<A at 0x7f3c2a1b9d30>]"), "test[<A at <address>>]");
    /// assert_eq!(fold.apply("test[0xff]"), "test[0xff]");
    /// ```
    #[inline]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        if self == Self::NOTHING { text.into() } else { self.apply_some(text) }
    }

    fn apply_some(self, text: &str) -> Cow<'_, str> {
        let mut folded = String::new();
        let (mut kept, mut place) = (0, 0);
        let mut before = b' ';
        while let Some(rest @ [byte, ..]) = text.as_bytes().get(place..) {
            // inside a word nothing begins
            let found = if before.is_ascii_alphanumeric() { None } else { self.find(rest) };
            if let Some((length, shown)) = found {
                folded += text.get(kept..place).unwrap_or_default();
                folded += shown;
                place += length;
                kept = place;
                before = b' ';
            } else {
                place += 1;
                before = *byte;
            }
        }
        if kept == 0 {
            return text.into();
        }
        folded += text.get(kept..).unwrap_or_default();
        folded.into()
    }

    fn find(self, text: &[u8]) -> Option<(usize, &'static str)> {
        let mut rules = FoldRule::ALL.into_iter().filter(|&rule| self.has(rule));
        rules.find_map(|rule| Some((rule.length(text)?, rule.shown())))
    }
}

/// Reports whether a word ends after so many bytes.
fn ends_word(text: &[u8], length: usize) -> bool {
    text.get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// Folders for temporary files of Unix, macOS and Windows.
fn temporary_path(text: &[u8]) -> Option<usize> {
    const FOLDERS: [&[u8]; 5] =
        [b"/tmp/", b"/var/tmp/", b"/private/var/folders/", b"/var/folders/", b"/dev/shm/"];
    let path = text.iter().position(|byte| b" \t\n\r\"'`<>|,;()[]{}".contains(byte)).unwrap_or(text.len());
    let path = text.get(..path)?;
    let is_of_windows = || {
        let path: Vec<u8> =
            path.iter().take(200).map(|&byte| if byte == b'/' { b'\\' } else { byte }).collect();
        let [drive, b':', b'\\', ..] = path[..] else { return false };
        drive.is_ascii_alphabetic()
            && path.to_ascii_lowercase().windows(LOCAL_TEMP.len()).any(|part| part == LOCAL_TEMP)
    };
    (FOLDERS.iter().any(|folder| path.len() > folder.len() && path.starts_with(folder)) || is_of_windows())
        .then_some(path.len())
}

const LOCAL_TEMP: &[u8] = b"\\appdata\\local\\temp\\";

/// 8, 4, 4, 4 and 12 hexadecimal digits.
fn uuid(text: &[u8]) -> Option<usize> {
    const LENGTH: usize = 36;
    let is_one = text.get(..LENGTH)?.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (is_one && ends_word(text, LENGTH)).then_some(LENGTH)
}

fn address(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    ((6..=16).contains(&length) && ends_word(digits, length)).then_some(2 + length)
}

fn timestamp(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match (digits, text) {
        // 2001 to 2033 in seconds or milliseconds, the years 2000 to 2099 in 14 digits
        (10 | 13, [b'1', ..]) | (14, [b'2', b'0', ..]) => ends_word(text, digits).then_some(digits),
        (4, _) => date_and_time(text),
        _ => None,
    }
}

/// `2026-11-23T02:40:40.123Z`, with any one byte between date and time, and as far as it goes.
fn date_and_time(text: &[u8]) -> Option<usize> {
    const SHAPE: &[u8] = b"0000-00-00 00:00";
    let fits = |shape: &[u8], text: &[u8]| {
        text.len() >= shape.len()
            && shape.iter().zip(text).all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                b' ' => b"Tt _".contains(byte),
                b'+' => b"+-".contains(byte),
                b':' => b":-".contains(byte),
                other => other == byte,
            })
    };
    if !fits(SHAPE, text) {
        return None;
    }
    let mut length = SHAPE.len();
    let mut take = |shape: &[u8]| {
        let is_there = text.get(length..).is_some_and(|rest| fits(shape, rest));
        length += if is_there { shape.len() } else { 0 };
        is_there
    };
    if take(b":00") && take(b".0") {
        while take(b"0") {}
    }
    let _ = take(b"Z") || take(b"+00:00") || take(b"+0000");
    ends_word(text, length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(rule: FoldRule, text: &str) -> String {
        Fold::NOTHING.with(rule).apply(text).into_owned()
    }

    #[test]
    fn each_rule_folds_its_own_and_no_more() {
        use FoldRule::{Addresses, TemporaryPaths, Timestamps, Uuids};
        for (rule, text, want) in [
            (Addresses, "<A at 0x7f3c2a1b9d30>", "<A at <address>>"),
            (Addresses, "0xFFFFFF, 0xfffff", "<address>, 0xfffff"),
            (Addresses, "10x7f3c2a1b 0x7f3c2a1bg", "10x7f3c2a1b 0x7f3c2a1bg"),
            (Uuids, "[é-550e8400-e29b-41d4-a716-446655440000-é]", "[é-<uuid>-é]"),
            (Uuids, "550e8400-e29b-41d4-a716-4466554400001", "550e8400-e29b-41d4-a716-4466554400001"),
            (Timestamps, "at 2026-11-23T02:40:40.123Z!", "at <time>!"),
            (Timestamps, "2026-11-23 02:40+02:00 2026-11-23", "<time> 2026-11-23"),
            (Timestamps, "1795401640 1795401640123 20261123024040", "<time> <time> <time>"),
            (Timestamps, "2795401640 123456789012 30261123024040", "2795401640 123456789012 30261123024040"),
            (TemporaryPaths, "open(/tmp/pytest-of-root/pytest-12/x.txt)", "open(<path>)"),
            (TemporaryPaths, r"C:\Users\R\AppData\Local\Temp\a 1", "<path> 1"),
            (TemporaryPaths, "/tmp/ a/tmp/x tmp/x", "/tmp/ a/tmp/x tmp/x"),
        ] {
            assert_eq!(folded(rule, text), want, "{rule:?}");
        }
    }

    #[test]
    fn what_is_folded_stays_folded() {
        for text in ["0x7f3c2a1b9d30", "/tmp/0x7f3c2a1b9d30", "2026-11-23T02:40:40", "é", ""] {
            let once = Fold::EVERYTHING.apply(text).into_owned();
            assert_eq!(Fold::EVERYTHING.apply(&once), once);
        }
    }

    #[test]
    fn everything_is_every_rule() {
        assert_eq!(FoldRule::ALL.into_iter().fold(Fold::NOTHING, Fold::with), Fold::EVERYTHING);
        assert!(FoldRule::ALL.into_iter().all(|rule| Fold::EVERYTHING.has(rule)));
    }
}
