//! The ledger of an attempt: what it was expected to leave and what came. Plain JSON, written last.
//!
//! The order of fields here is the order of keys there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the form that [`Ledger`] is written in.
pub const VERSION: u32 = 1;

/// What an attempt was expected to leave and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The version of this form: [`VERSION`].
    pub version: u32,
    /// The whole in one word.
    pub verdict: Verdict,
    /// Which attempt of which run.
    pub run: LedgerRun,
    /// The sources that were asked, in order.
    pub sources: Vec<LedgerSource>,
    /// Every artifact that was listed and wanted, by the bytes of its name.
    pub artifacts: Vec<LedgerArtifact>,
    /// How many reports came, and how.
    pub reports: ReportCounts,
    /// What was wrong with the input, in the order of the input.
    pub findings: Vec<LedgerFinding>,
    /// How many cases came, by outcome.
    pub cases: CaseCounts,
    /// What was told of the run's typed results, of reports of every format; absent where nobody asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<ResultCounts>,
    /// How many secrets each rule masked in typed results; absent where none were told, or none were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<BTreeMap<String, u64>>,
    /// Suites that declare another number of cases than they hold.
    pub declared: Vec<DeclaredMismatch>,
    /// Jobs that left no report.
    pub jobs_without_report: Vec<LedgerJob>,
}

/// The whole in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every report found was read whole.
    Complete,
    /// One was not.
    Partial,
    /// There is no case.
    Empty,
}

impl Verdict {
    /// Returns the word that the ledger holds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Empty => "empty",
        }
    }
}

/// Which attempt of which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRun {
    /// `owner/name`, where known.
    pub repo: Option<String>,
    /// The provider's id, or `local-<hash of the input>`.
    pub run_id: String,
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// The branch that the run tested, where known.
    pub head_branch: Option<String>,
    /// The repository that the branch lies in, where known.
    pub head_repository: Option<String>,
}

/// A source that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSource {
    /// Its name, without secrets.
    pub name: String,
    /// Artifacts that it listed and that were wanted.
    pub artifacts: u64,
    /// Why it did not answer; absent where it did.
    pub error: Option<String>,
}

/// An artifact that was listed and wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerArtifact {
    /// Its full name, archive suffix and all.
    pub name: String,
    /// The source that it was taken from.
    pub source: String,
    /// Its size in bytes, where known.
    pub bytes: Option<u64>,
    /// What became of it.
    pub status: ArtifactStatus,
    /// Why it was not read whole; absent where it was.
    pub reason: Option<String>,
}

/// What became of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactStatus {
    /// All of it was read.
    Read,
    /// A part of it was read.
    Salvaged,
    /// It came, and nothing of it could be read.
    Rejected,
    /// The provider has removed it after its retention time.
    Expired,
    /// It could not be fetched.
    Unavailable,
    /// It was not asked for: a dry run.
    Listed,
}

/// How many reports came, and how. `found` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCounts {
    /// All.
    pub found: u64,
    /// Those that were read whole.
    pub read: u64,
    /// Those of which only the cases before a break were saved.
    pub salvaged: u64,
    /// Those of which nothing was saved.
    pub rejected: u64,
}

/// Something wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFinding {
    /// The artifact.
    pub artifact: String,
    /// The path in it; absent where the artifact itself is meant.
    pub entry: Option<String>,
    /// The byte offset in the inflated entry (in the artifact, where there is no entry).
    pub offset: Option<u64>,
    /// The stable code.
    pub code: String,
    /// A sentence about it.
    pub text: String,
    /// Whole cases of the entry that were kept; absent where the finding lost nothing.
    pub cases_saved: Option<u64>,
}

/// How many cases came, by outcome. `total` is the sum of passed, failed, errored and skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseCounts {
    /// All.
    pub total: u64,
    /// Neither failed nor errored nor skipped.
    pub passed: u64,
    /// With a `failure`.
    pub failed: u64,
    /// With an `error` and no `failure`.
    pub errored: u64,
    /// With `skipped` and neither.
    pub skipped: u64,
    /// With a `rerun`, whatever else they have.
    pub rerun: u64,
}

/// How many typed results were told, by outcome. `total` is the sum of passed, failed, errored and skipped.
///
/// A case that is not whole in one of the collections may be whole here, and the other way round: typed results are read by
/// what the report's dialect means, and a report that is broken is read on behind the break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultCounts {
    /// Reports, of any format.
    pub reports: u64,
    /// All cases.
    pub total: u64,
    /// Those whose last try passed.
    pub passed: u64,
    /// Those whose last try failed.
    pub failed: u64,
    /// Those whose last try ended by an error.
    pub errored: u64,
    /// Those that were skipped.
    pub skipped: u64,
    /// Those whose tries differ in outcome, whatever the last of them was.
    pub flaky: u64,
}

impl ResultCounts {
    /// Adds what was told of another report.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { reports, total, passed, failed, errored, skipped, flaky } = *other;
        self.reports += reports;
        self.total += total;
        self.passed += passed;
        self.failed += failed;
        self.errored += errored;
        self.skipped += skipped;
        self.flaky += flaky;
    }
}

/// A suite that declares another number of cases than it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredMismatch {
    /// The artifact.
    pub artifact: String,
    /// The path in it.
    pub entry: String,
    /// The suite's name; absent where it has none.
    pub suite: Option<String>,
    /// The number in its `tests` attribute.
    pub declared: u64,
    /// The cases that it holds.
    pub held: u64,
}

/// A job, by its id and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerJob {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: String,
}
