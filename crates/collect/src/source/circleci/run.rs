//! What a run is here: a pipeline or a workflow, its attempts and its facts.

use std::collections::BTreeMap;

use testlake_report::time::parse_instant;
use url::Url;

use super::CircleCi;
use super::answer::{Pipeline, Workflow, WorkflowPipeline};
use crate::run::{RunFacts, RunKey};
use crate::source::{SourceError, SourceErrorKind};

/// What a run id names.
enum Named {
    /// A workflow, by its own id, and what the API says of it.
    Workflow(String, WorkflowPipeline),
    /// A pipeline, with what the API says of it.
    Pipeline(Pipeline),
}

impl CircleCi {
    /// Finds out what the run id names. The API has no call for that: ids of both are UUIDs.
    async fn named(&self, run: &RunKey) -> Result<Named, SourceError> {
        let id = run.run_id.as_str();
        if is_number(id) {
            let Some(project) = &self.project else {
                let what = "a pipeline's number needs the project's slug, as gh/owner/name";
                return Err(SourceError::new(SourceErrorKind::BadSetting, what));
            };
            let parts = project.iter().map(String::as_str);
            let url = self.url(["project"].into_iter().chain(parts).chain(["pipeline", id]));
            return Ok(Named::Pipeline(self.http.get_json(&url).await?.value));
        }
        if !is_uuid(id) {
            let what =
                format!("`{id}` is neither the number nor the id of a pipeline or workflow of CircleCI's");
            return Err(SourceError::new(SourceErrorKind::BadSetting, what));
        }
        let workflow = self.http.get_json::<WorkflowPipeline>(&self.url(["workflow", id])).await;
        match workflow {
            Ok(page) => Ok(Named::Workflow(id.to_owned(), page.value)),
            Err(error) if error.kind() == SourceErrorKind::NotFound => {
                Ok(Named::Pipeline(self.http.get_json(&self.url(["pipeline", id])).await?.value))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the ids of the pipeline's workflows by name, each name's in the order in which they were made.
    async fn workflows_by_name(&self, pipeline: &str) -> Result<BTreeMap<String, Vec<String>>, SourceError> {
        let mut workflows = self.all::<Workflow>(self.url(["pipeline", pipeline, "workflow"])).await?;
        // The API has the newest first. Times are RFC 3339 in UTC, whose order is that of their bytes.
        workflows.reverse();
        workflows.sort_by(|one, other| one.created_at.cmp(&other.created_at));
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for workflow in workflows {
            by_name.entry(workflow.name).or_default().push(workflow.id);
        }
        Ok(by_name)
    }

    pub(super) async fn attempts_of(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        let last = match self.named(run).await? {
            Named::Workflow(..) => 1,
            Named::Pipeline(pipeline) => {
                let by_name = self.workflows_by_name(&pipeline.id).await?;
                by_name.values().map(Vec::len).max().unwrap_or(0)
            }
        };
        Ok((1..).take(last).collect())
    }

    /// Returns the ids of the workflows that are the attempt.
    pub(super) async fn workflows(&self, run: &RunKey) -> Result<Vec<String>, SourceError> {
        let place = run.attempt.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let none = || {
            SourceError::new(
                SourceErrorKind::NotFound,
                format!("there is no attempt {} of `{}`", run.attempt, run.run_id),
            )
        };
        let place = place.ok_or_else(none)?;
        match self.named(run).await? {
            Named::Workflow(id, _) if place == 0 => Ok(vec![id]),
            Named::Workflow(..) => Err(none()),
            Named::Pipeline(pipeline) => {
                let by_name = self.workflows_by_name(&pipeline.id).await?;
                let ids: Vec<_> =
                    by_name.into_values().filter_map(|ids| ids.into_iter().nth(place)).collect();
                // A pipeline without any workflow has a first attempt, in which nothing ran.
                if ids.is_empty() && place > 0 { Err(none()) } else { Ok(ids) }
            }
        }
    }

    pub(super) async fn facts_of(&self, run: &RunKey) -> Result<RunFacts, SourceError> {
        let (pipeline, workflows) = match self.named(run).await? {
            Named::Workflow(_, workflow) => {
                let url = self.url(["pipeline", &workflow.pipeline_id]);
                (self.http.get_json::<Pipeline>(&url).await?.value, vec![workflow])
            }
            Named::Pipeline(pipeline) => (pipeline, Vec::new()),
        };
        let mut facts = RunFacts {
            provider: Some("circleci".to_owned()),
            event: pipeline.trigger.and_then(|trigger| trigger.kind),
            ..RunFacts::default()
        };
        if let [workflow] = workflows.as_slice() {
            facts.workflow.clone_from(&workflow.name);
            facts.started_unix_ms = unix_ms(workflow.created_at.as_deref());
            facts.ended_unix_ms = unix_ms(workflow.stopped_at.as_deref());
        }
        let Some(vcs) = pipeline.vcs else { return Ok(facts) };
        // the branch of a pull request from a fork is its number's
        let of_branch = vcs.branch.as_deref().and_then(|branch| branch.strip_prefix("pull/"));
        facts.pull_request = vcs.review_id.as_deref().or(of_branch).and_then(|number| number.parse().ok());
        facts.head_commit = vcs.revision;
        facts.head_repository = vcs.origin_repository_url.as_deref().and_then(repository_of);
        facts.head_branch = vcs.branch;
        Ok(facts)
    }

    /// Returns what the workflows of an attempt of a pipeline say of it together.
    pub(super) async fn ancestry_of(&self, run: &RunKey) -> Result<RunFacts, SourceError> {
        let Named::Pipeline(pipeline) = self.named(run).await? else { return Ok(RunFacts::default()) };
        let ids = self.workflows(run).await?;
        let mut workflows = self.all::<Workflow>(self.url(["pipeline", &pipeline.id, "workflow"])).await?;
        workflows.retain(|workflow| ids.contains(&workflow.id));
        let started = workflows.iter().filter_map(|workflow| unix_ms(workflow.created_at.as_deref())).min();
        let ended: Option<Vec<_>> =
            workflows.iter().map(|workflow| unix_ms(workflow.stopped_at.as_deref())).collect();
        let workflow = match workflows.as_slice() {
            [only] => Some(only.name.clone()),
            _ => None,
        };
        let ended_unix_ms = ended.and_then(|times| times.into_iter().max());
        Ok(RunFacts { workflow, started_unix_ms: started, ended_unix_ms, ..RunFacts::default() })
    }
}

fn unix_ms(time: Option<&str>) -> Option<i64> {
    parse_instant(time?).filter(|time| time.has_zone).map(|time| time.unix_ms)
}

/// Returns `owner/name` of a repository's web address.
fn repository_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let mut parts = url.path_segments()?.filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    Some(format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name)))
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_from_addresses() {
        assert_eq!(repository_of("https://github.com/o/r.git").as_deref(), Some("o/r"));
        assert_eq!(repository_of("https://github.com/o/r/").as_deref(), Some("o/r"));
        assert_eq!(repository_of("https://github.com/o"), None);
        assert_eq!(repository_of("git@github.com:o/r"), None);
    }

    #[test]
    fn uuids_are_told_from_others() {
        assert!(is_uuid("5034460f-c7c4-4c43-9457-de07e2029e7b"));
        for text in
            ["", "5034460f", "5034460f-c7c4-4c43-9457-de07e2029e7g", "5034460fc7c44c439457de07e2029e7b"]
        {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
