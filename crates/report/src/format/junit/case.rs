//! A `testcase`, alone or with what is in it → a case.

use super::field::{Field, Fields};
use super::frame::Around;
use super::trouble::{self, Only, Troubles};
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::Span;
use crate::scan::xml::tree::{Element, Tag, is_blank};
use crate::time::{
    Instant, parse_clock, parse_instant, parse_plain_instant, parse_plain_seconds, parse_seconds,
    parse_short_number, parse_short_seconds,
};

/// What cases are read with, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    fields: Fields,
    /// An empty list with room for the names of suites.
    suite: Vec<Text<'static>>,
}

impl Kept {
    /// A case has been told: keeps the room that its list of suites takes.
    #[inline]
    pub(super) fn take_back(&mut self, suite: Vec<Text<'_>>) {
        // an empty list of texts that live longer, in the same room
        self.suite = suite.into_iter().map_while(|_| None).collect();
    }
}

/// Reads a `testcase` inside these suites into a new case.
pub(super) fn read<'xml>(
    element: Element<'xml>,
    around: &'xml Around,
    case: &mut Case<'xml>,
    kept: &mut Kept,
    out: &mut Out<'_>,
) {
    let said = read_tag(element.as_tag(), around, case, kept, out);
    children(element, case, said);
}

/// Reads a `testcase` in which nothing stands, or only this one element.
#[inline]
pub(super) fn read_plain<'xml>(
    tag: Tag<'xml>,
    only: Option<Only<'xml>>,
    around: &'xml Around,
    kept: &mut Kept,
    out: &mut Out<'_>,
) -> Case<'xml> {
    let Some(plain) = Plain::read(tag, &mut kept.fields) else {
        let mut case = Case::new(Outcome::Passed, tag.offset);
        case.outcome = read_tag(tag, around, &mut case, kept, out).unwrap_or(Outcome::Passed);
        if let Some(only) = only {
            (case.outcome, case.detail) = (only.outcome, only.detail());
        }
        return case;
    };
    let mut suite = std::mem::take(&mut kept.suite);
    for name in around.names() {
        suite.push(Text::Borrowed(name));
    }
    // each part is written where it is to stand, and once
    Case {
        suite,
        class: plain.class.map(Text::Borrowed),
        name: plain.name.map(Text::Borrowed),
        file: plain.file.or(around.file()).map(Text::Borrowed),
        line: plain.line,
        outcome: only.map_or(Outcome::Passed, |only| only.outcome),
        seconds: plain.seconds,
        started: plain.started,
        detail: only.map(Only::detail).unwrap_or_default(),
        stdout: None,
        stderr: None,
        properties: Vec::new(),
        tries: Vec::new(),
        ordinal: 0,
        offset: tag.offset,
    }
}

/// What a tag says that has the attributes that most have, as most have them.
struct Plain<'xml> {
    name: Option<&'xml str>,
    class: Option<&'xml str>,
    file: Option<&'xml str>,
    line: Option<u64>,
    seconds: Option<f64>,
    started: Option<Instant>,
}

impl<'xml> Plain<'xml> {
    /// Nothing where anything is not so.
    #[inline]
    fn read(tag: Tag<'xml>, fields: &mut Fields) -> Option<Self> {
        let places = fields.places(tag)?;
        let value = |place: usize| tag.attributes.get(place).map(|attribute| attribute.value);
        let raw = |span: Span| span.of(tag.window.as_bytes());
        // what the value begins with, and its length
        let short = |span: Span| {
            let rest = tag.window.as_bytes().get(span.start as usize..)?;
            Some((*rest.first_chunk()?, (span.end - span.start) as usize))
        };
        let text = |place: usize| match value(place) {
            Some(span) => tag.window.get(span.range()).map(|text| Some(text).filter(|text| !is_blank(text))),
            None => Some(None),
        };
        let seconds = match value(places.time) {
            Some(span) => Some(match short(span)? {
                (text, length @ 0..=8) => parse_short_seconds(text, length)?,
                _ => parse_plain_seconds(raw(span))?,
            }),
            None => None,
        };
        let line = match value(places.line) {
            Some(span) => {
                let (text, length) = short(span)?;
                match parse_short_number(text, length)? {
                    (line, None) => Some(u64::from(line)),
                    (_, Some(_)) => return None,
                }
            }
            None => None,
        };
        let started = match value(places.started) {
            Some(span) => Some(parse_plain_instant(raw(span))?),
            None => None,
        };
        let (name, class, file) = (text(places.name)?, text(places.class)?, text(places.file)?);
        let may_hold_line = line.is_none() && file.is_some_and(ends_with_digit);
        (!may_hold_line).then_some(Self { name, class, file, line, seconds, started })
    }
}

/// Reads what the tag says; returns the outcome that it names.
#[inline]
fn read_tag<'xml>(
    tag: Tag<'xml>,
    around: &'xml Around,
    case: &mut Case<'xml>,
    kept: &mut Kept,
    out: &mut Out<'_>,
) -> Option<Outcome> {
    case.suite = std::mem::take(&mut kept.suite);
    case.suite.extend(around.names().iter().map(|name| Text::Borrowed(name.as_str())));
    let said = attributes(tag, case, &mut kept.fields, out);
    if case.file.is_none() {
        case.file = around.file().map(Text::Borrowed);
    }
    said
}

/// Keeps what the attributes say; returns the outcome that they name.
///
/// What is not known here is kept as a property: `assertions`, `value_param` and `type_param`, what a test records.
#[inline]
fn attributes<'xml>(
    tag: Tag<'xml>,
    case: &mut Case<'xml>,
    fields: &mut Fields,
    out: &mut Out<'_>,
) -> Option<Outcome> {
    let mut said = None;
    let mut has_bad_time = false;
    let mut by_class = None;
    for (attribute, field) in tag.attributes.iter().zip(fields.of(tag)) {
        let value = attribute.read(tag.window);
        match field {
            Field::Name if case.name.is_none() => case.name = filled(value),
            Field::ClassName if case.class.is_none() => case.class = filled(value),
            Field::Class if by_class.is_none() => by_class = filled(value),
            Field::Time => has_bad_time |= !time(&value, &mut case.seconds),
            Field::File if case.file.is_none() => case.file = filled(value),
            Field::Line if case.line.is_none() => match parse_line(&value) {
                Some(line) => case.line = Some(line),
                None => property(attribute.local.text(tag.window), value, case),
            },
            Field::Started if case.started.is_none() => match parse_instant(&value) {
                Some(started) => case.started = Some(started),
                None => property(attribute.local.text(tag.window), value, case),
            },
            Field::Status => match status(&value) {
                Status::Known(outcome) => said = said.max(outcome),
                Status::Unknown => property(attribute.local.text(tag.window), value, case),
            },
            Field::Skipped if is_yes(&value) => said = said.max(Some(Outcome::Skipped)),
            _ => property(attribute.local.text(tag.window), value, case),
        }
    }
    if case.class.is_none() {
        case.class = by_class;
    }
    split_line(case);
    if has_bad_time && case.seconds.is_none() {
        out.finding(FindingCode::BadTime, tag.offset);
    }
    said
}

/// Takes the line off a file that ends with it: `test/pond_test.exs:4` (`ExUnit`).
#[inline]
fn split_line(case: &mut Case<'_>) {
    if case.line.is_none() && case.file.as_deref().is_some_and(ends_with_digit) {
        split_number(case);
    }
}

#[inline]
fn ends_with_digit(file: &str) -> bool {
    file.as_bytes().last().is_some_and(u8::is_ascii_digit)
}

fn split_number(case: &mut Case<'_>) {
    let place = case.file.as_deref().and_then(|file| file.rsplit_once(':'));
    let Some((length, line)) = place.and_then(|(file, line)| Some((file.len(), line.parse::<u64>().ok()?)))
    else {
        return;
    };
    if length > 0 {
        case.line = Some(line);
        match &mut case.file {
            Some(Text::Borrowed(file)) => *file = file.get(..length).unwrap_or_default(),
            Some(Text::Owned(file)) => file.truncate(length),
            None => {}
        }
    }
}

#[inline]
fn parse_line(raw: &str) -> Option<u64> {
    parse_plain_line(raw.as_bytes()).or_else(|| raw.trim().parse().ok())
}

/// Parses what most writers write: a few digits.
#[inline]
fn parse_plain_line(raw: &[u8]) -> Option<u64> {
    let digit = |byte: u8| Some(u64::from(byte.wrapping_sub(b'0'))).filter(|&digit| digit < 10);
    match raw {
        &[first, ref others @ ..] if others.len() < 8 => {
            others.iter().try_fold(digit(first)?, |line, &byte| Some(line * 10 + digit(byte)?))
        }
        _ => None,
    }
}

/// Keeps seconds, the first that are some; reports whether the text is either seconds or blank.
#[inline]
fn time(raw: &str, seconds: &mut Option<f64>) -> bool {
    let read = parse_seconds(raw).or_else(|| parse_clock(raw));
    if seconds.is_none() {
        *seconds = read;
    }
    read.is_some() || raw.trim().is_empty()
}

/// Keeps what is not blank.
#[inline(never)]
fn property<'xml>(name: Text<'xml>, value: Text<'xml>, case: &mut Case<'xml>) {
    if !is_blank(&value) {
        case.properties.push((name, value));
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "yes" | "1")
}

/// What a status says.
enum Status {
    /// An outcome, or nothing: that the test was run.
    Known(Option<Outcome>),
    Unknown,
}

/// Reads `status` or `result`: they count where no element inside the case says how it ended.
fn status(value: &str) -> Status {
    let word = value.trim();
    // the words are short, and most cases have none or `run`
    if word.len() > 16 {
        return Status::Unknown;
    }
    Status::Known(match word.to_ascii_lowercase().as_str() {
        "run" | "completed" | "passed" | "pass" | "ok" | "success" | "successful" => None,
        "notrun" | "not_run" | "not run" | "skipped" | "skip" | "disabled" | "ignored" | "ignore"
        | "suppressed" | "pending" | "todo" | "untested" | "inconclusive" => Some(Outcome::Skipped),
        "failed" | "fail" | "failure" => Some(Outcome::Failed),
        "error" | "errored" | "broken" | "crashed" | "timeout" | "timedout" | "aborted" => {
            Some(Outcome::Errored)
        }
        _ => return Status::Unknown,
    })
}

fn children<'xml>(element: Element<'xml>, case: &mut Case<'xml>, said: Option<Outcome>) {
    let mut of_case = element.children();
    let Some(only) = of_case.next() else {
        case.outcome = said.unwrap_or(Outcome::Passed);
        return;
    };
    if of_case.next().is_none() && trouble::tell_only(only, case) {
        return;
    }
    let mut troubles = Troubles::default();
    for child in element.children() {
        match child.name() {
            b"failure" => troubles.add(child, Some(Outcome::Failed)),
            b"error" => troubles.add(child, Some(Outcome::Errored)),
            b"skipped" | b"skip" | b"ignored" | b"disabled" | b"pending" => {
                troubles.add(child, Some(Outcome::Skipped));
            }
            b"warning" | b"risky" | b"passed" => troubles.add(child, None),
            b"flakyFailure" => troubles.add_before(child, Outcome::Failed),
            b"flakyError" => troubles.add_before(child, Outcome::Errored),
            b"rerun" => troubles.add_before(child, Outcome::Failed),
            b"rerunFailure" => troubles.add_again(child, Outcome::Failed),
            b"rerunError" => troubles.add_again(child, Outcome::Errored),
            b"system-out" => join(&mut case.stdout, child.filled_text()),
            b"system-err" => join(&mut case.stderr, child.filled_text()),
            b"time" => {
                time(&child.text(), &mut case.seconds);
            }
            b"properties" => properties(child, case),
            b"property" => one_property(child, case),
            _ => {}
        }
    }
    troubles.tell(case, said);
}

fn properties<'xml>(element: Element<'xml>, case: &mut Case<'xml>) {
    for child in element.children() {
        one_property(child, case);
    }
}

/// Keeps a name and a value: both attributes, or the value as text, or the name as the element's own.
fn one_property<'xml>(element: Element<'xml>, case: &mut Case<'xml>) {
    let name = match element.attribute("name") {
        Some(name) => name,
        None if element.is("property") => Text::Borrowed(""),
        None => element.name_text(),
    };
    let value = element.attribute("value").or_else(|| element.filled_text()).unwrap_or_default();
    if !(name.is_empty() && value.is_empty()) {
        case.properties.push((name, value));
    }
}

/// Adds a text on a line of its own.
pub(super) fn join<'xml>(known: &mut Option<Text<'xml>>, more: Option<Text<'xml>>) {
    match (known, more) {
        (Some(known), Some(more)) => {
            known.to_mut().push('\n');
            known.to_mut().push_str(&more);
        }
        (known @ None, more) => *known = more,
        (Some(_), None) => {}
    }
}

#[inline]
fn filled(value: Text<'_>) -> Option<Text<'_>> {
    (!is_blank(&value)).then_some(value)
}
