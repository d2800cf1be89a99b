//! Playwright's `json` reporter (<https://github.com/microsoft/playwright/blob/main/packages/playwright/types/testReporter.d.ts>,
//! `JSONReport`): suites, in them specs, and of each spec a test for each project with its results, one a try.

use std::borrow::Cow;

use super::detail::{joined, of_stack, seconds, several, shared};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::parse_instant;

/// Reads `suites`, and tells of the errors outside any test: a global setup that failed, a file that cannot be loaded.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let mut path = Vec::new();
    for child in root.list("suites") {
        suite(child, &mut path, out);
    }
    for error in root.list("errors") {
        out.failure_outside(error.offset(), error.filled("message"));
    }
}

fn suite<'json>(element: Json<'json>, path: &mut Vec<Text<'json>>, out: &mut Out<'_>) {
    let depth = path.len();
    path.extend(shared(element, "title", out));
    // a spec has it, too, but behind its tests, where it may be cut off
    let file = shared(element, "file", out);
    for spec in element.list("specs") {
        // of a spec each project makes a case
        let title = shared(spec, "title", out);
        let file = shared(spec, "file", out).or_else(|| file.clone());
        for test in spec.list("tests") {
            if test.is_whole() {
                let mut case = case(spec, test, path, out);
                (case.name, case.file) = (title.clone(), file.clone());
                out.case(case);
            } else {
                out.finding(FindingCode::CutCase, test.offset());
            }
        }
    }
    for child in element.list("suites") {
        suite(child, path, out);
    }
    path.truncate(depth);
}

fn case<'json>(spec: Json<'json>, test: Json<'json>, path: &[Text<'json>], out: &mut Out<'_>) -> Case<'json> {
    // a test without a result was not run: the run had ended
    let mut case = Case::new(Outcome::Skipped, test.offset());
    let project = test.filled("projectName").or_else(|| test.filled("projectId"));
    case.suite = project.into_iter().chain(path.iter().cloned()).collect();
    case.line = spec.whole_number_of("line").and_then(|line| line.try_into().ok());
    let expected = test.text_of("expectedStatus");
    let results: Vec<_> = test.list("results").collect();
    let mut tries: Vec<_> = results.iter().map(|result| one_try(*result, expected.as_deref(), out)).collect();
    if let (Some(result), Some(last)) = (results.last(), tries.last()) {
        case.outcome = last.outcome;
        case.seconds = last.seconds;
        case.detail = last.detail.clone();
        case.started = result.text_of("startTime").and_then(|start| parse_instant(&start));
        case.stdout = printed(*result, "stdout");
        case.stderr = printed(*result, "stderr");
    }
    if tries.len() > 1 {
        case.tries = std::mem::take(&mut tries);
    }
    for annotation in test.list("annotations") {
        let description = annotation.filled("description").unwrap_or_default();
        if case.outcome == Outcome::Skipped && case.detail.is_empty() && !description.is_empty() {
            case.detail.message = Some(description.clone());
        }
        case.properties.extend(annotation.filled("type").map(|kind| (kind, description)));
    }
    let tags = spec.list("tags").filter_map(|tag| tag.text());
    case.properties.extend(tags.map(|tag| (Cow::Borrowed("tag"), tag)));
    case
}

fn one_try<'json>(result: Json<'json>, expected: Option<&str>, out: &mut Out<'_>) -> Try<'json> {
    let status = result.text_of("status");
    let outcome = match (status.as_deref(), expected) {
        (Some("skipped"), _) => Outcome::Skipped,
        // the run was ended from outside: Playwright counts such a test to none, or to those skipped
        (Some("interrupted"), _) => Outcome::Skipped,
        // `test.fail()`: a test that is to fail, and does
        (Some(status @ ("passed" | "failed" | "timedOut")), Some(expected)) if status == expected => {
            Outcome::Passed
        }
        (Some("passed"), Some("failed" | "timedOut")) => Outcome::Failed,
        (Some("passed"), _) => Outcome::Passed,
        (Some("failed"), _) => Outcome::Failed,
        (Some("timedOut"), _) => Outcome::Errored,
        _ => {
            out.finding(FindingCode::UnknownStatus, result.offset());
            Outcome::Errored
        }
    };
    let mut errors: Vec<_> = result.list("errors").map(detail).filter(|error| !error.is_empty()).collect();
    if errors.is_empty() {
        errors.extend(result.get("error").map(detail));
    }
    let mut detail = several(errors);
    if outcome == Outcome::Failed && detail.is_empty() {
        detail.message = Some(Cow::Borrowed("Expected to fail, but passed."));
    }
    Try { outcome, seconds: seconds(result, "duration", 1e3, out), detail }
}

fn detail(error: Json<'_>) -> Detail<'_> {
    let stack = error.filled("stack");
    // what is thrown and is no error is a `value`
    let said = error.filled("message").or_else(|| stack.clone()).or_else(|| error.filled("value"));
    let split = said.map(of_stack).unwrap_or_default();
    let text = stack.or(split.text);
    let snippet = error
        .filled("snippet")
        .filter(|snippet| !text.as_deref().is_some_and(|text| text.contains(&**snippet)));
    Detail { kind: split.kind, message: split.message, text: joined(text.into_iter().chain(snippet), "\n\n") }
}

fn printed<'json>(result: Json<'json>, name: &str) -> Option<Text<'json>> {
    // bytes that are no text are given in base64, and left out
    joined(result.list(name).filter_map(|piece| piece.text_of("text")), "")
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn each_project_is_a_case_and_each_result_a_try() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/playwright/report.json")));
    }
}
