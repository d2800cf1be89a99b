//! Jest's `--json` (<https://github.com/jestjs/jest/blob/main/packages/jest-test-result/src/formatTestResults.ts>), what its
//! reporters get (`AggregatedResult`, as some projects store it), and Vitest's `json` reporter, which writes the same
//! (<https://github.com/vitest-dev/vitest/blob/main/packages/vitest/src/node/reporters/json.ts>).

use std::borrow::Cow;

use super::detail::{failed_before, of_stack, seconds, several, shared, tried_before};
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// Reads `testResults`: a test file each.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for file in root.list("testResults") {
        read_file(file, out);
    }
    if root.is_whole() {
        out.count(root.whole_number_of("numTotalTests"), before, root.offset());
    }
}

fn read_file(file: Json<'_>, out: &mut Out<'_>) {
    let path = shared(file, "name", out).or_else(|| shared(file, "testFilePath", out));
    let named = file.get("displayName").and_then(|name| shared(name, "name", out));
    let project = named.or_else(|| shared(file, "displayName", out));
    let assertions = if file.get("assertionResults").is_some() { "assertionResults" } else { "testResults" };
    let mut has_trouble = false;
    for test in file.list(assertions) {
        if test.is_whole() {
            let case = case(test, path.clone(), project.clone(), out);
            has_trouble |= case.outcome.is_trouble();
            out.case(case);
        } else {
            out.finding(FindingCode::CutCase, test.offset());
        }
    }
    // a file that could not be run, or a hook that failed: there is no test to put it on
    let is_failed = file.text_of("status").as_deref() == Some("failed")
        || file.filled("failureMessage").is_some()
        || file.filled("message").is_some();
    if file.get("testExecError").is_some() || is_failed && !has_trouble && file.is_whole() {
        let says = file.filled("message").or_else(|| file.filled("failureMessage"));
        // the heading that Jest puts before
        let says = says.as_deref().map(|says| match says.split_once("Test suite failed to run") {
            Some((_, why)) if !why.trim().is_empty() => why,
            _ => says,
        });
        out.failure_outside(file.offset(), says);
    }
}

fn case<'json>(
    test: Json<'json>,
    path: Option<Text<'json>>,
    project: Option<Text<'json>>,
    out: &mut Out<'_>,
) -> Case<'json> {
    let mut case = Case::new(Outcome::Passed, test.offset());
    case.suite =
        project.into_iter().chain(test.list("ancestorTitles").filter_map(|title| title.text())).collect();
    case.suite.retain(|title| !title.trim().is_empty());
    case.name = test.filled("title").or_else(|| test.filled("fullName"));
    case.file = path;
    let line = test.get("location").and_then(|location| location.whole_number_of("line"));
    case.line = line.and_then(|line| line.try_into().ok());
    case.seconds = seconds(test, "duration", 1e3, out);
    case.started = test.whole_number_of("startAt").filter(|&start| start > 0).map(Instant::utc);
    let messages: Vec<_> = test.list("failureMessages").filter_map(|message| message.text()).collect();
    let has_timeout = messages.first().is_some_and(|message| is_timeout(message));
    case.outcome = outcome(test, has_timeout, out);
    case.detail = several(messages.into_iter().map(of_stack));
    case.properties = tags(test);
    let earlier = earlier(test);
    tried_before(&mut case, earlier);
    case
}

fn outcome(test: Json<'_>, has_timeout: bool, out: &mut Out<'_>) -> Outcome {
    match test.text_of("status").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") if has_timeout => Outcome::Errored,
        Some("failed") => Outcome::Failed,
        Some("pending" | "skipped" | "todo" | "disabled") => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, test.offset());
            Outcome::Errored
        }
    }
}

fn is_timeout(message: &str) -> bool {
    message.contains("Exceeded timeout of ") || message.contains("Test timed out in ")
}

/// The tries before the last: `invocations` counts all, `retryReasons` has what went wrong in the earlier ones.
fn earlier<'json>(test: Json<'json>) -> Vec<Try<'json>> {
    let invocations = test.whole_number_of("invocations").unwrap_or_default();
    let mut tries = failed_before(Some(invocations.saturating_sub(1)));
    let mut reasons = test.list("retryReasons").filter_map(|reason| reason.text());
    let last = tries.len().saturating_sub(1);
    for (index, one) in tries.iter_mut().enumerate() {
        // more reasons than tries: one of them failed several times; which, is not told
        let own = if index == last { usize::MAX } else { 1 };
        let own: Vec<_> = reasons.by_ref().take(own).collect();
        if own.first().is_some_and(|reason| is_timeout(reason)) {
            one.outcome = Outcome::Errored;
        }
        one.detail = several(own.into_iter().map(of_stack));
    }
    tries
}

/// Vitest's tags, and what a test put in its `meta`.
fn tags<'json>(test: Json<'json>) -> Vec<(Text<'json>, Text<'json>)> {
    let tags = test.list("tags").filter_map(|tag| tag.text()).map(|tag| (Cow::Borrowed("tag"), tag));
    let meta = test.get("meta").into_iter().flat_map(|meta| meta.members());
    tags.chain(meta.map(|(name, value)| (name, value.shown()))).collect()
}

#[cfg(test)]
mod tests {
    use crate::format::Format;
    use crate::testing::told;

    #[test]
    fn tests_of_files_are_read_and_a_file_that_did_not_run_is_told() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/jest/report.json")));
    }

    #[test]
    fn what_reporters_get_is_read_alike() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/jest/aggregated.json")));
    }

    #[test]
    fn vitest_is_told_apart() {
        let report = include_str!("../../tests/fixtures/vitest/report.json");
        insta::assert_snapshot!(told(report));
        assert_eq!(crate::format::detect::detect(report).format, Some(Format::Vitest));
    }
}
