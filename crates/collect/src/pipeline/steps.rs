//! What the fold receives, in the order of the run, and who folds it: whichever thread has handed on something, if no other
//! folds already.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use super::fold::{Fold, FoldError};
use super::unit::Part;
use super::work::Shared;
use crate::archive::Defect;
use crate::ledger::LedgerArtifact;
use crate::plan::CollectError;

/// A step of the run.
#[derive(Debug)]
pub(crate) enum Step {
    Begin { index: usize, job: Option<String>, ledger: LedgerArtifact, defects: Vec<Defect> },
    Unit(Receiver<Vec<Part>>),
    End,
}

/// The steps of a run on their way into the fold.
#[derive(Debug)]
pub(crate) struct Steps<'run> {
    shared: &'run Shared,
    waiting: Mutex<VecDeque<Step>>,
    folding: Mutex<Folding>,
    /// Something came since who folds last looked for it.
    has_news: AtomicBool,
    /// Units that workers have taken and the fold has not ended.
    ahead: Mutex<Ahead>,
    unit_ended: Condvar,
    threads: usize,
}

/// Units a thread that others may be ahead of one, whatever their size.
const UNITS_AHEAD: usize = 4;
/// Units a thread that others may be ahead where they are small: while one writes a file of results, which takes as long as
/// reading two dozen units, the others go on.
const SMALL_UNITS_AHEAD: usize = 32;
/// Bytes of reports a thread up to which units are small.
const SMALL_BYTES_AHEAD: u64 = 32 << 20;

/// The sizes of units in bytes of reports, as the archives claim, and their sum.
#[derive(Debug, Default)]
struct Ahead {
    sizes: VecDeque<u64>,
    bytes: u64,
}

impl Ahead {
    /// Reports whether there are so many that the fold comes first.
    fn is_far(&self, threads: usize) -> bool {
        let units = self.sizes.len();
        units >= threads * UNITS_AHEAD
            && (units >= threads * SMALL_UNITS_AHEAD || self.bytes >= threads as u64 * SMALL_BYTES_AHEAD)
    }
}

#[derive(Debug)]
struct Folding {
    fold: Fold,
    /// What comes of the unit that is folded.
    unit: Option<Receiver<Vec<Part>>>,
    error: Option<CollectError>,
}

impl<'run> Steps<'run> {
    pub(crate) fn new(shared: &'run Shared, fold: Fold, threads: usize) -> Self {
        Self {
            shared,
            waiting: Mutex::default(),
            folding: Mutex::new(Folding { fold, unit: None, error: None }),
            has_news: AtomicBool::new(false),
            ahead: Mutex::default(),
            unit_ended: Condvar::new(),
            threads,
        }
    }

    /// Adds a step. Those of a unit are added before a worker can take it.
    pub(crate) fn add(&self, step: Step) {
        lock(&self.waiting).push_back(step);
    }

    /// Waits until another unit may be taken; false where nobody waits for more.
    pub(crate) fn may_take(&self) -> bool {
        let ahead = lock(&self.ahead);
        // the oldest of them is never waited for in vain: whoever has it waits for nobody
        let is_far = |ahead: &mut Ahead| ahead.is_far(self.threads) && !self.shared.is_over();
        drop(self.unit_ended.wait_while(ahead, is_far).unwrap_or_else(PoisonError::into_inner));
        !self.shared.is_over()
    }

    /// A worker has taken a unit of so many bytes, the next of the run.
    pub(crate) fn taken(&self, bytes: u64) {
        let mut ahead = lock(&self.ahead);
        ahead.bytes = ahead.bytes.saturating_add(bytes);
        ahead.sizes.push_back(bytes);
    }

    /// Folds all that has come. Returns at once where another thread does: it sees what came meanwhile.
    ///
    /// To be called after all that is handed on, so that nothing lies here while somebody waits for room.
    pub(crate) fn fold(&self) {
        self.has_news.store(true, Ordering::SeqCst);
        // who folds looks again after letting go: either it sees the news, or the lock is free by now
        while self.has_news.load(Ordering::SeqCst) {
            let mut folding = match self.folding.try_lock() {
                Ok(folding) => folding,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.has_news.store(false, Ordering::SeqCst);
            if folding.error.is_none()
                && let Err(error) = self.fold_some(&mut folding)
            {
                folding.error = Some(error);
            }
            if folding.error.is_some() {
                self.give_up(&mut folding);
            }
        }
    }

    fn fold_some(&self, folding: &mut Folding) -> Result<(), CollectError> {
        let Folding { fold, unit, .. } = folding;
        loop {
            self.shared.go_on()?;
            let Some(parts) = &*unit else {
                let Some(step) = lock(&self.waiting).pop_front() else { return Ok(()) };
                match step {
                    Step::Begin { index, job, ledger, defects } => fold.begin(index, job, ledger, &defects),
                    Step::Unit(parts) => *unit = Some(parts),
                    Step::End => fold.end(),
                }
                continue;
            };
            match parts.try_recv() {
                Ok(parts) => {
                    for part in parts {
                        self.shared.go_on()?;
                        fold.part(part).map_err(fold_error)?;
                    }
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    *unit = None;
                    let mut ahead = lock(&self.ahead);
                    let bytes = ahead.sizes.pop_front().unwrap_or_default();
                    ahead.bytes = ahead.bytes.saturating_sub(bytes);
                    drop(ahead);
                    self.unit_ended.notify_all();
                }
            }
        }
    }

    /// Lets nobody wait for the fold any more.
    fn give_up(&self, folding: &mut Folding) {
        self.shared.is_folded.store(true, Ordering::SeqCst);
        folding.unit = None;
        lock(&self.waiting).clear();
        // held, so that nobody is between looking and waiting
        let ahead = lock(&self.ahead);
        self.unit_ended.notify_all();
        drop(ahead);
    }

    /// Ends the fold early.
    pub(crate) fn fail(&self, error: CollectError) {
        let mut folding = lock(&self.folding);
        folding.error.get_or_insert(error);
        self.give_up(&mut folding);
    }

    /// Ends the fold; all that was handed on has been folded.
    pub(crate) fn finish(self) -> Result<Fold, CollectError> {
        self.fold();
        let folding = self.folding.into_inner().unwrap_or_else(PoisonError::into_inner);
        folding.error.map_or(Ok(folding.fold), Err)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fold_error(error: FoldError) -> CollectError {
    match error {
        FoldError::Output(error) => CollectError::Output(error),
        FoldError::Store(error) => CollectError::Spool(error),
    }
}
