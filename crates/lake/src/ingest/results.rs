//! Hears the results of a collection, and takes them in.

use std::sync::{Arc, Mutex, PoisonError};

use testlake_collect::plan::Collected;
use testlake_collect::results::{ReportOf, ReportResults, Results};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_report::{Case, Finding};
use tokio::runtime::Handle;

use super::{AttemptFacts, Figures, Ingest, Origin, ReportKey, ReportRows, TakenIn};
use crate::Lake;
use crate::error::LakeError;

/// Takes in what a collection tells, attempt by attempt, and commits each when its ledger is there.
#[derive(Debug)]
pub struct LakeResults {
    lake: Lake,
    tags: Vec<(String, String)>,
    io: Handle,
    attempts: Mutex<Vec<Arc<Ingest>>>,
}

impl LakeResults {
    /// Makes the hearer. `tags` are kept with each row.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which writes the files.
    pub fn new(lake: &Lake, tags: Vec<(String, String)>) -> Self {
        Self { lake: lake.clone(), tags, io: Handle::current(), attempts: Mutex::default() }
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Ingest>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an attempt that was collected be seen. `None` where nothing was told of it, as on a dry run.
    ///
    /// # Errors
    /// As [`Ingest::commit`].
    pub async fn commit(&self, collected: &Collected) -> Result<Option<TakenIn>, LakeError> {
        let ledger = &collected.ledger;
        let is_it = |ingest: &Arc<Ingest>| {
            let run = &ingest.attempt().run;
            run.repo == ledger.run.repo
                && run.run_id == ledger.run.run_id
                && run.attempt == ledger.run.attempt
        };
        let Some(ingest) = self.attempts().iter().find(|ingest| is_it(ingest)).cloned() else {
            return Ok(None);
        };
        let origin = Origin::Collected(Figures::of(ledger));
        let taken_in = ingest.commit(&origin, &ledger.findings).await?;
        self.attempts().retain(|ingest| !is_it(ingest));
        Ok(Some(taken_in))
    }

    /// Removes what was written of attempts that were not committed.
    pub async fn abandon(&self) {
        let attempts = std::mem::take(&mut *self.attempts());
        for ingest in attempts {
            ingest.abandon().await;
        }
    }
}

impl Results for LakeResults {
    fn attempt(&self, run: &RunKey, facts: &RunFacts) {
        let mut attempt = AttemptFacts::new(run.clone(), facts.clone());
        attempt.tags.clone_from(&self.tags);
        self.attempts().push(self.lake.ingest_on(attempt, self.io.clone()));
    }

    fn report(&self, report: ReportOf<'_>) -> Box<dyn ReportResults + '_> {
        let ingest = self.attempts().last().cloned();
        let key = ReportKey {
            artifact: report.artifact.to_owned(),
            path: report.path.to_owned(),
            job: report.job.map(str::to_owned),
            job_name: report.job_name.map(str::to_owned),
            variant: report.variant.map(str::to_owned),
        };
        match ingest {
            Some(ingest) => Box::new(ingest.report(key)),
            // Told before any attempt, which no collection does.
            None => Box::new(Nowhere),
        }
    }
}

impl ReportResults for ReportRows {
    fn case(&mut self, case: &Case<'_>) {
        self.push(case);
    }

    fn finding(&mut self, finding: Finding, text: &str) {
        Self::finding(self, finding, text);
    }

    fn end(self: Box<Self>) {
        Self::end(*self);
    }
}

#[derive(Debug)]
struct Nowhere;

impl ReportResults for Nowhere {
    fn case(&mut self, _: &Case<'_>) {}
    fn finding(&mut self, _: Finding, _: &str) {}
    fn end(self: Box<Self>) {}
}
