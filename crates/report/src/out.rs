//! Where readers put what they find: counted, capped, and with places in the report as it came.

use crate::finding::{Finding, FindingCode};
use crate::format::detect::head_of;
use crate::identity::Keys;
use crate::limits::Limits;
use crate::model::{Case, Text};
use crate::reader::Options;
use crate::scan::encoding::Decoded;
use crate::scan::stream::StreamOffsets;
use crate::seen::Seen;

/// Receives what a report holds, in its order.
pub trait Visitor {
    /// A case, whole.
    fn case(&mut self, case: &Case<'_>);
    /// A defect that reading survived, or that ended it.
    fn finding(&mut self, finding: Finding);
    /// What the report says of the finding told last, in one line: of a failure outside any case, why.
    fn about(&mut self, _finding: Finding, _text: &str) {}
}

/// The longest line that is told about a finding, in bytes.
const ABOUT_BYTES: usize = 300;

/// Returns what is told of a text about a finding: its first line that is not blank, or as much of it as is told.
pub(crate) fn about(text: &str) -> &str {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.get(..line.floor_char_boundary(ABOUT_BYTES)).unwrap_or_default()
}

/// How places in the text become offsets in the report.
#[derive(Debug)]
pub(crate) enum Places<'report> {
    /// The report was read whole.
    Whole(OffsetCursor<'report>),
    /// The report comes in chunks.
    Chunks(StreamOffsets),
}

/// Makes places in a text offsets in the report; one behind the other costs one way through it, and one before it no
/// more than [`MARK_BYTES`].
#[derive(Debug)]
pub(crate) struct OffsetCursor<'report> {
    decoded: &'report Decoded<'report>,
    /// How far all offsets are behind their places, where that is the same.
    shift: Option<u64>,
    /// Places and their offsets on the way, the last of them where it stands.
    marks: Vec<(usize, u64)>,
    place: usize,
    offset: u64,
}

/// Bytes of text between two places of which the offset is kept. 1 KiB: about a case, which may be told behind what is in it.
const MARK_BYTES: usize = 1 << 10;

impl<'report> OffsetCursor<'report> {
    pub(crate) fn new(decoded: &'report Decoded<'report>) -> Self {
        let offset = decoded.offset_in_raw(0);
        Self { decoded, shift: decoded.shift(), marks: vec![(0, offset)], place: 0, offset }
    }

    #[inline]
    fn offset(&mut self, place: u64) -> u64 {
        match self.shift {
            Some(shift) => shift + place.min(self.decoded.text.len() as u64),
            None => self.find_offset(place),
        }
    }

    fn find_offset(&mut self, place: u64) -> u64 {
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.decoded.text.len());
        if place < self.place {
            let behind = self.marks.partition_point(|&(mark, _)| mark <= place);
            (self.place, self.offset) = self.marks.get(behind.saturating_sub(1)).copied().unwrap_or_default();
        }
        while place - self.place > MARK_BYTES {
            self.step(self.boundary(self.place + MARK_BYTES).min(place));
            if self.marks.last().is_some_and(|&(mark, _)| mark < self.place) {
                self.marks.push((self.place, self.offset));
            }
        }
        self.step(place);
        self.offset
    }

    fn step(&mut self, place: usize) {
        self.offset = self.decoded.offset_from(self.place, self.offset, place);
        self.place = place;
    }

    /// Returns the place of the next character, where one is cut there.
    fn boundary(&self, place: usize) -> usize {
        let rest = self.decoded.text.get(place..).unwrap_or_default();
        place + rest.iter().take_while(|&byte| byte & 0xC0 == 0x80).count()
    }
}

/// What readers put cases and findings into.
pub(crate) struct Out<'report> {
    visitor: &'report mut dyn Visitor,
    places: Places<'report>,
    pub(crate) limits: Limits,
    keys: Keys,
    pub(crate) cases: u64,
    findings: usize,
    pub(crate) findings_left_out: u64,
    /// The report itself says that it is to hold no case.
    pub(crate) plans_none: bool,
    /// How many cases of each identity there were.
    seen: Seen,
}

impl<'report> Out<'report> {
    pub(crate) fn new(visitor: &'report mut dyn Visitor, options: Options, places: Places<'report>) -> Self {
        let Options { limits, fold } = options;
        let bytes = match &places {
            Places::Whole(cursor) => cursor.decoded.text.len(),
            Places::Chunks(_) => 0,
        };
        let seen = Seen::new(bytes);
        Self {
            visitor,
            places,
            limits,
            keys: Keys::new(fold, seen.seed),
            cases: 0,
            findings: 0,
            findings_left_out: 0,
            plans_none: false,
            seen,
        }
    }

    /// A case, with places in the text.
    pub(crate) fn case(&mut self, mut case: Case<'_>) {
        self.tell(&mut case);
    }

    /// Does so with one that the reader has more to do with.
    pub(crate) fn tell(&mut self, case: &mut Case<'_>) {
        self.cases += 1;
        self.cap_path(case);
        if case.tries.len() == 1 {
            // the one that the case itself tells of
            case.tries.clear();
        }
        case.ordinal = self.ordinal(case);
        if case.ordinal > 0 {
            self.finding(FindingCode::RepeatedCase, case.offset);
        }
        if case.name.is_none() {
            self.finding(FindingCode::MissingName, case.offset);
        }
        case.offset = self.offset(case.offset);
        self.visitor.case(case);
    }

    /// Cuts the names of the suites and the file, which any number of cases may have in common, to what the limit allows.
    /// Readers call it before they make copies of them.
    #[inline]
    pub(crate) fn cap_path(&mut self, case: &mut Case<'_>) {
        let bytes = case
            .suite
            .iter()
            .fold(case.file.as_deref().map_or(0, str::len), |bytes, name| bytes + name.len());
        if bytes > self.limits.path_bytes {
            self.cut_path(case);
        }
    }

    #[cold]
    fn cut_path(&mut self, case: &mut Case<'_>) {
        let mut room = self.limits.path_bytes;
        let mut is_cut = false;
        for text in case.file.iter_mut().chain(&mut case.suite) {
            if text.len() > room {
                is_cut = true;
                cut(text, room);
            }
            room -= text.len();
        }
        if is_cut {
            case.suite.retain(|name| !name.is_empty());
            self.finding(FindingCode::PathTooLong, case.offset);
        }
    }

    /// A count of cases that the report gives, of those told since there were `before` of them.
    pub(crate) fn count(&mut self, given: Option<i64>, before: u64, place: u64) {
        if given.is_some_and(|given| u64::try_from(given).ok() != Some(self.cases - before)) {
            self.finding(FindingCode::CountMismatch, place);
        }
    }

    #[inline]
    fn ordinal(&mut self, case: &Case<'_>) -> u32 {
        let known = self.seen.len();
        let key = self.keys.of(case);
        let ordinal = self.seen.count(key, known < self.limits.compared_cases);
        if self.seen.len() > known && self.seen.len() == self.limits.compared_cases {
            self.finding(FindingCode::CasesNotCompared, case.offset);
        }
        ordinal
    }

    /// A defect at a place in the text.
    pub(crate) fn finding(&mut self, code: FindingCode, place: u64) {
        if self.may_tell(code) {
            let offset = self.offset(place);
            self.visitor.finding(Finding { code, offset });
        }
    }

    /// A failure outside any case, at a place in the text, and what the report says of it.
    #[expect(clippy::needless_pass_by_value, reason = "readers hand over what they read for it")]
    pub(crate) fn failure_outside(&mut self, place: u64, says: Option<impl AsRef<str>>) {
        if !self.may_tell(FindingCode::FailureOutsideCase) {
            return;
        }
        let finding = Finding { code: FindingCode::FailureOutsideCase, offset: self.offset(place) };
        self.visitor.finding(finding);
        let says = about(says.as_ref().map(AsRef::as_ref).unwrap_or_default());
        if !says.is_empty() {
            self.visitor.about(finding, says);
        }
    }

    /// A defect at an offset in the report.
    pub(crate) fn finding_in_raw(&mut self, finding: Finding) {
        if self.may_tell(finding.code) {
            self.visitor.finding(finding);
        }
    }

    /// The report has been read: one of which nothing was told, no case and no finding, is told to hold none.
    pub(crate) fn tell_if_silent(&mut self) {
        if self.cases == 0 && self.findings == 0 && self.findings_left_out == 0 && !self.plans_none {
            self.finding_in_raw(Finding { code: FindingCode::NoCases, offset: 0 });
        }
    }

    /// Counts a finding; reports whether it is to be told.
    fn may_tell(&mut self, code: FindingCode) -> bool {
        use crate::finding::Weight;
        // what ends reading is always told
        let is_told = self.findings < self.limits.findings || code.weight() == Weight::Stop;
        if is_told {
            self.findings += 1;
        } else {
            self.findings_left_out += 1;
        }
        is_told
    }

    /// Exchanges what is known of the offsets of a report that comes in chunks: its decoder adds to them.
    pub(crate) fn swap_offsets(&mut self, other: &mut StreamOffsets) {
        if let Places::Chunks(offsets) = &mut self.places {
            std::mem::swap(offsets, other);
        }
    }

    #[inline]
    fn offset(&mut self, place: u64) -> u64 {
        match &mut self.places {
            Places::Whole(cursor) => cursor.offset(place),
            Places::Chunks(offsets) => offsets.offset(place),
        }
    }
}

/// Cuts a text to so many bytes, or up to three fewer, so that no character is cut.
pub(crate) fn cut(text: &mut Text<'_>, bytes: usize) {
    match text {
        Text::Borrowed(text) => *text = head_of(text, bytes),
        Text::Owned(text) => text.truncate(head_of(text, bytes).len()),
    }
}
