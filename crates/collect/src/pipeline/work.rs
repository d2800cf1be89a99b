//! A worker: inflates the entries of a unit, passes each report once, compresses what came of them.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use testlake_report::scan::encoding::Decoded;
use testlake_report::scan::xml::XmlScanner;
use testlake_report::{Finding, FindingCode, Limits};

use super::exclusions;
use super::pass::{self, WINDOW_BYTES};
use super::report::{ReportSink, Wanted, read_again};
use super::summary::SharedKeys;
use super::typed::{Tee, Teller};
use super::unit::{Cases, EntryTask, OpenArtifact, Outbox, Over, Part, ReportDone, ReportStatus, Unit};
use crate::archive::{ArchiveCode, Budget, Defect, Entry, ReadOutcome, Scratch, defect_of};
use crate::limits::ArchiveLimits;
use crate::output::gzip::{Level, PieceCompressor};
use crate::plan::{Cancel, CollectError, Observer};
use crate::profile::case::CaseReader;
use crate::profile::document::Stamp;
use crate::profile::selection::{self, EntryKind};
use crate::redact::Redactor;
use crate::results::Results;
use crate::run::RunKey;

/// Bytes of lines that make a piece of output.
pub(crate) const PIECE_BYTES: usize = 2 << 20;
/// Bytes of `failed_test_runs` that are handed on at once.
const FAILED_BYTES: usize = 256 << 10;
/// Cases that a report is made room for before it is read.
const MOST_EXPECTED: u64 = 64 << 10;
/// Cases that are handed on at once.
const CASES_AHEAD: u64 = 8 << 10;

/// What all workers of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) run: RunKey,
    pub(crate) wanted: Wanted,
    pub(crate) archive_limits: ArchiveLimits,
    pub(crate) limits: Limits,
    pub(crate) level: Level,
    pub(crate) budget: Budget,
    /// The fold has ended.
    pub(crate) is_folded: AtomicBool,
    pub(crate) cancel: Cancel,
    pub(crate) results: Option<Arc<dyn Results>>,
    pub(crate) redactor: Option<Arc<Redactor>>,
    pub(crate) keys: SharedKeys,
}

impl Shared {
    fn sink(&self) -> ReportSink {
        ReportSink::new(self.wanted, self.limits, self.keys.clone())
    }

    /// Reports whether nobody waits for more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_folded.load(Ordering::Relaxed) || self.cancel.is_cancelled()
    }

    /// # Errors
    /// [`CollectError::Cancelled`] where the run was.
    pub(crate) fn go_on(&self) -> Result<(), CollectError> {
        if self.cancel.is_cancelled() { Err(CollectError::Cancelled) } else { Ok(()) }
    }
}

/// A worker's buffers.
pub(crate) struct Worker<'run> {
    pub(super) shared: &'run Shared,
    observer: &'run dyn Observer,
    pub(super) scratch: Scratch,
    pub(super) inflated: Vec<u8>,
    scanner: XmlScanner,
    reader: CaseReader<ReportSink>,
    compressor: PieceCompressor,
}

/// How the pass over a report's bytes ended.
#[derive(Debug, Default)]
struct Pass {
    /// Why reading ended before the end, and at which byte.
    stop: Option<Finding>,
    defects: Vec<Defect>,
}

impl<'run> Worker<'run> {
    pub(crate) fn new(shared: &'run Shared, observer: &'run dyn Observer) -> Self {
        Self {
            shared,
            observer,
            scratch: Scratch::default(),
            inflated: Vec::new(),
            scanner: XmlScanner::new(shared.limits),
            reader: CaseReader::new(shared.sink(), &shared.limits),
            compressor: PieceCompressor::new(shared.level),
        }
    }

    /// Reads the entries of a unit and tells what comes of them.
    pub(crate) fn unit(&mut self, unit: Unit<'_>) -> Result<(), Over> {
        let Unit { artifact, entries, mut parts } = unit;
        for task in entries {
            if self.shared.is_over() {
                return Err(Over);
            }
            match task.kind {
                EntryKind::Xml => self.guarded(&artifact, &task, &mut parts)?,
                EntryKind::Exclusions => {
                    let done = self.exclusions(&artifact, &task);
                    parts.send(Part::Exclusions(done))?;
                }
                EntryKind::OtherReport | EntryKind::Unnamed => {
                    let done = self.other(&artifact, &task);
                    parts.send(Part::Report(Box::new(done)))?;
                }
            }
        }
        Flush {
            shared: self.shared,
            observer: self.observer,
            compressor: &mut self.compressor,
            parts: &mut parts,
        }
        .lines(&mut self.reader.sink, 1)?;
        parts.flush()
    }

    /// Reads a report; a defect of ours in it costs that report alone.
    fn guarded(
        &mut self,
        artifact: &Arc<OpenArtifact>,
        task: &EntryTask,
        parts: &mut Outbox<'_>,
    ) -> Result<(), Over> {
        let lines = self.reader.sink.lines();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.report(artifact, task, parts)));
        outcome.unwrap_or_else(|_| {
            self.scanner = XmlScanner::new(self.shared.limits);
            let fresh = CaseReader::new(self.shared.sink(), &self.shared.limits);
            let given_up = std::mem::replace(&mut self.reader, fresh);
            // the lines of the unit's earlier reports are none of its business
            self.reader.sink.take_over(given_up.sink, &lines);
            let mut done = ReportDone::new(artifact, task, ReportStatus::Rejected);
            done.defects.push(Defect::internal(&task.entry.path));
            parts.send(Part::Report(Box::new(done)))?;
            Ok(())
        })
    }

    fn exclusions(&mut self, artifact: &OpenArtifact, task: &EntryTask) -> super::unit::ExclusionsDone {
        let mut inflated = std::mem::take(&mut self.inflated);
        let (limits, budget) = (&self.shared.archive_limits, &self.shared.budget);
        let read = artifact.archive.read(&task.entry, &mut self.scratch, &mut inflated, limits, budget);
        let done = exclusions::read(&task.entry.path, &inflated, read);
        self.inflated = inflated;
        done
    }

    fn report(
        &mut self,
        artifact: &Arc<OpenArtifact>,
        task: &EntryTask,
        parts: &mut Outbox<'_>,
    ) -> Result<(), Over> {
        let entry = &task.entry;
        let mut done = ReportDone::new(artifact, task, ReportStatus::Read);
        let run = &self.shared.run;
        let stamp = Stamp::new(&run.run_id, run.attempt, artifact.job.as_deref(), &done.invoking_file);
        self.scanner.reset();
        self.reader.reset();
        // a case is rarely below 100 bytes, and an archive may claim anything
        let expected = entry.size_bytes.min(MOST_EXPECTED * 128) / 128;
        self.reader.sink.begin(stamp, usize::try_from(expected).unwrap_or_default());
        let mut inflated = std::mem::take(&mut self.inflated);
        let limits = self.shared.archive_limits;
        let read =
            artifact.archive.read(entry, &mut self.scratch, &mut inflated, &limits, &self.shared.budget);
        let pass = match read {
            Ok(ReadOutcome::TooLargeForMemory) => {
                match artifact.archive.stream(entry, &limits, &self.shared.budget) {
                    Ok(mut stream) => {
                        let mut teller = Teller::of(self.shared, artifact, task);
                        let mut tee = Tee::new(&mut *stream, teller.as_mut(), self.shared.limits);
                        let pass = self.stream(&mut tee, entry, &mut done, parts)?;
                        let told = tee.finish();
                        done.told =
                            teller.zip(told).map(|(teller, (reading, _))| Box::new(teller.end(reading)));
                        Ok(pass)
                    }
                    Err(defect) => Ok(Pass { stop: None, defects: vec![defect] }),
                }
            }
            Ok(ReadOutcome::Whole) => self.whole(&inflated, &mut done, parts),
            Err(defect) => self.whole(&inflated, &mut done, parts).map(|mut pass| {
                pass.defects.push(defect);
                pass
            }),
        };
        let pass = pass?;
        // of what could not be had at all nothing is told
        let is_lost = inflated.is_empty() && !pass.defects.is_empty();
        if done.told.is_none()
            && !is_lost
            && let Some(teller) = Teller::of(self.shared, artifact, task)
        {
            done.told = Some(Box::new(teller.whole(&inflated, self.shared.limits)));
        }
        self.keep_buffer(inflated);
        self.finish(pass, done, parts)
    }

    /// Takes the buffer back. One large report must not cost its memory for all that follow.
    pub(super) fn keep_buffer(&mut self, inflated: Vec<u8>) {
        if inflated.capacity() <= 8 * WINDOW_BYTES {
            self.inflated = inflated;
        }
    }

    /// Passes a report that is in memory.
    fn whole(&mut self, raw: &[u8], done: &mut ReportDone, parts: &mut Outbox<'_>) -> Result<Pass, Over> {
        let decoded = Decoded::new(raw, |finding| self.reader.sink.tell(finding));
        let told = self.reader.sink.findings.len();
        self.reader.sink.keeps_places = true;
        let limits = self.shared.limits;
        let mut flush =
            Flush { shared: self.shared, observer: self.observer, compressor: &mut self.compressor, parts };
        let stop = pass::whole(&decoded.text, &mut self.scanner, &mut self.reader, &limits, |reader| {
            flush.some(&mut reader.sink, done)
        })?;
        // places in the text become offsets in the report as it came
        let in_raw = |offset: u64| decoded.offset_in_raw(usize::try_from(offset).unwrap_or(usize::MAX));
        for finding in self.reader.sink.findings.iter_mut().skip(told) {
            finding.offset = in_raw(finding.offset);
        }
        if self.shared.wanted.additional {
            done.repeats = self.reader.sink.repeats();
            done.found = read_again(&decoded.text, &self.reader.sink, &done.repeats, limits);
        }
        let stop = stop.map(|stop| Finding { offset: in_raw(stop.offset), ..stop });
        Ok(Pass { stop, defects: Vec::new() })
    }

    /// Passes a report that is too large for memory, in windows.
    fn stream(
        &mut self,
        raw: &mut dyn Read,
        entry: &Entry,
        done: &mut ReportDone,
        parts: &mut Outbox<'_>,
    ) -> Result<Pass, Over> {
        self.reader.sink.keeps_places = false;
        let limits = self.shared.limits;
        let mut flush =
            Flush { shared: self.shared, observer: self.observer, compressor: &mut self.compressor, parts };
        let end = pass::stream(raw, &mut self.scanner, &mut self.reader, &limits, |reader| {
            flush.some(&mut reader.sink, done)
        })?;
        if self.shared.wanted.additional {
            done.repeats = self.reader.sink.repeats();
        }
        let defects = end.error.map(|error| defect_of(error, entry)).into_iter().collect();
        Ok(Pass { stop: end.stop, defects })
    }

    fn finish(&mut self, pass: Pass, mut done: ReportDone, parts: &mut Outbox<'_>) -> Result<(), Over> {
        Flush { shared: self.shared, observer: self.observer, compressor: &mut self.compressor, parts }
            .cases(&mut self.reader.sink, &done)?;
        let is_report = self.reader.is_report();
        let sink = &mut self.reader.sink;
        done.defects = pass.defects;
        if let Some(stop) = pass.stop {
            // that a report whose bytes break off ends early is no news
            let is_known = !done.defects.is_empty()
                && matches!(
                    stop.code,
                    FindingCode::CutTag
                        | FindingCode::CutDocument
                        | FindingCode::Unclosed
                        | FindingCode::Empty
                        | FindingCode::NoRoot
                );
            if !is_known {
                // the reason for the end is always kept, whatever came before it
                sink.findings.push(stop);
            }
        }
        // those of the encoding were told before all others
        sink.findings.sort_by_key(|finding| finding.offset);
        let is_broken = pass.stop.is_some() || !done.defects.is_empty();
        done.status = match (is_broken, sink.ordinal) {
            (true, 0) => ReportStatus::Rejected,
            (true, _) => ReportStatus::Salvaged,
            (false, _) if sink.has_loss => ReportStatus::Salvaged,
            (false, 0) if !is_report => ReportStatus::NotAReport,
            (false, _) => ReportStatus::Read,
        };
        done.cases = u64::from(sink.ordinal);
        done.rerun_cases = sink.rerun_cases;
        done.findings = std::mem::take(&mut sink.findings);
        done.findings_left_out = sink.findings_left_out;
        done.declared = std::mem::take(&mut sink.declared);
        done.failures = std::mem::take(&mut sink.failures);
        done.failures_left_out = sink.failures_left_out;
        done.sights = sink.sights.all();
        if let Some(mut told) = done.told.take() {
            told.take_over(&mut done, EntryKind::Xml);
            done.told = Some(told);
        }
        parts.send(Part::Report(Box::new(done)))?;
        Ok(())
    }
}

impl ReportDone {
    pub(super) fn new(artifact: &OpenArtifact, task: &EntryTask, status: ReportStatus) -> Self {
        let invoking_file = selection::invoking_file(&artifact.name, &task.entry.path);
        Self {
            report: task.report,
            path: task.entry.path.clone(),
            invoking_file: invoking_file.into(),
            status,
            cases: 0,
            rerun_cases: 0,
            findings: Vec::new(),
            findings_left_out: 0,
            defects: Vec::new(),
            declared: Vec::new(),
            failures: Vec::new(),
            failures_left_out: 0,
            sights: Box::default(),
            repeats: Vec::new(),
            found: Vec::new(),
            without_documents: None,
            told: None,
        }
    }
}

impl Defect {
    /// A bug of ours, met while an entry was read.
    pub(super) fn internal(path: &str) -> Self {
        Self {
            entry: Some(path.to_owned()),
            offset: None,
            code: ArchiveCode::Internal,
            text: "reading it met a bug in testlake; please report it with this entry".into(),
        }
    }
}

/// Hands on what has come so far.
struct Flush<'worker, 'run> {
    shared: &'worker Shared,
    observer: &'worker dyn Observer,
    compressor: &'worker mut PieceCompressor,
    parts: &'worker mut Outbox<'run>,
}

impl Flush<'_, '_> {
    /// Hands on what there is much of.
    fn some(&mut self, sink: &mut ReportSink, done: &ReportDone) -> Result<(), Over> {
        if self.shared.is_over() {
            return Err(Over);
        }
        if sink.sums.cases() >= CASES_AHEAD {
            self.cases(sink, done)?;
        }
        self.lines(sink, PIECE_BYTES)
    }

    fn cases(&mut self, sink: &mut ReportSink, done: &ReportDone) -> Result<(), Over> {
        if sink.sums.cases() == 0 {
            return Ok(());
        }
        self.observer.cases(sink.sums.cases());
        self.parts.send(Part::Cases(Cases {
            report: done.report,
            invoking_file: Arc::clone(&done.invoking_file),
            rows: std::mem::take(&mut sink.new_rows),
            sums: sink.sums.take(),
        }))?;
        Ok(())
    }

    /// Hands on lines where there are `least` bytes of them.
    fn lines(&mut self, sink: &mut ReportSink, least: usize) -> Result<(), Over> {
        if sink.full.len() >= least {
            let piece = self.compressor.compress(&sink.full);
            sink.full.clear();
            self.parts.send(Part::Full { piece, rows: std::mem::take(&mut sink.full_rows) })?;
        }
        if sink.failed.len() >= least.min(FAILED_BYTES) {
            let lines = std::mem::take(&mut sink.failed);
            self.parts.send(Part::Failed { lines, rows: std::mem::take(&mut sink.failed_rows) })?;
        }
        Ok(())
    }
}
