//! The form of the files: lines of JSON, cases as the lake keeps them.

use serde::{Deserialize, Serialize};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_lake::ingest::{AttemptFacts, ReportKey, telling};
use testlake_report::model::{Detail, Try};
use testlake_report::time::Instant;
use testlake_report::{Case, Outcome};

use super::super::identity::Identity;

/// The version of the form.
pub(super) const VERSION: u32 = 1;

/// A line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first.
    Upload(Box<Upload>),
    /// A report begins, whose path this is.
    Report(String),
    /// A case of it.
    Case(Box<SpooledCase>),
    /// A finding of it.
    Finding { code: String, offset: u64, text: String },
    /// It has ended; whether it counts.
    ReportEnd(bool),
    /// The last: so many reports and cases that count.
    End { reports: u64, cases: u64 },
}

/// Whose cases they are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) version: u32,
    lake: String,
    repo: Option<String>,
    run_id: String,
    attempt: u32,
    tags: Vec<(String, String)>,
    provider: Option<String>,
    workflow: Option<String>,
    event: Option<String>,
    head_commit: Option<String>,
    merge_base: Option<String>,
    pull_request: Option<u64>,
    started_unix_ms: Option<i64>,
    head_branch: Option<String>,
    head_repository: Option<String>,
    /// When the job left it, which is when it counts as taken in.
    taken_in_unix_ms: i64,
    artifact: String,
    job: Option<String>,
    job_name: Option<String>,
    variant: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
/// A case.
pub(super) struct SpooledCase {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    suite: Vec<String>,
    class: Option<String>,
    name: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    outcome: String,
    seconds: Option<f64>,
    started: Option<(i64, bool)>,
    kind: Option<String>,
    message: Option<String>,
    text: Option<String>,
    /// The outcomes of its tries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tries: Vec<String>,
}

impl Upload {
    pub(super) fn of(identity: &Identity, lake: &str) -> Self {
        let AttemptFacts { run, facts, tags, taken_in_unix_ms } = identity.attempt.clone();
        Self {
            version: VERSION,
            lake: lake.to_owned(),
            repo: run.repo,
            run_id: run.run_id,
            attempt: run.attempt,
            tags,
            provider: facts.provider,
            workflow: facts.workflow,
            event: facts.event,
            head_commit: facts.head_commit,
            merge_base: facts.merge_base,
            pull_request: facts.pull_request,
            started_unix_ms: facts.started_unix_ms,
            head_branch: facts.head_branch,
            head_repository: facts.head_repository,
            taken_in_unix_ms,
            artifact: identity.artifact.clone(),
            job: identity.job.clone(),
            job_name: identity.job_name.clone(),
            variant: identity.variant.clone(),
        }
    }

    pub(super) fn attempt(&self) -> AttemptFacts {
        let run = RunKey { repo: self.repo.clone(), run_id: self.run_id.clone(), attempt: self.attempt };
        let facts = RunFacts {
            provider: self.provider.clone(),
            workflow: self.workflow.clone(),
            event: self.event.clone(),
            head_commit: self.head_commit.clone(),
            merge_base: self.merge_base.clone(),
            pull_request: self.pull_request,
            started_unix_ms: self.started_unix_ms,
            ended_unix_ms: None,
            head_branch: self.head_branch.clone(),
            head_repository: self.head_repository.clone(),
        };
        AttemptFacts { run, facts, tags: self.tags.clone(), taken_in_unix_ms: self.taken_in_unix_ms }
    }

    pub(super) fn report(&self, path: &str) -> ReportKey {
        ReportKey {
            artifact: self.artifact.clone(),
            path: path.to_owned(),
            job: self.job.clone(),
            job_name: self.job_name.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl SpooledCase {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let text = |text: &Option<testlake_report::model::Text<'_>>| text.as_deref().map(str::to_owned);
        let detail = telling(case);
        Self {
            suite: case.suite.iter().map(ToString::to_string).collect(),
            class: text(&case.class),
            name: text(&case.name),
            file: text(&case.file),
            line: case.line,
            outcome: case.outcome.as_str().to_owned(),
            seconds: case.seconds,
            started: case.started.map(|started| (started.unix_ms, started.has_zone)),
            kind: text(&detail.kind),
            message: text(&detail.message),
            text: text(&detail.text),
            tries: case.tries.iter().map(|one| one.outcome.as_str().to_owned()).collect(),
        }
    }

    /// Returns the case; nothing where a word in it is none of ours.
    pub(super) fn told(self) -> Option<Case<'static>> {
        let outcome = |word: &str| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
        let tries = self
            .tries
            .iter()
            .map(|word| Some(Try { outcome: outcome(word)?, seconds: None, detail: Detail::default() }));
        let mut case = Case::new(outcome(&self.outcome)?, 0);
        case.tries = tries.collect::<Option<_>>()?;
        case.suite = self.suite.into_iter().map(Into::into).collect();
        case.class = self.class.map(Into::into);
        case.name = self.name.map(Into::into);
        case.file = self.file.map(Into::into);
        case.line = self.line;
        case.seconds = self.seconds;
        case.started = self.started.map(|(unix_ms, has_zone)| Instant { unix_ms, has_zone });
        case.detail = Detail {
            kind: self.kind.map(Into::into),
            message: self.message.map(Into::into),
            text: self.text.map(Into::into),
        };
        Some(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_comes_back_as_the_lake_keeps_it() {
        let mut case = Case::new(Outcome::Passed, 0);
        case.suite = vec!["a".into(), "b\n".into()];
        case.name = Some("n\u{1b}".into());
        case.seconds = Some(0.1);
        case.started = Some(Instant::utc(1_795_392_000_123));
        case.detail.message = Some("m".into());
        let one = |outcome| Try { outcome, seconds: None, detail: Detail::default() };
        case.tries = vec![one(Outcome::Failed), one(Outcome::Passed)];
        let text = serde_json::to_string(&SpooledCase::of(&case)).unwrap();
        let back: SpooledCase = serde_json::from_str(&text).unwrap();
        assert_eq!(back.told().unwrap(), case);
        assert!(case.is_flaky());
    }

    #[test]
    fn what_an_earlier_try_tells_comes_back_where_the_last_tells_nothing() {
        let mut case = Case::new(Outcome::Passed, 0);
        let detail = Detail { kind: Some("K".into()), message: Some("m".into()), text: Some("t".into()) };
        case.tries = vec![
            Try { outcome: Outcome::Failed, seconds: None, detail: detail.clone() },
            Try { outcome: Outcome::Passed, seconds: None, detail: Detail::default() },
        ];
        let back = SpooledCase::of(&case).told().unwrap();
        assert_eq!(telling(&back), &detail);
    }
}
