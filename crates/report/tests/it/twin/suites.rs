//! Entries in their suites, and which of them tell of one case.

use std::borrow::Cow;
use std::collections::HashMap;

use testlake_report::model::Try;
use testlake_report::{Case, Outcome};

use super::case::{all, case, lines};
use super::tree::{Node, parse};

/// A suite around cases.
#[derive(Clone, Default)]
pub(super) struct Around {
    pub(super) suites: Vec<String>,
    pub(super) file: Option<String>,
    is_gradle: bool,
    is_playwright: bool,
}

/// Entries of a suite, in order, and which of them another entry may belong to.
#[derive(Default)]
struct Twin {
    cases: Vec<Case<'static>>,
    /// Those before belong to other suites.
    first: usize,
}

impl Twin {
    /// A suite begins or ends: what follows tells of no case before.
    fn close(&mut self, is_gradle: bool) {
        if is_gradle {
            self.join_tries(self.first);
        }
        self.first = self.cases.len();
    }

    fn walk(&mut self, source: &str, element: &Node, around: &Around) {
        match element.name.as_str() {
            "testcase" => {
                self.entry(source, element, around);
            }
            "testsuite" | "testsuites" => {
                let mut inner = around.clone();
                let names: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
                inner.is_playwright = element.name == "testsuites"
                    && names == ["id", "name", "tests", "failures", "skipped", "errors", "time"];
                if around.is_playwright {
                    inner.suites.extend(element.filled("hostname"));
                }
                if element.name == "testsuite" {
                    let name = element.filled("name").filter(|name| {
                        let is_absolute = name.starts_with('/') || name.get(1..3) == Some(":\\");
                        !(is_absolute && (name.ends_with(".xml") || name.ends_with(".xml.dist")))
                    });
                    inner.suites.extend(name);
                    inner.is_gradle |= names
                        == [
                            "name",
                            "tests",
                            "skipped",
                            "failures",
                            "errors",
                            "timestamp",
                            "hostname",
                            "time",
                        ];
                }
                if let Some(file) = element.filled("file").or_else(|| element.filled("filepath")) {
                    inner.file = Some(file);
                }
                self.close(around.is_gradle);
                for child in element.elements() {
                    self.walk(source, child, &inner);
                }
                self.close(inner.is_gradle);
            }
            _ => {
                for child in element.elements() {
                    self.walk(source, child, around);
                }
            }
        }
    }

    /// The case, then those inside it.
    fn entry(&mut self, source: &str, element: &Node, around: &Around) {
        let case = case(source, element, around);
        let is_teardown =
            case.detail.message.as_deref().is_some_and(|text| text.starts_with("failed on teardown with"));
        let before = self.cases.get_mut(self.first..).and_then(<[_]>::last_mut).filter(|before| {
            is_teardown
                && !around.is_gradle
                && case.outcome == Outcome::Errored
                && before.outcome.is_trouble()
                && identity(before) == identity(&case)
        });
        if let Some(before) = before {
            let first = std::mem::take(&mut before.detail);
            before.detail = all([first, case.detail].into());
            before.seconds = before.seconds.or(case.seconds);
            for (known, more) in [(&mut before.stdout, case.stdout), (&mut before.stderr, case.stderr)] {
                if *known != more {
                    *known = lines([known.take(), more].into_iter().flatten());
                }
            }
            for property in case.properties {
                if !before.properties.contains(&property) {
                    before.properties.push(property);
                }
            }
        } else {
            self.cases.push(case);
        }
        self.inside(source, element, around);
    }

    fn inside(&mut self, source: &str, element: &Node, around: &Around) {
        for child in element.elements() {
            match child.name.as_str() {
                "testcase" => self.entry(source, child, around),
                "testsuite" => {
                    let mut inner = around.clone();
                    inner.suites.extend(child.filled("name"));
                    self.inside(source, child, &inner);
                }
                _ => self.inside(source, child, around),
            }
        }
    }

    /// Of Gradle: an entry behind one of the same identity that failed is its next try.
    fn join_tries(&mut self, begin: usize) {
        let mut joined: Vec<Case<'static>> = Vec::new();
        for case in self.cases.drain(begin..) {
            let before = joined.iter_mut().rev().find(|before| identity(before) == identity(&case));
            match before {
                Some(before) if before.outcome.is_trouble() => {
                    let one = |case: &Case<'static>| Try {
                        outcome: case.outcome,
                        seconds: case.seconds,
                        detail: case.detail.clone(),
                    };
                    if before.tries.is_empty() {
                        before.tries = vec![one(before)];
                    }
                    if case.tries.is_empty() {
                        before.tries.push(one(&case));
                    }
                    before.tries.extend(case.tries);
                    (before.outcome, before.seconds, before.detail) =
                        (case.outcome, case.seconds, case.detail);
                    before.stdout = lines([before.stdout.take(), case.stdout].into_iter().flatten());
                    before.stderr = lines([before.stderr.take(), case.stderr].into_iter().flatten());
                }
                _ => joined.push(case),
            }
        }
        self.cases.append(&mut joined);
    }
}

type Identity = (Option<String>, Vec<String>, Option<String>, Option<String>);

fn identity(case: &Case<'_>) -> Identity {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let suites = case.suite.iter().map(|name| match name.rsplit_once('-') {
        Some((stable, time))
            if !stable.is_empty() && time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            stable.to_owned()
        }
        _ => name.to_string(),
    });
    (text(&case.file), suites.collect(), text(&case.class), text(&case.name))
}

/// What the twin reads; nothing where quick-xml finds an error.
pub(super) fn by_twin(raw: &[u8]) -> Option<Vec<Case<'static>>> {
    let mark = if raw.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let source = std::str::from_utf8(&raw[mark..]).ok()?;
    let roots = parse(source).ok()?;
    let mut twin = Twin::default();
    for root in &roots {
        twin.walk(source, root, &Around::default());
    }
    let mut seen: HashMap<Identity, u32> = HashMap::new();
    for case in &mut twin.cases {
        case.offset += mark as u64;
        let before = seen.entry(identity(case)).or_default();
        case.ordinal = *before;
        *before += 1;
    }
    Some(twin.cases)
}
