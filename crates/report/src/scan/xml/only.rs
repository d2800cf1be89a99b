//! An element with nothing in it but one other, which ends with its tag or holds one text: `<testcase ...><skipped .../></testcase>`.
//! A visitor that wants to is told of both at once.

use std::ops::Range;

use memchr::memchr;

use super::scanner::XmlScanner;
use super::shape::Shaped;
use super::visitor::{Attribute, ShapeId, Span, StartTag, XmlVisitor, narrow};

impl XmlScanner {
    /// Reads what stands behind the start tag at `at`, and tells of its element if it is such a one. Returns where that ends;
    /// nothing where it is none, or the visitor does not take it: then nothing has changed.
    #[inline]
    pub(super) fn read_only<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        tag: &Shaped,
        visitor: &mut V,
    ) -> Option<usize> {
        let shape = self.shape?;
        // the element inside must not stand too deep
        if self.open.len() + 1 >= self.limits.depth {
            return None;
        }
        let outer = start_tag(window, at, tag, &self.attributes, shape);
        if !visitor.may_take_only(&outer) {
            return None;
        }
        std::mem::swap(&mut self.attributes, &mut self.outer_attributes);
        let end = self.read_inner(window, (at, tag, shape), visitor);
        if end.is_none() {
            std::mem::swap(&mut self.attributes, &mut self.outer_attributes);
            self.shape = Some(shape);
        }
        end
    }

    #[inline]
    fn read_inner<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        (at, tag, shape): (usize, &Shaped, ShapeId),
        visitor: &mut V,
    ) -> Option<usize> {
        let inner_at = skip_blanks(window, tag.end)?;
        if window.get(inner_at) != Some(&b'<') {
            return None;
        }
        let inner = self.read_shaped(window, inner_at)?;
        let inner_shape = self.shape?;
        let (mut text, mut end) = (Span::new(inner.end, inner.end), inner.end);
        if !inner.is_empty {
            let text_end = end + memchr(b'<', window.get(end..)?)?;
            text = Span::new(end, text_end);
            end = end_tag(window, text_end, inner_at + 1..inner.name_end)?;
        }
        end = end_tag(window, skip_blanks(window, end)?, at + 1..tag.name_end)?;
        let outer = start_tag(window, at, tag, &self.outer_attributes, shape);
        let inner = start_tag(window, inner_at, &inner, &self.attributes, inner_shape);
        visitor.only(&outer, &inner, text).then_some(end)
    }
}

#[inline]
fn start_tag<'scan>(
    window: &'scan [u8],
    at: usize,
    tag: &Shaped,
    attributes: &'scan [Attribute],
    shape: ShapeId,
) -> StartTag<'scan> {
    StartTag { window, name: tag.local, attributes, at: narrow(at), shape: Some(shape) }
}

/// Returns where the end tag of the element ends whose name stands there.
#[inline]
fn end_tag(window: &[u8], at: usize, name: Range<usize>) -> Option<usize> {
    let length = name.len();
    let rest = window.get(at..)?.strip_prefix(b"</")?.strip_prefix(window.get(name)?)?;
    (rest.first() == Some(&b'>')).then_some(at + 2 + length + 1)
}

#[inline]
fn skip_blanks(window: &[u8], at: usize) -> Option<usize> {
    let blanks = window.get(at..)?.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
    Some(at + blanks)
}
