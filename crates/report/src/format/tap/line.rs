//! The lines of TAP.

use std::borrow::Cow;

use crate::time::parse_seconds;

/// A line, without its indentation.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'line> {
    /// `TAP version 14`.
    Version(u64),
    /// `1..5`, from the first number to the last; `1..0` where all is skipped.
    Plan(u64, u64),
    /// `ok 1 - name`.
    Point(Point<'line>),
    /// `# text`.
    Comment(&'line str),
    /// `Bail out!`.
    BailOut,
    /// `pragma +strict`.
    Pragma,
    /// Nothing of TAP.
    Other,
}

/// A test point.
#[derive(Debug, PartialEq)]
pub(super) struct Point<'line> {
    pub(super) is_ok: bool,
    pub(super) number: Option<u64>,
    /// As it is written, with its escapes.
    pub(super) name: &'line str,
    /// The word of a directive, and what stands behind it.
    pub(super) directive: Option<(Directive, &'line str)>,
    pub(super) seconds: Option<f64>,
    /// How the test's process ended, as the kernel's tests write it: `exit=1`.
    pub(super) exit: Option<&'line str>,
    /// Whether it ends in the `{` of a buffered subtest.
    pub(super) has_brace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Skip,
    Todo,
    /// The kernel's tests: it took too long.
    Timeout,
}

/// Reads a line that is not indented.
pub(super) fn read(line: &str) -> Line<'_> {
    let line = line.trim_end();
    if let Some(comment) = line.strip_prefix('#') {
        return Line::Comment(comment);
    }
    if let Some(point) = point(line) {
        return Line::Point(point);
    }
    if let Some((first, last)) = plan(line) {
        return Line::Plan(first, last);
    }
    if let Some(version) = version(line) {
        return Line::Version(version);
    }
    if line.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("Bail out!")) {
        return Line::BailOut;
    }
    match line.strip_prefix("pragma ") {
        Some(rest) if rest.starts_with(['+', '-']) => Line::Pragma,
        _ => Line::Other,
    }
}

/// Returns a line that begins in a colour without its colours.
pub(super) fn without_color(line: &str) -> Cow<'_, str> {
    if !line.starts_with("\u{1b}[") {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    for (index, part) in line.split("\u{1b}[").enumerate() {
        let code = part.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
        let rest = part.get(code..).unwrap_or_default();
        match rest.strip_prefix(['m', 'K']) {
            Some(text) if index > 0 => plain.push_str(text),
            _ => plain.push_str(part),
        }
    }
    Cow::Owned(plain)
}

/// Reports whether a line is the version, whatever the case of its letters.
pub(in crate::format) fn is_version(line: &str) -> bool {
    version(without_color(line).trim_end()).is_some()
}

/// Reports whether a line is a plan.
pub(in crate::format) fn is_plan(line: &str) -> bool {
    plan(without_color(line).trim_end()).is_some()
}

/// Reports whether a line can only be a test point: one with a number or a dash.
pub(in crate::format) fn is_point(line: &str) -> bool {
    let line = &*without_color(line);
    let rest = line.strip_prefix("not ").unwrap_or(line).strip_prefix("ok ");
    rest.is_some_and(|rest| rest.starts_with("- "))
        || point(line.trim_end()).is_some_and(|point| point.number.is_some())
}

fn version(line: &str) -> Option<u64> {
    // KTAP is the kernel's
    let line = line.strip_prefix('K').unwrap_or(line);
    let (word, number) = line.split_at_checked(12)?;
    word.eq_ignore_ascii_case("TAP version ").then(|| number.trim().parse().ok()).flatten()
}

fn plan(line: &str) -> Option<(u64, u64)> {
    let (first, rest) = line.split_once("..")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (last, rest) = rest.split_at_checked(digits)?;
    let rest = rest.trim_start();
    let is_end = rest.is_empty() || rest.starts_with('#') || rest.starts_with("todo");
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_end && is_number(first)).then(|| Some((first.parse().ok()?, last.parse().ok()?))).flatten()
}

fn point(line: &str) -> Option<Point<'_>> {
    let after_not = line.strip_prefix("not ");
    let rest = after_not.unwrap_or(line).strip_prefix("ok")?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t', '{'])) {
        return None;
    }
    let rest = rest.trim_start();
    let (number, rest) = number(rest);
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('-') {
        Some(name) if name.is_empty() || name.starts_with([' ', '\t']) => name,
        _ => rest,
    };
    let (rest, mut has_brace) = brace(rest);
    let mut point = Point {
        is_ok: after_not.is_none(),
        number,
        name: rest,
        directive: None,
        seconds: None,
        exit: None,
        has_brace: false,
    };
    let mut end = None;
    for (at, text) in hashes(rest) {
        let (word, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let directive = directive(word);
        if let Some(time) = word.strip_prefix("time=") {
            point.seconds = parse_seconds(time);
        } else if let Some(time) = reason.strip_suffix(" ms").filter(|_| word == "in") {
            // Bats
            point.seconds = parse_seconds(&format!("{time}ms"));
        } else if word.starts_with("exit=") {
            point.exit = Some(word);
        } else if let Some(directive) = directive.filter(|_| point.directive.is_none()) {
            let time = hashes(reason).find(|(_, text)| text.starts_with("time="));
            let reason = time.and_then(|(at, _)| reason.get(..at)).unwrap_or(reason);
            point.directive = Some((directive, reason.trim().trim_start_matches([':', '-']).trim()));
        } else {
            continue;
        }
        end = end.or(Some(at));
    }
    if let Some(name) = end.and_then(|end| rest.get(..end)) {
        let (name, is_before) = brace(name);
        point.name = name;
        has_brace |= is_before;
    }
    point.name = point.name.trim();
    point.has_brace = has_brace;
    Some(point)
}

fn directive(word: &str) -> Option<Directive> {
    let (start, rest) = word.split_at_checked(4)?;
    let is_end = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    match start {
        _ if start.eq_ignore_ascii_case("skip") => Some(Directive::Skip),
        _ if start.eq_ignore_ascii_case("todo") && is_end => Some(Directive::Todo),
        "XFAI" if rest == "L" => Some(Directive::Todo),
        "TIME" if rest == "OUT" => Some(Directive::Timeout),
        _ => None,
    }
}

/// Takes a number that ends where a word does.
fn number(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.split_at_checked(digits) {
        Some((number, rest)) if rest.is_empty() || rest.starts_with([' ', '\t', '{']) => match number.parse()
        {
            Ok(number) => (Some(number), rest),
            Err(_) => (None, text),
        },
        _ => (None, text),
    }
}

/// Takes the `{` of a buffered subtest off the end.
fn brace(text: &str) -> (&str, bool) {
    match text.trim_end().strip_suffix('{') {
        Some(before) if before.is_empty() || before.ends_with([' ', '\t']) => (before, true),
        _ => (text, false),
    }
}

/// Returns each `#` that may begin a directive, and the text behind it.
fn hashes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('#').filter_map(move |(at, _)| {
        let before = text.get(..at)?;
        let begins_word = before.is_empty() || before.ends_with([' ', '\t']);
        begins_word.then(|| text.get(at + 1..).map(|rest| (at, rest.trim_start())))?
    })
}

/// Reads the escapes of a name: `\#`, and `\\` from version 14 on.
pub(super) fn unescape(name: &str, version: u64) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        match after.chars().next() {
            Some('#') => out.push('#'),
            Some('\\') if version >= 14 => out.push('\\'),
            _ => {
                out.push('\\');
                rest = after;
                continue;
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_told_from_other_lines() {
        let name = |line| match read(line) {
            Line::Point(point) => format!(
                "{}{} {:?} {:?} {:?} {}",
                if point.is_ok { "" } else { "not " },
                point.number.map_or("-".to_owned(), |number| number.to_string()),
                point.name,
                point.directive,
                point.seconds,
                point.has_brace
            ),
            other => format!("{other:?}"),
        };
        let cases = [
            ("ok", r#"- "" None None false"#),
            ("ok 3 - a - b", r#"3 "a - b" None None false"#),
            ("not ok 4 name # time=12ms", r#"not 4 "name" None Some(0.012) false"#),
            ("ok 5 - n # time=1s {", r#"5 "n" None Some(1.0) true"#),
            ("ok 5 - n { # time=1s", r#"5 "n" None Some(1.0) true"#),
            ("ok 6 # skip no net", r#"6 "" Some((Skip, "no net")) None false"#),
            ("ok 6 - x # Skipped: y # time=2s", r#"6 "x" Some((Skip, "y")) Some(2.0) false"#),
            ("not ok 7 - later # TODO", r#"not 7 "later" Some((Todo, "")) None false"#),
            ("ok 8 - issue #12 and # TODOIST", r##"8 "issue #12 and # TODOIST" None None false"##),
            (r"ok 9 - a \# TODO b", r#"9 "a \\# TODO b" None None false"#),
            ("ok 99999999999999999999999", r#"- "99999999999999999999999" None None false"#),
            ("not ok 9 net: udp # TIMEOUT 45 s", r#"not 9 "net: udp" Some((Timeout, "45 s")) None false"#),
            ("ok 9 adds # in 12 ms", r#"9 "adds" None Some(0.012) false"#),
            ("not ok 9 net: udp # exit=1", r#"not 9 "net: udp" None None false"#),
            ("okay", "Other"),
            ("1..5", "Plan(1, 5)"),
            ("1..0 # SKIP none", "Plan(1, 0)"),
            ("1..5 times", "Other"),
            ("tap Version 13", "Version(13)"),
            ("KTAP version 1", "Version(1)"),
            ("bail out! no", "BailOut"),
            ("pragma +strict", "Pragma"),
        ];
        for (line, shown) in cases {
            assert_eq!(name(line), shown, "{line}");
        }
    }

    #[test]
    fn lines_of_plain_go_test_are_no_points_for_detection() {
        assert!(!is_point("ok  \texample.org/shop\t0.1s"));
        assert!(is_point("ok 1"));
        assert!(is_point("not ok - named"));
    }
}
