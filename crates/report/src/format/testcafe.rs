//! TestCafe's `json` reporter (<https://testcafe.io/documentation/402825/guides/intermediate-guides/reporters>): fixtures and
//! their tests.

use super::detail::{of_stack, seconds, several};
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads `fixtures`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    for fixture in root.list("fixtures") {
        for test in fixture.list("tests") {
            if test.is_whole() {
                let case = case(fixture, test, out);
                out.case(case);
            } else {
                out.finding(FindingCode::CutCase, test.offset());
            }
        }
    }
}

fn case<'json>(fixture: Json<'json>, test: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
    // an error is a text, or has one for each browser
    let errors = test.list("errs").filter_map(|error| error.text().or_else(|| error.filled("errMsg")));
    let errors: Vec<Text<'_>> = errors.collect();
    let outcome = if test.truth_of("skipped") == Some(true) {
        Outcome::Skipped
    } else if test.list("errs").next().is_some() {
        Outcome::Failed
    } else {
        Outcome::Passed
    };
    let mut case = Case::new(outcome, test.offset());
    case.suite = fixture.filled("name").into_iter().collect();
    case.name = test.filled("name");
    case.file = fixture.filled("path");
    case.seconds = seconds(test, "durationMs", 1e3, out);
    case.detail = several(errors.into_iter().map(of_stack));
    let meta = [fixture, test].into_iter().filter_map(|one| one.get("meta"));
    case.properties =
        meta.flat_map(|meta| meta.members()).map(|(name, value)| (name, value.shown())).collect();
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn fixtures_are_suites() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/testcafe/report.json")));
    }
}
