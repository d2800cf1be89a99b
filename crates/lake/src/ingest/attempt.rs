//! What is known of an attempt and of its reports beside their cases.

use sha2::{Digest, Sha256};
use testlake_collect::ledger::{ArtifactStatus, Ledger, Verdict};
use testlake_collect::run::{RunFacts, RunKey};

use crate::clock::{day_of, unix_ms};

/// An attempt to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Which attempt of which run.
    pub run: RunKey,
    /// What the provider, the variables of CI or flags say of it.
    pub facts: RunFacts,
    /// Names and values to keep with each row, by name.
    pub tags: Vec<(String, String)>,
    /// When it is taken in, in milliseconds since 1970.
    pub taken_in_unix_ms: i64,
}

/// A report of an attempt, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportKey {
    /// The artifact that it lies in.
    pub artifact: String,
    /// Its path in the artifact.
    pub path: String,
    /// The provider's id of the job.
    pub job: Option<String>,
    /// The job's name.
    pub job_name: Option<String>,
    /// The build and the configuration that the job ran.
    pub variant: Option<String>,
}

/// Where reports come from, which says what the row of the attempt becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A run that has ended, with its ledger's figures: the row of the attempt is replaced.
    Collected(Figures),
    /// One job of a run that may have others: a row of the attempt is made where there is none.
    Uploaded,
}

/// The figures of a ledger that the row of an attempt holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The whole in one word.
    pub verdict: Verdict,
    /// Artifacts that were listed and wanted.
    pub artifacts: u64,
    /// Those of which all was read.
    pub artifacts_read: u64,
    /// Reports that were found.
    pub reports: u64,
    /// Those that were read whole.
    pub reports_read: u64,
    /// Cases.
    pub cases: u64,
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed.
    pub failed: u64,
    /// Cases that ended in an error.
    pub errored: u64,
    /// Cases that were skipped.
    pub skipped: u64,
    /// Cases whose tries differ in outcome, where typed results were told.
    pub flaky: Option<u64>,
    /// Findings in the ledger.
    pub findings: u64,
    /// Jobs that left no report.
    pub jobs_without_report: u64,
}

impl Figures {
    /// Takes them from a ledger.
    pub fn of(ledger: &Ledger) -> Self {
        let read = ledger.artifacts.iter().filter(|artifact| artifact.status == ArtifactStatus::Read);
        let cases = &ledger.cases;
        // What was told is what the table of results has.
        let [total, passed, failed, errored, skipped] = match &ledger.results {
            Some(told) => [told.total, told.passed, told.failed, told.errored, told.skipped],
            None => [cases.total, cases.passed, cases.failed, cases.errored, cases.skipped],
        };
        Self {
            verdict: ledger.verdict,
            artifacts: ledger.artifacts.len() as u64,
            artifacts_read: read.count() as u64,
            reports: ledger.reports.found,
            reports_read: ledger.reports.read,
            cases: total,
            passed,
            failed,
            errored,
            skipped,
            flaky: ledger.results.as_ref().map(|told| told.flaky),
            findings: ledger.findings.len() as u64,
            jobs_without_report: ledger.jobs_without_report.len() as u64,
        }
    }
}

impl AttemptFacts {
    /// Makes the facts of an attempt that is taken in now.
    pub fn new(run: RunKey, facts: RunFacts) -> Self {
        Self { run, facts, tags: Vec::new(), taken_in_unix_ms: unix_ms() }
    }

    /// Returns the number of the attempt as it is stored.
    pub(super) fn attempt(&self) -> i32 {
        i32::try_from(self.run.attempt).unwrap_or(i32::MAX)
    }

    /// Returns the day that the rows of a report are kept under, which began at a time.
    pub(super) fn day_of(&self, began: Option<i64>) -> i32 {
        let days = [self.facts.started_unix_ms, began, Some(self.taken_in_unix_ms)];
        days.into_iter().flatten().find_map(day_of).unwrap_or_default()
    }

    /// Returns what files that hold rows of this attempt alone are named by.
    pub(super) fn owner(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.run.repo.as_deref().unwrap_or_default(), &self.run.run_id] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(self.run.attempt.to_le_bytes());
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
