//! What GitHub says about an attempt beside its artifacts and jobs.

use std::sync::{Arc, PoisonError};

use testlake_report::time::parse_instant;
use url::Url;

use super::answer::{Attempt, Comparison, PullRequest, Repository, RepositoryFacts};
use super::{GitHub, is_name, owner_and_name};
use crate::run::{RunFacts, RunKey};
use crate::source::SourceError;

impl GitHub {
    pub(super) async fn facts_of(&self, run: &RunKey) -> Result<RunFacts, SourceError> {
        let attempt = self.attempt(run).await?;
        let pull_request = attempt.pull_request().filter(|_| tests_pull_request(attempt.event.as_deref()));
        let pull_request = pull_request.map(|pull| pull.number);
        let has_ended = attempt.status.as_deref() == Some("completed");
        let ended = attempt.updated_at.as_deref().filter(|_| has_ended);
        Ok(RunFacts {
            provider: Some("github".to_owned()),
            // one without a name is named after its file
            workflow: attempt.name.clone().or_else(|| attempt.path.clone()).filter(|name| !name.is_empty()),
            event: attempt.event.clone(),
            head_commit: attempt.head_sha.clone(),
            merge_base: None,
            pull_request,
            started_unix_ms: attempt.run_started_at.as_deref().and_then(unix_ms),
            ended_unix_ms: ended.and_then(unix_ms),
            head_branch: attempt.head_branch.clone(),
            head_repository: attempt.head_repository.as_ref().and_then(|one| one.full_name.clone()),
        })
    }

    /// Asks for the pull request, where it comes from a fork, and for the last commit that the head has in common with the
    /// branch that it is for: the pull request's, else the repository's default branch.
    pub(super) async fn ancestry_of(&self, run: &RunKey, facts: &RunFacts) -> Result<RunFacts, SourceError> {
        let mut found = RunFacts::default();
        let Some(head) = facts.head_commit.as_deref().filter(|commit| is_commit(commit)) else {
            return Ok(found);
        };
        let attempt = self.attempt(run).await?;
        let pull = match attempt.pull_request() {
            Some(pull) => Some(pull.clone()),
            None => self.pull_request_of_fork(run, facts, head).await?,
        };
        let base = match pull {
            Some(pull) => {
                found.pull_request = Some(pull.number).filter(|_| tests_pull_request(facts.event.as_deref()));
                // where the branch stood then: since, it may have taken the head in
                pull.base.sha
            }
            None => self.default_branch(run).await?,
        };
        let mut url = self.repo_url(run, &["compare", &format!("{base}...{head}")])?;
        // the changed files, of which there may be megabytes, are on the first page alone
        url.query_pairs_mut().append_pair("per_page", "1").append_pair("page", "2");
        let comparison = self.http.get_json::<Comparison>(&url).await?.value;
        found.merge_base = Some(comparison.merge_base_commit.sha);
        Ok(found)
    }

    /// Asks for the attempt; for the one that was asked for last no second time.
    async fn attempt(&self, run: &RunKey) -> Result<Arc<Attempt>, SourceError> {
        let lock = || self.last_attempt.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, attempt)) = &*lock()
            && known == run
        {
            return Ok(Arc::clone(attempt));
        }
        let url = self.run_url(run, &["attempts", &run.attempt.to_string()])?;
        let attempt = Arc::new(self.http.get_json(&url).await?.value);
        *lock() = Some((run.clone(), Arc::clone(&attempt)));
        Ok(attempt)
    }

    /// Finds the pull request of a run whose head lies in a fork: the run itself does not tell it.
    async fn pull_request_of_fork(
        &self,
        run: &RunKey,
        facts: &RunFacts,
        head: &str,
    ) -> Result<Option<PullRequest>, SourceError> {
        let is_pull = tests_pull_request(facts.event.as_deref());
        let owner = facts.head_repository.as_deref().and_then(|name| name.split_once('/'));
        let (true, Some((owner, _)), Some(branch)) = (is_pull, owner, &facts.head_branch) else {
            return Ok(None);
        };
        if !is_name(owner) {
            return Ok(None);
        }
        let mut url = self.repo_url(run, &["pulls"])?;
        url.query_pairs_mut().append_pair("head", &format!("{owner}:{branch}")).append_pair("state", "all");
        let mut pulls = self.http.get_json::<Vec<PullRequest>>(&url).await?.value;
        // a branch may have had several, and may have moved on
        match pulls.iter().position(|pull| pull.head.sha == head) {
            Some(place) => Ok(Some(pulls.swap_remove(place))),
            None if pulls.len() == 1 => Ok(pulls.pop()),
            None => Ok(None),
        }
    }

    /// Asks for the repository's default branch; for that of the repository that was asked for last no second time.
    async fn default_branch(&self, run: &RunKey) -> Result<String, SourceError> {
        let url = self.repo_url(run, &[])?;
        let lock = || self.last_default.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, branch)) = lock().as_ref().filter(|(known, _)| *known == url) {
            return Ok(branch.clone());
        }
        let branch = self.http.get_json::<RepositoryFacts>(&url).await?.value.default_branch;
        *lock() = Some((url, branch.clone()));
        Ok(branch)
    }

    pub(super) fn repo_url(&self, run: &RunKey, parts: &[&str]) -> Result<Url, SourceError> {
        let (owner, name) = owner_and_name(run.repo.as_deref())?;
        let start = ["repos", owner, name];
        Ok(self.http.api().url(start.into_iter().chain(parts.iter().copied())))
    }
}

impl Attempt {
    /// Returns the pull request of the run's own repository that it is for. Those of other repositories that have the same
    /// commit are listed, too.
    fn pull_request(&self) -> Option<&PullRequest> {
        let own = self.repository.as_ref().and_then(|repository| repository.id);
        let is_own = |repository: &Option<Repository>| match (own, repository) {
            (Some(own), Some(repository)) => repository.id == Some(own),
            _ => true,
        };
        self.pull_requests.iter().flatten().find(|pull| is_own(&pull.base.repo))
    }
}

/// Reports whether it is a pull request that makes a run of this event.
fn tests_pull_request(event: Option<&str>) -> bool {
    event.is_some_and(|event| event.starts_with("pull_request"))
}

/// Reads a time as GitHub writes it.
fn unix_ms(time: &str) -> Option<i64> {
    parse_instant(time).filter(|time| time.has_zone).map(|time| time.unix_ms)
}

/// Reports whether this names a commit: by nothing else may a comparison be asked for.
fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
