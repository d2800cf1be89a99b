//! GitHub's event file: the webhook's payload that made the run begin
//! (<https://docs.github.com/en/actions/writing-workflows/choosing-when-your-workflow-runs>).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use testlake_report::time::parse_instant;

use super::CiRun;

/// 32 MiB: GitHub's own limit for a payload is 25 MB.
const MOST_BYTES: u64 = 32 << 20;

/// What is read of it. What is missing is unknown.
#[derive(Debug, Deserialize)]
struct Event {
    pull_request: Option<PullRequest>,
    workflow_run: Option<WorkflowRun>,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    number: Option<u64>,
    head: Option<Head>,
}

#[derive(Debug, Deserialize)]
struct Head {
    sha: Option<String>,
    #[serde(rename = "ref")]
    branch: Option<String>,
    /// Absent where the fork was removed.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: Option<String>,
}

/// The run that made this one begin.
#[derive(Debug, Deserialize)]
struct WorkflowRun {
    id: Option<u64>,
    run_attempt: Option<u32>,
    name: Option<String>,
    event: Option<String>,
    head_sha: Option<String>,
    head_branch: Option<String>,
    head_repository: Option<Repository>,
    pull_requests: Option<Vec<PullRequest>>,
    run_started_at: Option<String>,
    html_url: Option<String>,
}

pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 32 MiB"));
    }
    Ok(text)
}

pub(super) fn add(run: &mut CiRun, text: &str) {
    let event = match serde_json::from_str::<Event>(text) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(%error, "the event file is not as GitHub writes it");
            return;
        }
    };
    if let Some(pull) = event.pull_request {
        run.pull_request = pull.number.or(run.pull_request);
        let Some(head) = pull.head else { return };
        run.head_commit = head.sha.or(run.head_commit.take());
        run.head_branch = head.branch.or(run.head_branch.take());
        run.head_repository = head.repo.and_then(|repository| repository.full_name);
    }
    if let Some(other) = event.workflow_run.filter(|_| run.event.as_deref() == Some("workflow_run")) {
        let Some(id) = other.id else { return };
        run.run_id = Some(id.to_string());
        // A job that reads what the other run left may run again on another machine, and is no job of that run: its own
        // workflow tells it from those.
        run.node = run.workflow.take();
        run.attempt = other.run_attempt;
        run.workflow = other.name;
        run.event = other.event;
        run.head_commit = other.head_sha;
        run.head_branch = other.head_branch;
        run.head_repository = other.head_repository.and_then(|repository| repository.full_name);
        // of a pull request from a fork it is not told
        let pull = other.pull_requests.into_iter().flatten().next();
        let tests_pull = run.event.as_deref().is_some_and(|event| event.starts_with("pull_request"));
        run.pull_request = pull.filter(|_| tests_pull).and_then(|pull| pull.number);
        let started = other.run_started_at.as_deref().and_then(parse_instant);
        run.started_unix_ms = started.filter(|time| time.has_zone).map(|time| time.unix_ms);
        run.web_url = other.html_url;
    }
}
