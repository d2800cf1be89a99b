//! What is beyond the limits is passed over, so that what stands behind it is read.

use memchr::memchr2;

use super::attribute::local_part;
use super::scanner::{Phase, Step, XmlScanner};
use super::section::Section;
use super::tag::{begins_name, scan_name};
use super::visitor::{StartTag, XmlVisitor, narrow};
use crate::finding::FindingCode;

/// What was passed over and has not ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lost {
    /// The quote that is open in a tag.
    quote: Option<u8>,
    /// The byte before, in a tag.
    before: u8,
    /// Elements open that stand too deep.
    too_deep: u64,
}

impl XmlScanner {
    /// Reports whether what begins there is a start tag, and may be passed over.
    pub(super) fn may_lose(&self, window: &[u8], at: usize) -> bool {
        self.lost.is_some() && window.get(at + 1).is_some_and(|&byte| begins_name(byte))
    }

    /// Passes over a start tag that is too large: its element is told without attributes, and that it is lost. Returns where
    /// its name ends.
    pub(super) fn lose_tag<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> usize {
        let start = at + 1;
        let end = scan_name(window, start).unwrap_or(start);
        if self.open.len() >= self.limits.depth {
            self.begin_too_deep(at, visitor);
        } else {
            self.phase = Phase::Inside;
            self.open.push(self.names.len());
            self.names.extend_from_slice(window.get(start..end).unwrap_or_default());
            let name = local_part(window, start, end);
            visitor.start(&StartTag { window, name, attributes: &[], at: narrow(at), shape: None });
            visitor.lost(FindingCode::LargeTag, narrow(at));
        }
        self.section = Section::LostTag;
        if let Some(lost) = &mut self.lost {
            (lost.quote, lost.before) = (None, 0);
        }
        end
    }

    /// Reads on in a tag that is passed over, to its end or the next tag's begin.
    pub(super) fn lost_tag<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        last: bool,
        visitor: &mut V,
    ) -> Step {
        let rest = window.get(at..).unwrap_or_default();
        let mut lost = self.lost.unwrap_or_default();
        for (length, &byte) in rest.iter().enumerate() {
            let is_cut = byte == b'<';
            if is_cut || lost.quote.is_none() && byte == b'>' {
                self.section = Section::Markup;
                let end = at + length + usize::from(!is_cut);
                if is_cut || lost.before == b'/' {
                    self.end_lost(window, end, visitor);
                }
                return Step::Done(end);
            }
            match lost.quote {
                Some(quote) if quote == byte => lost.quote = None,
                None if matches!(byte, b'"' | b'\'') => lost.quote = Some(byte),
                _ => {}
            }
            lost.before = byte;
        }
        self.lost = Some(lost);
        if last {
            self.section = Section::Markup;
        } else if rest.is_empty() {
            return Step::Incomplete;
        }
        Step::Done(window.len())
    }

    /// The element of a tag that was passed over is empty, or its tag is cut.
    fn end_lost<V: XmlVisitor>(&mut self, window: &[u8], end: usize, visitor: &mut V) {
        if self.is_too_deep() {
            self.close_too_deep();
        } else {
            self.close();
            visitor.end(window, narrow(end));
        }
    }

    /// Passes over an element that stands too deep, with all inside it; its tag ends there and may be all of it.
    pub(super) fn lose_element<V: XmlVisitor>(
        &mut self,
        at: usize,
        (end, is_empty): (usize, bool),
        visitor: &mut V,
    ) -> Step {
        if self.lost.is_none() {
            return Step::Stop(FindingCode::TooDeep, at);
        }
        self.begin_too_deep(at, visitor);
        if is_empty {
            self.close_too_deep();
        }
        Step::Done(end)
    }

    fn begin_too_deep<V: XmlVisitor>(&mut self, at: usize, visitor: &mut V) {
        if !self.is_too_deep() {
            visitor.lost(FindingCode::DeepElement, narrow(at));
        }
        if let Some(lost) = &mut self.lost {
            lost.too_deep += 1;
        }
    }

    fn close_too_deep(&mut self) {
        if let Some(lost) = &mut self.lost {
            lost.too_deep = lost.too_deep.saturating_sub(1);
        }
    }

    /// Reports whether an element is open that stands too deep.
    pub(super) fn is_too_deep(&self) -> bool {
        self.lost.is_some_and(|lost| lost.too_deep > 0)
    }

    /// Reads the end tag of an element that stands too deep.
    pub(super) fn end_too_deep(&mut self, window: &[u8], at: usize) -> Step {
        let begin = at + 2;
        let rest = window.get(begin..).unwrap_or_default();
        match memchr2(b'>', b'<', rest) {
            None => Step::Incomplete,
            Some(end) if rest.get(end) == Some(&b'<') => Step::Stop(FindingCode::CutTag, at),
            Some(end) => {
                self.close_too_deep();
                Step::Done(begin + end + 1)
            }
        }
    }
}
