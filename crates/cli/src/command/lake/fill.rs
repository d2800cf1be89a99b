//! The lake that `collect` fills in the same pass as the collections.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use testlake_collect::bucket::StoreSettings;
use testlake_collect::plan::{Cancel, Collected};
use testlake_collect::results::{ReportOf, ReportResults, Results};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_lake::ingest::{LakeResults, TakenIn};
use testlake_lake::{Lake, LakeError};
use testlake_report::{Case, Finding};
use tokio::runtime::{Handle, Runtime};

use super::{ending, runtime, store_settings};
use crate::config::Environment;
use crate::exit::Failure;
use crate::plan::Collecting;
use crate::render::Kept;

/// A lake that is being filled.
#[derive(Debug)]
pub(in crate::command) struct Filling(Arc<Hearer>);

/// Hears the results. The lake is opened, or made, when the first report begins, or the first attempt was collected: a run of
/// which nothing came makes no lake.
#[derive(Debug)]
struct Hearer {
    address: String,
    settings: StoreSettings,
    tags: Vec<(String, String)>,
    runtime: Runtime,
    /// Asked where the lake cannot be opened: nothing is read in vain.
    cancel: Cancel,
    opened: OnceLock<Option<LakeResults>>,
    /// Attempts that have begun before it was opened.
    begun: Mutex<Vec<(RunKey, RunFacts)>>,
    failed: Mutex<Option<LakeError>>,
}

impl Filling {
    /// Makes one of the lake that the plan names; nothing where it names none, or nothing is to be written.
    pub(in crate::command) fn new(
        collecting: &Collecting,
        environment: &Environment,
        cancel: &Cancel,
    ) -> Result<Option<Self>, Failure> {
        let Some(lake) = collecting.lake.as_deref().filter(|_| !collecting.dry_run) else { return Ok(None) };
        Ok(Some(Self(Arc::new(Hearer {
            address: lake.to_owned(),
            settings: store_settings(collecting.limits.retry_for, environment),
            tags: collecting.tags.clone(),
            runtime: runtime()?,
            cancel: cancel.clone(),
            opened: OnceLock::new(),
            begun: Mutex::default(),
            failed: Mutex::default(),
        }))))
    }

    /// Returns what hears the results.
    pub(in crate::command) fn results(&self) -> Arc<dyn Results> {
        Arc::<Hearer>::clone(&self.0)
    }

    /// Lets an attempt be seen that was collected.
    pub(in crate::command) fn commit(&self, collected: &Collected) -> Result<Option<Kept>, Failure> {
        let Some(results) = self.0.opened() else { return self.0.failure().map_or(Ok(None), Err) };
        let committed = self.0.runtime.block_on(results.commit(collected)).map_err(ending::lake_failure)?;
        Ok(committed.as_ref().map(kept))
    }

    /// Removes what was written of attempts that are not seen, and returns why the lake could not be opened, if so.
    pub(in crate::command) fn abandon(self) -> Option<Failure> {
        if let Some(Some(results)) = self.0.opened.get() {
            self.0.runtime.block_on(results.abandon());
        }
        self.0.failure()
    }
}

impl Hearer {
    /// Opens the lake, or makes it, at the first call. Nothing where that failed.
    fn opened(&self) -> Option<&LakeResults> {
        let opened = self.opened.get_or_init(|| {
            let open = || self.runtime.block_on(Lake::open_or_create(&self.address, &self.settings));
            // A thread of a runtime must not wait for a future.
            let opened = if Handle::try_current().is_ok() {
                std::thread::scope(|scope| scope.spawn(open).join())
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            } else {
                open()
            };
            match opened {
                Ok(lake) => {
                    let _guard = self.runtime.enter();
                    let results = LakeResults::new(&lake, self.tags.clone());
                    for (run, facts) in locked(&self.begun).drain(..) {
                        results.attempt(&run, &facts);
                    }
                    Some(results)
                }
                Err(error) => {
                    // The collections do without a lake that is down.
                    if !error.is_transient() {
                        self.cancel.cancel();
                    }
                    locked(&self.failed).get_or_insert(error);
                    None
                }
            }
        });
        opened.as_ref()
    }

    fn failure(&self) -> Option<Failure> {
        locked(&self.failed).take().map(ending::lake_failure)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Results for Hearer {
    fn attempt(&self, run: &RunKey, facts: &RunFacts) {
        match self.opened.get() {
            Some(Some(results)) => {
                let _guard = self.runtime.enter();
                results.attempt(run, facts);
            }
            Some(None) => {}
            None => locked(&self.begun).push((run.clone(), facts.clone())),
        }
    }

    fn report(&self, report: ReportOf<'_>) -> Box<dyn ReportResults + '_> {
        match self.opened() {
            Some(results) => results.report(report),
            None => Box::new(Nowhere),
        }
    }
}

/// Hears what nobody keeps.
#[derive(Debug)]
struct Nowhere;

impl ReportResults for Nowhere {
    fn case(&mut self, _: &Case<'_>) {}
    fn finding(&mut self, _: Finding, _: &str) {}
    fn end(self: Box<Self>) {}
}

/// Takes over what is shown.
pub(super) fn kept(taken_in: &TakenIn) -> Kept {
    let TakenIn { reports, cases, findings, replaced, files, bytes, version, .. } = *taken_in;
    Kept { reports, cases, findings, replaced, files, bytes, version }
}
