//! TestCafe's `json` reporter (<https://testcafe.io/documentation/402825/guides/intermediate-guides/reporters>): fixtures and
//! their tests.

use super::detail::{of_stack, seconds, several, shared};
use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads `fixtures`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    for fixture in root.list("fixtures") {
        let common = Common::of(fixture, out);
        for test in fixture.list("tests") {
            if test.is_whole() {
                let case = case(&common, test, out);
                out.case(case);
            } else {
                out.finding(FindingCode::CutCase, test.offset());
            }
        }
    }
}

/// What the tests of a fixture have in common.
struct Common<'json> {
    name: Option<Text<'json>>,
    path: Option<Text<'json>>,
    meta: Vec<(Text<'json>, Text<'json>)>,
}

impl<'json> Common<'json> {
    fn of(fixture: Json<'json>, out: &mut Out<'_>) -> Self {
        let (name, path) = (shared(fixture, "name", out), shared(fixture, "path", out));
        let mut meta: Vec<_> = meta(fixture).collect();
        // each test has a copy
        let mut room = out.limits.path_bytes;
        let fits = meta.iter().take_while(|(name, value)| {
            let rest = room.checked_sub(name.len() + value.len());
            room = rest.unwrap_or_default();
            rest.is_some()
        });
        let fits = fits.count();
        if fits < meta.len() {
            meta.truncate(fits);
            out.finding(FindingCode::PathTooLong, fixture.offset());
        }
        Self { name, path, meta }
    }
}

fn meta<'json>(value: Json<'json>) -> impl Iterator<Item = (Text<'json>, Text<'json>)> {
    value.get("meta").into_iter().flat_map(|meta| meta.members()).map(|(name, value)| (name, value.shown()))
}

fn case<'json>(fixture: &Common<'json>, test: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
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
    case.suite = fixture.name.clone().into_iter().collect();
    case.name = test.filled("name");
    case.file = fixture.path.clone();
    case.seconds = seconds(test, "durationMs", 1e3, out);
    case.detail = several(errors.into_iter().map(of_stack));
    case.properties = fixture.meta.iter().cloned().chain(meta(test)).collect();
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
