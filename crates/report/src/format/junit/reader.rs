//! Suites, and the tree of one case after the other.

use super::case;
use crate::finding::FindingCode;
use crate::model::Text;
use crate::out::Out;
use crate::scan::xml::tree::{Element, XmlTree};
use crate::scan::xml::{StartTag, Text as XmlText, XmlVisitor};

/// An open element outside any case.
#[derive(Debug)]
pub(super) struct Frame {
    /// Whether it is a suite: `testsuite` or `testsuites`.
    is_suite: bool,
    /// Its name, where it is a suite.
    pub(super) name: Option<String>,
    /// The source file that it names.
    pub(super) file: Option<String>,
}

/// What is known between windows.
#[derive(Debug, Default)]
pub(crate) struct JunitState {
    frames: Vec<Frame>,
    /// The case that is open.
    tree: XmlTree,
    /// Findings inside the open case: they are told again when it is shown again.
    findings: Vec<(FindingCode, u64)>,
    /// The next case is larger than the limit.
    pass_over_next: bool,
    /// Elements open inside a case that is passed over.
    passed_over: usize,
}

impl JunitState {
    /// The next case is too large: it is left out.
    pub(crate) fn pass_over_next(&mut self) {
        self.pass_over_next = true;
    }
}

/// Reads a window.
pub(crate) struct JunitReader<'state, 'report> {
    pub(crate) state: &'state mut JunitState,
    pub(crate) out: &'state mut Out<'report>,
    /// The place of the window's begin in the text.
    pub(crate) base: u64,
}

impl JunitReader<'_, '_> {
    fn begin_outside(&mut self, tag: &StartTag<'_>) {
        let name = tag.name.of(tag.window);
        let is_suite = matches!(name, b"testsuite" | b"testsuites");
        let mut frame = Frame { is_suite, name: None, file: None };
        if is_suite {
            let mut tree = XmlTree::default();
            tree.start(tag);
            let element = tree.roots(tag.window, self.base).next();
            let value = |name: &str| element.and_then(|element| element.filled(name)).map(Text::into_owned);
            // `testsuites` is the name of a whole run, which is none of its suites
            if name == b"testsuite" {
                frame.name = value("name");
            }
            frame.file = value("file").or_else(|| value("filepath"));
        } else if matches!(name, b"error" | b"failure")
            && self.state.frames.last().is_some_and(|frame| frame.is_suite)
        {
            self.out.finding(FindingCode::FailureOutsideCase, self.base + u64::from(tag.at));
        }
        self.state.frames.push(frame);
    }

    /// The case, or what there is of one, has been read.
    fn end_case(&mut self, window: &[u8]) {
        for (code, place) in self.state.findings.drain(..) {
            self.out.finding(code, place);
        }
        let state = &mut *self.state;
        for root in state.tree.roots(window, self.base) {
            cases(root, &state.frames, self.out);
        }
        state.tree.clear();
    }

    /// The report has ended; the window is the last.
    pub(crate) fn finish(mut self, window: &[u8]) {
        if !self.state.tree.is_empty() {
            self.end_case(window);
        }
    }
}

/// Tells the case, and those inside it.
fn cases(element: Element<'_>, frames: &[Frame], out: &mut Out<'_>) {
    if element.is_whole() {
        let case = case::read(element, frames, out);
        out.case(case);
    } else {
        out.finding(FindingCode::CutCase, element.offset());
    }
    for child in element.children_named("testcase") {
        cases(child, frames, out);
    }
}

impl XmlVisitor for JunitReader<'_, '_> {
    #[inline]
    fn tag(&mut self, _window: &[u8]) {}

    #[inline]
    fn start(&mut self, tag: &StartTag<'_>) {
        if self.state.passed_over > 0 {
            self.state.passed_over += 1;
            return;
        }
        if self.state.tree.is_open() {
            self.state.tree.start(tag);
        } else if tag.name.of(tag.window) == b"testcase" {
            if std::mem::take(&mut self.state.pass_over_next) {
                self.state.passed_over = 1;
                self.out.finding(FindingCode::CaseTooLarge, self.base + u64::from(tag.at));
            } else {
                self.state.tree.start(tag);
            }
        } else {
            self.begin_outside(tag);
        }
    }

    #[inline]
    fn text(&mut self, text: &XmlText<'_>) {
        if self.state.passed_over == 0 && self.state.tree.is_open() {
            self.state.tree.text(text);
        }
    }

    #[inline]
    fn end(&mut self, window: &[u8], end: u32) {
        self.end_element(window, end, true);
    }

    fn end_missing(&mut self, window: &[u8], end: u32) {
        self.end_element(window, end, false);
    }

    fn finding(&mut self, code: FindingCode, at: u32) {
        let place = self.base + u64::from(at);
        if self.state.tree.is_open() {
            self.state.findings.push((code, place));
        } else {
            self.out.finding(code, place);
        }
    }

    #[inline]
    fn settled(&self) -> bool {
        !self.state.tree.is_open()
    }

    fn rollback(&mut self) {
        self.state.tree.clear();
        self.state.findings.clear();
    }
}

impl JunitReader<'_, '_> {
    #[inline]
    fn end_element(&mut self, window: &[u8], end: u32, is_closed: bool) {
        if self.state.passed_over > 0 {
            self.state.passed_over -= 1;
        } else if self.state.tree.is_open() {
            self.state.tree.end(end, is_closed);
            if !self.state.tree.is_open() {
                self.end_case(window);
            }
        } else {
            self.state.frames.pop();
        }
    }
}
