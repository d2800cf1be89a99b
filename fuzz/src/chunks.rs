//! A report in pieces is read as it is read whole.
//!
//! Under `cfg(fuzzing)` a [`ReportReader`] begins to read long before it would otherwise, so that small inputs are enough.

use std::hash::{DefaultHasher, Hash, Hasher};

use libfuzzer_sys::Corpus;
use testlake_report::{Case, Finding, FindingCode, Limits, Reading, ReportReader, Visitor, read};

use crate::mutate::Random;
use crate::report::Checker;

/// Reads a report whole and in pieces; panics where the two differ.
pub fn check(raw: &[u8]) -> Corpus {
    let few = [usize::MAX, 1000, 100][raw.len() % 3];
    let limits = Limits {
        whole_bytes: 0,
        window_bytes: few.min(Limits::default().window_bytes),
        case_bytes: few.min(Limits::default().case_bytes),
        findings: usize::MAX,
        ..Limits::default()
    };
    let mut whole = Told::new(raw, limits);
    let whole_reading = read(raw, limits, &mut whole);
    let mut hasher = DefaultHasher::new();
    raw.hash(&mut hasher);
    let mut random = Random(hasher.finish() | 1);
    let mut pieces = Told::new(raw, limits);
    let mut reader = ReportReader::new(limits, &mut pieces);
    // the format is found from what is held at first
    let mut head = raw.len().min([300, 2000, 20_000][random.below(3)]);
    let most = [3, 40, 1000][random.below(3)];
    let mut rest = raw;
    while !rest.is_empty() {
        let (piece, after) =
            rest.split_at(std::mem::take(&mut head).max(1 + random.below(most)).min(rest.len()));
        reader.feed(piece);
        rest = after;
    }
    let pieces_reading = reader.finish();
    whole.checker.finish(whole_reading);
    pieces.checker.finish(pieces_reading);
    if !whole.is_like(&pieces, whole_reading, pieces_reading) {
        return Corpus::Reject;
    }
    assert_eq!(whole_reading, pieces_reading);
    assert_eq!(whole.cases, pieces.cases);
    // those of the encoding come first where it is read whole
    whole.findings.sort();
    pieces.findings.sort();
    assert_eq!(whole.findings, pieces.findings);
    Corpus::Keep
}

/// What is told, as text.
struct Told {
    checker: Checker,
    /// Whether places are the same in the text as in the report.
    has_places: bool,
    is_behind_other: bool,
    cases: Vec<String>,
    findings: Vec<String>,
}

impl Told {
    fn new(raw: &[u8], limits: Limits) -> Self {
        let has_places =
            std::str::from_utf8(raw).is_ok_and(|text| text.is_ascii() || !text.contains("encoding"));
        // behind a mark of another encoding the text is longer than the report
        let len = if has_places { raw.len() } else { raw.len() * 4 + 16 };
        Self {
            checker: Checker::new(len, limits),
            has_places,
            is_behind_other: false,
            cases: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Reports whether the two can be compared: where the format was found at different places they cannot, as what is held
    /// at first is all that it is found by.
    fn is_like(&self, other: &Self, own_reading: Reading, other_reading: Reading) -> bool {
        own_reading.format.is_some()
            && own_reading.format == other_reading.format
            && !self.is_behind_other
            && !other.is_behind_other
    }
}

impl Visitor for Told {
    fn case(&mut self, case: &Case<'_>) {
        self.checker.case(case);
        let mut case = case.clone();
        if !self.has_places {
            case.offset = 0;
        }
        self.cases.push(format!("{case:?}"));
    }

    fn finding(&mut self, finding: Finding) {
        self.checker.finding(finding);
        self.is_behind_other |= finding.code == FindingCode::OtherOutput && finding.offset < 4;
        // told for each chunk, as far as they are read
        if matches!(finding.code, FindingCode::InvalidEncoding | FindingCode::ForbiddenCharacter) {
            return;
        }
        let place = if self.has_places { finding.offset } else { 0 };
        self.findings.push(format!("{} at {place}", finding.code));
    }
}
