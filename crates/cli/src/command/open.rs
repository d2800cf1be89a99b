//! From a resolved plan to one with open sources and an open destination.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use testlake_collect::bucket::StoreSettings;
use testlake_collect::output::{self, Destination};
use testlake_collect::plan::CollectPlan;
use testlake_collect::redact::{OwnPattern, Redactor};
use testlake_collect::results::Results;
use testlake_collect::source::{Folder, JobNames, Paths, Source, SourceSpec};

use super::{ending, remote};
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::Collecting;

/// 256 MiB: a job's name takes some 100 bytes.
const MAX_JOBS_FILE_BYTES: u64 = 256 << 20;

/// Opens what the plan names. The destination is checked by the collection itself.
pub(super) fn open(
    collecting: &Collecting,
    environment: &Environment,
    results: Option<Arc<dyn Results>>,
) -> Result<CollectPlan, Failure> {
    let store_settings = store_settings(collecting, environment);
    let destination: Arc<dyn Destination> = if collecting.collections {
        output::open(&collecting.to, &store_settings).map_err(ending::output_failure)?
    } else {
        Arc::new(output::Nowhere)
    };
    let job_names = collecting.jobs_file.as_deref().map(|path| read_jobs(Path::new(path))).transpose()?;
    Ok(CollectPlan {
        run: collecting.run.clone(),
        sources: open_sources(collecting, environment, &store_settings)?,
        destination,
        profile: collecting.profile,
        full: collecting.full,
        full_branch: collecting.full_branch.clone(),
        full_repository: collecting.full_repository.clone(),
        facts: collecting.facts.clone(),
        job_names,
        jobs_source: remote::open_jobs_source(collecting, environment)?,
        artifact_glob: collecting.artifact.as_ref().map(globset::Glob::compile_matcher),
        threads: collecting.limits.threads,
        max_concurrency: collecting.limits.max_concurrency,
        archive_limits: collecting.limits.archive,
        report_limits: collecting.limits.report,
        require_complete: collecting.require_complete,
        expect_jobs: collecting.expect_jobs.clone(),
        dry_run: collecting.dry_run,
        // making it takes longer than a small run, and collections are as the reports are
        redactor: match &results {
            Some(_) => redactor(collecting.redact.clone())?,
            None => None,
        },
        results,
    })
}

/// Makes what masks secrets, where it is wanted.
pub(super) fn redactor(patterns: Option<Vec<OwnPattern>>) -> Result<Option<Arc<Redactor>>, Failure> {
    let made = patterns.map(Redactor::new).transpose();
    Ok(made.or_exit(Exit::Bug)?.map(Arc::new))
}

fn open_sources(
    collecting: &Collecting,
    environment: &Environment,
    store_settings: &StoreSettings,
) -> Result<Vec<Arc<dyn Source>>, Failure> {
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
            SourceSpec::Store(url) => {
                sources.push(remote::open_store(url, store_settings, collecting.layout.clone())?);
            }
            SourceSpec::GitHub => sources.push(remote::open_github(collecting, environment)?),
            SourceSpec::RunUrl(address) => {
                remote::check_github_host(address, environment)?;
                sources.push(remote::open_github(collecting, environment)?);
            }
            SourceSpec::CircleCiUrl(address) => {
                remote::check_circleci_host(address, environment)?;
                sources.push(remote::open_circleci(collecting, environment)?);
            }
            SourceSpec::CircleCi => sources.push(remote::open_circleci(collecting, environment)?),
        }
    }
    Ok(sources)
}

/// Takes what stores need from the environment.
fn store_settings(collecting: &Collecting, environment: &Environment) -> StoreSettings {
    let mut settings = StoreSettings::new(&|name| environment.get(name).map(str::to_owned));
    if let Some(limit) = collecting.limits.retry_for {
        settings.deadline = limit;
    }
    settings
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
