//! Ginkgo's `--json-report` (<https://pkg.go.dev/github.com/onsi/ginkgo/v2/types#Report>): a report for each suite.

use std::borrow::Cow;

use super::detail::{failed_before, part, seconds, several, shared, tried_before};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::parse_instant;

/// Reads the specs of every suite.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    for suite in root.items() {
        let description = shared(suite, "SuiteDescription", out);
        for spec in suite.list("SpecReports") {
            if !spec.is_whole() {
                out.finding(FindingCode::CutCase, spec.offset());
            } else if spec.text_of("LeafNodeType").as_deref() == Some("It") {
                let case = case(description.clone(), spec, out);
                out.case(case);
            } else if outcome(spec, out).is_trouble() {
                // a node around the specs: `BeforeSuite`, `ReportAfterSuite`
                out.failure_outside(
                    spec.offset(),
                    spec.get("Failure").and_then(|failure| failure.filled("Message")),
                );
            }
        }
        for reason in suite.list("SpecialSuiteFailureReasons") {
            out.failure_outside(reason.offset(), reason.text());
        }
    }
}

fn case<'json>(suite: Option<Text<'json>>, spec: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
    let mut case = Case::new(outcome(spec, out), spec.offset());
    let containers = spec.list("ContainerHierarchyTexts").filter_map(|text| text.text());
    case.suite = suite.into_iter().chain(containers).collect();
    case.suite.retain(|text| !text.trim().is_empty());
    case.name = spec.filled("LeafNodeText");
    if let Some(location) = spec.get("LeafNodeLocation") {
        case.file = location.filled("FileName");
        case.line = location.whole_number_of("LineNumber").and_then(|line| line.try_into().ok());
    }
    case.seconds = seconds(spec, "RunTime", 1e9, out);
    let start = spec.text_of("StartTime").and_then(|start| parse_instant(&start));
    // Go's zero is the year 1
    case.started = start.filter(|start| start.unix_ms > 0);
    case.stdout = spec.filled("CapturedStdOutErr");
    case.stderr = spec.filled("CapturedGinkgoWriterOutput");
    let labels = spec.list("ContainerHierarchyLabels").flat_map(|labels| labels.items());
    let labels = labels.chain(spec.list("LeafNodeLabels")).filter_map(|label| label.text());
    case.properties = labels.map(|label| (Cow::Borrowed("label"), label)).collect();

    let attempts = spec.whole_number_of("NumAttempts").unwrap_or_default();
    let is_retried = spec.whole_number_of("MaxFlakeAttempts").is_some_and(|attempts| attempts > 0);
    let mut tries = failed_before(Some(if is_retried { attempts.saturating_sub(1) } else { 0 }));
    let mut own: Vec<_> = spec.get("Failure").map(detail).into_iter().collect();
    let mut of_tries: Vec<Vec<Detail<'_>>> = tries.iter().map(|_| Vec::new()).collect();
    for additional in spec.list("AdditionalFailures") {
        let Some(failure) = additional.get("Failure") else { continue };
        let attempt = attempt_of(failure).and_then(|attempt| attempt.checked_sub(1));
        match attempt.and_then(|attempt| Some((tries.get_mut(attempt)?, of_tries.get_mut(attempt)?))) {
            Some((one, details)) => {
                one.outcome = outcome(additional, out);
                details.push(without_attempt(detail(failure)));
            }
            None => own.push(detail(failure)),
        }
    }
    for (one, details) in tries.iter_mut().zip(of_tries) {
        one.detail = several(details);
    }
    case.detail = several(own);
    tried_before(&mut case, tries);
    case
}

/// Leaves out of a message what says which attempt it is of: the place among the tries says so.
fn without_attempt(mut detail: Detail<'_>) -> Detail<'_> {
    detail.message = detail.message.map(|message| {
        let start = message.find(":\n").map_or(0, |end| end + 2);
        part(&message, start, message.len())
    });
    detail
}

/// Returns the attempt, counted from 1, that a failure is told of.
fn attempt_of(failure: Json<'_>) -> Option<usize> {
    let message = failure.text_of("Message")?;
    let number = message.strip_prefix("Failure recorded during attempt ")?.split(':').next()?;
    number.parse().ok()
}

fn outcome(spec: Json<'_>, out: &mut Out<'_>) -> Outcome {
    match spec.text_of("State").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("panicked" | "aborted" | "interrupted" | "timedout") => Outcome::Errored,
        Some("skipped" | "pending" | "") => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, spec.offset());
            Outcome::Errored
        }
    }
}

fn detail(failure: Json<'_>) -> Detail<'_> {
    let location = failure.get("Location");
    Detail {
        kind: failure.filled("ForwardedPanic"),
        message: failure.filled("Message"),
        text: location.and_then(|location| location.filled("FullStackTrace")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn specs_are_read_with_their_attempts() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/ginkgo/report.json")));
    }
}
