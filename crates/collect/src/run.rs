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

/// What a provider says about an attempt beside its artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RunFacts {
    /// The branch that the run tested.
    pub head_branch: Option<String>,
    /// The repository (`owner/name`) that the branch lies in; a fork's for a pull request from one.
    pub head_repository: Option<String>,
}
