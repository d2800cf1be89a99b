//! What the sources list of an attempt, merged: each artifact once, in the order of the run.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::lost::SourceFailure;
use super::typed::Owner;
use crate::ledger::LedgerSource;
use crate::plan::{CollectError, CollectPlan, SourceFailures};
use crate::profile::selection::{ArtifactKind, JobNamePattern, artifact_kind, identity};
use crate::run::{RunFacts, RunKey};
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
    /// Sources that did not list.
    pub(crate) failures: Vec<SourceFailure>,
    pub(crate) job_names: JobNames,
    /// No job's name is known, as who was asked for them did not answer.
    pub(crate) has_lost_job_names: bool,
    pub(crate) facts: RunFacts,
    /// Why head branch or repository is not known, where who was asked for them did not answer.
    pub(crate) lost_facts: Option<String>,
}

impl Listed {
    /// Returns whose the reports of an artifact are.
    pub(crate) fn owner(&self, index: usize, job: Option<&str>, pattern: &JobNamePattern) -> Owner {
        let name_of = |artifact: &WantedArtifact| artifact.listing.name.clone();
        let name = self.artifacts.get(index).map(name_of).unwrap_or_default();
        // those of one name lie one behind the other
        let before = self.artifacts.get(..index).unwrap_or_default().iter().rev();
        let same = before.take_while(|artifact| artifact.listing.name == name).count();
        let artifact = if same == 0 { name } else { format!("{name}#{}", same + 1) };
        let job_name = job.and_then(|id| self.job_names.get(id)).cloned();
        let variant = job_name.as_deref().and_then(|name| pattern.variant(name));
        Owner { artifact, job_name, variant }
    }
}

/// Asks every source.
///
/// # Errors
/// [`CollectError::NoSource`] where none answered; [`CollectError::NothingOfRun`] and [`CollectError::NoInput`] where those
/// that did have nothing.
pub(crate) async fn list(plan: &CollectPlan, run: &RunKey) -> Result<Listed, CollectError> {
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    let mut seen = HashSet::new();
    let mut artifacts: Vec<WantedArtifact> = Vec::new();
    let mut has_any = false;
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
                has_any |= !listings.is_empty();
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
    let (job_names, has_lost_job_names) = job_names(plan, run, &mut sources).await;
    // names that the caller gave say nothing of what is there
    has_any |= plan.job_names.is_none() && !job_names.is_empty();
    if !has_any && !known_attempts(plan, run).await?.contains(&run.attempt) {
        return Err(nothing(plan, run));
    }
    let Head { facts, lost_facts } = head(plan, run).await;
    Ok(Listed { artifacts, sources, failures, job_names, has_lost_job_names, facts, lost_facts })
}

/// Returns the error of a run of which nothing is there. Were it taken for a run that left nothing, a wrong id would
/// replace good collections by empty ones.
fn nothing(plan: &CollectPlan, run: &RunKey) -> CollectError {
    let names: Vec<_> = plan.sources.iter().map(|source| format!("`{}`", source.name())).collect();
    let place = names.join(" and ");
    match plan.run.run_id {
        Some(_) => CollectError::NothingOfRun { run: run.to_string(), place },
        None => CollectError::NoInput { place },
    }
}

/// Returns the attempts of a run that any source knows.
///
/// # Errors
/// [`CollectError::NoSource`] where none is known and a source did not answer.
pub(crate) async fn known_attempts(plan: &CollectPlan, run: &RunKey) -> Result<BTreeSet<u32>, CollectError> {
    let mut known = BTreeSet::new();
    let mut failures = Vec::new();
    for source in &plan.sources {
        match source.attempts(run).await {
            Ok(attempts) => known.extend(attempts),
            Err(error) => failures.push((source.name().to_owned(), error)),
        }
    }
    if known.is_empty() && !failures.is_empty() {
        return Err(CollectError::NoSource(SourceFailures { failures }));
    }
    Ok(known)
}

/// Returns the names, and whether there are none because who was asked for them did not answer.
async fn job_names(plan: &CollectPlan, run: &RunKey, entries: &mut Vec<LedgerSource>) -> (JobNames, bool) {
    if let Some(names) = &plan.job_names {
        return (names.clone(), false);
    }
    let mut all = JobNames::new();
    let mut has_failed = false;
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
            Err(error) => {
                has_failed = true;
                entry.error = Some(format!("its job names: {}", chain(&error)));
            }
        }
    }
    if let Some(source) = plan.jobs_source.as_ref().filter(|_| all.is_empty()) {
        match source.jobs(run).await {
            Ok(names) => all.extend(names.unwrap_or_default()),
            Err(error) => {
                has_failed = true;
                entries.push(LedgerSource {
                    name: source.name().to_owned(),
                    artifacts: 0,
                    error: Some(format!("its job names: {}", chain(&error))),
                });
            }
        }
    }
    let has_lost = has_failed && all.is_empty();
    (all, has_lost)
}

/// What is known of the head of a run.
struct Head {
    facts: RunFacts,
    lost_facts: Option<String>,
}

/// Finds out the head branch and repository, where the caller does not know them.
async fn head(plan: &CollectPlan, run: &RunKey) -> Head {
    let mut known = plan.facts.clone();
    let mut failures = Vec::new();
    for source in &plan.sources {
        let has_head = known.head_branch.is_some() && known.head_repository.is_some();
        if known.is_whole() || (has_head && plan.results.is_none()) {
            break;
        }
        match source.facts(run).await {
            // what a source does not say is unknown
            Ok(facts) => known = known.or(facts),
            Err(error) => {
                failures.push(format!("{}: {}", source.name(), chain(&error)));
                continue;
            }
        }
        if plan.results.is_some() && !known.is_whole() {
            match source.ancestry(run, &known).await {
                Ok(facts) => known = known.or(facts),
                // no collection hangs on it
                Err(error) => tracing::warn!(
                    source = source.name(),
                    error = chain(&error),
                    "cannot find the merge base"
                ),
            }
        }
    }
    let is_known = known.head_branch.is_some() && known.head_repository.is_some();
    let lost_facts = (!is_known && !failures.is_empty()).then(|| failures.join("; "));
    Head { facts: known, lost_facts }
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
