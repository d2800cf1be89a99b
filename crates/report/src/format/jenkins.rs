//! Jenkins' own record of a build's JUnit results, `junitResult.xml`
//! (<https://github.com/jenkinsci/junit-plugin>, `SuiteResult` and `CaseResult`).

use super::trouble::{child_word, tell, tell_if_empty};
use crate::model::{Case, Outcome};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads `suites/suite/cases/case`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let suites = root.child("suites");
    for suite in suites.iter().flat_map(Element::children).filter(|child| child.is("suite")) {
        let name = child_word(suite, "name");
        let cases = suite.child("cases");
        for test in cases.iter().flat_map(Element::children).filter(|child| child.is("case")) {
            let mut case = case(test);
            case.suite.extend(name.clone());
            tell(test, case, out);
        }
    }
    tell_if_empty(root, before, out);
}

/// A case that is not skipped failed where it has an error's text; what was an error and what a failure is not told.
fn case(test: Element<'_>) -> Case<'_> {
    let text = |name| test.child(name).and_then(|child| child.filled_text());
    let is_skipped = child_word(test, "skipped").as_deref() == Some("true");
    let has_failed = test.child("errorStackTrace").is_some() || test.child("errorDetails").is_some();
    let outcome = match (is_skipped, has_failed) {
        (true, _) => Outcome::Skipped,
        (false, true) => Outcome::Failed,
        (false, false) => Outcome::Passed,
    };
    let mut case = Case::new(outcome, test.offset());
    case.class = child_word(test, "className");
    case.name = child_word(test, "testName");
    case.seconds = child_word(test, "duration").and_then(|time| parse_seconds(&time));
    case.detail.message = child_word(test, if is_skipped { "skippedMessage" } else { "errorDetails" });
    case.detail.text = text("errorStackTrace");
    case.stdout = text("stdout");
    case.stderr = text("stderr");
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn cases_are_read() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/jenkins/junitResult.xml")),
            r#"Sums | [sums.SumTest] | adds | passed | 0.25s | out "printed"
Sums | [sums.SumTest] | subtracts | failed | 0s | expected 1 | "AssertionError: expected 1\n\tat sums"
Sums | [sums.SumTest] | asks | skipped | no network
"#
        );
    }
}
