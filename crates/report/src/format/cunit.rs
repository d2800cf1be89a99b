//! CUnit's automated XML (<https://cunit.sourceforge.net/doc/running_tests.html>).

use super::trouble::{Troubles, child_word, line_number, place, tell_if_empty};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads every test of every suite. A record of a failure is one failed check: those of one test stand side by side.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let listing = root.child("CUNIT_RESULT_LISTING");
    for suite in listing.iter().flat_map(Element::children).filter(|child| child.is("CUNIT_RUN_SUITE")) {
        for result in suite.children() {
            match result.name() {
                b"CUNIT_RUN_SUITE_SUCCESS" => tests(result, out),
                b"CUNIT_RUN_SUITE_FAILURE" => {
                    out.failure_outside(result.offset(), child_word(result, "FAILURE_REASON"));
                }
                _ => {}
            }
        }
    }
    tell_if_empty(root, before, out);
}

/// A test of which more failures may come.
struct Open<'xml> {
    name: Option<Text<'xml>>,
    offset: u64,
    troubles: Troubles<'xml>,
}

fn tests(suite: Element<'_>, out: &mut Out<'_>) {
    let suite_name = child_word(suite, "SUITE_NAME");
    let mut open: Option<Open<'_>> = None;
    let close = |open: &mut Option<Open<'_>>, out: &mut Out<'_>| {
        let Some(test) = open.take() else { return };
        let mut case = Case::new(Outcome::Failed, test.offset);
        case.suite.extend(suite_name.clone());
        case.name = test.name;
        case.detail = test.troubles.into_detail();
        out.case(case);
    };
    for record in suite.children_named("CUNIT_RUN_TEST_RECORD") {
        for test in record.children() {
            if !test.is_whole() {
                close(&mut open, out);
                out.finding(FindingCode::CutCase, test.offset());
                continue;
            }
            let name = child_word(test, "TEST_NAME");
            match test.name() {
                b"CUNIT_RUN_TEST_SUCCESS" => {
                    close(&mut open, out);
                    let mut case = Case::new(Outcome::Passed, test.offset());
                    case.suite.extend(suite_name.clone());
                    case.name = name;
                    out.case(case);
                }
                b"CUNIT_RUN_TEST_FAILURE" => {
                    if open.as_ref().is_some_and(|open| open.name != name) {
                        close(&mut open, out);
                    }
                    let offset = test.offset();
                    let open =
                        open.get_or_insert_with(|| Open { name, offset, troubles: Troubles::default() });
                    let at =
                        place(child_word(test, "FILE_NAME"), line_number(child_word(test, "LINE_NUMBER")));
                    let message = child_word(test, "CONDITION");
                    open.troubles.failed(Detail { kind: None, message, text: at });
                }
                _ => {}
            }
        }
    }
    close(&mut open, out);
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn failed_checks_of_one_test_are_one_case() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/cunit/results.xml")),
            r#"! document-type @23
sums | adds | passed
sums | subtracts | failed | 1 == 2 | "sum.c:10\n\n3 == 4\nsum.c:11"
sums | divides | failed | 5 == 6 | "sum.c:20"
! failure-outside-case @1069 Suite Initialization Failed
"#
        );
    }
}
