//! Windows, text, tags and sections; the inside of a start tag is [`super::attribute`]'s.

use memchr::{memchr, memchr2, memmem};

use super::attribute::local_part;
use super::lost::Lost;
use super::shape::{Shaped, Shapes};
use super::visitor::{Attribute, ShapeId, Span, StartTag, Text, TextKind, XmlVisitor, narrow};
use crate::finding::FindingCode;
use crate::limits::Limits;

/// How far a window was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// How many bytes of the window need not be shown again.
    pub consumed: usize,
    /// Why reading ended, and at which byte, counted from the first window's begin.
    pub stop: Option<(FindingCode, u64)>,
}

/// Where in a document the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Before,
    Inside,
    After,
}

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

/// Reads XML in windows. One scanner reads one report.
#[derive(Debug)]
pub struct XmlScanner {
    pub(super) limits: Limits,
    /// The raw names of the open elements, one after the other.
    pub(super) names: Vec<u8>,
    /// Where each open element's name begins in `names`.
    pub(super) open: Vec<usize>,
    pub(super) phase: Phase,
    pub(super) section: Section,
    /// Where the section begins that is open, counted as [`Fed::stop`] is.
    section_start: u64,
    /// Bytes that were consumed before the window.
    consumed: u64,
    pub(super) attributes: Vec<Attribute>,
    /// What is wrong with the attributes of the tag that is read.
    pub(super) tag_findings: Vec<(FindingCode, u32)>,
    /// What was passed over and has not ended.
    pub(super) lost: Option<Lost>,
    /// The names of the attributes that tags had.
    pub(super) shapes: Shapes,
    /// The shape of the tag that is read.
    pub(super) shape: Option<ShapeId>,
    told_outer_text: bool,
    pub(super) after_break: AfterBreak,
    /// The kinds of sections of which no end stands in what is left of the last window.
    endless: Vec<Section>,
    /// Document types of which no end stands in the last window.
    endless_types: u8,
    /// What begins the next window is larger than a window may be.
    split_next: bool,
    /// The open section is larger than a window may be: it is read as far as each window goes.
    is_section_split: bool,
}

/// What is done where a tag is cut off, does not belong, or begins a second root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterBreak {
    /// Reading ends: what follows could belong anywhere.
    Stop,
    /// What breaks is passed over with a finding, and reading goes on at the next tag.
    GoOn,
}

/// The state at a place from which a window can be read again.
struct Checkpoint {
    at: usize,
    open: usize,
    phase: Phase,
    section: Section,
    section_start: u64,
}

/// What came of one construct.
pub(super) enum Step {
    /// It was read up to here.
    Done(usize),
    /// The window ends inside it.
    Incomplete,
    /// Reading cannot go on.
    Stop(FindingCode, usize),
}

impl XmlScanner {
    /// Makes a scanner for one report.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            names: Vec::new(),
            open: Vec::new(),
            phase: Phase::Before,
            section: Section::Markup,
            section_start: 0,
            consumed: 0,
            attributes: Vec::new(),
            tag_findings: Vec::new(),
            shapes: Shapes::default(),
            shape: None,
            told_outer_text: false,
            after_break: AfterBreak::Stop,
            endless: Vec::new(),
            endless_types: 0,
            lost: None,
            split_next: false,
            is_section_split: false,
        }
    }

    /// Makes a scanner for one report that goes on behind what breaks.
    pub fn going_on(limits: Limits) -> Self {
        Self { after_break: AfterBreak::GoOn, ..Self::new(limits) }
    }

    /// Has it tell of a tag that is larger, has more attributes or stands deeper than the limits allow
    /// ([`XmlVisitor::lost`]), and go on behind it.
    #[must_use]
    pub fn passing_over_large(self) -> Self {
        Self { lost: Some(Lost::default()), ..self }
    }

    /// Makes the scanner ready for another report, keeping its buffers.
    pub fn reset(&mut self) {
        self.names.clear();
        self.open.clear();
        self.phase = Phase::Before;
        self.section = Section::Markup;
        self.section_start = 0;
        self.consumed = 0;
        self.told_outer_text = false;
        self.endless_types = 0;
        self.lost = self.lost.map(|_| Lost::default());
        self.split_next = false;
        self.is_section_split = false;
    }

    /// Makes the scanner ready for a part of a document: what an element that stays open holds.
    pub fn begin_inside(&mut self) {
        self.reset();
        self.open.push(0);
        self.phase = Phase::Inside;
    }

    /// Returns how many bytes were consumed: the place that the next window begins at.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The window, which will be shown again, cannot be made larger. Reports whether that is for a section that it begins
    /// with: the section is then read as far as each window goes, and not ended at a tag inside should it have no end.
    pub fn split_section(&mut self, window: &[u8]) -> bool {
        self.split_next = window.starts_with(b"<!") || window.starts_with(b"<?");
        self.split_next
    }

    /// Reports whether the root element has ended.
    pub fn is_after_root(&self) -> bool {
        self.phase == Phase::After
    }

    /// Reads a window. `last` says that the report ends with it. The next window must begin with the bytes that were
    /// not consumed.
    ///
    /// A window of 4 GiB or more is refused as a tag that is too large.
    pub fn feed<V: XmlVisitor>(&mut self, window: &[u8], last: bool, visitor: &mut V) -> Fed {
        if u32::try_from(window.len()).is_err() {
            return self.fed(0, Some((FindingCode::TagTooLarge, 0)));
        }
        let mut at = 0;
        let mut checkpoint = self.checkpoint(0);
        self.endless.clear();
        loop {
            let mut is_marked = last || self.mark(at, &mut checkpoint, visitor);
            let step = if self.section == Section::Markup {
                let text_end = self.text(window, at, last, visitor);
                if text_end > at {
                    at = text_end;
                    is_marked = last || self.mark(at, &mut checkpoint, visitor);
                }
                if window.get(at) == Some(&b'<') {
                    if window.get(at + 1).is_some_and(|&byte| byte == b'/' || begins_name(byte)) {
                        visitor.tag(window);
                        if !is_marked {
                            self.mark(at, &mut checkpoint, visitor);
                        }
                    }
                    self.markup(window, at, last, visitor)
                } else {
                    Step::Incomplete
                }
            } else {
                self.section(window, at, last, visitor)
            };
            match step {
                Step::Done(next) => at = next,
                Step::Stop(FindingCode::CutTag, offset) if self.after_break == AfterBreak::GoOn => {
                    at = pass_over(window, offset, visitor);
                }
                Step::Stop(FindingCode::TagTooLarge | FindingCode::TooManyAttributes, offset)
                    if self.may_lose(window, offset) =>
                {
                    at = self.lose_tag(window, offset, visitor);
                }
                Step::Stop(code, offset) => return self.fed(at, Some((code, offset))),
                Step::Incomplete if self.is_tag_too_large(window, at) && self.may_lose(window, at) => {
                    at = self.lose_tag(window, at, visitor);
                }
                Step::Incomplete if self.is_tag_too_large(window, at) => {
                    return self.fed(at, Some((FindingCode::TagTooLarge, at)));
                }
                Step::Incomplete if last && self.can_go_on(window, at) => {
                    at = pass_over(window, at, visitor);
                }
                Step::Incomplete if last && self.section != Section::Markup => {
                    match self.end_of_endless(window, at) {
                        Some(end) => {
                            self.end_endless(window, at, end, visitor);
                            at = end;
                        }
                        None => return self.finish(window, at),
                    }
                }
                Step::Incomplete if last => return self.finish(window, at),
                Step::Incomplete => {
                    let is_settled = visitor.settled();
                    visitor.rollback();
                    if is_settled && self.is_section_whole() {
                        at = usize::try_from(self.section_start.saturating_sub(self.consumed)).unwrap_or(at);
                        self.section = Section::Markup;
                    }
                    if is_settled {
                        return self.fed(at, None);
                    }
                    self.restore(&checkpoint);
                    return self.fed(checkpoint.at, None);
                }
            }
        }
    }

    /// Reports whether a section is open that must be in a window whole: should it have no end, reading goes on inside it.
    fn is_section_whole(&self) -> bool {
        !matches!(self.section, Section::Markup | Section::LostTag)
            && self.after_break == AfterBreak::GoOn
            && !self.is_section_split
    }

    /// Reports whether the tag that the window ends in is larger than it may be.
    fn is_tag_too_large(&self, window: &[u8], at: usize) -> bool {
        self.section == Section::Markup
            && window.len() - at > self.limits.tag_bytes
            && window.get(at) == Some(&b'<')
    }

    /// Reports whether the report ends in a tag that holds another tag's begin.
    fn can_go_on(&self, window: &[u8], at: usize) -> bool {
        self.after_break == AfterBreak::GoOn
            && self.section == Section::Markup
            && window.get(at) == Some(&b'<')
            && window.get(at + 1..).is_some_and(|rest| memchr(b'<', rest).is_some())
    }

    /// Finds where a section without an end must have ended: at the next tag that has the name of an open element.
    fn end_of_endless(&self, window: &[u8], at: usize) -> Option<usize> {
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
    fn end_endless<V: XmlVisitor>(&mut self, window: &[u8], at: usize, end: usize, visitor: &mut V) {
        let start = self.section_start.saturating_sub(self.consumed);
        visitor.finding(FindingCode::EndlessSection, u32::try_from(start).unwrap_or(u32::MAX));
        if self.section == Section::CData && end > at {
            self.tell_text(window, at, end, TextKind::CData, visitor);
        }
        self.endless.push(self.section);
        self.section = Section::Markup;
    }

    /// Returns the raw name of an open element.
    fn name_of(&self, index: usize) -> Option<&[u8]> {
        let start = self.open.get(index).copied()?;
        let end = self.open.get(index + 1).copied().unwrap_or(self.names.len());
        self.names.get(start..end)
    }

    /// Keeps the state where the window may be given up; reports whether it may.
    #[inline]
    fn mark<V: XmlVisitor>(&self, at: usize, checkpoint: &mut Checkpoint, visitor: &mut V) -> bool {
        let is_settled = visitor.settled();
        if is_settled {
            *checkpoint = self.checkpoint(at);
            visitor.mark();
        }
        is_settled
    }

    #[inline]
    fn checkpoint(&self, at: usize) -> Checkpoint {
        let Self { phase, section, section_start, .. } = *self;
        Checkpoint { at, open: self.open.len(), phase, section, section_start }
    }

    /// Gives up what was consumed of the window; makes a place in the window one in the document.
    fn fed(&mut self, consumed: usize, stop: Option<(FindingCode, usize)>) -> Fed {
        let stop = stop.map(|(code, at)| (code, self.place(at)));
        self.consumed = self.place(consumed);
        Fed { consumed, stop }
    }

    /// Makes a place in the window one in the document.
    fn place(&self, at: usize) -> u64 {
        self.consumed.saturating_add(at as u64)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) {
        if let Some(&names) = self.open.get(checkpoint.open) {
            self.names.truncate(names);
            self.open.truncate(checkpoint.open);
        }
        self.phase = checkpoint.phase;
        self.section = checkpoint.section;
        self.section_start = checkpoint.section_start;
    }

    /// The last window ended; says whether the document did.
    fn finish(&mut self, window: &[u8], at: usize) -> Fed {
        if self.section != Section::Markup {
            let stop = Some((FindingCode::Unclosed, self.section_start));
            return Fed { stop, ..self.fed(window.len(), None) };
        }
        let rest_is_markup = window.get(at) == Some(&b'<');
        let code = if rest_is_markup {
            let rest = window.get(at..).unwrap_or_default();
            let section = rest.starts_with(b"<!") || rest.starts_with(b"<?");
            Some(if section && rest.len() > 2 { FindingCode::Unclosed } else { FindingCode::CutTag })
        } else if !self.open.is_empty() {
            Some(FindingCode::CutDocument)
        } else if self.phase == Phase::Before {
            let blank = window.iter().all(u8::is_ascii_whitespace);
            Some(if blank { FindingCode::Empty } else { FindingCode::NoRoot })
        } else {
            None
        };
        let place = if code == Some(FindingCode::CutDocument) { window.len() } else { at };
        self.fed(window.len(), code.map(|code| (code, place)))
    }

    /// Tells the text from `at` to the next `<`; returns where it ends.
    #[inline]
    fn text<V: XmlVisitor>(&mut self, window: &[u8], at: usize, last: bool, visitor: &mut V) -> usize {
        let rest = window.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'<') {
            return at;
        }
        let end = match memchr(b'<', rest) {
            Some(found) => at + found,
            None if last => window.len(),
            None => at + without_partial_end(rest),
        };
        if end > at {
            self.tell_text(window, at, end, TextKind::Parsed, visitor);
        }
        end
    }

    #[inline]
    fn tell_text<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        start: usize,
        end: usize,
        kind: TextKind,
        visitor: &mut V,
    ) {
        let span = Span::new(start, end);
        if self.phase == Phase::Inside {
            visitor.text(&Text { window, span, kind });
        } else if !self.told_outer_text {
            let raw = span.of(window);
            if let Some(place) = raw.iter().position(|byte| !byte.is_ascii_whitespace()) {
                self.told_outer_text = true;
                let code = if self.phase == Phase::Before {
                    FindingCode::TextBeforeRoot
                } else {
                    FindingCode::TextAfterRoot
                };
                visitor.finding(code, narrow(start + place));
            }
        }
    }

    /// Reads what begins with the `<` at `at`.
    #[inline]
    fn markup<V: XmlVisitor>(&mut self, window: &[u8], at: usize, last: bool, visitor: &mut V) -> Step {
        match window.get(at + 1) {
            None => Step::Incomplete,
            Some(b'/') => self.end_tag(window, at, visitor),
            Some(b'!') => self.declaration(window, at, last, visitor),
            Some(b'?') => {
                self.begin_section(Section::Instruction, at);
                Step::Done(at + 2)
            }
            Some(&byte) if begins_name(byte) => self.start_tag(window, at, visitor),
            Some(_) => self.bare_less_than(window, at, visitor),
        }
    }

    fn begin_section(&mut self, section: Section, at: usize) {
        self.section = section;
        self.section_start = self.place(at);
        self.is_section_split = std::mem::take(&mut self.split_next);
    }

    fn bare_less_than<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> Step {
        if self.phase == Phase::Inside {
            visitor.finding(FindingCode::BareLessThan, narrow(at));
        }
        self.tell_text(window, at, at + 1, TextKind::Literal, visitor);
        Step::Done(at + 1)
    }

    #[inline]
    fn end_tag<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> Step {
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
    fn close_down_to<V: XmlVisitor>(
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

    fn declaration<V: XmlVisitor>(&mut self, window: &[u8], at: usize, last: bool, visitor: &mut V) -> Step {
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
    fn section<V: XmlVisitor>(&mut self, window: &[u8], at: usize, last: bool, visitor: &mut V) -> Step {
        if self.section == Section::LostTag {
            return self.lost_tag(window, at, last, visitor);
        }
        let terminator = self.section.terminator();
        let rest = window.get(at..).unwrap_or_default();
        let found =
            if last && self.endless.contains(&self.section) { None } else { memmem::find(rest, terminator) };
        let content = match found {
            Some(length) => length,
            // the terminator may stand across the window's end, and a line end or a character, too
            None if !last => without_partial_end(rest).min(rest.len().saturating_sub(terminator.len())),
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

    #[inline]
    fn start_tag<V: XmlVisitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) -> Step {
        if self.phase == Phase::After && self.after_break == AfterBreak::Stop {
            return Step::Stop(FindingCode::SecondRoot, at);
        }
        self.tag_findings.clear();
        let Shaped { name_end, local, end, is_empty } = match self.read_shaped(window, at) {
            Some(read) => read,
            None => match self.read_unshaped(window, at) {
                Ok(read) => read,
                Err(step) => return step,
            },
        };
        if self.open.len() >= self.limits.depth {
            return self.lose_element(at, (end, is_empty), visitor);
        }
        let is_another_root = self.phase == Phase::After;
        let tag =
            StartTag { window, name: local, attributes: &self.attributes, at: narrow(at), shape: self.shape };
        if is_empty && self.phase == Phase::Inside && self.tag_findings.is_empty() {
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
    fn read_unshaped(&mut self, window: &[u8], at: usize) -> Result<Shaped, Step> {
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
}

/// Tells of a tag that is cut off; returns where the next one begins.
fn pass_over<V: XmlVisitor>(window: &[u8], at: usize, visitor: &mut V) -> usize {
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

/// Returns how much of a text at a window's end can be told now: not a reference, a line end or a character that may
/// go on in the next window.
fn without_partial_end(text: &[u8]) -> usize {
    // 16: the longest reference that means anything is `&#x0010FFFF;`, and zeros before it are rare
    const LONGEST_REFERENCE: usize = 16;
    let mut end = text.len();
    let tail = text.len().saturating_sub(LONGEST_REFERENCE);
    if let Some(found) = text.get(tail..).and_then(|tail| memchr::memrchr(b'&', tail)) {
        let place = tail + found;
        if memchr(b';', text.get(place..).unwrap_or_default()).is_none() {
            end = place;
        }
    }
    let kept = text.get(..end).unwrap_or_default();
    if kept.last() == Some(&b'\r') {
        return end - 1;
    }
    // a character of several bytes that is not whole
    for back in 1..=kept.len().min(3) {
        let byte = kept.get(kept.len() - back).copied().unwrap_or_default();
        let needs = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            0x80..=0xBF => continue,
            _ => break,
        };
        if needs > back {
            return end - back;
        }
        break;
    }
    end
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
