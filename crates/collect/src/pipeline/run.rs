//! From the plan to what was collected: which attempts, and each attempt from list to ledger.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Handle};

use super::additional::Additional;
use super::feed::{Fed, Feed, KeptArtifacts, Step};
use super::finish::{Attempt, key};
use super::fold::{FindingKind, Fold, FoldError};
use super::listing::{self, Listed};
use super::lost::{all_expired, has_all_expired, nothing_came};
use super::missing::{FullVerdict, missing};
use super::objects::CollectionObject;
use super::report::Wanted;
use super::unit::Unit;
use super::work::{Shared, Worker};
use crate::archive::Budget;
use crate::output::gzip::Level;
use crate::plan::{Cancel, CollectError, CollectPlan, Collected, Observer, Profile, SourceFailures};
use crate::profile::selection::JobNamePattern;
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
    };
    let begin = |collection| {
        let key = key(collection, run);
        CollectionObject::begin(runtime, Some(&*plan.destination), collection, key, (level, plan.threads))
    };
    let full = has_full.then(|| begin("test_run")).transpose()?;
    let failed = begin("failed_test_runs")?;
    let additional = has_additional.then(Additional::default);
    let mut fold = Fold::new(full, failed, additional, listed.job_names.clone());
    fold.results = plan.results.is_some().then(Default::default);
    for (finding, kind) in missing(plan, &listed, verdict) {
        fold.is_partial |= kind != FindingKind::Note;
        fold.tell(finding, kind);
    }
    let pump = Pump { plan, listed: &listed, shared: &shared, observer, runtime };
    let fed = pump.run(&mut fold)?;
    let unlisted = std::mem::take(&mut listed.failures);
    if let Some(error) = nothing_came(plan, &fold.artifacts, unlisted, fed.failure) {
        return Err(error);
    }
    let attempt = Attempt { plan, listed, shared: &shared, kept: fed.kept, runtime };
    if has_all_expired(&fold.artifacts) { Ok(attempt.leave(fold)) } else { attempt.finish(fold) }
}

/// The threads of an attempt, from the feed to the fold.
struct Pump<'run> {
    plan: &'run CollectPlan,
    listed: &'run Listed,
    shared: &'run Shared,
    observer: &'run Arc<dyn Observer>,
    runtime: &'run Handle,
}

impl Pump<'_> {
    /// Passes all artifacts; returns what the feed kept.
    fn run(&self, fold: &mut Fold) -> Result<Fed, CollectError> {
        let threads = self.plan.threads.get();
        let (units, queue) = sync_channel::<Unit>(threads * 2);
        let (steps, incoming) = sync_channel::<Step>(threads * 4);
        let queue = Arc::new(Mutex::new(queue));
        let kept = (self.plan.profile == Profile::Pytorch).then(KeptArtifacts::default);
        let feed = Feed {
            plan: self.plan,
            shared: self.shared,
            listed: self.listed,
            observer: self.observer,
            runtime: self.runtime,
            units,
            steps,
            kept,
            failure: None,
            pattern: self.plan.results.is_some().then(JobNamePattern::new),
        };
        thread::scope(|scope| {
            let start = |name: &str| thread::Builder::new().name(name.to_owned());
            for _ in 0..threads {
                let queue = Arc::clone(&queue);
                start("testlake-worker")
                    .spawn_scoped(scope, move || self.work(&queue))
                    .map_err(CollectError::Threads)?;
            }
            drop(queue);
            let feed = start("testlake-feed")
                .spawn_scoped(scope, move || feed.run())
                .map_err(CollectError::Threads)?;
            let folded = self.fold(incoming, fold);
            self.shared.is_folded.store(true, Ordering::Relaxed);
            let fed = feed.join().map_err(|_| CollectError::Internal("the feed panicked".into()))?;
            folded?;
            if self.shared.cancel.is_cancelled() { Err(CollectError::Cancelled) } else { Ok(fed) }
        })
    }

    fn work(&self, queue: &Mutex<Receiver<Unit>>) {
        let mut worker = Worker::new(self.shared, &**self.observer);
        loop {
            // held while waiting: one worker waits for the next unit, the others for it
            let unit = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(unit) = unit else { return };
            if worker.unit(unit).is_err() {
                return;
            }
        }
    }

    fn fold(&self, incoming: Receiver<Step>, fold: &mut Fold) -> Result<(), CollectError> {
        for step in incoming {
            self.shared.go_on()?;
            match step {
                Step::Begin { index, job, ledger, defects } => fold.begin(index, job, ledger, &defects),
                Step::Unit(parts) => {
                    for part in parts.into_iter().flatten() {
                        self.shared.go_on()?;
                        fold.part(part).map_err(fold_error)?;
                    }
                }
                Step::End => fold.end(),
            }
        }
        Ok(())
    }
}

fn fold_error(error: FoldError) -> CollectError {
    match error {
        FoldError::Output(error) => CollectError::Output(error),
        FoldError::Store(error) => CollectError::Spool(error),
    }
}

impl From<io::Error> for CollectError {
    fn from(error: io::Error) -> Self {
        Self::Spool(error)
    }
}
