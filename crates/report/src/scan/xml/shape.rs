//! The names of a tag's attributes, kept: a report's tags of one name have the same ones, in the same order, with one blank before
//! each and `="` behind. Such a tag is read without a look at the names but that they are the same.

use std::num::NonZeroU32;

use super::scanner::XmlScanner;
use super::visitor::{Attribute, ShapeId, Span};
use crate::scan::block::value_end;

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
    /// ` name="` of each attribute, one behind the other.
    text: Vec<u8>,
    /// For each attribute how many bytes its part of the text has, and where its local name begins behind the blank.
    parts: Vec<(u16, u16)>,
    id: Option<ShapeId>,
}

impl Shapes {
    #[inline]
    fn slot(name: &[u8]) -> usize {
        let first = name.first().copied().unwrap_or_default();
        usize::from(first).wrapping_add(name.len().wrapping_mul(5)) % SLOTS
    }
}

impl XmlScanner {
    /// Reads the attributes of a tag that has the shape of one before; nothing where it differs in anything. Returns where the tag
    /// ends and whether it is an empty element's.
    #[inline]
    pub(super) fn read_shaped(&mut self, window: &[u8], name: &[u8], mut at: usize) -> Option<(usize, bool)> {
        let shape = self.shapes.slots.get(Shapes::slot(name))?;
        self.shape = shape.id;
        let mut text = shape.text.as_slice();
        for &(length, local) in &shape.parts {
            let rest = window.get(at..)?;
            if let Some(end) = tag_end(rest, at) {
                return Some(end);
            }
            let (part, others) = text.split_at_checked(usize::from(length))?;
            text = others;
            let value = rest.strip_prefix(part)?;
            let end = value_end(value, b'"')?;
            if end.is_special {
                return None;
            }
            let start = at + part.len();
            let name_end = start - 2;
            self.attributes.push(Attribute {
                name: Span::new(at + 1, name_end),
                local: Span::new(at + 1 + usize::from(local), name_end),
                value: Span::new(start, start + end.length),
                coded: false,
            });
            at = start + end.length + 1;
        }
        tag_end(window.get(at..)?, at)
    }

    /// Keeps the shape of a tag that was read, if it is one.
    pub(super) fn keep_shape(&mut self, window: &[u8], name: &[u8], name_end: usize, end: usize) {
        if self.attributes.len() > MOST_ATTRIBUTES || !self.tag_findings.is_empty() {
            return;
        }
        let Shapes { slots, count } = &mut self.shapes;
        let Some(shape) = slots.get_mut(Shapes::slot(name)) else { return };
        shape.text.clear();
        shape.parts.clear();
        shape.id = None;
        let mut at = name_end;
        for attribute in &self.attributes {
            let (start, value) = (attribute.name.start as usize, attribute.value.start as usize);
            let part = window.get(at..value).unwrap_or_default();
            let is_plain = start == at + 1
                && value == attribute.name.end as usize + 2
                && part.first() == Some(&b' ')
                && part.ends_with(b"=\"");
            let local = attribute.local.start - attribute.name.start;
            let (Ok(length), Ok(local), true) = (u16::try_from(part.len()), u16::try_from(local), is_plain)
            else {
                shape.text.clear();
                shape.parts.clear();
                return;
            };
            shape.text.extend_from_slice(part);
            shape.parts.push((length, local));
            at = attribute.value.end as usize + 1;
        }
        let is_whole =
            window.get(at..end).is_some_and(|rest| tag_end(rest, at).is_some_and(|(found, _)| found == end));
        if !is_whole {
            // a declaration of a namespace, which is left out, or more blanks
            shape.text.clear();
            shape.parts.clear();
            return;
        }
        // at the last number of all tags are read one by one
        *count = count.saturating_add(1);
        shape.id = NonZeroU32::new(*count).filter(|&count| count != NonZeroU32::MAX).map(ShapeId);
        self.shape = shape.id;
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
