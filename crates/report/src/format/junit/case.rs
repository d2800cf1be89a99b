//! The tree of a case → a case.

use super::reader::Frame;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{parse_instant, parse_seconds};

/// Reads a `testcase` inside these suites.
pub(super) fn read<'xml>(element: Element<'xml>, frames: &[Frame], out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(Outcome::Passed, element.offset());
    case.suite = frames.iter().filter_map(|frame| frame.name.clone()).map(Text::Owned).collect();
    let mut status = None;
    for (name, value) in element.attributes() {
        match name {
            b"name" => case.name = filled(value.read()),
            b"classname" | b"class" => case.class = filled(value.read()),
            b"time" | b"duration" => {
                let raw = value.read();
                case.seconds = parse_seconds(&raw);
                if case.seconds.is_none() && !raw.trim().is_empty() {
                    out.finding(FindingCode::BadTime, element.offset());
                }
            }
            b"file" | b"filepath" => case.file = filled(value.read()),
            b"line" | b"lineno" => case.line = value.read().trim().parse().ok(),
            b"timestamp" | b"started-at" => case.started = parse_instant(&value.read()),
            b"status" | b"result" => status = Some(value.read()),
            _ => {}
        }
    }
    if case.file.is_none() {
        case.file = frames.iter().rev().find_map(|frame| frame.file.clone()).map(Text::Owned);
    }
    if let Some("notrun" | "skipped" | "disabled" | "ignored") = status.as_deref() {
        case.outcome = Outcome::Skipped;
    }
    children(element, &mut case);
    case
}

fn children<'xml>(element: Element<'xml>, case: &mut Case<'xml>) {
    let mut before = Vec::new();
    for child in element.children() {
        match child.name() {
            b"failure" => trouble(child, Outcome::Failed, case),
            b"error" => trouble(child, Outcome::Errored, case),
            b"skipped" | b"ignored" | b"disabled" => trouble(child, Outcome::Skipped, case),
            b"flakyFailure" | b"rerunFailure" | b"rerun" => before.push(one_try(child, Outcome::Failed)),
            b"flakyError" | b"rerunError" => before.push(one_try(child, Outcome::Errored)),
            b"system-out" => join(&mut case.stdout, child.filled_text()),
            b"system-err" => join(&mut case.stderr, child.filled_text()),
            b"properties" => {
                let properties = child.children_named("property");
                case.properties.extend(properties.filter_map(|property| {
                    let value = property.attribute("value").unwrap_or_else(|| property.text());
                    Some((property.attribute("name")?, value))
                }));
            }
            _ => {}
        }
    }
    if !before.is_empty() {
        before.push(Try { outcome: case.outcome, seconds: case.seconds, detail: case.detail.clone() });
        case.tries = before;
    }
}

fn trouble<'xml>(element: Element<'xml>, outcome: Outcome, case: &mut Case<'xml>) {
    if case.detail.is_empty() {
        case.detail = detail(element);
    }
    case.outcome = case.outcome.max(outcome);
}

fn one_try(element: Element<'_>, outcome: Outcome) -> Try<'_> {
    Try {
        outcome,
        seconds: element.attribute("time").and_then(|time| parse_seconds(&time)),
        detail: detail(element),
    }
}

fn detail(element: Element<'_>) -> Detail<'_> {
    Detail { kind: element.filled("type"), message: element.filled("message"), text: element.filled_text() }
}

fn join<'xml>(known: &mut Option<Text<'xml>>, more: Option<Text<'xml>>) {
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
