//! What a CI job's own environment says about the run that the job belongs to.
//!
//! - `provider`: who they are, and which variables tell what ([`CiProvider::ALL`]).
//! - `rule`: how a variable's value becomes what is told.
//! - `event`: GitHub's event file, which knows what its variables do not.

mod event;
mod provider;
mod rule;
#[cfg(test)]
mod tests;

use testlake_report::time::parse_instant;

pub use provider::CiProvider;
use provider::Field;

use crate::run::{AttemptChoice, RunFacts};

/// The run that a job belongs to, as its environment has it. What it does not tell is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiRun {
    /// Whose job it is.
    pub provider: CiProvider,
    /// `owner/name`; at GitLab any number of groups before the name.
    pub repo: Option<String>,
    /// The run's id, at CircleCI and Semaphore the workflow's, at GitLab the pipeline's.
    pub run_id: Option<String>,
    /// The attempt. Where jobs are tried again one by one, that of the job.
    pub attempt: Option<u32>,
    /// The job's id.
    pub job: Option<String>,
    /// The job's name.
    pub job_name: Option<String>,
    /// What tells the job from others of the same id or name: its machine, or the runner's id of the job. Where another run is
    /// stood for, the workflow that the job is of.
    pub node: Option<String>,
    /// The commit that is tested; of a pull request its last, not one that merges it for the test.
    pub head_commit: Option<String>,
    /// The branch that is tested, of a pull request the one that it comes from. A tag is none.
    pub head_branch: Option<String>,
    /// The repository that the branch lies in. Absent for a pull request of which it is not told: it may be a fork's.
    pub head_repository: Option<String>,
    /// The number of the pull request that is tested.
    pub pull_request: Option<u64>,
    /// What made the run begin, in the provider's word.
    pub event: Option<String>,
    /// The workflow's name, or that of the pipeline, the project, the build configuration.
    pub workflow: Option<String>,
    /// The last commit that the head has in common with the branch that it is for.
    pub merge_base: Option<String>,
    /// When the run began, in milliseconds since 1970.
    pub started_unix_ms: Option<i64>,
    /// The web page of the run, or else of the job.
    pub web_url: Option<String>,
    /// The file that tells more of what made the run begin.
    event_file: Option<String>,
}

impl CiRun {
    /// Reads it from an environment, given as a function from names to values that are not empty.
    pub fn of<'env>(get: impl Fn(&str) -> Option<&'env str>) -> Option<Self> {
        let get: &dyn Fn(&str) -> Option<&'env str> = &get;
        let provider = CiProvider::ALL.into_iter().find(|provider| provider.is_here(get))?;
        let read = |field| provider.read(field, get);
        Some(Self {
            provider,
            repo: read(Field::Repo),
            run_id: read(Field::Run),
            attempt: read(Field::Attempt).and_then(|number| number.parse().ok()),
            job: read(Field::Job),
            job_name: read(Field::JobName),
            node: read(Field::Node),
            head_commit: read(Field::Commit),
            head_branch: read(Field::Branch),
            head_repository: read(Field::HeadRepository),
            pull_request: read(Field::PullRequest).and_then(|number| number.parse().ok()),
            event: read(Field::Event),
            workflow: read(Field::Workflow),
            merge_base: read(Field::MergeBase),
            started_unix_ms: read(Field::Started).as_deref().and_then(unix_ms),
            web_url: read(Field::WebUrl),
            event_file: read(Field::EventFile),
        })
    }

    /// Adds what the provider's event file says, where there is one that can be read.
    #[must_use]
    pub fn with_event_file(self) -> Self {
        let Some(path) = &self.event_file else { return self };
        match event::read(path.as_ref()) {
            Ok(text) => self.with_event(&text),
            Err(error) => {
                tracing::warn!(path, %error, "cannot read the event file");
                self
            }
        }
    }

    /// Adds what an event file of GitHub's says, given its text: of a pull request its commit, branch and repository, which
    /// the variables do not tell; for a run that another one made begin (`workflow_run`), all of that other run.
    #[must_use]
    pub fn with_event(mut self, text: &str) -> Self {
        if self.provider == CiProvider::GitHub {
            event::add(&mut self, text);
        }
        self
    }

    /// Returns what is known of the run beside what it leaves.
    pub fn facts(&self) -> RunFacts {
        RunFacts {
            provider: Some(self.provider.as_str().to_owned()),
            workflow: self.workflow.clone(),
            event: self.event.clone(),
            head_commit: self.head_commit.clone(),
            merge_base: self.merge_base.clone(),
            pull_request: self.pull_request,
            started_unix_ms: self.started_unix_ms,
            ended_unix_ms: None,
            head_branch: self.head_branch.clone(),
            head_repository: self.head_repository.clone(),
        }
    }

    /// Returns what tells the job from every other of the run, as far as the environment does. An id or a name that was said
    /// stands in place of the environment's own; a name alone stands beside the environment's id.
    pub fn job_key(&self, said_id: Option<&str>, said_name: Option<&str>) -> Option<String> {
        let id = said_id.or(self.job.as_deref());
        let name = match said_id {
            Some(_) => None,
            // an id says all that the environment's name does
            None => said_name.or_else(|| self.job_name.as_deref().filter(|_| id.is_none())),
        };
        let parts: Vec<_> = [id, name, self.node.as_deref()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("-"))
    }

    /// Reports whether the run that is asked for is this one. Where the environment does not tell the repository, it is
    /// whichever is asked for.
    pub fn is(&self, repo: Option<&str>, run_id: Option<&str>) -> bool {
        self.run_id.is_some()
            && self.run_id.as_deref() == run_id
            && self.repo.as_deref().is_none_or(|own| Some(own) == repo)
    }

    /// Returns the choice of this attempt; of the latest, where it is not known.
    pub fn attempt_choice(&self) -> AttemptChoice {
        self.attempt.map_or(AttemptChoice::Latest, AttemptChoice::Number)
    }
}

/// Reads a time: ISO 8601 with a zone, or seconds since 1970.
fn unix_ms(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(seconds) => seconds.checked_mul(1000),
        Err(_) => parse_instant(text).filter(|time| time.has_zone).map(|time| time.unix_ms),
    }
}
