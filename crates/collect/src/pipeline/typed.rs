//! Tells the typed results of reports, of any format, to whoever asked for them ([`Results`](crate::results::Results)).
//!
//! The worker that inflated a report reads it once more, by `testlake_report`. Where nobody asked, nothing here runs.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use testlake_report::finding::Weight;
use testlake_report::{
    Case, Finding, FindingCode, Format, Limits, Outcome, Reading, ReportReader, Visitor, read,
};

use super::unit::{EntryTask, OpenArtifact, ReportDone, ReportStatus};
use super::work::{Shared, Worker};
use crate::archive::{Defect, ReadOutcome, defect_of};
use crate::ledger::ResultCounts;
use crate::profile::selection::EntryKind;
use crate::redact::{Masked, NameWatch, Redactor, Searched};
use crate::results::{ReportOf, ReportResults, Results};

/// Bytes of an entry that is not known to be a report that are looked at before all of it is inflated.
const HEAD_BYTES: usize = 1 << 10;
/// Entries above this are looked at first. 256 KiB: below, inflating costs no more than looking.
const LOOK_FIRST_BYTES: u64 = 256 << 10;
/// Bytes that are read of a stream at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Whose a report is, beside what the archive says.
#[derive(Debug)]
pub(crate) struct Owner {
    /// The artifact's name, which no other of the run has.
    pub(crate) artifact: String,
    pub(crate) job_name: Option<String>,
    pub(crate) variant: Option<String>,
}

/// What was told of a report.
#[derive(Debug, Default)]
pub(crate) struct Told {
    format: Option<Format>,
    pub(crate) counts: ResultCounts,
    pub(crate) masked: Masked,
    findings: Vec<Finding>,
    findings_left_out: u64,
    /// The first case whose name holds a secret.
    secret_in_name: Option<Finding>,
}

impl Told {
    /// Takes over the report where no document came of it, as it is of another format than documents are made of.
    pub(crate) fn take_over(&mut self, done: &mut ReportDone, kind: EntryKind) {
        let Some(format) = self.format else {
            if kind == EntryKind::Unnamed {
                done.status = ReportStatus::NoReport;
                done.defects.clear();
            }
            return;
        };
        if let Format::Named(name) = format {
            // coverage, a page, a list: no result of the run is known to be lost
            if done.cases == 0 {
                if kind != EntryKind::Xml {
                    done.status = ReportStatus::NoReport;
                }
                done.without_documents = Some(format!("it is of the format `{name}`, which is not read"));
            }
            return;
        }
        if kind == EntryKind::Xml && (done.cases > 0 || format == Format::Junit) {
            // a document's findings are its own
            done.findings.extend(self.secret_in_name);
            return;
        }
        let has = |weight: Weight| self.findings.iter().any(|finding| finding.code.weight() == weight);
        let is_broken = !done.defects.is_empty() || has(Weight::Stop);
        done.status = match (is_broken, self.counts.total) {
            (true, 0) => ReportStatus::Rejected,
            (true, _) => ReportStatus::Salvaged,
            (false, _) if has(Weight::Loss) => ReportStatus::Salvaged,
            (false, _) => ReportStatus::Read,
        };
        done.cases = self.counts.total;
        done.findings = std::mem::take(&mut self.findings);
        done.findings.extend(self.secret_in_name);
        done.findings_left_out = self.findings_left_out;
        done.without_documents = Some(match (format, kind) {
            (Format::Junit, _) => "its name does not end with `.xml`: it makes no documents".to_owned(),
            _ => format!("it is of the format `{}`: it makes no documents", format.as_str()),
        });
    }
}

/// Tells one report.
pub(super) struct Teller<'run> {
    results: &'run dyn Results,
    of: ReportOf<'run>,
    is_expected: bool,
    open: Option<Box<dyn ReportResults + 'run>>,
    redactor: Option<&'run Redactor>,
    /// Bytes of the report that hold no secret.
    searched: Searched<'run>,
    names: NameWatch,
    /// The finding told last: what it is about comes behind it.
    last: Option<(Finding, Option<String>)>,
    told: Told,
}

impl<'run> Teller<'run> {
    /// Makes the teller of an entry, where results are asked for.
    pub(super) fn of(
        shared: &'run Shared,
        artifact: &'run OpenArtifact,
        task: &'run EntryTask,
    ) -> Option<Self> {
        let (results, owner) = (shared.results.as_deref()?, artifact.owner.as_ref()?);
        let of = ReportOf {
            artifact: &owner.artifact,
            path: &task.entry.path,
            job: artifact.job.as_deref(),
            job_name: owner.job_name.as_deref(),
            variant: owner.variant.as_deref(),
        };
        let is_expected = task.kind == EntryKind::Xml;
        Some(Self {
            results,
            of,
            is_expected,
            open: None,
            redactor: shared.redactor.as_deref(),
            searched: Searched::default(),
            names: NameWatch::default(),
            last: None,
            told: Told::default(),
        })
    }

    /// Tells a report that is in memory.
    pub(super) fn whole<'raw>(self, raw: &'raw [u8], limits: Limits) -> Told
    where
        'run: 'raw,
    {
        let mut teller: Teller<'raw> = self;
        teller.searched = teller.redactor.map(|redactor| redactor.search(raw)).unwrap_or_default();
        let reading = read(raw, limits, &mut teller);
        teller.end(reading)
    }

    fn report(&mut self) -> &mut (dyn ReportResults + 'run) {
        let (results, of) = (self.results, self.of);
        &mut **self.open.get_or_insert_with(|| results.report(of))
    }

    fn tell_last(&mut self) {
        let Some((finding, about)) = self.last.take() else { return };
        let text = finding.code.text();
        match about {
            Some(about) => {
                let about = match self.redactor {
                    Some(redactor) => redactor.redact(&about, &mut self.told.masked).into_owned(),
                    None => about,
                };
                self.report().finding(finding, &format!("{text}: {about}"));
            }
            None => self.report().finding(finding, text),
        }
    }

    /// The report has ended.
    pub(super) fn end(mut self, reading: Reading) -> Told {
        self.tell_last();
        if reading.format.is_some() {
            // one without a case, too: it replaces what an earlier one held
            self.report();
        }
        if let Some(open) = self.open.take() {
            open.end();
            self.told.counts.reports = 1;
        }
        self.told.format = reading.format;
        self.told.findings_left_out = reading.findings_left_out;
        self.told
    }
}

impl Visitor for Teller<'_> {
    fn case(&mut self, case: &Case<'_>) {
        self.tell_last();
        let counts = &mut self.told.counts;
        counts.total += 1;
        match case.outcome {
            Outcome::Passed => counts.passed += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::Errored => counts.errored += 1,
            Outcome::Skipped => counts.skipped += 1,
        }
        counts.flaky += u64::from(case.is_flaky());
        let Some(redactor) = self.redactor else { return self.report().case(case) };
        if self.names.finds(redactor, case, self.searched) && self.told.secret_in_name.is_none() {
            let finding = Finding { code: FindingCode::SecretInName, offset: case.offset };
            self.told.secret_in_name = Some(finding);
            self.report().finding(finding, finding.code.text());
        }
        match redactor.redact_case(case, self.searched, &mut self.told.masked) {
            Some(clean) => self.report().case(&clean),
            None => self.report().case(case),
        }
    }

    fn finding(&mut self, finding: Finding) {
        // what no format claims is no report, and what is empty only where a report was to be
        match finding.code {
            FindingCode::UnknownFormat => return,
            FindingCode::Empty if !self.is_expected => return,
            _ => {}
        }
        self.tell_last();
        self.told.findings.push(finding);
        self.last = Some((finding, None));
    }

    fn about(&mut self, _finding: Finding, text: &str) {
        if let Some((_, about)) = &mut self.last {
            *about = Some(text.to_owned());
        }
    }
}

/// Gives the bytes of a report that is too large for memory, and shows them to its teller on the way.
pub(super) struct Tee<'tee> {
    raw: &'tee mut dyn Read,
    reader: Option<ReportReader<'tee>>,
}

impl<'tee> Tee<'tee> {
    pub(super) fn new<'run: 'tee>(
        raw: &'tee mut dyn Read,
        teller: Option<&'tee mut Teller<'run>>,
        limits: Limits,
    ) -> Self {
        let reader = teller.map(|teller| ReportReader::new(limits, teller));
        Self { raw, reader }
    }

    /// Shows what is left: whoever read it may have ended early. Returns what was read, and why no more could be.
    pub(super) fn finish(mut self) -> Option<(Reading, Option<io::Error>)> {
        self.reader.as_ref()?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut error = None;
        while self.reader.as_ref().is_some_and(|reader| !reader.is_over()) {
            match self.read(&mut chunk) {
                Ok(0) => break,
                Err(why) if why.kind() != io::ErrorKind::Interrupted => {
                    error = Some(why);
                    break;
                }
                Ok(_) | Err(_) => {}
            }
        }
        self.reader.map(|reader| (reader.finish(), error))
    }
}

impl Read for Tee<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.raw.read(into)?;
        if let Some(reader) = &mut self.reader {
            reader.feed(into.get(..length).unwrap_or_default());
        }
        Ok(length)
    }
}

impl Worker<'_> {
    /// Tells an entry of which no document is made. A defect of ours in it costs that entry alone.
    pub(super) fn other(&mut self, artifact: &Arc<OpenArtifact>, task: &EntryTask) -> ReportDone {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.other_report(artifact, task)));
        outcome.unwrap_or_else(|_| {
            let mut done = ReportDone::new(artifact, task, ReportStatus::Rejected);
            done.defects.push(Defect::internal(&task.entry.path));
            done
        })
    }

    fn other_report(&mut self, artifact: &OpenArtifact, task: &EntryTask) -> ReportDone {
        let mut done = ReportDone::new(artifact, task, ReportStatus::OtherFormat);
        let Some(teller) = Teller::of(self.shared, artifact, task) else { return done };
        if task.kind == EntryKind::Unnamed && !self.may_be_report(artifact, task) {
            done.status = ReportStatus::NoReport;
            return done;
        }
        let (archive_limits, budget) = (&self.shared.archive_limits, &self.shared.budget);
        let limits = self.shared.limits;
        let mut inflated = std::mem::take(&mut self.inflated);
        let read =
            artifact.archive.read(&task.entry, &mut self.scratch, &mut inflated, archive_limits, budget);
        let mut told = match read {
            Ok(ReadOutcome::Whole) => teller.whole(&inflated, limits),
            Ok(ReadOutcome::TooLargeForMemory) => {
                match artifact.archive.stream(&task.entry, archive_limits, budget) {
                    Ok(mut stream) => stream_alone(&mut *stream, teller, limits, task, &mut done),
                    Err(defect) => {
                        done.defects.push(defect);
                        Told::default()
                    }
                }
            }
            Err(defect) => {
                done.defects.push(defect);
                teller.whole(&inflated, limits)
            }
        };
        self.keep_buffer(inflated);
        told.take_over(&mut done, task.kind);
        done.told = Some(Box::new(told));
        done
    }

    /// Reports whether an entry begins as a text does.
    fn may_be_report(&self, artifact: &OpenArtifact, task: &EntryTask) -> bool {
        if task.entry.size_bytes <= LOOK_FIRST_BYTES {
            return true;
        }
        // these bytes are read again, and counted then
        let budget = crate::archive::Budget::new(u64::MAX).until(&self.shared.cancel);
        let Ok(stream) = artifact.archive.stream(&task.entry, &self.shared.archive_limits, &budget) else {
            return false;
        };
        let mut head = Vec::with_capacity(HEAD_BYTES);
        // what breaks off so early is no report that anybody missed
        io::copy(&mut stream.take(HEAD_BYTES as u64), &mut head).is_ok() && begins_text(&head)
    }
}

/// Reads a stream for its teller alone.
fn stream_alone(
    raw: &mut dyn Read,
    mut teller: Teller<'_>,
    limits: Limits,
    task: &EntryTask,
    done: &mut ReportDone,
) -> Told {
    match Tee::new(raw, Some(&mut teller), limits).finish() {
        Some((reading, error)) => {
            done.defects.extend(error.map(|error| defect_of(error, &task.entry)));
            teller.end(reading)
        }
        None => Told::default(),
    }
}

/// Reports whether bytes begin a text: UTF-16 begins with its mark, all else has no zero byte.
fn begins_text(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || !head.contains(&0)
}
