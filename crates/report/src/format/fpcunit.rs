//! FPCUnit's XML, and that of DUnit2 (<https://wiki.freepascal.org/fpcunit>, `xmltestreport.pas`).

use super::trouble::{child_word, joined, line_number, place, tell, tell_if_empty, unknown};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{parse_clock, parse_seconds};

/// Reads every `Test` of the listing, at any depth of `TestSuite`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for listing in root.children_named("TestListing") {
        suite(listing, &mut Vec::new(), out);
    }
    tell_if_empty(root, before, out);
}

fn suite<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, out: &mut Out<'_>) {
    for child in element.children() {
        if child.is("TestSuite") {
            let depth = path.len();
            path.extend(child.filled("Name"));
            suite(child, path, out);
            path.truncate(depth);
        } else if child.is("Test") {
            let mut case = case(child, out);
            case.suite.clone_from(path);
            tell(child, case, out);
        }
    }
}

fn case<'xml>(test: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match test.attribute("Result").as_deref() {
        Some("OK" | "Passed") => Outcome::Passed,
        Some("Failed") => Outcome::Failed,
        Some("Error") => Outcome::Errored,
        Some("Ignored" | "Skipped") => Outcome::Skipped,
        _ => unknown(test, out),
    };
    let mut case = Case::new(outcome, test.offset());
    case.name = test.filled("Name");
    case.seconds =
        test.attribute("ElapsedTime").and_then(|time| parse_clock(&time).or_else(|| parse_seconds(&time)));
    let at = place(child_word(test, "SourceUnitName"), line_number(child_word(test, "LineNumber")));
    let texts = at.into_iter().chain(child_word(test, "FailedMethodName"));
    case.detail = Detail {
        kind: child_word(test, "ExceptionClass"),
        message: child_word(test, "ExceptionMessage").or_else(|| child_word(test, "Message")),
        text: joined(texts.collect(), "\n"),
    };
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn nested_suites_are_read() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/fpcunit/results.xml")),
            r#"All > TSum | Adds | passed | 0.25s
All > TSum | Subtracts | failed | 1s | EAssertionFailedError: expected 1 but was 2
All > TSum | Divides | errored | EDivByZero: division by zero | "sum.pas:51\nTSUM__DIVIDES"
All > TSum | Asks | skipped
"#
        );
    }
}
