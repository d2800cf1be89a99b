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

#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    pub(super) head_branch: Option<String>,
    pub(super) head_repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) full_name: String,
}
