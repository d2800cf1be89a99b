//! Reads JSON that may break off.
//!
//! A value becomes a tree of places in the text; strings and numbers are decoded when they are asked for. Where the
//! text is wrong or ends, the containers that are open stay as far as they were read and are marked as not whole.
//! Grammar: <https://www.rfc-editor.org/rfc/rfc8259>.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// Places of what was passed over that are kept.
const PASSED_OVER: usize = 1000;
/// Lists that are open in which the next element is looked for.
const BEGINNINGS: usize = 8;
/// No node.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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
struct Node {
    kind: Kind,
    is_whole: bool,
    start: u32,
    end: u32,
    /// The string node of the member's name.
    name: u32,
    first_child: u32,
    last_child: u32,
    next_sibling: u32,
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
    nodes: Vec<Node>,
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

/// A value of a tree.
#[derive(Clone, Copy)]
pub struct Json<'tree> {
    tree: &'tree JsonTree,
    text: &'tree str,
    base: u64,
    node: &'tree Node,
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.node.kind, self.offset())
    }
}

impl<'tree> Json<'tree> {
    /// Returns the place in the text that it begins at.
    pub fn offset(&self) -> u64 {
        self.base + u64::from(self.node.start)
    }

    /// Reports whether it was read to its end.
    pub fn is_whole(&self) -> bool {
        self.node.is_whole
    }

    /// Reports whether it is an object.
    pub fn is_object(&self) -> bool {
        self.node.kind == Kind::Object
    }

    /// Reports whether it is an array.
    pub fn is_array(&self) -> bool {
        self.node.kind == Kind::Array
    }

    /// Reports whether it is a string.
    pub fn is_text(&self) -> bool {
        matches!(self.node.kind, Kind::Plain | Kind::Escaped)
    }

    /// Returns the member of a name; nothing where it is `null`. Of several the last, as most readers do.
    pub fn get(&self, name: &str) -> Option<Self> {
        let found = self.members().filter(|(other, _)| other == name).last();
        found.map(|(_, value)| value).filter(|value| value.node.kind != Kind::Null)
    }

    /// Returns the members of an object, in order.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'tree, str>, Self)> + use<'tree> {
        let value = *self;
        let is_object = self.is_object();
        value.items_of(is_object).map(move |member| {
            let name = value.tree.nodes.get(member.node.name as usize);
            (name.map(|name| value.decode(name)).unwrap_or_default(), member)
        })
    }

    /// Returns the elements of an array, in order; none of anything else.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'tree> {
        self.items_of(self.is_array())
    }

    fn items_of(self, is_wanted: bool) -> impl Iterator<Item = Self> + use<'tree> {
        let mut next = if is_wanted { self.node.first_child } else { NONE };
        std::iter::from_fn(move || {
            let node = self.tree.nodes.get(next as usize)?;
            next = node.next_sibling;
            Some(Self { node, ..self })
        })
    }

    /// Returns the elements of the array that a member holds.
    pub fn list(&self, name: &str) -> impl Iterator<Item = Self> + use<'tree> {
        self.get(name).into_iter().flat_map(|list| list.items())
    }

    /// Returns a string.
    pub fn text(&self) -> Option<Cow<'tree, str>> {
        self.is_text().then(|| self.decode(self.node))
    }

    /// Returns the string that a member holds.
    pub fn text_of(&self, name: &str) -> Option<Cow<'tree, str>> {
        self.get(name)?.text()
    }

    /// Returns the string that a member holds, unless it is blank.
    pub fn filled(&self, name: &str) -> Option<Cow<'tree, str>> {
        self.text_of(name).filter(|text| !text.trim().is_empty())
    }

    /// Returns a finite number.
    pub fn number(&self) -> Option<f64> {
        let raw = (self.node.kind == Kind::Number).then(|| self.raw())?;
        raw.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Returns the finite number that a member holds.
    pub fn number_of(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    /// Returns the whole number that a member holds.
    pub fn whole_number_of(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        (value.node.kind == Kind::Number).then(|| value.raw().parse().ok())?
    }

    /// Returns a truth value.
    pub fn truth(&self) -> Option<bool> {
        match self.node.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// Returns the truth value that a member holds.
    pub fn truth_of(&self, name: &str) -> Option<bool> {
        self.get(name)?.truth()
    }

    /// Returns a string, a number or a truth value as text; a container as it stands.
    pub fn shown(&self) -> Cow<'tree, str> {
        if self.is_text() { self.decode(self.node) } else { Cow::Borrowed(self.raw()) }
    }

    fn raw(&self) -> &'tree str {
        self.text.get(self.node.start as usize..self.node.end as usize).unwrap_or_default()
    }

    fn decode(&self, node: &Node) -> Cow<'tree, str> {
        let raw = self.text.get(node.start as usize..node.end as usize).unwrap_or_default();
        if node.kind == Kind::Plain { Cow::Borrowed(raw) } else { Cow::Owned(unescape(raw)) }
    }
}

/// Reads the escapes of a string. What is no escape stays as it stands; half of a surrogate pair becomes U+FFFD.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        let plain = match characters.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('u') => {
                let (character, length) = read_unit(after.get(1..).unwrap_or_default());
                out.push(character);
                rest = after.get(1 + length..).unwrap_or_default();
                continue;
            }
            Some(other) => {
                out.push('\\');
                other
            }
            None => '\\',
        };
        out.push(plain);
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}

/// Reads four digits, and the other half of a pair; returns the character and how many bytes named it.
fn read_unit(text: &str) -> (char, usize) {
    let unit = |text: Option<&str>| -> Option<u32> {
        let digits = text?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let Some(first) = unit(Some(text)) else { return ('\u{FFFD}', 0) };
    if let 0xD800..=0xDBFF = first
        && let Some(second @ 0xDC00..=0xDFFF) = unit(text.get(4..).and_then(|rest| rest.strip_prefix("\\u")))
    {
        let point = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(point).unwrap_or('\u{FFFD}'), 10);
    }
    (char::from_u32(first).unwrap_or('\u{FFFD}'), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: Json<'_>) -> String {
        let whole = if json.is_whole() { "" } else { "…" };
        if json.is_object() {
            let members: Vec<String> =
                json.members().map(|(name, value)| format!("{name}={}", shown(value))).collect();
            format!("{{{}{whole}}}", members.join(" "))
        } else if json.is_array() {
            let items: Vec<String> = json.items().map(shown).collect();
            format!("[{}{whole}]", items.join(" "))
        } else {
            json.shown().into_owned()
        }
    }

    fn read(text: &str) -> (String, Option<JsonBreak>) {
        let mut tree = JsonTree::default();
        let end = tree.read(text, 0, 10);
        (tree.root(text, 0).map(shown).unwrap_or_default(), end.broken)
    }

    #[test]
    fn values_are_read() {
        let text = r#" {"a": [1, -2.5e3, "x\n\u00e9\ud83d\ude00\/", true, false, null, {}, []], "b": ""} "#;
        assert_eq!(read(text), ("{a=[1 -2.5e3 x\né😀/ true false null {} []] b=}".into(), None));
        assert_eq!(read("7"), ("7".into(), None));
    }

    #[test]
    fn what_was_whole_before_a_break_is_kept() {
        assert_eq!(read(r#"[{"a":1},{"b":"#), ("[{a=1} {…}…]".into(), Some(JsonBreak::Cut)));
        assert_eq!(read(r#"[{"a":1},{"b":2 "c"#), ("[{a=1} {b=2…}…]".into(), Some(JsonBreak::Malformed)));
        assert_eq!(read(r#"["abc"#), ("[…]".into(), Some(JsonBreak::Cut)));
        assert_eq!(read("[1,]"), ("[1]".into(), None));
        assert_eq!(read(""), (String::new(), Some(JsonBreak::Cut)));
        assert_eq!(read(&"[".repeat(50)).1, Some(JsonBreak::TooDeep));
    }

    fn read_on(text: &str) -> (String, Option<JsonBreak>, usize) {
        let mut tree = JsonTree::default();
        let end = tree.read_on(text, 0, 10);
        (tree.root(text, 0).map(shown).unwrap_or_default(), end.broken, tree.passed_over().count())
    }

    #[test]
    fn what_is_wrong_is_passed_over_by_lines() {
        let cases = [
            // other output between, wherever it stands
            ("[\n {\"a\":1},\nnpm notice\n {\"b\":\n2024 is a year\n 2}\n]", "[{a=1} {b=2024…}]"),
            ("[\nnpm notice\n {\nnpm notice\n \"a\":1\nnpm notice\n}\n]\n", "[{a=1}]"),
            // a quote without its escape: the member is lost
            ("[\n {\n  \"a\": \"x \"y\" z\",\n  \"b\": 2\n },\n {\"c\":3}\n]", "[{a=x  b=2…} {c=3}]"),
            // with what is in it
            (
                "[\n {\n  \"a\": \"x \"y\",\n  \"b\" {\n   \"c\": 1\n  },\n  \"d\": 2\n },\n {\"e\":3}\n]",
                "[{a=x  d=2…} {e=3}]",
            ),
            // an end that is missing, or one too many
            ("[\n {\n  \"a\": {\n   \"b\": 1\n },\n {\"c\":3}\n]", "[{a={b=1}…} {c=3}]"),
            ("{\n \"x\": [\nnpm notice\n ]\n}", "{x=[]}"),
            ("{\"x\":[\n {\n  \"a\": [\n   1\n },\n {\"c\":3}\n]}", "{x=[{a=[1…]} {c=3}]}"),
            ("[\n {\"a\":1}\n {\"b\":2},\n {\"c\":3}\n]", "[{a=1} {c=3}…]"),
        ];
        for (text, told) in cases {
            let (shown, broken, passed_over) = read_on(text);
            assert_eq!((shown.as_str(), broken), (told, None), "{text}");
            assert!(passed_over > 0, "{text}");
        }
    }

    #[test]
    fn in_one_line_the_next_element_that_begins_as_the_first_is_found() {
        let cases = [
            (r#"{"x":[{"a":1},{"a":2 3,"b":[{"c":1}]},{"a":4}],"y":5}"#, "{x=[{a=1} {a=2…} {a=4}] y=5}"),
            (r#"[{"a": 1}, {"a": 2 3}, {"a": 4}]"#, "[{a=1} {a=2…} {a=4}]"),
            // the next of the list around it, where that comes first
            (r#"[{"f":[{"a":1},{"a":oh}]},{"f":[{"a":2}]}]"#, "[{f=[{a=1} {…}…]…} {f=[{a=2}]}]"),
        ];
        for (text, told) in cases {
            let (shown, broken, passed_over) = read_on(text);
            assert_eq!((shown.as_str(), broken, passed_over), (told, None, 1), "{text}");
        }
        assert_eq!(
            read_on(r#"[{"a":1},{"a":2 3}]"#),
            ("[{a=1} {a=2…}…]".into(), Some(JsonBreak::Malformed), 1)
        );
    }

    #[test]
    fn another_document_is_not_passed_over() {
        assert_eq!(read_on("{\"a\": {\"b\":\n{\"a\":1}\n").0, "{a={b={a=1}…}…}");
        assert_eq!(
            read_on("{\n \"a\": [\n  1 oh\n{\"a\":1}\n"),
            ("{a=[1…]…}".into(), Some(JsonBreak::Malformed), 1)
        );
        assert_eq!(read_on("oh"), (String::new(), Some(JsonBreak::Malformed), 1));
    }

    #[test]
    fn halves_of_pairs_and_wrong_escapes_stay_readable() {
        assert_eq!(unescape(r"\ud83d x \q \u12"), "\u{FFFD} x \\q \u{FFFD}12");
        assert_eq!(unescape("\\"), "\\");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_reading_ends_and_what_is_right_is_read_the_same(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"a\"", "\"a\":", "\"", "1", "null", "x", "\n", "\n ", "\\", "{\n", "},\n", "é",
                ]),
                0..60,
            )
        ) {
            let text = pieces.concat();
            let mut tree = JsonTree::default();
            let strict = tree.read(&text, 0, 10);
            let told = tree.root(&text, 0).map(shown);
            let end = tree.read_on(&text, 0, 10);
            assert!(end.at <= text.len());
            let told_on = tree.root(&text, 0).map(shown);
            if strict.broken.is_none() {
                assert_eq!((strict, told), (end, told_on));
            }
        }
    }
}
