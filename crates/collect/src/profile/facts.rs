//! What the collections need to know of a case beside its document.

use testlake_report::scan::xml::Attribute;

use super::case::{CaseTree, EmptyCase, NONE, Node};
use super::document::DocumentWriter;
use super::known::{KnownNames, Meaning, Word};
use super::{json, number};

/// How a case ended, as the summary counts it: failure before error before skipped. Sums keep their counts in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Errored,
    Skipped,
}

/// What the collections need to know of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CaseFacts {
    /// Absent where there is none, or where a child of the same name made a list or an object of it.
    pub(crate) file: Option<Attribute>,
    pub(crate) class: Option<Attribute>,
    pub(crate) name: Option<Attribute>,
    /// Where it is a finite number.
    pub(crate) time: Option<f64>,
    pub(crate) outcome: Outcome,
    pub(crate) is_rerun: bool,
    /// The first `failure`, else `error`, else `rerun` among the children.
    pub(crate) trouble: u32,
}

impl CaseFacts {
    /// Reports whether the case belongs to `failed_test_runs`.
    pub(crate) fn is_failed_run(&self) -> bool {
        self.is_rerun || matches!(self.outcome, Outcome::Failed | Outcome::Errored)
    }

    /// Returns what a simple empty case tells.
    #[inline]
    pub(crate) fn of_empty(case: &EmptyCase<'_>, meaning: &Meaning, decoded: &mut Vec<u8>) -> Self {
        let attribute = |index: Option<usize>| case.attributes.get(index?).copied();
        let value = |time: Attribute| number::parse_float(DocumentWriter::value(decoded, case.window, &time));
        Self {
            file: attribute(meaning.file),
            class: attribute(meaning.class),
            name: attribute(meaning.name),
            time: attribute(meaning.time).and_then(value),
            outcome: meaning.outcome,
            is_rerun: false,
            trouble: NONE,
        }
    }

    #[inline]
    pub(crate) fn of(
        window: &[u8],
        tree: &CaseTree,
        case: &Node,
        known: &mut KnownNames,
        decoded: &mut Vec<u8>,
    ) -> Self {
        let (mut file, mut class, mut name, mut time) = (None, None, None, None);
        let (mut failure, mut error, mut skipped, mut rerun) = (false, false, false, false);
        for (attribute, name_of) in tree.attributes_of(case).iter().zip(known.of(window, tree, case)) {
            match name_of.word {
                Word::File => file = Some(*attribute),
                Word::Class => class = Some(*attribute),
                Word::Name => name = Some(*attribute),
                Word::Time => time = Some(*attribute),
                Word::Failure => failure = true,
                Word::Error => error = true,
                Word::Skipped => skipped = true,
                Word::Rerun => rerun = true,
                Word::Other => {}
            }
        }
        let mut troubles = [NONE; 3];
        let mut note = |place: usize, index: u32| {
            if let Some(first) = troubles.get_mut(place)
                && *first == NONE
            {
                *first = index;
            }
        };
        for (index, child) in tree.children(case) {
            match Word::of(child.name.of(window)) {
                Word::File => file = None,
                Word::Class => class = None,
                Word::Name => name = None,
                Word::Time => time = None,
                Word::Failure => {
                    failure = true;
                    note(0, index);
                }
                Word::Error => {
                    error = true;
                    note(1, index);
                }
                Word::Rerun => {
                    rerun = true;
                    note(2, index);
                }
                Word::Skipped => skipped = true,
                Word::Other => {}
            }
        }
        let outcome = if failure {
            Outcome::Failed
        } else if error {
            Outcome::Errored
        } else if skipped {
            Outcome::Skipped
        } else {
            Outcome::Passed
        };
        let time = time.and_then(|time| number::parse_float(DocumentWriter::value(decoded, window, &time)));
        let trouble = troubles.into_iter().find(|&index| index != NONE).unwrap_or(NONE);
        Self { file, class, name, time, outcome, is_rerun: rerun, trouble }
    }
}

/// What stands for a class and a name that a case does not have, where `additional_info` needs one.
pub(crate) const NO_CLASS: &str = "NoClass";
pub(crate) const NO_NAME: &str = "NoName";

/// A `file`, `classname` or `name` as a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Absent,
    Number(f64),
    Text(Box<[u8]>),
}

impl Key {
    pub(crate) fn of(window: &[u8], attribute: Option<&Attribute>, decoded: &mut Vec<u8>) -> Self {
        let Some(attribute) = attribute else { return Self::Absent };
        let value = DocumentWriter::value(decoded, window, attribute);
        number::parse_float(value).map_or_else(|| Self::Text(value.into()), Self::Number)
    }

    /// Returns the key, or `name` as a text where it is absent.
    pub(crate) fn or_text(self, name: &str) -> Self {
        match self {
            Self::Absent => Self::Text(name.as_bytes().into()),
            present => present,
        }
    }

    /// Adds a form in which keys that are one are equal: a mark of the kind, then the value; 0 and -0 are one.
    pub(crate) fn write_canonical(&self, into: &mut Vec<u8>) {
        match self {
            Self::Absent => into.push(0),
            Self::Number(number) => {
                into.push(1);
                // -0.0 + 0.0 is 0.0
                into.extend_from_slice(&(number + 0.0).to_bits().to_le_bytes());
            }
            Self::Text(text) => {
                into.push(2);
                into.extend_from_slice(text);
            }
        }
    }

    /// Adds the key as a JSON value.
    pub(crate) fn write_value(&self, into: &mut Vec<u8>) {
        match self {
            Self::Absent => into.extend_from_slice(b"null"),
            Self::Number(number) => number::write_float(*number, into),
            Self::Text(text) => json::write_string(text, into),
        }
    }

    /// Adds the key as the name of a JSON object's member.
    pub(crate) fn write_name(&self, into: &mut Vec<u8>) {
        match self {
            Self::Absent => into.extend_from_slice(b"\"\""),
            Self::Number(number) => {
                into.push(b'"');
                number::write_float(*number, into);
                into.push(b'"');
            }
            Self::Text(text) => json::write_string(text, into),
        }
    }
}
