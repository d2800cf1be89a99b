//! Bad input beside good: the rest is taken in, what is whole is saved, and the ledger says what was wrong and where.

mod archives;
mod exclusions;
mod reports;

use serde_json::Value;
use testlake_collect::ledger::{ArtifactStatus, LedgerFinding, ReportCounts, Verdict};
use testlake_collect::plan::CollectPlan;
use testlake_testkit::zip::{Member, ZipBuilder};

use super::{Run, collect};

/// The artifact that is bad in all trials.
const BAD: &str = "test-reports-bad_2.zip";
/// The artifact that is good in all trials, and its job.
const GOOD: &str = "test-reports-good_1.zip";
const GOOD_REPORT: &[u8] =
    br#"<testsuite><testcase name="good 1"/><testcase name="good 2"><failure/></testcase></testsuite>"#;

/// One piece of bad input and all that must come of it.
struct Trial {
    title: String,
    artifact: &'static str,
    bytes: Vec<u8>,
    change: fn(&mut CollectPlan),
    /// The names of the cases that are saved, as JSON.
    saved: Vec<Value>,
    /// What their lines hold somewhere.
    kept: Vec<&'static str>,
    told: Vec<Told>,
    status: ArtifactStatus,
    reports: ReportCounts,
}

/// A finding that must be in the ledger; there are no others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    entry: Option<String>,
    offset: Option<u64>,
    code: String,
    cases_saved: Option<u64>,
}

impl Trial {
    /// An artifact of bytes that are read whole, until told otherwise.
    fn artifact(title: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            title: title.into(),
            artifact: BAD,
            bytes: bytes.into(),
            change: |_| (),
            saved: Vec::new(),
            kept: Vec::new(),
            told: Vec::new(),
            status: ArtifactStatus::Read,
            reports: ReportCounts::default(),
        }
    }

    /// An artifact that could be read in part.
    fn salvaged(mut self, read: u64, salvaged: u64, rejected: u64) -> Self {
        self.status = ArtifactStatus::Salvaged;
        self.counts(read, salvaged, rejected)
    }

    /// An artifact that could not be read.
    fn rejected(mut self) -> Self {
        self.status = ArtifactStatus::Rejected;
        self
    }

    fn counts(mut self, read: u64, salvaged: u64, rejected: u64) -> Self {
        self.reports = ReportCounts { found: read + salvaged + rejected, read, salvaged, rejected };
        self
    }

    fn with(mut self, change: fn(&mut CollectPlan)) -> Self {
        self.change = change;
        self
    }

    fn saves<V: Into<Value> + Copy>(mut self, names: &[V]) -> Self {
        self.saved = names.iter().map(|name| (*name).into()).collect();
        self
    }

    fn keeps(mut self, part: &'static str) -> Self {
        self.kept.push(part);
        self
    }

    /// A finding that lost nothing.
    fn tells(self, code: &str, entry: Option<&str>, offset: Option<usize>) -> Self {
        self.finding(code, entry, offset, None)
    }

    /// A finding that lost something.
    fn loses(self, code: &str, entry: Option<&str>, offset: Option<usize>, saved: u64) -> Self {
        self.finding(code, entry, offset, Some(saved))
    }

    fn finding(
        mut self,
        code: &str,
        entry: Option<&str>,
        offset: Option<usize>,
        cases_saved: Option<u64>,
    ) -> Self {
        self.told.push(Told {
            entry: entry.map(str::to_owned),
            offset: offset.map(|offset| offset as u64),
            code: code.to_owned(),
            cases_saved,
        });
        self
    }

    /// Runs it; returns what is not as it must be.
    fn wrong(&self) -> Vec<String> {
        let run = Run::new();
        run.zip(GOOD, [("x/good/1.xml", GOOD_REPORT)]);
        run.put(self.artifact, &self.bytes);
        let mut plan = run.plan();
        (self.change)(&mut plan);
        let collected = collect(&plan);
        let ledger = run.ledger();
        let mut wrong = Vec::new();
        let mut check = |what: &str, expected: String, actual: String| {
            if expected != actual {
                wrong.push(format!("{}: {what}\n  expected: {expected}\n  actual:   {actual}", self.title));
            }
        };
        check("ledger", format!("{:?}", collected.ledger), format!("{ledger:?}"));
        let lines = run.lines("test_run");
        let (good, bad): (Vec<_>, Vec<_>) =
            lines.lines().partition(|line| line.contains(r#""job_id": 1, "invoking_file": "good"}"#));
        check("good lines", GOOD_LINES.join("\n"), good.join("\n"));
        let names: Vec<Value> =
            bad.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].clone()).collect();
        check("saved", format!("{:?}", self.saved), format!("{names:?}"));
        for part in &self.kept {
            if !bad.iter().any(|line| line.contains(part)) {
                check("kept", (*part).to_owned(), bad.join("\n"));
            }
        }
        let told: Vec<Told> = ledger.findings.iter().map(Told::of).collect();
        check("findings", format!("{:#?}", self.told), format!("{told:#?}"));
        let is_named = ledger.findings.iter().all(|finding| finding.artifact == self.artifact);
        check("artifact of the findings", "true".to_owned(), is_named.to_string());
        let artifact = ledger.artifacts.iter().find(|artifact| artifact.name == self.artifact).unwrap();
        check("status", format!("{:?}", self.status), format!("{:?}", artifact.status));
        let has_reason = self.status != ArtifactStatus::Read;
        check("reason", has_reason.to_string(), artifact.reason.is_some().to_string());
        let good = ReportCounts { found: 1, read: 1, ..ReportCounts::default() };
        let reports = ReportCounts {
            found: ledger.reports.found - good.found,
            read: ledger.reports.read - good.read,
            ..ledger.reports
        };
        check("reports", format!("{:?}", self.reports), format!("{reports:?}"));
        check("cases", (2 + self.saved.len()).to_string(), ledger.cases.total.to_string());
        let verdict = if has_reason { Verdict::Partial } else { Verdict::Complete };
        check("verdict", format!("{verdict:?}"), format!("{:?}", ledger.verdict));
        let summary = run.lines("test_run_summary");
        let tests = |line: &str| serde_json::from_str::<Value>(line).unwrap()["tests"].as_u64().unwrap();
        let sum: u64 = summary.lines().map(tests).sum();
        check("summary", ledger.cases.total.to_string(), sum.to_string());
        wrong
    }
}

const GOOD_LINES: [&str; 2] = [
    r#"{"name": "good 1", "workflow_id": "9871234567", "workflow_run_attempt": 1, "job_id": 1, "invoking_file": "good"}"#,
    r#"{"name": "good 2", "failure": {}, "workflow_id": "9871234567", "workflow_run_attempt": 1, "job_id": 1, "invoking_file": "good"}"#,
];

impl Told {
    fn of(finding: &LedgerFinding) -> Self {
        assert!(!finding.text.is_empty());
        Self {
            entry: finding.entry.clone(),
            offset: finding.offset,
            code: finding.code.clone(),
            cases_saved: finding.cases_saved,
        }
    }
}

fn assert_all(trials: impl IntoIterator<Item = Trial>) {
    let wrong: Vec<_> = trials.into_iter().flat_map(|trial| trial.wrong()).collect();
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

fn zipped(path: &str, bytes: &[u8]) -> Vec<u8> {
    ZipBuilder::new().member(Member::deflated(path, bytes)).build().bytes
}

/// Returns where a part begins for the first time.
fn find(bytes: &[u8], part: impl AsRef<[u8]>) -> usize {
    let part = part.as_ref();
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}
