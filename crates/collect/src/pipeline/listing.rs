//! What the sources list of an attempt, merged: each artifact once, in the order of the run.

use std::collections::HashSet;
use std::sync::Arc;

use crate::ledger::LedgerSource;
use crate::plan::{CollectError, CollectPlan, SourceFailures};
use crate::profile::selection::{ArtifactKind, artifact_kind, identity};
use crate::run::RunKey;
use crate::source::{JobNames, Listing, Source};

/// An artifact to take in.
#[derive(Debug)]
pub(crate) struct WantedArtifact {
    pub(crate) listing: Listing,
    pub(crate) kind: ArtifactKind,
    pub(crate) source: Arc<dyn Source>,
}

/// What the sources said.
#[derive(Debug)]
pub(crate) struct Listed {
    /// By the bytes of their full names.
    pub(crate) artifacts: Vec<WantedArtifact>,
    pub(crate) sources: Vec<LedgerSource>,
    pub(crate) job_names: JobNames,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_repository: Option<String>,
}

/// Asks every source.
///
/// # Errors
/// [`CollectError::NoSource`] where none answered.
pub(crate) async fn list(plan: &CollectPlan, run: &RunKey) -> Result<Listed, CollectError> {
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    let mut seen = HashSet::new();
    let mut artifacts: Vec<WantedArtifact> = Vec::new();
    // of two copies the object store's counts, then that of the source named first
    let mut order: Vec<usize> = (0..plan.sources.len()).collect();
    order.sort_by_key(|&index| plan.sources.get(index).is_some_and(|source| !source.is_store()));
    let mut entries: Vec<(usize, LedgerSource)> = Vec::new();
    for index in order {
        let Some(source) = plan.sources.get(index) else { continue };
        let mut entry = LedgerSource { name: source.name().to_owned(), artifacts: 0, error: None };
        match source.list(run).await {
            Ok(listings) => {
                let mut here = Vec::new();
                for listing in listings {
                    let Some(kind) = artifact_kind(plan.profile, &listing.name) else { continue };
                    let is_asked =
                        plan.artifact_glob.as_ref().is_none_or(|glob| glob.is_match(&listing.name));
                    let identity = identity(&listing.name).into_owned();
                    if is_asked && !seen.contains(&identity) {
                        here.push(identity);
                        entry.artifacts += 1;
                        artifacts.push(WantedArtifact { listing, kind, source: Arc::clone(source) });
                    }
                }
                // two of one name in one source are two artifacts
                seen.extend(here);
            }
            Err(error) => {
                entry.error = Some(chain(&error));
                failures.push((source.name().to_owned(), error));
            }
        }
        entries.push((index, entry));
    }
    entries.sort_by_key(|(index, _)| *index);
    sources.extend(entries.into_iter().map(|(_, entry)| entry));
    if !failures.is_empty() && failures.len() == plan.sources.len() {
        return Err(CollectError::NoSource(SourceFailures { failures }));
    }
    artifacts.sort_by(|one, other| one.listing.name.as_bytes().cmp(other.listing.name.as_bytes()));
    let job_names = job_names(plan, run, &mut sources).await;
    let (head_branch, head_repository) = head(plan, run).await;
    Ok(Listed { artifacts, sources, job_names, head_branch, head_repository })
}

async fn job_names(plan: &CollectPlan, run: &RunKey, entries: &mut Vec<LedgerSource>) -> JobNames {
    if let Some(names) = &plan.job_names {
        return names.clone();
    }
    let mut all = JobNames::new();
    for (source, entry) in plan.sources.iter().zip(entries.iter_mut()) {
        if entry.error.is_some() {
            continue;
        }
        match source.jobs(run).await {
            Ok(Some(names)) => {
                for (id, name) in names {
                    all.entry(id).or_insert(name);
                }
            }
            Ok(None) => {}
            Err(error) => entry.error = Some(format!("its job names: {}", chain(&error))),
        }
    }
    if let Some(source) = plan.jobs_source.as_ref().filter(|_| all.is_empty()) {
        match source.jobs(run).await {
            Ok(names) => all.extend(names.unwrap_or_default()),
            Err(error) => entries.push(LedgerSource {
                name: source.name().to_owned(),
                artifacts: 0,
                error: Some(format!("its job names: {}", chain(&error))),
            }),
        }
    }
    all
}

/// Finds out the head branch and repository, where the caller does not know them and they decide something.
async fn head(plan: &CollectPlan, run: &RunKey) -> (Option<String>, Option<String>) {
    let (mut branch, mut repository) = (plan.head_branch.clone(), plan.head_repository.clone());
    for source in &plan.sources {
        if branch.is_some() && repository.is_some() {
            break;
        }
        // what a source does not say is unknown; a source that fails has said so at its list
        if let Ok(facts) = source.facts(run).await {
            branch = branch.or(facts.head_branch);
            repository = repository.or(facts.head_repository);
        }
    }
    (branch, repository)
}

/// Returns an error with its causes, each once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
