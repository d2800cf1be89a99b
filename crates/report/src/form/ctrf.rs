//! CTRF (<https://ctrf.io/docs/specification/overview>), a test at a time: the summary comes last.
//!
//! CTRF has no error, so that an errored test is `failed` with the `rawStatus` `error`. It wants a name and a duration in whole
//! milliseconds of each test: `(no name)` and 0 where none is known. What it has no place for stands in `extra`.

use super::WRITER;
use super::json::Members;
use super::ndjson;
use crate::identity::TestId;
use crate::model::{Case, Detail, Outcome};

/// A document that is being written.
#[derive(Debug, Default)]
pub struct Ctrf {
    counts: [u64; 4],
    flaky: u64,
    start: Option<i64>,
    stop: Option<i64>,
}

impl Ctrf {
    /// Begins a document.
    pub fn begin(into: &mut String) -> Self {
        *into +=
            r#"{"reportFormat":"CTRF","specVersion":"0.0.0","generatedBy":"testlake","results":{"tool":"#;
        let mut tool = Members::object(into);
        tool.text("name", Some("testlake"));
        tool.text("version", Some(WRITER.1));
        tool.end();
        *into += ",\"tests\":[";
        Self::default()
    }

    /// Appends a test of `report`.
    pub fn case(&mut self, report: &str, case: &Case<'_>, id: TestId, into: &mut String) {
        into.push_str(if self.counts == [0; 4] { "\n" } else { ",\n" });
        self.count(case);
        let mut test = Members::object(into);
        test.text("name", Some(case.name.as_deref().unwrap_or("(no name)")));
        test.text("status", Some(status(case.outcome)));
        test.plain("duration", Some(case.seconds.map_or(0, milliseconds)));
        if let Some(started) = case.started {
            test.plain("start", Some(started.unix_ms));
            test.plain("stop", stop(case));
        }
        test.texts("suite", case.suite.iter().map(AsRef::as_ref));
        detail(&case.detail, &mut test);
        if case.outcome == Outcome::Errored {
            test.text("rawStatus", Some("error"));
        }
        test.text("filePath", case.file.as_deref());
        test.plain("line", case.line);
        if !case.tries.is_empty() {
            test.plain("retries", Some(case.tries.len() - 1));
            test.plain("flaky", is_flaky(case).then_some(true));
            let mut attempts = Members::list(test.value("retryAttempts"));
            for (number, one) in case.tries.iter().enumerate() {
                let mut attempt = Members::object(attempts.item());
                attempt.plain("attempt", Some(number + 1));
                attempt.text("status", Some(status(one.outcome)));
                attempt.plain("duration", one.seconds.map(milliseconds));
                detail(&one.detail, &mut attempt);
                let mut extra = Members::object(attempt.value("extra"));
                extra.text("outcome", Some(one.outcome.as_str()));
                extra.plain("seconds", one.seconds);
                extra.text("kind", one.detail.kind.as_deref());
                extra.end();
                attempt.end();
            }
            attempts.end();
        }
        test.texts("stdout", case.stdout.iter().flat_map(|text| text.lines()));
        test.texts("stderr", case.stderr.iter().flat_map(|text| text.lines()));
        ndjson::properties("labels", case, &mut test);
        let mut extra = Members::object(test.value("extra"));
        extra.text("report", Some(report));
        extra.text("class", case.class.as_deref());
        extra.plain("seconds", case.seconds);
        extra.text("kind", case.detail.kind.as_deref());
        extra.text("test_id", Some(&id.to_string()));
        extra.plain("ordinal", Some(case.ordinal));
        extra.end();
        test.end();
    }

    /// Ends the document.
    pub fn end(self, into: &mut String) {
        let [passed, failed, errored, skipped] = self.counts;
        *into += "],\n\"summary\":";
        let mut summary = Members::object(into);
        summary.plain("tests", Some(self.counts.iter().sum::<u64>()));
        summary.plain("passed", Some(passed));
        summary.plain("failed", Some(failed + errored));
        summary.plain("pending", Some(0));
        summary.plain("skipped", Some(skipped));
        summary.plain("other", Some(0));
        summary.plain("flaky", Some(self.flaky));
        summary.plain("start", Some(self.start.unwrap_or(0)));
        summary.plain("stop", Some(self.stop.or(self.start).unwrap_or(0)));
        summary.end();
        *into += "}}\n";
    }

    fn count(&mut self, case: &Case<'_>) {
        let place = Outcome::ALL.iter().position(|outcome| *outcome == case.outcome);
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count += 1;
        }
        self.flaky += u64::from(is_flaky(case));
        let started = case.started.map(|started| started.unix_ms);
        self.start = self.start.into_iter().chain(started).min();
        self.stop = self.stop.into_iter().chain(stop(case)).max();
    }
}

fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed | Outcome::Errored => "failed",
        Outcome::Skipped => "skipped",
    }
}

fn detail(detail: &Detail<'_>, into: &mut Members<'_>) {
    into.text("message", detail.message.as_deref());
    into.text("trace", detail.text.as_deref());
}

/// CTRF's word for a test that passed after tries that did not.
fn is_flaky(case: &Case<'_>) -> bool {
    case.outcome == Outcome::Passed && case.is_flaky()
}

/// Seconds → whole milliseconds.
fn milliseconds(seconds: f64) -> i64 {
    // 10^15 ms are 30,000 years.
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number below 2^53")]
    let milliseconds = (seconds * 1e3).round().clamp(0.0, 1e15) as i64;
    milliseconds
}

/// When a case ended, in milliseconds since 1970.
fn stop(case: &Case<'_>) -> Option<i64> {
    case.started?.unix_ms.checked_add(milliseconds(case.seconds?))
}
