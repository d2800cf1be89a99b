//! An open element outside any case: a suite, what it says of itself, and what was found in it.

use crate::model::{Case, Outcome};
use crate::scan::xml::StartTag;
use crate::scan::xml::tree::{Element, XmlTree};

/// The attributes of Gradle's suites, in its order (`JUnitXmlResultWriter`).
const GRADLE: [&[u8]; 8] =
    [b"name", b"tests", b"skipped", b"failures", b"errors", b"timestamp", b"hostname", b"time"];
/// The attributes of Playwright's root element, in its order (`reporters/junit.ts`).
const PLAYWRIGHT: [&[u8]; 7] = [b"id", b"name", b"tests", b"failures", b"skipped", b"errors", b"time"];
/// The attributes that suites of doctest and Catch2 begin with: their `tests` is the number of assertions.
const ASSERTIONS: [&[u8]; 3] = [b"name", b"errors", b"failures"];

/// An open element outside any case.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Whether it is a suite: `testsuite` or `testsuites`.
    pub(super) is_suite: bool,
    /// How many names it adds to the path of its cases.
    names: usize,
    /// Whether it names a source file.
    has_file: bool,
    /// Whether Gradle wrote it, which writes each try as a case.
    repeats_are_tries: bool,
    is_playwright: bool,
    counts_assertions: bool,
    /// The place of its tag in the text.
    pub(super) place: u64,
    /// How many cases it says that it holds.
    tests: Option<u64>,
    /// How many failures and errors it says that it holds.
    troubles: u64,
    /// What was found directly in it.
    pub(super) own: Counts,
    /// What was found in the suites inside it.
    inner: Counts,
}

/// What the open elements outside any case say of the cases inside them.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// The names on the path of a case.
    names: Vec<String>,
    /// The source files that suites name.
    files: Vec<String>,
    /// How many of them Gradle wrote.
    of_gradle: usize,
}

impl Around {
    /// Returns the names on the path of a case.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the source file of a case that names none itself.
    pub(super) fn file(&self) -> Option<&str> {
        self.files.last().map(String::as_str)
    }

    /// Reports whether one of them is by a writer that writes each try as a case.
    pub(super) fn repeats_are_tries(&self) -> bool {
        self.of_gradle > 0
    }

    /// The innermost element ends.
    pub(super) fn end(&mut self, frame: &Frame) {
        self.names.truncate(self.names.len().saturating_sub(frame.names));
        self.files.truncate(self.files.len().saturating_sub(usize::from(frame.has_file)));
        self.of_gradle = self.of_gradle.saturating_sub(usize::from(frame.repeats_are_tries));
    }
}

/// What was found in a suite.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    passed: u64,
    /// All executions of all cases.
    tries: u64,
    troubles: u64,
}

impl Counts {
    /// A case was found.
    pub(super) fn add_case(&mut self, case: &Case<'_>) {
        let is_trouble = case.outcome.is_trouble() || case.tries.iter().any(|one| one.outcome.is_trouble());
        let is_passed = case.outcome == Outcome::Passed;
        // entries for what goes on around the tests, which their writers do not count (TAP::Formatter::JUnit)
        let is_around = matches!(case.name.as_deref(), Some("(init)" | "(teardown)"));
        self.passed += u64::from(is_passed && !is_around);
        self.tries += (case.tries.len() as u64).max(1);
        self.troubles += u64::from(is_trouble);
    }

    /// Another element that tells of a case that is counted already.
    pub(super) fn add_entry(&mut self) {
        self.tries += 1;
    }

    /// A failure outside any case.
    pub(super) fn add_trouble(&mut self) {
        self.troubles += 1;
    }

    fn add(&mut self, more: Self) {
        self.passed += more.passed;
        self.tries += more.tries;
        self.troubles += more.troubles;
    }
}

impl Frame {
    /// Reads a start tag outside any case. `outer` is the element around it; what it says of its cases is added to `around`.
    pub(super) fn new(
        tag: &StartTag<'_>,
        window: &str,
        place: u64,
        outer: Option<&Self>,
        around: &mut Around,
    ) -> Self {
        let name = tag.name.of(tag.window);
        if !matches!(name, b"testsuite" | b"testsuites") {
            return Self { place, ..Self::default() };
        }
        let mut tree = XmlTree::default();
        tree.start(tag);
        let element = tree.roots(window, 0).next();
        let value = |name: &str| element.and_then(|element| owned(element, name));
        let number = |name: &str| value(name).and_then(|value| value.trim().parse::<u64>().ok());
        let mut names = tag.attributes.iter().map(|attribute| attribute.local.of(tag.window));
        let is_suite_of_cases = name == b"testsuite";
        // the project that the suite ran in
        let project = value("hostname").filter(|_| outer.is_some_and(|outer| outer.is_playwright));
        // `testsuites` is the name of a whole run, which is none of its suites
        let own_name = value("name").filter(|name| is_suite_of_cases && !is_configuration(name));
        let file = value("file").or_else(|| value("filepath"));
        let repeats_are_tries = is_suite_of_cases && names.clone().eq(GRADLE);
        let (names_before, has_file) = (around.names.len(), file.is_some());
        around.names.extend(project.into_iter().chain(own_name));
        around.files.extend(file);
        around.of_gradle += usize::from(repeats_are_tries);
        Self {
            is_suite: true,
            names: around.names.len() - names_before,
            has_file,
            repeats_are_tries,
            is_playwright: !is_suite_of_cases && names.clone().eq(PLAYWRIGHT),
            counts_assertions: ASSERTIONS.iter().all(|&name| names.next() == Some(name)),
            place,
            tests: number("tests"),
            troubles: number("failures")
                .unwrap_or_default()
                .saturating_add(number("errors").unwrap_or_default()),
            own: Counts::default(),
            inner: Counts::default(),
        }
    }

    /// Reports whether what it says of its cases is not what was found.
    ///
    /// Writers count in different ways: with or without the suites inside, the skipped, those that failed, and reruns.
    /// So any number from that of the cases that passed to that of all tries adds up.
    pub(super) fn is_miscounted(&self) -> bool {
        let mut all = self.own;
        all.add(self.inner);
        if self.troubles > 0 && all.troubles == 0 {
            return true;
        }
        let Some(tests) = self.tests else { return false };
        let adds_up = |counts: Counts| counts.passed <= tests && tests <= counts.tries;
        !(self.counts_assertions || adds_up(all) || adds_up(self.own))
    }

    /// An element inside it has ended.
    pub(super) fn take_in(&mut self, inner: &Self) {
        if inner.is_suite {
            self.inner.add(inner.own);
        } else {
            self.own.add(inner.own);
        }
        self.inner.add(inner.inner);
    }
}

/// Reports whether it is `PHPUnit`'s outermost suite, which is named by where its configuration lies on the machine.
fn is_configuration(name: &str) -> bool {
    let is_absolute = name.starts_with('/') || name.get(1..3).is_some_and(|drive| drive == ":\\");
    is_absolute && [".xml", ".xml.dist"].iter().any(|end| name.ends_with(end))
}

fn owned(element: Element<'_>, name: &str) -> Option<String> {
    element.filled(name).map(std::borrow::Cow::into_owned)
}
