//! Parsers of settings' values: from a word to a type, with a message where that fails.
//!
//! Flags, environment and file share them. Messages are lower case without a full stop, and say what is wanted.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::ValueEnum;
use globset::{Glob, GlobBuilder};
use regex::Regex;
use testlake_collect::redact::OwnPattern;
use testlake_collect::run::AttemptChoice;
use testlake_collect::source::Layout;
use testlake_report::Fold;
use testlake_report::fold::FoldRule;

/// A setting's parser.
pub(crate) type Parser<T> = fn(&str) -> Result<T, String>;

/// Parses a switch.
pub(crate) fn switch(word: &str) -> Result<bool, String> {
    match word {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("`{word}` is neither `true` nor `false`")),
    }
}

/// Parses how much is logged.
pub(crate) fn verbosity(word: &str) -> Result<u8, String> {
    match word.parse() {
        Ok(level @ 0..=3) => Ok(level),
        _ => Err(format!("`{word}` is no number from 0 to 3")),
    }
}

/// Parses a text that is not empty.
pub(crate) fn text(word: &str) -> Result<String, String> {
    if word.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(word.to_owned()) }
}

/// Parses a number that has an upper bound: what each one more takes is bounded by nothing else.
pub(crate) fn count<const MOST: usize>(word: &str) -> Result<NonZeroUsize, String> {
    let number = word.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MOST);
    number.ok_or_else(|| format!("`{word}` is no whole number from 1 to {MOST}"))
}

/// Parses a cap on a number.
pub(crate) fn cap(word: &str) -> Result<NonZeroU64, String> {
    word.parse().map_err(|_| format!("`{word}` is no whole number from 1 on"))
}

/// Parses an attempt's number.
pub(crate) fn attempt_number(word: &str) -> Result<NonZeroU32, String> {
    word.parse().map_err(|_| format!("`{word}` is no attempt: a whole number from 1 on"))
}

/// Parses which attempts.
pub(crate) fn attempts(word: &str) -> Result<AttemptChoice, String> {
    match word {
        "latest" => Ok(AttemptChoice::Latest),
        "all" => Ok(AttemptChoice::All),
        _ => match attempt_number(word) {
            Ok(number) => Ok(AttemptChoice::Number(number.get())),
            Err(_) => Err(format!("`{word}` is none of: a whole number from 1 on, `latest`, `all`")),
        },
    }
}

/// Parses a size in bytes.
pub(crate) fn size(word: &str) -> Result<NonZeroU64, String> {
    let wanted = || format!("`{word}` is no size; one reads `16GiB`, `500MB` or a number of bytes");
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(wanted()),
    };
    number.checked_mul(factor).and_then(NonZeroU64::new).ok_or_else(wanted)
}

/// Parses a size of at most so many GiB.
pub(crate) fn size_to<const GIB: u64>(word: &str) -> Result<NonZeroU64, String> {
    let size = size(word)?;
    if size.get() > GIB << 30 {
        Err(format!("`{word}` is more than {GIB}GiB, the most there can be"))
    } else {
        Ok(size)
    }
}

/// Parses a length of time.
pub(crate) fn duration(word: &str) -> Result<Duration, String> {
    let wanted = || format!("`{word}` is no length of time; one reads `30s`, `10min` or `1h`");
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let factor = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wanted()),
    };
    // A year: far from where clocks overflow.
    match number.checked_mul(factor) {
        Some(seconds @ 0..=31_536_000) => Ok(Duration::from_secs(seconds)),
        _ => Err(wanted()),
    }
}

/// Parses a length of time that may be days: how old something is.
pub(crate) fn span(word: &str) -> Result<Duration, String> {
    let wanted = || format!("`{word}` is no length of time; one reads `12h` or `30d`");
    let Some(days) = word.strip_suffix('d') else { return duration(word).map_err(|_| wanted()) };
    // A hundred years: far from where clocks overflow.
    match days.trim_end().parse::<u64>() {
        Ok(days @ 0..=36_500) if !word.starts_with('+') => Ok(Duration::from_secs(days * 86_400)),
        _ => Err(wanted()),
    }
}

/// Parses how long something may take: longer than nothing.
pub(crate) fn time_limit(word: &str) -> Result<Duration, String> {
    match duration(word)? {
        Duration::ZERO => Err(format!("`{word}` leaves no time at all; leave it out for no limit")),
        limit => Ok(limit),
    }
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Duration),
    /// The beginning of a day, UTC: year, month, day.
    Day(u16, u8, u8),
}

/// Parses from when on: how long ago, or a day.
pub(crate) fn since(word: &str) -> Result<Since, String> {
    if let Ok(span) = span(word) {
        return Ok(Since::Ago(span));
    }
    let wanted =
        || format!("`{word}` is neither a length of time, as `7d` or `12h`, nor a day, as `2026-11-01`");
    let parts: Vec<_> = word.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(wanted()) };
    let is_plain = |part: &&str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    if !(is_plain(year, 4) && is_plain(month, 2) && is_plain(day, 2)) {
        return Err(wanted());
    }
    let year: u16 = year.parse().map_err(|_| wanted())?;
    let month: u8 = month.parse().map_err(|_| wanted())?;
    let day: u8 = day.parse().map_err(|_| wanted())?;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(&day) { Ok(Since::Day(year, month, day)) } else { Err(wanted()) }
}

/// Parses a name and a value: of one line, without control characters, as they become data.
pub(crate) fn tag(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !word.contains(char::is_control) => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{word}` is no tag; one reads `suite=unit`")),
    }
}

/// The value of a question's parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ParameterValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// Yes or no.
    Boolean(bool),
}

/// Parses a parameter: `name=text`, `name:int=5`.
pub(crate) fn parameter(word: &str) -> Result<(String, ParameterValue), String> {
    let wanted = || format!("`{word}` is no parameter; one reads `name=value` or `name:int=5`");
    let (name, value) = word.split_once('=').ok_or_else(wanted)?;
    let (name, kind) = name.split_once(':').unwrap_or((name, "text"));
    let name = name.strip_prefix('$').unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name {
        return Err(wanted());
    }
    let no = |kind: &str| format!("`{value}` is no {kind}");
    let value = match kind {
        "text" => ParameterValue::Text(value.to_owned()),
        "int" => ParameterValue::Integer(value.parse().map_err(|_| no("whole number"))?),
        "double" => ParameterValue::Double(value.parse().map_err(|_| no("number"))?),
        "bool" => ParameterValue::Boolean(switch(value)?),
        _ => return Err(format!("`{kind}` is none of: `text`, `int`, `double`, `bool`")),
    };
    Ok((name.to_owned(), value))
}

/// Parses `owner/name`.
pub(crate) fn repo(word: &str) -> Result<String, String> {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match word.split('/').collect::<Vec<_>>().as_slice() {
        [owner, name] if plain(owner) && plain(name) => Ok(word.to_owned()),
        _ => Err(format!("`{word}` is no repository; one reads `owner/name`")),
    }
}

/// Parses a run's id: a number or a UUID, any text that can be a part of a key.
pub(crate) fn run_id(word: &str) -> Result<String, String> {
    let plain = !matches!(word, "" | "." | "..")
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
    if plain { Ok(word.to_owned()) } else { Err(format!("`{word}` is no run's id")) }
}

/// Parses a commit's hash, whole or its beginning.
pub(crate) fn commit(word: &str) -> Result<String, String> {
    let is_hash = (7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(word.to_ascii_lowercase()) } else { Err(format!("`{word}` is no commit's hash")) }
}

/// Parses a pull request's number.
pub(crate) fn pull_request(word: &str) -> Result<NonZeroU64, String> {
    word.parse().map_err(|_| format!("`{word}` is no pull request: a whole number from 1 on"))
}

/// Parses a point in time, into milliseconds since 1970.
pub(crate) fn time(word: &str) -> Result<i64, String> {
    let time = testlake_report::time::parse_instant(word).filter(|time| time.has_zone);
    time.map(|time| time.unix_ms)
        .ok_or_else(|| format!("`{word}` is no time with a zone; one reads `2026-11-23T02:40:40Z`"))
}

/// Parses a project's slug at CircleCI.
pub(crate) fn project_slug(word: &str) -> Result<String, String> {
    match word.split('/').collect::<Vec<_>>().as_slice() {
        [vcs, owner, name] if ![vcs, owner, name].iter().any(|part| part.is_empty()) => Ok(word.to_owned()),
        _ => Err(format!("`{word}` is no project's slug; one reads `gh/owner/name`")),
    }
}

/// Parses a pattern of artifacts' names: `*` for any characters, `?`, `[...]` and `{a,b}` as in a shell.
pub(crate) fn glob(word: &str) -> Result<Glob, String> {
    GlobBuilder::new(word).build().map_err(|e| format!("`{word}` is no pattern: {}", e.kind()))
}

/// Parses a regular expression.
pub(crate) fn regex(word: &str) -> Result<Regex, String> {
    Regex::new(word).map_err(|e| e.to_string())
}

/// Parses a pattern of secrets.
pub(crate) fn own_pattern(word: &str) -> Result<OwnPattern, String> {
    OwnPattern::parse(word).map_err(|error| match std::error::Error::source(&error) {
        Some(why) => format!("{error}: {why}"),
        None => error.to_string(),
    })
}

/// Parses the template of a bucket's keys.
pub(crate) fn layout(word: &str) -> Result<Layout, String> {
    Layout::parse(word).map_err(|e| e.to_string())
}

/// Parses rules that fold, with commas between.
pub(crate) fn fold(word: &str) -> Result<Fold, String> {
    if word == "all" {
        return Ok(Fold::EVERYTHING);
    }
    word.split(',').map(str::trim).try_fold(Fold::NOTHING, |fold, word| {
        let rule = FoldRule::ALL.into_iter().find(|rule| rule.as_str() == word);
        rule.map(|rule| fold.with(rule)).ok_or_else(|| {
            let known = FoldRule::ALL.map(|rule| format!("`{}`", rule.as_str())).join(", ");
            format!("`{word}` is none of: {known}, `all`")
        })
    })
}

/// Parses one of a few words.
pub(crate) fn word<T: ValueEnum>(word: &str) -> Result<T, String> {
    T::from_str(word, false).map_err(|_| {
        let known: Vec<_> = T::value_variants()
            .iter()
            .filter_map(T::to_possible_value)
            .map(|v| format!("`{}`", v.get_name()))
            .collect();
        format!("`{word}` is none of: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes() {
        let bytes = |word: &str| size(word).map(NonZeroU64::get).ok();
        assert_eq!(bytes("1"), Some(1));
        assert_eq!(bytes("64MiB"), Some(64 << 20));
        assert_eq!(bytes("2 GB"), Some(2_000_000_000));
        assert_eq!(bytes("3g"), Some(3 << 30));
        for word in ["", "0", "MiB", "1.5GiB", "-1", "+1", "1e9", "99999999TiB", "1 potato", "１"] {
            assert_eq!(bytes(word), None, "{word}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_with_the_most_there_can_be() {
        assert_eq!(count::<64>("64").map(NonZeroUsize::get), Ok(64));
        for word in ["0", "65", "-1", "", "1.0", "18446744073709551615", "18446744073709551616"] {
            assert_eq!(count::<64>(word), Err(format!("`{word}` is no whole number from 1 to 64")));
        }
        assert_eq!(size_to::<1>("1GiB").map(NonZeroU64::get), Ok(1 << 30));
        assert_eq!(
            size_to::<1>("1073741825"),
            Err("`1073741825` is more than 1GiB, the most there can be".to_owned())
        );
    }

    #[test]
    fn a_length_of_time_has_a_unit() {
        let seconds = |word: &str| duration(word).map(|length| length.as_secs()).ok();
        assert_eq!(["0s", "30s", "10 min", "2h"].map(seconds), [Some(0), Some(30), Some(600), Some(7200)]);
        for word in ["", "30", "s", "1d", "-1s", "1.5h", "99999999999999999999s", "9000h"] {
            assert_eq!(seconds(word), None, "{word}");
        }
    }

    #[test]
    fn a_span_may_be_days_and_a_limit_is_more_than_nothing() {
        assert_eq!(span("30d").map(|span| span.as_secs()), Ok(2_592_000));
        assert_eq!(span("12h").map(|span| span.as_secs()), Ok(43_200));
        for word in ["", "d", "-1d", "+1d", "1.5d", "36501d", "30"] {
            assert!(span(word).is_err(), "{word}");
        }
        assert!(time_limit("1s").is_ok() && time_limit("0s").is_err());
    }

    #[test]
    fn since_is_a_span_or_a_day_that_there_is() {
        assert_eq!(since("2026-11-01"), Ok(Since::Day(2026, 11, 1)));
        assert_eq!(since("2024-02-29"), Ok(Since::Day(2024, 2, 29)));
        assert_eq!(since("1h"), Ok(Since::Ago(Duration::from_hours(1))));
        for word in ["2026-02-29", "2026-13-01", "2026-1-1", "2026-11-00", "yesterday", "2026-11-01'; --"] {
            assert!(since(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_tag_is_a_name_and_a_value() {
        assert_eq!(tag("suite=a=b"), Ok(("suite".to_owned(), "a=b".to_owned())));
        assert_eq!(tag("suite="), Ok(("suite".to_owned(), String::new())));
        for word in ["suite", "=x", " =x", "a=b\u{1b}"] {
            assert!(tag(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_parameter_has_a_type() {
        let parsed = |word: &str| parameter(word).map(|(name, value)| format!("{name} {value:?}"));
        assert_eq!(parsed("test=a=b").as_deref(), Ok("test Text(\"a=b\")"));
        assert_eq!(parsed("$n:int=5").as_deref(), Ok("n Integer(5)"));
        assert_eq!(parsed("x:double=0.5").as_deref(), Ok("x Double(0.5)"));
        assert_eq!(parsed("b:bool=true").as_deref(), Ok("b Boolean(true)"));
        for word in ["n", "=1", "n:int=x", "n:date=1", "a b=1"] {
            assert!(parsed(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_repository_is_an_owner_and_a_name() {
        assert!(repo("pytorch/pytorch").is_ok());
        for word in ["", "pytorch", "/x", "x/", "a/b/c", "../x", "a/..", "a b/c", "o/\u{202e}r"] {
            assert!(repo(word).is_err(), "{word}");
        }
    }

    #[test]
    fn attempts_are_a_number_or_a_word() {
        assert_eq!(attempts("3"), Ok(AttemptChoice::Number(3)));
        assert_eq!(attempts("all"), Ok(AttemptChoice::All));
        for word in ["0", "-1", "first", "4294967296"] {
            assert!(attempts(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_wrong_pattern_is_refused() {
        assert!(glob("test-*.zip").is_ok());
        assert!(glob("[").is_err());
        assert!(regex("(").is_err());
        assert!(run_id("../x").is_err());
        assert!(project_slug("gh/o").is_err());
        assert_eq!(commit("C0FFEE1").as_deref(), Ok("c0ffee1"));
        for word in ["", "HEAD", "c0ffee", "c0ffee1 ", &"a".repeat(65)] {
            assert!(commit(word).is_err(), "{word}");
        }
        assert!(pull_request("0").is_err());
        assert_eq!(time("1970-01-01T01:00:01+01:00"), Ok(1000));
        assert!(time("1970-01-01T00:00:01").is_err());
    }

    #[test]
    fn rules_that_fold_have_commas_between() {
        let two = Fold::NOTHING.with(FoldRule::Uuids).with(FoldRule::Addresses);
        assert_eq!(fold("uuids, addresses"), Ok(two));
        assert_eq!(fold("all"), Ok(Fold::EVERYTHING));
        for word in ["", "uuid", "uuids,", "all,uuids"] {
            assert!(fold(word).is_err(), "{word}");
        }
    }
}
