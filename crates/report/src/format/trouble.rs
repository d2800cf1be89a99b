//! What went wrong in a case, where a format tells it in several places; and the texts of indented XML.

use std::borrow::Cow;

use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// What went wrong in a case, in order.
#[derive(Default)]
pub(super) struct Troubles<'xml> {
    all: Vec<Detail<'xml>>,
    has_error: bool,
}

impl<'xml> Troubles<'xml> {
    /// A check of the test failed.
    pub(super) fn failed(&mut self, detail: Detail<'xml>) {
        self.all.push(detail);
    }

    /// Something other than a check went wrong.
    pub(super) fn errored(&mut self, detail: Detail<'xml>) {
        self.has_error = true;
        self.all.push(detail);
    }

    /// Reports whether nothing went wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the outcome of a case in which this went wrong: an error weighs more than a failed check.
    pub(super) fn outcome(&self) -> Outcome {
        match (self.has_error, self.all.is_empty()) {
            (true, _) => Outcome::Errored,
            (false, false) => Outcome::Failed,
            (false, true) => Outcome::Passed,
        }
    }

    /// Makes one of all: the kind and the message of the first, and the texts of all with the messages of the others.
    pub(super) fn into_detail(self) -> Detail<'xml> {
        let mut all = self.all.into_iter();
        let Some(mut first) = all.next() else { return Detail::default() };
        let mut texts: Vec<Cow<'xml, str>> = first.text.take().into_iter().collect();
        for other in all {
            let head = match (other.kind, other.message) {
                (Some(kind), Some(message)) => Some(Cow::Owned(format!("{kind}: {message}"))),
                (kind, message) => kind.or(message),
            };
            texts.extend(match (head, other.text) {
                (Some(head), Some(text)) => Some(Cow::Owned(format!("{head}\n{text}"))),
                (head, text) => head.or(text),
            });
        }
        first.text = joined(texts, "\n\n");
        first
    }
}

/// Joins texts; nothing where there is none.
pub(super) fn joined<'xml>(mut texts: Vec<Text<'xml>>, between: &str) -> Option<Text<'xml>> {
    match texts.len() {
        0 => None,
        1 => texts.pop(),
        _ => Some(Cow::Owned(texts.join(between))),
    }
}

/// Drops white space around a text; nothing where no more is in it.
pub(super) fn word(text: Text<'_>) -> Option<Text<'_>> {
    let trimmed = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end().len());
            let lead = text.len() - text.trim_start().len();
            text.drain(..lead);
            Cow::Owned(text)
        }
    };
    (!trimmed.is_empty()).then_some(trimmed)
}

/// Returns the text of an element without white space around it.
pub(super) fn word_of<'xml>(element: Element<'xml>) -> Option<Text<'xml>> {
    word(element.text())
}

/// Returns the text of a child without white space around it.
pub(super) fn child_word<'xml>(element: Element<'xml>, name: &str) -> Option<Text<'xml>> {
    element.child(name).and_then(word_of)
}

/// The sections of a case that are open. Each is named once, with the first that went wrong in it: a long name that were
/// told with each would make a report many times its size.
#[derive(Default)]
pub(super) struct Sections<'xml> {
    names: Vec<(Text<'xml>, bool)>,
}

impl<'xml> Sections<'xml> {
    /// Enters a section; returns what [`leave`](Self::leave) takes.
    pub(super) fn enter(&mut self, section: Element<'xml>) -> usize {
        let depth = self.names.len();
        self.names.extend(section.filled("name").map(|name| (name, false)));
        depth
    }

    /// Leaves the section that was entered at a depth.
    pub(super) fn leave(&mut self, depth: usize) {
        self.names.truncate(depth);
    }

    /// Names those that were not named yet: `in outer > inner`.
    pub(super) fn named(&mut self) -> Option<Text<'xml>> {
        let unnamed = self.names.iter_mut().filter(|(_, is_named)| !is_named);
        let names: Vec<_> = unnamed
            .map(|(name, is_named)| {
                *is_named = true;
                &**name
            })
            .collect();
        (!names.is_empty()).then(|| Cow::Owned(format!("in {}", names.join(" > "))))
    }
}

/// Returns a place in the source as runners write it, `file:line`.
pub(super) fn place<'xml>(file: Option<Text<'xml>>, line: Option<u64>) -> Option<Text<'xml>> {
    match (file, line) {
        (Some(file), Some(line)) => Some(Cow::Owned(format!("{file}:{line}"))),
        (file, _) => file,
    }
}

/// Parses the number of a line; 0 says that there is none.
pub(super) fn line_number(raw: Option<Text<'_>>) -> Option<u64> {
    raw?.trim().parse().ok().filter(|&line| line > 0)
}

/// Passes a case on, unless the report cuts it off.
pub(super) fn tell<'xml>(element: Element<'xml>, case: Case<'xml>, out: &mut Out<'_>) {
    if element.is_whole() {
        out.case(case);
    } else {
        out.finding(FindingCode::CutCase, element.offset());
    }
}

/// Tells that nothing was in a report since it had this many cases.
pub(super) fn tell_if_empty(root: Element<'_>, before: u64, out: &mut Out<'_>) {
    if out.cases == before {
        out.finding(FindingCode::NoCases, root.offset());
    }
}

/// A status that is not known here.
pub(super) fn unknown(element: Element<'_>, out: &mut Out<'_>) -> Outcome {
    out.finding(FindingCode::UnknownStatus, element.offset());
    Outcome::Errored
}
