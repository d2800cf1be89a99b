//! XML of Check, the test framework for C (`CK_XML_LOG_FILE_NAME`).
//!
//! Source: <https://libcheck.github.io/check/doc/check_html/check_4.html#XML-Logging> and `xml_lfun` in
//! `src/check_log.c`.

use crate::finding::FindingCode;
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads the document.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    for suite in root.children_named("suite") {
        let title = suite.child("title").and_then(|title| title.filled_text());
        for test in suite.children_named("test") {
            if test.is_whole() {
                let case = case(test, title.as_ref(), out);
                out.case(case);
            } else {
                out.finding(FindingCode::CutCase, test.offset());
            }
        }
    }
}

fn case<'xml>(test: Element<'xml>, suite: Option<&Text<'xml>>, out: &mut Out<'_>) -> Case<'xml> {
    let text = |name: &str| test.child(name).and_then(|child| child.filled_text());
    let outcome = match test.attribute("result").as_deref() {
        Some("success") => Outcome::Passed,
        Some("failure") => Outcome::Failed,
        Some("error") => Outcome::Errored,
        _ => {
            out.finding(FindingCode::UnknownStatus, test.offset());
            Outcome::Errored
        }
    };
    let mut case = Case::new(outcome, test.offset());
    case.suite.extend(suite.cloned());
    case.class = text("description");
    case.name = text("id");
    // a loop test runs once for each number; the first one's name is that of a test without a loop
    if let (Some(name), Some(iteration)) = (&mut case.name, text("iteration").filter(|number| *number != "0"))
    {
        let name = name.to_mut();
        name.push('[');
        name.push_str(&iteration);
        name.push(']');
    }
    if let Some(place) = text("fn") {
        let (file, line) = place.rsplit_once(':').unwrap_or((&place, ""));
        case.line = line.parse().ok();
        case.file = Some(match text("path") {
            Some(folder) if folder != "." => format!("{folder}/{file}").into(),
            _ => file.to_owned().into(),
        });
    }
    // -1 where no time was taken
    case.seconds = text("duration").and_then(|seconds| parse_seconds(&seconds));
    if outcome != Outcome::Passed {
        case.detail.message = text("message");
    }
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn tests_of_suites_are_read() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/check/loops.xml")),
            "Money | [Core] | make | ./tests/money.c:12 | passed | 0.000025s
Money | [Core] | add[2] | money.c:30 | failed | 2 is not 3
Money | [Limits] | crash | money.c:41 | errored | (after this point) Received signal 11
"
        );
    }
}
