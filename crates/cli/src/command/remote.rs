//! What is reached over the network.

use std::sync::Arc;
use std::time::Duration;

use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::plan::Cancel;
use testlake_collect::source::circleci::{self, CircleCi, CircleCiSettings};
use testlake_collect::source::github::{self, GitHub, GitHubSettings, HistoryRequest};
use testlake_collect::source::http::HttpSettings;
use testlake_collect::source::{Layout, Secret, Source, SourceError, SourceErrorKind, Store};
use tokio::runtime::{Builder, Runtime};

use super::history::PastRun;
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{Collecting, PastRuns};

/// Opens a bucket.
#[expect(clippy::unnecessary_wraps, reason = "without the network this fails")]
pub(super) fn open_store(
    url: &StoreUrl,
    settings: &StoreSettings,
    layout: Layout,
) -> Result<Arc<dyn Source>, Failure> {
    Ok(Arc::new(Store::new(url.clone(), settings.clone(), layout)))
}

/// Opens GitHub.
pub(super) fn open_github(
    collecting: &Collecting,
    environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    github_with(environment, http_settings(collecting))
}

/// The runs that GitHub knows.
#[derive(Debug)]
pub(super) struct History {
    github: GitHub,
    runtime: Runtime,
    cancel: Cancel,
}

/// What one run takes at most in most repositories: facts, jobs by the page, artifacts by the page, each archive.
const CALLS_OF_A_RUN: u64 = 50;

impl History {
    /// Opens GitHub.
    pub(super) fn open(
        collecting: &Collecting,
        environment: &Environment,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let github = GitHub::new(github_settings(environment, http_settings(collecting)));
        let runtime = Builder::new_current_thread().enable_all().build().or_exit(Exit::Unavailable)?;
        Ok(Self { github: github.or_exit(Exit::Usage)?, runtime, cancel: cancel.clone() })
    }

    /// Lists the runs that have ended, the oldest first. Nothing where it was cancelled.
    pub(super) fn list(&self, past: &PastRuns, since_unix_ms: i64) -> Result<Option<Vec<PastRun>>, Failure> {
        let request = HistoryRequest {
            repo: past.repo.clone(),
            workflow: past.workflow.clone(),
            since_unix_ms,
            until_unix_ms: None,
        };
        let listed = self.until_cancelled(self.github.history(&request)).transpose();
        Ok(listed.map_err(|failure| failure.context("cannot list the runs"))?.map(|runs| {
            let run = |run: github::PastRun| PastRun {
                run_id: run.run_id,
                attempts: run.attempts,
                created_unix_ms: run.created_unix_ms,
            };
            runs.into_iter().map(run).collect()
        }))
    }

    /// Waits until GitHub's rate limit has room for a run, or it is cancelled.
    pub(super) fn wait_for_calls(&self) -> Result<(), Failure> {
        self.until_cancelled(self.github.wait_for_calls(CALLS_OF_A_RUN)).transpose().map(drop)
    }

    fn until_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Option<Result<T, Failure>> {
        let done = self.runtime.block_on(async {
            tokio::select! {
                done = work => Some(done),
                () = self.cancel.cancelled() => None,
            }
        })?;
        Some(done.map_err(|error| {
            let exit = match error.kind() {
                SourceErrorKind::Unavailable | SourceErrorKind::BadAnswer => Exit::Unavailable,
                _ => Exit::Usage,
            };
            Failure { exit, error: error.into(), hints: Vec::new() }
        }))
    }
}

fn github_with(environment: &Environment, http: HttpSettings) -> Result<Arc<dyn Source>, Failure> {
    Ok(Arc::new(GitHub::new(github_settings(environment, http)).or_exit(Exit::Usage)?))
}

fn github_settings(environment: &Environment, http: HttpSettings) -> GitHubSettings {
    GitHubSettings {
        api_url: github_api(environment).to_owned(),
        token: environment.get("GITHUB_TOKEN").and_then(Secret::new),
        http,
        ..GitHubSettings::default()
    }
}

/// Opens CircleCI.
pub(super) fn open_circleci(
    collecting: &Collecting,
    environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    let token = environment.get("CIRCLE_TOKEN").or_else(|| environment.get("CIRCLECI_TOKEN"));
    let default = CircleCiSettings::default();
    let api_url = circleci_api(environment);
    let settings = CircleCiSettings {
        // The file host of circleci.com is no place for a server's token.
        token_origins: if api_url == circleci::API_URL { default.token_origins } else { Vec::new() },
        api_url,
        token: token.and_then(Secret::new),
        project_slug: collecting.project_slug.clone(),
        http: http_settings(collecting),
    };
    Ok(Arc::new(CircleCi::new(settings).or_exit(Exit::Usage)?))
}

/// How long the names of the jobs are tried for: a run without them is told, one that waits for them is not.
const JOB_NAMES_DEADLINE: Duration = Duration::from_secs(30);

/// Opens what is asked for the names of the jobs alone.
pub(super) fn open_jobs_source(
    collecting: &Collecting,
    environment: &Environment,
) -> Result<Option<Arc<dyn Source>>, Failure> {
    let mut http = http_settings(collecting);
    http.deadline = http.deadline.min(JOB_NAMES_DEADLINE);
    collecting.jobs_of_github.then(|| github_with(environment, http)).transpose()
}

/// Refuses a run's address on another host than the one that `GITHUB_TOKEN` is for.
pub(super) fn check_github_host(address: &str, environment: &Environment) -> Result<(), Failure> {
    let api = github::parse_run_url(address).map(|run| run.api_url).unwrap_or_default();
    if is_same(&api, github_api(environment)) {
        return Ok(());
    }
    Err(other_host().hint(format!("set GITHUB_API_URL to `{api}`, and GITHUB_TOKEN to a token for it")))
}

/// Refuses a run's address on another host than the one that `CIRCLE_TOKEN` is for.
pub(super) fn check_circleci_host(address: &str, environment: &Environment) -> Result<(), Failure> {
    let api = circleci::parse_run_url(address).map(|run| run.api_url).unwrap_or_default();
    if is_same(&api, &circleci_api(environment)) {
        return Ok(());
    }
    let host = api.trim_end_matches(CIRCLECI_API_PATH);
    Err(other_host().hint(format!("set CIRCLECI_CLI_HOST to `{host}`, and CIRCLE_TOKEN to a token for it")))
}

fn other_host() -> Failure {
    Failure::usage("a run's web address is on another host than the API that is set")
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

/// The path of the API on each host of CircleCI's.
const CIRCLECI_API_PATH: &str = "/api/v2";

/// Returns the API of the host that CircleCI's own tool is set to.
fn circleci_api(environment: &Environment) -> String {
    match environment.get("CIRCLECI_CLI_HOST") {
        Some(host) => format!("{}{CIRCLECI_API_PATH}", host.trim_end_matches('/')),
        None => circleci::API_URL.to_owned(),
    }
}

fn github_api(environment: &Environment) -> &str {
    environment.get("GITHUB_API_URL").unwrap_or(github::API_URL)
}

fn http_settings(collecting: &Collecting) -> HttpSettings {
    let default = HttpSettings::default();
    HttpSettings { deadline: collecting.limits.retry_for.unwrap_or(default.deadline), ..default }
}
