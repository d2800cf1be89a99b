//! Cases that ran more than once and must be read again for their documents.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use testlake_collect::ledger::Verdict;
use testlake_collect::run::{RunFacts, RunKey};
use testlake_collect::source::{
    Content, Folder, JobNames, Layout, Listing, Source, SourceError, SourceErrorKind,
};

use super::{Run, collect};

const CASES: &str =
    r#"<testsuite><testcase classname="C" name="a"/><testcase classname="C" name="b"/></testsuite>"#;

/// Two reports that hold the same two cases.
fn twice() -> Run {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/test_a/1.xml", CASES)]);
    run.zip("test-reports-b_2.zip", [("x/test_a/1.xml", CASES)]);
    run
}

const ALL: &str = concat!(
    r#"{"NoBuildEnv": {"NoTestConfig": {"test_a": {"C": {"a": [{"job_id": 1}, {"job_id": 2}], "#,
    r#""b": [{"job_id": 1}, {"job_id": 2}]}}}}}"#,
    "\n"
);

#[test]
fn a_second_reading_does_not_count_against_the_limit_of_the_run() {
    let run = twice();
    let mut plan = run.plan();
    plan.archive_limits.run_bytes = 2 * CASES.len() as u64;
    let ledger = collect(&plan).ledger;
    assert_eq!((ledger.verdict, ledger.findings), (Verdict::Complete, Vec::new()));
    assert_eq!(run.lines("additional_info/reruns"), ALL);
}

/// Gives each artifact once.
#[derive(Debug)]
struct Once(Folder, Mutex<HashSet<String>>);

#[async_trait]
impl Source for Once {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        self.0.attempts(run).await
    }

    /// So that nothing is kept for a second reading.
    fn is_local(&self) -> bool {
        true
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        self.0.list(run).await
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        if !self.1.lock().unwrap().insert(listing.name.clone()) {
            return Err(SourceError::new(SourceErrorKind::Unavailable, "it is gone"));
        }
        self.0.fetch(listing, progress).await
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }
}

#[test]
fn what_cannot_be_read_again_is_told() {
    let run = twice();
    let mut plan = run.plan();
    plan.sources = vec![Arc::new(Once(Folder::new(run.bucket(), Layout::default()), Mutex::default()))];
    let ledger = collect(&plan).ledger;
    assert_eq!(ledger.verdict, Verdict::Partial);
    let told: Vec<_> = ledger
        .findings
        .iter()
        .map(|finding| (finding.artifact.as_str(), finding.entry.as_deref(), finding.code.as_str()))
        .collect();
    // the first copy was given up when the second came
    assert_eq!(
        told,
        [
            ("test-reports-a_1.zip", Some("x/test_a/1.xml"), "not-read-again"),
            ("test-reports-b_2.zip", Some("x/test_a/1.xml"), "not-read-again"),
        ]
    );
    assert!(ledger.findings[0].text.starts_with("2 of its cases"), "{}", ledger.findings[0].text);
    // all else is there
    assert_eq!((ledger.cases.total, run.lines("test_run").lines().count()), (4, 4));
}
