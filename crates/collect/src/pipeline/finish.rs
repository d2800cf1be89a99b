//! The end of an attempt: what had to wait for all of it, then every object made visible, the ledger last.

use bytes::Bytes;
use futures::future::join_all;
use tokio::runtime::Handle;

use super::additional::Additional;
use super::feed::{KeptArtifacts, expired};
use super::fold::{FindingKind, Fold};
use super::listing::{Listed, chain};
use super::lost::{has_all_expired, left_as_it_was, nothing_came};
use super::missing::{FullVerdict, missing};
use super::objects::CollectionObject;
use super::reread::Reread;
use super::work::Shared;
use crate::ledger::{
    self, ArtifactStatus, CaseCounts, Ledger, LedgerArtifact, LedgerFinding, LedgerJob, LedgerRun,
    ReportCounts, Verdict,
};
use crate::output::{ObjectKind, OutputError};
use crate::plan::{CollectError, CollectPlan, Collected, FailureGroup, Profile, RunSummary, WrittenObject};
use crate::redact::{Masked, Redactor};
use crate::run::RunKey;
use crate::source::ListingState;

/// Returns the key of a collection's object.
pub(crate) fn key(collection: &str, run: &RunKey) -> String {
    format!("{collection}/{}/{}", run.run_id, run.attempt)
}

/// An attempt of which every artifact has been passed.
pub(crate) struct Attempt<'run> {
    pub(crate) plan: &'run CollectPlan,
    pub(crate) listed: Listed,
    pub(crate) shared: &'run Shared,
    pub(crate) kept: Option<KeptArtifacts>,
    pub(crate) runtime: &'run Handle,
}

impl Attempt<'_> {
    pub(crate) fn finish(self, mut fold: Fold) -> Result<Collected, CollectError> {
        let mut additional = fold.additional.take();
        if let Some(additional) = &mut additional {
            self.read_again(additional, &mut fold)?;
        }
        // dropped on the way out, whatever is not committed is given up
        let objects = self.objects(&mut fold, additional)?;
        fold.tell_left_out();
        let mut summary = fold.run_summary();
        if let Some(redactor) = &self.plan.redactor {
            summary.failures.iter_mut().for_each(|group| mask(group, redactor));
        }
        let ledger = self.ledger(fold);
        self.shared.go_on()?;
        // while the ledger is away, whoever looks knows that the rest may be of two runs; a signal is not heard until it is
        // there again, so that there is a whole run soonest
        let ledger_key = key("ledger", &self.shared.run);
        self.remove(&ledger_key)?;
        // what an earlier run left of a collection that this one does not write must not stay beside the new ledger; it
        // goes before anything new comes, so that nobody takes it for a part of that
        let is_written = |collection: &str| objects.iter().any(|object| object.collection() == collection);
        for stale in COLLECTIONS.iter().filter(|collection| !is_written(collection)) {
            self.remove(&key(stale, &self.shared.run))?;
        }
        // all at once: each waits for a disk or a store. None is given up while it is under way.
        let commits = join_all(objects.into_iter().map(CollectionObject::commit));
        let mut written = self.runtime.block_on(commits).into_iter().collect::<Result<Vec<_>, _>>()?;
        written.sort_by_key(|object| COLLECTIONS.iter().position(|name| *name == object.collection));
        written.push(self.write_ledger(&ledger, ledger_key)?);
        Ok(Collected { ledger, facts: self.listed.facts, summary, written })
    }

    /// Ends an attempt of which nothing can be had, and leaves all that an earlier collection wrote.
    pub(crate) fn leave(self, fold: Fold) -> Collected {
        let ledger = self.ledger(fold);
        left_as_it_was(ledger, self.listed.facts)
    }

    fn remove(&self, key: &str) -> Result<(), OutputError> {
        self.runtime.block_on(self.plan.destination.remove(key))
    }

    fn read_again(&self, additional: &mut Additional, fold: &mut Fold) -> Result<(), CollectError> {
        let reread = Reread {
            shared: self.shared,
            artifacts: &self.listed.artifacts,
            kept: self.kept.as_ref(),
            places: &fold.places,
            runtime: self.runtime,
        };
        for lost in reread.run(additional)? {
            fold.is_partial = true;
            let artifact = self.listed.artifacts.get(lost.artifact);
            let finding = LedgerFinding {
                artifact: artifact.map(|artifact| artifact.listing.name.clone()).unwrap_or_default(),
                entry: Some(lost.path),
                // the report as a whole
                offset: Some(0),
                code: "not-read-again".into(),
                text: format!(
                    "{} of its cases are missing in `additional_info/reruns`: {}",
                    lost.cases, lost.why
                ),
                cases_saved: None,
            };
            fold.tell(finding, FindingKind::Loss);
        }
        Ok(())
    }

    /// Ends every object's bytes; nothing is visible yet.
    fn objects(
        &self,
        fold: &mut Fold,
        additional: Option<Additional>,
    ) -> Result<Vec<CollectionObject>, CollectError> {
        let run = &self.shared.run;
        let mut summary = self.begin("test_run_summary")?;
        fold.summary.write(&run.run_id, run.attempt, |lines, rows| {
            self.shared.go_on()?;
            summary.add_lines(lines, rows).map_err(CollectError::from)
        })?;
        let mut objects = vec![summary];
        if let Some(mut additional) = additional {
            let mut reruns = self.begin("additional_info/reruns")?;
            additional.write_reruns(|bytes| {
                self.shared.go_on()?;
                reruns.add_lines(bytes, 0).map_err(CollectError::from)
            })?;
            reruns.add_lines(&[], 1)?;
            objects.push(reruns);
            for (collection, line) in [
                ("additional_info/td_exclusions", additional.td_exclusions()),
                ("additional_info/invoking_file_summary", additional.invoking_file_summary()),
            ] {
                let mut object = self.begin(collection)?;
                object.add_lines(&line, 1)?;
                objects.push(object);
            }
        }
        objects.extend(fold.failed.take());
        objects.extend(fold.full.take());
        for object in &mut objects {
            self.shared.go_on()?;
            object.end()?;
        }
        Ok(objects)
    }

    fn begin(&self, collection: &'static str) -> Result<CollectionObject, CollectError> {
        self.shared.go_on()?;
        let key = key(collection, &self.shared.run);
        let destination = Some(&*self.plan.destination);
        let work = (self.shared.level, self.plan.threads);
        Ok(CollectionObject::begin(self.runtime, destination, collection, key, work)?)
    }

    fn ledger(&self, fold: Fold) -> Ledger {
        let (names, pattern) = fold.job_names();
        let is_expected = |name: &str| match &self.plan.expect_jobs {
            Some(expected) => expected.is_match(name),
            None => pattern.is_test_job(name),
        };
        let expected = names.iter().filter(|(_, name)| is_expected(name));
        let has_expected = expected.clone().next().is_some();
        let jobs_without_report: Vec<LedgerJob> = expected
            .filter(|(id, _)| !fold.jobs_with_report.contains(*id))
            .map(|(id, name)| LedgerJob { id: id.clone(), name: name.clone() })
            .collect();
        let mut is_partial =
            fold.is_partial || self.listed.sources.iter().any(|source| source.error.is_some());
        if self.plan.expect_jobs.is_some() {
            // no name to match is no proof that the jobs were there
            is_partial |= !jobs_without_report.is_empty() || !has_expected;
        }
        if self.plan.require_complete {
            is_partial |= !jobs_without_report.is_empty() || !fold.declared.is_empty() || fold.has_stranger;
        }
        let told = fold.results.map_or(0, |results| results.total);
        let redactor = self.plan.redactor.as_ref().filter(|_| fold.results.is_some());
        let redacted = redactor.map(|redactor| {
            redactor.counts(&fold.masked).map(|(rule, count)| (rule.to_owned(), count)).collect()
        });
        let verdict = match (fold.cases.total + told, is_partial) {
            (0, _) => Verdict::Empty,
            (_, true) => Verdict::Partial,
            (_, false) => Verdict::Complete,
        };
        Ledger {
            version: ledger::VERSION,
            verdict,
            run: ledger_run(&self.shared.run, &self.listed),
            sources: self.listed.sources.clone(),
            artifacts: fold.artifacts,
            reports: fold.reports,
            findings: fold.findings,
            cases: fold.cases,
            results: fold.results,
            redacted,
            declared: fold.declared,
            jobs_without_report,
        }
    }

    fn write_ledger(&self, ledger: &Ledger, key: String) -> Result<WrittenObject, CollectError> {
        let mut bytes =
            serde_json::to_vec_pretty(ledger).map_err(|error| CollectError::Internal(error.into()))?;
        bytes.push(b'\n');
        let length = bytes.len() as u64;
        let destination = &self.plan.destination;
        self.runtime.block_on(async {
            let mut writer = destination.create(&key, ObjectKind::Json).await?;
            match writer.write(Bytes::from(bytes)).await {
                Ok(()) => writer.commit().await,
                Err(error) => {
                    writer.abort().await;
                    Err(error)
                }
            }
        })?;
        Ok(WrittenObject { collection: "ledger".into(), key, rows: 1, bytes: length })
    }
}

/// The collections, in the order in which they are told.
const COLLECTIONS: [&str; 6] = [
    "test_run_summary",
    "failed_test_runs",
    "test_run",
    "additional_info/reruns",
    "additional_info/td_exclusions",
    "additional_info/invoking_file_summary",
];

/// Masks the secrets in what is shown of failures, the lines as one text.
fn mask(group: &mut FailureGroup, redactor: &Redactor) {
    let mut uncounted = Masked::default();
    group.message = redactor.redact(&group.message, &mut uncounted).into_owned();
    let lines = group.first_lines.join("\n");
    group.first_lines = redactor.redact(&lines, &mut uncounted).lines().map(str::to_owned).collect();
}

fn ledger_run(run: &RunKey, listed: &Listed) -> LedgerRun {
    LedgerRun {
        repo: run.repo.clone(),
        run_id: run.run_id.clone(),
        attempt: run.attempt,
        head_branch: listed.facts.head_branch.clone(),
        head_repository: listed.facts.head_repository.clone(),
    }
}

/// Returns what would be read and written.
///
/// # Errors
/// As the run itself, where no artifact can be had.
pub(crate) fn dry_run(
    plan: &CollectPlan,
    run: &RunKey,
    mut listed: Listed,
) -> Result<Collected, CollectError> {
    let full = FullVerdict::of(plan, run, &listed);
    let artifacts: Vec<LedgerArtifact> = listed
        .artifacts
        .iter()
        .map(|artifact| LedgerArtifact {
            name: artifact.listing.name.clone(),
            source: artifact.source.name().to_owned(),
            bytes: artifact.listing.bytes,
            status: match artifact.listing.state {
                ListingState::Available => ArtifactStatus::Listed,
                ListingState::Expired => ArtifactStatus::Expired,
            },
            reason: match artifact.listing.state {
                ListingState::Available => None,
                ListingState::Expired => Some(chain(&expired())),
            },
        })
        .collect();
    let unlisted = std::mem::take(&mut listed.failures);
    if let Some(error) = nothing_came(plan, &artifacts, unlisted, None) {
        return Err(error);
    }
    let is_written = |collection: &&str| match *collection {
        "test_run" => full == FullVerdict::Written,
        _ if collection.starts_with("additional_info") => plan.profile == Profile::Pytorch,
        _ => true,
    };
    let names = COLLECTIONS.iter().copied().filter(is_written).chain(["ledger"]);
    let written = names
        .map(|collection| WrittenObject {
            collection: collection.to_owned(),
            key: key(collection, run),
            rows: 0,
            bytes: 0,
        })
        .collect();
    // as the run itself would say, as far as it is known before anything is read
    let has_expired = artifacts.iter().any(|artifact| artifact.status == ArtifactStatus::Expired);
    let missing = missing(plan, &listed, full);
    let is_partial = has_expired
        || missing.iter().any(|(_, kind)| *kind != FindingKind::Note)
        || listed.sources.iter().any(|source| source.error.is_some());
    let is_left = has_all_expired(&artifacts);
    let verdict = if artifacts.is_empty() {
        Verdict::Empty
    } else if is_partial {
        Verdict::Partial
    } else {
        Verdict::Complete
    };
    let findings = missing.into_iter().map(|(finding, _)| finding).collect();
    let ledger = Ledger {
        version: ledger::VERSION,
        verdict,
        run: ledger_run(run, &listed),
        sources: listed.sources,
        artifacts,
        reports: ReportCounts::default(),
        findings,
        cases: CaseCounts::default(),
        results: None,
        redacted: None,
        declared: Vec::new(),
        jobs_without_report: Vec::new(),
    };
    Ok(if is_left {
        left_as_it_was(ledger, listed.facts)
    } else {
        Collected { ledger, facts: listed.facts, summary: RunSummary::default(), written }
    })
}
