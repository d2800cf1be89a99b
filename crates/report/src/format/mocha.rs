//! Mocha's `json` reporter (<https://github.com/mochajs/mocha/blob/main/lib/reporters/json.js>).
//!
//! `tests` holds each test once; which of them passed, failed or are pending stands in three further lists of the same
//! objects. Hooks that failed stand in `failures` alone.

use std::collections::HashMap;

use super::detail::{failed_before, of_stack, part, seconds, several, tried_before};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads `tests`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let mut lists = Lists::of(root);
    for test in root.list("tests") {
        if !test.is_whole() {
            out.finding(FindingCode::CutCase, test.offset());
            continue;
        }
        let outcome = lists.take(test);
        let case = case(test, outcome, out);
        out.case(case);
    }
    for failure in root.list("failures") {
        if lists.failed.take(failure) {
            out.failure_outside(failure.offset(), failure.get("err").and_then(|err| err.filled("message")));
        }
    }
    if let Some(stats) = root.get("stats").filter(|_| root.is_whole()) {
        out.count(stats.whole_number_of("tests"), before, stats.offset());
    }
}

/// What makes an object of one list that of another.
type Key<'json> = (Option<Text<'json>>, Option<Text<'json>>, Option<Text<'json>>);

/// The objects of a list that no test was found for yet.
struct List<'json>(HashMap<Key<'json>, usize>);

impl<'json> List<'json> {
    fn of(root: Json<'json>, name: &str) -> Self {
        let mut list = HashMap::new();
        for test in root.list(name) {
            *list.entry(key(test)).or_default() += 1;
        }
        Self(list)
    }

    /// Takes an object out; reports whether it was there.
    fn take(&mut self, test: Json<'json>) -> bool {
        match self.0.get_mut(&key(test)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn has(&self, test: Json<'json>) -> bool {
        self.0.get(&key(test)).is_some_and(|&count| count > 0)
    }
}

fn key(test: Json<'_>) -> Key<'_> {
    (test.text_of("fullTitle"), test.text_of("title"), test.text_of("file"))
}

struct Lists<'json> {
    passed: List<'json>,
    failed: List<'json>,
    pending: List<'json>,
    has_passed: bool,
}

impl<'json> Lists<'json> {
    fn of(root: Json<'json>) -> Self {
        Self {
            passed: List::of(root, "passes"),
            failed: List::of(root, "failures"),
            pending: List::of(root, "pending"),
            has_passed: root.get("passes").is_some_and(|passes| passes.is_whole()),
        }
    }

    fn take(&mut self, test: Json<'json>) -> Outcome {
        let has_error = test.get("err").is_some_and(|error| error.members().next().is_some());
        if has_error {
            self.failed.take(test);
            return if is_timeout(test) { Outcome::Errored } else { Outcome::Failed };
        }
        // a test that was never run has no duration
        let is_run = test.get("duration").is_some();
        if self.pending.has(test) && (!is_run || !self.passed.has(test)) {
            self.pending.take(test);
            Outcome::Skipped
        } else if self.passed.take(test) {
            Outcome::Passed
        } else if self.failed.take(test) {
            Outcome::Failed
        } else if is_run && !self.has_passed {
            // the lists are cut off
            Outcome::Passed
        } else {
            Outcome::Skipped
        }
    }
}

fn is_timeout(test: Json<'_>) -> bool {
    let Some(error) = test.get("err") else { return false };
    error.text_of("code").as_deref() == Some("ERR_MOCHA_TIMEOUT")
        || error.text_of("message").is_some_and(|message| {
            message.starts_with("Timeout of ") && message.contains("ms exceeded")
                || message.starts_with("timeout of ") && message.contains("ms exceeded")
        })
}

fn case<'json>(test: Json<'json>, outcome: Outcome, out: &mut Out<'_>) -> Case<'json> {
    let mut case = Case::new(outcome, test.offset());
    case.name = test.filled("title").or_else(|| test.filled("fullTitle"));
    case.suite = suite(test).into_iter().collect();
    case.file = test.filled("file");
    case.seconds = seconds(test, "duration", 1e3, out);
    if let Some(error) = test.get("err") {
        let more = error.list("multiple").map(detail);
        case.detail = several(std::iter::once(detail(error)).chain(more));
    }
    tried_before(&mut case, failed_before(test.whole_number_of("currentRetry")));
    case
}

/// The titles of the suites stand before the test's own, with no more than spaces between them: they cannot be told apart.
fn suite(test: Json<'_>) -> Option<Text<'_>> {
    let (full, title) = (test.filled("fullTitle")?, test.text_of("title")?);
    let end = full.strip_suffix(&*title)?.trim_end().len();
    Some(part(&full, 0, end)).filter(|suite| !suite.is_empty())
}

fn detail(error: Json<'_>) -> Detail<'_> {
    let stack = error.filled("stack");
    let split = stack.clone().map(of_stack).unwrap_or_default();
    let message = error.filled("message");
    Detail {
        kind: error.filled("name").or(split.kind),
        text: stack.filter(|stack| message.as_deref().is_none_or(|message| message != &**stack)),
        message: message.or(split.message),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn a_test_is_what_the_list_it_stands_in_says() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/mocha/report.json")));
    }

    #[test]
    fn a_report_that_is_cut_keeps_the_tests_that_are_whole() {
        let report = include_str!("../../tests/fixtures/mocha/report.json");
        let cut = report.split_once("\"waits\"").unwrap().0;
        let told = told(cut);
        assert_eq!(told.lines().filter(|line| !line.starts_with('!')).count(), 3, "{told}");
        assert!(told.contains("adds | /src/sum.test.js | passed"), "{told}");
        assert!(told.contains("! cut-case") && told.contains("! malformed-json"), "{told}");
    }
}
