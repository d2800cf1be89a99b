//! mochawesome (<https://github.com/adamgruber/mochawesome/blob/master/src/utils.js>): nested suites with their tests.

use std::borrow::Cow;

use super::detail::{joined, of_stack, seconds, shared};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads `results`: one root suite for each file, or one for all.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let mut path = Vec::new();
    for result in root.list("results") {
        suite(result, &mut path, None, out);
    }
}

fn suite<'json>(
    element: Json<'json>,
    path: &mut Vec<Text<'json>>,
    file: Option<Text<'json>>,
    out: &mut Out<'_>,
) {
    let depth = path.len();
    path.extend(shared(element, "title", out));
    let file = shared(element, "file", out).or_else(|| shared(element, "fullFile", out)).or(file);
    for hook in element.list("beforeHooks").chain(element.list("afterHooks")) {
        if hook.truth_of("fail") == Some(true) {
            out.failure_outside(hook.offset(), hook.get("err").and_then(|err| err.filled("message")));
        }
    }
    for test in element.list("tests") {
        if test.is_whole() {
            let case = case(test, path, file.clone(), out);
            out.case(case);
        } else {
            out.finding(FindingCode::CutCase, test.offset());
        }
    }
    for child in element.list("suites") {
        suite(child, path, file.clone(), out);
    }
    path.truncate(depth);
}

fn case<'json>(
    test: Json<'json>,
    path: &[Text<'json>],
    file: Option<Text<'json>>,
    out: &mut Out<'_>,
) -> Case<'json> {
    let mut case = Case::new(outcome(test, out), test.offset());
    case.suite = path.to_vec();
    case.name = test.filled("title");
    case.file = file;
    case.seconds = seconds(test, "duration", 1e3, out);
    case.detail = test.get("err").map(detail).unwrap_or_default();
    if let Some(context) = test.filled("context") {
        case.properties.push((Cow::Borrowed("context"), context));
    }
    case
}

fn outcome(test: Json<'_>, out: &mut Out<'_>) -> Outcome {
    let is = |name: &str| test.truth_of(name) == Some(true);
    // a test behind a hook that failed is `skipped`, and pending by its state
    if is("fail") {
        if is("timedOut") { Outcome::Errored } else { Outcome::Failed }
    } else if is("pass") {
        Outcome::Passed
    } else if is("pending") || is("skipped") {
        Outcome::Skipped
    } else {
        match test.text_of("state").as_deref() {
            Some("passed") => Outcome::Passed,
            Some("failed") => Outcome::Failed,
            Some("pending" | "skipped") => Outcome::Skipped,
            _ => {
                out.finding(FindingCode::UnknownStatus, test.offset());
                Outcome::Errored
            }
        }
    }
}

fn detail(error: Json<'_>) -> Detail<'_> {
    let stack = error.filled("estack").or_else(|| error.filled("stack"));
    let split = error.filled("message").or_else(|| stack.clone()).map(of_stack).unwrap_or_default();
    // the difference is a text, or a list of pieces that only a page can show
    let text = joined(stack.or(split.text).into_iter().chain(error.filled("diff")), "\n\n");
    Detail { kind: split.kind, message: split.message, text }
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn nested_suites_are_a_path_and_hooks_that_failed_are_told() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/mochawesome/report.json")));
    }
}
