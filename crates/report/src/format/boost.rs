//! Boost.Test XML: the log and the report
//! (<https://www.boost.org/doc/libs/release/libs/test/doc/html/boost_test/test_output.html>,
//! `xml_log_formatter.ipp`, `xml_report_formatter.ipp`).

use std::borrow::Cow;

use super::trouble::{Troubles, joined, line_number, place, tell, tell_if_empty, unknown, word, word_of};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads a `TestLog`, a `TestResult`, or a `BoostTest` that holds both.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    match root.name() {
        b"TestLog" => suite(root, &mut Vec::new(), log_case, out),
        // a result behind a log tells the log's cases again, with less of each
        b"TestResult" if before > 0 => return,
        b"TestResult" => suite(root, &mut Vec::new(), result_case, out),
        _ => return,
    }
    tell_if_empty(root, before, out);
}

type ReadCase = for<'xml> fn(Element<'xml>, &mut Out<'_>) -> Case<'xml>;

fn suite<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, read_case: ReadCase, out: &mut Out<'_>) {
    for child in element.children() {
        match child.name() {
            b"TestSuite" => {
                let depth = path.len();
                path.extend(child.filled("name"));
                suite(child, path, read_case, out);
                path.truncate(depth);
            }
            b"TestCase" => {
                let mut case = read_case(child, out);
                case.suite.clone_from(path);
                case.name = child.filled("name");
                case.file = child.filled("file");
                case.line = line_number(child.attribute("line"));
                let name = case.name.clone();
                tell(child, case, out);
                // a test may begin others
                let depth = path.len();
                path.extend(name);
                suite_in_case(child, path, read_case, out);
                path.truncate(depth);
            }
            b"Error" | b"FatalError" | b"Exception" => {
                out.failure_outside(child.offset(), child.filled_text());
            }
            _ => {}
        }
    }
}

/// Reads the suites that stand in a case.
fn suite_in_case<'xml>(
    element: Element<'xml>,
    path: &mut Vec<Text<'xml>>,
    read_case: ReadCase,
    out: &mut Out<'_>,
) {
    for child in element.children_named("TestSuite") {
        let depth = path.len();
        path.extend(child.filled("name"));
        suite(child, path, read_case, out);
        path.truncate(depth);
    }
}

fn log_case<'xml>(element: Element<'xml>, _out: &mut Out<'_>) -> Case<'xml> {
    if element.attribute("skipped").as_deref() == Some("yes") {
        let mut case = Case::new(Outcome::Skipped, element.offset());
        case.detail.message = element.filled("reason");
        return case;
    }
    let mut troubles = Troubles::default();
    let mut printed: Vec<_> = word_of(element).into_iter().collect();
    let mut seconds = None;
    for entry in element.children() {
        match entry.name() {
            b"Error" => troubles.failed(trouble(entry)),
            b"FatalError" | b"Exception" => troubles.errored(trouble(entry)),
            b"Message" | b"Warning" => printed.extend(word_of(entry)),
            b"TestingTime" => seconds = word_of(entry).and_then(|micros| micros.parse::<f64>().ok()),
            _ => {}
        }
    }
    let mut case = Case::new(troubles.outcome(), element.offset());
    case.seconds = seconds.filter(|micros| micros.is_finite() && *micros >= 0.0).map(|micros| micros / 1e6);
    case.detail = troubles.into_detail();
    case.stdout = joined(printed, "\n");
    case
}

/// A log entry: what it says, its place, the last checkpoint before it, and what it stood in.
fn trouble<'xml>(entry: Element<'xml>) -> Detail<'xml> {
    let mut lines: Vec<_> = at(entry).into_iter().collect();
    if let Some(checkpoint) = entry.child("LastCheckpoint") {
        let parts: Vec<_> = at(checkpoint).into_iter().chain(word_of(checkpoint)).collect();
        lines.extend(joined(parts, ": ").map(|place| Cow::Owned(format!("last checkpoint: {place}"))));
    }
    let frames = entry.child("Context");
    for frame in frames.iter().flat_map(Element::children).filter_map(word_of) {
        lines.push(Cow::Owned(format!("with {frame}")));
    }
    let kind = if entry.is("Exception") { Some(Cow::Borrowed("Exception")) } else { None };
    Detail { kind, message: word_of(entry), text: joined(lines, "\n") }
}

/// The place of a log entry; that of an exception may be unknown.
fn at<'xml>(entry: Element<'xml>) -> Option<Text<'xml>> {
    let file = entry.filled("file").filter(|file| file != "unknown location").and_then(word);
    place(file, line_number(entry.attribute("line")))
}

fn result_case<'xml>(element: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match element.attribute("result").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("aborted" | "timed-out") => Outcome::Errored,
        Some("skipped") => Outcome::Skipped,
        _ => unknown(element, out),
    };
    Case::new(outcome, element.offset())
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn a_log_is_read_with_places_and_microseconds() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/boost/log.xml")),
            r#"geometry > angles | degrees | angles.cpp:12 | passed | 0.0015s | out "set up\nno zero given"
geometry > angles | radians | angles.cpp:20 | failed | 0s | check turn(1) == 2 failed [3 != 2] | "angles.cpp:23\n\ncheck turn(2) == 4 failed\nangles.cpp:24\nwith sample = 1"
geometry | crash | angles.cpp:40 | errored | 2s | Exception: memory access violation | "last checkpoint: angles.cpp:41: before the call"
geometry | required | errored | critical check p has failed | "angles.cpp:50"
geometry > later | idea | skipped | precondition failed
! failure-outside-case @1342 a fixture failed
"#
        );
    }

    #[test]
    fn a_result_is_read_unless_a_log_told_its_cases() {
        let result = include_str!("../../tests/fixtures/boost/result.xml");
        let cases = "geometry | degrees | passed\ngeometry | radians | failed\ngeometry | crash | errored\ngeometry | idea | skipped\n";
        assert_eq!(told(result), cases);
        let log = "<TestLog><TestSuite name='s'><TestCase name='a'/></TestSuite></TestLog>\n";
        assert_eq!(told(&format!("{log}{result}")), "! another-root @72\ns | a | passed\n");
        let inside = "<TestLog><TestCase name='a'><TestSuite name='s'><TestCase name='b'/></TestSuite></TestCase></TestLog>";
        assert_eq!(told(inside), "a | passed\na > s | b | passed\n");
        assert_eq!(told("<TestResult><TestSuite name='s' result='passed'/></TestResult>"), "! no-cases @0\n");
    }
}
