//! What went wrong in a case: several failures become one, and reruns become tries.

use memchr::memchr2;

use super::case::join;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::scan::xml::Attribute;
use crate::scan::xml::tree::{self, Element, Tag, is_blank};
use crate::time::parse_seconds;

/// Elements of a failure that are told apart from its text.
const APART: [&[u8]; 4] = [b"stackTrace", b"system-out", b"system-err", b"message"];

/// How Catch2 says in a `skipped` beside the failures that they do not count.
const MAY_FAIL: &str = "tagged with !mayfail";

/// What stands in a case beside its name.
#[derive(Default)]
pub(super) struct Troubles<'xml> {
    /// Failures and errors, in order.
    failures: Vec<(Outcome, Detail<'xml>)>,
    /// Why it was skipped.
    skips: Vec<Detail<'xml>>,
    /// Whether a failure of it does not count.
    may_fail: bool,
    /// Warnings, and what a passed case says.
    notes: Vec<Detail<'xml>>,
    /// Tries that came before the one that the case itself tells of.
    before: Vec<Again<'xml>>,
    /// Tries that came behind it, where it failed.
    again: Vec<Again<'xml>>,
}

/// Another try, and what it printed.
struct Again<'xml> {
    one: Try<'xml>,
    stdout: Option<Text<'xml>>,
    stderr: Option<Text<'xml>>,
}

impl<'xml> Troubles<'xml> {
    /// A failure, a reason to skip, or a note.
    pub(super) fn add(&mut self, element: Element<'xml>, outcome: Option<Outcome>) {
        let detail = detail(element);
        match outcome {
            // PHPUnit up to 9 writes so of a test that passed and checked nothing
            Some(Outcome::Errored) if detail.kind.as_deref().is_some_and(is_risky) => self.notes.push(detail),
            Some(outcome @ (Outcome::Failed | Outcome::Errored)) => self.failures.push((outcome, detail)),
            Some(_) => {
                self.may_fail |= detail.message.as_deref().is_some_and(|text| text.ends_with(MAY_FAIL));
                self.skips.push(detail);
            }
            None => self.notes.push(detail),
        }
    }

    /// An earlier try: `flakyFailure`, `flakyError`, `PyTorch`'s `rerun`.
    pub(super) fn add_before(&mut self, element: Element<'xml>, outcome: Outcome) {
        self.before.push(again(element, outcome));
    }

    /// A later try: Surefire's `rerunFailure` and `rerunError` stand behind the first run's `failure`.
    pub(super) fn add_again(&mut self, element: Element<'xml>, outcome: Outcome) {
        self.again.push(again(element, outcome));
    }

    /// Puts all of it into the case; `said` is the outcome that its attributes name.
    pub(super) fn tell(self, case: &mut Case<'xml>, said: Option<Outcome>) {
        let has_skip = !self.skips.is_empty();
        let has_failure = self.failures.iter().any(|(outcome, _)| *outcome == Outcome::Failed);
        case.outcome = match self.failures.first() {
            Some(_) if self.may_fail => Outcome::Skipped,
            Some(_) if has_failure => Outcome::Failed,
            Some(_) => Outcome::Errored,
            None if has_skip => Outcome::Skipped,
            None => said.unwrap_or(Outcome::Passed),
        };
        let failures = self.failures.into_iter().map(|(_, detail)| detail);
        case.detail = all_in_one(failures.chain(self.skips).chain(self.notes));
        if self.before.is_empty() && self.again.is_empty() {
            return;
        }
        let main = Again {
            one: Try {
                outcome: case.outcome,
                seconds: case.seconds,
                detail: std::mem::take(&mut case.detail),
            },
            stdout: case.stdout.take(),
            stderr: case.stderr.take(),
        };
        let (again, earlier) =
            if case.outcome.is_trouble() { (self.again, Vec::new()) } else { (Vec::new(), self.again) };
        for one in self.before.into_iter().chain(earlier).chain([main]).chain(again) {
            join(&mut case.stdout, one.stdout);
            join(&mut case.stderr, one.stderr);
            case.tries.push(one.one);
        }
        if let Some(last) = case.tries.last() {
            case.outcome = last.outcome;
            case.detail = last.detail.clone();
        }
    }
}

/// Puts the only element that stands in a case into it, if that is a failure or a reason to skip, and as [`Troubles`] would.
pub(super) fn tell_only<'xml>(element: Element<'xml>, case: &mut Case<'xml>) -> bool {
    let Some(outcome) = outcome_of(element.name()) else { return false };
    case.outcome = outcome;
    case.detail = detail(element);
    true
}

/// Returns how a case ended in which only an element of this name stands, where no more than that hangs on it.
#[inline]
fn outcome_of(name: &[u8]) -> Option<Outcome> {
    match name {
        b"failure" => Some(Outcome::Failed),
        b"skipped" => Some(Outcome::Skipped),
        _ => None,
    }
}

/// The only element that stands in a case, a failure or a reason to skip, with no other in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Only<'xml> {
    pub(super) outcome: Outcome,
    tag: Tag<'xml>,
    text: &'xml str,
}

impl<'xml> Only<'xml> {
    /// Nothing where it is neither, or its text does not read as it stands. The tag has a shape.
    #[inline]
    pub(super) fn new(name: &[u8], tag: Tag<'xml>, text: &'xml str) -> Option<Self> {
        let outcome = outcome_of(name)?;
        let is_plain = text.is_empty() || memchr2(b'&', b'\r', text.as_bytes()).is_none();
        is_plain.then_some(Self { outcome, tag, text })
    }

    /// Returns what it says.
    #[inline]
    pub(super) fn detail(self) -> Detail<'xml> {
        // of a name the first counts
        let filled = |name: &[u8]| {
            let is_of_name = |one: &&Attribute| one.local.of(self.tag.window.as_bytes()) == name;
            let attribute = self.tag.attributes.iter().find(is_of_name)?;
            Some(attribute.read(self.tag.window)).filter(|value| !is_blank(value))
        };
        let (kind, message) = (filled(b"type"), filled(b"message"));
        let text = if self.text.is_empty() { None } else { tree::filled(Text::Borrowed(self.text)) };
        Detail { kind, message, text }
    }
}

fn is_risky(kind: &str) -> bool {
    matches!(kind, "PHPUnit\\Framework\\RiskyTestError" | "PHPUnit_Framework_RiskyTestError")
}

fn again(element: Element<'_>, outcome: Outcome) -> Again<'_> {
    let printed = |name: &str| element.child(name).and_then(|child| child.filled_text());
    Again {
        one: Try {
            outcome,
            seconds: element.attribute("time").and_then(|time| parse_seconds(&time)),
            detail: detail(element),
        },
        stdout: printed("system-out"),
        stderr: printed("system-err"),
    }
}

fn detail(element: Element<'_>) -> Detail<'_> {
    let inside = |name: &str| element.child(name).and_then(|child| child.filled_text());
    let mut text = element.filled_mixed_text(&APART);
    if let Some(trace) = inside("stackTrace") {
        blank_line(&mut text, &[&trace], || trace.clone());
    }
    Detail {
        kind: element.filled("type"),
        message: element.filled("message").or_else(|| inside("message")),
        text,
    }
}

/// Joins details so that nothing is lost: the kind and the message are the first one's, the messages of the others
/// stand before their texts.
pub(super) fn all_in_one<'xml>(details: impl Iterator<Item = Detail<'xml>>) -> Detail<'xml> {
    let mut all: Option<Detail<'xml>> = None;
    for one in details {
        let Some(all) = &mut all else {
            all = Some(one);
            continue;
        };
        if all.kind.is_none() && all.message.is_none() && all.text.is_none() {
            *all = one;
            continue;
        }
        let text = one.text.as_deref().unwrap_or_default();
        let message = one.message.as_deref().filter(|message| !text.contains(message));
        match (message, text) {
            (None, "") => {}
            (Some(message), "") => blank_line(&mut all.text, &[message], || message.to_owned().into()),
            (None, text) => blank_line(&mut all.text, &[text], || text.to_owned().into()),
            (Some(message), text) => {
                blank_line(&mut all.text, &[message, "\n", text], || format!("{message}\n{text}").into());
            }
        }
    }
    all.unwrap_or_default()
}

/// Adds a text behind a blank line.
fn blank_line<'xml>(known: &mut Option<Text<'xml>>, more: &[&str], alone: impl FnOnce() -> Text<'xml>) {
    match known {
        None => *known = Some(alone()),
        Some(known) => {
            let known = known.to_mut();
            known.push_str("\n\n");
            for piece in more {
                known.push_str(piece);
            }
        }
    }
}
