//! Text → a tree of places.

use memchr::{memchr, memchr2, memmem};

use super::value::Json;

/// Places of what was passed over that are kept.
const PASSED_OVER: usize = 1000;
/// Lists that are open in which the next element is looked for.
const BEGINNINGS: usize = 8;
/// No node.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    /// Without its quotes; with or without escapes.
    Plain,
    Escaped,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) is_whole: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The string node of the member's name.
    pub(super) name: u32,
    pub(super) first_child: u32,
    pub(super) last_child: u32,
    pub(super) next_sibling: u32,
}

/// Why reading ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonBreak {
    /// The text ends inside a value.
    Cut,
    /// A character that cannot stand there.
    Malformed,
    /// Containers nested deeper than the limit.
    TooDeep,
}

/// A tree of one JSON value. Buffers are kept when another is read.
#[derive(Debug, Default)]
pub struct JsonTree {
    pub(super) nodes: Vec<Node>,
    open: Vec<Open>,
    goes_on: bool,
    passed_over: Vec<u32>,
    /// The line that `beginnings` are of, from the first that was wrong in it.
    line: std::ops::Range<usize>,
    /// How elements of open lists begin, and where the next that does stands in the line.
    beginnings: Vec<(Vec<u8>, usize)>,
}

/// A container that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: u32,
    /// Something in it was passed over.
    is_damaged: bool,
}

/// What has to stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// The name of a member.
    Name,
    /// A comma, or the end of the container; nothing behind the outermost value.
    Behind,
}

/// What came of reading a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonEnd {
    /// The place behind the value, or where reading ended.
    pub at: usize,
    /// Why it ended early, if it did.
    pub broken: Option<JsonBreak>,
}

impl JsonTree {
    /// Reads the value that begins at `start`, behind any white space. A text of 4 GiB or more breaks off there.
    pub fn read(&mut self, text: &str, start: usize, depth: usize) -> JsonEnd {
        self.nodes.clear();
        self.open.clear();
        self.passed_over.clear();
        self.line = 0..0;
        let bytes = text.as_bytes();
        let bytes = bytes.get(..bytes.len().min(u32::MAX as usize - 1)).unwrap_or(bytes);
        let mut at = start;
        let broken = self.value(bytes, &mut at, depth).err();
        JsonEnd { at, broken }
    }

    /// As [`read`](Self::read), but what is wrong is passed over by lines where reading can go on behind it: a line of
    /// other output leaves no trace, any other leaves the container around it as not whole.
    pub fn read_on(&mut self, text: &str, start: usize, depth: usize) -> JsonEnd {
        self.goes_on = true;
        let end = self.read(text, start, depth);
        self.goes_on = false;
        end
    }

    /// Returns the places of what was passed over.
    pub fn passed_over(&self) -> impl Iterator<Item = u64> + '_ {
        self.passed_over.iter().map(|&place| u64::from(place))
    }

    /// Returns the value that was read, or what there is of it.
    pub fn root<'tree>(&'tree self, text: &'tree str, base: u64) -> Option<Json<'tree>> {
        Some(Json { tree: self, text, base, node: self.nodes.first()? })
    }

    fn value(&mut self, bytes: &[u8], at: &mut usize, depth: usize) -> Result<(), JsonBreak> {
        let mut name = NONE;
        let mut next = Next::Value;
        loop {
            let read = match next {
                Next::Value => self.begin_value(bytes, at, &mut name, depth),
                Next::Name => self.member_name(bytes, at).map(|found| {
                    name = found;
                    Next::Value
                }),
                Next::Behind if self.open.is_empty() => return Ok(()),
                Next::Behind => self.behind_value(bytes, at),
            };
            next = match read {
                Ok(next) => next,
                Err(JsonBreak::Malformed) if self.goes_on => {
                    self.find_on(bytes, at, next).ok_or(JsonBreak::Malformed)?
                }
                Err(broken) => return Err(broken),
            };
        }
    }

    fn begin_value(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        name: &mut u32,
        depth: usize,
    ) -> Result<Next, JsonBreak> {
        skip_space(bytes, at);
        let opened = self.scalar_or_open(bytes, at, *name)?;
        *name = NONE;
        if !opened {
            return Ok(Next::Behind);
        }
        if self.open.len() > depth {
            return Err(JsonBreak::TooDeep);
        }
        skip_space(bytes, at);
        Ok(self.in_container(bytes, *at))
    }

    /// Returns what has to stand next behind the begin of a container, or behind a comma in it.
    fn in_container(&self, bytes: &[u8], at: usize) -> Next {
        let closing = self.closing();
        if bytes.get(at) == Some(&closing) {
            Next::Behind
        } else if closing == b'}' {
            Next::Name
        } else {
            Next::Value
        }
    }

    /// As what has to stand next, or the end of the container where that stands there.
    fn at_or(&self, bytes: &[u8], at: usize, next: Next) -> Next {
        if bytes.get(at) == Some(&self.closing()) { Next::Behind } else { next }
    }

    fn behind_value(&mut self, bytes: &[u8], at: &mut usize) -> Result<Next, JsonBreak> {
        skip_space(bytes, at);
        let closing = self.closing();
        match bytes.get(*at) {
            Some(&byte) if byte == closing => {
                *at += 1;
                self.close(*at, true);
                Ok(Next::Behind)
            }
            Some(b',') => {
                *at += 1;
                skip_space(bytes, at);
                // a comma before the end is forgiven
                Ok(self.in_container(bytes, *at))
            }
            Some(_) => Err(JsonBreak::Malformed),
            None => Err(JsonBreak::Cut),
        }
    }

    fn close(&mut self, end: usize, is_closed: bool) {
        if let Some(open) = self.open.pop()
            && let Some(node) = self.nodes.get_mut(open.node as usize)
        {
            node.is_whole = is_closed && !open.is_damaged;
            node.end = place(end);
        }
    }

    fn closing(&self) -> u8 {
        let open = self.open.last().and_then(|open| self.nodes.get(open.node as usize));
        if open.is_some_and(|node| node.kind == Kind::Array) { b']' } else { b'}' }
    }

    /// Finds where reading can go on behind what is wrong, by lines: at one that closes a container that is open, or goes
    /// on with it behind a comma. A line that begins a document of its own ends the search.
    fn find_on(&mut self, bytes: &[u8], at: &mut usize, next: Next) -> Option<Next> {
        if self.passed_over.len() < PASSED_OVER {
            self.passed_over.push(place(*at));
        }
        let in_line = |byte: &&u8| byte.is_ascii_whitespace() && **byte != b'\n';
        let line_start = *at - bytes.get(..*at)?.iter().rev().take_while(in_line).count();
        let is_line = line_start == 0 || bytes.get(line_start - 1) == Some(&b'\n');
        let of_json = |byte: &u8| byte.is_ascii_digit() || b"\"{}[],-".contains(byte);
        if is_line && !self.open.is_empty() && !bytes.get(*at).is_some_and(of_json) {
            // a line of other output
            *at = line_end(bytes, *at);
            skip_space(bytes, at);
            // the container may end there
            return Some(if next == Next::Behind { next } else { self.at_or(bytes, *at, next) });
        }
        if self.find_element(bytes, at).is_some() {
            return Some(Next::Value);
        }
        self.open.last_mut()?.is_damaged = true;
        let mut start = *at;
        let mut inside = 0_usize;
        let before = bytes.get(..line_start)?.trim_ascii_end();
        let mut has_comma = is_line && before.last() == Some(&b',');
        // what is left of the line that is wrong tells no more than what it ends with
        let mut is_begun = !is_line;
        loop {
            let end = line_end(bytes, start);
            let line = bytes.get(start..end)?;
            if line.is_empty() {
                *at = bytes.len();
                return None;
            }
            let text = line.trim_ascii();
            let first = text.first().copied().filter(|_| !std::mem::take(&mut is_begun));
            let place = start + (line.len() - line.trim_ascii_start().len());
            let is_close = matches!(first, Some(b'}' | b']'));
            if is_close && inside > 0 {
                inside -= 1;
            } else if inside == 0 && self.goes_on_with(first, has_comma) {
                *at = place;
                return Some(match first {
                    Some(b'}' | b']' | b',') => Next::Behind,
                    _ if self.closing() == b'}' => Next::Name,
                    _ => Next::Value,
                });
            }
            // another document
            if matches!(line.first(), Some(b'{' | b'[')) && bytes.get(start.wrapping_sub(1)) == Some(&b'\n') {
                *at = start;
                return None;
            }
            if matches!(text.last(), Some(b'{' | b'[')) {
                inside += 1;
            }
            if !text.is_empty() {
                has_comma = text.last() == Some(&b',');
            }
            start = end;
        }
    }

    /// Finds the next element of a list that is open in the same line: an object that begins as the first of the list does.
    /// What is open inside the list is closed.
    fn find_element(&mut self, bytes: &[u8], at: &mut usize) -> Option<()> {
        if !self.line.contains(at) {
            self.line = *at..line_end(bytes, *at);
            self.beginnings.clear();
        }
        let end = self.line.end;
        let mut found: Option<(usize, usize)> = None;
        for (level, open) in self.open.iter().enumerate().rev().take(BEGINNINGS) {
            let Some(beginning) = self.beginning(bytes, open) else { continue };
            let place = next_of(&mut self.beginnings, beginning, bytes.get(..end)?, *at);
            if place < found.map_or(usize::MAX, |(_, nearest)| nearest) {
                found = Some((level, place));
            }
        }
        let (level, place) = found?;
        self.close_here(level + 1);
        // behind the comma
        *at = place + 1;
        Some(())
    }

    /// Returns how the elements of a list begin behind a comma, by the first of them: `,{"name"`.
    fn beginning(&self, bytes: &[u8], open: &Open) -> Option<Vec<u8>> {
        let list = self.nodes.get(open.node as usize).filter(|node| node.kind == Kind::Array)?;
        let first = self.nodes.get(list.first_child as usize).filter(|node| node.kind == Kind::Object)?;
        let name = self.nodes.get(self.nodes.get(first.first_child as usize)?.name as usize)?;
        // a writer that puts a space behind a colon puts one behind a comma
        let is_spaced = bytes.get(name.end as usize + 2) == Some(&b' ');
        let name = bytes.get(name.start as usize..name.end as usize).filter(|name| name.len() < 100)?;
        Some([if is_spaced { b", {\"" } else { &b",{\""[..] }, name, b"\":"].concat())
    }

    /// Closes containers, without their ends, until so many are open.
    fn close_here(&mut self, open: usize) {
        while self.open.len() > open {
            let end = self.nodes.last().map_or(0, |node| node.end);
            self.close(end as usize, false);
        }
    }

    /// Reports whether the innermost container is an element of a list.
    fn is_in_list(&self) -> bool {
        let around = self.open.iter().nth_back(1).and_then(|open| self.nodes.get(open.node as usize));
        around.is_some_and(|node| node.kind == Kind::Array)
    }

    /// Reports whether a line that begins so goes on with a container that is open, which is then the innermost.
    fn goes_on_with(&mut self, first: Option<u8>, has_comma: bool) -> bool {
        let is_object = self.closing() == b'}';
        match first {
            Some(b',') => true,
            Some(close @ (b'}' | b']')) => {
                let kind = if close == b'}' { Kind::Object } else { Kind::Array };
                let is_of_kind =
                    |open: &Open| self.nodes.get(open.node as usize).is_some_and(|node| node.kind == kind);
                let Some(found) = self.open.iter().rposition(is_of_kind) else { return false };
                self.close_here(found + 1);
                true
            }
            Some(b'"') => has_comma,
            // the end of the object is missing: the next one of the list around it
            Some(b'{') if has_comma && is_object && self.is_in_list() => {
                self.close_here(self.open.len() - 1);
                true
            }
            Some(b'{' | b'[' | b'-' | b'0'..=b'9') => has_comma && !is_object,
            _ => false,
        }
    }

    fn member_name(&mut self, bytes: &[u8], at: &mut usize) -> Result<u32, JsonBreak> {
        match bytes.get(*at) {
            None => return Err(JsonBreak::Cut),
            Some(b'"') => {}
            Some(_) => return Err(JsonBreak::Malformed),
        }
        let (kind, start, end) = string(bytes, at)?;
        let name = place(self.nodes.len());
        self.nodes.push(Node { is_whole: true, ..Node::new(kind, start, end) });
        skip_space(bytes, at);
        match bytes.get(*at) {
            None => Err(JsonBreak::Cut),
            Some(b':') => {
                *at += 1;
                Ok(name)
            }
            Some(_) => Err(JsonBreak::Malformed),
        }
    }

    /// Reads a scalar, or the begin of a container; reports which.
    fn scalar_or_open(&mut self, bytes: &[u8], at: &mut usize, name: u32) -> Result<bool, JsonBreak> {
        let start = *at;
        let (kind, start, end) = match bytes.get(start) {
            None => return Err(JsonBreak::Cut),
            Some(b'"') => string(bytes, at)?,
            Some(b'{' | b'[') => {
                *at += 1;
                let kind = if bytes.get(start) == Some(&b'{') { Kind::Object } else { Kind::Array };
                (kind, start, start)
            }
            Some(b'-' | b'0'..=b'9') => {
                let rest = bytes.get(start..).unwrap_or_default();
                let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                *at += rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len());
                (Kind::Number, start, *at)
            }
            Some(_) => {
                let words = [
                    (&b"null"[..], Kind::Null),
                    (b"true", Kind::True),
                    (b"false", Kind::False),
                    // what some writers put for numbers that JSON has no form for
                    (b"NaN", Kind::Null),
                    (b"Infinity", Kind::Null),
                ];
                let rest = bytes.get(start..).unwrap_or_default();
                let Some((word, kind)) = words.iter().find(|(word, _)| rest.starts_with(word)) else {
                    let is_cut = words.iter().any(|(word, _)| word.starts_with(rest));
                    return Err(if is_cut { JsonBreak::Cut } else { JsonBreak::Malformed });
                };
                *at += word.len();
                (*kind, start, *at)
            }
        };
        let is_container = matches!(kind, Kind::Array | Kind::Object);
        let index = place(self.nodes.len());
        let parent = self.open.last().copied();
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent.node as usize)) {
            let before = std::mem::replace(&mut parent.last_child, index);
            if before == NONE {
                parent.first_child = index;
            } else if let Some(before) = self.nodes.get_mut(before as usize) {
                before.next_sibling = index;
            }
        }
        self.nodes.push(Node { name, is_whole: !is_container, ..Node::new(kind, start, end) });
        if is_container {
            self.open.push(Open { node: index, is_damaged: false });
        }
        Ok(is_container)
    }
}

impl Node {
    fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self {
            kind,
            is_whole: false,
            start: place(start),
            end: place(end),
            name: NONE,
            first_child: NONE,
            last_child: NONE,
            next_sibling: NONE,
        }
    }
}

/// Reads the string that begins at `at`; returns where its content begins and ends.
fn string(bytes: &[u8], at: &mut usize) -> Result<(Kind, usize, usize), JsonBreak> {
    let start = *at + 1;
    let mut kind = Kind::Plain;
    let mut from = start;
    loop {
        let rest = bytes.get(from..).unwrap_or_default();
        let Some(found) = memchr2(b'"', b'\\', rest) else {
            *at = bytes.len();
            return Err(JsonBreak::Cut);
        };
        if rest.get(found) == Some(&b'"') {
            *at = from + found + 1;
            return Ok((kind, start, from + found));
        }
        kind = Kind::Escaped;
        from += found + 2;
    }
}

/// Finds where in a line a beginning stands next; each is looked for once, or not at all where there are too many.
fn next_of(known: &mut Vec<(Vec<u8>, usize)>, beginning: Vec<u8>, line: &[u8], at: usize) -> usize {
    let find = || {
        let rest = line.get(at..).unwrap_or_default();
        memmem::find(rest, &beginning).map_or(usize::MAX, |place| at + place)
    };
    if let Some((_, place)) = known.iter_mut().find(|(known, _)| *known == beginning) {
        if *place < at {
            *place = find();
        }
        return *place;
    }
    if known.len() == BEGINNINGS {
        return usize::MAX;
    }
    let place = find();
    known.push((beginning, place));
    place
}

/// Returns where the next line begins.
fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |end| at + end + 1)
}

fn skip_space(bytes: &[u8], at: &mut usize) {
    let rest = bytes.get(*at..).unwrap_or_default();
    *at += rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
}

/// A place as 32 bits: [`JsonTree::read`] looks at less than 4 GiB, and each node takes a byte of it at least.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}
