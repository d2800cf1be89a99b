//! A value of a tree: decoded when it is asked for.

use std::borrow::Cow;

use super::tree::{JsonTree, Kind, NONE, Node};

/// A value of a tree.
#[derive(Clone, Copy)]
pub struct Json<'tree> {
    pub(super) tree: &'tree JsonTree,
    pub(super) text: &'tree str,
    pub(super) base: u64,
    pub(super) node: &'tree Node,
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
pub(super) fn unescape(raw: &str) -> String {
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
