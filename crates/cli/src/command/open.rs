//! From a resolved plan to one with open sources and an open destination.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use testlake_collect::output::{self, Destination};
use testlake_collect::plan::CollectPlan;
use testlake_collect::source::{Folder, JobNames, Paths, Source, SourceSpec};
#[cfg(feature = "cloud")]
use testlake_collect::source::{
    Secret,
    circleci::{CircleCi, CircleCiSettings},
    github::{self, GitHub, GitHubSettings},
    http::HttpSettings,
};

use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::Collecting;

/// 256 MiB: a job's name takes some 100 bytes.
const MAX_JOBS_FILE_BYTES: u64 = 256 << 20;

/// Opens what the plan names. The destination is checked by the collection itself.
pub(super) fn open(collecting: &Collecting, environment: &Environment) -> Result<CollectPlan, Failure> {
    let job_names = collecting.jobs_file.as_deref().map(|path| read_jobs(Path::new(path))).transpose()?;
    Ok(CollectPlan {
        run: collecting.run.clone(),
        sources: open_sources(collecting, environment)?,
        destination: open_destination(&collecting.to, environment)?,
        profile: collecting.profile,
        full: collecting.full,
        full_branch: collecting.full_branch.clone(),
        full_repository: collecting.full_repository.clone(),
        head_branch: collecting.head_branch.clone(),
        head_repository: collecting.head_repository.clone(),
        job_names,
        jobs_source: open_jobs_source(collecting, environment)?,
        artifact_glob: collecting.artifact.as_ref().map(globset::Glob::compile_matcher),
        threads: collecting.limits.threads,
        max_concurrency: collecting.limits.max_concurrency,
        archive_limits: collecting.limits.archive,
        report_limits: collecting.limits.report,
        require_complete: collecting.require_complete,
        expect_jobs: collecting.expect_jobs.clone(),
        dry_run: collecting.dry_run,
    })
}

fn open_sources(collecting: &Collecting, environment: &Environment) -> Result<Vec<Arc<dyn Source>>, Failure> {
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    if collecting.circleci_folder {
        sources.push(Arc::new(Paths::circleci(".")));
    }
    let mut words = Vec::new();
    for spec in &collecting.sources {
        if let SourceSpec::Path(word) = spec {
            words.push(word.clone());
        }
    }
    for spec in &collecting.sources {
        match spec {
            // All paths together are one source, in the place of the first, so that their artifacts' names are told
            // apart and their fingerprint is one.
            SourceSpec::Path(_) => {
                if !words.is_empty() {
                    sources.push(Arc::new(Paths::new(std::mem::take(&mut words))));
                }
            }
            SourceSpec::Folder(folder) => {
                sources.push(Arc::new(Folder::new(folder, collecting.layout.clone())));
            }
            SourceSpec::Store(_) | SourceSpec::GitHub | SourceSpec::CircleCi | SourceSpec::RunUrl(_) => {
                sources.push(open_remote(spec, collecting, environment)?);
            }
        }
    }
    Ok(sources)
}

#[cfg(feature = "cloud")]
fn open_remote(
    spec: &SourceSpec,
    collecting: &Collecting,
    environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    match spec {
        SourceSpec::GitHub => open_github(collecting, environment),
        SourceSpec::RunUrl(address) => {
            check_host(address, environment)?;
            open_github(collecting, environment)
        }
        SourceSpec::CircleCi => open_circleci(collecting, environment),
        SourceSpec::Store(_) | SourceSpec::Path(_) | SourceSpec::Folder(_) => {
            Err(Failure::usage(format!("`{spec}` is not built in yet")))
        }
    }
}

#[cfg(feature = "cloud")]
fn open_github(collecting: &Collecting, environment: &Environment) -> Result<Arc<dyn Source>, Failure> {
    let settings = GitHubSettings {
        api_url: github_api(environment).to_owned(),
        token: environment.get("GITHUB_TOKEN").and_then(Secret::new),
        http: http_settings(collecting),
        ..GitHubSettings::default()
    };
    Ok(Arc::new(GitHub::new(settings).or_exit(Exit::Usage)?))
}

#[cfg(feature = "cloud")]
fn http_settings(collecting: &Collecting) -> HttpSettings {
    let default = HttpSettings::default();
    HttpSettings { deadline: collecting.limits.retry_for.unwrap_or(default.deadline), ..default }
}

#[cfg(feature = "cloud")]
fn github_api(environment: &Environment) -> &str {
    environment.get("GITHUB_API_URL").unwrap_or(github::API_URL)
}

/// Refuses a run's address on another host than the one that the token is for.
#[cfg(feature = "cloud")]
fn check_host(address: &str, environment: &Environment) -> Result<(), Failure> {
    let api = github::parse_run_url(address).map(|run| run.api_url).unwrap_or_default();
    if api.trim_end_matches('/').eq_ignore_ascii_case(github_api(environment).trim_end_matches('/')) {
        return Ok(());
    }
    let failure = Failure::usage("a run's web address is on another host than the API that is set");
    Err(failure.hint(format!("set GITHUB_API_URL to `{api}`, and GITHUB_TOKEN to a token for it")))
}

#[cfg(feature = "cloud")]
fn open_circleci(collecting: &Collecting, environment: &Environment) -> Result<Arc<dyn Source>, Failure> {
    let token = environment.get("CIRCLE_TOKEN").or_else(|| environment.get("CIRCLECI_TOKEN"));
    let settings = CircleCiSettings {
        token: token.and_then(Secret::new),
        project_slug: collecting.project_slug.clone(),
        http: http_settings(collecting),
        ..CircleCiSettings::default()
    };
    Ok(Arc::new(CircleCi::new(settings).or_exit(Exit::Usage)?))
}

/// Opens what is asked for the names of the jobs alone.
#[cfg(feature = "cloud")]
fn open_jobs_source(
    collecting: &Collecting,
    environment: &Environment,
) -> Result<Option<Arc<dyn Source>>, Failure> {
    collecting.jobs_of_github.then(|| open_github(collecting, environment)).transpose()
}

#[cfg(not(feature = "cloud"))]
fn open_jobs_source(
    collecting: &Collecting,
    _environment: &Environment,
) -> Result<Option<Arc<dyn Source>>, Failure> {
    if !collecting.jobs_of_github {
        return Ok(None);
    }
    Err(super::built_without_cloud("GitHub, which knows the jobs' names,")
        .hint("give the names with `--jobs-file`"))
}

fn open_destination(to: &str, _environment: &Environment) -> Result<Arc<dyn Destination>, Failure> {
    Ok(Arc::new(output::Folder::new(to)))
}

#[cfg(not(feature = "cloud"))]
fn open_remote(
    spec: &SourceSpec,
    _collecting: &Collecting,
    _environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    Err(super::built_without_cloud(&format!("`{spec}`")))
}

fn read_jobs(path: &Path) -> Result<JobNames, Failure> {
    let cannot = format!("cannot read the jobs file `{}`", path.display());
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_JOBS_FILE_BYTES + 1).read_to_string(&mut text));
    read.or_exit(Exit::Usage).map_err(|f| f.context(cannot.clone()))?;
    if text.len() as u64 > MAX_JOBS_FILE_BYTES {
        return Err(Failure::usage("it is larger than 256 MiB").context(cannot));
    }
    serde_json::from_str(&text)
        .or_exit(Exit::Usage)
        .map_err(|f| f.context(cannot).hint("it reads like `{\"<job id>\": \"<job name>\"}`"))
}
