//! From the plan to what was collected: which attempts, and each attempt from list to ledger.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Handle};

use super::additional::Additional;
use super::feed::{Fed, Feed};
use super::finish::{Attempt, key};
use super::fold::{FindingKind, Fold};
use super::listing::{self, Listed};
use super::lost::{all_expired, has_all_expired, nothing_came};
use super::missing::{FullVerdict, missing};
use super::objects::CollectionObject;
use super::report::Wanted;
use super::steps::Steps;
use super::summary::SharedKeys;
use super::work::{Shared, Worker};
use crate::archive::Budget;
use crate::output::gzip::Level;
use crate::plan::{Cancel, CollectError, CollectPlan, Collected, Observer, Profile, SourceFailures};
use crate::run::{AttemptChoice, RunKey};

/// The level that collections are compressed at: the fastest within 1.1 times the size of `gzip -9`.
const LEVEL: u8 = 5;

/// Collects the attempts that the plan asks for, one after the other.
///
/// # Errors
/// [`CollectError`] where nothing could be collected, the destination failed, or it was cancelled. What is wrong with a
/// part of the input is in the ledger instead.
pub fn collect(
    plan: &CollectPlan,
    observer: &Arc<dyn Observer>,
    cancel: &Cancel,
) -> Result<Vec<Collected>, CollectError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("testlake-io")
        .enable_all()
        .build()
        .map_err(|error| CollectError::Internal(error.into()))?;
    let handle = runtime.handle();
    if !plan.dry_run {
        interruptible(handle, cancel, plan.destination.check())??;
    }
    let run_id = match &plan.run.run_id {
        Some(id) if is_key(id) => id.clone(),
        Some(id) => return Err(CollectError::BadRunId { run_id: id.clone() }),
        None => interruptible(handle, cancel, local_run_id(plan))??,
    };
    let run = RunKey { repo: plan.run.repo.clone(), run_id, attempt: 1 };
    let mut all = Vec::new();
    for attempt in interruptible(handle, cancel, attempts(plan, &run))?? {
        let run = RunKey { attempt, ..run.clone() };
        all.push(collect_attempt(plan, &run, observer, cancel, handle)?);
    }
    all_expired(&all).map_or(Ok(all), Err)
}

/// Waits for a future, or until the run is cancelled.
pub(crate) fn interruptible<T>(
    handle: &Handle,
    cancel: &Cancel,
    future: impl Future<Output = T>,
) -> Result<T, CollectError> {
    handle.block_on(async {
        tokio::select! {
            done = future => Ok(done),
            () = cancel.cancelled() => Err(CollectError::Cancelled),
        }
    })
}

/// Reports whether an id may stand in an object's key.
fn is_key(id: &str) -> bool {
    !id.is_empty()
        && !id.chars().all(|character| character == '.')
        && id.chars().all(|character| !character.is_control() && !matches!(character, '/' | '\\'))
}

/// Makes the id of a run that has none: a hash of all its input.
async fn local_run_id(plan: &CollectPlan) -> Result<String, CollectError> {
    let mut prints = Vec::new();
    for source in &plan.sources {
        match source.fingerprint().await {
            Ok(Some(print)) => prints.push(print),
            Ok(None) => return Err(CollectError::RunUnknown { source_name: source.name().to_owned() }),
            Err(error) => {
                let failures = vec![(source.name().to_owned(), error)];
                return Err(CollectError::NoSource(SourceFailures { failures }));
            }
        }
    }
    if let [only] = prints.as_slice() {
        return Ok(format!("local-{only}"));
    }
    prints.sort_unstable();
    let hash = Sha256::digest(prints.join("\n").as_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("local-{digits}"))
}

async fn attempts(plan: &CollectPlan, run: &RunKey) -> Result<Vec<u32>, CollectError> {
    if let AttemptChoice::Number(attempt) = plan.run.attempts {
        return Ok(vec![attempt]);
    }
    if plan.run.run_id.is_none() {
        return Ok(vec![1]);
    }
    let known = listing::known_attempts(plan, run).await?;
    let Some(&latest) = known.last() else {
        return Err(CollectError::NoAttempt { run: run.run_id.clone() });
    };
    Ok(match plan.run.attempts {
        AttemptChoice::All => known.into_iter().collect(),
        AttemptChoice::Latest | AttemptChoice::Number(_) => vec![latest],
    })
}

fn collect_attempt(
    plan: &CollectPlan,
    run: &RunKey,
    observer: &Arc<dyn Observer>,
    cancel: &Cancel,
    runtime: &Handle,
) -> Result<Collected, CollectError> {
    let mut listed = interruptible(runtime, cancel, listing::list(plan, run))??;
    let bytes: Option<u64> = listed.artifacts.iter().map(|artifact| artifact.listing.bytes).sum();
    observer.artifacts_known(listed.artifacts.len() as u64, bytes);
    let level = Level::new(LEVEL).ok_or_else(|| CollectError::Internal("no such level".into()))?;
    if plan.dry_run {
        return super::finish::dry_run(plan, run, listed);
    }
    if let Some(results) = &plan.results {
        results.attempt(run, &listed.facts);
    }
    let verdict = FullVerdict::of(plan, run, &listed);
    let has_full = verdict == FullVerdict::Written;
    let has_additional = plan.profile == Profile::Pytorch;
    let shared = Shared {
        run: run.clone(),
        wanted: Wanted { full: has_full, additional: has_additional },
        archive_limits: plan.archive_limits,
        limits: plan.report_limits,
        level,
        budget: Budget::new(plan.archive_limits.run_bytes).until(cancel),
        is_folded: AtomicBool::new(false),
        cancel: cancel.clone(),
        results: plan.results.clone(),
        redactor: plan.redactor.clone(),
        keys: SharedKeys::default(),
    };
    let begin = |collection| {
        let key = key(collection, run);
        CollectionObject::begin(runtime, Some(&*plan.destination), collection, key, (level, plan.threads))
    };
    let full = has_full.then(|| begin("test_run")).transpose()?;
    let failed = begin("failed_test_runs")?;
    let additional = has_additional.then(|| Additional::new(shared.keys.clone()));
    let mut fold = Fold::new(full, failed, additional, listed.job_names.clone(), shared.keys.clone());
    fold.results = plan.results.is_some().then(Default::default);
    for (finding, kind) in missing(plan, &listed, verdict) {
        fold.is_partial |= kind != FindingKind::Note;
        fold.tell(finding, kind);
    }
    let pump = Pump { plan, listed: &listed, shared: &shared, observer, runtime };
    let (fold, fed) = pump.run(fold)?;
    let unlisted = std::mem::take(&mut listed.failures);
    if let Some(error) = nothing_came(plan, &fold.artifacts, unlisted, fed.failure) {
        return Err(error);
    }
    let attempt = Attempt { plan, listed, shared: &shared, kept: fed.kept, runtime };
    if has_all_expired(&fold.artifacts) { Ok(attempt.leave(fold)) } else { attempt.finish(fold) }
}

/// The threads of an attempt. Each does all there is to do, in turn: it feeds where there is no unit, reads units, and folds
/// what has come.
struct Pump<'run> {
    plan: &'run CollectPlan,
    listed: &'run Listed,
    shared: &'run Shared,
    observer: &'run Arc<dyn Observer>,
    runtime: &'run Handle,
}

impl Pump<'_> {
    /// Passes all artifacts; returns what the feed kept.
    fn run(&self, fold: Fold) -> Result<(Fold, Fed), CollectError> {
        let threads = self.plan.threads.get();
        let steps = Steps::new(self.shared, fold, threads);
        let fed = self.work(&steps);
        let fold = steps.finish()?;
        self.shared.go_on()?;
        Ok((fold, fed))
    }

    /// Works on this thread and as many others as the plan says.
    fn work(&self, steps: &Steps<'_>) -> Fed {
        let input = (self.plan, self.shared, self.listed);
        let feed = Mutex::new(Feed::new(input, self.observer, self.runtime, steps));
        thread::scope(|scope| {
            for _ in 1..self.plan.threads.get() {
                let worker = thread::Builder::new().name("testlake-worker".to_owned());
                if let Err(error) = worker.spawn_scoped(scope, || self.pass(&feed, steps)) {
                    steps.fail(CollectError::Threads(error));
                    return;
                }
            }
            self.pass(&feed, steps);
        });
        feed.into_inner().unwrap_or_else(PoisonError::into_inner).end()
    }

    /// Works until there is nothing to do. A defect of ours ends the run, as nobody knows what it cost.
    fn pass(&self, feed: &Mutex<Feed<'_>>, steps: &Steps<'_>) {
        let passed = catch_unwind(AssertUnwindSafe(|| {
            let mut worker = Worker::new(self.shared, &**self.observer);
            while steps.may_take() {
                // held while an artifact is fetched: the others have nothing to do either
                let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(unit) = feed.next() else { return };
                steps.taken(unit.bytes());
                drop(feed);
                let read = worker.unit(unit);
                steps.fold();
                if read.is_err() {
                    return;
                }
            }
        }));
        if passed.is_err() {
            steps.fail(CollectError::Internal("a worker panicked".into()));
        }
    }
}

impl From<io::Error> for CollectError {
    fn from(error: io::Error) -> Self {
        Self::Spool(error)
    }
}
