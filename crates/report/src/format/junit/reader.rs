//! Suites, and the tree of one case after the other.

use std::borrow::Cow;

use super::case::{self, Kept};
use super::frame::{Around, Counts, Frame};
use super::held::Held;
use super::trouble::Only;
use crate::finding::FindingCode;
use crate::format::Format;
use crate::format::detect::Roots;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::reference::{check_references, read_attribute, read_cdata, read_text};
use crate::scan::xml::tree::{Element, Tag, XmlTree};
use crate::scan::xml::{Span, StartTag, Text as XmlText, TextKind, XmlVisitor};

/// What is known between windows.
#[derive(Debug, Default)]
pub(crate) struct JunitState {
    frames: Vec<Frame>,
    /// What they say of the cases inside them.
    around: Around,
    /// The case that is open.
    tree: XmlTree,
    /// Findings inside the open case: they are told again when it is shown again.
    findings: Vec<(FindingCode, u64)>,
    /// Findings inside the open case beyond the limit.
    findings_left_out: u64,
    /// The next case is larger than the limit.
    pass_over_next: bool,
    /// Elements open inside a case that is passed over, itself included.
    passed_over: usize,
    /// Elements open inside the open case, itself included.
    open: usize,
    /// Cases of the open suite that are held back.
    held: Held,
    /// What stands in no suite.
    outside: Counts,
    /// A failure of a suite that is open.
    trouble: Option<Trouble>,
    roots: Roots,
    kept: Kept,
}

/// A failure of a suite.
#[derive(Debug)]
struct Trouble {
    place: u64,
    /// How many elements are open outside any case, itself included.
    depth: usize,
    message: Option<String>,
    kind: Option<String>,
    /// The begin of its text, where it has no message.
    text: Vec<u8>,
}

/// Bytes that are kept of the text of a suite's failure: more than is told of it.
const TROUBLE_BYTES: usize = 4 << 10;

impl JunitState {
    /// Tells a failure of a suite that has ended.
    fn tell_trouble(&mut self, out: &mut Out<'_>) {
        if let Some(Trouble { place, message, kind, text, .. }) = self.trouble.take() {
            let text = String::from_utf8_lossy(&text);
            let text = (!text.trim().is_empty()).then_some(text);
            out.failure_outside(place, message.map(Cow::Owned).or(text).or(kind.map(Cow::Owned)));
        }
    }
}

impl JunitState {
    /// The next case is too large: it is left out.
    pub(crate) fn pass_over_next(&mut self) {
        self.pass_over_next = true;
    }
}

/// Reads a window.
pub(crate) struct JunitReader<'window, 'state, 'report> {
    /// The window that is scanned.
    pub(crate) window: &'window str,
    pub(crate) state: &'state mut JunitState,
    pub(crate) out: &'state mut Out<'report>,
    /// The place of the window's begin in the text.
    pub(crate) base: u64,
}

impl<'window> JunitReader<'window, '_, '_> {
    /// Holds a finding inside a case until the case is whole: it is told again where the window ends before it.
    fn hold(&mut self, code: FindingCode, place: u64) {
        if self.state.findings.len() < self.out.limits.findings {
            self.state.findings.push((code, place));
        } else {
            self.state.findings_left_out += 1;
        }
    }

    /// Tells the findings inside the case.
    fn tell_findings(&mut self) {
        for (code, place) in self.state.findings.drain(..) {
            self.out.finding(code, place);
        }
        self.out.findings_left_out += std::mem::take(&mut self.state.findings_left_out);
    }

    /// Tells what is wrong with the references in a tag's values.
    fn check_attributes(&mut self, tag: &StartTag<'_>) {
        for attribute in tag.attributes.iter().filter(|attribute| attribute.coded) {
            let start = self.base + u64::from(attribute.value.start);
            check_references(attribute.value.of(tag.window), |code, place| {
                let is_inside = self.state.tree.is_open() || tag.name.of(tag.window) == b"testcase";
                let place = start + place as u64;
                if is_inside {
                    self.hold(code, place);
                } else {
                    self.out.finding(code, place);
                }
            });
        }
    }

    fn begin_outside(&mut self, tag: &StartTag<'_>) {
        let place = self.base + u64::from(tag.at);
        let name = tag.name.of(tag.window);
        if self.state.frames.is_empty() {
            self.state.roots.begin(tag, Format::Junit);
        }
        let JunitState { frames, around, .. } = &mut *self.state;
        let frame = Frame::new(tag, self.window, place, frames.last(), around);
        if frame.is_suite {
            self.tell_held();
        } else if matches!(name, b"error" | b"failure")
            && let Some(suite) = self.state.frames.last_mut()
            && suite.is_suite
        {
            suite.own.add_trouble();
            let of = |wanted: &[u8]| {
                let found = tag.attributes.iter().find(|one| one.local.of(tag.window) == wanted)?;
                let mut value = Vec::new();
                read_attribute(found.value.of(tag.window), &mut value);
                String::from_utf8(value).ok().filter(|value| !value.trim().is_empty())
            };
            self.state.tell_trouble(self.out);
            let depth = self.state.frames.len() + 1;
            let (message, kind, text) = (of(b"message"), of(b"type"), Vec::new());
            self.state.trouble = Some(Trouble { place, depth, message, kind, text });
        }
        self.state.frames.push(frame);
    }

    /// Keeps the begin of what a failure of a suite says.
    fn text_outside(&mut self, text: &XmlText<'_>) {
        let Some(trouble) = self.state.trouble.as_mut().filter(|trouble| trouble.message.is_none()) else {
            return;
        };
        let mut raw = text.span.of(text.window);
        if trouble.text.is_empty() {
            raw = raw.trim_ascii_start();
        }
        let room = TROUBLE_BYTES.saturating_sub(trouble.text.len());
        let raw = raw.get(..room).unwrap_or(raw);
        match text.kind {
            TextKind::Parsed => read_text(raw, &mut trouble.text),
            TextKind::CData | TextKind::Literal => read_cdata(raw, &mut trouble.text),
        }
    }

    fn end_outside(&mut self, is_closed: bool) {
        if self.state.frames.last().is_some_and(|frame| frame.is_suite) {
            self.tell_held();
        }
        if self.state.trouble.as_ref().is_some_and(|trouble| trouble.depth >= self.state.frames.len()) {
            self.state.tell_trouble(self.out);
        }
        let Some(frame) = self.state.frames.pop() else { return };
        self.state.around.end(&frame);
        if is_closed && frame.is_miscounted() {
            self.out.finding(FindingCode::CountMismatch, frame.place);
        }
        if let Some(outer) = self.state.frames.last_mut() {
            outer.take_in(&frame);
        }
    }

    /// Tells the cases that were held back.
    fn tell_held(&mut self) {
        let state = &mut *self.state;
        let counts = state.frames.last_mut().map_or(&mut state.outside, |frame| &mut frame.own);
        state.held.tell(counts, self.out);
    }

    /// The case, or what there is of one, has been read.
    fn end_case(&mut self) {
        self.tell_findings();
        self.tell_tree(FindingCode::CutCase);
        self.state.tree.clear();
        self.state.open = 0;
    }

    /// Tells the whole cases of the tree, and of each that is not whole why it is left out.
    fn tell_tree(&mut self, not_whole: FindingCode) {
        let JunitState { frames, around, tree, held, outside, kept, .. } = &mut *self.state;
        let mut inside = Inside {
            around,
            between: Vec::new(),
            held,
            kept,
            counts: frames.last().map_or(*outside, |frame| frame.own),
            not_whole,
            out: self.out,
        };
        for root in tree.roots(self.window, self.base) {
            inside.tell(root);
        }
        let counts = inside.counts;
        *frames.last_mut().map_or(outside, |frame| &mut frame.own) = counts;
    }

    /// Reports whether a case that comes now stands in a suite, and there is nothing else to be thought of.
    #[inline]
    fn is_before_plain(&self) -> bool {
        let state = &*self.state;
        !(state.tree.is_open() || state.passed_over > 0 || state.pass_over_next || state.frames.is_empty())
    }

    /// Tells a case in which nothing stands, or only this one element, as the tree of it would be told.
    #[inline]
    fn tell_plain(&mut self, tag: &StartTag<'_>, only: Option<Only<'_>>) {
        let tag = self.in_window(tag);
        let JunitState { frames, around, held, outside, kept, .. } = &mut *self.state;
        let mut case = case::read_plain(tag, only, around, kept, self.out);
        let counts = frames.last_mut().map_or(outside, |frame| &mut frame.own);
        held.take(&mut case, around.repeats_are_tries(), counts, self.out);
        kept.take_back(case.suite);
    }

    #[inline]
    fn in_window<'xml>(&self, tag: &StartTag<'xml>) -> Tag<'xml>
    where
        'window: 'xml,
    {
        Tag {
            window: self.window,
            attributes: tag.attributes,
            shape: tag.shape,
            offset: self.base + u64::from(tag.at),
        }
    }

    /// The report has ended; the window is the last.
    pub(crate) fn finish(mut self) {
        if !self.state.tree.is_empty() {
            self.end_case();
        }
        self.state.tell_trouble(self.out);
        self.tell_held();
    }

    /// The open case takes more memory than it may: the whole cases inside it are told, as one whose end is missing holds
    /// all that follow.
    fn pass_over_if_too_large(&mut self) {
        if self.state.tree.bytes() > self.out.limits.case_bytes {
            self.tell_findings();
            self.tell_tree(FindingCode::CaseTooLarge);
            self.pass_over();
        }
    }

    /// Leaves out the open case.
    fn pass_over(&mut self) {
        self.state.tree.clear();
        self.tell_findings();
        self.state.passed_over += std::mem::take(&mut self.state.open);
    }
}

/// What a case is told with.
struct Inside<'xml, 'state, 'report> {
    around: &'xml Around,
    /// The names of suites inside the case.
    between: Vec<Text<'xml>>,
    held: &'state mut Held,
    kept: &'state mut Kept,
    counts: Counts,
    /// What is told of a case that is not whole.
    not_whole: FindingCode,
    out: &'state mut Out<'report>,
}

impl<'xml> Inside<'xml, '_, '_> {
    /// Reads and tells the case, then those inside it at any depth: one after the other, as each may have all that is inside
    /// it in its texts.
    fn tell(&mut self, element: Element<'xml>) {
        let is_suite = element.is("testsuite");
        if is_suite {
            self.between.push(element.filled("name").unwrap_or_default());
        } else if element.is("testcase") {
            if element.is_whole() {
                let mut case = Case::new(Outcome::Passed, element.offset());
                case::read(element, self.around, &mut case, self.kept, self.out);
                case.suite.extend(self.between.iter().filter(|name| !name.is_empty()).cloned());
                let repeats_are_tries = self.around.repeats_are_tries();
                self.held.take(&mut case, repeats_are_tries, &mut self.counts, self.out);
                self.kept.take_back(case.suite);
            } else {
                self.out.finding(self.not_whole, element.offset());
            }
        }
        for child in element.children() {
            self.tell(child);
        }
        if is_suite {
            self.between.pop();
        }
    }
}

impl XmlVisitor for JunitReader<'_, '_, '_> {
    #[inline]
    fn tag(&mut self, _window: &[u8]) {}

    #[inline]
    fn start(&mut self, tag: &StartTag<'_>) {
        let is_passed_over = self.state.passed_over > 0 && !self.state.tree.is_open();
        // a case inside one that is passed over is read: the end of the other may be missing
        if is_passed_over && tag.name.of(tag.window) != b"testcase" {
            self.state.passed_over += 1;
            return;
        }
        if tag.shape.is_none() {
            self.check_attributes(tag);
        }
        if self.state.tree.is_open() {
            self.state.tree.start(tag);
            self.state.open += 1;
            self.pass_over_if_too_large();
        } else if tag.name.of(tag.window) == b"testcase" {
            if std::mem::take(&mut self.state.pass_over_next) {
                self.state.passed_over += 1;
                self.out.finding(FindingCode::CaseTooLarge, self.base + u64::from(tag.at));
            } else {
                if self.state.frames.is_empty() {
                    self.state.roots.begin(tag, Format::Junit);
                }
                self.state.tree.start(tag);
                self.state.open = 1;
            }
        } else {
            self.begin_outside(tag);
        }
    }

    #[inline]
    fn empty(&mut self, tag: &StartTag<'_>, end: u32) {
        let is_plain = tag.name.of(tag.window) == b"testcase"
            && self.is_before_plain()
            && (tag.shape.is_some() || tag.attributes.iter().all(|attribute| !attribute.coded));
        if is_plain {
            self.tell_plain(tag, None);
        } else {
            self.start(tag);
            self.end(tag.window, end);
        }
    }

    #[inline]
    fn may_take_only(&self, tag: &StartTag<'_>) -> bool {
        tag.name.of(tag.window) == b"testcase" && self.is_before_plain()
    }

    #[inline]
    fn only(&mut self, outer: &StartTag<'_>, inner: &StartTag<'_>, text: Span) -> bool {
        // with white space before and behind the element inside
        let bytes = XmlTree::bytes_of(2, outer.attributes.len() + inner.attributes.len(), 3);
        let only = self
            .window
            .get(text.range())
            .and_then(|text| Only::new(inner.name.of(inner.window), self.in_window(inner), text));
        let is_taken = only.is_some() && bytes <= self.out.limits.case_bytes;
        if is_taken {
            self.tell_plain(outer, only);
        }
        is_taken
    }

    #[inline]
    fn text(&mut self, text: &XmlText<'_>) {
        if !self.state.tree.is_open() {
            if self.state.passed_over == 0 && self.state.trouble.is_some() {
                self.text_outside(text);
            }
            return;
        }
        if text.kind == TextKind::Parsed {
            let start = self.base + u64::from(text.span.start);
            check_references(text.span.of(text.window), |code, place| {
                self.hold(code, start + place as u64);
            });
        }
        self.state.tree.text(text);
        self.pass_over_if_too_large();
    }

    #[inline]
    fn end(&mut self, _window: &[u8], end: u32) {
        self.end_element(end, true);
    }

    fn end_missing(&mut self, _window: &[u8], end: u32) {
        self.end_element(end, false);
    }

    fn finding(&mut self, code: FindingCode, at: u32) {
        let place = self.base + u64::from(at);
        let code = self.state.roots.code(code);
        if self.state.tree.is_open() {
            self.hold(code, place);
        } else {
            self.out.finding(code, place);
        }
    }

    fn lost(&mut self, code: FindingCode, at: u32) {
        if self.state.tree.is_open() {
            self.pass_over();
        } else if self.state.passed_over > 0 {
            return;
        }
        self.out.finding(code, self.base + u64::from(at));
    }

    #[inline]
    fn settled(&self) -> bool {
        !self.state.tree.is_open()
    }

    fn rollback(&mut self) {
        self.state.tree.clear();
        self.state.findings.clear();
        self.state.findings_left_out = 0;
        self.state.open = 0;
    }
}

impl JunitReader<'_, '_, '_> {
    #[inline]
    fn end_element(&mut self, end: u32, is_closed: bool) {
        if self.state.tree.is_open() {
            self.state.tree.end(end, is_closed);
            self.state.open = self.state.open.saturating_sub(1);
            if !self.state.tree.is_open() {
                self.end_case();
            }
        } else if self.state.passed_over > 0 {
            self.state.passed_over -= 1;
        } else {
            self.end_outside(is_closed);
        }
    }
}
