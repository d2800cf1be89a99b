//! Common Test Report Format (<https://ctrf.io/docs/specification/overview>).

use std::borrow::Cow;

use super::detail::{failed_before, joined, seconds, tried_before};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// A `start` below this is in seconds, as older writers give it: in milliseconds it would be before 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads `results.tests`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let Some(results) = root.get("results") else { return };
    let before = out.cases;
    for test in results.list("tests") {
        if !test.is_whole() {
            out.finding(FindingCode::CutCase, test.offset());
            continue;
        }
        let case = case(test, out);
        out.case(case);
    }
    // errors of the whole run, as the writer for Playwright puts them
    for error in results.get("extra").into_iter().flat_map(|extra| extra.list("errors")) {
        out.failure_outside(error.offset(), error.filled("message"));
    }
    if let Some(summary) = results.get("summary").filter(|_| results.is_whole()) {
        out.count(summary.whole_number_of("tests"), before, summary.offset());
    }
}

fn case<'json>(test: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
    let mut case = Case::new(outcome(test, out), test.offset());
    case.name = test.filled("name");
    case.suite = suite(test);
    case.file = test.filled("filePath");
    case.line = test.whole_number_of("line").and_then(|line| line.try_into().ok());
    case.seconds = seconds(test, "duration", 1e3, out);
    case.started = started(test);
    case.detail = detail(test);
    case.stdout = joined(test.list("stdout").filter_map(|line| line.text()), "\n");
    case.stderr = joined(test.list("stderr").filter_map(|line| line.text()), "\n");
    case.properties = properties(test);
    let attempts = if test.get("retryAttempts").is_some() { "retryAttempts" } else { "attempts" };
    let mut tries: Vec<_> = test
        .list(attempts)
        .map(|attempt| Try {
            outcome: outcome(attempt, out),
            seconds: seconds(attempt, "duration", 1e3, out),
            detail: detail(attempt),
        })
        .collect();
    let retries = test.whole_number_of("retries").or_else(|| test.whole_number_of("retry"));
    if tries.is_empty() {
        tries = failed_before(retries);
    } else if has_last(&tries, retries, case.outcome) {
        // the test may say more of how it ended
        if let Some(last) = tries.last_mut() {
            last.outcome = case.outcome;
        }
        case.tries = tries;
        return case;
    }
    tried_before(&mut case, tries);
    case
}

/// Reports whether the attempts that are told have the last one, which some writers put among them: it ended as the test
/// did, and they are more than there were retries, or the last of them needed none.
fn has_last(tries: &[Try<'_>], retries: Option<i64>, outcome: Outcome) -> bool {
    let Some(last) = tries.last() else { return false };
    if last.outcome != outcome && !(last.outcome.is_trouble() && outcome.is_trouble()) {
        return false;
    }
    match retries.and_then(|retries| usize::try_from(retries).ok()).filter(|&retries| retries > 0) {
        Some(retries) => tries.len() > retries,
        None => last.outcome == Outcome::Passed,
    }
}

fn outcome(test: Json<'_>, out: &mut Out<'_>) -> Outcome {
    match test.text_of("status").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => match test.text_of("rawStatus").as_deref() {
            Some("timedOut" | "timedout" | "timeout" | "error" | "errored" | "broken") => Outcome::Errored,
            _ => Outcome::Failed,
        },
        Some("skipped" | "pending") => Outcome::Skipped,
        Some("other") => Outcome::Errored,
        _ => {
            out.finding(FindingCode::UnknownStatus, test.offset());
            Outcome::Errored
        }
    }
}

/// The suite is a list; older writers give one text, with the names between ` > `.
fn suite(test: Json<'_>) -> Vec<Text<'_>> {
    let Some(suite) = test.get("suite") else { return Vec::new() };
    let names: Vec<Text<'_>> = match suite.text() {
        None => suite.items().filter_map(|name| name.text()).collect(),
        Some(Cow::Borrowed(names)) => names.split(" > ").map(Cow::Borrowed).collect(),
        Some(Cow::Owned(names)) => names.split(" > ").map(|name| Cow::Owned(name.to_owned())).collect(),
    };
    names.into_iter().filter(|name| !name.trim().is_empty()).collect()
}

fn started(test: Json<'_>) -> Option<Instant> {
    let start = test.whole_number_of("start").filter(|&start| start > 0)?;
    Some(Instant::utc(if start < MILLISECONDS_FROM { start * 1000 } else { start }))
}

fn detail(test: Json<'_>) -> Detail<'_> {
    let text = joined(test.filled("trace").into_iter().chain(test.filled("snippet")), "\n\n");
    Detail { kind: None, message: test.filled("message"), text }
}

fn properties<'json>(test: Json<'json>) -> Vec<(Text<'json>, Text<'json>)> {
    let tags = test.list("tags").filter_map(|tag| tag.text()).map(|tag| (Cow::Borrowed("tag"), tag));
    let single = ["type", "browser", "device"];
    let single = single.iter().filter_map(|&name| Some((Cow::Borrowed(name), test.filled(name)?)));
    let many = ["parameters", "labels"].iter().filter_map(|name| test.get(name));
    let many = many.flat_map(|object| object.members()).map(|(name, value)| (name, value.shown()));
    tags.chain(single).chain(many).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn what_the_specification_names_is_read() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/ctrf/specification.json")));
    }

    #[test]
    fn attempts_are_tries_with_or_without_the_last_among_them() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/ctrf/retries.json")));
    }

    #[test]
    fn an_attempt_that_ended_otherwise_than_the_test_is_not_its_last() {
        let attempt = r#"{"status": "failed"}"#;
        let test = format!(
            r#"{{"name": "a", "status": "passed", "retries": 1, "retryAttempts": [{attempt}, {attempt}]}}"#
        );
        let told = told(&format!(r#"{{"results": {{"tool": {{"name": "t"}}, "tests": [{test}]}}}}"#));
        assert_eq!(told, "a | passed | tries (failed), (failed), (passed)\n");
    }

    #[test]
    fn times_that_are_none_are_told() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/ctrf/times.json")), @"
        a text | passed | 0.15s
        none | passed | @2025-11-05T19:08:58Z
        ! bad-time @278
        negative | passed
        ! bad-time @338
        no time | passed
        ");
    }
}
