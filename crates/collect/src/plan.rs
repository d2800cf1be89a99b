//! What a collection runs on, and what comes of it: plain data between the program and the pipeline.

use std::num::NonZeroUsize;
use std::sync::Arc;

use globset::GlobMatcher;
use regex::Regex;
use serde::Serialize;
use tokio::sync::watch;

use crate::ledger::Ledger;
use crate::limits::ArchiveLimits;
use crate::output::{Destination, OutputError};
use crate::redact::Redactor;
use crate::results::Results;
use crate::run::{AttemptChoice, RunFacts};
use crate::source::{JobNames, Source, SourceError};

/// What to collect, from where, to where and how: parsed, defaulted and checked.
#[derive(Debug, Clone)]
pub struct CollectPlan {
    /// The run that is asked for.
    pub run: RunRequest,
    /// Where its artifacts are, in order: of two copies of an artifact the first source's counts.
    pub sources: Vec<Arc<dyn Source>>,
    /// Where collections and ledger go.
    pub destination: Arc<dyn Destination>,
    /// Which artifacts are taken and which collections are made.
    pub profile: Profile,
    /// Whether `test_run`, all documents, is written.
    pub full: Full,
    /// The head branch for which [`Full::Auto`] writes it.
    pub full_branch: String,
    /// The head repository for which [`Full::Auto`] writes it; absent: the run's own repository.
    pub full_repository: Option<String>,
    /// What the caller knows of the run; for head branch and repository that are not among it the sources are asked, and
    /// where typed results go somewhere, for all that is not.
    pub facts: RunFacts,
    /// The names of the run's jobs, where the caller knows them; else the sources are asked.
    pub job_names: Option<JobNames>,
    /// A place that is asked for the names of the run's jobs and nothing else, where no source knows them.
    pub jobs_source: Option<Arc<dyn Source>>,
    /// The artifacts to take, by name; absent: those of the profile.
    pub artifact_glob: Option<GlobMatcher>,
    /// Threads that inflate, parse and add up.
    pub threads: NonZeroUsize,
    /// Artifacts that are fetched at the same time.
    pub max_concurrency: NonZeroUsize,
    /// Caps on archives.
    pub archive_limits: ArchiveLimits,
    /// Caps on reports.
    pub report_limits: testlake_report::Limits,
    /// Whether everything that the ledger lists as unusual makes the verdict partial.
    pub require_complete: bool,
    /// Jobs, by name, each of which must have left a report for the verdict to be complete.
    pub expect_jobs: Option<Regex>,
    /// Whether to say what would be read and written, and write nothing.
    pub dry_run: bool,
    /// Where typed results go; absent: nowhere, at no cost.
    pub results: Option<Arc<dyn Results>>,
    /// What masks secrets in typed results; absent: they are told as they are.
    pub redactor: Option<Arc<Redactor>>,
}

/// The run that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// `owner/name`; absent for a folder of reports that belongs to no repository.
    pub repo: Option<String>,
    /// The provider's id; absent: `local-<hash of the input>`, attempt 1.
    pub run_id: Option<String>,
    /// Which attempts.
    pub attempts: AttemptChoice,
}

/// Which artifacts are taken and which collections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// PyTorch's: artifacts whose name starts with `test-report` or `test-jsons`, all six collections.
    Pytorch,
    /// For everyone else: every artifact, three collections.
    Plain,
}

/// Whether `test_run`, all documents, is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Full {
    /// Where head branch and head repository are those of the plan.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Hears how far a collection is. Methods are called from many threads, often.
pub trait Observer: Send + Sync {
    /// So many more artifacts will be taken in; `bytes` in all, where the sources say.
    fn artifacts_known(&self, count: u64, bytes: Option<u64>);
    /// So many more bytes were fetched.
    fn bytes_fetched(&self, count: u64);
    /// One more artifact is done.
    fn artifact_done(&self);
    /// So many more cases were read.
    fn cases(&self, count: u64);
}

/// An observer that hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn artifacts_known(&self, _count: u64, _bytes: Option<u64>) {}
    fn bytes_fetched(&self, _count: u64) {}
    fn artifact_done(&self) {}
    fn cases(&self, _count: u64) {}
}

/// Asks a collection to end early, without leaving half an object. Clones share one state.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Sender<bool>);

impl Cancel {
    /// Makes one that has not been asked.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Asks. To ask twice is to ask once.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Reports whether it has been asked.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.subscribe();
        // It cannot end otherwise: `self` holds the sender.
        drop(receiver.wait_for(|asked| *asked).await);
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// What was expected and what came, as it was written.
    pub ledger: Ledger,
    /// What is known of the run beside what it left.
    pub facts: RunFacts,
    /// What a person wants to know first.
    pub summary: RunSummary,
    /// The objects that were written (under `dry_run`: that would be), in order; the ledger is last.
    pub written: Vec<WrittenObject>,
}

/// What a person wants to know first about an attempt.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// Distinct jobs that left a report.
    pub jobs: u64,
    /// Seconds of testing: the sum of the cases' times.
    pub seconds: f64,
    /// Failed cases, grouped by message; the largest group first.
    pub failures: Vec<FailureGroup>,
    /// Groups beyond those, which were counted and not kept.
    pub groups_left_out: u64,
}

/// Failed cases of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FailureGroup {
    /// The message, or its first line where it has none of its own.
    pub message: String,
    /// The first lines of the text of the group's first case.
    pub first_lines: Vec<String>,
    /// How many cases failed so.
    pub cases: u64,
    /// Some of them, in the order of the input.
    pub examples: Vec<FailedCase>,
}

/// A case that failed, by its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FailedCase {
    /// The `file` attribute.
    pub file: Option<String>,
    /// The `classname` attribute.
    pub class: Option<String>,
    /// The `name` attribute.
    pub name: Option<String>,
    /// The job's id, where the artifact's name ends with one.
    pub job_id: Option<u64>,
    /// The artifact.
    pub artifact: String,
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenObject {
    /// The collection, as `test_run_summary`; `ledger` for the ledger.
    pub collection: String,
    /// The key below the destination.
    pub key: String,
    /// Lines in it.
    pub rows: u64,
    /// Its size in bytes, as stored.
    pub bytes: u64,
}

/// Why nothing could be collected. What is wrong with a part of the input is in the [`Ledger`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// No source could say what the run left.
    #[error("no source answered")]
    NoSource(#[source] SourceFailures),
    /// A source holds runs by id, and no id was given.
    #[error("`{source_name}` holds many runs, and none was named")]
    RunUnknown {
        /// The source.
        source_name: String,
    },
    /// No source knows an attempt of the run.
    #[error("no source knows an attempt of {run}")]
    NoAttempt {
        /// The run, as messages show it.
        run: String,
    },
    /// The sources answered, and none has an artifact or a job of the run.
    #[error("no artifact and no job of {run} is in {place}")]
    NothingOfRun {
        /// The run, as messages show it.
        run: String,
        /// The sources.
        place: String,
    },
    /// Paths and patterns without a run's id, at which there is nothing.
    #[error("no report and no archive is at {place}")]
    NoInput {
        /// The paths and patterns.
        place: String,
    },
    /// The providers have removed every artifact of the run, and what an earlier collection wrote stays.
    #[error("{}", expired(run, *artifacts))]
    Expired {
        /// The run, as messages show it.
        run: String,
        /// How many artifacts it has that are wanted.
        artifacts: u64,
    },
    /// The destination cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The run's id cannot stand in an object's key.
    #[error("the run id `{run_id}` is empty, or holds a character that cannot stand in a key")]
    BadRunId {
        /// The id.
        run_id: String,
    },
    /// A temporary file failed: no space, no permission.
    #[error("cannot use a temporary file; `TMPDIR` says where they are made")]
    Spool(#[source] std::io::Error),
    /// The system starts no more threads.
    #[error("cannot start the workers; `--threads` says how many")]
    Threads(#[source] std::io::Error),
    /// It was asked to end early. Nothing half is left.
    #[error("cancelled")]
    Cancelled,
    /// A state that must not be.
    #[error("a worker ended unexpectedly")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn expired(run: &str, artifacts: u64) -> String {
    match artifacts {
        1 => format!("the only artifact of {run} has expired; nothing is written or removed"),
        _ => format!("all {artifacts} artifacts of {run} have expired; nothing is written or removed"),
    }
}

/// The sources that did not answer, each with its reason; never empty.
#[derive(Debug)]
pub struct SourceFailures {
    /// Name and reason, in the order of the plan.
    pub failures: Vec<(String, SourceError)>,
}

impl SourceFailures {
    /// Reports whether the same request may succeed later, with nothing changed on our side.
    pub fn is_transient(&self) -> bool {
        self.failures.iter().any(|(_, error)| error.kind().is_transient())
    }
}

impl std::fmt::Display for SourceFailures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, error)) in self.failures.iter().enumerate() {
            let error = error.to_string();
            // What names the place itself does not need it twice.
            let is_named = error.contains(&format!("`{}", name.trim_start_matches("file://")));
            let before = if is_named { String::new() } else { format!("{name}: ") };
            write!(f, "{}{before}{error}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for SourceFailures {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.failures.as_slice() {
            [(_, only)] => only.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancel_that_was_asked_before_is_seen_at_once() {
        let cancel = Cancel::new();
        assert!(!cancel.is_cancelled());
        cancel.clone().cancel();
        cancel.cancel();
        cancel.cancelled().await;
        assert!(cancel.is_cancelled());
    }
}
