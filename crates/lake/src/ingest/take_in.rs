//! Taking in an attempt, or a part of it: many reports from many threads, then one commit a table.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashSet;
use testlake_collect::ledger::LedgerFinding;
use tokio::runtime::Handle;

use super::rows::{Rows, Sorted};
use super::small::{finding_rows, run_row};
use super::{AttemptFacts, Origin, ReportKey, ReportRows};
use crate::Lake;
use crate::clock::{day_of, day_text};
use crate::error::LakeError;
use crate::file::{Effort, name_of, put, write_whole};
use crate::replace::{Replace, Scope, remove};
use crate::schema::TableKind;
use crate::table::{Entry, Operation};

/// Days that the rows of an attempt are spread over at most where their reports say when they began; those of further
/// days are kept under the day that they are taken in. More are no times but noise, and each costs a file.
const MOST_DAYS: usize = 64;

/// An attempt being taken in. Nothing is visible before [`Self::commit`]; without one, its files are removed by
/// [`Self::abandon`], or by a later `vacuum`.
#[derive(Debug)]
pub struct Ingest {
    attempt: AttemptFacts,
    lake: Lake,
    patience: Duration,
    io: Handle,
    owner: String,
    pool: Mutex<Vec<Rows>>,
    state: Mutex<State>,
    has_failed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Files of results that count.
    files: Vec<Entry>,
    /// Files that do not, to be removed.
    discarded: Vec<Entry>,
    /// Reports that were read, by artifact and path.
    reports: FxHashSet<(String, Option<String>)>,
    cases: u64,
    findings: Vec<FindingRow>,
    days: FxHashSet<i32>,
    error: Option<LakeError>,
    /// Whether the log may name the files though the commit failed.
    may_be_committed: bool,
    /// Once the results are the table's: how many rows they replaced, and the version that has them.
    committed: Option<(u64, u64)>,
}

/// A finding to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FindingRow {
    pub(super) artifact: String,
    pub(super) report: Option<String>,
    pub(super) code: String,
    pub(super) offset: Option<u64>,
    pub(super) text: String,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenIn {
    /// Reports.
    pub reports: u64,
    /// Cases, each a row of `results`.
    pub cases: u64,
    /// Findings, each a row of `findings`.
    pub findings: u64,
    /// Rows of `results` that were there of the same reports, and were replaced.
    pub replaced: u64,
    /// New files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How often other writers were faster, and the commit was tried again.
    pub lost: u64,
    /// The version of `results` that has it all.
    pub version: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ingest {
    pub(crate) fn new(lake: &Lake, attempt: AttemptFacts, patience: Duration, io: Handle) -> Arc<Self> {
        Arc::new(Self {
            owner: attempt.owner(),
            attempt,
            lake: lake.clone(),
            patience,
            io,
            pool: Mutex::default(),
            state: Mutex::default(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Returns what is known of the attempt.
    pub fn attempt(&self) -> &AttemptFacts {
        &self.attempt
    }

    /// Begins a report. May be called from any number of threads; each file that is full is written on the thread
    /// whose case filled it.
    pub fn report(self: &Arc<Self>, key: ReportKey) -> ReportRows {
        ReportRows::new(Arc::clone(self), key)
    }

    pub(super) fn take_rows(&self) -> Rows {
        locked(&self.pool).pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, rows: Rows) {
        locked(&self.pool).push(rows);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, files: Vec<Entry>) {
        locked(&self.state).files.extend(files);
    }

    pub(super) fn discard(&self, files: Vec<Entry>) {
        locked(&self.state).discarded.extend(files);
    }

    pub(super) fn end_report(&self, key: &ReportKey, cases: u64) {
        let mut state = locked(&self.state);
        state.reports.insert((key.artifact.clone(), Some(key.path.clone())));
        state.cases += cases;
    }

    pub(super) fn add_findings(&self, findings: Vec<FindingRow>) {
        locked(&self.state).findings.extend(findings);
    }

    fn fail(&self, error: LakeError) {
        self.has_failed.store(true, Ordering::Relaxed);
        locked(&self.state).error.get_or_insert(error);
    }

    /// Writes a range of rows into files, one a day. A failure is kept for the commit.
    pub(super) fn write(&self, rows: &Rows, range: Range<usize>) -> Vec<Entry> {
        if self.has_failed() {
            return Vec::new();
        }
        self.try_write(rows, range).unwrap_or_else(|error| {
            self.fail(error);
            Vec::new()
        })
    }

    fn try_write(&self, rows: &Rows, range: Range<usize>) -> Result<Vec<Entry>, LakeError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = rows.sorted(range, &self.attempt);
        let sorted = sorted.map_err(|error| LakeError::internal("putting rows in order")(error.into()))?;
        let put = self.put_all(sorted);
        if Handle::try_current().is_err() {
            return self.io.block_on(put);
        }
        // A thread that runs futures must not wait for one.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| self.io.block_on(put));
            waiting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    async fn put_all(&self, sorted: Vec<Sorted>) -> Result<Vec<Entry>, LakeError> {
        let mut entries = Vec::new();
        for Sorted { day, batch } in sorted {
            let written = write_whole(TableKind::Results, &batch, Effort::Quick)?;
            let date = day_text(self.kept_under(day));
            let path = name_of(Some(&date), Some(&self.owner));
            match put(self.lake.table(TableKind::Results), path, Some(date), written).await {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.discard(entries);
                    return Err(error);
                }
            }
        }
        Ok(entries)
    }

    fn kept_under(&self, day: i32) -> i32 {
        let mut state = locked(&self.state);
        if state.days.len() < MOST_DAYS || state.days.contains(&day) {
            state.days.insert(day);
            return day;
        }
        drop(state);
        day_of(self.attempt.taken_in_unix_ms).unwrap_or(day)
    }

    /// Lets all that was taken in be seen: the findings, the results, and then the row of the attempt. Rows of the same
    /// reports that are there already are replaced. `findings` are those of the ledger; of them, those of reports that
    /// were told here are left out.
    ///
    /// # Errors
    /// Where something could not be written: then nothing of the results is seen, and what was there before is as it
    /// was. The same call may be made again after an error that is transient; after another it fails again.
    pub async fn commit(&self, origin: &Origin, findings: &[LedgerFinding]) -> Result<TakenIn, LakeError> {
        let committed = match self.write_rest() {
            Err(error) => Err(error),
            Ok(()) => self.commit_all(origin, findings).await,
        };
        if let Err(error) = &committed
            && (!error.is_transient() || self.has_failed())
        {
            self.abandon().await;
        } else {
            self.remove_discarded().await;
        }
        committed
    }

    /// Writes the rows that wait for a file. Where that fails they go on waiting; rows that could not be written before are
    /// gone, and without them nothing is committed.
    fn write_rest(&self) -> Result<(), LakeError> {
        if self.has_failed() {
            let error = locked(&self.state).error.take();
            return Err(error.unwrap_or_else(|| LakeError::Store {
                doing: "write anything more to",
                place: self.lake.place().to_string(),
                is_transient: false,
                source: "what was told of the attempt was given up; it has to be told anew".into(),
            }));
        }
        let waiting = std::mem::take(&mut *locked(&self.pool));
        let write = |rows: Rows| match self.try_write(&rows, 0..rows.len()) {
            Ok(files) => {
                self.count(files);
                Ok(())
            }
            Err(error) => {
                locked(&self.pool).push(rows);
                Err(error)
            }
        };
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let writing: Vec<_> = waiting.into_iter().map(|rows| scope.spawn(|| write(rows))).collect();
                let join = |one: std::thread::ScopedJoinHandle<'_, _>| {
                    one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                // Each is waited for, whatever became of the others.
                let written: Vec<Result<(), LakeError>> = writing.into_iter().map(join).collect();
                written.into_iter().collect()
            })
        })
    }

    async fn commit_all(&self, origin: &Origin, findings: &[LedgerFinding]) -> Result<TakenIn, LakeError> {
        let (files, reports, cases, own_findings) = {
            let state = locked(&self.state);
            (state.files.clone(), state.reports.clone(), state.cases, state.findings.clone())
        };
        let mut rows = own_findings;
        let of_ledger = findings.iter().map(FindingRow::of);
        rows.extend(of_ledger.filter(|row| !reports.contains(&(row.artifact.clone(), row.report.clone()))));
        let figures = match origin {
            Origin::Collected(figures) => Some(figures),
            Origin::Uploaded => None,
        };
        let mut taken_in = TakenIn {
            reports: reports.len() as u64,
            cases,
            findings: rows.len() as u64,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            ..TakenIn::default()
        };
        let reports = Arc::new(reports);
        let of_findings = Scope::Reports { reports: Arc::clone(&reports), and_no_report: figures.is_some() };
        let file =
            self.small(TableKind::Findings, &|| finding_rows(&self.attempt, &rows), rows.is_empty()).await?;
        self.replace(TableKind::Findings, of_findings, file, &mut taken_in).await?;

        let committed = locked(&self.state).committed;
        let replaced = match committed {
            // A call before this one came so far, and no further.
            Some(replaced) => replaced,
            None => {
                let of_results = Scope::Reports { reports, and_no_report: false };
                let replaced = self.replace(TableKind::Results, of_results, files, &mut taken_in).await?;
                let mut state = locked(&self.state);
                // From here on they are the table's.
                state.files.clear();
                state.committed = Some(replaced);
                replaced
            }
        };
        (taken_in.replaced, taken_in.version) = replaced;

        let scope = if figures.is_some() { Scope::Attempt } else { Scope::IfAbsent };
        let file = self.small(TableKind::Runs, &|| run_row(&self.attempt, figures), false).await?;
        self.replace(TableKind::Runs, scope, file, &mut taken_in).await?;
        Ok(taken_in)
    }

    /// Writes the file of a small table.
    async fn small(
        &self,
        kind: TableKind,
        rows: &(
             dyn Fn() -> Result<
            datafusion::arrow::record_batch::RecordBatch,
            datafusion::arrow::error::ArrowError,
        > + Sync
         ),
        is_empty: bool,
    ) -> Result<Vec<Entry>, LakeError> {
        if is_empty {
            return Ok(Vec::new());
        }
        let batch = rows().map_err(|error| LakeError::internal("making rows")(error.into()))?;
        let written = write_whole(kind, &batch, Effort::Quick)?;
        Ok(vec![put(self.lake.table(kind), name_of(None, Some(&self.owner)), None, written).await?])
    }

    async fn replace(
        &self,
        kind: TableKind,
        scope: Scope,
        files: Vec<Entry>,
        taken_in: &mut TakenIn,
    ) -> Result<(u64, u64), LakeError> {
        let table = self.lake.table(kind);
        let mut replace = Replace::new(table, &self.attempt.run, self.owner.clone(), scope, files);
        let committed = table.commit(Operation::Write, self.patience, &mut replace).await;
        let (unused, replaced) = replace.ended(committed.is_ok());
        match &committed {
            // What the log may name stays; `vacuum` knows better later.
            Err(not) if not.may_be_made => {
                if kind == TableKind::Results {
                    locked(&self.state).may_be_committed = true;
                }
            }
            // They are there for another call.
            Err(_) if kind == TableKind::Results => {}
            _ => remove(table, unused).await,
        }
        let committed = committed?;
        taken_in.lost += committed.lost;
        Ok((replaced, committed.version))
    }

    /// Removes the files that were written for nothing. Those of a commit that failed, and may have been made all the same,
    /// are left to a later `vacuum`.
    pub async fn abandon(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
        {
            let mut state = locked(&self.state);
            let files = std::mem::take(&mut state.files);
            if !state.may_be_committed {
                state.discarded.extend(files);
            }
        }
        self.remove_discarded().await;
    }

    async fn remove_discarded(&self) {
        let discarded = std::mem::take(&mut locked(&self.state).discarded);
        remove(self.lake.table(TableKind::Results), discarded).await;
    }
}

impl FindingRow {
    fn of(finding: &LedgerFinding) -> Self {
        Self {
            artifact: finding.artifact.clone(),
            report: finding.entry.clone(),
            code: finding.code.clone(),
            offset: finding.offset,
            text: finding.text.clone(),
        }
    }
}
