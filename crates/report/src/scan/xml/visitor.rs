//! What a scan tells, as places in the window, and to whom.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::ops::Range;

use crate::finding::FindingCode;

/// A range of bytes in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// Returns the bytes of the span.
    #[inline]
    pub fn of(self, window: &[u8]) -> &[u8] {
        window.get(self.range()).unwrap_or_default()
    }

    /// Returns where the bytes are in a window.
    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the text of the span in a window that is text.
    #[inline]
    pub(crate) fn text(self, window: &str) -> Cow<'_, str> {
        match window.get(self.range()) {
            Some(text) => Cow::Borrowed(text),
            None => self.repaired(window),
        }
    }

    #[cold]
    fn repaired(self, window: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.of(window.as_bytes()))
    }

    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: narrow(start), end: narrow(end) }
    }
}

/// A place in a window as 32 bits: [`feed`](super::XmlScanner::feed) takes no window of 4 GiB or more.
#[inline]
pub(super) fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// An attribute as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attribute {
    /// The name, prefix and all.
    pub name: Span,
    /// The name without its prefix.
    pub local: Span,
    /// The raw value, without its quotes.
    pub value: Span,
    /// Whether the value holds a reference, a tab or a line end, and so reads otherwise than it stands.
    pub coded: bool,
}

/// A start tag as it stands.
#[derive(Debug, Clone, Copy)]
pub struct StartTag<'scan> {
    /// The window that all spans are in.
    pub window: &'scan [u8],
    /// The name without its prefix.
    pub name: Span,
    /// The attributes in order, without namespace declarations; of those of one name the first only.
    pub attributes: &'scan [Attribute],
    /// Where the tag begins.
    pub at: u32,
    /// Which names its attributes have, where it was read as one of a known shape: then no value is coded.
    pub shape: Option<ShapeId>,
}

/// The names of a tag's attributes and their order. Of tags that have the same one each attribute has the name of that of
/// the same number; the one may have fewer of them than the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeId(pub(super) NonZeroU32);

/// A piece of text as it stands. Texts may come in several pieces.
#[derive(Debug, Clone, Copy)]
pub struct Text<'scan> {
    /// The window that the span is in.
    pub window: &'scan [u8],
    /// The raw text.
    pub span: Span,
    /// Whether references mean something in it.
    pub kind: TextKind,
}

/// Whether references mean something in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Ordinary text: references are read.
    Parsed,
    /// A CDATA section's content: all is itself.
    CData,
    /// A `<` or other markup that is read as itself.
    Literal,
}

/// Receives what a scan finds, in order.
pub trait XmlVisitor {
    /// A tag comes, a start or an end tag: the text before it is complete.
    fn tag(&mut self, window: &[u8]);
    /// An element begins.
    fn start(&mut self, tag: &StartTag<'_>);
    /// An element begins and ends with its tag, with which nothing is wrong.
    #[inline]
    fn empty(&mut self, tag: &StartTag<'_>, end: u32) {
        self.start(tag);
        self.end(tag.window, end);
    }
    /// Reports whether [`only`](Self::only) may be asked to take the element of this tag.
    #[inline]
    fn may_take_only(&self, _tag: &StartTag<'_>) -> bool {
        false
    }
    /// The element of `inner`, with one text or none, is all that the element of `outer` holds, beside white space; both have
    /// shapes. Reports whether it was taken: else it is told as others are.
    #[inline]
    fn only(&mut self, _outer: &StartTag<'_>, _inner: &StartTag<'_>, _text: Span) -> bool {
        false
    }
    /// Text of the open element.
    fn text(&mut self, text: &Text<'_>);
    /// The open element ends; `end` is the place in the window behind it.
    fn end(&mut self, window: &[u8], end: u32);
    /// The open element ends without an end tag of its own, before `end`. Only of a scanner that goes on.
    fn end_missing(&mut self, window: &[u8], end: u32) {
        self.end(window, end);
    }
    /// A defect that reading survives, at a place in the window.
    fn finding(&mut self, code: FindingCode, at: u32);
    /// The open element's tag, or an element inside it, is beyond the limits and was passed over, at a place in the
    /// window. Only of a scanner that passes over such.
    fn lost(&mut self, code: FindingCode, at: u32) {
        self.finding(code, at);
    }
    /// Reports whether all that was told so far has been dealt with, so that the window may be given up.
    fn settled(&self) -> bool;
    /// All is [`settled`](Self::settled): what is told from here on may be taken back.
    fn mark(&mut self) {}
    /// Forgets what was told since [`mark`](Self::mark) was last called: it will be told again.
    fn rollback(&mut self);
}
