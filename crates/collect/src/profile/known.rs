//! What the names of a case's attributes mean, looked at once for all cases of a report whose tags have the same ones.

use testlake_report::scan::xml::{Attribute, ShapeId};

use super::case::{CaseTree, Node};
use super::json;

/// The names of the attributes of the last case. Of use with one scanner alone, as it is the scanner that numbers shapes.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    shape: Option<ShapeId>,
    names: Vec<KnownName>,
}

/// The name of an attribute.
#[derive(Debug)]
pub(crate) struct KnownName {
    pub(crate) word: Word,
    /// It is its own local name, and no key that we, or a text, give a document.
    pub(crate) is_plain: bool,
    /// As the key of a JSON object: `"name": `.
    pub(crate) key: Box<[u8]>,
}

impl KnownNames {
    /// Returns the names of a node's attributes, in order.
    #[inline]
    pub(crate) fn of(&mut self, window: &[u8], tree: &CaseTree, node: &Node) -> &[KnownName] {
        let attributes = tree.attributes_of(node);
        if node.shape.is_none() || node.shape != self.shape {
            self.shape = node.shape;
            self.names.clear();
        }
        // of a shape not all attributes may have been there before
        while let Some(attribute) = attributes.get(self.names.len()) {
            self.names.push(KnownName::new(window, attribute));
        }
        self.names.get(..attributes.len()).unwrap_or_default()
    }
}

impl KnownName {
    #[cold]
    fn new(window: &[u8], attribute: &Attribute) -> Self {
        let name = attribute.local.of(window);
        let mut key = Vec::new();
        json::write_string(name, &mut key);
        key.extend_from_slice(b": ");
        let is_plain = attribute.local == attribute.name && !is_reserved(name);
        Self { word: Word::of(name), is_plain, key: key.into() }
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
