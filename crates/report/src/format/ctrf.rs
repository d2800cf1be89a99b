//! Common Test Report Format (<https://ctrf.io/docs/specification/overview>).

use std::borrow::Cow;

use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// Reads `results.tests`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let Some(results) = root.get("results") else { return };
    for test in results.list("tests") {
        if !test.is_whole() {
            out.finding(FindingCode::CutCase, test.offset());
            continue;
        }
        let case = case(test, out);
        out.case(case);
    }
}

fn case<'json>(test: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
    let mut case = Case::new(outcome(test, out), test.offset());
    case.name = test.filled("name");
    case.suite = suite(test);
    case.file = test.filled("filePath");
    case.line = test.whole_number_of("line").and_then(|line| line.try_into().ok());
    case.seconds = seconds(test);
    case.started = test.whole_number_of("start").filter(|&start| start > 0).map(Instant::utc);
    case.detail = detail(test);
    case.stdout = lines(test, "stdout");
    case.stderr = lines(test, "stderr");
    for tag in test.list("tags").filter_map(|tag| tag.text()) {
        case.properties.push((Cow::Borrowed("tag"), tag));
    }
    // the attempts before the last one; the last is the case itself
    case.tries = test
        .list("retryAttempts")
        .map(|attempt| Try {
            outcome: outcome(attempt, out),
            seconds: seconds(attempt),
            detail: detail(attempt),
        })
        .collect();
    if !case.tries.is_empty() {
        case.tries.push(Try { outcome: case.outcome, seconds: case.seconds, detail: case.detail.clone() });
    }
    case
}

fn outcome(test: Json<'_>, out: &mut Out<'_>) -> Outcome {
    match test.text_of("status").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("skipped" | "pending") => Outcome::Skipped,
        Some("other") => Outcome::Errored,
        _ => {
            out.finding(FindingCode::UnknownStatus, test.offset());
            Outcome::Errored
        }
    }
}

/// The suite is a list in newer versions, and one text in older ones.
fn suite(test: Json<'_>) -> Vec<Cow<'_, str>> {
    match test.get("suite") {
        Some(suite) if suite.is_array() => suite.items().filter_map(|name| name.text()).collect(),
        Some(suite) => suite.text().filter(|name| !name.is_empty()).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Durations are in milliseconds.
fn seconds(test: Json<'_>) -> Option<f64> {
    test.number_of("duration")
        .filter(|&milliseconds| milliseconds >= 0.0)
        .map(|milliseconds| milliseconds / 1000.0)
}

fn detail(test: Json<'_>) -> Detail<'_> {
    Detail { kind: None, message: test.filled("message"), text: test.filled("trace") }
}

fn lines<'json>(test: Json<'json>, name: &str) -> Option<Cow<'json, str>> {
    let lines: Vec<_> = test.list(name).filter_map(|line| line.text()).collect();
    (!lines.is_empty()).then(|| Cow::Owned(lines.join("\n")))
}
