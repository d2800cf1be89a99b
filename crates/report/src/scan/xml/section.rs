//! CDATA sections, comments, instructions and document types, which may span windows or have no end.

use memchr::{memchr, memmem};

use super::scanner::{AfterBreak, Phase, Step, XmlScanner};
use super::text::without_partial_end;
use super::visitor::{TextKind, XmlVisitor, narrow};
use crate::finding::FindingCode;

/// A section that may span windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Markup,
    CData,
    Comment,
    Instruction,
    /// What is left of a start tag that was passed over.
    LostTag,
}

impl Section {
    fn terminator(self) -> &'static [u8] {
        match self {
            Self::CData => b"]]>",
            Self::Comment => b"-->",
            Self::Instruction | Self::Markup | Self::LostTag => b"?>",
        }
    }
}

impl XmlScanner {
    pub(super) fn begin_section(&mut self, section: Section, at: usize) {
        self.section = section;
        self.section_start = self.place(at);
        self.is_section_split = std::mem::take(&mut self.split_next);
    }

    pub(super) fn declaration<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        last: bool,
        visitor: &mut V,
    ) -> Step {
        // 8: real reports have one; the end of each is looked for in all of the window
        const ENDLESS_TYPES: u8 = 8;
        let rest = window.get(at..).unwrap_or_default();
        if rest.starts_with(b"<!--") {
            self.begin_section(Section::Comment, at);
            return Step::Done(at + 4);
        }
        if rest.starts_with(b"<![CDATA[") {
            self.begin_section(Section::CData, at);
            return Step::Done(at + 9);
        }
        let keyword = rest.get(..9).unwrap_or(rest);
        let is_type = keyword.eq_ignore_ascii_case(b"<!DOCTYPE") && self.phase == Phase::Before;
        if is_type && self.endless_types < ENDLESS_TYPES {
            return match document_type_end(rest) {
                Some(length) if length > self.limits.tag_bytes => Step::Stop(FindingCode::TagTooLarge, at),
                Some(length) => {
                    visitor.finding(FindingCode::DocumentType, narrow(at));
                    Step::Done(at + length)
                }
                None => {
                    self.endless_types += u8::from(last);
                    Step::Incomplete
                }
            };
        }
        let may_become = |whole: &[u8]| rest.len() < whole.len() && whole.starts_with(rest);
        if may_become(b"<!--") || may_become(b"<![CDATA[") || may_become(b"<!DOCTYPE") {
            return Step::Incomplete;
        }
        self.bare_less_than(window, at, visitor)
    }

    /// Reads on in a CDATA section, comment or instruction, which may have begun in an earlier window.
    pub(super) fn section<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        last: bool,
        visitor: &mut V,
    ) -> Step {
        if self.section == Section::LostTag {
            return self.lost_tag(window, at, last, visitor);
        }
        let terminator = self.section.terminator();
        let rest = window.get(at..).unwrap_or_default();
        let found =
            if last && self.endless.contains(&self.section) { None } else { memmem::find(rest, terminator) };
        let content = match found {
            Some(length) => length,
            // the terminator may stand across the window's end; before that a line end or a character must not be cut
            None if !last => {
                let kept = rest.len().saturating_sub(terminator.len());
                without_partial_end(rest.get(..kept).unwrap_or_default())
            }
            None => return Step::Incomplete,
        };
        if self.section == Section::CData && content > 0 {
            self.tell_text(window, at, at + content, TextKind::CData, visitor);
        }
        if found.is_some() {
            self.section = Section::Markup;
            return Step::Done(at + content + terminator.len());
        }
        if content == 0 || !visitor.settled() || self.is_section_whole() {
            return Step::Incomplete;
        }
        Step::Done(at + content)
    }

    /// Reports whether a section is open that must be in a window whole: should it have no end, reading goes on inside it.
    pub(super) fn is_section_whole(&self) -> bool {
        !matches!(self.section, Section::Markup | Section::LostTag)
            && self.after_break == AfterBreak::GoOn
            && !self.is_section_split
    }

    /// Finds where a section without an end must have ended: at the next tag that has the name of an open element.
    pub(super) fn end_of_endless(&self, window: &[u8], at: usize) -> Option<usize> {
        // 16: enough for the suites around a case; so that hostile input does not have us compare hundreds of names
        const NAMES: usize = 16;
        if self.after_break == AfterBreak::Stop || self.open.is_empty() || self.is_section_split {
            return None;
        }
        let mut from = at;
        while let Some(found) = memchr(b'<', window.get(from..)?) {
            let tag = from + found;
            let rest = window.get(tag + 1..)?;
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            let first = self.open.len().saturating_sub(NAMES);
            let is_known = (first..self.open.len()).any(|index| {
                self.name_of(index).and_then(|name| rest.strip_prefix(name)).is_some_and(|rest| {
                    matches!(rest.first(), Some(b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))
                })
            });
            if is_known {
                return Some(tag);
            }
            from = tag + 1;
        }
        None
    }

    /// Ends a section without an end there.
    pub(super) fn end_endless<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        end: usize,
        visitor: &mut V,
    ) {
        let start = self.section_start.saturating_sub(self.consumed());
        visitor.finding(FindingCode::EndlessSection, u32::try_from(start).unwrap_or(u32::MAX));
        if self.section == Section::CData && end > at {
            self.tell_text(window, at, end, TextKind::CData, visitor);
        }
        self.endless.push(self.section);
        self.section = Section::Markup;
    }

    /// The window, which will be shown again, cannot be made larger. Reports whether that is for a section that it begins
    /// with: the section is then read as far as each window goes, and not ended at a tag inside should it have no end.
    pub fn split_section(&mut self, window: &[u8]) -> bool {
        self.split_next = window.starts_with(b"<!") || window.starts_with(b"<?");
        self.split_next
    }
}

/// Returns the length of the document type that `text` begins with.
pub(crate) fn document_type_end(text: &[u8]) -> Option<usize> {
    let mut at = 9;
    let mut in_subset = false;
    loop {
        let rest = text.get(at..)?;
        match *rest.first()? {
            quote @ (b'"' | b'\'') => at += memchr(quote, rest.get(1..)?)? + 2,
            b'<' if rest.starts_with(b"<!--") => at += memmem::find(rest, b"-->")? + 3,
            b'<' if rest.starts_with(b"<?") => at += memmem::find(rest, b"?>")? + 2,
            b'[' => {
                in_subset = true;
                at += 1;
            }
            b']' => {
                in_subset = false;
                at += 1;
            }
            b'>' if !in_subset => return Some(at + 1),
            _ => at += 1,
        }
    }
}
