//! One pass over one report: what each case adds to the documents, the sums and the reruns.

use std::collections::BTreeMap;

use testlake_report::finding::Weight;
use testlake_report::scan::xml::{Attribute, XmlScanner};
use testlake_report::{Finding, FindingCode, Limits};

use super::first_sight::{Identity, ReportSights};
use super::pass::PassSink;
use super::rows::{RowKey, Rows};
use super::summary::{SharedKeys, add_seconds};
use crate::plan::FailedCase;
use crate::profile::case::{CaseReader, CaseSink, CaseTree, EmptyCase, Node};
use crate::profile::document::{DocumentWriter, Form, Stamp};
use crate::profile::facts::{CaseFacts, Key, NO_NAME, Outcome};
use crate::profile::known::KnownNames;
use crate::profile::number;

/// What a report is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The documents of all cases.
    pub(crate) full: bool,
    /// What `additional_info` is made of: distinct cases and reruns.
    pub(crate) additional: bool,
}

/// What cases of one report that belong to one of its rows add up to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowSum {
    /// Which of the report's rows.
    pub(crate) row: u32,
    /// How many cases there are of each outcome, in the order of [`Outcome`].
    pub(crate) counts: [u32; 4],
    /// The seconds that they took, added in their order; a case without a time that is a number adds 0.0.
    pub(crate) seconds: f64,
}

/// The sums of a report's rows, as far as they wait to be handed on.
#[derive(Debug, Default)]
pub(crate) struct RowSums {
    sums: Vec<RowSum>,
    /// For each row where its sum stands, if it does: what stands there says whose it is.
    places: Vec<u32>,
    /// Cases in them.
    cases: u64,
}

impl RowSums {
    /// Adds a case.
    #[inline]
    fn add(&mut self, row: u32, outcome: Outcome, seconds: f64) {
        self.cases += 1;
        let index = row as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, 0);
        }
        let place = self.places.get(index).copied().unwrap_or_default() as usize;
        match self.sums.get_mut(place) {
            Some(sum) if sum.row == row => sum.add(outcome, seconds),
            _ => {
                if let Some(place) = self.places.get_mut(index) {
                    *place = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
                }
                let mut sum = RowSum { row, counts: [0; 4], seconds: 0.0 };
                sum.add(outcome, seconds);
                self.sums.push(sum);
            }
        }
    }

    /// Returns how many cases they are of.
    pub(crate) fn cases(&self) -> u64 {
        self.cases
    }

    /// Takes them.
    pub(crate) fn take(&mut self) -> Vec<RowSum> {
        self.cases = 0;
        std::mem::take(&mut self.sums)
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RowSum> {
        self.sums.iter()
    }

    fn clear(&mut self) {
        self.sums.clear();
        self.places.clear();
        self.cases = 0;
    }
}

impl RowSum {
    #[inline]
    fn add(&mut self, outcome: Outcome, seconds: f64) {
        if let Some(count) = self.counts.get_mut(outcome as usize) {
            *count = count.saturating_add(1);
        }
        self.seconds = add_seconds(self.seconds, seconds);
    }
}

/// A case that stands more than once in its report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeat {
    pub(crate) first: u32,
    pub(crate) ordinal: u32,
    pub(crate) row: u32,
}

/// Failures of one message in one report.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) first_lines: Vec<String>,
    pub(crate) cases: u64,
    pub(crate) examples: Vec<FailedCase>,
}

/// A suite that declares another number of cases than it holds.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) suite: String,
    pub(crate) declared: u64,
    pub(crate) held: u64,
}

/// Failure groups kept of one report; the rest are counted.
const FAILURES_KEPT: usize = 64;
/// Examples kept of one failure group of one report.
const EXAMPLES_KEPT: usize = 3;
/// Suites kept of one report whose declared count is not right.
const DECLARED_KEPT: usize = 100;

/// Lines that wait: their bytes and their number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    full: (usize, u64),
    failed: (usize, u64),
}

/// Gathers what a report's cases add.
#[derive(Debug)]
pub(crate) struct ReportSink {
    pub(crate) wanted: Wanted,
    limits: Limits,
    pub(crate) stamp: Stamp,
    /// Where the window begins in the report.
    window_start: u64,
    /// Whether the places of cases stay valid: the report is in memory.
    pub(crate) keeps_places: bool,
    writer: DocumentWriter,
    known: KnownNames,
    decoded: Vec<u8>,
    key: Vec<u8>,

    /// Lines of `test_run`, of this report and those before it in the unit.
    pub(crate) full: Vec<u8>,
    pub(crate) full_rows: u64,
    /// Lines of `failed_test_runs`, likewise.
    pub(crate) failed: Vec<u8>,
    pub(crate) failed_rows: u64,
    /// Rows that are new since they were last taken.
    pub(crate) new_rows: Vec<RowKey>,
    pub(crate) sums: RowSums,

    rows: Rows,
    pub(crate) sights: ReportSights,
    /// First and repeated ordinal of each case seen again, and its row.
    repeated: Vec<(u32, u32, u32)>,
    /// First ordinal and place in the report of each outermost case, while the report is one window.
    trees: Vec<(u32, u32)>,
    pub(crate) ordinal: u32,
    pub(crate) rerun_cases: u64,

    pub(crate) findings: Vec<Finding>,
    pub(crate) findings_left_out: u64,
    /// How many findings were kept and left out when all was settled last.
    settled_findings: (usize, u64),
    /// Whether a case was left out.
    pub(crate) has_loss: bool,
    pub(crate) declared: Vec<Declared>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) failures_left_out: u64,
}

impl ReportSink {
    pub(crate) fn new(wanted: Wanted, limits: Limits, keys: SharedKeys) -> Self {
        Self {
            wanted,
            limits,
            stamp: Stamp::default(),
            window_start: 0,
            keeps_places: false,
            writer: DocumentWriter::default(),
            known: KnownNames::default(),
            decoded: Vec::new(),
            key: Vec::new(),
            full: Vec::new(),
            full_rows: 0,
            failed: Vec::new(),
            failed_rows: 0,
            new_rows: Vec::new(),
            sums: RowSums::default(),
            rows: Rows::new(keys),
            sights: ReportSights::default(),
            repeated: Vec::new(),
            trees: Vec::new(),
            ordinal: 0,
            rerun_cases: 0,
            findings: Vec::new(),
            findings_left_out: 0,
            settled_findings: (0, 0),
            has_loss: false,
            declared: Vec::new(),
            failures: Vec::new(),
            failures_left_out: 0,
        }
    }

    /// Makes the sink ready for another report, of about so many cases. Lines stay until they are taken.
    pub(crate) fn begin(&mut self, stamp: Stamp, expected: usize) {
        self.stamp = stamp;
        self.window_start = 0;
        self.new_rows.clear();
        self.sums.clear();
        self.rows.begin();
        self.sights.begin(if self.wanted.additional { expected } else { 0 });
        self.repeated.clear();
        self.trees.clear();
        self.ordinal = 0;
        self.rerun_cases = 0;
        self.findings.clear();
        self.findings_left_out = 0;
        self.settled_findings = (0, 0);
        self.has_loss = false;
        self.declared.clear();
        self.failures.clear();
        self.failures_left_out = 0;
    }

    /// Returns how many lines wait, and of how many bytes.
    pub(crate) fn lines(&self) -> Lines {
        Lines { full: (self.full.len(), self.full_rows), failed: (self.failed.len(), self.failed_rows) }
    }

    /// Takes over the lines of a sink that is given up, as far as they waited when `lines` was taken.
    pub(crate) fn take_over(&mut self, mut other: Self, lines: &Lines) {
        // what was handed on since then is on its way already
        if other.full.len() >= lines.full.0 {
            other.full.truncate(lines.full.0);
            (self.full, self.full_rows) = (other.full, lines.full.1);
        }
        if other.failed.len() >= lines.failed.0 {
            other.failed.truncate(lines.failed.0);
            (self.failed, self.failed_rows) = (other.failed, lines.failed.1);
        }
    }

    /// Adds a finding.
    pub(crate) fn tell(&mut self, finding: Finding) {
        self.has_loss |= finding.code.weight() == Weight::Loss;
        if self.findings.len() >= self.limits.findings {
            self.findings_left_out += 1;
        } else {
            self.findings.push(finding);
        }
    }

    #[inline]
    fn case(&mut self, window: &[u8], tree: &CaseTree, case: &Node) {
        let facts = CaseFacts::of(window, tree, case, &mut self.known, &mut self.decoded);
        self.rerun_cases += u64::from(facts.is_rerun);
        if self.wanted.full {
            let start = self.full.len();
            self.writer.write_line(window, tree, case, &mut self.known, &self.stamp, &mut self.full);
            self.full_rows += 1;
            if facts.is_failed_run() {
                self.failed.extend_from_slice(self.full.get(start..).unwrap_or_default());
                self.failed_rows += 1;
            }
        } else if facts.is_failed_run() {
            self.writer.write_line(window, tree, case, &mut self.known, &self.stamp, &mut self.failed);
            self.failed_rows += 1;
        }
        if matches!(facts.outcome, Outcome::Failed | Outcome::Errored) {
            self.failure(window, tree, &facts);
        }
        self.count(window, &facts);
    }

    /// Adds a case to the sums and the first sights.
    #[inline]
    fn count(&mut self, window: &[u8], facts: &CaseFacts) {
        let row = self.rows.row(window, facts.file.as_ref(), facts.class.as_ref(), &mut self.new_rows);
        self.sums.add(row.row, facts.outcome, facts.time.unwrap_or(0.0));
        if self.wanted.additional {
            let identity = self.identity(window, facts.name.as_ref(), row.class_hash);
            if let Some(first) = self.sights.see(identity, self.ordinal) {
                self.repeated.push((first, self.ordinal, row.row));
            }
        }
        self.ordinal = self.ordinal.saturating_add(1);
    }

    /// Returns what a case of a class is known by.
    #[inline]
    fn identity(&mut self, window: &[u8], name: Option<&Attribute>, class: u64) -> Identity {
        // numbers, and what is absent, are not the texts that they are written as
        const NO_TEXT: u64 = 1 << 63;
        self.key.clear();
        match name {
            None => Identity::new(class, NO_NAME.as_bytes()),
            Some(name) => {
                let value = DocumentWriter::value(&mut self.decoded, window, name);
                match number::parse_float(value) {
                    Some(number) => {
                        Key::Number(number).write_canonical(&mut self.key);
                        Identity::new(class ^ NO_TEXT, &self.key)
                    }
                    None => Identity::new(class, value),
                }
            }
        }
    }

    /// Notes where an outermost case stands.
    #[inline]
    fn note_place(&mut self, at: u32) {
        if self.wanted.additional
            && self.keeps_places
            && let Ok(place) = u32::try_from(self.window_start + u64::from(at))
        {
            self.trees.push((self.ordinal, place));
        }
    }

    #[cold]
    fn failure(&mut self, window: &[u8], tree: &CaseTree, facts: &CaseFacts) {
        let told = super::failure::message(window, tree, facts);
        let group = match self.failures.iter_mut().position(|group| group.message == told.message) {
            Some(place) => self.failures.get_mut(place),
            None if self.failures.len() >= FAILURES_KEPT => {
                self.failures_left_out += 1;
                None
            }
            None => {
                let first_lines = told.first_lines;
                self.failures.push(Failure {
                    message: told.message,
                    first_lines,
                    cases: 0,
                    examples: Vec::new(),
                });
                self.failures.last_mut()
            }
        };
        if let Some(group) = group {
            group.cases += 1;
            if group.examples.len() < EXAMPLES_KEPT {
                let mut text = |attribute: Option<&Attribute>| {
                    let value = DocumentWriter::value(&mut self.decoded, window, attribute?);
                    Some(String::from_utf8_lossy(value).into_owned())
                };
                group.examples.push(FailedCase {
                    file: text(facts.file.as_ref()),
                    class: text(facts.class.as_ref()),
                    name: text(facts.name.as_ref()),
                    ..FailedCase::default()
                });
            }
        }
    }

    /// Returns the cases that stand more than once in the report, sorted by their number.
    pub(crate) fn repeats(&self) -> Vec<Repeat> {
        let mut all: Vec<Repeat> = Vec::new();
        for &(first, ordinal, row) in &self.repeated {
            all.push(Repeat { first, ordinal: first, row });
            all.push(Repeat { first, ordinal, row });
        }
        all.sort_unstable_by_key(|repeat| repeat.ordinal);
        all.dedup_by_key(|repeat| repeat.ordinal);
        all
    }

    /// Returns where in the window the outermost case stands that holds the case of this number, as its first ordinal,
    /// its place, and the place where the next begins.
    pub(crate) fn tree_of(&self, ordinal: u32, window: usize) -> Option<(u32, usize, usize)> {
        let next = self.trees.partition_point(|&(first, _)| first <= ordinal);
        let &(first, start) = self.trees.get(next.checked_sub(1)?)?;
        let end = self.trees.get(next).map_or(window, |&(_, start)| start as usize);
        Some((first, start as usize, end))
    }
}

impl CaseSink for ReportSink {
    fn tree(&mut self, window: &[u8], tree: &CaseTree) {
        if tree.document_bytes() > self.limits.case_bytes {
            let at = tree.nodes.first().map_or(0, |case| case.start);
            self.finding(FindingCode::CaseTooLarge, at);
            return;
        }
        if let Some(outermost) = tree.nodes.first() {
            self.note_place(outermost.start);
        }
        for case in tree.cases() {
            self.case(window, tree, case);
        }
    }

    #[inline]
    fn empty(&mut self, case: &EmptyCase<'_>) -> bool {
        let &EmptyCase { window, attributes, .. } = case;
        let (meaning, names) = self.known.of_empty(case);
        if !meaning.is_simple || case.bytes() > self.limits.case_bytes {
            return false;
        }
        if self.wanted.full {
            if !meaning.is_plain {
                return false;
            }
            self.writer.write_empty(window, attributes, names, &self.stamp, &mut self.full);
            self.full_rows += 1;
        }
        let facts = CaseFacts::of_empty(case, &meaning, &mut self.decoded);
        self.note_place(case.start);
        self.count(window, &facts);
        true
    }

    fn finding(&mut self, code: FindingCode, at: u32) {
        self.tell(Finding { code, offset: self.window_start + u64::from(at) });
    }

    #[inline]
    fn mark(&mut self) {
        self.settled_findings = (self.findings.len(), self.findings_left_out);
    }

    fn rollback(&mut self) {
        let (kept, left_out) = self.settled_findings;
        self.findings.truncate(kept);
        self.findings_left_out = left_out;
    }

    fn declared(&mut self, suite: &[u8], declared: u64, found: u64) {
        if self.declared.len() < DECLARED_KEPT {
            let suite = String::from_utf8_lossy(suite).into_owned();
            self.declared.push(Declared { suite, declared, held: found });
        }
    }
}

impl PassSink for ReportSink {
    fn window(&mut self, start: u64) {
        self.window_start = start;
    }

    fn tell(&mut self, finding: Finding) {
        Self::tell(self, finding);
    }
}

/// Writes documents of the reruns for cases of one report that are asked for by number.
#[derive(Debug)]
pub(crate) struct RepeatSink<'ask> {
    stamp: &'ask Stamp,
    limits: Limits,
    /// The numbers asked for, sorted.
    asked: &'ask [u32],
    ordinal: u32,
    writer: DocumentWriter,
    known: KnownNames,
    decoded: Vec<u8>,
    pub(crate) found: Vec<FoundCase>,
}

/// A case that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct FoundCase {
    pub(crate) ordinal: u32,
    pub(crate) class: Key,
    /// Its name, as the key of a JSON object.
    pub(crate) name: Vec<u8>,
    pub(crate) document: Vec<u8>,
}

impl<'ask> RepeatSink<'ask> {
    /// Makes a sink that begins to count at `ordinal`.
    pub(crate) fn new(stamp: &'ask Stamp, limits: Limits, asked: &'ask [u32], ordinal: u32) -> Self {
        let (writer, known, decoded) = (DocumentWriter::default(), KnownNames::default(), Vec::new());
        Self { stamp, limits, asked, ordinal, writer, known, decoded, found: Vec::new() }
    }
}

impl CaseSink for RepeatSink<'_> {
    fn tree(&mut self, window: &[u8], tree: &CaseTree) {
        if tree.document_bytes() > self.limits.case_bytes {
            return;
        }
        for case in tree.cases() {
            if self.asked.binary_search(&self.ordinal).is_ok() {
                let facts = CaseFacts::of(window, tree, case, &mut self.known, &mut self.decoded);
                let (mut name, mut document) = (Vec::new(), Vec::new());
                Key::of(window, facts.name.as_ref(), &mut self.decoded)
                    .or_text(NO_NAME)
                    .write_name(&mut name);
                self.writer.write(
                    window,
                    tree,
                    case,
                    &mut self.known,
                    (self.stamp, Form::Rerun),
                    &mut document,
                );
                let class = Key::of(window, facts.class.as_ref(), &mut self.decoded);
                self.found.push(FoundCase { ordinal: self.ordinal, class, name, document });
            }
            self.ordinal = self.ordinal.saturating_add(1);
        }
    }

    fn finding(&mut self, _code: FindingCode, _at: u32) {}

    fn declared(&mut self, _suite: &[u8], _declared: u64, _found: u64) {}
}

impl PassSink for RepeatSink<'_> {
    fn window(&mut self, _start: u64) {}

    fn tell(&mut self, _finding: Finding) {}
}

/// Reads cases again out of a report that is one window.
pub(crate) fn read_again(
    window: &[u8],
    sink: &ReportSink,
    repeats: &[Repeat],
    limits: Limits,
) -> Vec<FoundCase> {
    let mut found: Vec<FoundCase> = Vec::new();
    let mut scanner = XmlScanner::new(limits);
    // each outermost case is read once, however many of the cases in it are asked for
    let mut trees: BTreeMap<(u32, usize, usize), Vec<u32>> = BTreeMap::new();
    for &Repeat { ordinal, .. } in repeats {
        if let Some(tree) = sink.tree_of(ordinal, window.len()) {
            trees.entry(tree).or_default().push(ordinal);
        }
    }
    for ((first, start, end), asked) in trees {
        let Some(part) = window.get(start..end) else { continue };
        scanner.begin_inside();
        let mut reader = CaseReader::new(RepeatSink::new(&sink.stamp, limits, &asked, first), &limits);
        scanner.feed(part, true, &mut reader);
        reader.finish(part);
        found.append(&mut reader.sink.found);
    }
    found
}
