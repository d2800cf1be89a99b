//! Elements with all that is in them, as places in a window; nothing is decoded before it is asked for.

use std::borrow::Cow;

use super::visitor::{Attribute, ShapeId, Span, StartTag, Text, TextKind, narrow};
use crate::scan::reference::{read_attribute, read_cdata, read_text};

/// No node.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    name: Span,
    attributes: (u32, u32),
    shape: Option<ShapeId>,
    first_piece: u32,
    last_piece: u32,
    first_child: u32,
    last_child: u32,
    next_sibling: u32,
    parent: u32,
    start: u32,
    end: u32,
    is_closed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    span: Span,
    kind: TextKind,
    /// The next piece of the same element.
    next: u32,
}

/// A forest of elements, built from what a scan tells. Buffers are kept when it is cleared.
#[derive(Debug)]
pub struct XmlTree {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    pieces: Vec<Piece>,
    open: u32,
    last_root: u32,
}

impl Default for XmlTree {
    fn default() -> Self {
        Self { nodes: Vec::new(), attributes: Vec::new(), pieces: Vec::new(), open: NONE, last_root: NONE }
    }
}

impl XmlTree {
    /// Reports whether there is no element in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Reports whether an element is open.
    pub fn is_open(&self) -> bool {
        self.open != NONE
    }

    /// Returns how many bytes it takes.
    pub fn bytes(&self) -> usize {
        Self::bytes_of(self.nodes.len(), self.attributes.len(), self.pieces.len())
    }

    /// Returns how many bytes one takes with so many elements, attributes and pieces of text.
    pub(crate) fn bytes_of(elements: usize, attributes: usize, pieces: usize) -> usize {
        elements * size_of::<Node>() + attributes * size_of::<Attribute>() + pieces * size_of::<Piece>()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.pieces.clear();
        self.open = NONE;
        self.last_root = NONE;
    }

    /// An element begins inside the open one.
    #[inline]
    pub fn start(&mut self, tag: &StartTag<'_>) {
        let index = narrow(self.nodes.len());
        let first = narrow(self.attributes.len());
        self.attributes.extend_from_slice(tag.attributes);
        let before = match self.nodes.get_mut(self.open as usize) {
            Some(parent) => {
                let before = std::mem::replace(&mut parent.last_child, index);
                if before == NONE {
                    parent.first_child = index;
                }
                before
            }
            None => std::mem::replace(&mut self.last_root, index),
        };
        if let Some(before) = self.nodes.get_mut(before as usize) {
            before.next_sibling = index;
        }
        self.nodes.push(Node {
            name: tag.name,
            attributes: (first, narrow(self.attributes.len())),
            shape: tag.shape,
            first_piece: NONE,
            last_piece: NONE,
            first_child: NONE,
            last_child: NONE,
            next_sibling: NONE,
            parent: self.open,
            start: tag.at,
            end: tag.at,
            is_closed: false,
        });
        self.open = index;
    }

    /// A piece of the open element's text.
    #[inline]
    pub fn text(&mut self, text: &Text<'_>) {
        let index = narrow(self.pieces.len());
        let Some(node) = self.nodes.get_mut(self.open as usize) else { return };
        let before = std::mem::replace(&mut node.last_piece, index);
        if before == NONE {
            node.first_piece = index;
        } else if let Some(before) = self.pieces.get_mut(before as usize) {
            before.next = index;
        }
        self.pieces.push(Piece { span: text.span, kind: text.kind, next: NONE });
    }

    /// The open element ends; `is_closed` says whether by an end tag of its own.
    #[inline]
    pub fn end(&mut self, end: u32, is_closed: bool) {
        if let Some(node) = self.nodes.get_mut(self.open as usize) {
            node.end = end;
            node.is_closed = is_closed;
            self.open = node.parent;
        }
    }

    /// Returns the outermost elements, in order. `base` is the place of the window's begin in the text.
    pub fn roots<'tree>(&'tree self, window: &'tree str, base: u64) -> Children<'tree> {
        let next = if self.nodes.is_empty() { NONE } else { 0 };
        Children { tree: self, window, base, next }
    }
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub struct Element<'tree> {
    tree: &'tree XmlTree,
    window: &'tree str,
    node: &'tree Node,
    base: u64,
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}> at {}", String::from_utf8_lossy(self.name()), self.offset())
    }
}

impl<'tree> Element<'tree> {
    /// Returns the name without its prefix.
    #[inline]
    pub fn name(&self) -> &'tree [u8] {
        self.node.name.of(self.window.as_bytes())
    }

    /// Returns the name without its prefix, as text.
    pub fn name_text(&self) -> Cow<'tree, str> {
        self.node.name.text(self.window)
    }

    /// Reports whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name() == name.as_bytes()
    }

    /// Returns the place in the text that its tag begins at.
    pub fn offset(&self) -> u64 {
        self.base + u64::from(self.node.start)
    }

    /// Returns the place in the text behind its end.
    pub fn end_offset(&self) -> u64 {
        self.base + u64::from(self.node.end)
    }

    /// Reports whether its end tag was read.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.node.is_closed
    }

    /// Returns the attributes: names without prefixes, and values as they read.
    #[inline]
    pub fn attributes(&self) -> impl Iterator<Item = (&'tree [u8], Value<'tree>)> + use<'tree> {
        let window = self.window;
        let local = move |attribute: &Attribute| attribute.local.of(window.as_bytes());
        self.as_tag().attributes.iter().map(move |attribute| (local(attribute), Value { window, attribute }))
    }

    /// Returns its tag.
    #[inline]
    pub(crate) fn as_tag(&self) -> Tag<'tree> {
        let (start, end) = self.node.attributes;
        Tag {
            window: self.window,
            attributes: self.tree.attributes.get(start as usize..end as usize).unwrap_or_default(),
            shape: self.node.shape,
            offset: self.offset(),
        }
    }

    /// Returns the value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<Cow<'tree, str>> {
        self.attributes().find(|(local, _)| *local == name.as_bytes()).map(|(_, value)| value.read())
    }

    /// Returns the value of an attribute that is not blank.
    pub fn filled(&self, name: &str) -> Option<Cow<'tree, str>> {
        self.attribute(name).filter(|value| !is_blank(value))
    }

    /// Returns the elements directly inside, in order.
    #[inline]
    pub fn children(&self) -> Children<'tree> {
        Children { tree: self.tree, window: self.window, base: self.base, next: self.node.first_child }
    }

    /// Returns the elements of a name directly inside, in order.
    pub fn children_named(&self, name: &'static str) -> impl Iterator<Item = Self> + use<'tree> {
        self.children().filter(move |child| child.is(name))
    }

    /// Returns the first element of a name directly inside.
    pub fn child(&self, name: &str) -> Option<Self> {
        self.children().find(|child| child.is(name))
    }

    /// Returns the text directly inside, all its pieces, as it reads.
    pub fn text(&self) -> Cow<'tree, str> {
        let mut place = self.node.first_piece;
        let mut joined: Option<Cow<'tree, str>> = None;
        while let Some(piece) = self.tree.pieces.get(place as usize) {
            let text = read_piece(piece.span.text(self.window), piece.kind);
            match &mut joined {
                None => joined = Some(text),
                Some(before) => before.to_mut().push_str(&text),
            }
            place = piece.next;
        }
        joined.unwrap_or_default()
    }

    /// Returns the text directly inside, unless it is blank; without the line end that begins it and the white space
    /// that ends it.
    pub fn filled_text(&self) -> Option<Cow<'tree, str>> {
        filled(self.text())
    }

    /// Returns the text inside with the elements that stand in it as they are written, save those of the names
    /// `apart`; trimmed as [`filled_text`](Self::filled_text) is.
    pub fn filled_mixed_text(&self, apart: &[&[u8]]) -> Option<Cow<'tree, str>> {
        let mut elements = self.children().filter(|child| !apart.contains(&child.name())).peekable();
        if elements.peek().is_none() {
            return self.filled_text();
        }
        let mut mixed = String::new();
        let mut place = self.node.first_piece;
        loop {
            let piece = self.tree.pieces.get(place as usize);
            let element = elements.peek().map(|child| child.node);
            match (piece, element) {
                (Some(piece), Some(element)) if element.start < piece.span.start => {
                    mixed.push_str(&self.source(element));
                    elements.next();
                }
                (Some(piece), _) => {
                    mixed.push_str(&read_piece(piece.span.text(self.window), piece.kind));
                    place = piece.next;
                }
                (None, Some(element)) => {
                    mixed.push_str(&self.source(element));
                    elements.next();
                }
                (None, None) => return filled(Cow::Owned(mixed)),
            }
        }
    }

    /// Returns an element as it is written.
    fn source(&self, node: &Node) -> Cow<'tree, str> {
        Span { start: node.start, end: node.end }.text(self.window)
    }
}

/// Reports whether there is nothing but white space in a text.
#[inline]
pub(crate) fn is_blank(text: &str) -> bool {
    match text.as_bytes() {
        [] => true,
        // as most begin
        [b'!'..=b'~', ..] => false,
        _ => text.trim().is_empty(),
    }
}

/// Returns a text that is not blank, without blank lines before it and white space behind it.
pub(crate) fn filled(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if is_blank(&text) {
        return None;
    }
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(trimmed(text)),
        Cow::Owned(text) => Cow::Owned(trimmed(&text).to_owned()),
    })
}

/// Drops blank lines before a text and white space behind it; the first line keeps its indentation.
fn trimmed(text: &str) -> &str {
    let text = text.trim_end();
    let body = text.trim_start();
    let lead = text.len() - body.len();
    let line = text.get(..lead).and_then(|lead| lead.rfind('\n')).map_or(0, |end| end + 1);
    text.get(line..).unwrap_or(body)
}

/// A start tag in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'xml> {
    pub(crate) window: &'xml str,
    pub(crate) attributes: &'xml [Attribute],
    pub(crate) shape: Option<ShapeId>,
    /// The place in the text that it begins at.
    pub(crate) offset: u64,
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy)]
pub struct Value<'tree> {
    window: &'tree str,
    attribute: &'tree Attribute,
}

impl<'tree> Value<'tree> {
    /// Returns what it reads as.
    #[inline]
    pub fn read(&self) -> Cow<'tree, str> {
        self.attribute.read(self.window)
    }
}

impl Attribute {
    /// Returns what its value reads as.
    #[inline]
    pub(crate) fn read<'xml>(&self, window: &'xml str) -> Cow<'xml, str> {
        if self.coded { self.decoded(window) } else { self.value.text(window) }
    }

    #[cold]
    fn decoded<'xml>(&self, window: &'xml str) -> Cow<'xml, str> {
        Cow::Owned(decoded(&self.value.text(window), read_attribute))
    }
}

pub(crate) fn read_piece(raw: Cow<'_, str>, kind: TextKind) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    match kind {
        TextKind::Parsed if memchr::memchr2(b'&', b'\r', bytes).is_some() => {
            Cow::Owned(decoded(&raw, read_text))
        }
        TextKind::CData | TextKind::Literal if memchr::memchr(b'\r', bytes).is_some() => {
            Cow::Owned(decoded(&raw, read_cdata))
        }
        _ => raw,
    }
}

#[cold]
fn decoded(raw: &str, read: fn(&[u8], &mut Vec<u8>)) -> String {
    let mut decoded = Vec::with_capacity(raw.len());
    read(raw.as_bytes(), &mut decoded);
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Elements that stand side by side.
#[derive(Clone)]
pub struct Children<'tree> {
    tree: &'tree XmlTree,
    window: &'tree str,
    base: u64,
    next: u32,
}

impl std::fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'tree> Iterator for Children<'tree> {
    type Item = Element<'tree>;

    #[inline]
    fn next(&mut self) -> Option<Element<'tree>> {
        let node = self.tree.nodes.get(self.next as usize)?;
        self.next = node.next_sibling;
        Some(Element { tree: self.tree, window: self.window, node, base: self.base })
    }
}
