//! An entry → a case.

use std::borrow::Cow;

use testlake_report::model::{Detail, Try};
use testlake_report::time::parse_instant;
use testlake_report::{Case, Outcome};

use super::suites::Around;
use super::tree::Node;

/// A number of seconds: character by character.
fn seconds(raw: &str) -> Option<f64> {
    let raw = raw.trim();
    if let [hours, minutes, rest] = raw.split(':').collect::<Vec<_>>()[..] {
        return Some(
            f64::from(hours.parse::<u32>().ok()?) * 3600.0
                + f64::from(minutes.parse::<u32>().ok()?) * 60.0
                + seconds(rest)?,
        );
    }
    let body = raw.trim_end_matches(|character: char| character.is_alphabetic());
    let factor = match raw.strip_prefix(body)? {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        _ => return None,
    };
    let body = body.trim_end();
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let comma = mantissa.rfind(',');
    let plain = match (comma, mantissa.rfind('.')) {
        (Some(comma), Some(dot)) if comma > dot => mantissa.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => mantissa.replace(',', ""),
        (Some(_), None) => {
            let groups: Vec<&str> = mantissa.split(',').collect();
            let is_grouped = groups[1..].iter().all(|group| group.len() == 3);
            if is_grouped && (1..=3).contains(&groups[0].len()) && groups[0] != "0" {
                mantissa.replace(',', "")
            } else {
                [groups[..groups.len() - 1].join(","), groups[groups.len() - 1].to_owned()].join(".")
            }
        }
        (None, _) => mantissa.to_owned(),
    };
    if plain.is_empty() || !plain.bytes().all(|byte| b"0123456789.+-".contains(&byte)) {
        return None;
    }
    let number: f64 = format!("{plain}e{exponent}").parse().ok()?;
    let number = number * factor;
    (number.is_finite() && number >= 0.0).then_some(number.abs())
}

pub(super) fn own(text: String) -> Cow<'static, str> {
    Cow::Owned(text)
}

pub(super) fn lines(texts: impl Iterator<Item = Cow<'static, str>>) -> Option<Cow<'static, str>> {
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| own(texts.join("\n")))
}

const STACK: [&str; 4] = ["stackTrace", "system-out", "system-err", "message"];

fn detail(source: &str, element: &Node) -> Detail<'static> {
    let stack = element.child("stackTrace").and_then(Node::plain);
    let texts: Vec<String> = element.text(Some(source), &STACK).into_iter().chain(stack).collect();
    let message = element.filled("message").or_else(|| element.child("message").and_then(Node::plain));
    Detail {
        kind: element.filled("type").map(own),
        message: message.map(own),
        text: (!texts.is_empty()).then(|| own(texts.join("\n\n"))),
    }
}

/// The first one's kind and message; behind its text the others' messages and texts.
pub(super) fn all(details: Vec<Detail<'static>>) -> Detail<'static> {
    let mut details = details.into_iter().skip_while(Detail::is_empty);
    let mut first = details.next().unwrap_or_default();
    let mut blocks: Vec<String> = first.text.iter().map(|text| text.to_string()).collect();
    for other in details {
        let text = other.text.as_deref().unwrap_or_default();
        let message = other.message.as_deref().filter(|message| !text.contains(message));
        let parts: Vec<&str> =
            message.into_iter().chain(Some(text).filter(|text| !text.is_empty())).collect();
        if !parts.is_empty() {
            blocks.push(parts.join("\n"));
        }
    }
    first.text = (!blocks.is_empty()).then(|| own(blocks.join("\n\n")));
    first
}

fn said(element: &Node) -> (Option<Outcome>, Vec<&str>) {
    let mut outcome = None;
    let mut unknown = Vec::new();
    for name in element.attributes.iter().map(|(name, _)| name.as_str()) {
        let word = element.get(name).unwrap().trim().to_lowercase();
        let one = match (name, word.as_str()) {
            ("status" | "result", "run" | "completed" | "passed" | "pass" | "ok" | "success" | "") => None,
            (
                "status" | "result",
                "notrun" | "skipped" | "disabled" | "suppressed" | "ignored" | "untested",
            ) => Some(Outcome::Skipped),
            ("status" | "result", "failed" | "fail") => Some(Outcome::Failed),
            ("status" | "result", "errored" | "error") => Some(Outcome::Errored),
            ("status" | "result", _) => {
                unknown.push(name);
                None
            }
            ("disabled" | "skipped" | "ignored" | "incomplete", "true" | "yes" | "1") => {
                Some(Outcome::Skipped)
            }
            _ => None,
        };
        // skipped before errored before failed
        outcome = outcome.max(one);
    }
    (outcome, unknown)
}

pub(super) fn case(source: &str, element: &Node, around: &Around) -> Case<'static> {
    let mut case = Case::new(Outcome::Passed, element.start as u64);
    case.suite = around.suites.iter().cloned().map(own).collect();
    case.name = element.filled("name").map(own);
    case.class = element.filled("classname").or_else(|| element.filled("class")).map(own);
    case.file = element.filled("file").or_else(|| element.filled("filepath")).map(own);
    let line = |name: &str| element.get(name).and_then(|line| line.trim().parse().ok());
    case.line = line("line").or_else(|| line("lineno"));
    if case.line.is_none()
        && let Some((file, line)) = case.file.as_deref().and_then(|file| file.rsplit_once(':'))
        && let Ok(line) = line.parse()
        && !file.is_empty()
    {
        (case.line, case.file) = (Some(line), Some(own(file.to_owned())));
    }
    case.file = case.file.or_else(|| around.file.clone().map(own));
    case.started = element.get("timestamp").and_then(parse_instant);
    let time = |name: &str| element.get(name).and_then(seconds);
    case.seconds = time("time").or_else(|| time("duration"));
    let (outcome, unknown) = said(element);
    let known = ["name", "classname", "class", "time", "duration", "file", "filepath", "status", "result"];
    for (name, value) in &element.attributes {
        let is_read = match name.as_str() {
            "line" | "lineno" => value.trim().parse::<u64>().is_ok(),
            "timestamp" | "started-at" => parse_instant(value).is_some(),
            "disabled" | "skipped" | "ignored" | "incomplete" => ["true", "yes", "1"].contains(&value.trim()),
            name => known.contains(&name) && !unknown.contains(&name),
        };
        if !is_read && !value.trim().is_empty() {
            case.properties.push((own(name.clone()), own(value.clone())));
        }
    }
    inside(source, element, outcome, &mut case);
    case
}

fn inside(source: &str, element: &Node, said: Option<Outcome>, case: &mut Case<'static>) {
    let (mut failures, mut skips, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut has_failure, mut has_error, mut may_fail) = (false, false, false);
    let (mut before, mut again): (Vec<&Node>, Vec<&Node>) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    for child in element.elements() {
        let detail = detail(source, child);
        let is_risky = detail.kind.as_deref().is_some_and(|kind| kind.ends_with("RiskyTestError"));
        match child.name.as_str() {
            "error" if is_risky => notes.push(detail),
            name @ ("failure" | "error") => {
                has_failure |= name == "failure";
                has_error |= name == "error";
                failures.push(detail);
            }
            "skipped" | "skip" | "ignored" | "disabled" | "pending" => {
                may_fail |=
                    detail.message.as_deref().is_some_and(|text| text.ends_with("tagged with !mayfail"));
                skips.push(detail);
            }
            "warning" | "risky" | "passed" => notes.push(detail),
            "flakyFailure" | "flakyError" | "rerun" => before.push(child),
            "rerunFailure" | "rerunError" => again.push(child),
            "system-out" => stdout.extend(child.plain().map(own)),
            "system-err" => stderr.extend(child.plain().map(own)),
            "time" => case.seconds = case.seconds.or_else(|| seconds(&child.plain()?)),
            "properties" => child.elements().for_each(|property| one_property(property, case)),
            "property" => one_property(child, case),
            _ => {}
        }
    }
    case.outcome = match () {
        () if has_failure && !may_fail => Outcome::Failed,
        () if has_error && !may_fail => Outcome::Errored,
        () if !skips.is_empty() => Outcome::Skipped,
        () => said.unwrap_or(Outcome::Passed),
    };
    let main =
        Try { outcome: case.outcome, seconds: case.seconds, detail: all([failures, skips, notes].concat()) };
    if !main.outcome.is_trouble() {
        before.append(&mut again);
        let earlier = |name: &str| !name.starts_with("rerun") || name == "rerun";
        before.sort_by_key(|one| !earlier(&one.name));
    }
    let main_out = (lines(stdout.into_iter()), lines(stderr.into_iter()));
    let mut tries = Vec::new();
    let (mut outs, mut errs) = (Vec::new(), Vec::new());
    let rerun = |one: &Node| {
        let outcome = if one.name.ends_with("Error") { Outcome::Errored } else { Outcome::Failed };
        let one_try =
            Try { outcome, seconds: one.get("time").and_then(seconds), detail: detail(source, one) };
        let printed = |name: &str| one.child(name).and_then(Node::plain).map(own);
        (one_try, printed("system-out"), printed("system-err"))
    };
    let all_tries = before
        .iter()
        .map(|one| rerun(one))
        .chain([(main, main_out.0, main_out.1)])
        .chain(again.iter().map(|one| rerun(one)));
    for (one, out, err) in all_tries {
        tries.push(one);
        outs.extend(out);
        errs.extend(err);
    }
    let last = tries.last().unwrap();
    (case.outcome, case.detail) = (last.outcome, last.detail.clone());
    (case.stdout, case.stderr) = (lines(outs.into_iter()), lines(errs.into_iter()));
    if tries.len() > 1 {
        case.tries = tries;
    }
}

fn one_property(element: &Node, case: &mut Case<'static>) {
    let own_name = if element.name == "property" { "" } else { &element.name };
    let name = element.get("name").unwrap_or(own_name).to_owned();
    let value = element.get("value").map(str::to_owned).or_else(|| element.plain()).unwrap_or_default();
    if !(name.is_empty() && value.is_empty()) {
        case.properties.push((own(name), own(value)));
    }
}
