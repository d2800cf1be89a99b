//! What the names of a case's attributes mean, looked at once for all cases of a report whose tags have the same ones.

use testlake_report::scan::xml::{Attribute, ShapeId};

use super::case::{CaseTree, EmptyCase, Node};
use super::facts::Outcome;
use super::json;

/// The names of the attributes of the last case. Of use with one scanner alone, as it is the scanner that numbers shapes.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    shape: Option<ShapeId>,
    names: Vec<KnownName>,
    /// What an empty case with so many of these names tells.
    meaning: Option<(usize, Meaning)>,
}

/// What the names of an empty case's attributes tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meaning {
    /// Which attributes are file, class, name and time; of several of one name the last.
    pub(crate) file: Option<usize>,
    pub(crate) class: Option<usize>,
    pub(crate) name: Option<usize>,
    pub(crate) time: Option<usize>,
    pub(crate) outcome: Outcome,
    /// It passed or was skipped, and ran once.
    pub(crate) is_simple: bool,
    /// All names are plain.
    pub(crate) is_plain: bool,
}

/// The name of an attribute.
#[derive(Debug)]
pub(crate) struct KnownName {
    pub(crate) word: Word,
    /// It is its own local name, and no key that we, or a text, give a document.
    pub(crate) is_plain: bool,
    /// As the key of a JSON object's member, behind another: `, "name": `.
    pub(crate) member: Box<[u8]>,
}

impl KnownNames {
    /// Returns the names of a node's attributes, in order.
    #[inline]
    pub(crate) fn of(&mut self, window: &[u8], tree: &CaseTree, node: &Node) -> &[KnownName] {
        self.look(window, tree.attributes_of(node), node.shape)
    }

    /// Returns what the names of an empty case's attributes tell, and the names in order.
    #[inline]
    pub(crate) fn of_empty(&mut self, case: &EmptyCase<'_>) -> (Meaning, &[KnownName]) {
        let attributes = case.attributes.len();
        let names = self.look(case.window, case.attributes, Some(case.shape)).len();
        let meaning = match self.meaning {
            Some((length, meaning)) if length == attributes => meaning,
            _ => {
                let names = self.names.get(..names).unwrap_or_default();
                let meaning = Meaning::of(names);
                self.meaning = Some((attributes, meaning));
                meaning
            }
        };
        (meaning, self.names.get(..names).unwrap_or_default())
    }

    #[inline]
    fn look(&mut self, window: &[u8], attributes: &[Attribute], shape: Option<ShapeId>) -> &[KnownName] {
        if shape.is_none() || shape != self.shape {
            self.shape = shape;
            self.names.clear();
            self.meaning = None;
        }
        // of a shape not all attributes may have been there before
        while let Some(attribute) = attributes.get(self.names.len()) {
            self.names.push(KnownName::new(window, attribute));
        }
        self.names.get(..attributes.len()).unwrap_or_default()
    }
}

impl Meaning {
    #[cold]
    fn of(names: &[KnownName]) -> Self {
        let last = |word: Word| names.iter().rposition(|name| name.word == word);
        let has = |word: Word| last(word).is_some();
        Self {
            file: last(Word::File),
            class: last(Word::Class),
            name: last(Word::Name),
            time: last(Word::Time),
            outcome: if has(Word::Skipped) { Outcome::Skipped } else { Outcome::Passed },
            is_simple: !has(Word::Failure) && !has(Word::Error) && !has(Word::Rerun),
            is_plain: names.iter().all(|name| name.is_plain),
        }
    }
}

impl KnownName {
    #[cold]
    fn new(window: &[u8], attribute: &Attribute) -> Self {
        let name = attribute.local.of(window);
        let mut member = b", ".to_vec();
        json::write_string(name, &mut member);
        member.extend_from_slice(b": ");
        let is_plain = attribute.local == attribute.name && !is_reserved(name);
        Self { word: Word::of(name), is_plain, member: member.into() }
    }
}

/// Reports whether a key may be one that we, or a text, give a node.
#[inline]
pub(crate) fn is_reserved(key: &[u8]) -> bool {
    match key.len() {
        4 => matches!(key, b"text" | b"tail"),
        6 => key == b"job_id",
        11 => key == b"workflow_id",
        13 => key == b"invoking_file",
        20 => key == b"workflow_run_attempt",
        _ => false,
    }
}

/// A key that means something to the summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    File,
    Class,
    Name,
    Time,
    Failure,
    Error,
    Skipped,
    Rerun,
    Other,
}

impl Word {
    /// By the length first: what is compared then are numbers.
    #[inline]
    pub(crate) fn of(key: &[u8]) -> Self {
        if let Ok(key) = <&[u8; 4]>::try_from(key) {
            return match key {
                b"file" => Self::File,
                b"name" => Self::Name,
                b"time" => Self::Time,
                _ => Self::Other,
            };
        }
        if let Ok(key) = <&[u8; 7]>::try_from(key) {
            return match key {
                b"failure" => Self::Failure,
                b"skipped" => Self::Skipped,
                _ => Self::Other,
            };
        }
        match key {
            b"classname" => Self::Class,
            b"error" => Self::Error,
            b"rerun" => Self::Rerun,
            _ => Self::Other,
        }
    }
}
