//! What is reached over the network.

use std::sync::Arc;
use std::time::Duration;

use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::source::circleci::{self, CircleCi, CircleCiSettings};
use testlake_collect::source::github::{self, GitHub, GitHubSettings};
use testlake_collect::source::http::HttpSettings;
use testlake_collect::source::{Layout, Secret, Source, Store};

use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::Collecting;

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

fn github_with(environment: &Environment, http: HttpSettings) -> Result<Arc<dyn Source>, Failure> {
    let settings = GitHubSettings {
        api_url: github_api(environment).to_owned(),
        token: environment.get("GITHUB_TOKEN").and_then(Secret::new),
        http,
        ..GitHubSettings::default()
    };
    Ok(Arc::new(GitHub::new(settings).or_exit(Exit::Usage)?))
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
