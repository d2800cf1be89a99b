//! The tree of a case → a case.

use super::frame::Frame;
use super::trouble::Troubles;
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::encoding::as_text;
use crate::scan::xml::tree::Element;
use crate::time::{parse_clock, parse_instant, parse_seconds};

/// Reads a `testcase` inside these suites.
pub(super) fn read<'xml>(element: Element<'xml>, frames: &'xml [Frame], out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(Outcome::Passed, element.offset());
    case.suite = frames.iter().flat_map(Frame::names).map(Text::Borrowed).collect();
    let said = attributes(element, &mut case, out);
    if case.file.is_none() {
        case.file = frames.iter().rev().find_map(|frame| frame.file.as_deref()).map(Text::Borrowed);
    }
    children(element, &mut case, said);
    case
}

/// Keeps what the attributes say; returns the outcome that they name.
///
/// What is not known here is kept as a property: `assertions`, `value_param` and `type_param`, what a test records.
fn attributes<'xml>(element: Element<'xml>, case: &mut Case<'xml>, out: &mut Out<'_>) -> Option<Outcome> {
    let mut said = None;
    let mut has_bad_time = false;
    let mut by_class = None;
    for (name, value) in element.attributes() {
        let value = value.read();
        match name {
            b"name" if case.name.is_none() => case.name = filled(value),
            b"classname" if case.class.is_none() => case.class = filled(value),
            b"class" if by_class.is_none() => by_class = filled(value),
            b"time" | b"duration" => {
                has_bad_time |= !time(&value, &mut case.seconds);
            }
            b"file" | b"filepath" if case.file.is_none() => case.file = filled(value),
            b"line" | b"lineno" if case.line.is_none() && value.trim().parse::<u64>().is_ok() => {
                case.line = value.trim().parse().ok();
            }
            b"timestamp" | b"started-at" if case.started.is_none() => match parse_instant(&value) {
                Some(started) => case.started = Some(started),
                None if value.trim().is_empty() => {}
                None => property(name, value, case),
            },
            b"status" | b"result" => match status(&value) {
                Status::Known(outcome) => said = said.max(outcome),
                Status::Unknown if value.trim().is_empty() => {}
                Status::Unknown => property(name, value, case),
            },
            b"disabled" | b"skipped" | b"ignored" | b"incomplete" if is_yes(&value) => {
                said = said.max(Some(Outcome::Skipped));
            }
            _ if value.trim().is_empty() => {}
            _ => property(name, value, case),
        }
    }
    if case.class.is_none() {
        case.class = by_class;
    }
    split_line(case);
    if has_bad_time && case.seconds.is_none() {
        out.finding(FindingCode::BadTime, element.offset());
    }
    said
}

/// Takes the line off a file that ends with it: `test/pond_test.exs:4` (`ExUnit`).
fn split_line(case: &mut Case<'_>) {
    if case.line.is_some() {
        return;
    }
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

/// Keeps seconds, the first that are some; reports whether the text is either seconds or blank.
fn time(raw: &str, seconds: &mut Option<f64>) -> bool {
    let read = parse_seconds(raw).or_else(|| parse_clock(raw));
    if seconds.is_none() {
        *seconds = read;
    }
    read.is_some() || raw.trim().is_empty()
}

fn property<'xml>(name: &'xml [u8], value: Text<'xml>, case: &mut Case<'xml>) {
    case.properties.push((as_text(name), value));
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
        None => as_text(element.name()),
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

fn filled(value: Text<'_>) -> Option<Text<'_>> {
    (!value.trim().is_empty()).then_some(value)
}
