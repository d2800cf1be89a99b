//! What of GitHub's answers is read. Other fields are ignored; one that is missing is an error that names it.

use serde::Deserialize;

/// A page of a list.
pub(super) trait Paged {
    /// What is listed.
    type Item;

    /// Returns how many there are on all pages, where the page says.
    fn counted(&self) -> Option<u64>;

    /// Returns what is on this page, by id.
    fn into_items(self) -> impl Iterator<Item = (u64, Self::Item)>;
}

#[derive(Debug, Deserialize)]
pub(super) struct Artifacts {
    total_count: Option<u64>,
    artifacts: Vec<Artifact>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Artifact {
    id: u64,
    pub(super) name: String,
    pub(super) size_in_bytes: Option<u64>,
    pub(super) archive_download_url: String,
    #[serde(default)]
    pub(super) expired: bool,
}

impl Paged for Artifacts {
    type Item = Artifact;

    fn counted(&self) -> Option<u64> {
        self.total_count
    }

    fn into_items(self) -> impl Iterator<Item = (u64, Artifact)> {
        self.artifacts.into_iter().map(|artifact| (artifact.id, artifact))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    total_count: Option<u64>,
    jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
}

impl Paged for Jobs {
    type Item = Job;

    fn counted(&self) -> Option<u64> {
        self.total_count
    }

    fn into_items(self) -> impl Iterator<Item = (u64, Job)> {
        self.jobs.into_iter().map(|job| (job.id, job))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) run_attempt: u32,
}

/// An attempt. What is missing is unknown.
#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    pub(super) name: Option<String>,
    pub(super) path: Option<String>,
    pub(super) event: Option<String>,
    pub(super) status: Option<String>,
    pub(super) head_sha: Option<String>,
    pub(super) head_branch: Option<String>,
    pub(super) head_repository: Option<Repository>,
    pub(super) repository: Option<Repository>,
    pub(super) pull_requests: Option<Vec<PullRequest>>,
    pub(super) run_started_at: Option<String>,
    pub(super) updated_at: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Repository {
    pub(super) id: Option<u64>,
    pub(super) full_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) head: PullRequestEnd,
    pub(super) base: PullRequestEnd,
}

/// What a pull request goes from or to.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PullRequestEnd {
    pub(super) sha: String,
    /// Absent where it was removed.
    pub(super) repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RepositoryFacts {
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) merge_base_commit: Commit,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
}
