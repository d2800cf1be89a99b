//! karma-json-reporter (<https://www.npmjs.com/package/karma-json-reporter>): what Karma tells of each test, by browser.

use std::borrow::Cow;
use std::collections::HashMap;

use super::detail::{of_stack, seconds, several, shared};
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// Reads `result`: a list of tests for each browser.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let browsers: HashMap<_, _> = root.get("browsers").into_iter().flat_map(|all| all.members()).collect();
    let Some(results) = root.get("result") else { return };
    let is_one = results.members().nth(1).is_none();
    for (id, tests) in results.members() {
        let browser = browsers.get(&id).copied();
        let name = browser.and_then(|browser| shared(browser, "name", out));
        let mut has_trouble = false;
        for test in tests.items() {
            if test.is_whole() {
                let case = case(test, name.clone(), is_one, out);
                has_trouble |= case.outcome.is_trouble();
                out.case(case);
            } else {
                out.finding(FindingCode::CutCase, test.offset());
            }
        }
        let last = browser.and_then(|browser| browser.get("lastResult"));
        let wrong = last.and_then(|last| {
            let word = ["disconnected", "error"].into_iter().find(|&name| last.truth_of(name) == Some(true));
            Some((last, word?))
        });
        if let Some((last, word)) = wrong.filter(|_| !has_trouble) {
            out.failure_outside(last.offset(), Some(format!("{}: {word}", name.as_deref().unwrap_or(&id))));
        }
    }
}

fn case<'json>(
    test: Json<'json>,
    browser: Option<Text<'json>>,
    is_one: bool,
    out: &mut Out<'_>,
) -> Case<'json> {
    let is = |name: &str| test.truth_of(name) == Some(true);
    let outcome = if is("skipped") || is("pending") || is("disabled") {
        Outcome::Skipped
    } else if is("success") {
        Outcome::Passed
    } else {
        Outcome::Failed
    };
    let mut case = Case::new(outcome, test.offset());
    // without its version, which is another after each update
    let apart = browser.as_deref().filter(|_| !is_one).map(|browser| Cow::Owned(unversioned(browser)));
    case.suite = apart.into_iter().chain(test.list("suite").filter_map(|name| name.text())).collect();
    case.suite.retain(|name| !name.trim().is_empty());
    case.name = test.filled("description").or_else(|| test.filled("fullName"));
    case.seconds = seconds(test, "time", 1e3, out);
    case.started = test.whole_number_of("startTime").filter(|&start| start > 0).map(Instant::utc);
    case.detail = several(test.list("log").filter_map(|text| text.text()).map(of_stack));
    case.properties.extend(browser.map(|browser| (Cow::Borrowed("browser"), browser)));
    case
}

fn unversioned(browser: &str) -> String {
    let words = browser.split(' ').take_while(|word| !word.starts_with(|first: char| first.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn tests_are_told_apart_by_browser() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/karma/report.json")));
    }
}
