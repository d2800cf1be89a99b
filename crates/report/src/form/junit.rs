//! JUnit XML, with Surefire's elements for tries.
//!
//! Cases are rendered as they come and are kept by who calls, in a file or in memory: the counts of a suite stand before its cases, and
//! its cases may come between those of others.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::xml;
use crate::model::{Case, Detail, Outcome, Try};

/// The suites of a document that is being written, and where their cases are kept.
#[derive(Debug, Default)]
pub struct Junit {
    suites: Vec<Suite>,
    by_name: HashMap<(Option<usize>, String), usize>,
    tops: Vec<usize>,
    all: Counts,
    kept: u64,
    tries_left_out: u64,
}

#[derive(Debug, Default)]
struct Suite {
    name: String,
    children: Vec<usize>,
    counts: Counts,
    /// Where its own cases are kept.
    cases: Vec<Range<u64>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    seconds: Option<f64>,
}

/// A piece of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text.
    Text(String),
    /// What was rendered of cases: these bytes of all that was.
    Cases(Range<u64>),
}

impl Junit {
    /// Another report follows: suites of the same names are others.
    pub fn next_report(&mut self) {
        self.by_name.clear();
    }

    /// Appends the element of a case; the caller keeps all of them one behind the other.
    pub fn case(&mut self, case: &Case<'_>, into: &mut String) {
        let before = into.len();
        self.tries_left_out += element(case, into);
        let end = self.kept + (into.len() - before) as u64;
        self.all.add(case);
        let mut around = None;
        for name in &case.suite {
            let suite = self.suite(around, name);
            around = Some(suite);
            if let Some(suite) = self.suites.get_mut(suite) {
                suite.counts.add(case);
            }
        }
        // many readers take cases of suites alone
        let own = around.unwrap_or_else(|| {
            let nameless = self.suite(None, "");
            if let Some(suite) = self.suites.get_mut(nameless) {
                suite.counts.add(case);
            }
            nameless
        });
        if let Some(suite) = self.suites.get_mut(own) {
            match suite.cases.last_mut() {
                Some(last) if last.end == self.kept => last.end = end,
                _ => suite.cases.push(self.kept..end),
            }
        }
        self.kept = end;
    }

    /// How many tries could not be told: `JUnit` XML has no way to say that a case passed and then did not.
    pub fn tries_left_out(&self) -> u64 {
        self.tries_left_out
    }

    fn suite(&mut self, around: Option<usize>, name: &str) -> usize {
        if let Some(&suite) = self.by_name.get(&(around, name.to_owned())) {
            return suite;
        }
        let suite = self.suites.len();
        self.suites.push(Suite { name: name.to_owned(), ..Suite::default() });
        self.by_name.insert((around, name.to_owned()), suite);
        match around.and_then(|around| self.suites.get_mut(around)) {
            Some(around) => around.children.push(suite),
            None => self.tops.push(suite),
        }
        suite
    }

    /// Hands out the document, piece by piece.
    ///
    /// # Errors
    /// The first error of `put` ends it.
    pub fn write<E>(&self, mut put: impl FnMut(Piece) -> Result<(), E>) -> Result<(), E> {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites".to_owned();
        self.all.attributes(&mut text);
        text += ">\n";
        /// What is still to be written: a suite, or the end of one.
        enum Next {
            Begin(usize),
            End,
        }
        let mut next: Vec<Next> = self.tops.iter().rev().map(|&top| Next::Begin(top)).collect();
        while let Some(step) = next.pop() {
            let Next::Begin(suite) = step else {
                text += "</testsuite>\n";
                continue;
            };
            let Some(suite) = self.suites.get(suite) else { continue };
            text += "<testsuite";
            xml::attribute("name", &suite.name, &mut text);
            suite.counts.attributes(&mut text);
            text += ">\n";
            for cases in &suite.cases {
                put(Piece::Text(std::mem::take(&mut text)))?;
                put(Piece::Cases(cases.clone()))?;
            }
            next.push(Next::End);
            next.extend(suite.children.iter().rev().map(|&child| Next::Begin(child)));
        }
        text += "</testsuites>\n";
        put(Piece::Text(text))
    }
}

impl Counts {
    fn add(&mut self, case: &Case<'_>) {
        self.tests += 1;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Failed => self.failures += 1,
            Outcome::Errored => self.errors += 1,
            Outcome::Skipped => self.skipped += 1,
        }
        if let Some(seconds) = case.seconds {
            *self.seconds.get_or_insert(0.0) += seconds;
        }
    }

    fn attributes(&self, into: &mut String) {
        let Self { tests, failures, errors, skipped, seconds } = self;
        // Writing to a string cannot fail.
        write!(into, r#" tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}""#).ok();
        if let Some(seconds) = seconds {
            write!(into, r#" time="{seconds:.6}""#).ok();
        }
    }
}

/// Appends the element of a case; returns how many of its tries could not be told.
fn element(case: &Case<'_>, into: &mut String) -> u64 {
    *into += "<testcase";
    // a name is wanted by all who read
    xml::attribute("name", case.name.as_deref().unwrap_or_default(), into);
    let line = case.line.map(|line| line.to_string());
    let seconds = case.seconds.map(|seconds| seconds.to_string());
    let started = case.started.map(|started| started.to_string());
    for (name, value) in [
        ("classname", case.class.as_deref()),
        ("file", case.file.as_deref()),
        ("line", line.as_deref()),
        ("time", seconds.as_deref()),
        ("timestamp", started.as_deref()),
    ] {
        if let Some(value) = value {
            xml::attribute(name, value, into);
        }
    }
    let begin = into.len();
    *into += ">\n";
    let inside = into.len();
    if !case.properties.is_empty() {
        *into += "<properties>\n";
        for (name, value) in &case.properties {
            *into += "<property";
            xml::attribute("name", name, into);
            xml::attribute("value", value, into);
            *into += "/>\n";
        }
        *into += "</properties>\n";
    }
    let left_out = tries(case, into);
    for (name, text) in [("system-out", &case.stdout), ("system-err", &case.stderr)] {
        if let Some(text) = text {
            write!(into, "<{name}>").ok();
            xml::text(text, into);
            writeln!(into, "</{name}>").ok();
        }
    }
    if into.len() == inside {
        into.truncate(begin);
        *into += "/>\n";
    } else {
        *into += "</testcase>\n";
    }
    left_out
}

/// Appends what the tries came to: of a case that failed the first one's, then the others as `rerun`s, as Surefire does; of another
/// the last one's, with those before as `flaky`.
fn tries(case: &Case<'_>, into: &mut String) -> u64 {
    let last = (case.outcome, &case.detail);
    match &case.tries[..] {
        [first, others @ ..] if case.outcome.is_trouble() && first.outcome.is_trouble() => {
            main((first.outcome, &first.detail), into);
            others.iter().map(|one| again(one, ["rerunFailure", "rerunError"], into)).sum()
        }
        [before @ .., _] => {
            let left_out = before.iter().map(|one| again(one, ["flakyFailure", "flakyError"], into)).sum();
            main(last, into);
            left_out
        }
        [] => {
            main(last, into);
            0
        }
    }
}

fn main((outcome, detail): (Outcome, &Detail<'_>), into: &mut String) {
    let name = match outcome {
        Outcome::Failed => "failure",
        Outcome::Errored => "error",
        Outcome::Skipped => "skipped",
        Outcome::Passed if detail.is_empty() => return,
        // as PHPUnit tells what a test that passed has to say
        Outcome::Passed => "warning",
    };
    begin(name, detail, into);
    match &detail.text {
        Some(text) => {
            into.push('>');
            xml::text(text, into);
            writeln!(into, "</{name}>").ok();
        }
        None => *into += "/>\n",
    }
}

fn begin(name: &str, detail: &Detail<'_>, into: &mut String) {
    into.push('<');
    *into += name;
    for (name, value) in [("message", &detail.message), ("type", &detail.kind)] {
        if let Some(value) = value {
            xml::attribute(name, value, into);
        }
    }
}

/// Appends another try that failed; returns 1 for one that did not.
fn again(one: &Try<'_>, [failure, error]: [&str; 2], into: &mut String) -> u64 {
    let name = match one.outcome {
        Outcome::Failed => failure,
        Outcome::Errored => error,
        Outcome::Passed | Outcome::Skipped => return 1,
    };
    begin(name, &one.detail, into);
    if let Some(seconds) = one.seconds {
        xml::attribute("time", &seconds.to_string(), into);
    }
    into.push('>');
    if let Some(text) = &one.detail.text {
        *into += "<stackTrace>";
        xml::text(text, into);
        *into += "</stackTrace>";
    }
    writeln!(into, "</{name}>").ok();
    0
}
