//! What of CircleCI's answers is read. Other fields are ignored; one that is missing is an error that names it.

use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Workflow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: Option<String>,
    pub(super) stopped_at: Option<String>,
}

/// A workflow, for its pipeline.
#[derive(Debug, Deserialize)]
pub(super) struct WorkflowPipeline {
    pub(super) pipeline_id: String,
    pub(super) name: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) stopped_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    /// Absent where nothing runs, as in a job that waits for an approval.
    pub(super) job_number: Option<u64>,
    pub(super) name: String,
    pub(super) project_slug: Option<String>,
}

/// A file that a job stored.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Artifact {
    pub(super) path: String,
    #[serde(default)]
    pub(super) node_index: u64,
    pub(super) url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: String,
    pub(super) vcs: Option<Vcs>,
    pub(super) trigger: Option<Trigger>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Trigger {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vcs {
    pub(super) branch: Option<String>,
    pub(super) revision: Option<String>,
    /// The number of the pull request.
    pub(super) review_id: Option<String>,
    pub(super) origin_repository_url: Option<String>,
}
