//! What a job's tests did: what the lake gets, summed up for who looks at the job's log.

use std::collections::BTreeMap;

use serde::Serialize;
use testlake_report::finding::Weight;
use testlake_report::{Case, Finding, Outcome};

/// Failures that are kept to be shown; the rest are counted.
const FAILURES: usize = 1000;
/// Slow tests that are kept.
const SLOWEST: usize = 10;
/// Reports with findings that are named.
const REPORTS: usize = 100;
/// Characters of a message that are kept.
const MESSAGE: usize = 2000;

/// What a job's tests did.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    /// Reports of which something was read.
    pub(crate) reports: u64,
    /// Files in folders that are no reports.
    pub(crate) others: u64,
    /// Files and folders that could not be read, and reports of which nothing could.
    pub(crate) unread: u64,
    pub(crate) cases: u64,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) errored: u64,
    pub(crate) skipped: u64,
    /// Cases whose tries differ in outcome.
    pub(crate) flaky: u64,
    /// Seconds of testing: the sum of the cases' times.
    pub(crate) seconds: f64,
    /// Failed and errored cases, in the order of the input.
    pub(crate) failures: Vec<FailedTest>,
    pub(crate) failures_left_out: u64,
    /// The slowest cases, the slowest first.
    pub(crate) slowest: Vec<SlowTest>,
    /// Findings, by what they cost: repairs, losses, stops.
    pub(crate) findings: [u64; 3],
    /// How many secrets each rule masked.
    pub(crate) redacted: BTreeMap<String, u64>,
    /// Reports that were read in part or not at all, and why.
    pub(crate) broken: Vec<BrokenReport>,
}

/// A test by its names.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct TestName {
    pub(crate) report: String,
    pub(crate) file: Option<String>,
    pub(crate) suite: Vec<String>,
    pub(crate) class: Option<String>,
    pub(crate) name: Option<String>,
}

/// A case that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FailedTest {
    pub(crate) outcome: &'static str,
    #[serde(flatten)]
    pub(crate) test: TestName,
    pub(crate) kind: Option<String>,
    pub(crate) message: Option<String>,
}

/// A case that took long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SlowTest {
    pub(crate) seconds: f64,
    #[serde(flatten)]
    pub(crate) test: TestName,
}

/// A report that was not read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BrokenReport {
    pub(crate) report: String,
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Told {
    /// Reports whether something of the input is missing.
    pub(crate) fn is_partial(&self) -> bool {
        let [_, losses, stops] = self.findings;
        self.unread > 0 || losses > 0 || stops > 0
    }

    /// Hears a case.
    pub(super) fn case(&mut self, report: &str, case: &Case<'_>) {
        self.cases += 1;
        *match case.outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Failed => &mut self.failed,
            Outcome::Errored => &mut self.errored,
            Outcome::Skipped => &mut self.skipped,
        } += 1;
        self.flaky += u64::from(case.is_flaky());
        if case.outcome.is_trouble() {
            self.failure(report, case);
        }
        if let Some(seconds) = case.seconds.filter(|seconds| seconds.is_finite()) {
            self.seconds += seconds;
            self.slow(report, case, seconds);
        }
    }

    fn failure(&mut self, report: &str, case: &Case<'_>) {
        if self.failures.len() >= FAILURES {
            self.failures_left_out += 1;
            return;
        }
        // Without a message the text says what happened.
        let detail = &case.detail;
        let message =
            detail.message.as_deref().filter(|message| !message.trim().is_empty()).or(detail.text.as_deref());
        self.failures.push(FailedTest {
            outcome: case.outcome.as_str(),
            test: TestName::of(report, case),
            kind: detail.kind.as_deref().map(str::to_owned),
            message: message.map(|message| message.chars().take(MESSAGE).collect()),
        });
    }

    fn slow(&mut self, report: &str, case: &Case<'_>, seconds: f64) {
        let is_slower = |other: &SlowTest| other.seconds >= seconds;
        let at = self.slowest.partition_point(is_slower);
        if at < SLOWEST && seconds > 0.0 {
            self.slowest.insert(at, SlowTest { seconds, test: TestName::of(report, case) });
            self.slowest.truncate(SLOWEST);
        }
    }

    /// A report has been read; these are its findings, in words.
    pub(super) fn report(&mut self, name: &str, findings: &[(Finding, String)], left_out: u64) {
        self.reports += 1;
        self.findings_of(name, findings);
        let [repairs, ..] = &mut self.findings;
        *repairs += left_out;
    }

    /// Nothing of a report could be read.
    pub(super) fn rejected(&mut self, name: &str, findings: &[(Finding, String)]) {
        self.unread += 1;
        self.findings_of(name, findings);
    }

    fn findings_of(&mut self, name: &str, findings: &[(Finding, String)]) {
        let [repairs, losses, stops] = &mut self.findings;
        for (Finding { code, .. }, text) in findings {
            match code.weight() {
                Weight::Repair => {
                    *repairs += 1;
                    continue;
                }
                Weight::Loss => *losses += 1,
                Weight::Stop => *stops += 1,
            }
            if self.broken.len() < REPORTS {
                let (report, text) = (name.to_owned(), text.clone());
                self.broken.push(BrokenReport { report, code: code.as_str(), text });
            }
        }
    }

    /// Adds what another report told.
    pub(super) fn add(&mut self, other: Self) {
        let Self { reports, others, unread, cases, passed, failed, errored, skipped, flaky, seconds, .. } =
            other;
        self.reports += reports;
        self.others += others;
        self.unread += unread;
        self.cases += cases;
        self.passed += passed;
        self.failed += failed;
        self.errored += errored;
        self.skipped += skipped;
        self.flaky += flaky;
        self.seconds += seconds;
        for (sum, more) in self.findings.iter_mut().zip(other.findings) {
            *sum += more;
        }
        self.broken.extend(other.broken);
        self.broken.truncate(REPORTS);
        let all = (self.failures.len() + other.failures.len()) as u64;
        self.failures.extend(other.failures);
        self.failures.truncate(FAILURES);
        self.failures_left_out += other.failures_left_out + all.saturating_sub(self.failures.len() as u64);
        self.slowest.extend(other.slowest);
        // Of two that took as long the one that came first stays so: the sort is stable.
        self.slowest.sort_by(|one, two| two.seconds.total_cmp(&one.seconds));
        self.slowest.truncate(SLOWEST);
    }
}

impl TestName {
    fn of(report: &str, case: &Case<'_>) -> Self {
        let text = |text: &Option<testlake_report::model::Text<'_>>| text.as_deref().map(str::to_owned);
        Self {
            report: report.to_owned(),
            file: text(&case.file),
            suite: case.suite.iter().map(|name| name.to_string()).collect(),
            class: text(&case.class),
            name: text(&case.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(outcome: Outcome, name: &str, seconds: f64) -> Case<'_> {
        Case { name: Some(name.into()), seconds: Some(seconds), ..Case::new(outcome, 0) }
    }

    #[test]
    fn the_slowest_come_first_and_failures_in_order() {
        let mut told = Told::default();
        for number in 0..20_u32 {
            told.case("a.xml", &case(Outcome::Passed, "ok", f64::from(number % 7)));
        }
        told.case("a.xml", &case(Outcome::Failed, "bad", 100.0));
        told.case("a.xml", &case(Outcome::Errored, "worse", f64::NAN));
        let mut other = Told::default();
        other.case("b.xml", &case(Outcome::Failed, "last", 99.0));
        told.add(other);
        let slow: Vec<_> = told.slowest.iter().map(|slow| slow.seconds).collect();
        assert_eq!(slow, [100.0, 99.0, 6.0, 6.0, 5.0, 5.0, 5.0, 4.0, 4.0, 4.0]);
        let failed: Vec<_> =
            told.failures.iter().filter_map(|failure| failure.test.name.as_deref()).collect();
        assert_eq!(failed, ["bad", "worse", "last"]);
        assert_eq!((told.cases, told.passed, told.failed, told.errored), (23, 20, 2, 1));
        assert!((told.seconds - 256.0).abs() < 1e-9, "{}", told.seconds);
    }

    #[test]
    fn more_failures_than_are_kept_are_counted() {
        let mut told = Told::default();
        for _ in 0..3 {
            let mut one = Told::default();
            for _ in 0..600 {
                one.case("a.xml", &case(Outcome::Failed, "bad", 0.0));
            }
            told.add(one);
        }
        assert_eq!((told.failures.len(), told.failures_left_out, told.failed), (FAILURES, 800, 1800));
    }
}
