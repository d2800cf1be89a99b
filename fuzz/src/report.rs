//! A report is read, and all that is told of it makes sense.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use libfuzzer_sys::Corpus;
use testlake_report::finding::Weight;
use testlake_report::identity::TestId;
use testlake_report::{Case, Finding, Fold, Format, Limits, Reading, Visitor, read};

use crate::heap;

/// Formats that are read alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Documents of elements.
    Xml,
    /// Documents of members.
    Json,
    /// A value on each line.
    Lines,
    /// The Test Anything Protocol.
    Tap,
}

impl Family {
    fn of(format: Format) -> Option<Self> {
        Some(match format {
            Format::Named(_) => return None,
            Format::Tap => Self::Tap,
            Format::GoTest
            | Format::Dart
            | Format::Libtest
            | Format::PytestReportlog
            | Format::CucumberMessages => Self::Lines,
            Format::Ctrf
            | Format::Mocha
            | Format::Mochawesome
            | Format::Jest
            | Format::Vitest
            | Format::Playwright
            | Format::Cucumber
            | Format::Rspec
            | Format::Ginkgo
            | Format::Karma
            | Format::Testcafe => Self::Json,
            _ => Self::Xml,
        })
    }
}

/// Limits that small inputs reach.
pub const TIGHT: Limits = Limits {
    depth: 6,
    attributes: 3,
    tag_bytes: 200,
    case_bytes: 1000,
    path_bytes: 50,
    report_bytes: 3000,
    whole_bytes: 100,
    window_bytes: 100,
    compared_cases: 4,
    findings: 3,
};

/// Reads a report; panics where what is told of it is wrong.
pub fn check(raw: &[u8], family: Family) -> Corpus {
    let reading = checked(raw, Limits::default());
    if reading.format.and_then(Family::of) != Some(family) {
        return Corpus::Reject;
    }
    // each in turn, so that inputs stay cheap
    match raw.len() % 4 {
        0 => {
            checked(raw, TIGHT);
        }
        1 => assert!(told(raw) == told(raw), "it is read in two ways"),
        _ => {}
    }
    Corpus::Keep
}

/// All that is told of a report.
fn told(raw: &[u8]) -> Vec<String> {
    let mut lines = Lines::default();
    read(raw, Limits::default(), &mut lines);
    lines.0
}

/// What is told, as text.
#[derive(Default)]
struct Lines(Vec<String>);

impl Visitor for Lines {
    fn case(&mut self, case: &Case<'_>) {
        self.0.push(format!("{case:?}"));
    }

    fn finding(&mut self, finding: Finding) {
        self.0.push(format!("{finding:?}"));
    }
}

fn checked(raw: &[u8], limits: Limits) -> Reading {
    let mut checker = Checker::new(raw.len(), limits);
    let mut reading = Reading::default();
    let bytes = heap::peak_of(|| reading = read(raw, limits, &mut checker));
    checker.finish(reading);
    // a case with a thousand tries of which only their number is told takes most for its length
    assert!(bytes <= (4 << 20) + raw.len() * 400, "{bytes} bytes were held for a report of {}", raw.len());
    reading
}

/// Sees to it that what is told makes sense.
pub(crate) struct Checker {
    len: u64,
    limits: Limits,
    cases: u64,
    findings: usize,
    stops: usize,
    /// The next ordinal of each test.
    ordinals: HashMap<TestId, u32>,
}

impl Checker {
    pub(crate) fn new(len: usize, limits: Limits) -> Self {
        Self { len: len as u64, limits, cases: 0, findings: 0, stops: 0, ordinals: HashMap::new() }
    }

    pub(crate) fn finish(&self, reading: Reading) {
        assert_eq!(reading.cases, self.cases);
        assert!(self.findings <= self.limits.findings, "{} findings", self.findings);
        if reading.findings_left_out > 0 {
            assert!(
                self.findings + self.stops >= self.limits.findings,
                "findings were left out below the limit"
            );
        }
        match reading.format {
            None => {
                assert_eq!(self.cases, 0);
                assert!(self.stops > 0, "it is of no format, and nothing says so");
            }
            Some(Format::Named(_)) => {
                assert_eq!(self.cases, 0);
                assert!(self.stops > 0, "the format is not read, and nothing says so");
            }
            Some(_) => {}
        }
    }
}

impl Visitor for Checker {
    fn case(&mut self, case: &Case<'_>) {
        self.cases += 1;
        assert!(case.offset <= self.len, "{case:?} is outside the report");
        let known = self.ordinals.len();
        match self.ordinals.entry(TestId::of("", case, Fold::NOTHING)) {
            Entry::Occupied(mut before) => {
                assert_eq!(case.ordinal, *before.get(), "{case:?}");
                *before.get_mut() += 1;
            }
            // those beyond the limit are not compared
            Entry::Vacant(_) if known == self.limits.compared_cases => {
                assert_eq!(case.ordinal, 0, "{case:?}")
            }
            Entry::Vacant(place) => {
                assert_eq!(case.ordinal, 0, "{case:?}");
                place.insert(1);
            }
        }
        assert!(case.suite.iter().all(|name| !name.is_empty()), "{case:?} has a suite without a name");
        assert!(case.name.as_ref().is_none_or(|name| !name.is_empty()), "{case:?} has an empty name");
        seconds(case, case.seconds);
        for one in &case.tries {
            seconds(case, one.seconds);
        }
        assert!(case.tries.len() != 1, "{case:?} has one try");
        if let Some(last) = case.tries.last() {
            assert_eq!(last.outcome, case.outcome, "{case:?} ended otherwise than its last try");
        }
        if let Some(started) = case.started {
            assert!(!started.to_string().is_empty());
        }
    }

    fn finding(&mut self, finding: Finding) {
        assert!(finding.offset <= self.len, "{finding:?} is outside the report");
        if finding.code.weight() == Weight::Stop {
            self.stops += 1;
        } else {
            self.findings += 1;
        }
    }
}

fn seconds(case: &Case<'_>, seconds: Option<f64>) {
    let is_time = |seconds: f64| seconds.is_finite() && seconds.is_sign_positive();
    assert!(seconds.is_none_or(is_time), "{case:?} took no time there is");
}
