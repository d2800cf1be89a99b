//! Many runs of a repository: those of a workflow since a time, oldest first, and the patience to fetch them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use testlake_report::time::{Instant, parse_instant};
use url::Url;

use super::answer::Paged;
use super::{GitHub, owner_and_name};
use crate::source::http::shown;
use crate::source::{SourceError, SourceErrorKind};

/// GitHub gives no more runs than this for one question, however many there are.
const MOST_OF_ONE_QUESTION: u64 = 1_000;
/// The most runs of a history: at ten calls each they take a week and more of an hour's 5,000.
const MOST_RUNS: usize = 100_000;

/// Which runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    /// `owner/name`.
    pub repo: String,
    /// The workflow's file (`ci.yml`), its id, or its name; absent: every workflow.
    pub workflow: Option<String>,
    /// Runs that were made from then on, in milliseconds since 1970.
    pub since_unix_ms: i64,
    /// Runs that were made until then; absent: until now.
    pub until_unix_ms: Option<i64>,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub run_id: String,
    /// Its attempts so far; the last of them has this number.
    pub attempts: u32,
    /// When it was made, in milliseconds since 1970.
    pub created_unix_ms: i64,
}

#[derive(Debug, Deserialize)]
struct Runs {
    total_count: Option<u64>,
    workflow_runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    id: u64,
    run_attempt: Option<u32>,
    created_at: String,
}

impl Paged for Runs {
    type Item = Run;

    fn counted(&self) -> Option<u64> {
        self.total_count
    }

    fn into_items(self) -> impl Iterator<Item = (u64, Run)> {
        self.workflow_runs.into_iter().map(|run| (run.id, run))
    }
}

#[derive(Debug, Deserialize)]
struct Workflows {
    total_count: Option<u64>,
    workflows: Vec<Workflow>,
}

#[derive(Debug, Deserialize)]
struct Workflow {
    id: u64,
    name: Option<String>,
}

impl Paged for Workflows {
    type Item = Workflow;

    fn counted(&self) -> Option<u64> {
        self.total_count
    }

    fn into_items(self) -> impl Iterator<Item = (u64, Workflow)> {
        self.workflows.into_iter().map(|workflow| (workflow.id, workflow))
    }
}

#[derive(Debug, Deserialize)]
struct RateLimits {
    resources: Resources,
}

#[derive(Debug, Deserialize)]
struct Resources {
    core: RateLimit,
}

#[derive(Debug, Deserialize)]
struct RateLimit {
    limit: u64,
    remaining: u64,
    /// Seconds since 1970.
    reset: u64,
}

impl GitHub {
    /// Lists the runs that have ended, oldest first. Whoever was told them before need only pass over those that are known.
    ///
    /// # Errors
    /// [`SourceError`] where GitHub does not answer, knows no such workflow, or there are more than 100,000 runs.
    pub async fn history(&self, request: &HistoryRequest) -> Result<Vec<PastRun>, SourceError> {
        let url = self.runs_url(request).await?;
        let until = request.until_unix_ms.unwrap_or_else(|| self.now_unix_ms());
        let mut runs = BTreeMap::new();
        let mut spans = vec![(request.since_unix_ms.div_euclid(1000), until.div_euclid(1000))];
        while let Some((from, to)) = spans.pop() {
            if from > to {
                continue;
            }
            let mut question = url.clone();
            let span =
                [from, to].map(|seconds| Instant::utc(seconds.saturating_mul(1000)).to_string()).join("..");
            question.query_pairs_mut().append_pair("status", "completed").append_pair("created", &span);
            let mut counting = question.clone();
            counting.query_pairs_mut().append_pair("per_page", "1");
            let count = self.http.get_json::<Runs>(&counting).await?.value.total_count.unwrap_or(0);
            if count >= MOST_OF_ONE_QUESTION {
                if from == to {
                    let what = format!("`{}` counts {count} runs in one second", shown(&question));
                    return Err(SourceError::new(SourceErrorKind::TooLarge, what));
                }
                let middle = from + (to - from) / 2;
                spans.push((middle + 1, to));
                spans.push((from, middle));
                continue;
            }
            if count > 0 {
                runs.extend(self.all::<Runs>(question).await?.into_iter().map(|run| (run.id, run)));
            }
            if runs.len() > MOST_RUNS {
                let what =
                    format!("there are more than the limit of {MOST_RUNS} runs; ask for a shorter time");
                return Err(SourceError::new(SourceErrorKind::TooLarge, what));
            }
        }
        let created =
            |run: &Run| parse_instant(&run.created_at).map_or(request.since_unix_ms, |time| time.unix_ms);
        let mut runs: Vec<_> = runs
            .into_values()
            .map(|run| PastRun {
                created_unix_ms: created(&run),
                attempts: run.run_attempt.unwrap_or(1),
                run_id: run.id.to_string(),
            })
            .collect();
        // by id where they were made in one second: ids grow
        runs.sort_by_key(|run| run.created_unix_ms);
        Ok(runs)
    }

    /// Waits until so many calls may be made, where GitHub limits them: before a run that is one of many.
    ///
    /// # Errors
    /// [`SourceError`] where GitHub does not answer.
    pub async fn wait_for_calls(&self, calls: u64) -> Result<(), SourceError> {
        let url = self.http.api().url(["rate_limit"]);
        let limit = match self.http.get_json::<RateLimits>(&url).await {
            Ok(page) => page.value.resources.core,
            // servers of companies may have none
            Err(error) if error.kind() == SourceErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if limit.remaining >= calls.min(limit.limit) {
            return Ok(());
        }
        let settings = self.http.settings();
        let reset = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(limit.reset));
        let pause =
            reset.and_then(|reset| reset.duration_since(settings.clock.wall()).ok()).unwrap_or_default();
        // an hour is GitHub's own; a second more, as its clock is another
        let pause = pause.min(Duration::from_hours(1)) + Duration::from_secs(1);
        tracing::info!(remaining = limit.remaining, seconds = pause.as_secs(), "waiting for the rate limit");
        settings.clock.sleep(pause).await;
        Ok(())
    }

    async fn runs_url(&self, request: &HistoryRequest) -> Result<Url, SourceError> {
        let (owner, name) = owner_and_name(Some(&request.repo))?;
        let url = |parts: &[&str]| {
            let start = ["repos", owner, name, "actions"];
            self.http.api().url(start.into_iter().chain(parts.iter().copied()))
        };
        let Some(workflow) = &request.workflow else { return Ok(url(&["runs"])) };
        let file = workflow.rsplit('/').next().unwrap_or(workflow);
        let is_file = [".yml", ".yaml"].iter().any(|suffix| file.ends_with(suffix));
        if is_file || (!workflow.is_empty() && workflow.bytes().all(|byte| byte.is_ascii_digit())) {
            return Ok(url(&["workflows", file, "runs"]));
        }
        let known = self.all::<Workflows>(url(&["workflows"])).await?;
        let mut named = known.iter().filter(|one| one.name.as_ref() == Some(workflow));
        match (named.next(), named.next()) {
            (Some(only), None) => Ok(url(&["workflows", &only.id.to_string(), "runs"])),
            (None, _) => {
                let what = format!("`{}` has no workflow named `{workflow}`", request.repo);
                Err(SourceError::new(SourceErrorKind::NotFound, what))
            }
            (Some(_), Some(_)) => {
                let what =
                    format!("`{}` has several workflows named `{workflow}`; name a file", request.repo);
                Err(SourceError::new(SourceErrorKind::BadSetting, what))
            }
        }
    }

    fn now_unix_ms(&self) -> i64 {
        let now =
            self.http.settings().clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }
}
