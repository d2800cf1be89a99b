//! The names of a tag's attributes, kept: a report's tags of one name have the same ones, in the same order, with one blank before
//! each and `="` behind. Such a tag is read without a look at the names but that they are the same.

use std::num::NonZeroU32;

use super::attribute::local_part;
use super::scanner::XmlScanner;
use super::visitor::{Attribute, ShapeId, Span, narrow};
use crate::scan::block::plain_length;

/// Shapes of tags, by their elements' names. Of those that share a slot the last one stands there.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    slots: [Shape; SLOTS],
    /// How many there were.
    count: u32,
}

/// 16: a report has fewer names of elements with attributes.
const SLOTS: usize = 16;

/// A tag with more attributes than this has no shape that is worth keeping.
const MOST_ATTRIBUTES: usize = 16;

#[derive(Debug, Default)]
struct Shape {
    /// The name of the element.
    name: Part,
    /// ` name="` of each attribute.
    parts: Vec<Part>,
    /// Nothing where none is kept.
    id: Option<ShapeId>,
}

/// A name of a tag, with what stands around it.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    text: u128,
    /// The bits of a number that are those of the text.
    mask: u128,
    length: usize,
    /// The length again, for places in a window.
    width: u32,
    /// Where the local name begins.
    local: u32,
}

impl Part {
    /// Nothing where it is too long to be kept.
    fn new(text: &[u8], local: u32) -> Option<Self> {
        let mut bytes = [0; size_of::<u128>()];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let width = narrow(text.len());
        let mask = u128::MAX.checked_shr(u128::BITS - 8 * width)?;
        Some(Self { text: u128::from_le_bytes(bytes), mask, length: text.len(), width, local })
    }

    /// Reports whether a text begins with it. Of the last bytes of a window it may not be seen.
    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        rest.first_chunk().is_some_and(|bytes| u128::from_le_bytes(*bytes) & self.mask == self.text)
    }
}

/// A tag that has the shape of one before.
pub(super) struct Shaped {
    pub(super) name_end: usize,
    /// The element's name without its prefix.
    pub(super) local: Span,
    /// Where the tag ends.
    pub(super) end: usize,
    pub(super) is_empty: bool,
}

impl Shapes {
    /// Returns the slot of what stands behind a `<`.
    #[inline]
    fn slot(&mut self, rest: &[u8]) -> Option<&mut Shape> {
        // 2^64 divided by the golden ratio: the highest bits of the product hang on all of the name's
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let head = u64::from_le_bytes(*rest.first_chunk()?);
        let index = head.wrapping_mul(SPREAD) >> (u64::BITS - SLOTS.ilog2());
        self.slots.get_mut(usize::try_from(index).ok()?)
    }
}

impl XmlScanner {
    /// Reads the tag at `tag` if it has the shape of one before; nothing where it differs in anything.
    #[inline]
    pub(super) fn read_shaped(&mut self, window: &[u8], tag: usize) -> Option<Shaped> {
        let start = tag + 1;
        let rest = window.get(start..)?;
        let shape = self.shapes.slot(rest)?;
        self.shape = shape.id;
        if shape.id.is_none() || !shape.name.begins(rest) {
            return None;
        }
        let name_end = start + shape.name.length;
        // a place for each, so that none is added one by one
        self.attributes.resize(shape.parts.len(), Attribute::default());
        let mut rest = rest.get(shape.name.length..)?;
        // places in a window fit 32 bits
        let mut at = narrow(name_end);
        let mut count = 0;
        for (part, attribute) in shape.parts.iter().zip(&mut self.attributes) {
            if !part.begins(rest) {
                break;
            }
            let value = rest.get(part.length..)?;
            let length = plain_length(value)?;
            let start = at + part.width;
            *attribute = Attribute {
                name: Span { start: at + 1, end: start - 2 },
                local: Span { start: at + part.local, end: start - 2 },
                value: Span { start, end: start + length },
                coded: false,
            };
            at = start + length + 1;
            rest = value.get(length as usize + 1..)?;
            count += 1;
        }
        self.attributes.truncate(count);
        let (end, is_empty) = tag_end(rest, at as usize)?;
        let local = Span::new(start + shape.name.local as usize, name_end);
        (end - tag <= self.limits.tag_bytes).then_some(Shaped { name_end, local, end, is_empty })
    }

    /// Keeps the shape of a tag that was read, if it is one.
    pub(super) fn keep_shape(&mut self, window: &[u8], tag: usize, name_end: usize, end: usize) {
        let Some(shape) = window.get(tag + 1..).and_then(|rest| self.shapes.slot(rest)) else { return };
        shape.id = None;
        shape.parts.clear();
        if self.attributes.len() > MOST_ATTRIBUTES || !self.tag_findings.is_empty() {
            return;
        }
        let local = local_part(window, tag + 1, name_end).start - narrow(tag + 1);
        let Some(name) = window.get(tag + 1..name_end).and_then(|name| Part::new(name, local)) else {
            return;
        };
        shape.name = name;
        let mut at = name_end;
        for attribute in &self.attributes {
            let value = attribute.value.start as usize;
            let text = window.get(at..value).unwrap_or_default();
            let is_plain = attribute.name.start as usize == at + 1
                && value == attribute.name.end as usize + 2
                && text.first() == Some(&b' ')
                && text.ends_with(b"=\"");
            let local = attribute.local.start.saturating_sub(narrow(at));
            let Some(part) = Part::new(text, local).filter(|_| is_plain) else { return };
            shape.parts.push(part);
            at = attribute.value.end as usize + 1;
        }
        let is_whole =
            window.get(at..end).is_some_and(|rest| tag_end(rest, at).is_some_and(|(found, _)| found == end));
        // else a declaration of a namespace, which is left out, or more blanks
        if is_whole {
            // so many that no number is left have none
            self.shapes.count = self.shapes.count.saturating_add(1);
            let id = NonZeroU32::new(self.shapes.count).filter(|&count| count != NonZeroU32::MAX);
            if let Some(shape) = window.get(tag + 1..).and_then(|rest| self.shapes.slot(rest)) {
                shape.id = id.map(ShapeId);
            }
        }
    }
}

/// Returns where a tag ends whose end this is, with a blank before it or none, and whether it is an empty element's.
#[inline]
fn tag_end(rest: &[u8], at: usize) -> Option<(usize, bool)> {
    match rest {
        [b'>', ..] => Some((at + 1, false)),
        [b'/', b'>', ..] => Some((at + 2, true)),
        [b' ', b'/', b'>', ..] => Some((at + 3, true)),
        [b' ', b'>', ..] => Some((at + 2, false)),
        _ => None,
    }
}
