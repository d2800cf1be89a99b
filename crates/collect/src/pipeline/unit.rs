//! Units of work: entries of one artifact that one worker reads, and what comes of them.
//!
//! Which entries make a unit depends on the input alone, so that the pieces of the output do, too.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use testlake_report::Finding;

use super::first_sight::Seen;
use super::report::{Declared, Failure, FoundCase, Repeat, RowSum};
use super::rows::RowKey;
use super::steps::Steps;
use super::typed::{Owner, Told};
use crate::archive::{Archive, Defect, Entry};
use crate::output::gzip::Piece;
use crate::profile::selection::EntryKind;

/// Bytes of reports (as the archive claims) that make a unit full.
///
/// 1 MiB of XML makes a piece of output of about 1.5 MiB: large enough to compress well.
const UNIT_BYTES: u64 = 1 << 20;

/// Parts that are handed on together: most are folded by who hands them on, in one go.
const BATCH_PARTS: usize = 32;

/// Batches that a worker may be ahead of the fold in one unit.
///
/// 8: a unit of many small reports has two parts for each, and must end without waiting for the units before it. A part
/// is below 300 KiB, so that the most that waits is 75 MiB, and only behind another report as large.
const BATCHES_AHEAD: usize = 8;

/// An artifact that is being read.
#[derive(Debug)]
pub(crate) struct OpenArtifact {
    pub(crate) name: String,
    /// The job's id, in digits.
    pub(crate) job: Option<String>,
    pub(crate) archive: Archive,
    /// Whose its reports are, where typed results are asked for.
    pub(crate) owner: Option<Owner>,
}

/// An entry to read.
#[derive(Debug)]
pub(crate) struct EntryTask {
    /// Its number in the order of the run.
    pub(crate) report: u32,
    pub(crate) entry: Entry,
    pub(crate) kind: EntryKind,
}

/// Work for one worker.
#[derive(Debug)]
pub(crate) struct Unit<'run> {
    pub(crate) artifact: Arc<OpenArtifact>,
    pub(crate) entries: Vec<EntryTask>,
    pub(crate) parts: Outbox<'run>,
}

impl Unit<'_> {
    /// Bytes of its reports, as the archive claims.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.iter().fold(0, |bytes, task| task.entry.size_bytes.saturating_add(bytes))
    }
}

/// Splits the entries of an artifact into units; each with the place where its parts arrive.
pub(crate) fn split<'run>(
    artifact: &Arc<OpenArtifact>,
    entries: Vec<EntryTask>,
    steps: &'run Steps<'run>,
) -> Vec<(Unit<'run>, Receiver<Vec<Part>>)> {
    let mut units = Vec::new();
    let mut current = Vec::new();
    let mut bytes = 0;
    let mut cut = |entries: Vec<EntryTask>| {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        let parts = Outbox { sender, waiting: Vec::new(), steps };
        units.push((Unit { artifact: Arc::clone(artifact), entries, parts }, receiver));
    };
    for entry in entries {
        let size = entry.entry.size_bytes;
        if !current.is_empty() && bytes + size > UNIT_BYTES + UNIT_BYTES / 2 {
            cut(std::mem::take(&mut current));
            bytes = 0;
        }
        bytes += size;
        current.push(entry);
        if bytes >= UNIT_BYTES {
            cut(std::mem::take(&mut current));
            bytes = 0;
        }
    }
    if !current.is_empty() {
        cut(current);
    }
    units
}

/// Nobody waits for what comes of the unit any more.
#[derive(Debug)]
pub(crate) struct Over;

/// Hands parts on, in order, some at a time.
#[derive(Debug)]
pub(crate) struct Outbox<'run> {
    sender: SyncSender<Vec<Part>>,
    waiting: Vec<Part>,
    steps: &'run Steps<'run>,
}

impl Outbox<'_> {
    /// Hands on a part, now or with others.
    pub(crate) fn send(&mut self, part: Part) -> Result<(), Over> {
        self.waiting.push(part);
        if self.waiting.len() >= BATCH_PARTS { self.flush() } else { Ok(()) }
    }

    /// Hands on what waits. To be called when the unit has ended.
    pub(crate) fn flush(&mut self) -> Result<(), Over> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // there is room, or some soon: whoever has the unit that is folded now hands on without waiting for others
        self.sender.send(std::mem::take(&mut self.waiting)).map_err(|_| Over)?;
        self.steps.fold();
        Ok(())
    }
}

/// What comes of a unit, in order.
#[derive(Debug)]
pub(crate) enum Part {
    /// A piece of `test_run`.
    Full { piece: Piece, rows: u64 },
    /// Lines of `failed_test_runs`.
    Failed { lines: Vec<u8>, rows: u64 },
    /// Cases of the report that is being read.
    Cases(Cases),
    /// A report has ended.
    Report(Box<ReportDone>),
    /// A list of target determination has been read.
    Exclusions(ExclusionsDone),
}

/// Cases of a report that follow those handed on before.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    /// The report's number, and the folder that held it.
    pub(crate) report: u32,
    pub(crate) invoking_file: Arc<str>,
    /// Rows of the report that are new.
    pub(crate) rows: Vec<RowKey>,
    pub(crate) sums: Vec<RowSum>,
}

/// How a report came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportStatus {
    /// It was read to its end.
    Read,
    /// Cases before a break, or all but some, were saved.
    Salvaged,
    /// No case could be saved, and it is broken.
    Rejected,
    /// It is no test report.
    NotAReport,
    /// It is, by its name, a report of a format that makes no documents.
    OtherFormat,
    /// Nothing said that it is a report but that somebody asked, and it is none.
    NoReport,
}

/// A report has ended. Its cases have been told before.
#[derive(Debug)]
pub(crate) struct ReportDone {
    pub(crate) report: u32,
    pub(crate) path: String,
    pub(crate) invoking_file: Arc<str>,
    pub(crate) status: ReportStatus,
    pub(crate) cases: u64,
    pub(crate) rerun_cases: u64,
    pub(crate) findings: Vec<Finding>,
    pub(crate) findings_left_out: u64,
    pub(crate) defects: Vec<Defect>,
    pub(crate) declared: Vec<Declared>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) failures_left_out: u64,
    /// Distinct cases, where they are wanted.
    pub(crate) sights: Box<[Seen]>,
    /// Cases that stand more than once in the report.
    pub(crate) repeats: Vec<Repeat>,
    /// Their documents, as far as they could be had at once.
    pub(crate) found: Vec<FoundCase>,
    /// Why no document was made of it, where it was read all the same.
    pub(crate) without_documents: Option<String>,
    /// What was told of it, where typed results are asked for.
    pub(crate) told: Option<Box<Told>>,
}

/// A list of target determination has been read, or not.
#[derive(Debug)]
pub(crate) struct ExclusionsDone {
    pub(crate) path: String,
    /// The `test_file`s of the `excluded` list.
    pub(crate) test_files: Vec<String>,
    /// What was wrong: code, offset, text.
    pub(crate) wrong: Option<(&'static str, Option<u64>, String)>,
    pub(crate) defect: Option<Defect>,
}
