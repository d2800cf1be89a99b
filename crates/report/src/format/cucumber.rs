//! Cucumber's JSON (<https://github.com/cucumber/cucumber-json-schema>) as the runners for Ruby, Java, JavaScript, Go and
//! .NET write it, and behave's own (<https://github.com/behave/behave/blob/main/behave/formatter/json.py>).
//!
//! A scenario's outcome is made of those of its steps and hooks. Durations are in nanoseconds, behave's in seconds.

use std::borrow::Cow;

use super::detail::{joined, of_stack, part, seconds, several, shared};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::parse_instant;

/// Reads features.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    // one feature alone is written so by some
    let single = root.is_object().then_some(root);
    for feature in root.items().chain(single) {
        read_feature(feature, out);
    }
}

fn read_feature(feature: Json<'_>, out: &mut Out<'_>) {
    let common = Common { name: shared(feature, "name", out), file: shared(feature, "uri", out) };
    let mut background = None;
    let mut last: Option<(Place<'_>, Case<'_>)> = None;
    let mut has_trouble = false;
    for element in feature.list("elements") {
        if !element.is_whole() {
            out.finding(FindingCode::CutCase, element.offset());
            continue;
        }
        if element.text_of("type").as_deref() == Some("background") {
            background = Some(element);
            continue;
        }
        let mut case = case(&common, element, background.take(), out);
        has_trouble |= case.outcome.is_trouble();
        let place = Place::of(element);
        last = match last {
            // the same scenario again: it was tried again
            Some((before, earlier)) if before == place && place.is_known() => {
                let mut tries = earlier.tries;
                if tries.is_empty() {
                    tries.push(Try {
                        outcome: earlier.outcome,
                        seconds: earlier.seconds,
                        detail: earlier.detail,
                    });
                }
                tries.push(Try { outcome: case.outcome, seconds: case.seconds, detail: case.detail.clone() });
                case.tries = tries;
                Some((place, case))
            }
            before => {
                if let Some((_, case)) = before {
                    out.case(case);
                }
                Some((place, case))
            }
        };
    }
    if let Some((_, case)) = last {
        out.case(case);
    }
    // behave: a hook of the feature
    let status = feature.text_of("status");
    let failed = status.filter(|status| matches!(&**status, "failed" | "error" | "hook_error"));
    if let Some(status) = failed.filter(|_| !has_trouble) {
        let name = feature.filled("name").unwrap_or_default();
        out.failure_outside(feature.offset(), Some(format!("{name}: {status}")));
    }
}

/// What the scenarios of a feature have in common.
struct Common<'json> {
    name: Option<Text<'json>>,
    file: Option<Text<'json>>,
}

/// Where a scenario stands in its feature.
#[derive(PartialEq)]
struct Place<'json> {
    id: Option<Text<'json>>,
    location: Option<Text<'json>>,
    line: Option<i64>,
}

impl<'json> Place<'json> {
    fn of(element: Json<'json>) -> Self {
        let location = element.filled("location");
        Self { id: element.filled("id"), location, line: element.whole_number_of("line") }
    }

    /// Examples of an outline have an id in common where the runner does not number them, but no line.
    fn is_known(&self) -> bool {
        self.location.is_some() || self.line.is_some_and(|line| line > 0)
    }
}

fn case<'json>(
    feature: &Common<'json>,
    element: Json<'json>,
    background: Option<Json<'json>>,
    out: &mut Out<'_>,
) -> Case<'json> {
    let mut parts = Parts::default();
    for element in background.into_iter().chain([element]) {
        parts.hooks(element, "before", out);
        for step in element.list("steps") {
            parts.hooks(step, "before", out);
            // cucumber-js: hooks are hidden steps; behave: a background's steps stand without a result
            let is_hook = step.truth_of("hidden") == Some(true);
            parts.part(step, is_hook, out);
            parts.hooks(step, "after", out);
        }
        parts.hooks(element, "after", out);
    }
    let mut case = Case::new(parts.outcome(element), element.offset());
    case.suite = feature.name.clone().into_iter().collect();
    case.name = element.filled("name");
    case.file = feature.file.clone();
    case.line = element.whole_number_of("line").and_then(|line| line.try_into().ok());
    if let Some(location) = element.filled("location") {
        let (file, line) = located(&location);
        case.file = Some(file);
        case.line = line;
    }
    case.seconds = parts.seconds;
    case.started = element.text_of("start_timestamp").and_then(|start| parse_instant(&start));
    let tags = element.list("tags").filter_map(|tag| tag.text().or_else(|| tag.text_of("name")));
    case.properties = tags.map(|tag| (Cow::Borrowed("tag"), tag)).collect();
    case.stdout = joined(parts.output, "\n");
    case.detail = if case.outcome.is_trouble() { several(parts.troubles) } else { parts.reason };
    case
}

/// Splits behave's `features/a.feature:12`.
fn located<'json>(location: &Text<'json>) -> (Text<'json>, Option<u64>) {
    let colon = location.rfind(':').unwrap_or(location.len());
    let line = location.get(colon + 1..).and_then(|line| line.parse().ok());
    let end = if line.is_some() { colon } else { location.len() };
    (part(location, 0, end), line)
}

/// What the steps and hooks of a scenario come to.
#[derive(Default)]
struct Parts<'json> {
    first: Option<Outcome>,
    troubles: Vec<Detail<'json>>,
    is_left_out: bool,
    has_passed: bool,
    reason: Detail<'json>,
    seconds: Option<f64>,
    output: Vec<Text<'json>>,
}

impl<'json> Parts<'json> {
    fn hooks(&mut self, element: Json<'json>, name: &str, out: &mut Out<'_>) {
        for hook in element.list(name) {
            self.part(hook, true, out);
        }
    }

    fn part(&mut self, part: Json<'json>, is_hook: bool, out: &mut Out<'_>) {
        self.output.extend(part.list("output").filter_map(|line| line.text()));
        let Some(result) = part.get("result") else { return };
        // behave's durations have a fraction and no nanoseconds
        let per_second = if part.get("location").is_some() { 1.0 } else { 1e9 };
        if let Some(seconds) = seconds(result, "duration", per_second, out) {
            let sum = self.seconds.unwrap_or_default() + seconds;
            if sum.is_finite() {
                self.seconds = Some(sum);
            } else {
                out.finding(FindingCode::BadTime, result.offset());
            }
        }
        let status = result.text_of("status");
        let trouble = match status.as_deref() {
            Some("passed") => {
                self.has_passed |= !is_hook;
                return;
            }
            Some("skipped" | "pending" | "undefined" | "untested" | "unknown" | "unused") => {
                self.is_left_out = true;
                if self.reason.is_empty() {
                    self.reason.message = error_of(result);
                }
                return;
            }
            Some("failed") if !is_hook => Outcome::Failed,
            Some("failed" | "ambiguous" | "error" | "hook_error" | "cleanup_error") => Outcome::Errored,
            _ => {
                out.finding(FindingCode::UnknownStatus, result.offset());
                Outcome::Errored
            }
        };
        self.first.get_or_insert(trouble);
        self.troubles.extend(error_of(result).map(detail));
    }

    fn outcome(&self, element: Json<'_>) -> Outcome {
        if let Some(first) = self.first {
            return first;
        }
        match element.text_of("status").as_deref() {
            Some("failed" | "error" | "hook_error" | "cleanup_error") => Outcome::Errored,
            Some("passed") => Outcome::Passed,
            _ if self.is_left_out || !self.has_passed => Outcome::Skipped,
            _ => Outcome::Passed,
        }
    }
}

/// The text of an error; behave gives its lines as a list.
fn error_of(result: Json<'_>) -> Option<Text<'_>> {
    let lines = result.list("error_message").filter_map(|line| line.text());
    result.filled("error_message").or_else(|| joined(lines, "\n"))
}

/// Ruby's runner puts the class behind what it says: `no line (RuntimeError)`.
fn detail(text: Text<'_>) -> Detail<'_> {
    if text.starts_with("Traceback") {
        return of_traceback(text);
    }
    let Some((end, kind_start, kind_end)) = class_behind(&text) else { return of_stack(text) };
    let begin = text.len() - text.trim_start().len();
    let message = Some(part(&text, begin.min(end), end)).filter(|message| !message.trim().is_empty());
    Detail { kind: Some(part(&text, kind_start, kind_end)), message, text: Some(text) }
}

/// Python puts class and message behind its stack.
fn of_traceback(text: Text<'_>) -> Detail<'_> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let said = of_stack(part(&text, at, at + line.len()));
        if said.kind.is_some() {
            return Detail { text: Some(text), ..said };
        }
        at += line.len();
    }
    of_stack(text)
}

/// Finds where what is said ends, and the class in brackets behind it.
fn class_behind(text: &str) -> Option<(usize, usize, usize)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let split = line.trim_end().strip_suffix(')').and_then(|line| line.rsplit_once('('));
        if let Some((said, kind)) = split
            && kind.ends_with("Error")
            && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':')
        {
            let start = at + said.len() + 1;
            return Some((at + said.len(), start, start + kind.len()));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn scenarios_are_read_with_their_backgrounds_and_hooks() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/cucumber/report.json")));
    }

    #[test]
    fn durations_that_add_up_to_no_number_are_told() {
        let step = r#"{"location": "a", "result": {"status": "passed", "duration": 1e308}}"#;
        let report = format!(
            r#"[{{"elements": [{{"name": "a", "steps": [{step}, {step}]}}], "keyword": "Feature"}}]"#
        );
        let told = told(&report);
        assert!(told.contains("bad-time") && !told.contains("inf"), "{told}");
    }

    #[test]
    fn behave_is_read_in_its_own_terms() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/cucumber/behave.json")));
    }
}
