//! Qt Test XML (`-xml` and `-lightxml`; <https://github.com/qt/qtbase/blob/dev/src/testlib/qxmltestlogger.cpp>).

use std::borrow::Cow;

use super::trouble::{Troubles, child_word, joined, line_number, place, tell, tell_if_empty, unknown};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads every `TestFunction`: a case with all its rows of data. `-lightxml` writes them side by side, without a root.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    if root.is("TestFunction") {
        let case = case(root, out);
        tell(root, case, out);
    }
    if !root.is("TestCase") {
        return;
    }
    let before = out.cases;
    let suite = root.filled("name");
    for function in root.children_named("TestFunction") {
        let mut case = case(function, out);
        case.suite.extend(suite.clone());
        tell(function, case, out);
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(function: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut troubles = Troubles::default();
    let (mut reasons, mut printed) = (Vec::new(), Vec::new());
    let (mut has_passed, mut is_skipped, mut is_known) = (false, false, true);
    for entry in function.children() {
        let kind = entry.attribute("type").unwrap_or_default();
        match (entry.name(), kind.as_ref()) {
            // failures of a row on the list of those that may fail do not count
            (b"Incident", "pass" | "xfail" | "bpass") => has_passed = true,
            (b"Incident", "fail" | "xpass") => troubles.failed(trouble(entry)),
            (b"Incident" | b"Message", "skip" | "bskip" | "bfail" | "bxpass" | "bxfail") => {
                is_skipped = true;
                reasons.extend(child_word(entry, "Description"));
            }
            (b"Incident", _) => is_known = false,
            (b"Message", "qfatal") => troubles.errored(trouble(entry)),
            (b"Message", _) => printed.extend(child_word(entry, "Description")),
            _ => {}
        }
    }
    let has_result = has_passed || !troubles.is_empty();
    let is_skipped = is_skipped && !has_result;
    let outcome = if !is_known || !(has_result || is_skipped) && function.is_whole() {
        unknown(function, out)
    } else if is_skipped {
        Outcome::Skipped
    } else {
        troubles.outcome()
    };
    let mut case = Case::new(outcome, function.offset());
    case.name = function.filled("name");
    case.seconds = function
        .child("Duration")
        .and_then(|duration| duration.attribute("msecs"))
        // some locales have a decimal comma
        .and_then(|milliseconds| milliseconds.trim().replace(',', ".").parse::<f64>().ok())
        .filter(|milliseconds| milliseconds.is_finite() && *milliseconds >= 0.0)
        .map(|milliseconds| milliseconds / 1000.0);
    case.detail = if is_skipped {
        Detail { message: joined(reasons, "\n"), ..Detail::default() }
    } else {
        troubles.into_detail()
    };
    case.stdout = joined(printed, "\n");
    case
}

fn trouble<'xml>(entry: Element<'xml>) -> Detail<'xml> {
    let row = child_word(entry, "DataTag").map(|tag| -> Text<'xml> { Cow::Owned(format!("row {tag}")) });
    let at = place(entry.filled("file"), line_number(entry.attribute("line")));
    let text = joined(row.into_iter().chain(at).collect(), "\n");
    let kind = entry.filled("type").filter(|kind| kind != "fail");
    Detail { kind, message: child_word(entry, "Description"), text }
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn without_a_root_functions_stand_side_by_side() {
        let report = "<Environment><QtVersion>6.7.0</QtVersion></Environment>\n\
                      <TestFunction name='a'><Incident type='pass'/></TestFunction>";
        assert_eq!(told(report), "! another-root @56\na | passed\n");
    }

    #[test]
    fn a_function_is_a_case_with_its_rows() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/qtest/class.xml")),
            r#"TestSum | initTestCase | passed | 0.001567s
TestSum | adds | failed | Compared values are not the same | "row odd\nsum.cpp:12\n\nxpass: Passed unexpectedly\nrow big\nsum.cpp:14" | out "a warning"
TestSum | asks | skipped | no display
TestSum | maySkip | skipped | known to be bad
TestSum | aborts | errored | qfatal: gave up
! unknown-status @1259
TestSum | nothing | errored
"#
        );
    }
}
