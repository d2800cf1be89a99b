//! Takes what comes of the units, in the order of the run, and adds it up.

use std::io;

use rustc_hash::FxHashMap;

use super::additional::{Additional, Home};
use super::objects::CollectionObject;
use super::report::{Failure, RowSum};
use super::summary::{SharedKeys, Summary};
use super::unit::{Cases, ExclusionsDone, Part, ReportDone, ReportStatus};
use crate::archive::Defect;
use crate::ledger::{
    ArtifactStatus, CaseCounts, DeclaredMismatch, LedgerArtifact, LedgerFinding, ReportCounts, ResultCounts,
};
use crate::output::OutputError;
use crate::plan::{FailureGroup, RunSummary};
use crate::profile::selection::JobNamePattern;
use crate::redact::Masked;
use crate::source::JobNames;

/// Findings that cost nothing, and miscounting suites, kept of a run; the rest are counted.
const FINDINGS_KEPT: usize = 10_000;
/// Findings that cost something, of reports and of whole artifacts each, kept of a run; the rest are counted.
const LOSSES_KEPT: usize = 100_000;
/// Failure groups kept of a run; the rest are counted.
const GROUPS_KEPT: usize = 1000;
/// Examples kept of one failure group.
const EXAMPLES_KEPT: usize = 5;

/// What a finding is about. Each kind is counted apart, so that none crowds out another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// Nothing is lost by it.
    Note,
    /// It cost something of an entry.
    Loss,
    /// It cost something of an artifact, or of all of them.
    WholeArtifact,
}

/// Why the fold ended early.
#[derive(Debug)]
pub(crate) enum FoldError {
    Output(OutputError),
    Store(io::Error),
}

impl From<OutputError> for FoldError {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

impl From<io::Error> for FoldError {
    fn from(error: io::Error) -> Self {
        Self::Store(error)
    }
}

/// An artifact whose parts are coming.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) index: usize,
    pub(crate) job: Option<String>,
    pub(crate) ledger: LedgerArtifact,
    build: String,
    config: String,
    /// Parts of it that were not read whole.
    broken: u64,
    /// Whether something of it was read, and whether that was a report.
    has_some: bool,
    has_report: bool,
}

/// The report whose cases are coming.
#[derive(Debug, Default)]
struct CurrentReport {
    number: Option<u32>,
    /// The numbers of job and invoking file in the summary.
    home: (u32, u32),
    /// The summary's row for each row of the report.
    rows: Vec<u32>,
    /// The group's class for each row of the report.
    classes: Vec<u32>,
    group: Option<u32>,
}

/// Adds up a run.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) summary: Summary,
    pub(crate) additional: Option<Additional>,
    pub(crate) full: Option<CollectionObject>,
    pub(crate) failed: Option<CollectionObject>,
    pub(crate) artifacts: Vec<LedgerArtifact>,
    pub(crate) reports: ReportCounts,
    pub(crate) cases: CaseCounts,
    /// What was told of typed results, where they are asked for.
    pub(crate) results: Option<ResultCounts>,
    /// Secrets that were masked in them.
    pub(crate) masked: Masked,
    pub(crate) findings: Vec<LedgerFinding>,
    pub(crate) declared: Vec<DeclaredMismatch>,
    /// Findings kept of each kind: notes, losses, losses of whole artifacts.
    told: (usize, usize, usize),
    /// Findings and miscounting suites beyond those kept.
    left_out: u64,
    /// Something of the run was not read whole.
    pub(crate) is_partial: bool,
    /// An XML file that is no report was seen.
    pub(crate) has_stranger: bool,
    /// Ids of jobs that left a report.
    pub(crate) jobs_with_report: std::collections::BTreeSet<String>,
    pub(crate) seconds: f64,
    failures: Vec<FailureGroup>,
    failures_by_message: FxHashMap<String, usize>,
    groups_left_out: u64,
    job_names: JobNames,
    pattern: JobNamePattern,
    current: Option<Current>,
    report: CurrentReport,
    /// Where each report is: the artifact's number and the path in it.
    pub(crate) places: Vec<(usize, Box<str>)>,
}

impl Fold {
    pub(crate) fn new(
        full: Option<CollectionObject>,
        failed: CollectionObject,
        additional: Option<Additional>,
        job_names: JobNames,
        keys: SharedKeys,
    ) -> Self {
        Self {
            summary: Summary::new(keys),
            additional,
            full,
            failed: Some(failed),
            artifacts: Vec::new(),
            reports: ReportCounts::default(),
            cases: CaseCounts::default(),
            results: None,
            masked: Masked::default(),
            findings: Vec::new(),
            declared: Vec::new(),
            told: (0, 0, 0),
            left_out: 0,
            is_partial: false,
            has_stranger: false,
            jobs_with_report: std::collections::BTreeSet::new(),
            seconds: 0.0,
            failures: Vec::new(),
            failures_by_message: FxHashMap::default(),
            groups_left_out: 0,
            job_names,
            pattern: JobNamePattern::new(),
            current: None,
            report: CurrentReport::default(),
            places: Vec::new(),
        }
    }

    /// An artifact begins; `defects` are those of the archive itself.
    pub(crate) fn begin(
        &mut self,
        index: usize,
        job: Option<String>,
        ledger: LedgerArtifact,
        defects: &[Defect],
    ) {
        let name = job.as_ref().and_then(|id| self.job_names.get(id)).map(String::as_str);
        let (build, config) = self.pattern.build_and_config(name);
        let (build, config) = (build.to_owned(), config.to_owned());
        if !matches!(ledger.status, ArtifactStatus::Read | ArtifactStatus::Listed) {
            self.is_partial = true;
        }
        for defect in defects {
            let is_note = defect.code.is_note();
            self.is_partial |= !is_note;
            self.defect(&ledger.name, defect, None);
        }
        let broken = defects.iter().filter(|defect| !defect.code.is_note()).count() as u64;
        self.current =
            Some(Current { index, job, ledger, build, config, broken, has_some: false, has_report: false });
    }

    /// The artifact has ended.
    pub(crate) fn end(&mut self) {
        let Some(mut current) = self.current.take() else { return };
        if current.ledger.status == ArtifactStatus::Read && current.broken > 0 {
            current.ledger.status =
                if current.has_some { ArtifactStatus::Salvaged } else { ArtifactStatus::Rejected };
            current.ledger.reason = Some(format!(
                "{} of it could not be read whole; see the findings",
                count(current.broken, "part")
            ));
        }
        if current.has_report
            && let Some(job) = current.job
        {
            self.jobs_with_report.insert(job);
        }
        self.artifacts.push(current.ledger);
    }

    /// Adds what comes of a unit.
    pub(crate) fn part(&mut self, part: Part) -> Result<(), FoldError> {
        match part {
            Part::Full { piece, rows } => {
                if let Some(full) = &mut self.full {
                    full.add_piece(piece, rows)?;
                }
            }
            Part::Failed { lines, rows } => {
                if let Some(failed) = &mut self.failed {
                    failed.add_lines(&lines, rows)?;
                }
            }
            Part::Cases(cases) => self.cases(&cases),
            Part::Report(mut done) => self.report_done(&mut done)?,
            Part::Exclusions(done) => self.exclusions(done),
        }
        Ok(())
    }

    fn cases(&mut self, cases: &Cases) {
        let Some(current) = &self.current else { return };
        if self.report.number != Some(cases.report) {
            self.report.number = Some(cases.report);
            let names = &mut self.summary.names;
            let job = names.number(current.job.as_deref().unwrap_or("null"));
            self.report.home = (job, names.number(&cases.invoking_file));
            self.report.rows.clear();
            self.report.classes.clear();
            self.report.group = self.additional.as_mut().and_then(|additional| {
                additional.group(&Home {
                    build: &current.build,
                    config: &current.config,
                    invoking_file: &cases.invoking_file,
                })
            });
        }
        for row in &cases.rows {
            self.report.rows.push(self.summary.row(row, self.report.home));
        }
        if let (Some(additional), Some(group)) = (&mut self.additional, self.report.group) {
            additional.classes(group, &cases.rows, &mut self.report.classes);
            additional.add(group, &cases.sums);
        }
        for sum in &cases.sums {
            self.sum(sum);
        }
    }

    fn sum(&mut self, sum: &RowSum) {
        if let Some(&row) = self.report.rows.get(sum.row as usize) {
            self.summary.add(row, sum);
        }
        self.seconds = super::summary::add_seconds(self.seconds, sum.seconds);
        let [passed, failed, errored, skipped] = sum.counts.map(u64::from);
        self.cases.total += passed + failed + errored + skipped;
        self.cases.passed += passed;
        self.cases.failed += failed;
        self.cases.errored += errored;
        self.cases.skipped += skipped;
    }

    fn report_done(&mut self, done: &mut ReportDone) -> Result<(), FoldError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let artifact = current.ledger.name.clone();
        if self.additional.is_some() {
            self.places.push((current.index, done.path.as_str().into()));
        }
        let counted = match done.status {
            ReportStatus::Read => Some(&mut self.reports.read),
            ReportStatus::Salvaged => Some(&mut self.reports.salvaged),
            ReportStatus::Rejected => Some(&mut self.reports.rejected),
            ReportStatus::NotAReport | ReportStatus::OtherFormat | ReportStatus::NoReport => None,
        };
        if let Some(counted) = counted {
            *counted += 1;
            self.reports.found += 1;
        }
        match done.status {
            ReportStatus::Salvaged | ReportStatus::Rejected => {
                current.broken += 1;
                self.is_partial = true;
            }
            ReportStatus::Read
            | ReportStatus::NotAReport
            | ReportStatus::OtherFormat
            | ReportStatus::NoReport => {}
        }
        current.has_some |=
            matches!(done.status, ReportStatus::Read | ReportStatus::Salvaged | ReportStatus::NotAReport);
        current.has_report |= matches!(done.status, ReportStatus::Read | ReportStatus::Salvaged);
        self.cases.rerun += done.rerun_cases;
        if let (Some(results), Some(told)) = (&mut self.results, &done.told) {
            results.add(&told.counts);
            self.masked.add(&told.masked);
        }
        self.report_findings(&artifact, done);
        for declared in done.declared.drain(..) {
            if self.declared.len() >= FINDINGS_KEPT {
                self.left_out += 1;
                continue;
            }
            self.declared.push(DeclaredMismatch {
                artifact: artifact.clone(),
                entry: done.path.clone(),
                suite: (!declared.suite.is_empty()).then_some(declared.suite),
                declared: declared.declared,
                held: declared.held,
            });
        }
        let job = self.current.as_ref().and_then(|current| current.job.clone());
        self.groups_left_out += done.failures_left_out;
        for failure in done.failures.drain(..) {
            self.failure(failure, job.as_deref(), &artifact);
        }
        if self.report.number == Some(done.report)
            && let (Some(additional), Some(group)) = (&mut self.additional, self.report.group)
        {
            additional.report(group, &self.report.classes, done)?;
        }
        Ok(())
    }

    fn report_findings(&mut self, artifact: &str, done: &ReportDone) {
        use testlake_report::finding::Weight;
        let mut tell = |code: &str, text: String, offset: Option<u64>, is_loss: bool| {
            let kind = if is_loss { FindingKind::Loss } else { FindingKind::Note };
            let finding = LedgerFinding {
                artifact: artifact.to_owned(),
                entry: Some(done.path.clone()),
                offset,
                code: code.to_owned(),
                text,
                cases_saved: is_loss.then_some(done.cases),
            };
            self.tell(finding, kind);
        };
        for finding in &done.findings {
            let is_loss = finding.code.weight() != Weight::Repair;
            tell(finding.code.as_str(), finding.code.text().to_owned(), Some(finding.offset), is_loss);
        }
        if done.findings_left_out > 0 {
            let text = format!("{} more findings of this report are not listed", done.findings_left_out);
            tell("more-findings", text, None, false);
        }
        match done.status {
            ReportStatus::NotAReport => {
                tell("not-a-report", "the XML holds no test suite and no test case".into(), Some(0), false);
            }
            ReportStatus::OtherFormat => {
                let text = "it is no JUnit XML: it makes no documents".to_owned();
                tell("other-format", text, Some(0), false);
            }
            ReportStatus::Read | ReportStatus::Salvaged | ReportStatus::Rejected | ReportStatus::NoReport => {
            }
        }
        if let Some(why) = &done.without_documents {
            tell("other-format", why.clone(), Some(0), false);
        }
        self.has_stranger |= done.status == ReportStatus::NotAReport;
        for defect in &done.defects {
            self.defect(artifact, &defect.clone().of(&done.path), Some(done.cases));
        }
    }

    /// Keeps a finding, as long as there are not too many of its kind.
    pub(crate) fn tell(&mut self, finding: LedgerFinding, kind: FindingKind) {
        let (told, most) = match kind {
            FindingKind::Note => (&mut self.told.0, FINDINGS_KEPT),
            FindingKind::Loss => (&mut self.told.1, LOSSES_KEPT),
            FindingKind::WholeArtifact => (&mut self.told.2, LOSSES_KEPT),
        };
        if *told < most {
            *told += 1;
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Tells how many findings were not kept.
    pub(crate) fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            self.findings.push(LedgerFinding {
                artifact: String::new(),
                entry: None,
                offset: None,
                code: "more-findings".into(),
                text: format!(
                    "{} more findings and miscounting suites of this run are not listed",
                    self.left_out
                ),
                cases_saved: None,
            });
        }
    }

    fn defect(&mut self, artifact: &str, defect: &Defect, cases_saved: Option<u64>) {
        let kind = match &defect.entry {
            _ if defect.code.is_note() => FindingKind::Note,
            Some(_) => FindingKind::Loss,
            None => FindingKind::WholeArtifact,
        };
        let finding = LedgerFinding {
            artifact: artifact.to_owned(),
            entry: defect.entry.clone(),
            offset: defect.offset,
            code: defect.code.as_str().to_owned(),
            text: defect.text.clone(),
            cases_saved,
        };
        self.tell(finding, kind);
    }

    fn failure(&mut self, failure: Failure, job: Option<&str>, artifact: &str) {
        let place = match self.failures_by_message.get(&failure.message) {
            Some(&place) => place,
            None if self.failures.len() >= GROUPS_KEPT => {
                self.groups_left_out += 1;
                return;
            }
            None => {
                self.failures_by_message.insert(failure.message.clone(), self.failures.len());
                self.failures.push(FailureGroup {
                    message: failure.message,
                    first_lines: failure.first_lines,
                    ..FailureGroup::default()
                });
                self.failures.len() - 1
            }
        };
        let Some(group) = self.failures.get_mut(place) else { return };
        group.cases += failure.cases;
        for mut example in failure.examples {
            if group.examples.len() >= EXAMPLES_KEPT {
                break;
            }
            example.job_id = job.and_then(|job| job.parse().ok());
            artifact.clone_into(&mut example.artifact);
            group.examples.push(example);
        }
    }

    fn exclusions(&mut self, done: ExclusionsDone) {
        let Some(current) = &mut self.current else { return };
        let artifact = current.ledger.name.clone();
        if self.additional.is_some() {
            self.places.push((current.index, done.path.as_str().into()));
        }
        let is_whole = done.wrong.is_none() && done.defect.is_none();
        current.has_some |= is_whole || !done.test_files.is_empty();
        if !is_whole {
            current.broken += 1;
            self.is_partial = true;
        }
        if let Some(additional) = &mut self.additional {
            additional.exclude(&current.build, &current.config, done.test_files);
        }
        if let Some((code, offset, text)) = done.wrong {
            let code = code.to_owned();
            let entry = Some(done.path.clone());
            let artifact = artifact.clone();
            let finding = LedgerFinding { artifact, entry, offset, code, text, cases_saved: None };
            self.tell(finding, FindingKind::Loss);
        }
        if let Some(defect) = done.defect {
            self.defect(&artifact, &defect.of(&done.path), None);
        }
    }

    /// Returns what a person wants to know first.
    pub(crate) fn run_summary(&mut self) -> RunSummary {
        let mut failures = std::mem::take(&mut self.failures);
        // stable: groups of one size stay in the order of the input
        failures.sort_by_key(|group| std::cmp::Reverse(group.cases));
        RunSummary {
            jobs: self.jobs_with_report.len() as u64,
            seconds: self.seconds,
            failures,
            groups_left_out: self.groups_left_out,
        }
    }

    /// Returns what is known of test jobs: whether a name is one's.
    pub(crate) fn job_names(&self) -> (&JobNames, &JobNamePattern) {
        (&self.job_names, &self.pattern)
    }
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ArchiveCode;
    use crate::output::gzip::Level;

    #[test]
    fn notes_and_losses_of_reports_do_not_crowd_out_those_of_whole_artifacts() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let key = "failed_test_runs/1/1".to_owned();
        let work = (Level::default(), std::num::NonZeroUsize::MIN);
        let failed = CollectionObject::begin(runtime.handle(), None, "failed_test_runs", key, work).unwrap();
        let mut fold = Fold::new(None, failed, None, JobNames::new(), SharedKeys::default());
        let ledger = LedgerArtifact {
            name: "a".to_owned(),
            source: "s".to_owned(),
            bytes: None,
            status: ArtifactStatus::Read,
            reason: None,
        };
        let note = Defect::new(ArchiveCode::EntryPath, 7, "odd").of("x");
        let loss = Defect::new(ArchiveCode::EntryBroken, 7, "broken").of("x");
        let mut defects = vec![note; FINDINGS_KEPT + 1];
        defects.extend(vec![loss; LOSSES_KEPT + 1]);
        defects.push(Defect::new(ArchiveCode::ArchiveCutOff, 7, "cut off"));
        fold.begin(0, None, ledger, &defects);
        let count = |code: &str| fold.findings.iter().filter(|finding| finding.code == code).count();
        assert_eq!(count("entry-path"), FINDINGS_KEPT);
        assert_eq!(count("entry-broken"), LOSSES_KEPT);
        assert_eq!((count("archive-cut-off"), fold.left_out), (1, 2));
    }
}
