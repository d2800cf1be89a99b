//! doctest XML (<https://github.com/doctest/doctest>, its `XmlReporter`).

use std::borrow::Cow;

use super::trouble::{
    Sections, Troubles, child_word, joined, line_number, place, tell, tell_if_empty, unknown, word_of,
};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads `TestSuite/TestCase`. A list of tests, without results, has its cases directly in the root.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for suite in root.children_named("TestSuite") {
        let name = suite.filled("name");
        for test in suite.children() {
            if test.is("TestCase") {
                let mut case = case(test, out);
                case.suite.extend(name.clone());
                tell(test, case, out);
            } else if test.is("Exception") {
                out.failure_outside(test.offset(), test.filled_text());
            }
        }
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(element: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(Outcome::Skipped, element.offset());
    case.name = element.filled("name");
    case.file = element.filled("filename");
    case.line = line_number(element.attribute("line"));
    for name in ["description", "may_fail", "should_fail"] {
        case.properties.extend(element.filled(name).map(|value| (Cow::Borrowed(name), value)));
    }
    if element.attribute("skipped").as_deref() == Some("true") {
        return case;
    }
    let mut troubles = Troubles::default();
    let mut printed = Vec::new();
    entries(element, &mut Sections::default(), &mut troubles, &mut printed);
    case.stdout = joined(printed, "\n");
    let overall = element.child("OverallResultsAsserts");
    case.seconds =
        overall.and_then(|overall| overall.attribute("duration")).and_then(|time| parse_seconds(&time));
    let success = overall.and_then(|overall| overall.attribute("test_case_success"));
    case.outcome = match success.as_deref() {
        Some("true") => Outcome::Passed,
        // it should have failed, or took longer than it may
        Some("false") if troubles.is_empty() => Outcome::Failed,
        Some("false") => troubles.outcome(),
        _ if element.is_whole() => unknown(element, out),
        _ => Outcome::Errored,
    };
    case.detail = troubles.into_detail();
    case
}

fn entries<'xml>(
    element: Element<'xml>,
    path: &mut Sections<'xml>,
    troubles: &mut Troubles<'xml>,
    printed: &mut Vec<Text<'xml>>,
) {
    for child in element.children() {
        match child.name() {
            b"SubCase" => {
                let depth = path.enter(child);
                entries(child, path, troubles, printed);
                path.leave(depth);
            }
            b"Expression" if child.attribute("success").as_deref() != Some("true") => {
                troubles.failed(expression(child, path));
            }
            b"Message" => {
                let message = child_word(child, "Text");
                if child.attribute("type").is_some_and(|kind| kind.ends_with("ERROR")) {
                    let text = joined(around(child, path), "\n");
                    troubles.failed(Detail { kind: child.filled("type"), message, text });
                } else {
                    printed.extend(message);
                }
            }
            b"Exception" => {
                let is_crash = child.attribute("crash").as_deref() == Some("true");
                let kind = Some(Cow::Borrowed(if is_crash { "crash" } else { "exception" }));
                let text = joined(around(child, path), "\n");
                troubles.errored(Detail { kind, message: word_of(child), text });
            }
            _ => {}
        }
    }
}

fn expression<'xml>(element: Element<'xml>, path: &mut Sections<'xml>) -> Detail<'xml> {
    let mut lines = around(element, path);
    for part in element.children() {
        let name = match part.name() {
            b"Expanded" => "with",
            b"Exception" => "thrown",
            b"ExpectedException" => "expected to throw",
            b"ExpectedExceptionString" => "expected to say",
            b"Info" => "info",
            _ => continue,
        };
        lines.extend(word_of(part).map(|text| Cow::Owned(format!("{name}: {text}"))));
    }
    Detail {
        kind: element.filled("type"),
        message: child_word(element, "Original"),
        text: joined(lines, "\n"),
    }
}

fn around<'xml>(element: Element<'xml>, path: &mut Sections<'xml>) -> Vec<Text<'xml>> {
    let at = place(element.filled("filename"), line_number(element.attribute("line")));
    let mut lines: Vec<_> = at.into_iter().collect();
    lines.extend(path.named());
    lines
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn a_run_is_read_with_subcases_and_decorators() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/doctest/run.xml")),
            r#"adds | sum.cpp:4 | passed | 0.001s | out "a note"
sums | adds wrongly | sum.cpp:9 | failed | CHECK: a == b | "sum.cpp:12\nin big > odd\nwith: 1 == 2\ninfo: a is 1\n\nFATAL ERROR: no more\nsum.cpp:14"
sums | throws | sum.cpp:20 | errored | exception: bad luck
sums | crashes | sum.cpp:30 | errored | crash: SIGSEGV - Segmentation violation signal
sums | fails as it should | sum.cpp:40 | passed | CHECK: false | "sum.cpp:41\nwith: false" | {should_fail=true}
sums | takes too long | sum.cpp:50 | failed
sums | left out | sum.cpp:60 | skipped
"#
        );
    }

    #[test]
    fn a_list_of_tests_holds_no_case() {
        let list = "<doctest binary='t'><TestCase name='a' testsuite='' filename='a.cpp' line='1' skipped='false'/>\
                    <OverallResultsTestCases unskipped='1'/></doctest>";
        assert_eq!(told(list), "! no-cases @0\n");
    }
}
