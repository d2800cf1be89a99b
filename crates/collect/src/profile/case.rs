//! The tree of one outermost `testcase`, as places in the window; nothing is decoded before it is wanted.
//!
//! A case is told when its tail is known: at the next tag behind it. Of a case that the report cuts off, the whole
//! cases inside are told.

use memchr::memchr;
use testlake_report::scan::reference::{check_references, read_attribute};
use testlake_report::scan::xml::{Attribute, ShapeId, Span, StartTag, Text, TextKind, XmlVisitor};
use testlake_report::{FindingCode, Limits};

/// No node.
pub(crate) const NONE: u32 = u32::MAX;

/// A range of indices.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    start: u32,
    end: u32,
}

impl Range {
    pub(crate) fn of<T>(self, all: &[T]) -> &[T] {
        all.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn is_same(self, other: Self) -> bool {
        self.start == other.start && self.end == other.end
    }
}

/// An element of the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) name: Span,
    pub(crate) attributes: Range,
    /// Pieces of the text before the first child.
    pub(crate) text: Range,
    /// Pieces of the text behind the element.
    pub(crate) tail: Range,
    pub(crate) first_child: u32,
    pub(crate) next_sibling: u32,
    last_child: u32,
    parent: u32,
    /// Which names its attributes have, where the scanner knows it.
    pub(crate) shape: Option<ShapeId>,
    /// Where its tag begins.
    pub(crate) start: u32,
    /// Where its end tag ends, once it was read.
    end: u32,
    /// Whether its end tag was read.
    pub(crate) is_closed: bool,
    pub(crate) is_case: bool,
}

/// A piece of text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) span: Span,
    pub(crate) kind: TextKind,
}

/// One outermost case with all that is in it. Buffers are kept from case to case.
#[derive(Debug, Default)]
pub(crate) struct CaseTree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) pieces: Vec<Piece>,
    /// What it and the documents made of it may take in memory, beside the text itself.
    cost: usize,
}

/// What an element, an attribute and a piece of text may take in memory while a case is worked on: its place in the tree, its key
/// in a document, the slot of that key in a table, and the room that growing takes. A few megabytes of `<a/>` would
/// otherwise take hundreds.
const NODE_COST: usize = 400;
const ATTRIBUTE_COST: usize = 240;
const PIECE_COST: usize = 40;
/// Any case may cost this much, however small the limit on its bytes.
const LEAST_COST: usize = 1 << 20;

impl CaseTree {
    pub(crate) fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    pub(crate) fn attributes_of(&self, node: &Node) -> &[Attribute] {
        node.attributes.of(&self.attributes)
    }

    /// Returns the children of a node, in order.
    pub(crate) fn children<'tree>(&'tree self, node: &Node) -> impl Iterator<Item = (u32, &'tree Node)> {
        let mut next = node.first_child;
        std::iter::from_fn(move || {
            let index = next;
            let child = self.node(index)?;
            next = child.next_sibling;
            Some((index, child))
        })
    }

    /// Returns the whole cases, outer before inner.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_case && node.is_closed)
    }

    /// Returns how many bytes of the report the whole cases' documents are made of. A nested case stands in its own and in
    /// that of each around it.
    pub(crate) fn document_bytes(&self) -> usize {
        self.cases().map(|case| case.end.saturating_sub(case.start) as usize).sum()
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.pieces.clear();
        self.cost = 0;
    }
}

/// An outermost case that begins and ends with its tag, before a tail of blanks or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EmptyCase<'scan> {
    pub(crate) window: &'scan [u8],
    /// None of their values is coded.
    pub(crate) attributes: &'scan [Attribute],
    pub(crate) shape: ShapeId,
    /// Where its tag begins and ends.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl EmptyCase<'_> {
    /// Returns how many bytes of the report its document is made of.
    pub(crate) fn bytes(&self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }
}

/// Receives what a report holds.
pub(crate) trait CaseSink {
    /// An empty case has been read. Reports whether it was taken; if not, its tree is told.
    fn empty(&mut self, _case: &EmptyCase<'_>) -> bool {
        false
    }
    /// An outermost case has been read, or what there is of one.
    fn tree(&mut self, window: &[u8], tree: &CaseTree);
    /// A defect, at a place in the window.
    fn finding(&mut self, code: FindingCode, at: u32);
    /// What is told from here on may be taken back.
    fn mark(&mut self) {}
    /// What was told since [`mark`](Self::mark) will be told again.
    fn rollback(&mut self) {}
    /// A suite holds another number of cases than it declares.
    fn declared(&mut self, suite: &[u8], declared: u64, found: u64);
}

/// An open `testsuite` or `testsuites`.
#[derive(Debug)]
struct Suite {
    name: Vec<u8>,
    declared: Option<u64>,
    /// Cases in the suites in it that have ended, at any depth.
    inner_cases: u64,
    /// Cases in it that are in no suite within.
    own_cases: u64,
}

/// Builds the trees of a report's cases, one after the other.
#[derive(Debug)]
pub(crate) struct CaseReader<S> {
    pub(crate) sink: S,
    tree: CaseTree,
    /// The open node; `NONE` outside a case.
    open: u32,
    /// The outermost case has ended and waits for its tail.
    is_ended: bool,
    /// Elements open outside of any case: true where it is a suite.
    outside: Vec<bool>,
    suites: Vec<Suite>,
    /// Elements open inside a case that is passed over because it is too large.
    passed_over: usize,
    pass_over_next: bool,
    /// What one case may cost.
    limit: usize,
    /// The report's root element is one of `JUnit`'s, or a case was seen.
    is_report: bool,
    has_root: bool,
}

impl<S: CaseSink> CaseReader<S> {
    /// Makes a reader. Where cases are counted twice, the limits must be the same.
    pub(crate) fn new(sink: S, limits: &Limits) -> Self {
        Self {
            sink,
            tree: CaseTree::default(),
            open: NONE,
            is_ended: false,
            outside: Vec::new(),
            suites: Vec::new(),
            passed_over: 0,
            pass_over_next: false,
            limit: limits.case_bytes.max(LEAST_COST),
            is_report: false,
            has_root: false,
        }
    }

    /// Makes the reader ready for another report, keeping its buffers.
    pub(crate) fn reset(&mut self) {
        self.tree.clear();
        self.open = NONE;
        self.is_ended = false;
        self.outside.clear();
        self.suites.clear();
        self.passed_over = 0;
        self.pass_over_next = false;
        self.is_report = false;
        self.has_root = false;
    }

    /// Reports whether what was read is a test report at all.
    pub(crate) fn is_report(&self) -> bool {
        self.is_report
    }

    /// Passes over the next outermost case, which is too large to hold.
    pub(crate) fn pass_over_next(&mut self) {
        self.pass_over_next = true;
    }

    /// Tells what is still held: the report has ended, whole or not.
    pub(crate) fn finish(&mut self, window: &[u8]) {
        if !self.tree.nodes.is_empty() {
            self.tell(window);
        }
    }

    #[inline]
    fn tell(&mut self, window: &[u8]) {
        if let Some(suite) = self.suites.last_mut() {
            suite.own_cases += self.tree.cases().count() as u64;
        }
        self.sink.tree(window, &self.tree);
        self.tree.clear();
        self.open = NONE;
        self.is_ended = false;
    }

    #[inline]
    fn begin_node(&mut self, tag: &StartTag<'_>, is_case: bool) {
        let tree = &mut self.tree;
        let index = count(tree.nodes.len());
        let attributes = count(tree.attributes.len());
        tree.attributes.extend_from_slice(tag.attributes);
        if let Some(parent) = tree.nodes.get_mut(self.open as usize) {
            let last = std::mem::replace(&mut parent.last_child, index);
            if last == NONE {
                parent.first_child = index;
            } else if let Some(last) = tree.nodes.get_mut(last as usize) {
                last.next_sibling = index;
            }
        }
        tree.nodes.push(Node {
            name: tag.name,
            attributes: Range { start: attributes, end: count(tree.attributes.len()) },
            text: Range::default(),
            tail: Range::default(),
            first_child: NONE,
            next_sibling: NONE,
            last_child: NONE,
            parent: self.open,
            shape: tag.shape,
            start: tag.at,
            end: tag.at,
            is_closed: false,
            is_case,
        });
        self.open = index;
        tree.cost += NODE_COST + ATTRIBUTE_COST * tag.attributes.len();
        for attribute in tag.attributes {
            if attribute.coded {
                check_references(attribute.value.of(tag.window), |code, at| {
                    self.sink.finding(code, attribute.value.start + count(at));
                });
            }
        }
    }

    /// Gives up the case that is held if it has become too large, and passes over the rest of it.
    #[inline]
    fn give_up_if_too_large(&mut self) {
        if self.tree.cost > self.limit {
            self.give_up();
        }
    }

    #[cold]
    fn give_up(&mut self) {
        let mut open = self.open;
        while let Some(node) = self.tree.node(open) {
            self.passed_over += 1;
            open = node.parent;
        }
        let at = self.tree.nodes.first().map_or(0, |case| case.start);
        self.tree.clear();
        self.open = NONE;
        self.is_ended = false;
        self.sink.finding(FindingCode::CaseTooLarge, at);
    }

    fn begin_outside(&mut self, tag: &StartTag<'_>) {
        let name = tag.name.of(tag.window);
        let is_suite = matches!(name, b"testsuite" | b"testsuites");
        if !self.has_root {
            self.has_root = true;
            self.is_report = is_suite;
        }
        self.outside.push(is_suite);
        if is_suite {
            let attribute =
                |name: &[u8]| tag.attributes.iter().find(|other| other.local.of(tag.window) == name);
            let declared = attribute(b"tests").and_then(|tests| {
                let tests = std::str::from_utf8(tests.value.of(tag.window)).ok()?;
                tests.trim().parse().ok()
            });
            let name = attribute(b"name").map(|name| suite_name(name.value.of(tag.window)));
            let name = name.unwrap_or_default();
            self.suites.push(Suite { name, declared, inner_cases: 0, own_cases: 0 });
        }
    }

    fn end_outside(&mut self) {
        if self.outside.pop() != Some(true) {
            return;
        }
        let Some(suite) = self.suites.pop() else { return };
        let cases = suite.own_cases + suite.inner_cases;
        if let Some(outer) = self.suites.last_mut() {
            outer.inner_cases += cases;
        }
        // some count the cases of the suites within, some do not
        if let Some(declared) = suite.declared
            && declared != cases
            && declared != suite.own_cases
        {
            self.sink.declared(&suite.name, declared, cases);
        }
    }
}

impl<S: CaseSink> XmlVisitor for CaseReader<S> {
    #[inline]
    fn tag(&mut self, window: &[u8]) {
        // the tail of an ended case is known now
        if self.is_ended {
            self.tell(window);
        }
    }

    #[inline]
    fn start(&mut self, tag: &StartTag<'_>) {
        if self.passed_over > 0 {
            self.passed_over += 1;
            return;
        }
        let is_case = tag.name.of(tag.window) == b"testcase";
        if self.open != NONE {
            self.begin_node(tag, is_case);
            self.give_up_if_too_large();
        } else if is_case {
            self.is_report = true;
            self.has_root = true;
            if self.pass_over_next {
                self.pass_over_next = false;
                self.passed_over = 1;
                self.sink.finding(FindingCode::CaseTooLarge, tag.at);
            } else {
                self.begin_node(tag, true);
            }
        } else {
            self.begin_outside(tag);
        }
    }

    #[inline]
    fn empty(&mut self, tag: &StartTag<'_>, end: u32) {
        if self.passed_over == 0
            && !self.pass_over_next
            && self.tree.nodes.is_empty()
            && let Some(shape) = tag.shape
            && tag.name.of(tag.window) == b"testcase"
            && has_blank_tail(tag.window, end)
        {
            let (window, attributes) = (tag.window, tag.attributes);
            if self.sink.empty(&EmptyCase { window, attributes, shape, start: tag.at, end }) {
                self.is_report = true;
                self.has_root = true;
                if let Some(suite) = self.suites.last_mut() {
                    suite.own_cases += 1;
                }
                return;
            }
        }
        self.start(tag);
        self.end(tag.window, end);
    }

    #[inline]
    fn text(&mut self, text: &Text<'_>) {
        if self.passed_over > 0 || self.tree.nodes.is_empty() {
            return;
        }
        if text.kind == TextKind::Parsed {
            let raw = text.span.of(text.window);
            if memchr(b'&', raw).is_some() {
                check_references(raw, |code, at| self.sink.finding(code, text.span.start + count(at)));
            }
        }
        let place = count(self.tree.pieces.len());
        self.tree.pieces.push(Piece { span: text.span, kind: text.kind });
        let owner = if self.is_ended { 0 } else { self.open };
        let last_child = self.tree.node(owner).map_or(NONE, |node| node.last_child);
        let nodes = &mut self.tree.nodes;
        let range = if self.is_ended {
            nodes.first_mut().map(|case| &mut case.tail)
        } else if last_child == NONE {
            nodes.get_mut(owner as usize).map(|node| &mut node.text)
        } else {
            nodes.get_mut(last_child as usize).map(|node| &mut node.tail)
        };
        if let Some(range) = range {
            if range.is_empty() {
                range.start = place;
            }
            range.end = place + 1;
        }
        self.tree.cost += PIECE_COST;
        self.give_up_if_too_large();
    }

    #[inline]
    fn end(&mut self, _window: &[u8], end: u32) {
        if self.passed_over > 0 {
            self.passed_over -= 1;
            return;
        }
        match self.tree.nodes.get_mut(self.open as usize) {
            Some(node) => {
                node.is_closed = true;
                node.end = end;
                self.open = node.parent;
                self.is_ended = self.open == NONE;
            }
            None => self.end_outside(),
        }
    }

    fn finding(&mut self, code: FindingCode, at: u32) {
        self.sink.finding(code, at);
    }

    #[inline]
    fn settled(&self) -> bool {
        self.tree.nodes.is_empty()
    }

    #[inline]
    fn mark(&mut self) {
        self.sink.mark();
    }

    fn rollback(&mut self) {
        self.tree.clear();
        self.open = NONE;
        self.is_ended = false;
        self.sink.rollback();
    }
}

/// Reports whether nothing but blanks stand from here to the next tag, as far as a short look says.
#[inline]
fn has_blank_tail(window: &[u8], from: u32) -> bool {
    // deeper than reports are indented
    const FAR: usize = 64;
    let rest = window.get(from as usize..).unwrap_or_default();
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let blanks = rest.iter().take(FAR).take_while(is_blank).count();
    matches!(rest.get(blanks..), Some([b'<', next, ..]) if *next == b'/' || next.is_ascii_alphabetic())
}

/// Returns what a suite's name reads as; of a long one the beginning, and an ellipsis.
fn suite_name(raw: &[u8]) -> Vec<u8> {
    // 1 KiB: it is shown to people, and as many are held as suites are open
    const LONGEST: usize = 1 << 10;
    let mut name = Vec::new();
    read_attribute(raw.get(..LONGEST).unwrap_or(raw), &mut name);
    if raw.len() > LONGEST {
        name.extend_from_slice("…".as_bytes());
    }
    name
}

/// An index as 32 bits: a window is below 4 GiB, and each node, attribute and piece takes a byte of it at least.
#[inline]
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NONE)
}
