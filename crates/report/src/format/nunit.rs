//! What NUnit 2 and NUnit 3 have in common: suites in suites, and cases in them.

use super::naming::{text_of, without_folder};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads a case inside suites.
pub(super) type ReadCase = for<'xml> fn(Element<'xml>, &[Text<'xml>], &mut Out<'_>) -> Case<'xml>;

/// Reads a run, or a suite by itself.
pub(super) fn read(root: Element<'_>, read: ReadCase, out: &mut Out<'_>) {
    let is_suite = root.is("test-suite");
    let name = root.filled("name").filter(|_| is_suite);
    let is_within = suite(root, &mut name.map(without_folder).into_iter().collect(), read, out);
    if is_suite {
        own_failure(root, is_within, out);
    }
}

/// Tells the cases of a suite, at any depth; says whether one of them is in trouble.
pub(super) fn suite<'xml>(
    element: Element<'xml>,
    path: &mut Vec<Text<'xml>>,
    read: ReadCase,
    out: &mut Out<'_>,
) -> bool {
    let mut is_trouble = false;
    for child in element.children() {
        match child.name() {
            b"test-suite" => {
                let depth = path.len();
                path.extend(child.filled("name").map(without_folder));
                let is_within = suite(child, path, read, out);
                path.truncate(depth);
                own_failure(child, is_within, out);
                is_trouble |= is_within;
            }
            b"results" => is_trouble |= suite(child, path, read, out),
            b"test-case" if child.is_whole() => {
                let case = read(child, path, out);
                is_trouble |= case.outcome.is_trouble();
                out.case(case);
            }
            b"test-case" => out.finding(FindingCode::CutCase, child.offset()),
            _ => {}
        }
    }
    is_trouble
}

/// Tells the failure of a suite that is not that of a case in it: of what is done once, before or after them, or of an
/// assembly that could not be loaded.
fn own_failure(suite: Element<'_>, is_within: bool, out: &mut Out<'_>) {
    let result = suite.attribute("result").unwrap_or_default();
    let state = State::of(&result);
    let reason =
        || suite.child("reason").filter(|_| matches!(state.status, "Failed" | "Error" | "NotRunnable"));
    let Some(failure) = suite.child("failure").or_else(reason) else { return };
    let site = suite.attribute("site");
    let is_own = match site.as_deref().or(state.site) {
        Some("Child" | "Parent") => false,
        Some("TearDown") => true,
        // what could not be set up is told again of each case
        _ => !is_within && !is_of_children(failure),
    };
    if is_own {
        out.failure_outside(failure.offset(), text_of(failure, "message"));
    }
}

fn is_of_children(failure: Element<'_>) -> bool {
    text_of(failure, "message").is_some_and(|message| {
        let message = message.trim_start();
        message.starts_with("One or more child") || message.starts_with("Child test")
    })
}

/// The parts of a result: `Failed:Error(SetUp)`.
pub(super) struct State<'text> {
    pub(super) status: &'text str,
    pub(super) label: Option<&'text str>,
    pub(super) site: Option<&'text str>,
}

impl<'text> State<'text> {
    pub(super) fn of(result: &'text str) -> Self {
        let (rest, site) = match result.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
            Some((rest, site)) => (rest, Some(site)),
            None => (result.trim(), None),
        };
        let (status, label) = match rest.split_once(':') {
            Some((status, label)) => (status, Some(label)),
            None => (rest, None),
        };
        Self { status, label, site }
    }
}

/// Returns what went wrong in a case, or why it was skipped.
pub(super) fn detail(element: Element<'_>) -> Detail<'_> {
    let Some(trouble) = element.child("failure").or_else(|| element.child("reason")) else {
        return Detail::default();
    };
    Detail { kind: None, message: text_of(trouble, "message"), text: text_of(trouble, "stack-trace") }
}

/// Returns names and values in order.
pub(super) fn properties(element: Element<'_>) -> Vec<(Text<'_>, Text<'_>)> {
    let properties = element.children_named("properties").flat_map(|properties| properties.children());
    properties
        .filter_map(|property| Some((property.attribute("name")?, property.attribute("value")?)))
        .collect()
}

/// Returns the outcome for a result that is not known here.
pub(super) fn unknown(element: Element<'_>, out: &mut Out<'_>) -> Outcome {
    out.finding(FindingCode::UnknownStatus, element.offset());
    Outcome::Errored
}

/// Returns the time of a case in seconds; tells one that is none.
pub(super) fn seconds(element: Element<'_>, out: &mut Out<'_>) -> Option<f64> {
    let raw = element.filled("duration").or_else(|| element.filled("time"))?;
    let seconds = crate::time::parse_seconds(&raw);
    if seconds.is_none() {
        out.finding(FindingCode::BadTime, element.offset());
    }
    seconds
}
