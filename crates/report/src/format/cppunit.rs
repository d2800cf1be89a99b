//! CppUnit's XML and its relatives, AUnit and embUnit
//! (<https://github.com/cms-externals/cppunit>, `XmlOutputter.cpp`; <https://github.com/AdaCore/aunit>).

use std::borrow::Cow;

use super::trouble::{child_word, joined, line_number, place, tell, tell_if_empty, unknown, word};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads the tests of each list: those that failed, those that passed, and, of embUnit, those of each suite.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for list in root.children() {
        let (outcome, suite) = match list.name() {
            b"FailedTests" => (Outcome::Failed, None),
            b"SuccessfulTests" => (Outcome::Passed, None),
            b"SkippedTests" | b"IgnoredTests" => (Outcome::Skipped, None),
            b"Statistics" | b"SuiteInfo" => continue,
            name => (Outcome::Passed, Some(String::from_utf8_lossy(name))),
        };
        for test in list.children() {
            let outcome = match test.name() {
                b"Test" => outcome,
                b"FailedTest" => Outcome::Failed,
                _ => continue,
            };
            let mut case = case(test, outcome, out);
            case.suite.extend(suite.clone());
            tell(test, case, out);
        }
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(test: Element<'xml>, outcome: Outcome, out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(outcome, test.offset());
    (case.class, case.name) = child_word(test, "Name").map_or((None, None), class_and_name);
    let time = child_word(test, "Time").or_else(|| test.attribute("elapsed"));
    case.seconds = time.and_then(|time| parse_seconds(&time));
    if outcome != Outcome::Failed {
        return case;
    }
    let kind = child_word(test, "FailureType");
    case.outcome = match kind.as_deref() {
        Some("Error") => Outcome::Errored,
        Some("Assertion") => Outcome::Failed,
        None => Outcome::Failed,
        _ => unknown(test, out),
    };
    let location = test.child("Location");
    let at = location
        .and_then(|location| place(child_word(location, "File"), line_number(child_word(location, "Line"))));
    let mut texts: Vec<_> = at.into_iter().collect();
    let mut message = child_word(test, "Message");
    if let Some(exception) = test.child("Exception") {
        message = child_word(exception, "Message").or(message);
        texts.extend(child_word(exception, "Information"));
        texts.extend(child_word(exception, "Traceback"));
    }
    case.detail = Detail { kind, message, text: joined(texts, "\n") };
    case
}

/// `Class::name` of CppUnit, `Class : name` and `Class.name` of AUnit.
fn class_and_name(whole: Text<'_>) -> (Option<Text<'_>>, Option<Text<'_>>) {
    let split = |text: &str| -> Option<(usize, usize)> {
        let at = |mark: &str| text.rfind(mark).map(|at| (at, at + mark.len()));
        let place = at("::").or_else(|| at(" : ")).or_else(|| at("."))?;
        // a full stop of a sentence, or of a number, is no mark
        let is_name = text.get(place.1..)?.starts_with(|first: char| first.is_alphanumeric() || first == '_');
        (place.0 > 0 && is_name).then_some(place)
    };
    let Some((end, begin)) = split(&whole) else { return (None, word(whole)) };
    let part = |from: usize, to: usize| -> Option<Text<'_>> {
        match &whole {
            Cow::Borrowed(text) => text.get(from..to).map(Cow::Borrowed),
            Cow::Owned(text) => text.get(from..to).map(|part| Cow::Owned(part.to_owned())),
        }
    };
    (part(0, end), part(begin, whole.len()))
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn failed_and_passed_tests_are_read_with_their_classes() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/cppunit/run.xml")),
            r#"[SumTest] | subtracts | failed | Assertion: equality assertion failed\n- Expected: 1\n- Actual  : 2 | "sum.cpp:12"
[ns::SumTest] | throws | errored | Error: uncaught exception
[SumTest] | adds | passed | 0.002s
alone | passed
[SumTest] | asks | skipped
"#
        );
    }

    #[test]
    fn relatives_are_read_too() {
        let aunit = "<TestRun elapsed='0.1'><SuccessfulTests><Test><Name>Sums.Big.Add</Name></Test>\
                     <Test><Name>Sums : Add</Name></Test></SuccessfulTests><FailedTests><Test><Name>Sums.Sub</Name>\
                     <FailureType>Error</FailureType><Exception><Message>CONSTRAINT_ERROR</Message>\
                     <Information>sums.adb:3</Information></Exception></Test></FailedTests></TestRun>";
        assert_eq!(
            told(aunit),
            "[Sums.Big] | Add | passed\n[Sums] | Add | passed\n[Sums] | Sub | errored | Error: CONSTRAINT_ERROR | \"sums.adb:3\"\n"
        );
        let embunit = "<TestRun><sums><Test id='1'><Name>add</Name></Test><FailedTest id='2'><Name>sub</Name>\
                       <Message>exp 1 was 2</Message></FailedTest></sums><Statistics><Tests>2</Tests></Statistics></TestRun>";
        assert_eq!(told(embunit), "sums | add | passed\nsums | sub | failed | exp 1 was 2\n");
        assert_eq!(told("<TestRun><SuccessfulTests/></TestRun>"), "! no-cases @0\n");
    }
}
