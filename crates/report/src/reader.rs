//! The bytes of a report → its cases.

use memchr::memchr;

use crate::finding::{Finding, FindingCode};
use crate::fold::Fold;
use crate::format::detect::{self, HEAD_BYTES, Roots};
use crate::format::junit::{JunitReader, JunitState};
use crate::format::{Engine, Format, LineReader};
use crate::limits::Limits;
use crate::out::{OffsetCursor, Out, Places, Visitor};
use crate::scan::encoding::{Decoded, StreamDecoder, as_text};
use crate::scan::json::JsonTree;
use crate::scan::reference::check_references;
use crate::scan::stream::StreamOffsets;
use crate::scan::xml::XmlScanner;
use crate::scan::xml::tree::{Element, XmlTree};
use crate::scan::xml::{Span, StartTag, Text, TextKind, XmlVisitor};

/// Bytes of a chunk that are decoded at once.
const WINDOW_BYTES: usize = 1 << 20;
/// Bytes of the largest window at least: more than what is held back at a window's end.
const LEAST_BYTES: usize = 4 << 10;
/// Bytes of a report that are held at least, to find its format; few where a fuzzer makes it.
const HELD_BYTES: usize = if cfg!(fuzzing) { 256 } else { HEAD_BYTES * 4 };

/// How a report is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The caps.
    pub limits: Limits,
    /// What cases that differ in no other way have in common: they count as repeated.
    pub fold: Fold,
}

impl From<Limits> for Options {
    fn from(limits: Limits) -> Self {
        Self { limits, fold: Fold::NOTHING }
    }
}

/// What came of reading a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// The format; nothing where none claims the report.
    pub format: Option<Format>,
    /// Cases that were told.
    pub cases: u64,
    /// Findings beyond the limit, which were not told.
    pub findings_left_out: u64,
}

/// Reads a report that is in memory.
///
/// # Examples
/// ```
/// use testlake_report::{Case, Finding, Limits, Visitor, read};
///
/// #[derive(Default)]
/// struct Names(Vec<String>);
///
/// impl Visitor for Names {
///     fn case(&mut self, case: &Case<'_>) {
///         self.0.extend(case.name.as_deref().map(str::to_owned));
///     }
///     fn finding(&mut self, finding: Finding) {
///         eprintln!("{} at byte {}", finding.code, finding.offset);
///     }
/// }
///
/// let mut names = Names::default();
/// let report = br#"<testsuite><testcase name="one"/><testcase name="two"/></testsuite>"#;
/// let reading = read(report, Limits::default(), &mut names);
/// assert_eq!(reading.cases, 2);
/// assert_eq!(names.0, ["one", "two"]);
/// ```
pub fn read(raw: &[u8], options: impl Into<Options>, visitor: &mut dyn Visitor) -> Reading {
    let options = options.into();
    let mut early = Early::default();
    let decoded = Decoded::new(raw, |finding| early.take(finding, options.limits));
    let mut out = Out::new(visitor, options, Places::Whole(OffsetCursor::new(&decoded)));
    let text = decoded.to_text();
    let claimed = claimed(&text, true, &mut out);
    if let Some((format, start)) = claimed {
        early.tell(&mut out);
        read_text(&text, format, start, &mut out);
        out.tell_if_silent();
    }
    let format = claimed.map(|(format, _)| format);
    Reading { format, cases: out.cases, findings_left_out: out.findings_left_out }
}

/// What is wrong with the encoding of what may be a report: of what is none nobody wants to know which bytes are no text.
#[derive(Default)]
struct Early {
    findings: Vec<Finding>,
    left_out: u64,
}

impl Early {
    fn take(&mut self, finding: Finding, limits: Limits) {
        if self.findings.len() < limits.findings {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    fn tell(self, out: &mut Out<'_>) {
        self.findings.into_iter().for_each(|finding| out.finding_in_raw(finding));
        out.findings_left_out += self.left_out;
    }
}

fn read_text(text: &str, format: Format, start: usize, out: &mut Out<'_>) {
    match format.engine() {
        Engine::Junit => {
            let mut windows = JunitWindows::new(out.limits, start as u64);
            let mut at = start;
            while at < text.len() {
                let end = text.ceil_char_boundary(at.saturating_add(windows.size));
                let window = text.get(at..end).unwrap_or_default();
                let Some(consumed) = windows.feed(window, end == text.len(), out) else { break };
                at += consumed;
            }
        }
        Engine::Xml(reader) => whole_xml(text, start, (format, reader), out),
        Engine::Json(reader) => whole_json(text, start, (format, reader), out),
        Engine::Lines(reader) => {
            let mut reader = reader();
            let mut at = start;
            for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
                read_line(&mut *reader, line, at as u64, out);
                at += line.len();
            }
            reader.finish(at as u64, out);
        }
        Engine::None => out.finding(FindingCode::UnreadFormat, start as u64),
    }
}

/// Finds the format, and where the report begins; tells what stands before it, or that there is none.
fn claimed(text: &str, is_all: bool, out: &mut Out<'_>) -> Option<(Format, usize)> {
    if is_all && text.trim().is_empty() {
        out.finding(FindingCode::Empty, 0);
        return None;
    }
    let mut found = detect::detect(detect::head_of(text, HEAD_BYTES));
    if found.format.is_none() && text.len() > HEAD_BYTES {
        // what tells the format may stand further behind
        found = detect::detect(detect::head_of(text, out.limits.whole_bytes));
    }
    let Some(format) = found.format else {
        out.finding(FindingCode::UnknownFormat, 0);
        return None;
    };
    let before = text.get(..found.start).unwrap_or_default();
    if !before.trim().is_empty() {
        out.finding(FindingCode::OtherOutput, 0);
    }
    Some((format, found.start))
}

/// Reads a line, unless it is larger than a case may be.
fn read_line(reader: &mut dyn LineReader, line: &str, place: u64, out: &mut Out<'_>) {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.len() > out.limits.case_bytes {
        out.finding(FindingCode::CaseTooLarge, place);
    } else {
        reader.line(line.strip_suffix('\r').unwrap_or(line), place, out);
    }
}

/// Reads a document of a format that needs it whole.
fn whole_xml(
    text: &str,
    start: usize,
    (format, reader): (Format, fn(Element<'_>, &mut Out<'_>)),
    out: &mut Out<'_>,
) {
    let window = text.get(start..).unwrap_or_default();
    if text.len() > out.limits.report_bytes {
        out.finding(FindingCode::ReportTooLarge, 0);
        return;
    }
    let mut scanner = XmlScanner::going_on(out.limits);
    let mut builder =
        Builder { tree: XmlTree::default(), out, base: start as u64, format, roots: Roots::default() };
    let fed = scanner.feed(window.as_bytes(), true, &mut builder);
    let tree = builder.tree;
    for root in tree.roots(window, start as u64) {
        reader(root, out);
    }
    if let Some((code, place)) = fed.stop {
        out.finding(code, start as u64 + place);
    }
}

/// Builds the tree of a whole document.
struct Builder<'text, 'report> {
    tree: XmlTree,
    out: &'text mut Out<'report>,
    base: u64,
    format: Format,
    roots: Roots,
}

impl Builder<'_, '_> {
    /// Tells what is wrong with the references in a part of the document.
    fn check(&mut self, span: Span, window: &[u8]) {
        let start = self.base + u64::from(span.start);
        check_references(span.of(window), |code, place| self.out.finding(code, start + place as u64));
    }
}

impl XmlVisitor for Builder<'_, '_> {
    fn tag(&mut self, _window: &[u8]) {}

    fn start(&mut self, tag: &StartTag<'_>) {
        for attribute in tag.attributes.iter().filter(|attribute| attribute.coded) {
            self.check(attribute.value, tag.window);
        }
        if !self.tree.is_open() {
            self.roots.begin(tag, self.format);
        }
        self.tree.start(tag);
    }

    fn text(&mut self, text: &Text<'_>) {
        if text.kind == TextKind::Parsed {
            self.check(text.span, text.window);
        }
        self.tree.text(text);
    }

    fn end(&mut self, _window: &[u8], end: u32) {
        self.tree.end(end, true);
    }

    fn end_missing(&mut self, _window: &[u8], end: u32) {
        self.tree.end(end, false);
    }

    fn finding(&mut self, code: FindingCode, at: u32) {
        self.out.finding(self.roots.code(code), self.base + u64::from(at));
    }

    fn settled(&self) -> bool {
        true
    }

    fn rollback(&mut self) {}
}

fn whole_json(
    text: &str,
    start: usize,
    (format, reader): (Format, fn(crate::scan::json::Json<'_>, &mut Out<'_>)),
    out: &mut Out<'_>,
) {
    if text.len() > out.limits.report_bytes {
        out.finding(FindingCode::ReportTooLarge, 0);
        return;
    }
    let mut tree = JsonTree::default();
    let mut at = start;
    let mut documents = detect::LINES;
    loop {
        let end = tree.read_on(text, at, out.limits.depth);
        if let Some(root) = tree.root(text, 0) {
            reader(root, out);
        }
        for place in tree.passed_over() {
            out.finding(FindingCode::MalformedLine, place);
        }
        if let Some(broken) = end.broken {
            use crate::scan::json::JsonBreak;
            let code =
                if broken == JsonBreak::TooDeep { FindingCode::TooDeep } else { FindingCode::MalformedJson };
            out.finding(code, end.at as u64);
        }
        // runs of several packages put one document behind the other, with lines of other output between
        let rest = text.get(end.at..).unwrap_or_default().trim_start();
        if rest.is_empty() {
            return;
        }
        let behind = text.len() - rest.len();
        let next = detect::next_document(text, behind, format, &mut documents);
        if next != Some(behind) {
            let is_other = detect::begins_other(rest.as_bytes(), format);
            let code = if is_other { FindingCode::ForeignDocument } else { FindingCode::OtherOutput };
            out.finding(code, behind as u64);
        }
        let Some(next) = next else { return };
        at = next;
    }
}

/// Returns how many bytes of a text so many are, with the rest of a character that would be cut.
fn whole_characters(text: &[u8], bytes: usize) -> usize {
    let Some(rest) = text.get(bytes..) else { return text.len() };
    bytes + rest.iter().take_while(|&byte| byte & 0xC0 == 0x80).count()
}

/// JUnit XML in windows.
struct JunitWindows {
    scanner: XmlScanner,
    state: JunitState,
    size: usize,
    /// The size of a window, unless a case needs more.
    first: usize,
    base: u64,
    limit: usize,
}

impl JunitWindows {
    fn new(limits: Limits, base: u64) -> Self {
        // a tag that is larger than it may be must be seen to be so
        let limit = limits.case_bytes.max(limits.tag_bytes.saturating_add(1)).max(LEAST_BYTES);
        let first = limits.window_bytes.clamp(1, limit);
        Self {
            scanner: XmlScanner::going_on(limits).passing_over_large(),
            state: JunitState::default(),
            size: first,
            first,
            base,
            limit,
        }
    }

    /// Reads a window; returns how much of it need not be shown again, or nothing where reading has ended.
    fn feed(&mut self, window: &str, is_last: bool, out: &mut Out<'_>) -> Option<usize> {
        let begin = self.begin();
        let mut reader = JunitReader { window, state: &mut self.state, out, base: self.base };
        let fed = self.scanner.feed(window.as_bytes(), is_last, &mut reader);
        if is_last || fed.stop.is_some() {
            reader.finish();
            if let Some((code, place)) = fed.stop {
                out.finding(code, begin + place);
            }
            return None;
        }
        self.base += fed.consumed as u64;
        if fed.consumed > 0 {
            self.size = self.first;
        } else if self.size < self.limit {
            self.size = (self.size * 2).min(self.limit);
        } else if !self.scanner.split_section(window.as_bytes()) {
            self.state.pass_over_next();
        }
        Some(fed.consumed)
    }

    /// The place in the text that the scanner counts from.
    fn begin(&self) -> u64 {
        self.base - self.scanner.consumed()
    }
}

/// Reads a report that comes in chunks. One up to [`Limits::whole_bytes`] is read when it has ended; of a larger one,
/// in a format that allows it, no more than a window is held.
pub struct ReportReader<'visitor> {
    options: Options,
    state: State<'visitor>,
}

enum State<'visitor> {
    /// The head of the report, or all of it.
    Holding {
        raw: Vec<u8>,
        visitor: &'visitor mut dyn Visitor,
    },
    Reading(Box<Chunks<'visitor>>),
    Taken,
}

struct Chunks<'visitor> {
    decoder: StreamDecoder,
    text: Vec<u8>,
    /// The place of `text`'s begin in the whole text.
    base: u64,
    out: Out<'visitor>,
    format: Option<Format>,
    engine: ChunkEngine,
}

enum ChunkEngine {
    Junit(Box<JunitWindows>),
    Lines {
        reader: Box<dyn LineReader>,
        is_passing_over: bool,
        /// How much of the text is known to hold no line's end.
        searched: usize,
    },
    Whole {
        start: usize,
        format: Format,
        is_too_large: bool,
    },
    Ended,
}

impl std::fmt::Debug for ReportReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReportReader")
    }
}

impl<'visitor> ReportReader<'visitor> {
    /// Makes a reader for one report.
    pub fn new(options: impl Into<Options>, visitor: &'visitor mut dyn Visitor) -> Self {
        Self { options: options.into(), state: State::Holding { raw: Vec::new(), visitor } }
    }

    /// Takes the next bytes of the report.
    pub fn feed(&mut self, chunk: &[u8]) {
        match &mut self.state {
            State::Holding { raw, .. } => {
                raw.extend_from_slice(chunk);
                if raw.len() > self.options.limits.whole_bytes.max(HELD_BYTES) {
                    self.begin_chunks();
                }
            }
            State::Reading(chunks) => chunks.feed(chunk, self.options.limits),
            State::Taken => {}
        }
    }

    fn begin_chunks(&mut self) {
        let State::Holding { raw, visitor } = std::mem::replace(&mut self.state, State::Taken) else {
            return;
        };
        self.state = State::Reading(Box::new(Chunks::new(&raw, self.options, visitor)));
    }

    /// Reports whether nothing that is still to come would be told: no format claims the report, or reading has ended.
    pub fn is_over(&self) -> bool {
        match &self.state {
            State::Holding { .. } => false,
            State::Reading(chunks) => matches!(chunks.engine, ChunkEngine::Ended),
            State::Taken => true,
        }
    }

    /// The report has ended.
    pub fn finish(self) -> Reading {
        match self.state {
            State::Holding { raw, visitor } => read(&raw, self.options, visitor),
            State::Reading(chunks) => chunks.finish(),
            State::Taken => Reading::default(),
        }
    }
}

impl<'visitor> Chunks<'visitor> {
    fn new(raw: &[u8], options: Options, visitor: &'visitor mut dyn Visitor) -> Self {
        let limits = options.limits;
        let mut out = Out::new(visitor, options, Places::Chunks(StreamOffsets::default()));
        let mut decoder = StreamDecoder::new();
        let mut text = Vec::new();
        let mut early = Early::default();
        decoder.decode(raw, &mut text, |finding| early.take(finding, limits));
        out.swap_offsets(&mut decoder.offsets);
        let claimed = claimed(&as_text(&text), false, &mut out);
        if claimed.is_some() {
            early.tell(&mut out);
        }
        let (format, engine) = match claimed {
            None => (None, ChunkEngine::Ended),
            Some((format, start)) => (
                Some(format),
                match format.engine() {
                    Engine::Junit => {
                        text.drain(..start);
                        ChunkEngine::Junit(Box::new(JunitWindows::new(limits, start as u64)))
                    }
                    Engine::Lines(reader) => {
                        text.drain(..start);
                        ChunkEngine::Lines { reader: reader(), is_passing_over: false, searched: 0 }
                    }
                    Engine::Xml(_) | Engine::Json(_) => {
                        ChunkEngine::Whole { start, format, is_too_large: false }
                    }
                    Engine::None => {
                        out.finding(FindingCode::UnreadFormat, start as u64);
                        ChunkEngine::Ended
                    }
                },
            ),
        };
        let base = match engine {
            ChunkEngine::Junit(_) | ChunkEngine::Lines { .. } => claimed.map_or(0, |(_, start)| start as u64),
            _ => 0,
        };
        let mut chunks = Self { decoder, text, base, out, format, engine };
        chunks.pump(false, limits);
        chunks
    }

    fn feed(&mut self, chunk: &[u8], limits: Limits) {
        if matches!(self.engine, ChunkEngine::Ended) {
            return;
        }
        // so that the text never holds much more than a window and a chunk
        for part in chunk.chunks(WINDOW_BYTES) {
            let out = &mut self.out;
            out.swap_offsets(&mut self.decoder.offsets);
            self.decoder.decode(part, &mut self.text, |finding| out.finding_in_raw(finding));
            out.swap_offsets(&mut self.decoder.offsets);
            self.pump(false, limits);
        }
    }

    fn finish(mut self: Box<Self>) -> Reading {
        let limits = self.out.limits;
        let out = &mut self.out;
        out.swap_offsets(&mut self.decoder.offsets);
        let is_report = self.format.is_some();
        self.decoder.finish(&mut self.text, |finding: Finding| {
            if is_report {
                out.finding_in_raw(finding);
            }
        });
        out.swap_offsets(&mut self.decoder.offsets);
        self.pump(true, limits);
        let Self { mut out, format, .. } = *self;
        out.tell_if_silent();
        Reading { format, cases: out.cases, findings_left_out: out.findings_left_out }
    }

    /// Reads as far as the text allows.
    fn pump(&mut self, is_last: bool, limits: Limits) {
        match &mut self.engine {
            ChunkEngine::Junit(windows) => {
                let mut at = 0;
                // more than a window: that of a report's end is known to be the last
                while is_last || self.text.len() - at > windows.size {
                    let rest = self.text.len() - at;
                    let size = whole_characters(self.text.get(at..).unwrap_or_default(), windows.size);
                    let window = as_text(self.text.get(at..at + size).unwrap_or_default());
                    match windows.feed(&window, is_last && size == rest, &mut self.out) {
                        Some(consumed) => at += consumed,
                        None => {
                            self.engine = ChunkEngine::Ended;
                            break;
                        }
                    }
                }
                self.text.drain(..at);
                self.base += at as u64;
            }
            ChunkEngine::Lines { reader, is_passing_over, searched } => {
                let mut at = 0;
                while let Some(rest) = self.text.get(at..) {
                    let known = std::mem::take(searched);
                    let end = match memchr(b'\n', rest.get(known..).unwrap_or_default()) {
                        Some(end) => known + end + 1,
                        None if is_last && !rest.is_empty() => rest.len(),
                        None => break,
                    };
                    let place = self.base + at as u64;
                    let line = rest.get(..end).unwrap_or_default();
                    if std::mem::take(is_passing_over) {
                        // the end of a line that was too long
                    } else {
                        read_line(&mut **reader, &as_text(line), place, &mut self.out);
                    }
                    at += end;
                }
                self.text.drain(..at);
                self.base += at as u64;
                *searched = self.text.len();
                if self.text.len() > limits.case_bytes {
                    *searched = 0;
                    if !*is_passing_over {
                        self.out.finding(FindingCode::CaseTooLarge, self.base);
                    }
                    *is_passing_over = true;
                    self.base += self.text.len() as u64;
                    self.text.clear();
                }
                if is_last {
                    reader.finish(self.base, &mut self.out);
                }
            }
            ChunkEngine::Whole { start, format, is_too_large } => {
                if self.text.len() > limits.report_bytes && !*is_too_large {
                    *is_too_large = true;
                    self.out.finding(FindingCode::ReportTooLarge, 0);
                }
                if *is_too_large {
                    self.text = Vec::new();
                } else if is_last {
                    let text = as_text(&self.text);
                    match format.engine() {
                        Engine::Xml(reader) => whole_xml(&text, *start, (*format, reader), &mut self.out),
                        Engine::Json(reader) => whole_json(&text, *start, (*format, reader), &mut self.out),
                        Engine::Junit | Engine::Lines(_) | Engine::None => {}
                    }
                }
            }
            ChunkEngine::Ended => self.text.clear(),
        }
    }
}
