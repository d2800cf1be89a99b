//! Start and end tags, and the elements that they open and close; the inside of a start tag is [`super::attribute`]'s.

use memchr::{memchr, memchr2};

use super::attribute::local_part;
use super::scanner::{AfterBreak, Phase, Step, XmlScanner};
use super::shape::Shaped;
use super::visitor::{StartTag, XmlVisitor, narrow};
use crate::finding::FindingCode;

impl XmlScanner {
    #[inline]
    pub(super) fn start_tag<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> Step {
        if self.phase == Phase::After && self.after_break == AfterBreak::Stop {
            return Step::Stop(FindingCode::SecondRoot, at);
        }
        self.tag_findings.clear();
        let read = match self.read_shaped(window, at) {
            Some(read) => read,
            None => match self.read_unshaped(window, at) {
                Ok(read) => read,
                Err(step) => return step,
            },
        };
        let Shaped { name_end, local, end, is_empty } = read;
        if self.open.len() >= self.limits.depth {
            return self.lose_element(at, (end, is_empty), visitor);
        }
        let is_another_root = self.phase == Phase::After;
        let is_plain = self.phase == Phase::Inside && self.tag_findings.is_empty();
        if is_plain
            && !is_empty
            && let Some(end) = self.read_only(window, at, &read, visitor)
        {
            return Step::Done(end);
        }
        let tag =
            StartTag { window, name: local, attributes: &self.attributes, at: narrow(at), shape: self.shape };
        if is_empty && is_plain {
            visitor.empty(&tag, narrow(end));
            return Step::Done(end);
        }
        let name = window.get(at + 1..name_end).unwrap_or_default();
        self.phase = Phase::Inside;
        self.open.push(self.names.len());
        self.names.extend_from_slice(name);
        visitor.start(&tag);
        // behind the begin of the element, which may be taken back with what is told inside it
        if is_another_root {
            visitor.finding(FindingCode::AnotherRoot, narrow(at));
        }
        for &(code, place) in &self.tag_findings {
            visitor.finding(code, place);
        }
        if is_empty {
            self.close();
            visitor.end(window, narrow(end));
        }
        Step::Done(end)
    }

    /// Reads a tag that has no shape of one before.
    pub(super) fn read_unshaped(&mut self, window: &[u8], at: usize) -> Result<Shaped, Step> {
        // no more of the window than a tag may have, so that what is told of one that is larger is not by what follows
        let bound = window.len().min(at.saturating_add(self.limits.tag_bytes));
        let shown = window.get(..bound).unwrap_or_default();
        let read = match scan_name(shown, at + 1) {
            Some(name_end) => self.read_attributes(shown, at, name_end).map(|read| (name_end, read)),
            None => Err(Step::Incomplete),
        };
        match read {
            Ok((name_end, (end, is_empty))) => {
                Ok(Shaped { name_end, local: local_part(window, at + 1, name_end), end, is_empty })
            }
            Err(Step::Incomplete) if bound < window.len() => Err(Step::Stop(FindingCode::TagTooLarge, at)),
            Err(step) => Err(step),
        }
    }

    #[inline]
    pub(super) fn end_tag<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> Step {
        if self.is_too_deep() {
            return self.end_too_deep(window, at);
        }
        let begin = at + 2;
        let expected = self.open.last().and_then(|&name| self.names.get(name..));
        let rest = window.get(begin..).unwrap_or_default();
        let end = match expected {
            Some(name) if rest.starts_with(name) && rest.get(name.len()) == Some(&b'>') => begin + name.len(),
            _ => {
                let Some(found) = memchr2(b'>', b'<', rest) else { return Step::Incomplete };
                if rest.get(found) == Some(&b'<') {
                    return Step::Stop(FindingCode::CutTag, at);
                }
                let name = rest.get(..found).unwrap_or_default().trim_ascii_end();
                if expected != Some(name) {
                    if self.after_break == AfterBreak::Stop {
                        return Step::Stop(FindingCode::MismatchedTag, at);
                    }
                    visitor.finding(FindingCode::MisplacedEndTag, narrow(at));
                    if !self.close_down_to(name, window, at, visitor) {
                        return Step::Done(begin + found + 1);
                    }
                }
                begin + found
            }
        };
        self.close();
        visitor.end(window, narrow(end + 1));
        Step::Done(end + 1)
    }

    /// Ends the elements inside the innermost open one of this name; reports whether there is one.
    pub(super) fn close_down_to<V: XmlVisitor>(
        &mut self,
        name: &[u8],
        window: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> bool {
        let Some(place) = (0..self.open.len()).rev().find(|&index| self.name_of(index) == Some(name)) else {
            return false;
        };
        while self.open.len() > place + 1 {
            self.close();
            visitor.end_missing(window, narrow(at));
        }
        true
    }

    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.names.truncate(name);
        }
        if self.open.is_empty() {
            self.phase = Phase::After;
            self.told_outer_text = false;
        }
    }
}

/// Tells of a tag that is cut off; returns where the next one begins.
pub(super) fn pass_over<V: XmlVisitor>(window: &[u8], at: usize, visitor: &mut V) -> usize {
    visitor.finding(FindingCode::LostTag, narrow(at));
    let rest = window.get(at + 1..).unwrap_or_default();
    memchr(b'<', rest).map_or(window.len(), |next| at + 1 + next)
}

/// Finds the end of an element's name.
#[inline]
pub(super) fn scan_name(window: &[u8], start: usize) -> Option<usize> {
    let rest = window.get(start..)?;
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/' | b'<');
    Some(start + rest.iter().position(ends)?)
}

#[inline]
pub(super) fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}
