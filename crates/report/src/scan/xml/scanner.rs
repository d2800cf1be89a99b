//! Windows: as far as each can be read, one construct after the other.

use memchr::memchr;

use super::lost::Lost;
use super::section::Section;
use super::shape::Shapes;
use super::tag::{begins_name, pass_over};
use super::visitor::{Attribute, ShapeId, XmlVisitor};
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
    pub(super) section_start: u64,
    /// Bytes that were consumed before the window.
    consumed: u64,
    pub(super) attributes: Vec<Attribute>,
    /// The attributes of the tag around the one that is read, where both are told at once.
    pub(super) outer_attributes: Vec<Attribute>,
    /// What is wrong with the attributes of the tag that is read.
    pub(super) tag_findings: Vec<(FindingCode, u32)>,
    /// What was passed over and has not ended.
    pub(super) lost: Option<Lost>,
    /// The names of the attributes that tags had.
    pub(super) shapes: Shapes,
    /// The shape of the tag that is read.
    pub(super) shape: Option<ShapeId>,
    pub(super) told_outer_text: bool,
    pub(super) after_break: AfterBreak,
    /// The kinds of sections of which no end stands in what is left of the last window.
    pub(super) endless: Vec<Section>,
    /// Document types of which no end stands in the last window.
    pub(super) endless_types: u8,
    /// What begins the next window is larger than a window may be.
    pub(super) split_next: bool,
    /// The open section is larger than a window may be: it is read as far as each window goes.
    pub(super) is_section_split: bool,
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
            outer_attributes: Vec::new(),
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

    /// Returns the raw name of an open element.
    pub(super) fn name_of(&self, index: usize) -> Option<&[u8]> {
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
    pub(super) fn place(&self, at: usize) -> u64 {
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
}
