//! Which run: its repository, its id and its attempt.

use std::fmt;

/// One attempt of one run, as its provider names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct RunKey {
    /// `owner/name`; absent for a folder of reports that belongs to no repository.
    pub repo: Option<String>,
    /// The provider's id of the run, or `local-<hash of the input>`. Text, as some providers use UUIDs.
    pub run_id: String,
    /// The attempt, counted from 1.
    pub attempt: u32,
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(repo) = &self.repo {
            write!(f, "{repo} ")?;
        }
        write!(f, "run {} attempt {}", self.run_id, self.attempt)
    }
}

/// Which attempts of a run to take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptChoice {
    /// This one.
    Number(u32),
    /// The highest that any source knows.
    Latest,
    /// Each that any source knows, in order.
    All,
}

/// What is known of an attempt beside its artifacts. What is not known is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RunFacts {
    /// Whose run it is, in one word: `github`, `circleci`.
    pub provider: Option<String>,
    /// The workflow's name.
    pub workflow: Option<String>,
    /// What made the run begin, in the provider's word: `push`, `pull_request`.
    pub event: Option<String>,
    /// The commit that the run tested; of a pull request its last, not one that merges it for the test.
    pub head_commit: Option<String>,
    /// The last commit that it has in common with the branch that it is for.
    pub merge_base: Option<String>,
    /// The number of the pull request that it tested.
    pub pull_request: Option<u64>,
    /// When the attempt began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: Option<i64>,
    /// When the attempt ended.
    pub ended_unix_ms: Option<i64>,
    /// The branch that the run tested.
    pub head_branch: Option<String>,
    /// The repository (`owner/name`) that the branch lies in; a fork's for a pull request from one.
    pub head_repository: Option<String>,
}

impl RunFacts {
    /// Fills in what is not known from what is known elsewhere.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            provider: self.provider.or(other.provider),
            workflow: self.workflow.or(other.workflow),
            event: self.event.or(other.event),
            head_commit: self.head_commit.or(other.head_commit),
            merge_base: self.merge_base.or(other.merge_base),
            pull_request: self.pull_request.or(other.pull_request),
            started_unix_ms: self.started_unix_ms.or(other.started_unix_ms),
            ended_unix_ms: self.ended_unix_ms.or(other.ended_unix_ms),
            head_branch: self.head_branch.or(other.head_branch),
            head_repository: self.head_repository.or(other.head_repository),
        }
    }

    /// Reports whether nothing is left to ask for.
    pub(crate) fn is_whole(&self) -> bool {
        let texts = [
            &self.provider,
            &self.workflow,
            &self.event,
            &self.head_commit,
            &self.merge_base,
            &self.head_branch,
        ];
        texts.iter().all(|text| text.is_some())
            && self.head_repository.is_some()
            && self.started_unix_ms.is_some()
            && self.ended_unix_ms.is_some()
            && self.pull_request.is_some()
    }
}
